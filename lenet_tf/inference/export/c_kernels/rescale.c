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
    const int64_t product = (int64_t)sum * ((int64_t)1 << left) * rescaling->multipliers[channel];
    const int64_t half = (int64_t)1 << 30;
    const int64_t rounding = right > 0 ? (int64_t)1 << (right - 1) : 0;
    int64_t value;

    if (product >= 0) {
        value = (((product + half) >> 31) + rounding) >> right;
    } else {
        value = -((((half - 1 - product) >> 31) + rounding) >> right);
    }
    value += rescaling->zero_point;
    if (value < rescaling->low) {
        value = rescaling->low;
    }
    if (value > rescaling->high) {
        value = rescaling->high;
    }
    return (int8_t)value;
}
