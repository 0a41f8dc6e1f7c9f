// SPDX-License-Identifier: Apache-2.0
// `mailtap top`: how a running tap goes, on a terminal. Its work is in top/, which is loaded for it.
#include "analytics/command.h"
#include "analytics/command_line.h"
#include "analytics/listen_address.h"
#include "analytics/top/top.h"
#include "capture/base/module.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	INTERVAL_USUAL = 2, // seconds
	INTERVAL_MOST = 3600,
};

enum top_option { OPTION_CONNECT = COMMAND_LONG_ONLY, OPTION_INTERVAL, OPTION_WINDOW, OPTION_ONCE };

static const struct option long_options[] = {
    {"connect", required_argument, NULL, OPTION_CONNECT},
    {"window", required_argument, NULL, OPTION_WINDOW},
    {"interval", required_argument, NULL, OPTION_INTERVAL},
    {"once", no_argument, NULL, OPTION_ONCE},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

static const char help_text[] =
    "Usage: mailtap top [--connect [ADDRESS:]PORT] [--window 15m|1h|24h] [--interval SECONDS] "
    "[--once]\n"
    "\n"
    "Shows how a tap goes that runs with --listen: rates, verdicts, the way to TLS, protection, "
    "newest\n"
    "alerts, losses, servers. Keys: q quit, w window, p pause, s sort, arrows scroll, h help.\n"
    "\n"
    "      --connect [ADDRESS:]PORT  where it listens (127.0.0.1:9479)\n"
    "      --window 15m|1h|24h       the last 15 minutes, hour or day of packet time (15m)\n"
    "      --interval SECONDS        how often it is asked (2)\n"
    "      --once                    print what would be shown, and exit\n"
    "  -h, --help                    print this and exit\n"
    "\n"
    "NO_COLOR in the environment: without colours.\n";

struct top_options {
	struct top_settings settings;
	char address[LISTEN_ADDRESS_TEXT];
	bool once;
};

/* ---- the command line ---- */

static bool read_address(struct top_options *options, const char *value, struct error *error)
{
	struct listen_address address = {.length = 0};
	if (!listen_address_read(value, &address, "top: --connect", error))
		return false;
	listen_address_text(options->address, &address);
	error_set(error, "top: --connect %.80s: port 0 is none to connect to", value);
	return listen_address_port(&address) != 0;
}

static bool read_interval(struct top_options *options, const char *value, struct error *error)
{
	char *end;
	unsigned long seconds = strtoul(value, &end, 10);
	error_set(
	    error, "top: --interval %.80s: a number of seconds, 1 to %d", value, INTERVAL_MOST);
	if (value[0] < '0' || value[0] > '9' || *end != '\0' || seconds < 1 ||
	    seconds > INTERVAL_MOST)
		return false;
	options->settings.interval = (unsigned)seconds;
	return true;
}

static bool take(void *context, int option, const char *value, struct error *error)
{
	struct top_options *options = context;
	switch (option) {
	case OPTION_CONNECT:
		return read_address(options, value, error);
	case OPTION_INTERVAL:
		return read_interval(options, value, error);
	case OPTION_WINDOW:
		error_set(error, "top: --window %.80s: one of 15m, 1h, 24h", value);
		return live_window_find(value, &options->settings.window);
	case OPTION_ONCE:
		options->once = true;
		return true;
	default:
		error_set(error, "top: %.80s: is no option; see mailtap top --help", value);
		return false;
	}
}

/* ---- the command ---- */

int command_top(int argc, char **argv)
{
	static const struct module module = {TOP_MODULE_FILE, TOP_MODULE_SYMBOL,
	    "top: cannot be shown", "libncursesw6 and libcurl4"};
	static const struct command_line command_line = {"top", help_text, long_options, take};
	struct top_options options = {
	    .settings = {.interval = INTERVAL_USUAL}, .address = "127.0.0.1:9479"};
	struct error error;
	options.settings.address = options.address;
	enum options_outcome outcome =
	    command_line_read(&command_line, argc, argv, &options, &error);
	if (outcome != OPTIONS_RUN)
		return command_line_end(outcome, &error);
	const struct top_ops *top = module_load(&module, &error);
	bool good = top != NULL && (options.once ? top->print(&options.settings, &error)
	                                         : top->show(&options.settings, &error));
	if (!good)
		command_say(&error);
	return good ? 0 : COMMAND_FAILED;
}
