// SPDX-License-Identifier: Apache-2.0
// Look-ups that follow sessions, and what tables make of them.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "analytics/lookup_line.h"
#include "analytics/statistics.h"
#include "analytics/tables.h"

#include <stdio.h>
#include <string.h>

#define NOW SECONDS((nanoseconds)1700000000)
#define NAME(labels) name_of(labels, sizeof(labels))

static struct dns_lookups *lookups;
static struct lookup_counts taken[4];
static size_t taken_count;

static int set_up(void **state)
{
	(void)state;
	lookups = dns_lookups_create();
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	dns_lookups_destroy(lookups);
	return 0;
}

static struct dns_name name_of(const char *labels, size_t length)
{
	struct dns_name name = {.length = (uint8_t)length};
	memcpy(name.bytes, labels, length);
	return name;
}

// 192.0.N.25
static struct ip_address host(uint8_t network)
{
	return (struct ip_address){{[10] = 0xff, 0xff, 192, 0, network, 25}};
}

static void ask(uint8_t network, int64_t second, enum lookup_kind kind)
{
	struct ip_address resolver = host(network);
	resolver.bytes[15] = 53; // another host of the network
	dns_lookups_question(lookups, &resolver, NOW + SECONDS(second), kind);
}

static void receive(uint8_t network, int64_t start, int64_t end)
{
	struct ip_address server = host(network);
	dns_lookups_session(lookups, &server, NOW + SECONDS(start), NOW + SECONDS(end));
}

static bool sink(void *context, const struct lookup_counts *counts)
{
	(void)context;
	if (taken_count < 4)
		taken[taken_count] = *counts;
	taken_count++;
	return true;
}

static void take(void)
{
	taken_count = 0;
	assert_true(dns_lookups_take(lookups, sink, NULL));
}

static void kinds_of_names(void **state)
{
	static const struct {
		const char *labels;
		size_t length;
		enum lookup_kind kind;
	} rows[] = {
	    {"\x07" "example\x03" "org", 13, LOOKUP_SPF},
	    {"\x04mail\x07" "example\x03" "org", 18, LOOKUP_SPF},
	    {"\x06_dmarc\x07" "example\x03" "org", 20, LOOKUP_DMARC},
	    {"\x02s1\x0a_domainkey\x07" "example\x03" "org", 27, LOOKUP_DKIM},
	    {"\x02s1\x02" "b1\x0a_domainkey\x07" "example\x03" "org", 30, LOOKUP_DKIM},
	    {"\x0a_domainkey\x07" "example\x03" "org", 24, LOOKUP_KINDS}, // no selector
	    {"\x04_spf\x07" "example\x03" "org", 18, LOOKUP_KINDS},
	    {"\x08_mta-sts\x07" "example\x03" "org", 22, LOOKUP_KINDS},
	    {"\x06_dmarc", 8, LOOKUP_KINDS},
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct dns_name name = name_of(rows[i].labels, rows[i].length);
		assert_int_equal(dns_lookup_kind(&name, DNS_TXT), rows[i].kind);
		assert_int_equal(dns_lookup_kind(&name, DNS_MX), LOOKUP_KINDS);
	}
}

static void within_the_session_and_the_window(void **state)
{
	(void)state;
	ask(2, 5, LOOKUP_SPF);
	receive(2, 0, 10);
	ask(2, 70, LOOKUP_DKIM); // the last moment
	ask(2, 71, LOOKUP_DMARC); // too late
	take();
	assert_int_equal(taken_count, 1);
	assert_int_equal(taken[0].sessions, 1);
	assert_int_equal(taken[0].questions, 3);
	assert_int_equal(taken[0].followed[LOOKUP_SPF], 1);
	assert_int_equal(taken[0].followed[LOOKUP_DKIM], 1);
	assert_int_equal(taken[0].followed[LOOKUP_DMARC], 0);
	assert_true(taken[0].first == NOW + SECONDS(10) && taken[0].last == taken[0].first);
}

static void before_it_and_elsewhere(void **state)
{
	(void)state;
	ask(2, -1, LOOKUP_SPF);
	receive(2, 0, 10);
	ask(3, 5, LOOKUP_SPF); // another network, which receives nothing
	ask(2, 11, LOOKUP_KINDS); // something else
	take();
	assert_int_equal(taken_count, 1);
	assert_int_equal(taken[0].followed[LOOKUP_SPF], 0);
	assert_int_equal(taken[0].questions, 2);
}

static void one_look_up_for_several_sessions(void **state)
{
	(void)state;
	for (int64_t i = 0; i < 100; i++)
		receive(2, i, i); // a second each
	ask(2, 100, LOOKUP_SPF); // after those of the last minute
	ask(2, 101, LOOKUP_SPF); // they are counted once
	receive(2, 99, 100); // one that it came in the middle of
	take();
	assert_int_equal(taken[0].sessions, 101);
	assert_int_equal(taken[0].followed[LOOKUP_SPF], 60 + 1);
	take();
	assert_int_equal(taken_count, 0); // nothing new
}

static void what_was_told_waits_no_longer(void **state)
{
	(void)state;
	receive(2, 0, 10);
	take();
	assert_int_equal(taken[0].sessions, 1);
	ask(2, 11, LOOKUP_SPF);
	receive(2, 12, 13);
	take();
	assert_int_equal(taken[0].sessions, 1);
	assert_int_equal(taken[0].questions, 1);
	assert_int_equal(taken[0].followed[LOOKUP_SPF], 0);
}

static void many_networks(void **state)
{
	(void)state;
	receive(2, 0, 10);
	for (uint32_t i = 0; i < 20000; i++) {
		struct ip_address asker = {{0x20, 1, 0xd, 0xb8, (uint8_t)(i >> 8), (uint8_t)i}};
		dns_lookups_question(lookups, &asker, NOW, LOOKUP_SPF);
	}
	take(); // one that receives mail does not give way to others
	assert_int_equal(taken_count, 1);
	assert_int_equal(dns_lookups_given_up(lookups), 20001 - 8192);
	for (uint32_t i = 0; i < 20000; i++) {
		struct ip_address server = {{0x20, 1, 0xd, 0xb8, (uint8_t)(i >> 8), (uint8_t)i}};
		dns_lookups_session(lookups, &server, NOW, NOW);
	}
	take();
	assert_in_range(taken_count, 4096, 8192);
}

/* ---- lines and tables ---- */

struct cells {
	struct row_sink sink;
	size_t rows;
	uint64_t sessions;
	char text[4096];
};

static void put_row(struct row_sink *sink, const struct cell *cells)
{
	struct cells *to = (struct cells *)sink;
	to->rows++;
	for (size_t i = 0; i < 6; i++) {
		char *end = to->text + strlen(to->text);
		size_t room = (size_t)(to->text + sizeof to->text - end);
		bool text = i == 0, share = i == 2 || i == 4;
		if (!cells[i].known)
			snprintf(end, room, "- ");
		else if (text)
			snprintf(end, room, "%.*s ", (int)cells[i].text.length, cells[i].text.data);
		else if (share)
			snprintf(end, room, "%u/%u ", (unsigned)cells[i].part, (unsigned)cells[i].of);
		else
			snprintf(end, room, "%u ", (unsigned)cells[i].number);
	}
	strcat(to->text, "\n");
}

static void count_row(struct row_sink *sink, const struct cell *cells)
{
	struct cells *to = (struct cells *)sink;
	to->rows++;
	to->sessions += cells[1].number;
}

static void show_kinds(void *context, const struct table_ops *table, const void *accumulator)
{
	if (table == &lookups_table)
		table->rows(accumulator, context);
}

static void count_lines(struct statistics *statistics)
{
	struct json json = {0};
	const struct lookup_writer writer = {&json, NULL, NULL};
	take();
	for (size_t i = 0; i < taken_count; i++) {
		struct lookup_facts facts, read;
		lookup_line_write(&writer, &taken[i], &facts);
		assert_true(lookup_facts_of_line(&read, json.text, json.length - 1));
		assert_memory_equal(&facts.network, &taken[i].network, sizeof facts.network);
		assert_memory_equal(&facts.network, &read.network, sizeof facts.network);
		assert_int_equal(facts.sessions, read.sessions);
		assert_int_equal(facts.questions, read.questions);
		assert_memory_equal(facts.followed, read.followed, sizeof facts.followed);
		statistics_lookups(statistics, &facts);
	}
	json_release(&json);
}

static void what_tables_say(void **state)
{
	struct error error;
	struct cells cells = {.sink = {put_row}};
	struct statistics *statistics = statistics_create(0, &error);
	(void)state;
	receive(2, 0, 10);
	ask(2, 11, LOOKUP_SPF);
	receive(2, 100, 110);
	receive(3, 0, 10);
	ask(3, 11, LOOKUP_KINDS); // looks up other things alone
	receive(4, 0, 10); // was never seen to ask
	count_lines(statistics);
	receive(2, 200, 210); // now nothing is seen of it: not counted as none
	count_lines(statistics);
	statistics_each(statistics, show_kinds, &cells);
	assert_string_equal(cells.text,
	    "spf 1 1/2 1 1/3 2 \n"
	    "dkim 0 0/2 0 0/3 2 \n"
	    "dmarc 0 0/2 0 0/3 2 \n");
	statistics_destroy(statistics);
}

static void count_rows(void *context, const struct table_ops *table, const void *accumulator)
{
	if (table == &lookup_list_table)
		table->rows(accumulator, context);
}

// Receivers: name, then sessions, networks and so on; shares as their two numbers.
static void put_receiver(struct row_sink *sink, const struct cell *cells)
{
	struct cells *to = (struct cells *)sink;
	for (size_t i = 0; i < 11; i++) {
		char *end = to->text + strlen(to->text);
		size_t room = (size_t)(to->text + sizeof to->text - end);
		if (!cells[i].known)
			snprintf(end, room, "- ");
		else if (i == 0)
			snprintf(end, room, "%.*s ", (int)cells[i].text.length, cells[i].text.data);
		else if (i >= 6 && i % 2 == 0)
			snprintf(
			    end, room, "%u/%u ", (unsigned)cells[i].part, (unsigned)cells[i].of);
		else
			snprintf(end, room, "%u ", (unsigned)cells[i].number);
	}
	strcat(to->text, "\n");
}

static void show_receivers(void *context, const struct table_ops *table, const void *accumulator)
{
	if (table == &lookup_operators_table)
		table->rows(accumulator, context);
}

static void count_session(struct statistics *statistics, const char *operator, uint8_t network,
    uint16_t port, enum verdict verdict)
{
	struct session_facts facts = {.start = NOW,
	    .end = NOW,
	    .server_port = port,
	    .protocol = PROTOCOL_SMTP,
	    .hop = HOP_RELAY,
	    .verdict = verdict,
	    .dns_read = true};
	facts.address[FROM_SERVER] = host(network);
	strcpy(facts.operator[FROM_SERVER].text, operator);
	statistics_count(statistics, &facts);
}

static void what_operators_look_up(void **state)
{
	struct error error;
	struct cells cells = {.sink = {put_receiver}};
	const struct table_frame frame = {.most = 100, .key = {{1, 2}}};
	struct statistics *statistics = statistics_create_in(&frame, 0, &error);
	struct statistics *part = statistics_create_in(&frame, 0, &error);
	(void)state;
	for (unsigned i = 0; i < 3; i++)
		count_session(statistics, "a.example", 2, 25, VERDICT_CLEARTEXT);
	count_session(statistics, "a.example", 3, 25, VERDICT_ENCRYPTED);
	count_session(part, "a.example", 4, 25, VERDICT_STRIPPED);
	count_session(part, "b.example", 3, 25, VERDICT_CLEARTEXT);
	count_session(
	    part, "b.example", 3, 587, VERDICT_CLEARTEXT); // nobody's mail is checked there
	count_session(part, "b.example", 3, 25, VERDICT_NO_MAIL);
	count_session(part, "", 5, 25, VERDICT_CLEARTEXT); // told of in no line
	receive(2, 0, 10);
	ask(2, 11, LOOKUP_SPF);
	receive(3, 0, 10);
	ask(3, 11, LOOKUP_SPF);
	ask(3, 12, LOOKUP_DMARC);
	receive(4, 0, 10); // not seen to ask
	count_lines(statistics);
	statistics_add(statistics, part);
	statistics_each(statistics, show_receivers, &cells);
	assert_string_equal(cells.text,
	    "a.example 5 3 1 2 2 2/2 0 0/2 1 1/2 \n"
	    "- 1 1 0 0 - - - - - - \n"
	    "b.example 1 1 1 1 1 1/1 0 0/1 1 1/1 \n");
	statistics_destroy(part);
	statistics_destroy(statistics);
}

static void many_rows(void **state)
{
	struct error error;
	struct cells cells = {.sink = {count_row}};
	struct statistics *statistics = statistics_create(0, &error);
	(void)state;
	for (uint32_t i = 0; i < 9000; i++) {
		struct ip_address address = {{0x20, 1, 0xd, 0xb8, (uint8_t)(i >> 8), (uint8_t)i}};
		const struct lookup_facts facts = {
		    .network = client_network_of(&address), .sessions = 1, .questions = 1};
		statistics_lookups(statistics, &facts);
	}
	statistics_each(statistics, count_rows, &cells);
	assert_int_equal(cells.rows, 8192 + 1); // and others
	assert_int_equal(cells.sessions, 9000);
	statistics_destroy(statistics);
}

static void lines_that_are_none(void **state)
{
	struct lookup_facts facts;
	struct domain_facts domain;
	static const char *const lines[] = {"", "{", "[]", "{}", "{\"network\":1}",
	    "{\"network\":\"here\",\"sessions\":1,\"questions\":1,\"spf\":1,\"dkim\":1,\"dmarc\":1}",
	    "{\"network\":\"192.0.2.0/24\",\"sessions\":-1,\"questions\":1,\"spf\":1,\"dkim\":1,\"dmarc\":1}",
	    "{\"network\":\"192.0.2.0/24\",\"sessions\":1,\"questions\":1,\"spf\":1,\"dkim\":1}"};
	(void)state;
	for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
		assert_false(lookup_facts_of_line(&facts, lines[i], strlen(lines[i])));
		assert_false(domain_facts_of_line(&domain, lines[i], strlen(lines[i])));
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(kinds_of_names),
	    TEST(within_the_session_and_the_window),
	    TEST(before_it_and_elsewhere),
	    TEST(one_look_up_for_several_sessions),
	    TEST(what_was_told_waits_no_longer),
	    TEST(many_networks),
	    TEST(what_tables_say),
	    TEST(what_operators_look_up),
	    TEST(many_rows),
	    TEST(lines_that_are_none),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
