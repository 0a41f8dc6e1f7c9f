// SPDX-License-Identifier: Apache-2.0
#include "capture/dpdk/port.h"

#include "capture/dpdk/spread.h"

#include <rte_dev.h>
#include <rte_devargs.h>
#include <rte_errno.h>
#include <rte_lcore.h>
#include <rte_log.h>
#include <rte_mbuf.h>
#include <rte_mbuf_dyn.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

enum {
	DESCRIPTORS = 4096, // packets that wait for a lane, where the device can hold so many
	SEND_DESCRIPTORS = 512, // of a queue that is not used
	CACHE = 256, // free packets that a thread keeps for itself
	IN_HAND = 2 * PACKET_BATCH_MAX, // packets that a lane works on
	LONGEST_FRAME = 9600, // bytes of what is asked for, where the device has long frames
	CLOCK_READS = 3,
};

/* ---- what it is ---- */

// Drivers whose queues are filled each by its own input, whether anybody set them up or not.
static const char *const fixed_queues[] = {"net_pcap", "net_af_packet", "net_af_xdp", "net_ring"};

static bool has_fixed_queues(const struct dpdk_port *port)
{
	for (size_t i = 0; i < sizeof fixed_queues / sizeof fixed_queues[0]; i++)
		if (strcmp(port->info.driver_name, fixed_queues[i]) == 0)
			return true;
	return false;
}

static const char *device_arguments(const struct dpdk_port *port)
{
	const struct rte_devargs *given = rte_dev_devargs(port->info.device);
	return given != NULL && given->args != NULL ? given->args : "";
}

// net_pcap stamps packets, of files and of interfaces, in microseconds; what it repeats from memory is not.
static void recognise_files(struct dpdk_port *port)
{
	const char *given = device_arguments(port);
	bool repeats = strstr(given, "infinite_rx=1") != NULL;
	if (strcmp(port->info.driver_name, "net_pcap") != 0 || repeats)
		return;
	port->clock = DPDK_CLOCK_MICROSECONDS;
	port->replays = strstr(given, "rx_pcap=") != NULL;
}

bool dpdk_port_find(
    struct dpdk_port *port, uint16_t id, const struct source_request *request, struct error *error)
{
	*port = (struct dpdk_port){.id = id, .request = request, .link = -1};
	pthread_mutex_init(&port->counting, NULL);
	if (!rte_eth_dev_is_valid_port(id) || rte_eth_dev_info_get(id, &port->info) != 0 ||
	    rte_eth_dev_get_name_by_port(id, port->name) != 0) {
		error_set(error,
		    "DPDK has no port %u (it found %u): is the card bound to a driver of DPDK "
		    "(dpdk-devbind.py --status), or the --vdev named?",
		    id, rte_eth_dev_count_avail());
		return false;
	}
	recognise_files(port);
	return true;
}

bool dpdk_port_can_spread(const struct dpdk_port *port, unsigned queues)
{
	return queues <= DPDK_QUEUES_MAX && !has_fixed_queues(port) &&
	       spread_is_offered(&port->info, queues);
}

/* ---- setting up ---- */

static bool failed(const struct dpdk_port *port, const char *what, int code, struct error *error)
{
	error_set(error, "port %u of DPDK (%s, %s): %s: %s; with --log-level=8 DPDK says more",
	    port->id, port->name, port->info.driver_name, what, rte_strerror(-code));
	return false;
}

void dpdk_port_say(const struct dpdk_port *port, const char *what, const char *why)
{
	struct error line;
	if (port->request->say == NULL)
		return;
	error_set(&line, "port %u (%s): %s%s%s", port->id, port->name, what,
	    why[0] != '\0' ? ": " : "", why);
	port->request->say(port->request->say_context, &line);
}

// Long frames are taken where the device has them. An interface of the kernel keeps its own longest frame:
// that is set for everybody who uses it.
static uint32_t longest(const struct dpdk_port *port)
{
	const struct rte_eth_dev_info *info = &port->info;
	if (info->if_index != 0 || info->max_mtu <= RTE_ETHER_MTU || info->max_mtu == UINT16_MAX)
		return 0;
	return info->max_mtu < LONGEST_FRAME ? info->max_mtu : (uint32_t)LONGEST_FRAME;
}

static int configure_with_sending(struct dpdk_port *port, const struct rte_eth_conf *settings)
{
	int code = rte_eth_dev_configure(port->id, port->queues, port->queues, settings);
	for (uint16_t queue = 0; code == 0 && queue < port->queues; queue++)
		code = rte_eth_tx_queue_setup(
		    port->id, queue, SEND_DESCRIPTORS, (unsigned)SOCKET_ID_ANY, NULL);
	return code;
}

// A tap sends nothing, and has no queue for it, unless the driver (net_af_xdp, net_tap) or its peer
// (net_memif) insists.
static int configure_port(struct dpdk_port *port, const struct rte_eth_conf *settings)
{
	int code = -ENOTSUP;
	if (strcmp(port->info.driver_name, "net_memif") != 0) {
		uint32_t level = rte_log_get_global_level();
		rte_log_set_global_level(RTE_LOG_EMERG); // a driver that insists is no news
		code = rte_eth_dev_configure(port->id, port->queues, 0, settings);
		rte_log_set_global_level(level);
	}
	return code == 0 ? 0 : configure_with_sending(port, settings);
}

// What a card is to spread by. `key` is where its key is, or is read to.
static struct rte_eth_rss_conf spread_by(const struct dpdk_port *port, uint8_t *key)
{
	return (struct rte_eth_rss_conf){
	    .rss_key = key, .rss_key_len = spread_key_length(&port->info), .rss_hf = SPREAD_BY};
}

static bool configure(struct dpdk_port *port, struct error *error)
{
	uint8_t key[SPREAD_KEY_MAX];
	const struct rte_eth_dev_info *info = &port->info;
	struct rte_eth_conf settings = {.rxmode = {.mtu = longest(port)}};
	settings.rxmode.offloads =
	    info->rx_offload_capa & (RTE_ETH_RX_OFFLOAD_SCATTER | RTE_ETH_RX_OFFLOAD_TIMESTAMP);
	if (port->spreads) {
		spread_key(key, sizeof key);
		settings.rxmode.mq_mode = RTE_ETH_MQ_RX_RSS;
		settings.rx_adv_conf.rss_conf = spread_by(port, key);
	}
	int code = configure_port(port, &settings);
	if (code != 0 && settings.rxmode.mtu != 0) {
		settings.rxmode.mtu = 0;
		code = configure_port(port, &settings);
	}
	if (code != 0)
		return failed(port, "cannot be set up", code, error);
	if ((settings.rxmode.offloads & RTE_ETH_RX_OFFLOAD_TIMESTAMP) != 0)
		port->clock = DPDK_CLOCK_DEVICE;
	return true;
}

// How many packets a queue has memory for. net_pcap's infinite_rx needs one for each packet of its file.
static unsigned pool_size(const struct dpdk_port *port, uint16_t descriptors)
{
	size_t asked = port->request->buffer / RTE_MBUF_DEFAULT_BUF_SIZE / port->queues;
	size_t least = (size_t)descriptors + IN_HAND + 2 * CACHE;
	return (unsigned)RTE_MIN(RTE_MAX(asked, least), (size_t)INT32_MAX);
}

// What packets hold does not belong into a core dump.
static void leave_out_of_dumps(
    struct rte_mempool *pool, void *context, struct rte_mempool_memhdr *memory, unsigned index)
{
	(void)pool;
	(void)context;
	(void)index;
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
	uintptr_t from = ((uintptr_t)memory->addr + page - 1) / page * page;
	uintptr_t until = ((uintptr_t)memory->addr + memory->len) / page * page;
	if (until > from)
		(void)madvise((void *)from, until - from, MADV_DONTDUMP);
}

// On the memory node that the card is at. What there is from a start before is taken again.
static bool make_pool(
    struct dpdk_port *port, uint16_t queue, uint16_t descriptors, struct error *error)
{
	char name[RTE_MEMPOOL_NAMESIZE];
	int node = rte_eth_dev_socket_id(port->id);
	unsigned size = pool_size(port, descriptors);
	if (port->pools[queue] != NULL)
		return true;
	snprintf(name, sizeof name, "mailtap_%u_%u", port->id, queue);
	port->pools[queue] =
	    rte_pktmbuf_pool_create(name, size, CACHE, 0, RTE_MBUF_DEFAULT_BUF_SIZE, node);
	if (port->pools[queue] == NULL)
		error_set(error,
		    "port %u of DPDK (%s): no memory for %u packets in queue %u: give DPDK more "
		    "(-m, or "
		    "hugepages), or ask for a smaller buffer",
		    port->id, port->name, size, queue);
	else
		(void)rte_mempool_mem_iter(port->pools[queue], leave_out_of_dumps, NULL);
	return port->pools[queue] != NULL;
}

static bool set_up_queue(
    struct dpdk_port *port, uint16_t queue, uint16_t descriptors, struct error *error)
{
	if (!make_pool(port, queue, descriptors, error))
		return false;
	int node = rte_eth_dev_socket_id(port->id);
	struct rte_eth_rxconf settings = port->info.default_rxconf;
	int code = rte_eth_rx_queue_setup(port->id, queue, descriptors,
	    (unsigned)(node < 0 ? SOCKET_ID_ANY : node), &settings, port->pools[queue]);
	return code == 0 || failed(port, "a queue cannot be set up", code, error);
}

static bool set_up_queues(struct dpdk_port *port, struct error *error)
{
	uint16_t none = 0;
	uint16_t descriptors =
	    port->spreads ? (uint16_t)DESCRIPTORS : (uint16_t)(DESCRIPTORS / port->queues);
	size_t asked = port->request->buffer / RTE_MBUF_DEFAULT_BUF_SIZE / port->queues;
	if (asked > 0 && !has_fixed_queues(port))
		descriptors = (uint16_t)RTE_MIN(asked, (size_t)INT16_MAX + 1);
	int code = rte_eth_dev_adjust_nb_rx_tx_desc(port->id, &descriptors, &none);
	if (code != 0)
		return failed(port, "cannot say how many packets it holds", code, error);
	for (uint16_t queue = 0; queue < port->queues; queue++)
		if (!set_up_queue(port, queue, descriptors, error))
			return false;
	return true;
}

/* ---- what happens to it ---- */

// Called by a thread of DPDK.
static int on_event(uint16_t id, enum rte_eth_event_type event, void *context, void *more)
{
	struct dpdk_port *port = context;
	(void)id;
	(void)more;
	atomic_store(event == RTE_ETH_EVENT_INTR_RMV ? &port->removed : &port->wants_reset, true);
	return 0;
}

static void watch_events(struct dpdk_port *port, bool begin)
{
	const enum rte_eth_event_type events[] = {RTE_ETH_EVENT_INTR_RMV, RTE_ETH_EVENT_INTR_RESET};
	for (size_t i = 0; i < sizeof events / sizeof events[0]; i++)
		if (begin)
			(void)rte_eth_dev_callback_register(port->id, events[i], on_event, port);
		else
			(void)rte_eth_dev_callback_unregister(port->id, events[i], on_event, port);
}

static void watch_link(struct dpdk_port *port)
{
	char what[96], speed[40] = "";
	struct rte_eth_link link;
	if (rte_eth_link_get_nowait(port->id, &link) != 0 || link.link_status == port->link)
		return;
	bool first = port->link < 0;
	port->link = link.link_status;
	if (first && link.link_status == RTE_ETH_LINK_UP)
		return; // as it should be
	if (link.link_speed != RTE_ETH_SPEED_NUM_NONE &&
	    link.link_speed != RTE_ETH_SPEED_NUM_UNKNOWN)
		snprintf(speed, sizeof speed, ", %s", rte_eth_link_speed_to_str(link.link_speed));
	snprintf(what, sizeof what, "the link is %s%s",
	    link.link_status == RTE_ETH_LINK_UP ? "up" : "down",
	    link.link_status == RTE_ETH_LINK_UP ? speed : "");
	dpdk_port_say(port, what, "");
}

void dpdk_port_watch(struct dpdk_port *port)
{
	if (atomic_load(&port->removed)) {
		if (!port->told_removed)
			dpdk_port_say(port, "the device is gone",
			    "nothing more comes from it until mailtap is restarted");
		port->told_removed = true;
		return;
	}
	if (atomic_load(&port->wants_reset) && !port->told_reset) {
		dpdk_port_say(port, "the device asks for a reset",
		    "restart mailtap if packets no longer come");
		port->told_reset = true;
	}
	watch_link(port);
}

/* ---- its clock ---- */

static nanoseconds system_time(void)
{
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	return SECONDS(now.tv_sec) + now.tv_nsec;
}

// The reading that took the shortest of a few: between the two looks at the system's clock.
bool dpdk_port_read_clock(const struct dpdk_port *port, struct dpdk_clock_reading *reading)
{
	nanoseconds shortest = INT64_MAX;
	for (int i = 0; i < CLOCK_READS; i++) {
		uint64_t ticks;
		nanoseconds before = system_time();
		if (rte_eth_read_clock(port->id, &ticks) != 0)
			return false;
		nanoseconds took = system_time() - before;
		if (took >= 0 && took < shortest) {
			shortest = took;
			*reading = (struct dpdk_clock_reading){ticks, before + took / 2};
		}
	}
	return shortest != INT64_MAX;
}

// Stamps of a clock that cannot be read have no meaning.
static void choose_clock(struct dpdk_port *port)
{
	struct dpdk_clock_reading reading;
	if (port->clock == DPDK_CLOCK_DEVICE && !dpdk_port_read_clock(port, &reading)) {
		port->clock = DPDK_CLOCK_SYSTEM;
		dpdk_port_say(port, "packets have the time at which they were fetched",
		    "the driver does not tell its clock");
	}
}

/* ---- the whole ---- */

static bool spreads_so(const struct dpdk_port *port, const uint8_t *key)
{
	uint8_t used[SPREAD_KEY_MAX] = {0};
	struct rte_eth_rss_conf now = spread_by(port, used);
	return rte_eth_dev_rss_hash_conf_get(port->id, &now) == 0 && now.rss_hf == SPREAD_BY &&
	       memcmp(used, key, spread_key_length(&port->info)) == 0;
}

// Some drivers take the key only now.
bool dpdk_port_spreads_as_asked(const struct dpdk_port *port)
{
	uint8_t key[SPREAD_KEY_MAX];
	spread_key(key, sizeof key);
	struct rte_eth_rss_conf wanted = spread_by(port, key);
	return spreads_so(port, key) ||
	       (rte_eth_dev_rss_hash_update(port->id, &wanted) == 0 && spreads_so(port, key));
}

static struct dpdk_losses count_losses(const struct dpdk_port *port)
{
	struct rte_eth_stats counted;
	if (rte_eth_stats_get(port->id, &counted) != 0)
		return port->seen;
	return (struct dpdk_losses){counted.imissed, counted.ierrors, counted.rx_nombuf};
}

bool dpdk_port_start(struct dpdk_port *port, unsigned spread, struct error *error)
{
	port->spreads = spread > 1;
	port->queues = 1;
	if (port->spreads)
		port->queues = (uint16_t)spread;
	else if (has_fixed_queues(port))
		port->queues = port->info.max_rx_queues < DPDK_QUEUES_MAX
		                   ? port->info.max_rx_queues
		                   : (uint16_t)DPDK_QUEUES_MAX;
	if (!configure(port, error) || !set_up_queues(port, error))
		return false;
	watch_events(port, true);
	int code = rte_eth_dev_start(port->id);
	if (code != 0)
		return failed(port, "cannot be started", code, error);
	port->started = true;
	if (!port->request->not_promiscuous && rte_eth_promiscuous_enable(port->id) != 0 &&
	    !port->replays)
		dpdk_port_say(
		    port, "cannot be made promiscuous", "it may leave out what is not sent to it");
	(void)rte_eth_allmulticast_enable(port->id);
	choose_clock(port);
	port->seen = count_losses(port);
	return true;
}

void dpdk_port_stop(struct dpdk_port *port)
{
	watch_events(port, false);
	if (port->started)
		(void)rte_eth_dev_stop(port->id);
	port->started = false;
}

static uint64_t more(uint64_t now, uint64_t before)
{
	return now >= before ? now - before : now; // a driver that began anew
}

struct dpdk_losses dpdk_port_losses(struct dpdk_port *port)
{
	pthread_mutex_lock(&port->counting);
	if (!atomic_load(&port->removed)) {
		struct dpdk_losses now = count_losses(port);
		port->lost.missed += more(now.missed, port->seen.missed);
		port->lost.errors += more(now.errors, port->seen.errors);
		port->lost.no_memory += more(now.no_memory, port->seen.no_memory);
		port->seen = now;
	}
	struct dpdk_losses lost = port->lost;
	pthread_mutex_unlock(&port->counting);
	return lost;
}

void dpdk_port_close(struct dpdk_port *port)
{
	if (port->queues > 0) {
		dpdk_port_stop(port);
		(void)rte_eth_dev_close(port->id);
	}
	for (uint16_t queue = 0; queue < DPDK_QUEUES_MAX; queue++)
		rte_mempool_free(port->pools[queue]);
	pthread_mutex_destroy(&port->counting);
}
