// SPDX-License-Identifier: Apache-2.0
// `openssl verify -attime` on every kind of certificate list (chain_cases.c): where it finds nothing, the
// table must have nothing, and what it finds must be in the table, but for what the table gives a reason
// for. (That the judge says what the table has is the test chain_judge.)
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/unit/chain_cases.h"

#include <openssl/x509_vfy.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

// What OpenSSL is not asked for, or has no notion of.
static const unsigned ours = FAULT_WRONG_ORDER;

// What the command said.
struct answer {
	bool good;
	bool in_table; // of the errors it named, each is in the table
	bool any; // it named errors
	char text[4096];
};

static const struct {
	int error;
	unsigned faults; // any of these; 0: not to be judged here
} faults_of_errors[] = {
    {X509_V_ERR_CERT_HAS_EXPIRED, FAULT_EXPIRED},
    {X509_V_ERR_CERT_NOT_YET_VALID, FAULT_NOT_YET_VALID},
    {X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT, FAULT_SELF_SIGNED},
    {X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY,
        FAULT_UNTRUSTED | FAULT_INCOMPLETE_CHAIN |
            FAULT_MALFORMED}, // extensions that cannot be read
    {X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT, FAULT_UNTRUSTED | FAULT_INCOMPLETE_CHAIN},
    {X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE, FAULT_UNTRUSTED | FAULT_INCOMPLETE_CHAIN},
    {X509_V_ERR_EE_KEY_TOO_SMALL, FAULT_WEAK_KEY | FAULT_MALFORMED}, // or cannot be read
    {X509_V_ERR_CA_KEY_TOO_SMALL, FAULT_WEAK_KEY},
    {X509_V_ERR_CA_MD_TOO_WEAK, FAULT_WEAK_SIGNATURE},
    {X509_V_ERR_CERT_REVOKED, FAULT_REVOKED},
    {X509_V_ERR_UNABLE_TO_GET_CRL, 0},
    {X509_V_ERR_CRL_HAS_EXPIRED, 0},
    {X509_V_ERR_CRL_NOT_YET_VALID, 0},
    {X509_V_ERR_INVALID_PURPOSE, FAULT_NOT_A_SERVER_CERTIFICATE | FAULT_UNTRUSTED},
};

static unsigned faults_of(int error)
{
	for (size_t i = 0; i < sizeof faults_of_errors / sizeof faults_of_errors[0]; i++)
		if (faults_of_errors[i].error == error)
			return faults_of_errors[i].faults;
	return FAULT_UNTRUSTED;
}

static void write_names(
    struct pki *pki, const char *path, const char *names, size_t from, size_t until)
{
	char name[64];
	fclose(fopen(path, "w"));
	for (size_t i = 0; chain_cases_next(&names, name); i++)
		if (i >= from && i < until)
			pki_write_pem(path, "a", "CERTIFICATE", pki_der(pki, name));
}

static void write_crls(struct pki *pki, const char *path, const char *names)
{
	char name[64];
	fclose(fopen(path, "w"));
	while (chain_cases_next(&names, name))
		pki_write_pem(path, "a", "X509 CRL", pki_crl_der(pki, name));
}

static void run(const char *command, unsigned faults, struct answer *answer)
{
	FILE *output = popen(command, "r");
	assert_non_null(output);
	answer->in_table = true;
	answer->any = false;
	answer->text[fread(answer->text, 1, sizeof answer->text - 1, output)] = '\0';
	answer->good = WEXITSTATUS(pclose(output)) == 0;
	for (const char *at = answer->text; (at = strstr(at, "error ")) != NULL; at += 6) {
		int error;
		if (sscanf(at, "error %d at", &error) != 1 || faults_of(error) == 0)
			continue;
		answer->any = true;
		answer->in_table = answer->in_table && (faults_of(error) & faults) != 0;
	}
}

// Asks the command. `more_untrusted`: what else may be on the path, besides what was sent.
static void ask(struct pki *pki, const struct chain_case *one, unsigned faults,
    const char *more_untrusted, const char *directory, struct answer *answer)
{
	char path[128], command[1024];
	snprintf(path, sizeof path, "%s/anchors", directory);
	write_names(pki, path, one->anchors != NULL ? one->anchors : "root", 0, SIZE_MAX);
	snprintf(path, sizeof path, "%s/first", directory);
	write_names(pki, path, one->sent, 0, 1);
	snprintf(path, sizeof path, "%s/others", directory);
	write_names(pki, path, one->sent, 1, SIZE_MAX);
	for (char name[64]; chain_cases_next(&more_untrusted, name);)
		pki_write_pem(path, "a", "CERTIFICATE", pki_der(pki, name));
	snprintf(path, sizeof path, "%s/crls", directory);
	write_crls(pki, path, one->crls != NULL ? one->crls : "");
	snprintf(command, sizeof command,
	    "cd %s && openssl verify -no-CApath -no-CAstore -CAfile anchors -partial_chain "
	    "-auth_level 2 -attime %lld %s %s $(test -s others && echo -untrusted others) first "
	    "2>&1",
	    directory, (long long)pki_time(one->at != NULL ? one->at : "20240615"),
	    one->from_client ? "" : "-purpose sslserver",
	    one->crls != NULL ? "-CRLfile crls -crl_check" : "");
	run(command, faults, answer);
}

// True if the answer is what the table has.
static bool agrees(const struct answer *answer, unsigned faults)
{
	faults &= ~ours;
	if (answer->good)
		return faults == 0;
	if (strstr(answer->text, "Could not read") != NULL ||
	    strstr(answer->text, "Unable to load") != NULL)
		return (faults & FAULT_MALFORMED) != 0;
	return faults != 0 && answer->any && answer->in_table;
}

static bool check_case(struct pki *pki, const struct chain_case *one, const char *directory)
{
	struct answer answer;
	if (one->versions_differ != NULL)
		return true;
	ask(pki, one, one->faults, "", directory, &answer);
	bool good = agrees(&answer, one->faults) == (one->differs == NULL);
	if (good && (one->faults & FAULT_INCOMPLETE_CHAIN)) {
		unsigned faults = one->faults & ~(unsigned)FAULT_INCOMPLETE_CHAIN;
		ask(pki, one, faults, one->shown, directory, &answer);
		good = agrees(&answer, faults);
	}
	if (!good)
		print_message("%s: %s\nopenssl%s:\n%s", one->what, one->sent,
		    one->differs != NULL ? " was to differ" : "", answer.text);
	return good;
}

static void openssl_verify_agrees(void **state)
{
	char directory[] = "/tmp/mailtap-openssl-XXXXXX", command[64];
	size_t wrong = 0;
	if (system("openssl version >/dev/null 2>&1") != 0) {
		print_message("# no openssl on this system\n"); // skip() is no TAP
		return;
	}
	struct pki *pki = chain_cases_pki();
	assert_non_null(mkdtemp(directory));
	for (size_t i = 0; i < chain_case_count; i++)
		if (!(chain_cases[i].anchors != NULL && chain_cases[i].anchors[0] == '\0'))
			wrong += !check_case(pki, &chain_cases[i], directory);
	snprintf(command, sizeof command, "rm -r %s", directory);
	assert_int_equal(system(command), 0);
	pki_destroy(pki);
	(void)state;
	assert_int_equal(wrong, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(openssl_verify_agrees),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
