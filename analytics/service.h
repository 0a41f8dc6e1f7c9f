// SPDX-License-Identifier: Apache-2.0
// What the service manager is told of a run, where one asks (NOTIFY_SOCKET, sd_notify(3)): that it is ready,
// what it does, that it is alive. service.c by libsystemd, service_none.c where mailtap is built without. From
// any thread.
#ifndef MAILTAP_ANALYTICS_SERVICE_H
#define MAILTAP_ANALYTICS_SERVICE_H

#include <stdbool.h>
#include <stdint.h>

// Whether this mailtap can tell anybody.
bool service_can(void);

// Within what time a sign of life is wanted, in nanoseconds; 0: nobody wants one.
int64_t service_watchdog(void);

void service_ready(void);
void service_reloading(void); // service_ready follows
void service_stopping(void);

// A line for people.
void service_status(const char *text);

void service_alive(void);

#endif
