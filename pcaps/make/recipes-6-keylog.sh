# Captures with a key log beside them (NAME.keylog): what the client, or the server, wrote with
# SSLKEYLOGFILE or -keylogfile. The recipe leaves it in $T/keylog. One function per capture.

GROUP[keylog]="With a key log"

# One EHLO, STARTTLS and QUIT with s_client, TLS 1.3 unless asked otherwise
keylog_smtp() {
	(sleep .5; printf 'QUIT\r\n'; sleep .3) |
		ossl 25 -starttls smtp -name client.example.org -quiet -CAfile "$PKI/root.pem" \
			-servername mx.example.com -keylogfile "$T/keylog" "$@"
}

# A mailbox read with curl: keylog_curl URL [ARGUMENTS]
keylog_curl() {
	cl env SSLKEYLOGFILE="$T/keylog" curl -sS --cacert "$PKI/root.pem" -u $LOGIN:$PASS "$@"
}

# openssl s_server on port 993, that says one line: keylog_server [ARGUMENTS]
keylog_server() {
	(sleep 1; printf '* OK ready\r\n'; sleep 20) | sv openssl s_server -accept 993 -quiet \
		-cert "$PKI/rsa.pem" -cert_chain "$PKI/ca.pem" -key "$PKI/rsa.key" "$@" \
		>"$T/ss.log" 2>&1 &
	wait_port 993
}

# One log-in and log-out on port 993 with s_client
keylog_imap() {
	(sleep .7; printf 'a1 LOGIN %s %s\r\n' $LOGIN $PASS; sleep .3; printf 'a2 LOGOUT\r\n'; sleep .5) |
		ossl 993 -quiet -CAfile "$PKI/root.pem" -servername imap.example.com \
			-keylogfile "$T/keylog" "$@"
}

# gnutls-cli on port PORT, with its key log: keylog_gnutls PORT [ARGUMENTS]
keylog_gnutls() {
	local port=$1
	shift
	(sleep 1; printf 'a1 LOGIN %s %s\r\n' $LOGIN $PASS; sleep .5) |
		cl env SSLKEYLOGFILE="$T/keylog" gnutls-cli -p "$port" --x509cafile "$PKI/root.pem" \
			"$@" "${KEYLOG_HOST-mx.example.com}"
}

recipe keylog-smtp-starttls-tls13-postfix-openssl 4 "%postfix; %openssl s_client" \
	"STARTTLS, TLS 1.3, AES-256, a chain of two"
keylog-smtp-starttls-tls13-postfix-openssl() {
	postfix_server "$MAY"
	capture
	keylog_smtp -tls1_3
}

recipe keylog-smtp-starttls-tls13-ecdsa-aes128-postfix-openssl 6 "%postfix; %openssl s_client" \
	"STARTTLS, TLS 1.3, AES-128, an ECDSA certificate"
keylog-smtp-starttls-tls13-ecdsa-aes128-postfix-openssl() {
	postfix_server "$MAY" "$ECDSA"
	capture
	SERVER="[$S6]" keylog_smtp -tls1_3 -ciphersuites TLS_AES_128_GCM_SHA256
}

recipe keylog-smtp-starttls-tls13-hello-retry-request-postfix-openssl 4 "%postfix; %openssl s_client" \
	"STARTTLS, TLS 1.3 with HelloRetryRequest"
keylog-smtp-starttls-tls13-hello-retry-request-postfix-openssl() {
	postfix_server "$MAY" "tls_eecdh_auto_curves = secp384r1"
	capture
	keylog_smtp -tls1_3 -groups X25519:secp384r1
}

recipe keylog-smtp-starttls-tls13-client-certificate-postfix-openssl 4 "%postfix; %openssl s_client" \
	"STARTTLS, TLS 1.3, the client is asked for a certificate and gives one"
keylog-smtp-starttls-tls13-client-certificate-postfix-openssl() {
	postfix_server "$MAY" "smtpd_tls_ask_ccert = yes" "smtpd_tls_CAfile = $PKI/root.pem"
	capture
	keylog_smtp -tls1_3 -cert "$PKI/client.pem" -key "$PKI/client.key" -cert_chain "$PKI/ca.pem"
}

recipe keylog-smtp-starttls-tls13-client-certificate-empty-postfix-openssl 6 "%postfix; %openssl s_client" \
	"STARTTLS, TLS 1.3, the client is asked for a certificate and has none"
keylog-smtp-starttls-tls13-client-certificate-empty-postfix-openssl() {
	postfix_server "$MAY" "smtpd_tls_ask_ccert = yes" "smtpd_tls_CAfile = $PKI/root.pem"
	capture
	SERVER="[$S6]" keylog_smtp -tls1_3
}

recipe keylog-smtp-starttls-tls13-self-signed-rejected-postfix-curl 4 "%postfix; %curl" \
	"STARTTLS, TLS 1.3, a self-signed certificate that the client rejects in the clear; it never writes down its own secret"
keylog-smtp-starttls-tls13-self-signed-rejected-postfix-curl() {
	postfix_server "$MAY" "smtpd_tls_chain_files = $PKI/self.key $PKI/self.pem"
	message | crlf >"$T/mail.txt"
	capture
	keylog_curl -4 --ssl-reqd --tlsv1.3 --mail-from $FROM --mail-rcpt $RCPT -T "$T/mail.txt" \
		"smtp://mx.example.com/client.example.org" || true
}

recipe keylog-smtp-starttls-tls13-self-signed-rejected-postfix-gnutls 4 "%postfix; %gnutls gnutls-cli" \
	"STARTTLS, TLS 1.3, a self-signed certificate; the client's alert is encrypted"
keylog-smtp-starttls-tls13-self-signed-rejected-postfix-gnutls() {
	postfix_server "$MAY" "smtpd_tls_chain_files = $PKI/self.key $PKI/self.pem"
	capture
	keylog_gnutls 25 --starttls-proto=smtp --priority NORMAL:-VERS-ALL:+VERS-TLS1.3 || true
}

recipe keylog-smtp-implicit-tls13-secrets-of-another-postfix-openssl 4 "%postfix; %openssl s_client" \
	"465: two connections to one server, the key log has the secrets of the first only"
keylog-smtp-implicit-tls13-secrets-of-another-postfix-openssl() {
	postfix_server 465 "$MAY" "@465 inet n - n - - smtpd -o smtpd_tls_wrappermode=yes"
	capture
	local log
	for log in keylog second; do
		(sleep .5; printf 'QUIT\r\n'; sleep .3) | ossl 465 -quiet -CAfile "$PKI/root.pem" -keylogfile "$T/$log"
	done
}

recipe keylog-smtp-starttls-tls12-postfix-openssl 6 "%postfix; %openssl s_client" \
	"STARTTLS, TLS 1.2, AES-256-GCM"
keylog-smtp-starttls-tls12-postfix-openssl() {
	postfix_server "$MAY"
	capture
	SERVER="[$S6]" keylog_smtp -tls1_2
}

recipe keylog-smtp-starttls-tls12-resumed-ticket-postfix-openssl 4 "%postfix; %openssl s_client" \
	"STARTTLS, two connections: TLS 1.2 full handshake, then resumed by ticket"
keylog-smtp-starttls-tls12-resumed-ticket-postfix-openssl() {
	postfix_server "$MAY"
	capture
	keylog_smtp -tls1_2 -sess_out session
	keylog_smtp -tls1_2 -sess_in session
}

recipe keylog-imap-implicit-tls13-chacha20-dovecot-curl 6 "%dovecot; %curl" \
	"993: TLS 1.3, CHACHA20, a mailbox read inside"
keylog-imap-implicit-tls13-chacha20-dovecot-curl() {
	dovecot_server
	capture
	keylog_curl -6 --tls13-ciphers TLS_CHACHA20_POLY1305_SHA256 "imaps://mx.example.com/INBOX;MAILINDEX=1"
}

recipe keylog-imap-implicit-tls12-cbc-dovecot-curl 4 "%dovecot; %curl" \
	"993: TLS 1.2, AES-128-CBC, encrypt-then-MAC; a mailbox read inside"
keylog-imap-implicit-tls12-cbc-dovecot-curl() {
	dovecot_server
	capture
	keylog_curl -4 --tls-max 1.2 --ciphers ECDHE-RSA-AES128-SHA256 "imaps://imap.example.com/INBOX;MAILINDEX=1"
}

recipe keylog-imap-implicit-tls13-resumed-psk-dovecot-openssl 4 "%dovecot; %openssl s_client" \
	"993: two connections, TLS 1.3, the second resumed by PSK"
keylog-imap-implicit-tls13-resumed-psk-dovecot-openssl() {
	dovecot_server "service imap-login {
  service_count = 0
  process_min_avail = 1
  process_limit = 1
}"
	capture
	keylog_imap -tls1_3 -sess_out session
	keylog_imap -tls1_3 -sess_in session
}

# An OCSP answer for the server's certificate, and timestamps that no log ever gave (RFC 6962 3.2): files
# "staple" and "timestamps"
keylog_extras() {
	printf 'V\t401231235959Z\t\t%s\tunknown\t/CN=mx.example.com\n' \
		"$(openssl x509 -in "$PKI/rsa.pem" -noout -serial | sed 's/.*=//')" >index
	openssl ocsp -issuer "$PKI/ca.pem" -cert "$PKI/rsa.pem" -reqout request -no_nonce
	openssl ocsp -index index -CA "$PKI/ca.pem" -rsigner "$PKI/ca.pem" -rkey "$PKI/ca.key" -ndays 7 \
		-reqin request -respout staple
	/usr/bin/python3 - >timestamps <<-END
		import base64
		def vector(data): return len(data).to_bytes(2, "big") + data
		def timestamp(log): return vector(bytes([0]) + bytes([log]) * 32 + (1700000000000).to_bytes(8, "big")
		    + vector(b"") + bytes([4, 3]) + vector(bytes([48, 6, 2, 1, 1, 2, 1, 1])))
		CONTEXT = 0x0040 | 0x0080 | 0x1000  # not on resumption, if asked, with the certificate
		body = vector(timestamp(1) + timestamp(2))
		entry = CONTEXT.to_bytes(4, "big") + (18).to_bytes(2, "big") + vector(body)
		print("-----BEGIN SERVERINFOV2 FOR TIMESTAMPS-----")
		print(base64.encodebytes(entry).decode(), end="")
		print("-----END SERVERINFOV2 FOR TIMESTAMPS-----")
	END
}

recipe keylog-imap-implicit-tls13-alpn-staple-openssl 4 "%openssl s_server; %openssl s_client" \
	"993: TLS 1.3, AES-128-CCM, the server chooses the client's second protocol (ALPN), staples an OCSP answer and sends two SCTs"
keylog-imap-implicit-tls13-alpn-staple-openssl() {
	keylog_extras
	echo "enabled_logs =" >logs
	keylog_server -alpn imap -status_file staple -serverinfo timestamps -ciphersuites TLS_AES_128_CCM_SHA256
	capture
	keylog_imap -tls1_3 -ciphersuites TLS_AES_128_CCM_SHA256 -alpn managesieve,imap -status -ct -ctlogfile logs
}

recipe keylog-imap-implicit-tls13-early-data-openssl 4 "%openssl s_server; %openssl s_client" \
	"993: two connections, TLS 1.3, the second with early data, which the key log does not open"
keylog-imap-implicit-tls13-early-data-openssl() {
	sv openssl s_server -accept 993 -cert "$PKI/rsa.pem" -cert_chain "$PKI/ca.pem" -key "$PKI/rsa.key" \
		-early_data -naccept 2 -tls1_3 -keylogfile "$T/keylog" >"$T/ss.log" 2>&1 < <(sleep 20) &
	wait_port 993
	printf 'a1 LOGIN %s %s\r\n' $LOGIN $PASS >early
	capture
	(sleep .5) | ossl 993 -sess_out session -CAfile "$PKI/root.pem" >/dev/null
	(sleep .5) | ossl 993 -sess_in session -early_data early -CAfile "$PKI/root.pem"
}

recipe keylog-imap-implicit-tls13-records-of-512-openssl 6 "%openssl s_server; %openssl s_client" \
	"993: TLS 1.3, the chain over several records, client and server pad theirs"
keylog-imap-implicit-tls13-records-of-512-openssl() {
	keylog_server -max_send_frag 512 -record_padding 128
	capture
	SERVER="[$S6]" keylog_imap -tls1_3 -record_padding 256
}

recipe keylog-imap-implicit-tls13-client-certificate-rejected-openssl 4 "%openssl s_server; %openssl s_client" \
	"993: TLS 1.3, the server rejects the client's certificate: its alert is not one of the handshake any more and stays hidden"
keylog-imap-implicit-tls13-client-certificate-rejected-openssl() {
	keylog_server -Verify 1 -verify_return_error
	capture
	keylog_imap -tls1_3 -cert "$PKI/self.pem" -key "$PKI/self.key" || true
}

recipe keylog-imap-implicit-tls13-client-certificate-gnutls 6 "%gnutls gnutls-serv; %gnutls gnutls-cli" \
	"993: TLS 1.3 with GnuTLS on both sides, the client gives a certificate"
keylog-imap-implicit-tls13-client-certificate-gnutls() {
	(sleep 20) | sv gnutls-serv --echo -p 993 --x509certfile "$PKI/rsa-chain.pem" --x509keyfile "$PKI/rsa.key" \
		--x509cafile "$PKI/root.pem" --require-client-cert >"$T/gs.log" 2>&1 &
	wait_port 993
	capture
	KEYLOG_HOST=mx6.example.com keylog_gnutls 993 --verify-hostname=mx.example.com \
		--x509certfile "$PKI/client-chain.pem" --x509keyfile "$PKI/client.key"
}

recipe keylog-pop3-stls-tls13-dovecot-curl 4 "%dovecot; %curl" \
	"110: STLS, TLS 1.3, a mailbox read inside"
keylog-pop3-stls-tls13-dovecot-curl() {
	dovecot_server
	capture
	keylog_curl -4 --ssl-reqd "pop3://pop.example.com/1"
}
