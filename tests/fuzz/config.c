// SPDX-License-Identifier: Apache-2.0
// Fuzzes the reader of configuration files: the input is a file. A mistake is told at a place that the file
// has; what is taken are options that have keys, whose values set them; and reading again gives the same.
#include "analytics/config_file.h"
#include "analytics/option_values.h"
#include "tests/fuzz/fuzzer.h"

// As YAML has it, a line may end in more ways than '\n'.
static size_t lines_at_most(const uint8_t *data, size_t size)
{
	size_t lines = 2;
	for (size_t i = 0; i < size; i++)
		lines += data[i] == '\n' || data[i] == '\r' || data[i] >= 0x80;
	return lines;
}

static void check_errors(const struct option_errors *errors, size_t lines)
{
	MUST(errors->count <= OPTION_ERRORS_MAX);
	MUST(errors->left_out == 0 || errors->count == OPTION_ERRORS_MAX);
	for (size_t i = 0; i < errors->count; i++) {
		size_t line, column;
		char reason[2];
		MUST(sscanf(errors->errors[i].text, "file:%zu:%zu: %1s", &line, &column, reason) ==
		     3);
		MUST(line > 0 && line <= lines && column > 0);
	}
}

static void check_setting(
    const struct config_setting *setting, struct options *options, size_t lines)
{
	struct error error;
	const struct option_row *row = setting->row;
	MUST(row >= option_table && row < option_table + option_rows);
	MUST(row->group != OPTION_GROUP_NONE && row->kind->read != NULL);
	MUST((setting->value == NULL) == (row->argument == NULL));
	MUST(setting->line > 0 && setting->line <= lines && setting->column > 0);
	MUST(row->kind->read(options, row, row->name, setting->value, &error));
}

static void check_same(const struct config_file *config, const struct config_file *again)
{
	size_t count, other;
	const struct config_setting *one = config_settings(config, &count);
	const struct config_setting *two = config_settings(again, &other);
	MUST(count == other);
	for (size_t i = 0; i < count; i++) {
		MUST(one[i].row == two[i].row && one[i].line == two[i].line);
		MUST(one[i].value == NULL || strcmp(one[i].value, two[i].value) == 0);
	}
}

static void check_config(
    const struct config_file *config, const struct config_file *again, size_t lines)
{
	size_t count;
	const struct config_setting *settings = config_settings(config, &count);
	struct options *options = options_create();
	MUST(options != NULL);
	for (size_t i = 0; i < count; i++)
		check_setting(&settings[i], options, lines);
	options_free(options);
	check_same(config, again);
}

// A filter is compiled by libpcap, which may ask for a host's address: not what is looked at here.
static bool has_filter(const uint8_t *data, size_t size)
{
	return memmem(data, size, "filter", 6) != NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct option_errors errors = {.count = 0}, ignored = {.count = 0};
	size_t lines = lines_at_most(data, size);
	if (has_filter(data, size))
		return 0;
	struct config_file *config = config_text_read("file", view_of(data, size), &errors);
	struct config_file *again = config_text_read("file", view_of(data, size), &ignored);
	MUST((config == NULL) == (errors.count > 0) && (again == NULL) == (config == NULL));
	check_errors(&errors, lines);
	if (config != NULL)
		check_config(config, again, lines);
	config_file_free(config);
	config_file_free(again);
	return 0;
}
