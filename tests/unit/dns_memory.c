// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "analytics/dns_domains.h"
#include "analytics/dns_text.h"
#include "analytics/dns_transactions.h"

#include <malloc.h>
#include <string.h>

#define NAME(labels) name_of(labels, sizeof(labels))

static struct dns_name name_of(const char *labels, size_t length)
{
	struct dns_name name = {.length = (uint8_t)length};
	memcpy(name.bytes, labels, length);
	return name;
}

static struct dns_parsed parsed; // too large for a stack

static void begin(uint16_t type, struct dns_name name)
{
	parsed.count = 0;
	parsed.rcode = 0;
	parsed.truncated = parsed.authentic = parsed.authoritative = parsed.more = false;
	parsed.answer = parsed.recursion_available = true;
	parsed.type = type;
	parsed.name = name;
}

static void add(
    enum dns_section section, uint16_t type, const struct dns_name *owner, const void *data, size_t length)
{
	parsed.records[parsed.count++] = (struct dns_record){.type = type,
	    .section = (uint8_t)section,
	    .ttl = 300,
	    .owner = owner->bytes,
	    .owner_length = owner->length,
	    .data = data,
	    .data_length = (uint16_t)length};
}

static enum dns_state take(struct dns_memory *memory, uint8_t resolver, int64_t second, bool asked)
{
	const struct dns_message message = {
	    .time = SECONDS(second), .source = {{[15] = resolver}}};
	return dns_memory_take(memory, &message, &parsed, asked);
}

static void resolvers_are_kept_apart(void **state)
{
	struct dns_memory *memory = dns_memory_create();
	struct dns_name name = NAME("\x07" "example\x03" "org");
	bool differ;
	(void)state;
	begin(DNS_A, name);
	assert_null(dns_memory_find(memory, &name, DNS_A, &differ));
	for (uint8_t i = 1; i <= 4; i++) {
		begin(DNS_A, name);
		add(DNS_ANSWER, DNS_A, &name, "\xc0\0\x02\x01", 4);
		assert_int_equal(take(memory, i, i, true), DNS_DATA);
	}
	const struct dns_answer *answer = dns_memory_find(memory, &name, DNS_A, &differ);
	assert_int_equal(answer->resolver.bytes[15], 4);
	assert_false(differ);
	// A fifth takes the place of the one that was seen first.
	begin(DNS_A, name);
	add(DNS_ANSWER, DNS_A, &name, "\xc0\0\x02\x02", 4);
	take(memory, 5, 5, true);
	answer = dns_memory_find(memory, &name, DNS_A, &differ);
	assert_true(differ);
	assert_int_equal(answer->resolver.bytes[15], 5);
	// What nobody is known to have asked for does not replace what somebody did.
	begin(DNS_A, name);
	add(DNS_ANSWER, DNS_A, &name, "\xc0\0\x02\x66", 4);
	take(memory, 5, 6, false);
	answer = dns_memory_find(memory, &name, DNS_A, &differ);
	assert_true(answer->asked && answer->records[5] == 2);
	take(memory, 9, 7, false); // from elsewhere, likewise
	assert_true(dns_memory_find(memory, &name, DNS_A, &differ)->asked);
	assert_int_equal(dns_memory_counters(memory).names, 1);
	dns_memory_destroy(memory);
}

// However many say something that nobody is known to have asked for: what somebody did stays, as long as it is good.
static void what_was_asked_for_stays(void **state)
{
	struct dns_memory *memory = dns_memory_create();
	struct dns_name name = NAME("\x07" "example\x03" "org");
	bool differ;
	(void)state;
	begin(DNS_A, name);
	add(DNS_ANSWER, DNS_A, &name, "\xc0\0\x02\x01", 4);
	take(memory, 1, 1, true);
	parsed.records[0].data = (const uint8_t *)"\xc0\0\x02\x66";
	for (uint8_t i = 2; i < 10; i++)
		take(memory, i, i, false);
	const struct dns_answer *answer = dns_memory_find(memory, &name, DNS_A, &differ);
	assert_true(differ && answer->asked && answer->resolver.bytes[15] == 1);
	for (uint8_t i = 10; i < 14; i++)
		take(memory, i, 300 + i, false);
	assert_false(dns_memory_find(memory, &name, DNS_A, &differ)->asked);
	dns_memory_destroy(memory);
}

// As long as the shortest of what led to it.
static void how_long_an_alias_is_good(void **state)
{
	struct dns_memory *memory = dns_memory_create();
	struct dns_name one = NAME("\x03" "one"), two = NAME("\x03" "two");
	bool differ;
	(void)state;
	begin(DNS_A, one);
	add(DNS_ANSWER, DNS_CNAME, &one, two.bytes, two.length);
	add(DNS_ANSWER, DNS_A, &two, "\xc0\0\x02\x01", 4);
	parsed.records[0].ttl = 70;
	take(memory, 1, 1, true);
	assert_int_equal(dns_memory_find(memory, &one, DNS_A, &differ)->good_until, SECONDS(71));
	parsed.records[1].ttl = 5;
	take(memory, 1, 1, true);
	assert_int_equal(dns_memory_find(memory, &one, DNS_A, &differ)->good_until, SECONDS(61));
	dns_memory_destroy(memory);
}

static void what_is_not_there(void **state)
{
	struct dns_memory *memory = dns_memory_create();
	struct dns_name name = NAME("\x07" "example\x03" "org"), zone = NAME("\x03" "org");
	bool differ;
	(void)state;
	begin(DNS_MX, name);
	assert_int_equal(take(memory, 1, 1, true), DNS_NOTHING); // a referral, or a broken server
	add(DNS_AUTHORITY, DNS_SOA, &zone, "", 0);
	assert_int_equal(take(memory, 1, 1, true), DNS_NO_DATA);
	parsed.rcode = 3;
	assert_int_equal(take(memory, 1, 1, true), DNS_NO_NAME);
	parsed.rcode = 2;
	assert_int_equal(take(memory, 1, 1, true), DNS_NOTHING);
	begin(DNS_MX, name);
	add(DNS_ANSWER, DNS_MX, &name, "\0\x0a\x02mx", 6);
	parsed.truncated = true;
	assert_int_equal(take(memory, 1, 1, true), DNS_NOTHING);
	assert_int_equal(dns_memory_find(memory, &name, DNS_MX, &differ)->state, DNS_NO_NAME);
	dns_memory_destroy(memory);
}

static void aliases(void **state)
{
	struct dns_memory *memory = dns_memory_create();
	struct dns_name names[10];
	(void)state;
	for (unsigned count = 8; count <= 9; count++) {
		for (unsigned i = 0; i <= count; i++)
			names[i] = name_of((const char[]){1, (char)('a' + i), 0}, 3);
		begin(DNS_A, names[0]);
		for (unsigned i = 0; i < count; i++)
			add(DNS_ANSWER, DNS_CNAME, &names[i], names[i + 1].bytes, 3);
		add(DNS_ANSWER, DNS_A, &names[count], "\xc0\0\x02\x01", 4);
		assert_int_equal(take(memory, 1, 1, true), count == 8 ? DNS_DATA : DNS_NOTHING);
	}
	begin(DNS_A, names[0]); // in a circle
	add(DNS_ANSWER, DNS_CNAME, &names[0], names[0].bytes, 3);
	assert_int_equal(take(memory, 1, 1, true), DNS_NOTHING);
	dns_memory_destroy(memory);
}

// One server gives the alias, another what it leads to.
static void aliases_elsewhere(void **state)
{
	struct dns_memory *memory = dns_memory_create();
	struct dns_name names[12];
	struct dns_followed found;
	(void)state;
	for (unsigned i = 0; i < 12; i++)
		names[i] = name_of((const char[]){1, (char)('a' + i), 0}, 3);
	begin(DNS_TXT, names[0]);
	add(DNS_ANSWER, DNS_CNAME, &names[0], names[1].bytes, 3);
	add(DNS_ANSWER, DNS_CNAME, &names[1], names[2].bytes, 3);
	assert_int_equal(take(memory, 1, 1, true), DNS_ALIAS);
	assert_null(dns_memory_follow(memory, &names[0], DNS_TXT).answer);
	begin(DNS_TXT, names[2]);
	add(DNS_ANSWER, DNS_TXT, &names[2], "\1x", 2);
	parsed.records[0].ttl = 100;
	take(memory, 2, 2, true);
	found = dns_memory_follow(memory, &names[0], DNS_TXT);
	assert_true(found.answer != NULL && found.answer->count == 1 && found.aliases == 2);
	assert_true(found.asked && !found.differ && found.good_until == SECONDS(102));
	found = dns_memory_follow(memory, &names[2], DNS_TXT);
	assert_true(found.answer != NULL && found.aliases == 0);
	// What nobody is known to have asked for leads nowhere else.
	begin(DNS_TXT, names[0]);
	add(DNS_ANSWER, DNS_CNAME, &names[0], names[3].bytes, 3);
	take(memory, 9, 3, false);
	found = dns_memory_follow(memory, &names[0], DNS_TXT);
	assert_true(found.answer != NULL && found.aliases == 2 && found.differ);
	// As many as in one answer, and not in circles.
	for (unsigned i = 3; i < 11; i++) {
		begin(DNS_TXT, names[i]);
		add(DNS_ANSWER, DNS_CNAME, &names[i], names[i + 1].bytes, 3);
		take(memory, 1, 1, true);
	}
	begin(DNS_TXT, names[11]);
	add(DNS_ANSWER, DNS_TXT, &names[11], "\1x", 2);
	take(memory, 1, 1, true);
	assert_int_equal(dns_memory_follow(memory, &names[3], DNS_TXT).aliases, 8);
	assert_non_null(dns_memory_follow(memory, &names[3], DNS_TXT).answer);
	begin(DNS_MX, names[3]);
	add(DNS_ANSWER, DNS_CNAME, &names[3], names[4].bytes, 3);
	parsed.rcode = 2;
	assert_int_equal(take(memory, 1, 1, true), DNS_NOTHING);
	begin(DNS_TXT, names[11]);
	add(DNS_ANSWER, DNS_CNAME, &names[11], names[3].bytes, 3);
	assert_int_equal(take(memory, 1, 1, true), DNS_ALIAS);
	assert_null(dns_memory_follow(memory, &names[4], DNS_MX).answer);
	dns_memory_destroy(memory);
}

static void many_records(void **state)
{
	struct dns_memory *memory = dns_memory_create();
	struct dns_name name = NAME("\x07" "example\x03" "org");
	bool differ;
	(void)state;
	for (unsigned count = 64; count <= 65; count++) {
		static uint8_t addresses[65][4];
		begin(DNS_A, name);
		for (unsigned i = 0; i < count; i++) {
			addresses[i][3] = (uint8_t)i;
			add(DNS_ANSWER, DNS_A, &name, addresses[i], 4);
		}
		take(memory, 1, 1, true);
		assert_int_equal(dns_memory_find(memory, &name, DNS_A, &differ)->count, 64);
	}
	dns_memory_destroy(memory);
}

static void many_signatures(void **state)
{
	struct dns_memory *memory = dns_memory_create();
	struct dns_name name = NAME("\x07" "example\x03" "org");
	uint8_t signatures[9][4];
	(void)state;
	for (unsigned count = 8; count <= 9; count++) {
		bool differ;
		struct dns_set set;
		struct dns_data data;
		size_t at = 0, found = 0;
		begin(DNS_A, name);
		add(DNS_ANSWER, DNS_A, &name, "\xc0\0\x02\x01", 4);
		add(DNS_ANSWER, DNS_A, &name, "\xc0\0\x02\x01", 4); // the same again: one
		add(DNS_ANSWER, DNS_RRSIG, &name, "\0\x0f\0\0", 4); // of another type
		for (unsigned i = 0; i < count; i++) {
			memcpy(signatures[i], (const uint8_t[]){0, DNS_A, 0, (uint8_t)i}, 4);
			add(DNS_ANSWER, DNS_RRSIG, &name, signatures[i], 4);
		}
		take(memory, 1, 1, true);
		const struct dns_answer *answer = dns_memory_find(memory, &name, DNS_A, &differ);
		assert_true(answer->is_signed && answer->count == 1);
		assert_true(dns_answer_next_set(answer, &at, &set));
		assert_false(dns_answer_next_set(answer, &at, &set));
		for (size_t from = 0; dns_list_next(&set.signatures, &from, &data);)
			assert_int_equal(data.bytes[3], found++);
		assert_int_equal(found, 8);
		assert_int_equal(set.whole, count == 8);
		assert_true(set.type == DNS_A && set.owner.length == name.length);
	}
	dns_memory_destroy(memory);
}

static void sets_of_aliases(void **state)
{
	struct dns_memory *memory = dns_memory_create();
	struct dns_name one = NAME("\x03" "one"), two = NAME("\x03" "two");
	struct dns_set set;
	bool differ;
	size_t at = 0;
	(void)state;
	begin(DNS_A, one);
	add(DNS_ANSWER, DNS_RRSIG, &one, "\0\x05\0", 3);
	add(DNS_ANSWER, DNS_CNAME, &one, two.bytes, two.length);
	add(DNS_ANSWER, DNS_A, &two, "\xc0\0\x02\x01", 4);
	take(memory, 1, 1, true);
	const struct dns_answer *answer = dns_memory_find(memory, &one, DNS_A, &differ);
	assert_true(dns_answer_next_set(answer, &at, &set));
	assert_true(set.type == DNS_CNAME && set.signatures.size == 5 && set.records.size == 7);
	assert_memory_equal(set.owner.bytes, one.bytes, one.length);
	assert_true(dns_answer_next_set(answer, &at, &set));
	assert_true(set.type == DNS_A && set.signatures.size == 0 && set.records.size == 6);
	assert_memory_equal(set.owner.bytes, two.bytes, two.length);
	assert_false(dns_answer_next_set(answer, &at, &set));
	assert_false(answer->is_signed);
	dns_memory_destroy(memory);
}

static void many_bytes(void **state)
{
	struct dns_memory *memory = dns_memory_create();
	static uint8_t data[32 * 1024];
	(void)state;
	for (unsigned i = 0; i < 4096; i++) {
		struct dns_name name =
		    name_of((const char[]){2, (char)(i >> 8), (char)i, 0}, 4);
		begin(DNS_TXT, name);
		add(DNS_ANSWER, DNS_TXT, &name, data, sizeof data);
		take(memory, 1, 1, true);
	}
	struct dns_memory_counters counters = dns_memory_counters(memory);
	assert_in_range(counters.bytes, 32 << 20, 64 << 20);
	assert_int_equal(counters.names + counters.given_up, 4096);
	dns_memory_destroy(memory);
}

// A name of its own for each number.
static struct dns_name numbered(unsigned number)
{
	return name_of((const char[]){4, (char)(number >> 24), (char)(number >> 16),
	                   (char)(number >> 8), (char)number, 0},
	    6);
}

static void many_names(void **state)
{
	enum { ROOM = 1 << 17, MORE = 1000 };
	struct dns_memory *memory = dns_memory_create();
	bool differ;
	(void)state;
	for (unsigned i = 0; i < ROOM + MORE; i++) {
		struct dns_name name = numbered(i);
		begin(DNS_A, name);
		add(DNS_ANSWER, DNS_A, &name, "\xc0\0\x02\x01", 4);
		take(memory, 1, 1, true);
		struct dns_memory_counters counters = dns_memory_counters(memory);
		assert_int_equal(counters.names, i < ROOM ? i + 1 : ROOM);
		assert_int_equal(counters.given_up, i < ROOM ? 0 : i + 1 - ROOM);
	}
	struct dns_name oldest = numbered(0), newest = numbered(ROOM + MORE - 1);
	assert_null(dns_memory_find(memory, &oldest, DNS_A, &differ));
	assert_non_null(dns_memory_find(memory, &newest, DNS_A, &differ));
	dns_memory_destroy(memory);
}

static void how_long_it_is_good(void **state)
{
	static const struct {
		uint32_t says;
		int64_t good; // seconds
	} cases[] = {{0, 60}, {59, 60}, {61, 61}, {86400, 86400}, {86401, 86400}, {UINT32_MAX, 86400}};
	struct dns_name name = NAME("\x07" "example\x03" "org");
	bool differ;
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct dns_memory *memory = dns_memory_create();
		begin(DNS_A, name);
		add(DNS_ANSWER, DNS_A, &name, "\xc0\0\x02\x01", 4);
		parsed.records[0].ttl = cases[i].says;
		take(memory, 1, 1, true);
		const struct dns_answer *answer = dns_memory_find(memory, &name, DNS_A, &differ);
		assert_int_equal(answer->good_until - answer->seen, SECONDS(cases[i].good));
		dns_memory_destroy(memory);
	}
}

static void many_domains(void **state)
{
	enum { ROOM = 1 << 16, MORE = 1000 };
	struct dns_domains *domains = dns_domains_create();
	unsigned found = 0;
	(void)state;
	for (unsigned i = 0; i < ROOM + MORE; i++) {
		begin(DNS_MX, numbered(i));
		dns_domains_note(domains, &parsed, DNS_NO_DATA, SECONDS(1));
	}
	for (struct dns_domain *at = NULL; (at = dns_domains_next(domains, at)) != NULL;)
		found++;
	assert_int_equal(found, ROOM);
	dns_domains_destroy(domains);
}

static void many_questions(void **state)
{
	enum { ROOM = 1 << 16, MORE = 1 << 16 };
	struct dns_transactions *transactions = dns_transactions_create();
	struct dns_message question = {.source_port = 40000, .destination_port = 53};
	struct dns_message answer = {.source_port = 53,
	    .destination_port = 40000,
	    .bytes = (const uint8_t *)"x",
	    .captured = 1};
	unsigned asked = 0;
	(void)state;
	for (unsigned i = 0; i < ROOM + MORE; i++) {
		begin(DNS_MX, numbered(i));
		dns_transactions_question(transactions, &question, &parsed);
		assert_int_equal(dns_transactions_answer(transactions, &answer, &parsed), DNS_ASKED);
	}
	for (unsigned i = 0; i < ROOM + MORE; i++) {
		begin(DNS_MX, numbered(i));
		asked += dns_transactions_answer(transactions, &answer, &parsed) == DNS_AGAIN;
	}
	assert_in_range(asked, ROOM / 2, ROOM); // what came last waits, and no more
	begin(DNS_MX, numbered(0));
	assert_int_equal(dns_transactions_answer(transactions, &answer, &parsed), DNS_UNASKED);
	dns_transactions_destroy(transactions);
}

static void many_hosts_that_ask(void **state)
{
	enum { ROOM = 1 << 14 };
	struct dns_transactions *transactions = dns_transactions_create();
	unsigned seen = 0;
	(void)state;
	begin(DNS_MX, numbered(1));
	for (unsigned round = 0; round < 2; round++)
		for (unsigned i = 0; i < 2 * ROOM; i++) {
			struct ip_address host = {{(uint8_t)(i >> 8), (uint8_t)i}};
			struct dns_message question = {
			    .source = host, .source_port = 40000, .destination_port = 53};
			struct dns_message answer = {.destination = host,
			    .source_port = 53,
			    .destination_port = 40001, // nobody asked from there
			    .bytes = (const uint8_t *)"x",
			    .captured = 1};
			if (round == 0)
				dns_transactions_question(transactions, &question, &parsed);
			else
				seen += dns_transactions_answer(transactions, &answer, &parsed) ==
				        DNS_UNASKED;
		}
	assert_in_range(seen, ROOM / 2, ROOM); // of the others nothing is said
	dns_transactions_destroy(transactions);
}

// What is behind the records that are kept takes no memory: it would be in no count.
static void bytes_that_are_not_kept(void **state)
{
	struct dns_memory *memory = dns_memory_create();
	static char texts[DNS_KEPT_RECORDS_MAX][2];
	static uint8_t data[20 * 1024];
	struct dns_name name = NAME("\x07" "example\x03" "org");
	bool differ;
	(void)state;
	begin(DNS_TXT, name);
	for (unsigned i = 0; i < DNS_KEPT_RECORDS_MAX; i++) {
		texts[i][0] = 1;
		texts[i][1] = (char)i;
		add(DNS_ANSWER, DNS_TXT, &name, texts[i], sizeof texts[i]);
	}
	add(DNS_ANSWER, DNS_TXT, &name, data, sizeof data);
	take(memory, 1, 1, true);
	const struct dns_answer *answer = dns_memory_find(memory, &name, DNS_TXT, &differ);
	assert_int_equal(answer->size, 4 * DNS_KEPT_RECORDS_MAX);
	assert_in_range(malloc_usable_size(answer->sets), answer->sets_size, answer->sets_size + 64);
	dns_memory_destroy(memory);
}

static struct dns_domain *domain_after_state(
    struct dns_name name, uint16_t type, enum dns_state answer)
{
	static struct dns_domains *domains;
	dns_domains_destroy(domains);
	domains = dns_domains_create();
	begin(type, name);
	if (answer == DNS_DATA)
		add(DNS_ANSWER, DNS_TXT, &parsed.name, "\x0bv=spf1 -all", 12);
	dns_domains_note(domains, &parsed, answer, SECONDS(1));
	struct dns_domain *domain = dns_domains_next(domains, NULL);
	assert_true(domain == NULL || dns_domains_next(domains, domain) == NULL);
	return domain;
}

// Captures may be read in any order.
static void seen_from_to(void **state)
{
	static const unsigned times[] = {5, 9, 2, 7};
	struct dns_domains *domains = dns_domains_create();
	(void)state;
	for (size_t i = 0; i < sizeof times / sizeof times[0]; i++) {
		begin(DNS_MX, numbered(1));
		dns_domains_note(domains, &parsed, DNS_NO_DATA, SECONDS(times[i]));
	}
	const struct dns_domain *domain = dns_domains_next(domains, NULL);
	assert_int_equal(domain->first_seen, SECONDS(2));
	assert_int_equal(domain->last_seen, SECONDS(9));
	dns_domains_destroy(domains);
}

static struct dns_domain *domain_after(struct dns_name name, uint16_t type)
{
	return domain_after_state(name, type, DNS_DATA);
}

// A registered domain counts whether or not it has an SPF record: shares are of those that were asked.
static void domains_without_records(void **state)
{
	const struct dns_name domain = NAME("\x07" "example\x03" "org"),
	                      host = NAME("\x01" "a\x07" "example\x03" "org");
	(void)state;
	assert_non_null(domain_after_state(domain, DNS_TXT, DNS_NO_DATA));
	assert_null(domain_after_state(domain, DNS_TXT, DNS_NO_NAME));
	assert_null(domain_after_state(host, DNS_TXT, DNS_NO_DATA));
	assert_null(domain_after_state(domain, DNS_A, DNS_NO_DATA));
	assert_non_null(domain_after_state(host, DNS_MX, DNS_NO_DATA));
}

static void check_domain(struct dns_name name, uint16_t type, const char *wanted)
{
	char text[DNS_TEXT_MAX];
	const struct dns_domain *domain = domain_after(name, type);
	assert_int_equal(domain != NULL, wanted != NULL);
	if (domain == NULL)
		return;
	dns_name_text(&domain->name, text);
	assert_string_equal(text, wanted);
}

static void which_names_are_domains(void **state)
{
	(void)state;
	check_domain(NAME("\x04mail\x07" "example\x03" "org"), DNS_MX, "mail.example.org");
	check_domain(NAME("\x06_dmarc\x07" "example\x03" "org"), DNS_TXT, "example.org");
	check_domain(NAME("\x08_mta-sts\x07" "example\x03" "org"), DNS_TXT, "example.org");
	check_domain(NAME("\x05_smtp\x04_tls\x07" "example\x03" "org"), DNS_TXT, "example.org");
	check_domain(NAME("\x02s1\x0a_domainkey\x07" "example\x03" "org"), DNS_TXT, "example.org");
	check_domain(NAME("\x07" "example\x03" "org"), DNS_TXT, "example.org");
	// What SPF's macros may have brought a local part into.
	check_domain(NAME("\x05" "alice\x07" "example\x03" "org"), DNS_TXT, NULL);
	check_domain(NAME("\x05" "alice\x04_spf\x07" "example\x03" "org"), DNS_MX, NULL);
	check_domain(NAME("\x0a_domainkey\x07" "example\x03" "org"), DNS_TXT, NULL);
	check_domain(NAME("\x06_dmarc"), DNS_TXT, NULL);
}

static void selectors(void **state)
{
	struct dns_domains *domains = dns_domains_create();
	(void)state;
	for (unsigned i = 0; i < 20; i++) {
		char labels[] = "\x02s?\x0a_domainkey\x07" "example\x03" "org";
		labels[2] = (char)('a' + i);
		begin(DNS_TXT, NAME(labels));
		dns_domains_note(domains, &parsed, DNS_DATA, SECONDS(1));
		dns_domains_note(domains, &parsed, DNS_DATA, SECONDS(2)); // again
	}
	begin(DNS_TXT, NAME("\x03" "a@b\x0a_domainkey\x07" "example\x03" "org"));
	dns_domains_note(domains, &parsed, DNS_DATA, SECONDS(3));
	const struct dns_domain *domain = dns_domains_next(domains, NULL);
	assert_int_equal(domain->selector_count, 16);
	assert_int_equal(domain->selectors_left_out, 2 * 4 + 1);
	dns_domains_destroy(domains);
}

// As many bytes as are kept, and one more: in one label there are no more than 63.
static void long_selectors(void **state)
{
	static const char beneath[] = "\x0a_domainkey\x07" "example\x03" "org";
	(void)state;
	for (unsigned more = 0; more <= 1; more++) {
		const unsigned length = DNS_SELECTOR_BYTES_MAX + more;
		struct dns_domains *domains = dns_domains_create();
		struct dns_name name = {.length = (uint8_t)(length + sizeof beneath)};
		memset(name.bytes, 'a', length);
		name.bytes[0] = (uint8_t)(length - 3);
		name.bytes[length - 2] = 1;
		memcpy(name.bytes + length, beneath, sizeof beneath);
		begin(DNS_TXT, name);
		dns_domains_note(domains, &parsed, DNS_DATA, SECONDS(1));
		const struct dns_domain *domain = dns_domains_next(domains, NULL);
		assert_int_equal(domain->selector_count, 1 - more);
		assert_int_equal(domain->selectors_left_out, more);
		dns_domains_destroy(domains);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(resolvers_are_kept_apart),
	    cmocka_unit_test(what_was_asked_for_stays),
	    cmocka_unit_test(how_long_an_alias_is_good),
	    cmocka_unit_test(what_is_not_there),
	    cmocka_unit_test(aliases),
	    cmocka_unit_test(aliases_elsewhere),
	    cmocka_unit_test(many_records),
	    cmocka_unit_test(many_signatures),
	    cmocka_unit_test(sets_of_aliases),
	    cmocka_unit_test(many_bytes),
	    cmocka_unit_test(many_names),
	    cmocka_unit_test(how_long_it_is_good),
	    cmocka_unit_test(many_domains),
	    cmocka_unit_test(seen_from_to),
	    cmocka_unit_test(many_questions),
	    cmocka_unit_test(many_hosts_that_ask),
	    cmocka_unit_test(bytes_that_are_not_kept),
	    cmocka_unit_test(domains_without_records),
	    cmocka_unit_test(which_names_are_domains),
	    cmocka_unit_test(selectors),
	    cmocka_unit_test(long_selectors),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
