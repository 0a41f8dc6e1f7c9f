// SPDX-License-Identifier: Apache-2.0
// TCP read by a passive observer: order, repetition, holes, told by the session records that come out of a worker.
#include "tests/unit/tcp_lab.h"

#include <string.h>

// Each order of the pieces of a line in which they can come.
static void pieces_in_any_order(void **state)
{
	static const struct {
		uint32_t offset;
		const char *text;
	} pieces[] = {{0, "EHL"}, {3, "O c.exam"}, {11, "ple"}, {14, "\r\n"}};
	(void)state;
	for (unsigned order = 0; order < 24; order++) {
		struct lab lab = lab_begin(LAB_MEMORY, false);
		struct talk talk = talk_begin(&lab, 1, 25);
		bool sent[4] = {false};
		unsigned rest = order, in_order = 0;
		talk_open(&talk);
		talk_say(&talk, FROM_SERVER, GREETING);
		for (unsigned left = 4; left > 0; left--) {
			unsigned wanted = rest % left, i = 0;
			rest /= left;
			while (sent[i] || wanted-- > 0)
				i++;
			sent[i] = true;
			in_order += i == 4 - left;
			talk_say_at(&talk, FROM_CLIENT, pieces[i].offset, pieces[i].text);
		}
		uint64_t held = counters_of(&lab).tcp.out_of_order;
		assert_true(in_order == 4 ? held == 0 : held > 0);
		assert_int_equal(counters_of(&lab).tcp.gaps, 0);
		talk.next[FROM_CLIENT] = talk.start[FROM_CLIENT] + 16;
		talk_close(&talk);
		assert_greetings(end_with_one(&lab));
	}
}

static void a_repetition_counts_once(void **state)
{
	(void)state;
	struct lab lab = lab_begin(LAB_MEMORY, false);
	struct talk talk = talk_begin(&lab, 1, 25);
	talk_open(&talk);
	talk_greetings(&talk);
	talk_say_at(&talk, FROM_CLIENT, 0, HELLO);
	talk_say_at(&talk, FROM_SERVER, 0, GREETING "250-m");
	talk_say_at(&talk, FROM_CLIENT, 5, "c.example\r\nNOOP\r\n"); // and something new
	talk.next[FROM_CLIENT] += 6;
	assert_int_equal(counters_of(&lab).tcp.duplicates, 2);
	talk_close(&talk);
	const struct kept_record *kept = end_with_one(&lab);
	assert_greetings(kept);
	assert_int_equal(kept->record.bytes[FROM_CLIENT], strlen(HELLO) + 6);
	assert_int_equal(kept->session.conflicting_bytes[FROM_CLIENT], 0);
	assert_int_equal(kept->session.conflicting_bytes[FROM_SERVER], 0);
}

static void the_first_capture_of_a_byte_counts(void **state)
{
	(void)state;
	struct lab lab = lab_begin(LAB_MEMORY, false);
	struct talk talk = talk_begin(&lab, 1, 25);
	talk_open(&talk);
	talk_say(&talk, FROM_SERVER, GREETING);
	talk_say_at(&talk, FROM_CLIENT, 5, "c.exa"); // held
	talk_say_at(&talk, FROM_CLIENT, 5, "XXexample\r\n"); // two differ from held bytes
	talk_say_at(&talk, FROM_CLIENT, 0, "EHLO c.YY"); // two more; delivers all
	talk_say_at(&talk, FROM_CLIENT, 0, "QUIT\r"); // five differ from delivered bytes
	talk.next[FROM_CLIENT] = talk.start[FROM_CLIENT] + 16;
	talk_close(&talk);
	const struct kept_record *kept = end_with_one(&lab);
	assert_greetings(kept);
	assert_int_equal(kept->session.conflicting_bytes[FROM_CLIENT], 9);
	assert_int_equal(kept->session.conflicting_bytes[FROM_SERVER], 0);
	assert_int_equal(kept->record.bytes[FROM_CLIENT], 16);
}

// A piece that never comes is a hole: at once when nothing can be held any more, after a while else.
static void a_missing_piece_is_given_up(void **state)
{
	(void)state;
	struct lab lab = lab_begin(LAB_MEMORY, false);
	struct talk talk = talk_begin(&lab, 1, 25);
	talk_open(&talk);
	talk_say(&talk, FROM_SERVER, GREETING);
	talk_say_at(&talk, FROM_CLIENT, 4, " c.example\r\nNOOP\r\n");
	lab.now += SECONDS(4);
	talk_say_at(&talk, FROM_CLIENT, 22, "NOOP\r\n");
	assert_int_equal(counters_of(&lab).tcp.gaps, 0);
	lab.now += SECONDS(2);
	talk_say_at(&talk, FROM_CLIENT, 28, "NOOP\r\n");
	assert_int_equal(counters_of(&lab).tcp.gaps, 1);
	assert_int_equal(counters_of(&lab).tcp.gap_bytes, 4);
	talk.next[FROM_CLIENT] = talk.start[FROM_CLIENT] + 34;
	talk_close(&talk);
	const struct kept_record *kept = end_with_one(&lab);
	assert_int_equal(kept->record.missing[FROM_CLIENT], 4);
	assert_int_equal(kept->record.missing[FROM_SERVER], 0);
	assert_int_equal(kept->record.bytes[FROM_CLIENT], 30);
	assert_true(kept->session.dialogue_gap[FROM_CLIENT]);
	assert_string_equal(kept->client_name, "");
}

// What its receiver has acknowledged is on its way to nowhere.
static void an_acknowledged_piece_is_given_up_sooner(void **state)
{
	(void)state;
	struct lab lab = lab_begin(LAB_MEMORY, false);
	struct talk talk = talk_begin(&lab, 1, 25);
	talk_open(&talk);
	talk_say(&talk, FROM_SERVER, GREETING);
	talk.next[FROM_CLIENT] += 16; // not captured
	talk_say(&talk, FROM_SERVER, "250 mx.example\r\n"); // acknowledges it
	lab.now += SECONDS(1) / 2;
	talk_flags(&talk, FROM_CLIENT, TCP_ACK);
	assert_int_equal(counters_of(&lab).tcp.gaps, 0);
	lab.now += SECONDS(1);
	talk_flags(&talk, FROM_CLIENT, TCP_ACK);
	assert_int_equal(counters_of(&lab).tcp.gaps, 1);
	talk_close(&talk);
	const struct kept_record *kept = end_with_one(&lab);
	assert_int_equal(kept->record.missing[FROM_CLIENT], 16);
	assert_string_equal(kept->banner, "220 mx.example ESMTP");
}

// More than a window behind a hole: the hole is given up without waiting, nothing grows.
static void what_is_held_is_bounded(void **state)
{
	enum { SEGMENTS = 20000, LENGTH = 700 };
	static char text[LENGTH + 1];
	(void)state;
	struct lab lab = lab_begin(LAB_MEMORY, false);
	struct talk talk = talk_begin(&lab, 1, 25);
	memset(text, 'x', LENGTH);
	talk_open(&talk);
	talk_say(&talk, FROM_SERVER, GREETING);
	size_t before = counters_of(&lab).memory_in_use, most = before;
	lab.now -= SEGMENTS * (nanoseconds)1000000; // so that no time-out plays a part
	for (uint32_t i = 0; i < SEGMENTS; i++) {
		talk_say_at(&talk, FROM_CLIENT, 10 + i * (LENGTH + 10), text);
		lab.now -= 1000000;
		size_t now = counters_of(&lab).memory_in_use;
		most = now > most ? now : most;
	}
	assert_true(most - before < 256 * 1024);
	assert_true(counters_of(&lab).tcp.gaps > SEGMENTS - 600);
	talk_flags(&talk, FROM_CLIENT, TCP_RST);
	const struct kept_record *kept = end_with_one(&lab);
	assert_int_equal(kept->record.bytes[FROM_CLIENT], (uint64_t)SEGMENTS * LENGTH);
	assert_int_equal(kept->record.missing[FROM_CLIENT], (uint64_t)SEGMENTS * 10);
}

static void sequence_numbers_wrap(void **state)
{
	(void)state;
	for (uint32_t before = 0; before < 24; before++) {
		struct lab lab = lab_begin(LAB_MEMORY, false);
		struct talk talk = talk_begin(&lab, 1, 25);
		for (int from = FROM_CLIENT; from <= FROM_SERVER; from++) {
			talk.next[from] = UINT32_MAX - before;
			talk.start[from] = talk.next[from] + 1;
		}
		talk_open(&talk);
		talk_say(&talk, FROM_SERVER, GREETING);
		talk_say_at(&talk, FROM_CLIENT, 7, "example\r\n"); // held
		talk_say_at(&talk, FROM_CLIENT, 0, "EHLO c.");
		talk.next[FROM_CLIENT] += 16;
		talk_say(&talk, FROM_SERVER, "250 STARTTLS\r\n");
		talk_say_at(&talk, FROM_SERVER, 0, GREETING);
		assert_int_equal(counters_of(&lab).tcp.duplicates, 1);
		talk_close(&talk);
		const struct kept_record *kept = end_with_one(&lab);
		assert_greetings(kept);
		assert_int_equal(kept->record.end_reason, END_FIN);
	}
}

static void keep_alives_say_nothing(void **state)
{
	(void)state;
	struct lab lab = lab_begin(LAB_MEMORY, false);
	struct talk talk = talk_begin(&lab, 1, 25);
	talk_open(&talk);
	talk_greetings(&talk);
	for (int i = 0; i < 3; i++) {
		talk_say_at(&talk, FROM_CLIENT, 15, "\1"); // one byte of garbage
		talk_say_at(&talk, FROM_CLIENT, 15, "");
		talk_flags(&talk, FROM_SERVER, TCP_ACK);
	}
	talk.base[FROM_CLIENT].window = 0; // the server is to wait
	talk_flags(&talk, FROM_CLIENT, TCP_ACK);
	talk_close(&talk);
	struct worker_counters counters = counters_of(&lab);
	const struct kept_record *kept = end_with_one(&lab);
	assert_greetings(kept);
	assert_int_equal(kept->record.bytes[FROM_CLIENT], 16);
	assert_int_equal(kept->session.conflicting_bytes[FROM_CLIENT], 0);
	assert_int_equal(counters.tcp.duplicates + counters.tcp.out_of_window, 0);
}

static void send_flagged(struct talk *talk, uint8_t flags, uint32_t offset, const char *text)
{
	struct tcp_packet packet = talk->base[FROM_CLIENT];
	packet.flags = flags;
	packet.sequence = talk->start[FROM_CLIENT] + offset;
	packet.acknowledgement = flags & TCP_ACK ? talk->next[FROM_SERVER] : 0;
	packet.payload = text;
	packet.length = (uint32_t)strlen(text);
	lab_send(talk->lab, &packet);
}

static void urgent_bytes_are_not_seen(void **state)
{
	(void)state;
	struct lab lab = lab_begin(LAB_MEMORY, false);
	struct talk talk = talk_begin(&lab, 1, 25);
	talk_open(&talk);
	talk_say(&talk, FROM_SERVER, GREETING);
	send_flagged(&talk, TCP_ACK | TCP_URG, 0, HELLO);
	talk.next[FROM_CLIENT] += 16;
	talk_say(&talk, FROM_SERVER, "250 mx.example\r\n");
	talk_close(&talk);
	const struct kept_record *kept = end_with_one(&lab);
	assert_string_equal(kept->client_name, "");
	assert_int_equal(kept->record.missing[FROM_CLIENT], 16);
	assert_true(kept->session.dialogue_gap[FROM_CLIENT]);
}

static void what_acknowledges_nothing_is_not_taken(void **state)
{
	(void)state;
	struct lab lab = lab_begin(LAB_MEMORY, false);
	struct talk talk = talk_begin(&lab, 1, 25);
	talk_open(&talk);
	talk_say(&talk, FROM_SERVER, GREETING);
	send_flagged(&talk, TCP_PSH, 0, "EHLO x.example\r\n");
	send_flagged(&talk, TCP_FIN, 0, "");
	assert_int_equal(counters_of(&lab).tcp.out_of_window, 2);
	talk_say(&talk, FROM_CLIENT, HELLO);
	talk_say(&talk, FROM_SERVER, "250 mx.example\r\n");
	const struct kept_record *kept = end_with_one(&lab);
	assert_string_equal(kept->client_name, "c.example");
	assert_int_equal(kept->record.end_reason, END_OF_CAPTURE);
}

static void one_direction_only(void **state)
{
	(void)state;
	for (int seen = FROM_CLIENT; seen <= FROM_SERVER; seen++) {
		struct lab lab = lab_begin(LAB_MEMORY, false);
		struct talk talk = talk_begin(&lab, 1, 25);
		talk.next[1 - seen]++;
		talk_flags(&talk, (enum direction)seen, seen ? TCP_SYN | TCP_ACK : TCP_SYN);
		for (int i = 0; i < 5; i++) {
			talk_say(&talk, (enum direction)seen,
			    seen == FROM_SERVER ? "220 mx.example ESMTP\r\n" : HELLO);
			talk.next[1 - seen] += 30; // heard, not captured
			lab.now += SECONDS(2);
		}
		talk_flags(&talk, (enum direction)seen, TCP_FIN | TCP_ACK);
		const struct kept_record *kept = end_with_one(&lab);
		assert_int_equal(kept->record.packets[1 - seen], 0);
		assert_int_equal(kept->record.missing[seen], 0);
		assert_int_equal(kept->session.protocol, PROTOCOL_SMTP);
		assert_string_equal(seen ? kept->banner : kept->client_name,
		    seen ? "220 mx.example ESMTP" : "c.example");
		assert_true(kept->session.dialogue_gap[1 - seen]);
		assert_false(kept->session.dialogue_gap[seen]);
	}
}

static void byte_by_byte(void **state)
{
	static const char hello[] = HELLO;
	(void)state;
	for (int backwards = 0; backwards <= 1; backwards++) {
		struct lab lab = lab_begin(LAB_MEMORY, false);
		struct talk talk = talk_begin(&lab, 1, 25);
		talk_open(&talk);
		for (const char *at = GREETING; *at != '\0'; at++)
			talk_say(&talk, FROM_SERVER, (char[]){*at, '\0'});
		for (uint32_t i = 0; i < 16; i++) {
			uint32_t offset = backwards ? 15 - i : i;
			talk_say_at(&talk, FROM_CLIENT, offset, (char[]){hello[offset], '\0'});
		}
		talk.next[FROM_CLIENT] += 16;
		talk_close(&talk);
		assert_greetings(end_with_one(&lab));
	}
}

// A reply captured before the command that it answers is read behind it.
static void directions_are_put_in_order(void **state)
{
	(void)state;
	struct lab lab = lab_begin(LAB_MEMORY, false);
	struct talk talk = talk_begin(&lab, 1, 25);
	talk_open(&talk);
	talk_greetings(&talk);
	talk.next[FROM_CLIENT] += 10;
	talk_say(&talk, FROM_SERVER, "220 go ahead\r\n");
	assert_int_equal(counters_of(&lab).tcp.out_of_order, 1);
	talk.next[FROM_SERVER] -= 14;
	talk_say_at(&talk, FROM_CLIENT, 16, "STARTTLS\r\n");
	talk.next[FROM_SERVER] += 14;
	talk_close(&talk);
	const struct kept_record *kept = end_with_one(&lab);
	assert_greetings(kept);
	assert_int_equal(kept->session.starttls_requested, SEEN_YES);
	assert_int_equal(kept->session.starttls_accepted, SEEN_YES);
}

static void what_the_snap_length_cuts_is_missing(void **state)
{
	(void)state;
	struct lab lab = lab_begin(LAB_MEMORY, false);
	struct talk talk = talk_begin(&lab, 1, 25);
	talk_open(&talk);
	lab.snap_length = 54 + 10;
	talk_say(&talk, FROM_SERVER, GREETING);
	talk_say(&talk, FROM_CLIENT, HELLO);
	talk_close(&talk);
	const struct kept_record *kept = end_with_one(&lab);
	assert_int_equal(kept->record.missing[FROM_SERVER], strlen(GREETING) - 10);
	assert_int_equal(kept->record.missing[FROM_CLIENT], 6);
	assert_int_equal(kept->record.bytes[FROM_SERVER], 10);
	assert_int_equal(kept->record.bytes[FROM_CLIENT], 10);
}

// A connection that is no longer read is counted on: holes, and what comes late into them.
static void late_pieces_fill_holes(void **state)
{
	static const uint32_t offsets[] = {40, 60, 90, 70, 50, 100}; // of ten bytes each
	(void)state;
	struct lab lab = lab_begin(LAB_MEMORY, false);
	struct talk talk = talk_begin(&lab, 1, 25);
	talk_open(&talk);
	talk_say(&talk, FROM_SERVER, "SSH-2.0-OpenSSH_99\r\n");
	talk_say(&talk, FROM_CLIENT, "SSH-2.0-OpenSSH_99\r\n");
	for (size_t i = 0; i < sizeof offsets / sizeof offsets[0]; i++)
		talk_say_at(&talk, FROM_CLIENT, offsets[i], "0123456789");
	const struct kept_record *kept = end_with_one(&lab);
	assert_int_equal(kept->session.protocol, PROTOCOL_SSH);
	assert_int_equal(kept->record.bytes[FROM_CLIENT] + kept->record.missing[FROM_CLIENT], 110);
	assert_int_equal(kept->record.missing[FROM_CLIENT], 30);
}

// Late pieces that come again, in the order of what was sent, against it, or from the middle, fill
// their hole once; of three holes at once only the sum is known. Pieces of ten bytes.
static void late_pieces_count_once(void **state)
{
	static const struct {
		uint32_t offsets[8]; // of pieces, 0: no more
		uint32_t missing;
	} cases[] = {
	    {{80}, 60},
	    {{80, 20, 20}, 50},
	    {{80, 20, 20, 30, 30, 30}, 40},
	    {{80, 70, 70, 60, 60}, 40},
	    {{80, 40, 40, 40, 30, 50, 50}, 30},
	    {{50, 80, 60, 60, 40, 40}, 30},
	    {{50, 80, 20, 20, 70, 70, 70}, 30},
	    {{50, 80, 30, 20, 20}, 30},
	    {{50, 80, 30, 60, 60}, 30},
	    {{80, 20, 30, 40, 50, 60, 70}, 0},
	    {{30, 40, 60, 80, 70, 30, 20, 50}, 0},
	};
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct lab lab = lab_begin(LAB_MEMORY, false);
		struct talk talk = talk_begin(&lab, 1, 25);
		talk_open(&talk);
		talk_say(&talk, FROM_SERVER, "SSH-2.0-OpenSSH_99\r\n");
		talk_say(&talk, FROM_CLIENT, "SSH-2.0-OpenSSH_99\r\n");
		for (size_t k = 0; k < 8 && cases[i].offsets[k] != 0; k++)
			talk_say_at(&talk, FROM_CLIENT, cases[i].offsets[k], "0123456789");
		const struct kept_record *kept = end_with_one(&lab);
		assert_int_equal(kept->record.missing[FROM_CLIENT], cases[i].missing);
		assert_int_equal(kept->record.bytes[FROM_CLIENT], 90 - cases[i].missing);
	}
}

// After four gigabytes the sequence numbers of a hole come round again: these are new bytes.
static void a_hole_is_not_filled_by_what_comes_later(void **state)
{
	static const uint64_t jumps[] = {0x7fff0000, 0xfffe0000};
	enum { PIECE = 60000 };
	static char piece[PIECE + 1];
	(void)state;
	memset(piece, 'x', PIECE);
	struct lab lab = lab_begin(LAB_MEMORY, false);
	struct talk talk = talk_begin(&lab, 1, 25);
	talk_open(&talk);
	talk_say(&talk, FROM_SERVER, "SSH-2.0-OpenSSH_99\r\n");
	talk_say(&talk, FROM_CLIENT, "SSH-2.0-OpenSSH_99\r\n");
	uint64_t end = 0, seen = 20;
	for (size_t i = 0; i < 2; i++) {
		end = jumps[i];
		for (int k = 0; k < 3; k++, end += 10) // the third is believed
			talk_say_at(&talk, FROM_CLIENT, (uint32_t)end, "0123456789");
		seen += 10;
	}
	for (int i = 0; i < 3; i++, end += PIECE, seen += PIECE)
		talk_say_at(&talk, FROM_CLIENT, (uint32_t)end, piece);
	const struct kept_record *kept = end_with_one(&lab);
	assert_int_equal(kept->record.bytes[FROM_CLIENT], seen);
	assert_int_equal(kept->record.missing[FROM_CLIENT], end - seen);
}

// A hole so far back that nothing more comes into it does not make later ones inexact.
static void an_old_hole_is_forgotten(void **state)
{
	enum { PIECE = 60000, PIECES = 80 };
	static char piece[PIECE + 1];
	(void)state;
	memset(piece, 'x', PIECE);
	struct lab lab = lab_begin(LAB_MEMORY, false);
	struct talk talk = talk_begin(&lab, 1, 25);
	talk_open(&talk);
	talk_say(&talk, FROM_SERVER, "SSH-2.0-OpenSSH_99\r\n");
	talk_say(&talk, FROM_CLIENT, "SSH-2.0-OpenSSH_99\r\n");
	uint32_t end = 30; // ten bytes are missing
	for (int i = 0; i < PIECES; i++, end += PIECE)
		talk_say_at(&talk, FROM_CLIENT, end, piece);
	talk_say_at(&talk, FROM_CLIENT, end + 10, "0123456789");
	talk_say_at(&talk, FROM_CLIENT, end + 30, "0123456789");
	talk_say_at(&talk, FROM_CLIENT, end - PIECE, piece); // again
	const struct kept_record *kept = end_with_one(&lab);
	assert_int_equal(kept->record.missing[FROM_CLIENT], 30);
	assert_int_equal(kept->record.bytes[FROM_CLIENT], 40 + (uint64_t)PIECES * PIECE);
}

// Data far beyond any window is not believed, unless it keeps coming.
static void far_data_is_ignored_until_it_goes_on(void **state)
{
	(void)state;
	struct lab lab = lab_begin(LAB_MEMORY, false);
	struct talk talk = talk_begin(&lab, 1, 25);
	talk_open(&talk);
	talk_say(&talk, FROM_SERVER, GREETING);
	talk_say_at(&talk, FROM_CLIENT, 100000000, "QUIT\r\n");
	talk_say_at(&talk, FROM_CLIENT, (uint32_t)-100000000, "QUIT\r\n");
	assert_int_equal(counters_of(&lab).tcp.out_of_window, 2);
	talk_say(&talk, FROM_CLIENT, HELLO);
	talk_say(&talk, FROM_SERVER, "250 STARTTLS\r\n");
	for (uint32_t i = 0; i < 3; i++)
		talk_say_at(&talk, FROM_CLIENT, 100000000 + 6 * i, "NOOP\r\n");
	assert_int_equal(counters_of(&lab).tcp.out_of_window, 4);
	const struct kept_record *kept = end_with_one(&lab);
	assert_string_equal(kept->client_name, "c.example");
	assert_int_equal(kept->record.bytes[FROM_CLIENT], 16 + 6);
	assert_int_equal(kept->record.missing[FROM_CLIENT], 100000000 + 12 - 16);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(pieces_in_any_order),
	    cmocka_unit_test(a_repetition_counts_once),
	    cmocka_unit_test(the_first_capture_of_a_byte_counts),
	    cmocka_unit_test(a_missing_piece_is_given_up),
	    cmocka_unit_test(an_acknowledged_piece_is_given_up_sooner),
	    cmocka_unit_test(what_is_held_is_bounded),
	    cmocka_unit_test(sequence_numbers_wrap),
	    cmocka_unit_test(keep_alives_say_nothing),
	    cmocka_unit_test(urgent_bytes_are_not_seen),
	    cmocka_unit_test(what_acknowledges_nothing_is_not_taken),
	    cmocka_unit_test(late_pieces_fill_holes),
	    cmocka_unit_test(late_pieces_count_once),
	    cmocka_unit_test(an_old_hole_is_forgotten),
	    cmocka_unit_test(a_hole_is_not_filled_by_what_comes_later),
	    cmocka_unit_test(one_direction_only),
	    cmocka_unit_test(byte_by_byte),
	    cmocka_unit_test(directions_are_put_in_order),
	    cmocka_unit_test(what_the_snap_length_cuts_is_missing),
	    cmocka_unit_test(far_data_is_ignored_until_it_goes_on),
	};
	return cmocka_run_group_tests_name("tcp", tests, NULL, NULL);
}
