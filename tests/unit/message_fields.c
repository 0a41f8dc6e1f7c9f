// SPDX-License-Identifier: Apache-2.0
// What single fields of a message's header say, and what refusals give for their reason.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "decode/base64.h"
#include "decode/message_fields.h"
#include "decode/refusal_cause.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// In a block of its own, so that a sanitizer sees reads behind it.
static struct view copy_of(const char *text)
{
	size_t length = strlen(text);
	uint8_t *copy = malloc(length + (length == 0));
	assert_non_null(copy);
	memcpy(copy, text, length);
	return view_of(copy, length);
}

static void forget(struct view text)
{
	union {
		const uint8_t *constant;
		uint8_t *bytes;
	} data = {text.data};
	free(data.bytes);
}

static const struct {
	const char *field;
	enum hop_protocol with;
	enum hop_tls tls;
	bool cipher;
	enum seen internal;
} hops[] = {
    // Postfix
    {" from a.example.org (a.example.org [192.0.2.1])\r\n"
     "\t(using TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits)\r\n"
     "\t key-exchange X25519 server-signature RSA-PSS (2048 bits))\r\n"
     "\t(No client certificate requested)\r\n"
     "\tby mx.example.com (Postfix) with ESMTPS id 4D1F2\r\n"
     "\tfor <user@example.com>; Fri, 27 Nov 2026 10:00:00 +0000 (UTC)",
        HOP_ESMTPS, HOP_TLS_1_3, true, SEEN_NO},
    {" from web.example.org (web.example.org [192.0.2.7]) by out.example.org (Postfix) with ESMTP "
     "id 1; x",
        HOP_ESMTP, HOP_TLS_NOT_SAID, false, SEEN_YES},
    {" by mx.example.com (Postfix, from userid 1000)\r\n\tid 12; Fri", HOP_NOT_SAID,
        HOP_TLS_NOT_SAID, false, NOT_SEEN},
    {" from localhost (localhost [127.0.0.1]) by mx.example.com with LMTP id 1; x", HOP_LMTP,
        HOP_TLS_NOT_SAID, false, SEEN_YES},
    {" from app (unknown [10.1.2.3]) by mx.example.com with ESMTPSA id 1; x", HOP_ESMTPSA,
        HOP_TLS_NOT_SAID, false, SEEN_YES},
    // the name that was looked up goes before the one that the client gave
    {" from mx.example.com (host.example.net [192.0.2.1]) by mx.example.com with SMTP; x", HOP_SMTP,
        HOP_TLS_NOT_SAID, false, SEEN_NO},
    // Google, Exchange, Exim, Sendmail, qmail
    {" from mail.example.org (mail.example.org. [192.0.2.4]) by mx.example.com with ESMTPS id x9 "
     "for <u@example.com> (version=TLS1_2 cipher=ECDHE-ECDSA-AES128-GCM-SHA256 bits=128/128); x",
        HOP_ESMTPS, HOP_TLS_1_2, true, SEEN_NO},
    {" from A.eu.example.com (2001:db8::1) by B.eu.example.com (2001:db8::2) with Microsoft SMTP "
     "Server "
     "(version=TLS1_2, cipher=TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384) id 15.20; x",
        HOP_OTHER, HOP_TLS_1_2, true, SEEN_YES},
    {" from [192.0.2.1] (helo=tls12.example.org)\n\tby mx.example.com with esmtps  (TLS1.3) tls "
     "TLS_AES_256_GCM_SHA384\n\t(Exim 4.96) id 1; x",
        HOP_ESMTPS, HOP_TLS_1_3, false, NOT_SEEN},
    {" from a.example.org (a.example.org [192.0.2.1]) by mx.example.com (8.17.1/8.17.1) with "
     "ESMTPS id 1 "
     "(version=TLSv1.1 cipher=AES256-SHA bits=256 verify=NO); x",
        HOP_ESMTPS, HOP_TLS_1_1, true, SEEN_NO},
    {" from unknown (HELO a.example.org) (192.0.2.1) by 0 with (AES128-SHA encrypted) SMTP; x",
        HOP_SMTP, HOP_TLS_UNNAMED, true, NOT_SEEN},
    {" from a.example.org (a.example.org [192.0.2.1]) by mx.example.com with "
     "(TLS_AES_256_GCM_SHA384 "
     "encrypted) ESMTPA; x",
        HOP_ESMTPA, HOP_TLS_UNNAMED, true, SEEN_NO},
    {" from a.example.org ([192.0.2.1]) by mx.example.com with ESMTP/TLS/AES256-GCM-SHA384; x",
        HOP_ESMTP, HOP_TLS_UNNAMED, true, SEEN_NO},
    {" from a.example.org (a.example.org [192.0.2.1]) (Using TLS) by mx.example.com with ESMTP; x",
        HOP_ESMTP, HOP_TLS_UNNAMED, false, SEEN_NO},
    {" from a.example.org (TLS: SSLv3,128bits,RC4-MD5) by b.example.com with esmtps; x", HOP_ESMTPS,
        HOP_SSL, true, SEEN_NO},
    // names that look like it
    {" from tls1.example.org (tls1.example.org [192.0.2.1]) by ssl.example.com with ESMTP; x",
        HOP_ESMTP, HOP_TLS_NOT_SAID, false, SEEN_NO},
    {" from a.example.org (starttls TLSA) by b.example.com with HTTP; x", HOP_HTTP,
        HOP_TLS_NOT_SAID, false, SEEN_NO},
    // what a client said, and what is denied
    {" from TLSv1.3 (TLS [192.0.2.1]) by b.example.com with ESMTP; x", HOP_ESMTP, HOP_TLS_NOT_SAID,
        false, SEEN_NO},
    {" from a.example.org ( HELO TLSv1.3) by b.example.com with ESMTP; x", HOP_ESMTP,
        HOP_TLS_NOT_SAID, false, SEEN_NO},
    {" from a.example.org (Authenticated sender: tls) by b.example.com with ESMTPA; x", HOP_ESMTPA,
        HOP_TLS_NOT_SAID, false, SEEN_NO},
    {" from a.example.org by b.example.com (envelope-from <tls@example.org>) with ESMTP; x",
        HOP_ESMTP, HOP_TLS_NOT_SAID, false, SEEN_NO},
    {" from a.example.org (not using TLS) by b.example.com (no TLS) with ESMTP (without SSL); x",
        HOP_ESMTP, HOP_TLS_NOT_SAID, false, SEEN_NO},
    {" from a.example.org by b.example.com with ESMTP/x; x", HOP_OTHER, HOP_TLS_NOT_SAID, false,
        SEEN_NO},
    {" from a.example.org by b.example.com with x/TLS; x", HOP_OTHER, HOP_TLS_NOT_SAID, false,
        SEEN_NO},
    {" (from nowhere \\) (nested", HOP_NOT_SAID, HOP_TLS_NOT_SAID, false, NOT_SEEN},
    {"", HOP_NOT_SAID, HOP_TLS_NOT_SAID, false, NOT_SEEN},
    {" from by by with with with; x", HOP_OTHER, HOP_TLS_NOT_SAID, false, NOT_SEEN},
    {" from [IPv6:fd00::1] by b.example.com with UTF8SMTPSA; x", HOP_UTF8SMTPSA, HOP_TLS_NOT_SAID,
        false, SEEN_YES},
};

static void received(void **state)
{
	struct mail_names *names = mail_names_create();
	(void)state;
	assert_non_null(names);
	for (size_t i = 0; i < sizeof hops / sizeof hops[0]; i++) {
		struct view field = copy_of(hops[i].field);
		struct received_hop hop = read_received(names, field);
		if (hop.protocol != hops[i].with || hop.tls != hops[i].tls ||
		    hop.cipher != hops[i].cipher || hop.internal != hops[i].internal)
			fail_msg("%s: %d %d %d %d", hops[i].field, hop.protocol, hop.tls,
			    hop.cipher, hop.internal);
		forget(field);
	}
	mail_names_destroy(names);
}

static void protected_hops(void **state)
{
	(void)state;
	assert_int_equal(
	    hop_is_protected(&(struct received_hop){.protocol = HOP_ESMTPS}), SEEN_YES);
	assert_int_equal(hop_is_protected(&(struct received_hop){.protocol = HOP_ESMTP}), SEEN_NO);
	assert_int_equal(
	    hop_is_protected(&(struct received_hop){.protocol = HOP_ESMTP, .tls = HOP_TLS_1_2}),
	    SEEN_YES);
	assert_int_equal(hop_is_protected(&(struct received_hop){.protocol = HOP_OTHER}), NOT_SEEN);
	assert_int_equal(hop_is_protected(&(struct received_hop){.protocol = HOP_HTTP}), NOT_SEEN);
}

static void results(void **state)
{
	static const struct {
		const char *field, *expected;
	} fields[] = {
	    {" mx.example.com;\r\n spf=pass smtp.mailfrom=a@example.org;\r\n dkim=fail (bad; body) "
	     "header.d=example.org;\r\n dmarc=fail (p=NONE) header.from=example.org",
	        "mx.example.com spf=pass dkim=fail dmarc=fail"},
	    {" mx.example.com 1; none", "mx.example.com"},
	    {" user@example.com; spf=softfail", "- spf=softfail"},
	    {" \"mx.example.com\"; auth = pass", "- auth=pass"},
	    {" localhost; dkim/1=neutral; x-tls=pass; iprev=permerror; spf=HardFail; arc=what",
	        "- dkim=neutral other=pass iprev=permerror spf=fail arc=other"},
	    {"", "-"},
	    {" mx.example.com; spf; =pass; dkim=; ;", "mx.example.com"},
	    {" spf=pass (sender IP is 192.0.2.1) smtp.mailfrom=example.org; dkim=none;dmarc=pass "
	     "action=none",
	        "- spf=pass dkim=none dmarc=pass"},
	    {" (x) mx.example.com 1=2; spf=fail", "mx.example.com spf=fail"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
		struct message_facts facts = {.server = NULL};
		struct view field = copy_of(fields[i].field);
		char text[256];
		read_results(field, &facts);
		int length = snprintf(text, sizeof text, "%.*s",
		    facts.server_length > 0 ? facts.server_length : 1,
		    facts.server_length > 0 ? (const char *)facts.server : "-");
		for (size_t n = 0; n < facts.result_count; n++)
			length += snprintf(text + length, sizeof text - (size_t)length, " %s=%s",
			    result_method_name((enum result_method)facts.results[n].method),
			    result_outcome_name((enum result_outcome)facts.results[n].outcome));
		assert_string_equal(text, fields[i].expected);
		forget(field);
	}
}

static void content_types(void **state)
{
	static const struct {
		const char *field;
		enum body_protection protection;
	} fields[] = {
	    {" text/plain; charset=utf-8", BODY_UNPROTECTED},
	    {" multipart/encrypted; protocol=\"application/pgp-encrypted\";\r\n boundary=x",
	        BODY_PGP_MIME},
	    {" multipart/signed; micalg=pgp-sha512; boundary=x;\r\n "
	     "protocol=\"application/pgp-signature\"",
	        BODY_PGP_MIME},
	    {" Multipart/Signed; protocol=\"application/pkcs7-signature\"; micalg=sha-256",
	        BODY_SMIME},
	    {" application/pkcs7-mime; smime-type=enveloped-data", BODY_SMIME},
	    {" application/x-pkcs7-mime;smime-type=signed-data", BODY_SMIME},
	    {" multipart/signed; protocol=\"application/x-other\"", BODY_UNPROTECTED},
	    {" multipart/mixed; x=\"application/pgp-signature\"", BODY_UNPROTECTED},
	    {" (c) multipart/signed; protocol=application/pgp-signature", BODY_PGP_MIME},
	    {"", BODY_UNPROTECTED},
	};
	(void)state;
	for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
		struct view field = copy_of(fields[i].field);
		if (read_content_type(field) != fields[i].protection)
			fail_msg("%s", fields[i].field);
		forget(field);
	}
}

static void authors(void **state)
{
	static const struct {
		const char *field, *domain;
	} fields[] = {
	    {" Joe <joe@football.example.com>", "football.example.com"},
	    {" joe@Example.org", "Example.org"},
	    {" \"a@b.example\" <joe@example.org> (x@y.example)", "example.org"},
	    {" \"a\"@example.org", "example.org"},
	    {" a@example.org, b@example.org", ""},
	    {" undisclosed", ""},
	    {" joe@localhost", ""},
	    {" joe@", ""},
	};
	(void)state;
	for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
		struct view field = copy_of(fields[i].field);
		struct view domain = read_author_domain(field);
		if (domain.length != strlen(fields[i].domain) ||
		    (domain.length > 0 &&
		        memcmp(domain.data, fields[i].domain, domain.length) != 0))
			fail_msg("%s: %.*s", fields[i].field, (int)domain.length,
			    (const char *)domain.data);
		forget(field);
	}
}

static void refusals(void **state)
{
	static const struct {
		const char *line, *status;
		unsigned causes;
	} lines[] = {
	    {"550 5.7.23 <a@example.org>: Recipient address rejected: Message rejected due to: SPF "
	     "fail - not "
	     "authorized. Please see http://www.openspf.net/Why?s=mfrom",
	        "5.7.23", CAUSE_SPF},
	    {"550 5.7.1 rejected by DMARC policy for example.org", "5.7.1", CAUSE_DMARC},
	    {"550-5.7.26 This mail is unauthenticated, it has to pass SPF or DKIM.", "5.7.26",
	        CAUSE_AUTHENTICATION | CAUSE_SPF | CAUSE_DKIM},
	    {"550 5.7.20 no passing signature", "5.7.20", CAUSE_DKIM},
	    {"451 4.7.24 later", "4.7.24", CAUSE_SPF},
	    {"550 5.7.29 chain", "5.7.29", CAUSE_ARC},
	    {"550 5.7.25 no PTR", "5.7.25", 0},
	    {"550 5.7.27 null MX", "5.7.27", 0},
	    {"554 Sender Policy Framework says no", "", CAUSE_SPF},
	    {"550 rejected: (dkim) bad signature; DMARC.", "", CAUSE_DKIM | CAUSE_DMARC},
	    {"550 5.7.1 DKIM: bad", "5.7.1", CAUSE_DKIM},
	    {"550-5.7.26  DKIM = did not pass", "5.7.26", CAUSE_AUTHENTICATION | CAUSE_DKIM},
	    {"550 5.7.515 Access denied. Spf= Fail , Dkim= Pass , DMARC= Fail", "5.7.515",
	        CAUSE_SPF | CAUSE_DMARC},
	    {"554 5.7.1 rejected by ARC policy for example.org", "5.7.1", CAUSE_ARC},
	    {"550 [SPF] 192.0.2.1 is not allowed to send mail from example.org.", "", CAUSE_SPF},
	    {"550 it has to pass SPF", "", CAUSE_SPF},
	    // what is not wrong, tests that have names, and words that are no names
	    {"550 5.7.1 spam: SPF=pass dkim: pass, DMARC passed (SPF_PASS, DKIM_VALID)", "5.7.1",
	        0},
	    {"550 5.7.1 SPF=pass, but SPF=pas", "5.7.1", CAUSE_SPF},
	    {"550 5.1.1 Jeanne d'Arc: user unknown, arc", "5.1.1", 0},
	    // names of somebody's own
	    {"550 5.1.1 <spf@example.org>: no such user", "5.1.1", 0},
	    {"550 5.1.1 <a@dmarc.example>: no such user", "5.1.1", 0},
	    {"550 5.7.1 spf.example.org[192.0.2.1]: Client host rejected", "5.7.1", 0},
	    {"550 5.7.1 see https://example.org/dmarc or http://dkim.example.org", "5.7.1", 0},
	    {"550 5.1.1 spf-test@example.org unknown", "5.1.1", 0},
	    {"550 5.7.230 x", "5.7.230", 0},
	    {"550 5.7.2300 x", "", 0},
	    {"550 15.7.23 x", "", 0},
	    {"550 5.7.23x", "", 0},
	    {"550", "", 0},
	    {"550-", "", 0},
	    {"550 5.7.", "", 0},
	};
	(void)state;
	for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
		struct view text = copy_of(lines[i].line);
		struct line line = {.bytes = text.data, .length = text.length};
		char status[REFUSAL_STATUS_SIZE];
		refusal_status(&line, status);
		unsigned causes = refusal_causes(&line);
		if (strcmp(status, lines[i].status) != 0 || causes != lines[i].causes)
			fail_msg("%s: %s %u", lines[i].line, status, causes);
		forget(text);
	}
}

static void base64(void **state)
{
	static const struct {
		const char *text, *bytes;
	} texts[] = {
	    {"TWFu", "Man"}, {"T W\r\n\tE=", "Ma"}, {"TQ==", "M"}, {"TQ=", ""}, {"TWF=u", ""},
	    {"T*Fu", ""}, {"", ""}, {"TWFuTWFu", ""} // more than there is room for
	};
	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		uint8_t bytes[3];
		struct view text = copy_of(texts[i].text);
		size_t length = base64_decode(text, bytes, sizeof bytes);
		assert_int_equal(length, strlen(texts[i].bytes));
		assert_memory_equal(bytes, texts[i].bytes, length);
		forget(text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(received),
	    cmocka_unit_test(protected_hops),
	    cmocka_unit_test(results),
	    cmocka_unit_test(content_types),
	    cmocka_unit_test(authors),
	    cmocka_unit_test(refusals),
	    cmocka_unit_test(base64),
	};
	return cmocka_run_group_tests_name("message fields", tests, NULL, NULL);
}
