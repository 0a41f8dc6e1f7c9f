// SPDX-License-Identifier: Apache-2.0
// What the tables share: their list of columns, rows in an order, keys of addresses. Used by
// table_*.c alone.
#ifndef MAILTAP_ANALYTICS_TABLE_ROWS_H
#define MAILTAP_ANALYTICS_TABLE_ROWS_H

#include "analytics/bounded_map.h"
#include "analytics/client_network.h"
#include "analytics/server_key.h"
#include "analytics/table.h"

#define TABLE_COLUMNS(list) .columns = (list), .column_count = sizeof(list) / sizeof(list)[0]

enum {
	SERVERS_MAX = 65536, // told apart, as are
	CLIENTS_MAX = 65536,
	PAIRS_MAX = 65536,
	KINDS_MAX = 1024, // rows of what has few kinds in honest traffic
};

// The row of what did not fit.
#define OTHERS "others"

// A server: address and port. No padding: it is a key.
struct server_port_key {
	struct ip_address address;
	uint8_t port[2];
};

struct server_port_key server_port_key_of(const struct session_facts *facts);

// SMTP, IMAP or POP3, or TLS on a port where one of them is spoken.
bool is_mail(const struct session_facts *facts);

// The bound of an accumulator that has this one by itself.
static inline size_t frame_most(const struct table_frame *frame, size_t own)
{
	return frame->most < own ? frame->most : own;
}

// Adds numbers of 64 bits, `size` bytes of them.
void add_numbers(void *sum, const void *part, size_t size);

// Adds the values of a map's entries to those of another, or to `others` where there is no room.
void map_add(struct bounded_map *sum, const struct bounded_map *part,
    void (*add)(void *sum, const void *part), void *others);

// Calls `row` for each entry, in the order of `compare`.
void map_rows(const struct bounded_map *map,
    int (*compare)(const struct map_entry *one, const struct map_entry *other),
    void (*row)(struct row_sink *sink, const struct map_entry *entry), struct row_sink *sink);

// A greater number first.
static inline int compare_numbers(uint64_t one, uint64_t other)
{
	return (one < other) - (one > other);
}

// An address as text.
struct cell cell_address(const struct ip_address *address, char text[SERVER_ADDRESS_TEXT]);

// Empty: null.
struct cell cell_string(const char *text);

// Always, sometimes, never, or not seen.
enum habit {
	HABIT_ALWAYS,
	HABIT_SOMETIMES,
	HABIT_NEVER,
	HABIT_NOT_SEEN,
	HABITS,
};

enum habit habit_of(uint64_t yes, uint64_t no);
const char *habit_name(enum habit habit); // NULL: not seen

#endif
