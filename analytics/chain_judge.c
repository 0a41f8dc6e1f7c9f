// SPDX-License-Identifier: Apache-2.0
// The memory of judgements: a hash table of a size fixed by the limit, in the order of their use.
#include "analytics/chain_judge.h"

#include "analytics/chain_examination.h"
#include "analytics/judging_budget.h"
#include "capture/base/hash.h"

#include <stdlib.h>
#include <string.h>

enum {
	BYTES_PER_BUCKET = 512, // of the limit
	BUCKETS_MIN = 64,
	SOON_SHARE = 10, // the last tenth of a lifetime
};

struct entry {
	struct entry *next; // in its bucket
	struct entry *older, *newer; // by use
	struct chain_examination examination;
	uint64_t newest[EXAMINATION_WANTED]; // issuers of the names wanted, as there were then
	enum certificate_role role;
	uint32_t count;
	uint8_t chain[][SHA256_BYTES];
};

struct chain_judge {
	struct certificate_store *certificates;
	struct trust_store *trust;
	struct hash_key key;
	size_t limit; // bytes of entries
	struct entry **buckets;
	size_t bucket_count; // a power of two
	struct entry *oldest, *newest;
	struct judging_budget budget;
	struct chain_judge_counters counters;
};

static size_t entry_bytes(size_t count)
{
	return sizeof(struct entry) + count * SHA256_BYTES;
}

/* ---- what is found again ---- */

// One list judged as two roles is two entries.
static struct entry **bucket_of(const struct chain_judge *judge,
    const uint8_t (*chain)[SHA256_BYTES], size_t count, enum certificate_role role)
{
	uint64_t hash = hash_bytes(&judge->key, chain, count * SHA256_BYTES);
	return &judge->buckets[(hash ^ role) & (judge->bucket_count - 1)];
}

static bool is_of(const struct entry *entry, const uint8_t (*chain)[SHA256_BYTES], size_t count,
    enum certificate_role role)
{
	return entry->count == count && entry->role == role &&
	       memcmp(entry->chain, chain, count * SHA256_BYTES) == 0;
}

// True if another session has shown an issuer that was wanted since.
static bool may_be_completed(const struct chain_judge *judge, const struct entry *entry)
{
	for (size_t i = 0; i < EXAMINATION_WANTED; i++) {
		uint64_t name = entry->examination.wanted[i];
		if (name != 0 &&
		    certificate_store_newest_issuer(judge->certificates, name) > entry->newest[i])
			return true;
	}
	return false;
}

static bool still_holds(const struct chain_judge *judge, const struct entry *entry, int64_t at)
{
	const struct chain_judgement *judgement = &entry->examination.judgement;
	return at >= judgement->from && at <= judgement->until && !may_be_completed(judge, entry);
}

static void remember_issuers(const struct chain_judge *judge, struct entry *entry)
{
	for (size_t i = 0; i < EXAMINATION_WANTED; i++)
		entry->newest[i] = certificate_store_newest_issuer(
		    judge->certificates, entry->examination.wanted[i]);
}

/* ---- lists ---- */

static void use_append(struct chain_judge *judge, struct entry *entry)
{
	entry->newer = NULL;
	entry->older = judge->newest;
	*(judge->newest != NULL ? &judge->newest->newer : &judge->oldest) = entry;
	judge->newest = entry;
}

static void use_remove(struct chain_judge *judge, struct entry *entry)
{
	*(entry->older != NULL ? &entry->older->newer : &judge->oldest) = entry->newer;
	*(entry->newer != NULL ? &entry->newer->older : &judge->newest) = entry->older;
}

static void evict_oldest(struct chain_judge *judge)
{
	struct entry *entry = judge->oldest;
	struct entry **link = bucket_of(
	    judge, (const uint8_t(*)[SHA256_BYTES])entry->chain, entry->count, entry->role);
	while (*link != entry)
		link = &(*link)->next;
	*link = entry->next;
	use_remove(judge, entry);
	judge->counters.cached--;
	judge->counters.evicted++;
	judge->counters.bytes -= entry_bytes(entry->count);
	free(entry);
}

// Keeps a judgement, at the cost of the oldest. Without memory it is not kept.
static void keep(struct chain_judge *judge, const uint8_t (*chain)[SHA256_BYTES], size_t count,
    enum certificate_role role, const struct chain_examination *examination)
{
	struct entry *entry = malloc(entry_bytes(count));
	if (entry == NULL)
		return;
	struct entry **bucket = bucket_of(judge, chain, count, role);
	*entry = (struct entry){
	    .next = *bucket, .examination = *examination, .role = role, .count = (uint32_t)count};
	memcpy(entry->chain, chain, count * SHA256_BYTES);
	remember_issuers(judge, entry);
	*bucket = entry;
	use_append(judge, entry);
	judge->counters.cached++;
	judge->counters.bytes += entry_bytes(count);
	while (judge->counters.bytes > judge->limit)
		evict_oldest(judge);
}

/* ---- judging ---- */

void chain_judge_tell_time(struct chain_judge *judge, int64_t now)
{
	judging_budget_tell_time(&judge->budget, now);
}

static bool can_afford(
    struct chain_judge *judge, const struct certificate *const *sent, size_t count)
{
	if (judging_budget_spend(&judge->budget, judging_work(sent, count)))
		return true;
	judge->counters.too_dear++;
	return false;
}

static bool examine(struct chain_judge *judge, const uint8_t (*chain)[SHA256_BYTES], size_t count,
    enum certificate_role role, int64_t at, struct chain_examination *examination)
{
	const struct certificate *sent[CHAIN_CERTIFICATES_MAX];
	bool held = count > 0;
	size_t bytes = 0;
	for (size_t i = 0; i < count && held; i++) {
		sent[i] = certificate_store_find(judge->certificates, chain[i]);
		bytes += sent[i] != NULL ? sent[i]->facts.der.length : 0;
		held = sent[i] != NULL && bytes <= CHAIN_BYTES_MAX;
	}
	if (!held || !can_afford(judge, sent, count) ||
	    !chain_examine(judge->certificates, judge->trust, sent, count, role, at, examination)) {
		judge->counters.unjudged++;
		return false;
	}
	judge->counters.verified++;
	return true;
}

// Its certificates are in use as long as the list is, though nobody looks into them: they will be
// needed when it has to be judged anew.
static void use_certificates(
    struct chain_judge *judge, const uint8_t (*chain)[SHA256_BYTES], size_t count)
{
	for (size_t i = 0; i < count; i++)
		(void)certificate_store_find(judge->certificates, chain[i]);
}

bool chain_judge(struct chain_judge *judge, const uint8_t (*chain)[SHA256_BYTES], size_t count,
    enum certificate_role role, int64_t at, struct chain_judgement *judgement)
{
	struct chain_examination examination;
	if (count > CHAIN_CERTIFICATES_MAX)
		count = CHAIN_CERTIFICATES_MAX;
	struct entry *entry = *bucket_of(judge, chain, count, role);
	while (entry != NULL && !is_of(entry, chain, count, role))
		entry = entry->next;
	if (entry != NULL && still_holds(judge, entry, at)) {
		judge->counters.known++;
		use_certificates(judge, chain, count);
	} else {
		if (!examine(judge, chain, count, role, at, &examination))
			return false;
		*judgement = examination.judgement;
		if (entry == NULL) {
			keep(judge, chain, count, role, &examination);
			return true;
		}
		entry->examination = examination;
		remember_issuers(judge, entry);
	}
	use_remove(judge, entry);
	use_append(judge, entry);
	*judgement = entry->examination.judgement;
	return true;
}

/* ---- the whole ---- */

struct chain_judge *chain_judge_create(
    struct certificate_store *certificates, struct trust_store *trust, size_t bytes)
{
	struct chain_judge *judge = calloc(1, sizeof *judge);
	if (judge == NULL)
		return NULL;
	judge->certificates = certificates;
	judge->trust = trust;
	judge->key = hash_key_random();
	judge->budget = judging_budget_full();
	judge->bucket_count = BUCKETS_MIN;
	while (judge->bucket_count < bytes / BYTES_PER_BUCKET)
		judge->bucket_count *= 2;
	judge->buckets = calloc(judge->bucket_count, sizeof *judge->buckets);
	if (judge->buckets == NULL) {
		free(judge);
		return NULL;
	}
	size_t table = judge->bucket_count * sizeof *judge->buckets;
	judge->limit = bytes > table ? bytes - table : 0;
	return judge;
}

static void forget_all(struct chain_judge *judge)
{
	uint64_t evicted = judge->counters.evicted;
	while (judge->oldest != NULL)
		evict_oldest(judge);
	judge->counters.evicted = evicted; // not for room
}

void chain_judge_use_trust(struct chain_judge *judge, struct trust_store *trust)
{
	forget_all(judge);
	judge->trust = trust;
}

void chain_judge_destroy(struct chain_judge *judge)
{
	if (judge == NULL)
		return;
	forget_all(judge);
	free(judge->buckets);
	free(judge);
}

struct chain_judge_counters chain_judge_counters(const struct chain_judge *judge)
{
	return judge->counters;
}

/* ---- words ---- */

const char *certificate_fault_name(enum certificate_fault fault)
{
	static const char *const names[FAULTS] = {"self_signed", "untrusted", "expired",
	    "not_yet_valid", "revoked", "name_mismatch", "weak_key", "weak_signature",
	    "incomplete_chain", "wrong_order", "not_a_server_certificate", "malformed"};
	return names[__builtin_ctz((unsigned)fault)];
}

bool certificate_expires_soon(const struct x509 *facts, int64_t at)
{
	if (!facts->validity_read || at < facts->not_before || at > facts->not_after)
		return false;
	return facts->not_after - at <= (facts->not_after - facts->not_before) / SOON_SHARE;
}
