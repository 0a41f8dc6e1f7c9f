// SPDX-License-Identifier: Apache-2.0
#include "analytics/server_fingerprint.h"

#include "capture/base/hash.h"
#include "capture/base/view.h"

#include <string.h>

enum { KEPT_MAX = CAPABILITY_LIST_MAX + 1 };

// What is left of a text, to be hashed.
struct kept {
	size_t length;
	uint8_t bytes[KEPT_MAX];
};

static void keep(struct kept *kept, struct view word, char end)
{
	if (sizeof kept->bytes - kept->length <= word.length)
		return; // longer than a record's texts are
	memcpy(kept->bytes + kept->length, word.data, word.length);
	kept->length += word.length;
	kept->bytes[kept->length++] = (uint8_t)end;
}

// Never 0. The key is always the same: nobody gains by two servers that look alike.
static uint64_t hash_of(const struct kept *kept)
{
	static const struct hash_key key = {{0x6d61696c7461702eu, 0x66696e6765727072u}};
	uint64_t hash = hash_bytes(&key, kept->bytes, kept->length);
	return hash != 0 ? hash : 1;
}

// The bytes of `text` from *position up to the next `separator`, which is stepped over. False: the end.
static bool next_part(const struct text *text, size_t *position, char separator, struct view *part)
{
	if (*position >= text->length)
		return false;
	const uint8_t *from = text->bytes + *position;
	const uint8_t *end = memchr(from, separator, text->length - *position);
	size_t length = end != NULL ? (size_t)(end - from) : text->length - *position;
	*part = view_of(from, length);
	*position += length + 1;
	return true;
}

static bool is_word(struct view part, const char *word)
{
	return part.length == strlen(word) && memcmp(part.data, word, part.length) == 0;
}

static bool starts(struct view part, const char *beginning)
{
	size_t length = strlen(beginning);
	return part.length >= length && memcmp(part.data, beginning, length) == 0;
}

uint64_t server_fingerprint_capabilities(const struct session_record *record)
{
	const struct text *list = record->session->capabilities;
	struct kept kept;
	struct view entry;
	kept.length = 0;
	if (list == NULL || record->session->dialogue_gap[FROM_SERVER])
		return 0;
	for (size_t at = 0; next_part(list, &at, '\n', &entry);) {
		if (is_word(entry, "STARTTLS") || is_word(entry, "STLS"))
			continue;
		if (starts(entry, "SIZE "))
			entry.length = strlen("SIZE");
		keep(&kept, entry, '\n');
	}
	return hash_of(&kept);
}

/* ---- banner ---- */

static bool has_digit(struct view word)
{
	for (size_t i = 0; i < word.length; i++)
		if (word.data[i] >= '0' && word.data[i] <= '9')
			return true;
	return false;
}

// Part of a date, or of a time.
static bool is_of_date(struct view word)
{
	enum { LONGEST = 4 };
	static const char words[][LONGEST + 1] = {"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun", "Jan",
	    "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec", "AM", "PM",
	    "GMT", "UTC", "UT", "Z", "WET", "WEST", "BST", "IST", "CET", "CEST", "EET", "EEST",
	    "MSK", "EST", "EDT", "CST", "CDT", "MST", "MDT", "PST", "PDT", "AKST", "AKDT", "HST",
	    "JST", "KST", "SAST", "AEST", "AEDT", "ACST", "ACDT", "AWST", "NZST", "NZDT"};
	while (word.length > 0 && strchr("(,;)", word.data[word.length - 1]) != NULL)
		word.length--;
	if (word.length > 0 && word.data[0] == '(')
		word = view_of(word.data + 1, word.length - 1);
	if (word.length == 0 || word.length > LONGEST || word.data[0] < 'A' || word.data[0] > 'Z')
		return false;
	char padded[LONGEST + 1] = {0};
	memcpy(padded, word.data, word.length);
	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
		if (memcmp(padded, words[i], LONGEST) == 0)
			return true;
	return false;
}

uint64_t server_fingerprint_banner(const struct session_record *record)
{
	const struct session *session = record->session;
	struct kept kept;
	struct view word;
	bool in_list = false;
	kept.length = 0;
	if (session->server_banner == NULL || !session->greeted)
		return 0;
	for (size_t at = 0; next_part(session->server_banner, &at, ' ', &word);) {
		in_list = in_list || starts(word, "[CAPABILITY");
		bool left_out = in_list || word.length == 0 || has_digit(word) || is_of_date(word);
		in_list = in_list && memchr(word.data, ']', word.length) == NULL;
		if (!left_out)
			keep(&kept, word, ' ');
	}
	return hash_of(&kept);
}
