// SPDX-License-Identifier: Apache-2.0
// What the kernel's filter lets through, held against the header parse: it must have everything that is kept.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "capture/live_filter.h"
#include "capture/source.h"
#include "decode/headers.h"
#include "tests/unit/recipes.h"

#include <dirent.h>
#include <limits.h>
#include <linux/filter.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static const char payload[] = "MAIL FROM:<postmaster@example.org>\r\n";

static struct port_set mail_ports(void)
{
	static const uint16_t ports[] = {25, 110, 143, 465, 587, 993, 995};
	struct port_set set = {.bits = {0}};
	for (size_t i = 0; i < sizeof ports / sizeof ports[0]; i++)
		port_set_add(&set, ports[i]);
	return set;
}

static bool passes(struct live_filter *filter, const uint8_t *bytes, uint32_t length)
{
	struct bpf_program program = {(unsigned)filter->length, filter->code};
	struct pcap_pkthdr header = {.caplen = length, .len = length};
	return pcap_offline_filter(&program, &header, bytes) != 0;
}

// As the kernel hands a frame to the filter: its outermost tag taken off.
static bool passes_without_tag(struct live_filter *filter, const uint8_t *bytes, uint32_t length)
{
	uint8_t *frame = malloc(length - 4);
	memcpy(frame, bytes, 12);
	memcpy(frame + 12, bytes + 16, length - 16);
	bool result = passes(filter, frame, length - 4);
	free(frame);
	return result;
}

static bool has_tag(const struct packet *packet)
{
	return packet->link_type == LINK_ETHERNET && packet->captured > 18 &&
	       ((packet->data[12] == 0x81 && packet->data[13] == 0x00) ||
	           (packet->data[12] == 0x88 && packet->data[13] == 0xa8));
}

struct tally {
	uint64_t packets, kept, passed;
};

// False: the header parse keeps the packet, and the filter does not let it through.
static bool holds(struct live_filter *filter, const struct port_set *ports,
    const struct packet *packet, struct tally *tally)
{
	struct headers_result result;
	enum headers_outcome outcome = headers_packet(packet, ports, &result);
	bool kept =
	    outcome == HEADERS_SEGMENT || outcome == HEADERS_FRAGMENT || outcome == HEADERS_NAMES;
	bool passed = passes(filter, packet->data, packet->captured);
	if (has_tag(packet) && !passes_without_tag(filter, packet->data, packet->captured))
		passed = false;
	tally->packets++;
	tally->kept += kept;
	tally->passed += passed;
	return passed || !kept;
}

// ---- Packets that are made up

static uint32_t random_below(uint64_t *state, uint32_t limit)
{
	*state = *state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)((*state >> 33) % limit);
}

static void add_word(char *recipe, size_t size, const char *word)
{
	size_t length = strlen(recipe);
	snprintf(recipe + length, size - length, "%s%s", length > 0 ? " " : "", word);
}

#define PICK(seed, words) ((words)[random_below(seed, sizeof(words) / sizeof((words)[0]))])

static void add_tags(char *recipe, size_t size, uint64_t *seed)
{
	static const char *const tags[] = {"vlan:7", "svlan:8", "oldvlan:9", "vlan:0"};
	static const char *const between[] = {"etag", "vntag", "metadata", "snap", "llc", "mpls:1",
	    "pppoe ppp", "mpls mpls:1", "mpls:1 control eth", "snap vlan:3"};
	for (uint32_t count = random_below(seed, 8); count > 1; count--)
		add_word(recipe, size, PICK(seed, tags));
	if (random_below(seed, 5) == 0)
		add_word(recipe, size, PICK(seed, between));
}

static void add_headers(char *recipe, size_t size, uint64_t *seed)
{
	static const char *const tunnels[] = {"ip4:5 gre", "ip6:5 grekey", "ip4:5", "ip6:5 options",
	    "ip4:5 vxlan eth", "ip6:5 geneve eth", "ip4:5 vxlan:8472 eth vlan:1", "ip4:5 gpe:3 eth",
	    "ip4:5 erspan2 eth", "ip4:5 erspan3 eth vlan:4", "ip4:5 etherip eth",
	    "ip4options:5 gre", "ip6:5 eth", "ip4:5 mpls:1", "ip4:5 ah", "ip4:5 pptp ppp"};
	static const char *const ends[] = {"ip4 tcp", "ip6 tcp", "ip4options tcp", "ip6 hop tcp",
	    "ip6 atomic:7 tcp", "ip4 tcp:80", "ip6 tcp:993", "ip4 udp:53", "ip6 udp:4789",
	    "ip6 routing options tcp", "ip4 tcp:995", "ip6 tcp:24", "ip6 ah tcp"};
	if (random_below(seed, 4) == 0)
		add_word(recipe, size, PICK(seed, tunnels));
	add_word(recipe, size, PICK(seed, ends));
}

// A packet of headers that may follow each other, half of them with some bytes changed: a fragment, another
// protocol, a length that is wrong.
static void build_at_random(struct built *built, uint16_t link_type, uint64_t *seed)
{
	char recipe[256] = "";
	if (link_type != LINK_RAW) {
		add_word(recipe, sizeof recipe, link_type == LINK_ETHERNET ? "eth" : "sll");
		add_tags(recipe, sizeof recipe, seed);
	}
	add_headers(recipe, sizeof recipe, seed);
	build(built, recipe, payload);
	for (uint32_t count = random_below(seed, 6); count > 3; count--) {
		uint32_t at = (link_type == LINK_RAW ? 0 : 12) + random_below(seed, 40);
		built_data(built)[at % built->length] = (uint8_t)random_below(seed, 256);
	}
}

static void check_at_random(uint16_t link_type, bool every, bool names)
{
	static struct live_filter filter;
	static struct built built;
	struct port_set ports = mail_ports();
	ports.every = every;
	ports.names = names;
	assert_true(live_filter_make(&filter, link_type, &ports));
	assert_int_equal(filter.all_tcp, every);
	struct tally tally = {0};
	uint64_t seed = link_type;
	for (int i = 0; i < 200000; i++) {
		build_at_random(&built, link_type, &seed);
		struct packet packet = {.data = built_data(&built),
		    .captured = built.length,
		    .length = built.length,
		    .link_type = link_type};
		if (!holds(&filter, &ports, &packet, &tally))
			fail_msg(
			    "packet %d of link type %u is kept, and not let through", i, link_type);
	}
	assert_true(tally.kept > 20000 && tally.passed < tally.packets);
}

static void all_that_is_kept_passes(void **state)
{
	(void)state;
	check_at_random(LINK_ETHERNET, false, false);
	check_at_random(LINK_ETHERNET, true, false);
	check_at_random(LINK_ETHERNET, false, true);
	check_at_random(LINK_LINUX_SLL, false, true);
	check_at_random(LINK_RAW, false, true);
}

// ---- Packets that were captured

static void check_capture(const char *path, struct tally *tally)
{
	static struct live_filter filter;
	struct port_set ports = mail_ports();
	struct source_request request = {.target = path, .ports = &ports};
	struct error error;
	struct packet_batch batch;
	int made_for = -1;
	struct source *source = source_file.open(&request, &error);
	assert_non_null(source);
	enum source_status status;
	while ((status = source_file.next(source, 0, &batch, &error)) == SOURCE_PACKETS ||
	       status == SOURCE_IDLE)
		for (size_t i = 0; i < batch.count; i++) {
			const struct packet *packet = &batch.packets[i];
			if (packet->link_type != made_for) {
				made_for = packet->link_type;
				if (!live_filter_make(&filter, packet->link_type, &ports))
					break; // no live capture has this link type
			}
			if (!holds(&filter, &ports, packet, tally))
				fail_msg("%s: a packet is kept, and not let through", path);
		}
	source_file.close(source);
}

static void all_that_is_kept_of_captures_passes(void **state)
{
	(void)state;
	const char *folder = getenv("MAILTAP_CAPTURES");
	assert_non_null(folder);
	DIR *directory = opendir(folder);
	assert_non_null(directory);
	struct tally tally = {0};
	const struct dirent *entry;
	while ((entry = readdir(directory)) != NULL) {
		char path[PATH_MAX];
		if (strstr(entry->d_name, ".pcap") == NULL)
			continue;
		snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
		check_capture(path, &tally);
	}
	closedir(directory);
	print_message("# %llu packets, %llu kept, %llu passed\n", (unsigned long long)tally.packets,
	    (unsigned long long)tally.kept, (unsigned long long)tally.passed);
	assert_true(tally.kept > 10000);
}

// ---- What is left out

static bool recipe_passes(struct live_filter *filter, const char *recipe)
{
	static struct built built;
	build(&built, recipe, payload);
	return passes(filter, built_data(&built), built.length);
}

static void what_is_not_mail_is_left_out(void **state)
{
	(void)state;
	static struct live_filter filter;
	struct port_set ports = mail_ports();
	static const char *const others[] = {"eth ip4 tcp:80", "eth ip6 tcp:443", "eth ip4 udp:53",
	    "eth ip6 udp:443", "eth vlan:7 ip4 tcp:80", "eth svlan:7 vlan:8 ip6 tcp:80",
	    "eth vlan:1 vlan:2 vlan:3 vlan:4 ip4options tcp:80", "eth oldvlan:1 ip4 udp:53"};
	assert_true(live_filter_make(&filter, LINK_ETHERNET, &ports));
	for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
		if (recipe_passes(&filter, others[i]))
			fail_msg("%s is let through", others[i]);
	assert_true(recipe_passes(&filter, "eth vlan:1 vlan:2 vlan:3 vlan:4 ip4 tcp"));
	assert_true(recipe_passes(&filter, "eth vlan:1 vlan:2 vlan:3 vlan:4 vlan:5 ip4 tcp:80"));
}

// Of UDP datagrams of DNS alone pass where names are asked for, either way, and none where they are not.
static void names_pass_where_they_are_asked_for(void **state)
{
	(void)state;
	static struct live_filter filter;
	static struct built built;
	enum { UDP_AT = 14 + 20 };
	struct port_set ports = mail_ports();
	for (int every = 0; every < 4; every++) {
		ports.every = every & 1;
		ports.names = every & 2;
		assert_true(live_filter_make(&filter, LINK_ETHERNET, &ports));
		assert_int_equal(recipe_passes(&filter, "eth ip4 udp:53"), ports.names);
		assert_int_equal(recipe_passes(&filter, "eth vlan:7 ip6 udp:53"), ports.names);
		assert_int_equal(recipe_passes(&filter, "eth ip4options udp:53"), ports.names);
		for (uint32_t port = 0; port <= 65535; port++) {
			build(&built, "eth ip4 udp:9", payload);
			put_u16(built_data(&built) + UDP_AT, port);
			assert_int_equal(passes(&filter, built_data(&built), built.length),
			    ports.names && port == 53);
		}
	}
}

// All of them, whatever the first one's ports are: else datagrams would miss their first fragment.
static void fragments_pass(void **state)
{
	(void)state;
	static struct live_filter filter;
	static struct built built;
	enum { FRAGMENT_AT = 14 + 6, PROTOCOL_AT = 14 + 9, ICMP = 1 };
	static const uint8_t fields[][2] = {{0x20, 0}, {0x20, 9}, {0x00, 9}, {0x1f, 0}};
	struct port_set ports = mail_ports();
	assert_true(live_filter_make(&filter, LINK_ETHERNET, &ports));
	for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
		build(&built, i % 2 ? "eth ip4 tcp:80" : "eth ip4 udp:53", payload);
		assert_false(passes(&filter, built_data(&built), built.length));
		memcpy(built_data(&built) + FRAGMENT_AT, fields[i], 2);
		assert_true(passes(&filter, built_data(&built), built.length));
		built_data(&built)[PROTOCOL_AT] = ICMP;
		assert_false(passes(&filter, built_data(&built), built.length));
	}
}

static void ports_are_those_of_the_set(void **state)
{
	(void)state;
	static struct live_filter filter;
	static struct built built;
	enum { DESTINATION_AT = 14 + 20 + 2 };
	uint64_t seed = 7;
	for (int round = 0; round < 20; round++) {
		struct port_set ports = {.bits = {0}};
		for (uint32_t ranges = random_below(&seed, 60); ranges > 0; ranges--) {
			uint32_t first = random_below(&seed, 65536);
			uint32_t count = 1 + random_below(&seed, ranges % 2 ? 2 : 3000);
			for (uint32_t port = first; port < first + count && port <= 65535; port++)
				port_set_add(&ports, (uint16_t)port);
		}
		if (round == 0)
			port_set_add(&ports, 65535);
		assert_true(live_filter_make(&filter, LINK_ETHERNET, &ports));
		assert_false(filter.all_tcp);
		build(&built, "eth ip4 tcp", payload);
		bool source = port_set_has(&ports, 40000);
		for (uint32_t port = 0; port <= 65535; port++) {
			put_u16(built_data(&built) + DESTINATION_AT, port);
			assert_int_equal(passes(&filter, built_data(&built), built.length),
			    source || port_set_has(&ports, (uint16_t)port));
		}
	}
}

static void too_many_ranges_let_all_tcp_through(void **state)
{
	(void)state;
	static struct live_filter filter;
	struct port_set ports = {.bits = {0}};
	for (uint32_t port = 1; port < 65536; port += 2)
		port_set_add(&ports, (uint16_t)port);
	assert_true(live_filter_make(&filter, LINK_ETHERNET, &ports));
	assert_true(filter.all_tcp);
	assert_true(recipe_passes(&filter, "eth ip4 tcp:80"));
	assert_true(recipe_passes(&filter, "eth vlan:3 ip6 tcp:80"));
	assert_false(recipe_passes(&filter, "eth ip4 udp:53"));
}

// It says itself what it thinks of a program.
static void the_kernel_takes_it(void **state)
{
	(void)state;
	static struct live_filter filter;
	static const uint16_t link_types[] = {LINK_ETHERNET, LINK_LINUX_SLL, LINK_RAW};
	struct port_set ports = mail_ports();
	for (uint16_t port = 2000; port < 2150; port += 2)
		port_set_add(&ports, port);
	for (size_t i = 0; i < sizeof link_types / sizeof link_types[0]; i++) {
		assert_true(live_filter_make(&filter, link_types[i], &ports));
		assert_false(filter.all_tcp);
		int descriptor = socket(AF_INET, SOCK_DGRAM, 0);
		struct sock_fprog program = {
		    (unsigned short)filter.length, (struct sock_filter *)(void *)filter.code};
		assert_int_equal(
		    setsockopt(descriptor, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program),
		    0);
		close(descriptor);
	}
	assert_false(live_filter_make(&filter, LINK_PPP, &ports));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(all_that_is_kept_passes),
	    cmocka_unit_test(all_that_is_kept_of_captures_passes),
	    cmocka_unit_test(what_is_not_mail_is_left_out),
	    cmocka_unit_test(names_pass_where_they_are_asked_for),
	    cmocka_unit_test(fragments_pass),
	    cmocka_unit_test(ports_are_those_of_the_set),
	    cmocka_unit_test(too_many_ranges_let_all_tcp_through),
	    cmocka_unit_test(the_kernel_takes_it),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
