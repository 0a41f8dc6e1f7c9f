// SPDX-License-Identifier: Apache-2.0
#include "decode/tls_fingerprint.h"
#include "capture/base/hash.h"
#include "decode/tls_hello.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

enum {
	LIST_MAX = TLS_FINGERPRINT_LIST_MAX,
	FORMATS_MAX = 255,
	REMEMBERED = 256, // fingerprints; a power of two
	HASHED_DIGITS = 12, // of a SHA-256, in a JA4
	COUNT_MAX = 99, // a JA4 counts no further
	NUMBER_LENGTH = 6, // of a number below 65536 and the sign before it
	TEXT_MAX = 3 * LIST_MAX * NUMBER_LENGTH + FORMATS_MAX * 4 + NUMBER_LENGTH + 4,
	EXTENSION_SERVER_NAME = 0,
	EXTENSION_ALPN = 16,
};

struct remembered {
	uint64_t hash; // of all that the fingerprint depends on
	struct tls_client_fingerprint fingerprint;
};

struct tls_fingerprints {
	EVP_MD_CTX *md5,
	    *sha256; // NULL: the library does not have it, as where only FIPS is allowed
	struct hash_key key;
	struct remembered remembered[REMEMBERED];
};

// A hash function, set up so that each use of it only has to start it anew. NULL: not to be had.
static EVP_MD_CTX *prepare(const char *name)
{
	EVP_MD *function = EVP_MD_fetch(NULL, name, NULL);
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	if (function == NULL || context == NULL || !EVP_DigestInit_ex2(context, function, NULL)) {
		EVP_MD_CTX_free(context);
		context = NULL;
	}
	EVP_MD_free(function); // the context holds it
	return context;
}

struct tls_fingerprints *tls_fingerprints_create(void)
{
	struct tls_fingerprints *fingerprints = calloc(1, sizeof *fingerprints);
	if (fingerprints == NULL)
		return NULL;
	fingerprints->md5 = prepare("MD5");
	fingerprints->sha256 = prepare("SHA256");
	fingerprints->key = hash_key_random();
	return fingerprints;
}

void tls_fingerprints_destroy(struct tls_fingerprints *fingerprints)
{
	if (fingerprints == NULL)
		return;
	EVP_MD_CTX_free(fingerprints->md5);
	EVP_MD_CTX_free(fingerprints->sha256);
	free(fingerprints);
}

/* ---- text ---- */

struct text_buffer {
	size_t length;
	char bytes[TEXT_MAX];
};

static void put_char(struct text_buffer *text, char c)
{
	text->bytes[text->length++] = c;
}

static char hexadecimal(unsigned digit)
{
	return "0123456789abcdef"[digit & 15];
}

static void put_decimal(struct text_buffer *text, unsigned value)
{
	char digits[5];
	unsigned count = 0;
	do {
		digits[count++] = (char)('0' + value % 10);
		value /= 10;
	} while (value != 0);
	while (count > 0)
		put_char(text, digits[--count]);
}

// "4-5-10", as JA3 writes lists.
static void put_decimals(struct text_buffer *text, const uint16_t *list, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		if (i > 0)
			put_char(text, '-');
		put_decimal(text, list[i]);
	}
}

// "0004,0005,000a", as JA4 does.
static void put_hexadecimals(struct text_buffer *text, const uint16_t *list, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		if (i > 0)
			put_char(text, ',');
		for (int shift = 12; shift >= 0; shift -= 4)
			put_char(text, hexadecimal((unsigned)list[i] >> shift));
	}
}

static bool digest(EVP_MD_CTX *context, const struct text_buffer *text, uint8_t *out)
{
	return context != NULL && EVP_DigestInit_ex2(context, NULL, NULL) &&
	       EVP_DigestUpdate(context, text->bytes, text->length) &&
	       EVP_DigestFinal_ex(context, out, NULL);
}

/* ---- what a client's fingerprints depend on ---- */

enum section { SUITES, EXTENSIONS, GROUPS, FORMATS, SIGNATURES, SECTIONS };

// The lists of a hello without GREASE (RFC 8701), one behind the other, so that all can be hashed at
// once.
struct offer {
	uint16_t legacy_version;
	uint16_t version; // the highest offered, drafts as they are numbered
	uint16_t server_name; // 1: the extension is there
	uint8_t protocol[2]; // JA4's two characters of ALPN
	uint16_t counts[SECTIONS];
	uint16_t values[4 * LIST_MAX + FORMATS_MAX];
};

static unsigned filled(const struct offer *offer)
{
	unsigned sum = 0;
	for (unsigned i = 0; i < SECTIONS; i++)
		sum += offer->counts[i];
	return sum;
}

static uint16_t *section(struct offer *offer, enum section which)
{
	unsigned start = 0;
	for (unsigned i = 0; i < which; i++)
		start += offer->counts[i];
	return offer->values + start;
}

// Adds a value to the section that is last so far, unless it is GREASE. False: there are too many.
static bool add(struct offer *offer, enum section which, uint16_t value)
{
	if (tls_is_grease(value))
		return true;
	if (offer->counts[which] == LIST_MAX)
		return false;
	section(offer, which)[offer->counts[which]++] = value;
	return true;
}

static bool add_list(struct offer *offer, enum section which, struct view list)
{
	while (list.length >= 2)
		if (!add(offer, which, view_u16(&list)))
			return false;
	return true;
}

static bool add_extensions(struct offer *offer, struct view list)
{
	uint16_t type;
	struct view body;
	while (tls_next_extension(&list, &type, &body))
		if (!add(offer, EXTENSIONS, type))
			return false;
	return true;
}

static uint16_t highest_version(const struct tls_client_hello *hello)
{
	struct view list = hello->supported_versions;
	if (list.data == NULL)
		return hello->legacy_version;
	uint16_t highest = 0;
	while (list.length >= 2) {
		uint16_t version = view_u16(&list);
		if (version > highest && !tls_is_grease(version))
			highest = version;
	}
	return highest;
}

static bool is_alphanumeric(uint8_t c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

// First and last character of the first protocol; of its bytes in hexadecimal, if either is not
// alphanumeric.
static void take_protocol(struct offer *offer, struct view list)
{
	struct view name;
	do {
		name = view_split(&list, view_u8(&list));
	} while (name.length == 2 && tls_is_grease((uint16_t)(name.data[0] << 8 | name.data[1])));
	uint8_t first = name.length > 0 ? name.data[0] : '0';
	uint8_t last = name.length > 0 ? name.data[name.length - 1] : '0';
	bool plain = is_alphanumeric(first) && is_alphanumeric(last);
	offer->protocol[0] = plain ? first : (uint8_t)hexadecimal(first >> 4);
	offer->protocol[1] = plain ? last : (uint8_t)hexadecimal(last);
}

static bool take_offer(struct offer *offer, const struct tls_client_hello *hello)
{
	if (hello->malformed || hello->sslv2_format)
		return false;
	offer->legacy_version = hello->legacy_version;
	offer->version = highest_version(hello);
	offer->server_name = hello->has_server_name;
	take_protocol(offer, hello->alpn_list);
	memset(offer->counts, 0, sizeof offer->counts);
	if (!add_list(offer, SUITES, hello->cipher_suites) ||
	    !add_extensions(offer, hello->extensions) ||
	    !add_list(offer, GROUPS, hello->supported_groups))
		return false;
	for (size_t i = 0; i < hello->point_formats.length; i++)
		section(offer, FORMATS)[offer->counts[FORMATS]++] = hello->point_formats.data[i];
	return add_list(offer, SIGNATURES, hello->signature_algorithms);
}

/* ---- JA3 ---- */

// SSLVersion,Cipher,SSLExtension,EllipticCurve,EllipticCurvePointFormat
static bool make_ja3(
    struct tls_fingerprints *fingerprints, struct offer *offer, uint8_t ja3[TLS_JA3_BYTES])
{
	struct text_buffer text;
	text.length = 0;
	put_decimal(&text, offer->legacy_version);
	for (enum section which = SUITES; which <= FORMATS; which++) {
		put_char(&text, ',');
		put_decimals(&text, section(offer, which), offer->counts[which]);
	}
	return digest(fingerprints->md5, &text, ja3);
}

// SSLVersion,Cipher,SSLExtension. GREASE, which a server must not send here, stays in.
bool tls_fingerprint_server(struct tls_fingerprints *fingerprints,
    const struct tls_server_hello *hello, uint8_t ja3s[TLS_JA3_BYTES])
{
	struct text_buffer text;
	struct view list = hello->extensions, body;
	unsigned count = 0;
	uint16_t type;
	if (hello->malformed || hello->hello_retry_request || hello->version == TLS_SSL2)
		return false;
	text.length = 0;
	put_decimal(&text, hello->legacy_version);
	put_char(&text, ',');
	put_decimal(&text, hello->cipher);
	put_char(&text, ',');
	while (tls_next_extension(&list, &type, &body)) {
		if (count == LIST_MAX)
			return false;
		if (count++ > 0)
			put_char(&text, '-');
		put_decimal(&text, type);
	}
	return digest(fingerprints->md5, &text, ja3s);
}

/* ---- JA4 ---- */

static const char *version_code(uint16_t version)
{
	switch (version) {
	case TLS_1_3:
		return "13";
	case TLS_1_2:
		return "12";
	case TLS_1_1:
		return "11";
	case TLS_1_0:
		return "10";
	case TLS_SSL3:
		return "s3";
	case TLS_SSL2:
		return "s2";
	default:
		return "00";
	}
}

// Shell's sort: in place, short, and never far from n log n at this size.
static void sort(uint16_t *list, unsigned count)
{
	static const unsigned gaps[] = {301, 132, 57, 23, 10, 4, 1}; // Ciura 2001
	for (size_t g = 0; g < sizeof gaps / sizeof gaps[0]; g++) {
		unsigned gap = gaps[g];
		for (unsigned i = gap; i < count; i++) {
			uint16_t value = list[i];
			unsigned place = i;
			for (; place >= gap && list[place - gap] > value; place -= gap)
				list[place] = list[place - gap];
			list[place] = value;
		}
	}
}

static void put_count(struct text_buffer *text, unsigned count)
{
	if (count > COUNT_MAX)
		count = COUNT_MAX;
	put_char(text, (char)('0' + count / 10));
	put_char(text, (char)('0' + count % 10));
}

// The first digits of the SHA-256 of `text`; zeros where there is nothing to hash.
static bool put_digest(
    struct tls_fingerprints *fingerprints, struct text_buffer *to, const struct text_buffer *text)
{
	uint8_t hash[EVP_MAX_MD_SIZE] = {0};
	if (text->length > 0 && !digest(fingerprints->sha256, text, hash))
		return false;
	put_char(to, '_');
	for (unsigned i = 0; i < HASHED_DIGITS; i++)
		put_char(to, hexadecimal(i % 2 == 0 ? hash[i / 2] >> 4 : hash[i / 2]));
	return true;
}

// Extensions in order, without server name and ALPN, of which the first part of a JA4 tells.
static void put_extensions(struct text_buffer *text, uint16_t *list, unsigned count)
{
	unsigned kept = 0;
	for (unsigned i = 0; i < count; i++)
		if (list[i] != EXTENSION_SERVER_NAME && list[i] != EXTENSION_ALPN)
			list[kept++] = list[i];
	sort(list, kept);
	put_hexadecimals(text, list, kept);
}

// Puts the offer's lists in order.
static bool make_ja4(
    struct tls_fingerprints *fingerprints, struct offer *offer, char ja4[TLS_JA4_LENGTH])
{
	struct text_buffer all, part;
	const char *version = version_code(offer->version);
	all.length = part.length = 0;
	put_char(&all, 't'); // over TCP
	put_char(&all, version[0]);
	put_char(&all, version[1]);
	put_char(&all, offer->server_name ? 'd' : 'i');
	put_count(&all, offer->counts[SUITES]);
	put_count(&all, offer->counts[EXTENSIONS]);
	put_char(&all, (char)offer->protocol[0]);
	put_char(&all, (char)offer->protocol[1]);
	sort(section(offer, SUITES), offer->counts[SUITES]);
	put_hexadecimals(&part, section(offer, SUITES), offer->counts[SUITES]);
	if (!put_digest(fingerprints, &all, &part))
		return false;
	part.length = 0;
	put_extensions(&part, section(offer, EXTENSIONS), offer->counts[EXTENSIONS]);
	if (offer->counts[SIGNATURES] > 0)
		put_char(&part, '_');
	put_hexadecimals(&part, section(offer, SIGNATURES), offer->counts[SIGNATURES]);
	if (!put_digest(fingerprints, &all, &part))
		return false;
	memcpy(ja4, all.bytes, TLS_JA4_LENGTH);
	return true;
}

struct tls_client_fingerprint tls_fingerprint_client(
    struct tls_fingerprints *fingerprints, const struct tls_client_hello *hello)
{
	struct offer offer;
	if (!take_offer(&offer, hello))
		return (struct tls_client_fingerprint){.has_ja3 = false};
	size_t length = offsetof(struct offer, values) + filled(&offer) * sizeof offer.values[0];
	uint64_t hash = hash_bytes(&fingerprints->key, &offer, length);
	struct remembered *remembered = &fingerprints->remembered[hash & (REMEMBERED - 1)];
	struct tls_client_fingerprint *made = &remembered->fingerprint;
	if (remembered->hash == hash && made->has_ja4)
		return *made;
	*remembered = (struct remembered){.hash = hash};
	made->has_ja3 = make_ja3(fingerprints, &offer, made->ja3);
	made->has_ja4 = make_ja4(fingerprints, &offer, made->ja4);
	return *made;
}
