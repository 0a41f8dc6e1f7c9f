// SPDX-License-Identifier: Apache-2.0
#include "analytics/inputs.h"

// Which kind of source, and its target into input->name. NULL: none.
static const struct source_ops *find_kind(struct live_input *input, const struct options *options)
{
	(void)options;
	input->name[0] = '\0';
	return NULL;
}

bool live_input_open(struct live_input *input, const struct options *options, unsigned lanes,
    struct error *error)
{
	*input = (struct live_input){.ops = find_kind(input, options)};
	if (input->ops == NULL)
		return true;
	struct source_request request = {
	    .target = input->name,
	    .filter = options->filter,
	    .ports = &options->ports.set,
	    .lanes = lanes,
	};
	input->source = input->ops->open(&request, error);
	return input->source != NULL;
}

void live_input_close(struct live_input *input)
{
	if (input->source != NULL)
		input->ops->close(input->source);
	input->source = NULL;
}

unsigned live_input_lanes(const struct live_input *input)
{
	if (input->source == NULL || input->ops->lanes == NULL)
		return 1;
	return input->ops->lanes(input->source);
}
