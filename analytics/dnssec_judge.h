// SPDX-License-Identifier: Apache-2.0
// The way from an answer up to a trust anchor (RFC 4035 5): its signatures, the keys of the zone that signed, what the
// zone above says of these keys, and so on. Called by dnssec.c alone, which has the bounds.
#ifndef MAILTAP_ANALYTICS_DNSSEC_JUDGE_H
#define MAILTAP_ANALYTICS_DNSSEC_JUDGE_H

#include "analytics/dns_memory.h"
#include "analytics/dns_parse.h"

// The work on one answer.
struct dnssec_work {
	const struct dns_library_ops *ops;
	const struct dns_memory *memory;
	const struct dnssec_anchors *anchors;
	uint32_t anchors_number; // of these anchors: what was proved by others is proved anew
	int64_t allowed, trials; // signatures and digests that may be computed, and were
	unsigned zones; // that it is in the middle of
	bool spent; // there was more to do than that
};

// Of an answer, which is noted there unless the work was spent.
struct dnssec_verdict dnssec_judge(struct dnssec_work *work, struct dns_answer *answer);

#endif
