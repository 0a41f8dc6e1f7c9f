// SPDX-License-Identifier: Apache-2.0
#include "analytics/option_values.h"

#include "analytics/port_list.h"
#include "capture/packet_filter.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void *member(struct options *options, const struct option_row *row)
{
	return (char *)options + row->offset;
}

static bool not_empty(const char *shown, const char *value, struct error *error)
{
	if (value[0] != '\0')
		return true;
	error_set(error, "%s: its value is empty", shown);
	return false;
}

static bool read_flag(struct options *options, const struct option_row *row, const char *shown,
    const char *value, struct error *error)
{
	(void)shown;
	(void)value;
	(void)error;
	*(bool *)member(options, row) = true;
	return true;
}

static bool read_text(struct options *options, const struct option_row *row, const char *shown,
    const char *value, struct error *error)
{
	const char **slot = member(options, row);
	if (*slot != NULL) {
		error_set(error, "%s: given twice; name one", shown);
		return false;
	}
	if (!not_empty(shown, value, error))
		return false;
	*slot = value;
	return true;
}

static bool read_list(struct options *options, const struct option_row *row, const char *shown,
    const char *value, struct error *error)
{
	struct path_list *list = member(options, row);
	if (!not_empty(shown, value, error))
		return false;
	if (list->count == PATHS_MAX) {
		error_set(error, "%s: given more than %d times; join the files", shown, PATHS_MAX);
		return false;
	}
	list->paths[list->count++] = value;
	return true;
}

// A number in decimal digits, and where it ends. False: there is none, or it is too large.
static bool read_digits(const char *text, uint64_t *value, char **end)
{
	errno = 0;
	*value = strtoull(text, end, 10);
	return text[0] >= '0' && text[0] <= '9' && errno == 0;
}

static bool too_little(
    const struct option_row *row, const char *shown, const char *value, struct error *error)
{
	bool in_megabytes = row->least >= 1 << 20;
	error_set(error, "%s: %.40s is too little: at least %llu%s are needed", shown, value,
	    (unsigned long long)(in_megabytes ? row->least >> 20 : row->least),
	    in_megabytes ? "M" : " bytes");
	return false;
}

static bool read_size(struct options *options, const struct option_row *row, const char *shown,
    const char *value, struct error *error)
{
	static const char units[] = "KMGT";
	char *end;
	uint64_t number;
	bool good = read_digits(value, &number, &end);
	const char *unit = *end != '\0' ? strchr(units, *end & ~0x20) : NULL;
	unsigned shift = unit != NULL ? 10 * (unsigned)(unit - units + 1) : 0;
	good = good && (*end == '\0' || (unit != NULL && end[1] == '\0')) &&
	       number <= SIZE_MAX >> shift;
	if (!good) {
		error_set(error, "%s: \"%.40s\" is no size: expected a number, K, M or G behind it",
		    shown, value);
		return false;
	}
	if (number << shift < row->least)
		return too_little(row, shown, value, error);
	*(size_t *)member(options, row) = (size_t)number << shift;
	return true;
}

static bool read_seconds(struct options *options, const struct option_row *row, const char *shown,
    const char *value, struct error *error)
{
	enum { SECONDS_MAX = 366 * 24 * 3600 };
	char *end;
	uint64_t number;
	if (read_digits(value, &number, &end) && *end == '\0' && number <= SECONDS_MAX) {
		*(nanoseconds *)member(options, row) = SECONDS(number);
		return true;
	}
	error_set(error, "%s: \"%.40s\" is no number of seconds up to a year", shown, value);
	return false;
}

static bool read_count(struct options *options, const struct option_row *row, const char *shown,
    const char *value, struct error *error)
{
	char *end;
	uint64_t number, most = row->most > 0 ? row->most : SIZE_MAX;
	if (read_digits(value, &number, &end) && *end == '\0' && number >= row->least &&
	    number <= most) {
		*(size_t *)member(options, row) = (size_t)number;
		return true;
	}
	error_set(error, "%s: \"%.40s\" is no number from %llu to %llu", shown, value,
	    (unsigned long long)row->least, (unsigned long long)most);
	return false;
}

static bool read_word(struct options *options, const struct option_row *row, const char *shown,
    const char *value, struct error *error)
{
	char all[160] = "";
	for (unsigned i = 0; row->words[i] != NULL; i++) {
		if (strcmp(row->words[i], value) == 0) {
			*(unsigned *)member(options, row) = i;
			return true;
		}
		strncat(all, " ", sizeof all - strlen(all) - 1);
		strncat(all, row->words[i], sizeof all - strlen(all) - 1);
	}
	error_set(error, "%s: \"%.40s\" is not known: expected one of%s", shown, value, all);
	return false;
}

static bool read_cpus(struct options *options, const struct option_row *row, const char *shown,
    const char *value, struct error *error)
{
	struct error reason;
	struct cpu_list *list = member(options, row);
	if (list->count > 0)
		error_set(error, "%s: given twice; name one", shown);
	else if (!cpu_list_read(list, value, &reason))
		error_set(error, "%s: %s", shown, reason.text);
	else
		return true;
	return false;
}

static bool read_listen(struct options *options, const struct option_row *row, const char *shown,
    const char *value, struct error *error)
{
	struct listen_address *address = member(options, row);
	if (address->length == 0)
		return listen_address_read(value, address, shown, error);
	error_set(error, "%s: given twice; name one", shown);
	return false;
}

static bool read_ports(struct options *options, const struct option_row *row, const char *shown,
    const char *value, struct error *error)
{
	struct error reason;
	if (port_list_read(member(options, row), value, &reason))
		return true;
	error_set(error, "%s: %s", shown, reason.text);
	return false;
}

static bool read_capture(struct options *options, const struct option_row *row, const char *shown,
    const char *value, struct error *error)
{
	size_t count = options->file_count;
	(void)row;
	if ((count & (count - 1)) == 0) { // the room is a power of two, and full
		const char **more =
		    realloc(options->files, (count > 0 ? 2 * count : 1) * sizeof *more);
		if (more == NULL) {
			error_set(error, "%s: no memory", shown);
			return false;
		}
		options->files = more;
	}
	options->files[options->file_count++] = value;
	return true;
}

bool option_add_filter_word(struct options *options, const char *word, struct error *error)
{
	size_t have = options->filter != NULL ? strlen(options->filter) + 1 : 0;
	char *longer = realloc(options->filter, have + strlen(word) + 1);
	if (longer == NULL) {
		error_set(error, "no memory for the filter");
		return false;
	}
	if (have > 0)
		longer[have - 1] = ' ';
	memcpy(longer + have, word, strlen(word) + 1);
	options->filter = longer;
	return true;
}

bool option_filter_check(const char *expression, struct error *error)
{
	struct packet_filter *filter = packet_filter_create(expression, error);
	struct error ignored;
	bool good = filter != NULL && (packet_filter_prepare(filter, LINK_RAW, &ignored) ||
	                                  packet_filter_prepare(filter, LINK_ETHERNET, error));
	packet_filter_destroy(filter);
	return good;
}

static bool read_filter(struct options *options, const struct option_row *row, const char *shown,
    const char *value, struct error *error)
{
	(void)row;
	if (options->filter == NULL)
		return option_add_filter_word(options, value, error);
	error_set(
	    error, "%s: there is a filter already; join the two with \"and\" or \"or\"", shown);
	return false;
}

static void begin_number(struct options *options, const struct option_row *row)
{
	*(size_t *)member(options, row) = (size_t)row->initial;
}

static void begin_seconds(struct options *options, const struct option_row *row)
{
	*(nanoseconds *)member(options, row) = SECONDS(row->initial);
}

static void begin_ports(struct options *options, const struct option_row *row)
{
	port_list_usual(member(options, row));
}

static void begin_word(struct options *options, const struct option_row *row)
{
	*(unsigned *)member(options, row) = (unsigned)row->initial;
}

const struct option_kind option_flag = {.read = read_flag};
const struct option_kind option_text = {.read = read_text};
const struct option_kind option_list = {.read = read_list, .list = true};
const struct option_kind option_size = {.read = read_size, .begin = begin_number};
const struct option_kind option_seconds = {.read = read_seconds, .begin = begin_seconds};
const struct option_kind option_count = {.read = read_count, .begin = begin_number};
const struct option_kind option_word = {.read = read_word, .begin = begin_word};
const struct option_kind option_cpus = {.read = read_cpus, .joined_by = ','};
const struct option_kind option_ports = {
    .read = read_ports, .begin = begin_ports, .joined_by = ','};
const struct option_kind option_listen = {.read = read_listen};
const struct option_kind option_captures = {.read = read_capture, .list = true};
const struct option_kind option_filter = {.read = read_filter};
const struct option_kind option_help = {.read = NULL};
const struct option_kind option_version = {.read = NULL};
const struct option_kind option_interfaces = {.read = NULL};
