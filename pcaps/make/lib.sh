# Shared parts of make-captures: the recipe list, the namespaces, the capture,
# the servers. Sourced by make-captures; see there.

# ---- names and marks -------------------------------------------------------

# Documentation addresses only. The two ends are on different prefixes.
C4=198.51.100.10 S4=192.0.2.25
C6=2001:db8:1::10 S6=2001:db8:2::25

# Everything secret or personal carries a mark, so that a test can look for it.
RCPT=canary-recipient-91bd@example.com
FROM=canary-sender-64d0@example.org
LOGIN=canary-user-3d77
PASS=CANARY-PASSWORD-7f3a
SUBJECT=CANARY-SUBJECT-2e8b
BODY=CANARY-BODY-5c1e

# Packages that conflict with the installed ones or would start a service:
# they are only unpacked.
EXTRA_PACKAGES="exim4-daemon-light exim4-base libidn12 socat ethtool
	openssh-server dovecot-lmtpd isync opensmtpd msmtp mpop libsecret-1-0 libgsasl18
	libntlm0 libgssglue1 libauthen-sasl-perl haproxy liblua5.3-0 libopentracing1
	libopentracing-c-wrapper0 mailutils-imap4d libmailutils9 libmariadb3
	vsftpd libwrap0 rsync libpopt0"

# ---- the recipe list -------------------------------------------------------

declare -a NAMES=()
declare -A FILE=() SHOWS=() SOFT=() IPV=()

# recipe NAME IPVERSION SOFTWARE TEXT: the function NAME makes the capture.
# %name in SOFTWARE is replaced by the name and version of that package.
recipe() {
	local file=$1.pcap
	NAMES+=("$1"); IPV[$1]=$2; SOFT[$1]=$3; SHOWS[$1]=$4
	case $1 in
	*-pcapng) file=${1%-pcapng}.pcapng ;;
	*-gzip) file=$1.pcap.gz ;;
	esac
	FILE[$1]=$file
}

version_of() {
	local v
	v=$(dpkg-query -W -f '${Version}' "$1" 2>/dev/null)
	[ -n "$v" ] || v=$(cat "$EXTRA/.versions/$1" 2>/dev/null)
	v=${v#*:}; v=${v%%-*}; v=${v%%+*}
	echo "$v"
}

software() {			# "%postfix; %swaks" -> "Postfix 3.7.11; swaks ..."
	local s=$1 k
	declare -A label=([postfix]=Postfix [exim]=Exim [dovecot]=Dovecot
		[python]=Python [openssl]=OpenSSL [openssh]=OpenSSH [opensmtpd]=OpenSMTPD
		[haproxy]=HAProxy [mailutils]="GNU Mailutils" [gnutls]=GnuTLS [postgresql]=PostgreSQL)
	declare -A pkg=([postfix]=postfix [exim]=exim4-daemon-light [dovecot]=dovecot-core
		[python]=python3 [openssl]=openssl [swaks]=swaks [curl]=curl
		[fetchmail]=fetchmail [openssh]=openssh-server [mbsync]=isync
		[opensmtpd]=opensmtpd [socat]=socat [msmtp]=msmtp [mpop]=mpop
		[haproxy]=haproxy [mailutils]=mailutils-imap4d [vsftpd]=vsftpd
		[postgresql]=postgresql-15 [rsync]=rsync
		[unbound]=unbound [nsd]=nsd [dig]=bind9-dnsutils
		[policyd]=postfix-policyd-spf-python [opendkim]=opendkim [opendmarc]=opendmarc
		[stunnel]=stunnel4 [nc]=netcat-openbsd [gnutls]=gnutls-bin)
	for k in "${!pkg[@]}"; do
		[[ $s == *"%$k"* ]] || continue
		s=${s//"%$k"/${label[$k]-$k} $(version_of "${pkg[$k]}")}
	done
	echo "$s"
}

readme() {
	local f="$OUT/README.md" t n group=
	t=$(mktemp)
	for n in "${NAMES[@]}"; do
		[ -e "$OUT/${FILE[$n]}" ] || continue
		if [ "$group" != "${n%%-*}" ]; then
			group=${n%%-*}
			printf '\n### %s\n\n' "${GROUP[$group]-$group}"
			printf '| file | shows | server; client | IP |\n|---|---|---|---|\n'
		fi
		printf '| `%s` | %s | %s | %s |\n' "${FILE[$n]}" "${SHOWS[$n]}" \
			"$(software "${SOFT[$n]}")" "${IPV[$n]}"
	done >"$t"
	sed -i -e '/^<!-- table -->$/,/^<!-- end of table -->$/{' \
		-e "/^<!-- table -->\$/r $t" -e '/^<!-- /!d' -e '}' "$f"
	rm -f "$t"
}

declare -A GROUP=([smtp]="SMTP on 25, 465 and 587" [lmtp]=LMTP [imap]=IMAP [pop3]=POP3
	[certificate]="Certificates"
	[dns]="DNS (--dns)"
	[any]="Mail on other ports, and none (--any-port)"
	[attack]="Attacks on STARTTLS"
	[clean]="Honest traffic that looks like an attack"
	[other]="Not mail, or nothing, on a mail port"
	[link]="Link types, tunnels and file formats")

fetch_extra() {
	local d p
	mkdir -p "$EXTRA/.versions" "$EXTRA/.debs" || return
	d=$EXTRA/.debs
	chmod 777 "$d"			# apt downloads as its own user
	# shellcheck disable=SC2086
	(cd "$d" && apt-get -qq download $EXTRA_PACKAGES) || return
	for p in "$d"/*.deb; do
		dpkg -x "$p" "$EXTRA"
		dpkg-deb -f "$p" Version >"$EXTRA/.versions/$(dpkg-deb -f "$p" Package)"
	done
	rm -rf "$d"
}

# ---- keys and certificates -------------------------------------------------

# A throw-away PKI, new for every run and never kept: root, intermediate,
# server certificates (RSA 2048, ECDSA P-256), a client certificate, an
# expired one, a self-signed one.
make_pki() {
	local d=$1 san n
	mkdir -p "$d" && cd "$d" || return
	san="subjectAltName=DNS:mx.example.com,DNS:mail.example.com,DNS:imap.example.com,DNS:pop.example.com"
	exec 3>&2 2>"$d/log"
	openssl req -x509 -newkey rsa:2048 -nodes -keyout root.key -out root.pem \
		-days 3650 -subj "/O=Example Test/CN=Example Test Root" &&
	openssl req -newkey rsa:2048 -nodes -keyout ca.key -out ca.csr \
		-subj "/O=Example Test/CN=Example Test CA" &&
	openssl x509 -req -in ca.csr -CA root.pem -CAkey root.key -set_serial 2 -days 1825 \
		-extfile <(echo "basicConstraints=critical,CA:TRUE"; echo "keyUsage=keyCertSign,cRLSign") \
		-out ca.pem || return
	for n in rsa ecdsa client expired; do
		case $n in
		ecdsa) openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out $n.key ;;
		*) openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out $n.key ;;
		esac
		case $n in
		client) openssl req -new -key $n.key -subj "/O=Example Test/CN=client.example.org" -out $n.csr
			echo "subjectAltName=DNS:client.example.org" >$n.ext
			echo "extendedKeyUsage=clientAuth" >>$n.ext ;;
		*) openssl req -new -key $n.key -subj "/CN=mx.example.com" -out $n.csr
			echo "$san" >$n.ext
			echo "extendedKeyUsage=serverAuth,clientAuth" >>$n.ext ;;
		esac
		case $n in
		expired)	# x509 -req cannot set a date in the past, ca can
			mkdir -p db; : >db/index; echo 1000 >db/serial
			printf '%s\n' '[ca]' 'default_ca=d' '[d]' 'database=db/index' \
				'serial=db/serial' 'new_certs_dir=db' 'default_md=sha256' \
				'policy=p' '[p]' 'commonName=supplied' >db/cnf
			openssl ca -batch -config db/cnf -notext -in $n.csr -cert ca.pem \
				-keyfile ca.key -startdate 20230101000000Z \
				-enddate 20240101000000Z -extfile $n.ext -out $n.pem ;;
		*) openssl x509 -req -in $n.csr -CA ca.pem -CAkey ca.key -days 365 \
			-set_serial 0x$(openssl rand -hex 8) -extfile $n.ext -out $n.pem ;;
		esac || return
		cat $n.pem ca.pem >$n-chain.pem
	done
	openssl req -x509 -newkey rsa:2048 -nodes -keyout self.key -out self.pem -days 365 \
		-subj "/CN=mx.example.com" -addext "$san" || return
	cp self.pem self-chain.pem
	exec 2>&3 3>&-
	chmod 644 ./*.key		# the servers drop their rights before reading some
}

# ---- namespaces ------------------------------------------------------------

cl() { ip netns exec cl "$@"; }
sv() { ip netns exec sv "$@"; }

# Files the programs read from /etc; the private mount namespace keeps this
# from the host.
private_etc() {
	local e=$T/etc
	mkdir -p "$e"
	mount -t tmpfs none /run
	mount -t tmpfs none /var/spool
	mount -t tmpfs none /var/mail
	mkdir -p /run/netns /var/spool/postfix
	printf '%s\n' "127.0.0.1 localhost" "::1 localhost" \
		"$S4 mx.example.com mail.example.com imap.example.com pop.example.com" \
		"$S6 mx.example.com mx6.example.com mail6.example.com" \
		"$C4 client.example.org" "$C6 client.example.org" >"$e/hosts"
	: >"$e/resolv.conf"
	echo "hosts: files" >"$e/nsswitch.conf"
	printf '%s\n' "passwd: files" "group: files" >>"$e/nsswitch.conf"
	grep -Ev '^(Debian-exim|opensmtpd|opensmtpq|sshd|vmail):' /etc/passwd >"$e/passwd"
	grep -Ev '^(Debian-exim|opensmtpd|opensmtpq|sshd|vmail):' /etc/group >"$e/group"
	printf '%s\n' "Debian-exim:x:5001:5001::$T:/usr/sbin/nologin" \
		"opensmtpd:x:5002:5002::$T:/usr/sbin/nologin" \
		"opensmtpq:x:5003:5003::$T:/usr/sbin/nologin" \
		"sshd:x:5004:5004::$T:/usr/sbin/nologin" \
		"vmail:x:5000:5000::$T/mail:/usr/sbin/nologin" >>"$e/passwd"
	printf '%s\n' "Debian-exim:x:5001:" "opensmtpd:x:5002:" "opensmtpq:x:5003:" \
		"sshd:x:5004:" "vmail:x:5000:" >>"$e/group"
	: >"$e/aliases"
	# the unpacked packages' libraries, also for set-uid programs
	{ cat /etc/ld.so.conf; echo "$EXTRA/usr/lib/x86_64-linux-gnu"
		echo "$EXTRA/usr/lib/x86_64-linux-gnu/mailutils"; } >"$e/ld.so.conf"
	ldconfig -X -f "$e/ld.so.conf" -C "$e/ld.so.cache" 2>/dev/null
	for f in hosts resolv.conf nsswitch.conf passwd group ld.so.cache; do
		mount --bind "$e/$f" "$(readlink -f /etc/$f)"
	done
	# sendmail(1) and postdrop look here for the other configurations
	mkdir -p "$e/postfix"
	echo "alternate_config_directories = $T/pf-sv $T/pf-cl" >"$e/postfix/main.cf"
	echo "compatibility_level = 3.6" >>"$e/postfix/main.cf"
	cp /etc/postfix/dynamicmaps.cf "$e/postfix/" 2>/dev/null
	cp -r /etc/postfix/postfix-files* "$e/postfix/" 2>/dev/null
	mount --bind "$e/postfix" /etc/postfix
	hostname mx.example.com
}

# client namespace "cl" -- veth c0/s0 -- server namespace "sv"
network() {
	local n
	for n in cl sv; do
		ip netns add $n
		ip -n $n link set lo up
		# no address detection, no router solicitations: less noise
		ip netns exec $n sysctl -qw net.ipv6.conf.default.accept_dad=0 \
			net.ipv6.conf.default.router_solicitations=0
	done
	ip link add c0 netns cl type veth peer name s0 netns sv
	ip -n cl link set c0 address 02:00:00:00:00:0a
	ip -n sv link set s0 address 02:00:00:00:00:19
	cl "$EXTRA/sbin/ethtool" -K c0 tso off gso off gro off tx off >/dev/null
	sv "$EXTRA/sbin/ethtool" -K s0 tso off gso off gro off tx off >/dev/null
	ip -n cl addr add $C4/24 dev c0
	ip -n cl addr add $C6/64 dev c0 nodad
	ip -n sv addr add $S4/24 dev s0
	ip -n sv addr add $S6/64 dev s0 nodad
	ip -n cl link set c0 up
	ip -n sv link set s0 up
	ip -n cl route add 192.0.2.0/24 dev c0
	ip -n cl route add 2001:db8:2::/64 dev c0
	ip -n sv route add 198.51.100.0/24 dev s0
	ip -n sv route add 2001:db8:1::/64 dev s0
}

wait_port() {			# wait_port PORT [NAMESPACE]; sends nothing
	local i
	for ((i = 0; i < 150; i++)); do
		ip netns exec "${2-sv}" ss -Hltn "sport = :$1" | grep -q . && return 0
		sleep .1
	done
	echo "nothing listens on port $1" >&2
	return 1
}

inside() {
	local name=$1
	set -e
	# a short path, as there are sockets below it
	for T in "${!NAMES[@]}"; do [ "${NAMES[T]}" = "$name" ] && break; done
	T=$WORK/$T
	PKI=$WORK/pki
	export LC_ALL=C TZ=UTC HOME=$T PERL5LIB=$EXTRA/usr/share/perl5
	rm -rf "$T"; mkdir -p "$T"; chmod 755 "$T"; cd "$T"
	PCAP=$T/${FILE[$name]}
	private_etc
	network
	"$name"
	capture_stop
	# a capture without packets is a failed recipe
	[ -n "$(tshark -r "$PCAP" -c 1 2>/dev/null)" ] || { echo "no packets" >&2; exit 1; }
	cp "$PCAP" "$OUT/${FILE[$name]}.new"
	chmod 644 "$OUT/${FILE[$name]}.new"
	mv "$OUT/${FILE[$name]}.new" "$OUT/${FILE[$name]}"
	# the secrets of its sessions, where the recipe left them
	if [ -e "$T/keylog" ]; then install -m 644 "$T/keylog" "$OUT/$name.keylog"; fi
	# what DNSSEC is trusted from there, and what others say of it
	for f in anchors checked; do
		if [ -e "$T/$f" ]; then install -m 644 "$T/$f" "$OUT/$name.$f"; fi
	done
	if [[ $name == certificate-* || -d $T/trust ]]; then keep_trust; fi
}

# ---- the capture -----------------------------------------------------------

TCPDUMP= DEV=c0 NS=cl

# capture [tcpdump arguments]: by default TCP and ICMP on the client's veth
capture() {
	local i ns=$NS dev=$DEV
	: >"$T/tcpdump.err"
	ip netns exec $ns tcpdump -i $dev -n -U --immediate-mode -B 4096 -Z root \
		-w "$PCAP" "${@:-tcp or icmp or (icmp6 and ip6[40] < 128)}" 2>"$T/tcpdump.err" &
	TCPDUMP=$!
	for ((i = 0; i < 100; i++)); do
		grep -q 'listening on' "$T/tcpdump.err" && return 0
		sleep .05
	done
	cat "$T/tcpdump.err" >&2
	return 1
}

# Waits until the file has stopped growing (last FINs, late retransmissions).
capture_stop() {
	local a=-1 b still=0
	[ -n "$TCPDUMP" ] || return 0
	while [ $still -lt 4 ]; do
		sleep .15
		b=$(stat -c %s "$PCAP" 2>/dev/null || echo 0)
		if [ "$a" = "$b" ]; then still=$((still + 1)); else still=0; fi
		a=$b
	done
	kill -INT $TCPDUMP
	wait $TCPDUMP || true
	TCPDUMP=
	grep -q '^0 packets dropped' "$T/tcpdump.err" || { cat "$T/tcpdump.err" >&2; return 1; }
}

# ---- servers ---------------------------------------------------------------

# postfix_conf DIR HOSTNAME SETTINGS...: settings are main.cf lines; a setting
# that begins with @ is a master.cf line.
postfix_conf() {
	local d=$T/$1 host=$2 s
	shift 2
	mkdir -p "$d" "$d-queue" "$d-data"
	chown postfix "$d-data"
	cp /etc/postfix/dynamicmaps.cf "$d/" 2>/dev/null || true
	cp -r /etc/postfix/postfix-files* "$d/" 2>/dev/null || true
	cat >"$d/main.cf" <<-END
		compatibility_level = 3.6
		queue_directory = $d-queue
		data_directory = $d-data
		maillog_file = /dev/stdout
		myhostname = $host
		mydomain = example.com
		myorigin = example.org
		mydestination = example.com
		mynetworks = 127.0.0.0/8
		alias_maps =
		alias_database =
		local_recipient_maps =
		local_transport = discard:
		inet_protocols = all
		smtp_dns_support_level = disabled
		smtp_host_lookup = native
		smtpd_peername_lookup = no
		smtpd_banner = \$myhostname ESMTP \$mail_name
		smtpd_tls_chain_files = $PKI/rsa.key $PKI/rsa-chain.pem
		smtpd_tls_auth_only = no
		smtpd_sasl_type = dovecot
		smtpd_sasl_path = $T/auth-client
		smtpd_sasl_auth_enable = no
		smtp_tls_CAfile = $PKI/root.pem
		smtpd_relay_restrictions = permit_sasl_authenticated, reject_unauth_destination
	END
	cat >"$d/master.cf" <<-END
		pickup    unix  n - n 60 1 pickup
		cleanup   unix  n - n - 0 cleanup
		qmgr      unix  n - n 300 1 qmgr
		tlsmgr    unix  - - n 1000? 1 tlsmgr
		rewrite   unix  - - n - - trivial-rewrite
		bounce    unix  - - n - 0 bounce
		defer     unix  - - n - 0 bounce
		trace     unix  - - n - 0 bounce
		verify    unix  - - n - 1 verify
		flush     unix  n - n 1000? 0 flush
		proxymap  unix  - - n - - proxymap
		smtp      unix  - - n - - smtp
		relay     unix  - - n - - smtp
		error     unix  - - n - - error
		retry     unix  - - n - - error
		discard   unix  - - n - - discard
		local     unix  - n n - - local
		lmtp      unix  - - n - - lmtp
		anvil     unix  - - n - 1 anvil
		scache    unix  - - n - 1 scache
		postlog   unix-dgram n - n - 1 postlogd
	END
	for s; do
		case $s in
		@*) echo "${s#@}" >>"$d/master.cf" ;;
		*) sed -i "/^${s%%[ =]*} *=/d" "$d/main.cf"; echo "$s" >>"$d/main.cf" ;;
		esac
	done
}

# postfix_server [PORT] SETTINGS...
postfix_server() {
	local port=25
	case ${1-} in [0-9]*) port=$1; shift ;; esac
	set -- "@$port inet n - n - - smtpd" "$@"
	# an implicit-TLS service: postfix's "wrapper mode"
	[ "$port" = 465 ] && set -- "$@" "smtpd_tls_wrappermode = yes"
	postfix_conf pf-sv mx.example.com "$@"
	sv postfix -c "$T/pf-sv" start-fg >"$T/pf-sv.log" 2>&1 &
	wait_port "$port"
}

# A second Postfix in the client namespace that relays everything to the
# server: postfix_client NEXTHOP SETTINGS...
postfix_client() {
	local hop=$1
	shift
	postfix_conf pf-cl client.example.org "relayhost = $hop" "mydestination =" \
		"inet_interfaces = loopback-only" "transport_maps = inline:{example.org=discard:}" "$@"
	cl unshare --uts sh -c 'hostname client.example.org; exec "$@"' - \
		postfix -c "$T/pf-cl" start-fg >"$T/pf-cl.log" 2>&1 &
	for ((i = 0; i < 100; i++)); do
		[ -S "$T/pf-cl-queue/public/pickup" ] && break
		sleep .1
	done
	sleep .5
}

# postfix_send COUNT: hands messages to the client Postfix and waits until they
# have left its queue.
postfix_send() {
	local i
	for ((i = 1; i <= ${1-1}; i++)); do
		message | cl sendmail -C "$T/pf-cl" -i -f $FROM ${2-$RCPT}
	done
	for ((i = 0; i < 200; i++)); do
		[ "$(grep -c 'status=' "$T/pf-cl.log")" -ge "${1-1}" ] && return
		sleep .1
	done
	cat "$T/pf-cl.log" >&2
	return 1
}

# dovecot_server SETTINGS...: IMAP and POP3 (and the SASL service for Postfix)
dovecot_server() {
	local d=$T/dv s
	mkdir -p "$d" "$T/mail"
	chown vmail "$T/mail"
	echo "$LOGIN:{PLAIN}$PASS::::::" >"$d/users"
	cat >"$d/dovecot.conf" <<-END
		base_dir = $d/run
		state_dir = $d/state
		log_path = $T/dovecot.log
		protocols = imap pop3
		listen = *, ::
		mail_location = maildir:$T/mail/%n
		mail_uid = vmail
		mail_gid = vmail
		first_valid_uid = 1
		hostname = mail.example.com
		disable_plaintext_auth = no
		auth_mechanisms = plain login cram-md5
		ssl = yes
		ssl_cert = <$PKI/rsa-chain.pem
		ssl_key = <$PKI/rsa.key
		passdb {
		  driver = passwd-file
		  args = username_format=%n $d/users
		}
		userdb {
		  driver = static
		  args = uid=vmail gid=vmail home=$T/mail/%n
		}
		service auth {
		  unix_listener $T/auth-client {
		    mode = 0666
		  }
		}
		service stats {
		  client_limit = 100
		}
	END
	for s; do
		printf '%s\n' "$s" >>"$d/dovecot.conf"
	done
	mailbox
	sv dovecot -c "$d/dovecot.conf" -F >"$T/dovecot.out" 2>&1 &
	for ((i = 0; i < 100; i++)); do
		[ -S "$T/auth-client" ] && break
		sleep .1
	done
	if ! grep -q '^protocols *= *none' "$d/dovecot.conf"; then
		wait_port "${DOVECOT_PORT-143}"
		# until its auth process is up, Dovecot greets in another way
		for ((i = 0; i < 20; i++)); do
			case $(sv bash -c 'exec 3<>/dev/tcp/127.0.0.1/'"${DOVECOT_PORT-143}"'
				read -r -t 1 -u 3 line; echo "$line"' 2>/dev/null) in
			*CAPABILITY* | *LMTP* | 220* | "") break ;;
			esac
			sleep .1
		done
	fi
}

# Two messages in the mailbox; the first has lines that begin with dots.
mailbox() {
	local m=$T/mail/$LOGIN
	mkdir -p "$m/new" "$m/cur" "$m/tmp"
	message >"$m/new/1700000001.M1P1.mail"
	message "second" >"$m/new/1700000002.M2P2.mail"
	chown -R vmail:vmail "$m"
}

# A message, with LF line ends; crlf makes them CRLF
crlf() { sed 's/$/\r/'; }
message() {
	cat <<-END
		Date: Tue, 14 Nov 2023 22:13:20 +0000
		From: $FROM
		To: $RCPT
		Subject: $SUBJECT ${1-}
		Message-ID: <1700000000.${1-first}@client.example.org>
		MIME-Version: 1.0
		Content-Type: text/plain; charset=us-ascii

		$BODY first line
		.$BODY a line that begins with a dot
		.
		..two dots
		$BODY last line
	END
}

# exim_server [PORT] SETTINGS...: main-section lines
exim_server() {
	local port=25
	case ${1-} in [0-9]*) port=$1; shift ;; esac
	exim_conf ex-sv mx.example.com "daemon_smtp_ports = $port" \
		"tls_advertise_hosts = *" \
		"tls_certificate = $PKI/rsa-chain.pem" "tls_privatekey = $PKI/rsa.key" "$@"
	sv "$EXTRA/usr/sbin/exim4" -C "$T/ex-sv/conf" -bdf >"$T/exim-sv.out" 2>&1 &
	wait_port "$port"
}

exim_conf() {
	local d=$T/$1 host=$2 s
	shift 2
	mkdir -p "$d/spool"
	chown -R Debian-exim:Debian-exim "$d"
	{
		cat <<-END
			primary_hostname = $host
			exim_path = $EXTRA/usr/sbin/exim4
			spool_directory = $d/spool
			log_file_path = $d/%slog
			keep_environment =
			trusted_users = root
			never_users =
			local_from_check = false
			rfc1413_query_timeout = 0s
			host_lookup =
			acl_smtp_rcpt = ${EXIM_RCPT_ACL:-accept}
			acl_smtp_data = ${EXIM_DATA_ACL:-accept}
		END
		# a later setting of the same name wins
		printf '%s\n' "$@" | awk '{ k = $1 } /^begin|^ / || k ~ /:$/ { k = "#" NR }
			{ if (!(k in n)) o[++c] = k; n[k] = $0 } END { for (i = 1; i <= c; i++) print n[o[i]] }'
		cat <<-END
			begin routers
			${EXIM_ROUTER:-all:
			  driver = accept
			  transport = drop}
			begin transports
			drop:
			  driver = appendfile
			  file = /dev/null
			  user = Debian-exim
			out:
			  driver = smtp
			  helo_data = $host
			  ${EXIM_SMTP:-port = 25}
			begin retry
			* * F,1h,5m
			begin authenticators
			${EXIM_AUTH-}
		END
	} >"$d/conf"
	chown root:root "$d/conf"; chmod 644 "$d/conf"
}

# exim_send NEXTHOP SETTINGS...: one message from an Exim client
exim_send() {
	local hop=$1
	shift
	EXIM_ROUTER="all:
  driver = manualroute
  route_list = * $hop byname
  self = send
  host_find_failed = defer
  transport = out" exim_conf ex-cl client.example.org "$@"
	message | cl "$EXTRA/usr/sbin/exim4" -C "$T/ex-cl/conf" -odf -i -f $FROM $RCPT
	cat "$T"/ex-cl/*log
	grep -q Completed "$T"/ex-cl/mainlog
}

# ---- clients ---------------------------------------------------------------

# swaks writes its own Date, From, To; the marks are given here
send() {
	cl unshare --uts sh -c 'hostname client.example.org; exec "$@"' - \
		swaks --server ${SERVER-$S4} --helo client.example.org --from $FROM --to $RCPT \
		--header "Subject: $SUBJECT" --body "$BODY" "$@"
}

# talk PORT FILE|-: a scripted client for shapes that no stock client makes
talk() { cl /usr/bin/python3 "$HERE/talk.py" "${SERVER-$S4}" "$@"; }

ossl() { cl openssl s_client -connect "${SERVER-$S4}:$1" "${@:2}"; }

b64() { printf "$1" | base64 -w0; }

# fetchmail_rc PROTOCOL PORT [OPTIONS...]; the host name is that of the
# certificate unless FETCH_HOST is set
fetchmail_rc() {
	local proto=$1 port=$2
	shift 2
	cat >"$T/fetchmailrc" <<-END
		poll ${FETCH_HOST-mx6.example.com} protocol $proto service $port ${FETCH_AUTH+auth $FETCH_AUTH}
		  user "$LOGIN" password "$PASS" sslcommonname mx.example.com
		  $*
		  mda "cat >/dev/null" keep fetchall
	END
	chmod 600 "$T/fetchmailrc"
}

fetch() {
	local rc=0
	cl fetchmail -v -v --nosyslog --pidfile "$T/fm.pid" -f "$T/fetchmailrc" --idfile "$T/fm.ids" || rc=$?
	[ $rc -le 1 ]
}
