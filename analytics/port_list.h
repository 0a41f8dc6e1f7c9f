// SPDX-License-Identifier: Apache-2.0
// Which ports are followed and what they speak, from the value of an option. Used by option_values.c.
#ifndef MAILTAP_ANALYTICS_PORT_LIST_H
#define MAILTAP_ANALYTICS_PORT_LIST_H

#include "capture/base/error.h"
#include "decode/worker.h"

// Adds the ports that mail is known for.
void port_list_usual(struct port_table *table);

// Adds the port of DNS, whatever else it was to be.
void port_list_add_names(struct port_table *table);

// Reads a list as 25,2526:smtp,10993:imaps; with a leading + it adds to the usual ones. False: *error.
bool port_list_read(struct port_table *table, const char *list, struct error *error);

#endif
