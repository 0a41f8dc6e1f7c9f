// SPDX-License-Identifier: Apache-2.0
// The way up to an anchor, with a library that says what the test wants: a signature is good if its last byte is 1,
// a digest fits if its last byte is that of the key.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "analytics/dnssec.h"
#include "analytics/dnssec_records.h"

#include <string.h>

enum { ED25519 = 15, KEY_SIZE = 36, NOW = 1000000000 };

static unsigned computed; // by the library

static bool verify(const struct dns_set *set, const struct dns_data *signature,
    const struct dns_name *signer, const struct dns_data *key)
{
	(void)set;
	(void)signer;
	(void)key;
	computed++;
	return signature->bytes[signature->length - 1] == 1;
}

static bool digest_fits(
    const struct dns_name *zone, const struct dns_data *key, const struct dns_data *delegation)
{
	(void)zone;
	computed++;
	return key->bytes[key->length - 1] == delegation->bytes[delegation->length - 1];
}

// The root's key is the one that ends in 7, or in 6 by the file "others".
static bool read_anchors(const char *path, struct dnssec_anchors *anchors, struct error *error)
{
	(void)error;
	*anchors = (struct dnssec_anchors){
	    .count = 1, .list = {{.zone = {1, {0}}, .type = DNS_DNSKEY, .length = KEY_SIZE}}};
	memcpy(anchors->list[0].bytes, "\x01\x01\x03\x0f", 4);
	anchors->list[0].bytes[KEY_SIZE - 1] = strcmp(path, "others") == 0 ? 6 : 7;
	return true;
}

static const struct dns_library_ops library = {
    .verify = verify, .digest_fits = digest_fits, .read_anchors = read_anchors};

/* ---- zones that the test makes up ---- */

static const struct dns_name root = {1, {0}};
static const struct dns_name org = {5, "\x03org"};
static const struct dns_name domain = {13, "\x07"
                                           "example\x03org"};

struct bench {
	struct dns_memory *memory;
	struct dnssec *dnssec;
};

static struct dns_parsed parsed; // too large for a stack
static uint8_t data[DNS_RECORDS_MAX][DNS_NAME_MAX];
static uint8_t owner[DNS_NAME_MAX];

static int set_up(void **state)
{
	static struct bench bench;
	struct error error;
	bench.memory = dns_memory_create();
	bench.dnssec = dnssec_open(&library, bench.memory, "anchors", &error);
	computed = 0;
	*state = &bench;
	return bench.dnssec == NULL;
}

static int tear_down(void **state)
{
	struct bench *bench = *state;
	dnssec_close(bench->dnssec);
	dns_memory_destroy(bench->memory);
	return 0;
}

static void begin(uint16_t type, const struct dns_name *name)
{
	memset(&parsed, 0, sizeof parsed);
	parsed.answer = parsed.recursion_available = true;
	parsed.type = type;
	parsed.name = *name;
	memcpy(owner, name->bytes, name->length);
}

static uint8_t *add(uint16_t type, size_t length)
{
	uint8_t *bytes = data[parsed.count];
	memset(bytes, 0, sizeof data[0]);
	parsed.records[parsed.count++] = (struct dns_record){.type = type,
	    .ttl = 3600,
	    .owner = owner,
	    .owner_length = parsed.name.length,
	    .data = bytes,
	    .data_length = (uint16_t)length};
	return bytes;
}

static void put_u16(uint8_t *to, unsigned value)
{
	to[0] = (uint8_t)(value >> 8);
	to[1] = (uint8_t)value;
}

static void put_u32(uint8_t *to, uint32_t value)
{
	put_u16(to, value >> 16);
	put_u16(to + 2, value & 0xffff);
}

// A key; its tag follows from its last byte, and `salt`, in two places whose sum is what counts, from nothing.
static void add_key(uint8_t last, uint8_t salt)
{
	uint8_t *bytes = add(DNS_DNSKEY, KEY_SIZE);
	memcpy(bytes, "\x01\x01\x03\x0f", 4);
	bytes[KEY_SIZE - 1] = last;
	bytes[10] = salt;
	bytes[12] = (uint8_t)(255 - salt);
}

static uint16_t tag(uint8_t last, bool salted)
{
	uint8_t bytes[KEY_SIZE] = "\x01\x01\x03\x0f";
	struct dnssec_key key;
	bytes[KEY_SIZE - 1] = last;
	bytes[12] = salted ? 255 : 0;
	assert_true(dnssec_key_read(&(struct dns_data){bytes, sizeof bytes}, &key));
	return key.tag;
}

static void add_delegation(uint8_t digest, uint8_t algorithm, uint8_t last)
{
	uint8_t *bytes = add(DNS_DS, 36);
	put_u16(bytes, tag(last, false));
	bytes[2] = algorithm;
	bytes[3] = digest;
	bytes[35] = last;
}

struct signed_by {
	const struct dns_name *zone;
	uint16_t tag;
	bool good;
	uint32_t from, until; // 0: around now
	uint8_t algorithm; // 0: ED25519
	uint8_t labels; // 0: as many as the name has
};

static unsigned labels_of(const struct dns_name *name)
{
	unsigned labels = 0;
	for (size_t at = 0; name->bytes[at] != 0; at += name->bytes[at] + 1u)
		labels++;
	return labels;
}

static void add_signature(const struct signed_by *by)
{
	uint8_t *bytes = add(DNS_RRSIG, 18u + by->zone->length + 2u);
	put_u16(bytes, parsed.type);
	bytes[2] = by->algorithm != 0 ? by->algorithm : ED25519;
	bytes[3] = (uint8_t)(by->labels != 0 ? by->labels : labels_of(&parsed.name));
	put_u32(bytes + 8, by->until != 0 ? by->until : NOW + 1000);
	put_u32(bytes + 12, by->from != 0 ? by->from : NOW - 1000);
	put_u16(bytes + 16, by->tag);
	memcpy(bytes + 18, by->zone->bytes, by->zone->length);
	bytes[18 + by->zone->length] = (uint8_t)parsed.count; // no two are the same
	bytes[19 + by->zone->length] = by->good;
}

static void take_at(struct bench *bench, int64_t second, bool asked)
{
	const struct dns_message message = {.time = SECONDS(second), .source = {{[15] = 1}}};
	dns_memory_take(bench->memory, &message, &parsed, asked);
	dnssec_tell_time(bench->dnssec, message.time);
}

static void take(struct bench *bench)
{
	take_at(bench, NOW, true);
}

// What was proved stays so: the keys are taken again, so that they are judged anew.
static void take_keys(struct bench *bench)
{
	begin(DNS_DNSKEY, &domain);
	add_key(9, 0);
	data[0][12] = 0;
	add_signature(&(struct signed_by){.zone = &domain, .tag = tag(9, false), .good = true});
	take(bench);
}

// Root, org and example.org, all in order; of each answer that `without` does not name by its type and zone.
static void build(struct bench *bench, const struct dns_name *without, uint16_t type)
{
	const struct dns_name *zones[] = {&root, &org, &domain};
	static const uint8_t keys[] = {7, 8, 9};
	for (unsigned i = 0; i < 3; i++) {
		begin(DNS_DNSKEY, zones[i]);
		add_key(keys[i], 0);
		parsed.records[0].data = data[0];
		data[0][12] = 0; // no salt
		add_signature(&(struct signed_by){
		    .zone = zones[i], .tag = tag(keys[i], false), .good = true});
		if (zones[i] != without || type != DNS_DNSKEY)
			take(bench);
		if (i == 0 || (zones[i] == without && type == DNS_DS))
			continue;
		begin(DNS_DS, zones[i]);
		add_delegation(DNSSEC_DIGEST_SHA256, ED25519, keys[i]);
		add_signature(&(struct signed_by){
		    .zone = zones[i - 1], .tag = tag(keys[i - 1], false), .good = true});
		take(bench);
	}
}

static void begin_mx(void)
{
	begin(DNS_MX, &domain);
	memcpy(add(DNS_MX, 6), "\0\x0a\x02mx", 6);
}

static void check(struct bench *bench, enum dnssec_status status, enum dnssec_reason reason)
{
	struct dnssec_verdict verdict = dnssec_of(bench->dnssec, &domain, DNS_MX);
	assert_int_equal(verdict.reason, reason);
	assert_int_equal(verdict.status, status);
}

// The answer for MX with one signature.
static void check_signed(struct bench *bench, const struct signed_by *by, enum dnssec_status status,
    enum dnssec_reason reason)
{
	begin_mx();
	add_signature(by);
	take(bench);
	check(bench, status, reason);
}

/* ---- tests ---- */

static void whole_way(void **state)
{
	struct bench *bench = *state;
	struct signed_by by = {.zone = &domain, .tag = tag(9, false), .good = true};
	check(bench, DNSSEC_CANNOT_TELL, DNSSEC_NOT_SEEN);
	build(bench, NULL, 0);
	check_signed(bench, &by, DNSSEC_SECURE, DNSSEC_REASON_NONE);
	unsigned before = computed;
	check(bench, DNSSEC_SECURE, DNSSEC_REASON_NONE);
	assert_int_equal(computed, before); // it is known
	assert_int_equal(dnssec_counters(bench->dnssec).trials, computed);
	by.good = false;
	check_signed(bench, &by, DNSSEC_BOGUS, DNSSEC_SIGNATURE);
	by =
	    (struct signed_by){.zone = &domain, .tag = (uint16_t)(tag(9, false) + 1), .good = true};
	check_signed(bench, &by, DNSSEC_BOGUS, DNSSEC_KEY_MISSING);
	begin_mx();
	take(bench);
	check(bench, DNSSEC_CANNOT_TELL, DNSSEC_NO_SIGNATURES);
}

// Nothing that was found by other anchors stands.
static void other_anchors(void **state)
{
	struct bench *bench = *state;
	struct error error;
	const struct signed_by by = {.zone = &domain, .tag = tag(9, false), .good = true};
	build(bench, NULL, 0);
	check_signed(bench, &by, DNSSEC_SECURE, DNSSEC_REASON_NONE);
	dnssec_use_anchors(bench->dnssec, dnssec_load_anchors(&library, "others", &error));
	check(bench, DNSSEC_CANNOT_TELL, DNSSEC_NO_ANCHOR);
	dnssec_use_anchors(bench->dnssec, dnssec_load_anchors(&library, "anchors", &error));
	check(bench, DNSSEC_SECURE, DNSSEC_REASON_NONE);
}

static void what_is_missing(void **state)
{
	const struct signed_by by = {.zone = &domain, .tag = tag(9, false), .good = false};
	const struct dns_name *zones[] = {&root, &org, &domain};
	for (unsigned i = 0; i < 3; i++) {
		build(*state, zones[i], DNS_DNSKEY);
		check_signed(*state, &by, DNSSEC_CANNOT_TELL, DNSSEC_KEYS_NOT_SEEN);
		tear_down(state);
		set_up(state);
		if (i == 0)
			continue;
		build(*state, zones[i], DNS_DS);
		check_signed(*state, &by, DNSSEC_CANNOT_TELL, DNSSEC_DELEGATION_NOT_SEEN);
		tear_down(state);
		set_up(state);
	}
	// What comes later is seen.
	struct bench *bench = *state;
	begin_mx();
	add_signature(&by);
	take(bench);
	check(bench, DNSSEC_CANNOT_TELL, DNSSEC_KEYS_NOT_SEEN);
	build(bench, NULL, 0);
	check(bench, DNSSEC_BOGUS, DNSSEC_SIGNATURE);
}

static void times(void **state)
{
	struct bench *bench = *state;
	build(bench, NULL, 0);
	struct signed_by by = {
	    .zone = &domain, .tag = tag(9, false), .good = true, .from = NOW, .until = NOW};
	check_signed(bench, &by, DNSSEC_SECURE, DNSSEC_REASON_NONE);
	by.until = NOW - 1;
	by.from = NOW - 2;
	check_signed(bench, &by, DNSSEC_BOGUS, DNSSEC_EXPIRED);
	by.from = NOW + 1;
	by.until = NOW + 2;
	check_signed(bench, &by, DNSSEC_BOGUS, DNSSEC_NOT_YET_VALID);
	// Numbers begin anew after 2106: what ends in a hundred years from some time on ended before it.
	by.from = NOW - 10;
	by.until = NOW + 0x7fffffffu;
	check_signed(bench, &by, DNSSEC_SECURE, DNSSEC_REASON_NONE);
	// Keys of another day may have been others.
	by = (struct signed_by){.zone = &domain,
	    .tag = (uint16_t)(tag(9, false) + 1),
	    .good = true,
	    .from = NOW - 1000,
	    .until = NOW + 1000000};
	begin_mx();
	add_signature(&by);
	take_at(bench, NOW + 3600, true);
	check(bench, DNSSEC_BOGUS, DNSSEC_KEY_MISSING);
	take_at(bench, NOW + 3601, true);
	check(bench, DNSSEC_CANNOT_TELL, DNSSEC_OTHER_TIME);
	take_at(bench, NOW - 61, true);
	check(bench, DNSSEC_CANNOT_TELL, DNSSEC_OTHER_TIME);
}

static void who_may_sign(void **state)
{
	static const struct dns_name other = {12, "\x06"
	                                          "xample\x03org"};
	static const struct dns_name below = {16, "\x02mx\x07"
	                                          "example\x03org"};
	struct bench *bench = *state;
	build(bench, NULL, 0);
	check_signed(bench, &(struct signed_by){.zone = &other, .tag = tag(9, false), .good = true},
	    DNSSEC_BOGUS, DNSSEC_SIGNATURE);
	check_signed(bench, &(struct signed_by){.zone = &below, .tag = tag(9, false), .good = true},
	    DNSSEC_BOGUS, DNSSEC_SIGNATURE);
	// A zone above may: there may be no cut between them.
	check_signed(bench, &(struct signed_by){.zone = &org, .tag = tag(8, false), .good = true},
	    DNSSEC_SECURE, DNSSEC_REASON_NONE);
	check_signed(bench,
	    &(struct signed_by){.zone = &domain, .tag = tag(9, false), .good = true, .labels = 3},
	    DNSSEC_BOGUS, DNSSEC_SIGNATURE);
	check_signed(bench,
	    &(struct signed_by){.zone = &domain, .tag = tag(9, false), .good = true, .labels = 1},
	    DNSSEC_CANNOT_TELL, DNSSEC_WILDCARD);
	check_signed(bench,
	    &(struct signed_by){
	        .zone = &domain, .tag = tag(9, false), .good = true, .algorithm = 5},
	    DNSSEC_INSECURE, DNSSEC_ALGORITHM);
	// Its own DS a zone may not sign.
	begin(DNS_DS, &domain);
	add_delegation(DNSSEC_DIGEST_SHA256, ED25519, 9);
	add_signature(&(struct signed_by){.zone = &domain, .tag = tag(9, false), .good = true});
	take(bench);
	take_keys(bench);
	check_signed(bench,
	    &(struct signed_by){.zone = &domain, .tag = tag(9, false), .good = true}, DNSSEC_BOGUS,
	    DNSSEC_SIGNATURE);
}

static void of_several_signatures_one_is_enough(void **state)
{
	struct bench *bench = *state;
	build(bench, NULL, 0);
	begin_mx();
	add_signature(&(struct signed_by){.zone = &domain, .tag = tag(9, false), .good = false});
	add_signature(&(struct signed_by){
	    .zone = &domain, .tag = tag(9, false), .good = true, .algorithm = 5});
	take(bench);
	check(bench, DNSSEC_BOGUS, DNSSEC_SIGNATURE);
	add_signature(&(struct signed_by){.zone = &domain, .tag = tag(9, false), .good = true});
	take(bench);
	check(bench, DNSSEC_SECURE, DNSSEC_REASON_NONE);
}

// A DS for example.org, and then the MX that is signed as it should be.
static void check_delegation(struct bench *bench, uint8_t digest, uint8_t algorithm, uint8_t last,
    bool with_good_sha1, enum dnssec_status status, enum dnssec_reason reason)
{
	begin(DNS_DS, &domain);
	add_delegation(digest, algorithm, last);
	if (with_good_sha1)
		add_delegation(DNSSEC_DIGEST_SHA1, ED25519, 9);
	add_signature(&(struct signed_by){.zone = &org, .tag = tag(8, false), .good = true});
	take(bench);
	take_keys(bench);
	check_signed(bench,
	    &(struct signed_by){.zone = &domain, .tag = tag(9, false), .good = true}, status,
	    reason);
}

static void delegations(void **state)
{
	struct bench *bench = *state;
	build(bench, NULL, 0);
	check_delegation(
	    bench, DNSSEC_DIGEST_SHA384, ED25519, 9, false, DNSSEC_SECURE, DNSSEC_REASON_NONE);
	check_delegation(
	    bench, DNSSEC_DIGEST_SHA1, ED25519, 9, false, DNSSEC_SECURE, DNSSEC_REASON_NONE);
	check_delegation(bench, DNSSEC_DIGEST_SHA256, ED25519, 3, false, DNSSEC_BOGUS,
	    DNSSEC_DELEGATION_MISMATCH);
	check_delegation(bench, DNSSEC_DIGEST_SHA256, ED25519, 3, true, DNSSEC_BOGUS,
	    DNSSEC_DELEGATION_MISMATCH);
	check_delegation(bench, 3, ED25519, 9, false, DNSSEC_INSECURE, DNSSEC_ALGORITHM);
	check_delegation(
	    bench, DNSSEC_DIGEST_SHA256, 7, 9, false, DNSSEC_INSECURE, DNSSEC_ALGORITHM);
}

static void nobody_is_accused_by_strangers(void **state)
{
	struct bench *bench = *state;
	build(bench, NULL, 0);
	begin_mx();
	add_signature(&(struct signed_by){.zone = &domain, .tag = tag(9, false), .good = false});
	take_at(bench, NOW, false);
	check(bench, DNSSEC_CANNOT_TELL, DNSSEC_NOT_ASKED_FOR);
	// Nor by a delegation that nobody asked for.
	begin(DNS_DS, &domain);
	parsed.recursion_available = false;
	add_delegation(DNSSEC_DIGEST_SHA256, ED25519, 3);
	for (size_t i = 0; i < parsed.count; i++)
		parsed.records[i].section = DNS_AUTHORITY;
	const struct dns_message message = {.time = SECONDS(NOW), .source = {{[15] = 9}}};
	assert_true(dns_memory_take_delegation(bench->memory, &message, &parsed));
	check_signed(bench,
	    &(struct signed_by){.zone = &domain, .tag = tag(9, false), .good = true}, DNSSEC_SECURE,
	    DNSSEC_REASON_NONE);
}

// Nor for what is wrong above an answer that nobody asked for.
static void nor_for_others_mistakes(void **state)
{
	struct bench *bench = *state;
	build(bench, &domain, DNS_DNSKEY);
	begin(DNS_DNSKEY, &domain);
	add_key(9, 0);
	data[0][12] = 0;
	add_signature(&(struct signed_by){.zone = &domain, .tag = tag(9, false), .good = false});
	take(bench);
	begin_mx();
	add_signature(&(struct signed_by){.zone = &domain, .tag = tag(9, false), .good = true});
	take_at(bench, NOW, false);
	check(bench, DNSSEC_CANNOT_TELL, DNSSEC_NOT_ASKED_FOR);
	take(bench);
	check(bench, DNSSEC_BOGUS, DNSSEC_SIGNATURE);
}

// Keys of the root that all have the tag of the anchor, and signatures by it that are no good (CVE-2023-50387).
static void many_keys_and_signatures(void **state)
{
	struct bench *bench = *state;
	build(bench, &root, DNS_DNSKEY);
	begin(DNS_DNSKEY, &root);
	add_key(7, 0);
	data[0][12] = 0;
	for (unsigned i = 0; i < 8; i++)
		add_signature(
		    &(struct signed_by){.zone = &root, .tag = tag(7, false), .good = i == 7});
	take(bench);
	struct signed_by by = {.zone = &domain, .tag = tag(9, false), .good = true};
	check_signed(bench, &by, DNSSEC_SECURE, DNSSEC_REASON_NONE); // the eighth is good
	begin(DNS_DNSKEY, &domain);
	for (unsigned i = 0; i < 60; i++)
		add_key(9, (uint8_t)i);
	add_key(9, 0);
	data[60][12] = 0;
	add_signature(&(struct signed_by){.zone = &domain, .tag = tag(9, false), .good = true});
	take(bench);
	computed = 0;
	by = (struct signed_by){.zone = &domain, .tag = tag(9, true), .good = false};
	check_signed(bench, &by, DNSSEC_CANNOT_TELL, DNSSEC_WORK);
	assert_in_range(computed, DNSSEC_SET_TRIALS_MAX, DNSSEC_SET_TRIALS_MAX + 4);
	assert_int_equal(dnssec_counters(bench->dnssec).left, 1);
	// Nothing is kept of what was not finished, and it costs the same again, no more.
	computed = 0;
	check(bench, DNSSEC_CANNOT_TELL, DNSSEC_WORK);
	assert_true(computed <= DNSSEC_SET_TRIALS_MAX);
}

static void work_of_a_second(void **state)
{
	struct bench *bench = *state;
	build(bench, NULL, 0);
	const struct signed_by by = {.zone = &domain, .tag = tag(9, false), .good = false};
	check_signed(bench, &by, DNSSEC_BOGUS, DNSSEC_SIGNATURE);
	for (unsigned i = 0; i < DNSSEC_TRIALS_GATHERED; i++) {
		begin_mx();
		add_signature(&by);
		take(bench);
		dnssec_of(bench->dnssec, &domain, DNS_MX);
		if (dnssec_counters(bench->dnssec).left > 0)
			break;
	}
	assert_int_equal(dnssec_counters(bench->dnssec).trials, DNSSEC_TRIALS_GATHERED);
	check_signed(bench, &by, DNSSEC_CANNOT_TELL, DNSSEC_WORK);
	// In the next second there is more.
	begin_mx();
	add_signature(&by);
	take_at(bench, NOW + 1, true);
	check(bench, DNSSEC_BOGUS, DNSSEC_SIGNATURE);
	for (unsigned i = 0; i < 2 * DNSSEC_TRIALS_SECOND; i++) {
		begin_mx();
		add_signature(&by);
		take_at(bench, NOW + 1, true);
		dnssec_of(bench->dnssec, &domain, DNS_MX);
	}
	assert_int_equal(dnssec_counters(bench->dnssec).trials,
	    DNSSEC_TRIALS_GATHERED + DNSSEC_TRIALS_SECOND);
}

// Zones beneath each other whose sets are each as much work as a set may be: of eight tries the last one is good.
static void many_delegations(void **state)
{
	struct bench *bench = *state;
	struct dns_name above = root, zone = root;
	build(bench, NULL, 0);
	for (unsigned level = 1; level <= 5; level++) {
		zone = (struct dns_name){(uint8_t)(above.length + 2), {1, (uint8_t)('a' + level)}};
		memcpy(zone.bytes + 2, above.bytes, above.length);
		begin(DNS_DS, &zone);
		add_delegation(DNSSEC_DIGEST_SHA256, ED25519, 7);
		for (unsigned i = 1; i <= DNSSEC_SET_TRIALS_MAX; i++)
			add_signature(&(struct signed_by){.zone = &above,
			    .tag = tag(7, false),
			    .good = i == DNSSEC_SET_TRIALS_MAX});
		take(bench);
		begin(DNS_DNSKEY, &zone);
		add_key(7, 0);
		data[0][12] = 0;
		for (unsigned i = 2; i <= DNSSEC_SET_TRIALS_MAX; i++) // the digest is one
			add_signature(&(struct signed_by){.zone = &zone,
			    .tag = tag(7, false),
			    .good = i == DNSSEC_SET_TRIALS_MAX});
		take(bench);
		above = zone;
		begin(DNS_MX, &zone);
		memcpy(add(DNS_MX, 6), "\0\x0a\x02mx", 6);
		add_signature(
		    &(struct signed_by){.zone = &zone, .tag = tag(7, false), .good = true});
		take(bench);
	}
	computed = 0;
	assert_int_equal(dnssec_of(bench->dnssec, &zone, DNS_MX).reason, DNSSEC_WORK);
	assert_int_equal(computed, DNSSEC_TRIALS_MAX);
}

// Names of one letter, each a zone beneath the one before.
static void many_zones(void **state)
{
	struct bench *bench = *state;
	for (unsigned count = DNSSEC_ZONES_MAX / 2 - 1; count <= DNSSEC_ZONES_MAX / 2; count++) {
		struct dns_name above = root, zone = root;
		build(bench, NULL, 0);
		for (unsigned i = 1; i <= count; i++) {
			zone =
			    (struct dns_name){(uint8_t)(above.length + 2), {1, (uint8_t)('a' + i)}};
			memcpy(zone.bytes + 2, above.bytes, above.length);
			begin(DNS_DS, &zone);
			add_delegation(DNSSEC_DIGEST_SHA256, ED25519, 7);
			add_signature(&(struct signed_by){
			    .zone = &above, .tag = tag(7, false), .good = true});
			take(bench);
			begin(DNS_DNSKEY, &zone);
			add_key(7, 0);
			data[0][12] = 0;
			add_signature(
			    &(struct signed_by){.zone = &zone, .tag = tag(7, false), .good = true});
			take(bench);
			above = zone;
		}
		begin(DNS_MX, &zone);
		memcpy(add(DNS_MX, 6), "\0\x0a\x02mx", 6);
		add_signature(
		    &(struct signed_by){.zone = &zone, .tag = tag(7, false), .good = true});
		take(bench);
		struct dnssec_verdict verdict = dnssec_of(bench->dnssec, &zone, DNS_MX);
		assert_int_equal(verdict.status,
		    count < DNSSEC_ZONES_MAX / 2 ? DNSSEC_SECURE : DNSSEC_CANNOT_TELL);
		tear_down(state);
		set_up(state);
	}
}

static struct dns_data key_of(uint8_t *bytes, uint8_t algorithm, size_t length)
{
	memcpy(bytes, "\x01\x01\x03", 3);
	bytes[3] = algorithm;
	return (struct dns_data){bytes, 4 + length};
}

static void keys_that_cost_too_much(void **state)
{
	uint8_t bytes[2048] = {0};
	(void)state;
	for (unsigned algorithm = 8; algorithm <= 10; algorithm += 2) {
		struct dns_data key = key_of(bytes, (uint8_t)algorithm, 1 + 3 + 512);
		bytes[4] = 3;
		assert_true(dnssec_key_is_sound(&key));
		key.length++; // 4104 bits
		assert_false(dnssec_key_is_sound(&key));
		bytes[4] = 9; // an exponent of 72 bits
		key.length = 4 + 1 + 9 + 256;
		assert_false(dnssec_key_is_sound(&key));
		bytes[4] = 0;
		bytes[6] = 4;
		assert_true(dnssec_key_is_sound(&key));
		bytes[4] = bytes[6] = 0;
		assert_false(dnssec_key_is_sound(&key));
		assert_false(dnssec_key_is_sound(&(struct dns_data){bytes, 6}));
	}
	static const struct {
		uint8_t algorithm, length;
	} fixed[] = {{13, 64}, {14, 96}, {15, 32}, {16, 57}};
	for (size_t i = 0; i < 4; i++) {
		struct dns_data key = key_of(bytes, fixed[i].algorithm, fixed[i].length);
		assert_true(dnssec_key_is_sound(&key));
		key.length--;
		assert_false(dnssec_key_is_sound(&key));
	}
	struct dns_data key = key_of(bytes, 5, 260);
	assert_false(dnssec_key_is_sound(&key));
}

static void records_that_are_cut(void **state)
{
	uint8_t bytes[40] = {0, 15, 15, 2};
	struct dnssec_signature signature;
	struct dnssec_key key;
	struct dnssec_delegation delegation;
	(void)state;
	// 18 bytes, a name of one, and at least one of the signature.
	for (size_t length = 0; length <= 20; length++)
		assert_int_equal(
		    dnssec_signature_read(&(struct dns_data){bytes, length}, &signature),
		    length == 20);
	for (size_t length = 0; length <= 5; length++) {
		assert_int_equal(
		    dnssec_key_read(&(struct dns_data){bytes, length}, &key), length == 5);
		assert_int_equal(
		    dnssec_delegation_read(&(struct dns_data){bytes, length}, &delegation),
		    length == 5);
	}
}

// RFC 4034 5.4: the tag of the key there.
static void tag_of_the_standard(void **state)
{
	static const uint8_t bytes[] = {0x01, 0x00, 0x03, 0x05, 0x01, 0x03};
	struct dnssec_key key;
	(void)state;
	assert_true(dnssec_key_read(&(struct dns_data){bytes, sizeof bytes}, &key));
	assert_int_equal(key.tag, 0x0100 + 0x0305 + 0x0103);
	assert_true(key.usable);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(whole_way),
	    TEST(other_anchors),
	    TEST(what_is_missing),
	    TEST(times),
	    TEST(who_may_sign),
	    TEST(of_several_signatures_one_is_enough),
	    TEST(delegations),
	    TEST(nobody_is_accused_by_strangers),
	    TEST(nor_for_others_mistakes),
	    TEST(many_keys_and_signatures),
	    TEST(work_of_a_second),
	    TEST(many_delegations),
	    TEST(many_zones),
	    cmocka_unit_test(keys_that_cost_too_much),
	    cmocka_unit_test(records_that_are_cut),
	    cmocka_unit_test(tag_of_the_standard),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
