// SPDX-License-Identifier: Apache-2.0
// What headers of mail in the clear say of operators (--mail-headers): hops within the senders' own networks, with and
// without TLS, and what receivers refuse for how senders are authenticated.
#include "analytics/table_rows.h"
#include "analytics/tables.h"

#include <stdlib.h>
#include <string.h>

struct figures {
	uint64_t of[MAIL_FIGURES];
};

struct operators {
	struct bounded_map *by_name; // an operator's name with a NUL behind it → struct figures
	struct figures others;
	enum direction side; // whose they are
};

static void operators_destroy(void *accumulator)
{
	struct operators *operators = accumulator;
	bounded_map_destroy(operators->by_name);
	free(operators);
}

static void *operators_create(const struct table_frame *frame, enum direction side)
{
	struct operators *operators = calloc(1, sizeof *operators);
	if (operators == NULL)
		return NULL;
	operators->side = side;
	operators->by_name =
	    bounded_map_create(sizeof(struct figures), frame_most(frame, PAIRS_MAX));
	if (operators->by_name != NULL)
		return operators;
	free(operators);
	return NULL;
}

static void *senders_create(const struct table_frame *frame)
{
	return operators_create(frame, FROM_CLIENT);
}

static void *receivers_create(const struct table_frame *frame)
{
	return operators_create(frame, FROM_SERVER);
}

static bool has_any(const struct mail_summary *mail)
{
	for (size_t i = 0; i < MAIL_FIGURES; i++)
		if (mail->figures[i] > 0)
			return true;
	return false;
}

static void operators_count(void *accumulator, const struct session_facts *facts)
{
	struct operators *operators = accumulator;
	const char *name = facts->operator[operators->side].text;
	if (!facts->mail.known || !has_any(&facts->mail))
		return;
	struct figures *figures = bounded_map_at(operators->by_name, name, strlen(name) + 1);
	if (figures == NULL)
		figures = &operators->others;
	for (size_t i = 0; i < MAIL_FIGURES; i++)
		figures->of[i] += facts->mail.figures[i];
}

static void add_figures(void *sum, const void *part)
{
	add_numbers(sum, part, sizeof(struct figures));
}

static void operators_add(void *sum, const void *part)
{
	struct operators *operators = sum;
	const struct operators *more = part;
	map_add(operators->by_name, more->by_name, add_figures, &operators->others);
	add_figures(&operators->others, &more->others);
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

static void hops_row(struct row_sink *sink, const char *name, const struct figures *figures)
{
	uint64_t tls = figures->of[MAIL_INTERNAL_TLS], clear = figures->of[MAIL_INTERNAL_CLEAR];
	struct cell cells[] = {cell_string(name), cell_number(tls), cell_number(clear),
	    cell_number(figures->of[MAIL_INTERNAL_NOT_SEEN]),
	    cell_number(figures->of[MAIL_HOPS_UNPLACED]), cell_share(tls, tls + clear)};
	if (hops_of(figures) > 0)
		sink->row(sink, cells);
}

static void hops_entry(struct row_sink *sink, const struct map_entry *entry)
{
	hops_row(sink, entry->key, entry->value);
}

static void hops_rows(const void *accumulator, struct row_sink *sink)
{
	const struct operators *operators = accumulator;
	map_rows(operators->by_name, by_hops, hops_entry, sink);
	hops_row(sink, OTHERS, &operators->others);
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
	enforcement_row(sink, entry->key, entry->value);
}

static void enforcement_rows(const void *accumulator, struct row_sink *sink)
{
	const struct operators *operators = accumulator;
	map_rows(operators->by_name, by_transactions, enforcement_entry, sink);
	enforcement_row(sink, OTHERS, &operators->others);
}

/* ---- the tables ---- */

static const struct accumulator_ops senders = {
    senders_create, operators_destroy, operators_count, operators_add};
static const struct accumulator_ops receivers = {
    receivers_create, operators_destroy, operators_count, operators_add};

static const struct column hops_columns[] = {
    {"client_operator", "sender", "by the name the client gave; null: not known", COLUMN_TEXT},
    {"tls", "with TLS", "hops within one domain or network whose server wrote that it came by TLS",
        COLUMN_COUNT},
    {"cleartext", "without", "likewise, by a protocol that has another name for TLS", COLUMN_COUNT},
    {"not_seen", "not said", "likewise, and neither was written", COLUMN_COUNT},
    {"unplaced", "where unknown", "hops of which the names do not say whether they are internal",
        COLUMN_COUNT},
    {"share", "of those said", "with TLS, of with and without", COLUMN_SHARE},
};

static const struct column enforcement_columns[] = {
    {"server_operator", "receiver", "by the name asked for or given by the server; null: not known",
        COLUMN_TEXT},
    {"transactions", "transactions", "of which the outcome was seen", COLUMN_COUNT},
    {"refused", "refused", "of them, for good", COLUMN_COUNT},
    {"deferred", "deferred", "of them, for now", COLUMN_COUNT},
    {"spf", "for SPF", "refusals that name SPF; one may name several", COLUMN_COUNT},
    {"dkim", "for DKIM", "likewise DKIM", COLUMN_COUNT},
    {"dmarc", "for DMARC", "likewise DMARC", COLUMN_COUNT},
    {"other", "for others", "likewise ARC, or authentication without a name", COLUMN_COUNT},
    {"not_seen", "not seen", "transactions whose outcome was not seen", COLUMN_COUNT},
    {"share", "of transactions", "with a refusal that names any, of those whose outcome was seen",
        COLUMN_SHARE},
};

const struct table_ops internal_hops_table = {
    .name = "internal_hops",
    .title = "Hops within senders' own networks, by whether they were protected",
    .denominator = "hops in the headers of messages in the clear (--mail-headers)",
    .unseen =
        "hops behind the tap, mail that TLS carries, and whether what is written is true: who "
        "sends can write any",
    .use = TABLE_MANY | TABLE_LONG | TABLE_WHERE_ANY,
    TABLE_COLUMNS(hops_columns),
    .accumulator = &senders,
    .rows = hops_rows,
};

const struct table_ops enforcement_table = {
    .name = "enforcement",
    .title = "What receivers refuse, by what they name",
    .denominator = "transactions of SMTP in the clear of which a message crossed or something was "
                   "refused (--mail-headers)",
    .unseen = "refusals that name nothing, mail that is taken and then put aside, and what TLS "
              "carries",
    .use = TABLE_MANY | TABLE_LONG | TABLE_WHERE_ANY,
    TABLE_COLUMNS(enforcement_columns),
    .accumulator = &receivers,
    .rows = enforcement_rows,
};
