// SPDX-License-Identifier: Apache-2.0
// What the module for SQLite gives to the program that loads it (base/module.h): a kind of store, and what
// `mailtap query` asks.
#ifndef MAILTAP_ANALYTICS_SQLITE_H
#define MAILTAP_ANALYTICS_SQLITE_H

#include "analytics/store.h"

#define SQLITE_STORE_SYMBOL "sqlite_store"

extern const struct store_ops sqlite_store;

#endif
