// SPDX-License-Identifier: Apache-2.0
// Asks a tap for how it goes, without waiting: one question at a time, over libcurl. Owned by one thread.
#ifndef MAILTAP_ANALYTICS_TOP_TOP_CLIENT_H
#define MAILTAP_ANALYTICS_TOP_TOP_CLIENT_H

#include "analytics/live_window.h"
#include "capture/base/error.h"

#include <jansson.h>
#include <stdbool.h>

struct top_client;

// `address`: as 127.0.0.1:9479. NULL: *error.
struct top_client *top_client_create(const char *address, struct error *error);
void top_client_destroy(struct top_client *client); // NULL is allowed

// Begins to ask; what is being asked is given up. False: *error.
bool top_client_ask(struct top_client *client, enum live_window window, struct error *error);

enum top_outcome {
	TOP_NOTHING, // there is no answer yet, or none was asked for
	TOP_ANSWER, // *answer is an object, to be released by json_decref
	TOP_FAILED, // *error
};

// Waits for an answer for `milliseconds` at most, or until `input` is readable (negative: nothing else is waited
// for).
enum top_outcome top_client_wait(
    struct top_client *client, int milliseconds, int input, json_t **answer, struct error *error);

#endif
