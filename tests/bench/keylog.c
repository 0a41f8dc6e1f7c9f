// SPDX-License-Identifier: Apache-2.0
// What a key log costs: reading it, and handshakes of TLS 1.3 (the first trace of RFC 8448, a client
// random of its own for each) without a key log, with one that does not know them, and with one that
// does.
#include "decode/tls.h"
#include "tests/unit/rfc8448.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { SESSIONS = 100000, RANDOM_AT = 11, RECORD_MAX = 1024, ROUNDS = 5 };

struct record {
	enum direction sender;
	size_t length;
	uint8_t bytes[RECORD_MAX];
};

static struct record records[8];
static unsigned record_count;

static double now(void)
{
	struct timespec time;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
	return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

static void read_trace(const struct rfc8448_trace *trace)
{
	for (; record_count < 8 && trace->records[record_count].digits != NULL; record_count++) {
		struct record *record = &records[record_count];
		const char *digits = trace->records[record_count].digits;
		record->sender = trace->records[record_count].sender;
		record->length = strlen(digits) / 2;
		for (size_t i = 0; i < record->length; i++) {
			char pair[3] = {digits[2 * i], digits[2 * i + 1], 0};
			record->bytes[i] = (uint8_t)strtoul(pair, NULL, 16);
		}
	}
}

// A client random for each number; the hello does not authenticate it, so that the secrets stay good.
static void put_random(uint8_t random[TLS_RANDOM_LENGTH], uint32_t number)
{
	for (size_t i = 0; i < TLS_RANDOM_LENGTH; i += 4) {
		number = number * 2654435761U + 12345;
		memcpy(random + i, &number, 4);
	}
}

static void put_hex(char *text, const uint8_t *bytes, size_t length)
{
	for (size_t i = 0; i < length; i++)
		sprintf(text + 2 * i, "%02x", bytes[i]);
}

// The lines of `trace`, with the client random of this number.
static size_t add_session(
    struct tls_keylog *keylog, const struct rfc8448_trace *trace, uint32_t number)
{
	char text[1024];
	uint8_t random[TLS_RANDOM_LENGTH];
	snprintf(text, sizeof text, "%s", trace->keylog);
	put_random(random, number);
	for (char *line = text; *line != '\0'; line = strchr(line, '\n') + 1) {
		char digits[2 * TLS_RANDOM_LENGTH + 1];
		put_hex(digits, random, sizeof random);
		memcpy(strchr(line, ' ') + 1, digits, 2 * TLS_RANDOM_LENGTH);
	}
	tls_keylog_add(keylog, (const uint8_t *)text, strlen(text));
	return strlen(text);
}

static unsigned certificates;

static void on_certificate(void *context, enum direction sender, unsigned position, struct view der)
{
	(void)context, (void)sender, (void)position, (void)der;
	certificates++;
}

static const struct tls_sink sink = {.certificate = on_certificate};

static void one_session(struct memory *memory, const struct tls_keylog *keylog, uint32_t number)
{
	struct tls *tls = tls_create(memory, &sink, NULL);
	tls_use_keylog(tls, keylog);
	put_random(records[0].bytes + RANDOM_AT, number);
	for (unsigned i = 0; i < record_count; i++) {
		size_t consumed;
		tls_feed(tls, records[i].sender, records[i].bytes, records[i].length, &consumed);
	}
	tls_destroy(tls);
}

static void measure(
    const char *name, struct memory *memory, const struct tls_keylog *keylog, uint32_t first)
{
	double best = 1e9;
	certificates = 0;
	for (int round = 0; round < ROUNDS; round++) {
		double begin = now();
		for (uint32_t i = 0; i < SESSIONS / 10; i++)
			one_session(memory, keylog, first + i * 7919 % SESSIONS);
		double spent = now() - begin;
		best = spent < best ? spent : best;
	}
	printf("%-44s %8.0f ns a session, %u certificates seen\n", name,
	    best / (SESSIONS / 10) * 1e9, certificates / ROUNDS);
}

int main(void)
{
	const struct rfc8448_trace *trace = &rfc8448_traces[0];
	struct memory *memory = memory_create(64 << 20);
	struct tls_keylog *keylog = tls_keylog_create();
	size_t bytes = 0;
	if (memory == NULL || keylog == NULL)
		return 1;
	read_trace(trace);
	double begin = now();
	for (uint32_t i = 0; i < SESSIONS; i++)
		bytes += add_session(keylog, trace, i);
	printf("%d sessions taken from a key log: %.0f ms (%.0f MB)\n", SESSIONS,
	    (now() - begin) * 1e3, (double)bytes / 1e6);
	measure("no key log", memory, NULL, 0);
	measure("a key log that does not know them", memory, keylog, SESSIONS);
	measure("a key log that does: 2 records opened", memory, keylog, 0);
	tls_keylog_destroy(keylog);
	memory_destroy(memory);
	return 0;
}
