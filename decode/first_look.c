// SPDX-License-Identifier: Apache-2.0
#include "decode/first_look.h"

#include <string.h>

int tls_looks_like_record(const uint8_t *bytes, size_t length)
{
	enum { HEADER = 5, RECORD_MAX = (1 << 14) + 2048, FIRST_TYPE = 20, LAST_TYPE = 23 };
	if (bytes[0] < FIRST_TYPE || bytes[0] > LAST_TYPE || (length > 1 && bytes[1] != 3) ||
	    (length > 2 && bytes[2] > 4))
		return 0;
	if (length < HEADER)
		return -1;
	size_t record = (size_t)(bytes[3] << 8 | bytes[4]);
	if (record == 0 || record > RECORD_MAX)
		return 0;
	if (length < HEADER + record + 2)
		return 1;
	const uint8_t *next = bytes + HEADER + record;
	return next[0] >= FIRST_TYPE && next[0] <= LAST_TYPE && next[1] == 3;
}

enum protocol protocol_of_alpn(const uint8_t *alpn, size_t length, enum protocol otherwise)
{
	static const struct {
		const char *name;
		enum protocol protocol;
	} names[] = {{"http/1.1", PROTOCOL_HTTP}, {"http/1.0", PROTOCOL_HTTP},
	    {"h2", PROTOCOL_HTTP}, {"imap", PROTOCOL_IMAP}, {"pop3", PROTOCOL_POP3},
	    {"smtp", PROTOCOL_SMTP}};
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (length == strlen(names[i].name) && memcmp(alpn, names[i].name, length) == 0)
			return names[i].protocol;
	return otherwise;
}
