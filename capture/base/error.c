// SPDX-License-Identifier: Apache-2.0
#include "capture/base/error.h"

#include "capture/base/utf8.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void make_harmless(uint8_t *text)
{
	size_t length = strlen((const char *)text);
	for (size_t i = 0, count; i < length; i += count) {
		uint32_t code;
		count = utf8_code_point(text + i, length - i, &code);
		bool harmless = count > 0 && !code_point_is_unsafe(code);
		if (count == 0)
			count = 1;
		if (!harmless)
			memset(text + i, '?', count);
	}
}

void error_set(struct error *error, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(error->text, sizeof error->text, format, arguments);
	va_end(arguments);
	make_harmless((uint8_t *)error->text);
}
