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
	message >mail.txt
	capture
	cl curl -sS --tls-max 1.2 --cacert "$PKI/root.pem" --url smtps://mx.example.com:465/client.example.org -4 \
		--mail-from $FROM --mail-rcpt $RCPT -u $LOGIN:$PASS -T mail.txt
}
