// SPDX-License-Identifier: Apache-2.0
// The kinds of options, and a reader for each: from the text of a value, wherever it was written, to a member
// of struct options. Used by the table of options and by those who read options by it.
#ifndef MAILTAP_ANALYTICS_OPTION_VALUES_H
#define MAILTAP_ANALYTICS_OPTION_VALUES_H

#include "analytics/option_table.h"

struct option_kind {
	// Reads a value and sets the member. `shown` is how messages name the option. `value` is borrowed, and
	// must live as long as the options; NULL for flags. False: *error. NULL: there is nothing to set.
	bool (*read)(struct options *options, const struct option_row *row, const char *shown,
	    const char *value, struct error *error);
	// Sets the member to what it is if the option is not given. NULL: it is zero.
	void (*begin)(struct options *options, const struct option_row *row);
	bool list; // may be given several times
	char joined_by; // what stands between the items of a value that is a list itself, or 0
};

extern const struct option_kind option_flag, // bool: true if given
    option_text, // const char *: given once, and not empty
    option_list, // struct path_list: in order, none of them empty
    option_size, // size_t: bytes, as 512M or 2G
    option_seconds, // nanoseconds: up to a year
    option_count, // size_t: a number
    option_word, // unsigned: which of the row's words
    option_cpus, // struct cpu_list: given once
    option_ports, // struct port_table
    option_listen, // struct listen_address: given once
    option_captures, // files and file_count
    option_filter, // filter: one expression
    option_help, // no member: printed as soon as it is read
    option_version, // likewise
    option_interfaces; // likewise

// An expression that is no filter on Ethernet nor on bare IP is none on any link. False: *error.
bool option_filter_check(const char *expression, struct error *error);

// Appends a word to the filter expression. False: *error.
bool option_add_filter_word(struct options *options, const char *word, struct error *error);

#endif
