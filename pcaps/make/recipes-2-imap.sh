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
	cl /usr/bin/python3 - <<-END
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
	cl /usr/bin/python3 - <<-END
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
	"143: AUTHENTICATE PLAIN in clear with a wrong password; the client leaves without LOGOUT"
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

recipe imap-authenticate-plain-prompt-dovecot-script 4 "%dovecot; %python imaplib" \
	"143: AUTHENTICATE PLAIN without initial response (empty \`+\` prompt), in clear"
imap-authenticate-plain-prompt-dovecot-script() {
	dovecot_server
	capture
	cl /usr/bin/python3 - <<-END
		import imaplib
		m = imaplib.IMAP4("$S4")
		m.authenticate("PLAIN", lambda challenge: b"\0$LOGIN\0$PASS")
		m.select(readonly=True)
		m.logout()
	END
}

recipe imap-authenticate-login-dovecot-script 6 "%dovecot; %python imaplib" \
	"143: AUTHENTICATE LOGIN with two prompts, in clear"
imap-authenticate-login-dovecot-script() {
	dovecot_server
	capture
	cl /usr/bin/python3 - <<-END
		import imaplib
		m = imaplib.IMAP4("$S6")
		answers = [b"$LOGIN", b"$PASS"]
		m.authenticate("LOGIN", lambda challenge: answers.pop(0))
		m.logout()
	END
}

recipe imap-authenticate-cram-md5-dovecot-curl 4 "%dovecot; %curl" \
	"143: AUTHENTICATE CRAM-MD5, in clear"
imap-authenticate-cram-md5-dovecot-curl() {
	dovecot_server
	capture
	cl curl -sS -4 --login-options AUTH=CRAM-MD5 -u $LOGIN:$PASS "imap://imap.example.com/INBOX;MAILINDEX=2"
}

recipe imap-authenticate-cancelled-dovecot-script 4 "%dovecot; %python script" \
	"143: AUTHENTICATE PLAIN cancelled with \`*\`, then LOGOUT"
imap-authenticate-cancelled-dovecot-script() {
	dovecot_server
	capture
	talk 143 <<-END
		< \* OK
		> a1 AUTHENTICATE PLAIN
		< \+
		> *
		< a1 (BAD|NO)
		> a2 LOGOUT
		< a2 OK
	END
}

recipe imap-authenticate-oauthbearer-dovecot-curl 4 "%dovecot; %curl" \
	"143: AUTHENTICATE OAUTHBEARER in clear, the token is not accepted"
imap-authenticate-oauthbearer-dovecot-curl() {
	dovecot_server "auth_mechanisms = oauthbearer"
	capture
	cl curl -sS -4 -u $LOGIN: --oauth2-bearer token-$PASS "imap://imap.example.com/INBOX;MAILINDEX=2" || true
}

recipe imap-login-quoted-specials-dovecot-script 4 "%dovecot; %python script" \
	"143: LOGIN with a quoted password that holds a quote and a backslash"
imap-login-quoted-specials-dovecot-script() {
	dovecot_server
	echo "$LOGIN:{PLAIN}$PASS\"\\x::::::" >"$T/dv/users"
	capture
	talk 143 <<-END
		< \* OK
		> a1 login "$LOGIN" "$PASS\\"\\\\x"
		< a1 OK
		> a2 logout
		< a2 OK
	END
}

recipe imap-idle-dovecot-script 6 "%dovecot; %python script" \
	"143: IDLE in clear, a new mail announced meanwhile, DONE"
imap-idle-dovecot-script() {
	dovecot_server
	capture
	SERVER=$S6 talk 143 <<-END &
		< \* OK
		> a1 LOGIN $LOGIN $PASS
		< a1 OK
		> a2 SELECT INBOX
		< a2 OK
		> a3 IDLE
		< \+ idling
		< .*RECENT
		> DONE
		< a3 OK
		> a4 LOGOUT
		< a4 OK
	END
	local client=$!
	sleep 1.5
	message third >"$T/mail/$LOGIN/tmp/1700000003.M3P3.mail"
	chown vmail "$T/mail/$LOGIN/tmp/1700000003.M3P3.mail"
	mv "$T/mail/$LOGIN/tmp/1700000003.M3P3.mail" "$T/mail/$LOGIN/new/"
	wait $client
}

recipe imap-append-literal-dovecot-script 4 "%dovecot; %python imaplib" \
	"143: APPEND of a message as a synchronizing literal; the message holds lines like commands"
imap-append-literal-dovecot-script() {
	dovecot_server
	capture
	cl /usr/bin/python3 - <<-END
		import imaplib
		m = imaplib.IMAP4("$S4")
		m.login("$LOGIN", "$PASS")
		m.append("INBOX", "(\\\\Seen)", '"14-Nov-2023 22:13:20 +0000"',
		         b"To: $RCPT\r\nSubject: $SUBJECT\r\n\r\n$BODY\r\na9 STARTTLS\r\na10 LOGOUT\r\n* BYE {5}\r\n")
		m.logout()
	END
}

recipe imap-append-dovecot-curl 4 "%dovecot; %curl" \
	"143: APPEND of a message by curl"
imap-append-dovecot-curl() {
	dovecot_server "auth_mechanisms = plain"
	message | crlf >mail.txt
	capture
	cl curl -sS -4 -u $LOGIN:$PASS -T mail.txt "imap://imap.example.com/INBOX"
}

recipe imap-compress-deflate-dovecot-script 4 "%dovecot; %python script" \
	"143: login in clear, then COMPRESS=DEFLATE: everything after the tagged OK is compressed"
imap-compress-deflate-dovecot-script() {
	dovecot_server "protocol imap {
  mail_plugins = imap_zlib
}"
	capture
	cl /usr/bin/python3 - <<-END
		import imaplib, zlib
		m = imaplib.IMAP4("$S4")
		m.login("$LOGIN", "$PASS")
		print(m.xatom("COMPRESS", "DEFLATE"))
		out, into = zlib.compressobj(wbits=-15), zlib.decompressobj(wbits=-15)
		def say(tag, text):
		    m.sock.sendall(out.compress(tag + text) + out.flush(zlib.Z_SYNC_FLUSH))
		    got = b""
		    while b"\r\n" + tag not in b"\r\n" + got:
		        got += into.decompress(m.sock.recv(65536))
		    print(got)
		say(b"c1", b" SELECT INBOX\r\n")
		say(b"c2", b" FETCH 1 BODY[]\r\n")
		say(b"c3", b" LOGOUT\r\n")
	END
}

recipe imap-starttls-refused-dovecot-script 4 "%dovecot (ssl = no); %python script" \
	"143: STARTTLS not offered, asked for all the same, BAD; LOGIN follows in clear"
imap-starttls-refused-dovecot-script() {
	dovecot_server "ssl = no"
	capture
	talk 143 <<-END
		< \* OK
		> a1 STARTTLS
		< a1 (BAD|NO)
		> a2 LOGIN $LOGIN $PASS
		< a2 OK
		> a3 LOGOUT
		< a3 OK
	END
}

recipe imap-starttls-pipelined-clear-commands-dovecot-script 4 "%dovecot; %python script" \
	"143: a command in clear in the same segment after STARTTLS; Dovecot closes after the ClientHello"
imap-starttls-pipelined-clear-commands-dovecot-script() {
	dovecot_server
	capture
	cl /usr/bin/python3 - <<-END
		import socket, ssl
		s = socket.create_connection(("$S4", 143))
		s.recv(4096)
		s.sendall(b"a1 STARTTLS\r\na2 LOGIN $LOGIN $PASS\r\n")
		print(s.recv(4096))
		c = ssl.create_default_context(cafile="$PKI/root.pem")
		try:
		    t = c.wrap_socket(s, server_hostname="imap.example.com")
		    t.sendall(b"a3 LOGOUT\r\n")
		    print(t.recv(4096))
		except OSError as e:
		    print(e)
	END
}

recipe imap-starttls-tls12-self-signed-rejected-dovecot-curl 6 "%dovecot; %curl" \
	"143: STARTTLS, TLS 1.2, the client's fatal alert unknown_ca"
imap-starttls-tls12-self-signed-rejected-dovecot-curl() {
	dovecot_server "ssl_cert = <$PKI/self.pem" "ssl_key = <$PKI/self.key"
	capture
	cl curl -sS -6 --ssl-reqd --tls-max 1.2 --cacert "$PKI/root.pem" -u $LOGIN:$PASS "imap://mx.example.com/INBOX;MAILINDEX=1" || true
}

recipe imap-starttls-tls13-dovecot-mbsync 4 "%dovecot; %mbsync" \
	"143: mbsync fetches the mailbox with STARTTLS, TLS 1.3"
imap-starttls-tls13-dovecot-mbsync() {
	dovecot_server
	mbsyncrc "SSLType STARTTLS" "CertificateFile $PKI/root.pem"
	capture
	cl "$EXTRA/usr/bin/mbsync" -c "$T/mbsyncrc" -a
}

recipe imap-cleartext-dovecot-mbsync 6 "%dovecot; %mbsync" \
	"143: mbsync in clear: LOGIN, several commands pipelined, UID FETCH"
imap-cleartext-dovecot-mbsync() {
	dovecot_server
	MBSYNC_HOST=mx6.example.com mbsyncrc "SSLType None" "AuthMechs LOGIN"
	capture
	cl "$EXTRA/usr/bin/mbsync" -c "$T/mbsyncrc" -a
}

mbsyncrc() {
	mkdir -p "$T/local"
	cat >"$T/mbsyncrc" <<-END
		IMAPAccount a
		Host ${MBSYNC_HOST-imap.example.com}
		User $LOGIN
		Pass $PASS
		$(printf '%s\n' "$@")

		IMAPStore far
		Account a

		MaildirStore near
		Path $T/local/
		Inbox $T/local/INBOX

		Channel c
		Far :far:
		Near :near:
		Sync Pull
		Create Near
	END
}

recipe imap-cleartext-dovecot-fetchmail 4 "%dovecot; %fetchmail" \
	"143: fetchmail in clear: CAPABILITY, LOGIN, FETCH of header and text apart"
imap-cleartext-dovecot-fetchmail() {
	dovecot_server
	FETCH_AUTH=password FETCH_HOST=imap.example.com fetchmail_rc imap 143 "sslproto ''"
	capture
	fetch
}

recipe imap-preauth-dovecot-script 4 "%dovecot (imap run by socat); %python script" \
	"143: PREAUTH greeting, SELECT and LOGOUT"
imap-preauth-dovecot-script() {
	dovecot_server "protocols = none"
	cat >"$T/preauth" <<-END
		#!/bin/sh
		exec setpriv --reuid=vmail --regid=vmail --clear-groups env CONFIG_FILE= USER=$LOGIN \
			HOME=$T/mail/$LOGIN /usr/lib/dovecot/imap -c $T/dv/dovecot.conf
	END
	chmod 755 "$T/preauth"
	chmod -R a+rX "$T/dv"; chmod 755 "$T/dv/run" 2>/dev/null || true
	sv "$EXTRA/usr/bin/socat" TCP4-LISTEN:143,reuseaddr,fork EXEC:"$T/preauth" 2>"$T/socat.log" &
	wait_port 143
	capture
	talk 143 <<-END
		< \* PREAUTH
		> a1 SELECT INBOX
		< a1 OK
		> a2 FETCH 1 BODY[TEXT]
		< a2 OK
		> a3 LOGOUT
		< a3 OK
	END
}

recipe imap-proxy-v1-dovecot-curl 4 "%dovecot; %curl" \
	"143: a PROXY protocol v1 line before the session, LOGIN in clear"
imap-proxy-v1-dovecot-curl() {
	dovecot_server "haproxy_trusted_networks = 198.51.100.0/24" "auth_mechanisms = plain" \
		"service imap-login {
  inet_listener imap {
    haproxy = yes
  }
}"
	capture
	cl curl -sS -4 --haproxy-protocol -u $LOGIN:$PASS "imap://imap.example.com/INBOX;MAILINDEX=1"
}

two_sessions() {
	local how
	for how in -sess_out -sess_in; do
		(sleep .5; printf 'a1 LOGOUT\r\n'; sleep .3) |
			ossl 993 -quiet -CAfile "$PKI/root.pem" -servername imap.example.com $how session
	done
}

recipe imap-implicit-tls13-resumed-psk-dovecot-openssl 4 "%dovecot; %openssl s_client" \
	"993: two connections, TLS 1.3, the second resumed by PSK"
imap-implicit-tls13-resumed-psk-dovecot-openssl() {
	# one login process for all, so that it knows its own tickets
	dovecot_server "service imap-login {
  service_count = 0
  process_min_avail = 1
  process_limit = 1
}"
	capture
	two_sessions
}

recipe imap-implicit-tls13-resumption-declined-dovecot-openssl 4 "%dovecot; %openssl s_client" \
	"993: two connections, TLS 1.3, the second offers a PSK the server does not take: full handshake"
imap-implicit-tls13-resumption-declined-dovecot-openssl() {
	dovecot_server
	capture
	two_sessions
}

recipe imap-implicit-tls13-clienthello-split-dovecot-openssl 4 "%dovecot; %openssl s_client" \
	"993: TLS 1.3, a ClientHello over two segments (long list of protocols)"
imap-implicit-tls13-clienthello-split-dovecot-openssl() {
	dovecot_server
	capture
	local alpn=imap i
	for i in $(seq 1 40); do alpn=$alpn,protocol-number-$i-with-a-name-that-is-rather-long; done
	(sleep .5; printf 'a1 LOGOUT\r\n'; sleep .3) |
		ossl 993 -quiet -CAfile "$PKI/root.pem" -servername imap.example.com -alpn "$alpn"
}

recipe imap-implicit-tls13-tcp-fast-open-dovecot-curl 4 "%dovecot; %curl" \
	"993: two connections with TCP Fast Open; in the second the SYN carries the ClientHello"
imap-implicit-tls13-tcp-fast-open-dovecot-curl() {
	local n
	for n in cl sv; do ip netns exec $n sysctl -qw net.ipv4.tcp_fastopen=1027; done
	dovecot_server "auth_mechanisms = plain"
	capture
	for n in 1 2; do
		cl curl -sS -4 --tcp-fastopen --cacert "$PKI/root.pem" -u $LOGIN:$PASS "imaps://imap.example.com/INBOX;MAILINDEX=1"
	done
}

recipe imap-implicit-tls12-expired-rejected-dovecot-curl 4 "%dovecot; %curl" \
	"993: TLS 1.2, expired certificate, fatal alert certificate_expired"
imap-implicit-tls12-expired-rejected-dovecot-curl() {
	dovecot_server "ssl_cert = <$PKI/expired-chain.pem" "ssl_key = <$PKI/expired.key"
	capture
	cl curl -sS -4 --tls-max 1.2 --cacert "$PKI/root.pem" -u $LOGIN:$PASS "imaps://imap.example.com/INBOX" || true
}

recipe imap-cleartext-on-993-dovecot-script 4 "%dovecot; %python script" \
	"993: the client talks IMAP in clear to the TLS port; the server closes without a word"
imap-cleartext-on-993-dovecot-script() {
	dovecot_server
	capture
	talk 993 <<-END
		> a1 CAPABILITY
		wait 1
		drain
	END
}

recipe imap-tls-on-143-dovecot-openssl 4 "%dovecot; %openssl s_client" \
	"143: the client begins TLS at once where the server speaks in clear"
imap-tls-on-143-dovecot-openssl() {
	dovecot_server
	capture
	sleep .5 | ossl 143 -quiet || true
}

recipe imap-no-capability-in-greeting-mailutils-curl 4 "%mailutils; %curl" \
	"143: a greeting without CAPABILITY, the client asks; AUTHENTICATE DIGEST-MD5 fails"
imap-no-capability-in-greeting-mailutils-curl() {
	sv "$EXTRA/usr/bin/socat" TCP4-LISTEN:143,reuseaddr,fork \
		EXEC:"$EXTRA/usr/sbin/imap4d --inetd --no-config" 2>"$T/socat.log" &
	wait_port 143
	capture
	cl curl -sS -4 -u $LOGIN:$PASS "imap://imap.example.com/INBOX;MAILINDEX=1" || true
}

recipe imap-implicit-tls12-stunnel-curl 4 "%stunnel in front of %dovecot; %curl" \
	"993: TLS 1.2 ended by stunnel"
imap-implicit-tls12-stunnel-curl() {
	dovecot_server "service imap-login {
  inet_listener imaps {
    port = 0
  }
}"
	cat >"$T/stunnel.conf" <<-END
		foreground = yes
		pid =
		[imaps]
		accept = $S4:993
		connect = 127.0.0.1:143
		cert = $PKI/rsa-chain.pem
		key = $PKI/rsa.key
		sslVersionMax = TLSv1.2
	END
	sv stunnel4 "$T/stunnel.conf" >"$T/stunnel.log" 2>&1 &
	wait_port 993
	capture
	cl curl -sS -4 --cacert "$PKI/root.pem" -u $LOGIN:$PASS "imaps://imap.example.com/INBOX;MAILINDEX=1"
}

recipe imap-implicit-tls13-early-data-openssl 4 "%openssl s_server; %openssl s_client" \
	"993: two connections, TLS 1.3, the second with early data (0-RTT) right after the ClientHello"
imap-implicit-tls13-early-data-openssl() {
	sv openssl s_server -accept 993 -cert "$PKI/rsa.pem" -cert_chain "$PKI/ca.pem" -key "$PKI/rsa.key" \
		-early_data -naccept 2 -tls1_3 >"$T/ss.log" 2>&1 < <(sleep 20) &
	wait_port 993
	printf 'a1 CAPABILITY\r\n' >early
	capture
	(sleep .5) | ossl 993 -sess_out session -CAfile "$PKI/root.pem" >/dev/null
	(sleep .5) | ossl 993 -sess_in session -early_data early -CAfile "$PKI/root.pem"
}

recipe imap-implicit-tls12-stapled-openssl 4 "%openssl s_server; %openssl s_client" \
	"993: two connections, TLS 1.2, the server has an OCSP response and two certificate timestamps; the first client asks for them, the second does not"
imap-implicit-tls12-stapled-openssl() {
	local serial list
	serial=$(openssl x509 -in "$PKI/rsa.pem" -noout -serial)
	printf 'V\t491231235959Z\t\t%s\tunknown\t/CN=mx.example.com\n' "${serial#*=}" >index
	openssl ocsp -issuer "$PKI/ca.pem" -cert "$PKI/rsa.pem" -no_nonce -reqout request
	openssl ocsp -index index -CA "$PKI/ca.pem" -rsigner "$PKI/ca.pem" -rkey "$PKI/ca.key" \
		-reqin request -respout staple -ndays 7
	# Two timestamps as of logs nobody knows: extension 18, its length, the list's, each one's.
	list=$(for log in aa bb; do
		printf '0077 00'
		printf "$log%.0s" {1..32}
		printf '0000018f00000000 0000 0403 0048'
		printf '30%.0s' {1..72}
	done | tr -d ' ')
	{
		echo '-----BEGIN SERVERINFO FOR EXTENSION 18-----'
		/usr/bin/python3 -c 'import base64, sys; print(base64.b64encode(bytes.fromhex(sys.argv[1])).decode())' \
			"001200f400f2$list"
		echo '-----END SERVERINFO FOR EXTENSION 18-----'
	} >timestamps
	sv openssl s_server -accept 993 -cert "$PKI/rsa.pem" -cert_chain "$PKI/ca.pem" -key "$PKI/rsa.key" \
		-status_file staple -serverinfo timestamps -naccept 2 -tls1_2 >"$T/ss.log" 2>&1 < <(sleep 20) &
	wait_port 993
	capture
	echo 'enabled_logs =' >logs
	(sleep .5) | ossl 993 -ct -ctlogfile logs -CAfile "$PKI/root.pem"
	(sleep .5) | ossl 993 -CAfile "$PKI/root.pem"
}

# gnutls_pairs SERVER-SUITES CLIENT-SUITES...: a connection for each of the latter
gnutls_pairs() {
	local base=NONE:+VERS-TLS1.2:+SIGN-ALL:+GROUP-ALL suites
	cat "$PKI/rsa.pem" "$PKI/ca.pem" >chain
	sv gnutls-serv --echo --port 993 --priority "$base:$1" --x509certfile chain --x509keyfile "$PKI/rsa.key" \
		>"$T/gs.log" 2>&1 &
	wait_port 993
	capture
	for suites in "${@:2}"; do
		(sleep .5) | cl gnutls-cli --insecure --port 993 --priority "$base:$suites" "$S6" || true
	done
}

recipe imap-implicit-tls12-weak-suites-gnutls 6 "GnuTLS 3.7.9 (gnutls-serv); GnuTLS 3.7.9 (gnutls-cli)" \
	"993: four connections with suites nobody should take any more: 3DES, RC4, RC4 with MD5, no encryption"
imap-implicit-tls12-weak-suites-gnutls() {
	gnutls_pairs +RSA:+3DES-CBC:+ARCFOUR-128:+NULL:+SHA1:+MD5 \
		+RSA:+3DES-CBC:+SHA1 +RSA:+ARCFOUR-128:+SHA1 +RSA:+ARCFOUR-128:+MD5 +RSA:+NULL:+SHA1
}

recipe imap-implicit-tls12-anonymous-gnutls 6 "GnuTLS 3.7.9 (gnutls-serv); GnuTLS 3.7.9 (gnutls-cli)" \
	"993: two connections without authentication, by DH and by ECDH: no certificate"
imap-implicit-tls12-anonymous-gnutls() {
	gnutls_pairs +ANON-DH:+ANON-ECDH:+AES-128-CBC:+SHA1 \
		+ANON-DH:+AES-128-CBC:+SHA1 +ANON-ECDH:+AES-128-CBC:+SHA1
}
