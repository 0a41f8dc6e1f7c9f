// SPDX-License-Identifier: Apache-2.0
// The store of texts: one copy of each, counted.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "decode/text.h"

#include <stdio.h>
#include <string.h>

static const struct hash_key key = {{3, 5}};

struct fixture {
	struct memory *memory;
	struct text_store *store;
};

static int set_up(void **state)
{
	static struct fixture fixture;
	fixture.memory = memory_create(1 << 20);
	fixture.store =
	    text_store_create(fixture.memory, &key, 4); // so few that texts share a bucket
	*state = &fixture;
	return fixture.store == NULL;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;
	int left = text_store_count(fixture->store) != 0 || memory_in_use(fixture->memory) != 0;
	text_store_destroy(fixture->store);
	memory_destroy(fixture->memory);
	return left;
}

static void one_copy_of_each(void **state)
{
	struct text_store *store = ((struct fixture *)*state)->store;
	struct text *first = text_keep(store, "banner", 6), *second = text_keep(store, "banner", 6);
	assert_ptr_equal(first, second);
	assert_int_equal(first->references, 2);
	assert_int_equal(first->length, 6);
	assert_memory_equal(first->bytes, "banner", 6);
	assert_int_equal(text_store_count(store), 1);
	text_release(store, first);
	assert_int_equal(text_store_count(store), 1);
	text_release(store, second);
	assert_int_equal(text_store_count(store), 0);
	text_release(store, NULL);
}

static void neighbours_are_kept_apart(void **state)
{
	struct text_store *store = ((struct fixture *)*state)->store;
	struct text *texts[100];
	char name[16];
	for (int i = 0; i < 100; i++) {
		int length = snprintf(name, sizeof name, "t%d", i);
		texts[i] = text_keep(store, name, (size_t)length);
		assert_non_null(texts[i]);
	}
	assert_int_equal(text_store_count(store), 100);
	// A beginning of another is another text; zero bytes count.
	struct text *shorter = text_keep(store, "t99", 2), *zeros = text_keep(store, "t9\0", 3);
	assert_ptr_equal(shorter, texts[9]);
	assert_int_equal(text_store_count(store), 101);
	// Out of the middle, the beginning and the end of the buckets.
	for (int i = 0; i < 100; i++) {
		int victim = (i * 37) % 100;
		snprintf(name, sizeof name, "t%d", victim);
		assert_memory_equal(texts[victim]->bytes, name, strlen(name));
		text_release(store, texts[victim]);
	}
	assert_int_equal(text_store_count(store), 2);
	text_release(store, shorter);
	text_release(store, zeros);
}

static void empty_texts(void **state)
{
	struct text_store *store = ((struct fixture *)*state)->store;
	struct text *first = text_keep(store, NULL, 0), *second = text_keep(store, "x", 0);
	assert_ptr_equal(first, second);
	assert_int_equal(first->length, 0);
	text_release(store, first);
	text_release(store, second);
}

static void long_texts_are_cut(void **state)
{
	struct text_store *store = ((struct fixture *)*state)->store;
	static char bytes[TEXT_MAX + 100];
	memset(bytes, 'x', sizeof bytes);
	struct text *cut = text_keep(store, bytes, sizeof bytes);
	struct text *whole = text_keep(store, bytes, TEXT_MAX);
	assert_int_equal(cut->length, TEXT_MAX);
	assert_ptr_equal(cut, whole);
	text_release(store, cut);
	text_release(store, whole);
}

static void no_memory(void **state)
{
	(void)state;
	struct memory *memory = memory_create(256 * 1024);
	struct text_store *store = text_store_create(memory, &key, 16);
	static char bytes[TEXT_MAX];
	struct text *texts[64];
	unsigned kept = 0;
	do {
		bytes[0] = (char)('A' + kept);
		texts[kept] = text_keep(store, bytes, sizeof bytes);
	} while (texts[kept] != NULL && ++kept < 64);
	assert_in_range(kept, 1, 63);
	assert_int_equal(text_store_count(store), kept);
	// One that is there needs none.
	bytes[0] = 'A';
	assert_ptr_equal(text_keep(store, bytes, sizeof bytes), texts[0]);
	text_release(store, texts[0]);
	while (kept > 0)
		text_release(store, texts[--kept]);
	assert_int_equal(memory_in_use(memory), 0);
	assert_ptr_equal(text_store_memory(store), memory);
	text_store_destroy(store);
	memory_destroy(memory);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(one_copy_of_each, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(neighbours_are_kept_apart, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(empty_texts, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(long_texts_are_cut, set_up, tear_down),
	    cmocka_unit_test(no_memory),
	};
	return cmocka_run_group_tests_name("text", tests, NULL, NULL);
}
