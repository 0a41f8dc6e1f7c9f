// SPDX-License-Identifier: Apache-2.0
#include "analytics/dns_transactions.h"

#include "analytics/recent_table.h"

#include <stdlib.h>
#include <string.h>

enum {
	TRANSACTIONS = 1 << 16, // that are remembered
	PAIRS = 1 << 14, // of hosts between which questions were seen
	HASHED_MAX = 2 * 16 + 2 * 2 + 2 + 2 + 1 + DNS_NAME_MAX,
};

// For so long an answer is waited for, and copies of it.
#define PATIENCE SECONDS(30)

struct transaction {
	nanoseconds asked;
	uint64_t answer; // its hash; 0: none came yet
};

struct dns_transactions {
	struct hash_key key;
	struct recent_table *waiting, *pairs;
};

struct dns_transactions *dns_transactions_create(void)
{
	struct dns_transactions *transactions = calloc(1, sizeof *transactions);
	if (transactions == NULL)
		return NULL;
	transactions->key = hash_key_random();
	transactions->waiting = recent_table_create(TRANSACTIONS, sizeof(struct transaction));
	transactions->pairs = recent_table_create(PAIRS, sizeof(uint8_t));
	if (transactions->waiting != NULL && transactions->pairs != NULL)
		return transactions;
	dns_transactions_destroy(transactions);
	return NULL;
}

void dns_transactions_destroy(struct dns_transactions *transactions)
{
	if (transactions == NULL)
		return;
	recent_table_destroy(transactions->waiting, NULL);
	recent_table_destroy(transactions->pairs, NULL);
	free(transactions);
}

// Who asks whom.
struct ends {
	const struct ip_address *client, *server;
	uint16_t client_port, server_port;
};

static struct ends ends_of(const struct dns_message *message, bool answer)
{
	if (answer)
		return (struct ends){&message->destination, &message->source,
		    message->destination_port, message->source_port};
	return (struct ends){&message->source, &message->destination, message->source_port,
	    message->destination_port};
}

static uint64_t not_zero(uint64_t hash)
{
	return hash != 0 ? hash : 1;
}

static uint8_t *put(uint8_t *to, const void *bytes, size_t length)
{
	memcpy(to, bytes, length);
	return to + length;
}

static uint64_t pair_key(const struct dns_transactions *transactions, const struct ends *ends)
{
	uint8_t bytes[32];
	put(put(bytes, ends->client, 16), ends->server, 16);
	return not_zero(hash_bytes(&transactions->key, bytes, sizeof bytes));
}

static uint64_t transaction_key(const struct dns_transactions *transactions,
    const struct ends *ends, bool tcp, const struct dns_parsed *parsed)
{
	uint8_t bytes[HASHED_MAX], *end = bytes;
	end = put(end, ends->client, 16);
	end = put(end, ends->server, 16);
	end = put(end, &ends->client_port, sizeof ends->client_port);
	end = put(end, &ends->server_port, sizeof ends->server_port);
	end = put(end, &parsed->id, sizeof parsed->id);
	end = put(end, &parsed->type, sizeof parsed->type);
	*end++ = tcp;
	end = put(end, parsed->name.bytes, parsed->name.length);
	return not_zero(hash_bytes(&transactions->key, bytes, (size_t)(end - bytes)));
}

void dns_transactions_question(struct dns_transactions *transactions,
    const struct dns_message *message, const struct dns_parsed *parsed)
{
	struct ends ends = ends_of(message, false);
	uint64_t key = transaction_key(transactions, &ends, message->tcp, parsed);
	void *pair;
	void *value;
	(void)recent_table_take(transactions->pairs, pair_key(transactions, &ends), &pair);
	if (recent_table_take(transactions->waiting, key, &value) == RECENT_NO_MEMORY)
		return;
	struct transaction *transaction = value;
	*transaction = (struct transaction){.asked = message->time};
}

enum dns_fit dns_transactions_answer(struct dns_transactions *transactions,
    const struct dns_message *message, const struct dns_parsed *parsed)
{
	struct ends ends = ends_of(message, true);
	uint64_t key = transaction_key(transactions, &ends, message->tcp, parsed);
	struct transaction *transaction = recent_table_find(transactions->waiting, key);
	bool in_time = transaction != NULL && message->time - transaction->asked <= PATIENCE;
	if (!in_time)
		return recent_table_find(transactions->pairs, pair_key(transactions, &ends)) != NULL
		           ? DNS_UNASKED
		           : DNS_QUESTIONS_HIDDEN;
	uint64_t hash =
	    not_zero(hash_bytes(&transactions->key, message->bytes, message->captured));
	if (transaction->answer == 0) {
		transaction->answer = hash;
		return DNS_ASKED;
	}
	return transaction->answer == hash ? DNS_AGAIN : DNS_CONTRADICTING;
}
