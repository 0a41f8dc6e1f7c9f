// SPDX-License-Identifier: Apache-2.0
// What speaks on a mail port when it is no mail and our own first look has no name for it: asks nDPI, and
// takes nothing from it but a name out of a fixed table.
//
// nDPI is 70 000 lines that read hostile bytes, and has had memory-safety bugs. So it sees little: only
// connections that are settled to be no mail, once, the first bytes of each side, in packets of our own
// making between addresses that say nothing; and only the dissectors of the table run, none of which is
// of mail, TLS or HTTP or keeps names or passwords. `--no-ndpi` and the build option `ndpi` leave it out.
//
// Owns all of nDPI: one detection module per worker, made at the first look (tens of milliseconds, 5 MB),
// and one flow state, which lasts for a look. Called by dialogue.c. One thread each.
#ifndef MAILTAP_DECODE_FOREIGN_H
#define MAILTAP_DECODE_FOREIGN_H

#include "decode/seen.h"

#include <stddef.h>
#include <stdint.h>

struct foreign;

// What one side said first. Borrowed for the call; length 0: nothing, or it is not known.
struct foreign_words {
	const uint8_t *bytes;
	size_t length;
};

struct foreign_counters {
	uint64_t looks; // connections that it was asked about
	uint64_t named; // of them
};

// Makes no detection module yet. NULL: no memory, or built without nDPI.
struct foreign *foreign_create(void);

// NULL is allowed.
void foreign_destroy(struct foreign *foreign);

// What is spoken, as a number for foreign_name; 0: not known. `said` by enum direction, `first` spoke
// before the other.
uint8_t foreign_look(
    struct foreign *foreign, const struct foreign_words said[2], enum direction first);

struct foreign_counters foreign_counters(const struct foreign *foreign);

// nDPI's name of a protocol, in lower case. NULL for 0, and for what is no number of foreign_look.
const char *foreign_name(uint8_t number);

// With what it was built: "nDPI 4.2.0". NULL: without.
const char *foreign_library(void);

#endif
