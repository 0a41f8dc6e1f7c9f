// SPDX-License-Identifier: Apache-2.0
#include "decode/worker.h"

#include "capture/base/counters.h"
#include "decode/duplicates.h"
#include "decode/no_mail_set.h"
#include "decode/pattern_set.h"
#include "decode/quiet_set.h"
#include "decode/tcp_end.h"
#include "decode/tls_fingerprint.h"

#include <stdlib.h>
#include <string.h>

enum {
	MEMORY_PER_TEXT = 1024, // budget bytes per bucket of the text store
	EVICTIONS_PER_SEGMENT = 4,
	EXPIRED_AT_ONCE = 64, // live: packets do not wait
};

struct worker {
	struct worker_options options;
	struct memory *memory;
	size_t most; // bytes in use of it, before connections are given up
	struct session_shared shared;
	struct flow_table *flows;
	struct no_mail_set *no_mail; // with every port only
	struct duplicates *duplicates;
	struct tcp_context tcp;
	struct dns_tap names;
	struct worker_counters counters; // but for those of its parts
	struct record_order order;
	bool finishing;
};

static bool found_to_be_mail(const struct flow *flow)
{
	return flow->session != NULL && protocol_is_mail((enum protocol)flow->session->protocol);
}

static void count_no_mail(struct worker *worker, const struct flow *flow)
{
	uint64_t packets =
	    (uint64_t)flow->streams[FROM_CLIENT].packets + flow->streams[FROM_SERVER].packets;
	worker->counters.connections_no_mail++;
	worker->counters.segments_no_mail += packets;
	worker->counters.segments_tracked -= packets;
}

static void on_flow_end(void *context, struct flow *flow, enum end_reason reason)
{
	struct worker *worker = context;
	worker->order.age = (uint32_t)worker->order.position - flow->queued_at;
	if (worker->options.quiet != NULL)
		quiet_set_put(worker->options.quiet, flow->in_table.hash, QUIET_NOT);
	worker->order.turn =
	    worker->finishing ? (uint32_t)FLOW_CLASSES - flow->class : flow->class;
	tcp_finish(&worker->tcp, flow);
	if (reason == END_TIMEOUT || reason == END_OF_CAPTURE)
		reason = tcp_end_reason(flow, reason);
	// A reset ends what its sender says; of the other side bytes may be on their way that nothing tells of.
	for (int from = FROM_CLIENT; from <= FROM_SERVER; from++)
		if (flow->streams[from].reset_sent && flow->dialogue != NULL)
			dialogue_close(flow->dialogue, (enum direction)from);
	dialogue_destroy(flow->dialogue);
	flow->dialogue = NULL;
	tcp_release(&worker->tcp, flow); // tells the session what it found in its backlogs
	if (flow->hint.elsewhere && !found_to_be_mail(flow)) {
		count_no_mail(worker, flow);
	} else if (flow->hint.protocol != PROTOCOL_DNS) {
		struct session_record record = session_record_make(flow, reason);
		record.twin_live = flow_has_twin(worker->flows, flow);
		record.headers_read = worker->shared.headers != NULL;
		worker->options.on_session(worker->options.context, &record);
	}
	if (flow->session != NULL) {
		session_release(flow->session);
		memory_give(worker->memory, flow->session);
	}
}

static size_t text_buckets(size_t budget)
{
	size_t count = 1024;
	while (count < budget / MEMORY_PER_TEXT)
		count *= 2;
	return count;
}

struct worker *worker_create(const struct worker_options *options)
{
	struct worker *worker = calloc(1, sizeof *worker);
	if (worker == NULL)
		return NULL;
	struct hash_key key = hash_key_random();
	worker->options = *options;
	worker->memory = memory_create(options->memory);
	worker->most = options->memory / 16 * 15;
	if (worker->memory != NULL) {
		worker->shared.texts =
		    text_store_create(worker->memory, &key, text_buckets(options->memory));
		worker->shared.fingerprints = tls_fingerprints_create();
		worker->shared.keylog = options->keylog;
		worker->names = (struct dns_tap){options->on_names, options->context, {0}};
		worker->shared.names = &worker->names;
		worker->shared.patterns = pattern_set_share(options->patterns);
		if (options->patterns != NULL)
			worker->shared.scratch = pattern_scratch_create(options->patterns);
		if (options->mail_names != NULL)
			worker->shared.headers = message_context_create(
			    worker->memory, options->mail_names, options->mail_hashes);
		worker->shared.foreign = options->without_foreign ? NULL : foreign_create();
		worker->shared.certificates = certificate_announcer_create(
		    worker->memory, &key, options->on_certificate, options->context);
		worker->flows =
		    flow_table_create(worker->memory, options->memory, on_flow_end, worker);
	}
	worker->duplicates = duplicates_create(&key);
	if (options->ports->set.every)
		worker->no_mail = no_mail_set_create(options->memory);
	bool complete = worker->no_mail != NULL || !options->ports->set.every;
	if (!complete || worker->shared.texts == NULL || worker->shared.fingerprints == NULL ||
	    (options->patterns != NULL && worker->shared.scratch == NULL) ||
	    (options->mail_names != NULL && worker->shared.headers == NULL) ||
	    worker->shared.certificates == NULL || worker->flows == NULL ||
	    worker->duplicates == NULL) {
		worker_destroy(worker);
		return NULL;
	}
	worker->tcp = (struct tcp_context){worker->memory, &worker->shared, &worker->counters.tcp};
	return worker;
}

void worker_moment(struct worker *worker, uint64_t position)
{
	worker->order = (struct record_order){.position = position};
	flow_table_moment(worker->flows, (uint32_t)position);
}

void worker_finish(struct worker *worker, uint64_t position)
{
	worker_moment(worker, position);
	worker->finishing = true;
	flow_table_end_all(worker->flows);
}

void worker_destroy(struct worker *worker)
{
	if (worker == NULL)
		return;
	flow_table_destroy(worker->flows);
	no_mail_set_destroy(worker->no_mail);
	duplicates_destroy(worker->duplicates);
	foreign_destroy(worker->shared.foreign);
	message_context_destroy(worker->shared.headers);
	certificate_announcer_destroy(worker->shared.certificates);
	tls_fingerprints_destroy(worker->shared.fingerprints);
	pattern_scratch_destroy(worker->shared.scratch);
	pattern_set_destroy(worker->shared.patterns);
	text_store_destroy(worker->shared.texts);
	memory_destroy(worker->memory);
	free(worker);
}

// Patterns are changed between two batches; sessions that go on are read on with the new ones. Nothing that a
// session keeps points into a set. Without memory it goes on with those it has.
static void take_newer_patterns(struct worker *worker)
{
	const struct pattern_set *newer = pattern_set_newer(worker->shared.patterns);
	struct pattern_scratch *scratch = newer != NULL ? pattern_scratch_create(newer) : NULL;
	if (scratch == NULL)
		return;
	pattern_set_share(newer);
	pattern_scratch_destroy(worker->shared.scratch);
	pattern_set_destroy(worker->shared.patterns);
	worker->shared.scratch = scratch;
	worker->shared.patterns = newer;
}

/* ---- which connection ---- */

// Who opened the connection: the handshake says it; joined mid-way, the followed port is the
// server's, the lower one if both are.
static unsigned find_client_end(const struct worker *worker, const struct segment *segment)
{
	const unsigned sender = segment->sender;
	const struct port_set *set = &worker->options.ports->set;
	if (segment->flags & TCP_SYN)
		return segment->flags & TCP_ACK ? 1 - sender : sender;
	bool to = port_set_has(set, segment->destination_port);
	bool of = port_set_has(set, segment->source_port);
	if (to != of)
		return to ? sender : 1 - sender;
	return segment->destination_port <= segment->source_port ? sender : 1 - sender;
}

static struct flow *begin_flow(
    struct worker *worker, const struct segment *segment, unsigned client_end)
{
	const struct flow_key key = flow_key_of(segment);
	struct flow *flow = flow_add(worker->flows, &key, segment->hash, segment->context.time);
	if (flow == NULL)
		return NULL;
	flow->client_end = (uint8_t)client_end;
	flow->hint = worker->options.ports->hints[key.port[1 - flow->client_end]];
	flow->hint.elsewhere = segment->elsewhere;
	if (segment->elsewhere)
		flow_set_class(worker->flows, flow, FLOW_ELSEWHERE, segment->context.time);
	flow->vlan_count = segment->context.vlan_count;
	memcpy(flow->vlans, segment->context.vlans, sizeof flow->vlans);
	return flow;
}

static enum direction sender_of(const struct flow *flow, unsigned sender)
{
	return sender == flow->client_end ? FROM_CLIENT : FROM_SERVER;
}

static const nanoseconds answer_delay = SECONDS(1); // of a SYN, that still may be answered

enum reuse {
	REUSE_NO, // the segment belongs to the connection
	REUSE_MAYBE, // it may begin another; the next segments will tell
	REUSE_YES, // it belongs to a new connection on the same addresses and ports
};

// A SYN for a connection that has ended begins a new one. For one that has not, it may be forged:
// only an answer to it, or data that follows it, proves that the ends began anew.
static enum reuse find_reuse(struct flow *flow, enum direction from, const struct segment *segment)
{
	const struct stream *client = &flow->streams[FROM_CLIENT];
	bool syn = (segment->flags & TCP_SYN) != 0, ack = (segment->flags & TCP_ACK) != 0;
	if (flow->reuse_pending) {
		bool answered = from == FROM_SERVER && syn && ack &&
		                segment->acknowledgement == flow->reuse_sequence + 1;
		bool followed =
		    from == FROM_CLIENT && !syn && segment->sequence == flow->reuse_sequence + 1;
		if (answered || followed)
			return REUSE_YES;
	}
	if (!syn || ack)
		return REUSE_NO;
	if (from == FROM_CLIENT && client->syn_seen && segment->sequence == flow->syn_sequence)
		return REUSE_NO;
	if (flow->class == FLOW_CLOSING && tcp_end_certain(flow))
		return REUSE_YES;
	if (from == FROM_SERVER || !client->known || segment->sequence + 1 == client->next)
		return REUSE_NO; // simultaneous open, or a SYN that comes behind its data
	if (flow->session == NULL && flow->streams[FROM_SERVER].packets == 0 &&
	    segment->context.time - flow->last > answer_delay)
		return REUSE_YES; // another attempt after one without an answer
	flow->reuse_pending = true;
	flow->reuse_sequence = segment->sequence;
	return REUSE_MAYBE;
}

// The old connection ends. If it is not a SYN that begins the new one, then one that was set aside: it
// came from the same client.
static struct flow *begin_again(
    struct worker *worker, struct flow *old, const struct segment *segment)
{
	bool syn_before = !(segment->flags & TCP_SYN) || (segment->flags & TCP_ACK);
	uint32_t sequence = old->reuse_sequence;
	unsigned client_end = syn_before ? old->client_end : find_client_end(worker, segment);
	flow_remove(worker->flows, old,
	    old->class == FLOW_CLOSING ? (enum end_reason)old->end_reason : END_TIMEOUT);
	struct flow *flow = begin_flow(worker, segment, client_end);
	if (flow == NULL || !syn_before)
		return flow;
	struct stream *client = &flow->streams[FROM_CLIENT];
	client->known = client->start_known = client->syn_seen = flow->saw_start = true;
	client->next = sequence + 1;
	flow->syn_sequence = sequence;
	return flow;
}

// Of a connection elsewhere that is not followed: neither its beginning nor anything to look at.
static bool tells_nothing(const struct segment *segment)
{
	return segment->elsewhere && !(segment->flags & TCP_SYN) && segment->length == 0;
}

static struct flow *flow_of(
    struct worker *worker, const struct segment *segment, enum direction *from)
{
	struct flow *flow = flow_find(worker->flows, segment);
	if (flow == NULL) {
		if (tells_nothing(segment)) {
			worker->counters.segments_no_mail++;
			return NULL;
		}
		flow = begin_flow(worker, segment, find_client_end(worker, segment));
	} else {
		switch (find_reuse(flow, sender_of(flow, segment->sender), segment)) {
		case REUSE_NO:
			break;
		case REUSE_MAYBE:
			worker->counters.segments_set_aside++;
			return NULL;
		case REUSE_YES:
			flow = begin_again(worker, flow, segment);
			break;
		}
	}
	if (flow != NULL)
		*from = sender_of(flow, segment->sender);
	return flow;
}

/* ---- what happens to it ---- */

// Nothing more can be learned: the dialogue's state goes, the facts stay.
static void cut_over(struct worker *worker, struct flow *flow)
{
	tcp_flush(&worker->tcp, flow);
	dialogue_destroy(flow->dialogue);
	flow->dialogue = NULL;
	tcp_release(&worker->tcp, flow);
}

// Of a connection that was given up. A SYN may begin another one between the same ends.
static bool is_known_no_mail(struct worker *worker, const struct segment *segment)
{
	if (!segment->elsewhere || !no_mail_set_has(worker->no_mail, segment->hash))
		return false;
	if (!(segment->flags & TCP_SYN))
		return true;
	no_mail_set_remove(worker->no_mail, segment->hash);
	return false;
}

// A connection elsewhere is followed like any other once it is found to be mail, and no longer once it
// can be no mail. True: it is gone.
static bool settle_elsewhere(struct worker *worker, struct flow *flow)
{
	if (!flow->hint.elsewhere)
		return false;
	if (found_to_be_mail(flow)) {
		flow->hint.elsewhere = false;
		return false;
	}
	bool done = flow->given_up || (flow->dialogue != NULL && dialogue_done(flow->dialogue));
	if (!done && !tcp_end_reached(flow))
		return false;
	if (done) // an end may be forged: what goes on is looked at again
		no_mail_set_add(worker->no_mail, flow->in_table.hash);
	flow_remove(worker->flows, flow, tcp_end_was_reset(flow) ? END_RST : END_FIN);
	return true;
}

static enum flow_class class_of(struct flow *flow)
{
	if (flow->hint.elsewhere)
		return FLOW_ELSEWHERE;
	if (!tcp_end_is_far(flow) && tcp_end_reached(flow)) {
		bool reset = tcp_end_was_reset(flow);
		if (flow->class != FLOW_CLOSING || (flow->end_reason == END_RST && !reset))
			flow->end_reason = reset ? END_RST : END_FIN;
		return FLOW_CLOSING;
	}
	if (flow->session == NULL)
		return FLOW_OPENING;
	return flow->dialogue != NULL ? FLOW_DIALOGUE : FLOW_CUT_OVER;
}

static void keep_within_budget(struct worker *worker, const struct flow *spared)
{
	for (int i = 0; i < EVICTIONS_PER_SEGMENT; i++) {
		bool tight =
		    memory_in_use(worker->memory) > worker->most || memory_is_tight(worker->memory);
		if (!tight || !flow_evict(worker->flows, spared))
			break;
	}
}

// Some clues are not to wait for the end of a session that may last for hours.
static void tell_at_once(struct worker *worker, struct flow *flow)
{
	bool urgent = flow->kept_out || (flow->session != NULL && flow->session->tell_now);
	if (!urgent || flow->told)
		return;
	flow->told = true;
	struct session_record record = session_record_make(flow, END_STILL_OPEN);
	record.twin_live = flow_has_twin(worker->flows, flow);
	worker->options.on_session(worker->options.context, &record);
}

static enum quiet_tier tier_of(const struct flow *flow)
{
	if (flow->class == FLOW_CUT_OVER)
		return QUIET_COUNTED;
	const struct session *session = flow->session;
	bool told = session != NULL && (session->mail_begun || session->login_tried);
	return told ? QUIET_TOLD : QUIET_NOT;
}

// Whoever forges bytes does it in the clear. The flow itself must have had the first one: it may be another,
// begun anew for this segment.
static bool is_duplicate(struct worker *worker, const struct flow *flow, enum direction from,
    const struct segment *segment)
{
	bool read = flow->session == NULL ||
	            (flow->dialogue != NULL && !dialogue_is_tls(flow->dialogue));
	return duplicates_take(worker->duplicates, segment, read) &&
	       flow->streams[from].packets > 0;
}

static void take_segment(struct worker *worker, const struct segment *segment)
{
	enum direction from;
	if (segment->checksum_wrong && worker->options.drop_wrong_checksums) {
		worker->counters.segments_dropped++;
		return;
	}
	if (is_known_no_mail(worker, segment)) {
		worker->counters.segments_no_mail++;
		return;
	}
	struct flow *flow = flow_of(worker, segment, &from);
	if (flow == NULL)
		return;
	if (is_duplicate(worker, flow, from, segment)) {
		worker->counters.segments_duplicated++;
		return;
	}
	worker->counters.segments_tracked++;
	flow_seen(worker->flows, flow, segment->context.time);
	tcp_segment(&worker->tcp, flow, from, segment);
	if (settle_elsewhere(worker, flow))
		return;
	tell_at_once(worker, flow);
	if (flow->dialogue != NULL && dialogue_done(flow->dialogue))
		cut_over(worker, flow);
	enum flow_class class = class_of(flow);
	if (class != flow->class)
		flow_set_class(worker->flows, flow, class, segment->context.time);
	if (worker->options.quiet != NULL)
		quiet_set_put(worker->options.quiet, flow->in_table.hash, tier_of(flow));
	keep_within_budget(worker, flow);
}

// The tables are far larger than the caches. So what a segment needs is asked for in steps, each of which looks into
// what the one before it asked for, and comes some segments later; the last of them reads it.
enum { STEPS = 5, STEP_SEGMENTS = 2, STEPS_SEGMENTS = STEPS * STEP_SEGMENTS };

// A segment whose connection is looked for; NULL: one of a connection elsewhere, or beyond the last.
static const struct segment *due(
    const struct segment *const *segments, size_t count, size_t ahead, unsigned step)
{
	size_t at = ahead - (size_t)step * STEP_SEGMENTS; // below 0, it is beyond all of them
	return at < count && !segments[at]->elsewhere ? segments[at] : NULL;
}

static void look_ahead(
    const struct worker *worker, const struct segment *const *segments, size_t count, size_t ahead)
{
	const struct flow_table *flows = worker->flows;
	const struct segment *segment;
	if ((segment = due(segments, count, ahead, 0)) != NULL) {
		flow_prefetch_bucket(flows, segment);
		duplicates_prefetch(worker->duplicates, segment);
	} else if (ahead < count) {
		no_mail_set_prefetch(worker->no_mail, segments[ahead]->hash);
	}
	if ((segment = due(segments, count, ahead, 1)) != NULL) {
		flow_prefetch_first(flows, segment);
		duplicates_prefetch_newest(worker->duplicates, segment);
	}
	if ((segment = due(segments, count, ahead, 2)) != NULL)
		flow_prefetch(flows, segment);
	if ((segment = due(segments, count, ahead, 3)) != NULL)
		flow_prefetch_state(flows, segment);
	if ((segment = due(segments, count, ahead, 4)) != NULL)
		flow_prefetch_parser(flows, segment);
}

void worker_segments(struct worker *worker, const struct segment *const *segments, size_t count)
{
	take_newer_patterns(worker);
	for (size_t ahead = 0; ahead < count + STEPS_SEGMENTS; ahead++) {
		look_ahead(worker, segments, count, ahead);
		if (ahead < STEPS_SEGMENTS)
			continue;
		const struct segment *segment = segments[ahead - STEPS_SEGMENTS];
		worker_moment(worker, segment->position);
		take_segment(worker, segment);
	}
}

void worker_names(struct worker *worker, const struct dns_message *message, uint64_t position)
{
	worker_moment(worker, position);
	dns_tap_give(&worker->names, message);
}

void worker_expire(struct worker *worker, nanoseconds now, uint64_t position)
{
	worker_moment(worker, position);
	flow_expire(worker->flows, now, worker->options.live ? EXPIRED_AT_ONCE : SIZE_MAX);
}

struct record_order worker_order(const struct worker *worker)
{
	return worker->order;
}

bool record_order_before(const struct record_order *one, const struct record_order *other)
{
	if (one->position != other->position)
		return one->position < other->position;
	if (one->turn != other->turn)
		return one->turn < other->turn;
	return one->age > other->age;
}

struct worker_counters worker_counters(const struct worker *worker)
{
	struct worker_counters counters = worker->counters;
	counters.flow = flow_table_counters(worker->flows);
	counters.foreign = foreign_counters(worker->shared.foreign);
	counters.names = worker->names.counters;
	if (worker->shared.headers != NULL)
		counters.messages = *message_context_counters(worker->shared.headers);
	counters.memory_in_use = memory_in_use(worker->memory);
	counters.memory_reserved = memory_reserved(worker->memory);
	counters.memory_refusals = memory_refusals(worker->memory);
	return counters;
}

void worker_counters_add(struct worker_counters *sum, const struct worker_counters *one)
{
	counters_add(sum, one, sizeof *sum);
}
