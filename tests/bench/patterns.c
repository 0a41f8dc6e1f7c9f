// SPDX-License-Identifier: Apache-2.0
// What patterns cost: loading them with and without a cache, a match by class, and a whole session whose
// greeting and capabilities are new or known.
#include "analytics/pattern_findings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MATCHES = 300000, SESSIONS = 300000, ROUNDS = 5, LOADS = 20 };

static double now(void)
{
	struct timespec time;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
	return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

static struct pattern_set *load(const char *cache)
{
	struct error error;
	struct pattern_set_options options = {.cache_directory = cache};
	struct pattern_set *set = pattern_set_load(&options, &error);
	if (set == NULL) {
		fprintf(stderr, "%s\n", error.text);
		exit(1);
	}
	return set;
}

static void time_loads(const char *cache)
{
	double compiled = now();
	struct pattern_set *set = load(NULL);
	compiled = now() - compiled;
	pattern_set_destroy(set);
	pattern_set_destroy(load(cache));
	double cached = now();
	for (int i = 0; i < LOADS; i++) {
		set = load(cache);
		struct pattern_scratch *scratch = pattern_scratch_create(set);
		if (!pattern_set_was_cached(set))
			puts("(not cached)");
		pattern_scratch_destroy(scratch);
		pattern_set_destroy(set);
	}
	cached = (now() - cached) / LOADS;
	printf("load: %.1f ms compiled, %.2f ms from the cache\n", compiled * 1e3, cached * 1e3);
}

static void time_match(const struct pattern_set *set, enum pattern_class class, const char *text)
{
	struct pattern_scratch *scratch = pattern_scratch_create(set);
	struct view view = view_of((const uint8_t *)text, strlen(text));
	const char *said = NULL;
	double best = 1e9;
	for (int round = 0; round < ROUNDS; round++) {
		double start = now();
		for (int i = 0; i < MATCHES; i++)
			said = pattern_match(set, scratch, class, view);
		double took = (now() - start) / MATCHES * 1e9;
		best = took < best ? took : best;
	}
	printf("%-20s %5.0f ns  %-10s %s\n", pattern_class_name(class), best,
	    said != NULL ? said : "-", text);
	pattern_scratch_destroy(scratch);
}

static struct text *text_of(const char *bytes)
{
	struct text *text = calloc(1, sizeof *text + strlen(bytes));
	text->length = (uint32_t)strlen(bytes);
	memcpy(text->bytes, bytes, text->length);
	return text;
}

// `changing`: each greeting is another one, as Exim's and Dovecot's are.
static void time_sessions(const struct pattern_set *set, bool changing)
{
	struct session session = {
	    .server_banner =
	        text_of("220 mx.example.com ESMTP Exim 4.96 Mon, 23 Nov 2026 18:42:36"),
	    .capabilities =
	        text_of("SIZE 52428800\n8BITMIME\nPIPELINING\nPIPECONNECT\nSTARTTLS\nHELP")};
	struct session_record record = {.session = &session};
	struct pattern_reader *reader = pattern_reader_create(set);
	uint8_t *changes = session.server_banner->bytes + session.server_banner->length;
	double best = 1e9;
	unsigned long named = 0;
	for (int round = 0; round < ROUNDS; round++) {
		double start = now();
		for (int i = 0; i < SESSIONS; i++) {
			for (int digit = 0; changing && digit < 6; digit++)
				changes[-1 - digit] = (uint8_t)('0' + (i >> 3 * digit & 7));
			named += pattern_findings_of(reader, &record).server_software != NULL;
		}
		double took = (now() - start) / SESSIONS * 1e9;
		best = took < best ? took : best;
	}
	printf("a session, its greeting %s: %.0f ns (%lu named)\n", changing ? "new" : "known",
	    best, named);
	pattern_reader_destroy(reader);
	free(session.server_banner);
	free(session.capabilities);
}

int main(int count, char **arguments)
{
	time_loads(count > 1 ? arguments[1] : "/tmp/bench-patterns");
	struct pattern_set *set = load(NULL);
	time_match(set, PATTERN_SOFTWARE, "220 mx.example.com ESMTP Postfix (Debian/GNU)");
	time_match(set, PATTERN_SOFTWARE, "220 mx.example.com ESMTP");
	time_match(
	    set, PATTERN_SOFTWARE, "* OK [CAPABILITY IMAP4rev1 SASL-IR ID ENABLE] Dovecot ready.");
	time_match(set, PATTERN_SOFTWARE_CAPABILITY, "8BITMIME");
	time_match(
	    set, PATTERN_BANNER_OVERWRITTEN, "220 mx.example.com ESMTP Postfix (Debian/GNU)");
	time_match(set, PATTERN_FILLER_CAPABILITY, "ENHANCEDSTATUSCODES");
	time_match(set, PATTERN_FILLER_COMMAND, "STARTTLS");
	time_match(set, PATTERN_FILLER_ECHO, "502 5.5.2 Error: command not recognized");
	time_match(set, PATTERN_REFUSAL_WANTS_TLS, "550 5.1.1 <user@example.com> unknown in table");
	time_match(set, PATTERN_UNKNOWN_COMMAND, "502 5.5.2 Error: command not recognized");
	time_sessions(set, false);
	time_sessions(set, true);
	pattern_set_destroy(set);
	return 0;
}
