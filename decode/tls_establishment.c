// SPDX-License-Identifier: Apache-2.0
// What was seen of a handshake, and whether it was completed.
//
// The rule. A tap cannot check a Finished message; it concludes from who sends what in which order,
// since no side goes on before it has checked what it got. Established is
//
// yes, once one side went BEYOND the peer's Finished (sent what is sent only with the peer's Finished
//   in hand), and the other side's encrypted Finished was seen too or is hidden from the tap:
//   up to TLS 1.2, full      the server's own Finished is such a thing: it answers the client's.
//   up to TLS 1.2, resumed   the client's own Finished is: it answers the server's.
//   up to TLS 1.2, any       application data from either side. A client that starts falsely (RFC 7918)
//                            sends it before; so where the server is in sight, its Finished is awaited.
//                            Where only the client is in sight, its data says that it took the server
//                            for authentic, which has to do.
//   TLS 1.3                  the client's first encrypted record that cannot be an alert: its
//                            certificate or Finished follow the server's Finished. An encrypted alert
//                            has 19 bytes (level, description, content type, tag), with CCM_8 11.
//                            The server's side alone says nothing: how long its flight is cannot be
//                            seen, and data may follow it before the client answers. Where early data
//                            was offered, only a record of exactly a Finished's length counts
//                            (EndOfEarlyData has 21 bytes; data of 36 or 52 bytes could deceive).
//   SSLv2                    the server's second encrypted record, SERVER-FINISHED behind
//                            SERVER-VERIFY, answers CLIENT-FINISHED. (A REQUEST-CERTIFICATE between
//                            them cannot be told apart.)
//   joined later             in no version can a client send records of application data, other than
//                            alerts, before it has the server's Finished (early data apart, which
//                            mail has no use for). If the server sends encrypted records as well,
//                            both agreed. One direction alone proves nothing: there is no hello to
//                            show that it is TLS at all.
//   A client certificate that a TLS 1.3 server rejects is told by an encrypted alert: not seen.
//   With a key log a Finished that was opened is proof, and an alert that was opened is what it says;
//   what is concluded otherwise is only presumed until then, and stands if it cannot be opened.
// no, if it cannot be completed any more: a fatal alert in the clear, something that is not TLS, or
//   the end of a direction seen without a gap that still had its Finished to send.
// not seen otherwise.
#include "decode/tls_state.h"

#include <string.h>

static bool hidden(const struct tls_half *half)
{
	return half->gap || !half->started;
}

// A record of a side that would be the proof is being opened.
static bool proof_awaited(const struct tls *tls)
{
	bool server = tls->phase == PHASE_CLASSIC && tls->half[FROM_SERVER].opens;
	return tls->half[FROM_CLIENT].opens || server;
}

static enum seen presumed_established(const struct tls *tls)
{
	return tls->established != NOT_SEEN ? tls->established : tls->presumed;
}

// The first conclusion stands, even one that is only presumed.
static void decide(struct tls *tls, enum seen established)
{
	if (tls->established != NOT_SEEN)
		return;
	if (tls->presumed != NOT_SEEN)
		tls->established = tls->presumed;
	else if (established == SEEN_YES && proof_awaited(tls))
		tls->presumed = SEEN_YES;
	else
		tls->established = (uint8_t)established;
}

// Up to TLS 1.2: whose Finished comes last depends on whether the handshake is abbreviated.
static bool finishes_last(const struct tls *tls, enum direction sender)
{
	if (tls->phase != PHASE_CLASSIC)
		return false;
	return sender == FROM_SERVER ? tls->resumed == SEEN_NO : tls->resumed == SEEN_YES;
}

static void evaluate(struct tls *tls)
{
	for (enum direction sender = FROM_CLIENT; sender <= FROM_SERVER; sender++) {
		const struct tls_half *half = &tls->half[sender];
		const struct tls_half *peer = &tls->half[other_direction(sender)];
		bool beyond = half->progress == PROGRESS_BEYOND ||
		              (half->progress == PROGRESS_FINISHED && finishes_last(tls, sender));
		bool unknown = hidden(peer) && (tls->begun || tls->phase != PHASE_HELLO);
		if (beyond && (peer->progress >= PROGRESS_FINISHED || unknown) &&
		    tls->presumed == NOT_SEEN)
			decide(tls, SEEN_YES);
	}
}

static void advance(struct tls_half *half, enum progress progress)
{
	if (half->progress < progress)
		half->progress = (uint8_t)progress;
}

// ---- hellos and messages

void tls_saw_client_hello(struct tls *tls, const struct tls_client_hello *hello)
{
	tls->early_data = hello->offers_early_data;
	tls_protected_client_hello(tls, hello);
	if (tls->sink->client_hello != NULL)
		tls->sink->client_hello(tls->context, hello);
}

static void forget_switch(struct tls_half *half)
{
	if (half->progress == PROGRESS_SWITCHED)
		half->progress = PROGRESS_CLEAR;
}

static void settle_version(struct tls *tls, const struct tls_server_hello *hello)
{
	if (tls->phase != PHASE_HELLO && tls->phase != PHASE_RETRY)
		return; // a second one in the clear: nobody takes it
	if (hello->hello_retry_request) {
		tls->phase = PHASE_RETRY;
	} else if (hello->version == TLS_SSL2) {
		tls->phase = PHASE_SSLV2;
	} else if (hello->version >= TLS_1_3) {
		tls->phase = PHASE_MODERN;
		tls->resumed = hello->psk_accepted ? SEEN_YES : SEEN_NO;
	} else {
		tls->phase = PHASE_CLASSIC;
	}
	tls->cipher = hello->cipher;
	tls->splits_records = hello->version <= TLS_1_0;
	// A ChangeCipherSpec before this was for the middleboxes.
	forget_switch(&tls->half[FROM_SERVER]);
	if (tls->phase == PHASE_RETRY || tls->phase == PHASE_MODERN)
		forget_switch(&tls->half[FROM_CLIENT]);
}

void tls_saw_server_hello(struct tls *tls, const struct tls_server_hello *hello)
{
	settle_version(tls, hello);
	tls_protected_server_hello(tls, hello);
	if (tls->sink->server_hello != NULL)
		tls->sink->server_hello(tls->context, hello);
	evaluate(tls);
}

static void server_flight(struct tls *tls, enum handshake_type type)
{
	struct tls_half *half = &tls->half[FROM_SERVER];
	bool last = type == HANDSHAKE_SERVER_HELLO_DONE;
	if (type == HANDSHAKE_CERTIFICATE_REQUEST) {
		tls->requested = SEEN_YES;
		if (tls->sink->certificate_request != NULL)
			tls->sink->certificate_request(tls->context);
	}
	if (last && tls->requested == NOT_SEEN && !half->gap)
		tls->requested = SEEN_NO;
	if (last && tls->staple == NOT_SEEN && !half->gap)
		tls->staple = SEEN_NO;
	if (tls->chain == CHAIN_UNSEEN && !half->gap)
		tls->chain = CHAIN_NONE;
}

static void client_flight(struct tls *tls, enum handshake_type type)
{
	// Asked for a certificate, the client sends a message even if it has none.
	if (type == HANDSHAKE_CLIENT_KEY_EXCHANGE && tls->requested == NOT_SEEN &&
	    !tls->half[FROM_CLIENT].gap)
		tls->requested = SEEN_NO;
}

void tls_saw_message(struct tls *tls, enum direction sender, enum handshake_type type)
{
	if (type == HANDSHAKE_CERTIFICATE_STATUS)
		tls->staple = SEEN_YES;
	bool flight =
	    type == HANDSHAKE_SERVER_KEY_EXCHANGE || type == HANDSHAKE_SERVER_HELLO_DONE ||
	    type == HANDSHAKE_CERTIFICATE_REQUEST || type == HANDSHAKE_CLIENT_KEY_EXCHANGE;
	if (!flight || tls->phase == PHASE_MODERN || tls->phase == PHASE_SSLV2)
		return;
	// Sent in the clear only up to TLS 1.2, and only in a full handshake.
	tls->phase = PHASE_CLASSIC;
	tls->resumed = SEEN_NO;
	if (sender == FROM_SERVER)
		server_flight(tls, type);
	else
		client_flight(tls, type);
	evaluate(tls);
}

void tls_saw_chain_begin(struct tls *tls, enum direction sender)
{
	if (sender == FROM_SERVER && tls->chain == CHAIN_UNSEEN)
		tls->chain = CHAIN_BEGUN;
	if (tls->phase == PHASE_MODERN && sender == FROM_CLIENT && tls->half[sender].opens)
		tls->requested = SEEN_YES;
	if (tls->phase == PHASE_MODERN || tls->phase == PHASE_SSLV2)
		return;
	tls->phase = PHASE_CLASSIC;
	tls->resumed = SEEN_NO;
	if (sender == FROM_CLIENT)
		tls->requested = SEEN_YES;
}

void tls_saw_chain_end(struct tls *tls, enum direction sender, unsigned count)
{
	if (sender == FROM_SERVER)
		tls->chain = CHAIN_COMPLETE;
	if (sender == FROM_SERVER && tls->phase == PHASE_MODERN && tls->staple == NOT_SEEN)
		tls->staple = SEEN_NO; // it would have come with the leaf
	if (tls->sink->chain_end != NULL)
		tls->sink->chain_end(tls->context, sender, count);
}

// ---- records

// A side that switches without a key exchange before takes up an old session. (RFC 5246 7.3)
static void abbreviated(struct tls *tls, enum direction sender)
{
	if (tls->phase != PHASE_CLASSIC || tls->resumed != NOT_SEEN || tls->half[sender].gap)
		return;
	tls->resumed = SEEN_YES;
	tls->requested = SEEN_NO;
}

void tls_saw_change_cipher_spec(struct tls *tls, enum direction sender)
{
	if (tls->phase == PHASE_RETRY || tls->phase == PHASE_MODERN)
		return; // for the middleboxes (RFC 8446 D.4)
	advance(&tls->half[sender], PROGRESS_SWITCHED);
	if (sender == FROM_SERVER)
		abbreviated(tls, sender);
}

// SSLv3 to TLS 1.2.
static void classic_protected(struct tls *tls, enum direction sender, uint8_t type)
{
	struct tls_half *half = &tls->half[sender];
	if (type == CONTENT_HANDSHAKE && half->progress == PROGRESS_SWITCHED) {
		half->progress = PROGRESS_FINISHED;
		abbreviated(tls, sender);
	} else if (type == CONTENT_APPLICATION_DATA) {
		half->progress = PROGRESS_BEYOND;
		tls->application_data[sender] = true;
	}
}

// Could this record of a TLS 1.3 client be its answer to the server's Finished?
static bool answers(const struct tls *tls, uint16_t length)
{
	enum { ALERT = 2, FINISHED_HEADER = 4, TYPE = 1, TAG = 16 };
	if (!tls->early_data)
		return length > ALERT + TYPE + TAG;
	if (tls->phase != PHASE_MODERN)
		return false;
	const char *cipher = tls_cipher_name(tls->cipher);
	bool sha384 = cipher != NULL && strstr(cipher, "SHA384") != NULL;
	bool short_tag = cipher != NULL && strstr(cipher, "CCM_8") != NULL;
	return length == FINISHED_HEADER + (sha384 ? 48 : 32) + TYPE + (short_tag ? 8 : TAG);
}

// TLS 1.3, or a version that a gap hides.
static void modern_protected(struct tls *tls, enum direction sender, uint8_t type, uint16_t length)
{
	struct tls_half *half = &tls->half[sender];
	bool classic = tls->phase == PHASE_HELLO && type == CONTENT_HANDSHAKE;
	if (classic && half->progress == PROGRESS_SWITCHED) {
		tls->phase = PHASE_CLASSIC; // in 1.3 no encrypted record has this type
		classic_protected(tls, sender, type);
	}
	if (type != CONTENT_APPLICATION_DATA)
		return;
	if (sender == FROM_SERVER) {
		advance(half, PROGRESS_FINISHED);
		if (tls->phase == PHASE_MODERN)
			tls_flight_add(tls, length);
	} else if (answers(tls, length)) {
		tls->application_data[sender] |= half->progress == PROGRESS_BEYOND;
		advance(half, PROGRESS_BEYOND);
		tls_flight_answered(tls);
	}
}

// What a client sends as data. Up to TLS 1.2 that begins behind the handshake; in TLS 1.3 the rest of
// its handshake looks like it.
static void count_client_data(
    struct tls *tls, enum direction sender, uint8_t type, uint16_t length)
{
	enum { ONE_BYTE_RECORD = 32 }; // at most, with its padding and its MAC
	bool counts = tls->phase == PHASE_CLASSIC || presumed_established(tls) == SEEN_YES;
	if (sender != FROM_CLIENT || type != CONTENT_APPLICATION_DATA || !counts ||
	    (tls->splits_records && length <= ONE_BYTE_RECORD))
		return;
	if (tls->client_records < UINT8_MAX)
		tls->client_records++;
}

static bool client_went_on(const struct tls *tls)
{
	enum { FAREWELL = 2, HANDSHAKE_REST = 2 }; // EHLO and QUIT; CertificateVerify and Finished
	return tls->client_records >
	       (tls->phase == PHASE_CLASSIC ? FAREWELL : FAREWELL + HANDSHAKE_REST);
}

bool tls_is_over(const struct tls *tls)
{
	const struct tls_half *client = &tls->half[FROM_CLIENT];
	bool shows_nothing = !client->started || client->record_state == RECORD_BLIND ||
	                     client->record_state == RECORD_FOREIGN || tls->phase == PHASE_SSLV2;
	return tls->established == SEEN_YES && (client_went_on(tls) || shows_nothing);
}

void tls_saw_protected(struct tls *tls, enum direction sender, uint8_t type, uint16_t length)
{
	count_client_data(tls, sender, type, length);
	switch ((enum phase)tls->phase) {
	case PHASE_CLASSIC:
		classic_protected(tls, sender, type);
		break;
	case PHASE_HELLO:
	case PHASE_RETRY:
	case PHASE_MODERN:
		modern_protected(tls, sender, type, length);
		break;
	case PHASE_SSLV2:
		break;
	}
	evaluate(tls);
}

void tls_saw_sslv2_protected(struct tls *tls, enum direction sender)
{
	struct tls_half *half = &tls->half[sender];
	if (half->encrypted < UINT8_MAX)
		half->encrypted++;
	if (sender == FROM_CLIENT)
		advance(half, PROGRESS_FINISHED);
	else
		advance(half, half->encrypted < 2 ? PROGRESS_SWITCHED : PROGRESS_BEYOND);
	evaluate(tls);
}

// ---- what was opened

void tls_saw_request(struct tls *tls)
{
	tls->requested = SEEN_YES;
	if (tls->sink->certificate_request != NULL)
		tls->sink->certificate_request(tls->context);
}

void tls_saw_no_more(struct tls *tls)
{
	if (tls->presumed != NOT_SEEN && !proof_awaited(tls))
		decide(tls, tls->presumed);
}

// In TLS 1.3 the server's ends a flight that was read whole, and the client sends its own only once it
// has checked the server's.
void tls_saw_finished(struct tls *tls, enum direction sender)
{
	if (tls->phase == PHASE_MODERN && tls->requested == NOT_SEEN)
		tls->requested = SEEN_NO;
	if (tls->phase != PHASE_MODERN || sender == FROM_SERVER) {
		tls_saw_no_more(tls);
		return;
	}
	tls->presumed = NOT_SEEN;
	decide(tls, SEEN_YES);
}

void tls_saw_opened_alert(
    struct tls *tls, enum direction sender, uint8_t level, uint8_t description)
{
	enum seen presumed = tls->presumed;
	tls->presumed = NOT_SEEN;
	tls_saw_alert(tls, sender, level, description);
	tls->presumed = (uint8_t)presumed;
}

// ---- ends

void tls_saw_failure(struct tls *tls)
{
	decide(tls, SEEN_NO);
}

void tls_saw_alert(struct tls *tls, enum direction sender, uint8_t level, uint8_t description)
{
	enum { FATAL = 2, CLOSE_NOTIFY = 0, NO_CERTIFICATE = 41, USER_CANCELED = 90 };
	if (tls->sink->alert != NULL)
		tls->sink->alert(tls->context, sender, level, description);
	if (description == NO_CERTIFICATE && sender == FROM_CLIENT && level != FATAL &&
	    tls->phase != PHASE_MODERN)
		tls->requested = SEEN_YES; // SSLv3: instead of an empty Certificate
	// TLS 1.3 gives the level no meaning any more (RFC 8446 6).
	bool harmless = description == CLOSE_NOTIFY || description == USER_CANCELED;
	if (level == FATAL || (tls->phase == PHASE_MODERN && !harmless))
		decide(tls, SEEN_NO);
	else if (description == CLOSE_NOTIFY)
		tls_saw_close(tls, sender);
}

void tls_saw_foreign(struct tls *tls, enum direction sender)
{
	(void)sender; // never behind a gap
	decide(tls, SEEN_NO);
}

// What a direction must at least have shown when it ends, if the handshake was completed.
static bool fell_short(const struct tls *tls, enum direction sender)
{
	const struct tls_half *half = &tls->half[sender];
	bool answer = tls->phase == PHASE_MODERN && sender == FROM_CLIENT;
	bool peer_hidden = hidden(&tls->half[other_direction(sender)]);
	if (tls->phase != PHASE_MODERN && sender == FROM_CLIENT && tls->early_data && peer_hidden)
		return false; // its Finished may be among the records that may be early data
	return half->progress < (answer ? PROGRESS_BEYOND : PROGRESS_FINISHED);
}

void tls_saw_close(struct tls *tls, enum direction sender)
{
	struct tls_half *half = &tls->half[sender];
	const struct tls_half *peer = &tls->half[other_direction(sender)];
	half->closed = true;
	bool both = peer->closed && !half->gap && !peer->gap && half->started && peer->started;
	if (both || (!half->gap && fell_short(tls, sender)))
		decide(tls, SEEN_NO);
}

static bool certificate_hidden(const struct tls *tls)
{
	bool modern = tls->phase == PHASE_MODERN || tls->phase == PHASE_RETRY;
	if (tls->resumed == SEEN_YES || (modern && tls->chain != CHAIN_COMPLETE))
		return true;
	if (tls->chain == CHAIN_COMPLETE || tls->chain == CHAIN_NONE)
		return false;
	// A handshake that died before: nothing is hidden if the whole of the server's side was seen.
	const struct tls_half *server = &tls->half[FROM_SERVER];
	bool seen = !server->gap && (server->started || server->closed);
	return !seen || tls->established != SEEN_NO;
}

struct tls_outcome tls_outcome(const struct tls *tls)
{
	enum seen established = presumed_established(tls);
	return (struct tls_outcome){
	    .established = established,
	    .resumed = tls->resumed,
	    .client_certificate_requested = tls->requested,
	    .ocsp_staple = tls->staple,
	    .server_certificate_hidden = certificate_hidden(tls),
	    .begun = tls->begun,
	    .application_data = {tls->application_data[0], tls->application_data[1]},
	    .client_went_on = established == SEEN_YES && client_went_on(tls),
	    .sslv2_cipher = tls->sslv2_cipher,
	};
}
