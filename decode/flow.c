// SPDX-License-Identifier: Apache-2.0
#include "decode/flow.h"

#include "capture/base/prefetch.h"
#include "capture/base/quick_hash.h"

#include <endian.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

enum {
	BYTES_PER_FLOW = 512, // for sizing the table
	SILENT_SHARE = 2, // one part in this many of the budget, at most, is for silent flows
	ELSEWHERE_SHARE = 8, // likewise for flows on ports that are not known for mail
	BUCKETS_MIN = 1 << 10,
	LATER = 16, // a flow may stay one part in this many of its time-out longer than that
};

// In packet time. A mail client may wait half an hour in IMAP's IDLE (RFC 2177 wants 29 minutes at
// most) and an SMTP server ten minutes for the end of a body (RFC 5321 4.5.3.2).
static const struct {
	nanoseconds timeout;
	nanoseconds lateness; // so much later it may be noticed
} times[FLOW_CLASSES] = {
    [FLOW_OPENING] = {SECONDS(60), SECONDS(60) / LATER},
    [FLOW_DIALOGUE] = {SECONDS(1860), SECONDS(1860) / LATER},
    [FLOW_CUT_OVER] = {SECONDS(1860), SECONDS(1860) / LATER},
    [FLOW_CLOSING] = {SECONDS(5), SECONDS(5) / LATER},
    [FLOW_ELSEWHERE] = {SECONDS(60), SECONDS(60) / LATER},
};

struct queue {
	struct flow *first, *last;
	size_t count;
};

struct flow_table {
	struct memory *memory;
	flow_end_function *on_end;
	void *context;
	struct flow_counters counters;
	struct queue queues[FLOW_CLASSES];
	size_t silent_max; // flows that opened or ended: a flood leaves room for what is read
	size_t elsewhere_max;
	uint32_t position; // in the traffic
	struct chain_table table; // of the flows, by flow_hash
};

// Twice as many as there can be flows, a power of two.
static size_t bucket_count(size_t budget)
{
	size_t count = BUCKETS_MIN;
	while (count < 2 * (budget / BYTES_PER_FLOW))
		count *= 2;
	return count;
}

struct flow_table *flow_table_create(
    struct memory *memory, size_t budget, flow_end_function *on_end, void *context)
{
	struct flow_table *table = calloc(1, sizeof *table);
	if (table == NULL)
		return NULL;
	if (!chain_table_begin(&table->table, bucket_count(budget))) {
		free(table);
		return NULL;
	}
	table->memory = memory;
	table->on_end = on_end;
	table->context = context;
	table->silent_max = budget / SILENT_SHARE / memory_class_size(sizeof(struct flow));
	table->elsewhere_max = budget / ELSEWHERE_SHARE / memory_class_size(sizeof(struct flow));
	return table;
}

void flow_table_moment(struct flow_table *table, uint32_t position)
{
	table->position = position;
}

/* ---- queues ---- */

static void queue_append(struct queue *queue, struct flow *flow)
{
	flow->queue_next = NULL;
	flow->queue_previous = queue->last;
	if (queue->last != NULL)
		queue->last->queue_next = flow;
	else
		queue->first = flow;
	queue->last = flow;
	queue->count++;
}

static void queue_remove(struct queue *queue, struct flow *flow)
{
	if (flow->queue_previous != NULL)
		flow->queue_previous->queue_next = flow->queue_next;
	else
		queue->first = flow->queue_next;
	if (flow->queue_next != NULL)
		flow->queue_next->queue_previous = flow->queue_previous;
	else
		queue->last = flow->queue_previous;
	queue->count--;
}

void flow_set_class(
    struct flow_table *table, struct flow *flow, enum flow_class class, nanoseconds now)
{
	queue_remove(&table->queues[flow->class], flow);
	flow->class = (uint8_t) class;
	flow->queued = now;
	flow->queued_at = table->position;
	queue_append(&table->queues[class], flow);
}

// Most packets cost the queue nothing: only one that comes a good while after the flow was queued puts
// it to the end. So a queue is in the order of its flows' last packets, give or take that while.
void flow_seen(struct flow_table *table, struct flow *flow, nanoseconds now)
{
	if (now > flow->last)
		flow->last = now;
	if (now - flow->queued > times[flow->class].lateness)
		flow_set_class(table, flow, (enum flow_class)flow->class, now);
}

/* ---- the table ---- */

// 8 bytes of an address as a number that is in the same order.
static uint64_t number_of(const uint8_t *bytes)
{
	uint64_t number;
	memcpy(&number, bytes, sizeof number);
	return be64toh(number);
}

static bool source_is_first(const struct segment *segment)
{
	const uint8_t *source = segment->source.bytes, *destination = segment->destination.bytes;
	uint64_t one = number_of(source), other = number_of(destination);
	if (one == other) {
		one = number_of(source + sizeof one);
		other = number_of(destination + sizeof other);
	}
	return one != other ? one < other : segment->source_port < segment->destination_port;
}

struct flow_key flow_key_of(const struct segment *segment)
{
	struct flow_key key;
	const unsigned sender = segment->sender;
	key.address[sender] = segment->source;
	key.port[sender] = segment->source_port;
	key.address[1 - sender] = segment->destination;
	key.port[1 - sender] = segment->destination_port;
	return key;
}

uint64_t flow_hash(const struct hash_key *secret, const struct flow_key *key)
{
	return quick_hash(secret, key, sizeof *key);
}

void flow_mark(const struct hash_key *secret, struct segment *segment)
{
	segment->sender = source_is_first(segment) ? 0 : 1;
	const struct flow_key key = flow_key_of(segment);
	segment->hash = flow_hash(secret, &key);
}

static bool is_between(const struct flow *flow, const struct segment *segment)
{
	const struct flow_key *key = &flow->key;
	const unsigned sender = segment->sender;
	return key->port[sender] == segment->source_port &&
	       key->port[1 - sender] == segment->destination_port &&
	       memcmp(&key->address[sender], &segment->source, sizeof segment->source) == 0 &&
	       memcmp(&key->address[1 - sender], &segment->destination,
	           sizeof segment->destination) == 0;
}

static struct flow *flow_of(struct chained *chained)
{
	return (struct flow *)(void *)chained;
}

static enum direction direction_of(const struct flow *flow, unsigned sender)
{
	return sender == flow->client_end ? FROM_CLIENT : FROM_SERVER;
}

void flow_prefetch_bucket(const struct flow_table *table, const struct segment *segment)
{
	__builtin_prefetch(chain_table_bucket(&table->table, segment->hash));
}

void flow_prefetch_first(const struct flow_table *table, const struct segment *segment)
{
	const struct flow *first = flow_of(*chain_table_bucket(&table->table, segment->hash));
	if (first != NULL)
		prefetch(first, offsetof(struct flow, client_end));
}

// Hardly ever it is further back in the chain than the second.
void flow_prefetch(const struct flow_table *table, const struct segment *segment)
{
	struct chained *chained = *chain_table_bucket(&table->table, segment->hash);
	if (chained != NULL && chained->hash != segment->hash)
		chained = chained->next;
	if (chained != NULL)
		prefetch(flow_of(chained), sizeof(struct flow));
}

static const struct flow *likely_flow(const struct flow_table *table, uint64_t hash)
{
	return flow_of(chained_with(*chain_table_bucket(&table->table, hash), hash));
}

void flow_prefetch_state(const struct flow_table *table, const struct segment *segment)
{
	const struct flow *flow = likely_flow(table, segment->hash);
	if (flow == NULL || flow->dialogue == NULL)
		return;
	dialogue_prefetch(flow->dialogue);
	backlog_prefetch(flow->streams[direction_of(flow, segment->sender)].backlog);
	if (segment->length > 0)
		prefetch(flow->session, sizeof *flow->session);
	else
		prefetch(&flow->session->protocol, 1); // what else is asked of it lies beside that
}

void flow_prefetch_parser(const struct flow_table *table, const struct segment *segment)
{
	const struct flow *flow = likely_flow(table, segment->hash);
	if (flow == NULL || flow->dialogue == NULL || segment->length == 0)
		return;
	dialogue_prefetch_parser(flow->dialogue);
	backlog_prefetch_recent(
	    flow->streams[direction_of(flow, segment->sender)].backlog, segment->length);
}

// How well a flow fits a segment's tap point. A segment from elsewhere that brings something new is the
// connection itself, moved to another path; one that brings the same again is a copy of it.
enum tap_match {
	TAP_COPY, // seen elsewhere, and this repeats it
	TAP_MOVED, // seen elsewhere so far, and this goes on
	TAP_SPLIT, // this direction was not seen yet, the other elsewhere
	TAP_OTHER, // this direction was not seen yet, the other here
	TAP_SAME,
};

static enum tap_match match_tap_point(const struct flow *flow, const struct segment *segment)
{
	enum direction from = direction_of(flow, segment->sender);
	const struct stream *mine = &flow->streams[from];
	const struct stream *other = &flow->streams[other_direction(from)];
	uint32_t tap_point = segment->context.tap_point;
	if (mine->packets == 0)
		return other->packets > 0 && other->tap_point == tap_point ? TAP_OTHER : TAP_SPLIT;
	if (mine->tap_point == tap_point)
		return TAP_SAME;
	if (segment->flags & TCP_SYN)
		return TAP_COPY;
	uint32_t end = segment->sequence + segment->length;
	return segment->length == 0 || (int32_t)(end - mine->next) > 0 ? TAP_MOVED : TAP_COPY;
}

struct flow *flow_find(struct flow_table *table, const struct segment *segment)
{
	enum { COPIES_MAX = 16 }; // tap points; what comes from further ones is taken for the last
	const uint64_t hash = segment->hash;
	unsigned copies = 0;
	struct flow *best = NULL;
	enum tap_match best_match = TAP_COPY;
	struct chained *found = chained_with(*chain_table_bucket(&table->table, hash), hash);
	for (; found != NULL; found = chained_with(found->next, hash)) {
		struct flow *flow = flow_of(found);
		if (!is_between(flow, segment))
			continue;
		enum tap_match match = match_tap_point(flow, segment);
		if (match > best_match) {
			best = flow;
			best_match = match;
		}
		if (++copies == COPIES_MAX)
			return best != NULL ? best : flow;
	}
	return best;
}

static bool is_twin(const struct flow *flow, const struct flow *other)
{
	if (other == flow ||
	    memcmp(&other->key, &flow->key, sizeof flow->key) != 0 ||
	    other->first > flow->last + TWIN_DELAY || flow->first > other->last + TWIN_DELAY)
		return false;
	for (int from = FROM_CLIENT; from <= FROM_SERVER; from++) {
		const struct stream *mine = &flow->streams[from], *theirs = &other->streams[from];
		if (mine->packets > 0 && theirs->packets > 0 &&
		    mine->tap_point != theirs->tap_point)
			return true;
	}
	return false;
}

bool flow_has_twin(const struct flow_table *table, const struct flow *flow)
{
	const uint64_t hash = flow->in_table.hash;
	struct chained *other = chained_with(*chain_table_bucket(&table->table, hash), hash);
	while (other != NULL && !is_twin(flow, flow_of(other)))
		other = chained_with(other->next, hash);
	return other != NULL;
}

// Ends the flow of a class that was heard least recently; false: there is none but `spared`.
static bool evict_of(struct flow_table *table, enum flow_class class, const struct flow *spared)
{
	struct flow *flow = table->queues[class].first;
	if (flow != NULL && flow == spared)
		flow = flow->queue_next;
	if (flow == NULL)
		return false;
	bool ended = class == FLOW_CLOSING;
	if (class == FLOW_ELSEWHERE)
		table->counters.evicted_elsewhere++;
	else
		table->counters.evicted += !ended;
	flow_remove(table, flow, ended ? (enum end_reason)flow->end_reason : END_EVICTED);
	return true;
}

// Of the flows that say nothing those give way that are more: a flood of SYNs does not push out what has just
// ended, whose last packets would be taken for another connection.
static bool evict_silent(struct flow_table *table, const struct flow *spared)
{
	bool more_open = table->queues[FLOW_OPENING].count > table->queues[FLOW_CLOSING].count;
	return evict_of(table, more_open ? FLOW_OPENING : FLOW_CLOSING, spared) ||
	       evict_of(table, more_open ? FLOW_CLOSING : FLOW_OPENING, spared);
}

// Who goes first when memory is short: what is most likely no mail, what has ended or never began, what is
// only counted.
bool flow_evict(struct flow_table *table, const struct flow *spared)
{
	return evict_of(table, FLOW_ELSEWHERE, spared) || evict_silent(table, spared) ||
	       evict_of(table, FLOW_CUT_OVER, spared) || evict_of(table, FLOW_DIALOGUE, spared);
}

static void bound_silent(struct flow_table *table)
{
	if (table->queues[FLOW_OPENING].count + table->queues[FLOW_CLOSING].count >=
	    table->silent_max)
		evict_silent(table, NULL);
}

struct flow *flow_add(
    struct flow_table *table, const struct flow_key *key, uint64_t hash, nanoseconds now)
{
	enum { EVICTIONS = 8 }; // per packet, at most
	bound_silent(table);
	if (table->queues[FLOW_ELSEWHERE].count >= table->elsewhere_max)
		evict_of(table, FLOW_ELSEWHERE, NULL);
	struct flow *flow = memory_take_zeroed(table->memory, sizeof *flow);
	for (int i = 0; flow == NULL && i < EVICTIONS && flow_evict(table, NULL); i++)
		flow = memory_take_zeroed(table->memory, sizeof *flow);
	if (flow == NULL) {
		table->counters.refused++;
		return NULL;
	}
	flow->key = *key;
	flow->in_table.hash = hash;
	flow->first = flow->last = flow->queued = now;
	flow->queued_at = table->position;
	chain_table_add(&table->table, &flow->in_table);
	queue_append(&table->queues[FLOW_OPENING], flow);
	table->counters.created++;
	if (++table->counters.live > table->counters.live_peak)
		table->counters.live_peak = table->counters.live;
	return flow;
}

void flow_remove(struct flow_table *table, struct flow *flow, enum end_reason reason)
{
	chain_table_remove(&table->table, &flow->in_table);
	queue_remove(&table->queues[flow->class], flow);
	table->counters.live--;
	table->counters.ended++;
	table->on_end(table->context, flow, reason);
	for (int from = FROM_CLIENT; from <= FROM_SERVER; from++)
		holes_destroy(table->memory, flow->streams[from].holes);
	memory_give(table->memory, flow);
}

// A flow that ends was last heard of long ago. Asks for what the next one of the queue will need, and for the one
// behind it.
static void prefetch_next(const struct flow_table *table, const struct flow *flow)
{
	const struct flow *next = flow->queue_next;
	if (next == NULL)
		return;
	prefetch(next->queue_next, sizeof *next);
	prefetch(next->session, sizeof *next->session);
	prefetch(chain_table_bucket(&table->table, next->in_table.hash), sizeof(void *));
}

static void end_first(struct flow_table *table, enum flow_class class, enum end_reason reason)
{
	struct flow *flow = table->queues[class].first;
	prefetch_next(table, flow);
	flow_remove(table, flow,
	    class == FLOW_CLOSING ? (enum end_reason)flow->end_reason : reason);
}

// Looks at the longest queued flows of a class. One that was queued at a time that is yet to come is
// from before packet time went back, and its time begins anew.
static size_t expire_class(
    struct flow_table *table, enum flow_class class, nanoseconds now, size_t most)
{
	struct queue *queue = &table->queues[class];
	const nanoseconds timeout = times[class].timeout, lateness = times[class].lateness;
	size_t looked = 0;
	for (; looked < most && queue->first != NULL; looked++) {
		struct flow *flow = queue->first;
		nanoseconds waited = now - flow->queued;
		if (waited < -lateness)
			flow_set_class(table, flow, class, now);
		else if (waited <= timeout + lateness)
			break;
		else
			end_first(table, class, END_TIMEOUT);
	}
	return looked;
}

void flow_expire(struct flow_table *table, nanoseconds now, size_t most)
{
	for (unsigned class = 0; class < FLOW_CLASSES; class ++)
		most -= expire_class(table, (enum flow_class) class, now, most);
}

void flow_table_end_all(struct flow_table *table)
{
	for (unsigned class = FLOW_CLASSES; class -- > 0;)
		while (table->queues[class].first != NULL)
			end_first(table, (enum flow_class) class, END_OF_CAPTURE);
}

void flow_table_destroy(struct flow_table *table)
{
	if (table == NULL)
		return;
	flow_table_end_all(table);
	chain_table_end(&table->table);
	free(table);
}

struct flow_counters flow_table_counters(const struct flow_table *table)
{
	struct flow_counters counters = table->counters;
	for (int class = 0; class < FLOW_CLASSES; class++)
		counters.live_in[class] = table->queues[class].count;
	return counters;
}
