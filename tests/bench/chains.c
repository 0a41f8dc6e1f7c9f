// SPDX-License-Identifier: Apache-2.0
// What certificates cost: microseconds for a list that is known and for one that is new, bytes for what is
// remembered; beside SHA-256 of the same list and d2i_X509 of its first certificate, in the same run.
#include "analytics/chain_judge.h"

#include <malloc.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { LISTS = 400, LENGTH = 3, ROUNDS = 7, LIMIT = 256 << 20, AT = 1718409600 };

struct list {
	uint8_t *der[LENGTH];
	size_t length[LENGTH];
	uint8_t sha256[LENGTH][SHA256_BYTES];
};

struct kind {
	const char *name;
	EVP_PKEY *root_key, *issuer_key, *key;
	X509 *root;
	struct list lists[LISTS];
};

static void must(bool good)
{
	if (!good) {
		fputs("OpenSSL failed\n", stderr);
		exit(1);
	}
}

static double now(void)
{
	struct timespec time;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
	return (double)time.tv_sec * 1e6 + (double)time.tv_nsec / 1e3;
}

/* ---- making ---- */

static void extend(X509 *certificate, X509 *issuer, const char *name, const char *value)
{
	X509V3_CTX context;
	X509V3_set_ctx(&context, issuer, certificate, NULL, NULL, 0);
	X509_EXTENSION *extension = X509V3_EXT_nconf(NULL, &context, name, value);
	must(extension != NULL && X509_add_ext(certificate, extension, -1));
	X509_EXTENSION_free(extension);
}

static X509 *make(const char *subject, EVP_PKEY *key, X509 *issuer, EVP_PKEY *issuer_key, bool ca)
{
	static int serial;
	X509 *certificate = X509_new();
	must(certificate != NULL);
	issuer = issuer != NULL ? issuer : certificate;
	X509_NAME *name = X509_get_subject_name(certificate);
	must(X509_NAME_add_entry_by_txt(name, "O", V_ASN1_UTF8STRING,
	         (const unsigned char *)"An organisation like others", -1, -1, 0) &&
	     X509_NAME_add_entry_by_txt(
	         name, "CN", V_ASN1_UTF8STRING, (const unsigned char *)subject, -1, -1, 0) &&
	     X509_set_issuer_name(certificate, X509_get_subject_name(issuer)) &&
	     ASN1_INTEGER_set(X509_get_serialNumber(certificate), ++serial) &&
	     ASN1_TIME_set(X509_getm_notBefore(certificate), AT - 86400) != NULL &&
	     ASN1_TIME_set(X509_getm_notAfter(certificate), AT + 86400) != NULL &&
	     X509_set_version(certificate, X509_VERSION_3) && X509_set_pubkey(certificate, key));
	extend(
	    certificate, issuer, "basicConstraints", ca ? "critical,CA:TRUE" : "critical,CA:FALSE");
	extend(certificate, issuer, "keyUsage",
	    ca ? "critical,keyCertSign,cRLSign" : "critical,digitalSignature");
	extend(certificate, issuer, "subjectKeyIdentifier", "hash");
	extend(certificate, issuer, "authorityKeyIdentifier", "keyid");
	if (!ca) {
		extend(certificate, issuer, "extendedKeyUsage", "serverAuth,clientAuth");
		extend(certificate, issuer, "subjectAltName",
		    "DNS:mail.example.com,DNS:mx.example.com,DNS:smtp.example.com");
		extend(certificate, issuer, "crlDistributionPoints",
		    "URI:http://crl.example.net/an-issuer-like-others.crl");
	}
	must(X509_sign(certificate, issuer_key, EVP_sha256()) > 0);
	return certificate;
}

static void put(struct list *list, size_t position, X509 *certificate)
{
	int length = i2d_X509(certificate, &list->der[position]);
	must(length > 0);
	list->length[position] = (size_t)length;
	SHA256(list->der[position], list->length[position], list->sha256[position]);
}

// Every list has a leaf and an issuer of its own under one root, which is sent too.
static void make_lists(struct kind *kind)
{
	kind->root = make("The root", kind->root_key, NULL, kind->root_key, true);
	for (size_t i = 0; i < LISTS; i++) {
		char name[32];
		snprintf(name, sizeof name, "Issuer %zu", i);
		X509 *issuer = make(name, kind->issuer_key, kind->root, kind->root_key, true);
		X509 *leaf = make("mail.example.com", kind->key, issuer, kind->issuer_key, false);
		put(&kind->lists[i], 0, leaf);
		put(&kind->lists[i], 1, issuer);
		put(&kind->lists[i], 2, kind->root);
		X509_free(leaf);
		X509_free(issuer);
	}
}

static struct trust_store *open_trust(const struct kind *kind)
{
	char path[] = "/tmp/mailtap-bench-XXXXXX";
	struct error error;
	int file = mkstemp(path);
	must(file >= 0);
	uint8_t *der = NULL;
	int length = i2d_X509(kind->root, &der);
	must(length > 0 && write(file, der, (size_t)length) == length);
	close(file);
	const char *const files[] = {path};
	struct trust_store_options options = {.ca_files = files, .ca_file_count = 1};
	struct trust_store *trust = trust_store_create(&options, &error);
	unlink(path);
	OPENSSL_free(der);
	must(trust != NULL);
	return trust;
}

/* ---- measuring ---- */

static void add_list(struct certificate_store *certificates, const struct list *list)
{
	bool is_new;
	for (size_t i = 0; i < LENGTH; i++)
		must(certificate_store_add(certificates, list->sha256[i],
		         view_of(list->der[i], list->length[i]), 0, CERTIFICATE_SERVER,
		         &is_new) != NULL);
}

static void judge_list(struct chain_judge *judge, const struct list *list)
{
	struct chain_judgement judgement;
	must(chain_judge(judge, list->sha256, LENGTH, CERTIFICATE_SERVER, AT, &judgement) &&
	     judgement.trust_known);
	if (judgement.faults != 0) {
		printf("faults %x\n", judgement.faults);
		exit(1);
	}
}

struct figures {
	double hash, parse, fresh, again, stored, cached; // microseconds a list, bytes
};

static void keep_least(double *least, double value)
{
	if (*least == 0 || value < *least)
		*least = value;
}

static void measure_references(const struct kind *kind, struct figures *figures)
{
	uint8_t sha256[SHA256_BYTES];
	EVP_MD *md = EVP_MD_fetch(NULL, "SHA256", NULL);
	double begin = now();
	for (size_t i = 0; i < LISTS; i++)
		for (size_t at = 0; at < LENGTH; at++)
			EVP_Digest(kind->lists[i].der[at], kind->lists[i].length[at], sha256, NULL,
			    md, NULL);
	keep_least(&figures->hash, (now() - begin) / LISTS);
	EVP_MD_free(md);
	begin = now();
	for (size_t i = 0; i < LISTS; i++) {
		const uint8_t *at = kind->lists[i].der[0];
		X509_free(d2i_X509(NULL, &at, (long)kind->lists[i].length[0]));
	}
	keep_least(&figures->parse, (now() - begin) / LISTS);
}

static void measure(const struct kind *kind, struct figures *figures)
{
	enum { REPEATS = 20 };
	struct trust_store *trust = open_trust(kind);
	struct certificate_store *certificates = certificate_store_create(LIMIT);
	struct chain_judge *judge = chain_judge_create(certificates, trust, LIMIT);
	double begin = now();
	for (size_t i = 0; i < LISTS; i++) {
		add_list(certificates, &kind->lists[i]);
		judge_list(judge, &kind->lists[i]);
		certificate_store_trim(certificates);
	}
	keep_least(&figures->fresh, (now() - begin) / LISTS);
	begin = now();
	for (size_t i = 0; i < REPEATS * LISTS; i++)
		judge_list(judge, &kind->lists[i % LISTS]);
	keep_least(&figures->again, (now() - begin) / LISTS / REPEATS);
	struct chain_judge_counters counters = chain_judge_counters(judge);
	must(counters.verified == LISTS && counters.known == REPEATS * LISTS);
	figures->cached = (double)counters.bytes / (double)counters.cached;
	chain_judge_destroy(judge);
	certificate_store_destroy(certificates);
	trust_store_destroy(trust);
}

// Bytes that malloc has handed out for a stored certificate that is not parsed, and what the store
// counts for it.
static void measure_store(const struct kind *kind, double *used, double *counted)
{
	bool is_new;
	struct certificate_store *certificates = certificate_store_create(LIMIT);
	size_t before = mallinfo2().uordblks, bytes = 0;
	for (size_t i = 0; i < LISTS; i++)
		must(certificate_store_add(certificates, kind->lists[i].sha256[0],
		         view_of(kind->lists[i].der[0], kind->lists[i].length[0]), 0,
		         CERTIFICATE_SERVER, &is_new) != NULL);
	for (size_t i = 0; i < LISTS; i++)
		bytes += kind->lists[i].length[0];
	*used = (double)(mallinfo2().uordblks - before - bytes) / LISTS;
	*counted = (double)(certificate_store_counters(certificates).bytes - bytes) / LISTS;
	certificate_store_destroy(certificates);
}

static void bench(struct kind *kind)
{
	struct figures figures = {0};
	double used, counted;
	make_lists(kind);
	for (int round = 0; round < ROUNDS; round++) {
		measure_references(kind, &figures);
		measure(kind, &figures);
	}
	measure_store(kind, &used, &counted);
	printf("%s, %d certificates, %zu bytes\n", kind->name, LENGTH,
	    kind->lists[0].length[0] + kind->lists[0].length[1] + kind->lists[0].length[2]);
	printf("  SHA-256 of the list          %8.2f us\n", figures.hash);
	printf("  d2i_X509 of the first        %8.2f us\n", figures.parse);
	printf("  a known list                 %8.3f us   %.2f of SHA-256\n", figures.again,
	    figures.again / figures.hash);
	printf("  a new list                   %8.1f us   %.1f of d2i_X509\n", figures.fresh,
	    figures.fresh / figures.parse);
	printf("  a list remembered            %8.0f bytes\n", figures.cached);
	printf("  a certificate beside its DER %8.0f bytes, %.0f of them counted\n", used, counted);
	for (size_t i = 0; i < LISTS; i++)
		for (size_t at = 0; at < LENGTH; at++)
			OPENSSL_free(kind->lists[i].der[at]);
	X509_free(kind->root);
}

int main(void)
{
	static struct kind rsa = {.name = "RSA 2048"}, ec = {.name = "P-256"};
	rsa.root_key = EVP_RSA_gen(2048);
	rsa.issuer_key = EVP_RSA_gen(2048);
	rsa.key = EVP_RSA_gen(2048);
	bench(&rsa);
	ec.root_key = EVP_EC_gen("prime256v1");
	ec.issuer_key = EVP_EC_gen("prime256v1");
	ec.key = EVP_EC_gen("prime256v1");
	bench(&ec);
	for (struct kind *kind = &rsa; kind != NULL; kind = kind == &rsa ? &ec : NULL) {
		EVP_PKEY_free(kind->root_key);
		EVP_PKEY_free(kind->issuer_key);
		EVP_PKEY_free(kind->key);
	}
	return 0;
}
