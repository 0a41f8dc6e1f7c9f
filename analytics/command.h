// SPDX-License-Identifier: Apache-2.0
// What mailtap does besides reading captures, as `mailtap NAME …`: one function per command in its own file,
// one row in the table of command.c. Used by the front door and by the help text.
#ifndef MAILTAP_ANALYTICS_COMMAND_H
#define MAILTAP_ANALYTICS_COMMAND_H

struct command {
	const char *name;
	// With the arguments from its name on. Returns the exit code: 0 all well, 1 something could not be
	// read or written, 2 wrong usage.
	int (*run)(int argc, char **argv);
};

// NULL: there is no command of this name.
const struct command *command_find(const char *name);

int command_servers(int argc, char **argv);
int command_report(int argc, char **argv);
int command_store(int argc, char **argv);
int command_query(int argc, char **argv);
int command_top(int argc, char **argv);

#endif
