// SPDX-License-Identifier: Apache-2.0
// Records as rows of ClickHouse: what null, lists, times and numbers become; where a server is, and what is no address of
// one; names of files in a spool.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "analytics/clickhouse_answer.h"
#include "analytics/clickhouse_rows.h"
#include "analytics/clickhouse_url.h"
#include "analytics/spool.h"

#include <stdlib.h>
#include <string.h>

static char *row_of(enum store_table_id table, const char *line, uint32_t *day)
{
	struct row_text row = {.bytes = NULL};
	struct store_record *record = store_record_create();
	assert_non_null(record);
	assert_int_not_equal(store_record_read(record, &store_tables[table], line, strlen(line)),
	    STORE_LINE_DAMAGED);
	const struct store_value *values = store_record_values(record);
	clickhouse_row(&row, &store_tables[table], values, "batch-1", "tap");
	assert_false(row.failed);
	*day = clickhouse_row_day(&store_tables[table], values);
	char *text = strndup(row.bytes, row.length);
	free(row.bytes);
	store_record_destroy(record);
	return text;
}

static void has(enum store_table_id table, const char *line, uint32_t day, const char *piece)
{
	uint32_t found;
	char *row = row_of(table, line, &found);
	if (strstr(row, piece) == NULL)
		fail_msg("%s is not in %s", piece, row);
	assert_int_equal(found, day);
	assert_int_equal(row[strlen(row) - 1], '\n');
	free(row);
}

static void null_stays_null(void **state)
{
	(void)state;
	const char line[] =
	    "{\"start\":\"2026-11-27T10:00:00Z\",\"sni\":null,\"esmtp\":false,\"messages\":0}";
	has(STORE_SESSIONS, line, 20261127, "\"sni\":null,");
	has(STORE_SESSIONS, line, 20261127, "\"alpn\":null,");
	has(STORE_SESSIONS, line, 20261127, "\"esmtp\":0,");
	has(STORE_SESSIONS, line, 20261127, "\"messages\":0,");
	has(STORE_SESSIONS, line, 20261127, "\"end\":null,\"end_ns\":null,");
	has(STORE_SESSIONS, line, 20261127, "\"sensor\":\"tap\",\"batch\":\"batch-1\"}");
}

static void lists_say_whether_they_were_seen(void **state)
{
	(void)state;
	const char line[] = "{\"vlan\":[10,20],\"capabilities\":[\"A "
	                    "\\\"B\\\"\",\"\\u00e9\"],\"client_chain\":[],\"server_chain\":null}";
	has(STORE_SESSIONS, line, 19700101, "\"vlan\":[10,20],\"vlan_seen\":1,");
	has(STORE_SESSIONS, line, 19700101,
	    "\"capabilities\":[\"A \\\"B\\\"\",\"\\u00e9\"],\"capabilities_seen\":1,");
	has(STORE_SESSIONS, line, 19700101, "\"client_chain\":[],\"client_chain_seen\":1,");
	has(STORE_SESSIONS, line, 19700101, "\"server_chain\":[],\"server_chain_seen\":0,");
}

static void texts_are_escaped(void **state)
{
	(void)state;
	has(STORE_SESSIONS, "{\"server_banner\":\"a\\\"b\\\\c\\u0007\\n\"}", 19700101,
	    "\"server_banner\":\"a\\\"b\\\\c\\u0007\\u000a\"");
	has(STORE_SESSIONS, "{\"evidence\":[{\"kind\":\"x\"}]}", 19700101,
	    "\"evidence\":\"[{\\\"kind\\\":\\\"x\\\"}]\"");
	has(STORE_SESSIONS, "{\"sensor\":\"other\"}", 19700101, "\"sensor\":\"other\",");
	has(STORE_SESSIONS, "{\"duration\":0.000021}", 19700101, "\"duration\":2.1e-05,");
}

static void times_are_within_what_a_column_holds(void **state)
{
	(void)state;
	has(STORE_SESSIONS, "{\"start\":\"2026-11-27T23:59:59.123456789Z\"}", 20261127,
	    "\"start\":\"2026-11-27 23:59:59\",\"start_ns\":1795823999123456789,");
	has(STORE_SESSIONS, "{\"start\":null}", 19700101,
	    "\"start\":\"1970-01-01 00:00:00\",\"start_ns\":null,");
	has(STORE_CERTIFICATES, "{\"not_before\":\"1949-12-31T23:59:59Z\"}", 19700101,
	    "\"not_before\":\"1970-01-01 00:00:00\",\"not_before_ns\":-631152001000000000,");
	has(STORE_CERTIFICATES, "{\"not_after\":\"9999-12-31T23:59:59Z\"}", 19700101,
	    "\"not_after\":\"2105-12-31 23:59:59\",\"not_after_ns\":9223372036854775807,");
}

static void types_fit(void **state)
{
	(void)state;
	assert_true(clickhouse_type_fits(STORE_TEXT, "Nullable(String)\nnext"));
	assert_true(clickhouse_type_fits(STORE_TEXT, "LowCardinality(Nullable(String))"));
	assert_false(clickhouse_type_fits(STORE_TEXT, "Nullable(UInt64)"));
	assert_true(clickhouse_type_fits(STORE_BOOLEAN, "Nullable(Bool)"));
	assert_true(clickhouse_type_fits(STORE_TIME, "DateTime64(9, 'UTC')"));
	assert_false(clickhouse_type_fits(STORE_TIME, "Nullable(String)"));
	assert_true(clickhouse_type_fits(STORE_INTEGER_LIST, "Array(UInt64)"));
	assert_false(clickhouse_type_fits(STORE_TEXT_LIST, "Array(UInt64)"));
	assert_false(clickhouse_type_fits(STORE_TEXT_LIST, "Nullable(String)"));
}

static void is_url(const char *text, const char *server, const char *database)
{
	struct clickhouse_url url;
	struct error error;
	assert_true(clickhouse_url_read(&url, text, "--store-url", &error));
	assert_string_equal(url.server, server);
	assert_string_equal(url.database, database);
}

static void urls(void **state)
{
	(void)state;
	static const char *const wrong[] = {"", "clickhouse:9000", "ftp://host/", "http://",
	    "http:///mailtap", "http://user:pw@host/", "http://host:0/", "http://host:65536/",
	    "http://host:1x/", "http://ho st/", "http://host/a b", "http://host/1a",
	    "http://host/a'b", "http://[::1", "http://[x]/", "http://host?query=1",
	    "http://host/a/b"};
	is_url("http://host", "http://host:8123", "mailtap");
	is_url("https://ch.example.org/", "https://ch.example.org:8443", "mailtap");
	is_url("http://192.0.2.1:80/taps_1", "http://192.0.2.1:80", "taps_1");
	is_url("https://[2001:db8::1]:9/x", "https://[2001:db8::1]:9", "x");
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
		struct clickhouse_url url;
		struct error error;
		if (clickhouse_url_read(&url, wrong[i], "--store-url", &error))
			fail_msg("%s is taken for a URL", wrong[i]);
		assert_null(strstr(error.text, "pw"));
	}
}

static void names_of_files(void **state)
{
	(void)state;
	static const char *const wrong[] = {"", "lock", "x.gz",
	    "18eb000000000000000000a1-00000001-sessions.gz",
	    "18eb000000000000000000a1-00000001-sessions-20261127.gz",
	    "18eb000000000000000000a1-00000001-others-20261127-5.gz",
	    "18eb000000000000000000a1-00000001-sessions-20261127-5.lines",
	    "18eb000000000000000000a1-00000001-sessions-20261127-05.gz",
	    "18eb000000000000000000A1-00000001-sessions-20261127-5.gz",
	    "18eb000000000000000000a1-00000001-sessions-20261127-5.gz.gz"};
	static const char *const right[] = {"18eb000000000000000000a1-00000001-sessions.open",
	    "18eb000000000000000000a1-99999999-statistics.lines",
	    "18eb000000000000000000a1-00000001-certificates-20261127-4000.sent",
	    "18eb000000000000000000a1-00000001-alerts-20261127-5.refused"};
	char name[SPOOL_NAME_MAX];
	struct spool_file file;
	for (size_t i = 0; i < sizeof right / sizeof right[0]; i++) {
		assert_true(spool_file_read(&file, right[i]));
		spool_file_name(name, &file);
		assert_string_equal(name, right[i]);
	}
	spool_batch_name(name, &file);
	assert_string_equal(name, "18eb000000000000000000a1-00000001-alerts-20261127");
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
		if (spool_file_read(&file, wrong[i]))
			fail_msg("%s is taken for a file of a spool", wrong[i]);
}

static void answers(void **state)
{
	static const char *const none[] = {"", "\n", "-1\n", " 1\n", "12 rows", "12\n12\n",
	    "0x10\n", "18446744073709551616\n", "<html>"};
	uint64_t number;
	(void)state;
	assert_true(clickhouse_number("18446744073709551615\n", &number) && number == UINT64_MAX);
	assert_true(clickhouse_number("0", &number) && number == 0);
	for (size_t i = 0; i < sizeof none / sizeof none[0]; i++)
		if (clickhouse_number(none[i], &number))
			fail_msg("%s is taken for a number", none[i]);
	assert_int_equal(clickhouse_exception("Code: 60, e.displayText() = no such table"), 60);
	assert_int_equal(clickhouse_exception("Code: 516. DB::Exception: no"), 516);
	assert_int_equal(clickhouse_exception("Code: 4294967356, e.displayText()"), 0);
	assert_int_equal(clickhouse_exception("<html>Code: 60"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(null_stays_null),
	    cmocka_unit_test(lists_say_whether_they_were_seen),
	    cmocka_unit_test(texts_are_escaped),
	    cmocka_unit_test(times_are_within_what_a_column_holds),
	    cmocka_unit_test(types_fit),
	    cmocka_unit_test(urls),
	    cmocka_unit_test(names_of_files),
	    cmocka_unit_test(answers),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
