// SPDX-License-Identifier: Apache-2.0
#include "capture/live_interface.h"

#include "capture/base/monotonic.h"
#include "capture/live_filter.h"
#include "capture/net_raw.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum {
	SNAP_LENGTH =
	    LIVE_FILTER_SNAP, // whole super-frames of up to 256 KiB, where offloads make some
	BUFFER_USUAL = 64 << 20,
	BYTES_WANTED = 1 << 20, // read until there are as many, or a batch is full
	BYTES_MAX = BYTES_WANTED + SNAP_LENGTH,
	PACKET_ALIGNMENT = 64, // headers then begin a cache line
	BYTES_ALIGNMENT = 4096,
	NO_LINK_TYPE = 0xffff, // not opened yet
};
_Static_assert(BYTES_MAX % BYTES_ALIGNMENT == 0, "whole pages");

static void say(const struct live_interface *interface, const struct error *line)
{
	if (interface->request->say != NULL)
		interface->request->say(interface->request->say_context, line);
}

/* ---- opening ---- */

static void explain_missing(const char *name, struct error *error)
{
	char names[300];
	interface_names(names, sizeof names);
	error_set(error, "cannot capture on %.40s: there is no such interface; there are: %s", name,
	    names[0] != '\0' ? names : "none");
}

// Why libpcap did not open it.
static void explain(pcap_t *pcap, const char *name, int status, struct error *error)
{
	const char *said = pcap_geterr(pcap);
	switch (status) {
	case PCAP_ERROR_NO_SUCH_DEVICE:
		explain_missing(name, error);
		break;
	case PCAP_ERROR_PERM_DENIED:
	case PCAP_ERROR_PROMISC_PERM_DENIED:
		error_set(error,
		    "cannot capture on %s: not permitted; run mailtap as root, or give it the "
		    "right "
		    "once: setcap cap_net_raw+ep FILE_OF_MAILTAP",
		    name);
		break;
	case PCAP_ERROR_IFACE_NOT_UP:
		error_set(error, "cannot capture on %s: it is down; set it up: ip link set %s up",
		    name, name);
		break;
	default:
		error_set(error, "cannot capture on %s: %s%s%.200s", name, pcap_statustostr(status),
		    said[0] != '\0' ? ": " : "", said);
		break;
	}
}

static bool is_any(const char *name)
{
	return strcmp(name, "any") == 0;
}

static int buffer_bytes(const struct source_request *request)
{
	size_t bytes = request->buffer != 0 ? request->buffer : (size_t)BUFFER_USUAL;
	return bytes < INT_MAX ? (int)bytes : INT_MAX;
}

// The one place where an interface is opened, the first time and again: it needs CAP_NET_RAW.
static pcap_t *open_interface(
    const char *name, const struct source_request *request, struct error *error)
{
	char why[PCAP_ERRBUF_SIZE] = "";
	pcap_t *pcap = pcap_create(name, why);
	if (pcap == NULL) {
		error_set(error, "cannot capture on %.40s: %.300s", name, why);
		return NULL;
	}
	// These can only fail on a handle that is active already; without nanoseconds there are microseconds.
	pcap_set_snaplen(pcap, SNAP_LENGTH);
	pcap_set_promisc(pcap, !request->not_promiscuous && !is_any(name));
	pcap_set_timeout(pcap, LIVE_BLOCK_MILLISECONDS);
	pcap_set_buffer_size(pcap, buffer_bytes(request));
	pcap_set_tstamp_precision(pcap, PCAP_TSTAMP_PRECISION_NANO);
	net_raw_take_up();
	int status = pcap_activate(pcap);
	net_raw_lay_down();
	if (status == PCAP_WARNING_PROMISC_NOTSUP && request->say != NULL) {
		error_set(
		    error, "%s: it only has packets for this host: it cannot be promiscuous", name);
		request->say(request->say_context, error);
	}
	if (status < 0)
		explain(pcap, name, status, error);
	else if (pcap_setnonblock(pcap, 1, why) < 0)
		error_set(error, "cannot capture on %s: %.300s", name, why);
	else
		return pcap;
	pcap_close(pcap);
	return NULL;
}

static bool find_link_type(struct live_interface *interface, struct error *error)
{
	int number = pcap_datalink(interface->pcap);
	switch (number) {
	case DLT_EN10MB:
		interface->link_type = LINK_ETHERNET;
		return true;
	case DLT_LINUX_SLL:
		interface->link_type = LINK_LINUX_SLL;
		return true;
	case DLT_RAW:
		interface->link_type = LINK_RAW;
		return true;
	default: {
		const char *name = pcap_datalink_val_to_name(number);
		error_set(error,
		    "cannot capture on %s: its link type %s (%d) is none that mailtap reads live: "
		    "Ethernet, bare IP, or what libpcap gives a cooked header",
		    interface->name, name != NULL ? name : "", number);
		return false;
	}
	}
}

// Without a filter all packets are let through, and told apart later.
static void set_kernel_filter(struct live_interface *interface)
{
	struct live_filter *filter = malloc(sizeof *filter);
	const struct port_set *ports = interface->request->ports;
	struct error line;
	if (filter == NULL || ports == NULL ||
	    !live_filter_make(filter, interface->link_type, ports)) {
		free(filter);
		return;
	}
	struct bpf_program program = {.bf_len = (unsigned)filter->length, .bf_insns = filter->code};
	if (pcap_setfilter(interface->pcap, &program) != 0) {
		error_set(&line, "%s: the kernel leaves no packet out: %.300s", interface->name,
		    pcap_geterr(interface->pcap));
		say(interface, &line);
	} else if (filter->all_tcp && !ports->every) {
		error_set(&line,
		    "%s: the ports are too scattered for the kernel to tell: it lets all TCP "
		    "through",
		    interface->name);
		say(interface, &line);
	}
	free(filter);
}

static void close_handle(struct live_interface *interface)
{
	if (interface->pcap != NULL)
		pcap_close(interface->pcap);
	interface->pcap = NULL;
	interface->descriptor = -1;
}

// Under the lock. False: *error says why, and there is no handle.
static bool open_handle(struct live_interface *interface, struct error *error)
{
	interface->pcap = open_interface(interface->name, interface->request, error);
	if (interface->pcap == NULL)
		return false;
	uint16_t before = interface->link_type;
	bool good = find_link_type(interface, error);
	if (good && before != NO_LINK_TYPE && before != interface->link_type) {
		error_set(error, "cannot capture on %s: it came back with another link type",
		    interface->name);
		interface->link_type = before;
		good = false;
	}
	if (!good) {
		close_handle(interface);
		return false;
	}
	bool nano = pcap_get_tstamp_precision(interface->pcap) == PCAP_TSTAMP_PRECISION_NANO;
	interface->tick = nano ? 1 : 1000;
	interface->descriptor = pcap_get_selectable_fd(interface->pcap);
	interface->last_statistics = (struct pcap_stat){0};
	interface->last = (struct interface_state){0};
	interface_state_read(interface->state_socket, interface->name, &interface->last);
	set_kernel_filter(interface);
	return true;
}

bool live_interface_open(struct live_interface *interface, const char *name, uint16_t number,
    const struct source_request *request, struct error *error)
{
	*interface = (struct live_interface){.request = request,
	    .number = number,
	    .descriptor = -1,
	    .state_socket = interface_socket_open(),
	    .link_type = NO_LINK_TYPE};
	pthread_mutex_init(&interface->lock, NULL);
	if (strlen(name) >= sizeof interface->name) {
		explain_missing(name, error);
		return false;
	}
	memcpy(interface->name, name, strlen(name));
	interface->bytes = aligned_alloc(BYTES_ALIGNMENT, BYTES_MAX);
	if (interface->bytes == NULL) {
		error_set(error, "cannot capture on %s: no memory", name);
		return false;
	}
	// Whatever the packets hold does not belong into a core dump.
	(void)madvise(interface->bytes, BYTES_MAX, MADV_DONTDUMP);
	return open_handle(interface, error);
}

void live_interface_close(struct live_interface *interface)
{
	close_handle(interface);
	if (interface->state_socket >= 0)
		close(interface->state_socket);
	free(interface->bytes);
	pthread_mutex_destroy(&interface->lock);
}

/* ---- the account ---- */

// What a counter grew by since it was last looked at; one that begins again grew by what it is.
static uint64_t grown(uint64_t now, uint64_t before)
{
	return now >= before ? now - before : now;
}

// What libpcap counted since it was last asked: packets of the ring, and dropped ones among them. Its numbers
// have 32 bits and come round. Under the lock.
static uint64_t take_statistics(struct live_interface *interface)
{
	struct pcap_stat *before = &interface->last_statistics, now;
	if (pcap_stats(interface->pcap, &now) != 0)
		return 0;
	uint32_t received = now.ps_recv - before->ps_recv;
	interface->account.dropped += now.ps_drop - before->ps_drop;
	*before = now;
	return received;
}

// Brings the account up to date. Under the lock.
static enum interface_found refresh(struct live_interface *interface, struct interface_state *state)
{
	struct live_interface_account *account = &interface->account;
	enum interface_found found =
	    interface_state_read(interface->state_socket, interface->name, state);
	if (interface->pcap == NULL)
		return found;
	take_statistics(interface);
	if (interface->last.index == 0 && found == INTERFACE_FOUND)
		interface->last = *state;
	if (found == INTERFACE_FOUND && state->index == interface->last.index) {
		account->packets += grown(state->packets, interface->last.packets);
		account->missed += grown(state->missed, interface->last.missed);
		account->outages += grown(state->links_lost, interface->last.links_lost);
		interface->last = *state;
	}
	return found;
}

struct live_interface_account live_interface_account(struct live_interface *interface)
{
	struct interface_state state;
	pthread_mutex_lock(&interface->lock);
	refresh(interface, &state);
	struct live_interface_account account = interface->account;
	pthread_mutex_unlock(&interface->lock);
	return account;
}

// An outage begins, unless the account has it already: as a link that was lost.
static void count_outage(struct live_interface *interface)
{
	if (interface->account.outages == interface->outages_told)
		interface->account.outages++;
	interface->outages_told = interface->account.outages;
}

// Nothing comes by it any more, for now.
static void lose(struct live_interface *interface, enum live_interface_state state, const char *why)
{
	struct error line;
	bool was_reading = interface->state == LIVE_INTERFACE_READING;
	pthread_mutex_lock(&interface->lock);
	if (was_reading)
		count_outage(interface);
	if (state == LIVE_INTERFACE_GONE) {
		// Its own count is gone with it: since the last look there were at least these.
		if (interface->pcap != NULL)
			interface->account.packets += take_statistics(interface);
		close_handle(interface);
	}
	pthread_mutex_unlock(&interface->lock);
	interface->state = state;
	if (!was_reading)
		return; // it is said that it is down
	interface->lost_since = monotonic_now();
	error_set(&line, "%s: %s; waiting for it", interface->name, why);
	say(interface, &line);
}

/* ---- reading ---- */

static nanoseconds time_of(const struct live_interface *interface, const struct pcap_pkthdr *header)
{
	int64_t seconds = header->ts.tv_sec, fraction = header->ts.tv_usec;
	if (seconds < 0 || fraction < 0)
		return 0;
	if (seconds >= PACKET_TIME_MAX / SECONDS(1))
		return PACKET_TIME_MAX;
	int64_t behind = fraction * interface->tick;
	return SECONDS(seconds) + (behind < SECONDS(1) ? behind : SECONDS(1) - 1);
}

static void on_packet(u_char *context, const struct pcap_pkthdr *header, const u_char *bytes)
{
	struct live_interface *interface = (void *)context;
	uint32_t captured = header->caplen < SNAP_LENGTH ? header->caplen : SNAP_LENGTH;
	uint8_t *copy = interface->bytes + interface->bytes_used;
	memcpy(copy, bytes, captured);
	interface->packets[interface->count++] = (struct packet){
	    .data = copy,
	    .captured = captured,
	    .length = header->len > captured ? header->len : captured,
	    .time = time_of(interface, header),
	    .link_type = interface->link_type,
	    .interface = interface->number,
	};
	interface->bytes_used += (captured + PACKET_ALIGNMENT - 1) & ~(PACKET_ALIGNMENT - 1u);
	if (interface->bytes_used > BYTES_WANTED)
		pcap_breakloop(interface->pcap);
}

void live_interface_read(struct live_interface *interface)
{
	interface->next = interface->count = 0;
	interface->bytes_used = 0;
	if (interface->pcap == NULL)
		return;
	int status = pcap_dispatch(interface->pcap, PACKET_BATCH_MAX, on_packet, (void *)interface);
	if (status >= 0 || status == PCAP_ERROR_BREAK)
		return;
	char why[PCAP_ERRBUF_SIZE];
	snprintf(why, sizeof why, "%s", pcap_geterr(interface->pcap));
	lose(interface, LIVE_INTERFACE_GONE, why);
}

/* ---- whether it is still there ---- */

// The handle is there; `linked`: so is the link.
static void follow_link(struct live_interface *interface, bool linked)
{
	struct error line;
	bool reading = interface->state == LIVE_INTERFACE_READING;
	if (reading && !linked) {
		lose(interface, LIVE_INTERFACE_DOWN, "it is down, or nothing is at its other end");
		return;
	}
	pthread_mutex_lock(&interface->lock);
	uint64_t outages = interface->account.outages;
	pthread_mutex_unlock(&interface->lock);
	if (!reading && linked) {
		nanoseconds away = monotonic_now() - interface->lost_since;
		interface->state = LIVE_INTERFACE_READING;
		error_set(&line, "%s: back after %" PRId64 " s", interface->name,
		    (away + SECONDS(1) / 2) / SECONDS(1));
		say(interface, &line);
	} else if (reading && outages > interface->outages_told) {
		error_set(&line, "%s: its link was lost for a moment", interface->name);
		say(interface, &line);
	}
	interface->outages_told = outages;
}

// True: there is a handle again.
static bool try_again(struct live_interface *interface)
{
	struct error error;
	pthread_mutex_lock(&interface->lock);
	bool open = open_handle(interface, &error);
	pthread_mutex_unlock(&interface->lock);
	if (!open && !interface->failure_told)
		say(interface, &error);
	interface->failure_told = !open;
	if (open)
		interface->state = LIVE_INTERFACE_DOWN;
	return open;
}

void live_interface_look(struct live_interface *interface)
{
	struct interface_state now;
	pthread_mutex_lock(&interface->lock);
	enum interface_found found = is_any(interface->name) ? INTERFACE_UNKNOWN : INTERFACE_FOUND;
	if (found == INTERFACE_FOUND)
		found = refresh(interface, &now);
	bool another = found == INTERFACE_FOUND && now.index != interface->last.index;
	pthread_mutex_unlock(&interface->lock);
	if (interface->pcap != NULL && (found == INTERFACE_GONE || another))
		lose(interface, LIVE_INTERFACE_GONE, "it is gone");
	bool may_open = found == INTERFACE_UNKNOWN || (found == INTERFACE_FOUND && now.up);
	if (interface->pcap == NULL && (!may_open || !try_again(interface)))
		return;
	follow_link(interface, found == INTERFACE_UNKNOWN || now.linked);
}
