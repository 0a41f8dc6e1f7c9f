// SPDX-License-Identifier: Apache-2.0
// What the shipped patterns say of the software behind greetings and capabilities, and of what only looks like it.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "decode/pattern_file.h"
#include "decode/shipped_patterns.h"
#include "pattern_asking.h"

#include <string.h>

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

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(software),
	    cmocka_unit_test(every_software_is_tested),
	    cmocka_unit_test(software_of_capabilities),
	};
	return cmocka_run_group_tests_name("shipped_software", tests, asking_begin, asking_end);
}
