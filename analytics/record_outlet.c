// SPDX-License-Identifier: Apache-2.0
#include "analytics/record_outlet.h"

bool record_outlet_wanted(const struct exporter_settings *settings)
{
	return settings->logs != NULL || settings->store != NULL;
}

bool record_outlet_open(struct record_outlet *outlet, const struct exporter_settings *settings,
    enum store_table_id table, struct error *error)
{
	outlet->logs = settings->logs;
	outlet->store = settings->store;
	outlet->table = table;
	if (settings->logs == NULL)
		return true;
	outlet->log = log_directory_log(settings->logs, store_tables[table].name, error);
	return outlet->log != NULL;
}

bool record_outlet_add(struct record_outlet *outlet, const struct json *line, struct error *error)
{
	if (outlet->log != NULL && !log_file_add(outlet->log, line->text, line->length, error))
		return false;
	return outlet->store == NULL ||
	       store_add(outlet->store, outlet->table, line->text, line->length, error);
}

bool record_outlet_flush(struct record_outlet *outlet, struct error *error)
{
	return (outlet->log == NULL || log_file_flush(outlet->log, error)) &&
	       store_flush(outlet->store, error);
}

bool record_outlet_close(struct record_outlet *outlet, struct error *error)
{
	return log_directory_close_log(outlet->logs, outlet->log, error);
}
