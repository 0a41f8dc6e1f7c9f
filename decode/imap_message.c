// SPDX-License-Identifier: Apache-2.0
#include "decode/imap_message.h"

#include "decode/access_message.h"

/* ---- words of a line ---- */

enum token_kind {
	TOKEN_NONE, // the line is over
	TOKEN_ATOM, // with what stands in brackets behind it, blanks included
	TOKEN_QUOTED, // without its quotes
	TOKEN_OPEN,
	TOKEN_CLOSE,
};

struct token {
	enum token_kind kind;
	struct view text;
};

// Up to the quote that ends it, which *position is moved behind.
static struct view quoted(const struct line *line, size_t *position)
{
	size_t at = *position, start = at;
	while (at < line->length && line->bytes[at] != '"')
		at += line->bytes[at] == '\\' ? 2 : 1;
	if (at > line->length)
		at = line->length;
	*position = at < line->length ? at + 1 : at;
	return view_of(line->bytes + start, at - start);
}

static bool ends_atom(uint8_t c)
{
	return c == ' ' || c == '(' || c == ')' || c == '"';
}

static struct view atom(const struct line *line, size_t *position)
{
	size_t at = *position, start = at;
	bool in_brackets = false;
	while (at < line->length && (in_brackets || !ends_atom(line->bytes[at]))) {
		in_brackets = line->bytes[at] == '[' || (in_brackets && line->bytes[at] != ']');
		at++;
	}
	*position = at;
	return view_of(line->bytes + start, at - start);
}

// RFC 3501 9, as far as it is needed to tell what stands in front of a string.
static struct token next_token(const struct line *line, size_t *position)
{
	struct token token = {TOKEN_NONE, view_of(NULL, 0)};
	while (*position < line->length && line->bytes[*position] == ' ')
		++*position;
	if (*position == line->length)
		return token;
	switch (line->bytes[*position]) {
	case '(':
		token.kind = TOKEN_OPEN;
		++*position;
		break;
	case ')':
		token.kind = TOKEN_CLOSE;
		++*position;
		break;
	case '"':
		++*position;
		token.kind = TOKEN_QUOTED;
		token.text = quoted(line, position);
		break;
	default:
		token.kind = TOKEN_ATOM;
		token.text = atom(line, position);
	}
	return token;
}

static bool is_word(struct token token, const char *word)
{
	return token.kind == TOKEN_ATOM &&
	       bytes_equal_keyword(token.text.data, token.text.length, word);
}

// What a line ends with that announces a literal.
static bool is_literal(struct token token)
{
	const uint8_t *text = token.text.data;
	size_t length = token.text.length;
	return token.kind == TOKEN_ATOM && length >= 3 && text[length - 1] == '}' &&
	       (text[0] == '{' || (text[0] == '~' && text[1] == '{'));
}

/* ---- messages of both directions ---- */

static void begin(
    struct imap *imap, struct session *session, enum direction from, enum message_part part)
{
	imap->messages[from] = access_message_begin(
	    session, &imap->message_number, from == FROM_CLIENT ? BY_APPEND : BY_FETCH, part);
}

static void expect(struct imap *imap, enum direction from, uint64_t octets)
{
	if (imap->messages[from] != NULL)
		access_message_expect(imap->messages[from], octets);
}

void imap_message_stop(struct imap *imap, struct session *session, enum direction from)
{
	access_message_end(session, &imap->messages[from], false);
	if (from == FROM_CLIENT) {
		imap->append = APPEND_NOTHING;
		imap->append_literal = false;
	}
}

void imap_message_octets(struct imap *imap, struct session *session, enum direction from,
    const uint8_t *bytes, uint64_t length)
{
	struct access_message *message = imap->messages[from];
	bool in_pieces = from == FROM_CLIENT && imap->append == APPEND_PIECES;
	if (message != NULL && access_message_take_expected(message, bytes, length) && !in_pieces)
		access_message_end(session, &imap->messages[from], true);
}

/* ---- FETCH ---- */

// Whether an item is a message from its beginning, and what of it. "<0>": only so much was asked for, and what
// begins elsewhere has no header.
static bool item_is_message(struct token token, enum message_part *part)
{
	static const struct {
		const char *name;
		enum message_part part;
	} items[] = {
	    {"BODY[]", PART_WHOLE},
	    {"RFC822", PART_WHOLE},
	    {"BODY[HEADER]", PART_HEADER},
	    {"RFC822.HEADER", PART_HEADER},
	    {"BINARY[]", PART_DECODED},
	};
	struct view name = token.text;
	bool partial = name.length > 3 && name.data[name.length - 1] == '>';
	if (token.kind != TOKEN_ATOM)
		return false;
	if (partial) {
		if (memcmp(name.data + name.length - 3, "<0>", 3) != 0)
			return false;
		name.length -= 3;
	}
	for (size_t i = 0; i < sizeof items / sizeof items[0]; i++) {
		if (!bytes_equal_keyword(name.data, name.length, items[i].name))
			continue;
		*part = partial && items[i].part == PART_WHOLE ? PART_BEGINNING : items[i].part;
		return true;
	}
	return false;
}

static void fetch_quoted(
    struct imap *imap, struct session *session, struct view text, enum message_part part)
{
	begin(imap, session, FROM_SERVER, part);
	for (size_t at = 0; at < text.length && imap->messages[FROM_SERVER] != NULL; at++) {
		at += text.data[at] == '\\' && at + 1 < text.length;
		access_message_take(imap->messages[FROM_SERVER], text.data + at, 1);
	}
	access_message_end(session, &imap->messages[FROM_SERVER], true);
}

void imap_message_fetch_line(struct imap *imap, struct session *session, const struct line *line,
    const struct imap_literal *literal)
{
	enum message_part part = PART_WHOLE;
	struct token token;
	bool is_message = false;
	size_t position = 0;
	access_message_end(session, &imap->messages[FROM_SERVER], false);
	while ((token = next_token(line, &position)).kind != TOKEN_NONE) {
		bool last = position == line->length;
		if (is_message && token.kind == TOKEN_QUOTED && token.text.length > 0 && !last)
			fetch_quoted(imap, session, token.text, part);
		if (is_message && last && literal != NULL && literal->size > 0 &&
		    is_literal(token)) {
			begin(imap, session, FROM_SERVER, part);
			expect(imap, FROM_SERVER, literal->size);
			return;
		}
		is_message = item_is_message(token, &part);
	}
}

/* ---- APPEND ---- */

// A word of CATENATE's list: TEXT and a literal are a piece of the message, URL and a string are one that stands
// elsewhere.
static void piece(struct imap *imap, struct session *session, struct token token)
{
	if (token.kind == TOKEN_CLOSE) {
		access_message_end(session, &imap->messages[FROM_CLIENT], true);
		imap->append = APPEND_ARGUMENTS;
	} else if (is_word(token, "URL")) {
		struct access_message *message = imap->messages[FROM_CLIENT];
		imap->append = message != NULL ? APPEND_URL : APPEND_ELSEWHERE;
		if (message != NULL) {
			access_message_take(message, NULL, 0);
			access_message_is(message, PART_BEGINNING);
		}
	} else if (is_word(token, "TEXT")) {
		imap->append = APPEND_PIECES;
	}
	imap->append_literal = imap->append == APPEND_PIECES && is_literal(token);
}

static void argument(struct imap *imap, struct session *session, struct token token)
{
	imap->append_literal = false;
	switch ((enum append_stage)imap->append) {
	case APPEND_NOTHING:
		break;
	case APPEND_MAILBOX:
		imap->append = APPEND_ARGUMENTS;
		break;
	case APPEND_ARGUMENTS:
		imap->append_literal = is_literal(token);
		if (is_word(token, "CATENATE"))
			imap->append = APPEND_PIECES;
		break;
	case APPEND_PIECES:
	case APPEND_URL:
		piece(imap, session, token);
		break;
	case APPEND_ELSEWHERE:
		if (token.kind == TOKEN_CLOSE)
			imap->append = APPEND_ARGUMENTS;
		break;
	}
}

void imap_message_append_line(struct imap *imap, struct session *session, const struct line *line,
    size_t position, bool is_first)
{
	struct token token;
	if (is_first) {
		imap_message_stop(imap, session, FROM_CLIENT);
		imap->append = APPEND_MAILBOX;
	}
	imap->append_literal = false;
	while ((token = next_token(line, &position)).kind != TOKEN_NONE)
		argument(imap, session, token);
}

void imap_message_append_literal(struct imap *imap, struct session *session, uint64_t size)
{
	if (!imap->append_literal || size == 0)
		return;
	imap->append_literal = false;
	if (imap->messages[FROM_CLIENT] == NULL)
		begin(imap, session, FROM_CLIENT, PART_WHOLE);
	expect(imap, FROM_CLIENT, size);
}
