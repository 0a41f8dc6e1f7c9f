// SPDX-License-Identifier: Apache-2.0
// That the sandbox bites: what is tried behind it fails or ends the process, in every mode, and what a run
// needs still works. Each deed in a process of its own.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "analytics/filter_names.h"
#include "analytics/sandbox.h"
#include "capture/base/thread.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

// What there is for a deed: made before the sandbox is entered.
struct place {
	char root[64]; // may not be touched
	char inputs[96]; // is read
	char outputs[96]; // is written
	int listener; // a socket that listens, on loopback
	struct sockaddr_in address; // its
	int unconnected; // a socket
};

// 0, or the error number of what failed.
typedef int deed(struct place *place);

enum { KILLED = -1 };

static int result(long answer)
{
	return answer >= 0 ? 0 : errno;
}

static const char *in(const char *directory, const char *name)
{
	static char path[160];
	snprintf(path, sizeof path, "%s/%s", directory, name);
	return path;
}

/* ---- deeds ---- */

static int execute(struct place *place)
{
	char *arguments[] = {(char[]){"true"}, NULL};
	(void)place;
	return result(execv("/bin/true", arguments));
}

static int fork_old(struct place *place)
{
	(void)place;
	return result(syscall(SYS_vfork));
}

static int fork_new(struct place *place)
{
	(void)place;
	pid_t child = fork();
	if (child == 0)
		_exit(0);
	return result(child);
}

static int run_shell(struct place *place)
{
	(void)place;
	return system("true") == 0 ? 0 : ENOSYS;
}

static int trace(struct place *place)
{
	(void)place;
	return result(ptrace(PTRACE_TRACEME, 0, NULL, NULL));
}

static int read_process(struct place *place)
{
	char byte;
	struct iovec to = {&byte, 1}, from = {place, 1};
	return result(process_vm_readv(getppid(), &to, 1, &from, 1, 0));
}

static int unshare_namespace(struct place *place)
{
	(void)place;
	return result(syscall(SYS_unshare, 0x10000000));
}

static int load_program(struct place *place)
{
	(void)place;
	return result(syscall(SYS_bpf, 0, NULL, 0));
}

static int connect_out(struct place *place)
{
	return result(
	    connect(place->unconnected, (struct sockaddr *)&place->address, sizeof place->address));
}

static int make_tcp_socket(struct place *place)
{
	(void)place;
	return result(socket(AF_INET, SOCK_STREAM, 0));
}

static int make_packet_socket(struct place *place)
{
	(void)place;
	int made = socket(AF_PACKET, SOCK_RAW, 0);
	return made < 0 && errno == EPERM ? 0
	                                  : result(made); // the filter let it through to the kernel
}

static int make_notify_socket(struct place *place)
{
	(void)place;
	return result(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
}

static int make_unix_stream(struct place *place)
{
	(void)place;
	return result(socket(AF_UNIX, SOCK_STREAM, 0));
}

static int accept_none(struct place *place)
{
	int accepted = accept4(place->listener, NULL, NULL, 0);
	return accepted < 0 && errno == EAGAIN ? 0 : result(accepted);
}

static int map_code(struct place *place)
{
	(void)place;
	void *at = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	return at != MAP_FAILED ? 0 : errno;
}

static int make_code(struct place *place)
{
	(void)place;
	void *at = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(at, MAP_FAILED);
	return result(mprotect(at, 4096, PROT_READ | PROT_EXEC));
}

static int type_for_the_user(struct place *place)
{
	(void)place;
	return result(ioctl(STDIN_FILENO, TIOCSTI, "x"));
}

static int change_mode(struct place *place)
{
	return result(chmod(in(place->inputs, "given"), 0777));
}

static int become_root(struct place *place)
{
	(void)place;
	return result(syscall(SYS_setuid, 0));
}

static int signal_process(struct place *place)
{
	(void)place;
	return result(kill(getpid(), 0));
}

static int read_given(struct place *place)
{
	return result(open(in(place->inputs, "given"), O_RDONLY));
}

static int write_given(struct place *place)
{
	return result(open(in(place->inputs, "given"), O_WRONLY));
}

static int make_beside_given(struct place *place)
{
	return result(open(in(place->inputs, "new"), O_WRONLY | O_CREAT, 0600));
}

static int read_other(struct place *place)
{
	return result(open(in(place->root, "secret"), O_RDONLY));
}

static int read_passwords(struct place *place)
{
	(void)place;
	return result(open("/etc/shadow", O_RDONLY));
}

static int list_other(struct place *place)
{
	return result(open(place->root, O_RDONLY | O_DIRECTORY));
}

static int make_other(struct place *place)
{
	return result(open(in(place->root, "new"), O_WRONLY | O_CREAT, 0600));
}

static int cut_other(struct place *place)
{
	return result(truncate(in(place->root, "secret"), 0));
}

static int link_out(struct place *place)
{
	return result(symlink("/etc/shadow", in(place->outputs, "link")));
}

// What exporters do, and log files that are rotated.
static int use_outputs(struct place *place)
{
	char from[160], to[160], below[160];
	snprintf(from, sizeof from, "%s/file.new", place->outputs);
	snprintf(to, sizeof to, "%s/file", place->outputs);
	snprintf(below, sizeof below, "%s/below", place->outputs);
	int file = open(from, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
	if (file < 0 || write(file, "x", 1) != 1 || ftruncate(file, 0) != 0 || fsync(file) != 0 ||
	    fchmod(file, 0600) != 0 || close(file) != 0 || rename(from, to) != 0)
		return errno;
	int directory = open(place->outputs, O_RDONLY | O_DIRECTORY);
	if (directory < 0 || fsync(directory) != 0 || open(to, O_RDONLY) < 0 ||
	    open(to, O_WRONLY | O_TRUNC) < 0 || unlink(to) != 0 || mkdir(below, 0750) != 0)
		return errno;
	return 0;
}

static int move_out(struct place *place)
{
	char to[160];
	snprintf(to, sizeof to, "%s/moved", place->root);
	return result(rename(in(place->outputs, "old"), to));
}

static void *in_thread(void *context)
{
	*(int *)context = result(open("/etc/shadow", O_RDONLY));
	return malloc(100000);
}

static int begin_thread(struct place *place)
{
	pthread_t thread;
	int failure = 0;
	(void)place;
	if (pthread_create(&thread, NULL, in_thread, &failure) != 0)
		return ENOMEM;
	pthread_join(thread, NULL);
	return failure == EACCES ? 0 : EINVAL;
}

#ifdef __x86_64__
// The system calls of another processor have other numbers: 11 is execve there.
static int call_as_32_bit(struct place *place)
{
	long answer;
	(void)place;
	__asm__ volatile("int $0x80"
	                 : "=a"(answer)
	                 : "a"(11L), "b"(0L), "c"(0L), "d"(0L)
	                 : "memory");
	return (int)-answer;
}
#endif

/* ---- the table ---- */

enum {
	EVERY_MODE =
	    SANDBOX_LIVE | SANDBOX_DPDK | SANDBOX_LISTENER | SANDBOX_NAMES | SANDBOX_NOTIFY,
};

static const struct expected {
	const char *name;
	deed *action;
	int refused; // what is said in modes not in `works`
	unsigned works; // modes in which it succeeds; bit 31: in the plain one
	bool by_landlock; // not refused where there is none
} table[] = {
    {"execve", execute, KILLED, 0, false},
    {"vfork", fork_old, KILLED, 0, false},
    {"fork", fork_new, ENOSYS, 0, false},
    {"system", run_shell, ENOSYS, 0, false},
    {"ptrace", trace, KILLED, 0, false},
    {"process_vm_readv", read_process, KILLED, 0, false},
    {"unshare", unshare_namespace, KILLED, 0, false},
    {"bpf", load_program, KILLED, 0, false},
    {"connect", connect_out, KILLED, SANDBOX_NAMES | SANDBOX_DPDK, false},
    {"a TCP socket", make_tcp_socket, ENOSYS, SANDBOX_NAMES | SANDBOX_DPDK, false},
    {"a packet socket", make_packet_socket, ENOSYS, SANDBOX_LIVE | SANDBOX_DPDK, false},
    {"a socket to notify", make_notify_socket, ENOSYS, SANDBOX_NOTIFY | SANDBOX_DPDK, false},
    {"a stream to a local service", make_unix_stream, ENOSYS, SANDBOX_NAMES | SANDBOX_DPDK, false},
    {"accept", accept_none, ENOSYS, SANDBOX_LISTENER | SANDBOX_DPDK, false},
    {"executable memory", map_code, ENOSYS, 0, false},
    {"memory made executable", make_code, ENOSYS, 0, false},
    {"typing for the user", type_for_the_user, ENOSYS, 0, false},
    {"chmod", change_mode, ENOSYS, 0, false},
    {"setuid", become_root, ENOSYS, 0, false},
    {"kill", signal_process, ENOSYS, 0, false},
    {"writing an input", write_given, EACCES, 0, true},
    {"a file beside an input", make_beside_given, EACCES, 0, true},
    {"reading another file", read_other, EACCES, 0, true},
    {"reading /etc/shadow", read_passwords, EACCES, 0, true},
    {"listing another directory", list_other, EACCES, 0, true},
    {"a file in another directory", make_other, EACCES, 0, true},
    {"emptying another file", cut_other, ENOSYS, 0, false},
    {"moving an output elsewhere", move_out, EACCES, 0, true},
    {"a link among the outputs", link_out, ENOSYS, 0, false},
    {"reading an input", read_given, 0, EVERY_MODE, false},
    {"outputs", use_outputs, 0, EVERY_MODE, false},
    {"a thread", begin_thread, 0, EVERY_MODE, true},
#ifdef __x86_64__
    {"a call as of a 32-bit process", call_as_32_bit, KILLED, 0, false},
#endif
};

/* ---- trying ---- */

static void make_file(const char *path)
{
	int file = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
	assert_true(file >= 0 && write(file, "text", 4) == 4);
	close(file);
}

static void make_place(struct place *place)
{
	strcpy(place->root, "/tmp/mailtap-sandbox-XXXXXX");
	assert_non_null(mkdtemp(place->root));
	snprintf(place->inputs, sizeof place->inputs, "%s/inputs", place->root);
	snprintf(place->outputs, sizeof place->outputs, "%s/outputs", place->root);
	assert_int_equal(mkdir(place->inputs, 0700) | mkdir(place->outputs, 0700), 0);
	make_file(in(place->root, "secret"));
	make_file(in(place->inputs, "given"));
	make_file(in(place->outputs, "old"));
	socklen_t size = sizeof place->address;
	place->address =
	    (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	place->listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	place->unconnected = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(bind(place->listener, (struct sockaddr *)&place->address, size), 0);
	assert_int_equal(listen(place->listener, 1), 0);
	assert_int_equal(
	    getsockname(place->listener, (struct sockaddr *)&place->address, &size), 0);
}

static void remove_place(struct place *place)
{
	char command[128];
	close(place->listener);
	close(place->unconnected);
	snprintf(command, sizeof command, "rm -rf %s", place->root);
	assert_int_equal(system(command), 0);
}

static bool enter(const struct place *place, unsigned needs)
{
	struct named_paths paths = {0};
	struct sandbox_plan plan = {.needs = needs, .paths = &paths};
	struct error error = {""};
	named_paths_add(&paths, PATH_READ, place->inputs);
	named_paths_add(&paths, PATH_WRITE, place->outputs);
	bool entered = sandbox_enter(&plan, &error);
	if (!entered)
		fprintf(stderr, "%s\n", error.text);
	return entered;
}

// What became of a deed: 0, an error number, or KILLED.
static int outcome(deed *tried, unsigned needs)
{
	int status;
	struct place place;
	make_place(&place);
	fflush(NULL);
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		if (!enter(&place, needs))
			_exit(255);
		_exit(tried(&place));
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	remove_place(&place);
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS)
		return KILLED;
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void everything_in(unsigned needs)
{
	struct sandbox_state possible = sandbox_possible();
	unsigned wrong = 0;
	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
		const struct expected *row = &table[i];
		int expected = row->works & needs ? 0 : row->refused;
		if (row->action == load_program && (needs & SANDBOX_DPDK))
			continue; // the kernel's own answer
		if (row->by_landlock && possible.landlock == 0)
			continue;
		int found = outcome(row->action, needs);
		if (found != expected)
			print_error("%s in mode %u: %d (%s), expected %d\n", row->name, needs,
			    found, strerror(found), expected);
		wrong += found != expected;
	}
	assert_int_equal(wrong, 0);
}

static void file_mode(void **state)
{
	(void)state;
	everything_in(0);
}

static void live_mode(void **state)
{
	(void)state;
	everything_in(SANDBOX_LIVE);
}

static void listener_mode(void **state)
{
	(void)state;
	everything_in(SANDBOX_LISTENER);
}

static void names_mode(void **state)
{
	(void)state;
	everything_in(SANDBOX_NAMES);
}

static void notify_mode(void **state)
{
	(void)state;
	everything_in(SANDBOX_NOTIFY);
}

static void dpdk_mode(void **state)
{
	(void)state;
	everything_in(SANDBOX_DPDK);
}

static void live_service_mode(void **state)
{
	(void)state;
	everything_in(SANDBOX_LIVE | SANDBOX_LISTENER | SANDBOX_NOTIFY);
}

// Without it, all of it can be done: the deeds are none that fail by themselves.
static void deeds_work_outside(void **state)
{
	struct place place;
	(void)state;
	make_place(&place);
	deed *const deeds[] = {fork_new, run_shell, make_tcp_socket, make_unix_stream, map_code,
	    make_code, change_mode, signal_process, write_given, make_beside_given, read_other,
	    list_other, make_other, cut_other, move_out, link_out, read_given, use_outputs,
	    connect_out};
	for (size_t i = 0; i < sizeof deeds / sizeof deeds[0]; i++)
		assert_int_equal(deeds[i](&place), 0);
	remove_place(&place);
}

/* ---- threads that are there already ---- */

struct early {
	atomic_int go; // 1: the sandbox is there
	int file, socket;
};

static void *early_thread(void *context)
{
	struct early *early = context;
	while (early->go == 0)
		usleep(1000);
	early->file = result(open("/etc/shadow", O_RDONLY));
	early->socket = result(socket(AF_INET, SOCK_STREAM, 0));
	return NULL;
}

static int with_threads(const struct place *place)
{
	enum { THREADS = 5 };
	struct early early[THREADS] = {{0}};
	pthread_t threads[THREADS];
	for (int i = 0; i < THREADS; i++)
		if (!thread_begin(&threads[i], early_thread, &early[i]))
			return 1;
	if (!enter(place, 0))
		return 2;
	for (int i = 0; i < THREADS; i++) {
		early[i].go = 1;
		pthread_join(threads[i], NULL);
		if (early[i].socket != ENOSYS)
			return 3;
		if (sandbox_files_version() > 0 && early[i].file != EACCES)
			return 4;
	}
	return early[0].file == EACCES ? 0 : 5;
}

static void threads_are_included(void **state)
{
	int status;
	struct place place;
	(void)state;
	make_place(&place);
	fflush(NULL);
	pid_t child = fork();
	if (child == 0)
		_exit(with_threads(&place));
	assert_int_equal(waitpid(child, &status, 0), child);
	remove_place(&place);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void names_in_filters(void **state)
{
	(void)state;
	assert_false(filter_has_names(NULL));
	assert_false(filter_has_names(""));
	assert_false(filter_has_names("net 192.0.2.0/24 and (port smtp or port 143)"));
	assert_false(filter_has_names("host 2001:db8::25 or ether host 02:00:5e:10:00:01"));
	assert_false(filter_has_names("tcp[tcpflags] & (tcp-syn|tcp-fin) != 0 and ip[0]&0x0f>5"));
	assert_true(filter_has_names("host mail.example.org"));
	assert_true(filter_has_names("host mailserver and port 25"));
	assert_true(filter_has_names("not (192.0.2.1 or 25.example.net)"));
}

int main(void)
{
	const struct CMUnitTest outside[] = {
	    cmocka_unit_test(deeds_work_outside),
	    cmocka_unit_test(names_in_filters),
	};
	const struct CMUnitTest inside[] = {
	    cmocka_unit_test(deeds_work_outside),
	    cmocka_unit_test(names_in_filters),
	    cmocka_unit_test(file_mode),
	    cmocka_unit_test(live_mode),
	    cmocka_unit_test(listener_mode),
	    cmocka_unit_test(names_mode),
	    cmocka_unit_test(notify_mode),
	    cmocka_unit_test(dpdk_mode),
	    cmocka_unit_test(live_service_mode),
	    cmocka_unit_test(threads_are_included),
	};
	if (sandbox_possible().calls)
		return cmocka_run_group_tests(inside, NULL, NULL);
	print_message("# no seccomp here, or a build with a sanitizer: nothing is tried inside\n");
	return cmocka_run_group_tests(outside, NULL, NULL);
}
