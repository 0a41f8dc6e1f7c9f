// SPDX-License-Identifier: Apache-2.0
#include "analytics/summary_evidence.h"

#include "analytics/community_id.h"
#include "analytics/plain_text.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum {
	SERVERS_MAX = 256, // with stripped sessions, told apart; further ones are only counted
	SERVERS_SHOWN = 8,
	NAME_SHOWN = 48, // columns of a server's name
	NETWORKS_SHOWN = 3,
};

struct stripped_server {
	struct ip_address address;
	uint16_t port;
	uint64_t sessions;
	char name[NAME_SHOWN * 4 + 1];
	struct path_networks networks; // as of the last session
};

struct evidence_summary {
	uint64_t stripped[CONFIDENCES];
	uint64_t kinds[EVIDENCE_KINDS][CONFIDENCES]; // sessions with a piece
	size_t server_count;
	uint64_t others; // stripped sessions at servers that are not told apart
	struct stripped_server servers[SERVERS_MAX];
};

struct evidence_summary *evidence_summary_create(void)
{
	return calloc(1, sizeof(struct evidence_summary));
}

void evidence_summary_destroy(struct evidence_summary *summary)
{
	free(summary);
}

/* ---- counting ---- */

static struct stripped_server *server_of(
    struct evidence_summary *summary, const struct session_record *record)
{
	for (size_t i = 0; i < summary->server_count; i++) {
		struct stripped_server *server = &summary->servers[i];
		if (server->port == record->port[FROM_SERVER] &&
		    memcmp(&server->address, &record->address[FROM_SERVER],
		        sizeof server->address) == 0)
			return server;
	}
	if (summary->server_count == SERVERS_MAX)
		return NULL;
	struct stripped_server *server = &summary->servers[summary->server_count++];
	*server = (struct stripped_server){
	    .address = record->address[FROM_SERVER], .port = record->port[FROM_SERVER]};
	return server;
}

static void count_stripped(struct evidence_summary *summary, const struct judged_session *judged)
{
	const struct text *name = judged->record->session->server_name;
	summary->stripped[judged->judgement.confidence]++;
	struct stripped_server *server = server_of(summary, judged->record);
	if (server == NULL) {
		summary->others++;
		return;
	}
	server->sessions++;
	server->networks = judged->networks;
	if (name != NULL)
		plain_text(server->name, NAME_SHOWN, name->bytes, name->length);
}

void evidence_summary_count(struct evidence_summary *summary, const struct judged_session *judged)
{
	for (size_t i = 0; i < judged->evidence_count; i++)
		summary->kinds[judged->evidence[i].kind][judged->evidence[i].confidence]++;
	if (judged->judgement.verdict == VERDICT_STRIPPED)
		count_stripped(summary, judged);
}

/* ---- printing ---- */

// "3 confirmed, 1 suspected".
static void print_confidences(const uint64_t counts[CONFIDENCES], FILE *out)
{
	const char *between = "";
	for (int confidence = CONFIDENCE_CONFIRMED; confidence > CONFIDENCE_NONE; confidence--) {
		if (counts[confidence] == 0)
			continue;
		fprintf(out, "%s%" PRIu64 " %s", between, counts[confidence],
		    confidence_name((enum confidence)confidence));
		between = ", ";
	}
}

static uint64_t sum(const uint64_t counts[CONFIDENCES])
{
	return counts[CONFIDENCE_SUSPECTED] + counts[CONFIDENCE_PROBABLE] +
	       counts[CONFIDENCE_CONFIRMED];
}

static void print_networks(
    const char *what, const struct client_network *networks, size_t count, FILE *out)
{
	if (count == 0)
		return;
	fprintf(out, "; %s", what);
	for (size_t i = 0; i < count && i < NETWORKS_SHOWN; i++) {
		char text[CLIENT_NETWORK_TEXT_SIZE];
		client_network_text(text, &networks[i]);
		fprintf(out, "%s %s", i > 0 ? "," : "", text);
	}
	if (count > NETWORKS_SHOWN)
		fprintf(out, " and %zu more", count - NETWORKS_SHOWN);
}

static void print_server(const struct stripped_server *server, FILE *out)
{
	char address[INET6_ADDRSTRLEN];
	bool v4 = ip_address_is_v4(&server->address);
	inet_ntop(v4 ? AF_INET : AF_INET6, server->address.bytes + (v4 ? 12 : 0), address,
	    sizeof address);
	fprintf(out, "    %s%s%s port %u", v4 ? "" : "[", address, v4 ? "" : "]", server->port);
	if (server->name[0] != '\0')
		fprintf(out, " (%s)", server->name);
	fprintf(out, ": %" PRIu64, server->sessions);
	print_networks("from", server->networks.stripped, server->networks.stripped_count, out);
	print_networks("not from", server->networks.clean, server->networks.clean_count, out);
	fputc('\n', out);
}

static int compare_servers(const void *a, const void *b)
{
	const struct stripped_server *const *one = a, *const *other = b;
	return (*one)->sessions > (*other)->sessions ? -1
	                                             : (*one)->sessions < (*other)->sessions;
}

static void print_servers(const struct evidence_summary *summary, FILE *out)
{
	const struct stripped_server *order[SERVERS_MAX];
	size_t count = summary->server_count;
	for (size_t i = 0; i < count; i++)
		order[i] = &summary->servers[i];
	qsort(order, count, sizeof order[0], compare_servers);
	for (size_t i = 0; i < count && i < SERVERS_SHOWN; i++)
		print_server(order[i], out);
	if (count > SERVERS_SHOWN || summary->others > 0)
		fputs("    and at more servers: alerts.jsonl (-w DIR) has them all\n", out);
}

void evidence_summary_print(const struct evidence_summary *summary, uint64_t sessions, FILE *out)
{
	bool any = false;
	for (int kind = 0; kind < EVIDENCE_KINDS; kind++)
		any |= sum(summary->kinds[kind]) > 0;
	fputs("\nStripping and downgrade\n", out);
	fprintf(out, "  stripped     %9" PRIu64 " of %" PRIu64 " sessions", sum(summary->stripped),
	    sessions);
	if (sum(summary->stripped) > 0) {
		fputs(": ", out);
		print_confidences(summary->stripped, out);
	}
	fputc('\n', out);
	print_servers(summary, out);
	if (!any)
		return;
	fputs("  evidence, in so many sessions\n", out);
	for (int kind = 0; kind < EVIDENCE_KINDS; kind++) {
		if (sum(summary->kinds[kind]) == 0)
			continue;
		fprintf(out, "    %-28s ", evidence_kind_name((enum evidence_kind)kind));
		print_confidences(summary->kinds[kind], out);
		fputc('\n', out);
	}
}
