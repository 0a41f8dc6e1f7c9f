// SPDX-License-Identifier: Apache-2.0
#include "analytics/summary_certificates.h"

#include "capture/base/hash.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

// Servers are told apart up to this many; what more there are is said.
enum { SERVERS_FIRST = 1024, SERVERS_MAX = 1 << 20 };

// What is counted, for sessions and for servers: the faults, and these.
enum mark {
	MARK_JUDGED = FAULTS, // the chain: something is wrong with it, or nothing
	MARK_UNJUDGED, // neither is known: an algorithm that OpenSSL lacks, a certificate given up
	MARK_VALID, // nothing wrong with the chain
	MARK_EXPIRES_SOON,
	MARK_NAME_MATCH,
	MARK_COMMON_NAME,
	MARK_MISMATCH,
	MARKS,
};

_Static_assert(MARKS <= 32, "a bit each");

struct server {
	uint64_t key; // 0: free
	uint32_t marks;
};

struct certificate_summary {
	uint64_t handshakes, seen, decrypted, remembered;
	uint64_t names; // sessions whose name was known
	uint64_t sessions[MARKS];
	uint64_t clients, refused, went_on; // over certificates that no check lets pass
	struct hash_key key;
	struct server *servers;
	size_t server_count, places;
	uint64_t untold; // sessions of servers beyond what is told apart
};

struct certificate_summary *certificate_summary_create(void)
{
	struct certificate_summary *summary = calloc(1, sizeof *summary);
	if (summary == NULL)
		return NULL;
	summary->key = hash_key_random();
	summary->places = SERVERS_FIRST;
	summary->servers = calloc(summary->places, sizeof *summary->servers);
	if (summary->servers != NULL)
		return summary;
	free(summary);
	return NULL;
}

void certificate_summary_destroy(struct certificate_summary *summary)
{
	if (summary == NULL)
		return;
	free(summary->servers);
	free(summary);
}

/* ---- servers ---- */

static struct server *place_of(struct server *servers, size_t places, uint64_t key)
{
	size_t at = key & (places - 1);
	while (servers[at].key != 0 && servers[at].key != key)
		at = (at + 1) & (places - 1);
	return &servers[at];
}

static bool grow(struct certificate_summary *summary)
{
	size_t places = summary->places * 2;
	struct server *larger = places <= SERVERS_MAX * 2 ? calloc(places, sizeof *larger) : NULL;
	if (larger == NULL)
		return false;
	for (size_t i = 0; i < summary->places; i++)
		if (summary->servers[i].key != 0)
			*place_of(larger, places, summary->servers[i].key) = summary->servers[i];
	free(summary->servers);
	summary->servers = larger;
	summary->places = places;
	return true;
}

static void mark_server(
    struct certificate_summary *summary, const struct session_record *record, uint32_t marks)
{
	struct {
		struct ip_address address;
		uint64_t port;
	} identity;
	memset(&identity, 0, sizeof identity);
	identity.address = record->address[FROM_SERVER];
	identity.port = record->port[FROM_SERVER];
	uint64_t key = hash_bytes(&summary->key, &identity, sizeof identity) | 1;
	if (summary->server_count * 2 >= summary->places && !grow(summary)) {
		summary->untold++;
		return;
	}
	struct server *server = place_of(summary->servers, summary->places, key);
	summary->server_count += server->key == 0;
	server->key = key;
	server->marks |= marks;
}

/* ---- counting ---- */

static uint32_t marks_of(const struct certificate_judgement *certificates)
{
	const struct chain_judgement *chain = &certificates->chain[FROM_SERVER];
	uint32_t marks = 1u << MARK_UNJUDGED;
	if (certificates->judged[FROM_SERVER] && chain->faults != 0)
		marks = 1u << MARK_JUDGED | chain->faults;
	else if (certificates->judged[FROM_SERVER] && chain->trust_known)
		marks = 1u << MARK_JUDGED | 1u << MARK_VALID;
	if (certificates->expires_soon)
		marks |= 1u << MARK_EXPIRES_SOON;
	switch (certificates->name_match) {
	case NAME_UNKNOWN:
		break;
	case NAME_MATCH_SAN:
		marks |= 1u << MARK_NAME_MATCH;
		break;
	case NAME_MATCH_COMMON_NAME_ONLY:
		marks |= 1u << MARK_COMMON_NAME;
		break;
	case NAME_MISMATCH:
		marks |= 1u << MARK_MISMATCH;
		break;
	}
	return marks;
}

static void count_client(
    struct certificate_summary *summary, const struct certificate_judgement *certificates)
{
	bool known = certificates->client_verifies != NOT_SEEN;
	summary->refused += certificates->client_verifies == SEEN_YES;
	summary->went_on += certificates->client_verifies == SEEN_NO;
	summary->clients += known || certificates->unacceptable;
}

void certificate_summary_count(
    struct certificate_summary *summary, const struct judged_session *judged)
{
	const struct certificate_judgement *certificates = &judged->certificates;
	summary->handshakes += judged->record->session->tls.version != 0;
	count_client(summary, certificates);
	summary->remembered += certificates->source == CERTIFICATES_IN_MEMORY;
	if (certificates->source != CERTIFICATES_IN_HANDSHAKE &&
	    certificates->source != CERTIFICATES_IN_KEYLOG)
		return;
	summary->seen++;
	summary->decrypted += certificates->source == CERTIFICATES_IN_KEYLOG;
	summary->names += certificates->name_match != NAME_UNKNOWN;
	uint32_t marks = marks_of(certificates);
	for (unsigned mark = 0; mark < MARKS; mark++)
		summary->sessions[mark] += marks >> mark & 1;
	mark_server(summary, judged->record, marks);
}

/* ---- printing ---- */

static double percent(uint64_t part, uint64_t of)
{
	return of > 0 ? 100.0 * (double)part / (double)of : 0.0;
}

static uint64_t servers_with(const struct certificate_summary *summary, unsigned mark)
{
	uint64_t count = 0;
	for (size_t i = 0; i < summary->places; i++)
		count += summary->servers[i].marks >> mark & 1;
	return count;
}

static void print_mark(
    const struct certificate_summary *summary, FILE *out, unsigned mark, const char *name)
{
	if (summary->sessions[mark] > 0)
		fprintf(out, "  %-26s %9" PRIu64 " %9" PRIu64 "\n", name,
		    servers_with(summary, mark), summary->sessions[mark]);
}

static void print_if(FILE *out, uint64_t count, const char *what)
{
	if (count > 0)
		fprintf(out, "  %" PRIu64 " %s\n", count, what);
}

// What was left out, or could not be read.
static void print_bounds(const struct certificate_judge_counters *counters, FILE *out)
{
	print_if(out, counters->trust.crls, "revocation lists");
	print_if(out, counters->trust.damaged, "certificates to trust could not be read");
	print_if(out, counters->trust.crls_damaged, "revocation lists could not be read");
	print_if(out, counters->certificates.evicted,
	    "certificates were given up for lack of memory (--memory)");
	print_if(out, counters->certificates.refused,
	    "certificates were too large to be kept (--memory)");
	print_if(out, counters->chains.evicted,
	    "judgements were given up for lack of memory, and made again when needed");
	print_if(out, counters->chains.unjudged - counters->chains.too_dear,
	    "lists could not be judged: a certificate had been given up");
	print_if(out, counters->chains.too_dear,
	    "lists were not judged: too many that are dear to judge, in too short a time");
	print_if(out, counters->servers.evicted,
	    "servers were forgotten whose certificate might have been recalled");
}

static void print_table(
    const struct certificate_summary *summary, const struct run_accounting *accounting, FILE *out)
{
	fprintf(out, "  %-26s %9s %9s\n", "", "servers", "sessions");
	print_mark(summary, out, MARK_UNJUDGED, "chain not judged");
	print_mark(summary, out, MARK_JUDGED, "chain judged");
	print_mark(summary, out, MARK_VALID, "valid");
	for (unsigned fault = 0; fault < FAULTS; fault++)
		print_mark(summary, out, fault,
		    certificate_fault_name((enum certificate_fault)(1u << fault)));
	print_mark(summary, out, MARK_EXPIRES_SOON, "expires soon");
	if (summary->names > 0) {
		fprintf(out, "  %-26s %9s %9" PRIu64 "\n", "name known", "", summary->names);
		print_mark(summary, out, MARK_NAME_MATCH, "for this name");
		print_mark(summary, out, MARK_COMMON_NAME, "only in the common name");
		print_mark(summary, out, MARK_MISMATCH, "for another name");
	}
	if (summary->untold > 0)
		fprintf(out, "  servers are told apart up to %d; %" PRIu64 " sessions more\n",
		    SERVERS_MAX, summary->untold);
	fprintf(out, "  judged by %s\n", accounting->trust);
	print_bounds(&accounting->certificates, out);
}

static void print_clients(const struct certificate_summary *summary, FILE *out)
{
	if (summary->clients == 0)
		return;
	uint64_t known = summary->refused + summary->went_on;
	fprintf(out,
	    "\nClients that were shown a certificate that no check lets pass, or refused one\n"
	    "  refused it   %9" PRIu64 "\n  went on      %9" PRIu64 "\n",
	    summary->refused, summary->went_on);
	if (summary->clients > known)
		fprintf(out, "  not known    %9" PRIu64 "\n", summary->clients - known);
}

void certificate_summary_print(
    const struct certificate_summary *summary, const struct run_accounting *accounting, FILE *out)
{
	if (summary->handshakes == 0)
		return;
	fprintf(out,
	    "\nCertificates of servers, seen in %" PRIu64 " of the %" PRIu64
	    " sessions with a server's hello (%.1f %%)",
	    summary->seen, summary->handshakes, percent(summary->seen, summary->handshakes));
	if (summary->decrypted > 0)
		fprintf(out, ", %" PRIu64 " by a key log", summary->decrypted);
	fputc('\n', out);
	if (summary->seen > 0)
		print_table(summary, accounting, out);
	if (summary->remembered > 0)
		fprintf(out,
		    "  of %" PRIu64
		    " more the server's certificate is known from its other sessions; they are "
		    "not counted here\n",
		    summary->remembered);
	print_clients(summary, out);
}
