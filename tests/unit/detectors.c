// SPDX-License-Identifier: Apache-2.0
// Each kind of evidence in dialogues: when it is there, how sure it is, and what honest look-alikes lack of it.
#include "tests/unit/detectors_lab.h"

#include <string.h>

static void nothing_is_evidence_of_nothing(void **state)
{
	(void)state;
	assert_int_equal(detectors_run(&lab.input, lab.found), 0);
	lists_without_offer();
	assert_int_equal(detectors_run(&lab.input, lab.found), 0);
}

static void filler_in_the_list(void **state)
{
	static const uint8_t filler[] = "XXXXXXXA";
	(void)state;
	lists_without_offer();
	lab.patterns.garbled_capability = 1;
	lab.patterns.garbled_capability_line = (struct view){.data = filler, .length = 8};
	expect(EVIDENCE_CAPABILITY_GARBLED, CONFIDENCE_PROBABLE);
	const struct fact *bytes =
	    evidence_lab_fact(&lab, EVIDENCE_CAPABILITY_GARBLED, "bytes");
	assert_int_equal(bytes->length, 8);
	assert_memory_equal(bytes->bytes, filler, 8);
	assert_int_equal(
	    evidence_lab_fact(&lab, EVIDENCE_CAPABILITY_GARBLED, "position")->number, 1);
	server_offers();
	expect(EVIDENCE_CAPABILITY_GARBLED, CONFIDENCE_CONFIRMED);
	// The filler hides something else: STARTTLS is there.
	lab.session.starttls_offered = SEEN_YES;
	expect(EVIDENCE_CAPABILITY_GARBLED, CONFIDENCE_NONE);
}

static void an_overwritten_banner(void **state)
{
	(void)state;
	evidence_lab_text(&lab, &lab.session.server_banner, "220 ****************");
	expect(EVIDENCE_BANNER_GARBLED, CONFIDENCE_NONE);
	lab.patterns.banner_garbled = true;
	expect(EVIDENCE_BANNER_GARBLED, CONFIDENCE_SUSPECTED);
}

static void an_offer_that_is_missing(void **state)
{
	(void)state;
	lists_without_offer();
	server_offers();
	expect(EVIDENCE_CAPABILITY_REMOVED, CONFIDENCE_SUSPECTED);
	lab.server.offered = DETECTOR_OFTEN - 1;
	expect(EVIDENCE_CAPABILITY_REMOVED, CONFIDENCE_NONE);
	lab.server.baseline = true; // the user says so
	expect(EVIDENCE_CAPABILITY_REMOVED, CONFIDENCE_SUSPECTED);
	evidence_lab_fact(&lab, EVIDENCE_CAPABILITY_REMOVED, "listed_as_good");
	lab.server.baseline_tls = true; // not that it has STARTTLS
	expect(EVIDENCE_CAPABILITY_REMOVED, CONFIDENCE_NONE);
	lab.server.baseline_tls = false;
	server_offers();
	lab.server.offer_proven = false; // anybody can pretend an offer
	expect(EVIDENCE_CAPABILITY_REMOVED, CONFIDENCE_NONE);
	server_offers();
	lab.server.offered_last = LAB_NOW - DETECTOR_MEMORY;
	expect(EVIDENCE_CAPABILITY_REMOVED, CONFIDENCE_NONE);
	server_offers();
	session_forget_capabilities(&lab.session); // a list that was cut, or none
	expect(EVIDENCE_CAPABILITY_REMOVED, CONFIDENCE_NONE);
}

static void an_offer_missing_only_here(void **state)
{
	(void)state;
	lists_without_offer();
	server_offers();
	lab.input.capabilities_fingerprint = 7;
	lab.input.banner_fingerprint = 8;
	lab.path = (struct path_history){
	    .offered_here = 5, .missing_since = LAB_NOW - SECONDS(9), .offered_elsewhere_since = 1};
	expect(EVIDENCE_CAPABILITY_REMOVED, CONFIDENCE_PROBABLE);
	lab.path.offered_elsewhere_since = 0; // the server stopped to offer it
	expect(EVIDENCE_CAPABILITY_REMOVED, CONFIDENCE_SUSPECTED);
	lab.path.offered_elsewhere_since = 1;
	lab.path.offered_here = 0; // never offered to this network
	expect(EVIDENCE_CAPABILITY_REMOVED, CONFIDENCE_SUSPECTED);
	lab.path.offered_here = 5;
	lab.path.missing_since = 0; // comes and goes: unlike back ends
	expect(EVIDENCE_CAPABILITY_REMOVED, CONFIDENCE_SUSPECTED);
	lab.path.missing_since = LAB_NOW - SECONDS(9);
	lab.input.banner_fingerprint = 9; // another machine
	expect(EVIDENCE_CAPABILITY_REMOVED, CONFIDENCE_SUSPECTED);
	lab.input.banner_fingerprint = lab.server.banner_fingerprint = 0; // not seen is not the same
	expect(EVIDENCE_CAPABILITY_REMOVED, CONFIDENCE_SUSPECTED);
}

static void a_command_that_arrives_as_filler(void **state)
{
	(void)state;
	clue(CLUE_GARBLED_COMMAND, "XXXXXXXX");
	expect(EVIDENCE_COMMAND_GARBLED, CONFIDENCE_NONE); // not answered
	clue(CLUE_GARBLED_ANSWER, "502 5.5.2 Error: command not recognized");
	expect(EVIDENCE_COMMAND_GARBLED, CONFIDENCE_CONFIRMED);
	assert_memory_equal(
	    evidence_lab_fact(&lab, EVIDENCE_COMMAND_GARBLED, "command")->bytes, "XXXXXXXX", 8);
}

static void a_command_quoted_as_filler(void **state)
{
	(void)state;
	lab.session.starttls_offered = SEEN_YES;
	lab.record.starttls_requested = SEEN_YES;
	lab.record.starttls_accepted = SEEN_NO;
	memcpy(lab.session.starttls_reply, "500", 4);
	clue(CLUE_STARTTLS_ANSWER, "500 unrecognized command: XXXXXXXX");
	lab.patterns.answer_echoes_filler = lab.patterns.answer_unknown_command = true;
	expect(EVIDENCE_COMMAND_GARBLED, CONFIDENCE_CONFIRMED);
	lab.record.starttls_requested = NOT_SEEN;
	expect(EVIDENCE_COMMAND_GARBLED, CONFIDENCE_NONE);
}

static void an_answer_that_no_standard_has(void **state)
{
	(void)state;
	lab.record.starttls_requested = SEEN_YES;
	lab.record.starttls_accepted = SEEN_NO;
	memcpy(lab.session.starttls_reply, "200", 4);
	clue(CLUE_STARTTLS_ANSWER, "200 STRIPTLS");
	expect(EVIDENCE_ILLEGAL_REPLY, CONFIDENCE_PROBABLE);
	lab.record.in_the_clear = false;
	expect(EVIDENCE_ILLEGAL_REPLY, CONFIDENCE_NONE);
}

static void a_legal_refusal_is_no_illegal_answer(void **state)
{
	(void)state;
	memcpy(lab.session.starttls_reply, "454", 4);
	clue(CLUE_STARTTLS_ANSWER, "454 4.7.0 TLS not available due to local problem");
	expect(EVIDENCE_ILLEGAL_REPLY, CONFIDENCE_NONE);
	lab.session.protocol = PROTOCOL_POP3;
	expect(EVIDENCE_ILLEGAL_REPLY, CONFIDENCE_PROBABLE);
	lab.session.protocol = PROTOCOL_IMAP;
	memcpy(lab.session.starttls_reply, "BAD", 4);
	expect(EVIDENCE_ILLEGAL_REPLY, CONFIDENCE_NONE);
	lab.session.starttls_reply[0] = '\0'; // neither OK nor NO nor BAD
	expect(EVIDENCE_ILLEGAL_REPLY, CONFIDENCE_PROBABLE);
}

static void a_greeting_that_no_standard_has(void **state)
{
	(void)state;
	lab.session.protocol = PROTOCOL_IMAP;
	evidence_lab_text(&lab, &lab.session.server_banner, "OK IMAP2 ready");
	expect(EVIDENCE_ILLEGAL_REPLY, CONFIDENCE_NONE);
	lab.session.greeting_irregular = true;
	expect(EVIDENCE_ILLEGAL_REPLY, CONFIDENCE_PROBABLE);
}

static void refuse(const char *reply, const char *line)
{
	strcpy(lab.session.starttls_reply, reply);
	lab.session.starttls_offered = SEEN_YES;
	lab.record.starttls_requested = SEEN_YES;
	lab.record.starttls_accepted = SEEN_NO;
	clue(CLUE_STARTTLS_ANSWER, line);
}

static void a_server_that_contradicts_itself(void **state)
{
	(void)state;
	refuse("502", "502 command not implemented");
	expect(EVIDENCE_REFUSAL_CONTRADICTS_OFFER, CONFIDENCE_PROBABLE);
	lab.session.starttls_offered = SEEN_NO; // it never said that it could
	expect(EVIDENCE_REFUSAL_CONTRADICTS_OFFER, CONFIDENCE_NONE);
	lab.session.starttls_offered = NOT_SEEN;
	expect(EVIDENCE_REFUSAL_CONTRADICTS_OFFER, CONFIDENCE_NONE);
	lab.session.starttls_offered = SEEN_YES;
	strcpy(lab.session.starttls_reply, "454"); // for the moment
	expect(EVIDENCE_REFUSAL_CONTRADICTS_OFFER, CONFIDENCE_NONE);
}

static void pop3_says_unknown_in_words(void **state)
{
	(void)state;
	lab.session.protocol = PROTOCOL_POP3;
	refuse("-ERR", "-ERR unknown command");
	expect(EVIDENCE_REFUSAL_CONTRADICTS_OFFER, CONFIDENCE_NONE);
	lab.patterns.answer_unknown_command = true;
	expect(EVIDENCE_REFUSAL_CONTRADICTS_OFFER, CONFIDENCE_PROBABLE);
}

static void a_refusal_for_the_moment(void **state)
{
	(void)state;
	refuse("454", "454 TLS not available");
	expect(EVIDENCE_REFUSAL_UNLIKE_SERVER, CONFIDENCE_NONE); // honest, as far as is known
	server_offers();
	expect(EVIDENCE_REFUSAL_UNLIKE_SERVER, CONFIDENCE_SUSPECTED);
	lab.server.established = 0;
	expect(EVIDENCE_REFUSAL_UNLIKE_SERVER, CONFIDENCE_NONE);
}

static void an_offer_that_the_client_ignores(void **state)
{
	(void)state;
	lab.session.starttls_offered = SEEN_YES;
	lab.client = (struct client_history){
	    .offers_here = 3, .taken_here = 3, .taken_last = LAB_NOW, .taken_here_last = LAB_NOW};
	expect(EVIDENCE_OFFER_IGNORED_UNLIKE_CLIENT, CONFIDENCE_SUSPECTED);
	lab.client.taken_here = 2; // not always
	expect(EVIDENCE_OFFER_IGNORED_UNLIKE_CLIENT, CONFIDENCE_NONE);
	lab.client = (struct client_history){
	    .offers = 4, .taken = 4, .servers = 2, .taken_last = LAB_NOW};
	expect(EVIDENCE_OFFER_IGNORED_UNLIKE_CLIENT, CONFIDENCE_SUSPECTED);
	lab.client.servers = 1;
	expect(EVIDENCE_OFFER_IGNORED_UNLIKE_CLIENT, CONFIDENCE_NONE);
	lab.client.servers = 2;
	lab.record.starttls_requested = NOT_SEEN;
	expect(EVIDENCE_OFFER_IGNORED_UNLIKE_CLIENT, CONFIDENCE_NONE);
	lab.record.starttls_requested = SEEN_NO;
	lab.record.in_the_clear = false;
	expect(EVIDENCE_OFFER_IGNORED_UNLIKE_CLIENT, CONFIDENCE_NONE);
}

static void ehlo_refused(void **state)
{
	(void)state;
	clue(CLUE_EHLO_REFUSED, "502 unimplemented");
	expect(EVIDENCE_EHLO_REFUSED_UNLIKE_SERVER, CONFIDENCE_NONE); // a server that old
	evidence_lab_text(&lab, &lab.session.server_banner, "220 mx.example.com ESMTP");
	expect(EVIDENCE_EHLO_REFUSED_UNLIKE_SERVER, CONFIDENCE_SUSPECTED);
	server_offers();
	expect(EVIDENCE_EHLO_REFUSED_UNLIKE_SERVER, CONFIDENCE_PROBABLE);
}

static void a_name_refused_is_no_ehlo_refused(void **state)
{
	(void)state;
	server_offers();
	clue(CLUE_EHLO_REFUSED, "504 5.5.2 <x>: Helo command rejected: need fully-qualified hostname");
	expect(EVIDENCE_EHLO_REFUSED_UNLIKE_SERVER, CONFIDENCE_NONE);
}

static void filler_in_a_list_that_is_gone(void **state)
{
	static const char clue_bytes[] = "\002XXXXXXXA";
	struct clue found;
	(void)state;
	clue_add(&lab.session, CLUE_GARBLED_CAPABILITY, clue_bytes, 9);
	assert_true(clue_find(&lab.session, CLUE_GARBLED_CAPABILITY, &found));
	assert_int_equal(found.bytes[0], 2);
	assert_int_equal(found.length, 9);
}

static void conflict(bool unlike)
{
	struct {
		struct clue_conflict head;
		uint8_t bytes[6];
	} all;
	memset(&all, 0, sizeof all);
	all.head = (struct clue_conflict){.offset = 40,
	    .length = 3,
	    .first_length = 3,
	    .second_length = 3,
	    .usual = {.ttl = 64},
	    .first = {.ttl = 64},
	    .second = {.ttl = 51, .window = 1024},
	    .from = FROM_SERVER,
	    .unlike = unlike};
	memcpy(all.bytes, "abcxyz", 6);
	clue_add(&lab.session, CLUE_CONFLICT, &all, sizeof all.head + sizeof all.bytes);
}

static void two_payloads_for_the_same_bytes(void **state)
{
	(void)state;
	conflict(false);
	expect(EVIDENCE_INJECTED_SEGMENT, CONFIDENCE_SUSPECTED);
	conflict(true);
	expect(EVIDENCE_INJECTED_SEGMENT, CONFIDENCE_CONFIRMED);
	const struct fact *second =
	    evidence_lab_fact(&lab, EVIDENCE_INJECTED_SEGMENT, "second_bytes");
	assert_int_equal(second->length, 3);
	assert_memory_equal(second->bytes, "xyz", 3);
	assert_int_equal(
	    evidence_lab_fact(&lab, EVIDENCE_INJECTED_SEGMENT, "second_ttl")->number, 51);
	assert_int_equal(
	    evidence_lab_fact(&lab, EVIDENCE_INJECTED_SEGMENT, "second_window")->number, 1024);
}

static void two_tap_points(void **state)
{
	static struct session there;
	static struct session_record twin;
	(void)state;
	there = lab.session;
	twin = lab.record;
	twin.session = &there;
	twin.tap_point = 3u << 24 | 102 << 12 | 7;
	lab.input.twin = &twin;
	expect(EVIDENCE_PATH_DIFFERENCE, CONFIDENCE_NONE);
	evidence_lab_text(&lab, &lab.session.server_banner, "220 one");
	expect(EVIDENCE_PATH_DIFFERENCE, CONFIDENCE_CONFIRMED);
	twin.missing[FROM_SERVER] = 1; // what is not there is not different
	expect(EVIDENCE_PATH_DIFFERENCE, CONFIDENCE_NONE);
	twin.missing[FROM_SERVER] = 0;
	there.dialogue_gap[FROM_SERVER] = true;
	expect(EVIDENCE_PATH_DIFFERENCE, CONFIDENCE_NONE);
	there = lab.session;
	twin.starttls_requested = SEEN_YES;
	expect(EVIDENCE_PATH_DIFFERENCE, CONFIDENCE_CONFIRMED);
	assert_string_equal(
	    evidence_lab_fact(&lab, EVIDENCE_PATH_DIFFERENCE, "there")->name, "STARTTLS");
	static const struct { const char *key; uint64_t number; } points[] = {
	    {"interface_here", 0}, {"interface_there", 3}, {"vlan_there", 102}, {"inner_vlan_there", 7}};
	for (size_t i = 0; i < sizeof points / sizeof points[0]; i++)
		assert_int_equal(
		    evidence_lab_fact(&lab, EVIDENCE_PATH_DIFFERENCE, points[i].key)->number,
		    points[i].number);
	lab.record.starttls_requested = SEEN_YES;
	expect(EVIDENCE_PATH_DIFFERENCE, CONFIDENCE_NONE);
	strcpy(there.starttls_reply, "454");
	expect(EVIDENCE_PATH_DIFFERENCE, CONFIDENCE_CONFIRMED);
	assert_memory_equal(
	    evidence_lab_fact(&lab, EVIDENCE_PATH_DIFFERENCE, "there")->bytes, "454", 3);
}

static void the_list_alone_is_enough(void **state)
{
	(void)state;
	lab.server.known = lab.server.baseline = true;
	refuse("454", "454 TLS not available");
	expect(EVIDENCE_REFUSAL_UNLIKE_SERVER, CONFIDENCE_SUSPECTED);
	lab.server.baseline_tls = true;
	expect(EVIDENCE_REFUSAL_UNLIKE_SERVER, CONFIDENCE_NONE);
	lab.record.starttls_requested = SEEN_NO;
	lab.record.starttls_accepted = NOT_SEEN;
	lab.session.starttls_offered = NOT_SEEN;
	clue(CLUE_EHLO_REFUSED, "502 unimplemented");
	expect(EVIDENCE_EHLO_REFUSED_UNLIKE_SERVER, CONFIDENCE_NONE);
	lab.server.baseline_tls = false;
	expect(EVIDENCE_EHLO_REFUSED_UNLIKE_SERVER, CONFIDENCE_PROBABLE);
}

static void the_list_alone_is_enough_for_imap(void **state)
{
	(void)state;
	lab.session.protocol = PROTOCOL_IMAP;
	lab.record.port[FROM_SERVER] = 143;
	lab.client.blocked = (struct failed_attempt){
	    .time = LAB_NOW - SECONDS(30), .port = 993, .failure = {.kind = FAILURE_UNANSWERED}};
	lab.implicit.baseline = true;
	expect(EVIDENCE_IMPLICIT_TLS_BLOCKED, CONFIDENCE_NONE);
	lab.implicit.baseline_tls = true;
	expect(EVIDENCE_IMPLICIT_TLS_BLOCKED, CONFIDENCE_SUSPECTED);
	lab.client.blocked.time = 0;
	lab.session.greeting_preauth = true;
	expect(EVIDENCE_PREAUTH_UNEXPECTED, CONFIDENCE_NONE);
	lab.server.baseline = true;
	expect(EVIDENCE_PREAUTH_UNEXPECTED, CONFIDENCE_PROBABLE);
}

static void a_greeting_that_forbids_starttls(void **state)
{
	(void)state;
	lab.session.protocol = PROTOCOL_IMAP;
	lab.record.port[FROM_SERVER] = 143;
	lab.session.greeting_preauth = true;
	expect(EVIDENCE_PREAUTH_UNEXPECTED, CONFIDENCE_NONE);
	lab.server.greeted_ok = 2;
	expect(EVIDENCE_PREAUTH_UNEXPECTED, CONFIDENCE_PROBABLE);
	lab.server.greeted_preauth = 1; // to others, too
	expect(EVIDENCE_PREAUTH_UNEXPECTED, CONFIDENCE_NONE);
	lab.server.greeted_preauth = 0;
	lab.record.tls_port = true;
	expect(EVIDENCE_PREAUTH_UNEXPECTED, CONFIDENCE_NONE);
}

static void clues_are_bounded(void **state)
{
	char line[CLUE_LINE_MAX * 2];
	struct clue found;
	size_t position = 0, count = 0;
	(void)state;
	memset(line, 'x', sizeof line);
	for (int i = 0; i < 10; i++)
		clue_add(&lab.session, CLUE_STARTTLS_ANSWER, line, sizeof line);
	assert_true(lab.session.clues->length <= CLUES_MAX);
	while (clue_next(&lab.session, &position, &found)) {
		assert_true(found.length <= CLUE_LINE_MAX);
		count++;
	}
	assert_int_equal(count, 4); // three, and that there were more
	assert_int_equal(found.kind, CLUES_LEFT_OUT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    ROW(nothing_is_evidence_of_nothing),
	    ROW(filler_in_the_list),
	    ROW(an_overwritten_banner),
	    ROW(an_offer_that_is_missing),
	    ROW(an_offer_missing_only_here),
	    ROW(a_command_that_arrives_as_filler),
	    ROW(a_command_quoted_as_filler),
	    ROW(an_answer_that_no_standard_has),
	    ROW(a_legal_refusal_is_no_illegal_answer),
	    ROW(a_greeting_that_no_standard_has),
	    ROW(a_server_that_contradicts_itself),
	    ROW(pop3_says_unknown_in_words),
	    ROW(a_refusal_for_the_moment),
	    ROW(an_offer_that_the_client_ignores),
	    ROW(ehlo_refused),
	    ROW(a_name_refused_is_no_ehlo_refused),
	    ROW(filler_in_a_list_that_is_gone),
	    ROW(two_payloads_for_the_same_bytes),
	    ROW(two_tap_points),
	    ROW(the_list_alone_is_enough),
	    ROW(the_list_alone_is_enough_for_imap),
	    ROW(a_greeting_that_forbids_starttls),
	    ROW(clues_are_bounded),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
