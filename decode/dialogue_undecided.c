// SPDX-License-Identifier: Apache-2.0
// The first stage of a dialogue: what is spoken, by the first bytes of both sides. A mail dialogue, TLS or something
// else begins from here. Called by dialogue.c.
#include "decode/dialogue_state.h"
#include "decode/first_look.h"
#include "decode/foreign.h"
#include "decode/mail_elsewhere.h"
#include "decode/proxy_protocol.h"
#include "decode/tls_facts.h"

enum {
	UNDECIDED_MAX = 4 * 1024, // bytes of a direction looked at to find out what is spoken
	SEARCHED_MAX =
	    64 * 1024, // bytes of a connection joined mid-way searched for a sign of mail
};

static void begin_implicit_tls(struct dialogue *dialogue)
{
	bool known = dialogue->hint.implicit_tls;
	bool from_start =
	    dialogue->openings[FROM_CLIENT] == PROTOCOL_TLS ||
	    (dialogue->halves[FROM_CLIENT].from_start && dialogue->halves[FROM_SERVER].from_start);
	dialogue->session->protocol =
	    known || !from_start ? dialogue->hint.protocol : (uint8_t)PROTOCOL_TLS;
	// Joined mid-way on a port for both, it may have been upgraded before.
	dialogue_begin_tls(dialogue, known || from_start ? TLS_MODE_IMPLICIT : TLS_MODE_NOT_SEEN);
}

static void decide_foreign(struct dialogue *dialogue, enum protocol protocol)
{
	dialogue->session->protocol = (uint8_t)protocol;
	if (dialogue->session->tls_mode == TLS_MODE_NOT_SEEN)
		dialogue->session->tls_mode = TLS_MODE_NONE;
	dialogue_finish(dialogue);
}

// What our own first look could not name. `bytes` are the first of `from`; those of the other side, if
// it has said anything, wait.
static void decide_unknown(
    struct dialogue *dialogue, enum direction from, const uint8_t *bytes, size_t length)
{
	struct foreign *foreign = dialogue->session->shared->foreign;
	enum direction other = other_direction(from);
	const struct half *waiting = &dialogue->halves[other];
	struct foreign_words said[2];
	said[from] = (struct foreign_words){bytes, length};
	said[other] = (struct foreign_words){waiting->kept, waiting->length};
	if (foreign != NULL)
		dialogue->session->foreign =
		    foreign_look(foreign, said, waiting->length > 0 ? other : from);
	decide_foreign(dialogue, PROTOCOL_UNKNOWN);
}

// Nothing recognised in the middle of a connection: what follows may tell.
static size_t search_on(struct dialogue *dialogue, size_t length)
{
	dialogue->searched += (uint32_t)length;
	if (dialogue->searched > SEARCHED_MAX)
		dialogue_finish(dialogue);
	return length;
}

static bool is_positive(enum protocol protocol)
{
	return protocol != PROTOCOL_UNDECIDED && protocol != PROTOCOL_UNKNOWN;
}

// One side began with something that is no mail: what the other side says decides, so this one waits
// (a mail server may be sent anything, and a greeting may have been overwritten on its way).
static size_t side_waits(struct dialogue *dialogue, enum direction from, enum protocol opening,
    const uint8_t *bytes, size_t length)
{
	enum direction other = other_direction(from);
	enum protocol theirs = (enum protocol)dialogue->openings[other];
	dialogue->openings[from] = (uint8_t)opening;
	bool foreign = from == FROM_SERVER && is_positive(opening);
	if (!foreign && theirs == PROTOCOL_UNDECIDED && length < UNDECIDED_MAX) {
		dialogue->halves[from].held = true;
		return 0;
	}
	if (is_positive(opening) || is_positive(theirs))
		decide_foreign(dialogue, is_positive(opening) ? opening : theirs);
	else
		decide_unknown(dialogue, from, bytes, length);
	return length;
}

// A client began with TLS, and the server answers in the clear: what the hello says is known all the
// same, and that nothing can come of it.
static void read_unanswered_hello(struct dialogue *dialogue)
{
	const struct half *client = &dialogue->halves[FROM_CLIENT];
	size_t used;
	dialogue->tls = tls_create(dialogue->memory, &tls_facts_sink, dialogue->session);
	if (dialogue->tls == NULL)
		return;
	tls_feed(dialogue->tls, FROM_CLIENT, client->kept, client->length, &used);
	tls_facts_conclude(dialogue->session, dialogue->tls);
	tls_destroy(dialogue->tls);
	dialogue->tls = NULL;
	dialogue->session->tls.established = SEEN_NO;
	dialogue->session->tls_foreign = true;
}

// The parser starts. The bytes of the other side that waited come first: it knows what they have to wait for.
static void begin_recognised(struct dialogue *dialogue, enum direction from, enum protocol found)
{
	if (from == FROM_SERVER && dialogue->openings[FROM_CLIENT] == PROTOCOL_TLS) {
		read_unanswered_hello(dialogue);
		dialogue_drop_kept(dialogue, &dialogue->halves[FROM_CLIENT]);
	}
	dialogue_begin_mail(dialogue, found);
	dialogue->halves[FROM_CLIENT].held = dialogue->halves[FROM_SERVER].held = false;
	dialogue_run_kept(dialogue, other_direction(from));
}

static size_t pass_proxy_header(
    struct dialogue *dialogue, const uint8_t *bytes, size_t length, bool *wait)
{
	size_t header = 0;
	switch (proxy_header_find(bytes, length, &header)) {
	case PROXY_HEADER_SHORT:
		*wait = true;
		return 0;
	case PROXY_HEADER_WHOLE:
	case PROXY_HEADER_NONE:
		break;
	}
	dialogue->proxy_header_passed = true;
	return header;
}

static int tls_sign(
    const struct dialogue *dialogue, enum direction from, const uint8_t *bytes, size_t length)
{
	if (dialogue->tls_given_up)
		return 0;
	int record = dialogue->halves[from].from_start ? 0 : tls_looks_like_record(bytes, length);
	return record != 0 ? record : tls_looks_like(from, bytes, length);
}

// On a port that is not known for mail: certainly mail, or given up.
static size_t run_elsewhere(
    struct dialogue *dialogue, enum direction from, const uint8_t *bytes, size_t length, bool *wait)
{
	struct half *half = &dialogue->halves[from];
	enum protocol found, theirs = (enum protocol)dialogue->openings[other_direction(from)];
	switch (mail_elsewhere(from, bytes, length, half->from_start, theirs, &found)) {
	case ELSEWHERE_NO_MAIL:
		dialogue_finish(dialogue);
		return length;
	case ELSEWHERE_TOO_SHORT:
		*wait = true;
		if (length >= UNDECIDED_MAX)
			dialogue_finish(dialogue);
		return 0;
	case ELSEWHERE_SIGN:
		*wait = half->held = true;
		dialogue->openings[from] = (uint8_t)found;
		return 0;
	case ELSEWHERE_MAIL:
		begin_recognised(dialogue, from, found);
		return 0;
	case ELSEWHERE_MAIL_IN_TLS:
		dialogue->hint =
		    (struct port_hint){.protocol = (uint8_t)found, .implicit_tls = true};
		begin_implicit_tls(dialogue);
		return 0;
	}
	return length;
}

size_t dialogue_run_undecided(
    struct dialogue *dialogue, enum direction from, const uint8_t *bytes, size_t length, bool *wait)
{
	struct half *half = &dialogue->halves[from];
	if (from == FROM_CLIENT && half->from_start && !dialogue->proxy_header_passed)
		return pass_proxy_header(dialogue, bytes, length, wait);
	if (dialogue->hint.elsewhere)
		return run_elsewhere(dialogue, from, bytes, length, wait);
	int tls = tls_sign(dialogue, from, bytes, length);
	if (tls > 0 && (dialogue->hint.implicit_tls || from == FROM_SERVER || !half->from_start)) {
		begin_implicit_tls(dialogue);
		dialogue->halves[FROM_CLIENT].held = dialogue->halves[FROM_SERVER].held = false;
		dialogue_run_kept(dialogue, FROM_CLIENT);
		return 0;
	}
	enum protocol found = tls > 0
	                          ? PROTOCOL_TLS
	                          : protocol_recognise(from, bytes, length,
	                                (enum protocol)dialogue->hint.protocol, half->from_start);
	if (tls < 0 || found == PROTOCOL_UNDECIDED) {
		*wait = true;
		return length < UNDECIDED_MAX ? 0 : search_on(dialogue, length);
	}
	// A client that was heard to speak something else is not answered by a mail server's torn reply.
	bool torn = !half->from_start &&
	            is_positive((enum protocol)dialogue->openings[other_direction(from)]);
	if (protocol_is_mail(found) && !torn) {
		begin_recognised(dialogue, from, found);
		return 0; // the same bytes again, now for the parser
	}
	if (!half->from_start)
		return search_on(dialogue, length);
	*wait = true;
	return side_waits(dialogue, from, found, bytes, length);
}

// At the end, one side's opening counts if the other closed without an answer, but not if the answer
// may have been lost or was still to come: it could have been a mail server's.
void dialogue_decide_alone(struct dialogue *dialogue, enum direction from)
{
	enum protocol opening = (enum protocol)dialogue->openings[from];
	enum direction other = other_direction(from);
	const struct half *half = &dialogue->halves[from];
	if (opening == PROTOCOL_UNDECIDED || !dialogue->halves[other].closed ||
	    dialogue->session->dialogue_gap[other])
		return;
	if (is_positive(opening))
		decide_foreign(dialogue, opening);
	else
		decide_unknown(dialogue, from, half->kept, half->length);
}
