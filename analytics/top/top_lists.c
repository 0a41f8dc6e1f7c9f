// SPDX-License-Identifier: Apache-2.0
// The newest alerts and the servers, a line each.
#include "analytics/top/top_text.h"

#include <stdlib.h>
#include <string.h>

enum {
	ALERTS_SHOWN = 50,
	SERVERS_SHOWN = 50,
};

/* ---- alerts ---- */

static enum top_style style_of(const char *confidence)
{
	if (strcmp(confidence, "confirmed") == 0)
		return TOP_BAD;
	return strcmp(confidence, "probable") == 0 ? TOP_WARNING : TOP_PLAIN;
}

// The time of day; of an alert of another day than that which is shown, the day: "11-26".
static void put_when(struct top_writer *writer, const json_t *alert)
{
	enum { DATE = 10, MONTH = 5 };
	const char *end = top_string(json_object_get(writer->look->live, "window"), "end");
	const char *time = top_string(alert, "time");
	if (strlen(time) <= DATE || end[0] == '\0' || strncmp(time, end, DATE) == 0) {
		top_put_time(writer, alert, "time", false);
		return;
	}
	json_t *day = json_stringn(time + MONTH, DATE - MONTH);
	top_put_text(writer, day, DATE - MONTH);
	json_decref(day);
}

static void write_alert(struct top_writer *writer, const json_t *alert)
{
	enum { KIND = 9, SURE = 37, WHERE = 47, WHOLE = 255 }; // most servers fit into 80 columns
	top_begin(writer, style_of(top_string(alert, "confidence")));
	put_when(writer, alert);
	top_at(writer, KIND);
	top_put_text(writer, json_object_get(alert, "kind"), SURE - KIND - 1);
	top_at(writer, SURE);
	top_put_text(writer, json_object_get(alert, "confidence"), WHERE - SURE - 1);
	top_at(writer, WHERE);
	top_put_server(writer, alert);
	top_put(writer, " <- ");
	top_put_text(writer, json_object_get(alert, "client_network"), WHOLE);
	if (json_is_string(json_object_get(alert, "server_name"))) {
		top_put(writer, " ");
		top_put_text(writer, json_object_get(alert, "server_name"), WHOLE);
	}
	if (top_number(alert, "left_out") > 0)
		top_put(writer, " +%" PRIu64, top_number(alert, "left_out"));
}

void top_write_alerts(struct top_writer *writer)
{
	const json_t *live = writer->look->live, *alerts = json_object_get(live, "alerts");
	size_t count = json_array_size(alerts);
	uint64_t all = top_number(live, "alerts_count");
	top_begin(writer, TOP_PLAIN);
	top_begin(writer, TOP_HEAD);
	top_put(writer,
	    "ALERTS, the newest first (+: further ones like it before): %" PRIu64 " in all", all);
	for (size_t i = 0; i < count && i < ALERTS_SHOWN; i++)
		write_alert(writer, json_array_get(alerts, i));
}

/* ---- servers ---- */

struct order {
	enum top_order by;
};

// Sessions in which TLS was not established.
static uint64_t without_tls(const json_t *server)
{
	uint64_t sessions = top_number(server, "sessions");
	uint64_t established = top_number(server, "established");
	return sessions > established ? sessions - established : 0;
}

static int compare(const void *one, const void *other, void *context)
{
	const json_t *a = *(json_t *const *)one, *b = *(json_t *const *)other;
	const struct order *order = context;
	uint64_t first = top_number(a, "sessions"), second = top_number(b, "sessions");
	if (order->by == TOP_BY_CLEAR) {
		first = without_tls(a);
		second = without_tls(b);
	}
	if (order->by != TOP_BY_ADDRESS && first != second)
		return first > second ? -1 : 1;
	int addresses = strcmp(top_string(a, "server_ip"), top_string(b, "server_ip"));
	first = top_number(a, "server_port");
	second = top_number(b, "server_port");
	return addresses != 0 ? addresses : (first > second) - (first < second);
}

static void put_columns(struct top_writer *writer)
{
	top_begin(writer, TOP_HEAD);
	top_put(writer, "%-8s %8s %8s %8s  server, its name, hop, certificate", "sessions", "TLS",
	    "offered", "not");
}

static void write_server(struct top_writer *writer, const json_t *server)
{
	enum { NUMBER = 8, WHOLE = 255 };
	top_begin(writer, TOP_PLAIN);
	static const char *const numbers[] = {"sessions", "established", "offered", "not_offered"};
	for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
		top_put_number(writer, json_object_get(server, numbers[i]), NUMBER);
		top_put(writer, " ");
	}
	top_put(writer, " ");
	top_put_server(writer, server);
	static const char *const notes[] = {"server_name", "hop", "certificate"};
	for (size_t i = 0; i < sizeof notes / sizeof notes[0]; i++) {
		const json_t *note = json_object_get(server, notes[i]);
		if (!json_is_string(note))
			continue;
		top_put(writer, "  ");
		top_put_text(writer, note, WHOLE);
	}
}

void top_write_servers(struct top_writer *writer)
{
	struct order order = {writer->look->order};
	const json_t *servers = json_object_get(writer->look->live, "servers");
	json_t *list[SERVERS_SHOWN];
	size_t count = 0;
	for (; count < SERVERS_SHOWN && count < json_array_size(servers); count++)
		list[count] = json_array_get(servers, count);
	qsort_r(list, count, sizeof list[0], compare, &order);
	top_begin(writer, TOP_PLAIN);
	top_begin(writer, TOP_HEAD);
	top_put(writer, "SERVERS by %s: %zu of %" PRIu64, top_order_name(order.by), count,
	    top_number(writer->look->live, "servers_count"));
	put_columns(writer);
	for (size_t i = 0; i < count; i++)
		write_server(writer, list[i]);
}
