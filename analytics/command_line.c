// SPDX-License-Identifier: Apache-2.0
#include "analytics/command_line.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

void command_say(const struct error *error)
{
	fprintf(stderr, "mailtap: %s\n", error->text);
}

// A pipe that nobody reads any more, or a connection that the other side closed.
static bool reader_has_gone(void)
{
	struct pollfd output = {.fd = STDOUT_FILENO};
	return poll(&output, 1, 0) == 1 && (output.revents & (POLLERR | POLLHUP)) != 0;
}

bool command_output_end(struct error *error)
{
	if ((fflush(stdout) == 0 && !ferror(stdout)) || reader_has_gone())
		return true;
	error_set(error, "standard output: cannot be written");
	return false;
}

void command_line_letters(const struct option *options, char letters[COMMAND_LETTERS_SIZE])
{
	*letters++ = '-';
	*letters++ = ':';
	for (; options->name != NULL; options++) {
		if (options->val >= COMMAND_LONG_ONLY)
			continue;
		*letters++ = (char)options->val;
		if (options->has_arg == required_argument)
			*letters++ = ':';
	}
	*letters = '\0';
}

void command_line_mistake(int returned, const char *word, const struct option *options,
    const char *command, struct error *error)
{
	char whose[64] = "", help[64] = "--help";
	if (command != NULL) {
		snprintf(whose, sizeof whose, "%s: ", command);
		snprintf(help, sizeof help, "mailtap %s --help", command);
	}
	while (options->name != NULL && options->val != optopt)
		options++;
	if (returned == ':')
		error_set(error, "%s%.80s: needs a value; see %s", whose, word, help);
	else if (options->name != NULL)
		error_set(error, "%s--%s: takes no value; see %s", whose, options->name, help);
	else if (optopt != 0)
		error_set(error, "%sunknown option -%c; see %s", whose, optopt, help);
	else
		error_set(error, "%sunknown option %.80s; see %s", whose, word, help);
}

enum options_outcome command_line_read(
    const struct command_line *line, int argc, char **argv, void *context, struct error *error)
{
	char letters[COMMAND_LETTERS_SIZE];
	int option;
	command_line_letters(line->options, letters);
	opterr = 0;
	optind = 0;
	while ((option = getopt_long(argc, argv, letters, line->options, NULL)) != -1) {
		if (option == 'h') {
			fputs(line->help, stdout);
			return OPTIONS_DONE;
		}
		if (option == '?' || option == ':') {
			command_line_mistake(
			    option, argv[optind - 1], line->options, line->command, error);
			return OPTIONS_WRONG;
		}
		if (!line->take(context, option, optarg, error))
			return OPTIONS_WRONG;
	}
	for (; optind < argc; optind++) // behind "--"
		if (!line->take(context, COMMAND_WORD, argv[optind], error))
			return OPTIONS_WRONG;
	return OPTIONS_RUN;
}

int command_line_end(enum options_outcome outcome, struct error *error)
{
	bool done = outcome == OPTIONS_DONE;
	if (done && command_output_end(error))
		return 0;
	command_say(error);
	return done ? COMMAND_FAILED : COMMAND_WRONG;
}

bool command_line_set(const char **slot, const char *value, const char *option, struct error *error)
{
	if (*slot == NULL && value[0] != '\0') {
		*slot = value;
		return true;
	}
	error_set(
	    error, *slot != NULL ? "%s: given twice; name one" : "%s: its value is empty", option);
	return false;
}
