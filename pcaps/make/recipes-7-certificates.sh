# Certificates: what servers and clients show, good and bad, and what the other side makes of it.
# Sourced by make-captures. What each session must come to stands in certificates/expected.json, by
# hand.
#
# Every capture has a PKI of its own, made anew (pki.py); the roots that it wants trusted and its CRLs
# are kept in certificates/roots.pem and certificates/crls/. Dates are far from the day of the capture:
# good ones are valid from 2020 to 2099.
#
# Where a capture holds several cases, each has a server address of its own: case 101 is 192.0.2.101 or
# 2001:db8:2::101.

# ---- making and serving ----

# pki: the lines of pki.py on standard input
pki() {
	mkdir -p "$T/pki"
	(cd "$T/pki" && /usr/bin/python3 "$HERE/pki.py" "$name")
	chmod 644 "$T"/pki/*
}

trust() {			# trust NAME...: these are to be trusted
	mkdir -p "$T/trust"
	(cd "$T/pki" && cp "${@/%/.pem}" "$T/trust")
}

revoke() {			# revoke NAME...: CRLs to be known
	mkdir -p "$T/crls"
	(cd "$T/pki" && cp "${@/%/.pem}" "$T/crls")
}

# Called when the capture is in its place
keep_trust() {
	local d=$OUT/certificates
	mkdir -p "$d/crls"
	/usr/bin/python3 "$HERE/pki.py" --bundle "$d/roots.pem" "$name" $(ls -d "$T"/trust/* 2>/dev/null)
	rm -f "$d/crls/$name.pem"
	[ ! -d "$T/crls" ] || cat "$T"/crls/* >"$d/crls/$name.pem"
	chmod 644 "$d"/*.pem
}

# chained leaf+ca: the file that holds these, made if need be
chained() {
	local f=$T/pki/$1.chain
	[ -e "$f" ] || (IFS=+; cd "$T/pki"; for c in $1; do cat "$c.pem"; done) >"$f"
	echo "$f"
}

key_of() { echo "$T/pki/${1%%+*}.key"; }

at() { if [ "${V-4}" = 6 ]; then echo "2001:db8:2::$1"; else echo "192.0.2.$1"; fi; }
bracketed() { if [ "${V-4}" = 6 ]; then echo "[$(at $1)]"; else at $1; fi; }

add_address() {
	[ "$1" = 25 ] && return
	if [ "${V-4}" = 6 ]; then sv ip addr add "$(at $1)/64" dev s0 nodad
	else sv ip addr add "$(at $1)/24" dev s0; fi
}

wait_at() {			# wait_at CASE PORT
	local i
	for ((i = 0; i < 150; i++)); do
		sv ss -Hltn "sport = :$2" | grep -qF "$(bracketed $1):$2 " && return 0
		sleep .1
	done
	echo "nothing listens on $(at $1) port $2" >&2
	return 1
}

# postfix_at "CASE=CHAIN [-o setting=value]..."...; in PF more lines for postfix_conf
PF=()
postfix_at() {
	local s n chain rest lines=()
	for s; do
		n=${s%%=*} chain=${s#*=} rest=
		[[ $chain != *" "* ]] || { rest=" ${chain#* }"; chain=${chain%% *}; }
		add_address "$n"
		lines+=("@$(bracketed $n):25 inet n - n - - smtpd -o smtpd_tls_chain_files=$(key_of $chain),$(chained $chain)$rest")
	done
	postfix_conf pf-sv mx.example.com "$MAY" "smtpd_tls_protocols = TLSv1.2" \
		"smtpd_tls_exclude_ciphers = aNULL" "${PF[@]}" "${lines[@]}"
	sv postfix -c "$T/pf-sv" start-fg >"$T/pf-sv.log" 2>&1 &
	wait_at "$n" 25
}

# dovecot_at CASE=CHAIN...; in DV more lines for dovecot_server
DV=()
dovecot_at() {
	local s n chain lines=()
	for s; do
		n=${s%%=*} chain=${s#*=}
		add_address "$n"
		lines+=("local $(at $n) {" "ssl_cert = <$(chained $chain)" "ssl_key = <$(key_of $chain)" "}")
	done
	dovecot_server "${DV[@]}" "${lines[@]}"
}

# openssl_at CASE PORT CHAIN [s_server options]: TLS from the first byte; what is said in it is sent back
openssl_at() {
	local n=$1 port=$2 chain=$3 first=${3%%+*} rest=()
	shift 3
	add_address "$n"
	[ "$first" = "$chain" ] || rest=(-cert_chain "$(chained "${chain#*+}")")
	sv openssl s_server -accept "$(bracketed $n):$port" -cert "$T/pki/$first.pem" -key "$(key_of $chain)" \
		"${rest[@]}" -tls1_2 -rev "$@" >"$T/s_server.$n" 2>&1 &
	wait_at "$n" "$port"
}

# raw_at CASE PORT CHAIN: what no server loads
raw_at() {
	local files
	add_address "$1"
	files=${3//+/ }
	(cd "$T/pki" && sv /usr/bin/python3 "$HERE/raw_tls.py" "$(at $1)" "$2" ${files// /.der }.der) \
		>"$T/raw.$1" 2>&1 &
	wait_at "$1" "$2"
}

# visit CASE PORT [s_client options]: s_client, which does not mind a bad certificate, says farewell
# inside TLS. It sends SNI unless SNI is set to nothing.
visit() {
	local n=$1 port=$2 say=QUIT options=(-no_ign_eof) sni=${SNI-mx.example.com}
	shift 2
	case $port in
	25) options=(-starttls smtp -name client.example.org) ;;
	110) options=(-starttls pop3) ;;
	143) options=(-starttls imap) say="a LOGOUT" ;;
	*) say="a LOGOUT" ;;
	esac
	[ -z "$sni" ] || options+=(-servername "$sni")
	(sleep .3; printf '%s\r\n' "$say"; sleep .3) |
		cl timeout 10 openssl s_client -connect "$(bracketed $n):$port" -tls1_2 -quiet "${options[@]}" "$@" || true
}

# curl as a mail client that knows the roots of this capture: imap_curl, pop3_curl [options]
certificate_curl() { curl_tls --tls-max 1.2 --cacert "$T/pki/root.pem" "$@"; }
imap_curl() {
	cl curl -sS -"${V-4}" --ssl-reqd --tls-max 1.2 --cacert "$T/pki/root.pem" -u "$LOGIN:$PASS" \
		"imap://mx.example.com/INBOX;MAILINDEX=1" "$@" || true
}
pop3_curl() {
	cl curl -sS -"${V-4}" --ssl-reqd --tls-max 1.2 --cacert "$T/pki/root.pem" -u "$LOGIN:$PASS" \
		"pop3://mx.example.com/1" "$@" || true
}

# ---- nothing wrong ----

recipe certificate-good-rsa-postfix-curl 4 "%postfix; %curl" \
	"RSA 2048 throughout; the client checks and sends its mail"
certificate-good-rsa-postfix-curl() {
	pki <<-END
		root ca key=rsa
		ca ca key=rsa issuer=root pathlen=0
		leaf key=rsa issuer=ca
	END
	trust root
	postfix_at 25=leaf+ca
	capture
	certificate_curl
}

recipe certificate-good-pss-openssl-openssl 6 "%openssl s_server; %openssl s_client" \
	"993: RSA-PSS: an id-RSASSA-PSS key, and signatures RSASSA-PSS with SHA-256 and SHA-384"
certificate-good-pss-openssl-openssl() {
	V=6
	pki <<-END
		root ca key=rsa pss
		ca ca key=pss issuer=root pss digest=sha384
		leaf key=pss issuer=ca
	END
	trust root
	openssl_at 25 993 leaf+ca
	capture
	visit 25 993 -CAfile "$T/pki/root.pem" -verify_return_error
}

recipe certificate-good-ecdsa-dovecot-openssl 4 "%dovecot; %openssl s_client" \
	"three servers: ECDSA P-256, P-384 with SHA-384, P-521 with SHA-512"
certificate-good-ecdsa-dovecot-openssl() {
	pki <<-END
		root ca key=ec:secp384r1
		ca ca issuer=root digest=sha384
		p256 issuer=ca
		p384 issuer=root key=ec:secp384r1 digest=sha384
		p521 issuer=root key=ec:secp521r1 digest=sha512
	END
	trust root
	dovecot_at 101=p256+ca 102=p384 103=p521
	capture
	for n in 101 102 103; do visit $n 143 -CAfile "$T/pki/root.pem" -verify_return_error; done
}

recipe certificate-good-ed25519-postfix-openssl 6 "%postfix; %openssl s_client" \
	"two servers: Ed25519 throughout; Ed448"
certificate-good-ed25519-postfix-openssl() {
	V=6
	pki <<-END
		root ca key=ed25519
		ca ca key=ed25519 issuer=root
		ed25519 key=ed25519 issuer=ca
		ed448 key=ed448 issuer=ca
	END
	trust root
	postfix_at 101=ed25519+ca 102=ed448+ca
	capture
	for n in 101 102; do visit $n 25 -CAfile "$T/pki/root.pem" -verify_return_error; done
}

recipe certificate-good-ten-openssl-openssl 4 "%openssl s_server; %openssl s_client" \
	"993: a chain of ten certificates, the root among them, path lengths counted down to 0"
certificate-good-ten-openssl-openssl() {
	(
		echo "root ca pathlen=8"
		above=root
		for n in 7 6 5 4 3 2 1 0; do
			echo "ca$n ca issuer=$above pathlen=$n"
			above=ca$n
		done
		echo "leaf issuer=ca0"
	) | pki
	trust root
	openssl_at 25 993 leaf+ca0+ca1+ca2+ca3+ca4+ca5+ca6+ca7+root
	capture
	visit 25 993 -CAfile "$T/pki/root.pem" -verify_return_error
}

recipe certificate-good-64k-openssl-openssl 4 "%openssl s_server; %openssl s_client" \
	"995: a certificate of 64 KiB, in five records"
certificate-good-64k-openssl-openssl() {
	pki <<-END
		root ca
		leaf issuer=root size=65536
	END
	trust root
	openssl_at 25 995 leaf
	capture
	visit 25 995 -CAfile "$T/pki/root.pem" -verify_return_error
}

recipe certificate-good-3000-names-postfix-openssl 4 "%postfix; %openssl s_client" \
	"a certificate for 3001 names; the client wants the last"
certificate-good-3000-names-postfix-openssl() {
	pki <<-END
		root ca
		leaf issuer=root dns=mx.example.com names=3000
	END
	trust root
	postfix_at 25=leaf
	capture
	SNI=host3000.example.com visit 25 25 -CAfile "$T/pki/root.pem" -verify_return_error
}

recipe certificate-good-small-records-openssl-openssl 6 "%openssl s_server; %openssl s_client" \
	"993: a chain of four in records of at most 512 octets"
certificate-good-small-records-openssl-openssl() {
	V=6
	pki <<-END
		root ca key=rsa
		ca ca key=rsa issuer=root
		sub ca key=rsa issuer=ca
		leaf key=rsa issuer=sub
	END
	trust root
	openssl_at 25 993 leaf+sub+ca+root -max_send_frag 512
	capture
	visit 25 993 -CAfile "$T/pki/root.pem" -verify_return_error
}

recipe certificate-good-small-segments-dovecot-openssl 4 "%dovecot; %openssl s_client" \
	"the same chain in segments of at most 100 octets"
certificate-good-small-segments-dovecot-openssl() {
	pki <<-END
		root ca key=rsa
		ca ca key=rsa issuer=root
		sub ca key=rsa issuer=ca
		leaf key=rsa issuer=sub
	END
	trust root
	dovecot_at 101=leaf+sub+ca+root
	cl ip route change 192.0.2.0/24 dev c0 advmss 100
	capture
	visit 101 143 -CAfile "$T/pki/root.pem" -verify_return_error
}

# ---- chains: what is sent, in which order, from which root ----

recipe certificate-chains-postfix-openssl 4 "%postfix; %openssl s_client" \
	"nine servers: chains with the root, with a cross-signed root (one root trusted, both), with an unrelated certificate, the leaf twice, anchors that are no roots, two issuers of one name, an expired issuer beside a good one"
certificate-chains-postfix-openssl() {
	pki <<-END
		root ca key=rsa
		ca ca issuer=root
		leaf issuer=ca
		other ca
		young ca key=rsa cn=young-$name
		young-by-root ca issuer=root key=@young as=young
		young-ca ca issuer=young
		young-leaf issuer=young-ca
		middle ca
		middle-ca ca issuer=middle
		middle-leaf issuer=middle-ca
		pinned
		twin-a ca issuer=root cn=twin-$name
		twin-b ca issuer=root as=twin-a
		twin-leaf issuer=twin-b no=aki
		old-ca ca issuer=root key=@ca as=ca from=2010 to=2012
		both ca cn=both-$name
		both-by-root ca issuer=root key=@both as=both
		both-leaf issuer=both
	END
	trust root middle-ca pinned both
	postfix_at 101=leaf+ca+root 102=young-leaf+young-ca+young-by-root 103=both-leaf+both-by-root \
		104=leaf+ca+other 105=leaf+leaf+ca 106=pinned 107=middle-leaf+middle-ca \
		108=twin-leaf+twin-a+twin-b 109=leaf+old-ca+ca
	capture
	for n in 101 102 103 104 105 106 107 108 109; do visit $n 25; done
}

recipe certificate-wrong-order-dovecot-openssl 6 "%dovecot; %openssl s_client" \
	"three servers: two intermediates swapped; the root before the intermediate; the same, and the root is not trusted"
certificate-wrong-order-dovecot-openssl() {
	V=6
	pki <<-END
		root ca
		ca ca issuer=root
		sub ca issuer=ca
		leaf issuer=sub
		stranger ca
		stranger-ca ca issuer=stranger
		stranger-leaf issuer=stranger-ca
	END
	trust root
	dovecot_at 101=leaf+ca+sub 102=leaf+root+sub+ca 103=stranger-leaf+stranger+stranger-ca
	capture
	for n in 101 102 103; do visit $n 143; done
}

recipe certificate-incomplete-postfix-openssl 4 "%postfix; %openssl s_client" \
	"the intermediate is not sent: before another server has shown it, and after"
certificate-incomplete-postfix-openssl() {
	pki <<-END
		root ca
		ca ca issuer=root
		leaf issuer=ca
		leaf2 issuer=ca
		leaf3 issuer=ca
	END
	trust root
	postfix_at 101=leaf 102=leaf2+ca 103=leaf3
	capture
	for n in 101 102 103 101; do visit $n 25; done
}

recipe certificate-incomplete-alone-dovecot-openssl 4 "%dovecot; %openssl s_client" \
	"the intermediate is not sent, and nobody else shows it"
certificate-incomplete-alone-dovecot-openssl() {
	pki <<-END
		root ca
		ca ca issuer=root
		leaf issuer=ca
	END
	trust root
	dovecot_at 101=leaf
	capture
	visit 101 143
}

# ---- one fault each; clients that check, clients that do not ----

recipe certificate-self-signed-postfix-swaks 4 "%postfix; %swaks" \
	"self-signed, made as openssl req -x509 does (CA); the client does not check and sends its mail"
certificate-self-signed-postfix-swaks() {
	pki <<-END
		self ca key=rsa cn=mx.example.com o= dns=mx.example.com ku=digitalSignature,keyEncipherment,keyCertSign
	END
	postfix_at 25=self
	capture
	send --tls --tls-protocol tlsv1_2
}

recipe certificate-self-signed-dovecot-curl 6 "%dovecot; %curl" \
	"self-signed; the client checks: fatal alert unknown_ca"
certificate-self-signed-dovecot-curl() {
	V=6
	pki <<-END
		root ca
		self
	END
	trust root
	dovecot_at 25=self
	capture
	imap_curl
}

recipe certificate-untrusted-postfix-postfix 4 "%postfix; %postfix (smtp client)" \
	"from an unknown authority; the client (level may) does not check and sends its mail"
certificate-untrusted-postfix-postfix() {
	pki <<-END
		stranger ca
		ca ca issuer=stranger
		leaf issuer=ca
	END
	postfix_at 25=leaf+ca
	postfix_client "[mx.example.com]" "smtp_tls_security_level = may" "inet_protocols = ipv4"
	capture
	postfix_send
}

recipe certificate-untrusted-dovecot-fetchmail 6 "%dovecot; %fetchmail" \
	"from an unknown authority, its root sent too; the client (sslcertck) checks: fatal alert unknown_ca"
certificate-untrusted-dovecot-fetchmail() {
	V=6
	pki <<-END
		root ca key=rsa
		stranger ca key=rsa
		leaf issuer=stranger key=rsa
	END
	trust root
	dovecot_at 25=leaf+stranger
	fetchmail_rc imap 143 "sslproto TLS1.2" "sslcertck" "sslcertfile $T/pki/root.pem"
	capture
	fetch || true
}

recipe certificate-expired-dovecot-curl 4 "%dovecot; %curl" \
	"110: expired in 2021; the client checks: fatal alert certificate_expired"
certificate-expired-dovecot-curl() {
	pki <<-END
		root ca
		ca ca issuer=root
		leaf issuer=ca to=2021-06-01
	END
	trust root
	dovecot_at 25=leaf+ca
	capture
	pop3_curl
}

recipe certificate-expired-postfix-postfix 6 "%postfix; %postfix (smtp client)" \
	"expired in 2021; the client (level may) does not check and sends its mail"
certificate-expired-postfix-postfix() {
	V=6
	pki <<-END
		root ca
		ca ca issuer=root
		leaf issuer=ca to=2021-06-01
	END
	trust root
	postfix_at 25=leaf+ca
	postfix_client "[mx6.example.com]" "smtp_tls_security_level = may" "inet_protocols = ipv6"
	capture
	postfix_send
}

recipe certificate-not-yet-valid-postfix-curl 4 "%postfix; %curl" \
	"two connections: valid from 2090 only; a client that checks: fatal alert bad_certificate; one that does not (curl -k) sends its mail"
certificate-not-yet-valid-postfix-curl() {
	pki <<-END
		root ca
		ca ca issuer=root
		leaf issuer=ca from=2090
	END
	trust root
	postfix_at 25=leaf+ca
	capture
	certificate_curl
	certificate_curl -k
}

recipe certificate-wrong-name-postfix-curl 4 "%postfix; %curl" \
	"two connections: for another name; a client that checks leaves after the handshake; one that does not (curl -k) sends its mail"
certificate-wrong-name-postfix-curl() {
	pki <<-END
		root ca
		ca ca issuer=root
		leaf issuer=ca cn=mail.example.net dns=mail.example.net,www.example.net
	END
	trust root
	postfix_at 25=leaf+ca
	capture
	certificate_curl
	certificate_curl -k
}

recipe certificate-wrong-name-postfix-swaks 4 "%postfix; %swaks" \
	"the certificate is not for the name in the banner, and the client sends no SNI: which name it wanted is not known; it sends its mail"
certificate-wrong-name-postfix-swaks() {
	pki <<-END
		root ca
		ca ca issuer=root
		leaf issuer=ca cn=mail.example.net dns=mail.example.net,www.example.net
	END
	trust root
	postfix_at 25=leaf+ca
	capture
	send --tls --tls-protocol tlsv1_2
}

recipe certificate-revoked-postfix-curl 4 "%postfix; %curl" \
	"two connections: revoked; a client with the CRL: fatal alert certificate_revoked; one without sends its mail"
certificate-revoked-postfix-curl() {
	pki <<-END
		root ca
		leaf issuer=root
		crl issuer=root crl=leaf
	END
	trust root
	revoke crl
	postfix_at 25=leaf
	capture
	certificate_curl --crlfile "$T/pki/crl.pem"
	certificate_curl
}

recipe certificate-revocation-dovecot-openssl 6 "%dovecot; %openssl s_client" \
	"nine servers: an intermediate revoked; revoked by a CRL that has run out; revoked from 2090 on; a CRL signed by another key; a CRL of another issuer with the same serial; a CRL that names another one; the one with that serial whose issuer's CRL it is; on hold; on hold once, and not any more"
certificate-revocation-dovecot-openssl() {
	V=6
	pki <<-END
		root ca
		ca ca issuer=root
		ca-leaf issuer=ca
		crl-1 issuer=root crl=ca
		ca2 ca issuer=root
		stale issuer=ca2
		crl-2 issuer=ca2 crl=stale to=2023
		ca3 ca issuer=root
		later issuer=ca3
		crl-3 issuer=ca3 crl=later from=2090
		ca4 ca issuer=root
		forged issuer=ca4
		crl-4 issuer=ca4 signer=ca3 crl=forged
		ca5 ca issuer=root
		same issuer=ca5 serial=4711
		ca6 ca issuer=root
		same6 issuer=ca6 serial=4711
		crl-6 issuer=ca6 crl=same6
		ca7 ca issuer=root
		fine issuer=ca7
		notfine issuer=ca7
		crl-7 issuer=ca7 crl=notfine
		ca8 ca issuer=root
		held issuer=ca8
		crl-8 issuer=ca8 crl=held reason=6
		ca9 ca issuer=root
		released issuer=ca9
		crl-9 issuer=ca9 crl=released reason=6 made=2022
		crl-9-later issuer=ca9 crl=- made=2023
	END
	trust root
	revoke crl-1 crl-2 crl-3 crl-4 crl-6 crl-7 crl-8 crl-9 crl-9-later
	dovecot_at 101=ca-leaf+ca 102=stale+ca2 103=later+ca3 104=forged+ca4 105=same+ca5 106=fine+ca7 \
		107=same6+ca6 108=held+ca8 109=released+ca9
	capture
	for n in 101 102 103 104 105 106 107 108 109; do visit $n 143; done
}

recipe certificate-weak-openssl-openssl 4 "%openssl s_server; %openssl s_client" \
	"995, 19 servers: keys of RSA 1024 and 2047, DSA 1024 and 2048, P-192, P-224, a weak intermediate, a weak root; signatures with MD5, SHA-1 (RSA, PSS, ECDSA, DSA, on the intermediate, on the root, on a cross-certificate), SHA-224; a weak certificate that is not on the path"
certificate-weak-openssl-openssl() {
	local n s chains options=(-cipher 'ALL:!aNULL:@SECLEVEL=0' -curves P-256:P-192:P-224)
	old_tls
	pki <<-END
		root ca key=rsa
		ca ca key=rsa issuer=root
		rsa1024 key=rsa:1024 issuer=ca
		rsa2047 key=rsa:2047 issuer=ca
		dsa1024 key=dsa:1024 issuer=ca
		dsa2048 key=dsa:2048 issuer=ca
		p192 key=ec:secp192r1 issuer=ca
		p224 key=ec:secp224r1 issuer=ca
		ca1024 ca key=rsa:1024 issuer=root
		leaf1024 issuer=ca1024
		root1024 ca key=rsa:1024
		leafroot1024 issuer=root1024
		md5 key=rsa issuer=ca digest=md5
		sha1 key=rsa issuer=ca digest=sha1
		sha1pss key=rsa issuer=ca digest=sha1 pss
		eccca ca issuer=root
		sha1ec issuer=eccca digest=sha1
		dsaca ca key=dsa issuer=root
		sha1dsa issuer=dsaca digest=sha1
		ca-sha1 ca issuer=root digest=sha1
		leaf-ca-sha1 issuer=ca-sha1
		root-sha1 ca key=rsa digest=sha1
		leaf-root-sha1 issuer=root-sha1
		sha224 key=rsa issuer=ca digest=sha224
		leaf issuer=ca
		young ca key=rsa
		young-by-root ca issuer=root key=@young as=young digest=sha1
		young-leaf issuer=young
		self1 key=rsa digest=sha1
	END
	trust root root1024 root-sha1
	chains=(rsa1024+ca rsa2047+ca dsa1024+ca dsa2048+ca p192+ca p224+ca leaf1024+ca1024 leafroot1024
		md5+ca sha1+ca sha1pss+ca sha1ec+eccca sha1dsa+dsaca leaf-ca-sha1+ca-sha1 leaf-root-sha1+root-sha1
		sha224+ca young-leaf+young-by-root self1 leaf+ca+root1024)
	n=101
	for s in "${chains[@]}"; do
		openssl_at $n 995 $s "${options[@]}"
		n=$((n + 1))
	done
	capture
	for ((n = 101; n < 101 + ${#chains[@]}; n++)); do visit $n 995 "${options[@]}"; done
}

recipe certificate-purpose-dovecot-openssl 6 "%dovecot; %openssl s_client" \
	"110, 13 servers: extended key usages (client, e-mail, code signing, any, server and e-mail, none, an intermediate for clients only), key usages (none of TLS's, signature only, agreement only), authorities as servers"
certificate-purpose-dovecot-openssl() {
	V=6
	pki <<-END
		root ca
		client issuer=root eku=client
		email issuer=root eku=email
		code issuer=root eku=code,ocsp
		any issuer=root eku=any
		several issuer=root eku=email,server
		none issuer=root no=eku
		client-ca ca issuer=root eku=client
		under-client-ca issuer=client-ca
		sign-certs key=rsa issuer=root ku=keyCertSign
		repudiation key=rsa issuer=root ku=nonRepudiation
		agreement key=rsa issuer=root ku=keyAgreement
		noku issuer=root no=ku,bc,eku
		ca-as-server ca key=rsa issuer=root dns=mx.example.com cn=mx.example.com o=
		tls-ca-as-server ca issuer=root dns=mx.example.com cn=mx.example.com o= ku=digitalSignature,keyCertSign
	END
	trust root
	dovecot_at 101=client 102=email 103=code 104=any 105=several 106=none 107=under-client-ca+client-ca \
		108=sign-certs 109=repudiation 110=agreement 111=noku 112=ca-as-server 113=tls-ca-as-server
	capture
	for n in 101 102 103 104 105 106 107 108 109 110 111 112 113; do visit $n 110; done
}

recipe certificate-several-faults-postfix-swaks 4 "%postfix; %swaks" \
	"six servers, each with several faults at once; the client sends its mail to all"
certificate-several-faults-postfix-swaks() {
	old_tls
	pki <<-END
		root ca key=rsa
		ca ca key=rsa issuer=root
		sub ca key=rsa issuer=ca
		stranger ca key=rsa
		all key=rsa:1024 to=2021 digest=md5 cn=localhost dns=localhost
		weak key=rsa:1024 issuer=ca digest=sha1 to=2021
		revoked issuer=ca eku=client to=2021 dns=old.example.net
		crl issuer=ca crl=revoked
		order issuer=sub from=2090 dns=new.example.net
		strange key=rsa:1024 issuer=stranger from=2090 digest=sha1 dns=new.example.net
		both issuer=ca from=2090 to=2021
	END
	trust root
	revoke crl
	PF=("tls_high_cipherlist = ALL:@SECLEVEL=0" "tls_medium_cipherlist = ALL:@SECLEVEL=0")
	postfix_at 101=all 102=weak+ca 103=revoked+ca 104=order+ca+sub 105=strange+stranger 106=both+ca
	capture
	for n in 101 102 103 104 105 106; do
		SERVER=$(at $n) send --tls --tls-protocol tlsv1_2 --tls-cipher ALL:@SECLEVEL=0 --tls-sni mx.example.com
	done
}

# ---- rules of the path ----

recipe certificate-path-dovecot-openssl 4 "%dovecot; %openssl s_client" \
	"26 servers: name constraints kept and broken (permitted, excluded, addresses, at the root), path lengths kept and exceeded, issuers that are no authority, may not sign, are of version 1, are servers; unknown extensions, critical or not; a wrong signature; an issuer or a root that has expired; an explicit policy wanted"
certificate-path-dovecot-openssl() {
	pki <<-END
		root ca
		nc ca issuer=root permit=example.com
		nc-in issuer=nc dns=mx.example.com
		nc-out issuer=nc dns=mx.example.com,mx.example.net
		nc-not ca issuer=root exclude=mx.example.com
		nc-excluded issuer=nc-not dns=mx.example.com
		nc-dot ca issuer=root permit=.example.com
		nc-dot-in issuer=nc-dot dns=mx.example.com
		nc-ip ca issuer=root permit=192.0.2.0/25
		nc-ip-in issuer=nc-ip dns=mx.example.com ip=192.0.2.105
		nc-ip-out issuer=nc-ip dns=mx.example.com ip=192.0.2.206
		nc-wild issuer=nc-not dns=*.example.com
		nc-root ca permit=example.net
		nc-root-leaf issuer=nc-root
		nc-cn issuer=nc dns= email=postmaster@example.com cn=mx.example.net
		p0 ca issuer=root pathlen=0
		p0-leaf issuer=p0
		p0-ca ca issuer=p0
		p0-ca-leaf issuer=p0-ca
		p0-self ca issuer=p0 as=p0
		p0-self-leaf issuer=p0-self
		p-root ca pathlen=0
		p-root-ca ca issuer=p-root
		p-root-leaf issuer=p-root-ca
		nobc ca issuer=root no=bc
		nobc-leaf issuer=nobc
		notca notca issuer=root ku=digitalSignature
		notca-leaf issuer=notca
		nosign ca issuer=root ku=digitalSignature,cRLSign
		nosign-leaf issuer=nosign
		v1 ca v1 issuer=root
		v1-leaf issuer=v1 no=aki
		v1-root ca v1
		v1-root-leaf issuer=v1-root no=aki
		server issuer=root cn=server.example.com dns=server.example.com
		by-server issuer=server
		crit issuer=root unknown critical=unknown
		notcrit issuer=root unknown
		crit-ca ca issuer=root unknown critical=unknown
		crit-ca-leaf issuer=crit-ca
		forged issuer=root signer=nc
		old-ca ca issuer=root to=2021
		old-ca-leaf issuer=old-ca
		old-root ca to=2021
		old-root-leaf issuer=old-root
		explicit ca issuer=root explicit
		explicit-leaf issuer=explicit
	END
	trust root nc-root p-root v1-root old-root
	dovecot_at 101=nc-in+nc 102=nc-out+nc 103=nc-excluded+nc-not 104=nc-dot-in+nc-dot 105=nc-ip-in+nc-ip \
		106=nc-ip-out+nc-ip 107=nc-wild+nc-not 108=nc-root-leaf 109=nc-cn+nc 110=p0-leaf+p0 \
		111=p0-ca-leaf+p0-ca+p0 112=p0-self-leaf+p0-self+p0 113=p-root-leaf+p-root-ca 114=nobc-leaf+nobc \
		115=notca-leaf+notca 116=nosign-leaf+nosign 117=v1-leaf+v1 118=v1-root-leaf 119=by-server+server \
		120=crit 121=notcrit 122=crit-ca-leaf+crit-ca 123=forged 124=old-ca-leaf+old-ca \
		125=old-root-leaf 126=explicit-leaf+explicit
	capture
	for ((n = 101; n <= 126; n++)); do visit $n 143; done
}

# ---- names ----

recipe certificate-names-postfix-openssl 4 "%postfix; %openssl s_client" \
	"32 servers, the name in SNI: case, wildcards, internationalised names, a name in the CN only, NUL in a name, dots at the end, no name at all, odd names"
certificate-names-postfix-openssl() {
	local cases=() names=() n line sni
	pki <<-'END'
		root ca
		exact issuer=root dns=mx.example.com
		upper issuer=root dns=MX.Example.COM
		last issuer=root dns=a.example.com,b.example.com,mx.example.com
		wild issuer=root dns=*.example.com
		partial issuer=root dns=m*.example.com
		inner issuer=root dns=mx.*.com
		star issuer=root dns=*
		toplevel issuer=root dns=*.com
		double issuer=root dns=*.*.example.com
		idn issuer=root dns=xn--bcher-kva.example.com
		idn-partial issuer=root dns=xn--*.example.com
		idn-raw issuer=root dns=bücher.example.com
		cn issuer=root cn=mx.example.com no=san
		cn-wild issuer=root cn=*.example.com no=san
		cn-other issuer=root cn=mx.example.com dns=other.example.com
		cn-email issuer=root cn=mx.example.com email=postmaster@example.com
		cn-ip issuer=root cn=mx.example.com ip=192.0.2.117
		nul issuer=root 'dns=mx.example.com\x00.evil.example'
		cn-nul issuer=root 'cn=mx.example.com\x00.evil.example' no=san
		dot issuer=root dns=mx.example.com.
		leading-dot issuer=root dns=.example.com
		nothing issuer=root cn= o=Example no=san
		underscore issuer=root dns=mx_1.example.com
		space issuer=root 'dns=mx.example.com '
		host-in-ip issuer=root dns=192.0.2.125
		other issuer=root dns=mail.example.com,mx.example.org,mxexample.com
		long issuer=root dns=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.example.com
	END
	trust root
	while read -r n line sni; do
		cases+=("$n=$line")
		names[n]=$sni
	done <<-END
		101 exact mx.example.com
		102 upper mx.example.com
		103 exact MX.EXAMPLE.COM
		104 last mx.example.com
		105 wild mail.example.com
		106 wild a.mail.example.com
		107 wild example.com
		108 partial mail.example.com
		109 inner mx.example.com
		110 star localhost
		111 toplevel example.com
		112 double a.b.example.com
		113 idn xn--bcher-kva.example.com
		114 wild xn--bcher-kva.example.com
		115 idn-partial xn--bcher-kva.example.com
		116 idn-raw xn--bcher-kva.example.com
		117 cn mx.example.com
		118 cn-wild mx.example.com
		119 cn-other mx.example.com
		120 cn-email mx.example.com
		121 cn-ip mx.example.com
		122 nul mx.example.com
		123 cn-nul mx.example.com
		124 dot mx.example.com
		125 leading-dot mx.example.com
		126 nothing mx.example.com
		127 underscore mx_1.example.com
		128 space mx.example.com
		129 other mx.example.com
		130 long aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.example.com
		131 exact mx.example.com.
		132 host-in-ip 192.0.2.125
	END
	postfix_at "${cases[@]}"
	capture
	for ((n = 101; n <= 132; n++)); do SNI=${names[n]} visit $n 25; done
}

recipe certificate-names-without-sni-postfix-openssl 4 "%postfix; %openssl s_client" \
	"seven servers, no SNI, the name from the banner: a match, a mismatch, in the CN only, an address literal, one label, localhost; a banner without a name, which the answer to EHLO has"
certificate-names-without-sni-postfix-openssl() {
	local n
	pki <<-END
		root ca
		mx issuer=root dns=mx.example.com
		mail issuer=root dns=mail.example.com cn=mail.example.com
		cn issuer=root no=san
		address issuer=root ip=192.0.2.104 cn=192.0.2.104
		short issuer=root dns=mail cn=mail
		localhost issuer=root dns=localhost cn=localhost
	END
	trust root
	postfix_at 101=mx 102=mail 103=cn "104=address -o {smtpd_banner=[192.0.2.104] ESMTP}" \
		"105=short -o myhostname=mail" "106=localhost -o myhostname=localhost" \
		"107=mx -o {smtpd_banner=ESMTP}"
	capture
	for ((n = 101; n <= 107; n++)); do SNI= visit $n 25; done
}

recipe certificate-names-address-openssl-openssl 6 "%openssl s_server; %openssl s_client" \
	"993, two servers, reached by address, no SNI: nobody says which name was meant; a certificate for that address; one for a name"
certificate-names-address-openssl-openssl() {
	V=6
	pki <<-END
		root ca
		address issuer=root ip=2001:db8:2::101 cn=
		host issuer=root
	END
	trust root
	openssl_at 101 993 address
	openssl_at 102 993 host
	capture
	SNI= visit 101 993 -CAfile "$T/pki/root.pem" -verify_ip 2001:db8:2::101 -verify_return_error
	SNI= visit 102 993
}

# ---- odd, but read by all ----

recipe certificate-dates-dovecot-openssl 4 "%dovecot; %openssl s_client" \
	"eight servers: GeneralizedTime where UTCTime belongs, the year 9999, UTCTime of 1950 and 2049, valid for one day only, from 1970, ends before it begins, the first second of 2050"
certificate-dates-dovecot-openssl() {
	pki <<-END
		root ca
		general issuer=root time=general to=2049
		never issuer=root to=9999
		span issuer=root from=1950 to=2049-12-31
		day issuer=root from=2021-06-01 to=2021-06-02
		epoch issuer=root from=1970 to=2049
		inverted issuer=root from=2090 to=2021
		ancient issuer=root from=1950 to=1951
		next issuer=root to=2050
	END
	trust root
	dovecot_at 101=general 102=never 103=span 104=day 105=epoch 106=inverted 107=ancient 108=next
	capture
	for ((n = 101; n <= 108; n++)); do visit $n 143; done
}

recipe certificate-serials-postfix-openssl 6 "%postfix; %openssl s_client" \
	"six servers: serial numbers 0, 1, negative, of 20 and 21 octets, of 100"
certificate-serials-postfix-openssl() {
	V=6
	pki <<-END
		root ca
		zero issuer=root serial=0
		one issuer=root serial=1
		negative issuer=root serial=-4711
		twenty issuer=root serial=0x7fffffffffffffffffffffffffffffffffffffff
		twenty-one issuer=root serial=0xffffffffffffffffffffffffffffffffffffffff
		hundred issuer=root serial=0x$(printf '7f%.0s' {1..100})
	END
	trust root
	postfix_at 101=zero 102=one 103=negative 104=twenty 105=twenty-one 106=hundred
	capture
	for ((n = 101; n <= 106; n++)); do visit $n 25; done
}

# ---- malformed ----

recipe certificate-malformed-openssl-openssl 4 "%openssl s_server; %openssl s_client" \
	"993: certificates that break the rules, and OpenSSL serves and reads them: versions, lengths, times, extensions, the signature"
MALFORMED_READ="version-4 version-1-with-extensions version-1-written length-not-minimal algorithms-differ
	issuer-empty time-without-seconds time-with-offset time-with-fraction time-month-13 time-february-30
	time-second-60 time-letters time-empty time-before-2050-general unknown-extension-twice san-trailing
	bc-pathlen-without-ca eku-empty boolean-one default-written extensions-empty issuer-unique-id
	signature-flipped"
certificate-malformed-openssl-openssl() {
	local n=101 s
	(echo "root ca"; for s in $MALFORMED_READ; do echo "$s issuer=root unknown damage=$s"; done) | pki
	trust root
	for s in $MALFORMED_READ; do
		openssl_at $n 993 $s
		n=$((n + 1))
	done
	capture
	n=101
	for s in $MALFORMED_READ; do
		visit $n 993
		n=$((n + 1))
	done
}

recipe certificate-malformed-script-openssl 4 "%python script; %openssl s_client" \
	"995: certificates that OpenSSL would not serve: no DER, cut short, more behind it, repeated extensions, broken keys, a broken one second in the list, an empty one; the client's alerts"
MALFORMED_RAW="serial-padded serial-empty no-serial name-without-value algorithm-unknown time-not-a-time
	point-off-curve key-unknown key-even-modulus key-negative-modulus key-empty extension-twice
	extension-twice-different san-empty san-garbage san-cut-short san-ip-five-bytes bc-garbage ku-empty
	ku-garbage extensions-not-sequences oid-empty oid-unfinished extra-field cut-short trailing two-in-one
	indefinite empty-sequence empty pem random nested"
certificate-malformed-script-openssl() {
	local n=101 s
	(
		echo "root ca key=rsa"
		for s in $MALFORMED_RAW; do echo "$s key=rsa issuer=root damage=$s"; done
		echo "ca ca key=rsa issuer=root damage=cut-short"
		echo "leaf key=rsa issuer=root"
	) | pki
	trust root
	for s in $MALFORMED_RAW leaf+ca; do
		raw_at $n 995 $s
		n=$((n + 1))
	done
	capture
	n=101
	for s in $MALFORMED_RAW leaf+ca; do
		visit $n 995 -cipher ALL
		n=$((n + 1))
	done
}

# ---- certificates of clients ----

recipe certificate-client-postfix-openssl 4 "%postfix; %openssl s_client" \
	"the server asks: client certificates good, expired, self-signed, for servers only, with a weak key, from an unknown authority, revoked, none"
certificate-client-postfix-openssl() {
	local s rest
	old_tls
	pki <<-END
		root ca
		leaf issuer=root
		ca ca issuer=root
		good issuer=ca cn=client.example.org dns=client.example.org eku=client
		expired issuer=ca cn=client.example.org dns=client.example.org to=2021
		self cn=client.example.org dns=client.example.org
		server issuer=ca cn=client.example.org dns=client.example.org eku=server
		weak issuer=ca key=rsa:1024 cn=client.example.org dns=client.example.org
		stranger ca
		strange issuer=stranger cn=client.example.org dns=client.example.org
		revoked issuer=ca cn=client.example.org dns=client.example.org
		crl issuer=ca crl=revoked
	END
	trust root
	revoke crl
	PF=("smtpd_tls_ask_ccert = yes" "smtpd_tls_CAfile = $T/pki/root.pem" "smtpd_tls_ccert_verifydepth = 9")
	postfix_at 25=leaf
	capture
	for s in good+ca expired+ca self server+ca weak+ca strange+stranger revoked+ca; do
		rest=()
		[ $s = self ] || rest=(-cert_chain "$(chained ${s#*+})")
		visit 25 25 -cert "$T/pki/${s%%+*}.pem" -key "$(key_of $s)" "${rest[@]}" -cipher ALL:@SECLEVEL=0
	done
	visit 25 25
}

recipe certificate-client-refused-openssl-openssl 6 "%openssl s_server; %openssl s_client" \
	"995: the server checks its clients: an expired client certificate, and none: fatal alerts of the server"
certificate-client-refused-openssl-openssl() {
	V=6
	pki <<-END
		root ca
		leaf issuer=root to=2021
		expired issuer=root cn=client.example.org dns=client.example.org to=2021
	END
	trust root
	openssl_at 25 995 leaf -Verify 3 -verify_return_error -CAfile "$T/pki/root.pem"
	capture
	visit 25 995 -cert "$T/pki/expired.pem" -key "$T/pki/expired.key"
	visit 25 995
}

# ---- more clients that check, and how that looks ----

recipe certificate-clients-tls13-postfix-curl 4 "%postfix; %curl" \
	"TLS 1.3, two servers: self-signed, expired; the client checks: its fatal alerts, in the clear, are all that is seen"
certificate-clients-tls13-postfix-curl() {
	pki <<-END
		root ca
		self
		old issuer=root to=2021
	END
	trust root
	PF=("smtpd_tls_protocols = >=TLSv1.3")
	postfix_at 101=self 102=old
	capture
	for n in 101 102; do
		curl_tls --cacert "$T/pki/root.pem" --resolve mx.example.com:25:$(at $n)
	done
}

recipe certificate-clients-tls13-postfix-gnutls 4 "%postfix; GnuTLS gnutls-cli" \
	"TLS 1.3 and a GnuTLS client: self-signed, it checks, its alert is encrypted; the same unchecked"
certificate-clients-tls13-postfix-gnutls() {
	pki <<-END
		root ca
		self
	END
	trust root
	PF=("smtpd_tls_protocols = >=TLSv1.3")
	postfix_at 25=self
	capture
	gnutls_visit
	gnutls_visit --insecure
}

recipe certificate-clients-postfix-gnutls 4 "%postfix; GnuTLS gnutls-cli" \
	"TLS 1.2 and a GnuTLS client: self-signed, it checks: fatal alert; the same unchecked"
certificate-clients-postfix-gnutls() {
	pki <<-END
		root ca
		self
	END
	trust root
	postfix_at 25=self
	capture
	gnutls_visit
	gnutls_visit --insecure
}

gnutls_visit() {
	(sleep .5; printf 'EHLO client.example.org\r\n'; sleep .3; printf 'QUIT\r\n'; sleep .3) |
		cl timeout 10 gnutls-cli --starttls-proto=smtp \
			--x509cafile="$T/pki/root.pem" --sni-hostname=mx.example.com --verify-hostname=mx.example.com \
			--port 25 "$@" "$S4" || true
}

recipe certificate-clients-secure-postfix-postfix 4 "%postfix; %postfix (smtp client)" \
	"self-signed; the client (level secure) checks: it completes the handshake, says QUIT inside and leaves with its mail unsent"
certificate-clients-secure-postfix-postfix() {
	pki <<-END
		root ca
		self
	END
	trust root
	postfix_at 25=self
	postfix_client "[mx.example.com]" "smtp_tls_security_level = secure" "inet_protocols = ipv4" \
		"smtp_tls_CAfile = $T/pki/root.pem"
	capture
	postfix_send
}

recipe certificate-clients-secure-name-postfix-postfix 6 "%postfix; %postfix (smtp client)" \
	"trusted, but for another name; the same client, the same way to leave"
certificate-clients-secure-name-postfix-postfix() {
	V=6
	pki <<-END
		root ca
		leaf issuer=root cn=mail.example.net dns=mail.example.net
	END
	trust root
	postfix_at 25=leaf
	postfix_client "[mx6.example.com]" "smtp_tls_security_level = secure" "inet_protocols = ipv6" \
		"smtp_tls_CAfile = $T/pki/root.pem"
	capture
	postfix_send
}

recipe certificate-clients-postfix-msmtp 4 "%postfix; %msmtp (GnuTLS)" \
	"two connections: wrong name: the client checks and closes after the handshake without a word; then it is told not to check and sends its mail"
certificate-clients-postfix-msmtp() {
	pki <<-END
		root ca
		leaf issuer=root dns=mail.example.net
	END
	trust root
	postfix_at 25=leaf
	capture
	msmtp_send --tls-trust-file="$T/pki/root.pem" || true
	msmtp_send --tls-trust-file= --tls-certcheck=off
}

msmtp_send() {
	message | cl "$EXTRA/usr/bin/msmtp" --host=mx.example.com --source-ip=$C4 --port=25 \
		--domain=client.example.org --tls=on --tls-starttls=on --from=$FROM --file=/dev/null "$@" $RCPT
}

recipe certificate-clients-dovecot-fetchmail 6 "%dovecot; %fetchmail" \
	"self-signed; the client is told not to check (nosslcertck), logs in and fetches its mail"
certificate-clients-dovecot-fetchmail() {
	V=6
	pki <<-END
		self key=rsa
	END
	dovecot_at 25=self
	FETCH_HOST=mx.example.com fetchmail_rc pop3 110 "sslproto TLS1.2" "no sslcertck"
	capture
	fetch
}

recipe certificate-memory-postfix-swaks 4 "%postfix; %swaks" \
	"one server, expired: seen in TLS 1.2, hidden in TLS 1.3 after that, seen again"
certificate-memory-postfix-swaks() {
	pki <<-END
		root ca
		leaf issuer=root to=2021
	END
	trust root
	PF=("smtpd_tls_protocols = >=TLSv1.2")
	postfix_at 25=leaf
	capture
	send --tls --tls-protocol tlsv1_3
	send --tls --tls-protocol tlsv1_2
	send --tls --tls-protocol tlsv1_3
}
