// SPDX-License-Identifier: Apache-2.0
// The list lacks STARTTLS or STLS, though this server has offered it before. A server that stops to offer
// it, one that offers it to some networks only, and a load balancer with unlike back ends do the same:
// that is suspected at most. Probable is a removal where nothing else of the server changed, this network
// was offered it before and has not been since, while other networks still are: none of the three
// explains that.
#include "analytics/detector.h"

static bool offered_before(const struct server_history *server, nanoseconds now)
{
	return detector_is_listed(server) ||
	       (server->offer_proven && server->offered >= DETECTOR_OFTEN &&
	           now - server->offered_last <= DETECTOR_MEMORY);
}

// Is all that the server shows beside the offer as it was?
static bool otherwise_the_same(const struct detector_input *input)
{
	const struct server_history *server = input->server;
	return server->capabilities_fingerprint != 0 && server->banner_fingerprint != 0 &&
	       server->capabilities_fingerprint == input->capabilities_fingerprint &&
	       server->banner_fingerprint == input->banner_fingerprint;
}

static bool only_here(const struct path_history *path)
{
	return path->missing_since != 0 && path->offered_here >= DETECTOR_OFTEN &&
	       path->offered_elsewhere_since > 0;
}

// Offers that come and go for one network, with other words around them: several machines behind one
// address.
static bool are_several(const struct detector_input *input)
{
	return input->path->comes_and_goes && !otherwise_the_same(input);
}

static bool detect(const struct detector_input *input, struct evidence *evidence)
{
	const struct session *session = input->record->session;
	const struct server_history *server = input->server;
	bool garbled = input->patterns->garbled_capability >= 0; // evidence of its own
	if (session->starttls_offered != SEEN_NO || session->capabilities == NULL || garbled ||
	    !offered_before(server, input->record->end) || are_several(input))
		return false;
	bool same = otherwise_the_same(input);
	bool probable = same && only_here(input->path);
	evidence->confidence = probable ? CONFIDENCE_PROBABLE : CONFIDENCE_SUSPECTED;
	evidence_number(evidence, "offered", server->offered);
	evidence_number(evidence, "offered_networks", server->offered_networks);
	if (server->offered_last != 0)
		evidence_time(evidence, "offered_last", server->offered_last);
	evidence_number(evidence, "offered_to_this_network", input->path->offered_here);
	evidence_bool(evidence, "otherwise_the_same", same);
	evidence_bool(evidence, "still_offered_elsewhere", only_here(input->path));
	if (detector_is_listed(server))
		evidence_bool(evidence, "listed_as_good", true);
	return true;
}

const struct detector_ops capability_removed = {
    .kind = EVIDENCE_CAPABILITY_REMOVED, .strips = true, .detect = detect};
