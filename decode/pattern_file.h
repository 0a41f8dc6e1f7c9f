// SPDX-License-Identifier: Apache-2.0
// Pattern files as text, one pattern a line:
//
//     # a comment
//     [class]                          what follows is of this class (pattern_class.h)
//     identifier  /expression/flags    flags: i, upper and lower case are the same;
//                                      {edit_distance=1}, behind them: one byte may be wrong
//
// The identifier is all that stands before the blanks and the slash; `-` makes an exception of a line,
// which says of what it matches that it is nothing. The expression ends with the line's last slash, and
// is as in Perl without what would need backtracking (Hyperscan's, pcrepattern(3) by and large). Of
// several that match the first one counts.
//
// Owns the list of patterns read. Called by pattern_set.c at the start.
#ifndef MAILTAP_DECODE_PATTERN_FILE_H
#define MAILTAP_DECODE_PATTERN_FILE_H

#include "capture/base/error.h"
#include "capture/base/view.h"
#include "decode/pattern_class.h"

enum {
	PATTERN_FILE_MAX = 1 << 20, // bytes
	PATTERN_LINE_MAX = 4096, // bytes
	PATTERN_IDENTIFIER_MAX = 64, // bytes
	PATTERNS_MAX = 16384, // of all files
};

struct pattern {
	enum pattern_class class;
	char *identifier; // printable ASCII without " and backslash; NULL: an exception
	char *expression;
	bool caseless;
	unsigned edit_distance;
	const char *file; // borrowed: where it stands, for messages
	unsigned line;
};

struct pattern_list {
	struct pattern *patterns; // in the order of the files and their lines
	size_t count, capacity;
};

// Adds the patterns of a file, or of text that stands for one. `path` or `name` is kept for messages and
// must outlive the list. False: *error says what is wrong and where; what was added before stays.
bool pattern_file_read(struct pattern_list *list, const char *path, struct error *error);
bool pattern_text_read(
    struct pattern_list *list, const char *name, struct view text, struct error *error);

void pattern_list_free(struct pattern_list *list);

#endif
