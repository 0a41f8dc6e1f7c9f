// SPDX-License-Identifier: Apache-2.0
#include "decode/mail_names.h"

#include <arpa/inet.h>
#include <libpsl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { NAME_LONGEST = 253 };

struct mail_names {
	psl_ctx_t *suffixes;
};

struct mail_names *mail_names_create(void)
{
	struct mail_names *names = calloc(1, sizeof *names);
	if (names == NULL)
		return NULL;
	names->suffixes = psl_latest(NULL);
	if (names->suffixes != NULL)
		return names;
	free(names);
	return NULL;
}

void mail_names_destroy(struct mail_names *names)
{
	if (names == NULL)
		return;
	psl_free(names->suffixes);
	free(names);
}

static struct view without_dot(struct view name)
{
	if (name.length > 0 && name.data[name.length - 1] == '.')
		name.length--;
	return name;
}

// Into text of `room`, in lower case. False: it is no name.
static bool name_text(struct view name, char text[NAME_LONGEST + 1])
{
	name = without_dot(name);
	if (name.length == 0 || name.length > NAME_LONGEST)
		return false;
	for (size_t i = 0; i < name.length; i++) {
		uint8_t c = name.data[i];
		if (c <= ' ' || c >= 0x7f)
			return false;
		text[i] = (char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
	}
	text[name.length] = '\0';
	return true;
}

enum seen mail_names_one_domain(const struct mail_names *names, struct view one, struct view other)
{
	char first[NAME_LONGEST + 1], second[NAME_LONGEST + 1];
	enum seen same = NOT_SEEN;
	if (name_text(one, first) && name_text(other, second)) {
		const char *domain = psl_registrable_domain(names->suffixes, first);
		const char *another = psl_registrable_domain(names->suffixes, second);
		if (domain != NULL && another != NULL)
			same = strcmp(domain, another) == 0 ? SEEN_YES : SEEN_NO;
	}
	// Whatever stood there: stacks are in core dumps.
	explicit_bzero(first, sizeof first);
	explicit_bzero(second, sizeof second);
	return same;
}

bool name_is(struct view name, struct view domain)
{
	name = without_dot(name);
	domain = without_dot(domain);
	return name.length == domain.length && name.length > 0 &&
	       strncasecmp((const char *)name.data, (const char *)domain.data, name.length) == 0;
}

bool name_is_beneath(struct view name, struct view domain)
{
	name = without_dot(name);
	domain = without_dot(domain);
	if (domain.length == 0 || name.length <= domain.length + 1)
		return false;
	size_t before = name.length - domain.length;
	return name.data[before - 1] == '.' &&
	       name_is(view_of(name.data + before, domain.length), domain);
}

static bool is_private_4(const uint8_t b[4])
{
	return b[0] == 10 || b[0] == 127 || (b[0] == 172 && (b[1] & 0xf0) == 16) ||
	       (b[0] == 192 && b[1] == 168) || (b[0] == 169 && b[1] == 254);
}

static bool is_private_6(const uint8_t b[16])
{
	static const uint8_t loopback[16] = {[15] = 1};
	return memcmp(b, loopback, sizeof loopback) == 0 || (b[0] & 0xfe) == 0xfc ||
	       (b[0] == 0xfe && (b[1] & 0xc0) == 0x80);
}

bool is_private_address(struct view text)
{
	static const char prefix[] = "IPv6:";
	char address[INET6_ADDRSTRLEN];
	uint8_t bytes[16];
	if (text.length > 0 && text.data[0] == '[')
		text = view_of(text.data + 1, text.length - 1);
	if (text.length > 0 && text.data[text.length - 1] == ']')
		text.length--;
	size_t marked = sizeof prefix - 1;
	if (text.length > marked && strncasecmp((const char *)text.data, prefix, marked) == 0)
		text = view_of(text.data + marked, text.length - marked);
	if (text.length == 0 || text.length >= sizeof address)
		return false;
	memcpy(address, text.data, text.length);
	address[text.length] = '\0';
	bool private = inet_pton(AF_INET, address, bytes) == 1
	                   ? is_private_4(bytes)
	                   : inet_pton(AF_INET6, address, bytes) == 1 && is_private_6(bytes);
	explicit_bzero(address, sizeof address); // a word of a header, whatever it is
	return private;
}
