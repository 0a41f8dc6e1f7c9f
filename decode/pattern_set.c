// SPDX-License-Identifier: Apache-2.0
#include "decode/pattern_set.h"

#include "decode/pattern_cache.h"
#include "decode/pattern_file.h"
#include "decode/shipped_patterns.h"

#include <hs.h>
#include <limits.h>
#include <openssl/evp.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

// The patterns of a class: their numbers in its database count from its first one.
struct class_patterns {
	size_t first, count; // of pattern_set.ordered
};

struct pattern_set {
	struct pattern_list list;
	const struct pattern **ordered; // by class; in a class as in the list
	struct class_patterns classes[PATTERN_CLASSES];
	struct hs_database *databases[PATTERN_CLASSES]; // NULL: the class has no pattern
	bool cached;
	struct sharing *sharing; // the only part that changes
};

struct sharing {
	atomic_uint shares;
	_Atomic(const struct pattern_set *) newer; // came in its place; NULL: nothing did. One share
};

struct pattern_scratch {
	hs_scratch_t *scratch;
};

/* ---- reading ---- */

static bool read_all(
    struct pattern_list *list, const struct pattern_set_options *options, struct error *error)
{
	for (size_t i = 0; i < options->file_count; i++)
		if (!pattern_file_read(list, options->files[i], error))
			return false;
	for (size_t i = 0; i < shipped_pattern_files; i++) {
		const struct shipped_patterns *shipped = &shipped_patterns[i];
		struct view text = view_of(shipped->text, shipped->length);
		if (!pattern_text_read(list, shipped->name, text, error))
			return false;
	}
	return true;
}

static bool order(struct pattern_set *set)
{
	const struct pattern_list *list = &set->list;
	size_t at = 0;
	set->ordered = calloc(list->count + 1, sizeof(*set->ordered));
	if (set->ordered == NULL)
		return false;
	for (int i = 0; i < PATTERN_CLASSES; i++) {
		set->classes[i].first = at;
		for (size_t j = 0; j < list->count; j++)
			if ((int)list->patterns[j].class == i)
				set->ordered[at++] = &list->patterns[j];
		set->classes[i].count = at - set->classes[i].first;
	}
	return true;
}

/* ---- compiling ---- */

// What hs_compile_ext_multi takes, a column for each of its parameters.
struct columns {
	const char **expressions;
	unsigned *flags, *numbers;
	hs_expr_ext_t *extensions;
	const hs_expr_ext_t **extension_pointers;
};

static void columns_free(struct columns *columns)
{
	free(columns->expressions);
	free(columns->flags);
	free(columns->numbers);
	free(columns->extensions);
	free(columns->extension_pointers);
}

static bool columns_take(struct columns *columns, size_t count)
{
	columns->expressions = calloc(count, sizeof(*columns->expressions));
	columns->flags = calloc(count, sizeof(*columns->flags));
	columns->numbers = calloc(count, sizeof(*columns->numbers));
	columns->extensions = calloc(count, sizeof(*columns->extensions));
	columns->extension_pointers = calloc(count, sizeof(*columns->extension_pointers));
	return columns->expressions != NULL && columns->flags != NULL && columns->numbers != NULL &&
	       columns->extensions != NULL && columns->extension_pointers != NULL;
}

static void columns_fill(
    struct columns *columns, const struct pattern *const *patterns, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		bool inexact = patterns[i]->edit_distance > 0;
		columns->expressions[i] = patterns[i]->expression;
		columns->flags[i] =
		    HS_FLAG_SINGLEMATCH | (patterns[i]->caseless ? HS_FLAG_CASELESS : 0);
		columns->numbers[i] = (unsigned)i;
		columns->extensions[i] = (hs_expr_ext_t){
		    .flags = inexact ? HS_EXT_FLAG_EDIT_DISTANCE : 0,
		    .edit_distance = patterns[i]->edit_distance,
		};
		columns->extension_pointers[i] = &columns->extensions[i];
	}
}

static void explain(const hs_compile_error_t *reason, const struct pattern *const *patterns,
    size_t count, struct error *error)
{
	if (reason == NULL)
		error_set(error, "no memory to compile the patterns");
	else if (reason->expression < 0 || (size_t)reason->expression >= count)
		error_set(error, "[%s]: the patterns cannot be compiled: %s",
		    pattern_class_name(patterns[0]->class), reason->message);
	else
		error_set(error, "%s:%u: %s", patterns[reason->expression]->file,
		    patterns[reason->expression]->line, reason->message);
}

static bool compile_class(const struct pattern *const *patterns, size_t count,
    hs_database_t **database, struct error *error)
{
	struct columns columns = {0};
	hs_compile_error_t *reason = NULL;
	bool good = columns_take(&columns, count);
	if (good) {
		columns_fill(&columns, patterns, count);
		good = hs_compile_ext_multi(columns.expressions, columns.flags, columns.numbers,
		           columns.extension_pointers, (unsigned)count, HS_MODE_BLOCK, NULL,
		           database, &reason) == HS_SUCCESS;
	}
	if (!good)
		explain(reason, patterns, count, error);
	hs_free_compile_error(reason);
	columns_free(&columns);
	return good;
}

static bool compile(struct pattern_set *set, struct error *error)
{
	for (int i = 0; i < PATTERN_CLASSES; i++) {
		const struct class_patterns *class = &set->classes[i];
		if (class->count > 0 && !compile_class(set->ordered + class->first, class->count,
		                            &set->databases[i], error))
			return false;
	}
	return true;
}

/* ---- what the databases come of ---- */

static bool add_text(EVP_MD_CTX *digest, const char *text)
{
	return EVP_DigestUpdate(digest, text, strlen(text) + 1) == 1;
}

static bool add_numbers(EVP_MD_CTX *digest, const uint64_t *numbers, size_t size)
{
	return EVP_DigestUpdate(digest, numbers, size) == 1;
}

static bool add_pattern(EVP_MD_CTX *digest, const struct pattern *pattern)
{
	uint64_t numbers[] = {pattern->class, pattern->caseless, pattern->edit_distance};
	return add_numbers(digest, numbers, sizeof(numbers)) &&
	       add_text(digest, pattern->expression);
}

// A hash of all that the compiled form depends on: library, processor and every pattern. And of the file's form, so
// that another version's has another place.
static bool make_key(const struct pattern_set *set, uint8_t key[PATTERN_KEY_SIZE])
{
	hs_platform_info_t platform;
	if (hs_populate_platform(&platform) != HS_SUCCESS)
		return false;
	uint64_t numbers[] = {platform.tune, platform.cpu_features, sizeof(void *),
	    PATTERN_CACHE_FORMAT};
	EVP_MD_CTX *digest = EVP_MD_CTX_new();
	bool good = digest != NULL && EVP_DigestInit_ex(digest, EVP_sha256(), NULL) == 1 &&
	            add_text(digest, hs_version()) && add_numbers(digest, numbers, sizeof(numbers));
	for (size_t i = 0; good && i < set->list.count; i++)
		good = add_pattern(digest, set->ordered[i]);
	good = good && EVP_DigestFinal_ex(digest, key, NULL) == 1;
	EVP_MD_CTX_free(digest);
	return good;
}

static bool make_databases(struct pattern_set *set, const char *cache, struct error *error)
{
	uint8_t key[PATTERN_KEY_SIZE];
	if (cache != NULL && !make_key(set, key))
		cache = NULL;
	set->cached = cache != NULL && pattern_cache_load(cache, key, set->databases);
	if (set->cached)
		return true;
	if (!compile(set, error))
		return false;
	if (cache != NULL)
		pattern_cache_store(cache, key, set->databases);
	return true;
}

/* ---- the set ---- */

static bool fill(
    struct pattern_set *set, const struct pattern_set_options *options, struct error *error)
{
	if (hs_valid_platform() != HS_SUCCESS) {
		error_set(error, "patterns: this processor lacks what Hyperscan needs (SSSE3)");
		return false;
	}
	if (!read_all(&set->list, options, error))
		return false;
	if (!order(set)) {
		error_set(error, "no memory for the patterns");
		return false;
	}
	return make_databases(set, options->cache_directory, error);
}

struct pattern_set *pattern_set_load(const struct pattern_set_options *options, struct error *error)
{
	struct pattern_set *set = calloc(1, sizeof(*set));
	if (set != NULL)
		set->sharing = calloc(1, sizeof(*set->sharing));
	if (set == NULL || set->sharing == NULL) {
		error_set(error, "no memory for the patterns");
		free(set);
		return NULL;
	}
	atomic_init(&set->sharing->shares, 1);
	if (fill(set, options, error))
		return set;
	pattern_set_destroy(set);
	return NULL;
}

const struct pattern_set *pattern_set_share(const struct pattern_set *set)
{
	if (set != NULL)
		atomic_fetch_add_explicit(&set->sharing->shares, 1, memory_order_relaxed);
	return set;
}

static void free_set(struct pattern_set *set)
{
	for (int i = 0; i < PATTERN_CLASSES; i++)
		hs_free_database(set->databases[i]);
	free(set->ordered);
	pattern_list_free(&set->list);
	free(set->sharing);
	free(set);
}

void pattern_set_destroy(const struct pattern_set *set)
{
	// A loop: with a set goes its share of the one that came in its place.
	while (set != NULL && atomic_fetch_sub_explicit(
	                          &set->sharing->shares, 1, memory_order_acq_rel) == 1) {
		const struct pattern_set *newer = pattern_set_newer(set);
		free_set((struct pattern_set *)(uintptr_t)set);
		set = newer;
	}
}

void pattern_set_replace(const struct pattern_set *old, const struct pattern_set *newer)
{
	atomic_store_explicit(
	    &old->sharing->newer, pattern_set_share(newer), memory_order_release);
}

const struct pattern_set *pattern_set_newer(const struct pattern_set *set)
{
	return set != NULL ? atomic_load_explicit(&set->sharing->newer, memory_order_acquire)
	                   : NULL;
}

bool pattern_set_was_cached(const struct pattern_set *set)
{
	return set->cached;
}

/* ---- matching ---- */

struct pattern_scratch *pattern_scratch_create(const struct pattern_set *set)
{
	struct pattern_scratch *scratch = calloc(1, sizeof(*scratch));
	bool good = scratch != NULL;
	for (int i = 0; good && i < PATTERN_CLASSES; i++)
		good = set->databases[i] == NULL ||
		       hs_alloc_scratch(set->databases[i], &scratch->scratch) == HS_SUCCESS;
	if (good)
		return scratch;
	pattern_scratch_destroy(scratch);
	return NULL;
}

void pattern_scratch_destroy(struct pattern_scratch *scratch)
{
	if (scratch != NULL)
		hs_free_scratch(scratch->scratch);
	free(scratch);
}

// hs_scan's: keeps the lowest number. Not zero: nothing can come before it, the search may end.
static int on_match(
    unsigned number, unsigned long long from, unsigned long long to, unsigned flags, void *context)
{
	unsigned *first = context;
	(void)from;
	(void)to;
	(void)flags;
	if (number < *first)
		*first = number;
	return *first == 0;
}

const char *pattern_match(const struct pattern_set *set, struct pattern_scratch *scratch,
    enum pattern_class class, struct view text)
{
	unsigned first = UINT_MAX;
	if (set == NULL || set->databases[class] == NULL || text.length == 0)
		return NULL;
	unsigned length =
	    (unsigned)(text.length < PATTERN_TEXT_MAX ? text.length : PATTERN_TEXT_MAX);
	hs_error_t ended = hs_scan(set->databases[class], (const char *)text.data, length, 0,
	    scratch->scratch, on_match, &first);
	if ((ended != HS_SUCCESS && ended != HS_SCAN_TERMINATED) || first == UINT_MAX)
		return NULL;
	return set->ordered[set->classes[class].first + first]->identifier;
}
