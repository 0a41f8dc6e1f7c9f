// SPDX-License-Identifier: Apache-2.0
// What the page is written with: text that stays text, numbers that stay inside their chart.
#include "analytics/page/html.h"
#include "analytics/page/page.h"
#include "analytics/page/svg.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct written {
	char *text;
	size_t length;
	FILE *out;
};

static FILE *begin(struct written *written)
{
	written->out = open_memstream(&written->text, &written->length);
	assert_non_null(written->out);
	return written->out;
}

static const char *end(struct written *written)
{
	assert_int_equal(fclose(written->out), 0);
	return written->text;
}

static void expect_text(const char *bytes, size_t length, const char *expected)
{
	struct written written;
	html_text(begin(&written), view_of((const uint8_t *)bytes, length));
	assert_string_equal(end(&written), expected);
	free(written.text);
}

static void text_is_no_markup(void **state)
{
	(void)state;
	expect_text("<script>alert(1)</script>", 25, "&lt;script&gt;alert(1)&lt;/script&gt;");
	expect_text("\" onload='x' &amp;", 18, "&quot; onload=&#39;x&#39; &amp;amp;");
	expect_text("--><![CDATA[", 12, "--&gt;&lt;![CDATA[");
	expect_text("mx.example.org", 14, "mx.example.org");
	expect_text("h\xc3\xb6st", 5, "h\xc3\xb6st");
}

static void text_hides_and_turns_nothing(void **state)
{
	(void)state;
	expect_text("a\0b", 3, "a\\x00b");
	expect_text("a\x1b[2J\r\n", 7, "a\\x1b[2J\\x0d\\x0a");
	expect_text("\xff<\xc3", 3, "\\xff&lt;\\xc3");
	expect_text("x\xe2\x80\xaey", 5, "x\\u{202e}y"); // right to left
	expect_text("x\xe2\x81\xa6y", 5, "x\\u{2066}y"); // isolate
	expect_text("\xc0\xbcscript>", 9, "\\xc0\\xbcscript&gt;"); // overlong <
}

static void long_text_is_cut(void **state)
{
	struct written written;
	char bytes[2000];
	(void)state;
	memset(bytes, '<', sizeof bytes);
	html_text(begin(&written), view_of((const uint8_t *)bytes, sizeof bytes));
	assert_null(strchr(end(&written), '<'));
	assert_in_range(written.length, 4 * 250, 4 * 256 + 3);
	free(written.text);
}

static void expect_number(uint64_t number, const char *expected)
{
	struct written written;
	html_number(begin(&written), number);
	assert_string_equal(end(&written), expected);
	free(written.text);
}

static void numbers_are_grouped(void **state)
{
	(void)state;
	expect_number(0, "0");
	expect_number(1234, "1234");
	expect_number(12345, "12<span class=\"group\">345</span>");
	expect_number(123456, "123<span class=\"group\">456</span>");
	expect_number(1234567, "1<span class=\"group\">234</span><span class=\"group\">567</span>");
	expect_number(UINT64_MAX,
	    "18<span class=\"group\">446</span><span class=\"group\">744</span><span "
	    "class=\"group\">073</span><span class=\"group\">709</span><span "
	    "class=\"group\">551</span><span class=\"group\">615</span>");
}

static void expect_percent(uint64_t part, uint64_t of, const char *expected)
{
	struct written written;
	html_percent(begin(&written), part, of);
	assert_string_equal(end(&written), expected);
	free(written.text);
}

// A single session in the clear among very many is not none.
static void few_is_not_none(void **state)
{
	(void)state;
	expect_percent(0, 100000, "0.0&nbsp;%");
	expect_percent(1, 100000, "0.1&nbsp;%");
	expect_percent(99999, 100000, "99.9&nbsp;%");
	expect_percent(100000, 100000, "100.0&nbsp;%");
	expect_percent(1, 3, "33.3&nbsp;%");
}

static void charts_keep_their_edges(void **state)
{
	struct written written;
	FILE *out = begin(&written);
	(void)state;
	svg_rectangle(out, 90, 5, 20, 10, "bar", NULL);
	svg_rectangle(out, -5, (double)NAN, (double)INFINITY, 1e300, "bar", NULL);
	svg_line(out, 0.12345, 0, 100.0004, 10, "line");
	assert_string_equal(end(&written),
	    "<rect class=\"bar\" x=\"90%\" y=\"5\" width=\"10%\" height=\"10\"/>\n"
	    "<rect class=\"bar\" x=\"0%\" y=\"0\" width=\"100%\" height=\"10000\"/>\n"
	    "<line class=\"line\" x1=\"0.123%\" y1=\"0\" x2=\"100%\" y2=\"10\"/>\n");
	free(written.text);
}

static void charts_say_what_they_are(void **state)
{
	struct written written;
	FILE *out = begin(&written);
	(void)state;
	svg_begin(out, "id", 40, "a < b", "\"c\"");
	svg_string(out, 50, 10, SVG_MIDDLE, "label", "</text><script>");
	svg_rectangle(out, 0, 0, 1, 1, "bar", "<tip>");
	svg_end(out);
	assert_string_equal(end(&written),
	    "<svg class=\"chart\" id=\"id\" width=\"100%\" height=\"40\" role=\"img\" "
	    "aria-labelledby=\"id-title id-desc\"><title id=\"id-title\">a &lt; b</title><desc "
	    "id=\"id-desc\">&quot;c&quot;</desc>\n"
	    "<text class=\"label\" text-anchor=\"middle\" x=\"50%\" "
	    "y=\"10\">&lt;/text&gt;&lt;script&gt;</text>\n"
	    "<rect class=\"bar\" x=\"0%\" y=\"0\" width=\"1%\" "
	    "height=\"1\"><title>&lt;tip&gt;</title>"
	    "</rect>\n</svg>\n");
	free(written.text);
}

static void the_policy_allows_what_is_there(void **state)
{
	char policy[PAGE_POLICY_SIZE];
	const struct page_head plain = {0};
	const struct page_head live = {"connect-src 'self'", &page_script};
	(void)state;
	page_policy(policy, &plain);
	assert_non_null(strstr(policy, "default-src 'none'"));
	assert_non_null(strstr(policy, page_style.hash));
	assert_null(strstr(policy, "unsafe"));
	assert_null(strstr(policy, "connect-src"));
	page_policy(policy, &live);
	assert_true(strlen(policy) < PAGE_POLICY_SIZE - 1); // not cut
	assert_string_equal(policy + strlen(policy) - strlen(live.policy), live.policy);
}

static void an_empty_page_is_whole(void **state)
{
	struct written written;
	const struct page page = {.title = "</title><script>", .source = "<nothing>", .rows = 20};
	(void)state;
	page_write(&page, NULL, begin(&written));
	const char *text = end(&written);
	assert_non_null(strstr(text, "<title>&lt;/title&gt;&lt;script&gt;</title>"));
	assert_non_null(strstr(text, "</body>\n</html>\n"));
	assert_null(strstr(text, "<nothing>"));
	free(written.text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(text_is_no_markup),
	    cmocka_unit_test(text_hides_and_turns_nothing),
	    cmocka_unit_test(long_text_is_cut),
	    cmocka_unit_test(numbers_are_grouped),
	    cmocka_unit_test(few_is_not_none),
	    cmocka_unit_test(charts_keep_their_edges),
	    cmocka_unit_test(charts_say_what_they_are),
	    cmocka_unit_test(the_policy_allows_what_is_there),
	    cmocka_unit_test(an_empty_page_is_whole),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
