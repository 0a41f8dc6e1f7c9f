// SPDX-License-Identifier: Apache-2.0
// Sends what is in a spool to ClickHouse (HTTP interface, libcurl), oldest first, one batch at a time, and removes what
// has arrived. Nothing is lost, and nothing is there twice:
//
//   - a batch has one day of one table, so that the server takes it as one part, all or nothing;
//   - each of its rows names it (column `batch`); it is marked as sent before the first byte goes out;
//   - of one that was sent and not answered for, however that came (a time-out, a broken connection, an error, a
//     process that was killed), the server is asked: whether it is still at it (its query has the batch's name), and
//     then whether it has the rows. Only what is not there, by two answers some seconds apart, is sent again, as the
//     same bytes.
//
// What nobody but the operator can mend (no table, a column missing, a wrong password) is told once and tried again
// once a minute. What is refused for its content is put aside. A module of its own (base/module.h), loaded in the
// sender's process alone (shipper.h).
#ifndef MAILTAP_ANALYTICS_CLICKHOUSE_SENDER_H
#define MAILTAP_ANALYTICS_CLICKHOUSE_SENDER_H

#include "analytics/shipper.h"

struct clickhouse_sender;

// What the module gives to the program that loads it.
struct clickhouse_sender_ops {
	// Opens the spool, reads the login and the trusted certificates. NULL: *error.
	struct clickhouse_sender *(*open)(
	    const struct shipper_plan *plan, struct shipper_status *status, struct error *error);
	// Works until `wake` (a pipe) has ended, and what can be sent in time was sent.
	void (*work)(struct clickhouse_sender *sender, int wake);
};

#define CLICKHOUSE_SENDER_SYMBOL "clickhouse_sender_module"

extern const struct clickhouse_sender_ops clickhouse_sender_module;

#endif
