// SPDX-License-Identifier: Apache-2.0
// What the memory of clients learns and tells, and that a flood of them does not make it forget.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "analytics/client_memory.h"
#include "tests/unit/server_lab.h"

#include <stdio.h>
#include <string.h>

#define NOW SECONDS(1700000000)

static const char server[] = "192.0.2.25", client[] = "198.51.100.7";

static void note(struct client_memory *memory, const struct lab_session *lab)
{
	client_memory_note(memory, &lab->judged);
}

static struct client_history told(struct client_memory *memory, const char *address,
    const char *asker, uint16_t port, nanoseconds at)
{
	struct client_history history;
	struct lab_session *lab = lab_smtp(address, asker, at);
	lab->record.port[FROM_SERVER] = port;
	memset(&history, 0xff, sizeof history);
	client_memory_recall(memory, &lab->record, &history);
	return history;
}

static struct lab_session *taking(const char *address, const char *asker, nanoseconds at)
{
	struct lab_session *lab = lab_smtp(address, asker, at);
	lab_establish(lab);
	return lab;
}

static void whether_offers_are_taken(void **state)
{
	struct client_memory *memory = client_memory_create(0);
	struct client_history history;
	(void)state;
	note(memory, taking(server, client, NOW));
	note(memory, taking("192.0.2.26", client, NOW + SECONDS(10)));
	struct lab_session *lab = lab_smtp(server, client, NOW + SECONDS(20));
	note(memory, lab); // only looked
	lab->record.in_the_clear = true;
	note(memory, lab); // did without
	lab->record.starttls_requested = NOT_SEEN;
	note(memory, lab); // it is not known
	lab = lab_smtp(server, client, NOW + SECONDS(30));
	lab_list(lab, "PIPELINING");
	lab->record.in_the_clear = true;
	note(memory, lab); // nothing to take
	history = told(memory, server, client, 25, NOW + SECONDS(60));
	assert_int_equal(history.offers, 3);
	assert_int_equal(history.taken, 2);
	assert_int_equal(history.offers_here, 2);
	assert_int_equal(history.taken_here, 1);
	assert_int_equal(history.established_here, 1);
	assert_int_equal(history.taken_here_last, NOW + SECONDS(1));
	assert_int_equal(history.taken_last, NOW + SECONDS(11));
	assert_int_equal(history.servers, 2);
	assert_int_equal(history.broken_tls.time, 0);
	history = told(memory, server, client, 587, NOW + SECONDS(60));
	assert_int_equal(history.taken, 2);
	assert_int_equal(history.offers_here, 0);
	lab = lab_smtp(server, "198.51.100.8", NOW);
	assert_false(client_memory_recall(memory, &lab->record, &history));
	assert_int_equal(history.offers, 0);
	client_memory_destroy(memory);
}

static void an_open_session_is_counted_when_it_ends(void **state)
{
	struct client_memory *memory = client_memory_create(0);
	struct client_history history;
	(void)state;
	struct lab_session *lab = taking(server, client, NOW);
	lab->record.end_reason = END_STILL_OPEN;
	note(memory, lab);
	assert_false(client_memory_recall(memory, &lab->record, &history));
	lab->record.end_reason = END_FIN;
	note(memory, lab);
	history = told(memory, server, client, 25, NOW + SECONDS(60));
	assert_int_equal(history.taken, 1);
	assert_int_equal(history.established_here, 1);
	client_memory_destroy(memory);
}

/* ---- failures ---- */

static struct lab_session *failing(nanoseconds at)
{
	struct lab_session *lab = taking(server, client, at);
	lab->record.tls_established = SEEN_NO;
	return lab;
}

static void check_broken(struct lab_session *lab, const char *how)
{
	struct client_memory *memory = client_memory_create(0);
	note(memory, lab);
	struct client_history history = told(memory, server, client, 110, NOW + SECONDS(60));
	assert_int_equal(history.broken_tls.time, how != NULL ? NOW + SECONDS(1) : 0);
	if (how != NULL)
		assert_string_equal(tls_failure_name(history.broken_tls.failure.kind), how);
	assert_int_equal(history.broken_tls.port, how != NULL ? 25 : 0);
	assert_int_equal(history.blocked.time, 0);
	history = told(memory, "192.0.2.26", client, 25, NOW + SECONDS(60));
	assert_int_equal(history.broken_tls.time, 0); // another server
	client_memory_destroy(memory);
}

static void how_tls_broke(void **state)
{
	(void)state;
	struct lab_session *lab = failing(NOW);
	lab->session.tls.alert_seen = true;
	check_broken(lab, "alert");
	lab = failing(NOW);
	lab->session.tls_foreign = true;
	check_broken(lab, "junk");
	lab->record.tls_established = NOT_SEEN;
	lab->record.in_the_clear = true; // went on in the clear in the same connection
	check_broken(lab, "junk");
	lab = failing(NOW);
	check_broken(lab, "closed");
	lab->record.end_reason = END_RST;
	check_broken(lab, "reset");
	lab->record.end_reason = END_TIMEOUT;
	check_broken(lab, "silence");
	lab->record.tls_established = NOT_SEEN; // it may have worked
	check_broken(lab, NULL);
	lab = failing(NOW); // TLS from the first byte
	lab->record.starttls_accepted = NOT_SEEN;
	check_broken(lab, "closed");
	lab->session.tls.begun = false; // refused: TLS was not begun
	lab->record.starttls_accepted = SEEN_NO;
	check_broken(lab, NULL);
	check_broken(taking(server, client, NOW), NULL);
}

// A connection to port 993 in which the server says nothing.
static struct lab_session *unanswered(
    uint64_t client_packets, uint64_t server_packets, uint64_t client_bytes, enum end_reason reason)
{
	struct lab_session *lab = lab_smtp(server, client, NOW);
	lab->session = (struct session){.protocol = PROTOCOL_UNDECIDED};
	lab->record = (struct session_record){
	    .session = &lab->session,
	    .address = {lab->record.address[0], lab->record.address[1]},
	    .port = {40000, 993},
	    .tls_port = true,
	    .saw_start = true,
	    .start = NOW,
	    .end = NOW + SECONDS(1),
	    .end_reason = reason,
	    .packets = {client_packets, server_packets},
	    .bytes = {client_bytes, 0},
	};
	return lab;
}

static struct lab_session *refused(uint64_t times)
{
	struct lab_session *lab = unanswered(times, times, 0, END_RST);
	lab->record.refused = true;
	return lab;
}

static void check_blocked(struct lab_session *lab, const char *how)
{
	struct client_memory *memory = client_memory_create(0);
	note(memory, lab);
	struct client_history history = told(memory, server, client, 143, NOW + SECONDS(60));
	assert_int_equal(history.blocked.time, how != NULL ? NOW + SECONDS(1) : 0);
	if (how != NULL)
		assert_string_equal(tls_failure_name(history.blocked.failure.kind), how);
	assert_int_equal(history.blocked.port, how != NULL ? 993 : 0);
	assert_int_equal(history.broken_tls.time, 0);
	client_memory_destroy(memory);
}

static void what_counts_as_blocked(void **state)
{
	(void)state;
	check_blocked(unanswered(3, 0, 0, END_TIMEOUT), "unanswered");
	check_blocked(unanswered(1, 0, 0, END_TIMEOUT), "unanswered");
	check_blocked(unanswered(3, 0, 0, END_OF_CAPTURE), "unanswered");
	check_blocked(unanswered(1, 0, 0, END_OF_CAPTURE), NULL); // no time to answer
	check_blocked(unanswered(3, 0, 0, END_EVICTED), NULL);
	check_blocked(refused(1), "reset"); // SYN, RST
	check_blocked(refused(3), "reset");
	check_blocked(unanswered(1, 1, 0, END_RST), NULL); // the client's own
	check_blocked(unanswered(2, 1, 0, END_RST), NULL); // SYN, SYN-ACK, RST: a look at the port
	check_blocked(unanswered(3, 2, 0, END_FIN), NULL); // nor that
	check_blocked(unanswered(4, 2, 517, END_RST), "reset"); // the hello is reset
	check_blocked(unanswered(9, 2, 517, END_TIMEOUT), "silence");
	check_blocked(unanswered(9, 2, 517, END_FIN), "closed");
	check_blocked(unanswered(9, 2, 517, END_OF_CAPTURE), NULL);
	check_blocked(unanswered(9, 2, 517, END_STILL_OPEN), NULL); // it may still answer
	check_blocked(unanswered(3, 0, 0, END_STILL_OPEN), "unanswered");
	check_blocked(unanswered(9, 0, 517, END_TIMEOUT), NULL); // the tap does not see the server
	struct lab_session *lab = unanswered(3, 0, 0, END_TIMEOUT);
	lab->record.saw_start = false;
	check_blocked(lab, NULL);
	lab = unanswered(3, 0, 0, END_TIMEOUT);
	lab->record.tls_port = false;
	check_blocked(lab, NULL);
	lab = refused(3);
	lab->record.missing[FROM_SERVER] = 10; // it said something
	check_blocked(lab, NULL);
}

static void the_last_failure_is_told(void **state)
{
	struct client_memory *memory = client_memory_create(0);
	(void)state;
	note(memory, failing(NOW + SECONDS(100)));
	struct lab_session *lab = failing(NOW + SECONDS(90)); // given up later
	lab->record.end_reason = END_TIMEOUT;
	note(memory, lab);
	lab = failing(NOW + SECONDS(95));
	lab->record.port[FROM_SERVER] = 587;
	note(memory, lab);
	struct client_history history = told(memory, server, client, 25, NOW + SECONDS(200));
	assert_int_equal(history.broken_tls.time, NOW + SECONDS(101));
	assert_int_equal(history.broken_tls.failure.kind, FAILURE_CLOSED);
	assert_int_equal(history.broken_tls.port, 25);
	// What comes later is not told; an earlier capture begins anew.
	assert_int_equal(
	    told(memory, server, client, 25, NOW + SECONDS(98)).broken_tls.time, NOW + SECONDS(96));
	assert_int_equal(told(memory, server, client, 25, NOW).broken_tls.time, 0);
	note(memory, failing(NOW - SECONDS(7200)));
	assert_int_equal(
	    told(memory, server, client, 25, NOW).broken_tls.time, NOW - SECONDS(7199));
	client_memory_destroy(memory);
}

/* ---- room ---- */

static void failures_stay_among_many_servers(void **state)
{
	struct client_memory *memory = client_memory_create(0);
	char address[32];
	(void)state;
	note(memory, failing(NOW));
	for (int i = 0; i < 200; i++) {
		snprintf(address, sizeof address, "203.0.113.%d", i);
		note(memory, taking(address, client, NOW + SECONDS(i)));
	}
	struct client_history history = told(memory, server, client, 25, NOW + SECONDS(300));
	assert_int_equal(history.broken_tls.time, NOW + SECONDS(1));
	assert_int_equal(history.taken, 201);
	assert_int_equal(history.servers, 8);
	for (int i = 0; i < 200; i++) {
		snprintf(address, sizeof address, "203.0.113.%d", i);
		note(memory, taking(address, client, NOW + SECONDS(7200 + i)));
	}
	history =
	    told(memory, server, client, 25, NOW + SECONDS(7300)); // it does not matter any more
	assert_int_equal(history.broken_tls.time, 0);
	assert_int_equal(history.offers_here, 0);
	client_memory_destroy(memory);
}

static void a_scanner_takes_one_place(void **state)
{
	enum { MOST = 16 };
	struct client_memory *memory = client_memory_create(MOST);
	char address[32];
	(void)state;
	for (int i = 0; i < MOST - 1; i++) {
		snprintf(address, sizeof address, "198.51.100.%d", i);
		note(memory, taking(server, address, NOW));
	}
	for (int i = 0; i < 5000; i++) { // refused on many servers
		struct lab_session *lab = unanswered(1, 1, 0, END_RST);
		snprintf(address, sizeof address, "2001:db8::%x", i);
		lab->record.address[FROM_SERVER] = lab_address(address);
		lab->record.address[FROM_CLIENT] = lab_address("203.0.113.66");
		note(memory, lab);
	}
	for (int i = 0; i < MOST - 1; i++) {
		snprintf(address, sizeof address, "198.51.100.%d", i);
		assert_int_equal(told(memory, server, address, 25, NOW).taken, 1);
	}
	client_memory_destroy(memory);
}

static void a_flood_of_addresses_does_not_push_out_who_is_known(void **state)
{
	enum { MOST = 64, KNOWN = 40 };
	struct client_memory *memory = client_memory_create(MOST);
	char address[32];
	(void)state;
	for (int i = 0; i < KNOWN; i++) {
		snprintf(address, sizeof address, "198.51.100.%d", i);
		note(memory, taking(server, address, NOW));
		note(memory, taking(server, address, NOW + SECONDS(900)));
	}
	for (int i = 0; i < 5000; i++) {
		struct lab_session *lab = unanswered(2, 0, 0, END_TIMEOUT);
		snprintf(address, sizeof address, "2001:db8::%x", i);
		lab->record.address[FROM_CLIENT] = lab_address(address);
		note(memory, lab);
		note(memory, lab);
		lab = unanswered(2, 0, 0, END_TIMEOUT);
		lab->record.address[FROM_CLIENT] = lab_address(address);
		lab->record.end = NOW + SECONDS(5000);
		note(memory, lab);
	}
	for (int i = 0; i < KNOWN; i++) {
		snprintf(address, sizeof address, "198.51.100.%d", i);
		assert_int_equal(told(memory, server, address, 25, NOW).taken, 2);
	}
	struct client_memory_counters counters = client_memory_counters(memory);
	assert_int_equal(counters.clients, MOST);
	assert_int_equal(counters.clients + counters.evicted, KNOWN + 5000);
	client_memory_destroy(memory);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(whether_offers_are_taken),
	    cmocka_unit_test(an_open_session_is_counted_when_it_ends),
	    cmocka_unit_test(how_tls_broke),
	    cmocka_unit_test(what_counts_as_blocked),
	    cmocka_unit_test(the_last_failure_is_told),
	    cmocka_unit_test(failures_stay_among_many_servers),
	    cmocka_unit_test(a_scanner_takes_one_place),
	    cmocka_unit_test(a_flood_of_addresses_does_not_push_out_who_is_known),
	};
	return cmocka_run_group_tests_name("client_memory", tests, NULL, NULL);
}
