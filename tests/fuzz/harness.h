// SPDX-License-Identifier: Apache-2.0
// What both fuzzers do around the worker: records are judged and rendered, and what the worker promises
// (a record per connection, counters that add up, a budget that holds, memory that comes back) is
// checked. A broken promise ends the program, which is a finding.
#ifndef MAILTAP_TESTS_FUZZ_HARNESS_H
#define MAILTAP_TESTS_FUZZ_HARNESS_H

#include "capture/packet.h"
#include "decode/worker.h"

struct harness;

struct harness_settings {
	size_t budget; // bytes for the worker's memory
	bool drop_wrong_checksums;
	bool every_port;
	bool names; // what is no mail is looked at by nDPI, which takes long to be made
	bool more; // headers of mail are read, and DNS, and outputs have other addresses
};

struct harness *harness_begin(const struct harness_settings *settings);

void harness_batch(struct harness *harness, const struct packet_batch *batch);

// Finishes the worker, checks everything, frees everything.
void harness_end(struct harness *harness);

#endif
