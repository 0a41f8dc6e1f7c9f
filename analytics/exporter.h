// SPDX-License-Identifier: Apache-2.0
// Where judged sessions go. One const exporter_ops per kind in its own file, one row in the table of
// exporter.c. All run in the analytics thread; what they get is borrowed for the call.
#ifndef MAILTAP_ANALYTICS_EXPORTER_H
#define MAILTAP_ANALYTICS_EXPORTER_H

#include "analytics/certificate_judge.h"
#include "analytics/pattern_findings.h"
#include "analytics/path_view.h"
#include "analytics/verdict.h"
#include "capture/base/error.h"
#include "capture/source.h"
#include "decode/crew.h"

#include <stdio.h>

// A session with what is said of it. Borrowed for the call.
struct judged_session {
	const struct session_record *record;
	struct judgement judgement;
	struct certificate_judgement certificates;
	struct pattern_findings patterns;
	size_t evidence_count;
	const struct evidence *evidence;
	struct path_networks networks; // of its server; with evidence only
};

// What exporters need to know of the command line. It and its strings live as long as the exporters.
struct exporter_settings {
	const char *log_directory; // NULL: no logs
	const char *records_path;  // "-" is standard output; NULL: records are not printed
	const char *sensor;        // NULL: not named
	FILE *summary;             // where the summary goes; NULL: nowhere
	const char *certificate_directory; // NULL: certificates are not written there
	bool pem;                  // certificates.jsonl holds the certificates themselves
	nanoseconds alert_interval; // for how long alerts like one that was written are left out
	// Where statistics go, besides the log; NULL: nowhere.
	const char *csv_directory, *metrics_path, *tls_rpt_directory;
	const char *asn_table, *country_table; // of addresses; NULL: none
};

// The run's own accounting, known at its end.
struct run_accounting {
	struct source_counters source; // summed over the inputs
	struct segment_reader_counters reader;
	struct worker_counters worker; // of all workers
	struct certificate_judge_counters certificates;
	const char *trust;             // which trust store judged
	unsigned inputs_failed;        // inputs that ended in an error
	struct crew_losses losses;     // none where a reader of files waits
	bool interrupted;              // by a signal: the rest of the input was not read
};

// An interval of packet time that is over.
struct ended_interval {
	nanoseconds from, until;
	bool complete; // all of it was captured: it is not the first nor the last one
	struct run_accounting accounting; // at its end, since the run began; without certificates and trust
};

struct exporter_ops {
	const char *name;
	// NULL with an empty error text: not asked for. NULL with a text: failed.
	void *(*open)(const struct exporter_settings *settings, struct error *error);
	// A certificate that is seen for the first time in the run. NULL: not interested. False as below.
	bool (*certificate)(
	    void *exporter, const struct certificate *certificate, struct error *error);
	// NULL: not interested. False: the output failed; *error says why. It will not be called again.
	bool (*session)(void *exporter, const struct judged_session *session, struct error *error);
	// Evidence that is certain, in a session that still goes on; the session itself follows when it ends.
	// NULL: not interested. False as above.
	bool (*alert)(void *exporter, const struct judged_session *session, struct error *error);
	// An interval is over: sessions that come from here on belong to the next. NULL: not interested.
	// False as above.
	bool (*interval)(void *exporter, const struct ended_interval *interval, struct error *error);
	// Writes what is left, closes and frees. False: some of it could not be written.
	bool (*close)(void *exporter, const struct run_accounting *accounting, struct error *error);
};

extern const struct exporter_ops sessions_exporter, alerts_exporter, certificates_exporter,
    certificate_files_exporter, statistics_exporter, summary_exporter;

struct exporters;

// Opens all that the settings ask for. NULL: *error says why.
struct exporters *exporters_open(const struct exporter_settings *settings, struct error *error);

// False once an output has failed; the run should end.
bool exporters_session(struct exporters *exporters, const struct judged_session *session);

// As exporters_session, for certain evidence in a session that still goes on.
bool exporters_alert(struct exporters *exporters, const struct judged_session *session);

// As exporters_session, for a certificate.
bool exporters_certificate(
    struct exporters *exporters, const struct certificate *certificate);

// As exporters_session, for an interval that is over.
bool exporters_interval(struct exporters *exporters, const struct ended_interval *interval);

// Closes all. False: an output failed, now or before; *error is the first reason.
bool exporters_close(struct exporters *exporters, const struct run_accounting *accounting,
    struct error *error);

#endif
