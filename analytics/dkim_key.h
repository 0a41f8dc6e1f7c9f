// SPDX-License-Identifier: Apache-2.0
// What the record of a DKIM key (RFC 6376 3.6.1, RFC 8463) says. Pure; any thread.
#ifndef MAILTAP_ANALYTICS_DKIM_KEY_H
#define MAILTAP_ANALYTICS_DKIM_KEY_H

#include "capture/base/view.h"

struct dkim_key {
	bool present; // the text is such a record
	bool revoked; // its key is empty
	bool for_mail, for_sha256; // no tag says that it is for something else
	bool strict; // t=s: who signs for a domain beneath is none of its
	bool testing; // t=y: signatures of it are no reason to treat mail otherwise
	const char *type; // "rsa", "ed25519"; NULL: another one
	unsigned bits; // 0: not known
};

enum { DKIM_KEY_BYTES_MAX = 2304 }; // more than DNS has room for in 4 KiB

struct dkim_key dkim_key_read(struct view text);

// The key itself, as the record has it; 0 bytes: none can be read.
size_t dkim_key_bytes(struct view text, uint8_t bytes[DKIM_KEY_BYTES_MAX]);

#endif
