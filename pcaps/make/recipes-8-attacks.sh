# Attacks on STARTTLS, and honest traffic that looks like them. Sourced by make-captures. What each
# session must come to stands in attacks/expected.json, by hand.
#
# client cl, in two networks -- c0 m0 (router mb, where the attacker sits) m1 s0 -- server sv
#
# strip.py on the router takes the place of both sides and keeps their addresses, so that each tap sees one
# whole connection. Unless a recipe says otherwise the tap is on the client's side of it. Most captures
# begin with sessions that nobody touches, from clients in both networks: without them a server that does
# not offer STARTTLS is one that does not offer STARTTLS.

# A second client network, and a second client in the first
D4=203.0.113.10 D6=2001:db8:3::10 E4=198.51.100.11

ROUTER="tap: client's side"

# ---- the network -----------------------------------------------------------

mb() { ip netns exec mb "$@"; }

middle() {
	local n d
	ip netns add mb
	ip -n cl link del c0
	ip link add c0 netns cl type veth peer name m0 netns mb
	ip link add s0 netns sv type veth peer name m1 netns mb
	ip -n cl link set c0 address 02:00:00:00:00:0a
	ip -n sv link set s0 address 02:00:00:00:00:19
	ip -n mb link set m0 address 02:00:00:00:00:01
	ip -n mb link set m1 address 02:00:00:00:00:02
	ip -n mb link set lo up
	mb sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 net.ipv4.conf.all.rp_filter=0
	for n in cl:c0 sv:s0 mb:m0 mb:m1; do
		d=${n#*:}; n=${n%:*}
		ip netns exec $n "$EXTRA/sbin/ethtool" -K $d tso off gso off gro off tx off >/dev/null
		ip netns exec $n sysctl -qw "net.ipv6.conf.$d.router_solicitations=0" "net.ipv6.conf.$d.accept_dad=0"
		ip -n $n link set $d up
	done
	for d in $C4/24 $E4/24 $D4/24; do ip -n cl addr add $d dev c0; done
	for d in $C6/64 $D6/64; do ip -n cl addr add $d dev c0 nodad; done
	ip -n sv addr add $S4/24 dev s0; ip -n sv addr add $S6/64 dev s0 nodad
	ip -n mb addr add 198.51.100.1/24 dev m0; ip -n mb addr add 203.0.113.1/24 dev m0
	ip -n mb addr add 192.0.2.1/24 dev m1
	ip -n mb addr add 2001:db8:1::1/64 dev m0 nodad; ip -n mb addr add 2001:db8:3::1/64 dev m0 nodad
	ip -n mb addr add 2001:db8:2::1/64 dev m1 nodad
	ip -n cl route add default via 198.51.100.1 src $C4
	ip -n cl route add default via 2001:db8:1::1 src $C6
	ip -n sv route add default via 192.0.2.1
	ip -n sv route add default via 2001:db8:2::1
	for n in 4 6; do
		ip -n mb -$n rule add fwmark 1 lookup 100
		ip -n mb -$n route add local default dev lo table 100
	done
	mb nft -f - <<-END
		table inet way {
			chain in {
				type filter hook prerouting priority mangle;
				iifname "m1" meta l4proto tcp socket transparent 1 meta mark set 1 accept
			}
			chain through {
				type filter hook forward priority 0;
			}
		}
	END
	reach $S4
}

STRIPS=0
# strip CLIENT PORT VECTOR...: from now on this client's connections to the port go through strip.py
strip() {
	local client=$1 port=$2 own=$((10000 + STRIPS++)) ip=ip to
	shift 2
	to=127.0.0.1:$own
	[[ $client != *:* ]] || { ip=ip6; to="[::1]:$own"; }
	mb /usr/bin/python3 "$HERE/strip.py" $own "$@" >"$T/strip.$own" 2>&1 &
	wait_port $own mb
	mb nft insert rule inet way in iifname "m0" $ip saddr "$client" tcp dport "$port" \
		tproxy $ip to "$to" meta mark set 1 accept
}

let_pass() {			# nobody in the middle any more
	mb nft flush chain inet way in
}

# forger ARGUMENTS...: the wire is forge.py's
forger() {
	way_with forge.py "$@"
	ip -n cl addr add $D4/24 dev c0
	ip -n sv route add 203.0.113.0/24 dev s0
}

# ---- servers and clients ---------------------------------------------------

# TLS 1.2 with a small certificate: the tap sees it
SMALL=("$MAY" "$ECDSA" "smtpd_tls_protocols = TLSv1.2")
SMALL_DV=("auth_mechanisms = plain login" "ssl_cert = <${WORK-}/pki/ecdsa-chain.pem" "ssl_key = <${WORK-}/pki/ecdsa.key")

smtp_from() { local a=$1; shift; send --local-interface "$a" "$@" || true; }
submit_from() { smtp_from "$@" --port 587 --auth PLAIN --auth-user $LOGIN --auth-password $PASS; }

# imap_from ADDRESS [OPTIONS] and pop3_from: curl as a mail client that takes the first mail
imap_from() {
	local a=$1
	shift
	cl curl -sS --interface "$a" --tls-max 1.2 --cacert "$PKI/root.pem" -u "$LOGIN:$PASS" \
		--max-time 20 "imap://${HOST-$(server_of "$a" imap)}/INBOX;MAILINDEX=1" "$@" || true
}
pop3_from() {
	local a=$1
	shift
	cl curl -sS --interface "$a" --tls-max 1.2 --cacert "$PKI/root.pem" -u "$LOGIN:$PASS" \
		--max-time 20 "pop3://${HOST-$(server_of "$a" pop)}/1" "$@" || true
}
server_of() { if [[ $1 == *:* ]]; then echo mx6.example.com; else echo "$2.example.com"; fi; }

# good COMMAND OPTIONS...: three sessions from each network, that nobody touches
good() {
	local a first=$1
	shift
	for a in ${GOOD-$C4 $D4 $E4 $D4 $C4 $D4}; do $first "$a" "$@"; done
}
good_smtp() { good smtp_from --tls; }
good_submission() { good submit_from --tls; }
good_imap() { good imap_from --ssl-reqd; }
good_pop3() { good pop3_from --ssl-reqd; }

# fetch_from ADDRESS: fetchmail has no option for its address
fetch_from() {
	ip -n cl route replace 192.0.2.0/24 via 198.51.100.1 src "$1"
	fetch
	ip -n cl route del 192.0.2.0/24
}

# A Postfix as client, which comes again without TLS where TLS failed
mta() { postfix_client "[mx.example.com]" "smtp_tls_security_level = may" "inet_protocols = ipv4" \
	"smtp_tls_protocols = TLSv1.2" "minimal_backoff_time = 1s" "maximal_backoff_time = 2s" \
	"queue_run_delay = 1s" "$@"; }
mta_send() {
	local i
	: >"$T/pf-cl.log"
	postfix_send
	for ((i = 0; i < 100; i++)); do
		! grep -q 'status=sent' "$T/pf-cl.log" || return 0
		sleep .2
	done
	return 1
}

# ---- the offer is taken out of the list ------------------------------------

recipe attack-remove-postfix-swaks 4 "%postfix; %swaks" \
	"25: six sessions with TLS from two networks; then STARTTLS is taken out of the EHLO answer, the rest stays: twice from one client, between them a good one from the other network ($ROUTER)"
attack-remove-postfix-swaks() {
	middle; postfix_server "${SMALL[@]}"
	capture
	good_smtp
	strip $C4 25 remove
	smtp_from $C4 --tls-optional
	smtp_from $D4 --tls
	smtp_from $C4 --tls-optional
}

recipe attack-remove-postfix-postfix 4 "%postfix; %postfix (smtp client), %swaks" \
	"25, server to server: STARTTLS with TLS, also by others; then it is taken out of the EHLO answer ($ROUTER)"
attack-remove-postfix-postfix() {
	middle; postfix_server "${SMALL[@]}"
	mta
	capture
	good_smtp
	mta_send
	strip $C4 25 remove
	mta_send
}

recipe attack-remove-submission-postfix-swaks 4 "%postfix, %dovecot (SASL); %swaks" \
	"587: six good sessions; then STARTTLS is taken out of the EHLO answer and AUTH PLAIN goes in clear ($ROUTER)"
attack-remove-submission-postfix-swaks() {
	middle; submission "${SMALL[@]}"
	capture
	good_submission
	strip $C4 587 remove
	submit_from $C4 --tls-optional
}

recipe attack-remove-imap-dovecot-curl 4 "%dovecot; %curl" \
	"143: six good sessions; then STARTTLS is taken out of greeting and CAPABILITY, the log-in goes in clear ($ROUTER)"
attack-remove-imap-dovecot-curl() {
	middle; dovecot_server "${SMALL_DV[@]}"
	capture
	good_imap
	strip $C4 143 remove
	imap_from $C4 --ssl
}

recipe attack-remove-imap-logindisabled-dovecot-curl 4 "%dovecot; %curl" \
	"143: six good sessions; then STARTTLS and LOGINDISABLED are taken out: the client sends its password, which the server refuses ($ROUTER)"
attack-remove-imap-logindisabled-dovecot-curl() {
	middle; dovecot_server "${SMALL_DV[@]}" "disable_plaintext_auth = yes"
	capture
	good_imap
	strip $C4 143 remove LOGINDISABLED
	imap_from $C4 --ssl
}

recipe attack-remove-pop3-dovecot-curl 4 "%dovecot; %curl" \
	"110: six good sessions; then STLS is taken out of CAPA's answer ($ROUTER)"
attack-remove-pop3-dovecot-curl() {
	middle; dovecot_server "${SMALL_DV[@]}"
	capture
	good_pop3
	strip $C4 110 remove
	pop3_from $C4 --ssl
}

recipe attack-remove-server-side-postfix-swaks 4 "%postfix; %swaks" \
	"25: the same attack seen from behind: STARTTLS stands in the EHLO answer, and a client that always took it does not (tap: server's side)"
attack-remove-server-side-postfix-swaks() {
	middle; postfix_server "${SMALL[@]}"
	NS=sv DEV=s0 capture
	GOOD="$C4 $D4 $C4 $C4 $D4 $C4" good_smtp
	strip $C4 25 remove
	smtp_from $C4 --tls-optional
}

recipe attack-remove-one-network-postfix-swaks 4 "%postfix; %swaks" \
	"25: six good sessions; then STARTTLS is taken out for one client network, while the other still gets it, in turns ($ROUTER)"
attack-remove-one-network-postfix-swaks() {
	middle; postfix_server "${SMALL[@]}"
	capture
	good_smtp
	strip 198.51.100.0/24 25 remove
	smtp_from $D4 --tls-optional
	smtp_from $C4 --tls-optional
	smtp_from $D4 --tls-optional
	smtp_from $E4 --tls-optional
}

recipe attack-remove-one-network-pop3-dovecot-curl 6 "%dovecot; %curl" \
	"110, IPv6: six good sessions; then STLS is taken out for one client network and not for the other ($ROUTER)"
attack-remove-one-network-pop3-dovecot-curl() {
	middle; dovecot_server "${SMALL_DV[@]}"
	capture
	GOOD="$C6 $D6 $C6 $D6 $C6 $D6" good_pop3
	strip 2001:db8:1::/64 110 remove
	pop3_from $D6 --ssl
	pop3_from $C6 --ssl
	pop3_from $D6 --ssl
}

recipe attack-remove-alone-postfix-swaks 4 "%postfix; %swaks" \
	"25: STARTTLS is taken out, and nothing was seen before: no tap can tell that from a server that has none ($ROUTER)"
attack-remove-alone-postfix-swaks() {
	middle; postfix_server "${SMALL[@]}"
	strip $C4 25 remove
	capture
	smtp_from $C4 --tls-optional
}

# ---- filler in its place ---------------------------------------------------

recipe attack-garble-x-postfix-swaks 4 "%postfix; %swaks" \
	"25: XXXXXXXX stands where STARTTLS stood ($ROUTER)"
attack-garble-x-postfix-swaks() {
	middle; postfix_server "${SMALL[@]}"
	strip $C4 25 garble XXXXXXXX
	capture
	smtp_from $C4 --tls-optional
}

recipe attack-garble-xa-postfix-postfix 4 "%postfix; %postfix (smtp client), %swaks" \
	"25: six good sessions of others; then XXXXXXXA stands where STARTTLS stood ($ROUTER)"
attack-garble-xa-postfix-postfix() {
	middle; postfix_server "${SMALL[@]}"
	mta
	capture
	good_smtp
	strip $C4 25 garble XXXXXXXA
	mta_send
}

recipe attack-garble-asterisks-postfix-exim 4 "%postfix; %exim (smtp client)" \
	"25: ******** stands where STARTTLS stood ($ROUTER)"
attack-garble-asterisks-postfix-exim() {
	middle; postfix_server "${SMALL[@]}"
	strip $C4 25 garble '********'
	capture
	exim_send $S4
}

recipe attack-garble-startxxx-submission-postfix-swaks 4 "%postfix, %dovecot (SASL); %swaks" \
	"587: STARTXXX stands where STARTTLS stood, AUTH PLAIN in clear ($ROUTER)"
attack-garble-startxxx-submission-postfix-swaks() {
	middle; submission "${SMALL[@]}"
	strip $C4 587 garble STARTXXX
	capture
	submit_from $C4 --tls-optional
}

recipe attack-garble-imap-dovecot-curl 4 "%dovecot; %curl" \
	"143: XXXXXXXX in the place of STARTTLS in the greeting's list and in CAPABILITY's ($ROUTER)"
attack-garble-imap-dovecot-curl() {
	middle; dovecot_server "${SMALL_DV[@]}"
	strip $C4 143 garble XXXXXXXX
	capture
	imap_from $C4 --ssl
}

recipe attack-garble-imap-known-dovecot-curl 4 "%dovecot; %curl" \
	"143: six good sessions; then ******** in the place of STARTTLS ($ROUTER)"
attack-garble-imap-known-dovecot-curl() {
	middle; dovecot_server "${SMALL_DV[@]}"
	capture
	good_imap
	strip $C4 143 garble '********'
	imap_from $C4 --ssl
}

recipe attack-garble-pop3-dovecot-curl 4 "%dovecot; %curl" \
	"110: XXXX in the place of STLS ($ROUTER)"
attack-garble-pop3-dovecot-curl() {
	middle; dovecot_server "${SMALL_DV[@]}"
	strip $C4 110 garble XXXX
	capture
	pop3_from $C4 --ssl
}

# ---- a "fixup" firewall ----------------------------------------------------

recipe attack-banner-postfix-postfix 4 "%postfix; %postfix (smtp client)" \
	"25: the greeting is overwritten with asterisks; the client says HELO and sends its mail in clear ($ROUTER)"
attack-banner-postfix-postfix() {
	middle; postfix_server "${SMALL[@]}"
	mta
	strip $C4 25 banner
	capture
	mta_send
}

recipe attack-banner-garble-postfix-swaks 4 "%postfix; %swaks" \
	"25: asterisks in the greeting, and XXXXXXXX for STARTTLS in the list ($ROUTER)"
attack-banner-garble-postfix-swaks() {
	middle; postfix_server "${SMALL[@]}"
	strip $C4 25 banner-garble XXXXXXXX
	capture
	smtp_from $C4 --tls-optional
}

recipe attack-fixup-postfix-swaks 4 "%postfix; %swaks" \
	"25: six good sessions; then asterisks in the greeting, and EHLO reaches the server as XXXX: 500, HELO ($ROUTER)"
attack-fixup-postfix-swaks() {
	middle; postfix_server "${SMALL[@]}"
	capture
	good_smtp
	strip $C4 25 fixup
	smtp_from $C4 --tls-optional
}

# ---- STARTTLS is answered by somebody else ---------------------------------

recipe attack-answer-200-postfix-swaks 4 "%postfix; %swaks" \
	"25: STARTTLS answered with \`200 STRIPTLS\`, the mail goes in clear ($ROUTER)"
attack-answer-200-postfix-swaks() {
	middle; postfix_server "${SMALL[@]}"
	strip $C4 25 answer "200 STRIPTLS"
	capture
	smtp_from $C4 --tls-optional
}

recipe attack-answer-454-postfix-postfix 4 "%postfix; %postfix (smtp client), %swaks" \
	"25: six good sessions of others; then STARTTLS is answered 454, the mail goes in clear ($ROUTER)"
attack-answer-454-postfix-postfix() {
	middle; postfix_server "${SMALL[@]}"
	mta
	capture
	good_smtp
	strip $C4 25 answer "454 TLS not available due to temporary reason"
	mta_send
}

recipe attack-answer-454-alone-postfix-swaks 4 "%postfix; %swaks" \
	"25: STARTTLS is answered 454, and nothing was seen before: as an honest server does whose TLS is broken ($ROUTER)"
attack-answer-454-alone-postfix-swaks() {
	middle; postfix_server "${SMALL[@]}"
	strip $C4 25 answer "454 TLS not available due to temporary reason"
	capture
	smtp_from $C4 --tls-optional
}

recipe attack-answer-501-postfix-swaks 4 "%postfix; %swaks" \
	"25: six good sessions; then STARTTLS is answered \`501 Syntax error\` ($ROUTER)"
attack-answer-501-postfix-swaks() {
	middle; postfix_server "${SMALL[@]}"
	capture
	good_smtp
	strip $C4 25 answer "501 Syntax error"
	smtp_from $C4 --tls-optional
}

recipe attack-answer-502-postfix-postfix 4 "%postfix; %postfix (smtp client)" \
	"25: STARTTLS offered, then answered as not implemented (502), the mail goes in clear ($ROUTER)"
attack-answer-502-postfix-postfix() {
	middle; postfix_server "${SMALL[@]}"
	mta
	strip $C4 25 answer "502 5.5.1 Command not implemented"
	capture
	mta_send
}

recipe attack-answer-500-submission-postfix-swaks 4 "%postfix, %dovecot (SASL); %swaks" \
	"587: STARTTLS offered, then answered as unknown (500), AUTH PLAIN in clear ($ROUTER)"
attack-answer-500-submission-postfix-swaks() {
	middle; submission "${SMALL[@]}"
	strip $C4 587 answer "500 5.5.1 Command unrecognized"
	capture
	submit_from $C4 --tls-optional
}

recipe attack-answer-bad-imap-dovecot-curl 4 "%dovecot; %curl" \
	"143: STARTTLS offered, then answered \`BAD unknown command\`, the log-in goes in clear ($ROUTER)"
attack-answer-bad-imap-dovecot-curl() {
	middle; dovecot_server "${SMALL_DV[@]}"
	strip $C4 143 answer "BAD unknown command"
	capture
	imap_from $C4 --ssl
}

recipe attack-answer-no-imap-dovecot-curl 4 "%dovecot; %curl" \
	"143: six good sessions; then STARTTLS is answered NO ($ROUTER)"
attack-answer-no-imap-dovecot-curl() {
	middle; dovecot_server "${SMALL_DV[@]}"
	capture
	good_imap
	strip $C4 143 answer "NO [UNAVAILABLE] TLS is not available at the moment."
	imap_from $C4 --ssl
}

recipe attack-answer-unknown-pop3-dovecot-curl 4 "%dovecot; %curl" \
	"110: STLS offered, then answered \`-ERR unknown command\` ($ROUTER)"
attack-answer-unknown-pop3-dovecot-curl() {
	middle; dovecot_server "${SMALL_DV[@]}"
	strip $C4 110 answer "-ERR unknown command"
	capture
	pop3_from $C4 --ssl
}

recipe attack-answer-err-pop3-dovecot-curl 4 "%dovecot; %curl" \
	"110: six good sessions; then STLS is answered \`-ERR [SYS/TEMP]\` ($ROUTER)"
attack-answer-err-pop3-dovecot-curl() {
	middle; dovecot_server "${SMALL_DV[@]}"
	capture
	good_pop3
	strip $C4 110 answer "-ERR [SYS/TEMP] TLS is not available at the moment."
	pop3_from $C4 --ssl
}

# ---- EHLO is refused -------------------------------------------------------

recipe attack-noehlo-postfix-swaks 4 "%postfix; %swaks" \
	"25: six good sessions; then EHLO is answered 502, the client says HELO and sends its mail in clear ($ROUTER)"
attack-noehlo-postfix-swaks() {
	middle; postfix_server "${SMALL[@]}"
	capture
	good_smtp
	strip $C4 25 noehlo
	smtp_from $C4 --tls-optional
}

recipe attack-noehlo-alone-postfix-postfix 4 "%postfix; %postfix (smtp client)" \
	"25: EHLO is answered 502, HELO, the mail in clear; nothing was seen before ($ROUTER)"
attack-noehlo-alone-postfix-postfix() {
	middle; postfix_server "${SMALL[@]}"
	mta
	strip $C4 25 noehlo
	capture
	mta_send
}

# ---- somebody else's certificate -------------------------------------------

# intercepting TRUSTED: certificates for the server, and one for the attacker
intercepting() {
	pki <<-END
		root ca
		mine issuer=root key=ec cn=mx.example.com dns=mx.example.com,mail.example.com,imap.example.com,pop.example.com
		self key=ec cn=mx.example.com dns=mx.example.com,mail.example.com
		rogue ca
		forged issuer=rogue key=ec cn=mx.example.com dns=mx.example.com,imap.example.com
	END
	trust root
}

recipe attack-intercept-postfix-swaks 4 "%postfix; %swaks" \
	"25: six sessions with a good certificate; then somebody ends TLS with a self-signed one of the same name, and the mail goes on ($ROUTER)"
attack-intercept-postfix-swaks() {
	intercepting; middle
	postfix_at "25=mine"
	capture
	good_smtp
	strip $C4 25 intercept "$T/pki/self.pem" "$T/pki/self.key"
	smtp_from $C4 --tls
	smtp_from $D4 --tls
}

recipe attack-intercept-imap-dovecot-curl 4 "%dovecot; %curl" \
	"143: six sessions with a good certificate; then one by an unknown authority for a client that does not check, and for one that does and leaves ($ROUTER)"
attack-intercept-imap-dovecot-curl() {
	intercepting; middle
	dovecot_at "25=mine"
	capture
	good imap_from --ssl-reqd --cacert "$T/pki/root.pem"
	strip 198.51.100.0/24 143 intercept "$(chained forged+rogue)" "$T/pki/forged.key"
	imap_from $C4 --ssl-reqd -k
	imap_from $E4 --ssl-reqd --cacert "$T/pki/root.pem"
}

recipe attack-intercept-implicit-dovecot-curl 4 "%dovecot; %curl" \
	"993: six sessions with a good certificate; then a self-signed one for a client that does not check ($ROUTER)"
attack-intercept-implicit-dovecot-curl() {
	intercepting; middle
	dovecot_at "25=mine"
	capture
	good imaps_from --cacert "$T/pki/root.pem"
	strip $C4 993 intercept "$T/pki/self.pem" "$T/pki/self.key"
	imaps_from $C4 -k
}

imaps_from() {
	local a=$1
	shift
	cl curl -sS --interface "$a" --tls-max 1.2 --cacert "$PKI/root.pem" -u "$LOGIN:$PASS" \
		--max-time 20 "imaps://imap.example.com/INBOX;MAILINDEX=1" "$@" || true
}

recipe attack-intercept-pop3-dovecot-curl 4 "%dovecot; %curl" \
	"110: six sessions with a certificate of an authority that nobody trusts; then a self-signed one ($ROUTER)"
attack-intercept-pop3-dovecot-curl() {
	intercepting; middle
	dovecot_at "25=forged+rogue"
	capture
	good pop3_from --ssl-reqd -k
	strip $C4 110 intercept "$T/pki/self.pem" "$T/pki/self.key"
	pop3_from $C4 --ssl-reqd -k
}

# ---- bytes in the clear around STARTTLS ------------------------------------

BEHIND="tap: server's side"

recipe attack-insert-command-postfix-swaks 4 "%postfix; %swaks" \
	"25: commands put in clear behind the client's STARTTLS (Postfix throws them away) ($BEHIND)"
attack-insert-command-postfix-swaks() {
	middle; postfix_server "${SMALL[@]}"
	strip $C4 25 insert-command "MAIL FROM:<$FROM>\r\nRCPT TO:<$RCPT>\r\nDATA\r\n"
	NS=sv DEV=s0 capture
	smtp_from $C4 --tls
}

recipe attack-insert-command-imap-dovecot-curl 4 "%dovecot; %curl" \
	"143: a log-in of the attacker's put in clear behind STARTTLS; Dovecot takes it for TLS and closes ($BEHIND)"
attack-insert-command-imap-dovecot-curl() {
	middle; dovecot_server "${SMALL_DV[@]}"
	strip $C4 143 insert-command "z1 LOGIN $LOGIN $PASS\r\n"
	NS=sv DEV=s0 capture
	imap_from $C4 --ssl-reqd
}

recipe attack-insert-command-pop3-dovecot-curl 4 "%dovecot; %curl" \
	"110: a log-in of the attacker's put in clear behind STLS ($BEHIND)"
attack-insert-command-pop3-dovecot-curl() {
	middle; dovecot_server "${SMALL_DV[@]}"
	strip $C4 110 insert-command "USER $LOGIN\r\nPASS $PASS\r\n"
	NS=sv DEV=s0 capture
	pop3_from $C4 --ssl-reqd
}

recipe attack-insert-reply-postfix-swaks 4 "%postfix; %swaks" \
	"25: an EHLO answer put in clear behind the server's 220, before TLS ($ROUTER)"
attack-insert-reply-postfix-swaks() {
	middle; postfix_server "${SMALL[@]}"
	strip $C4 25 insert-reply '250-mx.example.com\r\n250 AUTH PLAIN LOGIN\r\n'
	capture
	smtp_from $C4 --tls
}

recipe attack-insert-reply-imap-dovecot-curl 4 "%dovecot; %curl" \
	"143: a CAPABILITY line put in clear behind the server's OK, before TLS ($ROUTER)"
attack-insert-reply-imap-dovecot-curl() {
	middle; dovecot_server "${SMALL_DV[@]}"
	strip $C4 143 insert-reply '* CAPABILITY IMAP4rev1 AUTH=PLAIN\r\nA003 OK done\r\n'
	capture
	imap_from $C4 --ssl-reqd
}

recipe attack-insert-reply-pop3-dovecot-script 4 "%dovecot; %openssl s_client" \
	"110: an answer put in clear behind the server's +OK, before TLS ($ROUTER)"
attack-insert-reply-pop3-dovecot-script() {
	middle; dovecot_server "${SMALL_DV[@]}"
	strip $C4 110 insert-reply '+OK\r\n'
	capture
	(sleep .3; printf 'QUIT\r\n'; sleep .3) |
		ossl 110 -starttls pop3 -tls1_2 -quiet -no_ign_eof -servername pop.example.com || true
}

# ---- greetings -------------------------------------------------------------

recipe attack-preauth-imap-dovecot-curl 4 "%dovecot; %curl" \
	"143: six sessions greeted with OK; then a client is led to another server that greets with PREAUTH, and uploads its mail there in clear ($ROUTER)"
attack-preauth-imap-dovecot-curl() {
	middle; dovecot_server "${SMALL_DV[@]}"
	cat >"$T/preauth" <<-END
		#!/bin/sh
		exec setpriv --reuid=vmail --regid=vmail --clear-groups env CONFIG_FILE= USER=$LOGIN \
			HOME=$T/mail/$LOGIN /usr/lib/dovecot/imap -c $T/dv/dovecot.conf
	END
	chmod 755 "$T/preauth"
	chmod -R a+rX "$T/dv"; chmod 755 "$T/dv/run" 2>/dev/null || true
	sv "$EXTRA/usr/bin/socat" TCP4-LISTEN:1143,reuseaddr,fork EXEC:"$T/preauth" 2>"$T/socat.log" &
	wait_port 1143
	message | crlf >"$T/upload"
	capture
	good_imap
	strip $C4 143 --to $S4:1143 pass
	cl curl -sS --ssl --tls-max 1.2 --interface $C4 -u "$LOGIN:$PASS" --max-time 20 \
		-T "$T/upload" "imap://imap.example.com/INBOX" || true
}

recipe attack-imap2-dovecot-script 4 "%dovecot; %python script" \
	"143: the greeting is overwritten with one of IMAP2, without \`* \`; the client takes it and logs in in clear ($ROUTER)"
attack-imap2-dovecot-script() {
	middle; dovecot_server "${SMALL_DV[@]}"
	strip $C4 143 greet "OK IMAP2 Server Ready"
	capture
	talk 143 <<-END
		< OK IMAP2
		> a1 LOGIN $LOGIN $PASS
		< a1 OK
		> a2 LOGOUT
		< a2 OK
	END
}

# ---- the client's STARTTLS never arrives -----------------------------------

recipe attack-garble-command-postfix-swaks 4 "%postfix; %swaks" \
	"25: the client's STARTTLS arrives as XXXXXXXX, 500, the mail goes in clear ($BEHIND)"
attack-garble-command-postfix-swaks() {
	middle; postfix_server "${SMALL[@]}"
	strip $C4 25 garble-command
	NS=sv DEV=s0 capture
	smtp_from $C4 --tls-optional
}

recipe attack-garble-command-client-side-postfix-swaks 4 "%postfix; %swaks" \
	"25: the same, seen from before: the server calls the STARTTLS unknown that it has offered ($ROUTER)"
attack-garble-command-client-side-postfix-swaks() {
	middle; postfix_server "${SMALL[@]}"
	strip $C4 25 garble-command
	capture
	smtp_from $C4 --tls-optional
}

recipe attack-garble-command-echo-smtpd-swaks 4 "%python smtpd; %swaks" \
	"25: the client's STARTTLS arrives as XXXXXXXX, and the server's error quotes what it got ($ROUTER)"
attack-garble-command-echo-smtpd-swaks() {
	middle
	sv /usr/bin/python3 -W ignore "$HERE/echoing.py" $S4 25 >"$T/smtpd.log" 2>&1 &
	wait_port 25
	strip $C4 25 garble-command
	capture
	smtp_from $C4 --tls-optional
}

recipe attack-garble-command-imap-dovecot-curl 4 "%dovecot; %curl" \
	"143: the client's STARTTLS arrives as XXXXXXXX, BAD, the log-in goes in clear ($BEHIND)"
attack-garble-command-imap-dovecot-curl() {
	middle; dovecot_server "${SMALL_DV[@]}"
	strip $C4 143 garble-command
	NS=sv DEV=s0 capture
	imap_from $C4 --ssl
}

recipe attack-garble-command-pop3-dovecot-curl 4 "%dovecot; %curl" \
	"110: the client's STLS arrives as XXXX, -ERR, the log-in goes in clear ($BEHIND)"
attack-garble-command-pop3-dovecot-curl() {
	middle; dovecot_server "${SMALL_DV[@]}"
	strip $C4 110 garble-command
	NS=sv DEV=s0 capture
	pop3_from $C4 --ssl
}

# ---- TLS is broken ---------------------------------------------------------

recipe attack-junk-text-postfix-script 4 "%postfix; %python script" \
	"25: text instead of a ServerHello; the client goes on in clear in the same connection ($ROUTER)"
attack-junk-text-postfix-script() {
	middle; postfix_server "${SMALL[@]}"
	strip $C4 25 junk text "500 5.5.2 Error: command not recognized"
	capture
	talk 25 <<-END
		< 220
		> EHLO client.example.org
		< 250 
		> STARTTLS
		< 220
		hello
		< 500
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
}

recipe attack-junk-text-postfix-postfix 4 "%postfix; %postfix (smtp client), %swaks" \
	"25: six good sessions of others; then text instead of a ServerHello, and the client comes again and sends its mail in clear ($ROUTER)"
attack-junk-text-postfix-postfix() {
	middle; postfix_server "${SMALL[@]}"
	mta
	capture
	good_smtp
	strip $C4 25 junk text "421 4.7.0 TLS unavailable"
	mta_send
}

recipe attack-junk-reset-postfix-postfix 4 "%postfix; %postfix (smtp client), %swaks" \
	"25: six good sessions of others; then the connection is reset at the ClientHello, and the client comes again in clear ($ROUTER)"
attack-junk-reset-postfix-postfix() {
	middle; postfix_server "${SMALL[@]}"
	mta
	capture
	good_smtp
	strip $C4 25 junk reset
	mta_send
}

recipe attack-junk-alert-postfix-postfix 4 "%postfix; %postfix (smtp client)" \
	"25: a fatal alert instead of a ServerHello, and the client comes again in clear; nothing was seen before ($ROUTER)"
attack-junk-alert-postfix-postfix() {
	middle; postfix_server "${SMALL[@]}"
	mta
	strip $C4 25 junk alert
	capture
	mta_send
}

recipe attack-junk-silence-submission-postfix-curl 4 "%postfix, %dovecot (SASL); %swaks, %curl" \
	"587: six good sessions; then silence instead of a ServerHello, and the client comes again and logs in in clear ($ROUTER)"
attack-junk-silence-submission-postfix-curl() {
	middle; submission "${SMALL[@]}"
	message | crlf >"$T/mail.txt"
	capture
	good_submission
	strip $C4 587 junk silence
	curl_submit $C4 --ssl-reqd --max-time 2
	curl_submit $C4
}

curl_submit() {
	local a=$1
	shift
	cl curl -sS --interface "$a" --tls-max 1.2 --cacert "$PKI/root.pem" -u "$LOGIN:$PASS" --mail-from $FROM \
		--mail-rcpt $RCPT -T "$T/mail.txt" "smtp://mx.example.com:587/client.example.org" "$@" || true
}

recipe attack-junk-silence-imap-dovecot-curl 4 "%dovecot; %curl" \
	"143: six good sessions; then silence instead of a ServerHello, and the client comes again and logs in in clear ($ROUTER)"
attack-junk-silence-imap-dovecot-curl() {
	middle; dovecot_server "${SMALL_DV[@]}"
	capture
	good_imap
	strip $C4 143 junk silence
	imap_from $C4 --ssl-reqd --max-time 2
	imap_from $C4
}

recipe attack-junk-reset-pop3-dovecot-curl 4 "%dovecot; %curl" \
	"110: six good sessions; then the connection is reset at the ClientHello, and the client comes again and logs in in clear ($ROUTER)"
attack-junk-reset-pop3-dovecot-curl() {
	middle; dovecot_server "${SMALL_DV[@]}"
	capture
	good_pop3
	strip $C4 110 junk reset
	pop3_from $C4 --ssl-reqd
	pop3_from $C4
}

# ---- forged segments -------------------------------------------------------

recipe attack-race-offer-postfix-swaks 4 "%postfix; %swaks" \
	"25: a session with TLS; then a forged EHLO answer with XXXXXXXX overtakes the server's, which comes behind it with the same sequence number (other TTL, IP ID, window)"
attack-race-offer-postfix-swaks() {
	forger race $C4 EHLO STARTTLS XXXXXXXX
	postfix_server "${SMALL[@]}"
	capture
	smtp_from $D4 --tls
	smtp_from $C4 --tls-optional
}

recipe attack-race-454-postfix-swaks 4 "%postfix; %swaks" \
	"25: a session with TLS; then a forged 454 overtakes the server's 220 to STARTTLS: the client goes on in clear, the server takes it for TLS and closes"
attack-race-454-postfix-swaks() {
	forger race $C4 STARTTLS '220 2.0.0 Ready to start TLS' '454 4.7.0 TLS not available '
	postfix_server "${SMALL[@]}"
	capture
	smtp_from $D4 --tls
	smtp_from $C4 --tls-optional
}

recipe attack-race-capability-dovecot-curl 4 "%dovecot; %curl" \
	"143: a session with TLS; then a forged CAPABILITY line with ******** overtakes the server's"
attack-race-capability-dovecot-curl() {
	forger race $C4 CAPABILITY 'STARTTLS' '********'
	dovecot_server "${SMALL_DV[@]}"
	capture
	imap_from $D4 --ssl-reqd
	imap_from $C4 --ssl
}

# ---- the ports for TLS are closed ------------------------------------------

recipe attack-block-993-dovecot-curl 4 "%dovecot; %curl" \
	"993 works for both networks; then one client's SYNs to it are dropped, and it goes to 143 in clear ($ROUTER)"
attack-block-993-dovecot-curl() {
	middle; dovecot_server "${SMALL_DV[@]}"
	capture
	good imaps_from
	mb nft add rule inet way through ip saddr $C4 tcp dport 993 drop
	imaps_from $C4 --connect-timeout 4
	imap_from $C4
}

recipe attack-block-995-dovecot-curl 4 "%dovecot; %curl" \
	"995 works for both networks; then one client's SYNs to it are answered with RST, and it goes to 110 in clear ($ROUTER)"
attack-block-995-dovecot-curl() {
	middle; dovecot_server "${SMALL_DV[@]}"
	capture
	good pop3s_from
	mb nft add rule inet way through ip saddr $C4 tcp dport 995 reject with tcp reset
	pop3s_from $C4
	pop3_from $C4
}

pop3s_from() {
	local a=$1
	shift
	cl curl -sS --interface "$a" --tls-max 1.2 --cacert "$PKI/root.pem" -u "$LOGIN:$PASS" \
		--max-time 20 "pop3s://pop.example.com/1" "$@" || true
}

recipe attack-block-465-postfix-swaks 4 "%postfix, %dovecot (SASL); %swaks" \
	"465 works for both networks; then one client's SYNs to it are dropped, and it goes to 587 in clear ($ROUTER)"
attack-block-465-postfix-swaks() {
	middle; submission "${SMALL[@]}" "@465 inet n - n - - smtpd -o smtpd_tls_wrappermode=yes"
	wait_port 465
	capture
	good smtps_from
	mb nft add rule inet way through ip saddr $C4 tcp dport 465 drop
	smtps_from $C4 --timeout 4
	submit_from $C4
}

smtps_from() { smtp_from "$@" --port 465 --tls-on-connect --auth PLAIN --auth-user $LOGIN --auth-password $PASS; }

# ---- an older version ------------------------------------------------------

# The leaf alone, so that all the server says is in one segment, before the client's alert
SENTINEL=("$MAY" "smtpd_tls_chain_files = ${WORK-}/pki/ecdsa.key ${WORK-}/pki/ecdsa.pem" "smtpd_tls_protocols = >=TLSv1.2")

recipe attack-sentinel-postfix-swaks 4 "%postfix; %swaks" \
	"25: the client offers TLS 1.3, which is taken out of its hello on the way; the server's answer in 1.2 has the downgrade sentinel, the client refuses it ($ROUTER)"
attack-sentinel-postfix-swaks() {
	middle; postfix_server "${SENTINEL[@]}"
	strip $C4 25 no13
	capture
	smtp_from $C4 --tls
}

recipe attack-sentinel-postfix-postfix 4 "%postfix; %postfix (smtp client), %swaks" \
	"25: good sessions of others in TLS 1.3; then the same, and the client comes again and sends its mail in clear ($ROUTER)"
attack-sentinel-postfix-postfix() {
	middle; postfix_server "${SENTINEL[@]}"
	mta "smtp_tls_protocols = >=TLSv1.2"
	capture
	good_smtp
	strip $C4 25 no13
	mta_send
}

recipe attack-sentinel-implicit-dovecot-curl 4 "%dovecot; %curl" \
	"993: the same with TLS from the first byte ($ROUTER)"
attack-sentinel-implicit-dovecot-curl() {
	middle; dovecot_server "${SMALL_DV[@]}" "ssl_cert = <$PKI/ecdsa.pem"
	strip $C4 993 no13
	capture
	imaps_from $C4 --tls-max 1.3
}

# ---- two taps --------------------------------------------------------------

# merged COMMAND: captures before and behind the middlebox while it runs, and puts both into one file
merged() {
	local out=$PCAP before
	NS=cl DEV=c0 PCAP=$T/before.pcap capture
	before=$TCPDUMP
	NS=sv DEV=s0 PCAP=$T/behind.pcap capture
	"$@"
	sleep .5
	PCAP=$T/behind.pcap capture_stop
	kill -INT "$before"
	wait "$before" || true
	/usr/bin/python3 "$HERE/tag.py" "$out" "$T/before.pcap=101" "$T/behind.pcap=102"
}

recipe attack-two-taps-postfix-swaks 4 "%postfix; %swaks" \
	"25: one connection before the middlebox (VLAN 101) and behind it (VLAN 102): STARTTLS is taken out of the list in between; other sequence numbers"
attack-two-taps-postfix-swaks() {
	middle; postfix_server "${SMALL[@]}"
	strip $C4 25 remove
	merged smtp_from $C4 --tls-optional
}

recipe attack-two-taps-in-place-postfix-swaks 4 "%postfix; %swaks" \
	"25: the same with VLANs 101 and 102, but overwritten in place with XXXXXXXX: the same sequence numbers"
attack-two-taps-in-place-postfix-swaks() {
	forger rewrite $C4 STARTTLS XXXXXXXX
	postfix_server "${SMALL[@]}"
	merged smtp_from $C4 --tls-optional
}

recipe attack-two-taps-imap-dovecot-curl 4 "%dovecot; %curl" \
	"143: VLANs 101 and 102: STARTTLS is answered BAD by the middlebox and never reaches the server"
attack-two-taps-imap-dovecot-curl() {
	middle; dovecot_server "${SMALL_DV[@]}"
	strip $C4 143 answer "BAD unknown command"
	merged imap_from $C4 --ssl
}

# ---- honest traffic that looks like it -------------------------------------

recipe clean-two-taps-postfix-swaks 4 "%postfix; %swaks" \
	"25: one session with TLS and one in clear, each seen before and behind an honest router (VLANs 101 and 102)"
clean-two-taps-postfix-swaks() {
	middle; postfix_server "${SMALL[@]}"
	merged two_honest
}
two_honest() { smtp_from $C4 --tls; smtp_from $D4; }

recipe clean-server-replaced-postfix-swaks 4 "%postfix, %exim; %swaks" \
	"25: six sessions with TLS; then another server runs at the address, without TLS: two from each network in clear"
clean-server-replaced-postfix-swaks() {
	middle; postfix_server "${SMALL[@]}"
	capture
	good_smtp
	sv postfix -c "$T/pf-sv" stop || true
	exim_server "tls_advertise_hosts ="
	GOOD="$C4 $D4 $E4 $D4" good smtp_from --tls-optional
}

recipe clean-server-turns-tls-off-postfix-swaks 4 "%postfix; %swaks" \
	"25: six sessions with TLS; then it is turned off, and nothing else is changed: two from each network in clear"
clean-server-turns-tls-off-postfix-swaks() {
	middle; postfix_server "${SMALL[@]}"
	capture
	good_smtp
	sed -i 's/^smtpd_tls_security_level.*/smtpd_tls_security_level = none/' "$T/pf-sv/main.cf"
	sv postfix -c "$T/pf-sv" reload || true
	sleep 1
	GOOD="$C4 $D4 $E4 $D4" good smtp_from --tls-optional
}

recipe clean-balancer-postfix-swaks 4 "%postfix (two); %swaks" \
	"25: a load balancer with two servers behind one address, of which one offers STARTTLS and one does not: eight sessions from two networks (the tap is before the balancer)"
clean-balancer-postfix-swaks() {
	middle
	ip -n sv addr del $S4/24 dev s0
	ip -n sv addr add 192.0.2.101/24 dev s0; ip -n sv addr add 192.0.2.102/24 dev s0
	ip -n sv route add default via 192.0.2.1
	ip -n mb addr add $S4/24 dev m1
	postfix_conf pf-sv mx.example.com "${SMALL[@]}" "@192.0.2.101:25 inet n - n - - smtpd" \
		"@192.0.2.102:25 inet n - n - - smtpd -o smtpd_tls_security_level=none"
	sv postfix -c "$T/pf-sv" start-fg >"$T/pf-sv.log" 2>&1 &
	wait_port 25
	mb nft -f - <<-END
		table ip balancer {
			chain to {
				type nat hook prerouting priority dstnat;
				ip daddr $S4 tcp dport 25 dnat to numgen inc mod 2 map { 0 : 192.0.2.101, 1 : 192.0.2.102 }
			}
		}
	END
	capture
	GOOD="$C4 $D4 $D4 $C4 $E4 $E4 $C4 $C4" good smtp_from --tls-optional
}

recipe clean-some-networks-postfix-swaks 4 "%postfix; %swaks" \
	"25: the server itself offers STARTTLS to one network only (smtpd_discard_ehlo_keyword_address_maps), in turns"
clean-some-networks-postfix-swaks() {
	middle
	postfix_server "${SMALL[@]}" \
		"smtpd_discard_ehlo_keyword_address_maps = inline:{ $D4=starttls }"
	capture
	GOOD="$C4 $D4 $E4 $D4 $C4 $D4 $C4 $E4 $D4" good smtp_from --tls-optional
}

recipe clean-logindisabled-dovecot-curl 4 "%dovecot (no TLS); %curl" \
	"143: LOGINDISABLED and no STARTTLS: three clients that can do nothing"
clean-logindisabled-dovecot-curl() {
	middle; dovecot_server "ssl = no" "disable_plaintext_auth = yes" "auth_mechanisms = plain"
	capture
	GOOD="$C4 $D4 $C4" good imap_from --ssl
}

recipe clean-454-postfix-postfix 4 "%postfix; %postfix (smtp client), %swaks" \
	"25: six sessions with TLS; then the server's TLS setup breaks: honest 454 to everybody, the mail goes in clear"
clean-454-postfix-postfix() {
	middle; postfix_server "${SMALL[@]}"
	mta
	capture
	good_smtp
	echo "smtpd_tls_CAfile = $T/missing.pem" >>"$T/pf-sv/main.cf"
	sv postfix -c "$T/pf-sv" reload || true
	sleep 1
	mta_send
	smtp_from $D4 --tls-optional
}

recipe clean-large-hello-postfix-script 4 "%postfix; %swaks, %python script" \
	"25: six sessions with small hellos; then a client with post-quantum keys whose ClientHello spans two segments, which a box before the server cannot take: silence, the client gives up and comes again in clear ($ROUTER)"
clean-large-hello-postfix-script() {
	middle; postfix_server "${SMALL[@]}"
	strip 0.0.0.0/0 25 one-segment
	capture
	good_smtp
	cl /usr/bin/python3 "$HERE/talk.py" --from $E4 $S4 25 <<-END
		< 220
		> EHLO client.example.org
		< 250 
		> STARTTLS
		< 220
		hello
		wait 2
		close
	END
	smtp_from $E4
}

recipe clean-scanner-postfix-script 4 "%postfix, %dovecot; %python script" \
	"25, 143 and 110: after a good session of somebody else a scanner says STARTTLS, or STLS, and leaves: with FIN, with RST, behind the ClientHello"
clean-scanner-postfix-script() {
	middle; dovecot_server "${SMALL_DV[@]}"; postfix_server "${SMALL[@]}"
	capture
	smtp_from $D4 --tls
	imap_from $D4 --ssl-reqd
	local end
	for end in close reset $'hello\nclose'; do
		talk 25 <<-END
			< 220
			> EHLO scanner.example.org
			< 250 
			> STARTTLS
			< 220
			$end
		END
		talk 143 <<-END
			< \* OK
			> a1 STARTTLS
			< a1 OK
			$end
		END
		talk 110 <<-END
			< \+OK
			> STLS
			< \+OK
			$end
		END
	done
}

recipe clean-client-refuses-postfix-curl 4 "%postfix; %swaks, %curl" \
	"25: six good sessions; then a client that does not know the server's authority breaks TLS off with an alert, and goes away"
clean-client-refuses-postfix-curl() {
	middle; postfix_server "${SMALL[@]}"
	capture
	good_smtp
	message | crlf >"$T/mail.txt"
	cl curl -sS --interface $C4 --ssl-reqd --tls-max 1.2 --cacert "$PKI/self.pem" --mail-from $FROM \
		--mail-rcpt $RCPT -T "$T/mail.txt" "smtp://mx.example.com" || true
}

recipe clean-certificate-renewed-dovecot-curl 4 "%dovecot; %curl" \
	"143: three sessions; then the server has a new certificate with a new key, of the same authority: three more"
clean-certificate-renewed-dovecot-curl() {
	pki <<-END
		root ca
		old issuer=root key=ec to=2098 dns=imap.example.com
		new issuer=root key=ec dns=imap.example.com
	END
	trust root
	middle
	dovecot_at "25=old"
	capture
	GOOD="$C4 $D4 $C4" good imap_from --ssl-reqd --cacert "$T/pki/root.pem"
	sed -i "s,/old\.,/new.,g" "$T/dv/dovecot.conf"
	sed -i "s,pki/old,pki/new,g" "$T/dv/dovecot.conf"
	: "$(chained new)"
	sv doveadm -c "$T/dv/dovecot.conf" reload
	sleep 1
	GOOD="$D4 $C4 $D4" good imap_from --ssl-reqd --cacert "$T/pki/root.pem"
}

recipe clean-retransmissions-dovecot-script 4 "%dovecot; %python script" \
	"143: segments lost behind the tap on both ways: one comes again as it was, three small ones come again in one (the same bytes)"
clean-retransmissions-dovecot-script() {
	wire drop:ab:2,3,4 drop:ba:2,5
	dovecot_server
	capture
	talk 143 <<-END
		< \* OK
		> a1 CAPABILITY
		< a1 OK
		>> a2 LOGIN
		>> \x20$LOGIN
		>> \x20$PASS
		>> \r\n
		< a2 OK
		> a3 SELECT INBOX
		< a3 OK
		> a4 NOOP
		< a4 OK
		> a5 LOGOUT
		< a5 OK
	END
}

recipe clean-implicit-closed-dovecot-curl 4 "%dovecot; %curl" \
	"993: three sessions; then the server itself no longer listens there (RST), and its clients go to 143: with STARTTLS, and one in clear"
clean-implicit-closed-dovecot-curl() {
	middle; dovecot_server "${SMALL_DV[@]}"
	capture
	GOOD="$C4 $D4 $E4" good imaps_from
	printf '%s\n' "service imap-login {" "inet_listener imaps {" "port = 0" "}" "}" >>"$T/dv/dovecot.conf"
	sv doveadm -c "$T/dv/dovecot.conf" reload
	sleep 1
	imaps_from $D4
	imap_from $D4 --ssl-reqd
	imaps_from $C4
	imap_from $C4
}

recipe clean-no-tls-offered-dovecot-fetchmail 4 "%dovecot (no TLS); %fetchmail" \
	"110: a server that never offered STLS, and clients that fetch in clear, from two networks"
clean-no-tls-offered-dovecot-fetchmail() {
	middle; dovecot_server "ssl = no"
	FETCH_HOST=pop.example.com fetchmail_rc pop3 110 "sslproto ''"
	capture
	fetch_from $C4
	fetch_from $D4
	fetch_from $C4
}
