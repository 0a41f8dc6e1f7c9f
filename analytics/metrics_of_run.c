// SPDX-License-Identifier: Apache-2.0
// How a run goes, as metrics: one row a family; what it shows stands in the run's accounting. What the
// capture's own counters (capture_accounting.h) say is not here again.
#include "analytics/metrics_page.h"
#include "analytics/render.h"

#include <inttypes.h>
#include <stddef.h>
#include <string.h>
#include <time.h>

enum {
	FIGURES_MAX = 9,
	NAME_MAX_BYTES = 96,
};

// Where in the accounting a figure of 64 bits stands; 0: nowhere. The same for two: they are added up.
struct figure {
	const char *label; // value of the family's label; NULL: it has none
	size_t place, besides;
};

struct family {
	const char *name; // behind mailtap_
	const char *help;
	bool counter; // only ever grows
	const char *label; // name; NULL: one figure without a label
	struct figure figures[FIGURES_MAX]; // up to the first without a place
};

_Static_assert(sizeof(size_t) == sizeof(uint64_t), "both are read as one");

// Places begin at 1: the first figure of the accounting is one, too.
#define AT(member) (offsetof(struct run_accounting, member) + 1)
#define COUNTER true
#define LEVEL false
// clang-format off
#define ONE(member) NULL, {{NULL, AT(member), 0}}
#define STORE(of)                                                                                  \
	{{"sessions", AT(written.store.of[STORE_SESSIONS]), 0},                                    \
	    {"certificates", AT(written.store.of[STORE_CERTIFICATES]), 0},                         \
	    {"alerts", AT(written.store.of[STORE_ALERTS]), 0},                                     \
	    {"statistics", AT(written.store.of[STORE_STATISTICS]), 0},                             \
	    {"domains", AT(written.store.of[STORE_DOMAINS]), 0},                                   \
	    {"lookups", AT(written.store.of[STORE_LOOKUPS]), 0},                                   \
	    {"messages", AT(written.store.of[STORE_MESSAGES]), 0}}
// clang-format on

static const struct family families[] = {
    {"start_time_seconds", "when the run began, Unix time", LEVEL, ONE(started)},
    {"received_packets", "packets that the source handed out", COUNTER, ONE(source.packets)},
    {"received_bytes", "bytes that these had on the wire", COUNTER, ONE(source.bytes)},
    {"filtered_vlan_packets",
        "of the packets left out by the filter those in VLANs, into which it does not see unless "
        "it says so",
        COUNTER, ONE(source.filtered_in_vlan)},
    {"inputs_failed", "inputs that could not be opened, or ended in an error", COUNTER,
        ONE(inputs_failed)},
    {"packets",
        "packets looked at, by what became of them; segment and fragment were kept, all others "
        "passed over",
        COUNTER, "fate",
        {{"segment", AT(reader.headers.outcomes[HEADERS_SEGMENT]), 0},
            {"fragment", AT(reader.headers.outcomes[HEADERS_FRAGMENT]), 0},
            {"dns", AT(reader.headers.outcomes[HEADERS_NAMES]), 0},
            {"other_port", AT(reader.headers.outcomes[HEADERS_OTHER_PORT]), 0},
            {"other_protocol", AT(reader.headers.outcomes[HEADERS_OTHER_PROTOCOL]), 0},
            {"malformed", AT(reader.headers.outcomes[HEADERS_MALFORMED]), 0},
            {"cut", AT(reader.headers.outcomes[HEADERS_CUT]), 0},
            {"too_deep", AT(reader.headers.outcomes[HEADERS_TOO_DEEP]), 0},
            {"unknown_link", AT(reader.headers.outcomes[HEADERS_UNKNOWN_LINK]), 0}}},
    {"fragments", "fragments of IP datagrams that were kept", COUNTER,
        ONE(reader.fragment.fragments)},
    {"fragments_duplicate", "of them those that brought nothing new", COUNTER,
        ONE(reader.fragment.duplicates)},
    {"fragments_held", "fragments that wait for others of their datagram", LEVEL,
        ONE(reader.fragment.fragments_held)},
    {"datagrams", "fragmented datagrams that are settled, by what became of them", COUNTER, "fate",
        {{"complete", AT(reader.fragment.datagrams_complete), 0},
            {"timed_out", AT(reader.fragment.datagrams_timed_out), 0},
            {"overlapping", AT(reader.fragment.datagrams_overlapping), 0},
            {"bad", AT(reader.fragment.datagrams_bad), 0},
            {"no_room", AT(reader.fragment.datagrams_no_room), 0},
            {"not_followed", AT(reader.fragment.datagrams_ignored), 0}}},
    {"datagrams_held", "fragmented datagrams that are not complete yet", LEVEL,
        ONE(reader.fragment.datagrams_held)},
    {"datagrams_read", "complete fragmented datagrams, by what was found in them", COUNTER, "fate",
        {{"segment", AT(reader.reassembled[HEADERS_SEGMENT]), 0},
            {"fragment", AT(reader.reassembled[HEADERS_FRAGMENT]), 0},
            {"dns", AT(reader.reassembled[HEADERS_NAMES]), 0},
            {"other_port", AT(reader.reassembled[HEADERS_OTHER_PORT]), 0},
            {"other_protocol", AT(reader.reassembled[HEADERS_OTHER_PROTOCOL]), 0},
            {"malformed", AT(reader.reassembled[HEADERS_MALFORMED]), 0},
            {"cut", AT(reader.reassembled[HEADERS_CUT]), 0},
            {"too_deep", AT(reader.reassembled[HEADERS_TOO_DEEP]), 0},
            {"unknown_link", AT(reader.reassembled[HEADERS_UNKNOWN_LINK]), 0}}},
    {"dns_messages", "messages of DNS, by what became of them", COUNTER, "fate",
        {{"kept", AT(worker.names.kept), 0},
            {"other", AT(reader.names.other), AT(worker.names.other)},
            {"malformed", AT(reader.names.malformed), AT(worker.names.malformed)},
            {"left_out", AT(reader.names.left_out), AT(worker.names.left_out)}}},
    {"dns_read", "messages of DNS that were kept, by what was read in them", COUNTER, "kind",
        {{"question", AT(names.questions), 0}, {"answer", AT(names.answers), 0},
            {"answer_alone", AT(names.answers_alone), 0},
            {"answer_again", AT(names.answers_again), 0},
            {"answer_refused", AT(names.answers_refused), 0},
            {"referral", AT(names.referrals), 0},
            {"unreadable", AT(names.unreadable), 0}}},
    {"dns_domains_written", "lines of domains.jsonl", COUNTER, ONE(names.domains_written)},
    {"dns_domains_given_up", "domains of mail given up for room", COUNTER,
        ONE(names.domains_given_up)},
    {"dns_signatures", "signatures of DNSSEC that were computed", COUNTER,
        ONE(names.signatures_tried)},
    {"dns_signatures_left", "answers whose signatures would have been too much work", COUNTER,
        ONE(names.signatures_left)},
    {"dns_names_given_up", "names in DNS whose answers were given up for room", COUNTER,
        ONE(names.names_given_up)},
    {"dns_mx_names_given_up", "names of mail hosts that led to addresses, given up for room", COUNTER,
        ONE(names.mx_names_given_up)},
    {"dns_networks_given_up", "networks whose look-ups were counted, given up for room", COUNTER,
        ONE(names.networks_given_up)},
    {"segments", "TCP segments kept, by what became of them", COUNTER, "fate",
        {{"followed", AT(worker.segments_tracked), AT(worker.segments_no_mail)},
            {"copy", AT(worker.segments_duplicated), 0},
            {"wrong_checksum", AT(worker.segments_dropped), 0},
            {"set_aside", AT(worker.segments_set_aside), 0}, {"shed", AT(losses.shed), 0},
            {"refused", AT(losses.refused), 0}, {"no_room", AT(losses.dropped), 0},
            {"no_memory", AT(worker.flow.refused), 0}}},
    {"segments_of_no_mail",
        "of the followed segments those of other ports' connections that were found to be no mail",
        COUNTER, ONE(worker.segments_no_mail)},
    {"connections_refused",
        "connections that were left out from their beginning, as there was too much to do", COUNTER,
        ONE(losses.refused_connections)},
    {"openings_dropped",
        "of the segments for which there was no room those that open a connection, which is not "
        "known of then",
        COUNTER, ONE(losses.dropped_openings)},
    {"segments_duplicate", "segments whose bytes had all been seen", COUNTER,
        ONE(worker.tcp.duplicates)},
    {"segments_out_of_order", "segments that were held back for others", COUNTER,
        ONE(worker.tcp.out_of_order)},
    {"segments_out_of_window", "segments that no window allows, ignored", COUNTER,
        ONE(worker.tcp.out_of_window)},
    {"ends_taken_back",
        "resets and FINs behind which the connection went on: forged ones, as it seems", COUNTER,
        ONE(worker.tcp.ends_taken_back)},
    {"segments_not_held", "segments that should have been held back, but there was no memory",
        COUNTER, ONE(worker.tcp.held_dropped)},
    {"stream_gaps", "holes in connections that nothing filled", COUNTER, ONE(worker.tcp.gaps)},
    {"stream_gap_bytes", "bytes that these missed", COUNTER, ONE(worker.tcp.gap_bytes)},
    {"flows_created", "connections that were begun to be followed", COUNTER,
        ONE(worker.flow.created)},
    {"flows_ended", "connections that are followed no more, for whatever reason", COUNTER,
        ONE(worker.flow.ended)},
    {"flows_elsewhere_evicted", "connections of other ports given up for lack of memory", COUNTER,
        ONE(worker.flow.evicted_elsewhere)},
    {"flows_no_mail", "connections of other ports that were found to be no mail", COUNTER,
        ONE(worker.connections_no_mail)},
    {"flows", "connections that are followed now, by how far they are", LEVEL, "class",
        {{"opening", AT(worker.flow.live_in[FLOW_OPENING]), 0},
            {"dialogue", AT(worker.flow.live_in[FLOW_DIALOGUE]), 0},
            {"cut_over", AT(worker.flow.live_in[FLOW_CUT_OVER]), 0},
            {"closing", AT(worker.flow.live_in[FLOW_CLOSING]), 0},
            {"elsewhere", AT(worker.flow.live_in[FLOW_ELSEWHERE]), 0}}},
    {"flows_peak", "the most connections that were followed at a time", LEVEL,
        ONE(worker.flow.live_peak)},
    {"foreign_looks", "connections that nDPI was asked about", COUNTER, ONE(worker.foreign.looks)},
    {"foreign_named", "of them those that it had a name for", COUNTER, ONE(worker.foreign.named)},
    {"memory_in_use_bytes", "memory for connections that is in use", LEVEL,
        ONE(worker.memory_in_use)},
    {"memory_reserved_bytes", "memory for connections that is held, which --memory limits", LEVEL,
        ONE(worker.memory_reserved)},
    {"memory_refused", "requests for memory beyond that limit", COUNTER,
        ONE(worker.memory_refusals)},
    {"certificate_store_certificates", "certificates that are held", LEVEL,
        ONE(certificates.certificates.stored)},
    {"certificate_store_bytes", "memory that they take", LEVEL,
        ONE(certificates.certificates.bytes)},
    {"certificate_store_new", "distinct certificates that were seen", COUNTER,
        ONE(certificates.certificates.distinct)},
    {"certificate_store_evicted", "certificates given up for room", COUNTER,
        ONE(certificates.certificates.evicted)},
    {"certificate_store_returned", "certificates given up that were seen again", COUNTER,
        ONE(certificates.certificates.returned)},
    {"certificate_store_refused", "certificates too large to be held", COUNTER,
        ONE(certificates.certificates.refused)},
    {"certificate_store_forgotten",
        "certificates given up and not remembered any more: these may have been counted as "
        "distinct twice",
        COUNTER, ONE(certificates.certificates.forgotten)},
    {"chain_judgements", "judgements of certificate chains that are held", LEVEL,
        ONE(certificates.chains.cached)},
    {"chain_judgements_bytes", "memory that they take", LEVEL, ONE(certificates.chains.bytes)},
    {"chain_judgements_reused", "chains whose judgement was held", COUNTER,
        ONE(certificates.chains.known)},
    {"chain_judgements_made", "chains that were judged", COUNTER,
        ONE(certificates.chains.verified)},
    {"chain_judgements_impossible", "chains of which nothing could be said", COUNTER,
        ONE(certificates.chains.unjudged)},
    {"chain_judgements_too_dear",
        "of these, because lists that are dear to judge came faster than is allowed", COUNTER,
        ONE(certificates.chains.too_dear)},
    {"chain_judgements_evicted", "judgements given up for room", COUNTER,
        ONE(certificates.chains.evicted)},
    {"leaf_memory_servers", "servers of which it is remembered which certificate they show", LEVEL,
        ONE(certificates.servers.servers)},
    {"leaf_memory_evicted", "of them those given up for room", COUNTER,
        ONE(certificates.servers.evicted)},
    {"trust_anchors", "certificates that are trusted", LEVEL, ONE(certificates.trust.anchors)},
    {"trust_damaged", "certificates in the trust store that cannot be read", LEVEL,
        ONE(certificates.trust.damaged)},
    {"trust_crls", "revocation lists that are used", LEVEL, ONE(certificates.trust.crls)},
    {"trust_crls_damaged", "revocation lists that cannot be used", LEVEL,
        ONE(certificates.trust.crls_damaged)},
    {"server_memory_servers", "servers of which it is remembered what they did, by address", LEVEL,
        ONE(servers.servers)},
    {"server_memory_names", "likewise by name", LEVEL, ONE(servers.names)},
    {"server_memory_aged", "servers forgotten as they were not seen for too long", COUNTER,
        ONE(servers.aged)},
    {"server_memory_loaded", "servers that were remembered from earlier runs", LEVEL,
        ONE(servers.loaded)},
    {"server_memory_baseline", "servers on the list of good ones", LEVEL, ONE(servers.baseline)},
    {"client_memory_clients", "clients of which it is remembered what they did", LEVEL,
        ONE(analyst.clients.clients)},
    {"client_memory_evicted", "of them those given up for room", COUNTER,
        ONE(analyst.clients.evicted)},
    {"path_view_servers", "servers of which it is known how client networks see them", LEVEL,
        ONE(analyst.paths.servers)},
    {"path_view_evicted", "of them those given up for room", COUNTER, ONE(analyst.paths.evicted)},
    {"copies_parted",
        "copies of connections that were judged alone, as there were too many to hold", COUNTER,
        ONE(analyst.copies_parted)},
    {"written_sessions", "session records written", COUNTER, ONE(written.sessions)},
    {"written_certificates", "certificate records written", COUNTER, ONE(written.certificates)},
    {"written_alerts", "alerts written", COUNTER, ONE(written.alerts)},
    {"alerts_left_out", "alerts like one that was written, counted instead (--alert-interval)",
        COUNTER, ONE(written.alerts_left_out)},
    {"tls_reports_left_out", "sessions that are in no TLS report, as there are too many domains",
        COUNTER, ONE(written.reports_left_out)},
    {"store_records", "records that the store took", COUNTER, "table", STORE(stored)},
    {"store_known", "of them those that it had already", COUNTER, "table", STORE(known)},
    {"store_refused",
        "records that it did not take: lines that are none, and rows that a server refuses",
        COUNTER, "table", STORE(refused)},
    {"store_lost",
        "records for which there was no room while it could not be written, or too much to do",
        COUNTER, "table", STORE(lost)},
    {"store_removed", "records that were removed from it, for their age or for room", COUNTER,
        "table", STORE(removed)},
    {"store_away", "1: the store could not be written, or the server reached, the last time",
        LEVEL, ONE(written.store.away)},
    {"store_spool_bytes", "bytes of what waits for the server (--store-spool)", LEVEL,
        ONE(written.store.spool_bytes)},
    {"store_spool_files", "batches and the like that wait, and those that it refused", LEVEL,
        ONE(written.store.spool_files)},
    {"store_spool_limit_bytes", "bytes that may wait (--store-spool-size)", LEVEL,
        ONE(written.store.spool_limit)},
};

static uint64_t figure_at(const struct run_accounting *run, size_t place)
{
	uint64_t figure = 0;
	if (place > 0)
		memcpy(&figure, (const uint8_t *)run + place - 1, sizeof figure);
	return figure;
}

static void write_family(FILE *out, const struct family *family, const struct run_accounting *run)
{
	char name[NAME_MAX_BYTES];
	snprintf(name, sizeof name, "mailtap_%s", family->name);
	render_metric_head(out, name, NULL, family->help, family->counter);
	for (size_t i = 0; i < FIGURES_MAX && family->figures[i].place > 0; i++) {
		const struct figure *figure = &family->figures[i];
		uint64_t value = figure_at(run, figure->place) + figure_at(run, figure->besides);
		fprintf(out, "%s%s", name, family->counter ? "_total" : "");
		if (family->label != NULL)
			fprintf(out, "{%s=\"%s\"}", family->label, figure->label);
		fprintf(out, " %" PRIu64 "\n", value);
	}
}

// By which it shows whether a page is an old one.
static void write_time(FILE *out)
{
	static const char name[] = "mailtap_page_time_seconds";
	render_metric_head(
	    out, name, NULL, "when these figures were put together, Unix time", false);
	fprintf(out, "%s %lld\n", name, (long long)time(NULL));
}

void metrics_of_run_write(const struct run_accounting *run, FILE *out)
{
	write_time(out);
	for (size_t i = 0; i < sizeof families / sizeof families[0]; i++)
		write_family(out, &families[i], run);
}
