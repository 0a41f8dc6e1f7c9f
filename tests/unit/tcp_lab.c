// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/tcp_lab.h"

const struct kept_record *end_with_one(struct lab *lab)
{
	lab_end(lab);
	assert_int_equal(lab->count, 1);
	return &lab->records[0];
}

void assert_greetings(const struct kept_record *kept)
{
	assert_string_equal(kept->banner, "220 mx.example ESMTP");
	assert_string_equal(kept->client_name, "c.example");
	assert_int_equal(kept->record.missing[FROM_CLIENT] + kept->record.missing[FROM_SERVER], 0);
	assert_false(kept->session.dialogue_gap[FROM_CLIENT]);
	assert_false(kept->session.dialogue_gap[FROM_SERVER]);
}

struct worker_counters counters_of(const struct lab *lab)
{
	return crew_worker_counters(lab->crew);
}
