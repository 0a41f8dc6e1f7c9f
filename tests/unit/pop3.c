// SPDX-License-Identifier: Apache-2.0
// POP3 conversations.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "conversation.h"

#define GREETING S("+OK mx.example ready <1.2@mx.example>\r\n")
#define CAPA C("CAPA\r\n"), S("+OK list\r\nTOP\r\nSTLS\r\nSASL PLAIN LOGIN\r\n.\r\n")
#define CAPA_WITHOUT C("CAPA\r\n"), S("+OK\r\nTOP\r\nUIDL\r\n.\r\n")
#define LOGIN C("USER u\r\n"), S("+OK\r\n"), C("PASS p\r\n"), S("+OK in\r\n")
#define QUIT C("QUIT\r\n"), S("+OK bye\r\n")

#define NOT_GARBLED(line)                                                                          \
	.name = "no clue: " line, .port = PROTOCOL_POP3,                                           \
	.turns = {GREETING, C(line "\r\n"), S("-ERR no\r\n"), QUIT}, .facts = {"clues=-", "tell_now=-"}

static const struct mail_conversation conversations[] = {
    {
        .name = "USER and PASS",
        .port = PROTOCOL_POP3,
        .turns = {GREETING, CAPA, LOGIN, C("STAT\r\n"), S("+OK 0 0\r\n"), QUIT},
        .facts = {"protocol=pop3", "tls_mode=none", "banner=+OK mx.example ready <1.2@mx.example>",
            "capabilities=TOP|STLS|SASL PLAIN LOGIN", "offered=yes", "requested=no",
            "mechanism=USER", "exposed=yes", "login=success", "messages=0", "in_the_clear=yes",
            "required=no", "esmtp=-", "established=no"},
    },
    {
        .name = "no STLS offered",
        .port = PROTOCOL_POP3,
        .turns = {GREETING, CAPA_WITHOUT, LOGIN, QUIT},
        .facts = {"capabilities=TOP|UIDL", "offered=no", "login=success"},
    },
    {
        .name = "CAPA refused",
        .port = PROTOCOL_POP3,
        .turns = {GREETING, C("CAPA\r\n"), S("-ERR unknown\r\n"), LOGIN, QUIT},
        .facts = {"capabilities=-", "offered=-", "login=success"},
    },
    {
        .name = "a list after the log-in does not flip the offer",
        .port = PROTOCOL_POP3,
        .turns = {GREETING, CAPA, LOGIN, CAPA_WITHOUT, QUIT},
        .facts = {"capabilities=TOP|UIDL", "offered=yes"},
    },
    {
        .name = "a list only after the log-in says nothing of the offer",
        .port = PROTOCOL_POP3,
        .turns = {GREETING, LOGIN, CAPA_WITHOUT, QUIT},
        .facts = {"capabilities=TOP|UIDL", "offered=-"},
    },
    {
        .name = "refused at the door",
        .port = PROTOCOL_POP3,
        .turns = {S("-ERR busy\r\n")},
        .facts = {"protocol=pop3", "banner=-ERR busy", "messages=-"},
    },
    {
        .name = "an unknown port",
        .port = PROTOCOL_UNDECIDED,
        .turns = {GREETING, CAPA, QUIT},
        .facts = {"protocol=pop3", "offered=yes", "exposed=no"},
    },
    {
        .name = "bare line feeds and garbage",
        .port = PROTOCOL_POP3,
        .turns = {S("+OK ready\n"), C("\xff\x00\r\n"), S("-ERR what\r\n"), C("capa\n"),
            S("+OK\nSTLS\n.\n"), C("STLSX\r\n"), S("-ERR what\r\n"), C("QUIT\n"), S("+OK bye\n")},
        .facts = {"banner=+OK ready", "offered=yes", "capabilities=STLS", "requested=no"},
    },
    /* ---- STLS ---- */
    {
        .name = "STLS",
        .port = PROTOCOL_POP3,
        .turns = {GREETING, CAPA, C("STLS\r\n"), S("+OK begin\r\n"), TLS_TURNS},
        .facts = {"tls_mode=starttls", "requested=yes", "accepted=yes", "reply=+OK",
            "established=yes", "exposed=no", "messages=0", "injected_commands=-",
            "injected_responses=-", "foreign=-"},
    },
    {
        .name = "STLS refused",
        .port = PROTOCOL_POP3,
        .turns = {GREETING, CAPA, C("stls\r\n"), S("-ERR not now\r\n"), LOGIN, QUIT},
        .facts = {"tls_mode=none", "requested=yes", "accepted=no", "reply=-ERR", "login=success",
            "established=no", "clues=answer:-ERR not now"},
    },
    {
        .name = "STLS refused, sent at once with what follows",
        .port = PROTOCOL_POP3,
        .turns = {GREETING, C("STLS\r\nUSER u\r\nPASS p\r\n"), S("-ERR no\r\n+OK\r\n+OK in\r\n"),
            QUIT},
        .facts = {"accepted=no", "login=success", "exposed=yes", "injected_commands=-"},
    },
    {
        .name = "STLS answered with neither yes nor no, then a log-in in the clear",
        .port = PROTOCOL_POP3,
        .turns = {GREETING, CAPA, C("STLS\r\n"), S("OK begin\r\n"), LOGIN, QUIT},
        .facts = {"requested=yes", "reply=-", "accepted=no", "clues=answer:OK begin",
            "established=no", "login=success"},
    },
    {
        .name = "STLS answered with neither yes nor no, and TLS",
        .port = PROTOCOL_POP3,
        .turns = {GREETING, CAPA, C("STLS\r\n"), S("OK begin\r\n"), TLS_TURNS},
        .facts = {"requested=yes", "reply=-", "accepted=yes", "clues=answer:OK begin",
            "established=yes", "tls_mode=starttls"},
    },
    {
        .name = "STLS overwritten on its way",
        .port = PROTOCOL_POP3,
        .turns = {GREETING, CAPA, C("XXXX\r\n"), S("-ERR what\r\n"), LOGIN, QUIT},
        .facts = {"requested=no", "clues=garbled:XXXX|garbled_answer:-ERR what", "tell_now=yes",
            "login=success"},
    },
    {
        .name = "filler behind the log-in",
        .port = PROTOCOL_POP3,
        .turns = {GREETING, LOGIN, C("XXXX\r\n"), S("-ERR no\r\n"), QUIT},
        .facts = {"clues=-", "tell_now=-"},
    },
    {NOT_GARBLED("XTLX")},
    {NOT_GARBLED("XXXXX")},
    {NOT_GARBLED("XXXXXXXX")},
    {NOT_GARBLED("LIST")},
    {
        .name = "an empty line before the answer to STLS",
        .port = PROTOCOL_POP3,
        .turns = {GREETING, C("STLS\r\n"), S("\r\n+OK go\r\n"), TLS_TURNS},
        .facts = {"reply=+OK", "accepted=yes", "established=yes", "clues=-"},
    },
    {
        .name = "a server that is tired of waiting for TLS",
        .port = PROTOCOL_POP3,
        .turns = {GREETING, C("STLS\r\n"), S("+OK go\r\n"), S("-ERR timeout\r\n")},
        .facts = {"accepted=yes", "injected_responses=-"},
    },
    {
        .name = "STLS never answered",
        .port = PROTOCOL_POP3,
        .turns = {GREETING, C("STLS\r\n")},
        .facts = {"requested=yes", "accepted=no", "reply=-"},
    },
    {
        .name = "a log-in injected behind STLS",
        .port = PROTOCOL_POP3,
        .turns = {GREETING, C("STLS\r\nUSER u\r\nPASS p\r\n"), S("+OK go\r\n"), TLS_TURNS},
        .facts = {"injected_commands=16", "exposed=-", "mechanism=-", "established=yes"},
    },
    {
        .name = "a reply injected behind +OK",
        .port = PROTOCOL_POP3,
        .turns = {GREETING, C("STLS\r\n"), S("+OK go\r\n+OK in\r\n"), TLS_TURNS},
        .facts = {"injected_responses=8", "established=yes", "login=-"},
    },
    {
        .name = "a log-in refused because it is in the clear",
        .port = PROTOCOL_POP3,
        .turns = {GREETING, C("USER u\r\n"),
            S("-ERR [AUTH] Plaintext authentication disallowed on non-secure (SSL/TLS) "
              "connections.\r\n"),
            QUIT},
        .facts = {"required=yes", "exposed=no", "login=-"},
    },
    /* ---- log-ins ---- */
    {
        .name = "PASS refused",
        .port = PROTOCOL_POP3,
        .turns = {GREETING, C("USER u\r\n"), S("+OK\r\n"), C("PASS wrong one\r\n"),
            S("-ERR no\r\n"), QUIT},
        .facts = {"mechanism=USER", "exposed=yes", "login=failure", "required=-"},
    },
    {
        .name = "APOP",
        .port = PROTOCOL_POP3,
        .turns = {GREETING, C("APOP u c4c9334bac560ecc979e58001b3e22fb\r\n"), S("+OK in\r\n"),
            QUIT},
        .facts = {"mechanism=APOP", "exposed=no", "login=success"},
    },
    {
        .name = "APOP refused, then PASS",
        .port = PROTOCOL_POP3,
        .turns = {GREETING, C("APOP u c4c9334bac560ecc979e58001b3e22fb\r\n"), S("-ERR no\r\n"),
            LOGIN, QUIT},
        .facts = {"mechanism=USER", "exposed=yes", "login=success"},
    },
    {
        .name = "AUTH PLAIN asked for",
        .port = PROTOCOL_POP3,
        .turns = {GREETING, C("AUTH PLAIN\r\n"), S("+ \r\n"), C("AGEAYg==\r\n"), S("+OK in\r\n"),
            QUIT},
        .facts = {"mechanism=PLAIN", "exposed=yes", "login=success"},
    },
    {
        .name = "AUTH PLAIN with an initial response",
        .port = PROTOCOL_POP3,
        .turns = {GREETING, C("auth plain AGEAYg==\r\n"), S("-ERR no\r\n"), QUIT},
        .facts = {"mechanism=PLAIN", "exposed=yes", "login=failure"},
    },
    {
        .name = "AUTH LOGIN",
        .port = PROTOCOL_POP3,
        .turns = {GREETING, C("AUTH LOGIN\r\n"), S("+ VXNlcg==\r\n"), C("YQ==\r\n"),
            S("+ UGFzcw==\r\n"), C("Yg==\r\n"), S("+OK in\r\n"), QUIT},
        .facts = {"mechanism=LOGIN", "exposed=yes", "login=success"},
    },
    {
        .name = "AUTH SCRAM-SHA-1",
        .port = PROTOCOL_POP3,
        .turns = {GREETING, C("AUTH SCRAM-SHA-1 biwsbj1h\r\n"), S("+ cj1y\r\n"), C("Yz1iaXdz\r\n"),
            S("+ dj0x\r\n"), C("\r\n"), S("+OK in\r\n"), QUIT},
        .facts = {"mechanism=SCRAM-SHA-1", "exposed=no", "login=success"},
    },
    {
        .name = "AUTH cancelled",
        .port = PROTOCOL_POP3,
        .turns = {GREETING, C("AUTH PLAIN\r\n"), S("+ \r\n"), C("*\r\n"), S("-ERR cancelled\r\n"),
            QUIT},
        .facts = {"mechanism=PLAIN", "exposed=no", "login=-"},
    },
    {
        .name = "AUTH alone, and with what may be a secret",
        .port = PROTOCOL_POP3,
        .turns = {GREETING, C("AUTH\r\n"), S("+OK\r\nPLAIN\r\n-ERR\r\n.\r\n"),
            C("AUTH hunter2\r\n"), S("-ERR unknown\r\n"), QUIT},
        .facts = {"mechanism=-", "exposed=no"},
    },
    /* ---- messages ---- */
    {
        .name = "RETR of a message that looks like replies",
        .port = PROTOCOL_POP3,
        .turns = {GREETING, LOGIN, C("RETR 1\r\n"),
            S("+OK 60 octets\r\n+OK\r\n-ERR STARTTLS needed\r\n..\r\n...\r\n.x\r\n\r\n.\r\n"),
            QUIT},
        .facts = {"messages=1", "message_bytes=42", "required=no", "login=success",
            "in_the_clear=yes"},
    },
    {
        .name = "RETR and TOP, one of them refused",
        .port = PROTOCOL_POP3,
        .turns = {GREETING, LOGIN, C("RETR 1\r\n"), S("+OK\r\na\r\n.\r\n"), C("TOP 2 0\r\n"),
            S("+OK\r\nb: c\r\n\r\n.\r\n"), C("RETR 9\r\n"), S("-ERR no such\r\n"), C("DELE 1\r\n"),
            S("+OK\r\n"), QUIT},
        .facts = {"messages=2", "message_bytes=11"},
    },
    {
        .name = "LIST and UIDL, with and without a number",
        .port = PROTOCOL_POP3,
        .turns = {GREETING, LOGIN, C("LIST\r\n"), S("+OK\r\n1 10\r\n2 20\r\n.\r\n"),
            C("LIST 1\r\n"), S("+OK 1 10\r\n"), C("UIDL\r\n"), S("+OK\r\n1 x\r\n2 y\r\n.\r\n"),
            C("UIDL 1\r\n"), S("+OK 1 x\r\n"), C("RETR 1\r\n"), S("+OK\r\nx\r\n.\r\n"), QUIT},
        .facts = {"messages=1", "message_bytes=3"},
    },
    {
        .name = "a list with a line that looks like a reply",
        .port = PROTOCOL_POP3,
        .turns = {GREETING, LOGIN, C("UIDL\r\nRETR 1\r\n"),
            S("+OK\r\n1 x\r\n-ERR\r\n.\r\n+OK\r\nx\r\n.\r\n"), QUIT},
        .facts = {"messages=1", "message_bytes=3"},
    },
    {
        .name = "a list of capabilities right behind another",
        .port = PROTOCOL_POP3,
        .turns = {GREETING, C("CAPA\r\nCAPA\r\n"), S("+OK\r\nONE\r\n.\r\n+OK\r\nTWO\r\n.\r\n"),
            QUIT},
        .facts = {"capabilities=TWO"},
    },
    {
        .name = "the end of a message lost, with the dot",
        .port = PROTOCOL_POP3,
        .turns = {GREETING, LOGIN, C("RETR 1\r\n"), S("+OK\r\nabc\r\n"), LOST_S(9), C("RETR 2\r\n"),
            S("+OK\r\nx\r\n.\r\n"), QUIT},
        .facts = {"messages=2", "message_bytes=-", "login=success"},
    },
    {
        .name = "pipelining",
        .port = PROTOCOL_POP3,
        .turns = {GREETING, C("CAPA\r\nUSER u\r\nPASS p\r\nLIST\r\nRETR 1\r\nRETR 2\r\nQUIT\r\n"),
            S("+OK\r\nPIPELINING\r\n.\r\n+OK\r\n+OK in\r\n+OK\r\n1 3\r\n2 3\r\n.\r\n"),
            S("+OK\r\nx\r\n.\r\n+OK\r\ny\r\n.\r\n+OK bye\r\n")},
        .facts = {"messages=2", "message_bytes=6", "login=success", "offered=no",
            "capabilities=PIPELINING"},
    },
    {
        .name = "in the clear on a port for TLS",
        .port = PROTOCOL_POP3,
        .implicit_tls = true,
        .turns = {GREETING, LOGIN, QUIT},
        .facts = {"protocol=pop3", "tls_mode=none", "login=success"},
    },
    {
        .name = "TLS from the first byte",
        .port = PROTOCOL_POP3,
        .implicit_tls = true,
        .turns = {TLS_TURNS},
        .facts = {"protocol=pop3", "tls_mode=implicit", "established=yes"},
    },
    {
        .name = "in the clear after +OK",
        .port = PROTOCOL_POP3,
        .turns = {GREETING, C("STLS\r\n"), S("+OK go\r\n"), LOGIN, QUIT},
        .facts = {"accepted=yes", "established=no", "foreign=yes", "exposed=yes"},
    },
};

int main(void)
{
	return conversations_run(
	    "pop3", conversations, sizeof conversations / sizeof conversations[0]);
}
