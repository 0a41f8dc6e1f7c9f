// SPDX-License-Identifier: Apache-2.0
// A list of certificates examined from scratch: what chain_judge.h promises, without its memory. Called by
// the judge.
#ifndef MAILTAP_ANALYTICS_CHAIN_EXAMINATION_H
#define MAILTAP_ANALYTICS_CHAIN_EXAMINATION_H

#include "analytics/chain_judge.h"

enum { EXAMINATION_WANTED = 2 };

struct chain_examination {
	struct chain_judgement judgement;
	// Keys of the names of issuers (certificate_store_name_key) that might lead further. 0: none.
	uint64_t wanted[EXAMINATION_WANTED];
};

// As chain_judge; `sent` are the certificates, 1 ... CHAIN_CERTIFICATES_MAX of them. False: no memory.
bool chain_examine(struct certificate_store *certificates, struct trust_store *trust,
    const struct certificate *const *sent, size_t count, enum certificate_role role, int64_t at,
    struct chain_examination *examination);

#endif
