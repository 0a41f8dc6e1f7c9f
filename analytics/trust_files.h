// SPDX-License-Identifier: Apache-2.0
// Certificates or CRLs out of files and directories: PEM with anything in it, or one in DER. Used at the
// start by the stores that keep them.
#ifndef MAILTAP_ANALYTICS_TRUST_FILES_H
#define MAILTAP_ANALYTICS_TRUST_FILES_H

#include "capture/base/error.h"
#include "capture/base/view.h"

// What is looked for.
struct trust_kind {
	const char *name;            // "certificate", for errors
	const char *const *labels;   // of PEM blocks, NULL at the end; blocks with other labels are passed over
	// Takes one. `der` is borrowed for the call. False: it cannot be used.
	bool (*take)(void *context, struct view der);
	void *context;
};

struct trust_counts {
	uint64_t taken;
	uint64_t damaged; // PEM blocks and DER files that could not be used, files that could not be read
};

// Reads a file. `option`: what named it, for errors. False and *error: it cannot be read, or has none.
bool trust_file_read(const char *option, const char *path, const struct trust_kind *kind,
    struct trust_counts *counts, struct error *error);

// Reads the files of a directory, not those below it, in the order of their names. False and *error: it
// cannot be read, or none of its files has one.
bool trust_directory_read(const char *option, const char *path, const struct trust_kind *kind,
    struct trust_counts *counts, struct error *error);

#endif
