// SPDX-License-Identifier: Apache-2.0
#include "decode/tls_keylog.h"

#include "capture/base/hash.h"
#include "capture/base/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <string.h>
#include <unistd.h>

enum {
	LINE_MAX_LENGTH = 512, // bytes; the longest that is of use has 193
	CHUNK = 16 * 1024, // bytes read at a time
	SLOTS_FIRST = 64,
	FILE_MAX = 1 << 30, // bytes
};

// Open addressing, at most half full. The marks stand apart, so that a session that is not in the log,
// as most are not, is told by looking at one of them.
struct table {
	size_t count; // of slots, a power of two
	uint32_t *marks; // part of the random's hash; 0: the slot is free
	struct tls_secrets *slots;
};

struct tls_keylog {
	struct hash_key key;
	struct table table;
	struct tls_keylog_counters counters;
	size_t line_length;
	bool line_too_long;
	uint8_t line[LINE_MAX_LENGTH];
	uint8_t chunk[CHUNK];
};

// ---- memory

static void give_table(struct table *table)
{
	secret_give(table->marks, table->count * sizeof(*table->marks));
	secret_give(table->slots, table->count * sizeof(*table->slots));
}

static bool take_table(struct table *table, size_t count)
{
	table->count = count;
	table->marks = secret_take(count * sizeof(*table->marks));
	table->slots = secret_take(count * sizeof(*table->slots));
	if (table->marks != NULL && table->slots != NULL)
		return true;
	give_table(table);
	return false;
}

struct tls_keylog *tls_keylog_create(void)
{
	struct tls_keylog *keylog = secret_take(sizeof(*keylog));
	if (keylog == NULL)
		return NULL;
	keylog->key = hash_key_random();
	if (take_table(&keylog->table, SLOTS_FIRST))
		return keylog;
	secret_give(keylog, sizeof(*keylog));
	return NULL;
}

void tls_keylog_destroy(struct tls_keylog *keylog)
{
	if (keylog == NULL)
		return;
	give_table(&keylog->table);
	secret_give(keylog, sizeof(*keylog));
}

// ---- the table

static uint32_t mark_of(uint64_t hash)
{
	return (uint32_t)(hash >> 32) | 1;
}

// The index of the slot that holds this random, or of the free one where it would go.
static size_t find_slot(const struct table *table, const uint8_t *random, uint64_t hash)
{
	for (size_t at = hash;; at++) {
		size_t slot = at & (table->count - 1);
		uint32_t mark = table->marks[slot];
		if (mark == 0 || (mark == mark_of(hash) && memcmp(table->slots[slot].client_random,
		                                               random, TLS_RANDOM_LENGTH) == 0))
			return slot;
	}
}

static uint64_t hash_of(const struct tls_keylog *keylog, const uint8_t *random)
{
	return hash_bytes(&keylog->key, random, TLS_RANDOM_LENGTH);
}

static struct tls_secrets *take_slot(struct tls_keylog *keylog, const uint8_t *random)
{
	struct table *table = &keylog->table;
	uint64_t hash = hash_of(keylog, random);
	size_t slot = find_slot(table, random, hash);
	table->marks[slot] = mark_of(hash);
	memcpy(table->slots[slot].client_random, random, TLS_RANDOM_LENGTH);
	return &table->slots[slot];
}

static bool grow(struct tls_keylog *keylog)
{
	struct table old = keylog->table, larger;
	if (!take_table(&larger, old.count * 2))
		return false;
	keylog->table = larger;
	for (size_t i = 0; i < old.count; i++)
		if (old.marks[i] != 0)
			*take_slot(keylog, old.slots[i].client_random) = old.slots[i];
	give_table(&old);
	return true;
}

// The secrets for this random, their slot taken if need be. NULL: no room.
static struct tls_secrets *secrets_for(struct tls_keylog *keylog, const uint8_t *random)
{
	struct table *table = &keylog->table;
	size_t slot = find_slot(table, random, hash_of(keylog, random));
	if (table->marks[slot] != 0)
		return &table->slots[slot];
	if (keylog->counters.sessions >= TLS_KEYLOG_SESSIONS_MAX)
		return NULL;
	if (keylog->counters.sessions >= table->count / 2 && !grow(keylog))
		return NULL;
	keylog->counters.sessions++;
	return take_slot(keylog, random);
}

const struct tls_secrets *tls_keylog_find(const struct tls_keylog *keylog, struct view random)
{
	const struct table *table = &keylog->table;
	if (random.length != TLS_RANDOM_LENGTH)
		return NULL;
	size_t slot = find_slot(table, random.data, hash_of(keylog, random.data));
	return table->marks[slot] != 0 ? &table->slots[slot] : NULL;
}

// ---- lines

static bool is_blank(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

// The next word of a line; empty at its end.
static struct view next_word(struct view *line)
{
	while (line->length > 0 && is_blank(line->data[0]))
		view_take(line, 1);
	size_t length = 0;
	while (length < line->length && !is_blank(line->data[length]))
		length++;
	return view_split(line, length);
}

static bool word_is(struct view word, const char *text)
{
	return word.length == strlen(text) && memcmp(word.data, text, word.length) == 0;
}

static bool is_label(struct view word)
{
	for (size_t i = 0; i < word.length; i++) {
		uint8_t c = word.data[i];
		if ((c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '_')
			return false;
	}
	return word.length > 0;
}

static int digit_of(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

// Hexadecimal digits as bytes. False: they are none, or not of `size` bytes.
static bool read_hex(struct view word, uint8_t *bytes, size_t size)
{
	if (word.length != size * 2)
		return false;
	for (size_t i = 0; i < size; i++) {
		int high = digit_of(word.data[2 * i]), low = digit_of(word.data[2 * i + 1]);
		if (high < 0 || low < 0)
			return false;
		bytes[i] = (uint8_t)(high << 4 | low);
	}
	return true;
}

// What a label's secret is for, and where it is kept.
struct label {
	const char *name;
	size_t place; // offset in struct tls_secrets
	uint8_t lengths[2]; // bytes it may have
};

static const struct label labels[] = {
    {"CLIENT_RANDOM", offsetof(struct tls_secrets, master), {48, 48}},
    {"CLIENT_HANDSHAKE_TRAFFIC_SECRET", offsetof(struct tls_secrets, handshake[0]), {32, 48}},
    {"SERVER_HANDSHAKE_TRAFFIC_SECRET", offsetof(struct tls_secrets, handshake[1]), {32, 48}},
};

static const struct label *label_of(struct view word)
{
	for (size_t i = 0; i < sizeof(labels) / sizeof(labels[0]); i++)
		if (word_is(word, labels[i].name))
			return &labels[i];
	return NULL;
}

static void keep(struct tls_keylog *keylog, const struct label *label, struct view rest)
{
	uint8_t random[TLS_RANDOM_LENGTH];
	struct tls_secret secret;
	struct view session = next_word(&rest), digits = next_word(&rest);
	bool good = read_hex(session, random, sizeof(random)) && next_word(&rest).length == 0;
	secret.length = label->lengths[digits.length == label->lengths[1] * 2u];
	good = good && read_hex(digits, secret.bytes, secret.length);
	struct tls_secrets *secrets = good ? secrets_for(keylog, random) : NULL;
	if (!good)
		keylog->counters.malformed++;
	else if (secrets == NULL)
		keylog->counters.refused++;
	else
		keylog->counters.secrets++;
	if (secrets != NULL)
		memcpy((uint8_t *)secrets + label->place, &secret, sizeof(secret));
	OPENSSL_cleanse(&secret, sizeof(secret));
}

static void end_line(struct tls_keylog *keylog)
{
	struct view line = view_of(keylog->line, keylog->line_length);
	struct view word = next_word(&line);
	const struct label *label = label_of(word);
	bool too_long = keylog->line_too_long;
	bool nothing = word.length == 0 || word.data[0] == '#';
	keylog->counters.lines += !nothing;
	if (nothing)
		;
	else if (label == NULL && is_label(word))
		keylog->counters.unused++;
	else if (label == NULL || too_long)
		keylog->counters.malformed++;
	else
		keep(keylog, label, line);
	keylog->line_length = 0;
	keylog->line_too_long = false;
}

void tls_keylog_add(struct tls_keylog *keylog, const uint8_t *text, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		if (text[i] == '\n')
			end_line(keylog);
		else if (keylog->line_length < LINE_MAX_LENGTH)
			keylog->line[keylog->line_length++] = text[i];
		else
			keylog->line_too_long = true;
	}
}

void tls_keylog_end(struct tls_keylog *keylog)
{
	end_line(keylog);
	OPENSSL_cleanse(keylog->line, sizeof(keylog->line));
}

// ---- files

static bool read_all(struct tls_keylog *keylog, int file, const char *path, struct error *error)
{
	for (size_t taken = 0; taken <= FILE_MAX;) {
		ssize_t count = read(file, keylog->chunk, sizeof(keylog->chunk));
		if (count < 0)
			error_set(error, "%s: cannot read the key log: %s", path, strerror(errno));
		if (count <= 0)
			return count == 0;
		tls_keylog_add(keylog, keylog->chunk, (size_t)count);
		taken += (size_t)count;
	}
	error_set(error, "%s: larger than 1 GiB: no key log", path);
	return false;
}

bool tls_keylog_read(struct tls_keylog *keylog, const char *path, struct error *error)
{
	int file = open(path, O_RDONLY | O_CLOEXEC);
	if (file < 0) {
		error_set(error, "%s: cannot open the key log: %s", path, strerror(errno));
		return false;
	}
	bool good = read_all(keylog, file, path, error);
	tls_keylog_end(keylog);
	OPENSSL_cleanse(keylog->chunk, sizeof(keylog->chunk));
	(void)close(file);
	return good;
}

struct tls_keylog_counters tls_keylog_counters(const struct tls_keylog *keylog)
{
	return keylog->counters;
}
