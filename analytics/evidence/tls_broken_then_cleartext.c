// SPDX-License-Identifier: Apache-2.0
// TLS was begun and broke, and then the same client talks in the clear to the same server, in this
// connection or in a new one soon after. Clients and servers that have no version or cipher in common, a
// large hello that a server cannot take, and a client that dislikes the certificate come to the same: it
// is suspected. Probable is what none of these explains: something else than TLS where the server's
// hello was due, or a failure of a client whose TLS with this server worked before; and the server's TLS
// works for others.
#include "analytics/detector.h"

struct failure {
	const char *how; // NULL: there was none
	nanoseconds before; // how long before this session began
	uint16_t port;
};

static const char *how_it_broke(const struct session_record *record)
{
	const struct session *session = record->session;
	if (session->tls_foreign)
		return "junk";
	return session->tls.alert_seen ? "alert" : "other";
}

static struct failure find_failure(const struct detector_input *input)
{
	const struct session_record *record = input->record;
	const struct failed_attempt *broken = &input->client->broken_tls;
	bool here = record->session->upgraded && record->tls_established == SEEN_NO;
	if (here)
		return (struct failure){
		    .how = how_it_broke(record), .port = record->port[FROM_SERVER]};
	nanoseconds before = record->start - broken->time;
	if (broken->time == 0 || before > DETECTOR_SOON || before < -DETECTOR_SOON)
		return (struct failure){.how = NULL};
	return (struct failure){
	    .how = broken->how, .before = before > 0 ? before : 0, .port = broken->port};
}

// It works for others, and for this client too, or what broke it was no TLS at all.
static bool is_unlike(const struct detector_input *input, const struct failure *failure)
{
	const struct server_history *server = input->server;
	bool works = server->established >= DETECTOR_OFTEN &&
	             input->record->end - server->established_last <= DETECTOR_MEMORY;
	return works && (strcmp(failure->how, "junk") == 0 || input->client->established_here > 0);
}

static bool detect(const struct detector_input *input, struct evidence *evidence)
{
	if (!input->record->in_the_clear)
		return false;
	struct failure failure = find_failure(input);
	if (failure.how == NULL)
		return false;
	evidence->confidence =
	    is_unlike(input, &failure) ? CONFIDENCE_PROBABLE : CONFIDENCE_SUSPECTED;
	evidence_name(evidence, "how", failure.how);
	evidence_number(evidence, "port", failure.port);
	evidence_duration(evidence, "seconds", failure.before);
	evidence_number(evidence, "established_with_others", input->server->established);
	return true;
}

const struct detector_ops tls_broken_then_cleartext = {
    .kind = EVIDENCE_TLS_BROKEN_THEN_CLEARTEXT, .strips = true, .detect = detect};
