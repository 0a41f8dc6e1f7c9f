// SPDX-License-Identifier: Apache-2.0
#include "analytics/tls_failure.h"

#include "decode/tls_facts.h"

enum { LARGE_KEY_SHARE = 512 }; // bytes; curves and FFDHE of use have less, ML-KEM has 800 and more

enum tls_failure_kind tls_failure_by_end(const struct session_record *record)
{
	switch (record->end_reason) {
	case END_RST:
		return FAILURE_RESET;
	case END_FIN:
		return FAILURE_CLOSED;
	case END_TIMEOUT:
		return FAILURE_SILENCE;
	case END_OF_CAPTURE:
	case END_EVICTED:
	case END_STILL_OPEN:
		break;
	}
	return FAILURE_NONE;
}

static enum tls_failure_kind kind_of(const struct session_record *record)
{
	const struct session *session = record->session;
	bool begun = record->starttls_accepted == SEEN_YES || session->tls.begun;
	bool junk = session->tls_foreign && record->tls_established != SEEN_YES;
	if (!begun || !(junk || record->tls_established == SEEN_NO))
		return FAILURE_NONE;
	if (session->tls.alert_seen)
		return FAILURE_ALERT;
	return junk ? FAILURE_JUNK : tls_failure_by_end(record);
}

// Alerts by which one side says that the other's bytes cannot be right (RFC 8446 6.2).
static bool is_odd_alert(uint8_t description)
{
	enum {
		UNEXPECTED_MESSAGE = 10,
		BAD_RECORD_MAC = 20,
		ILLEGAL_PARAMETER = 47,
		DECODE_ERROR = 50,
		DECRYPT_ERROR = 51,
	};
	return description == UNEXPECTED_MESSAGE || description == BAD_RECORD_MAC ||
	       description == ILLEGAL_PARAMETER || description == DECODE_ERROR ||
	       description == DECRYPT_ERROR;
}

static bool has_large_hello(const struct session_record *record)
{
	struct tls_offer offer;
	return tls_facts_offer(&record->session->tls, &offer) &&
	       offer.key_share_bytes >= LARGE_KEY_SHARE;
}

static bool is_odd(const struct session_record *record, enum tls_failure_kind kind)
{
	switch (kind) {
	case FAILURE_ALERT:
		return is_odd_alert(record->session->tls.alert_description);
	case FAILURE_JUNK:
		return true;
	case FAILURE_RESET:
	case FAILURE_CLOSED:
	case FAILURE_SILENCE:
		// Behind the server's hello it may have been the certificate. The size of a client's hello that
		// was not seen whole is not known.
		return record->session->tls.version == 0 &&
		       record->session->tls.client_version != 0 && !has_large_hello(record);
	case FAILURE_NONE:
	case FAILURE_UNANSWERED:
		break;
	}
	return false;
}

struct tls_failure tls_failure_of(const struct session_record *record)
{
	enum tls_failure_kind kind = kind_of(record);
	return (struct tls_failure){kind, is_odd(record, kind)};
}

const char *tls_failure_name(enum tls_failure_kind kind)
{
	static const char *const names[] = {
	    [FAILURE_NONE] = NULL,
	    [FAILURE_ALERT] = "alert",
	    [FAILURE_JUNK] = "junk",
	    [FAILURE_RESET] = "reset",
	    [FAILURE_CLOSED] = "closed",
	    [FAILURE_SILENCE] = "silence",
	    [FAILURE_UNANSWERED] = "unanswered",
	};
	return names[kind];
}
