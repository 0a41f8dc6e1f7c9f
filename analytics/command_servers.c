// SPDX-License-Identifier: Apache-2.0
// `mailtap servers`: what is remembered of servers, as a table to read or as JSON Lines.
#include "analytics/anonymise_key.h"
#include "analytics/anonymise_text.h"
#include "analytics/command.h"
#include "analytics/command_line.h"
#include "analytics/json_fields.h"
#include "analytics/plain_text.h"
#include "analytics/server_key.h"
#include "analytics/server_memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

enum {
	SERVERS_MAX = 4 << 20, // of a file; more than any has
	NAME_COLUMNS = 39, // an IPv6 address
};

enum servers_option { OPTION_MEMORY = COMMAND_LONG_ONLY, OPTION_ANONYMISE, OPTION_JSON };

static const struct option long_options[] = {
    {"server-memory", required_argument, NULL, OPTION_MEMORY},
    {"anonymise", required_argument, NULL, OPTION_ANONYMISE},
    {"json", no_argument, NULL, OPTION_JSON},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

static const char help_text[] =
    "Usage: mailtap servers --server-memory FILE [options] [SERVER...]\n"
    "\n"
    "Prints what is remembered of servers, those with the most sessions first; or only of these\n"
    "SERVERs (addresses or names).\n"
    "\n"
    "      --server-memory FILE  the file that runs with this option wrote\n"
    "      --anonymise KEYFILE   print other addresses in the place of the real ones, as mailtap itself\n"
    "                            has it; the file, and SERVER, have the real ones\n"
    "      --json                JSON Lines with all there is\n"
    "  -h, --help                print this and exit\n"
    "\n"
    "In the table, a session counts under\n"
    "  offered   if STARTTLS (STLS) was in the server's list\n"
    "  absent    if the list was seen whole, and without it\n"
    "  TLS       if TLS was completed\n"
    "and of one client network at most 100 of each. proven: TLS was completed behind an offer, or\n"
    "clients in three networks or more saw one. nets: client networks that saw it offered or, if they\n"
    "are more, completed TLS; 16 stands for more, too.\n";

struct servers_options {
	const char *path;
	const char *anonymisation_key; // a file; NULL: addresses are printed as they are
	bool json;
	const char **wanted; // addresses and names; all if there are none
	size_t wanted_count;
};

// A server as it was remembered: what visit gives lives only as long as the call.
struct row {
	char server[HOST_NAME_MAX_BYTES + 1];
	bool by_name;
	uint16_t port;
	struct server_history history;
};

struct rows {
	const struct servers_options *options;
	struct anonymiser *anonymiser; // NULL: addresses are printed as they are
	struct row *rows;
	size_t count, size;
	bool failed; // no memory
};

static void say(const char *text)
{
	struct error error;
	error_set(&error, "%s", text);
	fprintf(stderr, "mailtap: %s\n", error.text);
}

/* ---- the command line ---- */

static bool is_server(const char *text)
{
	struct ip_address address;
	struct host_name name;
	return server_address_read(text, &address) ||
	       host_name_read(view_of((const uint8_t *)text, strlen(text)), &name);
}

static bool check(const struct servers_options *options, struct error *error)
{
	if (options->path == NULL) {
		error_set(error,
		    "servers: name the file with --server-memory FILE; see mailtap servers --help");
		return false;
	}
	for (size_t i = 0; i < options->wanted_count; i++)
		if (!is_server(options->wanted[i])) {
			error_set(error, "servers: \"%.80s\" is neither an address nor a name",
			    options->wanted[i]);
			return false;
		}
	return true;
}

static bool take(void *context, int option, const char *value, struct error *error)
{
	struct servers_options *options = context;
	switch (option) {
	case COMMAND_WORD:
		options->wanted[options->wanted_count++] = value;
		return true;
	case OPTION_MEMORY:
		return command_line_set(&options->path, value, "--server-memory", error);
	case OPTION_ANONYMISE:
		return command_line_set(&options->anonymisation_key, value, "--anonymise", error);
	default:
		options->json = true;
		return true;
	}
}

static enum options_outcome read_options(
    int argc, char **argv, struct servers_options *options, struct error *error)
{
	static const struct command_line line = {"servers", help_text, long_options, take};
	options->wanted = calloc((size_t)argc, sizeof *options->wanted);
	if (options->wanted == NULL) {
		error_set(error, "servers: no memory");
		return OPTIONS_WRONG;
	}
	enum options_outcome outcome = command_line_read(&line, argc, argv, options, error);
	return outcome == OPTIONS_RUN && !check(options, error) ? OPTIONS_WRONG : outcome;
}

/* ---- collecting ---- */

// However it was written.
static bool is_same(const char *asked, const struct remembered_server *server)
{
	struct ip_address address;
	struct host_name name;
	if (server->address != NULL)
		return server_address_read(asked, &address) &&
		       memcmp(&address, server->address, sizeof address) == 0;
	return host_name_read(view_of((const uint8_t *)asked, strlen(asked)), &name) &&
	       strcmp(name.text, server->name) == 0;
}

static bool is_wanted(const struct servers_options *options, const struct remembered_server *server)
{
	for (size_t i = 0; i < options->wanted_count; i++)
		if (is_same(options->wanted[i], server))
			return true;
	return options->wanted_count == 0;
}

static struct row *add_row(struct rows *rows)
{
	if (rows->count == rows->size) {
		size_t size = rows->size > 0 ? 2 * rows->size : 64;
		struct row *more = realloc(rows->rows, size * sizeof *more);
		if (more == NULL) {
			rows->failed = true;
			return NULL;
		}
		rows->rows = more;
		rows->size = size;
	}
	return &rows->rows[rows->count++];
}

static void set_address(
    struct row *row, struct anonymiser *anonymiser, const struct ip_address *address)
{
	struct ip_address shown =
	    anonymiser != NULL ? anonymise_address(anonymiser, address) : *address;
	server_address_write(&shown, row->server);
}

static void set_name(struct row *row, struct anonymiser *anonymiser, const char *name)
{
	uint8_t shown[HOST_NAME_MAX_BYTES + ANONYMISE_TEXT_GROWTH];
	const uint8_t *bytes = (const uint8_t *)name;
	size_t length = strlen(name);
	if (anonymiser != NULL) {
		length = anonymise_text(anonymiser, bytes, length, shown);
		bytes = shown;
	}
	snprintf(row->server, sizeof row->server, "%.*s", (int)length, (const char *)bytes);
}

static void collect(void *context, const struct remembered_server *server)
{
	struct rows *rows = context;
	struct row *row = is_wanted(rows->options, server) && !rows->failed ? add_row(rows) : NULL;
	if (row == NULL)
		return;
	if (server->address != NULL)
		set_address(row, rows->anonymiser, server->address);
	else
		set_name(row, rows->anonymiser, server->name);
	row->by_name = server->address == NULL;
	row->port = server->port;
	row->history = *server->history;
}

// The most sessions first; the same in every run.
static int compare(const void *one, const void *other)
{
	const struct row *a = one, *b = other;
	if (a->history.sessions != b->history.sessions)
		return a->history.sessions < b->history.sessions ? 1 : -1;
	int names = strcmp(a->server, b->server);
	return names != 0 ? names : (int)a->port - (int)b->port;
}

/* ---- printing ---- */

static void print_day(nanoseconds time)
{
	char text[32] = "?";
	time_t seconds = (time_t)(time / SECONDS(1));
	struct tm parts;
	if (gmtime_r(&seconds, &parts) != NULL)
		strftime(text, sizeof text, "%Y-%m-%d", &parts);
	printf(" %-10s", text);
}

static unsigned networks_of(const struct server_history *history)
{
	return history->offered_networks > history->established_networks
	           ? history->offered_networks
	           : history->established_networks;
}

static void print_row(const struct row *row)
{
	char server[4 * NAME_COLUMNS + 1];
	const struct server_history *history = &row->history;
	size_t width =
	    plain_text(server, NAME_COLUMNS, (const uint8_t *)row->server, strlen(row->server));
	printf("%s%*s %5u %8llu %7u %6u %5u %4u", server, (int)(NAME_COLUMNS - width), "",
	    row->port, (unsigned long long)history->sessions, history->offered,
	    history->not_offered, history->established, networks_of(history));
	print_day(history->last);
	printf("%s\n", history->offer_proven ? " proven" : "");
}

static void print_table(const struct rows *rows)
{
	printf("%-*s %5s %8s %7s %6s %5s %4s %-10s\n", NAME_COLUMNS, "server", "port", "sessions",
	    "offered", "absent", "TLS", "nets", "last seen");
	for (size_t i = 0; i < rows->count; i++)
		print_row(&rows->rows[i]);
}

static void write_time(struct json *json, const char *key, nanoseconds time)
{
	json_key(json, key);
	if (time > 0)
		json_time(json, time);
	else
		json_null(json);
}

static void write_leaf(struct json *json, const struct server_leaf *leaf)
{
	static const uint8_t none[SHA256_BYTES];
	bool known = memcmp(leaf->spki_sha256, none, sizeof none) != 0;
	json_object_begin(json);
	json_key_hash(json, "sha256", leaf->sha256);
	json_key_hash(json, "spki_sha256", known ? leaf->spki_sha256 : NULL);
	write_time(json, "first", leaf->first);
	write_time(json, "last", leaf->last);
	write_time(json, "not_after", leaf->not_after);
	json_key_unsigned(json, "sessions", leaf->sessions);
	json_key_unsigned(json, "networks", leaf->networks);
	json_key_bool(json, "trusted", leaf->trusted);
	json_key_bool(json, "self_signed", leaf->self_signed);
	json_object_end(json);
}

static void write_counts(struct json *json, const struct server_history *history)
{
	json_key_unsigned(json, "sessions", history->sessions);
	json_key_unsigned(json, "offered", history->offered);
	json_key_unsigned(json, "offered_networks", history->offered_networks);
	write_time(json, "offered_last", history->offered_last);
	json_key_bool(json, "offer_proven", history->offer_proven);
	json_key_unsigned(json, "not_offered", history->not_offered);
	json_key_unsigned(json, "accepted", history->accepted);
	write_time(json, "accepted_last", history->accepted_last);
	json_key_unsigned(json, "refused", history->refused);
	json_key_unsigned(json, "established", history->established);
	json_key_unsigned(json, "established_networks", history->established_networks);
	write_time(json, "established_last", history->established_last);
	json_key_unsigned(json, "ehlo_taken", history->ehlo_taken);
	json_key_unsigned(json, "ehlo_networks", history->ehlo_networks);
	json_key_unsigned(json, "greeted_ok", history->greeted_ok);
	json_key_unsigned(json, "greeted_preauth", history->greeted_preauth);
}

static void write_row(struct json *json, const struct row *row)
{
	const struct server_history *history = &row->history;
	json_clear(json);
	json_object_begin(json);
	json_key_name(json, "server_ip", row->by_name ? NULL : row->server);
	json_key_name(json, "server_name", row->by_name ? row->server : NULL);
	json_key_unsigned(json, "server_port", row->port);
	write_time(json, "first", history->first);
	write_time(json, "last", history->last);
	write_counts(json, history);
	json_key(json, "leaves");
	json_array_begin(json);
	for (size_t i = 0; i < history->leaf_count; i++)
		write_leaf(json, &history->leaves[i]);
	json_array_end(json);
	json_object_end(json);
	json_line_end(json);
}

static bool print_json(const struct rows *rows)
{
	struct json json = {.text = NULL};
	for (size_t i = 0; i < rows->count && !json.failed; i++) {
		write_row(&json, &rows->rows[i]);
		if (!json.failed)
			fwrite(json.text, 1, json.length, stdout);
	}
	bool good = !json.failed;
	json_release(&json);
	return good;
}

/* ---- the command ---- */

static struct server_memory *load(const char *path, struct error *error)
{
	struct stat status;
	struct server_memory_options options = {.servers = SERVERS_MAX};
	if (stat(path, &status) != 0) {
		error_set(error, "%s: cannot be read: there is no such file", path);
		return NULL;
	}
	struct server_memory *memory = server_memory_create(&options);
	error_set(error, "no memory to read %s", path);
	if (memory != NULL && server_memory_load(memory, path, error))
		return memory;
	server_memory_destroy(memory);
	return NULL;
}

static bool print_rows(struct rows *rows)
{
	if (rows->count > 0)
		qsort(rows->rows, rows->count, sizeof rows->rows[0], compare);
	bool good = !rows->failed;
	if (rows->options->json)
		good = print_json(rows) && good;
	else
		print_table(rows);
	if (!good)
		say("no memory for all servers: some are not printed");
	struct error error;
	if (command_output_end(&error))
		return good;
	command_say(&error);
	return false;
}

static bool open_anonymiser(struct rows *rows, struct error *error)
{
	if (rows->options->anonymisation_key == NULL)
		return true;
	rows->anonymiser = anonymiser_open(rows->options->anonymisation_key, error);
	return rows->anonymiser != NULL;
}

// Part of the file being damaged is worth a line and an exit code, but no reason to print nothing.
static int print_servers(const struct servers_options *options)
{
	struct error error;
	struct rows rows = {.options = options};
	struct server_memory *memory = NULL;
	if (open_anonymiser(&rows, &error))
		memory = load(options->path, &error);
	if (memory == NULL) {
		say(error.text);
		anonymiser_destroy(rows.anonymiser);
		return COMMAND_FAILED;
	}
	bool whole = error.text[0] == '\0';
	if (!whole)
		say(error.text);
	server_memory_each(memory, collect, &rows);
	server_memory_destroy(memory);
	rows.failed |= rows.anonymiser != NULL && anonymiser_failed(rows.anonymiser);
	anonymiser_destroy(rows.anonymiser);
	bool printed = print_rows(&rows);
	bool found = options->wanted_count == 0 || rows.count > 0;
	if (!found)
		say("nothing is remembered of what was asked for");
	free(rows.rows);
	return whole && printed && found ? 0 : COMMAND_FAILED;
}

int command_servers(int argc, char **argv)
{
	struct servers_options options = {.path = NULL};
	struct error error;
	enum options_outcome outcome = read_options(argc, argv, &options, &error);
	int code =
	    outcome == OPTIONS_RUN ? print_servers(&options) : command_line_end(outcome, &error);
	free(options.wanted);
	return code;
}
