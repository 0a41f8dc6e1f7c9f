// SPDX-License-Identifier: Apache-2.0
// Anchors and CRLs out of files and directories: what is taken, what is counted as damaged, what is an
// error and how it reads.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "analytics/trust_store.h"
#include "tests/unit/chain_cases.h"

#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct lab {
	struct pki *pki;
	char directory[64];
	char paths[16][128];
	size_t paths_used;
};

static struct lab lab;

// A path in the test's directory, good for a while.
static const char *path_of(const char *name)
{
	char *path = lab.paths[lab.paths_used++ % 16];
	snprintf(path, sizeof lab.paths[0], "%s/%s", lab.directory, name);
	return path;
}

static void write_text(const char *path, const char *mode, const char *text)
{
	FILE *file = fopen(path, mode);
	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static void write_certificate(const char *path, const char *name)
{
	pki_write_pem(path, "a", "CERTIFICATE", pki_der(lab.pki, name));
}

static void write_der(const char *path, struct view der)
{
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	assert_int_equal(fwrite(der.data, 1, der.length, file), der.length);
	assert_int_equal(fclose(file), 0);
}

enum source { CA_FILE, CA_DIRECTORY, CRL_DIRECTORY };

static struct trust_store *open_store(enum source source, const char *path, struct error *error)
{
	const char *const paths[] = {path};
	struct trust_store_options options = {.default_file = path_of("none")};
	if (source == CA_FILE)
		options = (struct trust_store_options){.ca_files = paths, .ca_file_count = 1};
	if (source == CA_DIRECTORY)
		options =
		    (struct trust_store_options){.ca_directories = paths, .ca_directory_count = 1};
	if (source == CRL_DIRECTORY) {
		options.crl_directories = paths;
		options.crl_directory_count = 1;
	}
	return trust_store_create(&options, error);
}

// Opens a store that must open, and tells what is in it.
static struct trust_store_counters counted(enum source source, const char *path)
{
	struct error error;
	struct trust_store *store = open_store(source, path, &error);
	if (store == NULL)
		fail_msg("%s", error.text);
	assert_string_equal(error.text, "");
	struct trust_store_counters counters = trust_store_counters(store);
	trust_store_destroy(store);
	return counters;
}

static void assert_refused(
    enum source source, const char *path, const char *first, const char *second)
{
	struct error error;
	assert_null(open_store(source, path, &error));
	assert_non_null(strstr(error.text, path));
	if (strstr(error.text, first) == NULL || strstr(error.text, second) == NULL)
		fail_msg("%s", error.text);
}

/* ---- files ---- */

static void files_of_certificates(void **state)
{
	(void)state;
	const char *path = path_of("bundle");
	write_text(path, "w", "# a comment\nRoot\n====\n");
	write_certificate(path, "root");
	write_text(path, "a", "\nsome more text, without -----BEGIN\n");
	write_certificate(path, "other");
	write_certificate(path, "root"); // again
	write_certificate(path, "leaf");
	struct trust_store_counters counters = counted(CA_FILE, path);
	assert_int_equal(counters.anchors, 3);
	assert_int_equal(counters.damaged, 0);
	assert_int_equal(counters.crls, 0);
	write_der(path, pki_der(lab.pki, "root"));
	assert_int_equal(counted(CA_FILE, path).anchors, 1);
}

static void other_things_in_files(void **state)
{
	(void)state;
	const char *path = path_of("things");
	write_text(path, "w", "");
	pki_write_pem(path, "a", "PRIVATE KEY", view_of((const uint8_t *)"secret", 6));
	pki_write_pem(path, "a", "X509 CRL", pki_crl_der(lab.pki, "crl"));
	pki_write_pem(path, "a", "X509 CERTIFICATE", pki_der(lab.pki, "root"));
	write_text(path, "a", "-----BEGIN CERTIFICATE-----\n****\n-----END CERTIFICATE-----\n");
	write_text(path, "a", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
	write_text(path, "a", "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n");
	pki_write_pem(path, "a", "CERTIFICATE", pki_der(lab.pki, "cut"));
	write_certificate(path, "other");
	write_text(path, "a", "-----BEGIN CERTIFICATE-----\nMIIB");
	struct trust_store_counters counters = counted(CA_FILE, path);
	assert_int_equal(counters.anchors, 2);
	assert_in_range(counters.damaged, 4, 5); // the last one may not be taken for one
}

static void files_that_are_errors(void **state)
{
	(void)state;
	const char *path = path_of("nothing");
	assert_refused(CA_FILE, path, "--ca-file", "No such file");
	assert_refused(CA_FILE, lab.directory, "--ca-file", "directory");
	write_text(path, "w", "");
	assert_refused(CA_FILE, path, "--ca-file", "no certificate in it");
	write_text(path, "w", "no PEM\n");
	assert_refused(CA_FILE, path, "--ca-file", "no certificate in it");
	pki_write_pem(path, "w", "X509 CRL", pki_crl_der(lab.pki, "crl"));
	assert_refused(CA_FILE, path, "--ca-file", "no certificate in it");
	pki_write_pem(path, "w", "CERTIFICATE", pki_der(lab.pki, "cut"));
	assert_refused(CA_FILE, path, "--ca-file", "1 damaged");
	write_der(path, pki_der(lab.pki, "cut"));
	assert_refused(CA_FILE, path, "--ca-file", "1 damaged");
}

// OpenSSL's own form, with what the certificate is trusted for behind it.
static void certificates_with_trust_settings(void **state)
{
	(void)state;
	const char *path = path_of("trusted");
	struct view der = pki_der(lab.pki, "root");
	const uint8_t *at = der.data;
	X509 *root = d2i_X509(NULL, &at, (long)der.length);
	assert_int_equal(X509_alias_set1(root, (const unsigned char *)"Root", 4), 1);
	FILE *file = fopen(path, "w");
	assert_int_equal(PEM_write_X509_AUX(file, root), 1);
	fclose(file);
	X509_free(root);
	struct error error;
	struct trust_store *store = open_store(CA_FILE, path, &error);
	assert_non_null(store);
	struct x509 facts;
	x509_read(pki_der(lab.pki, "int"), &facts);
	const struct trust_anchor *anchor = trust_store_find(store, facts.issuer);
	assert_non_null(anchor);
	assert_int_equal(anchor->facts.der.length, der.length);
	assert_non_null(trust_anchor_parsed(store, anchor));
	trust_store_destroy(store);
}

/* ---- directories ---- */

static void directories_of_certificates(void **state)
{
	(void)state;
	const char *path = path_of("directory");
	mkdir(path, 0700);
	assert_refused(CA_DIRECTORY, path, "--ca-dir", "no certificate in it");
	write_text(path_of("directory/README"), "w", "these are trusted\n");
	write_certificate(path_of("directory/b.pem"), "root");
	write_certificate(path_of("directory/.hidden"), "other");
	path = path_of("directory");
	assert_int_equal(counted(CA_DIRECTORY, path).anchors, 1);
	assert_int_equal(symlink("b.pem", path_of("directory/0123abcd.0")), 0);
	assert_int_equal(symlink("gone.pem", path_of("directory/0123abcd.1")), 0);
	mkdir(path_of("directory/below"), 0700);
	write_certificate(path_of("directory/below/c.pem"), "other");
	write_der(path_of("directory/other.der"), pki_der(lab.pki, "twin-a"));
	path = path_of("directory");
	struct trust_store_counters counters = counted(CA_DIRECTORY, path);
	assert_int_equal(counters.anchors, 2);
	assert_int_equal(counters.damaged, 1); // the link that leads nowhere
	assert_refused(CA_DIRECTORY, path_of("no such"), "--ca-dir", "No such file");
	assert_refused(CA_DIRECTORY, path_of("directory/b.pem"), "--ca-dir", "Not a directory");
}

static void directories_of_crls(void **state)
{
	(void)state;
	const char *path = path_of("crls");
	mkdir(path, 0700);
	assert_refused(CRL_DIRECTORY, path, "--crl-dir", "no CRL in it");
	pki_write_pem(path_of("crls/int.pem"), "w", "X509 CRL", pki_crl_der(lab.pki, "crl"));
	pki_write_pem(path_of("crls/int.pem"), "a", "X509 CRL", pki_crl_der(lab.pki, "crl-stale"));
	write_der(path_of("crls/root.crl"), pki_crl_der(lab.pki, "crl-root"));
	write_certificate(path_of("crls/root.pem"), "root");
	path = path_of("crls");
	struct trust_store_counters counters = counted(CRL_DIRECTORY, path);
	assert_int_equal(counters.crls, 3);
	assert_int_equal(counters.crls_damaged, 0);
	assert_int_equal(counters.anchors, 0);
	pki_write_pem(
	    path_of("crls/odd.pem"), "w", "X509 CRL", pki_crl_der(lab.pki, "crl-not-understood"));
	write_der(path_of("crls/certificate.der"), pki_der(lab.pki, "root"));
	write_der(path_of("crls/longer.der"), pki_crl_der(lab.pki, "crl-root"));
	write_text(path_of("crls/longer.der"), "a", "\n");
	path = path_of("crls");
	counters = counted(CRL_DIRECTORY, path);
	assert_int_equal(counters.crls, 3);
	assert_int_equal(counters.crls_damaged, 3);
	assert_refused(CRL_DIRECTORY, path_of("no such"), "--crl-dir", "No such file");
}

/* ---- several, and none ---- */

static void several_are_one_store(void **state)
{
	(void)state;
	struct error error;
	char text[512];
	const char *one = path_of("one"), *two = path_of("two"), *three = path_of("three");
	write_certificate(one, "root");
	write_certificate(two, "other");
	write_certificate(two, "root");
	mkdir(three, 0700);
	const char *const files[] = {one, two}, *const directories[] = {three};
	struct trust_store_options options = {.ca_files = files,
	    .ca_file_count = 2,
	    .ca_directories = directories,
	    .ca_directory_count = 1,
	    .default_file = one};
	assert_null(trust_store_create(&options, &error)); // the directory is empty
	write_certificate(path_of("three/twin"), "twin-a");
	struct trust_store *store = trust_store_create(&options, &error);
	assert_non_null(store);
	assert_int_equal(trust_store_counters(store).anchors, 3);
	snprintf(text, sizeof text,
	    "%s/one (1 certificate), %s/two (2 certificates), %s/three (1 certificate)",
	    lab.directory, lab.directory, lab.directory);
	assert_string_equal(trust_store_description(store), text);
	trust_store_destroy(store);
}

static void endlessly_many_are_described_shortly(void **state)
{
	enum { FILES = 60 };
	(void)state;
	struct error error;
	const char *path = path_of("one of many files with a name that is not short at all");
	const char *files[FILES];
	write_certificate(path, "root");
	for (size_t i = 0; i < FILES; i++)
		files[i] = path;
	struct trust_store_options options = {.ca_files = files, .ca_file_count = FILES};
	struct trust_store *store = trust_store_create(&options, &error);
	assert_non_null(store);
	assert_true(strlen(trust_store_description(store)) < 1024);
	assert_int_equal(trust_store_counters(store).anchors, 1);
	trust_store_destroy(store);
}

static void the_default(void **state)
{
	(void)state;
	struct error error;
	struct trust_store_options options = {.default_file = path_of("default")};
	struct trust_store *store = trust_store_create(&options, &error);
	assert_non_null(store); // missing, but that is no error
	assert_int_equal(trust_store_counters(store).anchors, 0);
	assert_non_null(strstr(trust_store_description(store), "default (cannot be read)"));
	assert_null(trust_store_find(store, pki_der(lab.pki, "root")));
	trust_store_destroy(store);
	write_certificate(path_of("default"), "root");
	options.default_file = path_of("default");
	store = trust_store_create(&options, &error);
	assert_int_equal(trust_store_counters(store).anchors, 1);
	trust_store_destroy(store);
}

// All anchors of the system, where it has any: each is found by its own name and read by OpenSSL.
static void the_systems_own(void **state)
{
	(void)state;
	struct error error;
	struct trust_store_options options = {0};
	if (access(TRUST_STORE_DEFAULT, R_OK) != 0) {
		print_message("# no " TRUST_STORE_DEFAULT " on this system\n"); // skip() is no TAP
		return;
	}
	struct trust_store *store = trust_store_create(&options, &error);
	assert_non_null(store);
	assert_int_equal(trust_store_counters(store).damaged, 0);
	BIO *bundle = BIO_new_file(TRUST_STORE_DEFAULT, "r");
	size_t count = 0;
	for (X509 *one; (one = PEM_read_bio_X509(bundle, NULL, NULL, NULL)) != NULL; count++) {
		uint8_t *der = NULL;
		int length = i2d_X509_NAME(X509_get_subject_name(one), &der);
		const struct trust_anchor *anchor =
		    trust_store_find(store, view_of(der, (size_t)length));
		while (anchor != NULL && X509_cmp(trust_anchor_parsed(store, anchor), one) != 0)
			anchor = anchor->next_same;
		assert_non_null(anchor);
		OPENSSL_free(der);
		X509_free(one);
	}
	BIO_free(bundle);
	assert_int_equal(count, trust_store_counters(store).anchors);
	trust_store_destroy(store);
	trust_store_destroy(NULL);
}

static int set_up(void **state)
{
	(void)state;
	lab.pki = chain_cases_pki();
	strcpy(lab.directory, "/tmp/mailtap-trust-XXXXXX");
	return mkdtemp(lab.directory) == NULL;
}

static int tear_down(void **state)
{
	char command[128];
	(void)state;
	pki_destroy(lab.pki);
	snprintf(command, sizeof command, "rm -r %s", lab.directory);
	return system(command);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(files_of_certificates),
	    cmocka_unit_test(other_things_in_files),
	    cmocka_unit_test(files_that_are_errors),
	    cmocka_unit_test(certificates_with_trust_settings),
	    cmocka_unit_test(directories_of_certificates),
	    cmocka_unit_test(directories_of_crls),
	    cmocka_unit_test(several_are_one_store),
	    cmocka_unit_test(endlessly_many_are_described_shortly),
	    cmocka_unit_test(the_default),
	    cmocka_unit_test(the_systems_own),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
