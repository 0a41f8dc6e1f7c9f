// SPDX-License-Identifier: Apache-2.0
// SSLv2: the hello in its format that later versions were once offered with (RFC 5246 E.2), and the
// handshake of SSLv2 itself (draft-hickman-netscape-ssl-00) as far as it is in the clear.
#include "decode/tls_hello.h"
#include "decode/tls_state.h"

#include <string.h>

enum sslv2_type {
	SSLV2_ERROR = 0,
	SSLV2_CLIENT_HELLO = 1,
	SSLV2_CLIENT_MASTER_KEY = 2,
	SSLV2_SERVER_HELLO = 4,
};

enum { HELLO_PREFIX = 3 }; // 2 bytes of length, the type

// The first message of a direction: is it one, and how long? `prefix`: length and type.
static bool hello_fits(enum direction sender, const uint8_t *prefix)
{
	unsigned length = (unsigned)((prefix[0] & 0x7f) << 8 | prefix[1]);
	uint8_t type = prefix[2];
	if (!(prefix[0] & 0x80))
		return false;
	if (sender == FROM_CLIENT)
		return type == SSLV2_CLIENT_HELLO && length >= 9 && length <= 4096;
	return (type == SSLV2_SERVER_HELLO && length >= 11) || (type == SSLV2_ERROR && length == 3);
}

static void server_hello(struct tls *tls, struct view message)
{
	struct tls_server_hello hello = {.version = TLS_SSL2};
	view_u8(&message); // type
	uint8_t hit = view_u8(&message);
	view_u8(&message); // certificate type: X.509 is the only one
	hello.legacy_version = view_u16(&message);
	uint16_t certificate = view_u16(&message), suites = view_u16(&message);
	uint16_t connection_id = view_u16(&message);
	struct view der = view_split(&message, certificate);
	view_split(&message, suites);
	hello.session_id = view_split(&message, connection_id);
	hello.malformed = !view_ok(&message) || hello.legacy_version != TLS_SSL2;
	tls_saw_server_hello(tls, &hello);
	tls->resumed = hit != 0 ? SEEN_YES : SEEN_NO;
	if (hit != 0 || der.length == 0)
		return;
	tls_saw_chain_begin(tls, FROM_SERVER);
	if (tls->sink->certificate != NULL)
		tls->sink->certificate(tls->context, FROM_SERVER, 0, der);
	tls_saw_chain_end(tls, FROM_SERVER, 1);
}

static void message_end(struct tls *tls, struct view message)
{
	struct tls_client_hello hello;
	struct view rest = message;
	switch (view_u8(&rest)) {
	case SSLV2_CLIENT_HELLO:
		tls_parse_sslv2_client_hello(message, &hello);
		tls->begun = true;
		tls_saw_client_hello(tls, &hello);
		break;
	case SSLV2_SERVER_HELLO:
		tls->begun = true;
		server_hello(tls, message);
		break;
	case SSLV2_CLIENT_MASTER_KEY:
		tls->sslv2_cipher = view_u24(&rest);
		break;
	case SSLV2_ERROR:
		tls_saw_failure(tls); // its codes are not those of alerts
		break;
	default:
		break;
	}
}

// The type shows what the message is before it is whole: foreign bytes are not taken, nor is the
// type, which belongs to the body.
static void hello_step(struct tls *tls, enum direction sender, struct view *input)
{
	struct tls_half *half = &tls->half[sender];
	size_t missing = (size_t)(HELLO_PREFIX - half->window_filled);
	size_t there = missing < input->length ? missing : input->length;
	memcpy(half->window + half->window_filled, input->data, there);
	if (there < missing) {
		view_take(input, there);
		half->window_filled += (uint8_t)there;
		return;
	}
	if (!hello_fits(sender, half->window)) {
		tls_record_foreign(tls, sender);
		return;
	}
	view_take(input, missing - 1);
	half->window_filled = 0;
	half->record_length = (uint16_t)((half->window[0] & 0x7f) << 8 | half->window[1]);
	half->record_left = half->record_length;
	half->record_state = RECORD_SSLV2_BODY;
}

// A later header is 2 bytes, or 3 with padding; only the client's master key is in the clear then.
static void header_step(struct tls *tls, enum direction sender, struct view *input)
{
	struct tls_half *half = &tls->half[sender];
	half->window[half->window_filled++] = view_u8(input);
	bool padded = !(half->window[0] & 0x80);
	if (half->window_filled < (padded ? 3 : 2))
		return;
	half->window_filled = 0;
	half->record_length =
	    (uint16_t)((half->window[0] & (padded ? 0x3f : 0x7f)) << 8 | half->window[1]);
	half->record_left = half->record_length;
	bool master_key = sender == FROM_CLIENT && !padded && tls->sslv2_cipher == 0 &&
	                  half->encrypted == 0 && tls->resumed != SEEN_YES;
	if (!master_key)
		tls_saw_sslv2_protected(tls, sender);
	half->record_state = master_key ? RECORD_SSLV2_BODY : RECORD_OPAQUE;
	if (half->record_left == 0)
		half->record_state = RECORD_SSLV2_HEADER;
}

static void body_step(struct tls *tls, enum direction sender, struct view *input)
{
	struct tls_half *half = &tls->half[sender];
	struct view message;
	enum collected collected = tls_collect(tls, half, input, half->record_length, &message);
	if (collected == COLLECT_MORE)
		return;
	bool first = half->message_state == MESSAGE_FIRST;
	half->record_state = first ? RECORD_AFTER_SSLV2 : RECORD_SSLV2_HEADER;
	half->message_state = MESSAGE_HEADER;
	if (collected == COLLECT_WHOLE)
		message_end(tls, message);
	else
		half->record_state = RECORD_BLIND;
	tls_release(tls, half);
}

void tls_sslv2_step(struct tls *tls, enum direction sender, struct view *input)
{
	switch (tls->half[sender].record_state) {
	case RECORD_SSLV2_HELLO:
		hello_step(tls, sender, input);
		break;
	case RECORD_SSLV2_BODY:
		body_step(tls, sender, input);
		break;
	default:
		header_step(tls, sender, input);
		break;
	}
}
