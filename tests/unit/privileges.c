// SPDX-License-Identifier: Apache-2.0
// Giving up privileges: in all threads, those that are there already among them; and what is kept, for whom.
// As root; without, what an ordinary user sees of it.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "analytics/privileges.h"
#include "capture/base/thread.h"
#include "capture/net_raw.h"

#include <cap-ng.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pthread.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const char somebody[] = "nobody"; // on every system

// A check in a process of its own: 0, or the line that failed.
typedef int check(void);

#define REQUIRE(condition)                                                                         \
	do {                                                                                       \
		if (!(condition))                                                                  \
			return __LINE__;                                                           \
	} while (0)

static void in_child(check *body)
{
	int status, line = 0, ends[2];
	assert_int_equal(pipe(ends), 0);
	fflush(NULL);
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		line = body();
		_exit(write(ends[1], &line, sizeof line) == sizeof line ? 0 : 1);
	}
	close(ends[1]);
	assert_int_equal(read(ends[0], &line, sizeof line), sizeof line);
	close(ends[0]);
	assert_int_equal(waitpid(child, &status, 0), child);
	if (line != 0)
		print_error("line %d does not hold\n", line);
	assert_int_equal(line, 0);
}

static bool is_root(void)
{
	return geteuid() == 0 && capng_get_caps_process() == 0 &&
	       capng_have_capability(CAPNG_EFFECTIVE, CAP_SETUID) &&
	       capng_have_capability(CAPNG_EFFECTIVE, CAP_DAC_OVERRIDE);
}

static void needs_root(void)
{
	if (is_root())
		return;
	print_message("# not root: nothing to give up\n");
	skip();
}

/* ---- threads ---- */

enum { THREADS = 4 };

static _Noreturn void *sleep_on(void *context)
{
	(void)context;
	for (;;)
		pause();
}

static bool begin_threads(void)
{
	pthread_t thread;
	for (int i = 0; i < THREADS; i++)
		if (!thread_begin(&thread, sleep_on, NULL))
			return false;
	return true;
}

// The line of a thread's status, behind its name and the white space.
static bool line_is(const char *thread, const char *name, const char *expected)
{
	char path[300], line[256];
	bool found = false;
	snprintf(path, sizeof path, "/proc/self/task/%s/status", thread);
	FILE *file = fopen(path, "r");
	while (file != NULL && !found && fgets(line, sizeof line, file) != NULL)
		if (strncmp(line, name, strlen(name)) == 0 && line[strlen(name)] == ':') {
			const char *value = line + strlen(name) + 1;
			value += strspn(value, " \t");
			found = strncmp(value, expected, strlen(expected)) == 0 &&
			        strspn(value + strlen(expected), " \n") ==
			            strlen(value + strlen(expected));
			if (!found)
				fprintf(stderr, "thread %s: %s", thread, line);
		}
	if (file != NULL)
		fclose(file);
	return found;
}

static bool in_all_threads(const char *name, const char *expected)
{
	DIR *list = opendir("/proc/self/task");
	const struct dirent *entry;
	int seen = 0;
	bool good = list != NULL;
	while (good && (entry = readdir(list)) != NULL)
		if (entry->d_name[0] != '.') {
			good = line_is(entry->d_name, name, expected);
			seen++;
		}
	if (list != NULL)
		closedir(list);
	return good && seen == THREADS + 1;
}

static const char none[] = "0000000000000000";

/* ---- checks ---- */

static bool drop(const char *user, bool reopens, struct named_paths *paths, struct error *error)
{
	struct named_paths no_paths = {0};
	struct privileges_plan plan = {
	    .user = user, .reopens = reopens, .paths = paths != NULL ? paths : &no_paths};
	*error = (struct error){""};
	return privileges_drop(&plan, error);
}

static int root_without_user(void)
{
	struct error error;
	REQUIRE(begin_threads());
	REQUIRE(drop(NULL, false, NULL, &error));
	REQUIRE(in_all_threads("Uid", "0\t0\t0\t0"));
	REQUIRE(in_all_threads("CapEff", none) && in_all_threads("CapPrm", none));
	REQUIRE(in_all_threads("NoNewPrivs", "1"));
	REQUIRE(setuid(65534) != 0); // not even that
	REQUIRE(prctl(PR_GET_DUMPABLE) == 1);
	return 0;
}

static int another_user(void)
{
	struct error error;
	char ids[64], groups[32];
	const struct passwd *user = getpwnam(somebody);
	REQUIRE(user != NULL && begin_threads());
	uid_t id = user->pw_uid;
	snprintf(groups, sizeof groups, "%u", user->pw_gid);
	REQUIRE(drop(somebody, false, NULL, &error));
	snprintf(ids, sizeof ids, "%u\t%u\t%u\t%u", id, id, id, id);
	REQUIRE(in_all_threads("Uid", ids));
	REQUIRE(in_all_threads("Groups", groups));
	REQUIRE(in_all_threads("CapEff", none) && in_all_threads("CapPrm", none));
	REQUIRE(in_all_threads("NoNewPrivs", "1"));
	REQUIRE(setuid(0) != 0 && seteuid(0) != 0 && setgid(0) != 0);
	REQUIRE(prctl(PR_GET_DUMPABLE) == 0);
	return 0;
}

static bool can_open_packets(void)
{
	int made = socket(AF_PACKET, SOCK_RAW, 0);
	if (made >= 0)
		close(made);
	return made >= 0;
}

static int interface_again(void)
{
	struct error error;
	REQUIRE(drop(somebody, true, NULL, &error));
	REQUIRE(capng_get_caps_process() == 0);
	REQUIRE(capng_have_capability(CAPNG_PERMITTED, CAP_NET_RAW));
	REQUIRE(!capng_have_capability(CAPNG_EFFECTIVE, CAP_NET_RAW));
	REQUIRE(!capng_have_capability(CAPNG_PERMITTED, CAP_NET_ADMIN));
	REQUIRE(!can_open_packets());
	net_raw_take_up();
	REQUIRE(can_open_packets());
	net_raw_lay_down();
	REQUIRE(!can_open_packets());
	return 0;
}

static int interface_never_again(void)
{
	struct error error;
	REQUIRE(drop(somebody, false, NULL, &error));
	net_raw_take_up();
	REQUIRE(!can_open_packets());
	return 0;
}

// A directory with a file that belong to somebody else.
static bool make_foreign(char directory[64], char file[80])
{
	const struct passwd *user = getpwnam(somebody);
	strcpy(directory, "/tmp/mailtap-foreign-XXXXXX");
	if (user == NULL || mkdtemp(directory) == NULL)
		return false;
	snprintf(file, 80, "%s/capture", directory);
	int made = open(file, O_WRONLY | O_CREAT, 0600);
	bool good = made >= 0 && fchown(made, user->pw_uid, user->pw_gid) == 0 &&
	            chown(directory, user->pw_uid, user->pw_gid) == 0;
	close(made);
	return good;
}

static void remove_foreign(const char *directory)
{
	char command[128];
	snprintf(command, sizeof command, "rm -rf %s", directory);
	(void)!system(command);
}

static char foreign_directory[64], foreign_file[80];

static int roots_on_foreign_files(void)
{
	struct error error;
	struct named_paths paths = {0};
	named_paths_add(&paths, PATH_READ, foreign_file);
	REQUIRE(begin_threads());
	REQUIRE(drop(NULL, false, &paths, &error));
	REQUIRE(in_all_threads("CapEff", "000000000000000a")); // CAP_DAC_OVERRIDE, CAP_FOWNER
	REQUIRE(in_all_threads("CapPrm", "000000000000000a"));
	REQUIRE(open(foreign_file, O_RDONLY) >= 0);
	named_paths_free(&paths);
	return 0;
}

// A directory is made below it when outputs are opened.
static int roots_in_foreign_directory(void)
{
	struct error error;
	struct named_paths paths = {0};
	char below[96];
	snprintf(below, sizeof below, "%s/logs/today", foreign_directory);
	named_paths_add(&paths, PATH_WRITE, below);
	REQUIRE(begin_threads());
	REQUIRE(drop(NULL, false, &paths, &error));
	REQUIRE(in_all_threads("CapEff", "000000000000000a"));
	named_paths_free(&paths);
	return 0;
}

static int user_in_own_directory(void)
{
	struct error error;
	struct named_paths paths = {0};
	named_paths_add(&paths, PATH_WRITE, foreign_directory);
	named_paths_add(&paths, PATH_READ, foreign_file);
	named_paths_add(&paths, PATH_CACHE, "/root/.cache/mailtap");
	REQUIRE(begin_threads());
	REQUIRE(drop(somebody, false, &paths, &error));
	REQUIRE(in_all_threads("CapPrm", none));
	named_paths_free(&paths);
	return 0;
}

static int user_in_roots_directory(void)
{
	struct error error;
	struct named_paths paths = {0};
	named_paths_add(&paths, PATH_WRITE, "/root/logs");
	REQUIRE(!drop(somebody, false, &paths, &error));
	REQUIRE(strstr(error.text, "/root") != NULL && strstr(error.text, somebody) != NULL);
	named_paths_free(&paths);
	return 0;
}

static int user_and_roots_file(void)
{
	struct error error;
	struct named_paths paths = {0};
	named_paths_add(&paths, PATH_READ, "/etc/shadow");
	REQUIRE(!drop(somebody, false, &paths, &error));
	REQUIRE(strstr(error.text, "/etc/shadow") != NULL && strstr(error.text, "read") != NULL);
	named_paths_free(&paths);
	return 0;
}

static int no_such_user(void)
{
	struct error error;
	REQUIRE(!drop("no-such-user-here", false, NULL, &error));
	REQUIRE(strstr(error.text, "no-such-user-here") != NULL);
	return 0;
}

static int ordinary_user(void)
{
	struct error error;
	const struct passwd *user = getpwnam(somebody);
	if (geteuid() == 0)
		REQUIRE(user != NULL && setgroups(0, NULL) == 0 && setgid(user->pw_gid) == 0 &&
		        setuid(user->pw_uid) == 0);
	privileges_begin();
	privileges_open();
	REQUIRE(privileges_usual_user() == NULL);
	REQUIRE(!drop("root", false, NULL, &error));
	REQUIRE(strstr(error.text, "only root") != NULL);
	REQUIRE(begin_threads());
	REQUIRE(drop(NULL, true, NULL, &error));
	REQUIRE(in_all_threads("CapPrm", none) && in_all_threads("NoNewPrivs", "1"));
	return 0;
}

// As setcap and AmbientCapabilities give them.
static int capabilities_of_a_user(void)
{
	struct error error;
	const struct passwd *user = getpwnam(somebody);
	REQUIRE(user != NULL && prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) == 0);
	REQUIRE(setgroups(0, NULL) == 0 && setgid(user->pw_gid) == 0 && setuid(user->pw_uid) == 0);
	capng_clear(CAPNG_SELECT_CAPS);
	capng_updatev(CAPNG_ADD, CAPNG_EFFECTIVE | CAPNG_PERMITTED, CAP_NET_RAW, CAP_NET_ADMIN, -1);
	REQUIRE(capng_apply(CAPNG_SELECT_CAPS) == 0);
	REQUIRE(can_open_packets());
	privileges_begin();
	REQUIRE(!can_open_packets());
	privileges_open();
	REQUIRE(can_open_packets());
	REQUIRE(drop(NULL, false, NULL, &error));
	REQUIRE(!can_open_packets());
	privileges_open();
	REQUIRE(!can_open_packets());
	return 0;
}

/* ---- tests ---- */

static void root_keeps_nothing(void **state)
{
	(void)state;
	needs_root();
	in_child(root_without_user);
}

static void root_becomes_another(void **state)
{
	(void)state;
	needs_root();
	in_child(another_user);
	in_child(no_such_user);
}

static void an_interface_is_opened_again(void **state)
{
	(void)state;
	needs_root();
	in_child(interface_again);
	in_child(interface_never_again);
}

static void files_of_others(void **state)
{
	(void)state;
	needs_root();
	assert_true(make_foreign(foreign_directory, foreign_file));
	in_child(roots_on_foreign_files);
	in_child(roots_in_foreign_directory);
	in_child(user_in_own_directory);
	remove_foreign(foreign_directory);
	in_child(user_in_roots_directory);
	in_child(user_and_roots_file);
}

static void capabilities_without_root(void **state)
{
	(void)state;
	needs_root();
	in_child(capabilities_of_a_user);
}

static void without_root(void **state)
{
	(void)state;
	in_child(ordinary_user);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(without_root),
	    cmocka_unit_test(root_keeps_nothing),
	    cmocka_unit_test(root_becomes_another),
	    cmocka_unit_test(an_interface_is_opened_again),
	    cmocka_unit_test(files_of_others),
	    cmocka_unit_test(capabilities_without_root),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
