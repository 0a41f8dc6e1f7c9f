// SPDX-License-Identifier: Apache-2.0
// Does a filter expression name hosts, so that they have to be looked up for each kind of link? Used for the
// sandbox: whoever looks up names needs the network.
#ifndef MAILTAP_ANALYTICS_FILTER_NAMES_H
#define MAILTAP_ANALYTICS_FILTER_NAMES_H

#include <stdbool.h>

// True: a word of it is no address, no number, no word of pcap-filter(7), and no port or protocol that
// the system has a name for. NULL has none.
bool filter_has_names(const char *filter);

#endif
