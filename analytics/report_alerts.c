// SPDX-License-Identifier: Apache-2.0
#include "analytics/report_alerts.h"

#include "analytics/alert_anonymise.h"
#include "analytics/bounded_map.h"
#include "analytics/evidence.h"

#include <stdlib.h>
#include <string.h>

enum {
	GROUPS_MAX = 4096,
	KEY_MAX = 512,
	SHOWN_MAX_BYTES = 1 << 16, // of a line that is shown
};

// Alerts that a line may stand for. One that says more is damaged: no interval has as many, and sums must hold.
#define LEFT_OUT_MOST 4294967295

// Alerts of one kind and confidence, at one server, in one client network.
struct group {
	char *line; // the first of them; NULL: only that some were left out is known
	size_t length;
	uint64_t count;
	enum confidence confidence;
};

struct report_alerts {
	struct anonymiser *anonymiser;
	struct bounded_map *groups; // what they have in common, as text → struct group
	uint64_t all;
	struct page_alert *shown;
};

static void forget(struct report_alerts *alerts)
{
	for (size_t i = 0; i < bounded_map_count(alerts->groups); i++) {
		struct group *group = bounded_map_entry(alerts->groups, i).value;
		free(group->line);
	}
}

struct report_alerts *report_alerts_create(struct anonymiser *anonymiser, struct error *error)
{
	struct report_alerts *alerts = calloc(1, sizeof *alerts);
	if (alerts != NULL) {
		alerts->anonymiser = anonymiser;
		alerts->groups = bounded_map_create(sizeof(struct group), GROUPS_MAX);
		if (alerts->groups != NULL)
			return alerts;
	}
	error_set(error, "no memory for alerts");
	free(alerts);
	return NULL;
}

void report_alerts_destroy(struct report_alerts *alerts)
{
	if (alerts == NULL)
		return;
	forget(alerts);
	bounded_map_destroy(alerts->groups);
	free(alerts->shown);
	free(alerts);
}

static const char *text_at(const json_t *alert, const char *key)
{
	const char *text = json_string_value(json_object_get(alert, key));
	return text != NULL ? text : "";
}

static enum confidence confidence_at(const json_t *alert)
{
	const char *text = text_at(alert, "confidence");
	for (int i = CONFIDENCE_SUSPECTED; i < CONFIDENCES; i++)
		if (strcmp(text, confidence_name((enum confidence)i)) == 0)
			return (enum confidence)i;
	return CONFIDENCE_NONE;
}

static struct group *group_of(struct report_alerts *alerts, const json_t *alert)
{
	char key[KEY_MAX];
	int length = snprintf(key, sizeof key, "%s %s %s %lld %s", text_at(alert, "confidence"),
	    text_at(alert, "kind"), text_at(alert, "server_ip"),
	    (long long)json_integer_value(json_object_get(alert, "server_port")),
	    text_at(alert, "client_network"));
	if (length < 0 || length >= (int)sizeof key)
		return NULL;
	return bounded_map_at(alerts->groups, key, (size_t)length);
}

// The line, or as it is with other addresses. NULL: no memory, or too long.
static char *line_of(struct report_alerts *alerts, json_t *alert, const char *line, size_t *length)
{
	bool real = !json_is_true(json_object_get(alert, "anonymised"));
	char *copy = NULL;
	if (alerts->anonymiser != NULL && real) {
		copy = alert_anonymise(alerts->anonymiser, alert) ? json_dumps(alert, JSON_COMPACT)
		                                                  : NULL;
		*length = copy != NULL ? strlen(copy) : 0;
		return copy;
	}
	copy = *length <= SHOWN_MAX_BYTES ? malloc(*length) : NULL;
	if (copy != NULL)
		memcpy(copy, line, *length);
	return copy;
}

static void take(struct report_alerts *alerts, json_t *alert, const char *line, size_t length)
{
	json_int_t left_out = json_integer_value(json_object_get(alert, "left_out"));
	bool with_facts = json_is_string(json_object_get(alert, "client_ip"));
	uint64_t count = (left_out > 0 ? (uint64_t)left_out : 0) + with_facts;
	struct group *group = group_of(alerts, alert);
	alerts->all += count;
	if (group == NULL)
		return;
	group->count += count;
	group->confidence = confidence_at(alert);
	if (group->line == NULL && with_facts) {
		group->length = length;
		group->line = line_of(alerts, alert, line, &group->length);
	}
}

bool report_alerts_take(struct report_alerts *alerts, const char *line, size_t length)
{
	json_t *alert = json_loadb(line, length, JSON_ALLOW_NUL, NULL);
	bool good = json_is_string(json_object_get(alert, "kind")) &&
	            json_integer_value(json_object_get(alert, "left_out")) <= LEFT_OUT_MOST;
	if (good)
		take(alerts, alert, line, length);
	json_decref(alert);
	return good;
}

static int by_confidence_and_count(const struct map_entry *one, const struct map_entry *other)
{
	const struct group *a = one->value, *b = other->value;
	if (a->confidence != b->confidence)
		return (int)b->confidence - (int)a->confidence;
	return (a->count < b->count) - (a->count > b->count);
}

void report_alerts_show(struct report_alerts *alerts, struct page *page, size_t most)
{
	size_t count = bounded_map_count(alerts->groups);
	struct map_entry *entries = bounded_map_sorted(alerts->groups, by_confidence_and_count);
	struct page_alert *shown = entries != NULL ? calloc(count, sizeof *shown) : NULL;
	free(alerts->shown);
	page->alerts = alerts->shown = shown;
	page->alert_count = 0;
	page->alerts_all = alerts->all;
	for (size_t i = 0; shown != NULL && i < count && page->alert_count < most; i++) {
		const struct group *group = entries[i].value;
		if (group->line != NULL)
			shown[page->alert_count++] = (struct page_alert){
			    view_of((const uint8_t *)group->line, group->length), group->count};
	}
	free(entries);
}
