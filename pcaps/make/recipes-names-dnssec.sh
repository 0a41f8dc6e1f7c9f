# DNSSEC: a validating resolver (unbound) on the client's side asks a root, a zone "example" and the domains beneath it,
# each on a server of its own (nsd), so that the whole way from the root is on the wire: referrals with DS, DNSKEY,
# signatures. Sourced by make-captures. Read with --dns --trust-anchors NAME.anchors; what unbound and drill say of the
# same records on the same servers is written to NAME.checked.

ROOT_AT=$S4 EXAMPLE_AT=192.0.2.26 DOMAINS_AT=192.0.2.27

# zone_of NAME ADDRESS [RECORDS]: a zone's file, with its server.
zone_of() {
	local name=$1 at=$2
	printf '%s\n' "\$ORIGIN ${name%.}." "\$TTL 3600" "@ SOA ns hostmaster 1 3600 600 86400 300" \
		"@ NS ns" "ns A $at" "${@:3}" >"${name%.}.zone"
	[ "$name" = . ] && sed -i -e 's/^@ NS ns$/@ NS ns.servers.example-root./' \
		-e 's/^ns A/ns.servers.example-root. A/' -e 's/SOA ns /SOA ns.servers.example-root. /' .zone
	return 0
}

mail_records() {		# mail_records POLICY ALL
	printf '%s\n' "@ MX 10 mx" "mx A $S4" "@ TXT \"v=spf1 mx $2\"" \
		"_dmarc TXT \"v=DMARC1; p=$1\"" "_25._tcp.mx TLSA 3 1 1 $(printf 'ab%.0s' {1..32})"
}

# sign ZONE ALGORITHM [ARGUMENTS]: with a key of each kind (RSA: 2048 bits); the DS is in ZONE.ds.
sign() {
	local zone=$1 bits= k z
	[[ $2 == RSA* ]] && bits="-b 2048"
	# shellcheck disable=SC2086
	k=$(ldns-keygen -k -a "$2" $bits "$zone")
	# shellcheck disable=SC2086
	z=$(ldns-keygen -a "$2" $bits "$zone")
	ldns-signzone "${@:3}" -f "${zone%.}.signed" -o "$zone" "${zone%.}.zone" "$k" "$z"
	cp "$k.ds" "${zone%.}.ds"
}

# serve ADDRESS ZONE...: those that are signed as such.
serve() {
	local at=$1 zone file d
	d=$T/names/at-$at
	mkdir -p "$d"
	ip -n sv addr replace "$at/24" dev s0
	printf '%s\n' "server:" "  ip-address: $at" "  chroot: \"\"" "  username: \"\"" \
		"  zonesdir: \"$T/names\"" "  database: \"\"" "  pidfile: \"\"" "  xfrdfile: \"$d/xfrd\"" \
		"  zonelistfile: \"$d/zones\"" "  xfrdir: \"$d\"" "remote-control:" "  control-enable: no" >"$d/conf"
	for zone in "${@:2}"; do
		file=${zone%.}.signed
		[ -e "$file" ] || file=${zone%.}.zone
		printf '%s\n' "zone:" "  name: \"$zone\"" "  zonefile: \"$file\"" >>"$d/conf"
	done
	sv nsd -c "$d/conf" -d &
}

# A resolver on the client's side, which validates.
resolver() {
	local d=$T/names
	printf '%s\n' ". NS ns.servers.example-root." "ns.servers.example-root. A $ROOT_AT" >"$d/hints"
	printf '%s\n' "server:" "  interface: 127.0.0.1" "  chroot: \"\"" "  username: \"\"" \
		"  directory: \"$d\"" "  pidfile: \"\"" "  use-syslog: no" "  do-ip6: no" \
		"  root-hints: \"$d/hints\"" "  trust-anchor-file: \"$d/anchors\"" \
		"  module-config: \"validator iterator\"" "  prefetch: no" >"$d/resolver.conf"
	printf 'include: "%s"\nremote-control:\n  control-enable: no\n' "$d/resolver.conf" >"$d/unbound.conf"
	for at in $ROOT_AT $EXAMPLE_AT $DOMAINS_AT; do
		for _ in {1..50}; do
			cl dig +tries=1 +time=1 "@$at" SOA . | grep -q status: && break
			sleep .1
		done
	done
}

SECURE="good:ECDSAP256SHA256 rsa:RSASHA256 rsa512:RSASHA512 p384:ECDSAP384SHA384 ed25519:ED25519 ed448:ED448"
OTHERS="broken expired early mismatch sha1 island plain"

dnssec_zones() {
	local d=$T/names name pair signed=()
	mkdir -p "$d" && cd "$d" || return
	for pair in $SECURE; do
		name=${pair%:*}.example
		# shellcheck disable=SC2046
		zone_of "$name" "$DOMAINS_AT" "$(mail_records reject -all)" \
			"*.wild MX 10 mx" "s1._domainkey CNAME s1._domainkey.key" \
			"s1._domainkey.key TXT \"v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\""
		sign "$name" "${pair#*:}"
	done
	for name in $OTHERS; do zone_of "$name.example" $DOMAINS_AT "$(mail_records none "~all")"; done
	sign broken.example ECDSAP256SHA256
	sed -i -E '/\sMX\s+10 /s/10 /11 /' broken.example.signed	# behind the signer's back
	sign expired.example ECDSAP256SHA256 -i 20230101000000 -e 20230201000000
	sign early.example ECDSAP256SHA256 -i "$(date -d '+20 days' +%Y%m%d%H%M%S)" -e "$(date -d '+40 days' +%Y%m%d%H%M%S)"
	sign mismatch.example ECDSAP256SHA256
	sed -i -E 's/([0-9a-f]{8})[0-9a-f]{8}/\100000000/' mismatch.example.ds
	sign sha1.example RSASHA1-NSEC3-SHA1 -n
	sign island.example ECDSAP256SHA256
	rm island.example.ds
	for name in ${SECURE//:*([A-Z0-9])/} $OTHERS; do signed+=("${name%:*}"); done
	zone_of example $EXAMPLE_AT
	for name in "${signed[@]}"; do
		printf '%s\n' "$name NS ns.$name" "ns.$name A $DOMAINS_AT" >>example.zone
		[ -e "$name.example.ds" ] && cat "$name.example.ds" >>example.zone
	done
	sign example ECDSAP256SHA256 -n
	zone_of . $ROOT_AT "example. NS ns.example." "ns.example. A $EXAMPLE_AT" "$(cat example.ds)"
	sign . RSASHA256
	cp .ds anchors
	serve $ROOT_AT .
	serve $EXAMPLE_AT example
	serve $DOMAINS_AT "${signed[@]/%/.example}"
	resolver
}

# What others say of the records of mail on these servers: unbound's library, BIND's delv, and drill, which goes up
# from a signature by itself. delv and drill need a resolver that hands on what does not verify.
checked() {
	local name type owner
	sed -e 's/module-config: .*/module-config: "iterator"/' -e 's/127.0.0.1/127.0.0.2/' \
		"$T/names/unbound.conf" "$T/names/resolver.conf" >"$T/names/plain.conf"
	sed -i -e '/^include/d' "$T/names/plain.conf"
	cl unbound -c "$T/names/plain.conf" -d &
	sleep 1
	printf 'trust-anchors { . static-ds %s; };\n' \
		"$(sed -E 's/.*DS\s+([0-9]+) ([0-9]+) ([0-9]+) (.*)/\1 \2 \3 "\4"/' "$T/anchors")" >"$T/names/delv.conf"
	for name in ${SECURE//:*([A-Z0-9])/} $OTHERS; do
		name=${name%:*}.example
		for type in MX TXT TLSA; do
			owner=$name
			[ $type = TLSA ] && owner=_25._tcp.mx.$name
			printf '%s %s' "$owner" $type
			printf ' unbound=%s' "$(cl unbound-host -C "$T/names/resolver.conf" -v -t $type "$owner" |
				grep -oE '\((secure|insecure)\)|BOGUS' | head -1 | tr -d '()' | tr A-Z a-z)"
			printf ' delv=%s' "$(cl delv -a "$T/names/delv.conf" +root=. @127.0.0.2 "$owner" $type 2>&1 |
				tee -a "$T/delv.log" |
				sed -nE 's/^; fully validated/secure/p; s/^; unsigned answer/insecure/p; s/.*resolution failed.*/bogus/p' | head -1)"
			printf ' drill=%s\n' "$(cl drill -S -k "$T/names/anchors" $type "$owner" @127.0.0.2 2>&1 |
				tee -a "$T/drill.log" | sed -nE 's/.*Chase successful.*/secure/p; s/.*Chase failed.*/not_secure/p' | head -1)"
		done
	done
}

recipe dns-dnssec-nsd-unbound 4 "%nsd; %unbound, %dig" \
	"DNSSEC from a root on: algorithms 7, 8, 10, 13 to 16, a record altered, signatures expired and of the future, a DS that does not fit, an island, an unsigned domain"
dns-dnssec-nsd-unbound() {
	local name
	shopt -s extglob
	dnssec_zones
	capture "port 53"
	cl unbound -c "$T/names/unbound.conf" -d &
	sleep 1
	for name in ${SECURE//:*([A-Z0-9])/} $OTHERS; do
		name=${name%:*}.example
		ask @127.0.0.1 MX "$name"
		ask @127.0.0.1 A "mx.$name"
		ask @127.0.0.1 TLSA "_25._tcp.mx.$name"
		ask @127.0.0.1 TXT "$name"
		ask @127.0.0.1 TXT "_dmarc.$name"
	done
	ask @127.0.0.1 MX any.wild.good.example
	ask +dnssec +norecurse "@$DOMAINS_AT" TXT s1._domainkey.good.example
	capture_stop
	cp anchors "$T/anchors"
	checked >"$T/checked"
}
