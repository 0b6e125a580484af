typedef struct {
    int inputs, units;
    int input_zero_point;
    const int8_t *weights; /* [unit][input] */
    const int32_t *biases;
    Rescaling rescaling;
} Dense;

static void multiply(const Dense *layer, const int8_t *input, int8_t *output)
{
    for (int k = 0; k < layer->units; k++) {
        const int8_t *weights = layer->weights + k * layer->inputs;
        int32_t sum = layer->biases[k];

        for (int i = 0; i < layer->inputs; i++) {
            sum += weights[i] * (input[i] - layer->input_zero_point);
        }
        output[k] = rescale(sum, &layer->rescaling, k);
    }
}
