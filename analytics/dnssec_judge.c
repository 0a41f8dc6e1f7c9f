// SPDX-License-Identifier: Apache-2.0
#include "analytics/dnssec_judge.h"

#include "analytics/dnssec.h"
#include "analytics/dnssec_records.h"

#include <string.h>

// Whoever checks an answer asks for the keys after it.
#define PATIENCE SECONDS(60)

// A set in the middle of being judged.
struct subject {
	const struct dns_set *set;
	const struct dns_answer *answer; // that it is of
	unsigned trials;
};

static struct dnssec_verdict cannot_tell(enum dnssec_reason reason)
{
	return (struct dnssec_verdict){DNSSEC_CANNOT_TELL, reason};
}

// Anybody may send what does not verify: that nobody is known to have asked for it accuses no one.
static struct dnssec_verdict bogus(const struct dns_answer *answer, enum dnssec_reason reason)
{
	if (!answer->asked)
		return cannot_tell(DNSSEC_NOT_ASKED_FOR);
	return (struct dnssec_verdict){DNSSEC_BOGUS, reason};
}

static const struct dnssec_verdict secure = {DNSSEC_SECURE, DNSSEC_REASON_NONE};
static const struct dnssec_verdict insecure = {DNSSEC_INSECURE, DNSSEC_ALGORITHM};

/* ---- of several, one ---- */

// Of which one is enough: signatures, keys. Where one cannot be judged it might have been the good one.
struct choice {
	bool any;
	struct dnssec_verdict best;
};

static void consider(struct choice *choice, struct dnssec_verdict verdict)
{
	static const int rank[] = {[DNSSEC_INSECURE] = 0,
	    [DNSSEC_BOGUS] = 1,
	    [DNSSEC_CANNOT_TELL] = 2,
	    [DNSSEC_SECURE] = 3};
	if (!choice->any || rank[verdict.status] > rank[choice->best.status])
		choice->best = verdict;
	choice->any = true;
}

static struct dnssec_verdict chosen(const struct choice *choice, struct dnssec_verdict without_any)
{
	return choice->any ? choice->best : without_any;
}

// Of two that are both needed.
static struct dnssec_verdict both(struct dnssec_verdict one, struct dnssec_verdict other)
{
	static const int rank[] = {[DNSSEC_SECURE] = 0,
	    [DNSSEC_INSECURE] = 1,
	    [DNSSEC_CANNOT_TELL] = 2,
	    [DNSSEC_BOGUS] = 3};
	return rank[other.status] > rank[one.status] ? other : one;
}

/* ---- names and times ---- */

static bool is_same(const struct dns_name *one, const struct dns_name *other)
{
	return one->length == other->length && memcmp(one->bytes, other->bytes, one->length) == 0;
}

static unsigned labels_of(const struct dns_name *name)
{
	unsigned labels = 0;
	for (size_t at = 0; at < name->length && name->bytes[at] != 0; at += name->bytes[at] + 1u)
		labels++;
	return labels;
}

// Whether a name is this zone's, or stands beneath it.
static bool is_within(const struct dns_name *name, const struct dns_name *zone)
{
	size_t at = 0;
	while (at < name->length && name->length - at > zone->length)
		at += name->bytes[at] + 1u;
	return name->length - at == zone->length &&
	       memcmp(name->bytes + at, zone->bytes, zone->length) == 0;
}

// Which zone may sign a set: its own; what is said of a zone's keys the one above it (RFC 4035 2.4).
static bool may_sign(const struct dns_name *signer, const struct dns_set *set)
{
	if (set->type == DNS_DNSKEY)
		return is_same(signer, &set->owner);
	return is_within(&set->owner, signer) &&
	       (set->type != DNS_DS || !is_same(signer, &set->owner));
}

// At the time of the packet (RFC 4034 3.1.5: numbers that begin anew).
static struct dnssec_verdict in_time(
    const struct dnssec_signature *signature, const struct dns_answer *answer)
{
	uint32_t now = (uint32_t)(answer->seen / SECONDS(1));
	if ((int32_t)(now - signature->inception) < 0)
		return bogus(answer, DNSSEC_NOT_YET_VALID);
	return (int32_t)(signature->expiration - now) < 0 ? bogus(answer, DNSSEC_EXPIRED) : secure;
}

// Whether what was seen in `keys` was so, too, when the other answer was.
static bool is_of_time(const struct dns_answer *keys, const struct dns_answer *other)
{
	return keys->seen <= other->seen + PATIENCE && keys->good_until >= other->seen;
}

/* ---- signatures ---- */

static bool may_try(struct dnssec_work *work, struct subject *subject)
{
	if (subject->trials == DNSSEC_SET_TRIALS_MAX || work->trials == work->allowed) {
		work->spent = true;
		return false;
	}
	subject->trials++;
	work->trials++;
	return true;
}

// With one key. The signature is of the subject's type, and the key is the one that it names.
static struct dnssec_verdict try_key(struct dnssec_work *work, struct subject *subject,
    const struct dnssec_signature *signature, const struct dns_data *data,
    const struct dns_data *key)
{
	if (!dnssec_key_is_sound(key))
		return insecure;
	struct dnssec_verdict verdict = in_time(signature, subject->answer);
	if (verdict.status != DNSSEC_SECURE)
		return verdict;
	if (!may_try(work, subject))
		return cannot_tell(DNSSEC_WORK);
	if (!work->ops->verify(subject->set, data, &signature->signer, key))
		return bogus(subject->answer, DNSSEC_SIGNATURE);
	const struct dns_name *owner = &subject->set->owner;
	unsigned star =
	    owner->bytes[0] == 1 && owner->bytes[1] == '*'; // not counted (RFC 4034 3.1.3)
	bool wildcard = labels_of(owner) - star > signature->labels;
	return wildcard ? cannot_tell(DNSSEC_WILDCARD) : secure;
}

static bool is_named(const struct dnssec_signature *signature, const struct dns_data *data)
{
	struct dnssec_key key;
	return dnssec_key_read(data, &key) && key.usable && key.tag == signature->tag &&
	       key.algorithm == signature->algorithm;
}

// With the keys of an answer, which are known to be the zone's.
static struct dnssec_verdict try_keys(struct dnssec_work *work, struct subject *subject,
    const struct dnssec_signature *signature, const struct dns_data *data,
    const struct dns_answer *keys)
{
	struct choice choice = {.any = false};
	struct dns_data key;
	for (size_t at = 0; !work->spent && dns_answer_next(keys, &at, &key);)
		if (is_named(signature, &key))
			consider(&choice, try_key(work, subject, signature, data, &key));
	return chosen(&choice, is_of_time(keys, subject->answer)
	                           ? bogus(subject->answer, DNSSEC_KEY_MISSING)
	                           : cannot_tell(DNSSEC_OTHER_TIME));
}

// A signature that is this set's at all. False: it is none.
static bool read_signature(
    const struct dns_set *set, const struct dns_data *data, struct dnssec_signature *signature)
{
	return dnssec_signature_read(data, signature) && signature->covered == set->type &&
	       signature->labels <= labels_of(&set->owner) && may_sign(&signature->signer, set);
}

static struct dnssec_verdict try_signature(
    struct dnssec_work *work, struct subject *subject, const struct dns_data *data)
{
	struct dnssec_signature signature;
	struct choice choice = {.any = false};
	size_t count;
	if (!read_signature(subject->set, data, &signature))
		return bogus(subject->answer, DNSSEC_SIGNATURE);
	if (!dnssec_algorithm_counts(signature.algorithm))
		return insecure;
	struct dns_answer *keys =
	    dns_memory_answers(work->memory, &signature.signer, DNS_DNSKEY, &count);
	for (size_t i = 0; i < count && !work->spent; i++) {
		struct dnssec_verdict verdict = dnssec_judge(work, &keys[i]);
		if (verdict.status == DNSSEC_SECURE)
			verdict = try_keys(work, subject, &signature, data, &keys[i]);
		consider(&choice, verdict);
	}
	return chosen(&choice, cannot_tell(DNSSEC_KEYS_NOT_SEEN));
}

static struct dnssec_verdict judge_signatures(struct dnssec_work *work, struct subject *subject)
{
	struct choice choice = {.any = false};
	struct dns_data data;
	for (size_t at = 0; !work->spent && choice.best.status != DNSSEC_SECURE &&
	                    dns_list_next(&subject->set->signatures, &at, &data);)
		consider(&choice, try_signature(work, subject, &data));
	return chosen(&choice, cannot_tell(DNSSEC_NO_SIGNATURES));
}

/* ---- the keys of a zone ---- */

// What is known of them beforehand: a DS, or the key itself where that is an anchor.
struct trusted {
	uint16_t type;
	struct dns_data data;
};

static bool is_supported(const struct trusted *trusted)
{
	struct dnssec_delegation fields;
	if (trusted->type == DNS_DNSKEY)
		return dnssec_key_is_sound(&trusted->data);
	return dnssec_delegation_read(&trusted->data, &fields) &&
	       dnssec_algorithm_counts(fields.algorithm) &&
	       (fields.digest == DNSSEC_DIGEST_SHA1 || fields.digest == DNSSEC_DIGEST_SHA256 ||
	           fields.digest == DNSSEC_DIGEST_SHA384);
}

static bool names_key(struct dnssec_work *work, struct subject *subject,
    const struct trusted *trusted, const struct dns_data *data)
{
	struct dnssec_key key;
	struct dnssec_delegation fields;
	if (!dnssec_key_read(data, &key) || !key.usable || !dnssec_key_is_sound(data))
		return false;
	if (trusted->type == DNS_DNSKEY)
		return data->length == trusted->data.length &&
		       memcmp(data->bytes, trusted->data.bytes, data->length) == 0;
	return dnssec_delegation_read(&trusted->data, &fields) && key.tag == fields.tag &&
	       key.algorithm == fields.algorithm && may_try(work, subject) &&
	       work->ops->digest_fits(&subject->set->owner, data, &trusted->data);
}

// Whether the zone's keys are signed with this one of them.
static struct dnssec_verdict try_own_key(
    struct dnssec_work *work, struct subject *subject, const struct dns_data *key)
{
	struct choice choice = {.any = false};
	struct dnssec_signature signature;
	struct dns_data data;
	for (size_t at = 0; !work->spent && choice.best.status != DNSSEC_SECURE &&
	                    dns_list_next(&subject->set->signatures, &at, &data);)
		if (read_signature(subject->set, &data, &signature) && is_named(&signature, key))
			consider(&choice, try_key(work, subject, &signature, &data, key));
	bool none = subject->set->signatures.size == 0;
	return chosen(&choice,
	    none ? cannot_tell(DNSSEC_NO_SIGNATURES) : bogus(subject->answer, DNSSEC_SIGNATURE));
}

// Adds to *choice what becomes of the keys by one that is trusted beforehand; nothing, if the zone has it not.
static void try_trusted(struct dnssec_work *work, struct subject *subject,
    const struct trusted *trusted, struct choice *choice)
{
	struct dns_data key;
	for (size_t at = 0; !work->spent && choice->best.status != DNSSEC_SECURE &&
	                    dns_list_next(&subject->set->records, &at, &key);)
		if (names_key(work, subject, trusted, &key))
			consider(choice, try_own_key(work, subject, &key));
}

static struct dnssec_verdict judge_by_anchors(struct dnssec_work *work, struct subject *subject)
{
	struct choice choice = {.any = false};
	for (size_t i = 0; i < work->anchors->count; i++) {
		const struct dnssec_anchor *anchor = &work->anchors->list[i];
		const struct trusted trusted = {anchor->type, {anchor->bytes, anchor->length}};
		if (is_same(&anchor->zone, &subject->set->owner))
			try_trusted(work, subject, &trusted, &choice);
	}
	// Keys of another root, or of another year, are not false: they are not known.
	return chosen(&choice, cannot_tell(DNSSEC_NO_ANCHOR));
}

static bool has_anchor(const struct dnssec_work *work, const struct dns_name *zone)
{
	for (size_t i = 0; i < work->anchors->count; i++)
		if (is_same(&work->anchors->list[i].zone, zone))
			return true;
	return false;
}

// RFC 4509 3: digests of SHA-1 count only where there is no other.
static bool has_better_than_sha1(const struct dns_answer *above)
{
	struct trusted trusted = {.type = DNS_DS};
	for (size_t at = 0; dns_answer_next(above, &at, &trusted.data);)
		if (is_supported(&trusted) && trusted.data.bytes[3] != DNSSEC_DIGEST_SHA1)
			return true;
	return false;
}

// By what the zone above says, which is known to be true.
static struct dnssec_verdict judge_by_delegation(
    struct dnssec_work *work, struct subject *subject, const struct dns_answer *above)
{
	struct choice choice = {.any = false};
	struct trusted trusted = {.type = DNS_DS};
	bool supported = false, better = has_better_than_sha1(above);
	for (size_t at = 0; dns_answer_next(above, &at, &trusted.data);) {
		if (!is_supported(&trusted) ||
		    (better && trusted.data.bytes[3] == DNSSEC_DIGEST_SHA1))
			continue;
		supported = true;
		try_trusted(work, subject, &trusted, &choice);
	}
	if (!supported)
		return insecure;
	bool same_time = is_of_time(above, subject->answer) || is_of_time(subject->answer, above);
	return chosen(&choice, same_time ? bogus(subject->answer, DNSSEC_DELEGATION_MISMATCH)
	                                 : cannot_tell(DNSSEC_OTHER_TIME));
}

static struct dnssec_verdict judge_keys(struct dnssec_work *work, struct subject *subject)
{
	const struct dns_name *zone = &subject->set->owner;
	struct choice choice = {.any = false};
	size_t count;
	if (has_anchor(work, zone))
		return judge_by_anchors(work, subject);
	if (zone->length <= 1)
		return cannot_tell(DNSSEC_NO_ANCHOR);
	struct dns_answer *above = dns_memory_answers(work->memory, zone, DNS_DS, &count);
	for (size_t i = 0; i < count && !work->spent; i++) {
		struct dnssec_verdict verdict = dnssec_judge(work, &above[i]);
		if (verdict.status == DNSSEC_SECURE)
			verdict = judge_by_delegation(work, subject, &above[i]);
		consider(&choice, verdict);
	}
	return chosen(&choice, cannot_tell(DNSSEC_DELEGATION_NOT_SEEN));
}

/* ---- answers ---- */

static struct dnssec_verdict judge_set(
    struct dnssec_work *work, const struct dns_set *set, const struct dns_answer *answer)
{
	struct subject subject = {set, answer, 0};
	if (set->records.size == 0)
		return cannot_tell(DNSSEC_ABSENT);
	struct dnssec_verdict verdict =
	    set->type == DNS_DNSKEY ? judge_keys(work, &subject) : judge_signatures(work, &subject);
	return verdict.status == DNSSEC_BOGUS && !set->whole ? cannot_tell(DNSSEC_WORK) : verdict;
}

static struct dnssec_verdict judge_sets(struct dnssec_work *work, const struct dns_answer *answer)
{
	struct dnssec_verdict verdict = secure;
	struct dns_set set;
	for (size_t at = 0; !work->spent && dns_answer_next_set(answer, &at, &set);)
		verdict = both(verdict, judge_set(work, &set, answer));
	return work->spent ? cannot_tell(DNSSEC_WORK) : verdict;
}

struct dnssec_verdict dnssec_judge(struct dnssec_work *work, struct dns_answer *answer)
{
	struct dns_judgement *known = &answer->judgement;
	uint64_t keys = dns_memory_keys(work->memory);
	// Further keys change nothing of what is proved.
	if (known->anchors == work->anchors_number &&
	    (known->keys == keys || known->verdict.status == DNSSEC_SECURE))
		return known->verdict;
	if (work->zones == DNSSEC_ZONES_MAX) {
		work->spent = true;
		return cannot_tell(DNSSEC_WORK);
	}
	work->zones++;
	struct dnssec_verdict verdict = judge_sets(work, answer);
	work->zones--;
	if (!work->spent)
		*known = (struct dns_judgement){work->anchors_number, keys, verdict};
	return verdict;
}
