// SPDX-License-Identifier: Apache-2.0
// Connections on ports not known for mail that were given up, by the hash of their key, so that the rest
// of each costs one look here. Of fixed size and forgetful: a connection takes the place of another, and
// one that was forgotten is looked at anew. Owned by a worker that follows every port.
#ifndef MAILTAP_DECODE_NO_MAIL_SET_H
#define MAILTAP_DECODE_NO_MAIL_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct no_mail_set;

// Sized for a worker's memory budget (one part in 128 of it, besides). NULL: no memory.
struct no_mail_set *no_mail_set_create(size_t budget);

// NULL is allowed.
void no_mail_set_destroy(struct no_mail_set *set);

void no_mail_set_add(struct no_mail_set *set, uint64_t hash);
void no_mail_set_remove(struct no_mail_set *set, uint64_t hash);
bool no_mail_set_has(const struct no_mail_set *set, uint64_t hash);

// Worth it some packets before no_mail_set_has.
void no_mail_set_prefetch(const struct no_mail_set *set, uint64_t hash);

#endif
