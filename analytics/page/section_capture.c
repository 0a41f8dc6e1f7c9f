// SPDX-License-Identifier: Apache-2.0
// What the capture says of itself: seen, kept and lost, so that all other figures can be judged.
#include "analytics/page/chart.h"
#include "analytics/page/html.h"
#include "analytics/page/sections.h"

#include <inttypes.h>

static const struct {
	struct chart_part part;
	const char *key;
} packets[] = {
    {{"fill-encrypted", "of mail ports"}, "packets_kept"},
    {{"fill-none", "of other ports"}, "packets_other_port"},
    {{"fill-other", "of other protocols"}, "packets_other_protocol"},
    {{"fill-cleartext", "malformed"}, "packets_malformed"},
    {{"fill-unseen", "not readable"}, "packets_unreadable"},
};

enum { PARTS = sizeof packets / sizeof packets[0] };

static void write_chart(const struct capture_accounting *capture, FILE *out)
{
	static const char label[] = "Packets read";
	struct chart_part parts[PARTS];
	struct chart_bar bar = {.label = view_of((const uint8_t *)label, sizeof label - 1)};
	for (size_t i = 0; i < PARTS; i++) {
		parts[i] = packets[i].part;
		bar.counts[i] = capture_counter(capture, packets[i].key);
	}
	snprintf(bar.note, sizeof bar.note, "%" PRIu64, capture_counter(capture, "packets_seen"));
	struct chart chart = {"chart-packets", "Packets read",
	    "One bar, divided by what became of the packets; the numbers stand above it.", parts,
	    PARTS, &bar, 1};
	chart_legend(out, parts, PARTS, bar.counts);
	chart_write_bars(out, &chart);
}

static void write_counters(const struct capture_accounting *capture, FILE *out)
{
	fputs("<figure class=\"table\"><figcaption>All that was counted</figcaption>\n"
	      "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"All that was "
	      "counted\"><table class=\"sortable\" id=\"table-capture\"><thead><tr>"
	      "<th scope=\"col\" class=\"text\">counter</th><th scope=\"col\" "
	      "class=\"number\">count</th><th scope=\"col\" class=\"text\">of</th></tr></thead>\n"
	      "<tbody>\n",
	    out);
	for (size_t i = 0; i < CAPTURE_COUNTERS; i++) {
		fprintf(out,
		    "<tr><td class=\"text\">%s</td><td class=\"number\" data-value=\"%" PRIu64
		    "\">",
		    capture_counter_key(i), capture->counters[i]);
		html_number(out, capture->counters[i]);
		fputs("</td><td class=\"text\">", out);
		html_string(out, capture_counter_help(i));
		fputs("</td></tr>\n", out);
	}
	fputs("</tbody></table></div></figure>\n", out);
}

static void write_runs(const struct page *page, FILE *out)
{
	fputs("<p>As ", out);
	html_number(out, page->runs);
	fprintf(out, " run%s said", page->runs == 1 ? "" : "s");
	if (page->runs_without_end > 0) {
		fputs(", ", out);
		html_number(out, page->runs_without_end);
		fputs(" of which up to the last interval: the end is not known", out);
	}
	fputs(". A packet that never reached the tap is in no counter; what the kernel or the card "
	      "dropped they may not say.</p>\n",
	    out);
}

static void write_capture(const struct page *page, FILE *out)
{
	if (page->capture == NULL) {
		fputs("<p class=\"none\">What the capture lost is not known: there is no "
		      "statistics.jsonl beside the logs.</p>\n",
		    out);
		return;
	}
	write_runs(page, out);
	write_chart(page->capture, out);
	write_counters(page->capture, out);
}

const struct page_section capture_section = {.id = "capture",
    .title = "What the capture saw, kept and lost",
    .tab = "Capture",
    .write = write_capture};
