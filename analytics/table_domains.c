// SPDX-License-Identifier: Apache-2.0
// What domains publish: SPF and DMARC by policy, and DNSSEC, SPF, DMARC and others by domain and weighted by sessions.
// Counted from the lines of domains.jsonl, and from the sessions with the addresses of the domains' hosts of MX. Many
// domains share a host, and whose mail a session carried is not kept: its session counts for a property where all
// of them have it, against it where none has, and else it is not seen.
#include "analytics/table_rows.h"
#include "analytics/tables.h"

#include <stdlib.h>
#include <string.h>

enum {
	DOMAINS_MAX = 16384,
	SMTP_PORT = 25,
};

struct domain {
	nanoseconds last_seen;
	struct domain_policies policies;
	uint8_t count;
	struct ip_address addresses[DOMAIN_ADDRESSES_MAX];
};

struct domains {
	struct bounded_map *domains; // name → struct domain
	struct bounded_map *servers; // address → sessions, uint64_t
	uint64_t other_domains; // for which there was no room, as often as told of
	uint64_t other_sessions;
};

static void domains_destroy(void *accumulator)
{
	struct domains *domains = accumulator;
	bounded_map_destroy(domains->domains);
	bounded_map_destroy(domains->servers);
	free(domains);
}

static void *domains_create(const struct table_frame *frame)
{
	struct domains *domains = calloc(1, sizeof *domains);
	if (domains == NULL)
		return NULL;
	domains->domains =
	    bounded_map_create(sizeof(struct domain), frame_most(frame, DOMAINS_MAX));
	domains->servers = bounded_map_create(sizeof(uint64_t), frame_most(frame, SERVERS_MAX));
	if (domains->domains != NULL && domains->servers != NULL)
		return domains;
	domains_destroy(domains);
	return NULL;
}

static void count_sessions(
    struct domains *domains, const struct ip_address *server, uint64_t sessions)
{
	uint64_t *counted = bounded_map_at(domains->servers, server, sizeof *server);
	*(counted != NULL ? counted : &domains->other_sessions) += sessions;
}

static void domains_count(void *accumulator, const struct session_facts *facts)
{
	if (facts->dns_read && facts->server_port == SMTP_PORT && session_facts_carried(facts))
		count_sessions(accumulator, &facts->address[FROM_SERVER], 1);
}

static void take_domain(
    struct domains *domains, const void *name, size_t length, const struct domain *facts)
{
	struct domain *domain = bounded_map_at(domains->domains, name, length);
	if (domain == NULL)
		domains->other_domains++;
	else if (facts->last_seen >= domain->last_seen)
		*domain = *facts;
}

static void domains_domain(void *accumulator, const struct domain_facts *facts)
{
	struct domain domain = {.last_seen = facts->last_seen,
	    .policies = facts->policies,
	    .count = (uint8_t)facts->address_count};
	memcpy(domain.addresses, facts->addresses, sizeof domain.addresses);
	take_domain(accumulator, facts->domain, strlen(facts->domain) + 1, &domain);
}

static void domains_add(void *sum, const void *part)
{
	struct domains *domains = sum;
	const struct domains *more = part;
	for (size_t i = 0; i < bounded_map_count(more->domains); i++) {
		struct map_entry entry = bounded_map_entry(more->domains, i);
		take_domain(domains, entry.key, entry.key_length, entry.value);
	}
	for (size_t i = 0; i < bounded_map_count(more->servers); i++) {
		struct map_entry entry = bounded_map_entry(more->servers, i);
		uint64_t sessions;
		memcpy(&sessions, entry.value, sizeof sessions);
		count_sessions(domains, entry.key, sessions);
	}
	domains->other_domains += more->other_domains;
	domains->other_sessions += more->other_sessions;
}

static const struct domain *domain_at(const struct domains *domains, size_t index)
{
	return bounded_map_entry(domains->domains, index).value;
}

/* ---- policies ---- */

static const char *const spf_names[SPF_POLICIES] = {[SPF_FAIL] = "-all",
    [SPF_SOFTFAIL] = "~all",
    [SPF_NEUTRAL] = "?all",
    [SPF_PASS] = "+all",
    [SPF_REDIRECT] = "redirect",
    [SPF_SILENT] = "no all",
    [SPF_INVALID] = "invalid",
    [SPF_ABSENT] = "no record"};

static const char *const dmarc_names[DMARC_POLICIES] = {[DMARC_REJECT] = "reject",
    [DMARC_QUARANTINE] = "quarantine",
    [DMARC_NONE] = "none",
    [DMARC_INVALID] = "invalid",
    [DMARC_ABSENT] = "no record"};

// `counts` by policy; that of number 0 is not seen, and comes last.
static void policy_rows(struct row_sink *sink, const char *record, const char *const *names,
    const uint64_t *counts, unsigned policies)
{
	uint64_t seen = 0;
	for (unsigned i = 1; i < policies; i++)
		seen += counts[i];
	for (unsigned number = 1; number <= policies; number++) {
		unsigned policy = number % policies;
		struct cell cells[] = {cell_name(record), cell_name(names[policy]),
		    cell_number(counts[policy]),
		    policy > 0 ? cell_share(counts[policy], seen) : cell_null()};
		if (counts[policy] > 0)
			sink->row(sink, cells);
	}
}

static void policies_rows(const void *accumulator, struct row_sink *sink)
{
	const struct domains *domains = accumulator;
	uint64_t spf[SPF_POLICIES] = {0}, dmarc[DMARC_POLICIES] = {0};
	for (size_t i = 0; i < bounded_map_count(domains->domains); i++) {
		const struct domain_policies *policies = &domain_at(domains, i)->policies;
		spf[policies->spf]++;
		dmarc[policies->dmarc]++;
	}
	spf[SPF_NOT_SEEN] += domains->other_domains;
	dmarc[DMARC_NOT_SEEN] += domains->other_domains;
	policy_rows(sink, "SPF", spf_names, spf, SPF_POLICIES);
	policy_rows(sink, "DMARC", dmarc_names, dmarc, DMARC_POLICIES);
}

/* ---- properties ---- */

static const char *const property_names[PROPERTIES] = {
    [PROPERTY_DNSSEC_SIGNED] = "dnssec_signed",
    [PROPERTY_DNSSEC_SECURE] = "dnssec_secure",
    [PROPERTY_SPF] = "spf",
    [PROPERTY_SPF_VALID] = "spf_valid",
    [PROPERTY_SPF_STRICT] = "spf_strict",
    [PROPERTY_DMARC] = "dmarc",
    [PROPERTY_DMARC_ENFORCED] = "dmarc_enforced",
    [PROPERTY_DKIM] = "dkim",
    [PROPERTY_TLSA] = "tlsa",
    [PROPERTY_MTA_STS] = "mta_sts",
    [PROPERTY_TLS_RPT] = "tls_rpt",
};

// What the domains have that share an address: bits by enum seen.
struct shared {
	uint8_t values[PROPERTIES];
};

static enum seen common(uint8_t values)
{
	if (values == 1 << SEEN_YES)
		return SEEN_YES;
	return values == 1 << SEEN_NO ? SEEN_NO : NOT_SEEN;
}

static void share(struct bounded_map *addresses, const struct domain *domain)
{
	for (unsigned i = 0; i < domain->count; i++) {
		const struct ip_address *address = &domain->addresses[i];
		struct shared *shared = bounded_map_at(addresses, address, sizeof *address);
		for (unsigned property = 0; shared != NULL && property < PROPERTIES; property++)
			shared->values[property] |=
			    (uint8_t)(1 << domain->policies.properties[property]);
	}
}

static void add_sessions(
    struct tally tallies[PROPERTIES], const struct shared *shared, uint64_t sessions)
{
	for (unsigned property = 0; property < PROPERTIES; property++) {
		enum seen value = common(shared->values[property]);
		tallies[property].yes += value == SEEN_YES ? sessions : 0;
		tallies[property].no += value == SEEN_NO ? sessions : 0;
		tallies[property].not_seen += value == NOT_SEEN ? sessions : 0;
	}
}

// By sessions with the addresses of domains' hosts; those with other addresses are in none. False: no memory.
static bool weigh(const struct domains *domains, struct tally tallies[PROPERTIES])
{
	size_t most = bounded_map_count(domains->domains) * DOMAIN_ADDRESSES_MAX;
	struct bounded_map *addresses = bounded_map_create(sizeof(struct shared), most);
	if (addresses == NULL)
		return false;
	for (size_t i = 0; i < bounded_map_count(domains->domains); i++)
		share(addresses, domain_at(domains, i));
	for (size_t i = 0; i < bounded_map_count(domains->servers); i++) {
		struct map_entry server = bounded_map_entry(domains->servers, i);
		uint64_t sessions;
		memcpy(&sessions, server.value, sizeof sessions);
		if (bounded_map_has(addresses, server.key, server.key_length))
			add_sessions(tallies,
			    bounded_map_at(addresses, server.key, server.key_length), sessions);
	}
	bounded_map_destroy(addresses);
	return true;
}

static void property_row(struct row_sink *sink, const char *name, const struct tally *domains,
    const struct tally *sessions)
{
	struct cell cells[] = {cell_name(name), cell_number(domains->yes), cell_number(domains->no),
	    cell_number(domains->not_seen), cell_share(domains->yes, domains->yes + domains->no),
	    cell_number(sessions->yes), cell_number(sessions->no), cell_number(sessions->not_seen),
	    cell_share(sessions->yes, sessions->yes + sessions->no)};
	sink->row(sink, cells);
}

static void properties_rows(const void *accumulator, struct row_sink *sink)
{
	const struct domains *domains = accumulator;
	struct tally counted[PROPERTIES] = {{0}}, weighed[PROPERTIES] = {{0}};
	size_t count = bounded_map_count(domains->domains);
	if (count == 0 || !weigh(domains, weighed))
		return;
	for (unsigned property = 0; property < PROPERTIES; property++) {
		for (size_t i = 0; i < count; i++)
			tally_add(&counted[property],
			    (enum seen)domain_at(domains, i)->policies.properties[property]);
		counted[property].not_seen += domains->other_domains;
		property_row(
		    sink, property_names[property], &counted[property], &weighed[property]);
	}
}

/* ---- tables ---- */

static const struct accumulator_ops accumulator = {
    domains_create, domains_destroy, domains_count, domains_add};

static const struct column policy_columns[] = {
    {"record", "record", "SPF or DMARC", COLUMN_TEXT},
    {"policy", "policy", "what it says of mail that fails; null: it was not asked for",
        COLUMN_TEXT},
    {"domains", "domains", "that have it", COLUMN_LEVEL},
    {"share", "of those seen", "of the domains of which it was asked for", COLUMN_SHARE},
};

const struct table_ops policies_table = {
    .name = "policies",
    .title = "SPF and DMARC of domains that were asked for",
    .denominator = "domains of which the record was asked for while the tap listened",
    .unseen = "what resolvers remember; how much mail a domain sends (senders are not kept); a "
              "record of DMARC of a domain above; mail that a policy is not applied to",
    .use = TABLE_WHERE_ANY,
    TABLE_COLUMNS(policy_columns),
    .accumulator = &accumulator,
    .rows = policies_rows,
    .domain = domains_domain,
};

static const struct column property_columns[] = {
    {"property", "property",
        "that a domain has: signed, and verified up to the anchor; an SPF record, a valid one, "
        "\"-all\"; a DMARC record, quarantine or reject; a key of DKIM; TLSA at a host of MX; "
        "MTA-STS; TLS reports",
        COLUMN_TEXT},
    {"domains", "domains", "that have it", COLUMN_LEVEL},
    {"domains_without", "without", "domains that do not", COLUMN_LEVEL},
    {"domains_not_seen", "not seen", "domains of which it was not seen", COLUMN_LEVEL},
    {"domain_share", "of those seen", "of domains with and without", COLUMN_SHARE},
    {"sessions", "sessions", "with hosts all of whose domains have it", COLUMN_LEVEL},
    {"sessions_without", "without", "sessions with hosts none of whose domains has it",
        COLUMN_LEVEL},
    {"sessions_not_seen", "not seen",
        "sessions with hosts whose domains differ, or of which it "
        "was not seen of all",
        COLUMN_LEVEL},
    {"session_share", "of those seen", "of sessions with and without", COLUMN_SHARE},
};

const struct table_ops properties_table = {
    .name = "domain_properties",
    .title = "DNSSEC, SPF, DMARC and others, by domain and by session",
    .denominator = "domains of which it was asked for, and sessions on port 25 that could carry "
                   "mail, with a host of MX of such a domain",
    .unseen = "what resolvers remember; which of the domains of a host a session is for; sessions "
              "with hosts whose addresses nobody asked for; keys of DNSSEC that nobody asked for",
    .use = TABLE_WHERE_ANY,
    TABLE_COLUMNS(property_columns),
    .accumulator = &accumulator,
    .rows = properties_rows,
};
