// SPDX-License-Identifier: Apache-2.0
#include "analytics/privileges.h"

#include "analytics/every_thread.h"

#include <cap-ng.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <libgen.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static const char usual_user[] = "mailtap";

// Of what is permitted, nothing is effective any more.
static void lay_down_all(void)
{
	if (capng_get_caps_process() != 0)
		return;
	for (unsigned capability = 0; capability <= CAP_LAST_CAP; capability++)
		capng_update(CAPNG_DROP, CAPNG_EFFECTIVE, capability);
	(void)capng_apply(CAPNG_SELECT_CAPS);
}

void privileges_begin(void)
{
	if (geteuid() != 0)
		lay_down_all();
}

void privileges_open(void)
{
	if (capng_get_caps_process() != 0)
		return;
	for (unsigned capability = 0; capability <= CAP_LAST_CAP; capability++)
		if (capng_have_capability(CAPNG_PERMITTED, capability))
			capng_update(CAPNG_ADD, CAPNG_EFFECTIVE, capability);
	(void)capng_apply(CAPNG_SELECT_CAPS);
}

const char *privileges_usual_user(void)
{
	return geteuid() == 0 && getpwnam(usual_user) != NULL ? usual_user : NULL;
}

/* ---- are the named paths usable? ---- */

static void to_parent(char path[PATH_MAX])
{
	const char *parent = dirname(path);
	memmove(path, parent, strlen(parent) + 1);
}

// The nearest directory that is there, of one that may have to be made.
static void existing(char path[PATH_MAX])
{
	struct stat status;
	while (stat(path, &status) != 0 && errno == ENOENT && strcmp(path, ".") != 0 &&
	       strcmp(path, "/") != 0)
		to_parent(path);
}

// What of a path has to be usable. False: nothing, as yet.
static bool needed(const struct named_path *named, char path[PATH_MAX])
{
	struct stat status;
	if (named->use == PATH_CACHE ||
	    (size_t)snprintf(path, PATH_MAX, "%s", named->path) >= PATH_MAX)
		return false;
	if (named->use == PATH_READ)
		return stat(path, &status) == 0 || errno == EACCES;
	bool there = stat(path, &status) == 0;
	if (named->use == PATH_REPLACE && there && !S_ISREG(status.st_mode))
		return false; // a device or a pipe: opened once
	if (named->use == PATH_REPLACE)
		to_parent(path);
	existing(path);
	return true;
}

// By the capabilities that are effective now.
static bool usable(const struct named_path *named, const char *path)
{
	struct stat status;
	bool file = stat(path, &status) == 0 && !S_ISDIR(status.st_mode);
	int mode = named->use != PATH_READ ? W_OK | X_OK : file ? R_OK : X_OK;
	return faccessat(AT_FDCWD, path, mode, AT_EACCESS) == 0;
}

// Only root changes what is in it.
static bool is_roots(const struct named_path *named, const char *path)
{
	struct stat status;
	return named->use == PATH_READ ||
	       (stat(path, &status) == 0 && status.st_uid == 0 && (status.st_mode & 022) == 0);
}

// Root without its capabilities could do all that is asked.
static bool all_are_roots(const struct named_paths *paths)
{
	char path[PATH_MAX];
	for (size_t i = 0; i < paths->count; i++) {
		const struct named_path *named = &paths->all[i];
		if (needed(named, path) && !(usable(named, path) && is_roots(named, path)))
			return false;
	}
	return true;
}

static bool all_are_usable(const struct named_paths *paths, const char *user, struct error *error)
{
	char path[PATH_MAX];
	for (size_t i = 0; i < paths->count; i++) {
		const struct named_path *named = &paths->all[i];
		if (!needed(named, path) || usable(named, path))
			continue;
		error_set(error,
		    "%.200s: user %.32s may not %s it: %s; let the user do so, or name another "
		    "with --user",
		    path, user, named->use == PATH_READ ? "read" : "write", strerror(errno));
		return false;
	}
	return true;
}

/* ---- giving up ---- */

// What stays, in each thread.
struct kept {
	bool net_raw; // permitted
	bool files; // permitted and effective
};

// System calls only: libcap-ng keeps its state by thread, and this runs in a signal handler.
static int give_up(const void *context)
{
	const struct kept *kept = context;
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {{0}};
	const unsigned files = 1U << CAP_DAC_OVERRIDE | 1U << CAP_FOWNER;
	if (kept->files)
		data[0].effective = data[0].permitted = files;
	if (kept->net_raw)
		data[0].permitted |= 1U << CAP_NET_RAW;
	if (syscall(SYS_capset, &header, data) != 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return errno;
	return 0;
}

// What a program that this one executes could have: nothing. Only root may say so.
static void empty_bounding_set(void)
{
	if (capng_get_caps_process() != 0 || !capng_have_capability(CAPNG_EFFECTIVE, CAP_SETPCAP))
		return;
	capng_clear(CAPNG_SELECT_BOUNDS);
	(void)capng_apply(CAPNG_SELECT_BOUNDS);
}

// All threads, by the C library. What is permitted stays so in this one.
static bool change_user(const struct passwd *user, struct error *error)
{
	if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) == 0 &&
	    initgroups(user->pw_name, user->pw_gid) == 0 &&
	    setresgid(user->pw_gid, user->pw_gid, user->pw_gid) == 0 &&
	    setresuid(user->pw_uid, user->pw_uid, user->pw_uid) == 0)
		return true;
	error_set(error, "--user: cannot change to %.32s: %s", user->pw_name, strerror(errno));
	return false;
}

// Changes to the user that is asked for, unless it is who runs this. False: *error.
static bool become(const char *name, struct error *error)
{
	errno = 0;
	const struct passwd *user = getpwnam(name);
	if (user == NULL)
		error_set(error, "--user: there is no user \"%.32s\"%s%s", name,
		    errno != 0 ? ": " : "", errno != 0 ? strerror(errno) : "");
	else if (user->pw_uid == geteuid())
		return true;
	else if (geteuid() != 0)
		error_set(error, "--user: only root can change to another user");
	else
		return change_user(user, error);
	return false;
}

// The kernel has done what it was told to, and does not take it back.
static bool is_dropped(const struct kept *kept, bool changed)
{
	if (capng_get_caps_process() != 0 || (changed && setresuid((uid_t)-1, 0, (uid_t)-1) == 0))
		return false;
	for (unsigned capability = 0; capability <= CAP_LAST_CAP; capability++) {
		bool files =
		    kept->files && (capability == CAP_DAC_OVERRIDE || capability == CAP_FOWNER);
		bool permitted = files || (kept->net_raw && capability == CAP_NET_RAW);
		if ((!files && capng_have_capability(CAPNG_EFFECTIVE, capability)) ||
		    (!permitted && capng_have_capability(CAPNG_PERMITTED, capability)))
			return false;
	}
	return true;
}

bool privileges_drop(const struct privileges_plan *plan, struct error *error)
{
	uid_t before = geteuid();
	empty_bounding_set();
	if (plan->user != NULL && !become(plan->user, error))
		return false;
	bool changed = geteuid() != before;
	lay_down_all();
	struct kept kept = {
	    .net_raw = plan->reopens && capng_have_capability(CAPNG_PERMITTED, CAP_NET_RAW),
	    .files = geteuid() == 0 && !all_are_roots(plan->paths) &&
	             capng_have_capability(CAPNG_PERMITTED, CAP_DAC_OVERRIDE) &&
	             capng_have_capability(CAPNG_PERMITTED, CAP_FOWNER),
	};
	if (changed && !all_are_usable(plan->paths, plan->user, error))
		return false;
	struct error reason;
	bool done = every_thread_do(give_up, &kept, &reason);
	if (done && is_dropped(&kept, changed) &&
	    (!(changed || kept.net_raw) || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0))
		return true;
	error_set(error, "privileges cannot be given up: %s",
	    done ? "the kernel did not do as it was told" : reason.text);
	return false;
}
