// SPDX-License-Identifier: Apache-2.0
// What the page is of, and its headline figures: shares, each with what it is of and its 95 % interval.
#include "analytics/page/html.h"
#include "analytics/page/page_rows.h"
#include "analytics/page/sections.h"
#include "analytics/page/svg.h"
#include "analytics/proportion.h"

#include <string.h>

struct figure {
	const char *id, *title, *of; // what it says, and over what
	const char *fill;
	uint64_t part, all;
};

// Adds up a column over the rows whose cell is this (`where` NULL: all rows).
static uint64_t sum_where(
    const struct page_rows *rows, const char *where, const char *is, const char *key)
{
	uint64_t sum = 0;
	for (size_t row = 0; row < rows->count; row++)
		if (where == NULL || page_cell_is(rows, row, where, is))
			sum += page_number(rows, row, key);
	return sum;
}

// A figure without anything to count over says so.
static void put_figure(FILE *out, const struct figure *figure)
{
	fprintf(out, "<li class=\"figure\" id=\"figure-%s\"><h3>%s</h3>\n<p>", figure->id,
	    figure->title);
	html_share(out, figure->part, figure->all);
	fprintf(out, "</p>\n<p class=\"of\">%s", figure->of);
	if (figure->all > 0) {
		fputs(": ", out);
		html_number(out, figure->part);
		fputs(" of ", out);
		html_number(out, figure->all);
	}
	fputs("</p>\n", out);
	if (figure->all > 0) {
		struct proportion share = proportion_of(figure->part, figure->all);
		fputs("<svg class=\"meter\" width=\"100%\" height=\"12\" aria-hidden=\"true\">\n",
		    out);
		svg_rectangle(out, 0, 2, 100, 8, "trough", NULL);
		svg_rectangle(out, 0, 2, 100 * share.value, 8, figure->fill, NULL);
		svg_whisker(out, 100 * share.low, 100 * share.high, 6);
		svg_end(out);
	}
	fputs("</li>\n", out);
}

static void take(struct page_rows *rows, const struct page *page, const char *name)
{
	page_rows_take(rows, page, name, 0);
}

static void put_verdicts(const struct page *page, FILE *out)
{
	struct page_rows rows;
	take(&rows, page, "verdicts");
	uint64_t encrypted = sum_where(&rows, "verdict", "encrypted", "sessions");
	uint64_t clear = sum_where(&rows, "verdict", "cleartext", "sessions");
	uint64_t stripped = sum_where(&rows, "verdict", "stripped", "sessions");
	uint64_t all = encrypted + clear + stripped;
	static const char of[] = "of sessions with TLS, or with mail or a log-in in the clear";
	const struct figure figures[] = {
	    {"encrypted", "Encrypted", of, "fill-encrypted", encrypted, all},
	    {"cleartext", "In the clear", of, "fill-cleartext", clear, all},
	    {"stripped", "Stripped of TLS", of, "fill-stripped", stripped, all},
	};
	for (size_t i = 0; i < sizeof figures / sizeof figures[0]; i++)
		put_figure(out, &figures[i]);
	page_rows_release(&rows);
}

static void put_step(
    const struct page_rows *rows, const char *step, const char *title, const char *of, FILE *out)
{
	uint64_t passed = sum_where(rows, "step", step, "passed");
	struct figure figure = {step, title, of, "fill-encrypted", passed,
	    passed + sum_where(rows, "step", step, "ended")};
	put_figure(out, &figure);
}

static void put_steps(const struct page *page, FILE *out)
{
	struct page_rows rows;
	take(&rows, page, "funnel");
	put_step(
	    &rows, "offered", "STARTTLS offered", "of lists of capabilities that were seen", out);
	put_step(&rows, "requested", "Offer taken", "of offers whose answer was seen", out);
	page_rows_release(&rows);
}

static void put_rest(const struct page *page, FILE *out)
{
	struct page_rows certificates, credentials, versions;
	take(&certificates, page, "certificates");
	take(&credentials, page, "credentials");
	take(&versions, page, "tls_versions");
	uint64_t judged = 0, exposed = sum_where(&credentials, NULL, NULL, "exposed");
	for (size_t row = 0; row < certificates.count; row++)
		if (page_cell_is(&certificates, row, "axis", "certificate") &&
		    page_cell(&certificates, row, "sessions_share").known)
			judged += page_number(&certificates, row, "sessions");
	uint64_t seen = 0;
	for (size_t row = 0; row < versions.count; row++)
		if (page_cell(&versions, row, "version").known)
			seen += page_number(&versions, row, "sessions");
	const struct figure figures[] = {
	    {"certificates", "Certificate good", "of TLS sessions whose certificate was judged",
	        "fill-encrypted",
	        sum_where(&certificates, "status", "valid_and_matching", "sessions"), judged},
	    {"tls13", "TLS 1.3", "of mail sessions with TLS whose version was seen",
	        "fill-encrypted", sum_where(&versions, "version", "TLSv1.3", "sessions"), seen},
	    {"exposed", "Passwords shown", "of log-ins in the clear of which it was seen",
	        "fill-cleartext", exposed,
	        exposed + sum_where(&credentials, NULL, NULL, "not_exposed")},
	};
	for (size_t i = 0; i < sizeof figures / sizeof figures[0]; i++)
		put_figure(out, &figures[i]);
	page_rows_release(&certificates);
	page_rows_release(&credentials);
	page_rows_release(&versions);
}

// Whether anything is missing in all that follows.
static void put_losses(const struct page *page, FILE *out)
{
	uint64_t lost = page->capture != NULL ? capture_accounting_lost(page->capture) : 0;
	fprintf(out, "<p id=\"losses\" class=\"%s\">", lost > 0 ? "warning" : "how");
	if (page->capture == NULL) {
		fputs("What the capture lost is not known", out);
	} else if (lost == 0) {
		fputs("No packet is known to be lost, beside ", out);
		html_number(out, capture_counter(page->capture, "packets_seen"));
		fputs(" that were read", out);
	} else {
		fputs("<b>", out);
		html_number(out, lost);
		fputs("</b> packets were lost, beside ", out);
		html_number(out, capture_counter(page->capture, "packets_seen"));
		fputs(" that were read: sessions may be missing, or be seen in part", out);
	}
	fputs(". <a href=\"#capture\">What the capture says of itself</a></p>\n", out);
}

static void put_lead(const struct page *page, FILE *out)
{
	fputs("<p class=\"lead\"><b>", out);
	html_number(out, page->span.sessions);
	fprintf(out, "</b> session%s", page->span.sessions == 1 ? "" : "s");
	if (page->span.sessions > 0) {
		fputs(" from <time>", out);
		html_time(out, page->span.first);
		fputs("</time> to <time>", out);
		html_time(out, page->span.last);
		fputs("</time> UTC", out);
	}
	fputs(", of ", out);
	html_string(out, page->source);
	fputs(".</p>\n", out);
	put_losses(page, out);
	fputs("<p class=\"how\">A session is a connection to a mail port, or one that was found to "
	      "be mail. A figure stands with what it is of and the interval in "
	      "which the "
	      "true share lies with 95 % confidence (Wilson). What the tap did not see is a dash, "
	      "or a "
	      "row or column of its own: it is in no share, and is never a &ldquo;no&rdquo;.</p>\n",
	    out);
}

static void write_overview(const struct page *page, FILE *out)
{
	put_lead(page, out);
	fputs("<ul class=\"figures\">\n", out);
	put_verdicts(page, out);
	put_steps(page, out);
	put_rest(page, out);
	fputs("</ul>\n", out);
}

const struct page_section overview_section = {
    .id = "overview", .title = "At a glance", .tab = "Overview", .write = write_overview};
