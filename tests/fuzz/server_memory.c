// SPDX-License-Identifier: Apache-2.0
// Fuzzes the readers of what is known of servers. The first byte says what the rest is: a memory's file as it
// is, the lines of one to which their checks are added here (no fuzzer finds a hash), or a list of good
// servers. What was taken makes sense, and is the same when it is written and read again.
#include "analytics/json.h"
#include "analytics/server_baseline.h"
#include "analytics/server_line.h"
#include "analytics/server_memory.h"
#include "tests/fuzz/fuzzer.h"

enum { SERVERS = 8 };

static void check_server(void *context, const struct remembered_server *server)
{
	const struct server_history *history = server->history;
	size_t *count = context;
	++*count;
	MUST((server->address == NULL) != (server->name == NULL));
	MUST(history->known && history->sessions > 0 && history->first <= history->last);
	MUST(history->first >= 0 && history->last <= PACKET_TIME_MAX);
	MUST(history->offered_networks <= SERVER_NETWORKS_MAX);
	MUST(history->leaf_count <= SERVER_LEAVES_MAX);
	for (size_t i = 1; i < history->leaf_count; i++)
		MUST(history->leaves[i - 1].last >= history->leaves[i].last);
}

static void read_file(const uint8_t *bytes, size_t length)
{
	struct server_memory_options options = {.servers = SERVERS};
	struct server_memory *memory = server_memory_create(&options);
	struct error error;
	size_t count = 0;
	MUST(memory != NULL);
	bool good = server_memory_read(memory, "fuzz", bytes, length, &error);
	MUST(good || error.text[0] != '\0');
	server_memory_each(memory, check_server, &count);
	struct server_memory_counters counters = server_memory_counters(memory);
	MUST(counters.servers + counters.names == count && counters.servers <= SERVERS);
	MUST(good || count == 0);
	server_memory_destroy(memory);
}

// A line behind its check.
static size_t add_check(const uint8_t *rest, size_t length, uint8_t *line)
{
	char digits[SERVER_CHECK_DIGITS + 1] = "";
	server_line_check(rest, length, digits);
	int head = snprintf(
	    (char *)line, SERVER_LINE_MAX, SERVER_CHECK_BEFORE "%s" SERVER_CHECK_AFTER, digits);
	memcpy(line + head, rest, length);
	return (size_t)head + length;
}

static void read_line(const uint8_t *rest, size_t length)
{
	static uint8_t line[SERVER_LINE_MAX];
	struct server_entry *entry, *again;
	struct json first = {.text = NULL}, second = {.text = NULL};
	if (length > SERVER_LINE_MAX / 2)
		return;
	length = add_check(rest, length, line);
	const char *wrong = server_line_read(line, length, &entry);
	MUST((wrong == NULL) == (entry != NULL));
	if (entry == NULL)
		return;
	server_line_write(&first, entry);
	MUST(!first.failed && first.text[first.length - 1] == '\n');
	MUST(server_line_read((const uint8_t *)first.text, first.length - 1, &again) == NULL);
	server_line_write(&second, again);
	MUST(first.length == second.length && memcmp(first.text, second.text, first.length) == 0);
	json_release(&first);
	json_release(&second);
	free(entry);
	free(again);
}

static void read_lines(const uint8_t *bytes, size_t length)
{
	for (size_t at = 0; at < length;) {
		const uint8_t *end = memchr(bytes + at, '\n', length - at);
		size_t line = end != NULL ? (size_t)(end - bytes) - at : length - at;
		read_line(bytes + at, line);
		at += line + 1;
	}
}

static void read_list(const uint8_t *bytes, size_t length)
{
	struct server_baseline *baseline = server_baseline_create();
	struct error error = {""};
	MUST(baseline != NULL);
	bool good = server_baseline_read(baseline, "fuzz", bytes, length, &error);
	MUST(good == (error.text[0] == '\0'));
	MUST(server_baseline_count(baseline) <= length);
	server_baseline_destroy(baseline);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	switch (data[0]) {
	case 'm':
		read_file(data + 1, size - 1);
		break;
	case 'l':
		read_lines(data + 1, size - 1);
		break;
	case 'g':
		read_list(data + 1, size - 1);
		break;
	default:
		break;
	}
	return 0;
}
