// SPDX-License-Identifier: Apache-2.0
// What is left out when a worker is sent more than it can do, so that as much as possible of what is said of
// sessions stays right. The fuller its ring, the more: first segments of connections that are only counted,
// then bodies of messages in the clear, and then whole connections that begin now, from their SYN to their
// end. A session that is not seen at all is better than two that are seen in part. One for each worker;
// used by the thread that sends.
#ifndef MAILTAP_DECODE_OVERLOAD_H
#define MAILTAP_DECODE_OVERLOAD_H

#include "decode/headers.h"
#include "decode/quiet_set.h"

#include <stddef.h>

struct overload {
	struct quiet_set quiet; // written by the worker
	_Alignas(64) bool any_refused; // from here on by the thread that sends
	uint16_t refused[1 << 16]; // tags of connections that were refused when they began; 0: none
};

enum overload_fate {
	OVERLOAD_KEEP,
	OVERLOAD_SHED, // its connection has said what matters
	OVERLOAD_REFUSE, // it begins a connection that is refused
	OVERLOAD_REFUSED, // it is of one that was
};

// `segment->hash` is flow_hash of the connection. `used`: bytes on their way to the worker, of `room`.
enum overload_fate overload_judge(
    struct overload *overload, const struct segment *segment, size_t used, size_t room);

#endif
