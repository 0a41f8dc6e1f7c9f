// SPDX-License-Identifier: Apache-2.0
// Reads the inputs of a run, one after the other, or the one that is live.
#include "analytics/run_parts.h"

static struct run_accounting account_so_far(const struct run *run)
{
	struct run_accounting accounting = {.interrupted = false};
	feed_account(run->feed, &accounting);
	return accounting;
}

// An input of which nothing could be read is a failure, not an empty result.
static bool check_links(const struct run *run, const char *name,
    const struct run_accounting *before, struct error *error)
{
	struct run_accounting after = account_so_far(run);
	uint64_t packets = after.source.packets - before->source.packets;
	uint64_t unread = after.reader.headers.outcomes[HEADERS_UNKNOWN_LINK] -
	                  before->reader.headers.outcomes[HEADERS_UNKNOWN_LINK];
	error_set(error,
	    "%s: none of its %llu packets could be read: link type %u carries no IP, or none that "
	    "mailtap knows",
	    name, (unsigned long long)packets, feed_link_type(run->feed));
	return packets == 0 || packets != unread;
}

// Reads one input to its end. False: *error.
static bool read_input(
    const struct run *run, const struct source_ops *ops, const char *name, struct error *error)
{
	struct source_request request = {
	    .target = name,
	    .filter = run->options->filter,
	    .ports = &run->options->ports.set,
	};
	struct source *source = ops->open(&request, error);
	if (source == NULL)
		return false;
	run_view_set_stage(run->view, STAGE_READING);
	struct run_accounting before = account_so_far(run);
	bool good = feed_read(run->feed, ops, source, name, error);
	ops->close(source);
	return good && check_links(run, name, &before, error);
}

void run_read_inputs(struct run *run)
{
	struct error error;
	const struct source_ops *ops = source_find("file");
	for (size_t i = 0; i < run->options->file_count; i++) {
		if (signals_stop(run->signals) || run->output_failed)
			break;
		if (read_input(run, ops, run->options->files[i], &error))
			continue;
		run_say(&error);
		run->inputs_failed++;
	}
	run->accounting.interrupted = signals_stop(run->signals);
}

void run_read_live(struct run *run)
{
	struct error error;
	run_view_set_stage(run->view, STAGE_READING);
	if (!feed_read(run->feed, run->live.ops, run->live.source, run->live.name, &error)) {
		run_say(&error);
		run->inputs_failed++;
	}
}
