// SPDX-License-Identifier: Apache-2.0
// A session with what is said of it: what the analyst makes, and what memories and exporters get.
#ifndef MAILTAP_ANALYTICS_JUDGED_SESSION_H
#define MAILTAP_ANALYTICS_JUDGED_SESSION_H

#include "analytics/certificate_judge.h"
#include "analytics/path_view.h"
#include "analytics/pattern_findings.h"
#include "analytics/verdict.h"
#include "analytics/whereabouts.h"
#include "decode/session_record.h"
#include "decode/tls_quality.h"

// Of its capability list and banner (server_fingerprint.h), if somebody asked for them already.
struct server_likeness {
	bool read;
	uint64_t capabilities, banner;
};

// Borrowed for the call. Exporters get it with other addresses where that was asked for (anonymise_session.h).
struct judged_session {
	const struct session_record *record;
	struct judgement judgement;
	struct certificate_judgement certificates;
	struct pattern_findings patterns;
	struct tls_quality quality;
	struct server_likeness likeness;
	size_t evidence_count;
	const struct evidence *evidence;
	struct path_networks networks; // of its server; with evidence only
	bool anonymised; // the addresses above are others in the place of the real ones
	struct whereabouts where[2]; // of the real addresses, by enum direction
};

#endif
