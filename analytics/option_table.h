// SPDX-License-Identifier: Apache-2.0
// The options there are, one row each: the command line, its help and the configuration file are all read by
// this table. A new option is one row here and one member of struct options. Used by options.c, option_help.c
// and the configuration file's reader.
#ifndef MAILTAP_ANALYTICS_OPTION_TABLE_H
#define MAILTAP_ANALYTICS_OPTION_TABLE_H

#include "analytics/options.h"

// What an option is about: its section in the configuration file.
enum option_group {
	OPTION_GROUP_NONE, // only on the command line
	OPTION_GROUP_CAPTURE,
	OPTION_GROUP_PERFORMANCE,
	OPTION_GROUP_LOGS,
	OPTION_GROUP_STORE,
	OPTION_GROUP_CERTIFICATES,
	OPTION_GROUP_EVIDENCE,
	OPTION_GROUP_STATISTICS,
	OPTION_GROUP_SERVICE,
	OPTION_GROUP_PRIVILEGES,
	OPTION_GROUP_PRIVACY,
	OPTION_GROUPS
};

struct option_kind;

struct option_row {
	const char *name; // the long one, without --
	char letter; // or 0
	const char *argument; // as the help calls it; NULL: takes none
	const struct option_kind *kind;
	size_t offset; // of its member in struct options, of the type that the kind names
	enum option_group group;
	const char *help; // lines of at most 70 characters
	// Of kinds that are numbers, in the units of the command line: the value if the option is not given,
	// and the bounds, both included. most 0: as many as there are numbers.
	uint64_t initial, least, most;
	const char *const *words; // of option_word: what it may be, NULL at the end
	bool
	    source; // says where packets come from: one on the command line replaces all of the file
};

enum {
	OPTION_ROWS_MAX = 128,
	OPTION_NAME_MAX = 64,
	OPTION_VALUE_NONE = 0, // offset of options without a member
};

extern const struct option_row option_table[];
extern const size_t option_rows; // in it

// What a section of the configuration file is called. Not of OPTION_GROUP_NONE.
const char *option_group_name(enum option_group group);

// The option as messages name it: by its letter, if it has one, as on the command line.
void option_shown_as(const struct option_row *row, char shown[OPTION_NAME_MAX]);

#endif
