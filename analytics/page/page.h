// SPDX-License-Identifier: Apache-2.0
// The page that people look at: what a report or a running tap has to show, as one HTML document that needs
// nothing else. It does not know where its figures come from: `mailtap report -o` fills struct page from logs.
// Pure: the same struct gives the same bytes, no clock is read, nothing is kept. Any thread that may read what
// the struct points to.
//
// A section is one file, section_*.c, and one row in the table of page.c. All of it reads without the script,
// which only sorts tables. Text that is not this program's own goes through html_text (html.h) alone.
#ifndef MAILTAP_ANALYTICS_PAGE_PAGE_H
#define MAILTAP_ANALYTICS_PAGE_PAGE_H

#include "analytics/capture_accounting.h"
#include "analytics/page/page_assets.h"
#include "analytics/statistics.h"

#include <stdio.h>

struct capture_times;

// A table and its rows. Sections find the tables they show by name; one that is not there is left out.
struct page_table {
	const struct table_ops *ops;
	const void *accumulator;
};

// A line of alerts.jsonl, which may stand for several.
struct page_alert {
	struct view line; // without its end
	uint64_t count; // alerts that it stands for, itself included
};

// Which alerts a page has, in words.
struct page_alerts_words {
	const char *title; // of them all
	const char *several; // behind how many a line stands for
	const char *left_out; // which those are that are not shown
};

struct page {
	const char *title; // of what: "mailtap report"
	const char *source; // what was read, in a few words; may hold anything
	struct statistics_span span;
	const struct page_table *tables;
	size_t table_count;
	const struct capture_accounting *capture; // NULL: not known
	uint64_t runs,
	    runs_without_end; // whose sum it is; of those known up to the last interval alone
	const struct capture_times *capture_times; // when packets came; NULL: not known
	const struct page_alert *alerts; // in the order in which they are shown
	size_t alert_count;
	uint64_t alerts_all; // that there are, those that are not shown included
	const struct page_alerts_words *alerts_words;
	bool alerts_known; // false: there is no alerts.jsonl
	size_t rows; // at most, of a table with a row for each of many; 0: all
};

enum { PAGE_TABLES_MAX = 32 };

// Fills `tables` (PAGE_TABLES_MAX of them) and what the page says of statistics. Both are borrowed.
void page_take_statistics(
    struct page *page, struct page_table *tables, const struct statistics *statistics);

// What a document has besides its sections.
struct page_head {
	const char *
	    policy; // further directives of the Content-Security-Policy, as "connect-src 'self'"; or NULL
	const struct page_asset *script; // one more script behind the page's own; or NULL
};

enum { PAGE_POLICY_SIZE = 512 };

// The value of Content-Security-Policy for a document with this head: nothing but the style and the scripts in
// it. The document says it itself; a server may say it, too.
void page_policy(char room[PAGE_POLICY_SIZE], const struct page_head *head);

// The whole document. `head` NULL: without more. What cannot be written shows in ferror(out).
void page_write(const struct page *page, const struct page_head *head, FILE *out);

/* ---- in parts ---- */

// Up to and with the headline; and behind the last section.
void page_write_begin(const struct page *page, const struct page_head *head, FILE *out);
void page_write_end(const struct page *page, const struct page_head *head, FILE *out);

struct page_section {
	const char *id; // of its element, <section id="…">
	const char *title;
	const char *tab; // its name in the list of sections
	void (*write)(const struct page *page, FILE *out); // what follows its title
};

size_t page_section_count(void);
const struct page_section *page_section_at(size_t index);

// The element, title included: a fragment that may stand in the place of the same section of a document.
void page_write_section(const struct page *page, const struct page_section *section, FILE *out);

#endif
