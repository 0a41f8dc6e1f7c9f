// SPDX-License-Identifier: Apache-2.0
#include "analytics/top/top_frame.h"

#include "analytics/top/top_text.h"

#include <string.h>

enum { SECOND_COLUMN = 40 }; // where what stands beside begins: both fit into 80

const char *top_order_name(enum top_order order)
{
	static const char *const names[TOP_ORDERS] = {[TOP_BY_SESSIONS] = "sessions",
	    [TOP_BY_CLEAR] = "without TLS",
	    [TOP_BY_ADDRESS] = "address"};
	return names[order];
}

/* ---- the head ---- */

static void put_rate(
    struct top_writer *writer, const json_t *now, const char *key, unsigned times, const char *name)
{
	char text[TOP_RATE_SIZE];
	double seconds = json_number_value(json_object_get(now, "seconds"));
	if (seconds > 0) {
		top_rate(text, times * (double)top_number(now, key) / seconds);
		top_put(writer, "%s %s/s   ", name, text);
	} else {
		top_put(writer, "%s -   ", name);
	}
}

static void write_head(struct top_writer *writer)
{
	enum { NAME_COLUMNS = 24, STAGE_COLUMNS = 12 };
	const json_t *live = writer->look->live, *window = json_object_get(live, "window");
	top_begin(writer, TOP_HEAD);
	top_put(writer, "mailtap ");
	top_put_text(writer, json_object_get(live, "version"), STAGE_COLUMNS);
	if (json_is_string(json_object_get(live, "sensor"))) {
		top_put(writer, "  ");
		top_put_text(writer, json_object_get(live, "sensor"), NAME_COLUMNS);
	}
	top_put(writer, "  ");
	top_put_text(writer, json_object_get(live, "stage"), STAGE_COLUMNS);
	top_put(writer, " since ");
	top_put_time(writer, live, "started", true);
	top_begin(writer, TOP_HEAD);
	top_put(writer, "last ");
	top_put_text(writer, json_object_get(window, "name"), STAGE_COLUMNS);
	top_put(writer, ": ");
	top_put_time(writer, window, "start", true);
	top_put(writer, " to ");
	top_put_time(writer, window, "end", false);
	top_put(writer, " UTC, ");
	top_put_number(writer, json_object_get(window, "sessions"), 0);
	top_put(writer, " sessions");
	top_begin_right(writer, top_number(window, "lost") > 0 ? TOP_BAD : TOP_HEAD);
	top_put(writer, ", ");
	top_put_number(writer, json_object_get(window, "lost"), 0);
	top_put(writer, " lost");
}

static void write_rates(struct top_writer *writer)
{
	enum { BITS = 8 };
	const json_t *now = json_object_get(writer->look->live, "now");
	bool lost = top_number(now, "lost") > 0;
	top_begin(writer, TOP_PLAIN);
	put_rate(writer, now, "packets", 1, "packets");
	put_rate(writer, now, "bytes", BITS, "bits");
	put_rate(writer, now, "segments", 1, "mail");
	put_rate(writer, now, "sessions", 1, "sessions");
	top_begin(writer, lost ? TOP_BAD : TOP_PLAIN);
	put_rate(writer, now, "lost", 1, "lost");
}

// Workers of which nothing was heard for longer than this may be stuck.
static size_t silent_workers(const json_t *workers)
{
	enum { SILENT_FROM = 10 };
	size_t index, silent = 0;
	const json_t *worker;
	json_array_foreach(workers, index, worker) silent +=
	    json_number_value(json_object_get(worker, "told_before")) > SILENT_FROM;
	return silent;
}

// Goes on in the line of the losses.
static void write_resources(struct top_writer *writer)
{
	enum { MIB = 1 << 20 };
	const json_t *live = writer->look->live, *memory = json_object_get(live, "memory");
	const json_t *workers = json_object_get(live, "workers");
	size_t silent = silent_workers(workers);
	top_put(writer, "connections ");
	top_put_number(writer, json_object_get(live, "connections"), 0);
	top_put(writer, "   memory %" PRIu64 " of %" PRIu64 " MiB, %" PRIu64 " in all",
	    top_number(memory, "connections_reserved") / MIB,
	    top_number(memory, "connections_limit") / MIB, top_number(memory, "resident") / MIB);
	top_put(writer, "   workers %zu", json_array_size(workers));
	if (silent > 0)
		top_put(writer, ", %zu silent", silent);
}

// One that has all it was given needs no line.
static void write_store(struct top_writer *writer)
{
	enum { MIB = 1 << 20 };
	const json_t *store = json_object_get(writer->look->live, "store");
	bool away = json_is_true(json_object_get(store, "away"));
	uint64_t lost = top_number(store, "lost"), refused = top_number(store, "refused");
	uint64_t waiting = top_number(store, "spool_bytes");
	if (!away && lost + refused == 0)
		return;
	top_begin(writer, TOP_BAD);
	top_put(writer, "store ");
	top_put_text(writer, json_object_get(store, "kind"), SECOND_COLUMN / 2);
	top_put(writer, "%s   lost %" PRIu64 "   refused %" PRIu64, away ? " IS AWAY" : "", lost,
	    refused);
	if (waiting > 0)
		top_put(writer, "   waiting %.1f MiB in %" PRIu64 " files", (double)waiting / MIB,
		    top_number(store, "spool_files"));
}

/* ---- blocks that stand side by side ---- */

enum { BLOCK_ROWS_MAX = 24 };

struct block {
	size_t count;
	struct block_row {
		enum top_style style;
		const char *name; // of this program, or a name in the answer: shown as text
		uint64_t numbers[4];
		bool shown[4];
		uint64_t part, of;
	} rows[BLOCK_ROWS_MAX];
};

static struct block_row *add_row(struct block *block, const char *name, enum top_style style)
{
	if (block->count == BLOCK_ROWS_MAX)
		return NULL;
	struct block_row *row = &block->rows[block->count++];
	*row = (struct block_row){.name = name, .style = style};
	return row;
}

static struct block_row *find_row(struct block *block, const char *name, enum top_style style)
{
	for (size_t i = 0; i < block->count; i++)
		if (strcmp(block->rows[i].name, name) == 0)
			return &block->rows[i];
	return add_row(block, name, style);
}

static void set_number(struct block_row *row, size_t column, uint64_t number)
{
	row->numbers[column] = number;
	row->shown[column] = true;
}

static const json_t *table(const struct top_writer *writer, const char *name)
{
	return json_object_get(json_object_get(writer->look->live, "tables"), name);
}

static enum top_style style_of(const char *verdict)
{
	if (strcmp(verdict, "stripped") == 0)
		return TOP_BAD;
	if (strcmp(verdict, "cleartext") == 0 || strcmp(verdict, "tls_failed") == 0)
		return TOP_WARNING;
	return strcmp(verdict, "encrypted") == 0 ? TOP_GOOD : TOP_PLAIN;
}

static void take_verdicts(const struct top_writer *writer, struct block *block)
{
	const json_t *verdicts =
	    json_object_get(json_object_get(writer->look->live, "window"), "verdicts");
	uint64_t all = top_number(json_object_get(writer->look->live, "window"), "sessions");
	const char *name;
	json_t *count;
	json_object_foreach((json_t *)(uintptr_t)verdicts, name, count)
	{
		uint64_t sessions = top_number(verdicts, name);
		struct block_row *row =
		    add_row(block, name, sessions > 0 ? style_of(name) : TOP_PLAIN);
		if (row == NULL)
			return;
		set_number(row, 3, sessions);
		row->part = sessions;
		row->of = all;
	}
}

// Nobody sees what TLS carries, and mail in the clear is of all that connected, not of the step above.
static bool is_on_the_way(const char *step)
{
	return strncmp(step, "mail_in_", sizeof "mail_in_" - 1) != 0;
}

// Of the sessions whose protocol is known, or of the others, which leave steps out.
static void take_steps(const struct top_writer *writer, struct block *block, bool known)
{
	size_t index;
	const json_t *step;
	json_array_foreach(table(writer, "funnel"), index, step)
	{
		if (json_is_string(json_object_get(step, "protocol")) != known ||
		    !is_on_the_way(top_string(step, "step")))
			continue;
		struct block_row *row = find_row(block, top_string(step, "step"), TOP_PLAIN);
		if (row == NULL)
			return;
		uint64_t passed = top_number(step, "passed");
		row->part += passed;
		row->of += passed + top_number(step, "ended");
		set_number(row, 2, row->part);
		set_number(row, 3, row->of);
	}
}

// Of all protocols together, in the order of the steps.
static void take_funnel(const struct top_writer *writer, struct block *block)
{
	take_steps(writer, block, true);
	take_steps(writer, block, false);
}

static void take_protection(const struct top_writer *writer, struct block *block)
{
	size_t index;
	const json_t *hop;
	json_array_foreach(table(writer, "protection"), index, hop)
	{
		const char *name = top_string(hop, "hop");
		struct block_row *row =
		    add_row(block, name[0] != '\0' ? name : "not known", TOP_PLAIN);
		if (row == NULL)
			return;
		row->part = top_number(hop, "passive_protected");
		row->of = row->part + top_number(hop, "passive_exposed");
		set_number(row, 2, row->part);
		set_number(row, 3, row->of);
	}
}

// What was lost, or left out for want of room, in the window.
static void take_losses(const struct top_writer *writer, struct block *block)
{
	static const char *const keys[] = {"dropped_reported", "missed_by_interfaces",
	    "dropped_by_ring", "sessions_left_out", "segments_refused", "flows_evicted",
	    "fragments_lost", "interface_outages", "packets_cut", "packets_malformed",
	    "packets_unreadable", "records_damaged", "checksums_wrong"};
	const json_t *capture =
	    json_object_get(json_object_get(writer->look->live, "window"), "capture");
	for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
		uint64_t count = top_number(capture, keys[i]);
		struct block_row *row = add_row(block, keys[i], count > 0 ? TOP_BAD : TOP_PLAIN);
		if (row != NULL)
			set_number(row, 3, count);
	}
}

static void put_row(struct top_writer *writer, const struct block_row *row)
{
	enum { NAME_COLUMNS = 21 };
	size_t start = writer->columns;
	json_t *name = json_string(row->name);
	top_put_text(writer, name, NAME_COLUMNS);
	json_decref(name);
	top_at(writer, start + (row->shown[2] ? 14 : NAME_COLUMNS));
	if (row->shown[2])
		top_put(writer, "%7" PRIu64 " of", row->numbers[2]);
	if (row->shown[3])
		top_put(writer, " %7" PRIu64, row->numbers[3]);
	if (row->shown[2] || row->of > 0) {
		top_put(writer, " ");
		top_put_share(writer, row->part, row->of);
	}
}

static void put_both(
    struct top_writer *writer, const struct block *left, const struct block *right, size_t row)
{
	bool has_left = row < left->count, has_right = row < right->count;
	top_begin(writer, has_left ? left->rows[row].style : TOP_PLAIN);
	if (has_left)
		put_row(writer, &left->rows[row]);
	if (!has_right)
		return;
	top_at(writer, SECOND_COLUMN);
	top_begin_right(writer, right->rows[row].style);
	put_row(writer, &right->rows[row]);
}

static void put_title(struct top_writer *writer, const char *left, const char *right)
{
	top_begin(writer, TOP_PLAIN);
	top_begin(writer, TOP_HEAD);
	top_put(writer, "%s", left);
	if (right == NULL)
		return;
	top_at(writer, SECOND_COLUMN);
	top_put(writer, "%s", right);
}

static void put_block(struct top_writer *writer, const char *title, const struct block *block)
{
	static const struct block none = {0};
	put_title(writer, title, NULL);
	for (size_t row = 0; row < block->count; row++)
		put_both(writer, block, &none, row);
}

// Side by side where there is room.
static void put_pair(struct top_writer *writer, const char *const titles[2],
    const struct block *left, const struct block *right)
{
	size_t rows = left->count > right->count ? left->count : right->count;
	if (writer->look->columns < 2 * SECOND_COLUMN) {
		put_block(writer, titles[0], left);
		put_block(writer, titles[1], right);
		return;
	}
	put_title(writer, titles[0], titles[1]);
	for (size_t row = 0; row < rows; row++)
		put_both(writer, left, right, row);
}

/* ---- the whole ---- */

static void write_blocks(struct top_writer *writer)
{
	static const char *const sessions[] = {
	    "VERDICTS, of all sessions", "WAY TO TLS, each step of the one above"};
	static const char *const others[] = {
	    "LOSSES, counted", "PROTECTED from who listens, of those seen"};
	struct block verdicts = {.count = 0}, funnel = {.count = 0};
	struct block protection = {.count = 0}, losses = {.count = 0};
	take_verdicts(writer, &verdicts);
	take_funnel(writer, &funnel);
	take_protection(writer, &protection);
	take_losses(writer, &losses);
	put_pair(writer, sessions, &verdicts, &funnel);
	top_write_alerts(writer);
	put_pair(writer, others, &losses, &protection);
	top_write_servers(writer);
}

void top_frame_make(struct top_frame *frame, const struct top_look *look)
{
	struct top_writer writer = {.frame = frame, .look = look};
	frame->count = 0;
	if (look->live == NULL)
		return;
	write_head(&writer);
	write_rates(&writer);
	write_resources(&writer);
	write_store(&writer);
	write_blocks(&writer);
}
