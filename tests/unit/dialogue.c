// SPDX-License-Identifier: Apache-2.0
// What is spoken: how the dialogue finds out, whatever the port is for, and what it keeps of it.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "conversation.h"

#include <string.h>

// Turns too long to be written out: a beginning, filler, an end.
enum { LONG = 4200, VERY_LONG = 96 * 1024 };

static char long_command[LONG], long_capability[LONG], long_body[LONG], long_pipeline[VERY_LONG];
static char long_pop3_capability[LONG], long_greeting[LONG];

static void fill(char *bytes, size_t size, const char *beginning, const char *end)
{
	memset(bytes, 'x', size);
	memcpy(bytes, beginning, strlen(beginning));
	memcpy(bytes + size - strlen(end), end, strlen(end));
}

static void fill_long_turns(void)
{
	fill(long_greeting, LONG, "220 ESMTP ", "\r\n");
	fill(long_command, LONG, "NOOP ", " STARTTLS\r\n");
	fill(long_capability, LONG, "250-mx.example\r\n250-X", "\r\n250 SIZE\r\n");
	fill(long_pop3_capability, LONG, "+OK\r\nX", " STLS\r\nTOP\r\n.\r\n");
	memset(long_pop3_capability + 6, ' ', LONG - 40);
	fill(long_body, LONG, "x", "\r\n.\r\n");
	fill(long_pipeline, VERY_LONG, "MAIL FROM:<a>\r\nRCPT TO:<b>\r\nDATA\r\n", "\r\n.\r\n");
}

#define LONG_C(bytes)                                                                              \
	{                                                                                          \
		FROM_CLIENT, false, bytes, sizeof bytes                                            \
	}
#define LONG_S(bytes)                                                                              \
	{                                                                                          \
		FROM_SERVER, false, bytes, sizeof bytes                                            \
	}

static const struct mail_conversation conversations[] = {
    {
        .name = "FTP on a port for mail",
        .port = PROTOCOL_SMTP,
        .turns = {S("220 ftp.example ready\r\n"), C("USER a\r\n"), S("331 password\r\n"),
            C("PASS secret\r\n"), S("230 welcome\r\n")},
        .facts = {"protocol=ftp", "banner=-", "exposed=-", "messages=-"},
        .ambiguous = "protocol banner in_the_clear server_name required offered reply requested "
                     "accepted established exposed messages login",
        .because = "a server whose answer to USER is lost may be one of SMTP",
        .until_then = "protocol banner",
    },
    {
        .name = "FTP that asks for TLS on a port for mail",
        .port = PROTOCOL_SMTP,
        .turns = {S("220 ftp.example ready\r\n"), C("AUTH TLS\r\n"), S("234 go on\r\n"), TLS_TURNS},
        .facts = {"protocol=ftp", "banner=-", "mechanism=-"},
        .ambiguous = "protocol banner in_the_clear server_name required offered reply requested "
                     "accepted established exposed messages tls_mode login",
        .because = "a server whose answer to AUTH is lost may be one of SMTP",
        .until_then = "protocol banner",
    },
    {
        .name = "SMTP on another port",
        .elsewhere = true,
        .turns = {S("220 mx.example ESMTP\r\n"), C("EHLO c.example\r\n"),
            S("250-mx.example\r\n250 STARTTLS\r\n"), C("QUIT\r\n"), S("221 bye\r\n")},
        .facts = {"protocol=smtp", "client_name=c.example", "offered=yes", "requested=no"},
    },
    {
        .name = "SMTP on another port, whose greeting does not name it",
        .elsewhere = true,
        .turns = {S("220 mx.example ready\r\n"), C("EHLO c.example\r\n"),
            S("250-mx.example\r\n250 STARTTLS\r\n"), C("QUIT\r\n"), S("221 bye\r\n")},
        .facts = {"protocol=smtp", "banner=220 mx.example ready", "offered=yes"},
    },
    {
        .name = "POP3 on another port",
        .elsewhere = true,
        .turns = {S("+OK ready\r\n"), C("CAPA\r\n"), S("+OK\r\nSTLS\r\n.\r\n"), C("QUIT\r\n"),
            S("+OK\r\n")},
        .facts = {"protocol=pop3", "offered=yes"},
    },
    {
        .name = "IMAP on another port",
        .elsewhere = true,
        .turns = {S("* OK ready\r\n"), C("a STARTTLS\r\n"), S("a OK go\r\n"), TLS_TURNS},
        .facts = {"protocol=imap", "tls_mode=starttls", "established=yes"},
    },
    {
        .name = "FTP on another port",
        .elsewhere = true,
        .turns = {S("220 ftp.example ready\r\n"), C("USER a\r\n"), S("331 password\r\n")},
        .facts = {"protocol=-", "banner=-"},
    },
    {
        .name = "a word of SMTP that goes on, and one behind the first line",
        .port = PROTOCOL_IMAP,
        .turns = {S("220 mx.example SMTPX\r\n220 ESMTP\r\n")},
        .facts = {"protocol=unknown", "banner=-"},
    },
    {
        .name = "a greeting without an end on another port",
        .elsewhere = true,
        .turns = {LONG_S(long_greeting), C("QUIT\r\n")},
        .facts = {"protocol=-", "banner=-"},
    },
    {
        .name = "TLS on another port",
        .elsewhere = true,
        .turns = {TLS_TURNS},
        .facts = {"protocol=-", "established=-"},
    },
    {
        .name = "HTTP request and answer",
        .port = PROTOCOL_SMTP,
        .turns = {C("GET / HTTP/1.1\r\nHost: a\r\n\r\n"), S("HTTP/1.1 200 OK\r\n\r\n")},
        .facts = {"protocol=http", "requested=-", "exposed=-", "messages=-"},
    },
    {
        .name = "HTTP request to a mail server",
        .port = PROTOCOL_SMTP,
        .turns = {C("GET / HTTP/1.1\r\nHost: a\r\n\r\n"), S("220 mx.example ESMTP\r\n"),
            S("221 2.7.0 Error: I can break rules, too. Goodbye.\r\n")},
        .facts = {"protocol=smtp", "banner=220 mx.example ESMTP"},
    },
    {
        .name = "HTTP request never answered",
        .port = PROTOCOL_IMAP,
        .turns = {C("GET / HTTP/1.1\r\nHost: a\r\n\r\n")},
        .facts = {"protocol=http"},
    },
    {
        .name = "SSH",
        .port = PROTOCOL_SMTP,
        .turns = {S("SSH-2.0-OpenSSH_9.6\r\n"), C("SSH-2.0-OpenSSH_9.7\r\n")},
        .facts = {"protocol=ssh", "banner=-"},
    },
    {
        .name = "SSH whose client says nothing yet",
        .port = PROTOCOL_SMTP,
        .left_open = true,
        .turns = {S("SSH-2.0-OpenSSH_9.6\r\n")},
        .facts = {"protocol=ssh"},
    },
    {
        .name = "another protocol on each port",
        .port = PROTOCOL_SMTP,
        .turns = {S("* OK [CAPABILITY IMAP4rev1 STARTTLS] ready\r\n"), C("a LOGOUT\r\n"),
            S("* BYE\r\na OK done\r\n")},
        .facts = {"protocol=imap", "offered=yes"},
    },
    {
        .name = "something unknown",
        .port = PROTOCOL_SMTP,
        .turns = {C("\x01\x02\x03\x04hello\r\n"), S("\x05\x06whatever\r\n")},
        .facts = {"protocol=unknown", "banner=-", "client_name=-"},
    },
    {
        .name = "something unknown on an unknown port",
        .port = PROTOCOL_UNDECIDED,
        .turns = {S("220 ftp.example FTP ready\r\n"), C("USER a\r\n"), S("331 password\r\n")},
        .facts = {"protocol=unknown", "banner=-"},
    },
    {
        .name = "nothing but silence",
        .port = PROTOCOL_SMTP,
        .left_open = true,
        .turns = {C("\r\n")},
        .facts = {"protocol=-", "tls_mode=-", "messages=-"},
    },
    {
        .name = "an HTTP client on a port for TLS",
        .port = PROTOCOL_IMAP,
        .implicit_tls = true,
        .turns = {C("GET / HTTP/1.1\r\nHost: a\r\n\r\n"), S("HTTP/1.0 400 Bad\r\n\r\n")},
        .facts = {"protocol=http"},
    },
    {
        .name = "a PROXY header before TLS",
        .port = PROTOCOL_SMTP,
        .implicit_tls = true,
        .turns = {C("PROXY TCP4 192.0.2.1 192.0.2.2 1 465\r\n"), TLS_TURNS},
        .facts = {"protocol=smtp", "tls_mode=implicit", "established=yes"},
    },
    {
        .name = "a PROXY header and the greeting in one segment with what follows",
        .port = PROTOCOL_SMTP,
        .turns = {C("PROXY UNKNOWN\r\nEHLO c.example\r\n"), S("220 mx.example ESMTP\r\n"),
            S("250-mx.example\r\n250 STARTTLS\r\n"), C("QUIT\r\n"), S("221 bye\r\n")},
        .facts = {"protocol=smtp", "client_name=c.example", "offered=yes"},
    },
    {
        .name = "an overlong command that goes on like another",
        .port = PROTOCOL_SMTP,
        .turns = {S("220 mx.example ESMTP\r\n"), LONG_C(long_command), S("500 5.5.2 too long\r\n"),
            C("EHLO c.example\r\n"), S("250-mx.example\r\n250 STARTTLS\r\n"), C("QUIT\r\n"),
            S("221 bye\r\n")},
        .facts = {"requested=no", "client_name=c.example", "offered=yes", "reply=-"},
    },
    {
        .name = "an overlong line in a list of capabilities",
        .port = PROTOCOL_SMTP,
        .turns = {S("220 mx.example ESMTP\r\n"), C("EHLO c.example\r\n"), LONG_S(long_capability),
            C("QUIT\r\n"), S("221 bye\r\n")},
        .facts = {"esmtp=yes", "capabilities=-", "offered=-", "client_name=c.example"},
    },
    {
        .name = "an overlong line in a list of POP3",
        .port = PROTOCOL_POP3,
        .turns = {S("+OK ready\r\n"), C("CAPA\r\n"), LONG_S(long_pop3_capability), C("QUIT\r\n"),
            S("+OK bye\r\n")},
        .facts = {"capabilities=-", "offered=-", "messages=0"},
    },
    {
        .name = "a body of one line, longer than any line that is looked at",
        .port = PROTOCOL_SMTP,
        .turns = {S("220 mx.example ESMTP\r\n"), C("HELO c.example\r\n"), S("250 mx\r\n"),
            C("MAIL FROM:<a>\r\n"), S("250 ok\r\n"), C("RCPT TO:<b>\r\n"), S("250 ok\r\n"),
            C("DATA\r\n"), S("354 go\r\n"), LONG_C(long_body), S("250 ok\r\n"), C("QUIT\r\n"),
            S("221 bye\r\n")},
        .facts = {"messages=1", "message_bytes=4197"},
    },
    {
        .name = "more behind a question than is kept",
        .port = PROTOCOL_SMTP,
        .turns = {S("220 mx.example ESMTP\r\n"), C("HELO c.example\r\n"), S("250 mx\r\n"),
            LONG_C(long_pipeline), S("250 ok\r\n250 ok\r\n354 go\r\n"), S("250 taken\r\n"),
            C("QUIT\r\n"), S("221 bye\r\n")},
        .facts = {"client_name=c.example", "messages=1", "message_bytes=-", "exposed=-",
            "mechanism=-"},
    },
};

int main(void)
{
	fill_long_turns();
	return conversations_run(
	    "dialogue", conversations, sizeof conversations / sizeof conversations[0]);
}
