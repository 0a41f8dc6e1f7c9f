// SPDX-License-Identifier: Apache-2.0
// Renderers: the same table as text, CSV, JSON and metrics, with texts that try to break out of each.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "analytics/render.h"

#include <stdlib.h>
#include <string.h>

static const struct column columns[] = {
    {"name", "name", "a name", COLUMN_TEXT},
    {"port", "port", "a port", COLUMN_NUMBER},
    {"count", "seen", "how many", COLUMN_COUNT},
    {"some_bytes", NULL, "bytes", COLUMN_LEVEL},
    {"remark", "remark", "a remark", COLUMN_NOTE},
    {"share", "of all", "of all", COLUMN_SHARE},
};

static struct cell text_cell(const char *text)
{
	return cell_text(view_of((const uint8_t *)text, strlen(text)));
}

// As many rows as the accumulator says, all with the name it says.
struct rows {
	const char *name;
	size_t count;
};

static void rows_of(const void *accumulator, struct row_sink *sink)
{
	const struct rows *rows = accumulator;
	for (size_t i = 0; i < rows->count; i++) {
		struct cell cells[] = {text_cell(rows->name), cell_number(25), cell_number(i + 1),
		    cell_null(), text_cell("note"), cell_share(1, 4)};
		sink->row(sink, cells);
	}
	if (rows->count == 0)
		return;
	struct cell cells[] = {cell_null(), cell_null(), cell_number(7), cell_number(8),
	    cell_null(), cell_share(0, 0)};
	sink->row(sink, cells);
}

static const struct table_ops table = {
    .name = "test",
    .title = "A test",
    .denominator = "tests",
    .unseen = "nothing",
    .use = TABLE_MANY,
    .columns = columns,
    .column_count = sizeof columns / sizeof columns[0],
    .rows = rows_of,
};

// What a renderer writes of `count` rows with this name; to be freed.
static char *written(
    void (*render)(FILE *, const struct table_ops *, const void *), const char *name, size_t count)
{
	char *text;
	size_t length;
	struct rows rows = {name, count};
	FILE *out = open_memstream(&text, &length);
	render(out, &table, &rows);
	fclose(out);
	assert_int_equal(strlen(text), length);
	return text;
}

static void three_rows_as_text(FILE *out, const struct table_ops *ops, const void *rows)
{
	render_text(out, ops, rows, 3);
}

static void assert_renders(void (*render)(FILE *, const struct table_ops *, const void *),
    const char *name, size_t count, const char *expected)
{
	char *text = written(render, name, count);
	assert_string_equal(text, expected);
	free(text);
}

#define CSV_HEAD                                                                                   \
	"name,port,count,some_bytes,remark,share_part,share_of,share,share_low,share_high\r\n"
#define CSV_TAIL ",25,1,,note,1,4,0.250000,0.045587,0.699358\r\n,,7,8,,0,0,,,\r\n"

static void csv_cells_stay_cells(void **state)
{
	(void)state;
	static const char *const cells[][2] = {
	    {"plain", "plain"},
	    {"a,b", "\"a,b\""},
	    {"a\"b", "\"a\"\"b\""},
	    {"a\r\nb", "a\\x0d\\x0ab"},
	    {"=1+1", "'=1+1"},
	    {"+1", "'+1"},
	    {"-1", "'-1"},
	    {"@A1", "'@A1"},
	    {"\t=1", "'\\x09=1"},
	    {"\r=1", "'\\x0d=1"},
	    {"=HYPERLINK(\"x\",1)", "\"'=HYPERLINK(\"\"x\"\",1)\""},
	    {"\x1b[2J", "\\x1b[2J"},
	    {"\xff", "\\xff"},
	    {"", ""},
	};
	for (size_t i = 0; i < sizeof cells / sizeof cells[0]; i++) {
		char expected[512];
		snprintf(expected, sizeof expected, CSV_HEAD "%s" CSV_TAIL, cells[i][1]);
		assert_renders(render_csv, cells[i][0], 1, expected);
	}
}

static void metrics_have_heads_and_labels(void **state)
{
	(void)state;
	assert_renders(render_metrics, "a\"b\\c\nd", 1,
	    "# TYPE mailtap_test counter\n"
	    "# HELP mailtap_test A test: how many\n"
	    "mailtap_test_total{name=\"a\\\"b\\\\\\\\c\\\\x0ad\",port=\"25\"} 1\n"
	    "mailtap_test_total{name=\"\",port=\"\"} 7\n"
	    "# TYPE mailtap_test_some_bytes gauge\n"
	    "# UNIT mailtap_test_some_bytes bytes\n"
	    "# HELP mailtap_test_some_bytes A test: bytes\n"
	    "mailtap_test_some_bytes{name=\"\",port=\"\"} 8\n");
}

static void text_has_a_dash_for_what_is_not_seen(void **state)
{
	(void)state;
	assert_renders(three_rows_as_text, "\x1b[2Jx", 1,
	    "\nA test\n  of:        tests\n  not seen:  nothing\n"
	    "  name      port  seen  remark  of all\n"
	    "  \\x1b[2Jx    25     1  note     25.0 % of 4\n"
	    "  -            -     7  -       -\n");
}

static void text_says_how_many_rows_are_left_out(void **state)
{
	(void)state;
	char *text = written(three_rows_as_text, "x", 5);
	assert_non_null(strstr(text, "  … and 3 more: see --all, --csv or --json\n"));
	assert_null(strstr(text, "    4  note"));
	free(text);
	text = written(three_rows_as_text, "x", 0);
	assert_non_null(strstr(text, "\n  none\n"));
	free(text);
}

static void json_has_nulls_and_numbers(void **state)
{
	(void)state;
	struct json json = {0};
	struct rows rows = {"a\"\n", 1};
	render_json(&json, &table, &rows, 0);
	static const char expected[] = "[{\"name\":\"a\\\"\\n\",\"port\":25,\"count\":1,\"some_"
	                               "bytes\":null,\"remark\":\"note\","
	                               "\"share\":{\"part\":1,\"of\":4,\"value\":0.250000,\"low\":"
	                               "0.045587,\"high\":0.699358}},"
	                               "{\"name\":null,\"port\":null,\"count\":7,\"some_bytes\":8,"
	                               "\"remark\":null,\"share\":null}]";
	assert_int_equal(json.length, strlen(expected));
	assert_memory_equal(json.text, expected, json.length);
	json_release(&json);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(csv_cells_stay_cells),
	    cmocka_unit_test(metrics_have_heads_and_labels),
	    cmocka_unit_test(text_has_a_dash_for_what_is_not_seen),
	    cmocka_unit_test(text_says_how_many_rows_are_left_out),
	    cmocka_unit_test(json_has_nulls_and_numbers),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
