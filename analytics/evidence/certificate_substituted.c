// SPDX-License-Identifier: Apache-2.0
// A server that shows other clients one certificate shows this client another that is self-signed or leads
// to nobody the trust store knows. Back ends that differ and a certificate made anew in haste look the
// same, unless the usual one is good and still in use. Or what its domain publishes in signed DNS (DANE) does
// not fit it; records that were forgotten when a certificate was renewed look the same, unless they fitted
// what the server showed in another session. Where the user's list of good servers names certificates or keys, it
// alone decides.
#include "analytics/detector.h"

enum {
	HABIT_MIN = 2, // sessions that make a certificate the usual one
	OWN_NETWORKS = 3, // client networks that were shown it, and no path is common to
};

static const struct server_leaf *find_leaf(
    const struct server_history *server, const uint8_t *sha256)
{
	for (size_t i = 0; i < server->leaf_count; i++)
		if (memcmp(server->leaves[i].sha256, sha256, sizeof server->leaves[i].sha256) == 0)
			return &server->leaves[i];
	return NULL;
}

// The other leaf that was shown most often; NULL: there is none.
static const struct server_leaf *usual_leaf(
    const struct server_history *server, const struct server_leaf *shown)
{
	const struct server_leaf *usual = NULL;
	for (size_t i = 0; i < server->leaf_count; i++)
		if (&server->leaves[i] != shown &&
		    (usual == NULL || server->leaves[i].sessions > usual->sessions))
			usual = &server->leaves[i];
	return usual;
}

// It has taken the usual one's place: that was not seen since, or it is shown to many.
static bool is_servers_own(const struct server_leaf *shown, const struct server_leaf *usual)
{
	return shown != NULL &&
	       (shown->networks >= OWN_NETWORKS || shown->sessions >= usual->sessions ||
	           (shown->sessions >= DETECTOR_OFTEN && usual->last < shown->first));
}

static const uint8_t *shown_leaf(const struct detector_input *input)
{
	const struct text *chain = input->record->session->tls.chain[FROM_SERVER];
	enum certificate_source source = input->certificates->source;
	bool shown = source == CERTIFICATES_IN_HANDSHAKE || source == CERTIFICATES_IN_KEYLOG;
	return shown && chain != NULL && chain->length >= 32 ? chain->bytes : NULL;
}

static bool is_pinned(const struct server_history *server, const uint8_t *sha256)
{
	for (size_t i = 0; i < server->pin_count; i++)
		if (memcmp(server->pins[i], sha256, sizeof server->pins[i]) == 0)
			return true;
	return false;
}

// A list of keys says nothing of a certificate whose key cannot be read.
static bool detect_unlisted(
    const struct detector_input *input, const uint8_t *leaf, struct evidence *evidence)
{
	const struct server_history *server = input->server;
	const struct certificate *certificate = input->certificates->leaf;
	if (certificate == NULL || is_pinned(server, leaf) ||
	    is_pinned(server, certificate->spki_sha256))
		return false;
	// Known by the name that it gives itself alone, it may be another server.
	evidence->confidence = server->by_name ? CONFIDENCE_SUSPECTED : CONFIDENCE_PROBABLE;
	evidence_hash(evidence, "listed_sha256", server->pins[0]);
	evidence_number(evidence, "listed", server->pin_count);
	evidence_hash(evidence, "sha256", leaf);
	evidence_hash(evidence, "spki_sha256", certificate->spki_sha256);
	return true;
}

/* ---- unlike what the server shows to others ---- */

static bool is_doubtful(const struct detector_input *input)
{
	return (input->certificates->faults & (FAULT_SELF_SIGNED | FAULT_UNTRUSTED)) != 0;
}

static bool detect_unusual(
    const struct detector_input *input, const uint8_t *leaf, struct evidence *evidence)
{
	if (!input->certificates->judged[FROM_SERVER] || !is_doubtful(input))
		return false;
	if (input->server->pin_count > 0)
		return detect_unlisted(input, leaf, evidence);
	const struct server_leaf *shown = find_leaf(input->server, leaf);
	const struct server_leaf *usual = usual_leaf(input->server, shown);
	if (usual == NULL || usual->sessions < HABIT_MIN || is_servers_own(shown, usual) ||
	    input->record->end - usual->last > DETECTOR_MEMORY)
		return false;
	bool good = usual->trusted && input->record->end < usual->not_after &&
	            usual->sessions >= DETECTOR_OFTEN;
	evidence->confidence = good ? CONFIDENCE_PROBABLE : CONFIDENCE_SUSPECTED;
	evidence_hash(evidence, "usual_sha256", usual->sha256);
	evidence_hash(evidence, "sha256", leaf);
	evidence_bool(evidence, "usual_trusted", usual->trusted);
	evidence_number(evidence, "usual_sessions", usual->sessions);
	evidence_time(evidence, "usual_last", usual->last);
	return true;
}

/* ---- unlike what its domain publishes ---- */

// What DANE is worth here. A name that DNS gave may not be the one that was meant; records that nobody was seen to
// fit may be wrong themselves, as may be those of a server whose certificate was renewed, which then is good.
static enum confidence weigh_dane(const struct detector_input *input, const uint8_t *leaf)
{
	const struct certificate_judgement *certificates = input->certificates;
	const struct dane_judgement *dane = certificates->dane;
	const struct server_leaf *shown = find_leaf(input->server, leaf);
	bool own = shown != NULL && shown->networks >= OWN_NETWORKS;
	bool listed = input->server->pin_count > 0; // the list alone decides
	bool certain = dane != NULL && dane->outcome == DANE_MISMATCH &&
	               dane->status == DNSSEC_SECURE && certificates->judged[FROM_SERVER];
	bool doubtful = is_doubtful(input);
	if (!certain || own || listed || !(doubtful || dane->fitted))
		return CONFIDENCE_NONE;
	return dane->asked_for && doubtful && dane->fitted ? CONFIDENCE_PROBABLE
	                                                   : CONFIDENCE_SUSPECTED;
}

static bool detect_unlike_records(
    const struct detector_input *input, const uint8_t *leaf, struct evidence *evidence)
{
	const struct dane_judgement *dane = input->certificates->dane;
	enum confidence confidence = weigh_dane(input, leaf);
	if (confidence == CONFIDENCE_NONE)
		return false;
	if (confidence > evidence->confidence)
		evidence->confidence = confidence;
	if (evidence->fact_count == 0)
		evidence_hash(evidence, "sha256", leaf);
	evidence_bytes(
	    evidence, "dane_name", (const uint8_t *)dane->name.text, dane->name.length);
	evidence_number(evidence, "dane_records", dane->records);
	if (!dane->fitted)
		return true;
	evidence_hash(evidence, "dane_fitted_sha256", dane->fitted_leaf);
	evidence_time(evidence, "dane_fitted_last", dane->fitted_last);
	return true;
}

static bool detect(const struct detector_input *input, struct evidence *evidence)
{
	const uint8_t *leaf = shown_leaf(input);
	if (leaf == NULL)
		return false;
	bool unusual = detect_unusual(input, leaf, evidence);
	bool unlike = detect_unlike_records(input, leaf, evidence);
	return unusual || unlike;
}

const struct detector_ops certificate_substituted = {
    .kind = EVIDENCE_CERTIFICATE_SUBSTITUTED, .detect = detect};
