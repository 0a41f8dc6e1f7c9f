// SPDX-License-Identifier: Apache-2.0
// What a person reads at the end of a run: sessions by protocol and port, the way through STARTTLS
// with a denominator at each step, what went in the clear, TLS versions, and what the capture lost.
#include "analytics/exporter.h"
#include "analytics/json.h"
#include "analytics/summary_certificates.h"
#include "analytics/summary_evidence.h"
#include "decode/tls.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum {
	ROWS_MAX = 48, // (protocol, port) pairs told apart; the rest share the last row
	VERSIONS_MAX = 8,
};

struct row {
	const char *protocol;
	uint16_t port;
	uint64_t sessions, verdicts[VERDICTS];
};

// A fact counted over the sessions in which it is known.
struct known {
	uint64_t yes, no;
};

struct version_count {
	uint16_t version; // 0: not seen
	uint64_t sessions;
};

struct summary {
	FILE *out;
	bool anonymised;
	struct certificate_summary *certificates;
	struct evidence_summary *evidence;
	struct row rows[ROWS_MAX + 1]; // the last: all that did not fit
	size_t row_count;
	struct row all;
	struct known offered, requested, accepted, established;
	uint64_t requested_unoffered; // STARTTLS asked for though no offer was seen
	uint64_t funnel_sessions; // of a mail dialogue that began in the clear
	uint64_t reasons[REASONS];
	struct known exposed, with_mail; // a secret; messages
	uint64_t logins, messages, message_bytes, message_bytes_unseen;
	struct version_count versions[VERSIONS_MAX];
	size_t version_count;
	uint64_t established_in_all, one_direction, with_gaps, missing_bytes, joined_late;
	nanoseconds first, last;
};

static void summary_free(struct summary *summary)
{
	if (summary == NULL)
		return;
	certificate_summary_destroy(summary->certificates);
	evidence_summary_destroy(summary->evidence);
	free(summary);
}

static void *summary_open(const struct exporter_settings *settings, struct error *error)
{
	if (settings->summary == NULL)
		return NULL;
	struct summary *summary = calloc(1, sizeof *summary);
	if (summary != NULL) {
		summary->certificates = certificate_summary_create();
		summary->evidence = evidence_summary_create();
		summary->out = settings->summary;
		summary->anonymised = settings->anonymiser != NULL;
	}
	if (summary != NULL && summary->certificates != NULL && summary->evidence != NULL)
		return summary;
	error_set(error, "no memory for the summary");
	summary_free(summary);
	return NULL;
}

/* ---- counting ---- */

static struct row *row_of(struct summary *summary, const char *protocol, uint16_t port)
{
	for (size_t i = 0; i < summary->row_count; i++)
		if (summary->rows[i].port == port && summary->rows[i].protocol == protocol)
			return &summary->rows[i];
	if (summary->row_count == ROWS_MAX)
		return &summary->rows[ROWS_MAX];
	struct row *row = &summary->rows[summary->row_count++];
	row->protocol = protocol;
	row->port = port;
	return row;
}

static void count_row(struct row *row, enum verdict verdict)
{
	row->sessions++;
	row->verdicts[verdict]++;
}

static void count_known(struct known *known, enum seen value)
{
	known->yes += value == SEEN_YES;
	known->no += value == SEEN_NO;
}

// The steps of STARTTLS, each over the sessions that reached the one before.
static void count_funnel(struct summary *summary, const struct session_record *record)
{
	const struct session *session = record->session;
	if (!protocol_is_mail((enum protocol)session->protocol) ||
	    record->tls_mode == TLS_MODE_IMPLICIT)
		return;
	summary->funnel_sessions++;
	count_known(&summary->offered, (enum seen)session->starttls_offered);
	if (session->starttls_offered != SEEN_YES) {
		summary->requested_unoffered += record->starttls_requested == SEEN_YES;
		return;
	}
	count_known(&summary->requested, record->starttls_requested);
	if (record->starttls_requested != SEEN_YES)
		return;
	count_known(&summary->accepted, record->starttls_accepted);
	if (record->starttls_accepted == SEEN_YES)
		count_known(&summary->established, record->tls_established);
}

static void count_version(struct summary *summary, const struct session_record *record)
{
	if (record->tls_established != SEEN_YES)
		return;
	summary->established_in_all++;
	size_t i = 0;
	uint16_t version = record->session->tls.version;
	while (i < summary->version_count && summary->versions[i].version != version)
		i++;
	if (i == VERSIONS_MAX)
		return;
	if (i == summary->version_count)
		summary->versions[summary->version_count++].version = version;
	summary->versions[i].sessions++;
}

static void count_quality(struct summary *summary, const struct session_record *record)
{
	uint64_t missing = record->missing[FROM_CLIENT] + record->missing[FROM_SERVER];
	summary->one_direction +=
	    record->packets[FROM_CLIENT] == 0 || record->packets[FROM_SERVER] == 0;
	summary->with_gaps += missing > 0;
	summary->missing_bytes += missing;
	summary->joined_late += !record->saw_start;
	if (summary->all.sessions == 1 || record->start < summary->first)
		summary->first = record->start;
	if (record->end > summary->last)
		summary->last = record->end;
}

static void count_messages(struct summary *summary, const struct session_record *record)
{
	const struct session *session = record->session;
	bool some = session->messages > 0;
	if (record->messages_known)
		count_known(&summary->with_mail, some ? SEEN_YES : SEEN_NO);
	summary->messages += session->messages;
	if (record->message_bytes_known)
		summary->message_bytes += session->message_bytes;
	else
		summary->message_bytes_unseen += some;
}

static bool summary_session(
    void *exporter, const struct judged_session *judged, struct error *error)
{
	struct summary *summary = exporter;
	const struct session_record *record = judged->record;
	const struct session *session = record->session;
	const char *protocol = session_protocol_name(session);
	(void)error;
	count_row(row_of(summary, protocol, record->port[FROM_SERVER]), judged->judgement.verdict);
	count_row(&summary->all, judged->judgement.verdict);
	summary->reasons[judged->judgement.reason] +=
	    judged->judgement.verdict == VERDICT_CLEARTEXT;
	count_funnel(summary, record);
	count_version(summary, record);
	certificate_summary_count(summary->certificates, judged);
	evidence_summary_count(summary->evidence, judged);
	count_quality(summary, record);
	summary->logins += session->login_tried;
	count_known(&summary->exposed, record->credentials_exposed);
	count_messages(summary, record);
	return true;
}

/* ---- printing ---- */

static void print_row(FILE *out, const char *name, const char *port, const struct row *row)
{
	fprintf(out, "  %-8s %6s %9" PRIu64, name, port, row->sessions);
	for (int verdict = 0; verdict < VERDICTS; verdict++)
		fprintf(out, " %10" PRIu64, row->verdicts[verdict]);
	fputc('\n', out);
}

static int compare_rows(const void *a, const void *b)
{
	const struct row *one = a, *other = b;
	if (one->sessions != other->sessions)
		return one->sessions > other->sessions ? -1 : 1;
	return (int)one->port - (int)other->port;
}

static void print_table(struct summary *summary)
{
	FILE *out = summary->out;
	fprintf(out, "\n  %-8s %6s %9s", "spoken", "port", "sessions");
	for (int verdict = 0; verdict < VERDICTS; verdict++)
		fprintf(out, " %10s", verdict_name((enum verdict)verdict));
	fputc('\n', out);
	qsort(summary->rows, summary->row_count, sizeof summary->rows[0], compare_rows);
	for (size_t i = 0; i < summary->row_count; i++) {
		char port[8];
		snprintf(port, sizeof port, "%u", summary->rows[i].port);
		print_row(out,
		    summary->rows[i].protocol != NULL ? summary->rows[i].protocol : "nothing", port,
		    &summary->rows[i]);
	}
	if (summary->rows[ROWS_MAX].sessions > 0)
		print_row(out, "others", "", &summary->rows[ROWS_MAX]);
	if (summary->row_count > 1)
		print_row(out, "all", "", &summary->all);
}

static void print_step(
    FILE *out, const char *step, const struct known *known, uint64_t of, const char *of_what)
{
	uint64_t seen = known->yes + known->no;
	fprintf(out, "  %-12s %9" PRIu64 " of %" PRIu64 " %s", step, known->yes, seen, of_what);
	if (seen > 0)
		fprintf(out, " (%.1f %%)", 100.0 * (double)known->yes / (double)seen);
	if (of > seen)
		fprintf(out, "; of %" PRIu64 " more it is not seen", of - seen);
	fputc('\n', out);
}

static void print_if(FILE *out, uint64_t count, const char *what)
{
	if (count > 0)
		fprintf(out, "  %12" PRIu64 " %s\n", count, what);
}

static void print_funnel(const struct summary *summary)
{
	FILE *out = summary->out;
	if (summary->funnel_sessions == 0)
		return;
	fprintf(out, "\nSTARTTLS and STLS, in the %" PRIu64 " sessions that began in the clear\n",
	    summary->funnel_sessions);
	print_step(out, "offered", &summary->offered, summary->funnel_sessions,
	    "sessions whose offer was seen");
	print_step(out, "requested", &summary->requested, summary->offered.yes, "offers");
	print_step(out, "accepted", &summary->accepted, summary->requested.yes, "such requests");
	print_step(out, "established", &summary->established, summary->accepted.yes, "agreements");
	print_if(out, summary->requested_unoffered,
	    "more asked for it without an offer that was seen; not counted above");
}

static void print_clear(const struct summary *summary)
{
	FILE *out = summary->out;
	fputs("\nIn the clear\n", out);
	print_step(out, "credentials", &summary->exposed, summary->all.sessions,
	    "sessions exposed a secret");
	print_step(out, "mail", &summary->with_mail, summary->all.sessions,
	    "sessions transferred messages");
	fprintf(out, "  messages     %9" PRIu64 ", %" PRIu64 " bytes", summary->messages,
	    summary->message_bytes);
	if (summary->message_bytes_unseen > 0)
		fprintf(out, "; of %" PRIu64 " of these sessions the bytes are not seen",
		    summary->message_bytes_unseen);
	fprintf(out, "\n  log-ins      %9" PRIu64 " sessions tried to log in\n", summary->logins);
	if (summary->all.verdicts[VERDICT_CLEARTEXT] == 0)
		return;
	fputs("  why         ", out);
	for (int reason = REASONS - 1; reason >= 0; reason--)
		if (summary->reasons[reason] > 0)
			fprintf(out, " %10" PRIu64 " %s", summary->reasons[reason],
			    reason != REASON_NONE ? reason_name((enum reason)reason) : "not seen");
	fputc('\n', out);
}

// The newest first.
static int compare_versions(const void *a, const void *b)
{
	const struct version_count *one = a, *other = b;
	return (int)other->version - (int)one->version;
}

static void print_version(const struct summary *summary, const char *name, uint64_t sessions)
{
	fprintf(summary->out, "  %-12s %9" PRIu64 " (%.1f %%)\n", name, sessions,
	    100.0 * (double)sessions / (double)summary->established_in_all);
}

static void print_versions(struct summary *summary)
{
	FILE *out = summary->out;
	uint64_t others = summary->established_in_all;
	if (summary->established_in_all == 0)
		return;
	qsort(summary->versions, summary->version_count, sizeof summary->versions[0],
	    compare_versions);
	fprintf(out, "\nTLS, in the %" PRIu64 " sessions that established it\n",
	    summary->established_in_all);
	for (size_t i = 0; i < summary->version_count; i++) {
		const struct version_count *one = &summary->versions[i];
		const char *name = tls_version_name(one->version);
		char number[sizeof "0x0000"];
		snprintf(number, sizeof number, "0x%04x", one->version);
		if (name == NULL)
			name = one->version == TLS_VERSION_UNKNOWN ? "not seen" : number;
		print_version(summary, name, one->sessions);
		others -= one->sessions;
	}
	if (others > 0)
		print_version(summary, "others", others);
}

// What live interfaces say of themselves.
static void print_interfaces(FILE *out, const struct source_counters *source)
{
	print_if(out, source->interface_packets,
	    "packets on the interfaces by their own count; the kernel passes on those of the followed "
	    "ports");
	print_if(out, source->interface_missed, "packets that the interfaces missed");
	print_if(out, source->interface_outages,
	    "times that an interface was down, without link or gone");
}

// Of those dropped, what a card of DPDK says of them.
static void print_card(FILE *out, const struct source_counters *source)
{
	print_if(out, source->nic_missed, "of them missed by the network card");
	print_if(out, source->nic_errors, "of them damaged, or too long for the network card");
	print_if(out, source->pool_empty, "of them for lack of memory to receive into");
	print_if(out, source->nic_filtered, "packets left out by the network card, as no mail");
}

static void print_unreadable(FILE *out, const uint64_t outcomes[HEADERS_OUTCOMES])
{
	print_if(out, outcomes[HEADERS_MALFORMED], "packets with malformed headers");
	print_if(out, outcomes[HEADERS_CUT], "packets cut inside their headers");
	print_if(out, outcomes[HEADERS_TOO_DEEP], "packets with too many headers");
	print_if(out, outcomes[HEADERS_UNKNOWN_LINK], "packets of a link type that is not read");
}

static void print_losses(const struct summary *summary, const struct run_accounting *run)
{
	FILE *out = summary->out;
	const struct worker_counters *worker = &run->worker;
	const struct fragment_counters *fragment = &run->reader.fragment;
	fputs("\nThe capture\n", out);
	print_if(out, run->source.packets, "packets read");
	print_if(out, worker->segments_tracked, "of them segments of the followed ports");
	print_if(out, worker->segments_duplicated,
	    "copies of segments that came twice; in sessions they count once");
	print_if(
	    out, worker->segments_no_mail, "segments of other ports, of no mail that was found");
	print_if(out, summary->one_direction, "sessions with one direction only");
	print_if(out, summary->joined_late, "sessions whose start was not captured");
	print_if(out, summary->with_gaps, "sessions with bytes missing");
	print_if(out, summary->missing_bytes, "bytes missing in sessions");
	print_if(out, run->source.cut_packets, "packets cut by the snap length");
	print_if(out, run->source.capture_dropped, "packets dropped before they were captured");
	print_card(out, &run->source);
	print_if(out, run->losses.shed,
	    "segments of sessions that had said what matters, left out under overload");
	print_if(out, run->losses.refused_connections,
	    "sessions left out under overload, from their beginning");
	print_if(out, run->losses.refused, "segments of these");
	print_if(out, run->losses.dropped, "segments dropped under overload");
	print_interfaces(out, &run->source);
	print_if(out, run->source.filtered, "packets left out by the filter");
	print_if(out, run->source.filtered_in_vlan,
	    "of them in VLANs, into which a filter sees only as \"vlan and (...)\"");
	print_if(out, run->source.damaged, "damaged packet records skipped");
	print_unreadable(out, run->reader.headers.outcomes);
	print_if(out, run->reader.headers.checksums_wrong, "segments with a wrong checksum");
	print_if(out, worker->segments_dropped, "of them left out");
	print_if(out,
	    fragment->datagrams_timed_out + fragment->datagrams_overlapping +
	        fragment->datagrams_bad + fragment->datagrams_no_room,
	    "fragmented datagrams not put together");
	print_if(out, worker->tcp.out_of_window, "segments outside every window, ignored");
	print_if(out, worker->flow.evicted, "sessions evicted for lack of memory (--memory)");
	print_if(out, worker->flow.evicted_elsewhere,
	    "connections of other ports given up for lack of memory (--memory)");
	print_if(out, worker->flow.refused, "segments refused for lack of memory (--memory)");
	print_if(out, run->servers.evicted,
	    "remembered servers given up for room: what comes of them is compared with nothing");
	print_if(out, run->servers.aged, "remembered servers forgotten, not seen for too long");
	print_if(out, run->inputs_failed, "inputs that could not be read to their end");
	if (run->interrupted)
		fputs("  interrupted: the rest was not read\n", out);
}

static void print_head(const struct summary *summary)
{
	struct json times = {0};
	fprintf(summary->out, "mailtap %s: %" PRIu64 " session%s", MAILTAP_VERSION,
	    summary->all.sessions, summary->all.sessions == 1 ? "" : "s");
	if (summary->all.sessions > 0) {
		json_time(&times, summary->first);
		times.needs_comma = false;
		json_time(&times, summary->last);
	}
	size_t half = 0;
	while (half + 1 < times.length && !(times.text[half] == '"' && times.text[half + 1] == '"'))
		half++;
	if (!times.failed && times.length > 2)
		fprintf(summary->out, ", %.*s to %.*s", (int)half - 1, times.text + 1,
		    (int)(times.length - half - 3), times.text + half + 2);
	fputc('\n', summary->out);
	json_release(&times);
	if (summary->anonymised)
		fputs("Addresses are others in the place of the real ones (--anonymise).\n", summary->out);
}

static bool summary_close(
    void *exporter, const struct run_accounting *accounting, struct error *error)
{
	struct summary *summary = exporter;
	bool good = true;
	if (accounting != NULL) {
		print_head(summary);
		if (summary->all.sessions > 0) {
			print_table(summary);
			print_funnel(summary);
			print_clear(summary);
			evidence_summary_print(
			    summary->evidence, summary->all.sessions, summary->out);
			print_versions(summary);
			certificate_summary_print(summary->certificates, accounting, summary->out);
		}
		print_losses(summary, accounting);
		good = fflush(summary->out) == 0 && !ferror(summary->out);
		if (!good)
			error_set(error, "the summary could not be written");
	}
	summary_free(summary);
	return good;
}

const struct exporter_ops summary_exporter = {
    .name = "summary",
    .open = summary_open,
    .session = summary_session,
    .close = summary_close,
};
