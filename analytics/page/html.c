// SPDX-License-Identifier: Apache-2.0
#include "analytics/page/html.h"

#include "analytics/proportion.h"
#include "analytics/render.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

void html_text(FILE *out, struct view text)
{
	char room[HARMLESS_ROOM];
	struct view harmless = harmless_text(room, text);
	for (size_t i = 0; i < harmless.length; i++) {
		switch (harmless.data[i]) {
		case '&':
			fputs("&amp;", out);
			break;
		case '<':
			fputs("&lt;", out);
			break;
		case '>':
			fputs("&gt;", out);
			break;
		case '"':
			fputs("&quot;", out);
			break;
		case '\'':
			fputs("&#39;", out);
			break;
		default:
			fputc(harmless.data[i], out);
			break;
		}
	}
}

void html_string(FILE *out, const char *text)
{
	html_text(out, view_of((const uint8_t *)text, strlen(text)));
}

void html_number(FILE *out, uint64_t number)
{
	enum { DIGITS_MAX = 20, GROUP = 3 };
	char digits[DIGITS_MAX + 1];
	int length = snprintf(digits, sizeof digits, "%" PRIu64, number);
	int first = length < 5 ? length : (length - 1) % GROUP + 1; // 1234 stays whole
	fprintf(out, "%.*s", first, digits);
	for (int i = first; i < length; i += GROUP)
		fprintf(out, "<span class=\"group\">%.3s</span>", digits + i);
}

// In tenths of a percent; what is neither none nor all does not become it by rounding.
static unsigned tenths(double ratio, bool none, bool all)
{
	unsigned rounded = (unsigned)(ratio * 1000 + 0.5);
	if (rounded == 0 && !none)
		return 1;
	return rounded == 1000 && !all ? 999 : rounded;
}

void html_percent(FILE *out, uint64_t part, uint64_t of)
{
	unsigned value = tenths(proportion_of(part, of).value, part == 0, part == of);
	fprintf(out, "%u.%u&nbsp;%%", value / 10, value % 10);
}

void html_share_text(char room[HTML_SHARE_SIZE], uint64_t part, uint64_t of)
{
	unsigned value = tenths(proportion_of(part, of).value, part == 0, part == of);
	snprintf(room, HTML_SHARE_SIZE, "%" PRIu64 " of %" PRIu64 " (%u.%u %%)", part, of,
	    value / 10, value % 10);
}

void html_share(FILE *out, uint64_t part, uint64_t of)
{
	if (of == 0) {
		html_unseen(out);
		return;
	}
	struct proportion share = proportion_of(part, of);
	unsigned low = tenths(share.low, true, true), high = tenths(share.high, true, true);
	fputs("<span class=\"value\">", out);
	html_percent(out, part, of);
	fprintf(out,
	    "</span> <span class=\"interval\" title=\"95 %% interval "
	    "(Wilson)\">%u.%u&ndash;%u.%u</span> "
	    "<span class=\"of\">of&nbsp;",
	    low / 10, low % 10, high / 10, high % 10);
	html_number(out, of);
	fputs("</span>", out);
}

void html_unseen(FILE *out)
{
	fputs("<span class=\"unseen\" title=\"not seen\">&ndash;<span class=\"aloud\"> not "
	      "seen</span></span>",
	    out);
}

void html_time(FILE *out, nanoseconds time)
{
	time_t seconds = (time_t)(time / SECONDS(1));
	struct tm parts;
	char text[sizeof "-2147481748-01-01 00:00:00"];
	if (gmtime_r(&seconds, &parts) == NULL ||
	    strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &parts) == 0)
		html_unseen(out);
	else
		fputs(text, out);
}

void html_duration(FILE *out, nanoseconds duration)
{
	static const struct {
		nanoseconds length;
		const char *one, *many;
	} units[] = {{SECONDS(86400), "day", "days"}, {SECONDS(3600), "hour", "hours"},
	    {SECONDS(60), "minute", "minutes"}, {SECONDS(1), "second", "seconds"}};
	enum { UNITS = sizeof units / sizeof units[0] };
	size_t unit = 0;
	while (unit < UNITS - 1 &&
	       (duration < units[unit].length || duration % units[unit].length != 0))
		unit++;
	nanoseconds count = duration / units[unit].length;
	fprintf(out, "%" PRId64 " %s", count, count == 1 ? units[unit].one : units[unit].many);
}
