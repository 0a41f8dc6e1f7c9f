// SPDX-License-Identifier: Apache-2.0
// The tables: what was not seen is in no share, and what does not fit is counted as others.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "analytics/chain_judge.h"
#include "analytics/render.h"
#include "analytics/statistics.h"

#include <stdlib.h>
#include <string.h>

static struct statistics *statistics;

static int begin(void **state)
{
	struct error error;
	(void)state;
	statistics = statistics_create(0, &error);
	return statistics != NULL ? 0 : -1;
}

static int end(void **state)
{
	(void)state;
	statistics_destroy(statistics);
	return 0;
}

// A relay session of a client and a server with these last bytes of their addresses.
static struct session_facts session(uint8_t client, uint8_t server)
{
	return (struct session_facts){.address = {{{[10] = 255, 255, 192, 0, 2, client}},
	                                  {{[10] = 255, 255, 198, 51, 100, server}}},
	    .server_port = 25,
	    .protocol = PROTOCOL_SMTP,
	    .spoken = "smtp",
	    .hop = HOP_RELAY,
	    .tls_mode = TLS_MODE_NONE,
	    .verdict = VERDICT_PARTIAL};
}

static void count(const struct session_facts *facts, unsigned times)
{
	for (unsigned i = 0; i < times; i++)
		statistics_count(statistics, facts);
}

/* ---- what a table says ---- */

struct wanted {
	const char *name;
	FILE *out;
};

static void render_wanted(void *context, const struct table_ops *table, const void *accumulator)
{
	const struct wanted *wanted = context;
	if (strcmp(wanted->name, table->name) == 0)
		render_csv(wanted->out, table, accumulator);
}

static void render_all(void *context, const struct table_ops *table, const void *accumulator)
{
	render_csv(context, table, accumulator);
}

// Asserts that the table's CSV has this line (its beginning, if it is followed by more).
static void assert_row(const char *table, const char *row)
{
	char *text, line[256];
	size_t length;
	struct wanted wanted = {table, open_memstream(&text, &length)};
	statistics_each(statistics, render_wanted, &wanted);
	fclose(wanted.out);
	snprintf(line, sizeof line, "\n%s", row);
	if (strstr(text, line) == NULL)
		fail_msg("%s has no row %s:\n%s", table, row, text);
	free(text);
}

static void funnel_leaves_out_what_is_not_seen(void **state)
{
	(void)state;
	struct session_facts facts = session(1, 1);
	count(&facts, 2); // nothing seen
	facts.greeted = facts.listed = SEEN_YES;
	facts.starttls_offered = SEEN_NO;
	count(&facts, 3);
	facts.starttls_offered = SEEN_YES;
	count(&facts, 4); // whether it was asked for is not seen
	facts.starttls_requested = facts.starttls_accepted = SEEN_YES;
	facts.tls_established = SEEN_NO;
	count(&facts, 5);
	assert_row("funnel", "smtp,connected,14,0,0,14,14,");
	assert_row("funnel", "smtp,greeted,12,0,2,12,12,");
	assert_row("funnel", "smtp,offered,9,3,0,9,12,");
	assert_row("funnel", "smtp,requested,5,0,4,5,5,");
	assert_row("funnel", "smtp,established,0,5,0,0,5,");
	assert_row("funnel", "smtp,mail_in_clear,0,0,14,0,0,");
}

static void clients_have_habits(void **state)
{
	(void)state;
	struct session_facts facts = session(1, 1);
	facts.starttls_offered = SEEN_YES;
	count(&facts, 1); // an answer that was not seen
	facts.address[FROM_CLIENT].bytes[15] = 2;
	facts.starttls_requested = SEEN_YES;
	count(&facts, 2);
	facts.address[FROM_CLIENT].bytes[15] = 3;
	count(&facts, 1);
	facts.starttls_requested = SEEN_NO;
	count(&facts, 1);
	facts.starttls_offered = SEEN_NO; // no offer: nothing to take
	facts.address[FROM_CLIENT].bytes[15] = 4;
	count(&facts, 9);
	assert_row("starttls_use", "always,1,1,2,0.500000,");
	assert_row("starttls_use", "sometimes,1,1,2,0.500000,");
	assert_row("starttls_use", "never,0,0,2,");
	assert_row("starttls_use", ",1,0,0,,,,0,0,1\r");
}

static void certificates_by_session_and_server(void **state)
{
	(void)state;
	struct session_facts facts = session(1, 1);
	facts.verdict = VERDICT_ENCRYPTED;
	facts.tls_established = SEEN_YES;
	count(&facts, 1); // TLS 1.3 hides it
	facts.certificate_seen = true;
	count(&facts, 1); // no trust store
	facts.faults_known = true;
	count(&facts, 1); // valid, the name not known
	facts.name_match = SEEN_YES;
	count(&facts, 3);
	facts.address[FROM_SERVER].bytes[15] = 2;
	count(&facts, 1);
	facts.faults = FAULT_NAME_MISMATCH;
	facts.name_match = SEEN_NO;
	count(&facts, 1);
	facts.faults |= FAULT_EXPIRED;
	count(&facts, 4);
	assert_row("certificates", "certificate,valid_and_matching,4,4,10,");
	assert_row("certificates", "certificate,valid_name_unknown,1,1,10,");
	assert_row("certificates", "certificate,valid_but_mismatched,1,1,10,");
	assert_row("certificates", "certificate,invalid,4,4,10,");
	assert_row("certificates", "certificate,not_judged,1,0,0,");
	assert_row("certificates", "certificate,,1,0,0,");
	assert_row("certificates", "fault,expired,4,4,10,0.400000,0.168180,0.687326,1,1,2,");
	assert_row("certificates", "fault,name_mismatch,5,5,10,");
	assert_row("server_list", "198.51.100.1,25,,relay,6,0,0,6,mixed,");
}

static void protection_never_says_safe_from_an_attacker(void **state)
{
	(void)state;
	struct session_facts facts = session(1, 1);
	facts.verdict = VERDICT_ENCRYPTED;
	count(&facts, 1); // the cipher is not known
	facts.cipher_known = true;
	count(&facts, 2);
	facts.cipher_breakable = true;
	count(&facts, 1);
	facts.cipher_breakable = false;
	facts.faults_known = facts.certificate_seen = true;
	facts.name_match = SEEN_YES;
	count(&facts, 1); // good: safe if it is checked
	facts.client_verifies = SEEN_NO;
	count(&facts, 1);
	facts.verdict = VERDICT_STRIPPED;
	count(&facts, 1);
	facts.verdict = VERDICT_NO_MAIL; // nothing to protect
	count(&facts, 1);
	assert_row("protection", "relay,4,2,1,4,6,0.666667,0.299993,0.903229,1,3,3\r");
}

static void operators_are_pairs(void **state)
{
	(void)state;
	struct session_facts facts = session(1, 1);
	strcpy(facts.operator[FROM_CLIENT].text, "example.org");
	strcpy(facts.operator[FROM_SERVER].text, "example.com");
	facts.verdict = VERDICT_ENCRYPTED;
	count(&facts, 2);
	facts.verdict = VERDICT_CLEARTEXT;
	count(&facts, 1);
	facts.verdict = VERDICT_PARTIAL;
	count(&facts, 4);
	facts.operator[FROM_CLIENT].text[0] = '\0';
	count(&facts, 1);
	facts.verdict = VERDICT_NO_MAIL;
	count(&facts, 1);
	assert_row("operator_pairs", "example.org,example.com,sometimes,2,1,4,2,3,");
	assert_row("operator_pairs", ",example.com,,0,0,1,0,0,,,\r");
	assert_row("operators", "sometimes,1,1,1,");
	assert_row("operators", ",1,0,0,,,\r");
}

static void a_path_is_told_of_only_with_evidence(void **state)
{
	(void)state;
	struct session_facts facts = session(1, 1);
	facts.starttls_offered = SEEN_YES;
	count(&facts, 3); // before there is any evidence
	facts.address[FROM_CLIENT] = (struct ip_address){{0x20, 0x01, 0x0d, 0xb8, 1, 2, 3, 4}};
	facts.starttls_offered = SEEN_NO;
	facts.verdict = VERDICT_STRIPPED;
	facts.evidence[EVIDENCE_CAPABILITY_GARBLED] = CONFIDENCE_CONFIRMED;
	facts.evidence[EVIDENCE_CAPABILITY_REMOVED] = CONFIDENCE_SUSPECTED;
	count(&facts, 2);
	facts = session(1, 2);
	count(&facts, 1); // another server
	assert_row("paths", "198.51.100.1,25,,192.0.2.0/24,3,0,0,,3,0\r");
	assert_row("paths", "198.51.100.1,25,,2001:db8:102::/48,2,2,2,confirmed,0,0\r\n");
	assert_row("evidence", "capability_garbled,confirmed,2,2,2,2,");
	assert_row("evidence", "capability_removed,suspected,2,2,2,2,");
}

static void too_many_are_others(void **state)
{
	(void)state;
	struct session_facts facts = session(1, 1);
	facts.verdict = VERDICT_ENCRYPTED;
	facts.tls_established = facts.starttls_offered = facts.starttls_requested = SEEN_YES;
	strcpy(facts.mechanism, "PLAIN");
	for (unsigned i = 0; i < 65536 + 10; i++) {
		for (size_t side = 0; side < 2; side++) {
			facts.address[side].bytes[13] = (uint8_t)(i >> 16);
			facts.address[side].bytes[14] = (uint8_t)(i >> 8);
			facts.address[side].bytes[15] = (uint8_t)i;
			facts.where[side].network = i + 1;
		}
		snprintf(facts.operator[0].text, sizeof facts.operator[0].text, "n%u.example", i);
		snprintf(facts.mechanism, sizeof facts.mechanism, "X%u", i);
		statistics_count(statistics, &facts);
	}
	assert_row("server_list", "others,,,,10,");
	assert_row("servers", ",others,sessions_of_more_servers,10,");
	assert_row("starttls_use", "always,65536,65536,65536,");
	assert_row("starttls_use", "others,,0,0,,,,10,0,0\r");
	assert_row("operator_pairs", "others,others,always,10,0,0,");
	assert_row("credentials", "others,,64522,0,0,64522,0,0,");
	assert_row("sessions", "smtp,relay,25,4,65546,65546,");
	assert_row("networks", "client,,others,61450,"); // 8192 are told apart, of clients and servers
	assert_row("distinct", "servers,6"); // estimated
	assert_row("verdicts", "encrypted,,65546,65546,65546,1.000000,");
}

static void a_restart_forgets(void **state)
{
	(void)state;
	struct session_facts facts = session(1, 1);
	count(&facts, 5);
	assert_int_equal(statistics_span(statistics).sessions, 5);
	assert_true(statistics_restart(statistics));
	assert_int_equal(statistics_span(statistics).sessions, 0);
	count(&facts, 1);
	assert_row("verdicts", "partial,,1,1,1,");
	assert_row("distinct", "servers,1,exact\r");
}

/* ---- adding up ---- */

static char *all_of(const struct statistics *counted)
{
	char *text;
	size_t length;
	FILE *out = open_memstream(&text, &length);
	statistics_each(counted, render_all, out);
	fclose(out);
	return text;
}

// The same ones each time; each fact of them takes each of its values in some.
static struct session_facts varied(unsigned number)
{
	struct session_facts facts = session((uint8_t)(number % 7), (uint8_t)(number % 5));
	enum seen *const seen[] = {&facts.greeted, &facts.listed, &facts.starttls_offered,
	    &facts.starttls_requested, &facts.starttls_accepted, &facts.tls_established,
	    &facts.tls_required, &facts.name_match, &facts.client_verifies,
	    &facts.credentials_exposed};
	unsigned rest = number * 2654435761u;
	facts.start = SECONDS(1000 + number);
	facts.end = SECONDS(1001 + number);
	for (size_t i = 0; i < sizeof seen / sizeof seen[0]; i++)
		*seen[i] = (enum seen)((rest >> i) % 3);
	facts.hop = (enum hop)(rest % HOPS);
	facts.verdict = (enum verdict)(rest / 8 % VERDICTS);
	facts.reason = (enum reason)(rest / 16 % REASONS);
	facts.certificate_seen = rest >> 5 & 1;
	facts.certificate_recalled = rest >> 6 & 1;
	facts.faults_known = rest >> 7 & 1;
	facts.faults = rest >> 8 & ((1u << FAULTS) - 1);
	facts.messages = rest >> 20;
	facts.evidence[rest % EVIDENCE_KINDS] = (uint8_t)(rest / 64 % CONFIDENCES);
	snprintf(facts.mechanism, sizeof facts.mechanism, "M%u", rest % 4);
	snprintf(facts.operator[0].text, sizeof facts.operator[0].text, "o%u.example", rest % 3);
	snprintf(facts.server_name.text, sizeof facts.server_name.text, "s%u.example", rest % 6);
	snprintf(facts.tls_version, sizeof facts.tls_version, "V%u", rest % 3);
	facts.start += SECONDS(60 * (nanoseconds)(number * number)); // so that spans of time grow
	facts.where[0].network = rest % 3;
	snprintf(facts.where[0].network_name, sizeof facts.where[0].network_name, "N%u", number);
	facts.where[1].country[0] = (char)('A' + rest % 3);
	return facts;
}

static void parts_add_up_to_the_whole(void **state)
{
	enum { SESSIONS = 400 };
	static const unsigned cuts[] = {0, 1, 150, 150, 399, SESSIONS};
	struct error error;
	(void)state;
	struct table_frame frame = {SIZE_MAX, hash_key_random()};
	struct statistics *sum = statistics_create_in(&frame, 0, &error);
	for (size_t i = 0; i + 1 < sizeof cuts / sizeof cuts[0]; i++) {
		struct statistics *part = statistics_create_in(&frame, 0, &error);
		for (unsigned number = cuts[i]; number < cuts[i + 1]; number++) {
			struct session_facts facts = varied(number);
			statistics_count(part, &facts);
			statistics_count(statistics, &facts);
		}
		statistics_add(sum, part);
		statistics_destroy(part);
	}
	char *added = all_of(sum), *counted = all_of(statistics);
	assert_string_equal(added, counted);
	assert_true(strlen(added) > 10000);
	struct statistics_span span = statistics_span(sum);
	assert_int_equal(span.sessions, SESSIONS);
	assert_true(span.first == SECONDS(1000) && span.last == SECONDS(1000 + SESSIONS));
	free(added);
	free(counted);
	statistics_destroy(sum);
}

// What a part does not tell apart stays others; what the sum has no room for becomes so.
static void what_does_not_fit_a_frame_is_others(void **state)
{
	struct error error;
	(void)state;
	struct table_frame narrow = {2, hash_key_random()}, wide = {3, narrow.key};
	struct statistics *sum = statistics_create_in(&wide, 0, &error);
	for (uint8_t number = 0; number < 2; number++) {
		struct statistics *part = statistics_create_in(&narrow, 0, &error);
		for (uint8_t server = 0; server < 4; server++) {
			struct session_facts facts = session(1, (uint8_t)(4 * number + server));
			statistics_count(part, &facts);
		}
		statistics_add(sum, part);
		statistics_destroy(part);
	}
	statistics_destroy(statistics);
	statistics = sum;
	assert_row("server_list", "198.51.100.4,25,,relay,1,");
	assert_row("server_list", "others,,,,5,"); // two of each part, and one for which the sum had no room
	assert_row("servers", ",others,sessions_of_more_servers,5,");
	assert_row("verdicts", "partial,,8,8,8,");
	assert_row("distinct", "servers,8,standard error 0.8 %"); // whatever is told apart
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(funnel_leaves_out_what_is_not_seen, begin, end),
	    cmocka_unit_test_setup_teardown(clients_have_habits, begin, end),
	    cmocka_unit_test_setup_teardown(certificates_by_session_and_server, begin, end),
	    cmocka_unit_test_setup_teardown(
	        protection_never_says_safe_from_an_attacker, begin, end),
	    cmocka_unit_test_setup_teardown(operators_are_pairs, begin, end),
	    cmocka_unit_test_setup_teardown(a_path_is_told_of_only_with_evidence, begin, end),
	    cmocka_unit_test_setup_teardown(too_many_are_others, begin, end),
	    cmocka_unit_test_setup_teardown(a_restart_forgets, begin, end),
	    cmocka_unit_test_setup_teardown(parts_add_up_to_the_whole, begin, end),
	    cmocka_unit_test_setup_teardown(what_does_not_fit_a_frame_is_others, begin, end),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
