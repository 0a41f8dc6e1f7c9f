// SPDX-License-Identifier: Apache-2.0
// What is said of certificate lists of every kind (chain_cases.c), for how long it is remembered, and
// when it is thought over.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/unit/chain_lab.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int64_t at_of(const struct chain_case *one)
{
	return pki_time(one->at != NULL ? one->at : "20240615");
}

static enum certificate_role role_of(const struct chain_case *one)
{
	return one->from_client ? CERTIFICATE_CLIENT : CERTIFICATE_SERVER;
}

static void open_case(struct chain_lab *lab, struct pki *pki, const struct chain_case *one)
{
	uint8_t shown[CHAIN_CERTIFICATES_MAX][SHA256_BYTES];
	chain_lab_open(
	    lab, pki, one->anchors != NULL ? one->anchors : "root", one->crls, CHAIN_LAB_BYTES);
	if (one->shown != NULL)
		chain_lab_show(lab, one->shown, shown);
}

static void print_faults(const char *what, unsigned faults)
{
	print_message("  %s:", what);
	for (unsigned fault = 1; fault < 1u << FAULTS; fault <<= 1)
		if (faults & fault)
			print_message(" %s", certificate_fault_name((enum certificate_fault)fault));
	print_message("\n");
}

// True if the case comes out as it shall.
static bool check_case(struct pki *pki, const struct chain_case *one)
{
	struct chain_lab lab;
	uint8_t missing[SHA256_BYTES];
	open_case(&lab, pki, one);
	struct chain_judgement got = chain_lab_judge(&lab, one->sent, role_of(one), at_of(one));
	bool good = got.faults == one->faults && got.trust_known == !one->trust_unknown &&
	            (got.reason != NULL) == (one->reason != NULL) &&
	            (one->reason == NULL || strstr(got.reason, one->reason) != NULL) &&
	            got.issuer_missing == (one->missing != NULL) && got.from <= at_of(one) &&
	            got.until >= at_of(one);
	if (one->missing != NULL) {
		chain_lab_hash(&lab, one->missing, missing);
		good = good && memcmp(missing, got.missing_issuer, SHA256_BYTES) == 0;
	}
	chain_lab_close(&lab);
	if (good)
		return true;
	print_message("%s: %s\n", one->what, one->sent);
	print_faults("expected", one->faults);
	print_faults("got", got.faults);
	print_message("  trust %s, reason %s, %s\n", got.trust_known ? "known" : "unknown",
	    got.reason != NULL ? got.reason : "none",
	    got.issuer_missing ? "an issuer is missing" : "");
	return false;
}

static void every_kind_of_list(void **state)
{
	size_t wrong = 0;
	for (size_t i = 0; i < chain_case_count; i++)
		wrong += !check_case(*state, &chain_cases[i]);
	assert_int_equal(wrong, 0);
}

static int set_up(void **state)
{
	*state = chain_cases_pki();
	return 0;
}

static int tear_down(void **state)
{
	pki_destroy(*state);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_kind_of_list),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
