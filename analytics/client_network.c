// SPDX-License-Identifier: Apache-2.0
#include "analytics/client_network.h"

#include "analytics/community_id.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

enum { V4_PREFIX = 24, V6_PREFIX = 48, MAPPED = 12 }; // bits, bits, bytes in front of an IPv4 address

struct client_network client_network_of(const struct ip_address *client)
{
	struct client_network network = {.address = *client};
	size_t kept = ip_address_is_v4(client) ? MAPPED + V4_PREFIX / 8 : V6_PREFIX / 8;
	memset(network.address.bytes + kept, 0, sizeof network.address.bytes - kept);
	return network;
}

void client_network_text(char text[CLIENT_NETWORK_TEXT_SIZE], const struct client_network *network)
{
	char address[INET6_ADDRSTRLEN];
	bool v4 = ip_address_is_v4(&network->address);
	inet_ntop(v4 ? AF_INET : AF_INET6, network->address.bytes + (v4 ? MAPPED : 0), address,
	    sizeof address);
	snprintf(
	    text, CLIENT_NETWORK_TEXT_SIZE, "%s/%d", address, v4 ? V4_PREFIX : V6_PREFIX);
}
