/* The mean of the area that a pixel covers once the digits are reduced. */
static uint8_t find_pixel_value(const uint8_t *image, int row, int column, int channel)
{
    int32_t sum = 0;

    for (int i = 0; i < $rows; i++) {
        for (int j = 0; j < $columns; j++) {
            const int place =
                (row_starts[row] + i) * LENET_WIDTH + column_starts[column] + j;
            sum += image[place * LENET_CHANNELS + channel] * row_weights[row * $rows + i]
                   * column_weights[column * $columns + j];
        }
    }
    return (uint8_t)((sum + $divisor / 2) / $divisor);
}
