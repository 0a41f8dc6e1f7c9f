// SPDX-License-Identifier: Apache-2.0
// The table of fragments alone: pieces in any order, overlapping, lying, cut, too many.
#include "tests/unit/fragment_lab.h"

static struct fragment_counters counters(const struct setting *setting)
{
	return fragment_table_counters(setting->table);
}

static uint32_t random_next(uint64_t *seed)
{
	*seed = *seed * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(*seed >> 33);
}

// A fragment [offset, offset + length) of `whole`.
static struct fragment piece(const uint8_t *whole, uint32_t total, uint32_t offset, uint32_t length)
{
	return (struct fragment){
	    .context = {.time = SECONDS(1000), .tap_point = 7 << 12, .nesting = 2},
	    .source = {{[15] = 1}},
	    .destination = {{[15] = 2}},
	    .id = 99,
	    .ip_version = 4,
	    .protocol = 6,
	    .ttl = 60,
	    .more = offset + length < total,
	    .offset = offset,
	    .payload = whole + offset,
	    .captured = length,
	    .length = length,
	};
}

// Bytes that start as a segment to port 25 does.
static void fill_whole(uint8_t *whole, uint32_t total, uint64_t seed)
{
	for (uint32_t i = 0; i < total; i++)
		whole[i] = (uint8_t)random_next(&seed);
	put_u32(whole, 40000u << 16 | 25);
}

// Adds a fragment whose bytes are lent from a block of just their size.
static bool add(struct setting *setting, struct fragment fragment, struct datagram *datagram)
{
	uint8_t *block = malloc(fragment.captured > 0 ? fragment.captured : 1);
	memcpy(block, fragment.payload, fragment.captured);
	fragment.payload = block;
	bool completed = fragment_add(setting->table, &fragment, datagram);
	free(block);
	assert_sums(setting);
	return completed;
}

static void assert_whole(const struct datagram *datagram, const uint8_t *whole, uint32_t total)
{
	assert_int_equal(datagram->length, total);
	assert_int_equal(datagram->captured, total);
	assert_memory_equal(datagram->payload, whole, total);
	assert_int_equal(datagram->protocol, 6);
	assert_int_equal(datagram->id, 99);
	assert_int_equal(datagram->ttl, 60);
}

static void every_order_completes(void **state)
{
	(void)state;
	enum { PIECES = 5, TOTAL = 4 * 400 + 13 };
	struct setting setting;
	set_up(&setting, BUDGET, 100);
	static uint8_t whole[TOTAL];
	fill_whole(whole, TOTAL, 1);
	for (uint32_t order = 0; order < 120 * 2; order++) {
		int left[PIECES] = {0, 1, 2, 3, 4};
		uint32_t rest = order / 2;
		for (int count = PIECES; count > 0; count--) {
			uint32_t pick = rest % (uint32_t)count;
			rest /= (uint32_t)count;
			uint32_t offset = (uint32_t)left[pick] * 400;
			left[pick] = left[count - 1];
			struct fragment fragment =
			    piece(whole, TOTAL, offset, offset == 1600 ? 13 : 400);
			fragment.ip_version = order % 2 ? 6 : 4;
			fragment.context.time += count;
			fragment.context.tap_point |= (uint32_t)count << 24;
			struct datagram datagram;
			assert_int_equal(add(&setting, fragment, &datagram), count == 1);
			if (count > 1)
				continue;
			assert_whole(&datagram, whole, TOTAL);
			assert_int_equal(datagram.context.time, SECONDS(1000) + 1);
			assert_int_equal(datagram.context.tap_point, 1 << 24 | 7 << 12);
			assert_int_equal(datagram.ip_version, order % 2 ? 6 : 4);
		}
	}
	assert_int_equal(counters(&setting).datagrams_complete, 240);
	assert_int_equal(counters(&setting).duplicates, 0);
	tear_down(&setting);
}

static void the_same_bytes_again_do_no_harm(void **state)
{
	(void)state;
	static uint8_t whole[3000];
	struct setting setting;
	set_up(&setting, BUDGET, 100);
	fill_whole(whole, sizeof(whole), 2);
	uint64_t seed = 3;
	struct datagram datagram;
	for (int round = 0; round < 300; round++) {
		bool completed = false;
		while (!completed) {
			uint32_t offset = random_next(&seed) % 375 * 8;
			uint32_t length = (1 + random_next(&seed) % 100) * 8;
			if (length > sizeof(whole) - offset)
				length = (uint32_t)sizeof(whole) - offset;
			completed =
			    add(&setting, piece(whole, sizeof(whole), offset, length), &datagram);
		}
		assert_whole(&datagram, whole, sizeof(whole));
	}
	assert_int_equal(counters(&setting).datagrams_overlapping, 0);
	assert_int_equal(counters(&setting).datagrams, 300);
	assert_true(counters(&setting).duplicates > 300);
	tear_down(&setting);
}

// Which bytes the receiver took nobody can tell from outside, so nothing of it may come out.
static void differing_overlap_drops_the_datagram(void **state)
{
	(void)state;
	static uint8_t whole[2000], other[2000];
	fill_whole(whole, sizeof(whole), 4);
	struct datagram datagram;
	for (uint32_t at = 800; at < 1600; at += 7)
		for (uint32_t offset = at / 8 * 8; offset >= 400; offset -= 400) {
			struct setting setting;
			set_up(&setting, BUDGET, 100);
			memcpy(other, whole, sizeof(whole));
			other[at] ^= 0x40;
			assert_false(add(&setting, piece(whole, 2000, 800, 800), &datagram));
			uint32_t length = (at / 8 + 1) * 8 - offset;
			assert_false(add(&setting, piece(other, 2000, offset, length), &datagram));
			assert_int_equal(counters(&setting).datagrams_overlapping, 1);
			for (uint32_t again = 0; again < 2000; again += 400)
				assert_false(
				    add(&setting, piece(whole, 2000, again, 400), &datagram));
			assert_int_equal(counters(&setting).fragments_dropped, 7);
			assert_int_equal(counters(&setting).datagrams, 1);
			tear_down(&setting);
		}
}

struct span {
	uint32_t offset, length;
	bool more;
};

static void lies_about_length_drop_the_datagram(void **state)
{
	(void)state;
	static uint8_t bytes[65536 * 2];
	fill_whole(bytes, sizeof(bytes), 5);
	static const struct span pairs[][2] = {
	    {{0, 800, true}, {65528, 16, false}}, // beyond what a datagram can hold
	    {{0, 800, true}, {65528, 65528, true}},
	    {{0, 800, true}, {UINT32_MAX - 7, 16, true}}, // wraps around
	    {{0, 800, true}, {8, UINT32_MAX, false}},
	    {{0, 800, true}, {400, 100, false}}, // an end inside
	    {{800, 100, false}, {1600, 8, true}}, // a piece behind the end
	    {{800, 100, false}, {800, 104, true}},
	    {{800, 100, false}, {800, 101, false}}, // two ends
	    {{800, 100, false}, {400, 8, false}},
	    {{0, 800, true}, {804, 8, true}}, // between units
	    {{0, 800, true}, {800, 9, true}},
	    {{0, 800, true}, {800, 0, false}},
	};
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
		for (int turned = 0; turned < 2; turned++) {
			struct setting setting;
			struct datagram datagram;
			set_up(&setting, BUDGET, 100);
			for (int which = 0; which < 2; which++) {
				const struct span *span = &pairs[i][which ^ turned];
				struct fragment fragment = piece(bytes, 0, 0, 8);
				fragment.offset = span->offset;
				fragment.captured = span->length < 800 ? span->length : 800;
				fragment.length = span->length;
				fragment.more = span->more;
				assert_false(fragment_add(setting.table, &fragment, &datagram));
			}
			assert_int_equal(counters(&setting).datagrams_bad, 1);
			assert_int_equal(counters(&setting).fragments_dropped, 2);
			tear_down(&setting);
		}
}

static void thousands_of_small_pieces_are_put_together(void **state)
{
	(void)state;
	enum { TOTAL = 65535, UNITS = 8192 };
	static uint8_t whole[TOTAL];
	static uint32_t order[UNITS];
	struct setting setting;
	set_up(&setting, BUDGET, 100);
	fill_whole(whole, TOTAL, 6);
	uint64_t seed = 7;
	for (uint32_t i = 0; i < UNITS; i++) {
		uint32_t other = random_next(&seed) % (i + 1);
		order[i] = order[other];
		order[other] = i;
	}
	struct datagram datagram;
	for (uint32_t i = 0; i < UNITS; i++) {
		uint32_t offset = order[i] * 8, length = TOTAL - offset < 8 ? TOTAL - offset : 8;
		bool completed = add(&setting, piece(whole, TOTAL, offset, length), &datagram);
		assert_int_equal(completed, i == UNITS - 1);
	}
	assert_whole(&datagram, whole, TOTAL);
	tear_down(&setting);
}

static void what_waits_too_long_is_dropped(void **state)
{
	(void)state;
	static uint8_t whole[800];
	struct setting setting;
	struct datagram datagram;
	set_up(&setting, BUDGET, 100);
	fill_whole(whole, sizeof(whole), 8);
	assert_false(add(&setting, piece(whole, 800, 0, 400), &datagram));
	fragment_expire(setting.table, SECONDS(1030));
	assert_int_equal(counters(&setting).datagrams_held, 1);
	fragment_expire(setting.table, SECONDS(1030) + 1);
	assert_int_equal(counters(&setting).datagrams_timed_out, 1);
	assert_int_equal(memory_in_use(setting.memory), setting.memory_before);
	// A late fragment belongs to a new datagram, even if nobody called for expiry.
	assert_false(add(&setting, piece(whole, 800, 400, 400), &datagram));
	struct fragment late = piece(whole, 800, 0, 400);
	late.context.time += SECONDS(31);
	assert_false(add(&setting, late, &datagram));
	assert_int_equal(counters(&setting).datagrams_timed_out, 2);
	assert_int_equal(counters(&setting).datagrams_held, 1);
	late = piece(whole, 800, 400, 400);
	late.context.time += SECONDS(61); // just in time
	assert_true(add(&setting, late, &datagram));
	tear_down(&setting);
}

static void time_that_goes_back_is_survived(void **state)
{
	(void)state;
	static uint8_t whole[800];
	struct setting setting;
	struct datagram datagram;
	set_up(&setting, BUDGET, 4);
	fill_whole(whole, sizeof(whole), 8);
	uint64_t seed = 9;
	for (int round = 0; round < 1000; round++) {
		struct fragment fragment = piece(whole, 800, round % 2 ? 400 : 0, 400);
		fragment.context.time = SECONDS(random_next(&seed) % 100);
		fragment.id = random_next(&seed) % 8;
		add(&setting, fragment, &datagram);
		fragment_expire(setting.table, SECONDS(random_next(&seed) % 100));
	}
	tear_down(&setting);
}

static void the_oldest_makes_room(void **state)
{
	(void)state;
	static uint8_t whole[800];
	struct setting setting;
	struct datagram datagram;
	set_up(&setting, BUDGET, 10);
	fill_whole(whole, sizeof(whole), 10);
	for (uint32_t id = 0; id < 25; id++) {
		struct fragment fragment = piece(whole, 800, 0, 400);
		fragment.id = id;
		assert_false(add(&setting, fragment, &datagram));
	}
	assert_int_equal(counters(&setting).datagrams_no_room, 15);
	assert_int_equal(counters(&setting).datagrams_held, 10);
	for (uint32_t id = 15; id < 25; id++) {
		struct fragment fragment = piece(whole, 800, 400, 400);
		fragment.id = id;
		assert_true(add(&setting, fragment, &datagram));
	}
	assert_int_equal(counters(&setting).datagrams_held, 0);
	tear_down(&setting);
}

// One small piece at the far end of a datagram asks for all of its room.
static void far_pieces_cannot_take_all_memory(void **state)
{
	(void)state;
	static uint8_t whole[65528];
	static const size_t budgets[] = {512 << 10, 2 << 20, BUDGET};
	fill_whole(whole, sizeof(whole), 11);
	for (size_t i = 0; i < sizeof(budgets) / sizeof(budgets[0]); i++) {
		struct setting setting;
		struct datagram datagram;
		uint64_t seed = 12;
		set_up(&setting, budgets[i], 100);
		for (int round = 0; round < 20000; round++) {
			uint32_t unit = random_next(&seed) % 8191;
			uint32_t bound = 1u << random_next(&seed) % 14;
			struct fragment fragment = piece(whole, sizeof(whole), unit % bound * 8, 8);
			fragment.id = random_next(&seed) % 300;
			add(&setting, fragment, &datagram);
			assert_true(memory_in_use(setting.memory) < (2 << 20));
		}
		assert_true(counters(&setting).datagrams_no_room > 0);
		tear_down(&setting);
	}
}

static void datagrams_that_do_not_matter_are_ignored(void **state)
{
	(void)state;
	static uint8_t whole[1600];
	static const struct {
		uint8_t protocol;
		uint16_t source, destination;
		bool followed;
	} cases[] = {{6, 25, 40000, true}, {6, 40000, 25, true}, {6, 80, 40000, false},
	    {17, 40000, 4789, true}, {17, 4789, 40000, false}, {17, 40000, 53, false},
	    {47, 80, 80, true}, {4, 80, 80, true}, {51, 80, 80, true}, {50, 25, 25, false},
	    {58, 25, 25, false}};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		for (uint32_t start = 0; start < 4; start++) {
			struct setting setting;
			struct datagram datagram;
			set_up(&setting, BUDGET, 100);
			fill_whole(whole, sizeof(whole), 13);
			put_u16(whole, cases[i].source);
			put_u16(whole + 2, cases[i].destination);
			bool completed = false;
			for (uint32_t part = 0; part < 4; part++) {
				struct fragment fragment =
				    piece(whole, 1600, (start + part) % 4 * 400, 400);
				fragment.protocol = cases[i].protocol;
				fragment.ip_version = i % 2 ? 6 : 4;
				completed = add(&setting, fragment, &datagram);
			}
			assert_int_equal(completed, cases[i].followed);
			assert_int_equal(counters(&setting).datagrams_ignored, !cases[i].followed);
			tear_down(&setting);
		}
}

// The 16 bits of IPv4 identification come round again within seconds.
static void an_identification_ignored_once_can_matter_later(void **state)
{
	(void)state;
	static uint8_t whole[800], dull[800];
	struct setting setting;
	struct datagram datagram;
	set_up(&setting, BUDGET, 100);
	fill_whole(whole, 800, 14);
	memcpy(dull, whole, 800);
	put_u16(dull + 2, 80);
	assert_false(add(&setting, piece(dull, 800, 0, 400), &datagram));
	assert_false(add(&setting, piece(dull, 800, 400, 400), &datagram));
	assert_int_equal(memory_in_use(setting.memory), setting.memory_before); // all gone by
	assert_false(add(&setting, piece(dull, 800, 0, 400), &datagram)); // the rest is lost
	assert_false(add(&setting, piece(whole, 800, 0, 400), &datagram));
	assert_true(add(&setting, piece(whole, 800, 400, 400), &datagram));
	assert_whole(&datagram, whole, 800);
	assert_int_equal(counters(&setting).datagrams_ignored, 2);
	tear_down(&setting);
}

static void bytes_not_captured_stay_unknown(void **state)
{
	(void)state;
	static uint8_t whole[1600];
	fill_whole(whole, sizeof(whole), 15);
	struct datagram datagram;
	for (uint32_t snap = 0; snap <= 400; snap += snap < 20 ? 1 : 19)
		for (uint32_t cut = 0; cut < 4; cut++)
			for (uint32_t start = 0; start < 4; start++) {
				struct setting setting;
				set_up(&setting, BUDGET, 100);
				bool completed = false;
				for (uint32_t part = 0; part < 4; part++) {
					uint32_t which = (start + part) % 4;
					struct fragment fragment =
					    piece(whole, 1600, which * 400, 400);
					if (which >= cut)
						fragment.captured = snap;
					completed = add(&setting, fragment, &datagram);
				}
				uint32_t known = snap < 400 ? cut * 400 + snap : 1600;
				assert_true(completed);
				assert_int_equal(datagram.length, 1600);
				assert_int_equal(datagram.captured, known);
				assert_memory_equal(datagram.payload, whole, known);
				tear_down(&setting);
			}
}

static void a_longer_copy_fills_what_was_cut(void **state)
{
	(void)state;
	static uint8_t whole[800];
	struct setting setting;
	struct datagram datagram;
	set_up(&setting, BUDGET, 100);
	fill_whole(whole, sizeof(whole), 16);
	struct fragment cut = piece(whole, 800, 0, 400);
	cut.captured = 101;
	assert_false(add(&setting, cut, &datagram));
	assert_false(add(&setting, piece(whole, 800, 0, 400), &datagram));
	assert_int_equal(counters(&setting).duplicates, 0);
	assert_false(add(&setting, cut, &datagram));
	assert_int_equal(counters(&setting).duplicates, 1);
	assert_true(add(&setting, piece(whole, 800, 400, 400), &datagram));
	assert_whole(&datagram, whole, 800);
	tear_down(&setting);
}

static void vlans_keep_datagrams_apart_and_interfaces_do_not(void **state)
{
	(void)state;
	static uint8_t whole[800];
	struct setting setting;
	struct datagram datagram;
	set_up(&setting, BUDGET, 100);
	fill_whole(whole, sizeof(whole), 17);
	struct fragment first = piece(whole, 800, 0, 400), last = piece(whole, 800, 400, 400);
	last.context.tap_point = 8 << 12;
	assert_false(add(&setting, first, &datagram));
	assert_false(add(&setting, last, &datagram));
	last.context.tap_point = 5 << 24 | 7 << 12;
	assert_true(add(&setting, last, &datagram));
	assert_int_equal(counters(&setting).datagrams_held, 1);
	tear_down(&setting);
}

// Anything at all, under a small budget: sums hold, nothing leaks, and what comes out whole had no
// differing overlap, so that its bytes are those of one of the two versions.
static void hostile_fragments_are_survived(void **state)
{
	(void)state;
	static uint8_t versions[2][2048];
	struct setting setting;
	struct datagram datagram;
	set_up(&setting, 1 << 20, 30);
	fill_whole(versions[0], 2048, 18);
	fill_whole(versions[1], 2048, 19);
	uint64_t seed = 20;
	for (int round = 0; round < 200000; round++) {
		uint32_t id = random_next(&seed) % 34;
		uint32_t offset = random_next(&seed) % 256 * 8;
		uint32_t length = 1 + random_next(&seed) % (2048 - offset);
		if (random_next(&seed) % 4 == 0)
			length = 2048 - offset;
		uint32_t total = random_next(&seed) % 80 ? 2048 : 1 + random_next(&seed) % 2048;
		uint32_t version = random_next(&seed) % 100 == 0;
		struct fragment fragment = piece(versions[version], total, offset, length);
		if (fragment.more && random_next(&seed) % 90 != 0)
			fragment.length = fragment.captured = (length + 7) / 8 * 8;
		if (random_next(&seed) % 10 == 0)
			fragment.captured = random_next(&seed) % (fragment.length + 1);
		fragment.id = id;
		fragment.context.time += round * SECONDS(1) / 20;
		if (!add(&setting, fragment, &datagram))
			continue;
		assert_true(datagram.captured <= datagram.length && datagram.length <= 2048);
		uint32_t same = 0;
		while (same < datagram.captured && (datagram.payload[same] == versions[0][same] ||
		                                       datagram.payload[same] == versions[1][same]))
			same++;
		assert_int_equal(same, datagram.captured);
		fragment_expire(setting.table, fragment.context.time);
	}
	assert_true(counters(&setting).datagrams_complete > 100);
	assert_true(counters(&setting).datagrams_overlapping > 100);
	assert_true(counters(&setting).datagrams_bad > 100);
	tear_down(&setting);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_order_completes),
	    cmocka_unit_test(the_same_bytes_again_do_no_harm),
	    cmocka_unit_test(differing_overlap_drops_the_datagram),
	    cmocka_unit_test(lies_about_length_drop_the_datagram),
	    cmocka_unit_test(thousands_of_small_pieces_are_put_together),
	    cmocka_unit_test(what_waits_too_long_is_dropped),
	    cmocka_unit_test(time_that_goes_back_is_survived),
	    cmocka_unit_test(the_oldest_makes_room),
	    cmocka_unit_test(far_pieces_cannot_take_all_memory),
	    cmocka_unit_test(datagrams_that_do_not_matter_are_ignored),
	    cmocka_unit_test(an_identification_ignored_once_can_matter_later),
	    cmocka_unit_test(bytes_not_captured_stay_unknown),
	    cmocka_unit_test(a_longer_copy_fills_what_was_cut),
	    cmocka_unit_test(vlans_keep_datagrams_apart_and_interfaces_do_not),
	    cmocka_unit_test(hostile_fragments_are_survived),
	};
	return cmocka_run_group_tests_name("fragment", tests, NULL, NULL);
}
