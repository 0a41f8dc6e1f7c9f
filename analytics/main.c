// SPDX-License-Identifier: Apache-2.0
// The front door: reads the command line, sets the signals, runs; or hands over to a command.
#include "analytics/command.h"
#include "analytics/options.h"
#include "analytics/privileges.h"
#include "analytics/run.h"

#include <signal.h>
#include <stddef.h>
#include <stdio.h>

// Set by a signal, read by the run: the only global state there is.
static volatile sig_atomic_t stop;

static void on_signal(int number)
{
	(void)number;
	stop = 1;
}

// Without SA_RESTART: a wait for input ends, and the run sees that it is to stop.
static void set_signals(void)
{
	struct sigaction action = {.sa_handler = on_signal};
	sigemptyset(&action.sa_mask);
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	action.sa_handler = SIG_IGN;
	sigaction(SIGPIPE, &action, NULL); // a closed pipe is an error of write()
	sigaction(SIGXFSZ, &action, NULL); // and so is a file that may not grow
}

static void print_errors(const struct option_errors *errors)
{
	for (size_t i = 0; i < errors->count; i++)
		fprintf(stderr, "mailtap: %s\n", errors->errors[i].text);
	if (errors->left_out > 0)
		fprintf(stderr, "mailtap: and %zu more\n", errors->left_out);
}

int main(int argc, char **argv)
{
	struct options *options;
	struct option_errors errors;
	int code = 2;
	privileges_begin();
	const struct command *command = argc > 1 ? command_find(argv[1]) : NULL;
	if (command != NULL) {
		signal(SIGPIPE, SIG_IGN); // a closed pipe is an error of write()
		return command->run(argc - 1, argv + 1);
	}
	switch (options_read(argc, argv, &options, &errors)) {
	case OPTIONS_DONE:
		code = fflush(stdout) == 0 ? 0 : 1;
		break;
	case OPTIONS_WRONG:
		print_errors(&errors);
		break;
	case OPTIONS_RUN:
		set_signals();
		code = run(options, &stop);
		break;
	}
	options_free(options);
	return code;
}
