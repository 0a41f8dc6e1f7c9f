// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "pattern_asking.h"
#include "pattern_lab.h"

#include <stdlib.h>
#include <string.h>

static struct pattern_scratch *scratch;

int asking_begin(void **state)
{
	(void)state;
	scratch = pattern_scratch_create(shipped_set());
	return scratch == NULL;
}

int asking_end(void **state)
{
	(void)state;
	pattern_scratch_destroy(scratch);
	return 0;
}

struct pattern_scratch *asking_scratch(void)
{
	return scratch;
}

const char *asked(const struct pattern_set *set, struct pattern_scratch *with,
    enum pattern_class class, const char *text)
{
	// An exact copy on the heap, so that a sanitizer sees a read past the end.
	size_t length = strlen(text);
	uint8_t *copy = malloc(length);
	assert_true(copy != NULL || length == 0);
	memcpy(copy, text, length);
	const char *said = pattern_match(set, with, class, view_of(copy, length));
	free(copy);
	return said;
}

void assert_says(enum pattern_class class, const char *text, const char *wanted)
{
	const char *said = asked(shipped_set(), scratch, class, text);
	said = said != NULL ? said : "nothing";
	wanted = wanted != NULL ? wanted : "nothing";
	if (strcmp(said, wanted) != 0)
		fail_msg("\"%s\" is %s, not %s", text, said, wanted);
}

void assert_all(enum pattern_class class, const char *const *texts, size_t count, bool knows)
{
	for (size_t i = 0; i < count; i++)
		if ((asked(shipped_set(), scratch, class, texts[i]) != NULL) != knows)
			fail_msg("[%s] %s \"%s\"", pattern_class_name(class),
			    knows ? "does not know" : "knows", texts[i]);
}
