// SPDX-License-Identifier: Apache-2.0
// Where a connection begins and ends for a passive observer, told by the session records that come out of a worker.
#include "tests/unit/tcp_lab.h"

#include <string.h>

static void an_ordinary_connection(void **state)
{
	(void)state;
	struct lab lab = lab_begin(LAB_MEMORY, false);
	nanoseconds start = lab.now;
	struct talk talk = talk_begin(&lab, 1, 25);
	talk_open(&talk);
	talk_greetings(&talk);
	talk_close(&talk);
	const struct kept_record *kept = end_with_one(&lab);
	const struct session_record *record = &kept->record;
	assert_greetings(kept);
	assert_string_equal(kept->capabilities, "STARTTLS");
	assert_true(record->saw_start);
	assert_int_equal(record->end_reason, END_FIN);
	assert_int_equal(record->packets[FROM_CLIENT], 5);
	assert_int_equal(record->packets[FROM_SERVER], 4);
	assert_int_equal(record->bytes[FROM_CLIENT], strlen(HELLO));
	assert_int_equal(record->bytes[FROM_SERVER], strlen(GREETING) + 30);
	assert_int_equal(record->port[FROM_SERVER], 25);
	assert_int_equal(record->address[FROM_CLIENT].bytes[15], 1);
	assert_int_equal(record->start, start);
	assert_int_equal(record->end, start + 8 * 1000000);
}

// TCP Fast Open (RFC 7413): the client's first bytes come with its SYN.
static void a_syn_can_carry_data(void **state)
{
	(void)state;
	struct lab lab = lab_begin(LAB_MEMORY, false);
	struct talk talk = talk_begin(&lab, 1, 25);
	struct tcp_packet syn = talk.base[FROM_CLIENT];
	syn.flags = TCP_SYN;
	syn.sequence = talk.next[FROM_CLIENT];
	syn.payload = HELLO;
	syn.length = 16;
	lab_send(&lab, &syn);
	talk.next[FROM_CLIENT] += 17;
	talk_flags(&talk, FROM_SERVER, TCP_SYN | TCP_ACK);
	talk_say(&talk, FROM_SERVER, GREETING);
	talk_close(&talk);
	const struct kept_record *kept = end_with_one(&lab);
	assert_string_equal(kept->client_name, "c.example");
	assert_int_equal(kept->record.bytes[FROM_CLIENT], 16);
	assert_int_equal(kept->record.missing[FROM_CLIENT], 0);
	assert_false(kept->session.dialogue_gap[FROM_CLIENT]);
}

static void both_may_open(void **state)
{
	(void)state;
	struct lab lab = lab_begin(LAB_MEMORY, false);
	struct talk talk = talk_begin(&lab, 1, 25);
	talk_flags(&talk, FROM_CLIENT, TCP_SYN);
	talk_flags(&talk, FROM_SERVER, TCP_SYN);
	talk.next[FROM_CLIENT]--;
	talk.next[FROM_SERVER]--;
	talk_flags(&talk, FROM_CLIENT, TCP_SYN | TCP_ACK);
	talk_flags(&talk, FROM_SERVER, TCP_SYN | TCP_ACK);
	talk_greetings(&talk);
	talk_close(&talk);
	const struct kept_record *kept = end_with_one(&lab);
	assert_greetings(kept);
	assert_int_equal(kept->record.port[FROM_SERVER], 25);
}

static void half_closed_is_not_closed(void **state)
{
	(void)state;
	struct lab lab = lab_begin(LAB_MEMORY, false);
	struct talk talk = talk_begin(&lab, 1, 25);
	talk_open(&talk);
	talk_greetings(&talk);
	talk_flags(&talk, FROM_CLIENT, TCP_FIN | TCP_ACK);
	lab.now += SECONDS(60);
	for (int i = 0; i < 10; i++)
		talk_say(&talk, FROM_SERVER, "421 bye\r\n");
	talk_flags(&talk, FROM_SERVER, TCP_FIN | TCP_ACK);
	const struct kept_record *kept = end_with_one(&lab);
	assert_greetings(kept);
	assert_int_equal(kept->record.end_reason, END_FIN);
	assert_int_equal(kept->record.bytes[FROM_SERVER], strlen(GREETING) + 30 + 90);
}

static void one_fin_alone_is_no_end(void **state)
{
	(void)state;
	struct lab lab = lab_begin(LAB_MEMORY, false);
	struct talk talk = talk_begin(&lab, 1, 25);
	talk_open(&talk);
	talk_greetings(&talk);
	talk_flags(&talk, FROM_CLIENT, TCP_FIN | TCP_ACK);
	assert_int_equal(end_with_one(&lab)->record.end_reason, END_OF_CAPTURE);
}

static void a_reset_ends_if_it_is_in_the_window(void **state)
{
	static const struct {
		uint32_t distance; // from what comes next
		bool ends;
	} cases[] = {{0, true}, {100, true}, {UINT32_MAX, true}, {UINT32_MAX - 1, false},
	    {(uint32_t)-5000, false}, {0x40000000, false}, {0x80000000, false}};
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct lab lab = lab_begin(LAB_MEMORY, false);
		struct talk talk = talk_begin(&lab, 1, 25);
		talk_open(&talk);
		talk_say(&talk, FROM_SERVER, GREETING);
		talk.next[FROM_SERVER] += cases[i].distance;
		talk_flags(&talk, FROM_SERVER, TCP_RST);
		assert_int_equal(counters_of(&lab).tcp.out_of_window, !cases[i].ends);
		talk.next[FROM_SERVER] -= cases[i].distance;
		if (!cases[i].ends) {
			talk_say(&talk, FROM_CLIENT, HELLO);
			talk_close(&talk);
		}
		const struct kept_record *kept = end_with_one(&lab);
		assert_int_equal(kept->record.end_reason, cases[i].ends ? END_RST : END_FIN);
		assert_string_equal(kept->client_name, cases[i].ends ? "" : "c.example");
	}
}

// RFC 9293 3.10.7.1: sequence number 0, and it acknowledges the SYN.
static void a_refused_syn(void **state)
{
	(void)state;
	struct lab lab = lab_begin(LAB_MEMORY, false);
	struct talk talk = talk_begin(&lab, 1, 25);
	talk_flags(&talk, FROM_CLIENT, TCP_SYN);
	talk.next[FROM_SERVER] = 0;
	talk_flags(&talk, FROM_SERVER, TCP_RST | TCP_ACK);
	const struct kept_record *kept = end_with_one(&lab);
	assert_int_equal(kept->record.end_reason, END_RST);
	assert_int_equal(kept->record.packets[FROM_SERVER], 1);
	assert_int_equal(kept->record.missing[FROM_SERVER], 0);
}

// A reset that acknowledges exactly what was sent comes from who received it.
static void a_reset_that_answers_no_syn(void **state)
{
	(void)state;
	for (int acknowledges = 0; acknowledges <= 1; acknowledges++) {
		struct lab lab = lab_begin(LAB_MEMORY, false);
		struct talk talk = talk_begin(&lab, 1, 25);
		talk_flags(&talk, FROM_CLIENT, TCP_SYN);
		talk.next[FROM_CLIENT] += 1000 * (uint32_t)acknowledges;
		talk_flags(&talk, FROM_SERVER, acknowledges ? TCP_RST | TCP_ACK : TCP_RST);
		talk.next[FROM_CLIENT] -= 1000 * (uint32_t)acknowledges;
		assert_int_equal(counters_of(&lab).tcp.out_of_window, 1);
		talk_flags(&talk, FROM_SERVER, TCP_SYN | TCP_ACK);
		talk_flags(&talk, FROM_CLIENT, TCP_ACK);
		talk_greetings(&talk);
		talk_close(&talk);
		const struct kept_record *kept = end_with_one(&lab);
		assert_int_equal(kept->record.end_reason, END_FIN);
		assert_string_equal(kept->client_name, "c.example");
	}
}

static void a_reset_that_acknowledges_all(void **state)
{
	(void)state;
	struct lab lab = lab_begin(LAB_MEMORY, false);
	struct talk talk = talk_begin(&lab, 1, 25);
	talk_open(&talk);
	talk.next[FROM_SERVER] = 0;
	talk.next[FROM_CLIENT]--;
	talk_flags(&talk, FROM_SERVER, TCP_RST | TCP_ACK);
	assert_int_equal(counters_of(&lab).tcp.out_of_window, 1);
	talk.next[FROM_CLIENT]++;
	talk_flags(&talk, FROM_SERVER, TCP_RST | TCP_ACK);
	assert_int_equal(end_with_one(&lab)->record.end_reason, END_RST);
}

// Bytes of which nothing tells but the reset of the side that got them.
static void what_only_a_reset_acknowledges(void **state)
{
	(void)state;
	struct lab lab = lab_begin(LAB_MEMORY, false);
	struct talk talk = talk_begin(&lab, 1, 25);
	talk_open(&talk);
	talk_greetings(&talk);
	talk.next[FROM_SERVER] += 10;
	talk_flags(&talk, FROM_CLIENT, TCP_RST | TCP_ACK);
	lab_end(&lab);
	assert_int_equal(lab.records[0].record.missing[FROM_SERVER], 10);
	assert_int_equal(lab.records[0].record.missing[FROM_CLIENT], 0);
}

static void the_same_ends_begin_again(void **state)
{
	(void)state;
	struct lab lab = lab_begin(LAB_MEMORY, false);
	for (uint32_t i = 0; i < 3; i++) {
		struct talk talk = talk_begin(&lab, 1, 25);
		talk.next[FROM_CLIENT] += 70000 * i;
		talk.next[FROM_SERVER] -= 70000 * i;
		talk_open(&talk);
		talk_greetings(&talk);
		talk_close(&talk);
	}
	lab_end(&lab);
	assert_int_equal(lab.count, 3);
	for (int i = 0; i < 3; i++) {
		assert_greetings(&lab.records[i]);
		assert_int_equal(lab.records[i].record.end_reason, END_FIN);
		assert_int_equal(lab.records[i].record.packets[FROM_CLIENT], 5);
	}
}

// Without a FIN or RST before: the answer to the new SYN proves it.
static void the_same_ends_begin_again_without_an_end(void **state)
{
	(void)state;
	struct lab lab = lab_begin(LAB_MEMORY, false);
	for (uint32_t i = 0; i < 2; i++) {
		struct talk talk = talk_begin(&lab, 1, 25);
		talk.next[FROM_CLIENT] += 70000 * i;
		talk.next[FROM_SERVER] -= 70000 * i;
		talk_open(&talk);
		talk_greetings(&talk);
	}
	assert_int_equal(counters_of(&lab).segments_set_aside, 1);
	lab_end(&lab);
	assert_int_equal(lab.count, 2);
	assert_greetings(&lab.records[0]);
	assert_greetings(&lab.records[1]);
	assert_true(lab.records[1].record.saw_start);
}

// The client's own data proves it, where neither port tells which end is the client.
static void the_client_that_begins_again_is_known(void **state)
{
	(void)state;
	struct lab lab = lab_begin(LAB_MEMORY, false);
	for (uint32_t i = 0; i < 2; i++) {
		struct talk talk = talk_begin(&lab, 1, 143);
		talk.base[FROM_CLIENT].source_port = talk.base[FROM_SERVER].destination_port = 25;
		talk.next[FROM_CLIENT] += 70000 * i;
		talk_flags(&talk, FROM_CLIENT, TCP_SYN);
		if (i == 0)
			talk_flags(&talk, FROM_SERVER, TCP_SYN | TCP_ACK);
		talk_say(&talk, FROM_CLIENT, "a LOGOUT\r\n");
	}
	lab_end(&lab);
	assert_int_equal(lab.count, 2);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(lab.records[i].record.port[FROM_CLIENT], 25);
		assert_int_equal(lab.records[i].record.port[FROM_SERVER], 143);
		assert_true(lab.records[i].record.saw_start);
	}
}

// A SYN that nothing followed says nothing of the one that comes when all is over.
static void the_last_syn_begins_again(void **state)
{
	(void)state;
	struct lab lab = lab_begin(LAB_MEMORY, false);
	struct talk talk = talk_begin(&lab, 1, 25), again = talk_begin(&lab, 1, 25);
	talk_open(&talk);
	talk_greetings(&talk);
	again.next[FROM_CLIENT] += 70000;
	talk_flags(&again, FROM_CLIENT, TCP_SYN);
	assert_int_equal(counters_of(&lab).segments_set_aside, 1);
	talk_close(&talk);
	again.next[FROM_CLIENT] += 70000;
	again.next[FROM_SERVER] += 70000;
	talk_open(&again);
	talk_greetings(&again);
	talk_close(&again);
	lab_end(&lab);
	assert_int_equal(lab.count, 2);
	for (int i = 0; i < 2; i++) {
		assert_greetings(&lab.records[i]);
		assert_int_equal(lab.records[i].record.end_reason, END_FIN);
	}
}

static void a_forged_syn_ends_nothing(void **state)
{
	(void)state;
	struct lab lab = lab_begin(LAB_MEMORY, false);
	struct talk talk = talk_begin(&lab, 1, 25);
	talk_open(&talk);
	talk_say(&talk, FROM_SERVER, GREETING);
	for (uint32_t i = 0; i < 50; i++) {
		struct tcp_packet syn = talk.base[FROM_CLIENT];
		syn.flags = TCP_SYN;
		syn.sequence = i * 12345678;
		lab_send(&lab, &syn);
	}
	assert_int_equal(counters_of(&lab).segments_set_aside, 50);
	talk_say(&talk, FROM_CLIENT, HELLO);
	talk_close(&talk);
	assert_greetings(end_with_one(&lab));
}

static void joined_in_the_middle(void **state)
{
	(void)state;
	struct lab lab = lab_begin(LAB_MEMORY, false);
	struct talk talk = talk_begin(&lab, 1, 25);
	talk.next[FROM_CLIENT] = talk.next[FROM_SERVER] = 0x7fffffff;
	talk_say(&talk, FROM_CLIENT, "MAIL FROM:<a@example>\r\n");
	talk_say(&talk, FROM_SERVER, "250 ok\r\n");
	talk_close(&talk);
	const struct kept_record *kept = end_with_one(&lab);
	assert_false(kept->record.saw_start);
	assert_true(kept->session.dialogue_gap[FROM_CLIENT]);
	assert_true(kept->session.dialogue_gap[FROM_SERVER]);
	assert_int_equal(kept->session.protocol, PROTOCOL_SMTP);
	assert_int_equal(kept->record.port[FROM_SERVER], 25);
	assert_int_equal(kept->record.missing[FROM_CLIENT] + kept->record.missing[FROM_SERVER], 0);
}

static void a_fin_before_its_data(void **state)
{
	(void)state;
	struct lab lab = lab_begin(LAB_MEMORY, false);
	struct talk talk = talk_begin(&lab, 1, 25);
	talk_open(&talk);
	talk_say(&talk, FROM_SERVER, GREETING);
	talk.next[FROM_CLIENT] += 16;
	talk_flags(&talk, FROM_CLIENT, TCP_FIN | TCP_ACK);
	talk_flags(&talk, FROM_SERVER, TCP_FIN | TCP_ACK);
	talk_say_at(&talk, FROM_CLIENT, 0, HELLO);
	const struct kept_record *kept = end_with_one(&lab);
	assert_greetings(kept);
	assert_int_equal(kept->record.end_reason, END_FIN);
}

// What acknowledges a FIN comes before it, and the connection is cut over meanwhile: all that was sent
// came, in the end. Once more, and a byte that is really missing stays missing.
static void a_fin_behind_its_acknowledgement_is_no_byte(void **state)
{
	(void)state;
	for (uint32_t lost = 0; lost <= 1; lost++) {
		struct lab lab = lab_begin(LAB_MEMORY, false);
		struct talk talk = talk_begin(&lab, 1, 25);
		talk_open(&talk);
		talk.next[FROM_SERVER] += 20 + 5 + lost + 1;
		talk_say_at(&talk, FROM_CLIENT, 0, "bye\r\n"); // acknowledges the FIN
		talk.next[FROM_SERVER] = talk.start[FROM_SERVER];
		talk_say(&talk, FROM_SERVER, "SSH-2.0-OpenSSH_99\r\n");
		talk.next[FROM_SERVER] += lost;
		for (int i = 0; i < 3; i++) {
			talk_say(&talk, FROM_SERVER, "late!");
			talk_flags(&talk, FROM_SERVER, TCP_FIN | TCP_ACK);
			talk.next[FROM_SERVER] -= 6;
		}
		const struct kept_record *kept = end_with_one(&lab);
		assert_int_equal(kept->record.missing[FROM_SERVER], lost);
		assert_int_equal(kept->record.bytes[FROM_SERVER], 25);
		assert_int_equal(kept->record.missing[FROM_CLIENT], 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(an_ordinary_connection),
	    cmocka_unit_test(a_syn_can_carry_data),
	    cmocka_unit_test(both_may_open),
	    cmocka_unit_test(half_closed_is_not_closed),
	    cmocka_unit_test(one_fin_alone_is_no_end),
	    cmocka_unit_test(a_reset_ends_if_it_is_in_the_window),
	    cmocka_unit_test(a_refused_syn),
	    cmocka_unit_test(a_reset_that_answers_no_syn),
	    cmocka_unit_test(a_reset_that_acknowledges_all),
	    cmocka_unit_test(a_fin_behind_its_acknowledgement_is_no_byte),
	    cmocka_unit_test(what_only_a_reset_acknowledges),
	    cmocka_unit_test(the_same_ends_begin_again),
	    cmocka_unit_test(the_same_ends_begin_again_without_an_end),
	    cmocka_unit_test(the_client_that_begins_again_is_known),
	    cmocka_unit_test(the_last_syn_begins_again),
	    cmocka_unit_test(a_forged_syn_ends_nothing),
	    cmocka_unit_test(joined_in_the_middle),
	    cmocka_unit_test(a_fin_before_its_data),
	};
	return cmocka_run_group_tests_name("tcp_connections", tests, NULL, NULL);
}
