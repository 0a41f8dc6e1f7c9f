// SPDX-License-Identifier: Apache-2.0
// Other addresses in an alert that was written with the real ones. Used by the report.
#ifndef MAILTAP_ANALYTICS_ALERT_ANONYMISE_H
#define MAILTAP_ANALYTICS_ALERT_ANONYMISE_H

#include "analytics/anonymise.h"

#include <jansson.h>

// As a run with this key would have written the alert. Its session_id, which is made from the addresses, is left
// out. False: no memory.
bool alert_anonymise(struct anonymiser *anonymiser, json_t *alert);

#endif
