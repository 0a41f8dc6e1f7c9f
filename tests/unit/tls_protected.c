// SPDX-License-Identifier: Apache-2.0
// What a key log opens of TLS 1.3: the traces of RFC 8448, and flights sealed by hand, honest or not.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "rfc8448.h"
#include "tls_bytes.h"
#include "tls_seal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TRACES = sizeof(rfc8448_traces) / sizeof(rfc8448_traces[0]) };

static struct conversation talk;
static struct facts known, whole, part;
static struct tls_keylog *keylog;

static void end_test(void)
{
	tls_keylog_destroy(keylog);
	keylog = NULL;
}

// The facts with the key log, after checking that no split changes them and that they hold what is known
// without it.
static const struct facts *told(void)
{
	facts_of(&talk, &(struct feeding){0}, &known);
	facts_of(&talk, &(struct feeding){.keylog = keylog}, &whole);
	facts_include(&whole, &known);
	for (size_t piece = 1; piece < 12; piece++) {
		facts_of(&talk, &(struct feeding){.piece = piece, .keylog = keylog}, &part);
		facts_equal(&whole, &part);
	}
	return &whole;
}

// ---- RFC 8448

static void say_digits(enum direction sender, const char *digits)
{
	uint8_t bytes[1024];
	size_t length = strlen(digits) / 2;
	assert_true(length <= sizeof(bytes));
	for (size_t i = 0; i < length; i++) {
		char pair[3] = {digits[2 * i], digits[2 * i + 1], 0};
		bytes[i] = (uint8_t)strtoul(pair, NULL, 16);
	}
	conversation_add(&talk, sender, bytes, length);
}

static void say_trace(const struct rfc8448_trace *trace)
{
	conversation_clear(&talk);
	for (unsigned i = 0; i < 8 && trace->records[i].digits != NULL; i++)
		say_digits(trace->records[i].sender, trace->records[i].digits);
	keylog = keylog_of_text(trace->keylog);
}

// What is to be found in each, and how many records are opened.
static const struct {
	unsigned calls, opened;
	enum seen resumed, requested;
	bool hidden;
	const char *lines[5];
} expected[TRACES] = {
    {2, 2, SEEN_NO, SEEN_NO, false,
        {"certificate 1 0 432/b2220ff1", "chain end 1 1", "flight 674"}},
    // Behind the ServerHello EndOfEarlyData cannot be opened; before it nothing is tried.
    {3, 2, SEEN_YES, SEEN_NO, true, {"server hello TLSv1.3 TLS_AES_128_GCM_SHA256 x25519 psk"}},
    {2, 2, SEEN_NO, SEEN_NO, false,
        {"certificate 1 0 432/b2220ff1", "chain end 1 1", "flight 662"}},
    {2, 2, SEEN_NO, SEEN_YES, false,
        {"certificate request", "certificate 1 0 306/25e6c657", "chain end 1 1",
            "certificate 0 0 438/0342f2e8", "chain end 0 1"}},
};

static void traces_of_rfc8448(void **state)
{
	(void)state;
	for (unsigned i = 0; i < TRACES; i++) {
		say_trace(&rfc8448_traces[i]);
		watch_begin(NULL);
		facts_of(&talk, &(struct feeding){.keylog = keylog}, &whole);
		struct watched watched = watch_end();
		assert_int_equal(watched.calls, expected[i].calls);
		assert_int_equal(watched.opened, expected[i].opened);
		told();
		for (unsigned n = 0; n < 5 && expected[i].lines[n] != NULL; n++)
			assert_true(facts_have(&whole, expected[i].lines[n]));
		assert_int_equal(whole.outcome.established, SEEN_YES);
		assert_int_equal(whole.outcome.resumed, expected[i].resumed);
		assert_int_equal(whole.outcome.client_certificate_requested, expected[i].requested);
		assert_int_equal(whole.outcome.server_certificate_hidden, expected[i].hidden);
		end_test();
	}
}

// ---- flights sealed by hand

static struct bytes body, extra;
static struct sealer client, server;

static void say_clear(enum direction sender, uint8_t type)
{
	static struct bytes record;
	record.length = 0;
	put(&record, 1, type);
	put(&record, 2, TLS_1_2);
	put(&record, 2, (uint32_t)body.length);
	put_bytes(&record, body.data, body.length);
	conversation_add(&talk, sender, record.data, record.length);
	body.length = 0;
}

static struct sealer *sealer_of(enum direction sender)
{
	return sender == FROM_CLIENT ? &client : &server;
}

// The messages so far, in records of at most `longest` bytes.
static void say_sealed_in(enum direction sender, size_t longest)
{
	for (size_t done = 0; done < body.length; done += longest) {
		size_t length = body.length - done < longest ? body.length - done : longest;
		seal(&talk, sender, sealer_of(sender), 22, body.data + done, length, 0);
	}
	body.length = 0;
}

static void say_sealed(enum direction sender)
{
	say_sealed_in(sender, 1 << 14);
}

static void put_hello_end(uint8_t type, const char *rest, size_t length)
{
	size_t message = open_message(&body, type);
	put(&body, 2, TLS_1_2);
	put_filler(&body, 32);
	put_bytes(&body, rest, length);
	close_vector(&body, 3, message);
}

static void put_server_hello(void)
{
	put_hello_end(2, "\x00\x13\x01\x00\x00\x06\x00\x2b\x00\x02\x03\x04", 12);
}

// Hellos of TLS 1.3 and the key log for what follows.
static void begin(bool early_data)
{
	static const char plain[] =
	    "\x00\x00\x02\x13\x01\x01\x00\x00\x07\x00\x2b\x00\x03\x02\x03\x04";
	static const char early[] =
	    "\x00\x00\x02\x13\x01\x01\x00\x00\x0b\x00\x2b\x00\x03\x02\x03\x04\x00\x2a\x00\x00";
	uint8_t random[32];
	conversation_clear(&talk);
	memset(random, 0x5a, sizeof(random)); // as put_filler puts it
	client = (struct sealer){.secret = {0xc1}};
	server = (struct sealer){.secret = {0x5e}};
	tls_keylog_destroy(keylog);
	keylog = keylog_of_secrets(random, client.secret, server.secret);
	body.length = extra.length = 0;
	put_hello_end(
	    1, early_data ? early : plain, early_data ? sizeof(early) - 1 : sizeof(plain) - 1);
	say_clear(FROM_CLIENT, 22);
	put_server_hello();
	say_clear(FROM_SERVER, 22);
}

static void put_message(uint8_t type, size_t length)
{
	size_t message = open_message(&body, type);
	put_filler(&body, length);
	close_vector(&body, 3, message);
}

static void put_encrypted_extensions(void)
{
	size_t message = open_message(&body, 8);
	put_bytes(&body, "\x00\x0f\x00\x0a\x00\x00\x00\x10\x00\x07\x00\x05\x04imap", 17);
	close_vector(&body, 3, message);
}

// The body of a Certificate message.
static void put_certificates(
    struct bytes *to, size_t context, const size_t *lengths, unsigned count, size_t extensions)
{
	put(to, 1, (uint32_t)context);
	put_filler(to, context);
	size_t list = open_vector(to, 3);
	for (unsigned i = 0; i < count; i++) {
		put(to, 3, (uint32_t)lengths[i]);
		put_filler(to, lengths[i]);
		put(to, 2, (uint32_t)extensions);
		put_filler(to, extensions);
	}
	close_vector(to, 3, list);
}

static void put_chain(size_t context, const size_t *lengths, unsigned count, size_t extensions)
{
	size_t message = open_message(&body, 11);
	put_certificates(&body, context, lengths, count, extensions);
	close_vector(&body, 3, message);
}

static void put_finished(void)
{
	put_message(20, 32);
}

static void say_finished(enum direction sender)
{
	put_finished();
	say_sealed(sender);
}

static bool tells_of(const char *beginning)
{
	for (unsigned i = 0; i < whole.count; i++)
		if (strncmp(whole.lines[i], beginning, strlen(beginning)) == 0)
			return true;
	return false;
}

static void messages_may_stand_in_any_records(void **state)
{
	(void)state;
	static const size_t lengths[] = {40, 20};
	for (size_t longest = 3; longest < 260; longest += longest < 30 ? 1 : 29) {
		begin(false);
		put_encrypted_extensions();
		put_chain(3, lengths, 2, 5);
		put_message(15, 10);
		put_finished();
		say_sealed_in(FROM_SERVER, longest);
		say_finished(FROM_CLIENT);
		told();
		assert_true(facts_have(&whole, "server alpn imap"));
		assert_true(tells_of("certificate 1 0 40/"));
		assert_true(tells_of("certificate 1 1 20/"));
		assert_true(facts_have(&whole, "chain end 1 2"));
		assert_int_equal(whole.outcome.established, SEEN_YES);
		assert_int_equal(whole.outcome.client_certificate_requested, SEEN_NO);
		assert_false(whole.outcome.server_certificate_hidden);
	}
	end_test();
}

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

static void no_request_is_known_at_the_servers_finished(void **state)
{
	(void)state;
	begin(false);
	put_encrypted_extensions();
	say_sealed(FROM_SERVER);
	assert_int_equal(told()->outcome.client_certificate_requested, NOT_SEEN);
	say_finished(FROM_SERVER);
	assert_int_equal(told()->outcome.client_certificate_requested, SEEN_NO);
	assert_int_equal(whole.outcome.established, NOT_SEEN);
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

// ---- alerts

static void say_alert(enum direction sender, uint8_t level, uint8_t description, size_t padding)
{
	uint8_t alert[2] = {level, description};
	seal(&talk, sender, sealer_of(sender), 21, alert, sizeof(alert), padding);
}

static void alerts_of_the_handshake_are_read(void **state)
{
	(void)state;
	for (size_t padding = 0; padding < 80; padding += 34) { // 34: as long as a Finished
		begin(false);
		put_encrypted_extensions();
		put_finished();
		say_sealed(FROM_SERVER);
		say_alert(FROM_CLIENT, 2, 42, padding);
		facts_of(&talk, &(struct feeding){.keylog = keylog}, &whole);
		assert_true(facts_have(&whole, "alert 0 2 bad_certificate"));
		assert_int_equal(whole.outcome.established, SEEN_NO);
		assert_int_equal(whole.outcome.client_certificate_requested, SEEN_NO);
	}
	begin(false);
	put_encrypted_extensions();
	say_sealed(FROM_SERVER);
	say_alert(FROM_SERVER, 2, 80, 0);
	told();
	assert_true(facts_have(&whole, "alert 1 2 internal_error"));
	assert_int_equal(whole.outcome.established, SEEN_NO);
	end_test();
}

static void an_alert_behind_a_certificate_counts(void **state)
{
	(void)state;
	static const size_t lengths[] = {30};
	begin(false);
	put_encrypted_extensions();
	put_message(13, 30);
	put_finished();
	say_sealed(FROM_SERVER);
	put_chain(0, lengths, 1, 0);
	say_sealed(FROM_CLIENT);
	say_alert(FROM_CLIENT, 2, 80, 0);
	facts_of(&talk, &(struct feeding){.keylog = keylog}, &whole);
	assert_int_equal(whole.outcome.established, SEEN_NO);
	assert_true(facts_have(&whole, "alert 0 2 internal_error"));
	end_test();
}

// ---- where it ends

static void nothing_behind_the_finished_is_opened(void **state)
{
	(void)state;
	static const char text[] = "a LOGIN somebody CANARY";
	begin(false);
	put_encrypted_extensions();
	put_finished();
	say_sealed(FROM_SERVER);
	// Under the same keys even, which no server would do.
	seal(&talk, FROM_SERVER, &server, 23, text, sizeof(text), 0);
	say_finished(FROM_CLIENT);
	seal(&talk, FROM_CLIENT, &client, 23, text, sizeof(text), 0);
	seal(&talk, FROM_SERVER, &server, 23, text, sizeof(text), 0);
	watch_begin("CANARY");
	facts_of(&talk, &(struct feeding){.keylog = keylog}, &whole);
	struct watched watched = watch_end();
	assert_int_equal(watched.calls, 2);
	assert_int_equal(watched.opened, 2);
	assert_false(watched.saw_forbidden);
	assert_int_equal(whole.outcome.established, SEEN_YES);
	end_test();
}

// What a message behind the Finished in the same record says counts for nothing.
static void nothing_behind_the_finished_is_read(void **state)
{
	(void)state;
	static const size_t lengths[] = {30};
	begin(false);
	put_encrypted_extensions();
	put_finished();
	put_chain(0, lengths, 1, 0);
	put_message(13, 30);
	say_sealed(FROM_SERVER);
	say_finished(FROM_CLIENT);
	told();
	assert_false(tells_of("certificate"));
	assert_int_equal(whole.outcome.client_certificate_requested, SEEN_NO);
	assert_int_equal(whole.outcome.established, SEEN_YES);
	end_test();
}

static void say_whole_handshake(void)
{
	static const size_t lengths[] = {300, 20};
	begin(false);
	put_encrypted_extensions();
	say_sealed(FROM_SERVER);
	put_message(13, 30);
	say_sealed(FROM_SERVER);
	put_chain(0, lengths, 2, 0);
	put_finished();
	say_sealed_in(FROM_SERVER, 200);
	put_chain(0, lengths + 1, 1, 0);
	say_sealed(FROM_CLIENT);
	say_finished(FROM_CLIENT);
	facts_of(&talk, &(struct feeding){.keylog = keylog}, &whole);
	assert_int_equal(whole.outcome.established, SEEN_YES);
}

// Whatever is wrong: nothing else is known than without it, and all that is known without a key log.
static void check_damage(const struct feeding *feeding)
{
	struct feeding without = *feeding;
	without.keylog = NULL;
	facts_of(&talk, &without, &known);
	facts_of(&talk, feeding, &part);
	facts_never_contradict(&whole, &part);
	facts_include(&part, &known);
}

static void damaged_records_hide_what_follows(void **state)
{
	(void)state;
	say_whole_handshake();
	for (unsigned segment = 2; segment < talk.count; segment++) {
		size_t from = talk.segments[segment].offset + 5;
		size_t to = from + talk.segments[segment].length - 5;
		for (size_t at = from; at < to; at++) {
			talk.bytes[at] ^= 0x10;
			check_damage(&(struct feeding){.keylog = keylog});
			assert_int_equal(part.outcome.established, SEEN_YES);
			talk.bytes[at] ^= 0x10;
		}
	}
	end_test();
}

static void holes_hide_what_follows(void **state)
{
	(void)state;
	say_whole_handshake();
	for (enum direction sender = FROM_CLIENT; sender <= FROM_SERVER; sender++) {
		for (size_t at = 0; at < conversation_length(&talk, sender); at++) {
			for (size_t length = 1; length < 400; length *= 3) {
				struct feeding feeding = {.keylog = keylog};
				feeding.holes[sender].from = at;
				feeding.holes[sender].length = length;
				check_damage(&feeding);
			}
		}
	}
	end_test();
}

static void no_memory_hides_what_follows(void **state)
{
	(void)state;
	say_whole_handshake();
	struct feeding feeding = {.piece = 1, .memory = 300 * 1024, .keylog = keylog};
	facts_of(&talk, &feeding, &part);
	facts_never_contradict(&whole, &part);
	end_test();
}

static void wrong_secrets_are_as_good_as_none(void **state)
{
	(void)state;
	uint8_t random[32];
	memset(random, 0x5a, sizeof(random));
	say_whole_handshake();
	for (int wrong = 0; wrong < 3; wrong++) {
		struct tls_keylog *other =
		    wrong == 0   ? keylog_of_secrets(random, server.secret, client.secret)
		    : wrong == 1 ? keylog_of_secrets(client.secret, client.secret, server.secret)
		                 : keylog_of_text("");
		facts_of(&talk, &(struct feeding){0}, &known);
		facts_of(&talk, &(struct feeding){.keylog = other}, &part);
		facts_equal(&known, &part);
		tls_keylog_destroy(other);
	}
	end_test();
}

// ---- what ends do not do

static void messages_in_the_clear_end_it(void **state)
{
	(void)state;
	static const size_t lengths[] = {30};
	begin(false);
	put_encrypted_extensions();
	put_chain(0, lengths, 1, 0);
	say_sealed_in(FROM_SERVER, 40); // the chain is not complete yet in the first two
	talk.count -= 1;
	put_message(13, 30);
	say_clear(FROM_SERVER, 22);
	say_finished(FROM_SERVER);
	say_finished(FROM_CLIENT);
	told();
	assert_true(facts_have(&whole, "server alpn imap"));
	assert_false(tells_of("chain end"));
	assert_int_equal(whole.outcome.established, SEEN_YES);
	end_test();
}

static void a_second_server_hello_changes_nothing(void **state)
{
	(void)state;
	begin(false);
	put_server_hello();
	say_clear(FROM_SERVER, 22);
	put_encrypted_extensions();
	say_sealed(FROM_SERVER);
	say_finished(FROM_CLIENT);
	told();
	assert_false(tells_of("server alpn"));
	assert_int_equal(whole.outcome.established, SEEN_YES);
	end_test();
}

static void other_contents_end_it(void **state)
{
	(void)state;
	static const uint8_t types[] = {0, 20, 23, 24, 99};
	for (size_t i = 0; i < sizeof(types); i++) {
		begin(false);
		seal(&talk, FROM_SERVER, &server, types[i], "abc", types[i] == 0 ? 0 : 3, 20);
		put_encrypted_extensions();
		put_finished();
		say_sealed(FROM_SERVER);
		watch_begin(NULL);
		facts_of(&talk, &(struct feeding){.keylog = keylog}, &whole);
		assert_int_equal(watch_end().calls, 1);
		say_finished(FROM_CLIENT);
		told();
		assert_false(tells_of("server alpn"));
		assert_int_equal(whole.outcome.established, SEEN_YES);
	}
	end_test();
}

static void no_more_records_than_that_are_opened(void **state)
{
	enum { RECORDS = 255 };
	(void)state;
	for (size_t records = RECORDS; records <= RECORDS + 1; records++) {
		begin(false);
		put_encrypted_extensions();
		size_t extensions_length = body.length;
		body.length = 0;
		put_message(200, records - extensions_length - 4);
		put_encrypted_extensions();
		assert_int_equal(body.length, records);
		say_sealed_in(FROM_SERVER, 1);
		put_finished();
		say_sealed(FROM_SERVER);
		say_finished(FROM_CLIENT);
		watch_begin(NULL);
		facts_of(&talk, &(struct feeding){.keylog = keylog}, &whole);
		assert_int_equal(watch_end().opened, RECORDS + 1); // and one of the client
		told();
		assert_int_equal(tells_of("server alpn"), records == RECORDS);
		assert_int_equal(whole.outcome.established, SEEN_YES);
	}
	end_test();
}

static void unknown_messages_are_passed_over(void **state)
{
	(void)state;
	static const size_t lengths[] = {30};
	begin(false);
	put_message(200, 100);
	put_encrypted_extensions();
	put_message(1, 5); // a ClientHello of a server
	put_message(67, 0);
	put_chain(255, lengths, 1, 0);
	put_finished();
	say_sealed(FROM_SERVER);
	say_finished(FROM_CLIENT);
	told();
	assert_true(facts_have(&whole, "server alpn imap"));
	assert_true(facts_have(&whole, "chain end 1 1"));
	assert_int_equal(whole.outcome.established, SEEN_YES);
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

// ---- early data

static void early_data_is_passed_over(void **state)
{
	(void)state;
	static const char text[] = "EHLO CANARY";
	for (int records = 0; records < 70; records += 23) {
		struct sealer early = {.secret = {0xea}};
		begin(true);
		put_encrypted_extensions();
		put_finished();
		say_sealed(FROM_SERVER);
		for (int i = 0; i < records; i++)
			seal(&talk, FROM_CLIENT, &early, 23, text, sizeof(text), 0);
		say_finished(FROM_CLIENT);
		watch_begin("CANARY");
		facts_of(&talk, &(struct feeding){.keylog = keylog}, &whole);
		struct watched watched = watch_end();
		assert_false(watched.saw_forbidden);
		assert_int_equal(watched.opened, records < 64 ? 2 : 1);
		assert_int_equal(whole.outcome.established, SEEN_YES);
		told();
	}
	end_test();
}

// Data that has the length of a Finished is taken for it without a key log; with one it is known better
// as long as it can still turn out.
static void early_data_like_a_finished(void **state)
{
	(void)state;
	struct sealer early = {.secret = {0xea}};
	begin(true);
	put_encrypted_extensions();
	put_finished();
	say_sealed(FROM_SERVER);
	seal(&talk, FROM_CLIENT, &early, 23, "0123456789abcdef0123456789abcdef0123", 36, 0);
	say_alert(FROM_CLIENT, 2, 80, 0);
	facts_of(&talk, &(struct feeding){.keylog = keylog}, &whole);
	assert_int_equal(whole.outcome.established, SEEN_NO);
	assert_true(facts_have(&whole, "alert 0 2 internal_error"));
	end_test();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(traces_of_rfc8448),
	    cmocka_unit_test(messages_may_stand_in_any_records),
	    cmocka_unit_test(client_certificates),
	    cmocka_unit_test(no_request_is_known_at_the_servers_finished),
	    cmocka_unit_test(staples_and_timestamps),
	    cmocka_unit_test(alerts_of_the_handshake_are_read),
	    cmocka_unit_test(an_alert_behind_a_certificate_counts),
	    cmocka_unit_test(nothing_behind_the_finished_is_opened),
	    cmocka_unit_test(nothing_behind_the_finished_is_read),
	    cmocka_unit_test(damaged_records_hide_what_follows),
	    cmocka_unit_test(holes_hide_what_follows),
	    cmocka_unit_test(no_memory_hides_what_follows),
	    cmocka_unit_test(wrong_secrets_are_as_good_as_none),
	    cmocka_unit_test(messages_in_the_clear_end_it),
	    cmocka_unit_test(a_second_server_hello_changes_nothing),
	    cmocka_unit_test(other_contents_end_it),
	    cmocka_unit_test(no_more_records_than_that_are_opened),
	    cmocka_unit_test(unknown_messages_are_passed_over),
	    cmocka_unit_test(lying_messages_end_quietly),
	    cmocka_unit_test(chains_have_bounds),
	    cmocka_unit_test(compressed_certificates_are_unpacked),
	    cmocka_unit_test(what_cannot_be_unpacked_stays_hidden),
	    cmocka_unit_test(liars_may_be_packed),
	    cmocka_unit_test(early_data_is_passed_over),
	    cmocka_unit_test(early_data_like_a_finished),
	};
	return cmocka_run_group_tests_name("tls_protected", tests, NULL, NULL);
}
