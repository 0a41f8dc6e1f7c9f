// SPDX-License-Identifier: Apache-2.0
// Which answers of DNS were asked for: questions that wait, by both ends, both ports, transport, identification, name
// and type. A resolver takes the first answer that fits; so does this. It cannot tell a forged answer that fits
// and comes first from a true one, but it takes none that nobody asked for. Bounded. One thread.
#ifndef MAILTAP_ANALYTICS_DNS_TRANSACTIONS_H
#define MAILTAP_ANALYTICS_DNS_TRANSACTIONS_H

#include "analytics/dns_answer.h"
#include "decode/headers.h"

struct dns_transactions;

enum dns_fit {
	DNS_ASKED, // the first answer to a question that was seen
	DNS_UNASKED, // questions between these hosts are seen, and there is none that waits for this
	DNS_QUESTIONS_HIDDEN, // no question between these hosts was ever seen: the other direction is not in the capture
	DNS_AGAIN, // the same as an answer before: a copy
	DNS_CONTRADICTING, // another one than the answer before: one of the two is forged
};

// NULL: no memory.
struct dns_transactions *dns_transactions_create(void);
void dns_transactions_destroy(struct dns_transactions *transactions); // NULL is allowed

void dns_transactions_question(struct dns_transactions *transactions,
    const struct dns_message *message, const struct dns_parsed *parsed);
enum dns_fit dns_transactions_answer(struct dns_transactions *transactions,
    const struct dns_message *message, const struct dns_parsed *parsed);

#endif
