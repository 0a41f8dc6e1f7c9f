// SPDX-License-Identifier: Apache-2.0
// Where mailtap listens, as an option has it: 127.0.0.1:9479, [::1]:9479, or a port alone, which is of the
// loopback address. Numbers only: a name could come to mean another address.
#ifndef MAILTAP_ANALYTICS_LISTEN_ADDRESS_H
#define MAILTAP_ANALYTICS_LISTEN_ADDRESS_H

#include "capture/base/error.h"

#include <netinet/in.h>
#include <stdbool.h>

struct listen_address {
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	};
	socklen_t length; // of the one that is used
};

enum { LISTEN_ADDRESS_TEXT = INET6_ADDRSTRLEN + sizeof "[]:65535" };

// Port 0 is any free one. False: it is none; *error says what is expected, `name`: the option's.
bool listen_address_read(
    const char *text, struct listen_address *address, const char *name, struct error *error);

// In host order.
uint16_t listen_address_port(const struct listen_address *address);

void listen_address_text(char text[LISTEN_ADDRESS_TEXT], const struct listen_address *address);

// A socket that listens there, not blocking. -1: *error says why not. The address then has the port that was found
// for port 0.
int listen_address_open(struct listen_address *address, struct error *error);

#endif
