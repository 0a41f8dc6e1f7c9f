// SPDX-License-Identifier: Apache-2.0
#include "analytics/facts_lookup.h"

#include <libpsl.h>
#include <stdio.h>
#include <stdlib.h>

struct facts_lookup {
	psl_ctx_t *suffixes;
};

struct facts_lookup *facts_lookup_open(struct error *error)
{
	struct facts_lookup *lookup = calloc(1, sizeof *lookup);
	if (lookup == NULL) {
		error_set(error, "no memory for statistics");
		return NULL;
	}
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

void facts_lookup_domain(
    const struct facts_lookup *lookup, const struct host_name *name, struct operator_name *domain)
{
	const char *found =
	    name->text[0] != '\0' ? psl_registrable_domain(lookup->suffixes, name->text) : NULL;
	*domain = (struct operator_name){""};
	if (found != NULL)
		snprintf(domain->text, sizeof domain->text, "%s", found);
}

void facts_lookup_fill(const struct facts_lookup *lookup, struct session_facts *facts)
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
