# DNS: what domains publish for their mail, asked by a client of a resolver (unbound), which asks an authoritative
# server (nsd) out of sight. Sourced by make-captures. Read with --dns; what each domain's line must say stands in
# tests/dns/, by hand.

DKIM_KEY=

# A resolver on the server's address, and behind it an authoritative server with one signed zone and one that is not.
names_servers() {
	local d=$T/names zone key
	mkdir -p "$d" && cd "$d" || return
	openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out dkim.key 2>/dev/null
	DKIM_KEY=$(openssl pkey -in dkim.key -pubout -outform DER | base64 -w 0)
	cat >signed.example.zone <<-END
		\$ORIGIN signed.example.
		\$TTL 3600
		@ SOA ns hostmaster 1 3600 600 86400 300
		@ NS ns
		ns A $S4
		@ MX 10 mx
		@ MX 20 mx.plain.example.
		mx A $S4
		mx AAAA $S6
		@ TXT "v=spf1 mx include:_spf.plain.example -all"
		_dmarc TXT "v=DMARC1; p=reject; sp=quarantine; pct=50; rua=mailto:reports@signed.example"
		s1._domainkey TXT "v=DKIM1; k=rsa; p=${DKIM_KEY:0:200}" "${DKIM_KEY:200}"
		old._domainkey TXT "v=DKIM1; p="
		try._domainkey TXT "v=DKIM1; k=ed25519; t=y; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
		_mta-sts TXT "v=STSv1; id=20261127"
		_smtp._tls TXT "v=TLSRPTv1; rua=mailto:tls@signed.example"
		_25._tcp.mx TLSA 3 1 1 $(printf 'ab%.0s' {1..32})
	END
	cat >plain.example.zone <<-END
		\$ORIGIN plain.example.
		\$TTL 3600
		@ SOA ns hostmaster 1 3600 600 86400 300
		@ NS ns
		ns A $S4
		@ MX 10 mx
		mx A $S4
		@ TXT "v=spf1 a mx ptr ~all"
		@ TXT "something else"
		_spf TXT "v=spf1 ip4:192.0.2.0/24 ?all"
		bad TXT "v=spf1 ip4:192.0.2.0/33 -al"
		bad MX 10 mx
		canary-user-3d77._at_ TXT "v=spf1 -all"
		long MX 10 mx
		long TXT "v=spf1 redirect=plain.example"
		long TXT $(for _ in {1..20}; do printf '"%0250d" ' 1; done)
	END
	key=$(ldns-keygen -a ECDSAP256SHA256 -k signed.example)
	ldns-signzone -n signed.example.zone "$key"
	printf '%s\n' "server:" "  ip-address: 127.0.0.1@5353" "  chroot: \"\"" "  username: \"\"" \
		"  zonesdir: \"$d\"" "  database: \"\"" "  pidfile: \"\"" "  xfrdfile: \"$d/xfrd\"" \
		"  zonelistfile: \"$d/zones\"" "remote-control:" "  control-enable: no" \
		"zone:" "  name: signed.example" "  zonefile: signed.example.zone.signed" \
		"zone:" "  name: plain.example" "  zonefile: plain.example.zone" >nsd.conf
	printf '%s\n' "server:" "  interface: $S4" "  interface: $S6" "  chroot: \"\"" "  username: \"\"" \
		"  directory: \"$d\"" "  pidfile: \"\"" "  access-control: 0.0.0.0/0 allow" \
		"  access-control: ::/0 allow" "  do-not-query-localhost: no" "  use-syslog: no" \
		"  trust-anchor-file: \"$d/$key.ds\"" "  domain-insecure: plain.example" \
		"  max-udp-size: 8192" \
		"stub-zone:" "  name: signed.example" "  stub-addr: 127.0.0.1@5353" \
		"stub-zone:" "  name: plain.example" "  stub-addr: 127.0.0.1@5353" >unbound.conf
	sv nsd -c nsd.conf -d &
	sv unbound -c unbound.conf -d &
	for _ in {1..50}; do
		cl dig +tries=1 +time=1 "@$S4" SOA plain.example | grep -q ANSWER: && break
		sleep .1
	done
}

ask() { cl dig +tries=1 +time=3 "$@" >>"$T/answers"; }

# What a sending server and a receiving one ask.
ask_all() {
	local at=@$1 d
	shift
	for d in signed plain; do
		ask "$@" "$at" MX $d.example
		ask "$@" "$at" A mx.$d.example
		ask "$@" "$at" AAAA mx.$d.example
		ask "$@" "$at" TLSA _25._tcp.mx.$d.example
		ask "$@" "$at" TXT $d.example
		ask "$@" "$at" TXT _dmarc.$d.example
		ask "$@" "$at" TXT _mta-sts.$d.example
		ask "$@" "$at" TXT _smtp._tls.$d.example
	done
	for d in s1 old try; do ask "$@" "$at" TXT $d._domainkey.signed.example; done
	ask "$@" "$at" A www.plain.example
	ask "$@" "$at" TXT _spf.plain.example
	ask "$@" "$at" MX bad.plain.example
	ask "$@" "$at" TXT bad.plain.example
	ask "$@" "$at" TXT canary-user-3d77._at_.plain.example
	ask "$@" "$at" MX not-there.plain.example
}

recipe dns-publish-unbound-dig 4 "%unbound, %nsd; %dig" \
	"what domains publish for mail: MX, SPF, DMARC, DKIM, MTA-STS, TLS reports, TLSA; signed and not"
dns-publish-unbound-dig() {
	names_servers
	capture "port 53"
	ask_all $S4 +dnssec
}

recipe dns-publish-tcp-unbound-dig 6 "%unbound, %nsd; %dig" \
	"the same by TCP, several questions in a connection"
dns-publish-tcp-unbound-dig() {
	names_servers
	capture "port 53"
	ask_all $S6 +tcp
	ask +tcp +keepopen "@$S6" MX signed.example TXT plain.example TXT long.plain.example
}

recipe dns-fragments-unbound-dig 4 "%unbound, %nsd; %dig" \
	"an answer of 5 KB in fragments of IP, and one that is truncated and asked for again by TCP"
dns-fragments-unbound-dig() {
	names_servers
	capture "port 53 or ip[6:2] & 0x1fff != 0"
	ask "@$S4" MX long.plain.example
	ask +bufsize=8192 "@$S4" TXT long.plain.example
	ask +noedns "@$S4" TXT s1._domainkey.signed.example
	ask "@$S4" MX plain.example
}
