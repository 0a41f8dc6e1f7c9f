// SPDX-License-Identifier: Apache-2.0
#include "analytics/dnssec.h"

#include "analytics/dnssec_judge.h"

#include <stdlib.h>
#include <unistd.h>

enum { DAY = 86400 };

const char dnssec_usual_anchors[] = "/usr/share/dns/root.key";

struct dnssec {
	const struct dns_library_ops *library;
	struct dns_memory *memory;
	struct dnssec_anchors *anchors;
	uint32_t anchors_number; // 0 never
	int64_t left; // trials
	int64_t at; // seconds of packet time, the latest
	struct dnssec_counters counters;
};

struct dnssec_anchors *dnssec_load_anchors(
    const struct dns_library_ops *library, const char *path, struct error *error)
{
	struct dnssec_anchors *anchors = calloc(1, sizeof *anchors);
	bool usual = path == NULL;
	error_set(error, "no memory for DNSSEC");
	if (anchors == NULL || (usual && access(dnssec_usual_anchors, R_OK) != 0))
		return anchors;
	if (library->read_anchors(usual ? dnssec_usual_anchors : path, anchors, error))
		return anchors;
	free(anchors);
	return NULL;
}

void dnssec_use_anchors(struct dnssec *dnssec, struct dnssec_anchors *anchors)
{
	free(dnssec->anchors);
	dnssec->anchors = anchors;
	if (++dnssec->anchors_number == 0)
		dnssec->anchors_number = 1;
}

struct dnssec *dnssec_open(const struct dns_library_ops *library, struct dns_memory *memory,
    const char *path, struct error *error)
{
	struct dnssec_anchors *anchors = dnssec_load_anchors(library, path, error);
	struct dnssec *dnssec = anchors != NULL ? calloc(1, sizeof *dnssec) : NULL;
	if (dnssec == NULL) {
		free(anchors);
		return NULL;
	}
	dnssec->library = library;
	dnssec->memory = memory;
	dnssec->left = DNSSEC_TRIALS_GATHERED;
	dnssec_use_anchors(dnssec, anchors);
	return dnssec;
}

void dnssec_close(struct dnssec *dnssec)
{
	if (dnssec == NULL)
		return;
	free(dnssec->anchors);
	free(dnssec);
}

void dnssec_tell_time(struct dnssec *dnssec, nanoseconds now)
{
	int64_t second = now / SECONDS(1), passed = second - dnssec->at;
	if (passed > 0 || passed < -DAY) // captures that follow each other
		dnssec->at = second;
	if (passed <= 0)
		return;
	if (passed > DNSSEC_TRIALS_GATHERED / DNSSEC_TRIALS_SECOND)
		passed = DNSSEC_TRIALS_GATHERED / DNSSEC_TRIALS_SECOND;
	dnssec->left += passed * DNSSEC_TRIALS_SECOND;
	if (dnssec->left > DNSSEC_TRIALS_GATHERED)
		dnssec->left = DNSSEC_TRIALS_GATHERED;
}

static struct dns_answer *latest(
    const struct dns_memory *memory, const struct dns_name *name, uint16_t type)
{
	bool differ;
	size_t count;
	const struct dns_answer *best = dns_memory_find(memory, name, type, &differ);
	struct dns_answer *answers = dns_memory_answers(memory, name, type, &count);
	return best != NULL ? &answers[best - answers] : NULL;
}

struct dnssec_verdict dnssec_of(struct dnssec *dnssec, const struct dns_name *name, uint16_t type)
{
	struct dns_answer *answer = latest(dnssec->memory, name, type);
	if (answer == NULL)
		return (struct dnssec_verdict){DNSSEC_CANNOT_TELL, DNSSEC_NOT_SEEN};
	struct dnssec_work work = {
	    .ops = dnssec->library,
	    .memory = dnssec->memory,
	    .anchors = dnssec->anchors,
	    .anchors_number = dnssec->anchors_number,
	    .allowed = dnssec->left < DNSSEC_TRIALS_MAX ? dnssec->left : DNSSEC_TRIALS_MAX,
	};
	struct dnssec_verdict verdict = dnssec_judge(&work, answer);
	dnssec->left -= work.trials;
	dnssec->counters.trials += (uint64_t)work.trials;
	dnssec->counters.left += work.spent;
	// Also where what is wrong lies above it (dnssec_judge.c has why).
	if (verdict.status == DNSSEC_BOGUS && !answer->asked)
		return (struct dnssec_verdict){DNSSEC_CANNOT_TELL, DNSSEC_NOT_ASKED_FOR};
	return verdict;
}

struct dnssec_counters dnssec_counters(const struct dnssec *dnssec)
{
	return dnssec->counters;
}
