// SPDX-License-Identifier: Apache-2.0
// All that a session record says, as text: what two runs over the same bytes must have in common, and what is
// printed where they do not.
#ifndef MAILTAP_TESTS_FUZZ_FACTS_H
#define MAILTAP_TESTS_FUZZ_FACTS_H

#include "decode/session_record.h"

enum { FACTS_TEXT_MAX = 256 * 1024 };

struct facts_text {
	size_t length;
	char text[FACTS_TEXT_MAX];
};

// One line a fact. `certificates` etc. stand there as their hashes.
void facts_write(struct facts_text *facts, const struct session_record *record);

// Ends the program, both texts printed, unless they are the same. `how`: what `other` did differently.
void facts_must_be_same(
    const struct facts_text *facts, const struct facts_text *other, const char *how);

#endif
