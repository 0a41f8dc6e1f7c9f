// SPDX-License-Identifier: Apache-2.0
#include "analytics/table_rows.h"

#include <stdlib.h>
#include <string.h>

struct cell cell_name(const char *name)
{
	if (name == NULL)
		return cell_null();
	return cell_text(view_of((const uint8_t *)name, strlen(name)));
}

struct cell cell_string(const char *text)
{
	return cell_name(text[0] != '\0' ? text : NULL);
}

struct cell cell_address(const struct ip_address *address, char text[SERVER_ADDRESS_TEXT])
{
	server_address_write(address, text);
	return cell_name(text);
}

struct server_port_key server_port_key_of(const struct session_facts *facts)
{
	return (struct server_port_key){facts->address[FROM_SERVER],
	    {(uint8_t)(facts->server_port >> 8), (uint8_t)facts->server_port}};
}

bool is_mail(const struct session_facts *facts)
{
	return protocol_is_mail(facts->protocol) || facts->hop != HOP_NONE;
}

void add_numbers(void *sum, const void *part, size_t size)
{
	uint64_t *to = sum;
	const uint64_t *from = part;
	for (size_t i = 0; i < size / sizeof *to; i++)
		to[i] += from[i];
}

void map_add(struct bounded_map *sum, const struct bounded_map *part,
    void (*add)(void *sum, const void *part), void *others)
{
	for (size_t i = 0; i < bounded_map_count(part); i++) {
		struct map_entry entry = bounded_map_entry(part, i);
		void *value = bounded_map_at(sum, entry.key, entry.key_length);
		add(value != NULL ? value : others, entry.value);
	}
}

void map_rows(const struct bounded_map *map,
    int (*compare)(const struct map_entry *one, const struct map_entry *other),
    void (*row)(struct row_sink *sink, const struct map_entry *entry), struct row_sink *sink)
{
	struct map_entry *entries = bounded_map_sorted(map, compare);
	for (size_t i = 0; i < bounded_map_count(map); i++) {
		struct map_entry entry = entries != NULL
		                             ? entries[i]
		                             : bounded_map_entry(map, i); // unsorted without memory
		row(sink, &entry);
	}
	free(entries);
}

enum habit habit_of(uint64_t yes, uint64_t no)
{
	if (yes + no == 0)
		return HABIT_NOT_SEEN;
	return no == 0 ? HABIT_ALWAYS : yes == 0 ? HABIT_NEVER : HABIT_SOMETIMES;
}

const char *habit_name(enum habit habit)
{
	static const char *const names[HABITS] = {
	    [HABIT_ALWAYS] = "always", [HABIT_SOMETIMES] = "sometimes", [HABIT_NEVER] = "never"};
	return names[habit];
}
