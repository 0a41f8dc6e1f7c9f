// SPDX-License-Identifier: Apache-2.0
// The kinds of stores there are. What needs a library is a module of its own (base/module.h), loaded when a run asks
// for it: the libraries are in no other process. A new kind is one file and one row in store_kinds.c.
#ifndef MAILTAP_ANALYTICS_STORE_KINDS_H
#define MAILTAP_ANALYTICS_STORE_KINDS_H

#include "analytics/store.h"

// Names of all kinds, as the option takes them; NULL at the end. The first is no store.
enum { STORE_KIND_NONE, STORE_KIND_SQLITE, STORE_KIND_CLICKHOUSE };
extern const char *const store_kind_names[];

// A kind, loaded if need be. NULL: *error.
const struct store_ops *store_kind(const char *name, struct error *error);

#endif
