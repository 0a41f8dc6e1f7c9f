// SPDX-License-Identifier: Apache-2.0
// The kinds of source, one row each.
#include "capture/source.h"

#include <string.h>

static const struct source_ops *const kinds[] = {
    &source_file,
};

const struct source_ops *source_find(const char *name)
{
	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
		if (strcmp(kinds[i]->name, name) == 0)
			return kinds[i];
	return NULL;
}
