// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "analytics/dkim_key.h"
#include "analytics/spf_record.h"
#include "decode/tag_list.h"

#include <stdio.h>
#include <string.h>

static const struct {
	const char *text;
	bool valid;
	char all;
	unsigned lookups;
} records[] = {
    {"v=spf1", true, 0, 0},
    {"V=SPF1 -ALL", true, '-', 0},
    {"v=spf1 mx a:mail.example.org/24//64 include:_spf.example.net ~all", true, '~', 3},
    {"v=spf1 ip4:192.0.2.0/24 ip6:2001:db8::/32 ?all", true, '?', 0},
    {"v=spf1 all", true, '+', 0},
    {"v=spf1 +mx/28 ptr:example.org exists:%{ir}.%{v}._spf.%{d2} redirect=_spf.example.org", true,
        0, 4},
    {"v=spf1 a//64 exp=why.example.org unknown=x%_%%%- -all", true, '-', 1},
    {"v=spf1 exists:%{l1r+-}.example.org -all", true, '-', 1},
    {"v=spf1 ip4:192.0.2.0/33 -all", false, 0, 0},
    {"v=spf1 ip4:192.0.2.256 -all", false, 0, 0},
    {"v=spf1 ip6:192.0.2.1 -all", false, 0, 0},
    {"v=spf1 include -all", false, 0, 1},
    {"v=spf1 include: -all", false, 0, 1},
    {"v=spf1 include:example -all", false, 0, 1},
    {"v=spf1 a:example.123 -all", false, 0, 1},
    {"v=spf1 a/033 -all", false, 0, 1},
    {"v=spf1 exists:%{x}.example.org", false, 0, 1},
    {"v=spf1 exists:%{d.example.org", false, 0, 1},
    {"v=spf1 redirect=a.example redirect=b.example", false, 0, 1},
    // The letters of explanations; a macro, or what is like one, ends a name, but no dot behind it.
    {"v=spf1 exists:%{c}.example.org", false, 0, 1},
    {"v=spf1 redirect=%{r}.example.org", false, 0, 1},
    {"v=spf1 unknown=%{t} -all", true, '-', 0},
    {"v=spf1 a:%{d} a:example.%_ a:%{d}/24//64 -all", true, '-', 3},
    {"v=spf1 a:%{d}. -all", false, 0, 1},
    {"v=spf1 a:%{d}.. -all", false, 0, 1},
    {"v=spf1 a:%{d}x -all", false, 0, 1},
    // Slashes are of names, too; a length stands at the end.
    {"v=spf1 a:a/b.example.org/24 mx:example.org. -all", true, '-', 2},
    {"v=spf1 a:example.org/b -all", false, 0, 1},
    {"v=spf1 a:example.org/24/64 -all", false, 0, 1},
    {"v=spf1 a:example.org//64/24 -all", false, 0, 1},
    {"v=spf1 a/24// -all", false, 0, 1},
    {"v=spf1 mx//129 -all", false, 0, 1},
    {"v=spf1 redirect=a.example mx -all a ptr", true, '-', 1},
    {"v=spf1 -al", false, 0, 0},
    {"v=spf1 all:example.org", false, '+', 0},
    {"v=spf1 - all", false, 0, 0},
    {"v=spf10 -all", false, 0, 0},
};

static void syntax(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof records / sizeof records[0]; i++) {
		// In a block of its own, so that a sanitizer sees reads behind it.
		size_t length = strlen(records[i].text);
		uint8_t *text = test_malloc(length);
		memcpy(text, records[i].text, length);
		struct spf_record record = spf_record_read(text, length);
		if (record.valid != records[i].valid || record.all != records[i].all ||
		    record.lookups != records[i].lookups)
			fail_msg("%s: %d %c %u", records[i].text, record.valid, record.all,
			    record.lookups);
		test_free(text);
	}
}

// A zero byte is none of the qualifiers, though it ends the text of them.
static void a_zero_byte(void **state)
{
	static const char text[] = "v=spf1 \0all";
	(void)state;
	struct spf_record record = spf_record_read((const uint8_t *)text, sizeof text - 1);
	assert_false(record.valid);
}

static struct view text_of(const char *text)
{
	return view_of((const uint8_t *)text, strlen(text));
}

static void tags(void **state)
{
	(void)state;
	struct view list = text_of("v=DMARC1;p = none ; ; rua=;sp=reject");
	assert_true(tag_list_begins(list, "DMARC1"));
	assert_false(tag_list_begins(text_of("p=none; v=DMARC1"), "DMARC1"));
	unsigned count;
	assert_true(tag_is(tag_list_value(list, "p"), "NONE"));
	assert_null(tag_list_value(list, "P").data);
	assert_true(tag_is(tag_list_value_any_case(list, "SP", &count), "reject"));
	assert_int_equal(count, 1);
	assert_true(tag_is(tag_list_value_any_case(text_of("p=a; P=b;p"), "p", &count), "a"));
	assert_int_equal(count, 3);
	assert_int_equal(tag_list_value(list, "rua").length, 0);
	assert_non_null(tag_list_value(list, "rua").data);
	assert_null(tag_list_value(list, "pct").data);
}

static void lists(void **state)
{
	static const char *const good[] = {"a=", "a=b;", " v = 1 ; b2_ = x=y ; ", "a=b;A=b"};
	static const char *const bad[] = {"", " ", ";", "a", "a=b;;", "a=b;;c=d", ";a=b", "a=b; c",
	    "a=b; =c", "a=b;a=", "1a=b", "a b=c", "a-b=c", "\"a=b\""};
	char many[300] = "";
	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
		if (!tag_list_is_sound(text_of(good[i])))
			fail_msg("%s", good[i]);
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		if (tag_list_is_sound(text_of(bad[i])))
			fail_msg("%s", bad[i]);
	for (int i = 0; i < 40; i++)
		(void)snprintf(many + strlen(many), sizeof many - strlen(many), "t%d=;", i);
	assert_true(tag_list_is_sound(text_of(many)));
	memcpy(strstr(many, "t39"), "t31", 3);
	assert_false(tag_list_is_sound(text_of(many)));
}

static void keys(void **state)
{
	(void)state;
	struct dkim_key key = dkim_key_read(text_of("p="));
	assert_true(key.present && key.revoked);
	key = dkim_key_read(
	    text_of("v=DKIM1; k=ed25519; t=s:y; p=11qYAYKxCrfVS/7TyWQH Og7hcvPapiMlrwIaaPcHURo="));
	assert_true(key.present && key.testing && !key.revoked);
	assert_int_equal(key.bits, 256);
	key = dkim_key_read(text_of("k=rsa; p=!!!"));
	assert_true(key.present && key.bits == 0);
	assert_false(dkim_key_read(text_of("v=DKIM2; p=AAAA")).present);
	assert_false(dkim_key_read(text_of("k=rsa")).present);
	assert_false(dkim_key_read(text_of("v=dkim1; p=AAAA")).present);
	assert_false(dkim_key_read(text_of("p=AAAA; n")).present);
	assert_false(dkim_key_read(text_of("p=AAAA; p=AAAA")).present);
	assert_true(dkim_key_read(text_of("p=AAAA; v=DKIM1;")).present);
	key = dkim_key_read(text_of("p=AAAA; h=sha1 : SHA256; s=tlsrpt:email"));
	assert_true(key.for_sha256 && key.for_mail && !key.strict);
	key = dkim_key_read(text_of("p=AAAA; h=sha1; s=tlsrpt; t= y : s "));
	assert_true(!key.for_sha256 && !key.for_mail && key.strict && key.testing);
}

static void put_base64(char *to, const uint8_t *bytes, size_t length)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	for (size_t i = 0; i < length * 8; i += 6) {
		unsigned pair = (unsigned)bytes[i / 8] << 8 | (i / 8 + 1 < length ? bytes[i / 8 + 1] : 0);
		*to++ = digits[pair >> (10 - i % 8) & 63];
	}
	for (size_t i = length; i % 3 != 0; i++)
		*to++ = '=';
	*to = '\0';
}

// A key as long as is read, and one byte longer.
static void long_keys(void **state)
{
	enum { AROUND = 37 }; // bytes around a modulus
	(void)state;
	for (size_t more = 0; more <= 1; more++) {
		const size_t modulus = DKIM_KEY_BYTES_MAX + more - AROUND, exponent = 5;
		const size_t inner = 4 + modulus + exponent, outer = 4 + inner + 1, whole = 15 + 4 + outer;
		const uint8_t head[] = {0x30, 0x82, (uint8_t)(whole >> 8), (uint8_t)whole, 0x30, 0x0d, 0x06, 0x09,
		    0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00, 0x03, 0x82, (uint8_t)(outer >> 8),
		    (uint8_t)outer, 0, 0x30, 0x82, (uint8_t)(inner >> 8), (uint8_t)inner, 0x02, 0x82,
		    (uint8_t)(modulus >> 8), (uint8_t)modulus};
		static uint8_t bytes[DKIM_KEY_BYTES_MAX + 1];
		static char text[4096] = "k=rsa; p=";
		memset(bytes, 0x7f, sizeof bytes);
		memcpy(bytes, head, sizeof head);
		memcpy(bytes + sizeof head + modulus, (const uint8_t[]){2, 3, 1, 0, 1}, exponent);
		put_base64(text + 9, bytes, DKIM_KEY_BYTES_MAX + more);
		assert_int_equal(dkim_key_read(text_of(text)).bits, more == 0 ? modulus * 8 - 1 : 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(syntax),
	    cmocka_unit_test(a_zero_byte),
	    cmocka_unit_test(tags),
	    cmocka_unit_test(lists),
	    cmocka_unit_test(keys),
	    cmocka_unit_test(long_keys),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
