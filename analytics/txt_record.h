// SPDX-License-Identifier: Apache-2.0
// Records of type TXT: strings, joined to one text (RFC 7208 3.3, RFC 6376 3.6.2.2), and of several those of a kind.
// Pure; any thread.
#ifndef MAILTAP_ANALYTICS_TXT_RECORD_H
#define MAILTAP_ANALYTICS_TXT_RECORD_H

#include "analytics/dns_memory.h"
#include "capture/base/view.h"

enum { TXT_LONGEST = 4096 }; // bytes that are read

typedef bool txt_kind(struct view text);

// Those of a kind, among a name's. More than one are as good as none, or worse.
struct txt_found {
	bool answered; // something was seen that says whether there is one
	unsigned count;
	size_t length; // of the first one's text
	uint8_t bytes[TXT_LONGEST];
};

// `answer`: for TXT, or NULL.
void txt_find(const struct dns_answer *answer, txt_kind *is_kind, struct txt_found *found);

static inline struct view txt_text(const struct txt_found *found)
{
	return view_of(found->bytes, found->count > 0 ? found->length : 0);
}

#endif
