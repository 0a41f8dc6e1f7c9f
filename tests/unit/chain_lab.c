// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/unit/chain_lab.h"

#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void write_anchors(struct chain_lab *lab, const char *names, const char *path)
{
	char name[64];
	while (chain_cases_next(&names, name))
		pki_write_pem(path, "a", "CERTIFICATE", pki_der(lab->pki, name));
}

static void write_crls(struct chain_lab *lab, const char *names, const char *directory)
{
	char name[64], path[256];
	while (chain_cases_next(&names, name)) {
		snprintf(path, sizeof path, "%s/%s.pem", directory, name);
		pki_write_pem(path, "w", "X509 CRL", pki_crl_der(lab->pki, name));
	}
}

static struct trust_store *open_trust(struct chain_lab *lab, const char *anchors, const char *crls)
{
	char file[128], directory[128];
	struct error error;
	snprintf(file, sizeof file, "%s/anchors.pem", lab->directory);
	snprintf(directory, sizeof directory, "%s/crls", lab->directory);
	const char *const files[] = {file}, *const directories[] = {directory};
	struct trust_store_options options = {
	    .ca_files = files, .crl_directories = directories, .default_file = file};
	write_anchors(lab, anchors, file);
	options.ca_file_count = anchors[0] != '\0';
	if (crls != NULL) {
		char command[256];
		snprintf(command, sizeof command, "mkdir -p %s", directory);
		assert_int_equal(system(command), 0);
		write_crls(lab, crls, directory);
		options.crl_directory_count = 1;
	}
	struct trust_store *trust = trust_store_create(&options, &error);
	if (trust == NULL)
		fail_msg("%s", error.text);
	return trust;
}

void chain_lab_open(
    struct chain_lab *lab, struct pki *pki, const char *anchors, const char *crls, size_t bytes)
{
	*lab = (struct chain_lab){.pki = pki};
	strcpy(lab->directory, "/tmp/mailtap-chain-XXXXXX");
	assert_non_null(mkdtemp(lab->directory));
	lab->trust = open_trust(lab, anchors, crls);
	lab->certificates = certificate_store_create(bytes);
	assert_non_null(lab->certificates);
	lab->judge = chain_judge_create(lab->certificates, lab->trust, bytes);
	assert_non_null(lab->judge);
}

void chain_lab_close(struct chain_lab *lab)
{
	char command[128];
	chain_judge_destroy(lab->judge);
	certificate_store_destroy(lab->certificates);
	trust_store_destroy(lab->trust);
	snprintf(command, sizeof command, "rm -r %s", lab->directory);
	assert_int_equal(system(command), 0);
}

void chain_lab_hash(struct chain_lab *lab, const char *name, uint8_t sha256[SHA256_BYTES])
{
	struct view der = pki_der(lab->pki, name);
	SHA256(der.data, der.length, sha256);
}

size_t chain_lab_show(struct chain_lab *lab, const char *names, uint8_t (*chain)[SHA256_BYTES])
{
	char name[64];
	size_t count = 0;
	bool is_new;
	for (; chain_cases_next(&names, name); count++) {
		struct view der = pki_der(lab->pki, name);
		SHA256(der.data, der.length, chain[count]);
		assert_non_null(certificate_store_add(lab->certificates, chain[count], der, 0,
		    count == 0 ? CERTIFICATE_SERVER : CERTIFICATE_ISSUER, &is_new));
	}
	return count;
}

struct chain_judgement chain_lab_judge(
    struct chain_lab *lab, const char *sent, enum certificate_role role, int64_t at)
{
	uint8_t chain[CHAIN_CERTIFICATES_MAX][SHA256_BYTES];
	struct chain_judgement judgement;
	size_t count = chain_lab_show(lab, sent, chain);
	assert_true(chain_judge(
	    lab->judge, (const uint8_t(*)[SHA256_BYTES])chain, count, role, at, &judgement));
	certificate_store_trim(lab->certificates);
	return judgement;
}
