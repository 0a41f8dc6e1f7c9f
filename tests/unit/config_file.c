// SPDX-License-Identifier: Apache-2.0
// Configuration files: what good ones set, what the command line replaces of it, and that each mistake is told
// where it stands.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "analytics/config_file.h"
#include "analytics/name_distance.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { WORDS_MAX = 16 };

static char path[] = "/tmp/mailtap-config-XXXXXX";

static struct config_file *read_text(const char *text, struct option_errors *errors)
{
	*errors = (struct option_errors){.count = 0};
	return config_text_read("f", view_of((const uint8_t *)text, strlen(text)), errors);
}

/* ---- values ---- */

// What a file sets, one `name=value` a line.
static void check_settings(const char *text, const char *expected)
{
	struct option_errors errors;
	char found[512] = "";
	size_t count;
	struct config_file *config = read_text(text, &errors);
	if (config == NULL)
		print_error("%s\n%s\n", text, errors.errors[0].text);
	assert_non_null(config);
	assert_int_equal(errors.count, 0);
	const struct config_setting *settings = config_settings(config, &count);
	for (size_t i = 0; i < count; i++)
		snprintf(found + strlen(found), sizeof found - strlen(found), "%s=%s\n",
		    settings[i].row->name, settings[i].value != NULL ? settings[i].value : "yes");
	assert_string_equal(found, expected);
	config_file_free(config);
}

static void good_files(void **state)
{
	(void)state;
	check_settings("", "");
	check_settings("# nothing\n", "");
	check_settings("---\n", "");
	check_settings("\xef\xbb\xbf"
	               "logs:\n  sensor: a\n",
	    "sensor=a\n"); // a byte order mark
	check_settings("%YAML 1.1\n---\nlogs:\n  sensor: a\n...\n", "sensor=a\n");
	check_settings("logs:\n\ncapture: ~\n", "");
	check_settings("logs: {}\ncapture: {any-port: true, no-ndpi: false}\n", "any-port=yes\n");
	check_settings("logs:\r\n  sensor: a b\r\n  quiet: true\r\n", "sensor=a b\nquiet=yes\n");
	check_settings("logs:\n  sensor: \"t\\u00fcr\"\n", "sensor=t\xc3\xbcr\n");
	check_settings("logs:\n  sensor: 'null'\n", "sensor=null\n");
	check_settings("logs:\n  sensor: 010 # octal nowhere\n", "sensor=010\n");
	check_settings("capture:\n  read: a\n", "read=a\n");
	check_settings("capture:\n  read: [a, 'b c', -]\n", "read=a\nread=b c\nread=-\n");
	check_settings("capture:\n  read:\n    - a\n    - b\n", "read=a\nread=b\n");
	check_settings("capture:\n  read: []\n", "");
	check_settings("capture:\n  ports: 25,26:smtp\n", "ports=25,26:smtp\n");
	check_settings("capture:\n  ports: [+26:smtp, 27]\n", "ports=+26:smtp,27\n");
	check_settings("capture:\n  filter: >-\n    tcp port 25\n    or vlan\n",
	    "filter=tcp port 25 or vlan\n");
	check_settings("performance:\n  cpus: [2, 4-7]\n  workers: 2\n", "cpus=2,4-7\nworkers=2\n");
	check_settings("performance:\n  memory: 64M\nstatistics:\n  interval: 0\n",
	    "memory=64M\ninterval=0\n");
}

static void places(void **state)
{
	struct option_errors errors;
	size_t count;
	(void)state;
	struct config_file *config =
	    read_text("# \xc3\xbc\ncapture:\n  read: [a,\n    \xc3\xbc, b]\n", &errors);
	assert_non_null(config);
	const struct config_setting *settings = config_settings(config, &count);
	assert_int_equal(count, 3);
	assert_int_equal(settings[0].line * 100 + settings[0].column, 310);
	assert_int_equal(settings[1].line * 100 + settings[1].column, 405);
	assert_int_equal(settings[2].line * 100 + settings[2].column, 408);
	config_file_free(config);
}

/* ---- mistakes ---- */

static void bad_files(void **state)
{
	static const struct {
		const char *text;
		const char *errors[4]; // the beginning of each
	} cases[] = {
	    {"logs:\n  sensro: a\n", {"f:2:3: unknown key \"sensro\"; did you mean \"sensor\"?"}},
	    {"logs:\n  log_dir: a\n",
	        {"f:2:3: unknown key \"log_dir\"; did you mean \"log-dir\"?"}},
	    {"logs:\n  gopher: a\n", {"f:2:3: unknown key \"gopher\"; mailtap --help lists them"}},
	    {"lgos:\n  sensor: a\n", {"f:1:1: unknown section \"lgos\"; did you mean \"logs\"?"}},
	    {"gopher:\n  sensor: a\n", {"f:1:1: unknown section \"gopher\""}},
	    {"memory: 1G\n", {"f:1:1: \"memory\" belongs in the section \"performance\""}},
	    {"logs:\n  memory: 1G\n", {"f:2:3: \"memory\" belongs in the section \"performance\""}},
	    {"logs:\n  help: true\n", {"f:2:3: \"help\" is for the command line only"}},
	    {"logs:\n  config: a\n", {"f:2:3: \"config\" is for the command line only"}},
	    {"logs: a\n", {"f:1:7: logs: expected keys"}},
	    {"logs: [a]\nfoo: 1\n", {"f:1:7: logs: expected keys", "f:2:1: unknown section"}},
	    {"a\n", {"f:1:1: expected sections"}},
	    {"[a]\n", {"f:1:1: expected sections"}},
	    {"[a]: b\n", {"f:1:1: expected a section"}},
	    {"logs:\n  {a: b}: c\n  foo: d\n", {"f:2:3: expected a key", "f:3:3: unknown key"}},
	    {"logs:\n  sensor: a\n  sensor: b\n",
	        {"f:3:3: \"sensor\" stands here a second time; the first is in line 2"}},
	    {"logs:\nlogs:\n",
	        {"f:2:1: \"logs\" stands here a second time; the first is in line 1"}},
	    {"logs:\n  sensor:\n", {"f:2:10: sensor: has no value"}},
	    {"logs:\n  sensor: ~\n", {"f:2:11: sensor: has no value"}},
	    {"logs:\n  sensor: null\n", {"f:2:11: sensor: has no value"}},
	    {"logs:\n  sensor: ''\n", {"f:2:11: sensor: its value is empty"}},
	    {"logs:\n  sensor: [a]\n", {"f:2:11: sensor: takes one value, not a list"}},
	    {"logs:\n  sensor: {a: b}\n", {"f:2:11: sensor: expected a value"}},
	    {"logs:\n  quiet: yes\n", {"f:2:10: quiet: \"yes\" is neither true nor false"}},
	    {"logs:\n  quiet: [true]\n", {"f:2:10: quiet: takes one value"}},
	    {"logs:\n  sensor: |\n    a\n", {"f:2:11: holds a line break"}},
	    {"logs:\n  sensor: \"a\\0b\"\n", {"f:2:11: holds a line break or another character"}},
	    {"logs:\n  sensor: \"\\x9b2J\"\n", {"f:2:11: holds"}},
	    {"logs:\n  \"a\\x1bb\": 1\n", {"f:2:3: holds"}},
	    {"\"a\\x1bb\": 1\n", {"f:1:1: holds"}},
	    {"capture:\n  read: [a, [b], c, {d: e}, ~]\n",
	        {"f:2:13: read: expected a value", "f:2:21: read: expected a value",
	            "f:2:29: read: has no value"}},
	    {"capture:\n  ports: [25, [26], 27]\n", {"f:2:15: ports: expected a value"}},
	    {"capture:\n  ports: [25, 2x]\n", {"f:2:10: ports: \"2x\" is no port"}},
	    {"capture:\n  ports: []\n", {"f:2:10: ports: \"\" is no port"}},
	    {"capture:\n  filter: tcp prot 25\n", {"f:2:11: cannot use filter 'tcp prot 25'"}},
	    {"performance:\n  memory: much\n", {"f:2:11: memory: \"much\" is no size"}},
	    {"performance:\n  cpus: 4-2\n", {"f:2:9: cpus: \"4-2\" is no list of processors"}},
	    {"performance:\n  memory: 1K\n", {"f:2:11: memory: 1K is too little"}},
	    {"statistics:\n  interval: soon\n", {"f:2:13: interval: \"soon\" is no number"}},
	    {"logs: &a\n  sensor: x\n", {"f:1:7: anchors and aliases"}},
	    {"logs: *a\n", {"f:1:7: anchors and aliases", "f:1:7: logs: expected keys"}},
	    {"logs:\n  sensor: &a x\n  log-dir: *a\n",
	        {"f:2:11: anchors and aliases", "f:3:12: anchors and aliases"}},
	    {"logs:\n  sensor: !!str x\n", {"f:2:11: tags (!) are not taken"}},
	    {"logs: !a\n  sensor: x\n", {"f:1:7: tags (!) are not taken"}},
	    {"logs:\n---\ncapture:\n", {"f:2:1: a second document begins"}},
	    {"logs:\n\tsensor: x\n", {"f:2:1: a tab; YAML is indented with spaces"}},
	    {"# \xc3\xbc\nlogs:\n  \xc3\xbc: 1\n\tsensor: x\n",
	        {"f:3:3: unknown key \"\xc3\xbc\"", "f:4:1: a tab"}},
	    {"logs:\n  foo: 1\n  sensor: \"x\n",
	        {"f:2:3: unknown key", "f:4:1: not YAML: found unexpected end of stream, while "
	                               "scanning a quoted scalar that begins in line 3"}},
	    {"a: b: c\n", {"f:1:1: unknown section", "f:1:5: not YAML: mapping values are not "}},
	    {"# \xc3\xbc\n#\xfc\n", {"f:2:2: not UTF-8: a byte 0xfc"}},
	    {"# \xc3\xbc\x01\n", {"f:1:4: a control character (byte 0x01)"}},
	    {"x: [[[[[[[[[[[[[[[[\n", {"f:1:1: unknown section", "f:1:12: nested too deeply"}},
	    {"capture:\n  read: [[[[[[[[[[[[[[[[\n",
	        {"f:2:10: read: expected a value", "f:2:18: nested too deeply"}},
	};
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct option_errors errors;
		size_t count = 0;
		assert_null(read_text(cases[i].text, &errors));
		for (; count < 4 && cases[i].errors[count] != NULL; count++) {
			const char *expected = cases[i].errors[count];
			bool right =
			    strncmp(errors.errors[count].text, expected, strlen(expected)) == 0;
			if (!right || count >= errors.count)
				print_error("%s\n%zu: %s\n", cases[i].text, count,
				    errors.errors[count].text);
			assert_true(right && count < errors.count);
		}
		if (errors.count != count)
			print_error("%s\n%s\n", cases[i].text, errors.errors[count].text);
		assert_int_equal(errors.count, count);
		assert_int_equal(errors.left_out, 0);
	}
}

static void nul_byte(void **state)
{
	static const uint8_t text[] = "logs:\n  \0sensor: a\n";
	struct option_errors errors = {.count = 0};
	(void)state;
	assert_null(config_text_read("f", view_of(text, sizeof text - 1), &errors));
	assert_int_equal(errors.count, 1);
	assert_string_equal(errors.errors[0].text, "f:2:3: a control character (byte 0x00)");
}

static void many_mistakes(void **state)
{
	char text[1024] = "logs:\n";
	struct option_errors errors;
	(void)state;
	for (unsigned i = 0; i < 33; i++)
		snprintf(text + strlen(text), sizeof text - strlen(text), "  key-%u: 1\n", i);
	assert_null(read_text(text, &errors));
	assert_int_equal(errors.count, 20);
	assert_int_equal(errors.left_out, 13);
	assert_non_null(strstr(errors.errors[19].text, "f:21:3: unknown key \"key-19\""));
}

/* ---- beside the command line ---- */

static void write_file(const char *text)
{
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static void with_path(char text[256], const char *pattern)
{
	text[0] = '\0';
	for (; *pattern != '\0'; pattern++)
		snprintf(text + strlen(text), 256 - strlen(text), *pattern == '@' ? "%s" : "%.1s",
		    *pattern == '@' ? path : pattern);
}

// Splits at spaces.
static enum options_outcome read_line(
    const char *line, struct options **options, struct option_errors *errors)
{
	static char text[256];
	char *words[WORDS_MAX + 1] = {NULL};
	int count = 0;
	snprintf(text, sizeof text, "mailtap %s", line);
	for (char *word = strtok(text, " "); word != NULL; word = strtok(NULL, " ")) {
		assert_true(count < WORDS_MAX);
		words[count++] = word;
	}
	return options_read(count, words, options, errors);
}

// The options of a file and a command line that names it.
static struct options *both(const char *file, const char *line)
{
	struct options *options;
	struct option_errors errors;
	char whole[256];
	write_file(file);
	snprintf(whole, sizeof whole, "--config %s %s", path, line);
	enum options_outcome outcome = read_line(whole, &options, &errors);
	if (outcome != OPTIONS_RUN)
		print_error("%s: %s\n", line, errors.errors[0].text);
	assert_int_equal(outcome, OPTIONS_RUN);
	return options;
}

static void file_alone(void **state)
{
	(void)state;
	struct options *options =
	    both("capture:\n  read: [a, b]\n  filter: udp\n  ports: +26\n  any-port: true\n"
	         "performance:\n  memory: 9M\nstatistics:\n  interval: 7\n"
	         "certificates:\n  ca-file: [x, y]\nlogs:\n  sensor: s\n",
	        "");
	assert_int_equal(options->file_count, 2);
	assert_string_equal(options->files[1], "b");
	assert_string_equal(options->filter, "udp");
	assert_true(options->any_port && options->ports.set.every);
	assert_true(port_set_has(&options->ports.set, 26) && port_set_has(&options->ports.set, 25));
	assert_int_equal(options->memory, 9 << 20);
	assert_int_equal(options->interval, SECONDS(7));
	assert_int_equal(options->ca_files.count, 2);
	assert_string_equal(options->ca_files.paths[0], "x");
	assert_string_equal(options->sensor, "s");
	options_free(options);
}

static void command_line_replaces(void **state)
{
	static const char file[] =
	    "capture:\n  read: [a, b]\n  filter: udp\n  ports: 26\nperformance:\n  memory: 9M\n"
	    "certificates:\n  ca-file: [x, y]\n  crl-dir: z\nlogs:\n  sensor: s\n";
	(void)state;
	struct options *options =
	    both(file, "-r c --ports 27 --memory 10M --ca-file k --sensor t -f tcp -q");
	assert_int_equal(options->file_count, 1);
	assert_string_equal(options->files[0], "c");
	assert_string_equal(options->filter, "tcp");
	assert_true(port_set_has(&options->ports.set, 27));
	assert_false(port_set_has(&options->ports.set, 26));
	assert_int_equal(options->memory, 10 << 20);
	assert_int_equal(options->ca_files.count, 1);
	assert_string_equal(options->ca_files.paths[0], "k");
	assert_int_equal(options->crl_directories.count, 1); // not said anew
	assert_string_equal(options->sensor, "t");
	assert_true(options->quiet);
	options_free(options);
	options = both(file, "tcp or arp"); // words are a filter, too
	assert_string_equal(options->filter, "tcp or arp");
	assert_int_equal(options->file_count, 2);
	options_free(options);
}

// Mistakes between options are told at the one that stands in the file. '@' stands for the file.
static void between_options(void **state)
{
	static const struct {
		const char *file, *line, *error;
	} cases[] = {
	    {"certificates:\n  pem: true\n", "-r a", "@:2:8: --pem: certificates are written"},
	    {"statistics:\n  asn-db: x\n", "-r a", "@:2:11: --asn-db, --country-db: statistics"},
	    {"capture:\n  read: [a]\n", "--pem", "--pem: certificates are written"},
	    {"logs:\n  output: @\n", "-r @", "@:2:11: -o: @ is one of the captures to read"},
	    {"logs:\n  output: x\n", "-r @ -o @", "-o: @ is one of the captures to read"},
	    {"logs:\n  sensor: x\n", "", "nothing to read"},
	    {"logs:\n  sensor: [x]\n", "-r a --sensor y", "@:2:11: sensor: takes one value"},
	    {"", "--check-config --pem", "--pem: certificates are written"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct options *options;
		struct option_errors errors;
		char whole[512], text[256], expected[256];
		with_path(text, cases[i].file);
		write_file(text);
		with_path(text, cases[i].line);
		with_path(expected, cases[i].error);
		snprintf(whole, sizeof whole, "%s --config %s", text, path);
		assert_int_equal(read_line(whole, &options, &errors), OPTIONS_WRONG);
		bool right = strncmp(errors.errors[0].text, expected, strlen(expected)) == 0;
		if (!right)
			print_error("%s: %s\n", expected, errors.errors[0].text);
		assert_true(right);
		assert_int_equal(errors.count, 1);
		options_free(options);
	}
}

// The shipped file changes nothing: what stands in it are the defaults.
static void shipped_file_is_defaults(void **state)
{
	struct options *with, *without;
	struct option_errors errors;
	size_t count;
	(void)state;
	assert_int_equal(
	    read_line("--config configs/mailtap.yaml -r a", &with, &errors), OPTIONS_RUN);
	assert_int_equal(read_line("-r a", &without, &errors), OPTIONS_RUN);
	config_settings(with->config, &count);
	assert_true(count > 0);
	config_file_free(with->config);
	with->config = NULL;
	with->config_path = NULL;
	free(with->files);
	with->files = without->files;
	assert_memory_equal(with, without, sizeof *with);
	with->files = NULL;
	options_free(with);
	options_free(without);
}

static void distances(void **state)
{
	static const struct {
		const char *one, *other;
		size_t distance;
	} cases[] = {{"", "", 0}, {"memory", "memory", 0}, {"memroy", "memory", 1},
	    {"memor", "memory", 1}, {"memoryy", "memory", 1}, {"Memory", "memory", 1},
	    {"emmroy", "memory", 2}, {"log_dir", "log-dir", 1}, {"", "abc", 3}, {"abc", "", 3},
	    {"ab", "ba", 1}, {"kitten", "sitting", 3}};
	char longest[NAME_DISTANCE_MAX + 2];
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
		assert_int_equal(name_distance(cases[i].one, cases[i].other), cases[i].distance);
	memset(longest, 'a', sizeof longest - 1);
	longest[NAME_DISTANCE_MAX + 1] = '\0';
	assert_true(
	    name_distance(longest, "a") == SIZE_MAX && name_distance("a", longest) == SIZE_MAX);
	assert_int_equal(name_distance(longest + 1, longest + 1), 0);
	assert_int_equal(name_distance(longest + 1, ""), NAME_DISTANCE_MAX);
	assert_int_equal(name_distance_near("memory"), 2);
	assert_int_equal(name_distance_near("a"), 0);
}

static int make_file(void **state)
{
	(void)state;
	int file = mkstemp(path);
	return file >= 0 ? close(file) : -1;
}

static int remove_file(void **state)
{
	(void)state;
	return unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(good_files),
	    cmocka_unit_test(places),
	    cmocka_unit_test(bad_files),
	    cmocka_unit_test(nul_byte),
	    cmocka_unit_test(many_mistakes),
	    cmocka_unit_test(file_alone),
	    cmocka_unit_test(command_line_replaces),
	    cmocka_unit_test(between_options),
	    cmocka_unit_test(shipped_file_is_defaults),
	    cmocka_unit_test(distances),
	};
	return cmocka_run_group_tests_name("config_file", tests, make_file, remove_file);
}
