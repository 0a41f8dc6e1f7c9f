// SPDX-License-Identifier: Apache-2.0
// The TLS parser on messages built by hand: what no library of today makes.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "decode/tls_hello.h"
#include "decode/tls_names.h"
#include "tls_bytes.h"
#include "tls_conversation.h"

#include <stdio.h>
#include <string.h>

// ---- building

// A ClientHello; `extensions` NULL: none at all.
static void put_client_hello(struct bytes *to, uint16_t version, const struct bytes *extensions)
{
	size_t message = open_message(to, 1);
	put(to, 2, version);
	put_filler(to, 32);
	put(to, 1, 0);
	put(to, 2, 4);
	put(to, 4, 0x002f00ff);
	put(to, 2, 0x0100);
	if (extensions != NULL) {
		put(to, 2, (uint32_t)extensions->length);
		put_bytes(to, extensions->data, extensions->length);
	}
	close_vector(to, 3, message);
}

static void put_server_hello(struct bytes *to, uint16_t version, uint16_t cipher)
{
	size_t message = open_message(to, 2);
	put(to, 2, version);
	put_filler(to, 32);
	put(to, 1, 0);
	put(to, 2, cipher);
	put(to, 1, 0);
	close_vector(to, 3, message);
}

static void put_chain(struct bytes *to, const size_t *lengths, unsigned count)
{
	size_t message = open_message(to, 11), list = open_vector(to, 3);
	for (unsigned i = 0; i < count; i++) {
		put(to, 3, (uint32_t)lengths[i]);
		put_filler(to, lengths[i]);
	}
	close_vector(to, 3, list);
	close_vector(to, 3, message);
}

static void put_empty(struct bytes *to, uint8_t type)
{
	close_vector(to, 3, open_message(to, type));
}

// What is said in one segment, as records of at most `longest` bytes each.
static void say(struct conversation *talk, enum direction sender, uint8_t type, uint16_t version,
    const struct bytes *body, size_t longest)
{
	static struct bytes out;
	out.length = 0;
	for (size_t done = 0; done < body->length || done == 0;) {
		size_t length = body->length - done < longest ? body->length - done : longest;
		put(&out, 1, type);
		put(&out, 2, version);
		put(&out, 2, (uint32_t)length);
		put_bytes(&out, body->data + done, length);
		done += length;
		if (length == 0)
			break;
	}
	conversation_add(talk, sender, out.data, out.length);
}

static void say_filler(
    struct conversation *talk, enum direction sender, uint8_t type, uint16_t version, size_t length)
{
	static struct bytes body;
	body.length = 0;
	put_filler(&body, length);
	if (type == 20)
		body.data[0] = 1;
	say(talk, sender, type, version, &body, 1 << 14);
}

static struct conversation talk;
static struct facts whole, part;
static struct bytes body, extensions;

// The facts of `talk`, after checking that no split changes them.
static const struct facts *told(void)
{
	facts_of(&talk, &(struct feeding){0}, &whole);
	for (size_t piece = 1; piece < 12; piece++) {
		facts_of(&talk, &(struct feeding){.piece = piece}, &part);
		facts_equal(&whole, &part);
	}
	return &whole;
}

static void begin(void)
{
	conversation_clear(&talk);
	talk.closed[FROM_CLIENT] = talk.closed[FROM_SERVER] = true;
	body.length = extensions.length = 0;
}

// Hellos up to TLS 1.2 and the server's flight with a chain of two, in records of `longest` bytes.
static void say_classic_flight(uint16_t version, size_t longest)
{
	body.length = 0;
	put_client_hello(&body, version, NULL);
	say(&talk, FROM_CLIENT, 22, 0x0300, &body, longest);
	body.length = 0;
	put_server_hello(&body, version, 0x002f);
	put_chain(&body, (size_t[]){700, 800}, 2);
	put_empty(&body, 14);
	say(&talk, FROM_SERVER, 22, version, &body, longest);
}

static void say_key_exchange(uint16_t version)
{
	body.length = 0;
	size_t message = open_message(&body, 16);
	put_filler(&body, 130);
	close_vector(&body, 3, message);
	say(&talk, FROM_CLIENT, 22, version, &body, 1 << 14);
}

static void say_finished(enum direction sender, uint16_t version)
{
	say_filler(&talk, sender, 20, version, 1);
	say_filler(&talk, sender, 22, version, 40);
}

// ---- record layer

static void any_fragmentation_is_the_same(void **state)
{
	(void)state;
	for (size_t longest = 1; longest < 2000; longest += 1 + longest / 7) {
		if (longest < 20)
			continue; // too many records for one conversation
		begin();
		say_classic_flight(TLS_1_1, longest);
		say_key_exchange(TLS_1_1);
		say_finished(FROM_CLIENT, TLS_1_1);
		say_finished(FROM_SERVER, TLS_1_1);
		const struct facts *facts = told();
		assert_int_equal(facts->outcome.established, SEEN_YES);
		assert_int_equal(facts->outcome.resumed, SEEN_NO);
		assert_true(facts_have(facts, "chain end 1 2"));
		assert_int_equal(facts->last[FROM_SERVER], TLS_MORE);
	}
}

// Behind the handshake only one thing is left to learn: whether the client goes on.
static void a_client_that_goes_on(void **state)
{
	static const struct {
		uint16_t version;
		unsigned records, length;
		bool went_on;
	} rows[] = {{TLS_1_2, 0, 0, false}, {TLS_1_2, 1, 30, false}, {TLS_1_2, 2, 60, false},
	    {TLS_1_2, 3, 30, true}, {TLS_1_0, 3, 32, false}, {TLS_1_0, 3, 33, true}};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		begin();
		say_classic_flight(rows[i].version, 1000);
		say_key_exchange(rows[i].version);
		say_finished(FROM_CLIENT, rows[i].version);
		say_finished(FROM_SERVER, rows[i].version);
		say_filler(&talk, FROM_SERVER, 23, rows[i].version, 100);
		for (unsigned k = 0; k < rows[i].records; k++) {
			say_filler(&talk, FROM_SERVER, 23, rows[i].version, 100);
			say_filler(&talk, FROM_CLIENT, 23, rows[i].version, rows[i].length);
		}
		const struct facts *facts = told();
		assert_int_equal(facts->outcome.established, SEEN_YES);
		assert_int_equal(facts->outcome.client_went_on, rows[i].went_on);
		assert_int_equal(facts->last[FROM_CLIENT], rows[i].went_on ? TLS_DONE : TLS_MORE);
	}
}

static void sslv3_and_empty_records(void **state)
{
	(void)state;
	begin();
	say_classic_flight(TLS_SSL3, 100);
	say_filler(&talk, FROM_CLIENT, 22, TLS_SSL3, 0);
	say_key_exchange(TLS_SSL3);
	say_finished(FROM_CLIENT, TLS_SSL3);
	say_finished(FROM_SERVER, TLS_SSL3);
	assert_int_equal(told()->outcome.established, SEEN_YES);
	assert_true(facts_have(&whole, "server hello SSLv3 TLS_RSA_WITH_AES_128_CBC_SHA -"));
}

static void too_long_a_record_is_foreign(void **state)
{
	(void)state;
	begin();
	say_classic_flight(TLS_1_2, 1 << 14);
	conversation_add(&talk, FROM_CLIENT, "\x16\x03\x03\x48\x01", 5);
	assert_int_equal(told()->outcome.established, SEEN_NO);
	assert_int_equal(whole.last[FROM_CLIENT], TLS_FOREIGN);
}

static void text_instead_of_a_server_hello(void **state)
{
	(void)state;
	begin();
	put_client_hello(&body, TLS_1_2, NULL);
	say(&talk, FROM_CLIENT, 22, TLS_1_0, &body, 1 << 14);
	conversation_add(&talk, FROM_SERVER, "220 mail.example ESMTP\r\n", 24);
	assert_int_equal(told()->outcome.established, SEEN_NO);
	assert_int_equal(whole.last[FROM_SERVER], TLS_FOREIGN);
	assert_int_equal(whole.foreign_at[FROM_SERVER], 0);
	assert_true(whole.outcome.begun);
	assert_false(whole.outcome.server_certificate_hidden);
}

static void silence_is_not_no(void **state)
{
	(void)state;
	begin();
	talk.closed[FROM_CLIENT] = talk.closed[FROM_SERVER] = false;
	say_classic_flight(TLS_1_2, 1 << 14);
	assert_int_equal(told()->outcome.established, NOT_SEEN);
	talk.closed[FROM_CLIENT] = true;
	assert_int_equal(told()->outcome.established, SEEN_NO);
}

static void false_start_awaits_the_server(void **state)
{
	(void)state;
	begin();
	say_classic_flight(TLS_1_2, 1 << 14);
	say_key_exchange(TLS_1_2);
	say_finished(FROM_CLIENT, TLS_1_2);
	say_filler(&talk, FROM_CLIENT, 23, TLS_1_2, 60);
	talk.closed[FROM_CLIENT] = talk.closed[FROM_SERVER] = false;
	assert_int_equal(told()->outcome.established, NOT_SEEN);
	conversation_add(&talk, FROM_SERVER, "\x15\x03\x03\x00\x02\x02\x33", 7);
	assert_int_equal(told()->outcome.established, SEEN_NO);
	assert_true(facts_have(&whole, "alert 1 2 decrypt_error"));
}

// ---- certificates

static void certificates_of_an_incomplete_chain(void **state)
{
	(void)state;
	begin();
	say_classic_flight(TLS_1_2, 1 << 14);
	// The first certificate ends at 5 + 42 + 4 + 3 + 3 + 700; the hole begins in the second.
	struct feeding feeding = {.holes[FROM_SERVER] = {900, 50}};
	assert_true(facts_have(told(), "chain end 1 2"));
	facts_of(&talk, &feeding, &part);
	assert_int_equal(part.count, 3);
	assert_int_equal(strncmp(part.lines[2], "certificate 1 0 700/", 20), 0);
	assert_true(part.outcome.server_certificate_hidden);
	assert_int_equal(part.outcome.resumed, SEEN_NO);
	facts_never_contradict(&whole, &part);
}

static void chains_have_bounds(void **state)
{
	(void)state;
	static size_t lengths[TLS_CHAIN_MAX + 1];
	for (unsigned i = 0; i <= TLS_CHAIN_MAX; i++)
		lengths[i] = 50;
	for (unsigned count = TLS_CHAIN_MAX; count <= TLS_CHAIN_MAX + 1; count++) {
		begin();
		put_server_hello(&body, TLS_1_2, 0x002f);
		put_chain(&body, lengths, count);
		say(&talk, FROM_SERVER, 22, TLS_1_2, &body, 1 << 14);
		assert_int_equal(facts_have(told(), "chain end 1 100"), count == TLS_CHAIN_MAX);
		assert_false(facts_have(told(), "chain end 1 101"));
	}
	// More than 256 KiB: skipped, and what follows is read.
	begin();
	put_server_hello(&body, TLS_1_2, 0x002f);
	put_chain(&body, (size_t[]){100 * 1024, 100 * 1024, 100 * 1024}, 3);
	put_empty(&body, 14);
	say(&talk, FROM_SERVER, 22, TLS_1_2, &body, 1 << 14);
	assert_int_equal(told()->count, 1);
	assert_int_equal(whole.outcome.resumed, SEEN_NO);
	assert_true(whole.outcome.server_certificate_hidden);
}

static void lying_chains_end_quietly(void **state)
{
	(void)state;
	static const uint8_t lies[][14] = {
	    {11, 0, 0, 10, 0, 0, 20, 0, 0, 4, 1, 2, 3, 4}, // the list is longer than the message
	    {11, 0, 0, 10, 0, 0, 7, 0, 0, 9, 1, 2, 3, 4}, // the certificate longer than the list
	    {11, 0, 0, 10, 0, 0, 7, 0, 0, 0, 1, 2, 3, 4}, // an empty certificate
	    {11, 0, 0, 10, 0, 0, 2, 0, 0, 4, 1, 2, 3, 4}, // a list shorter than a length
	};
	for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
		begin();
		put_server_hello(&body, TLS_1_2, 0x002f);
		put_bytes(&body, lies[i], sizeof(lies[i]));
		put_empty(&body, 14);
		say(&talk, FROM_SERVER, 22, TLS_1_2, &body, 1 << 14);
		assert_int_equal(told()->count, 1);
		assert_int_equal(whole.outcome.resumed, SEEN_NO); // the ServerHelloDone was found
	}
}

// ---- hellos

static void put_extension(uint16_t type, const void *bytes, size_t length)
{
	put(&extensions, 2, type);
	put(&extensions, 2, (uint32_t)length);
	put_bytes(&extensions, bytes, length);
}

#define EXTENSION(type, bytes) put_extension(type, bytes, sizeof(bytes) - 1)

static struct tls_client_hello client_hello(uint16_t version)
{
	struct tls_client_hello hello;
	body.length = 0;
	put_client_hello(&body, version, &extensions);
	tls_parse_client_hello(view_of(body.data + 4, body.length - 4), &hello);
	return hello;
}

static void client_hello_in_full(void **state)
{
	(void)state;
	begin();
	EXTENSION(0x0a0a, "");
	EXTENSION(0, "\x00\x0f\x07\x00\x01x\x00\x00\x08mail.org");
	EXTENSION(5, "\x01\x00\x00\x00\x00");
	EXTENSION(10, "\x00\x06\x1a\x1a\x11\xec\x00\x1d");
	EXTENSION(16, "\x00\x0a\x04imap\x04pop3");
	EXTENSION(23, "");
	EXTENSION(35, "");
	EXTENSION(43, "\x06\xfa\xfa\x03\x04\x03\x03");
	EXTENSION(0xfe0d, "\x00");
	struct tls_client_hello hello = client_hello(TLS_1_2);
	assert_false(hello.malformed);
	assert_int_equal(hello.highest_version, TLS_1_3);
	assert_int_equal(hello.server_name.length, 8);
	assert_memory_equal(hello.server_name.data, "mail.org", 8);
	assert_int_equal(hello.alpn.length, 4);
	assert_memory_equal(hello.alpn.data, "imap", 4);
	assert_int_equal(hello.alpn_list.length, 10);
	assert_int_equal(hello.supported_groups.length, 6);
	assert_true(hello.asks_ocsp && hello.offers_ems && hello.offers_ech);
	assert_true(hello.offers_renegotiation_info && !hello.offers_psk);
	assert_non_null(hello.session_ticket.data);
	assert_int_equal(hello.session_ticket.length, 0);
	assert_null(hello.key_shares.data);
	assert_int_equal(hello.extensions.length, extensions.length);
}

static void versions_offered(void **state)
{
	(void)state;
	begin();
	assert_int_equal(client_hello(TLS_1_0).highest_version, TLS_1_0);
	assert_int_equal(client_hello(0x0305).highest_version, TLS_1_2); // as RFC 8446 has it
	EXTENSION(43, "\x04\x7f\x1c\x03\x03");
	assert_int_equal(client_hello(TLS_1_2).highest_version, TLS_1_3);
	extensions.length = 0;
	EXTENSION(43, "\x02\xfa\xfa");
	assert_int_equal(client_hello(TLS_1_2).highest_version, TLS_1_2);
}

static void malformed_hellos_keep_what_was_read(void **state)
{
	(void)state;
	struct tls_client_hello hello;
	begin();
	EXTENSION(23, "");
	EXTENSION(23, "");
	assert_true(client_hello(TLS_1_2).malformed && client_hello(TLS_1_2).offers_ems);
	begin();
	EXTENSION(23, "");
	put(&extensions, 4, 0x00100064); // ALPN, 100 bytes that are not there
	assert_true(client_hello(TLS_1_2).malformed && client_hello(TLS_1_2).offers_ems);
	begin();
	EXTENSION(0, "\x00\x50\x00\x00\x08mail.org");
	assert_true(client_hello(TLS_1_2).malformed);
	assert_null(client_hello(TLS_1_2).server_name.data);
	begin();
	put_client_hello(&body, TLS_1_1, NULL);
	for (size_t length = 0; length < body.length - 4; length++) {
		uint8_t *copy = test_malloc(length + 1);
		memcpy(copy + 1, body.data + 4, length);
		tls_parse_client_hello(view_of(copy + 1, length), &hello);
		assert_true(hello.malformed);
		assert_int_equal(hello.legacy_version, length >= 2 ? TLS_1_1 : 0);
		test_free(copy);
	}
}

static void drafts_count_as_tls13(void **state)
{
	(void)state;
	struct tls_server_hello hello;
	begin();
	// draft 18: no session id, no compression
	put(&body, 2, 0x7f12);
	put_filler(&body, 32);
	put(&body, 2, 0x1301);
	put(&body, 2, 8);
	put(&body, 4, 0x00330004);
	put(&body, 4, 0x001d0000);
	tls_parse_server_hello(view_of(body.data, body.length), &hello);
	assert_int_equal(hello.version, TLS_1_3);
	assert_int_equal(hello.cipher, 0x1301);
	assert_int_equal(hello.group, 0x001d);
	assert_false(hello.malformed);
}

// 1.8 KB of ClientHello in records of 300 bytes, then TLS 1.3.
static void a_large_hello_and_tls13(void **state)
{
	(void)state;
	begin();
	static uint8_t share[1300];
	share[0] = (sizeof(share) - 2) >> 8, share[1] = (sizeof(share) - 2) & 0xff;
	put_extension(51, share, sizeof(share));
	EXTENSION(43, "\x02\x03\x04");
	put_client_hello(&body, TLS_1_2, &extensions);
	say(&talk, FROM_CLIENT, 22, TLS_1_0, &body, 300);
	body.length = 0;
	size_t message = open_message(&body, 2);
	put(&body, 2, TLS_1_2);
	put_filler(&body, 32);
	put(&body, 4, 0x00130100);
	put_bytes(&body, "\x00\x0e\x00\x2b\x00\x02\x03\x04\x00\x33\x00\x04\x11\xec\x00\x00", 16);
	close_vector(&body, 3, message);
	say(&talk, FROM_SERVER, 22, TLS_1_2, &body, 1 << 14);
	say_filler(&talk, FROM_SERVER, 20, TLS_1_2, 1);
	say_filler(&talk, FROM_SERVER, 23, TLS_1_2, 2000);
	talk.closed[FROM_CLIENT] = false;
	assert_int_equal(told()->outcome.established, NOT_SEEN);
	assert_true(
	    facts_have(&whole, "server hello TLSv1.3 TLS_AES_128_GCM_SHA256 X25519MLKEM768"));
	say_filler(&talk, FROM_CLIENT, 20, TLS_1_2, 1);
	say_filler(&talk, FROM_CLIENT, 23, TLS_1_2, 19); // an alert
	assert_int_equal(told()->outcome.established, NOT_SEEN);
	talk.closed[FROM_CLIENT] = true;
	assert_int_equal(told()->outcome.established, SEEN_NO);
	say_filler(&talk, FROM_CLIENT, 23, TLS_1_2, 53);
	assert_int_equal(told()->outcome.established, SEEN_YES);
}

// ---- the hidden flight

// Hellos of TLS 1.3, early data offered or not.
static void say_modern_hellos(bool early_data)
{
	begin();
	EXTENSION(43, "\x02\x03\x04");
	if (early_data)
		EXTENSION(42, "");
	put_client_hello(&body, TLS_1_2, &extensions);
	say(&talk, FROM_CLIENT, 22, TLS_1_0, &body, 1 << 14);
	body.length = 0;
	size_t message = open_message(&body, 2);
	put(&body, 2, TLS_1_2);
	put_filler(&body, 32);
	put(&body, 4, 0x00130100);
	put_bytes(&body, "\x00\x06\x00\x2b\x00\x02\x03\x04", 8);
	close_vector(&body, 3, message);
	say(&talk, FROM_SERVER, 22, TLS_1_2, &body, 1 << 14);
	say_filler(&talk, FROM_SERVER, 20, TLS_1_2, 1);
}

static bool tells_of_a_flight(const struct facts *facts)
{
	for (unsigned i = 0; i < facts->count; i++)
		if (strncmp(facts->lines[i], "flight", 6) == 0)
			return true;
	return false;
}

static void the_flight_ends_where_the_client_goes_on(void **state)
{
	(void)state;
	say_modern_hellos(false);
	say_filler(&talk, FROM_SERVER, 23, TLS_1_2, 27);
	say_filler(&talk, FROM_SERVER, 23, TLS_1_2, 1769);
	say_filler(&talk, FROM_SERVER, 23, TLS_1_2, 69);
	assert_false(tells_of_a_flight(told()));
	say_filler(&talk, FROM_CLIENT, 20, TLS_1_2, 1);
	say_filler(&talk, FROM_CLIENT, 23, TLS_1_2, 19); // an alert is no answer
	assert_false(tells_of_a_flight(told()));
	say_filler(&talk, FROM_CLIENT, 23, TLS_1_2, 53);
	say_filler(&talk, FROM_SERVER, 23, TLS_1_2, 255); // a ticket
	assert_true(facts_have(told(), "flight 27 1769 69"));
}

static void a_flight_is_told_whole_or_not_at_all(void **state)
{
	(void)state;
	for (unsigned count = TLS_FLIGHT_MAX; count <= TLS_FLIGHT_MAX + 1; count++) {
		say_modern_hellos(false);
		for (unsigned i = 0; i < count; i++)
			say_filler(&talk, FROM_SERVER, 23, TLS_1_2, 100);
		say_filler(&talk, FROM_CLIENT, 23, TLS_1_2, 53);
		assert_int_equal(tells_of_a_flight(told()), count == TLS_FLIGHT_MAX);
		// A hole in what comes before the answer hides it, on either side.
		for (enum direction sender = FROM_CLIENT; sender <= FROM_SERVER; sender++) {
			struct feeding feeding = {0};
			feeding.holes[sender] = (struct hole){sender == FROM_CLIENT ? 3 : 150, 1};
			facts_of(&talk, &feeding, &part);
			assert_false(tells_of_a_flight(&part));
		}
	}
}

static void behind_early_data_no_flight_is_told(void **state)
{
	(void)state;
	say_modern_hellos(true);
	say_filler(&talk, FROM_SERVER, 23, TLS_1_2, 27);
	say_filler(&talk, FROM_CLIENT, 23, TLS_1_2, 53); // data, or the answer
	say_filler(&talk, FROM_SERVER, 23, TLS_1_2, 69);
	say_filler(&talk, FROM_CLIENT, 23, TLS_1_2, 53);
	assert_false(tells_of_a_flight(told()));
}

// ---- SSLv2

static void say_sslv2_hello(uint16_t version)
{
	body.length = 0;
	put(&body, 2, 0x8000 | (9 + 6 + 16));
	put(&body, 1, 1);
	put(&body, 2, version);
	put(&body, 2, 6);
	put(&body, 2, 0);
	put(&body, 2, 16);
	put_bytes(&body, "\x01\x00\x80\x00\x00\x2f", 6);
	put_filler(&body, 16);
	conversation_add(&talk, FROM_CLIENT, body.data, body.length);
}

static void sslv2_hello_then_tls(void **state)
{
	(void)state;
	begin();
	say_sslv2_hello(TLS_1_0);
	body.length = 0;
	put_server_hello(&body, TLS_1_0, 0x002f);
	put_chain(&body, (size_t[]){600}, 1);
	put_empty(&body, 14);
	say(&talk, FROM_SERVER, 22, TLS_1_0, &body, 1 << 14);
	say_key_exchange(TLS_1_0);
	say_finished(FROM_CLIENT, TLS_1_0);
	say_finished(FROM_SERVER, TLS_1_0);
	assert_int_equal(told()->outcome.established, SEEN_YES);
	assert_true(facts_have(&whole, "chain end 1 1"));
	assert_non_null(strstr(whole.lines[0], "0301 highest 0301"));
	assert_non_null(strstr(whole.lines[0], "sslv2"));
}

static void say_sslv2_record(enum direction sender, size_t length)
{
	body.length = 0;
	put(&body, 2, (uint32_t)(0x8000 | length));
	put_filler(&body, length);
	conversation_add(&talk, sender, body.data, body.length);
}

static void sslv2_itself(void **state)
{
	(void)state;
	begin();
	say_sslv2_hello(TLS_SSL2);
	body.length = 0;
	put(&body, 2, 0x8000 | (11 + 500 + 3 + 16));
	put(&body, 3, 0x040001); // ServerHello, no session hit, X.509
	put(&body, 2, TLS_SSL2);
	put(&body, 2, 500);
	put(&body, 2, 3);
	put(&body, 2, 16);
	put_filler(&body, 500);
	put(&body, 3, 0x010080);
	put_filler(&body, 16);
	conversation_add(&talk, FROM_SERVER, body.data, body.length);
	body.length = 0;
	put(&body, 2, 0x8000 | 100);
	put(&body, 4, 0x02010080); // master key for RC4 128
	put_filler(&body, 96);
	conversation_add(&talk, FROM_CLIENT, body.data, body.length);
	say_sslv2_record(FROM_SERVER, 33);
	say_sslv2_record(FROM_CLIENT, 33);
	assert_int_equal(told()->outcome.established, SEEN_NO); // closed without SERVER-FINISHED
	say_sslv2_record(FROM_SERVER, 33);
	assert_int_equal(told()->outcome.established, SEEN_YES);
	assert_int_equal(whole.outcome.sslv2_cipher, 0x010080);
	assert_int_equal(whole.outcome.resumed, SEEN_NO);
	assert_false(whole.outcome.server_certificate_hidden);
	assert_true(facts_have(&whole, "server hello SSLv2 TLS_NULL_WITH_NULL_NULL -"));
	assert_true(facts_have(&whole, "chain end 1 1"));
	for (enum direction sender = FROM_CLIENT; sender <= FROM_SERVER; sender++) {
		size_t length = conversation_length(&talk, sender);
		for (size_t from = 0; from < length; from++) {
			struct feeding feeding = {0};
			feeding.holes[sender] = (struct hole){from, 20};
			facts_of(&talk, &feeding, &part);
			facts_never_contradict(&whole, &part);
		}
	}
}

// ---- behind a gap

// Application data with something in it that looks like a record's header.
static void a_search_is_not_deceived_by_data(void **state)
{
	(void)state;
	begin();
	say_classic_flight(TLS_1_2, 1 << 14);
	body.length = 0;
	put_filler(&body, 100);
	put_bytes(&body, "\x17\x03\x03\x00\x28", 5);
	put_filler(&body, 300);
	say(&talk, FROM_SERVER, 23, TLS_1_2, &body, 1 << 14);
	size_t hello = talk.segments[1].length;
	struct feeding feeding = {.holes[FROM_SERVER] = {hello - 20, 60}};
	talk.closed[FROM_CLIENT] = talk.closed[FROM_SERVER] = false;
	facts_of(&talk, &feeding, &part);
	assert_false(part.outcome.application_data[FROM_SERVER]);
	say_filler(&talk, FROM_SERVER, 23, TLS_1_2, 50);
	say_filler(&talk, FROM_SERVER, 23, TLS_1_2, 50);
	facts_of(&talk, &feeding, &part);
	assert_true(part.outcome.application_data[FROM_SERVER]);
}

static void a_search_ends(void **state)
{
	(void)state;
	begin();
	conversation_clear(&talk);
	body.length = 0;
	put_filler(&body, 70 * 1024);
	conversation_add(&talk, FROM_CLIENT, body.data, body.length);
	conversation_add(&talk, FROM_SERVER, body.data, body.length);
	struct memory *memory = memory_create(1 << 20);
	struct tls *tls = tls_create(memory, &(struct tls_sink){0}, NULL);
	size_t consumed;
	tls_gap(tls, FROM_CLIENT, 1);
	tls_gap(tls, FROM_SERVER, UINT64_MAX);
	assert_int_equal(tls_feed(tls, FROM_CLIENT, body.data, body.length, &consumed), TLS_MORE);
	assert_int_equal(tls_feed(tls, FROM_SERVER, body.data, body.length, &consumed), TLS_DONE);
	assert_int_equal(consumed, body.length);
	assert_int_equal(tls_outcome(tls).established, NOT_SEEN);
	tls_destroy(tls);
	memory_destroy(memory);
}

// ---- the first look, names

// Not known of too few bytes; what is said once stays, whatever comes behind it.
static void check_look(enum direction sender, const char *bytes, size_t length, int expected)
{
	bool known = false;
	for (size_t part_length = 0; part_length <= length; part_length++) {
		int look = tls_looks_like(sender, (const uint8_t *)bytes, part_length);
		if (known || part_length == length || look != -1)
			assert_int_equal(look, expected);
		known = look != -1;
		if (expected == 1 && part_length < 6)
			assert_int_equal(look, -1);
	}
}

#define LOOK(sender, bytes, expected) check_look(sender, bytes, sizeof(bytes) - 1, expected)

static void first_looks(void **state)
{
	(void)state;
	LOOK(FROM_CLIENT, "\x16\x03\x01\x00\xde\x01\x00", 1);
	LOOK(FROM_CLIENT, "\x16\x03\x04\x07\xde\x01\x00", 1);
	LOOK(FROM_SERVER, "\x16\x03\x03\x00\x61\x02\x00", 1);
	LOOK(FROM_SERVER, "\x15\x03\x01\x00\x02\x02", 1);
	LOOK(FROM_CLIENT, "\x80\x1c\x01\x00\x02\x00\x03\x00\x00\x00\x10", 1);
	LOOK(FROM_CLIENT, "\x80\x1f\x01\x03\x01\x00\x06\x00\x00\x00\x10", 1);
	LOOK(FROM_CLIENT, "\x16\x03\x01\x00\xde\x01\x01", 0);
	LOOK(FROM_CLIENT, "\x16\x03\x01\x00\xde\x02", 0);
	LOOK(FROM_SERVER, "\x16\x03\x01\x00\xde\x01", 0);
	LOOK(FROM_CLIENT, "\x16\x03\x05", 0);
	LOOK(FROM_CLIENT, "\x16\x03\x01\x00\x00", 0);
	LOOK(FROM_CLIENT, "\x16\x03\x01\x00\x01\x01\x16", 1);
	LOOK(FROM_CLIENT, "\x16\x03\x01\x00\x01\x01\x00", 0);
	LOOK(FROM_CLIENT, "\x16\x03\x01\x00\x02\x01\x00", 1);
	LOOK(FROM_SERVER, "\x16\x03\x03\x00\x03\x02\x00", 1);
	LOOK(FROM_CLIENT, "\x16\x03\x01\x50\x00", 0);
	LOOK(FROM_CLIENT, "\x17\x03\x01\x48\x01", 0);
	LOOK(FROM_CLIENT, "E", 0);
	LOOK(FROM_SERVER, "* OK", 0);
	LOOK(FROM_SERVER, "\x80\x1c\x01\x00\x02", 0);
	LOOK(FROM_CLIENT, "\x80\x1c\x01\x00\x02\x00\x03\x00\x00\x00\x11", 0);
	LOOK(FROM_CLIENT, "\x80\x1c\x02", 0);
	LOOK(FROM_CLIENT, "\x15\x03\x01\x00\x02\x02", 0);
}

static void names_are_found(void **state)
{
	(void)state;
	assert_true(tls_names_sorted());
	assert_string_equal(tls_version_name(TLS_SSL2), "SSLv2");
	assert_string_equal(tls_version_name(TLS_1_3), "TLSv1.3");
	assert_string_equal(tls_cipher_name(0xc030), "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384");
	assert_string_equal(tls_cipher_name(0x1301), "TLS_AES_128_GCM_SHA256");
	assert_string_equal(tls_sslv2_cipher_name(0x010080), "SSL_CK_RC4_128_WITH_MD5");
	assert_string_equal(tls_sslv2_cipher_name(0x00002f), "TLS_RSA_WITH_AES_128_CBC_SHA");
	assert_string_equal(tls_group_name(29), "x25519");
	assert_string_equal(tls_group_name(4588), "X25519MLKEM768");
	assert_string_equal(tls_alert_name(40), "handshake_failure");
	assert_null(tls_cipher_name(0x0a0a));
	assert_null(tls_group_name(0));
	assert_null(tls_alert_name(255));
	assert_null(tls_version_name(0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(any_fragmentation_is_the_same),
	    cmocka_unit_test(a_client_that_goes_on),
	    cmocka_unit_test(sslv3_and_empty_records),
	    cmocka_unit_test(too_long_a_record_is_foreign),
	    cmocka_unit_test(text_instead_of_a_server_hello),
	    cmocka_unit_test(silence_is_not_no),
	    cmocka_unit_test(false_start_awaits_the_server),
	    cmocka_unit_test(certificates_of_an_incomplete_chain),
	    cmocka_unit_test(chains_have_bounds),
	    cmocka_unit_test(lying_chains_end_quietly),
	    cmocka_unit_test(client_hello_in_full),
	    cmocka_unit_test(versions_offered),
	    cmocka_unit_test(malformed_hellos_keep_what_was_read),
	    cmocka_unit_test(drafts_count_as_tls13),
	    cmocka_unit_test(a_large_hello_and_tls13),
	    cmocka_unit_test(the_flight_ends_where_the_client_goes_on),
	    cmocka_unit_test(a_flight_is_told_whole_or_not_at_all),
	    cmocka_unit_test(behind_early_data_no_flight_is_told),
	    cmocka_unit_test(sslv2_hello_then_tls),
	    cmocka_unit_test(sslv2_itself),
	    cmocka_unit_test(a_search_is_not_deceived_by_data),
	    cmocka_unit_test(a_search_ends),
	    cmocka_unit_test(first_looks),
	    cmocka_unit_test(names_are_found),
	};
	return cmocka_run_group_tests_name("tls", tests, NULL, NULL);
}
