// SPDX-License-Identifier: Apache-2.0
// What those handshake messages say that TLS 1.3 sends encrypted, once they have been opened
// (RFC 8446 4.3 and 4.4, RFC 8879). The certificates themselves go the way of those in the clear, in
// tls_message.c.
#include "decode/tls_certificate_compression.h"
#include "decode/tls_hello.h"
#include "decode/tls_state.h"

enum { EXTENSION_STATUS_REQUEST = 5, EXTENSION_ALPN = 16, EXTENSION_TIMESTAMPS = 18 };

// RFC 8446 4.3.1, RFC 7301 3.1: the answer is a list of one name.
static void encrypted_extensions(struct tls *tls, struct view message)
{
	struct view list = view_split(&message, view_u16(&message)), body;
	uint16_t type;
	while (tls_next_extension(&list, &type, &body)) {
		if (type != EXTENSION_ALPN)
			continue;
		struct view names = view_split(&body, view_u16(&body));
		struct view name = view_split(&names, view_u8(&names));
		if (view_ok(&name) && name.length > 0 && tls->sink->server_alpn != NULL)
			tls->sink->server_alpn(tls->context, name);
		return;
	}
}

// The decompressed message is read as if it had come so; one that cannot be had is passed over.
static void compressed_certificate(struct tls *tls, enum direction sender, struct view message)
{
	uint16_t algorithm = view_u16(&message);
	uint32_t length = view_u24(&message);
	struct view compressed = view_split(&message, view_u24(&message));
	if (!view_ok(&compressed) || message.length != 0 || length == 0 ||
	    length > CHAIN_LENGTH_MAX)
		return;
	uint8_t *certificate = memory_take(tls->memory, length);
	if (certificate == NULL)
		return;
	if (tls_certificate_decompress(tls->memory, algorithm, compressed, certificate, length))
		tls_message_certificate(tls, sender, view_of(certificate, length));
	memory_give(tls->memory, certificate);
}

void tls_opened_message(
    struct tls *tls, enum direction sender, enum handshake_type type, struct view body)
{
	if (type == HANDSHAKE_ENCRYPTED_EXTENSIONS)
		encrypted_extensions(tls, body);
	else if (type == HANDSHAKE_COMPRESSED_CERTIFICATE)
		compressed_certificate(tls, sender, body);
	else if (type == HANDSHAKE_CERTIFICATE_REQUEST)
		tls_saw_request(tls);
	else if (type == HANDSHAKE_FINISHED)
		tls_protected_finished(tls, sender);
}

// RFC 8446 4.4.2.1: what up to TLS 1.2 stands in messages and extensions of their own.
void tls_opened_entry(
    struct tls *tls, enum direction sender, unsigned position, struct view extensions)
{
	struct view body;
	uint16_t type;
	if (sender != FROM_SERVER || position != 0)
		return;
	while (tls_next_extension(&extensions, &type, &body)) {
		if (type == EXTENSION_STATUS_REQUEST)
			tls->staple = SEEN_YES;
		else if (type == EXTENSION_TIMESTAMPS && tls->sink->timestamps != NULL)
			tls->sink->timestamps(tls->context, tls_count_timestamps(body));
	}
}
