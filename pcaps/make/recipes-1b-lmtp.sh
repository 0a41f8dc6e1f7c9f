# LMTP, on port 24.

lmtp_dovecot() {
	DOVECOT_PORT=24 dovecot_server "protocols = lmtp" "auth_username_format = %n" "mail_plugins =" \
		"service lmtp {
  executable = $EXTRA/usr/lib/dovecot/lmtp
  inet_listener lmtp {
    port = 24
  }
}" "protocol lmtp {
  mail_plugins =
}" "userdb {
  driver = static
  args = uid=vmail gid=vmail home=$T/mail/%n allow_all_users=yes
}"
}

recipe lmtp-cleartext-dovecot-swaks 4 "%dovecot; %swaks" \
	"LHLO, one mail to two recipients, two replies after DATA"
lmtp-cleartext-dovecot-swaks() {
	lmtp_dovecot
	capture
	send --port 24 --protocol LMTP --to "$RCPT,canary-recipient-91bd-2@example.com"
}

recipe lmtp-starttls-tls13-dovecot-postfix 6 "%dovecot; %postfix (lmtp client)" \
	"LHLO, STARTTLS, TLS 1.3"
lmtp-starttls-tls13-dovecot-postfix() {
	lmtp_dovecot
	postfix_client "[mx6.example.com]:24" "default_transport = lmtp:[mx6.example.com]:24" "relayhost =" \
		"lmtp_tls_security_level = may" "lmtp_host_lookup = native" "inet_protocols = ipv6"
	capture
	postfix_send
}

recipe lmtp-cleartext-dovecot-postfix 4 "%dovecot; %postfix (lmtp client)" \
	"LHLO, a mail as Postfix's lmtp client sends it"
lmtp-cleartext-dovecot-postfix() {
	lmtp_dovecot
	postfix_client "[mx.example.com]:24" "default_transport = lmtp:[mx.example.com]:24" "relayhost =" \
		"lmtp_tls_security_level = none" "lmtp_host_lookup = native" "inet_protocols = ipv4"
	capture
	postfix_send
}
