// SPDX-License-Identifier: Apache-2.0
// A line of lookups.jsonl: the sessions that a network received, and after how many of them it looked something up
// (dns_lookups.h), since the line before. One thread.
#ifndef MAILTAP_ANALYTICS_LOOKUP_LINE_H
#define MAILTAP_ANALYTICS_LOOKUP_LINE_H

#include "analytics/dns_facts.h"
#include "analytics/json.h"

struct anonymiser;

struct lookup_writer {
	struct json *json;
	struct anonymiser *anonymiser; // NULL: networks are the real ones
	const char *sensor; // or NULL
};

// Clears the buffer and writes the line. *facts is what lookup_facts_of_line would read of it.
void lookup_line_write(const struct lookup_writer *writer, const struct lookup_counts *counts,
    struct lookup_facts *facts);

#endif
