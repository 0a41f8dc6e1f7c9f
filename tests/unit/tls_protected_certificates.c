// SPDX-License-Identifier: Apache-2.0
// Certificates that a key log opens in TLS 1.3, of both ends, stapled, compressed (RFC 8879), too long, or lying.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tls_protected_lab.h"

static void client_certificates(void **state)
{
	(void)state;
	static const size_t lengths[] = {30};
	for (unsigned count = 0; count < 2; count++) {
		begin(false);
		put_encrypted_extensions();
		put_message(13, 30);
		put_chain(0, lengths, 1, 0);
		put_finished();
		say_sealed(FROM_SERVER);
		assert_int_equal(told()->outcome.client_certificate_requested, SEEN_YES);
		put_chain(4, lengths, count, 0);
		say_sealed(FROM_CLIENT);
		assert_int_equal(told()->outcome.established, SEEN_YES);
		say_finished(FROM_CLIENT);
		assert_int_equal(told()->outcome.established, SEEN_YES);
		assert_true(facts_have(&whole, count == 0 ? "chain end 0 0" : "chain end 0 1"));
		assert_int_equal(tells_of("certificate 0 0 30/"), count == 1);
	}
	end_test();
}

// The extensions of two certificates, the second's of no interest.
static void say_entries(const char *extensions, size_t length)
{
	begin(false);
	put_encrypted_extensions();
	size_t message = open_message(&body, 11);
	put(&body, 1, 0);
	size_t list = open_vector(&body, 3);
	for (int i = 0; i < 2; i++) {
		put(&body, 3, 20);
		put_filler(&body, 20);
		put(&body, 2, i == 0 ? (uint32_t)length : 15);
		put_bytes(&body,
		    i == 0 ? extensions : "\x00\x05\x00\x01\x01\x00\x12\x00\x06\x00\x04\x00\x02zz",
		    i == 0 ? length : 15);
	}
	close_vector(&body, 3, list);
	close_vector(&body, 3, message);
	put_finished();
	say_sealed(FROM_SERVER);
	say_finished(FROM_CLIENT);
	told();
	assert_true(facts_have(&whole, "chain end 1 2"));
	assert_int_equal(whole.outcome.established, SEEN_YES);
}

#define ENTRIES(extensions) say_entries(extensions, sizeof(extensions) - 1)

static void staples_and_timestamps(void **state)
{
	(void)state;
	ENTRIES("");
	assert_int_equal(whole.outcome.ocsp_staple, SEEN_NO);
	assert_false(tells_of("timestamps"));
	ENTRIES("\x00\x05\x00\x06\x01\x00\x00\x02"
	        "xy");
	assert_int_equal(whole.outcome.ocsp_staple, SEEN_YES);
	ENTRIES("\x00\x12\x00\x0b\x00\x09\x00\x03"
	        "abc\x00\x02"
	        "de\x00\x05\x00\x04\x01\x00\x00\x00");
	assert_true(facts_have(&whole, "timestamps 2"));
	assert_int_equal(whole.outcome.ocsp_staple, SEEN_YES);
	ENTRIES("\x00\x12\x00\x06\x00\x04\x00\x09"
	        "ab"); // one longer than the list
	assert_true(facts_have(&whole, "timestamps 0"));
	ENTRIES("\x00\x05\xff\xff"); // longer than the entry
	assert_int_equal(whole.outcome.ocsp_staple, SEEN_NO);
	begin(false);
	put_encrypted_extensions();
	say_sealed(FROM_SERVER);
	assert_int_equal(told()->outcome.ocsp_staple, NOT_SEEN);
	end_test();
}

// One Certificate message of these bytes; the rest of the handshake is as it should be.
static void say_liar(uint8_t type, const char *bytes, size_t length)
{
	begin(false);
	size_t message = open_message(&body, type);
	put_bytes(&body, bytes, length);
	close_vector(&body, 3, message);
	put_finished();
	say_sealed(FROM_SERVER);
	say_finished(FROM_CLIENT);
	told();
	assert_int_equal(whole.outcome.client_certificate_requested, SEEN_NO);
	assert_int_equal(whole.outcome.established, SEEN_YES);
}

#define LIAR(type, bytes) say_liar(type, bytes, sizeof(bytes) - 1)

static void lying_messages_end_quietly(void **state)
{
	(void)state;
	LIAR(11, "");
	LIAR(11, "\xff");
	LIAR(11, "\x05"
	         "abc");
	LIAR(11, "\x00\x00\x00");
	LIAR(11, "\x00\xff\xff\xff");
	LIAR(11, "\x00\x00\x00\x05\x00\x00\x01z\x00"); // half a length of extensions
	assert_false(tells_of("chain end"));
	LIAR(11, "\x00\x00\x00\x06\x00\x00\x01z\x00\x09"); // extensions beyond the list
	assert_false(tells_of("chain end"));
	assert_true(whole.outcome.server_certificate_hidden);
	LIAR(11, "\x00\x00\x00\x09\x00\x00\x01z\x00\x03"
	         "abc");
	assert_true(facts_have(&whole, "chain end 1 1"));
	LIAR(11, "\x00\x00\x00\x06\x00\x00\x00\x00\x00\x00");
	assert_false(tells_of("chain end"));
	LIAR(8, "");
	LIAR(8, "\x00\xff\x00\x10");
	LIAR(8, "\x00\x07\x00\x10\x00\x09\x00\x02\x01");
	LIAR(8, "\x00\x07\x00\x10\x00\x03\x00\x01\x00");
	LIAR(8, "\x00\x07\x00\x10\x00\x03\x00\x09\x05");
	assert_false(tells_of("server alpn"));
	end_test();
}

static void chains_have_bounds(void **state)
{
	(void)state;
	static const size_t large[] = {200 * 1024, 90 * 1024};
	for (unsigned count = 1; count <= 2; count++) {
		begin(false);
		put_chain(0, large, count, 0);
		put_finished();
		say_sealed(FROM_SERVER);
		say_finished(FROM_CLIENT);
		facts_of(&talk, &(struct feeding){.keylog = keylog}, &whole);
		assert_int_equal(facts_have(&whole, "chain end 1 1"), count == 1);
		assert_int_equal(whole.outcome.established, SEEN_YES);
		assert_int_equal(whole.outcome.server_certificate_hidden, count != 1);
	}
	end_test();
}

// ---- compressed certificates (RFC 8879)

// As zlib packs what it cannot make smaller (RFC 1950, RFC 1951 3.2.4).
static void put_stored(struct bytes *to, const struct bytes *from)
{
	uint32_t a = 1, b = 0;
	for (size_t i = 0; i < from->length; i++) {
		a = (a + from->data[i]) % 65521;
		b = (b + a) % 65521;
	}
	put(to, 3, 0x780101);
	put(to, 1, (uint32_t)from->length & 0xff);
	put(to, 1, (uint32_t)from->length >> 8);
	put(to, 1, ~(uint32_t)from->length & 0xff);
	put(to, 1, ~(uint32_t)from->length >> 8 & 0xff);
	put_bytes(to, from->data, from->length);
	put(to, 4, b << 16 | a);
}

// The message for the Certificate in `extra`, whose sender says it has `length` bytes.
static void put_compressed(uint16_t algorithm, uint32_t length, size_t cut)
{
	size_t message = open_message(&body, 25);
	put(&body, 2, algorithm);
	put(&body, 3, length);
	size_t packed = open_vector(&body, 3);
	put_stored(&body, &extra);
	body.length -= cut;
	close_vector(&body, 3, packed);
	close_vector(&body, 3, message);
}

static void compressed_certificates_are_unpacked(void **state)
{
	(void)state;
	static const size_t lengths[] = {900, 20};
	for (size_t longest = 50; longest <= 3200; longest *= 4) {
		begin(false);
		put_encrypted_extensions();
		put_message(13, 10);
		put_certificates(&extra, 0, lengths, 2, 6);
		put_compressed(1, (uint32_t)extra.length, 0);
		put_message(15, 10);
		put_finished();
		say_sealed_in(FROM_SERVER, longest);
		extra.length = 0;
		put_certificates(&extra, 2, lengths + 1, 1, 0);
		put_compressed(1, (uint32_t)extra.length, 0);
		put_finished();
		say_sealed_in(FROM_CLIENT, longest);
		told();
		assert_true(tells_of("certificate 1 0 900/"));
		assert_true(facts_have(&whole, "chain end 1 2"));
		assert_true(facts_have(&whole, "chain end 0 1"));
		assert_int_equal(whole.outcome.established, SEEN_YES);
	}
	end_test();
}

static void check_not_unpacked(uint16_t algorithm, int32_t more, size_t cut)
{
	static const size_t lengths[] = {300};
	begin(false);
	put_encrypted_extensions();
	put_certificates(&extra, 0, lengths, 1, 0);
	put_compressed(algorithm, (uint32_t)((int32_t)extra.length + more), cut);
	put_finished();
	say_sealed(FROM_SERVER);
	say_finished(FROM_CLIENT);
	told();
	assert_false(tells_of("certificate"));
	assert_true(whole.outcome.server_certificate_hidden);
	assert_int_equal(whole.outcome.established, SEEN_YES);
	assert_int_equal(whole.outcome.client_certificate_requested, SEEN_NO);
}

static void what_cannot_be_unpacked_stays_hidden(void **state)
{
	(void)state;
	check_not_unpacked(1, 1, 0);
	check_not_unpacked(1, -1, 0);
	check_not_unpacked(1, -308, 0); // says that nothing is in it
	check_not_unpacked(1, 300 * 1024, 0);
	check_not_unpacked(1, 0, 1);
	check_not_unpacked(1, 0, 300);
	check_not_unpacked(2, 0, 0);
	check_not_unpacked(3, 0, 0);
	check_not_unpacked(0, 0, 0);
	check_not_unpacked(99, 0, 0);
	end_test();
}

// What is unpacked is no Certificate message, or not only.
static void liars_may_be_packed(void **state)
{
	(void)state;
	for (size_t length = 0; length < 60; length++) {
		static const size_t lengths[] = {10, 20};
		begin(false);
		put_certificates(&extra, 1, lengths, 2, 3);
		if (length < extra.length)
			extra.length = length;
		else
			put_filler(&extra, length);
		put_compressed(1, (uint32_t)extra.length, 0);
		put_finished();
		say_sealed(FROM_SERVER);
		say_finished(FROM_CLIENT);
		told();
		assert_int_equal(whole.outcome.established, SEEN_YES);
		assert_int_equal(whole.outcome.client_certificate_requested, SEEN_NO);
		assert_int_equal(facts_have(&whole, "chain end 1 2"), length >= 51);
	}
	end_test();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(client_certificates),
	    cmocka_unit_test(staples_and_timestamps),
	    cmocka_unit_test(lying_messages_end_quietly),
	    cmocka_unit_test(chains_have_bounds),
	    cmocka_unit_test(compressed_certificates_are_unpacked),
	    cmocka_unit_test(what_cannot_be_unpacked_stays_hidden),
	    cmocka_unit_test(liars_may_be_packed),
	};
	return cmocka_run_group_tests_name("tls_protected_certificates", tests, NULL, NULL);
}
