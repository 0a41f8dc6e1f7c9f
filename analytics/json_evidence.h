// SPDX-License-Identifier: Apache-2.0
// Evidence as JSON: the facts of a piece as keys of the object that is being written, and the list that a
// session record has. Used by the exporters.
#ifndef MAILTAP_ANALYTICS_JSON_EVIDENCE_H
#define MAILTAP_ANALYTICS_JSON_EVIDENCE_H

#include "analytics/evidence.h"
#include "analytics/json_fields.h"

// Keys `kind`, `confidence`, and one per fact.
void json_keys_evidence(struct json *json, const struct evidence *evidence);

// Key `evidence`: a list of objects, empty where there is none.
void json_key_evidence(struct json *json, const struct evidence *evidence, size_t count);

#endif
