// SPDX-License-Identifier: Apache-2.0
// Blocks of PEM (RFC 7468) in a text that may have anything between them. OpenSSL's own reader goes through the
// text byte by byte, several times: with the certificates that a system trusts, a tenth of a short run. Pure; any
// thread.
#ifndef MAILTAP_ANALYTICS_PEM_READER_H
#define MAILTAP_ANALYTICS_PEM_READER_H

#include "capture/base/view.h"

// Borrows the text.
struct pem_block {
	struct view label; // "CERTIFICATE"
	struct view body; // lines of base64, to be read by pem_decode
	bool ended; // by the line that belongs to its first one; else it is damaged
};

// Takes the next block off the text. A block that does not end is over where the next one begins, or the text does.
// False: there is none.
bool pem_next(struct view *text, struct pem_block *block);

// True if that is the block's label.
bool pem_has_label(const struct pem_block *block, const char *label);

// Decodes a block's body into `der`, which has room for twice as many bytes as the body has. False: it is no base64,
// or none at all.
bool pem_decode(struct view body, uint8_t *der, size_t *length);

#endif
