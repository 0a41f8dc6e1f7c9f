// SPDX-License-Identifier: Apache-2.0
// Compares what x509_read says of certificates with what OpenSSL says, fact by fact. Prints one line
// for each difference: file, fact, ours, OpenSSL's, parted by tabs; at the end "compared", how many
// certificates and how many facts. certificates.py runs it and knows which differences are meant.
//
//   certificate_facts FILE...         certificates, PEM (all of a file) or DER
//   certificate_facts --recipes       those of the unit tests
//   certificate_facts --names         object identifiers: each that OpenSSL knows, in a certificate
//   certificate_facts --mutate N FILE...   N damaged forms of each
//   certificate_facts --mutate-recipes N
#define OPENSSL_API_COMPAT 30000
#include "decode/x509.h"
#include "tests/unit/certificates.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/objects.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { TEXT_MAX = 1 << 16, WORD_MAX = 256, SHOWN_MAX = 512 };

static struct {
	const char *file;
	unsigned certificates, facts;
} run;

// --- differences -----------------------------------------------------------------------------

static void print_octets(struct view octets)
{
	if (octets.data == NULL)
		printf("nothing");
	for (size_t i = 0; i < octets.length && i < SHOWN_MAX; i++) {
		uint8_t c = octets.data[i];
		if (c > 0x20 && c < 0x7f && c != '%')
			putchar(c);
		else
			printf("%%%02x", c);
	}
	if (octets.length > SHOWN_MAX)
		printf("...(%zu)", octets.length);
}

static void compare_octets(const char *fact, struct view ours, struct view theirs)
{
	run.facts++;
	if (ours.length == theirs.length && (ours.data == NULL) == (theirs.data == NULL) &&
	    (ours.length == 0 || memcmp(ours.data, theirs.data, ours.length) == 0))
		return;
	printf("%s\t%s\t", run.file, fact);
	print_octets(ours);
	putchar('\t');
	print_octets(theirs);
	putchar('\n');
}

static void compare_numbers(const char *fact, int64_t ours, int64_t theirs)
{
	run.facts++;
	if (ours != theirs)
		printf("%s\t%s\t%" PRId64 "\t%" PRId64 "\n", run.file, fact, ours, theirs);
}

static void compare_words(const char *fact, const char *ours, const char *theirs)
{
	run.facts++;
	ours = ours != NULL ? ours : "-";
	theirs = theirs != NULL ? theirs : "-";
	if (strcmp(ours, theirs) != 0)
		printf("%s\t%s\t%s\t%s\n", run.file, fact, ours, theirs);
}

static struct view string_view(const ASN1_STRING *string)
{
	static const uint8_t nothing[1];
	const uint8_t *data = string != NULL ? ASN1_STRING_get0_data(string) : NULL;
	if (string != NULL && data == NULL)
		data = nothing;
	return view_of(data, string != NULL ? (size_t)ASN1_STRING_length(string) : 0);
}

// --- names -----------------------------------------------------------------------------------

static void compare_name(const char *fact, struct view ours, X509_NAME *theirs)
{
	static uint8_t text[TEXT_MAX];
	uint8_t *der = NULL;
	char *printed = NULL;
	int length = i2d_X509_NAME(theirs, &der);
	compare_octets(fact, ours, view_of(der, length > 0 ? (size_t)length : 0));
	OPENSSL_free(der);
	BIO *out = BIO_new(BIO_s_mem());
	X509_NAME_print_ex(out, theirs, 0, XN_FLAG_RFC2253 & ~(unsigned long)ASN1_STRFLGS_ESC_MSB);
	long printed_length = BIO_get_mem_data(out, &printed);
	size_t written = x509_name_text(ours, text, sizeof text);
	char what[WORD_MAX];
	snprintf(what, sizeof what, "%s text", fact);
	compare_octets(what, view_of(text, written),
	    view_of(printed_length > 0 ? (const uint8_t *)printed : text, (size_t)printed_length));
	BIO_free(out);
	const ASN1_STRING *common_name = NULL;
	for (int at = -1; (at = X509_NAME_get_index_by_NID(theirs, NID_commonName, at)) >= 0;)
		common_name = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(theirs, at));
	snprintf(what, sizeof what, "%s common name", fact);
	struct view ours_cn = x509_common_name(ours), theirs_cn = string_view(common_name);
	// What is no string OpenSSL keeps in other ways than it stood.
	if (common_name == NULL ||
	    (ASN1_tag2bit(ASN1_STRING_type(common_name)) & (B_ASN1_DIRECTORYSTRING)))
		compare_octets(what, ours_cn, theirs_cn);
}

static struct view general_name(const GENERAL_NAME *name, enum x509_name_type *type)
{
	*type = X509_NAME_OTHER;
	switch (name->type) {
	case GEN_DNS:
		*type = X509_NAME_DNS;
		return string_view(name->d.dNSName);
	case GEN_EMAIL:
		*type = X509_NAME_EMAIL;
		return string_view(name->d.rfc822Name);
	case GEN_URI:
		*type = X509_NAME_URI;
		return string_view(name->d.uniformResourceIdentifier);
	case GEN_IPADD:
		*type = X509_NAME_IP;
		return string_view(name->d.iPAddress);
	default:
		return (struct view){NULL, 0};
	}
}

// Why OpenSSL would not read something: the first fault, and the types it was in.
static void why_refused(char *text, size_t size)
{
	const char *data;
	int flags;
	unsigned long code = ERR_peek_error();
	snprintf(text, size, "refused: %s", code != 0 ? ERR_reason_error_string(code) : "no fault");
	while (ERR_get_error_all(NULL, NULL, NULL, &data, &flags) != 0)
		if (strstr(data, "EDIPARTYNAME") != NULL)
			snprintf(text, size, "refused: EDIPARTYNAME");
}

static void compare_alternative_names(const struct x509 *ours, X509 *theirs)
{
	int critical;
	char refused[WORD_MAX];
	ERR_clear_error();
	GENERAL_NAMES *names = X509_get_ext_d2i(theirs, NID_subject_alt_name, &critical, NULL);
	struct view list = ours->alternative_names, name;
	enum x509_name_type type, their_type;
	int count = names != NULL ? sk_GENERAL_NAME_num(names) : 0;
	if (names == NULL && critical != -1) {
		why_refused(refused, sizeof refused);
		compare_words("alternative names", "read", refused);
		return;
	}
	compare_numbers("alternative names", view_ok(&list), names != NULL);
	for (int i = 0; i < count; i++) {
		struct view their_name = general_name(sk_GENERAL_NAME_value(names, i), &their_type);
		if (!x509_next_name(&list, &type, &name)) {
			compare_numbers("number of names", i, count);
			break;
		}
		compare_numbers("type of a name", type, their_type);
		if (their_type != X509_NAME_OTHER)
			compare_octets("name", name, their_name);
	}
	compare_numbers("names left", x509_next_name(&list, &type, &name), false);
	GENERAL_NAMES_free(names);
}

// --- keys and signatures -----------------------------------------------------------------------

static enum x509_key_type key_type(EVP_PKEY *key)
{
	static const struct {
		const char *name;
		enum x509_key_type type;
	} kinds[] = {{"RSA", X509_KEY_RSA}, {"RSA-PSS", X509_KEY_RSA_PSS}, {"DSA", X509_KEY_DSA},
	    {"EC", X509_KEY_EC}, {"SM2", X509_KEY_EC}, {"ED25519", X509_KEY_ED25519},
	    {"ED448", X509_KEY_ED448}, {"X25519", X509_KEY_X25519}, {"X448", X509_KEY_X448},
	    {"ML-DSA-44", X509_KEY_ML_DSA}, {"ML-DSA-65", X509_KEY_ML_DSA},
	    {"ML-DSA-87", X509_KEY_ML_DSA}};
	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
		if (EVP_PKEY_is_a(key, kinds[i].name))
			return kinds[i].type;
	return X509_KEY_UNKNOWN;
}

// The size of the field, which is not that of the group, which EVP_PKEY_get_bits tells.
static int field_bits(EVP_PKEY *key)
{
	char kind[WORD_MAX] = "";
	BIGNUM *field = NULL;
	int bits = 0;
	if (EVP_PKEY_get_utf8_string_param(
	        key, OSSL_PKEY_PARAM_EC_FIELD_TYPE, kind, sizeof kind, NULL) &&
	    EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_EC_P, &field))
		bits = BN_num_bits(field) - (strcmp(kind, SN_X9_62_prime_field) != 0);
	BN_free(field);
	return bits;
}

static void compare_key(const struct x509 *ours, X509 *theirs)
{
	uint8_t *spki = NULL;
	int length = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(theirs), &spki);
	compare_octets("public key", ours->spki, view_of(spki, length > 0 ? (size_t)length : 0));
	OPENSSL_free(spki);
	EVP_PKEY *key = X509_get0_pubkey(theirs);
	char group[WORD_MAX] = "";
	if (key == NULL) { // unusable, or of a kind that it does not know
		if (ours->malformed == NULL)
			compare_words("usable key", x509_key_type_name(ours->key_type), NULL);
		return;
	}
	enum x509_key_type type = key_type(key);
	compare_words("key type", x509_key_type_name(ours->key_type), x509_key_type_name(type));
	if (type != X509_KEY_EC) {
		compare_numbers("key bits", ours->key_bits, EVP_PKEY_get_bits(key));
		return;
	}
	compare_numbers("key bits", ours->key_bits, field_bits(key));
	if (!view_ok(&ours->curve_oid)) // written out, where OpenSSL recognises some
		return;
	EVP_PKEY_get_group_name(key, group, sizeof group, NULL);
	const char *nist = EC_curve_nid2nist(OBJ_sn2nid(group));
	bool by_nist = nist != NULL && nist[0] == 'P';
	compare_words("curve", ours->curve, by_nist ? nist : group);
}

static const char *digest_name(enum x509_digest digest)
{
	static const char *const names[] = {
	    [X509_DIGEST_UNKNOWN] = "UNDEF",
	    [X509_DIGEST_MD2] = "MD2",
	    [X509_DIGEST_MD4] = "MD4",
	    [X509_DIGEST_MD5] = "MD5",
	    [X509_DIGEST_SHA1] = "SHA1",
	    [X509_DIGEST_SHA224] = "SHA224",
	    [X509_DIGEST_SHA256] = "SHA256",
	    [X509_DIGEST_SHA384] = "SHA384",
	    [X509_DIGEST_SHA512] = "SHA512",
	    [X509_DIGEST_SHA3_224] = "SHA3-224",
	    [X509_DIGEST_SHA3_256] = "SHA3-256",
	    [X509_DIGEST_SHA3_384] = "SHA3-384",
	    [X509_DIGEST_SHA3_512] = "SHA3-512",
	    [X509_DIGEST_NONE] = "UNDEF",
	};
	return names[digest];
}

static void compare_signature(const struct x509 *ours, X509 *theirs)
{
	const X509_ALGOR *inner = X509_get0_tbs_sigalg(theirs);
	const ASN1_OBJECT *oid;
	char text[WORD_MAX], our_text[WORD_MAX];
	int digest = NID_undef;
	X509_ALGOR_get0(&oid, NULL, NULL, inner);
	int algorithm = OBJ_obj2nid(oid);
	compare_octets(
	    "signature oid", ours->signature_oid, view_of(OBJ_get0_data(oid), OBJ_length(oid)));
	OBJ_obj2txt(text, sizeof text, oid, 1);
	x509_oid_text(ours->signature_oid, our_text, sizeof our_text);
	compare_words("signature oid text", our_text, text);
	if (ours->signature_algorithm != NULL || algorithm != NID_undef)
		compare_words(
		    "signature algorithm", ours->signature_algorithm, OBJ_nid2ln(algorithm));
	if (algorithm == NID_rsassaPss)
		X509_get_signature_info(theirs, &digest, NULL, NULL, NULL);
	else
		OBJ_find_sigid_algs(algorithm, &digest, NULL);
	if (ours->signature_algorithm != NULL)
		compare_words(
		    "signature digest", digest_name(ours->signature_digest), OBJ_nid2sn(digest));
}

// --- the rest ----------------------------------------------------------------------------------

static int64_t their_time(const ASN1_TIME *time, bool *good)
{
	struct tm parts;
	time_t now = 0;
	if (X509_cmp_time(time, &now) == 0 || !ASN1_TIME_to_tm(time, &parts)) {
		*good = false;
		return 0;
	}
	return timegm(&parts);
}

static void compare_validity(const struct x509 *ours, X509 *theirs)
{
	bool good = true;
	int64_t before = their_time(X509_get0_notBefore(theirs), &good);
	int64_t after = their_time(X509_get0_notAfter(theirs), &good);
	compare_numbers("validity read", ours->validity_read, good);
	if (!ours->validity_read || !good)
		return;
	compare_numbers("not before", ours->not_before, before);
	compare_numbers("not after", ours->not_after, after);
}

static void compare_extensions(const struct x509 *ours, X509 *theirs)
{
	BASIC_CONSTRAINTS *constraints =
	    X509_get_ext_d2i(theirs, NID_basic_constraints, NULL, NULL);
	compare_numbers("basic constraints", ours->basic_constraints, constraints != NULL);
	bool ca = constraints != NULL && constraints->ca;
	if (X509_get_version(theirs) == 0 && ours->self_issued)
		ca = true;
	compare_numbers("ca", ours->is_ca, ca);
	BASIC_CONSTRAINTS_free(constraints);
	EXTENDED_KEY_USAGE *uses = X509_get_ext_d2i(theirs, NID_ext_key_usage, NULL, NULL);
	bool servers = false, clients = false, anything = false;
	for (int i = 0; uses != NULL && i < sk_ASN1_OBJECT_num(uses); i++) {
		int use = OBJ_obj2nid(sk_ASN1_OBJECT_value(uses, i));
		servers |= use == NID_server_auth;
		clients |= use == NID_client_auth;
		anything |= use == NID_anyExtendedKeyUsage;
	}
	compare_numbers("extended key usage", ours->extended_key_usage, uses != NULL);
	compare_numbers("for servers", ours->for_servers, servers);
	compare_numbers("for clients", ours->for_clients, clients);
	compare_numbers("for anything", ours->for_anything, anything);
	EXTENDED_KEY_USAGE_free(uses);
	compare_numbers(
	    "scts", ours->has_scts, X509_get_ext_by_NID(theirs, NID_ct_precert_scts, -1) >= 0);
	compare_alternative_names(ours, theirs);
}

static void compare_facts(const struct x509 *ours, X509 *theirs)
{
	static const uint8_t header_max = 12;
	uint8_t *serial = NULL;
	int length = i2d_ASN1_INTEGER(X509_get_serialNumber(theirs), &serial);
	struct view number = view_of(serial, length > 0 ? (size_t)length : 0);
	size_t header =
	    number.length > 2 && number.data[1] >= 0x80 ? 2U + (number.data[1] & 0x7f) : 2;
	if (header < header_max)
		view_take(&number, header);
	compare_octets("serial", ours->serial, number);
	OPENSSL_free(serial);
	compare_numbers("version", ours->version, X509_get_version(theirs) + 1);
	compare_name("issuer", ours->issuer, X509_get_issuer_name(theirs));
	compare_name("subject", ours->subject, X509_get_subject_name(theirs));
	compare_validity(ours, theirs);
	compare_key(ours, theirs);
	compare_signature(ours, theirs);
	compare_extensions(ours, theirs);
}

// True if OpenSSL reads the extension, or it is not there.
static bool extension_readable(X509 *theirs, int nid)
{
	const X509V3_EXT_METHOD *method = X509V3_EXT_get_nid(nid);
	int critical = 0;
	void *value = X509_get_ext_d2i(theirs, nid, &critical, NULL);
	if (value != NULL && method->it != NULL)
		ASN1_item_free(value, ASN1_ITEM_ptr(method->it));
	else if (value != NULL)
		method->ext_free(value);
	return value != NULL || critical == -1;
}

// What OpenSSL finds only when it looks into a part that d2i_X509 leaves alone.
static const char *later_fault(X509 *theirs)
{
	static const int read[] = {
	    NID_subject_alt_name, NID_basic_constraints, NID_ext_key_usage, NID_ct_precert_scts};
	bool good = true;
	their_time(X509_get0_notBefore(theirs), &good);
	their_time(X509_get0_notAfter(theirs), &good);
	if (!good)
		return "parsed, time unusable";
	if (X509_get0_pubkey(theirs) == NULL)
		return "parsed, key unusable";
	if (X509_get_extension_flags(theirs) & EXFLAG_INVALID)
		return "parsed, extensions unusable";
	for (size_t i = 0; i < sizeof read / sizeof read[0]; i++)
		if (!extension_readable(theirs, read[i]))
			return "parsed, extensions unusable";
	return "parsed";
}

static void compare(struct view der)
{
	struct x509 ours;
	const uint8_t *at = der.data;
	char refused[WORD_MAX];
	ERR_clear_error();
	X509 *theirs = d2i_X509(NULL, &at, (long)der.length);
	unsigned long code = ERR_peek_error();
	const char *verdict = "-";
	if (theirs == NULL) {
		snprintf(refused, sizeof refused, "refused: %s", ERR_reason_error_string(code));
		verdict = refused;
	} else if (at != der.data + der.length) {
		verdict = "refused: more behind";
	}
	x509_read(der, &ours);
	run.certificates++;
	run.facts++;
	if (ours.malformed != NULL && verdict[0] == '-')
		verdict = later_fault(theirs);
	else if (ours.malformed != NULL)
		verdict = NULL; // both refuse
	if (verdict != NULL)
		compare_words("verdict", ours.malformed, verdict);
	if (theirs != NULL && ours.malformed == NULL)
		compare_facts(&ours, theirs);
	X509_free(theirs);
}

// --- which certificates ------------------------------------------------------------------------

static uint64_t random_state;

static uint32_t random_number(uint32_t below)
{
	random_state = random_state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t)((random_state >> 33) % below);
}

// One to three small changes: a bit, an octet, a tag, a length, an octet less or more.
static size_t damage(uint8_t *octets, size_t length)
{
	static const uint8_t favourites[] = {0, 1, 2, 3, 4, 5, 6, 0x0c, 0x13, 0x14, 0x16, 0x17,
	    0x18, 0x1c, 0x1e, 0x20, 0x30, 0x31, 0x7f, 0x80, 0x81, 0x82, 0x87, 0xa0, 0xa3, 0xff};
	unsigned times = 1 + random_number(3);
	for (unsigned i = 0; i < times && length > 1; i++) {
		size_t at = random_number((uint32_t)length);
		switch (random_number(8)) {
		case 0:
			memmove(octets + at, octets + at + 1, length - at - 1);
			length--;
			break;
		case 1:
			memmove(octets + at + 1, octets + at, length - at);
			length++;
			break;
		case 2:
		case 3:
			octets[at] = favourites[random_number(sizeof favourites)];
			break;
		case 4:
			octets[at]++;
			break;
		case 5:
			octets[at]--;
			break;
		default:
			octets[at] ^= (uint8_t)(1 << random_number(8));
			break;
		}
	}
	return length;
}

static unsigned mutations;

static void compare_mutated(struct view der)
{
	static uint8_t octets[CERTIFICATE_MAX + 3];
	if (mutations == 0) {
		compare(der);
		return;
	}
	if (der.length > CERTIFICATE_MAX)
		return;
	for (unsigned i = 0; i < mutations; i++) {
		memcpy(octets, der.data, der.length);
		size_t length = damage(octets, der.length);
		// A copy of its own, so that a sanitizer sees every octet read beside it.
		uint8_t *copy = malloc(length);
		if (copy == NULL)
			abort();
		memcpy(copy, octets, length);
		compare(view_of(copy, length));
		free(copy);
	}
}

static int compare_file(const char *path)
{
	BIO *file = BIO_new_file(path, "rb");
	char *name, *header;
	unsigned char *data;
	long length;
	unsigned found = 0;
	run.file = path;
	if (file == NULL)
		return 1;
	while (PEM_read_bio(file, &name, &header, &data, &length)) {
		if (strcmp(name, PEM_STRING_X509) == 0)
			compare_mutated(view_of(data, (size_t)length));
		found++;
		OPENSSL_free(name);
		OPENSSL_free(header);
		OPENSSL_free(data);
	}
	if (found == 0 && BIO_reset(file) == 0) {
		static uint8_t der[CERTIFICATE_MAX];
		int read = BIO_read(file, der, sizeof der);
		compare_mutated(view_of(der, read > 0 ? (size_t)read : 0));
	}
	BIO_free(file);
	return 0;
}

static void compare_recipes(void)
{
	static uint8_t der[CERTIFICATE_MAX];
	for (const struct certificate_recipe *recipe = certificate_recipes; recipe->name;
	     recipe++) {
		run.file = recipe->name;
		compare_mutated(view_of(der, certificate_make(recipe, der)));
	}
}

// An object identifier as der_text.h writes it.
static void oid_text(int nid, char *text, size_t size)
{
	const ASN1_OBJECT *object = OBJ_nid2obj(nid);
	size_t used = (size_t)snprintf(text, size, "06{");
	for (size_t i = 0; i < OBJ_length(object); i++)
		used +=
		    (size_t)snprintf(text + used, size - used, "%02x", OBJ_get0_data(object)[i]);
	snprintf(text + used, size - used, "}");
}

static bool has_octets(int nid)
{
	const ASN1_OBJECT *object = OBJ_nid2obj(nid);
	return object != NULL && OBJ_length(object) > 0;
}

static void compare_curves(uint8_t *der)
{
	EC_builtin_curve curves[256];
	size_t count = EC_get_builtin_curves(curves, sizeof curves / sizeof curves[0]);
	for (size_t i = 0; i < count; i++) {
		char oid[WORD_MAX], key[TEXT_MAX];
		if (!has_octets(curves[i].nid))
			continue;
		EC_GROUP *group = EC_GROUP_new_by_curve_name(curves[i].nid);
		char *point = EC_POINT_point2hex(
		    group, EC_GROUP_get0_generator(group), POINT_CONVERSION_UNCOMPRESSED, NULL);
		for (char *at = point; *at != '\0'; at++)
			*at = (char)(*at >= 'A' ? *at - 'A' + 'a' : *at);
		oid_text(curves[i].nid, oid, sizeof oid);
		snprintf(key, sizeof key, "30{30{06{2a8648ce3d0201} %s} 03{00 %s}}", oid, point);
		struct certificate_recipe recipe = {.name = oid, .key = key};
		run.file = OBJ_nid2sn(curves[i].nid);
		compare(view_of(der, certificate_make(&recipe, der)));
		OPENSSL_free(point);
		EC_GROUP_free(group);
	}
}

static void compare_object_identifiers(void)
{
	static uint8_t der[CERTIFICATE_MAX];
	for (int nid = 1; nid < OBJ_new_nid(0); nid++) {
		char oid[WORD_MAX], part[2 * WORD_MAX];
		if (!has_octets(nid))
			continue;
		oid_text(nid, oid, sizeof oid);
		run.file = OBJ_nid2sn(nid);
		snprintf(part, sizeof part, "30{31{30{%s 0c{'x'}}}}", oid);
		struct certificate_recipe attribute = {.subject = part};
		compare(view_of(der, certificate_make(&attribute, der)));
		if (!OBJ_find_sigid_algs(nid, NULL, NULL))
			continue;
		snprintf(part, sizeof part, "30{%s}", oid);
		struct certificate_recipe signature = {.algorithm = part, .outer_algorithm = part};
		compare(view_of(der, certificate_make(&signature, der)));
	}
	compare_curves(der);
}

int main(int count, char **arguments)
{
	int first = 1, failed = 0;
	if (count > 1 && strcmp(arguments[1], "--recipes") == 0) {
		compare_recipes();
		first = count;
	} else if (count > 1 && strcmp(arguments[1], "--names") == 0) {
		compare_object_identifiers();
		first = count;
	} else if (count > 2 && strcmp(arguments[1], "--mutate-recipes") == 0) {
		mutations = (unsigned)strtoul(arguments[2], NULL, 10);
		compare_recipes();
		first = count;
	} else if (count > 2 && strcmp(arguments[1], "--mutate") == 0) {
		mutations = (unsigned)strtoul(arguments[2], NULL, 10);
		first = 3;
	}
	for (int i = first; i < count; i++)
		failed |= compare_file(arguments[i]);
	printf("compared\t%u\t%u\n", run.certificates, run.facts);
	return failed;
}
