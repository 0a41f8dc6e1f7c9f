// SPDX-License-Identifier: Apache-2.0
// What is recalled of servers: only what they always show, or have shown for a while.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "analytics/leaf_memory.h"

#include <stdlib.h>
#include <string.h>

static const uint8_t chains[3][2][32] = {{"leaf A", "issuer"}, {"leaf B", "issuer"}, {"leaf C"}};

static struct session session;
static struct session_record record;

static struct session_record *to_server(uint8_t address, uint16_t port)
{
	session = (struct session){.protocol = PROTOCOL_SMTP};
	record = (struct session_record){.session = &session, .port = {40000, port}};
	record.address[FROM_SERVER].bytes[15] = address;
	return &record;
}

static void note(struct leaf_memory *memory, uint8_t server, int chain, int times)
{
	for (int i = 0; i < times; i++)
		leaf_memory_note(memory, to_server(server, 25), chains[chain], 2);
}

// The index of the chain recalled, -1: none.
static int recall(struct leaf_memory *memory, uint8_t server, uint16_t port)
{
	const struct remembered_chain *chain = leaf_memory_recall(memory, to_server(server, port));
	if (chain == NULL)
		return -1;
	assert_int_equal(chain->count, 2);
	for (int i = 0; i < 3; i++)
		if (memcmp(chain->sha256, chains[i], sizeof chains[i]) == 0)
			return i;
	fail();
	return -1;
}

static void a_server_is_an_address_a_port_and_a_name(void **state)
{
	struct leaf_memory *memory = leaf_memory_create(100);
	struct text *name = calloc(1, sizeof *name + 4);
	(void)state;
	name->length = 4;
	memcpy(name->bytes, "a.bc", 4);
	assert_int_equal(recall(memory, 1, 25), -1);
	note(memory, 1, 0, 1);
	assert_int_equal(recall(memory, 1, 25), 0);
	assert_int_equal(recall(memory, 1, 465), -1);
	assert_int_equal(recall(memory, 2, 25), -1);
	to_server(1, 25);
	session.tls.sni = name;
	assert_null(leaf_memory_recall(memory, &record));
	leaf_memory_note(memory, &record, chains[1], 2);
	assert_non_null(leaf_memory_recall(memory, &record));
	assert_int_equal(recall(memory, 1, 25), 0);
	free(name);
	leaf_memory_destroy(memory);
}

static void a_renewed_certificate_counts_after_a_while(void **state)
{
	struct leaf_memory *memory = leaf_memory_create(100);
	(void)state;
	note(memory, 1, 0, 3);
	note(memory, 1, 1, 7);
	assert_int_equal(recall(memory, 1, 25), -1);
	note(memory, 1, 1, 1);
	assert_int_equal(recall(memory, 1, 25), 1);
	note(memory, 1, 2, 8); // and another one
	assert_int_equal(recall(memory, 1, 25), 2);
	leaf_memory_destroy(memory);
}

static void a_server_with_several_is_not_recalled(void **state)
{
	struct leaf_memory *memory = leaf_memory_create(100);
	(void)state;
	note(memory, 1, 0, 10);
	note(memory, 1, 1, 10);
	note(memory, 1, 0, 300);
	assert_int_equal(recall(memory, 1, 25), -1);
	leaf_memory_destroy(memory);
}

static void it_is_bounded(void **state)
{
	enum { MOST = 64, SERVERS = 250 };
	static const uint8_t long_chain[LEAF_MEMORY_CHAIN_MAX + 1][32] = {"leaf"};
	struct leaf_memory *memory = leaf_memory_create(MOST);
	(void)state;
	for (uint8_t server = 1; server <= SERVERS; server++) {
		note(memory, 0, 0, 1); // used all the time
		note(memory, server, 1, 1);
		assert_int_equal(recall(memory, server, 25), 1);
	}
	assert_int_equal(recall(memory, 0, 25), 0);
	struct leaf_memory_counters counters = leaf_memory_counters(memory);
	assert_true(counters.servers <= MOST);
	assert_int_equal(counters.servers + counters.evicted, SERVERS + 1);
	leaf_memory_note(memory, to_server(251, 25), long_chain, LEAF_MEMORY_CHAIN_MAX + 1);
	assert_int_equal(recall(memory, 251, 25), -1);
	leaf_memory_destroy(memory);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_server_is_an_address_a_port_and_a_name),
	    cmocka_unit_test(a_renewed_certificate_counts_after_a_while),
	    cmocka_unit_test(a_server_with_several_is_not_recalled),
	    cmocka_unit_test(it_is_bounded),
	};
	return cmocka_run_group_tests_name("leaf_memory", tests, NULL, NULL);
}
