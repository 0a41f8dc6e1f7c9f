// SPDX-License-Identifier: Apache-2.0
#include "analytics/chain_material.h"

enum { SHOWN_OF_ONE_NAME = 8 };

struct piece *chain_material_find(struct chain_material *material, const X509 *parsed)
{
	for (size_t i = 0; i < material->count; i++)
		if (material->pieces[i].parsed == parsed)
			return &material->pieces[i];
	return NULL;
}

static void add(struct chain_material *material, const struct piece *piece)
{
	if (piece->parsed != NULL && chain_material_find(material, piece->parsed) == NULL)
		material->pieces[material->count++] = *piece;
}

static void add_certificate(struct chain_material *material, const struct certificate *certificate,
    enum piece_origin origin)
{
	struct piece piece = {
	    .origin = origin, .facts = &certificate->facts, .certificate = certificate};
	piece.parsed = certificate_store_parsed(material->certificates, certificate);
	add(material, &piece);
}

static void add_anchors(struct chain_material *material, struct view name)
{
	const struct trust_anchor *anchor = trust_store_find(material->trust, name);
	for (; anchor != NULL && material->anchors < MATERIAL_ANCHORS_MAX;
	     anchor = anchor->next_same) {
		struct piece piece = {.origin = PIECE_ANCHOR, .facts = &anchor->facts};
		size_t before = material->count;
		piece.parsed = trust_anchor_parsed(material->trust, anchor);
		add(material, &piece);
		material->anchors += material->count - before;
	}
}

// Looks for the anchors of each piece that is new: as its issuer, and as itself. An anchor may have an
// issuer that is one, too.
static void follow_anchors(struct chain_material *material)
{
	for (; material->followed < material->count; material->followed++) {
		const struct piece *piece = &material->pieces[material->followed];
		add_anchors(material, piece->facts->issuer);
		if (piece->origin != PIECE_ANCHOR && !piece->facts->self_issued)
			add_anchors(material, piece->facts->subject);
	}
}

void chain_material_gather(struct chain_material *material, struct certificate_store *certificates,
    struct trust_store *trust, const struct certificate *const *sent, size_t count)
{
	material->certificates = certificates;
	material->trust = trust;
	material->count = material->shown = material->anchors = material->followed = 0;
	for (size_t i = 0; i < count; i++)
		add_certificate(material, sent[i], PIECE_SENT);
	follow_anchors(material);
}

static void add_shown_of(struct chain_material *material, struct view name)
{
	const struct certificate *found[SHOWN_OF_ONE_NAME];
	size_t count =
	    certificate_store_issuers(material->certificates, name, found, SHOWN_OF_ONE_NAME);
	for (size_t i = 0; i < count && material->shown < MATERIAL_SHOWN_MAX; i++) {
		size_t before = material->count;
		add_certificate(material, found[i], PIECE_SHOWN);
		material->shown += material->count - before;
	}
}

bool chain_material_add_shown(struct chain_material *material, struct view issuer_name)
{
	size_t first = material->count;
	add_shown_of(material, issuer_name);
	for (size_t i = first; i < material->count; i++)
		if (!material->pieces[i].facts->self_issued)
			add_shown_of(material, material->pieces[i].facts->issuer);
	bool added = material->count > first;
	follow_anchors(material);
	return added;
}
