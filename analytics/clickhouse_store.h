// SPDX-License-Identifier: Apache-2.0
// The kind of store that is a ClickHouse server: records are written to a spool (spool.h), from where another process
// sends them (shipper.h). Here, in the tap, nothing is compressed, taken apart or connected: lines are added to files,
// which are handed over when they are old or large. What the spool has no room for is lost and counted.
#ifndef MAILTAP_ANALYTICS_CLICKHOUSE_STORE_H
#define MAILTAP_ANALYTICS_CLICKHOUSE_STORE_H

#include "analytics/store.h"

extern const struct store_ops clickhouse_store;

#endif
