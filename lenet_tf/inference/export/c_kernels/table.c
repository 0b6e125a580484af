/* In place. */
static void look_up(const int8_t table[256], int8_t *values, int count)
{
    for (int i = 0; i < count; i++) {
        values[i] = table[values[i] + 128];
    }
}
