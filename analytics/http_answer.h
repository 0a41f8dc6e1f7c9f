// SPDX-License-Identifier: Apache-2.0
// What is answered to an HTTP request: which paths there are, and what each says. Called by http_server.c.
#ifndef MAILTAP_ANALYTICS_HTTP_ANSWER_H
#define MAILTAP_ANALYTICS_HTTP_ANSWER_H

#include "analytics/http_server.h"

#include <microhttpd.h>

struct http_question {
	const char *path, *method;
	const char *accept, *host, *window; // NULL: it does not say
};

// True if the answer is a page of this kind, which had better be new.
bool http_answer_needs_page(
    const struct http_question *question, const struct http_site *site, enum published_kind *kind);

// Queues the answer, after which the connection closes. MHD_NO: no memory, the connection closes at once.
enum MHD_Result http_answer(struct MHD_Connection *connection, const struct http_question *question,
    const struct http_site *site);

#endif
