// SPDX-License-Identifier: Apache-2.0
#include "decode/message_fields.h"

#include "capture/base/ascii.h"
#include "decode/field_scanner.h"

#include <string.h>
#include <strings.h>

// A host's name with a dot in it, and nothing that a name has not.
static bool is_host_name(struct view word)
{
	bool dot = false, letter = false;
	for (size_t i = 0; i < word.length; i++) {
		uint8_t c = word.data[i];
		if (!is_letter(c) && !is_digit(c) && c != '-' && c != '.' && c != '_')
			return false;
		dot |= c == '.';
		letter |= is_letter(c);
	}
	return dot && letter && word.length <= MESSAGE_NAME_MAX;
}

/* ---- Received ---- */

// Where a word begins that the text has, in whatever case; behind it when it is there. 0: nowhere.
static size_t find_behind(struct view text, const char *word)
{
	size_t length = strlen(word);
	for (size_t i = 0; i + length <= text.length; i++)
		if (strncasecmp((const char *)text.data + i, word, length) == 0)
			return i + length;
	return 0;
}

// The version behind "TLS" or "SSL": "v1.3", "1_2", ":TLSv1.2" in the forms that servers write. HOP_TLS_NOT_SAID: the
// letters are part of something else.
static enum hop_tls version_at(struct view rest, bool is_ssl)
{
	static const enum hop_tls versions[] = {HOP_TLS_1_0, HOP_TLS_1_1, HOP_TLS_1_2, HOP_TLS_1_3};
	size_t at = 0;
	if (rest.length == 0)
		return is_ssl ? HOP_SSL : HOP_TLS_UNNAMED;
	if (rest.data[0] == '.' || rest.data[0] == '-' || rest.data[0] == '@')
		return HOP_TLS_NOT_SAID;
	if (rest.length > 1 && (rest.data[0] == 'v' || rest.data[0] == 'V'))
		at = 1;
	if (is_letter(rest.data[at]))
		return HOP_TLS_NOT_SAID;
	if (is_ssl)
		return HOP_SSL;
	if (rest.data[at] != '1')
		return HOP_TLS_UNNAMED;
	bool minor = rest.length > at + 2 &&
	             (rest.data[at + 1] == '.' || rest.data[at + 1] == '_') &&
	             rest.data[at + 2] >= '0' && rest.data[at + 2] <= '3';
	if (minor)
		return versions[rest.data[at + 2] - '0'];
	bool in_name = rest.length > at + 1 &&
	               (rest.data[at + 1] == '.' || rest.data[at + 1] == '-' ||
	                   is_letter(rest.data[at + 1]) || is_digit(rest.data[at + 1]));
	return in_name ? HOP_TLS_NOT_SAID : HOP_TLS_1_0;
}

static bool begins_word(struct view text, size_t at)
{
	if (at == 0)
		return true;
	uint8_t before = text.data[at - 1];
	return !is_letter(before) && !is_digit(before) && before != '.' && before != '-' &&
	       before != '_' && before != '@' && before != '<';
}

static bool names_cipher(struct view comment)
{
	static const char *const signs[] = {
	    "cipher", "TLS_", "bits", "-SHA", "AES", "CHACHA20", "RC4", "DES-"};
	for (size_t i = 0; i < sizeof signs / sizeof signs[0]; i++)
		if (find_behind(comment, signs[i]) > 0)
			return true;
	return false;
}

static bool begins_with(struct view text, const char *word)
{
	size_t length = strlen(word);
	return text.length >= length && strncasecmp((const char *)text.data, word, length) == 0;
}

// Comments with addresses, or with what a client said: names, which may be anything.
static bool is_of_client(struct view comment)
{
	static const char *const words[] = {"HELO", "EHLO", "LHLO", "authenticated"};
	while (comment.length > 0 && is_space(comment.data[0]))
		comment = view_of(comment.data + 1, comment.length - 1);
	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
		if (begins_with(comment, words[i]))
			return true;
	return comment.length > 0 && memchr(comment.data, '[', comment.length) != NULL;
}

static bool is_denied(struct view before)
{
	static const char *const words[] = {"no ", "not using ", "without "};
	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
		size_t length = strlen(words[i]);
		if (before.length >= length &&
		    begins_with(view_of(before.data + before.length - length, length), words[i]))
			return true;
	}
	return false;
}

// What a comment says of TLS; a version goes before the bare word, and that before "(AES256-SHA encrypted)" of qmail.
static void read_comment(struct view comment, struct received_hop *hop)
{
	enum { WORD = 3 };
	bool said = false;
	if (is_of_client(comment))
		return;
	if (hop->tls == HOP_TLS_NOT_SAID && find_behind(comment, "encrypted") == comment.length &&
	    names_cipher(comment))
		*hop = (struct received_hop){hop->protocol, HOP_TLS_UNNAMED, true, hop->internal};
	for (size_t i = 0; i + WORD <= comment.length; i++) {
		const char *word = (const char *)comment.data + i;
		bool is_ssl = strncasecmp(word, "SSL", WORD) == 0;
		if ((!is_ssl && strncasecmp(word, "TLS", WORD) != 0) || !begins_word(comment, i) ||
		    is_denied(view_of(comment.data, i)))
			continue;
		enum hop_tls tls =
		    version_at(view_of(comment.data + i + WORD, comment.length - i - WORD), is_ssl);
		if (tls == HOP_TLS_NOT_SAID)
			continue;
		said = true;
		if (hop->tls == HOP_TLS_NOT_SAID || hop->tls == HOP_TLS_UNNAMED)
			hop->tls = (uint8_t)tls;
	}
	if (said) // and not for each of the words: there may be thousands
		hop->cipher |= names_cipher(comment);
}

static enum hop_protocol protocol_of(struct view word)
{
	for (int i = HOP_NOT_SAID + 1; i < HOP_OTHER; i++)
		if (field_word_is(word, hop_protocol_name((enum hop_protocol)i)))
			return (enum hop_protocol)i;
	return HOP_OTHER;
}

// The protocol, with TLS behind a slash where IronPort has it: "ESMTP/TLS/AES256-SHA".
static void read_protocol(struct view word, struct received_hop *hop)
{
	size_t behind = find_behind(word, "/TLS");
	enum hop_protocol protocol =
	    protocol_of(behind > 0 ? view_of(word.data, behind - strlen("/TLS")) : word);
	hop->protocol = (uint8_t)protocol;
	if (behind > 0 && protocol != HOP_OTHER)
		read_comment(view_of(word.data + behind - strlen("TLS"),
		                 word.length - behind + strlen("TLS")),
		    hop);
}

// The host that a connection came from: as it called itself, and as the comment behind has it, which the server looked
// up.
struct origin {
	struct view name, verified;
	bool is_private;
};

static void read_origin_comment(struct view comment, struct origin *origin)
{
	for (size_t i = 0; i < comment.length;) {
		while (i < comment.length && is_space(comment.data[i]))
			i++;
		size_t start = i;
		while (i < comment.length && !is_space(comment.data[i]))
			i++;
		struct view word = view_of(comment.data + start, i - start);
		origin->is_private |= is_private_address(word);
		if (origin->verified.length == 0 && is_host_name(word))
			origin->verified = word;
	}
}

static enum seen is_internal(
    const struct mail_names *names, const struct origin *origin, struct view by)
{
	struct view from = origin->verified.length > 0 ? origin->verified : origin->name;
	if (origin->is_private || is_private_address(origin->name) ||
	    field_word_is(origin->name, "localhost"))
		return SEEN_YES;
	return is_host_name(from) && is_host_name(by) ? mail_names_one_domain(names, from, by)
	                                              : NOT_SEEN;
}

enum clause { CLAUSE_OTHER, CLAUSE_FROM, CLAUSE_BY, CLAUSE_WITH };

static enum clause clause_of(struct view word)
{
	if (field_word_is(word, "from"))
		return CLAUSE_FROM;
	if (field_word_is(word, "by"))
		return CLAUSE_BY;
	return field_word_is(word, "with") ? CLAUSE_WITH : CLAUSE_OTHER;
}

struct received_hop read_received(const struct mail_names *names, struct view value)
{
	struct received_hop hop = {.protocol = HOP_NOT_SAID};
	struct origin origin = {.is_private = false};
	struct view token, by = view_of(NULL, 0);
	enum clause clause = CLAUSE_OTHER; // that the next word is of
	bool behind_origin = false;
	enum field_token kind;
	while ((kind = field_next(&value, &token)) == FIELD_WORD || kind == FIELD_COMMENT) {
		if (kind == FIELD_COMMENT) {
			read_comment(token, &hop);
			if (behind_origin)
				read_origin_comment(token, &origin);
			behind_origin = false; // further ones are not of who it is
			continue;
		}
		enum clause begun = clause_of(token);
		behind_origin = clause == CLAUSE_FROM;
		if (clause == CLAUSE_FROM && origin.name.length == 0)
			origin.name = token;
		else if (clause == CLAUSE_BY && by.length == 0)
			by = token;
		else if (clause == CLAUSE_WITH && hop.protocol == HOP_NOT_SAID)
			read_protocol(token, &hop);
		clause = clause == CLAUSE_OTHER ? begun : CLAUSE_OTHER;
	}
	hop.internal = (uint8_t)is_internal(names, &origin, by);
	return hop;
}

/* ---- Authentication-Results ---- */

static enum result_method method_of(struct view word)
{
	for (int i = METHOD_OTHER + 1; i < RESULT_METHODS; i++)
		if (field_word_is(word, result_method_name((enum result_method)i)))
			return (enum result_method)i;
	return METHOD_OTHER;
}

// "hardfail" is what older servers wrote for fail.
static enum result_outcome outcome_of(struct view word)
{
	for (int i = OUTCOME_OTHER + 1; i < RESULT_OUTCOMES; i++)
		if (field_word_is(word, result_outcome_name((enum result_outcome)i)))
			return (enum result_outcome)i;
	return field_word_is(word, "hardfail") ? OUTCOME_FAIL : OUTCOME_OTHER;
}

// The first word with "=" of a part, which may have spaces around it: method[/version]=outcome.
struct outcome_words {
	struct view method, outcome;
	bool equals;
};

static void take_word(struct outcome_words *words, struct view word)
{
	if (words->equals) {
		if (words->outcome.length == 0)
			words->outcome = word;
		return;
	}
	const uint8_t *equals = memchr(word.data, '=', word.length);
	size_t before = equals != NULL ? (size_t)(equals - word.data) : word.length;
	if (before > 0 && words->method.length == 0)
		words->method = view_of(word.data, before);
	words->equals = equals != NULL;
	if (equals != NULL)
		words->outcome = view_of(equals + 1, word.length - before - 1);
}

static void take_part(struct message_facts *facts, struct outcome_words *words)
{
	const uint8_t *slash =
	    words->method.length > 0 ? memchr(words->method.data, '/', words->method.length) : NULL;
	if (slash != NULL)
		words->method.length = (size_t)(slash - words->method.data);
	bool found = words->equals && words->method.length > 0 && words->outcome.length > 0;
	if (found && facts->result_count < RESULTS_MAX)
		facts->results[facts->result_count++] = (struct authentication_result){
		    (uint8_t)method_of(words->method), (uint8_t)outcome_of(words->outcome)};
	else if (found)
		facts->results_left_out++;
	*words = (struct outcome_words){.equals = false};
}

// Exchange does not say whose results they are, and begins with the first one.
static bool is_result(const struct message_facts *facts, struct view word)
{
	return facts->server == NULL && memchr(word.data, '=', word.length) != NULL;
}

void read_results(struct view value, struct message_facts *facts)
{
	struct outcome_words words = {.equals = false};
	struct view token;
	bool server = true; // the part that says whose results they are
	enum field_token kind;
	facts->results_known = true;
	while ((kind = field_next(&value, &token)) != FIELD_END) {
		if (kind == FIELD_SEMICOLON) {
			take_part(facts, &words);
			server = false;
		} else if (kind == FIELD_WORD && (!server || is_result(facts, token))) {
			take_word(&words, token);
			server = false;
		} else if (kind == FIELD_WORD && facts->server == NULL) {
			facts->server = token.data;
			facts->server_length = is_host_name(token) ? (uint8_t)token.length : 0;
		}
	}
	take_part(facts, &words);
}

/* ---- Content-Type ---- */

static bool has_protocol(struct view value, const char *protocol)
{
	size_t behind = find_behind(value, protocol);
	return behind > 0 && (behind == value.length || value.data[behind] == '"' ||
	                         value.data[behind] == ';' || is_space(value.data[behind]));
}

enum body_protection read_content_type(struct view value)
{
	struct view type;
	struct view rest = value;
	enum field_token kind;
	while ((kind = field_next(&rest, &type)) == FIELD_COMMENT)
		;
	if (kind != FIELD_WORD)
		return BODY_UNPROTECTED;
	if (field_word_is(type, "application/pkcs7-mime") ||
	    field_word_is(type, "application/x-pkcs7-mime"))
		return BODY_SMIME;
	bool is_signed = field_word_is(type, "multipart/signed");
	if (!is_signed && !field_word_is(type, "multipart/encrypted"))
		return BODY_UNPROTECTED;
	if (has_protocol(rest, "application/pgp-signature") ||
	    has_protocol(rest, "application/pgp-encrypted"))
		return BODY_PGP_MIME;
	return is_signed && (has_protocol(rest, "application/pkcs7-signature") ||
	                        has_protocol(rest, "application/x-pkcs7-signature"))
	           ? BODY_SMIME
	           : BODY_UNPROTECTED;
}

/* ---- From ---- */

static bool ends_domain(uint8_t c)
{
	return is_space(c) || c == '>' || c == ',' || c == ';' || c == '(' || c == ')';
}

struct view read_author_domain(struct view value)
{
	struct view word, domain = view_of(NULL, 0);
	enum field_token kind;
	while ((kind = field_next(&value, &word)) != FIELD_END) {
		// Of an address with a name in quotes stuck to it, too: what stands behind the last quote.
		for (size_t i = 0, quoted = 0; kind == FIELD_WORD && i < word.length; i++) {
			quoted ^= word.data[i] == '"';
			if (word.data[i] != '@' || quoted)
				continue;
			if (domain.data != NULL)
				return view_of(NULL, 0);
			size_t end = i + 1;
			while (end < word.length && !ends_domain(word.data[end]))
				end++;
			domain = view_of(word.data + i + 1, end - i - 1);
		}
	}
	return is_host_name(domain) ? domain : view_of(NULL, 0);
}
