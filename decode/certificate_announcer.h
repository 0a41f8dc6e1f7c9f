// SPDX-License-Identifier: Apache-2.0
// Certificates on their way from the handshakes to whoever reads and judges them: each is hashed
// (SHA-256, by which records name it), and its bytes are handed on when it is new. Most handshakes show
// certificates that were shown before, so that what is new is rare.
//
// What was handed on is kept in a table of fixed size, with its bytes, so that a certificate that comes
// again is compared instead of hashed: a thirtieth of the cost. Of long ones (a server may put a thousand
// names into one) so many are kept as take 4 MiB. One that another has pushed out of the
// table is handed on again. So the receiver gets each at least once, and must bear to get it twice.
// Owned by one worker; not thread safe.
#ifndef MAILTAP_DECODE_CERTIFICATE_ANNOUNCER_H
#define MAILTAP_DECODE_CERTIFICATE_ANNOUNCER_H

#include "capture/base/hash.h"
#include "capture/base/memory.h"
#include "capture/base/view.h"
#include "capture/packet.h"
#include "decode/seen.h"

enum { CERTIFICATE_HASH_BYTES = 32 };

// A certificate as it was shown. Borrowed for the call.
struct shown_certificate {
	const uint8_t *sha256; // CERTIFICATE_HASH_BYTES
	struct view der;
	enum direction sender;
	unsigned position;     // in its list: 0 is the sender's own
	nanoseconds time;
};

typedef void certificate_sink(void *context, const struct shown_certificate *certificate);

struct certificate_announcer;

// `memory`: where the bytes are kept; its budget bounds them too. `sink` may be NULL: then certificates
// are only hashed. `key`: so that nobody can choose certificates that push each other out. NULL: no
// memory.
struct certificate_announcer *certificate_announcer_create(struct memory *memory,
    const struct hash_key *key, certificate_sink *sink, void *context);
void certificate_announcer_destroy(struct certificate_announcer *announcer);

// The bytes of a certificate that was announced before, if it has this length, begins with these bytes and is kept:
// one that comes in pieces can be compared with it piece by piece. NULL: there is none, or `beginning` is short of
// CERTIFICATE_HEAD. It stays where it is until certificate_let_go.
enum { CERTIFICATE_HEAD = 48 }; // bytes: as far as the serial number, which tells a server's certificates apart
const uint8_t *certificate_recall(
    struct certificate_announcer *announcer, struct view beginning, size_t length);
void certificate_let_go(struct certificate_announcer *announcer, const uint8_t *der);

// Puts a certificate's hash into sha256 and hands it on if it is new. False: it could not be hashed.
bool certificate_announce(struct certificate_announcer *announcer, struct view der,
    enum direction sender, unsigned position, nanoseconds time,
    uint8_t sha256[CERTIFICATE_HASH_BYTES]);

#endif
