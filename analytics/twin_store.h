// SPDX-License-Identifier: Apache-2.0
// Copies of one connection that were seen at two tap points (VLANs, interfaces): the first to end is held
// until the other has, so that the two are judged and written as one session. A bounded number is held; one
// whose twin does not come is handed out alone. Owned by the analytics thread; not thread safe.
#ifndef MAILTAP_ANALYTICS_TWIN_STORE_H
#define MAILTAP_ANALYTICS_TWIN_STORE_H

#include "decode/session_record.h"

enum { TWINS_HELD_MAX = 1024 };

struct twin_store;

// NULL: no memory.
struct twin_store *twin_store_create(void);
void twin_store_destroy(struct twin_store *store);

// Holds a copy of the record, whose twin is still going on (record->twin_live). False: it cannot be held; it is
// to be judged alone. What had to give way for it is in *released (good until the next call), else NULL.
bool twin_store_hold(struct twin_store *store, const struct session_record *record,
    const struct session_record **released);

// The held twin of this record, taken out; good until the next call. NULL: there is none.
const struct session_record *twin_store_take(
    struct twin_store *store, const struct session_record *record);

// At the end: whatever is still held, one at a time, good until the next call. NULL: nothing.
const struct session_record *twin_store_drain(struct twin_store *store);

// Of two copies of a connection the one that tells more: the one with fewer bytes missing, else the one that
// was seen first.
const struct session_record *twin_better(
    const struct session_record *one, const struct session_record *other);

#endif
