// SPDX-License-Identifier: Apache-2.0
// What the memory of servers learns and tells, and what nobody can make it learn or forget.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "analytics/server_memory.h"
#include "decode/clues.h"
#include "tests/unit/server_lab.h"

#include <stdio.h>
#include <string.h>

#define DAY SECONDS((nanoseconds)24 * 3600)
#define NOW SECONDS(1700000000)

static const char server[] = "192.0.2.25", client[] = "198.51.100.7";

static struct server_memory *create(size_t servers)
{
	struct server_memory_options options = {.servers = servers};
	struct server_memory *memory = server_memory_create(&options);
	assert_non_null(memory);
	return memory;
}

static void note(struct server_memory *memory, struct lab_session *lab)
{
	server_memory_note(memory, &lab->judged);
}

// What is known to a client at a time.
static struct server_history told(
    struct server_memory *memory, const char *address, const char *asker, nanoseconds at)
{
	struct server_history history;
	struct lab_session *lab = lab_smtp(address, asker, at);
	lab_list(lab, "PIPELINING"); // like no other
	memset(&history, 0xff, sizeof history);
	bool known = server_memory_recall(memory, &lab->record, &history);
	assert_int_equal(known, history.known);
	return history;
}

static void nothing_is_known_at_first(void **state)
{
	static const struct server_history nothing;
	struct server_memory *memory = create(0);
	(void)state;
	struct server_history history = told(memory, server, client, NOW);
	assert_memory_equal(&history, &nothing, sizeof nothing);
	note(memory, lab_smtp(server, client, NOW));
	assert_false(told(memory, "192.0.2.26", client, NOW).known);
	struct lab_session *lab = lab_smtp(server, client, NOW);
	lab->record.port[FROM_SERVER] = 587;
	assert_false(server_memory_recall(memory, &lab->record, &history));
	assert_memory_equal(&history, &nothing, sizeof nothing);
	server_memory_destroy(memory);
}

static void sessions_are_counted_by_what_they_show(void **state)
{
	struct server_memory *memory = create(0);
	(void)state;
	note(memory, lab_smtp(server, client, NOW));
	struct lab_session *lab = lab_smtp(server, client, NOW + SECONDS(10));
	lab_establish(lab);
	note(memory, lab);
	lab = lab_smtp(server, client, NOW + SECONDS(20));
	lab->record.starttls_requested = SEEN_YES;
	lab->record.starttls_accepted = SEEN_NO;
	note(memory, lab); // left without an answer
	strcpy(lab->session.starttls_reply, "454");
	note(memory, lab);
	lab = lab_smtp(server, "203.0.113.1", NOW + SECONDS(30));
	lab_list(lab, "PIPELINING\nSIZE 1");
	note(memory, lab);
	struct server_history history = told(memory, server, client, NOW + SECONDS(60));
	assert_int_equal(history.sessions, 5);
	assert_int_equal(history.offered, 4);
	assert_int_equal(history.offered_networks, 1);
	assert_int_equal(history.offered_to_client, 4);
	assert_int_equal(history.offered_last, NOW + SECONDS(21));
	assert_int_equal(history.not_offered, 1);
	assert_int_equal(history.accepted, 1);
	assert_int_equal(history.accepted_last, NOW + SECONDS(11));
	assert_int_equal(history.refused, 1);
	assert_int_equal(history.established, 1);
	assert_int_equal(history.established_networks, 1);
	assert_int_equal(history.ehlo_taken, 5);
	assert_int_equal(history.ehlo_networks, 2);
	assert_int_equal(history.first, NOW);
	assert_int_equal(history.last, NOW + SECONDS(31));
	assert_false(history.by_name || history.baseline);
	assert_int_equal(
	    told(memory, server, "203.0.113.9", NOW + SECONDS(60)).offered_to_client, 0);
	server_memory_destroy(memory);
}

static void imap_greetings(void **state)
{
	static const char *const greetings[] = {
	    "* OK ready", "* PREAUTH as you are", "* ok ready", "* BYE", "OK"};
	struct server_memory *memory = create(0);
	(void)state;
	for (size_t i = 0; i < sizeof greetings / sizeof greetings[0]; i++) {
		struct lab_session *lab = lab_smtp(server, client, NOW);
		lab->session.protocol = PROTOCOL_IMAP;
		lab->session.server_banner = lab_text(greetings[i]);
		note(memory, lab);
		lab->session.greeted = false; // may be a later line
		note(memory, lab);
	}
	struct server_history history = told(memory, server, client, NOW);
	assert_int_equal(history.greeted_ok, 2);
	assert_int_equal(history.greeted_preauth, 1);
	assert_int_equal(history.ehlo_taken, 0);
	server_memory_destroy(memory);
}

static void what_says_nothing_is_not_noted(void **state)
{
	struct server_memory *memory = create(0);
	(void)state;
	struct lab_session *lab = lab_smtp(server, client, NOW);
	lab->record.bytes[FROM_SERVER] = 0;
	note(memory, lab);
	lab = lab_smtp(server, client, NOW);
	lab->record.end_reason = END_STILL_OPEN;
	note(memory, lab);
	lab = lab_smtp(server, client, NOW);
	lab->session.protocol = PROTOCOL_HTTP;
	note(memory, lab);
	lab->session.protocol = PROTOCOL_TLS;
	note(memory, lab);
	assert_int_equal(server_memory_counters(memory).servers, 0);
	lab->record.tls_port = true;
	note(memory, lab);
	assert_int_equal(server_memory_counters(memory).servers, 1);
	server_memory_destroy(memory);
}

/* ---- what proves an offer ---- */

static void an_offer_is_proven_by_tls_or_by_three_networks(void **state)
{
	struct server_memory *memory = create(0);
	(void)state;
	for (int i = 0; i < 50; i++)
		note(memory, lab_smtp(server, client, NOW));
	note(memory, lab_smtp(server, "203.0.113.7", NOW));
	assert_int_equal(told(memory, server, client, NOW).offered_networks, 2);
	assert_false(told(memory, server, client, NOW).offer_proven);
	note(memory, lab_smtp(server, "203.0.113.200", NOW)); // of the same /24
	assert_false(told(memory, server, client, NOW).offer_proven);
	note(memory, lab_smtp(server, "2001:db8:1::1", NOW));
	assert_true(told(memory, server, client, NOW).offer_proven);
	assert_false(told(memory, "192.0.2.2", client, NOW).offer_proven);
	struct lab_session *lab = lab_smtp("192.0.2.2", client, NOW);
	lab_establish(lab);
	lab->session.starttls_offered = NOT_SEEN; // what was asked for and taken was there
	note(memory, lab);
	assert_true(told(memory, "192.0.2.2", client, NOW).offer_proven);
	lab = lab_smtp("192.0.2.3", client, NOW); // TLS from the first byte proves no STARTTLS
	lab->session.starttls_offered = NOT_SEEN;
	lab->record.tls_established = SEEN_YES;
	note(memory, lab);
	assert_false(told(memory, "192.0.2.3", client, NOW).offer_proven);
	assert_int_equal(told(memory, "192.0.2.3", client, NOW).established, 1);
	server_memory_destroy(memory);
}

static void one_network_counts_for_its_share(void **state)
{
	struct server_memory *memory = create(0);
	char other[32];
	(void)state;
	for (int i = 0; i < 500; i++)
		note(memory, lab_smtp(server, client, NOW + SECONDS(i)));
	struct server_history history = told(memory, server, client, NOW + SECONDS(600));
	assert_int_equal(history.sessions, 500);
	assert_int_equal(history.offered, 100);
	assert_int_equal(history.offered_last, NOW + SECONDS(500));
	for (int i = 0; i < 200; i++) {
		snprintf(other, sizeof other, "10.0.%d.1", i);
		note(memory, lab_smtp(server, other, NOW));
	}
	history = told(memory, server, client, NOW + SECONDS(600));
	assert_int_equal(history.offered_networks, SERVER_NETWORKS_MAX);
	assert_int_equal(history.offered, 300);
	server_memory_destroy(memory);
}

// A session that looks stripped, and in which something shows that it is not the server's doing.
static struct lab_session *tampered(int how, nanoseconds at)
{
	static _Alignas(16) uint8_t clue[sizeof(struct text) + 3];
	struct text *clues = (struct text *)clue;
	struct lab_session *lab = lab_smtp(server, client, at);
	lab_list(lab, "PIPELINING\nAUTH PLAIN");
	lab->session.server_banner = lab_text("220 ********");
	strcpy(lab->session.starttls_reply, "502");
	lab->record.starttls_requested = SEEN_YES;
	lab->record.starttls_accepted = SEEN_NO;
	clues->length = 3; // a kind, and no bytes
	clues->bytes[0] = how == 0 ? CLUE_CONFLICT : CLUE_GARBLED_COMMAND;
	if (how < 2)
		lab->session.clues = clues;
	else if (how < 4)
		lab->session.conflicting_bytes[how - 2] = 10;
	else
		lab->session.dialogue_gap[FROM_SERVER] = true;
	return lab;
}

static void a_stripped_session_teaches_nothing_about_the_server(void **state)
{
	struct server_memory *memory = create(0);
	(void)state;
	struct lab_session *lab = lab_smtp(server, client, NOW);
	lab_establish(lab);
	note(memory, lab);
	struct server_history before = told(memory, server, client, NOW + SECONDS(60));
	for (int how = 0; how < 5; how++)
		note(memory, tampered(how, NOW + SECONDS(10)));
	lab = tampered(5, NOW + SECONDS(10));
	lab->session.dialogue_gap[FROM_SERVER] = false;
	lab->session.capabilities = NULL; // refused EHLO: no list
	note(memory, lab);
	struct server_history after = told(memory, server, client, NOW + SECONDS(60));
	assert_int_equal(after.sessions, 7);
	assert_int_equal(after.not_offered, 0);
	assert_int_equal(after.refused, 1); // the last one
	assert_int_equal(after.offered, before.offered);
	assert_true(after.offer_proven);
	assert_int_equal(after.capabilities_fingerprint, before.capabilities_fingerprint);
	assert_int_equal(after.banner_fingerprint, before.banner_fingerprint);
	server_memory_destroy(memory);
}

// Whoever changes bytes could otherwise have what is seen later look like another server.
static void a_changed_offer_gives_no_fingerprint(void **state)
{
	struct server_memory *memory = create(0);
	(void)state;
	note(memory, lab_smtp(server, client, NOW));
	struct server_history before = told(memory, server, client, NOW + SECONDS(60));
	for (int how = 0; how < 4; how++) {
		struct lab_session *lab = tampered(how, NOW + SECONDS(10));
		lab_list(lab, "PIPELINING\nSTARTTLS\nX-OTHER");
		lab->session.starttls_offered = SEEN_YES;
		note(memory, lab);
	}
	struct server_history after = told(memory, server, client, NOW + SECONDS(60));
	assert_int_equal(after.sessions, 5);
	assert_int_not_equal(before.capabilities_fingerprint, 0);
	assert_int_equal(after.capabilities_fingerprint, before.capabilities_fingerprint);
	assert_int_equal(after.banner_fingerprint, before.banner_fingerprint);
	server_memory_destroy(memory);
}

/* ---- fingerprints ---- */

static uint64_t list_print(const char *entries)
{
	struct lab_session *lab = lab_smtp(server, client, NOW);
	lab_list(lab, entries);
	return server_capabilities_fingerprint(NULL, &lab->record);
}

static uint64_t banner_print(const char *banner)
{
	struct lab_session *lab = lab_smtp(server, client, NOW);
	lab->session.server_banner = lab_text(banner);
	return server_banner_fingerprint(NULL, &lab->record);
}

static void fingerprints_of_lists(void **state)
{
	uint64_t usual = list_print("PIPELINING\nSIZE 10240000\nSTARTTLS\nAUTH PLAIN LOGIN");
	(void)state;
	assert_int_not_equal(usual, 0);
	assert_int_equal(usual, list_print("PIPELINING\nSIZE 10240000\nAUTH PLAIN LOGIN"));
	assert_int_equal(usual, list_print("PIPELINING\nSIZE 1\nAUTH PLAIN LOGIN\nSTLS"));
	assert_int_not_equal(usual, list_print("PIPELINING\nSIZE 10240000\nAUTH PLAIN"));
	assert_int_not_equal(usual, list_print("SIZE 10240000\nPIPELINING\nAUTH PLAIN LOGIN"));
	assert_int_not_equal(
	    usual, list_print("PIPELINING\nSIZE 10240000\nXXXXXXXX\nAUTH PLAIN LOGIN"));
	assert_int_not_equal(list_print("A\nB"), list_print("AB"));
	assert_int_not_equal(list_print("STARTTLS"), 0); // an empty list is one
	struct lab_session *lab = lab_smtp(server, client, NOW);
	lab->session.dialogue_gap[FROM_SERVER] = true;
	assert_int_equal(server_capabilities_fingerprint(NULL, &lab->record), 0);
	lab->session.dialogue_gap[FROM_SERVER] = false;
	lab->session.capabilities = NULL;
	assert_int_equal(server_capabilities_fingerprint(NULL, &lab->record), 0);
}

static void fingerprints_of_banners(void **state)
{
	static const char *const alike[][2] = {
	    {"220 mx1.example.com ESMTP Exim 4.96 Thu, 01 Jan 2026 00:00:00 +0000",
	        "220 mx2.example.com ESMTP Exim 4.97 Sun, 05 Jul 2026 10:11:12 +0200"},
	    {"220 mx.example.com ESMTP ready at Tue, 3 Mar 2026 10:00:00 (CET)",
	        "220 mx.example.com ESMTP ready at Wed, 1 Jul 2026 10:00:00 (CEST)"},
	    {"+OK ready <1896.697170952@example.com>", "+OK ready <77.697171000@example.com>"},
	    {"* OK [CAPABILITY IMAP4rev1 STARTTLS ID] ready",
	        "* OK [CAPABILITY IMAP4rev1 ID] ready"},
	    {"* OK [CAPABILITY A B] ready", "* OK ready"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof alike / sizeof alike[0]; i++) {
		assert_int_not_equal(banner_print(alike[i][0]), 0);
		assert_int_equal(banner_print(alike[i][0]), banner_print(alike[i][1]));
	}
	assert_int_not_equal(banner_print("220 mx.example.com ESMTP Postfix"),
	    banner_print("220 mx.example.com ESMTP Exim"));
	assert_int_not_equal(banner_print("220 mx.example.com ESMTP Postfix"),
	    banner_print("220 ****************************"));
	struct lab_session *lab = lab_smtp(server, client, NOW);
	lab->session.greeted = false;
	assert_int_equal(server_banner_fingerprint(NULL, &lab->record), 0);
	lab->session.greeted = true;
	lab->session.server_banner = NULL;
	assert_int_equal(server_banner_fingerprint(NULL, &lab->record), 0);
}

static void fingerprints_are_of_the_last_offer(void **state)
{
	struct server_memory *memory = create(0);
	(void)state;
	note(memory, lab_smtp(server, client, NOW + DAY));
	struct lab_session *lab = lab_smtp(server, client, NOW); // a capture of the day before
	lab_list(lab, "STARTTLS\nOTHER");
	note(memory, lab);
	lab = lab_smtp(server, client, NOW + 2 * DAY);
	uint64_t expected = server_capabilities_fingerprint(memory, &lab->record);
	lab_list(lab, "OTHER"); // no offer
	note(memory, lab);
	struct server_history history = told(memory, server, client, NOW + 2 * DAY);
	assert_int_equal(history.capabilities_fingerprint, expected);
	assert_int_not_equal(history.banner_fingerprint, 0);
	server_memory_destroy(memory);
}

/* ---- certificates ---- */

static void show(
    struct server_memory *memory, const char *asker, nanoseconds at, char leaf, bool trusted)
{
	struct lab_session *lab = lab_smtp(server, asker, at);
	lab_establish(lab);
	lab_leaf(lab, leaf, trusted);
	note(memory, lab);
}

// The leaves told, newest first, as letters.
static const char *leaves(struct server_memory *memory, nanoseconds at)
{
	static char letters[SERVER_LEAVES_MAX + 1];
	struct server_history history = told(memory, server, client, at);
	memset(letters, 0, sizeof letters);
	assert_true(history.leaf_count <= SERVER_LEAVES_MAX);
	for (size_t i = 0; i < history.leaf_count; i++)
		letters[i] = (char)history.leaves[i].sha256[31];
	return letters;
}

static void leaves_are_told_the_newest_first(void **state)
{
	struct server_memory *memory = create(0);
	(void)state;
	show(memory, client, NOW, 'a', true);
	show(memory, "203.0.113.1", NOW + DAY, 'a', true);
	show(memory, client, NOW + 2 * DAY, 'b', false);
	assert_string_equal(leaves(memory, NOW + 3 * DAY), "ba");
	struct server_history history = told(memory, server, client, NOW + 3 * DAY);
	assert_true(history.leaves[1].trusted && !history.leaves[1].self_signed);
	assert_false(history.leaves[0].trusted);
	assert_true(history.leaves[0].self_signed);
	assert_int_equal(history.leaves[1].sessions, 2);
	assert_int_equal(history.leaves[1].networks, 2);
	assert_int_equal(history.leaves[1].first, NOW);
	assert_int_equal(history.leaves[1].last, NOW + DAY + SECONDS(1));
	assert_int_equal(history.leaves[1].not_after, SECONDS((nanoseconds)2000000000));
	assert_int_equal(history.leaves[1].spki_sha256[0], 'b');
	assert_string_equal(leaves(memory, NOW + DAY), "a"); // before b was shown
	assert_string_equal(leaves(memory, NOW + 91 * DAY + SECONDS(2)), "b");
	server_memory_destroy(memory);
}

static void only_who_has_the_key_shows_a_certificate(void **state)
{
	struct server_memory *memory = create(0);
	(void)state;
	struct lab_session *lab = lab_smtp(server, client, NOW);
	lab_establish(lab);
	lab_leaf(lab, 'a', true);
	lab->record.tls_established = SEEN_NO;
	note(memory, lab);
	lab->record.tls_established = SEEN_YES;
	lab->judged.certificates.source = CERTIFICATES_IN_MEMORY;
	note(memory, lab);
	assert_string_equal(leaves(memory, NOW), "");
	lab->judged.certificates.source = CERTIFICATES_IN_KEYLOG;
	note(memory, lab);
	assert_string_equal(leaves(memory, NOW), "a");
	lab->judged.certificates.chain[FROM_SERVER].faults = FAULT_UNTRUSTED; // a worse list
	note(memory, lab);
	assert_true(told(memory, server, client, NOW).leaves[0].trusted);
	lab->judged.certificates.chain[FROM_SERVER].faults = FAULT_REVOKED;
	note(memory, lab);
	assert_false(told(memory, server, client, NOW).leaves[0].trusted);
	server_memory_destroy(memory);
}

static void strangers_do_not_push_certificates_out(void **state)
{
	struct server_memory *memory = create(0);
	(void)state;
	show(memory, client, NOW, 'A', true);
	show(memory, "203.0.113.1", NOW, 'A', true);
	show(memory, client, NOW, 'B', false);
	show(memory, "203.0.113.1", NOW, 'B', false);
	for (char leaf = 'a'; leaf <= 'z'; leaf++) // by one network
		show(memory, "203.0.113.66", NOW + DAY + SECONDS(leaf), leaf, false);
	assert_string_equal(leaves(memory, NOW + 2 * DAY), "zyAB");
	for (char leaf = 'a'; leaf <= 'd'; leaf++) // trusted, and somebody else's
		show(memory, "203.0.113.66", NOW + 2 * DAY + SECONDS(leaf), leaf, true);
	assert_non_null(strchr(leaves(memory, NOW + 3 * DAY), 'A'));
	show(memory, client, NOW + 3 * DAY, 'x', false); // not in the place of trusted ones
	assert_null(strchr(leaves(memory, NOW + 4 * DAY), 'x'));
	show(memory, client, NOW + 200 * DAY, 'x', false); // but of those not seen any more
	assert_string_equal(leaves(memory, NOW + 201 * DAY), "x");
	server_memory_destroy(memory);
	memory = create(0);
	show(memory, client, NOW, 'A', true); // by one network as well, and the oldest
	for (char leaf = 'a'; leaf <= 'z'; leaf++)
		show(memory, client, NOW + SECONDS(leaf), leaf, false);
	assert_string_equal(leaves(memory, NOW + DAY), "zyxA");
	server_memory_destroy(memory);
}

/* ---- names ---- */

static void learn_name(struct server_memory *memory, const char *address, const char *name)
{
	struct lab_session *lab = lab_smtp(address, client, NOW);
	lab_establish(lab);
	lab_leaf(lab, 'a', true);
	lab_name(lab, name);
	note(memory, lab);
}

static void a_server_that_moves_is_known_by_its_name(void **state)
{
	static const char elsewhere[] = "192.0.2.99";
	struct server_memory *memory = create(0);
	struct server_history history;
	(void)state;
	learn_name(memory, server, "MX.example.com.");
	assert_int_equal(server_memory_counters(memory).names, 1);
	struct lab_session *lab = lab_smtp(elsewhere, client, NOW + DAY);
	lab->session.tls.sni = lab_text("mx.example.com");
	assert_true(server_memory_recall(memory, &lab->record, &history));
	assert_true(history.by_name && history.offer_proven);
	assert_int_equal(history.leaf_count, 1);
	// Without SNI: it calls itself so, and is like it but for STARTTLS.
	lab = lab_smtp(elsewhere, client, NOW + DAY);
	lab_list(lab, "PIPELINING\nSIZE 5\nAUTH PLAIN LOGIN\n8BITMIME");
	assert_true(server_memory_recall(memory, &lab->record, &history));
	assert_true(history.by_name && history.offer_proven);
	lab->session.server_banner = lab_text("220 mx.example.com ESMTP Exim");
	assert_false(server_memory_recall(memory, &lab->record, &history));
	lab = lab_smtp(elsewhere, client, NOW + DAY);
	lab_list(lab, "PIPELINING\nSIZE 5");
	assert_false(server_memory_recall(memory, &lab->record, &history));
	// What is known of the address goes first.
	note(memory, lab);
	lab->session.tls.sni = lab_text("mx.example.com");
	assert_true(server_memory_recall(memory, &lab->record, &history));
	assert_false(history.by_name || history.offer_proven);
	assert_int_equal(history.not_offered, 1);
	server_memory_destroy(memory);
}

static void nobody_takes_anothers_name(void **state)
{
	struct server_memory *memory = create(0);
	(void)state;
	for (int how = 0; how < 7; how++) {
		struct lab_session *lab = lab_smtp("203.0.113.66", client, NOW);
		lab_establish(lab);
		lab_leaf(lab, 'a', how != 0);
		lab_name(lab, how == 1 ? "localhost" : "mx.example.com");
		if (how == 2)
			lab->judged.certificates.name_match = NAME_MISMATCH;
		if (how == 3)
			lab->judged.certificates.source = CERTIFICATES_IN_MEMORY;
		if (how == 4)
			lab->record.tls_established = SEEN_NO;
		if (how == 5)
			lab->judged.certificates.chain[FROM_SERVER].trust_known = false;
		if (how == 6)
			lab->judged.certificates.name_match = NAME_MATCH_COMMON_NAME_ONLY;
		note(memory, lab);
		assert_int_equal(server_memory_counters(memory).names, 0);
	}
	server_memory_destroy(memory);
}

/* ---- time ---- */

static void what_is_old_is_forgotten(void **state)
{
	struct server_memory *memory = create(0);
	(void)state;
	struct lab_session *lab = lab_smtp(server, client, NOW);
	lab_establish(lab);
	note(memory, lab);
	assert_true(told(memory, server, client, NOW + 90 * DAY).offer_proven);
	for (int day = 1; day <= 91; day++) { // it is seen, and offers nothing any more
		lab = lab_smtp(server, client, NOW + day * DAY);
		lab_list(lab, "PIPELINING");
		note(memory, lab);
	}
	struct server_history history = told(memory, server, client, NOW + 92 * DAY);
	assert_true(history.known);
	assert_false(history.offer_proven);
	assert_int_equal(history.offered, 0);
	assert_int_equal(history.established, 0);
	assert_int_equal(history.capabilities_fingerprint, 0);
	assert_int_equal(history.not_offered, 91);
	assert_false(told(memory, server, client, NOW + 300 * DAY).known);
	note(memory, lab_smtp("192.0.2.1", client, NOW + 300 * DAY));
	assert_int_equal(server_memory_counters(memory).servers, 1);
	assert_int_equal(server_memory_counters(memory).aged, 1);
	server_memory_destroy(memory);
}

static void one_wrong_time_does_not_wipe_out_all(void **state)
{
	enum { SERVERS = 200 };
	struct server_memory *memory = create(0);
	char address[32];
	(void)state;
	for (int i = 0; i < SERVERS; i++) {
		snprintf(address, sizeof address, "192.0.2.%d", i);
		note(memory, lab_smtp(address, client, NOW));
	}
	note(memory, lab_smtp("203.0.113.1", client, PACKET_TIME_MAX - SECONDS(1)));
	assert_in_range(server_memory_counters(memory).servers, SERVERS - 1, SERVERS + 1);
	assert_true(told(memory, "192.0.2.100", client, NOW + DAY).known);
	server_memory_destroy(memory);
}

static void captures_may_be_read_in_any_order(void **state)
{
	struct server_memory *memory = create(0);
	(void)state;
	struct lab_session *lab = lab_smtp(server, client, NOW + 10 * DAY);
	lab_establish(lab);
	lab_leaf(lab, 'a', true);
	note(memory, lab);
	assert_false(told(memory, server, client, NOW).known); // it may not have offered it then
	lab = lab_smtp(server, client, NOW);
	lab_list(lab, "PIPELINING");
	note(memory, lab);
	struct server_history history = told(memory, server, client, NOW + DAY);
	assert_true(history.known);
	assert_false(history.offer_proven);
	assert_int_equal(history.offered, 0);
	assert_int_equal(history.accepted, 0);
	assert_int_equal(history.established, 0);
	assert_int_equal(history.leaf_count, 0);
	assert_int_equal(history.not_offered, 1);
	history = told(memory, server, client, NOW + 11 * DAY);
	assert_true(history.offer_proven);
	assert_int_equal(history.first, NOW);
	server_memory_destroy(memory);
}

/* ---- room ---- */

static void a_flood_does_not_push_out_what_is_settled(void **state)
{
	enum { MOST = 64, KNOWN = 40, FLOOD = 5000 };
	struct server_memory *memory = create(MOST);
	char address[32];
	(void)state;
	for (int day = 0; day < 2; day++)
		for (int i = 0; i < KNOWN; i++) {
			snprintf(address, sizeof address, "192.0.2.%d", i);
			note(memory, lab_smtp(address, client, NOW + day * DAY));
		}
	for (int i = 0; i < FLOOD; i++) {
		snprintf(address, sizeof address, "2001:db8::%x", i);
		for (int times = 0; times < 3; times++)
			note(memory, lab_smtp(address, "203.0.113.66", NOW + DAY + SECONDS(i)));
		assert_true(server_memory_counters(memory).servers <= MOST);
		assert_true(told(memory, address, client, NOW + 2 * DAY).known);
	}
	for (int i = 0; i < KNOWN; i++) {
		snprintf(address, sizeof address, "192.0.2.%d", i);
		assert_int_equal(told(memory, address, client, NOW + 2 * DAY).sessions, 2);
	}
	struct server_memory_counters counters = server_memory_counters(memory);
	assert_int_equal(counters.servers, MOST);
	assert_int_equal(counters.evicted, KNOWN + FLOOD - MOST);
	server_memory_destroy(memory);
}

static void there_is_always_room_for_new_ones(void **state)
{
	enum { MOST = 32 };
	struct server_memory *memory = create(MOST);
	char address[32];
	(void)state;
	for (int round = 0; round < 10; round++) { // all of them settled
		for (int i = 0; i < MOST; i++) {
			snprintf(address, sizeof address, "10.0.%d.%d", round, i);
			note(memory, lab_smtp(address, client, NOW));
			note(memory, lab_smtp(address, client, NOW + DAY));
		}
		assert_int_equal(server_memory_counters(memory).servers, MOST);
		assert_true(told(memory, address, client, NOW + DAY).known);
	}
	for (int i = 0; i < MOST / 8; i++) {
		snprintf(address, sizeof address, "192.0.2.%d", i);
		note(memory, lab_smtp(address, client, NOW + DAY));
	}
	for (int i = 0; i < MOST / 8; i++) {
		snprintf(address, sizeof address, "192.0.2.%d", i);
		assert_true(told(memory, address, client, NOW + DAY).known);
	}
	server_memory_destroy(memory);
	memory = create(1);
	note(memory, lab_smtp(server, client, NOW));
	note(memory, lab_smtp(server, client, NOW + DAY));
	note(memory, lab_smtp("192.0.2.1", client, NOW + DAY));
	assert_int_equal(server_memory_counters(memory).servers, 1);
	server_memory_destroy(memory);
}

static void another_port_of_the_server(void **state)
{
	struct server_memory *memory = create(0);
	struct server_history history;
	struct ip_address address = lab_address(server);
	(void)state;
	struct lab_session *lab = lab_smtp(server, client, NOW);
	lab->record.port[FROM_SERVER] = 465;
	lab->record.tls_established = SEEN_YES;
	note(memory, lab);
	assert_true(told(memory, server, client, NOW).known == false);
	assert_true(server_memory_recall_port(memory, &address, 465, &history));
	assert_int_equal(history.established, 1);
	assert_false(server_memory_recall_port(memory, &address, 993, &history));
	told(memory, server, client, NOW + 91 * DAY); // it is as of then
	assert_false(server_memory_recall_port(memory, &address, 465, &history));
	server_memory_destroy(memory);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(nothing_is_known_at_first),
	    cmocka_unit_test(sessions_are_counted_by_what_they_show),
	    cmocka_unit_test(imap_greetings),
	    cmocka_unit_test(what_says_nothing_is_not_noted),
	    cmocka_unit_test(an_offer_is_proven_by_tls_or_by_three_networks),
	    cmocka_unit_test(one_network_counts_for_its_share),
	    cmocka_unit_test(a_stripped_session_teaches_nothing_about_the_server),
	    cmocka_unit_test(a_changed_offer_gives_no_fingerprint),
	    cmocka_unit_test(fingerprints_of_lists),
	    cmocka_unit_test(fingerprints_of_banners),
	    cmocka_unit_test(fingerprints_are_of_the_last_offer),
	    cmocka_unit_test(leaves_are_told_the_newest_first),
	    cmocka_unit_test(only_who_has_the_key_shows_a_certificate),
	    cmocka_unit_test(strangers_do_not_push_certificates_out),
	    cmocka_unit_test(a_server_that_moves_is_known_by_its_name),
	    cmocka_unit_test(nobody_takes_anothers_name),
	    cmocka_unit_test(what_is_old_is_forgotten),
	    cmocka_unit_test(one_wrong_time_does_not_wipe_out_all),
	    cmocka_unit_test(captures_may_be_read_in_any_order),
	    cmocka_unit_test(a_flood_does_not_push_out_what_is_settled),
	    cmocka_unit_test(there_is_always_room_for_new_ones),
	    cmocka_unit_test(another_port_of_the_server),
	};
	return cmocka_run_group_tests_name("server_memory", tests, NULL, NULL);
}
