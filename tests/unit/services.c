// SPDX-License-Identifier: Apache-2.0
// Domains that share an address of their hosts of MX are one service.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/unit/table_lab.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct cells {
	struct row_sink sink;
	size_t rows;
	size_t length;
	char text[4096];
};

static void put(struct cells *cells, const char *text)
{
	size_t length = strlen(text);
	if (cells->length + length < sizeof cells->text) {
		memcpy(cells->text + cells->length, text, length + 1);
		cells->length += length;
	}
}

// service, address, addresses, domains, of how many, sessions, of how many
static void put_row(struct row_sink *sink, const struct cell *cells)
{
	struct cells *to = (struct cells *)sink;
	to->rows++;
	for (size_t i = 0; i < 7; i++) {
		char cell[300];
		if (!cells[i].known)
			snprintf(cell, sizeof cell, "- ");
		else if (i < 2)
			snprintf(cell, sizeof cell, "%.*s ", (int)cells[i].text.length,
			    (const char *)cells[i].text.data);
		else if (i == 4 || i == 6)
			snprintf(cell, sizeof cell, "/%u ", (unsigned)cells[i].of);
		else
			snprintf(cell, sizeof cell, "%u ", (unsigned)cells[i].number);
		put(to, cell);
	}
	put(to, "\n");
}

static void show_services(void *context, const struct table_ops *table, const void *accumulator)
{
	if (table == &services_table)
		table->rows(accumulator, context);
}

// `hosts`: the value of the key mx.
static void domain(const char *name, const char *hosts)
{
	char line[4096];
	struct domain_facts facts;
	int length = snprintf(line, sizeof line, "{\"domain\":\"%s\",\"mx\":%s}", name, hosts);
	assert_true(domain_facts_of_line(&facts, line, (size_t)length));
	facts_lookup_domain(lookup, &facts.host, &facts.operator);
	statistics_domain(statistics, &facts);
}

static void session(uint8_t last, uint16_t port, bool dns_read)
{
	static struct session_facts facts;
	facts = (struct session_facts){.dns_read = dns_read,
	    .server_port = port,
	    .verdict = VERDICT_ENCRYPTED,
	    .address = {{{0}}, {{[10] = 0xff, 0xff, 192, 0, 2, last}}}};
	statistics_count(statistics, &facts);
}

static void expect(const char *rows)
{
	struct cells cells = {.sink = {put_row}};
	statistics_each(statistics, show_services, &cells);
	assert_string_equal(cells.text, rows);
}

static void shared_addresses(void **state)
{
	(void)state;
	expect("");
	domain("a.example", "[{\"preference\":10,\"host\":\"mx.provider.example\",\"addresses\":[\"192.0.2.1\",\"192.0.2.2\"]}]");
	domain("b.example",
	    "[{\"preference\":20,\"host\":\"mx.other.example\",\"addresses\":[\"192.0.2.3\"]},"
	    "{\"preference\":10,\"host\":\"b.mx.provider.example\",\"addresses\":[\"192.0.2.2\"]}]");
	domain("c.example", "[{\"preference\":0,\"host\":\"mx.c.example\",\"addresses\":[\"192.0.2.3\"]}]"); // by way of b
	domain("d.example", "[{\"preference\":0,\"host\":\"mx.d.example\",\"addresses\":[\"2001:db8::1\"]}]");
	domain("e.example", "[{\"preference\":0,\"host\":\"mx.e.example\",\"addresses\":null}]"); // not seen
	domain("f.example", "null"); // not asked for
	session(1, 25, true);
	session(3, 25, true);
	session(3, 465, true); // no server sends there
	session(3, 25, false); // of a run that did not read DNS
	session(9, 25, true); // of no domain that was seen
	expect("provider.example 192.0.2.1 3 3 /4 2 /2 \n"
	       "d.example 2001:db8::1 1 1 /4 0 /2 \n"
	       "- - - 2 - 1 - \n");
}

// Domains that let their mail be sent nowhere have no service in common.
static void nowhere(void **state)
{
	(void)state;
	domain("a.example", "[{\"preference\":0,\"host\":\"localhost\",\"addresses\":[\"127.0.0.1\",\"::1\"]}]");
	domain("b.example", "[{\"preference\":0,\"host\":\"localhost\",\"addresses\":[\"127.0.0.1\",\"0.0.0.0\",\"::\"]}]");
	domain("c.example", "[{\"preference\":0,\"host\":\"mx.c.example\",\"addresses\":[\"::1.0.0.0\",\"0.0.0.0\"]}]");
	expect("c.example ::1.0.0.0 1 1 /1 0 - \n- - - 2 - 0 - \n");
	domain("a.example", "[{\"preference\":0,\"host\":\"mx.a.example\",\"addresses\":[\"127.0.0.1\"]}],\"anonymised\":true");
	domain("b.example", "[{\"preference\":0,\"host\":\"mx.b.example\",\"addresses\":[\"127.0.0.1\"]}],\"anonymised\":true");
	expect("a.example 127.0.0.1 1 2 /3 0 - \nc.example ::1.0.0.0 1 1 /3 0 - \n");
}

static void the_last_line_counts(void **state)
{
	(void)state;
	domain("a.example", "[{\"preference\":0,\"host\":\"mx.a.example\",\"addresses\":[\"192.0.2.1\"]}]");
	domain("a.example", "[{\"preference\":0,\"host\":\"mx.b.example\",\"addresses\":[\"192.0.2.2\"]}]");
	expect("b.example 192.0.2.2 1 1 /1 0 - \n");
	domain("a.example", "null"); // it was not asked for again
	expect("b.example 192.0.2.2 1 1 /1 0 - \n");
}

static void names_of_most_domains(void **state)
{
	char name[32];
	(void)state;
	for (int i = 0; i < 5; i++) {
		snprintf(name, sizeof name, "d%d.example", i);
		domain(name, i < 2 ? "[{\"preference\":0,\"host\":\"mx.x.example\",\"addresses\":[\"192.0.2.1\"]}]"
		           : i < 4 ? "[{\"preference\":0,\"host\":\"mx.w.example\",\"addresses\":[\"192.0.2.1\"]}]"
		                   : "[{\"preference\":0,\"host\":\"192.0.2.1\",\"addresses\":[\"192.0.2.1\"]}]");
	}
	expect("w.example 192.0.2.1 1 5 /5 0 - \n"); // of two with as many the first by name
}

static void many_addresses(void **state)
{
	char hosts[4096] = "[{\"preference\":0,\"host\":\"mx.a.example\",\"addresses\":[";
	(void)state;
	for (int i = 0; i < 20; i++) {
		char address[32];
		snprintf(address, sizeof address, "%s\"192.0.2.%d\"", i > 0 ? "," : "", 1 + i);
		strcat(hosts, address);
	}
	strcat(hosts, "]}]");
	domain("a.example", hosts);
	expect("a.example 192.0.2.1 8 1 /1 0 - \n");
}

static void many_domains(void **state)
{
	struct cells cells = {.sink = {put_row}};
	char name[64];
	(void)state;
	for (int i = 0; i < 17000; i++) {
		snprintf(name, sizeof name, "d%d.example", i);
		domain(name, "[{\"preference\":0,\"host\":\"mx.a.example\",\"addresses\":[\"192.0.2.1\"]}]");
	}
	statistics_each(statistics, show_services, &cells);
	assert_string_equal(cells.text, "a.example 192.0.2.1 1 16384 /16384 0 - \n"
	                                "- - - 616 - 0 - \n");
}

static void parts_add_up(void **state)
{
	struct error error;
	struct table_frame frame = {SIZE_MAX, hash_key_random()};
	struct statistics *whole = statistics_create_in(&frame, 0, &error);
	struct statistics *first = statistics;
	(void)state;
	statistics = statistics_create_in(&frame, 0, &error);
	domain("a.example", "[{\"preference\":0,\"host\":\"mx.a.example\",\"addresses\":[\"192.0.2.1\"]}]");
	session(1, 25, true);
	statistics_add(whole, statistics);
	statistics_restart(statistics);
	domain("b.example", "[{\"preference\":0,\"host\":\"mx.b.example\",\"addresses\":[\"192.0.2.1\"]}]");
	session(1, 25, true);
	session(2, 25, true);
	statistics_add(whole, statistics);
	statistics_destroy(statistics);
	statistics = whole;
	expect("a.example 192.0.2.1 1 2 /2 2 /2 \n"
	       "- - - 0 - 1 - \n");
	statistics_destroy(whole);
	statistics = first;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(shared_addresses),
	    TEST(the_last_line_counts),
	    TEST(nowhere),
	    TEST(names_of_most_domains),
	    TEST(many_addresses),
	    TEST(many_domains),
	    TEST(parts_add_up),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
