// SPDX-License-Identifier: Apache-2.0
// The three values of a fact. "Not seen" is never "no": it is the zero value, so that a fact nobody
// set stays unknown.
#ifndef MAILTAP_DECODE_SEEN_H
#define MAILTAP_DECODE_SEEN_H

#include <stdint.h>

enum seen {
	NOT_SEEN = 0, // the tap could not see it: null in a record
	SEEN_NO,      // the tap saw enough to say no: false
	SEEN_YES,     // the tap saw it: true
};

enum direction {
	FROM_CLIENT = 0,
	FROM_SERVER = 1,
};

static inline enum direction other_direction(enum direction direction)
{
	return direction == FROM_CLIENT ? FROM_SERVER : FROM_CLIENT;
}

#endif
