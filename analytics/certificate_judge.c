// SPDX-License-Identifier: Apache-2.0
#include "analytics/certificate_judge.h"

#include "capture/base/quick_hash.h"
#include "decode/tls.h"
#include "decode/tls_suite.h"

#include <stdlib.h>
#include <string.h>

enum {
	SERVERS_REMEMBERED = 64 * 1024,
	NAMES_REMEMBERED = 4096, // compared with a certificate; a power of two
	ALERT_BAD_CERTIFICATE = 42,
	ALERT_UNSUPPORTED_CERTIFICATE = 43,
	ALERT_CERTIFICATE_REVOKED = 44,
	ALERT_CERTIFICATE_EXPIRED = 45,
	ALERT_CERTIFICATE_UNKNOWN = 46,
	ALERT_UNKNOWN_CA = 48,
	ALERT_BAD_CERTIFICATE_STATUS_RESPONSE = 113,
};

// How a name compares with a certificate, which may have hundreds, by a hash of both whose key nobody
// knows: two pairs with one hash do not happen.
struct compared_name {
	uint64_t hash; // 0: nothing is here yet
	enum name_match match;
};

struct certificate_judge {
	struct hash_key key;
	struct compared_name names[NAMES_REMEMBERED];
	struct certificate_store *certificates;
	struct trust_store *trust;
	struct chain_judge *chains;
	struct leaf_memory *servers;
};

struct certificate_judge *certificate_judge_create(
    const struct certificate_judge_options *options, struct error *error)
{
	static const char no_memory[] = "no memory to judge certificates; give less with --memory";
	struct certificate_judge *judge = calloc(1, sizeof *judge);
	error_set(error, no_memory);
	if (judge == NULL)
		return NULL;
	judge->key = hash_key_random();
	judge->trust = trust_store_create(&options->trust, error);
	if (judge->trust != NULL) {
		error_set(error, no_memory);
		judge->certificates = certificate_store_create(options->memory / 4 * 3);
		judge->servers = leaf_memory_create(SERVERS_REMEMBERED);
	}
	if (judge->certificates != NULL)
		judge->chains =
		    chain_judge_create(judge->certificates, judge->trust, options->memory / 4);
	if (judge->chains != NULL && judge->servers != NULL)
		return judge;
	certificate_judge_destroy(judge);
	return NULL;
}

void certificate_judge_destroy(struct certificate_judge *judge)
{
	if (judge == NULL)
		return;
	leaf_memory_destroy(judge->servers);
	chain_judge_destroy(judge->chains);
	certificate_store_destroy(judge->certificates);
	trust_store_destroy(judge->trust);
	free(judge);
}

void certificate_judge_use_trust(struct certificate_judge *judge, struct trust_store *trust)
{
	chain_judge_use_trust(judge->chains, trust);
	trust_store_destroy(judge->trust);
	judge->trust = trust;
}

const struct certificate *certificate_judge_shown(
    struct certificate_judge *judge, const struct shown_certificate *shown)
{
	bool is_new = false;
	enum certificate_role role = shown->position > 0            ? CERTIFICATE_ISSUER
	                             : shown->sender == FROM_SERVER ? CERTIFICATE_SERVER
	                                                            : CERTIFICATE_CLIENT;
	const struct certificate *certificate = certificate_store_add(
	    judge->certificates, shown->sha256, shown->der, shown->time, role, &is_new);
	return is_new ? certificate : NULL;
}

/* ---- a session ---- */

static int64_t seconds_of(nanoseconds time)
{
	return time / SECONDS(1) - (time % SECONDS(1) < 0);
}

struct shown_chain {
	uint8_t sha256[CHAIN_CERTIFICATES_MAX][SHA256_BYTES];
	size_t count;
};

// The whole list that a side showed; empty if it showed none, or not all of it was seen.
static void chain_of(const struct tls_facts *tls, enum direction sender, struct shown_chain *chain)
{
	const struct text *hashes = tls->chain[sender];
	chain->count = 0;
	if (!tls->chain_ended[sender] || hashes == NULL || hashes->length > sizeof chain->sha256)
		return;
	chain->count = hashes->length / SHA256_BYTES;
	memcpy(chain->sha256, hashes->bytes, chain->count * SHA256_BYTES);
}

static void judge_side(struct certificate_judge *judge, const struct session_record *record,
    enum direction sender, const uint8_t (*chain)[SHA256_BYTES], size_t count,
    struct certificate_judgement *judgement)
{
	enum certificate_role role =
	    sender == FROM_SERVER ? CERTIFICATE_SERVER : CERTIFICATE_CLIENT;
	judgement->judged[sender] = chain_judge(judge->chains, chain, count, role,
	    seconds_of(record->start), &judgement->chain[sender]);
}

static enum name_match compare_name(struct certificate_judge *judge,
    const struct certificate *leaf, const struct text *name, enum name_source source)
{
	uint64_t both[2] = {quick_hash(&judge->key, leaf->sha256, sizeof leaf->sha256),
	    quick_hash(&judge->key, name->bytes, name->length) + source};
	uint64_t hash = quick_hash(&judge->key, both, sizeof both) | 1;
	struct compared_name *known = &judge->names[(hash >> 1) % NAMES_REMEMBERED];
	if (known->hash != hash) {
		struct view text = view_of(name->bytes, name->length);
		*known = (struct compared_name){hash, name_match(&leaf->facts, text, source)};
	}
	return known->match;
}

// The name asked for; where the client's hello has none, the name that the server gave itself. Where the
// hello was not seen, it is not known which.
static void judge_name(struct certificate_judge *judge, const struct session_record *record,
    const struct certificate *leaf, struct certificate_judgement *judgement)
{
	const struct session *session = record->session;
	const struct text *name =
	    session->tls.sni != NULL ? session->tls.sni : session->server_name;
	if (name == NULL || session->tls.offer == NULL)
		return;
	judgement->name_source = session->tls.sni != NULL ? NAME_FROM_SNI : NAME_FROM_DIALOGUE;
	judgement->name_match =
	    compare_name(judge, leaf, name, judgement->name_source);
	if (judgement->name_match == NAME_MISMATCH ||
	    judgement->name_match == NAME_MATCH_COMMON_NAME_ONLY)
		judgement->faults |= FAULT_NAME_MISMATCH;
}

static void judge_server(struct certificate_judge *judge, const struct session_record *record,
    const uint8_t (*chain)[SHA256_BYTES], size_t count, struct certificate_judgement *judgement)
{
	judge_side(judge, record, FROM_SERVER, chain, count, judgement);
	if (judgement->judged[FROM_SERVER])
		judgement->faults = judgement->chain[FROM_SERVER].faults;
	const struct certificate *leaf = certificate_store_find(judge->certificates, chain[0]);
	judgement->leaf = leaf;
	if (leaf == NULL)
		return;
	judge_name(judge, record, leaf, judgement);
	judgement->expires_soon = certificate_expires_soon(&leaf->facts, seconds_of(record->start));
}

// What an alert says of who sent it. One who cannot read a certificate complains too, whether or not it
// would have been checked: some alerts count only where the certificate is seen to be readable.
static bool tells_of_a_check(uint8_t alert, const struct certificate_judgement *judgement)
{
	switch (alert) {
	case ALERT_CERTIFICATE_REVOKED:
	case ALERT_CERTIFICATE_EXPIRED:
	case ALERT_UNKNOWN_CA:
		return true;
	case ALERT_BAD_CERTIFICATE:
	case ALERT_UNSUPPORTED_CERTIFICATE:
	case ALERT_CERTIFICATE_UNKNOWN:
	case ALERT_BAD_CERTIFICATE_STATUS_RESPONSE:
		return judgement->judged[FROM_SERVER] && (judgement->faults & FAULT_MALFORMED) == 0;
	default:
		return false;
	}
}

// What no check lets pass, whomever the client trusts.
static bool is_unacceptable(const struct certificate_judgement *judgement)
{
	enum { ALWAYS = FAULT_SELF_SIGNED | FAULT_EXPIRED | FAULT_NOT_YET_VALID };
	bool wrong_name =
	    judgement->name_match == NAME_MISMATCH && judgement->name_source == NAME_FROM_SNI;
	return judgement->judged[FROM_SERVER] && ((judgement->faults & ALWAYS) != 0 || wrong_name);
}

static enum seen judge_client(
    const struct session_record *record, const struct certificate_judgement *judgement)
{
	const struct tls_facts *tls = &record->session->tls;
	if (tls->alert_seen && tls->alert_sender == FROM_CLIENT &&
	    tells_of_a_check(tls->alert_description, judgement))
		return SEEN_YES;
	bool went_on = record->tls_established == SEEN_YES && tls->client_went_on;
	return judgement->unacceptable && went_on ? SEEN_NO : NOT_SEEN;
}

// TLS 1.3 and resumption hide the server's certificate, a gap only loses it: there may have been none.
static bool hides_certificate(const struct session_record *record)
{
	const struct tls_facts *tls = &record->session->tls;
	return record->tls_established == SEEN_YES && tls->cipher_seen &&
	       (tls->version >= TLS_1_3 || tls->resumed == SEEN_YES) &&
	       (tls_suite_of(tls->cipher).weaknesses & 1u << TLS_WEAK_ANONYMOUS) == 0;
}

static void judge_remembered(struct certificate_judge *judge, const struct session_record *record,
    struct certificate_judgement *judgement)
{
	const struct remembered_chain *chain = leaf_memory_recall(judge->servers, record);
	if (chain == NULL)
		return;
	judgement->source = CERTIFICATES_IN_MEMORY;
	judgement->remembered_leaf = chain->sha256[0];
	judge_server(judge, record, chain->sha256, chain->count, judgement);
}

struct certificate_judgement certificate_judge_session(
    struct certificate_judge *judge, const struct session_record *record)
{
	const struct tls_facts *tls = &record->session->tls;
	struct certificate_judgement judgement = {.source = CERTIFICATES_NOT_SEEN};
	bool established = record->tls_established == SEEN_YES;
	struct shown_chain shown;
	const struct shown_chain *chain = &shown;
	certificate_store_trim(judge->certificates);
	chain_judge_tell_time(judge->chains, seconds_of(record->end));
	chain_of(tls, FROM_CLIENT, &shown);
	if (shown.count > 0)
		judge_side(judge, record, FROM_CLIENT, chain->sha256, chain->count, &judgement);
	chain_of(tls, FROM_SERVER, &shown);
	if (shown.count > 0) {
		// TLS 1.3 shows none in the clear.
		judgement.source =
		    tls->version >= TLS_1_3 ? CERTIFICATES_IN_KEYLOG : CERTIFICATES_IN_HANDSHAKE;
		judge_server(judge, record, chain->sha256, chain->count, &judgement);
		judgement.unacceptable = is_unacceptable(&judgement);
		if (established)
			leaf_memory_note(judge->servers, record, chain->sha256, chain->count);
	} else if (hides_certificate(record)) {
		judge_remembered(judge, record, &judgement);
	}
	judgement.client_verifies = judge_client(record, &judgement);
	return judgement;
}

const char *certificate_judge_trust(const struct certificate_judge *judge)
{
	return trust_store_description(judge->trust);
}

struct certificate_judge_counters certificate_judge_counters(const struct certificate_judge *judge)
{
	return (struct certificate_judge_counters){
	    .trust = trust_store_counters(judge->trust),
	    .certificates = certificate_store_counters(judge->certificates),
	    .chains = chain_judge_counters(judge->chains),
	    .servers = leaf_memory_counters(judge->servers),
	};
}
