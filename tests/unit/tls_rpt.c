// SPDX-License-Identifier: Apache-2.0
// Reports by domain are bounded, and say what is in none of them. What a report says: tests/report.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "analytics/tls_rpt.h"

#include <stdio.h>
#include <string.h>

static struct session_facts session(unsigned number)
{
	struct session_facts facts = {.hop = HOP_RELAY,
	    .verdict = VERDICT_CLEARTEXT,
	    .reason = REASON_NOT_OFFERED,
	    .server_operator_is_domain = true};
	snprintf(facts.operator[FROM_SERVER].text, sizeof facts.operator[FROM_SERVER].text,
	    "d%u.example", number);
	return facts;
}

static void too_many_domains(void **state)
{
	enum { DOMAINS = 16384 };
	(void)state;
	struct error error;
	struct tls_rpt *reports = tls_rpt_create(&error);
	assert_non_null(reports);
	for (unsigned i = 0; i < DOMAINS; i++) {
		struct session_facts facts = session(i);
		tls_rpt_count(reports, &facts);
	}
	assert_int_equal(tls_rpt_left_out(reports), 0);
	for (unsigned i = 0; i < 10; i++) {
		struct session_facts known = session(i), further = session(DOMAINS + i);
		tls_rpt_count(reports, &known);
		tls_rpt_count(reports, &further);
		assert_int_equal(tls_rpt_left_out(reports), i + 1);
	}
	tls_rpt_destroy(reports);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(too_many_domains),
	};
	return cmocka_run_group_tests_name("tls_rpt", tests, NULL, NULL);
}
