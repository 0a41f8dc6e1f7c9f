// SPDX-License-Identifier: Apache-2.0
// What answers of DNS said: for each name and type the latest answer of up to four resolvers (or servers), so that
// what one of them says does not replace what another says. Bounded in names and in bytes; what was not used for
// longest gives way. An answer is good for its time to live, at least a minute (who asked uses it then), at most a
// day; what it said is told of as long as it is remembered. One thread.
#ifndef MAILTAP_ANALYTICS_DNS_MEMORY_H
#define MAILTAP_ANALYTICS_DNS_MEMORY_H

#include "analytics/dns_answer.h"
#include "analytics/dnssec_verdict.h"
#include "decode/headers.h"

enum {
	DNS_ANSWERS_MAX = 4, // resolvers apart, of a name and type
	DNS_KEPT_RECORDS_MAX = 64, // of an answer
	DNS_KEPT_SIGNATURES_MAX = 8, // of a set
};

enum dns_state {
	DNS_NOTHING, // no answer was seen, or none that says anything
	DNS_DATA, // records
	DNS_NO_DATA, // the name is there, records of this type are not (RFC 2308 2.2)
	DNS_NO_NAME, // the name is not there (RFC 2308 2.1)
	DNS_ALIAS, // an alias, of whose target it says nothing: whoever asked has to ask on
};

// The data of one record.
struct dns_data {
	const uint8_t *bytes;
	size_t length;
};

// Data of records, each behind two bytes with its length.
struct dns_list {
	const uint8_t *bytes;
	size_t size;
};

// The records of one owner and type in an answer, and what signs them: data of RRSIG.
struct dns_set {
	struct dns_name owner;
	uint16_t type;
	bool whole; // there were no more than are kept
	struct dns_list records, signatures;
};

// What was found out of an answer, and when: dns_memory_keys as it was, and by which trust anchors.
struct dns_judgement {
	uint32_t anchors; // dnssec_use_anchors numbers them; 0: it was not judged
	uint64_t keys;
	struct dnssec_verdict verdict;
};

struct dns_answer {
	struct ip_address resolver; // who gave it
	nanoseconds seen, good_until;
	uint8_t state; // enum dns_state
	bool asked; // its question was seen
	bool authoritative, authentic; // the bits AA and AD
	bool signatures_wanted; // whoever gave it knows that signatures were asked for (RFC 3225)
	bool is_signed; // signatures came with it
	uint16_t count; // of records
	size_t size;
	const uint8_t *records; // each behind two bytes with its length
	// The sets that it has: aliases, each with its target, and then the records, if there are any.
	size_t sets_size;
	uint8_t *sets;
	struct dns_judgement judgement; // dnssec.h
};

// The next record; `at` begins with 0. False: there is none.
bool dns_list_next(const struct dns_list *list, size_t *at, struct dns_data *data);
bool dns_answer_next(const struct dns_answer *answer, size_t *at, struct dns_data *data);

// The next set, likewise.
bool dns_answer_next_set(const struct dns_answer *answer, size_t *at, struct dns_set *set);

// The address of a record of type A or AAAA. False: it is neither.
bool dns_data_address(const struct dns_data *data, struct ip_address *address);

// Whether both say the same, in whatever order.
bool dns_answers_agree(const struct dns_answer *one, const struct dns_answer *other);

struct dns_memory_counters {
	uint64_t names; // and types, remembered now
	uint64_t bytes;
	uint64_t given_up; // for room
};

struct dns_memory;

// NULL: no memory.
struct dns_memory *dns_memory_create(void);
void dns_memory_destroy(struct dns_memory *memory); // NULL is allowed

// Takes what an answer says of the name and type that it was asked for. `asked`: its question was seen; what was asked
// for is not replaced by what may not have been. Returns what it says, and remembers it unless that is nothing; of an
// alias without its target, as an answer for DNS_CNAME.
enum dns_state dns_memory_take(struct dns_memory *memory, const struct dns_message *message,
    const struct dns_parsed *parsed, bool asked);

// Takes what a server that refers to others says of the keys of their zone (DS). That is not told apart from what
// nobody asked for: whoever made it, a signature shows whether it is true. False: it says nothing of them.
bool dns_memory_take_delegation(
    struct dns_memory *memory, const struct dns_message *message, const struct dns_parsed *parsed);

// The latest answer for a name and type; one that was asked for goes before others. NULL: none is remembered. Good until
// the next dns_memory_take. *differ: answers of other resolvers said something else.
const struct dns_answer *dns_memory_find(
    const struct dns_memory *memory, const struct dns_name *name, uint16_t type, bool *differ);

// What a name's aliases lead to. Servers that are asked one after the other give an alias and what it leads to in answers of
// their own.
struct dns_followed {
	const struct dns_answer *answer; // as dns_memory_find; NULL: none
	unsigned aliases; // on the way that were in answers of their own; 0: it is the name's own
	bool differ; // something on the way
	bool asked; // all of it
	nanoseconds good_until; // all of it
};

// As dns_memory_find, by way of aliases where there is no answer for the name itself.
struct dns_followed dns_memory_follow(
    const struct dns_memory *memory, const struct dns_name *name, uint16_t type);

// All answers for a name and type, whether or not they are still good: *count, up to DNS_ANSWERS_MAX. NULL: none. Good
// until the next dns_memory_take. Their judgements may be changed.
struct dns_answer *dns_memory_answers(
    const struct dns_memory *memory, const struct dns_name *name, uint16_t type, size_t *count);

// Changes whenever a DNSKEY or DS is taken.
uint64_t dns_memory_keys(const struct dns_memory *memory);

struct dns_memory_counters dns_memory_counters(const struct dns_memory *memory);

#endif
