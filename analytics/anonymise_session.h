// SPDX-License-Identifier: Apache-2.0
// A judged session as outputs may see it: every address in it is another one, so that no output can forget to
// hide one. Made once per session, after it was judged and remembered by its real addresses. The identifiers
// that records make from addresses (session_id, community_id) come of the new ones by that. Called by
// exporter.c, in the analytics thread.
#ifndef MAILTAP_ANALYTICS_ANONYMISE_SESSION_H
#define MAILTAP_ANALYTICS_ANONYMISE_SESSION_H

#include "analytics/anonymise.h"
#include "analytics/exporter.h"

struct session_anonymiser;

// The anonymiser must outlive it. NULL: no memory.
struct session_anonymiser *session_anonymiser_create(struct anonymiser *anonymiser);
void session_anonymiser_destroy(struct session_anonymiser *sessions); // NULL is allowed

// The session with other addresses, good until the next call. NULL: no memory; nothing may be written then.
const struct judged_session *anonymise_session(
    struct session_anonymiser *sessions, const struct judged_session *judged);

#endif
