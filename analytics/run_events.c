// SPDX-License-Identifier: Apache-2.0
// What comes out of packets, on its way to judges, outputs and whoever looks on: all in the analytics thread.
#include "analytics/run_parts.h"

static void on_record(void *context, const struct session_record *record)
{
	struct run *run = context;
	analyst_session(run->analyst, record);
}

static void on_session(void *context, const struct judged_session *session)
{
	struct run *run = context;
	if (run->names != NULL)
		dns_view_session(run->names, session->record, session->judgement.verdict);
	if (!run->output_failed)
		run->output_failed = !exporters_session(run->exporters, session);
}

static void on_alert(void *context, const struct judged_session *session)
{
	struct run *run = context;
	if (!run->output_failed)
		run->output_failed = !exporters_alert(run->exporters, session);
}

static void on_certificate(void *context, const struct shown_certificate *shown)
{
	struct run *run = context;
	const struct certificate *certificate = certificate_judge_shown(run->certificates, shown);
	if (certificate != NULL && !run->output_failed)
		run->output_failed = !exporters_certificate(run->exporters, certificate);
}

static void on_names(void *context, const struct dns_message *message)
{
	struct run *run = context;
	struct error error;
	if (run->output_failed || dns_view_message(run->names, message, &error))
		return;
	run_say(&error);
	run->output_failed = true;
}

void run_on_domain(void *context, const struct json *line, const struct domain_facts *facts)
{
	struct run *run = context;
	if (!run->output_failed)
		run->output_failed = !exporters_domain(run->exporters, line, facts);
}

void run_on_lookups(void *context, const struct json *line, const struct lookup_facts *facts)
{
	struct run *run = context;
	if (!run->output_failed)
		run->output_failed = !exporters_lookups(run->exporters, line, facts);
}

void run_complete_accounting(const struct run *run, struct run_accounting *accounting)
{
	accounting->started = run->started;
	accounting->inputs_failed = run->inputs_failed;
	accounting->certificates = certificate_judge_counters(run->certificates);
	accounting->servers = server_memory_counters(run->servers);
	accounting->analyst = analyst_counters(run->analyst);
	accounting->names = dns_view_counters(run->names);
	accounting->written = exporters_written(run->exporters);
}

void run_on_interval(void *context, const struct ended_interval *ended)
{
	struct run *run = context;
	struct ended_interval interval = *ended;
	run_complete_accounting(run, &interval.accounting);
	live_state_account(run_view_live(run->view), &interval.accounting);
	if (!run->output_failed)
		run->output_failed = !exporters_interval(run->exporters, &interval);
}

static void on_account(void *context, const struct run_accounting *accounting, bool whole)
{
	struct run *run = context;
	run->so_far = *accounting;
	if (!whole)
		return;
	live_state_account(run_view_live(run->view), accounting);
	upkeep_account(run->upkeep, accounting);
	if (!signals_take(&run->signals->statistics) || run->output_failed)
		return;
	run_complete_accounting(run, &run->so_far);
	run->output_failed = !exporters_so_far(run->exporters, &run->so_far);
}

// Somebody may want to know how the run goes.
static void show(struct run *run, const struct intake *intake)
{
	enum published_kind kind;
	if (!run_view_turn(run->view, &kind))
		return;
	run_complete_accounting(run, &run->so_far);
	const struct run_figures figures = {run->exporters, &run->so_far, intake};
	run_view_answer(run->view, kind, &figures);
}

static void on_turn(void *context, const struct intake *intake)
{
	struct run *run = context;
	struct error error;
	show(run, intake);
	if (run->output_failed || !upkeep_is_due(run->upkeep))
		return;
	run->output_failed = !exporters_second(run->exporters);
	if (upkeep_second(run->upkeep, &error))
		return;
	run_say(&error);
	run->output_failed = true;
}

static void on_wait(void *context)
{
	struct run *run = context;
	run->output_failed = run->output_failed || !exporters_wait(run->exporters);
}

struct intake_sinks run_intake_sinks(struct run *run)
{
	return (struct intake_sinks){on_record, on_certificate, on_names, run_on_interval,
	    on_account, on_turn, on_wait, run};
}

struct analyst_sinks run_analyst_sinks(struct run *run)
{
	return (struct analyst_sinks){on_session, on_alert, run};
}
