// SPDX-License-Identifier: Apache-2.0
// Bytes of a stream that came again with another value, as a clue of tampering: what backlog.c found is
// added to the session. Called by tcp.c; keeps nothing.
//
// What may be kept of the bytes themselves. They could be a password, a response of an authentication, a
// recipient or a message; so they are kept only where that cannot be, and otherwise none of them, only
// where they are, how many differ, and how the segments looked:
// - The server's, of what came before the client had said anything but its greeting, its request for the
//   capabilities or for TLS (session.client_confided): the server has nothing private to repeat then. The
//   segment that brings them again must not acknowledge more than that either.
// - The client's, if the lines that they belong to are, both ways, such commands or the filler that stands
//   in place of STARTTLS or STLS, and all before them were.
// - None of what is still held back, nor behind a gap of the client.
#ifndef MAILTAP_DECODE_CONFLICT_H
#define MAILTAP_DECODE_CONFLICT_H

#include "decode/backlog.h"

// Adds a conflict to the session's clues, once for each place. `offset`: of its first byte, from the
// direction's first. `may_keep`: the bytes are from a part of the dialogue where nothing private is, as
// far as what came first tells.
void conflict_note(struct session *session, const struct conflict *conflict, enum direction from,
    uint64_t offset, bool may_keep);

#endif
