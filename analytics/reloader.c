// SPDX-License-Identifier: Apache-2.0
#include "analytics/reloader.h"

#include "capture/base/thread.h"
#include "decode/pattern_cache.h"

#include <limits.h>
#include <pthread.h>
#include <stdlib.h>

struct reloader {
	const struct options *options;
	const struct pattern_set *patterns; // the newest; a share
	const struct dns_view *names; // NULL: DNS is not read
	void (*tell)(const struct error *what);
	pthread_t thread;
	pthread_mutex_t lock; // of all below
	pthread_cond_t change;
	bool asked, finishing;
	bool done; // and not taken
	struct reloaded reloaded; // with done
};

/* ---- what there is ---- */

struct pattern_set *load_given_patterns(const struct options *options, struct error *error)
{
	char usual[PATH_MAX];
	struct pattern_set_options patterns = {
	    .files = options->patterns.paths,
	    .file_count = options->patterns.count,
	    .cache_directory = options->pattern_cache,
	};
	if (patterns.cache_directory == NULL && pattern_cache_usual_directory(usual, sizeof usual))
		patterns.cache_directory = usual;
	return pattern_set_load(&patterns, error);
}

struct trust_store_options given_trust_options(const struct options *options)
{
	return (struct trust_store_options){
	    .ca_files = options->ca_files.paths,
	    .ca_file_count = options->ca_files.count,
	    .ca_directories = options->ca_directories.paths,
	    .ca_directory_count = options->ca_directories.count,
	    .crl_directories = options->crl_directories.paths,
	    .crl_directory_count = options->crl_directories.count,
	};
}

static struct server_baseline *load_baseline(const char *path, struct error *error)
{
	struct server_baseline *baseline = server_baseline_create();
	error_set(error, "%s: no memory to read it", path);
	if (baseline != NULL && server_baseline_load(baseline, path, error))
		return baseline;
	server_baseline_destroy(baseline);
	return NULL;
}

/* ---- the thread ---- */

static void tell_kept(const struct reloader *reloader, const char *what, const struct error *error)
{
	struct error line;
	error_set(&line, "%s stay as they were: %s", what, error->text);
	reloader->tell(&line);
}

static void replace_patterns(struct reloader *reloader)
{
	struct error error;
	const struct pattern_set *newer = load_given_patterns(reloader->options, &error);
	if (newer == NULL) {
		tell_kept(reloader, "patterns", &error);
		return;
	}
	pattern_set_replace(reloader->patterns, newer);
	pattern_set_destroy(reloader->patterns);
	reloader->patterns = newer;
}

static void load_all(struct reloader *reloader, struct reloaded *reloaded)
{
	const struct options *options = reloader->options;
	struct trust_store_options trust = given_trust_options(options);
	struct error error;
	replace_patterns(reloader);
	reloaded->trust = trust_store_create(&trust, &error);
	if (reloaded->trust == NULL)
		tell_kept(reloader, "trusted certificates", &error);
	reloaded->baseline = options->server_baseline != NULL
	                         ? load_baseline(options->server_baseline, &error)
	                         : NULL;
	if (options->server_baseline != NULL && reloaded->baseline == NULL)
		tell_kept(reloader, "servers known to be good", &error);
	reloaded->anchors =
	    reloader->names != NULL ? dns_view_load_anchors(reloader->names, &error) : NULL;
	if (reloader->names != NULL && reloaded->anchors == NULL)
		tell_kept(reloader, "trust anchors of DNSSEC", &error);
}

static void give_up(struct reloaded *reloaded)
{
	trust_store_destroy(reloaded->trust);
	server_baseline_destroy(reloaded->baseline);
	free(reloaded->anchors);
	*reloaded = (struct reloaded){.trust = NULL};
}

static bool wait_for_asking(struct reloader *reloader)
{
	pthread_mutex_lock(&reloader->lock);
	while (!reloader->asked && !reloader->finishing)
		pthread_cond_wait(&reloader->change, &reloader->lock);
	bool asked = !reloader->finishing;
	reloader->asked = false;
	pthread_mutex_unlock(&reloader->lock);
	return asked;
}

static void *serve(void *context)
{
	struct reloader *reloader = context;
	while (wait_for_asking(reloader)) {
		struct reloaded fresh, stale = {.trust = NULL};
		load_all(reloader, &fresh);
		pthread_mutex_lock(&reloader->lock);
		if (reloader->done)
			stale = reloader->reloaded;
		reloader->reloaded = fresh;
		reloader->done = true;
		pthread_mutex_unlock(&reloader->lock);
		give_up(&stale);
	}
	return NULL;
}

/* ---- from outside ---- */

struct reloader *reloader_start(const struct options *options, const struct pattern_set *patterns,
    const struct dns_view *names, void (*tell)(const struct error *what), struct error *error)
{
	struct reloader *reloader = calloc(1, sizeof *reloader);
	error_set(error, "the thread that reads files again could not be started");
	if (reloader == NULL)
		return NULL;
	reloader->options = options;
	reloader->names = names;
	reloader->tell = tell;
	reloader->patterns = pattern_set_share(patterns);
	pthread_mutex_init(&reloader->lock, NULL);
	pthread_cond_init(&reloader->change, NULL);
	if (thread_begin(&reloader->thread, serve, reloader))
		return reloader;
	pthread_cond_destroy(&reloader->change);
	pthread_mutex_destroy(&reloader->lock);
	pattern_set_destroy(reloader->patterns);
	free(reloader);
	return NULL;
}

void reloader_ask(struct reloader *reloader)
{
	pthread_mutex_lock(&reloader->lock);
	reloader->asked = true;
	pthread_cond_signal(&reloader->change);
	pthread_mutex_unlock(&reloader->lock);
}

bool reloader_take(struct reloader *reloader, struct reloaded *reloaded)
{
	pthread_mutex_lock(&reloader->lock);
	bool done = reloader->done;
	if (done)
		*reloaded = reloader->reloaded;
	reloader->done = false;
	reloader->reloaded = (struct reloaded){.trust = NULL};
	pthread_mutex_unlock(&reloader->lock);
	return done;
}

void reloader_finish(struct reloader *reloader)
{
	if (reloader == NULL)
		return;
	pthread_mutex_lock(&reloader->lock);
	reloader->finishing = true;
	pthread_cond_signal(&reloader->change);
	pthread_mutex_unlock(&reloader->lock);
	(void)pthread_join(reloader->thread, NULL);
	give_up(&reloader->reloaded);
	pattern_set_destroy(reloader->patterns);
	pthread_cond_destroy(&reloader->change);
	pthread_mutex_destroy(&reloader->lock);
	free(reloader);
}
