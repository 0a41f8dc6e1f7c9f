// SPDX-License-Identifier: Apache-2.0
// Whether names of hosts and domains belong together, by the public suffix list (libpsl): names of mail's headers are
// compared here and not kept. Made once, before the sandbox; then only read, by any thread.
#ifndef MAILTAP_DECODE_MAIL_NAMES_H
#define MAILTAP_DECODE_MAIL_NAMES_H

#include "capture/base/view.h"
#include "decode/seen.h"

struct mail_names;

// NULL: no memory, or there is no list.
struct mail_names *mail_names_create(void);
void mail_names_destroy(struct mail_names *names); // NULL is allowed

// Whether two hosts are of one registered domain. Not seen: one of them has none.
enum seen mail_names_one_domain(const struct mail_names *names, struct view one, struct view other);

// True if the name is the domain, or beneath it; in any case, with or without a dot at the end.
bool name_is(struct view name, struct view domain);
bool name_is_beneath(struct view name, struct view domain);

// True for an address that no network has to itself: loopback, link-local, private (RFC 1918, RFC 4193). Text, with or
// without brackets.
bool is_private_address(struct view text);

#endif
