# Not mail, or nothing at all, on a mail port.

recipe other-ssh-on-25-openssh 4 "%openssh; OpenSSH client" \
	"25: an SSH server and an SSH client"
other-ssh-on-25-openssh() {
	mkdir -p /run/sshd
	ssh-keygen -q -t ed25519 -N "" -f "$T/hostkey" -C test
	sv "$EXTRA/usr/sbin/sshd" -D -e -f /dev/null -p 25 -h "$T/hostkey" 2>"$T/sshd.log" &
	wait_port 25
	capture
	cl ssh -F /dev/null -p 25 -o BatchMode=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null \
		nobody@$S4 true || true
}

recipe other-http-request-on-25-postfix-curl 4 "%postfix; %curl" \
	"25: an HTTP request to a mail server, which closes"
other-http-request-on-25-postfix-curl() {
	postfix_server "$MAY"
	capture
	cl curl -sS -m 5 --http0.9 http://mx.example.com:25/ -4 || true
}

recipe other-http-server-on-143-python-curl 4 "%python http.server; %curl" \
	"143: an HTTP server and client"
other-http-server-on-143-python-curl() {
	mkdir www; echo hello >www/index.html
	sv /usr/bin/python3 -m http.server --bind $S4 -d www 143 2>"$T/http.log" &
	wait_port 143
	capture
	cl curl -sS http://$S4:143/
}

recipe other-https-server-on-993-openssl-curl 6 "%openssl s_server; %curl" \
	"993: a web server with TLS 1.3 (ALPN http/1.1 and h2 offered by the client)"
other-https-server-on-993-openssl-curl() {
	sv openssl s_server -www -accept 993 -cert "$PKI/rsa.pem" -cert_chain "$PKI/ca.pem" -key "$PKI/rsa.key" >"$T/ss.log" 2>&1 &
	wait_port 993
	capture
	cl curl -sS -6 -m 5 --cacert "$PKI/root.pem" https://mx.example.com:993/ >/dev/null
}

recipe other-imap-server-on-25-dovecot-nc 4 "%dovecot; %nc" \
	"25: an IMAP server behind the SMTP port"
other-imap-server-on-25-dovecot-nc() {
	DOVECOT_PORT=25 dovecot_server "service imap-login {
  inet_listener imap {
    port = 25
  }
}"
	capture
	(sleep .5; printf 'a1 LOGOUT\r\n'; sleep .3) | cl nc $S4 25
}

recipe other-smtp-on-2525-postfix-swaks 4 "%postfix; %swaks" \
	"2525: a mail with STARTTLS on a port that is not a mail port"
other-smtp-on-2525-postfix-swaks() {
	postfix_server 2525 "$MAY"
	capture
	send --port 2525 --tls
}

recipe other-tls-on-25-postfix-openssl 4 "%postfix; %openssl s_client" \
	"25: the client begins TLS at once where the server speaks in clear"
other-tls-on-25-postfix-openssl() {
	postfix_server "$MAY"
	capture
	sleep 1 | ossl 25 -quiet || true
}

recipe other-silence-on-25-nc 4 "%nc; %nc" \
	"25: a connection on which neither end says anything"
other-silence-on-25-nc() {
	sleep 30 | sv nc -l $S4 25 >/dev/null &
	wait_port 25
	capture
	sleep 2 | cl nc -N $S4 25 &
	local client=$!
	sleep 3
	kill $client 2>/dev/null || true
}

recipe other-refused-on-25-nc 4 "no server; %nc" \
	"25: the connection is refused (SYN, RST)"
other-refused-on-25-nc() {
	capture
	cl nc -v -w 2 $S4 25 || true
}

recipe other-refused-on-143-nc 6 "no server; %nc" \
	"143: the connection is refused (SYN, RST)"
other-refused-on-143-nc() {
	capture
	cl nc -v -w 2 $S6 143 || true
}

recipe other-syn-without-answer-on-25-nc 4 "no server; %nc" \
	"25: SYNs that nobody answers"
other-syn-without-answer-on-25-nc() {
	ip -n cl neigh add 192.0.2.99 lladdr 02:00:00:00:00:19 dev c0
	capture
	cl nc -v -w 4 192.0.2.99 25 || true
}

recipe other-icmp-prohibited-on-25-nc 4 "no server; %nc" \
	"25: the SYN is answered by ICMP administratively prohibited"
other-icmp-prohibited-on-25-nc() {
	ip -n sv route add prohibit 192.0.2.99/32
	sv sysctl -qw net.ipv4.ip_forward=1
	ip -n cl neigh add 192.0.2.99 lladdr 02:00:00:00:00:19 dev c0
	capture
	cl nc -v -w 3 192.0.2.99 25 || true
}

recipe other-random-bytes-on-25-postfix-nc 4 "%postfix; %nc" \
	"25: bytes that mean nothing, some lines long"
other-random-bytes-on-25-postfix-nc() {
	postfix_server "$MAY"
	capture
	(sleep .3; openssl enc -aes-128-ctr -K 00 -iv 00 -nosalt </dev/zero 2>/dev/null | head -c 3000
		printf '\r\nQUIT\r\n'; sleep .5) | cl nc -w 2 $S4 25
}

vsftpd_server() {
	mkdir -p /run/vsftpd/empty
	printf '%s\n' listen=YES listen_port=$1 background=NO local_enable=YES anonymous_enable=NO \
		secure_chroot_dir=/run/vsftpd/empty pam_service_name=login seccomp_sandbox=NO >vsftpd.conf
	sv "$EXTRA/usr/sbin/vsftpd" "$T/vsftpd.conf" >"$T/vsftpd.log" 2>&1 &
	wait_port $1
}

recipe other-ftp-server-on-25-vsftpd-curl 4 "%vsftpd; %curl" \
	"25: an FTP server and client; a log-in that fails"
other-ftp-server-on-25-vsftpd-curl() {
	vsftpd_server 25
	capture
	cl curl -sS -m 9 ftp://$LOGIN:$PASS@$S4:25/ || true
}

recipe other-ftp-server-on-25-auth-tls-vsftpd-curl 4 "%vsftpd; %curl" \
	"25: an FTP server and client, which asks for TLS (AUTH) and is refused"
other-ftp-server-on-25-auth-tls-vsftpd-curl() {
	vsftpd_server 25
	capture
	cl curl -sS -m 9 --ssl ftp://$LOGIN:$PASS@$S4:25/ || true
}

recipe other-postgresql-on-143-postgresql-psql 4 "%postgresql; psql" \
	"143: a PostgreSQL server and client, which asks for TLS and is refused"
other-postgresql-on-143-postgresql-psql() {
	local bin=/usr/lib/postgresql/15/bin
	mkdir db; chown postgres db
	setpriv --reuid postgres --regid postgres --clear-groups $bin/initdb -D "$T/db" -A trust >"$T/initdb.log"
	echo "host all all all trust" >>db/pg_hba.conf
	sysctl -qw net.ipv4.ip_unprivileged_port_start=0
	sv sysctl -qw net.ipv4.ip_unprivileged_port_start=0
	sv setpriv --reuid postgres --regid postgres --clear-groups $bin/postgres -D "$T/db" -p 143 -h $S4 -k "$T/db" \
		>"$T/postgres.log" 2>&1 &
	wait_port 143
	sleep 1
	capture
	cl $bin/psql "host=$S4 port=143 user=postgres sslmode=prefer" -c 'select 1'
}

recipe other-rsync-on-110-rsync 4 "%rsync; rsync" \
	"110: an rsync server and client: the list of its modules"
other-rsync-on-110-rsync() {
	printf '%s\n' 'use chroot = no' '[files]' "path = $T" >rsyncd.conf
	sv "$EXTRA/usr/bin/rsync" --daemon --no-detach --config "$T/rsyncd.conf" --port 110 --address $S4 \
		--log-file "$T/rsync.log" &
	wait_port 110
	capture
	cl "$EXTRA/usr/bin/rsync" --port 110 rsync://$S4/
}
