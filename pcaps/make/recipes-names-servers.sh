# DNS and mail together: sending servers (Postfix) that look up where to send, with a validating resolver (unbound) of
# their own in front of the tap and an authoritative server (nsd) behind it; and a receiving server that looks up what
# senders publish. Sourced by make-captures. What each session must come to stands in tests/dns/, by hand.

# A server's certificate for a name, by the CA of the others: cert_for FILE NAME
cert_for() {
	openssl req -newkey rsa:2048 -nodes -keyout "$1.key" -out "$1.csr" -subj "/CN=$2" 2>/dev/null
	openssl x509 -req -in "$1.csr" -CA "$PKI/ca.pem" -CAkey "$PKI/ca.key" -days 365 \
		-set_serial "0x$(openssl rand -hex 8)" -out "$1.pem" \
		-extfile <(echo "subjectAltName=DNS:$2"; echo "extendedKeyUsage=serverAuth") 2>/dev/null
	cat "$1.key" "$1.pem" "$PKI/ca.pem" >"$1.chain"
}

# One that signs itself: self_signed FILE NAME
self_signed() {
	openssl req -x509 -newkey rsa:2048 -nodes -keyout "$1.key" -out "$1.pem" -days 365 -subj "/CN=$2" \
		-addext "subjectAltName=DNS:$2" 2>/dev/null
	cat "$1.key" "$1.pem" >"$1.chain"
}

key_hash() { openssl x509 -in "$1" -noout -pubkey | openssl pkey -pubin -outform DER | openssl sha256 -r | cut -d' ' -f1; }
whole_hash() { openssl x509 -in "$1" -outform DER | openssl "${2-sha256}" -r | cut -d' ' -f1; }

# zone NAME: records from standard input, behind the usual head
zone() {
	{
		printf '$ORIGIN %s.\n$TTL 3600\n@ SOA ns hostmaster 1 3600 600 86400 300\n@ NS ns\nns A %s\n' "$1" "$NS_AT"
		cat
	} >"$1.zone"
	ZONES+=("$1")
}

# authority NAMESPACE ADDRESS: nsd with all zones there; those in SIGNED are signed, their keys in anchors.
authority() {
	local z key
	printf '%s\n' "server:" "  ip-address: $2" "  chroot: \"\"" "  username: \"\"" "  zonesdir: \"$PWD\"" \
		"  database: \"\"" "  pidfile: \"\"" "  xfrdfile: \"$PWD/xfrd\"" "  zonelistfile: \"$PWD/zones\"" \
		"remote-control:" "  control-enable: no" >nsd.conf
	: >anchors
	for z in "${ZONES[@]}"; do
		cp "$z.zone" "$z.served"
		if [[ " $SIGNED " == *" $z "* ]]; then
			key=$(ldns-keygen -a ECDSAP256SHA256 -k "$z")
			ldns-signzone -n -f "$z.served" "$z.zone" "$key"
			cat "$key.ds" >>anchors
		fi
		printf '%s\n' "zone:" "  name: $z" "  zonefile: $z.served" >>nsd.conf
	done
	ip netns exec "$1" nsd -c nsd.conf -d &
}

# resolver NAMESPACE AUTHORITY: unbound on the loopback address, where /etc/resolv.conf points. Of the first zone it has
# something in its cache then.
resolver() {
	local z
	printf '%s\n' "server:" "  interface: 127.0.0.1" "  chroot: \"\"" "  username: \"\"" "  directory: \"$PWD\"" \
		"  pidfile: \"\"" "  use-syslog: no" "  trust-anchor-file: \"$PWD/anchors\"" >"unbound-$1.conf"
	for z in "${ZONES[@]}"; do
		[[ " $SIGNED " == *" $z "* ]] || echo "  domain-insecure: $z" >>"unbound-$1.conf"
	done
	for z in "${ZONES[@]}"; do
		printf '%s\n' "stub-zone:" "  name: $z" "  stub-addr: $2" >>"unbound-$1.conf"
	done
	ip netns exec "$1" unbound -c "unbound-$1.conf" -d &
	echo "nameserver 127.0.0.1" >/etc/resolv.conf
	echo "hosts: files dns" >/etc/nsswitch.conf
	for _ in {1..50}; do
		ip netns exec "$1" dig +tries=1 +time=1 @127.0.0.1 SOA "${ZONES[0]}" | grep -q ANSWER: && break
		sleep .1
	done
}

# Mail to each, one after the other, that leaves the queue or stays: mail_to RECIPIENT...
mail_to() {
	local r before
	for r; do
		before=$(grep -c "status=" "$T/pf-cl.log" || true)
		message | cl sendmail -C "$T/pf-cl" -i -f $FROM "$r"
		for _ in {1..200}; do
			[ "$(grep -c 'status=' "$T/pf-cl.log")" -gt "$before" ] && break
			sleep .1
		done
	done
}

# A sending Postfix that finds its way by DNS, and lets the tap see certificates.
sending_server() {
	postfix_client "" "smtp_dns_support_level = $1" "smtp_tls_security_level = $2" "smtp_host_lookup = dns" \
		"smtp_tls_protocols = TLSv1.2" "smtp_tls_mandatory_protocols = TLSv1.2" \
		"smtp_tls_exclude_ciphers = aNULL" "smtp_address_preference = ipv4" "inet_protocols = ipv4" \
		"smtp_connection_cache_on_demand = no"
}

# The server's address for a name: at N
at() { echo "192.0.2.$1"; }

# listener N CHAIN...: a line of master.cf
listener() { echo "@$(at "$1"):25 inet n - n - - smtpd -o smtpd_tls_chain_files=$2"; }

receiving_server() {
	local n
	for n in 26 27 28 29 30 31 32; do ip -n sv addr add "$(at $n)/24" dev s0; done
	postfix_conf pf-sv mx.example.com "smtpd_relay_restrictions = reject_unauth_destination" \
		"relay_domains = ${ZONES[*]}" "relay_transport = discard:" \
		"smtpd_tls_security_level = may" "inet_protocols = ipv4" "$@"
	sv postfix -c "$T/pf-sv" start-fg >"$T/pf-sv.log" 2>&1 &
	wait_port 25
}

recipe dns-mx-postfix-postfix 4 "%postfix; %postfix with %unbound, %nsd" \
	"names of servers by MX: one that the certificate is for, one that it is not for, two of one address, a domain without MX, an alias"
dns-mx-postfix-postfix() {
	local d=$T/names
	mkdir -p "$d" && cd "$d" || return
	ZONES=() SIGNED= NS_AT=$S4
	cert_for good mx.good.example
	cert_for other mail.provider.example
	cert_for two mx.second.example
	cert_for bare bare.example
	zone good.example <<-END
		@ MX 10 mx
		mx A $(at 26)
	END
	zone other.example <<-END
		@ MX 10 mx
		mx A $(at 27)
	END
	zone first.example <<-END
		@ MX 10 mx
		mx A $(at 28)
	END
	zone second.example <<-END
		@ MX 10 mx
		mx A $(at 28)
	END
	zone bare.example <<-END
		@ A $(at 29)
	END
	zone alias.example <<-END
		@ MX 10 mx
		mx CNAME mx.good.example.
	END
	authority sv $S4
	resolver cl $S4
	receiving_server "$(listener 26 "$d/good.chain")" "$(listener 27 "$d/other.chain")" \
		"$(listener 28 "$d/two.chain")" "$(listener 29 "$d/bare.chain")"
	sending_server enabled may
	capture "port 53 or port 25"
	mail_to canary-recipient-91bd@{good,other,first,second,bare,alias}.example
}

recipe dns-dane-postfix-postfix 4 "%postfix; %postfix with %unbound, %nsd" \
	"DANE: TLSA that fits a key, a certificate, an issuer, and that does not; a certificate exchanged"
dns-dane-postfix-postfix() {
	local d=$T/names
	mkdir -p "$d" && cd "$d" || return
	ZONES=() SIGNED="key.example whole.example issuer.example wrong.example pkix.example" NS_AT=$S4
	for z in key whole issuer wrong pkix; do cert_for $z mx.$z.example; done
	self_signed key mx.key.example
	self_signed exchanged mx.key.example
	zone asked.example <<-END
		@ MX 10 mx
	END
	zone key.example <<-END
		@ MX 10 mx
		mx A $(at 26)
		_25._tcp.mx TLSA 3 1 1 $(key_hash key.pem)
	END
	zone whole.example <<-END
		@ MX 10 mx
		mx A $(at 27)
		_25._tcp.mx TLSA 3 0 2 $(whole_hash whole.pem sha512)
	END
	zone issuer.example <<-END
		@ MX 10 mx
		mx A $(at 28)
		_25._tcp.mx TLSA 2 0 1 $(whole_hash "$PKI/ca.pem")
	END
	zone wrong.example <<-END
		@ MX 10 mx
		mx A $(at 29)
		_25._tcp.mx TLSA 3 1 1 $(key_hash whole.pem)
	END
	zone pkix.example <<-END
		@ MX 10 mx
		mx A $(at 30)
		_25._tcp.mx TLSA 1 1 1 $(key_hash pkix.pem)
	END
	authority sv $S4
	resolver cl $S4
	receiving_server "$(listener 26 "$d/key.chain")" "$(listener 27 "$d/whole.chain")" \
		"$(listener 28 "$d/issuer.chain")" "$(listener 29 "$d/wrong.chain")" \
		"$(listener 30 "$d/pkix.chain")"
	sending_server dnssec dane
	capture "port 53 or port 25"
	mail_to canary-recipient-91bd@{key,whole,issuer,wrong,pkix}.example
	cp exchanged.chain key.chain
	sv postfix -c "$T/pf-sv" reload
	sleep 1
	mail_to canary-recipient-91bd@key.example
	cp "$d/anchors" "$T/anchors"
}

# A milter and what it needs: milter NAMESPACE opendkim|opendmarc PORT LINES...
milter() {
	local ns=$1 what=$2 port=$3
	shift 3
	printf '%s\n' "Socket inet:$port@127.0.0.1" "Syslog no" "UserID root" "$@" >"$what-$ns.conf"
	case $what in
	opendkim) ip netns exec "$ns" opendkim -f -x "opendkim-$ns.conf" & ;;
	*) ip netns exec "$ns" opendmarc -f -c "opendmarc-$ns.conf" & ;;
	esac
	wait_port "$port" "$ns"
}

recipe dns-lookups-postfix-postfix 4 "%postfix with %policyd, %opendkim, %opendmarc, %unbound; %postfix with %nsd, %opendkim" \
	"what a receiving server looks up of a sender: SPF, DKIM, DMARC; again, from its resolver's cache; and one in another network that looks up nothing"
dns-lookups-postfix-postfix() {
	local d=$T/names
	mkdir -p "$d" && cd "$d" || return
	ZONES=() SIGNED= NS_AT=$C4
	openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out dkim.key 2>/dev/null
	chmod 600 dkim.key
	DKIM_KEY=$(openssl pkey -in dkim.key -pubout -outform DER | base64 -w 0)
	zone example.org <<-END
		@ MX 10 client
		client A $C4
		@ TXT "v=spf1 ip4:$C4 -all"
		_dmarc TXT "v=DMARC1; p=reject"
		s1._domainkey TXT "v=DKIM1; k=rsa; p=${DKIM_KEY:0:200}" "${DKIM_KEY:200}"
	END
	authority cl $C4
	resolver sv $C4
	ip -n sv addr add 203.0.113.25/24 dev s0
	ip -n cl route add 203.0.113.0/24 dev c0
	milter sv opendkim 8891 "Mode v" "Nameservers 127.0.0.1"
	milter sv opendmarc 8893 "AuthservID mx.example.com"
	milter cl opendkim 8891 "Mode s" "Domain example.org" "Selector s1" "KeyFile $d/dkim.key" \
		"RequireSafeKeys no"
	ZONES=(checks.example trusts.example)
	receiving_server "@$S4:25 inet n - n - - smtpd" \
		"@203.0.113.25:25 inet n - n - - smtpd -o smtpd_milters= -o smtpd_recipient_restrictions=" \
		"@policy unix - n n - 0 spawn user=nobody argv=/usr/bin/policyd-spf" \
		"smtpd_milters = inet:127.0.0.1:8891, inet:127.0.0.1:8893" \
		"smtpd_recipient_restrictions = check_policy_service unix:private/policy"
	postfix_client "" "smtp_tls_security_level = none" "non_smtpd_milters = inet:127.0.0.1:8891" \
		"transport_maps = inline:{checks.example=smtp:[$S4], trusts.example=smtp:[203.0.113.25]}"
	capture "port 53 or port 25"
	mail_to canary-recipient-91bd@{checks,trusts,checks,trusts,trusts}.example
}
