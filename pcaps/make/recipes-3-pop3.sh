# POP3 captures.

recipe pop3-cleartext-dovecot-fetchmail 4 "%dovecot; %fetchmail" \
	"110: CAPA, USER/PASS in clear, LIST, RETR of messages with dot-stuffed lines"
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
	cl python3 - <<-END
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
