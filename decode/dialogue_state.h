// SPDX-License-Identifier: Apache-2.0
// The state of a dialogue, and how it goes from stage to stage: shared by dialogue.c, which runs it,
// dialogue_undecided.c, which finds out what is spoken, and dialogue_tls.c. For nobody else.
#ifndef MAILTAP_DECODE_DIALOGUE_STATE_H
#define MAILTAP_DECODE_DIALOGUE_STATE_H

#include "decode/dialogue.h"
#include "decode/tls.h"

enum stage {
	STAGE_UNDECIDED, // what is spoken is not known yet
	STAGE_MAIL, // a mail dialogue in the clear
	STAGE_TLS,
	STAGE_NAMES, // messages of DNS
	STAGE_DONE, // nothing more can be learned
};

struct half {
	uint8_t *kept; // bytes that no parser has consumed yet
	uint32_t length, size;
	uint64_t beyond; // bytes behind those for which there was no room, while it was held
	uint64_t skip; // bytes to read over before the next that count
	bool held; // until the other direction releases it
	bool from_start; // nothing of this direction is missing so far
	bool begun; // at least one byte of it has come
	bool entered_tls; // at least one byte of it was TLS's
	bool gap_in_tls; // bytes of it are missing since then
	// An answer was lost: what this side sent before it heard one is not understood.
	bool unheard;
	bool heard_known;
	uint32_t heard; // what the sender of the last chunk had seen of the other direction
	// By its sender; TLS is told at the end: the other side may still say something.
	bool closed;
};

struct dialogue {
	struct memory *memory;
	struct session *session;
	const struct protocol_ops *ops; // of the mail dialogue, current or before TLS
	void *state; // of ops; NULL outside STAGE_MAIL
	struct tls *tls;
	struct port_hint hint;
	uint8_t stage; // enum stage
	uint8_t openings[2]; // enum protocol: how a side began, if not with mail
	bool proxy_header_passed;
	bool tls_given_up; // TLS turned into something else once; not tried again
	uint32_t searched;
	uint32_t parting_bytes; // of the server behind its agreement to TLS: a refusal so far
	uint8_t parting_position; // in the word that such a line begins with
	bool response_line; // the server is within a line of what was put in the place of its TLS
	uint8_t parting_fitting; // which of the words the line can begin with: one bit each
	nanoseconds now;
	struct half halves[2];
};

/* ---- dialogue.c ---- */

// Nothing more is learned: what there is of mail and TLS is concluded.
void dialogue_finish(struct dialogue *dialogue);

void dialogue_begin_mail(struct dialogue *dialogue, enum protocol protocol);

void dialogue_end_mail(struct dialogue *dialogue);

// Bytes of a direction that wait: forgets them, or gives them to what runs now.
void dialogue_drop_kept(struct dialogue *dialogue, struct half *half);
void dialogue_run_kept(struct dialogue *dialogue, enum direction from);

// Adds to them. False: there is no room.
bool dialogue_keep(
    struct dialogue *dialogue, struct half *half, const uint8_t *bytes, size_t length);

/* ---- dialogue_undecided.c ---- */

// Looks at bytes of a direction. Returns how many are done with; *wait is set where more are needed. They may be
// for what has begun meanwhile: then none are.
size_t dialogue_run_undecided(struct dialogue *dialogue, enum direction from, const uint8_t *bytes,
    size_t length, bool *wait);

// The connection ends without an answer to what one side began with: what that tells.
void dialogue_decide_alone(struct dialogue *dialogue, enum direction from);

/* ---- dialogue_tls.c ---- */

// False: no memory, the dialogue is finished.
bool dialogue_begin_tls(struct dialogue *dialogue, enum tls_mode mode);
void dialogue_end_tls(struct dialogue *dialogue);

// Mail agreed to TLS: both directions are that from here.
void dialogue_upgrade(struct dialogue *dialogue, enum direction from);

// Gives bytes to TLS. Returns how many are done with; *wait is set where more are needed.
size_t dialogue_run_tls(struct dialogue *dialogue, enum direction from, const uint8_t *bytes,
    size_t length, bool *wait);

#endif
