// SPDX-License-Identifier: Apache-2.0
#include "analytics/confinement.h"

#include "analytics/filter_names.h"
#include "analytics/log_file.h"
#include "analytics/named_paths.h"
#include "analytics/privileges.h"
#include "analytics/sandbox.h"

#include <stdio.h>
#include <stdlib.h>

// Packets that come from a network, not from a file.
static bool is_live(const struct options *options)
{
	return options->file_count == 0;
}

static bool is_dpdk(const struct options *options)
{
	return options->dpdk != NULL;
}

static bool collect(struct named_paths *paths, const struct options *options, struct error *error)
{
	named_paths_of_options(paths, options);
	if (paths->incomplete)
		error_set(error, "no memory for the names of files");
	return !paths->incomplete;
}

const char *confinement_user(const struct options *options)
{
	return options->user == NULL && is_live(options) ? privileges_usual_user() : options->user;
}

bool confinement_drop_privileges(const struct options *options, struct error *error)
{
	struct named_paths paths = {0};
	struct privileges_plan plan = {
	    .user = confinement_user(options), .reopens = is_live(options) && !is_dpdk(options), .paths = &paths};
	bool good = collect(&paths, options, error) && privileges_drop(&plan, error);
	named_paths_free(&paths);
	return good;
}

static unsigned needs_of(const struct options *options)
{
	unsigned needs = 0;
	if (is_live(options))
		needs |= is_dpdk(options) ? SANDBOX_DPDK : SANDBOX_LIVE;
	if (options->listen.length > 0)
		needs |= SANDBOX_LISTENER;
	if (filter_has_names(options->filter))
		needs |= SANDBOX_NAMES;
	if (getenv("NOTIFY_SOCKET") != NULL) // sd_notify(3)
		needs |= SANDBOX_NOTIFY;
	return needs;
}

static bool make_directories(const struct options *options, struct error *error)
{
	const char *const directories[] = {options->csv_directory, options->tls_rpt_directory};
	for (size_t i = 0; i < sizeof directories / sizeof directories[0]; i++)
		if (directories[i] != NULL && !log_directory_make(directories[i], error))
			return false;
	return true;
}

void confinement_describe(char *text, size_t size)
{
	struct sandbox_state state = sandbox_possible();
	if (state.landlock > 0)
		snprintf(text, size, "sandbox: %sLandlock %u", state.calls ? "seccomp, " : "",
		    state.landlock);
	else
		snprintf(text, size, "sandbox: %s", state.calls ? "seccomp" : "none");
}

// For runs that last: what is missing is said once.
static void say_missing(
    const struct options *options, struct sandbox_state state, struct error *error)
{
	error_set(error, "%s", "");
	if (!is_live(options) || (state.calls && state.landlock > 0))
		return;
	error_set(error, "no %s here: mailtap runs without, less confined than it could be",
	    state.calls          ? "Landlock"
	    : state.landlock > 0 ? "seccomp"
	                         : "seccomp and no Landlock");
}

bool confinement_enter_sandbox(const struct options *options, struct error *error)
{
	struct named_paths paths = {0};
	struct sandbox_plan plan = {.needs = needs_of(options), .paths = &paths};
	if (!make_directories(options, error))
		return false;
	error_set(error, "%s", "");
	if (options->without_sandbox)
		return true;
	struct sandbox_state state = sandbox_possible(); // behind it, nobody can ask
	bool good = collect(&paths, options, error) && sandbox_enter(&plan, error);
	if (good)
		say_missing(options, state, error);
	named_paths_free(&paths);
	return good;
}
