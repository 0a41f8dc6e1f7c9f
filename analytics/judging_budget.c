// SPDX-License-Identifier: Apache-2.0
#include "analytics/judging_budget.h"

enum {
	KEY_BITS_MOST = 16384, // OpenSSL uses no larger ones
	DAY = 86400, // no connection is silent for as long
};

struct judging_budget judging_budget_full(void)
{
	return (struct judging_budget){.left = JUDGING_WORK_MAX};
}

int64_t judging_work(const struct certificate *const *sent, size_t count)
{
	int64_t bytes = 0, keys = 0;
	for (size_t i = 0; i < count; i++) {
		unsigned bits = sent[i]->facts.key_bits;
		int64_t thousands = (bits < KEY_BITS_MOST ? bits : KEY_BITS_MOST) / 1024;
		bytes += (int64_t)sent[i]->facts.der.length;
		keys += thousands * thousands;
	}
	return (bytes >> 10) * (bytes >> 10) + keys;
}

void judging_budget_tell_time(struct judging_budget *budget, int64_t at)
{
	int64_t passed = at - budget->at;
	if (passed > JUDGING_WORK_MAX / JUDGING_WORK_SECOND)
		budget->left = JUDGING_WORK_MAX;
	else if (passed > 0)
		budget->left += passed * JUDGING_WORK_SECOND;
	if (budget->left > JUDGING_WORK_MAX)
		budget->left = JUDGING_WORK_MAX;
	if (passed > 0 || passed < -DAY)
		budget->at = at;
}

bool judging_budget_spend(struct judging_budget *budget, int64_t work)
{
	if (work <= JUDGING_WORK_FREE)
		return true;
	if (work > budget->left)
		return false;
	budget->left -= work;
	return true;
}
