// SPDX-License-Identifier: Apache-2.0
// What is wrong with a server: which of its answers pass by themselves, which only its operator can change, and which
// are of what was sent; how long to wait before the next request; and what is told of it, once. One thread.
#ifndef MAILTAP_ANALYTICS_CLICKHOUSE_TROUBLE_H
#define MAILTAP_ANALYTICS_CLICKHOUSE_TROUBLE_H

#include "analytics/shipper.h"

enum trouble_kind {
	TROUBLE_NONE,
	TROUBLE_PASSING, // away, busy, restarted
	TROUBLE_LASTING, // the schema, the login, what the user may do: nothing was done, and nothing will be
	TROUBLE_CONTENT, // it cannot read what it was sent
};

struct clickhouse_trouble {
	const struct shipper_plan *plan;
	enum trouble_kind told; // of the trouble that goes on
	unsigned pause; // the last one, milliseconds
	uint32_t random;
};

void clickhouse_trouble_begin(struct clickhouse_trouble *trouble, const struct shipper_plan *plan);

// By ClickHouse's number of an exception (0: none), and HTTP's status.
enum trouble_kind clickhouse_trouble_kind(unsigned code, long status);

// A request did not go well. Returns for how long to wait: milliseconds, twice as long each time up to half a minute
// (of lasting trouble a minute), and by chance up to half of it more or less, so that many taps do not come at once.
unsigned clickhouse_trouble(
    struct clickhouse_trouble *trouble, enum trouble_kind kind, const char *why);

// One went well.
void clickhouse_trouble_end(struct clickhouse_trouble *trouble);

// One line on standard error.
void clickhouse_trouble_say(const struct error *what);

#endif
