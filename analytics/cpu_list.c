// SPDX-License-Identifier: Apache-2.0
#include "analytics/cpu_list.h"

#include <errno.h>
#include <stdlib.h>

// A number at *text, which moves behind it; negative: there is none, or it is too great.
static long read_number(const char **text)
{
	char *end;
	if (**text < '0' || **text > '9')
		return -1;
	errno = 0;
	long number = strtol(*text, &end, 10);
	*text = end;
	return errno == 0 && number <= CPU_NUMBER_MAX ? number : -1;
}

bool cpu_list_read(struct cpu_list *list, const char *text, struct error *error)
{
	const char *at = text;
	list->count = 0;
	for (;;) {
		long first = read_number(&at), last = first;
		if (*at == '-') {
			at++;
			last = read_number(&at);
		}
		if (first < 0 || last < first || (*at != ',' && *at != '\0')) {
			error_set(error, "\"%.80s\" is no list of processors, as 2,4-7", text);
			return false;
		}
		if ((size_t)(last - first) >= CPU_LIST_MAX - list->count) {
			error_set(error, "more than %d processors", CPU_LIST_MAX);
			return false;
		}
		for (; first <= last; first++)
			list->cpus[list->count++] = (int)first;
		if (*at++ == '\0')
			return true;
	}
}
