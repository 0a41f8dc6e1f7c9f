# POP3 captures.

recipe pop3-cleartext-dovecot-fetchmail 4 "%dovecot; %fetchmail" \
	"110: USER/PASS in clear, STAT, LIST, RETR of messages with dot-stuffed lines"
pop3-cleartext-dovecot-fetchmail() {
	dovecot_server
	FETCH_AUTH=password FETCH_HOST=pop.example.com fetchmail_rc pop3 110 "sslproto ''"
	capture
	fetch
}

recipe pop3-auth-plain-dovecot-curl 4 "%dovecot; %curl" \
	"110: CAPA, AUTH PLAIN in clear, RETR"
pop3-auth-plain-dovecot-curl() {
	dovecot_server "auth_mechanisms = plain"
	capture
	cl curl -sS -4 -u $LOGIN:$PASS "pop3://pop.example.com/1"
}

recipe pop3-starttls-tls13-dovecot-curl 4 "%dovecot; %curl" \
	"110: CAPA, STLS, TLS 1.3"
pop3-starttls-tls13-dovecot-curl() {
	dovecot_server
	capture
	cl curl -sS -4 --ssl-reqd --cacert "$PKI/root.pem" -u $LOGIN:$PASS "pop3://pop.example.com/1"
}

recipe pop3-starttls-tls12-dovecot-fetchmail 6 "%dovecot; %fetchmail" \
	"110: STLS, TLS 1.2, fetching a mail"
pop3-starttls-tls12-dovecot-fetchmail() {
	dovecot_server
	fetchmail_rc pop3 110 "sslproto TLS1.2" "sslcertfile $PKI/root.pem"
	capture
	fetch
}

recipe pop3-login-failed-dovecot-script 4 "%dovecot; %python poplib" \
	"110: USER/PASS in clear with a wrong password, -ERR"
pop3-login-failed-dovecot-script() {
	dovecot_server
	capture
	cl /usr/bin/python3 - <<-END
		import poplib
		p = poplib.POP3("$S4")
		p.user("$LOGIN")
		try:
		    p.pass_("wrong-$PASS")
		except poplib.error_proto as e:
		    print(e)
		p.quit()
	END
}

recipe pop3-implicit-tls13-dovecot-curl 4 "%dovecot; %curl" \
	"995: implicit TLS 1.3"
pop3-implicit-tls13-dovecot-curl() {
	dovecot_server
	capture
	cl curl -sS -4 --cacert "$PKI/root.pem" -u $LOGIN:$PASS "pop3s://pop.example.com/1"
}

recipe pop3-apop-dovecot-fetchmail 4 "%dovecot; %fetchmail" \
	"110: APOP with the timestamp of the banner"
pop3-apop-dovecot-fetchmail() {
	dovecot_server "auth_mechanisms = plain apop"
	FETCH_HOST=pop.example.com fetchmail_rc apop 110 "sslproto ''"
	capture
	fetch
}

recipe pop3-apop-failed-dovecot-script 6 "%dovecot; %python script" \
	"110: APOP with a wrong password, -ERR"
pop3-apop-failed-dovecot-script() {
	dovecot_server "auth_mechanisms = plain apop"
	capture
	SERVER=$S6 talk 110 <<-END
		< \+OK
		apop $LOGIN wrong-$PASS
		< -ERR
		> QUIT
		< \+OK
	END
}

recipe pop3-stls-refused-dovecot-script 4 "%dovecot (ssl = no); %python script" \
	"110: STLS not offered, asked for all the same, -ERR; USER/PASS follow in clear"
pop3-stls-refused-dovecot-script() {
	dovecot_server "ssl = no"
	capture
	talk 110 <<-END
		< \+OK
		> CAPA
		< \.
		> STLS
		< -ERR
		> USER $LOGIN
		< \+OK
		> PASS $PASS
		< \+OK
		> QUIT
		< \+OK
	END
}

recipe pop3-login-before-tls-refused-dovecot-script 4 "%dovecot; %python script" \
	"110: USER refused in clear, STLS required; the client sends PASS all the same"
pop3-login-before-tls-refused-dovecot-script() {
	dovecot_server "disable_plaintext_auth = yes"
	capture
	talk 110 <<-END
		< \+OK
		>> USER $LOGIN\r\nPASS $PASS\r\n
		< -ERR
		< -ERR
		> QUIT
		< \+OK
	END
}

recipe pop3-auth-plain-initial-dovecot-curl 6 "%dovecot; %curl" \
	"110: AUTH PLAIN with initial response, in clear"
pop3-auth-plain-initial-dovecot-curl() {
	dovecot_server "auth_mechanisms = plain"
	capture
	cl curl -sS -6 --sasl-ir -u $LOGIN:$PASS "pop3://mx.example.com/1"
}

recipe pop3-auth-login-dovecot-mpop 4 "%dovecot; %mpop" \
	"110: AUTH LOGIN with two prompts, in clear, then UIDL, LIST, RETR pipelined"
pop3-auth-login-dovecot-mpop() {
	dovecot_server
	cat >"$T/mpoprc" <<-END
		account default
		host $S4
		user $LOGIN
		password $PASS
		auth login
		tls off
		keep on
		uidls_file $T/uidls
		delivery mbox $T/mbox
	END
	chmod 600 "$T/mpoprc"
	capture
	cl "$EXTRA/usr/bin/mpop" -C "$T/mpoprc"
}

recipe pop3-auth-cram-md5-dovecot-curl 4 "%dovecot; %curl" \
	"110: AUTH CRAM-MD5, in clear"
pop3-auth-cram-md5-dovecot-curl() {
	dovecot_server
	capture
	cl curl -sS -4 --login-options AUTH=CRAM-MD5 -u $LOGIN:$PASS "pop3://pop.example.com/2"
}

recipe pop3-auth-cancelled-dovecot-script 4 "%dovecot; %python script" \
	"110: AUTH PLAIN cancelled with \`*\`"
pop3-auth-cancelled-dovecot-script() {
	dovecot_server
	capture
	talk 110 <<-END
		< \+OK
		> AUTH PLAIN
		< \+
		> *
		< -ERR
		> QUIT
		< \+OK
	END
}

recipe pop3-top-uidl-dovecot-script 6 "%dovecot; %python poplib" \
	"110: USER/PASS in clear, STAT, UIDL, TOP, DELE, RSET, NOOP, QUIT"
pop3-top-uidl-dovecot-script() {
	dovecot_server
	capture
	cl /usr/bin/python3 - <<-END
		import poplib
		p = poplib.POP3("$S6")
		p.user("$LOGIN")
		p.pass_("$PASS")
		p.stat()
		p.uidl()
		p.top(1, 2)
		p.dele(2)
		p.rset()
		p.noop()
		p.quit()
	END
}

recipe pop3-pipelined-dovecot-script 4 "%dovecot; %python script" \
	"110: USER, PASS, STAT, RETR and QUIT in one segment"
pop3-pipelined-dovecot-script() {
	dovecot_server
	capture
	talk 110 <<-END
		< \+OK
		>> USER $LOGIN\r\nPASS $PASS\r\nSTAT\r\nRETR 1\r\nQUIT\r\n
		drain
	END
}

recipe pop3-probe-quit-dovecot-nc 4 "%dovecot; %nc" \
	"110: a probe, QUIT right after the banner"
pop3-probe-quit-dovecot-nc() {
	dovecot_server
	capture
	(sleep .5; printf 'QUIT\r\n'; sleep .3) | cl nc $S4 110
}

recipe pop3-implicit-tls12-dovecot-fetchmail 6 "%dovecot; %fetchmail" \
	"995: implicit TLS 1.2"
pop3-implicit-tls12-dovecot-fetchmail() {
	dovecot_server
	fetchmail_rc pop3 995 "ssl sslproto TLS1.2" "sslcertfile $PKI/root.pem"
	capture
	fetch
}

recipe pop3-starttls-tls12-self-signed-rejected-dovecot-fetchmail 4 "%dovecot; %fetchmail" \
	"110: STLS, TLS 1.2, self-signed certificate, refused by fetchmail"
pop3-starttls-tls12-self-signed-rejected-dovecot-fetchmail() {
	dovecot_server "ssl_cert = <$PKI/self.pem" "ssl_key = <$PKI/self.key"
	FETCH_HOST=pop.example.com fetchmail_rc pop3 110 "sslproto TLS1.2" "sslcertfile $PKI/root.pem"
	capture
	fetch || true
}

recipe pop3-implicit-tls13-dovecot-mpop 6 "%dovecot; %mpop (GnuTLS)" \
	"995: implicit TLS 1.3, a GnuTLS client"
pop3-implicit-tls13-dovecot-mpop() {
	dovecot_server
	cat >"$T/mpoprc" <<-END
		account default
		host mx6.example.com
		port 995
		user $LOGIN
		password $PASS
		tls on
		tls_starttls off
		tls_trust_file $PKI/root.pem
		tls_host_override mx.example.com
		keep on
		uidls_file $T/uidls
		delivery mbox $T/mbox
	END
	chmod 600 "$T/mpoprc"
	capture
	cl "$EXTRA/usr/bin/mpop" -C "$T/mpoprc"
}
