// SPDX-License-Identifier: Apache-2.0
#include "analytics/pattern_findings.h"

#include "capture/base/quick_hash.h"
#include "decode/clues.h"

#include <stdlib.h>
#include <string.h>

enum { REMEMBERED = 1024 }; // texts of each kind, a power of two

// A text that was seen last, by a hash whose key nobody knows: two texts with one hash do not happen.
struct seen_text {
	uint64_t hash;
	size_t length; // 0: nothing is here yet
};

struct banner_findings {
	struct seen_text text;
	const char *software;
	bool garbled;
};

struct list_findings {
	struct seen_text text;
	const char *software;
	int garbled; // which line; -1: none
	uint32_t garbled_at, garbled_length; // its bytes
};

struct pattern_reader {
	const struct pattern_set *patterns;
	struct pattern_scratch *scratch;
	struct hash_key key;
	struct banner_findings banners[REMEMBERED];
	struct list_findings lists[REMEMBERED];
};

struct pattern_reader *pattern_reader_create(const struct pattern_set *patterns)
{
	struct pattern_reader *reader = calloc(1, sizeof *reader);
	if (reader == NULL)
		return NULL;
	reader->patterns = pattern_set_share(patterns);
	reader->key = hash_key_random();
	reader->scratch = pattern_scratch_create(patterns);
	if (reader->scratch != NULL)
		return reader;
	pattern_reader_destroy(reader);
	return NULL;
}

// What was found with the old ones is forgotten. Without memory it goes on with those it has.
static void take_newer_patterns(struct pattern_reader *reader)
{
	const struct pattern_set *newer = pattern_set_newer(reader->patterns);
	struct pattern_scratch *scratch = newer != NULL ? pattern_scratch_create(newer) : NULL;
	if (scratch == NULL)
		return;
	pattern_set_share(newer);
	pattern_scratch_destroy(reader->scratch);
	pattern_set_destroy(reader->patterns);
	reader->scratch = scratch;
	reader->patterns = newer;
	memset(reader->banners, 0, sizeof reader->banners);
	memset(reader->lists, 0, sizeof reader->lists);
}

void pattern_reader_destroy(struct pattern_reader *reader)
{
	if (reader == NULL)
		return;
	pattern_scratch_destroy(reader->scratch);
	pattern_set_destroy(reader->patterns);
	free(reader);
}

static const char *match(
    const struct pattern_reader *reader, enum pattern_class class, struct view text)
{
	return pattern_match(reader->patterns, reader->scratch, class, text);
}

static struct seen_text seen_text_of(const struct pattern_reader *reader, const struct text *text)
{
	return (struct seen_text){
	    quick_hash(&reader->key, text->bytes, text->length), text->length};
}

static bool is_same(const struct seen_text *a, const struct seen_text *b)
{
	return a->hash == b->hash && a->length == b->length;
}

/* ---- greetings ---- */

static const struct banner_findings *read_banner(
    struct pattern_reader *reader, const struct text *banner)
{
	struct seen_text text = seen_text_of(reader, banner);
	struct banner_findings *known = &reader->banners[text.hash % REMEMBERED];
	struct view line = view_of(banner->bytes, banner->length);
	if (is_same(&known->text, &text))
		return known;
	*known = (struct banner_findings){
	    .text = text,
	    .software = match(reader, PATTERN_SOFTWARE, line),
	    .garbled = match(reader, PATTERN_BANNER_OVERWRITTEN, line) != NULL,
	};
	return known;
}

/* ---- capabilities ---- */

static void read_capability(const struct pattern_reader *reader, struct list_findings *findings,
    int number, struct view line, size_t at)
{
	if (findings->software == NULL)
		findings->software = match(reader, PATTERN_SOFTWARE_CAPABILITY, line);
	if (findings->garbled >= 0 || match(reader, PATTERN_FILLER_CAPABILITY, line) == NULL)
		return;
	findings->garbled = number;
	findings->garbled_at = (uint32_t)at;
	findings->garbled_length = (uint32_t)line.length;
}

static const struct list_findings *read_list(struct pattern_reader *reader, const struct text *list)
{
	struct seen_text text = seen_text_of(reader, list);
	struct list_findings *known = &reader->lists[text.hash % REMEMBERED];
	if (is_same(&known->text, &text))
		return known;
	*known = (struct list_findings){.text = text, .garbled = -1};
	int number = 0;
	for (size_t at = 0; at < list->length; number++) {
		const uint8_t *line = list->bytes + at;
		const uint8_t *end = memchr(line, '\n', list->length - at);
		size_t length = end != NULL ? (size_t)(end - line) : list->length - at;
		read_capability(reader, known, number, view_of(line, length), at);
		at += length + 1;
	}
	return known;
}

/* ---- the whole ---- */

static void take_list(
    struct pattern_findings *findings, const struct list_findings *list, const struct text *text)
{
	if (list->software != NULL)
		findings->server_software = list->software;
	findings->garbled_capability = list->garbled;
	if (list->garbled >= 0)
		findings->garbled_capability_line =
		    view_of(text->bytes + list->garbled_at, list->garbled_length);
}

// Of a list that is gone.
static void take_garbled_clue(struct pattern_findings *findings, const struct session *session)
{
	struct clue clue;
	if (!clue_find(session, CLUE_GARBLED_CAPABILITY, &clue) || clue.length < 2)
		return;
	findings->garbled_capability = clue.bytes[0];
	findings->garbled_capability_line = view_of(clue.bytes + 1, clue.length - 1);
}

struct pattern_findings pattern_findings_of(
    struct pattern_reader *reader, const struct session_record *record)
{
	const struct session *session = record->session;
	const struct text *banner = session->server_banner, *list = session->capabilities;
	struct pattern_findings findings = {.garbled_capability = -1};
	struct clue answer;
	take_newer_patterns(reader);
	if (banner != NULL && banner->length > 0) {
		const struct banner_findings *said = read_banner(reader, banner);
		findings.server_software = said->software;
		findings.banner_garbled = said->garbled;
	}
	if (list != NULL && list->length > 0)
		take_list(&findings, read_list(reader, list), list);
	if (findings.garbled_capability < 0)
		take_garbled_clue(&findings, session);
	if (clue_find(session, CLUE_STARTTLS_ANSWER, &answer)) {
		struct view line = view_of(answer.bytes, answer.length);
		findings.answer_unknown_command =
		    match(reader, PATTERN_UNKNOWN_COMMAND, line) != NULL;
		findings.answer_echoes_filler = match(reader, PATTERN_FILLER_ECHO, line) != NULL;
	}
	return findings;
}
