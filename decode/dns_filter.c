// SPDX-License-Identifier: Apache-2.0
#include "decode/dns_filter.h"

#include <stdlib.h>

enum {
	HOSTS = 1 << 16, // hashes of names
	HOSTS_PER_ANSWER = 32, // that are read
};

struct dns_filter {
	struct hash_key key;
	uint64_t hosts[HOSTS];
};

struct dns_filter *dns_filter_create(void)
{
	struct dns_filter *filter = calloc(1, sizeof *filter);
	if (filter != NULL)
		filter->key = hash_key_random();
	return filter;
}

void dns_filter_destroy(struct dns_filter *filter)
{
	free(filter);
}

static void add_host(struct dns_filter *filter, const uint8_t *name, size_t length)
{
	uint64_t hash = dns_name_hash(&filter->key, name, length);
	filter->hosts[hash % HOSTS] = hash;
}

static bool has_host(const struct dns_filter *filter, const uint8_t *name, size_t length)
{
	uint64_t hash = dns_name_hash(&filter->key, name, length);
	return filter->hosts[hash % HOSTS] == hash;
}

// Of an answer to a question for MX. What is malformed ends it; the library will find that, too.
static void note_hosts(
    struct dns_filter *filter, const struct dns_message *message, const struct dns_look *look)
{
	const uint8_t *bytes = message->bytes;
	size_t length = message->captured, offset = DNS_HEADER_SIZE + look->name_length + 4u;
	unsigned found = 0;
	for (unsigned i = 0; i < look->answers && i < HOSTS_PER_ANSWER; i++) {
		struct dns_record_view record;
		uint8_t name[DNS_NAME_MAX];
		if (!dns_next_record(bytes, length, &offset, &record))
			return;
		size_t at = record.data + 2; // behind the preference
		if (record.type != DNS_MX || record.data_length < 3)
			continue;
		size_t size = dns_read_name(bytes, length, &at, name);
		if (size > 0)
			add_host(filter, name, size);
		found++;
	}
	if (found == 0)
		add_host(filter, bytes + DNS_HEADER_SIZE, look->name_length);
}

static bool is_of_use(
    struct dns_filter *filter, const struct dns_message *message, const struct dns_look *look)
{
	if (filter == NULL || look->refers)
		return true;
	if (look->type == DNS_A || look->type == DNS_AAAA)
		return has_host(filter, message->bytes + DNS_HEADER_SIZE, look->name_length);
	if (look->type == DNS_MX && look->answer)
		note_hosts(filter, message, look);
	return true;
}

bool dns_filter_take(
    struct dns_filter *filter, struct dns_counters *counters, const struct dns_message *message)
{
	counters->seen++;
	bool whole = message->captured == message->length;
	if (!whole || message->length > DNS_MESSAGE_LONGEST) {
		counters->left_out++;
		return false;
	}
	struct dns_look look = dns_look(message->bytes, message->captured);
	if (look.outcome == DNS_MALFORMED) {
		counters->malformed++;
		return false;
	}
	if (look.outcome == DNS_OTHER || !is_of_use(filter, message, &look)) {
		counters->other++;
		return false;
	}
	return true;
}
