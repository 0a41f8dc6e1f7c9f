// SPDX-License-Identifier: Apache-2.0
// The tables there are, each in the file of its accumulator (table_*.c). Used by statistics.c.
#ifndef MAILTAP_ANALYTICS_TABLES_H
#define MAILTAP_ANALYTICS_TABLES_H

#include "analytics/table.h"

extern const struct table_ops verdicts_table, sessions_table, networks_table, countries_table,
    distinct_table, funnel_table, protection_table, servers_table, certificates_table,
    starttls_use_table, verification_table, operators_table, credentials_table, evidence_table,
    paths_table, server_list_table, operator_pairs_table, tls_versions_table,
    tls_ciphers_table, tls_groups_table, times_table, client_list_table, services_table,
    lookups_table, lookup_operators_table, lookup_list_table, policies_table,
    properties_table, internal_hops_table, enforcement_table, enforcement_networks_table;

#endif
