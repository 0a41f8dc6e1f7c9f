// SPDX-License-Identifier: Apache-2.0
#include "decode/session.h"

#include "decode/clues.h"
#include "decode/message_reader.h"
#include "decode/pattern_set.h"

#include "decode/foreign.h"

#include <string.h>

void session_begin(struct session *session, const struct session_shared *shared)
{
	*session = (struct session){.shared = shared};
}

void session_texts(struct session *session, struct text **slots[SESSION_TEXTS])
{
	struct text **all[SESSION_TEXTS] = {
	    &session->server_banner,
	    &session->server_name,
	    &session->client_name,
	    &session->capabilities,
	    &session->auth_mechanism,
	    &session->clues,
	    &session->tls.chain[FROM_CLIENT],
	    &session->tls.chain[FROM_SERVER],
	    &session->tls.sni,
	    &session->tls.alpn,
	    &session->tls.hidden_flight,
	    &session->tls.offer,
	    &session->tls.answer,
	};
	memcpy(slots, all, sizeof all);
}

void session_release(struct session *session)
{
	struct text **slots[SESSION_TEXTS];
	session_texts(session, slots);
	for (size_t i = 0; i < SESSION_TEXTS; i++) {
		text_release(session->shared->texts, *slots[i]);
		*slots[i] = NULL;
	}
	if (session->told != 0)
		message_shelf_clear(
		    message_context_shelf(session->shared->headers), session->told);
	session->told = 0;
}

void session_becomes(struct session *session, enum protocol protocol)
{
	struct session fresh = {
	    .shared = session->shared,
	    .protocol = (uint8_t)protocol,
	    .tls_mode = session->tls_mode,
	};
	for (int from = FROM_CLIENT; from <= FROM_SERVER; from++) {
		fresh.dialogue_gap[from] = session->dialogue_gap[from];
		fresh.conflicting_bytes[from] = session->conflicting_bytes[from];
	}
	session_release(session);
	*session = fresh;
}

void session_set_text(
    struct session *session, struct text **slot, const uint8_t *bytes, size_t length, size_t most)
{
	struct text *old = *slot;
	*slot = text_keep(session->shared->texts, bytes, length < most ? length : most);
	text_release(session->shared->texts, old);
}

void capability_list_clear(struct session *session, struct capability_list *list)
{
	memory_give(text_store_memory(session->shared->texts), list->bytes);
	*list = (struct capability_list){0};
}

static bool list_grow(struct session *session, struct capability_list *list, size_t needed)
{
	struct memory *memory = text_store_memory(session->shared->texts);
	size_t size = memory_class_size(needed < 224 ? 224 : needed * 2);
	if (size > UINT16_MAX)
		return false;
	uint8_t *bytes = memory_take(memory, size);
	if (bytes == NULL)
		return false;
	if (list->length > 0)
		memcpy(bytes, list->bytes, list->length);
	memory_give(memory, list->bytes);
	list->bytes = bytes;
	list->size = (uint16_t)size;
	return true;
}

void capability_list_add(
    struct session *session, struct capability_list *list, const uint8_t *bytes, size_t length)
{
	while (length > 0 && (bytes[length - 1] == ' ' || bytes[length - 1] == '\t'))
		length--;
	if (length == 0)
		return;
	size_t needed = list->length + length + 1;
	if (needed > CAPABILITY_LIST_MAX ||
	    (needed > list->size && !list_grow(session, list, needed))) {
		list->incomplete = true;
		return;
	}
	if (list->length > 0)
		list->bytes[list->length++] = '\n';
	uint8_t *to = list->bytes + list->length;
	for (size_t i = 0; i < length; i++) { // so that the compiler takes many at a time
		uint8_t c = bytes[i];
		c = c == '\n' ? ' ' : c;
		to[i] = (uint8_t)(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
	}
	list->length = (uint16_t)(list->length + length);
}

// An entry that is nothing but a run of one character.
static bool has_filler(const struct text *list)
{
	enum { RUN_MIN = 4 };
	for (uint32_t start = 0; start < list->length;) {
		const uint8_t *line_end = memchr(list->bytes + start, '\n', list->length - start);
		uint32_t end = line_end != NULL ? (uint32_t)(line_end - list->bytes) : list->length;
		uint32_t same = start;
		while (same < end && list->bytes[same] == list->bytes[start])
			same++;
		if (same == end && end - start >= RUN_MIN)
			return true;
		start = end + 1;
	}
	return false;
}

// A further list takes this one's place, as behind a log-in. Filler in it, where STARTTLS was never offered,
// stays as a clue.
static void replace_capabilities(struct session *session)
{
	const struct text *list = session->capabilities;
	uint8_t clue[1 + CLUE_LINE_MAX];
	const struct session_shared *shared = session->shared;
	bool looked_for = list != NULL && session->starttls_offered != SEEN_YES;
	for (uint32_t at = 0, number = 0; looked_for && at < list->length; number++) {
		const uint8_t *line = list->bytes + at;
		const uint8_t *end = memchr(line, '\n', list->length - at);
		size_t length = end != NULL ? (size_t)(end - line) : list->length - at;
		at += (uint32_t)length + 1;
		if (length > CLUE_LINE_MAX - 1 || number > UINT8_MAX ||
		    pattern_match(shared->patterns, shared->scratch, PATTERN_FILLER_CAPABILITY,
		        view_of(line, length)) == NULL)
			continue;
		clue[0] = (uint8_t)number;
		memcpy(clue + 1, line, length);
		clue_add(session, CLUE_GARBLED_CAPABILITY, clue, 1 + length);
		break;
	}
	session_forget_capabilities(session);
}

void session_set_capabilities(struct session *session, struct capability_list *list)
{
	replace_capabilities(session);
	session->capabilities =
	    list->incomplete ? NULL : text_keep(session->shared->texts, list->bytes, list->length);
	if (session->capabilities != NULL && has_filler(session->capabilities))
		session->tell_now = true;
	capability_list_clear(session, list);
}

void session_forget_capabilities(struct session *session)
{
	text_release(session->shared->texts, session->capabilities);
	session->capabilities = NULL;
}

bool capabilities_have(const uint8_t *bytes, size_t length, const char *keyword)
{
	size_t keyword_length = strlen(keyword);
	for (size_t start = 0; start < length;) {
		const uint8_t *newline = memchr(bytes + start, '\n', length - start);
		size_t end = newline != NULL ? (size_t)(newline - bytes) : length;
		if (end - start >= keyword_length &&
		    memcmp(bytes + start, keyword, keyword_length) == 0 &&
		    (end - start == keyword_length || bytes[start + keyword_length] == ' ' ||
		        bytes[start + keyword_length] == '='))
			return true;
		start = end + 1;
	}
	return false;
}

struct mechanism {
	const char *name;
	bool shows_secret; // or a bearer token as good as one, to whoever reads along
};

// The mechanisms that may stand in a record (IANA's SASL registry, what is in use beside it, and the
// protocols' own commands). What else a client sends in this place is not recorded: it could be a
// secret in the wrong place.
static const struct mechanism mechanisms[] = {
    {"PLAIN", true},
    {"LOGIN", true},
    {"LOGIN-COMMAND", true},
    {"USER", true},
    {"XOAUTH2", true},
    {"OAUTHBEARER", true},
    {"XOAUTH", true},
    {"OAUTH10A", true},
    {"XYMCOOKIE", true},
    {"APOP", false},
    {"CRAM-MD5", false},
    {"DIGEST-MD5", false},
    {"SCRAM-SHA-1", false},
    {"SCRAM-SHA-1-PLUS", false},
    {"SCRAM-SHA-256", false},
    {"SCRAM-SHA-256-PLUS", false},
    {"SCRAM-SHA-512", false},
    {"SCRAM-SHA-512-PLUS", false},
    {"SCRAM-SHA3-512", false},
    {"SCRAM-MD5", false},
    {"NTLM", false},
    {"MSN", false},
    {"GSSAPI", false},
    {"GSS-SPNEGO", false},
    {"GS2-KRB5", false},
    {"GS2-KRB5-PLUS", false},
    {"KERBEROS_V4", false},
    {"KERBEROS_V5", false},
    {"EXTERNAL", false},
    {"ANONYMOUS", false},
    {"OTP", false},
    {"SKEY", false},
    {"SECURID", false},
    {"SRP", false},
    {"SAML20", false},
    {"OPENID20", false},
};

static const struct mechanism *mechanism_find(const uint8_t *name, size_t length)
{
	for (size_t i = 0; i < sizeof mechanisms / sizeof mechanisms[0]; i++)
		if (bytes_equal_keyword(name, length, mechanisms[i].name))
			return &mechanisms[i];
	return NULL;
}

static void note_clear(struct session *session)
{
	session->clear_from_start |= !session->dialogue_gap[FROM_CLIENT];
}

void session_mail_begins(struct session *session)
{
	session->mail_begun = session->client_confided = true;
	note_clear(session);
}

void session_login_begins(struct session *session, const uint8_t *mechanism, size_t length)
{
	const struct mechanism *known = mechanism_find(mechanism, length);
	session->login_tried = session->client_confided = true;
	note_clear(session);
	if (known != NULL) {
		session_set_text(session, &session->auth_mechanism, (const uint8_t *)known->name,
		    strlen(known->name), SIZE_MAX);
		if (session->auth_mechanism == NULL) // no memory: whether it shows a secret is not seen
			session->dialogue_gap[FROM_CLIENT] = true;
	} else {
		text_release(session->shared->texts, session->auth_mechanism);
		session->auth_mechanism = NULL;
	}
}

void session_credentials_sent(struct session *session)
{
	const struct text *name = session->auth_mechanism;
	const struct mechanism *known =
	    name != NULL ? mechanism_find(name->bytes, name->length) : NULL;
	if (known != NULL && known->shows_secret)
		session->credentials_exposed = SEEN_YES;
}

void session_login_ends(struct session *session, bool success)
{
	bool whole = !session->dialogue_gap[FROM_CLIENT] && !session->dialogue_gap[FROM_SERVER];
	if (success)
		session->login_succeeded = SEEN_YES;
	else if (session->login_succeeded != SEEN_YES && whole)
		session->login_succeeded = SEEN_NO;
}

const char *protocol_name(enum protocol protocol)
{
	static const char *const names[] = {
	    [PROTOCOL_UNDECIDED] = NULL,
	    [PROTOCOL_SMTP] = "smtp",
	    [PROTOCOL_IMAP] = "imap",
	    [PROTOCOL_POP3] = "pop3",
	    [PROTOCOL_SSH] = "ssh",
	    [PROTOCOL_HTTP] = "http",
	    [PROTOCOL_FTP] = "ftp",
	    [PROTOCOL_TLS] = "tls",
	    [PROTOCOL_UNKNOWN] = "unknown",
	    [PROTOCOL_DNS] = "dns",
	};
	return names[protocol];
}

const char *session_protocol_name(const struct session *session)
{
	const char *name = foreign_name(session->foreign);
	return name != NULL ? name : protocol_name((enum protocol)session->protocol);
}

bool protocol_is_mail(enum protocol protocol)
{
	return protocol == PROTOCOL_SMTP || protocol == PROTOCOL_IMAP || protocol == PROTOCOL_POP3;
}
