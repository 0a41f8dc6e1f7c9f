// SPDX-License-Identifier: Apache-2.0
// IMAP conversations.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "conversation.h"

#define GREETING S("* OK [CAPABILITY IMAP4rev1 STARTTLS AUTH=PLAIN] mx.example ready\r\n")
#define BARE_GREETING S("* OK ready\r\n")
#define CAPABILITY                                                                                 \
	C("a CAPABILITY\r\n"), S("* CAPABILITY IMAP4rev1 STARTTLS LOGINDISABLED\r\na OK done\r\n")
#define LOGIN C("l LOGIN u p\r\n"), S("l OK LOGIN done\r\n")
#define SELECT C("s SELECT INBOX\r\n"), S("* 1 EXISTS\r\n* OK [UIDVALIDITY 1] x\r\ns OK done\r\n")
#define LOGOUT C("z LOGOUT\r\n"), S("* BYE\r\nz OK done\r\n")

#define NOT_GARBLED(line)                                                                          \
	.name = "no clue: " line, .port = PROTOCOL_IMAP,                                           \
	.turns = {GREETING, C(line "\r\n"), S("a BAD no\r\n"), LOGOUT},                             \
	.facts = {"clues=-", "tell_now=-"}

static const struct mail_conversation conversations[] = {
    /* ---- greetings and capabilities ---- */
    {
        .name = "capabilities in the greeting",
        .port = PROTOCOL_IMAP,
        .turns = {GREETING, LOGOUT},
        .facts = {"protocol=imap", "tls_mode=none",
            "banner=* OK [CAPABILITY IMAP4rev1 STARTTLS AUTH=PLAIN] mx.example ready",
            "capabilities=IMAP4REV1|STARTTLS|AUTH=PLAIN", "offered=yes", "requested=no",
            "exposed=no", "messages=0", "in_the_clear=-", "esmtp=-"},
    },
    {
        .name = "capabilities asked for",
        .port = PROTOCOL_IMAP,
        .turns = {BARE_GREETING, CAPABILITY, LOGOUT},
        .facts = {"banner=* OK ready", "capabilities=IMAP4REV1|STARTTLS|LOGINDISABLED",
            "offered=yes"},
    },
    {
        .name = "no STARTTLS offered",
        .port = PROTOCOL_IMAP,
        .turns = {BARE_GREETING, C("a capability\r\n"),
            S("* capability imap4rev1 auth=plain\r\na ok done\r\n"), LOGOUT},
        .facts = {"capabilities=IMAP4REV1|AUTH=PLAIN", "offered=no", "requested=no"},
    },
    {
        .name = "a word that only begins like STARTTLS",
        .port = PROTOCOL_IMAP,
        .turns = {BARE_GREETING, C("a CAPABILITY\r\n"),
            S("* CAPABILITY IMAP4rev1 XSTARTTLS STARTTLSX\r\na OK done\r\n"), LOGOUT},
        .facts = {"offered=no"},
    },
    {
        .name = "capabilities in the answer to LOGIN do not flip the offer",
        .port = PROTOCOL_IMAP,
        .turns = {GREETING, C("l LOGIN u p\r\n"), S("l OK [CAPABILITY IMAP4rev1 IDLE] in\r\n"),
            LOGOUT},
        .facts = {"offered=yes", "capabilities=IMAP4REV1|IDLE", "login=success"},
    },
    {
        .name = "capabilities after the log-in alone say nothing of the offer",
        .port = PROTOCOL_IMAP,
        .turns = {BARE_GREETING, C("l LOGIN u p\r\n"),
            S("* CAPABILITY IMAP4rev1 IDLE\r\nl OK [CAPABILITY IMAP4rev1 IDLE] in\r\n"),
            C("c CAPABILITY\r\n"), S("* CAPABILITY IMAP4rev1 IDLE\r\nc OK done\r\n"), LOGOUT},
        .facts = {"offered=-", "capabilities=IMAP4REV1|IDLE", "login=success"},
    },
    {
        .name = "PREAUTH",
        .port = PROTOCOL_IMAP,
        .turns = {S("* PREAUTH [CAPABILITY IMAP4rev1] ready\r\n"), SELECT, LOGOUT},
        .facts = {"protocol=imap", "banner=* PREAUTH [CAPABILITY IMAP4rev1] ready",
            "capabilities=IMAP4REV1", "offered=no", "login=-", "greeting=preauth"},
    },
    {
        .name = "a greeting without its star",
        .port = PROTOCOL_IMAP,
        .turns = {S("OK IMAP2 Server Ready\r\n"), CAPABILITY, LOGIN, LOGOUT},
        .facts = {"protocol=imap", "banner=OK IMAP2 Server Ready", "greeting=irregular",
            "capabilities=IMAP4REV1|STARTTLS|LOGINDISABLED", "offered=yes", "login=success"},
    },
    {
        .name = "PREAUTH without its star",
        .port = PROTOCOL_IMAP,
        .turns = {S("PREAUTH ready\r\n"), CAPABILITY, LOGOUT},
        .facts = {"banner=PREAUTH ready", "greeting=irregular"},
    },
    {
        .name = "a greeting that looks like a tagged response",
        .port = PROTOCOL_IMAP,
        .turns = {S("a OK [CAPABILITY IMAP4rev1 STARTTLS] ready\r\n"), C("a STARTTLS\r\n"),
            S("a NO never\r\n"), LOGOUT},
        .facts = {"banner=a OK [CAPABILITY IMAP4rev1 STARTTLS] ready", "greeting=irregular",
            "accepted=no", "reply=NO", "clues=answer:a NO never"},
    },
    {
        .name = "BYE at the door",
        .port = PROTOCOL_IMAP,
        .turns = {S("* BYE too busy\r\n")},
        .facts = {"protocol=imap", "banner=* BYE too busy"},
    },
    {
        .name = "an unknown port",
        .port = PROTOCOL_UNDECIDED,
        .turns = {GREETING, LOGOUT},
        .facts = {"protocol=imap", "offered=yes"},
    },
    {
        .name = "empty lines, bare line feeds, garbage",
        .port = PROTOCOL_IMAP,
        .turns = {S("* OK ready\n"), C("\n"), S("* BAD null\n"), C("\xff\x00\r\n"),
            S("* BAD what\r\n"), C("a CAPABILITY\n"),
            S("* CAPABILITY IMAP4rev1 STARTTLS\na OK done\n"), LOGOUT},
        .facts = {"banner=* OK ready", "capabilities=IMAP4REV1|STARTTLS", "offered=yes",
            "exposed=no"},
    },
    /* ---- STARTTLS ---- */
    {
        .name = "STARTTLS",
        .port = PROTOCOL_IMAP,
        .turns = {GREETING, C("a STARTTLS\r\n"), S("a OK Begin TLS\r\n"), TLS_TURNS},
        .facts = {"tls_mode=starttls", "requested=yes", "accepted=yes", "reply=OK",
            "established=yes", "exposed=no", "messages=0", "foreign=-", "injected_commands=-",
            "injected_responses=-"},
    },
    {
        .name = "STARTTLS answered with NO",
        .port = PROTOCOL_IMAP,
        .turns = {GREETING, C("a STARTTLS\r\n"), S("a NO not now\r\n"), LOGIN, LOGOUT},
        .facts = {"tls_mode=none", "requested=yes", "accepted=no", "reply=NO", "established=no",
            "exposed=yes", "login=success"},
    },
    {
        .name = "STARTTLS answered with BAD, sent at once with what follows",
        .port = PROTOCOL_IMAP,
        .turns = {GREETING, C("a STARTTLS\r\nl LOGIN u p\r\n"), S("a BAD unknown\r\nl OK in\r\n"),
            LOGOUT},
        .facts = {"accepted=no", "reply=BAD", "exposed=yes", "login=success",
            "injected_commands=-"},
    },
    {
        .name = "STARTTLS answered with no status, then a log-in in the clear",
        .port = PROTOCOL_IMAP,
        .turns = {GREETING, C("a STARTTLS\r\n"), S("* OK a wait\r\n"), S("a WHAT is that\r\n"), LOGIN,
            LOGOUT},
        .facts = {"requested=yes", "reply=-", "accepted=no", "clues=answer:a WHAT is that",
            "established=no", "tls_mode=none", "login=success"},
    },
    {
        .name = "STARTTLS answered with no status, and what follows was sent at once",
        .port = PROTOCOL_IMAP,
        .turns = {GREETING, C("a STARTTLS\r\nl LOGIN u p\r\n"), S("a YES\r\nl OK in\r\n"), LOGOUT},
        .facts = {"reply=-", "accepted=no", "clues=answer:a YES", "exposed=yes", "login=success"},
    },
    {
        .name = "STARTTLS answered with no status, and TLS",
        .port = PROTOCOL_IMAP,
        .turns = {GREETING, C("a STARTTLS\r\n"), S("a BEGIN now\r\n"), TLS_TURNS},
        .facts = {"requested=yes", "reply=-", "accepted=yes", "clues=answer:a BEGIN now",
            "established=yes", "tls_mode=starttls", "injected_responses=-"},
    },
    {
        .name = "STARTTLS answered with no status, and a client that leaves",
        .port = PROTOCOL_IMAP,
        .turns = {GREETING, C("a STARTTLS\r\n"), S("a BEGIN now\r\n")},
        .facts = {"reply=-", "accepted=-", "clues=answer:a BEGIN now", "established=no",
            "tls_mode=none"},
    },
    {
        .name = "STARTTLS answered with no status before the capture's end",
        .port = PROTOCOL_IMAP,
        .left_open = true,
        .turns = {GREETING, C("a STARTTLS\r\n"), S("a BEGIN now\r\n")},
        .facts = {"reply=-", "accepted=-", "established=-", "tls_mode=-"},
    },
    {
        .name = "STARTTLS overwritten on its way",
        .port = PROTOCOL_IMAP,
        .turns = {GREETING, C("a XXXXXXXX\r\n"), S("a BAD unknown XXXXXXXX\r\n"), LOGIN, LOGOUT},
        .facts = {"requested=no", "tell_now=yes",
            "clues=garbled:XXXXXXXX|garbled_answer:a BAD unknown XXXXXXXX", "login=success"},
    },
    {
        .name = "a garbled command that is refused in another way",
        .port = PROTOCOL_IMAP,
        .turns = {GREETING, C("a XXXXXXXX\r\n"), S("a NO what\r\n"), LOGOUT},
        .facts = {"clues=garbled:XXXXXXXX", "tell_now=-"},
    },
    {NOT_GARBLED("a XXXXXXXX XX")},
    {NOT_GARBLED("a XXXXXXX")},
    {NOT_GARBLED("a STARTXLX")},
    {NOT_GARBLED("XXXXXXXX")},
    {
        .name = "STARTTLS answered with no status, and TLS that has a line end in it",
        .port = PROTOCOL_IMAP,
        .turns = {GREETING, C("a STARTTLS\r\n"), S("a BEGIN now\r\n"),
            C("\x16\x03\x01\x00\x36\x01\x00\x00\x32\x03\x03" "0123456789abcdef0123\r\n6789abcdef"
              "\x00\x00\x02\x13\x01\x01\x00\x00\x07\x00\x2b\x00\x03\x02\x03\x04")},
        .facts = {"accepted=yes", "tls_mode=starttls"},
    },
    {
        .name = "filler in a literal is the client's own",
        .port = PROTOCOL_IMAP,
        .turns = {GREETING, C("a LOGIN {1}\r\n"), S("+ go\r\n"), C("u {10}\r\n"), S("+ go\r\n"),
            C("a XXXXXXXX\r\n"), S("a BAD no\r\n"), C("b XXXXXXXX\r\n"), S("b BAD no\r\n"), LOGOUT},
        .facts = {"clues=-", "tell_now=-"},
    },
    {
        .name = "STARTTLS never answered",
        .port = PROTOCOL_IMAP,
        .turns = {GREETING, C("a STARTTLS\r\n"), S("* BYE\r\n")},
        .facts = {"requested=yes", "accepted=no", "reply=-", "established=no"},
    },
    {
        .name = "a log-in injected behind STARTTLS",
        .port = PROTOCOL_IMAP,
        .turns = {GREETING, C("a STARTTLS\r\nl LOGIN u p\r\n"), S("a OK go\r\n"), TLS_TURNS},
        .facts = {"tls_mode=starttls", "injected_commands=13", "exposed=-", "login=-",
            "mechanism=-", "established=yes"},
    },
    {
        .name = "a response injected behind OK",
        .port = PROTOCOL_IMAP,
        .turns = {GREETING, C("a STARTTLS\r\n"),
            S("a OK go\r\n* CAPABILITY IMAP4rev1 AUTH=PLAIN\r\n"), TLS_TURNS},
        .facts = {"tls_mode=starttls", "injected_responses=35", "established=yes",
            "capabilities=IMAP4REV1|STARTTLS|AUTH=PLAIN"},
    },
    {
        .name = "LOGINDISABLED, and a log-in that is refused for it",
        .port = PROTOCOL_IMAP,
        .turns = {BARE_GREETING, CAPABILITY, C("l LOGIN u p\r\n"),
            S("l NO [PRIVACYREQUIRED] Plaintext authentication disallowed\r\n"), LOGOUT},
        .facts = {"required=yes", "exposed=yes", "login=failure", "mechanism=LOGIN-COMMAND"},
    },
    /* ---- log-ins ---- */
    {
        .name = "LOGIN with quoted strings",
        .port = PROTOCOL_IMAP,
        .turns = {GREETING, C("l login \"u \\\"x\" \"p STARTTLS {3}\"\r\n"), S("l OK in\r\n"),
            LOGOUT},
        .facts = {"mechanism=LOGIN-COMMAND", "exposed=yes", "login=success", "requested=no",
            "required=no"},
    },
    {
        .name = "LOGIN with literals that the server asks for",
        .port = PROTOCOL_IMAP,
        .turns = {GREETING, C("l LOGIN {4}\r\n"), S("+ go\r\n"), C("u{9} {10}\r\n"), S("+ go\r\n"),
            C("a STARTTLS\r\n"), S("l OK in\r\n"), LOGOUT},
        .facts = {"mechanism=LOGIN-COMMAND", "exposed=yes", "login=success", "requested=no"},
    },
    {
        .name = "LOGIN with literals sent at once",
        .port = PROTOCOL_IMAP,
        .turns = {GREETING,
            C("l LOGIN {12+}\r\na STARTTLS\r\n {12-}\r\nb STARTTLS\r\n {0-}\r\n\r\n"),
            S("l NO no\r\n"), LOGOUT},
        .facts = {"exposed=yes", "login=failure", "requested=no", "required=-"},
    },
    {
        .name = "LOGIN refused at its literal",
        .port = PROTOCOL_IMAP,
        .turns = {GREETING, C("l LOGIN {4}\r\n"), S("l BAD no literals\r\n"), LOGOUT},
        .facts = {"mechanism=-", "exposed=no", "login=-", "messages=0"},
    },
    {
        .name = "AUTHENTICATE PLAIN",
        .port = PROTOCOL_IMAP,
        .turns = {GREETING, C("l AUTHENTICATE PLAIN\r\n"), S("+ \r\n"), C("AGEAYg==\r\n"),
            S("l OK in\r\n"), LOGOUT},
        .facts = {"mechanism=PLAIN", "exposed=yes", "login=success"},
    },
    {
        .name = "AUTHENTICATE with an initial response",
        .port = PROTOCOL_IMAP,
        .turns = {GREETING, C("l authenticate xoauth2 dXNlcj1h\r\n"), S("+ eyJz\r\n"), C("\r\n"),
            S("l NO no\r\n"), LOGOUT},
        .facts = {"mechanism=XOAUTH2", "exposed=yes", "login=failure"},
    },
    {
        .name = "AUTHENTICATE CRAM-MD5",
        .port = PROTOCOL_IMAP,
        .turns = {GREETING, C("l AUTHENTICATE CRAM-MD5\r\n"), S("+ PDEy\r\n"), C("YSAwMQ==\r\n"),
            S("l OK [CAPABILITY IMAP4rev1] in\r\n"), LOGOUT},
        .facts = {"mechanism=CRAM-MD5", "exposed=no", "login=success", "offered=yes"},
    },
    {
        .name = "AUTHENTICATE cancelled",
        .port = PROTOCOL_IMAP,
        .turns = {GREETING, C("l AUTHENTICATE PLAIN\r\n"), S("+ \r\n"), C("*\r\n"),
            S("l BAD cancelled\r\n"), LOGOUT},
        .facts = {"mechanism=PLAIN", "exposed=no", "login=-"},
    },
    {
        .name = "AUTHENTICATE with what may be a secret",
        .port = PROTOCOL_IMAP,
        .turns = {GREETING, C("l AUTHENTICATE hunter2\r\n"), S("l NO unsupported\r\n"), LOGOUT},
        .facts = {"mechanism=-", "exposed=no"},
    },
    {
        .name = "a log-in refused, then another",
        .port = PROTOCOL_IMAP,
        .turns = {GREETING, C("1 LOGIN u x\r\n"), S("1 NO no\r\n"), C("2 LOGIN u p\r\n"),
            S("2 OK in\r\n"), LOGOUT},
        .facts = {"login=success", "exposed=yes"},
    },
    /* ---- messages ---- */
    {
        .name = "FETCH with a message that looks like responses",
        .port = PROTOCOL_IMAP,
        .turns = {GREETING, LOGIN, SELECT, C("f FETCH 1 BODY[]\r\n"),
            S("* 1 FETCH (UID 1 BODY[] {61}\r\nf OK done\r\n* CAPABILITY X\r\n"
              "l NO STARTTLS required\r\n* BYE {9}\r\n\r\n)\r\nf OK done\r\n"),
            LOGOUT},
        .facts = {"messages=1", "message_bytes=61", "required=no", "login=success",
            "capabilities=IMAP4REV1|STARTTLS|AUTH=PLAIN", "in_the_clear=yes"},
    },
    {
        .name = "FETCH of several, headers, and parts",
        .port = PROTOCOL_IMAP,
        .turns = {GREETING, LOGIN, C("f UID FETCH 1:3 (RFC822.SIZE BODY[HEADER] BODY[TEXT])\r\n"),
            S("* 1 FETCH (BODY[HEADER] {5}\r\nA: b\n BODY[TEXT] {4}\r\n* BY)\r\n"
              "* 2 FETCH (BODY[HEADER] {5}\r\nA: b\n)\r\n"
              "* 3 FETCH (BODY[TEXT] \"hello\")\r\nf OK done\r\n"),
            LOGOUT},
        .facts = {"messages=2", "message_bytes=4"},
    },
    {
        .name = "FETCH of two parts of a message",
        .port = PROTOCOL_IMAP,
        .turns = {GREETING, LOGIN, C("f FETCH 1 (BODY[1] BODY[TEXT])\r\n"),
            S("* 1 FETCH (BODY[1] {5}\r\na\r\nb\n BODY[TEXT] {4}\r\n* BY)\r\nf OK done\r\n"),
            LOGOUT},
        .facts = {"messages=1", "message_bytes=9"},
    },
    {
        .name = "a list of capabilities right behind another",
        .port = PROTOCOL_IMAP,
        .turns = {BARE_GREETING, C("a CAPABILITY\r\n"),
            S("* CAPABILITY ONE\r\n* CAPABILITY TWO\r\na OK done\r\n"), LOGOUT},
        .facts = {"capabilities=TWO"},
    },
    {
        .name = "a literal lost in part",
        .port = PROTOCOL_IMAP,
        .turns = {GREETING, LOGIN, C("f FETCH 1 BODY[]\r\n"), S("* 1 FETCH (BODY[] {20}\r\nabcde"),
            LOST_S(10), S("fghij)\r\nf OK done\r\n"), LOGOUT},
        .facts = {"messages=1", "message_bytes=20", "login=success"},
    },
    {
        .name = "APPEND with a literal that the server asks for",
        .port = PROTOCOL_IMAP,
        .turns = {GREETING, LOGIN, C("p APPEND Drafts (\\Seen) {26}\r\n"), S("+ go\r\n"),
            C("x STARTTLS\r\nl LOGIN a b\r\n\r\n"), S("p OK [APPENDUID 1 1] done\r\n"), LOGOUT},
        .facts = {"in_the_clear=yes", "requested=no", "messages=0", "login=success"},
    },
    {
        .name = "APPEND of two messages sent at once",
        .port = PROTOCOL_IMAP,
        .turns = {GREETING, LOGIN, C("p APPEND Drafts {12+}\r\na STARTTLS\r\n {3+}\r\n\r\n.\r\n"),
            S("p OK done\r\n"), LOGOUT},
        .facts = {"in_the_clear=yes", "requested=no"},
    },
    {
        .name = "IDLE",
        .port = PROTOCOL_IMAP,
        .turns = {GREETING, LOGIN, SELECT, C("i IDLE\r\n"), S("+ idling\r\n"), S("* 2 EXISTS\r\n"),
            C("DONE\r\n"), S("i OK done\r\n"), LOGOUT},
        .facts = {"messages=0", "login=success", "requested=no"},
    },
    {
        .name = "pipelining, answered in another order",
        .port = PROTOCOL_IMAP,
        .turns = {GREETING, C("1 LOGIN u p\r\n2 CAPABILITY\r\n3 NOOP\r\n"),
            S("3 OK done\r\n* CAPABILITY IMAP4rev1 IDLE\r\n2 OK done\r\n1 OK in\r\n"), LOGOUT},
        .facts = {"login=success", "capabilities=IMAP4REV1|IDLE", "offered=yes"},
    },
    {
        .name = "COMPRESS",
        .port = PROTOCOL_IMAP,
        .turns = {GREETING, LOGIN, C("c COMPRESS DEFLATE\r\n"), S("c OK on\r\n"),
            C("\x4a\xd6\xb7\x07\x00\r\n\x01\x02 STARTTLS\r\n"), S("\x52\x08\x01\x0a\r\n")},
        .facts = {"login=success", "requested=no", "exposed=yes"},
    },
    {
        .name = "COMPRESS refused",
        .port = PROTOCOL_IMAP,
        .turns = {GREETING, C("c COMPRESS DEFLATE\r\n"), S("c NO not here\r\n"), LOGIN, LOGOUT},
        .facts = {"login=success", "requested=no", "exposed=yes"},
    },
    {
        .name = "FETCH of a message that looks like responses, before a log-in's",
        .port = PROTOCOL_IMAP,
        .turns = {GREETING, C("l LOGIN u p\r\nf FETCH 1 BODY[]\r\n"), S("l NO no\r\nf NO no\r\n"),
            C("m LOGIN u p\r\nf FETCH 1 BODY[]\r\n"),
            S("m OK in\r\n* 1 FETCH (BODY[] {24}\r\nm NO STARTTLS needed\r\n\r\n)\r\nf OK "
              "done\r\n"),
            LOGOUT},
        .facts = {"messages=1", "message_bytes=24", "required=no", "login=success"},
    },
    {
        .name = "in the clear on a port for TLS",
        .port = PROTOCOL_IMAP,
        .implicit_tls = true,
        .turns = {GREETING, LOGIN, LOGOUT},
        .facts = {"protocol=imap", "tls_mode=none", "login=success", "exposed=yes"},
    },
    {
        .name = "TLS from the first byte",
        .port = PROTOCOL_IMAP,
        .implicit_tls = true,
        .turns = {TLS_TURNS},
        .facts = {"protocol=imap", "tls_mode=implicit", "established=yes", "exposed=no"},
    },
    {
        .name = "in the clear after OK",
        .port = PROTOCOL_IMAP,
        .turns = {GREETING, C("a STARTTLS\r\n"), S("a OK go\r\n"), C("l LOGIN u p\r\n"),
            S("l OK in\r\n"), LOGOUT},
        .facts = {"accepted=yes", "established=no", "foreign=yes", "exposed=yes",
            "in_the_clear=yes"},
    },
};

int main(void)
{
	return conversations_run(
	    "imap", conversations, sizeof conversations / sizeof conversations[0]);
}
