// SPDX-License-Identifier: Apache-2.0
// From where a server is seen how: an offer that is gone for one network while others have it, one that is
// gone for all, one that comes and goes; and bounds.
#include "tests/unit/evidence_lab.h"

#include <string.h>

static struct evidence_lab lab;
static struct path_view *view;
static nanoseconds now;

static int begin(void **state)
{
	(void)state;
	evidence_lab_begin(&lab);
	evidence_lab_text(&lab, &lab.session.capabilities, "SIZE");
	view = path_view_create(64);
	now = LAB_NOW;
	return 0;
}

static int end(void **state)
{
	(void)state;
	path_view_destroy(view);
	evidence_lab_end(&lab);
	return 0;
}

static void from(uint8_t network)
{
	lab.record.address[FROM_CLIENT] = evidence_lab_address(network, 10);
	lab.record.end = now += SECONDS(1);
}

static void session(uint8_t network, enum seen offered, enum path_mark mark)
{
	from(network);
	lab.session.starttls_offered = (uint8_t)offered;
	path_view_note(view, &lab.record, mark);
}

static struct path_history recall(uint8_t network)
{
	from(network);
	return path_view_recall(view, &lab.record);
}

static void an_offer_gone_for_one_network(void **state)
{
	(void)state;
	session(1, SEEN_YES, PATH_UNTOUCHED);
	session(2, SEEN_YES, PATH_UNTOUCHED);
	assert_true(recall(1).missing_since == 0);
	session(1, SEEN_NO, PATH_UNTOUCHED);
	assert_true(recall(1).missing_since != 0);
	assert_int_equal(recall(1).offered_elsewhere_since, 0); // the last of network 2 was before
	session(2, SEEN_YES, PATH_UNTOUCHED);
	assert_int_equal(recall(1).offered_elsewhere_since, 1);
	assert_int_equal(recall(1).offered_here, 1);
	assert_int_equal(recall(1).missing_here, 1);
}

static void an_offer_that_comes_and_goes(void **state)
{
	(void)state;
	session(1, SEEN_YES, PATH_UNTOUCHED);
	session(1, SEEN_NO, PATH_UNTOUCHED);
	session(1, SEEN_YES, PATH_UNTOUCHED);
	session(1, SEEN_NO, PATH_UNTOUCHED);
	assert_true(recall(1).missing_since == 0);
}

static void what_is_not_seen_is_not_missing(void **state)
{
	(void)state;
	session(1, SEEN_YES, PATH_UNTOUCHED);
	session(1, NOT_SEEN, PATH_UNTOUCHED);
	assert_true(recall(1).missing_since == 0);
	session_forget_capabilities(&lab.session);
	session(1, SEEN_NO, PATH_UNTOUCHED); // HELO, no list
	assert_true(recall(1).missing_since == 0);
}

static void networks_are_told_apart(void **state)
{
	(void)state;
	session(1, SEEN_YES, PATH_UNTOUCHED);
	session(2, SEEN_NO, PATH_STRIPPED);
	session(3, NOT_SEEN, PATH_UNTOUCHED);
	struct path_networks networks = path_view_networks(view, &lab.record, PATH_UNTOUCHED);
	assert_int_equal(networks.stripped_count, 1);
	assert_int_equal(networks.clean_count, 1);
	assert_int_equal(networks.stripped[0].address.bytes[14], 2);
	assert_int_equal(networks.stripped[0].address.bytes[15], 0);
	assert_int_equal(networks.clean[0].address.bytes[14], 1);
	lab.record.port[FROM_SERVER] = 587; // another server
	assert_int_equal(path_view_networks(view, &lab.record, PATH_UNTOUCHED).clean_count, 0);
}

static void the_session_at_hand_counts(void **state)
{
	(void)state;
	session(1, SEEN_YES, PATH_UNTOUCHED);
	session(2, SEEN_YES, PATH_UNTOUCHED);
	from(2);
	struct path_networks networks = path_view_networks(view, &lab.record, PATH_STRIPPED);
	assert_int_equal(networks.stripped_count, 1);
	assert_int_equal(networks.stripped[0].address.bytes[14], 2);
	assert_int_equal(networks.clean_count, 1);
	assert_int_equal(networks.clean[0].address.bytes[14], 1);
	networks = path_view_networks(view, &lab.record, PATH_DOUBTFUL);
	assert_int_equal(networks.stripped_count, 0);
	assert_int_equal(networks.clean_count, 1);
}

static void what_is_doubtful_is_not_clean(void **state)
{
	(void)state;
	session(1, SEEN_YES, PATH_UNTOUCHED);
	session(2, SEEN_YES, PATH_DOUBTFUL);
	from(3);
	struct path_networks networks = path_view_networks(view, &lab.record, PATH_UNTOUCHED);
	assert_int_equal(networks.stripped_count, 0);
	assert_int_equal(networks.clean_count, 1);
	assert_int_equal(networks.clean[0].address.bytes[14], 1);
}

static void what_was_stripped_is_kept_longest(void **state)
{
	(void)state;
	session(0, SEEN_NO, PATH_STRIPPED);
	for (int network = 1; network < 256; network++)
		session((uint8_t)network, SEEN_YES, PATH_UNTOUCHED);
	struct path_networks networks = path_view_networks(view, &lab.record, PATH_UNTOUCHED);
	assert_int_equal(networks.stripped_count, 1);
	assert_int_equal(networks.clean_count, PATH_NETWORKS_MAX - 1);
}

static void ip_version_6_networks(void **state)
{
	struct ip_address address = {{0x20, 0x01, 0x0d, 0xb8, 0, 1, 0xff, 0xff, [15] = 1}};
	(void)state;
	struct client_network network = client_network_of(&address);
	assert_int_equal(network.address.bytes[5], 1);
	assert_int_equal(network.address.bytes[6], 0);
	assert_int_equal(network.address.bytes[15], 0);
}

static void many_servers(void **state)
{
	(void)state;
	for (unsigned port = 1; port < 5000; port++) {
		lab.record.port[FROM_SERVER] = (uint16_t)port;
		session(1, SEEN_YES, PATH_UNTOUCHED);
	}
	assert_int_equal(recall(1).offered_here, 1);
	lab.record.port[FROM_SERVER] = 1;
	assert_int_equal(recall(1).offered_here, 0); // it gave way
	struct path_view_counters counters = path_view_counters(view);
	assert_in_range(counters.servers, 1, 64);
	assert_int_equal(counters.servers + counters.evicted, 4999);
}

#define ROW(test) cmocka_unit_test_setup_teardown(test, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    ROW(an_offer_gone_for_one_network),
	    ROW(an_offer_that_comes_and_goes),
	    ROW(what_is_not_seen_is_not_missing),
	    ROW(networks_are_told_apart),
	    ROW(the_session_at_hand_counts),
	    ROW(what_is_doubtful_is_not_clean),
	    ROW(what_was_stripped_is_kept_longest),
	    ROW(ip_version_6_networks),
	    ROW(many_servers),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
