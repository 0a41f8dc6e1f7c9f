// SPDX-License-Identifier: Apache-2.0
#include "analytics/dns_domains.h"

#include "analytics/dns_text.h"

#include <libpsl.h>
#include <stdlib.h>
#include <string.h>

enum { DOMAINS = 1 << 16 };

struct dns_domains {
	struct hash_key key;
	struct bounded_table *table;
	psl_ctx_t *suffixes;
	uint64_t given_up;
};

struct dns_domains *dns_domains_create(void)
{
	struct dns_domains *domains = calloc(1, sizeof *domains);
	if (domains == NULL)
		return NULL;
	domains->key = hash_key_random();
	domains->table = bounded_table_create(DOMAINS);
	domains->suffixes = psl_latest(NULL);
	if (domains->table != NULL && domains->suffixes != NULL)
		return domains;
	dns_domains_destroy(domains);
	return NULL;
}

static void forget(struct dns_domains *domains, struct bounded_node *node)
{
	struct dns_domain *domain = (struct dns_domain *)node;
	bounded_table_remove(domains->table, node);
	free(domain->selectors);
	free(domain);
}

void dns_domains_destroy(struct dns_domains *domains)
{
	if (domains == NULL)
		return;
	struct bounded_node *node;
	while (domains->table != NULL && (node = bounded_table_next(domains->table, NULL)) != NULL)
		forget(domains, node);
	bounded_table_destroy(domains->table);
	psl_free(domains->suffixes);
	free(domains);
}

struct dns_name dns_name_beneath(const uint8_t *labels, size_t length, const struct dns_name *name)
{
	struct dns_name beneath = {.length = 0};
	if (length + name->length > DNS_NAME_MAX)
		return beneath;
	memcpy(beneath.bytes, labels, length);
	memcpy(beneath.bytes + length, name->bytes, name->length);
	beneath.length = (uint8_t)(length + name->length);
	return beneath;
}

// The name behind its first `length` bytes.
static struct dns_name name_behind(const struct dns_name *name, size_t length)
{
	return dns_name_beneath(name->bytes + length, name->length - length, &(struct dns_name){0});
}

/* ---- which names are domains ---- */

// No label of a domain of mail begins with an underscore (RFC 5321 2.3.5).
static bool can_be_domain(const struct dns_name *name)
{
	size_t labels = 0;
	for (size_t at = 0; at < name->length && name->bytes[at] != 0; at += name->bytes[at] + 1u) {
		if (name->bytes[at + 1] == '_')
			return false;
		labels++;
	}
	return labels > 0;
}

static bool is_registered(const struct dns_domains *domains, const struct dns_name *name)
{
	char text[DNS_TEXT_MAX];
	dns_name_text(name, text);
	const char *found = psl_registrable_domain(domains->suffixes, text);
	return found != NULL && strcmp(found, text) == 0;
}

// Labels that stand in front of a domain; what is asked there says that it is one.
static const struct {
	const char *labels;
	size_t length;
} fixed[] = {{"\x06_dmarc", 7}, {"\x08_mta-sts", 9}, {"\x05_smtp\x04_tls", 11}};

static const char domain_key[] = "\x0a_domainkey";

// Where in a name the label _domainkey stands, behind a selector; 0: nowhere.
static size_t selector_length(const struct dns_name *name)
{
	size_t at = 0;
	while (at < name->length && name->bytes[at] != 0) {
		if (at > 0 && name->length - at > sizeof domain_key - 1 &&
		    memcmp(name->bytes + at, domain_key, sizeof domain_key - 1) == 0)
			return at;
		at += name->bytes[at] + 1u;
	}
	return 0;
}

// The domain that an answer is about. Length 0: about none. *selector: the length of one in front of it.
static struct dns_name domain_of(const struct dns_domains *domains, const struct dns_parsed *parsed,
    enum dns_state state, size_t *selector)
{
	struct dns_name none = {.length = 0};
	const struct dns_name *name = &parsed->name;
	bool published = state == DNS_DATA || state == DNS_ALIAS;
	*selector = 0;
	if (parsed->type == DNS_MX)
		return state != DNS_NO_NAME ? *name : none;
	if (parsed->type != DNS_TXT)
		return none;
	for (size_t i = 0; i < sizeof fixed / sizeof fixed[0]; i++)
		if (name->length > fixed[i].length &&
		    memcmp(name->bytes, fixed[i].labels, fixed[i].length) == 0)
			return published ? name_behind(name, fixed[i].length) : none;
	*selector = selector_length(name);
	if (*selector > 0)
		return published ? name_behind(name, *selector + sizeof domain_key - 1) : none;
	// Asked for its SPF, as far as anybody can tell; also where it has none, or shares would be of those that have.
	return state != DNS_NO_NAME && is_registered(domains, name) ? *name : none;
}

/* ---- remembering ---- */

static struct dns_domain *domain_at(
    struct dns_domains *domains, const struct dns_name *name, nanoseconds time)
{
	uint64_t key = hash_bytes(&domains->key, name->bytes, name->length);
	struct dns_domain *domain = (struct dns_domain *)bounded_table_find(domains->table, key);
	if (domain != NULL) {
		bounded_table_use(domains->table, &domain->node);
		return domain;
	}
	struct bounded_node *victim = bounded_table_victim(domains->table);
	if (victim != NULL) {
		forget(domains, victim);
		domains->given_up++;
	}
	domain = calloc(1, sizeof *domain);
	if (domain == NULL)
		return NULL;
	domain->name = *name;
	domain->first_seen = time;
	bounded_table_add(domains->table, &domain->node, key);
	return domain;
}

// A selector is a name that a domain gave to a key; what has another form than those may be anything.
static bool is_plain(const uint8_t *labels, size_t length)
{
	size_t next = 0;
	for (size_t at = 0; at < length; at++) {
		uint8_t byte = labels[at];
		bool count = at == next;
		if (count)
			next = at + byte + 1u;
		bool letter = (byte >= 'a' && byte <= 'z') || (byte >= '0' && byte <= '9') ||
		              byte == '-' || byte == '_';
		if (!count && !letter)
			return false;
	}
	return length <= DNS_SELECTOR_BYTES_MAX;
}

static void note_selector(struct dns_domain *domain, const uint8_t *labels, size_t length)
{
	for (unsigned i = 0; i < domain->selector_count; i++)
		if (domain->selectors[i].length == length &&
		    memcmp(domain->selectors[i].bytes, labels, length) == 0)
			return;
	bool plain = is_plain(labels, length);
	if (plain && domain->selectors == NULL)
		domain->selectors = malloc(DNS_SELECTORS_MAX * sizeof *domain->selectors);
	if (!plain || domain->selectors == NULL || domain->selector_count == DNS_SELECTORS_MAX) {
		if (domain->selectors_left_out < UINT16_MAX)
			domain->selectors_left_out++;
		return;
	}
	struct dns_selector *selector = &domain->selectors[domain->selector_count++];
	selector->length = (uint8_t)length;
	memcpy(selector->bytes, labels, length);
}

void dns_domains_note(struct dns_domains *domains, const struct dns_parsed *parsed,
    enum dns_state state, nanoseconds time)
{
	size_t selector;
	struct dns_name name = domain_of(domains, parsed, state, &selector);
	if (name.length == 0 || !can_be_domain(&name))
		return;
	struct dns_domain *domain = domain_at(domains, &name, time);
	if (domain == NULL)
		return;
	// Captures need not be read in their order.
	domain->first_seen = time < domain->first_seen ? time : domain->first_seen;
	domain->last_seen = time > domain->last_seen ? time : domain->last_seen;
	domain->changed = true;
	if (selector > 0)
		note_selector(domain, parsed->name.bytes, selector);
}

struct dns_domain *dns_domains_next(
    const struct dns_domains *domains, const struct dns_domain *before)
{
	return (struct dns_domain *)bounded_table_next(
	    domains->table, before != NULL ? &before->node : NULL);
}

uint64_t dns_domains_given_up(const struct dns_domains *domains)
{
	return domains->given_up;
}
