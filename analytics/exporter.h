// SPDX-License-Identifier: Apache-2.0
// Where judged sessions go. One const exporter_ops per kind in its own file, one row in the table of
// exporter.c. All run in the analytics thread; what they get is borrowed for the call.
#ifndef MAILTAP_ANALYTICS_EXPORTER_H
#define MAILTAP_ANALYTICS_EXPORTER_H

#include "analytics/judged_session.h"
#include "analytics/run_accounting.h"
#include "capture/base/error.h"

#include <stdio.h>

struct dns_memory;
struct json;
struct live_state;
struct log_directory;
struct store;
struct store_settings;

// What exporters need to know of the command line. It and its strings live as long as the exporters.
struct exporter_settings {
	struct log_directory *logs; // NULL: no logs
	const struct store_settings *store_settings; // NULL: no store
	struct store *store; // opened by exporters_open; NULL: none
	bool appends;               // to logs in which other runs stand, too
	bool stay_up;               // a file that cannot be written does not end the run
	void (*tell)(const struct error *what); // with stay_up: says what goes wrong meanwhile
	const char *records_path;  // "-" is standard output; NULL: records are not printed
	const char *sensor;        // NULL: not named
	FILE *summary;             // where the summary goes; NULL: nowhere
	const char *certificate_directory; // NULL: certificates are not written there
	bool names;                // domains.jsonl and lookups.jsonl are wanted
	bool mail_headers;         // messages.jsonl is wanted
	const struct dns_memory *keys; // of DKIM, in answers of DNS; NULL: these are not read
	bool pem;                  // certificates.jsonl holds the certificates themselves
	nanoseconds alert_interval; // for how long alerts like one that was written are left out
	// Where statistics go, besides the log; NULL: nowhere.
	const char *csv_directory, *metrics_path, *tls_rpt_directory;
	struct live_state *live; // who looks at the run is shown sessions and alerts from here; NULL: nobody can
	const char *asn_table, *country_table; // of addresses; NULL: none
	const char *anonymisation_key; // a file; NULL: addresses are the real ones
	struct anonymiser *anonymiser; // made of it by exporters_open; what certificates say has to pass it
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
	// A line of domains.jsonl or lookups.jsonl, its end included, and what tables count of it. NULL: not interested.
	// False as above.
	bool (*domain)(void *exporter, const struct json *line, const struct domain_facts *facts,
	    struct error *error);
	bool (*lookups)(void *exporter, const struct json *line, const struct lookup_facts *facts,
	    struct error *error);
	// Adds to the counters what was written so far. NULL: it counts nothing.
	void (*written)(const void *exporter, struct written_counters *counters);
	// Writes the page of metrics (metrics_page.h) as it is now. NULL: it has none.
	void (*metrics)(const void *exporter, const struct run_accounting *accounting, FILE *out);
	// Statistics are wanted now, in the middle of an interval. NULL: not interested. False as above.
	bool (*so_far)(void *exporter, const struct run_accounting *accounting, struct error *error);
	// No session is at hand: what is urgent is to be seen. NULL: nothing is. False as above.
	bool (*wait)(void *exporter, struct error *error);
	// About once a second: what was written is to be seen. NULL: it does not hold anything back. False as above.
	bool (*second)(void *exporter, struct error *error);
	// The run is over: records that were held back until now, while the store still takes them. NULL: there are none.
	// False: some of them could not be written.
	bool (*end)(void *exporter, const struct run_accounting *accounting, struct error *error);
	// Writes what is left, records excepted, closes and frees. `accounting`: with all that was written and stored; NULL:
	// the run never began. False: some of it could not be written.
	bool (*close)(void *exporter, const struct run_accounting *accounting, struct error *error);
};

// For files that are written as a whole, each by itself. `good`: one was; if not, *error says why. True: the run
// goes on. *failing is the exporter's: what fails is told once until it goes well again.
bool exporter_goes_on(const struct exporter_settings *settings, bool good, bool *failing,
    const struct error *error);

extern const struct exporter_ops sessions_exporter, alerts_exporter, certificates_exporter,
    certificate_files_exporter, messages_exporter, domains_exporter, lookups_exporter, statistics_exporter, summary_exporter;

struct exporters;

// Opens all that the settings ask for. NULL: *error says why.
struct exporters *exporters_open(const struct exporter_settings *settings, struct error *error);

// False once an output has failed; the run should end.
bool exporters_session(struct exporters *exporters, const struct judged_session *judged);

// As exporters_session, for certain evidence in a session that still goes on.
bool exporters_alert(struct exporters *exporters, const struct judged_session *judged);

// As exporters_session, for a certificate.
bool exporters_certificate(
    struct exporters *exporters, const struct certificate *certificate);

// As exporters_session, for an interval that is over.
bool exporters_interval(struct exporters *exporters, const struct ended_interval *interval);

// As exporters_session, for what DNS says of a domain, and for who looked up what.
bool exporters_domain(
    struct exporters *exporters, const struct json *line, const struct domain_facts *facts);
bool exporters_lookups(
    struct exporters *exporters, const struct json *line, const struct lookup_facts *facts);

// What was written so far, by all of them.
struct written_counters exporters_written(const struct exporters *exporters);

// Writes the page of metrics as it is now, if the settings say that somebody may ask for it.
void exporters_metrics(
    const struct exporters *exporters, const struct run_accounting *accounting, FILE *out);

// As exporters_session, when statistics are wanted now.
bool exporters_so_far(struct exporters *exporters, const struct run_accounting *accounting);

// As exporters_session, when all sessions at hand were given and more are waited for.
bool exporters_wait(struct exporters *exporters);

// As exporters_session, about once a second.
bool exporters_second(struct exporters *exporters);

// The tables of networks and countries have changed: reads them again, between two sessions. False: *error; it
// goes on with those it has.
bool exporters_reload(struct exporters *exporters, struct error *error);

// Closes all. False: an output failed, now or before; *error is the first reason.
bool exporters_close(struct exporters *exporters, const struct run_accounting *accounting,
    struct error *error);

#endif
