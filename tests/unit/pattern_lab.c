// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "pattern_lab.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char folder[64];

struct pattern_set *shipped_set(void)
{
	static struct pattern_set *set;
	struct error error = {0};
	if (set == NULL)
		set = pattern_set_load(&(struct pattern_set_options){0}, &error);
	assert_string_equal(error.text, "");
	assert_non_null(set);
	return set;
}

int lab_folder_make(void **state)
{
	(void)state;
	snprintf(folder, sizeof folder, "/tmp/patterns.XXXXXX");
	return mkdtemp(folder) == NULL;
}

int lab_folder_remove(void **state)
{
	char command[128];
	(void)state;
	snprintf(command, sizeof command, "rm -rf '%s'", folder);
	return system(command);
}

const char *lab_path(const char *name)
{
	static char paths[4][128];
	static unsigned next;
	char *path = paths[next++ % 4];
	snprintf(path, sizeof paths[0], "%s/%s", folder, name);
	return path;
}

const char *lab_file(const char *name, const char *text)
{
	const char *path = lab_path(name);
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	assert_int_equal(fwrite(text, 1, strlen(text), file), strlen(text));
	assert_int_equal(fclose(file), 0);
	return path;
}
