// SPDX-License-Identifier: Apache-2.0
// What nDPI is asked, and what may come of it: names for first words of protocols that are no mail, no
// name for mail and for noise, and nothing that is left over from one look to the next.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "decode/foreign.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>

struct conversation {
	const char *name; // NULL: none may be found
	enum direction first;
	const char *client;
	size_t client_length;
	const char *server;
	size_t server_length;
};

// clang-format off
#define CLIENT_FIRST(name, client, server) {name, FROM_CLIENT, client, sizeof client - 1, server, sizeof server - 1}
#define SERVER_FIRST(name, server, client) {name, FROM_SERVER, client, sizeof client - 1, server, sizeof server - 1}

static const struct conversation conversations[] = {
    SERVER_FIRST("mysql", "\x4a\0\0\0\x0a" "8.0.32\0\x08\0\0\0\x3e\x1f\x54\x5f\x2a\x13\x0b\x6d\0\xff\xff\xff\x02\0\xff\xdf\x15"
        "\0\0\0\0\0\0\0\0\0\0\x27\x41\x0e\x1c\x1f\x33\x5b\x7f\x01\x02\x03\x04\0mysql_native_password\0", ""),
    CLIENT_FIRST("postgresql", "\0\0\0\x08\x04\xd2\x16\x2f", "S"),
    CLIENT_FIRST("ldap", "\x30\x0c\x02\x01\x01\x60\x07\x02\x01\x03\x04\0\x80\0",
        "\x30\x0c\x02\x01\x01\x61\x07\x0a\x01\0\x04\0\x04\0"),
    CLIENT_FIRST("rdp", "\x03\0\0\x13\x0e\xe0\0\0\0\0\0\x01\0\x08\0\x03\0\0\0",
        "\x03\0\0\x13\x0e\xd0\0\0\x12\x34\0\x02\x1f\x08\0\x02\0\0\0"),
    SERVER_FIRST("vnc", "RFB 003.008\n", "RFB 003.008\n"),
    SERVER_FIRST("usenet", "200 news.example ready\r\n", "MODE READER\r\n"),
    CLIENT_FIRST("irc", "NICK guest\r\nUSER guest 0 * :guest\r\n",
        ":irc.example NOTICE * :*** Looking up your hostname...\r\n"),
    CLIENT_FIRST("jabber", "<?xml version='1.0'?><stream:stream to='example.com' xmlns='jabber:client' "
        "xmlns:stream='http://etherx.jabber.org/streams' version='1.0'>",
        "<?xml version='1.0'?><stream:stream id='1' from='example.com'>"),
    CLIENT_FIRST("bittorrent", "\x13" "BitTorrent protocol\0\0\0\0\0\x10\0\0aaaaaaaaaaaaaaaaaaaabbbbbbbbbbbbbbbbbbbb", ""),
    CLIENT_FIRST("rtsp", "DESCRIBE rtsp://example.com/x RTSP/1.0\r\nCSeq: 1\r\n\r\n", "RTSP/1.0 200 OK\r\nCSeq: 1\r\n\r\n"),
    CLIENT_FIRST("zabbix", "ZBXD\x01\x0f\0\0\0\0\0\0\0agent.ping", ""),
    CLIENT_FIRST("socks", "\x05\x01\0", "\x05\0"),
    // Mail, and what looks like something else at first.
    SERVER_FIRST(NULL, "220 mx.example ESMTP\r\n", "EHLO c.example\r\n"),
    SERVER_FIRST(NULL, "****************\r\n", "EHLO c.example\r\n"),
    SERVER_FIRST(NULL, "* OK [CAPABILITY IMAP4rev1] ready.\r\n", "a1 LOGIN user secret\r\n"),
    SERVER_FIRST(NULL, "+OK ready\r\n", "USER user\r\nPASS secret\r\n"),
    SERVER_FIRST(NULL, "220 ftp.example FTP\r\n", "USER user\r\nPASS secret\r\n"),
    SERVER_FIRST(NULL, "login: ", "user\r\n"),
    CLIENT_FIRST(NULL, "GET / HTTP/1.1\r\nHost: www.example\r\n\r\n", "HTTP/1.1 200 OK\r\n\r\n"),
    CLIENT_FIRST(NULL, "\x16\x03\x01\0\x05\x01\0\0\x01\0", ""),
    CLIENT_FIRST(NULL, "hello\r\n", "world\r\n"),
};
// clang-format on

enum { CONVERSATIONS = sizeof conversations / sizeof conversations[0] };

static const char *look(struct foreign *foreign, const struct conversation *conversation)
{
	const struct foreign_words said[2] = {
	    {(const uint8_t *)conversation->client, conversation->client_length},
	    {(const uint8_t *)conversation->server, conversation->server_length}};
	return foreign_name(foreign_look(foreign, said, conversation->first));
}

static void check(struct foreign *foreign, const struct conversation *conversation)
{
	const char *name = look(foreign, conversation);
	if (conversation->name == NULL)
		assert_null(name);
	else if (name == NULL)
		fail_msg("%s: not found", conversation->name);
	else
		assert_string_equal(name, conversation->name);
}

static void first_words_have_names(void **state)
{
	(void)state;
	struct foreign *foreign = foreign_create();
	for (size_t i = 0; i < CONVERSATIONS; i++)
		check(foreign, &conversations[i]);
	struct foreign_counters counters = foreign_counters(foreign);
	assert_int_equal(counters.looks, CONVERSATIONS);
	assert_in_range(counters.named, 12, CONVERSATIONS - 1);
	foreign_destroy(foreign);
}

// The order of the looks, and that there were others, changes nothing: nothing is remembered.
static void looks_do_not_depend_on_each_other(void **state)
{
	(void)state;
	struct foreign *foreign = foreign_create();
	for (size_t first = 0; first < CONVERSATIONS; first++)
		for (size_t second = 0; second < CONVERSATIONS; second++) {
			look(foreign, &conversations[first]);
			check(foreign, &conversations[second]);
		}
	foreign_destroy(foreign);
}

// What is so long that its end is not shown, or so short that there is nothing, is harmless.
static void any_length_is_taken(void **state)
{
	enum { LONGEST = 70000 };
	(void)state;
	struct foreign *foreign = foreign_create();
	char *bytes = malloc(LONGEST);
	memset(bytes, 'x', LONGEST);
	for (size_t length = 0; length <= LONGEST; length = length * 2 + 1) {
		struct conversation conversation = {
		    NULL, FROM_SERVER, bytes, length, bytes, LONGEST};
		check(foreign, &conversation);
	}
	free(bytes);
	foreign_destroy(foreign);
}

static uint32_t next_random(uint32_t *random)
{
	return *random = *random * 1664525 + 1013904223;
}

// Noise: bytes of any value, text, and mostly zeros.
static void fill(char *bytes, size_t length, unsigned kind, uint32_t *random)
{
	for (size_t i = 0; i < length; i++) {
		uint32_t value = next_random(random) >> 16;
		if (kind == 0)
			bytes[i] = (char)value;
		else if (kind == 1)
			bytes[i] = (char)(' ' + value % 95);
		else
			bytes[i] = value % 8 == 0 ? (char)(value >> 3) : '\0';
	}
}

static void noise_has_no_name_and_leaves_nothing(void **state)
{
	enum { LOOKS = 60000, LENGTH = 200, WARM = 1000 };
	(void)state;
	struct foreign *foreign = foreign_create();
	uint32_t random = 1;
	size_t in_use = 0;
	for (unsigned i = 0; i < LOOKS; i++) {
		char said[2][LENGTH];
		fill(said[0], LENGTH, i % 3, &random);
		fill(said[1], LENGTH, i % 3, &random);
		struct conversation conversation = {NULL,
		    (enum direction)(next_random(&random) >> 31), said[0],
		    next_random(&random) % LENGTH, said[1], next_random(&random) % LENGTH};
		check(foreign, &conversation);
		if (i == WARM)
			in_use = mallinfo2().uordblks;
	}
	assert_true(mallinfo2().uordblks <= in_use + 65536);
	foreign_destroy(foreign);
}

// Nothing is made before the first look.
static void what_is_not_asked_costs_nothing(void **state)
{
	(void)state;
	size_t before = mallinfo2().uordblks;
	struct foreign *foreign = foreign_create();
	assert_true(mallinfo2().uordblks < before + 8192);
	foreign_destroy(foreign);
	foreign_destroy(NULL);
}

static void names_are_of_the_table_only(void **state)
{
	(void)state;
	assert_null(foreign_name(0));
	assert_null(foreign_name(UINT8_MAX));
	for (unsigned number = 1; foreign_name((uint8_t)number) != NULL; number++)
		for (const char *c = foreign_name((uint8_t)number); *c != '\0'; c++)
			assert_true((*c >= 'a' && *c <= 'z') || (*c >= '0' && *c <= '9') ||
			            *c == '-' || *c == '_');
	assert_memory_equal(foreign_library(), "nDPI ", 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(first_words_have_names),
	    cmocka_unit_test(looks_do_not_depend_on_each_other),
	    cmocka_unit_test(any_length_is_taken),
	    cmocka_unit_test(noise_has_no_name_and_leaves_nothing),
	    cmocka_unit_test(what_is_not_asked_costs_nothing),
	    cmocka_unit_test(names_are_of_the_table_only),
	};
	if (foreign_library() == NULL) {
		print_message("1..0 # SKIP built without nDPI\n");
		return 0;
	}
	return cmocka_run_group_tests_name("foreign", tests, NULL, NULL);
}
