typedef struct {
    int input_height, input_width, input_channels;
    int output_height, output_width, output_channels;
    int height, width; /* of the kernel */
    int stride_y, stride_x;
    int top, left; /* padding */
    int input_zero_point;
    const int8_t *weights; /* [output channel][row][column][input channel] */
    const int32_t *biases;
    Rescaling rescaling;
} Convolution;

static void convolve(const Convolution *layer, const int8_t *input, int8_t *output)
{
    const int channels = layer->input_channels;

    for (int y = 0; y < layer->output_height; y++) {
        for (int x = 0; x < layer->output_width; x++) {
            const int y0 = y * layer->stride_y - layer->top;
            const int x0 = x * layer->stride_x - layer->left;
            /* The part of the kernel that lies over the image. */
            const int first = x0 < 0 ? -x0 : 0;
            const int over = x0 + layer->width - layer->input_width;
            const int last = layer->width - (over > 0 ? over : 0);

            for (int k = 0; k < layer->output_channels; k++) {
                const int8_t *kernel = layer->weights + k * layer->height * layer->width * channels;
                int32_t sum = layer->biases[k];

                for (int i = 0; i < layer->height; i++) {
                    if (y0 + i < 0 || y0 + i >= layer->input_height) {
                        continue;
                    }
                    const int8_t *values =
                        input + ((y0 + i) * layer->input_width + x0 + first) * channels;
                    const int8_t *weights = kernel + (i * layer->width + first) * channels;
                    for (int j = 0; j < (last - first) * channels; j++) {
                        sum += weights[j] * (values[j] - layer->input_zero_point);
                    }
                }
                *output++ = rescale(sum, &layer->rescaling, k);
            }
        }
    }
}
