// SPDX-License-Identifier: Apache-2.0
// Makes batches for ClickHouse of a spool's files of lines: a file for each day of the records in it, compressed by
// gzip. The same file of lines gives the same batches, byte for byte, whenever it is done. One thread.
#ifndef MAILTAP_ANALYTICS_CLICKHOUSE_BATCHES_H
#define MAILTAP_ANALYTICS_CLICKHOUSE_BATCHES_H

#include "analytics/shipper.h"
#include "analytics/spool.h"

struct batch_maker;

// `status` gets what is left out. NULL: no memory.
struct batch_maker *batch_maker_create(int directory, struct shipper_status *status);
void batch_maker_destroy(struct batch_maker *maker); // NULL is allowed

// Makes all batches of a file of lines, and removes it. False: *error; the file is there, and may be tried again.
bool batch_maker_make(
    struct batch_maker *maker, const struct spool_file *lines, struct error *error);

// What processes left that were killed: halves are removed, and, with `open`, files that are still open are all that
// there will be: nobody adds to them any more. False: *error.
bool batches_tidy(int directory, bool open, struct error *error);

#endif
