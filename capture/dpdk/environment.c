// SPDX-License-Identifier: Apache-2.0
#include "capture/dpdk/environment.h"

#include "capture/dpdk/arguments.h"

#include <fcntl.h>
#include <pthread.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_log.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

enum {
	SAID_MAX = 4096, // of what DPDK wrote while it started
	LINES_A_MINUTE = 10, // of what it reports later
};

struct environment {
	void (*say)(void *context, const struct error *line);
	void *context;
	bool verbose; // the user asked for DPDK's own log
	atomic_long minute; // in which lines were told
	atomic_int lines; // in it
	FILE *log;
};

/* ---- the words ---- */

// One processor for DPDK's main thread, which is all it needs: mailtap's threads are its own. Without it DPDK
// starts a thread for each processor.
static bool add_processor(struct dpdk_arguments *arguments, struct error *error)
{
	char word[16];
	cpu_set_t processors;
	int first = 0;
	if (sched_getaffinity(0, sizeof processors, &processors) == 0)
		while (first < CPU_SETSIZE - 1 && !CPU_ISSET((size_t)first, &processors))
			first++;
	snprintf(word, sizeof word, "-l%d", first);
	return dpdk_arguments_add(arguments, word, error);
}

// What the user did not choose. It stands in front: DPDK looks for its log's level only up to the first word
// that it does not know.
static bool add_usual(
    struct dpdk_arguments *arguments, const struct dpdk_arguments *given, struct error *error)
{
	bool placed = dpdk_arguments_have(given, "-l") || dpdk_arguments_have(given, "-c") ||
	              dpdk_arguments_have(given, "--lcores");
	bool telemetry = dpdk_arguments_have(given, "--telemetry") ||
	                 dpdk_arguments_have(given, "--no-telemetry");
	return dpdk_arguments_add(arguments, "mailtap", error) &&
	       (dpdk_arguments_have(given, "--log-level") ||
	           dpdk_arguments_add(arguments, "--log-level=error", error)) &&
	       (telemetry || dpdk_arguments_add(arguments, "--no-telemetry", error)) &&
	       (placed || add_processor(arguments, error));
}

static bool make_words(
    struct dpdk_arguments *arguments, const struct dpdk_arguments *given, struct error *error)
{
	arguments->count = 0;
	arguments->used = 0;
	if (dpdk_arguments_have(given, "-h") || dpdk_arguments_have(given, "--help")) {
		error_set(
		    error, "--dpdk: for the options of DPDK's environment see dpdk-testpmd --help");
		return false;
	}
	if (!add_usual(arguments, given, error))
		return false;
	for (int i = 0; i < given->count; i++)
		if (!dpdk_arguments_add(arguments, given->words[i], error))
			return false;
	return true;
}

/* ---- what DPDK writes ---- */

// Where the two outputs of this process go while DPDK starts.
struct hush {
	int kept[2];
	int said; // a file in memory
};

static void hush_end(struct hush *hush)
{
	fflush(stdout);
	for (int i = 0; i < 2; i++)
		if (hush->kept[i] >= 0) {
			(void)dup2(hush->kept[i], STDOUT_FILENO + i);
			close(hush->kept[i]);
		}
}

// Usage goes to standard output, where records may go; reasons to standard error and the log.
static void hush_begin(struct hush *hush)
{
	fflush(stdout);
	for (int i = 0; i < 2; i++)
		hush->kept[i] = fcntl(STDOUT_FILENO + i, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	hush->said = memfd_create("dpdk", MFD_CLOEXEC);
	int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
	if (nowhere >= 0) {
		(void)dup2(nowhere, STDOUT_FILENO);
		close(nowhere);
	}
	if (hush->said >= 0)
		(void)dup2(hush->said, STDERR_FILENO);
}

// What DPDK reports while it runs. One call a line: the stream is not buffered.
static ssize_t take_line(void *cookie, const char *text, size_t length)
{
	struct environment *environment = cookie;
	struct timespec now;
	if (environment->verbose) {
		fprintf(stderr, "%.*s", (int)length, text);
		return (ssize_t)length;
	}
	clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
	if (atomic_exchange(&environment->minute, now.tv_sec / 60) != now.tv_sec / 60)
		atomic_store(&environment->lines, 0);
	int line = atomic_fetch_add(&environment->lines, 1);
	if (line > LINES_A_MINUTE || environment->say == NULL)
		return (ssize_t)length;
	struct error said;
	while (length > 0 && text[length - 1] == '\n')
		length--;
	if (line < LINES_A_MINUTE)
		error_set(&said, "DPDK: %.*s", (int)length, text);
	else
		error_set(&said, "DPDK reports more than ten errors in a minute");
	environment->say(environment->context, &said);
	return (ssize_t)length;
}

/* ---- why it did not start ---- */

static const struct {
	const char *said, *advice;
} advices[] = {
    {"another primary process", "give each process a --file-prefix of its own"},
    {"nrecognized option", "dpdk-testpmd --help lists the options"},
    {"nvalid option", "dpdk-testpmd --help lists the options"},
    {"Invalid 'command line'", "dpdk-testpmd --help lists the options"},
    {"hugepage", "set up hugepages, or go without: --no-huge -m 512 (see dpdk.md)"},
    {"hugetlbfs", "set up hugepages, or go without: --no-huge -m 512 (see dpdk.md)"},
    {"ermission denied", "root is needed, or rights to hugepages and devices (see dpdk.md)"},
    {"peration not permitted", "root is needed, or rights to hugepages and devices (see dpdk.md)"},
    {"VFIO", "is the card bound to vfio-pci, and the IOMMU on? (see dpdk.md)"},
    {"no driver found", "is the driver's package (librte-net-…) installed?"},
};

static const char *advice_for(const char *said)
{
	for (size_t i = 0; i < sizeof advices / sizeof advices[0]; i++)
		if (strstr(said, advices[i].said) != NULL)
			return advices[i].advice;
	return "with --log-level=8 DPDK says more";
}

static void read_said(int said, char text[SAID_MAX])
{
	ssize_t length = said < 0 ? 0 : pread(said, text, SAID_MAX - 1, 0);
	text[length > 0 ? length : 0] = '\0';
}

// Without what all lines of DPDK begin with, and the full stop.
static int trim(const char **line)
{
	static const char *const prefixes[] = {"EAL: ", "FATAL: "};
	for (size_t i = 0; i < sizeof prefixes / sizeof prefixes[0]; i++)
		if (strncmp(*line, prefixes[i], strlen(prefixes[i])) == 0)
			*line += strlen(prefixes[i]);
	int length = (int)strcspn(*line, "\n");
	return length > 0 && (*line)[length - 1] == '.' ? length - 1 : length;
}

// The first line that was written is nearest to the cause.
static void explain(int said, struct error *error)
{
	char text[SAID_MAX];
	const char *line = text;
	read_said(said, text);
	int length = trim(&line);
	if (length == 0)
		error_set(
		    error, "DPDK did not start: %s; %s", strerror(rte_errno), advice_for(text));
	else
		error_set(error, "DPDK did not start: %.*s; %s", length, line, advice_for(text));
}

/* ---- the whole ---- */

// It may have started without a device.
static void say_all(struct environment *environment, int said)
{
	char text[SAID_MAX];
	read_said(said, text);
	for (char *line = text; *line != '\0';) {
		size_t length = strcspn(line, "\n");
		if (length > 0)
			(void)take_line(environment, line, length);
		line += length + (line[length] != '\0');
	}
}

// DPDK ties the calling thread to its processor, and its own threads take over which signals are blocked.
static int start(struct dpdk_arguments *arguments)
{
	// What people and the system ask of a run. Others are for threads themselves.
	static const int for_the_run[] = {SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2};
	cpu_set_t processors;
	sigset_t asked, before;
	bool known = sched_getaffinity(0, sizeof processors, &processors) == 0;
	sigemptyset(&asked);
	for (size_t i = 0; i < sizeof for_the_run / sizeof for_the_run[0]; i++)
		sigaddset(&asked, for_the_run[i]);
	pthread_sigmask(SIG_BLOCK, &asked, &before);
	int result = rte_eal_init(arguments->count, arguments->words);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (known)
		(void)sched_setaffinity(0, sizeof processors, &processors);
	return result;
}

static bool start_quietly(
    struct environment *environment, struct dpdk_arguments *arguments, struct error *error)
{
	struct hush hush = {{-1, -1}, -1};
	if (!environment->verbose)
		hush_begin(&hush);
	(void)rte_openlog_stream(stderr); // or it goes to syslog as well
	bool good = start(arguments) >= 0;
	hush_end(&hush);
	if (good)
		say_all(environment, hush.said);
	else
		explain(hush.said, error);
	if (hush.said >= 0)
		close(hush.said);
	return good;
}

struct environment *environment_begin(const struct source_request *request, struct error *error)
{
	struct dpdk_arguments given = {.count = 0}, arguments;
	const char *line = request->environment != NULL ? request->environment : "";
	if (!dpdk_arguments_split(&given, line, error) || !make_words(&arguments, &given, error))
		return NULL;
	struct environment *environment = calloc(1, sizeof *environment);
	if (environment == NULL) {
		error_set(error, "cannot set up DPDK: no memory");
		return NULL;
	}
	environment->say = request->say;
	environment->context = request->say_context;
	environment->verbose = dpdk_arguments_have(&given, "--log-level");
	if (!start_quietly(environment, &arguments, error)) {
		free(environment);
		return NULL;
	}
	const cookie_io_functions_t functions = {.write = take_line};
	environment->log = fopencookie(environment, "w", functions);
	if (environment->log != NULL) {
		setvbuf(environment->log, NULL, _IOLBF, 0);
		(void)rte_openlog_stream(environment->log);
	}
	return environment;
}

// DPDK's own cleaning up (rte_eal_cleanup) is left out: it unmaps memory while DPDK's thread for events may still look
// into it, and then the process ends by a signal, as when the peer of a net_memif port goes away. The ports are
// closed; the rest goes with the process, and what is left in DPDK's run-time directory with its next start.
void environment_end(struct environment *environment)
{
	if (environment == NULL)
		return;
	(void)rte_openlog_stream(NULL);
	if (environment->log != NULL)
		fclose(environment->log);
	free(environment);
}
