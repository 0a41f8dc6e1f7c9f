// SPDX-License-Identifier: Apache-2.0
#include "decode/dkim_signature.h"

#include "capture/base/ascii.h"
#include "capture/base/utf8.h"
#include "decode/base64.h"
#include "decode/mail_names.h"
#include "decode/tag_list.h"

#include <string.h>
#include <strings.h>

#define NUMBER_ENDLESS UINT64_C(1000000000000000000)

/* ---- tags ---- */

// As large as NUMBER_ENDLESS stands for all that is larger.
static struct dkim_number read_number(struct view text)
{
	struct dkim_number number = {.there = text.data != NULL};
	number.good = number.there && text.length > 0;
	for (size_t i = 0; i < text.length && number.good; i++) {
		number.good = is_digit(text.data[i]);
		number.value = number.value * 10 + (uint64_t)(text.data[i] - '0');
		if (number.value > NUMBER_ENDLESS)
			number.value = NUMBER_ENDLESS;
	}
	return number;
}

struct dkim_tags dkim_tags_read(struct view value)
{
	return (struct dkim_tags){
	    .sound = tag_list_is_sound(value),
	    .domain = tag_list_value(value, "d"),
	    .selector = tag_list_value(value, "s"),
	    .algorithm = tag_list_value(value, "a"),
	    .form = tag_list_value(value, "c"),
	    .fields = tag_list_value(value, "h"),
	    .identity = tag_list_value(value, "i"),
	    .query = tag_list_value(value, "q"),
	    .version = tag_list_value(value, "v"),
	    .body_hash = tag_list_value(value, "bh"),
	    .signature = tag_list_value(value, "b"),
	    .length = read_number(tag_list_value(value, "l")),
	    .expiry = read_number(tag_list_value(value, "x")),
	    .time = read_number(tag_list_value(value, "t")),
	};
}

static enum dkim_algorithm algorithm_of(struct view text)
{
	if (tag_is(text, "rsa-sha256"))
		return DKIM_RSA_SHA256;
	if (tag_is(text, "rsa-sha1"))
		return DKIM_RSA_SHA1;
	return tag_is(text, "ed25519-sha256") ? DKIM_ED25519_SHA256 : DKIM_OTHER_ALGORITHM;
}

static enum dkim_canonicalisation form_of(struct view text)
{
	if (text.length == 0 || tag_is(text, "simple"))
		return DKIM_SIMPLE;
	return tag_is(text, "relaxed") ? DKIM_RELAXED : DKIM_OTHER_CANONICALISATION;
}

// Header and body, with a slash between; one alone is the header's (RFC 6376 3.5).
static void read_forms(struct view text, struct dkim_signature *signature)
{
	const uint8_t *slash = text.length > 0 ? memchr(text.data, '/', text.length) : NULL;
	size_t first = slash != NULL ? (size_t)(slash - text.data) : text.length;
	signature->header_form = (uint8_t)form_of(view_of(text.data, first));
	signature->body_form = DKIM_SIMPLE;
	if (slash != NULL)
		signature->body_form =
		    (uint8_t)form_of(view_of(slash + 1, text.length - first - 1));
}

// In UTF-8 (RFC 8616), and nothing in it that does something to whoever reads it.
static bool is_name(struct view text, size_t most)
{
	if (text.length == 0 || text.length > most)
		return false;
	for (size_t at = 0; at < text.length;) {
		uint32_t code;
		size_t length = utf8_code_point(text.data + at, text.length - at, &code);
		if (length == 0 || code_point_is_unsafe(code) || code == ' ' || code == '@')
			return false;
		at += length;
	}
	return true;
}

static bool is_ascii(struct view text)
{
	for (size_t i = 0; i < text.length; i++)
		if (text.data[i] >= 0x80)
			return false;
	return true;
}

// The domain of i=; length 0: there is none.
static struct view identity_domain(struct view identity)
{
	size_t at = identity.length;
	while (at > 0 && identity.data[at - 1] != '@')
		at--;
	return at > 0 ? view_of(identity.data + at, identity.length - at) : view_of(NULL, 0);
}

// i= is of the signer's domain, or one beneath it; without it, it is.
static bool identity_fits(const struct dkim_tags *tags)
{
	struct view domain = identity_domain(tags->identity);
	return tags->identity.data == NULL || name_is(domain, tags->domain) ||
	       name_is_beneath(domain, tags->domain);
}

static enum dkim_author author_of(struct view author, struct view domain)
{
	if (author.length == 0)
		return AUTHOR_NOT_SEEN;
	if (name_is(author, domain))
		return AUTHOR_SAME;
	return name_is_beneath(author, domain) ? AUTHOR_BENEATH : AUTHOR_OTHER;
}

// x= is behind t= (RFC 6376 3.5).
static bool has_good_numbers(const struct dkim_tags *tags)
{
	return tags->length.there == tags->length.good && tags->expiry.there == tags->expiry.good &&
	       tags->time.there == tags->time.good &&
	       (!tags->expiry.there || !tags->time.there || tags->expiry.value > tags->time.value);
}

static bool has_what_it_must(const struct dkim_tags *tags)
{
	return tags->sound && has_good_numbers(tags) && tag_is(tags->version, "1") &&
	       is_name(tags->domain, MESSAGE_NAME_MAX) && is_name(tags->selector, SELECTOR_MAX) &&
	       tags->body_hash.length > 0 && tags->signature.length > 0 &&
	       tag_has_word(tags->fields, "from") && identity_fits(tags);
}

static bool knows_ways(const struct dkim_tags *tags, const struct dkim_signature *signature)
{
	bool algorithm = signature->algorithm == DKIM_RSA_SHA256 ||
	                 signature->algorithm == DKIM_ED25519_SHA256; // RFC 8301 3.1
	// Names in other letters (RFC 8616) are not looked for.
	return algorithm && is_ascii(tags->domain) && is_ascii(tags->selector) &&
	       signature->header_form != DKIM_OTHER_CANONICALISATION &&
	       signature->body_form != DKIM_OTHER_CANONICALISATION &&
	       (tags->query.data == NULL || tag_has_word(tags->query, "dns/txt"));
}

void dkim_signature_read(const struct dkim_tags *tags, struct view author, nanoseconds now,
    struct dkim_signature *signature, uint8_t bytes[DKIM_SIGNATURE_MAX])
{
	*signature = (struct dkim_signature){
	    .algorithm = (uint8_t)algorithm_of(tags->algorithm),
	    .length_tag = tags->length.good,
	    .author = (uint8_t)author_of(author, tags->domain),
	    .identity_beneath = name_is_beneath(identity_domain(tags->identity), tags->domain),
	    .expired = tags->expiry.good && (uint64_t)(now / SECONDS(1)) > tags->expiry.value,
	    .progress = DKIM_HASHED,
	};
	read_forms(tags->form, signature);
	if (is_name(tags->domain, MESSAGE_NAME_MAX)) {
		signature->domain = tags->domain.data;
		signature->domain_length = (uint8_t)tags->domain.length;
	}
	if (is_name(tags->selector, SELECTOR_MAX)) {
		signature->selector = tags->selector.data;
		signature->selector_length = (uint8_t)tags->selector.length;
	}
	signature->signature = bytes;
	if (!has_what_it_must(tags)) {
		signature->progress = DKIM_MALFORMED;
	} else if (!knows_ways(tags, signature)) {
		signature->progress = DKIM_UNKNOWN_WAYS;
	} else {
		size_t length = base64_decode(tags->signature, bytes, DKIM_SIGNATURE_MAX);
		signature->signature_length = (uint16_t)length;
		if (length == 0)
			signature->progress = tags->signature.length > DKIM_SIGNATURE_MAX
			                          ? DKIM_TOO_LONG
			                          : DKIM_MALFORMED;
	}
}

/* ---- the hash of the header ---- */

// Bytes on their way to the hash, a few at a time.
struct hash_buffer {
	EVP_MD_CTX *hash;
	bool good;
	size_t length;
	uint8_t bytes[256];
};

static void flush(struct hash_buffer *to)
{
	to->good &= EVP_DigestUpdate(to->hash, to->bytes, to->length) == 1;
	to->length = 0;
}

static void add(struct hash_buffer *to, uint8_t c)
{
	if (to->length == sizeof to->bytes)
		flush(to);
	to->bytes[to->length++] = c;
}

static void add_all(struct hash_buffer *to, struct view text)
{
	for (size_t i = 0; i < text.length; i++)
		add(to, text.data[i]);
}

static uint8_t lower(uint8_t c)
{
	return c >= 'A' && c <= 'Z' ? (uint8_t)(c - 'A' + 'a') : c;
}

// The parts of a value, as if they were one: runs of blanks are one, none are at the ends.
static void add_relaxed(struct hash_buffer *to, const struct view *parts, size_t count)
{
	bool begun = false, blank = false;
	for (size_t part = 0; part < count; part++)
		for (size_t i = 0; i < parts[part].length; i++) {
			uint8_t c = parts[part].data[i];
			if (is_space(c)) {
				blank = true;
				continue;
			}
			if (blank && begun)
				add(to, ' ');
			add(to, c);
			begun = true;
			blank = false;
		}
}

// A field whose value is in parts, without a line end behind it.
static void add_field(struct hash_buffer *to, enum dkim_canonicalisation form,
    const struct header_field *field, const struct view *parts, size_t count)
{
	if (form == DKIM_SIMPLE) {
		size_t front = (size_t)(field->value.data - field->whole.data);
		add_all(to, view_of(field->whole.data, front));
		for (size_t i = 0; i < count; i++)
			add_all(to, parts[i]);
		return;
	}
	for (size_t i = 0; i < field->name.length; i++)
		add(to, lower(field->name.data[i]));
	add(to, ':');
	add_relaxed(to, parts, count);
}

// The last field of a name that is not used yet.
static const struct header_field *last_unused(
    const struct header_section *section, struct view name, uint8_t used[HEADER_FIELDS_MAX])
{
	for (size_t i = section->count; i-- > 0;) {
		const struct header_field *field = &section->fields[i];
		if (used[i] || field->name.length != name.length ||
		    strncasecmp(
		        (const char *)field->name.data, (const char *)name.data, name.length) != 0)
			continue;
		used[i] = 1;
		return field;
	}
	return NULL;
}

// The signature's own field, with nothing behind "b=" up to the next tag.
static void add_own(struct hash_buffer *to, enum dkim_canonicalisation form,
    const struct header_field *own, struct view signature)
{
	const uint8_t *start = signature.data, *end = signature.data + signature.length;
	const uint8_t *value_end = own->value.data + own->value.length;
	while (start > own->value.data && start[-1] != '=')
		start--;
	while (end < value_end && *end != ';')
		end++;
	const struct view parts[] = {
	    view_of(own->value.data, (size_t)(start - own->value.data)),
	    view_of(end, (size_t)(value_end - end)),
	};
	add_field(to, form, own, parts, 2);
}

static bool add_signed(struct hash_buffer *to, const struct header_section *section,
    const struct dkim_tags *tags, enum dkim_canonicalisation form)
{
	uint8_t used[HEADER_FIELDS_MAX] = {0};
	struct view list = tags->fields, name;
	for (unsigned count = 0; tag_next_word(&list, &name); count++) {
		if (count == DKIM_SIGNED_FIELDS_MAX)
			return false;
		const struct header_field *field = last_unused(section, name, used);
		if (field == NULL)
			continue; // that there is none is signed, too (RFC 6376 5.4.2)
		add_field(to, form, field, &field->value, 1);
		add(to, '\r');
		add(to, '\n');
	}
	return true;
}

bool dkim_header_hash(const struct header_section *section, const struct header_field *own,
    const struct dkim_tags *tags, struct dkim_signature *signature, EVP_MD_CTX *hash)
{
	enum dkim_canonicalisation form = (enum dkim_canonicalisation)signature->header_form;
	struct hash_buffer to = {.hash = hash, .good = true};
	bool fits = add_signed(&to, section, tags, form);
	if (fits)
		add_own(&to, form, own, tags->signature);
	else
		signature->progress = DKIM_TOO_LONG;
	flush(&to);
	bool done = EVP_DigestFinal_ex(hash, signature->digest, NULL) == 1; // leaves no text in it
	explicit_bzero(to.bytes, sizeof to.bytes); // stacks are in core dumps
	return !fits || (to.good && done);
}
