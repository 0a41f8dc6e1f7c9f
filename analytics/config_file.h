// SPDX-License-Identifier: Apache-2.0
// The configuration file: YAML, sections of keys that are the options' long names, read by the table of
// options, so that an option has its key as soon as it has its row.
//
//     logs:
//       log-dir: /var/log/mailtap     # a value
//     certificates:
//       pem: true                     # an option without a value: true or false
//       ca-file: [one.pem, two.pem]   # an option that may be repeated
//
// Of YAML only what says something here is taken: no anchors, aliases, tags or further documents, no key
// twice. Every value is read as on the command line. What is wrong is told with its line and column.
//
// Owns the values read. Called by options.c, at the start.
#ifndef MAILTAP_ANALYTICS_CONFIG_FILE_H
#define MAILTAP_ANALYTICS_CONFIG_FILE_H

#include "analytics/option_table.h"
#include "capture/base/view.h"

enum { CONFIG_FILE_MAX = 256 << 10 }; // bytes

// One value, as it stands in the file: a list is several, in order.
struct config_setting {
	const struct option_row *row;
	const char *value; // NULL: of an option without a value
	size_t line, column; // from 1
};

struct config_file;

// Reads a file, or text that stands for one. NULL: *errors, empty before, says all that is wrong with it.
struct config_file *config_file_read(const char *path, struct option_errors *errors);
struct config_file *config_text_read(
    const char *name, struct view text, struct option_errors *errors);

// Borrowed, until it is freed.
const struct config_setting *config_settings(const struct config_file *config, size_t *count);

void config_file_free(struct config_file *config);

#endif
