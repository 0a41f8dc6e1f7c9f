// SPDX-License-Identifier: Apache-2.0
// Every value is checked: a file may be damaged, or made by somebody else.
#include "analytics/server_line.h"

#include "analytics/server_key.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

// Counts stay below what JSON's integers hold in every reader.
static const json_int_t count_most = (json_int_t)1 << 53;

static bool read_integer(const json_t *object, const char *key, json_int_t most, json_int_t *value)
{
	const json_t *found = json_object_get(object, key);
	*value = json_integer_value(found); // 0 if it is none
	return json_is_integer(found) && *value >= 0 && *value <= most;
}

static bool read_count(const json_t *object, const char *key, uint32_t *count)
{
	json_int_t value;
	if (!read_integer(object, key, UINT32_MAX, &value))
		return false;
	*count = (uint32_t)value;
	return true;
}

static bool read_seconds(const json_t *object, const char *key, nanoseconds *time)
{
	json_int_t value;
	if (!read_integer(object, key, PACKET_TIME_MAX / SECONDS(1), &value))
		return false;
	*time = SECONDS(value);
	return true;
}

static bool read_span(const json_t *object, nanoseconds *first, nanoseconds *last)
{
	return read_seconds(object, "first", first) && read_seconds(object, "last", last) &&
	       *first <= *last;
}

static bool read_flag(const json_t *object, const char *key, bool *flag)
{
	const json_t *found = json_object_get(object, key);
	*flag = json_is_true(found);
	return json_is_boolean(found);
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool read_hex(const json_t *object, const char *key, uint8_t *bytes, size_t count)
{
	const json_t *found = json_object_get(object, key);
	const char *text = json_string_value(found);
	if (text == NULL || json_string_length(found) != 2 * count)
		return false;
	for (size_t i = 0; i < count; i++) {
		int high = hex_digit(text[2 * i]), low = hex_digit(text[2 * i + 1]);
		if (high < 0 || low < 0)
			return false;
		bytes[i] = (uint8_t)(high << 4 | low);
	}
	return true;
}

static bool read_fingerprint(const json_t *object, const char *key, uint64_t *fingerprint)
{
	uint8_t bytes[8];
	if (!read_hex(object, key, bytes, sizeof bytes))
		return false;
	*fingerprint = 0;
	for (size_t i = 0; i < sizeof bytes; i++)
		*fingerprint = *fingerprint << 8 | bytes[i];
	return *fingerprint != 0;
}

static bool read_network(const json_t *pair, struct network_set *set)
{
	const json_t *network = json_array_get(pair, 0), *times = json_array_get(pair, 1);
	json_int_t which = json_integer_value(network), count = json_integer_value(times);
	if (json_array_size(pair) != 2 || !json_is_integer(network) || !json_is_integer(times) ||
	    which < 0 || which > UINT32_MAX || count < 1 || count > NETWORK_SHARE ||
	    network_set_times(set, (uint32_t)which) > 0)
		return false;
	set->networks[set->count] = (uint32_t)which;
	set->times[set->count++] = (uint8_t)count;
	return true;
}

static bool read_networks(const json_t *object, struct network_set *set)
{
	const json_t *list = json_object_get(object, "networks");
	size_t count = json_array_size(list);
	json_int_t next;
	if (count == 0 || count > NETWORK_SET_MAX ||
	    !read_integer(object, "next", NETWORK_SET_MAX - 1, &next))
		return false;
	for (size_t i = 0; i < count; i++)
		if (!read_network(json_array_get(list, i), set))
			return false;
	set->next = (uint8_t)next;
	return true;
}

static bool read_tally(const json_t *server, enum question question, struct tally *tally)
{
	const json_t *object = json_object_get(server, question_name(question));
	if (object == NULL)
		return true; // none
	return read_count(object, "count", &tally->count) && tally->count > 0 &&
	       read_span(object, &tally->first, &tally->last) &&
	       read_networks(object, &tally->networks);
}

static bool read_leaf(const json_t *object, struct entry_leaf *place)
{
	struct server_leaf *leaf = &place->leaf;
	return read_hex(object, "sha256", leaf->sha256, sizeof leaf->sha256) &&
	       read_hex(object, "spki_sha256", leaf->spki_sha256, sizeof leaf->spki_sha256) &&
	       read_span(object, &leaf->first, &leaf->last) &&
	       read_seconds(object, "not_after", &leaf->not_after) &&
	       read_count(object, "sessions", &leaf->sessions) && leaf->sessions > 0 &&
	       read_flag(object, "trusted", &leaf->trusted) &&
	       read_flag(object, "self_signed", &leaf->self_signed) &&
	       read_networks(object, &place->networks);
}

static bool is_new_leaf(const struct server_entry *entry, const struct entry_leaf *leaf)
{
	for (size_t i = 0; i < entry->leaf_count; i++)
		if (memcmp(entry->leaves[i].leaf.sha256, leaf->leaf.sha256,
		        sizeof leaf->leaf.sha256) == 0)
			return false;
	return true;
}

static bool read_leaves(const json_t *server, struct server_entry *entry)
{
	const json_t *list = json_object_get(server, "leaves");
	size_t count = json_array_size(list);
	if (!json_is_array(list) || count > SERVER_LEAVES_MAX)
		return false;
	for (; entry->leaf_count < count; entry->leaf_count++) {
		struct entry_leaf *leaf = &entry->leaves[entry->leaf_count];
		if (!read_leaf(json_array_get(list, entry->leaf_count), leaf) ||
		    !is_new_leaf(entry, leaf))
			return false;
	}
	return true;
}

static bool read_fingerprints(const json_t *server, struct server_entry *entry)
{
	if (json_object_get(server, "fingerprinted") == NULL)
		return true; // none
	return read_seconds(server, "fingerprinted", &entry->fingerprinted) &&
	       read_fingerprint(server, "capabilities", &entry->capabilities_fingerprint) &&
	       read_fingerprint(server, "banner", &entry->banner_fingerprint);
}

// NULL, or what is wrong.
static const char *read_facts(const json_t *server, struct server_entry *entry)
{
	json_int_t sessions;
	if (!read_span(server, &entry->first, &entry->last) ||
	    !read_integer(server, "sessions", count_most, &sessions) || sessions == 0)
		return "when or how often the server was seen makes no sense";
	entry->sessions = (uint64_t)sessions;
	for (int question = 0; question < QUESTIONS; question++)
		if (!read_tally(server, (enum question)question, &entry->tallies[question]))
			return "one of its counts makes no sense";
	if (!read_fingerprints(server, entry))
		return "a fingerprint makes no sense";
	return read_leaves(server, entry) ? NULL : "a certificate makes no sense";
}

static struct server_entry *read_identity(const json_t *server)
{
	json_int_t port;
	struct ip_address address;
	struct host_name name;
	const json_t *named = json_object_get(server, "name");
	const char *text = json_string_value(json_object_get(server, "address"));
	if (!read_integer(server, "port", UINT16_MAX, &port) || (text != NULL) == (named != NULL))
		return NULL;
	if (text != NULL && server_address_read(text, &address))
		return server_entry_create(&address, NULL, (uint16_t)port);
	const char *letters = json_string_value(named);
	if (letters != NULL &&
	    host_name_read(view_of((const uint8_t *)letters, json_string_length(named)), &name))
		return server_entry_create(NULL, &name, (uint16_t)port);
	return NULL;
}

static const char *read_server(const json_t *server, struct server_entry **entry)
{
	*entry = read_identity(server);
	if (*entry == NULL)
		return "it names no server";
	const char *wrong = read_facts(server, *entry);
	if (wrong == NULL)
		return NULL;
	free(*entry);
	*entry = NULL;
	return wrong;
}

static bool is_whole(const uint8_t *line, size_t length)
{
	enum {
		BEFORE = sizeof SERVER_CHECK_BEFORE - 1,
		AFTER = sizeof SERVER_CHECK_AFTER - 1,
		REST = BEFORE + SERVER_CHECK_DIGITS + AFTER,
	};
	char digits[SERVER_CHECK_DIGITS];
	if (length < REST || memcmp(line, SERVER_CHECK_BEFORE, BEFORE) != 0 ||
	    memcmp(line + REST - AFTER, SERVER_CHECK_AFTER, AFTER) != 0)
		return false;
	server_line_check(line + REST, length - REST, digits);
	return memcmp(line + BEFORE, digits, sizeof digits) == 0;
}

const char *server_line_read(const uint8_t *line, size_t length, struct server_entry **entry)
{
	*entry = NULL;
	if (length > SERVER_LINE_MAX)
		return "the line is too long";
	if (!is_whole(line, length))
		return "the line is damaged";
	json_t *server = json_loadb((const char *)line, length, JSON_REJECT_DUPLICATES, NULL);
	if (server == NULL)
		return "the line is no JSON";
	const char *wrong = read_server(server, entry);
	json_decref(server);
	return wrong;
}

const char *server_line_read_head(const uint8_t *line, size_t length, uint64_t *servers)
{
	json_int_t version, count;
	json_t *head = length <= SERVER_LINE_MAX
	                   ? json_loadb((const char *)line, length, JSON_REJECT_DUPLICATES, NULL)
	                   : NULL;
	bool is_head = read_integer(head, "mailtap_server_memory", count_most, &version);
	bool counted = read_integer(head, "servers", count_most, &count);
	json_decref(head);
	if (!is_head)
		return "it does not begin as a memory of servers does";
	if (version != SERVER_LINES_VERSION)
		return "it is of another version of mailtap";
	*servers = (uint64_t)count;
	return counted ? NULL : "its first line is damaged";
}
