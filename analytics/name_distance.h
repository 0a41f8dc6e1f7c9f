// SPDX-License-Identifier: Apache-2.0
// How far a mistyped name is from one that there is. Pure; any thread.
#ifndef MAILTAP_ANALYTICS_NAME_DISTANCE_H
#define MAILTAP_ANALYTICS_NAME_DISTANCE_H

#include <stddef.h>

enum { NAME_DISTANCE_MAX = 63 }; // of longer names nothing is said

// How many bytes must be put in, left out, changed, or swapped with their neighbour, each at most once, to
// make the one of the other. SIZE_MAX: one of them is longer than NAME_DISTANCE_MAX.
size_t name_distance(const char *one, const char *other);

// The distance up to which `name` may be meant for another: 2 of 6 letters, never all of them.
size_t name_distance_near(const char *name);

#endif
