// SPDX-License-Identifier: Apache-2.0
#include "analytics/facts_lookup.h"

#include "analytics/community_id.h"

#include <arpa/inet.h>
#include <libpsl.h>
#include <maxminddb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct table {
	MMDB_s database;
	bool open;
};

struct facts_lookup {
	psl_ctx_t *suffixes;
	struct table networks, countries;
};

static bool open_table(struct table *table, const char *path, struct error *error)
{
	if (path == NULL)
		return true;
	int status = MMDB_open(path, MMDB_MODE_MMAP, &table->database);
	table->open = status == MMDB_SUCCESS;
	if (!table->open)
		error_set(error, "%s: cannot be used as a table of addresses: %s", path,
		    MMDB_strerror(status));
	return table->open;
}

struct facts_lookup *facts_lookup_open(
    const char *asn_table, const char *country_table, struct error *error)
{
	struct facts_lookup *lookup = calloc(1, sizeof *lookup);
	if (lookup == NULL) {
		error_set(error, "no memory for statistics");
		return NULL;
	}
	lookup->suffixes = psl_latest(NULL);
	if (lookup->suffixes == NULL)
		error_set(error, "no public suffix list: install the package publicsuffix");
	else if (open_table(&lookup->networks, asn_table, error) &&
	         open_table(&lookup->countries, country_table, error))
		return lookup;
	facts_lookup_close(lookup);
	return NULL;
}

void facts_lookup_close(struct facts_lookup *lookup)
{
	if (lookup == NULL)
		return;
	if (lookup->networks.open)
		MMDB_close(&lookup->networks.database);
	if (lookup->countries.open)
		MMDB_close(&lookup->countries.database);
	psl_free(lookup->suffixes);
	free(lookup);
}

/* ---- addresses ---- */

static bool find(
    struct table *table, const struct ip_address *address, MMDB_lookup_result_s *result)
{
	struct sockaddr_in v4 = {.sin_family = AF_INET};
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
	int status;
	if (!table->open)
		return false;
	bool is_v4 = ip_address_is_v4(address);
	memcpy(&v4.sin_addr, address->bytes + 12, sizeof v4.sin_addr);
	memcpy(&v6.sin6_addr, address->bytes, sizeof v6.sin6_addr);
	*result = MMDB_lookup_sockaddr(&table->database,
	    is_v4 ? (const struct sockaddr *)&v4 : (const struct sockaddr *)&v6, &status);
	return status == MMDB_SUCCESS && result->found_entry;
}

// Copies a text of an entry, cut at `size` where a character begins.
static void take_text(const MMDB_entry_data_s *data, char *text, size_t size)
{
	size_t length = 0;
	if (data->has_data && data->type == MMDB_DATA_TYPE_UTF8_STRING)
		length = data->data_size < size ? data->data_size : size - 1;
	while (length > 0 && length < data->data_size && (data->utf8_string[length] & 0xc0) == 0x80)
		length--;
	memcpy(text, length > 0 ? data->utf8_string : "", length);
	text[length] = '\0';
}

static void find_network(
    struct table *table, const struct ip_address *address, struct whereabouts *where)
{
	MMDB_lookup_result_s result;
	MMDB_entry_data_s data;
	if (!find(table, address, &result))
		return;
	if (MMDB_get_value(&result.entry, &data, "autonomous_system_number", NULL) ==
	        MMDB_SUCCESS &&
	    data.has_data && data.type == MMDB_DATA_TYPE_UINT32)
		where->network = data.uint32;
	if (MMDB_get_value(&result.entry, &data, "autonomous_system_organization", NULL) ==
	    MMDB_SUCCESS)
		take_text(&data, where->network_name, sizeof where->network_name);
}

static void find_country(
    struct table *table, const struct ip_address *address, struct whereabouts *where)
{
	MMDB_lookup_result_s result;
	MMDB_entry_data_s data;
	if (find(table, address, &result) &&
	    MMDB_get_value(&result.entry, &data, "country", "iso_code", NULL) == MMDB_SUCCESS)
		take_text(&data, where->country, sizeof where->country);
}

/* ---- names ---- */

void facts_lookup_domain(
    const struct facts_lookup *lookup, const struct host_name *name, struct operator_name *domain)
{
	const char *found =
	    name->text[0] != '\0' ? psl_registrable_domain(lookup->suffixes, name->text) : NULL;
	*domain = (struct operator_name){""};
	if (found != NULL)
		snprintf(domain->text, sizeof domain->text, "%s", found);
}

void facts_lookup_fill(struct facts_lookup *lookup, struct session_facts *facts)
{
	const struct host_name *asked = &facts->asked_name;
	const struct host_name *names[] = {
	    &facts->client_name, asked->text[0] != '\0' ? asked : &facts->server_name};
	for (size_t side = 0; side < 2; side++) {
		struct whereabouts *where = &facts->where[side];
		struct operator_name *operator= & facts->operator[side];
		*where = (struct whereabouts){0};
		find_network(&lookup->networks, &facts->address[side], where);
		find_country(&lookup->countries, &facts->address[side], where);
		facts_lookup_domain(lookup, names[side], operator);
		if (side == FROM_SERVER)
			facts->server_operator_is_domain = operator->text[0] != '\0';
		if (operator->text[0] == '\0' && where->network != 0)
			snprintf(operator->text, sizeof operator->text, "AS%u", where->network);
	}
}
