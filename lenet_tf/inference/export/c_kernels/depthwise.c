typedef struct {
    int input_width, input_channels;
    int output_height, output_width, output_channels;
    int height, width; /* of the kernel */
    int stride_y, stride_x;
    int input_zero_point;
    const int8_t *weights; /* [row][column][output channel] */
    const int32_t *biases;
    Rescaling rescaling;
} Depthwise;

/* Each input channel becomes the same number of output channels; no padding. */
static void convolve_depthwise(const Depthwise *layer, const int8_t *input, int8_t *output)
{
    const int multiplier = layer->output_channels / layer->input_channels;

    for (int y = 0; y < layer->output_height; y++) {
        for (int x = 0; x < layer->output_width; x++) {
            for (int k = 0; k < layer->output_channels; k++) {
                int32_t sum = layer->biases[k];

                for (int i = 0; i < layer->height; i++) {
                    for (int j = 0; j < layer->width; j++) {
                        const int row = y * layer->stride_y + i;
                        const int column = x * layer->stride_x + j;
                        const int8_t value =
                            input[(row * layer->input_width + column) * layer->input_channels
                                  + k / multiplier];
                        const int8_t weight =
                            layer->weights[(i * layer->width + j) * layer->output_channels + k];
                        sum += weight * (value - layer->input_zero_point);
                    }
                }
                *output++ = rescale(sum, &layer->rescaling, k);
            }
        }
    }
}
