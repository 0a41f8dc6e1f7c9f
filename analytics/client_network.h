// SPDX-License-Identifier: Apache-2.0
// A client network: as much of an address as networks are told apart by. Values; any thread.
#ifndef MAILTAP_ANALYTICS_CLIENT_NETWORK_H
#define MAILTAP_ANALYTICS_CLIENT_NETWORK_H

#include "decode/headers.h"

// /24 of IPv4, /48 of IPv6; the bits behind it are zero.
struct client_network {
	struct ip_address address;
};

enum { CLIENT_NETWORK_TEXT_SIZE = 50 }; // with the terminating zero

struct client_network client_network_of(const struct ip_address *client);

// "198.51.100.0/24", "2001:db8:1::/48".
void client_network_text(
    char text[CLIENT_NETWORK_TEXT_SIZE], const struct client_network *network);

#endif
