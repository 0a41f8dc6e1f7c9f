// SPDX-License-Identifier: Apache-2.0
#include "analytics/capture_accounting.h"

#include "analytics/json_fields.h"

#include <inttypes.h>
#include <string.h>

static const struct {
	const char *key, *help;
} counters[CAPTURE_COUNTERS] = {
    {"packets_seen", "packets read"},
    // These five together are all that were seen.
    {"packets_kept",
        "packets of the followed ports, DNS where it is read, and fragments that may be"},
    {"packets_other_port", "TCP packets of other ports"},
    {"packets_other_protocol", "packets that are not of TCP, nor of a tunnel that is read"},
    {"packets_malformed", "packets with malformed or cut headers"},
    {"packets_unreadable", "packets of a link type that is not read"},
    {"segments_kept", "TCP segments of the followed ports, in packets or datagrams put together"},
    // These six together are all that were kept.
    {"segments_tracked", "TCP segments followed, those of other ports' connections included"},
    {"segments_duplicated",
        "copies of segments that came twice, as mirror ports make them; they count once"},
    {"segments_set_aside", "SYNs in the middle of a connection, which may be forged"},
    {"segments_left_out", "segments with a wrong checksum that were to be left out"},
    {"segments_refused", "segments refused for lack of memory"},
    {"dropped_by_ring", "segments left out under overload, because a ring was full or filled up"},
    {"sessions_left_out", "sessions of which all was left out so, from their first packet"},
    {"packets_filtered", "packets left out by the filter"},
    {"dropped_reported",
        "packets that the kernel or the network card says it dropped; a file may not say"},
    {"card_missed", "packets that the network card had no room for (of those dropped)"},
    {"card_errors",
        "packets that were damaged or too long for the network card (of those dropped)"},
    {"receive_memory_lacking",
        "packets that there was no memory to receive into (of those dropped)"},
    {"card_filtered", "packets left out by the network card, as no mail"},
    {"packets_cut", "packets cut by the snap length"},
    {"records_damaged", "damaged packet records passed over"},
    {"checksums_wrong", "segments with a wrong checksum"},
    {"fragments_lost", "fragmented datagrams not put together"},
    {"flows_evicted", "sessions evicted for lack of memory"},
    {"servers_given_up", "remembered servers given up for room"},
    {"packets_on_interfaces",
        "packets on the interfaces by their own count, whether the kernel passed them on or not"},
    {"missed_by_interfaces", "packets that the interfaces missed by their own count"},
    {"interface_outages", "times that an interface was down, without link or gone"},
    {"records_not_stored", "records that were lost on the way to the store"},
    {"dns_messages_seen", "messages of DNS"},
    // These four together are all that were seen.
    {"dns_messages_kept", "messages of DNS that mail asks for, or may"},
    {"dns_messages_other", "messages of DNS for which mail has no use"},
    {"dns_messages_malformed", "messages of DNS whose header or question is malformed"},
    {"dns_messages_left_out",
        "messages of DNS that were cut, too long, behind a gap in TCP, or that there was no room for"},
    {"transactions_told", "transactions of mail that are told of in messages.jsonl"},
    {"transactions_left_out", "transactions of mail that there was no room for there"},
};

const char *capture_counter_key(size_t counter)
{
	return counters[counter].key;
}

const char *capture_counter_help(size_t counter)
{
	return counters[counter].help;
}

uint64_t capture_counter(const struct capture_accounting *accounting, const char *key)
{
	for (size_t i = 0; i < CAPTURE_COUNTERS; i++)
		if (strcmp(counters[i].key, key) == 0)
			return accounting->counters[i];
	return 0;
}

uint64_t capture_accounting_lost(const struct capture_accounting *accounting)
{
	return capture_counter(accounting, "dropped_reported") +
	       capture_counter(accounting, "missed_by_interfaces") +
	       capture_counter(accounting, "dropped_by_ring");
}

struct capture_accounting capture_accounting_of(const struct run_accounting *run)
{
	const struct worker_counters *worker = &run->worker;
	const uint64_t *outcomes = run->reader.headers.outcomes;
	const struct dns_counters *sent = &run->reader.names, *taken = &worker->names;
	const struct fragment_counters *fragment = &run->reader.fragment;
	return (struct capture_accounting){{
	    run->reader.packets,
	    outcomes[HEADERS_SEGMENT] + outcomes[HEADERS_FRAGMENT] + outcomes[HEADERS_NAMES],
	    outcomes[HEADERS_OTHER_PORT],
	    outcomes[HEADERS_OTHER_PROTOCOL],
	    outcomes[HEADERS_MALFORMED] + outcomes[HEADERS_CUT] + outcomes[HEADERS_TOO_DEEP],
	    outcomes[HEADERS_UNKNOWN_LINK],
	    outcomes[HEADERS_SEGMENT] + run->reader.reassembled[HEADERS_SEGMENT],
	    // What is found to be no mail goes from the one to the other: only together they never fall.
	    worker->segments_tracked + worker->segments_no_mail,
	    worker->segments_duplicated,
	    worker->segments_set_aside,
	    worker->segments_dropped,
	    worker->flow.refused,
	    run->losses.shed + run->losses.refused + run->losses.dropped,
	    run->losses.refused_connections,
	    run->source.filtered,
	    run->source.capture_dropped,
	    run->source.nic_missed,
	    run->source.nic_errors,
	    run->source.pool_empty,
	    run->source.nic_filtered,
	    run->source.cut_packets,
	    run->source.damaged,
	    run->reader.headers.checksums_wrong,
	    fragment->datagrams_timed_out + fragment->datagrams_overlapping +
	        fragment->datagrams_bad + fragment->datagrams_no_room,
	    worker->flow.evicted,
	    run->servers.evicted,
	    run->source.interface_packets,
	    run->source.interface_missed,
	    run->source.interface_outages,
	    store_sum(run->written.store.lost),
	    sent->seen + taken->seen,
	    sent->kept + taken->kept,
	    sent->other + taken->other,
	    sent->malformed + taken->malformed,
	    sent->left_out + taken->left_out,
	    worker->messages.told,
	    worker->messages.left_out,
	}};
}

struct capture_accounting capture_accounting_since(
    const struct capture_accounting *now, const struct capture_accounting *before)
{
	struct capture_accounting since;
	for (size_t i = 0; i < CAPTURE_COUNTERS; i++)
		since.counters[i] = now->counters[i] - before->counters[i];
	return since;
}

void capture_accounting_add(
    struct capture_accounting *sum, const struct capture_accounting *one)
{
	for (size_t i = 0; i < CAPTURE_COUNTERS; i++)
		sum->counters[i] += one->counters[i];
}

void capture_accounting_write(struct json *json, const struct capture_accounting *accounting)
{
	json_object_begin(json);
	for (size_t i = 0; i < CAPTURE_COUNTERS; i++)
		json_key_unsigned(json, counters[i].key, accounting->counters[i]);
	json_object_end(json);
}

void capture_accounting_print(FILE *out, const struct capture_accounting *accounting)
{
	for (size_t i = 0; i < CAPTURE_COUNTERS; i++)
		if (accounting->counters[i] > 0)
			fprintf(
			    out, "  %12" PRIu64 " %s\n", accounting->counters[i], counters[i].help);
}
