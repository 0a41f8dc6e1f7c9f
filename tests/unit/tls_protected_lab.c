// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tls_protected_lab.h"

struct conversation talk;
struct facts known, whole, part;
struct tls_keylog *keylog;
struct bytes body, extra;
struct sealer client, server;

void end_test(void)
{
	tls_keylog_destroy(keylog);
	keylog = NULL;
}

const struct facts *told(void)
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

void say_clear(enum direction sender, uint8_t type)
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

struct sealer *sealer_of(enum direction sender)
{
	return sender == FROM_CLIENT ? &client : &server;
}

void say_sealed_in(enum direction sender, size_t longest)
{
	for (size_t done = 0; done < body.length; done += longest) {
		size_t length = body.length - done < longest ? body.length - done : longest;
		seal(&talk, sender, sealer_of(sender), 22, body.data + done, length, 0);
	}
	body.length = 0;
}

void say_sealed(enum direction sender)
{
	say_sealed_in(sender, 1 << 14);
}

void put_hello_end(uint8_t type, const char *rest, size_t length)
{
	size_t message = open_message(&body, type);
	put(&body, 2, TLS_1_2);
	put_filler(&body, 32);
	put_bytes(&body, rest, length);
	close_vector(&body, 3, message);
}

void put_server_hello(void)
{
	put_hello_end(2, "\x00\x13\x01\x00\x00\x06\x00\x2b\x00\x02\x03\x04", 12);
}

void begin(bool early_data)
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

void put_message(uint8_t type, size_t length)
{
	size_t message = open_message(&body, type);
	put_filler(&body, length);
	close_vector(&body, 3, message);
}

void put_encrypted_extensions(void)
{
	size_t message = open_message(&body, 8);
	put_bytes(&body, "\x00\x0f\x00\x0a\x00\x00\x00\x10\x00\x07\x00\x05\x04imap", 17);
	close_vector(&body, 3, message);
}

void put_certificates(
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

void put_chain(size_t context, const size_t *lengths, unsigned count, size_t extensions)
{
	size_t message = open_message(&body, 11);
	put_certificates(&body, context, lengths, count, extensions);
	close_vector(&body, 3, message);
}

void put_finished(void)
{
	put_message(20, 32);
}

void say_finished(enum direction sender)
{
	put_finished();
	say_sealed(sender);
}

bool tells_of(const char *beginning)
{
	for (unsigned i = 0; i < whole.count; i++)
		if (strncmp(whole.lines[i], beginning, strlen(beginning)) == 0)
			return true;
	return false;
}
