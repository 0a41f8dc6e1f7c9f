// SPDX-License-Identifier: Apache-2.0
// A filter expression (pcap-filter(7)) run over batches in user space, for sources that cannot hand
// it to a kernel. An expression compiles to another program for every link type: each is made when
// the first packet of that link type comes.
#ifndef MAILTAP_CAPTURE_PACKET_FILTER_H
#define MAILTAP_CAPTURE_PACKET_FILTER_H

#include "capture/base/error.h"
#include "capture/packet.h"
#include "capture/source.h"

#include <stdbool.h>

struct packet_filter;

// Keeps a copy of `expression`. NULL: no memory (*error).
struct packet_filter *packet_filter_create(const char *expression, struct error *error);
void packet_filter_destroy(struct packet_filter *filter);

// Compiles for a link type (as in files). False: *error says why the expression does not fit it.
bool packet_filter_prepare(struct packet_filter *filter, uint16_t link_type, struct error *error);

// Takes the packets that do not match out of the batch and counts them (filtered). Those in VLANs are
// counted besides (filtered_in_vlan): "port 25" matches none of them, only "vlan and port 25" does.
// False: a packet's link type does not go with the expression (*error); the batch
// then has the matching packets before that one.
bool packet_filter_run(struct packet_filter *filter, struct packet_batch *batch,
    struct source_counters *counters, struct error *error);

#endif
