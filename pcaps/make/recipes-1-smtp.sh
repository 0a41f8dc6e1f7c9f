# SMTP captures. One function per capture.

CLEAR="smtpd_tls_security_level = none"
MAY="smtpd_tls_security_level = may"
ECDSA="smtpd_tls_chain_files = ${WORK-}/pki/ecdsa.key ${WORK-}/pki/ecdsa-chain.pem"

recipe smtp-cleartext-postfix-swaks 4 "%postfix; %swaks" \
	"a mail in clear on port 25, STARTTLS not offered"
smtp-cleartext-postfix-swaks() {
	postfix_server "$CLEAR"
	capture
	send
}

recipe smtp-starttls-offered-not-used-postfix-swaks 4 "%postfix; %swaks" \
	"STARTTLS offered but not requested, the mail goes in clear"
smtp-starttls-offered-not-used-postfix-swaks() {
	postfix_server "$MAY"
	capture
	send
}

recipe smtp-starttls-tls13-postfix-swaks 4 "%postfix; %swaks" \
	"STARTTLS, TLS 1.3"
smtp-starttls-tls13-postfix-swaks() {
	postfix_server "$MAY"
	capture
	send --tls --tls-protocol tlsv1_3
}

recipe smtp-starttls-tls12-rsa-postfix-swaks 4 "%postfix; %swaks" \
	"STARTTLS, TLS 1.2 with an RSA certificate (chain with intermediate)"
smtp-starttls-tls12-rsa-postfix-swaks() {
	postfix_server "$MAY"
	capture
	send --tls --tls-protocol tlsv1_2
}

recipe smtp-starttls-tls12-ecdsa-postfix-swaks 6 "%postfix; %swaks" \
	"STARTTLS, TLS 1.2 with an ECDSA P-256 certificate"
smtp-starttls-tls12-ecdsa-postfix-swaks() {
	postfix_server "$MAY" "$ECDSA"
	capture
	SERVER=$S6 send -6 --tls --tls-protocol tlsv1_2
}

recipe smtp-starttls-relay-postfix-postfix 6 "%postfix; %postfix (smtp client)" \
	"server to server: opportunistic STARTTLS (TLS 1.3), certificate not verified"
smtp-starttls-relay-postfix-postfix() {
	postfix_server "$MAY"
	postfix_client "[mx6.example.com]" "smtp_tls_security_level = may" "inet_protocols = ipv6"
	capture
	postfix_send
}

recipe smtp-starttls-tls13-exim-exim 4 "%exim (GnuTLS); %exim (GnuTLS)" \
	"server to server: STARTTLS, TLS 1.3 with GnuTLS on both sides"
smtp-starttls-tls13-exim-exim() {
	exim_server
	capture
	exim_send $S4
}

# ---- refused STARTTLS ----

recipe smtp-starttls-refused-454-postfix-postfix 4 "%postfix (broken TLS setup); %postfix (smtp client)" \
	"STARTTLS offered and asked for, answered 454; the client then sends the mail in clear"
smtp-starttls-refused-454-postfix-postfix() {
	# a CA file that is not there disables TLS; STARTTLS stays announced
	postfix_server "$MAY" "smtpd_tls_CAfile = $T/missing.pem"
	postfix_client "[mx.example.com]" "smtp_tls_security_level = may" "inet_protocols = ipv4"
	capture
	postfix_send
}

recipe smtp-starttls-required-530-postfix-swaks 4 "%postfix; %swaks" \
	"STARTTLS required: MAIL is refused with 530, the client quits"
smtp-starttls-required-530-postfix-swaks() {
	postfix_server "smtpd_tls_security_level = encrypt"
	capture
	send || true
}

recipe smtp-starttls-tls12-anonymous-dh-postfix-postfix 4 "%postfix (chain file missing); %postfix (smtp client)" \
	"STARTTLS without any certificate: TLS 1.2 with an anonymous DH cipher (no Certificate message)"
smtp-starttls-tls12-anonymous-dh-postfix-postfix() {
	# Postfix falls back to anonymous ciphers when it cannot load its chain
	postfix_server "$MAY" "smtpd_tls_chain_files = $T/missing.pem"
	postfix_client "[mx.example.com]" "smtp_tls_security_level = may" "inet_protocols = ipv4"
	capture
	postfix_send
}

# ---- submission ----

submission() { dovecot_server "protocols = none"; postfix_server 587 "smtpd_sasl_auth_enable = yes" "$@"; }

recipe smtp-submission-auth-in-tls-postfix-swaks 4 "%postfix, %dovecot (SASL); %swaks" \
	"587: STARTTLS (TLS 1.3), AUTH PLAIN inside"
smtp-submission-auth-in-tls-postfix-swaks() {
	submission "$MAY" "smtpd_tls_auth_only = yes"
	capture
	send --port 587 --tls --auth PLAIN --auth-user $LOGIN --auth-password $PASS
}

recipe smtp-submission-auth-plain-clear-postfix-swaks 4 "%postfix, %dovecot (SASL); %swaks" \
	"587: AUTH PLAIN with initial response, in clear"
smtp-submission-auth-plain-clear-postfix-swaks() {
	submission "$MAY"
	capture
	send --port 587 --auth PLAIN --auth-user $LOGIN --auth-password $PASS
}

recipe smtp-submission-auth-login-clear-postfix-swaks 4 "%postfix, %dovecot (SASL); %swaks" \
	"587: AUTH LOGIN with two prompts, in clear"
smtp-submission-auth-login-clear-postfix-swaks() {
	submission "$MAY"
	capture
	send --port 587 --auth LOGIN --auth-user $LOGIN --auth-password $PASS
}

recipe smtp-submission-auth-cram-md5-clear-postfix-swaks 4 "%postfix, %dovecot (SASL); %swaks" \
	"587: AUTH CRAM-MD5, in clear"
smtp-submission-auth-cram-md5-clear-postfix-swaks() {
	submission "$MAY"
	capture
	send --port 587 --auth CRAM-MD5 --auth-user $LOGIN --auth-password $PASS
}

recipe smtp-submission-auth-failed-postfix-swaks 4 "%postfix, %dovecot (SASL); %swaks" \
	"587: AUTH PLAIN in clear with a wrong password, 535"
smtp-submission-auth-failed-postfix-swaks() {
	submission "$MAY"
	capture
	send --port 587 --auth PLAIN --auth-user $LOGIN --auth-password wrong-$PASS || true
}

recipe smtp-submission-auth-cancelled-postfix-script 4 "%postfix, %dovecot (SASL); %python script" \
	"587: AUTH LOGIN and AUTH PLAIN, cancelled with \`*\` (501), then QUIT"
smtp-submission-auth-cancelled-postfix-script() {
	submission "$MAY"
	capture
	talk 587 <<-END
		< 220
		> EHLO client.example.org
		< 250 
		> AUTH LOGIN
		< 334
		> $(b64 $LOGIN)
		< 334
		> *
		< 501
		> AUTH PLAIN
		< 334
		> *
		< 501
		> QUIT
		< 221
	END
}

# ---- implicit TLS ----

recipe smtp-implicit-tls13-465-postfix-swaks 4 "%postfix, %dovecot (SASL); %swaks" \
	"465: implicit TLS 1.3, AUTH PLAIN inside"
smtp-implicit-tls13-465-postfix-swaks() {
	dovecot_server "protocols = none"
	postfix_server 465 "$MAY" "smtpd_sasl_auth_enable = yes"
	capture
	send --port 465 --tls-on-connect --auth PLAIN --auth-user $LOGIN --auth-password $PASS
}

recipe smtp-implicit-tls12-465-postfix-curl 4 "%postfix, %dovecot (SASL); %curl" \
	"465: implicit TLS 1.2 with SNI, AUTH inside"
smtp-implicit-tls12-465-postfix-curl() {
	dovecot_server "protocols = none"
	postfix_server 465 "$MAY" "smtpd_sasl_auth_enable = yes"
	message | crlf >mail.txt
	capture
	cl curl -sS --tls-max 1.2 --cacert "$PKI/root.pem" --url smtps://mx.example.com:465/client.example.org -4 \
		--mail-from $FROM --mail-rcpt $RCPT -u $LOGIN:$PASS -T mail.txt
}

# ---- more shapes of AUTH ----

recipe smtp-submission-auth-plain-prompt-clear-postfix-curl 6 "%postfix, %dovecot (SASL); %curl" \
	"587: AUTH PLAIN without initial response (empty 334 prompt), in clear"
smtp-submission-auth-plain-prompt-clear-postfix-curl() {
	submission "$MAY" && message | crlf >mail.txt
	capture
	cl curl -sS -6 --login-options AUTH=PLAIN -u $LOGIN:$PASS \
		--url smtp://mx6.example.com:587/client.example.org \
		--mail-from $FROM --mail-rcpt $RCPT -T mail.txt
}

recipe smtp-submission-auth-login-initial-clear-postfix-script 4 "%postfix, %dovecot (SASL); %python smtplib" \
	"587: AUTH LOGIN with the user name as initial response, in clear"
smtp-submission-auth-login-initial-clear-postfix-script() {
	submission "$MAY" "smtpd_sasl_mechanism_filter = login"
	capture
	cl /usr/bin/python3 - <<-END
		import smtplib
		s = smtplib.SMTP("$S4", 587, local_hostname="client.example.org")
		s.login("$LOGIN", "$PASS")
		s.quit()
	END
}

recipe smtp-submission-auth-digest-md5-clear-postfix-swaks 4 "%postfix, %dovecot (SASL); %swaks" \
	"587: AUTH DIGEST-MD5 (two server challenges), in clear"
smtp-submission-auth-digest-md5-clear-postfix-swaks() {
	dovecot_server "protocols = none" "auth_mechanisms = digest-md5" "auth_realms = mx.example.com"
	postfix_server 587 "smtpd_sasl_auth_enable = yes" "$MAY"
	capture
	send --port 587 --auth DIGEST-MD5 --auth-user $LOGIN --auth-password $PASS
}

recipe smtp-submission-auth-digest-md5-cancelled-postfix-curl 4 "%postfix, %dovecot (SASL); %curl" \
	"587: AUTH DIGEST-MD5, the client does not like the challenge and cancels with \`*\`"
smtp-submission-auth-digest-md5-cancelled-postfix-curl() {
	dovecot_server "protocols = none" "auth_mechanisms = digest-md5" "auth_realms = mx.example.com"
	postfix_server 587 "smtpd_sasl_auth_enable = yes" "$MAY" && message | crlf >mail.txt
	capture
	cl curl -sS -4 --login-options AUTH=DIGEST-MD5 -u $LOGIN:$PASS \
		--url smtp://mx.example.com:587/client.example.org \
		--mail-from $FROM --mail-rcpt $RCPT -T mail.txt || true
}

# token_auth MECHANISM: the server has no way to check a token, so it refuses it
token_auth() {
	dovecot_server "protocols = none" "auth_mechanisms = $1"
	postfix_server 587 "smtpd_sasl_auth_enable = yes" "$MAY" && message | crlf >mail.txt
	capture
	cl curl -sS -4 -u $LOGIN: --oauth2-bearer token-$PASS \
		--url smtp://mx.example.com:587/client.example.org \
		--mail-from $FROM --mail-rcpt $RCPT -T mail.txt || true
}

recipe smtp-submission-auth-xoauth2-clear-postfix-curl 4 "%postfix, %dovecot (SASL); %curl" \
	"587: AUTH XOAUTH2 in clear, the token is not accepted: 334 with an error, an answer, 535"
smtp-submission-auth-xoauth2-clear-postfix-curl() { token_auth xoauth2; }

recipe smtp-submission-auth-oauthbearer-clear-postfix-curl 4 "%postfix, %dovecot (SASL); %curl" \
	"587: AUTH OAUTHBEARER in clear, the token is not accepted: 334 with an error, an answer, 535"
smtp-submission-auth-oauthbearer-clear-postfix-curl() { token_auth oauthbearer; }

recipe smtp-submission-auth-before-tls-refused-postfix-script 4 "%postfix, %dovecot (SASL); %python script" \
	"587: AUTH not offered before TLS, sent in clear all the same, refused"
smtp-submission-auth-before-tls-refused-postfix-script() {
	submission "$MAY" "smtpd_tls_auth_only = yes"
	capture
	talk 587 <<-END
		< 220
		> EHLO client.example.org
		< 250 
		> AUTH PLAIN $(b64 "\0$LOGIN\0$PASS")
		< 5
		> QUIT
		< 221
	END
}

# ---- TLS between various programs and versions ----

recipe smtp-starttls-tls13-exim-swaks 6 "%exim (GnuTLS); %swaks (OpenSSL)" \
	"STARTTLS, TLS 1.3, GnuTLS server and OpenSSL client"
smtp-starttls-tls13-exim-swaks() {
	exim_server
	capture
	SERVER=$S6 send -6 --tls
}

recipe smtp-starttls-tls13-postfix-exim 4 "%postfix (OpenSSL); %exim (GnuTLS)" \
	"server to server: STARTTLS, TLS 1.3, OpenSSL server and GnuTLS client; BDAT inside"
smtp-starttls-tls13-postfix-exim() {
	postfix_server "$MAY"
	capture
	exim_send $S4
}

recipe smtp-starttls-tls12-exim-postfix 4 "%exim (GnuTLS); %postfix (smtp client)" \
	"server to server: STARTTLS, TLS 1.2, GnuTLS server and OpenSSL client"
smtp-starttls-tls12-exim-postfix() {
	exim_server 'tls_require_ciphers = NORMAL:-VERS-TLS1.3'
	postfix_client "[mx.example.com]" "smtp_tls_security_level = may" "inet_protocols = ipv4"
	capture
	postfix_send
}

recipe smtp-starttls-tls12-static-rsa-postfix-swaks 4 "%postfix; %swaks" \
	"STARTTLS, TLS 1.2, RSA key transport (no ServerKeyExchange, no forward secrecy), CBC cipher"
smtp-starttls-tls12-static-rsa-postfix-swaks() {
	postfix_server "$MAY"
	capture
	send --tls --tls-protocol tlsv1_2 --tls-cipher AES128-SHA
}

recipe smtp-starttls-tls12-dhe-postfix-swaks 4 "%postfix; %swaks" \
	"STARTTLS, TLS 1.2, finite-field DHE"
smtp-starttls-tls12-dhe-postfix-swaks() {
	postfix_server "$MAY"
	capture
	send --tls --tls-protocol tlsv1_2 --tls-cipher DHE-RSA-AES256-GCM-SHA384
}

# Debian's configuration refuses these versions; both ends get one that does not
old_tls() {
	printf '%s\n' 'openssl_conf = c' '[c]' 'ssl_conf = s' '[s]' 'system_default = d' '[d]' \
		'MinProtocol = TLSv1' 'CipherString = ALL:@SECLEVEL=0' >"$T/openssl.cnf"
	mount --bind "$T/openssl.cnf" /etc/ssl/openssl.cnf
}
OLD=("smtpd_tls_protocols = >=TLSv1" "smtpd_tls_ciphers = low" "tls_low_cipherlist = ALL:@SECLEVEL=0")

recipe smtp-starttls-tls10-postfix-swaks 4 "%postfix; %swaks" \
	"STARTTLS, TLS 1.0"
smtp-starttls-tls10-postfix-swaks() {
	old_tls
	postfix_server "$MAY" "${OLD[@]}"
	capture
	send --tls --tls-protocol tlsv1 --tls-cipher ALL:@SECLEVEL=0
}

recipe smtp-starttls-tls11-postfix-swaks 6 "%postfix; %swaks" \
	"STARTTLS, TLS 1.1"
smtp-starttls-tls11-postfix-swaks() {
	old_tls
	postfix_server "$MAY" "${OLD[@]}"
	capture
	SERVER=$S6 send -6 --tls --tls-protocol tlsv1_1 --tls-cipher ALL:@SECLEVEL=0
}

# one EHLO, STARTTLS and QUIT with s_client; "-quiet" lets a line begin with Q
quit_in_tls() {
	(sleep .5; printf 'QUIT\r\n'; sleep .3) |
		ossl 25 -starttls smtp -name client.example.org -quiet -CAfile "$PKI/root.pem" "$@"
}

recipe smtp-starttls-tls12-resumed-session-id-postfix-openssl 4 "%postfix; %openssl s_client" \
	"two connections: TLS 1.2 full handshake, then resumed by session ID (no tickets)"
smtp-starttls-tls12-resumed-session-id-postfix-openssl() {
	postfix_server "$MAY" "tls_ssl_options = NO_TICKET" \
		"smtpd_tls_session_cache_database = btree:\$data_directory/smtpd_scache"
	capture
	quit_in_tls -tls1_2 -no_ticket -sess_out session
	quit_in_tls -tls1_2 -no_ticket -sess_in session
}

recipe smtp-starttls-tls12-resumed-ticket-postfix-openssl 4 "%postfix; %openssl s_client" \
	"two connections: TLS 1.2 full handshake, then resumed by ticket"
smtp-starttls-tls12-resumed-ticket-postfix-openssl() {
	postfix_server "$MAY"
	capture
	quit_in_tls -tls1_2 -sess_out session
	quit_in_tls -tls1_2 -sess_in session
}

recipe smtp-starttls-tls13-resumed-psk-postfix-openssl 4 "%postfix; %openssl s_client" \
	"two connections: TLS 1.3 full handshake, then resumed by PSK"
smtp-starttls-tls13-resumed-psk-postfix-openssl() {
	postfix_server "$MAY"
	capture
	quit_in_tls -tls1_3 -sess_out session
	quit_in_tls -tls1_3 -sess_in session
}

recipe smtp-starttls-tls13-hello-retry-request-postfix-openssl 4 "%postfix; %openssl s_client" \
	"TLS 1.3 with HelloRetryRequest: the key share sent first is for another group than the server's only one"
smtp-starttls-tls13-hello-retry-request-postfix-openssl() {
	postfix_server "$MAY" "tls_eecdh_auto_curves = secp384r1"
	capture
	quit_in_tls -tls1_3 -groups X25519:secp384r1
}

recipe smtp-starttls-tls12-client-certificate-postfix-postfix 4 "%postfix; %postfix (smtp client)" \
	"TLS 1.2, CertificateRequest, the client sends its certificate and CertificateVerify"
smtp-starttls-tls12-client-certificate-postfix-postfix() {
	postfix_server "$MAY" "smtpd_tls_ask_ccert = yes" "smtpd_tls_CAfile = $PKI/root.pem"
	postfix_client "[mx.example.com]" "smtp_tls_security_level = may" "inet_protocols = ipv4" \
		"smtp_tls_protocols = TLSv1.2" \
		"smtp_tls_chain_files = $PKI/client.key $PKI/client-chain.pem"
	capture
	postfix_send
}

recipe smtp-starttls-tls12-client-certificate-empty-postfix-swaks 4 "%postfix; %swaks" \
	"TLS 1.2, CertificateRequest, the client answers with an empty Certificate; the mail is accepted"
smtp-starttls-tls12-client-certificate-empty-postfix-swaks() {
	postfix_server "$MAY" "smtpd_tls_ask_ccert = yes" "smtpd_tls_CAfile = $PKI/root.pem"
	capture
	send --tls --tls-protocol tlsv1_2
}

recipe smtp-starttls-tls13-client-certificate-postfix-swaks 4 "%postfix; %swaks" \
	"TLS 1.3 with a client certificate (not visible from outside but for the sizes)"
smtp-starttls-tls13-client-certificate-postfix-swaks() {
	postfix_server "$MAY" "smtpd_tls_ask_ccert = yes" "smtpd_tls_CAfile = $PKI/root.pem"
	capture
	send --tls --tls-cert "$PKI/client.pem" --tls-key "$PKI/client.key"
}

# ---- TLS that fails ----

# curl with STARTTLS required, checks the certificate
curl_tls() {
	message | crlf >mail.txt
	cl curl -sS -4 --ssl-reqd --cacert "$PKI/root.pem" --mail-from $FROM --mail-rcpt $RCPT -T mail.txt \
		--url smtp://${NAME-mx.example.com}/client.example.org "$@" || true
}

recipe smtp-starttls-tls12-self-signed-rejected-postfix-curl 4 "%postfix; %curl" \
	"TLS 1.2, self-signed certificate, the client's fatal alert unknown_ca in clear"
smtp-starttls-tls12-self-signed-rejected-postfix-curl() {
	postfix_server "$MAY" "smtpd_tls_chain_files = $PKI/self.key $PKI/self.pem"
	capture
	curl_tls --tls-max 1.2
}

recipe smtp-starttls-tls13-self-signed-rejected-postfix-curl 4 "%postfix; %curl" \
	"TLS 1.3, self-signed certificate, rejected: OpenSSL's client sends its fatal alert unknown_ca in clear"
smtp-starttls-tls13-self-signed-rejected-postfix-curl() {
	postfix_server "$MAY" "smtpd_tls_chain_files = $PKI/self.key $PKI/self.pem"
	capture
	curl_tls
}

recipe smtp-starttls-tls12-expired-rejected-postfix-curl 4 "%postfix; %curl" \
	"TLS 1.2, expired certificate, the client's fatal alert certificate_expired"
smtp-starttls-tls12-expired-rejected-postfix-curl() {
	postfix_server "$MAY" "smtpd_tls_chain_files = $PKI/expired.key $PKI/expired-chain.pem"
	capture
	curl_tls --tls-max 1.2
}

recipe smtp-starttls-tls12-expired-accepted-postfix-swaks 4 "%postfix; %swaks" \
	"TLS 1.2, expired certificate, the client does not check it and sends the mail"
smtp-starttls-tls12-expired-accepted-postfix-swaks() {
	postfix_server "$MAY" "smtpd_tls_chain_files = $PKI/expired.key $PKI/expired-chain.pem"
	capture
	send --tls --tls-protocol tlsv1_2
}

recipe smtp-starttls-tls12-wrong-name-rejected-postfix-curl 4 "%postfix; %curl" \
	"TLS 1.2, the certificate is for another name: the client completes the handshake, then leaves"
smtp-starttls-tls12-wrong-name-rejected-postfix-curl() {
	postfix_server "$MAY"
	capture
	NAME=wrong.example.net curl_tls --tls-max 1.2 --resolve wrong.example.net:25:$S4
}

recipe smtp-starttls-no-shared-cipher-postfix-openssl 4 "%postfix; %openssl s_client" \
	"TLS 1.2, no cipher in common: the server's fatal alert handshake_failure"
smtp-starttls-no-shared-cipher-postfix-openssl() {
	postfix_server "$MAY" "$ECDSA"
	capture
	quit_in_tls -tls1_2 -cipher ECDHE-RSA-AES128-GCM-SHA256 || true
}

recipe smtp-starttls-protocol-version-postfix-openssl 4 "%postfix; %openssl s_client" \
	"the client offers TLS 1.2 only, the server wants 1.3: fatal alert protocol_version"
smtp-starttls-protocol-version-postfix-openssl() {
	postfix_server "$MAY" "smtpd_tls_protocols = >=TLSv1.3"
	capture
	quit_in_tls -tls1_2 || true
}

recipe smtp-starttls-failed-then-clear-postfix-postfix 4 "%postfix; %postfix (smtp client)" \
	"two connections: opportunistic TLS fails (no cipher in common), the client comes again and sends the mail in clear"
smtp-starttls-failed-then-clear-postfix-postfix() {
	postfix_server "$MAY" "$ECDSA" "smtpd_tls_protocols = TLSv1.2" "smtpd_tls_exclude_ciphers = aNULL"
	postfix_client "[mx.example.com]" "smtp_tls_security_level = may" "inet_protocols = ipv4" \
		"smtp_tls_exclude_ciphers = aECDSA, aNULL" "smtp_tls_protocols = TLSv1.2" \
		"minimal_backoff_time = 1s" "maximal_backoff_time = 2s" "queue_run_delay = 1s"
	capture
	postfix_send
	# the first attempt defers the mail, the second one is in clear
	for ((i = 0; i < 100; i++)); do
		grep -q 'status=sent' "$T/pf-cl.log" && break
		sleep .2
	done
	grep -q 'status=sent' "$T/pf-cl.log"
}

recipe smtp-starttls-client-leaves-postfix-script 4 "%postfix; %python script" \
	"STARTTLS, 220, then the client closes without a ClientHello"
smtp-starttls-client-leaves-postfix-script() {
	postfix_server "$MAY"
	capture
	talk 25 <<-END
		< 220
		> EHLO client.example.org
		< 250 
		> STARTTLS
		< 220
		wait 0.2
		close
	END
}

recipe smtp-starttls-pipelined-clear-commands-postfix-script 4 "%postfix; %python script" \
	"commands in clear in the same segment after STARTTLS (command injection): Postfix drops them"
smtp-starttls-pipelined-clear-commands-postfix-script() {
	postfix_server "$MAY"
	capture
	cl /usr/bin/python3 - <<-END
		import socket, ssl
		s = socket.create_connection(("$S4", 25))
		f = s.makefile("rb")
		f.readline()
		s.sendall(b"EHLO client.example.org\r\n")
		while f.readline()[3:4] == b"-":
		    pass
		s.sendall(b"STARTTLS\r\nMAIL FROM:<$FROM>\r\nRCPT TO:<$RCPT>\r\n")
		print(f.readline())
		c = ssl.create_default_context(cafile="$PKI/root.pem")
		t = c.wrap_socket(s, server_hostname="mx.example.com")
		t.sendall(b"EHLO client.example.org\r\n")
		print(t.recv(4096))
		t.sendall(b"QUIT\r\n")
		print(t.recv(4096))
	END
}

recipe smtp-starttls-command-split-postfix-script 6 "%postfix; %python script" \
	"every byte of the client's lines in a segment of its own, up to STARTTLS; then TLS 1.3, ClientHello in three segments"
smtp-starttls-command-split-postfix-script() {
	postfix_server "$MAY"
	capture
	cl /usr/bin/python3 - <<-END
		import socket, ssl, time
		s = socket.create_connection(("$S6", 25))
		s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
		f = s.makefile("rb")
		def slow(data):
		    for byte in data:
		        s.sendall(bytes([byte]))
		        time.sleep(0.005)
		f.readline()
		slow(b"EHLO client.example.org\r\n")
		while f.readline()[3:4] == b"-":
		    pass
		slow(b"STARTTLS\r\n")
		f.readline()
		c = ssl.create_default_context(cafile="$PKI/root.pem")
		i, o = ssl.MemoryBIO(), ssl.MemoryBIO()
		t = c.wrap_bio(i, o, server_hostname="mx.example.com")
		def drive(op):
		    while True:
		        try:
		            return op()
		        except ssl.SSLWantReadError:
		            out = o.read()
		            if len(out) > 200:      # the ClientHello: header, a part, the rest
		                for part in (out[:3], out[3:90], out[90:]):
		                    s.sendall(part)
		                    time.sleep(0.05)
		            else:
		                s.sendall(out)
		            i.write(s.recv(65536))
		drive(t.do_handshake)
		t.write(b"QUIT\r\n")
		s.sendall(o.read())
		print(drive(lambda: t.read(100)))
	END
}

# ---- the shapes of a session in clear ----

recipe smtp-pipelining-postfix-swaks 6 "%postfix; %swaks" \
	"PIPELINING: MAIL, RCPT, DATA in one go"
smtp-pipelining-postfix-swaks() {
	postfix_server "$CLEAR"
	capture
	SERVER=$S6 send -6 --pipeline --to "$RCPT,canary-recipient-91bd-2@example.com"
}

recipe smtp-chunking-bdat-postfix-exim 4 "%postfix; %exim (smtp client)" \
	"CHUNKING: MAIL, RCPT and BDAT LAST with the message pipelined"
smtp-chunking-bdat-postfix-exim() {
	postfix_server "$CLEAR"
	capture
	exim_send $S4
}

recipe smtp-chunking-bdat-exim-exim 6 "%exim; %exim (smtp client)" \
	"CHUNKING, Exim on both sides"
smtp-chunking-bdat-exim-exim() {
	exim_server "tls_advertise_hosts ="
	capture
	exim_send mx6.example.com
}

# BDAT in several chunks; the first ends within a line, one is empty, and one
# holds what would end DATA
bdat_chunks() {
	cl /usr/bin/python3 - "$1" <<-END
		import socket, sys
		s = socket.create_connection((sys.argv[1], 25))
		f = s.makefile("rb")
		def reply():
		    while True:
		        line = f.readline()
		        print(line)
		        if line[3:4] != b"-":
		            return
		def say(data):
		    s.sendall(data)
		    reply()
		reply()
		say(b"EHLO client.example.org\r\n")
		say(b"MAIL FROM:<$FROM> BODY=8BITMIME\r\n")
		say(b"RCPT TO:<$RCPT>\r\n")
		one = b"From: $FROM\r\nTo: $RCPT\r\nSubject: CANARY-SUB"
		two = b"JECT-2e8b\r\n\r\n$BODY\r\n.\r\nQUIT\r\n"
		say(b"BDAT %d\r\n" % len(one) + one)
		say(b"BDAT %d\r\n" % len(two) + two)
		say(b"BDAT 0 LAST\r\n")
		say(b"QUIT\r\n")
	END
}

recipe smtp-chunking-bdat-chunks-postfix-script 4 "%postfix; %python script" \
	"BDAT in three chunks: one ends within a line, one holds \`.\` and \`QUIT\` as content, the last is empty"
smtp-chunking-bdat-chunks-postfix-script() {
	postfix_server "$CLEAR"
	capture
	bdat_chunks $S4
}

recipe smtp-chunking-bdat-chunks-exim-script 4 "%exim; %python script" \
	"the same three BDAT chunks to Exim"
smtp-chunking-bdat-chunks-exim-script() {
	exim_server "tls_advertise_hosts ="
	capture
	bdat_chunks $S4
}

recipe smtp-pipeconnect-exim-exim 4 "%exim; %exim (smtp client)" \
	"two connections; in the second Exim's PIPECONNECT: EHLO, MAIL, RCPT sent before the banner"
smtp-pipeconnect-exim-exim() {
	exim_server "tls_advertise_hosts =" "pipelining_connect_advertise_hosts = *"
	capture
	EXIM_SMTP='hosts_pipe_connect = *' exim_send $S4
	message | cl "$EXTRA/usr/sbin/exim4" -C "$T/ex-cl/conf" -odf -i -f $FROM $RCPT
}

recipe smtp-several-messages-postfix-postfix 4 "%postfix; %postfix (smtp client)" \
	"three messages on one connection (kept open by the client's connection cache, RSET between; closed without QUIT)"
smtp-several-messages-postfix-postfix() {
	postfix_server "$CLEAR"
	postfix_client "[mx.example.com]" "inet_protocols = ipv4" \
		"smtp_connection_cache_destinations = static:all" "smtp_connection_cache_time_limit = 3s"
	capture
	postfix_send 1
	postfix_send 1
	postfix_send 1
	sleep 4
}

recipe smtp-several-messages-rset-postfix-script 6 "%postfix; %python smtplib" \
	"a mail begun and dropped with RSET, then two mails on the same connection"
smtp-several-messages-rset-postfix-script() {
	postfix_server "$CLEAR"
	capture
	cl /usr/bin/python3 - <<-END
		import smtplib
		s = smtplib.SMTP("$S6", 25, local_hostname="client.example.org")
		s.ehlo()
		s.mail("$FROM")
		s.rcpt("$RCPT")
		s.rset()
		for n in (1, 2):
		    s.sendmail("$FROM", ["$RCPT"], "Subject: $SUBJECT %d\r\n\r\n$BODY\r\n" % n)
		s.quit()
	END
}

recipe smtp-ehlo-rejected-helo-postfix-swaks 4 "%postfix (EHLO turned off); %swaks" \
	"EHLO is refused with 500, the client goes on with HELO"
smtp-ehlo-rejected-helo-postfix-swaks() {
	printf '/^EHLO /\tXEHLO\n' >"$T/filter"
	postfix_server "$CLEAR" "smtpd_command_filter = regexp:$T/filter"
	capture
	send
}

recipe smtp-helo-postfix-swaks 4 "%postfix; %swaks" \
	"HELO only"
smtp-helo-postfix-swaks() {
	postfix_server "$MAY"
	capture
	send --protocol SMTP
}

recipe smtp-timeout-421-postfix-script 4 "%postfix; %python script" \
	"the client says nothing after EHLO: 421 and close by the server"
smtp-timeout-421-postfix-script() {
	postfix_server "$CLEAR" "smtpd_timeout = 3s"
	capture
	talk 25 <<-END
		< 220
		> EHLO client.example.org
		< 421
		drain
	END
}

recipe smtp-too-many-errors-421-postfix-script 4 "%postfix; %python script" \
	"unknown commands until the server gives up with 421 and closes"
smtp-too-many-errors-421-postfix-script() {
	postfix_server "$CLEAR" "smtpd_hard_error_limit = 3" "smtpd_soft_error_limit = 10"
	capture
	talk 25 <<-END
		< 220
		> EHLO client.example.org
		< 250 
		> FIRST
		< 500
		> SECOND
		< 500
		> THIRD
		< 500
		> FOURTH
		drain
	END
}

recipe smtp-too-many-connections-421-postfix-script 4 "%postfix; %python script" \
	"two connections at once, the second gets 421 in place of the banner"
smtp-too-many-connections-421-postfix-script() {
	postfix_server "$CLEAR" "smtpd_client_connection_count_limit = 1"
	capture
	talk 25 <<-END &
		< 220
		wait 1
		> QUIT
		< 221
	END
	local first=$!
	sleep .5
	talk 25 <<-END
		< 421
		drain
	END
	wait $first
}

recipe smtp-banner-refused-exim-swaks 4 "%exim; %swaks" \
	"the server refuses in its banner with 550, two lines"
smtp-banner-refused-exim-swaks() {
	exim_server "acl_smtp_connect = no" 'begin acl
no:
  deny message = no mail here\nsee https://example.com/'
	capture
	send || true
}

recipe smtp-vrfy-noop-help-postfix-script 4 "%postfix; %python script" \
	"VRFY, NOOP, HELP, EXPN, ETRN, an unknown command, lower-case commands; no mail"
smtp-vrfy-noop-help-postfix-script() {
	postfix_server "$CLEAR"
	capture
	talk 25 <<-END
		< 220
		> ehlo client.example.org
		< 250 
		> VRFY $RCPT
		< 252
		> NOOP
		< 250
		> NOOP anything goes here
		< 250
		> HELP
		< 50
		> EXPN canary-recipient-91bd
		< 50
		> ETRN example.com
		< 4|5
		> FOO bar
		< 50
		> mail from:<$FROM> size=100 body=8bitmime
		< 250
		> Rcpt to:<$RCPT> notify=success,failure
		< 250
		> rset
		< 250
		> quit
		< 221
	END
}

recipe smtp-probe-quit-postfix-nc 4 "%postfix; %nc" \
	"a probe: QUIT right after the banner"
smtp-probe-quit-postfix-nc() {
	postfix_server "$MAY"
	capture
	(sleep .5; printf 'QUIT\r\n'; sleep .3) | cl nc $S4 25
}

recipe smtp-probe-banner-only-postfix-nc 6 "%postfix; %nc" \
	"a probe: the client closes after the banner without a word"
smtp-probe-banner-only-postfix-nc() {
	postfix_server "$MAY"
	capture
	sleep .5 | cl nc -N $S6 25
}

recipe smtp-early-talker-postfix-nc 4 "%postfix; %nc" \
	"the client sends its whole session at once, before the banner"
smtp-early-talker-postfix-nc() {
	postfix_server "$CLEAR" "smtpd_forbid_unauth_pipelining = no"
	capture
	{
		printf '%s\r\n' "HELO client.example.org" "MAIL FROM:<$FROM>" "RCPT TO:<$RCPT>" DATA
		message | sed 's/^\./../' | crlf
		printf '.\r\nQUIT\r\n'
	} | cl nc $S4 25
}

recipe smtp-unauthorized-pipelining-postfix-nc 4 "%postfix; %nc" \
	"the same early session, refused"
smtp-unauthorized-pipelining-postfix-nc() {
	postfix_server "$CLEAR" "smtpd_forbid_unauth_pipelining = yes"
	capture
	{
		printf '%s\r\n' "HELO client.example.org" "MAIL FROM:<$FROM>" "RCPT TO:<$RCPT>" DATA
		message | sed 's/^\./../' | crlf
		printf '.\r\nQUIT\r\n'
	} | cl nc $S4 25
}

recipe smtp-closed-without-banner-postfix-nc 4 "%postfix (no SASL service); %nc" \
	"the server accepts the connection and closes it without a banner"
smtp-closed-without-banner-postfix-nc() {
	postfix_server "smtpd_sasl_auth_enable = yes"
	capture
	sleep 2 | cl nc $S4 25
}

# ---- proxies ----

HAPROXY="smtpd_upstream_proxy_protocol = haproxy"

recipe smtp-proxy-v1-postfix-script 4 "%postfix; %python script" \
	"a PROXY protocol v1 line before the session"
smtp-proxy-v1-postfix-script() {
	postfix_server "$CLEAR" "$HAPROXY"
	capture
	talk 25 <<-END
		> PROXY TCP4 203.0.113.77 192.0.2.25 35646 25
		< 220
		> EHLO client.example.org
		< 250 
		> MAIL FROM:<$FROM>
		< 250
		> RCPT TO:<$RCPT>
		< 250
		> QUIT
		< 221
	END
}

# HAProxy in the client namespace, the client behind it
haproxy_front() {		# send-proxy|send-proxy-v2 FRONTPORT BACKPORT
	ip -n cl addr add 203.0.113.1/24 dev lo
	ip -n cl addr add 203.0.113.77/24 dev lo
	cat >"$T/haproxy.cfg" <<-END
		global
		    log stdout local0
		defaults
		    mode tcp
		    timeout connect 5s
		    timeout client 30s
		    timeout server 30s
		listen mail
		    bind 203.0.113.1:$2
		    server s $S4:$3 $1
	END
	cl "$EXTRA/usr/sbin/haproxy" -db -f "$T/haproxy.cfg" >"$T/haproxy.log" 2>&1 &
	wait_port "$2" cl
}

recipe smtp-proxy-v1-starttls-postfix-haproxy 4 "%postfix; %haproxy in front of %swaks" \
	"PROXY protocol v1 from HAProxy, then STARTTLS with TLS 1.3"
smtp-proxy-v1-starttls-postfix-haproxy() {
	postfix_server "$MAY" "$HAPROXY"
	haproxy_front send-proxy 2525 25
	capture
	SERVER=203.0.113.1 send --local-interface 203.0.113.77 --port 2525 --tls
}

recipe smtp-proxy-v2-postfix-haproxy 4 "%postfix; %haproxy in front of %swaks" \
	"PROXY protocol v2 (binary) from HAProxy, then a mail in clear"
smtp-proxy-v2-postfix-haproxy() {
	postfix_server "$CLEAR" "$HAPROXY"
	haproxy_front send-proxy-v2 2525 25
	capture
	SERVER=203.0.113.1 send --local-interface 203.0.113.77 --port 2525
}

recipe smtp-proxy-v2-implicit-tls-postfix-haproxy 4 "%postfix; %haproxy in front of %swaks" \
	"465: PROXY protocol v2, then implicit TLS 1.3"
smtp-proxy-v2-implicit-tls-postfix-haproxy() {
	postfix_server 465 "$MAY" "$HAPROXY"
	haproxy_front send-proxy-v2 2525 465
	capture
	SERVER=203.0.113.1 send --local-interface 203.0.113.77 --port 2525 --tls-on-connect
}

recipe smtp-xclient-postfix-swaks 4 "%postfix; %swaks" \
	"XCLIENT: the client gives another client's address; a second banner and EHLO follow"
smtp-xclient-postfix-swaks() {
	postfix_server "$CLEAR" "smtpd_authorized_xclient_hosts = 198.51.100.0/24"
	capture
	send --xclient "ADDR=203.0.113.77 NAME=other.example.net HELO=other.example.net"
}

recipe smtp-xforward-postfix-postfix 4 "%postfix; %postfix (smtp client)" \
	"XFORWARD, pipelined"
smtp-xforward-postfix-postfix() {
	postfix_server "$CLEAR" "smtpd_authorized_xforward_hosts = 198.51.100.0/24"
	postfix_client "[mx.example.com]" "inet_protocols = ipv4" "smtp_send_xforward_command = yes"
	capture
	postfix_send
}

# ---- refusals ----

recipe smtp-rcpt-rejected-550-postfix-swaks 4 "%postfix; %swaks" \
	"RCPT refused with 550, QUIT"
smtp-rcpt-rejected-550-postfix-swaks() {
	postfix_server "$CLEAR" "local_recipient_maps = inline:{other=1}"
	capture
	send || true
}

recipe smtp-rcpt-rejected-pipelined-postfix-postfix 4 "%postfix; %postfix (smtp client)" \
	"MAIL, RCPT, DATA pipelined: RCPT refused with 550, DATA answered 554"
smtp-rcpt-rejected-pipelined-postfix-postfix() {
	postfix_server "$CLEAR" "local_recipient_maps = inline:{other=1}"
	postfix_client "[mx.example.com]" "inet_protocols = ipv4"
	capture
	postfix_send
}

recipe smtp-rcpt-one-of-two-rejected-postfix-postfix 4 "%postfix; %postfix (smtp client)" \
	"two recipients, one refused (554 relay access denied), the mail goes to the other"
smtp-rcpt-one-of-two-rejected-postfix-postfix() {
	postfix_server "$CLEAR"
	postfix_client "[mx.example.com]" "inet_protocols = ipv4"
	capture
	postfix_send 1 "$RCPT canary-recipient-91bd@example.net"
}

recipe smtp-data-rejected-550-postfix-swaks 4 "%postfix; %swaks" \
	"refused after the end of DATA with 550"
smtp-data-rejected-550-postfix-swaks() {
	printf '/CANARY-SUBJECT/\tREJECT not wanted\n' >"$T/checks"
	postfix_server "$CLEAR" "header_checks = regexp:$T/checks"
	capture
	send || true
}

recipe smtp-rcpt-deferred-451-exim-swaks 6 "%exim; %swaks" \
	"RCPT deferred with 451 (as in greylisting)"
smtp-rcpt-deferred-451-exim-swaks() {
	EXIM_RCPT_ACL=later exim_server "tls_advertise_hosts =" 'begin acl
later:
  defer message = come again later'
	capture
	SERVER=$S6 send -6 || true
}

recipe smtp-message-too-big-552-postfix-script 4 "%postfix; %python script" \
	"MAIL with SIZE over the limit, refused with 552"
smtp-message-too-big-552-postfix-script() {
	postfix_server "$CLEAR" "message_size_limit = 2000"
	capture
	talk 25 <<-END
		< 220
		> EHLO client.example.org
		< 250 
		> MAIL FROM:<$FROM> SIZE=4000
		< 552
		> QUIT
		< 221
	END
}

recipe smtp-message-too-big-not-sent-postfix-postfix 4 "%postfix; %postfix (smtp client)" \
	"the client sees from SIZE in the EHLO answer that its mail is too big and leaves"
smtp-message-too-big-not-sent-postfix-postfix() {
	postfix_server "$CLEAR" "message_size_limit = 2000"
	postfix_client "[mx.example.com]" "inet_protocols = ipv4" "message_size_limit = 0"
	capture
	{ message; seq 1 1000; } | cl sendmail -C "$T/pf-cl" -i -f $FROM $RCPT
	for ((i = 0; i < 100; i++)); do grep -q 'status=' "$T/pf-cl.log" && break; sleep .1; done
}

# ---- the message ----

recipe smtp-dot-stuffed-postfix-swaks 4 "%postfix; %swaks" \
	"dot-stuffed lines, one of them only a dot"
smtp-dot-stuffed-postfix-swaks() {
	postfix_server "$CLEAR"
	capture
	send --body "$BODY\n.\n..\n.$BODY begins with a dot\nQUIT\n$BODY last line"
}

recipe smtp-8bit-smtputf8-postfix-script 4 "%postfix; %python smtplib" \
	"SMTPUTF8 and BODY=8BITMIME: addresses and text in UTF-8"
smtp-8bit-smtputf8-postfix-script() {
	postfix_server "$CLEAR"
	capture
	cl /usr/bin/python3 - <<-END
		import smtplib
		s = smtplib.SMTP("$S4", 25, local_hostname="client.example.org")
		s.sendmail("canary-sender-64d0-\u00fc@example.org", ["canary-recipient-91bd-\u00e9@example.com"],
		           "Subject: $SUBJECT \u00e9\r\n\r\n$BODY gr\u00fcn\r\n".encode(),
		           ["SMTPUTF8", "BODY=8BITMIME"])
		s.quit()
	END
}

recipe smtp-data-bare-lf-ends-early-postfix-curl 4 "%postfix; %curl" \
	"curl sends a file with LF line ends as it is; Postfix takes LF dot LF for the end of the mail and the rest for commands, and closes with 221"
smtp-data-bare-lf-ends-early-postfix-curl() {
	postfix_server "$CLEAR"
	message >mail.txt
	capture
	cl curl -sS -4 --url smtp://mx.example.com/client.example.org --mail-from $FROM --mail-rcpt $RCPT -T mail.txt || true
}

recipe smtp-data-bare-lf-second-mail-postfix-script 4 "%postfix; %python script" \
	"a second mail hidden behind LF dot CRLF in DATA (smuggling): Postfix 3.7 takes both"
smtp-data-bare-lf-second-mail-postfix-script() {
	postfix_server "$CLEAR"
	capture
	talk 25 <<-END
		< 220
		> EHLO client.example.org
		< 250 
		> MAIL FROM:<$FROM>
		< 250
		> RCPT TO:<$RCPT>
		< 250
		> DATA
		< 354
		>> Subject: $SUBJECT\r\n\r\n$BODY\n.\r\nMAIL FROM:<$FROM>\r\nRCPT TO:<$RCPT>\r\nDATA\r\nSubject: $SUBJECT hidden\r\n\r\n$BODY hidden\r\n.\r\n
		< 250
		< 250
		< 250
		< 354
		< 250
		> QUIT
		< 221
	END
}

recipe smtp-large-message-snaplen128-postfix-swaks 4 "%postfix; %swaks" \
	"a mail of 200 KB; the capture keeps 128 bytes of each frame"
smtp-large-message-snaplen128-postfix-swaks() {
	postfix_server "$CLEAR"
	yes "$BODY 0123456789 0123456789 0123456789 0123456789" | head -3200 >body
	capture -s 128
	send --body @body
}

recipe smtp-large-message-starttls-postfix-swaks 6 "%postfix; %swaks" \
	"a mail of 20 KB in TLS 1.3: records that span segments"
smtp-large-message-starttls-postfix-swaks() {
	postfix_server "$MAY"
	yes "$BODY 0123456789 0123456789 0123456789 0123456789" | head -320 >body
	capture
	SERVER=$S6 send -6 --tls --body @body
}

recipe smtp-two-interleaved-postfix-script 4 "%postfix; %python script and %swaks" \
	"two sessions at the same time: a slow one in clear, a quick one with TLS in the middle of it"
smtp-two-interleaved-postfix-script() {
	postfix_server "$MAY"
	capture
	talk 25 <<-END &
		< 220
		> EHLO slow.example.org
		< 250 
		wait 0.3
		> MAIL FROM:<$FROM>
		< 250
		> RCPT TO:<$RCPT>
		< 250
		wait 0.3
		> DATA
		< 354
		> Subject: $SUBJECT
		> 
		wait 0.3
		> $BODY
		wait 0.3
		> .
		< 250
		> QUIT
		< 221
	END
	local slow=$!
	sleep .5
	send --tls
	wait $slow
}

recipe smtp-client-resets-in-data-postfix-script 4 "%postfix; %python script" \
	"the client resets the connection (RST) in the middle of DATA"
smtp-client-resets-in-data-postfix-script() {
	postfix_server "$CLEAR"
	capture
	talk 25 <<-END
		< 220
		> EHLO client.example.org
		< 250 
		> MAIL FROM:<$FROM>
		< 250
		> RCPT TO:<$RCPT>
		< 250
		> DATA
		< 354
		> Subject: $SUBJECT
		> 
		> $BODY
		wait 0.2
		reset
	END
}

recipe smtp-half-closed-postfix-script 4 "%postfix; %python script" \
	"the client closes its sending side after QUIT was pipelined, the server answers on the half-open connection"
smtp-half-closed-postfix-script() {
	postfix_server "$CLEAR"
	capture
	talk 25 <<-END
		< 220
		> EHLO client.example.org
		< 250 
		>> MAIL FROM:<$FROM>\r\nRCPT TO:<$RCPT>\r\nRSET\r\nQUIT\r\n
		half
		< 221
		drain
	END
}

recipe smtp-capture-starts-late-postfix-script 4 "%postfix; %python script" \
	"the capture begins in the middle of a session in clear: no handshake, no banner"
smtp-capture-starts-late-postfix-script() {
	postfix_server "$CLEAR"
	talk 25 <<-END &
		< 220
		> EHLO client.example.org
		< 250 
		wait 2
		> MAIL FROM:<$FROM>
		< 250
		> RCPT TO:<$RCPT>
		< 250
		> DATA
		< 354
		> Subject: $SUBJECT
		> 
		> $BODY
		> .
		< 250
		> QUIT
		< 221
	END
	local client=$!
	sleep 1
	capture
	wait $client
}

recipe smtp-capture-starts-in-tls-postfix-script 4 "%postfix; %python smtplib" \
	"the capture begins in the middle of a TLS session on port 25: only application data"
smtp-capture-starts-in-tls-postfix-script() {
	postfix_server "$MAY"
	cl /usr/bin/python3 - <<-END &
		import smtplib, time
		s = smtplib.SMTP("$S4", 25, local_hostname="client.example.org")
		s.starttls()
		time.sleep(2)
		s.sendmail("$FROM", ["$RCPT"], "Subject: $SUBJECT\r\n\r\n$BODY\r\n")
		s.quit()
	END
	local client=$!
	sleep 1
	capture
	wait $client
}

recipe smtp-cleartext-postfix-msmtp 6 "%postfix; %msmtp" \
	"a mail in clear as msmtp sends it (pipelined commands)"
smtp-cleartext-postfix-msmtp() {
	postfix_server "$CLEAR"
	capture
	message | cl "$EXTRA/usr/bin/msmtp" --host=$S6 --port=25 --domain=client.example.org \
		--from=$FROM --file=/dev/null $RCPT
}

# ---- more TLS shapes ----

recipe smtp-implicit-tls13-465-exim-swaks 6 "%exim (GnuTLS); %swaks" \
	"465: implicit TLS 1.3, GnuTLS server"
smtp-implicit-tls13-465-exim-swaks() {
	exim_server 465 "tls_on_connect_ports = 465"
	capture
	SERVER=$S6 send -6 --port 465 --tls-on-connect
}

recipe smtp-starttls-tls13-postfix-msmtp 4 "%postfix; %msmtp (GnuTLS)" \
	"587: STARTTLS, TLS 1.3, a GnuTLS mail client with SNI"
smtp-starttls-tls13-postfix-msmtp() {
	submission "$MAY"
	capture
	message | cl "$EXTRA/usr/bin/msmtp" --host=mx.example.com --source-ip=$C4 --port=587 --domain=client.example.org \
		--tls=on --tls-starttls=on --tls-trust-file="$PKI/root.pem" --auth=plain --user=$LOGIN \
		--passwordeval="echo $PASS" --from=$FROM --file=/dev/null $RCPT
}

opensmtpd_server() {
	cp "$PKI/rsa.key" "$T/os.key"; chmod 600 "$T/os.key"
	# its fixed places; /var/spool is a private mount already
	mount -t tmpfs none /var/lib
	mkdir -p -m 711 /var/lib/opensmtpd/empty /var/spool/smtpd
	cat >"$T/smtpd.conf" <<-END
		pki mx.example.com cert "$PKI/rsa-chain.pem"
		pki mx.example.com key "$T/os.key"
		listen on $S4 port 25 tls pki mx.example.com hostname mx.example.com
		action "far" relay
		match from any for domain "example.com" action "far"
	END
	sv "$EXTRA/usr/sbin/smtpd" -d -f "$T/smtpd.conf" >"$T/opensmtpd.log" 2>&1 &
	wait_port 25
}

recipe smtp-starttls-offered-not-used-opensmtpd-swaks 4 "%opensmtpd; %swaks" \
	"STARTTLS offered but not requested, the mail goes in clear; HELP in the EHLO answer"
smtp-starttls-offered-not-used-opensmtpd-swaks() {
	opensmtpd_server
	capture
	send
}

recipe smtp-starttls-internal-error-opensmtpd-swaks 4 "%opensmtpd; %swaks" \
	"TLS 1.3, the server cannot sign with its key: after its certificate comes a fatal alert, encrypted; no Finished"
smtp-starttls-internal-error-opensmtpd-swaks() {
	opensmtpd_server
	capture
	send --tls || true
}

recipe smtp-starttls-tls13-no-middlebox-mode-postfix-openssl 4 "%postfix; %openssl s_client" \
	"TLS 1.3 without middlebox compatibility: empty session ID, no ChangeCipherSpec from the client (the server still sends one)"
smtp-starttls-tls13-no-middlebox-mode-postfix-openssl() {
	postfix_server "$MAY"
	capture
	quit_in_tls -tls1_3 -no_middlebox
}

recipe smtp-starttls-clienthello-in-records-postfix-openssl 4 "%postfix; %openssl s_client" \
	"TLS 1.3, the ClientHello is cut into several records"
smtp-starttls-clienthello-in-records-postfix-openssl() {
	postfix_server "$MAY"
	local alpn=smtp i
	for i in $(seq 1 30); do alpn=$alpn,protocol-number-$i-with-a-name-that-is-rather-long; done
	capture
	quit_in_tls -max_send_frag 512 -alpn "$alpn" -servername mx.example.com
}

recipe smtp-starttls-tls12-certificate-in-records-postfix-openssl 4 "%postfix; %openssl s_client" \
	"TLS 1.2, the client asks for records of 512 bytes (max_fragment_length): the Certificate message spans records"
smtp-starttls-tls12-certificate-in-records-postfix-openssl() {
	postfix_server "$MAY"
	capture
	quit_in_tls -tls1_2 -maxfraglen 512
}

recipe smtp-starttls-tls12-chacha20-p521-postfix-openssl 6 "%postfix; %openssl s_client" \
	"TLS 1.2, ECDHE-RSA with CHACHA20-POLY1305 and the group P-521"
smtp-starttls-tls12-chacha20-p521-postfix-openssl() {
	postfix_server "$MAY" "tls_eecdh_auto_curves = secp521r1"
	capture
	SERVER="[$S6]" quit_in_tls -tls1_2 -cipher ECDHE-RSA-CHACHA20-POLY1305 -groups P-521
}
