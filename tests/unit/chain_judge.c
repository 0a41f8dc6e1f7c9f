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

/* ---- memory ---- */

static bool same(const struct chain_judgement *one, const struct chain_judgement *other)
{
	return one->faults == other->faults && one->trust_known == other->trust_known &&
	       one->reason == other->reason && one->issuer_missing == other->issuer_missing &&
	       memcmp(one->missing_issuer, other->missing_issuer, SHA256_BYTES) == 0 &&
	       one->from == other->from && one->until == other->until;
}

// What a judge says that has never seen the list.
static struct chain_judgement fresh(
    struct chain_lab *lab, const char *sent, enum certificate_role role, int64_t at)
{
	struct chain_judge *own = lab->judge;
	lab->judge = chain_judge_create(lab->certificates, lab->trust, CHAIN_LAB_BYTES);
	assert_non_null(lab->judge);
	struct chain_judgement judgement = chain_lab_judge(lab, sent, role, at);
	chain_judge_destroy(lab->judge);
	lab->judge = own;
	return judgement;
}

// Moments to ask about: dates of the certificates and lists, ends of time.
static const char *const moments[] = {"1949", "1950", "20100101", "2015", "2020", "20221201",
    "20230101", "20240101", "20240201", "20240301", "20240301120000", "20240401120000", "20240501",
    "20240601", "20240615", "20240801", "20250101", "2030", "2035", "2040", "9999"};

static size_t all_times(int64_t times[])
{
	static const int64_t ends[] = {INT64_MIN, -62135596801, -62135596800, 253402300798,
	    253402300799, 253402300800, INT64_MAX};
	size_t count = 0;
	for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++)
		times[count++] = ends[i];
	for (size_t i = 0; i < sizeof moments / sizeof moments[0]; i++)
		for (int64_t away = -1; away <= 1; away++)
			times[count++] = pki_time(moments[i]) + away;
	return count;
}

// Packets come at any time, also backwards: what is remembered is what would be found.
static void at_any_time(void **state)
{
	enum { TIMES_MAX = 128, ASKED = 30 };
	int64_t times[TIMES_MAX];
	size_t count = all_times(times), wrong = 0;
	srand(1);
	for (size_t i = 0; i < chain_case_count; i++) {
		const struct chain_case *one = &chain_cases[i];
		struct chain_lab lab;
		open_case(&lab, *state, one);
		for (int asked = 0; asked < ASKED; asked++) {
			int64_t at = times[(size_t)rand() % count];
			struct chain_judgement kept =
			    chain_lab_judge(&lab, one->sent, role_of(one), at);
			struct chain_judgement now = fresh(&lab, one->sent, role_of(one), at);
			if (same(&kept, &now) && now.from <= at && at <= now.until)
				continue;
			print_message("%s at %lld: remembered %x, found %x\n", one->what,
			    (long long)at, kept.faults, now.faults);
			wrong++;
		}
		chain_lab_close(&lab);
	}
	assert_int_equal(wrong, 0);
}

// At both ends of the span the same is found; beyond them something may be different.
static void spans_are_what_they_say(void **state)
{
	for (size_t i = 0; i < chain_case_count; i++) {
		const struct chain_case *one = &chain_cases[i];
		struct chain_lab lab;
		open_case(&lab, *state, one);
		struct chain_judgement got =
		    chain_lab_judge(&lab, one->sent, role_of(one), at_of(one));
		struct chain_judgement first = fresh(&lab, one->sent, role_of(one), got.from);
		struct chain_judgement last = fresh(&lab, one->sent, role_of(one), got.until);
		assert_true(same(&got, &first) && same(&got, &last));
		uint64_t verified = chain_judge_counters(lab.judge).verified;
		chain_lab_judge(&lab, one->sent, role_of(one), got.from);
		chain_lab_judge(&lab, one->sent, role_of(one), got.until);
		assert_int_equal(chain_judge_counters(lab.judge).verified, verified);
		if (got.until < INT64_MAX) {
			chain_lab_judge(&lab, one->sent, role_of(one), got.until + 1);
			assert_int_equal(chain_judge_counters(lab.judge).verified, verified + 1);
		}
		chain_lab_close(&lab);
	}
}

static void each_list_is_judged_once(void **state)
{
	struct chain_lab lab;
	int64_t at = pki_time("20240615");
	chain_lab_open(&lab, *state, "root", NULL, CHAIN_LAB_BYTES);
	for (int i = 0; i < 10; i++) {
		assert_int_equal(
		    chain_lab_judge(&lab, "leaf int", CERTIFICATE_SERVER, at + i).faults, 0);
		assert_int_equal(
		    chain_lab_judge(&lab, "client int", CERTIFICATE_SERVER, at + i).faults,
		    FAULT_NOT_A_SERVER_CERTIFICATE);
		assert_int_equal(
		    chain_lab_judge(&lab, "client int", CERTIFICATE_CLIENT, at + i).faults, 0);
		assert_int_equal(chain_lab_judge(&lab, "leaf", CERTIFICATE_SERVER, at + i).faults,
		    FAULT_INCOMPLETE_CHAIN);
	}
	struct chain_judge_counters counters = chain_judge_counters(lab.judge);
	assert_int_equal(counters.verified, 4);
	assert_int_equal(counters.known, 36);
	assert_int_equal(counters.cached, 4);
	assert_int_equal(counters.evicted, 0);
	assert_true(counters.bytes > 0 && counters.bytes < 4 * 1024);
	chain_lab_close(&lab);
}

// Other anchors, other judgements, also of lists that were judged.
static void trust_may_change(void **state)
{
	struct chain_lab lab, other;
	int64_t at = pki_time("20240615");
	chain_lab_open(&lab, *state, "root", NULL, CHAIN_LAB_BYTES);
	chain_lab_open(&other, *state, "other", NULL, CHAIN_LAB_BYTES);
	assert_int_equal(chain_lab_judge(&lab, "leaf int", CERTIFICATE_SERVER, at).faults, 0);
	chain_judge_use_trust(lab.judge, other.trust);
	assert_int_equal(
	    chain_lab_judge(&lab, "leaf int", CERTIFICATE_SERVER, at).faults, FAULT_UNTRUSTED);
	chain_judge_use_trust(lab.judge, lab.trust);
	assert_int_equal(chain_lab_judge(&lab, "leaf int", CERTIFICATE_SERVER, at).faults, 0);
	struct chain_judge_counters counters = chain_judge_counters(lab.judge);
	assert_int_equal(counters.verified, 3);
	assert_int_equal(counters.cached, 1);
	assert_int_equal(counters.evicted, 0);
	chain_lab_close(&other);
	chain_lab_close(&lab);
}

// A list that lacks an issuer is judged anew when an issuer of that name is shown, and only then.
static void what_is_missing_may_come_later(void **state)
{
	struct chain_lab lab;
	int64_t at = pki_time("20240615");
	uint8_t shown[4][SHA256_BYTES], missing[SHA256_BYTES];
	chain_lab_open(&lab, *state, "root", NULL, CHAIN_LAB_BYTES);
	for (int i = 0; i < 3; i++)
		assert_int_equal(
		    chain_lab_judge(&lab, "leaf2", CERTIFICATE_SERVER, at).faults, FAULT_UNTRUSTED);
	chain_lab_show(&lab, "root", shown);
	chain_lab_show(&lab, "other-int other", shown);
	chain_lab_show(&lab, "leaf", shown);
	assert_int_equal(
	    chain_lab_judge(&lab, "leaf2", CERTIFICATE_SERVER, at).faults, FAULT_UNTRUSTED);
	assert_int_equal(chain_judge_counters(lab.judge).verified, 1);
	// one step further, but not there yet
	chain_lab_show(&lab, "int2", shown);
	for (int i = 0; i < 3; i++)
		assert_int_equal(
		    chain_lab_judge(&lab, "leaf2", CERTIFICATE_SERVER, at).faults, FAULT_UNTRUSTED);
	assert_int_equal(chain_judge_counters(lab.judge).verified, 2);
	chain_lab_show(&lab, "int", shown);
	for (int i = 0; i < 3; i++) {
		struct chain_judgement got = chain_lab_judge(&lab, "leaf2", CERTIFICATE_SERVER, at);
		assert_int_equal(got.faults, FAULT_INCOMPLETE_CHAIN);
		chain_lab_hash(&lab, "int2", missing);
		assert_memory_equal(got.missing_issuer, missing, SHA256_BYTES);
	}
	assert_int_equal(chain_judge_counters(lab.judge).verified, 3);
	chain_lab_show(&lab, "impostor", shown); // it has a path: this changes nothing
	chain_lab_judge(&lab, "leaf2", CERTIFICATE_SERVER, at);
	assert_int_equal(chain_judge_counters(lab.judge).verified, 3);
	assert_int_equal(
	    chain_lab_judge(&lab, "leaf", CERTIFICATE_SERVER, at).faults, FAULT_INCOMPLETE_CHAIN);
	chain_lab_show(&lab, "impostor-id", shown);
	chain_lab_judge(&lab, "leaf", CERTIFICATE_SERVER, at);
	assert_int_equal(chain_judge_counters(lab.judge).verified, 4);
	chain_lab_close(&lab);
}

// However many impostors are shown.
static void impostors_do_not_hide_an_issuer(void **state)
{
	enum { COUNT = 100 };
	struct chain_lab lab;
	int64_t at = pki_time("20240615");
	bool is_new;
	chain_lab_open(&lab, *state, "root", NULL, CHAIN_LAB_BYTES);
	assert_int_equal(chain_lab_judge(&lab, "leaf int", CERTIFICATE_SERVER, at).faults, 0);
	for (uint32_t i = 0; i < COUNT; i++) {
		uint8_t made_up[SHA256_BYTES] = {1};
		memcpy(made_up + 1, &i, sizeof i);
		assert_non_null(certificate_store_add(lab.certificates, made_up,
		    pki_der(*state, "impostor"), 0, CERTIFICATE_ISSUER, &is_new));
	}
	assert_int_equal(chain_lab_judge(&lab, "plain-leaf", CERTIFICATE_SERVER, at).faults,
	    FAULT_INCOMPLETE_CHAIN);
	chain_lab_close(&lab);
}

static void memory_is_bounded(void **state)
{
	enum { SMALL = 64 << 10, LISTS = 1000 };
	static const char *const names[] = {"leaf", "int", "root", "other", "self", "int2"};
	struct chain_lab lab;
	char sent[256];
	chain_lab_open(&lab, *state, "root", NULL, SMALL);
	srand(1);
	for (int i = 0; i < LISTS; i++) {
		sent[0] = '\0';
		for (int length = 1 + rand() % 8; length > 0; length--) {
			strcat(sent, names[rand() % 6]);
			strcat(sent, " ");
		}
		chain_lab_judge(&lab, sent, CERTIFICATE_SERVER, pki_time("20240615") + i);
		assert_true(chain_judge_counters(lab.judge).bytes <= SMALL);
	}
	struct chain_judge_counters counters = chain_judge_counters(lab.judge);
	assert_true(counters.evicted > 100);
	assert_int_equal(counters.known + counters.verified, LISTS);
	assert_true(counters.cached > 50 && counters.cached < LISTS);
	chain_lab_close(&lab);
	// no room at all: everything is judged, nothing remembered
	chain_lab_open(&lab, *state, "root", NULL, CHAIN_LAB_BYTES);
	chain_judge_destroy(lab.judge);
	lab.judge = chain_judge_create(lab.certificates, lab.trust, 0);
	for (int i = 0; i < 3; i++)
		assert_int_equal(
		    chain_lab_judge(&lab, "leaf int", CERTIFICATE_SERVER, pki_time("20240615"))
		        .faults,
		    0);
	assert_int_equal(chain_judge_counters(lab.judge).verified, 3);
	assert_int_equal(chain_judge_counters(lab.judge).bytes, 0);
	chain_lab_close(&lab);
}

// The certificates of a list that is asked for are there when it has to be judged anew, however many
// others come and go.
static void certificates_in_use_stay(void **state)
{
	enum { SMALL = 64 << 10, OTHERS = 5000 };
	struct chain_lab lab;
	struct chain_judgement judgement;
	uint8_t chain[CHAIN_CERTIFICATES_MAX][SHA256_BYTES];
	const uint8_t(*list)[SHA256_BYTES] = (const uint8_t(*)[SHA256_BYTES])chain;
	bool is_new;
	chain_lab_open(&lab, *state, "root", NULL, SMALL);
	size_t count = chain_lab_show(&lab, "leaf int", chain);
	for (uint32_t i = 0; i < OTHERS; i++) {
		uint8_t made_up[SHA256_BYTES] = {1};
		memcpy(made_up + 1, &i, sizeof i);
		assert_non_null(certificate_store_add(lab.certificates, made_up,
		    pki_der(*state, "other-leaf"), 0, CERTIFICATE_SERVER, &is_new));
		certificate_store_trim(lab.certificates);
		assert_true(chain_judge(
		    lab.judge, list, count, CERTIFICATE_SERVER, pki_time("20240615"), &judgement));
	}
	assert_int_equal(chain_judge_counters(lab.judge).verified, 1);
	assert_true(certificate_store_counters(lab.certificates).evicted > OTHERS / 2);
	assert_true(chain_judge(
	    lab.judge, list, count, CERTIFICATE_SERVER, pki_time("20310101"), &judgement));
	assert_int_equal(judgement.faults, FAULT_EXPIRED);
	chain_lab_close(&lab);
}

static void what_is_not_held_is_not_judged(void **state)
{
	struct chain_lab lab;
	struct chain_judgement judgement;
	uint8_t chain[CHAIN_CERTIFICATES_MAX + 2][SHA256_BYTES];
	const uint8_t(*list)[SHA256_BYTES] = (const uint8_t(*)[SHA256_BYTES])chain;
	int64_t at = pki_time("20240615");
	chain_lab_open(&lab, *state, "root", NULL, 2 * CHAIN_LAB_BYTES);
	assert_int_equal(chain_lab_show(&lab, "leaf int", chain), 2);
	assert_false(chain_judge(lab.judge, list, 0, CERTIFICATE_SERVER, at, &judgement));
	assert_false(chain_judge(lab.judge, NULL, 0, CERTIFICATE_SERVER, at, &judgement));
	memset(chain[2], 0, SHA256_BYTES);
	assert_false(chain_judge(lab.judge, list, 3, CERTIFICATE_SERVER, at, &judgement));
	assert_int_equal(chain_judge_counters(lab.judge).unjudged, 3);
	assert_int_equal(chain_judge_counters(lab.judge).cached, 0);
	assert_true(chain_judge(lab.judge, list, 2, CERTIFICATE_SERVER, at, &judgement));
	// of a list without end only so much is looked at
	for (size_t i = 2; i < CHAIN_CERTIFICATES_MAX; i++)
		memcpy(chain[i], chain[1], SHA256_BYTES);
	memset(chain[CHAIN_CERTIFICATES_MAX], 0, 2 * SHA256_BYTES);
	assert_true(chain_judge(
	    lab.judge, list, CHAIN_CERTIFICATES_MAX + 2, CERTIFICATE_SERVER, at, &judgement));
	assert_int_equal(judgement.faults, FAULT_WRONG_ORDER);
	// nor is what no client takes
	uint8_t *large = calloc(1, CHAIN_BYTES_MAX + 1);
	bool is_new;
	for (size_t more = 0; more <= 1; more++) {
		chain[0][0]++;
		assert_non_null(certificate_store_add(lab.certificates, chain[0],
		    view_of(large, CHAIN_BYTES_MAX + more), 0, CERTIFICATE_SERVER, &is_new));
		assert_int_equal(
		    chain_judge(lab.judge, list, 1, CERTIFICATE_SERVER, at, &judgement), more == 0);
	}
	free(large);
	chain_lab_close(&lab);
}

// Who signed a list is remembered, by the key and not by the name.
static void whose_list_it_is(void **state)
{
	static const char *const leaves[] = {"twin-a-leaf", "twin-b-leaf"};
	int64_t at = pki_time("20240615");
	for (int first = 0; first < 2; first++) {
		struct chain_lab lab;
		chain_lab_open(&lab, *state, "twin-a twin-b", "crl-twin", CHAIN_LAB_BYTES);
		for (int i = 0; i < 6; i++) {
			int which = (first + i) % 2;
			unsigned faults =
			    chain_lab_judge(&lab, leaves[which], CERTIFICATE_SERVER, at).faults;
			assert_int_equal(faults, which == 0 ? FAULT_REVOKED : 0);
			chain_judge_destroy(lab.judge); // so that it is asked again
			lab.judge = chain_judge_create(lab.certificates, lab.trust, 1 << 20);
		}
		chain_lab_close(&lab);
	}
}

// Thousands of names and a large extension: a certificate of more than 64 KiB.
static void large_certificates(void **state)
{
	enum { NAMES = 3000, FILLER = 48 << 10 };
	char *text = malloc(NAMES * 32 + 2 * FILLER + 256), *end = text;
	end += sprintf(end, "subjectAltName=DNS:mail.example.com");
	for (int i = 0; i < NAMES; i++)
		end += sprintf(end, ",DNS:host-%d.example", i);
	end += sprintf(end, "\n1.2.3.4.5=DER:0482%04x", FILLER);
	for (int i = 0; i < FILLER; i++)
		end += sprintf(end, "00");
	const struct pki_certificate table[] = {
	    {.name = "root",
	        .subject = "Root",
	        .key = "p256-root",
	        .extensions = "basicConstraints=CA:TRUE"},
	    {.name = "large",
	        .subject = "mail",
	        .issuer = "root",
	        .key = "p256-leaf",
	        .extensions = text},
	};
	(void)state;
	struct chain_lab lab;
	struct pki *own = pki_create(table, 2, NULL, 0);
	assert_true(pki_der(own, "large").length > 64 << 10);
	chain_lab_open(&lab, own, "root", NULL, CHAIN_LAB_BYTES);
	struct chain_judgement got =
	    chain_lab_judge(&lab, "large root", CERTIFICATE_SERVER, pki_time("20240615"));
	assert_int_equal(got.faults, 0);
	assert_true(got.trust_known);
	chain_lab_close(&lab);
	pki_destroy(own);
	free(text);
}

/* ---- the rest ---- */

static void the_last_tenth(void **state)
{
	(void)state;
	struct x509 facts = {.not_before = 1000, .not_after = 2000, .validity_read = true};
	assert_false(certificate_expires_soon(&facts, 999));
	assert_false(certificate_expires_soon(&facts, 1000));
	assert_false(certificate_expires_soon(&facts, 1899));
	assert_true(certificate_expires_soon(&facts, 1900));
	assert_true(certificate_expires_soon(&facts, 2000));
	assert_false(certificate_expires_soon(&facts, 2001));
	assert_false(certificate_expires_soon(&facts, INT64_MAX));
	assert_false(certificate_expires_soon(&facts, INT64_MIN));
	facts.not_before = 2001; // ends before it begins
	assert_false(certificate_expires_soon(&facts, 2000));
	facts = (struct x509){
	    .not_before = -62167219200, .not_after = 253402300799, .validity_read = true};
	assert_false(certificate_expires_soon(&facts, 0));
	assert_true(certificate_expires_soon(&facts, 253402300799));
	facts.validity_read = false;
	assert_false(certificate_expires_soon(&facts, 253402300799));
}

static void faults_have_names(void **state)
{
	(void)state;
	assert_string_equal(certificate_fault_name(FAULT_SELF_SIGNED), "self_signed");
	assert_string_equal(certificate_fault_name(FAULT_UNTRUSTED), "untrusted");
	assert_string_equal(certificate_fault_name(FAULT_EXPIRED), "expired");
	assert_string_equal(certificate_fault_name(FAULT_NOT_YET_VALID), "not_yet_valid");
	assert_string_equal(certificate_fault_name(FAULT_REVOKED), "revoked");
	assert_string_equal(certificate_fault_name(FAULT_NAME_MISMATCH), "name_mismatch");
	assert_string_equal(certificate_fault_name(FAULT_WEAK_KEY), "weak_key");
	assert_string_equal(certificate_fault_name(FAULT_WEAK_SIGNATURE), "weak_signature");
	assert_string_equal(certificate_fault_name(FAULT_INCOMPLETE_CHAIN), "incomplete_chain");
	assert_string_equal(certificate_fault_name(FAULT_WRONG_ORDER), "wrong_order");
	assert_string_equal(
	    certificate_fault_name(FAULT_NOT_A_SERVER_CERTIFICATE), "not_a_server_certificate");
	assert_string_equal(certificate_fault_name(FAULT_MALFORMED), "malformed");
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
	    cmocka_unit_test(at_any_time),
	    cmocka_unit_test(spans_are_what_they_say),
	    cmocka_unit_test(each_list_is_judged_once),
	    cmocka_unit_test(trust_may_change),
	    cmocka_unit_test(what_is_missing_may_come_later),
	    cmocka_unit_test(impostors_do_not_hide_an_issuer),
	    cmocka_unit_test(memory_is_bounded),
	    cmocka_unit_test(certificates_in_use_stay),
	    cmocka_unit_test(what_is_not_held_is_not_judged),
	    cmocka_unit_test(whose_list_it_is),
	    cmocka_unit_test(large_certificates),
	    cmocka_unit_test(the_last_tenth),
	    cmocka_unit_test(faults_have_names),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
