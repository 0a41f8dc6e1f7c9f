// SPDX-License-Identifier: Apache-2.0
#include "analytics/client_network.h"

#include "analytics/community_id.h"
#include "analytics/server_key.h"

#include <string.h>

enum { V4_PREFIX = 24, V6_PREFIX = 48, MAPPED = 12 }; // bits, bits, bytes in front of an IPv4 address

static const char V4_SUFFIX[] = "/24", V6_SUFFIX[] = "/48";

_Static_assert((int)CLIENT_NETWORK_TEXT_SIZE >= (int)SERVER_ADDRESS_TEXT + 3, "an address, and that");

struct client_network client_network_of(const struct ip_address *client)
{
	struct client_network network = {.address = *client};
	size_t kept = ip_address_is_v4(client) ? MAPPED + V4_PREFIX / 8 : V6_PREFIX / 8;
	memset(network.address.bytes + kept, 0, sizeof network.address.bytes - kept);
	return network;
}

void client_network_text(char text[CLIENT_NETWORK_TEXT_SIZE], const struct client_network *network)
{
	server_address_write(&network->address, text);
	strcat(text, ip_address_is_v4(&network->address) ? V4_SUFFIX : V6_SUFFIX);
}
