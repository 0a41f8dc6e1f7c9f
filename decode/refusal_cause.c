// SPDX-License-Identifier: Apache-2.0
#include "decode/refusal_cause.h"

#include "capture/base/ascii.h"

#include <strings.h>

enum { TEXT_BEGINS = 4 }; // behind "550 "

// Bytes of 1*3DIGIT from here on; 0: there are none, or more.
static size_t digits_at(const struct line *line, size_t at)
{
	size_t count = 0;
	while (at + count < line->length && is_digit(line->bytes[at + count]))
		count++;
	return count <= 3 ? count : 0;
}

void refusal_status(const struct line *line, char status[REFUSAL_STATUS_SIZE])
{
	size_t at = TEXT_BEGINS;
	status[0] = '\0';
	for (int part = 0; part < 3; part++) {
		size_t digits = digits_at(line, at);
		if (digits == 0 || (part == 0 && digits != 1))
			return;
		at += digits;
		if (part < 2 && (at >= line->length || line->bytes[at++] != '.'))
			return;
	}
	if (at < line->length && line->bytes[at] != ' ')
		return;
	memcpy(status, line->bytes + TEXT_BEGINS, at - TEXT_BEGINS);
	status[at - TEXT_BEGINS] = '\0';
}

// Of X.7.20 to X.7.29, those that are about a sender's authentication.
static unsigned causes_of_status(const char *status)
{
	static const struct {
		const char *detail;
		unsigned causes;
	} known[] = {
	    {".7.20", CAUSE_DKIM},
	    {".7.21", CAUSE_DKIM},
	    {".7.22", CAUSE_DKIM},
	    {".7.23", CAUSE_SPF},
	    {".7.24", CAUSE_SPF},
	    {".7.26", CAUSE_AUTHENTICATION},
	    {".7.29", CAUSE_ARC},
	};
	for (size_t i = 0; status[0] != '\0' && i < sizeof known / sizeof known[0]; i++)
		if (strcmp(status + 1, known[i].detail) == 0)
			return known[i].causes;
	return 0;
}

static bool is_in_word(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_digit(c) || c == '-' ||
	       c == '_' || c == '@' || c == '/' || c >= 0x80;
}

// A dot or a colon is of a word (a name, a link) if the word goes on behind it.
static bool goes_on(const struct line *line, size_t at)
{
	if (at >= line->length)
		return false;
	uint8_t c = line->bytes[at];
	if (c == '.' || c == ':')
		return at + 1 < line->length && is_in_word(line->bytes[at + 1]);
	return is_in_word(c);
}

// Something that ends with what may be a beginning: "x.spf", "<spf" of an address, "=spf".
static bool comes_behind(const struct line *line, size_t at)
{
	uint8_t before = line->bytes[at - 1];
	return is_in_word(before) || before == '.';
}

static size_t skip_blanks(const struct line *line, size_t at)
{
	while (at < line->length && is_blank(line->bytes[at]))
		at++;
	return at;
}

// "SPF=pass", "DKIM: pass", "SPF passed": it is told of, but not what is wrong.
static bool passes(const struct line *line, size_t at)
{
	static const char pass[] = "pass";
	at = skip_blanks(line, at);
	if (at < line->length && (line->bytes[at] == '=' || line->bytes[at] == ':'))
		at = skip_blanks(line, at + 1);
	return line->length - at >= sizeof pass - 1 &&
	       strncasecmp((const char *)line->bytes + at, pass, sizeof pass - 1) == 0;
}

// A word that is one of every-day language counts in capital letters alone.
static bool is_at(const struct line *line, size_t at, const char *word, bool capitals)
{
	const char *text = (const char *)line->bytes + at;
	return capitals ? strncmp(text, word, strlen(word)) == 0
	                : strncasecmp(text, word, strlen(word)) == 0;
}

static bool names(const struct line *line, const char *word, bool capitals)
{
	size_t length = strlen(word);
	for (size_t at = TEXT_BEGINS; at + length <= line->length; at++)
		if (is_at(line, at, word, capitals) && !comes_behind(line, at) &&
		    !goes_on(line, at + length) && !passes(line, at + length))
			return true;
	return false;
}

unsigned refusal_causes(const struct line *line)
{
	static const struct {
		const char *word;
		unsigned cause;
		bool capitals;
	} words[] = {
	    {"SPF", CAUSE_SPF, false},
	    {"Sender Policy Framework", CAUSE_SPF, false},
	    {"DKIM", CAUSE_DKIM, false},
	    {"DomainKeys Identified Mail", CAUSE_DKIM, false},
	    {"DMARC", CAUSE_DMARC, false},
	    {"ARC", CAUSE_ARC, true},
	};
	char status[REFUSAL_STATUS_SIZE];
	refusal_status(line, status);
	unsigned causes = causes_of_status(status);
	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
		if (names(line, words[i].word, words[i].capitals))
			causes |= words[i].cause;
	return causes;
}
