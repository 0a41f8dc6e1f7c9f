// SPDX-License-Identifier: Apache-2.0
// The record layer: finds records in the bytes of each direction, and finds them again behind a gap.
#include "capture/base/prefetch.h"
#include "decode/tls_state.h"

#include <string.h>

// ---- headers

// True as long as the first `length` bytes of a record header (RFC 8446 5.1) can be one.
static bool header_fits(const uint8_t *header, size_t length)
{
	if (length >= 1 &&
	    (header[0] < CONTENT_CHANGE_CIPHER_SPEC || header[0] > CONTENT_APPLICATION_DATA))
		return false;
	if (length >= 2 && header[1] != 3)
		return false;
	if (length >= 3 && header[2] > 4)
		return false;
	return length < RECORD_HEADER_LENGTH || (header[3] << 8 | header[4]) <= RECORD_LENGTH_MAX;
}

// Gathers a header in the window. A header that cannot be one leaves the input as it is.
enum gathered { GATHER_MORE, GATHER_WHOLE, GATHER_UNFIT };

static enum gathered gather_header(struct tls_half *half, struct view *input)
{
	size_t missing = (size_t)(RECORD_HEADER_LENGTH - half->window_filled);
	size_t taken = missing < input->length ? missing : input->length;
	memcpy(half->window + half->window_filled, input->data, taken);
	if (!header_fits(half->window, half->window_filled + taken))
		return GATHER_UNFIT;
	view_take(input, taken);
	half->window_filled += (uint8_t)taken;
	if (half->window_filled < RECORD_HEADER_LENGTH)
		return GATHER_MORE;
	half->window_filled = 0;
	return GATHER_WHOLE;
}

// ---- bodies

static void set_header(struct tls_half *half, const uint8_t *header)
{
	half->record_type = header[0];
	half->record_length = half->record_left = (uint16_t)(header[3] << 8 | header[4]);
	half->searched = 0;
}

// A record that is, or may be, encrypted.
static enum record_state protected_state(struct tls *tls, enum direction sender)
{
	const struct tls_half *half = &tls->half[sender];
	bool opens = tls_protected_begin(tls, sender);
	tls_saw_protected(tls, sender, half->record_type, half->record_length);
	return opens ? RECORD_PROTECTED : RECORD_OPAQUE;
}

// A record of handshake messages. Where TLS 1.3 has begun to encrypt, nothing more comes in the clear.
static enum record_state handshake_state(struct tls *tls, enum direction sender)
{
	if (tls->phase == PHASE_MODERN)
		tls_protected_give_up(tls, sender);
	return tls_message_record(tls, sender) ? RECORD_HANDSHAKE : protected_state(tls, sender);
}

// What the record's header alone tells, and how its body is to be read.
static enum record_state body_state(struct tls *tls, enum direction sender)
{
	struct tls_half *half = &tls->half[sender];
	bool encrypts = tls->phase == PHASE_CLASSIC && half->progress != PROGRESS_CLEAR;
	switch ((enum content_type)half->record_type) {
	case CONTENT_CHANGE_CIPHER_SPEC:
		tls_saw_change_cipher_spec(tls, sender);
		if (half->progress != PROGRESS_CLEAR)
			tls_message_lose(tls, sender);
		break;
	case CONTENT_ALERT:
		if (half->record_length == 2 && !encrypts)
			return RECORD_ALERT;
		return protected_state(tls, sender);
	case CONTENT_HANDSHAKE:
		return handshake_state(tls, sender);
	case CONTENT_APPLICATION_DATA:
		return protected_state(tls, sender);
	}
	return RECORD_OPAQUE;
}

// A record begins: `header` is whole and fits.
static void record_begin(struct tls *tls, enum direction sender, const uint8_t *header)
{
	struct tls_half *half = &tls->half[sender];
	bool first = half->message_state == MESSAGE_FIRST;
	set_header(half, header);
	if (first && (half->record_type == CONTENT_CHANGE_CIPHER_SPEC ||
	                 half->record_type == CONTENT_APPLICATION_DATA)) {
		half->gap = true; // no direction begins so: joined later
		half->message_state = MESSAGE_LOST;
	}
	half->record_state = (uint8_t)body_state(tls, sender);
	if (half->record_left == 0)
		half->record_state = RECORD_HEADER;
}

// The alert is kept in the window until both of its bytes are there.
static void alert_body(struct tls *tls, enum direction sender, struct view body)
{
	struct tls_half *half = &tls->half[sender];
	for (; body.length > 0 && half->window_filled < 2; half->window_filled++)
		half->window[half->window_filled] = view_u8(&body);
	if (half->window_filled < 2)
		return;
	half->window_filled = 0;
	tls_saw_alert(tls, sender, half->window[0], half->window[1]);
}

// What comes behind a body.
static enum record_state next_state(const struct tls *tls, enum record_state state)
{
	if (state == RECORD_TRIAL)
		return RECORD_TRIAL_NEXT;
	return tls->phase == PHASE_SSLV2 ? RECORD_SSLV2_HEADER : RECORD_HEADER;
}

// Takes what the input has of the record's body.
static void record_body(struct tls *tls, enum direction sender, struct view *input)
{
	struct tls_half *half = &tls->half[sender];
	size_t length = half->record_left < input->length ? half->record_left : input->length;
	struct view body = view_split(input, length);
	half->record_left -= (uint16_t)length;
	enum record_state state = half->record_state;
	if (half->record_left == 0)
		half->record_state = (uint8_t)next_state(tls, state);
	if (state == RECORD_HANDSHAKE)
		tls_message_feed(tls, sender, body);
	else if (state == RECORD_ALERT)
		alert_body(tls, sender, body);
	else if (state == RECORD_PROTECTED)
		tls_protected_feed(tls, sender, body);
}

// ---- behind a gap

static void search_begin(struct tls *tls, enum direction sender)
{
	struct tls_half *half = &tls->half[sender];
	tls_message_lose(tls, sender);
	half->record_left = 0;
	half->window_filled = 0;
	half->record_state = tls->phase == PHASE_SSLV2 ? RECORD_BLIND : RECORD_SEARCH;
}

// What the first bytes of the window are.
enum candidate {
	CANDIDATE_NONE, // no record begins here
	CANDIDATE_OPEN, // needs more bytes
	CANDIDATE_TRIAL, // may be a record by its 5 bytes: the next header has to confirm it
	CANDIDATE_SURE, // the body begins as only such a record's can: no chance hit
};

static void record_step(struct tls *tls, enum direction sender, struct view *input);

static enum candidate judge_handshake(const struct tls *tls, enum direction sender, uint16_t length)
{
	const struct tls_half *half = &tls->half[sender];
	if (length < 4)
		return CANDIDATE_NONE;
	if (tls->phase == PHASE_CLASSIC && half->progress != PROGRESS_CLEAR)
		return CANDIDATE_TRIAL;
	if (half->window_filled < RECORD_HEADER_LENGTH + 4)
		return CANDIDATE_OPEN;
	bool clear =
	    tls_message_plausible(tls, sender, half->window + RECORD_HEADER_LENGTH, length);
	return clear ? CANDIDATE_SURE : CANDIDATE_TRIAL;
}

static enum candidate judge_alert(const struct tls_half *half, uint16_t length)
{
	if (length != 2) // encrypted: at least 8 bytes more than in the clear
		return length < 2 + 8 ? CANDIDATE_NONE : CANDIDATE_TRIAL;
	if (half->window_filled < RECORD_HEADER_LENGTH + 1)
		return CANDIDATE_OPEN;
	uint8_t level = half->window[RECORD_HEADER_LENGTH];
	return level == 1 || level == 2 ? CANDIDATE_SURE : CANDIDATE_NONE;
}

static enum candidate judge(const struct tls *tls, enum direction sender)
{
	const struct tls_half *half = &tls->half[sender];
	const uint8_t *window = half->window;
	if (!header_fits(window, half->window_filled))
		return CANDIDATE_NONE;
	if (half->window_filled < RECORD_HEADER_LENGTH)
		return CANDIDATE_OPEN;
	uint16_t length = (uint16_t)(window[3] << 8 | window[4]);
	switch ((enum content_type)window[0]) {
	case CONTENT_CHANGE_CIPHER_SPEC:
		if (length != 1)
			return CANDIDATE_NONE;
		if (half->window_filled < RECORD_HEADER_LENGTH + 1)
			return CANDIDATE_OPEN;
		return window[RECORD_HEADER_LENGTH] == 1 ? CANDIDATE_SURE : CANDIDATE_NONE;
	case CONTENT_ALERT:
		return judge_alert(half, length);
	case CONTENT_HANDSHAKE:
		return judge_handshake(tls, sender, length);
	case CONTENT_APPLICATION_DATA:
		return length == 0 ? CANDIDATE_NONE : CANDIDATE_TRIAL;
	}
	return CANDIDATE_NONE;
}

// The window begins with a record: its body's first bytes may be in the window too.
static void search_found(struct tls *tls, enum direction sender, enum candidate candidate)
{
	struct tls_half *half = &tls->half[sender];
	uint8_t window[sizeof(half->window)];
	size_t filled = half->window_filled;
	memcpy(window, half->window, filled);
	half->window_filled = 0;
	if (candidate == CANDIDATE_SURE) {
		record_begin(tls, sender, window);
	} else {
		set_header(half, window);
		half->record_state = RECORD_TRIAL;
	}
	// Bytes of the window behind the header are read like any others; there are at most 4.
	struct view rest = view_of(window + RECORD_HEADER_LENGTH, filled - RECORD_HEADER_LENGTH);
	while (rest.length > 0 && !tls_is_over(tls))
		record_step(tls, sender, &rest);
}

// Drops bytes from the front of the window until something may begin there.
static void search_window(struct tls *tls, enum direction sender)
{
	struct tls_half *half = &tls->half[sender];
	while (half->window_filled > 0) {
		enum candidate candidate = judge(tls, sender);
		if (candidate == CANDIDATE_OPEN)
			return;
		if (candidate != CANDIDATE_NONE) {
			search_found(tls, sender, candidate);
			return;
		}
		half->window_filled--;
		memmove(half->window, half->window + 1, half->window_filled);
	}
}

static void search_step(struct tls *tls, enum direction sender, struct view *input)
{
	struct tls_half *half = &tls->half[sender];
	while (input->length > 0 && half->record_state == RECORD_SEARCH) {
		half->window[half->window_filled++] = view_u8(input);
		search_window(tls, sender);
		if (++half->searched > SEARCH_LENGTH_MAX)
			half->record_state = RECORD_BLIND;
	}
}

// The header behind a trial record: confirms it, or sends the search on from these very bytes.
static void trial_next(struct tls *tls, enum direction sender, struct view *input)
{
	struct tls_half *half = &tls->half[sender];
	enum gathered gathered = gather_header(half, input);
	if (gathered == GATHER_MORE)
		return;
	if (gathered == GATHER_UNFIT) {
		half->record_state = RECORD_SEARCH;
		search_window(tls, sender);
		return;
	}
	uint8_t header[RECORD_HEADER_LENGTH];
	memcpy(header, half->window, sizeof(header));
	bool certain = half->record_type != CONTENT_HANDSHAKE ||
	               (tls->phase == PHASE_CLASSIC && half->progress != PROGRESS_CLEAR);
	if (certain) // a handshake record else may be the rest of a message in the clear
		tls_saw_protected(tls, sender, half->record_type, half->record_length);
	record_begin(tls, sender, header);
}

// ---- the steps

void tls_record_foreign(struct tls *tls, enum direction sender)
{
	struct tls_half *half = &tls->half[sender];
	tls_release(tls, half);
	half->record_state = RECORD_FOREIGN;
	tls_saw_foreign(tls, sender);
}

static void header_step(struct tls *tls, enum direction sender, struct view *input)
{
	struct tls_half *half = &tls->half[sender];
	uint8_t header[RECORD_HEADER_LENGTH];
	switch (gather_header(half, input)) {
	case GATHER_MORE:
		break;
	case GATHER_WHOLE:
		memcpy(header, half->window, sizeof(header));
		record_begin(tls, sender, header);
		break;
	case GATHER_UNFIT:
		if (!half->gap) {
			tls_record_foreign(tls, sender);
			break;
		}
		tls_message_lose(tls, sender); // what was taken for a record was none
		half->record_state = RECORD_SEARCH;
		search_window(tls, sender);
		break;
	}
}

// The first byte of a direction, or behind an SSLv2-format hello: an SSLv2 header has the top bit
// set (no padding) in everything sent before encryption.
static void first_step(struct tls *tls, enum direction sender, uint8_t byte)
{
	struct tls_half *half = &tls->half[sender];
	bool first = half->record_state == RECORD_FIRST;
	bool sslv2 = tls->phase == PHASE_SSLV2 || (tls->phase == PHASE_HELLO && byte & 0x80);
	if (!sslv2)
		half->record_state = RECORD_HEADER;
	else
		half->record_state = first ? RECORD_SSLV2_HELLO : RECORD_SSLV2_HEADER;
}

// One step through the bytes of a direction.
static void record_step(struct tls *tls, enum direction sender, struct view *input)
{
	struct tls_half *half = &tls->half[sender];
	switch ((enum record_state)half->record_state) {
	case RECORD_FIRST:
	case RECORD_AFTER_SSLV2:
		first_step(tls, sender, input->data[0]);
		break;
	case RECORD_HEADER:
		header_step(tls, sender, input);
		break;
	case RECORD_HANDSHAKE:
	case RECORD_ALERT:
	case RECORD_OPAQUE:
	case RECORD_PROTECTED:
	case RECORD_TRIAL:
		record_body(tls, sender, input);
		break;
	case RECORD_SEARCH:
		search_step(tls, sender, input);
		break;
	case RECORD_TRIAL_NEXT:
		trial_next(tls, sender, input);
		break;
	case RECORD_SSLV2_HELLO:
	case RECORD_SSLV2_HEADER:
	case RECORD_SSLV2_BODY:
		tls_sslv2_step(tls, sender, input);
		break;
	case RECORD_BLIND:
		view_take(input, input->length);
		break;
	case RECORD_FOREIGN:
		break;
	}
}

// ---- the front

struct tls *tls_create(struct memory *memory, const struct tls_sink *sink, void *context)
{
	struct tls *tls = memory_take_zeroed(memory, sizeof(*tls));
	if (tls == NULL)
		return NULL;
	tls->memory = memory;
	tls->sink = sink;
	tls->context = context;
	return tls;
}

void tls_prefetch(const struct tls *tls)
{
	prefetch(tls, sizeof *tls);
}

void tls_use_keylog(struct tls *tls, const struct tls_keylog *keylog)
{
	tls->keylog = keylog;
}

void tls_destroy(struct tls *tls)
{
	if (tls == NULL)
		return;
	tls_release(tls, &tls->half[FROM_CLIENT]);
	tls_release(tls, &tls->half[FROM_SERVER]);
	tls_flight_drop(tls);
	tls_protected_drop(tls);
	memory_give(tls->memory, tls);
}

// Nothing can be learned from a direction that is lost or is not TLS.
static bool ended(const struct tls_half *half)
{
	return half->record_state == RECORD_BLIND || half->record_state == RECORD_FOREIGN;
}

enum tls_status tls_feed(
    struct tls *tls, enum direction sender, const uint8_t *bytes, size_t length, size_t *consumed)
{
	struct tls_half *half = &tls->half[sender];
	struct view input = view_of(bytes, length);
	half->started |= length > 0;
	while (input.length > 0 && !tls_is_over(tls) && half->record_state != RECORD_FOREIGN)
		record_step(tls, sender, &input);
	if (half->record_state == RECORD_FOREIGN) {
		*consumed = length - input.length;
		return TLS_FOREIGN;
	}
	*consumed = length;
	bool done = tls_is_over(tls) ||
	            (ended(&tls->half[FROM_CLIENT]) && ended(&tls->half[FROM_SERVER]));
	return done ? TLS_DONE : TLS_MORE;
}

struct view tls_torn(const struct tls *tls, enum direction sender)
{
	const struct tls_half *half = &tls->half[sender];
	return view_of(half->window, half->record_state == RECORD_FOREIGN ? half->window_filled : 0);
}

// A gap that begins in a record's body and may end in it.
static void gap_in_body(struct tls *tls, enum direction sender, uint64_t length)
{
	struct tls_half *half = &tls->half[sender];
	if (length > half->record_left) {
		search_begin(tls, sender);
		return;
	}
	if (half->record_state == RECORD_HANDSHAKE)
		tls_message_gap(tls, sender, (uint32_t)length);
	if (half->record_state == RECORD_ALERT)
		half->record_state = RECORD_OPAQUE;
	half->window_filled = 0;
	half->record_left -= (uint16_t)length;
	if (half->record_left == 0)
		half->record_state = (uint8_t)next_state(tls, half->record_state);
}

void tls_gap(struct tls *tls, enum direction sender, uint64_t length)
{
	struct tls_half *half = &tls->half[sender];
	if (length == 0)
		return;
	half->started = half->gap = true;
	tls_protected_gap(tls, sender);
	switch ((enum record_state)half->record_state) {
	case RECORD_HANDSHAKE:
	case RECORD_ALERT:
	case RECORD_OPAQUE:
	case RECORD_PROTECTED:
	case RECORD_TRIAL:
		gap_in_body(tls, sender, length);
		break;
	case RECORD_SSLV2_HELLO:
	case RECORD_SSLV2_HEADER:
	case RECORD_SSLV2_BODY:
		tls_release(tls, half);
		half->record_state = RECORD_BLIND;
		break;
	case RECORD_FIRST:
	case RECORD_AFTER_SSLV2:
	case RECORD_HEADER:
	case RECORD_SEARCH:
	case RECORD_TRIAL_NEXT:
		search_begin(tls, sender);
		break;
	case RECORD_BLIND:
	case RECORD_FOREIGN:
		break;
	}
}

void tls_close(struct tls *tls, enum direction sender)
{
	tls_saw_close(tls, sender);
}

// ---- the first look

static int looks_like_record(enum direction sender, const uint8_t *bytes, size_t length)
{
	uint8_t hello = sender == FROM_CLIENT ? HANDSHAKE_CLIENT_HELLO : HANDSHAKE_SERVER_HELLO;
	bool alert = sender == FROM_SERVER && bytes[0] == CONTENT_ALERT;
	if (!alert && bytes[0] != CONTENT_HANDSHAKE)
		return 0;
	if (!header_fits(bytes, length))
		return 0;
	if (length < 5)
		return -1;
	unsigned record = (unsigned)(bytes[3] << 8 | bytes[4]);
	if (alert ? record != 2 : record == 0 || record > 1 << 14)
		return 0;
	if (length < 6)
		return -1;
	if (alert)
		return bytes[5] == 1 || bytes[5] == 2;
	if (bytes[5] != hello)
		return 0;
	if (length < 7)
		return -1;
	// No hello takes 64 KiB. Of a message in pieces (RFC 8446 5.1), only the type may be in the first record.
	return bytes[6] == (record > 1 ? 0 : CONTENT_HANDSHAKE);
}

// RFC 5246 E.2: length (top bit set), type, version, lengths of suites, session id, challenge.
static int looks_like_sslv2(const uint8_t *bytes, size_t length)
{
	if (length >= 2) {
		unsigned record = (unsigned)((bytes[0] & 0x7f) << 8 | bytes[1]);
		if (record < 9 + 3 + 16 || record > 4096)
			return 0;
	}
	if (length >= 3 && bytes[2] != HANDSHAKE_CLIENT_HELLO)
		return 0;
	if (length >= 4 && bytes[3] != 0 && bytes[3] != 3)
		return 0;
	if (length >= 5 && (bytes[3] == 0 ? bytes[4] != 2 : bytes[4] > 4))
		return 0;
	if (length < 6)
		return -1;
	if (length < 11)
		return bytes[5] < 16 ? -1 : 0;
	unsigned record = (unsigned)((bytes[0] & 0x7f) << 8 | bytes[1]);
	unsigned suites = (unsigned)(bytes[5] << 8 | bytes[6]);
	unsigned session_id = (unsigned)(bytes[7] << 8 | bytes[8]);
	unsigned challenge = (unsigned)(bytes[9] << 8 | bytes[10]);
	return suites % 3 == 0 && challenge >= 16 && challenge <= 32 &&
	       9 + suites + session_id + challenge == record;
}

int tls_looks_like(enum direction sender, const uint8_t *bytes, size_t length)
{
	if (length == 0)
		return -1;
	if (sender == FROM_CLIENT && bytes[0] & 0x80)
		return looks_like_sslv2(bytes, length);
	return looks_like_record(sender, bytes, length);
}
