// SPDX-License-Identifier: Apache-2.0
// Text patterns, matched all at once by Hyperscan: the shipped ones (shipped_patterns.h) and the user's own
// files, whose patterns stand before them. One database per class (pattern_class.h). Read and compiled
// once, then only read: any number of threads, each with a scratch of its own. A match costs no memory, and
// time only by the text's length.
//
// Owns the patterns and their databases. Shared by all who ask (the parsers of each worker, analytics): each
// finds the set that came in the place of its own when it suits, and the last one who gives a set up frees it.
#ifndef MAILTAP_DECODE_PATTERN_SET_H
#define MAILTAP_DECODE_PATTERN_SET_H

#include "capture/base/error.h"
#include "capture/base/view.h"
#include "decode/pattern_class.h"

enum { PATTERN_TEXT_MAX = 4096 }; // bytes of a text that are looked at

struct pattern_set;

// What a thread needs to match.
struct pattern_scratch;

struct pattern_set_options {
	const char *const *files; // of the user, in order; must outlive the set
	size_t file_count;
	const char *cache_directory; // NULL: none. What goes wrong with it only costs time
};

// NULL: *error says what is wrong, for a pattern with its file and line.
struct pattern_set *pattern_set_load(
    const struct pattern_set_options *options, struct error *error);

// Another share of it, from any thread that has one. NULL is allowed.
const struct pattern_set *pattern_set_share(const struct pattern_set *set);

// Gives a share up: what pattern_set_load returned, or another. NULL is allowed.
void pattern_set_destroy(const struct pattern_set *set);

// `newer` comes in the place of a set, once: whoever has the old one finds it there. Takes a share of it.
void pattern_set_replace(const struct pattern_set *old, const struct pattern_set *newer);

// What came in its place; good while the caller has its share of the old one (take one of the new one before
// that is given up). NULL: nothing did. NULL is allowed. Cheap enough to be asked for each batch of packets.
const struct pattern_set *pattern_set_newer(const struct pattern_set *set);

// For one thread; must not outlive the set. NULL: no memory.
struct pattern_scratch *pattern_scratch_create(const struct pattern_set *set);

// NULL is allowed.
void pattern_scratch_destroy(struct pattern_scratch *scratch);

// The identifier of the first pattern of a class that matches, NULL if none does or it is an exception.
// It lives as long as the set. NULL instead of a set: nothing matches.
const char *pattern_match(const struct pattern_set *set, struct pattern_scratch *scratch,
    enum pattern_class class, struct view text);

// The set's databases came from the cache.
bool pattern_set_was_cached(const struct pattern_set *set);

#endif
