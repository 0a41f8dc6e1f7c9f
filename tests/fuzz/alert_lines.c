// SPDX-License-Identifier: Apache-2.0
// Fuzzes the way from alerts.jsonl to the report: the first byte says whether addresses are replaced and how many
// alerts are shown, the rest is a log. No alert is shown twice or beyond what was asked for, lines with real
// addresses go out without what is made from them, and the page has no elements but its own.
#include "analytics/report_alerts.h"
#include "tests/fuzz/fuzzer.h"

#include <ctype.h>
#include <jansson.h>

static const struct page_alerts_words words = {"Alerts", "such alerts", "those of further servers"};

static bool is_own_element(const char *name, size_t length)
{
	static const char *const own[] = {"section", "h2", "h3", "h4", "p", "b", "ul", "li", "dl",
	    "dt", "dd", "span", "time", "code", "div", "a"};
	for (size_t i = 0; i < sizeof own / sizeof own[0]; i++)
		if (strlen(own[i]) == length && memcmp(own[i], name, length) == 0)
			return true;
	return false;
}

// Where the tag that begins here ends: in it is no other one, and no quote that stays open.
static const char *after_tag(const char *at)
{
	const char *name = at + (*at == '/');
	size_t length = 0;
	bool quoted = false;
	while (isalnum((unsigned char)name[length]))
		length++;
	MUST(is_own_element(name, length));
	for (at = name + length; *at != '\0' && (*at != '>' || quoted); at++) {
		MUST(*at != '<');
		quoted ^= *at == '"';
	}
	MUST(*at == '>');
	return at + 1;
}

static void check_page(const char *text, size_t length)
{
	MUST(strlen(text) == length);
	for (const char *at = text; *at != '\0';) {
		unsigned char c = (unsigned char)*at;
		MUST((c >= 0x20 || c == '\n') && c != 0x7f);
		at = c == '<' ? after_tag(at + 1) : at + 1;
	}
}

static void write_page(const struct page *page)
{
	char *text;
	size_t length;
	FILE *out = open_memstream(&text, &length);
	MUST(out != NULL);
	for (size_t i = 0; i < page_section_count(); i++)
		if (strcmp(page_section_at(i)->id, "stripping") == 0)
			page_write_section(page, page_section_at(i), out);
	fclose(out);
	check_page(text, length);
	free(text);
}

static void check_shown(const struct page *page, bool anonymised)
{
	uint64_t told = 0;
	for (size_t i = 0; i < page->alert_count; i++) {
		const struct view line = page->alerts[i].line;
		free(exact_copy(line.data, line.length));
		json_t *alert =
		    json_loadb((const char *)line.data, line.length, JSON_ALLOW_NUL, NULL);
		MUST(json_is_string(json_object_get(alert, "kind")));
		MUST(json_is_string(json_object_get(alert, "client_ip")));
		MUST(!anonymised || json_object_get(alert, "session_id") == NULL ||
		     json_is_true(json_object_get(alert, "anonymised")));
		json_decref(alert);
		told += page->alerts[i].count;
	}
	MUST(told <= page->alerts_all);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t key[ANONYMISE_KEY_BYTES] = {1};
	struct input input = {data, data + size};
	struct error error;
	uint8_t how = take(&input);
	struct anonymiser *anonymiser = how & 1 ? anonymiser_create(key) : NULL;
	struct report_alerts *alerts = report_alerts_create(anonymiser, &error);
	MUST(alerts != NULL && (anonymiser != NULL) == (how & 1));
	while (input_left(&input) > 0) {
		const uint8_t *end = memchr(input.at, '\n', input_left(&input));
		size_t length = (size_t)((end != NULL ? end : input.end) - input.at);
		char *line = (char *)exact_copy(input.at, length);
		(void)report_alerts_take(alerts, line, length);
		free(line);
		input.at += length + (end != NULL);
	}
	struct page page = {.alerts_words = &words, .alerts_known = true};
	report_alerts_show(alerts, &page, how >> 1);
	MUST(page.alert_count <= (size_t)(how >> 1));
	check_shown(&page, anonymiser != NULL);
	write_page(&page);
	report_alerts_destroy(alerts);
	anonymiser_destroy(anonymiser);
	return 0;
}
