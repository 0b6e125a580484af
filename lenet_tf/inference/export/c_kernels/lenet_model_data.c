/* $title as a LiteRT model for TFLite-Micro, written by lenet_tf $version. */
#include "lenet_model_data.h"

/* TFLite-Micro reads numbers of up to 16 bytes in place. */
#if defined(__GNUC__) || defined(__clang__)
__attribute__((aligned(16)))
#elif defined(_MSC_VER)
__declspec(align(16))
#endif
const unsigned char lenet_model_data[LENET_MODEL_SIZE] = {
$content
};
