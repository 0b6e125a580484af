static void average_windows(const Pooling *layer, const int8_t *input, int8_t *output)
{
    for (int y = 0; y < layer->output_height; y++) {
        for (int x = 0; x < layer->output_width; x++) {
            for (int k = 0; k < layer->channels; k++) {
                int sum = 0, count = 0;

                for (int i = 0; i < layer->height; i++) {
                    for (int j = 0; j < layer->width; j++) {
                        const int8_t *pixel = find_pixel(layer, input, y * layer->stride_y + i,
                                                         x * layer->stride_x + j);
                        if (pixel != NULL) {
                            sum += pixel[k];
                            count++;
                        }
                    }
                }
                /* Halves are rounded away from 0. */
                *output++ = (int8_t)((sum + (sum > 0 ? count : -count) / 2) / count);
            }
        }
    }
}
