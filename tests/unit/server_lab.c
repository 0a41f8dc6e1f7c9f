// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/server_lab.h"

#include "analytics/server_key.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

enum { SESSIONS = 8, TEXTS = 64, TEXT_ROOM = 512 };

struct text *lab_text(const char *text)
{
	static _Alignas(16) uint8_t room[TEXTS][sizeof(struct text) + TEXT_ROOM];
	static unsigned next;
	struct text *made = (struct text *)room[next++ % TEXTS];
	size_t length = strlen(text);
	assert_true(length <= TEXT_ROOM);
	made->length = (uint32_t)length;
	memcpy(made->bytes, text, length);
	return made;
}

struct ip_address lab_address(const char *text)
{
	struct ip_address address;
	assert_true(server_address_read(text, &address));
	return address;
}

struct lab_session *lab_smtp(const char *server, const char *client, nanoseconds start)
{
	static struct lab_session labs[SESSIONS];
	static unsigned next;
	struct lab_session *lab = &labs[next++ % SESSIONS];
	memset(lab, 0, sizeof *lab);
	lab->session = (struct session){
	    .protocol = PROTOCOL_SMTP,
	    .server_banner = lab_text("220 mx.example.com ESMTP Postfix"),
	    .server_name = lab_text("mx.example.com"),
	    .esmtp = SEEN_YES,
	    .greeted = true,
	    .client_spoke = true,
	    .capabilities_asked = true,
	};
	lab_list(lab, "PIPELINING\nSIZE 10240000\nSTARTTLS\nAUTH PLAIN LOGIN\n8BITMIME");
	lab->record = (struct session_record){
	    .session = &lab->session,
	    .address = {lab_address(client), lab_address(server)},
	    .port = {40000, 25},
	    .start = start,
	    .end = start + SECONDS(1),
	    .end_reason = END_FIN,
	    .packets = {10, 10},
	    .bytes = {100, 100},
	    .saw_start = true,
	    .tls_mode = TLS_MODE_NONE,
	    .starttls_requested = SEEN_NO,
	    .tls_established = SEEN_NO,
	    .ended = true,
	};
	lab->judged.record = &lab->record;
	return lab;
}

void lab_list(struct lab_session *lab, const char *entries)
{
	lab->session.capabilities = lab_text(entries);
	lab->session.starttls_offered = strstr(entries, "STARTTLS") != NULL ? SEEN_YES : SEEN_NO;
}

void lab_establish(struct lab_session *lab)
{
	strcpy(lab->session.starttls_reply, "220");
	lab->session.upgraded = true;
	lab->session.tls.begun = true;
	lab->record.tls_mode = TLS_MODE_STARTTLS;
	lab->record.starttls_requested = SEEN_YES;
	lab->record.starttls_accepted = SEEN_YES;
	lab->record.tls_established = SEEN_YES;
}

void lab_leaf(struct lab_session *lab, char leaf, bool trusted)
{
	char hash[SHA256_BYTES + 1] = "";
	memset(hash, leaf, SHA256_BYTES);
	memset(lab->certificate.spki_sha256, leaf + 1, SHA256_BYTES);
	lab->certificate.facts.validity_read = true;
	lab->certificate.facts.not_after = 2000000000;
	lab->session.tls.chain[FROM_SERVER] = lab_text(hash);
	lab->session.tls.chain_ended[FROM_SERVER] = true;
	lab->judged.certificates = (struct certificate_judgement){
	    .source = CERTIFICATES_IN_HANDSHAKE,
	    .leaf = &lab->certificate,
	    .judged = {[FROM_SERVER] = true},
	    .chain = {[FROM_SERVER] = {.trust_known = true,
	                  .faults = trusted ? 0 : FAULT_SELF_SIGNED}},
	    .faults = trusted ? 0 : FAULT_SELF_SIGNED,
	};
}

void lab_name(struct lab_session *lab, const char *name)
{
	lab->session.tls.sni = lab_text(name);
	lab->judged.certificates.name_match = NAME_MATCH_SAN;
	lab->judged.certificates.name_source = NAME_FROM_SNI;
}
