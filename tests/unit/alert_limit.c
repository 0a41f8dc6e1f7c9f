// SPDX-License-Identifier: Apache-2.0
// Which alerts are written and which are counted; that nothing is told twice, and nothing lost silently.
#include "tests/unit/evidence_lab.h"

#include "analytics/alert_limit.h"

#include <string.h>

static struct evidence_lab lab;
static struct alert_limit *limit;
static uint32_t left_out;
static struct alert_group displaced;

static int begin(void **state)
{
	(void)state;
	evidence_lab_begin(&lab);
	limit = alert_limit_create(SECONDS(600));
	return 0;
}

static int end(void **state)
{
	(void)state;
	alert_limit_destroy(limit);
	evidence_lab_end(&lab);
	return 0;
}

static enum alert_decision decide(enum evidence_kind kind, bool early)
{
	const struct evidence evidence = {.kind = kind, .confidence = CONFIDENCE_PROBABLE};
	return alert_limit_decide(limit, &lab.record, &evidence, early, &left_out, &displaced);
}

static void next_session(nanoseconds later)
{
	lab.record.start += later;
	lab.record.end += later;
}

static void one_line_in_a_while(void **state)
{
	(void)state;
	assert_int_equal(decide(EVIDENCE_COMMAND_GARBLED, false), ALERT_WRITE);
	assert_int_equal(left_out, 0);
	for (int i = 0; i < 5; i++) {
		next_session(SECONDS(10));
		assert_int_equal(decide(EVIDENCE_COMMAND_GARBLED, false), ALERT_LEAVE_OUT);
	}
	assert_int_equal(decide(EVIDENCE_ILLEGAL_REPLY, false), ALERT_WRITE); // another kind
	lab.record.address[FROM_CLIENT] = evidence_lab_address(7, 1); // another network
	assert_int_equal(decide(EVIDENCE_COMMAND_GARBLED, false), ALERT_WRITE);
	lab.record.address[FROM_CLIENT] = evidence_lab_address(100, 99); // the same one as at first
	next_session(SECONDS(600));
	assert_int_equal(decide(EVIDENCE_COMMAND_GARBLED, false), ALERT_WRITE);
	assert_int_equal(left_out, 5);
}

static void what_is_surer_is_not_left_out(void **state)
{
	struct evidence evidence = {
	    .kind = EVIDENCE_CAPABILITY_REMOVED, .confidence = CONFIDENCE_SUSPECTED};
	static const struct {
		enum confidence confidence;
		enum alert_decision decision;
	} rows[] = {
	    {CONFIDENCE_SUSPECTED, ALERT_WRITE},
	    {CONFIDENCE_SUSPECTED, ALERT_LEAVE_OUT},
	    {CONFIDENCE_PROBABLE, ALERT_WRITE},
	    {CONFIDENCE_SUSPECTED, ALERT_LEAVE_OUT},
	    {CONFIDENCE_CONFIRMED, ALERT_WRITE},
	    {CONFIDENCE_CONFIRMED, ALERT_LEAVE_OUT},
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		next_session(SECONDS(1));
		evidence.confidence = rows[i].confidence;
		assert_int_equal(alert_limit_decide(limit, &lab.record, &evidence, false,
		                     &left_out, &displaced),
		    rows[i].decision);
	}
	assert_int_equal(left_out, 1); // before the last line
}

static void what_is_left_out_is_told_at_the_end(void **state)
{
	struct alert_group group;
	(void)state;
	decide(EVIDENCE_COMMAND_GARBLED, false);
	next_session(1);
	decide(EVIDENCE_COMMAND_GARBLED, false);
	assert_true(alert_limit_drain(limit, &group));
	assert_int_equal(group.left_out, 1);
	assert_int_equal(group.kind, EVIDENCE_COMMAND_GARBLED);
	assert_int_equal(group.confidence, CONFIDENCE_PROBABLE);
	assert_false(alert_limit_drain(limit, &group));
}

// The table is spread by a key that is another one each time; the lines are not.
static void the_end_has_an_order(void **state)
{
	enum { SERVERS = 500 };
	struct alert_group group;
	(void)state;
	for (unsigned i = 0; i < SERVERS; i++) {
		lab.record.port[FROM_SERVER] = (uint16_t)(i * 7919 % SERVERS);
		decide(EVIDENCE_COMMAND_GARBLED, false);
		lab.record.start++;
		decide(EVIDENCE_COMMAND_GARBLED, false);
	}
	for (unsigned i = 0; i < SERVERS; i++) {
		assert_true(alert_limit_drain(limit, &group));
		assert_int_equal(group.port, i);
	}
	assert_false(alert_limit_drain(limit, &group));
}

static void nothing_is_told_twice(void **state)
{
	struct alert_group group;
	(void)state;
	assert_int_equal(decide(EVIDENCE_INJECTED_SEGMENT, true), ALERT_WRITE);
	lab.record.end += SECONDS(3600); // the same session, ended
	assert_int_equal(decide(EVIDENCE_INJECTED_SEGMENT, false), ALERT_TOLD);
	assert_false(alert_limit_drain(limit, &group));
}

static void what_gives_way_is_accounted_for(void **state)
{
	struct alert_group group;
	uint64_t told = 0, sessions = 0;
	unsigned kept = 0;
	(void)state;
	for (int server = 0; server < 8192; server++) {
		lab.record.port[FROM_SERVER] = (uint16_t)server;
		decide(EVIDENCE_COMMAND_GARBLED, false);
		lab.record.start++;
		decide(EVIDENCE_COMMAND_GARBLED, false);
		assert_int_equal(displaced.left_out, 0); // there is room
		told++;
		sessions += 2;
	}
	for (int round = 0; round < 2; round++)
		for (int server = 0; server < 60000; server++) {
			lab.record.port[FROM_SERVER] = (uint16_t)server;
			lab.record.start++;
			sessions++;
			if (decide(EVIDENCE_COMMAND_GARBLED, false) == ALERT_WRITE)
				told += 1 + left_out;
			told += displaced.left_out;
		}
	for (int server = 0; server < 20000; server++) // each has something left out in the end
		for (int turn = 0; turn < 2; turn++) {
			lab.record.port[FROM_SERVER] = (uint16_t)server;
			lab.record.start++;
			sessions++;
			if (decide(EVIDENCE_COMMAND_GARBLED, false) == ALERT_WRITE)
				told += 1 + left_out;
			told += displaced.left_out;
		}
	for (; alert_limit_drain(limit, &group); kept++)
		told += group.left_out;
	assert_int_equal(told, sessions);
	assert_int_equal(kept, 8192);
}

#define ROW(test) cmocka_unit_test_setup_teardown(test, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    ROW(one_line_in_a_while),
	    ROW(what_is_surer_is_not_left_out),
	    ROW(what_is_left_out_is_told_at_the_end),
	    ROW(the_end_has_an_order),
	    ROW(nothing_is_told_twice),
	    ROW(what_gives_way_is_accounted_for),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
