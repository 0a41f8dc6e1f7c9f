// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "capture/base/memory.h"

#include <string.h>

static void blocks_hold_what_was_asked(void **state)
{
	(void)state;
	struct memory *memory = memory_create(64 << 20);
	for (size_t size = 1; size <= MEMORY_BLOCK_MAX; size += 1 + size / 3) {
		uint8_t *first = memory_take(memory, size), *second = memory_take(memory, size);
		assert_non_null(first);
		assert_non_null(second);
		assert_int_equal((uintptr_t)first % 16, 0);
		assert_true(memory_class_size(size) >= size);
		assert_true(memory_class_size(size) <= (size < 32 ? 32 : size + size / 3 + 16));
		memset(first, 1, size);
		memset(second, 2, size);
		assert_int_equal(first[size - 1], 1);
		memory_give(memory, first);
		memory_give(memory, second);
	}
	assert_int_equal(memory_in_use(memory), 0);
	memory_destroy(memory);
}

static void blocks_are_recycled(void **state)
{
	(void)state;
	struct memory *memory = memory_create(1 << 20);
	for (int round = 0; round < 100000; round++)
		memory_give(memory, memory_take(memory, 500));
	assert_true(memory_reserved(memory) <= 300 * 1024);
	assert_int_equal(memory_refusals(memory), 0);
	memory_destroy(memory);
}

static void budget_is_never_passed(void **state)
{
	(void)state;
	struct memory *memory = memory_create(1 << 20);
	unsigned taken = 0;
	while (memory_take(memory, 1000) != NULL)
		taken++;
	assert_true(taken > 700 && taken < 1100);
	assert_true(memory_reserved(memory) <= 1 << 20);
	assert_int_equal(memory_refusals(memory), 1);
	assert_null(memory_take(memory, MEMORY_BLOCK_MAX + 1));
	memory_destroy(memory);
}

// What was used up by blocks of one size serves another once they are given back.
static void empty_slabs_serve_any_size(void **state)
{
	enum { BUDGET = 4 << 20, BLOCKS = 20000 };
	static void *blocks[BLOCKS];
	static const size_t sizes[] = {300, 1000, 5000, 300000, 40, MEMORY_BLOCK_MAX, 32};
	(void)state;
	struct memory *memory = memory_create(BUDGET);
	for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
		size_t count = 0;
		while (count < BLOCKS && (blocks[count] = memory_take(memory, sizes[i])) != NULL)
			memset(blocks[count++], 0xff, sizes[i]);
		assert_true(count * sizes[i] > BUDGET / 4 * 3 || count == BLOCKS);
		assert_true(memory_reserved(memory) <= BUDGET);
		for (size_t k = 0; k < count; k += 2) // every other one, then the rest
			memory_give(memory, blocks[k]);
		for (size_t k = 1; k < count; k += 2)
			memory_give(memory, blocks[k]);
		assert_int_equal(memory_in_use(memory), 0);
	}
	memory_destroy(memory);
}

// Tight is said before a block is refused, and no longer once one of that size, or a slab, is free.
static void tight_before_refused(void **state)
{
	enum { BUDGET = 1 << 20, BLOCKS = 4000 };
	static void *small[BLOCKS], *large[BLOCKS];
	size_t smalls = 0, larges = 0;
	(void)state;
	struct memory *memory = memory_create(BUDGET);
	small[smalls++] = memory_take(memory, 300);
	while (!memory_is_tight(memory) && larges < BLOCKS)
		large[larges++] = memory_take(memory, 1000);
	assert_int_equal(memory_refusals(memory), 0);
	assert_true(larges > 500 && larges < BLOCKS);
	assert_null(memory_take(memory, 1000));
	memory_give(memory, large[--larges]);
	assert_false(memory_is_tight(memory));
	while (!memory_is_tight(memory) && smalls < BLOCKS)
		small[smalls++] = memory_take(memory, 300);
	assert_true(smalls > 300 && smalls < BLOCKS); // one slab of them
	while (larges > 0)
		memory_give(memory, large[--larges]);
	assert_false(memory_is_tight(memory));
	while (smalls > 0)
		memory_give(memory, small[--smalls]);
	assert_int_equal(memory_in_use(memory), 0);
	memory_destroy(memory);
}

// A size that no slab is left for gets a block of another one that is larger, but not much.
static void larger_blocks_serve(void **state)
{
	(void)state;
	struct memory *memory = memory_create(300 * 1024);
	void *small = memory_take(memory, 300), *large = memory_take(memory, 1000);
	size_t before = memory_in_use(memory);
	uint8_t *between = memory_take(memory, 700);
	assert_non_null(between);
	memset(between, 1, 700);
	assert_int_equal(memory_in_use(memory), before + memory_class_size(1000));
	memory_give(memory, between);
	assert_int_equal(memory_in_use(memory), before);
	assert_int_equal(memory_refusals(memory), 0);
	assert_null(memory_take(memory, 40));
	assert_null(memory_take(memory, 1100));
	assert_int_equal(memory_refusals(memory), 2);
	memory_give(memory, small);
	memory_give(memory, large);
	assert_int_equal(memory_in_use(memory), 0);
	memory_destroy(memory);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(blocks_hold_what_was_asked),
	    cmocka_unit_test(blocks_are_recycled),
	    cmocka_unit_test(budget_is_never_passed),
	    cmocka_unit_test(empty_slabs_serve_any_size),
	    cmocka_unit_test(tight_before_refused),
	    cmocka_unit_test(larger_blocks_serve),
	};
	return cmocka_run_group_tests_name("memory", tests, NULL, NULL);
}
