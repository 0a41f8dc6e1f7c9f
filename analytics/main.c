// SPDX-License-Identifier: Apache-2.0
// The front door: reads the command line, sets the signals, runs; or hands over to a command.
#include "analytics/command.h"
#include "analytics/command_line.h"
#include "analytics/options.h"
#include "analytics/privileges.h"
#include "analytics/run.h"
#include "capture/base/heap.h"

#include <signal.h>
#include <stddef.h>
#include <stdio.h>

// Set by signals, read by the run: the only global state there is.
static struct signals signals;

// The second time it ends at once, as if nobody had caught the signal.
static void on_stop(int number)
{
	if (!atomic_exchange(&signals.stop, true))
		return;
	signal(number, SIG_DFL);
	raise(number);
}

static void on_reload(int number)
{
	(void)number;
	atomic_store(&signals.reload, true);
}

static void on_statistics(int number)
{
	(void)number;
	atomic_store(&signals.statistics, true);
}

static void set_signal(int number, void (*handler)(int), int flags)
{
	struct sigaction action = {.sa_handler = handler, .sa_flags = flags};
	sigemptyset(&action.sa_mask);
	sigaction(number, &action, NULL);
}

// Without SA_RESTART a wait for input ends, and the run sees that it is to stop.
static void set_signals(void)
{
	set_signal(SIGINT, on_stop, 0);
	set_signal(SIGTERM, on_stop, 0);
	set_signal(SIGHUP, on_reload, SA_RESTART);
	set_signal(SIGUSR1, on_statistics, SA_RESTART);
	set_signal(SIGXFSZ, SIG_IGN, 0); // a file that may not grow is an error of write()
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
	struct error error;
	int code = COMMAND_WRONG;
	privileges_begin();
	heap_prepare();
	set_signal(SIGPIPE, SIG_IGN, 0); // a closed pipe is an error of write()
	const struct command *command = argc > 1 ? command_find(argv[1]) : NULL;
	if (command != NULL)
		return command->run(argc - 1, argv + 1);
	switch (options_read(argc, argv, &options, &errors)) {
	case OPTIONS_DONE:
		code = command_line_end(OPTIONS_DONE, &error);
		break;
	case OPTIONS_WRONG:
		print_errors(&errors);
		break;
	case OPTIONS_RUN:
		set_signals();
		code = run(options, &signals);
		break;
	}
	options_free(options);
	return code;
}
