// SPDX-License-Identifier: Apache-2.0
#include "analytics/options.h"

#include "capture/packet_filter.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	MEMORY_DEFAULT = 1 << 30,
	MEMORY_MIN = 8 << 20,
	LONG_ONLY = 256, // values of options without a letter begin here
};

enum long_option {
	OPTION_PORTS = LONG_ONLY,
	OPTION_SENSOR,
	OPTION_MEMORY,
	OPTION_DROP_CHECKSUMS,
};

static const struct option long_options[] = {
    {"read", required_argument, NULL, 'r'},
    {"filter", required_argument, NULL, 'f'},
    {"log-dir", required_argument, NULL, 'w'},
    {"output", required_argument, NULL, 'o'},
    {"ports", required_argument, NULL, OPTION_PORTS},
    {"sensor", required_argument, NULL, OPTION_SENSOR},
    {"memory", required_argument, NULL, OPTION_MEMORY},
    {"drop-bad-checksums", no_argument, NULL, OPTION_DROP_CHECKSUMS},
    {"quiet", no_argument, NULL, 'q'},
    {"version", no_argument, NULL, 'V'},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

static const char help_text[] =
    "Usage: mailtap -r FILE... [options] [filter expression]\n"
    "\n"
    "Reads captures and tells of every mail connection in them whether it was protected.\n"
    "\n"
    "  -r, --read FILE...       captures to read, one after the other as one traffic: pcap or\n"
    "                           pcapng, also compressed; - is standard input\n"
    "  -w, --log-dir DIR        write the logs (sessions.jsonl) to this directory\n"
    "  -o, --output FILE        write the session records to this file; - prints them\n"
    "  -f, --filter EXPRESSION  only packets that match, as in pcap-filter(7); also what follows\n"
    "                           the options, or --\n"
    "      --ports LIST         ports to follow, as 25,2526:smtp,10993:imaps; what they speak\n"
    "                           may be smtp, imap, pop3, or with s at the end for TLS from the\n"
    "                           first byte; a leading + adds to the usual ones\n"
    "      --sensor NAME        name of this tap in the records\n"
    "      --memory SIZE        most memory for connections, as 512M or 2G (1G)\n"
    "      --drop-bad-checksums leave out segments with a wrong TCP checksum (they are counted\n"
    "                           and kept: a sender's network card may fill them in later)\n"
    "  -q, --quiet              no summary, no progress\n"
    "      --version            print the version and exit\n"
    "  -h, --help               print this and exit\n"
    "\n"
    "Without -o - the summary goes to standard output, with it to standard error.\n"
    "Exit code: 0 all was read and written, 1 something could not be, 2 wrong usage.\n";

/* ---- ports ---- */

struct service {
	const char *name;
	struct port_hint hint;
};

static const struct service services[] = {
    {"smtp", {PROTOCOL_SMTP, false}},
    {"smtps", {PROTOCOL_SMTP, true}},
    {"imap", {PROTOCOL_IMAP, false}},
    {"imaps", {PROTOCOL_IMAP, true}},
    {"pop3", {PROTOCOL_POP3, false}},
    {"pop3s", {PROTOCOL_POP3, true}},
};

static const struct {
	uint16_t port;
	struct port_hint hint;
} usual_ports[] = {
    {25, {PROTOCOL_SMTP, false}},
    {465, {PROTOCOL_SMTP, true}},
    {587, {PROTOCOL_SMTP, false}},
    {2525, {PROTOCOL_SMTP, false}},
    {110, {PROTOCOL_POP3, false}},
    {995, {PROTOCOL_POP3, true}},
    {143, {PROTOCOL_IMAP, false}},
    {993, {PROTOCOL_IMAP, true}},
};

static void add_port(struct port_table *table, uint16_t port, struct port_hint hint)
{
	port_set_add(&table->set, port);
	table->hints[port] = hint;
}

static struct port_hint usual_hint(uint16_t port)
{
	for (size_t i = 0; i < sizeof usual_ports / sizeof usual_ports[0]; i++)
		if (usual_ports[i].port == port)
			return usual_ports[i].hint;
	return (struct port_hint){PROTOCOL_UNDECIDED, false};
}

static void add_usual_ports(struct port_table *table)
{
	for (size_t i = 0; i < sizeof usual_ports / sizeof usual_ports[0]; i++)
		add_port(table, usual_ports[i].port, usual_ports[i].hint);
}

static bool read_service(const char *name, size_t length, struct port_hint *hint)
{
	for (size_t i = 0; i < sizeof services / sizeof services[0]; i++) {
		if (strlen(services[i].name) == length &&
		    memcmp(services[i].name, name, length) == 0) {
			*hint = services[i].hint;
			return true;
		}
	}
	return false;
}

// One item: PORT or PORT:SERVICE.
static bool read_port(struct port_table *table, const char *item, size_t length)
{
	char *end;
	const char *colon = memchr(item, ':', length);
	size_t digits = colon != NULL ? (size_t)(colon - item) : length;
	unsigned long port = strtoul(item, &end, 10);
	if (digits == 0 || end != item + digits || item[0] < '0' || item[0] > '9' || port == 0 ||
	    port > UINT16_MAX)
		return false;
	struct port_hint hint = usual_hint((uint16_t)port);
	if (colon != NULL && !read_service(colon + 1, length - digits - 1, &hint))
		return false;
	add_port(table, (uint16_t)port, hint);
	return true;
}

static bool read_ports(struct port_table *table, const char *list, struct error *error)
{
	memset(table, 0, sizeof *table);
	if (list[0] == '+') {
		add_usual_ports(table);
		list++;
	}
	for (;;) {
		size_t length = strcspn(list, ",");
		if (!read_port(table, list, length)) {
			error_set(error,
			    "--ports: \"%.*s\" is no port: expected PORT or PORT:SERVICE, with one "
			    "of "
			    "smtp smtps imap imaps pop3 pop3s",
			    (int)(length < 40 ? length : 40), list);
			return false;
		}
		if (list[length] == '\0')
			return true;
		list += length + 1;
	}
}

/* ---- other values ---- */

static bool read_size(const char *text, size_t *size, struct error *error)
{
	static const char units[] = "KMGT";
	char *end;
	errno = 0;
	unsigned long long value = strtoull(text, &end, 10);
	const char *unit = *end != '\0' ? strchr(units, *end & ~0x20) : NULL;
	unsigned shift = unit != NULL ? 10 * (unsigned)(unit - units + 1) : 0;
	bool good = text[0] >= '0' && text[0] <= '9' && errno == 0 &&
	            (*end == '\0' || (unit != NULL && end[1] == '\0')) &&
	            value <= SIZE_MAX >> shift;
	if (!good) {
		error_set(error,
		    "--memory: \"%.40s\" is no size: expected a number, K, M or G behind it", text);
		return false;
	}
	*size = (size_t)value << shift;
	if (*size >= MEMORY_MIN)
		return true;
	error_set(error, "--memory: %.40s is too little: at least 8M are needed", text);
	return false;
}

// A value that can be given only once, and not be empty.
static bool set_once(const char **slot, const char *value, const char *name, struct error *error)
{
	if (*slot != NULL)
		error_set(error, "%s: given twice; name one", name);
	else if (value[0] == '\0')
		error_set(error, "%s: its value is empty", name);
	else
		*slot = value;
	return *slot == value;
}

static void add_file(struct options *options, const char *name)
{
	options->files[options->file_count++] = name;
}

// The words of a filter expression that stood alone on the command line, joined by spaces.
static bool add_filter_word(struct options *options, const char *word)
{
	size_t have = options->filter != NULL ? strlen(options->filter) + 1 : 0;
	char *longer = realloc(options->filter, have + strlen(word) + 1);
	if (longer == NULL)
		return false;
	if (have > 0)
		longer[have - 1] = ' ';
	memcpy(longer + have, word, strlen(word) + 1);
	options->filter = longer;
	return true;
}

/* ---- the whole ---- */

struct reading {
	struct options *options;
	bool files_may_follow; // the last words were captures: `-r *.pcap` gives many
	bool filter_given; // by -f
	bool filter_words; // behind the options
};

// A word that is no option: another capture right behind -r, otherwise part of the filter.
static bool read_word(struct reading *reading, const char *word, struct error *error)
{
	bool is_file =
	    strcmp(word, "-") == 0 || access(word, F_OK) == 0 || strchr(word, '/') != NULL;
	if (reading->files_may_follow && !reading->filter_words && is_file) {
		add_file(reading->options, word);
		return true;
	}
	if (reading->filter_given) {
		error_set(error, "\"%.80s\": there is a filter by -f already%s", word,
		    is_file ? "; name captures behind -r" : "");
		return false;
	}
	if (is_file && strchr(word, '/') != NULL && !reading->files_may_follow) {
		error_set(error, "\"%.80s\": name captures behind -r", word);
		return false;
	}
	reading->filter_words = true;
	return add_filter_word(reading->options, word);
}

static bool set_filter(struct reading *reading, const char *expression, struct error *error)
{
	if (reading->filter_given || reading->filter_words) {
		error_set(
		    error, "-f: there is a filter already; join the two with \"and\" or \"or\"");
		return false;
	}
	reading->filter_given = true;
	return add_filter_word(reading->options, expression);
}

static bool read_value(struct reading *reading, int option, const char *value, struct error *error)
{
	struct options *options = reading->options;
	reading->files_may_follow = option == 'r';
	switch (option) {
	case 'r':
		add_file(options, value);
		return true;
	case 'f':
		return set_filter(reading, value, error);
	case 'w':
		return set_once(&options->log_directory, value, "-w", error);
	case 'o':
		return set_once(&options->records_path, value, "-o", error);
	case 'q':
		options->quiet = true;
		return true;
	case OPTION_PORTS:
		return read_ports(&options->ports, value, error);
	case OPTION_SENSOR:
		return set_once(&options->sensor, value, "--sensor", error);
	case OPTION_MEMORY:
		return read_size(value, &options->memory, error);
	case OPTION_DROP_CHECKSUMS:
		options->drop_wrong_checksums = true;
		return true;
	default:
		return false;
	}
}

// What is wrong with an option that getopt did not take.
static void explain(int option, char **argv, struct error *error)
{
	const char *word = argv[optind - 1];
	if (option == ':')
		error_set(error, "%.80s: needs a value; see --help", word);
	else if (optopt != 0 && strncmp(word, "--", 2) == 0)
		error_set(error, "%.80s: takes no value; see --help", word);
	else if (optopt != 0 && optopt < LONG_ONLY)
		error_set(error, "unknown option -%c; see --help", optopt);
	else
		error_set(error, "unknown option %.80s; see --help", word);
}

// An expression that is no filter on Ethernet nor on bare IP is none on any link.
static bool check_filter(const char *expression, struct error *error)
{
	struct packet_filter *filter = packet_filter_create(expression, error);
	struct error ignored;
	bool good = filter != NULL && (packet_filter_prepare(filter, LINK_RAW, &ignored) ||
	                                  packet_filter_prepare(filter, LINK_ETHERNET, error));
	packet_filter_destroy(filter);
	return good;
}

static bool check(const struct options *options, struct error *error)
{
	if (options->filter != NULL && !check_filter(options->filter, error))
		return false;
	size_t standard_inputs = 0;
	for (size_t i = 0; i < options->file_count; i++)
		standard_inputs += strcmp(options->files[i], "-") == 0;
	if (options->file_count == 0)
		error_set(error, "nothing to read: name a capture with -r FILE; see --help");
	else if (standard_inputs > 1)
		error_set(error, "standard input can be read only once");
	else
		return true;
	return false;
}

static enum options_outcome read_all(
    struct reading *reading, int argc, char **argv, struct error *error)
{
	int option;
	opterr = 0;
	optind = 0;
	while ((option = getopt_long(argc, argv, "-:r:f:w:o:qhV", long_options, NULL)) != -1) {
		if (option == 'h' || option == 'V') {
			fputs(option == 'h' ? help_text : "mailtap " MAILTAP_VERSION "\n", stdout);
			return OPTIONS_DONE;
		}
		if (option == '?' || option == ':') {
			explain(option, argv, error);
			return OPTIONS_WRONG;
		}
		bool good = option == 1 ? read_word(reading, optarg, error)
		                        : read_value(reading, option, optarg, error);
		if (!good)
			return OPTIONS_WRONG;
	}
	reading->files_may_follow = false; // behind "--" stands the filter
	for (; optind < argc; optind++)
		if (!read_word(reading, argv[optind], error))
			return OPTIONS_WRONG;
	return check(reading->options, error) ? OPTIONS_RUN : OPTIONS_WRONG;
}

void options_free(struct options *options)
{
	if (options == NULL)
		return;
	free(options->files);
	free(options->filter);
	free(options);
}

enum options_outcome options_read(
    int argc, char **argv, struct options **options, struct error *error)
{
	*options = calloc(1, sizeof **options);
	if (*options != NULL)
		(*options)->files = calloc((size_t)argc + 1, sizeof *(*options)->files);
	if (*options == NULL || (*options)->files == NULL) {
		error_set(error, "no memory");
		return OPTIONS_WRONG;
	}
	(*options)->memory = MEMORY_DEFAULT;
	add_usual_ports(&(*options)->ports);
	struct reading reading = {.options = *options};
	return read_all(&reading, argc, argv, error);
}
