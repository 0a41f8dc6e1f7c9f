# IMAP captures.

recipe imap-cleartext-dovecot-curl 4 "%dovecot; %curl" \
	"143: AUTHENTICATE PLAIN (SASL-IR) in clear, FETCH of a message as a literal"
imap-cleartext-dovecot-curl() {
	dovecot_server "auth_mechanisms = plain"
	capture
	cl curl -sS -4 -u $LOGIN:$PASS "imap://imap.example.com/INBOX;MAILINDEX=1"
}

recipe imap-cleartext-login-dovecot-script 4 "%dovecot; %python imaplib" \
	"143: LOGIN in clear (quoted strings), CAPABILITY asked for, SELECT, FETCH literal, LOGOUT"
imap-cleartext-login-dovecot-script() {
	dovecot_server
	capture
	cl python3 - <<-END
		import imaplib
		m = imaplib.IMAP4("$S4")
		m.login("$LOGIN", "$PASS")
		m.select()
		m.fetch("1:2", "(FLAGS BODY.PEEK[])")
		m.close()
		m.logout()
	END
}

recipe imap-login-literal-dovecot-script 4 "%dovecot; %python script" \
	"143: LOGIN with synchronizing literals \`{n}\`, then LIST and LOGOUT"
imap-login-literal-dovecot-script() {
	dovecot_server
	capture
	talk 143 <<-END
		< \* OK
		> a1 LOGIN {${#LOGIN}}
		< \+
		> $LOGIN {${#PASS}}
		< \+
		> $PASS
		< a1 OK
		> a2 LIST "" *
		< a2 OK
		> a3 LOGOUT
		< a3 OK
	END
}

recipe imap-login-literal-plus-dovecot-script 6 "%dovecot; %python script" \
	"143: LOGIN with non-synchronizing literals \`{n+}\` in one segment"
imap-login-literal-plus-dovecot-script() {
	dovecot_server
	capture
	SERVER=$S6 talk 143 <<-END
		< \* OK
		>> a1 LOGIN {${#LOGIN}+}\r\n$LOGIN {${#PASS}+}\r\n$PASS\r\n
		< a1 OK
		> a2 SELECT INBOX
		< a2 OK
		> a3 FETCH 1 (BODY[HEADER.FIELDS (SUBJECT)] BODY[TEXT])
		< a3 OK
		> a4 LOGOUT
		< a4 OK
	END
}

recipe imap-login-failed-dovecot-script 4 "%dovecot; %python imaplib" \
	"143: LOGIN in clear with a wrong password, NO [AUTHENTICATIONFAILED], LOGOUT"
imap-login-failed-dovecot-script() {
	dovecot_server
	capture
	cl python3 - <<-END
		import imaplib
		m = imaplib.IMAP4("$S4")
		try:
		    m.login("$LOGIN", "wrong-$PASS")
		except imaplib.IMAP4.error as e:
		    print(e)
		m.logout()
	END
}

recipe imap-auth-failed-dovecot-curl 4 "%dovecot; %curl" \
	"143: AUTHENTICATE PLAIN in clear with a wrong password; the client sends LOGOUT and leaves"
imap-auth-failed-dovecot-curl() {
	dovecot_server "auth_mechanisms = plain"
	capture
	cl curl -sS -4 -u $LOGIN:wrong-$PASS "imap://imap.example.com/INBOX;MAILINDEX=1" || true
}

recipe imap-logindisabled-dovecot-script 4 "%dovecot; %python script" \
	"143: LOGINDISABLED in the greeting, LOGIN sent all the same, refused with [PRIVACYREQUIRED]"
imap-logindisabled-dovecot-script() {
	dovecot_server "disable_plaintext_auth = yes"
	capture
	talk 143 <<-END
		< \* OK
		> a1 LOGIN $LOGIN $PASS
		< a1 NO
		> a2 LOGOUT
		< a2 OK
	END
}

recipe imap-starttls-tls13-dovecot-curl 4 "%dovecot; %curl" \
	"143: STARTTLS, TLS 1.3 with SNI"
imap-starttls-tls13-dovecot-curl() {
	dovecot_server
	capture
	cl curl -sS -4 --ssl-reqd --cacert "$PKI/root.pem" -u $LOGIN:$PASS "imap://imap.example.com/INBOX;MAILINDEX=1"
}

recipe imap-starttls-tls12-dovecot-fetchmail 6 "%dovecot; %fetchmail" \
	"143: STARTTLS, TLS 1.2, fetching a mail"
imap-starttls-tls12-dovecot-fetchmail() {
	dovecot_server
	fetchmail_rc imap 143 "sslproto TLS1.2" "sslcertfile $PKI/root.pem"
	capture
	fetch
}

recipe imap-implicit-tls13-dovecot-curl 4 "%dovecot; %curl" \
	"993: implicit TLS 1.3 with SNI"
imap-implicit-tls13-dovecot-curl() {
	dovecot_server
	capture
	cl curl -sS -4 --cacert "$PKI/root.pem" -u $LOGIN:$PASS "imaps://imap.example.com/INBOX;MAILINDEX=1"
}

recipe imap-implicit-tls12-dovecot-curl 6 "%dovecot; %curl" \
	"993: implicit TLS 1.2, ECDSA certificate"
imap-implicit-tls12-dovecot-curl() {
	dovecot_server "ssl_cert = <$PKI/ecdsa-chain.pem" "ssl_key = <$PKI/ecdsa.key"
	capture
	cl curl -sS -6 --tls-max 1.2 --cacert "$PKI/root.pem" -u $LOGIN:$PASS "imaps://mx.example.com/INBOX;MAILINDEX=1"
}
