// SPDX-License-Identifier: Apache-2.0
// What the shipped patterns say of filler, overwritten banners and refusals, real ones and ones made to mislead.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "pattern_asking.h"

/* ---- filler ---- */

static const char *const filler[] = {
    "XXXX",
    "XXXXXXXX",
    "XXXXXXXA",
    "XXXXXXXXXXXXXXXXXXXXXXXD",
    "XXXA",
    "XXXC",
    "XXXXXXXB",
    "********",
    "****",
    "***A",
    "AAAAAAAA",
    "ZZZZ",
    "AAAAAAAB",
    "--------",
    "........",
    "????????",
    "00000000",
    "########",
    "XXXXXXXX 10240000",
    "STARTXXX",
    "STXXXXXX",
    "XXXXXTLS",
    "START***",
    "STARTTLX",
    "STARTTL",
    "STARTTLSX",
    "XTARTTLS",
    "SXARTTLS",
    "STARTLS",
    "START-TLS",
    "XTLS",
    "STLX",
    "STL",
    "STLSX",
};

// Keywords of the registers of IANA (SMTP service extensions, IMAP capabilities, POP3 extensions) and of
// servers in the field, as lines of records.
static const char *const capabilities[] = {
    // SMTP
    "8BITMIME",
    "ATRN",
    "AUTH PLAIN LOGIN",
    "AUTH=LOGIN",
    "AUTH=LOGIN PLAIN",
    "BINARYMIME",
    "BURL",
    "BURL IMAP",
    "CHECKPOINT",
    "CHUNKING",
    "CONNEG",
    "CONPERM",
    "DELIVERBY",
    "DELIVERBY 86400",
    "DSN",
    "ENHANCEDSTATUSCODES",
    "ETRN",
    "EXPN",
    "FUTURERELEASE",
    "FUTURERELEASE 604800 2026-01-01T00:00:00Z",
    "HELP",
    "LIMITS RCPTMAX=20",
    "MT-PRIORITY",
    "MT-PRIORITY MIXER",
    "MTRK",
    "NO-SOLICITING",
    "PIPELINING",
    "PIPECONNECT",
    "PIPE_CONNECT",
    "X_PIPE_CONNECT",
    "PRDR",
    "REQUIRETLS",
    "RRVS",
    "SAML",
    "SEND",
    "SIZE",
    "SIZE 35882577",
    "SMTPUTF8",
    "SOML",
    "STARTTLS",
    "STARTTLS REQUIRED",
    "SUBMITTER",
    "TLS",
    "TURN",
    "UTF8SMTP",
    "VERB",
    "VRFY",
    "ONEX",
    "XADR",
    "XSTA",
    "XCIR",
    "XREMOTEQUEUE",
    "XGEN",
    "XLOOP 0123",
    "XCLIENT NAME ADDR PROTO",
    "XFORWARD NAME ADDR PROTO HELO SOURCE PORT IDENT",
    "XVERP",
    "XEXCH50",
    "X-EXPS GSSAPI NTLM LOGIN",
    "X-EXPS=LOGIN",
    "X-LINK2STATE",
    "X-ANONYMOUSTLS",
    "X-RCPTLIMIT 10000",
    "XRDST",
    "XSHADOW",
    "XSHADOWREQUEST",
    "XPROXY",
    "XPROXYFROM",
    "XPROXYTO",
    "XSESSIONPARAMS",
    "XMESSAGEVALUE",
    "XOORG",
    "XATTR",
    "XSYSPROBE",
    "XMSG",
    "XTEXT",
    "XUSR",
    "XQUEUE",
    "XDFLG",
    "XACK",
    "XI",
    "OK",
    "NOOP",
    "RSET",
    "IMPLEMENTATION TRINITY",
    "AUTH LOGIN PLAIN XYMCOOKIE",
    // IMAP
    "ACL",
    "ANNOTATE-EXPERIMENT-1",
    "APPENDLIMIT",
    "APPENDLIMIT=1",
    "AUTH=PLAIN",
    "AUTH=SCRAM-SHA-256-PLUS",
    "BINARY",
    "CATENATE",
    "CHILDREN",
    "COMPRESS=DEFLATE",
    "CONDSTORE",
    "CONTEXT=SEARCH",
    "CONTEXT=SORT",
    "CONVERT",
    "CREATE-SPECIAL-USE",
    "ENABLE",
    "ESEARCH",
    "ESORT",
    "FILTERS",
    "I18NLEVEL=1",
    "ID",
    "IDLE",
    "IMAP4",
    "IMAP4REV1",
    "IMAP4REV2",
    "IMAPSIEVE=",
    "INPROGRESS",
    "JMAPACCESS",
    "LANGUAGE",
    "LIST-EXTENDED",
    "LIST-METADATA",
    "LIST-MYRIGHTS",
    "LIST-STATUS",
    "LITERAL+",
    "LITERAL-",
    "LOGIN-REFERRALS",
    "LOGINDISABLED",
    "MAILBOX-REFERRALS",
    "MESSAGELIMIT=1",
    "METADATA",
    "METADATA-SERVER",
    "MOVE",
    "MULTIAPPEND",
    "MULTISEARCH",
    "NAMESPACE",
    "NOTIFY",
    "OBJECTID",
    "PARTIAL",
    "PREVIEW",
    "QRESYNC",
    "QUOTA",
    "QUOTA=RES-STORAGE",
    "QUOTASET",
    "REPLACE",
    "RIGHTS=KXTE",
    "SASL-IR",
    "SAVEDATE",
    "SAVELIMIT=1",
    "SEARCH=FUZZY",
    "SEARCHRES",
    "SORT",
    "SORT=DISPLAY",
    "SPECIAL-USE",
    "STATUS=SIZE",
    "THREAD",
    "THREAD=REFS",
    "UIDBATCHES",
    "UIDONLY",
    "UIDPLUS",
    "UNAUTHENTICATE",
    "UNSELECT",
    "URL-PARTIAL",
    "URLAUTH",
    "URLAUTH=BINARY",
    "UTF8=ACCEPT",
    "UTF8=ONLY",
    "WITHIN",
    "XLIST",
    "XYMHIGHESTMODSEQ",
    "X-GM-EXT-1",
    "X-MSG-EXT",
    "X-CM-EXT-1",
    "XAPPLEPUSHSERVICE",
    "XAOL-NETMAIL",
    "XAPPLELITERAL",
    "XSERVERINFO",
    "XSENDER",
    "XNETSCAPE",
    "XCONVERSATIONS",
    "XSTATUS",
    "XWARN",
    "SNIPPET=FUZZY",
    "CONTEXT",
    "STARTTLS=X",
    // POP3
    "TOP",
    "USER",
    "SASL PLAIN LOGIN",
    "RESP-CODES",
    "LOGIN-DELAY 900",
    "EXPIRE 0",
    "EXPIRE NEVER",
    "UIDL",
    "IMPLEMENTATION CYRUS POP3 SERVER V2.3.16",
    "STLS",
    "LANG",
    "UTF8 USER",
    "AUTH-RESP-CODE",
    "APOP",
    "CAPA",
    "X-MANGLE",
    "XTND",
    "XTND XMIT",
    "STAT",
    "SASL",
    "PASS",

};

static void filler_capabilities(void **state)
{
	(void)state;
	ASSERT_ALL(PATTERN_FILLER_CAPABILITY, filler, true);
	ASSERT_ALL(PATTERN_FILLER_CAPABILITY, capabilities, false);
}

static void filler_commands(void **state)
{
	(void)state;
	static const char *const of_starttls[] = {"XXXXXXXX", "XXXXXXXA", "********", "AAAAAAAA",
	    "aaaaaaaa", "--------", "STARTXXX", "STXXXXXX", "XXXXXTLS", "START***"};
	static const char *const of_stls[] = {"XXXX", "XXXA", "****", "AAAA", "----"};
	static const char *const none[] = {"STARTTLS", "STLS", "starttls", "STARTTLX", "STARTLS",
	    "XXXXXXX", "XXXXXXXXX", "XXXXX", "XXX", "STLX", "STAT", "XVERP", "XEXCH50", "XCLIENT",
	    "XFORWARD", "XFORWARD NAME=a", "NOOP", "AAAAAAAAAAAAAAAAAAAAAAAAA", "EHLO", "QUIT",
	    "XXXXXXXX x"};
	for (size_t i = 0; i < sizeof of_starttls / sizeof of_starttls[0]; i++)
		assert_says(PATTERN_FILLER_COMMAND, of_starttls[i], "starttls");
	for (size_t i = 0; i < sizeof of_stls / sizeof of_stls[0]; i++)
		assert_says(PATTERN_FILLER_COMMAND, of_stls[i], "stls");
	ASSERT_ALL(PATTERN_FILLER_COMMAND, none, false);
}

static void filler_echoes(void **state)
{
	(void)state;
	static const char *const of_starttls[] = {"500 5.5.1 Command unrecognized: \"XXXXXXXX\"",
	    "500 5.5.1 Command unrecognized: \"XXXXXXXA\"", "500 XXXXXXXX: unknown command",
	    "502 5.5.2 Error: command not recognized: ********", "500 'STARTXXX' unknown",
	    "500 unknown: XXXXXTLS", "a BAD Unknown command XXXXXXXX (0.001 secs)."};
	static const char *const of_stls[] = {"-ERR Unknown command: XXXX",
	    "-ERR unknown command \"****\"", "-ERR XXXX not implemented"};
	static const char *const none[] = {"500 5.5.1 Command unrecognized: \"STARTTLS\"",
	    "502 5.5.2 Error: command not recognized", "500 ******** ERROR ********",
	    "500 **** go away ****", "-ERR Unknown command: STLS", "500 sorry, not here....",
	    "500 call 555-XXXX-1234", "500 EXXXX", "500 XXXXX", "500 XXXXXXXXXX",
	    "500 see MAXXXXXXXX", "500 1XXXXXXXX2", "454 TLS not available", "500 5.5.1 \"***\"",
	    "XXXXXXXX"};
	for (size_t i = 0; i < sizeof of_starttls / sizeof of_starttls[0]; i++)
		assert_says(PATTERN_FILLER_ECHO, of_starttls[i], "starttls");
	for (size_t i = 0; i < sizeof of_stls / sizeof of_stls[0]; i++)
		assert_says(PATTERN_FILLER_ECHO, of_stls[i], "stls");
	ASSERT_ALL(PATTERN_FILLER_ECHO, none, false);
}

static void overwritten_banners(void **state)
{
	(void)state;
	static const char *const overwritten[] = {"220 ****************0*2**",
	    "220 ********************************",
	    "220 **************** ***** ******* 2 0*** ******", "220 2*******0**2************",
	    "220-*****0*2********", "220-*********2******", "220 ****", "220 XXXXXXXXXXXXXXXX",
	    "* OK ********", "+OK *************"};
	static const char *const sound[] = {"220 mx.example.com ESMTP Postfix",
	    "220 *** mx.example.com ESMTP ***", "220 ******** No spam ********",
	    "220-***********************************", "220 ***", "220 2002 2020", "220 ", "220",
	    "220-", "220 0", "250 ********", "220 mx.example.com ****************", "* OK ***",
	    "220 XX", "220 xxxxxxxx ESMTP", "421 ****************"};
	ASSERT_ALL(PATTERN_BANNER_OVERWRITTEN, overwritten, true);
	ASSERT_ALL(PATTERN_BANNER_OVERWRITTEN, sound, false);
}

/* ---- refusals ---- */

static void refusals_that_want_tls(void **state)
{
	(void)state;
	static const char *const wanting[] = {"530 5.7.0 Must issue a STARTTLS command first",
	    "530 5.7.0 must issue a starttls command first", "530 5.7.1 STARTTLS required",
	    "538 5.7.11 Encryption required for requested authentication mechanism",
	    "554 5.7.1 Encryption required", "554 5.7.0 TLS is required here",
	    "550 5.7.10 Encryption needed", "503 5.5.1 Error: use STARTTLS first",
	    "550 5.7.1 Session encryption is required", "504 5.7.4 This mechanism needs TLS",
	    "a NO [PRIVACYREQUIRED] Plaintext authentication disallowed",
	    "a NO Plaintext authentication disallowed on non-secure connections.",
	    "a NO STARTTLS required", "a NO Login only permitted over an encrypted connection",
	    "-ERR [AUTH] Plaintext authentication disallowed on non-secure (SSL/TLS) connections.",
	    "-ERR Cleartext login disallowed",
	    "-ERR [SYS/PERM] Command is not permitted without TLS", "-ERR must use STLS first",
	    "-ERR You need to enable TLS",
	    "-ERR unencrypted connections are disabled, no insecure log-in",
	    "535 secure connection required"};
	static const char *const others[] = {"550 5.7.1 TLS report refused",
	    "530 5.7.0 Authentication required", "535 5.7.8 Error: authentication failed",
	    "550 5.1.1 user unknown", "502 5.5.1 STARTTLS not supported", "500 TLS not available",
	    "550 5.7.1 STARTTLS failed", "454 4.7.0 TLS handshake failure", "-ERR no", "a NO no",
	    "550 5.7.1 message must be signed", "-ERR STLS command not supported",
	    "550 TLSRPT report must be first", "550 the subtlest required",
	    "535 login required first"};
	ASSERT_ALL(PATTERN_REFUSAL_WANTS_TLS, wanting, true);
	ASSERT_ALL(PATTERN_REFUSAL_WANTS_TLS, others, false);
}

static void unknown_commands(void **state)
{
	(void)state;
	static const char *const unknown[] = {"500 5.5.1 Command unrecognized: \"XXXXXXXX\"",
	    "500 unrecognized command", "502 5.5.2 Error: command not recognized",
	    "502 5.5.1 Error: command not implemented", "502 unimplemented (#5.5.1)", "500",
	    "500 Syntax error, command unrecognized", "500 5.3.3 Unrecognized command", "500 what?",
	    "a BAD Unknown command", "a1 BAD Error in IMAP command received by server.", "a BAD",
	    "a bad Unrecognized command", "a NO STARTTLS not supported", "-ERR Unknown command.",
	    "-ERR Unimplemented", "-ERR Invalid command.", "-ERR [SYS/PERM] Unknown command",
	    "-ERR command not recognized", "-ERR bad command", "-ERR STLS not supported",
	    "-ERR unknown command STLS", "-ERR Protocol error", "-ERR syntax error", "-ERR What?",
	    "501 5.5.4 Unrecognized command verb"};
	static const char *const others[] = {"454 4.7.0 TLS not available due to local problem",
	    "454 4.3.0 Try again later", "421 4.7.0 Error: too many errors",
	    "503 5.5.1 STARTTLS command used when not advertised",
	    "500 5.5.1 Error: too many errors", "502 5.5.1 TLS is already active",
	    "502 5.7.0 Please authenticate first",
	    "554 5.7.3 Unable to initialize security subsystem",
	    "501 5.5.4 Syntax error (no parameters allowed)", "a NO TLS support isn't enabled.",
	    "a BAD TLS is already active.", "a BAD Please login first",
	    "a BAD Too many invalid IMAP commands.", "-ERR TLS is already active.",
	    "-ERR TLS not available", "-ERR Temporarily unavailable", "-ERR Too many bad commands",
	    "-ERR command not permitted when TLS active", "-ERR no", "-ERR", "5000 a",
	    "530 5.7.0 Must issue a STARTTLS command first"};
	ASSERT_ALL(PATTERN_UNKNOWN_COMMAND, unknown, true);
	ASSERT_ALL(PATTERN_UNKNOWN_COMMAND, others, false);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(filler_capabilities),
	    cmocka_unit_test(filler_commands),
	    cmocka_unit_test(filler_echoes),
	    cmocka_unit_test(overwritten_banners),
	    cmocka_unit_test(refusals_that_want_tls),
	    cmocka_unit_test(unknown_commands),
	};
	return cmocka_run_group_tests_name("shipped_clues", tests, asking_begin, asking_end);
}
