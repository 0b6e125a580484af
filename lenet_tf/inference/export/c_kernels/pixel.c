static uint8_t find_pixel_value(const uint8_t *image, int row, int column, int channel)
{
    return image[(row * LENET_WIDTH + column) * LENET_CHANNELS + channel];
}
