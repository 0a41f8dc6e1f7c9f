// SPDX-License-Identifier: Apache-2.0
#include "analytics/run.h"

#include "analytics/run_parts.h"

#include <stdio.h>

void run_say(const struct error *error)
{
	if (error->text[0] != '\0')
		fprintf(stderr, "mailtap: %s\n", error->text);
}

// The last sessions, and everything that is still on its way to the outputs.
static void finish_sessions(struct run *run)
{
	struct ended_interval last;
	bool begun = false;
	run_view_set_stage(run->view, STAGE_DRAINING);
	if (run->feed != NULL) {
		feed_finish(run->feed);
		feed_account(run->feed, &run->accounting);
		begun = feed_last_interval(run->feed, &last);
	}
	intake_finish(run->intake);
	run_view_rest(run->view);
	feed_destroy(run->feed);
	mail_names_destroy(run->mail_names);
	tls_keylog_destroy(run->keylog);
	if (run->analyst != NULL)
		analyst_finish(run->analyst);
	last.accounting = run->accounting;
	if (begun)
		run_on_interval(run, &last);
	upkeep_destroy(run->upkeep);
	pattern_reader_destroy(run->pattern_reader);
	pattern_set_destroy(run->patterns);
}

// False: an output was not written whole; *error says why.
static bool close_outputs(
    struct run *run, const struct run_accounting *accounting, struct error *error)
{
	struct error ignored;
	bool written = run->exporters == NULL || exporters_close(run->exporters, accounting, error);
	dns_view_close(run->names);
	log_directory_close(run->logs);
	if (accounting != NULL && run->options->server_memory != NULL)
		written &= server_memory_save(
		    run->servers, run->options->server_memory, written ? error : &ignored);
	shipper_end(run->shipper);
	analyst_destroy(run->analyst);
	server_memory_destroy(run->servers);
	certificate_judge_destroy(run->certificates);
	return written;
}

int run(const struct options *options, struct signals *signals)
{
	struct run run = {.options = options, .signals = signals};
	struct error error, ignored;
	if (!run_open(&run, &error)) {
		run_say(&error);
		finish_sessions(&run);
		close_outputs(&run, NULL, &ignored);
		run_view_close(run.view);
		live_input_close(&run.live);
		return 1;
	}
	upkeep_ready(run.upkeep);
	if (run.live.ops != NULL)
		run_read_live(&run);
	else
		run_read_inputs(&run);
	upkeep_stopping(run.upkeep);
	finish_sessions(&run);
	bool named = dns_view_finish(run.names, &error);
	if (!named)
		run_say(&error);
	run_complete_accounting(&run, &run.accounting);
	run.accounting.trust = certificate_judge_trust(run.certificates);
	bool written = close_outputs(&run, &run.accounting, &error);
	run_view_close(run.view);
	live_input_close(&run.live); // last: a driver may not survive it, and all is written
	if (!written)
		run_say(&error);
	return written && named && run.inputs_failed == 0 ? 0 : 1;
}
