// SPDX-License-Identifier: Apache-2.0
// TLS was begun and broke, and then the same client talks in the clear to the same server, in this
// connection or in a new one soon after. Clients and servers that have no version or cipher in common, a
// large hello that is lost on the way, and a client that dislikes the certificate come to the same: it
// is suspected. Probable is what none of these explains, at a server whose TLS works for others: something
// else than TLS where its hello was due; or another odd end (tls_failure.h) of a client whose TLS with it
// worked before.
#include "analytics/detector.h"

struct breaking {
	struct tls_failure failure; // FAILURE_NONE: there was none
	nanoseconds before; // how long before this session began
	uint16_t port;
};

static struct breaking find_breaking(const struct detector_input *input)
{
	const struct session_record *record = input->record;
	const struct failed_attempt *broken = &input->client->broken_tls;
	if (record->session->upgraded && record->tls_established == SEEN_NO)
		return (struct breaking){
		    .failure = tls_failure_of(record), .port = record->port[FROM_SERVER]};
	nanoseconds before = record->start - broken->time;
	if (broken->time == 0 || before > DETECTOR_SOON || before < -DETECTOR_SOON)
		return (struct breaking){.port = 0};
	return (struct breaking){
	    .failure = broken->failure, .before = before > 0 ? before : 0, .port = broken->port};
}

static bool is_unlike(const struct detector_input *input, const struct tls_failure *failure)
{
	const struct server_history *server = input->server;
	bool works = server->established >= DETECTOR_OFTEN &&
	             input->record->end - server->established_last <= DETECTOR_MEMORY;
	bool worked_before = input->client->established_here > 0;
	return works && failure->odd && (worked_before || failure->kind == FAILURE_JUNK);
}

static bool detect(const struct detector_input *input, struct evidence *evidence)
{
	if (!input->record->in_the_clear)
		return false;
	struct breaking broken = find_breaking(input);
	if (broken.failure.kind == FAILURE_NONE)
		return false;
	evidence->confidence =
	    is_unlike(input, &broken.failure) ? CONFIDENCE_PROBABLE : CONFIDENCE_SUSPECTED;
	evidence_name(evidence, "how", tls_failure_name(broken.failure.kind));
	evidence_number(evidence, "port", broken.port);
	evidence_duration(evidence, "seconds", broken.before);
	evidence_number(evidence, "established_with_others", input->server->established);
	return true;
}

const struct detector_ops tls_broken_then_cleartext = {
    .kind = EVIDENCE_TLS_BROKEN_THEN_CLEARTEXT, .strips = true, .detect = detect};
