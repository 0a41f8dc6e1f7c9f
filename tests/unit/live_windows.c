// SPDX-License-Identifier: Apache-2.0
// What a running tap shows of the last quarter of an hour, hour and day: nothing is lost nor counted twice where
// cells end, time that leaps, stands still or goes back does no harm, and what is old goes. And the alerts and
// rates beside them.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "analytics/live_rates.h"
#include "analytics/live_windows.h"
#include "analytics/recent_alerts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MINUTE SECONDS(60)
#define HOUR (60 * MINUTE)
#define BEGIN (1000000 * HOUR) // a full hour

static struct live_windows *windows;
static struct live_count counted; // by the run, so far

static int begin(void **state)
{
	struct error error;
	(void)state;
	windows = live_windows_create(&error);
	counted = (struct live_count){.packets = 0};
	return windows != NULL ? 0 : -1;
}

static int end(void **state)
{
	(void)state;
	live_windows_destroy(windows);
	return 0;
}

static void session_at(nanoseconds time)
{
	struct session_facts facts = {.start = time - SECONDS(1),
	    .end = time,
	    .address = {{{[10] = 255, 255, 192, 0, 2, 1}}, {{[10] = 255, 255, 198, 51, 100, 1}}},
	    .server_port = 25,
	    .protocol = PROTOCOL_SMTP,
	    .hop = HOP_RELAY,
	    .verdict = VERDICT_ENCRYPTED};
	live_windows_session(windows, &facts);
}

// So many more packets by this time.
static void packets_at(nanoseconds time, uint64_t packets)
{
	counted.packets += packets;
	counted.capture.counters[0] += packets;
	live_windows_account(windows, time, &counted);
}

// That tables, cells and sums all say the same, of each window.
static void assert_sessions(uint64_t quarter, uint64_t hour, uint64_t day)
{
	const uint64_t expected[LIVE_WINDOWS] = {quarter, hour, day};
	for (int i = 0; i < LIVE_WINDOWS; i++) {
		struct error error;
		enum live_window window = (enum live_window)i;
		struct live_span span = live_windows_span(windows, window), cells[LIVE_CELLS_MAX];
		assert_int_equal(span.sessions, expected[i]);
		assert_int_equal(span.verdicts[VERDICT_ENCRYPTED], expected[i]);
		struct statistics *sum = live_windows_statistics(windows, window, &error);
		assert_int_equal(statistics_span(sum).sessions, expected[i]);
		statistics_destroy(sum);
		size_t count = live_windows_cells(windows, window, cells);
		uint64_t sessions = 0, packets = 0;
		for (size_t cell = 0; cell < count; cell++) {
			sessions += cells[cell].sessions;
			packets += cells[cell].count.packets;
			assert_true(cell == 0 || cells[cell].from >= cells[cell - 1].until);
			assert_true(cells[cell].until >= cells[cell].from);
		}
		assert_int_equal(sessions, expected[i]);
		assert_int_equal(packets, span.count.packets);
		assert_int_equal(packets, span.count.capture.counters[0]);
		assert_true(count > 0 && cells[0].from >= span.from);
		assert_true(cells[count - 1].until == span.until);
	}
}

static void nothing_yet(void **state)
{
	struct error error;
	(void)state;
	assert_true(live_windows_empty(windows));
	packets_at(0, 0); // no packet so far
	assert_true(live_windows_empty(windows));
	for (int i = 0; i < LIVE_WINDOWS; i++) {
		struct live_span cells[LIVE_CELLS_MAX];
		assert_int_equal(live_windows_span(windows, (enum live_window)i).until, 0);
		assert_int_equal(live_windows_cells(windows, (enum live_window)i, cells), 0);
		struct statistics *sum =
		    live_windows_statistics(windows, (enum live_window)i, &error);
		assert_non_null(sum);
		statistics_destroy(sum);
	}
	session_at(BEGIN); // before anything was counted
	assert_sessions(1, 1, 1);
}

// A session and ten packets a minute, for a day and a half. Windows reach back by up to a cell more.
static void old_ones_go(void **state)
{
	(void)state;
	for (int minute = 0; minute < 36 * 60; minute++) {
		packets_at(BEGIN + minute * MINUTE, 10);
		session_at(BEGIN + minute * MINUTE + SECONDS(30));
		uint64_t quarter = (uint64_t)(minute < 16 ? minute + 1 : 16);
		int hour = minute < 65 ? minute + 1 : 60 + minute % 5 + 1;
		int day = minute < 25 * 60 ? minute + 1 : 24 * 60 + minute % 60 + 1;
		if (minute % 7 == 0 || minute % 60 == 59 || minute % 60 == 0)
			assert_sessions(quarter, (uint64_t)hour, (uint64_t)day);
	}
	struct live_span span = live_windows_span(windows, LIVE_HOUR);
	assert_true(span.from == BEGIN + 36 * HOUR - 65 * MINUTE);
	assert_true(span.until == BEGIN + 36 * HOUR - SECONDS(30));
	// What was counted between two accounts is of the later one.
	assert_int_equal(live_windows_span(windows, LIVE_QUARTER).count.packets, 160);
}

static void it_does_not_reach_back_before_its_beginning(void **state)
{
	(void)state;
	packets_at(BEGIN + SECONDS(3723), 5);
	session_at(BEGIN + SECONDS(3724));
	for (int i = 0; i < LIVE_WINDOWS; i++) {
		struct live_span span = live_windows_span(windows, (enum live_window)i),
		                 cells[LIVE_CELLS_MAX];
		assert_true(span.from == BEGIN + SECONDS(3723));
		assert_true(span.until == BEGIN + SECONDS(3724));
		assert_int_equal(span.count.packets, 5);
		assert_int_equal(live_windows_cells(windows, (enum live_window)i, cells), 1);
		assert_true(cells[0].from == span.from);
	}
}

// A link on which nothing comes but the time.
static void a_silent_link(void **state)
{
	(void)state;
	session_at(BEGIN);
	for (int second = 0; second < 3 * 3600; second += 5)
		packets_at(BEGIN + SECONDS(second), 0);
	assert_sessions(0, 0, 1);
	struct live_span cells[LIVE_CELLS_MAX];
	assert_int_equal(live_windows_cells(windows, LIVE_QUARTER, cells), 16);
	assert_int_equal(cells[3].sessions, 0);
}

static void a_leap_leaves_a_gap(void **state)
{
	(void)state;
	packets_at(BEGIN, 1);
	session_at(BEGIN);
	packets_at(BEGIN + 10 * MINUTE, 2);
	session_at(BEGIN + 10 * MINUTE);
	assert_sessions(2, 2, 2);
	packets_at(BEGIN + 30 * MINUTE, 4);
	session_at(BEGIN + 30 * MINUTE);
	assert_sessions(1, 3, 3);
	session_at(BEGIN + 5 * HOUR);
	assert_sessions(1, 1, 4);
	struct live_span cells[LIVE_CELLS_MAX];
	assert_int_equal(
	    live_windows_cells(windows, LIVE_DAY, cells), 2); // the hours between are not known
	assert_int_equal(cells[0].sessions, 3);
	session_at(BEGIN + 100 * HOUR);
	assert_sessions(1, 1, 1);
	session_at(PACKET_TIME_MAX);
	assert_sessions(1, 1, 1);
}

// Out of order, it stays in the cell that is open.
static void time_that_goes_back_a_little(void **state)
{
	(void)state;
	packets_at(BEGIN + 30 * MINUTE, 1);
	session_at(BEGIN + 30 * MINUTE);
	session_at(BEGIN + 25 * MINUTE);
	packets_at(BEGIN + 16 * MINUTE, 1);
	session_at(BEGIN);
	session_at(0);
	assert_sessions(4, 4, 4);
	assert_true(live_windows_span(windows, LIVE_DAY).until == BEGIN + 30 * MINUTE);
}

// The clock was wrong, or a file of another day begins: what is newer than now would never go.
static void time_that_goes_back_far(void **state)
{
	(void)state;
	packets_at(BEGIN + 100 * HOUR, 7);
	session_at(BEGIN + 100 * HOUR);
	packets_at(BEGIN, 3);
	session_at(BEGIN);
	assert_sessions(1, 1, 1);
	struct live_span span = live_windows_span(windows, LIVE_DAY);
	assert_true(span.from == BEGIN && span.until == BEGIN);
	assert_int_equal(span.count.packets, 3);
}

static void near_1970(void **state)
{
	(void)state;
	packets_at(1, 1);
	session_at(2);
	session_at(SECONDS(61));
	assert_sessions(2, 2, 2);
}

/* ---- names ---- */

static void windows_have_names(void **state)
{
	enum live_window window;
	(void)state;
	for (int i = 0; i < LIVE_WINDOWS; i++) {
		assert_true(live_window_find(live_window_name((enum live_window)i), &window));
		assert_int_equal(window, i);
	}
	assert_false(live_window_find("", &window));
	assert_false(live_window_find("15", &window));
}

/* ---- alerts ---- */

static void the_newest_alerts_stay(void **state)
{
	char text[32];
	(void)state;
	struct recent_alerts *alerts = recent_alerts_create();
	assert_int_equal(recent_alerts_count(alerts), 0);
	for (unsigned i = 0; i < RECENT_ALERTS_MAX + 5; i++) {
		snprintf(text, sizeof text, "{\"number\":%u}", i);
		recent_alerts_add(alerts, view_of((const uint8_t *)text, strlen(text)), i % 3 + 1);
		struct recent_alert newest = recent_alerts_at(alerts, 0);
		assert_int_equal(newest.line.length, strlen(text));
		assert_memory_equal(newest.line.data, text, strlen(text));
		assert_int_equal(newest.count, i % 3 + 1);
	}
	assert_int_equal(recent_alerts_count(alerts), RECENT_ALERTS_MAX);
	struct recent_alert oldest = recent_alerts_at(alerts, RECENT_ALERTS_MAX - 1);
	assert_memory_equal(oldest.line.data, "{\"number\":5}", 12);
	uint64_t all = recent_alerts_all(alerts);
	static const uint8_t long_line[1 << 16] = {'{'};
	recent_alerts_add(alerts, view_of(long_line, sizeof long_line), 9);
	assert_int_equal(recent_alerts_all(alerts), all + 9); // counted, not kept
	assert_true(recent_alerts_at(alerts, 0).line.length < sizeof text);
	recent_alerts_destroy(alerts);
}

/* ---- rates ---- */

static void rates_are_of_the_last_seconds(void **state)
{
	struct live_rates rates = {.count = 0};
	struct live_rate_counts counts = {.packets = 0};
	nanoseconds over;
	(void)state;
	assert_false(live_rates_now(&rates, SECONDS(100), &counts, &over));
	live_rates_note(&rates, SECONDS(100), &counts);
	assert_false(live_rates_now(&rates, SECONDS(100), &counts, &over)); // since when?
	for (int i = 1; i <= 300; i++) { // ten a tenth of a second
		struct live_rate_counts now = {.packets = 10 * (uint64_t)i, .lost = (uint64_t)i};
		live_rates_note(&rates, SECONDS(100) + i * SECONDS(1) / 10, &now);
	}
	assert_true(live_rates_now(&rates, SECONDS(131), &counts, &over));
	assert_true(over >= SECONDS(10) && over <= SECONDS(11));
	assert_int_equal(counts.packets, 100 * over / SECONDS(1));
	assert_int_equal(counts.lost, 10 * over / SECONDS(1));
	assert_false(
	    live_rates_now(&rates, SECONDS(200), &counts, &over)); // nothing was told since
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(nothing_yet, begin, end),
	    cmocka_unit_test_setup_teardown(old_ones_go, begin, end),
	    cmocka_unit_test_setup_teardown(
	        it_does_not_reach_back_before_its_beginning, begin, end),
	    cmocka_unit_test_setup_teardown(a_silent_link, begin, end),
	    cmocka_unit_test_setup_teardown(a_leap_leaves_a_gap, begin, end),
	    cmocka_unit_test_setup_teardown(time_that_goes_back_a_little, begin, end),
	    cmocka_unit_test_setup_teardown(time_that_goes_back_far, begin, end),
	    cmocka_unit_test_setup_teardown(near_1970, begin, end),
	    cmocka_unit_test(windows_have_names),
	    cmocka_unit_test(the_newest_alerts_stay),
	    cmocka_unit_test(rates_are_of_the_last_seconds),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
