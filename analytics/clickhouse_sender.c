// SPDX-License-Identifier: Apache-2.0
#include "analytics/clickhouse_sender.h"

#include "analytics/clickhouse_answer.h"
#include "analytics/clickhouse_batches.h"
#include "analytics/clickhouse_client.h"
#include "analytics/clickhouse_schema.h"
#include "analytics/clickhouse_trouble.h"
#include "capture/base/monotonic.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
	QUERY_MAX = 512,
	LOOK = 1000, // milliseconds between looks for new files where nobody wakes
	SETTLE = 2000, // milliseconds between the two answers that a batch is not there
	YEAR = 10000,
	MONTH = 100, // in the number of a day
	UNREACHED_MOST =
	    3, // requests in a row that did not reach the server, after which the last flush is given up
	ATTEMPTS_MOST = 3, // to send a batch that the server says it cannot read
};

static const int64_t second = 1000000000; // nanoseconds

// What became of a batch.
enum fate {
	FATE_DONE, // it is there, or put aside: to the next one
	FATE_AGAIN, // something has to be waited for, and then all is to be looked at anew
};

struct clickhouse_sender {
	const struct shipper_plan *plan;
	struct shipper_status *status;
	struct clickhouse_client *client;
	struct batch_maker *maker;
	struct clickhouse_trouble trouble;
	struct reply reply;
	int directory;
	int wake; // ends with the tap
	bool ending; // it has
	int64_t until; // monotonic nanoseconds; when ending
	bool known[STORE_TABLES]; // that the table is as it should be
	unsigned unreached; // requests in a row that did not reach the server
	unsigned attempts; // in a row, to send a batch that the server says it cannot read
	struct error complaint; // what it said of the batch that was sent last
	bool complaint_told; // that it has a batch of which it said so
};

/* ---- waiting ---- */

static void begin_to_end(struct clickhouse_sender *sender)
{
	struct error error;
	sender->ending = true;
	sender->until = monotonic_now() + SHIPPER_FLUSH * second;
	clickhouse_client_limit(sender->client, (uint64_t)sender->until);
	if (!batches_tidy(sender->directory, true, &error)) // where the tap was killed
		clickhouse_trouble_say(&error);
}

// A byte for each new file; the end of the pipe is that of the tap.
static void drain(struct clickhouse_sender *sender)
{
	char bytes[256];
	ssize_t got = -1;
	while (!sender->ending && (got = read(sender->wake, bytes, sizeof bytes)) > 0)
		;
	if (got == 0)
		begin_to_end(sender);
}

// Until there is a new file (`for_files`), the tap ends, or it has taken this long.
static void wait_for(struct clickhouse_sender *sender, int64_t milliseconds, bool for_files)
{
	int64_t until = monotonic_now() + milliseconds * (second / 1000);
	if (sender->ending) {
		until = until < sender->until ? until : sender->until;
		if (!for_files && until > monotonic_now())
			(void)poll(NULL, 0, (int)((until - monotonic_now()) / (second / 1000)) + 1);
		return;
	}
	for (int64_t now; (now = monotonic_now()) < until && !sender->ending;) {
		struct pollfd look = {.fd = sender->wake, .events = POLLIN};
		if (poll(&look, 1, (int)((until - now) / (second / 1000)) + 1) <= 0)
			return;
		drain(sender);
		if (for_files)
			return;
	}
}

static bool is_over(const struct clickhouse_sender *sender)
{
	return sender->ending && monotonic_now() >= sender->until;
}

/* ---- one batch ---- */

// A request did not go well: told, and waited for.
static enum fate suffer(struct clickhouse_sender *sender, enum trouble_kind kind)
{
	sender->status->retries++;
	sender->status->away = true;
	if (is_over(sender)) // it may be well, and there was no time
		return FATE_AGAIN;
	unsigned pause = clickhouse_trouble(&sender->trouble, kind, sender->reply.text);
	bool away = sender->reply.kind == REPLY_NOT_SENT && ++sender->unreached >= UNREACHED_MOST;
	if (sender->ending && (kind == TROUBLE_LASTING || away))
		sender->until = 0; // nobody will mend it now
	wait_for(sender, pause, false);
	return FATE_AGAIN;
}

static void recover(struct clickhouse_sender *sender)
{
	sender->status->away = false;
	sender->unreached = 0;
	clickhouse_trouble_end(&sender->trouble);
}

static enum trouble_kind kind_of(const struct reply *reply)
{
	return reply->kind == REPLY_ERROR ? clickhouse_trouble_kind(reply->code, reply->status)
	                                  : TROUBLE_PASSING;
}

static enum fate mishap(
    struct clickhouse_sender *sender, const char *doing, const struct spool_file *file)
{
	char name[SPOOL_NAME_MAX];
	const char *why = strerror(errno);
	spool_file_name(name, file);
	snprintf(sender->reply.text, sizeof sender->reply.text, "%s/%s cannot be %s: %s",
	    sender->plan->spool, name, doing, why);
	return suffer(sender, TROUBLE_PASSING);
}

static enum fate arrived(struct clickhouse_sender *sender, const struct spool_file *file)
{
	if (!spool_remove(sender->directory, file))
		return mishap(sender, "removed", file);
	sender->status->stored[file->table] += file->rows;
	sender->status->batches++;
	sender->status->sent_last = (uint64_t)time(NULL);
	sender->attempts = 0;
	recover(sender);
	return FATE_DONE;
}

static enum fate put_aside(struct clickhouse_sender *sender, struct spool_file *file)
{
	char name[SPOOL_NAME_MAX];
	struct error what;
	if (!spool_move(sender->directory, file, SPOOL_REFUSED))
		return mishap(sender, "renamed", file);
	spool_file_name(name, file);
	error_set(&what, "%s does not take %" PRIu32 " rows, which stay in %s/%s: %.300s",
	    sender->plan->url.server, file->rows, sender->plan->spool, name, sender->reply.text);
	clickhouse_trouble_say(&what);
	sender->status->refused[file->table] += file->rows;
	sender->attempts = 0;
	sender->known[file->table] = false; // it may be the table
	return FATE_DONE;
}

// A query whose answer is a number. False: it has no answer.
static bool ask_number(struct clickhouse_sender *sender, const char *query, uint64_t *number)
{
	clickhouse_client_ask(sender->client, query, &sender->reply);
	return sender->reply.kind == REPLY_GOOD && clickhouse_number(sender->reply.text, number);
}

// How many rows of a batch are there, when the server is not at it any more. False: nobody knows yet.
static bool ask_rows(
    struct clickhouse_sender *sender, const struct spool_file *file, uint64_t *rows)
{
	char query[QUERY_MAX], name[SPOOL_NAME_MAX];
	uint64_t running = 0;
	const struct store_table *table = &store_tables[file->table];
	spool_batch_name(name, file);
	snprintf(query, sizeof query, "SELECT count() FROM system.processes WHERE query_id = '%s'",
	    name);
	if (!ask_number(sender, query, &running))
		return false;
	if (running > 0) {
		snprintf(
		    sender->reply.text, sizeof sender->reply.text, "it is still at batch %s", name);
		return false;
	}
	snprintf(query, sizeof query,
	    "SELECT count() FROM %s.%s WHERE batch = '%s' AND %s >= toDateTime('%04u-%02u-%02u "
	    "00:00:00', "
	    "'UTC')",
	    sender->plan->url.database, table->name, name, table->time, file->day / YEAR,
	    file->day / MONTH % MONTH, file->day % MONTH); // older parts need not be looked at
	return ask_number(sender, query, rows);
}

// The rows are there, but what comes behind them failed: a view, as far as is known.
static void tell_complaint(struct clickhouse_sender *sender)
{
	struct error what;
	if (sender->complaint.text[0] != '\0' && !sender->complaint_told) {
		error_set(&what,
		    "ClickHouse at %.100s: rows arrive, but views may lack them "
		    "(configs/clickhouse/check.sql "
		    "tells): %.300s",
		    sender->plan->url.server, sender->complaint.text);
		clickhouse_trouble_say(&what);
		sender->complaint_told = true;
	}
	sender->complaint.text[0] = '\0';
}

// A batch that was sent, and not answered for. FATE_DONE: it is not there, or all is.
static enum fate settle(struct clickhouse_sender *sender, struct spool_file *file)
{
	uint64_t rows = 0;
	if (!ask_rows(sender, file, &rows))
		return suffer(sender, kind_of(&sender->reply));
	if (rows == 0) { // unless it only now comes to what it was sent
		wait_for(sender, SETTLE, false);
		if (is_over(sender))
			return FATE_AGAIN;
		if (!ask_rows(sender, file, &rows))
			return suffer(sender, kind_of(&sender->reply));
	}
	sender->status->settled++;
	if (rows == file->rows) {
		tell_complaint(sender);
		return arrived(sender, file);
	}
	if (rows == 0)
		return spool_move(sender->directory, file, SPOOL_BATCH)
		           ? FATE_DONE
		           : mishap(sender, "renamed", file);
	sender->reply.length = (size_t)snprintf(sender->reply.text, sizeof sender->reply.text,
	    "it has %" PRIu64 " of them, which a batch never is", rows);
	return put_aside(sender, file);
}

// The server has said that it does not take it.
static enum fate judge(struct clickhouse_sender *sender, struct spool_file *file)
{
	enum trouble_kind kind = kind_of(&sender->reply);
	if (sender->reply.kind == REPLY_ERROR)
		error_set(&sender->complaint, "%.300s", sender->reply.text);
	bool nothing_done = sender->reply.kind == REPLY_NOT_SENT || kind == TROUBLE_LASTING;
	if (kind == TROUBLE_CONTENT && ++sender->attempts >= ATTEMPTS_MOST)
		return put_aside(sender, file);
	if (nothing_done && !spool_move(sender->directory, file, SPOOL_BATCH))
		return mishap(sender, "renamed", file);
	if (kind == TROUBLE_LASTING)
		sender->known[file->table] = false;
	return suffer(sender, kind);
}

static enum fate send_file(struct clickhouse_sender *sender, struct spool_file *file, int content)
{
	char query[QUERY_MAX], name[SPOOL_NAME_MAX];
	spool_batch_name(name, file);
	snprintf(query, sizeof query, "INSERT INTO %s.%s FORMAT JSONEachRow",
	    sender->plan->url.database, store_tables[file->table].name);
	sender->complaint.text[0] = '\0';
	// The mark is on the disk before the first byte is on the network.
	if (!spool_move(sender->directory, file, SPOOL_SENT) || fsync(sender->directory) != 0)
		return mishap(sender, "renamed", file);
	clickhouse_client_insert(sender->client, query, name, content, &sender->reply);
	return sender->reply.kind == REPLY_GOOD ? arrived(sender, file) : judge(sender, file);
}

static enum fate send_batch(struct clickhouse_sender *sender, struct spool_file *file)
{
	char name[SPOOL_NAME_MAX];
	const struct store_table *table = &store_tables[file->table];
	if (!sender->known[file->table]) {
		clickhouse_schema_check(
		    sender->client, sender->plan->url.database, table, &sender->reply);
		if (sender->reply.kind != REPLY_GOOD)
			return suffer(sender, kind_of(&sender->reply));
		sender->known[file->table] = true;
	}
	spool_file_name(name, file);
	int content = openat(sender->directory, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (content < 0)
		return mishap(sender, "read", file);
	enum fate fate = send_file(sender, file, content);
	close(content);
	return fate;
}

static enum fate take(struct clickhouse_sender *sender, struct spool_file *file)
{
	if (file->stage == SPOOL_SENT && settle(sender, file) == FATE_AGAIN)
		return FATE_AGAIN;
	return file->stage == SPOOL_BATCH ? send_batch(sender, file) : FATE_DONE;
}

/* ---- all that is there ---- */

// Batches of the lines that are there. False: it has to be waited for.
static bool make_batches(struct clickhouse_sender *sender, const struct spool_list *list)
{
	struct error error;
	for (size_t i = 0; i < list->count && !is_over(sender); i++)
		if (list->files[i].stage == SPOOL_LINES &&
		    !batch_maker_make(sender->maker, &list->files[i], &error)) {
			snprintf(sender->reply.text, sizeof sender->reply.text, "%s", error.text);
			suffer(sender, TROUBLE_PASSING);
			return false;
		}
	return true;
}

static bool list(struct clickhouse_sender *sender, struct spool_list *list)
{
	struct error error;
	if (spool_list_read(list, sender->directory, &error))
		return true;
	snprintf(sender->reply.text, sizeof sender->reply.text, "%s", error.text);
	suffer(sender, TROUBLE_PASSING);
	return false;
}

static bool is_to_send(const struct spool_file *file)
{
	return file->stage == SPOOL_SENT || file->stage == SPOOL_BATCH;
}

// True: nothing is left to be sent.
static bool send_all(struct clickhouse_sender *sender, const struct spool_list *list)
{
	bool all = true;
	for (size_t i = 0; i < list->count; i++) {
		if (!is_to_send(&list->files[i]))
			continue;
		drain(sender);
		if (is_over(sender) || take(sender, &list->files[i]) == FATE_AGAIN)
			return false;
		all = false; // there may be more by now
	}
	return all;
}

static bool one_round(struct clickhouse_sender *sender)
{
	struct spool_list files = {.files = NULL};
	bool made = list(sender, &files) && make_batches(sender, &files);
	spool_list_free(&files);
	bool done = made && list(sender, &files) && send_all(sender, &files);
	spool_list_free(&files);
	return done;
}

static void clickhouse_sender_work(struct clickhouse_sender *sender, int wake)
{
	sender->wake = wake;
	while (!is_over(sender)) {
		if (!one_round(sender))
			continue;
		if (sender->ending)
			return;
		wait_for(sender, LOOK, true);
	}
}

static struct clickhouse_sender *clickhouse_sender_open(
    const struct shipper_plan *plan, struct shipper_status *status, struct error *error)
{
	struct clickhouse_sender *sender = calloc(1, sizeof *sender);
	error_set(error, "no memory for the process that sends to ClickHouse");
	if (sender == NULL)
		return NULL;
	sender->plan = plan;
	sender->status = status;
	clickhouse_trouble_begin(&sender->trouble, plan);
	sender->directory = spool_open(plan->spool, error);
	if (sender->directory < 0)
		return NULL;
	sender->maker = batch_maker_create(sender->directory, status);
	bool first = status->restarts == 0; // the tap has not begun any file
	if (sender->maker == NULL || !batches_tidy(sender->directory, first, error))
		return NULL;
	sender->client = clickhouse_client_create(plan, error);
	return sender->client != NULL ? sender : NULL; // the process ends with what there is
}

const struct clickhouse_sender_ops clickhouse_sender_module = {
    clickhouse_sender_open, clickhouse_sender_work};
