# What domains publish, in the forms that readers get wrong: SPF (RFC 7208), DMARC (RFC 7489), keys of DKIM (RFC 6376).
# Sourced by make-captures. What must be said of each domain stands in tests/dns/policies.py, by hand.

policies_zone() {
	local d=$T/names bits
	mkdir -p "$d" && cd "$d" || return
	for bits in 512 768 1024 4096; do
		openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:$bits -out k$bits 2>/dev/null
		openssl pkey -in k$bits -pubout -outform DER | base64 -w 0 >k$bits.p
	done
	openssl rsa -in k1024 -RSAPublicKey_out -outform DER 2>/dev/null | base64 -w 0 >bare.p
	cat >policies.example.zone <<-END
		\$ORIGIN policies.example.
		\$TTL 3600
		@ SOA ns hostmaster 1 3600 600 86400 300
		@ NS ns
		ns A $S4
		mx A $S4
		spf-hard MX 10 mx
		spf-hard TXT "v=spf1 ip4:192.0.2.0/24 -all"
		spf-soft MX 10 mx
		spf-soft TXT "v=spf1 a mx ~all"
		spf-neutral MX 10 mx
		spf-neutral TXT "v=spf1 ?all"
		spf-pass MX 10 mx
		spf-pass TXT "v=spf1 +all"
		spf-none MX 10 mx
		spf-none TXT "v=spf10 -all"
		spf-none TXT "spf2.0/mfrom -all"
		spf-upper MX 10 mx
		spf-upper TXT "V=SPF1 INCLUDE:_SPF.POLICIES.EXAMPLE -ALL"
		spf-pieces MX 10 mx
		spf-pieces TXT "v=spf1 ip4:192.0." "2.0/24 inclu" "de:_spf.policies.example ~" "all"
		spf-two MX 10 mx
		spf-two TXT "v=spf1 -all"
		spf-two TXT "v=spf1 mx -all"
		spf-macros MX 10 mx
		spf-macros TXT "v=spf1 exists:%{ir}.%{l1r+-}._spf.%{d} -all"
		spf-redirect MX 10 mx
		spf-redirect TXT "v=spf1 redirect=spf-soft.policies.example"
		spf-redirect-all MX 10 mx
		spf-redirect-all TXT "v=spf1 redirect=spf-soft.policies.example -all"
		spf-loop MX 10 mx
		spf-loop TXT "v=spf1 include:spf-loop.policies.example -all"
		spf-eleven MX 10 mx
		spf-eleven TXT "v=spf1 a:a.example.org a:b.example.org a:c.example.org a:d.example.org a:e.example.org a:f.example.org a:g.example.org a:h.example.org a:i.example.org " "a:j.example.org include:_spf.policies.example -all"
		spf-behind MX 10 mx
		spf-behind TXT "v=spf1 mx -all a include:_spf.policies.example"
		spf-wrong MX 10 mx
		spf-wrong TXT "v=spf1 ipv4:192.0.2.1 -all"
		spf-spaces MX 10 mx
		spf-spaces TXT "v=spf1  mx   -all "
		_spf TXT "v=spf1 a ip6:2001:db8::/32 ?all"
		mx-null MX 0 .
		mx-none TXT "v=spf1 -all"
		dmarc-none MX 10 mx
		_dmarc.dmarc-none TXT "v=DMARC1; p=none"
		dmarc-quarantine MX 10 mx
		_dmarc.dmarc-quarantine TXT "v=DMARC1;p=quarantine;pct=20;rua=mailto:r@policies.example"
		dmarc-reject MX 10 mx
		_dmarc.dmarc-reject TXT "v=DMARC1; p=reject; sp=none; adkim=s; fo=1; rf=afrf; ri=3600"
		dmarc-spaces MX 10 mx
		_dmarc.dmarc-spaces TXT "v = DMARC1 ;  p =  Reject ; ; x-unknown=1;"
		dmarc-bad MX 10 mx
		_dmarc.dmarc-bad TXT "v=DMARC1; p=quarantaine; rua=mailto:r@policies.example"
		dmarc-case MX 10 mx
		_dmarc.dmarc-case TXT "v=dmarc1; p=reject"
		dmarc-order MX 10 mx
		_dmarc.dmarc-order TXT "p=reject; v=DMARC1"
		dmarc-two MX 10 mx
		_dmarc.dmarc-two TXT "v=DMARC1; p=none"
		_dmarc.dmarc-two TXT "v=DMARC1; p=reject"
		dmarc-percent MX 10 mx
		_dmarc.dmarc-percent TXT "v=DMARC1; p=reject; pct=101"
		dmarc-pieces MX 10 mx
		_dmarc.dmarc-pieces TXT "v=DMA" "RC1; p=rej" "ect"
		weak._domainkey.keys TXT "v=DKIM1; p=$(cat k512.p)"
		less._domainkey.keys TXT "k=rsa; t=y; p=$(cat k768.p)"
		usual._domainkey.keys TXT "v=DKIM1; h=sha256; k=rsa; s=email; p=$(cat k1024.p)"
		large._domainkey.keys TXT "v=DKIM1; p=$(head -c 230 k4096.p)" "$(tail -c +231 k4096.p | head -c 250)" "$(tail -c +481 k4096.p | head -c 250)" "$(tail -c +731 k4096.p)"
		bare._domainkey.keys TXT "v=DKIM1; p=$(cat bare.p)"
		curve._domainkey.keys TXT "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
		gone._domainkey.keys TXT "v=DKIM1; p="
		other._domainkey.keys TXT "v=DKIM1; k=future; p=AAAA"
		two._domainkey.keys TXT "a note on this key"
		two._domainkey.keys TXT "v=DKIM1; t=s:y; p=$(cat k1024.p)"
	END
	serve $S4 policies.example
	for _ in {1..50}; do
		cl dig +tries=1 +time=1 "@$S4" SOA policies.example | grep -q ANSWER: && break
		sleep .1
	done
}

recipe dns-policies-nsd-dig 4 "%nsd; %dig" \
	"SPF, DMARC and keys of DKIM, good and bad: several records, pieces, macros, loops, null MX, weak and revoked keys"
dns-policies-nsd-dig() {
	local name
	policies_zone
	capture "port 53"
	for name in hard soft neutral pass none upper pieces two macros redirect redirect-all loop eleven behind wrong spaces; do
		ask "@$S4" MX spf-$name.policies.example
		ask "@$S4" TXT spf-$name.policies.example
	done
	ask "@$S4" TXT _spf.policies.example
	ask "@$S4" MX mx-null.policies.example
	ask "@$S4" MX mx-none.policies.example
	ask "@$S4" TXT _dmarc.mx-null.policies.example
	for name in none quarantine reject spaces bad case order two percent pieces; do
		ask "@$S4" MX dmarc-$name.policies.example
		ask "@$S4" TXT _dmarc.dmarc-$name.policies.example
	done
	for name in weak less usual large bare curve gone other two; do
		ask "@$S4" TXT $name._domainkey.keys.policies.example
	done
}
