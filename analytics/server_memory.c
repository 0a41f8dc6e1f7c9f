// SPDX-License-Identifier: Apache-2.0
#include "analytics/server_memory.h"

#include "analytics/server_fingerprint.h"
#include "analytics/server_memory_state.h"

#include <stdlib.h>
#include <string.h>

enum { NAMES_SHARE = 4 }; // of the servers, this part is remembered by name besides

struct server_memory *server_memory_create(const struct server_memory_options *options)
{
	size_t servers = options->servers > 0 ? options->servers : SERVER_MEMORY_SERVERS;
	struct server_memory *memory = calloc(1, sizeof *memory);
	if (memory == NULL)
		return NULL;
	memory->key = hash_key_random();
	memory->age =
	    options->age > 0 && options->age < PACKET_TIME_MAX ? options->age : SERVER_MEMORY_AGE;
	memory->addresses = bounded_table_create(servers);
	memory->names = bounded_table_create((servers + NAMES_SHARE - 1) / NAMES_SHARE);
	memory->baseline = server_baseline_create();
	if (memory->addresses != NULL && memory->names != NULL && memory->baseline != NULL)
		return memory;
	server_memory_destroy(memory);
	return NULL;
}

static void free_entries(struct bounded_table *table)
{
	if (table == NULL)
		return;
	struct bounded_node *node = bounded_table_next(table, NULL);
	while (node != NULL) {
		struct bounded_node *next = bounded_table_next(table, node);
		free(node);
		node = next;
	}
	bounded_table_destroy(table);
}

void server_memory_destroy(struct server_memory *memory)
{
	if (memory == NULL)
		return;
	free_entries(memory->addresses);
	free_entries(memory->names);
	server_baseline_destroy(memory->baseline);
	free(memory);
}

void server_memory_use_baseline(struct server_memory *memory, struct server_baseline *baseline)
{
	server_baseline_destroy(memory->baseline);
	memory->baseline = baseline;
}

/* ---- names ---- */

static bool read_text(const struct text *text, struct host_name *name)
{
	return host_name_read(
	    text != NULL ? view_of(text->bytes, text->length) : view_of(NULL, 0), name);
}

// The name by which the session's server goes: the one asked for, or else the one it gives itself.
static bool name_of(const struct session *session, struct host_name *name)
{
	return read_text(session->tls.sni != NULL ? session->tls.sni : session->server_name, name);
}

// The name that the server's certificate proves. False: none.
static bool proven_name(const struct judged_session *session, struct host_name *name)
{
	const struct certificate_judgement *certificates = &session->certificates;
	bool shown = certificates->source == CERTIFICATES_IN_HANDSHAKE ||
	             certificates->source == CERTIFICATES_IN_KEYLOG;
	bool good = certificates->judged[FROM_SERVER] && certificates->faults == 0 &&
	            certificates->chain[FROM_SERVER].trust_known;
	return shown && good && certificates->name_match == NAME_MATCH_SAN &&
	       session->record->tls_established == SEEN_YES &&
	       name_of(session->record->session, name);
}

/* ---- recalling ---- */

struct server_entry *server_memory_find(const struct server_memory *memory,
    const struct ip_address *address, const struct host_name *name, uint16_t port)
{
	const struct bounded_table *table = address != NULL ? memory->addresses : memory->names;
	uint64_t key = address != NULL ? server_key_address(&memory->key, address, port)
	                               : server_key_name(&memory->key, name, port);
	return (struct server_entry *)bounded_table_find(table, key);
}

static void add_baseline(const struct baseline_server *server, struct server_history *history)
{
	if (server == NULL)
		return;
	history->known = true;
	history->baseline = true;
	history->baseline_tls = server->tls;
	history->offer_proven |= !server->tls;
	history->pin_count = server->pin_count;
	history->pins = server->pin_count > 0 ? server->pins : NULL;
}

// Nothing of what the server offers is known.
static bool says_little(const struct server_history *history)
{
	return history->offered == 0 && history->not_offered == 0 && history->established == 0;
}

// A server that only calls itself so must be like the one that proved the name, but for its offer.
static bool is_alike(const struct session_record *record, const struct server_history *history)
{
	uint64_t capabilities = server_fingerprint_capabilities(record);
	uint64_t banner = server_fingerprint_banner(record);
	return capabilities != 0 && capabilities == history->capabilities_fingerprint &&
	       banner != 0 && banner == history->banner_fingerprint;
}

static void recall_name(const struct server_memory *memory, const struct session_record *record,
    const struct host_name *name, struct server_history *history)
{
	struct server_history named;
	const struct server_entry *entry =
	    server_memory_find(memory, NULL, name, record->port[FROM_SERVER]);
	if (entry == NULL || !server_entry_tell(entry, record->end, memory->age,
	                         network_of(&record->address[FROM_CLIENT]), &named))
		return;
	if (record->session->tls.sni == NULL && !is_alike(record, &named))
		return;
	*history = named;
	history->by_name = true;
}

bool server_memory_recall(struct server_memory *memory, const struct session_record *record,
    struct server_history *history)
{
	struct host_name name;
	const struct ip_address *address = &record->address[FROM_SERVER];
	uint16_t port = record->port[FROM_SERVER];
	const struct server_entry *entry = server_memory_find(memory, address, NULL, port);
	bool named = name_of(record->session, &name);
	*history = (struct server_history){.known = false};
	memory->now = record->end;
	if (entry != NULL)
		server_entry_tell(entry, record->end, memory->age,
		    network_of(&record->address[FROM_CLIENT]), history);
	if (named && says_little(history))
		recall_name(memory, record, &name, history);
	const struct baseline_server *listed =
	    server_baseline_address(memory->baseline, address, port);
	if (listed == NULL && named)
		listed = server_baseline_name(memory->baseline, &name, port);
	add_baseline(listed, history);
	return history->known;
}

bool server_memory_recall_port(struct server_memory *memory, const struct ip_address *address,
    uint16_t port, struct server_history *history)
{
	const struct server_entry *entry = server_memory_find(memory, address, NULL, port);
	*history = (struct server_history){.known = false};
	if (entry != NULL)
		server_entry_tell(entry, memory->now, memory->age, 0, history);
	add_baseline(server_baseline_address(memory->baseline, address, port), history);
	return history->known;
}

uint64_t server_capabilities_fingerprint(
    const struct server_memory *memory, const struct session_record *record)
{
	(void)memory; // the same in every one
	return server_fingerprint_capabilities(record);
}

uint64_t server_banner_fingerprint(
    const struct server_memory *memory, const struct session_record *record)
{
	(void)memory;
	return server_fingerprint_banner(record);
}

/* ---- noting ---- */

static struct bounded_table *table_of(
    struct server_memory *memory, const struct server_entry *entry)
{
	return entry->name_length > 0 ? memory->names : memory->addresses;
}

static uint64_t key_of(const struct server_memory *memory, const struct server_entry *entry)
{
	struct host_name name = {.length = entry->name_length};
	if (entry->name_length == 0)
		return server_key_address(&memory->key, &entry->address, entry->port);
	memcpy(name.text, entry->name, entry->name_length);
	return server_key_name(&memory->key, &name, entry->port);
}

static void remove_entry(struct bounded_table *table, struct bounded_node *node)
{
	bounded_table_remove(table, node);
	free(node);
}

void server_memory_add(struct server_memory *memory, struct server_entry *entry)
{
	struct bounded_table *table = table_of(memory, entry);
	struct bounded_node *victim = bounded_table_victim(table);
	if (victim != NULL) {
		remove_entry(table, victim);
		memory->evicted++;
	}
	bounded_table_add(table, &entry->node, key_of(memory, entry));
}

void server_memory_settle(struct server_memory *memory, struct server_entry *entry)
{
	if (server_entry_is_settled(entry))
		bounded_table_settle(table_of(memory, entry), &entry->node);
}

// Forgets of each class the entry that was not used for longest, if it is too old: a little with every
// session, so that one wrong time in a capture cannot wipe out the whole.
static void forget_oldest(struct server_memory *memory, struct bounded_table *table)
{
	for (int settled = 0; settled < 2; settled++) {
		struct bounded_node *oldest = bounded_table_oldest(table, settled != 0);
		if (oldest == NULL ||
		    ((struct server_entry *)oldest)->last >= memory->now - memory->age)
			continue;
		remove_entry(table, oldest);
		memory->aged++;
	}
}

// The entry of a session's server, made if it is new; exactly one of address and name is given. NULL: no
// memory.
static struct server_entry *take_entry(struct server_memory *memory,
    const struct ip_address *address, const struct host_name *name, uint16_t port)
{
	struct server_entry *entry = server_memory_find(memory, address, name, port);
	if (entry != NULL) {
		bounded_table_use(table_of(memory, entry), &entry->node);
		return entry;
	}
	entry = server_entry_create(address, name, port);
	if (entry != NULL)
		server_memory_add(memory, entry);
	return entry;
}

static void teach(
    struct server_memory *memory, struct server_entry *entry, const struct lesson *lesson)
{
	if (entry == NULL)
		return;
	server_entry_learn(entry, lesson);
	server_memory_settle(memory, entry);
}

void server_memory_note(struct server_memory *memory, const struct judged_session *session)
{
	const struct session_record *record = session->record;
	uint16_t port = record->port[FROM_SERVER];
	struct host_name name;
	if (!server_entry_concerns(record))
		return;
	memory->now = record->end;
	struct lesson lesson = {session, network_of(&record->address[FROM_CLIENT]), memory->age};
	forget_oldest(memory, memory->addresses);
	forget_oldest(memory, memory->names);
	teach(memory, take_entry(memory, &record->address[FROM_SERVER], NULL, port), &lesson);
	if (proven_name(session, &name))
		teach(memory, take_entry(memory, NULL, &name, port), &lesson);
}

struct server_memory_counters server_memory_counters(const struct server_memory *memory)
{
	return (struct server_memory_counters){
	    .servers = bounded_table_count(memory->addresses),
	    .names = bounded_table_count(memory->names),
	    .evicted = memory->evicted,
	    .aged = memory->aged,
	    .loaded = memory->loaded,
	    .baseline = server_baseline_count(memory->baseline),
	};
}

static void visit_table(const struct server_memory *memory, const struct bounded_table *table,
    void (*visit)(void *context, const struct remembered_server *server), void *context)
{
	const struct bounded_node *node = NULL;
	while ((node = bounded_table_next(table, node)) != NULL) {
		const struct server_entry *entry = (const struct server_entry *)node;
		struct server_history history;
		bool named = entry->name_length > 0;
		struct remembered_server server = {
		    .address = named ? NULL : &entry->address,
		    .name = named ? entry->name : NULL,
		    .port = entry->port,
		    .history = &history,
		};
		server_entry_tell(entry, entry->last, memory->age, 0, &history);
		history.by_name = named;
		visit(context, &server);
	}
}

void server_memory_each(struct server_memory *memory,
    void (*visit)(void *context, const struct remembered_server *server), void *context)
{
	visit_table(memory, memory->addresses, visit, context);
	visit_table(memory, memory->names, visit, context);
}
