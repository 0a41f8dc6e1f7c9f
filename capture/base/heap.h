// SPDX-License-Identifier: Apache-2.0
// The heap of the C library, of which a process has one: how it grows, and huge pages behind what it has grown by.
// What is remembered of servers and clients lies there, each in a place of its own: with small pages each new one
// is a fault, and each old one a miss of the TLB. Called by main and by the thread that judges.
#ifndef MAILTAP_CAPTURE_BASE_HEAP_H
#define MAILTAP_CAPTURE_BASE_HEAP_H

#include <stdint.h>

// How far the heap had grown. Zero at first.
struct heap_end {
	uintptr_t address;
};

// One heap for all threads. Before there are any.
void heap_prepare(void);

// Asks for huge pages behind what the heap has grown by since the last call. To be called often: it costs a few
// instructions where it has not grown. From the first call on it grows in large steps: addresses only, until they are
// used. That should come when tables that hold nothing yet have been made: they would be cleared in what a step has left,
// and so be there in whole. One thread.
void heap_follow(struct heap_end *end);

#endif
