// SPDX-License-Identifier: Apache-2.0
#include "analytics/dns_parse.h"

#include "capture/base/big_endian.h"

#include <ldns/ldns.h>
#include <string.h>

enum {
	FLAG_AA = 0x0400,
	FLAG_TC = 0x0200,
	FLAG_RA = 0x0080,
	FLAG_AD = 0x0020,
	TTL_DO = 0x8000, // where a record OPT has it (RFC 6891 6.1.4)
	CLASS_IN = 1,
	SOA_NUMBERS = 20, // bytes behind the names of a record SOA (RFC 1035 3.3.13)
};

// Where names stand in the data of a type that is read.
struct layout {
	uint16_t type;
	uint8_t before; // bytes in front of the first name
	uint8_t names;
};

static const struct layout layouts[] = {{DNS_A, 0, 0}, {DNS_AAAA, 0, 0}, {DNS_TXT, 0, 0},
    {DNS_TLSA, 0, 0}, {DNS_MX, 2, 1}, {DNS_CNAME, 0, 1}, {DNS_PTR, 0, 1}, {DNS_SOA, 0, 2},
    {DNS_RRSIG, 18, 1}, {DNS_DS, 0, 0}, {DNS_DNSKEY, 0, 0}};

static const struct layout *layout_of(uint16_t type)
{
	for (size_t i = 0; i < sizeof layouts / sizeof layouts[0]; i++)
		if (layouts[i].type == type)
			return &layouts[i];
	return NULL;
}

// Of records that say more than is asked nothing is kept, but of EDNS; of signatures those of types that are read.
static bool is_of_use(
    const uint8_t *bytes, const struct dns_record_view *record, enum dns_section section)
{
	if (record->class != CLASS_IN || section == DNS_ADDITIONAL)
		return false;
	return record->type != DNS_RRSIG || record->data_length < 2 ||
	       layout_of(read_u16(bytes + record->data)) != NULL;
}

// All names of a record can be followed, in few steps.
static bool names_are_sound(const uint8_t *bytes, size_t length,
    const struct dns_record_view *record, const struct layout *layout)
{
	uint8_t name[DNS_NAME_MAX];
	size_t at = record->owner;
	if (dns_read_name(bytes, length, &at, name) == 0)
		return false;
	at = record->data + layout->before;
	for (unsigned i = 0; i < layout->names; i++)
		if (dns_read_name(bytes, record->data + record->data_length, &at, name) == 0)
			return false;
	return layout->type != DNS_SOA || at + SOA_NUMBERS == record->data + record->data_length;
}

// Room for bytes of a record; NULL: there is none.
static const uint8_t *store(
    struct dns_parsed *parsed, size_t *used, const uint8_t *bytes, size_t length)
{
	if (length > DNS_RECORD_BYTES - *used)
		return NULL;
	uint8_t *to = parsed->bytes + *used;
	memcpy(to, bytes, length);
	*used += length;
	return to;
}

// As the library read it: its fields, one behind the other, are the data in its canonical form.
static bool take(struct dns_parsed *parsed, size_t *used, ldns_rr *rr, struct dns_record *record)
{
	ldns_rr2canonical(rr);
	const ldns_rdf *owner = ldns_rr_owner(rr);
	record->owner_length = (uint16_t)ldns_rdf_size(owner);
	record->owner = store(parsed, used, ldns_rdf_data(owner), record->owner_length);
	if (record->owner == NULL)
		return false;
	record->data = parsed->bytes + *used;
	for (size_t i = 0, fields = ldns_rr_rd_count(rr); i < fields; i++) {
		const ldns_rdf *field = ldns_rr_rdf(rr, i);
		size_t size = ldns_rdf_size(field);
		if (record->data_length + size > UINT16_MAX ||
		    store(parsed, used, ldns_rdf_data(field), size) == NULL)
			return false;
		record->data_length = (uint16_t)(record->data_length + size);
	}
	return true;
}

// The start of a zone: nothing counts but that it is there, and its time to live.
static bool take_start(struct dns_parsed *parsed, size_t *used, const uint8_t *bytes, size_t length,
    size_t owner, struct dns_record *record)
{
	uint8_t name[DNS_NAME_MAX];
	record->owner_length = (uint16_t)dns_read_name(bytes, length, &owner, name);
	record->owner = record->data = store(parsed, used, name, record->owner_length);
	return record->owner != NULL;
}

// False: it is malformed.
static bool read_record(const uint8_t *bytes, size_t length, const struct dns_record_view *view,
    enum dns_section section, struct dns_parsed *parsed, size_t *used)
{
	ldns_rr *rr = NULL;
	size_t at = view->owner;
	bool room = parsed->count < DNS_RECORDS_MAX;
	const struct layout *layout = layout_of(view->type);
	if (view->type == DNS_OPT)
		parsed->signatures_wanted = (view->ttl & TTL_DO) != 0;
	if (layout == NULL || !is_of_use(bytes, view, section))
		return true;
	if (!names_are_sound(bytes, length, view, layout))
		return false;
	struct dns_record record = {
	    .type = view->type, .section = (uint8_t)section, .ttl = view->ttl};
	if (view->type == DNS_SOA) {
		room = room && take_start(parsed, used, bytes, length, at, &record);
	} else {
		if (ldns_wire2rr(&rr, bytes, length, &at, LDNS_SECTION_ANSWER) != LDNS_STATUS_OK)
			return false;
		room = room && take(parsed, used, rr, &record);
		ldns_rr_free(rr);
	}
	if (room)
		parsed->records[parsed->count++] = record;
	parsed->more |= !room;
	return true;
}

static bool read_records(
    const uint8_t *bytes, size_t length, size_t offset, struct dns_parsed *parsed)
{
	size_t used = 0;
	for (int section = DNS_ANSWER; section <= DNS_ADDITIONAL; section++) {
		unsigned count = read_u16(bytes + 6 + 2 * section);
		for (unsigned i = 0; i < count && !parsed->more; i++) {
			struct dns_record_view view;
			if (!dns_next_record(bytes, length, &offset, &view))
				return parsed->truncated;
			if (!read_record(
			        bytes, length, &view, (enum dns_section)section, parsed, &used))
				return false;
		}
	}
	return true;
}

static bool parse(const uint8_t *bytes, size_t length, struct dns_parsed *parsed)
{
	struct dns_look look = dns_look(bytes, length);
	size_t offset = DNS_HEADER_SIZE;
	parsed->count = 0;
	parsed->more = parsed->signatures_wanted = false;
	if (look.outcome != DNS_OF_USE)
		return false;
	uint16_t flags = read_u16(bytes + 2);
	parsed->id = look.id;
	parsed->answer = look.answer;
	parsed->rcode = look.rcode;
	parsed->type = look.type;
	parsed->authoritative = (flags & FLAG_AA) != 0;
	parsed->truncated = (flags & FLAG_TC) != 0;
	parsed->recursion_available = (flags & FLAG_RA) != 0;
	parsed->authentic = (flags & FLAG_AD) != 0;
	parsed->name.length = (uint8_t)dns_read_name(bytes, length, &offset, parsed->name.bytes);
	if (read_records(bytes, length, offset + 4, parsed))
		return true;
	parsed->count = 0;
	return false;
}

const struct dns_library_ops dns_module = {.parse = parse,
    .verify = dnssec_verify,
    .digest_fits = dnssec_digest_fits,
    .read_anchors = dnssec_read_anchors};
