// SPDX-License-Identifier: Apache-2.0
#include "analytics/server_baseline.h"

#include "analytics/bounded_table.h"
#include "analytics/server_key.h"
#include "analytics/whole_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	WORDS_MAX = 3 + BASELINE_PINS_MAX,
	WORD_SIZE = 512, // bytes of a word, the end included; no longer one means anything
};

struct entry {
	struct bounded_node node; // first
	struct baseline_server server;
};

struct server_baseline {
	struct hash_key key;
	struct bounded_table *servers;
};

struct server_baseline *server_baseline_create(void)
{
	struct server_baseline *baseline = calloc(1, sizeof *baseline);
	if (baseline == NULL)
		return NULL;
	baseline->key = hash_key_random();
	baseline->servers = bounded_table_create(BASELINE_SERVERS_MAX);
	if (baseline->servers != NULL)
		return baseline;
	free(baseline);
	return NULL;
}

void server_baseline_destroy(struct server_baseline *baseline)
{
	if (baseline == NULL)
		return;
	struct bounded_node *node = bounded_table_next(baseline->servers, NULL);
	while (node != NULL) {
		struct bounded_node *next = bounded_table_next(baseline->servers, node);
		free(node);
		node = next;
	}
	bounded_table_destroy(baseline->servers);
	free(baseline);
}

static const struct baseline_server *find(const struct server_baseline *baseline, uint64_t key)
{
	const struct bounded_node *node = bounded_table_find(baseline->servers, key);
	return node != NULL ? &((const struct entry *)node)->server : NULL;
}

const struct baseline_server *server_baseline_address(
    const struct server_baseline *baseline, const struct ip_address *address, uint16_t port)
{
	return server_baseline_count(baseline) > 0
	           ? find(baseline, server_key_address(&baseline->key, address, port))
	           : NULL;
}

const struct baseline_server *server_baseline_name(
    const struct server_baseline *baseline, const struct host_name *name, uint16_t port)
{
	return server_baseline_count(baseline) > 0
	           ? find(baseline, server_key_name(&baseline->key, name, port))
	           : NULL;
}

size_t server_baseline_count(const struct server_baseline *baseline)
{
	return bounded_table_count(baseline->servers);
}

/* ---- reading a list ---- */

struct words {
	size_t count;
	char text[WORDS_MAX][WORD_SIZE];
};

static bool is_space(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

// The words before a comment. NULL, or why not.
static const char *split(struct view line, struct words *words)
{
	const uint8_t *comment = memchr(line.data, '#', line.length);
	size_t length = comment != NULL ? (size_t)(comment - line.data) : line.length;
	words->count = 0;
	for (size_t at = 0; at < length;) {
		size_t end = at;
		while (end < length && !is_space(line.data[end]))
			end++;
		if (end == at) {
			at++;
			continue;
		}
		if (words->count == WORDS_MAX)
			return "too many words: expected SERVER PORT starttls|tls and at most 4 "
			       "SHA-256";
		if (end - at >= WORD_SIZE || memchr(line.data + at, '\0', end - at) != NULL)
			return "a word of it is none: too long, or with a zero byte";
		snprintf(words->text[words->count++], WORD_SIZE, "%.*s", (int)(end - at),
		    (const char *)line.data + at);
		at = end;
	}
	return NULL;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

// 64 digits, with or without a colon between two and two.
static bool read_pin(const char *text, uint8_t pin[32])
{
	for (size_t i = 0; i < 32; i++) {
		if (i > 0 && *text == ':')
			text++;
		int high = hex_digit(text[0]);
		int low = high >= 0 ? hex_digit(text[1]) : -1;
		if (low < 0)
			return false;
		pin[i] = (uint8_t)(high << 4 | low);
		text += 2;
	}
	return *text == '\0';
}

static bool read_port(const char *text, uint16_t *port)
{
	unsigned value = 0;
	size_t digits = strspn(text, "0123456789");
	if (digits == 0 || digits > 5 || text[digits] != '\0')
		return false;
	for (; *text != '\0'; text++)
		value = value * 10 + (unsigned)(*text - '0');
	*port = (uint16_t)value;
	return value > 0 && value <= UINT16_MAX;
}

static bool read_server(const struct hash_key *hash, const char *text, uint16_t port, uint64_t *key)
{
	struct ip_address address;
	struct host_name name;
	if (server_address_read(text, &address))
		*key = server_key_address(hash, &address, port);
	else if (host_name_read(view_of((const uint8_t *)text, strlen(text)), &name))
		*key = server_key_name(hash, &name, port);
	else
		return false;
	return true;
}

// A whole line. NULL, or what is wrong with it.
static const char *read_words(const struct server_baseline *baseline, const struct words *words,
    struct baseline_server *server, uint64_t *key)
{
	uint16_t port;
	if (words->count < 3)
		return "something is missing: expected SERVER PORT starttls|tls";
	if (!read_port(words->text[1], &port))
		return "its second word is no port";
	if (!read_server(&baseline->key, words->text[0], port, key))
		return "its first word is neither an address nor a host name with a dot";
	server->tls = strcmp(words->text[2], "tls") == 0;
	if (!server->tls && strcmp(words->text[2], "starttls") != 0)
		return "its third word is neither starttls nor tls";
	server->pin_count = words->count - 3;
	for (size_t i = 0; i < server->pin_count; i++)
		if (!read_pin(words->text[3 + i], server->pins[i]))
			return "what follows starttls or tls is no SHA-256 (64 hexadecimal digits)";
	if (find(baseline, *key) != NULL)
		return "this server and port stand in the list before";
	return NULL;
}

static const char *add(
    struct server_baseline *baseline, const struct baseline_server *server, uint64_t key)
{
	if (bounded_table_victim(baseline->servers) != NULL)
		return "too many servers: a list may have 65536";
	struct entry *entry = calloc(1, sizeof *entry);
	if (entry == NULL)
		return "no memory for it";
	entry->server = *server;
	bounded_table_add(baseline->servers, &entry->node, key);
	return NULL;
}

static const char *read_line(struct server_baseline *baseline, struct view line)
{
	struct words words;
	struct baseline_server server;
	uint64_t key;
	const char *wrong = split(line, &words);
	if (wrong != NULL || words.count == 0)
		return wrong;
	memset(&server, 0, sizeof server);
	wrong = read_words(baseline, &words, &server, &key);
	return wrong != NULL ? wrong : add(baseline, &server, key);
}

bool server_baseline_read(struct server_baseline *baseline, const char *name, const uint8_t *bytes,
    size_t length, struct error *error)
{
	size_t number = 0;
	for (size_t at = 0; at < length;) {
		const uint8_t *end = memchr(bytes + at, '\n', length - at);
		size_t line = end != NULL ? (size_t)(end - bytes) - at : length - at;
		const char *wrong = read_line(baseline, view_of(bytes + at, line));
		number++;
		if (wrong != NULL) {
			error_set(error, "%s:%zu: %s", name, number, wrong);
			return false;
		}
		at += line + 1;
	}
	return true;
}

bool server_baseline_load(struct server_baseline *baseline, const char *path, struct error *error)
{
	uint8_t *bytes = NULL;
	size_t length;
	switch (whole_file_read(path, &bytes, &length, error)) {
	case WHOLE_FILE_MISSING:
		error_set(error, "%s: cannot be read: there is no such file", path);
		return false;
	case WHOLE_FILE_FAILED:
		return false;
	case WHOLE_FILE_READ:
		break;
	}
	bool good = server_baseline_read(baseline, path, bytes, length, error);
	free(bytes);
	return good;
}
