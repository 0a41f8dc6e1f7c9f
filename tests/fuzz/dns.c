// SPDX-License-Identifier: Apache-2.0
// Fuzzes DNS: the input is messages, each behind two bytes with its length, as over TCP. Each is looked at, read by the
// library's module, taken for what it says, judged by DNSSEC and written as a domain's line. The look and the reader
// agree on what was asked, names are names, nothing stands outside of the message, and a line is whole. The first key
// of the input that is an entry point is the trust anchor, and its last signature tells what time it is, so that seeds
// are secure; what is secure has a signature, and what was judged is judged so again, within its bounds.
#include "analytics/dns_domains.h"
#include "analytics/dns_parse.h"
#include "analytics/dns_transactions.h"
#include "analytics/dnssec.h"
#include "analytics/domain_line.h"
#include "analytics/facts_lookup.h"
#include "decode/dns_filter.h"
#include "tests/fuzz/dns_answers.h"
#include "tests/fuzz/dns_streams.h"
#include "tests/fuzz/fuzzer.h"

struct setting {
	struct dns_filter *filter;
	struct dns_transactions *transactions;
	struct dns_memory *memory;
	struct dns_domains *domains;
	struct dns_counters counters;
	struct dnssec *dnssec; // NULL: no key came yet
	nanoseconds now;
};

// Where a key of the input is, as a path for the library that stands between.
static struct dnssec_anchor anchor;

static bool take_anchor(const char *path, struct dnssec_anchors *anchors, struct error *error)
{
	(void)path;
	(void)error;
	anchors->list[0] = anchor;
	anchors->count = 1;
	return true;
}

static void note_key(struct setting *setting, const struct dns_record *record)
{
	static struct dns_library_ops library;
	struct error error;
	if (setting->dnssec != NULL || record->data_length > DNSSEC_ANCHOR_BYTES_MAX)
		return;
	anchor = (struct dnssec_anchor){.type = DNS_DNSKEY,
	    .length = record->data_length,
	    .zone = {.length = (uint8_t)record->owner_length}};
	memcpy(anchor.zone.bytes, record->owner, record->owner_length);
	memcpy(anchor.bytes, record->data, record->data_length);
	library = dns_module;
	library.read_anchors = take_anchor;
	setting->dnssec = dnssec_open(&library, setting->memory, "input", &error);
}

static void note_keys(struct setting *setting, const struct dns_parsed *parsed)
{
	for (size_t i = 0; i < parsed->count; i++) {
		const struct dns_record *record = &parsed->records[i];
		bool entry =
		    record->data_length > 1 && (record->data[1] & 1) != 0; // RFC 4034 2.1.1
		if (record->type == DNS_DNSKEY && entry)
			note_key(setting, record);
	}
}

// It is when the last signature begins to be valid.
static void note_time(struct setting *setting, const uint8_t *bytes, size_t length)
{
	static struct dns_parsed parsed;
	if (!dns_module.parse(bytes, length, &parsed))
		return;
	for (size_t i = 0; i < parsed.count; i++) {
		const struct dns_record *record = &parsed.records[i];
		if (record->type != DNS_RRSIG || record->data_length < 16)
			continue;
		const uint8_t *from = record->data + 12; // its inception
		nanoseconds begins =
		    SECONDS((int64_t)from[0] << 24 | from[1] << 16 | from[2] << 8 | from[3]);
		if (begins > setting->now)
			setting->now = begins;
	}
}

static void check_dnssec(const struct setting *setting, const struct dns_name *name, uint16_t type)
{
	struct dnssec *dnssec = setting->dnssec;
	bool differ;
	const struct dns_answer *answer = dns_memory_find(setting->memory, name, type, &differ);
	uint64_t before = dnssec_counters(dnssec).trials;
	struct dnssec_verdict verdict = dnssec_of(dnssec, name, type);
	MUST(dnssec_counters(dnssec).trials - before <= DNSSEC_TRIALS_MAX);
	MUST((verdict.status == DNSSEC_SECURE) == (verdict.reason == DNSSEC_REASON_NONE));
	MUST(verdict.status != DNSSEC_SECURE || (answer->is_signed && answer->state == DNS_DATA) ||
	     type == DNS_DNSKEY);
	MUST(verdict.status != DNSSEC_BOGUS || answer->asked);
	struct dnssec_verdict again = dnssec_of(dnssec, name, type);
	MUST(again.status == verdict.status && again.reason == verdict.reason);
}

// Labels of at most 63 bytes, the last of them empty.
static void check_name(const uint8_t *name, size_t length)
{
	size_t at = 0;
	MUST(length >= 1 && length <= DNS_NAME_MAX);
	while (name[at] != 0) {
		MUST(name[at] <= 63);
		at += name[at] + 1u;
		MUST(at < length);
	}
	MUST(at + 1 == length);
}

static void check_parsed(const struct dns_parsed *parsed, const struct dns_look *look)
{
	MUST(look->outcome == DNS_OF_USE);
	MUST(parsed->type == look->type && parsed->id == look->id &&
	     parsed->name.length == look->name_length);
	MUST(parsed->count <= DNS_RECORDS_MAX);
	check_name(parsed->name.bytes, parsed->name.length);
	for (size_t i = 0; i < parsed->count; i++) {
		const struct dns_record *record = &parsed->records[i];
		const uint8_t *end = parsed->bytes + sizeof parsed->bytes;
		check_name(record->owner, record->owner_length);
		MUST(record->data >= parsed->bytes && record->data + record->data_length <= end);
	}
}

static void check_users(const struct setting *setting, const struct dns_parsed *parsed)
{
	bool differ;
	const struct dns_answer *answer =
	    dns_memory_find(setting->memory, &parsed->name, parsed->type, &differ);
	if (parsed->type == DNS_TXT)
		check_key(setting->memory, &parsed->name);
	if (parsed->type == DNS_TLSA && answer != NULL)
		check_tlsa(answer);
}

static void take_parsed(
    struct setting *setting, const struct dns_message *message, const struct dns_parsed *parsed)
{
	if (!parsed->answer) {
		dns_transactions_question(setting->transactions, message, parsed);
		return;
	}
	bool asked = dns_transactions_answer(setting->transactions, message, parsed) == DNS_ASKED;
	enum dns_state state = dns_memory_take(setting->memory, message, parsed, asked);
	(void)dns_memory_take_delegation(setting->memory, message, parsed);
	note_keys(setting, parsed);
	check_users(setting, parsed);
	if (setting->dnssec != NULL)
		check_dnssec(setting, &parsed->name, parsed->type);
	if (state != DNS_NOTHING)
		dns_domains_note(setting->domains, parsed, state, message->time);
}

static void take_message(struct setting *setting, const uint8_t *bytes, size_t length)
{
	static struct dns_parsed parsed;
	uint8_t *copy = exact_copy(bytes, length);
	const struct dns_message message = {.time = setting->now,
	    .source_port = DNS_PORT,
	    .destination_port = DNS_PORT,
	    .bytes = copy,
	    .captured = (uint32_t)length,
	    .length = (uint32_t)length};
	struct dns_look look = dns_look(copy, length);
	bool taken = dns_filter_take(setting->filter, &setting->counters, &message);
	MUST(!taken || look.outcome == DNS_OF_USE);
	if (dns_module.parse(copy, length, &parsed)) {
		check_parsed(&parsed, &look);
		take_parsed(setting, &message, &parsed);
	} else {
		MUST(parsed.count == 0);
	}
	free(copy);
}

static bool agree(const struct domain_facts *one, const struct domain_facts *other)
{
	return strcmp(one->domain, other->domain) == 0 && one->mx_known == other->mx_known &&
	       strcmp(one->host.text, other->host.text) == 0 &&
	       one->preference == other->preference && one->address_count == other->address_count &&
	       memcmp(one->addresses, other->addresses, sizeof one->addresses) == 0 &&
	       one->last_seen == other->last_seen &&
	       memcmp(&one->policies, &other->policies, sizeof one->policies) == 0;
}

// What a run counts of a domain is what a report reads of its line.
static void write_lines(const struct setting *setting)
{
	static struct domain_facts facts, read;
	static struct facts_lookup *registered;
	struct error error;
	struct json json = {.text = NULL};
	if (registered == NULL)
		registered = facts_lookup_open(&error);
	MUST(registered != NULL);
	const struct domain_writer writer = {.json = &json,
	    .memory = setting->memory,
	    .dnssec = setting->dnssec,
	    .registered = registered};
	const struct dns_domain *domain = NULL;
	while (setting->dnssec != NULL &&
	       (domain = dns_domains_next(setting->domains, domain)) != NULL) {
		domain_line_write(&writer, domain, &facts);
		MUST(!json.failed && json.text[0] == '{' && json.text[json.length - 2] == '}');
		MUST(memchr(json.text, '\n', json.length) == json.text + json.length - 1);
		MUST(domain_facts_of_line(&read, json.text, json.length - 1));
		MUST(agree(&facts, &read));
	}
	json_release(&json);
}

typedef void message_visitor(struct setting *setting, const uint8_t *bytes, size_t length);

static void each_message(
    struct setting *setting, const uint8_t *data, size_t size, message_visitor *visit)
{
	struct input input = {data, data + size};
	while (input_left(&input) > 0) {
		size_t length = take_u16(&input);
		if (length > input_left(&input))
			length = input_left(&input);
		visit(setting, input.at, length);
		input.at += length;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct setting setting = {.filter = dns_filter_create(),
	    .transactions = dns_transactions_create(),
	    .memory = dns_memory_create(),
	    .domains = dns_domains_create(),
	    .now = SECONDS(1)};
	check_stream(data, size);
	each_message(&setting, data, size, note_time);
	each_message(&setting, data, size, take_message);
	MUST(setting.counters.kept + setting.counters.other + setting.counters.malformed +
	         setting.counters.left_out <=
	     setting.counters.seen);
	const uint8_t *nothing = (const uint8_t *)"";
	note_key(
	    &setting, &(struct dns_record){.owner = nothing, .owner_length = 1, .data = nothing});
	write_lines(&setting);
	dnssec_close(setting.dnssec);
	dns_filter_destroy(setting.filter);
	dns_transactions_destroy(setting.transactions);
	dns_memory_destroy(setting.memory);
	dns_domains_destroy(setting.domains);
	return 0;
}
