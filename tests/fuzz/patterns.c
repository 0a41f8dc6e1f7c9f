// SPDX-License-Identifier: Apache-2.0
// Fuzzes the reader of pattern files: the input is a file. What it takes is within its bounds, an error
// names the file and a line of it, and reading again gives the same.
#include "decode/pattern_file.h"
#include "tests/fuzz/fuzzer.h"

static unsigned lines_of(const uint8_t *data, size_t size)
{
	unsigned lines = 1;
	for (size_t i = 0; i < size; i++)
		lines += data[i] == '\n';
	return lines;
}

static void check_pattern(const struct pattern *pattern, unsigned lines)
{
	MUST(pattern->class < PATTERN_CLASSES && pattern->edit_distance <= 1);
	MUST(pattern->line > 0 && pattern->line <= lines);
	MUST(strlen(pattern->expression) <= PATTERN_LINE_MAX);
	if (pattern->identifier == NULL)
		return;
	MUST(pattern->identifier[0] != '\0' && strcmp(pattern->identifier, "-") != 0);
	MUST(strlen(pattern->identifier) <= PATTERN_IDENTIFIER_MAX);
	for (const char *c = pattern->identifier; *c != '\0'; c++)
		MUST(*c >= ' ' && *c <= '~' && *c != '"' && *c != '\\');
}

static void check_same(const struct pattern *a, const struct pattern *b)
{
	MUST(a->class == b->class && a->line == b->line && a->caseless == b->caseless);
	MUST(a->edit_distance == b->edit_distance);
	MUST(strcmp(a->expression, b->expression) == 0);
	MUST((a->identifier == NULL) == (b->identifier == NULL));
	MUST(a->identifier == NULL || strcmp(a->identifier, b->identifier) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pattern_list list = {0}, again = {0};
	struct error error = {0}, ignored;
	char where[64];
	unsigned line, lines = lines_of(data, size);
	bool good = pattern_text_read(&list, "file", view_of(data, size), &error);
	MUST(good == (error.text[0] == '\0'));
	MUST(good || (sscanf(error.text, "file:%u: %63c", &line, where) == 2 && line <= lines));
	MUST(list.count <= lines);
	MUST(pattern_text_read(&again, "file", view_of(data, size), &ignored) == good);
	MUST(again.count == list.count);
	for (size_t i = 0; i < list.count; i++) {
		check_pattern(&list.patterns[i], lines);
		check_same(&list.patterns[i], &again.patterns[i]);
	}
	pattern_list_free(&list);
	pattern_list_free(&again);
	return 0;
}
