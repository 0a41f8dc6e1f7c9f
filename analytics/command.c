// SPDX-License-Identifier: Apache-2.0
#include "analytics/command.h"

#include <stddef.h>
#include <string.h>

// A new command is one file and one row.
static const struct command table[] = {
    {"servers", command_servers},
    {"report", command_report},
    {"store", command_store},
    {"query", command_query},
    {"top", command_top},
};

const struct command *command_find(const char *name)
{
	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
		if (strcmp(table[i].name, name) == 0)
			return &table[i];
	return NULL;
}
