// SPDX-License-Identifier: Apache-2.0
// What the patterns say of a whole record, and that what was said before of the same text is not said of
// another.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "analytics/pattern_findings.h"
#include "decode/clues.h"
#include "pattern_lab.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct pattern_reader *reader;
static struct session session;
static struct session_record record = {.session = &session};

static int make(void **state)
{
	(void)state;
	reader = pattern_reader_create(shipped_set());
	return reader == NULL;
}

static int release(void **state)
{
	(void)state;
	pattern_reader_destroy(reader);
	return 0;
}

// Replaces a text of the session by a copy of just its size. NULL: not seen.
static void set_text(struct text **slot, const void *bytes, size_t length)
{
	free(*slot);
	*slot = bytes != NULL ? malloc(sizeof(struct text) + length) : NULL;
	if (*slot == NULL)
		return;
	**slot = (struct text){.length = (uint32_t)length};
	memcpy((*slot)->bytes, bytes, length);
}

static struct pattern_findings findings_of(const char *banner, const char *capabilities)
{
	set_text(&session.server_banner, banner, banner != NULL ? strlen(banner) : 0);
	set_text(
	    &session.capabilities, capabilities, capabilities != NULL ? strlen(capabilities) : 0);
	return pattern_findings_of(reader, &record);
}

static void forget(void)
{
	set_text(&session.server_banner, NULL, 0);
	set_text(&session.capabilities, NULL, 0);
	set_text(&session.clues, NULL, 0);
}

static void software(void **state)
{
	(void)state;
	for (int round = 0; round < 2; round++) { // the second time from memory
		assert_string_equal(
		    findings_of("220 a ESMTP Postfix", "SIZE\nSTARTTLS").server_software,
		    "Postfix");
		assert_string_equal(
		    findings_of("220 a ESMTP", "SIZE\nX-EXPS=LOGIN").server_software, "Exchange");
		assert_string_equal(
		    findings_of("220 a ESMTP Postfix", "X-LINK2STATE\nSIZE").server_software,
		    "Exchange");
		assert_string_equal(findings_of(NULL, "X-GM-EXT-1").server_software, "Gmail");
		assert_string_equal(
		    findings_of("220 a ESMTP Exim 4.96", NULL).server_software, "Exim");
		assert_null(findings_of("220 a ESMTP", "SIZE").server_software);
		assert_null(findings_of("", "").server_software);
		assert_null(findings_of(NULL, NULL).server_software);
	}
	forget();
}

static void overwritten_banner(void **state)
{
	(void)state;
	for (int round = 0; round < 2; round++) {
		assert_true(findings_of("220 ****************0*2**", NULL).banner_garbled);
		assert_false(findings_of("220 a ESMTP Postfix", NULL).banner_garbled);
		assert_false(findings_of(NULL, NULL).banner_garbled);
	}
	forget();
}

static void assert_garbled(const char *capabilities, int which, const char *line)
{
	for (int round = 0; round < 2; round++) {
		struct pattern_findings findings = findings_of(NULL, capabilities);
		assert_int_equal(findings.garbled_capability, which);
		if (which < 0)
			continue;
		const struct view *found = &findings.garbled_capability_line;
		const struct text *list = session.capabilities;
		assert_int_equal(found->length, strlen(line));
		assert_memory_equal(found->data, line, found->length);
		assert_in_range(
		    found->data, list->bytes, list->bytes + list->length - found->length);
	}
}

static void garbled_capability(void **state)
{
	(void)state;
	assert_garbled("PIPELINING\nSIZE 1\nXXXXXXXA\nXXXC\nDSN", 2, "XXXXXXXA");
	assert_garbled("XXXX", 0, "XXXX");
	assert_garbled("XXXX\nSIZE", 0, "XXXX");
	assert_garbled("SIZE\nDSN\n********", 2, "********");
	assert_garbled("SIZE\n\nSTARTTLX", 2, "STARTTLX");
	assert_garbled("SIZE\nSTARTTLS\nXCLIENT NAME", -1, NULL);
	assert_garbled("\n", -1, NULL);
	assert_garbled(NULL, -1, NULL);
	forget();
}

// A clue as clues.c keeps it: kind, length with the higher byte first, bytes.
static struct pattern_findings findings_of_answer(enum clue_kind kind, const char *line)
{
	uint8_t bytes[CLUES_MAX] = {(uint8_t)kind, 0, (uint8_t)strlen(line)};
	memcpy(bytes + 3, line, strlen(line));
	set_text(&session.clues, bytes, 3 + strlen(line));
	return pattern_findings_of(reader, &record);
}

static void answers(void **state)
{
	(void)state;
	struct pattern_findings said =
	    findings_of_answer(CLUE_STARTTLS_ANSWER, "502 5.5.2 Error: command not recognized");
	assert_true(said.answer_unknown_command);
	assert_false(said.answer_echoes_filler);
	said = findings_of_answer(CLUE_STARTTLS_ANSWER, "500 Command unrecognized: \"XXXXXXXX\"");
	assert_true(said.answer_unknown_command);
	assert_true(said.answer_echoes_filler);
	said = findings_of_answer(CLUE_STARTTLS_ANSWER, "454 TLS not available");
	assert_false(said.answer_unknown_command);
	assert_false(said.answer_echoes_filler);
	said = findings_of_answer(CLUE_GARBLED_ANSWER, "500 Command unrecognized: \"XXXXXXXX\"");
	assert_false(said.answer_unknown_command);
	assert_false(said.answer_echoes_filler);
	forget();
}

// Many more texts than are remembered, each with its own answer, twice.
static void many_texts(void **state)
{
	(void)state;
	enum { TEXTS = 5000 };
	char banner[64], list[64];
	for (int i = 0; i < 2 * TEXTS; i++) {
		int number = i % TEXTS;
		snprintf(banner, sizeof banner, "220 h%d ESMTP %s", number,
		    number % 3 ? "Postfix" : "ready");
		snprintf(list, sizeof list, "SIZE %d\n%s", number, number % 5 ? "DSN" : "XXXXXXXX");
		struct pattern_findings findings = findings_of(banner, list);
		assert_int_equal(findings.server_software != NULL, number % 3 != 0);
		assert_int_equal(findings.garbled_capability, number % 5 ? -1 : 1);
	}
	forget();
}

// What was said before of the same texts is not said any more.
static void newer_patterns(void **state)
{
	struct error error;
	assert_int_equal(lab_folder_make(state), 0);
	const char *files[] = {lab_file(
	    "own", "[software]\nOwn /ESMTP Postfix/\n[filler-capability]\nfiller /^HELP$/\n")};
	struct pattern_set_options options = {files, 1, NULL};
	const struct pattern_set *before = pattern_set_share(shipped_set());
	const struct pattern_set *newer = pattern_set_load(&options, &error);
	assert_non_null(newer);
	struct pattern_findings findings = findings_of("220 h ESMTP Postfix", "SIZE 1\nHELP");
	assert_string_equal(findings.server_software, "Postfix");
	assert_int_equal(findings.garbled_capability, -1);
	pattern_set_replace(before, newer);
	pattern_set_destroy(newer);
	findings = findings_of("220 h ESMTP Postfix", "SIZE 1\nHELP");
	assert_string_equal(findings.server_software, "Own");
	assert_int_equal(findings.garbled_capability, 1);
	pattern_set_destroy(before);
	forget();
	assert_int_equal(lab_folder_remove(state), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(software),
	    cmocka_unit_test(overwritten_banner),
	    cmocka_unit_test(garbled_capability),
	    cmocka_unit_test(answers),
	    cmocka_unit_test(many_texts),
	    cmocka_unit_test(newer_patterns),
	};
	return cmocka_run_group_tests_name("pattern_findings", tests, make, release);
}
