void lenet_prepare(const uint8_t image[LENET_IMAGE_SIZE], int8_t input[LENET_INPUT_SIZE])
{
    for (int y = 0; y < LENET_INPUT_HEIGHT; y++) {
        for (int x = 0; x < LENET_INPUT_WIDTH; x++) {
            const int row = y - $top, column = x - $left;
            const int is_inside =
                row >= 0 && row < LENET_HEIGHT && column >= 0 && column < LENET_WIDTH;

            for (int k = 0; k < LENET_INPUT_CHANNELS; k++) {
                uint8_t pixel = 0;

                if (is_inside) {
                    pixel = find_pixel_value(image, row, column, k % LENET_CHANNELS);
                }
                *input++ = QUANTIZE(pixel);
            }
        }
    }
}
