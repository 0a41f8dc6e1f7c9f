// SPDX-License-Identifier: Apache-2.0
// How a session's TLS broke, and whether honest reasons come to that. Pure; any thread.
#ifndef MAILTAP_ANALYTICS_TLS_FAILURE_H
#define MAILTAP_ANALYTICS_TLS_FAILURE_H

#include "decode/session_record.h"

enum tls_failure_kind {
	FAILURE_NONE, // it did not break, or that is not known
	FAILURE_ALERT,
	FAILURE_JUNK, // something else than TLS came where TLS was due
	FAILURE_RESET,
	FAILURE_CLOSED,
	FAILURE_SILENCE,
	FAILURE_UNANSWERED, // a connection that never came about
};

struct tls_failure {
	enum tls_failure_kind kind;
	// Not what two sides come to that have no version or cipher in common, nor a client that dislikes a
	// certificate, nor a large (post-quantum) hello that is lost on the way: rare, if their TLS worked before.
	bool odd;
};

// TLS was begun, or the server was ready for it, and it was not established.
struct tls_failure tls_failure_of(const struct session_record *record);

// How a session that came to nothing ended; FAILURE_NONE: it goes on, as far as is known.
enum tls_failure_kind tls_failure_by_end(const struct session_record *record);

// As records write it; NULL for FAILURE_NONE.
const char *tls_failure_name(enum tls_failure_kind kind);

#endif
