// SPDX-License-Identifier: Apache-2.0
#include "decode/dns_look.h"

#include "capture/base/big_endian.h"
#include "capture/base/quick_hash.h"

enum {
	FLAG_ANSWER = 0x8000,
	FLAG_AUTHORITATIVE = 0x0400,
	FLAGS_OPCODE = 0x7800,
	FLAGS_RCODE = 0x000f,
	CLASS_IN = 1,
	LABEL_LONGEST = 63,
	POINTER = 0xc0, // the two upper bits of a length
	POINTERS_MAX = 16, // followed in one name
	REFERRED_MAX = 32, // records of a referral that are read
};

static uint8_t lower(uint8_t byte)
{
	return byte >= 'A' && byte <= 'Z' ? byte | 0x20 : byte;
}

static bool type_is_of_use(uint16_t type)
{
	switch (type) {
	case DNS_A:
	case DNS_CNAME:
	case DNS_PTR:
	case DNS_MX:
	case DNS_TXT:
	case DNS_AAAA:
	case DNS_DS:
	case DNS_RRSIG:
	case DNS_DNSKEY:
	case DNS_TLSA:
		return true;
	default:
		return false;
	}
}

// The length of the question's name, its last byte included; 0: there is none. Nothing stands in front of it that a
// pointer could lead to.
static size_t question_name_length(const uint8_t *bytes, size_t length)
{
	size_t at = DNS_HEADER_SIZE;
	while (at < length && at - DNS_HEADER_SIZE < DNS_NAME_MAX) {
		uint8_t label = bytes[at];
		if (label == 0)
			return at + 1 - DNS_HEADER_SIZE;
		if (label > LABEL_LONGEST)
			return 0;
		at += label + 1u;
	}
	return 0;
}

// A referral whose records, from `offset` on, have a DS.
static bool refers_to_keys(
    const uint8_t *bytes, size_t length, size_t offset, const struct dns_look *look)
{
	uint16_t flags = read_u16(bytes + 2);
	bool referral = look->answer && look->answers == 0 && look->rcode == 0 &&
	                (flags & FLAG_AUTHORITATIVE) == 0;
	unsigned count = referral ? read_u16(bytes + 8) : 0;
	for (unsigned i = 0; i < count && i < REFERRED_MAX; i++) {
		struct dns_record_view record;
		if (!dns_next_record(bytes, length, &offset, &record))
			return false;
		if (record.type == DNS_DS)
			return true;
	}
	return false;
}

struct dns_look dns_look(const uint8_t *bytes, size_t length)
{
	struct dns_look look = {.outcome = DNS_MALFORMED};
	if (length < DNS_HEADER_SIZE)
		return look;
	uint16_t flags = read_u16(bytes + 2), questions = read_u16(bytes + 4);
	look.id = read_u16(bytes);
	look.answer = (flags & FLAG_ANSWER) != 0;
	look.rcode = flags & FLAGS_RCODE;
	look.answers = read_u16(bytes + 6);
	if ((flags & FLAGS_OPCODE) != 0 || questions != 1 || (!look.answer && look.answers != 0)) {
		look.outcome = DNS_OTHER;
		return look;
	}
	look.name_length = (uint16_t)question_name_length(bytes, length);
	size_t behind = DNS_HEADER_SIZE + look.name_length;
	if (look.name_length == 0 || length - behind < 4)
		return look;
	look.type = read_u16(bytes + behind);
	bool internet = read_u16(bytes + behind + 2) == CLASS_IN;
	look.refers = internet && refers_to_keys(bytes, length, behind + 4, &look);
	bool of_use = internet && (look.refers || type_is_of_use(look.type));
	look.outcome = of_use ? DNS_OF_USE : DNS_OTHER;
	return look;
}

uint64_t dns_name_hash(const struct hash_key *key, const uint8_t *name, size_t length)
{
	uint8_t small[DNS_NAME_MAX];
	if (length > sizeof small)
		length = sizeof small;
	for (size_t i = 0; i < length; i++)
		small[i] = lower(name[i]);
	return quick_hash(key, small, length);
}

size_t dns_read_name(
    const uint8_t *bytes, size_t length, size_t *offset, uint8_t name[DNS_NAME_MAX])
{
	size_t at = *offset, written = 0, lowest = *offset;
	unsigned pointers = 0;
	while (at < length) {
		uint8_t label = bytes[at];
		if ((label & POINTER) == POINTER) {
			if (length - at < 2 || pointers++ == POINTERS_MAX)
				return 0;
			size_t to = read_u16(bytes + at) & 0x3fffu;
			if (to >= lowest)
				return 0;
			if (pointers == 1)
				*offset = at + 2;
			at = lowest = to;
			continue;
		}
		if (label > LABEL_LONGEST || label >= length - at ||
		    written + label + 1u > DNS_NAME_MAX)
			return 0;
		name[written++] = label;
		for (unsigned i = 1; i <= label; i++)
			name[written++] = lower(bytes[at + i]);
		at += label + 1u;
		if (label > 0)
			continue;
		if (pointers == 0)
			*offset = at;
		return written;
	}
	return 0;
}

// Steps over a name without following it. False: it ends too early.
static bool skip_name(const uint8_t *bytes, size_t length, size_t *offset)
{
	size_t at = *offset;
	while (at < length && at - *offset < DNS_NAME_MAX) {
		uint8_t label = bytes[at];
		bool pointer = (label & POINTER) == POINTER;
		if (!pointer && label > LABEL_LONGEST)
			return false;
		at += pointer ? 2 : label + 1u;
		if (!pointer && label > 0)
			continue;
		*offset = at;
		return at <= length;
	}
	return false;
}

bool dns_next_record(
    const uint8_t *bytes, size_t length, size_t *offset, struct dns_record_view *record)
{
	size_t at = *offset;
	record->owner = at;
	if (!skip_name(bytes, length, &at) || length - at < 10)
		return false;
	record->type = read_u16(bytes + at);
	record->class = read_u16(bytes + at + 2);
	record->ttl = (uint32_t)read_u16(bytes + at + 4) << 16 | read_u16(bytes + at + 6);
	record->data_length = read_u16(bytes + at + 8);
	record->data = at + 10;
	if (length - record->data < record->data_length)
		return false;
	*offset = record->data + record->data_length;
	return true;
}
