// SPDX-License-Identifier: Apache-2.0
// Each kind of evidence around TLS: when it is there, how sure it is, and what honest look-alikes lack of it.
#include "tests/unit/detectors_lab.h"

#include "decode/tls.h"
#include "decode/tls_facts.h"

#include <string.h>

static void tls_broken_on_the_same_connection(void **state)
{
	(void)state;
	lab.session.upgraded = true;
	lab.record.starttls_accepted = SEEN_YES;
	expect(EVIDENCE_TLS_BROKEN_THEN_CLEARTEXT, CONFIDENCE_SUSPECTED);
	server_offers();
	expect(EVIDENCE_TLS_BROKEN_THEN_CLEARTEXT, CONFIDENCE_SUSPECTED); // nothing in common
	lab.session.tls_foreign = true;
	expect(EVIDENCE_TLS_BROKEN_THEN_CLEARTEXT, CONFIDENCE_PROBABLE);
	lab.record.tls_established = NOT_SEEN;
	expect(EVIDENCE_TLS_BROKEN_THEN_CLEARTEXT, CONFIDENCE_NONE);
}

static void tls_broken_a_moment_ago(void **state)
{
	(void)state;
	lab.client.broken_tls =
	    (struct failed_attempt){.time = LAB_NOW - SECONDS(20), .port = 25, .failure = {FAILURE_RESET, .odd = true}};
	expect(EVIDENCE_TLS_BROKEN_THEN_CLEARTEXT, CONFIDENCE_SUSPECTED);
	assert_true(
	    evidence_lab_fact(&lab, EVIDENCE_TLS_BROKEN_THEN_CLEARTEXT, "seconds")->time ==
	    SECONDS(20));
	server_offers();
	expect(EVIDENCE_TLS_BROKEN_THEN_CLEARTEXT, CONFIDENCE_SUSPECTED);
	lab.client.established_here = 1; // this client's TLS with it worked
	expect(EVIDENCE_TLS_BROKEN_THEN_CLEARTEXT, CONFIDENCE_PROBABLE);
	lab.client.broken_tls.time = LAB_NOW - DETECTOR_SOON - 1;
	expect(EVIDENCE_TLS_BROKEN_THEN_CLEARTEXT, CONFIDENCE_NONE);
	lab.client.broken_tls.time = LAB_NOW;
	lab.record.in_the_clear = false;
	expect(EVIDENCE_TLS_BROKEN_THEN_CLEARTEXT, CONFIDENCE_NONE);
}

static void how_tls_broke_counts(void **state)
{
	struct tls_offer offer = {.key_share_bytes = 32};
	(void)state;
	lab.record.starttls_accepted = SEEN_YES;
	lab.session.tls.begun = true;
	lab.session.tls.client_version = 0x0304;
	lab.record.end_reason = END_TIMEOUT;
	assert_int_equal(tls_failure_of(&lab.record).kind, FAILURE_SILENCE);
	assert_true(tls_failure_of(&lab.record).odd);
	offer.key_share_bytes = 1216 + 32; // X25519MLKEM768: the hello spans segments
	session_set_text(
	    &lab.session, &lab.session.tls.offer, (const uint8_t *)&offer, sizeof offer, 4096);
	assert_false(tls_failure_of(&lab.record).odd);
	offer.key_share_bytes = 32;
	session_set_text(
	    &lab.session, &lab.session.tls.offer, (const uint8_t *)&offer, sizeof offer, 4096);
	lab.session.tls.version = 0x0303; // it may have been the certificate
	assert_false(tls_failure_of(&lab.record).odd);
	lab.session.tls.alert_seen = true;
	lab.session.tls.alert_description = 48; // unknown_ca
	assert_int_equal(tls_failure_of(&lab.record).kind, FAILURE_ALERT);
	assert_false(tls_failure_of(&lab.record).odd);
	lab.session.tls.alert_description = 47; // illegal_parameter
	assert_true(tls_failure_of(&lab.record).odd);
	lab.session.tls.alert_seen = false;
	lab.session.tls_foreign = true;
	assert_int_equal(tls_failure_of(&lab.record).kind, FAILURE_JUNK);
	lab.session.tls_foreign = false;
	lab.record.end_reason = END_OF_CAPTURE; // it goes on
	assert_int_equal(tls_failure_of(&lab.record).kind, FAILURE_NONE);
	lab.record.end_reason = END_RST;
	lab.record.tls_established = NOT_SEEN;
	assert_int_equal(tls_failure_of(&lab.record).kind, FAILURE_NONE);
}

static void a_certificate_shown_before(void **state)
{
	static const uint8_t usual[32] = "usual", other[32] = "other";
	(void)state;
	lab.record.in_the_clear = false;
	lab.record.tls_established = SEEN_YES;
	session_set_text(&lab.session, &lab.session.tls.chain[FROM_SERVER], other, 32, 32);
	lab.certificates.source = CERTIFICATES_IN_HANDSHAKE;
	lab.certificates.judged[FROM_SERVER] = true;
	lab.certificates.faults = FAULT_SELF_SIGNED;
	lab.server.leaf_count = 2;
	lab.server.leaves[0] = (struct server_leaf){.sessions = 9, .last = LAB_NOW - SECONDS(1)};
	memcpy(lab.server.leaves[0].sha256, usual, 32);
	lab.server.leaves[1] = (struct server_leaf){
	    .sessions = 3, .networks = 1, .first = LAB_NOW - SECONDS(9), .last = LAB_NOW};
	memcpy(lab.server.leaves[1].sha256, other, 32);
	expect(EVIDENCE_CERTIFICATE_SUBSTITUTED, CONFIDENCE_SUSPECTED); // the usual one is in use
	lab.server.leaves[0].last = LAB_NOW - SECONDS(10); // it was replaced
	expect(EVIDENCE_CERTIFICATE_SUBSTITUTED, CONFIDENCE_NONE);
	lab.server.leaves[0].last = LAB_NOW - SECONDS(1);
	lab.server.leaves[1].networks = 3; // no path is common to them
	expect(EVIDENCE_CERTIFICATE_SUBSTITUTED, CONFIDENCE_NONE);
}

static void another_certificate(void **state)
{
	static const uint8_t usual[32] = "usual", other[32] = "other";
	(void)state;
	lab.record.in_the_clear = false;
	lab.record.tls_established = SEEN_YES;
	session_set_text(&lab.session, &lab.session.tls.chain[FROM_SERVER], other, 32, 32);
	lab.certificates.source = CERTIFICATES_IN_HANDSHAKE;
	lab.certificates.judged[FROM_SERVER] = true;
	lab.certificates.faults = FAULT_SELF_SIGNED;
	expect(EVIDENCE_CERTIFICATE_SUBSTITUTED, CONFIDENCE_NONE); // nothing to compare with
	lab.server.leaf_count = 1;
	lab.server.leaves[0] = (struct server_leaf){.sessions = 5, .last = LAB_NOW};
	memcpy(lab.server.leaves[0].sha256, usual, 32);
	expect(EVIDENCE_CERTIFICATE_SUBSTITUTED, CONFIDENCE_SUSPECTED);
	lab.server.leaves[0].trusted = true;
	lab.server.leaves[0].not_after = LAB_NOW + SECONDS(86400);
	expect(EVIDENCE_CERTIFICATE_SUBSTITUTED, CONFIDENCE_PROBABLE);
	lab.server.leaves[0].not_after = LAB_NOW; // expired: it had to be replaced
	expect(EVIDENCE_CERTIFICATE_SUBSTITUTED, CONFIDENCE_SUSPECTED);
	lab.certificates.faults = 0; // renewed, and trusted
	expect(EVIDENCE_CERTIFICATE_SUBSTITUTED, CONFIDENCE_NONE);
	lab.certificates.faults = FAULT_SELF_SIGNED;
	lab.certificates.source = CERTIFICATES_IN_MEMORY;
	expect(EVIDENCE_CERTIFICATE_SUBSTITUTED, CONFIDENCE_NONE);
	lab.certificates.source = CERTIFICATES_IN_HANDSHAKE;
	memcpy(lab.server.leaves[0].sha256, other, 32); // what it always shows
	expect(EVIDENCE_CERTIFICATE_SUBSTITUTED, CONFIDENCE_NONE);
}

static void a_certificate_that_is_not_on_the_list(void **state)
{
	static const uint8_t listed[2][32] = {"a certificate", "a key"}, other[32] = "other";
	static struct certificate certificate = {.spki_sha256 = "another key"};
	(void)state;
	lab.record.in_the_clear = false;
	lab.record.tls_established = SEEN_YES;
	session_set_text(&lab.session, &lab.session.tls.chain[FROM_SERVER], other, 32, 32);
	lab.certificates.source = CERTIFICATES_IN_HANDSHAKE;
	lab.certificates.judged[FROM_SERVER] = true;
	lab.certificates.faults = FAULT_SELF_SIGNED;
	lab.server.pins = listed;
	lab.server.pin_count = 2;
	expect(EVIDENCE_CERTIFICATE_SUBSTITUTED, CONFIDENCE_NONE); // its key is not known
	lab.certificates.leaf = &certificate;
	expect(EVIDENCE_CERTIFICATE_SUBSTITUTED, CONFIDENCE_PROBABLE);
	assert_memory_equal(
	    evidence_lab_fact(&lab, EVIDENCE_CERTIFICATE_SUBSTITUTED, "sha256")->bytes, other, 32);
	lab.certificates.faults = FAULT_UNTRUSTED;
	expect(EVIDENCE_CERTIFICATE_SUBSTITUTED, CONFIDENCE_PROBABLE);
	lab.server.by_name = true; // anybody can call itself that
	expect(EVIDENCE_CERTIFICATE_SUBSTITUTED, CONFIDENCE_SUSPECTED);
	lab.server.by_name = false;
	lab.certificates.faults = FAULT_EXPIRED; // trusted for all that: renewed
	expect(EVIDENCE_CERTIFICATE_SUBSTITUTED, CONFIDENCE_NONE);
	lab.certificates.faults = FAULT_SELF_SIGNED;
	memcpy(certificate.spki_sha256, listed[1], 32);
	expect(EVIDENCE_CERTIFICATE_SUBSTITUTED, CONFIDENCE_NONE);
	memset(certificate.spki_sha256, 0, 32);
	session_set_text(&lab.session, &lab.session.tls.chain[FROM_SERVER], listed[0], 32, 32);
	expect(EVIDENCE_CERTIFICATE_SUBSTITUTED, CONFIDENCE_NONE);
}

// What a domain publishes in signed DNS does not fit.
static void a_certificate_that_is_not_published(void **state)
{
	static const uint8_t other[32] = "other", fitted[32] = "fitted", listed[1][32] = {"listed"};
	struct dane_judgement dane = {.outcome = DANE_MISMATCH,
	    .name = {.length = 14, .text = "mx.example.org"},
	    .asked_for = true,
	    .records = 1,
	    .status = DNSSEC_SECURE,
	    .fitted = true,
	    .fitted_last = LAB_NOW - SECONDS(60)};
	(void)state;
	memcpy(dane.fitted_leaf, fitted, 32);
	lab.record.in_the_clear = false;
	lab.record.tls_established = SEEN_YES;
	session_set_text(&lab.session, &lab.session.tls.chain[FROM_SERVER], other, 32, 32);
	lab.certificates.source = CERTIFICATES_IN_HANDSHAKE;
	lab.certificates.judged[FROM_SERVER] = true;
	lab.certificates.faults = FAULT_SELF_SIGNED;
	expect(EVIDENCE_CERTIFICATE_SUBSTITUTED, CONFIDENCE_NONE); // nobody reads DNS
	lab.certificates.dane = &dane;
	expect(EVIDENCE_CERTIFICATE_SUBSTITUTED, CONFIDENCE_PROBABLE);
	assert_memory_equal(
	    evidence_lab_fact(&lab, EVIDENCE_CERTIFICATE_SUBSTITUTED, "sha256")->bytes, other, 32);
	assert_memory_equal(
	    evidence_lab_fact(&lab, EVIDENCE_CERTIFICATE_SUBSTITUTED, "dane_name")->bytes,
	    "mx.example.org", 14);
	assert_memory_equal(
	    evidence_lab_fact(&lab, EVIDENCE_CERTIFICATE_SUBSTITUTED, "dane_fitted_sha256")->bytes,
	    fitted, 32);
	dane.asked_for = false; // the client may have meant another name
	expect(EVIDENCE_CERTIFICATE_SUBSTITUTED, CONFIDENCE_SUSPECTED);
	dane.asked_for = true;
	dane.fitted = false; // the records may be wrong
	expect(EVIDENCE_CERTIFICATE_SUBSTITUTED, CONFIDENCE_SUSPECTED);
	lab.certificates.faults = 0; // a good one, and nothing that it differs from: the records are old
	expect(EVIDENCE_CERTIFICATE_SUBSTITUTED, CONFIDENCE_NONE);
	dane.fitted = true;
	expect(EVIDENCE_CERTIFICATE_SUBSTITUTED, CONFIDENCE_SUSPECTED);
	lab.certificates.faults = FAULT_SELF_SIGNED;
	static const enum dnssec_status others[] = {
	    DNSSEC_CANNOT_TELL, DNSSEC_INSECURE, DNSSEC_BOGUS};
	for (size_t i = 0; i < 3; i++) {
		dane.status = others[i];
		expect(EVIDENCE_CERTIFICATE_SUBSTITUTED, CONFIDENCE_NONE);
	}
	dane.status = DNSSEC_SECURE;
	dane.outcome = DANE_NOT_KNOWN;
	expect(EVIDENCE_CERTIFICATE_SUBSTITUTED, CONFIDENCE_NONE);
	dane.outcome = DANE_MISMATCH;
	lab.certificates.judged[FROM_SERVER] = false;
	expect(EVIDENCE_CERTIFICATE_SUBSTITUTED, CONFIDENCE_NONE);
	lab.certificates.judged[FROM_SERVER] = true;
	lab.server.leaf_count = 1;
	lab.server.leaves[0] = (struct server_leaf){.sessions = 9, .networks = 3, .last = LAB_NOW};
	memcpy(lab.server.leaves[0].sha256, other, 32);
	expect(EVIDENCE_CERTIFICATE_SUBSTITUTED, CONFIDENCE_NONE); // it shows that to everybody
	lab.server.leaves[0].networks = 2;
	expect(EVIDENCE_CERTIFICATE_SUBSTITUTED, CONFIDENCE_PROBABLE);
	lab.server.pins = listed;
	lab.server.pin_count = 1;
	expect(EVIDENCE_CERTIFICATE_SUBSTITUTED, CONFIDENCE_NONE); // the list alone decides, and its key is not known
}

// Both ways, and what is surer of the two.
static void unlike_others_and_unlike_records(void **state)
{
	static const uint8_t other[32] = "other", usual[32] = "usual";
	struct dane_judgement dane = {.outcome = DANE_MISMATCH,
	    .asked_for = true,
	    .status = DNSSEC_SECURE,
	    .fitted = true};
	(void)state;
	lab.record.in_the_clear = false;
	lab.record.tls_established = SEEN_YES;
	session_set_text(&lab.session, &lab.session.tls.chain[FROM_SERVER], other, 32, 32);
	lab.certificates.source = CERTIFICATES_IN_HANDSHAKE;
	lab.certificates.judged[FROM_SERVER] = true;
	lab.certificates.faults = FAULT_SELF_SIGNED;
	lab.server.leaf_count = 1;
	lab.server.leaves[0] = (struct server_leaf){.sessions = 5, .last = LAB_NOW};
	memcpy(lab.server.leaves[0].sha256, usual, 32);
	lab.certificates.dane = &dane;
	expect(EVIDENCE_CERTIFICATE_SUBSTITUTED, CONFIDENCE_PROBABLE);
	evidence_lab_fact(&lab, EVIDENCE_CERTIFICATE_SUBSTITUTED, "usual_sha256");
	evidence_lab_fact(&lab, EVIDENCE_CERTIFICATE_SUBSTITUTED, "dane_records");
	dane.fitted = false;
	expect(EVIDENCE_CERTIFICATE_SUBSTITUTED, CONFIDENCE_SUSPECTED);
	lab.server.leaves[0].trusted = true;
	lab.server.leaves[0].not_after = LAB_NOW + SECONDS(86400);
	expect(EVIDENCE_CERTIFICATE_SUBSTITUTED, CONFIDENCE_PROBABLE);
}

static void a_port_for_tls_that_does_not_answer(void **state)
{
	(void)state;
	lab.session.protocol = PROTOCOL_IMAP;
	lab.record.port[FROM_SERVER] = 143;
	lab.client.blocked = (struct failed_attempt){
	    .time = LAB_NOW - SECONDS(30), .port = 993, .failure = {.kind = FAILURE_UNANSWERED}};
	expect(EVIDENCE_IMPLICIT_TLS_BLOCKED, CONFIDENCE_NONE); // it may not be there at all
	lab.implicit.established = 1;
	expect(EVIDENCE_IMPLICIT_TLS_BLOCKED, CONFIDENCE_SUSPECTED);
	lab.record.port[FROM_SERVER] = 110; // another protocol's
	expect(EVIDENCE_IMPLICIT_TLS_BLOCKED, CONFIDENCE_NONE);
	lab.record.port[FROM_SERVER] = 143;
	lab.client.blocked.time = LAB_NOW - DETECTOR_SOON - 1;
	expect(EVIDENCE_IMPLICIT_TLS_BLOCKED, CONFIDENCE_NONE);
	lab.client.blocked.time = LAB_NOW;
	lab.record.in_the_clear = false;
	expect(EVIDENCE_IMPLICIT_TLS_BLOCKED, CONFIDENCE_NONE);
}

static void the_mark_of_a_server_that_can_do_more(void **state)
{
	(void)state;
	lab.record.in_the_clear = false;
	lab.record.tls_established = SEEN_YES;
	lab.session.tls.version = 0x0303;
	lab.session.tls.client_version = 0x0303;
	lab.session.tls.downgrade_sentinel = SENTINEL_TLS_1_2;
	expect(EVIDENCE_TLS_DOWNGRADE_SENTINEL, CONFIDENCE_NONE); // an honest answer to an old client
	lab.session.tls.client_version = 0x0304;
	expect(EVIDENCE_TLS_DOWNGRADE_SENTINEL, CONFIDENCE_PROBABLE);
	lab.session.tls.client_version = 0; // its hello was not seen
	expect(EVIDENCE_TLS_DOWNGRADE_SENTINEL, CONFIDENCE_NONE);
	lab.session.tls.version = 0x0301;
	lab.session.tls.client_version = 0x0303;
	lab.session.tls.downgrade_sentinel = SENTINEL_TLS_1_1;
	expect(EVIDENCE_TLS_DOWNGRADE_SENTINEL, CONFIDENCE_PROBABLE);
}

static void bytes_in_the_clear_around_the_upgrade(void **state)
{
	(void)state;
	lab.record.in_the_clear = false;
	lab.session.injected_command_bytes = 12;
	expect(EVIDENCE_STARTTLS_COMMAND_INJECTION, CONFIDENCE_SUSPECTED);
	lab.session.injected_command_bytes = 0;
	lab.session.injected_response_bytes = 12;
	expect(EVIDENCE_STARTTLS_RESPONSE_INJECTION, CONFIDENCE_PROBABLE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    ROW(tls_broken_on_the_same_connection),
	    ROW(tls_broken_a_moment_ago),
	    ROW(how_tls_broke_counts),
	    ROW(a_certificate_shown_before),
	    ROW(another_certificate),
	    ROW(a_certificate_that_is_not_on_the_list),
	    ROW(a_certificate_that_is_not_published),
	    ROW(unlike_others_and_unlike_records),
	    ROW(a_port_for_tls_that_does_not_answer),
	    ROW(the_mark_of_a_server_that_can_do_more),
	    ROW(bytes_in_the_clear_around_the_upgrade),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
