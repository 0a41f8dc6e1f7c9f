// SPDX-License-Identifier: Apache-2.0
// Reports in the form of RFC 8460 (SMTP TLS reporting), of what a tap saw of mail on its way to the
// servers of a domain. They are a third party's observation, not the report of a sender, say so in
// organization-name, contact-info and report-id, and are written to files only, never sent.
//
// The policy domain is the registered domain of the server's name, since recipients are not kept. No
// policy (DANE, MTA-STS) is looked up: "no-policy-found". Sessions on the relay hop count as successful
// where TLS was established, as failed where the server did not offer it, refused it, or it did not
// come about; those in which the client did not want it, or of which it was not seen, are in neither.
// Bounded; owned by one thread.
#ifndef MAILTAP_ANALYTICS_TLS_RPT_H
#define MAILTAP_ANALYTICS_TLS_RPT_H

#include "analytics/session_facts.h"
#include "capture/base/error.h"

struct tls_rpt;

// NULL: no memory; *error.
struct tls_rpt *tls_rpt_create(struct error *error);
void tls_rpt_destroy(struct tls_rpt *reports); // NULL is allowed

// The lookups must have been made (facts_lookup_fill).
void tls_rpt_count(struct tls_rpt *reports, const struct session_facts *facts);

// Sessions that are in no report, as there are too many domains.
uint64_t tls_rpt_left_out(const struct tls_rpt *reports);

// One file per policy domain in `directory`, made if it is missing. False: *error.
bool tls_rpt_write(const struct tls_rpt *reports, const char *directory, struct error *error);

#endif
