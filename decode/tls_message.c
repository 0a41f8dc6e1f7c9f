// SPDX-License-Identifier: Apache-2.0
// Handshake messages in the clear, over records and segments.
#include "decode/tls_hello.h"
#include "decode/tls_state.h"

#include <string.h>

enum { BUFFER_FIRST = 1024, MESSAGE_HEADER_LENGTH = 4 };

// Room for `length` bytes in the buffer, which grows by doubling.
static bool reserve(struct tls *tls, struct tls_half *half, uint32_t length)
{
	if (length <= half->capacity)
		return true;
	uint32_t capacity = half->capacity == 0 ? BUFFER_FIRST : half->capacity;
	while (capacity < length)
		capacity *= 2;
	uint8_t *buffer = memory_take(tls->memory, capacity);
	if (buffer == NULL)
		return false;
	if (half->filled > 0)
		memcpy(buffer, half->buffer, half->filled);
	memory_give(tls->memory, half->buffer);
	half->buffer = buffer;
	half->capacity = capacity;
	return true;
}

void tls_release(struct tls *tls, struct tls_half *half)
{
	if (half->buffer != NULL)
		memory_give(tls->memory, half->buffer);
	if (half->known != NULL)
		tls->sink->let_go(tls->context, half->known);
	half->buffer = NULL;
	half->known = NULL;
	half->capacity = 0;
	half->filled = 0;
}

enum collected tls_collect(
    struct tls *tls, struct tls_half *half, struct view *input, uint32_t length, struct view *part)
{
	if (half->filled == 0 && input->length >= length) {
		*part = view_split(input, length);
		return COLLECT_WHOLE;
	}
	size_t taken =
	    length - half->filled < input->length ? length - half->filled : input->length;
	if (taken == 0)
		return COLLECT_MORE;
	bool brief = length <= sizeof(half->head);
	if (!brief && !reserve(tls, half, half->filled + (uint32_t)taken))
		return COLLECT_REFUSED;
	uint8_t *where = brief ? half->head : half->buffer;
	memcpy(where + half->filled, view_take(input, taken), taken);
	half->filled += (uint32_t)taken;
	*part = view_of(where, length);
	return half->filled == length ? COLLECT_WHOLE : COLLECT_MORE;
}

// What comes is another certificate than the known one: what is the same of both is collected after all.
static bool collect_known(struct tls *tls, struct tls_half *half)
{
	const uint8_t *known = half->known;
	uint32_t filled = half->filled;
	half->filled = 0;
	half->known = NULL;
	bool reserved = reserve(tls, half, filled);
	if (reserved) {
		memcpy(half->buffer, known, filled);
		half->filled = filled;
	}
	tls->sink->let_go(tls->context, known);
	return reserved;
}

// A certificate. Most are known, and not even collected.
static enum collected collect_certificate(
    struct tls *tls, struct tls_half *half, struct view *input, uint32_t length, struct view *part)
{
	bool begins = half->filled == 0 && input->length < length;
	if (begins && tls->sink->recall != NULL)
		half->known = tls->sink->recall(tls->context, *input, length);
	if (half->known == NULL)
		return tls_collect(tls, half, input, length, part);
	size_t left = length - half->filled;
	size_t taken = left < input->length ? left : input->length;
	if (memcmp(half->known + half->filled, input->data, taken) != 0)
		return collect_known(tls, half) ? tls_collect(tls, half, input, length, part)
		                                : COLLECT_REFUSED;
	view_take(input, taken);
	half->filled += (uint32_t)taken;
	*part = view_of(half->known, length);
	return half->filled == length ? COLLECT_WHOLE : COLLECT_MORE;
}

// What to do with messages by type: every type either side sends in the clear up to TLS 1.2, and
// the hellos of 1.3.
struct message_rule {
	uint8_t type;
	uint8_t state; // how its body is read
	bool senders[2]; // by enum direction
	uint32_t longest; // longer ones are skipped
};

static const struct message_rule message_rules[] = {
    {HANDSHAKE_HELLO_REQUEST, MESSAGE_PASS, {false, true}, 0},
    {HANDSHAKE_CLIENT_HELLO, MESSAGE_BODY, {true, false}, MESSAGE_LENGTH_MAX},
    {HANDSHAKE_SERVER_HELLO, MESSAGE_BODY, {false, true}, MESSAGE_LENGTH_MAX},
    {HANDSHAKE_NEW_SESSION_TICKET, MESSAGE_PASS, {false, true}, MESSAGE_LENGTH_MAX + 6},
    {HANDSHAKE_CERTIFICATE, MESSAGE_CHAIN, {true, true}, CHAIN_LENGTH_MAX},
    {HANDSHAKE_SERVER_KEY_EXCHANGE, MESSAGE_BODY, {false, true}, MESSAGE_LENGTH_MAX},
    {HANDSHAKE_CERTIFICATE_REQUEST, MESSAGE_PASS, {false, true}, CHAIN_LENGTH_MAX},
    {HANDSHAKE_SERVER_HELLO_DONE, MESSAGE_PASS, {false, true}, 0},
    {HANDSHAKE_CERTIFICATE_VERIFY, MESSAGE_PASS, {true, false}, MESSAGE_LENGTH_MAX},
    {HANDSHAKE_CLIENT_KEY_EXCHANGE, MESSAGE_PASS, {true, false}, MESSAGE_LENGTH_MAX},
    {HANDSHAKE_CERTIFICATE_STATUS, MESSAGE_PASS, {false, true}, CHAIN_LENGTH_MAX},
};

static const struct message_rule *rule_of(enum direction sender, uint8_t type)
{
	for (size_t i = 0; i < sizeof(message_rules) / sizeof(message_rules[0]); i++)
		if (message_rules[i].type == type && message_rules[i].senders[sender])
			return &message_rules[i];
	return NULL;
}

// Those that TLS 1.3 sends encrypted, up to either side's Finished.
static const struct message_rule opened_rules[] = {
    {HANDSHAKE_ENCRYPTED_EXTENSIONS, MESSAGE_BODY, {false, true}, MESSAGE_LENGTH_MAX},
    {HANDSHAKE_CERTIFICATE, MESSAGE_CONTEXT, {true, true}, CHAIN_LENGTH_MAX},
    {HANDSHAKE_CERTIFICATE_REQUEST, MESSAGE_PASS, {false, true}, MESSAGE_LENGTH_MAX},
    {HANDSHAKE_CERTIFICATE_VERIFY, MESSAGE_PASS, {true, true}, MESSAGE_LENGTH_MAX},
    {HANDSHAKE_FINISHED, MESSAGE_PASS, {true, true}, TLS_SECRET_MAX},
    {HANDSHAKE_COMPRESSED_CERTIFICATE, MESSAGE_BODY, {true, true}, MESSAGE_LENGTH_MAX},
};

static const struct message_rule *opened_rule_of(enum direction sender, uint8_t type)
{
	for (size_t i = 0; i < sizeof(opened_rules) / sizeof(opened_rules[0]); i++)
		if (opened_rules[i].type == type && opened_rules[i].senders[sender])
			return &opened_rules[i];
	return NULL;
}

static uint8_t hello_type(enum direction sender)
{
	return sender == FROM_CLIENT ? HANDSHAKE_CLIENT_HELLO : HANDSHAKE_SERVER_HELLO;
}

// A HelloRequest is four zero bytes, and so often begins the nonce of an encrypted record: no proof.
bool tls_message_plausible(
    const struct tls *tls, enum direction sender, const uint8_t header[4], uint16_t record_length)
{
	uint32_t length = (uint32_t)header[1] << 16 | (uint32_t)header[2] << 8 | header[3];
	const struct message_rule *rule = rule_of(sender, header[0]);
	if (rule == NULL || rule->type == HANDSHAKE_HELLO_REQUEST || length > rule->longest ||
	    length + MESSAGE_HEADER_LENGTH > record_length)
		return false;
	// Behind a ChangeCipherSpec only a hello can come in the clear (HelloRetryRequest unseen).
	return tls->half[sender].progress == PROGRESS_CLEAR || header[0] == hello_type(sender);
}

bool tls_message_record(struct tls *tls, enum direction sender)
{
	struct tls_half *half = &tls->half[sender];
	if (tls->phase == PHASE_CLASSIC && half->progress != PROGRESS_CLEAR)
		return false;
	bool hidden = half->message_state == MESSAGE_LOST || half->message_state == MESSAGE_UNSURE;
	if (hidden || half->progress != PROGRESS_CLEAR) {
		tls_release(tls, half);
		half->message_state = MESSAGE_UNSURE;
	}
	return true;
}

void tls_message_lose(struct tls *tls, enum direction sender)
{
	tls_release(tls, &tls->half[sender]);
	tls->half[sender].message_state = MESSAGE_LOST;
}

void tls_message_gap(struct tls *tls, enum direction sender, uint32_t length)
{
	struct tls_half *half = &tls->half[sender];
	enum message_state state = half->message_state;
	bool inside = state == MESSAGE_BODY || state == MESSAGE_PASS || state == MESSAGE_SKIP ||
	              state == MESSAGE_CHAIN || state == MESSAGE_CHAIN_ENTRY ||
	              state == MESSAGE_CERTIFICATE;
	tls_release(tls, half);
	if (!inside || length > half->message_left) {
		half->message_state = MESSAGE_LOST;
		return;
	}
	half->message_left -= length;
	half->message_state = MESSAGE_SKIP;
}

// A message that cannot be kept is as good as one in a gap.
static void message_hide(struct tls_half *half)
{
	half->gap = true;
	half->message_state = MESSAGE_SKIP;
}

static void certificate_begin(struct tls *tls, enum direction sender)
{
	struct tls_half *half = &tls->half[sender];
	half->certificates = 0;
	half->part = half->message_state == MESSAGE_CONTEXT ? 1 : 3;
	tls_saw_chain_begin(tls, sender);
}

// As message_begin, in an opened record.
static void opened_begin(struct tls *tls, enum direction sender)
{
	struct tls_half *half = &tls->half[sender];
	const struct message_rule *rule = opened_rule_of(sender, half->message_type);
	half->message_state = rule != NULL ? rule->state : MESSAGE_SKIP;
	if (rule != NULL && half->message_left > rule->longest)
		tls_protected_give_up(tls, sender);
	else if (half->message_state == MESSAGE_CONTEXT)
		certificate_begin(tls, sender);
}

// Chooses how the body is read. An encrypted record must not come here.
static void message_begin(struct tls *tls, enum direction sender, struct view header)
{
	struct tls_half *half = &tls->half[sender];
	uint8_t type = view_u8(&header);
	half->message_type = type;
	half->message_left = view_u24(&header);
	if (half->opens) {
		opened_begin(tls, sender);
		return;
	}
	if (half->message_state == MESSAGE_FIRST && type != hello_type(sender)) {
		half->gap = true; // joined later: what came before is hidden
		half->message_state = MESSAGE_LOST;
		return;
	}
	tls->begun |= type == hello_type(sender);
	const struct message_rule *rule = rule_of(sender, type);
	half->message_state = rule != NULL ? rule->state : MESSAGE_SKIP;
	if (rule != NULL && half->message_left > rule->longest)
		message_hide(half);
	if (half->message_state == MESSAGE_CHAIN)
		certificate_begin(tls, sender);
}

// The first bytes of a record that may be encrypted, or may continue what a gap hides.
static void message_judge(struct tls *tls, enum direction sender, struct view header)
{
	struct tls_half *half = &tls->half[sender];
	if (tls_message_plausible(tls, sender, header.data, half->record_length)) {
		half->message_state = MESSAGE_HEADER;
		message_begin(tls, sender, header);
		return;
	}
	half->message_state = MESSAGE_LOST;
	if (half->progress != PROGRESS_CLEAR)
		tls_saw_protected(tls, sender, CONTENT_HANDSHAKE, half->record_length);
}

// The group of an (EC)DHE key exchange (RFC 8422 5.4; RFC 5489 2 puts a hint before it). What the
// bytes mean depends on the cipher suite, so without ServerHello nothing can be said.
static void server_key_exchange(struct tls *tls, struct view body)
{
	const char *cipher = tls_cipher_name(tls->cipher);
	if (tls->cipher == 0 || cipher == NULL || tls->sink->server_key_exchange == NULL)
		return;
	bool elliptic =
	    strncmp(cipher, "TLS_ECDHE_", 10) == 0 || strncmp(cipher, "TLS_ECDH_anon_", 14) == 0;
	if (strncmp(cipher, "TLS_ECDHE_PSK_", 14) == 0)
		view_split(&body, view_u16(&body));
	enum { NAMED_CURVE = 3 };
	uint16_t group = elliptic && view_u8(&body) == NAMED_CURVE ? view_u16(&body) : 0;
	tls->sink->server_key_exchange(tls->context, group);
}

// A hello behind a gap is the first one if it cannot be the second: that one has a cookie or exactly the
// one key share it was asked for (RFC 8446 4.1.2).
static bool first_hello(const struct tls *tls, const struct tls_client_hello *hello)
{
	const struct tls_half *half = &tls->half[FROM_CLIENT];
	if (tls->phase == PHASE_RETRY || hello->has_cookie)
		return false;
	return !half->gap || hello->key_share_count != 1;
}

static void message_end(struct tls *tls, enum direction sender, struct view body)
{
	struct tls_client_hello client;
	struct tls_server_hello server;
	if (tls->half[sender].opens) {
		tls_opened_message(tls, sender, tls->half[sender].message_type, body);
		return;
	}
	switch (tls->half[sender].message_type) {
	case HANDSHAKE_CLIENT_HELLO:
		tls_parse_client_hello(body, &client);
		client.first = first_hello(tls, &client);
		tls_saw_client_hello(tls, &client);
		break;
	case HANDSHAKE_SERVER_HELLO:
		tls_parse_server_hello(body, &server);
		tls_saw_server_hello(tls, &server);
		break;
	case HANDSHAKE_SERVER_KEY_EXCHANGE:
		server_key_exchange(tls, body);
		tls_saw_message(tls, sender, HANDSHAKE_SERVER_KEY_EXCHANGE);
		break;
	default:
		tls_saw_message(tls, sender, tls->half[sender].message_type);
		break;
	}
}

static void certificate_end(struct tls *tls, enum direction sender, struct view der)
{
	struct tls_half *half = &tls->half[sender];
	half->chain_left -= half->part;
	if (tls->sink->certificate != NULL)
		tls->sink->certificate(tls->context, sender, half->certificates, der);
	half->certificates++;
}

// Behind the list's length, or behind a certificate: another one, or the end of the list.
static void chain_next(struct tls *tls, enum direction sender)
{
	struct tls_half *half = &tls->half[sender];
	bool full = half->chain_left > 0 && half->certificates == TLS_CHAIN_MAX;
	bool lies = half->chain_left > 0 && half->chain_left < 4;
	if (half->chain_left == 0)
		tls_saw_chain_end(tls, sender, half->certificates);
	half->message_state =
	    half->chain_left == 0 || full || lies ? MESSAGE_SKIP : MESSAGE_CHAIN_ENTRY;
}

// The length of the certificate list, behind the context of TLS 1.3.
static void list_begin(struct tls *tls, enum direction sender, struct view part)
{
	struct tls_half *half = &tls->half[sender];
	view_take(&part, half->part - 3);
	half->chain_left = view_u24(&part);
	if (half->chain_left > half->message_left)
		half->message_state = MESSAGE_SKIP;
	else
		chain_next(tls, sender);
}

// The length of the extensions behind a certificate: they are the next part, if there are any.
static void entry_end(struct tls *tls, enum direction sender, struct view length)
{
	struct tls_half *half = &tls->half[sender];
	half->part = view_u16(&length);
	half->message_state = MESSAGE_SKIP;
	if (half->chain_left < 2 || half->part > half->chain_left - 2)
		return;
	half->chain_left -= 2;
	if (half->part == 0)
		chain_next(tls, sender);
	else
		half->message_state = MESSAGE_ENTRY_EXTENSIONS;
}

// A part of the current state is complete: what it means, and the next state.
static void part_end(struct tls *tls, enum direction sender, struct view part)
{
	struct tls_half *half = &tls->half[sender];
	switch ((enum message_state)half->message_state) {
	case MESSAGE_FIRST:
	case MESSAGE_HEADER:
		message_begin(tls, sender, part);
		break;
	case MESSAGE_UNSURE:
		message_judge(tls, sender, part);
		break;
	case MESSAGE_BODY:
		half->message_state = MESSAGE_HEADER;
		message_end(tls, sender, part);
		break;
	case MESSAGE_CONTEXT:
		half->part = view_u8(&part) + 3u;
		half->message_state = MESSAGE_CHAIN;
		break;
	case MESSAGE_CHAIN:
		list_begin(tls, sender, part);
		break;
	case MESSAGE_CHAIN_ENTRY:
		half->part = view_u24(&part);
		half->chain_left -= 3;
		half->message_state = half->part == 0 || half->part > half->chain_left
		                          ? MESSAGE_SKIP
		                          : MESSAGE_CERTIFICATE;
		break;
	case MESSAGE_CERTIFICATE:
		certificate_end(tls, sender, part);
		if (half->opens)
			half->message_state = MESSAGE_ENTRY_END;
		else
			chain_next(tls, sender);
		break;
	case MESSAGE_ENTRY_END:
		entry_end(tls, sender, part);
		break;
	case MESSAGE_ENTRY_EXTENSIONS:
		half->chain_left -= half->part;
		tls_opened_entry(tls, sender, half->certificates - 1u, part);
		chain_next(tls, sender);
		break;
	case MESSAGE_PASS:
	case MESSAGE_SKIP:
	case MESSAGE_LOST:
		break;
	}
}

// Collects the part of `length` bytes that the current state wants. `counted`: it belongs to the
// message's body. False: wants more.
static bool message_part(
    struct tls *tls, enum direction sender, struct view *input, uint32_t length, bool counted)
{
	struct tls_half *half = &tls->half[sender];
	if (counted &&
	    length - half->filled > half->message_left) { // the message contradicts itself
		tls_release(tls, half);
		half->message_state = MESSAGE_SKIP;
		return true;
	}
	struct view part = {NULL, 0};
	size_t before = input->length;
	bool certificate = half->message_state == MESSAGE_CERTIFICATE;
	enum collected collected = certificate
	                               ? collect_certificate(tls, half, input, length, &part)
	                               : tls_collect(tls, half, input, length, &part);
	if (counted)
		half->message_left -= (uint32_t)(before - input->length);
	if (collected == COLLECT_MORE)
		return false;
	if (collected == COLLECT_WHOLE)
		part_end(tls, sender, part);
	else if (half->opens)
		tls_protected_give_up(tls, sender);
	else
		message_hide(half);
	tls_release(tls, half);
	return true;
}

// Passes over a body. False: wants more.
static bool message_skip(struct tls *tls, enum direction sender, struct view *input)
{
	struct tls_half *half = &tls->half[sender];
	size_t length = half->message_left < input->length ? half->message_left : input->length;
	view_take(input, length);
	half->message_left -= (uint32_t)length;
	if (half->message_left > 0)
		return false;
	bool passed = half->message_state == MESSAGE_PASS;
	half->message_state = MESSAGE_HEADER;
	if (passed)
		message_end(tls, sender, (struct view){NULL, 0});
	return true;
}

// One step through the messages. False: nothing more to do with this input.
static bool message_step(struct tls *tls, enum direction sender, struct view *input)
{
	struct tls_half *half = &tls->half[sender];
	switch ((enum message_state)half->message_state) {
	case MESSAGE_FIRST:
	case MESSAGE_HEADER:
	case MESSAGE_UNSURE:
		return message_part(tls, sender, input, MESSAGE_HEADER_LENGTH, false);
	case MESSAGE_BODY:
		return message_part(tls, sender, input, half->filled + half->message_left, true);
	case MESSAGE_CHAIN_ENTRY:
		return message_part(tls, sender, input, 3, true);
	case MESSAGE_ENTRY_END:
		return message_part(tls, sender, input, 2, true);
	case MESSAGE_CONTEXT:
	case MESSAGE_CHAIN:
	case MESSAGE_CERTIFICATE:
	case MESSAGE_ENTRY_EXTENSIONS:
		return message_part(tls, sender, input, half->part, true);
	case MESSAGE_PASS:
	case MESSAGE_SKIP:
		return message_skip(tls, sender, input);
	case MESSAGE_LOST:
		return false;
	}
	return false;
}

// What comes behind the end of what can be opened is not read as if it were in the clear.
void tls_message_feed(struct tls *tls, enum direction sender, struct view input)
{
	const struct tls_half *half = &tls->half[sender];
	bool opened = half->opens;
	while (!tls_decided(tls) && half->opens == opened && message_step(tls, sender, &input))
		;
}

void tls_message_certificate(struct tls *tls, enum direction sender, struct view body)
{
	struct tls_half *half = &tls->half[sender];
	tls_release(tls, half);
	half->message_left = (uint32_t)body.length;
	half->message_state = MESSAGE_CONTEXT;
	certificate_begin(tls, sender);
	while (body.length > 0 && half->opens && message_step(tls, sender, &body))
		;
	tls_release(tls, half);
	half->message_left = 0;
	half->message_state = MESSAGE_HEADER;
}
