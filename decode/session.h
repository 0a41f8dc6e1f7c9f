// SPDX-License-Identifier: Apache-2.0
// What is known so far of one mail session: facts, each of them yes, no or not seen. Filled by the
// dialogue parsers and the TLS reader, frozen into a session record when the connection ends.
// Owned by its flow; the texts belong to the worker's text store. Kept small: it outlives the
// dialogue for as long as the connection lasts.
#ifndef MAILTAP_DECODE_SESSION_H
#define MAILTAP_DECODE_SESSION_H

#include "capture/packet.h"
#include "decode/line.h"
#include "decode/seen.h"
#include "decode/text.h"

// What is spoken. The names stand in records as protocol_name gives them.
enum protocol {
	PROTOCOL_UNDECIDED = 0, // nothing was said that tells
	PROTOCOL_SMTP,          // SMTP, ESMTP, LMTP
	PROTOCOL_IMAP,
	PROTOCOL_POP3,
	PROTOCOL_SSH,
	PROTOCOL_HTTP,
	PROTOCOL_FTP,
	PROTOCOL_TLS,           // TLS that nothing shows to carry mail
	PROTOCOL_UNKNOWN,       // something else; session.foreign may have a name for it
	PROTOCOL_DNS,           // of a port alone: it is in no session's record
};

enum tls_mode {
	TLS_MODE_NOT_SEEN = 0,
	TLS_MODE_NONE,      // in the clear from the first byte to the last
	TLS_MODE_IMPLICIT,  // TLS from the first byte
	TLS_MODE_STARTTLS,  // upgraded in the dialogue
};

// The answer to STARTTLS/STLS, as the record names it.
enum { STARTTLS_REPLY_MAX = 8 };

// The mark that a server of a newer version leaves in its random when it agrees to an older one
// (RFC 8446 4.1.3).
enum downgrade_sentinel {
	SENTINEL_NONE = 0, // or no ServerHello was seen
	SENTINEL_TLS_1_2, // it can do TLS 1.3, and agreed to 1.2
	SENTINEL_TLS_1_1, // it can do at least TLS 1.2, and agreed to 1.1 or below
};

struct tls_facts {
	uint16_t version;        // chosen; 0 not seen
	uint16_t client_version; // highest offered; 0 not seen
	uint16_t cipher;         // meaningful if cipher_seen
	uint16_t group;          // 0 not seen
	uint32_t sslv2_cipher;   // kind; 0 not seen
	bool cipher_seen : 1;
	bool begun : 1;          // at least one handshake record
	bool alert_seen : 1;     // the first fatal alert in the clear
	bool client_went_on : 1; // it sent more over the protected connection than a farewell
	uint8_t alert_sender;    // enum direction
	uint8_t alert_description;
	uint8_t downgrade_sentinel; // enum
	uint8_t established, resumed, client_certificate_requested, ocsp_staple; // enum seen
	bool chain_ended[2];     // the Certificate message of this direction was complete
	uint8_t certificates[2]; // how many of it were seen
	struct text *chain[2];   // their SHA-256, 32 bytes each, leaf first
	struct text *sni, *alpn;
	struct text *hidden_flight; // lengths of its records, two bytes each, the higher first
	struct text *offer, *answer; // what the hellos say of their senders: tls_facts.h
};

struct certificate_announcer;
struct dns_tap;
struct pattern_scratch;
struct pattern_set;
struct foreign;
struct message_context;
struct tls_fingerprints;
struct tls_keylog;

// What all sessions of a worker share; outlives them.
struct session_shared {
	struct text_store *texts;
	struct tls_fingerprints *fingerprints; // NULL: none are made
	const struct tls_keylog *keylog; // NULL: no session is decrypted
	const struct pattern_set *patterns; // NULL: no text is recognised
	struct pattern_scratch *scratch; // of the worker's thread; with patterns
	struct certificate_announcer *certificates; // NULL: they are not looked at
	struct foreign *foreign; // NULL: what our own first look cannot name has no name
	struct dns_tap *names; // NULL: no port is of DNS
	struct message_context *headers; // of messages; NULL: they are not read
	nanoseconds now; // when the bytes being read were captured
};

struct session {
	const struct session_shared *shared; // borrowed
	// What was said. NULL: not seen.
	struct text *server_banner, *server_name, *client_name;
	struct text *capabilities;      // upper case, one a line ('\n' between)
	struct text *auth_mechanism;    // upper case, of the log-in tried in the clear
	struct text *clues;             // of tampering: clues.h
	char starttls_reply[STARTTLS_REPLY_MAX]; // empty: not seen

	uint8_t protocol;               // enum protocol
	uint8_t tls_mode;               // enum tls_mode
	// enum seen, each
	uint8_t esmtp;
	uint8_t starttls_offered, starttls_requested, starttls_accepted;
	uint8_t upgrade_inferred;       // the reply to STARTTLS was lost or unclear, the bytes after it tell
	uint8_t tls_required_by_server;
	uint8_t credentials_exposed;
	uint8_t login_succeeded;        // yes: success, no: failure
	bool login_tried : 1;              // in the clear
	bool mail_begun : 1;               // a transaction (SMTP MAIL) or a retrieval in the clear was taken up
	bool clear_from_start : 1;         // mail or a log-in, while nothing of the client was missing
	bool greeted : 1;                  // the server's greeting was seen
	bool client_spoke : 1;             // at least one command of the dialogue was seen
	bool capabilities_asked : 1;       // EHLO, CAPABILITY or CAPA was sent
	bool client_settled : 1;           // it is past introducing itself
	bool dialogue_gap[2];           // bytes of this direction are missing from the dialogue in the clear
	bool tls_foreign : 1;              // something else than TLS came where TLS was due
	bool upgraded : 1;                 // the dialogue handed over to TLS
	bool tls_gap : 1;                  // bytes are missing where TLS was due
	bool greeting_irregular : 1;       // IMAP's, without the "* " in front (RFC 3501 7.1)
	bool greeting_preauth : 1;         // IMAP's: logged in already, STARTTLS is impossible
	// The answer to STARTTLS was neither yes nor no, and the client has not shown yet how it took it: it
	// may go on in the clear (accepted is no then) or with TLS.
	bool starttls_unclear : 1;
	// The client said more than its name and what it asks of the server: from here on what crosses may
	// be private.
	bool client_confided : 1;
	bool tell_now : 1;                 // there is a clue that is not to wait for the session's end
	uint8_t foreign;                // with PROTOCOL_UNKNOWN: a number of foreign.h; 0: no name
	uint32_t messages;              // taken by the server, or retrieved, in the clear
	uint32_t told;                  // of its messages: a place of the worker's shelf; 0: nothing is
	uint64_t message_bytes;         // of them
	uint32_t conflicting_bytes[2];  // of this direction that came again with another value
	uint32_t injected_command_bytes;  // in the clear between STARTTLS and the server's answer
	// In the clear behind the server's answer and before the client's hello. A refusal that is the last
	// thing the server says there (SMTP 421, 454, IMAP BYE, POP3 -ERR) is none: it gives up waiting or
	// finds its TLS broken, and nothing that it says is taken over into the protected session.
	uint32_t injected_response_bytes;
	struct tls_facts tls;
};

// Starts a session with nothing seen.
void session_begin(struct session *session, const struct session_shared *shared);

// Where a session keeps its texts: all of them, in any order. The slots are in *session.
enum { SESSION_TEXTS = 13 };
void session_texts(struct session *session, struct text **slots[SESSION_TEXTS]);

// Gives back all texts.
void session_release(struct session *session);

// What was taken for mail is another protocol: what was learned of it is forgotten.
void session_becomes(struct session *session, enum protocol protocol);

// Replaces a remembered text by these bytes, cut at `most`. Without memory the old one is dropped and
// the fact becomes not seen.
void session_set_text(struct session *session, struct text **slot, const uint8_t *bytes,
    size_t length, size_t most);

// A list of capabilities as it is being read: entries one after the other, then set as a whole, so
// that a list cut short never stands in a record as if it were complete. The bytes come from the
// session's memory and live from the first entry to capability_list_clear or session_set_capabilities.
struct capability_list {
	uint8_t *bytes;   // upper case, '\n' between entries
	uint16_t length, size;
	bool incomplete;  // an entry did not fit (CAPABILITY_LIST_MAX, or no memory)
};

enum { CAPABILITY_LIST_MAX = 4096 }; // bytes

void capability_list_clear(struct session *session, struct capability_list *list);
void capability_list_add(
    struct session *session, struct capability_list *list, const uint8_t *bytes, size_t length);

// Makes the list the session's capabilities and clears it. An incomplete list makes them not seen.
void session_set_capabilities(struct session *session, struct capability_list *list);

// Makes the capabilities not seen.
void session_forget_capabilities(struct session *session);

// True if a list (as in `capabilities`) has this upper-case keyword as an entry or as the first word
// of one.
bool capabilities_have(const uint8_t *bytes, size_t length, const char *keyword);

// A message, or the retrieval of one, begins in the clear.
void session_mail_begins(struct session *session);

// A log-in in the clear begins with this mechanism; recorded if it is a known one.
void session_login_begins(struct session *session, const uint8_t *mechanism, size_t length);
// The client sent its part of the mechanism in the clear; exposed if that shows the secret itself.
void session_credentials_sent(struct session *session);
// Its outcome. A failure counts only where nothing of the dialogue is missing: the client may have
// cancelled, in a line that was lost.
void session_login_ends(struct session *session, bool success);

// Somebody asks for headers of mail (--mail-headers).
static inline bool session_reads_messages(const struct session *session)
{
	return session->shared->headers != NULL;
}

// The name of a protocol as records write it; NULL while undecided.
const char *protocol_name(enum protocol protocol);

// What a session's record calls its protocol; NULL while undecided.
const char *session_protocol_name(const struct session *session);

// SMTP, IMAP or POP3.
bool protocol_is_mail(enum protocol protocol);

#endif
