// SPDX-License-Identifier: Apache-2.0
#include "analytics/dnssec_crypto.h"

#include "analytics/dnssec_records.h"

#include <errno.h>
#include <ldns/ldns.h>
#include <stdio.h>
#include <string.h>

enum {
	CLASS_IN = 1,
	FIXED = 10, // bytes between a record's owner and its data
	DS_FIELDS = 4, // tag, algorithm, digest type, digest
};

// The library's form of a record; NULL: no memory, or it cannot read it. Times to live are those that signatures have.
static ldns_rr *record_of(const struct dns_name *owner, uint16_t type, const struct dns_data *data)
{
	size_t size = owner->length + FIXED + data->length, at = 0;
	uint8_t *wire = data->length <= UINT16_MAX ? malloc(size) : NULL;
	ldns_rr *rr = NULL;
	if (wire == NULL)
		return NULL;
	memcpy(wire, owner->bytes, owner->length);
	uint8_t *to = wire + owner->length;
	ldns_write_uint16(to, type);
	ldns_write_uint16(to + 2, CLASS_IN);
	ldns_write_uint32(to + 4, 0);
	ldns_write_uint16(to + 8, (uint16_t)data->length);
	memcpy(to + FIXED, data->bytes, data->length);
	if (ldns_wire2rr(&rr, wire, size, &at, LDNS_SECTION_ANSWER) != LDNS_STATUS_OK)
		rr = NULL;
	free(wire);
	return rr;
}

static ldns_rr_list *records_of(const struct dns_set *set)
{
	ldns_rr_list *list = ldns_rr_list_new();
	struct dns_data data;
	for (size_t at = 0; list != NULL && dns_list_next(&set->records, &at, &data);) {
		ldns_rr *rr = record_of(&set->owner, set->type, &data);
		if (rr != NULL && ldns_rr_list_push_rr(list, rr))
			continue;
		ldns_rr_free(rr);
		ldns_rr_list_deep_free(list);
		return NULL;
	}
	return list;
}

bool dnssec_verify(const struct dns_set *set, const struct dns_data *signature,
    const struct dns_name *signer, const struct dns_data *key)
{
	ldns_rr_list *records = records_of(set), *keys = ldns_rr_list_new();
	ldns_rr *signs = record_of(&set->owner, DNS_RRSIG, signature);
	ldns_rr *with = record_of(signer, DNS_DNSKEY, key);
	bool good = false;
	if (keys != NULL && with != NULL && ldns_rr_list_push_rr(keys, with)) {
		good =
		    records != NULL && signs != NULL &&
		    ldns_verify_rrsig_keylist_notime(records, signs, keys, NULL) == LDNS_STATUS_OK;
		with = NULL;
	}
	ldns_rr_free(with);
	ldns_rr_free(signs);
	ldns_rr_list_deep_free(keys);
	ldns_rr_list_deep_free(records);
	return good;
}

bool dnssec_digest_fits(
    const struct dns_name *zone, const struct dns_data *key, const struct dns_data *delegation)
{
	static const ldns_hash hashes[] = {[DNSSEC_DIGEST_SHA1] = LDNS_SHA1,
	    [DNSSEC_DIGEST_SHA256] = LDNS_SHA256,
	    [DNSSEC_DIGEST_SHA384] = LDNS_SHA384};
	struct dnssec_delegation fields;
	if (!dnssec_delegation_read(delegation, &fields) ||
	    fields.digest >= sizeof hashes / sizeof hashes[0] || hashes[fields.digest] == 0)
		return false;
	ldns_rr *rr = record_of(zone, DNS_DNSKEY, key);
	ldns_rr *made = rr != NULL ? ldns_key_rr2ds(rr, hashes[fields.digest]) : NULL;
	ldns_rr *given = record_of(zone, DNS_DS, delegation);
	bool fits = made != NULL && given != NULL && ldns_rr_rd_count(given) == DS_FIELDS &&
	            ldns_rr_rd_count(made) == DS_FIELDS;
	for (size_t i = 0; fits && i < DS_FIELDS; i++)
		fits = ldns_rdf_compare(ldns_rr_rdf(made, i), ldns_rr_rdf(given, i)) == 0;
	ldns_rr_free(rr);
	ldns_rr_free(made);
	ldns_rr_free(given);
	return fits;
}

/* ---- anchors ---- */

// False: it is larger than any.
static bool take_anchor(struct dnssec_anchor *anchor, ldns_rr *rr)
{
	ldns_rr2canonical(rr);
	const ldns_rdf *owner = ldns_rr_owner(rr);
	*anchor = (struct dnssec_anchor){.type = (uint16_t)ldns_rr_get_type(rr)};
	if (ldns_rdf_size(owner) > DNS_NAME_MAX)
		return false;
	anchor->zone.length = (uint8_t)ldns_rdf_size(owner);
	memcpy(anchor->zone.bytes, ldns_rdf_data(owner), anchor->zone.length);
	for (size_t i = 0; i < ldns_rr_rd_count(rr); i++) {
		const ldns_rdf *field = ldns_rr_rdf(rr, i);
		size_t size = ldns_rdf_size(field);
		if (anchor->length + size > sizeof anchor->bytes)
			return false;
		memcpy(anchor->bytes + anchor->length, ldns_rdf_data(field), size);
		anchor->length = (uint16_t)(anchor->length + size);
	}
	return true;
}

// NULL: good. Others than DS and DNSKEY are passed over.
static const char *add_anchor(struct dnssec_anchors *anchors, ldns_rr *rr)
{
	ldns_rr_type type = ldns_rr_get_type(rr);
	if (type != LDNS_RR_TYPE_DS && type != LDNS_RR_TYPE_DNSKEY)
		return NULL;
	if (anchors->count == DNSSEC_ANCHORS_MAX)
		return "more than 32 anchors";
	return take_anchor(&anchors->list[anchors->count++], rr) ? NULL
	                                                         : "an anchor that is too long";
}

struct reading {
	FILE *in;
	int line;
	uint32_t ttl;
	ldns_rdf *origin, *previous;
};

// NULL: good, up to the end.
static const char *read_lines(struct reading *reading, struct dnssec_anchors *anchors)
{
	const char *wrong = NULL;
	while (wrong == NULL && !feof(reading->in)) {
		ldns_rr *rr = NULL;
		ldns_status status = ldns_rr_new_frm_fp_l(&rr, reading->in, &reading->ttl,
		    &reading->origin, &reading->previous, &reading->line);
		if (status == LDNS_STATUS_OK)
			wrong = add_anchor(anchors, rr);
		else if (status != LDNS_STATUS_SYNTAX_EMPTY && status != LDNS_STATUS_SYNTAX_TTL &&
		         status != LDNS_STATUS_SYNTAX_ORIGIN)
			wrong = ldns_get_errorstr_by_id(status);
		if (status == LDNS_STATUS_OK)
			ldns_rr_free(rr);
	}
	return wrong;
}

bool dnssec_read_anchors(const char *path, struct dnssec_anchors *anchors, struct error *error)
{
	struct reading reading = {.in = fopen(path, "re"), .ttl = 0};
	anchors->count = 0;
	if (reading.in == NULL) {
		error_set(error, "cannot read the trust anchors %s: %s", path, strerror(errno));
		return false;
	}
	const char *wrong = read_lines(&reading, anchors);
	if (wrong != NULL)
		error_set(error, "%s:%d: no trust anchor of DNSSEC (a record DS or DNSKEY): %s",
		    path, reading.line, wrong);
	else if (anchors->count == 0)
		error_set(
		    error, "%s: no trust anchor of DNSSEC (a record DS or DNSKEY) in it", path);
	fclose(reading.in);
	ldns_rdf_deep_free(reading.origin);
	ldns_rdf_deep_free(reading.previous);
	return wrong == NULL && anchors->count > 0;
}
