// SPDX-License-Identifier: Apache-2.0
#include "analytics/dane.h"

#include "analytics/chain_judge.h"
#include "analytics/dns_domains.h"
#include "analytics/dns_text.h"
#include "analytics/recent_table.h"
#include "capture/base/quick_hash.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	FITTED = 1 << 12, // servers where records fitted
	LISTS = 1 << 10, // whose links are remembered
	CHAIN_MAX = CHAIN_CERTIFICATES_MAX,
};

// Where a set of records fitted.
struct fitted {
	uint64_t records; // their hash
	nanoseconds last;
	uint8_t leaf[SHA256_BYTES];
};

struct dane {
	const struct dns_known *known;
	struct certificate_store *certificates;
	struct hash_key key;
	struct recent_table *fitted; // of struct fitted
	struct recent_table *links; // of size_t, by the list
	struct dane_judgement judgement;
};

struct dane *dane_create(const struct dns_known *known, struct certificate_store *certificates)
{
	struct dane *dane = calloc(1, sizeof *dane);
	if (dane == NULL)
		return NULL;
	dane->known = known;
	dane->certificates = certificates;
	dane->key = hash_key_random();
	dane->fitted = recent_table_create(FITTED, sizeof(struct fitted));
	dane->links = recent_table_create(LISTS, sizeof(size_t));
	if (dane->fitted != NULL && dane->links != NULL)
		return dane;
	dane_destroy(dane);
	return NULL;
}

void dane_destroy(struct dane *dane)
{
	if (dane == NULL)
		return;
	recent_table_destroy(dane->fitted, NULL);
	recent_table_destroy(dane->links, NULL);
	free(dane);
}

/* ---- what was shown ---- */

struct shown {
	const struct certificate *sent[CHAIN_MAX];
	struct tlsa_chain chain;
	bool links_known;
};

static void look_at(struct dane *dane, const struct dane_question *question, struct shown *shown)
{
	size_t count = question->count < CHAIN_MAX ? question->count : CHAIN_MAX;
	for (size_t i = 0; i < count; i++)
		shown->sent[i] = certificate_store_find(dane->certificates, question->chain[i]);
	shown->chain = (struct tlsa_chain){shown->sent, count, 0};
	shown->links_known = !question->judged; // or none is to be
}

static void find_links(struct dane *dane, const struct dane_question *question, struct shown *shown)
{
	void *value;
	if (shown->links_known)
		return;
	shown->links_known = true;
	size_t length = shown->chain.count * SHA256_BYTES;
	uint64_t key = quick_hash(&dane->key, question->chain, length) | 1;
	enum recent_taken taken = recent_table_take(dane->links, key, &value);
	if (taken == RECENT_KNOWN) {
		memcpy(&shown->chain.links, value, sizeof shown->chain.links);
		return;
	}
	shown->chain.links = tlsa_links(dane->certificates, shown->sent, shown->chain.count);
	if (taken != RECENT_NO_MEMORY)
		memcpy(value, &shown->chain.links, sizeof shown->chain.links);
}

/* ---- the records of a name ---- */

// Length 0: it would be too long.
static struct dns_name name_of(const char *text)
{
	struct dns_name name = {.length = 0};
	size_t at = 0;
	for (const char *label = text; *label != '\0'; at++) {
		size_t length = strcspn(label, ".");
		if (at + 1 + length + 1 > DNS_NAME_MAX)
			return name;
		name.bytes[at] = (uint8_t)length;
		memcpy(name.bytes + at + 1, label, length);
		at += length;
		label += length + (label[length] == '.');
	}
	name.bytes[at] = 0;
	name.length = (uint8_t)(at + 1);
	return name;
}

// The name that a port's records stand at (RFC 6698 3). Length 0: it would be too long.
static struct dns_name records_name(const struct host_name *host, uint16_t port)
{
	char text[HOST_NAME_MAX_BYTES + sizeof "_65535._tcp."];
	snprintf(text, sizeof text, "_%u._tcp.%s", port, host->text);
	return name_of(text);
}

// What a host's name is an alias of, by the answers for its addresses. False: it is none.
static bool alias_target(
    const struct dns_memory *memory, const struct host_name *host, struct host_name *target)
{
	static const uint16_t types[] = {DNS_A, DNS_AAAA};
	struct dns_name name = name_of(host->text), end = {.length = 0};
	char text[DNS_TEXT_MAX];
	for (size_t i = 0; name.length > 0 && end.length == 0 && i < 2; i++) {
		bool differ;
		const struct dns_answer *answer = dns_memory_find(memory, &name, types[i], &differ);
		struct dns_set set;
		struct dns_data data;
		for (size_t at = 0; answer != NULL && dns_answer_next_set(answer, &at, &set);) {
			size_t first = 0;
			if (set.type == DNS_CNAME && dns_list_next(&set.records, &first, &data))
				end = dns_name_beneath(
				    data.bytes, data.length, &(struct dns_name){.length = 0});
		}
	}
	size_t length = end.length > 0 ? dns_name_text(&end, text) : 0;
	return length > 0 && host_name_read(view_of((const uint8_t *)text, length), target);
}

struct found {
	enum tlsa_fit fit;
	struct tlsa record; // that the fit rests on; usage and so on of the first one otherwise
	unsigned records;
};

static void take_record(struct dane *dane, const struct dane_question *question,
    struct shown *shown, const struct tlsa *record, struct found *found)
{
	if (record->usage == TLSA_DANE_TA)
		find_links(dane, question, shown);
	enum tlsa_fit fit = tlsa_match(record, &shown->chain);
	bool better = found->records == 0 || (fit == TLSA_FITS && found->fit != TLSA_FITS) ||
	              (found->fit == TLSA_OF_NO_USE && fit != TLSA_OF_NO_USE);
	if (better)
		found->record = *record;
	if (better || (fit == TLSA_CANNOT_TELL && found->fit == TLSA_FITS_NOT))
		found->fit = fit;
	found->records++;
}

// What an answer's records come to. None at all are of no use.
static struct found match_answer(struct dane *dane, const struct dane_question *question,
    struct shown *shown, const struct dns_answer *answer)
{
	struct found found = {.fit = TLSA_OF_NO_USE};
	struct dns_data data;
	struct tlsa record;
	for (size_t at = 0; dns_answer_next(answer, &at, &data);)
		if (tlsa_read(&data, &record))
			take_record(dane, question, shown, &record, &found);
	return found;
}

static bool is_good(const struct dns_answer *answer, nanoseconds time)
{
	return answer->asked && answer->seen <= time && time <= answer->good_until;
}

// The latest good answer, and whether all that is remembered leaves no doubt of what it comes to.
static const struct dns_answer *weigh(struct dane *dane, const struct dane_question *question,
    struct shown *shown, const struct dns_name *name, struct found *found, bool *doubt)
{
	size_t count;
	const struct dns_answer *answers =
	    dns_memory_answers(dane->known->memory, name, DNS_TLSA, &count);
	const struct dns_answer *best = NULL;
	*doubt = false;
	for (size_t i = 0; i < count; i++) {
		struct found here = match_answer(dane, question, shown, &answers[i]);
		bool good = is_good(&answers[i], question->record->start);
		*doubt |= here.fit != TLSA_FITS_NOT ||
		          (i > 0 && !dns_answers_agree(&answers[0], &answers[i]));
		bool first = best == NULL || (here.fit == TLSA_FITS && found->fit != TLSA_FITS);
		bool later =
		    best != NULL && here.fit == found->fit && answers[i].seen >= best->seen;
		if (!good || !(first || later))
			continue;
		best = &answers[i];
		*found = here;
	}
	return best;
}

/* ---- what fitted elsewhere ---- */

static uint64_t server_key(
    const struct dane *dane, const struct session_record *record, const struct dns_name *name)
{
	uint8_t bytes[sizeof record->address[0] + DNS_NAME_MAX];
	memcpy(bytes, &record->address[FROM_SERVER], sizeof record->address[0]);
	memcpy(bytes + sizeof record->address[0], name->bytes, name->length);
	return quick_hash(&dane->key, bytes, sizeof record->address[0] + name->length) | 1;
}

static uint64_t records_hash(const struct dane *dane, const struct dns_answer *answer)
{
	uint64_t sum = 0; // in whatever order they came
	struct dns_data data;
	for (size_t at = 0; dns_answer_next(answer, &at, &data);)
		sum += quick_hash(&dane->key, data.bytes, data.length);
	return sum;
}

static void note_fitting(struct dane *dane, const struct dane_question *question,
    const struct dns_name *name, const struct dns_answer *answer)
{
	void *value;
	uint64_t key = server_key(dane, question->record, name);
	if (question->recalled || recent_table_take(dane->fitted, key, &value) == RECENT_NO_MEMORY)
		return;
	struct fitted *fitted = value;
	*fitted = (struct fitted){records_hash(dane, answer), question->record->end, {0}};
	memcpy(fitted->leaf, question->chain[0], SHA256_BYTES);
}

static void recall_fitting(struct dane *dane, const struct dane_question *question,
    const struct dns_name *name, const struct dns_answer *answer)
{
	struct dane_judgement *judgement = &dane->judgement;
	const struct fitted *fitted =
	    recent_table_find(dane->fitted, server_key(dane, question->record, name));
	if (fitted == NULL || fitted->records != records_hash(dane, answer))
		return;
	judgement->fitted = true;
	judgement->fitted_last = fitted->last;
	memcpy(judgement->fitted_leaf, fitted->leaf, SHA256_BYTES);
}

/* ---- judging ---- */

static void show(struct dane *dane, const struct host_name *host, const struct found *found,
    enum dnssec_status status)
{
	struct dane_judgement *judgement = &dane->judgement;
	host_name_copy(&judgement->name, host);
	judgement->records = found->records;
	judgement->status = status;
	judgement->shown = found->records > 0;
	judgement->usage = found->record.usage;
	judgement->selector = found->record.selector;
	judgement->matching_type = found->record.matching_type;
}

// What the records of one name come to; what is to be told of is in the judgement.
static enum dane_outcome judge_name(struct dane *dane, const struct dane_question *question,
    struct shown *shown, const struct host_name *host)
{
	struct found found = {.fit = TLSA_OF_NO_USE};
	bool doubt;
	const struct session_record *record = question->record;
	struct dns_name name = records_name(host, record->port[FROM_SERVER]);
	if (name.length == 0)
		return DANE_NOT_KNOWN;
	const struct dns_answer *answer = weigh(dane, question, shown, &name, &found, &doubt);
	if (answer == NULL)
		return DANE_NOT_KNOWN;
	enum dnssec_status status = dane->known->status(dane->known->context, &name, DNS_TLSA);
	bool counts = status == DNSSEC_SECURE || status == DNSSEC_CANNOT_TELL;
	bool fits = counts && found.fit == TLSA_FITS;
	if (fits || dane->judgement.name.length == 0)
		show(dane, host, &found, status);
	if (fits) {
		note_fitting(dane, question, &name, answer);
		return DANE_MATCH;
	}
	if (!counts || doubt || question->recalled)
		return DANE_NOT_KNOWN;
	recall_fitting(dane, question, &name, answer);
	return DANE_MISMATCH;
}

// RFC 7672 2.2.2: of a host that is an alias the records of what it leads to go before its own, if DNSSEC vouches for the
// way there. A client that asks for no name does not tell which it took.
static enum dane_outcome judge_host(struct dane *dane, const struct dane_question *question,
    struct shown *shown, const struct host_name *host)
{
	struct host_name target;
	enum dane_outcome own = judge_name(dane, question, shown, host);
	if (question->asked_for || own == DANE_MATCH ||
	    !alias_target(dane->known->memory, host, &target))
		return own;
	enum dane_outcome other = judge_name(dane, question, shown, &target);
	return other == DANE_MATCH || other == own ? other : DANE_NOT_KNOWN;
}

const struct dane_judgement *dane_judge(struct dane *dane, const struct dane_question *question)
{
	struct shown shown;
	struct dane_judgement *judgement = &dane->judgement;
	const struct mx_names *names = question->names;
	bool all = names->count > 0 && !names->more;
	*judgement = (struct dane_judgement){.asked_for = question->asked_for};
	look_at(dane, question, &shown);
	for (unsigned i = 0; i < names->count; i++) {
		enum dane_outcome outcome = judge_host(dane, question, &shown, &names->names[i]);
		all &= outcome == DANE_MISMATCH;
		if (outcome != DANE_MATCH)
			continue;
		judgement->outcome = DANE_MATCH;
		return judgement;
	}
	judgement->outcome = all ? DANE_MISMATCH : DANE_NOT_KNOWN;
	return judgement;
}
