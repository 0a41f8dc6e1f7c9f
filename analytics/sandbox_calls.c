// SPDX-License-Identifier: Apache-2.0
// seccomp: which system calls are left. The lists are by what needs them; those of a need that a run does not
// have are not in its filter.
#include "analytics/sandbox.h"

#include <asm/termbits.h>
#include <errno.h>
#include <linux/prctl.h>
#include <linux/sched.h>
#include <seccomp.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

// Files, memory, threads, time, signals to itself, waiting.
static const int calls_always[] = {
    // files
    SCMP_SYS(access), SCMP_SYS(close), SCMP_SYS(close_range), SCMP_SYS(dup), SCMP_SYS(dup2),
    SCMP_SYS(dup3), SCMP_SYS(faccessat), SCMP_SYS(faccessat2), SCMP_SYS(fadvise64),
    SCMP_SYS(fallocate), SCMP_SYS(fchmod), SCMP_SYS(fcntl), SCMP_SYS(fdatasync), SCMP_SYS(flock),
    SCMP_SYS(fstat), SCMP_SYS(fstatfs), SCMP_SYS(fsync), SCMP_SYS(ftruncate), SCMP_SYS(getcwd),
    SCMP_SYS(getdents64), SCMP_SYS(lseek), SCMP_SYS(lstat), SCMP_SYS(mkdir), SCMP_SYS(mkdirat),
    SCMP_SYS(newfstatat), SCMP_SYS(open), SCMP_SYS(openat), SCMP_SYS(pipe), SCMP_SYS(pipe2),
    SCMP_SYS(pread64), SCMP_SYS(preadv), SCMP_SYS(pwrite64), SCMP_SYS(pwritev), SCMP_SYS(read),
    SCMP_SYS(readlink), SCMP_SYS(readlinkat), SCMP_SYS(readv), SCMP_SYS(rename), SCMP_SYS(renameat),
    SCMP_SYS(renameat2), SCMP_SYS(stat), SCMP_SYS(statfs), SCMP_SYS(statx), SCMP_SYS(umask),
    SCMP_SYS(unlink), SCMP_SYS(unlinkat), SCMP_SYS(write), SCMP_SYS(writev),
    // memory
    SCMP_SYS(brk), SCMP_SYS(get_mempolicy), SCMP_SYS(madvise), SCMP_SYS(mbind), SCMP_SYS(mincore),
    SCMP_SYS(mlock), SCMP_SYS(mlock2), SCMP_SYS(mremap), SCMP_SYS(msync), SCMP_SYS(munlock),
    SCMP_SYS(munmap), SCMP_SYS(set_mempolicy),
    // threads
    SCMP_SYS(exit), SCMP_SYS(exit_group), SCMP_SYS(futex), SCMP_SYS(get_robust_list),
    SCMP_SYS(getcpu), SCMP_SYS(getpid), SCMP_SYS(getppid), SCMP_SYS(gettid), SCMP_SYS(membarrier),
    SCMP_SYS(rseq), SCMP_SYS(sched_get_priority_max), SCMP_SYS(sched_get_priority_min),
    SCMP_SYS(sched_getaffinity), SCMP_SYS(sched_getparam), SCMP_SYS(sched_getscheduler),
    SCMP_SYS(sched_setaffinity), SCMP_SYS(sched_yield), SCMP_SYS(set_robust_list),
    SCMP_SYS(set_tid_address),
    // who and where
    SCMP_SYS(getegid), SCMP_SYS(geteuid), SCMP_SYS(getgid), SCMP_SYS(getgroups),
    SCMP_SYS(getrandom), SCMP_SYS(getresgid), SCMP_SYS(getresuid), SCMP_SYS(getrlimit),
    SCMP_SYS(getrusage), SCMP_SYS(getuid), SCMP_SYS(sysinfo), SCMP_SYS(uname),
    // signals
    SCMP_SYS(restart_syscall), SCMP_SYS(rt_sigaction), SCMP_SYS(rt_sigpending),
    SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigreturn), SCMP_SYS(rt_sigsuspend),
    SCMP_SYS(rt_sigtimedwait), SCMP_SYS(sigaltstack), SCMP_SYS(signalfd4),
    // time and waiting
    SCMP_SYS(clock_getres), SCMP_SYS(clock_gettime), SCMP_SYS(clock_nanosleep),
    SCMP_SYS(epoll_create1), SCMP_SYS(epoll_ctl), SCMP_SYS(epoll_pwait), SCMP_SYS(epoll_pwait2),
    SCMP_SYS(epoll_wait), SCMP_SYS(eventfd2), SCMP_SYS(gettimeofday), SCMP_SYS(nanosleep),
    SCMP_SYS(poll), SCMP_SYS(ppoll), SCMP_SYS(pselect6), SCMP_SYS(select), SCMP_SYS(time),
    SCMP_SYS(timerfd_create), SCMP_SYS(timerfd_gettime), SCMP_SYS(timerfd_settime),
    SCMP_SYS(times)};

// On sockets that there are.
static const int calls_on_sockets[] = {SCMP_SYS(getpeername), SCMP_SYS(getsockname),
    SCMP_SYS(getsockopt), SCMP_SYS(recvfrom), SCMP_SYS(recvmmsg), SCMP_SYS(recvmsg),
    SCMP_SYS(sendmmsg), SCMP_SYS(sendmsg), SCMP_SYS(sendto), SCMP_SYS(setsockopt),
    SCMP_SYS(shutdown)};
static const int calls_of_listener[] = {
    SCMP_SYS(accept), SCMP_SYS(accept4), SCMP_SYS(epoll_create), SCMP_SYS(sendfile)};
static const int calls_live[] = {SCMP_SYS(bind), SCMP_SYS(capget), SCMP_SYS(capset)};
static const int calls_for_names[] = {SCMP_SYS(bind), SCMP_SYS(connect)};
static const int calls_dpdk[] = {SCMP_SYS(accept), SCMP_SYS(accept4), SCMP_SYS(bind), SCMP_SYS(bpf),
    SCMP_SYS(capget), SCMP_SYS(connect), SCMP_SYS(epoll_create), SCMP_SYS(link), SCMP_SYS(listen),
    SCMP_SYS(memfd_create), SCMP_SYS(move_pages), SCMP_SYS(mlockall), SCMP_SYS(sched_setscheduler),
    SCMP_SYS(setrlimit), SCMP_SYS(socket), SCMP_SYS(socketpair)};

// What no run needs, and who calls it is not mailtap any more.
static const int calls_of_intruders[] = {SCMP_SYS(acct), SCMP_SYS(add_key), SCMP_SYS(bpf),
    SCMP_SYS(chroot), SCMP_SYS(connect), SCMP_SYS(delete_module), SCMP_SYS(execve),
    SCMP_SYS(execveat), SCMP_SYS(finit_module), SCMP_SYS(fork), SCMP_SYS(fsconfig),
    SCMP_SYS(fsmount), SCMP_SYS(fsopen), SCMP_SYS(init_module), SCMP_SYS(io_uring_enter),
    SCMP_SYS(io_uring_register), SCMP_SYS(io_uring_setup), SCMP_SYS(ioperm), SCMP_SYS(iopl),
    SCMP_SYS(kcmp), SCMP_SYS(kexec_file_load), SCMP_SYS(kexec_load), SCMP_SYS(keyctl),
    SCMP_SYS(listen), SCMP_SYS(modify_ldt), SCMP_SYS(mount), SCMP_SYS(move_mount),
    SCMP_SYS(open_by_handle_at), SCMP_SYS(open_tree), SCMP_SYS(perf_event_open),
    SCMP_SYS(personality), SCMP_SYS(pidfd_getfd), SCMP_SYS(pivot_root), SCMP_SYS(process_vm_readv),
    SCMP_SYS(process_vm_writev), SCMP_SYS(ptrace), SCMP_SYS(reboot), SCMP_SYS(request_key),
    SCMP_SYS(setns), SCMP_SYS(swapoff), SCMP_SYS(swapon), SCMP_SYS(umount2), SCMP_SYS(unshare),
    SCMP_SYS(userfaultfd), SCMP_SYS(vfork)};

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

bool sandbox_calls_possible(void)
{
	return seccomp_api_get() >= 2; // threads can be synchronised
}

// A call that this processor does not have is none to allow.
static bool add(scmp_filter_ctx filter, uint32_t action, int call)
{
	int answer = seccomp_rule_add(filter, action, call, 0);
	return answer == 0 || answer == -EDOM;
}

static bool add_all(scmp_filter_ctx filter, uint32_t action, const int *calls, size_t count)
{
	bool good = true;
	for (size_t i = 0; good && i < count; i++)
		good = add(filter, action, calls[i]);
	return good;
}

static bool among(int call, const int *calls, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (calls[i] == call)
			return true;
	return false;
}

// One of a call's arguments, under a mask, has this value.
static bool allow_if(
    scmp_filter_ctx filter, int call, unsigned argument, uint64_t mask, uint64_t value)
{
	int answer = seccomp_rule_add(
	    filter, SCMP_ACT_ALLOW, call, 1, SCMP_CMP64(argument, SCMP_CMP_MASKED_EQ, mask, value));
	return answer == 0 || answer == -EDOM;
}

// Sockets of one family and type, whatever flags stand beside the type.
static bool allow_socket(scmp_filter_ctx filter, int family, int type)
{
	enum { TYPE_MASK = 0xf };
	return seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(socket), 2,
	           SCMP_CMP64(0, SCMP_CMP_EQ, (uint64_t)family, 0),
	           SCMP_CMP64(1, SCMP_CMP_MASKED_EQ, TYPE_MASK, (uint64_t)type)) == 0;
}

// Of some calls, a part. clone3 has its flags in memory, where no filter sees them; it fails with ENOSYS,
// and the C library begins its threads by clone.
static bool add_parts(scmp_filter_ctx filter)
{
	const uint64_t whole = UINT32_MAX;
	return allow_if(filter, SCMP_SYS(clone), 0, CLONE_THREAD, CLONE_THREAD) &&
	       allow_if(filter, SCMP_SYS(mmap), 2, PROT_EXEC, 0) &&
	       allow_if(filter, SCMP_SYS(mprotect), 2, PROT_EXEC, 0) &&
	       allow_if(filter, SCMP_SYS(ioctl), 1, whole, TCGETS) &&
	       allow_if(filter, SCMP_SYS(ioctl), 1, whole, TIOCGWINSZ) &&
	       allow_if(filter, SCMP_SYS(ioctl), 1, whole, FIONREAD) &&
	       allow_if(filter, SCMP_SYS(ioctl), 1, whole, FIONBIO) &&
	       allow_if(filter, SCMP_SYS(prctl), 0, whole, PR_SET_NAME) &&
	       allow_if(filter, SCMP_SYS(prctl), 0, whole, PR_GET_NAME) &&
	       allow_if(filter, SCMP_SYS(prctl), 0, whole, PR_SET_VMA) &&
	       allow_if(filter, SCMP_SYS(prlimit64), 2, UINT64_MAX, 0) && // read, not set
	       allow_if(filter, SCMP_SYS(tgkill), 0, whole, (uint64_t)getpid());
}

// Groups of ioctls, by their type and, where a terminal has the same, their size.
static const struct {
	uint64_t mask, value;
} network_ioctls = {0xffffff00, 0x8900}, dpdk_ioctls[] = {
                                             {0xffffff00, 0x8900}, // interfaces
                                             {0xffffff00, 0x3b00}, // VFIO
                                             {0xff00, 0xaf00}, // vhost
                                             {0xff00, 0x1b00}, // RDMA: mlx4, mlx5
                                             {0xffffff00, 0x40045400}, // tun and tap
                                             {0xffffff00, 0x80045400}, // likewise
};

static bool add_dpdk(scmp_filter_ctx filter)
{
	bool good = add_all(filter, SCMP_ACT_ALLOW, calls_dpdk, COUNT(calls_dpdk)) &&
	            add_all(filter, SCMP_ACT_ALLOW, calls_on_sockets, COUNT(calls_on_sockets));
	for (size_t i = 0; good && i < COUNT(dpdk_ioctls); i++)
		good =
		    allow_if(filter, SCMP_SYS(ioctl), 1, dpdk_ioctls[i].mask, dpdk_ioctls[i].value);
	return good;
}

static bool add_live(scmp_filter_ctx filter)
{
	return add_all(filter, SCMP_ACT_ALLOW, calls_live, COUNT(calls_live)) &&
	       add_all(filter, SCMP_ACT_ALLOW, calls_on_sockets, COUNT(calls_on_sockets)) &&
	       allow_socket(filter, AF_PACKET, SOCK_RAW) &&
	       allow_socket(filter, AF_PACKET, SOCK_DGRAM) &&
	       allow_socket(filter, AF_NETLINK, SOCK_RAW) &&
	       allow_if(filter, SCMP_SYS(ioctl), 1, network_ioctls.mask, network_ioctls.value) &&
	       allow_if(filter, SCMP_SYS(prctl), 0, UINT32_MAX, PR_CAPBSET_READ);
}

static bool add_names(scmp_filter_ctx filter)
{
	return add_all(filter, SCMP_ACT_ALLOW, calls_for_names, COUNT(calls_for_names)) &&
	       add_all(filter, SCMP_ACT_ALLOW, calls_on_sockets, COUNT(calls_on_sockets)) &&
	       allow_socket(filter, AF_INET, SOCK_DGRAM) &&
	       allow_socket(filter, AF_INET6, SOCK_DGRAM) &&
	       allow_socket(filter, AF_INET, SOCK_STREAM) &&
	       allow_socket(filter, AF_INET6, SOCK_STREAM) &&
	       allow_socket(filter, AF_UNIX, SOCK_STREAM) &&
	       allow_socket(filter, AF_NETLINK, SOCK_RAW);
}

// libcurl looks names up in a thread of its own, which wakes it by such a pair.
static bool add_sender(scmp_filter_ctx filter)
{
	return seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(socketpair), 1,
	           SCMP_CMP64(0, SCMP_CMP_EQ, AF_UNIX, 0)) == 0;
}

static bool add_needs(scmp_filter_ctx filter, unsigned needs)
{
	bool good = true;
	if (needs & SANDBOX_LIVE)
		good = good && add_live(filter);
	if (needs & SANDBOX_NAMES)
		good = good && add_names(filter);
	if (needs & SANDBOX_SENDER)
		good = good && add_sender(filter);
	if (needs & SANDBOX_LISTENER)
		good = good &&
		       add_all(filter, SCMP_ACT_ALLOW, calls_on_sockets, COUNT(calls_on_sockets)) &&
		       add_all(filter, SCMP_ACT_ALLOW, calls_of_listener, COUNT(calls_of_listener));
	if (needs & SANDBOX_NOTIFY)
		good = good && allow_socket(filter, AF_UNIX, SOCK_DGRAM) &&
		       add_all(filter, SCMP_ACT_ALLOW, calls_on_sockets, COUNT(calls_on_sockets));
	if (needs & SANDBOX_DPDK)
		good = good && add_dpdk(filter);
	return good;
}

static bool add_intruders(scmp_filter_ctx filter, unsigned needs)
{
	bool good = true;
	for (size_t i = 0; good && i < COUNT(calls_of_intruders); i++) {
		int call = calls_of_intruders[i];
		bool needed =
		    ((needs & SANDBOX_DPDK) && among(call, calls_dpdk, COUNT(calls_dpdk))) ||
		    ((needs & SANDBOX_NAMES) &&
		        among(call, calls_for_names, COUNT(calls_for_names)));
		good = needed || add(filter, SCMP_ACT_KILL_PROCESS, call);
	}
	return good;
}

// Of a run that lasts, the kernel logs what was refused: not of others, each of which asks for clone3.
static bool set_attributes(scmp_filter_ctx filter, unsigned needs)
{
	enum { BINARY_TREE = 2 };
	if (needs & (SANDBOX_LIVE | SANDBOX_DPDK | SANDBOX_SENDER))
		(void)seccomp_attr_set(filter, SCMP_FLTATR_CTL_LOG, 1); // not every kernel can
	return seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1) == 0 &&
	       seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, BINARY_TREE) == 0 &&
	       seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS) == 0;
}

bool sandbox_calls_enter(unsigned needs, struct error *error)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(ENOSYS));
	bool good = filter != NULL && set_attributes(filter, needs) &&
	            add_all(filter, SCMP_ACT_ALLOW, calls_always, COUNT(calls_always)) &&
	            add_parts(filter) && add_needs(filter, needs) && add_intruders(filter, needs);
	int answer = good ? seccomp_load(filter) : -ENOMEM;
	if (filter != NULL)
		seccomp_release(filter);
	if (answer != 0)
		error_set(error,
		    "the sandbox for system calls cannot be entered: %s; --no-sandbox does without",
		    strerror(-answer));
	return answer == 0;
}
