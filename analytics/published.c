// SPDX-License-Identifier: Apache-2.0
#include "analytics/published.h"

#include "capture/base/monotonic.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum {
	SHARE = 10, // of its time, that the analytics thread makes pages at most
};

#define PAUSE_LONGEST SECONDS(1) // between two pages, however long one takes

// A page with those who have it: the published one counts as well.
struct held_page {
	struct published_page page; // first: published_release gets back to the whole
	atomic_uint holders;
	char *text;
};

struct published {
	atomic_int stage;
	int descriptor;
	// The analytics thread's.
	_Atomic int64_t turned; // when it last did; 0: it rests
	int64_t begun_at, not_before;
	unsigned looked; // at which kind last, so that none is kept waiting by the others
	// Both threads'.
	struct asked {
		atomic_bool asked;
		_Atomic uint64_t begun; // pages
		struct held_page *newest;
	} kinds[PUBLISHED_KINDS];
	pthread_mutex_t lock; // of all that are newest
};

struct published *published_create(struct error *error)
{
	struct published *published = calloc(1, sizeof *published);
	error_set(error, "no memory for metrics");
	if (published == NULL)
		return NULL;
	published->descriptor = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (published->descriptor >= 0 && pthread_mutex_init(&published->lock, NULL) == 0)
		return published;
	error_set(error, "metrics: no descriptor: %s", strerror(errno));
	if (published->descriptor >= 0)
		close(published->descriptor);
	free(published);
	return NULL;
}

static void release(struct held_page *held)
{
	if (held == NULL || atomic_fetch_sub(&held->holders, 1) > 1)
		return;
	free(held->text);
	free(held);
}

void published_destroy(struct published *published)
{
	if (published == NULL)
		return;
	for (size_t i = 0; i < PUBLISHED_KINDS; i++)
		release(published->kinds[i].newest);
	close(published->descriptor);
	pthread_mutex_destroy(&published->lock);
	free(published);
}

void published_set_stage(struct published *published, enum run_stage stage)
{
	atomic_store(&published->stage, (int)stage);
}

enum run_stage published_stage(const struct published *published)
{
	return (enum run_stage)atomic_load(&published->stage);
}

/* ---- the thread that has the figures ---- */

// The kind that is asked for and was not looked at for longest. PUBLISHED_KINDS: none is.
static unsigned find_asked(const struct published *published)
{
	for (unsigned i = 1; i <= PUBLISHED_KINDS; i++) {
		unsigned kind = (published->looked + i) % PUBLISHED_KINDS;
		if (atomic_load_explicit(&published->kinds[kind].asked, memory_order_relaxed))
			return kind;
	}
	return PUBLISHED_KINDS;
}

bool published_turn(struct published *published, enum published_kind *kind)
{
	int64_t now = monotonic_now();
	atomic_store_explicit(&published->turned, now, memory_order_relaxed);
	unsigned found = now < published->not_before ? PUBLISHED_KINDS : find_asked(published);
	if (found == PUBLISHED_KINDS)
		return false;
	// What asks from here on gets the next page.
	atomic_store(&published->kinds[found].asked, false);
	atomic_fetch_add(&published->kinds[found].begun, 1);
	published->begun_at = now;
	published->looked = found;
	*kind = (enum published_kind)found;
	return true;
}

// Takes the text over. NULL: no memory.
static struct held_page *hold(const struct asked *kind, char *text, size_t length)
{
	struct held_page *held = text != NULL ? malloc(sizeof *held) : NULL;
	if (held == NULL) {
		free(text);
		return NULL;
	}
	atomic_init(&held->holders, 1);
	held->text = text;
	held->page =
	    (struct published_page){text, length, atomic_load(&kind->begun), monotonic_now()};
	return held;
}

static void exchange(struct published *published, struct asked *kind, struct held_page *held)
{
	static const uint64_t one = 1;
	pthread_mutex_lock(&published->lock);
	struct held_page *old = kind->newest;
	kind->newest = held;
	pthread_mutex_unlock(&published->lock);
	release(old);
	// Cannot be full: somebody would have to ask 2^64 times without looking.
	ssize_t written = write(published->descriptor, &one, sizeof one);
	(void)written;
}

void published_put(struct published *published, enum published_kind kind, char *text, size_t length)
{
	struct asked *asked = &published->kinds[kind];
	struct held_page *held = hold(asked, text, length);
	if (held != NULL)
		exchange(published, asked, held);
	int64_t now = monotonic_now();
	int64_t pause = (SHARE - 1) * (now - published->begun_at);
	published->not_before = now + (pause < PAUSE_LONGEST ? pause : PAUSE_LONGEST);
}

void published_rest(struct published *published)
{
	atomic_store(&published->turned, 0);
}

/* ---- the thread that is asked ---- */

uint64_t published_ask(struct published *published, enum published_kind kind)
{
	uint64_t next = atomic_load(&published->kinds[kind].begun) + 1;
	atomic_store(&published->kinds[kind].asked, true);
	return next;
}

const struct published_page *published_page(struct published *published, enum published_kind kind)
{
	pthread_mutex_lock(&published->lock);
	struct held_page *held = published->kinds[kind].newest;
	if (held != NULL)
		atomic_fetch_add(&held->holders, 1);
	pthread_mutex_unlock(&published->lock);
	return held != NULL ? &held->page : NULL;
}

void published_release(const struct published_page *page)
{
	// The pages that are given out are const to those who get them, not in themselves.
	release((struct held_page *)(uintptr_t)page);
}

int published_descriptor(const struct published *published)
{
	return published->descriptor;
}

void published_clear(struct published *published)
{
	uint64_t count;
	ssize_t taken = read(published->descriptor, &count, sizeof count);
	(void)taken;
}

nanoseconds published_silence(const struct published *published)
{
	int64_t turned = atomic_load_explicit(&published->turned, memory_order_relaxed);
	return turned != 0 ? monotonic_now() - turned : 0;
}
