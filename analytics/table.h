// SPDX-License-Identifier: Apache-2.0
// The tables of the statistics. An accumulator counts sessions (its state is bounded whatever they
// are); a table shows it as columns and rows, with a caption and a line on what a tap cannot see.
// Renderers (render.h) know nothing of any one table: text, CSV, JSON and metrics show the same cells.
// One file per accumulator, named table_*.c, with its tables; one row each in the table of
// statistics.c. Owned by one thread.
//
// Facts that were not seen are in no numerator and no denominator: they have a column of their own.
#ifndef MAILTAP_ANALYTICS_TABLE_H
#define MAILTAP_ANALYTICS_TABLE_H

#include "analytics/dns_facts.h"
#include "analytics/session_facts.h"
#include "capture/base/hash.h"

enum column_kind {
	COLUMN_TEXT, // a label
	COLUMN_NUMBER, // a label that is a number
	COLUMN_COUNT, // only ever grows
	COLUMN_LEVEL, // may fall again: of a server that always did, until once it did not
	COLUMN_SHARE, // part of another; not in metrics
	COLUMN_NOTE, // text that is no label; not in metrics
};

struct column {
	const char *key; // in JSON, CSV and metrics
	const char *title; // in text; NULL: the text leaves it out
	const char *help; // what it counts
	enum column_kind kind;
};

struct cell {
	bool known; // false: null
	union {
		struct view text; // from the wire, perhaps: renderers make it harmless
		uint64_t number;
		struct {
			uint64_t part, of;
		};
	};
};

// Takes the rows of a table one by one; renderers have it as the first member of their own.
struct row_sink {
	void (*row)(struct row_sink *sink, const struct cell *cells);
};

// What all accumulators have in common that are added up.
struct table_frame {
	size_t
	    most; // of what strangers choose is told apart, where an accumulator has no lower bound
	struct hash_key key; // by which what is only counted is told apart
};

struct accumulator_ops {
	void *(*create)(const struct table_frame *frame); // NULL: no memory
	void (*destroy)(void *accumulator);
	void (*count)(void *accumulator, const struct session_facts *facts);
	// Counts in `sum` what `part` has counted, as if it had counted it itself; but what was not told apart in
	// the part is not in the sum either. `part` is of later sessions, and has a frame with the same key.
	void (*add)(void *sum, const void *part);
};

enum table_use {
	TABLE_OF_INTERVAL = 1 << 0, // also counted for every interval
	TABLE_MANY = 1 << 1, // as many rows as strangers like: the text shows the first
	TABLE_LONG = 1 << 2, // a row for each of very many: not in metrics nor in statistics.jsonl
	TABLE_WHERE_ANY = 1 << 3, // the text leaves it out where it has no row
};

struct table_ops {
	const char *name;
	const char *title; // for people
	const char *denominator; // over what it counts
	const char *unseen; // what a tap cannot see of it
	unsigned use; // enum table_use
	const struct column *columns;
	size_t column_count;
	const struct accumulator_ops *accumulator;
	void (*rows)(const void *accumulator, struct row_sink *sink);
	// What DNS says is counted by the accumulator, too; of those that share one, the first table says so. NULL: not.
	void (*domain)(void *accumulator, const struct domain_facts *facts);
	void (*lookups)(void *accumulator, const struct lookup_facts *facts);
};

enum { COLUMNS_MAX = 16 };

static inline struct cell cell_null(void)
{
	return (struct cell){0};
}

static inline struct cell cell_number(uint64_t number)
{
	return (struct cell){.known = true, .number = number};
}

static inline struct cell cell_text(struct view text)
{
	return (struct cell){.known = text.data != NULL, .text = text};
}

// A name of this program; NULL: null.
struct cell cell_name(const char *name);

// `of` 0: null.
static inline struct cell cell_share(uint64_t part, uint64_t of)
{
	return (struct cell){.known = of > 0, .part = part, .of = of};
}

// A fact counted by its three values.
struct tally {
	uint64_t yes, no, not_seen;
};

static inline void tally_add(struct tally *tally, enum seen value)
{
	tally->yes += value == SEEN_YES;
	tally->no += value == SEEN_NO;
	tally->not_seen += value == NOT_SEEN;
}

#endif
