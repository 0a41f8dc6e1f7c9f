// SPDX-License-Identifier: Apache-2.0
#include "analytics/inputs.h"

#include <stdio.h>
#include <unistd.h>

// The names of all -i, joined into input->name. False: *error.
static bool join_interfaces(
    struct live_input *input, const struct options *options, struct error *error)
{
	size_t length = 0;
	for (size_t i = 0; i < options->interfaces.count; i++) {
		length += (size_t)snprintf(input->name + length, sizeof input->name - length,
		    "%s%s", i > 0 ? "," : "", options->interfaces.paths[i]);
		if (length >= sizeof input->name) {
			error_set(error, "-i: the names of all interfaces are longer than %zu bytes",
			    sizeof input->name - 1);
			return false;
		}
	}
	return true;
}

// Which kind of source, and its target into input->name. input->ops NULL: none. False: *error.
static bool find_kind(struct live_input *input, const struct options *options, struct error *error)
{
	*input = (struct live_input){.ops = NULL};
	if (options->dpdk != NULL) {
		const char *ports = options->dpdk_ports != NULL ? options->dpdk_ports : "all";
		input->ops = source_find("dpdk");
		snprintf(input->name, sizeof input->name, "%s", ports);
		return true;
	}
	if (options->interfaces.count == 0)
		return true;
	input->ops = source_find("live");
	return join_interfaces(input, options, error);
}

// A line from any thread. On a terminal it stands in place of the line that tells of progress.
static void say(void *context, const struct error *line)
{
	(void)context;
	fprintf(stderr, "%smailtap: %s\n", isatty(STDERR_FILENO) ? "\r\033[K" : "", line->text);
}

bool live_input_open(struct live_input *input, const struct options *options, unsigned lanes,
    struct error *error)
{
	if (!find_kind(input, options, error))
		return false;
	if (input->ops == NULL)
		return true;
	struct source_request request = {
	    .target = input->name,
	    .filter = options->filter,
	    .ports = &options->ports.set,
	    .environment = options->dpdk,
	    .no_offload = options->no_offload,
	    .lanes = lanes,
	    .buffer = options->capture_buffer,
	    .busy_poll = options->busy_poll,
	    .not_promiscuous = options->not_promiscuous,
	    .say = say,
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

bool live_input_is_live(const struct live_input *input)
{
	return input->source != NULL && source_is_live(input->ops, input->source);
}

unsigned live_input_lanes(const struct live_input *input)
{
	if (input->source == NULL || input->ops->lanes == NULL)
		return 1;
	return input->ops->lanes(input->source);
}
