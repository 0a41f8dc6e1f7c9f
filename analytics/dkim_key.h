// SPDX-License-Identifier: Apache-2.0
// What the record of a DKIM key (RFC 6376 3.6.1, RFC 8463) says. Pure; any thread.
#ifndef MAILTAP_ANALYTICS_DKIM_KEY_H
#define MAILTAP_ANALYTICS_DKIM_KEY_H

#include "capture/base/view.h"

struct dkim_key {
	bool present; // the text is such a record
	bool revoked; // its key is empty
	bool testing; // t=y: signatures of it are no reason to treat mail otherwise
	const char *type; // "rsa", "ed25519"; NULL: another one
	unsigned bits; // 0: not known
};

struct dkim_key dkim_key_read(struct view text);

#endif
