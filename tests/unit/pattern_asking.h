// SPDX-License-Identifier: Apache-2.0
// For tests of what patterns say: texts are asked about as exact copies, and the shipped patterns of many at once.
#ifndef MAILTAP_TESTS_UNIT_PATTERN_ASKING_H
#define MAILTAP_TESTS_UNIT_PATTERN_ASKING_H

#include "decode/pattern_set.h"

// For cmocka: the scratch that the shipped patterns are asked with, and its end.
int asking_begin(void **state);
int asking_end(void **state);

// Valid between these two.
struct pattern_scratch *asking_scratch(void);

// What the patterns say of a text; NULL: nothing.
const char *asked(const struct pattern_set *set, struct pattern_scratch *with,
    enum pattern_class class, const char *text);

// Fails the test unless the shipped patterns say this; `wanted`: NULL for nothing.
void assert_says(enum pattern_class class, const char *text, const char *wanted);

// Texts that the class knows, or none of which it knows, as `knows` says.
void assert_all(enum pattern_class class, const char *const *texts, size_t count, bool knows);

#define ASSERT_ALL(class, texts, knows)                                                            \
	assert_all(class, texts, sizeof(texts) / sizeof((texts)[0]), knows)

#endif
