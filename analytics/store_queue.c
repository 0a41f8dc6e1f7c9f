// SPDX-License-Identifier: Apache-2.0
#include "analytics/store_queue.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct store_queue {
	struct store_block
	    *open[STORE_TABLES]; // being filled; the thread's that puts in. NULL: none
	pthread_mutex_t lock; // of all below
	pthread_cond_t ready, room;
	struct store_block *first, **last; // handed over, not taken
	size_t used; // bytes of all blocks there are
	bool waits; // who puts in
	bool closed;
};

struct store_queue *store_queue_create(void)
{
	pthread_condattr_t attributes;
	struct store_queue *queue = calloc(1, sizeof *queue);
	if (queue == NULL)
		return NULL;
	queue->last = &queue->first;
	pthread_mutex_init(&queue->lock, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&queue->ready, &attributes);
	pthread_cond_init(&queue->room, NULL);
	pthread_condattr_destroy(&attributes);
	return queue;
}

static void free_blocks(struct store_block *block)
{
	while (block != NULL) {
		struct store_block *next = block->next;
		free(block);
		block = next;
	}
}

void store_queue_destroy(struct store_queue *queue)
{
	if (queue == NULL)
		return;
	for (size_t i = 0; i < STORE_TABLES; i++)
		free(queue->open[i]);
	free_blocks(queue->first);
	pthread_cond_destroy(&queue->room);
	pthread_cond_destroy(&queue->ready);
	pthread_mutex_destroy(&queue->lock);
	free(queue);
}

/* ---- putting in ---- */

static void hand_over(struct store_queue *queue, enum store_table_id table)
{
	struct store_block *block = queue->open[table];
	if (block == NULL)
		return;
	queue->open[table] = NULL;
	size_t size = sizeof *block + block->length, spare = block->size - size;
	struct store_block *fitting =
	    realloc(block, size); // what is handed over each second is small
	if (fitting != NULL) {
		block = fitting;
		block->size = size;
	}
	pthread_mutex_lock(&queue->lock);
	queue->used -= fitting != NULL ? spare : 0;
	*queue->last = block;
	queue->last = &block->next;
	pthread_cond_signal(&queue->ready);
	pthread_mutex_unlock(&queue->lock);
}

void store_queue_flush(struct store_queue *queue)
{
	for (enum store_table_id table = 0; table < STORE_TABLES; table++)
		hand_over(queue, table);
}

// Room for a block of that size is the caller's from now on. False: there is none.
static bool reserve(struct store_queue *queue, size_t size)
{
	pthread_mutex_lock(&queue->lock);
	bool must_wait = queue->waits && queue->used + size > STORE_QUEUE_MAX;
	pthread_mutex_unlock(&queue->lock);
	if (must_wait)
		store_queue_flush(queue); // or it would wait for what it holds itself
	pthread_mutex_lock(&queue->lock);
	while (queue->waits && !queue->closed && queue->used + size > STORE_QUEUE_MAX)
		pthread_cond_wait(&queue->room, &queue->lock);
	bool good = !queue->closed && queue->used + size <= STORE_QUEUE_MAX;
	if (good)
		queue->used += size;
	pthread_mutex_unlock(&queue->lock);
	return good;
}

static void release(struct store_queue *queue, size_t size)
{
	pthread_mutex_lock(&queue->lock);
	queue->used -= size;
	pthread_cond_signal(&queue->room);
	pthread_mutex_unlock(&queue->lock);
}

static struct store_block *new_block(
    struct store_queue *queue, enum store_table_id table, size_t line)
{
	size_t size = sizeof(struct store_block) + line;
	if (size < STORE_BLOCK)
		size = STORE_BLOCK;
	if (!reserve(queue, size))
		return NULL;
	struct store_block *block = malloc(size);
	if (block == NULL) {
		release(queue, size);
		return NULL;
	}
	*block = (struct store_block){.table = table, .size = size};
	return block;
}

bool store_queue_add(
    struct store_queue *queue, enum store_table_id table, const char *line, size_t length)
{
	struct store_block *block = queue->open[table];
	if (block != NULL && block->size - sizeof *block - block->length < length) {
		hand_over(queue, table);
		block = NULL;
	}
	if (block == NULL)
		block = queue->open[table] = new_block(queue, table, length);
	if (block == NULL)
		return false;
	memcpy(block->text + block->length, line, length);
	block->length += length;
	block->lines++;
	return true;
}

void store_queue_close(struct store_queue *queue)
{
	pthread_mutex_lock(&queue->lock);
	queue->closed = true;
	pthread_cond_broadcast(&queue->ready);
	pthread_cond_broadcast(&queue->room);
	pthread_mutex_unlock(&queue->lock);
}

/* ---- taking out ---- */

static struct timespec after(unsigned milliseconds)
{
	enum { MILLISECOND = 1000000, SECOND = 1000000000 };
	struct timespec time;
	clock_gettime(CLOCK_MONOTONIC, &time);
	time.tv_sec += (time_t)(milliseconds / 1000);
	time.tv_nsec += (long)(milliseconds % 1000) * MILLISECOND;
	if (time.tv_nsec >= SECOND) {
		time.tv_sec++;
		time.tv_nsec -= SECOND;
	}
	return time;
}

// Cuts the list behind as many as may be taken at once.
static struct store_block *take_first(struct store_queue *queue, size_t most)
{
	struct store_block *first = queue->first, *end = first;
	if (first == NULL)
		return NULL;
	for (size_t size = end->length; end->next != NULL; end = end->next) {
		size += end->next->length;
		if (size > most)
			break;
	}
	queue->first = end->next;
	end->next = NULL;
	if (queue->first == NULL)
		queue->last = &queue->first;
	return first;
}

struct store_block *store_queue_take(struct store_queue *queue, size_t most, unsigned milliseconds)
{
	struct timespec until = after(milliseconds);
	int answer = 0;
	pthread_mutex_lock(&queue->lock);
	while (queue->first == NULL && !queue->closed && answer == 0)
		answer = pthread_cond_timedwait(&queue->ready, &queue->lock, &until);
	struct store_block *blocks = take_first(queue, most);
	pthread_mutex_unlock(&queue->lock);
	return blocks;
}

void store_queue_let_wait(struct store_queue *queue, bool waits)
{
	pthread_mutex_lock(&queue->lock);
	queue->waits = waits;
	pthread_cond_broadcast(&queue->room);
	pthread_mutex_unlock(&queue->lock);
}

void store_queue_give_back(struct store_queue *queue, struct store_block *blocks)
{
	size_t size = 0;
	for (const struct store_block *block = blocks; block != NULL; block = block->next)
		size += block->size;
	free_blocks(blocks);
	release(queue, size);
}

bool store_queue_pause(struct store_queue *queue, unsigned milliseconds)
{
	struct timespec until = after(milliseconds);
	int answer = 0;
	pthread_mutex_lock(&queue->lock);
	while (!queue->closed && answer == 0)
		answer = pthread_cond_timedwait(&queue->ready, &queue->lock, &until);
	bool closed = queue->closed;
	pthread_mutex_unlock(&queue->lock);
	return closed;
}

bool store_queue_is_over(struct store_queue *queue)
{
	pthread_mutex_lock(&queue->lock);
	bool over = queue->closed && queue->first == NULL;
	pthread_mutex_unlock(&queue->lock);
	return over;
}
