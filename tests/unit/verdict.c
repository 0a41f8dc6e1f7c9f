// SPDX-License-Identifier: Apache-2.0
// Verdict, reason and hop: one row per rule, and the rules that stand above others.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "analytics/verdict.h"

#include <string.h>

// A whole, ended SMTP dialogue on port 25 in which nothing happened; each row says what else.
static struct session session;
static struct session_record record;

static void start(void)
{
	session = (struct session){.protocol = PROTOCOL_SMTP,
	    .tls_mode = TLS_MODE_NONE,
	    .greeted = true,
	    .client_spoke = true,
	    .capabilities_asked = true};
	record = (struct session_record){.session = &session,
	    .port = {40000, 25},
	    .packets = {5, 5},
	    .bytes = {10, 10},
	    .saw_start = true,
	    .ended = true,
	    .end_reason = END_FIN};
}

static void assert_judged(enum verdict verdict, enum reason reason)
{
	struct judgement judgement = judge(&record);
	assert_string_equal(verdict_name(judgement.verdict), verdict_name(verdict));
	assert_int_equal(judgement.reason, reason);
}

static void encrypted(void **state)
{
	(void)state;
	start();
	session.upgraded = session.tls.begun = true;
	record.tls_established = SEEN_YES;
	assert_judged(VERDICT_ENCRYPTED, REASON_NONE);
	record.in_the_clear = true; // something went in the clear all the same
	assert_judged(VERDICT_CLEARTEXT, REASON_NONE);
}

static void tls_failed(void **state)
{
	(void)state;
	start();
	session.tls.begun = session.upgraded = true;
	record.tls_established = SEEN_NO;
	assert_judged(VERDICT_TLS_FAILED, REASON_NONE);
	record.tls_established = NOT_SEEN;
	assert_judged(VERDICT_PARTIAL, REASON_NONE);
	record.tls_established = SEEN_NO;
	record.in_the_clear = true;
	assert_judged(VERDICT_CLEARTEXT, REASON_TLS_FAILED);
}

static void no_mail_only_if_all_was_seen(void **state)
{
	(void)state;
	start();
	assert_judged(VERDICT_NO_MAIL, REASON_NONE);
	record.ended = false;
	assert_judged(VERDICT_PARTIAL, REASON_NONE);
	start();
	record.saw_start = false;
	assert_judged(VERDICT_PARTIAL, REASON_NONE);
	for (int from = FROM_CLIENT; from <= FROM_SERVER; from++) {
		start();
		session.dialogue_gap[from] = true;
		assert_judged(VERDICT_PARTIAL, REASON_NONE);
		start();
		record.packets[from] = 0;
		assert_judged(VERDICT_PARTIAL, REASON_NONE);
	}
}

static void connections_without_a_word(void **state)
{
	(void)state;
	start();
	session = (struct session){0};
	record.bytes[0] = record.bytes[1] = 0;
	assert_judged(VERDICT_NO_MAIL, REASON_NONE); // a probe
	assert_int_equal(judge(&record).hop, HOP_NONE);
	record.missing[FROM_SERVER] = 1;
	assert_judged(VERDICT_PARTIAL, REASON_NONE);
	record.missing[FROM_SERVER] = 0;
	record.bytes[FROM_CLIENT] = 1;
	assert_judged(VERDICT_PARTIAL, REASON_NONE);
}

static void something_else(void **state)
{
	static const enum protocol others[] = {PROTOCOL_SSH, PROTOCOL_HTTP, PROTOCOL_UNKNOWN};
	(void)state;
	for (size_t i = 0; i < 3; i++) {
		start();
		session.protocol = (uint8_t)others[i];
		assert_judged(VERDICT_NOT_MAIL, REASON_NONE);
		assert_int_equal(judge(&record).hop, HOP_NONE);
	}
}

static void start_clear(void)
{
	start();
	record.in_the_clear = true;
	session.mail_begun = true;
	session.starttls_offered = SEEN_YES;
	record.starttls_requested = SEEN_NO;
}

static void why_in_the_clear(void **state)
{
	(void)state;
	start_clear();
	assert_judged(VERDICT_CLEARTEXT, REASON_NOT_REQUESTED);
	session.starttls_offered = SEEN_NO;
	assert_judged(VERDICT_CLEARTEXT, REASON_NOT_OFFERED);
	session.starttls_offered =
	    NOT_SEEN; // and the list was asked for: it may have said anything
	assert_judged(VERDICT_CLEARTEXT, REASON_NONE);
	session.capabilities_asked = false; // never asked, so never wanted
	assert_judged(VERDICT_CLEARTEXT, REASON_NOT_REQUESTED);
	session.dialogue_gap[FROM_SERVER] = true;
	assert_judged(VERDICT_CLEARTEXT, REASON_NONE);
	start_clear();
	record.starttls_requested = NOT_SEEN;
	assert_judged(VERDICT_CLEARTEXT, REASON_NONE);
	start_clear();
	record.starttls_requested = SEEN_YES;
	record.starttls_accepted = SEEN_NO;
	assert_judged(VERDICT_CLEARTEXT, REASON_REFUSED);
	session.starttls_offered = SEEN_NO; // asked although it was not offered
	assert_judged(VERDICT_CLEARTEXT, REASON_REFUSED);
	start_clear();
	record.tls_port = true;
	assert_judged(VERDICT_CLEARTEXT, REASON_CLEARTEXT_ON_TLS_PORT);
}

static void hops(void **state)
{
	static const struct {
		enum protocol protocol;
		uint16_t port;
		bool login, mail;
		enum hop hop;
	} rows[] = {
	    {PROTOCOL_SMTP, 25, false, true, HOP_RELAY},
	    {PROTOCOL_SMTP, 25, true, true, HOP_SUBMISSION},
	    {PROTOCOL_SMTP, 465, false, false, HOP_SUBMISSION},
	    {PROTOCOL_SMTP, 587, false, true, HOP_SUBMISSION},
	    {PROTOCOL_SMTP, 2525, true, false, HOP_SUBMISSION},
	    {PROTOCOL_SMTP, 2525, false, true, HOP_RELAY},
	    {PROTOCOL_SMTP, 2525, false, false, HOP_NONE},
	    {PROTOCOL_IMAP, 143, false, false, HOP_ACCESS},
	    {PROTOCOL_IMAP, 25, false, false, HOP_ACCESS},
	    {PROTOCOL_POP3, 1110, true, false, HOP_ACCESS},
	    {PROTOCOL_TLS, 995, false, false, HOP_ACCESS},
	    {PROTOCOL_TLS, 465, false, false, HOP_SUBMISSION},
	    {PROTOCOL_TLS, 2525, false, false, HOP_NONE},
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		start();
		session.protocol = (uint8_t)rows[i].protocol;
		session.login_tried = rows[i].login;
		session.mail_begun = rows[i].mail;
		record.port[FROM_SERVER] = rows[i].port;
		assert_int_equal(judge(&record).hop, rows[i].hop);
	}
}

static void every_value_has_a_name(void **state)
{
	(void)state;
	for (int i = 0; i < VERDICTS; i++)
		assert_non_null(verdict_name((enum verdict)i));
	for (int i = 0; i < REASONS; i++)
		assert_true((reason_name((enum reason)i) == NULL) == (i == REASON_NONE));
	for (int i = 0; i < HOPS; i++)
		assert_true((hop_name((enum hop)i) == NULL) == (i == HOP_NONE));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(encrypted),
	    cmocka_unit_test(tls_failed),
	    cmocka_unit_test(no_mail_only_if_all_was_seen),
	    cmocka_unit_test(connections_without_a_word),
	    cmocka_unit_test(something_else),
	    cmocka_unit_test(why_in_the_clear),
	    cmocka_unit_test(hops),
	    cmocka_unit_test(every_value_has_a_name),
	};
	return cmocka_run_group_tests_name("verdict", tests, NULL, NULL);
}
