// SPDX-License-Identifier: Apache-2.0
// What the names' tables promise; the names themselves are in tls.h.
#ifndef MAILTAP_DECODE_TLS_NAMES_H
#define MAILTAP_DECODE_TLS_NAMES_H

#include "decode/tls.h"

// True if every table is sorted by number without doubles, as the search needs it.
bool tls_names_sorted(void);

#endif
