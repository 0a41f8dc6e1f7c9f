// SPDX-License-Identifier: Apache-2.0
// The network interfaces there are to capture on, for people. Used by the command line.
#ifndef MAILTAP_ANALYTICS_INTERFACE_LIST_H
#define MAILTAP_ANALYTICS_INTERFACE_LIST_H

#include <stdio.h>

// A line for each: its name, and whether packets can come by it.
void interface_list_print(FILE *out);

#endif
