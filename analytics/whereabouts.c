// SPDX-License-Identifier: Apache-2.0
#include "analytics/whereabouts.h"

#include "analytics/community_id.h"

#include <arpa/inet.h>
#include <maxminddb.h>
#include <stdlib.h>
#include <string.h>

struct table {
	MMDB_s database;
	bool open;
};

struct whereabouts_tables {
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

struct whereabouts_tables *whereabouts_open(
    const char *asn_table, const char *country_table, struct error *error)
{
	struct whereabouts_tables *tables = calloc(1, sizeof *tables);
	if (tables == NULL) {
		error_set(error, "no memory for tables of addresses");
		return NULL;
	}
	if (open_table(&tables->networks, asn_table, error) &&
	    open_table(&tables->countries, country_table, error))
		return tables;
	whereabouts_close(tables);
	return NULL;
}

void whereabouts_close(struct whereabouts_tables *tables)
{
	if (tables == NULL)
		return;
	if (tables->networks.open)
		MMDB_close(&tables->networks.database);
	if (tables->countries.open)
		MMDB_close(&tables->countries.database);
	free(tables);
}

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

struct whereabouts whereabouts_of(
    struct whereabouts_tables *tables, const struct ip_address *address)
{
	struct whereabouts where = {0};
	find_network(&tables->networks, address, &where);
	find_country(&tables->countries, address, &where);
	return where;
}
