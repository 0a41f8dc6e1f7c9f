# SPDX-License-Identifier: Apache-2.0
"""Conversations that put secrets, bodies and recipients where a careless parser would record them.

Each function plays one conversation on a Conversation and says what it is about. Names in
banners and EHLO are recorded by contract, so no marker stands there.
"""

import base64

PASSWORD = b"CANARY-PASSWORD-7f3a"
BODY = b"CANARY-BODY-5c1e"
SUBJECT = b"CANARY-SUBJECT-2e8b"
RECIPIENT = b"canary-recipient-91bd"
TOKEN = b"CANARY-TOKEN-44d0"  # or what else answers a question who one is
SENDER = b"canary-sender-6b27"
IN_CAPTURES = {"password": PASSWORD, "body": BODY, "subject": SUBJECT, "recipient": RECIPIENT}
MARKERS = {**IN_CAPTURES, "token": TOKEN, "sender": SENDER}

ADDRESS = RECIPIENT + b"@example.org"
PLAIN = base64.b64encode(b"\0someone\0" + PASSWORD)
USER_64 = base64.b64encode(b"someone")
PASSWORD_64 = base64.b64encode(PASSWORD)
FROM = SENDER + b"@example.com"
BEARER = base64.b64encode(b"n,a=" + ADDRESS + b",\x01host=mx.example.org\x01auth=Bearer " + TOKEN + b"\x01\x01")
XOAUTH2 = base64.b64encode(b"user=" + ADDRESS + b"\x01auth=Bearer " + TOKEN + b"\x01\x01")
DIGEST = base64.b64encode(RECIPIENT + b" " + TOKEN)
SCRAM = [base64.b64encode(b"n,,n=" + RECIPIENT + b",r=" + TOKEN), base64.b64encode(b"r=" + TOKEN + b",s=x,i=4096"),
         base64.b64encode(b"c=biws,r=" + TOKEN + b",p=" + TOKEN), base64.b64encode(b"v=" + TOKEN)]  # fmt: skip

# A message whose lines look like dialogue in every protocol.
MESSAGE = b"\r\n".join([
    b"From: <someone@example.com>", b"To: <" + ADDRESS + b">", b"Subject: " + SUBJECT, b"",
    b"EHLO " + BODY, b"HELO " + BODY, b"MAIL FROM:<x@example.com>", b"RCPT TO:<" + ADDRESS + b">",
    b"AUTH PLAIN " + PLAIN, b"AUTH " + BODY, b"STARTTLS", b"220 " + BODY + b" ESMTP", b"250-" + BODY,
    b"250-STARTTLS " + BODY, b"250 " + BODY, b"454 " + BODY, b"* OK [CAPABILITY " + BODY + b"] " + BODY,
    b"* CAPABILITY IMAP4rev1 STARTTLS " + BODY, b"* BYE " + BODY, b"a1 OK " + BODY,
    b"a7 LOGIN someone " + PASSWORD, b"a8 AUTHENTICATE " + BODY, b"+OK " + BODY, b"-ERR " + BODY,
    b"USER " + RECIPIENT, b"PASS " + PASSWORD, b"STLS", b"CAPA", BODY, b"XXXXXXXX", b"DATA",
    b"plain text " + BODY * 3, b"",
])  # fmt: skip

# The same for where its lines really are commands, whose EHLO names may be recorded.
NO_GREETING = b"\r\n".join(
    line for line in MESSAGE.split(b"\r\n") if line[:5] not in (b"EHLO ", b"HELO ")
)


def lines(*texts):
    return b"".join(text + b"\r\n" for text in texts)


def bytewise(data):
    """`split` for one byte a segment."""
    return [1] * len(data)


# --- SMTP ------------------------------------------------------------------------------------


def smtp_start(talk, *capabilities):
    talk.open().server(b"220 mx.example.org ESMTP Postfix\r\n").client(b"EHLO client.example.com\r\n")
    words = [b"mx.example.org", b"PIPELINING", *(capabilities or [b"AUTH PLAIN LOGIN"])]
    reply = [b"250-" + word for word in words] + [b"250 8BITMIME"]
    return talk.server(lines(*reply))


def smtp_end(talk):
    talk.client(b"QUIT\r\n").server(b"221 2.0.0 Bye\r\n").close()


GO_AHEAD = b"354 End data with <CR><LF>.<CR><LF>\r\n"


def smtp_mail(talk, reply_to_data=GO_AHEAD, message=MESSAGE, lose=False):
    """A mail whose body looks like commands; the reply to DATA may be lost."""
    talk.client(b"MAIL FROM:<someone@example.com>\r\n").server(b"250 2.1.0 Ok\r\n")
    talk.client(b"RCPT TO:<" + ADDRESS + b">\r\n")
    talk.server(b"250 2.1.5 <" + ADDRESS + b">... Recipient ok\r\n")
    talk.client(b"DATA\r\n").server(reply_to_data, lose=lose)
    talk.client(message + b".\r\n", split=[40, 3, 100]).server(b"250 2.0.0 Ok: queued as 1\r\n")


def smtp_body_like_commands(talk):
    smtp_mail(smtp_start(talk))
    smtp_end(talk)


def smtp_data_reply_lost(talk):
    smtp_mail(smtp_start(talk), lose=True)
    smtp_end(talk)


def smtp_data_refused_but_body_sent(talk):
    smtp_mail(smtp_start(talk), b"554 5.5.1 Error: no valid recipients\r\n", NO_GREETING)
    smtp_end(talk)


# A header whose fields are told of, with secrets in every part that is not.
HEADER = lines(
    b"Return-Path: <" + FROM + b">", b"Received-SPF: pass (" + SUBJECT + b") client-ip=192.0.2.7; envelope-from=\"" + FROM + b"\";",
    b"ARC-Seal: i=1; a=rsa-sha256; d=example.org; s=" + TOKEN + b"; b=" + base64.b64encode(TOKEN),
    b"ARC-Authentication-Results: i=1; " + TOKEN + b"; dkim=pass header.i=" + FROM, b"X-Token: Bearer " + TOKEN,
    b"Authorization: Bearer " + TOKEN, b"Delivered-To: " + ADDRESS, b"X-Original-To: " + ADDRESS,
    b"Received: (from " + SENDER + b"@localhost) by mx.example.org (8.17/" + SUBJECT + b") id " + BODY + b"; " + SUBJECT,
    b"Received: from [192.0.2.7] (helo=" + SENDER + b") by mx.example.org with esmtpsa (" + SUBJECT + b") (Exim 4.96)",
    b"\t(envelope-from <" + FROM + b">) id " + BODY + b" for " + ADDRESS + b"; " + SUBJECT,
    b"Received: from " + SUBJECT + b" (" + SUBJECT + b" [192.0.2.7]) (using TLSv1.3 with cipher " + SUBJECT + b")",
    b"\tby mx.example.org (" + SUBJECT + b") with ESMTPS id " + BODY, b"\tfor <" + ADDRESS + b">; " + SUBJECT,
    b"Authentication-Results: " + ADDRESS + b"; spf=pass smtp.mailfrom=" + ADDRESS + b"; " + SUBJECT + b"=" + BODY,
    b"DKIM-Signature: v=1; a=rsa-sha256; d=example.org; s=one; i=" + ADDRESS + b"; h=from:" + SUBJECT + b"; z=" + SUBJECT,
    b"\t; bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=; b=" + base64.b64encode(BODY) + b"; x-" + SUBJECT + b"=" + BODY,
    b"DKIM-Signature: d=" + ADDRESS + b"; s=" + SUBJECT + b"@" + BODY, b"From: " + SUBJECT + b" <" + FROM + b">",
    b"Reply-To: " + FROM, b"Sender: <" + FROM + b">", b"Cc: <" + ADDRESS + b">", b"Message-ID: <" + SENDER + b"@example.com>",
    b"Content-Type: multipart/signed; protocol=" + SUBJECT + b"; boundary=" + BODY, SUBJECT + b": " + BODY, SUBJECT, b"",
)


def smtp_header_that_is_told_of(talk):
    smtp_mail(smtp_start(talk), message=HEADER + MESSAGE)
    smtp_end(talk)


def smtp_header_by_bdat(talk):
    """In chunks that end in the midst of a field."""
    message = HEADER + MESSAGE
    smtp_start(talk, b"CHUNKING").client(b"MAIL FROM:<" + FROM + b">\r\n").server(b"250 2.1.0 Ok\r\n")
    talk.client(b"RCPT TO:<" + ADDRESS + b">\r\n").server(b"250 2.1.5 Ok\r\n")
    for piece in (message[:100], message[100:713], message[713:]):
        last = b" LAST" if message.endswith(piece) else b""
        talk.client(b"BDAT %d%s\r\n" % (len(piece), last) + piece, split=[20, 50]).server(b"250 2.0.0 Ok\r\n")
    smtp_end(talk)


def smtp_refused_with_reasons(talk):
    smtp_start(talk).client(b"MAIL FROM:<" + FROM + b">\r\n").server(b"250 2.1.0 <" + FROM + b"> Ok\r\n")
    talk.client(b"RCPT TO:<" + ADDRESS + b">\r\n").server(b"550 5.7.23 <" + ADDRESS + b">: SPF fail " + SUBJECT + b"\r\n")
    talk.client(b"MAIL FROM:<" + ADDRESS + b">\r\n").server(b"550 5.7." + BODY + b" DMARC " + SUBJECT + b"\r\n")
    smtp_end(talk)


def smtp_auth_plain_split(talk):
    command = b"AUTH PLAIN " + PLAIN + b"\r\n"
    smtp_start(talk).client(command, split=bytewise(command)).server(b"235 2.7.0 Ok\r\n")
    smtp_end(talk)


def smtp_auth_tokens(talk):
    """In the command, behind a prompt, and in an error's text."""
    smtp_start(talk, b"AUTH XOAUTH2 OAUTHBEARER CRAM-MD5 SCRAM-SHA-256")
    talk.client(b"AUTH OAUTHBEARER " + BEARER + b"\r\n", split=[30, 7]).server(b"334 " + BEARER + b"\r\n")
    talk.client(b"AQ==\r\n").server(b"535 5.7.8 " + TOKEN + b" of " + ADDRESS + b" has expired\r\n")
    talk.client(b"AUTH XOAUTH2\r\n").server(b"334 \r\n").client(XOAUTH2 + b"\r\n").server(b"535 5.7.8 Error\r\n")
    talk.client(b"AUTH CRAM-MD5\r\n").server(b"334 " + DIGEST + b"\r\n").client(DIGEST + b"\r\n").server(b"535 no\r\n")
    talk.client(b"AUTH SCRAM-SHA-256 " + SCRAM[0] + b"\r\n").server(b"334 " + SCRAM[1] + b"\r\n")
    talk.client(SCRAM[2] + b"\r\n").server(b"334 " + SCRAM[3] + b"\r\n").client(b"\r\n").server(b"235 Ok\r\n")
    smtp_end(talk)


def smtp_auth_login_split(talk):
    smtp_start(talk).client(b"auth login\r\n").server(b"334 VXNlcm5hbWU6\r\n")
    talk.client(USER_64 + b"\r\n").server(b"334 UGFzc3dvcmQ6\r\n")
    talk.client(PASSWORD_64 + b"\r\n", split=bytewise(PASSWORD_64)).server(b"535 5.7.8 Error\r\n")
    smtp_end(talk)


def smtp_auth_prompts_lost(talk):
    smtp_start(talk).client(b"AUTH LOGIN\r\n").server(b"334 VXNlcm5hbWU6\r\n", lose=True)
    talk.client(USER_64 + b"\r\n").server(b"334 UGFzc3dvcmQ6\r\n", lose=True)
    talk.client(PASSWORD_64 + b"\r\n").server(b"235 2.7.0 Ok\r\n")
    smtp_end(talk)


def smtp_auth_refused_then_sent(talk):
    smtp_start(talk).client(b"AUTH PLAIN\r\n").server(b"504 5.5.4 Unrecognized mechanism\r\n")
    talk.client(PLAIN + b"\r\n").server(b"500 5.5.2 Error: command not recognized\r\n")
    smtp_end(talk)


def smtp_password_as_command(talk):
    smtp_start(talk).client(PASSWORD + b"\r\n")
    talk.server(b'500 5.5.1 Command unrecognized: "' + PASSWORD + b'"\r\n')
    talk.client(b"HELP " + PASSWORD + b"\r\n").server(b"502 5.5.2 " + PASSWORD + b" unknown\r\n")
    smtp_end(talk)


def smtp_password_as_mechanism(talk):
    smtp_start(talk).client(b"AUTH " + PASSWORD + b"\r\n")
    talk.server(b"504 5.5.4 Unrecognized authentication type\r\n")
    smtp_end(talk)


def smtp_auth_pipelined(talk):
    smtp_start(talk).client(
        lines(b"AUTH PLAIN " + PLAIN, b"MAIL FROM:<a@example.com>", b"RCPT TO:<" + ADDRESS + b">", b"DATA")
    )
    talk.server(b"235 2.7.0 Ok\r\n250 2.1.0 Ok\r\n250 2.1.5 Ok\r\n354 Go\r\n")
    talk.client(MESSAGE + b".\r\n").server(b"250 2.0.0 Ok\r\n")
    smtp_end(talk)


def smtp_all_at_once(talk):
    """A client that waits for nothing, not even for the banner."""
    talk.open().client(
        lines(b"EHLO client.example.com", b"AUTH LOGIN", USER_64, PASSWORD_64, b"MAIL FROM:<a@example.com>",
              b"RCPT TO:<" + ADDRESS + b">", b"DATA") + MESSAGE + b".\r\nQUIT\r\n"
    )  # fmt: skip
    talk.server(
        b"220 mx.example.org ESMTP\r\n250 mx.example.org\r\n334 VXNlcm5hbWU6\r\n334 UGFzc3dvcmQ6\r\n"
        b"235 Ok\r\n250 Ok\r\n250 Ok\r\n354 Go\r\n250 Ok\r\n221 Bye\r\n"
    )
    talk.close()


def smtp_bdat_split(talk):
    smtp_start(talk, b"CHUNKING").client(b"MAIL FROM:<a@example.com>\r\n").server(b"250 Ok\r\n")
    talk.client(b"RCPT TO:<" + ADDRESS + b"> ORCPT=rfc822;" + ADDRESS + b"\r\n").server(b"250 Ok\r\n")
    first, last = MESSAGE[:300], MESSAGE[300:]
    chunk = b"BDAT %d\r\n" % len(first) + first
    talk.client(chunk, split=[5, 2, 6, 90]).server(b"250 Ok\r\n")
    chunk = b"BDAT %d LAST\r\n" % len(last) + last
    talk.client(chunk, split=[12, 1, 1, 30]).server(b"250 Ok\r\n")
    smtp_end(talk)


def smtp_proxy_header(talk):
    talk.open().client(b"PROXY TCP4 192.0.2.77 198.51.100.20 5555 25\r\n")
    talk.server(b"220 mx.example.org ESMTP\r\n").client(b"EHLO client.example.com\r\n")
    talk.server(b"250-mx.example.org\r\n250 AUTH PLAIN\r\n")
    talk.client(b"AUTH PLAIN " + PLAIN + b"\r\n").server(b"235 Ok\r\n")
    smtp_mail(talk)
    smtp_end(talk)


def smtp_binary_lines(talk):
    rubbish = bytes(range(256)) * 2 + PASSWORD + b"\x00\xff\xfe" + BODY + b"\r\n"
    smtp_start(talk).client(rubbish).server(b"500 5.5.2 Error: bad syntax\r\n")
    talk.client(PASSWORD * 4000 + b"\r\n").server(b"500 5.5.2 Line too long\r\n")
    smtp_end(talk)


def smtp_rubbish_first(talk):
    talk.open().client(b"\x00\x01" + PASSWORD + b"\n\n" + BODY + b"\r\n" + PASSWORD + b"\r\n")
    talk.server(b"220 mx.example.org ESMTP\r\n500 5.5.2 Error\r\n").close()


def smtp_recipients_odd(talk):
    smtp_start(talk)
    for command in (b"RCPT TO: ", b"rcpt to:", b"VRFY ", b"EXPN ", b"RCPT  TO :<", b"SEND FROM:"):
        talk.client(command + ADDRESS + b"\r\n").server(b"550 5.1.1 <" + ADDRESS + b">: unknown\r\n")
    smtp_end(talk)


def smtp_injected_behind_starttls(talk):
    smtp_start(talk, b"STARTTLS").client(b"STARTTLS\r\nAUTH PLAIN " + PLAIN + b"\r\n" + NO_GREETING)
    talk.server(b"220 2.0.0 Ready to start TLS\r\n235 2.7.0 " + PASSWORD + b"\r\n" + BODY + b"\r\n")
    talk.client(b"AUTH PLAIN " + PLAIN + b"\r\n").server(b"500 " + BODY + b"\r\n").reset()


def smtp_starttls_then_clear(talk):
    smtp_start(talk, b"STARTTLS").client(b"STARTTLS\r\n").server(b"220 2.0.0 Ready\r\n")
    talk.client(b"EHLO client.example.com\r\n").server(b"250 mx.example.org\r\n")
    talk.client(b"AUTH PLAIN " + PLAIN + b"\r\n").server(b"235 Ok\r\n")
    smtp_mail(talk)
    smtp_end(talk)


def smtp_starttls_refused(talk):
    smtp_start(talk, b"STARTTLS").client(b"STARTTLS\r\n").server(b"454 4.7.0 TLS not available\r\n")
    talk.client(b"AUTH PLAIN " + PLAIN + b"\r\n").server(b"235 Ok\r\n")
    smtp_mail(talk)
    smtp_end(talk)


def smtp_starts_in_body(talk):
    """The tap joins in the middle of a body; the gap is just before."""
    talk.client(MESSAGE, split=[200]).client(MESSAGE + b".\r\n").server(b"250 2.0.0 Ok: queued\r\n")
    talk.client(b"MAIL FROM:<b@example.com>\r\n").server(b"250 2.1.0 Ok\r\n")
    smtp_end(talk)


def smtp_gap_in_body(talk):
    smtp_start(talk).client(b"MAIL FROM:<a@example.com>\r\n").server(b"250 Ok\r\n")
    talk.client(b"RCPT TO:<" + ADDRESS + b">\r\n").server(b"250 Ok\r\n")
    talk.client(b"DATA\r\nSubject: x\r\n", lose=True).server(b"354 Go\r\n", lose=True)
    talk.client(MESSAGE + b".\r\n").server(b"250 Ok\r\n")
    smtp_end(talk)


# --- IMAP ------------------------------------------------------------------------------------


def imap_start(talk):
    talk.open().server(b"* OK [CAPABILITY IMAP4rev1 LITERAL+ SASL-IR AUTH=PLAIN] Dovecot ready.\r\n")
    return talk


def imap_end(talk):
    talk.client(b"a99 LOGOUT\r\n").server(b"* BYE Logging out\r\na99 OK Done.\r\n").close()


def imap_login_literals(talk, lose=False):
    imap_start(talk).client(b"a1 LOGIN {7}\r\n").server(b"+ OK\r\n", lose=lose)
    talk.client(b"someone {%d}\r\n" % len(PASSWORD)).server(b"+ OK\r\n", lose=lose)
    talk.client(PASSWORD + b"\r\n", split=bytewise(PASSWORD)).server(b"a1 OK Logged in\r\n")
    imap_end(talk)


def imap_login_prompts_lost(talk):
    imap_login_literals(talk, lose=True)


def imap_login_literal_plus(talk):
    imap_start(talk)
    command = b"a1 LOGIN {7+}\r\nsomeone {%d+}\r\n" % len(PASSWORD) + PASSWORD + b"\r\n"
    talk.client(command, split=bytewise(command)).server(b"a1 NO [AUTHENTICATIONFAILED] no\r\n")
    imap_end(talk)


def imap_login_quoted(talk):
    imap_start(talk)
    command = b'a1 login "some\\"one {5}" "' + PASSWORD + b'{3}"\r\n'
    talk.client(command, split=[20, 4, 4, 4]).server(b"a1 OK Logged in\r\n")
    imap_end(talk)


def imap_authenticate(talk):
    imap_start(talk).client(b"a1 AUTHENTICATE PLAIN\r\n").server(b"+ \r\n")
    talk.client(PLAIN + b"\r\n", split=[3, 9]).server(b"a1 NO failed\r\n")
    talk.client(b"a2 AUTHENTICATE PLAIN " + PLAIN + b"\r\n").server(b"a2 OK done\r\n")
    imap_end(talk)


def imap_authenticate_prompt_lost(talk):
    imap_start(talk).client(b"a1 AUTHENTICATE LOGIN\r\n").server(b"+ VXNlcm5hbWU6\r\n", lose=True)
    talk.client(USER_64 + b"\r\n").server(b"+ UGFzc3dvcmQ6\r\n", lose=True)
    talk.client(PASSWORD_64 + b"\r\n").server(b"a1 OK done\r\n")
    imap_end(talk)


def imap_password_as_command(talk):
    imap_start(talk).client(PASSWORD + b"\r\n").server(PASSWORD + b" BAD Missing command\r\n")
    talk.client(b"a1 " + PASSWORD + b"\r\n").server(b"a1 BAD Unknown command " + PASSWORD + b"\r\n")
    talk.client(b"a2 AUTHENTICATE " + PASSWORD + b"\r\n").server(b"a2 NO Unsupported\r\n")
    imap_end(talk)


def imap_authenticate_tokens(talk):
    imap_start(talk).client(b"a1 AUTHENTICATE OAUTHBEARER " + BEARER + b"\r\n", split=[30, 7])
    talk.server(b"+ " + BEARER + b"\r\n").client(b"AQ==\r\n").server(b"a1 NO [AUTHENTICATIONFAILED] " + TOKEN + b"\r\n")
    talk.client(b"a2 AUTHENTICATE XOAUTH2\r\n").server(b"+ \r\n").client(XOAUTH2 + b"\r\n").server(b"a2 NO no\r\n")
    talk.client(b"a3 AUTHENTICATE CRAM-MD5\r\n").server(b"+ " + DIGEST + b"\r\n").client(DIGEST + b"\r\n").server(b"a3 NO\r\n")
    talk.client(b"a4 AUTHENTICATE SCRAM-SHA-256 " + SCRAM[0] + b"\r\n").server(b"+ " + SCRAM[1] + b"\r\n")
    talk.client(SCRAM[2] + b"\r\n").server(b"+ " + SCRAM[3] + b"\r\n").client(b"\r\n").server(b"a4 OK in\r\n")
    imap_end(talk)


def imap_append(talk):
    imap_start(talk).client(b"a1 LOGIN someone " + PASSWORD + b"\r\n").server(b"a1 OK in\r\n")
    talk.client(b"a2 APPEND Sent {%d}\r\n" % len(MESSAGE)).server(b"+ OK\r\n")
    talk.client(MESSAGE + b"\r\n", split=[77, 1]).server(b"a2 OK appended\r\n")
    talk.client(b"a3 APPEND Sent {%d+}\r\n" % len(MESSAGE) + MESSAGE + b"\r\n").server(b"a3 OK\r\n")
    talk.client(b"a4 APPEND Sent ~{%d+}\r\n" % len(MESSAGE) + MESSAGE + b"\r\n").server(b"a4 OK\r\n")
    imap_end(talk)


def imap_append_reply_lost(talk):
    imap_start(talk).client(b"a2 APPEND Sent {%d}\r\n" % len(MESSAGE)).server(b"+ OK\r\n", lose=True)
    talk.client(MESSAGE + b"\r\n").server(b"a2 OK appended\r\n")
    imap_end(talk)


def imap_fetch(talk, lose=False):
    imap_start(talk).client(b"a1 LOGIN someone {%d+}\r\n" % len(PASSWORD) + PASSWORD + b"\r\n")
    talk.server(b"a1 OK [CAPABILITY IMAP4rev1 IDLE] Logged in\r\n").client(b"a2 FETCH 1 (BODY[])\r\n")
    talk.server(b"* 1 FETCH (BODY[] {%d}\r\n" % len(MESSAGE), lose=lose)
    talk.server(MESSAGE + b")\r\na2 OK Fetched.\r\n", split=[300, 10])
    talk.client(b"a3 FETCH 1 ENVELOPE\r\n").server(
        b'* 1 FETCH (ENVELOPE ("x" "' + SUBJECT + b'" NIL NIL NIL ((NIL NIL "' + RECIPIENT
        + b'" "example.org")) NIL NIL NIL NIL))\r\na3 OK Fetched.\r\n'
    )  # fmt: skip
    imap_end(talk)


def imap_fetch_headers(talk):
    """In every way in which a header is asked for."""
    imap_start(talk).client(b"a1 LOGIN someone " + PASSWORD + b"\r\n").server(b"a1 OK Logged in\r\n")
    whole, asked = HEADER + MESSAGE, 2
    head = HEADER + b"\r\n"
    for item, data in ((b"BODY[]", whole), (b"RFC822", whole), (b"BODY[HEADER]", head), (b"RFC822.HEADER", head), (b"BODY[TEXT]", MESSAGE),
                       (b"BODY[HEADER.FIELDS (FROM TO SUBJECT X-TOKEN)]", head), (b"BODY[]<0>", whole[:300]), (b"BINARY[]", whole),
                       (b"BODY[1.MIME]", head), (b"BODY[1.HEADER]", head), (b"PREVIEW", BODY)):  # fmt: skip
        talk.client(b"a%d UID FETCH %d (FLAGS %s)\r\n" % (asked, asked, item.replace(b"BODY[", b"BODY.PEEK[")))
        talk.server(b"* %d FETCH (UID %d %s {%d}\r\n" % (asked, asked, item, len(data)) + data + b" FLAGS (\\Seen))\r\n", split=[50, 200])
        talk.server(b"a%d OK Fetched.\r\n" % asked)
        asked += 1
    talk.client(b"a50 FETCH 1 BODY[HEADER.FIELDS (SUBJECT)]\r\n")
    talk.server(b'* 1 FETCH (BODY[HEADER.FIELDS (SUBJECT)] "Subject: ' + SUBJECT + b'\r\n")\r\na50 OK\r\n')
    talk.client(b"a51 SEARCH HEADER TO " + ADDRESS + b" SUBJECT " + SUBJECT + b"\r\n").server(b"* SEARCH 1\r\na51 OK\r\n")
    imap_end(talk)


def imap_fetch_head_lost(talk):
    imap_fetch(talk, lose=True)


def imap_capability_torn(talk):
    """The gap hides the end of a capability line and the head of the literal behind it."""
    imap_start(talk).client(b"a1 CAPABILITY\r\na2 FETCH 1 (BODY[])\r\n")
    talk.server(b"* CAPABILITY IMAP4rev1 IDLE")
    talk.server(b" ID\r\na1 OK\r\n* 1 FETCH (BODY[] {%d}\r\n" % len(MESSAGE), lose=True)
    talk.server(BODY + b" " + BODY + b"\r\n" + MESSAGE + b")\r\na2 OK Fetched.\r\n")
    imap_end(talk)


def imap_starts_in_body(talk):
    talk.server(MESSAGE, split=[33, 500]).server(MESSAGE + b")\r\na2 OK Fetched.\r\n")
    imap_end(talk)


def imap_starts_in_append(talk):
    talk.client(MESSAGE, split=[33, 500]).client(MESSAGE + b"\r\n").server(b"a2 OK done\r\n")
    imap_end(talk)


# --- POP3 ------------------------------------------------------------------------------------


def pop3_start(talk):
    talk.open().server(b"+OK Dovecot ready.\r\n")
    return talk


def pop3_end(talk):
    talk.client(b"QUIT\r\n").server(b"+OK Logging out.\r\n").close()


def pop3_pass_spaces(talk):
    pop3_start(talk).client(b"USER someone\r\n").server(b"+OK\r\n")
    command = b"PASS my " + PASSWORD + b" has  spaces " + PASSWORD + b"\r\n"
    talk.client(command, split=bytewise(command)).server(b"-ERR [AUTH] Failed.\r\n")
    pop3_end(talk)


def pop3_password_as_command(talk):
    pop3_start(talk).client(b"USER someone\r\n").server(b"+OK\r\n")
    talk.client(PASSWORD + b"\r\n").server(b"-ERR Unknown command: " + PASSWORD + b"\r\n")
    talk.client(b"AUTH " + PASSWORD + b"\r\n").server(b"-ERR Unknown mechanism\r\n")
    talk.client(b"pas " + PASSWORD + b"\r\n").server(b"-ERR Unknown command.\r\n")
    pop3_end(talk)


def pop3_pass_reply_lost(talk):
    pop3_start(talk).client(b"USER someone\r\n").server(b"+OK\r\n", lose=True)
    talk.client(b"PASS " + PASSWORD + b"\r\n").server(b"+OK Logged in.\r\n", lose=True)
    pop3_end(talk)


def pop3_auth_plain(talk, lose=False):
    pop3_start(talk).client(b"AUTH PLAIN\r\n").server(b"+ \r\n", lose=lose)
    talk.client(PLAIN + b"\r\n", split=[7, 2]).server(b"-ERR no\r\n")
    talk.client(b"AUTH PLAIN " + PLAIN + b"\r\n").server(b"+OK Logged in.\r\n")
    pop3_end(talk)


def pop3_auth_tokens(talk):
    talk.open().server(b"+OK <1896.69@mx.example.org>\r\n")
    talk.client(b"APOP " + RECIPIENT + b" " + TOKEN + b"\r\n").server(b"-ERR [AUTH] " + TOKEN + b" is wrong\r\n")
    talk.client(b"AUTH OAUTHBEARER " + BEARER + b"\r\n", split=[30, 7]).server(b"+ " + BEARER + b"\r\n")
    talk.client(b"AQ==\r\n").server(b"-ERR [AUTH] " + TOKEN + b"\r\n").client(b"AUTH XOAUTH2\r\n").server(b"+ \r\n")
    talk.client(XOAUTH2 + b"\r\n").server(b"-ERR no\r\n").client(b"AUTH CRAM-MD5\r\n").server(b"+ " + DIGEST + b"\r\n")
    talk.client(DIGEST + b"\r\n").server(b"+OK Logged in.\r\n")
    pop3_end(talk)


def pop3_auth_prompt_lost(talk):
    pop3_auth_plain(talk, lose=True)


def pop3_retr(talk, lose=False):
    pop3_start(talk).client(b"USER someone\r\nPASS " + PASSWORD + b"\r\n")
    talk.server(b"+OK\r\n+OK Logged in.\r\n").client(b"RETR 1\r\n")
    talk.server(b"+OK %d octets\r\n" % len(MESSAGE), lose=lose)
    talk.server(MESSAGE + b".\r\n", split=[1, 1, 60]).client(b"TOP 1 0\r\n")
    talk.server(b"+OK\r\nSubject: " + SUBJECT + b"\r\nTo: " + ADDRESS + b"\r\n\r\n.\r\n")
    pop3_end(talk)


def pop3_fetched_headers(talk):
    pop3_start(talk).client(b"USER someone\r\nPASS " + PASSWORD + b"\r\n").server(b"+OK\r\n+OK Logged in.\r\n")
    stuffed = (HEADER + MESSAGE).replace(b"\r\n.", b"\r\n..")
    talk.client(b"RETR 1\r\n").server(b"+OK %d octets\r\n" % len(stuffed) + stuffed + b".\r\n", split=[1, 1, 60])
    talk.client(b"TOP 1 3\r\nTOP 2 0\r\n").server(b"+OK\r\n" + HEADER + b"\r\n" + BODY + b"\r\n.\r\n+OK\r\n" + HEADER + b"\r\n.\r\n")
    talk.client(b"UIDL\r\n").server(b"+OK\r\n1 " + SUBJECT + b"\r\n.\r\n")
    pop3_end(talk)


def pop3_retr_reply_lost(talk):
    pop3_retr(talk, lose=True)


def pop3_capa_torn(talk):
    """The gap hides the end of the capability list and the head of the message behind it."""
    pop3_start(talk).client(b"CAPA\r\nRETR 1\r\n").server(b"+OK\r\nUSER\r\n")
    talk.server(b"STLS\r\n.\r\n+OK 999 octets\r\nSubject: x\r\n", lose=True)
    talk.server(BODY + b"\r\n" + MESSAGE + b".\r\n")
    pop3_end(talk)


def pop3_starts_in_body(talk):
    talk.server(b"+OK " + BODY + b"\r\n" + MESSAGE, split=[33, 500]).server(MESSAGE + b".\r\n")
    pop3_end(talk)


PORTS = {"smtp": (25, 587, 465), "imap": (143, 993), "pop3": (110, 995)}


def scenarios():
    """(name, port, play) of every conversation, on the clear port and on the others."""
    for name, play in sorted(globals().items()):
        protocol, _, rest = name.partition("_")
        if protocol in PORTS and rest and rest not in ("start", "end", "mail"):
            for port in PORTS[protocol]:
                yield f"{name} on {port}", port, play
