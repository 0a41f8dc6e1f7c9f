// SPDX-License-Identifier: Apache-2.0
// Lines taken apart: what is in them, what is not, and whatever else may come in a log.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "analytics/store_record.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct store_record *record;

static int make_record(void **state)
{
	(void)state;
	record = store_record_create();
	return record == NULL;
}

static int free_record(void **state)
{
	(void)state;
	store_record_destroy(record);
	return 0;
}

// From a place of its own size, so that a sanitizer sees who reads beyond it.
static enum store_reading read_line(enum store_table_id table, const char *line)
{
	size_t length = strlen(line);
	char *copy = malloc(length + 1);
	memcpy(copy, line, length + 1);
	char *exact = length > 0 ? malloc(length) : NULL;
	if (length > 0)
		memcpy(exact, copy, length);
	enum store_reading reading =
	    store_record_read(record, &store_tables[table], length > 0 ? exact : "", length);
	free(exact);
	free(copy);
	return reading;
}

static const struct store_value *value_of(enum store_table_id table, const char *name)
{
	size_t column = store_column_find(&store_tables[table], name, strlen(name));
	assert_true(column < store_tables[table].column_count);
	return &store_record_values(record)[column];
}

// Of a line that stays, as values may lie in it.
static void assert_text(const char *line, const char *name, const char *text)
{
	enum store_reading reading =
	    store_record_read(record, &store_tables[STORE_SESSIONS], line, strlen(line));
	assert_int_equal(reading, STORE_LINE_WHOLE);
	const struct store_value *value = value_of(STORE_SESSIONS, name);
	assert_int_equal(value->form, STORE_BYTES);
	assert_int_equal(value->length, strlen(text));
	assert_memory_equal(value->bytes, text, value->length);
}

static void what_is_not_there_is_null(void **state)
{
	(void)state;
	assert_int_equal(read_line(STORE_SESSIONS, "{\"esmtp\":false,\"sni\":null,\"messages\":0}"),
	    STORE_LINE_WHOLE);
	assert_int_equal(value_of(STORE_SESSIONS, "esmtp")->form, STORE_NUMBER);
	assert_int_equal(value_of(STORE_SESSIONS, "esmtp")->number, 0);
	assert_int_equal(value_of(STORE_SESSIONS, "messages")->number, 0);
	assert_int_equal(value_of(STORE_SESSIONS, "sni")->form, STORE_NULL);
	assert_int_equal(value_of(STORE_SESSIONS, "verdict")->form, STORE_NULL);
	assert_int_equal(read_line(STORE_SESSIONS, " { } "), STORE_LINE_WHOLE);
	assert_int_equal(value_of(STORE_SESSIONS, "esmtp")->form, STORE_NULL);
}

static void texts_are_those_of_the_wire(void **state)
{
	(void)state;
	assert_text("{\"sni\":\"mx.example.org\"}", "sni", "mx.example.org");
	assert_text("{\"sni\":\"\"}", "sni", "");
	assert_text("{\"sni\":\"a\\\"\\\\\\/\\b\\f\\n\\r\\tz\"}", "sni", "a\"\\/\b\f\n\r\tz");
	assert_text("{\"sni\":\"\\u00e9\\u20ac\\ud83d\\ude00\"}", "sni",
	    "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80");
	assert_text(
	    "{\"sni\":\"\\ud83d!\\ude00\"}", "sni", "\xef\xbf\xbd!\xef\xbf\xbd"); // halves of pairs
	assert_text("{\"sni\":\"\\ud83d\\u0041\"}", "sni",
	    "\xef\xbf\xbd"
	    "A");
	assert_text("{\"sni\":\"a\\u0000b\"}", "sni",
	    "a\xe2\x90\x80"
	    "b");
}

static void lists_stay_as_they_are(void **state)
{
	(void)state;
	assert_text("{\"vlan\":[1, 2]}", "vlan", "[1, 2]");
	assert_text("{\"capabilities\":[]}", "capabilities", "[]");
	assert_text("{\"evidence\":[{\"kind\":\"a\",\"b\":{\"c\":[null,true]}}]}", "evidence",
	    "[{\"kind\":\"a\",\"b\":{\"c\":[null,true]}}]");
}

static void times_are_in_order_as_texts(void **state)
{
	static const char *const wrong[] = {"", "2026-11-27", "2026-11-27T03:00:00",
	    "2026-11-27T03:00:00.Z", "2026-11-27T03:00:00.0123456789Z", "2026-11-27T03:00:00.1xZ",
	    "2026-11-27 03:00:00Z", "x026-11-27T03:00:00Z", "2026-11-27T03:00:00.5"};
	char time[STORE_TIME_LENGTH];
	(void)state;
	assert_text(
	    "{\"start\":\"2026-11-27T03:00:00Z\"}", "start", "2026-11-27T03:00:00.000000000Z");
	assert_text(
	    "{\"start\":\"2026-11-27T03:00:00.5Z\"}", "start", "2026-11-27T03:00:00.500000000Z");
	assert_text("{\"start\":\"2026-11-27T03:00:00.123456789Z\"}", "start",
	    "2026-11-27T03:00:00.123456789Z");
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
		assert_false(store_time_read(wrong[i], strlen(wrong[i]), time));
}

static void what_has_no_column_is_told_or_kept(void **state)
{
	(void)state;
	assert_int_equal(
	    read_line(STORE_SESSIONS, "{\"sni\":\"a\",\"newer\":{\"x\":1}}"), STORE_LINE_IN_PART);
	static const char alert[] =
	    "{\"kind\":\"k\",\"offset\": 3,\"x\":{\"y\":\"z\"},\"left_out\":0}";
	assert_int_equal(
	    store_record_read(record, &store_tables[STORE_ALERTS], alert, strlen(alert)),
	    STORE_LINE_WHOLE);
	const struct store_value *facts = value_of(STORE_ALERTS, "facts");
	static const char wanted[] = "{\"offset\": 3,\"x\":{\"y\":\"z\"}}";
	assert_int_equal(facts->length, strlen(wanted));
	assert_memory_equal(facts->bytes, wanted, facts->length);
	assert_int_equal(read_line(STORE_ALERTS, "{\"kind\":\"k\"}"), STORE_LINE_WHOLE);
	assert_int_equal(value_of(STORE_ALERTS, "facts")->form, STORE_NULL);
	assert_int_equal(read_line(STORE_ALERTS, "{\"facts\":1}"), STORE_LINE_WHOLE);
	assert_int_equal(value_of(STORE_ALERTS, "facts")->length, strlen("{\"facts\":1}"));
}

// "Not seen" rather than something else.
static void values_of_another_type_are_null(void **state)
{
	static const char *const lines[] = {"{\"esmtp\":\"yes\"}", "{\"esmtp\":1}",
	    "{\"sni\":true}", "{\"sni\":[]}", "{\"messages\":-1}", "{\"messages\":1.5}",
	    "{\"messages\":9223372036854775808}", "{\"messages\":\"1\"}", "{\"duration\":\"1\"}",
	    "{\"duration\":1e999}", "{\"start\":1}", "{\"start\":\"now\"}", "{\"vlan\":{}}",
	    "{\"vlan\":1}", "{\"evidence\":\"x\"}"};
	(void)state;
	for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
		assert_int_equal(read_line(STORE_SESSIONS, lines[i]), STORE_LINE_IN_PART);
		for (size_t column = 0; column < store_tables[STORE_SESSIONS].column_count;
		     column++)
			assert_int_equal(store_record_values(record)[column].form, STORE_NULL);
	}
	assert_int_equal(
	    read_line(STORE_SESSIONS, "{\"messages\":9223372036854775807}"), STORE_LINE_WHOLE);
	assert_int_equal(read_line(STORE_SESSIONS, "{\"duration\":1}"), STORE_LINE_WHOLE);
	assert_int_equal(value_of(STORE_SESSIONS, "duration")->form, STORE_FRACTION);
}

static void damage_is_seen(void **state)
{
	static const char *const lines[] = {"", "null", "[]", "{", "{\"sni\"}", "{\"sni\":}",
	    "{\"sni\":\"a}", "{\"sni\":\"a\"", "{\"sni\":\"a\"}}", "{\"sni\":\"a\",}", "{,}",
	    "{\"sni\" \"a\"}", "{sni:1}", "{\"sni\":nul}", "{\"sni\":tru}", "{\"sni\":01}",
	    "{\"sni\":1.}", "{\"sni\":.5}", "{\"sni\":1e}", "{\"sni\":-}", "{\"sni\":\"\\x\"}",
	    "{\"sni\":\"\\u12\"}", "{\"sni\":\"\\u12g4\"}", "{\"sni\":\"\\", "{\"sni\":\"a\tb\"}",
	    "{\"vlan\":[1,]}", "{\"vlan\":[1 2]}", "{\"vlan\":[1}", "{\"vlan\":[}",
	    "{\"evidence\":[{\"a\"}]}", "{\"evidence\":[{\"a\":1,}]}", "{\"evidence\":[{1:1}]}",
	    "{\"a\":1} x"};
	(void)state;
	for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
		assert_int_equal(read_line(STORE_SESSIONS, lines[i]), STORE_LINE_DAMAGED);
}

static void nesting_is_bounded(void **state)
{
	char line[2 * STORE_DEPTH_MAX + 64];
	(void)state;
	for (int depth = STORE_DEPTH_MAX; depth <= STORE_DEPTH_MAX + 1; depth++) {
		char *at = line + sprintf(line, "{\"vlan\":");
		memset(at, '[', (size_t)depth);
		memset(at + depth, ']', (size_t)depth);
		strcpy(at + 2 * depth, "}");
		// The innermost is empty, and opens nothing.
		enum store_reading wanted =
		    depth <= STORE_DEPTH_MAX ? STORE_LINE_WHOLE : STORE_LINE_DAMAGED;
		assert_int_equal(read_line(STORE_SESSIONS, line), wanted);
	}
}

static char *repeated(const char *member, size_t length, size_t *made)
{
	char *line = malloc(length + strlen(member) + 8);
	size_t at = 0;
	line[at++] = '{';
	while (at + strlen(member) + 1 < length)
		at += (size_t)sprintf(line + at, "%s,", member);
	line[at - 1] = '}';
	*made = at;
	return line;
}

// A key that comes again and again fills no more room than there is.
static void long_lines_are_bounded(void **state)
{
	static const char *const members[] = {"\"start\":\"2026-11-27T03:00:00Z\"",
	    "\"end\":\"2026-11-27T03:00:00Z\"", "\"sni\":\"\\\\\"", "\"x\":\"y\"",
	    "\"sni\":\"\\u0000\""};
	(void)state;
	for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) {
		for (enum store_table_id table = 0; table < STORE_TABLES; table++) {
			size_t length;
			char *line = repeated(members[i], STORE_LINE_MAX, &length);
			assert_int_not_equal(
			    store_record_read(record, &store_tables[table], line, length),
			    STORE_LINE_DAMAGED);
			free(line);
		}
	}
	size_t length;
	char *line = repeated(members[3], STORE_LINE_MAX + 64, &length);
	assert_true(length > STORE_LINE_MAX);
	assert_int_equal(store_record_read(record, &store_tables[STORE_SESSIONS], line, length),
	    STORE_LINE_DAMAGED);
	free(line);
}

// What all stores rely on.
static void tables_are_well_formed(void **state)
{
	(void)state;
	for (size_t i = 0; i < STORE_TABLES; i++) {
		const struct store_table *table = &store_tables[i];
		assert_true(table->column_count <= STORE_COLUMNS_MAX);
		size_t time = store_column_find(table, table->time, strlen(table->time));
		assert_int_equal(table->columns[time].type, STORE_TIME);
		for (size_t j = 0; table->identity[j] != NULL; j++)
			assert_true(store_column_find(table, table->identity[j],
			                strlen(table->identity[j])) < table->column_count);
		for (size_t j = 0; j < table->column_count; j++) {
			const struct store_column *column = &table->columns[j];
			assert_int_equal(
			    store_column_find(table, column->name, strlen(column->name)),
			    j); // no name twice
			assert_non_null(store_type_name(column->type));
			assert_true(column->type != STORE_REST || j + 1 == table->column_count);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_is_not_there_is_null),
	    cmocka_unit_test(texts_are_those_of_the_wire),
	    cmocka_unit_test(lists_stay_as_they_are),
	    cmocka_unit_test(times_are_in_order_as_texts),
	    cmocka_unit_test(what_has_no_column_is_told_or_kept),
	    cmocka_unit_test(values_of_another_type_are_null),
	    cmocka_unit_test(damage_is_seen),
	    cmocka_unit_test(nesting_is_bounded),
	    cmocka_unit_test(long_lines_are_bounded),
	    cmocka_unit_test(tables_are_well_formed),
	};
	return cmocka_run_group_tests_name("store_record", tests, make_record, free_record);
}
