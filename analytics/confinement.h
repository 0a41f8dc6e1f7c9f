// SPDX-License-Identifier: Apache-2.0
// What a run keeps of its rights, by its options: whom it becomes, and what its sandbox lets through. Joins
// privileges.h and sandbox.h to the options. Called by run_open.c.
#ifndef MAILTAP_ANALYTICS_CONFINEMENT_H
#define MAILTAP_ANALYTICS_CONFINEMENT_H

#include "analytics/options.h"

// The user that the run becomes, by name; NULL: nobody else.
const char *confinement_user(const struct options *options);

// When the source is open, and before any output is. False: *error; the run must end.
bool confinement_drop_privileges(const struct options *options, struct error *error);

// When everything is open, before threads begin and the first packet is looked at. Makes the directories of
// outputs that are not there yet. Nothing with --no-sandbox. False: *error; the run must end. True and
// *error: the system has not all of it, and the run is one that should.
bool confinement_enter_sandbox(const struct options *options, struct error *error);

// What of it there is on this system, as `mailtap --version` prints it; no newline.
void confinement_describe(char *text, size_t size);

#endif
