// SPDX-License-Identifier: Apache-2.0
#include "analytics/name_distance.h"

#include <stdint.h>
#include <string.h>

enum { ROW = NAME_DISTANCE_MAX + 1 };

static size_t least(size_t one, size_t other)
{
	return one < other ? one : other;
}

// One more byte of `one`: the distances of its first `i` bytes from all beginnings of `other`.
static void next_row(size_t rows[3][ROW], size_t i, const char *one, const char *other)
{
	size_t *now = rows[i % 3], *before = rows[(i + 2) % 3], *earlier = rows[(i + 1) % 3];
	now[0] = i;
	for (size_t j = 1; j <= strlen(other); j++) {
		now[j] = before[j - 1] + (one[i - 1] != other[j - 1]);
		now[j] = least(now[j], least(now[j - 1], before[j]) + 1);
		if (i > 1 && j > 1 && one[i - 1] == other[j - 2] && one[i - 2] == other[j - 1])
			now[j] = least(now[j], earlier[j - 2] + 1);
	}
}

size_t name_distance(const char *one, const char *other)
{
	size_t rows[3][ROW], length = strlen(one), across = strlen(other);
	if (length > NAME_DISTANCE_MAX || across > NAME_DISTANCE_MAX)
		return SIZE_MAX;
	for (size_t j = 0; j <= across; j++)
		rows[0][j] = j;
	for (size_t i = 1; i <= length; i++)
		next_row(rows, i, one, other);
	return rows[length % 3][across];
}

size_t name_distance_near(const char *name)
{
	return (strlen(name) + 1) / 3;
}
