/* Classifies the images of test_vectors.h. Returns 1 if an answer differs from what is expected. */
#include <stdio.h>
#include <string.h>

#include "lenet.h"
#include "test_vectors.h"

static int8_t buffer[LENET_BUFFER_SIZE];

int main(void)
{
    int failures = 0;

    for (int i = 0; i < TEST_COUNT; i++) {
        uint8_t probabilities[LENET_CLASSES];
        const int answer = lenet_predict(test_images[i], probabilities, buffer);
        const int is_equal =
            answer == test_answers[i]
            && memcmp(probabilities, test_probabilities[i], sizeof probabilities) == 0;

        printf("%d: %s, expected %s: %s\n", i, lenet_labels[answer], lenet_labels[test_answers[i]],
               is_equal ? "ok" : "DIFFERENT");
        failures += !is_equal;
    }
    return failures != 0;
}
