// SPDX-License-Identifier: Apache-2.0
// Records of type TLSA against certificates, and what is said where several names, resolvers and times are about.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "analytics/dane.h"
#include "tests/unit/pki.h"

#include <openssl/evp.h>
#include <string.h>

#define CA "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign"
#define NOW SECONDS((nanoseconds)1700000000)

static const struct pki_certificate table[] = {
    {.name = "root", .subject = "Root", .key = "p256-root", .extensions = CA},
    {.name = "int", .subject = "Int", .issuer = "root", .key = "p256-int", .extensions = CA},
    {.name = "leaf", .subject = "mx.example.org", .issuer = "int", .key = "p256-leaf"},
    {.name = "other", .subject = "mx.example.org", .key = "p256-other"},
    // Of the issuer's name, but its key did not sign the leaf.
    {.name = "false", .subject = "Int", .issuer = "root", .key = "p256-false", .extensions = CA},
};

enum { ROOT, INT, LEAF, OTHER, FALSE, CERTIFICATES };

struct lab {
	struct pki *pki;
	struct certificate_store *store;
	struct dns_memory *memory;
	struct mx_hosts *hosts;
	struct dns_known known;
	enum dnssec_status status;
	struct dane *dane;
	uint8_t hashes[CERTIFICATES][SHA256_BYTES];
	const struct certificate *certificates[CERTIFICATES];
	uint8_t chain[8][SHA256_BYTES];
	struct mx_names names;
	struct session_record record;
	struct dane_question question;
};

static struct lab lab;
static struct dns_parsed parsed; // too large for a stack

static enum dnssec_status status_of(void *context, const struct dns_name *name, uint16_t type)
{
	const struct lab *of = context;
	assert_int_equal(type, DNS_TLSA);
	assert_true(name->length > 0);
	return of->status;
}

static void digest(const EVP_MD *kind, struct view bytes, uint8_t *out)
{
	assert_int_equal(EVP_Digest(bytes.data, bytes.length, out, NULL, kind, NULL), 1);
}

static int set_up(void **state)
{
	(void)state;
	memset(&lab, 0, sizeof lab);
	lab.pki = pki_create(table, CERTIFICATES, NULL, 0);
	lab.store = certificate_store_create(1 << 20);
	lab.memory = dns_memory_create();
	lab.hosts = mx_hosts_create();
	lab.known = (struct dns_known){lab.memory, lab.hosts, status_of, &lab};
	lab.dane = dane_create(&lab.known, lab.store);
	for (int i = 0; i < CERTIFICATES; i++) {
		bool is_new;
		struct view der = pki_der(lab.pki, table[i].name);
		digest(EVP_sha256(), der, lab.hashes[i]);
		lab.certificates[i] = certificate_store_add(
		    lab.store, lab.hashes[i], der, NOW, CERTIFICATE_SERVER, &is_new);
	}
	lab.record.port[FROM_SERVER] = 25;
	lab.record.start = NOW;
	lab.record.end = NOW + SECONDS(5);
	lab.question = (struct dane_question){.record = &lab.record,
	    .names = &lab.names,
	    .asked_for = true,
	    .chain = (const uint8_t(*)[SHA256_BYTES])lab.chain,
	    .judged = true};
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	dane_destroy(lab.dane);
	mx_hosts_destroy(lab.hosts);
	dns_memory_destroy(lab.memory);
	certificate_store_destroy(lab.store);
	pki_destroy(lab.pki);
	return 0;
}

/* ---- what is there ---- */

static void show(size_t count, const int *sent)
{
	lab.question.count = count;
	for (size_t i = 0; i < count; i++)
		memcpy(lab.chain[i], lab.hashes[sent[i]], SHA256_BYTES);
}

#define SHOW(...) show(sizeof(int[]){__VA_ARGS__} / sizeof(int), (const int[]){__VA_ARGS__})

static void mean(const char *name)
{
	assert_true(host_name_read(view_of((const uint8_t *)name, strlen(name)),
	    &lab.names.names[lab.names.count++]));
}

// The record of a certificate, as it stands in DNS. Returns its length.
static size_t record_of(
    int number, uint8_t usage, uint8_t selector, uint8_t matching_type, uint8_t data[2048])
{
	const struct certificate *certificate = lab.certificates[number];
	struct view selected = selector == 0 ? certificate->facts.der : certificate->facts.spki;
	data[0] = usage;
	data[1] = selector;
	data[2] = matching_type;
	if (matching_type == 0) {
		memcpy(data + 3, selected.data, selected.length);
		return 3 + selected.length;
	}
	digest(matching_type == 1 ? EVP_sha256() : EVP_sha512(), selected, data + 3);
	return 3 + (matching_type == 1 ? 32 : 64);
}

// An answer for _25._tcp.mx.X.example (X a letter) by a resolver, with one record; `length` 0: it says that there is none.
static void answer(char letter, uint8_t resolver, int64_t second, const uint8_t *data, size_t length)
{
	static uint8_t kept[2048];
	char labels[] = "\x03_25\x04_tcp\x02mx\x01?\x07" "example";
	const struct dns_message message = {
	    .time = NOW + SECONDS(second), .source = {{[15] = resolver}}};
	*strchr(labels, '?') = letter;
	parsed = (struct dns_parsed){.answer = true, .recursion_available = true, .type = DNS_TLSA};
	parsed.name.length = sizeof labels;
	memcpy(parsed.name.bytes, labels, sizeof labels);
	if (length > 0)
		memcpy(kept, data, length);
	parsed.records[0] = (struct dns_record){.type = length > 0 ? DNS_TLSA : DNS_SOA,
	    .section = length > 0 ? DNS_ANSWER : DNS_AUTHORITY,
	    .ttl = 300,
	    .owner = parsed.name.bytes,
	    .owner_length = parsed.name.length,
	    .data = kept,
	    .data_length = (uint16_t)length};
	parsed.count = 1;
	assert_int_equal(dns_memory_take(lab.memory, &message, &parsed, true),
	    length > 0 ? DNS_DATA : DNS_NO_DATA);
}

static void publish(char letter, uint8_t resolver, int64_t second, int number)
{
	uint8_t data[2048];
	answer(letter, resolver, second, data, record_of(number, 3, 1, 1, data));
}

static enum dane_outcome outcome(void)
{
	return dane_judge(lab.dane, &lab.question)->outcome;
}

/* ---- records ---- */

static enum tlsa_fit fit_of(int number, uint8_t usage, uint8_t selector, uint8_t matching_type)
{
	uint8_t bytes[2048];
	struct dns_data data = {bytes, record_of(number, usage, selector, matching_type, bytes)};
	const struct certificate *sent[8];
	struct tlsa record;
	for (size_t i = 0; i < lab.question.count; i++)
		sent[i] = certificate_store_find(lab.store, lab.chain[i]);
	struct tlsa_chain chain = {
	    sent, lab.question.count, tlsa_links(lab.store, sent, lab.question.count)};
	assert_true(tlsa_read(&data, &record));
	return tlsa_match(&record, &chain);
}

static void usages_selectors_and_types(void **state)
{
	(void)state;
	SHOW(LEAF, INT, ROOT);
	for (uint8_t selector = 0; selector <= 1; selector++) {
		for (uint8_t type = 0; type <= 2; type++) {
			assert_int_equal(fit_of(LEAF, 3, selector, type), TLSA_FITS);
			assert_int_equal(fit_of(OTHER, 3, selector, type), TLSA_FITS_NOT);
			assert_int_equal(fit_of(INT, 3, selector, type), TLSA_FITS_NOT); // it is not the leaf
			assert_int_equal(fit_of(INT, 2, selector, type), TLSA_FITS);
			assert_int_equal(fit_of(ROOT, 2, selector, type), TLSA_FITS);
			// What stands in DNS as a whole need not be sent.
			enum tlsa_fit absent = type == 0 ? TLSA_CANNOT_TELL : TLSA_FITS_NOT;
			assert_int_equal(fit_of(OTHER, 2, selector, type), absent);
			assert_int_equal(fit_of(LEAF, 2, selector, type), absent); // it is not above itself
			assert_int_equal(fit_of(LEAF, 0, selector, type), TLSA_OF_NO_USE);
			assert_int_equal(fit_of(LEAF, 1, selector, type), TLSA_OF_NO_USE);
		}
	}
}

static void issuers_have_to_have_signed(void **state)
{
	(void)state;
	SHOW(LEAF, FALSE, ROOT);
	assert_int_equal(fit_of(FALSE, 2, 0, 1), TLSA_CANNOT_TELL);
	assert_int_equal(fit_of(ROOT, 2, 0, 1), TLSA_CANNOT_TELL);
	SHOW(LEAF, ROOT, INT); // in no order that is followed
	assert_int_equal(fit_of(ROOT, 2, 0, 1), TLSA_CANNOT_TELL);
	SHOW(LEAF, INT);
	assert_int_equal(fit_of(INT, 2, 1, 2), TLSA_FITS);
}

static void what_cannot_be_used(void **state)
{
	uint8_t bytes[64] = {3, 1, 1};
	struct dns_data data = {bytes, 3};
	struct tlsa record;
	const struct tlsa_chain none = {NULL, 0, 0};
	(void)state;
	assert_false(tlsa_read(&data, &record));
	data.length = 3 + 31;
	assert_true(tlsa_read(&data, &record));
	assert_int_equal(tlsa_match(&record, &none), TLSA_OF_NO_USE); // too short for SHA-256
	bytes[2] = 3;
	assert_true(tlsa_read(&data, &record));
	assert_int_equal(tlsa_match(&record, &none), TLSA_OF_NO_USE);
	bytes[1] = 2;
	bytes[2] = 0;
	assert_true(tlsa_read(&data, &record));
	assert_int_equal(tlsa_match(&record, &none), TLSA_OF_NO_USE);
	bytes[1] = 1;
	assert_true(tlsa_read(&data, &record));
	assert_int_equal(tlsa_match(&record, &none), TLSA_CANNOT_TELL); // nothing was shown
}

static void many_links(void **state)
{
	const struct certificate *sent[12];
	(void)state;
	for (int i = 0; i < 12; i++)
		sent[i] = lab.certificates[ROOT]; // signs itself
	assert_int_equal(tlsa_links(lab.store, sent, 12), 8);
	assert_int_equal(tlsa_links(lab.store, sent, 9), 8);
	assert_int_equal(tlsa_links(lab.store, sent, 3), 2);
	sent[1] = NULL;
	assert_int_equal(tlsa_links(lab.store, sent, 3), 0);
}

/* ---- sessions ---- */

static void fits_and_does_not(void **state)
{
	(void)state;
	mean("mx.a.example");
	SHOW(LEAF);
	assert_int_equal(outcome(), DANE_NOT_KNOWN); // nothing was seen
	assert_int_equal(dane_judge(lab.dane, &lab.question)->name.length, 0);
	publish('a', 1, -10, LEAF);
	const struct dane_judgement *judgement = dane_judge(lab.dane, &lab.question);
	assert_int_equal(judgement->outcome, DANE_MATCH);
	assert_string_equal(judgement->name.text, "mx.a.example");
	assert_true(judgement->records == 1 && judgement->shown && judgement->usage == 3 &&
	            judgement->selector == 1 && judgement->matching_type == 1);
	SHOW(OTHER);
	judgement = dane_judge(lab.dane, &lab.question);
	assert_int_equal(judgement->outcome, DANE_MISMATCH);
	assert_true(judgement->fitted); // in the session before
	assert_memory_equal(judgement->fitted_leaf, lab.hashes[LEAF], SHA256_BYTES);
	assert_true(judgement->fitted_last == lab.record.end);
	SHOW(LEAF);
	lab.record.port[FROM_SERVER] = 465; // they are of another port
	assert_int_equal(outcome(), DANE_NOT_KNOWN);
}

static void only_in_their_time(void **state)
{
	(void)state;
	mean("mx.a.example");
	SHOW(OTHER);
	publish('a', 1, -300, LEAF);
	assert_int_equal(outcome(), DANE_MISMATCH);
	lab.record.start = NOW + 1; // they are no longer good
	assert_int_equal(outcome(), DANE_NOT_KNOWN);
	lab.record.start = NOW - SECONDS(301); // they were not there yet
	assert_int_equal(outcome(), DANE_NOT_KNOWN);
}

static void not_where_there_is_doubt(void **state)
{
	(void)state;
	mean("mx.a.example");
	SHOW(OTHER);
	publish('a', 1, -10, LEAF);
	lab.question.recalled = true; // what it shows in other sessions may be of another time
	assert_int_equal(outcome(), DANE_NOT_KNOWN);
	lab.question.recalled = false;
	assert_int_equal(outcome(), DANE_MISMATCH);
	publish('a', 2, -5, INT); // resolvers that say other things, neither of which fits
	assert_int_equal(outcome(), DANE_NOT_KNOWN);
	publish('a', 2, -4, LEAF);
	assert_int_equal(outcome(), DANE_MISMATCH);
	answer('a', 2, -3, NULL, 0);
	assert_int_equal(outcome(), DANE_NOT_KNOWN);
	publish('a', 2, -2, OTHER); // what is known by any of them fits
	assert_int_equal(outcome(), DANE_MATCH);
	publish('a', 2, -400, OTHER); // what was good before does: keys are being changed
	assert_int_equal(outcome(), DANE_NOT_KNOWN);
}

// An answer for the address of mx.a.example, which is an alias of mx.b.example.
static void alias(int64_t second)
{
	static const struct dns_name from = {14, "\x02mx\x01" "a\x07" "example"};
	static const struct dns_name to = {14, "\x02mx\x01" "b\x07" "example"};
	const struct dns_message message = {.time = NOW + SECONDS(second), .source = {{[15] = 1}}};
	parsed = (struct dns_parsed){
	    .answer = true, .recursion_available = true, .type = DNS_A, .name = from, .count = 2};
	parsed.records[0] = (struct dns_record){.type = DNS_CNAME,
	    .ttl = 300,
	    .owner = from.bytes,
	    .owner_length = from.length,
	    .data = to.bytes,
	    .data_length = to.length};
	parsed.records[1] = (struct dns_record){.type = DNS_A,
	    .ttl = 300,
	    .owner = to.bytes,
	    .owner_length = to.length,
	    .data = (const uint8_t *)"\xc0\0\x02\x01",
	    .data_length = 4};
	assert_int_equal(dns_memory_take(lab.memory, &message, &parsed, true), DNS_DATA);
}

static void hosts_that_are_aliases(void **state)
{
	(void)state;
	lab.question.asked_for = false;
	mean("mx.a.example");
	SHOW(LEAF);
	publish('a', 1, -10, OTHER);
	assert_int_equal(outcome(), DANE_MISMATCH);
	alias(-10);
	assert_int_equal(outcome(), DANE_NOT_KNOWN); // it may have records where it leads to
	publish('b', 1, -10, INT);
	assert_int_equal(outcome(), DANE_MISMATCH); // and none of them fits
	publish('b', 1, -10, LEAF);
	assert_int_equal(outcome(), DANE_MATCH);
	assert_string_equal(dane_judge(lab.dane, &lab.question)->name.text, "mx.b.example");
	lab.question.asked_for = true; // it is the name that the client took
	assert_int_equal(outcome(), DANE_MISMATCH);
}

static void any_of_several_names(void **state)
{
	(void)state;
	lab.question.asked_for = false;
	mean("mx.a.example");
	mean("mx.b.example");
	SHOW(LEAF);
	publish('a', 1, -10, OTHER);
	assert_int_equal(outcome(), DANE_NOT_KNOWN); // of the other name nothing is known
	answer('b', 1, -10, NULL, 0);
	assert_int_equal(outcome(), DANE_NOT_KNOWN); // the other one has none
	publish('b', 1, -10, INT);
	assert_int_equal(outcome(), DANE_MISMATCH);
	lab.names.more = true;
	assert_int_equal(outcome(), DANE_NOT_KNOWN);
	publish('b', 1, -9, LEAF);
	const struct dane_judgement *judgement = dane_judge(lab.dane, &lab.question);
	assert_int_equal(judgement->outcome, DANE_MATCH);
	assert_string_equal(judgement->name.text, "mx.b.example");
}

static void what_is_not_signed_does_not_count(void **state)
{
	(void)state;
	mean("mx.a.example");
	publish('a', 1, -10, LEAF);
	static const struct {
		enum dnssec_status status;
		enum dane_outcome leaf, other;
	} rows[] = {{DNSSEC_SECURE, DANE_MATCH, DANE_MISMATCH},
	    {DNSSEC_CANNOT_TELL, DANE_MATCH, DANE_MISMATCH},
	    {DNSSEC_INSECURE, DANE_NOT_KNOWN, DANE_NOT_KNOWN},
	    {DNSSEC_BOGUS, DANE_NOT_KNOWN, DANE_NOT_KNOWN}};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		lab.status = rows[i].status;
		SHOW(LEAF);
		assert_int_equal(outcome(), rows[i].leaf);
		SHOW(OTHER);
		assert_int_equal(outcome(), rows[i].other);
		assert_int_equal(dane_judge(lab.dane, &lab.question)->status, rows[i].status);
	}
}

static void nothing_shown(void **state)
{
	(void)state;
	mean("mx.a.example");
	publish('a', 1, -10, LEAF);
	lab.question.count = 0;
	const struct dane_judgement *judgement = dane_judge(lab.dane, &lab.question);
	assert_int_equal(judgement->outcome, DANE_NOT_KNOWN);
	assert_int_equal(judgement->records, 1); // there are some all the same
}

static void links_that_may_not_be_tried(void **state)
{
	uint8_t data[2048];
	(void)state;
	mean("mx.a.example");
	SHOW(LEAF, INT);
	answer('a', 1, -10, data, record_of(INT, 2, 0, 1, data));
	lab.question.judged = false;
	assert_int_equal(outcome(), DANE_NOT_KNOWN);
	lab.question.judged = true;
	assert_int_equal(outcome(), DANE_MATCH);
	assert_int_equal(outcome(), DANE_MATCH); // as remembered
}

static void many_servers(void **state)
{
	(void)state;
	mean("mx.a.example");
	SHOW(LEAF);
	publish('a', 1, -10, LEAF);
	for (uint32_t i = 0; i < 40000; i++) {
		memcpy(lab.record.address[FROM_SERVER].bytes, &i, sizeof i);
		assert_int_equal(outcome(), DANE_MATCH);
	}
	unsigned remembered = 0;
	SHOW(OTHER);
	for (uint32_t i = 0; i < 40000; i++) {
		memcpy(lab.record.address[FROM_SERVER].bytes, &i, sizeof i);
		remembered += dane_judge(lab.dane, &lab.question)->fitted;
	}
	assert_in_range(remembered, 1024, 4096);
}

static void many_lists(void **state)
{
	uint8_t data[2048];
	(void)state;
	mean("mx.a.example");
	SHOW(LEAF, INT, ROOT);
	answer('a', 1, -10, data, record_of(INT, 2, 0, 1, data));
	for (uint32_t i = 0; i < 5000; i++) {
		memcpy(lab.chain[2], &i, sizeof i); // one that is not held
		assert_int_equal(outcome(), DANE_MATCH);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(usages_selectors_and_types),
	    TEST(issuers_have_to_have_signed),
	    TEST(what_cannot_be_used),
	    TEST(many_links),
	    TEST(fits_and_does_not),
	    TEST(only_in_their_time),
	    TEST(not_where_there_is_doubt),
	    TEST(hosts_that_are_aliases),
	    TEST(any_of_several_names),
	    TEST(what_is_not_signed_does_not_count),
	    TEST(nothing_shown),
	    TEST(links_that_may_not_be_tried),
	    TEST(many_servers),
	    TEST(many_lists),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
