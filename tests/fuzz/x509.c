// SPDX-License-Identifier: Apache-2.0
// Fuzzes the reader of certificates: the input is a certificate. Whatever it says, views lie inside
// the input, texts inside their buffers, and reading again gives the same.
#include "decode/x509.h"
#include "tests/fuzz/fuzzer.h"

enum { TEXT_SIZE = 2048, NAMES_MAX = 1 << 16 };

static void check_inside(struct view outer, struct view inner)
{
	if (inner.data == NULL) {
		MUST(inner.length == 0);
		return;
	}
	MUST(inner.data >= outer.data && inner.data <= outer.data + outer.length);
	MUST(inner.length <= (size_t)(outer.data + outer.length - inner.data));
}

// A text with less room is a beginning of the text with more.
static void check_name(struct view der, struct view name, size_t room)
{
	static uint8_t whole[TEXT_SIZE];
	size_t length = x509_name_text(name, whole, sizeof whole);
	MUST(length <= sizeof whole);
	uint8_t *part = malloc(room > 0 ? room : 1);
	MUST(part != NULL);
	size_t cut = x509_name_text(name, part, room);
	MUST(cut <= room && cut <= length && memcmp(part, whole, cut) == 0);
	MUST(room < length || cut == length);
	free(part);
	check_inside(der, x509_common_name(name));
}

static void check_alternative_names(struct view der, struct view names)
{
	struct view name;
	enum x509_name_type type;
	size_t before = names.length;
	while (x509_next_name(&names, &type, &name)) {
		check_inside(der, name);
		check_inside(der, names);
		MUST(names.length < before);
		MUST(type != X509_NAME_IP || name.length == 4 || name.length == 16);
		before = names.length;
	}
}

static void check_oid(struct view der, struct view oid, size_t room)
{
	char text[64];
	check_inside(der, oid);
	x509_oid_text(oid, text, sizeof text);
	MUST(memchr(text, '\0', sizeof text) != NULL);
	room %= sizeof text;
	if (room == 0)
		return;
	char *exact = malloc(room);
	MUST(exact != NULL);
	x509_oid_text(oid, exact, room);
	MUST(memchr(exact, '\0', room) != NULL);
	free(exact);
}

static void check_facts(const struct x509 *facts, size_t room)
{
	struct view der = facts->der;
	check_inside(der, facts->serial);
	check_inside(der, facts->issuer);
	check_inside(der, facts->subject);
	check_inside(der, facts->spki);
	check_inside(der, facts->alternative_names);
	check_oid(der, facts->key_oid, room);
	check_oid(der, facts->curve_oid, room);
	check_oid(der, facts->signature_oid, room);
	check_name(der, facts->issuer, room);
	check_name(der, facts->subject, room);
	check_alternative_names(der, facts->alternative_names);
	MUST(facts->version <= 3);
	MUST(facts->key_type < X509_KEY_TYPES && facts->signature_digest <= X509_DIGEST_NONE);
	MUST(facts->key_bits <= 8 * der.length + UINT16_MAX);
	MUST(facts->not_before <= INT64_C(253402300799) &&
	     facts->not_before >= -INT64_C(62167219200));
	if (facts->malformed != NULL)
		return;
	// Of what is well-formed everything was read.
	MUST(facts->version > 0 && facts->serial.length > 0 && facts->validity_read);
	MUST(facts->issuer.length > 2 && facts->subject.length >= 2 && facts->spki.length > 2);
	MUST(facts->signature_oid.length > 0 && facts->key_oid.length > 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct x509 facts, again;
	size_t room = size > 0 ? data[size - 1] : 0;
	memset(&facts, 0xff, sizeof facts);
	memset(&again, 0, sizeof again);
	x509_read(view_of(data, size), &facts);
	x509_read(view_of(data, size), &again);
	MUST(facts.malformed == again.malformed && facts.key_bits == again.key_bits);
	MUST(facts.is_ca == again.is_ca && facts.curve == again.curve);
	check_facts(&facts, room);
	return 0;
}
