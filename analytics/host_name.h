// SPDX-License-Identifier: Apache-2.0
// Names of hosts as keys of the memory: in one form, and only those that can be one. Pure; any thread.
#ifndef MAILTAP_ANALYTICS_HOST_NAME_H
#define MAILTAP_ANALYTICS_HOST_NAME_H

#include "capture/base/view.h"

#include <string.h>

enum { HOST_NAME_MAX_BYTES = 253 };

struct host_name {
	size_t length; // 0: no name
	char text[HOST_NAME_MAX_BYTES + 1]; // lower case, no dot at its end, terminated
};

// False, and *name is empty: this is no name of a host that others could know it by: it has a byte that
// host names do not have (letters, digits, '-', '_'), an empty or too long label, a single label, or it
// ends as an address does.
bool host_name_read(struct view bytes, struct host_name *name);

// Of the text only what there is, not the whole room for it.
static inline void host_name_copy(struct host_name *to, const struct host_name *from)
{
	to->length = from->length;
	memcpy(to->text, from->text, from->length + 1);
}

#endif
