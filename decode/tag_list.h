// SPDX-License-Identifier: Apache-2.0
// Lists of tags as the records of DMARC (RFC 7489 6.4), DKIM (RFC 6376 3.2), MTA-STS (RFC 8461 3.1) and TLS reports
// (RFC 8460 3) are: `v=DMARC1; p=none`. Pure; any thread.
#ifndef MAILTAP_ANALYTICS_TAG_LIST_H
#define MAILTAP_ANALYTICS_TAG_LIST_H

#include "capture/base/view.h"

#include <stdbool.h>
#include <string.h>

// The value of a tag, without spaces around it; of several the first one's. data NULL: it is not there.
struct view tag_list_value(struct view text, const char *tag);

// True if the first tag is "v", and has this very value: in all of them upper and lower case count.
bool tag_list_begins(struct view text, const char *version);

// True if the bytes are this word, in whatever case.
bool tag_is(struct view value, const char *word);

#endif
