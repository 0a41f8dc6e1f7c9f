// SPDX-License-Identifier: Apache-2.0
// The JSON writer: what goes out raw and what does not, times, numbers, structure.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "analytics/json.h"

#include <string.h>
#include <time.h>

static void assert_written(struct json *json, const char *expected)
{
	assert_false(json->failed);
	assert_int_equal(json->length, strlen(expected));
	assert_memory_equal(json->text, expected, json->length);
	json_release(json);
}

static void structure_and_commas(void **state)
{
	(void)state;
	struct json json = {0};
	json_object_begin(&json);
	json_key(&json, "a");
	json_array_begin(&json);
	json_array_end(&json);
	json_key(&json, "b");
	json_array_begin(&json);
	json_unsigned(&json, 0);
	json_unsigned(&json, UINT64_MAX);
	json_object_begin(&json);
	json_object_end(&json);
	json_array_end(&json);
	json_key(&json, "c");
	json_null(&json);
	json_key(&json, "d");
	json_bool(&json, true);
	json_key(&json, "e");
	json_bool(&json, false);
	json_key(&json, "f");
	json_name(&json, "name");
	json_key(&json, "g");
	json_name(&json, NULL);
	json_key(&json, "h");
	json_hex(&json, (const uint8_t *)"\x00\x9a\xff", 3);
	json_object_end(&json);
	json_line_end(&json);
	json_object_begin(&json);
	json_object_end(&json);
	assert_written(&json,
	    "{\"a\":[],\"b\":[0,18446744073709551615,{}],\"c\":null,\"d\":true,\"e\":false,"
	    "\"f\":\"name\",\"g\":null,\"h\":\"009aff\"}\n{}");
}

static void bytes_from_the_wire(void **state)
{
	static const struct {
		const char *bytes;
		size_t length;
		const char *expected; // without quotes
	} cases[] = {
	    {"", 0, ""},
	    {"plain ~", 7, "plain ~"},
	    {"</script>&", 10, "\\u003c/script\\u003e\\u0026"}, // a page may hold it
	    {"\"\\/", 3, "\\\"\\\\/"},
	    {"\n\r\t\b\0\x1b\x7f", 7, "\\n\\r\\t\\u0008\\u0000\\u001b\\u007f"},
	    // valid UTF-8 of each length stays
	    {"\xc3\xa9 \xe2\x82\xac \xf0\x9f\x93\xa7 \xf4\x8f\xbf\xbf", 16,
	        "\xc3\xa9 \xe2\x82\xac \xf0\x9f\x93\xa7 \xf4\x8f\xbf\xbf"},
	    // but not controls of the second kind, separators, and what turns text around
	    {"\xc2\x80\xc2\x9b\xc2\x9f\xc2\xa0", 8, "\\u0080\\u009b\\u009f\xc2\xa0"},
	    {"\xe2\x80\xa8\xe2\x80\xa9", 6, "\\u2028\\u2029"},
	    {"\xe2\x80\x8e\xe2\x80\x8f\xe2\x80\xaa\xe2\x80\xae\xe2\x81\xa6\xe2\x81\xa9", 18,
	        "\\u200e\\u200f\\u202a\\u202e\\u2066\\u2069"},
	    {"\xe2\x80\xa7\xe2\x80\xaf", 6, "\xe2\x80\xa7\xe2\x80\xaf"}, // on both sides of them
	    // not UTF-8: each byte for itself, also those that would be valid alone
	    {"\xe9", 1, "\\u00e9"},
	    {"a\xc3\xa9\xff\"", 5, "a\\u00c3\\u00a9\\u00ff\\\""},
	    {"\xc3", 1, "\\u00c3"}, // cut
	    {"\xe2\x82", 2, "\\u00e2\\u0082"}, // cut
	    {"\x80", 1, "\\u0080"}, // no beginning
	    {"\xc0\xaf", 2, "\\u00c0\\u00af"}, // overlong
	    {"\xe0\x80\xaf", 3, "\\u00e0\\u0080\\u00af"}, // overlong
	    {"\xf0\x80\x80\xaf", 4, "\\u00f0\\u0080\\u0080\\u00af"},
	    {"\xed\xa0\x80", 3, "\\u00ed\\u00a0\\u0080"}, // a surrogate
	    {"\xed\xbf\xbf", 3, "\\u00ed\\u00bf\\u00bf"},
	    {"\xed\x9f\xbf\xee\x80\x80", 6, "\xed\x9f\xbf\xee\x80\x80"}, // its neighbours
	    {"\xf4\x90\x80\x80", 4, "\\u00f4\\u0090\\u0080\\u0080"}, // beyond U+10FFFF
	    {"\xf8\x88\x80\x80\x80", 5, "\\u00f8\\u0088\\u0080\\u0080\\u0080"},
	    {"\xfe\xff", 2, "\\u00fe\\u00ff"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		char expected[128] = "\"";
		struct json json = {0};
		strcat(strcat(expected, cases[i].expected), "\"");
		json_bytes(&json, (const uint8_t *)cases[i].bytes, cases[i].length);
		assert_written(&json, expected);
	}
}

static void times(void **state)
{
	static const struct {
		int64_t time;
		const char *expected;
	} cases[] = {
	    {0, "\"1970-01-01T00:00:00Z\""},
	    {-1, "\"1969-12-31T23:59:59.999999999Z\""},
	    {-1000000000, "\"1969-12-31T23:59:59Z\""},
	    {1, "\"1970-01-01T00:00:00.000000001Z\""},
	    {120000000, "\"1970-01-01T00:00:00.12Z\""},
	    {951782400000000000, "\"2000-02-29T00:00:00Z\""},
	    {1700000000123456000, "\"2023-11-14T22:13:20.123456Z\""},
	    {INT64_MAX, "\"2262-04-11T23:47:16.854775807Z\""},
	    {INT64_MIN, "\"1677-09-21T00:12:43.145224192Z\""},
	};
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct json json = {0};
		json_time(&json, cases[i].time);
		assert_written(&json, cases[i].expected);
	}
}

// Wherever it stands among others, a byte is written as it is alone.
static void each_byte_at_each_place(void **state)
{
	(void)state;
	enum { LONGEST = 20 };
	for (unsigned byte = 0; byte < 0x80; byte++) {
		struct json alone = {0};
		json_bytes(&alone, (const uint8_t[]){(uint8_t)byte}, 1);
		for (size_t length = 1; length <= LONGEST; length++) {
			for (size_t place = 0; place < length; place++) {
				uint8_t bytes[LONGEST];
				char expected[2 * LONGEST];
				struct json json = {0};
				memset(bytes, 'a', sizeof bytes);
				bytes[place] = (uint8_t)byte;
				json_bytes(&json, bytes, length);
				memset(expected, 0, sizeof expected);
				memcpy(expected, "\"aaaaaaaaaaaaaaaaaaaa", place + 1);
				memcpy(expected + place + 1, alone.text + 1, alone.length - 2);
				memset(
				    expected + place + alone.length - 1, 'a', length - place - 1);
				expected[length + alone.length - 2] = '"';
				assert_written(&json, expected);
			}
		}
		json_release(&alone);
	}
}

// Days and years as the C library counts them, far into the past and the future.
static void times_are_those_of_the_library(void **state)
{
	(void)state;
	enum { STEP = 1234567 };
	for (int64_t seconds = -62170000000; seconds < 253410000000; seconds += 97 * STEP) {
		struct json json = {0};
		struct tm parts;
		char expected[64];
		time_t clock = (time_t)seconds;
		assert_non_null(gmtime_r(&clock, &parts));
		bool written = parts.tm_year >= -1900 && parts.tm_year <= 9999 - 1900;
		strftime(expected, sizeof expected, "\"%Y-%m-%dT%H:%M:%SZ\"", &parts);
		json_seconds(&json, seconds);
		assert_written(&json, written ? expected : "null");
	}
	static const int64_t extremes[] = {INT64_MIN, INT64_MAX, INT64_MIN / 2, INT64_MAX / 1000};
	for (size_t i = 0; i < sizeof extremes / sizeof extremes[0]; i++) {
		struct json json = {0};
		json_seconds(&json, extremes[i]);
		assert_written(&json, "null");
	}
}

static void durations(void **state)
{
	static const struct {
		int64_t duration;
		const char *expected;
	} cases[] = {{0, "0"}, {1, "0.000000001"}, {1500000000, "1.5"}, {1000000000, "1"},
	    {60000000010, "60.00000001"}, {INT64_MAX, "9223372036.854775807"}, {-5, "0"}};
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct json json = {0};
		json_duration(&json, cases[i].duration);
		assert_written(&json, cases[i].expected);
	}
}

static void long_texts_and_reuse(void **state)
{
	static uint8_t bytes[100000];
	(void)state;
	struct json json = {0};
	memset(bytes, 0xff, sizeof bytes);
	for (int round = 0; round < 3; round++) {
		json_clear(&json);
		json_bytes(&json, bytes, sizeof bytes);
		assert_int_equal(json.length, 2 + 6 * sizeof bytes);
		assert_memory_equal(json.text, "\"\\u00ff", 7);
		json_hex(&json, bytes, sizeof bytes);
		assert_int_equal(json.length, 2 + 6 * sizeof bytes + 3 + 2 * sizeof bytes);
	}
	json_clear(&json);
	json_null(&json);
	assert_written(&json, "null");
}

static void foreign_json(void **state)
{
	static const char text[] = "{\t\"a\":[\"\xc2\x9b"
	                           "31m\\u001b\xe2\x80\xae\xff<\x7f\xc3\xbc\",\r\n-1.5e3]}";
	struct json json = {0};
	(void)state;
	json_array_begin(&json);
	json_foreign(&json, (const uint8_t *)text, sizeof text - 1);
	json_foreign(&json, (const uint8_t *)"null", 4);
	json_array_end(&json);
	assert_written(&json,
	    "[{ \"a\":[\"\\u009b31m\\u001b\\u202e\\u00ff\\u003c\\u007f\xc3\xbc\",  -1.5e3]},null]");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(foreign_json),
	    cmocka_unit_test(structure_and_commas),
	    cmocka_unit_test(bytes_from_the_wire),
	    cmocka_unit_test(each_byte_at_each_place),
	    cmocka_unit_test(times),
	    cmocka_unit_test(times_are_those_of_the_library),
	    cmocka_unit_test(durations),
	    cmocka_unit_test(long_texts_and_reuse),
	};
	return cmocka_run_group_tests_name("json", tests, NULL, NULL);
}
