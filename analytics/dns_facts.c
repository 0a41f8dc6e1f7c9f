// SPDX-License-Identifier: Apache-2.0
#include "analytics/dns_facts.h"

#include "analytics/server_key.h"
#include "analytics/time_text.h"

#include <jansson.h>
#include <string.h>

static bool read_text(const json_t *line, const char *key, char *room, size_t size)
{
	const json_t *text = json_object_get(line, key);
	size_t length = json_is_string(text) ? json_string_length(text) : 0;
	if (length == 0 || length >= size)
		return false;
	memcpy(room, json_string_value(text), length + 1);
	return true;
}

static bool read_number(const json_t *line, const char *key, uint64_t *number)
{
	const json_t *value = json_object_get(line, key);
	bool good = json_is_integer(value) && json_integer_value(value) >= 0;
	*number = good ? (uint64_t)json_integer_value(value) : 0;
	return good;
}

/* ---- domains ---- */

static bool has_address(const struct domain_facts *facts, const struct ip_address *address)
{
	for (unsigned i = 0; i < facts->address_count; i++)
		if (memcmp(&facts->addresses[i], address, sizeof *address) == 0)
			return true;
	return false;
}

// 0.0.0.0/8, 127.0.0.0/8, :: and ::1: where domains that want no mail let it be sent to. They have nothing else in
// common.
static bool is_nowhere(const struct ip_address *address)
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff}, zero[15];
	const uint8_t *bytes = address->bytes;
	if (memcmp(bytes, mapped, sizeof mapped) == 0)
		return bytes[12] == 0 || bytes[12] == 127;
	return memcmp(bytes, zero, sizeof zero) == 0 && bytes[15] <= 1;
}

void domain_facts_add_address(struct domain_facts *facts, const struct ip_address *address)
{
	// Another address in its place does not tell.
	if (!facts->anonymised && is_nowhere(address))
		return;
	if (facts->address_count < DOMAIN_ADDRESSES_MAX && !has_address(facts, address))
		facts->addresses[facts->address_count++] = *address;
}

void domain_facts_add_host(struct domain_facts *facts, uint16_t preference, struct view name)
{
	struct host_name read;
	bool first = facts->host.length == 0 || preference < facts->preference;
	if (!first || !host_name_read(name, &read))
		return;
	facts->preference = preference;
	host_name_copy(&facts->host, &read);
}

static void read_addresses(struct domain_facts *facts, const json_t *list)
{
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *text = json_array_get(list, i);
		struct ip_address address;
		if (json_is_string(text) && server_address_read(json_string_value(text), &address))
			domain_facts_add_address(facts, &address);
	}
}

static void read_host(struct domain_facts *facts, const json_t *host)
{
	const json_t *name = json_object_get(host, "host");
	uint64_t preference;
	read_addresses(facts, json_object_get(host, "addresses"));
	if (json_is_string(name) && read_number(host, "preference", &preference) &&
	    preference <= UINT16_MAX)
		domain_facts_add_host(facts, (uint16_t)preference,
		    view_of((const uint8_t *)json_string_value(name), json_string_length(name)));
}

static nanoseconds read_time(const json_t *line, const char *key)
{
	const char *text = json_string_value(json_object_get(line, key));
	nanoseconds time;
	return text != NULL && time_text_read(text, &time) ? time : 0;
}

static bool read_domain(struct domain_facts *facts, const json_t *line)
{
	const json_t *hosts = json_object_get(line, "mx");
	struct domain_published published = domain_published_read(line);
	*facts = (struct domain_facts){.mx_known = json_is_array(hosts)};
	facts->anonymised = json_is_true(json_object_get(line, "anonymised"));
	facts->last_seen = read_time(line, "last_seen");
	facts->policies = domain_policies_of(&published);
	if (!read_text(line, "domain", facts->domain, sizeof facts->domain))
		return false;
	for (size_t i = 0; i < json_array_size(hosts); i++)
		read_host(facts, json_array_get(hosts, i));
	return true;
}

bool domain_facts_of_line(struct domain_facts *facts, const char *line, size_t length)
{
	json_t *read = json_loadb(line, length, JSON_ALLOW_NUL, NULL);
	bool good = read_domain(facts, read);
	json_decref(read);
	return good;
}

/* ---- look-ups ---- */

static bool read_network(const json_t *line, struct client_network *network)
{
	char text[CLIENT_NETWORK_TEXT_SIZE];
	struct ip_address address;
	if (!read_text(line, "network", text, sizeof text))
		return false;
	text[strcspn(text, "/")] = '\0';
	if (!server_address_read(text, &address))
		return false;
	*network = client_network_of(&address);
	return true;
}

static bool read_lookups(struct lookup_facts *facts, const json_t *line)
{
	*facts = (struct lookup_facts){.sessions = 0};
	facts->anonymised = json_is_true(json_object_get(line, "anonymised"));
	return read_network(line, &facts->network) &&
	       read_number(line, "sessions", &facts->sessions) &&
	       read_number(line, "questions", &facts->questions) &&
	       read_number(line, "spf", &facts->followed[LOOKUP_SPF]) &&
	       read_number(line, "dkim", &facts->followed[LOOKUP_DKIM]) &&
	       read_number(line, "dmarc", &facts->followed[LOOKUP_DMARC]);
}

bool lookup_facts_of_line(struct lookup_facts *facts, const char *line, size_t length)
{
	json_t *read = json_loadb(line, length, JSON_ALLOW_NUL, NULL);
	bool good = read_lookups(facts, read);
	json_decref(read);
	return good;
}
