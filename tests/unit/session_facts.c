// SPDX-License-Identifier: Apache-2.0
// Facts read from a line of sessions.jsonl, names and their operators, and logs line by line.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "analytics/facts_lookup.h"
#include "analytics/session_log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- lines ---- */

#define LINE_START                                                                                 \
	"{\"start\":\"2026-01-02T03:04:05.25Z\",\"end\":\"2026-01-02T03:04:06Z\",\"client_ip\":"   \
	"\"192.0.2.1\","                                                                           \
	"\"server_ip\":\"2001:db8::1\",\"server_port\":25,\"verdict\":\"stripped\""

static enum facts_outcome read_line(struct session_facts *facts, const char *line)
{
	return session_facts_of_line(facts, line, strlen(line));
}

static void a_line_is_read(void **state)
{
	(void)state;
	struct session_facts facts;
	assert_int_equal(
	    read_line(&facts, LINE_START
	        ",\"protocol\":\"smtp\",\"hop\":\"relay\",\"starttls_offered\":false,"
	        "\"tls_established\":null,\"sni\":\"MX.Example.ORG.\",\"server_banner\":\"\","
	        "\"certificate_status\":[\"expired\",\"name_mismatch\"],\"messages\":3,"
	        "\"evidence\":[{\"kind\":\"banner_garbled\",\"confidence\":\"probable\"},"
	        "{\"kind\":\"banner_garbled\",\"confidence\":\"suspected\"}]}"),
	    FACTS_TAKEN);
	assert_int_equal(facts.start, SECONDS(1767323045) + 250000000);
	assert_int_equal(facts.end - facts.start, 750000000);
	assert_int_equal(facts.address[FROM_CLIENT].bytes[12], 192);
	assert_int_equal(facts.address[FROM_SERVER].bytes[0], 0x20);
	assert_int_equal(facts.server_port, 25);
	assert_int_equal(facts.verdict, VERDICT_STRIPPED);
	assert_int_equal(facts.protocol, PROTOCOL_SMTP);
	assert_string_equal(facts.spoken, "smtp");
	assert_int_equal(facts.hop, HOP_RELAY);
	assert_int_equal(facts.starttls_offered, SEEN_NO);
	assert_int_equal(facts.starttls_requested, NOT_SEEN);
	assert_int_equal(facts.tls_established, NOT_SEEN);
	assert_string_equal(facts.asked_name.text, "mx.example.org");
	assert_int_equal(facts.greeted, SEEN_YES);
	assert_true(facts.faults_known);
	assert_int_equal(facts.faults, 1 << 2 | 1 << 5);
	assert_int_equal(facts.messages, 3);
	assert_false(facts.message_bytes_known);
	assert_int_equal(facts.evidence[EVIDENCE_BANNER_GARBLED], CONFIDENCE_PROBABLE);
	assert_int_equal(session_facts_confidence(&facts), CONFIDENCE_PROBABLE);
}

static void what_is_not_known_is_left_out(void **state)
{
	(void)state;
	static const char *const rests[] = {
	    ",\"future\":1}",
	    ",\"hop\":\"\"}",
	    ",\"certificate_status\":[\"cursed\"]}",
	    ",\"evidence\":[{\"kind\":\"magic\",\"confidence\":\"probable\"}]}",
	    ",\"evidence\":[{\"kind\":\"banner_garbled\",\"confidence\":\"certain\"}]}",
	    ",\"evidence\":[7]}",
	};
	for (size_t i = 0; i < sizeof rests / sizeof rests[0]; i++) {
		struct session_facts facts;
		char line[1024];
		snprintf(line, sizeof line, LINE_START "%s", rests[i]);
		assert_int_equal(read_line(&facts, line), FACTS_TAKEN_IN_PART);
		assert_int_equal(facts.faults, 0);
		assert_int_equal(session_facts_confidence(&facts), CONFIDENCE_NONE);
	}
}

static void damage_is_seen(void **state)
{
	(void)state;
	static const char *const lines[] = {
	    "",
	    "{",
	    "[]",
	    "7",
	    "\"x\"",
	    "{}",
	    LINE_START,
	    LINE_START ",\"hop\":1}",
	    LINE_START ",\"sni\":[]}",
	    LINE_START ",\"messages\":-1}",
	    LINE_START ",\"messages\":1.5}",
	    LINE_START ",\"messages\":4294967296}",
	    LINE_START ",\"starttls_offered\":\"yes\"}",
	    LINE_START ",\"evidence\":{}}",
	    LINE_START "}}",
	    LINE_START ",\"server_port\":65536}",
	    LINE_START ",\"client_ip\":\"192.0.2\"}",
	    LINE_START ",\"end\":\"2026-01-02 03:04:05Z+\"}",
	    LINE_START ",\"end\":\"1969-01-02T03:04:05Z\"}",
	    LINE_START ",\"end\":\"2026-01-0xT03:04:05Z\"}",
	    LINE_START ",\"verdict\":null}",
	};
	for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
		struct session_facts facts;
		assert_int_equal(read_line(&facts, lines[i]), FACTS_DAMAGED);
	}
}

/* ---- names ---- */

static void assert_name(const char *said, const char *name, const char *domain)
{
	struct error error;
	struct host_name taken;
	struct operator_name registered;
	struct facts_lookup *lookup = facts_lookup_open(&error);
	assert_non_null(lookup);
	(void)host_name_read(view_of((const uint8_t *)said, strlen(said)), &taken);
	assert_string_equal(taken.text, name);
	facts_lookup_domain(lookup, &taken, &registered);
	assert_string_equal(registered.text, domain);
	facts_lookup_close(lookup);
}

static void names_and_their_operators(void **state)
{
	(void)state;
	assert_name("MX1.Mail.Example.COM", "mx1.mail.example.com", "example.com");
	assert_name("mx.example.co.uk.", "mx.example.co.uk", "example.co.uk");
	assert_name("co.uk", "co.uk", "");
	assert_name("localhost", "", "");
	assert_name("a_b-c.example.net", "a_b-c.example.net", "example.net");
	static const char *const none[] = {"", ".", "..", "a..b", ".a", "192.0.2.1", "[192.0.2.1]",
	    "2001:db8::1", "mx example.com", "=cmd.example.com", "b\xc3\xbc.example", "a.b\n",
	    "a.7"};
	for (size_t i = 0; i < sizeof none / sizeof none[0]; i++)
		assert_name(none[i], "", "");
}

/* ---- logs ---- */

static enum log_line take(void *context, const char *line, size_t length)
{
	char *seen = context;
	if (length > 100)
		snprintf(seen + strlen(seen), 100, "<%zu>", length);
	else
		snprintf(seen + strlen(seen), 100, "<%.*s>", (int)length, line);
	return line[0] == 'x'   ? LOG_LINE_DAMAGED
	       : line[0] == 'p' ? LOG_LINE_IN_PART
	                        : LOG_LINE_TAKEN;
}

// Writes a log of this text, then `filler` times 'f', then the rest, and reads it.
static struct log_counters read_back(
    const char *text, size_t filler, const char *rest, const char *expected)
{
	char path[] = "/tmp/mailtap-log-XXXXXX", seen[4096] = "";
	struct log_counters counters = {0};
	struct error error;
	FILE *file = fdopen(mkstemp(path), "w");
	fputs(text, file);
	for (size_t i = 0; i < filler; i++)
		fputc('f', file);
	fputs(rest, file);
	fclose(file);
	assert_true(log_read(path, take, seen, &counters, &error));
	unlink(path);
	assert_string_equal(seen, expected);
	return counters;
}

static void logs_are_read_line_by_line(void **state)
{
	(void)state;
	struct log_counters log = read_back("a\n\r\n\nb\r\nxc\npd\n", 0, "e", "<a><b><xc><pd><e>");
	assert_int_equal(log.lines, 5);
	assert_int_equal(log.taken, 4);
	assert_int_equal(log.in_part, 1);
	assert_int_equal(log.damaged, 1);
	assert_false(log.torn);
	log = read_back("a\n", 0, "xtorn", "<a><xtorn>");
	assert_true(log.torn);
	assert_int_equal(log.damaged, 0);
	log = read_back("", 0, "", "");
	assert_int_equal(log.lines, 0);
}

static void lines_have_a_limit(void **state)
{
	(void)state;
	enum { LIMIT = 1 << 20 };
	struct log_counters log = read_back("a\n", LIMIT - 1, "\nb\n", "<a><1048575><b>");
	assert_int_equal(log.too_long, 0);
	log = read_back("a\n", LIMIT, "\nb\n", "<a><b>");
	assert_int_equal(log.too_long, 1);
	assert_int_equal(log.lines, 3);
	log = read_back("a\n", 3 * LIMIT, "\nb\n", "<a><b>");
	assert_int_equal(log.too_long, 1);
	assert_int_equal(log.lines, 3);
	log = read_back("a\n", 3 * LIMIT, "", "<a>");
	assert_int_equal(log.too_long, 1);
	assert_false(log.torn);
}

static void a_log_that_is_not_there_is_said(void **state)
{
	(void)state;
	struct log_counters counters = {0};
	struct error error;
	assert_false(log_read("/nonexistent/log", take, NULL, &counters, &error));
	assert_non_null(strstr(error.text, "/nonexistent/log"));
	assert_false(log_read("/", take, NULL, &counters, &error));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_line_is_read),
	    cmocka_unit_test(what_is_not_known_is_left_out),
	    cmocka_unit_test(damage_is_seen),
	    cmocka_unit_test(names_and_their_operators),
	    cmocka_unit_test(logs_are_read_line_by_line),
	    cmocka_unit_test(lines_have_a_limit),
	    cmocka_unit_test(a_log_that_is_not_there_is_said),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
