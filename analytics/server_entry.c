// SPDX-License-Identifier: Apache-2.0
#include "analytics/server_entry.h"

#include "analytics/server_fingerprint.h"
#include "decode/clues.h"

#include <stdlib.h>
#include <string.h>

enum {
	PROVING_NETWORKS = 3, // client networks that must have seen an offer that TLS did not prove
	SETTLED_SESSIONS = 2,
};

#define SETTLED_AFTER SECONDS(12 * 3600)

_Static_assert((int)SERVER_NETWORKS_MAX == (int)NETWORK_SET_MAX, "as the header promises");

struct server_entry *server_entry_create(
    const struct ip_address *address, const struct host_name *name, uint16_t port)
{
	size_t length = name != NULL ? name->length : 0;
	struct server_entry *entry = calloc(1, sizeof *entry + length + 1);
	if (entry == NULL)
		return NULL;
	if (address != NULL)
		entry->address = *address;
	entry->port = port;
	entry->name_length = length;
	if (length > 0)
		memcpy(entry->name, name->text, length);
	return entry;
}

const char *question_name(enum question question)
{
	static const char *const names[QUESTIONS] = {
	    [QUESTION_OFFERED] = "offered",
	    [QUESTION_NOT_OFFERED] = "not_offered",
	    [QUESTION_PROVEN] = "proven",
	    [QUESTION_ACCEPTED] = "accepted",
	    [QUESTION_REFUSED] = "refused",
	    [QUESTION_ESTABLISHED] = "established",
	    [QUESTION_EHLO_TAKEN] = "ehlo_taken",
	    [QUESTION_GREETED_OK] = "greeted_ok",
	    [QUESTION_GREETED_PREAUTH] = "greeted_preauth",
	};
	return names[question];
}

/* ---- what a session answers ---- */

bool server_entry_concerns(const struct session_record *record)
{
	enum protocol protocol = (enum protocol)record->session->protocol;
	bool mail = protocol_is_mail(protocol) || (protocol == PROTOCOL_TLS && record->tls_port);
	return mail && record->bytes[FROM_SERVER] > 0 && record->end_reason != END_STILL_OPEN;
}

// Bytes of the dialogue were seen to be changed: what the server did not do in such a session, it may
// well have done.
static bool is_tampered(const struct session *session)
{
	struct clue clue;
	return session->conflicting_bytes[FROM_CLIENT] > 0 ||
	       session->conflicting_bytes[FROM_SERVER] > 0 ||
	       clue_find(session, CLUE_GARBLED_COMMAND, &clue) ||
	       clue_find(session, CLUE_CONFLICT, &clue);
}

static bool greets_with(const struct session *session, const char *greeting)
{
	size_t length = strlen(greeting);
	const struct text *banner = session->server_banner;
	return session->protocol == PROTOCOL_IMAP && session->greeted && banner != NULL &&
	       banner->length >= length &&
	       strncasecmp((const char *)banner->bytes, greeting, length) == 0;
}

static bool answers(const struct session_record *record, enum question question)
{
	const struct session *session = record->session;
	bool established = record->tls_established == SEEN_YES;
	bool whole = !session->dialogue_gap[FROM_SERVER] && !is_tampered(session);
	switch (question) {
	case QUESTION_OFFERED:
		return session->starttls_offered == SEEN_YES;
	case QUESTION_NOT_OFFERED:
		return session->starttls_offered == SEEN_NO && session->capabilities != NULL &&
		       whole;
	case QUESTION_PROVEN:
		return established && record->starttls_accepted == SEEN_YES;
	case QUESTION_ACCEPTED:
		return record->starttls_accepted == SEEN_YES;
	case QUESTION_REFUSED: // and not only left without an answer
		return record->starttls_accepted == SEEN_NO && session->starttls_reply[0] != '\0' &&
		       whole;
	case QUESTION_ESTABLISHED:
		return established;
	case QUESTION_EHLO_TAKEN:
		return session->protocol == PROTOCOL_SMTP && session->esmtp == SEEN_YES;
	case QUESTION_GREETED_OK:
		return greets_with(session, "* OK");
	case QUESTION_GREETED_PREAUTH:
		return greets_with(session, "* PREAUTH") && whole;
	case QUESTIONS:
		break;
	}
	return false;
}

/* ---- learning ---- */

static nanoseconds earlier(nanoseconds one, nanoseconds other)
{
	return one < other ? one : other;
}

static nanoseconds later(nanoseconds one, nanoseconds other)
{
	return one > other ? one : other;
}

// `count` is of the sessions before this one.
static void widen(
    nanoseconds *first, nanoseconds *last, uint64_t count, const struct session_record *record)
{
	*first = count > 0 ? earlier(*first, record->start) : record->start;
	*last = count > 0 ? later(*last, record->end) : record->end;
}

static void count_once(uint32_t *count, bool counts)
{
	if (counts && *count < UINT32_MAX)
		++*count;
}

static void learn_tally(struct tally *tally, const struct session_record *record, uint32_t network)
{
	widen(&tally->first, &tally->last, tally->count, record);
	count_once(&tally->count, network_set_note(&tally->networks, network));
}

static void learn_fingerprints(struct server_entry *entry, const struct judged_session *session)
{
	const struct session_record *record = session->record;
	const struct server_likeness *known = &session->likeness;
	if (record->session->starttls_offered != SEEN_YES || is_tampered(record->session) ||
	    record->end < entry->fingerprinted)
		return;
	uint64_t capabilities =
	    known->read ? known->capabilities : server_fingerprint_capabilities(record);
	uint64_t banner = known->read ? known->banner : server_fingerprint_banner(record);
	if (capabilities == 0 || banner == 0)
		return; // the whole picture or none
	entry->fingerprinted = record->end;
	entry->capabilities_fingerprint = capabilities;
	entry->banner_fingerprint = banner;
}

/* ---- leaves ---- */

static bool is_stale(nanoseconds last, nanoseconds at, nanoseconds age)
{
	return last < at - age;
}

// True if `one` is to give way rather than `other`: what was not seen for long, then what is not trusted,
// then what the fewest networks saw. So whoever shows new certificates to the clients of one network does
// not push out what others saw.
static bool gives_way(
    const struct entry_leaf *one, const struct entry_leaf *other, nanoseconds at, nanoseconds age)
{
	bool stale[2] = {is_stale(one->leaf.last, at, age), is_stale(other->leaf.last, at, age)};
	if (stale[0] != stale[1])
		return stale[0];
	if (one->leaf.trusted != other->leaf.trusted)
		return other->leaf.trusted;
	if (one->networks.count != other->networks.count)
		return one->networks.count < other->networks.count;
	return one->leaf.last < other->leaf.last;
}

static struct entry_leaf *find_leaf(struct server_entry *entry, const uint8_t *sha256)
{
	for (size_t i = 0; i < entry->leaf_count; i++)
		if (memcmp(entry->leaves[i].leaf.sha256, sha256, SHA256_BYTES) == 0)
			return &entry->leaves[i];
	return NULL;
}

// A place for a leaf that has none; NULL: those there are are worth more.
static struct entry_leaf *place_leaf(
    struct server_entry *entry, const struct lesson *lesson, bool trusted)
{
	nanoseconds at = lesson->session->record->end;
	if (entry->leaf_count < SERVER_LEAVES_MAX)
		return &entry->leaves[entry->leaf_count++];
	struct entry_leaf *victim = &entry->leaves[0];
	for (size_t i = 1; i < SERVER_LEAVES_MAX; i++)
		if (gives_way(&entry->leaves[i], victim, at, lesson->age))
			victim = &entry->leaves[i];
	bool kept =
	    victim->leaf.trusted && !trusted && !is_stale(victim->leaf.last, at, lesson->age);
	return kept ? NULL : victim;
}

// Once trusted it stays so: whoever shows it with a worse list, or later than it is valid, takes nothing
// from it. Only its revocation does.
static void judge_leaf(struct server_leaf *leaf, const struct certificate_judgement *certificates)
{
	enum {
		NO_PATH = FAULT_SELF_SIGNED | FAULT_UNTRUSTED | FAULT_EXPIRED |
		          FAULT_NOT_YET_VALID | FAULT_MALFORMED
	};
	const struct chain_judgement *chain = &certificates->chain[FROM_SERVER];
	if (certificates->judged[FROM_SERVER] && chain->trust_known) {
		bool revoked = (chain->faults & FAULT_REVOKED) != 0;
		leaf->trusted = !revoked && (leaf->trusted || (chain->faults & NO_PATH) == 0);
		leaf->self_signed = (chain->faults & FAULT_SELF_SIGNED) != 0;
	}
	const struct certificate *certificate = certificates->leaf;
	if (certificate == NULL)
		return;
	memcpy(leaf->spki_sha256, certificate->spki_sha256, SHA256_BYTES);
	if (certificate->facts.validity_read && certificate->facts.not_after > 0 &&
	    certificate->facts.not_after <= PACKET_TIME_MAX / SECONDS(1))
		leaf->not_after = SECONDS(certificate->facts.not_after);
}

static void learn_leaf(struct server_entry *entry, const struct lesson *lesson)
{
	const struct session_record *record = lesson->session->record;
	const struct certificate_judgement *certificates = &lesson->session->certificates;
	const struct text *chain = record->session->tls.chain[FROM_SERVER];
	// Who completes the handshake has the key; without it anybody can show anybody's certificate.
	bool shown = record->tls_established == SEEN_YES &&
	             (certificates->source == CERTIFICATES_IN_HANDSHAKE ||
	                 certificates->source == CERTIFICATES_IN_KEYLOG);
	if (!shown || chain == NULL || chain->length < SHA256_BYTES)
		return;
	struct server_leaf judged = {.sessions = 0};
	judge_leaf(&judged, certificates);
	struct entry_leaf *place = find_leaf(entry, chain->bytes);
	if (place == NULL) {
		place = place_leaf(entry, lesson, judged.trusted);
		if (place == NULL)
			return;
		*place = (struct entry_leaf){.leaf = judged};
		memcpy(place->leaf.sha256, chain->bytes, SHA256_BYTES);
	}
	struct server_leaf *leaf = &place->leaf;
	judge_leaf(leaf, certificates);
	widen(&leaf->first, &leaf->last, leaf->sessions, record);
	count_once(&leaf->sessions, network_set_note(&place->networks, lesson->network));
}

void server_entry_learn(struct server_entry *entry, const struct lesson *lesson)
{
	const struct session_record *record = lesson->session->record;
	widen(&entry->first, &entry->last, entry->sessions, record);
	entry->sessions++;
	for (int question = 0; question < QUESTIONS; question++)
		if (answers(record, (enum question)question))
			learn_tally(&entry->tallies[question], record, lesson->network);
	learn_fingerprints(entry, lesson->session);
	learn_leaf(entry, lesson);
}

bool server_entry_is_settled(const struct server_entry *entry)
{
	return entry->sessions >= SETTLED_SESSIONS && entry->last - entry->first >= SETTLED_AFTER;
}

/* ---- telling ---- */

// What is told as of a moment.
struct moment {
	nanoseconds at, age;
};

static bool is_told(
    nanoseconds first, nanoseconds last, uint64_t count, const struct moment *moment)
{
	return count > 0 && first <= moment->at && !is_stale(last, moment->at, moment->age);
}

// The tally, or an empty one.
static const struct tally *told(
    const struct server_entry *entry, enum question question, const struct moment *moment)
{
	static const struct tally nothing;
	const struct tally *tally = &entry->tallies[question];
	return is_told(tally->first, tally->last, tally->count, moment) ? tally : &nothing;
}

// The newest first.
static void tell_leaves(
    const struct server_entry *entry, const struct moment *moment, struct server_history *history)
{
	for (size_t i = 0; i < entry->leaf_count; i++) {
		struct server_leaf leaf = entry->leaves[i].leaf;
		if (!is_told(leaf.first, leaf.last, leaf.sessions, moment))
			continue;
		leaf.networks = entry->leaves[i].networks.count;
		size_t place = history->leaf_count++;
		for (; place > 0 && history->leaves[place - 1].last < leaf.last; place--)
			history->leaves[place] = history->leaves[place - 1];
		history->leaves[place] = leaf;
	}
}

static void tell_starttls(const struct server_entry *entry, const struct moment *moment,
    uint32_t network, struct server_history *history)
{
	const struct tally *offered = told(entry, QUESTION_OFFERED, moment);
	const struct tally *accepted = told(entry, QUESTION_ACCEPTED, moment);
	history->offered = offered->count;
	history->offered_networks = offered->networks.count;
	history->offered_to_client = network_set_times(&offered->networks, network);
	history->offered_last = offered->last;
	history->offer_proven = told(entry, QUESTION_PROVEN, moment)->count > 0 ||
	                        offered->networks.count >= PROVING_NETWORKS;
	history->not_offered = told(entry, QUESTION_NOT_OFFERED, moment)->count;
	history->accepted = accepted->count;
	history->accepted_last = accepted->last;
	history->refused = told(entry, QUESTION_REFUSED, moment)->count;
	if (entry->fingerprinted > 0 &&
	    is_told(entry->fingerprinted, entry->fingerprinted, 1, moment)) {
		history->capabilities_fingerprint = entry->capabilities_fingerprint;
		history->banner_fingerprint = entry->banner_fingerprint;
	}
}

bool server_entry_tell(const struct server_entry *entry, nanoseconds at, nanoseconds age,
    uint32_t network, struct server_history *history)
{
	struct moment moment = {at, age};
	*history = (struct server_history){.known = false};
	if (!is_told(entry->first, entry->last, entry->sessions, &moment))
		return false;
	const struct tally *established = told(entry, QUESTION_ESTABLISHED, &moment);
	const struct tally *ehlo = told(entry, QUESTION_EHLO_TAKEN, &moment);
	history->known = true;
	history->first = entry->first;
	history->last = entry->last;
	history->sessions = entry->sessions;
	history->established = established->count;
	history->established_networks = established->networks.count;
	history->established_last = established->last;
	history->ehlo_taken = ehlo->count;
	history->ehlo_networks = ehlo->networks.count;
	history->greeted_ok = told(entry, QUESTION_GREETED_OK, &moment)->count;
	history->greeted_preauth = told(entry, QUESTION_GREETED_PREAUTH, &moment)->count;
	tell_starttls(entry, &moment, network, history);
	tell_leaves(entry, &moment, history);
	return true;
}
