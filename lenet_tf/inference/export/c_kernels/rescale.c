/* What a layer's sums are rescaled with: value * multiplier * 2^(shift - 31). */
typedef struct {
    const int32_t *multipliers; /* one for each output channel */
    const int8_t *shifts;       /* likewise */
    int zero_point;
    int low, high; /* bounds of the outputs, which are also the activation's */
} Rescaling;

/* Rounds twice, as TensorFlow Lite's reference kernels do. */
static int8_t rescale(int32_t sum, const Rescaling *rescaling, int channel)
{
    const int shift = rescaling->shifts[channel];
    const int left = shift > 0 ? shift : 0, right = shift < 0 ? -shift : 0;
    const int32_t high = multiply_high(sum * (1 << left), rescaling->multipliers[channel]);
    const int32_t value = divide_by_power(high, right) + rescaling->zero_point;

    if (value < rescaling->low) {
        return (int8_t)rescaling->low;
    }
    return (int8_t)(value > rescaling->high ? rescaling->high : value);
}
