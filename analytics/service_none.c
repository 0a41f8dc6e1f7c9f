// SPDX-License-Identifier: Apache-2.0
// Without libsystemd: nobody is told anything.
#include "analytics/service.h"

bool service_can(void)
{
	return false;
}

int64_t service_watchdog(void)
{
	return 0;
}

void service_ready(void)
{
}

void service_reloading(void)
{
}

void service_stopping(void)
{
}

void service_status(const char *text)
{
	(void)text;
}

void service_alive(void)
{
}
