// SPDX-License-Identifier: Apache-2.0
// Fuzzes names: the input is lines, the first one a reference, the others names of a certificate: '@' stands in
// front of an address of 4 or 16 bytes, '=' of a commonName, nothing in front of a dNSName.
// The match is what a second matcher says, written from RFC 9525 without a look at the first; a name becomes
// one key, whatever its case; and its registered domain is an ending of it, at a label, and its own domain.
#include "analytics/facts_lookup.h"
#include "analytics/name_match.h"
#include "tests/fuzz/fuzzer.h"

#include <arpa/inet.h>
#include <ctype.h>

enum { NAMES_BYTES = 4096, LABELS_MAX = 128, NAMES_MAX = 64 };

struct names {
	uint8_t list[NAMES_BYTES]; // content of GeneralNames
	size_t length;
	uint8_t subject[NAMES_BYTES]; // a Name; empty: no commonName
	size_t subject_length;
	struct view lines[NAMES_MAX];
	size_t count;
	struct view common_name; // data NULL: none
};

/* ---- a certificate of these names ---- */

static size_t put_head(uint8_t *out, uint8_t tag, size_t length)
{
	out[0] = tag;
	out[1] = 0x82;
	out[2] = (uint8_t)(length >> 8);
	out[3] = (uint8_t)length;
	return 4;
}

// The length in as few bytes as DER wants.
static size_t put_element(uint8_t *out, uint8_t tag, const uint8_t *bytes, size_t length)
{
	size_t head = 2;
	out[0] = tag;
	if (length < 0x80)
		out[1] = (uint8_t)length;
	else if (length < 0x100)
		out[1] = 0x81, out[2] = (uint8_t)length, head = 3;
	else
		head = put_head(out, tag, length);
	memmove(out + head, bytes, length);
	return head + length;
}

static void set_common_name(struct names *names, struct view name)
{
	static const uint8_t type[] = {0x06, 3, 0x55, 0x04, 0x03};
	uint8_t inner[NAMES_BYTES], outer[NAMES_BYTES];
	if (names->common_name.data != NULL || name.length > NAMES_BYTES / 2)
		return;
	names->common_name = name;
	memcpy(inner, type, sizeof type);
	size_t length =
	    sizeof type + put_element(inner + sizeof type, 0x0c, name.data, name.length);
	length = put_element(outer, 0x30, inner, length);
	length = put_element(inner, 0x31, outer, length);
	names->subject_length = put_element(names->subject, 0x30, inner, length);
}

static void add_name(struct names *names, struct view line)
{
	bool address = line.data[0] == '@' && (line.length == 5 || line.length == 17);
	if (line.data[0] == '=') {
		set_common_name(names, view_of(line.data + 1, line.length - 1));
		return;
	}
	if (names->count == NAMES_MAX || line.length + 4 > sizeof names->list - names->length)
		return;
	names->lines[names->count++] = line;
	names->length +=
	    address ? put_element(names->list + names->length, 0x87, line.data + 1, line.length - 1)
	            : put_element(names->list + names->length, 0x82, line.data, line.length);
}

static struct view next_line(struct view *rest)
{
	const uint8_t *end = memchr(rest->data, '\n', rest->length);
	size_t length = end != NULL ? (size_t)(end - rest->data) : rest->length;
	struct view line = view_split(rest, length);
	if (end != NULL)
		view_u8(rest);
	return line;
}

/* ---- the second matcher ---- */

// Host names as lists of labels, in lower case.
struct labels {
	char text[512];
	const char *label[LABELS_MAX];
	size_t count;
};

static bool split(struct view name, struct labels *labels)
{
	if (name.length == 0 || name.length >= sizeof labels->text)
		return false;
	labels->count = 0;
	char *start = labels->text;
	for (size_t i = 0; i <= name.length; i++) {
		char c = i < name.length ? (char)name.data[i] : '.';
		labels->text[i] = c == '.' ? '\0' : (char)tolower((unsigned char)c);
		if (c == '\0')
			return false;
		if (c != '.')
			continue;
		if (labels->count == LABELS_MAX)
			return false;
		labels->label[labels->count++] = start;
		start = labels->text + i + 1;
	}
	return true;
}

static bool covers(struct view presented, const struct labels *reference)
{
	static struct labels labels;
	if (!split(presented, &labels) || labels.count != reference->count)
		return false;
	bool wildcard = strcmp(labels.label[0], "*") == 0;
	if (wildcard && labels.count < 3)
		return false;
	for (size_t i = wildcard; i < labels.count; i++)
		if (strcmp(labels.label[i], reference->label[i]) != 0)
			return false;
	return true;
}

static bool is_address_line(struct view line)
{
	return line.data[0] == '@' && (line.length == 5 || line.length == 17);
}

static enum name_match expected_for_name(const struct names *names, const struct labels *reference)
{
	bool any = false;
	for (size_t i = 0; i < names->count; i++) {
		if (is_address_line(names->lines[i]))
			continue;
		any = true;
		if (covers(names->lines[i], reference))
			return NAME_MATCH_SAN;
	}
	if (!any && names->common_name.length > 0 && covers(names->common_name, reference))
		return NAME_MATCH_COMMON_NAME_ONLY;
	return NAME_MISMATCH;
}

static bool has_address(const struct names *names, const uint8_t *address, size_t length)
{
	for (size_t i = 0; i < names->count; i++)
		if (is_address_line(names->lines[i]) && names->lines[i].length == length + 1 &&
		    memcmp(names->lines[i].data + 1, address, length) == 0)
			return true;
	return false;
}

static bool is_ascii(struct view text)
{
	for (size_t i = 0; i < text.length; i++)
		if (text.data[i] >= 0x80)
			return false;
	return true;
}

static void check_match(const struct names *names, struct view reference)
{
	static struct labels labels;
	uint8_t address[16];
	char text[64] = "";
	struct x509 certificate = {
	    .alternative_names = {names->length > 0 ? names->list : NULL, names->length},
	    .subject = view_of(names->subject, names->subject_length)};
	enum name_match asked = name_match(&certificate, reference, NAME_FROM_SNI);
	enum name_match said = name_match(&certificate, reference, NAME_FROM_DIALOGUE);
	MUST(said == asked || said == NAME_UNKNOWN);
	if (asked == NAME_UNKNOWN || !is_ascii(reference))
		return;
	if (reference.data[reference.length - 1] == '.')
		reference.length--;
	if (reference.length < sizeof text)
		memcpy(text, reference.data, reference.length);
	size_t length = inet_pton(AF_INET, text, address) == 1    ? 4
	                : inet_pton(AF_INET6, text, address) == 1 ? 16
	                                                          : 0;
	if (length > 0)
		MUST((asked == NAME_MATCH_SAN) == has_address(names, address, length));
	else
		MUST(split(reference, &labels) && expected_for_name(names, &labels) == asked);
}

/* ---- keys and registered domains ---- */

static struct facts_lookup *lookup(void)
{
	static struct facts_lookup *kept;
	struct error error;
	if (kept == NULL)
		kept = facts_lookup_open(&error);
	MUST(kept != NULL);
	return kept;
}

static bool ends_at_label(const char *name, const char *ending)
{
	size_t length = strlen(name), tail = strlen(ending);
	return tail <= length && strcmp(name + length - tail, ending) == 0 &&
	       (tail == length || name[length - tail - 1] == '.');
}

static void check_domain(const struct host_name *name)
{
	struct operator_name domain, again, below;
	struct host_name own;
	char longer[sizeof name->text + 2];
	facts_lookup_domain(lookup(), name, &domain);
	if (domain.text[0] == '\0')
		return;
	MUST(ends_at_label(name->text, domain.text));
	MUST(host_name_read(view_of((const uint8_t *)domain.text, strlen(domain.text)), &own));
	facts_lookup_domain(lookup(), &own, &again);
	MUST(strcmp(again.text, domain.text) == 0);
	snprintf(longer, sizeof longer, "x.%s", domain.text);
	if (!host_name_read(view_of((const uint8_t *)longer, strlen(longer)), &own))
		return;
	facts_lookup_domain(lookup(), &own, &below);
	MUST(strcmp(below.text, domain.text) == 0);
}

static void check_key(struct view text)
{
	struct host_name name, turned;
	uint8_t other[512];
	bool good = host_name_read(text, &name);
	MUST(good == (name.length > 0) && strlen(name.text) == name.length);
	if (!good || text.length > sizeof other)
		return;
	for (size_t i = 0; i < text.length; i++)
		other[i] = isalpha(text.data[i]) ? text.data[i] ^ 0x20 : text.data[i];
	MUST(host_name_read(view_of(other, text.length), &turned));
	MUST(strcmp(name.text, turned.text) == 0);
	MUST(host_name_read(view_of((const uint8_t *)name.text, name.length), &turned));
	MUST(strcmp(name.text, turned.text) == 0);
	check_domain(&name);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct names names;
	struct view rest = view_of(data, size);
	if (size == 0)
		return 0;
	names.length = names.subject_length = names.count = 0;
	names.common_name = view_of(NULL, 0);
	struct view reference = next_line(&rest);
	check_key(reference);
	while (rest.length > 0) {
		struct view line = next_line(&rest);
		if (line.length == 0)
			continue;
		check_key(line);
		add_name(&names, line);
	}
	if (reference.length > 0)
		check_match(&names, reference);
	return 0;
}
