// SPDX-License-Identifier: Apache-2.0
// How much work lists of certificates may make. Whoever makes up lists can have each of them cost hundreds of
// milliseconds (names by constraints, huge keys), so that a few megabits of them in a second would keep the judging
// thread busy for longer than a second. Work is estimated before it is done, and what goes beyond the budget of a
// second of packet time is left: nothing is said of such a list. Ordinary lists are never refused. Owned by
// chain_judge.
#ifndef MAILTAP_ANALYTICS_JUDGING_BUDGET_H
#define MAILTAP_ANALYTICS_JUDGING_BUDGET_H

#include "analytics/certificate_store.h"

enum {
	// The work of a list of 16 KiB. Honest ones have 2 to 10; what is no more than this costs no budget.
	JUDGING_WORK_FREE = 256,
	JUDGING_WORK_SECOND =
	    50000, // comes back in a second: about 0.3 s of a processor, at the worst
	JUDGING_WORK_MAX = 400000, // is there at first, and gathers again
};

struct judging_budget {
	int64_t left;
	int64_t at; // seconds of packet time, the latest
};

struct judging_budget judging_budget_full(void);

// The work of a list: what OpenSSL does grows with the square of its bytes (in KiB) and of its keys' bits (in 1024).
int64_t judging_work(const struct certificate *const *sent, size_t count);

// It is this second of packet time. Where that goes back by more than a day, as in captures that follow each other,
// the budget goes on from there.
void judging_budget_tell_time(struct judging_budget *budget, int64_t at);

// False: there is no such budget left, and none is taken.
bool judging_budget_spend(struct judging_budget *budget, int64_t work);

#endif
