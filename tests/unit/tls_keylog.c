// SPDX-License-Identifier: Apache-2.0
// Key logs: what is taken, what is passed over, what is no line of one; bounds; files.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "decode/tls_keylog.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define RANDOM_A "00112233445566778899aabbccddeeff00112233445566778899AABBCCDDEEFF"
#define RANDOM_B "ff112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define HALF "0123456789abcdef0123456789abcdef" // 16 bytes
#define SECRET_32 HALF HALF
#define SECRET_48 HALF HALF HALF
#define OTHER_48 HALF HALF "ffffffffffffffffffffffffffffffff"

static void add(struct tls_keylog *keylog, const char *text)
{
	tls_keylog_add(keylog, (const uint8_t *)text, strlen(text));
}

static struct tls_keylog *keylog_of(const char *text)
{
	struct tls_keylog *keylog = tls_keylog_create();
	assert_non_null(keylog);
	add(keylog, text);
	tls_keylog_end(keylog);
	return keylog;
}

static uint8_t digit(char c)
{
	return (uint8_t)(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
}

static const struct tls_secrets *find(const struct tls_keylog *keylog, const char *random)
{
	uint8_t bytes[TLS_RANDOM_LENGTH];
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(digit(random[2 * i]) << 4 | digit(random[2 * i + 1]));
	return tls_keylog_find(keylog, view_of(bytes, sizeof(bytes)));
}

static void secret_is(const struct tls_secret *secret, const char *digits)
{
	assert_int_equal(secret->length, strlen(digits) / 2);
	for (size_t i = 0; i < secret->length; i++)
		assert_int_equal(
		    secret->bytes[i], digit(digits[2 * i]) << 4 | digit(digits[2 * i + 1]));
}

static void secrets_are_found_by_client_random(void **state)
{
	(void)state;
	struct tls_keylog *keylog =
	    keylog_of("CLIENT_RANDOM " RANDOM_A " " SECRET_48 "\n"
	              "CLIENT_HANDSHAKE_TRAFFIC_SECRET " RANDOM_B " " SECRET_32 "\n"
	              "SERVER_HANDSHAKE_TRAFFIC_SECRET " RANDOM_B " " OTHER_48 "\n");
	const struct tls_secrets *a = find(keylog, RANDOM_A), *b = find(keylog, RANDOM_B);
	assert_non_null(a);
	assert_non_null(b);
	secret_is(&a->master, SECRET_48);
	assert_int_equal(a->handshake[0].length, 0);
	assert_int_equal(b->master.length, 0);
	secret_is(&b->handshake[0], SECRET_32);
	secret_is(&b->handshake[1], OTHER_48);
	assert_null(find(keylog, SECRET_32));
	assert_null(tls_keylog_find(keylog, view_of(a->client_random, 31)));
	assert_null(tls_keylog_find(keylog, (struct view){NULL, 0}));
	assert_int_equal(tls_keylog_counters(keylog).sessions, 2);
	assert_int_equal(tls_keylog_counters(keylog).secrets, 3);
	tls_keylog_destroy(keylog);
}

static void other_labels_are_not_kept(void **state)
{
	(void)state;
	struct tls_keylog *keylog =
	    keylog_of("# SSL/TLS secrets log file\n\n   \n"
	              "CLIENT_TRAFFIC_SECRET_0 " RANDOM_A " " SECRET_32 "\n"
	              "SERVER_TRAFFIC_SECRET_0 " RANDOM_A " " SECRET_32 "\n"
	              "CLIENT_EARLY_TRAFFIC_SECRET " RANDOM_A " " SECRET_32 "\n"
	              "EXPORTER_SECRET " RANDOM_A " " SECRET_32 "\n"
	              "RSA 0011223344556677 " SECRET_48 "\n"
	              "ECH_CONFIG 00 ff0d\n"
	              "SOME_LABEL_OF_2035\n");
	struct tls_keylog_counters counters = tls_keylog_counters(keylog);
	assert_null(find(keylog, RANDOM_A));
	assert_int_equal(counters.lines, 7);
	assert_int_equal(counters.unused, 7);
	assert_int_equal(counters.malformed, 0);
	assert_int_equal(counters.sessions, 0);
	tls_keylog_destroy(keylog);
}

static void line_ends_and_blanks_do_not_matter(void **state)
{
	(void)state;
	static const char *const texts[] = {
	    "CLIENT_RANDOM " RANDOM_A " " SECRET_48,
	    "CLIENT_RANDOM " RANDOM_A " " SECRET_48 "\r\n",
	    "\r\n\r\nCLIENT_RANDOM\t" RANDOM_A "   " SECRET_48 " \t\r\n# end",
	    " CLIENT_RANDOM " RANDOM_A " " SECRET_48 "\n",
	};
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct tls_keylog *keylog = keylog_of(texts[i]);
		const struct tls_secrets *secrets = find(keylog, RANDOM_A);
		assert_non_null(secrets);
		secret_is(&secrets->master, SECRET_48);
		assert_int_equal(tls_keylog_counters(keylog).malformed, 0);
		assert_int_equal(tls_keylog_counters(keylog).lines, 1);
		tls_keylog_destroy(keylog);
	}
}

static void malformed_lines_are_counted_and_give_nothing(void **state)
{
	(void)state;
	static const char *const lines[] = {
	    "CLIENT_RANDOM",
	    "CLIENT_RANDOM " RANDOM_A,
	    "CLIENT_RANDOM " RANDOM_A " ",
	    "CLIENT_RANDOM " RANDOM_A " " SECRET_32, // too short for a master secret
	    "CLIENT_RANDOM " RANDOM_A " " SECRET_48 "00",
	    "CLIENT_RANDOM " RANDOM_A " " SECRET_48 "0",
	    "CLIENT_RANDOM " RANDOM_A " g" SECRET_32 HALF,
	    "CLIENT_RANDOM " RANDOM_A " 012345678-abcdef" SECRET_32 "0123456789abcdef",
	    "CLIENT_RANDOM " RANDOM_A " " SECRET_48 " " SECRET_48,
	    "CLIENT_RANDOM 00" RANDOM_A " " SECRET_48,
	    "CLIENT_RANDOM " HALF " " SECRET_48,
	    "CLIENT_HANDSHAKE_TRAFFIC_SECRET " RANDOM_A " " HALF,
	    "CLIENT_HANDSHAKE_TRAFFIC_SECRET " RANDOM_A " " SECRET_32 "0123456789abcdef",
	    "client_random " RANDOM_A " " SECRET_48,
	    "\x7f"
	    "ELF",
	    "CLIENT_RANDOM:" RANDOM_A " " SECRET_48,
	};
	struct tls_keylog *keylog = tls_keylog_create();
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		add(keylog, lines[i]);
		add(keylog, "\n");
		assert_int_equal(tls_keylog_counters(keylog).malformed, i + 1);
	}
	assert_int_equal(tls_keylog_counters(keylog).sessions, 0);
	assert_null(find(keylog, RANDOM_A));
	add(keylog, "CLIENT_RANDOM " RANDOM_A " " SECRET_48 "\n"); // the next line is a line again
	assert_non_null(find(keylog, RANDOM_A));
	tls_keylog_destroy(keylog);
}

static void a_line_without_end_is_malformed(void **state)
{
	(void)state;
	struct tls_keylog *keylog = tls_keylog_create();
	add(keylog, "CLIENT_RANDOM " RANDOM_A " " SECRET_48);
	for (int i = 0; i < 100000; i++)
		add(keylog, " ");
	add(keylog, "\nCLIENT_RANDOM " RANDOM_B " " SECRET_48 "\n");
	assert_int_equal(tls_keylog_counters(keylog).malformed, 1);
	assert_null(find(keylog, RANDOM_A));
	assert_non_null(find(keylog, RANDOM_B));
	tls_keylog_destroy(keylog);
}

static void the_later_secret_counts(void **state)
{
	(void)state;
	struct tls_keylog *keylog = keylog_of("CLIENT_RANDOM " RANDOM_A " " SECRET_48 "\n"
	                                      "CLIENT_RANDOM " RANDOM_A " " OTHER_48 "\n");
	secret_is(&find(keylog, RANDOM_A)->master, OTHER_48);
	assert_int_equal(tls_keylog_counters(keylog).sessions, 1);
	assert_int_equal(tls_keylog_counters(keylog).secrets, 2);
	tls_keylog_destroy(keylog);
}

static void pieces_make_lines(void **state)
{
	(void)state;
	static const char text[] = "# c\r\nCLIENT_RANDOM " RANDOM_A " " SECRET_48 "\r\nbad line\n"
	                           "SERVER_HANDSHAKE_TRAFFIC_SECRET " RANDOM_B " " SECRET_32;
	for (size_t piece = 1; piece < sizeof(text); piece++) {
		struct tls_keylog *keylog = tls_keylog_create();
		for (size_t at = 0; at < sizeof(text) - 1; at += piece) {
			size_t left = sizeof(text) - 1 - at;
			tls_keylog_add(
			    keylog, (const uint8_t *)text + at, left < piece ? left : piece);
		}
		tls_keylog_end(keylog);
		secret_is(&find(keylog, RANDOM_A)->master, SECRET_48);
		secret_is(&find(keylog, RANDOM_B)->handshake[1], SECRET_32);
		assert_int_equal(tls_keylog_counters(keylog).malformed, 1);
		tls_keylog_destroy(keylog);
	}
}

static void line_of(char *line, size_t size, unsigned number)
{
	snprintf(line, size, "CLIENT_RANDOM %064x " SECRET_32 "%032x\n", number, number);
}

static void sessions_are_bounded(void **state)
{
	(void)state;
	char line[256], random[65];
	struct tls_keylog *keylog = tls_keylog_create();
	for (unsigned i = 0; i < TLS_KEYLOG_SESSIONS_MAX + 10; i++) {
		line_of(line, sizeof(line), i);
		add(keylog, line);
	}
	line_of(line, sizeof(line), 7); // one that has its place
	add(keylog, line);
	struct tls_keylog_counters counters = tls_keylog_counters(keylog);
	assert_int_equal(counters.sessions, TLS_KEYLOG_SESSIONS_MAX);
	assert_int_equal(counters.secrets, TLS_KEYLOG_SESSIONS_MAX + 1);
	assert_int_equal(counters.refused, 10);
	for (unsigned i = 0; i < TLS_KEYLOG_SESSIONS_MAX; i++) {
		snprintf(random, sizeof(random), "%064x", i);
		const struct tls_secrets *secrets = find(keylog, random);
		assert_non_null(secrets);
		assert_int_equal(secrets->master.bytes[47], i & 0xff);
	}
	tls_keylog_destroy(keylog);
}

static void files_are_read_or_said_not_to_be(void **state)
{
	(void)state;
	char path[] = "/tmp/keylog-test-XXXXXX", line[256];
	struct error error;
	struct tls_keylog *keylog = tls_keylog_create();
	int file = mkstemp(path);
	assert_true(file >= 0);
	for (unsigned i = 0; i < 1000; i++) { // more than one read
		line_of(line, sizeof(line), i);
		assert_int_equal(write(file, line, strlen(line)), strlen(line));
	}
	assert_int_equal(write(file, line, strlen(line) - 1), strlen(line) - 1); // without its end
	close(file);
	assert_true(tls_keylog_read(keylog, path, &error));
	assert_int_equal(tls_keylog_counters(keylog).sessions, 1000);
	assert_int_equal(tls_keylog_counters(keylog).secrets, 1001);
	unlink(path);
	assert_false(tls_keylog_read(keylog, path, &error));
	assert_non_null(strstr(error.text, "No such file"));
	assert_non_null(strstr(error.text, path));
	assert_false(tls_keylog_read(keylog, "/tmp", &error));
	assert_non_null(strstr(error.text, "directory"));
	assert_int_equal(tls_keylog_counters(keylog).sessions, 1000);
	tls_keylog_destroy(keylog);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(secrets_are_found_by_client_random),
	    cmocka_unit_test(other_labels_are_not_kept),
	    cmocka_unit_test(line_ends_and_blanks_do_not_matter),
	    cmocka_unit_test(malformed_lines_are_counted_and_give_nothing),
	    cmocka_unit_test(a_line_without_end_is_malformed),
	    cmocka_unit_test(the_later_secret_counts),
	    cmocka_unit_test(pieces_make_lines),
	    cmocka_unit_test(sessions_are_bounded),
	    cmocka_unit_test(files_are_read_or_said_not_to_be),
	};
	return cmocka_run_group_tests_name("tls_keylog", tests, NULL, NULL);
}
