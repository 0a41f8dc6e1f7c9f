// SPDX-License-Identifier: Apache-2.0
// `mailtap top`: how a running tap goes, on a terminal. Its work is in top/, which is loaded for it.
#include "analytics/command.h"
#include "analytics/listen_address.h"
#include "analytics/top/top.h"
#include "capture/base/module.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	INTERVAL_USUAL = 2, // seconds
	INTERVAL_MOST = 3600,
	EXIT_FAILED = 1,
	EXIT_USAGE = 2,
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

static int say(const struct error *error, int code)
{
	fprintf(stderr, "mailtap: %s\n", error->text);
	return code;
}

/* ---- the command line ---- */

static bool read_address(struct top_options *options, struct error *error)
{
	struct listen_address address = {.length = 0};
	if (!listen_address_read(optarg, &address, "top: --connect", error))
		return false;
	listen_address_text(options->address, &address);
	error_set(error, "top: --connect %.80s: port 0 is none to connect to", optarg);
	return listen_address_port(&address) != 0;
}

static bool read_interval(struct top_options *options, struct error *error)
{
	char *end;
	unsigned long seconds = strtoul(optarg, &end, 10);
	error_set(
	    error, "top: --interval %.80s: a number of seconds, 1 to %d", optarg, INTERVAL_MOST);
	if (optarg[0] < '0' || optarg[0] > '9' || *end != '\0' || seconds < 1 ||
	    seconds > INTERVAL_MOST)
		return false;
	options->settings.interval = (unsigned)seconds;
	return true;
}

static bool read_window(struct top_options *options, struct error *error)
{
	error_set(error, "top: --window %.80s: one of 15m, 1h, 24h", optarg);
	return live_window_find(optarg, &options->settings.window);
}

static bool read_value(struct top_options *options, int option, char **argv, struct error *error)
{
	switch (option) {
	case 'c':
		return read_address(options, error);
	case 'i':
		return read_interval(options, error);
	case 'w':
		return read_window(options, error);
	case 'o':
		options->once = true;
		return true;
	default:
		error_set(error, "top: %.80s: %s; see --help", argv[optind - 1],
		    option == ':' ? "needs a value" : "no such option");
		return false;
	}
}

enum reading { READING_GOOD, READING_HELP, READING_WRONG };

static enum reading read_options(
    int argc, char **argv, struct top_options *options, struct error *error)
{
	static const struct option long_options[] = {
	    {"connect", required_argument, NULL, 'c'},
	    {"window", required_argument, NULL, 'w'},
	    {"interval", required_argument, NULL, 'i'},
	    {"once", no_argument, NULL, 'o'},
	    {"help", no_argument, NULL, 'h'},
	    {NULL, 0, NULL, 0},
	};
	int option;
	opterr = 0;
	optind = 0;
	while ((option = getopt_long(argc, argv, ":h", long_options, NULL)) != -1) {
		if (option == 'h')
			return READING_HELP;
		if (!read_value(options, option, argv, error))
			return READING_WRONG;
	}
	error_set(error, "top: %.80s: what is it? see --help", optind < argc ? argv[optind] : "");
	return optind == argc ? READING_GOOD : READING_WRONG;
}

/* ---- the command ---- */

int command_top(int argc, char **argv)
{
	static const struct module module = {TOP_MODULE_FILE, TOP_MODULE_SYMBOL,
	    "top: cannot be shown", "libncursesw6 and libcurl4"};
	struct top_options options = {
	    .settings = {.interval = INTERVAL_USUAL}, .address = "127.0.0.1:9479"};
	struct error error;
	options.settings.address = options.address;
	switch (read_options(argc, argv, &options, &error)) {
	case READING_HELP:
		fputs(help_text, stdout);
		return fflush(stdout) == 0 ? 0 : EXIT_FAILED;
	case READING_WRONG:
		return say(&error, EXIT_USAGE);
	case READING_GOOD:
		break;
	}
	const struct top_ops *top = module_load(&module, &error);
	if (top == NULL)
		return say(&error, EXIT_FAILED);
	bool good = options.once ? top->print(&options.settings, &error)
	                         : top->show(&options.settings, &error);
	return good ? 0 : say(&error, EXIT_FAILED);
}
