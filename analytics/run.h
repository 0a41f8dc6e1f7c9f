// SPDX-License-Identifier: Apache-2.0
// A run: opens the inputs one after the other, drives the worker, hands its records to the exporters,
// shows progress, and ends in order whatever happens. Called by main.
#ifndef MAILTAP_ANALYTICS_RUN_H
#define MAILTAP_ANALYTICS_RUN_H

#include "analytics/options.h"
#include "analytics/signals.h"

// Returns the exit code: 0, or 1 if something could not be read or written (said on standard error).
// `signals`: what is asked for meanwhile.
int run(const struct options *options, struct signals *signals);

#endif
