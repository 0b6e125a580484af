/* Reads raw images from stdin; writes each answer in two bytes, the lower one first, and its
   probabilities, a byte each, to stdout. */
#include <stdio.h>

#include "lenet.h"

int main(void)
{
    static uint8_t image[LENET_IMAGE_SIZE];
    static int8_t buffer[LENET_BUFFER_SIZE];

    while (fread(image, sizeof image, 1, stdin) == 1) {
        uint8_t probabilities[LENET_CLASSES];
        const int answer = lenet_predict(image, probabilities, buffer);

        putchar(answer % 256);
        putchar(answer / 256);
        fwrite(probabilities, sizeof probabilities, 1, stdout);
    }
    return ferror(stdin) || fflush(stdout) != 0;
}
