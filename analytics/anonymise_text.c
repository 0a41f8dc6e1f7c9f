// SPDX-License-Identifier: Apache-2.0
#include "analytics/anonymise_text.h"

#include "analytics/community_id.h"
#include "capture/base/ascii.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

enum { GROUPS = 8, GROUP_DIGITS = 4, PARTS = 4, PART_DIGITS = 3 };

/* ---- finding ---- */

static bool is_hex(uint8_t c)
{
	uint8_t letter = c | 0x20;
	return is_digit(c) || (letter >= 'a' && letter <= 'f');
}

static bool is_letter_or_digit(uint8_t c)
{
	uint8_t letter = c | 0x20;
	return is_digit(c) || (letter >= 'a' && letter <= 'z');
}

struct found {
	size_t length; // bytes of text
	char separator; // ':' of IPv6
	struct ip_address address;
};

// The same one each time; the first says which.
static bool take_separator(const uint8_t *text, size_t length, size_t *at, struct found *found)
{
	if (*at == length || (text[*at] != '.' && text[*at] != '-') ||
	    (found->separator != 0 && text[*at] != (uint8_t)found->separator))
		return false;
	found->separator = (char)text[(*at)++];
	return true;
}

// Four numbers with the same separator between them, at the start of the text.
static bool read_quad(const uint8_t *text, size_t length, struct found *found)
{
	size_t at = 0;
	*found = (struct found){.address = {{[10] = 0xff, [11] = 0xff}}};
	for (size_t part = 0; part < PARTS; part++) {
		unsigned value = 0;
		size_t digits = 0;
		if (part > 0 && !take_separator(text, length, &at, found))
			return false;
		for (; at < length && digits < PART_DIGITS && is_digit(text[at]); digits++)
			value = value * 10 + (text[at++] - '0');
		if (digits == 0 || value > 255)
			return false;
		found->address.bytes[sizeof found->address.bytes - PARTS + part] = (uint8_t)value;
	}
	found->length = at;
	return at == length || !is_digit(text[at]);
}

static size_t count_hex(const uint8_t *text, size_t length)
{
	size_t count = 0;
	while (count <= GROUP_DIGITS && count < length && is_hex(text[count]))
		count++;
	return count;
}

static bool is_gap(const uint8_t *text, size_t length)
{
	return length >= 2 && text[0] == ':' && text[1] == ':';
}

// The longest IPv6 address at the start of the text: *end is where it ends, 0 if there is none. Returns how many
// groups are written out.
static size_t measure_groups(const uint8_t *text, size_t length, size_t *end)
{
	struct found quad;
	size_t at = 0, groups = 0;
	bool gap = is_gap(text, length);
	at += gap ? 2 : 0;
	*end = 0;
	while (groups < (size_t)GROUPS - gap) {
		size_t digits = count_hex(text + at, length - at);
		if (digits == 0 || digits > GROUP_DIGITS)
			break;
		bool is_quad = groups + 2 <= (size_t)GROUPS - gap &&
		               (gap || groups + 2 == GROUPS) &&
		               read_quad(text + at, length - at, &quad) && quad.separator == '.';
		groups += is_quad ? 2 : 1;
		at += is_quad ? quad.length : digits;
		if (gap || groups == GROUPS)
			*end = at;
		if (is_quad || groups == GROUPS || at >= length || text[at] != ':')
			break;
		if (!gap && is_gap(text + at, length - at)) {
			gap = true;
			at++;
			*end = at + 1;
		}
		at++;
	}
	return groups;
}

static bool read_groups(const uint8_t *text, size_t length, struct found *found)
{
	char terminated[INET6_ADDRSTRLEN + 1] = "";
	measure_groups(text, length, &found->length);
	if (found->length == 0 || found->length >= sizeof terminated)
		return false;
	memcpy(terminated, text, found->length);
	found->separator = ':';
	return inet_pton(AF_INET6, terminated, found->address.bytes) == 1;
}

// The tag of an address literal of SMTP (RFC 5321 4.1.3) is no part of the address.
static bool is_tag(const uint8_t *text, size_t length, size_t at)
{
	return at >= 3 && at + 1 < length && text[at] == '6' && text[at + 1] == ':' &&
	       (text[at - 3] | 0x20) == 'i' && (text[at - 2] | 0x20) == 'p' &&
	       (text[at - 1] | 0x20) == 'v';
}

// Two colons stand in much that is no address, as in the names of C++: unless three groups are written out, it
// has to stand alone.
static bool stands_alone(const uint8_t *text, size_t length, size_t from, size_t until)
{
	return (from == 0 || !is_letter_or_digit(text[from - 1])) &&
	       (until == length || !is_letter_or_digit(text[until]));
}

static bool find_groups(const uint8_t *text, size_t length, size_t at, struct found *found)
{
	bool begins = is_hex(text[at]) ? !is_tag(text, length, at)
	                               : is_gap(text + at, length - at) && at + 2 < length;
	size_t end;
	if (!begins || (at > 0 && is_hex(text[at - 1])))
		return false;
	size_t groups = measure_groups(text + at, length - at, &end);
	return groups > 0 && end > 0 && (groups >= 3 || stands_alone(text, length, at, at + end)) &&
	       read_groups(text + at, length - at, found);
}

// An address that begins at this place.
static bool find_at(const uint8_t *text, size_t length, size_t at, struct found *found)
{
	*found = (struct found){0};
	if (find_groups(text, length, at, found))
		return true;
	return is_digit(text[at]) && (at == 0 || !is_digit(text[at - 1])) &&
	       read_quad(text + at, length - at, found);
}

bool text_has_address(const uint8_t *text, size_t length)
{
	struct found found;
	for (size_t at = 0; at < length; at++)
		if (find_at(text, length, at, &found))
			return true;
	return false;
}

/* ---- replacing ---- */

static size_t write_address(uint8_t *out, const struct ip_address *address, char separator)
{
	char text[INET6_ADDRSTRLEN];
	bool v4 = ip_address_is_v4(address);
	inet_ntop(v4 ? AF_INET : AF_INET6, address->bytes + (v4 ? 12 : 0), text, sizeof text);
	size_t length = strlen(text);
	for (size_t i = 0; i < length; i++)
		out[i] = (uint8_t)(text[i] == '.' && separator == '-' ? '-' : text[i]);
	return length;
}

size_t anonymise_text(
    struct anonymiser *anonymiser, const uint8_t *text, size_t length, uint8_t *out)
{
	static const struct ip_address v4 = {{[10] = 0xff, [11] = 0xff}}, v6;
	struct found found;
	size_t written = 0, addresses = 0;
	for (size_t at = 0; at < length;) {
		if (!find_at(text, length, at, &found)) {
			out[written++] = text[at++];
			continue;
		}
		struct ip_address other = found.separator == ':' ? v6 : v4;
		if (addresses++ < ANONYMISE_TEXT_ADDRESSES)
			other = anonymise_address(anonymiser, &found.address);
		written += write_address(out + written, &other, found.separator);
		at += found.length;
	}
	return written;
}
