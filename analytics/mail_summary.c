// SPDX-License-Identifier: Apache-2.0
#include "analytics/mail_summary.h"

const char *mail_figure_name(enum mail_figure figure)
{
	static const char *const names[MAIL_FIGURES] = {
	    [MAIL_INTERNAL_TLS] = "hops_internal_tls",
	    [MAIL_INTERNAL_CLEAR] = "hops_internal_clear",
	    [MAIL_INTERNAL_NOT_SEEN] = "hops_internal_not_seen",
	    [MAIL_HOPS_UNPLACED] = "hops_unplaced",
	    [MAIL_ACCEPTED] = "accepted",
	    [MAIL_REFUSED] = "refused",
	    [MAIL_DEFERRED] = "deferred",
	    [MAIL_OUTCOME_NOT_SEEN] = "outcome_not_seen",
	    [MAIL_REFUSED_WITH_CAUSE] = "refused_with_cause",
	    [MAIL_REFUSED_SPF] = "refused_spf",
	    [MAIL_REFUSED_DKIM] = "refused_dkim",
	    [MAIL_REFUSED_DMARC] = "refused_dmarc",
	    [MAIL_REFUSED_OTHER] = "refused_other",
	};
	return names[figure];
}

static void add_hop(struct mail_summary *summary, const struct received_hop *hop)
{
	static const enum mail_figure internal[] = {[NOT_SEEN] = MAIL_INTERNAL_NOT_SEEN,
	    [SEEN_NO] = MAIL_INTERNAL_CLEAR,
	    [SEEN_YES] = MAIL_INTERNAL_TLS};
	if (hop->internal == SEEN_YES)
		summary->figures[internal[hop_is_protected(hop)]]++;
	else if (hop->internal == NOT_SEEN)
		summary->figures[MAIL_HOPS_UNPLACED]++;
}

static void add_outcome(struct mail_summary *summary, const struct message_facts *facts)
{
	static const enum mail_figure outcomes[] = {[OUTCOME_NOT_SEEN] = MAIL_OUTCOME_NOT_SEEN,
	    [MESSAGE_ACCEPTED] = MAIL_ACCEPTED,
	    [MESSAGE_REFUSED] = MAIL_REFUSED,
	    [MESSAGE_DEFERRED] = MAIL_DEFERRED};
	if (message_is_copy(facts))
		return; // nobody takes or refuses it
	summary->figures[outcomes[facts->outcome]]++;
	if (facts->refusal_code < 500 || facts->causes == 0)
		return;
	summary->figures[MAIL_REFUSED_WITH_CAUSE]++;
	summary->figures[MAIL_REFUSED_SPF] += (facts->causes & CAUSE_SPF) != 0;
	summary->figures[MAIL_REFUSED_DKIM] += (facts->causes & CAUSE_DKIM) != 0;
	summary->figures[MAIL_REFUSED_DMARC] += (facts->causes & CAUSE_DMARC) != 0;
	summary->figures[MAIL_REFUSED_OTHER] +=
	    (facts->causes & (CAUSE_ARC | CAUSE_AUTHENTICATION)) != 0;
}

struct mail_summary mail_summary_of(const struct session_record *record)
{
	struct mail_summary summary = {.known = record->headers_read};
	struct view messages = record->messages;
	struct message_facts facts;
	while (message_facts_take(&messages, &facts)) {
		for (size_t i = 0; i < facts.hop_count; i++)
			add_hop(&summary, &facts.hops[i]);
		add_outcome(&summary, &facts);
	}
	return summary;
}
