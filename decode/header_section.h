// SPDX-License-Identifier: Apache-2.0
// A message's header as a list of fields (RFC 5322 2.2): where each begins, its name and its value, folded lines
// together. Points into bytes that are the caller's. Pure; any thread.
#ifndef MAILTAP_DECODE_HEADER_SECTION_H
#define MAILTAP_DECODE_HEADER_SECTION_H

#include "capture/base/view.h"

enum { HEADER_FIELDS_MAX = 512 };

struct header_field {
	struct view whole; // as it crossed, without the line end that it ends with
	struct view name; // without spaces around it; length 0: there is no colon
	struct view value; // behind the colon
};

struct header_section {
	size_t count;
	bool more; // fields than are listed: the first of them are
	struct header_field fields[HEADER_FIELDS_MAX];
};

void header_section_read(struct view bytes, struct header_section *section);

// True if the field has this name, in whatever case.
bool header_field_is(const struct header_field *field, const char *name);

#endif
