// SPDX-License-Identifier: Apache-2.0
// Command lines: what good ones mean, and that bad ones end in one line that names what is wrong.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "analytics/options.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { WORDS_MAX = 16 };

// Splits at spaces; '_' stands for a space inside a word, '@' for an empty word.
static enum options_outcome read_line(
    const char *line, struct options **options, struct error *error)
{
	static char text[512];
	char *words[WORDS_MAX + 1] = {NULL};
	int count = 0;
	snprintf(text, sizeof text, "mailtap %s", line);
	for (char *word = strtok(text, " "); word != NULL; word = strtok(NULL, " ")) {
		assert_true(count < WORDS_MAX);
		for (char *c = word; *c != '\0'; c++)
			*c = *c == '_' ? ' ' : *c == '@' ? '\0' : *c;
		words[count++] = word;
	}
	struct option_errors errors;
	enum options_outcome outcome = options_read(count, words, options, &errors);
	assert_int_equal(errors.count, outcome == OPTIONS_WRONG);
	*error = errors.errors[0];
	return outcome;
}

static struct options *good(const char *line)
{
	struct options *options;
	struct error error;
	enum options_outcome outcome = read_line(line, &options, &error);
	if (outcome != OPTIONS_RUN)
		print_error("%s: %s\n", line, error.text);
	assert_int_equal(outcome, OPTIONS_RUN);
	assert_string_equal(error.text, "");
	return options;
}

static void defaults(void **state)
{
	static const uint16_t usual[] = {25, 110, 143, 465, 587, 993, 995, 2525};
	unsigned followed = 0;
	(void)state;
	struct options *options = good("-r a.pcap");
	assert_int_equal(options->file_count, 1);
	assert_string_equal(options->files[0], "a.pcap");
	assert_null(options->filter);
	assert_null(options->log_directory);
	assert_null(options->records_path);
	assert_null(options->sensor);
	assert_null(options->server_memory);
	assert_null(options->server_baseline);
	assert_null(options->anonymisation_key);
	assert_false(options->quiet || options->drop_wrong_checksums);
	assert_int_equal(options->memory, 1 << 30);
	for (unsigned port = 0; port <= UINT16_MAX; port++)
		followed += port_set_has(&options->ports.set, (uint16_t)port);
	assert_int_equal(followed, 8);
	for (size_t i = 0; i < 8; i++)
		assert_true(port_set_has(&options->ports.set, usual[i]));
	assert_true(options->ports.hints[993].implicit_tls);
	assert_false(options->ports.hints[143].implicit_tls);
	assert_int_equal(options->ports.hints[995].protocol, PROTOCOL_POP3);
	options_free(options);
}

static void each_option(void **state)
{
	(void)state;
	struct options *options = good("-q -w logs --output=- --sensor here --memory 64m "
	                               "--drop-bad-checksums --read=x.pcap -f tcp_port_25");
	assert_string_equal(options->log_directory, "logs");
	assert_string_equal(options->records_path, "-");
	assert_string_equal(options->sensor, "here");
	assert_string_equal(options->filter, "tcp port 25");
	assert_int_equal(options->memory, 64 << 20);
	assert_true(options->quiet && options->drop_wrong_checksums);
	options_free(options);
	options = good("-r a --cpus 3,5-6");
	assert_int_equal(options->cpus.count, 3);
	assert_int_equal(options->cpus.cpus[2], 6);
	options_free(options);
	options = good("-r a --server-memory known.jsonl --server-baseline=good.list");
	assert_string_equal(options->server_memory, "known.jsonl");
	assert_string_equal(options->server_baseline, "good.list");
	options_free(options);
}

static void captures_and_filter_words(void **state)
{
	static const struct {
		const char *line;
		size_t files;
		const char *filter;
	} cases[] = {
	    {"-r a -r b", 2, NULL},
	    {"-r a /dev/null /x/y", 3, NULL}, // exists, or has a slash
	    {"-r a tcp port 25", 1, "tcp port 25"},
	    {"-r a -q tcp", 1, "tcp"},
	    {"-r a -- tcp or udp", 1, "tcp or udp"},
	    {"-r a -", 2, NULL},
	    {"tcp -r a", 1, "tcp"},
	    {"-r a -f host_192.0.2.1", 1, "host 192.0.2.1"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct options *options = good(cases[i].line);
		assert_int_equal(options->file_count, cases[i].files);
		if (cases[i].filter == NULL)
			assert_null(options->filter);
		else
			assert_string_equal(options->filter, cases[i].filter);
		options_free(options);
	}
}

static void ports(void **state)
{
	(void)state;
	struct options *options = good("-r a --ports 26,1025:smtps,143");
	assert_false(port_set_has(&options->ports.set, 25));
	assert_true(port_set_has(&options->ports.set, 26));
	assert_int_equal(options->ports.hints[26].protocol, PROTOCOL_UNDECIDED);
	assert_true(options->ports.hints[1025].implicit_tls);
	assert_int_equal(options->ports.hints[1025].protocol, PROTOCOL_SMTP);
	assert_int_equal(options->ports.hints[143].protocol, PROTOCOL_IMAP);
	options_free(options);

	options = good("-r a --ports +25:smtps,25:smtps,26,26"); // said twice, and other than usual
	assert_true(options->ports.hints[25].implicit_tls);
	options_free(options);

	options = good("-r a --ports=+65535:pop3");
	assert_true(port_set_has(&options->ports.set, 25));
	assert_int_equal(options->ports.hints[65535].protocol, PROTOCOL_POP3);
	options_free(options);
}

static void sizes(void **state)
{
	static const struct {
		const char *line;
		size_t size;
	} cases[] = {{"-r a --memory 8M", 8 << 20}, {"-r a --memory 8388608", 8 << 20},
	    {"-r a --memory 8192k", 8 << 20}, {"-r a --memory 3G", (size_t)3 << 30},
	    {"-r a --memory 1T", (size_t)1 << 40}};
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct options *options = good(cases[i].line);
		assert_int_equal(options->memory, cases[i].size);
		options_free(options);
	}
}

static void bad_lines(void **state)
{
	static const struct {
		const char *line, *named;
	} cases[] = {
	    {"-r a --server-memory", "--server-memory: needs a value"},
	    {"-r a --server-memory x --server-memory y", "given twice"},
	    {"-r a --server-baseline=@", "empty"},
    {"-r a --anonymise @", "empty"},
    {"-r a -w x --pem --anonymise k", "leave out --pem"},
    {"-r a --anonymise k --write-certs x", "leave out --pem and --write-certs"},
	    {"", "-r FILE"},
	    {"-q", "-r FILE"},
	    {"-r", "-r"},
	    {"-r a --sensor", "--sensor"},
	    {"-x", "-x"},
	    {"--nonsense", "--nonsense"},
	    {"-r a --trust-anchors b", "--trust-anchors: needs --dns"},
	    {"-r a --quiet=yes", "--quiet: takes no value"},
	    {"-r a --drop-bad-checksums=1", "takes no value"},
	    {"-r a -w @", "-w"},
	    {"-r a -w x -w y", "-w"},
	    {"-r a -o x -o x", "-o"},
	    {"-r a --sensor x --sensor y", "--sensor"},
	    {"-r - -r -", "standard input"},
	    {"-r a -f nonsense_here", "nonsense"},
	    {"-r a nonsense here", "nonsense"},
	    {"-r a -f tcp -f udp", "-f"},
	    {"-r a -f tcp udp", "udp"},
	    {"-r a --ports", "--ports"},
	    {"-r a --ports @", "--ports"},
	    {"-r a --ports 0", "\"0\""},
	    {"-r a --ports 65536", "65536"},
	    {"-r a --ports 18446744073709551641", "18446744073709551641"},
	    {"-r a --ports -25", "-25"},
	    {"-r a --ports 25,", "--ports"},
	    {"-r a --ports 25,,26", "--ports"},
	    {"-r a --ports 25x", "25x"},
	    {"-r a --ports _25", "--ports"},
	    {"-r a --ports 25:", "25:"},
	    {"-r a --ports 25:ftp", "25:ftp"},
	    {"-r a --ports 25:smtpss", "25:smtpss"},
	    {"-r a --ports +", "--ports"},
	    {"-r a --ports 26:smtp,26:imap", "two services on port 26"},
	    {"-r a --ports +26:smtp,143,26:smtps", "two services on port 26"},
	    {"-r a --cpus 2,", "--cpus: \"2,\" is no list of processors"},
	    {"-r a --cpus 3-1", "\"3-1\" is no list"},
	    {"-r a --cpus 0-128", "more than 128"},
	    {"-r a --cpus 1 --cpus 2", "--cpus: given twice"},
	    {"-r a --cpus=@", "--cpus"},
	    {"-r a --memory 1K", "1K"},
	    {"-r a --memory 0", "0"},
	    {"-r a --memory -8M", "-8M"},
	    {"-r a --memory 8MB", "8MB"},
	    {"-r a --memory 8_M", "8 M"},
	    {"-r a --memory _-99999999", "-99999999"},
	    {"-r a --memory M", "\"M\""},
	    {"-r a --memory @", "--memory"},
	    {"-r a --memory 99999999999999999999", "99999999999999999999"},
	    {"-r a --memory 18014398509498368K", "18014398509498368K"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct options *options;
		struct error error;
		enum options_outcome outcome = read_line(cases[i].line, &options, &error);
		if (outcome != OPTIONS_WRONG || strstr(error.text, cases[i].named) == NULL)
			print_error("%s: %d \"%s\"\n", cases[i].line, outcome, error.text);
		assert_int_equal(outcome, OPTIONS_WRONG);
		assert_non_null(strstr(error.text, cases[i].named));
		options_free(options);
	}
}

// What they print is the business of the tests of the whole program.
static void help_and_version(void **state)
{
	static const char *const lines[] = {
	    "-h", "--help", "--version", "-V", "-q --help", "-r a -h"};
	(void)state;
	fflush(stdout);
	int kept = dup(STDOUT_FILENO);
	FILE *out = freopen("/dev/null", "w", stdout);
	enum options_outcome outcomes[6] = {OPTIONS_WRONG};
	for (size_t i = 0; out != NULL && i < 6; i++) {
		struct options *options;
		struct error error;
		outcomes[i] = read_line(lines[i], &options, &error);
		options_free(options);
	}
	fflush(stdout);
	dup2(kept, STDOUT_FILENO);
	close(kept);
	for (size_t i = 0; i < 6; i++)
		assert_int_equal(outcomes[i], OPTIONS_DONE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(defaults),
	    cmocka_unit_test(each_option),
	    cmocka_unit_test(captures_and_filter_words),
	    cmocka_unit_test(ports),
	    cmocka_unit_test(sizes),
	    cmocka_unit_test(bad_lines),
	    cmocka_unit_test(help_and_version),
	};
	return cmocka_run_group_tests_name("options", tests, NULL, NULL);
}
