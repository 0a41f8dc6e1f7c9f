// SPDX-License-Identifier: Apache-2.0
// Copies of segments: what makes one, and for how long; and that a worker leaves them out without losing anything.
#include "tests/unit/lab.h"

#include "decode/duplicates.h"

#include <string.h>

#define START SECONDS((nanoseconds)1700000000)
#define GREETING "220 mx.example ESMTP\r\n"

static struct segment usual(void)
{
	return (struct segment){
	    .context = {.time = START, .tap_point = 7},
	    .source_port = 40000,
	    .destination_port = 25,
	    .sequence = 1000,
	    .acknowledgement = 2000,
	    .window = 500,
	    .flags = TCP_ACK | TCP_PSH,
	    .ip_version = 4,
	    .ttl = 64,
	    .ip_id = 77,
	    .checksum = 0xabcd,
	    .payload = (const uint8_t *)"EHLO c.example\r\n",
	    .captured = 16,
	    .length = 16,
	    .hash = 0x123456789,
	};
}

static struct duplicates *begin(void)
{
	const struct hash_key key = {{1, 2}};
	struct duplicates *duplicates = duplicates_create(&key);
	assert_non_null(duplicates);
	return duplicates;
}

// True if the second is taken for a copy of the first.
static bool is_copy(const struct segment *first, const struct segment *second)
{
	struct duplicates *duplicates = begin();
	assert_false(duplicates_take(duplicates, first, true));
	bool copy = duplicates_take(duplicates, second, true);
	duplicates_destroy(duplicates);
	return copy;
}

static void each_field_counts(void **state)
{
	(void)state;
	for (int change = 0; change <= 13; change++) {
		struct segment first = usual(), second = first;
		second.hash += change == 1;
		second.sequence += change == 2;
		second.acknowledgement += change == 3;
		second.window ^= change == 4;
		second.flags ^= change == 5 ? TCP_PSH : 0;
		second.ip_id ^= change == 6;
		second.checksum ^= change == 7;
		second.context.tap_point += change == 8;
		second.length += change == 9;
		second.captured -= change == 10;
		if (change == 11) // words that change places leave the checksum as it is
			second.payload = (const uint8_t *)"LOEH c.example\r\n";
		// These do not count: it was routed, and other headers lie in front.
		second.ttl ^= change == 12;
		second.context.nesting ^= change == 13;
		assert_int_equal(is_copy(&first, &second), change == 0 || change >= 12);
	}
}

static void the_first_may_have_been_cut(void **state)
{
	(void)state;
	struct segment cut = usual(), whole = usual();
	cut.captured = 4;
	assert_false(is_copy(&cut, &whole));
}

static void each_direction_has_its_own(void **state)
{
	(void)state;
	struct segment segment = usual();
	struct duplicates *duplicates = begin();
	assert_false(duplicates_take(duplicates, &segment, true));
	segment.sender = 1;
	assert_false(duplicates_take(duplicates, &segment, true));
	assert_true(duplicates_take(duplicates, &segment, true));
	duplicates_destroy(duplicates);
}

static void in_time(void **state)
{
	static const struct {
		nanoseconds after;
		bool copy;
	} cases[] = {{0, true}, {1000, true}, {SECONDS(1) / 200, true}, {SECONDS(1) / 101, true},
	    {SECONDS(1) / 90, false}, {SECONDS(1) / 5, false}, {SECONDS(1), false},
	    {SECONDS(3600), false}, {-1000, true}, {-SECONDS(1) / 101, true},
	    {-SECONDS(1) / 90, false}, {-SECONDS(1), false}};
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct segment first = usual(), second = usual();
		second.context.time += cases[i].after;
		assert_int_equal(is_copy(&first, &second), cases[i].copy);
	}
}

// Of what is only counted the bytes are not looked at; of what was read when it first came they are.
static void bytes_count_while_they_are_read(void **state)
{
	(void)state;
	struct segment first = usual(), other = usual();
	other.payload = (const uint8_t *)"LOEH c.example\r\n";
	struct duplicates *duplicates = begin();
	assert_false(duplicates_take(duplicates, &first, true));
	assert_true(duplicates_take(duplicates, &first, false)); // it was the last that was read
	assert_false(duplicates_take(duplicates, &other, false));
	first.sequence++;
	other.sequence++;
	assert_false(duplicates_take(duplicates, &first, false));
	assert_true(duplicates_take(duplicates, &other, false));
	assert_true(duplicates_take(duplicates, &other, true));
	duplicates_destroy(duplicates);
}

static void resets_look_alike(void **state)
{
	(void)state;
	struct segment reset = usual();
	reset.flags = TCP_RST;
	reset.length = reset.captured = 0;
	assert_true(is_copy(&reset, &reset));
	reset.ip_id = 0;
	assert_false(is_copy(&reset, &reset));
	reset.flags = TCP_ACK;
	assert_true(is_copy(&reset, &reset));
}

// Copies are found behind thousands of others, each of them whatever the key; of very many none is made up.
static void among_others(void **state)
{
	enum { SEGMENTS = 200000, BEHIND = 8000 };
	(void)state;
	struct duplicates *duplicates = begin();
	unsigned missed = 0;
	for (uint32_t i = 0; i < SEGMENTS; i++) {
		struct segment segment = usual();
		segment.sequence = i;
		segment.context.time += i;
		assert_false(duplicates_take(duplicates, &segment, true));
		if (i < BEHIND)
			continue;
		segment.sequence = i - BEHIND;
		missed += !duplicates_take(duplicates, &segment, true);
	}
	assert_int_equal(missed, 0);
	duplicates_destroy(duplicates);
}

/* ---- through a worker ---- */

static void send_twice(struct talk *talk, enum direction from, const char *text)
{
	struct tcp_packet packet = talk->base[from];
	packet.sequence = talk->next[from];
	packet.acknowledgement = talk->next[1 - from];
	packet.flags = TCP_ACK;
	packet.payload = text;
	packet.length = (uint32_t)strlen(text);
	lab_send(talk->lab, &packet);
	packet.ttl = 63;
	lab_send(talk->lab, &packet);
	talk->next[from] += packet.length;
}

static void a_worker_leaves_them_out(void **state)
{
	(void)state;
	struct lab lab = lab_begin(LAB_MEMORY, false);
	struct talk talk = talk_begin(&lab, 1, 25);
	talk_open(&talk);
	send_twice(&talk, FROM_SERVER, GREETING);
	send_twice(&talk, FROM_CLIENT, "EHLO c.example\r\n");
	send_twice(&talk, FROM_SERVER, "250 mx.example\r\n");
	assert_int_equal(crew_worker_counters(lab.crew).segments_duplicated, 3);
	assert_int_equal(crew_worker_counters(lab.crew).tcp.duplicates, 0);
	talk_close(&talk);
	lab_end(&lab);
	const struct kept_record *kept = &lab.records[0];
	assert_int_equal(lab.count, 1);
	assert_int_equal(kept->record.packets[FROM_CLIENT], 5);
	assert_int_equal(kept->record.packets[FROM_SERVER], 4);
	assert_string_equal(kept->banner, "220 mx.example ESMTP");
	assert_int_equal(kept->record.missing[FROM_CLIENT] + kept->record.missing[FROM_SERVER], 0);
}

// A forger can have the checksum come out the same: what he says is not taken for what came before.
static void a_forgery_is_no_copy(void **state)
{
	(void)state;
	struct lab lab = lab_begin(LAB_MEMORY, false);
	struct talk talk = talk_begin(&lab, 1, 25);
	talk_open(&talk);
	talk_say(&talk, FROM_SERVER, GREETING);
	talk_say(&talk, FROM_CLIENT, "EHLO c.example\r\n");
	uint32_t before = talk.next[FROM_SERVER];
	talk_say(&talk, FROM_SERVER, "250-mx\r\n250 STARTTLS\r\n");
	talk.next[FROM_SERVER] = before;
	talk_say(&talk, FROM_SERVER, "250-mx\r\n250 ARSTTTLS\r\n");
	assert_int_equal(crew_worker_counters(lab.crew).segments_duplicated, 0);
	talk_close(&talk);
	lab_end(&lab);
	assert_int_equal(lab.records[0].session.conflicting_bytes[FROM_SERVER], 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(each_field_counts),
	    cmocka_unit_test(the_first_may_have_been_cut),
	    cmocka_unit_test(each_direction_has_its_own),
	    cmocka_unit_test(in_time),
	    cmocka_unit_test(bytes_count_while_they_are_read),
	    cmocka_unit_test(resets_look_alike),
	    cmocka_unit_test(among_others),
	    cmocka_unit_test(a_worker_leaves_them_out),
	    cmocka_unit_test(a_forgery_is_no_copy),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
