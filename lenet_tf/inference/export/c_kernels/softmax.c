/* 1 / (1 + x) for an x of 0 ... 1, both in 2^-31sts, by Newton's method. */
static int32_t invert(int32_t x)
{
    const int32_t half = (int32_t)(((int64_t)x + INT32_MAX + 1) / 2);
    int32_t y = 1515870810 + multiply_high(half, -1010580540); /* in 2^-29ths */

    for (int i = 0; i < 3; i++) {
        y += multiply_high(y, (1 << 29) - multiply_high(half, y)) * 4;
    }
    return y < 1 << 30 ? y * 2 : INT32_MAX;
}

/* Probabilities in 256ths, at most 255, in the fixed-point numbers of TensorFlow Lite's reference
   kernels. The powers are exp of minus 0, 1, 2, ... steps of the input, in 2^-31sts. */
static void normalize(const int32_t *powers, int power_count, const int8_t *input,
                      uint8_t *probabilities)
{
    int8_t largest = -128;
    uint32_t sum = 0;
    int bits = 35;
    int32_t factor;

    for (int k = 0; k < LENET_CLASSES; k++) {
        if (input[k] > largest) {
            largest = input[k];
        }
    }
    for (int k = 0; k < LENET_CLASSES; k++) {
        const int steps = largest - input[k];
        sum += steps < power_count ? (uint32_t)divide_by_power(powers[steps], 12) : 0;
    }
    while (sum < 0x80000000u) {
        sum *= 2;
        bits--;
    }
    factor = invert((int32_t)(sum - 0x80000000u));
    for (int k = 0; k < LENET_CLASSES; k++) {
        const int steps = largest - input[k];
        const int32_t power = steps < power_count ? powers[steps] : 0;
        const int32_t parts = divide_by_power(multiply_high(factor, power), bits);
        probabilities[k] = (uint8_t)(parts < 255 ? parts : 255);
    }
}
