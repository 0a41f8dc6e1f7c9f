// SPDX-License-Identifier: Apache-2.0
// Fuzzes the judging of certificate lists and of names: the input is a moment, a reference name and the
// certificates of a list. What is said holds together and is said again; memory stays within its limits.
#include "analytics/chain_judge.h"
#include "analytics/name_match.h"
#include "tests/fuzz/fuzzer.h"

#include <openssl/sha.h>

enum { CERTIFICATES_BYTES = 256 << 10, JUDGEMENTS_BYTES = 32 << 10, LIST_MAX = 8 };

static struct certificate_store *certificates;
static struct chain_judge *judge;

static void open_stores(void)
{
	struct trust_store_options options = {0};
	struct error error;
	struct trust_store *trust = trust_store_create(&options, &error);
	certificates = certificate_store_create(CERTIFICATES_BYTES);
	MUST(trust != NULL && certificates != NULL);
	judge = chain_judge_create(certificates, trust, JUDGEMENTS_BYTES);
	MUST(judge != NULL);
}

static void check_judgement(const struct chain_judgement *judgement, int64_t at)
{
	const unsigned about_trust = FAULT_SELF_SIGNED | FAULT_UNTRUSTED | FAULT_INCOMPLETE_CHAIN;
	unsigned trust = judgement->faults & about_trust;
	MUST(judgement->faults < 1u << FAULTS && (judgement->faults & FAULT_NAME_MISMATCH) == 0);
	MUST(judgement->from <= at && at <= judgement->until);
	MUST((trust & (trust - 1)) == 0); // one of them says all
	MUST(judgement->trust_known || trust == 0);
	MUST(judgement->issuer_missing == (trust == FAULT_INCOMPLETE_CHAIN));
	MUST((judgement->reason != NULL) == (trust == FAULT_UNTRUSTED));
}

// Each input in an hour of its own: none lives on what others left of the budget.
static void give_budget(void)
{
	static int64_t hour;
	chain_judge_tell_time(judge, ++hour * 3600);
}

static void check_list(const uint8_t (*list)[SHA256_BYTES], size_t count, int64_t at)
{
	for (int role = CERTIFICATE_SERVER; role <= CERTIFICATE_CLIENT; role++) {
		struct chain_judgement first, again;
		if (!chain_judge(judge, list, count, (enum certificate_role)role, at, &first))
			continue;
		check_judgement(&first, at);
		MUST(chain_judge(judge, list, count, (enum certificate_role)role, at, &again));
		MUST(first.faults == again.faults && first.trust_known == again.trust_known);
		MUST(first.from == again.from && first.until == again.until);
		MUST(first.reason == again.reason);
	}
}

// What a server says of itself counts for less than what a client asks for; case counts for nothing.
static void check_name(const struct x509 *facts, struct view reference)
{
	uint8_t turned[256];
	enum name_match asked = name_match(facts, reference, NAME_FROM_SNI);
	enum name_match said = name_match(facts, reference, NAME_FROM_DIALOGUE);
	MUST(said == asked || said == NAME_UNKNOWN);
	bool ascii = true;
	for (size_t i = 0; i < reference.length; i++) {
		uint8_t byte = reference.data[i];
		bool letter = (byte | 0x20) >= 'a' && (byte | 0x20) <= 'z';
		ascii = ascii && byte < 0x80;
		turned[i] = letter ? byte ^ 0x20 : byte;
	}
	if (ascii)
		MUST(name_match(facts, view_of(turned, reference.length), NAME_FROM_SNI) == asked);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct view input = view_of(data, size);
	uint8_t list[LIST_MAX][SHA256_BYTES];
	size_t count = 0;
	if (judge == NULL)
		open_stores();
	int64_t at = (int64_t)((uint64_t)view_u32(&input) << 32 | view_u32(&input));
	struct view reference = view_split(&input, view_u8(&input));
	for (; count < LIST_MAX && view_ok(&input) && input.length > 0; count++) {
		bool is_new;
		struct view der = view_split(&input, view_u16(&input));
		if (!view_ok(&der))
			break;
		SHA256(der.data, der.length, list[count]);
		const struct certificate *certificate = certificate_store_add(
		    certificates, list[count], der, at, CERTIFICATE_SERVER, &is_new);
		if (certificate != NULL && view_ok(&reference))
			check_name(&certificate->facts, reference);
		if (certificate != NULL)
			(void)certificate_expires_soon(&certificate->facts, at);
	}
	give_budget();
	check_list((const uint8_t(*)[SHA256_BYTES])list, count, at);
	certificate_store_trim(certificates);
	MUST(certificate_store_counters(certificates).bytes <= CERTIFICATES_BYTES);
	MUST(chain_judge_counters(judge).bytes <= JUDGEMENTS_BYTES);
	return 0;
}
