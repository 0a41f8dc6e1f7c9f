// SPDX-License-Identifier: Apache-2.0
// Reads the key logs that a run is given, and says what is of no use in them.
#include "analytics/run_parts.h"

// Tells of what a key log has that is of no use. Never of the secrets themselves.
static void judge_keylog(const char *name, const struct tls_keylog_counters *before,
    const struct tls_keylog_counters *after)
{
	struct error error;
	uint64_t malformed = after->malformed - before->malformed;
	uint64_t refused = after->refused - before->refused;
	if (malformed > 0) {
		error_set(&error, "%s: %llu of %llu lines are none of a key log, and passed over",
		    name, (unsigned long long)malformed,
		    (unsigned long long)(after->lines - before->lines));
		run_say(&error);
	}
	if (refused > 0) {
		error_set(&error, "%s: %llu secrets left out: key logs may have %d sessions in all",
		    name, (unsigned long long)refused, TLS_KEYLOG_SESSIONS_MAX);
		run_say(&error);
	}
	if (after->secrets == before->secrets && refused == 0) {
		error_set(&error, "%s: no line of it opens a handshake", name);
		run_say(&error);
	}
}

static bool read_keylog(struct tls_keylog *keylog, const char *name, struct error *error)
{
	struct tls_keylog_counters before = tls_keylog_counters(keylog);
	if (!tls_keylog_read(keylog, name, error))
		return false;
	struct tls_keylog_counters after = tls_keylog_counters(keylog);
	judge_keylog(name, &before, &after);
	return true;
}

bool run_read_keylogs(struct run *run, struct error *error)
{
	const struct path_list *list = &run->options->keylogs;
	if (list->count == 0)
		return true;
	run->keylog = tls_keylog_create();
	error_set(error, "no memory for key logs");
	bool good = run->keylog != NULL;
	for (size_t i = 0; good && i < list->count; i++)
		good = read_keylog(run->keylog, list->paths[i], error);
	return good;
}
