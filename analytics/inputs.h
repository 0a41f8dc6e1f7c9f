// SPDX-License-Identifier: Apache-2.0
// Which source the options ask for, and with what. One function for what is live; captures are read one after
// the other by the run itself.
#ifndef MAILTAP_ANALYTICS_INPUTS_H
#define MAILTAP_ANALYTICS_INPUTS_H

#include "analytics/options.h"
#include "capture/source.h"

struct live_input {
	const struct source_ops *ops;
	struct source *source;
	char name[256]; // for messages, and the target: interfaces or ports, separated by commas
};

// Opens what is to be captured live. *input has no ops: captures are to be read. False: *error. `lanes`: how
// many threads could read.
bool live_input_open(struct live_input *input, const struct options *options, unsigned lanes,
    struct error *error);

void live_input_close(struct live_input *input);

// False where there is none, or it waits for whoever reads it (source_ops.waits).
bool live_input_is_live(const struct live_input *input);

// 1 where there is none.
unsigned live_input_lanes(const struct live_input *input);

#endif
