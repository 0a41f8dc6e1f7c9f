// SPDX-License-Identifier: Apache-2.0
// Which of two segments is unlike the rest of its direction, and when that cannot be said.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "decode/looks.h"

#include <stdlib.h>

// Segments of ten bytes from 1000 on; the ones in question are for the bytes from `contested` on.
struct scene {
	unsigned count, contested;
	uint8_t ttl[12];
	uint16_t ip_id[12];
	uint8_t again_ttl;
	uint16_t again_id;
	bool unlike;
};

static uint32_t sequence_of(unsigned segment)
{
	return (uint32_t)-40 + segment * 10;
}

static struct looks looks_of_scene(const struct scene *scene)
{
	struct looks looks = {.count = 0};
	for (unsigned i = 0; i < scene->count; i++)
		looks_note(&looks, &(struct sighting){.sequence = sequence_of(i),
		                       .length = 10,
		                       .look = {.ttl = scene->ttl[i], .ip_id = scene->ip_id[i]}});
	return looks;
}

static void what_is_unlike_the_rest(void **state)
{
	static const struct scene scenes[] = {
	    // The TTL.
	    {1, 0, {57}, {0}, 120, 0, false}, // no rest
	    {2, 1, {57, 57}, {0}, 120, 0, true},
	    {2, 1, {57, 120}, {0}, 57, 0, true}, // the forged one came first
	    {2, 0, {120, 57}, {0}, 57, 0, true},
	    {2, 1, {57, 57}, {0}, 58, 0, false},
	    {2, 1, {57, 57}, {0}, 56, 0, false},
	    {2, 1, {57, 57}, {0}, 59, 0, true},
	    {2, 1, {57, 57}, {0}, 55, 0, true},
	    {2, 1, {57, 57}, {0}, 57, 0, false},
	    {2, 1, {57, 120}, {0}, 120, 0, false}, // the path has changed
	    {3, 2, {57, 58, 57}, {0}, 120, 0, false}, // it changes now and then
	    {4, 1, {57, 120, 57, 57}, {0}, 57, 0, true},
	    // The IP ID.
	    {5, 4, {0}, {10, 11, 12, 13, 14}, 0, 40000, true},
	    {5, 4, {0}, {10, 11, 12, 13, 40000}, 0, 14, true},
	    {5, 2, {0}, {10, 11, 40000, 13, 14}, 0, 15, true},
	    {5, 4, {0}, {65530, 65533, 65535, 2, 5}, 0, 8, false}, // round once
	    {5, 4, {0}, {10, 11, 12, 13, 14}, 0, 15, false},
	    {5, 4, {0}, {10, 12, 11, 13, 14}, 0, 5000, false}, // many others in between
	    {4, 3, {0}, {10, 11, 12, 13}, 0, 40000, false}, // too few
	    {6, 5, {0}, {10, 9000, 400, 33333, 7, 60000}, 0, 22222, false}, // random
	    {6, 5, {0}, {0, 0, 0, 0, 0, 0}, 0, 22222, false},
	    {6, 5, {0}, {7, 7, 7, 7, 7, 7}, 0, 22222, false},
	    {5, 4, {0}, {10, 11, 12, 13, 40000}, 0, 40001, false},
	};
	(void)state;
	for (size_t i = 0; i < sizeof scenes / sizeof scenes[0]; i++) {
		const struct scene *scene = &scenes[i];
		struct looks looks = looks_of_scene(scene);
		uint32_t sequence = sequence_of(scene->contested) + 3, end = sequence + 4;
		const struct sighting *first = looks_of(&looks, sequence, end);
		assert_non_null(first);
		assert_int_equal(first->look.ttl, scene->ttl[scene->contested]);
		struct segment_look again = {.ttl = scene->again_ttl, .ip_id = scene->again_id};
		struct segment_look usual;
		if (looks_unlike(&looks, sequence, end, &first->look, &again, &usual) !=
		    scene->unlike)
			fail_msg("scene %zu", i);
		assert_int_equal(usual.ttl != 0, scene->count > 1 && scene->ttl[0] != 0);
	}
}

static void the_last_ones_are_kept(void **state)
{
	(void)state;
	struct looks looks = {.count = 0};
	assert_null(looks_of(&looks, 0, 1));
	for (uint32_t i = 0; i < 100; i++) {
		struct sighting sighting = {
		    .sequence = i * 10, .length = 10, .look = {.ip_id = (uint16_t)i}};
		looks_note(&looks, &sighting);
		for (uint32_t k = 0; k <= i; k++) {
			const struct sighting *found = looks_of(&looks, k * 10 + 9, k * 10 + 10);
			assert_true((found != NULL) == (i - k < LOOKS_KEPT));
			if (found != NULL)
				assert_int_equal(found->look.ip_id, k);
		}
		assert_null(looks_of(&looks, i * 10 + 10, i * 10 + 11));
	}
}

// Segments without payload are of the rest, but do not take the place of those with.
static void those_without_payload_count_as_one(void **state)
{
	(void)state;
	struct looks looks = {.count = 0};
	struct segment_look usual, odd = {.ttl = 99}, even = {.ttl = 57};
	for (uint32_t i = 0; i < 3; i++) {
		looks_note(&looks, &(struct sighting){.sequence = i, .length = 1});
		for (int k = 0; k < 20; k++)
			looks_note(
			    &looks, &(struct sighting){.sequence = i + 1, .look = {.ttl = 57}});
	}
	for (uint32_t i = 0; i < 3; i++)
		assert_non_null(looks_of(&looks, i, i + 1));
	assert_null(looks_of(&looks, 3, 4));
	assert_true(looks_unlike(&looks, 0, 3, &odd, &even, &usual));
	assert_int_equal(usual.ttl, 57);
}

// Nothing is said of bytes some of which came in segments that are not known.
static void all_must_be_known(void **state)
{
	(void)state;
	struct looks looks = {.count = 0};
	looks_note(&looks, &(struct sighting){.sequence = 0, .length = 10});
	looks_note(&looks, &(struct sighting){.sequence = 20, .length = 10});
	looks_note(&looks, &(struct sighting){.sequence = 30, .length = 10});
	assert_non_null(looks_of(&looks, 5, 10));
	assert_null(looks_of(&looks, 5, 11));
	assert_null(looks_of(&looks, 5, 22));
	assert_null(looks_of(&looks, 12, 13));
	assert_int_equal(looks_of(&looks, 22, 40)->sequence, 20);
	assert_null(looks_of(&looks, 22, 41));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_is_unlike_the_rest),
	    cmocka_unit_test(the_last_ones_are_kept),
	    cmocka_unit_test(those_without_payload_count_as_one),
	    cmocka_unit_test(all_must_be_known),
	};
	return cmocka_run_group_tests_name("looks", tests, NULL, NULL);
}
