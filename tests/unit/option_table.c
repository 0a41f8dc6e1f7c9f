// SPDX-License-Identifier: Apache-2.0
// The table of options: its rows contradict neither each other nor the help's layout; and the kinds of values
// that the tests of command lines do not show.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "analytics/option_help.h"
#include "analytics/option_values.h"

#include <stdlib.h>
#include <string.h>

static void rows_differ(void **state)
{
	(void)state;
	for (size_t i = 0; i < option_rows; i++) {
		const struct option_row *row = &option_table[i];
		assert_true(strlen(row->name) + sizeof "--" <= OPTION_NAME_MAX);
		assert_int_equal(
		    row->argument == NULL, row->kind == &option_flag || row->kind->read == NULL);
		assert_true(row->group != OPTION_GROUP_NONE || row->kind->read == NULL ||
		            strstr(row->name, "config") != NULL);
		for (size_t j = 0; j < i; j++) {
			assert_string_not_equal(row->name, option_table[j].name);
			if (row->letter != 0)
				assert_int_not_equal(row->letter, option_table[j].letter);
			if (row->kind->read != NULL && option_table[j].kind->read != NULL)
				assert_int_not_equal(row->offset, option_table[j].offset);
		}
	}
}

// A terminal of 100 columns shows it as it is written.
static void help_fits(void **state)
{
	char *text = NULL, *rest, line[64];
	size_t size;
	(void)state;
	FILE *out = open_memstream(&text, &size);
	assert_non_null(out);
	option_help_print(out);
	assert_int_equal(fclose(out), 0);
	for (size_t i = 0; i < option_rows; i++) {
		snprintf(line, sizeof line, " --%s%c", option_table[i].name,
		    option_table[i].argument != NULL ? ' ' : '\0');
		assert_non_null(strstr(text, line));
	}
	for (char *one = strtok_r(text, "\n", &rest); one != NULL;
	     one = strtok_r(NULL, "\n", &rest))
		assert_true(strlen(one) <= 97);
	free(text);
}

// Reads one value into the member `memory`; what an error says, or NULL.
static const char *read_as(const struct option_row *row, const char *value, size_t *number)
{
	static struct error error;
	struct options *options = calloc(1, sizeof *options);
	assert_non_null(options);
	bool good = row->kind->read(options, row, "--some", value, &error);
	*number = options->memory;
	free(options);
	return good ? NULL : error.text;
}

static void counts(void **state)
{
	static const struct option_row row = {.kind = &option_count,
	    .offset = offsetof(struct options, memory),
	    .least = 1,
	    .most = 64};
	static const struct option_row any = {
	    .kind = &option_count, .offset = offsetof(struct options, memory)};
	static const char *const bad[] = {
	    "0", "65", "", " 1", "-1", "+1", "1 ", "2x", "99999999999999999999"};
	size_t number;
	(void)state;
	assert_null(read_as(&row, "1", &number));
	assert_int_equal(number, 1);
	assert_null(read_as(&row, "64", &number));
	assert_int_equal(number, 64);
	assert_null(read_as(&any, "18446744073709551615", &number));
	assert_true(number == SIZE_MAX);
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		const char *said = read_as(&row, bad[i], &number);
		assert_non_null(said);
		assert_non_null(strstr(said, "--some: \""));
		assert_non_null(strstr(said, "is no number from 1 to 64"));
	}
}

static void words(void **state)
{
	static const char *const known[] = {"off", "time", "size", NULL};
	static const struct option_row row = {
	    .kind = &option_word, .offset = offsetof(struct options, memory), .words = known};
	size_t number;
	(void)state;
	assert_null(read_as(&row, "off", &number));
	assert_int_equal(number, 0);
	assert_null(read_as(&row, "size", &number));
	assert_int_equal(number, 2);
	assert_string_equal(read_as(&row, "siz", &number),
	    "--some: \"siz\" is not known: expected one of off time size");
	assert_non_null(read_as(&row, "", &number));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(rows_differ),
	    cmocka_unit_test(help_fits),
	    cmocka_unit_test(counts),
	    cmocka_unit_test(words),
	};
	return cmocka_run_group_tests_name("option_table", tests, NULL, NULL);
}
