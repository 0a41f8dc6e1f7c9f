// SPDX-License-Identifier: Apache-2.0
#include "analytics/facts_lookup.h"

#include "capture/base/quick_hash.h"

#include <libpsl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { REMEMBERED = 1024 }; // names, a power of two

// What was found for a name, by a hash whose key nobody knows: two names with one hash do not happen.
struct found_domain {
	uint64_t hash;
	size_t length; // of the name; 0: nothing is here yet
	size_t start; // of its domain, which is its end; `length`: it has none
};

struct facts_lookup {
	psl_ctx_t *suffixes;
	struct hash_key key;
	struct found_domain found[REMEMBERED];
};

struct facts_lookup *facts_lookup_open(struct error *error)
{
	struct facts_lookup *lookup = calloc(1, sizeof *lookup);
	if (lookup == NULL) {
		error_set(error, "no memory for statistics");
		return NULL;
	}
	lookup->key = hash_key_random();
	lookup->suffixes = psl_latest(NULL);
	if (lookup->suffixes != NULL)
		return lookup;
	error_set(error, "no public suffix list: install the package publicsuffix");
	facts_lookup_close(lookup);
	return NULL;
}

void facts_lookup_close(struct facts_lookup *lookup)
{
	if (lookup == NULL)
		return;
	psl_free(lookup->suffixes);
	free(lookup);
}

// Where a name's domain starts.
static size_t domain_start(struct facts_lookup *lookup, const struct host_name *name)
{
	uint64_t hash = quick_hash(&lookup->key, name->text, name->length);
	struct found_domain *known = &lookup->found[hash % REMEMBERED];
	if (known->hash == hash && known->length == name->length)
		return known->start;
	const char *found = psl_registrable_domain(lookup->suffixes, name->text);
	size_t start = found != NULL ? (size_t)(found - name->text) : name->length;
	*known = (struct found_domain){hash, name->length, start};
	return start;
}

void facts_lookup_domain(
    struct facts_lookup *lookup, const struct host_name *name, struct operator_name *domain)
{
	*domain = (struct operator_name){""};
	if (name->length == 0)
		return;
	size_t start = domain_start(lookup, name);
	memcpy(domain->text, name->text + start, name->length - start);
}

void facts_lookup_operator(struct facts_lookup *lookup, const struct text *name,
    const struct text *other, struct operator_name *operator)
{
	struct host_name host = {.length = 0};
	if (name != NULL)
		(void)host_name_read(view_of(name->bytes, name->length), &host);
	if (host.length == 0 && other != NULL)
		(void)host_name_read(view_of(other->bytes, other->length), &host);
	facts_lookup_domain(lookup, &host, operator);
}

void facts_lookup_registered(
    struct facts_lookup *lookup, const char *name, struct operator_name *domain)
{
	struct host_name host;
	*domain = (struct operator_name){""};
	if (host_name_read(view_of((const uint8_t *)name, strlen(name)), &host))
		facts_lookup_domain(lookup, &host, domain);
}

static bool is_registered(struct facts_lookup *lookup, const char *domain)
{
	struct operator_name registered;
	facts_lookup_registered(lookup, domain, &registered);
	return strcmp(registered.text, domain) == 0;
}

void facts_lookup_of_domain(struct facts_lookup *lookup, struct domain_facts *facts)
{
	facts_lookup_domain(lookup, &facts->host, &facts->operator);
	if (facts->policies.dmarc == DMARC_ABSENT && !is_registered(lookup, facts->domain))
		domain_policies_beneath(&facts->policies);
}

void facts_lookup_fill(struct facts_lookup *lookup, struct session_facts *facts)
{
	const struct host_name *asked = &facts->asked_name;
	const struct host_name *names[] = {
	    &facts->client_name, asked->text[0] != '\0' ? asked : &facts->server_name};
	for (size_t side = 0; side < 2; side++) {
		const struct whereabouts *where = &facts->where[side];
		struct operator_name *operator= & facts->operator[side];
		facts_lookup_domain(lookup, names[side], operator);
		if (side == FROM_SERVER)
			facts->server_operator_is_domain = operator->text[0] != '\0';
		if (operator->text[0] == '\0' && where->network != 0)
			snprintf(operator->text, sizeof operator->text, "AS%u", where->network);
	}
}
