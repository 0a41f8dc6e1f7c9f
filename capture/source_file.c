// SPDX-License-Identifier: Apache-2.0
// The source "file": a capture file or standard input, pcap or pcapng, compressed or not. The input
// is read in chunks that stay in the processor's cache, and the packets borrow from the chunk;
// that is twice as fast as mapping the file. Owns the input, the container and the one buffer.
#include "capture/byte_input.h"
#include "capture/container.h"
#include "capture/packet_filter.h"
#include "capture/source.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum {
	CHUNK = 512 * 1024, // bytes read at a time, always to the same place
	// What is left of the chunk before is put in front of that place: less than one record.
	HEADROOM = CONTAINER_RECORD_MAX,
	BUFFER_ALIGNMENT = 4096,
};
_Static_assert((int)CHUNK >= (int)CONTAINER_RECORD_MAX, "one record must fit a chunk");
_Static_assert(HEADROOM % BUFFER_ALIGNMENT == 0 && CHUNK % BUFFER_ALIGNMENT == 0, "page aligned");

static const struct container_ops *const containers[] = {
    &container_pcap,
    &container_pcapng,
};

enum file_state {
	FILE_READING,
	FILE_ENDED,
	FILE_FAILED, // `failure` says why
};

struct source {
	struct byte_input *input;
	const struct container_ops *ops;
	struct container *container;
	struct packet_filter *filter; // NULL: every packet
	uint8_t *buffer; // HEADROOM, then CHUNK
	struct window window;
	enum file_state state;
	bool input_ended;
	struct source_counters counters;
	struct error failure;
};

static size_t room_left(const struct source *source)
{
	return (size_t)(source->buffer + HEADROOM + CHUNK - source->window.end);
}

// Moves what is left to just before the place chunks are read to, unless there is room enough
// behind it (after the small reads of a pipe).
static void make_room(struct source *source)
{
	struct window *window = &source->window;
	size_t left = window_left(window);
	if (left > 0 && room_left(source) >= CHUNK / 4)
		return;
	uint8_t *to = source->buffer + HEADROOM - left;
	memmove(to, window->at, left);
	window->at = to;
	window->end = to + left;
}

enum refill_status { REFILL_DONE, REFILL_INTERRUPTED, REFILL_FAILED };

// One read behind what is in the window. What the container wants skipped is gone at once.
static enum refill_status read_more(struct source *source)
{
	struct window *window = &source->window;
	uint8_t *into = source->buffer + (window->end - source->buffer);
	size_t count = 0;
	switch (byte_input_read(source->input, into, room_left(source), &count, &source->failure)) {
	case INPUT_BYTES:
		window->end += count;
		window->end_offset += count;
		size_t skipped = window->skip < count ? (size_t)window->skip : count;
		window->at += skipped;
		window->skip -= skipped;
		return REFILL_DONE;
	case INPUT_END:
		source->input_ended = true;
		return REFILL_DONE;
	case INPUT_INTERRUPTED:
		return REFILL_INTERRUPTED;
	case INPUT_FAILED:
	default:
		return REFILL_FAILED;
	}
}

// Reads until the window has what its container needs, or the input ends.
static enum refill_status refill(struct source *source)
{
	const struct window *window = &source->window;
	while (!source->input_ended && (window->skip > 0 || window_left(window) < window->needed)) {
		make_room(source);
		enum refill_status status = read_more(source);
		if (status != REFILL_DONE)
			return status;
	}
	return REFILL_DONE;
}

static bool input_exhausted(const struct source *source)
{
	const struct window *window = &source->window;
	return source->input_ended && (window->skip > 0 || window_left(window) < window->needed);
}

// A line about an input that ended before its container could begin.
static void explain_no_header(struct source *source, struct error *error)
{
	const char *name = byte_input_name(source->input);
	if (source->window.end_offset == 0)
		error_set(error, "cannot read %s: it is empty, no capture header", name);
	else
		error_set(error,
		    "cannot read %s: it ends inside its capture header (%llu bytes): the capture "
		    "was "
		    "cut off before its first packet",
		    name, (unsigned long long)source->window.end_offset);
}

static bool find_container(struct source *source, struct error *error)
{
	for (size_t i = 0; i < sizeof containers / sizeof containers[0]; i++)
		if (containers[i]->recognise(source->window.at)) {
			source->ops = containers[i];
			source->container =
			    source->ops->create(byte_input_name(source->input), &source->counters);
			if (source->container == NULL)
				error_set(error, "cannot read %s: no memory",
				    byte_input_name(source->input));
			return source->container != NULL;
		}
	error_set(error,
	    "cannot read %s: it is no capture file mailtap can read; pcap or pcapng expected, "
	    "plain or "
	    "compressed with gzip, zstd or xz",
	    byte_input_name(source->input));
	return false;
}

// Fills the window while opening; a signal that comes here ends the opening.
static bool refill_at_open(struct source *source, struct error *error)
{
	enum refill_status status = refill(source);
	if (status == REFILL_FAILED)
		*error = source->failure;
	if (status == REFILL_INTERRUPTED)
		error_set(error, "cannot read %s: interrupted before its capture header came",
		    byte_input_name(source->input));
	return status == REFILL_DONE;
}

// Takes the capture's header, and tries the filter on the first link type.
static bool begin(struct source *source, struct error *error)
{
	int link_type = LINK_TYPE_UNKNOWN;
	for (;;) {
		enum container_status status =
		    source->ops->begin(source->container, &source->window, &link_type, error);
		if (status == CONTAINER_FAILED)
			return false;
		if (status == CONTAINER_READY)
			break;
		if (!refill_at_open(source, error))
			return false;
		if (!input_exhausted(source))
			continue;
		if (source->window.skip == 0 && window_left(&source->window) == 0)
			return true; // blocks, but no interface and no packet
		explain_no_header(source, error);
		return false;
	}
	return source->filter == NULL || link_type == LINK_TYPE_UNKNOWN ||
	       packet_filter_prepare(source->filter, (uint16_t)link_type, error);
}

static bool open_all(
    struct source *source, const char *target, const char *filter, struct error *error)
{
	source->buffer = aligned_alloc(BUFFER_ALIGNMENT, HEADROOM + CHUNK);
	if (source->buffer == NULL) {
		error_set(error, "cannot open a capture file: no memory");
		return false;
	}
	// Whatever the packets hold does not belong into a core dump.
	(void)madvise(source->buffer, HEADROOM + CHUNK, MADV_DONTDUMP);
	source->input = byte_input_open(target, error);
	if (source->input == NULL)
		return false;
	const uint8_t *start = source->buffer + HEADROOM;
	source->window = (struct window){.at = start, .end = start, .needed = CONTAINER_MAGIC};
	if (filter != NULL && (source->filter = packet_filter_create(filter, error)) == NULL)
		return false;
	if (!refill_at_open(source, error))
		return false;
	if (source->window.end_offset == 0) {
		explain_no_header(source, error);
		return false;
	}
	// Fewer bytes than a magic number are none: the bytes behind them just must not be old ones.
	if (source->window.end_offset < CONTAINER_MAGIC)
		memset(source->buffer + HEADROOM + source->window.end_offset, 0, CONTAINER_MAGIC);
	return find_container(source, error) && begin(source, error);
}

static void close_source(struct source *source)
{
	if (source == NULL)
		return;
	if (source->container != NULL)
		source->ops->destroy(source->container);
	packet_filter_destroy(source->filter);
	byte_input_close(source->input);
	free(source->buffer);
	free(source);
}

static struct source *open_source(const struct source_request *request, struct error *error)
{
	struct source *source = calloc(1, sizeof *source);
	if (source == NULL) {
		error_set(error, "cannot open a capture file: no memory");
		return NULL;
	}
	if (!open_all(source, request->target, request->filter, error)) {
		close_source(source);
		return NULL;
	}
	return source;
}

static void count_batch(struct source_counters *counters, const struct packet_batch *batch)
{
	uint64_t bytes = 0, cut = 0;
	for (size_t i = 0; i < batch->count; i++) {
		bytes += batch->packets[i].length;
		cut += batch->packets[i].captured < batch->packets[i].length;
	}
	counters->packets += batch->count;
	counters->bytes += bytes;
	counters->cut_packets += cut;
}

// The end of the input: between two records it is the end of the capture, inside one a cut.
static void end_reading(struct source *source)
{
	const struct window *window = &source->window;
	source->state = FILE_ENDED;
	if (window->skip == 0 && window_left(window) == 0)
		return;
	source->state = FILE_FAILED;
	error_set(&source->failure,
	    "%s ends inside %s (offset %llu): the capture was cut off; everything before was read",
	    byte_input_name(source->input), source->ops->record,
	    (unsigned long long)window_offset(window));
}

// What a filled batch is worth after the filter. With none left, the caller asks again.
static enum source_status give_batch(struct source *source, struct packet_batch *batch)
{
	if (source->filter != NULL &&
	    !packet_filter_run(source->filter, batch, &source->counters, &source->failure))
		source->state = FILE_FAILED;
	count_batch(&source->counters, batch);
	return batch->count > 0 ? SOURCE_PACKETS : SOURCE_IDLE;
}

// No packet in the window: gets more of the input, or finds its end. False: interrupted.
static bool get_more(struct source *source)
{
	enum refill_status status = refill(source);
	if (status == REFILL_FAILED)
		source->state = FILE_FAILED;
	else if (status == REFILL_DONE && input_exhausted(source))
		end_reading(source);
	return status != REFILL_INTERRUPTED;
}

static enum source_status next(
    struct source *source, unsigned lane, struct packet_batch *batch, struct error *error)
{
	(void)lane; // there is one
	batch->count = 0;
	while (source->state == FILE_READING) {
		switch (source->ops->fill(
		    source->container, &source->window, batch, &source->failure)) {
		case CONTAINER_READY: {
			enum source_status status = give_batch(source, batch);
			if (status == SOURCE_PACKETS || source->state == FILE_READING)
				return status;
			break;
		}
		case CONTAINER_NEEDS:
			if (!get_more(source))
				return SOURCE_IDLE;
			break;
		case CONTAINER_FAILED:
		default:
			source->state = FILE_FAILED;
			break;
		}
	}
	if (source->state == FILE_ENDED)
		return SOURCE_END;
	*error = source->failure;
	return SOURCE_FAILED;
}

static struct source_counters counters(const struct source *source)
{
	struct source_counters result = source->counters;
	result.input_read = byte_input_taken(source->input);
	result.input_size = byte_input_size(source->input);
	return result;
}

const struct source_ops source_file = {
    .name = "file",
    .open = open_source,
    .next = next,
    .counters = counters,
    .close = close_source,
};
