// SPDX-License-Identifier: Apache-2.0
// Where the lines of one kind of record go: its log, the store, or both, the same bytes. Used by the exporters, in the
// analytics thread.
#ifndef MAILTAP_ANALYTICS_RECORD_OUTLET_H
#define MAILTAP_ANALYTICS_RECORD_OUTLET_H

#include "analytics/exporter.h"
#include "analytics/json.h"
#include "analytics/log_directory.h"
#include "analytics/store.h"

struct record_outlet {
	struct log_directory *logs;
	struct log_file *log; // NULL: none
	struct store *store; // NULL: none; borrowed
	enum store_table_id table;
};

// Whether the settings ask for any.
bool record_outlet_wanted(const struct exporter_settings *settings);

// Opens the log of the table's name. `outlet` is zeroed. False: *error.
bool record_outlet_open(struct record_outlet *outlet, const struct exporter_settings *settings,
    enum store_table_id table, struct error *error);

// A line that is complete. False: *error.
bool record_outlet_add(struct record_outlet *outlet, const struct json *line, struct error *error);

// What was added is to be seen now. False: *error.
bool record_outlet_flush(struct record_outlet *outlet, struct error *error);

// Closes the log. False: *error.
bool record_outlet_close(struct record_outlet *outlet, struct error *error);

#endif
