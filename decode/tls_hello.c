// SPDX-License-Identifier: Apache-2.0
#include "decode/tls_hello.h"

#include <string.h>

enum extension {
	EXTENSION_SERVER_NAME = 0,
	EXTENSION_STATUS_REQUEST = 5,
	EXTENSION_SUPPORTED_GROUPS = 10,
	EXTENSION_POINT_FORMATS = 11,
	EXTENSION_SIGNATURE_ALGORITHMS = 13,
	EXTENSION_ALPN = 16,
	EXTENSION_STATUS_REQUEST_V2 = 17,
	EXTENSION_TIMESTAMPS = 18, // signed_certificate_timestamp
	EXTENSION_MASTER_SECRET = 23,
	EXTENSION_SESSION_TICKET = 35,
	EXTENSION_PRE_SHARED_KEY = 41,
	EXTENSION_EARLY_DATA = 42,
	EXTENSION_SUPPORTED_VERSIONS = 43,
	EXTENSION_COOKIE = 44,
	EXTENSION_KEY_SHARE = 51,
	EXTENSION_CLIENT_HELLO = 0xfe0d, // encrypted_client_hello
	EXTENSION_RENEGOTIATION_INFO = 0xff01,
};

enum { SCSV_RENEGOTIATION = 0x00ff, HANDSHAKE_CLIENT_HELLO = 1 };

// SHA-256 of "HelloRetryRequest": what such a message has for a random (RFC 8446 4.1.3).
static const uint8_t retry_random[32] = {0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d,
    0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91, 0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e,
    0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c};

// Extension types met, for finding doubles: the known ones are all below 64 but two.
struct extensions_met {
	uint64_t low;
	bool client_hello, renegotiation_info;
};

// True if `type` was met before. Types this parser does not know are not kept.
static bool met_before(struct extensions_met *met, uint16_t type)
{
	bool before = false;
	if (type < 64) {
		before = met->low >> type & 1;
		met->low |= UINT64_C(1) << type;
	} else if (type == EXTENSION_CLIENT_HELLO) {
		before = met->client_hello;
		met->client_hello = true;
	} else if (type == EXTENSION_RENEGOTIATION_INFO) {
		before = met->renegotiation_info;
		met->renegotiation_info = true;
	}
	return before;
}

bool tls_next_extension(struct view *list, uint16_t *type, struct view *body)
{
	if (list->length == 0)
		return false;
	*type = view_u16(list);
	*body = view_split(list, view_u16(list));
	return view_ok(body);
}

typedef void take_extension(void *hello, uint16_t type, struct view body);

// Gives every extension to `take`; of one that comes twice the first. False: the list contradicts
// itself.
static bool walk_extensions(struct view list, take_extension *take, void *hello)
{
	struct extensions_met met = {0};
	struct view body;
	uint16_t type;
	bool once = true, empty = !view_ok(&list);
	while (tls_next_extension(&list, &type, &body)) {
		if (met_before(&met, type))
			once = false;
		else
			take(hello, type, body);
	}
	return once && (empty || view_ok(&list));
}

// A vector with a length before it that fills `body` to its end; null view and *malformed if not.
static struct view whole_vector(struct view body, unsigned length_bytes, bool *malformed)
{
	size_t length = length_bytes == 1 ? view_u8(&body) : view_u16(&body);
	if (!view_ok(&body) || length != body.length) {
		*malformed = true;
		return (struct view){NULL, 0};
	}
	return body;
}

// As whole_vector, of numbers of two bytes.
static struct view whole_list(struct view body, unsigned length_bytes, bool *malformed)
{
	struct view list = whole_vector(body, length_bytes, malformed);
	if (list.length % 2 != 0)
		*malformed = true;
	return list;
}

bool tls_is_grease(uint16_t value)
{
	return (value & 0x0f0f) == 0x0a0a && value >> 8 == (value & 0xff);
}

// Drafts of TLS 1.3 went by 0x7fxx.
static uint16_t undrafted(uint16_t version)
{
	return version >> 8 == 0x7f ? TLS_1_3 : version;
}

// The highest version in a supported_versions list, 0 if none of SSLv3 or later.
static uint16_t highest_version(struct view list)
{
	uint16_t highest = 0;
	while (list.length >= 2) {
		uint16_t version = view_u16(&list);
		if (tls_is_grease(version))
			continue;
		version = undrafted(version);
		if (version >> 8 == 3 && version > highest)
			highest = version;
	}
	return highest;
}

static struct view first_protocol(struct view list, bool *malformed)
{
	if (list.length == 0)
		return (struct view){NULL, 0};
	struct view name = view_split(&list, view_u8(&list));
	if (!view_ok(&name))
		*malformed = true;
	return name;
}

// The first name of type host_name (RFC 6066 3).
static struct view host_name(struct view body, bool *malformed)
{
	struct view list = whole_vector(body, 2, malformed);
	while (list.length > 0) {
		uint8_t type = view_u8(&list);
		struct view name = view_split(&list, view_u16(&list));
		if (!view_ok(&name))
			*malformed = true;
		else if (type == 0)
			return name;
	}
	return (struct view){NULL, 0};
}

// The sizes of the keys in a list of shares (RFC 8446 4.2.8).
static void measure_shares(struct tls_client_hello *hello)
{
	struct view list = hello->key_shares;
	while (list.length > 0) {
		uint16_t group = view_u16(&list);
		struct view key = view_split(&list, view_u16(&list));
		if (!view_ok(&key)) {
			hello->malformed = true;
		} else if (!tls_is_grease(group)) {
			hello->key_share_count++;
			hello->key_share_bytes += (uint32_t)key.length;
		}
	}
}

// Extensions whose being there says all that is asked.
static void client_offers(struct tls_client_hello *hello, uint16_t type)
{
	switch (type) {
	case EXTENSION_STATUS_REQUEST:
	case EXTENSION_STATUS_REQUEST_V2:
		hello->asks_ocsp = true;
		break;
	case EXTENSION_TIMESTAMPS:
		hello->asks_timestamps = true;
		break;
	case EXTENSION_MASTER_SECRET:
		hello->offers_ems = true;
		break;
	case EXTENSION_PRE_SHARED_KEY:
		hello->offers_psk = true;
		break;
	case EXTENSION_EARLY_DATA:
		hello->offers_early_data = true;
		break;
	case EXTENSION_COOKIE:
		hello->has_cookie = true;
		break;
	case EXTENSION_CLIENT_HELLO:
		hello->offers_ech = true;
		break;
	case EXTENSION_RENEGOTIATION_INFO:
		hello->offers_renegotiation_info = true;
		break;
	}
}

static void client_extension(void *context, uint16_t type, struct view body)
{
	struct tls_client_hello *hello = context;
	switch (type) {
	case EXTENSION_SERVER_NAME:
		hello->has_server_name = true;
		hello->server_name = host_name(body, &hello->malformed);
		break;
	case EXTENSION_SUPPORTED_GROUPS:
		hello->supported_groups = whole_list(body, 2, &hello->malformed);
		break;
	case EXTENSION_POINT_FORMATS:
		hello->point_formats = whole_vector(body, 1, &hello->malformed);
		break;
	case EXTENSION_SIGNATURE_ALGORITHMS:
		hello->signature_algorithms = whole_list(body, 2, &hello->malformed);
		break;
	case EXTENSION_ALPN:
		hello->alpn_list = whole_vector(body, 2, &hello->malformed);
		hello->alpn = first_protocol(hello->alpn_list, &hello->malformed);
		break;
	case EXTENSION_SESSION_TICKET:
		hello->session_ticket = body;
		break;
	case EXTENSION_SUPPORTED_VERSIONS:
		hello->supported_versions = whole_list(body, 1, &hello->malformed);
		break;
	case EXTENSION_KEY_SHARE:
		hello->key_shares = whole_vector(body, 2, &hello->malformed);
		measure_shares(hello);
		break;
	default:
		client_offers(hello, type);
		break;
	}
}

// True if a list of `size`-byte suites holds the suite `wanted`.
static bool lists_suite(struct view list, unsigned size, uint32_t wanted)
{
	while (list.length >= size) {
		uint32_t suite = size == 2 ? view_u16(&list) : view_u24(&list);
		if (suite == wanted)
			return true;
	}
	return false;
}

// supported_versions speaks alone where it is there; without it 1.2 is the most that can come of it.
static uint16_t version_offered(const struct tls_client_hello *hello)
{
	uint16_t highest = highest_version(hello->supported_versions);
	if (highest != 0)
		return highest;
	return hello->legacy_version > TLS_1_2 ? TLS_1_2 : hello->legacy_version;
}

// The list of extensions that ends the message, without its length; may be left out altogether.
static struct view extension_list(struct view *message, bool *malformed)
{
	if (message->length == 0)
		return (struct view){NULL, 0};
	size_t length = view_u16(message);
	if (!view_ok(message) || length != message->length)
		*malformed = true;
	return view_split(message, length < message->length ? length : message->length);
}

void tls_parse_client_hello(struct view message, struct tls_client_hello *hello)
{
	*hello = (struct tls_client_hello){0};
	hello->legacy_version = view_u16(&message);
	hello->random = view_split(&message, 32);
	hello->session_id = view_split(&message, view_u8(&message));
	hello->cipher_suites = view_split(&message, view_u16(&message));
	hello->compression = view_split(&message, view_u8(&message));
	hello->malformed = !view_ok(&hello->compression) || hello->session_id.length > 32 ||
	                   hello->cipher_suites.length % 2 != 0;
	hello->offers_renegotiation_info = lists_suite(hello->cipher_suites, 2, SCSV_RENEGOTIATION);
	if (view_ok(&hello->compression))
		hello->extensions = extension_list(&message, &hello->malformed);
	if (!walk_extensions(hello->extensions, client_extension, hello))
		hello->malformed = true;
	hello->highest_version = version_offered(hello);
}

static void server_key_share(struct tls_server_hello *hello, struct view body)
{
	hello->group = view_u16(&body);
	if (!view_ok(&body))
		hello->malformed = true;
}

static void server_version(struct tls_server_hello *hello, struct view body)
{
	uint16_t version = view_u16(&body);
	if (view_ok(&body))
		hello->version = undrafted(version);
	else
		hello->malformed = true;
}

static uint16_t count_timestamps(struct view body, bool *malformed)
{
	uint16_t count = 0;
	struct view list = whole_vector(body, 2, malformed);
	while (list.length > 0) {
		view_split(&list, view_u16(&list));
		if (view_ok(&list))
			count++;
		else
			*malformed = true;
	}
	return count;
}

uint16_t tls_count_timestamps(struct view body)
{
	bool malformed;
	return count_timestamps(body, &malformed);
}

static void server_extension(void *context, uint16_t type, struct view body)
{
	struct tls_server_hello *hello = context;
	switch (type) {
	case EXTENSION_STATUS_REQUEST:
	case EXTENSION_STATUS_REQUEST_V2:
		hello->ocsp_staple_promised = true;
		break;
	case EXTENSION_ALPN:
		hello->alpn =
		    first_protocol(whole_vector(body, 2, &hello->malformed), &hello->malformed);
		break;
	case EXTENSION_TIMESTAMPS:
		hello->timestamps = count_timestamps(body, &hello->malformed);
		break;
	case EXTENSION_MASTER_SECRET:
		hello->ems = true;
		break;
	case EXTENSION_SESSION_TICKET:
		hello->session_ticket = true;
		break;
	case EXTENSION_PRE_SHARED_KEY:
		hello->psk_accepted = true;
		break;
	case EXTENSION_SUPPORTED_VERSIONS:
		server_version(hello, body);
		break;
	case EXTENSION_KEY_SHARE:
		server_key_share(hello, body);
		break;
	case EXTENSION_RENEGOTIATION_INFO:
		hello->renegotiation_info = true;
		break;
	default:
		break;
	}
}

void tls_parse_server_hello(struct view message, struct tls_server_hello *hello)
{
	*hello = (struct tls_server_hello){0};
	hello->legacy_version = view_u16(&message);
	hello->version = undrafted(hello->legacy_version);
	hello->random = view_split(&message, 32);
	// Drafts up to 21 had neither session id nor compression in this message.
	bool early_draft = hello->legacy_version >> 8 == 0x7f;
	if (!early_draft)
		hello->session_id = view_split(&message, view_u8(&message));
	hello->cipher = view_u16(&message);
	if (!early_draft)
		hello->compression = view_u8(&message);
	hello->malformed = !view_ok(&message) || hello->session_id.length > 32;
	if (!view_ok(&message))
		return;
	hello->hello_retry_request = memcmp(hello->random.data, retry_random, 32) == 0;
	hello->extensions = extension_list(&message, &hello->malformed);
	if (!walk_extensions(hello->extensions, server_extension, hello))
		hello->malformed = true;
}

void tls_parse_sslv2_client_hello(struct view message, struct tls_client_hello *hello)
{
	*hello = (struct tls_client_hello){.sslv2_format = true};
	uint8_t type = view_u8(&message);
	hello->legacy_version = view_u16(&message);
	hello->highest_version = hello->legacy_version > TLS_1_2 ? TLS_1_2 : hello->legacy_version;
	uint16_t suites = view_u16(&message), session_id = view_u16(&message);
	uint16_t challenge = view_u16(&message);
	hello->cipher_suites = view_split(&message, suites);
	hello->session_id = view_split(&message, session_id);
	hello->random = view_split(&message, challenge);
	hello->malformed = !view_ok(&message) || message.length != 0 ||
	                   type != HANDSHAKE_CLIENT_HELLO || suites % 3 != 0;
	hello->offers_renegotiation_info = lists_suite(hello->cipher_suites, 3, SCSV_RENEGOTIATION);
}
