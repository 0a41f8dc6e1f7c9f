// SPDX-License-Identifier: Apache-2.0
// Crypto-PAn against what others have published of it, what it promises as a property of random addresses, the
// files its key comes from, and addresses in texts.
//
// Published vectors (addresses of others than the documentation's stand in them):
// - sample_trace_raw.dat and sample_trace_sanitized.dat of the authors' own distribution of Crypto-PAn 1.0, with
//   its key, as the tests of github.com/Yawning/cryptopan (cryptopan_test.go) list them;
// - for IPv6, which the authors' program has not, the same file's, which the tests of other implementations
//   repeat (github.com/noinkling/node-cryptopan);
// - the examples in the README of github.com/keiichishima/yacryptopan, another implementation.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "analytics/anonymise_key.h"
#include "analytics/anonymise_text.h"
#include "analytics/server_key.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const uint8_t sample_key[ANONYMISE_KEY_BYTES] = {21, 34, 23, 141, 51, 164, 207, 128, 19, 10,
    91, 22, 73, 144, 125, 16, 216, 152, 143, 131, 121, 121, 101, 39, 98, 87, 76, 45, 42, 132, 34,
    2};
static const char readme_key[] = "32-char-str-for-AES-key-and-pad.";

struct vector {
	const char *from, *to;
};

static const struct vector sample_trace[] = {
    {"128.11.68.132", "135.242.180.132"},
    {"129.118.74.4", "134.136.186.123"},
    {"130.132.252.244", "133.68.164.234"},
    {"141.223.7.43", "141.167.8.160"},
    {"141.233.145.108", "141.129.237.235"},
    {"152.163.225.39", "151.140.114.167"},
    {"156.29.3.236", "147.225.12.42"},
    {"165.247.96.84", "162.9.99.234"},
    {"166.107.77.190", "160.132.178.185"},
    {"192.102.249.13", "252.138.62.131"},
    {"192.215.32.125", "252.43.47.189"},
    {"192.233.80.103", "252.25.108.8"},
    {"192.41.57.43", "252.222.221.184"},
    {"193.150.244.223", "253.169.52.216"},
    {"195.205.63.100", "255.186.223.5"},
    {"198.200.171.101", "249.199.68.213"},
    {"198.26.132.101", "249.36.123.202"},
    {"198.36.213.5", "249.7.21.132"},
    {"198.51.77.238", "249.18.186.254"},
    {"199.217.79.101", "248.38.184.213"},
    {"202.49.198.20", "245.206.7.234"},
    {"203.12.160.252", "244.248.163.4"},
    {"204.184.162.189", "243.192.77.90"},
    {"204.202.136.230", "243.178.4.198"},
    {"204.29.20.4", "243.33.20.123"},
    {"205.178.38.67", "242.108.198.51"},
    {"205.188.147.153", "242.96.16.101"},
    {"205.188.248.25", "242.96.88.27"},
    {"205.245.121.43", "242.21.121.163"},
    {"207.105.49.5", "241.118.205.138"},
    {"207.135.65.238", "241.202.129.222"},
    {"207.155.9.214", "241.220.250.22"},
    {"207.188.7.45", "241.255.249.220"},
    {"207.25.71.27", "241.33.119.156"},
    {"207.33.151.131", "241.1.233.131"},
    {"208.147.89.59", "227.237.98.191"},
    {"208.234.120.210", "227.154.67.17"},
    {"208.28.185.184", "227.39.94.90"},
    {"208.52.56.122", "227.8.63.165"},
    {"209.12.231.7", "226.243.167.8"},
    {"209.238.72.3", "226.6.119.243"},
    {"209.246.74.109", "226.22.124.76"},
    {"209.68.60.238", "226.184.220.233"},
    {"209.85.249.6", "226.170.70.6"},
    {"212.120.124.31", "228.135.163.231"},
    {"212.146.8.236", "228.19.4.234"},
    {"212.186.227.154", "228.59.98.98"},
    {"212.204.172.118", "228.71.195.169"},
    {"212.206.130.201", "228.69.242.193"},
    {"216.148.237.145", "235.84.194.111"},
    {"216.157.30.252", "235.89.31.26"},
    {"216.184.159.48", "235.96.225.78"},
    {"216.227.10.221", "235.28.253.36"},
    {"216.254.18.172", "235.7.16.162"},
    {"216.32.132.250", "235.192.139.38"},
    {"216.35.217.178", "235.195.157.81"},
    {"24.0.250.221", "100.15.198.226"},
    {"24.13.62.231", "100.2.192.247"},
    {"24.14.213.138", "100.1.42.141"},
    {"24.5.0.80", "100.9.15.210"},
    {"24.7.198.88", "100.10.6.25"},
    {"24.94.26.44", "100.88.228.35"},
    {"38.15.67.68", "64.3.66.187"},
    {"4.3.88.225", "124.60.155.63"},
    {"63.14.55.111", "95.9.215.7"},
    {"63.195.241.44", "95.179.238.44"},
    {"63.97.7.140", "95.97.9.123"},
    {"64.14.118.196", "0.255.183.58"},
    {"64.34.154.117", "0.221.154.117"},
    {"64.39.15.238", "0.219.7.41"},
};

static const struct vector sample_ipv6[] = {
    {"::1", "78ff:f001:9fc0:20df:8380:b1f1:704:ed"},
    {"::2", "78ff:f001:9fc0:20df:8380:b1f1:704:ef"},
    {"::ffff", "78ff:f001:9fc0:20df:8380:b1f1:704:f838"},
    {"2001:db8::1", "4401:2bc:603f:d91d:27f:ff8e:e6f1:dc1e"},
    {"2001:db8::2", "4401:2bc:603f:d91d:27f:ff8e:e6f1:dc1c"},
};

static const struct vector readme[] = {
    {"192.0.2.1", "192.0.125.244"},
    {"2001:db8::1", "27fe:8bc7:fee:1e:1e1f:f0fe:f0e1:83fd"},
};

static struct ip_address address_of(const char *text)
{
	struct ip_address address;
	assert_true(server_address_read(text, &address));
	return address;
}

static void check_vectors(const uint8_t *key, const struct vector *vectors, size_t count)
{
	struct anonymiser *anonymiser = anonymiser_create(key);
	assert_non_null(anonymiser);
	for (size_t i = 0; i < count; i++) {
		char text[SERVER_ADDRESS_TEXT];
		struct ip_address from = address_of(vectors[i].from);
		struct ip_address to = anonymise_address(anonymiser, &from);
		server_address_write(&to, text);
		assert_string_equal(text, vectors[i].to);
	}
	assert_false(anonymiser_failed(anonymiser));
	anonymiser_destroy(anonymiser);
}

static void vectors(void **state)
{
	(void)state;
	check_vectors(sample_key, sample_trace, sizeof sample_trace / sizeof sample_trace[0]);
	check_vectors(sample_key, sample_ipv6, sizeof sample_ipv6 / sizeof sample_ipv6[0]);
	check_vectors((const uint8_t *)readme_key, readme, sizeof readme / sizeof readme[0]);
}

/* ---- properties ---- */

static uint64_t next_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

static void fill_random(uint64_t *state, uint8_t *bytes, size_t length)
{
	for (size_t i = 0; i < length; i++)
		bytes[i] = (uint8_t)(next_random(state) >> 32);
}

static unsigned common_bits(const uint8_t *one, const uint8_t *other, unsigned bits)
{
	unsigned i = 0;
	while (i < bits && ((one[i / 8] ^ other[i / 8]) >> (7 - i % 8) & 1) == 0)
		i++;
	return i;
}

// Of two addresses that differ from bit n on, so do the two in their place.
static void check_prefixes(struct anonymiser *anonymiser, unsigned from, unsigned pairs)
{
	uint64_t state = 20021112;
	unsigned bits = 8 * (16 - from), moved = 0;
	for (unsigned i = 0; i < pairs; i++) {
		unsigned n = i % (bits + 1);
		struct ip_address one = {{[10] = 0xff, [11] = 0xff}}, other;
		fill_random(&state, one.bytes + from, 16 - from);
		other = one;
		if (n < bits) {
			fill_random(&state, other.bytes + from + n / 8, 16 - from - n / 8);
			uint8_t kept = (uint8_t) ~(0xff >> n % 8), bit = (uint8_t)(0x80 >> n % 8);
			uint8_t *byte = &other.bytes[from + n / 8];
			const uint8_t first = one.bytes[from + n / 8];
			*byte = (uint8_t)((first & kept) | (~first & bit) | (*byte & (bit - 1)));
		}
		struct ip_address new_one = anonymise_address(anonymiser, &one);
		struct ip_address new_other = anonymise_address(anonymiser, &other);
		assert_int_equal(common_bits(one.bytes + from, other.bytes + from, bits), n);
		assert_int_equal(
		    common_bits(new_one.bytes + from, new_other.bytes + from, bits), n);
		assert_memory_equal(new_one.bytes, one.bytes, from);
		moved += memcmp(&one, &new_one, sizeof one) != 0;
	}
	assert_true(moved > pairs - pairs / 100);
}

static void prefixes(void **state)
{
	(void)state;
	struct anonymiser *anonymiser = anonymiser_create(sample_key);
	check_prefixes(anonymiser, 12, 33 * 200);
	check_prefixes(anonymiser, 0, 129 * 20);
	anonymiser_destroy(anonymiser);
}

// Another half of the key, another address; the same key, the same one.
static void keys(void **state)
{
	(void)state;
	struct ip_address from = address_of("192.0.2.5"), first = {{0}};
	for (int change = 0; change < 4; change++) {
		uint8_t key[ANONYMISE_KEY_BYTES];
		memcpy(key, sample_key, sizeof key);
		key[0] ^= change == 1;
		key[31] ^= change == 2;
		struct anonymiser *anonymiser = anonymiser_create(key);
		struct ip_address to = anonymise_address(anonymiser, &from);
		anonymiser_destroy(anonymiser);
		if (change == 0)
			first = to;
		assert_int_equal(memcmp(&to, &first, sizeof to) != 0, change == 1 || change == 2);
	}
}

/* ---- texts ---- */

static void texts(void **state)
{
	// '<' and '>' around what has to be found.
	static const char *const cases[] = {
	    "220 [<192.0.2.5>] ESMTP",
	    "<192.0.2.5>",
	    "host-<192-0-2-5>.example",
	    "a<192.0.2.5>b and <198.51.100.7>:25",
	    "at <192.0.2.5>.",
	    "300.<192.0.2.5>",
	    "<192.000.02.5>",
	    "[IPv6:<2001:db8::1>]",
	    "[ipv6:<2001:0DB8:0000:0000:0000:0000:0000:0001>]",
	    "from:<2001:db8::1>",
	    "<2001:db8::192.0.2.5>",
	    "<::ffff:192.0.2.5>",
	    "<2001:db8::>/32",
	    "<2001:db8::1>%eth0",
	    "x<2001:db8::1>",
	    "<1:2:3:4:5:6:7:8>:9",
	    "<1:2:3:4:5:6:7::>",
	    "<1:2:3:4:5:6:192.0.2.5>",
	    "[<fe80::1>], <::1>",
	    "<2001:db8::1>:12345",
	    // none of these
	    "220 mx.example.com ESMTP Postfix 3.7.11",
	    "1.2.3",
	    "1.2.3-4",
	    "256.1.1.1",
	    "1.1.1.1000",
	    "2024-11-27-03",
	    "std::cout and Mail::Box, :: and ::",
	    "12:34:56",
	    "00:11:22:33:44:55",
	    "1:2:3:4:5:6:7",
	    "12345::",
	    "AUTH=SCRAM-SHA-256",
	    "",
	};
	(void)state;
	struct anonymiser *anonymiser = anonymiser_create(sample_key);
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		char expected[512] = "", plain[512] = "", part[64];
		size_t at = 0, length = 0;
		for (const char *c = cases[i]; *c != '\0'; c++) {
			if (*c != '<') {
				plain[length++] = *c;
				expected[at++] = *c;
				continue;
			}
			size_t size = (size_t)(strchr(c, '>') - c) - 1;
			memcpy(part, c + 1, size);
			part[size] = '\0';
			memcpy(plain + length, part, size);
			length += size;
			at += anonymise_text(
			    anonymiser, (uint8_t *)part, size, (uint8_t *)expected + at);
			assert_true(text_has_address((uint8_t *)part, size));
			c += size + 1;
		}
		uint8_t *exact = malloc(length + 1), *out = malloc(length + ANONYMISE_TEXT_GROWTH);
		memcpy(exact, plain, length);
		size_t written = anonymise_text(anonymiser, exact, length, out);
		if (written != at || memcmp(out, expected, at) != 0)
			print_error("%s: %.*s instead of %s\n", cases[i], (int)written,
			    (const char *)out, expected);
		assert_int_equal(written, at);
		assert_memory_equal(out, expected, at);
		assert_int_equal(text_has_address(exact, length), strchr(cases[i], '<') != NULL);
		free(exact);
		free(out);
	}
	anonymiser_destroy(anonymiser);
}

static void check_text(struct anonymiser *anonymiser, const char *from, const char *to)
{
	uint8_t out[256 + ANONYMISE_TEXT_GROWTH];
	size_t length = anonymise_text(anonymiser, (const uint8_t *)from, strlen(from), out);
	out[length] = '\0';
	assert_string_equal((const char *)out, to);
}

// In the published addresses: whatever the form, it is the address that is replaced.
static void forms(void **state)
{
	(void)state;
	struct anonymiser *anonymiser = anonymiser_create((const uint8_t *)readme_key);
	check_text(anonymiser, "[192.0.2.1]", "[192.0.125.244]");
	check_text(anonymiser, "ip-192-0-2-1.example", "ip-192-0-125-244.example");
	check_text(anonymiser, "192.000.002.001", "192.0.125.244");
	check_text(anonymiser, "::FFFF:192.0.2.1", "192.0.125.244");
	check_text(anonymiser, "[IPv6:2001:DB8:0:0:0:0:0:1]",
	    "[IPv6:27fe:8bc7:fee:1e:1e1f:f0fe:f0e1:83fd]");
	anonymiser_destroy(anonymiser);
}

// Never more than there is room for, and nothing of a real address, however many there are.
static void many(void **state)
{
	static const char *const units[] = {"1::,", "1.1.1.1,", "1:2:3:4:5:6:7:8 ", "::a ", "1:"};
	enum { LENGTH = 4096 };
	(void)state;
	struct anonymiser *anonymiser = anonymiser_create(sample_key);
	for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
		uint8_t *text = malloc(LENGTH), *out = malloc(LENGTH + ANONYMISE_TEXT_GROWTH);
		for (size_t at = 0; at < LENGTH; at++)
			text[at] = (uint8_t)units[i][at % strlen(units[i])];
		size_t length = anonymise_text(anonymiser, text, LENGTH, out);
		assert_true(length > 0 && length <= LENGTH + ANONYMISE_TEXT_GROWTH);
		if (i < 4)
			assert_null(memmem(out, length, units[i], strlen(units[i])));
		free(text);
		free(out);
	}
	anonymiser_destroy(anonymiser);
}

// Any bytes: where nothing is found nothing changes, and nothing is read or written beside the buffers (sanitizers
// look on).
static void any_bytes(void **state)
{
	static const char letters[] = "0123456789abcdefgIPv:.-:. [";
	uint64_t seed = 4711;
	(void)state;
	struct anonymiser *anonymiser = anonymiser_create(sample_key);
	for (int round = 0; round < 20000; round++) {
		size_t length = next_random(&seed) % 48;
		uint8_t *exact = malloc(length + (length == 0));
		uint8_t *out = malloc(length + ANONYMISE_TEXT_GROWTH);
		for (size_t i = 0; i < length; i++)
			exact[i] = (uint8_t)letters[next_random(&seed) % (sizeof letters - 1)];
		size_t written = anonymise_text(anonymiser, exact, length, out);
		if (!text_has_address(exact, length)) {
			assert_int_equal(written, length);
			assert_memory_equal(out, exact, length);
		}
		free(exact);
		free(out);
	}
	anonymiser_destroy(anonymiser);
}

/* ---- key files ---- */

static char key_path[] = "/tmp/mailtap-key-XXXXXX";

static void write_key(const void *bytes, size_t length, mode_t mode)
{
	int file = open(key_path, O_WRONLY | O_TRUNC);
	assert_true(file >= 0);
	assert_int_equal(write(file, bytes, length), (ssize_t)length);
	close(file);
	assert_int_equal(chmod(key_path, mode), 0);
}

static bool maps_as_published(void)
{
	struct error error = {""};
	char text[SERVER_ADDRESS_TEXT];
	struct anonymiser *anonymiser = anonymiser_open(key_path, &error);
	if (anonymiser == NULL)
		return false;
	struct ip_address from = address_of("192.0.2.1");
	struct ip_address to = anonymise_address(anonymiser, &from);
	server_address_write(&to, text);
	anonymiser_destroy(anonymiser);
	return strcmp(text, "192.0.125.244") == 0;
}

static void check_refused(const char *path, const char *why)
{
	struct error error = {""};
	assert_null(anonymiser_open(path, &error));
	if (strstr(error.text, why) == NULL)
		print_error("\"%s\" does not say \"%s\"\n", error.text, why);
	assert_non_null(strstr(error.text, why));
	assert_non_null(strstr(error.text, path));
}

static void key_files(void **state)
{
	char hex[2 * ANONYMISE_KEY_BYTES + 4] = "";
	(void)state;
	close(mkstemp(key_path));
	for (size_t i = 0; i < ANONYMISE_KEY_BYTES; i++)
		sprintf(hex + 2 * i, i % 2 == 0 ? "%02x" : "%02X", (unsigned)readme_key[i]);
	write_key(readme_key, 32, 0600);
	assert_true(maps_as_published());
	write_key(hex, 64, 0400);
	assert_true(maps_as_published());
	chmod(key_path, 0600);
	write_key(strcat(hex, "\n"), 65, 0600);
	assert_true(maps_as_published());
	memcpy(hex + 64, "\r\n", 3);
	write_key(hex, 66, 0600);
	assert_true(maps_as_published());
	hex[66] = '\n';
	write_key(hex, 67, 0600);
	check_refused(key_path, "is no key");
	write_key(hex, 63, 0600);
	check_refused(key_path, "is no key");
	write_key(hex, 32, 0600); // digits: half a key
	check_refused(key_path, "is no key");
	write_key(readme_key, 31, 0600);
	check_refused(key_path, "is no key");
	write_key("", 0, 0600);
	check_refused(key_path, "is no key");
	static const mode_t open_to_others[] = {0640, 0604, 0620, 0602, 0610, 0601};
	for (size_t i = 0; i < sizeof open_to_others / sizeof open_to_others[0]; i++) {
		write_key(readme_key, 32, 0600);
		chmod(key_path, open_to_others[i]);
		check_refused(key_path, "chmod 600");
	}
	unlink(key_path);
	check_refused(key_path, "No such file");
	check_refused("/dev/null", "no regular file");
	assert_int_equal(mkfifo(key_path, 0600), 0);
	check_refused(key_path, "no regular file");
	unlink(key_path);
}

// A key of another user may be exchanged by him. Only root can make one.
static void foreign_key(void **state)
{
	(void)state;
	if (geteuid() != 0) {
		skip();
		return;
	}
	strcpy(key_path + strlen(key_path) - 6, "XXXXXX");
	close(mkstemp(key_path));
	write_key(readme_key, 32, 0600);
	assert_true(maps_as_published());
	assert_int_equal(chown(key_path, 12345, 12345), 0);
	check_refused(key_path, "another user");
	unlink(key_path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(vectors),
	    cmocka_unit_test(prefixes),
	    cmocka_unit_test(keys),
	    cmocka_unit_test(texts),
	    cmocka_unit_test(forms),
	    cmocka_unit_test(many),
	    cmocka_unit_test(any_bytes),
	    cmocka_unit_test(key_files),
	    cmocka_unit_test(foreign_key),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
