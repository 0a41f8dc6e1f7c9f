// SPDX-License-Identifier: Apache-2.0
// What the hellos of a session and what follows them leave in its facts, and what these say together.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "decode/certificate_announcer.h"
#include "decode/tls_facts.h"
#include "decode/tls_quality.h"
#include "hello.h"

enum {
	TLS12_STATIC = 0x009c, // RSA_WITH_AES_128_GCM_SHA256
	TLS12_FINITE = 0x0033, // DHE_RSA_WITH_AES_128_CBC_SHA
	TLS12_CURVE = 0xc02f, // ECDHE_RSA_WITH_AES_128_GCM_SHA256
	TLS12_ANONYMOUS = 0x00a6, // DH_anon_WITH_AES_128_GCM_SHA256
	TLS12_3DES = 0xc012, // ECDHE_RSA_WITH_3DES_EDE_CBC_SHA
	TLS13 = 0x1301,
};

enum message { CERTIFICATE = 11, KEY_EXCHANGE = 12, DONE = 14, CLIENT_KEY = 16, STATUS = 22 };

static struct memory *memory;
static struct session_shared shared;
static struct session session;
static struct tls_suite_memory remembered;
static struct tls *tls;
static struct hello hello;

/* ---- saying things ---- */

static void start(void)
{
	session_begin(&session, &shared);
	tls = tls_create(memory, &tls_facts_sink, &session);
	assert_non_null(tls);
}

static struct tls_quality finish(void)
{
	tls_facts_conclude(&session, tls);
	tls_destroy(tls);
	return tls_quality_of(&session.tls, &remembered);
}

static void give_back(void)
{
	session_release(&session);
	assert_int_equal(text_store_count(shared.texts), 0);
}

static void say_record(enum direction sender, uint8_t type, const void *bytes, size_t length)
{
	uint8_t record[5 + sizeof hello.bytes] = {
	    type, 3, 3, (uint8_t)(length >> 8), (uint8_t)length};
	size_t used;
	memcpy(record + 5, bytes, length);
	tls_feed(tls, sender, record, 5 + length, &used);
}

static void say(enum direction sender, uint8_t type, const void *body, size_t length)
{
	uint8_t message[4 + sizeof hello.bytes] = {
	    type, 0, (uint8_t)(length >> 8), (uint8_t)length};
	if (length > 0)
		memcpy(message + 4, body, length);
	say_record(sender, 22, message, 4 + length);
}

static void say_hello(enum direction sender)
{
	say(sender, sender == FROM_CLIENT ? 1 : 2, hello.bytes, hello.length);
}

static void say_switch(enum direction sender)
{
	say_record(sender, 20, "\x01", 1);
}

static void client_hello(void)
{
	static const uint16_t suites[] = {
	    TLS13, TLS12_CURVE, TLS12_FINITE, TLS12_STATIC, TLS12_3DES};
	hello_of_client(&hello, 0x0303, suites, sizeof suites / sizeof suites[0]);
}

// One that asks for all there is up to TLS 1.2.
static void say_asking_hello(void)
{
	client_hello();
	hello_extend(&hello, 5, "\x01\0\0\0\0", 5);
	hello_extend(&hello, 18, NULL, 0);
	hello_extend(&hello, 23, NULL, 0);
	hello_extend(&hello, 0xff01, "\0", 1);
	say_hello(FROM_CLIENT);
}

// One of TLS 1.3, with this key share list.
static void say_modern_hello(const void *shares, size_t length, bool cookie)
{
	static const uint16_t versions[] = {0x0304, 0x0303}, groups[] = {29, 23, 4588};
	client_hello();
	hello_extend_list(&hello, 43, 1, versions, 2);
	hello_extend_list(&hello, 10, 2, groups, 3);
	hello_extend(&hello, 51, shares, length);
	if (cookie)
		hello_extend(&hello, 44, "\0\x01x", 3);
	say_hello(FROM_CLIENT);
}

static void say_plain_hello(void)
{
	say_modern_hello("\0\x0e\x0a\x0a\0\x01\0\0\x1d\0\x05share", 16, false);
}

static void say_classic_answer(uint16_t suite, uint8_t compression, bool extended)
{
	hello_of_server(&hello, 0x0303, suite, compression);
	if (extended) {
		hello_extend(&hello, 23, NULL, 0);
		hello_extend(&hello, 0xff01, "\0", 1);
		hello_extend(&hello, 5, NULL, 0);
		hello_extend(&hello, 18, "\0\x08\0\x02xx\0\x02yy", 10);
	}
	say_hello(FROM_SERVER);
}

static void say_modern_answer(bool retry, uint16_t group, bool psk)
{
	static const uint8_t retry_random[32] = {0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11,
	    0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91, 0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb,
	    0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c};
	uint8_t share[] = {(uint8_t)(group >> 8), (uint8_t)group, 0, 1, 'x'};
	hello_of_server(&hello, 0x0303, TLS13, 0);
	hello_extend(&hello, 43, "\x03\x04", 2);
	if (group != 0)
		hello_extend(&hello, 51, share, retry ? 2 : sizeof share);
	if (psk)
		hello_extend(&hello, 41, "\0\0", 2);
	if (retry)
		memcpy(hello.bytes + 2, retry_random, sizeof retry_random);
	say_hello(FROM_SERVER);
}

// The rest of a full handshake's server side.
static void say_flight(bool staple, const char *key_exchange, size_t length)
{
	say(FROM_SERVER, CERTIFICATE, "\0\0\x05\0\0\x02\x30\0", 8);
	if (staple)
		say(FROM_SERVER, STATUS, "\x01\0\0\x01x", 5);
	if (key_exchange != NULL)
		say(FROM_SERVER, KEY_EXCHANGE, key_exchange, length);
	say(FROM_SERVER, DONE, NULL, 0);
}

static void say_curve_flight(bool staple)
{
	say_flight(staple, "\x03\0\x1d\x01x", 5);
}

/* ---- what follows ---- */

static void nothing_seen(void **state)
{
	(void)state;
	start();
	struct tls_quality quality = finish();
	assert_false(quality.suite_known || quality.timestamps_seen || quality.key_share_seen);
	assert_int_equal(quality.forward_secrecy, NOT_SEEN);
	assert_int_equal(quality.post_quantum, POST_QUANTUM_NOT_SEEN);
	assert_int_equal(quality.compression, NOT_SEEN);
	assert_int_equal(quality.secure_renegotiation, NOT_SEEN);
	assert_int_equal(quality.secure_renegotiation_offered, NOT_SEEN);
	assert_int_equal(quality.extended_master_secret, NOT_SEEN);
	assert_int_equal(quality.ocsp_staple, NOT_SEEN);
	assert_int_equal(quality.ech_offered, NOT_SEEN);
	assert_int_equal(quality.post_quantum_offered, NOT_SEEN);
	give_back();
}

static void a_good_session_of_tls12(void **state)
{
	(void)state;
	start();
	say_asking_hello();
	say_classic_answer(TLS12_CURVE, 0, true);
	say_curve_flight(true);
	struct tls_quality quality = finish();
	assert_true(quality.suite_known && quality.aead);
	assert_int_equal(quality.weaknesses, 0);
	assert_int_equal(quality.forward_secrecy, SEEN_YES);
	assert_int_equal(quality.post_quantum, POST_QUANTUM_NONE);
	assert_int_equal(quality.compression, SEEN_NO);
	assert_int_equal(quality.secure_renegotiation, SEEN_YES);
	assert_int_equal(quality.secure_renegotiation_offered, SEEN_YES);
	assert_int_equal(quality.extended_master_secret, SEEN_YES);
	assert_int_equal(quality.ocsp_staple, SEEN_YES);
	assert_true(quality.timestamps_seen);
	assert_int_equal(quality.timestamps, 2);
	assert_int_equal(quality.ech_offered, SEEN_NO);
	assert_int_equal(quality.post_quantum_offered, SEEN_NO);
	assert_true(quality.key_share_seen);
	assert_int_equal(quality.key_share_bytes, 0);
	give_back();
}

static void a_poor_session_of_tls12(void **state)
{
	(void)state;
	start();
	say_asking_hello();
	say_classic_answer(TLS12_3DES, 1, false);
	say_curve_flight(false);
	struct tls_quality quality = finish();
	assert_true(quality.suite_known && !quality.aead);
	assert_int_equal(quality.weaknesses, 1 << TLS_WEAK_3DES | 1 << TLS_WEAK_SHORT_BLOCK);
	assert_int_equal(quality.compression, SEEN_YES);
	assert_int_equal(quality.secure_renegotiation, SEEN_NO);
	assert_int_equal(quality.extended_master_secret, SEEN_NO);
	assert_int_equal(quality.ocsp_staple, SEEN_NO);
	assert_true(quality.timestamps_seen);
	assert_int_equal(quality.timestamps, 0);
	give_back();
}

// What nobody asked for is no question.
static void a_client_that_asks_for_nothing(void **state)
{
	(void)state;
	start();
	client_hello();
	say_hello(FROM_CLIENT);
	say_classic_answer(TLS12_CURVE, 0, false);
	say_curve_flight(false);
	struct tls_quality quality = finish();
	assert_int_equal(quality.secure_renegotiation_offered, SEEN_NO);
	assert_int_equal(quality.ocsp_staple, NOT_SEEN);
	assert_false(quality.timestamps_seen);
	give_back();
}

static void exchanges_of_tls12(void **state)
{
	(void)state;
	start();
	say_asking_hello();
	say_classic_answer(TLS12_STATIC, 0, true);
	say_flight(false, NULL, 0);
	struct tls_quality quality = finish();
	assert_int_equal(quality.forward_secrecy, SEEN_NO);
	assert_int_equal(quality.post_quantum, POST_QUANTUM_NONE);
	give_back();
	start();
	say_asking_hello();
	say_classic_answer(TLS12_FINITE, 0, true);
	say_flight(false, "\0\x01x\0\x01x\0\x01x", 9);
	quality = finish();
	assert_int_equal(quality.forward_secrecy, SEEN_YES);
	assert_int_equal(quality.post_quantum, POST_QUANTUM_NONE);
	assert_false(quality.aead);
	give_back();
}

// No new keys were exchanged, and no certificate shown.
static void a_resumed_session_of_tls12(void **state)
{
	(void)state;
	start();
	say_asking_hello();
	say_classic_answer(TLS12_CURVE, 0, false);
	say_switch(FROM_SERVER);
	struct tls_quality quality = finish();
	assert_int_equal(session.tls.resumed, SEEN_YES);
	assert_true(quality.aead);
	assert_int_equal(quality.forward_secrecy, NOT_SEEN);
	assert_int_equal(quality.post_quantum, POST_QUANTUM_NOT_SEEN);
	assert_int_equal(quality.ocsp_staple, NOT_SEEN);
	assert_false(quality.timestamps_seen);
	give_back();
}

// Nothing to staple a response to.
static void an_anonymous_session_of_tls12(void **state)
{
	(void)state;
	start();
	say_asking_hello();
	say_classic_answer(TLS12_ANONYMOUS, 0, false);
	say(FROM_SERVER, KEY_EXCHANGE, "\0\x01x\0\x01x\0\x01x", 9);
	say(FROM_SERVER, DONE, NULL, 0);
	struct tls_quality quality = finish();
	assert_int_equal(session.tls.resumed, SEEN_NO);
	assert_int_equal(quality.weaknesses, 1 << TLS_WEAK_ANONYMOUS);
	assert_int_equal(quality.forward_secrecy, SEEN_YES);
	assert_int_equal(quality.ocsp_staple, NOT_SEEN);
	assert_false(quality.timestamps_seen);
	give_back();
}

// Behind the ServerHello all is hidden: a resumed session looks the same.
static void a_session_of_tls12_cut_off(void **state)
{
	(void)state;
	start();
	say_asking_hello();
	say_classic_answer(TLS12_CURVE, 0, false);
	tls_gap(tls, FROM_SERVER, 1000);
	struct tls_quality quality = finish();
	assert_int_equal(quality.forward_secrecy, NOT_SEEN);
	assert_int_equal(quality.post_quantum, POST_QUANTUM_NOT_SEEN);
	assert_int_equal(quality.ocsp_staple, NOT_SEEN);
	assert_false(quality.timestamps_seen);
	assert_int_equal(quality.secure_renegotiation, SEEN_NO);
	give_back();
}

// A staple that may have been in the gap.
static void a_staple_not_seen(void **state)
{
	(void)state;
	start();
	say_asking_hello();
	say_classic_answer(TLS12_CURVE, 0, true);
	say(FROM_SERVER, CERTIFICATE, "\0\0\x05\0\0\x02\x30\0", 8);
	tls_gap(tls, FROM_SERVER, 10);
	say(FROM_SERVER, KEY_EXCHANGE, "\x03\0\x1d\x01x", 5);
	say(FROM_SERVER, DONE, NULL, 0);
	struct tls_quality quality = finish();
	assert_int_equal(quality.forward_secrecy, SEEN_YES);
	assert_int_equal(quality.ocsp_staple, NOT_SEEN);
	give_back();
}

static void sessions_of_tls13(void **state)
{
	static const struct {
		uint16_t group;
		bool psk;
		enum seen forward_secrecy;
		enum tls_post_quantum post_quantum;
	} cases[] = {
	    {29, false, SEEN_YES, POST_QUANTUM_NONE},
	    {29, true, SEEN_YES, POST_QUANTUM_NONE},
	    {4588, false, SEEN_YES, POST_QUANTUM_HYBRID},
	    {513, false, SEEN_YES, POST_QUANTUM_PURE},
	    {0xfe31, false, SEEN_YES, POST_QUANTUM_NOT_SEEN},
	    {0, true, SEEN_NO, POST_QUANTUM_NOT_SEEN},
	    {0, false, NOT_SEEN, POST_QUANTUM_NOT_SEEN},
	};
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		start();
		say_plain_hello();
		say_modern_answer(false, cases[i].group, cases[i].psk);
		struct tls_quality quality = finish();
		assert_int_equal(quality.forward_secrecy, cases[i].forward_secrecy);
		assert_int_equal(quality.post_quantum, cases[i].post_quantum);
		assert_int_equal(quality.compression, SEEN_NO);
		assert_int_equal(quality.secure_renegotiation, NOT_SEEN);
		assert_int_equal(quality.extended_master_secret, SEEN_YES);
		assert_int_equal(quality.ocsp_staple, NOT_SEEN);
		assert_false(quality.timestamps_seen);
		assert_int_equal(quality.post_quantum_offered, SEEN_YES);
		assert_true(quality.key_share_seen);
		assert_int_equal(quality.key_share_bytes, 5); // GREASE is none
		give_back();
	}
}

// What TLS 1.3 hides, even where the client asked.
static void staples_of_tls13(void **state)
{
	static const uint16_t versions[] = {0x0304};
	(void)state;
	start();
	client_hello();
	hello_extend(&hello, 5, "\x01\0\0\0\0", 5);
	hello_extend(&hello, 18, NULL, 0);
	hello_extend_list(&hello, 43, 1, versions, 1);
	say_hello(FROM_CLIENT);
	say_modern_answer(false, 29, false);
	session.tls.certificates[FROM_SERVER] = 1; // as with a key log
	struct tls_quality quality = finish();
	assert_int_equal(session.tls.resumed, SEEN_NO);
	assert_int_equal(quality.ocsp_staple, NOT_SEEN);
	assert_false(quality.timestamps_seen);
	give_back();
}

static void a_session_of_sslv2(void **state)
{
	(void)state;
	start();
	finish();
	session.tls.version = TLS_SSL2;
	session.tls.sslv2_cipher = 0x0700c0;
	struct tls_quality quality = tls_quality_of(&session.tls, &remembered);
	assert_true(quality.suite_known && !quality.aead);
	assert_int_equal(
	    quality.weaknesses, 1 << TLS_WEAK_3DES | 1 << TLS_WEAK_SHORT_BLOCK | 1 << TLS_WEAK_MD5);
	assert_int_equal(quality.forward_secrecy, SEEN_NO);
	assert_int_equal(quality.post_quantum, POST_QUANTUM_NONE);
	assert_int_equal(quality.secure_renegotiation, NOT_SEEN);
	give_back();
}

static void encrypted_client_hello(void **state)
{
	(void)state;
	start();
	client_hello();
	hello_extend(&hello, 0xfe0d, "\0", 1);
	say_hello(FROM_CLIENT);
	assert_int_equal(finish().ech_offered, SEEN_YES);
	give_back();
}

/* ---- which hello counts ---- */

static struct tls_offer offer_kept(void)
{
	struct tls_offer offer;
	assert_true(tls_facts_offer(&session.tls, &offer));
	return offer;
}

static void the_first_hello_counts(void **state)
{
	(void)state;
	start();
	say_plain_hello();
	struct tls_offer before = offer_kept();
	say_modern_answer(true, 23, false);
	struct tls_answer answer;
	assert_false(tls_facts_answer(&session.tls, &answer));
	say_modern_hello("\0\x09\0\x17\0\x05other", 11, true);
	struct tls_offer after = offer_kept();
	assert_memory_equal(&before, &after, sizeof before);
	assert_true(after.has_ja3 && after.has_ja4 && after.first);
	assert_int_equal(after.key_share_bytes, 5);
	say_modern_answer(false, 23, false);
	assert_true(tls_facts_answer(&session.tls, &answer));
	assert_true(answer.has_ja3s);
	finish();
	give_back();
}

// A hello behind one that could not be read is not the first.
static void the_first_hello_is_malformed(void **state)
{
	(void)state;
	start();
	client_hello();
	hello_put(&hello, 1, 0);
	say_hello(FROM_CLIENT);
	say_plain_hello();
	assert_false(offer_kept().has_ja3 || offer_kept().has_ja4 || offer_kept().first);
	finish();
	give_back();
}

// Only the second hello, or what may be one: no fingerprints, but what both have.
static void check_second_alone(void)
{
	struct tls_offer offer = offer_kept();
	assert_false(offer.has_ja3 || offer.has_ja4 || offer.first);
	assert_true(offer.post_quantum);
	struct tls_quality quality = finish();
	assert_false(quality.key_share_seen);
	assert_int_equal(quality.post_quantum_offered, SEEN_YES);
	give_back();
}

static void a_second_hello_is_known(void **state)
{
	static const char share[] = "\0\x05\0\x17\0\x01x";
	(void)state;
	start(); // the request was seen
	tls_gap(tls, FROM_CLIENT, 300);
	say_modern_answer(true, 23, false);
	say_modern_hello("\0\x0a\0\x17\0\x01x\0\x1d\0\x01x", 12, false);
	check_second_alone();
	start(); // it has a cookie
	say_modern_hello("\0\x0a\0\x17\0\x01x\0\x1d\0\x01x", 12, true);
	check_second_alone();
	start(); // the middleboxes' ChangeCipherSpec comes before it
	say_switch(FROM_CLIENT);
	say_modern_hello(share, 7, false);
	check_second_alone();
	start(); // it may be
	tls_gap(tls, FROM_CLIENT, 300);
	say_modern_hello(share, 7, false);
	check_second_alone();
	start(); // it has two key shares, or none: it is not
	tls_gap(tls, FROM_CLIENT, 300);
	say_modern_hello("\0\x0a\0\x17\0\x01x\0\x1d\0\x01x", 12, false);
	assert_true(offer_kept().has_ja3 && offer_kept().has_ja4);
	finish();
	give_back();
	start();
	tls_gap(tls, FROM_CLIENT, 300);
	say_asking_hello();
	assert_true(offer_kept().has_ja3 && offer_kept().has_ja4);
	finish();
	give_back();
}

static void malformed_hellos_tell_nothing(void **state)
{
	struct tls_offer offer;
	struct tls_answer answer;
	(void)state;
	start();
	client_hello();
	hello_extend(&hello, 0xfe0d, "\0", 1);
	hello_put(&hello, 1, 0);
	say_hello(FROM_CLIENT);
	hello_of_server(&hello, 0x0303, TLS12_CURVE, 1);
	hello_extend(&hello, 23, NULL, 0);
	hello_put(&hello, 1, 0);
	say_hello(FROM_SERVER);
	assert_false(tls_facts_offer(&session.tls, &offer));
	assert_false(tls_facts_answer(&session.tls, &answer));
	struct tls_quality quality = finish();
	assert_int_equal(quality.ech_offered, NOT_SEEN);
	assert_int_equal(quality.compression, NOT_SEEN);
	assert_false(quality.key_share_seen);
	give_back();
}

static void one_side_alone(void **state)
{
	(void)state;
	start();
	say_asking_hello();
	struct tls_quality quality = finish();
	assert_int_equal(quality.secure_renegotiation_offered, SEEN_YES);
	assert_int_equal(quality.secure_renegotiation, NOT_SEEN);
	assert_int_equal(quality.compression, NOT_SEEN);
	assert_false(quality.suite_known);
	give_back();
	start();
	say_classic_answer(TLS12_CURVE, 0, false);
	say_curve_flight(false);
	quality = finish();
	assert_int_equal(quality.secure_renegotiation, SEEN_NO);
	assert_int_equal(quality.secure_renegotiation_offered, NOT_SEEN);
	assert_int_equal(quality.forward_secrecy, SEEN_YES);
	assert_int_equal(quality.ocsp_staple, NOT_SEEN); // asked for?
	assert_false(quality.timestamps_seen);
	give_back();
}

// The same software says the same: kept once.
static void equal_hellos_are_kept_once(void **state)
{
	(void)state;
	start();
	say_plain_hello();
	struct text *offer = session.tls.offer;
	struct session first = session;
	tls_destroy(tls);
	start();
	say_plain_hello();
	assert_ptr_equal(session.tls.offer, offer);
	finish();
	session_release(&first);
	give_back();
}

static int begin(void **state)
{
	static const struct hash_key key = {{1, 2}};
	(void)state;
	memory = memory_create(4 << 20);
	shared.texts = text_store_create(memory, &key, 64);
	shared.fingerprints = tls_fingerprints_create();
	shared.certificates = certificate_announcer_create(memory, &key, NULL, NULL);
	return shared.texts == NULL || shared.fingerprints == NULL || shared.certificates == NULL;
}

static int end(void **state)
{
	(void)state;
	certificate_announcer_destroy(shared.certificates);
	tls_fingerprints_destroy(shared.fingerprints);
	text_store_destroy(shared.texts);
	memory_destroy(memory);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(nothing_seen),
	    cmocka_unit_test(a_good_session_of_tls12),
	    cmocka_unit_test(a_poor_session_of_tls12),
	    cmocka_unit_test(a_client_that_asks_for_nothing),
	    cmocka_unit_test(exchanges_of_tls12),
	    cmocka_unit_test(a_resumed_session_of_tls12),
	    cmocka_unit_test(an_anonymous_session_of_tls12),
	    cmocka_unit_test(a_session_of_tls12_cut_off),
	    cmocka_unit_test(a_staple_not_seen),
	    cmocka_unit_test(sessions_of_tls13),
	    cmocka_unit_test(staples_of_tls13),
	    cmocka_unit_test(a_session_of_sslv2),
	    cmocka_unit_test(encrypted_client_hello),
	    cmocka_unit_test(the_first_hello_counts),
	    cmocka_unit_test(the_first_hello_is_malformed),
	    cmocka_unit_test(a_second_hello_is_known),
	    cmocka_unit_test(malformed_hellos_tell_nothing),
	    cmocka_unit_test(one_side_alone),
	    cmocka_unit_test(equal_hellos_are_kept_once),
	};
	return cmocka_run_group_tests_name("tls_quality", tests, begin, end);
}
