// SPDX-License-Identifier: Apache-2.0
// The header that a load balancer may put in front of a connection's first bytes (HAProxy's PROXY
// protocol, versions 1 and 2). Only its length matters here: what comes behind it is the dialogue.
#ifndef MAILTAP_DECODE_PROXY_PROTOCOL_H
#define MAILTAP_DECODE_PROXY_PROTOCOL_H

#include <stddef.h>
#include <stdint.h>

enum proxy_header {
	PROXY_HEADER_NONE,  // the bytes do not begin with one
	PROXY_HEADER_SHORT, // they may: more are needed
	PROXY_HEADER_WHOLE, // they do, *header_length bytes of it
};

enum proxy_header proxy_header_find(const uint8_t *bytes, size_t length, size_t *header_length);

#endif
