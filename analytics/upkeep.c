// SPDX-License-Identifier: Apache-2.0
#include "analytics/upkeep.h"

#include "analytics/reloader.h"
#include "analytics/server_memory_saver.h"
#include "analytics/service.h"

#include <inttypes.h>
#include <stdlib.h>
#include <time.h>

enum {
	SIGNS = 3, // of life, within the time in which one must come
	STATUS_EVERY = 10, // seconds
};

// What the service manager was told.
enum phase { BEGINNING, READY, STOPPING };

struct upkeep {
	struct upkeep_options options;
	struct reloader *reloader;
	struct server_memory_saver saver;
	struct progress_watch watch;
	int64_t watchdog; // nanoseconds within which a sign of life is wanted; 0: nobody wants one
	int64_t last_sign;
	time_t last_status, last_second;
	atomic_uint phase; // enum phase
};

struct upkeep *upkeep_create(const struct upkeep_options *options, struct error *error)
{
	size_t alignment = _Alignof(struct upkeep);
	struct upkeep *upkeep = aligned_alloc(alignment, sizeof *upkeep);
	error_set(error, "no memory to look after the run");
	if (upkeep == NULL)
		return NULL;
	*upkeep = (struct upkeep){.options = *options,
	    .saver = server_memory_saver_begin(
	        options->servers, options->server_memory, time(NULL)),
	    .watchdog = service_watchdog()};
	upkeep->reloader = reloader_start(
	    options->options, options->patterns, options->names, options->tell, error);
	if (upkeep->reloader != NULL)
		return upkeep;
	free(upkeep);
	return NULL;
}

void upkeep_destroy(struct upkeep *upkeep)
{
	if (upkeep == NULL)
		return;
	reloader_finish(upkeep->reloader);
	free(upkeep);
}

/* ---- what the service manager is told ---- */

struct progress_watch *upkeep_watch(struct upkeep *upkeep)
{
	return &upkeep->watch;
}

void upkeep_ready(struct upkeep *upkeep)
{
	atomic_store(&upkeep->phase, READY);
	service_ready();
}

void upkeep_stopping(struct upkeep *upkeep)
{
	atomic_store(&upkeep->phase, STOPPING);
	service_stopping();
}

void upkeep_account(struct upkeep *upkeep, const struct run_accounting *accounting)
{
	char text[200];
	const struct worker_counters *worker = &accounting->worker;
	const struct crew_losses *losses = &accounting->losses;
	time_t now = time(NULL);
	if (now - upkeep->last_status < STATUS_EVERY && now >= upkeep->last_status)
		return;
	upkeep->last_status = now;
	snprintf(text, sizeof text,
	    "%" PRIu64 " packets, %" PRIu64 " of mail; %" PRIu64 " lost before, %" PRIu64
	    " under overload",
	    accounting->source.packets, worker->segments_tracked,
	    accounting->source.capture_dropped,
	    losses->shed + losses->refused + losses->dropped);
	service_status(text);
}

// Once it stops, the threads that read packets need not go on.
static void give_sign(struct upkeep *upkeep)
{
	struct timespec now;
	unsigned phase = atomic_load(&upkeep->phase);
	if (upkeep->watchdog == 0 || phase == BEGINNING ||
	    clock_gettime(CLOCK_MONOTONIC, &now) != 0)
		return;
	int64_t time = (int64_t)now.tv_sec * SECONDS(1) + now.tv_nsec;
	if (time - upkeep->last_sign < upkeep->watchdog / SIGNS ||
	    (phase == READY && !progress_watch_all(&upkeep->watch)))
		return;
	upkeep->last_sign = time;
	service_alive();
}

/* ---- reloading ---- */

static bool begin_reload(struct upkeep *upkeep, struct error *error)
{
	service_reloading();
	reloader_ask(upkeep->reloader);
	return upkeep->options.logs == NULL || log_directory_rotate(upkeep->options.logs, error);
}

static void finish_reload(struct upkeep *upkeep, const struct reloaded *reloaded)
{
	const struct upkeep_options *options = &upkeep->options;
	struct error error;
	if (reloaded->trust != NULL)
		certificate_judge_use_trust(options->certificates, reloaded->trust);
	if (reloaded->baseline != NULL)
		server_memory_use_baseline(options->servers, reloaded->baseline);
	if (reloaded->anchors != NULL)
		dns_view_use_anchors(options->names, reloaded->anchors);
	if (!exporters_reload(options->exporters, &error))
		options->tell(&error);
	if (atomic_load(&upkeep->phase) == READY)
		service_ready();
}

bool upkeep_is_due(struct upkeep *upkeep)
{
	struct timespec now;
	if (clock_gettime(CLOCK_MONOTONIC_COARSE, &now) != 0 || now.tv_sec == upkeep->last_second)
		return false;
	upkeep->last_second = now.tv_sec;
	return true;
}

bool upkeep_second(struct upkeep *upkeep, struct error *error)
{
	struct reloaded reloaded;
	if (signals_take(&upkeep->options.signals->reload) && !begin_reload(upkeep, error))
		return false;
	if (reloader_take(upkeep->reloader, &reloaded))
		finish_reload(upkeep, &reloaded);
	if (!server_memory_saver_turn(&upkeep->saver, time(NULL), error))
		upkeep->options.tell(error);
	give_sign(upkeep);
	return upkeep->options.logs == NULL ||
	       log_directory_tick(upkeep->options.logs, time(NULL), error);
}
