// SPDX-License-Identifier: Apache-2.0
// TLS as a tap sees it: record layer and handshake of both directions, SSLv2-format hello to TLS 1.3,
// from wherever the connection turns into TLS until nothing more can be learned. Handshake messages
// are reassembled over records and segments. Reports to a sink; keeps no text of its own.
// The state is one fixed block plus a buffer that exists only while a message is incomplete.
// Pure: no I/O, no clock, any thread as long as one connection stays on one thread.
//
// When a handshake counts as completed: tls_establishment.c gives the rule and the reason for each
// version.
#ifndef MAILTAP_DECODE_TLS_H
#define MAILTAP_DECODE_TLS_H

#include "capture/base/memory.h"
#include "capture/base/view.h"
#include "decode/seen.h"
#include "decode/tls_keylog.h"

#include <stdbool.h>

enum tls_version {
	TLS_VERSION_UNKNOWN = 0,
	TLS_SSL2 = 0x0002,
	TLS_SSL3 = 0x0300,
	TLS_1_0 = 0x0301,
	TLS_1_1 = 0x0302,
	TLS_1_2 = 0x0303,
	TLS_1_3 = 0x0304,
};

// A ClientHello taken apart. The views borrow the message and are valid during the call only; a view
// whose data is NULL: the extension was not sent. Lists are views of the bytes as sent (u16 entries
// in network order, GREASE included), so that fingerprints can be made from them.
struct tls_client_hello {
	uint16_t legacy_version; // as in the message
	uint16_t highest_version; // highest offered, supported_versions included, GREASE left out
	bool sslv2_format; // cipher_suites then holds 3-byte kinds
	struct view random;
	struct view session_id;
	struct view cipher_suites;
	struct view compression;
	struct view extensions; // all of them, raw (type, length, body)*
	bool has_server_name; // the extension
	struct view server_name; // host name of server_name, as sent
	struct view alpn; // first protocol name
	struct view alpn_list;
	struct view supported_versions;
	struct view supported_groups;
	struct view key_shares; // (group, length, key)*
	uint16_t key_share_count; // GREASE left out, as in key_share_bytes
	uint32_t key_share_bytes; // of the keys alone
	struct view signature_algorithms;
	struct view point_formats;
	struct view session_ticket; // may be empty: data not NULL, length 0
	bool offers_psk; // pre_shared_key
	bool offers_early_data;
	bool offers_ech; // encrypted_client_hello (0xfe0d)
	bool offers_ems; // extended_master_secret
	bool offers_renegotiation_info; // the extension or the SCSV
	bool asks_ocsp; // status_request
	bool asks_timestamps; // signed_certificate_timestamp
	bool has_cookie; // of a HelloRetryRequest
	bool first; // certainly the client's first one: the answer to a HelloRetryRequest is not
	bool malformed; // the message contradicts itself; what is set was read before that
};

struct tls_server_hello {
	uint16_t legacy_version;
	uint16_t version; // chosen, supported_versions included
	uint16_t cipher; // 0 for SSLv2, where the client chooses (tls_outcome.sslv2_cipher)
	uint8_t compression;
	struct view random;
	struct view session_id;
	struct view extensions;
	struct view alpn;
	uint16_t group; // of the key share (1.3); 0: none shown
	bool hello_retry_request;
	bool psk_accepted;
	bool ems;
	bool renegotiation_info;
	bool ocsp_staple_promised;
	bool session_ticket;
	uint16_t timestamps; // signed certificate timestamps (SCTs) it holds
	bool malformed;
};

enum {
	TLS_CHAIN_MAX = 100, // certificates reported of one message; a longer one never ends
	TLS_FLIGHT_MAX = 16, // records of a hidden flight; a longer one is not reported
};

// Where the parser reports, in the order of the bytes. Any member may be NULL. `context` is the
// caller's. Views are valid during the call only.
struct tls_sink {
	void (*client_hello)(void *context, const struct tls_client_hello *hello);
	void (*server_hello)(void *context, const struct tls_server_hello *hello);
	// One certificate of a Certificate message (DER), position 0 = leaf. In the clear up to TLS 1.2,
	// in 1.3 by the key log.
	// Called as soon as the certificate is complete, even if the message never is. At most
	// TLS_CHAIN_MAX of a chain.
	void (*certificate)(
	    void *context, enum direction sender, unsigned position, struct view der);
	// A certificate of `length` bytes that begins with these was reported before: where its bytes are, so that
	// those to come need not be collected as long as they are the same. They stay there until let_go. NULL:
	// there is none.
	const uint8_t *(*recall)(void *context, struct view beginning, size_t length);
	void (*let_go)(void *context, const uint8_t *der);
	// The Certificate message is complete: it held `count` certificates (0: the client has none).
	void (*chain_end)(void *context, enum direction sender, unsigned count);
	// The group named in ServerKeyExchange; 0 if the key exchange names none (DHE, anonymous DH).
	void (*server_key_exchange)(void *context, uint16_t group);
	void (*certificate_request)(void *context);
	// TLS 1.3, by the key log: the signed certificate timestamps that came with the server's leaf.
	void (*timestamps)(void *context, unsigned count);
	// TLS 1.3, by the key log: the ALPN the server chose.
	void (*server_alpn)(void *context, struct view name);
	// An alert in the clear, or of a handshake opened by the key log. level 1 warning, 2 fatal.
	void (*alert)(void *context, enum direction sender, uint8_t level, uint8_t description);
	// The lengths of the server's encrypted records between its ServerHello (TLS 1.3) and the
	// client's first record that answers them, in order. Only if nothing of it is missing.
	void (*hidden_flight)(void *context, const uint16_t *lengths, unsigned count);
};

// TLS_DONE and TLS_FOREIGN are final, the latter for its direction. Of a torn record header that turns
// out to be none, up to 4 bytes may have been taken by earlier calls: tls_torn.
enum tls_status {
	TLS_MORE, // all bytes were taken; give more
	TLS_DONE, // nothing more can be learned: the connection may be cut over (never behind a failure)
	TLS_FOREIGN, // the bytes from *consumed on are no TLS record
};

struct tls; // the state of one connection

// Facts that only the end of the handshake settles; may be asked at any time.
struct tls_outcome {
	// Yes: completed. No: cannot complete any more (fatal alert, foreign bytes, closed before).
	// Not seen: a gap or the capture's end hides it.
	enum seen established;
	enum seen resumed; // abbreviated, or PSK accepted (1.3; an external PSK looks the same)
	enum seen client_certificate_requested; // TLS 1.3: seen by the key log only
	enum seen ocsp_staple; // a CertificateStatus came; TLS 1.3: seen by the key log only
	bool server_certificate_hidden; // TLS 1.3, or resumed, or a gap: null, not "none"
	bool begun; // a hello was seen from the client or the server
	// By direction: what can only be protected application data was seen, until TLS_DONE. So false
	// does not mean none.
	bool application_data[2];
	// The client sent more over the protected connection than to take its leave: after SSLv3 to TLS
	// 1.2 at least three records of data. In TLS 1.3, where the last ones of its handshake look the
	// same, five. So false does not mean that it did not.
	bool client_went_on;
	uint32_t sslv2_cipher; // kind (24 bits) chosen in an SSLv2 CLIENT-MASTER-KEY; 0: none seen
};

// NULL: memory refused. The sink and context are borrowed until tls_destroy.
struct tls *tls_create(struct memory *memory, const struct tls_sink *sink, void *context);
void tls_destroy(struct tls *tls);

// Starts to bring its state into the cache.
void tls_prefetch(const struct tls *tls);

// Before the first byte: the handshake, and nothing behind it, is decrypted if the key log knows the
// session (tls_protected.c says how far). The key log is borrowed until tls_destroy; NULL: there is none.
void tls_use_keylog(struct tls *tls, const struct tls_keylog *keylog);

// The next bytes of one direction, in order. Takes everything unless TLS_FOREIGN.
enum tls_status tls_feed(
    struct tls *tls, enum direction sender, const uint8_t *bytes, size_t length, size_t *consumed);

// Behind TLS_FOREIGN: the bytes that stand in front of those from *consumed on, and that earlier calls took.
struct view tls_torn(const struct tls *tls, enum direction sender);

// `length` bytes of this direction were not seen. The parser goes on at the next plausible record.
void tls_gap(struct tls *tls, enum direction sender, uint64_t length);

// This direction was closed by its sender (FIN) behind the bytes fed. A RST ends both directions: call
// it for each.
void tls_close(struct tls *tls, enum direction sender);

struct tls_outcome tls_outcome(const struct tls *tls);

// A first look: could these bytes, the first of a direction, begin a TLS connection? 1 yes, 0 no,
// -1 cannot say yet (fewer than 7 bytes, or 11 of SSLv2, all fitting so far). Knows hellos in records, a server's
// alert instead of its hello, and SSLv2-format hellos (the latter from the client only).
int tls_looks_like(enum direction sender, const uint8_t *bytes, size_t length);

// Names as IANA registers them; NULL if the number is not registered (callers print the number).
const char *tls_version_name(uint16_t version); // "TLSv1.2", "SSLv3", "SSLv2"
const char *tls_cipher_name(uint16_t cipher); // "TLS_AES_128_GCM_SHA256"
const char *tls_sslv2_cipher_name(
    uint32_t kind); // 24 bits: "SSL_CK_RC4_128_WITH_MD5"; TLS suites too
const char *tls_group_name(uint16_t group); // "x25519", "X25519MLKEM768"
const char *tls_alert_name(uint8_t description); // "handshake_failure"

#endif
