// SPDX-License-Identifier: Apache-2.0
#include "decode/message_reader.h"

#include "decode/base64.h"
#include "decode/dkim_body.h"
#include "decode/dkim_signature.h"
#include "decode/header_section.h"
#include "decode/message_fields.h"

#include <stdlib.h>
#include <string.h>

enum { HEADER_FIRST = 2 * 1024 }; // bytes: most headers take no more than four of these

struct message_context {
	struct memory *memory;
	const struct mail_names *names;
	EVP_MD *sha256; // NULL: signatures are not to be verified
	EVP_MD_CTX *hash; // of headers
	unsigned bodies; // that are being hashed
	struct message_shelf *shelf;
	struct message_counters counters;
	struct header_section section; // of the header being read: too large for a stack
};

enum reader_stage { READS_HEADER, READS_BODY, READS_NOTHING };

// Where the header's bytes stand in a line.
enum line_stage { LINE_BEGINS, LINE_BEGINS_CR, LINE_GOES_ON };

struct message_reader {
	struct message_context *context;
	nanoseconds now;
	uint8_t *header; // gathered so far
	uint32_t length, size;
	uint32_t header_bytes; // that passed
	uint8_t stage; // enum reader_stage
	uint8_t line; // enum line_stage
	bool torn; // bytes are missing, or there was no room
	bool too_long; // the header is
	bool bare_line; // of the header one ended in LF alone
	bool read; // the header was
	uint8_t last; // byte of the header
	uint8_t *names; // what the facts' texts are
	struct message_facts *facts; // borrowed
	struct dkim_body
	    bodies[SIGNATURES_MAX]; // of the signatures that are followed: hash not NULL
};

/* ---- what a worker has ---- */

static bool open_hashes(struct message_context *context)
{
	context->sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
	context->hash = EVP_MD_CTX_new();
	return context->sha256 != NULL && context->hash != NULL;
}

struct message_context *message_context_create(
    struct memory *memory, const struct mail_names *names, bool hashes)
{
	struct message_context *context = calloc(1, sizeof *context);
	if (context == NULL)
		return NULL;
	context->memory = memory;
	context->names = names;
	context->shelf = message_shelf_create(memory);
	if (context->shelf != NULL && (!hashes || open_hashes(context)))
		return context;
	message_context_destroy(context);
	return NULL;
}

void message_context_destroy(struct message_context *context)
{
	if (context == NULL)
		return;
	message_shelf_destroy(context->shelf);
	EVP_MD_CTX_free(context->hash);
	EVP_MD_free(context->sha256);
	free(context);
}

struct message_shelf *message_context_shelf(const struct message_context *context)
{
	return context->shelf;
}

struct message_counters *message_context_counters(struct message_context *context)
{
	return &context->counters;
}

struct memory *message_context_memory(const struct message_context *context)
{
	return context->memory;
}

void message_context_tell(struct message_context *context, uint32_t *place,
    struct message_facts *facts, nanoseconds now)
{
	facts->time = now;
	if (message_shelf_add(context->shelf, place, facts))
		context->counters.told++;
	else
		context->counters.left_out++;
}

/* ---- beginning and end ---- */

struct message_reader *message_reader_create(
    struct message_context *context, struct message_facts *facts, nanoseconds now)
{
	struct message_reader *reader = memory_take_zeroed(context->memory, sizeof *reader);
	if (reader == NULL)
		return NULL;
	reader->context = context;
	reader->facts = facts;
	reader->now = now;
	return reader;
}

// Nothing of a header stays where others can come to have it.
static void forget_header(struct message_reader *reader)
{
	if (reader->header != NULL)
		explicit_bzero(reader->header, reader->size);
	memory_give(reader->context->memory, reader->header);
	reader->header = NULL;
	reader->length = reader->size = 0;
}

static void drop_body(struct message_reader *reader, unsigned number)
{
	if (reader->bodies[number].hash == NULL)
		return;
	dkim_body_drop(&reader->bodies[number]);
	reader->context->bodies--;
}

void message_reader_destroy(struct message_reader *reader)
{
	if (reader == NULL)
		return;
	for (unsigned i = 0; i < SIGNATURES_MAX; i++)
		drop_body(reader, i);
	forget_header(reader);
	memory_give(reader->context->memory, reader->names);
	memory_give(reader->context->memory, reader);
}

/* ---- signatures ---- */

// A copy of a text, which the header's bytes go away with. The room is there.
static const uint8_t *keep_name(uint8_t **room, const uint8_t *bytes, size_t length)
{
	uint8_t *kept = *room;
	if (length > 0)
		memcpy(kept, bytes, length);
	*room += length;
	return kept;
}

static void follow_body(
    struct message_reader *reader, unsigned number, const struct dkim_tags *tags)
{
	struct dkim_signature *signature = &reader->facts->signatures[number];
	uint8_t expected[DKIM_HASH_BYTES + 1];
	struct message_context *context = reader->context;
	if (base64_decode(tags->body_hash, expected, sizeof expected) != DKIM_HASH_BYTES)
		signature->progress = DKIM_MALFORMED;
	else if (context->bodies >= DKIM_BODIES_MAX ||
	         !dkim_body_begin(&reader->bodies[number], context->sha256,
	             (enum dkim_canonicalisation)signature->body_form,
	             tags->length.good ? tags->length.value : UINT64_MAX, expected))
		signature->progress = DKIM_NO_ROOM;
	else
		context->bodies++;
}

// How far a signature of what was read can be followed at all.
static void follow(struct message_reader *reader, unsigned number, const struct header_field *field,
    const struct dkim_tags *tags)
{
	struct message_context *context = reader->context;
	struct dkim_signature *signature = &reader->facts->signatures[number];
	if (signature->progress != DKIM_HASHED)
		return;
	if (context->sha256 == NULL)
		signature->progress = DKIM_NOT_TRIED;
	else if (reader->too_long)
		signature->progress = DKIM_TOO_LONG;
	else if (reader->torn)
		signature->progress = DKIM_NOT_WHOLE;
	else if (EVP_DigestInit_ex2(context->hash, context->sha256, NULL) != 1 ||
	         !dkim_header_hash(&context->section, field, tags, signature, context->hash))
		signature->progress = DKIM_NO_ROOM;
	if (signature->progress == DKIM_HASHED)
		follow_body(reader, number, tags);
	if (signature->progress == DKIM_HASHED && reader->bare_line)
		reader->bodies[number].bare_line = true;
}

static void read_signature(struct message_reader *reader, const struct header_field *field,
    struct view author, uint8_t **room)
{
	struct message_facts *facts = reader->facts;
	uint8_t bytes[DKIM_SIGNATURE_MAX];
	if (facts->signature_count == SIGNATURES_MAX) {
		facts->signatures_left_out++;
		return;
	}
	unsigned number = facts->signature_count++;
	struct dkim_signature *signature = &facts->signatures[number];
	const struct dkim_tags tags = dkim_tags_read(field->value);
	dkim_signature_read(&tags, author, reader->now, signature, bytes);
	follow(reader, number, field, &tags);
	if (signature->progress != DKIM_HASHED)
		signature->signature_length = 0; // of no use
	signature->domain = keep_name(room, signature->domain, signature->domain_length);
	signature->selector = keep_name(room, signature->selector, signature->selector_length);
	signature->signature = keep_name(room, signature->signature, signature->signature_length);
}

/* ---- the header ---- */

static struct view author_of(const struct header_section *section)
{
	const struct header_field *author = NULL;
	for (size_t i = 0; i < section->count; i++) {
		if (!header_field_is(&section->fields[i], "From"))
			continue;
		if (author != NULL)
			return view_of(NULL, 0);
		author = &section->fields[i];
	}
	return author != NULL ? read_author_domain(author->value) : view_of(NULL, 0);
}

static void read_hop(struct message_reader *reader, struct view value)
{
	struct message_facts *facts = reader->facts;
	if (facts->hop_count < HOPS_MAX)
		facts->hops[facts->hop_count++] = read_received(reader->context->names, value);
	else
		facts->hops_left_out++;
}

static void read_fields(struct message_reader *reader, uint8_t *room)
{
	const struct header_section *section = &reader->context->section;
	struct message_facts *facts = reader->facts;
	struct view author = author_of(section);
	for (size_t i = 0; i < section->count; i++) {
		const struct header_field *field = &section->fields[i];
		if (header_field_is(field, "Received"))
			read_hop(reader, field->value);
		else if (header_field_is(field, "DKIM-Signature"))
			read_signature(reader, field, author, &room);
		else if (header_field_is(field, "Content-Type"))
			facts->body_protection = (uint8_t)read_content_type(field->value);
		else if (header_field_is(field, "Authentication-Results") &&
		         !facts->results_known) {
			read_results(field->value, facts);
			facts->server = keep_name(&room, facts->server, facts->server_length);
		}
	}
}

// Takes what is told of out of what was gathered, and forgets the rest.
static void read_header(struct message_reader *reader, bool ended)
{
	enum {
		NAMES = SIGNATURES_MAX * (MESSAGE_NAME_MAX + SELECTOR_MAX + DKIM_SIGNATURE_MAX) +
		        MESSAGE_NAME_MAX
	};
	struct message_facts *facts = reader->facts;
	struct memory *memory = reader->context->memory;
	reader->read = true;
	reader->torn |= !ended;
	bool cut = reader->torn || reader->too_long;
	reader->names = reader->header != NULL ? memory_take(memory, NAMES) : NULL;
	if (reader->names != NULL) {
		struct header_section *section = &reader->context->section;
		header_section_read(view_of(reader->header, reader->length), section);
		if (cut && !section->more && section->count > 0)
			section->count--; // what else it says is not seen: half a field is none
		reader->too_long |= section->more;
		read_fields(reader, reader->names);
	}
	bool known = reader->names != NULL || reader->header_bytes == 0;
	facts->complete = known && !reader->torn && !reader->too_long;
	if (facts->complete && facts->body_protection == BODY_PROTECTION_NOT_SEEN)
		facts->body_protection = BODY_UNPROTECTED;
	facts->header_bytes = reader->header_bytes;
	forget_header(reader);
}

static bool follows_body(const struct message_reader *reader)
{
	for (unsigned i = 0; i < SIGNATURES_MAX; i++)
		if (reader->bodies[i].hash != NULL)
			return true;
	return false;
}

static bool make_room(struct message_reader *reader, size_t more)
{
	struct memory *memory = reader->context->memory;
	size_t needed = reader->length + more;
	if (needed <= reader->size)
		return true;
	if (needed > MESSAGE_HEADER_MAX) {
		reader->too_long = true;
		return false;
	}
	size_t wanted = needed < HEADER_FIRST ? HEADER_FIRST : needed * 2;
	size_t size = memory_class_size(wanted < MESSAGE_HEADER_MAX ? wanted : MESSAGE_HEADER_MAX);
	uint8_t *larger = memory_take(memory, size);
	if (larger == NULL) {
		reader->torn = true;
		return false;
	}
	uint32_t length = reader->length;
	if (length > 0)
		memcpy(larger, reader->header, length);
	forget_header(reader);
	reader->header = larger;
	reader->length = length;
	reader->size = (uint32_t)size;
	return true;
}

// Once something had no room, what comes behind it is passed over, that its pieces do not matter.
static void gather(struct message_reader *reader, const uint8_t *bytes, size_t length)
{
	uint32_t most = UINT32_MAX - reader->header_bytes;
	reader->header_bytes += length < most ? (uint32_t)length : most;
	if (reader->too_long || reader->torn || length == 0)
		return;
	size_t room = MESSAGE_HEADER_MAX - reader->length;
	size_t taken = length < room ? length : room;
	if (!make_room(reader, taken))
		return;
	memcpy(reader->header + reader->length, bytes, taken);
	reader->length += (uint32_t)taken;
	reader->too_long = taken < length;
}

// How many bytes of a line there are: up to its end, which *ends tells.
static size_t line_part(const uint8_t *bytes, size_t length, bool *ends)
{
	const uint8_t *end = memchr(bytes, '\n', length);
	*ends = end != NULL;
	return end != NULL ? (size_t)(end - bytes) + 1 : length;
}

// Takes bytes of the header. Returns how many: less than all where it ends.
static size_t take_header(struct message_reader *reader, const uint8_t *bytes, size_t length)
{
	size_t at = 0;
	while (at < length) {
		bool ends;
		if (reader->line == LINE_BEGINS && bytes[at] == '\r') {
			reader->line = LINE_BEGINS_CR;
			at++;
			continue;
		}
		if (reader->line != LINE_GOES_ON && bytes[at] == '\n') {
			reader->bare_line |= reader->line == LINE_BEGINS;
			read_header(reader, true);
			reader->stage = follows_body(reader) ? READS_BODY : READS_NOTHING;
			return at + 1;
		}
		if (reader->line == LINE_BEGINS_CR)
			gather(reader, (const uint8_t *)"\r", 1);
		size_t part = line_part(bytes + at, length - at, &ends);
		uint8_t before = part > 1 ? bytes[at + part - 2] : reader->last;
		reader->bare_line |= ends && before != '\r';
		reader->last = bytes[at + part - 1];
		gather(reader, bytes + at, part);
		reader->line = ends ? LINE_BEGINS : LINE_GOES_ON;
		at += part;
	}
	return length;
}

/* ---- the message ---- */

void message_reader_take(struct message_reader *reader, const uint8_t *bytes, size_t length)
{
	size_t used = 0;
	if (reader->stage == READS_HEADER)
		used = take_header(reader, bytes, length);
	if (reader->stage != READS_BODY)
		return;
	for (unsigned i = 0; i < SIGNATURES_MAX; i++)
		if (reader->bodies[i].hash != NULL)
			dkim_body_take(&reader->bodies[i], bytes + used, length - used);
}

bool message_reader_is_done(const struct message_reader *reader)
{
	return reader->stage == READS_NOTHING;
}

void message_reader_gap(struct message_reader *reader)
{
	if (reader->stage == READS_HEADER)
		read_header(reader, false);
	for (unsigned i = 0; i < SIGNATURES_MAX; i++) {
		if (reader->bodies[i].hash != NULL)
			reader->facts->signatures[i].progress = DKIM_NOT_WHOLE;
		drop_body(reader, i);
	}
	reader->stage = READS_NOTHING;
}

static void end_body(struct message_reader *reader, unsigned number)
{
	struct dkim_body *body = &reader->bodies[number];
	struct dkim_signature *signature = &reader->facts->signatures[number];
	if (body->hash == NULL)
		return;
	bool bare_line = body->bare_line;
	signature->body = dkim_body_end(body) ? SEEN_YES : SEEN_NO;
	reader->context->bodies--;
	if (bare_line)
		signature->progress = DKIM_BARE_LINES;
}

void message_reader_end(struct message_reader *reader, bool whole)
{
	if (!whole)
		message_reader_gap(reader);
	if (!reader->read)
		read_header(reader, true); // a message may be a header alone
	for (unsigned i = 0; i < SIGNATURES_MAX; i++)
		end_body(reader, i);
}
