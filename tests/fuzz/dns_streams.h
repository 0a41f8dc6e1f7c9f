// SPDX-License-Identifier: Apache-2.0
// The input of dns.c as a stream of TCP, in pieces: what is handed on are its messages, in their order.
#ifndef MAILTAP_TESTS_FUZZ_DNS_STREAMS_H
#define MAILTAP_TESTS_FUZZ_DNS_STREAMS_H

#include <stddef.h>
#include <stdint.h>

void check_stream(const uint8_t *data, size_t size);

#endif
