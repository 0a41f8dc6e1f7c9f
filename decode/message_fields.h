// SPDX-License-Identifier: Apache-2.0
// What single fields of a message's header say that mailtap tells of. Each reader gets the field's value as it crossed,
// with its line ends; what it returns is a few words of the field, never an address of somebody. Pure; any thread.
#ifndef MAILTAP_DECODE_MESSAGE_FIELDS_H
#define MAILTAP_DECODE_MESSAGE_FIELDS_H

#include "decode/mail_names.h"
#include "decode/message_facts.h"

// Received: RFC 5321 4.4.
struct received_hop read_received(const struct mail_names *names, struct view value);

// Authentication-Results: RFC 8601 2.2. Sets results, server and whether there is more; the server points into value.
void read_results(struct view value, struct message_facts *facts);

// Content-Type of the whole message: RFC 3156, RFC 8551.
enum body_protection read_content_type(struct view value);

// The domain of the only author that a From field names; length 0: there is none, or more than one.
struct view read_author_domain(struct view value);

#endif
