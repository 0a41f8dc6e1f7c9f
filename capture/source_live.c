// SPDX-License-Identifier: Apache-2.0
// The source "live": packets from network interfaces as they come, in the order of their time over all
// interfaces, so that the two directions of an optical tap, which come by one interface each, are one
// conversation. The kernel hands packets over in blocks, up to some milliseconds late; so while an interface has
// nothing, packets of the others wait for as long as it may still come with older ones. Owns the interfaces.
#include "capture/base/monotonic.h"
#include "capture/live_interface.h"
#include "capture/packet_filter.h"
#include "capture/source.h"

#include <poll.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
	INTERFACES_MAX = 32,
	IDLE_MILLISECONDS = 100, // what `next` waits at most
	MILLISECOND = 1000000, // in nanoseconds
	// The kernel looks at its open block each LIVE_BLOCK_MILLISECONDS, and hands it over when it finds
	// the same one a second time; the rest is for a clock of few ticks.
	HOLD_MILLISECONDS = 4 * LIVE_BLOCK_MILLISECONDS,
};
#define LOOK_EVERY SECONDS(1)

// Written by the reading thread, read by any.
struct live_counters {
	_Atomic uint64_t packets, bytes, cut_packets, filtered, filtered_in_vlan;
};

struct source {
	struct source_request request;
	struct packet_filter *filter; // NULL: every packet
	size_t interface_count;
	struct live_interface *interfaces;
	struct live_counters *counters;
	nanoseconds next_look; // of the monotonic clock
};

static nanoseconds time_of_day(void)
{
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	return SECONDS(now.tv_sec) + now.tv_nsec;
}

/* ---- opening and closing ---- */

static void close_source(struct source *source)
{
	if (source == NULL)
		return;
	for (size_t i = 0; i < source->interface_count; i++)
		live_interface_close(&source->interfaces[i]);
	packet_filter_destroy(source->filter);
	free(source->interfaces);
	free(source->counters);
	free(source);
}

// False: *error says what is wrong with the name.
static bool check_name(
    const struct source *source, const char *name, bool alone, struct error *error)
{
	if (name[0] == '\0') {
		error_set(error, "cannot capture: the name of an interface is empty");
		return false;
	}
	if (strcmp(name, "any") == 0 && !alone) {
		error_set(error, "cannot capture: \"any\" is all interfaces, and stands alone");
		return false;
	}
	for (size_t i = 0; i < source->interface_count; i++)
		if (strcmp(source->interfaces[i].name, name) == 0) {
			error_set(error, "cannot capture on %.40s: it is named twice", name);
			return false;
		}
	if (source->interface_count == INTERFACES_MAX) {
		error_set(error, "cannot capture on %.40s: at most %d interfaces at a time", name,
		    (int)INTERFACES_MAX);
		return false;
	}
	return true;
}

static bool open_one(struct source *source, const char *name, bool alone, struct error *error)
{
	if (!check_name(source, name, alone, error))
		return false;
	uint16_t number = (uint16_t)source->interface_count++;
	struct live_interface *interface = &source->interfaces[number];
	return live_interface_open(interface, name, number, &source->request, error) &&
	       (source->filter == NULL ||
	           packet_filter_prepare(source->filter, interface->link_type, error));
}

static bool open_all(struct source *source, struct error *error)
{
	char *names = strdup(source->request.target), *rest = names, *name;
	bool alone = names != NULL && strchr(names, ',') == NULL, good = names != NULL;
	if (names == NULL)
		error_set(error, "cannot capture: no memory");
	while (good && (name = strsep(&rest, ",")) != NULL)
		good = open_one(source, name, alone, error);
	free(names);
	return good;
}

static struct source *open_source(const struct source_request *request, struct error *error)
{
	struct source *source = calloc(1, sizeof *source);
	if (source == NULL) {
		error_set(error, "cannot capture: no memory");
		return NULL;
	}
	source->request = *request;
	source->interfaces = calloc(INTERFACES_MAX, sizeof *source->interfaces);
	source->counters = calloc(1, sizeof *source->counters);
	bool good = source->interfaces != NULL && source->counters != NULL;
	if (!good)
		error_set(error, "cannot capture: no memory");
	if (good && request->filter != NULL) {
		source->filter = packet_filter_create(request->filter, error);
		good = source->filter != NULL;
	}
	if (good && open_all(source, error)) {
		source->next_look = monotonic_now() + LOOK_EVERY;
		return source;
	}
	close_source(source);
	return NULL;
}

/* ---- reading ---- */

static bool has_packets(const struct live_interface *interface)
{
	return interface->next < interface->count;
}

// Reads from every interface of which all was taken.
static void read_interfaces(struct source *source)
{
	for (size_t i = 0; i < source->interface_count; i++)
		if (!has_packets(&source->interfaces[i]))
			live_interface_read(&source->interfaces[i]);
}

// True if an interface that is being read has nothing at the moment.
static bool waits_for_another(const struct source *source)
{
	for (size_t i = 0; i < source->interface_count; i++)
		if (source->interfaces[i].state == LIVE_INTERFACE_READING &&
		    !has_packets(&source->interfaces[i]))
			return true;
	return false;
}

// The interface whose next packet is the oldest; NULL: none has any.
static struct live_interface *oldest(struct source *source)
{
	struct live_interface *found = NULL;
	for (size_t i = 0; i < source->interface_count; i++) {
		struct live_interface *one = &source->interfaces[i];
		if (has_packets(one) && (found == NULL || one->packets[one->next].time <
		                                              found->packets[found->next].time))
			found = one;
	}
	return found;
}

// Takes packets into the batch in the order of their time, `now` being that of the last read, or earlier.
// Ends where an interface has no more: what it has next is not known. Returns how long the next packet is to
// be kept yet. A packet that is later than now is none to wait for: the clock was set back.
static nanoseconds take_packets(struct source *source, nanoseconds now, struct packet_batch *batch)
{
	const nanoseconds hold = (nanoseconds)HOLD_MILLISECONDS * MILLISECOND;
	bool waits = waits_for_another(source);
	struct live_interface *from;
	while (batch->count < PACKET_BATCH_MAX && (from = oldest(source)) != NULL) {
		const struct packet *packet = &from->packets[from->next];
		if (waits && packet->time <= now && packet->time > now - hold)
			return packet->time - (now - hold);
		batch->packets[batch->count++] = *packet;
		from->next++;
		if (!has_packets(from))
			break;
	}
	return hold;
}

// Sleeps until an interface without packets has some, but not longer. False: a signal came.
static bool wait_for_packets(struct source *source, nanoseconds most)
{
	struct pollfd polled[INTERFACES_MAX];
	nfds_t count = 0;
	for (size_t i = 0; i < source->interface_count; i++) {
		const struct live_interface *interface = &source->interfaces[i];
		if (interface->descriptor >= 0 && !has_packets(interface))
			polled[count++] =
			    (struct pollfd){.fd = interface->descriptor, .events = POLLIN};
	}
	return poll(polled, count, (int)((most + MILLISECOND - 1) / MILLISECOND)) >= 0;
}

static void look_after(struct source *source, nanoseconds now)
{
	if (now < source->next_look)
		return;
	for (size_t i = 0; i < source->interface_count; i++)
		live_interface_look(&source->interfaces[i]);
	source->next_look = monotonic_now() + LOOK_EVERY;
}

static void add(_Atomic uint64_t *counter, uint64_t count)
{
	uint64_t before = atomic_load_explicit(counter, memory_order_relaxed);
	if (count > 0)
		atomic_store_explicit(counter, before + count, memory_order_relaxed);
}

static void count_batch(struct live_counters *counters, const struct packet_batch *batch)
{
	uint64_t bytes = 0, cut = 0;
	for (size_t i = 0; i < batch->count; i++) {
		bytes += batch->packets[i].length;
		cut += batch->packets[i].captured < batch->packets[i].length;
	}
	add(&counters->packets, batch->count);
	add(&counters->bytes, bytes);
	add(&counters->cut_packets, cut);
}

// What a filled batch is worth after the filter.
static enum source_status give_batch(
    struct source *source, struct packet_batch *batch, struct error *error)
{
	struct source_counters left_out = {0};
	bool good =
	    source->filter == NULL || packet_filter_run(source->filter, batch, &left_out, error);
	add(&source->counters->filtered, left_out.filtered);
	add(&source->counters->filtered_in_vlan, left_out.filtered_in_vlan);
	count_batch(source->counters, batch);
	if (!good)
		return SOURCE_FAILED;
	return batch->count > 0 ? SOURCE_PACKETS : SOURCE_IDLE;
}

static enum source_status next(
    struct source *source, unsigned lane, struct packet_batch *batch, struct error *error)
{
	(void)lane; // there is one
	batch->count = 0;
	nanoseconds now = monotonic_now();
	const nanoseconds deadline = now + (nanoseconds)IDLE_MILLISECONDS * MILLISECOND;
	do {
		look_after(source, now);
		nanoseconds read_at = time_of_day();
		read_interfaces(source);
		nanoseconds wait = take_packets(source, read_at, batch);
		bool came = batch->count > 0;
		if (came) {
			enum source_status status = give_batch(source, batch, error);
			if (status != SOURCE_IDLE)
				return status;
		}
		if (source->request.busy_poll)
			return SOURCE_IDLE;
		now = monotonic_now();
		if (came) // all of it was left out by the filter
			continue;
		if (oldest(source) == NULL || wait > deadline - now)
			wait = deadline - now;
		if (wait > 0 && !wait_for_packets(source, wait))
			return SOURCE_IDLE;
		now = monotonic_now();
	} while (now < deadline);
	return SOURCE_IDLE;
}

static struct source_counters counters(const struct source *source)
{
	const struct live_counters *from = source->counters;
	struct source_counters result = {
	    .packets = atomic_load_explicit(&from->packets, memory_order_relaxed),
	    .bytes = atomic_load_explicit(&from->bytes, memory_order_relaxed),
	    .cut_packets = atomic_load_explicit(&from->cut_packets, memory_order_relaxed),
	    .filtered = atomic_load_explicit(&from->filtered, memory_order_relaxed),
	    .filtered_in_vlan = atomic_load_explicit(&from->filtered_in_vlan, memory_order_relaxed),
	};
	for (size_t i = 0; i < source->interface_count; i++) {
		struct live_interface_account account =
		    live_interface_account(&source->interfaces[i]);
		result.capture_dropped += account.dropped;
		result.interface_packets += account.packets;
		result.interface_missed += account.missed;
		result.interface_outages += account.outages;
	}
	return result;
}

const struct source_ops source_live = {
    .name = "live",
    .live = true,
    .open = open_source,
    .next = next,
    .counters = counters,
    .close = close_source,
};
