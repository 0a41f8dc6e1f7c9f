// SPDX-License-Identifier: Apache-2.0
// A key for a distinguished name, for tables of certificates by subject. Names that OpenSSL takes for
// equal (whatever their string types, case and spaces) have the same key; some others may too, so what a
// table finds is to be compared. Pure; any thread.
#ifndef MAILTAP_ANALYTICS_NAME_KEY_H
#define MAILTAP_ANALYTICS_NAME_KEY_H

#include "capture/base/hash.h"
#include "decode/x509.h"

// `name`: with tag and length. Strangers choose names: *key decides which of them share a bucket.
uint64_t name_key(const struct hash_key *key, struct view name);

#endif
