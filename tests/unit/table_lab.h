// SPDX-License-Identifier: Apache-2.0
// Statistics, and what their operators are looked up by, for tests of single tables. Behind cmocka.h.
#ifndef MAILTAP_TESTS_UNIT_TABLE_LAB_H
#define MAILTAP_TESTS_UNIT_TABLE_LAB_H

#include "analytics/facts_lookup.h"
#include "analytics/statistics.h"
#include "analytics/tables.h"

static struct statistics *statistics;
static struct facts_lookup *lookup;

static int set_up(void **state)
{
	struct error error;
	(void)state;
	statistics = statistics_create(0, &error);
	lookup = facts_lookup_open(&error);
	return statistics == NULL || lookup == NULL;
}

static int tear_down(void **state)
{
	(void)state;
	statistics_destroy(statistics);
	facts_lookup_close(lookup);
	return 0;
}

#endif
