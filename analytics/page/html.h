// SPDX-License-Identifier: Apache-2.0
// Text, numbers and times in HTML. html_text is the one place where text that may come from the wire becomes
// part of a document: nothing in it is markup, ends an attribute, turns the text around or is invisible.
// Output goes to a FILE; what fails shows in ferror. Pure besides; any thread.
#ifndef MAILTAP_ANALYTICS_PAGE_HTML_H
#define MAILTAP_ANALYTICS_PAGE_HTML_H

#include "analytics/table.h"

#include <stdio.h>

// For the content of an element and for a value in double quotes. Unsafe characters stand as plain_text.h
// writes them; what is longer than 256 columns is cut.
void html_text(FILE *out, struct view text);
void html_string(FILE *out, const char *text);

// Digits in groups of three. They are told apart by space that is not copied with them.
void html_number(FILE *out, uint64_t number);

// "65.3 %"; `of` is not 0. Never rounds to 0 or 100 what is not.
void html_percent(FILE *out, uint64_t part, uint64_t of);

// "65.3 %", the 95 % interval and the denominator, each in an element of its own. `of` 0: a dash.
void html_share(FILE *out, uint64_t part, uint64_t of);

// "402 of 545 (73.8 %)", as text. `of` is not 0; rounded as by html_percent.
enum { HTML_SHARE_SIZE = 64 };
void html_share_text(char room[HTML_SHARE_SIZE], uint64_t part, uint64_t of);

// What was not seen: a dash, and for who cannot see it, the words.
void html_unseen(FILE *out);

// "2026-11-27 10:24:48", UTC.
void html_time(FILE *out, nanoseconds time);

// A span of time in the largest unit that divides it: "5 minutes".
void html_duration(FILE *out, nanoseconds duration);

#endif
