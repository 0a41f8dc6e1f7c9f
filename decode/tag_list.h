// SPDX-License-Identifier: Apache-2.0
// Lists of tags as the records of DMARC (RFC 7489 6.4), DKIM (RFC 6376 3.2), MTA-STS (RFC 8461 3.1) and TLS reports
// (RFC 8460 3) are: `v=DMARC1; p=none`. Pure; any thread.
#ifndef MAILTAP_ANALYTICS_TAG_LIST_H
#define MAILTAP_ANALYTICS_TAG_LIST_H

#include "capture/base/view.h"

#include <stdbool.h>
#include <string.h>

// The value of a tag, without spaces around it; of several the first one's. data NULL: it is not there. Upper and lower
// case are not the same (RFC 6376 3.2).
struct view tag_list_value(struct view text, const char *tag);

// The same in whatever case (RFC 7489 6.4); *count: how often it is there.
struct view tag_list_value_any_case(struct view text, const char *tag, unsigned *count);

// True if it is a list (RFC 6376 3.2): each tag has a name and a value, and none comes twice (of so many as anybody uses).
bool tag_list_is_sound(struct view text);

// True if the first tag is "v", and has this very value: in all of them upper and lower case count.
bool tag_list_begins(struct view text, const char *version);

// True if the bytes are this word: in whatever case, and in this one.
bool tag_is(struct view value, const char *word);
bool tag_is_exactly(struct view value, const char *word);

// Takes the next word off a list with colons between, without the spaces around it. False: there is none.
bool tag_next_word(struct view *list, struct view *word);

// True if such a list has this word, in whatever case.
bool tag_has_word(struct view list, const char *word);

#endif
