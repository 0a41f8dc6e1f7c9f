// SPDX-License-Identifier: Apache-2.0
#include "analytics/lookup_line.h"

#include "analytics/anonymise.h"
#include "analytics/json_fields.h"

#include <string.h>

static void write_times(struct json *json, const struct lookup_counts *counts)
{
	json_key(json, "start");
	json_time(json, counts->first);
	json_key(json, "end");
	json_time(json, counts->last);
}

static struct lookup_facts facts_of(
    const struct lookup_writer *writer, const struct lookup_counts *counts)
{
	struct lookup_facts facts = {.anonymised = writer->anonymiser != NULL,
	    .network = counts->network,
	    .sessions = counts->sessions,
	    .questions = counts->questions};
	memcpy(facts.followed, counts->followed, sizeof facts.followed);
	if (writer->anonymiser != NULL) {
		struct ip_address other =
		    anonymise_address(writer->anonymiser, &counts->network.address);
		facts.network = client_network_of(&other);
	}
	return facts;
}

void lookup_line_write(const struct lookup_writer *writer, const struct lookup_counts *counts,
    struct lookup_facts *facts)
{
	static const char *const keys[LOOKUP_KINDS] = {
	    [LOOKUP_SPF] = "spf", [LOOKUP_DKIM] = "dkim", [LOOKUP_DMARC] = "dmarc"};
	struct json *json = writer->json;
	char text[CLIENT_NETWORK_TEXT_SIZE];
	*facts = facts_of(writer, counts);
	client_network_text(text, &facts->network);
	json_clear(json);
	json_object_begin(json);
	json_key_name(json, "network", text);
	json_key(json, "sensor");
	if (writer->sensor != NULL)
		json_bytes(json, (const uint8_t *)writer->sensor, strlen(writer->sensor));
	else
		json_null(json);
	json_mark(json, "anonymised", writer->anonymiser != NULL);
	write_times(json, counts);
	json_key_unsigned(json, "window", LOOKUPS_WINDOW / SECONDS(1));
	json_key_unsigned(json, "sessions", counts->sessions);
	json_key_unsigned(json, "questions", counts->questions);
	for (int kind = 0; kind < LOOKUP_KINDS; kind++)
		json_key_unsigned(json, keys[kind], counts->followed[kind]);
	json_object_end(json);
	json_line_end(json);
}
