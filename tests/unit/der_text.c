// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/der_text.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DEPTH_MAX = 32 };

struct output {
	uint8_t *octets;
	size_t length, size;
	size_t begun[DEPTH_MAX]; // where the contents of the open elements begin
	unsigned depth;
};

static void give_up(const char *text)
{
	fprintf(stderr, "not DER as text: %.80s\n", text);
	abort();
}

static void put(struct output *output, uint8_t octet, const char *text)
{
	if (output->length >= output->size)
		give_up(text);
	output->octets[output->length++] = octet;
}

// Puts the length before the content of the innermost element.
static void end_element(struct output *output, const char *text)
{
	if (output->depth == 0)
		give_up(text);
	size_t begun = output->begun[--output->depth], length = output->length - begun;
	uint8_t header[1 + sizeof length];
	unsigned octets = 0;
	if (length >= 0x80) {
		while (length >> (8 * octets))
			octets++;
		header[0] = (uint8_t)(0x80 | octets);
		for (unsigned i = 0; i < octets; i++)
			header[1 + i] = (uint8_t)(length >> (8 * (octets - 1 - i)));
	} else {
		header[0] = (uint8_t)length;
	}
	for (unsigned i = 0; i <= octets; i++)
		put(output, 0, text);
	memmove(output->octets + begun + 1 + octets, output->octets + begun, length);
	memcpy(output->octets + begun, header, 1 + octets);
}

static uint8_t hex_digit(const char *at)
{
	static const char digits[] = "0123456789abcdef";
	const char *found = *at != '\0' ? strchr(digits, *at) : NULL;
	if (found == NULL)
		give_up(at);
	return (uint8_t)(found - digits);
}

size_t der_text(const char *text, uint8_t *octets, size_t size)
{
	struct output output = {.octets = octets, .size = size};
	for (const char *at = text; *at != '\0'; at++) {
		if (isspace((unsigned char)*at))
			continue;
		if (*at == '{') {
			if (output.depth == DEPTH_MAX)
				give_up(at);
			output.begun[output.depth++] = output.length;
		} else if (*at == '}') {
			end_element(&output, at);
		} else if (*at == '\'') {
			for (at++; *at != '\'' && *at != '\0'; at++)
				put(&output, (uint8_t)*at, at);
			if (*at == '\0')
				give_up(text);
		} else {
			uint8_t high = hex_digit(at++);
			put(&output, (uint8_t)(high << 4 | hex_digit(at)), at);
		}
	}
	if (output.depth != 0)
		give_up(text);
	return output.length;
}
