// SPDX-License-Identifier: Apache-2.0
// Reads again what a run has from files besides its packets (patterns, trust store, list of good servers, trust
// anchors of DNSSEC), in a thread of its own: neither the packets nor the sessions wait for it. What cannot be read stays as it
// was. Patterns come in the place of the old ones at once: whoever has those finds them there
// (pattern_set.h). Also the one place that knows which option names which file. Used by the run.
#ifndef MAILTAP_ANALYTICS_RELOADER_H
#define MAILTAP_ANALYTICS_RELOADER_H

#include "analytics/certificate_judge.h"
#include "analytics/dns_view.h"
#include "analytics/options.h"
#include "analytics/server_baseline.h"
#include "decode/pattern_set.h"

/* ---- once ---- */

// The shipped patterns and the user's. NULL: one of them is wrong; *error.
struct pattern_set *load_given_patterns(const struct options *options, struct error *error);

struct trust_store_options given_trust_options(const struct options *options);

/* ---- again ---- */

// What was read anew; NULL: stays as it was. The taker's own.
struct reloaded {
	struct trust_store *trust;
	struct server_baseline *baseline;
	struct dnssec_anchors *anchors;
};

struct reloader;

// Starts the thread, which waits; signals are left to others. Takes a share of the patterns that are in use.
// `names`: what reads DNS, or NULL; borrowed. `tell`: says what could not be read. NULL: *error.
struct reloader *reloader_start(const struct options *options, const struct pattern_set *patterns,
    const struct dns_view *names, void (*tell)(const struct error *what), struct error *error);

// Asks for it. Asked again before it is done, it is done again. Waits for nobody.
void reloader_ask(struct reloader *reloader);

// True: it is done; *reloaded, once.
bool reloader_take(struct reloader *reloader, struct reloaded *reloaded);

// Ends the thread once it is done, and frees, also what was not taken. NULL is allowed.
void reloader_finish(struct reloader *reloader);

#endif
