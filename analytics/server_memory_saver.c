// SPDX-License-Identifier: Apache-2.0
#include "analytics/server_memory_saver.h"

struct server_memory_saver server_memory_saver_begin(
    struct server_memory *servers, const char *path, time_t now)
{
	return (struct server_memory_saver){
	    .servers = servers, .path = path, .last = now, .pause = MEMORY_SAVED_EVERY};
}

bool server_memory_saver_is_due(struct server_memory_saver *saver, time_t now)
{
	if (now < saver->last)
		saver->last = now;
	return saver->path != NULL && now - saver->last >= saver->pause;
}

// By a clock that nobody puts.
static time_t seconds_running(void)
{
	struct timespec now = {0};
	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec;
}

bool server_memory_saver_turn(struct server_memory_saver *saver, time_t now, struct error *error)
{
	if (!server_memory_saver_is_due(saver, now))
		return true;
	time_t began = seconds_running();
	bool failed_before = saver->failed;
	saver->failed = !server_memory_save(saver->servers, saver->path, error);
	time_t longest = (seconds_running() - began) * MEMORY_SAVING_SHARE;
	saver->pause = longest > MEMORY_SAVED_EVERY ? longest : MEMORY_SAVED_EVERY;
	saver->last = now;
	return !saver->failed || failed_before;
}
