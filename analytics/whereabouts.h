// SPDX-License-Identifier: Apache-2.0
// Where addresses are, by tables in MaxMind's format that the user gives. It is asked about real addresses, by
// whoever still has them: exporter.c in a run, `mailtap report` of logs that have them. Owned by one thread.
#ifndef MAILTAP_ANALYTICS_WHEREABOUTS_H
#define MAILTAP_ANALYTICS_WHEREABOUTS_H

#include "capture/base/error.h"
#include "decode/headers.h"

enum { NETWORK_NAME_MAX = 64 };

struct whereabouts {
	uint32_t network; // autonomous system; 0: not known
	char network_name[NETWORK_NAME_MAX]; // its name, cut; empty: not known
	char country[3]; // ISO 3166-1; empty: not known
};

struct whereabouts_tables;

// Paths of tables as GeoLite2-ASN and GeoLite2-Country; NULL: there is none, and nothing is known of that. NULL:
// *error says why.
struct whereabouts_tables *whereabouts_open(
    const char *asn_table, const char *country_table, struct error *error);
void whereabouts_close(struct whereabouts_tables *tables); // NULL is allowed

struct whereabouts whereabouts_of(
    struct whereabouts_tables *tables, const struct ip_address *address);

#endif
