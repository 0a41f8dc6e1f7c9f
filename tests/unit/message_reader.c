// SPDX-License-Identifier: Apache-2.0
// Messages that pass: what is told of them is the same however they come in pieces, and stays within its bounds.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "decode/dkim_signature.h"
#include "decode/header_section.h"
#include "decode/message_reader.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// RFC 8463 A.3.
static const char signed_message[] =
    "Received: from a.example.org (a.example.org [192.0.2.1]) by b.example.org with ESMTPS id 1; "
    "x\r\n"
    "DKIM-Signature: v=1; a=ed25519-sha256; c=relaxed/relaxed;\r\n"
    " d=football.example.com; i=@football.example.com;\r\n"
    " q=dns/txt; s=brisbane; t=1528637909; h=from : to :\r\n"
    " subject : date : message-id : from : subject : date;\r\n"
    " bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;\r\n"
    " b=/gCrinpcQOoIfuHNQIbq4pgh9kyIK3AQUdt9OdqQehSwhEIug4D11Bus\r\n"
    " Fa3bT3FY5OsU7ZbnKELq+eXdp1Q1Dw==\r\n"
    "From: Joe SixPack <joe@football.example.com>\r\n"
    "To: Suzie Q <suzie@shopping.example.net>\r\n"
    "Subject: Is dinner ready?\r\n"
    "Date: Fri, 11 Jul 2003 21:00:37 -0700 (PDT)\r\n"
    "Message-ID: <20030712040037.46341.5F8J@football.example.com>\r\n"
    "Authentication-Results: mx.example.com; spf=pass\r\n"
    "\r\n"
    "Hi.\r\n"
    "\r\n"
    "We lost the game.  Are you hungry yet?\r\n"
    "\r\n"
    "Joe.\r\n";

static struct memory *memory;
static struct mail_names *names;
static struct message_context *context;

static int open_all(void **state)
{
	(void)state;
	memory = memory_create(8 << 20);
	names = mail_names_create();
	context = message_context_create(memory, names, true);
	return memory != NULL && names != NULL && context != NULL ? 0 : -1;
}

static int close_all(void **state)
{
	(void)state;
	message_context_destroy(context);
	mail_names_destroy(names);
	memory_destroy(memory);
	return 0;
}

enum { TOLD_MAX = 16 * 1024 };

// What is told of a message that comes in pieces of so many bytes, the first one of another length.
struct told {
	size_t length;
	uint8_t bytes[TOLD_MAX];
	struct message_facts facts; // of which the texts are in `bytes`
};

static void tell(const struct message_facts *facts, struct told *told)
{
	told->length = message_facts_size(facts);
	assert_true(told->length <= TOLD_MAX);
	message_facts_put(facts, told->bytes);
	struct view bytes = view_of(told->bytes, told->length);
	assert_true(message_facts_take(&bytes, &told->facts));
	assert_int_equal(bytes.length, 0);
}

static void read_in_pieces(
    const char *text, size_t length, size_t first, size_t piece, bool whole, struct told *told)
{
	size_t before = memory_in_use(memory);
	struct message_facts facts = {.transport = BY_DATA};
	struct message_reader *reader = message_reader_create(context, &facts, SECONDS(1600000000));
	assert_non_null(reader);
	for (size_t at = 0, size = first; at < length; at += size, size = piece) {
		if (size == 0 || size > length - at)
			size = size == 0 ? 1 : length - at;
		uint8_t *copy = malloc(size);
		assert_non_null(copy);
		memcpy(copy, text + at, size);
		message_reader_take(reader, copy, size);
		free(copy);
	}
	message_reader_end(reader, whole);
	tell(&facts, told);
	message_reader_destroy(reader);
	assert_int_equal(memory_in_use(memory), before);
}

static void read_whole(const char *text, size_t length, struct told *told)
{
	read_in_pieces(text, length, length, length, true, told);
}

static void check_signed(const struct message_facts *facts)
{
	const struct dkim_signature *signature = &facts->signatures[0];
	assert_true(facts->complete);
	assert_int_equal(facts->hop_count, 1);
	assert_int_equal(facts->hops[0].protocol, HOP_ESMTPS);
	assert_int_equal(facts->hops[0].internal, SEEN_YES);
	assert_int_equal(facts->result_count, 1);
	assert_int_equal(facts->body_protection, BODY_UNPROTECTED);
	assert_int_equal(facts->signature_count, 1);
	assert_int_equal(signature->progress, DKIM_HASHED);
	assert_int_equal(signature->body, SEEN_YES);
	assert_int_equal(signature->algorithm, DKIM_ED25519_SHA256);
	assert_int_equal(signature->author, AUTHOR_SAME);
	assert_int_equal(signature->signature_length, 64);
	assert_int_equal(signature->domain_length, strlen("football.example.com"));
	assert_memory_equal(signature->domain, "football.example.com", signature->domain_length);
	assert_memory_equal(signature->selector, "brisbane", signature->selector_length);
}

static void in_pieces(void **state)
{
	static struct told whole, pieces;
	size_t length = sizeof signed_message - 1;
	(void)state;
	read_whole(signed_message, length, &whole);
	check_signed(&whole.facts);
	for (size_t first = 1; first < length; first++) {
		read_in_pieces(
		    signed_message, length, first, first % 3 == 0 ? 7 : length, true, &pieces);
		assert_int_equal(pieces.length, whole.length);
		assert_memory_equal(pieces.bytes, whole.bytes, sizeof(struct message_facts *));
		check_signed(&pieces.facts);
		assert_memory_equal(pieces.facts.signatures[0].digest,
		    whole.facts.signatures[0].digest, DKIM_HASH_BYTES);
	}
}

static void ended_early(void **state)
{
	static struct told told;
	const char *body = strstr(signed_message, "\r\n\r\n");
	size_t header = (size_t)(body - signed_message) + 2;
	(void)state;
	// in the header
	read_in_pieces(signed_message, header - 30, 100, 100, false, &told);
	assert_false(told.facts.complete);
	assert_int_equal(told.facts.hop_count, 1);
	assert_int_equal(told.facts.body_protection, BODY_PROTECTION_NOT_SEEN);
	assert_int_equal(told.facts.signatures[0].progress, DKIM_NOT_WHOLE);
	// in the body
	read_in_pieces(signed_message, header + 10, 100, 100, false, &told);
	assert_true(told.facts.complete);
	assert_int_equal(told.facts.signatures[0].progress, DKIM_NOT_WHOLE);
	assert_int_equal(told.facts.signatures[0].body, NOT_SEEN);
	// a message that is a header, and one that is nothing
	read_whole(signed_message, header, &told);
	assert_true(told.facts.complete);
	assert_int_equal(told.facts.signatures[0].body, SEEN_NO);
	read_whole("", 0, &told);
	assert_true(told.facts.complete);
	assert_int_equal(told.facts.hop_count, 0);
}

static void a_gap(void **state)
{
	struct message_facts facts = {.transport = BY_DATA};
	struct message_reader *reader = message_reader_create(context, &facts, 0);
	(void)state;
	message_reader_take(reader, (const uint8_t *)signed_message, 120);
	message_reader_gap(reader);
	assert_true(message_reader_is_done(reader));
	message_reader_take(reader, (const uint8_t *)signed_message, sizeof signed_message - 1);
	message_reader_end(reader, true);
	assert_false(facts.complete);
	assert_int_equal(facts.hop_count, 1);
	assert_int_equal(facts.signature_count, 0);
	message_reader_destroy(reader);
}

// Wherever a header is cut, what is told of it is what the whole one says: never half a field.
static void cut_anywhere(void **state)
{
	static struct told told;
	static const char protected_body[] =
	    "Received: by a.example.org with ESMTPSA (TLS1.3); x\r\n"
	    "Content-Type: multipart/signed; boundary=x;\r\n "
	    "protocol=\"application/pgp-signature\"\r\n"
	    "X: y\r\n\r\n";
	(void)state;
	for (size_t length = 1; length < sizeof protected_body - 3; length++) {
		read_in_pieces(protected_body, length, length, length, false, &told);
		const struct received_hop *hop = &told.facts.hops[0];
		assert_false(told.facts.complete);
		assert_true(told.facts.hop_count == 0 ||
		            (hop->protocol == HOP_ESMTPSA && hop->tls == HOP_TLS_1_3));
		assert_true(told.facts.body_protection == BODY_PROTECTION_NOT_SEEN ||
		            told.facts.body_protection == BODY_PGP_MIME);
	}
	assert_int_equal(told.facts.body_protection, BODY_PGP_MIME);
	size_t header = (size_t)(strstr(signed_message, "\r\n\r\n") - signed_message);
	for (size_t length = 1; length < header; length++) {
		read_in_pieces(signed_message, length, length, length, false, &told);
		assert_true(told.facts.signature_count == 0 ||
		            told.facts.signatures[0].progress == DKIM_NOT_WHOLE);
		assert_int_equal(told.facts.result_count, 0); // it is of the last field
	}
}

/* ---- bounds ---- */

struct long_text {
	size_t length;
	char bytes[256 * 1024];
};

static void append(struct long_text *text, const char *more, size_t times)
{
	size_t length = strlen(more);
	for (size_t i = 0; i < times; i++) {
		assert_true(length <= sizeof text->bytes - text->length);
		memcpy(text->bytes + text->length, more, length);
		text->length += length;
	}
}

static void counts_are_bounded(void **state)
{
	static struct long_text text;
	static struct told told;
	(void)state;
	text.length = 0;
	append(&text, "Received: by a.example.org with ESMTP; x\r\n", HOPS_MAX + 3);
	append(&text, "DKIM-Signature: v=1\r\n", SIGNATURES_MAX + 2);
	append(&text, "Authentication-Results: a.example.org", 1);
	append(&text, "; spf=pass", RESULTS_MAX + 5);
	append(&text, "\r\n\r\n", 1);
	read_whole(text.bytes, text.length, &told);
	assert_int_equal(told.facts.hop_count, HOPS_MAX);
	assert_int_equal(told.facts.hops_left_out, 3);
	assert_int_equal(told.facts.signature_count, SIGNATURES_MAX);
	assert_int_equal(told.facts.signatures_left_out, 2);
	assert_int_equal(told.facts.result_count, RESULTS_MAX);
	assert_int_equal(told.facts.results_left_out, 5);
	assert_true(told.facts.complete);
}

static void headers_are_bounded(void **state)
{
	static struct long_text text;
	static struct told told, pieces;
	(void)state;
	text.length = 0;
	append(&text, "Received: by a.example.org with ESMTP; x\r\n", 1);
	append(&text, // fewer fields than are looked at
	    "X-Long: ................................................\r\n"
	    "\t....................................................................\r\n"
	    "\t....................................................................\r\n",
	    400);
	append(&text, "Received: by b.example.org with ESMTP; x\r\n\r\n", 1);
	assert_true(text.length > MESSAGE_HEADER_MAX);
	read_whole(text.bytes, text.length, &told);
	assert_false(told.facts.complete);
	assert_int_equal(told.facts.hop_count, 1);
	assert_int_equal(told.facts.header_bytes, text.length - 2);
	for (size_t piece = 1; piece < 5000; piece = piece * 3 + 1) {
		read_in_pieces(text.bytes, text.length, piece, piece, true, &pieces);
		assert_false(pieces.facts.complete);
		assert_int_equal(pieces.facts.hop_count, 1);
		assert_int_equal(pieces.facts.header_bytes, told.facts.header_bytes);
	}
	text.length = 0;
	append(&text, "a:\r\n", HEADER_FIELDS_MAX);
	append(&text, "Received: by b.example.org with ESMTP; x\r\n\r\n", 1);
	read_whole(text.bytes, text.length, &told);
	assert_false(told.facts.complete); // one field more than is looked at
	assert_int_equal(told.facts.hop_count, 0);
}

// A signature with so many fields in h=, with a selector and a signature of such lengths.
static const struct dkim_signature *sign(
    size_t fields, size_t selector, size_t signature, struct told *told)
{
	static struct long_text text;
	text.length = 0;
	append(&text,
	    "DKIM-Signature: v=1; a=rsa-sha256; d=example.org; "
	    "bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=; s=",
	    1);
	append(&text, "s", selector);
	append(&text, "; h=from", 1);
	append(&text, ":x", fields - 1);
	append(&text, "; b=", 1);
	append(&text, "AAAA", signature / 3);
	append(&text, "\r\nFrom: a@sub.example.org\r\n\r\n", 1);
	read_whole(text.bytes, text.length, told);
	assert_int_equal(told->facts.signature_count, 1);
	return &told->facts.signatures[0];
}

static void signatures_are_bounded(void **state)
{
	static struct told told;
	(void)state;
	assert_int_equal(sign(1, 1, 255, &told)->progress, DKIM_HASHED);
	assert_int_equal(sign(1, 1, 255, &told)->author, AUTHOR_BENEATH);
	assert_int_equal(sign(DKIM_SIGNED_FIELDS_MAX, 1, 255, &told)->progress, DKIM_HASHED);
	assert_int_equal(sign(DKIM_SIGNED_FIELDS_MAX + 1, 1, 255, &told)->progress, DKIM_TOO_LONG);
	assert_int_equal(sign(1, SELECTOR_MAX, 255, &told)->progress, DKIM_HASHED);
	assert_int_equal(sign(1, SELECTOR_MAX + 1, 255, &told)->progress, DKIM_MALFORMED);
	assert_int_equal(sign(1, SELECTOR_MAX + 1, 255, &told)->selector_length, 0);
	assert_int_equal(sign(1, 1, DKIM_SIGNATURE_MAX - 2, &told)->progress, DKIM_HASHED);
	assert_int_equal(sign(1, 1, DKIM_SIGNATURE_MAX + 1, &told)->progress, DKIM_TOO_LONG);
}

// What is no signature by RFC 6376 3.2 and 3.5, and what is one of other ways.
static void signatures_are_well_formed(void **state)
{
	static const struct {
		const char *tags;
		enum dkim_progress progress;
	} rows[] = {
	    {"v=1; d=example.org; h=to : From; x=11; t=10; l=0;", DKIM_HASHED},
	    {"v=1; d=example.org; h=from; i=a@SUB.example.org; q=other:dns/txt", DKIM_HASHED},
	    {"v=1; d=example.org; h=from; l=12345678901234567890123", DKIM_HASHED},
	    {"v=1; d=example.org; h=from; q=other", DKIM_UNKNOWN_WAYS},
	    {"v=1; d=ex\xc3\xa4mple.org; h=from", DKIM_UNKNOWN_WAYS},
	    {"v=1; d=ex\xe4mple.org; h=from", DKIM_MALFORMED},
	    {"v=1; d=ex\xc2\x9bmple.org; h=from", DKIM_MALFORMED},
	    {"v=1; d=ex\xe2\x80\xaemple.org; h=from", DKIM_MALFORMED},
	    {"v=2; d=example.org; h=from", DKIM_MALFORMED},
	    {"d=example.org; h=from", DKIM_MALFORMED},
	    {"v=1; D=example.org; h=from", DKIM_MALFORMED},
	    {"v=1; d=example.org; h=to", DKIM_MALFORMED},
	    {"v=1; d=example.org; h=from; v=1", DKIM_MALFORMED},
	    {"v=1; d=example.org; h=from; z", DKIM_MALFORMED},
	    {"v=1; d=example.org;; h=from", DKIM_MALFORMED},
	    {"v=1; d=example.org; h=from; i=a@badexample.org", DKIM_MALFORMED},
	    {"v=1; d=example.org; h=from; i=example.org", DKIM_MALFORMED},
	    {"v=1; d=example.org; h=from; l=", DKIM_MALFORMED},
	    {"v=1; d=example.org; h=from; l=-1", DKIM_MALFORMED},
	    {"v=1; d=example.org; h=from; x=soon", DKIM_MALFORMED},
	    {"v=1; d=example.org; h=from; t=10; x=10", DKIM_MALFORMED},
	};
	static struct told told;
	static struct long_text text;
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		text.length = 0;
		append(&text,
		    "DKIM-Signature: a=rsa-sha256; s=s; b=AAAA; "
		    "bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=; ",
		    1);
		append(&text, rows[i].tags, 1);
		append(&text, "\r\nFrom: a@example.org\r\n\r\n", 1);
		read_whole(text.bytes, text.length, &told);
		if (told.facts.signatures[0].progress != rows[i].progress)
			fail_msg("%s: %d", rows[i].tags, told.facts.signatures[0].progress);
	}
}

// So many bodies are hashed at once, and no more.
static void bodies_are_bounded(void **state)
{
	static struct message_reader *readers[DKIM_BODIES_MAX + 1];
	static struct message_facts facts[DKIM_BODIES_MAX + 1];
	struct memory *large = memory_create((size_t)512 << 20);
	struct message_context *shared = message_context_create(large, names, true);
	(void)state;
	assert_non_null(shared);
	for (size_t i = 0; i <= DKIM_BODIES_MAX; i++) {
		readers[i] = message_reader_create(shared, &facts[i], 0);
		assert_non_null(readers[i]);
		message_reader_take(
		    readers[i], (const uint8_t *)signed_message, sizeof signed_message - 1);
	}
	assert_int_equal(facts[DKIM_BODIES_MAX - 1].signatures[0].progress, DKIM_HASHED);
	assert_int_equal(facts[DKIM_BODIES_MAX].signatures[0].progress, DKIM_NO_ROOM);
	message_reader_end(readers[0], true); // gives its place back
	struct message_facts another = {.transport = BY_DATA};
	struct message_reader *reader = message_reader_create(shared, &another, 0);
	message_reader_take(reader, (const uint8_t *)signed_message, sizeof signed_message - 1);
	assert_int_equal(another.signatures[0].progress, DKIM_HASHED);
	message_reader_destroy(reader);
	for (size_t i = 0; i <= DKIM_BODIES_MAX; i++)
		message_reader_destroy(readers[i]);
	assert_int_equal(memory_in_use(large), 0);
	message_context_destroy(shared);
	memory_destroy(large);
}

/* ---- the shelf ---- */

static void a_shelf(void **state)
{
	struct memory *large = memory_create((size_t)64 << 20);
	struct message_shelf *shelf = message_shelf_create(large);
	const struct message_facts facts = {.transport = BY_DATA, .hop_count = HOPS_MAX};
	uint32_t place = 0, other = 0;
	size_t size = message_facts_size(&facts), kept = 0;
	(void)state;
	assert_non_null(shelf);
	assert_int_equal(message_shelf_at(shelf, 0).length, 0);
	while (message_shelf_add(shelf, &place, &facts))
		kept++;
	assert_true(kept * size <= SHELF_SESSION_MAX && (kept + 1) * size > SHELF_SESSION_MAX);
	assert_int_equal(message_shelf_at(shelf, place).length, kept * size);
	assert_true(message_shelf_add(shelf, &other, &facts));
	assert_true(other != place && other != 0);
	message_shelf_clear(shelf, place);
	message_shelf_clear(shelf, other);
	assert_int_equal(memory_in_use(large), 0);
	for (uint32_t i = 0; i < SHELF_PLACES_MAX; i++) {
		uint32_t taken = 0;
		assert_true(message_shelf_add(shelf, &taken, &(struct message_facts){.number = i}));
		assert_true(taken >= 1 && taken <= SHELF_PLACES_MAX);
	}
	uint32_t none = 0;
	assert_false(message_shelf_add(shelf, &none, &facts));
	assert_int_equal(none, 0);
	message_shelf_clear(shelf, 17);
	assert_true(message_shelf_add(shelf, &none, &facts));
	assert_int_equal(none, 17);
	for (uint32_t i = 1; i <= SHELF_PLACES_MAX; i++)
		message_shelf_clear(shelf, i);
	assert_int_equal(memory_in_use(large), 0);
	message_shelf_destroy(shelf);
	memory_destroy(large);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(in_pieces),
	    cmocka_unit_test(ended_early),
	    cmocka_unit_test(a_gap),
	    cmocka_unit_test(cut_anywhere),
	    cmocka_unit_test(counts_are_bounded),
	    cmocka_unit_test(headers_are_bounded),
	    cmocka_unit_test(signatures_are_bounded),
	    cmocka_unit_test(signatures_are_well_formed),
	    cmocka_unit_test(bodies_are_bounded),
	    cmocka_unit_test(a_shelf),
	};
	return cmocka_run_group_tests_name("message reader", tests, open_all, close_all);
}
