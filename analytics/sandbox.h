// SPDX-License-Identifier: Apache-2.0
// The sandbox: what the process may still do once a run has been set up and hostile bytes come in. By
// Landlock only the named files are read and only the named directories are written, and no TCP connection
// is made (or, by the process that sends to a store, to the store's port and no other); by seccomp only the system calls that a run needs are left. All threads, for good.
//
//   sandbox_files.c   Landlock: paths
//   sandbox_calls.c   seccomp: system calls
//
// A system call that nobody needs but who has taken the process over (execve, ptrace, mount, …) ends it. Any
// other that is not in the list fails with ENOSYS, as on a kernel that does not have it: libraries fall
// back on an older call, and a tap that has run for months does not end because a new version of one has
// a new habit. The kernel logs the former, and of runs from an interface the latter.
//
// Entered before threads begin, or behind. Used by the front door.
#ifndef MAILTAP_ANALYTICS_SANDBOX_H
#define MAILTAP_ANALYTICS_SANDBOX_H

#include "analytics/named_paths.h"

// What a run needs beyond reading files and writing files; bits.
enum sandbox_need {
	SANDBOX_LIVE = 1,     // an interface by libpcap, opened again where it was gone
	SANDBOX_DPDK = 2,     // DPDK: whatever its drivers do
	SANDBOX_LISTENER = 4, // connections to sockets that listen already are answered
	SANDBOX_NAMES = 8,    // names of hosts are looked up: filter expressions have some
	SANDBOX_SENDER = 32, // connections to one port of servers are made; nothing is captured
	SANDBOX_NOTIFY = 16,  // a service manager is told of the state, by a datagram
};

struct sandbox_plan {
	unsigned needs;
	unsigned port; // of SANDBOX_SENDER
	const struct named_paths *paths;
};

// What there is of it on this system.
struct sandbox_state {
	bool calls;         // seccomp
	unsigned landlock;  // version of Landlock's interface; 0: the kernel has none
};

// Nothing in a build with a sanitizer, which would not get what itself needs.
struct sandbox_state sandbox_possible(void);

// False: *error; what is possible could not be entered. What is not possible is left out.
bool sandbox_enter(const struct sandbox_plan *plan, struct error *error);

// The two halves.
unsigned sandbox_files_version(void);
bool sandbox_files_enter(const struct sandbox_plan *plan, struct error *error);
bool sandbox_calls_possible(void);
bool sandbox_calls_enter(unsigned needs, struct error *error);

#endif
