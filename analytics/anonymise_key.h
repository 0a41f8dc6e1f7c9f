// SPDX-License-Identifier: Apache-2.0
// The key of --anonymise from its file. Called once, by whoever opens the outputs.
#ifndef MAILTAP_ANALYTICS_ANONYMISE_KEY_H
#define MAILTAP_ANALYTICS_ANONYMISE_KEY_H

#include "analytics/anonymise.h"
#include "capture/base/error.h"

// The file has 32 bytes, or 64 hexadecimal digits and perhaps the end of a line; it is a regular one, of this user
// or root, and nobody else may read or write it. NULL: *error says why.
struct anonymiser *anonymiser_open(const char *path, struct error *error);

#endif
