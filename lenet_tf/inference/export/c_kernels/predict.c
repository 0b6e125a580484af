int lenet_predict(const uint8_t image[LENET_IMAGE_SIZE], uint8_t probabilities[LENET_CLASSES],
                  int8_t buffer[LENET_BUFFER_SIZE])
{
    int best = 0;

    lenet_prepare(image, buffer);
    $calls
    for (int k = 1; k < LENET_CLASSES; k++) {
        if (probabilities[k] > probabilities[best]) {
            best = k;
        }
    }
    return best;
}
