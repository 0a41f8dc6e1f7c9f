// SPDX-License-Identifier: Apache-2.0
#include "analytics/store_kinds.h"

#include "analytics/clickhouse_store.h"
#include "analytics/sqlite.h"
#include "capture/base/module.h"

#include <string.h>

// One row a kind, in all three.
const char *const store_kind_names[] = {[STORE_KIND_NONE] = "none",
    [STORE_KIND_SQLITE] = "sqlite",
    [STORE_KIND_CLICKHOUSE] = "clickhouse",
    NULL};
static const struct store_ops *const built_in[] = {[STORE_KIND_CLICKHOUSE] = &clickhouse_store};
static const struct module modules[] = {
    [STORE_KIND_SQLITE] = {SQLITE_MODULE_FILE, SQLITE_STORE_SYMBOL, "cannot use SQLite",
        "libsqlite3-0"},
    [STORE_KIND_CLICKHOUSE] = {0},
};

const struct store_ops *store_kind(const char *name, struct error *error)
{
	for (size_t i = STORE_KIND_NONE + 1; store_kind_names[i] != NULL; i++)
		if (strcmp(store_kind_names[i], name) == 0)
			return built_in[i] != NULL ? built_in[i] : module_load(&modules[i], error);
	error_set(error, "%s: no such kind of store", name);
	return NULL;
}
