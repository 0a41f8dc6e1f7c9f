// SPDX-License-Identifier: Apache-2.0
// Landlock (landlock(7), Documentation/userspace-api/landlock.rst of the kernel): which files may be opened.
// What is open already, pipes and standard output among it, is not affected. By its system calls, since
// the C library has no functions for them, and with our own names for what came after the oldest headers
// that mailtap is built with.
#include "analytics/every_thread.h"
#include "analytics/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <linux/landlock.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

// Of later versions of the interface: which one, and their rights.
enum { VERSION_TRUNCATE = 3, VERSION_NETWORK = 4, VERSION_IOCTL = 5 };
static const uint64_t right_truncate = UINT64_C(1) << 14;
static const uint64_t right_ioctl = UINT64_C(1) << 15;
static const uint64_t right_network = 1 | 2; // bind and connect, TCP
static const uint64_t right_connect = 2;
enum { RULE_PORT = 2 }; // LANDLOCK_RULE_NET_PORT
enum { PORT_DOMAIN = 53 }; // long answers of the DNS

// struct landlock_net_port_attr
struct port_rule {
	uint64_t rights, port;
};

// struct landlock_ruleset_attr as from version 4 on; before, only its first member is known.
struct ruleset {
	uint64_t files, network;
};

static const uint64_t rights_of_file = LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_WRITE_FILE |
                                       LANDLOCK_ACCESS_FS_READ_FILE | right_truncate | right_ioctl;

static const uint64_t reading = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR;
static const uint64_t writing = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR |
                                LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_FILE |
                                LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_DIR |
                                right_truncate;

// What libraries open by themselves, and no secret of anybody's: zones of time, names of ports and
// protocols, the system's processors, the process itself.
static const char *const read_always[] = {"/etc/localtime", "/usr/share/zoneinfo", "/etc/services",
    "/etc/protocols", "/etc/nsswitch.conf", "/usr/share/publicsuffix", "/sys/devices/system",
    "/proc/self", "/proc/meminfo", "/dev/urandom"};
static const char *const read_live[] = {
    "/sys/class/net", "/sys/devices", "/proc/net", "/proc/sys/net"};
static const char *const read_for_names[] = {"/etc/hosts", "/etc/resolv.conf", "/etc/host.conf",
    "/etc/gai.conf", "/etc/networks", "/etc/ethers"};
static const char *const read_dpdk[] = {"/sys", "/proc", "/dev", "/run/dpdk", "/run/user", "/run/xdp"};
static const char *const write_dpdk[] = {
    "/dev/hugepages", "/dev/vfio", "/dev/net", "/run/dpdk", "/run/user"};

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

unsigned sandbox_files_version(void)
{
	long version =
	    syscall(SYS_landlock_create_ruleset, NULL, (size_t)0, LANDLOCK_CREATE_RULESET_VERSION);
	return version > 0 ? (unsigned)version : 0;
}

static struct ruleset ruleset_of(unsigned version, unsigned needs)
{
	bool connects = (needs & SANDBOX_SENDER) == 0 && (needs & (SANDBOX_NAMES | SANDBOX_DPDK)) != 0;
	struct ruleset ruleset = {.files = LANDLOCK_ACCESS_FS_MAKE_SYM * 2 - 1};
	if (version >= VERSION_TRUNCATE)
		ruleset.files |= right_truncate;
	if (version >= VERSION_NETWORK && !connects)
		ruleset.network = right_network;
	if (version >= VERSION_IOCTL && (needs & SANDBOX_DPDK) == 0)
		ruleset.files |= right_ioctl;
	return ruleset;
}

// A path that is not there is passed over: nothing that is made there later can be opened.
static bool allow(int rules, uint64_t handled, const char *path, uint64_t rights)
{
	struct stat status;
	int at = open(path, O_PATH | O_CLOEXEC);
	if (at < 0)
		return true;
	bool directory = fstat(at, &status) == 0 && S_ISDIR(status.st_mode);
	struct landlock_path_beneath_attr rule = {
	    .allowed_access = rights & handled & (directory ? UINT64_MAX : rights_of_file),
	    .parent_fd = at};
	bool good =
	    syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) == 0;
	int reason = errno;
	close(at);
	errno = reason;
	return good;
}

static bool allow_all(
    int rules, uint64_t handled, const char *const *paths, size_t count, uint64_t rights)
{
	bool good = true;
	for (size_t i = 0; good && i < count; i++)
		good = allow(rules, handled, paths[i], rights);
	return good;
}

// A file that is replaced: its directory; a device or a pipe is not, and is written itself.
static bool allow_replacing(int rules, uint64_t handled, const char *path)
{
	char directory[PATH_MAX];
	struct stat status;
	if (stat(path, &status) == 0 && !S_ISREG(status.st_mode))
		return allow(rules, handled, path, writing);
	if ((size_t)snprintf(directory, sizeof directory, "%s", path) >= sizeof directory)
		return true; // nothing can be written there
	return allow(rules, handled, dirname(directory), writing);
}

static bool allow_named(int rules, uint64_t handled, const struct named_paths *paths)
{
	bool good = true;
	for (size_t i = 0; good && i < paths->count; i++) {
		const struct named_path *named = &paths->all[i];
		if (named->use == PATH_REPLACE)
			good = allow_replacing(rules, handled, named->path);
		else
			good = allow(rules, handled, named->path,
			    named->use == PATH_READ ? reading : writing);
	}
	return good;
}

static bool allow_needed(int rules, uint64_t handled, unsigned needs)
{
	bool good = allow_all(rules, handled, read_always, COUNT(read_always), reading);
	if (needs & SANDBOX_LIVE)
		good = good && allow_all(rules, handled, read_live, COUNT(read_live), reading);
	if (needs & SANDBOX_NAMES)
		good = good &&
		       allow_all(rules, handled, read_for_names, COUNT(read_for_names), reading);
	if (needs & SANDBOX_DPDK)
		good = good && allow_all(rules, handled, read_dpdk, COUNT(read_dpdk), reading) &&
		       allow_all(rules, handled, write_dpdk, COUNT(write_dpdk), writing);
	return good;
}

// The ports that may be connected to.
static bool allow_ports(int rules, uint64_t handled, const struct sandbox_plan *plan)
{
	const unsigned ports[] = {plan->port, PORT_DOMAIN};
	bool good = true;
	if ((handled & right_connect) == 0 || (plan->needs & SANDBOX_SENDER) == 0)
		return true;
	for (size_t i = 0; good && i < COUNT(ports); i++) {
		struct port_rule rule = {.rights = right_connect, .port = ports[i]};
		good = syscall(SYS_landlock_add_rule, rules, RULE_PORT, &rule, 0) == 0;
	}
	return good;
}

static int restrict_self(const void *context)
{
	const int *rules = context;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
	    syscall(SYS_landlock_restrict_self, *rules, 0) != 0)
		return errno;
	return 0;
}

bool sandbox_files_enter(const struct sandbox_plan *plan, struct error *error)
{
	unsigned version = sandbox_files_version();
	struct ruleset ruleset = ruleset_of(version, plan->needs);
	size_t size = version >= VERSION_NETWORK ? sizeof ruleset : sizeof ruleset.files;
	int rules = (int)syscall(SYS_landlock_create_ruleset, &ruleset, size, 0);
	struct error reason = {""};
	bool good = rules >= 0 && allow_needed(rules, ruleset.files, plan->needs) &&
	            allow_named(rules, ruleset.files, plan->paths) &&
	            allow_ports(rules, ruleset.network, plan);
	if (!good)
		error_set(&reason, "%s", strerror(errno));
	good = good && every_thread_do(restrict_self, &rules, &reason);
	if (rules >= 0)
		close(rules);
	if (!good)
		error_set(error,
		    "the sandbox for files cannot be entered: %.300s; --no-sandbox does without",
		    reason.text);
	return good;
}
