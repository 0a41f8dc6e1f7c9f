// SPDX-License-Identifier: Apache-2.0
#include "analytics/shipper.h"

#include "analytics/clickhouse_sender.h"
#include "analytics/privileges.h"
#include "analytics/sandbox.h"
#include "analytics/spool.h"
#include "capture/base/module.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
	PAUSE_LONGEST = 60, // seconds before a sender that was killed is begun anew
	GRACE = 5, // seconds beyond the last flush
	CODE_UNREADY = 1 // exit code of a sender that could not begin, and said why
};

struct shipper {
	struct shipper_status *status;
	int wake; // a pipe's end that is written; the other processes end with it
	int ready; // what they say when they begin; ends when they have ended
};

static void say(const struct error *error)
{
	fprintf(stderr, "mailtap: %s\n", error->text);
}

/* ---- the sender's process ---- */

static bool add_paths(struct named_paths *paths, const struct shipper_plan *plan)
{
	named_paths_add(paths, PATH_WRITE, plan->spool);
	named_paths_add(paths, PATH_READ, plan->login);
	named_paths_add(paths, PATH_READ, plan->ca_file);
	if (plan->url.tls && plan->ca_file == NULL)
		named_paths_add_usual_trust(paths);
	return !paths->incomplete;
}

static bool confine(const struct shipper_plan *plan, struct error *error)
{
	struct named_paths paths = {0};
	struct sandbox_plan sandbox = {
	    .needs = SANDBOX_NAMES | SANDBOX_SENDER, .port = plan->url.port, .paths = &paths};
	error_set(error, "no memory for the sandbox of the sender");
	bool good =
	    plan->without_sandbox || (add_paths(&paths, plan) && sandbox_enter(&sandbox, error));
	named_paths_free(&paths);
	return good;
}

// Tells the tap that it is ready, or why it is not. A sender that was begun anew is not waited for.
static void answer(int ready, const char *text)
{
	ssize_t written = write(ready, text, strlen(text));
	(void)written;
}

static int send_all(
    const struct shipper_plan *plan, struct shipper_status *status, int wake, int ready)
{
	static const struct module module = {CLICKHOUSE_MODULE_FILE, CLICKHOUSE_SENDER_SYMBOL,
	    "cannot send to ClickHouse", "libcurl4"};
	struct error error;
	(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0); // it will have a password
	const struct clickhouse_sender_ops *ops = module_load(&module, &error);
	struct clickhouse_sender *sender = ops != NULL ? ops->open(plan, status, &error) : NULL;
	if (sender == NULL || !confine(plan, &error)) {
		answer(ready, error.text);
		return CODE_UNREADY;
	}
	answer(ready, "\n");
	status->works = true;
	ops->work(sender, wake);
	return 0;
}

/* ---- the keeper's process ---- */

static bool has_ended(int wake)
{
	struct pollfd look = {.fd = wake};
	return poll(&look, 1, 0) > 0 && (look.revents & (POLLHUP | POLLERR)) != 0;
}

static bool give_up_privileges(const struct shipper_plan *plan, struct error *error)
{
	struct named_paths paths = {0};
	struct privileges_plan privileges = {.user = plan->user, .paths = &paths};
	error_set(error, "no memory for the names of files");
	bool good = add_paths(&paths, plan) && privileges_drop(&privileges, error);
	named_paths_free(&paths);
	return good;
}

static void tell_death(const struct shipper_status *status, int how, unsigned pause)
{
	struct error what;
	error_set(&what,
	    "the process that sends to ClickHouse ended by signal %d and is begun anew in %u s, "
	    "for "
	    "the %lluth time; records wait in the spool",
	    WTERMSIG(how), pause, (unsigned long long)status->restarts);
	say(&what);
}

// Until the sender has done its work, or could not begin.
static void keep(
    const struct shipper_plan *plan, struct shipper_status *status, int wake, int ready)
{
	for (unsigned pause = 1;; pause = pause < PAUSE_LONGEST / 2 ? pause * 2 : PAUSE_LONGEST) {
		int how = 0;
		pid_t sender = fork();
		if (sender == 0)
			_exit(send_all(plan, status, wake, ready));
		while (sender > 0 && waitpid(sender, &how, 0) < 0 && errno == EINTR)
			;
		status->works = false;
		if (sender > 0 && !WIFSIGNALED(how))
			return;
		status->restarts++;
		if (has_ended(wake))
			return;
		if (sender > 0)
			tell_death(status, how, pause);
		sleep(pause);
	}
}

// Signals are the tap's: this one ends with it.
static void leave_the_tap(int wake, int ready)
{
	static const int ignored[] = {SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGPIPE};
	for (size_t i = 0; i < sizeof ignored / sizeof ignored[0]; i++)
		signal(ignored[i], SIG_IGN);
	int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (nothing >= 0) {
		dup2(nothing, STDIN_FILENO);
		dup2(nothing, STDOUT_FILENO);
	}
	unsigned low = (unsigned)(wake < ready ? wake : ready);
	unsigned high = (unsigned)(wake < ready ? ready : wake);
	if (low > STDERR_FILENO + 1)
		(void)close_range(STDERR_FILENO + 1, low - 1, 0);
	if (high > low + 1)
		(void)close_range(low + 1, high - 1, 0);
	(void)close_range(high + 1, ~0U, 0);
	(void)unsetenv("NOTIFY_SOCKET");
}

static void be_keeper(
    const struct shipper_plan *plan, struct shipper_status *status, int wake, int ready)
{
	struct error error;
	leave_the_tap(wake, ready);
	int directory = give_up_privileges(plan, &error) ? spool_open(plan->spool, &error) : -1;
	int lock =
	    directory >= 0 ? spool_lock(directory, plan->spool, SHIPPER_FLUSH + GRACE, &error) : -1;
	if (lock >= 0)
		keep(plan, status, wake, ready);
	else
		answer(ready, error.text);
}

/* ---- the tap's process ---- */

static bool is_ready(const struct shipper *shipper, struct error *error)
{
	char text[sizeof error->text];
	size_t length = 0;
	ssize_t got;
	while (length < sizeof text - 1 && memchr(text, '\n', length) == NULL) {
		got = read(shipper->ready, text + length, sizeof text - 1 - length);
		if (got == 0 || (got < 0 && errno != EINTR))
			break;
		length += got > 0 ? (size_t)got : 0;
	}
	if (length == 1 && text[0] == '\n')
		return true;
	text[length] = '\0';
	error_set(
	    error, "%s", length > 0 ? text : "the process that sends to ClickHouse ended at once");
	return false;
}

static bool begin(struct shipper *shipper, const struct shipper_plan *plan, struct error *error)
{
	int wake[2], ready[2];
	error_set(error, "cannot begin the process that sends to ClickHouse");
	if (pipe2(wake, O_CLOEXEC | O_NONBLOCK) != 0)
		return false;
	shipper->wake = wake[1];
	if (pipe2(ready, O_CLOEXEC) != 0) {
		close(wake[0]);
		return false;
	}
	shipper->ready = ready[0];
	pid_t keeper = fork();
	if (keeper == 0) {
		close(wake[1]);
		close(ready[0]);
		be_keeper(plan, shipper->status, wake[0], ready[1]);
		_exit(0);
	}
	close(wake[0]);
	close(ready[1]);
	return keeper > 0 && is_ready(shipper, error);
}

struct shipper *shipper_start(const struct shipper_plan *plan, struct error *error)
{
	struct shipper *shipper = calloc(1, sizeof *shipper);
	error_set(error, "no memory for the process that sends to ClickHouse");
	if (shipper == NULL)
		return NULL;
	shipper->wake = shipper->ready = -1;
	void *shared = mmap(NULL, sizeof *shipper->status, PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	shipper->status = shared != MAP_FAILED ? shared : NULL;
	if (shipper->status != NULL && begin(shipper, plan, error))
		return shipper;
	shipper_end(shipper);
	return NULL;
}

bool shipper_wake(struct shipper *shipper)
{
	// A full pipe has woken it already.
	return write(shipper->wake, "", 1) == 1 || errno == EAGAIN || errno == EINTR;
}

const struct shipper_status *shipper_status(const struct shipper *shipper)
{
	return shipper->status;
}

void shipper_finish(struct shipper *shipper)
{
	char rest[64];
	if (shipper->wake >= 0)
		close(shipper->wake);
	shipper->wake = -1;
	struct pollfd end = {.fd = shipper->ready, .events = POLLIN};
	while (shipper->ready >= 0 && poll(&end, 1, (SHIPPER_FLUSH + GRACE) * 1000) > 0 &&
	       read(shipper->ready, rest, sizeof rest) > 0)
		;
	if (shipper->ready >= 0)
		close(shipper->ready);
	shipper->ready = -1;
}

void shipper_end(struct shipper *shipper)
{
	if (shipper == NULL)
		return;
	shipper_finish(shipper);
	if (shipper->status != NULL)
		munmap(shipper->status, sizeof *shipper->status);
	free(shipper);
}
