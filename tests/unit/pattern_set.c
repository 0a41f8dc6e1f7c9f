// SPDX-License-Identifier: Apache-2.0
// What the shipped patterns say of real lines and of ones made to mislead, and how a user's own patterns
// stand before them.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "decode/pattern_file.h"
#include "decode/pattern_set.h"
#include "decode/shipped_patterns.h"
#include "pattern_lab.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct pattern_scratch *scratch;

/* ---- asking ---- */

static int make(void **state)
{
	scratch = pattern_scratch_create(shipped_set());
	return scratch == NULL || lab_folder_make(state) != 0;
}

static int release(void **state)
{
	pattern_scratch_destroy(scratch);
	return lab_folder_remove(state);
}

static const char *asked(const struct pattern_set *set, struct pattern_scratch *with,
    enum pattern_class class, const char *text)
{
	// An exact copy on the heap, so that a sanitizer sees a read past the end.
	size_t length = strlen(text);
	uint8_t *copy = malloc(length);
	assert_true(copy != NULL || length == 0);
	memcpy(copy, text, length);
	const char *said = pattern_match(set, with, class, view_of(copy, length));
	free(copy);
	return said;
}

// `wanted`: NULL for nothing.
static void assert_says(enum pattern_class class, const char *text, const char *wanted)
{
	const char *said = asked(shipped_set(), scratch, class, text);
	said = said != NULL ? said : "nothing";
	wanted = wanted != NULL ? wanted : "nothing";
	if (strcmp(said, wanted) != 0)
		fail_msg("\"%s\" is %s, not %s", text, said, wanted);
}

// Texts that the class knows, or none of which it knows, as `knows` says.
static void assert_all(enum pattern_class class, const char *const *texts, size_t count, bool knows)
{
	for (size_t i = 0; i < count; i++)
		if ((asked(shipped_set(), scratch, class, texts[i]) != NULL) != knows)
			fail_msg("[%s] %s \"%s\"", pattern_class_name(class),
			    knows ? "does not know" : "knows", texts[i]);
}

#define ASSERT_ALL(class, texts, knows)                                                            \
	assert_all(class, texts, sizeof(texts) / sizeof((texts)[0]), knows)

/* ---- software ---- */

// Greetings as servers send them.
static const struct {
	const char *software, *line;
} greetings[] = {
    {"Postfix", "220 mx.example.com ESMTP Postfix"},
    {"Postfix", "220 mx.example.com ESMTP Postfix (Debian/GNU)"},
    {"Postfix", "220 mx.example.com ESMTP Postfix (2.11.0)"},
    {"Postfix", "220-mx.example.com ESMTP Postfix"},
    {"Postfix", "220 mail ESMTP Postfix"},
    {"Postfix", "220 mx.example.com Example Mail (Postfix) ready"},
    {"Exim", "220 mx.example.com ESMTP Exim 4.96 Mon, 23 Nov 2026 18:42:36 +0000"},
    {"Exim", "220-shared.example.net ESMTP Exim 4.93 #2 Fri, 05 Mar 2021 04:01:45 -0600"},
    {"Sendmail", "220 mx.example.com ESMTP Sendmail 8.15.2/8.15.2; Sat, 7 Aug 2021 08:20:11 GMT"},
    {"Sendmail", "220 mx.example.com ESMTP Sendmail; Sat, 7 Aug 2021 08:20:11 GMT"},
    {"OpenSMTPD", "220 mx.example.com ESMTP OpenSMTPD"},
    {"Exchange",
        "220 ex.example.com Microsoft ESMTP MAIL Service ready at Mon, 6 Mar 2017 12:00:00 +0100"},
    {"Exchange", "* OK The Microsoft Exchange IMAP4 service is ready."},
    {"Exchange", "+OK The Microsoft Exchange POP3 service is ready."},
    {"Exchange", "* OK Microsoft Exchange Server 2003 IMAP4rev1 server version 6.5.7638.1 "
                 "(ex.example.com) ready."},
    {"Exchange", "+OK Microsoft Exchange Server 2003 POP3 server version 6.5.7638.1 "
                 "(ex.example.com) ready."},
    {"Microsoft SMTP", "220 web Microsoft ESMTP MAIL Service, Version: 6.0.3790.3959 ready at  "
                       "Sun, 1 Jan 2012 13:01:43 +1000"},
    {"Microsoft POP3", "+OK Microsoft Windows POP3 Service Version 1.0 <1@web> ready."},
    {"Outlook.com", "220 AM1.mail.protection.outlook.com Microsoft ESMTP MAIL Service ready at "
                    "Tue, 5 Dec 2023 10:00:00 +0000"},
    {"Outlook.com", "220 AM6PR01CA0001.outlook.office365.com Microsoft ESMTP MAIL Service ready at "
                    "Tue, 5 Dec 2023 10:00:00 +0000 [08DBF2A3B4C5D6E7]"},
    {"Gmail", "220 mx.google.com ESMTP q8si1038396vcq.58 - gsmtp"},
    {"Gmail", "220 smtp.gmail.com ESMTP 5b1f17b1804b1-40b54b4e6f2sm1234567wmq.26 - gsmtp"},
    {"Gmail", "* OK Gimap ready for requests from 192.0.2.1 a1mb1234567edb"},
    {"Gmail", "+OK Gpop ready for requests from 192.0.2.1 a1mb1234567edb"},
    {"Yahoo", "220 mtaproxy511.free.mail.ne1.yahoo.com ESMTP ready"},
    {"Yahoo", "+OK Hello from jpop-0.1"},
    {"qmail", "+OK <12345.1700000000@mx.example.com>"},
    {"qmail", "220 mx.example.com qmail ESMTP"},
    {"MDaemon", "220 mx.example.com ESMTP MDaemon 20.0.1; Mon, 01 Jan 2024 00:00:00 +0000"},
    {"MDaemon", "* OK mx.example.com IMAP4rev1 MDaemon 13.0.3 ready"},
    {"MDaemon", "+OK mx.example.com POP3 MDaemon 13.0.3 ready "
                "<MDAEMON-F202401010000.AA0000000MD1@mx.example.com>"},
    {"Domino", "220 mx.example.com ESMTP Service (Lotus Domino Release 8.5.3) ready at Mon, 1 Jan "
               "2024 00:00:00 +0000"},
    {"Domino", "220 mx.example.com ESMTP Service (IBM Domino Release 9.0.1FP10) ready at Mon, 1 "
               "Jan 2024 00:00:00 +0000"},
    {"Domino", "220 mx.example.com ESMTP Service (HCL Domino Release 12.0.2) ready at Mon, 1 Jan "
               "2024 00:00:00 +0000"},
    {"Domino", "* OK Domino IMAP4 Server Release 8.5.3 ready Mon, 1 Jan 2024 00:00:00 +0000"},
    {"Domino",
        "+OK Lotus Notes POP3 server version Release 8.5.3 ready <0001@mx/Example> on mx/Example."},
    {"Dovecot", "* OK [CAPABILITY IMAP4rev1 LITERAL+ STARTTLS AUTH=PLAIN] Dovecot (Debian) ready."},
    {"Dovecot", "* OK Dovecot ready."},
    {"Dovecot", "+OK Dovecot (Ubuntu) ready. <4b.2.6b048a25.8gAl==@mx.example.com>"},
    {"Dovecot", "220 mx.example.com Dovecot ready."},
    {"Cyrus", "* OK [CAPABILITY IMAP4rev1 LITERAL+ ID ENABLE STARTTLS] mx.example.com Cyrus IMAP "
              "3.6.1-4 server ready"},
    {"Cyrus", "* OK mx.example.com Cyrus IMAP4 v2.3.16 server ready"},
    {"Cyrus", "* OK mx.example.com Cyrus IMAP Murder v2.4.17 server ready"},
    {"Cyrus", "+OK mx.example.com Cyrus POP3 v2.3.16 server ready <1.2@mx.example.com>"},
    {"Cyrus", "220 mx.example.com Cyrus LMTP v2.4.17 server ready"},
    {"Courier", "* OK [CAPABILITY IMAP4rev1 UIDPLUS IDLE STARTTLS] Courier-IMAP ready. Copyright "
                "1998-2018 Double Precision, Inc.  See COPYING for distribution information."},
    {"Courier", "+OK Hello there."},
    {"Courier", "+OK Hello there. <2371.1700000000@mx.example.com>"},
    {"Courier", "220 mx.example.com ESMTP Courier 1.0.16"},
    {"hMailServer", "* OK IMAPrev1"},
    {"hMailServer", "220 mx.example.com hMailServer ESMTP"},
    {"Zimbra", "* OK mx.example.com Zimbra IMAP4rev1 server ready"},
    {"Zimbra", "+OK mx.example.com Zimbra POP3 server ready"},
    {"Haraka", "220 mx.example.com ESMTP Haraka/3.0.2 ready"},
    {"Haraka", "220 mx.example.com ESMTP Haraka 2.8.28 ready (5D8B0E1C-1234)"},
    {"Stalwart", "220 mx.example.com Stalwart ESMTP at your service"},
    {"Stalwart",
        "* OK [CAPABILITY IMAP4rev2 IMAP4rev1 STARTTLS] Stalwart IMAP4rev2 at your service."},
    {"Stalwart", "+OK Stalwart POP3 at your service."},
    {"Apache James", "220 mx.example.com SMTP Server (JAMES SMTP Server 2.3.2) ready Mon, 1 Jan "
                     "2024 00:00:00 +0000 (UTC)"},
    {"Apache James", "* OK JAMES IMAP4rev1 Server mx.example.com is ready."},
    {"Apache James", "+OK <1.2@mx.example.com> POP3 server (JAMES POP3 Server ) ready "},
    {"Kerio", "220 mx.example.com Kerio Connect 9.2.7 ESMTP ready"},
    {"Kerio", "220 mx.example.com Kerio MailServer 6.7.3 ESMTP ready"},
    {"Axigen", "220 mx.example.com Axigen ESMTP ready"},
    {"CommuniGate", "220 mx.example.com ESMTP CommuniGate Pro 6.1.2"},
    {"CommuniGate", "* OK CommuniGate Pro IMAP Server 6.1.2 at mx.example.com ready"},
    {"CommuniGate", "+OK CommuniGate Pro POP3 Server 6.1.2 ready <1.1700000000@mx.example.com>"},
    {"InterMail", "220 mx.example.com (InterMail vM.8.04.03.24 201-2389-100-172-20151028) ESMTP "
                  "server ready"},
    {"Mirapoint", "220 mx.example.com ESMTP Mirapoint 4.2.13-GA; Mon, 1 Jan 2024 00:00:00 +0000"},
    {"Proofpoint", "220 mx0a-0016f401.pphosted.com ESMTP mfa-m0045849"},
    {"Barracuda", "220 gw.example.com ESMTP (0123456789abcdef0123456789abcdef)"},
    {"IronPort", "220 gw.example.com ESMTP IronPort"},
    {"Trend Micro",
        "220 gw.example.com Trend Micro InterScan Messaging Security Suite, Version: 5.5 ready"},
    {"Trend Micro", "220 gw.example.com InterScan Messaging Security Suite ready"},
    {"FortiMail", "220 gw.example.com ESMTP FortiMail"},
    {"MailEnable", "220 mx.example.com ESMTP MailEnable Service, Version: 10.30--10.30 ready at "
                   "01/01/24 00:00:00"},
    {"MailEnable", "+OK Welcome to MailEnable POP3 Server"},
    {"SurgeMail", "220 mx.example.com SurgeSMTP (Version 3.8k4-4) http://surgemail.com"},
    {"IceWarp", "220 mx.example.com ESMTP IceWarp 12.0.3.1; Mon, 01 Jan 2024 00:00:00 +0000"},
    {"IceWarp", "220 mx.example.com ESMTP Merak 8.9.1; Mon, 01 Jan 2024 00:00:00 +0000"},
    {"IMail", "220 mx.example.com (IMail 8.05 123-1) NT-ESMTP Server X1"},
    {"IMail", "* OK IMAP4 Server (IMail 9.10)"},
    {"GroupWise",
        "220 mx.example.com GroupWise Internet Agent 8.0.3 Copyright 1993-2012 Novell, Inc. Ready"},
    {"Oracle Messaging",
        "220 mx.example.com -- Server ESMTP (Oracle Communications Messaging Server 7u4-18.01)"},
    {"Oracle Messaging",
        "220 mx.example.com -- Server ESMTP (Sun Java(tm) System Messaging Server 6.3-6.03)"},
    {"Mercury", "220 mx.example.com Mercury/32 v4.01b ESMTP server ready."},
    {"XMail", "220 mx.example.com [XMail 1.27 ESMTP Server] service ready; Mon, 1 Jan 2024 "
              "00:00:00 -0000"},
    {"QQ Mail", "220 newxmmxszc5.qq.com MX QQ Mail Server"},
    {"QQ Mail", "220 newxmesmtplogicsvrszb9-0.qq.com XMail Esmtp QQ Mail Server."},
    {"Coremail", "220 example.com Anti-spam GT for Coremail System (examplecom[20141201])"},
    {"Coremail",
        "* OK Coremail System IMap Server Ready(163com[b62aaa251425b4be4eaec4ab4744cf47])"},
    {"Yandex", "* OK Yandex IMAP4rev1 at sas1-0123456789ab.qloud-c.yandex.net:993 ready to talk"},
    {"Nemesis", "220 gmx.net (mrgmx104) Nemesis ESMTP Service ready"},
    {"Amazon SES",
        "220 email-smtp.amazonaws.com ESMTP SimpleEmailService-d-ABCDEFGHI 0123456789abcdef"},
    {"SendGrid", "220 SG ESMTP service ready at geopod-ismtpd-5-0"},
    {"PowerMTA", "220 mx.example.com (PowerMTA(TM) v3.5r16) ESMTP service ready"},
    {"Momentum", "220 mx.example.com ESMTP ecelerity 4.2.1.1 r(Core:4.2.1.1) Mon, 01 Jan 2024 "
                 "00:00:00 +0000"},
    {"Twisted", "220 mx.example.com NO UCE NO UBE NO RELAY PROBES ESMTP"},
    {"Twisted", "* OK [CAPABILITY IMAP4rev1 IDLE NAMESPACE] Twisted IMAP Server Ready"},
    {"aiosmtpd", "220 mx.example.com Python SMTP 1.4.4.post2"},
    {"Python smtpd", "220 mx.example.com Python SMTP proxy version 0.3"},
    {"SubEthaSMTP", "220 mx.example.com ESMTP SubEthaSMTP null"},
    {"GreenMail", "220 /127.0.0.1 GreenMail SMTP Service v1.6.5 ready"},
    {"MailHog", "220 mailhog.example ESMTP MailHog"},
    {"DBMail", "+OK DBMAIL pop3 server ready to rock <1.2@mx.example.com>"},
    {"UW IMAP", "* OK [CAPABILITY IMAP4REV1 LITERAL+ STARTTLS] mx.example.com IMAP4rev1 2007e.404 "
                "at Mon, 1 Jan 2024 00:00:00 +0000 (UTC)"},
    {"Binc IMAP", "* OK Welcome to Binc IMAP v1.2 Copyright (C) 2002-2003 Andreas Aardal Hanssen"},
    {"Qpopper", "+OK Qpopper (version 4.0.5) at mx.example.com starting.  <1.2@mx.example.com>"},
    {"Perdition", "* OK IMAP4 Ready mx.example.com 0001f994"},
    {"Perdition", "+OK POP3 Ready mx.example.com 0001f995"},
    {"ArGoSoft", "220 ArGoSoft Mail Server Freeware, Version 1.8 (1.8.2.9)"},
    {"Citadel", "220 mx.example.com ESMTP Citadel server ready."},
    {"Inbucket", "220 inbucket Inbucket SMTP ready"},
    {"Mailpit", "220 mx.example.com Mailpit ESMTP Service ready"},
    {"Postal", "220 postal.example.com ESMTP Postal/ABC123"},
    {"SmarterMail", "220 mx.example.com SmarterMail ESMTP"},
    {"Solid POP3", "+OK Solid POP3 server ready"},
    {"Teapop", "+OK Teapop [v0.3.8] - Teaspoon stirs around again <1.2@mx.example.com>"},
    {"chasquid", "220 mx.example.com ESMTP chasquid"},
    {"mox", "220 mx.example.com ESMTP mox"},
};

// Greetings that name no software, however much their host does.
static const char *const unknown_greetings[] = {
    "220 mx.example.com ESMTP",
    "220 ESMTP",
    "220 f",
    "220",
    "250",
    "220 mx.example.com ESMTP ready",
    "220 mx.example.com SMTP ready",
    "220 localhost dummy SMTP service",
    "220 postfix ESMTP",
    "220-postfix ESMTP",
    "220 Postfix",
    "220 postfix.example.com ESMTP",
    "220 postfix.example.com ESMTP ready",
    "220 Postfix.example.com ESMTP service",
    "220 exim4.example.com ESMTP",
    "220 Exim ESMTP",
    "220 Sendmail.example.com ESMTP",
    "220 mail.Postfix ESMTP",
    "220 mx.example.com ESMTP ready at Postfix.example.com",
    "220 mx.example.com ESMTP postmaster@Exim.example.com",
    "220 mx.example.com ESMTP Postfix-like",
    "220 mx.example.com ESMTP NotPostfix",
    "220 mx.example.com ESMTP Eximious",
    "220 haraka.example.com ESMTP",
    "220 OpenSMTPD.example.com ESMTP",
    "220 exchange.example.com ESMTP MAIL Service ready",
    "220 mail.protection.outlook.com ESMTP",
    "220 mx.google.com ESMTP",
    "220 mail.yahoo.com ESMTP",
    "220 mta.yahoo.com.example.net ESMTP ready",
    "220 mfa-m0045849 ESMTP",
    "220 coremail.example.com ESMTP",
    "421 4.7.0 mx.example.com Error: too many connections from 198.51.100.10",
    "554 mx.example.com Postfix",
    "* OK IMAP4rev1",
    "* OK IMAP4 ready",
    "* OK dovecot.example.com IMAP4rev1 ready",
    "* OK Dovecot.example.com ready.",
    "* OK cyrus.example.com ready",
    "* OK [CAPABILITY IMAP4rev1 X-DOVECOT STARTTLS] ready",
    "* OK [CAPABILITY IMAP4rev1 Dovecot] ready.",
    "* OK gimap.example.com ready for requests",
    "* BYE Dovecot ready.",
    "+OK ready",
    "+OK POP3 server ready <1.2@dovecot.example.com>",
    "+OK <1.1700000000@mx.example.com> ready",
    "+OK",
    "-ERR Dovecot ready.",
    "SSH-2.0-OpenSSH_9.2p1 Debian-2",
};

static void software(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof greetings / sizeof greetings[0]; i++)
		assert_says(PATTERN_SOFTWARE, greetings[i].line, greetings[i].software);
	ASSERT_ALL(PATTERN_SOFTWARE, unknown_greetings, false);
	assert_says(PATTERN_SOFTWARE, "* OK dovecot Cyrus IMAP 3.6 server ready", "Cyrus");
}

static bool is_greeted_by(const char *software)
{
	bool found = false;
	for (size_t i = 0; i < sizeof greetings / sizeof greetings[0]; i++)
		found |= strcmp(greetings[i].software, software) == 0;
	return found;
}

// No name stands in the shipped file without a greeting above.
static void every_software_is_tested(void **state)
{
	(void)state;
	struct pattern_list list = {0};
	struct error error;
	size_t count = 0;
	for (size_t i = 0; i < shipped_pattern_files; i++)
		assert_true(pattern_text_read(&list, shipped_patterns[i].name,
		    view_of(shipped_patterns[i].text, shipped_patterns[i].length), &error));
	for (size_t i = 0; i < list.count; i++) {
		const struct pattern *pattern = &list.patterns[i];
		if (pattern->class != PATTERN_SOFTWARE || pattern->identifier == NULL)
			continue;
		count++;
		if (!is_greeted_by(pattern->identifier))
			fail_msg("no greeting of %s", pattern->identifier);
	}
	assert_true(count > 50);
	pattern_list_free(&list);
}

static void software_of_capabilities(void **state)
{
	(void)state;
	assert_says(PATTERN_SOFTWARE_CAPABILITY, "X-EXPS GSSAPI NTLM LOGIN", "Exchange");
	assert_says(PATTERN_SOFTWARE_CAPABILITY, "X-EXPS=LOGIN", "Exchange");
	assert_says(PATTERN_SOFTWARE_CAPABILITY, "X-GM-EXT-1", "Gmail");
	assert_says(PATTERN_SOFTWARE_CAPABILITY, "XYMHIGHESTMODSEQ", "Yahoo");
	assert_says(PATTERN_SOFTWARE_CAPABILITY, "AUTH LOGIN PLAIN XYMCOOKIE", "Yahoo");
	assert_says(
	    PATTERN_SOFTWARE_CAPABILITY, "IMPLEMENTATION CYRUS POP3 SERVER V2.3.16", "Cyrus");
	assert_says(PATTERN_SOFTWARE_CAPABILITY, "PIPE_CONNECT", "Exim");
	assert_says(PATTERN_SOFTWARE_CAPABILITY, "PIPECONNECT", "Exim");
	assert_says(PATTERN_SOFTWARE_CAPABILITY, "PIPELINING", NULL);
	assert_says(PATTERN_SOFTWARE_CAPABILITY, "XCLIENT NAME ADDR", NULL);
	assert_says(PATTERN_SOFTWARE_CAPABILITY, "X-EXPSX", NULL);
}

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

/* ---- a user's own ---- */

static struct pattern_set *load(const char *const *files, size_t count, const char *cache)
{
	struct error error = {0};
	struct pattern_set_options options = {files, count, cache};
	struct pattern_set *set = pattern_set_load(&options, &error);
	assert_string_equal(error.text, "");
	assert_non_null(set);
	return set;
}

static void own_patterns(void **state)
{
	(void)state;
	const char *files[] = {lab_file("one", "[software]\nFirst /Own Mail/\n- /hidden/\n"),
	    lab_file(
	        "two", "[software]\nSecond /Own|Other/i\n[unknown-command]\nmine /^-ERR nix/\n")};
	struct pattern_set *set = load(files, 2, NULL);
	struct pattern_scratch *own = pattern_scratch_create(set);
	assert_non_null(own);
	assert_false(pattern_set_was_cached(set));
	assert_string_equal(asked(set, own, PATTERN_SOFTWARE, "220 a Own Mail, other"), "First");
	assert_string_equal(
	    asked(set, own, PATTERN_SOFTWARE, "220 a OTHER ESMTP Postfix"), "Second");
	assert_string_equal(asked(set, own, PATTERN_SOFTWARE, "220 a ESMTP Postfix"), "Postfix");
	assert_null(asked(set, own, PATTERN_SOFTWARE, "220 hidden ESMTP Postfix"));
	assert_string_equal(asked(set, own, PATTERN_UNKNOWN_COMMAND, "-ERR nix"), "mine");
	assert_null(asked(NULL, NULL, PATTERN_SOFTWARE, "220 a ESMTP Postfix"));
	pattern_scratch_destroy(own);
	pattern_set_destroy(set);
}

static void assert_refused(const char *text, const char *message)
{
	struct error error = {0};
	const char *path = lab_file("bad", text);
	struct pattern_set_options options = {&path, 1, NULL};
	assert_null(pattern_set_load(&options, &error));
	assert_ptr_equal(strstr(error.text, path), error.text);
	assert_string_equal(error.text + strlen(path), message);
}

// What Hyperscan does not take, in its own words.
static void refused_patterns(void **state)
{
	(void)state;
	assert_refused("[software]\nA /good/\n\nB /(/\n",
	    ":4: Missing close parenthesis for group started at index 0.");
	assert_refused("[software]\nA /x*/\n",
	    ":2: Pattern matches empty buffer; use HS_FLAG_ALLOWEMPTY to enable support.");
	assert_refused("[software]\nA /(a)\\1/\n", ":2: Back-references are unsupported.");
	assert_refused("[software]\nA /a{40000}/\n", ":2: Bounded repeat is too large.");
	assert_refused("[software]\nA /x/q\n",
	    ":2: unknown flags behind the last slash: there are i and {edit_distance=1}");
}

static void cached(void **state)
{
	(void)state;
	char cache[128];
	const char *files[] = {lab_file("own", "[software]\nOwn /Own/\n")};
	snprintf(cache, sizeof cache, "%s", lab_path("cache"));
	for (int round = 0; round < 4; round++) {
		struct pattern_set *set = load(files, 1, cache);
		struct pattern_scratch *own = pattern_scratch_create(set);
		assert_non_null(own);
		assert_int_equal(pattern_set_was_cached(set), round == 1 || round == 3);
		bool found = asked(set, own, PATTERN_SOFTWARE, "220 a own") != NULL;
		assert_int_equal(found, round >= 2);
		pattern_scratch_destroy(own);
		pattern_set_destroy(set);
		if (round == 1)
			files[0] = lab_file("own", "[software]\nOwn /Own/i\n");
	}
}

/* ---- one in the place of another ---- */

static void replaced(void **state)
{
	(void)state;
	struct pattern_set *sets[3];
	const char *files[] = {lab_file("own", "[software]\nOwn /Own/\n")};
	for (int i = 0; i < 3; i++)
		sets[i] = load(files, 1, NULL);
	assert_null(pattern_set_newer(NULL));
	assert_null(pattern_set_newer(sets[0]));
	const struct pattern_set *share = pattern_set_share(sets[0]);
	assert_ptr_equal(share, sets[0]);
	pattern_set_replace(sets[0], sets[1]);
	pattern_set_replace(sets[1], sets[2]);
	for (int i = 0; i < 3; i++)
		pattern_set_destroy(sets[i]); // what is left is the share, and those that follow it
	assert_ptr_equal(pattern_set_newer(share), sets[1]);
	assert_ptr_equal(pattern_set_newer(sets[1]), sets[2]);
	assert_null(pattern_set_newer(sets[2]));
	const struct pattern_set *last = pattern_set_share(sets[2]);
	pattern_set_destroy(share);
	struct pattern_scratch *own = pattern_scratch_create(last);
	assert_string_equal(asked(last, own, PATTERN_SOFTWARE, "220 a Own"), "Own");
	pattern_scratch_destroy(own);
	pattern_set_destroy(last);
}

struct asker {
	const struct pattern_set *patterns; // a share
	atomic_bool *over;
	unsigned changes, wrong;
};

// As a worker does it: looks for newer ones in between, and asks.
static void *ask(void *context)
{
	struct asker *asker = context;
	struct pattern_scratch *own = pattern_scratch_create(asker->patterns);
	bool last = false;
	while (!last) {
		bool over = atomic_load(asker->over); // before looking: no set comes after it
		const struct pattern_set *newer = pattern_set_newer(asker->patterns);
		last = over && newer == NULL;
		if (newer != NULL) {
			pattern_scratch_destroy(own);
			own = pattern_scratch_create(newer);
			pattern_set_share(newer);
			pattern_set_destroy(asker->patterns);
			asker->patterns = newer;
			asker->changes++;
		}
		asker->wrong += asked(asker->patterns, own, PATTERN_SOFTWARE, "220 a Own") == NULL;
	}
	pattern_scratch_destroy(own);
	pattern_set_destroy(asker->patterns);
	return NULL;
}

static void replaced_while_asked(void **state)
{
	enum { ASKERS = 3, CHANGES = 50 };
	(void)state;
	struct asker askers[ASKERS];
	pthread_t threads[ASKERS];
	atomic_bool over = false;
	char file[128], cache[128];
	snprintf(file, sizeof file, "%s", lab_file("own", "[software]\nOwn /Own/\n"));
	snprintf(cache, sizeof cache, "%s", lab_path("cache"));
	const char *files[] = {file};
	const struct pattern_set *set = load(files, 1, cache);
	for (int i = 0; i < ASKERS; i++) {
		askers[i] = (struct asker){pattern_set_share(set), &over, 0, 0};
		assert_int_equal(pthread_create(&threads[i], NULL, ask, &askers[i]), 0);
	}
	for (int i = 0; i < CHANGES; i++) {
		const struct pattern_set *newer = load(files, 1, cache);
		pattern_set_replace(set, newer);
		pattern_set_destroy(set);
		set = newer;
	}
	pattern_set_destroy(set);
	atomic_store(&over, true);
	for (int i = 0; i < ASKERS; i++) {
		assert_int_equal(pthread_join(threads[i], NULL), 0);
		assert_int_equal(askers[i].changes, CHANGES);
		assert_int_equal(askers[i].wrong, 0);
	}
}

/* ---- bounds ---- */

static void long_texts(void **state)
{
	(void)state;
	static uint8_t text[PATTERN_TEXT_MAX + 8];
	memset(text, 'a', sizeof text);
	memcpy(text, "220 ", 4);
	memcpy(text + PATTERN_TEXT_MAX - 8, " Postfix", 8);
	struct view view = view_of(text, PATTERN_TEXT_MAX);
	assert_non_null(pattern_match(shipped_set(), scratch, PATTERN_SOFTWARE, view));
	memcpy(text + PATTERN_TEXT_MAX - 8, "a Postfix", 9);
	text[PATTERN_TEXT_MAX + 1] = ' ';
	view = view_of(text, sizeof text); // its last letter is not looked at
	assert_null(pattern_match(shipped_set(), scratch, PATTERN_SOFTWARE, view));
	assert_null(pattern_match(shipped_set(), scratch, PATTERN_SOFTWARE, view_of(text, 0)));
	assert_null(pattern_match(shipped_set(), scratch, PATTERN_SOFTWARE, view_of(NULL, 0)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(software),
	    cmocka_unit_test(every_software_is_tested),
	    cmocka_unit_test(software_of_capabilities),
	    cmocka_unit_test(filler_capabilities),
	    cmocka_unit_test(filler_commands),
	    cmocka_unit_test(filler_echoes),
	    cmocka_unit_test(overwritten_banners),
	    cmocka_unit_test(refusals_that_want_tls),
	    cmocka_unit_test(unknown_commands),
	    cmocka_unit_test(own_patterns),
	    cmocka_unit_test(refused_patterns),
	    cmocka_unit_test(cached),
	    cmocka_unit_test(replaced),
	    cmocka_unit_test(replaced_while_asked),
	    cmocka_unit_test(long_texts),
	};
	return cmocka_run_group_tests_name("pattern_set", tests, make, release);
}
