// SPDX-License-Identifier: Apache-2.0
// A client that takes STARTTLS or STLS whenever it is offered ignores the offer here: it may never have
// arrived, as the tap sits before the middlebox.
#include "analytics/detector.h"

enum { SERVERS_MIN = 2 }; // a habit towards servers in general shows with more than one

static bool takes_it_here(const struct client_history *client)
{
	return client->offers_here >= DETECTOR_OFTEN && client->taken_here == client->offers_here;
}

static bool takes_it_anywhere(const struct client_history *client)
{
	return client->offers >= DETECTOR_OFTEN && client->taken == client->offers &&
	       client->servers >= SERVERS_MIN;
}

static bool detect(const struct detector_input *input, struct evidence *evidence)
{
	const struct session_record *record = input->record;
	const struct client_history *client = input->client;
	bool here = takes_it_here(client);
	if (record->session->starttls_offered != SEEN_YES ||
	    record->starttls_requested != SEEN_NO || !record->in_the_clear ||
	    !(here || takes_it_anywhere(client)) ||
	    record->end - client->taken_last > DETECTOR_MEMORY)
		return false;
	evidence->confidence = CONFIDENCE_SUSPECTED;
	evidence_number(evidence, "offers", here ? client->offers_here : client->offers);
	evidence_number(evidence, "taken", here ? client->taken_here : client->taken);
	evidence_bool(evidence, "of_this_server", here);
	evidence_time(evidence, "taken_last", here ? client->taken_here_last : client->taken_last);
	return true;
}

const struct detector_ops offer_ignored_unlike_client = {
    .kind = EVIDENCE_OFFER_IGNORED_UNLIKE_CLIENT, .strips = true, .detect = detect};
