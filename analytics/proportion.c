// SPDX-License-Identifier: Apache-2.0
#include "analytics/proportion.h"

#include <math.h>

static double bounded(double value)
{
	return value < 0 ? 0 : value > 1 ? 1 : value;
}

struct proportion proportion_of(uint64_t part, uint64_t of)
{
	const double z = 1.959964; // 95 % of a normal distribution
	double n = (double)of, value = (double)part / n, share = z * z / n;
	double middle = (value + share / 2) / (1 + share);
	double half = z / (1 + share) * sqrt(value * (1 - value) / n + share / (4 * n));
	return (struct proportion){value, bounded(middle - half), bounded(middle + half)};
}
