// SPDX-License-Identifier: Apache-2.0
// What every fuzzer starts from: the function that it gives to libFuzzer (or to replay.c), what must hold,
// and an input that is taken apart from its front.
#ifndef MAILTAP_TESTS_FUZZ_FUZZER_H
#define MAILTAP_TESTS_FUZZ_FUZZER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

// What is not true ends the program, which is a finding.
#define MUST(condition)                                                                            \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			fprintf(stderr, "%s:%d: not true: %s\n", __FILE__, __LINE__, #condition);  \
			abort();                                                                   \
		}                                                                                  \
	} while (0)

struct input {
	const uint8_t *at, *end;
};

static inline size_t input_left(const struct input *input)
{
	return (size_t)(input->end - input->at);
}

// 0 behind the end.
static inline uint8_t take(struct input *input)
{
	return input->at < input->end ? *input->at++ : 0;
}

static inline uint16_t take_u16(struct input *input)
{
	unsigned high = take(input);
	return (uint16_t)(high << 8 | take(input));
}

// A copy in a block of just its size, so that a sanitizer sees what is read behind it. To be freed.
static inline uint8_t *exact_copy(const uint8_t *bytes, size_t length)
{
	uint8_t *copy = malloc(length > 0 ? length : 1);
	MUST(copy != NULL);
	if (length > 0)
		memcpy(copy, bytes, length);
	return copy;
}

#endif
