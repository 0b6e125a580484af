/* $title as a LiteRT model for TFLite-Micro, written by lenet_tf $version. */
#ifndef LENET_MODEL_DATA_H
#define LENET_MODEL_DATA_H

#ifdef __cplusplus
extern "C" {
#endif

#define LENET_MODEL_SIZE $size
extern const unsigned char lenet_model_data[LENET_MODEL_SIZE];

$arena

$operators

/* The input is one prepared image of int8, which lenet_prepare of lenet.h makes of a raw one:
   real value = (integer - zero point) * scale. */
#define LENET_MODEL_INPUT_SCALE $input_scale
#define LENET_MODEL_INPUT_ZERO_POINT ($input_zero)

/* The output is a probability of int8 for each class. */
#define LENET_MODEL_OUTPUT_SCALE $output_scale
#define LENET_MODEL_OUTPUT_ZERO_POINT ($output_zero)

#ifdef __cplusplus
}
#endif

#endif
