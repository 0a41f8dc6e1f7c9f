// SPDX-License-Identifier: Apache-2.0
// What the process may do beyond an ordinary user, and for how long: capabilities only while a source is
// being opened, then another user, and nothing that brings more. The front door calls, in this order:
//   privileges_begin   at once, as the first thing
//   privileges_open    before the source is opened
//   privileges_drop    when it is open, before any output is: outputs belong to whom they are written as
// Threads that are there already are included; those that begin later inherit.
//
// Root without another user keeps what a file needs that is not root's own (somebody's capture, a directory
// of another user), and only if such a file is named: CAP_DAC_OVERRIDE and CAP_FOWNER, which the sandbox
// confines to the named paths.
// CAP_NET_RAW stays permitted, not effective, where a source may have to open an interface again that was
// gone (capture/net_raw.h): whoever takes the process over could listen on its networks and send on them,
// and do nothing else.
#ifndef MAILTAP_ANALYTICS_PRIVILEGES_H
#define MAILTAP_ANALYTICS_PRIVILEGES_H

#include "analytics/named_paths.h"

struct privileges_plan {
	const char *user;                // to become, by name; NULL: nobody else
	bool reopens;                    // an interface may have to be opened again
	const struct named_paths *paths; // must stay usable
};

// Lays down what an ordinary user was given for mailtap (setcap, AmbientCapabilities): it stays permitted.
void privileges_begin(void);

// Takes up what is permitted.
void privileges_open(void);

// The user that a run from an interface changes to when root starts it and names none: `mailtap` if there
// is such a user, otherwise NULL.
const char *privileges_usual_user(void);

// For good. False: *error; the process must not go on.
bool privileges_drop(const struct privileges_plan *plan, struct error *error);

#endif
