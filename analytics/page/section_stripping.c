// SPDX-License-Identifier: Apache-2.0
// Evidence of stripping and downgrade: by kind, and each alert with the facts that it rests on. Alerts come as
// lines of alerts.jsonl: whatever they hold is text.
#include "analytics/page/html.h"
#include "analytics/page/page_table.h"
#include "analytics/page/sections.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

// What stands in the head of an alert, or says nothing beside it.
static const char *const not_facts[] = {"kind", "confidence", "time", "session_id", "anonymised",
    "client_ip", "client_port", "client_network", "server_ip", "server_port", "server_name",
    "networks_stripped", "networks_stripped_count", "networks_clean", "networks_clean_count",
    "left_out"};

static bool is_fact(const char *key)
{
	for (size_t i = 0; i < sizeof not_facts / sizeof not_facts[0]; i++)
		if (strcmp(key, not_facts[i]) == 0)
			return false;
	return true;
}

static void put_words(FILE *out, const char *name)
{
	char room[64];
	snprintf(room, sizeof room, "%s", name);
	for (char *at = room; *at != '\0'; at++)
		if (*at == '_')
			*at = ' ';
	html_string(out, room);
}

static void put_string(FILE *out, const json_t *value)
{
	html_text(
	    out, view_of((const uint8_t *)json_string_value(value), json_string_length(value)));
}

// What only another version of mailtap writes: as it stands in the log.
static void put_other(FILE *out, const json_t *value)
{
	char *text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
	if (text != NULL)
		html_string(out, text);
	free(text);
}

static void put_value(FILE *out, const json_t *value)
{
	if (json_is_string(value)) {
		fputs("<code>", out);
		put_string(out, value);
		fputs("</code>", out);
	} else if (json_is_integer(value)) {
		fprintf(out, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
	} else if (json_is_real(value)) {
		fprintf(out, "%.3f", json_real_value(value));
	} else if (json_is_boolean(value)) {
		fputs(json_is_true(value) ? "yes" : "no", out);
	} else if (json_is_null(value)) {
		html_unseen(out);
	} else {
		put_other(out, value);
	}
}

static void put_field(FILE *out, const json_t *alert, const char *key)
{
	const json_t *value = json_object_get(alert, key);
	if (json_is_string(value))
		put_string(out, value);
	else if (json_is_integer(value))
		fprintf(out, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
	else
		html_unseen(out);
}

static void put_networks(
    FILE *out, const json_t *alert, const char *key, const char *count_key, const char *title)
{
	const json_t *list = json_object_get(alert, key);
	json_int_t all = json_integer_value(json_object_get(alert, count_key));
	size_t count = json_array_size(list);
	if (count == 0)
		return;
	fprintf(out, "<dt>%s</dt><dd>", title);
	for (size_t i = 0; i < count; i++) {
		fputs(i > 0 ? ", " : "", out);
		put_string(out, json_array_get(list, i));
	}
	if (all > (json_int_t)count)
		fprintf(out, " and %" JSON_INTEGER_FORMAT " more", all - (json_int_t)count);
	fputs("</dd>", out);
}

// The level as a class: only one of this program's own.
static const char *class_of(const json_t *alert)
{
	static const char *const levels[] = {"confirmed", "probable", "suspected"};
	const char *said = json_string_value(json_object_get(alert, "confidence"));
	for (size_t i = 0; said != NULL && i < sizeof levels / sizeof levels[0]; i++)
		if (strcmp(said, levels[i]) == 0)
			return levels[i];
	return "unknown";
}

static void put_head(FILE *out, const json_t *alert, uint64_t count, const char *several)
{
	const char *kind = json_string_value(json_object_get(alert, "kind"));
	fputs("<h4><span class=\"level\">", out);
	put_field(out, alert, "confidence");
	fputs("</span> ", out);
	put_words(out, kind != NULL ? kind : "");
	if (count > 1) {
		fputs(" <span class=\"of\">", out);
		html_number(out, count);
		fprintf(out, " %s</span>", several);
	}
	fputs("</h4>\n<p>Server <b>", out);
	put_field(out, alert, "server_ip");
	fputs("</b> port ", out);
	put_field(out, alert, "server_port");
	if (json_is_string(json_object_get(alert, "server_name"))) {
		fputs(" (", out);
		put_field(out, alert, "server_name");
		fputs(")", out);
	}
	fputs(", client <b>", out);
	put_field(out, alert, "client_ip");
	fputs("</b>, <time>", out);
	put_field(out, alert, "time");
	fputs("</time></p>\n", out);
}

static void put_facts(FILE *out, json_t *alert)
{
	const char *key;
	json_t *value;
	fputs("<dl class=\"facts\">", out);
	json_object_foreach(alert, key, value)
	{
		if (!is_fact(key))
			continue;
		fputs("<dt>", out);
		put_words(out, key);
		fputs("</dt><dd>", out);
		put_value(out, value);
		fputs("</dd>", out);
	}
	put_networks(
	    out, alert, "networks_stripped", "networks_stripped_count", "seen stripped from");
	put_networks(out, alert, "networks_clean", "networks_clean_count", "seen clean from");
	fputs("</dl>\n", out);
}

static uint64_t put_alert(FILE *out, const struct page_alert *shown, const char *several)
{
	const char *line = (const char *)shown->line.data;
	json_t *alert = json_loadb(line, shown->line.length, JSON_ALLOW_NUL, NULL);
	if (!json_is_object(alert)) {
		json_decref(alert);
		return 0;
	}
	fprintf(out, "<li class=\"alert alert-%s\">", class_of(alert));
	put_head(out, alert, shown->count, several);
	put_facts(out, alert);
	fputs("</li>\n", out);
	json_decref(alert);
	return shown->count;
}

static void write_alerts(const struct page *page, FILE *out)
{
	uint64_t told = 0;
	fprintf(out, "<h3>%s</h3>\n", page->alerts_words->title);
	if (page->alert_count == 0) {
		fputs("<p class=\"none\">None was raised.</p>\n", out);
		return;
	}
	fputs("<ul class=\"alerts\">\n", out);
	for (size_t i = 0; i < page->alert_count; i++)
		told += put_alert(out, &page->alerts[i], page->alerts_words->several);
	fputs("</ul>\n", out);
	if (page->alerts_all <= told)
		return;
	fputs("<p class=\"left-out\">", out);
	html_number(out, page->alerts_all - told);
	fputs(" of ", out);
	html_number(out, page->alerts_all);
	fprintf(out, " alerts are left out: %s.</p>\n", page->alerts_words->left_out);
}

static void write_stripping(const struct page *page, FILE *out)
{
	fputs("<p><b>Confirmed</b>: the bytes themselves show tampering. <b>Probable</b>: honest "
	      "explanations are rare. <b>Suspected</b>: an honest change or a misconfiguration "
	      "explains it "
	      "as well.</p>\n",
	    out);
	page_write_table(page, "evidence", out);
	if (page->alerts_known)
		write_alerts(page, out);
	else
		fputs("<p class=\"none\">There is no alerts.jsonl: the facts of each piece are not "
		      "known here.</p>\n",
		    out);
}

const struct page_section stripping_section = {.id = "stripping",
    .title = "Is somebody stripping the encryption?",
    .tab = "Stripping",
    .write = write_stripping};
