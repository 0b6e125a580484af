typedef struct {
    int input_height, input_width, channels;
    int output_height, output_width;
    int height, width; /* of a window */
    int stride_y, stride_x;
    int top, left; /* padding, which counts for nothing */
} Pooling;

/* The first channel at a place in the padded image, or NULL in the padding. */
static const int8_t *find_pixel(const Pooling *layer, const int8_t *input, int row, int column)
{
    row -= layer->top;
    column -= layer->left;
    if (row < 0 || row >= layer->input_height || column < 0 || column >= layer->input_width) {
        return NULL;
    }
    return input + (row * layer->input_width + column) * layer->channels;
}
