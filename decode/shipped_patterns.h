// SPDX-License-Identifier: Apache-2.0
// The pattern files of configs/patterns/, as they were when the program was built: it finds them wherever
// it runs. Made by configs/patterns/embed.py. Read by pattern_set.c.
#ifndef MAILTAP_DECODE_SHIPPED_PATTERNS_H
#define MAILTAP_DECODE_SHIPPED_PATTERNS_H

#include <stddef.h>
#include <stdint.h>

struct shipped_patterns {
	const char *name; // of the file
	const uint8_t *text;
	size_t length;
};

extern const struct shipped_patterns shipped_patterns[];
extern const size_t shipped_pattern_files;

#endif
