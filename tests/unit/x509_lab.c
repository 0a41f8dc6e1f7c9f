// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/unit/x509_lab.h"

#include <stdlib.h>
#include <string.h>

uint8_t *exact_copy(const uint8_t *octets, size_t length)
{
	uint8_t *copy = malloc(length > 0 ? length : 1);
	assert_non_null(copy);
	memcpy(copy, octets, length);
	return copy;
}

struct read read_recipe(const struct certificate_recipe *recipe)
{
	static uint8_t octets[CERTIFICATE_MAX];
	size_t length = certificate_make(recipe, octets);
	struct read read = {.der = view_of(exact_copy(octets, length), length)};
	x509_read(read.der, &read.facts);
	return read;
}

void done(struct read *read)
{
	free((void *)(uintptr_t)read->der.data);
}

void assert_view(struct view view, const char *der)
{
	static uint8_t octets[TEXT_SIZE];
	assert_non_null(view.data);
	size_t length = der_text(der, octets, sizeof octets);
	assert_int_equal(view.length, length);
	assert_memory_equal(view.data, octets, length);
}
