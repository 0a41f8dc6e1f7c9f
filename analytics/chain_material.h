// SPDX-License-Identifier: Apache-2.0
// What a path to an anchor can be built from: the certificates that were sent, issuers that other sessions
// showed, and the anchors that may end a path. Each is there once, with OpenSSL's reading of it and ours.
// Borrows everything from the two stores: good until the certificate store's next trim.
#ifndef MAILTAP_ANALYTICS_CHAIN_MATERIAL_H
#define MAILTAP_ANALYTICS_CHAIN_MATERIAL_H

#include "analytics/chain_judge.h"

enum {
	MATERIAL_SHOWN_MAX = 32, // issuers from other sessions
	MATERIAL_ANCHORS_MAX = 64,
	MATERIAL_MAX = CHAIN_CERTIFICATES_MAX + MATERIAL_SHOWN_MAX + MATERIAL_ANCHORS_MAX,
};

enum piece_origin {
	PIECE_SENT,
	PIECE_SHOWN, // by another session
	PIECE_ANCHOR,
};

struct piece {
	enum piece_origin origin;
	X509 *parsed;
	const struct x509 *facts;
	const struct certificate *certificate; // NULL: an anchor
	bool left_out; // of the path that is being tried
};

struct chain_material {
	struct certificate_store *certificates;
	struct trust_store *trust;
	struct piece pieces[MATERIAL_MAX];
	size_t count, shown, anchors;
	size_t followed; // pieces whose anchors were looked for
};

// The certificates sent that OpenSSL can read, and the anchors that they may lead to. The first piece is
// the first certificate sent, if it can be read.
void chain_material_gather(struct chain_material *material, struct certificate_store *certificates,
    struct trust_store *trust, const struct certificate *const *sent, size_t count);

// Adds what other sessions showed of an issuer of this name, of its issuer, and so on, with the anchors
// they may lead to. False: nothing.
bool chain_material_add_shown(struct chain_material *material, struct view issuer_name);

// NULL: not one of them.
struct piece *chain_material_find(struct chain_material *material, const X509 *parsed);

#endif
