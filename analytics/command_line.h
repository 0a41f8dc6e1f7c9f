// SPDX-License-Identifier: Apache-2.0
// The command line of a command (`mailtap NAME …`): the one loop over its options, and what the loop over those of the
// program itself (options.c) has in common with it. Used by each command_*.c and by options.c.
#ifndef MAILTAP_ANALYTICS_COMMAND_LINE_H
#define MAILTAP_ANALYTICS_COMMAND_LINE_H

#include "analytics/option_table.h"

#include <getopt.h>

enum {
	COMMAND_FAILED = 1, // exit codes: something could not be read or written
	COMMAND_WRONG = 2, // wrong usage
	COMMAND_WORD = 1, // in place of an option: a word that is none
	COMMAND_LONG_ONLY = 256, // from here on, an option has no letter: its number is no letter's
	COMMAND_LETTERS_SIZE = 3 + 2 * OPTION_ROWS_MAX,
};

struct command_line {
	const char *command; // its name, in messages
	const char *help; // printed where it is asked for
	const struct option *options; // as getopt has them, with --help, whose number is 'h'
	// Takes the value of an option (NULL: it has none), or a word (COMMAND_WORD), in their order. `value` is of argv.
	// False: *error.
	bool (*take)(void *context, int option, const char *value, struct error *error);
};

// Gives each option and word to `take`, with `context`. OPTIONS_DONE: the help was printed. OPTIONS_WRONG: *error.
enum options_outcome command_line_read(
    const struct command_line *line, int argc, char **argv, void *context, struct error *error);

// The exit code of a command that is not carried out: DONE, or WRONG, for which *error is printed.
int command_line_end(enum options_outcome outcome, struct error *error);

// Sets a value that may be given once and is not empty. `option`: as messages name it. False: *error.
bool command_line_set(
    const char **slot, const char *value, const char *option, struct error *error);

void command_say(const struct error *error);

// Writes what is left for standard output. A reader that has gone, as `head` does when it has enough, wants no more: that is
// no error. False: *error.
bool command_output_end(struct error *error);

// getopt's letters of options: words come in their place, and a missing value is told from an unknown option.
void command_line_letters(const struct option *options, char letters[COMMAND_LETTERS_SIZE]);

// What is wrong with the word that getopt did not take: it returned '?' or ':'. `command`: NULL, the program itself.
void command_line_mistake(int returned, const char *word, const struct option *options,
    const char *command, struct error *error);

#endif
