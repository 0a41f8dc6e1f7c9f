// SPDX-License-Identifier: Apache-2.0
// How a run goes, as JSON: /live.json. Its keys are documented in configs/live.md; they stay. Called by run_view.c.
#ifndef MAILTAP_ANALYTICS_LIVE_JSON_H
#define MAILTAP_ANALYTICS_LIVE_JSON_H

#include "analytics/json.h"
#include "analytics/live_look.h"

// One object.
void live_json_write(struct json *json, const struct live_look *look);

#endif
