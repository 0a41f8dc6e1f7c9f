// SPDX-License-Identifier: Apache-2.0
#include "analytics/clickhouse_answer.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

unsigned clickhouse_exception(const char *text)
{
	static const char before[] = "Code: ";
	if (strncmp(text, before, sizeof before - 1) != 0)
		return 0;
	unsigned long code = strtoul(text + sizeof before - 1, NULL, 10);
	return code <= UINT_MAX ? (unsigned)code : 0;
}

bool clickhouse_number(const char *text, uint64_t *number)
{
	char *end;
	if (*text < '0' || *text > '9')
		return false;
	errno = 0;
	*number = strtoull(text, &end, 10);
	return errno == 0 && (end[0] == '\0' || (end[0] == '\n' && end[1] == '\0'));
}
