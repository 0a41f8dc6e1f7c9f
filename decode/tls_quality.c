// SPDX-License-Identifier: Apache-2.0
#include "decode/tls_quality.h"
#include "decode/tls.h"
#include "decode/tls_facts.h"

// All that the facts hold, laid open.
struct observed {
	const struct tls_facts *facts;
	struct tls_offer offer;
	struct tls_answer answer;
	bool has_offer, has_answer;
	bool modern; // TLS 1.3
	struct tls_suite suite;
};

static enum seen seen_as(bool known, bool value)
{
	if (!known)
		return NOT_SEEN;
	return value ? SEEN_YES : SEEN_NO;
}

static struct tls_suite chosen_suite(const struct tls_facts *facts, struct tls_suite_memory *suites)
{
	if (facts->sslv2_cipher != 0)
		return tls_suite_of_sslv2(facts->sslv2_cipher);
	if (facts->cipher_seen)
		return tls_suite_recall(suites, facts->cipher);
	return (struct tls_suite){.known = false};
}

// In TLS 1.3 the ServerHello shows whether keys were exchanged, or a secret shared before was all.
static enum seen modern_forward_secrecy(const struct observed *observed)
{
	if (!observed->has_answer)
		return NOT_SEEN;
	if (observed->answer.key_share)
		return SEEN_YES;
	return observed->facts->resumed == SEEN_YES ? SEEN_NO : NOT_SEEN;
}

static enum seen forward_secrecy(const struct observed *observed)
{
	if (observed->modern)
		return modern_forward_secrecy(observed);
	if (!observed->suite.known || observed->suite.exchange == TLS_EXCHANGE_BY_EXTENSION)
		return NOT_SEEN;
	if (observed->suite.exchange == TLS_EXCHANGE_STATIC)
		return SEEN_NO;
	return observed->facts->resumed == SEEN_NO ? SEEN_YES : NOT_SEEN;
}

static enum tls_post_quantum post_quantum(const struct observed *observed)
{
	const struct tls_facts *facts = observed->facts;
	if (facts->group != 0)
		return tls_group_post_quantum(facts->group);
	bool without_group =
	    observed->suite.known && (observed->suite.exchange == TLS_EXCHANGE_STATIC ||
	                                 observed->suite.exchange == TLS_EXCHANGE_EPHEMERAL);
	return without_group ? POST_QUANTUM_NONE : POST_QUANTUM_NOT_SEEN;
}

// Resumed and anonymous sessions show none, and have nothing to be stapled to.
static bool shows_certificate(const struct observed *observed)
{
	return observed->facts->certificates[FROM_SERVER] > 0;
}

// No staple: the client asked, and the whole of the server's flight was seen.
static enum seen ocsp_staple(const struct observed *observed)
{
	enum seen staple = (enum seen)observed->facts->ocsp_staple;
	bool asked = observed->has_offer && observed->offer.asks_ocsp;
	return staple == SEEN_YES || (asked && shows_certificate(observed)) ? staple : NOT_SEEN;
}

// No timestamps: the client asked, likewise.
static bool timestamps_seen(const struct observed *observed)
{
	bool asked = observed->has_offer && observed->offer.asks_timestamps;
	bool hidden = observed->modern && !observed->facts->chain_ended[FROM_SERVER];
	if (!observed->has_answer || hidden)
		return false;
	return observed->answer.timestamps > 0 || (asked && shows_certificate(observed));
}

struct tls_quality tls_quality_of(const struct tls_facts *facts, struct tls_suite_memory *suites)
{
	struct observed observed = {.facts = facts, .suite = chosen_suite(facts, suites)};
	observed.has_offer = tls_facts_offer(facts, &observed.offer);
	observed.has_answer = tls_facts_answer(facts, &observed.answer);
	observed.modern = facts->version >= TLS_1_3;
	const struct tls_offer *offer = &observed.offer;
	const struct tls_answer *answer = &observed.answer;
	bool has_offer = observed.has_offer, has_answer = observed.has_answer;
	return (struct tls_quality){
	    .suite_known = observed.suite.known,
	    .aead = observed.suite.aead,
	    .weaknesses = observed.suite.weaknesses,
	    .forward_secrecy = forward_secrecy(&observed),
	    .post_quantum = post_quantum(&observed),
	    .compression = seen_as(has_answer, answer->compression),
	    .secure_renegotiation =
	        seen_as(has_answer && !observed.modern, answer->secure_renegotiation),
	    .secure_renegotiation_offered = seen_as(has_offer, offer->secure_renegotiation),
	    .extended_master_secret =
	        seen_as(has_answer, observed.modern || answer->extended_master_secret),
	    .ocsp_staple = ocsp_staple(&observed),
	    .timestamps_seen = timestamps_seen(&observed),
	    .timestamps = answer->timestamps,
	    .ech_offered = seen_as(has_offer, offer->ech),
	    .post_quantum_offered = seen_as(has_offer, offer->post_quantum),
	    .key_share_seen = has_offer && offer->first,
	    .key_share_bytes = offer->key_share_bytes,
	};
}
