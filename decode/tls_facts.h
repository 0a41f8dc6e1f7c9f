// SPDX-License-Identifier: Apache-2.0
// Carries what the TLS reader reports into the facts of a session, hashing certificates on the way.
// Called by dialogue.c.
#ifndef MAILTAP_DECODE_TLS_FACTS_H
#define MAILTAP_DECODE_TLS_FACTS_H

#include "decode/session.h"
#include "decode/tls.h"

// The sink to give to tls_create, with the session as its context.
extern const struct tls_sink tls_facts_sink;

// What only the end of the handshake settles. Called once, before the reader is destroyed.
void tls_facts_conclude(struct session *session, const struct tls *tls);

#endif
