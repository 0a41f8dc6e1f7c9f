// SPDX-License-Identifier: Apache-2.0
#include "analytics/json_evidence.h"

static void write_fact(struct json *json, const struct fact *fact)
{
	json_key(json, fact->key);
	switch (fact->type) {
	case FACT_NUMBER:
		json_unsigned(json, fact->number);
		break;
	case FACT_BYTES:
		json_bytes(json, fact->bytes, fact->length);
		break;
	case FACT_NAME:
		json_name(json, fact->name);
		break;
	case FACT_TIME:
		json_time(json, fact->time);
		break;
	case FACT_DURATION:
		json_duration(json, fact->time);
		break;
	case FACT_HASH:
		json_hex(json, fact->bytes, fact->length);
		break;
	case FACT_BOOL:
		json_bool(json, fact->boolean);
		break;
	}
}

void json_keys_evidence(struct json *json, const struct evidence *evidence)
{
	json_key_name(json, "kind", evidence_kind_name(evidence->kind));
	json_key_name(json, "confidence", confidence_name(evidence->confidence));
	for (size_t i = 0; i < evidence->fact_count; i++)
		write_fact(json, &evidence->facts[i]);
}

void json_key_evidence(struct json *json, const struct evidence *evidence, size_t count)
{
	json_key(json, "evidence");
	json_array_begin(json);
	for (size_t i = 0; i < count; i++) {
		json_object_begin(json);
		json_keys_evidence(json, &evidence[i]);
		json_object_end(json);
	}
	json_array_end(json);
}
