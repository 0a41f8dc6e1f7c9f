// SPDX-License-Identifier: Apache-2.0
#include "analytics/every_thread.h"

#include "capture/base/thread.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum {
	THREADS_MAX = 1024,
	PATIENCE_MS = 2000, // for a thread to take its signal
};

struct errand {
	thread_work *work;
	const void *context;
	atomic_uint done;
	atomic_int failure; // an error number
};

struct asked {
	pid_t threads[THREADS_MAX];
	unsigned count;
};

// The errand comes with the signal. Signals of others, without one, are none of ours.
static void on_errand(int number, siginfo_t *info, void *unused)
{
	(void)number;
	(void)unused;
	int before = errno;
	if (info->si_code != SI_QUEUE || info->si_pid != getpid())
		return;
	struct errand *errand = info->si_value.sival_ptr;
	int failure = errand->work(errand->context);
	if (failure != 0)
		errand->failure = failure;
	errand->done++;
	errno = before;
}

static bool was_asked(const struct asked *asked, pid_t thread)
{
	for (unsigned i = 0; i < asked->count; i++)
		if (asked->threads[i] == thread)
			return true;
	return false;
}

static bool ask(struct asked *asked, pid_t thread, struct errand *errand)
{
	siginfo_t info = {.si_code = SI_QUEUE};
	info.si_pid = getpid();
	info.si_uid = getuid();
	info.si_value.sival_ptr = errand;
	if (asked->count == THREADS_MAX)
		return false;
	if (syscall(SYS_rt_tgsigqueueinfo, getpid(), thread, thread_signal(), &info) == 0)
		asked->threads[asked->count++] = thread;
	return true; // one that cannot be asked has ended
}

// Asks those that were not asked yet. False: there are too many, or they cannot be listed.
static bool ask_all(struct asked *asked, struct errand *errand)
{
	DIR *list = opendir("/proc/self/task");
	const struct dirent *entry;
	bool good = list != NULL;
	while (good && (entry = readdir(list)) != NULL) {
		pid_t thread = (pid_t)strtol(entry->d_name, NULL, 10);
		if (thread > 0 && thread != gettid() && !was_asked(asked, thread))
			good = ask(asked, thread, errand);
	}
	if (list != NULL)
		closedir(list);
	return good;
}

static bool all_answer(const struct asked *asked, struct errand *errand)
{
	const struct timespec pause = {.tv_nsec = 1000000};
	for (unsigned i = 0; errand->done < asked->count && i < PATIENCE_MS; i++)
		nanosleep(&pause, NULL);
	return errand->done >= asked->count;
}

// Until a list has no thread that is new: one that began meanwhile may have begun too early to inherit.
static bool ask_others(struct errand *errand, struct error *error)
{
	struct asked *asked = calloc(1, sizeof *asked);
	error_set(error, "no memory for a list of threads");
	if (asked == NULL)
		return false;
	bool good = true;
	unsigned before;
	do {
		before = asked->count;
		good = ask_all(asked, errand) && all_answer(asked, errand);
	} while (good && asked->count > before);
	error_set(error, "a thread of the process cannot be asked to (it blocks the signal for it, or there is no /proc)");
	free(asked);
	return good;
}

bool every_thread_do(thread_work *work, const void *context, struct error *error)
{
	// Outlives the call where a thread never answers: its signal may still be on the way.
	struct errand *errand = calloc(1, sizeof *errand);
	struct sigaction action = {.sa_sigaction = on_errand, .sa_flags = SA_SIGINFO | SA_RESTART};
	struct sigaction before;
	error_set(error, "no memory");
	if (errand == NULL)
		return false;
	errand->work = work;
	errand->context = context;
	sigfillset(&action.sa_mask);
	sigaction(thread_signal(), &action, &before);
	bool reached = ask_others(errand, error);
	if (!reached)
		return false;
	sigaction(thread_signal(), &before, NULL);
	int failure = work(context);
	if (failure == 0)
		failure = errand->failure;
	free(errand);
	if (failure != 0)
		error_set(error, "%s", strerror(failure));
	return failure == 0;
}
