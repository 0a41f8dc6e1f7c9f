// SPDX-License-Identifier: Apache-2.0
// Which processors the threads of a run are to use, as a user names them: "2,4-7".
#ifndef MAILTAP_ANALYTICS_CPU_LIST_H
#define MAILTAP_ANALYTICS_CPU_LIST_H

#include "capture/base/error.h"

#include <stdbool.h>
#include <stddef.h>

enum { CPU_LIST_MAX = 128, CPU_NUMBER_MAX = 1023 };

struct cpu_list {
	int cpus[CPU_LIST_MAX];
	size_t count;
};

// False: *error says what is wrong with it.
bool cpu_list_read(struct cpu_list *list, const char *text, struct error *error);

#endif
