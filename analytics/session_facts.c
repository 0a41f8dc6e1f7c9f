// SPDX-License-Identifier: Apache-2.0
#include "analytics/session_facts.h"

enum confidence session_facts_confidence(const struct session_facts *facts)
{
	uint8_t highest = CONFIDENCE_NONE;
	for (size_t kind = 0; kind < EVIDENCE_KINDS; kind++)
		if (facts->evidence[kind] > highest)
			highest = facts->evidence[kind];
	return (enum confidence)highest;
}

bool session_facts_is_sending(const struct session_facts *facts)
{
	return facts->protocol == PROTOCOL_SMTP || facts->hop == HOP_RELAY ||
	       facts->hop == HOP_SUBMISSION;
}

bool session_facts_carried(const struct session_facts *facts)
{
	return facts->verdict == VERDICT_ENCRYPTED || facts->verdict == VERDICT_CLEARTEXT ||
	       facts->verdict == VERDICT_STRIPPED;
}
