// SPDX-License-Identifier: Apache-2.0
// The state of one TLS connection, shared by the files tls_*.c and by nobody else:
// tls_record.c finds records in the bytes of a direction, tls_message.c handshake messages in the
// records, tls_sslv2.c both for SSLv2; they tell tls_establishment.c what they saw, which keeps the
// facts and decides when there is nothing more to learn. tls_flight.c keeps the lengths of what TLS 1.3
// hides; tls_protected.c opens it for sessions in the key log (tls_decrypt.c does the cryptography) and
// gives it to tls_message.c, as if it had come in the clear; tls_opened.c reads what is only there.
#ifndef MAILTAP_DECODE_TLS_STATE_H
#define MAILTAP_DECODE_TLS_STATE_H

#include "decode/tls.h"

enum {
	RECORD_HEADER_LENGTH = 5,
	RECORD_LENGTH_MAX = (1 << 14) + 2048, // RFC 5246 6.2.3; RFC 8446 allows less
	MESSAGE_LENGTH_MAX = 64 * 1024, // bytes of a handshake message that is collected
	CHAIN_LENGTH_MAX = 256 * 1024, // bytes of a Certificate message
	SEARCH_LENGTH_MAX = 64 * 1024, // bytes looked through for a record after a gap
};

enum content_type {
	CONTENT_CHANGE_CIPHER_SPEC = 20,
	CONTENT_ALERT = 21,
	CONTENT_HANDSHAKE = 22,
	CONTENT_APPLICATION_DATA = 23,
};

enum handshake_type {
	HANDSHAKE_HELLO_REQUEST = 0,
	HANDSHAKE_CLIENT_HELLO = 1,
	HANDSHAKE_SERVER_HELLO = 2,
	HANDSHAKE_NEW_SESSION_TICKET = 4,
	HANDSHAKE_ENCRYPTED_EXTENSIONS = 8,
	HANDSHAKE_CERTIFICATE = 11,
	HANDSHAKE_SERVER_KEY_EXCHANGE = 12,
	HANDSHAKE_CERTIFICATE_REQUEST = 13,
	HANDSHAKE_SERVER_HELLO_DONE = 14,
	HANDSHAKE_CERTIFICATE_VERIFY = 15,
	HANDSHAKE_CLIENT_KEY_EXCHANGE = 16,
	HANDSHAKE_FINISHED = 20,
	HANDSHAKE_CERTIFICATE_STATUS = 22,
	HANDSHAKE_COMPRESSED_CERTIFICATE = 25,
};

// Where in the record layer a direction stands: what its next byte is.
enum record_state {
	RECORD_FIRST, // first byte of the direction: a record, or an SSLv2-format hello
	RECORD_AFTER_SSLV2, // first byte behind an SSLv2-format hello: either again
	RECORD_HEADER, // of a record header
	RECORD_HANDSHAKE, // of a body: handshake messages in the clear, or where that is to be found out
	RECORD_ALERT, // of a body: an alert in the clear
	RECORD_OPAQUE, // of a body nobody reads
	RECORD_PROTECTED, // of a body that is opened with the key log
	RECORD_SEARCH, // behind a gap: looking for a record header
	RECORD_TRIAL, // of the body of what may be a record, if another header follows it
	RECORD_TRIAL_NEXT, // of the header that has to follow
	RECORD_SSLV2_HELLO, // of the first SSLv2 message of the direction, its header included
	RECORD_SSLV2_HEADER, // of a later SSLv2 record header
	RECORD_SSLV2_BODY, // of an SSLv2 body in the clear
	RECORD_BLIND, // behind a gap and not found again: all is passed over
	RECORD_FOREIGN, // of something that is not TLS
};

// Where in the handshake messages of a direction: what the next byte of a handshake body is.
enum message_state {
	MESSAGE_FIRST, // of the direction's first message header
	MESSAGE_HEADER, // of a message header
	MESSAGE_BODY, // of a body that is collected
	MESSAGE_PASS, // of a body whose type is all that counts
	MESSAGE_SKIP, // of a body that cannot be had whole any more
	MESSAGE_CONTEXT, // of a TLS 1.3 Certificate: the length of its context
	MESSAGE_CHAIN, // of the length of a certificate list, the context before it
	MESSAGE_CHAIN_ENTRY, // of the length of a certificate
	MESSAGE_CERTIFICATE, // of a certificate
	MESSAGE_ENTRY_END, // TLS 1.3: of the length of the extensions behind a certificate
	MESSAGE_ENTRY_EXTENSIONS, // of these extensions
	MESSAGE_UNSURE, // of a record that holds messages in the clear only if its first 4 bytes say so
	MESSAGE_LOST, // of a message whose beginning a gap hides, until the record ends
};

// What a direction has shown of its Finished.
enum progress {
	PROGRESS_CLEAR, // nothing
	PROGRESS_SWITCHED, // ChangeCipherSpec: from here on encrypted (up to TLS 1.2)
	PROGRESS_FINISHED, // an encrypted record that can be its Finished
	PROGRESS_BEYOND, // something its sender sends only once it holds the peer's Finished
};

// How far the hellos went: decides how records are to be read.
enum phase {
	PHASE_HELLO, // version not known
	PHASE_RETRY, // HelloRetryRequest seen: TLS 1.3, but the next hellos come in the clear
	PHASE_CLASSIC, // SSLv3 to TLS 1.2
	PHASE_MODERN, // TLS 1.3
	PHASE_SSLV2, // pure SSLv2
};

// What was seen of the server's certificate message.
enum chain_state {
	CHAIN_UNSEEN,
	CHAIN_BEGUN,
	CHAIN_COMPLETE,
	CHAIN_NONE, // a full handshake without one
};

struct tls_half {
	uint8_t *buffer; // what was collected of `part`; NULL if it is short or nothing was
	const uint8_t *known; // a certificate that is the same as far as it was read; NULL: none is
	uint32_t capacity; // bytes the buffer was taken with
	uint32_t filled; // bytes of the part collected, or found to be those of `known`
	uint32_t message_left; // bytes of the handshake message not read yet
	uint32_t chain_left; // bytes of its certificate list not read yet
	uint32_t part; // bytes of the part of a Certificate message being read
	uint32_t searched; // bytes looked through since the last record
	uint16_t record_left; // bytes of the record not read yet
	uint16_t record_length;
	uint8_t record_type;
	uint8_t record_state; // enum record_state
	uint8_t message_state; // enum message_state
	uint8_t message_type;
	uint8_t progress; // enum progress
	uint8_t certificates; // reported of this Certificate message
	uint8_t encrypted; // SSLv2: encrypted records, up to 255
	uint8_t window_filled;
	uint8_t window[9]; // torn record header; behind a gap the bytes looked at
	uint8_t head[4]; // torn part of up to 4 bytes
	bool started : 1; // at least one byte was fed
	bool gap : 1; // something of this direction is hidden, its beginning perhaps
	bool closed : 1;
	bool opens : 1; // its protected records are being opened, or one of them is
};

struct tls {
	struct memory *memory;
	const struct tls_sink *sink;
	void *context;
	struct tls_flight *flight; // NULL: nothing of it was seen yet, or it is over
	const struct tls_keylog *keylog; // borrowed; NULL: there is none
	struct tls_protected *protected; // NULL: the session is not in the key log
	struct tls_half half[2]; // by enum direction
	uint32_t sslv2_cipher;
	uint16_t cipher; // of the ServerHello
	uint8_t phase; // enum phase
	uint8_t chain; // enum chain_state
	uint8_t established; // enum seen, as are the next three
	uint8_t presumed; // what `established` would be without the key log, which will tell for sure
	uint8_t resumed;
	uint8_t requested; // client certificate
	uint8_t staple; // CertificateStatus
	bool begun : 1;
	bool early_data : 1; // offered in the last ClientHello
	bool flight_over : 1; // the client answered, or it cannot be had
	bool splits_records : 1; // SSLv3, TLS 1.0: a record of one byte may come before each (CVE-2011-3389)
	bool application_data[2];
	uint8_t client_records; // of data, once established; up to 255
};

_Static_assert(sizeof(struct tls) <= 256, "one block of this per TLS connection");

// Everything is opaque from here on. After a failure records are still walked: it may go on in the clear.
static inline bool tls_established(const struct tls *tls)
{
	return tls->established == SEEN_YES;
}

// Established, and nothing more to see in the opaque records.
bool tls_is_over(const struct tls *tls);

static inline bool tls_decided(const struct tls *tls)
{
	return tls->established != NOT_SEEN;
}

// ---- tls_record.c

// From here on the direction's bytes are no TLS.
void tls_record_foreign(struct tls *tls, enum direction sender);

// ---- tls_protected.c

// A hello was seen. A ServerHello: after its version is settled.
void tls_protected_client_hello(struct tls *tls, const struct tls_client_hello *hello);
void tls_protected_server_hello(struct tls *tls, const struct tls_server_hello *hello);

// A protected record begins, its header read. True: its body is to be fed to tls_protected_feed.
bool tls_protected_begin(struct tls *tls, enum direction sender);

// A piece of its body; the record's `record_left` counts what comes behind the piece.
void tls_protected_feed(struct tls *tls, enum direction sender, struct view piece);

// Its Finished was opened: what comes behind it is none of ours.
void tls_protected_finished(struct tls *tls, enum direction sender);

// Nothing more of this direction can be opened.
void tls_protected_give_up(struct tls *tls, enum direction sender);

// Bytes of it are hidden.
void tls_protected_gap(struct tls *tls, enum direction sender);

// Frees everything.
void tls_protected_drop(struct tls *tls);

// ---- tls_opened.c

// A handshake message that was opened, other than Certificate.
void tls_opened_message(
    struct tls *tls, enum direction sender, enum handshake_type type, struct view body);

// The extensions of a certificate in an opened Certificate message.
void tls_opened_entry(
    struct tls *tls, enum direction sender, unsigned position, struct view extensions);

// ---- tls_message.c

enum collected {
	COLLECT_MORE, // all input was taken, the part is not complete
	COLLECT_WHOLE, // *part is complete; valid until tls_release
	COLLECT_REFUSED, // no memory; nothing more was taken
};

// The next `length` bytes of the input as one part: in place if they are all there, else collected.
enum collected tls_collect(
    struct tls *tls, struct tls_half *half, struct view *input, uint32_t length, struct view *part);

// The part was used, or is given up: the buffer goes back.
void tls_release(struct tls *tls, struct tls_half *half);

// A handshake record begins. False: it is encrypted for sure.
bool tls_message_record(struct tls *tls, enum direction sender);

// Bytes of a handshake record (all of them in turn; takes the input).
void tls_message_feed(struct tls *tls, enum direction sender, struct view input);

// A whole Certificate message of TLS 1.3, without its header.
void tls_message_certificate(struct tls *tls, enum direction sender, struct view body);

// `length` bytes within a handshake record are hidden.
void tls_message_gap(struct tls *tls, enum direction sender, uint32_t length);

// Whatever message there was is given up; the next handshake record has to tell what it is.
void tls_message_lose(struct tls *tls, enum direction sender);

// True if a handshake header can be of a message that `sender` sends in the clear and that ends in
// its record.
bool tls_message_plausible(
    const struct tls *tls, enum direction sender, const uint8_t header[4], uint16_t record_length);

// ---- tls_sslv2.c

// One step through the bytes of a direction that speaks SSLv2.
void tls_sslv2_step(struct tls *tls, enum direction sender, struct view *input);

// ---- tls_flight.c

// An encrypted record of a TLS 1.3 server.
void tls_flight_add(struct tls *tls, uint16_t length);

// The client's first record that goes on from there: the flight is complete.
void tls_flight_answered(struct tls *tls);

// It is of no use any more.
void tls_flight_drop(struct tls *tls);

// ---- tls_establishment.c: what was seen, in the order of the bytes

void tls_saw_client_hello(struct tls *tls, const struct tls_client_hello *hello);
void tls_saw_server_hello(struct tls *tls, const struct tls_server_hello *hello);
void tls_saw_message(struct tls *tls, enum direction sender, enum handshake_type type);
void tls_saw_chain_begin(struct tls *tls, enum direction sender);
void tls_saw_chain_end(struct tls *tls, enum direction sender, unsigned count);
void tls_saw_change_cipher_spec(struct tls *tls, enum direction sender);
// A record that is, or may be, encrypted.
void tls_saw_protected(struct tls *tls, enum direction sender, uint8_t type, uint16_t length);
// From the opened records of TLS 1.3, and the opened Finished or alert of TLS 1.2.
void tls_saw_request(struct tls *tls);
void tls_saw_finished(struct tls *tls, enum direction sender);
void tls_saw_opened_alert(
    struct tls *tls, enum direction sender, uint8_t level, uint8_t description);
// What was opened so far is all there will be.
void tls_saw_no_more(struct tls *tls);
void tls_saw_sslv2_protected(struct tls *tls, enum direction sender);
void tls_saw_alert(struct tls *tls, enum direction sender, uint8_t level, uint8_t description);
// A failure that is no alert.
void tls_saw_failure(struct tls *tls);
void tls_saw_foreign(struct tls *tls, enum direction sender);
void tls_saw_close(struct tls *tls, enum direction sender);

#endif
