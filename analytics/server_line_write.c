// SPDX-License-Identifier: Apache-2.0
#include "analytics/server_line.h"

#include "analytics/json_fields.h"

#include <openssl/sha.h>
#include <stdio.h>
#include <string.h>

void server_line_check(const uint8_t *rest, size_t length, char digits[SERVER_CHECK_DIGITS])
{
	static const char hex[] = "0123456789abcdef";
	uint8_t hash[SHA256_DIGEST_LENGTH];
	SHA256(rest, length, hash);
	for (size_t i = 0; i < SERVER_CHECK_DIGITS; i++)
		digits[i] = hex[hash[i / 2] >> (i % 2 == 0 ? 4 : 0) & 15];
}

static void write_seconds(struct json *json, const char *key, nanoseconds time)
{
	json_key_unsigned(json, key, (uint64_t)(time / SECONDS(1)));
}

static void write_networks(struct json *json, const struct network_set *set)
{
	json_key(json, "networks");
	json_array_begin(json);
	for (unsigned i = 0; i < set->count; i++) {
		json_array_begin(json);
		json_unsigned(json, set->networks[i]);
		json_unsigned(json, set->times[i]);
		json_array_end(json);
	}
	json_array_end(json);
	json_key_unsigned(json, "next", set->next);
}

static void write_tallies(struct json *json, const struct server_entry *entry)
{
	for (int question = 0; question < QUESTIONS; question++) {
		const struct tally *tally = &entry->tallies[question];
		if (tally->count == 0)
			continue;
		json_key(json, question_name((enum question)question));
		json_object_begin(json);
		json_key_unsigned(json, "count", tally->count);
		write_seconds(json, "first", tally->first);
		write_seconds(json, "last", tally->last);
		write_networks(json, &tally->networks);
		json_object_end(json);
	}
}

static void write_leaves(struct json *json, const struct server_entry *entry)
{
	json_key(json, "leaves");
	json_array_begin(json);
	for (size_t i = 0; i < entry->leaf_count; i++) {
		const struct server_leaf *leaf = &entry->leaves[i].leaf;
		json_object_begin(json);
		json_key_hash(json, "sha256", leaf->sha256);
		json_key_hash(json, "spki_sha256", leaf->spki_sha256);
		write_seconds(json, "first", leaf->first);
		write_seconds(json, "last", leaf->last);
		write_seconds(json, "not_after", leaf->not_after);
		json_key_unsigned(json, "sessions", leaf->sessions);
		json_key_bool(json, "trusted", leaf->trusted);
		json_key_bool(json, "self_signed", leaf->self_signed);
		write_networks(json, &entry->leaves[i].networks);
		json_object_end(json);
	}
	json_array_end(json);
}

// As text: numbers of 64 bits are more than JSON's readers agree on.
static void write_fingerprint(struct json *json, const char *key, uint64_t fingerprint)
{
	char digits[17];
	snprintf(digits, sizeof digits, "%016llx", (unsigned long long)fingerprint);
	json_key_name(json, key, digits);
}

static void write_check(struct json *json)
{
	enum {
		BEFORE = sizeof SERVER_CHECK_BEFORE - 1,
		REST = BEFORE + SERVER_CHECK_DIGITS + sizeof SERVER_CHECK_AFTER - 1,
	};
	if (!json->failed)
		server_line_check(
		    (const uint8_t *)json->text + REST, json->length - REST, json->text + BEFORE);
}

void server_line_write_head(struct json *json, uint64_t servers)
{
	json_object_begin(json);
	json_key_unsigned(json, "mailtap_server_memory", SERVER_LINES_VERSION);
	json_key_unsigned(json, "servers", servers);
	json_object_end(json);
	json_line_end(json);
}

void server_line_write(struct json *json, const struct server_entry *entry)
{
	json_object_begin(json);
	json_key_name(json, "check", "0123456789abcdef"); // its place
	if (entry->name_length > 0)
		json_key_name(json, "name", entry->name);
	else
		json_key_address(json, "address", &entry->address);
	json_key_unsigned(json, "port", entry->port);
	write_seconds(json, "first", entry->first);
	write_seconds(json, "last", entry->last);
	json_key_unsigned(json, "sessions", entry->sessions);
	write_tallies(json, entry);
	if (entry->fingerprinted > 0) {
		write_seconds(json, "fingerprinted", entry->fingerprinted);
		write_fingerprint(json, "capabilities", entry->capabilities_fingerprint);
		write_fingerprint(json, "banner", entry->banner_fingerprint);
	}
	write_leaves(json, entry);
	json_object_end(json);
	write_check(json);
	json_line_end(json);
}
