// SPDX-License-Identifier: Apache-2.0
#include "analytics/spf_record.h"

#include <ctype.h>
#include <arpa/inet.h>
#include <string.h>
#include <strings.h>

static const char version[] = "v=spf1";

enum { VERSION_LENGTH = sizeof version - 1 };

bool spf_record_is(const uint8_t *text, size_t length)
{
	return length >= VERSION_LENGTH &&
	       strncasecmp((const char *)text, version, VERSION_LENGTH) == 0 &&
	       (length == VERSION_LENGTH || text[VERSION_LENGTH] == ' ');
}

// A part of the record.
struct span {
	const char *at;
	size_t length;
};

// What a mechanism wants behind its name (RFC 7208 12).
enum wants {
	WANTS_NOTHING,
	WANTS_DOMAIN, // :domain-spec
	MAY_DOMAIN, // [:domain-spec]
	MAY_DOMAIN_CIDR, // [:domain-spec] [/4] [//6]
	WANTS_IP4,
	WANTS_IP6,
};

static const struct mechanism {
	const char *name;
	enum wants wants;
	bool lookup;
} mechanisms[] = {
    {"all", WANTS_NOTHING, false},
    {"include", WANTS_DOMAIN, true},
    {"a", MAY_DOMAIN_CIDR, true},
    {"mx", MAY_DOMAIN_CIDR, true},
    {"ptr", MAY_DOMAIN, true},
    {"ip4", WANTS_IP4, false},
    {"ip6", WANTS_IP6, false},
    {"exists", WANTS_DOMAIN, true},
};

/* ---- parts of terms ---- */

static bool is_number(struct span text, unsigned most)
{
	unsigned value = 0;
	if (text.length == 0 || text.length > 3 || (text.length > 1 && text.at[0] == '0'))
		return false;
	for (size_t i = 0; i < text.length; i++) {
		if (!isdigit((unsigned char)text.at[i]))
			return false;
		value = value * 10 + (unsigned)(text.at[i] - '0');
	}
	return value <= most;
}

// The letters of macros (7.2): in names, and in values of which nothing is known. The three that are more are for the
// text of an explanation.
static const char name_letters[] = "slodiphv", all_letters[] = "slodiphvcrt";

// What stands behind "%{" (7.1): a letter, digits, "r", delimiters and "}". Returns its length, 0: it is none.
static size_t macro_length(struct span text, const char *letters)
{
	size_t at = 1;
	if (text.length == 0 || text.at[0] == '\0' ||
	    strchr(letters, tolower((unsigned char)text.at[0])) == NULL)
		return 0;
	while (at < text.length && isdigit((unsigned char)text.at[at]))
		at++;
	if (at < text.length && tolower((unsigned char)text.at[at]) == 'r')
		at++;
	while (at < text.length && text.at[at] != '\0' && strchr(".-+,/_=", text.at[at]) != NULL)
		at++;
	return at < text.length && text.at[at] == '}' ? at + 1 : 0;
}

// What stands behind "%" (7.1: macro-expand). Returns its length, 0: it is none.
static size_t expansion_length(struct span text, const char *letters)
{
	if (text.length == 0)
		return 0;
	if (text.at[0] == '%' || text.at[0] == '_' || text.at[0] == '-')
		return 1;
	size_t macro = text.at[0] == '{'
	                   ? macro_length((struct span){text.at + 1, text.length - 1}, letters)
	                   : 0;
	return macro > 0 ? macro + 1 : 0;
}

// *literal: where what stands behind its last macro begins.
static bool is_macro_string(struct span text, const char *letters, size_t *literal)
{
	*literal = 0;
	for (size_t i = 0; i < text.length; i++) {
		if (text.at[i] < 0x21 || text.at[i] > 0x7e)
			return false;
		if (text.at[i] != '%')
			continue;
		struct span rest = {text.at + i + 1, text.length - i - 1};
		size_t expansion = expansion_length(rest, letters);
		if (expansion == 0)
			return false;
		i += expansion;
		*literal = i + 1;
	}
	return true;
}

// It ends in a macro or in a label that is no number (12: domain-end, toplabel).
static bool is_domain(struct span text)
{
	size_t literal;
	if (text.length == 0 || !is_macro_string(text, name_letters, &literal))
		return false;
	if (literal == text.length)
		return true;
	text = (struct span){text.at + literal, text.length - literal};
	if (text.at[text.length - 1] == '.')
		text.length--;
	size_t at = text.length;
	bool number = true;
	while (at > 0 && text.at[at - 1] != '.') {
		char byte = text.at[--at];
		if (!isalnum((unsigned char)byte) && byte != '-')
			return false;
		number &= isdigit((unsigned char)byte) != 0;
	}
	bool label = at < text.length && text.at[at] != '-' && text.at[text.length - 1] != '-';
	return at > 0 && label && !number;
}

// Takes slashes and the number behind them off the end. False: they are there, and it is none of these. What has no
// number stays: a slash may be part of a name (7.1: macro-literal).
static bool take_length(struct span *text, const char *slashes, unsigned most)
{
	size_t at = text->length, size = strlen(slashes);
	while (at > 0 && isdigit((unsigned char)text->at[at - 1]))
		at--;
	struct span number = {text->at + at, text->length - at};
	if (number.length == 0 || at < size || memcmp(text->at + at - size, slashes, size) != 0)
		return true;
	text->length = at - size;
	return is_number(number, most);
}

// Takes "/24", "//64" or "/24//64" off the end. False: what stands there is no length.
static bool take_lengths(struct span *text)
{
	return take_length(text, "//", 128) && take_length(text, "/", 32);
}

static bool is_network(struct span text, int family)
{
	char address[INET6_ADDRSTRLEN];
	uint8_t bytes[16];
	const char *slash = memchr(text.at, '/', text.length);
	size_t length = slash != NULL ? (size_t)(slash - text.at) : text.length;
	if (slash != NULL && !is_number((struct span){slash + 1, text.length - length - 1},
	                         family == AF_INET ? 32 : 128))
		return false;
	if (length >= sizeof address)
		return false;
	memcpy(address, text.at, length);
	address[length] = '\0';
	return inet_pton(family, address, bytes) == 1;
}

// `text`: what stands behind the mechanism's name.
static bool fits(enum wants wants, struct span text)
{
	if (wants == MAY_DOMAIN_CIDR && !take_lengths(&text))
		return false;
	bool colon = text.length > 0 && text.at[0] == ':';
	struct span value = {text.at + colon, text.length - colon};
	switch (wants) {
	case WANTS_NOTHING:
		return text.length == 0;
	case WANTS_DOMAIN:
		return colon && is_domain(value);
	case MAY_DOMAIN:
	case MAY_DOMAIN_CIDR:
		return text.length == 0 || (colon && is_domain(value));
	case WANTS_IP4:
		return colon && is_network(value, AF_INET);
	case WANTS_IP6:
		return colon && is_network(value, AF_INET6);
	}
	return false;
}

/* ---- terms ---- */

static bool is_word(struct span text, const char *word)
{
	return text.length == strlen(word) && strncasecmp(text.at, word, text.length) == 0;
}

static size_t name_length(struct span term)
{
	size_t at = 0;
	while (at < term.length && (isalnum((unsigned char)term.at[at]) || term.at[at] == '-' ||
	                               term.at[at] == '_' || term.at[at] == '.'))
		at++;
	return at;
}

// What may stand once (6).
struct reading {
	struct spf_record record;
	bool explanation, redirect;
	struct span target; // of the latter
};

// The name of another record, that this one costs a look-up of.
static void note_other(struct spf_record *record, struct span name)
{
	if (record->others_count < SPF_OTHERS_MAX)
		record->others[record->others_count++] =
		    view_of((const uint8_t *)name.at, name.length);
}

static bool take_modifier(struct reading *reading, struct span term, size_t name)
{
	struct span word = {term.at, name}, value = {term.at + name + 1, term.length - name - 1};
	if (is_word(word, "redirect")) {
		bool first = !reading->redirect;
		reading->redirect = true;
		reading->target = value;
		return first && is_domain(value);
	}
	if (is_word(word, "exp")) {
		bool first = !reading->explanation;
		reading->explanation = true;
		return first && is_domain(value);
	}
	size_t literal;
	return name > 0 && isalpha((unsigned char)term.at[0]) &&
	       is_macro_string(value, all_letters, &literal);
}

static bool take_term(struct reading *reading, struct span term)
{
	size_t name = name_length(term);
	if (name < term.length && term.at[name] == '=')
		return take_modifier(reading, term, name);
	static const char qualifiers[] = {'+', '-', '~', '?'};
	bool qualified = memchr(qualifiers, term.at[0], sizeof qualifiers) != NULL;
	struct span rest = {term.at + qualified, term.length - qualified};
	name = name_length(rest);
	for (size_t i = 0; i < sizeof mechanisms / sizeof mechanisms[0]; i++) {
		const struct mechanism *mechanism = &mechanisms[i];
		if (!is_word((struct span){rest.at, name}, mechanism->name))
			continue;
		reading->record.lookups += mechanism->lookup && reading->record.all == '\0';
		struct span value = {rest.at + name, rest.length - name};
		if (is_word((struct span){rest.at, name}, "include") && value.length > 0 &&
		    reading->record.all == '\0')
			note_other(&reading->record, (struct span){value.at + 1, value.length - 1});
		if (mechanism->wants == WANTS_NOTHING && reading->record.all == '\0')
			reading->record.all = (char)(qualified ? term.at[0] : '+');
		return fits(mechanism->wants, value);
	}
	return false;
}

struct spf_record spf_record_read(const uint8_t *text, size_t length)
{
	struct reading reading = {.record = {.valid = spf_record_is(text, length)}};
	size_t at = VERSION_LENGTH;
	while (reading.record.valid && at < length) {
		if (text[at] == ' ') {
			at++;
			continue;
		}
		const uint8_t *space = memchr(text + at, ' ', length - at);
		size_t end = space != NULL ? (size_t)(space - text) : length;
		reading.record.valid =
		    take_term(&reading, (struct span){(const char *)text + at, end - at});
		at = end;
	}
	// Wherever it stands, it comes after all else, and not at all behind "all" (6.1).
	if (reading.redirect && reading.record.all == '\0') {
		reading.record.redirect = true;
		reading.record.lookups++;
		note_other(&reading.record, reading.target);
	}
	return reading.record;
}
