/* Probabilities in 256ths, from 2^20 * exp of minus 0, 1, 2, ... steps; those of 1 are 255. */
static void normalize(const uint32_t *powers, int power_count, const int8_t *input,
                      uint8_t *probabilities)
{
    int8_t largest = -128;
    uint32_t sum = 0;

    for (int k = 0; k < LENET_CLASSES; k++) {
        if (input[k] > largest) {
            largest = input[k];
        }
    }
    for (int k = 0; k < LENET_CLASSES; k++) {
        const int steps = largest - input[k];
        sum += steps < power_count ? powers[steps] : 0;
    }
    for (int k = 0; k < LENET_CLASSES; k++) {
        const int steps = largest - input[k];
        const uint32_t power = steps < power_count ? powers[steps] : 0;
        const uint32_t parts = (power * 512 + sum) / (2 * sum);
        probabilities[k] = (uint8_t)(parts < 255 ? parts : 255);
    }
}
