// SPDX-License-Identifier: Apache-2.0
// What is certainly mail on a port that is not known for it, and what is not, whatever it looks like.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "decode/mail_elsewhere.h"

#include <stdio.h>
#include <string.h>

struct look {
	const char *bytes;
	enum mail_elsewhere answer;
	enum protocol protocol; // with a sign or mail
	enum protocol theirs; // of clients: what the server's greeting was a sign of
};

static const struct look servers[] = {
    {"220 mx.example ESMTP ready\r\n", ELSEWHERE_MAIL, PROTOCOL_SMTP, 0},
    {"220-mx.example SMTP\r\n220 ready\r\n", ELSEWHERE_MAIL, PROTOCOL_SMTP, 0},
    {"220 mx.example LMTP\r\n", ELSEWHERE_MAIL, PROTOCOL_SMTP, 0},
    {"554 mx.example ESMTP not accepting messages\r\n", ELSEWHERE_MAIL, PROTOCOL_SMTP, 0},
    {"220 mx.example ready\r\n", ELSEWHERE_SIGN, PROTOCOL_SMTP, 0},
    {"220 (vsFTPd 3.0.3)\r\n", ELSEWHERE_SIGN, PROTOCOL_SMTP, 0},
    {"220 dict.example dictd <auth.mime> <1@dict.example>\r\n", ELSEWHERE_SIGN, PROTOCOL_SMTP, 0},
    {"* OK [CAPABILITY IMAP4rev1] ready\r\n", ELSEWHERE_MAIL, PROTOCOL_IMAP, 0},
    {"* PREAUTH IMAP4rev1 server\r\n", ELSEWHERE_MAIL, PROTOCOL_IMAP, 0},
    {"* OK ready\r\n", ELSEWHERE_SIGN, PROTOCOL_IMAP, 0},
    {"* OK MUPDATE \"mupdate.example\" \"Cyrus\"\r\n", ELSEWHERE_SIGN, PROTOCOL_IMAP, 0},
    {"+OK POP3 server ready <1896.6970@pop.example>\r\n", ELSEWHERE_MAIL, PROTOCOL_POP3, 0},
    {"+OK <1896.6970@pop.example>\r\n", ELSEWHERE_MAIL, PROTOCOL_POP3, 0},
    {"+OK ready\r\n", ELSEWHERE_SIGN, PROTOCOL_POP3, 0},
    {"+OK\r\n", ELSEWHERE_SIGN, PROTOCOL_POP3, 0},
    {"2", ELSEWHERE_TOO_SHORT, 0, 0},
    {"220 mx.example ESM", ELSEWHERE_TOO_SHORT, 0, 0},
    {"* O", ELSEWHERE_TOO_SHORT, 0, 0},
    {"+OK POP3", ELSEWHERE_TOO_SHORT, 0, 0},
    {"200 news.example ready\r\n", ELSEWHERE_NO_MAIL, 0, 0},
    {"-ERR unknown command\r\n", ELSEWHERE_NO_MAIL, 0, 0},
    {"* ACAP (IMPLEMENTATION \"x\")\r\n", ELSEWHERE_NO_MAIL, 0, 0},
    {"HTTP/1.1 200 OK\r\n", ELSEWHERE_NO_MAIL, 0, 0},
    {"SSH-2.0-OpenSSH_9.6\r\n", ELSEWHERE_NO_MAIL, 0, 0},
    {"\"IMPLEMENTATION\" \"Dovecot Pigeonhole\"\r\n", ELSEWHERE_NO_MAIL, 0, 0},
    {"EHLO c.example\r\n", ELSEWHERE_NO_MAIL, 0, 0},
};

static const struct look clients[] = {
    {"EHLO c.example\r\n", ELSEWHERE_MAIL, PROTOCOL_SMTP, 0},
    {"lhlo c.example\r\n", ELSEWHERE_MAIL, PROTOCOL_SMTP, 0},
    {"EHL", ELSEWHERE_TOO_SHORT, 0, 0},
    {"\x16\x03", ELSEWHERE_TOO_SHORT, 0, 0},
    {"EHLOX\r\n", ELSEWHERE_NO_MAIL, 0, 0},
    {"HELO c.example\r\n", ELSEWHERE_NO_MAIL, 0, 0},
    {"HELO c.example\r\n", ELSEWHERE_MAIL, PROTOCOL_SMTP, PROTOCOL_SMTP},
    {"USER someone\r\n", ELSEWHERE_NO_MAIL, 0, 0},
    {"USER someone\r\n", ELSEWHERE_NO_MAIL, 0, PROTOCOL_SMTP},
    {"QUIT\r\n", ELSEWHERE_NO_MAIL, 0, PROTOCOL_SMTP},
    {"SHOW DB\r\n", ELSEWHERE_NO_MAIL, 0, PROTOCOL_SMTP},
    {"USER someone\r\n", ELSEWHERE_MAIL, PROTOCOL_POP3, PROTOCOL_POP3},
    {"AUTH PLAIN\r\n", ELSEWHERE_MAIL, PROTOCOL_POP3, PROTOCOL_POP3},
    {"PING\r\n", ELSEWHERE_NO_MAIL, 0, PROTOCOL_POP3},
    {"a1 CAPABILITY\r\n", ELSEWHERE_NO_MAIL, 0, 0},
    {"a1 CAPABILITY\r\n", ELSEWHERE_MAIL, PROTOCOL_IMAP, PROTOCOL_IMAP},
    {"a1 LOGIN someone secret\r\n", ELSEWHERE_MAIL, PROTOCOL_IMAP, PROTOCOL_IMAP},
    {"a1 UPDATE\r\n", ELSEWHERE_NO_MAIL, 0, PROTOCOL_IMAP},
    {"GET / HTTP/1.1\r\n", ELSEWHERE_NO_MAIL, 0, 0},
    {"*1\r\n$4\r\nPING\r\n", ELSEWHERE_NO_MAIL, 0, 0},
    {"\xff\xfb\x18", ELSEWHERE_NO_MAIL, 0, 0},
};

static void check(enum direction from, const struct look *look)
{
	enum protocol protocol = PROTOCOL_UNDECIDED;
	enum mail_elsewhere answer = mail_elsewhere(
	    from, (const uint8_t *)look->bytes, strlen(look->bytes), true, look->theirs, &protocol);
	if (answer != look->answer)
		print_message("%s: %d instead of %d\n", look->bytes, answer, look->answer);
	assert_int_equal(answer, look->answer);
	if (answer == ELSEWHERE_SIGN || answer == ELSEWHERE_MAIL)
		assert_int_equal(protocol, look->protocol);
}

static void greetings(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof servers / sizeof servers[0]; i++)
		check(FROM_SERVER, &servers[i]);
}

static void first_commands(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof clients / sizeof clients[0]; i++)
		check(FROM_CLIENT, &clients[i]);
}

// However few bytes there are, they are never taken for something else than more of them would be.
static void greetings_have_an_end(void **state)
{
	enum { LONGEST = 2048 };
	static uint8_t greeting[LONGEST + 1] = "220 mx.example ESMTP ";
	(void)state;
	memset(greeting + 21, 'x', sizeof greeting - 21);
	for (size_t length = LONGEST - 1; length <= LONGEST + 1; length++) {
		enum protocol protocol;
		assert_int_equal(mail_elsewhere(FROM_SERVER, greeting, length, true,
		                     PROTOCOL_UNDECIDED, &protocol),
		    length < LONGEST ? ELSEWHERE_TOO_SHORT : ELSEWHERE_NO_MAIL);
	}
}

static void beginnings_wait_or_agree(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof servers / sizeof servers[0]; i++) {
		if (servers[i].answer != ELSEWHERE_MAIL && servers[i].answer != ELSEWHERE_SIGN)
			continue;
		size_t end = strcspn(servers[i].bytes, "\n");
		for (size_t length = 1; length <= end; length++) {
			enum protocol protocol;
			assert_int_equal(
			    mail_elsewhere(FROM_SERVER, (const uint8_t *)servers[i].bytes, length,
			        true, PROTOCOL_UNDECIDED, &protocol),
			    ELSEWHERE_TOO_SHORT);
		}
	}
}

// Whose beginning is not in the capture: what is not certain at once is not waited for.
static void midway_nothing_is_waited_for(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof servers / sizeof servers[0]; i++) {
		enum protocol protocol;
		enum mail_elsewhere answer =
		    mail_elsewhere(FROM_SERVER, (const uint8_t *)servers[i].bytes,
		        strlen(servers[i].bytes), false, PROTOCOL_UNDECIDED, &protocol);
		assert_int_equal(answer,
		    servers[i].answer == ELSEWHERE_MAIL ? ELSEWHERE_MAIL : ELSEWHERE_NO_MAIL);
	}
}

/* ---- TLS ---- */

enum { HELLO_MAX = 256 };

// A ClientHello in one record, with these ALPN names (a space between); "": no such extension.
static size_t write_hello(uint8_t *out, const char *names)
{
	static const uint8_t head[] = {22, 3, 1, 0, 0, 1, 0, 0, 0, 3, 3};
	static const uint8_t suites[] = {0, 0, 2, 0x13, 1, 1, 0};
	uint8_t list[HELLO_MAX];
	size_t listed = 0, at = sizeof head;
	memset(out, 7, HELLO_MAX);
	memcpy(out, head, sizeof head);
	at += 32; // random
	memcpy(out + at, suites, sizeof suites);
	at += sizeof suites;
	while (*names != '\0') {
		size_t length = strcspn(names, " ");
		list[listed++] = (uint8_t)length;
		memcpy(list + listed, names, length);
		listed += length;
		names += length + (names[length] == ' ');
	}
	const uint8_t extension[] = {
	    0, (uint8_t)(listed + 6), 0, 16, 0, (uint8_t)(listed + 2), 0, (uint8_t)listed};
	if (listed > 0) {
		memcpy(out + at, extension, sizeof extension);
		memcpy(out + at + sizeof extension, list, listed);
		at += sizeof extension + listed;
	}
	out[4] = (uint8_t)(at - 5);
	out[8] = (uint8_t)(at - 9);
	return at;
}

static void alpn_tells(void **state)
{
	static const struct {
		const char *names;
		enum protocol protocol;
	} cases[] = {{"imap", PROTOCOL_IMAP}, {"pop3", PROTOCOL_POP3}, {"smtp", PROTOCOL_SMTP},
	    {"imap h2", PROTOCOL_IMAP}, {"h2 imap", PROTOCOL_UNDECIDED}, {"", PROTOCOL_UNDECIDED},
	    {"h2 http/1.1", PROTOCOL_UNDECIDED}, {"imaps", PROTOCOL_UNDECIDED},
	    {"managesieve", PROTOCOL_UNDECIDED}};
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		uint8_t hello[HELLO_MAX];
		size_t length = write_hello(hello, cases[i].names);
		for (size_t part = 1; part <= length; part++) {
			enum protocol protocol = PROTOCOL_UNDECIDED;
			bool mail = cases[i].protocol != PROTOCOL_UNDECIDED;
			enum mail_elsewhere answer = mail_elsewhere(
			    FROM_CLIENT, hello, part, true, PROTOCOL_UNDECIDED, &protocol);
			assert_int_equal(answer, part < length ? ELSEWHERE_TOO_SHORT
			                         : mail        ? ELSEWHERE_MAIL_IN_TLS
			                                       : ELSEWHERE_NO_MAIL);
			if (answer == ELSEWHERE_MAIL_IN_TLS)
				assert_int_equal(protocol, cases[i].protocol);
		}
	}
}

static void what_does_not_fit_is_no_mail(void **state)
{
	(void)state;
	uint8_t hello[HELLO_MAX];
	enum protocol protocol;
	size_t length = write_hello(hello, "imap");
	hello[8]++; // the message goes on in another record
	assert_int_equal(
	    mail_elsewhere(FROM_CLIENT, hello, length, true, PROTOCOL_UNDECIDED, &protocol),
	    ELSEWHERE_NO_MAIL);
	length = write_hello(hello, "imap");
	hello[length - 5]++; // the name is longer than its list
	assert_int_equal(
	    mail_elsewhere(FROM_CLIENT, hello, length, true, PROTOCOL_UNDECIDED, &protocol),
	    ELSEWHERE_NO_MAIL);
}

static void proxy_headers_are_possible(void **state)
{
	static const char header[] = "PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n";
	(void)state;
	for (size_t length = 1; length < sizeof header; length++)
		assert_true(
		    mail_elsewhere_possible(FROM_CLIENT, (const uint8_t *)header, length, true));
	assert_false(mail_elsewhere_possible(
	    FROM_CLIENT, (const uint8_t *)header, sizeof header - 1, false));
	assert_false(mail_elsewhere_possible(FROM_CLIENT, (const uint8_t *)"GET / ", 6, true));
	assert_true(mail_elsewhere_possible(FROM_SERVER, (const uint8_t *)"220 a\r\n", 7, true));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(greetings),
	    cmocka_unit_test(first_commands),
	    cmocka_unit_test(greetings_have_an_end),
	    cmocka_unit_test(beginnings_wait_or_agree),
	    cmocka_unit_test(midway_nothing_is_waited_for),
	    cmocka_unit_test(alpn_tells),
	    cmocka_unit_test(what_does_not_fit_is_no_mail),
	    cmocka_unit_test(proxy_headers_are_possible),
	};
	return cmocka_run_group_tests_name("mail_elsewhere", tests, NULL, NULL);
}
