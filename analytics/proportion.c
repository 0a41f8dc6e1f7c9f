// SPDX-License-Identifier: Apache-2.0
#include "analytics/proportion.h"

#include <math.h>

struct proportion proportion_of(uint64_t part, uint64_t of)
{
	const double z = 1.959964; // 95 % of a normal distribution
	double n = (double)of, value = (double)part / n, share = z * z / n;
	double middle = (value + share / 2) / (1 + share);
	double half = z / (1 + share) * sqrt(value * (1 - value) / n + share / (4 * n));
	// Rounding must not carry it past the value, nor the value past 0 and 1.
	return (struct proportion){
	    value, fmin(fmax(middle - half, 0), value), fmax(fmin(middle + half, 1), value)};
}
