// SPDX-License-Identifier: Apache-2.0
#include "analytics/domain_line.h"

#include "analytics/anonymise.h"
#include "analytics/anonymise_text.h"
#include "analytics/dkim_key.h"
#include "analytics/dns_text.h"
#include "analytics/dnssec.h"
#include "analytics/dnssec_records.h"
#include "analytics/facts_lookup.h"
#include "analytics/json_fields.h"
#include "analytics/server_key.h"
#include "analytics/spf_lookups.h"
#include "analytics/spf_record.h"
#include "analytics/txt_record.h"
#include "decode/tag_list.h"

#include <stdio.h>
#include <string.h>

struct name_text {
	size_t length;
	uint8_t bytes[DNS_TEXT_MAX + ANONYMISE_TEXT_GROWTH];
};

static void write_name(const struct domain_writer *writer, const uint8_t *labels, size_t length,
    struct name_text *written)
{
	char text[DNS_TEXT_MAX];
	size_t size = dns_labels_text(labels, length, text);
	if (writer->anonymiser != NULL) {
		size =
		    anonymise_text(writer->anonymiser, (const uint8_t *)text, size, written->bytes);
	} else {
		memcpy(written->bytes, text, size);
	}
	written->length = size;
	json_bytes(writer->json, written->bytes, size);
}

// What was found out on the way: of all answers that the line rests on.
struct domain_line {
	const struct domain_writer *writer;
	const struct dns_domain *domain;
	unsigned answers, asked;
	unsigned own, authentic; // of the domain's own names
	bool differ;
	struct {
		unsigned sets, is_signed, wanted, secure; // of the domain's own
		struct dnssec_verdict verdict; // of them
		bool algorithms[UINT8_MAX + 1];
	} dnssec;
	unsigned hosts, hosts_asked, hosts_with_tlsa; // asked: for their TLSA
	struct domain_facts *facts;
	struct domain_published published;
};

static bool is_beneath(const struct dns_name *name, const struct dns_name *domain)
{
	return name->length >= domain->length && memcmp(name->bytes + name->length - domain->length,
	                                             domain->bytes, domain->length) == 0;
}

// One that does not verify is worse than others are good. Where no more can be told, what came nearest tells why.
static void combine(struct dnssec_verdict *all, struct dnssec_verdict verdict)
{
	static const int rank[] = {[DNSSEC_CANNOT_TELL] = 0,
	    [DNSSEC_INSECURE] = 1,
	    [DNSSEC_SECURE] = 2,
	    [DNSSEC_BOGUS] = 3};
	if (rank[verdict.status] > rank[all->status] ||
	    (verdict.status == all->status && verdict.reason > all->reason))
		*all = verdict;
}

// Records of the domain itself; not those that an alias leads to, which may be another's.
static void note_dnssec(struct domain_line *line, const struct dns_name *name,
    const struct dns_answer *answer, uint16_t type)
{
	struct dns_set set;
	struct dns_data data;
	struct dnssec_signature signature;
	size_t at = 0, from = 0;
	if (answer->state != DNS_DATA || !dns_answer_next_set(answer, &at, &set) ||
	    set.type != type)
		return;
	struct dnssec_verdict verdict = dnssec_of(line->writer->dnssec, name, type);
	line->dnssec.sets++;
	line->dnssec.is_signed += answer->is_signed;
	line->dnssec.wanted += answer->signatures_wanted;
	line->dnssec.secure += verdict.status == DNSSEC_SECURE;
	combine(&line->dnssec.verdict, verdict);
	while (dns_list_next(&set.signatures, &from, &data))
		if (dnssec_signature_read(&data, &signature))
			line->dnssec.algorithms[signature.algorithm] = true;
}

static const struct dns_answer *look_up(
    struct domain_line *line, const struct dns_name *name, uint16_t type)
{
	if (name->length == 0)
		return NULL;
	struct dns_followed found = dns_memory_follow(line->writer->memory, name, type);
	const struct dns_answer *answer = found.answer;
	if (answer == NULL)
		return NULL;
	line->answers++;
	line->asked += found.asked;
	line->differ |= found.differ;
	if (found.aliases > 0 || !is_beneath(name, &line->domain->name))
		return answer; // another domain's
	line->own++;
	line->authentic += answer->authentic;
	note_dnssec(line, name, answer, type);
	return answer;
}

static void key_dnssec(
    struct domain_line *line, const char *key, const struct dns_name *name, uint16_t type)
{
	json_key_name(line->writer->json, key,
	    dnssec_status_name(dnssec_of(line->writer->dnssec, name, type).status));
}

/* ---- hosts ---- */

static void write_tlsa(struct domain_line *line, const struct dns_name *host)
{
	static const char labels[] = "\x03_25\x04_tcp";
	struct json *json = line->writer->json;
	struct dns_name name = dns_name_beneath((const uint8_t *)labels, sizeof labels - 1, host);
	const struct dns_answer *answer = look_up(line, &name, DNS_TLSA);
	key_dnssec(line, "tlsa_dnssec", &name, DNS_TLSA);
	json_key(json, "tlsa");
	if (answer == NULL) {
		json_null(json);
		return;
	}
	struct dns_data data;
	bool any = false;
	json_array_begin(json);
	for (size_t at = 0; dns_answer_next(answer, &at, &data);) {
		if (data.length < 3)
			continue;
		any = true;
		json_object_begin(json);
		json_key_unsigned(json, "usage", data.bytes[0]);
		json_key_unsigned(json, "selector", data.bytes[1]);
		json_key_unsigned(json, "matching_type", data.bytes[2]);
		json_object_end(json);
	}
	json_array_end(json);
	line->hosts_asked++;
	line->hosts_with_tlsa += any;
}

static void write_address(struct domain_line *line, const struct dns_data *data)
{
	struct ip_address address;
	char text[SERVER_ADDRESS_TEXT];
	if (!dns_data_address(data, &address))
		return;
	if (line->writer->anonymiser != NULL)
		address = anonymise_address(line->writer->anonymiser, &address);
	server_address_write(&address, text);
	json_name(line->writer->json, text);
	domain_facts_add_address(line->facts, &address);
}

// Null: neither type was asked for.
static void write_addresses(struct domain_line *line, const struct dns_name *host)
{
	static const uint16_t types[] = {DNS_A, DNS_AAAA};
	struct json *json = line->writer->json;
	const struct dns_answer *answers[2];
	struct dns_data data;
	json_key(json, "addresses");
	for (size_t i = 0; i < 2; i++)
		answers[i] = look_up(line, host, types[i]);
	if (answers[0] == NULL && answers[1] == NULL) {
		json_null(json);
		return;
	}
	json_array_begin(json);
	for (size_t i = 0; i < 2; i++)
		for (size_t at = 0; answers[i] != NULL && dns_answer_next(answers[i], &at, &data);)
			write_address(line, &data);
	json_array_end(json);
}

// RFC 7505: the only record is one of the root's name.
static enum seen is_null(const struct dns_answer *answer)
{
	struct dns_data data;
	size_t at = 0;
	if (answer == NULL)
		return NOT_SEEN;
	bool only = answer->count == 1 && dns_answer_next(answer, &at, &data);
	return only && data.length == 3 && data.bytes[2] == 0 ? SEEN_YES : SEEN_NO;
}

// `data` of a record of MX.
static void write_host(struct domain_line *line, const struct dns_data *data)
{
	struct json *json = line->writer->json;
	uint16_t preference = (uint16_t)(data->bytes[0] << 8 | data->bytes[1]);
	struct dns_name host =
	    dns_name_beneath(data->bytes + 2, data->length - 2, &(struct dns_name){0});
	struct name_text name;
	json_object_begin(json);
	json_key_unsigned(json, "preference", preference);
	json_key(json, "host");
	write_name(line->writer, host.bytes, host.length, &name);
	domain_facts_add_host(line->facts, preference, view_of(name.bytes, name.length));
	write_addresses(line, &host);
	write_tlsa(line, &host);
	json_object_end(json);
	line->hosts++;
}

static void key_operator(struct json *json, const char *key, const struct operator_name *operator)
{
	json_key_name(json, key, operator->text[0] != '\0' ? operator->text : NULL);
}

// Of the host that goes first.
static void write_operator(const struct domain_line *line)
{
	struct operator_name operator;
	facts_lookup_domain(line->writer->registered, &line->facts->host, &operator);
	key_operator(line->writer->json, "mx_operator", &operator);
}

static enum seen has_tlsa(const struct domain_line *line)
{
	if (line->hosts_with_tlsa > 0)
		return SEEN_YES;
	return line->hosts > 0 && line->hosts_asked == line->hosts ? SEEN_NO : NOT_SEEN;
}

static void write_mx(struct domain_line *line)
{
	struct json *json = line->writer->json;
	const struct dns_answer *answer = look_up(line, &line->domain->name, DNS_MX);
	struct dns_data data;
	json_key_seen(json, "mx_null", is_null(answer));
	json_key(json, "mx");
	line->facts->mx_known = answer != NULL;
	if (answer == NULL) {
		json_null(json);
		return;
	}
	json_array_begin(json);
	for (size_t at = 0; dns_answer_next(answer, &at, &data);)
		if (data.length >= 3)
			write_host(line, &data);
	json_array_end(json);
	line->published.tlsa = has_tlsa(line);
}

/* ---- texts ---- */

static void find_text(struct domain_line *line, const struct dns_name *name, txt_kind *is_kind,
    struct txt_found *found)
{
	txt_find(look_up(line, name, DNS_TXT), is_kind, found);
}

static enum seen key_present(struct json *json, const char *key, const struct txt_found *found)
{
	enum seen present = !found->answered ? NOT_SEEN : found->count > 0 ? SEEN_YES : SEEN_NO;
	json_key_seen(json, key, present);
	return present;
}

static bool is_spf(struct view text)
{
	return spf_record_is(text.data, text.length);
}

// Two records are an error (RFC 7208 4.5): then as little is said of them as of one that cannot be read.
static void write_spf(struct domain_line *line, struct txt_found *found)
{
	struct json *json = line->writer->json;
	struct spf_record record = {.valid = false};
	struct spf_lookups lookups = {.known = false};
	find_text(line, &line->domain->name, is_spf, found);
	bool there = found->count > 0;
	if (found->count == 1)
		record = spf_record_read(found->bytes, found->length);
	if (record.valid)
		lookups = spf_lookups_count(line->writer->memory, txt_text(found));
	struct domain_published *published = &line->published;
	const char all[] = {record.all, 'a', 'l', 'l', '\0'};
	published->spf_all = (char)(record.valid ? record.all : '\0');
	published->spf_valid = !there ? NOT_SEEN : record.valid ? SEEN_YES : SEEN_NO;
	published->spf_redirect = !record.valid ? NOT_SEEN : record.redirect ? SEEN_YES : SEEN_NO;
	published->spf = key_present(json, "spf", found);
	json_key_seen(json, "spf_valid", published->spf_valid);
	json_key_name(json, "spf_all", published->spf_all != '\0' ? all : NULL);
	json_key_seen(json, "spf_redirect", published->spf_redirect);
	json_key_known(json, "spf_lookups", record.valid, record.lookups);
	json_key_known(json, "spf_lookups_total", lookups.known, lookups.count);
}

static bool is_dmarc(struct view text)
{
	return tag_list_begins(text, "DMARC1");
}

static const char *policy_name(struct view value)
{
	static const char *const names[] = {"none", "quarantine", "reject"};
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (tag_is(value, names[i]))
			return names[i];
	return NULL;
}

// RFC 7489 6.3: a number up to 100; what is none counts as not there.
static unsigned percent_of(struct view value)
{
	unsigned percent = 0;
	if (value.data == NULL || value.length == 0 || value.length > 3)
		return 100;
	for (size_t i = 0; i < value.length; i++) {
		if (value.data[i] < '0' || value.data[i] > '9')
			return 100;
		percent = percent * 10 + (value.data[i] - '0');
	}
	return percent <= 100 ? percent : 100;
}

struct dmarc_tags {
	const char *policy, *beneath; // NULL: none that counts
	unsigned percent;
	bool reports; // are wanted
};

// RFC 7489 6.6.3: without a good "p", or with a "sp" that is none, there is no policy; nor where one comes twice.
static struct dmarc_tags read_dmarc(struct view text)
{
	unsigned policies, others, ignored;
	const char *policy = policy_name(tag_list_value_any_case(text, "p", &policies));
	const char *beneath = policy_name(tag_list_value_any_case(text, "sp", &others));
	struct view reports = tag_list_value_any_case(text, "rua", &ignored);
	bool good =
	    policy != NULL && policies == 1 && others <= 1 && (others == 0 || beneath != NULL);
	return (struct dmarc_tags){
	    .policy = good ? policy : NULL,
	    .beneath = good ? beneath : NULL,
	    .percent = percent_of(tag_list_value_any_case(text, "pct", &ignored)),
	    .reports = reports.data != NULL && reports.length > 0,
	};
}

static void write_dmarc(struct domain_line *line, struct txt_found *found)
{
	static const char labels[] = "\x06_dmarc";
	struct json *json = line->writer->json;
	struct dns_name name =
	    dns_name_beneath((const uint8_t *)labels, sizeof labels - 1, &line->domain->name);
	find_text(line, &name, is_dmarc, found);
	bool there = found->count > 0;
	// Several are as good as none (RFC 7489 6.6.3): nothing is said of their tags.
	struct view text = view_of(found->bytes, found->count == 1 ? found->length : 0);
	struct dmarc_tags tags = read_dmarc(text);
	line->published.dmarc = key_present(json, "dmarc", found);
	line->published.dmarc_policy = tags.policy;
	json_key_seen(json, "dmarc_valid",
	    !there                ? NOT_SEEN
	    : tags.policy != NULL ? SEEN_YES
	                          : SEEN_NO);
	json_key_name(json, "dmarc_policy", tags.policy);
	json_key_name(json, "dmarc_subdomain_policy", tags.beneath);
	json_key_known(json, "dmarc_percent", text.length > 0, tags.percent);
	json_key_seen(json, "dmarc_rua",
	    text.length == 0 ? NOT_SEEN
	    : tags.reports   ? SEEN_YES
	                     : SEEN_NO);
}

static bool is_sts(struct view text)
{
	return tag_list_begins(text, "STSv1");
}

static bool is_tls_rpt(struct view text)
{
	return tag_list_begins(text, "TLSRPTv1");
}

static void write_tls_policies(struct domain_line *line, struct txt_found *found)
{
	static const char sts[] = "\x08_mta-sts", reports[] = "\x05_smtp\x04_tls";
	const struct dns_name *domain = &line->domain->name;
	struct dns_name name = dns_name_beneath((const uint8_t *)sts, sizeof sts - 1, domain);
	find_text(line, &name, is_sts, found);
	line->published.mta_sts = key_present(line->writer->json, "mta_sts", found);
	name = dns_name_beneath((const uint8_t *)reports, sizeof reports - 1, domain);
	find_text(line, &name, is_tls_rpt, found);
	line->published.tls_rpt = key_present(line->writer->json, "tls_rpt", found);
}

/* ---- keys ---- */

static bool is_key(struct view text)
{
	return dkim_key_read(text).present;
}

static void write_selector(struct domain_line *line, const struct dns_selector *selector)
{
	static const char domain_key[] = "\x0a_domainkey";
	struct json *json = line->writer->json;
	struct dns_name name = dns_name_beneath(
	    (const uint8_t *)domain_key, sizeof domain_key - 1, &line->domain->name);
	name = dns_name_beneath(selector->bytes, selector->length, &name);
	const struct dns_answer *answer = look_up(line, &name, DNS_TXT);
	struct txt_found found;
	txt_find(answer, is_key, &found); // of several any one may be taken (RFC 6376 3.6.2.2)
	struct dkim_key key = dkim_key_read(txt_text(&found));
	struct name_text text;
	json_object_begin(json);
	json_key(json, "selector");
	write_name(line->writer, selector->bytes, selector->length, &text);
	json_key_name(json, "key_type", key.type);
	json_key_known(json, "key_bits", key.bits > 0, key.bits);
	json_key_seen(json, "revoked", !key.present ? NOT_SEEN : key.revoked ? SEEN_YES : SEEN_NO);
	json_key_seen(json, "testing", !key.present ? NOT_SEEN : key.testing ? SEEN_YES : SEEN_NO);
	key_dnssec(line, "dnssec", &name, DNS_TXT);
	json_object_end(json);
	if (key.present && !key.revoked && key.type != NULL)
		line->published.dkim = SEEN_YES;
}

static void write_selectors(struct domain_line *line)
{
	struct json *json = line->writer->json;
	const struct dns_domain *domain = line->domain;
	json_key(json, "dkim");
	if (domain->selector_count == 0) {
		json_null(json);
	} else {
		line->published.dkim = SEEN_NO;
		json_array_begin(json);
		for (unsigned i = 0; i < domain->selector_count; i++)
			write_selector(line, &domain->selectors[i]);
		json_array_end(json);
	}
	json_key_unsigned(json, "dkim_selectors_left_out", domain->selectors_left_out);
}

/* ---- the line ---- */

static void write_algorithms(struct domain_line *line)
{
	struct json *json = line->writer->json;
	json_key(json, "dnssec_algorithms");
	if (line->dnssec.is_signed == 0) {
		json_null(json);
		return;
	}
	json_array_begin(json);
	for (unsigned i = 0; i <= UINT8_MAX; i++) {
		const char *name = dnssec_algorithm_name((uint8_t)i);
		if (!line->dnssec.algorithms[i])
			continue;
		char number[4];
		snprintf(number, sizeof number, "%u", i);
		json_name(json, name != NULL ? name : number);
	}
	json_array_end(json);
}

static void write_dnssec(struct domain_line *line)
{
	struct json *json = line->writer->json;
	struct dnssec_verdict verdict = line->dnssec.verdict;
	// Where nobody is known to have asked for signatures, it says nothing that none came.
	line->published.dnssec_signatures =
	    line->dnssec.is_signed > 0                                          ? SEEN_YES
	    : line->dnssec.sets > 0 && line->dnssec.wanted == line->dnssec.sets ? SEEN_NO
	                                                                        : NOT_SEEN;
	line->published.dnssec = dnssec_status_name(verdict.status) == NULL ? NOT_SEEN
	                         : verdict.status == DNSSEC_SECURE          ? SEEN_YES
	                                                                    : SEEN_NO;
	json_key_seen(json, "dnssec_signatures", line->published.dnssec_signatures);
	write_algorithms(line);
	json_key_name(json, "dnssec", dnssec_status_name(verdict.status));
	json_key_name(json, "dnssec_reason", dnssec_reason_name(verdict.reason));
	json_key_unsigned(json, "dnssec_sets", line->dnssec.sets);
	json_key_unsigned(json, "dnssec_sets_secure", line->dnssec.secure);
}

static void write_quality(struct domain_line *line)
{
	struct json *json = line->writer->json;
	bool any = line->answers > 0;
	json_key_seen(json, "dns_questions_seen",
	    !any                           ? NOT_SEEN
	    : line->asked == line->answers ? SEEN_YES
	                                   : SEEN_NO);
	json_key_seen(json, "dns_answers_differ",
	    !any           ? NOT_SEEN
	    : line->differ ? SEEN_YES
	                   : SEEN_NO);
	json_key_seen(json, "resolver_authentic",
	    line->own == 0                 ? NOT_SEEN
	    : line->authentic == line->own ? SEEN_YES
	                                   : SEEN_NO);
}

static void write_head(struct domain_line *line)
{
	const struct domain_writer *writer = line->writer;
	const struct dns_domain *domain = line->domain;
	struct json *json = writer->json;
	struct name_text name;
	json_key(json, "domain");
	write_name(writer, domain->name.bytes, domain->name.length, &name);
	memcpy(line->facts->domain, name.bytes, name.length);
	json_key(json, "sensor");
	if (writer->sensor != NULL)
		json_bytes(json, (const uint8_t *)writer->sensor, strlen(writer->sensor));
	else
		json_null(json);
	json_key(json, "first_seen");
	json_time(json, domain->first_seen);
	json_key(json, "last_seen");
	json_time(json, domain->last_seen);
	json_mark(json, "anonymised", writer->anonymiser != NULL);
	struct operator_name registered;
	facts_lookup_registered(writer->registered, line->facts->domain, &registered);
	key_operator(json, "registered_domain", &registered);
}

void domain_line_write(
    const struct domain_writer *writer, const struct dns_domain *domain, struct domain_facts *facts)
{
	struct domain_line line = {.writer = writer, .domain = domain, .facts = facts};
	struct json *json = writer->json;
	struct txt_found found;
	*facts = (struct domain_facts){
	    .anonymised = writer->anonymiser != NULL, .last_seen = domain->last_seen};
	json_clear(json);
	json_object_begin(json);
	write_head(&line);
	write_mx(&line);
	write_operator(&line);
	write_spf(&line, &found);
	write_dmarc(&line, &found);
	write_selectors(&line);
	write_tls_policies(&line, &found);
	write_dnssec(&line);
	write_quality(&line);
	json_object_end(json);
	json_line_end(json);
	facts->policies = domain_policies_of(&line.published);
}
