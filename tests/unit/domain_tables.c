// SPDX-License-Identifier: Apache-2.0
// What domains publish, counted by domain and by session.
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
	const struct table_ops *table;
	const char *only; // rows whose first cell, or second, is this
	size_t length;
	char text[4096];
};

static void put(struct cells *cells, const char *text)
{
	size_t length = strlen(text);
	assert_true(cells->length + length < sizeof cells->text);
	memcpy(cells->text + cells->length, text, length + 1);
	cells->length += length;
}

static void put_cell(struct cells *to, const struct cell *cell, enum column_kind kind)
{
	char text[300];
	if (!cell->known)
		snprintf(text, sizeof text, "- ");
	else if (kind == COLUMN_TEXT)
		snprintf(text, sizeof text, "%.*s ", (int)cell->text.length,
		    (const char *)cell->text.data);
	else if (kind == COLUMN_SHARE)
		snprintf(text, sizeof text, "%u/%u ", (unsigned)cell->part, (unsigned)cell->of);
	else
		snprintf(text, sizeof text, "%u ", (unsigned)cell->number);
	put(to, text);
}

static void put_row(struct row_sink *sink, const struct cell *cells)
{
	struct cells *to = (struct cells *)sink;
	if (to->only != NULL && (cells[0].text.length != strlen(to->only) ||
	                            memcmp(cells[0].text.data, to->only, strlen(to->only)) != 0))
		return;
	for (size_t i = 0; i < to->table->column_count; i++)
		put_cell(to, &cells[i], to->table->columns[i].kind);
	put(to, "\n");
}

static void show_table(void *context, const struct table_ops *table, const void *accumulator)
{
	struct cells *cells = context;
	if (table == cells->table)
		table->rows(accumulator, &cells->sink);
}

static void domain(const char *name, const char *rest)
{
	char line[4096];
	struct domain_facts facts;
	int length = snprintf(line, sizeof line, "{\"domain\":\"%s\",%s}", name, rest);
	assert_true(domain_facts_of_line(&facts, line, (size_t)length));
	facts_lookup_of_domain(lookup, &facts);
	statistics_domain(statistics, &facts);
}

// One whose host is at an address.
static void domain_at(const char *name, unsigned last, const char *rest)
{
	char text[2048];
	snprintf(text, sizeof text,
	    "%s,\"mx\":[{\"preference\":1,\"host\":\"mx.%s\",\"addresses\":[\"192.0.2.%u\"]}]",
	    rest, name, last);
	domain(name, text);
}

static void sessions(unsigned count, uint8_t last, uint16_t port)
{
	static struct session_facts facts;
	facts = (struct session_facts){.dns_read = true,
	    .server_port = port,
	    .verdict = VERDICT_ENCRYPTED,
	    .address = {{{0}}, {{[10] = 0xff, 0xff, 192, 0, 2, last}}}};
	while (count-- > 0)
		statistics_count(statistics, &facts);
}

static void expect(const struct table_ops *table, const char *only, const char *rows)
{
	struct cells cells = {.sink = {put_row}, .table = table, .only = only};
	statistics_each(statistics, show_table, &cells);
	assert_string_equal(cells.text, rows);
}

static void policies(void **state)
{
	(void)state;
	expect(&policies_table, NULL, "");
	domain("a.org", "\"spf\":true,\"spf_valid\":true,\"spf_all\":\"-all\"");
	domain(
	    "b.org", "\"spf\":true,\"spf_valid\":true,\"spf_all\":\"~all\",\"spf_redirect\":false");
	domain("c.org", "\"spf\":true,\"spf_valid\":true,\"spf_all\":null,\"spf_redirect\":true");
	domain("d.org", "\"spf\":true,\"spf_valid\":true,\"spf_all\":null,\"spf_redirect\":false");
	domain("e.org", "\"spf\":true,\"spf_valid\":false,\"spf_all\":null");
	domain("f.org", "\"spf\":false,\"spf_valid\":null");
	domain("g.org", "\"spf\":null,\"dmarc\":null");
	domain("h.org", "\"spf\":null,\"dmarc\":false");
	domain("i.org", "\"dmarc\":true,\"dmarc_policy\":\"reject\"");
	domain("j.org", "\"dmarc\":true,\"dmarc_policy\":null");
	domain("sub.k.org", "\"dmarc\":false"); // that of k.org may hold for it
	domain("sub.l.org", "\"dmarc\":true,\"dmarc_policy\":\"none\"");
	expect(&policies_table, NULL,
	    "SPF -all 1 1/6 \nSPF ~all 1 1/6 \nSPF redirect 1 1/6 \nSPF no all 1 1/6 \n"
	    "SPF invalid 1 1/6 \nSPF no record 1 1/6 \nSPF - 6 - \n"
	    "DMARC reject 1 1/4 \nDMARC none 1 1/4 \nDMARC invalid 1 1/4 \nDMARC no record 1 1/4 \n"
	    "DMARC - 8 - \n");
	// The line of a domain that was seen last counts, and of two of the same time the last, in whatever order logs are read.
	domain("a.org", "\"spf\":true,\"spf_valid\":false,\"last_seen\":\"2026-11-27T12:00:00Z\"");
	domain("a.org", "\"spf\":true,\"spf_valid\":true,\"spf_all\":\"~all\","
	                "\"last_seen\":\"2026-11-27T12:00:00Z\"");
	domain("a.org", "\"spf\":false,\"last_seen\":\"2026-11-27T11:59:59.999999Z\"");
	expect(&policies_table, "SPF",
	    "SPF ~all 2 2/6 \nSPF redirect 1 1/6 \nSPF no all 1 1/6 \n"
	    "SPF invalid 1 1/6 \nSPF no record 1 1/6 \nSPF - 6 - \n");
}

static void shared_hosts(void **state)
{
	(void)state;
	// One host of domains with, one of domains without, one of both, one of which it is not known of all.
	domain_at("a.org", 1, "\"spf\":true");
	domain_at("b.org", 1, "\"spf\":true");
	domain_at("c.org", 2, "\"spf\":false");
	domain_at("d.org", 3, "\"spf\":true");
	domain_at("e.org", 3, "\"spf\":false");
	domain_at("f.org", 4, "\"spf\":true");
	domain_at("g.org", 4, "\"spf\":null");
	sessions(5, 1, 25);
	sessions(2, 2, 25);
	sessions(3, 3, 25);
	sessions(4, 4, 25);
	sessions(9, 5, 25); // of no domain that was seen
	sessions(9, 1, 587); // not on the way to a domain
	expect(&properties_table, "spf", "spf 4 2 1 4/6 5 2 7 5/7 \n");
}

static void check_property(const char *name, const char *line, const char *row)
{
	tear_down(NULL);
	set_up(NULL);
	domain("a.org", line);
	expect(&properties_table, name, row);
}

static void properties(void **state)
{
	(void)state;
	check_property(
	    "dnssec_secure", "\"dnssec\":\"secure\"", "dnssec_secure 1 0 0 1/1 0 0 0 - \n");
	check_property(
	    "dnssec_secure", "\"dnssec\":\"bogus\"", "dnssec_secure 0 1 0 0/1 0 0 0 - \n");
	check_property(
	    "dnssec_secure", "\"dnssec\":\"insecure\"", "dnssec_secure 0 1 0 0/1 0 0 0 - \n");
	check_property("dnssec_secure", "\"dnssec\":null,\"dnssec_signatures\":true",
	    "dnssec_secure 0 0 1 - 0 0 0 - \n");
	check_property("dnssec_secure", "\"dnssec\":null,\"dnssec_signatures\":false",
	    "dnssec_secure 0 1 0 0/1 0 0 0 - \n");
	check_property("spf_strict", "\"spf\":true,\"spf_valid\":true,\"spf_redirect\":true",
	    "spf_strict 0 0 1 - 0 0 0 - \n");
	check_property("dmarc_enforced", "\"dmarc\":true,\"dmarc_policy\":\"quarantine\"",
	    "dmarc_enforced 1 0 0 1/1 0 0 0 - \n");
	check_property("dkim", "\"dkim\":[{\"revoked\":true,\"key_type\":\"rsa\"}]",
	    "dkim 0 1 0 0/1 0 0 0 - \n");
	check_property("dkim",
	    "\"dkim\":[{\"revoked\":true,\"key_type\":\"rsa\"},{\"revoked\":false,\"key_type\":"
	    "\"rsa\"}]",
	    "dkim 1 0 0 1/1 0 0 0 - \n");
	check_property("tlsa", "\"mx\":[{\"tlsa\":[]},{\"tlsa\":null}]", "tlsa 0 0 1 - 0 0 0 - \n");
	check_property("tlsa", "\"mx\":[{\"tlsa\":[]},{\"tlsa\":[]}]", "tlsa 0 1 0 0/1 0 0 0 - \n");
	check_property("tlsa", "\"mx\":[{\"tlsa\":[{\"usage\":3}]},{\"tlsa\":null}]",
	    "tlsa 1 0 0 1/1 0 0 0 - \n");
	check_property("mta_sts", "\"mta_sts\":false", "mta_sts 0 1 0 0/1 0 0 0 - \n");
}

static void many_domains(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 16384 + 3; i++) {
		char name[32];
		snprintf(name, sizeof name, "d%u.org", i);
		domain(name, "\"spf\":true,\"spf_valid\":true,\"spf_all\":\"-all\"");
	}
	expect(&policies_table, "SPF", "SPF -all 16384 16384/16384 \nSPF - 3 - \n");
	expect(&properties_table, "spf", "spf 16384 0 3 16384/16384 0 0 0 - \n");
}

// Parts of a window add up.
static void sums(void **state)
{
	struct statistics *whole = statistics;
	struct table_frame frame = {SIZE_MAX, hash_key_random()};
	struct error error;
	(void)state;
	struct statistics *sum = statistics_create_in(&frame, 0, &error);
	for (unsigned part = 0; part < 2; part++) {
		statistics = statistics_create_in(&frame, 0, &error);
		domain_at("a.org", 1, part == 0 ? "\"spf\":false" : "\"spf\":true");
		sessions(2 + part, 1, 25);
		statistics_add(sum, statistics);
		statistics_destroy(statistics);
	}
	statistics = sum;
	expect(&properties_table, "spf", "spf 1 0 0 1/1 5 0 0 5/5 \n");
	statistics_destroy(sum);
	statistics = whole;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(policies),
	    TEST(shared_hosts),
	    TEST(properties),
	    TEST(many_domains),
	    TEST(sums),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
