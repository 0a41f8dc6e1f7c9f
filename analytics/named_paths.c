// SPDX-License-Identifier: Apache-2.0
#include "analytics/named_paths.h"

#include "analytics/dnssec.h"
#include "decode/pattern_cache.h"

#include <dirent.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// Where Debian keeps the certificates that everybody trusts, and what its links lead to.
static const char *const usual_trust[] = {
    "/etc/ssl/certs", "/usr/share/ca-certificates", "/usr/local/share/ca-certificates"};

static bool has(const struct named_paths *paths, enum path_use use, const char *path)
{
	for (size_t i = 0; i < paths->count; i++)
		if (paths->all[i].use == use && strcmp(paths->all[i].path, path) == 0)
			return true;
	return false;
}

void named_paths_add(struct named_paths *paths, enum path_use use, const char *path)
{
	if (path == NULL || path[0] == '\0' || has(paths, use, path))
		return;
	struct named_path *more = realloc(paths->all, (paths->count + 1) * sizeof *more);
	char *copy = strdup(path);
	if (more != NULL)
		paths->all = more;
	if (more == NULL || copy == NULL) {
		paths->incomplete = true;
		free(copy);
		return;
	}
	paths->all[paths->count++] = (struct named_path){.path = copy, .use = use};
}

void named_paths_add_directory_of(struct named_paths *paths, enum path_use use, const char *path)
{
	char named[PATH_MAX], real[PATH_MAX];
	if (path == NULL || path[0] == '\0')
		return;
	if ((size_t)snprintf(named, sizeof named, "%s", path) < sizeof named)
		named_paths_add(paths, use, dirname(named));
	if (realpath(path, real) != NULL)
		named_paths_add(paths, use, dirname(real));
}

// A file that is read at the start, and again where the run has no end.
static void add_list(struct named_paths *paths, const char *path, bool endless)
{
	if (endless)
		named_paths_add_directory_of(paths, PATH_READ, path);
	else
		named_paths_add(paths, PATH_READ, path);
}

static void add_lists(struct named_paths *paths, const struct path_list *list, bool endless)
{
	for (size_t i = 0; i < list->count; i++)
		add_list(paths, list->paths[i], endless);
}

// A directory of files, which are often links to files elsewhere.
static void add_linked_directory(struct named_paths *paths, const char *path)
{
	char entry[PATH_MAX];
	named_paths_add(paths, PATH_READ, path);
	DIR *directory = opendir(path);
	const struct dirent *found;
	while (directory != NULL && (found = readdir(directory)) != NULL)
		if (found->d_type == DT_LNK && (size_t)snprintf(entry, sizeof entry, "%s/%s", path,
		                                   found->d_name) < sizeof entry)
			named_paths_add_directory_of(paths, PATH_READ, entry);
	if (directory != NULL)
		closedir(directory);
}

static void add_linked_directories(struct named_paths *paths, const struct path_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		add_linked_directory(paths, list->paths[i]);
}

void named_paths_add_usual_trust(struct named_paths *paths)
{
	for (size_t i = 0; i < sizeof usual_trust / sizeof usual_trust[0]; i++)
		named_paths_add(paths, PATH_READ, usual_trust[i]);
}

static void add_trust(struct named_paths *paths, const struct options *options, bool endless)
{
	add_lists(paths, &options->ca_files, endless);
	add_linked_directories(paths, &options->ca_directories);
	add_linked_directories(paths, &options->crl_directories);
	if (options->ca_files.count + options->ca_directories.count > 0)
		return;
	named_paths_add_usual_trust(paths);
}

static void add_outputs(struct named_paths *paths, const struct options *options, bool endless)
{
	char usual[PATH_MAX];
	named_paths_add(paths, PATH_WRITE, options->log_directory);
	named_paths_add(paths, PATH_WRITE, options->certificate_directory);
	named_paths_add(paths, PATH_WRITE, options->csv_directory);
	named_paths_add(paths, PATH_WRITE, options->tls_rpt_directory);
	named_paths_add(paths, PATH_REPLACE, options->metrics_path);
	named_paths_add(paths, PATH_REPLACE, options->server_memory);
	named_paths_add(paths, PATH_REPLACE, options->store_file);
	named_paths_add(paths, PATH_WRITE, options->store_spool);
	bool to_file = options->records_path != NULL && strcmp(options->records_path, "-") != 0;
	if (endless && to_file) // otherwise it is opened once
		named_paths_add(paths, PATH_REPLACE, options->records_path);
	if (options->pattern_cache != NULL)
		named_paths_add(paths, PATH_CACHE, options->pattern_cache);
	else if (pattern_cache_usual_directory(usual, sizeof usual))
		named_paths_add(paths, PATH_CACHE, usual);
}

static bool is_endless(const struct options *options)
{
	for (size_t i = 0; i < options->file_count; i++)
		if (strcmp(options->files[i], "-") == 0)
			return true;
	return options->file_count == 0;
}

void named_paths_of_options(struct named_paths *paths, const struct options *options)
{
	bool endless = is_endless(options);
	for (size_t i = 0; i < options->file_count; i++)
		if (strcmp(options->files[i], "-") != 0)
			named_paths_add(paths, PATH_READ, options->files[i]);
	add_lists(paths, &options->patterns, endless);
	add_lists(paths, &options->keylogs, endless);
	add_trust(paths, options, endless);
	if (options->names && options->trust_anchors == NULL)
		add_list(paths, dnssec_usual_anchors, endless);
	add_list(paths, options->trust_anchors, endless);
	add_list(paths, options->server_baseline, endless);
	add_list(paths, options->asn_table, endless);
	add_list(paths, options->country_table, endless);
	add_outputs(paths, options, endless);
}

void named_paths_free(struct named_paths *paths)
{
	for (size_t i = 0; i < paths->count; i++)
		free(paths->all[i].path);
	free(paths->all);
	*paths = (struct named_paths){0};
}
