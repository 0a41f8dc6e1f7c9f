// SPDX-License-Identifier: Apache-2.0
// The certificates of a run: each once, those not used for longest give way, issuers are found by name
// however many strangers bear it.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "analytics/certificate_store.h"
#include "tests/unit/chain_cases.h"

#include <openssl/sha.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>

enum { BYTES = 1 << 20 };

static struct pki *pki;

// A made-up hash: the store does not look whether it is that of the DER.
static const uint8_t *hash_number(uint32_t number)
{
	static uint8_t hash[SHA256_BYTES];
	memset(hash, 0, sizeof hash);
	memcpy(hash, &number, sizeof number);
	return hash;
}

static const struct certificate *add(
    struct certificate_store *store, uint32_t number, const char *name, bool *is_new)
{
	bool ignored;
	return certificate_store_add(store, hash_number(number), pki_der(pki, name), 0,
	    CERTIFICATE_ISSUER, is_new != NULL ? is_new : &ignored);
}

static void each_once(void **state)
{
	(void)state;
	struct certificate_store *store = certificate_store_create(BYTES);
	struct view der = pki_der(pki, "leaf");
	uint8_t *own = malloc(der.length), sha256[SHA256_BYTES], spki[SHA256_BYTES];
	bool is_new;
	memcpy(own, der.data, der.length);
	SHA256(der.data, der.length, sha256);
	assert_null(certificate_store_find(store, sha256));
	const struct certificate *first = certificate_store_add(
	    store, sha256, view_of(own, der.length), 7, CERTIFICATE_CLIENT, &is_new);
	assert_true(is_new);
	memset(own, 0, der.length); // the store has a copy
	free(own);
	const struct certificate *again =
	    certificate_store_add(store, sha256, der, 8, CERTIFICATE_ISSUER, &is_new);
	assert_false(is_new);
	assert_ptr_equal(first, again);
	assert_ptr_equal(certificate_store_find(store, sha256), first);
	assert_int_equal(first->first_seen, 7);
	assert_int_equal(first->role, CERTIFICATE_CLIENT);
	assert_memory_equal(first->sha256, sha256, sizeof sha256);
	assert_int_equal(first->facts.der.length, der.length);
	assert_memory_equal(first->facts.der.data, der.data, der.length);
	assert_null(first->facts.malformed);
	SHA256(first->facts.spki.data, first->facts.spki.length, spki);
	assert_memory_equal(first->spki_sha256, spki, sizeof spki);
	struct certificate_store_counters counters = certificate_store_counters(store);
	assert_int_equal(counters.distinct, 1);
	assert_int_equal(counters.stored, 1);
	certificate_store_destroy(store);
	certificate_store_destroy(NULL);
}

static void what_is_no_certificate_is_stored_too(void **state)
{
	(void)state;
	struct certificate_store *store = certificate_store_create(BYTES);
	static const uint8_t zeros[SHA256_BYTES], byte = 0x30;
	bool is_new;
	const struct certificate *empty = certificate_store_add(
	    store, hash_number(1), view_of(&byte, 0), 0, CERTIFICATE_SERVER, &is_new);
	const struct certificate *one = certificate_store_add(
	    store, hash_number(2), view_of(&byte, 1), 0, CERTIFICATE_SERVER, &is_new);
	assert_non_null(empty->facts.malformed);
	assert_non_null(one->facts.malformed);
	assert_memory_equal(one->spki_sha256, zeros, sizeof zeros);
	assert_null(certificate_store_parsed(store, one));
	assert_null(certificate_store_parsed(store, one));
	assert_null(certificate_store_parsed(store, empty));
	certificate_store_trim(store);
	certificate_store_destroy(store);
}

static void those_not_used_for_longest_give_way(void **state)
{
	enum { COUNT = 2000 };
	(void)state;
	struct certificate_store *store = certificate_store_create(BYTES);
	bool is_new;
	for (uint32_t i = 0; i < COUNT; i++)
		assert_non_null(add(store, i, "leaf", NULL));
	// nothing is given up before the trim
	assert_int_equal(certificate_store_counters(store).stored, COUNT);
	for (uint32_t i = 0; i < COUNT; i += 10)
		assert_non_null(certificate_store_find(store, hash_number(i)));
	certificate_store_trim(store);
	struct certificate_store_counters counters = certificate_store_counters(store);
	assert_true(counters.bytes <= BYTES);
	assert_true(counters.stored > 200 && counters.stored < COUNT);
	assert_int_equal(counters.stored + counters.evicted, COUNT);
	for (uint32_t i = 0; i < COUNT; i++) {
		bool held = certificate_store_find(store, hash_number(i)) != NULL;
		bool expected =
		    i % 10 == 0 || i >= COUNT - (counters.stored - COUNT / 10) * 10 / 9 - 10;
		if (i % 10 == 0)
			assert_true(held);
		else if (held)
			assert_true(expected); // only the newest of the others
	}
	// one that comes again is not new
	assert_null(certificate_store_find(store, hash_number(1)));
	assert_non_null(add(store, 1, "leaf", &is_new));
	assert_false(is_new);
	assert_non_null(add(store, COUNT, "leaf", &is_new));
	assert_true(is_new);
	counters = certificate_store_counters(store);
	assert_int_equal(counters.returned, 1);
	assert_int_equal(counters.distinct, COUNT + 1);
	assert_int_equal(counters.forgotten, 0);
	certificate_store_destroy(store);
}

static void what_is_forgotten_is_counted(void **state)
{
	enum { COUNT = 200000, SMALL = 64 << 10 };
	(void)state;
	struct certificate_store *store = certificate_store_create(SMALL);
	uint64_t new_again = 0;
	bool is_new;
	for (uint32_t i = 0; i < COUNT; i++) {
		add(store, i, "leaf", &is_new);
		assert_true(is_new);
		certificate_store_trim(store);
		assert_true(certificate_store_counters(store).bytes <= SMALL);
	}
	struct certificate_store_counters counters = certificate_store_counters(store);
	assert_true(counters.forgotten > COUNT / 2 && counters.forgotten < COUNT);
	for (uint32_t i = 0; i < COUNT; i++) {
		add(store, i, "leaf", &is_new);
		new_again += is_new;
		certificate_store_trim(store);
	}
	assert_true(new_again >= counters.forgotten);
	certificate_store_destroy(store);
}

static void the_largest_are_refused(void **state)
{
	enum { SMALL = 16 << 10 };
	(void)state;
	uint8_t *large = calloc(1, SMALL);
	struct certificate_store *store = certificate_store_create(SMALL);
	bool is_new;
	for (int round = 0; round < 2; round++) {
		assert_null(certificate_store_add(store, hash_number(1), view_of(large, SMALL / 4),
		    0, CERTIFICATE_SERVER, &is_new));
		assert_int_equal(is_new, round == 0);
	}
	assert_int_equal(certificate_store_counters(store).refused, 2);
	assert_int_equal(certificate_store_counters(store).distinct, 1);
	assert_non_null(add(store, 2, "leaf", NULL));
	certificate_store_destroy(store);
	// a limit that nothing fits into: all is given up in the trim
	store = certificate_store_create(0);
	assert_null(add(store, 1, "leaf", &is_new));
	certificate_store_trim(store);
	certificate_store_destroy(store);
	free(large);
}

/* ---- issuers ---- */

static size_t issuers(
    struct certificate_store *store, const char *of, const struct certificate **found, size_t most)
{
	struct x509 facts;
	x509_read(pki_der(pki, of), &facts);
	return certificate_store_issuers(store, facts.issuer, found, most);
}

static void issuers_by_name(void **state)
{
	(void)state;
	struct certificate_store *store = certificate_store_create(BYTES);
	const struct certificate *found[8];
	assert_int_equal(issuers(store, "leaf", found, 8), 0);
	const struct certificate *first = add(store, 1, "int", NULL);
	add(store, 2, "root", NULL);
	add(store, 3, "leaf", NULL);
	const struct certificate *second = add(store, 4, "int-expired", NULL);
	assert_int_equal(issuers(store, "leaf", found, 8), 2);
	assert_ptr_equal(found[0], second); // the newest first
	assert_ptr_equal(found[1], first);
	assert_int_equal(issuers(store, "leaf", found, 1), 1);
	certificate_store_vouch(store, first);
	certificate_store_vouch(store, first);
	assert_int_equal(issuers(store, "leaf", found, 8), 2);
	assert_ptr_equal(found[0], first); // vouched for
	certificate_store_vouch(store, certificate_store_find(store, hash_number(3)));
	assert_int_equal(issuers(store, "leaf", found, 8), 2); // a leaf issues nothing
	// the same name, spelled otherwise
	first = add(store, 5, "spelled-root", NULL);
	assert_int_equal(issuers(store, "spelled-leaf", found, 8), 1);
	assert_ptr_equal(found[0], first);
	certificate_store_destroy(store);
}

// However many bear a name, those that were vouched for are found, and all are taken out again.
static void strangers_do_not_crowd_out(void **state)
{
	enum { COUNT = 20000 };
	(void)state;
	struct certificate_store *store = certificate_store_create(BYTES);
	const struct certificate *found[8];
	for (uint32_t i = 1; i <= COUNT; i++) {
		if (i % 100 == 1) {
			const struct certificate *good = add(store, 0, "int", NULL);
			certificate_store_vouch(store, good);
		}
		const struct certificate *newest = add(store, i, "impostor", NULL);
		assert_true(issuers(store, "leaf", found, 8) >= 2);
		assert_memory_equal(found[0]->sha256, hash_number(0), SHA256_BYTES);
		assert_ptr_equal(found[1], newest);
		certificate_store_trim(store);
	}
	assert_true(certificate_store_counters(store).evicted > COUNT / 2);
	certificate_store_destroy(store);
}

static void a_new_issuer_is_noticed(void **state)
{
	(void)state;
	struct certificate_store *store = certificate_store_create(64 << 10);
	struct x509 facts;
	x509_read(pki_der(pki, "leaf"), &facts);
	uint64_t name = certificate_store_name_key(store, facts.issuer);
	assert_int_equal(certificate_store_newest_issuer(store, name), 0);
	add(store, 1, "root", NULL);
	add(store, 2, "leaf", NULL);
	assert_int_equal(certificate_store_newest_issuer(store, name), 0);
	const struct certificate *first = add(store, 3, "int", NULL);
	uint64_t number = certificate_store_newest_issuer(store, name);
	assert_true(number > 0);
	add(store, 3, "int", NULL);
	assert_int_equal(certificate_store_newest_issuer(store, name), number);
	certificate_store_vouch(store, first);
	assert_true(certificate_store_newest_issuer(store, name) > number);
	number = certificate_store_newest_issuer(store, name);
	add(store, 4, "impostor", NULL);
	assert_true(certificate_store_newest_issuer(store, name) > number);
	for (uint32_t i = 5; i < 1000; i++) {
		add(store, i, "leaf", NULL);
		certificate_store_trim(store);
	}
	assert_int_equal(certificate_store_newest_issuer(store, name), 0);
	certificate_store_destroy(store);
}

/* ---- what OpenSSL parsed ---- */

static void issuers_vouched_for_stay_parsed(void **state)
{
	enum { COUNT = 400 };
	(void)state;
	struct certificate_store *store = certificate_store_create(16 << 20);
	const struct certificate *leaf = add(store, 1, "leaf", NULL),
	                         *issuer = add(store, 2, "int", NULL);
	uint64_t bytes = certificate_store_counters(store).bytes;
	X509 *parsed = certificate_store_parsed(store, issuer);
	assert_non_null(parsed);
	assert_ptr_equal(certificate_store_parsed(store, issuer), parsed);
	uint64_t with_issuer = certificate_store_counters(store).bytes;
	assert_true(with_issuer > bytes);
	assert_non_null(certificate_store_parsed(store, leaf));
	assert_true(certificate_store_counters(store).bytes > with_issuer);
	certificate_store_trim(store);
	assert_int_equal(certificate_store_counters(store).bytes, bytes);
	certificate_store_vouch(store, issuer);
	parsed = certificate_store_parsed(store, issuer);
	assert_int_equal(certificate_store_counters(store).bytes, with_issuer);
	certificate_store_trim(store);
	assert_int_equal(certificate_store_counters(store).bytes, with_issuer);
	assert_ptr_equal(certificate_store_parsed(store, issuer), parsed);
	// not endlessly many
	for (uint32_t i = 3; i < COUNT; i++) {
		issuer = add(store, i, "int", NULL);
		certificate_store_vouch(store, issuer);
		assert_non_null(certificate_store_parsed(store, issuer));
	}
	bytes = certificate_store_counters(store).bytes;
	certificate_store_trim(store);
	assert_true(certificate_store_counters(store).bytes < bytes);
	assert_int_equal(certificate_store_counters(store).evicted, 0);
	for (uint32_t i = 1; i < COUNT; i++)
		assert_non_null(
		    certificate_store_parsed(store, certificate_store_find(store, hash_number(i))));
	certificate_store_trim(store);
	certificate_store_destroy(store);
}

// Any order of everything; bounds hold after each trim (and the sanitizers see the rest).
static void anything_in_any_order(void **state)
{
	enum { ROUNDS = 30000, NUMBERS = 500, SMALL = 256 << 10 };
	static const char *const names[] = {"leaf", "int", "root", "impostor", "cut", "rsa-int"};
	(void)state;
	struct certificate_store *store = certificate_store_create(SMALL);
	const struct certificate *found[8];
	srand(1);
	for (int round = 0; round < ROUNDS; round++) {
		uint32_t number = (uint32_t)(rand() % NUMBERS);
		const char *name = names[number % (sizeof names / sizeof names[0])];
		const struct certificate *one =
		    rand() % 2 ? add(store, number, name, NULL)
		               : certificate_store_find(store, hash_number(number));
		if (one != NULL && rand() % 4 == 0)
			assert_int_equal(
			    certificate_store_parsed(store, one) != NULL, strcmp(name, "cut") != 0);
		if (one != NULL && rand() % 8 == 0)
			certificate_store_vouch(store, one);
		size_t count = issuers(store, name, found, 8);
		for (size_t i = 0; i < count; i++)
			assert_true(found[i]->facts.is_ca);
		if (rand() % 8 == 0) {
			certificate_store_trim(store);
			assert_true(certificate_store_counters(store).bytes <= SMALL);
		}
	}
	assert_true(certificate_store_counters(store).evicted > 1000);
	certificate_store_destroy(store);
}

static int set_up(void **state)
{
	(void)state;
	pki = chain_cases_pki();
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	pki_destroy(pki);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(each_once),
	    cmocka_unit_test(what_is_no_certificate_is_stored_too),
	    cmocka_unit_test(those_not_used_for_longest_give_way),
	    cmocka_unit_test(what_is_forgotten_is_counted),
	    cmocka_unit_test(the_largest_are_refused),
	    cmocka_unit_test(issuers_by_name),
	    cmocka_unit_test(strangers_do_not_crowd_out),
	    cmocka_unit_test(a_new_issuer_is_noticed),
	    cmocka_unit_test(issuers_vouched_for_stay_parsed),
	    cmocka_unit_test(anything_in_any_order),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
