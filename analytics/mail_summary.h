// SPDX-License-Identifier: Apache-2.0
// What the headers and answers of a session's transactions come to, in numbers (--mail-headers): of the key `mail_headers`
// in its record, and of the tables. Pure; any thread.
#ifndef MAILTAP_ANALYTICS_MAIL_SUMMARY_H
#define MAILTAP_ANALYTICS_MAIL_SUMMARY_H

#include "decode/session_record.h"

enum mail_figure {
	MAIL_INTERNAL_TLS, // hops within one domain, by what the servers wrote
	MAIL_INTERNAL_CLEAR,
	MAIL_INTERNAL_NOT_SEEN,
	MAIL_HOPS_UNPLACED, // within one or between two: not known
	MAIL_ACCEPTED, // transactions by their outcome
	MAIL_REFUSED,
	MAIL_DEFERRED,
	MAIL_OUTCOME_NOT_SEEN,
	MAIL_REFUSED_WITH_CAUSE, // for good (5xx), the answer naming how senders are authenticated
	MAIL_REFUSED_SPF,
	MAIL_REFUSED_DKIM,
	MAIL_REFUSED_DMARC,
	MAIL_REFUSED_OTHER, // ARC, or authentication without a name
	MAIL_FIGURES,
};

struct mail_summary {
	bool known; // headers were read
	uint64_t figures[MAIL_FIGURES];
};

const char *mail_figure_name(enum mail_figure figure);

struct mail_summary mail_summary_of(const struct session_record *record);

#endif
