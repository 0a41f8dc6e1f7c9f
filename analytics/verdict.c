// SPDX-License-Identifier: Apache-2.0
#include "analytics/verdict.h"

enum {
	PORT_SMTP = 25,
	PORT_SMTPS = 465,
	PORT_SUBMISSION = 587,
	PORT_POP3 = 110,
	PORT_IMAP = 143,
	PORT_IMAPS = 993,
	PORT_POP3S = 995,
};

static bool is_something_else(enum protocol protocol)
{
	return protocol == PROTOCOL_SSH || protocol == PROTOCOL_HTTP || protocol == PROTOCOL_FTP ||
	       protocol == PROTOCOL_UNKNOWN;
}

// Nothing was said, or a dialogue led to nothing. Only a capture of the whole can say so.
static enum verdict judge_quiet(const struct session_record *record)
{
	const struct session *session = record->session;
	bool both = record->packets[FROM_CLIENT] > 0 && record->packets[FROM_SERVER] > 0;
	bool whole = both && record->saw_start && !session->dialogue_gap[FROM_CLIENT] &&
	             !session->dialogue_gap[FROM_SERVER];
	bool missing = record->missing[FROM_CLIENT] + record->missing[FROM_SERVER] > 0;
	return record->ended && whole && !missing ? VERDICT_NO_MAIL : VERDICT_PARTIAL;
}

static bool said_nothing(const struct session_record *record)
{
	return record->bytes[FROM_CLIENT] + record->bytes[FROM_SERVER] +
	           record->missing[FROM_CLIENT] + record->missing[FROM_SERVER] ==
	       0;
}

static enum verdict judge_verdict(const struct session_record *record)
{
	const struct session *session = record->session;
	if (is_something_else((enum protocol)session->protocol))
		return VERDICT_NOT_MAIL;
	if (record->in_the_clear)
		return VERDICT_CLEARTEXT;
	if (session->protocol == PROTOCOL_UNDECIDED)
		return said_nothing(record) ? judge_quiet(record) : VERDICT_PARTIAL;
	if (record->tls_established == SEEN_YES)
		return VERDICT_ENCRYPTED;
	if (session->tls.begun)
		return record->tls_established == SEEN_NO ? VERDICT_TLS_FAILED : VERDICT_PARTIAL;
	return judge_quiet(record);
}

static enum reason judge_reason(const struct session_record *record)
{
	const struct session *session = record->session;
	if (record->tls_port && !session->upgraded)
		return REASON_CLEARTEXT_ON_TLS_PORT;
	if (record->starttls_accepted == SEEN_NO)
		return REASON_REFUSED;
	if (session->tls_foreign || (session->upgraded && record->tls_established == SEEN_NO))
		return REASON_TLS_FAILED;
	if (record->starttls_requested != SEEN_NO)
		return REASON_NONE; // asked for, or perhaps, and the answer is lost
	if (session->starttls_offered == SEEN_NO)
		return REASON_NOT_OFFERED;
	// A client that never asked what is offered did not want it; one whose list is lost may have
	// been offered nothing.
	bool whole = !session->dialogue_gap[FROM_CLIENT] && !session->dialogue_gap[FROM_SERVER];
	bool could =
	    session->starttls_offered == SEEN_YES || (whole && !session->capabilities_asked);
	return could ? REASON_NOT_REQUESTED : REASON_NONE;
}

// SMTP on port 25 is relay unless the client logs in; elsewhere only what is spoken can tell, and
// inside TLS that cannot be seen.
static enum hop judge_smtp_hop(const struct session_record *record)
{
	switch (record->port[FROM_SERVER]) {
	case PORT_SMTPS:
	case PORT_SUBMISSION:
		return HOP_SUBMISSION;
	case PORT_SMTP:
		return record->session->login_tried ? HOP_SUBMISSION : HOP_RELAY;
	default:
		if (record->session->login_tried)
			return HOP_SUBMISSION;
		return record->session->mail_begun && !record->session->dialogue_gap[FROM_CLIENT]
		           ? HOP_RELAY
		           : HOP_NONE;
	}
}

static enum hop hop_of_port(uint16_t port)
{
	switch (port) {
	case PORT_SMTPS:
	case PORT_SUBMISSION:
		return HOP_SUBMISSION;
	case PORT_POP3:
	case PORT_IMAP:
	case PORT_POP3S:
	case PORT_IMAPS:
		return HOP_ACCESS;
	default:
		return HOP_NONE;
	}
}

static enum hop judge_hop(const struct session_record *record)
{
	switch ((enum protocol)record->session->protocol) {
	case PROTOCOL_SMTP:
		return judge_smtp_hop(record);
	case PROTOCOL_IMAP:
	case PROTOCOL_POP3:
		return HOP_ACCESS;
	case PROTOCOL_TLS:
		return hop_of_port(record->port[FROM_SERVER]);
	case PROTOCOL_UNDECIDED:
	case PROTOCOL_SSH:
	case PROTOCOL_HTTP:
	case PROTOCOL_FTP:
	case PROTOCOL_UNKNOWN:
	case PROTOCOL_DNS:
		break;
	}
	return HOP_NONE;
}

struct judgement judge(const struct session_record *record)
{
	struct judgement judgement = {.verdict = judge_verdict(record), .hop = judge_hop(record)};
	if (judgement.verdict == VERDICT_CLEARTEXT)
		judgement.reason = judge_reason(record);
	return judgement;
}

static enum confidence strongest_stripping(const struct evidence *evidence, size_t count)
{
	enum confidence strongest = CONFIDENCE_NONE;
	for (size_t i = 0; i < count; i++)
		if (evidence[i].strips && evidence[i].confidence > strongest)
			strongest = evidence[i].confidence;
	return strongest;
}

struct judgement judge_evidence(const struct session_record *record, struct judgement judgement,
    const struct evidence *evidence, size_t count)
{
	enum confidence strongest = strongest_stripping(evidence, count);
	bool stripped =
	    (judgement.verdict == VERDICT_CLEARTEXT && strongest >= CONFIDENCE_SUSPECTED) ||
	    (judgement.verdict == VERDICT_NO_MAIL && strongest >= CONFIDENCE_PROBABLE) ||
	    (judgement.verdict == VERDICT_PARTIAL && strongest >= CONFIDENCE_CONFIRMED &&
	        record->tls_established == SEEN_NO);
	if (!stripped)
		return judgement;
	judgement.verdict = VERDICT_STRIPPED;
	judgement.reason = REASON_NONE;
	judgement.confidence = strongest;
	return judgement;
}

const char *verdict_name(enum verdict verdict)
{
	static const char *const names[VERDICTS] = {
	    [VERDICT_ENCRYPTED] = "encrypted",
	    [VERDICT_CLEARTEXT] = "cleartext",
	    [VERDICT_STRIPPED] = "stripped",
	    [VERDICT_TLS_FAILED] = "tls_failed",
	    [VERDICT_NO_MAIL] = "no_mail",
	    [VERDICT_NOT_MAIL] = "not_mail",
	    [VERDICT_PARTIAL] = "partial",
	};
	return names[verdict];
}

const char *reason_name(enum reason reason)
{
	static const char *const names[REASONS] = {
	    [REASON_NOT_OFFERED] = "not_offered",
	    [REASON_NOT_REQUESTED] = "not_requested",
	    [REASON_REFUSED] = "refused",
	    [REASON_TLS_FAILED] = "tls_failed",
	    [REASON_CLEARTEXT_ON_TLS_PORT] = "cleartext_on_tls_port",
	};
	return names[reason];
}

const char *hop_name(enum hop hop)
{
	static const char *const names[HOPS] = {
	    [HOP_SUBMISSION] = "submission",
	    [HOP_RELAY] = "relay",
	    [HOP_ACCESS] = "access",
	};
	return names[hop];
}
