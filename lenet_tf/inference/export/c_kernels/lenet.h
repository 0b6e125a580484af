/* $title in integers of 8 bits, written by lenet_tf $version. */
#ifndef LENET_H
#define LENET_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A raw image: rows from the top, 0 for the background and 255 for ink. */
#define LENET_HEIGHT $height
#define LENET_WIDTH $width
#define LENET_CHANNELS $channels
#define LENET_IMAGE_SIZE (LENET_HEIGHT * LENET_WIDTH * LENET_CHANNELS)

/* A prepared image, which is the network's input. */
#define LENET_INPUT_HEIGHT $input_height
#define LENET_INPUT_WIDTH $input_width
#define LENET_INPUT_CHANNELS $input_channels
#define LENET_INPUT_SIZE (LENET_INPUT_HEIGHT * LENET_INPUT_WIDTH * LENET_INPUT_CHANNELS)

#define LENET_CLASSES $classes

/* Bytes of working memory. */
#define LENET_BUFFER_SIZE $buffer_size

/* The classes' names, in UTF-8. */
extern const char *const lenet_labels[LENET_CLASSES];

/* Returns the most probable class, 0 ... LENET_CLASSES - 1, and writes each class's probability in
   256ths, at most 255. The buffer may hold anything before and holds nothing useful after. */
int lenet_predict(const uint8_t image[LENET_IMAGE_SIZE], uint8_t probabilities[LENET_CLASSES],
                  int8_t buffer[LENET_BUFFER_SIZE]);

/* Turns a raw image into the network's input, as the model in lenet_model_data.c takes it. */
void lenet_prepare(const uint8_t image[LENET_IMAGE_SIZE], int8_t input[LENET_INPUT_SIZE]);

#ifdef __cplusplus
}
#endif

#endif
