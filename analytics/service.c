// SPDX-License-Identifier: Apache-2.0
#include "analytics/service.h"

#include <systemd/sd-daemon.h>
#include <time.h>

bool service_can(void)
{
	return true;
}

int64_t service_watchdog(void)
{
	uint64_t microseconds = 0;
	return sd_watchdog_enabled(0, &microseconds) > 0 ? (int64_t)microseconds * 1000 : 0;
}

void service_ready(void)
{
	(void)sd_notify(0, "READY=1");
}

void service_reloading(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	(void)sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%lld",
	    (long long)now.tv_sec * 1000000 + now.tv_nsec / 1000);
}

void service_stopping(void)
{
	(void)sd_notify(0, "STOPPING=1");
}

void service_status(const char *text)
{
	(void)sd_notifyf(0, "STATUS=%s", text);
}

void service_alive(void)
{
	(void)sd_notify(0, "WATCHDOG=1");
}
