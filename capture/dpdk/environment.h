// SPDX-License-Identifier: Apache-2.0
// DPDK's environment abstraction layer: set up once in a process, with what the user wrote and what mailtap
// adds. Keeps the calling thread's processors and signals as they were, keeps quiet what DPDK would write to
// the terminal, and makes one line of why it did not start. What DPDK reports as an error later is told.
#ifndef MAILTAP_CAPTURE_DPDK_ENVIRONMENT_H
#define MAILTAP_CAPTURE_DPDK_ENVIRONMENT_H

#include "capture/base/error.h"
#include "capture/source.h"

#include <stdbool.h>

struct environment;

// NULL: *error says why. Of the request its `environment` and `say` are used.
struct environment *environment_begin(const struct source_request *request, struct error *error);

// When no thread uses DPDK any more, and all ports are closed.
void environment_end(struct environment *environment);

#endif
