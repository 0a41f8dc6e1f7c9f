// SPDX-License-Identifier: Apache-2.0
// What the memory of servers loads and saves. The lines themselves are server_line.h's.
#include "analytics/json.h"
#include "analytics/server_line.h"
#include "analytics/server_memory_state.h"
#include "analytics/whole_file.h"

#include <stdlib.h>
#include <string.h>

// What was found in a file so far.
struct loading {
	uint64_t expected, lines, left_out;
	size_t first_wrong; // number of the first line that was left out
	const char *reason;
};

static void leave_out(struct loading *loading, const char *reason)
{
	if (loading->left_out++ > 0)
		return;
	loading->first_wrong = loading->lines + 1; // behind the head
	loading->reason = reason;
}

static bool is_remembered(const struct server_memory *memory, const struct server_entry *entry)
{
	struct host_name name = {.length = entry->name_length};
	memcpy(name.text, entry->name, entry->name_length);
	bool named = entry->name_length > 0;
	return server_memory_find(memory, named ? NULL : &entry->address, named ? &name : NULL,
	           entry->port) != NULL;
}

static const char *load_server(struct server_memory *memory, const uint8_t *line, size_t length)
{
	struct server_entry *entry;
	const char *wrong = server_line_read(line, length, &entry);
	if (wrong != NULL)
		return wrong;
	if (is_remembered(memory, entry)) {
		free(entry);
		return "the server is known already";
	}
	server_memory_add(memory, entry);
	server_memory_settle(memory, entry);
	memory->loaded++;
	return NULL;
}

// The length of the line at `from`, without its end.
static size_t line_length(const uint8_t *from, size_t length)
{
	const uint8_t *end = memchr(from, '\n', length);
	return end != NULL ? (size_t)(end - from) : length;
}

static void load_servers(
    struct server_memory *memory, const uint8_t *bytes, size_t length, struct loading *loading)
{
	for (size_t at = 0; at < length;) {
		size_t line = line_length(bytes + at, length - at);
		loading->lines++;
		const char *wrong = load_server(memory, bytes + at, line);
		if (wrong != NULL)
			leave_out(loading, wrong);
		at += line + 1;
	}
	if (loading->lines < loading->expected) {
		uint64_t missing = loading->expected - loading->lines;
		loading->lines++;
		leave_out(loading, "the file ends before its end");
		loading->left_out += missing - 1;
	}
}

bool server_memory_read(struct server_memory *memory, const char *name, const uint8_t *bytes,
    size_t length, struct error *error)
{
	struct loading loading = {.expected = 0};
	size_t head = length > 0 ? line_length(bytes, length) : 0;
	const char *wrong =
	    length > 0 ? server_line_read_head(bytes, head, &loading.expected) : "it is empty";
	error->text[0] = '\0';
	if (wrong != NULL) {
		error_set(error, "%s: no memory of servers: %s; to begin a new one, move it away",
		    name, wrong);
		return false;
	}
	if (head + 1 < length)
		load_servers(memory, bytes + head + 1, length - head - 1, &loading);
	else
		load_servers(memory, bytes, 0, &loading);
	if (loading.left_out > 0)
		error_set(error, "%s:%zu: %s; %llu of its servers are left out, the rest is used",
		    name, loading.first_wrong, loading.reason,
		    (unsigned long long)loading.left_out);
	return true;
}

bool server_memory_load(struct server_memory *memory, const char *path, struct error *error)
{
	uint8_t *bytes = NULL;
	size_t length;
	error->text[0] = '\0';
	switch (whole_file_read(path, &bytes, &length, error)) {
	case WHOLE_FILE_MISSING:
		return true;
	case WHOLE_FILE_FAILED:
		return false;
	case WHOLE_FILE_READ:
		break;
	}
	bool good = server_memory_read(memory, path, bytes, length, error);
	free(bytes);
	return good;
}

bool server_memory_load_baseline(
    struct server_memory *memory, const char *path, struct error *error)
{
	return server_baseline_load(memory->baseline, path, error);
}

bool server_memory_can_save(const char *path, struct error *error)
{
	return whole_file_can_replace(path, error);
}

static bool add_line(struct replacement *file, struct json *json, struct error *error)
{
	if (json->failed) {
		error_set(error, "no memory to write what is known of servers");
		return false;
	}
	return replacement_add(file, json->text, json->length, error);
}

static bool save_table(const struct bounded_table *table, struct replacement *file,
    struct json *json, struct error *error)
{
	const struct bounded_node *node = NULL;
	while ((node = bounded_table_next(table, node)) != NULL) {
		json_clear(json);
		server_line_write(json, (const struct server_entry *)node);
		if (!add_line(file, json, error))
			return false;
	}
	return true;
}

bool server_memory_save(struct server_memory *memory, const char *path, struct error *error)
{
	struct json json = {.text = NULL};
	struct replacement *file = replacement_open(path, error);
	if (file == NULL)
		return false;
	server_line_write_head(
	    &json, bounded_table_count(memory->addresses) + bounded_table_count(memory->names));
	bool good = add_line(file, &json, error) &&
	            save_table(memory->addresses, file, &json, error) &&
	            save_table(memory->names, file, &json, error);
	json_release(&json);
	return replacement_close(file, good, error) && good;
}
