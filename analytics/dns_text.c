// SPDX-License-Identifier: Apache-2.0
#include "analytics/dns_text.h"

#include <ctype.h>

static size_t put_byte(char *text, uint8_t byte)
{
	if (isalnum(byte) || byte == '-' || byte == '_') {
		text[0] = (char)byte;
		return 1;
	}
	text[0] = '\\';
	text[1] = (char)('0' + byte / 100);
	text[2] = (char)('0' + byte / 10 % 10);
	text[3] = (char)('0' + byte % 10);
	return 4;
}

size_t dns_labels_text(const uint8_t *labels, size_t length, char text[DNS_TEXT_MAX])
{
	size_t written = 0;
	if (length > DNS_NAME_MAX)
		length = DNS_NAME_MAX;
	for (size_t at = 0; at < length && labels[at] != 0;) {
		size_t end = at + 1 + labels[at];
		if (written > 0)
			text[written++] = '.';
		for (at++; at < end && at < length; at++)
			written += put_byte(text + written, labels[at]);
	}
	if (written == 0)
		text[written++] = '.';
	text[written] = '\0';
	return written;
}
