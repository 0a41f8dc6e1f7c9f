// SPDX-License-Identifier: Apache-2.0
// What is written behind --dpdk and -p, as words and numbers; time stamps of cards as times.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "capture/dpdk/arguments.h"
#include "capture/dpdk/clock.h"

#include <stdio.h>
#include <string.h>

/* ---- words ---- */

// The words of a line with | between them, or what is wrong with it.
static const char *words_of(const char *line)
{
	static struct error error;
	static char joined[DPDK_TEXT_MAX];
	struct dpdk_arguments arguments = {.count = 0};
	if (!dpdk_arguments_split(&arguments, line, &error))
		return error.text;
	joined[0] = '\0';
	for (int i = 0; i < arguments.count; i++) {
		strcat(joined, i > 0 ? "|" : "");
		strcat(joined, arguments.words[i]);
	}
	assert_null(arguments.words[arguments.count]);
	return joined;
}

static void words(void **state)
{
	(void)state;
	assert_string_equal(words_of(""), "");
	assert_string_equal(words_of("  \t\n"), "");
	assert_string_equal(words_of("--no-huge -m 512"), "--no-huge|-m|512");
	assert_string_equal(words_of("  a\tb\nc  "), "a|b|c");
	assert_string_equal(
	    words_of("--vdev 'net_pcap0,rx_pcap=a file' x"), "--vdev|net_pcap0,rx_pcap=a file|x");
	assert_string_equal(words_of("--vdev=\"a 'b' \\\"c\""), "--vdev=a 'b' \"c");
	assert_string_equal(words_of("a\\ b '\\' c"), "a b|\\|c");
	assert_string_equal(words_of("'' b"), "|b");
	assert_string_equal(words_of("$(id) `id` $HOME *"), "$(id)|`id`|$HOME|*");
	assert_string_equal(words_of("a\\"), "a\\");
	assert_string_equal(words_of("a 'b"), "--dpdk: a quote (') is not closed");
}

static void too_many_words(void **state)
{
	char line[2 * DPDK_TEXT_MAX];
	(void)state;
	memset(line, 'a', sizeof line - 1);
	line[sizeof line - 1] = '\0';
	assert_non_null(strstr(words_of(line), "more than"));
	line[DPDK_TEXT_MAX - 1] = '\0';
	assert_int_equal(strlen(words_of(line)), DPDK_TEXT_MAX - 1);
	for (size_t i = 0; i + 1 < sizeof line; i++)
		line[i] = i % 2 == 0 ? 'a' : ' ';
	line[2 * DPDK_WORDS_MAX - 1] = '\0';
	assert_int_equal(strlen(words_of(line)), 2 * DPDK_WORDS_MAX - 1);
	line[2 * DPDK_WORDS_MAX - 1] = ' ';
	line[2 * DPDK_WORDS_MAX + 1] = '\0';
	assert_non_null(strstr(words_of(line), "more than"));
}

static void options_are_found(void **state)
{
	struct error error;
	struct dpdk_arguments arguments = {.count = 0};
	(void)state;
	assert_true(
	    dpdk_arguments_split(&arguments, "-l0 --log-level=8 --lcoresx --vdev x", &error));
	assert_true(dpdk_arguments_have(&arguments, "-l"));
	assert_true(dpdk_arguments_have(&arguments, "--log-level"));
	assert_true(dpdk_arguments_have(&arguments, "--vdev"));
	assert_false(dpdk_arguments_have(&arguments, "--lcores"));
	assert_false(dpdk_arguments_have(&arguments, "-c"));
}

/* ---- ports ---- */

static const char *ports_of(const char *text)
{
	static struct error error;
	static char shown[512];
	struct dpdk_port_list list;
	if (!dpdk_port_list_read(&list, text, &error))
		return error.text;
	shown[0] = '\0';
	for (size_t i = 0; i < list.count; i++)
		sprintf(shown + strlen(shown), "%s%u", i > 0 ? " " : "", list.ids[i]);
	return shown;
}

static void ports(void **state)
{
	(void)state;
	assert_string_equal(ports_of(NULL), "");
	assert_string_equal(ports_of("all"), "");
	assert_string_equal(ports_of("0"), "0");
	assert_string_equal(ports_of("3,0-2"), "3 0 1 2");
	assert_string_equal(ports_of("0-31") + strlen(ports_of("0-31")) - 2, "31");
	assert_non_null(strstr(ports_of("0-32"), "more than"));
	assert_non_null(strstr(ports_of("1,0-2"), "named twice"));
	static const char *const wrong[] = {"", ",", "0,", "0-", "2-1", "-1", "x", "0 1", "65536",
	    "99999999999999999999", "0,,1", "All"};
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
		assert_non_null(strstr(ports_of(wrong[i]), "expected"));
}

/* ---- time stamps ---- */

#define NOON SECONDS(1700000000)

static void stamps_of_files(void **state)
{
	struct dpdk_clock clock = {.kind = DPDK_CLOCK_MICROSECONDS};
	(void)state;
	assert_int_equal(dpdk_clock_time(&clock, 1500000000123456, NOON), 1500000000123456000);
	assert_int_equal(dpdk_clock_time(&clock, UINT64_MAX, NOON), PACKET_TIME_MAX);
	clock.kind = DPDK_CLOCK_SYSTEM;
	assert_int_equal(dpdk_clock_time(&clock, 7, NOON), NOON);
}

static void compare(struct dpdk_clock *clock, uint64_t ticks, nanoseconds system)
{
	const struct dpdk_clock_reading reading = {ticks, system};
	dpdk_clock_compare(clock, &reading);
}

static void assert_near(nanoseconds time, nanoseconds expected)
{
	assert_in_range(time - expected + 1000, 0, 2000);
}

static void stamps_of_a_device(void **state)
{
	struct dpdk_clock clock = {.kind = DPDK_CLOCK_DEVICE};
	const uint64_t begin = 5000000; // ticks at NOON, of 4 nanoseconds each
	(void)state;
	assert_int_equal(dpdk_clock_time(&clock, begin, NOON), NOON);
	compare(&clock, begin, NOON);
	assert_int_equal(dpdk_clock_time(&clock, begin, NOON + 5), NOON + 5);
	compare(&clock, begin + 250000000, NOON + SECONDS(1));
	assert_near(
	    dpdk_clock_time(&clock, begin + 250000000, NOON + SECONDS(2)), NOON + SECONDS(1));
	assert_near(dpdk_clock_time(&clock, begin + 250, NOON + SECONDS(2)), NOON + 1000);
	assert_near(
	    dpdk_clock_time(&clock, begin + 500000000, NOON + SECONDS(2)), NOON + SECONDS(2));
	assert_int_equal(
	    dpdk_clock_time(&clock, (uint64_t)1 << 40, NOON + SECONDS(2)), NOON + SECONDS(2));
}

// The system's clock is set forward by an hour, the device's begins anew: times follow at once.
static void clocks_that_are_set(void **state)
{
	struct dpdk_clock clock = {.kind = DPDK_CLOCK_DEVICE};
	(void)state;
	compare(&clock, 1000, NOON);
	compare(&clock, 1000 + 1000000000, NOON + SECONDS(1));
	compare(&clock, 1000 + 2000000000, NOON + SECONDS(3602));
	assert_near(
	    dpdk_clock_time(&clock, 1000 + 2000000000, NOON + SECONDS(3602)), NOON + SECONDS(3602));
	compare(&clock, 1000 + 3000000000, NOON + SECONDS(3603));
	assert_near(dpdk_clock_time(&clock, 1000 + 2500000000, NOON + SECONDS(3603)),
	    NOON + SECONDS(3602) + SECONDS(1) / 2);
	compare(&clock, 10, NOON + SECONDS(3604));
	assert_near(
	    dpdk_clock_time(&clock, 1010, NOON + SECONDS(3604)), NOON + SECONDS(3604) + 1000);
}

// Two clocks that drift: after a day, times are still right.
static void a_day(void **state)
{
	struct dpdk_clock clock = {.kind = DPDK_CLOCK_DEVICE};
	(void)state;
	for (int64_t second = 0; second <= 86400; second++)
		compare(&clock, (uint64_t)second * 1000020000, NOON + SECONDS(second));
	assert_near(dpdk_clock_time(&clock, (uint64_t)86400 * 1000020000, NOON + SECONDS(86400)),
	    NOON + SECONDS(86400));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(words),
	    cmocka_unit_test(too_many_words),
	    cmocka_unit_test(options_are_found),
	    cmocka_unit_test(ports),
	    cmocka_unit_test(stamps_of_files),
	    cmocka_unit_test(stamps_of_a_device),
	    cmocka_unit_test(clocks_that_are_set),
	    cmocka_unit_test(a_day),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
