// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tls_conversation.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void conversation_clear(struct conversation *conversation)
{
	memset(conversation, 0, offsetof(struct conversation, bytes));
}

void conversation_add(
    struct conversation *conversation, enum direction sender, const void *bytes, size_t length)
{
	if (length == 0)
		return;
	assert_true(conversation->count < SEGMENTS_MAX);
	assert_true(length <= CONVERSATION_MAX - conversation->filled);
	conversation->segments[conversation->count++] =
	    (struct segment){sender, conversation->filled, length};
	memcpy(conversation->bytes + conversation->filled, bytes, length);
	conversation->filled += length;
}

size_t conversation_length(const struct conversation *conversation, enum direction sender)
{
	size_t length = 0;
	for (unsigned i = 0; i < conversation->count; i++)
		if (conversation->segments[i].sender == sender)
			length += conversation->segments[i].length;
	return length;
}

// ---- the sink writes lines

static uint32_t sum(struct view view)
{
	uint32_t hash = 2166136261U;
	for (size_t i = 0; i < view.length; i++)
		hash = (hash ^ view.data[i]) * 16777619U;
	return hash;
}

static char *line(struct facts *facts)
{
	static char spare[LINE_LENGTH];
	return facts->count < LINES_MAX ? facts->lines[facts->count++] : spare;
}

static void on_client_hello(void *context, const struct tls_client_hello *hello)
{
	snprintf(line(context), LINE_LENGTH,
	    "client hello %04x highest %04x sni %.*s alpn %.*s suites %zu/%08x extensions "
	    "%zu/%08x%s%s%s",
	    hello->legacy_version, hello->highest_version, (int)hello->server_name.length,
	    hello->server_name.length > 0 ? (const char *)hello->server_name.data : "",
	    (int)hello->alpn.length, hello->alpn.length > 0 ? (const char *)hello->alpn.data : "",
	    hello->cipher_suites.length, sum(hello->cipher_suites), hello->extensions.length,
	    sum(hello->extensions), hello->sslv2_format ? " sslv2" : "",
	    hello->offers_psk ? " psk" : "", hello->malformed ? " malformed" : "");
}

static void on_server_hello(void *context, const struct tls_server_hello *hello)
{
	const char *cipher = tls_cipher_name(hello->cipher), *group = tls_group_name(hello->group);
	snprintf(line(context), LINE_LENGTH, "server hello %s %s %s%s%s%s",
	    tls_version_name(hello->version), cipher != NULL ? cipher : "-",
	    group != NULL ? group : "-", hello->hello_retry_request ? " retry" : "",
	    hello->psk_accepted ? " psk" : "", hello->malformed ? " malformed" : "");
}

static void on_certificate(void *context, enum direction sender, unsigned position, struct view der)
{
	snprintf(line(context), LINE_LENGTH, "certificate %d %u %zu/%08x", sender, position,
	    der.length, sum(der));
}

static void on_chain_end(void *context, enum direction sender, unsigned count)
{
	snprintf(line(context), LINE_LENGTH, "chain end %d %u", sender, count);
}

static void on_server_key_exchange(void *context, uint16_t group)
{
	const char *name = tls_group_name(group);
	snprintf(line(context), LINE_LENGTH, "key exchange %s", name != NULL ? name : "-");
}

static void on_certificate_request(void *context)
{
	snprintf(line(context), LINE_LENGTH, "certificate request");
}

static void on_alert(void *context, enum direction sender, uint8_t level, uint8_t description)
{
	const char *name = tls_alert_name(description);
	snprintf(
	    line(context), LINE_LENGTH, "alert %d %u %s", sender, level, name != NULL ? name : "-");
}

static void on_hidden_flight(void *context, const uint16_t *lengths, unsigned count)
{
	char *text = line(context);
	int length = snprintf(text, LINE_LENGTH, "flight");
	for (unsigned i = 0; i < count; i++)
		length += snprintf(
		    text + length, LINE_LENGTH - (size_t)length, " %u", (unsigned)lengths[i]);
}

static void on_server_alpn(void *context, struct view name)
{
	snprintf(line(context), LINE_LENGTH, "server alpn %.*s", (int)name.length, name.data);
}

static void on_timestamps(void *context, unsigned count)
{
	snprintf(line(context), LINE_LENGTH, "timestamps %u", count);
}

// Of the feeding under way: what certificates are recalled, and how many are not let go yet.
static struct {
	const struct conversation *conversation;
	enum recalled how;
	unsigned out;
} recall;

static const uint8_t *on_recall(void *context, struct view beginning, size_t length)
{
	(void)context;
	const struct conversation *from = recall.conversation;
	const uint8_t *found = NULL;
	if (recall.how != RECALLED_NONE && beginning.length > 0)
		found = memmem(from->bytes, from->filled, beginning.data, beginning.length);
	if (found == NULL || length > from->filled - (size_t)(found - from->bytes))
		return NULL;
	uint8_t *copy = malloc(length);
	assert_non_null(copy);
	memcpy(copy, found, length);
	if (recall.how != RECALLED_SAME)
		copy[recall.how == RECALLED_OTHER ? length - 1 : beginning.length] ^= 1;
	recall.out++;
	return copy;
}

static void on_let_go(void *context, const uint8_t *der)
{
	(void)context;
	free((void *)(uintptr_t)der);
	recall.out--;
}

static const struct tls_sink sink = {
    .client_hello = on_client_hello,
    .server_hello = on_server_hello,
    .certificate = on_certificate,
    .recall = on_recall,
    .let_go = on_let_go,
    .chain_end = on_chain_end,
    .server_key_exchange = on_server_key_exchange,
    .certificate_request = on_certificate_request,
    .alert = on_alert,
    .hidden_flight = on_hidden_flight,
    .server_alpn = on_server_alpn,
    .timestamps = on_timestamps,
};

// ---- feeding

struct feeder {
	const struct feeding *feeding;
	struct tls *tls;
	struct facts *facts;
	size_t position[2]; // of each direction
};

static void feed_piece(
    struct feeder *feeder, enum direction sender, const uint8_t *bytes, size_t length)
{
	size_t consumed = length + 1;
	// An exact copy on the heap, so that a sanitizer sees a read past the end.
	uint8_t *copy = malloc(length);
	assert_non_null(copy);
	memcpy(copy, bytes, length);
	enum tls_status status = tls_feed(feeder->tls, sender, copy, length, &consumed);
	free(copy);
	assert_true(consumed <= length);
	assert_true(consumed == length || status == TLS_FOREIGN);
	if (status == TLS_FOREIGN && feeder->facts->last[sender] != TLS_FOREIGN)
		feeder->facts->foreign_at[sender] = feeder->position[sender] + consumed;
	feeder->facts->last[sender] = status;
}

// The next piece that lies wholly within the hole or wholly outside. `place`: in the conversation.
static size_t feed_some(
    struct feeder *feeder, enum direction sender, const uint8_t *bytes, size_t length, size_t place)
{
	const struct feeding *feeding = feeder->feeding;
	size_t at = feeder->position[sender];
	const struct hole *hole = &feeding->holes[sender];
	size_t from = hole->from, to = from + hole->length;
	bool holed = hole->length > 0;
	bool missing = holed && at >= from && at < to;
	if (missing && length > to - at)
		length = to - at;
	if (holed && at < from && length > from - at)
		length = from - at;
	if (!missing && feeding->piece > 0 && length > feeding->piece)
		length = feeding->piece;
	if (!missing && feeding->cut > place && feeding->cut < place + length)
		length = feeding->cut - place;
	if (!missing)
		feed_piece(feeder, sender, bytes, length);
	else // told before what the other side sent on it
		tls_gap(feeder->tls, sender, length);
	feeder->position[sender] += length;
	return length;
}

// Kept from feeding to feeding, empty between them: a new one each time costs more than all else.
static struct memory *memory_for(const struct feeding *feeding)
{
	static struct memory *memory;
	static size_t budget;
	size_t wanted = feeding->memory > 0 ? feeding->memory : 4 << 20;
	if (budget != wanted) {
		memory_destroy(memory);
		memory = memory_create(wanted);
		budget = wanted;
	}
	assert_non_null(memory);
	assert_int_equal(memory_in_use(memory), 0);
	return memory;
}

void facts_of(
    const struct conversation *conversation, const struct feeding *feeding, struct facts *facts)
{
	facts->count = 0;
	facts->last[FROM_CLIENT] = facts->last[FROM_SERVER] = TLS_MORE;
	facts->foreign_at[FROM_CLIENT] = facts->foreign_at[FROM_SERVER] = 0;
	recall.conversation = conversation;
	recall.how = feeding->recalled;
	struct memory *memory = memory_for(feeding);
	struct feeder feeder = {feeding, tls_create(memory, &sink, facts), facts, {0, 0}};
	assert_non_null(feeder.tls);
	tls_use_keylog(feeder.tls, feeding->keylog);
	for (unsigned i = 0; i < conversation->count; i++) {
		const struct segment *segment = &conversation->segments[i];
		if (feeding->without[segment->sender])
			continue;
		for (size_t done = 0; done < segment->length;)
			done += feed_some(&feeder, segment->sender,
			    conversation->bytes + segment->offset + done, segment->length - done,
			    segment->offset + done);
	}
	for (enum direction sender = FROM_CLIENT; sender <= FROM_SERVER; sender++)
		if (conversation->closed[sender] && !feeding->without[sender])
			tls_close(feeder.tls, sender);
	facts->outcome = tls_outcome(feeder.tls);
	tls_destroy(feeder.tls);
	assert_int_equal(memory_in_use(memory), 0);
	assert_int_equal(recall.out, 0);
}

// ---- comparing

bool facts_have(const struct facts *facts, const char *wanted)
{
	for (unsigned i = 0; i < facts->count; i++)
		if (strcmp(facts->lines[i], wanted) == 0)
			return true;
	return false;
}

void facts_equal(const struct facts *expected, const struct facts *facts)
{
	const struct tls_outcome *a = &expected->outcome, *b = &facts->outcome;
	assert_int_equal(expected->count, facts->count);
	for (unsigned i = 0; i < facts->count; i++)
		assert_string_equal(expected->lines[i], facts->lines[i]);
	assert_int_equal(a->established, b->established);
	assert_int_equal(a->resumed, b->resumed);
	assert_int_equal(a->client_certificate_requested, b->client_certificate_requested);
	assert_int_equal(a->ocsp_staple, b->ocsp_staple);
	assert_int_equal(a->server_certificate_hidden, b->server_certificate_hidden);
	assert_int_equal(a->begun, b->begun);
	assert_int_equal(a->application_data[0], b->application_data[0]);
	assert_int_equal(a->application_data[1], b->application_data[1]);
	assert_int_equal(a->client_went_on, b->client_went_on);
	assert_int_equal(a->sslv2_cipher, b->sslv2_cipher);
}

static void seen_as(enum seen whole, enum seen part)
{
	if (part != NOT_SEEN)
		assert_int_equal(whole, part);
}

void facts_include(const struct facts *facts, const struct facts *known)
{
	for (unsigned i = 0; i < known->count; i++)
		if (!facts_have(facts, known->lines[i]))
			fail_msg("lost: %s", known->lines[i]);
	seen_as(facts->outcome.established, known->outcome.established);
	seen_as(facts->outcome.resumed, known->outcome.resumed);
	seen_as(facts->outcome.client_certificate_requested,
	    known->outcome.client_certificate_requested);
	seen_as(facts->outcome.ocsp_staple, known->outcome.ocsp_staple);
	if (facts->outcome.server_certificate_hidden)
		assert_true(known->outcome.server_certificate_hidden);
	assert_int_equal(facts->outcome.begun, known->outcome.begun);
	assert_int_equal(facts->outcome.sslv2_cipher, known->outcome.sslv2_cipher);
}

void facts_never_contradict(const struct facts *whole, const struct facts *facts)
{
	for (unsigned i = 0; i < facts->count; i++)
		if (!facts_have(whole, facts->lines[i]))
			fail_msg("invented: %s", facts->lines[i]);
	seen_as(whole->outcome.established, facts->outcome.established);
	seen_as(whole->outcome.resumed, facts->outcome.resumed);
	seen_as(whole->outcome.client_certificate_requested,
	    facts->outcome.client_certificate_requested);
	seen_as(whole->outcome.ocsp_staple, facts->outcome.ocsp_staple);
	if (!facts->outcome.server_certificate_hidden)
		assert_false(whole->outcome.server_certificate_hidden);
	if (facts->outcome.begun)
		assert_true(whole->outcome.begun);
	if (facts->outcome.sslv2_cipher != 0)
		assert_int_equal(whole->outcome.sslv2_cipher, facts->outcome.sslv2_cipher);
}
