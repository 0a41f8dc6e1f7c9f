// SPDX-License-Identifier: Apache-2.0
#include "analytics/log_name.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const log_names[] = {"sessions", "certificates", "alerts", "statistics", "domains", "lookups", "messages", NULL};

/* ---- one name ---- */

struct log_name log_name_of(time_t begun, unsigned number, bool packed)
{
	struct log_name name = {.number = number, .packed = packed};
	struct tm parts;
	if (gmtime_r(&begun, &parts) == NULL || parts.tm_year > 9999 - 1900)
		parts = (struct tm){.tm_year = 70, .tm_mday = 1};
	strftime(name.time, sizeof name.time, "%Y-%m-%dT%H-%M-%SZ", &parts);
	return name;
}

void log_name_text(char text[LOG_NAME_SIZE], const char *log, const struct log_name *name)
{
	char number[16] = "";
	if (name->number > 0)
		snprintf(number, sizeof number, "-%u", name->number);
	snprintf(text, LOG_NAME_SIZE, "%.32s-%s%s.jsonl%s", log, name->time, number,
	    name->packed ? ".zst" : "");
}

static bool is_time(const char *text)
{
	static const char form[] = "0000-00-00T00-00-00Z";
	for (size_t i = 0; i < sizeof form - 1; i++)
		if (form[i] == '0' ? !isdigit((unsigned char)text[i]) : text[i] != form[i])
			return false;
	return true;
}

bool log_name_read(struct log_name *name, const char *log, const char *text)
{
	size_t length = strlen(log);
	if (strncmp(text, log, length) != 0 || text[length] != '-' || !is_time(text + length + 1))
		return false;
	*name = (struct log_name){.number = 0};
	memcpy(name->time, text + length + 1, LOG_TIME_SIZE - 1);
	const char *rest = text + length + LOG_TIME_SIZE;
	if (*rest == '-') {
		char *end;
		unsigned long number = strtoul(rest + 1, &end, 10);
		if (rest[1] < '1' || rest[1] > '9' || number > LOG_NUMBER_MAX)
			return false;
		name->number = (unsigned)number;
		rest = end;
	}
	name->packed = strcmp(rest, ".jsonl.zst") == 0;
	return name->packed || strcmp(rest, ".jsonl") == 0;
}

/* ---- all of a directory ---- */

// Plain before compressed.
static int compare(const void *a, const void *b)
{
	const struct log_name *one = a, *other = b;
	int order = strcmp(one->time, other->time);
	if (order != 0)
		return order;
	if (one->number != other->number)
		return one->number < other->number ? -1 : 1;
	return (int)one->packed - (int)other->packed;
}

static bool add(struct log_listing *listing, const struct log_name *name)
{
	enum { FIRST = 64 };
	size_t count = listing->count;
	// Grows at each power of two.
	if (count == 0 || (count >= FIRST && (count & (count - 1)) == 0)) {
		size_t room = count == 0 ? FIRST : 2 * count;
		struct log_name *more = realloc(listing->names, room * sizeof *more);
		if (more == NULL)
			return false;
		listing->names = more;
	}
	listing->names[listing->count++] = *name;
	return true;
}

static void leave_out_doubles(struct log_listing *listing)
{
	size_t kept = 0;
	for (size_t i = 0; i < listing->count; i++) {
		const struct log_name *name = &listing->names[i];
		const struct log_name *last = kept > 0 ? &listing->names[kept - 1] : NULL;
		if (last != NULL && strcmp(last->time, name->time) == 0 &&
		    last->number == name->number)
			continue;
		listing->names[kept++] = *name;
	}
	listing->count = kept;
}

// False: errno says why.
static bool read_names(struct log_listing *listing, DIR *directory, const char *log)
{
	struct dirent *entry;
	while (errno = 0, (entry = readdir(directory)) != NULL) {
		struct log_name name;
		if (log_name_read(&name, log, entry->d_name) && !add(listing, &name)) {
			errno = ENOMEM;
			return false;
		}
	}
	return errno == 0;
}

bool log_listing_read(
    struct log_listing *listing, const char *directory, const char *log, struct error *error)
{
	*listing = (struct log_listing){NULL, 0};
	DIR *open = opendir(directory);
	bool good = open != NULL && read_names(listing, open, log);
	if (!good) {
		error_set(error, "%s: cannot be read: %s", directory, strerror(errno));
		log_listing_free(listing);
	}
	if (open != NULL)
		closedir(open);
	if (listing->count > 0)
		qsort(listing->names, listing->count, sizeof *listing->names, compare);
	leave_out_doubles(listing);
	return good;
}

void log_listing_free(struct log_listing *listing)
{
	free(listing->names);
	*listing = (struct log_listing){NULL, 0};
}
