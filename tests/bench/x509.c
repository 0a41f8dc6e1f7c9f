// SPDX-License-Identifier: Apache-2.0
// What reading a certificate costs: x509_read, alone and with its names as text, beside OpenSSL's
// d2i_X509 and beside SHA-256 of the same octets. Takes files of certificates (PEM). The four take
// turns, of each the fastest round counts; the ratios mean something on any machine.
#include "decode/x509.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { CERTIFICATES_MAX = 4096, ROUNDS = 15, REPEAT = 20, TEXT_SIZE = 1024 };

static struct view certificates[CERTIFICATES_MAX];
static size_t count, octets;

// What the work leaves behind, so that none of it can be left out.
static volatile uint64_t result;

static void read_facts(void)
{
	struct x509 facts;
	for (size_t i = 0; i < count; i++) {
		x509_read(certificates[i], &facts);
		result += facts.key_bits + (facts.malformed != NULL);
	}
}

static void read_facts_and_names(void)
{
	uint8_t text[TEXT_SIZE];
	struct x509 facts;
	struct view name;
	enum x509_name_type type;
	for (size_t i = 0; i < count; i++) {
		x509_read(certificates[i], &facts);
		result += x509_name_text(facts.subject, text, sizeof text);
		result += x509_name_text(facts.issuer, text, sizeof text);
		while (x509_next_name(&facts.alternative_names, &type, &name))
			result += name.length;
	}
}

static void parse_with_openssl(void)
{
	for (size_t i = 0; i < count; i++) {
		const uint8_t *at = certificates[i].data;
		X509 *parsed = d2i_X509(NULL, &at, (long)certificates[i].length);
		result += parsed != NULL;
		X509_free(parsed);
	}
}

static void hash(void)
{
	static EVP_MD_CTX *context;
	static EVP_MD *sha256;
	uint8_t digest[EVP_MAX_MD_SIZE];
	if (context == NULL) {
		context = EVP_MD_CTX_new();
		sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
	}
	for (size_t i = 0; i < count; i++) {
		EVP_DigestInit_ex(context, sha256, NULL);
		EVP_DigestUpdate(context, certificates[i].data, certificates[i].length);
		EVP_DigestFinal_ex(context, digest, NULL);
		result += digest[0];
	}
}

static double processor_seconds(void)
{
	struct timespec now;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void load(const char *path)
{
	BIO *file = BIO_new_file(path, "r");
	char *name, *header;
	unsigned char *data;
	long length;
	while (file != NULL && count < CERTIFICATES_MAX &&
	       PEM_read_bio(file, &name, &header, &data, &length)) {
		if (strcmp(name, PEM_STRING_X509) == 0) {
			certificates[count++] = view_of(data, (size_t)length);
			octets += (size_t)length;
		}
	}
	BIO_free(file);
}

int main(int argument_count, char **arguments)
{
	static const struct task {
		const char *name;
		void (*run)(void);
		unsigned repeat;
	} tasks[] = {
	    {"x509_read", read_facts, REPEAT},
	    {"x509_read, names as text", read_facts_and_names, REPEAT},
	    {"SHA-256", hash, REPEAT},
	    {"d2i_X509", parse_with_openssl, 1},
	};
	enum { TASKS = sizeof tasks / sizeof tasks[0] };
	double best[TASKS];
	for (int i = 1; i < argument_count; i++)
		load(arguments[i]);
	if (count == 0) {
		fprintf(stderr, "usage: bench-x509 FILE...   (certificates, PEM)\n");
		return 2;
	}
	for (unsigned round = 0; round < ROUNDS; round++) {
		for (size_t i = 0; i < TASKS; i++) {
			double begin = processor_seconds();
			for (unsigned again = 0; again < tasks[i].repeat; again++)
				tasks[i].run();
			double one =
			    (processor_seconds() - begin) / (tasks[i].repeat * (double)count);
			if (round == 0 || one < best[i])
				best[i] = one;
		}
	}
	printf("%zu certificates, %zu octets on average\n", count, octets / count);
	for (size_t i = 0; i < TASKS; i++)
		printf("%-26s %9.0f ns a certificate, %8.3f of SHA-256, %8.5f of d2i_X509\n",
		    tasks[i].name, best[i] * 1e9, best[i] / best[TASKS - 2],
		    best[i] / best[TASKS - 1]);
	return 0;
}
