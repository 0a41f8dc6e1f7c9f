// SPDX-License-Identifier: Apache-2.0
// What the kernel is told to leave out of a live capture, so that it need not be copied: a classic BPF
// program, made from the ports that are followed, DNS over UDP among them where names are asked for. It lets through whatever the header parse might keep, and
// besides it all that is too rare to be told apart there: fragments, tunnels, labels, PPPoE, IPv6 extension
// headers. It looks at bytes alone and steps over every tag it finds, so that it comes to the same whether
// the kernel still has the outermost tag in the packet or has taken it off. Made by live_interface.c.
#ifndef MAILTAP_CAPTURE_LIVE_FILTER_H
#define MAILTAP_CAPTURE_LIVE_FILTER_H

#include "capture/port_set.h"

#include <pcap/pcap.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	// Instructions. Every kernel takes 4096, but some only 20 KiB of them, and theirs are longer.
	LIVE_FILTER_MAX = 1024,
	LIVE_FILTER_SNAP = 262144, // bytes of a packet that it lets through
};

struct live_filter {
	struct bpf_insn code[LIVE_FILTER_MAX];
	size_t length; // instructions in it
	bool
	    all_tcp; // it does not look at ports: all are followed, or too many ranges for its size
};

// Makes the program for packets of a link type (LINK_ETHERNET, LINK_LINUX_SLL, LINK_RAW). False: of another
// one. For LINK_LINUX_SLL it keeps to what libpcap can translate for a kernel that sees no cooked header: the
// protocol at a fixed place, all else from the network header on. There all that has a tag (behind one that the
// kernel took off) passes: of packets sent the kernel says so in the protocol, and has stepped over it.
bool live_filter_make(struct live_filter *filter, uint16_t link_type, const struct port_set *ports);

#endif
