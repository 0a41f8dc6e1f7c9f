// SPDX-License-Identifier: Apache-2.0
// The memory of servers in its file: the same comes back, a damaged file costs what is damaged and no
// more, and a file that cannot be written stays as it was.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "analytics/server_line.h"
#include "analytics/server_memory.h"
#include "tests/unit/server_lab.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define DAY SECONDS((nanoseconds)24 * 3600)
#define NOW SECONDS(1700000000)

enum { FILE_MAX = 1 << 20 };

static char directory[] = "/tmp/server-memory-XXXXXX";
static char path[256];

static int make_directory(void **state)
{
	(void)state;
	if (mkdtemp(directory) == NULL)
		return -1;
	snprintf(path, sizeof path, "%s/servers.jsonl", directory);
	return 0;
}

static int remove_directory(void **state)
{
	(void)state;
	unlink(path);
	return rmdir(directory); // fails if anything was left behind
}

static struct server_memory *create(size_t servers)
{
	struct server_memory_options options = {.servers = servers};
	struct server_memory *memory = server_memory_create(&options);
	assert_non_null(memory);
	return memory;
}

// Something of everything there is.
static struct server_memory *filled(void)
{
	struct server_memory *memory = create(0);
	char address[32];
	for (int i = 0; i < 20; i++) {
		snprintf(address, sizeof address, i % 2 == 0 ? "10.0.%d.1" : "2001:db8:%d::1", i);
		struct lab_session *lab = lab_smtp("192.0.2.25", address, NOW + i * DAY);
		lab_establish(lab);
		lab_leaf(lab, (char)('a' + i % 3), i % 2 == 0);
		if (i == 4)
			lab_name(lab, "mx.example.com");
		server_memory_note(memory, &lab->judged);
	}
	server_memory_note(memory, &lab_smtp("2001:db8::25", "10.0.0.1", NOW)->judged);
	struct lab_session *lab = lab_smtp("192.0.2.143", "10.0.0.1", NOW);
	lab->session.protocol = PROTOCOL_IMAP;
	lab->session.server_banner = lab_text("* PREAUTH");
	lab_list(lab, "IMAP4REV1");
	server_memory_note(memory, &lab->judged);
	return memory;
}

static size_t read_file(const char *name, uint8_t bytes[FILE_MAX])
{
	FILE *file = fopen(name, "rb");
	assert_non_null(file);
	size_t length = fread(bytes, 1, FILE_MAX, file);
	assert_true(length < FILE_MAX);
	fclose(file);
	return length;
}

static void save(struct server_memory *memory)
{
	struct error error = {""};
	if (!server_memory_save(memory, path, &error))
		fail_msg("%s", error.text);
}

static struct server_history recall(
    struct server_memory *memory, const char *server, const char *name, nanoseconds at)
{
	struct server_history history;
	struct lab_session *lab = lab_smtp(server, "10.0.0.9", at);
	if (name != NULL)
		lab->session.tls.sni = lab_text(name);
	server_memory_recall(memory, &lab->record, &history);
	return history;
}

static void the_same_comes_back(void **state)
{
	static uint8_t first[FILE_MAX], second[FILE_MAX];
	static const char *const servers[] = {"192.0.2.25", "2001:db8::25", "192.0.2.143"};
	struct server_memory *memory = filled(), *again = create(0);
	struct error error = {"x"};
	struct stat status;
	(void)state;
	save(memory);
	size_t length = read_file(path, first);
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_mode & 07777, 0600);
	assert_true(server_memory_load(again, path, &error));
	assert_string_equal(error.text, "");
	assert_int_equal(server_memory_counters(again).loaded, 4);
	assert_int_equal(server_memory_counters(again).names, 1);
	for (size_t i = 0; i < sizeof servers / sizeof servers[0]; i++) {
		struct server_history was = recall(memory, servers[i], NULL, NOW + 30 * DAY);
		struct server_history is = recall(again, servers[i], NULL, NOW + 30 * DAY);
		assert_true(was.known);
		assert_memory_equal(&was, &is, sizeof was);
	}
	assert_int_equal(recall(again, "192.0.2.25", NULL, NOW + 30 * DAY).offered_networks, 16);
	assert_int_equal(recall(again, "192.0.2.25", NULL, NOW + 30 * DAY).leaf_count, 3);
	assert_true(recall(again, "192.0.2.77", "mx.example.com", NOW + 30 * DAY).by_name);
	save(again);
	assert_int_equal(read_file(path, second), length);
	assert_memory_equal(first, second, length);
	server_memory_destroy(memory);
	server_memory_destroy(again);
}

static void a_missing_file_is_none_yet(void **state)
{
	struct server_memory *memory = create(0);
	struct error error = {"x"};
	(void)state;
	unlink(path);
	assert_true(server_memory_load(memory, path, &error));
	assert_string_equal(error.text, "");
	assert_false(server_memory_load(memory, directory, &error));
	assert_non_null(strstr(error.text, directory));
	assert_false(server_memory_load_baseline(memory, path, &error));
	assert_non_null(strstr(error.text, path));
	server_memory_destroy(memory);
}

static void a_smaller_memory_keeps_the_newest(void **state)
{
	struct server_memory *memory = create(0), *small = create(8);
	struct error error = {""};
	char address[32];
	(void)state;
	for (int i = 0; i < 100; i++) {
		snprintf(address, sizeof address, "192.0.2.%d", i);
		server_memory_note(
		    memory, &lab_smtp(address, "10.0.0.1", NOW + SECONDS(i))->judged);
	}
	save(memory);
	assert_true(server_memory_load(small, path, &error));
	assert_string_equal(error.text, "");
	assert_int_equal(server_memory_counters(small).servers, 8);
	assert_true(recall(small, "192.0.2.99", NULL, NOW + DAY).known);
	assert_true(recall(small, "192.0.2.92", NULL, NOW + DAY).known);
	assert_false(recall(small, "192.0.2.91", NULL, NOW + DAY).known);
	server_memory_destroy(memory);
	server_memory_destroy(small);
}

/* ---- damage ---- */

// Reads bytes at the end of their own room, so that a byte too many is noticed. Returns how many servers
// were taken, -1: it is no memory.
static int load_bytes(const uint8_t *bytes, size_t length, struct error *error)
{
	struct server_memory *memory = create(16);
	uint8_t *copy = malloc(length > 0 ? length : 1);
	assert_non_null(copy);
	memcpy(copy, bytes, length);
	bool good = server_memory_read(memory, "f", copy, length, error);
	int servers = (int)server_memory_counters(memory).loaded;
	free(copy);
	server_memory_destroy(memory);
	assert_true(good || (servers == 0 && error->text[0] != '\0'));
	return good ? servers : -1;
}

static void cut_at_every_byte(void **state)
{
	static uint8_t bytes[FILE_MAX];
	struct server_memory *memory = filled();
	struct error error;
	(void)state;
	save(memory);
	size_t length = read_file(path, bytes);
	size_t head = (size_t)((uint8_t *)memchr(bytes, '\n', length) - bytes);
	int whole = 0; // lines that end before the cut, or just at it
	for (size_t cut = 0; cut <= length; cut++) {
		bool at_end = cut > head && cut < length && bytes[cut] == '\n';
		int servers = load_bytes(bytes, cut, &error);
		if (cut > head + 1 && bytes[cut - 1] == '\n')
			whole++;
		assert_int_equal(servers, cut < head ? -1 : whole + (cut > head && at_end));
		bool complete = cut + 1 >= length;
		assert_int_equal(error.text[0] != '\0', !complete);
	}
	assert_int_equal(whole, 4);
	server_memory_destroy(memory);
}

static void every_byte_changed(void **state)
{
	static uint8_t bytes[FILE_MAX];
	struct server_memory *memory = filled();
	struct error error;
	(void)state;
	save(memory);
	size_t length = read_file(path, bytes);
	for (size_t i = 0; i < length - 1; i++) {
		uint8_t was = bytes[i];
		bytes[i] ^= (uint8_t)(1u << i % 7);
		int servers = load_bytes(bytes, length, &error);
		bool in_head = memchr(bytes, '\n', i + 1) == NULL || was == '\n';
		assert_true(servers <= 4);
		if (!in_head)
			assert_int_equal(servers, 3);
		if (servers != 4)
			assert_string_not_equal(error.text, "");
		bytes[i] = was;
	}
	server_memory_destroy(memory);
}

static void the_first_damaged_line_is_told(void **state)
{
	static uint8_t bytes[FILE_MAX];
	struct server_memory *memory = filled();
	struct error error;
	(void)state;
	save(memory);
	size_t length = read_file(path, bytes);
	uint8_t *second = memchr(bytes, '\n', length);
	uint8_t *third = memchr(second + 1, '\n', length);
	third[30] ^= 1;
	assert_int_equal(load_bytes(bytes, length, &error), 3);
	assert_string_equal(error.text,
	    "f:3: the line is damaged; 1 of its servers are left out, the rest is used");
	assert_int_equal(load_bytes(bytes, (size_t)(third - bytes), &error), 1);
	assert_string_equal(error.text,
	    "f:3: the file ends before its end; 3 of its servers are left "
	    "out, the rest is used");
	server_memory_destroy(memory);
}

static void what_is_no_memory_is_refused(void **state)
{
	static const struct {
		const char *bytes, *said;
	} cases[] = {
	    {"", "it is empty"},
	    {"\n", "does not begin"},
	    {"[]", "does not begin"},
	    {"hello\n", "does not begin"},
	    {"{\"servers\":1}\n", "does not begin"},
	    {"{\"mailtap_server_memory\":true,\"servers\":1}\n", "does not begin"},
	    {"{\"mailtap_server_memory\":2,\"servers\":1}\n", "another version"},
	    {"{\"mailtap_server_memory\":1}\n", "first line is damaged"},
	    {"{\"mailtap_server_memory\":1,\"servers\":-1}\n", "first line is damaged"},
	    {"{\"mailtap_server_memory\":1,\"servers\":1e3}\n", "first line is damaged"},
	};
	struct error error;
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		const uint8_t *bytes = (const uint8_t *)cases[i].bytes;
		assert_int_equal(load_bytes(bytes, strlen(cases[i].bytes), &error), -1);
		assert_non_null(strstr(error.text, cases[i].said));
	}
}

/* ---- hostile lines: their check is right, and what they say is not ---- */

#define SEEN "\"first\":5,\"last\":6,\"sessions\":1,"
#define GOOD "\"address\":\"192.0.2.1\",\"port\":25," SEEN "\"leaves\":[]"
#define HASH "0011223344556677889900112233445566778899001122334455667788990011"
#define LEAF(more)                                                                                 \
	"{\"sha256\":\"" HASH "\",\"spki_sha256\":\"" HASH                                         \
	"\",\"first\":1,\"last\":2,\"not_after\":0,\"sessions\":1,\"trusted\":true,"               \
	"\"self_signed\":false,\"networks\":[[1,1]],\"next\":0" more "}"
#define TALLY(what) "\"address\":\"192.0.2.1\",\"port\":25," SEEN "\"leaves\":[],\"offered\":" what

// How many servers a file with this one is good for.
static int load_line(const char *facts, struct error *error)
{
	char file[8192], rest[4096], digits[SERVER_CHECK_DIGITS];
	snprintf(rest, sizeof rest, "%s}", facts);
	server_line_check((const uint8_t *)rest, strlen(rest), digits);
	int length = snprintf(file, sizeof file,
	    "{\"mailtap_server_memory\":1,\"servers\":1}\n{\"check\":\"%.16s\",%s\n", digits, rest);
	assert_true(length > 0 && (size_t)length < sizeof file);
	return load_bytes((const uint8_t *)file, (size_t)length, error);
}

static void good_lines(void **state)
{
	static const char *const lines[] = {
	    GOOD,
	    GOOD ",\"later\":{\"unknown\":[1]}", // of a later mailtap
	    "\"name\":\"MX.example.com\",\"port\":0," SEEN "\"leaves\":[" LEAF("") "]",
	    TALLY("{\"count\":1,\"first\":1,\"last\":1,\"networks\":[[0,100]],\"next\":15}"),
	};
	struct error error;
	(void)state;
	for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
		int servers = load_line(lines[i], &error);
		if (servers != 1)
			fail_msg("%s: %s", lines[i], error.text);
	}
}

static void lines_have_a_limit(void **state)
{
	static uint8_t line[SERVER_LINE_MAX + 1];
	struct server_entry *entry;
	uint64_t servers;
	(void)state;
	memset(line, ' ', sizeof line);
	assert_string_equal(server_line_read(line, SERVER_LINE_MAX, &entry), "the line is damaged");
	assert_string_equal(
	    server_line_read(line, SERVER_LINE_MAX + 1, &entry), "the line is too long");
	static const char head[] = "{\"mailtap_server_memory\":1,\"servers\":7}";
	memcpy(line, head, sizeof head - 1);
	const char *whole = server_line_read_head(line, SERVER_LINE_MAX, &servers);
	const char *longer = server_line_read_head(line, SERVER_LINE_MAX + 1, &servers);
	assert_null(whole);
	assert_non_null(longer);
}

static void hostile_lines(void **state)
{
	static const char *const lines[] = {
	    "\"port\":25," SEEN "\"leaves\":[]",
	    GOOD ",\"port\":26", // twice
	    GOOD ",\"name\":\"a.b\"", // both
	    "\"address\":\"192.0.2\",\"port\":25," SEEN "\"leaves\":[]",
	    "\"address\":7,\"port\":25," SEEN "\"leaves\":[]",
	    "\"name\":\"a b.c\",\"port\":25," SEEN "\"leaves\":[]",
	    "\"name\":\"a.b\\u0000c\",\"port\":25," SEEN "\"leaves\":[]",
	    "\"name\":\"\",\"port\":25," SEEN "\"leaves\":[]",
	    "\"address\":\"192.0.2.1\",\"port\":65536," SEEN "\"leaves\":[]",
	    "\"address\":\"192.0.2.1\",\"port\":-1," SEEN "\"leaves\":[]",
	    "\"address\":\"192.0.2.1\",\"port\":25.0," SEEN "\"leaves\":[]",
	    "\"address\":\"192.0.2.1\",\"port\":\"25\"," SEEN "\"leaves\":[]",
	    "\"address\":\"192.0.2.1\",\"port\":25," SEEN "\"leaves\":{}",
	    "\"address\":\"192.0.2.1\",\"port\":25," SEEN "\"leaves\":[7]",
	    "\"address\":\"192.0.2.1\",\"port\":25,\"first\":7,\"last\":6,\"sessions\":1,"
	    "\"leaves\":[]",
	    "\"address\":\"192.0.2.1\",\"port\":25,\"first\":-7,\"last\":6,\"sessions\":1,"
	    "\"leaves\":[]",
	    "\"address\":\"192.0.2.1\",\"port\":25,\"first\":5,\"last\":9223372036854775807,"
	    "\"sessions\":1,\"leaves\":[]",
	    "\"address\":\"192.0.2.1\",\"port\":25,\"first\":5,\"last\":6,\"sessions\":0,"
	    "\"leaves\":[]",
	    "\"address\":\"192.0.2.1\",\"port\":25," SEEN "\"leaves\":[" LEAF("") "," LEAF("") "]",
	    "\"address\":\"192.0.2.1\",\"port\":25," SEEN "\"leaves\":[" LEAF(",\"next\":0") "]",
	    TALLY("[]"),
	    TALLY("null"),
	    TALLY("{\"count\":0,\"first\":1,\"last\":1,\"networks\":[[1,1]],\"next\":0}"),
	    TALLY("{\"count\":4294967296,\"first\":1,\"last\":1,\"networks\":[[1,1]],\"next\":0}"),
	    TALLY("{\"count\":1,\"first\":2,\"last\":1,\"networks\":[[1,1]],\"next\":0}"),
	    TALLY("{\"count\":1,\"first\":1,\"last\":1,\"networks\":[],\"next\":0}"),
	    TALLY("{\"count\":1,\"first\":1,\"last\":1,\"networks\":[[1,0]],\"next\":0}"),
	    TALLY("{\"count\":1,\"first\":1,\"last\":1,\"networks\":[[1,101]],\"next\":0}"),
	    TALLY("{\"count\":1,\"first\":1,\"last\":1,\"networks\":[[1,1],[1,1]],\"next\":0}"),
	    TALLY("{\"count\":1,\"first\":1,\"last\":1,\"networks\":[[4294967296,1]],\"next\":0}"),
	    TALLY("{\"count\":1,\"first\":1,\"last\":1,\"networks\":[[1,1,1]],\"next\":0}"),
	    TALLY("{\"count\":1,\"first\":1,\"last\":1,\"networks\":[[1,1]],\"next\":16}"),
	    TALLY(
	        "{\"count\":1,\"first\":1,\"last\":1,\"networks\":[[1,1],[2,1],[3,1],[4,1],[5,1],"
	        "[6,1],[7,1],[8,1],[9,1],[10,1],[11,1],[12,1],[13,1],[14,1],[15,1],[16,1],[17,1]],"
	        "\"next\":0}"),
	    GOOD ",\"fingerprinted\":1",
	    GOOD ",\"fingerprinted\":1,\"capabilities\":\"0123456789abcde\",\"banner\":"
	         "\"0123456789abcdef\"",
	    GOOD ",\"fingerprinted\":1,\"capabilities\":\"0000000000000000\",\"banner\":"
	         "\"0123456789abcdef\"",
	    GOOD "} trailing {",
	    "\"x\":[[[[[[[[",
	};
	struct error error;
	(void)state;
	for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
		int servers = load_line(lines[i], &error);
		if (servers != 0 || strncmp(error.text, "f:2: ", 5) != 0)
			fail_msg("%s: %d %s", lines[i], servers, error.text);
	}
}

static void one_server_twice(void **state)
{
	static uint8_t bytes[FILE_MAX];
	struct server_memory *memory = create(0);
	struct error error;
	(void)state;
	server_memory_note(memory, &lab_smtp("192.0.2.1", "10.0.0.1", NOW)->judged);
	save(memory);
	size_t length = read_file(path, bytes);
	uint8_t *line = (uint8_t *)memchr(bytes, '\n', length) + 1;
	size_t line_length = length - (size_t)(line - bytes);
	memcpy(bytes + length, line, line_length);
	assert_int_equal(load_bytes(bytes, length + line_length, &error), 1);
	assert_non_null(strstr(error.text, "f:3: the server is known already"));
	server_memory_destroy(memory);
}

/* ---- a file that cannot be written ---- */

static void check_unchanged(const uint8_t *bytes, size_t length)
{
	static uint8_t now[FILE_MAX];
	assert_int_equal(read_file(path, now), length);
	assert_memory_equal(now, bytes, length);
}

static void a_full_disk_leaves_the_old_file(void **state)
{
	static uint8_t bytes[FILE_MAX];
	struct server_memory *memory = filled();
	struct error error = {""};
	struct rlimit old, limit;
	(void)state;
	save(memory);
	size_t length = read_file(path, bytes);
	server_memory_note(memory, &lab_smtp("192.0.2.200", "10.0.0.1", NOW)->judged);
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	for (rlim_t size = 0; size < length; size += length / 5) {
		limit = (struct rlimit){size, old.rlim_max};
		assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
		bool saved = server_memory_save(memory, path, &error);
		assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
		assert_false(saved);
		assert_non_null(strstr(error.text, path));
		assert_non_null(strstr(error.text, "is as it was"));
		check_unchanged(bytes, length);
	}
	server_memory_destroy(memory);
}

static void a_place_that_cannot_be_written(void **state)
{
	struct server_memory *memory = filled();
	struct error error = {""};
	char elsewhere[300];
	(void)state;
	snprintf(elsewhere, sizeof elsewhere, "%s/missing/servers.jsonl", directory);
	assert_false(server_memory_save(memory, elsewhere, &error));
	assert_non_null(strstr(error.text, elsewhere));
	assert_false(server_memory_can_save(elsewhere, &error));
	assert_non_null(strstr(error.text, elsewhere));
	assert_false(server_memory_save(memory, directory, &error));
	assert_false(server_memory_can_save(directory, &error));
	assert_non_null(strstr(error.text, "no regular file"));
	assert_false(server_memory_save(memory, "/dev/full", &error));
	assert_false(server_memory_can_save("/dev/full", &error));
	assert_true(server_memory_can_save(path, &error));
	assert_true(server_memory_can_save("servers.jsonl", &error)); // in this directory
	server_memory_destroy(memory);
}

// What stands beside the file may be another process's, or left over from one that was killed.
static void beside_the_file(void **state)
{
	static uint8_t bytes[FILE_MAX];
	struct server_memory *memory = filled();
	struct error error = {""};
	char beside[300];
	(void)state;
	save(memory);
	size_t length = read_file(path, bytes);
	snprintf(beside, sizeof beside, "%s.new", path);
	int other = open(beside, O_WRONLY | O_CREAT, 0644);
	assert_int_equal(write(other, "half a line", 11), 11);
	assert_int_equal(flock(other, LOCK_EX), 0);
	assert_false(server_memory_save(memory, path, &error));
	assert_non_null(strstr(error.text, "another process is writing it"));
	check_unchanged(bytes, length);
	assert_int_equal(access(beside, F_OK), 0); // the other's
	close(other); // killed
	save(memory);
	check_unchanged(bytes, length);
	assert_int_not_equal(access(beside, F_OK), 0);
	struct stat status;
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_mode & 07777, 0600);
	assert_int_equal(symlink(path, beside), 0); // is not followed
	assert_false(server_memory_save(memory, path, &error));
	check_unchanged(bytes, length);
	unlink(beside);
	server_memory_destroy(memory);
}

/* ---- the list of good servers ---- */

static void the_list_of_good_servers(void **state)
{
	static const char list[] =
	    "192.0.2.25 25 starttls " HASH "\nmx.example.com 25 starttls\n192.0.2.25 465 tls\n";
	struct server_memory *memory = create(0);
	struct server_history history;
	struct error error = {""};
	struct ip_address address = lab_address("192.0.2.25");
	(void)state;
	FILE *file = fopen(path, "wb");
	assert_non_null(file);
	assert_true(fputs(list, file) >= 0 && fclose(file) == 0);
	assert_true(server_memory_load_baseline(memory, path, &error));
	assert_int_equal(server_memory_counters(memory).baseline, 3);
	history = recall(memory, "192.0.2.25", NULL, NOW);
	assert_true(history.known && history.baseline && history.offer_proven);
	assert_false(history.baseline_tls);
	assert_int_equal(history.pin_count, 1);
	assert_int_equal(history.pins[0][1], 0x11);
	history = recall(memory, "192.0.2.99", NULL, NOW); // calls itself mx.example.com
	assert_true(history.baseline && history.offer_proven && history.pin_count == 0);
	assert_false(recall(memory, "192.0.2.99", "other.example.com", NOW).known);
	assert_true(server_memory_recall_port(memory, &address, 465, &history));
	assert_true(history.baseline && history.baseline_tls && !history.offer_proven);
	struct lab_session *lab = lab_smtp("192.0.2.25", "10.0.0.1", NOW);
	lab_list(lab, "PIPELINING");
	server_memory_note(memory, &lab->judged);
	history = recall(memory, "192.0.2.25", NULL, NOW);
	assert_true(history.offer_proven);
	assert_int_equal(history.not_offered, 1);
	server_memory_destroy(memory);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_same_comes_back),
	    cmocka_unit_test(a_missing_file_is_none_yet),
	    cmocka_unit_test(a_smaller_memory_keeps_the_newest),
	    cmocka_unit_test(cut_at_every_byte),
	    cmocka_unit_test(every_byte_changed),
	    cmocka_unit_test(the_first_damaged_line_is_told),
	    cmocka_unit_test(what_is_no_memory_is_refused),
	    cmocka_unit_test(good_lines),
	    cmocka_unit_test(lines_have_a_limit),
	    cmocka_unit_test(hostile_lines),
	    cmocka_unit_test(one_server_twice),
	    cmocka_unit_test(a_full_disk_leaves_the_old_file),
	    cmocka_unit_test(a_place_that_cannot_be_written),
	    cmocka_unit_test(beside_the_file),
	    cmocka_unit_test(the_list_of_good_servers),
	};
	return cmocka_run_group_tests_name(
	    "server_memory_file", tests, make_directory, remove_directory);
}
