// SPDX-License-Identifier: Apache-2.0
// What servers do: whether they offer TLS, what their certificates are worth, whether they refuse mail
// and log-ins in the clear. A server is an address and a port.
#include "analytics/chain_judge.h"
#include "analytics/table_rows.h"
#include "analytics/tables.h"

#include <stdlib.h>
#include <string.h>

// What a session's TLS showed of the server's certificate.
enum shown {
	SHOWN_GOOD, // valid, and for the name asked for
	SHOWN_NAME_UNKNOWN, // valid; no name to compare it with
	SHOWN_OTHER_NAME, // valid but for another name
	SHOWN_BAD, // something else is wrong
	SHOWN_NONE, // TLS without a certificate
	SHOWN_UNJUDGED, // without a trust store
	SHOWN_MIXED, // of servers only: several of those above
	SHOWN_NOT_SEEN, // TLS hid it
	SHOWN_KINDS,
};

struct server {
	struct host_name name; // as last asked for, or as the server last called itself
	enum hop hop; // the first one seen
	uint64_t sessions, established;
	struct tally offered; // TLS, by STARTTLS or from the first byte
	struct tally refuses_clear;
	uint64_t shown[SHOWN_KINDS];
	unsigned faults; // of any session
};

struct servers {
	struct bounded_map *servers; // struct server_port_key → struct server
	uint64_t others; // sessions of servers that did not fit
	uint64_t shown[SHOWN_KINDS], recalled[SHOWN_KINDS], faults[FAULTS]; // sessions
};

static void servers_destroy(void *accumulator)
{
	struct servers *servers = accumulator;
	bounded_map_destroy(servers->servers);
	free(servers);
}

static void *servers_create(const struct table_frame *frame)
{
	struct servers *servers = calloc(1, sizeof *servers);
	if (servers == NULL)
		return NULL;
	servers->servers =
	    bounded_map_create(sizeof(struct server), frame_most(frame, SERVERS_MAX));
	if (servers->servers != NULL)
		return servers;
	free(servers);
	return NULL;
}

/* ---- counting ---- */

static enum shown shown_by(const struct session_facts *facts)
{
	if (facts->anonymous)
		return SHOWN_NONE;
	if (!facts->certificate_seen)
		return SHOWN_NOT_SEEN;
	if (!facts->faults_known)
		return SHOWN_UNJUDGED;
	if ((facts->faults & ~(unsigned)FAULT_NAME_MISMATCH) != 0)
		return SHOWN_BAD;
	if ((facts->faults & FAULT_NAME_MISMATCH) != 0)
		return SHOWN_OTHER_NAME;
	return facts->name_match == SEEN_YES ? SHOWN_GOOD : SHOWN_NAME_UNKNOWN;
}

static enum seen offers_tls(const struct session_facts *facts)
{
	if (facts->tls_mode != TLS_MODE_IMPLICIT)
		return facts->starttls_offered;
	return facts->tls_established == SEEN_YES ? SEEN_YES : NOT_SEEN;
}

static void count_server(
    struct server *server, const struct session_facts *facts, bool tls, enum shown shown)
{
	server->sessions++;
	if (server->hop == HOP_NONE)
		server->hop = facts->hop;
	if (facts->asked_name.text[0] != '\0')
		host_name_copy(&server->name, &facts->asked_name);
	else if (facts->server_name.text[0] != '\0')
		host_name_copy(&server->name, &facts->server_name);
	server->established += facts->tls_established == SEEN_YES;
	tally_add(&server->offered, offers_tls(facts));
	tally_add(&server->refuses_clear, facts->tls_required);
	if (tls)
		server->shown[shown]++;
	server->faults |= facts->faults;
}

static void servers_count(void *accumulator, const struct session_facts *facts)
{
	struct servers *servers = accumulator;
	struct server_port_key key = server_port_key_of(facts);
	// A handshake that came as far as the certificate, or was completed without the tap seeing it.
	bool tls =
	    facts->certificate_seen || facts->anonymous || facts->tls_established == SEEN_YES;
	enum shown shown = shown_by(facts);
	if (!is_mail(facts))
		return;
	struct server *server = bounded_map_at(servers->servers, &key, sizeof key);
	if (server != NULL)
		count_server(server, facts, tls, shown);
	else
		servers->others++;
	if (!tls)
		return;
	servers->shown[shown]++;
	servers->recalled[shown] += facts->certificate_recalled;
	for (unsigned fault = 0; fault < FAULTS; fault++)
		servers->faults[fault] += facts->faults >> fault & 1;
}

static void add_server(void *sum, const void *part)
{
	struct server *server = sum;
	const struct server *more = part;
	if (server->hop == HOP_NONE)
		server->hop = more->hop;
	if (more->name.text[0] != '\0')
		host_name_copy(&server->name, &more->name);
	server->sessions += more->sessions;
	server->established += more->established;
	add_numbers(&server->offered, &more->offered, sizeof server->offered);
	add_numbers(&server->refuses_clear, &more->refuses_clear, sizeof server->refuses_clear);
	add_numbers(server->shown, more->shown, sizeof server->shown);
	server->faults |= more->faults;
}

static void servers_add(void *sum, const void *part)
{
	struct servers *servers = sum;
	const struct servers *more = part;
	struct server others = {.sessions = 0};
	map_add(servers->servers, more->servers, add_server, &others);
	servers->others += more->others + others.sessions;
	add_numbers(servers->shown, more->shown, sizeof servers->shown);
	add_numbers(servers->recalled, more->recalled, sizeof servers->recalled);
	add_numbers(servers->faults, more->faults, sizeof servers->faults);
}

/* ---- servers by what they do ---- */

static const char *const shown_names[SHOWN_KINDS] = {
    [SHOWN_GOOD] = "valid_and_matching",
    [SHOWN_NAME_UNKNOWN] = "valid_name_unknown",
    [SHOWN_OTHER_NAME] = "valid_but_mismatched",
    [SHOWN_BAD] = "invalid",
    [SHOWN_NONE] = "none",
    [SHOWN_UNJUDGED] = "not_judged",
    [SHOWN_MIXED] = "mixed",
    [SHOWN_NOT_SEEN] = NULL,
};

// The one kind that all sessions showed which showed any.
static enum shown certificate_of(const struct server *server)
{
	enum shown found = SHOWN_NOT_SEEN;
	for (int shown = 0; shown < SHOWN_MIXED; shown++) {
		if (server->shown[shown] == 0)
			continue;
		if (found != SHOWN_NOT_SEEN)
			return SHOWN_MIXED;
		found = (enum shown)shown;
	}
	return found;
}

// Servers of one hop.
struct group {
	uint64_t offered[HABITS], certificate[SHOWN_KINDS], refuses[HABITS];
};

static void group_servers(const struct servers *servers, struct group groups[HOPS])
{
	memset(groups, 0, HOPS * sizeof groups[0]);
	for (size_t i = 0; i < bounded_map_count(servers->servers); i++) {
		const struct server *server = bounded_map_entry(servers->servers, i).value;
		struct group *group = &groups[server->hop];
		group->offered[habit_of(server->offered.yes, server->offered.no)]++;
		group->refuses[habit_of(server->refuses_clear.yes, server->refuses_clear.no)]++;
		if (server->offered.yes + server->established > 0)
			group->certificate[certificate_of(server)]++;
	}
}

// `of`: servers of which it was seen.
static void value_row(struct row_sink *sink, enum hop hop, const char *property, const char *value,
    uint64_t count, uint64_t of)
{
	struct cell cells[] = {cell_name(hop_name(hop)), cell_name(property), cell_name(value),
	    cell_number(count), value != NULL ? cell_share(count, of) : cell_null()};
	if (count > 0)
		sink->row(sink, cells);
}

static void habit_rows(
    struct row_sink *sink, enum hop hop, const char *property, const uint64_t habits[HABITS])
{
	uint64_t of = habits[HABIT_ALWAYS] + habits[HABIT_SOMETIMES] + habits[HABIT_NEVER];
	for (int habit = 0; habit < HABITS; habit++)
		value_row(sink, hop, property, habit_name((enum habit)habit), habits[habit], of);
}

static void servers_rows(const void *accumulator, struct row_sink *sink)
{
	const struct servers *servers = accumulator;
	struct group groups[HOPS];
	group_servers(servers, groups);
	for (int number = 0; number < HOPS; number++) {
		enum hop hop = (enum hop)((number + 1) % HOPS); // no hop comes last
		const struct group *group = &groups[hop];
		uint64_t of = 0;
		habit_rows(sink, hop, "offers_tls", group->offered);
		for (unsigned i = 0; i < SHOWN_NOT_SEEN; i++)
			of += group->certificate[i];
		for (unsigned i = 0; i < SHOWN_KINDS; i++)
			value_row(
			    sink, hop, "certificate", shown_names[i], group->certificate[i], of);
		habit_rows(sink, hop, "refuses_cleartext", group->refuses);
	}
	value_row(sink, HOP_NONE, OTHERS, "sessions_of_more_servers", servers->others, 0);
}

/* ---- each server ---- */

static int by_sessions(const struct map_entry *one, const struct map_entry *other)
{
	const struct server *a = one->value, *b = other->value;
	return compare_numbers(a->sessions, b->sessions);
}

static void server_row(struct row_sink *sink, const struct map_entry *entry)
{
	const struct server *server = entry->value;
	struct server_port_key key;
	char address[SERVER_ADDRESS_TEXT];
	memcpy(&key, entry->key, sizeof key);
	struct cell cells[] = {cell_address(&key.address, address),
	    cell_number((uint64_t)(key.port[0] << 8 | key.port[1])), cell_string(server->name.text),
	    cell_name(hop_name(server->hop)), cell_number(server->sessions),
	    cell_number(server->offered.yes), cell_number(server->offered.no),
	    cell_number(server->established), cell_name(shown_names[certificate_of(server)]),
	    cell_name(habit_name(habit_of(server->refuses_clear.yes, server->refuses_clear.no)))};
	sink->row(sink, cells);
}

static void server_list_rows(const void *accumulator, struct row_sink *sink)
{
	const struct servers *servers = accumulator;
	map_rows(servers->servers, by_sessions, server_row, sink);
	struct cell cells[10] = {cell_name(OTHERS), [4] = cell_number(servers->others)};
	if (servers->others > 0)
		sink->row(sink, cells);
}

/* ---- certificates ---- */

struct seen_by {
	uint64_t servers, shown[SHOWN_KINDS], faults[FAULTS];
};

static void count_seen_by(const struct servers *servers, struct seen_by *by)
{
	*by = (struct seen_by){0};
	for (size_t i = 0; i < bounded_map_count(servers->servers); i++) {
		const struct server *server = bounded_map_entry(servers->servers, i).value;
		uint64_t judged = 0;
		for (unsigned shown = 0; shown < SHOWN_KINDS; shown++) {
			by->shown[shown] += server->shown[shown] > 0;
			judged += shown < SHOWN_UNJUDGED ? server->shown[shown] : 0;
		}
		by->servers += judged > 0;
		for (unsigned fault = 0; fault < FAULTS; fault++)
			by->faults[fault] += server->faults >> fault & 1;
	}
}

struct status {
	const char *axis, *name;
	uint64_t sessions, servers;
	struct cell recalled;
	bool judged;
};

static void status_row(
    struct row_sink *sink, const struct status *status, uint64_t of_sessions, uint64_t of_servers)
{
	struct cell cells[] = {cell_name(status->axis), cell_name(status->name),
	    cell_number(status->sessions),
	    status->judged ? cell_share(status->sessions, of_sessions) : cell_null(),
	    cell_number(status->servers),
	    status->judged ? cell_share(status->servers, of_servers) : cell_null(),
	    status->recalled};
	if (status->sessions > 0)
		sink->row(sink, cells);
}

static void certificates_rows(const void *accumulator, struct row_sink *sink)
{
	const struct servers *servers = accumulator;
	struct seen_by by;
	uint64_t judged = 0;
	count_seen_by(servers, &by);
	for (unsigned shown = 0; shown < SHOWN_UNJUDGED; shown++)
		judged += servers->shown[shown];
	for (unsigned shown = 0; shown < SHOWN_KINDS; shown++) {
		struct status status = {"certificate", shown_names[shown], servers->shown[shown],
		    by.shown[shown], cell_number(servers->recalled[shown]), shown < SHOWN_UNJUDGED};
		status_row(sink, &status, judged, by.servers);
	}
	for (unsigned fault = 0; fault < FAULTS; fault++) {
		struct status status = {"fault",
		    certificate_fault_name((enum certificate_fault)(1u << fault)),
		    servers->faults[fault], by.faults[fault], cell_null(), true};
		status_row(sink, &status, judged, by.servers);
	}
}

/* ---- the tables ---- */

static const struct accumulator_ops accumulator = {
    servers_create, servers_destroy, servers_count, servers_add};

static const struct column servers_columns[] = {
    {"hop", "hop", "submission, relay or access; null: not known", COLUMN_TEXT},
    {"property", "property", "what is told of", COLUMN_TEXT},
    {"value", "value", "null: the tap could not see it", COLUMN_TEXT},
    {"count", "servers", "servers", COLUMN_LEVEL},
    {"share", "of those seen", "of the servers of this hop of which it was seen", COLUMN_SHARE},
};

static const struct column server_list_columns[] = {
    {"server_ip", "server", "its address", COLUMN_TEXT},
    {"server_port", "port", "its port", COLUMN_NUMBER},
    {"server_name", "name", "as last asked for, or as it last called itself", COLUMN_NOTE},
    {"hop", "hop", "submission, relay or access", COLUMN_NOTE},
    {"sessions", "sessions", "sessions with it", COLUMN_COUNT},
    {"offered", "TLS offered", "sessions in which it offered TLS", COLUMN_COUNT},
    {"not_offered", "not", "sessions in which it did not", COLUMN_COUNT},
    {"established", NULL, "sessions in which TLS was established", COLUMN_COUNT},
    {"certificate", "certificate", "what all sessions that showed it agree on", COLUMN_NOTE},
    {"refuses_cleartext", NULL, "it refuses mail or log-in in the clear", COLUMN_NOTE},
};

static const struct column certificates_columns[] = {
    {"axis", "of", "the certificate as a whole, or one fault of it", COLUMN_TEXT},
    {"status", "status", "null: not seen", COLUMN_TEXT},
    {"sessions", "sessions", "TLS sessions", COLUMN_COUNT},
    {"sessions_share", "of those judged", "of the sessions in which it was judged", COLUMN_SHARE},
    {"servers", "servers", "servers with such a session; one may have several", COLUMN_LEVEL},
    {"servers_share", "of those judged", "of the servers with a session in which it was judged",
        COLUMN_SHARE},
    {"recalled", NULL, "sessions that hide it, where the server always shows this one elsewhere",
        COLUMN_COUNT},
};

const struct table_ops servers_table = {
    .name = "servers",
    .title = "Servers by what they do",
    .denominator = "servers (address and port) of the hop of which it was seen",
    .unseen = "TLS 1.3 hides certificates; a server nobody asked, and several behind one address",
    TABLE_COLUMNS(servers_columns),
    .accumulator = &accumulator,
    .rows = servers_rows,
};

const struct table_ops server_list_table = {
    .name = "server_list",
    .title = "Each server",
    .denominator = "sessions with this server; certificate: sessions that showed it",
    .unseen = "TLS 1.3 hides certificates; several machines behind one address",
    .use = TABLE_MANY | TABLE_LONG,
    TABLE_COLUMNS(server_list_columns),
    .accumulator = &accumulator,
    .rows = server_list_rows,
};

const struct table_ops certificates_table = {
    .name = "certificates",
    .title = "Server certificates by session and by server",
    .denominator = "TLS sessions in which it was judged, and servers with such a session",
    .unseen =
        "certificates of TLS 1.3 and of resumed sessions; names clients know by DNS or pinning",
    TABLE_COLUMNS(certificates_columns),
    .accumulator = &accumulator,
    .rows = certificates_rows,
};
