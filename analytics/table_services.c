// SPDX-License-Identifier: Apache-2.0
// Who runs the mail of how many domains: domains that share an address of their hosts of MX are one service, whatever
// the hosts are called. Counted from the lines of domains.jsonl, and from the sessions with those addresses.
#include "analytics/table_rows.h"
#include "analytics/tables.h"

#include <stdlib.h>
#include <string.h>

enum {
	DOMAINS_MAX = 16384, // grouped
	SMTP_PORT = 25,
	NOWHERE = -1,
};

struct domain {
	bool asked; // for its MX
	nanoseconds last_seen;
	unsigned count;
	struct ip_address addresses[DOMAIN_ADDRESSES_MAX];
	struct operator_name operator; // of the host that goes first
};

struct services {
	struct bounded_map *domains; // name → struct domain
	struct bounded_map *servers; // address → sessions, uint64_t
	uint64_t other_domains,
	    other_sessions; // for which there was no room; domains as often as told of
};

static void services_destroy(void *accumulator)
{
	struct services *services = accumulator;
	bounded_map_destroy(services->domains);
	bounded_map_destroy(services->servers);
	free(services);
}

static void *services_create(const struct table_frame *frame)
{
	struct services *services = calloc(1, sizeof *services);
	if (services == NULL)
		return NULL;
	services->domains =
	    bounded_map_create(sizeof(struct domain), frame_most(frame, DOMAINS_MAX));
	services->servers = bounded_map_create(sizeof(uint64_t), frame_most(frame, SERVERS_MAX));
	if (services->domains != NULL && services->servers != NULL)
		return services;
	services_destroy(services);
	return NULL;
}

static void count_sessions(
    struct services *services, const struct ip_address *server, uint64_t sessions)
{
	uint64_t *counted = bounded_map_at(services->servers, server, sizeof *server);
	*(counted != NULL ? counted : &services->other_sessions) += sessions;
}

static void services_count(void *accumulator, const struct session_facts *facts)
{
	if (facts->dns_read && facts->server_port == SMTP_PORT && session_facts_carried(facts))
		count_sessions(accumulator, &facts->address[FROM_SERVER], 1);
}

static void take_domain(
    struct services *services, const void *name, size_t length, const struct domain *facts)
{
	struct domain *domain = bounded_map_at(services->domains, name, length);
	if (domain == NULL)
		services->other_domains++;
	else if (facts->asked != domain->asked ? facts->asked
	                                       : facts->last_seen >= domain->last_seen)
		*domain = *facts;
}

static void services_domain(void *accumulator, const struct domain_facts *facts)
{
	struct domain domain = {.asked = facts->mx_known,
	    .last_seen = facts->last_seen,
	    .count = facts->address_count,
	    .operator= facts->operator};
	memcpy(domain.addresses, facts->addresses, sizeof domain.addresses);
	take_domain(accumulator, facts->domain, strlen(facts->domain) + 1, &domain);
}

static void services_add(void *sum, const void *part)
{
	struct services *services = sum;
	const struct services *more = part;
	for (size_t i = 0; i < bounded_map_count(more->domains); i++) {
		struct map_entry entry = bounded_map_entry(more->domains, i);
		take_domain(services, entry.key, entry.key_length, entry.value);
	}
	for (size_t i = 0; i < bounded_map_count(more->servers); i++) {
		struct map_entry entry = bounded_map_entry(more->servers, i);
		uint64_t sessions;
		memcpy(&sessions, entry.value, sizeof sessions);
		count_sessions(services, entry.key, sessions);
	}
	services->other_domains += more->other_domains;
	services->other_sessions += more->other_sessions;
}

/* ---- groups ---- */

// A node of the forest that domains with a common address are joined in: each address is one.
struct node {
	uint32_t parent;
	struct ip_address address;
};

struct service {
	uint32_t root;
	const struct ip_address *lowest; // of its addresses
	uint64_t addresses, domains, sessions;
	const char *name; // NULL: none of its hosts has a registered domain
};

struct grouping {
	const struct services *services;
	struct bounded_map *numbers; // address → number of its node, and one
	struct node *nodes;
	size_t node_count;
	const struct domain *
	    *domains; // with an address, in the order of their service and operator
	size_t domain_count;
	struct service *list;
	size_t count;
	uint64_t of_domains, of_sessions; // in all services
};

static uint32_t find_root(const struct grouping *grouping, uint32_t node)
{
	while (grouping->nodes[node].parent != node) {
		uint32_t parent = grouping->nodes[node].parent;
		grouping->nodes[node].parent = grouping->nodes[parent].parent;
		node = parent;
	}
	return node;
}

// Its number, a new one if there is none. NOWHERE: no memory.
static int64_t node_of(struct grouping *grouping, const struct ip_address *address)
{
	uint32_t *number = bounded_map_at(grouping->numbers, address, sizeof *address);
	if (number == NULL)
		return NOWHERE;
	if (*number == 0) {
		uint32_t node = (uint32_t)grouping->node_count++;
		grouping->nodes[node] = (struct node){node, *address};
		*number = node + 1;
	}
	return *number - 1;
}

static void join(struct grouping *grouping, const struct domain *domain)
{
	int64_t first = NOWHERE;
	for (unsigned i = 0; i < domain->count; i++) {
		int64_t node = node_of(grouping, &domain->addresses[i]);
		if (node == NOWHERE)
			continue;
		if (first == NOWHERE)
			first = node;
		grouping->nodes[find_root(grouping, (uint32_t)node)].parent =
		    find_root(grouping, (uint32_t)first);
	}
	if (first != NOWHERE)
		grouping->domains[grouping->domain_count++] = domain;
}

// Of an address that has a node.
static uint32_t root_of(const struct grouping *grouping, const struct ip_address *address)
{
	const uint32_t *number = bounded_map_at(grouping->numbers, address, sizeof *address);
	return find_root(grouping, *number - 1);
}

static int compare_domains(const void *one, const void *other, void *context)
{
	const struct domain *a = *(const struct domain *const *)one;
	const struct domain *b = *(const struct domain *const *)other;
	uint32_t here = root_of(context, &a->addresses[0]);
	uint32_t there = root_of(context, &b->addresses[0]);
	if (here != there)
		return here < there ? -1 : 1;
	return strcmp(a->operator.text, b->operator.text);
}

// The operator of most of a service's domains, of several the first by name; domains without one count for none.
static size_t name_service(const struct grouping *grouping, size_t at, struct service *service)
{
	uint64_t most = 0;
	while (at < grouping->domain_count &&
	       root_of(grouping, &grouping->domains[at]->addresses[0]) == service->root) {
		const char *name = grouping->domains[at]->operator.text;
		uint64_t domains = 0;
		while (at < grouping->domain_count &&
		       root_of(grouping, &grouping->domains[at]->addresses[0]) == service->root &&
		       strcmp(grouping->domains[at]->operator.text, name) == 0) {
			domains++;
			at++;
		}
		service->domains += domains;
		if (name[0] != '\0' && domains > most) {
			most = domains;
			service->name = name;
		}
	}
	return at;
}

static uint64_t sessions_of(const struct services *services, const struct ip_address *address)
{
	uint64_t sessions;
	if (!bounded_map_has(services->servers, address, sizeof *address))
		return 0;
	memcpy(&sessions, bounded_map_at(services->servers, address, sizeof *address),
	    sizeof sessions);
	return sessions;
}

static struct service *service_of(struct grouping *grouping, uint32_t root)
{
	size_t low = 0, high = grouping->count; // in the order of their roots
	while (low + 1 < high) {
		size_t middle = (low + high) / 2;
		if (grouping->list[middle].root <= root)
			low = middle;
		else
			high = middle;
	}
	return &grouping->list[low];
}

static void add_addresses(struct grouping *grouping)
{
	for (uint32_t i = 0; i < grouping->node_count; i++) {
		const struct ip_address *address = &grouping->nodes[i].address;
		struct service *service = service_of(grouping, find_root(grouping, i));
		uint64_t sessions = sessions_of(grouping->services, address);
		service->addresses++;
		service->sessions += sessions;
		grouping->of_sessions += sessions;
		if (service->lowest == NULL ||
		    memcmp(address, service->lowest, sizeof *address) < 0)
			service->lowest = address;
	}
}

static void list_services(struct grouping *grouping)
{
	qsort_r((void *)grouping->domains, grouping->domain_count, sizeof grouping->domains[0],
	    compare_domains, grouping);
	for (size_t at = 0; at < grouping->domain_count;) {
		struct service *service = &grouping->list[grouping->count++];
		*service = (struct service){
		    .root = root_of(grouping, &grouping->domains[at]->addresses[0])};
		at = name_service(grouping, at, service);
		grouping->of_domains += service->domains;
	}
	if (grouping->count > 0)
		add_addresses(grouping);
}

// False: no memory.
static bool group(struct grouping *grouping, const struct services *services)
{
	size_t domains = bounded_map_count(services->domains);
	size_t nodes = domains * DOMAIN_ADDRESSES_MAX;
	*grouping = (struct grouping){.services = services};
	grouping->numbers = bounded_map_create(sizeof(uint32_t), nodes);
	grouping->nodes = calloc(nodes, sizeof grouping->nodes[0]);
	grouping->domains = calloc(domains, sizeof grouping->domains[0]);
	grouping->list = calloc(domains, sizeof grouping->list[0]);
	if (grouping->numbers == NULL || grouping->nodes == NULL || grouping->domains == NULL ||
	    grouping->list == NULL)
		return false;
	for (size_t i = 0; i < domains; i++)
		join(grouping, bounded_map_entry(services->domains, i).value);
	list_services(grouping);
	return true;
}

static void ungroup(struct grouping *grouping)
{
	bounded_map_destroy(grouping->numbers);
	free(grouping->nodes);
	free((void *)grouping->domains);
	free(grouping->list);
}

/* ---- rows ---- */

static int by_domains(const void *one, const void *other)
{
	const struct service *a = one, *b = other;
	if (a->domains != b->domains)
		return compare_numbers(a->domains, b->domains);
	if (a->sessions != b->sessions)
		return compare_numbers(a->sessions, b->sessions);
	return memcmp(a->lowest, b->lowest, sizeof *a->lowest);
}

static void service_row(
    struct row_sink *sink, const struct grouping *grouping, const struct service *service)
{
	char text[SERVER_ADDRESS_TEXT];
	struct cell cells[] = {cell_name(service->name), cell_address(service->lowest, text),
	    cell_number(service->addresses), cell_number(service->domains),
	    cell_share(service->domains, grouping->of_domains), cell_number(service->sessions),
	    cell_share(service->sessions, grouping->of_sessions)};
	sink->row(sink, cells);
}

static uint64_t all_sessions(const struct services *services)
{
	uint64_t sum = services->other_sessions, sessions;
	for (size_t i = 0; i < bounded_map_count(services->servers); i++) {
		memcpy(&sessions, bounded_map_entry(services->servers, i).value, sizeof sessions);
		sum += sessions;
	}
	return sum;
}

// Domains whose hosts' addresses were not seen, and sessions with servers of no domain that was.
static void unknown_row(struct row_sink *sink, const struct grouping *grouping)
{
	const struct services *services = grouping->services;
	uint64_t domains =
	    bounded_map_count(services->domains) - grouping->domain_count + services->other_domains;
	uint64_t sessions = all_sessions(services) - grouping->of_sessions;
	struct cell cells[] = {cell_null(), cell_null(), cell_null(), cell_number(domains),
	    cell_null(), cell_number(sessions), cell_null()};
	if (domains > 0 || sessions > 0)
		sink->row(sink, cells);
}

static void services_rows(const void *accumulator, struct row_sink *sink)
{
	const struct services *services = accumulator;
	struct grouping grouping;
	if (bounded_map_count(services->domains) == 0)
		return;
	if (group(&grouping, services)) {
		qsort(grouping.list, grouping.count, sizeof grouping.list[0], by_domains);
		for (size_t i = 0; i < grouping.count; i++)
			service_row(sink, &grouping, &grouping.list[i]);
		unknown_row(sink, &grouping);
	}
	ungroup(&grouping);
}

static const struct accumulator_ops accumulator = {
    services_create, services_destroy, services_count, services_add};

static const struct column columns[] = {
    {"service", "service", "the operator of most of its domains' hosts of MX; null: not known",
        COLUMN_TEXT},
    {"address", "at", "the lowest of its addresses; null: not seen", COLUMN_TEXT},
    {"addresses", "addresses", "of its hosts", COLUMN_LEVEL},
    {"domains", "domains", "whose hosts of MX share an address, one with the other", COLUMN_LEVEL},
    {"domain_share", "of those seen", "of the domains whose hosts' addresses were seen",
        COLUMN_SHARE},
    {"sessions", "sessions", "with its addresses", COLUMN_COUNT},
    {"session_share", "of those known", "of the sessions with an address of any service",
        COLUMN_SHARE},
};

const struct table_ops services_table = {
    .name = "services",
    .title = "Who runs the mail of how many domains",
    .denominator = "domains that were asked for, and sessions on port 25 that could carry mail",
    .unseen = "domains nobody asked for, what resolvers remember, hosts of MX whose addresses "
              "nobody asked for, and "
              "who stands behind a shared filter",
    .use = TABLE_MANY | TABLE_LONG | TABLE_WHERE_ANY,
    TABLE_COLUMNS(columns),
    .accumulator = &accumulator,
    .rows = services_rows,
    .domain = services_domain,
};
