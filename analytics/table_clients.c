// SPDX-License-Identifier: Apache-2.0
// What clients do: whether they take STARTTLS where it is offered, and whether they look at
// certificates. A client is an address.
#include "analytics/table_rows.h"
#include "analytics/tables.h"

#include <stdlib.h>
#include <string.h>

struct client {
	struct tally uses; // STARTTLS, of the offers that it got
	uint64_t tls; // sessions with TLS
	uint64_t carried[VERDICTS]; // sessions with TLS, or mail or a log-in in the clear
	uint64_t verified, lenient; // sessions that show it
};

struct clients {
	struct bounded_map *clients; // address → struct client
	struct client others; // all that did not fit
};

static void clients_destroy(void *accumulator)
{
	struct clients *clients = accumulator;
	bounded_map_destroy(clients->clients);
	free(clients);
}

static void *clients_create(const struct table_frame *frame)
{
	struct clients *clients = calloc(1, sizeof *clients);
	if (clients == NULL)
		return NULL;
	clients->clients =
	    bounded_map_create(sizeof(struct client), frame_most(frame, CLIENTS_MAX));
	if (clients->clients != NULL)
		return clients;
	free(clients);
	return NULL;
}

static void clients_count(void *accumulator, const struct session_facts *facts)
{
	struct clients *clients = accumulator;
	const struct ip_address *address = &facts->address[FROM_CLIENT];
	bool offered = facts->starttls_offered == SEEN_YES;
	bool tls = facts->tls_established == SEEN_YES || facts->client_verifies != NOT_SEEN;
	bool carried = session_facts_carried(facts);
	if (!is_mail(facts) || !(offered || tls || carried))
		return;
	struct client *client = bounded_map_at(clients->clients, address, sizeof *address);
	if (client == NULL)
		client = &clients->others;
	if (offered)
		tally_add(&client->uses, facts->starttls_requested);
	client->tls += tls;
	client->carried[facts->verdict] += carried;
	client->verified += facts->client_verifies == SEEN_YES;
	client->lenient += facts->client_verifies == SEEN_NO;
}

static void add_client(void *sum, const void *part)
{
	add_numbers(sum, part, sizeof(struct client));
}

static void clients_add(void *sum, const void *part)
{
	struct clients *clients = sum;
	const struct clients *more = part;
	map_add(clients->clients, more->clients, add_client, &clients->others);
	add_client(&clients->others, &more->others);
}

/* ---- STARTTLS ---- */

static void use_rows(const void *accumulator, struct row_sink *sink)
{
	const struct clients *clients = accumulator;
	struct tally offers[HABITS] = {0};
	uint64_t with[HABITS] = {0};
	for (size_t i = 0; i < bounded_map_count(clients->clients); i++) {
		const struct client *client = bounded_map_entry(clients->clients, i).value;
		const struct tally *uses = &client->uses;
		if (uses->yes + uses->no + uses->not_seen == 0)
			continue;
		enum habit habit = habit_of(uses->yes, uses->no);
		with[habit]++;
		offers[habit].yes += uses->yes;
		offers[habit].no += uses->no;
		offers[habit].not_seen += uses->not_seen;
	}
	uint64_t of = with[HABIT_ALWAYS] + with[HABIT_SOMETIMES] + with[HABIT_NEVER];
	for (int habit = 0; habit < HABITS; habit++) {
		struct cell cells[] = {cell_name(habit_name((enum habit)habit)),
		    cell_number(with[habit]),
		    habit != HABIT_NOT_SEEN ? cell_share(with[habit], of) : cell_null(),
		    cell_number(offers[habit].yes), cell_number(offers[habit].no),
		    cell_number(offers[habit].not_seen)};
		sink->row(sink, cells);
	}
	const struct tally *others = &clients->others.uses;
	struct cell cells[] = {cell_name(OTHERS), cell_null(), cell_null(),
	    cell_number(others->yes), cell_number(others->no), cell_number(others->not_seen)};
	if (others->yes + others->no + others->not_seen > 0)
		sink->row(sink, cells);
}

/* ---- checks of certificates ---- */

enum checks {
	CHECKS_YES,
	CHECKS_NO,
	CHECKS_BOTH,
	CHECKS_NOT_SEEN,
	CHECKS_KINDS,
};

static enum checks checks_of(const struct client *client)
{
	if (client->verified > 0)
		return client->lenient > 0 ? CHECKS_BOTH : CHECKS_YES;
	return client->lenient > 0 ? CHECKS_NO : CHECKS_NOT_SEEN;
}

static void verification_rows(const void *accumulator, struct row_sink *sink)
{
	static const char *const names[CHECKS_KINDS] = {
	    [CHECKS_YES] = "refuses_bad", [CHECKS_NO] = "accepts_bad", [CHECKS_BOTH] = "both"};
	const struct clients *clients = accumulator;
	struct client sums[CHECKS_KINDS] = {0};
	uint64_t with[CHECKS_KINDS] = {0};
	for (size_t i = 0; i < bounded_map_count(clients->clients); i++) {
		const struct client *client = bounded_map_entry(clients->clients, i).value;
		enum checks checks = checks_of(client);
		if (client->tls == 0)
			continue;
		with[checks]++;
		sums[checks].tls += client->tls;
		sums[checks].verified += client->verified;
		sums[checks].lenient += client->lenient;
	}
	uint64_t of = with[CHECKS_YES] + with[CHECKS_NO] + with[CHECKS_BOTH];
	for (int i = 0; i < CHECKS_KINDS; i++) {
		struct cell cells[] = {cell_name(names[i]), cell_number(with[i]),
		    i != CHECKS_NOT_SEEN ? cell_share(with[i], of) : cell_null(),
		    cell_number(sums[i].tls), cell_number(sums[i].verified),
		    cell_number(sums[i].lenient)};
		sink->row(sink, cells);
	}
	const struct client *others = &clients->others;
	struct cell cells[] = {cell_name(OTHERS), cell_null(), cell_null(),
	    cell_number(others->tls), cell_number(others->verified), cell_number(others->lenient)};
	if (others->tls > 0)
		sink->row(sink, cells);
}

/* ---- each of them ---- */

static uint64_t carried_by(const struct client *client)
{
	return client->carried[VERDICT_ENCRYPTED] + client->carried[VERDICT_CLEARTEXT] +
	       client->carried[VERDICT_STRIPPED];
}

static int by_carried(const struct map_entry *one, const struct map_entry *other)
{
	return compare_numbers(carried_by(one->value), carried_by(other->value));
}

static void list_row(struct row_sink *sink, struct cell address, const struct client *client)
{
	uint64_t encrypted = client->carried[VERDICT_ENCRYPTED], carried = carried_by(client);
	struct cell cells[] = {address, cell_number(carried), cell_number(encrypted),
	    cell_number(client->carried[VERDICT_CLEARTEXT]),
	    cell_number(client->carried[VERDICT_STRIPPED]), cell_number(client->uses.yes),
	    cell_number(client->uses.no), cell_number(client->verified),
	    cell_number(client->lenient), cell_share(encrypted, carried)};
	sink->row(sink, cells);
}

static void client_row(struct row_sink *sink, const struct map_entry *entry)
{
	char text[SERVER_ADDRESS_TEXT];
	struct ip_address address;
	memcpy(&address, entry->key, sizeof address);
	list_row(sink, cell_address(&address, text), entry->value);
}

static void list_rows(const void *accumulator, struct row_sink *sink)
{
	const struct clients *clients = accumulator;
	const struct tally *uses = &clients->others.uses;
	map_rows(clients->clients, by_carried, client_row, sink);
	if (carried_by(&clients->others) + clients->others.tls + uses->yes + uses->no +
	        uses->not_seen >
	    0)
		list_row(sink, cell_name(OTHERS), &clients->others);
}

/* ---- the tables ---- */

static const struct accumulator_ops accumulator = {
    clients_create, clients_destroy, clients_count, clients_add};

static const struct column use_columns[] = {
    {"uses", "takes it", "how often a client takes the offer; null: not seen", COLUMN_TEXT},
    {"clients", "clients", "clients", COLUMN_LEVEL},
    {"share", "of those seen", "of the clients of which it was seen", COLUMN_SHARE},
    {"offers_taken", "offers taken", "offers that they took", COLUMN_COUNT},
    {"offers_ignored", "ignored", "offers that they ignored", COLUMN_COUNT},
    {"offers_not_seen", "not seen", "offers of which the answer was not seen", COLUMN_COUNT},
};

static const struct column list_columns[] = {
    {"client_ip", "client", "its address", COLUMN_TEXT},
    {"sessions", "carried", "its sessions with TLS, or mail or a log-in in the clear", COLUMN_COUNT},
    {"encrypted", "encrypted", "sessions protected by TLS", COLUMN_COUNT},
    {"cleartext", "clear", "sessions with mail or a log-in in the clear", COLUMN_COUNT},
    {"stripped", "stripped", "sessions kept from using TLS", COLUMN_COUNT},
    {"offers_taken", "took offer", "offers of STARTTLS that it took", COLUMN_COUNT},
    {"offers_ignored", "ignored", "offers that it ignored", COLUMN_COUNT},
    {"refused", NULL, "sessions in which it refused a certificate", COLUMN_COUNT},
    {"accepted", NULL, "sessions in which it went on over a bad certificate", COLUMN_COUNT},
    {"share", "of carried", "encrypted, of all encrypted, cleartext and stripped", COLUMN_SHARE},
};

static const struct column verification_columns[] = {
    {"checks", "certificates", "refuses_bad: a fatal alert of a check; accepts_bad: went on",
        COLUMN_TEXT},
    {"clients", "clients", "clients", COLUMN_LEVEL},
    {"share", "of those seen", "of the clients of which it was seen", COLUMN_SHARE},
    {"tls_sessions", "TLS sessions", "their sessions with TLS", COLUMN_COUNT},
    {"refused", "refused", "sessions in which they refused a certificate", COLUMN_COUNT},
    {"accepted", "accepted", "sessions in which they went on over a bad certificate", COLUMN_COUNT},
};

const struct table_ops starttls_use_table = {
    .name = "starttls_use",
    .title = "Clients by whether they take STARTTLS where it is offered",
    .denominator = "clients (addresses) that were offered it and whose answer was seen",
    .unseen = "several machines behind one address; offers removed in front of the tap",
    TABLE_COLUMNS(use_columns),
    .accumulator = &accumulator,
    .rows = use_rows,
};

const struct table_ops verification_table = {
    .name = "verification",
    .title = "Clients by whether they check certificates",
    .denominator =
        "clients (addresses) that showed it; who met only good certificates shows nothing",
    .unseen = "checks that pass; pinning and DANE look like leniency; TLS 1.3 hides alerts",
    TABLE_COLUMNS(verification_columns),
    .accumulator = &accumulator,
    .rows = verification_rows,
};

const struct table_ops client_list_table = {
    .name = "client_list",
    .title = "Each client",
    .denominator = "its sessions with TLS, or mail or a log-in in the clear",
    .unseen = "several machines behind one address, and one machine behind several",
    .use = TABLE_MANY | TABLE_LONG,
    TABLE_COLUMNS(list_columns),
    .accumulator = &accumulator,
    .rows = list_rows,
};
