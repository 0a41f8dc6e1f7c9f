// SPDX-License-Identifier: Apache-2.0
// In the place of foreign.c where mailtap is built without nDPI: what our own first look cannot name has
// no name. No state.
#include "decode/foreign.h"

struct foreign *foreign_create(void)
{
	return NULL;
}

void foreign_destroy(struct foreign *foreign)
{
	(void)foreign;
}

uint8_t foreign_look(
    struct foreign *foreign, const struct foreign_words said[2], enum direction first)
{
	(void)foreign;
	(void)said;
	(void)first;
	return 0;
}

struct foreign_counters foreign_counters(const struct foreign *foreign)
{
	(void)foreign;
	return (struct foreign_counters){0};
}

const char *foreign_name(uint8_t number)
{
	(void)number;
	return NULL;
}

const char *foreign_library(void)
{
	return NULL;
}
