// SPDX-License-Identifier: Apache-2.0
// Where bytes of one direction of a connection are missing so far, to see whether late ones fill them. Most
// directions have none, and pay for none. Owned by the stream (flow.h), from the worker's memory; used by tcp.c and tcp_delivery.c.
#ifndef MAILTAP_DECODE_HOLES_H
#define MAILTAP_DECODE_HOLES_H

#include "capture/base/memory.h"

struct holes;

// Takes note of the newest hole, [start, end) in sequence numbers. Older ones become one, so that few are kept; what
// lies more than `reach` before it is forgotten. *holes is NULL at first. Without memory it is not noted.
void holes_note(struct memory *memory, struct holes **holes, uint32_t start, uint32_t end, uint32_t reach);

// [start, end) came late: how many of these bytes were missing. NULL is allowed.
uint32_t holes_fill(struct holes *holes, uint32_t start, uint32_t end);

// The last byte before `end` is none: true if it was the last of a hole, and is no longer. NULL is allowed.
bool holes_drop_last(struct holes *holes, uint32_t end);

// Frees them. NULL is allowed.
void holes_destroy(struct memory *memory, struct holes *holes);

#endif
