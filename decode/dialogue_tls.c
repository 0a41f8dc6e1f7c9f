// SPDX-License-Identifier: Apache-2.0
// How a dialogue comes to TLS, runs it, and leaves it again: what is said between the agreement and the first record, and
// what turns out to be no TLS.
#include "decode/dialogue_state.h"

#include "decode/first_look.h"
#include "decode/tls_facts.h"

#include <string.h>

/* ---- beginning and end ---- */

// TLS from the first byte seen is what the port is for, unless the client asks for something else; if
// its hello is not in the capture, that is not known.
static enum protocol protocol_inside(const struct session *session)
{
	if (session->tls.client_version == TLS_VERSION_UNKNOWN)
		return PROTOCOL_UNDECIDED;
	const struct text *alpn = session->tls.alpn;
	enum protocol due = (enum protocol)session->protocol;
	return alpn != NULL ? protocol_of_alpn(alpn->bytes, alpn->length, due) : due;
}

void dialogue_end_tls(struct dialogue *dialogue)
{
	struct session *session = dialogue->session;
	if (dialogue->tls == NULL)
		return;
	for (int from = FROM_CLIENT; from <= FROM_SERVER; from++)
		if (dialogue->halves[from].closed)
			tls_close(dialogue->tls, (enum direction)from);
	tls_facts_conclude(session, dialogue->tls);
	tls_destroy(dialogue->tls);
	dialogue->tls = NULL;
	if (!session->upgraded)
		session->protocol = (uint8_t)protocol_inside(session);
}

// A direction whose first bytes of TLS are not in the capture.
static bool lacks_start_of_tls(const struct dialogue *dialogue, enum direction from)
{
	const struct half *half = &dialogue->halves[from];
	if (dialogue->session->upgraded)
		return dialogue->session->dialogue_gap[from] && !half->begun;
	return !half->from_start;
}

bool dialogue_begin_tls(struct dialogue *dialogue, enum tls_mode mode)
{
	dialogue->session->tls_mode = (uint8_t)mode;
	dialogue->tls = tls_create(dialogue->memory, &tls_facts_sink, dialogue->session);
	if (dialogue->tls == NULL) {
		dialogue_finish(dialogue);
		return false;
	}
	tls_use_keylog(dialogue->tls, dialogue->session->shared->keylog);
	dialogue->stage = STAGE_TLS;
	for (int from = FROM_CLIENT; from <= FROM_SERVER; from++)
		if (lacks_start_of_tls(dialogue, (enum direction)from))
			tls_gap(dialogue->tls, (enum direction)from, 1);
	return true;
}

/* ---- upgrade ---- */

static void note_injected(struct session *session, uint64_t bytes)
{
	bytes += session->injected_command_bytes;
	session->injected_command_bytes = bytes < UINT32_MAX ? (uint32_t)bytes : UINT32_MAX;
}

// Bytes of the client that were sent before the server agreed to TLS, and are not TLS, are commands
// meant to be taken over into the protected session (CVE-2011-0411 and its family).
static void client_enters_tls(struct dialogue *dialogue)
{
	struct half *client = &dialogue->halves[FROM_CLIENT];
	client->held = false;
	if (client->length > 0 && tls_looks_like(FROM_CLIENT, client->kept, client->length) == 0) {
		if (dialogue->session->upgrade_inferred == SEEN_YES)
			tls_gap(dialogue->tls, FROM_CLIENT, 1); // the rest of a hello, as likely
		else
			note_injected(dialogue->session, client->length + client->beyond);
		dialogue_drop_kept(dialogue, client);
	}
}

// What a server says behind its agreement and before the client's hello is its TLS, or else was put there.
// Behind the hello it is an answer: a server that does not do TLS after all.
static bool response_due(const struct dialogue *dialogue, enum direction from)
{
	return from == FROM_SERVER && dialogue->session->upgraded &&
	       !dialogue->halves[FROM_CLIENT].entered_tls &&
	       !dialogue->halves[FROM_SERVER].entered_tls;
}

// What a line begins with by which a server that agreed to TLS takes leave all the same.
static const char *const parting_words[][2] = {[PROTOCOL_SMTP] = {"421", "454"},
    [PROTOCOL_IMAP] = {"* BYE", NULL},
    [PROTOCOL_POP3] = {"-ERR", NULL}};

// Where in such a line the next byte is, besides in the word itself.
enum { PARTING_TEXT = UINT8_MAX - 1, PARTING_NONE = UINT8_MAX };

// False: the bytes so far are no such lines.
static bool parting_byte(struct dialogue *dialogue, uint8_t byte)
{
	const char *const *words = parting_words[dialogue->session->protocol];
	uint8_t at = dialogue->parting_position, fitting = 0;
	bool whole = false;
	if (at == PARTING_TEXT) {
		dialogue->parting_position = byte == '\n' ? 0 : PARTING_TEXT;
		return true;
	}
	for (unsigned i = 0; i < 2 && words[i] != NULL; i++) {
		bool fits = (at == 0 || (dialogue->parting_fitting & 1u << i)) &&
		            byte == (uint8_t)words[i][at];
		fitting = (uint8_t)(fitting | (unsigned)fits << i);
		whole |= fits && words[i][at + 1] == '\0';
	}
	dialogue->parting_fitting = fitting;
	dialogue->parting_position = whole ? PARTING_TEXT : (uint8_t)(at + 1);
	return fitting != 0;
}

// What was taken for a refusal is followed by something else: it was none.
static void end_parting(struct dialogue *dialogue)
{
	dialogue->session->injected_response_bytes += dialogue->parting_bytes;
	dialogue->parting_bytes = 0;
	dialogue->parting_position = PARTING_NONE;
}

// Bytes that a server says where its TLS was due.
static void take_injected(struct dialogue *dialogue, const uint8_t *bytes, size_t length)
{
	for (size_t i = 0; i < length && dialogue->parting_position != PARTING_NONE; i++)
		if (!parting_byte(dialogue, bytes[i]))
			end_parting(dialogue);
	if (dialogue->parting_position == PARTING_NONE)
		dialogue->session->injected_response_bytes += (uint32_t)length;
	else
		dialogue->parting_bytes += (uint32_t)length;
}

// Takes what is not TLS of what a server says where its TLS was due: lines, up to one that begins as TLS does.
// Returns the bytes taken; *wait is set where more are needed to tell.
static size_t run_response(
    struct dialogue *dialogue, const uint8_t *bytes, size_t length, bool *wait)
{
	size_t used = 0;
	while (used < length) {
		int tls = dialogue->response_line
		              ? 0
		              : tls_looks_like(FROM_SERVER, bytes + used, length - used);
		*wait = tls < 0;
		if (tls != 0)
			break;
		const uint8_t *end = memchr(bytes + used, '\n', length - used);
		size_t line = (end != NULL ? (size_t)(end + 1 - bytes) : length) - used;
		take_injected(dialogue, bytes + used, line);
		dialogue->response_line = end == NULL;
		used += line;
	}
	return used;
}

// Both directions are TLS from here.
void dialogue_upgrade(struct dialogue *dialogue, enum direction from)
{
	dialogue_end_mail(dialogue);
	dialogue->session->upgraded = true;
	dialogue->parting_bytes = dialogue->parting_position = 0;
	dialogue->response_line = false;
	if (!dialogue_begin_tls(dialogue, TLS_MODE_STARTTLS))
		return;
	client_enters_tls(dialogue);
	if (from == FROM_CLIENT)
		dialogue_drop_kept(dialogue, &dialogue->halves[FROM_SERVER]);
	else
		dialogue_run_kept(dialogue, FROM_CLIENT);
}

/* ---- what runs in the stage ---- */

// Not TLS where TLS was due. A dialogue that was upgraded goes on in the clear with the protocol it
// had; a connection that was to be TLS from the start is looked at anew.
static void leave_tls(struct dialogue *dialogue)
{
	dialogue->session->tls_foreign = true;
	dialogue_end_tls(dialogue);
	if (dialogue->tls_given_up || dialogue->session->tls.established == SEEN_YES) {
		dialogue_finish(dialogue);
		return;
	}
	dialogue->tls_given_up = true;
	for (int from = FROM_CLIENT; from <= FROM_SERVER; from++)
		dialogue->session->dialogue_gap[from] |= dialogue->halves[from].gap_in_tls;
	dialogue->hint.implicit_tls = false;
	if (dialogue->ops != NULL)
		dialogue_begin_mail(dialogue, dialogue->ops->protocol);
	else
		dialogue->stage = STAGE_UNDECIDED;
}

// As leave_tls. What was taken for the beginning of a record is given to what runs now, with the bytes behind
// it: their number is returned, or 0 if nothing was taken.
static size_t leave_tls_torn(
    struct dialogue *dialogue, enum direction from, const uint8_t *bytes, size_t length)
{
	struct half *half = &dialogue->halves[from];
	struct view torn = tls_torn(dialogue->tls, from);
	bool kept = torn.length > 0 && dialogue_keep(dialogue, half, torn.data, torn.length) &&
	            dialogue_keep(dialogue, half, bytes, length);
	leave_tls(dialogue);
	if (torn.length == 0 || dialogue->stage == STAGE_DONE)
		return 0;
	if (kept)
		dialogue_run_kept(dialogue, from);
	else
		dialogue_gap(dialogue, from, torn.length + length);
	return length;
}

size_t dialogue_run_tls(
    struct dialogue *dialogue, enum direction from, const uint8_t *bytes, size_t length, bool *wait)
{
	size_t used = 0;
	if (response_due(dialogue, from)) {
		used = run_response(dialogue, bytes, length, wait);
		if (used > 0 || *wait)
			return used;
	}
	if (from == FROM_SERVER && dialogue->parting_bytes > 0 &&
	    tls_looks_like(from, bytes, length) != 0)
		end_parting(dialogue); // TLS after all
	dialogue->halves[from].entered_tls = true;
	switch (tls_feed(dialogue->tls, from, bytes, length, &used)) {
	case TLS_MORE:
		break;
	case TLS_DONE:
		dialogue_finish(dialogue);
		break;
	case TLS_FOREIGN:
		used += leave_tls_torn(dialogue, from, bytes + used, length - used);
		break;
	}
	return used;
}
