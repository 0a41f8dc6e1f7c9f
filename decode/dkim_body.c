// SPDX-License-Identifier: Apache-2.0
#include "decode/dkim_body.h"

#include <string.h>

bool dkim_body_begin(struct dkim_body *body, EVP_MD *sha256, enum dkim_canonicalisation form,
    uint64_t most, const uint8_t expected[DKIM_HASH_BYTES])
{
	*body = (struct dkim_body){.hash = EVP_MD_CTX_new(),
	    .left = most,
	    .limited = most != UINT64_MAX,
	    .form = (uint8_t)form};
	memcpy(body->expected, expected, DKIM_HASH_BYTES);
	if (body->hash != NULL && EVP_DigestInit_ex2(body->hash, sha256, NULL) == 1)
		return true;
	dkim_body_drop(body);
	return false;
}

void dkim_body_drop(struct dkim_body *body)
{
	EVP_MD_CTX_free(body->hash);
	body->hash = NULL;
}

static void hash_blocks(struct dkim_body *body, const uint8_t *bytes, size_t length)
{
	if (length > 0)
		body->failed |= EVP_DigestUpdate(body->hash, bytes, length) != 1;
}

static void hash(struct dkim_body *body, const uint8_t *bytes, size_t length)
{
	if (length > body->left)
		length = (size_t)body->left;
	body->left -= length;
	if (length == 0)
		return;
	if (body->waiting > 0 && body->waiting + length >= DKIM_BLOCK) {
		size_t taken = (size_t)DKIM_BLOCK - body->waiting;
		memcpy(body->block + body->waiting, bytes, taken);
		hash_blocks(body, body->block, DKIM_BLOCK);
		body->waiting = 0;
		bytes += taken;
		length -= taken;
	}
	size_t rest = body->waiting > 0 ? length : length % DKIM_BLOCK;
	hash_blocks(body, bytes, length - rest);
	memcpy(body->block + body->waiting, bytes + length - rest, rest);
	body->waiting = (uint8_t)(body->waiting + rest);
}

// What has passed counts, now that something follows.
static void hash_owed(struct dkim_body *body)
{
	static const uint8_t line_ends[] = "\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n";
	while (body->line_ends > 0 && body->left > 0) {
		uint32_t count = body->line_ends < 8 ? body->line_ends : 8;
		hash(body, line_ends, (size_t)count * 2);
		body->line_ends -= count;
	}
	body->line_ends = 0;
	if (body->blank)
		hash(body, (const uint8_t *)" ", 1);
	body->blank = false;
	body->begun = true;
}

// A run without CR or LF, and for relaxed without blanks.
static void take_text(struct dkim_body *body, const uint8_t *bytes, size_t length)
{
	hash_owed(body);
	hash(body, bytes, length);
}

static bool is_text(const struct dkim_body *body, uint8_t c)
{
	return c != '\r' && c != '\n' && (body->form == DKIM_SIMPLE || (c != ' ' && c != '\t'));
}

static size_t text_length(const struct dkim_body *body, const uint8_t *bytes, size_t length)
{
	size_t i = 0;
	while (i < length && is_text(body, bytes[i]))
		i++;
	return i;
}

// A byte that is no text. A CR alone is text, found out with the byte behind it.
static void take_mark(struct dkim_body *body, uint8_t c)
{
	bool line_end = c == '\n' && body->cr;
	if (body->cr && !line_end)
		take_text(body, (const uint8_t *)"\r", 1);
	body->cr = c == '\r';
	if (line_end) {
		body->blank = false; // at the end of a line
		if (body->line_ends < UINT32_MAX)
			body->line_ends++;
	} else if (c == '\n') {
		body->bare_line = true;
		take_text(body, &c, 1);
	} else if (c == ' ' || c == '\t') {
		body->blank = true;
	}
}

void dkim_body_take(struct dkim_body *body, const uint8_t *bytes, size_t length)
{
	for (size_t i = 0; i < length && (body->left > 0 || body->line_ends > 0);) {
		size_t text = body->cr ? 0 : text_length(body, bytes + i, length - i);
		if (text > 0) {
			take_text(body, bytes + i, text);
			i += text;
			continue;
		}
		if (body->cr && bytes[i] != '\n' && is_text(body, bytes[i])) {
			take_text(body, (const uint8_t *)"\r", 1);
			body->cr = false;
			continue;
		}
		take_mark(body, bytes[i]);
		i++;
	}
}

bool dkim_body_end(struct dkim_body *body)
{
	uint8_t digest[DKIM_HASH_BYTES];
	if (body->cr)
		take_text(body, (const uint8_t *)"\r", 1);
	// A body of nothing is nothing in the relaxed form, an empty line in the simple one; else it ends in one line end.
	if (body->begun || body->form == DKIM_SIMPLE)
		hash(body, (const uint8_t *)"\r\n", 2);
	hash_blocks(body, body->block, body->waiting);
	bool enough = !body->limited || body->left == 0;
	bool same = enough && !body->failed && EVP_DigestFinal_ex(body->hash, digest, NULL) == 1 &&
	            memcmp(digest, body->expected, sizeof digest) == 0;
	dkim_body_drop(body);
	return same;
}
