// SPDX-License-Identifier: Apache-2.0
// A session with what is said of it: what the analyst makes, and what memories and exporters get.
#ifndef MAILTAP_ANALYTICS_JUDGED_SESSION_H
#define MAILTAP_ANALYTICS_JUDGED_SESSION_H

#include "analytics/certificate_judge.h"
#include "analytics/path_view.h"
#include "analytics/pattern_findings.h"
#include "analytics/verdict.h"
#include "decode/session_record.h"

// Borrowed for the call.
struct judged_session {
	const struct session_record *record;
	struct judgement judgement;
	struct certificate_judgement certificates;
	struct pattern_findings patterns;
	size_t evidence_count;
	const struct evidence *evidence;
	struct path_networks networks; // of its server; with evidence only
};

#endif
