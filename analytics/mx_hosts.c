// SPDX-License-Identifier: Apache-2.0
#include "analytics/mx_hosts.h"

#include "analytics/dns_text.h"
#include "analytics/recent_table.h"

#include <stdlib.h>
#include <string.h>

enum {
	HOSTS = 1 << 16, // names that answers for MX gave
	ADDRESSES = 1 << 14,
};

// For how long something holds.
struct span {
	nanoseconds from, until;
};

struct name {
	struct span span;
	uint8_t length;
	char text[]; // terminated
};

struct address {
	unsigned count;
	nanoseconds more_until; // a name was left out that held until then
	struct name *names[MX_NAMES_MAX];
};

struct mx_hosts {
	struct hash_key key;
	struct recent_table *hosts; // of struct span
	struct recent_table *addresses; // of struct address
	uint64_t given_up;
};

struct mx_hosts *mx_hosts_create(void)
{
	struct mx_hosts *hosts = calloc(1, sizeof *hosts);
	if (hosts == NULL)
		return NULL;
	hosts->key = hash_key_random();
	hosts->hosts = recent_table_create(HOSTS, sizeof(struct span));
	hosts->addresses = recent_table_create(ADDRESSES, sizeof(struct address));
	if (hosts->hosts != NULL && hosts->addresses != NULL)
		return hosts;
	mx_hosts_destroy(hosts);
	return NULL;
}

static void release(void *value)
{
	struct address *address = value;
	for (unsigned i = 0; i < address->count; i++)
		free(address->names[i]);
}

void mx_hosts_destroy(struct mx_hosts *hosts)
{
	if (hosts == NULL)
		return;
	recent_table_destroy(hosts->hosts, NULL);
	recent_table_destroy(hosts->addresses, release);
	free(hosts);
}

static uint64_t key_of(const struct mx_hosts *hosts, const void *bytes, size_t length)
{
	return hash_bytes(&hosts->key, bytes, length) | 1;
}

// What was said again while it held goes on; what had ended begins anew.
static void extend(struct span *span, const struct dns_answer *answer)
{
	if (answer->seen > span->until)
		span->from = answer->seen;
	if (answer->good_until > span->until)
		span->until = answer->good_until;
}

/* ---- hosts ---- */

static void note_host(
    struct mx_hosts *hosts, const uint8_t *name, size_t length, const struct dns_answer *answer)
{
	void *value;
	enum recent_taken taken =
	    recent_table_take(hosts->hosts, key_of(hosts, name, length), &value);
	if (taken == RECENT_NO_MEMORY)
		return;
	struct span *span = value;
	if (taken != RECENT_KNOWN)
		*span = (struct span){answer->seen, answer->good_until};
	extend(span, answer);
}

static void note_exchange(
    struct mx_hosts *hosts, const struct dns_name *domain, const struct dns_answer *answer)
{
	struct dns_data data;
	if (answer->state == DNS_NO_DATA)
		note_host(hosts, domain->bytes, domain->length, answer);
	for (size_t at = 0; dns_answer_next(answer, &at, &data);)
		if (data.length > 2 + 1) // a preference, and not the root: RFC 7505
			note_host(hosts, data.bytes + 2, data.length - 2, answer);
}

/* ---- their addresses ---- */

static struct name *name_in(const struct address *address, const struct host_name *host)
{
	for (unsigned i = 0; i < address->count; i++)
		if (address->names[i]->length == host->length &&
		    memcmp(address->names[i]->text, host->text, host->length) == 0)
			return address->names[i];
	return NULL;
}

// A place for another name: a new one, or that of one that does not hold any more. NULL: there is none.
static struct name **place_in(struct address *address, nanoseconds now)
{
	if (address->count < MX_NAMES_MAX) {
		address->names[address->count] = NULL;
		return &address->names[address->count++];
	}
	for (unsigned i = 0; i < address->count; i++)
		if (address->names[i]->span.until < now)
			return &address->names[i];
	return NULL;
}

static void add_name(struct mx_hosts *hosts, struct address *address, const struct host_name *host,
    const struct dns_answer *answer)
{
	struct name *name = malloc(sizeof *name + host->length + 1);
	struct name **place = name != NULL ? place_in(address, answer->seen) : NULL;
	if (place == NULL) {
		free(name);
		hosts->given_up++;
		if (answer->good_until > address->more_until)
			address->more_until = answer->good_until;
		return;
	}
	*name = (struct name){
	    .span = {answer->seen, answer->good_until}, .length = (uint8_t)host->length};
	memcpy(name->text, host->text, host->length + 1);
	free(*place);
	*place = name;
}

static void note_address(struct mx_hosts *hosts, const struct ip_address *ip,
    const struct host_name *host, const struct dns_answer *answer)
{
	void *value;
	enum recent_taken taken =
	    recent_table_take(hosts->addresses, key_of(hosts, ip, sizeof *ip), &value);
	if (taken == RECENT_NO_MEMORY)
		return;
	struct address *address = value;
	if (taken == RECENT_REPLACED) {
		hosts->given_up += address->count;
		release(address);
		*address = (struct address){.count = 0};
	}
	struct name *name = name_in(address, host);
	if (name != NULL)
		extend(&name->span, answer);
	else
		add_name(hosts, address, host, answer);
}

static bool is_mail_host(
    const struct mx_hosts *hosts, const struct dns_name *name, nanoseconds time)
{
	const struct span *span =
	    recent_table_find(hosts->hosts, key_of(hosts, name->bytes, name->length));
	return span != NULL && time >= span->from && time <= span->until;
}

static void note_addresses(
    struct mx_hosts *hosts, const struct dns_name *name, const struct dns_answer *answer)
{
	char text[DNS_TEXT_MAX];
	struct host_name host;
	struct dns_data data;
	size_t length = dns_name_text(name, text);
	if (!is_mail_host(hosts, name, answer->seen) ||
	    !host_name_read(view_of((const uint8_t *)text, length), &host))
		return;
	for (size_t at = 0; dns_answer_next(answer, &at, &data);) {
		struct ip_address address;
		if (dns_data_address(&data, &address))
			note_address(hosts, &address, &host, answer);
	}
}

void mx_hosts_note(struct mx_hosts *hosts, const struct dns_memory *memory,
    const struct dns_name *name, uint16_t type)
{
	bool differ;
	if (type != DNS_MX && type != DNS_A && type != DNS_AAAA)
		return;
	const struct dns_answer *answer = dns_memory_find(memory, name, type, &differ);
	if (answer == NULL || !answer->asked)
		return;
	if (type == DNS_MX)
		note_exchange(hosts, name, answer);
	else
		note_addresses(hosts, name, answer);
}

/* ---- asking ---- */

void mx_hosts_find(const struct mx_hosts *hosts, const struct ip_address *ip, nanoseconds time,
    struct mx_names *names)
{
	const struct address *address =
	    recent_table_find(hosts->addresses, key_of(hosts, ip, sizeof *ip));
	names->count = 0;
	names->more = address != NULL && time <= address->more_until;
	for (unsigned i = 0; address != NULL && i < address->count; i++) {
		const struct name *name = address->names[i];
		if (time < name->span.from || time > name->span.until)
			continue;
		struct host_name *to = &names->names[names->count++];
		to->length = name->length;
		memcpy(to->text, name->text, name->length + 1u);
	}
}

uint64_t mx_hosts_given_up(const struct mx_hosts *hosts)
{
	return hosts->given_up;
}
