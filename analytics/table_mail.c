// SPDX-License-Identifier: Apache-2.0
// What headers of mail in the clear say (--mail-headers): hops within one domain or network, with and without TLS, and
// what receivers refuse for how senders are authenticated, by operator and by network.
#include "analytics/table_rows.h"
#include "analytics/tables.h"

#include <stdlib.h>
#include <string.h>

struct figures {
	uint64_t of[MAIL_FIGURES];
};

// Whose they are. A message of a mail store is handed on by the store.
enum grouped_by { BY_HANDING_ON, BY_RECEIVER, BY_NETWORK };

struct groups {
	struct bounded_map *groups; // struct group_key, as far as it is used → struct figures
	struct figures others;
	enum grouped_by by;
};

enum { GROUP_NAME_SIZE = sizeof(((struct operator_name *)NULL)->text) };

// No padding: it is a key. By network, there is no operator.
struct group_key {
	struct client_network network; // or zeros
	uint8_t hop; // enum hop, or 0
	char operator[GROUP_NAME_SIZE]; // with a NUL behind it
};

static void groups_destroy(void *accumulator)
{
	struct groups *groups = accumulator;
	bounded_map_destroy(groups->groups);
	free(groups);
}

static void *groups_create(const struct table_frame *frame, enum grouped_by by)
{
	struct groups *groups = calloc(1, sizeof *groups);
	if (groups == NULL)
		return NULL;
	groups->by = by;
	groups->groups = bounded_map_create(sizeof(struct figures), frame_most(frame, PAIRS_MAX));
	if (groups->groups != NULL)
		return groups;
	free(groups);
	return NULL;
}

static void *senders_create(const struct table_frame *frame)
{
	return groups_create(frame, BY_HANDING_ON);
}

static void *receivers_create(const struct table_frame *frame)
{
	return groups_create(frame, BY_RECEIVER);
}

static void *networks_create(const struct table_frame *frame)
{
	return groups_create(frame, BY_NETWORK);
}

static void set_operator(struct group_key *key, const struct operator_name *operator)
{
	memcpy(key->operator, operator->text, strlen(operator->text) + 1);
}

static struct group_key key_of(enum grouped_by by, const struct session_facts *facts)
{
	struct group_key key = {0};
	switch (by) {
	case BY_HANDING_ON:
		key.hop = (uint8_t)facts->hop;
		set_operator(
		    &key, &facts->operator[facts->hop == HOP_ACCESS ? FROM_SERVER : FROM_CLIENT]);
		break;
	case BY_RECEIVER:
		set_operator(&key, &facts->operator[FROM_SERVER]);
		break;
	case BY_NETWORK:
		key.network = client_network_of(&facts->address[FROM_SERVER]);
		break;
	}
	return key;
}

static bool has_any(const struct mail_summary *mail)
{
	for (size_t i = 0; i < MAIL_FIGURES; i++)
		if (mail->figures[i] > 0)
			return true;
	return false;
}

static void groups_count(void *accumulator, const struct session_facts *facts)
{
	struct groups *groups = accumulator;
	if (!facts->mail.known || !has_any(&facts->mail))
		return;
	struct group_key key = key_of(groups->by, facts);
	size_t length = offsetof(struct group_key, operator) + strlen(key.operator) + 1;
	struct figures *figures = bounded_map_at(groups->groups, &key, length);
	if (figures == NULL)
		figures = &groups->others;
	for (size_t i = 0; i < MAIL_FIGURES; i++)
		figures->of[i] += facts->mail.figures[i];
}

static void add_figures(void *sum, const void *part)
{
	add_numbers(sum, part, sizeof(struct figures));
}

static void groups_add(void *sum, const void *part)
{
	struct groups *groups = sum;
	const struct groups *more = part;
	map_add(groups->groups, more->groups, add_figures, &groups->others);
	add_figures(&groups->others, &more->others);
}

// The whole of a key of which the map keeps what is used.
static struct group_key key_at(const struct map_entry *entry)
{
	struct group_key key = {0};
	memcpy(&key, entry->key, entry->key_length);
	return key;
}

/* ---- hops ---- */

static uint64_t hops_of(const struct figures *figures)
{
	return figures->of[MAIL_INTERNAL_TLS] + figures->of[MAIL_INTERNAL_CLEAR] +
	       figures->of[MAIL_INTERNAL_NOT_SEEN] + figures->of[MAIL_HOPS_UNPLACED];
}

static int by_hops(const struct map_entry *one, const struct map_entry *other)
{
	return compare_numbers(hops_of(one->value), hops_of(other->value));
}

static void hops_row(
    struct row_sink *sink, const char *hop, const char *name, const struct figures *figures)
{
	uint64_t tls = figures->of[MAIL_INTERNAL_TLS], clear = figures->of[MAIL_INTERNAL_CLEAR];
	struct cell cells[] = {cell_name(hop), cell_string(name), cell_number(tls),
	    cell_number(clear), cell_number(figures->of[MAIL_INTERNAL_NOT_SEEN]),
	    cell_number(figures->of[MAIL_HOPS_UNPLACED]), cell_share(tls, tls + clear)};
	if (hops_of(figures) > 0)
		sink->row(sink, cells);
}

static void hops_entry(struct row_sink *sink, const struct map_entry *entry)
{
	struct group_key key = key_at(entry);
	hops_row(sink, hop_name((enum hop)key.hop), key.operator, entry->value);
}

static void hops_rows(const void *accumulator, struct row_sink *sink)
{
	const struct groups *groups = accumulator;
	map_rows(groups->groups, by_hops, hops_entry, sink);
	hops_row(sink, NULL, OTHERS, &groups->others);
}

/* ---- refusals ---- */

static uint64_t known_of(const struct figures *figures)
{
	return figures->of[MAIL_ACCEPTED] + figures->of[MAIL_REFUSED] + figures->of[MAIL_DEFERRED];
}

static int by_transactions(const struct map_entry *one, const struct map_entry *other)
{
	return compare_numbers(known_of(one->value), known_of(other->value));
}

static void enforcement_row(struct row_sink *sink, const char *name, const struct figures *figures)
{
	uint64_t known = known_of(figures), unknown = figures->of[MAIL_OUTCOME_NOT_SEEN];
	struct cell cells[] = {cell_string(name), cell_number(known),
	    cell_number(figures->of[MAIL_REFUSED]), cell_number(figures->of[MAIL_DEFERRED]),
	    cell_number(figures->of[MAIL_REFUSED_SPF]), cell_number(figures->of[MAIL_REFUSED_DKIM]),
	    cell_number(figures->of[MAIL_REFUSED_DMARC]),
	    cell_number(figures->of[MAIL_REFUSED_OTHER]), cell_number(unknown),
	    cell_share(figures->of[MAIL_REFUSED_WITH_CAUSE], known)};
	if (known + unknown > 0)
		sink->row(sink, cells);
}

static void enforcement_entry(struct row_sink *sink, const struct map_entry *entry)
{
	struct group_key key = key_at(entry);
	enforcement_row(sink, key.operator, entry->value);
}

static void enforcement_network(struct row_sink *sink, const struct map_entry *entry)
{
	struct group_key key = key_at(entry);
	char text[CLIENT_NETWORK_TEXT_SIZE];
	client_network_text(text, &key.network);
	enforcement_row(sink, text, entry->value);
}

static void enforcement_rows(const void *accumulator, struct row_sink *sink)
{
	const struct groups *groups = accumulator;
	map_rows(groups->groups, by_transactions, enforcement_entry, sink);
	enforcement_row(sink, OTHERS, &groups->others);
}

static void enforcement_networks_rows(const void *accumulator, struct row_sink *sink)
{
	const struct groups *groups = accumulator;
	map_rows(groups->groups, by_transactions, enforcement_network, sink);
	enforcement_row(sink, OTHERS, &groups->others);
}

/* ---- the tables ---- */

static const struct accumulator_ops senders = {
    senders_create, groups_destroy, groups_count, groups_add};
static const struct accumulator_ops receivers = {
    receivers_create, groups_destroy, groups_count, groups_add};
static const struct accumulator_ops networks = {
    networks_create, groups_destroy, groups_count, groups_add};

static const struct column hops_columns[] = {
    {"hop", "crossing", "what the message did here: submission, relay, or access to a mail store",
        COLUMN_TEXT},
    {"operator", "handed on by",
        "by the name the client gave, of access by that of the server; null: not known",
        COLUMN_TEXT},
    {"tls", "with TLS", "hops within one domain or network whose server wrote that it came by TLS",
        COLUMN_COUNT},
    {"cleartext", "without", "likewise, by a protocol that has another name for TLS", COLUMN_COUNT},
    {"not_seen", "not said", "likewise, and neither was written", COLUMN_COUNT},
    {"unplaced", "where unknown", "hops of which the names do not say whether they are internal",
        COLUMN_COUNT},
    {"share", "of those said", "with TLS, of with and without", COLUMN_SHARE},
};

#define ENFORCEMENT_COLUMNS                                                                        \
	{"transactions", "transactions", "of which the outcome was seen", COLUMN_COUNT},           \
	    {"refused", "refused", "of them, for good", COLUMN_COUNT},                             \
	    {"deferred", "deferred", "of them, for now", COLUMN_COUNT},                            \
	    {"spf", "for SPF", "refusals that name SPF; one may name several", COLUMN_COUNT},      \
	    {"dkim", "for DKIM", "likewise DKIM", COLUMN_COUNT},                                   \
	    {"dmarc", "for DMARC", "likewise DMARC", COLUMN_COUNT},                                \
	    {"other", "for others", "likewise ARC, or authentication without a name",              \
	        COLUMN_COUNT},                                                                     \
	    {"not_seen", "not seen", "transactions whose outcome was not seen", COLUMN_COUNT},     \
	{                                                                                          \
		"share", "of transactions",                                                        \
		    "with a refusal that names any, of those whose outcome was seen", COLUMN_SHARE \
	}

static const struct column enforcement_columns[] = {
    {"server_operator", "receiver", "by the name asked for or given by the server; null: not known",
        COLUMN_TEXT},
    ENFORCEMENT_COLUMNS,
};

static const struct column enforcement_networks_columns[] = {
    {"network", "receiver", "network of the server: /24, /48", COLUMN_TEXT},
    ENFORCEMENT_COLUMNS,
};

const struct table_ops internal_hops_table = {
    .name = "internal_hops",
    .title = "Hops within one domain or network, by whether they were protected",
    .denominator = "hops in the headers of messages in the clear (--mail-headers), as often as it "
                   "crosses: a message that is sent on and fetched is in several rows",
    .unseen =
        "hops behind the tap, mail that TLS carries, and whether what is written is true: who "
        "sends can write any",
    .use = TABLE_MANY | TABLE_LONG | TABLE_WHERE_ANY,
    TABLE_COLUMNS(hops_columns),
    .accumulator = &senders,
    .rows = hops_rows,
};

#define ENFORCEMENT_DENOMINATOR                                                                    \
	"transactions of SMTP in the clear of which a message crossed or something was refused "   \
	"(--mail-headers)"
#define ENFORCEMENT_UNSEEN                                                                         \
	"refusals that name nothing, mail that is taken and then put aside, and what TLS carries"

const struct table_ops enforcement_table = {
    .name = "enforcement",
    .title = "What receivers refuse, by what they name",
    .denominator = ENFORCEMENT_DENOMINATOR,
    .unseen = ENFORCEMENT_UNSEEN,
    .use = TABLE_MANY | TABLE_LONG | TABLE_WHERE_ANY,
    TABLE_COLUMNS(enforcement_columns),
    .accumulator = &receivers,
    .rows = enforcement_rows,
};

const struct table_ops enforcement_networks_table = {
    .name = "enforcement_networks",
    .title = "What networks that receive mail refuse, by what they name",
    .denominator = ENFORCEMENT_DENOMINATOR,
    .unseen = ENFORCEMENT_UNSEEN,
    .use = TABLE_MANY | TABLE_LONG | TABLE_WHERE_ANY,
    TABLE_COLUMNS(enforcement_networks_columns),
    .accumulator = &networks,
    .rows = enforcement_networks_rows,
};
