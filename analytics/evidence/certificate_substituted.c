// SPDX-License-Identifier: Apache-2.0
// A server that shows other clients one certificate shows this client another that is self-signed or leads
// to nobody the trust store knows. Back ends that differ and a certificate made anew in haste look the
// same, unless the usual one is good and still in use. Where the user's list of good servers names
// certificates or keys, it alone decides.
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

static bool detect(const struct detector_input *input, struct evidence *evidence)
{
	const unsigned doubtful = FAULT_SELF_SIGNED | FAULT_UNTRUSTED;
	const uint8_t *leaf = shown_leaf(input);
	if (leaf == NULL || !input->certificates->judged[FROM_SERVER] ||
	    !(input->certificates->faults & doubtful))
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

const struct detector_ops certificate_substituted = {
    .kind = EVIDENCE_CERTIFICATE_SUBSTITUTED, .detect = detect};
