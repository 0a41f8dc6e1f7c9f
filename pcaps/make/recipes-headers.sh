# Headers of mail in the clear: signed by a real signer, checked and refused by real checkers, whose questions for keys
# and policies cross the same link. Sourced by make-captures. Read with --dns and --mail-headers; what each message's
# line must say stands in tests/headers/, by hand.

# A resolver on the client's side that has all records itself; the server's side asks it.
headers_names() {
	local d=$T/names
	mkdir -p "$d" && cd "$d" || return
	local n key
	for n in good third weak other altered; do
		local bits=2048
		[ $n != weak ] || bits=768
		openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:$bits -out $n.key 2>/dev/null
	done
	key() { openssl pkey -in "$1.key" -pubout -outform DER | base64 -w 0; }
	# record NAME TEXT: in strings of at most 255
	record() {
		local text=$2 strings=
		while [ -n "$text" ]; do strings+=" \"${text:0:250}\""; text=${text:250}; done
		echo "  local-data: '$1. 300 IN TXT$strings'"
	}
	{
		printf '%s\n' "server:" "  interface: $C4" "  chroot: \"\"" "  username: \"\"" "  directory: \"$d\"" \
			"  pidfile: \"\"" "  access-control: 0.0.0.0/0 allow" "  use-syslog: no" \
			"  local-zone: \"example.org.\" static" "  local-zone: \"example.net.\" static" \
			"  local-data: 'example.org. 300 IN SOA ns.example.org. hostmaster.example.org. 1 3600 600 86400 300'" \
			"  local-data: 'example.net. 300 IN SOA ns.example.net. hostmaster.example.net. 1 3600 600 86400 300'"
		record s1._domainkey.good.example.org "v=DKIM1; k=rsa; p=$(key good)"
		record s1._domainkey.altered.example.org "v=DKIM1; k=rsa; p=$(key altered)"
		record s1._domainkey.weak.example.org "v=DKIM1; k=rsa; p=$(key weak)"
		record s1._domainkey.other.example.org "v=DKIM1; k=rsa; p=$(key good)"
		record s1._domainkey.revoked.example.org "v=DKIM1; p="
		record s1._domainkey.lists.example.net "v=DKIM1; k=rsa; p=$(key third)"
		record spf.example.org "v=spf1 -all"
		record _dmarc.reject.example.org "v=DMARC1; p=reject"
		record _dmarc.quarantine.example.org "v=DMARC1; p=quarantine"
	} >unbound.conf
	cl unbound -c unbound.conf -d &
	echo "nameserver $C4" >"$T/etc/resolv.conf"
	for _ in {1..50}; do
		cl dig +tries=1 +time=1 "@$C4" TXT spf.example.org | grep -q ANSWER: && break
		sleep .1
	done
}

# Signs what the client's Postfix sends, by the author's domain.
headers_signer() {
	local d=$T/signer n
	mkdir -p "$d"
	for n in good weak other altered; do
		echo "$n $n.example.org:s1:$T/names/$n.key" >>"$d/keys"
		echo "*@$n.example.org $n" >>"$d/signing"
	done
	echo "revoked revoked.example.org:s1:$T/names/good.key" >>"$d/keys"
	echo "missing missing.example.org:s1:$T/names/good.key" >>"$d/keys"
	echo "third lists.example.net:s1:$T/names/third.key" >>"$d/keys"
	printf '%s\n' "*@revoked.example.org revoked" "*@missing.example.org missing" \
		"*@member.example.org third" >>"$d/signing"
	printf '%s\n' "Mode s" "Socket inet:8891@127.0.0.1" "Background no" "RequireSafeKeys no" \
		"MinimumKeyBits 512" "Canonicalization relaxed/simple" "KeyTable $d/keys" \
		"SigningTable refile:$d/signing" "Syslog no" >"$d/conf"
	cl opendkim -f -x "$d/conf" >"$d/log" 2>&1 &
	wait_port 8891 cl
}

# headers_checker [opendkim.conf lines]: checks what comes to the server's Postfix.
headers_checker() {
	local d=$T/checker
	mkdir -p "$d"
	printf '%s\n' "Mode v" "Socket inet:8892@127.0.0.1" "Background no" "Syslog no" \
		"Nameservers $C4" "AuthservID mx.example.com" "$@" >"$d/conf"
	sv opendkim -f -x "$d/conf" >"$d/log" 2>&1 &
	wait_port 8892
}

headers_dmarc() {
	local d=$T/dmarc
	mkdir -p "$d"
	printf '%s\n' "Socket inet:8893@127.0.0.1" "Background false" "Syslog false" "RejectFailures true" \
		"AuthservID mx.example.com" "TrustedAuthservIDs mx.example.com" "SPFIgnoreResults true" \
		"SPFSelfValidate true" "PublicSuffixList /usr/share/publicsuffix/public_suffix_list.dat" >"$d/conf"
	sv opendmarc -f -c "$d/conf" >"$d/log" 2>&1 &
	wait_port 8893
}

# The client's Postfix takes mail on its own host, protected or not, and sends it on in the clear.
headers_client() {
	echo "/^ALTER-ME/ REPLACE altered on the way" >"$T/alter"
	postfix_client "[mx.example.com]" "$CLEAR" "@127.0.0.1:2525 inet n - n - - smtpd" \
		"smtpd_tls_security_level = may" "smtpd_tls_received_header = yes" \
		"smtp_tls_security_level = none" "inet_protocols = ipv4" "mynetworks = 127.0.0.0/8" \
		"smtpd_relay_restrictions = permit_mynetworks, reject" "bounce_service_name = discard" \
		"smtpd_milters = inet:127.0.0.1:8891" "milter_macro_daemon_name = ORIGINATING" \
		"smtp_body_checks = regexp:$T/alter" "$@"
	wait_port 2525 cl
}

# headers_send DOMAIN [swaks arguments]: waits until it is gone, whatever became of it.
headers_send() {
	local domain=$1 before i
	shift
	before=$(grep -c 'status=' "$T/pf-cl.log" || true)
	cl swaks --server 127.0.0.1 --port 2525 --helo app.example.org --from "canary-sender-64d0@$domain" --to $RCPT \
		--h-Subject "$SUBJECT" --body "$BODY" "$@" >>"$T/swaks" 2>&1
	for ((i = 0; i < 100; i++)); do
		[ "$(grep -c 'status=' "$T/pf-cl.log")" -gt "$before" ] && return
		sleep .1
	done
	cat "$T/pf-cl.log" >&2
	return 1
}

CHECKED="smtpd_milters = inet:127.0.0.1:8892"

recipe headers-dkim-opendkim-opendkim 4 "%postfix, %opendkim; %postfix, %opendkim, %unbound" \
	"signed mail in the clear and the questions for its keys: good, signed by a list, altered on the way, key revoked, weak, missing, another's; hops with and without TLS before"
headers-dkim-opendkim-opendkim() {
	headers_names
	headers_signer
	headers_checker
	postfix_server "$CLEAR" "$CHECKED"
	headers_client
	capture "port 53 or port 25"
	headers_send good.example.org --tls
	headers_send member.example.org
	headers_send altered.example.org --body "$BODY"$'\n'"ALTER-ME"$'\n'
	headers_send revoked.example.org
	headers_send weak.example.org
	headers_send missing.example.org
	headers_send other.example.org
	headers_send unsigned.example.org --tls --tls-protocol tlsv1_2 \
		--add-header "Content-Type: multipart/signed; protocol=\"application/pgp-signature\"; boundary=x"
}

recipe headers-refused-opendmarc-postfix 4 "%postfix, %opendkim, %opendmarc, %policyd; %postfix, %opendkim, %unbound" \
	"mail in the clear that is refused for SPF (before it is sent), for DMARC and for a bad signature (when it was), and mail that is taken"
headers-refused-opendmarc-postfix() {
	headers_names
	headers_signer
	headers_checker "On-BadSignature reject"
	headers_dmarc
	postfix_server "$CLEAR" "smtpd_milters = inet:127.0.0.1:8892, inet:127.0.0.1:8893" \
		"@policyd-spf unix - n n - 0 spawn user=nobody argv=/usr/bin/policyd-spf $T/policyd-spf.conf" \
		"smtpd_recipient_restrictions = check_policy_service unix:private/policyd-spf" \
		"policyd-spf_time_limit = 3600"
	printf '%s\n' "debugLevel = 0" "HELO_reject = False" "Mail_From_reject = Fail" "skip_addresses = 127.0.0.0/8" \
		>"$T/policyd-spf.conf"
	headers_client
	capture "port 53 or port 25"
	headers_send good.example.org
	headers_send spf.example.org
	headers_send reject.example.org
	headers_send quarantine.example.org
	headers_send altered.example.org --body "ALTER-ME"$'\n'
}

# headers_delivered FILTER: mail that crosses in the clear and comes into a mailbox (with two that lie there), from where
# it is fetched by whoever comes next.
headers_delivered() {
	headers_names
	headers_signer
	headers_checker
	dovecot_server
	postfix_server "$CLEAR" "$CHECKED" "mydestination =" "virtual_mailbox_domains = example.com" \
		"virtual_mailbox_base = $T/mail" "virtual_mailbox_maps = static:$LOGIN/" \
		"virtual_uid_maps = static:5000" "virtual_gid_maps = static:5000" \
		"@virtual unix - n n - - virtual"
	headers_client
	capture "$1"
	headers_send good.example.org --tls
	headers_send member.example.org
	headers_send altered.example.org --body "ALTER-ME"$'\n'
	headers_send unsigned.example.org
	local i
	for ((i = 0; i < 100; i++)); do
		[ "$(find "$T/mail/$LOGIN" -path '*/new/*' -o -path '*/cur/*' | wc -l)" -ge 6 ] && return
		sleep .1
	done
	cat "$T/pf-sv.log" >&2
	return 1
}

recipe headers-fetched-imap-dovecot-imaplib 4 "%postfix, %opendkim, %dovecot; %postfix, %opendkim, %unbound, %python imaplib" \
	"signed mail in the clear and then fetched by IMAP: headers, beginnings, whole messages, as they are and decoded, several in one response, and put back: APPEND, CATENATE, two at once"
headers-fetched-imap-dovecot-imaplib() {
	headers_delivered "port 53 or port 25 or port 143"
	cl /usr/bin/python3 - <<-END
		import imaplib
		m = imaplib.IMAP4("$S4")
		m.login("$LOGIN", "$PASS")
		m.select()
		def fetch(numbers, items):
		    kind, got = m.fetch(numbers, items)
		    assert kind == "OK", (items, got)
		    return [piece[1] for piece in got if isinstance(piece, tuple)]
		fetch("1:*", "(UID FLAGS ENVELOPE BODYSTRUCTURE)")
		fetch("1:*", "(BODY.PEEK[HEADER.FIELDS (DATE FROM RECEIVED)])")
		fetch("3", "(BODY.PEEK[HEADER] BODY.PEEK[TEXT])")
		fetch("3", "RFC822.HEADER")
		fetch("3", "(BODY.PEEK[]<0.700>)")
		fetch("3", "(BODY.PEEK[]<700.4096>)")
		fetch("3", "(BINARY.PEEK[])")
		messages = fetch("1:*", "(UID BODY.PEEK[])")
		assert len(messages) == 6, messages
		fetch("6", "RFC822")
		m.create("Kept")
		m.append("Kept", "(\\\\Seen)", None, messages[2])
		m.uid("FETCH", "1:*", "(BODY.PEEK[1])")
		m.logout()
	END
	cl /usr/bin/python3 - <<-END
		import imaplib
		m = imaplib.IMAP4("$S4")
		m.login("$LOGIN", "$PASS")
		def command(*pieces):
		    tag = m._new_tag()
		    m.send(tag + b" " + b"".join(pieces) + b"\r\n")
		    while not (line := m.readline()).startswith(tag):
		        assert line, pieces
		    assert line.startswith(tag + b" OK"), (pieces, line)
		def literal(text):
		    return b"{%d+}\r\n" % len(text) + text
		header = b"From: $FROM\r\nSubject: $SUBJECT\r\nReceived: from app.example.org (app.example.org [10.0.0.7])" \
		    b"\r\n\tby client.example.org with ESMTP id 1; Fri, 27 Nov 2026 12:00:00 +0000\r\n"
		command(b"APPEND ", literal(b"Kept"), b" (\\\\Seen) ", literal(header + b"\r\n$BODY one\r\n"), b" ",
		    literal(header + b"\r\n$BODY two\r\n"))
		command(b"APPEND Kept CATENATE (TEXT ", literal(header), b" TEXT ", literal(b"\r\n$BODY "), b" TEXT ",
		    literal(b"three\r\n"), b")")
		command(b'APPEND Kept CATENATE (URL "/INBOX;UIDVALIDITY=%s/;UID=3/;SECTION=HEADER" TEXT ' %
		    m.status("INBOX", "(UIDVALIDITY)")[1][0].rstrip(b")").split()[-1], literal(b"$BODY four\r\n"), b")")
		m.logout()
	END
}

recipe headers-fetched-pop3-dovecot-poplib-fetchmail 4 "%postfix, %opendkim, %dovecot; %postfix, %opendkim, %unbound, %python poplib, %fetchmail" \
	"signed mail in the clear and then fetched by POP3: TOP of no line, of too few and of more than there are, RETR, all of it by fetchmail"
headers-fetched-pop3-dovecot-poplib-fetchmail() {
	headers_delivered "port 53 or port 25 or port 110"
	cl /usr/bin/python3 - <<-END
		import poplib
		m = poplib.POP3("$S4")
		m.user("$LOGIN")
		m.pass_("$PASS")
		m.top(3, 0)
		m.top(3, 1)
		m.top(3, 100)
		for number in range(1, 7):
		    m.retr(number)
		m.quit()
	END
	FETCH_AUTH=password FETCH_HOST=pop.example.com fetchmail_rc pop3 110 "sslproto ''"
	fetch
}
