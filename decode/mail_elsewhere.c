// SPDX-License-Identifier: Apache-2.0
#include "decode/mail_elsewhere.h"

#include "capture/base/view.h"
#include "decode/first_look.h"
#include "decode/protocol.h"
#include "decode/proxy_protocol.h"
#include "decode/tls_hello.h"

#include <string.h>

enum {
	GREETING_MAX = 2048
}; // bytes of a greeting's first line, its end included: IMAP's may hold a list

/* ---- the server's greeting ---- */

// True if a word of the line begins like this, behind whatever is no letter.
static bool mentions(const struct line *line, const char *keyword)
{
	size_t length = strlen(keyword);
	for (size_t i = 0; i + length <= line->length; i++)
		if (bytes_equal_keyword(line->bytes + i, length, keyword))
			return true;
	return false;
}

// The stamp that APOP needs (RFC 1939 7).
static bool has_time_stamp(const struct line *line)
{
	const uint8_t *open = memchr(line->bytes, '<', line->length);
	if (open == NULL)
		return false;
	size_t rest = line->length - (size_t)(open - line->bytes);
	const uint8_t *at = memchr(open, '@', rest);
	return at != NULL && memchr(at, '>', rest - (size_t)(at - open)) != NULL;
}

static bool names_smtp(const struct line *line)
{
	return line_has_word(line, "SMTP") || line_has_word(line, "ESMTP") ||
	       line_has_word(line, "LMTP");
}

static bool names_imap(const struct line *line)
{
	return mentions(line, "IMAP4");
}

static bool names_pop3(const struct line *line)
{
	return mentions(line, "POP3") || has_time_stamp(line);
}

struct greeting {
	const char *text;
	enum protocol protocol;
	bool (*names_protocol)(const struct line *line);
};

static const struct greeting greetings[] = {
    {"220 ", PROTOCOL_SMTP, names_smtp},
    {"220-", PROTOCOL_SMTP, names_smtp},
    {"554 ", PROTOCOL_SMTP, names_smtp},
    {"554-", PROTOCOL_SMTP, names_smtp},
    {"* OK ", PROTOCOL_IMAP, names_imap},
    {"* PREAUTH ", PROTOCOL_IMAP, names_imap},
    {"* BYE ", PROTOCOL_IMAP, names_imap},
    {"+OK", PROTOCOL_POP3, names_pop3},
};

enum { GREETINGS = sizeof greetings / sizeof greetings[0] };

// The greeting that these bytes begin with, or may: *whole says which.
static const struct greeting *find_greeting(const uint8_t *bytes, size_t length, bool *whole)
{
	for (size_t i = 0; i < GREETINGS; i++) {
		size_t wanted = strlen(greetings[i].text);
		*whole = length >= wanted;
		if (memcmp(bytes, greetings[i].text, *whole ? wanted : length) == 0)
			return &greetings[i];
	}
	return NULL;
}

static enum mail_elsewhere look_at_server(
    const uint8_t *bytes, size_t length, bool from_start, enum protocol *protocol)
{
	bool whole;
	const struct greeting *greeting = find_greeting(bytes, length, &whole);
	if (greeting == NULL)
		return ELSEWHERE_NO_MAIL;
	const uint8_t *end = memchr(bytes, '\n', length < GREETING_MAX ? length : GREETING_MAX);
	if (end == NULL)
		return from_start && length < GREETING_MAX ? ELSEWHERE_TOO_SHORT
		                                           : ELSEWHERE_NO_MAIL;
	struct line line = {.bytes = bytes, .length = (size_t)(end - bytes)};
	*protocol = greeting->protocol;
	if (whole && greeting->names_protocol(&line))
		return ELSEWHERE_MAIL;
	return whole && from_start ? ELSEWHERE_SIGN : ELSEWHERE_NO_MAIL;
}

/* ---- the client's first words ---- */

static enum mail_elsewhere greets(const uint8_t *bytes, size_t length, bool from_start)
{
	static const char *const verbs[] = {"EHLO ", "LHLO "};
	for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++) {
		switch (bytes_begin_keyword(bytes, length, verbs[i])) {
		case PREFIX_NONE:
			break;
		case PREFIX_PART:
			return from_start ? ELSEWHERE_TOO_SHORT : ELSEWHERE_NO_MAIL;
		case PREFIX_WHOLE:
			return ELSEWHERE_MAIL;
		}
	}
	return ELSEWHERE_NO_MAIL;
}

// A hello in one record, whole (RFC 8446 4 and 5.1).
static enum mail_elsewhere look_at_hello(
    const uint8_t *bytes, size_t length, enum protocol *protocol)
{
	struct view rest = view_of(bytes, length);
	view_take(&rest, 3);
	size_t record = view_u16(&rest);
	view_take(&rest, 1);
	size_t message = view_u24(&rest);
	if (!view_ok(&rest))
		return ELSEWHERE_TOO_SHORT;
	if (message + 4 > record)
		return ELSEWHERE_NO_MAIL;
	struct view body = view_split(&rest, message);
	if (!view_ok(&body))
		return ELSEWHERE_TOO_SHORT;
	struct tls_client_hello hello;
	tls_parse_client_hello(body, &hello);
	if (hello.malformed || hello.alpn.data == NULL)
		return ELSEWHERE_NO_MAIL;
	*protocol = protocol_of_alpn(hello.alpn.data, hello.alpn.length, PROTOCOL_TLS);
	return protocol_is_mail(*protocol) ? ELSEWHERE_MAIL_IN_TLS : ELSEWHERE_NO_MAIL;
}

// What a client says to a greeting that could be of this protocol.
static enum mail_elsewhere look_at_answer(
    const uint8_t *bytes, size_t length, enum protocol theirs, enum protocol *protocol)
{
	bool any_command = theirs != PROTOCOL_SMTP; // some of SMTP's are FTP's, too
	*protocol = theirs;
	switch (protocol_ops_of(theirs)->recognise(FROM_CLIENT, bytes, length, any_command, true)) {
	case RECOGNISED_YES:
		return ELSEWHERE_MAIL;
	case RECOGNISED_MAYBE:
		return ELSEWHERE_TOO_SHORT;
	case RECOGNISED_NO:
		break;
	}
	return ELSEWHERE_NO_MAIL;
}

static enum mail_elsewhere look_at_client(const uint8_t *bytes, size_t length, bool from_start,
    enum protocol theirs, enum protocol *protocol)
{
	enum { TLS_HANDSHAKE = 22 };
	if (protocol_is_mail(theirs))
		return look_at_answer(bytes, length, theirs, protocol);
	*protocol = PROTOCOL_SMTP;
	if (bytes[0] != TLS_HANDSHAKE)
		return greets(bytes, length, from_start);
	switch (tls_looks_like(FROM_CLIENT, bytes, length)) {
	case 0:
		return ELSEWHERE_NO_MAIL;
	case 1:
		return look_at_hello(bytes, length, protocol);
	default:
		return from_start ? ELSEWHERE_TOO_SHORT : ELSEWHERE_NO_MAIL;
	}
}

enum mail_elsewhere mail_elsewhere(enum direction from, const uint8_t *bytes, size_t length,
    bool from_start, enum protocol theirs, enum protocol *protocol)
{
	return from == FROM_CLIENT ? look_at_client(bytes, length, from_start, theirs, protocol)
	                           : look_at_server(bytes, length, from_start, protocol);
}

bool mail_elsewhere_possible(
    enum direction from, const uint8_t *bytes, size_t length, bool from_start)
{
	size_t header;
	enum protocol protocol;
	if (from == FROM_CLIENT && from_start &&
	    proxy_header_find(bytes, length, &header) != PROXY_HEADER_NONE)
		return true;
	return mail_elsewhere(from, bytes, length, from_start, PROTOCOL_UNDECIDED, &protocol) !=
	       ELSEWHERE_NO_MAIL;
}
