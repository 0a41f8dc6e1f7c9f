// SPDX-License-Identifier: Apache-2.0
// A table of fragments under test. When it is torn down its counters add up, and all memory is back.
#ifndef MAILTAP_TESTS_UNIT_FRAGMENT_LAB_H
#define MAILTAP_TESTS_UNIT_FRAGMENT_LAB_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "decode/fragment.h"
#include "tests/unit/recipes.h"

enum { BUDGET = 64 << 20 };

struct setting {
	struct memory *memory;
	struct port_set ports;
	struct fragment_table *table;
	size_t memory_before;
};

static inline void set_up(struct setting *setting, size_t budget, size_t datagrams_max)
{
	memset(&setting->ports, 0, sizeof(setting->ports));
	port_set_add(&setting->ports, 25);
	setting->memory = memory_create(budget);
	setting->table = fragment_table_create(setting->memory, datagrams_max, &setting->ports);
	assert_non_null(setting->table);
	setting->memory_before = memory_in_use(setting->memory);
}

static inline void assert_sums(const struct setting *setting)
{
	struct fragment_counters c = fragment_table_counters(setting->table);
	assert_int_equal(
	    c.fragments, c.fragments_complete + c.fragments_dropped + c.fragments_held);
	assert_int_equal(c.datagrams,
	    c.datagrams_complete + c.datagrams_timed_out + c.datagrams_overlapping +
	        c.datagrams_bad + c.datagrams_no_room + c.datagrams_ignored + c.datagrams_held);
}

static inline void tear_down(struct setting *setting)
{
	assert_sums(setting);
	fragment_table_destroy(setting->table);
	assert_int_equal(memory_in_use(setting->memory), 0);
	memory_destroy(setting->memory);
}

#endif
