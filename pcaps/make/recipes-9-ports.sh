# Mail on ports that are not known for it (mailtap --any-port).

recipe any-port-smtp-cleartext-postfix-swaks 4 "%postfix; %swaks" \
	"2526: a mail in clear"
any-port-smtp-cleartext-postfix-swaks() {
	postfix_server 2526
	capture
	send --port 2526
}

recipe any-port-smtp-starttls-tls13-postfix-swaks 4 "%postfix; %swaks" \
	"2526: a mail with STARTTLS, TLS 1.3"
any-port-smtp-starttls-tls13-postfix-swaks() {
	postfix_server 2526 "$MAY"
	capture
	send --port 2526 --tls --tls-protocol tlsv1_3
}

# dovecot_on PROTOCOL PORT [ssl = yes]
dovecot_on() {
	DOVECOT_PORT=$2 dovecot_server "service ${1%s}-login {
  inet_listener $1 {
    port = $2
    ${3-}
  }
}"
}

recipe any-port-imap-cleartext-dovecot-curl 4 "%dovecot; %curl" \
	"10143: a mail fetched in clear; the greeting names IMAP4rev1"
any-port-imap-cleartext-dovecot-curl() {
	dovecot_on imap 10143
	capture
	cl curl -sS -4 -u $LOGIN:$PASS "imap://imap.example.com:10143/INBOX;MAILINDEX=1"
}

recipe any-port-imap-starttls-tls13-dovecot-curl 6 "%dovecot; %curl" \
	"10143: STARTTLS, TLS 1.3"
any-port-imap-starttls-tls13-dovecot-curl() {
	dovecot_on imap 10143
	capture
	cl curl -sS -6 --ssl-reqd --cacert "$PKI/root.pem" --resolve "imap.example.com:10143:[$S6]" \
		-u $LOGIN:$PASS "imap://imap.example.com:10143/INBOX;MAILINDEX=1"
}

recipe any-port-pop3-cleartext-dovecot-curl 4 "%dovecot; %curl" \
	"10110: a mail retrieved in clear; the greeting does not name POP3, the client's CAPA tells"
any-port-pop3-cleartext-dovecot-curl() {
	dovecot_on pop3 10110
	capture
	cl curl -sS -4 -u $LOGIN:$PASS "pop3://pop.example.com:10110/1"
}

recipe any-port-imap-implicit-tls13-alpn-dovecot-openssl 4 "%dovecot; %openssl s_client" \
	"10993: implicit TLS 1.3, the client's ALPN says imap"
any-port-imap-implicit-tls13-alpn-dovecot-openssl() {
	dovecot_on imaps 10993 "ssl = yes"
	capture
	(sleep .5; printf 'a1 LOGIN %s %s\r\na2 LOGOUT\r\n' $LOGIN $PASS; sleep .5) |
		ossl 10993 -quiet -CAfile "$PKI/root.pem" -servername imap.example.com -alpn imap
}

recipe any-port-imap-implicit-tls12-without-alpn-dovecot-curl 4 "%dovecot; %curl" \
	"10993: implicit TLS 1.2 without ALPN: nothing says that it is mail, so there is no record"
any-port-imap-implicit-tls12-without-alpn-dovecot-curl() {
	dovecot_on imaps 10993 "ssl = yes"
	capture
	cl curl -sS -4 --tls-max 1.2 --cacert "$PKI/root.pem" -u $LOGIN:$PASS \
		"imaps://imap.example.com:10993/INBOX;MAILINDEX=1"
}

recipe any-port-no-mail-python-vsftpd-openssl-curl 4 "%python http.server, %vsftpd, %openssl s_server; %curl" \
	"8080, 2121, 8443: HTTP, FTP and HTTPS, no mail: no record"
any-port-no-mail-python-vsftpd-openssl-curl() {
	mkdir www; echo hello >www/index.html
	sv /usr/bin/python3 -m http.server --bind $S4 -d www 8080 2>"$T/http.log" &
	sv openssl s_server -www -accept 8443 -cert "$PKI/rsa.pem" -cert_chain "$PKI/ca.pem" -key "$PKI/rsa.key" >"$T/ss.log" 2>&1 &
	vsftpd_server 2121
	wait_port 8080
	wait_port 8443
	capture
	cl curl -sS http://$S4:8080/
	cl curl -sS -m 5 ftp://$LOGIN:$PASS@$S4:2121/ || true
	cl curl -sS -4 -m 5 --cacert "$PKI/root.pem" https://mx.example.com:8443/ >/dev/null
}
