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
	SMTP_PORT = 25, // where servers send to each other, by MX
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
	struct tls_suite_memory suites;
	struct certificate_store *certificates;
	struct trust_store *trust;
	struct chain_judge *chains;
	struct leaf_memory *servers;
	const struct dns_known *known; // NULL, and the next: nobody reads DNS
	struct dane *dane;
	struct mx_names mx_names; // of the session at hand
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
	dane_destroy(judge->dane);
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

bool certificate_judge_use_dns(struct certificate_judge *judge, const struct dns_known *known)
{
	judge->known = known;
	judge->dane = dane_create(known, judge->certificates);
	return judge->dane != NULL;
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
    const struct certificate *leaf, struct view name, enum name_source source)
{
	uint64_t both[2] = {quick_hash(&judge->key, leaf->sha256, sizeof leaf->sha256),
	    quick_hash(&judge->key, name.data, name.length) + source};
	uint64_t hash = quick_hash(&judge->key, both, sizeof both) | 1;
	struct compared_name *known = &judge->names[(hash >> 1) % NAMES_REMEMBERED];
	if (known->hash != hash)
		*known = (struct compared_name){hash, name_match(&leaf->facts, name, source)};
	return known->match;
}

static void take_match(struct certificate_judgement *judgement, enum name_match match,
    enum name_source source)
{
	judgement->name_match = match;
	judgement->name_source = source;
}

// It is for any of the names that lead to the server, or for none of them. Where there are more than are remembered,
// that is not known. Of several, the best match counts: that is the lowest.
static void judge_mx_names(struct certificate_judge *judge, const struct certificate *leaf,
    struct certificate_judgement *judgement)
{
	const struct mx_names *names = judgement->mx_names;
	enum name_match best = NAME_UNKNOWN;
	for (unsigned i = 0; names != NULL && i < names->count; i++) {
		const struct host_name *name = &names->names[i];
		enum name_match match = compare_name(judge, leaf,
		    view_of((const uint8_t *)name->text, name->length), NAME_FROM_MX);
		if (match != NAME_UNKNOWN && (best == NAME_UNKNOWN || match < best))
			best = match;
	}
	if (best == NAME_MATCH_SAN || (names != NULL && !names->more))
		take_match(judgement, best, NAME_FROM_MX);
}

static void judge_text(struct certificate_judge *judge, const struct certificate *leaf,
    const struct text *name, enum name_source source, struct certificate_judgement *judgement)
{
	if (name == NULL)
		return;
	struct view text = view_of(name->bytes, name->length);
	take_match(judgement, compare_name(judge, leaf, text, source), source);
}

// The name asked for; where the client's hello has none that can be judged, those that DNS gave for the address; where
// there are none, the name that the server gave itself. Where the hello was not seen, it is not known which.
static void judge_name(struct certificate_judge *judge, const struct session_record *record,
    const struct certificate *leaf, struct certificate_judgement *judgement)
{
	const struct session *session = record->session;
	if (session->tls.offer == NULL)
		return;
	judge_text(judge, leaf, session->tls.sni, NAME_FROM_SNI, judgement);
	if (judgement->name_match == NAME_UNKNOWN)
		judge_mx_names(judge, leaf, judgement);
	if (judgement->name_match == NAME_UNKNOWN && session->tls.sni == NULL)
		judge_text(judge, leaf, session->server_name, NAME_FROM_DIALOGUE, judgement);
	if (judgement->name_match == NAME_MISMATCH ||
	    judgement->name_match == NAME_MATCH_COMMON_NAME_ONLY)
		judgement->faults |= FAULT_NAME_MISMATCH;
}

/* ---- what DNS says ---- */

static void find_mx_names(struct certificate_judge *judge, const struct session_record *record,
    struct certificate_judgement *judgement)
{
	judge->mx_names.count = 0;
	judge->mx_names.more = false;
	if (record->port[FROM_SERVER] == SMTP_PORT)
		mx_hosts_find(judge->known->hosts, &record->address[FROM_SERVER], record->start,
		    &judge->mx_names);
	judgement->mx_names = &judge->mx_names;
}

// The name asked for, if there is one; else those that DNS gave.
static void judge_dane(struct certificate_judge *judge, const struct session_record *record,
    const uint8_t (*chain)[SHA256_BYTES], size_t count, struct certificate_judgement *judgement)
{
	const struct text *sni = record->session->tls.sni;
	struct mx_names asked = {.count = 1};
	struct dane_question question = {.record = record,
	    .names = &judge->mx_names,
	    .chain = chain,
	    .count = count,
	    .judged = judgement->judged[FROM_SERVER],
	    .recalled = judgement->source == CERTIFICATES_IN_MEMORY};
	if (sni != NULL) {
		question.names = &asked;
		question.asked_for =
		    host_name_read(view_of(sni->bytes, sni->length), &asked.names[0]);
		asked.count = question.asked_for;
	} else if (record->session->tls.offer == NULL) {
		question.count = 0; // whether a name was asked for is not known
	}
	judgement->dane = dane_judge(judge->dane, &question);
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
	bool published = judgement->dane != NULL && judgement->dane->outcome == DANE_MATCH;
	return judgement->unacceptable && went_on && !published ? SEEN_NO : NOT_SEEN;
}

// TLS 1.3 and resumption hide the server's certificate, a gap only loses it: there may have been none.
static bool hides_certificate(
    struct certificate_judge *judge, const struct session_record *record)
{
	const struct tls_facts *tls = &record->session->tls;
	return record->tls_established == SEEN_YES && tls->cipher_seen &&
	       (tls->version >= TLS_1_3 || tls->resumed == SEEN_YES) &&
	       (tls_suite_recall(&judge->suites, tls->cipher).weaknesses &
	           1u << TLS_WEAK_ANONYMOUS) == 0;
}

static const struct remembered_chain *judge_remembered(struct certificate_judge *judge,
    const struct session_record *record, struct certificate_judgement *judgement)
{
	const struct remembered_chain *chain = leaf_memory_recall(judge->servers, record);
	if (chain == NULL)
		return NULL;
	judgement->source = CERTIFICATES_IN_MEMORY;
	judgement->remembered_leaf = chain->sha256[0];
	judge_server(judge, record, chain->sha256, chain->count, judgement);
	return chain;
}

static void judge_shown(struct certificate_judge *judge, const struct session_record *record,
    const struct shown_chain *chain, struct certificate_judgement *judgement)
{
	// TLS 1.3 shows none in the clear.
	judgement->source = record->session->tls.version >= TLS_1_3 ? CERTIFICATES_IN_KEYLOG
	                                                            : CERTIFICATES_IN_HANDSHAKE;
	judge_server(judge, record, chain->sha256, chain->count, judgement);
	judgement->unacceptable = is_unacceptable(judgement);
	if (record->tls_established == SEEN_YES)
		leaf_memory_note(judge->servers, record, chain->sha256, chain->count);
}

static void judge_server_list(struct certificate_judge *judge, const struct session_record *record,
    struct certificate_judgement *judgement)
{
	struct shown_chain shown;
	const struct shown_chain *chain = &shown;
	const struct remembered_chain *remembered = NULL;
	chain_of(&record->session->tls, FROM_SERVER, &shown);
	if (shown.count > 0)
		judge_shown(judge, record, chain, judgement);
	else if (hides_certificate(judge, record))
		remembered = judge_remembered(judge, record, judgement);
	if (judge->known == NULL)
		return;
	if (remembered != NULL)
		judge_dane(judge, record, remembered->sha256, remembered->count, judgement);
	else
		judge_dane(judge, record, chain->sha256, chain->count, judgement);
}

struct certificate_judgement certificate_judge_session(
    struct certificate_judge *judge, const struct session_record *record)
{
	struct certificate_judgement judgement = {.source = CERTIFICATES_NOT_SEEN};
	struct shown_chain shown;
	const struct shown_chain *chain = &shown;
	certificate_store_trim(judge->certificates);
	chain_judge_tell_time(judge->chains, seconds_of(record->end));
	if (judge->known != NULL)
		find_mx_names(judge, record, &judgement);
	chain_of(&record->session->tls, FROM_CLIENT, &shown);
	if (shown.count > 0)
		judge_side(judge, record, FROM_CLIENT, chain->sha256, chain->count, &judgement);
	judge_server_list(judge, record, &judgement);
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
