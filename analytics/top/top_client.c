// SPDX-License-Identifier: Apache-2.0
#include "analytics/top/top_client.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>

enum {
	ANSWER_MAX = 16 << 20, // bytes; a tap's are a hundredth of it
	ANSWER_LONGEST = 5, // seconds from the question to the end of the answer
	URL_SIZE = 256,
};

struct top_client {
	char address[URL_SIZE];
	CURLM *multi;
	CURL *question;
	bool asking; // the question is with `multi`
	char *body;
	size_t length;
	bool too_long;
	char reason[CURL_ERROR_SIZE];
};

static size_t take(char *bytes, size_t size, size_t count, void *context)
{
	struct top_client *client = context;
	size_t more = size * count;
	client->too_long = more > ANSWER_MAX - client->length;
	if (client->too_long)
		return 0;
	char *body = realloc(client->body, client->length + more + 1);
	if (body == NULL)
		return 0;
	memcpy(body + client->length, bytes, more);
	client->body = body;
	client->length += more;
	return more;
}

// Nothing but the tap itself: no proxy, no other place that an answer names.
static bool set_options(struct top_client *client)
{
	CURL *question = client->question;
	return curl_easy_setopt(question, CURLOPT_PROTOCOLS_STR, "http") == CURLE_OK &&
	       curl_easy_setopt(question, CURLOPT_PROXY, "") == CURLE_OK &&
	       curl_easy_setopt(question, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
	       curl_easy_setopt(question, CURLOPT_FAILONERROR, 1L) == CURLE_OK &&
	       curl_easy_setopt(question, CURLOPT_TIMEOUT, (long)ANSWER_LONGEST) == CURLE_OK &&
	       curl_easy_setopt(question, CURLOPT_USERAGENT, "mailtap-top") == CURLE_OK &&
	       curl_easy_setopt(question, CURLOPT_ERRORBUFFER, client->reason) == CURLE_OK &&
	       curl_easy_setopt(question, CURLOPT_WRITEFUNCTION, take) == CURLE_OK &&
	       curl_easy_setopt(question, CURLOPT_WRITEDATA, client) == CURLE_OK;
}

struct top_client *top_client_create(const char *address, struct error *error)
{
	struct top_client *client = calloc(1, sizeof *client);
	error_set(error, "libcurl cannot be set up");
	if (client == NULL)
		return NULL;
	snprintf(client->address, sizeof client->address, "%s", address);
	if (curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK) {
		client->multi = curl_multi_init();
		client->question = curl_easy_init();
		if (client->multi != NULL && client->question != NULL && set_options(client))
			return client;
	}
	top_client_destroy(client);
	return NULL;
}

static void give_up(struct top_client *client)
{
	if (client->asking)
		(void)curl_multi_remove_handle(client->multi, client->question);
	client->asking = false;
	free(client->body);
	client->body = NULL;
	client->length = 0;
	client->too_long = false;
}

void top_client_destroy(struct top_client *client)
{
	if (client == NULL)
		return;
	give_up(client);
	if (client->question != NULL)
		curl_easy_cleanup(client->question);
	if (client->multi != NULL)
		(void)curl_multi_cleanup(client->multi);
	curl_global_cleanup();
	free(client);
}

bool top_client_ask(struct top_client *client, enum live_window window, struct error *error)
{
	char url[2 * URL_SIZE];
	give_up(client);
	snprintf(url, sizeof url, "http://%s/live.json?window=%s", client->address,
	    live_window_name(window));
	client->reason[0] = '\0';
	if (curl_easy_setopt(client->question, CURLOPT_URL, url) == CURLE_OK &&
	    curl_multi_add_handle(client->multi, client->question) == CURLM_OK) {
		client->asking = true;
		return true;
	}
	error_set(error, "%s cannot be asked", client->address);
	return false;
}

static enum top_outcome fail(struct top_client *client, CURLcode code, struct error *error)
{
	const char *reason = client->reason[0] != '\0' ? client->reason : curl_easy_strerror(code);
	error_set(error, "%s: %s", client->address,
	    client->too_long ? "the answer is too long to be a tap's" : reason);
	give_up(client);
	return TOP_FAILED;
}

static enum top_outcome finish(
    struct top_client *client, CURLcode code, json_t **answer, struct error *error)
{
	json_error_t reason;
	if (code != CURLE_OK)
		return fail(client, code, error);
	*answer = json_loadb(
	    client->body != NULL ? client->body : "", client->length, JSON_ALLOW_NUL, &reason);
	give_up(client);
	if (json_is_object(*answer))
		return TOP_ANSWER;
	json_decref(*answer);
	*answer = NULL;
	error_set(error, "%s: what answers there is no mailtap", client->address);
	return TOP_FAILED;
}

enum top_outcome top_client_wait(
    struct top_client *client, int milliseconds, int input, json_t **answer, struct error *error)
{
	struct curl_waitfd also = {.fd = input, .events = CURL_WAIT_POLLIN};
	int running, left;
	(void)curl_multi_perform(client->multi, &running);
	const CURLMsg *message = curl_multi_info_read(client->multi, &left);
	if (message == NULL) {
		(void)curl_multi_poll(client->multi, &also, input >= 0 ? 1 : 0, milliseconds, NULL);
		(void)curl_multi_perform(client->multi, &running);
		message = curl_multi_info_read(client->multi, &left);
	}
	if (message == NULL || message->msg != CURLMSG_DONE)
		return TOP_NOTHING;
	return finish(client, message->data.result, answer, error);
}
