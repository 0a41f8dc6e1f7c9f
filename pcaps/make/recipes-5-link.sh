# Link types, tunnels, what happens on the way, and file formats. The mail
# inside is plain; what surrounds it is the point.

# ---- link types ----

recipe link-linux-sll-postfix-swaks 4 "%postfix; %swaks" \
	"Linux cooked capture v1 (from the device \"any\"): a mail in clear"
link-linux-sll-postfix-swaks() {
	postfix_server "$CLEAR"
	DEV=any capture -y LINUX_SLL tcp
	send
}

recipe link-linux-sll2-postfix-swaks 6 "%postfix; %swaks" \
	"Linux cooked capture v2 (from the device \"any\"): STARTTLS with TLS 1.3"
link-linux-sll2-postfix-swaks() {
	postfix_server "$MAY"
	DEV=any capture -y LINUX_SLL2 tcp
	SERVER=$S6 send -6 --tls
}

recipe link-linux-sll2-loopback-postfix-swaks 4 "%postfix; %swaks" \
	"Linux cooked capture v2 of loopback traffic (TCP checksums not filled in)"
link-linux-sll2-loopback-postfix-swaks() {
	postfix_server "$CLEAR"
	NS=sv DEV=any capture -y LINUX_SLL2 tcp
	sv swaks --server 127.0.0.1 --helo client.example.org --from $FROM --to $RCPT \
		--header "Subject: $SUBJECT" --body "$BODY"
}

recipe link-loopback-postfix-swaks 6 "%postfix; %swaks" \
	"loopback device (Ethernet with zero addresses): a mail in clear over ::1 (TCP checksums not filled in)"
link-loopback-postfix-swaks() {
	postfix_server "$CLEAR"
	NS=sv DEV=lo capture tcp
	sv swaks -6 --server ::1 --helo client.example.org --from $FROM --to $RCPT \
		--header "Subject: $SUBJECT" --body "$BODY"
}

recipe link-offload-large-frames-postfix-swaks 4 "%postfix; %swaks" \
	"offloads left on, as on many hosts: frames over 1514 bytes and TCP checksums not filled in"
link-offload-large-frames-postfix-swaks() {
	cl "$EXTRA/sbin/ethtool" -K c0 tso on gso on gro on tx on >/dev/null
	sv "$EXTRA/sbin/ethtool" -K s0 tso on gso on gro on tx on >/dev/null
	postfix_server "$CLEAR"
	yes "$BODY 0123456789 0123456789 0123456789 0123456789" | head -320 >body
	capture
	send --body @body
}

# ---- tunnels ----

# reach ADDRESS: waits until the far end refuses a connection, so it is there
reach() {
	local i
	for ((i = 0; i < 20; i++)); do
		cl nc -v -z -w 1 "$1" 9 2>&1 | grep -q refused && return 0
		sleep .1
	done
	echo "cannot reach $1" >&2
	return 1
}

# the ends of the inside: documentation addresses of their own
I4C=203.0.113.10 I4S=203.0.113.25 I6C=2001:db8:9::10 I6S=2001:db8:9::25

# tunnel MODE [LOCAL4or6]: t0 in both namespaces
tunnel() {
	local mode=$1 c=$C4 s=$S4
	[ "${2-4}" = 6 ] && { c=$C6; s=$S6; }
	cl /usr/bin/python3 "$HERE/tunnel.py" "$mode" t0 $c $s c0 2>"$T/tunnel-cl.log" &
	sv /usr/bin/python3 "$HERE/tunnel.py" "$mode" t0 $s $c s0 2>"$T/tunnel-sv.log" &
	inner_addresses t0 "${MTU-1400}"
}

inner_addresses() {
	local n i
	for n in cl sv; do
		for ((i = 0; i < 50; i++)); do
			ip -n $n link show "$1" >/dev/null 2>&1 && break
			sleep .1
		done
		ip netns exec $n sysctl -qw "net.ipv6.conf.$1.router_solicitations=0" "net.ipv6.conf.$1.accept_dad=0" \
			"net.ipv6.conf.$1.addr_gen_mode=1"
	done
	ip -n cl addr add $I4C/24 dev "$1"; ip -n cl addr add $I6C/64 dev "$1" nodad
	ip -n sv addr add $I4S/24 dev "$1"; ip -n sv addr add $I6S/64 dev "$1" nodad
	ip -n cl link set "$1" mtu "$2" up
	ip -n sv link set "$1" mtu "$2" up
	sleep .3
	[ -n "${IPV6_ONLY-}" ] || reach $I4S
	[ -n "${IPV4_ONLY-}" ] || reach $I6S
}

recipe link-vlan-postfix-swaks 4 "%postfix; %swaks" \
	"802.1Q, VLAN 42, priority 3: a mail in clear"
link-vlan-postfix-swaks() {
	postfix_server "$CLEAR"; tunnel vlan
	capture 'vlan 42 and tcp'
	SERVER=$I4S send
}

recipe link-vlan-ipv6-postfix-swaks 6 "%postfix; %swaks" \
	"802.1Q, VLAN 42: STARTTLS with TLS 1.3"
link-vlan-ipv6-postfix-swaks() {
	postfix_server "$MAY"; tunnel vlan
	capture 'vlan 42 and tcp'
	SERVER=$I6S send -6 --tls
}

recipe link-qinq-postfix-swaks 4 "%postfix; %swaks" \
	"802.1ad (VLAN 100) around 802.1Q (VLAN 42): a mail in clear"
link-qinq-postfix-swaks() {
	postfix_server "$CLEAR"; tunnel qinq
	capture 'vlan 100 and vlan 42 and tcp'
	SERVER=$I4S send
}

recipe link-mpls-postfix-swaks 4 "%postfix; %swaks" \
	"MPLS with two labels, IPv4 inside: a mail in clear"
link-mpls-postfix-swaks() {
	postfix_server "$CLEAR"; tunnel mpls
	capture 'ether proto 0x8847'
	SERVER=$I4S send
}

recipe link-mpls-ipv6-postfix-swaks 6 "%postfix; %swaks" \
	"MPLS with two labels, IPv6 inside: STARTTLS with TLS 1.3"
link-mpls-ipv6-postfix-swaks() {
	postfix_server "$MAY"; tunnel mpls
	capture 'ether proto 0x8847'
	SERVER=$I6S send -6 --tls
}

recipe link-pppoe-postfix-swaks 4 "%postfix; %swaks" \
	"PPPoE session, IPv4 inside: a mail in clear"
link-pppoe-postfix-swaks() {
	postfix_server "$CLEAR"; MTU=1492 tunnel pppoe
	capture 'ether proto 0x8864'
	SERVER=$I4S send
}

recipe link-gre-postfix-swaks 4 "%postfix; %swaks" \
	"GRE, IPv4 in IPv4: STARTTLS with TLS 1.3"
link-gre-postfix-swaks() {
	postfix_server "$MAY"; tunnel gre
	capture 'proto gre'
	SERVER=$I4S send --tls
}

recipe link-gre-key-over-ipv6-postfix-swaks 4 "%postfix; %swaks" \
	"GRE with a key over IPv6, IPv4 inside: a mail in clear"
link-gre-key-over-ipv6-postfix-swaks() {
	postfix_server "$CLEAR"; tunnel gre-key 6
	capture 'ip6 proto 47'
	SERVER=$I4S send
}

recipe link-gretap-postfix-swaks 6 "%postfix; %swaks" \
	"GRE with Ethernet inside (transparent bridging), IPv6 inside: a mail in clear"
link-gretap-postfix-swaks() {
	postfix_server "$CLEAR"; tunnel gretap
	capture 'proto gre'
	SERVER=$I6S send -6
}

recipe link-gre-fragmented-postfix-swaks 4 "%postfix; %swaks" \
	"GRE whose outer IPv4 packets are fragmented: a mail of 8 KB in clear"
link-gre-fragmented-postfix-swaks() {
	postfix_server "$CLEAR"; MTU=1500 tunnel gre
	yes "$BODY 0123456789 0123456789 0123456789 0123456789" | head -120 >body
	capture 'proto gre'
	SERVER=$I4S send --body @body
}

recipe link-gre-fragmented-over-ipv6-postfix-swaks 6 "%postfix; %swaks" \
	"GRE over IPv6 whose outer packets are fragmented (fragment header): STARTTLS with TLS 1.3"
link-gre-fragmented-over-ipv6-postfix-swaks() {
	postfix_server "$MAY"; MTU=1500 tunnel gre 6
	capture 'ip6 proto 47 or ip6 proto 44'
	SERVER=$I6S send -6 --tls
}

recipe link-ipip-postfix-swaks 4 "%postfix; %swaks" \
	"IPv4 in IPv4: a mail in clear"
link-ipip-postfix-swaks() {
	postfix_server "$CLEAR"; IPV4_ONLY=1 tunnel ipip
	capture 'proto 4'
	SERVER=$I4S send
}

recipe link-6in4-postfix-swaks 6 "%postfix; %swaks" \
	"IPv6 in IPv4 (6in4): a mail in clear"
link-6in4-postfix-swaks() {
	postfix_server "$CLEAR"; IPV6_ONLY=1 tunnel sit
	capture 'proto 41'
	SERVER=$I6S send -6
}

recipe link-6in6-postfix-swaks 6 "%postfix; %swaks" \
	"IPv6 in IPv6: STARTTLS with TLS 1.3"
link-6in6-postfix-swaks() {
	postfix_server "$MAY"; IPV6_ONLY=1 tunnel sit 6
	capture 'ip6 proto 41'
	SERVER=$I6S send -6 --tls
}

recipe link-raw-ip-postfix-swaks 4 "%postfix; %swaks" \
	"raw IP (from a tun device): a mail in clear"
link-raw-ip-postfix-swaks() {
	postfix_server "$CLEAR"; IPV4_ONLY=1 tunnel ipip
	DEV=t0 capture tcp
	SERVER=$I4S send
}

recipe link-raw-ip6-postfix-swaks 6 "%postfix; %swaks" \
	"raw IP (from a tun device), IPv6: STARTTLS with TLS 1.3"
link-raw-ip6-postfix-swaks() {
	postfix_server "$MAY"; IPV6_ONLY=1 tunnel sit
	DEV=t0 capture tcp
	SERVER=$I6S send -6 --tls
}

recipe link-geneve-postfix-swaks 4 "%postfix; %swaks" \
	"GENEVE with one option: STARTTLS with TLS 1.3"
link-geneve-postfix-swaks() {
	postfix_server "$MAY"; tunnel geneve
	capture 'udp port 6081'
	SERVER=$I4S send --tls
}

recipe link-gtpu-postfix-swaks 4 "%postfix; %swaks" \
	"GTP-U: a mail in clear"
link-gtpu-postfix-swaks() {
	postfix_server "$CLEAR"; tunnel gtpu
	capture 'udp port 2152'
	SERVER=$I4S send
}

# the kernel's own VXLAN device
vxlan() {			# 4|6 MTU
	local c=$C4 s=$S4
	[ "$1" = 6 ] && { c=$C6; s=$S6; }
	ip -n cl link add vx0 type vxlan id 5 dstport 4789 local $c remote $s noudpcsum
	ip -n sv link add vx0 type vxlan id 5 dstport 4789 local $s remote $c noudpcsum
	inner_addresses vx0 "$2"
}

recipe link-vxlan-postfix-swaks 4 "%postfix; %swaks" \
	"VXLAN over IPv4: STARTTLS with TLS 1.3"
link-vxlan-postfix-swaks() {
	postfix_server "$MAY"; vxlan 4 1450
	capture 'udp port 4789'
	SERVER=$I4S send --tls
}

recipe link-vxlan-over-ipv6-postfix-swaks 6 "%postfix; %swaks" \
	"VXLAN over IPv6, IPv6 inside: a mail in clear"
link-vxlan-over-ipv6-postfix-swaks() {
	postfix_server "$CLEAR"; vxlan 6 1430
	capture 'udp port 4789'
	SERVER=$I6S send -6
}

recipe link-vxlan-fragmented-postfix-swaks 4 "%postfix; %swaks" \
	"VXLAN whose outer IPv4 packets are fragmented: a mail of 8 KB in clear"
link-vxlan-fragmented-postfix-swaks() {
	postfix_server "$CLEAR"; vxlan 4 1500
	yes "$BODY 0123456789 0123456789 0123456789 0123456789" | head -120 >body
	capture 'udp port 4789 or (ip[6:2] & 0x1fff != 0)'
	SERVER=$I4S send --body @body
}

# A third namespace that gets a copy of what passes the server's device.
mirror() {			# erspan|vxlan
	ip netns add mon
	ip link add m0 netns mon type veth peer name m1 netns sv
	ip -n mon link set m0 address 02:00:00:00:00:4d mtu 9000 up
	ip -n sv link set m1 address 02:00:00:00:00:4e mtu 9000 up
	ip -n sv addr add 203.0.113.1/24 dev m1
	ip -n mon addr add 203.0.113.2/24 dev m0
	ip netns exec mon sysctl -qw net.ipv6.conf.m0.disable_ipv6=1
	sv "$EXTRA/sbin/ethtool" -K m1 tx off >/dev/null
	sv /usr/bin/python3 "$HERE/mirror.py" "$1" s0 203.0.113.1 203.0.113.2 2>"$T/mirror.log" &
	sleep .5
	sv nc -z -w 1 203.0.113.2 9 || true
}

recipe link-mirror-erspan-postfix-swaks 4 "%postfix; %swaks" \
	"a mirror port in ERSPAN type II: both directions of the session in one outer direction; STARTTLS with TLS 1.3"
link-mirror-erspan-postfix-swaks() {
	postfix_server "$MAY"; mirror erspan
	NS=mon DEV=m0 capture 'proto gre'
	send --tls
}

recipe link-mirror-vxlan-postfix-swaks 6 "%postfix; %swaks" \
	"traffic mirrored in VXLAN, as clouds do it: both directions of the session in one outer direction; a mail in clear"
link-mirror-vxlan-postfix-swaks() {
	postfix_server "$CLEAR"; mirror vxlan
	NS=mon DEV=m0 capture 'udp port 4789'
	SERVER=$S6 send -6
}

# ---- on the way ----

# client -- c0 w0 (wire) w1 s0 -- server
wire() { way_with wire.py "$@"; }

# way_with SCRIPT ARGUMENTS...: the script carries the frames
way_with() {
	local script=$1
	shift
	ip netns add way
	ip -n cl link del c0
	ip link add c0 netns cl type veth peer name w0 netns way
	ip link add s0 netns sv type veth peer name w1 netns way
	ip -n cl link set c0 address 02:00:00:00:00:0a
	ip -n sv link set s0 address 02:00:00:00:00:19
	local n d
	for n in cl:c0 sv:s0 way:w0 way:w1; do
		d=${n#*:}; n=${n%:*}
		ip netns exec $n "$EXTRA/sbin/ethtool" -K $d tso off gso off gro off tx off >/dev/null
		ip netns exec $n sysctl -qw "net.ipv6.conf.$d.router_solicitations=0" "net.ipv6.conf.$d.accept_dad=0"
		[ $n = way ] && ip netns exec $n sysctl -qw "net.ipv6.conf.$d.disable_ipv6=1"
		ip -n $n link set $d up
	done
	ip -n cl addr add $C4/24 dev c0; ip -n cl addr add $C6/64 dev c0 nodad
	ip -n sv addr add $S4/24 dev s0; ip -n sv addr add $S6/64 dev s0 nodad
	ip -n cl route add 192.0.2.0/24 dev c0; ip -n cl route add 2001:db8:2::/64 dev c0
	ip -n sv route add 198.51.100.0/24 dev s0; ip -n sv route add 2001:db8:1::/64 dev s0
	ip netns exec way /usr/bin/python3 "$HERE/$script" w0 w1 "$@" 2>"$T/wire.log" &
	sleep .5
	reach $S4
	reach $S6
}

recipe link-retransmitted-postfix-swaks 4 "%postfix; %swaks" \
	"a segment of the client lost behind the tap: the capture has it twice, and the server's reply before it too"
link-retransmitted-postfix-swaks() {
	postfix_server "$CLEAR"; wire drop:ab:3
	capture
	send
}

recipe link-lost-before-tap-postfix-swaks 4 "%postfix; %swaks" \
	"TLS 1.3, a segment of the server's flight lost before the tap: a hole, then filled by the retransmission"
link-lost-before-tap-postfix-swaks() {
	postfix_server "$MAY"; wire drop:ba:4
	capture
	send --tls
}

recipe link-out-of-order-postfix-swaks 6 "%postfix; %swaks" \
	"TLS 1.2, two segments of the server's flight in the wrong order"
link-out-of-order-postfix-swaks() {
	postfix_server "$MAY"; wire swap:ba:4
	capture
	SERVER=$S6 send -6 --tls --tls-protocol tlsv1_2
}

recipe link-doubled-postfix-swaks 4 "%postfix; %swaks" \
	"every segment with data from the server comes twice"
link-doubled-postfix-swaks() {
	postfix_server "$CLEAR"; wire double:ba:all
	capture
	send
}

recipe link-out-of-order-body-postfix-swaks 4 "%postfix; %swaks" \
	"a mail of 20 KB in clear with segments lost, doubled and swapped (seen by the server's side)"
link-out-of-order-body-postfix-swaks() {
	postfix_server "$CLEAR"; wire swap:ab:6,10 drop:ab:8,13 double:ab:11
	yes "$BODY 0123456789 0123456789 0123456789 0123456789" | head -320 >body
	NS=sv DEV=s0 capture
	send --body @body
}

# captures from which one frame was taken out afterwards, as when a tap misses it
without() {			# without TSHARK-FILTER: deletes the first frame that matches
	capture_stop
	local n
	n=$(tshark -r "$PCAP" -Y "$1" -T fields -e frame.number 2>/dev/null | head -1)
	[ -n "$n" ]
	editcap -F pcap "$PCAP" "$T/less.pcap" "$n"
	mv "$T/less.pcap" "$PCAP"
}

recipe link-tap-missed-reply-postfix-swaks 4 "%postfix; %swaks; one frame removed with editcap" \
	"a mail in clear; the tap missed the answer to EHLO (the client's ACK shows that there was one)"
link-tap-missed-reply-postfix-swaks() {
	postfix_server "$MAY"
	capture
	send
	without 'smtp.rsp.parameter contains "PIPELINING"'
}

recipe link-tap-missed-starttls-postfix-swaks 4 "%postfix; %swaks; one frame removed with editcap" \
	"STARTTLS, TLS 1.3; the tap missed the client's STARTTLS command"
link-tap-missed-starttls-postfix-swaks() {
	postfix_server "$MAY"
	capture
	send --tls
	without 'smtp.req.command == "STAR" || smtp.req.command == "STARTTLS"'
}

recipe link-tap-missed-client-hello-postfix-swaks 4 "%postfix; %swaks; one frame removed with editcap" \
	"STARTTLS, TLS 1.2; the tap missed the ClientHello"
link-tap-missed-client-hello-postfix-swaks() {
	postfix_server "$MAY"
	capture
	send --tls --tls-protocol tlsv1_2
	without 'tls.handshake.type == 1'
}

recipe link-one-direction-postfix-swaks 4 "%postfix; %swaks" \
	"only the client's direction: STARTTLS, TLS 1.3 (asymmetric routing)"
link-one-direction-postfix-swaks() {
	postfix_server "$MAY"
	capture 'tcp and dst port 25'
	send --tls
}

recipe link-ip4-fragments-postfix-swaks 4 "%postfix; %swaks" \
	"IPv4 packets fragmented by a router on the way (no DF): a mail of 8 KB in clear"
link-ip4-fragments-postfix-swaks() {
	postfix_server "$CLEAR"
	# client -- c0 r0 (router) r1 s0 -- server; the router's way out is narrow
	ip netns add way
	ip -n cl link del c0
	ip link add c0 netns cl type veth peer name r0 netns way
	ip link add s0 netns sv type veth peer name r1 netns way
	local n d
	for n in cl:c0 sv:s0 way:r0 way:r1; do
		d=${n#*:}; n=${n%:*}
		ip netns exec $n "$EXTRA/sbin/ethtool" -K $d tso off gso off gro off tx off >/dev/null
		ip netns exec $n sysctl -qw "net.ipv6.conf.$d.disable_ipv6=1" net.ipv4.ip_forward=1 net.ipv4.ip_no_pmtu_disc=1
		ip -n $n link set $d up
	done
	ip -n sv link set s0 address 02:00:00:00:00:19
	ip -n way link set r1 address 02:00:00:00:00:01 mtu 600
	ip -n cl addr add $C4/24 dev c0; ip -n way addr add 198.51.100.1/24 dev r0
	ip -n sv addr add $S4/24 dev s0; ip -n way addr add 192.0.2.1/24 dev r1
	ip -n cl route add default via 198.51.100.1; ip -n sv route add default via 192.0.2.1
	reach $S4
	yes "$BODY 0123456789 0123456789 0123456789 0123456789" | head -120 >body
	NS=sv DEV=s0 capture ip
	send --body @body
}

# ---- file formats ----

recipe link-nanosecond-postfix-swaks 4 "%postfix; %swaks" \
	"pcap with nanosecond time stamps: STARTTLS with TLS 1.3"
link-nanosecond-postfix-swaks() {
	postfix_server "$MAY"
	capture --time-stamp-precision=nano tcp
	send --tls
}

recipe link-gzip 4 "%postfix; %swaks" \
	"a pcap file compressed with gzip: a mail in clear"
link-gzip() {
	postfix_server "$CLEAR"
	PCAP=$T/plain.pcap
	capture
	send
	capture_stop
	gzip -9nc "$PCAP" >"$T/link-gzip.pcap.gz"
	PCAP=$T/link-gzip.pcap.gz
}

recipe link-two-interfaces-pcapng 4 "%postfix; %swaks; dumpcap" \
	"pcapng with two interfaces of different link types: a tunnel's outside (Ethernet, IPv4 in IPv4) and inside (raw IP); nanoseconds, time stamps not in order"
link-two-interfaces-pcapng() {
	postfix_server "$CLEAR"; IPV4_ONLY=1 tunnel ipip
	# it reads one device after the other: the time stamps in the file go back
	ip netns exec cl dumpcap -q -i c0 -f 'proto 4' -i t0 -f tcp -w "$T/raw.pcapng" 2>"$T/dumpcap.err" &
	local dumpcap=$!
	sleep 2
	SERVER=$I4S send
	sleep 1
	kill -TERM $dumpcap
	wait $dumpcap || true
	/usr/bin/python3 "$HERE/scrub-pcapng.py" "$T/raw.pcapng" "$PCAP"
}
