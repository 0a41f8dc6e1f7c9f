// SPDX-License-Identifier: Apache-2.0
// What the kernel says of a network interface: whether it is there, up and linked, and how many packets it
// had by its own count. Asked by rtnetlink, so that the answer is that of the network namespace the socket was
// opened in, and needs no file. Called by live_interface.c and for the list of interfaces.
#ifndef MAILTAP_CAPTURE_INTERFACE_STATE_H
#define MAILTAP_CAPTURE_INTERFACE_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum interface_found {
	INTERFACE_FOUND,
	INTERFACE_GONE, // there is none of that name
	INTERFACE_UNKNOWN, // the kernel cannot be asked
};

struct interface_state {
	int index; // another one if it was taken away and made again
	bool up; // by its administrator
	bool linked; // up, and something is at the other end, as far as it can tell
	uint64_t packets; // received and sent; of a loopback, where these are the same, received
	uint64_t missed; // that came and found no buffer, as its driver says
	uint32_t links_lost; // how often the link was lost
};

// A socket to ask with, or -1. One thread at a time.
int interface_socket_open(void);

// `socket` -1: INTERFACE_UNKNOWN. *state counts only with INTERFACE_FOUND.
enum interface_found interface_state_read(
    int socket, const char *name, struct interface_state *state);

// The names of the interfaces there are, separated by ", ", cut at `size`.
void interface_names(char *text, size_t size);

#endif
