/* a * b / 2^31, rounded; halves go up. */
static int32_t multiply_high(int32_t a, int32_t b)
{
    const int64_t product = (int64_t)a * b;
    const int64_t half = (int64_t)1 << 30;

    if (product >= 0) {
        return (int32_t)((product + half) >> 31);
    }
    return (int32_t)-((half - 1 - product) >> 31);
}

/* value / 2^bits, rounded; halves go away from 0. */
static int32_t divide_by_power(int32_t value, int bits)
{
    const int64_t half = bits > 0 ? (int64_t)1 << (bits - 1) : 0;

    if (value >= 0) {
        return (int32_t)((value + half) >> bits);
    }
    return (int32_t)-((half - value) >> bits);
}
