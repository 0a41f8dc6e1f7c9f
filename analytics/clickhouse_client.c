// SPDX-License-Identifier: Apache-2.0
#include "analytics/clickhouse_client.h"

#include "analytics/clickhouse_answer.h"
#include "analytics/clickhouse_login.h"
#include "capture/base/monotonic.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	HEADER_MAX = CLICKHOUSE_LOGIN_MAX + 64,
	URL_MAX = 4096,
	OK = 200, // of HTTP
	CONNECT_LONGEST = 10, // seconds, or the plan's time if that is less
};

struct clickhouse_client {
	CURL *curl;
	const struct shipper_plan *plan;
	struct curl_slist *headers, *insert_headers;
	uint64_t until; // monotonic nanoseconds
	int file; // what is being sent
	struct reply *reply; // what is being received
	char url[URL_MAX];
	char reason[CURL_ERROR_SIZE];
};

/* ---- what libcurl calls ---- */

static size_t on_answer(char *bytes, size_t size, size_t count, void *context)
{
	struct reply *reply = ((struct clickhouse_client *)context)->reply;
	size_t length = size * count, room = CLICKHOUSE_REPLY_MAX - reply->length;
	size_t taken = length < room ? length : room;
	memcpy(reply->text + reply->length, bytes, taken);
	reply->length += taken;
	reply->text[reply->length] = '\0';
	return length;
}

static size_t on_body(char *bytes, size_t size, size_t count, void *context)
{
	const struct clickhouse_client *client = context;
	ssize_t got = read(client->file, bytes, size * count);
	return got >= 0 ? (size_t)got : CURL_READFUNC_ABORT;
}

static int on_seek(void *context, curl_off_t offset, int origin)
{
	const struct clickhouse_client *client = context;
	return lseek(client->file, offset, origin) >= 0 ? CURL_SEEKFUNC_OK : CURL_SEEKFUNC_FAIL;
}

// About once a second.
static int on_progress(
    void *context, curl_off_t total, curl_off_t now, curl_off_t sent_total, curl_off_t sent)
{
	const struct clickhouse_client *client = context;
	(void)total;
	(void)now;
	(void)sent_total;
	(void)sent;
	return client->until != 0 && (uint64_t)monotonic_now() > client->until;
}

/* ---- requests ---- */

static void begin(
    struct clickhouse_client *client, struct reply *reply, const char *query, const char *name)
{
	const struct shipper_plan *plan = client->plan;
	char *escaped = curl_easy_escape(client->curl, query, 0);
	int length =
	    snprintf(client->url, sizeof client->url, "%s/?database=%s&query_id=%s&query=%s",
	        plan->url.server, plan->url.database, name, escaped != NULL ? escaped : "");
	if (escaped == NULL || (size_t)length >= sizeof client->url)
		client->url[0] = '\0'; // refused as no URL
	curl_free(escaped);
	client->reply = reply;
	client->reason[0] = '\0';
	reply->length = 0;
	reply->text[0] = '\0';
	reply->code = 0;
	reply->status = 0;
	curl_easy_setopt(client->curl, CURLOPT_URL, client->url);
}

static void say_failure(struct clickhouse_client *client, CURLcode code)
{
	struct reply *reply = client->reply;
	const char *why = client->reason[0] != '\0' ? client->reason : curl_easy_strerror(code);
	reply->length = (size_t)snprintf(reply->text, sizeof reply->text, "%s", why);
}

static void finish(struct clickhouse_client *client)
{
	struct reply *reply = client->reply;
	long request = 0;
	curl_off_t uploaded = 0;
	CURLcode code = curl_easy_perform(client->curl);
	curl_easy_getinfo(client->curl, CURLINFO_REQUEST_SIZE, &request);
	curl_easy_getinfo(client->curl, CURLINFO_SIZE_UPLOAD_T, &uploaded);
	if (code != CURLE_OK) {
		reply->kind = request == 0 && uploaded == 0 ? REPLY_NOT_SENT : REPLY_UNKNOWN;
		say_failure(client, code);
		return;
	}
	curl_easy_getinfo(client->curl, CURLINFO_RESPONSE_CODE, &reply->status);
	reply->code = clickhouse_exception(reply->text);
	reply->kind = reply->status == OK && reply->code == 0 ? REPLY_GOOD : REPLY_ERROR;
	if (reply->kind == REPLY_ERROR &&
	    reply->code == 0) // none of ClickHouse's: the number tells more than a page
		reply->length = (size_t)snprintf(reply->text, sizeof reply->text,
		    "answers with status %ld of HTTP", reply->status);
}

void clickhouse_client_limit(struct clickhouse_client *client, uint64_t until)
{
	client->until = until;
}

void clickhouse_client_ask(struct clickhouse_client *client, const char *query, struct reply *reply)
{
	begin(client, reply, query, "");
	curl_easy_setopt(client->curl, CURLOPT_HTTPHEADER, client->headers);
	curl_easy_setopt(client->curl, CURLOPT_HTTPGET, 1L);
	finish(client);
}

void clickhouse_client_insert(struct clickhouse_client *client, const char *query, const char *name,
    int file, struct reply *reply)
{
	struct stat status;
	client->file = file;
	begin(client, reply, query, name);
	if (fstat(file, &status) != 0)
		status.st_size = 0;
	curl_easy_setopt(client->curl, CURLOPT_HTTPHEADER, client->insert_headers);
	curl_easy_setopt(client->curl, CURLOPT_POST, 1L);
	curl_easy_setopt(client->curl, CURLOPT_POSTFIELDS, NULL);
	curl_easy_setopt(client->curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)status.st_size);
	finish(client);
	// Nothing but an empty answer is a server's that has stored the rows: a proxy's page is not.
	if (reply->kind == REPLY_GOOD && reply->length > 0) {
		reply->kind = REPLY_UNKNOWN;
		reply->length = (size_t)snprintf(reply->text, sizeof reply->text,
		    "answers as ClickHouse does not: is it a proxy?");
	}
}

/* ---- making ---- */

static bool add_header(struct curl_slist **list, const char *name, const char *value)
{
	char header[HEADER_MAX];
	snprintf(header, sizeof header, "%s: %s", name, value);
	struct curl_slist *more = curl_slist_append(*list, header);
	explicit_bzero(header, sizeof header);
	if (more != NULL)
		*list = more;
	return more != NULL;
}

static bool add_login(struct curl_slist **list, const struct clickhouse_login *login)
{
	return login == NULL || (add_header(list, "X-ClickHouse-User", login->user) &&
	                            add_header(list, "X-ClickHouse-Key", login->password));
}

// An empty "Expect:" keeps libcurl from waiting for an answer before it sends the body.
static bool make_headers(struct clickhouse_client *client, const struct clickhouse_login *login)
{
	return add_login(&client->headers, login) && add_login(&client->insert_headers, login) &&
	       add_header(&client->insert_headers, "Content-Encoding", "gzip") &&
	       add_header(&client->insert_headers, "Content-Type", "application/octet-stream") &&
	       (client->insert_headers = curl_slist_append(client->insert_headers, "Expect:")) !=
	           NULL;
}

static void set_times(CURL *curl, unsigned timeout)
{
	unsigned connect = timeout < CONNECT_LONGEST ? timeout : CONNECT_LONGEST;
	curl_easy_setopt(curl, CURLOPT_TIMEOUT, (long)timeout);
	curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, (long)connect);
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
}

// On a connection that was kept open, or by HTTP/2, libcurl itself sends a request again that was not answered.
static void send_once(CURL *curl)
{
	curl_easy_setopt(curl, CURLOPT_FRESH_CONNECT, 1L);
	curl_easy_setopt(curl, CURLOPT_FORBID_REUSE, 1L);
	curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
}

static bool set_up(struct clickhouse_client *client)
{
	CURL *curl = client->curl;
	set_times(curl, client->plan->timeout);
	send_once(curl);
	curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, client->reason);
	curl_easy_setopt(curl, CURLOPT_USERAGENT, "mailtap/" MAILTAP_VERSION);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_answer);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, client);
	curl_easy_setopt(curl, CURLOPT_READFUNCTION, on_body);
	curl_easy_setopt(curl, CURLOPT_READDATA, client);
	curl_easy_setopt(curl, CURLOPT_SEEKFUNCTION, on_seek);
	curl_easy_setopt(curl, CURLOPT_SEEKDATA, client);
	curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, on_progress);
	curl_easy_setopt(curl, CURLOPT_XFERINFODATA, client);
	curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
	curl_easy_setopt(
	    curl, CURLOPT_PROXY, ""); // a password is for the server that is named alone
	curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
	if (client->plan->ca_file != NULL)
		curl_easy_setopt(curl, CURLOPT_CAPATH, NULL);
	return curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https") == CURLE_OK &&
	       (client->plan->ca_file == NULL ||
	           curl_easy_setopt(curl, CURLOPT_CAINFO, client->plan->ca_file) == CURLE_OK);
}

struct clickhouse_client *clickhouse_client_create(
    const struct shipper_plan *plan, struct error *error)
{
	struct clickhouse_login *login = NULL;
	if (plan->login != NULL && (login = clickhouse_login_read(plan->login, error)) == NULL)
		return NULL;
	struct clickhouse_client *client = calloc(1, sizeof *client);
	error_set(error, "libcurl cannot be used, or no memory for it");
	bool good = client != NULL && curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
	if (good) {
		client->plan = plan;
		client->curl = curl_easy_init();
		good = client->curl != NULL && set_up(client) && make_headers(client, login);
	}
	clickhouse_login_free(login);
	if (good)
		return client;
	clickhouse_client_destroy(client);
	return NULL;
}

void clickhouse_client_destroy(struct clickhouse_client *client)
{
	if (client == NULL)
		return;
	curl_easy_cleanup(client->curl);
	curl_slist_free_all(client->headers);
	curl_slist_free_all(client->insert_headers);
	free(client);
}
