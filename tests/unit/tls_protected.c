// SPDX-License-Identifier: Apache-2.0
// What a key log opens of TLS 1.3: the traces of RFC 8448, and flights sealed by hand, honest or not.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "rfc8448.h"
#include "tls_protected_lab.h"

#include <stdlib.h>
#include <string.h>

enum { TRACES = sizeof(rfc8448_traces) / sizeof(rfc8448_traces[0]) };

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
	    cmocka_unit_test(no_request_is_known_at_the_servers_finished),
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
	    cmocka_unit_test(early_data_is_passed_over),
	    cmocka_unit_test(early_data_like_a_finished),
	};
	return cmocka_run_group_tests_name("tls_protected", tests, NULL, NULL);
}
