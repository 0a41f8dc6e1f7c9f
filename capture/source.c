// SPDX-License-Identifier: Apache-2.0
// The kinds of source, one row each.
#include "capture/source.h"

#include "capture/base/counters.h"

#include <string.h>

static const struct source_ops *const kinds[] = {
    &source_file,
    &source_live,
    &source_dpdk,
};

const struct source_ops *source_find(const char *name)
{
	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
		if (strcmp(kinds[i]->name, name) == 0)
			return kinds[i];
	return NULL;
}

_Static_assert(sizeof(struct source_counters) % sizeof(uint64_t) == 0, "can be added up");

void source_counters_add(struct source_counters *sum, const struct source_counters *one)
{
	counters_add(sum, one, sizeof *sum);
}
