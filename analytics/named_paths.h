// SPDX-License-Identifier: Apache-2.0
// The files and directories that the options name, and what is done with them once a run has begun: what
// the sandbox lets through, and what a change of user must leave usable. Pure data; made by the front door.
// Owns its paths. One thread.
#ifndef MAILTAP_ANALYTICS_NAMED_PATHS_H
#define MAILTAP_ANALYTICS_NAMED_PATHS_H

#include "analytics/options.h"

enum path_use {
	PATH_READ,    // a file, or a directory and all below it, is read
	PATH_WRITE,   // a directory in which files are made, replaced, renamed, removed, and read
	PATH_REPLACE, // a file that is written, or replaced by another: its directory is written
	PATH_CACHE,   // as PATH_WRITE, and nothing is amiss where it cannot be
};

struct named_path {
	char *path;
	enum path_use use;
};

struct named_paths {
	struct named_path *all;
	size_t count;
	bool incomplete; // there was no memory for some
};

// `paths` is zeroed, or has some. What is empty or NULL is passed over. `directory_of`: the directory
// that `path` lies in, behind links, is meant.
void named_paths_add(struct named_paths *paths, enum path_use use, const char *path);
void named_paths_add_directory_of(struct named_paths *paths, enum path_use use, const char *path);

// All paths of a run. A run without end (from an interface, a pipe) reads lists, tables and trusted
// certificates again when it is told to: for it their directories are read, since editors and packages
// replace such files. Of a run over files only the files. Sets `incomplete`.
void named_paths_of_options(struct named_paths *paths, const struct options *options);

// What the system trusts (Debian's ca-certificates).
void named_paths_add_usual_trust(struct named_paths *paths);

void named_paths_free(struct named_paths *paths);

#endif
