// SPDX-License-Identifier: Apache-2.0
#include "tests/fuzz/facts.h"

#include "tests/fuzz/fuzzer.h"

#include <stdarg.h>

__attribute__((format(printf, 2, 3))) static void put(
    struct facts_text *facts, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	size_t room = sizeof facts->text - facts->length;
	int length = vsnprintf(facts->text + facts->length, room, format, arguments);
	va_end(arguments);
	MUST(length >= 0 && (size_t)length < room);
	facts->length += (size_t)length;
}

static void put_text(struct facts_text *facts, unsigned number, const struct text *text)
{
	static const char digits[] = "0123456789abcdef";
	put(facts, "text %u: ", number);
	if (text == NULL) {
		put(facts, "not seen\n");
		return;
	}
	MUST(text->length <= TEXT_MAX && text->length * 3 < sizeof facts->text - facts->length - 1);
	for (uint32_t i = 0; i < text->length; i++) {
		uint8_t byte = text->bytes[i];
		bool plain = byte >= ' ' && byte <= '~' && byte != '\\';
		if (!plain)
			facts->text[facts->length++] = '\\';
		facts->text[facts->length++] = plain ? (char)byte : digits[byte >> 4];
		if (!plain)
			facts->text[facts->length++] = digits[byte & 15];
	}
	put(facts, "\n");
}

#define NUMBER(name) put(facts, #name " %llu\n", (unsigned long long)(session->name))

static void put_dialogue(struct facts_text *facts, const struct session *session)
{
	put(facts, "starttls_reply %.*s\n", STARTTLS_REPLY_MAX, session->starttls_reply);
	NUMBER(protocol);
	NUMBER(tls_mode);
	NUMBER(esmtp);
	NUMBER(starttls_offered);
	NUMBER(starttls_requested);
	NUMBER(starttls_accepted);
	NUMBER(upgrade_inferred);
	NUMBER(tls_required_by_server);
	NUMBER(credentials_exposed);
	NUMBER(login_succeeded);
	NUMBER(login_tried);
	NUMBER(mail_begun);
	NUMBER(clear_from_start);
	NUMBER(greeted);
	NUMBER(client_spoke);
	NUMBER(capabilities_asked);
	NUMBER(client_settled);
	NUMBER(dialogue_gap[FROM_CLIENT]);
	NUMBER(dialogue_gap[FROM_SERVER]);
	NUMBER(tls_foreign);
	NUMBER(upgraded);
	NUMBER(tls_gap);
	NUMBER(greeting_irregular);
	NUMBER(greeting_preauth);
	NUMBER(starttls_unclear);
	NUMBER(client_confided);
	NUMBER(tell_now);
	NUMBER(messages);
	NUMBER(message_bytes);
	NUMBER(injected_command_bytes);
	NUMBER(injected_response_bytes);
}

static void put_tls(struct facts_text *facts, const struct session *session)
{
	NUMBER(tls.version);
	NUMBER(tls.client_version);
	NUMBER(tls.cipher);
	NUMBER(tls.group);
	NUMBER(tls.sslv2_cipher);
	NUMBER(tls.cipher_seen);
	NUMBER(tls.begun);
	NUMBER(tls.alert_seen);
	NUMBER(tls.client_went_on);
	NUMBER(tls.alert_sender);
	NUMBER(tls.alert_description);
	NUMBER(tls.downgrade_sentinel);
	NUMBER(tls.established);
	NUMBER(tls.resumed);
	NUMBER(tls.client_certificate_requested);
	NUMBER(tls.ocsp_staple);
	NUMBER(tls.chain_ended[FROM_CLIENT]);
	NUMBER(tls.chain_ended[FROM_SERVER]);
	NUMBER(tls.certificates[FROM_CLIENT]);
	NUMBER(tls.certificates[FROM_SERVER]);
}

#undef NUMBER
#define NUMBER(name) put(facts, "record " #name " %llu\n", (unsigned long long)(record->name))

static void put_record(struct facts_text *facts, const struct session_record *record)
{
	NUMBER(tls_mode);
	NUMBER(starttls_requested);
	NUMBER(starttls_accepted);
	NUMBER(tls_established);
	NUMBER(credentials_exposed);
	NUMBER(messages_known);
	NUMBER(message_bytes_known);
	NUMBER(in_the_clear);
	NUMBER(ended);
}

static void put_message(struct facts_text *facts, const struct message_facts *message)
{
	put(facts, "message %u: %u %u %u %u %u %u %u, %u bytes\n", message->number,
	    message->transport, message->part, message->complete, message->body_protection,
	    message->outcome, message->refused_at, message->refusal_code, message->header_bytes);
	put(facts, "  %u and %u hops, %u and %u results\n", message->hop_count,
	    message->hops_left_out, message->result_count, message->results_left_out);
	for (size_t i = 0; i < message->signature_count; i++)
		put(facts, "  signature: %u %u\n", message->signatures[i].progress,
		    message->signatures[i].body);
}

void facts_write(struct facts_text *facts, const struct session_record *record)
{
	struct session session = *record->session;
	struct text **texts[SESSION_TEXTS];
	facts->length = 0;
	put_dialogue(facts, &session);
	put_tls(facts, &session);
	put_record(facts, record);
	session_texts(&session, texts);
	for (unsigned i = 0; i < SESSION_TEXTS; i++)
		put_text(facts, i, *texts[i]);
	struct view messages = record->messages;
	struct message_facts message;
	while (message_facts_take(&messages, &message))
		put_message(facts, &message);
}

void facts_must_be_same(
    const struct facts_text *facts, const struct facts_text *other, const char *how)
{
	if (facts->length == other->length && memcmp(facts->text, other->text, facts->length) == 0)
		return;
	fprintf(stderr, "in whole turns:\n%.*s\n%s:\n%.*s\n", (int)facts->length, facts->text, how,
	    (int)other->length, other->text);
	abort();
}
