// SPDX-License-Identifier: Apache-2.0
// A server that shows other clients one certificate shows this client another that is self-signed or leads
// to nobody the trust store knows. Back ends that differ and a certificate made anew in haste look the
// same, unless the usual one is good and still in use.
#include "analytics/detector.h"

enum { HABIT_MIN = 2 }; // sessions that make a certificate the usual one

// The leaf most often shown to others that has another key than this one.
static const struct server_leaf *usual_leaf(
    const struct server_history *server, const uint8_t *sha256)
{
	const struct server_leaf *usual = NULL;
	for (size_t i = 0; i < server->leaf_count; i++) {
		const struct server_leaf *leaf = &server->leaves[i];
		if (memcmp(leaf->sha256, sha256, sizeof leaf->sha256) == 0)
			return NULL; // nothing new
		if (usual == NULL || leaf->sessions > usual->sessions)
			usual = leaf;
	}
	return usual;
}

static const uint8_t *shown_leaf(const struct detector_input *input)
{
	const struct text *chain = input->record->session->tls.chain[FROM_SERVER];
	enum certificate_source source = input->certificates->source;
	bool shown = source == CERTIFICATES_IN_HANDSHAKE || source == CERTIFICATES_IN_KEYLOG;
	return shown && chain != NULL && chain->length >= 32 ? chain->bytes : NULL;
}

static bool detect(const struct detector_input *input, struct evidence *evidence)
{
	const unsigned doubtful = FAULT_SELF_SIGNED | FAULT_UNTRUSTED;
	const uint8_t *leaf = shown_leaf(input);
	if (leaf == NULL || !input->certificates->judged[FROM_SERVER] ||
	    !(input->certificates->faults & doubtful))
		return false;
	const struct server_leaf *usual = usual_leaf(input->server, leaf);
	if (usual == NULL || usual->sessions < HABIT_MIN ||
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
