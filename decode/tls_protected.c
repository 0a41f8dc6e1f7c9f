// SPDX-License-Identifier: Apache-2.0
// The handshake behind its encryption, for sessions whose secrets are in the key log: which protected
// records are opened, what is made of them, and what ends it.
//
// TLS 1.3  From the ServerHello on each direction is opened record by record, up to its Finished; what
//          follows has other keys, which the key log does not keep. The client's early data has
//          others still: where it was offered, records that cannot be opened are passed over until the
//          first that can.
// TLS 1.2  One record of each direction: the first behind its ChangeCipherSpec, which is its Finished
//          or an alert in its place. Renegotiations are not opened.
//
// Whatever cannot be opened (a gap, other secrets, a damaged record, no memory) ends it for its
// direction: what was learned stands, everything else is as if there were no key log.
#include "decode/tls_decrypt.h"
#include "decode/tls_hello.h"
#include "decode/tls_state.h"

#include <openssl/crypto.h>
#include <string.h>

enum {
	EARLY_RECORDS_MAX = 64, // passed over at the most
	RECORDS_MAX = 255, // of a direction; a chain as long as is read has a fraction of that
	EXTENSION_ENCRYPT_THEN_MAC = 22,
};

enum opening {
	OPENING_UNABLE, // the hellos are not known yet
	OPENING_AWAITED, // the next protected record is the first
	OPENING_BEGUN, // records were opened, or one is being collected
	OPENING_OVER, // its Finished was opened, or it cannot be had
};

struct tls_protected {
	struct tls_protection protection;
	struct protected_half {
		uint8_t *record; // what was collected of it; NULL: nothing
		uint16_t capacity, filled;
		uint8_t opening; // enum opening
		uint8_t message_state; // of what came in the clear before
		uint8_t opened; // records
		uint8_t passed; // early data
	} half[2];
};

static void drop_record(struct tls *tls, struct protected_half *half)
{
	memory_give(tls->memory, half->record);
	half->record = NULL;
	half->capacity = half->filled = 0;
}

void tls_protected_drop(struct tls *tls)
{
	struct tls_protected *protected = tls->protected;
	if (protected == NULL)
		return;
	for (enum direction sender = FROM_CLIENT; sender <= FROM_SERVER; sender++) {
		tls_protected_give_up(tls, sender);
		drop_record(tls, &protected->half[sender]);
	}
	tls->protected = NULL;
	memory_give(tls->memory, protected);
}

// ---- the hellos

void tls_protected_client_hello(struct tls *tls, const struct tls_client_hello *hello)
{
	if (tls->keylog == NULL)
		return;
	tls_protected_drop(tls);
	const struct tls_secrets *secrets = tls_keylog_find(tls->keylog, hello->random);
	if (secrets == NULL)
		return;
	tls->protected = memory_take_zeroed(tls->memory, sizeof(*tls->protected));
	if (tls->protected != NULL)
		tls->protected->protection.secrets = secrets;
}

static bool has_extension(struct view list, uint16_t wanted)
{
	struct view body;
	uint16_t type;
	while (tls_next_extension(&list, &type, &body))
		if (type == wanted)
			return true;
	return false;
}

void tls_protected_server_hello(struct tls *tls, const struct tls_server_hello *hello)
{
	struct tls_protected *protected = tls->protected;
	bool modern = hello->version == TLS_1_3;
	if (protected == NULL || hello->hello_retry_request ||
	    protected->half[FROM_SERVER].opening != OPENING_UNABLE)
		return;
	struct tls_protection *protection = &protected->protection;
	protection->version = hello->version;
	protection->cipher = hello->cipher;
	protection->encrypt_then_mac = has_extension(hello->extensions, EXTENSION_ENCRYPT_THEN_MAC);
	if (hello->random.length != TLS_RANDOM_LENGTH || hello->compression != 0 ||
	    tls->phase != (modern ? PHASE_MODERN : PHASE_CLASSIC)) {
		tls_protected_drop(tls);
		return;
	}
	memcpy(protection->server_random, hello->random.data, TLS_RANDOM_LENGTH);
	for (enum direction sender = FROM_CLIENT; sender <= FROM_SERVER; sender++)
	protected->half[sender].opening =
	    tls_can_decrypt(protection, sender) ? OPENING_AWAITED : OPENING_OVER;
}

// ---- what is opened

// No message in the clear is waiting for its rest: none goes on across a change of keys (RFC 8446 5.1).
static bool between_messages(const struct tls_half *half)
{
	return half->message_state == MESSAGE_LOST ||
	       (half->message_state == MESSAGE_HEADER && half->filled == 0);
}

// True if the record whose header was read may be opened, going by its type and place.
static bool in_place(const struct tls *tls, enum direction sender)
{
	const struct tls_half *half = &tls->half[sender];
	const struct protected_half *protected = &tls->protected->half[sender];
	bool begun = protected->opening == OPENING_BEGUN;
	if (half->record_length == 0 || protected->opened == RECORDS_MAX)
		return false;
	if (tls->phase == PHASE_MODERN)
		return half->record_type == CONTENT_APPLICATION_DATA &&
		       (begun || between_messages(half));
	return tls->phase == PHASE_CLASSIC && !begun && half->progress == PROGRESS_SWITCHED &&
	       (half->record_type == CONTENT_HANDSHAKE || half->record_type == CONTENT_ALERT);
}

bool tls_protected_begin(struct tls *tls, enum direction sender)
{
	struct tls_half *half = &tls->half[sender];
	if (tls->protected == NULL)
		return false;
	struct protected_half *protected = &tls->protected->half[sender];
	if (protected->opening != OPENING_AWAITED && protected->opening != OPENING_BEGUN)
		return false;
	if (!in_place(tls, sender)) {
		tls_protected_give_up(tls, sender);
		return false;
	}
	if (protected->opening == OPENING_AWAITED) {
		protected->opening = OPENING_BEGUN;
		protected->message_state = half->message_state;
		half->message_state = MESSAGE_HEADER;
		half->opens = true;
	}
	return true;
}

static void end_opening(struct tls *tls, enum direction sender)
{
	struct tls_half *half = &tls->half[sender];
	if (half->opens) {
		tls_release(tls, half);
		half->message_state = tls->protected->half[sender].message_state;
		half->opens = false;
	}
	if (half->record_state == RECORD_PROTECTED)
		half->record_state = RECORD_OPAQUE;
	tls->protected->half[sender].opening = OPENING_OVER;
}

void tls_protected_give_up(struct tls *tls, enum direction sender)
{
	if (tls->protected == NULL || tls->protected->half[sender].opening == OPENING_UNABLE ||
	    tls->protected->half[sender].opening == OPENING_OVER)
		return;
	end_opening(tls, sender);
	tls_saw_no_more(tls);
}

// Up to TLS 1.2 what is hidden before the ChangeCipherSpec is in the clear.
void tls_protected_gap(struct tls *tls, enum direction sender)
{
	if (tls->phase == PHASE_MODERN || tls->half[sender].progress != PROGRESS_CLEAR)
		tls_protected_give_up(tls, sender);
}

void tls_protected_finished(struct tls *tls, enum direction sender)
{
	end_opening(tls, sender);
	tls_saw_finished(tls, sender);
}

// ---- what was in it

static void take_alert(struct tls *tls, enum direction sender, struct view content)
{
	if (content.length != 2) {
		tls_protected_give_up(tls, sender);
		return;
	}
	uint8_t level = view_u8(&content);
	tls_saw_opened_alert(tls, sender, level, view_u8(&content));
}

// Up to TLS 1.2 a Finished is all there is: 12 bytes of proof (RFC 5246 7.4.9).
static void take_classic(
    struct tls *tls, enum direction sender, const struct tls_opened_record *opened)
{
	static const uint8_t header[4] = {HANDSHAKE_FINISHED, 0, 0, 12};
	struct view content = opened->content;
	bool finished = opened->type == CONTENT_HANDSHAKE &&
	                content.length == sizeof(header) + header[3] &&
	                memcmp(content.data, header, sizeof(header)) == 0;
	if (finished)
		tls_protected_finished(tls, sender);
	else if (opened->type == CONTENT_ALERT)
		take_alert(tls, sender, content);
	tls_protected_give_up(tls, sender); // whatever it was, no other record is opened
}

static void take_modern(
    struct tls *tls, enum direction sender, const struct tls_opened_record *opened)
{
	if (opened->type == CONTENT_HANDSHAKE)
		tls_message_feed(tls, sender, opened->content);
	else if (opened->type == CONTENT_ALERT)
		take_alert(tls, sender, opened->content);
	else
		tls_protected_give_up(tls, sender);
}

static void not_opened(struct tls *tls, enum direction sender)
{
	struct protected_half *half = &tls->protected->half[sender];
	bool early = tls->phase == PHASE_MODERN && sender == FROM_CLIENT && tls->early_data &&
	             half->opened == 0 && half->passed < EARLY_RECORDS_MAX;
	if (early)
		half->passed++;
	else
		tls_protected_give_up(tls, sender);
}

static void open_record(struct tls *tls, enum direction sender, struct view body)
{
	struct protected_half *half = &tls->protected->half[sender];
	struct tls_protected_record record = {
	    .sender = sender,
	    .sequence = half->opened,
	    .type = tls->half[sender].record_type,
	    .body = body,
	};
	struct tls_opened_record opened;
	uint8_t *room = memory_take(tls->memory, body.length);
	if (room == NULL) {
		tls_protected_give_up(tls, sender);
		return;
	}
	if (tls_decrypt(&tls->protected->protection, &record, room, &opened)) {
		half->opened++;
		if (tls->phase == PHASE_MODERN)
			take_modern(tls, sender, &opened);
		else
			take_classic(tls, sender, &opened);
	} else {
		not_opened(tls, sender);
	}
	OPENSSL_cleanse(room, body.length);
	memory_give(tls->memory, room);
}

// Collects a piece of the record's body. False: no memory.
static bool collect(
    struct tls *tls, struct protected_half *half, uint16_t length, struct view piece)
{
	if (half->record == NULL) {
		half->record = memory_take(tls->memory, length);
		half->capacity = length;
	}
	if (half->record == NULL || piece.length > (size_t)(half->capacity - half->filled))
		return false;
	memcpy(half->record + half->filled, piece.data, piece.length);
	half->filled += (uint16_t)piece.length;
	return true;
}

void tls_protected_feed(struct tls *tls, enum direction sender, struct view piece)
{
	struct protected_half *half = &tls->protected->half[sender];
	uint16_t length = tls->half[sender].record_length;
	bool last = tls->half[sender].record_left == 0;
	if (half->filled == 0 && last) {
		open_record(tls, sender, piece);
		return;
	}
	if (!collect(tls, half, length, piece))
		tls_protected_give_up(tls, sender);
	else if (last)
		open_record(tls, sender, view_of(half->record, length));
	if (last || !tls->half[sender].opens)
		drop_record(tls, half);
}
