// SPDX-License-Identifier: Apache-2.0
// For tests of what a key log opens: handshakes of TLS 1.3 sealed by hand, flight by flight, and what is said of them.
#ifndef MAILTAP_TESTS_UNIT_TLS_PROTECTED_LAB_H
#define MAILTAP_TESTS_UNIT_TLS_PROTECTED_LAB_H

#include "tls_bytes.h"
#include "tls_seal.h"

// What has been sent, the key log for it, and what was said last: without the key log, with it, of a part.
extern struct conversation talk;
extern struct facts known, whole, part;
extern struct tls_keylog *keylog;

// The messages that are put together, and who seals them.
extern struct bytes body, extra;
extern struct sealer client, server;

// At the end of each test.
void end_test(void);

// The facts with the key log, after checking that no split changes them and that they hold what is known
// without it.
const struct facts *told(void);

// Hellos of TLS 1.3 and the key log for what follows.
void begin(bool early_data);

// Messages, put together in `body`.
void put_hello_end(uint8_t type, const char *rest, size_t length);
void put_server_hello(void);
void put_message(uint8_t type, size_t length);
void put_encrypted_extensions(void);
void put_chain(size_t context, const size_t *lengths, unsigned count, size_t extensions);
void put_finished(void);

// The body of a Certificate message.
void put_certificates(
    struct bytes *to, size_t context, const size_t *lengths, unsigned count, size_t extensions);

// The messages so far as one record in the clear, sealed, or in sealed records of at most `longest` bytes.
void say_clear(enum direction sender, uint8_t type);
void say_sealed(enum direction sender);
void say_sealed_in(enum direction sender, size_t longest);
void say_finished(enum direction sender);

struct sealer *sealer_of(enum direction sender);

// True if a line of what was said last begins so.
bool tells_of(const char *beginning);

#endif
