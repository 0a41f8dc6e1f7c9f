// SPDX-License-Identifier: Apache-2.0
// Statistics for other programs: as CSV files, and in JSON. Used by runs and reports alike.
#ifndef MAILTAP_ANALYTICS_STATISTICS_FILES_H
#define MAILTAP_ANALYTICS_STATISTICS_FILES_H

#include "analytics/json.h"
#include "analytics/statistics.h"

// One file per table in `directory`, made if it is missing: NAME.csv. False: *error.
bool statistics_write_csv(
    const struct statistics *statistics, const char *directory, struct error *error);

// All tables as one object by their names. `with_long`: those with a row for each of many, too.
void statistics_write_tables(
    struct json *json, const struct statistics *statistics, bool with_long);

#endif
