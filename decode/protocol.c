// SPDX-License-Identifier: Apache-2.0
#include "decode/protocol.h"

#include <string.h>

// The dialogue parsers: a new protocol is one file and one row.
static const struct protocol_ops *const protocols[] = {
    &smtp_protocol,
    &imap_protocol,
    &pop3_protocol,
};

enum { PROTOCOLS = sizeof protocols / sizeof protocols[0] };

const struct protocol_ops *protocol_ops_of(enum protocol protocol)
{
	for (size_t i = 0; i < PROTOCOLS; i++)
		if (protocols[i]->protocol == protocol)
			return protocols[i];
	return NULL;
}

struct opening {
	enum protocol protocol;
	const char *text;
};

// How what is not mail opens a connection.
static const struct opening openings[] = {
    {PROTOCOL_SSH, "SSH-"},
    {PROTOCOL_HTTP, "GET "},
    {PROTOCOL_HTTP, "POST "},
    {PROTOCOL_HTTP, "PUT "},
    {PROTOCOL_HTTP, "HEAD "},
    {PROTOCOL_HTTP, "OPTIONS "},
    {PROTOCOL_HTTP, "CONNECT "},
    {PROTOCOL_HTTP, "PRI * HTTP/2"},
    {PROTOCOL_HTTP, "HTTP/1."},
};

static enum recognised opening_matches(const char *text, const uint8_t *bytes, size_t length)
{
	size_t wanted = strlen(text);
	if (memcmp(bytes, text, length < wanted ? length : wanted) != 0)
		return RECOGNISED_NO;
	return length < wanted ? RECOGNISED_MAYBE : RECOGNISED_YES;
}

static enum protocol recognise_foreign(const uint8_t *bytes, size_t length, bool *maybe)
{
	for (size_t i = 0; i < sizeof openings / sizeof openings[0]; i++) {
		enum recognised answer = opening_matches(openings[i].text, bytes, length);
		if (answer == RECOGNISED_YES)
			return openings[i].protocol;
		*maybe |= answer == RECOGNISED_MAYBE;
	}
	return PROTOCOL_UNDECIDED;
}

enum protocol protocol_recognise(enum direction from, const uint8_t *bytes, size_t length,
    enum protocol expected, bool from_start)
{
	bool maybe = false;
	const struct protocol_ops *likely = protocol_ops_of(expected);
	enum recognised first = likely != NULL
	                            ? likely->recognise(from, bytes, length, true, from_start)
	                            : RECOGNISED_NO;
	if (first != RECOGNISED_NO)
		return first == RECOGNISED_YES ? expected : PROTOCOL_UNDECIDED;
	if (likely != NULL && !from_start)
		return PROTOCOL_UNKNOWN; // the rest of a line can look like anything
	for (size_t i = 0; i < PROTOCOLS; i++) {
		if (protocols[i] == likely)
			continue;
		enum recognised answer =
		    protocols[i]->recognise(from, bytes, length, false, from_start);
		if (answer == RECOGNISED_YES)
			return protocols[i]->protocol;
		maybe |= answer == RECOGNISED_MAYBE;
	}
	enum protocol foreign = recognise_foreign(bytes, length, &maybe);
	if (foreign != PROTOCOL_UNDECIDED)
		return foreign;
	return maybe ? PROTOCOL_UNDECIDED : PROTOCOL_UNKNOWN;
}
