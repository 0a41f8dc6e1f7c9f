// SPDX-License-Identifier: Apache-2.0
#include "tests/fuzz/handshake_model.h"

#include <openssl/sha.h>

enum {
	RANDOM_BYTES = 32,
	RECORD_MOST = 16384,
	CERTIFICATE_MOST = 8000,
	CHOICES = 32, // of the next extension: more than are known
	HANDSHAKE = 22,
	ALERT = 21,
	CHANGE_CIPHER_SPEC = 20,
	APPLICATION_DATA = 23,
	FATAL = 2,
};

// What a cipher suite up to TLS 1.2 is for.
enum exchange { BY_RSA, BY_DHE, BY_ECDHE, BY_ECDHE_PSK, BY_ANONYMOUS_ECDH };

static const struct suite {
	uint16_t number;
	enum exchange exchange;
} suites[] = {{0x002f, BY_RSA}, {0x009e, BY_DHE}, {0xc02f, BY_ECDHE}, {0xc037, BY_ECDHE_PSK},
    {0xc018, BY_ANONYMOUS_ECDH}, {0xcca9, BY_ECDHE}};
static const uint16_t modern_suites[] = {0x1301, 0x1302, 0x1303};
static const uint16_t groups[] = {23, 24, 25, 29, 30, 0x0a0a, 0x11ec};
static const uint16_t versions[] = {0x0304, 0x0303, 0x0302, 0x0301, 0x0300, 0x7f1c, 0x2a2a, 0x0305};

static struct view since(const struct bytes *bytes, size_t at)
{
	return view_of(bytes->data + at, bytes->length - at);
}

static struct view put_noise(struct bytes *to, size_t length, uint32_t seed)
{
	size_t at = to->length;
	for (uint32_t state = seed * 2654435761u + 1; length > 0; length--) {
		state = state * 1664525u + 1013904223u;
		to->data[to->length++] = (uint8_t)(state >> 24);
	}
	return since(to, at);
}

static struct view put_taken(struct bytes *to, struct input *input, size_t length)
{
	size_t at = to->length;
	while (length-- > 0)
		put(to, 1, take(input));
	return since(to, at);
}

static bool is_grease(uint16_t value) // RFC 8701 2
{
	return value % 0x1010 == 0x0a0a && value >> 8 == (value & 0xff);
}

// A list of numbers, many of them usual ones, with its length in `size` bytes before it.
static struct view put_numbers(
    struct bytes *to, struct input *input, unsigned size, const uint16_t *usual, size_t count)
{
	size_t begin = open_vector(to, size);
	for (unsigned left = 1 + take(input) % 12; left > 0; left--) {
		uint8_t choice = take(input);
		put(to, 2, choice < 0xf0 ? usual[choice % count] : take_u16(input));
	}
	close_vector(to, size, begin);
	return since(to, begin);
}

static struct event *expect(struct model *model, enum event_kind kind, uint16_t number)
{
	MUST(model->event_count < MODEL_EVENTS_MAX);
	struct event *event = &model->events[model->event_count++];
	*event = (struct event){.kind = kind, .from = model->speaker, .number = number};
	return event;
}

/* ---- records ---- */

static void put_record(struct model *model, uint8_t type, const uint8_t *bytes, size_t length)
{
	struct bytes *records = &model->records;
	struct turn *turn = model->turn_count > 0 ? &model->turns[model->turn_count - 1] : NULL;
	if (turn == NULL || turn->from != model->speaker) {
		MUST(model->turn_count < MODEL_TURNS_MAX);
		turn = &model->turns[model->turn_count++];
		*turn = (struct turn){model->speaker, records->length, 0};
	}
	put(records, 1, type);
	put(records, 2, 0x0301 + model->turn_count % 3);
	put(records, 2, (uint32_t)length);
	put_bytes(records, bytes, length);
	turn->length = records->length - turn->at;
}

// What the speaker said goes out, cut into records anywhere.
static void send_messages(struct model *model, struct input *input)
{
	const struct bytes *messages = &model->messages;
	if (model->unsent == messages->length)
		return;
	uint8_t cut = take(input);
	for (size_t number = 1; model->unsent < messages->length; number++) {
		size_t left = messages->length - model->unsent;
		size_t length = cut == 0 ? RECORD_MOST : 1 + cut * number % 1021;
		length = length < left ? length : left;
		put_record(model, HANDSHAKE, messages->data + model->unsent, length);
		model->unsent += length;
	}
}

static void speaks(struct model *model, enum direction who)
{
	MUST(model->unsent == model->messages.length);
	model->speaker = who;
}

static void change_cipher_spec(struct model *model)
{
	put_record(model, CHANGE_CIPHER_SPEC, (const uint8_t[]){1}, 1);
}

static void put_sealed(struct model *model, uint8_t type, size_t length)
{
	static struct bytes noise;
	noise.length = 0;
	put_noise(&noise, length, (uint32_t)model->records.length);
	put_record(model, type, noise.data, length);
}

static void put_alert(struct model *model, uint8_t level, uint8_t description)
{
	put_record(model, ALERT, (const uint8_t[]){level, description}, 2);
	expect(model, EVENT_ALERT, description)->level = level;
}

// Data of either side, behind the handshake.
static void put_data(struct model *model, struct input *input)
{
	for (unsigned left = take(input) % 8; left > 0; left--) {
		uint8_t choice = take(input);
		speaks(model, choice % 2 == 0 ? FROM_CLIENT : FROM_SERVER);
		if (model->turn_count == MODEL_TURNS_MAX)
			return;
		put_sealed(model, APPLICATION_DATA, 40u + choice);
		model->data_records[model->speaker]++;
	}
}

/* ---- hellos ---- */

// RFC 8446 4.2.1: the list alone, where there is one; a draft of 1.3 is 1.3.
static uint16_t highest(uint16_t legacy, struct view list)
{
	uint16_t most = 0;
	for (size_t i = 0; i + 1 < list.length; i += 2) {
		uint16_t version = (uint16_t)(list.data[i] << 8 | list.data[i + 1]);
		version = version >> 8 == 0x7f ? 0x0304 : version;
		if (version >> 8 == 3 && version > most)
			most = version;
	}
	if (most == 0)
		most = legacy < 0x0303 ? legacy : 0x0303;
	return most;
}

static struct view put_name(struct bytes *to, struct input *input, unsigned size)
{
	size_t begin = open_vector(to, size);
	put_taken(to, input, take(input) % 40);
	close_vector(to, size, begin);
	return since(to, begin);
}

// RFC 6066 3. A name of another type may come first.
static struct view put_server_names(struct bytes *to, struct input *input)
{
	size_t list = open_vector(to, 2);
	if (take(input) % 4 == 1) {
		put(to, 1, 7);
		put_name(to, input, 2);
	}
	put(to, 1, 0);
	struct view name = put_name(to, input, 2);
	close_vector(to, 2, list);
	return name;
}

// RFC 7301 3.1.
static struct view put_protocols(
    struct bytes *to, struct input *input, unsigned more, struct view *list)
{
	size_t begin = open_vector(to, 2);
	struct view first = put_name(to, input, 1);
	while (more-- > 0)
		put_name(to, input, 1);
	close_vector(to, 2, begin);
	*list = since(to, begin);
	return first;
}

// RFC 8446 4.2.8.
static void put_shares(struct bytes *to, struct input *input, struct tls_client_hello *hello)
{
	size_t begin = open_vector(to, 2);
	for (unsigned left = take(input) % 4; left > 0; left--) {
		uint16_t group = groups[take(input) % (sizeof groups / sizeof groups[0])];
		put(to, 2, group);
		size_t key = open_vector(to, 2);
		put_noise(to, take(input), group);
		close_vector(to, 2, key);
		if (is_grease(group))
			continue;
		hello->key_share_count++;
		hello->key_share_bytes += (uint32_t)(to->length - key);
	}
	close_vector(to, 2, begin);
	hello->key_shares = since(to, begin);
}

static void put_client_list(
    struct bytes *to, struct input *input, uint16_t type, struct tls_client_hello *hello)
{
	static const uint16_t schemes[] = {0x0403, 0x0804, 0x0401, 0x0807};
	switch (type) {
	case 0:
		hello->has_server_name = true;
		hello->server_name = put_server_names(to, input);
		break;
	case 10:
		hello->supported_groups =
		    put_numbers(to, input, 2, groups, sizeof groups / sizeof groups[0]);
		break;
	case 11:
		hello->point_formats = put_name(to, input, 1);
		break;
	case 13:
		hello->signature_algorithms = put_numbers(to, input, 2, schemes, 4);
		break;
	case 16:
		hello->alpn = put_protocols(to, input, take(input) % 3, &hello->alpn_list);
		break;
	case 43:
		hello->supported_versions =
		    put_numbers(to, input, 1, versions, sizeof versions / sizeof versions[0]);
		break;
	case 51:
		put_shares(to, input, hello);
		break;
	default:
		break;
	}
}

static void put_client_flag(
    struct bytes *to, struct input *input, uint16_t type, struct tls_client_hello *hello)
{
	struct view body = put_taken(to, input, take(input) % 9);
	hello->asks_ocsp |= type == 5 || type == 17;
	hello->asks_timestamps |= type == 18;
	hello->offers_ems |= type == 23;
	if (type == 35)
		hello->session_ticket = body;
	hello->offers_psk |= type == 41;
	hello->offers_early_data |= type == 42;
	hello->has_cookie |= type == 44;
	hello->offers_ech |= type == 0xfe0d;
	hello->offers_renegotiation_info |= type == 0xff01;
}

static bool is_list_of_client(uint16_t type)
{
	return type == 0 || type == 10 || type == 11 || type == 13 || type == 16 || type == 43 ||
	       type == 51;
}

// The next extension of a hello: each that is known at most once, in any order. False: there is no further one.
static bool choose_type(
    struct input *input, const uint16_t *types, unsigned count, uint64_t *chosen, uint16_t *type)
{
	uint8_t choice = take(input) % CHOICES;
	while (choice > 0 && choice <= count && *chosen >> choice & 1)
		choice = take(input) % CHOICES;
	if (choice == 0)
		return false;
	*type = choice <= count ? types[choice - 1] : (uint16_t)(0x4000 + choice);
	if (choice <= count)
		*chosen |= UINT64_C(1) << choice;
	return true;
}

static void put_client_extensions(
    struct model *model, struct input *input, bool modern, struct tls_client_hello *hello)
{
	// The last one, early data, is of TLS 1.3, where it changes what can be concluded.
	static const uint16_t types[] = {
	    0, 5, 10, 11, 13, 16, 17, 18, 21, 23, 35, 41, 43, 44, 51, 0xfe0d, 0xff01, 42};
	unsigned count = sizeof types / sizeof types[0] - (modern ? 1 : 0);
	struct bytes *to = &model->messages;
	uint64_t chosen = 0;
	uint16_t type;
	if (take(input) % 16 == 1)
		return; // none at all
	size_t list = open_vector(to, 2);
	for (unsigned i = 0;
	     i < MODEL_TYPES_MAX && choose_type(input, types, count, &chosen, &type); i++) {
		put(to, 2, type);
		size_t body = open_vector(to, 2);
		if (is_list_of_client(type))
			put_client_list(to, input, type, hello);
		else
			put_client_flag(to, input, type, hello);
		close_vector(to, 2, body);
		if (model->client_count == 0)
			model->types[model->type_count++] = type;
	}
	close_vector(to, 2, list);
	hello->extensions = since(to, list);
}

static bool has_number(struct view list, uint16_t wanted)
{
	for (size_t i = 0; i + 1 < list.length; i += 2)
		if ((list.data[i] << 8 | list.data[i + 1]) == wanted)
			return true;
	return false;
}

// RFC 8446 4.1.2, RFC 5246 7.4.1.2.
static void client_hello(struct model *model, struct input *input, bool modern)
{
	static const uint16_t usual[] = {0x00ff, 0xc02f, 0x1301, 0x002f, 0x1a1a, 0x5600};
	struct tls_client_hello *hello = &model->clients[model->client_count];
	struct bytes *to = &model->messages;
	speaks(model, FROM_CLIENT);
	size_t message = open_message(to, 1);
	hello->legacy_version = versions[take(input) % 8];
	put(to, 2, hello->legacy_version);
	hello->random = put_noise(to, RANDOM_BYTES, take(input));
	size_t session = open_vector(to, 1);
	hello->session_id = put_noise(to, take(input) % 33, 2);
	close_vector(to, 1, session);
	hello->cipher_suites = put_numbers(to, input, 2, usual, sizeof usual / sizeof usual[0]);
	size_t compression = open_vector(to, 1);
	hello->compression = put_taken(to, input, 1 + take(input) % 3);
	close_vector(to, 1, compression);
	put_client_extensions(model, input, modern, hello);
	close_vector(to, 3, message);
	hello->offers_renegotiation_info |= has_number(hello->cipher_suites, 0x00ff);
	hello->highest_version = highest(hello->legacy_version, hello->supported_versions);
	hello->first = model->client_count == 0 && !hello->has_cookie;
	expect(model, EVENT_CLIENT_HELLO, (uint16_t)model->client_count++);
	send_messages(model, input);
	model->outcome.begun = true;
}

// RFC 6962 3.3.
static uint16_t put_timestamps(struct bytes *to, struct input *input)
{
	uint16_t count = take(input) % 4;
	size_t list = open_vector(to, 2);
	for (unsigned left = count; left > 0; left--)
		put_name(to, input, 2);
	close_vector(to, 2, list);
	return count;
}

static void put_server_body(
    struct bytes *to, struct input *input, uint16_t type, struct tls_server_hello *hello)
{
	struct view list;
	if (type == 16)
		hello->alpn = put_protocols(to, input, 0, &list);
	else if (type == 18)
		hello->timestamps = put_timestamps(to, input);
	else if (type == 43)
		put(to, 2, take(input) % 2 == 0 ? 0x0304 : 0x7f1c);
	else if (type == 51)
		put(to, 2, hello->group = groups[take(input) % 5]);
	else
		put_taken(to, input, take(input) % 9);
	if (type == 51 && !hello->hello_retry_request)
		put_name(to, input, 2);
	hello->ocsp_staple_promised |= type == 5 || type == 17;
	hello->ems |= type == 23;
	hello->session_ticket |= type == 35;
	hello->psk_accepted |= type == 41;
	hello->renegotiation_info |= type == 0xff01;
}

static void put_server_extensions(
    struct bytes *to, struct input *input, bool modern, struct tls_server_hello *hello)
{
	static const uint16_t types[] = {5, 16, 17, 18, 21, 23, 35, 0xff01, 41, 51};
	unsigned count = modern ? 10 : 8;
	uint64_t chosen = 0;
	uint16_t type = 43;
	bool another = modern || choose_type(input, types, count, &chosen, &type);
	if (!another && take(input) % 2 == 0)
		return;
	size_t list = open_vector(to, 2);
	for (unsigned i = 0; i < MODEL_TYPES_MAX && another; i++) {
		put(to, 2, type);
		size_t body = open_vector(to, 2);
		put_server_body(to, input, type, hello);
		close_vector(to, 2, body);
		another = choose_type(input, types, count, &chosen, &type);
	}
	close_vector(to, 2, list);
	hello->extensions = since(to, list);
}

// RFC 8446 4.1.3: what a HelloRetryRequest has for a random.
static struct view put_retry_random(struct bytes *to)
{
	static const char text[] = "HelloRetryRequest";
	uint8_t hash[SHA256_DIGEST_LENGTH];
	size_t at = to->length;
	SHA256((const uint8_t *)text, sizeof text - 1, hash);
	put_bytes(to, hash, sizeof hash);
	return since(to, at);
}

static void server_hello(
    struct model *model, struct input *input, uint16_t version, uint16_t cipher, bool retry)
{
	struct tls_server_hello *hello = &model->servers[model->server_count];
	struct bytes *to = &model->messages;
	bool modern = version == 0x0304;
	*hello = (struct tls_server_hello){.legacy_version = modern ? 0x0303 : version,
	    .version = version,
	    .cipher = cipher,
	    .hello_retry_request = retry};
	size_t message = open_message(to, 2);
	put(to, 2, hello->legacy_version);
	hello->random = retry ? put_retry_random(to) : put_noise(to, RANDOM_BYTES, take(input));
	size_t session = open_vector(to, 1);
	hello->session_id = put_noise(to, take(input) % 33, 3);
	close_vector(to, 1, session);
	put(to, 2, cipher);
	hello->compression = take(input) % 2;
	put(to, 1, hello->compression);
	put_server_extensions(to, input, modern, hello);
	close_vector(to, 3, message);
	if (hello->group != 0)
		model->group = hello->group;
	expect(model, EVENT_SERVER_HELLO, (uint16_t)model->server_count++);
}

/* ---- SSLv3 to TLS 1.2 ---- */

static void put_message(struct model *model, uint8_t type, size_t length)
{
	size_t message = open_message(&model->messages, type);
	put_noise(&model->messages, length, type);
	close_vector(&model->messages, 3, message);
}

// Of few lengths, four of each, and such as differ from one of them in a byte.
static struct view put_certificate(struct bytes *to, struct input *input)
{
	uint8_t which = take(input), size = take(input);
	size_t length =
	    size < 0xc0 ? 1u + size % 8 * 200u : take_u16(input) % CERTIFICATE_MOST + 1u;
	size_t begin = open_vector(to, 3);
	put_noise(to, length, which % 4);
	if (which & 0x80)
		to->data[begin + take_u16(input) % length] ^= 1;
	close_vector(to, 3, begin);
	return since(to, begin);
}

// RFC 5246 7.4.2.
static void certificates(struct model *model, struct input *input, unsigned count)
{
	struct bytes *to = &model->messages;
	size_t message = open_message(to, 11);
	size_t list = open_vector(to, 3);
	for (unsigned i = 0; i < count; i++)
		expect(model, EVENT_CERTIFICATE, (uint16_t)i)->der = put_certificate(to, input);
	close_vector(to, 3, list);
	close_vector(to, 3, message);
	expect(model, EVENT_CHAIN_END, (uint16_t)count);
}

// RFC 8422 5.4, RFC 5489 2, RFC 5246 7.4.3.
static void server_key_exchange(struct model *model, struct input *input, enum exchange exchange)
{
	struct bytes *to = &model->messages;
	uint16_t group = exchange == BY_DHE ? 0 : groups[take(input) % 5];
	size_t message = open_message(to, 12);
	if (exchange == BY_ECDHE_PSK)
		put_name(to, input, 2);
	if (exchange == BY_DHE) {
		put_name(to, input, 2);
		put_name(to, input, 2);
	} else {
		put(to, 1, 3);
		put(to, 2, group);
	}
	put_name(to, input, 1);
	put_noise(to, take(input), 12);
	close_vector(to, 3, message);
	expect(model, EVENT_KEY_EXCHANGE, group);
	model->group = group;
}

static void server_flight(struct model *model, struct input *input, const struct suite *suite)
{
	bool bare = suite->exchange == BY_ECDHE_PSK || suite->exchange == BY_ANONYMOUS_ECDH;
	uint8_t choice = take(input);
	bool staple = !bare && choice & 1, request = !bare && choice & 2;
	if (!bare)
		certificates(model, input, take(input) % 4);
	if (staple)
		put_message(model, 22, take(input));
	if (suite->exchange != BY_RSA)
		server_key_exchange(model, input, suite->exchange);
	if (request) {
		put_message(model, 13, take(input));
		expect(model, EVENT_REQUEST, 0);
	}
	put_message(model, 14, 0);
	send_messages(model, input);
	model->outcome.resumed = SEEN_NO;
	model->outcome.ocsp_staple = staple ? SEEN_YES : SEEN_NO;
	model->outcome.client_certificate_requested = request ? SEEN_YES : SEEN_NO;
	model->outcome.server_certificate_hidden = false;
}

static void finish(struct model *model, struct input *input)
{
	change_cipher_spec(model);
	put_sealed(model, HANDSHAKE, 16u + take(input) % 64);
}

static void end_with_ticket(struct model *model, struct input *input)
{
	if (take(input) % 2 == 1) {
		put_message(model, 4, 6u + take(input));
		send_messages(model, input);
	}
	finish(model, input);
}

static void client_flight(struct model *model, struct input *input)
{
	speaks(model, FROM_CLIENT);
	unsigned count = take(input) % 3;
	bool asked = model->outcome.client_certificate_requested == SEEN_YES;
	if (asked)
		certificates(model, input, count);
	put_message(model, 16, take(input));
	if (asked && count > 0)
		put_message(model, 15, take(input));
	send_messages(model, input);
	finish(model, input);
}

static void not_finished(struct model *model, struct input *input, uint8_t choice)
{
	speaks(model, FROM_CLIENT);
	if (choice == 1)
		put_alert(model, FATAL, take(input));
	model->outcome.established = choice == 1 || model->closed ? SEEN_NO : NOT_SEEN;
}

static void classic(struct model *model, struct input *input, uint8_t choice)
{
	const struct suite *suite = &suites[take(input) % (sizeof suites / sizeof suites[0])];
	uint16_t version = 0x0300 + take(input) % 4;
	client_hello(model, input, false);
	speaks(model, FROM_SERVER);
	server_hello(model, input, version, suite->number, false);
	server_flight(model, input, suite);
	if (choice == 1 || choice == 2) {
		not_finished(model, input, choice);
		return;
	}
	client_flight(model, input);
	speaks(model, FROM_SERVER);
	end_with_ticket(model, input);
	model->outcome.established = SEEN_YES;
	put_data(model, input);
}

static void resumed(struct model *model, struct input *input)
{
	const struct suite *suite = &suites[take(input) % (sizeof suites / sizeof suites[0])];
	uint16_t version = 0x0300 + take(input) % 4;
	client_hello(model, input, false);
	speaks(model, FROM_SERVER);
	server_hello(model, input, version, suite->number, false);
	send_messages(model, input);
	end_with_ticket(model, input);
	speaks(model, FROM_CLIENT);
	finish(model, input);
	model->outcome.established = model->outcome.resumed = SEEN_YES;
	model->outcome.client_certificate_requested = SEEN_NO;
	put_data(model, input);
}

/* ---- TLS 1.3 ---- */

static void retry(struct model *model, struct input *input, uint16_t cipher, bool compatible)
{
	speaks(model, FROM_SERVER);
	server_hello(model, input, 0x0304, cipher, true);
	send_messages(model, input);
	if (compatible) {
		change_cipher_spec(model);
		speaks(model, FROM_CLIENT);
		change_cipher_spec(model);
	}
	client_hello(model, input, true);
}

static void hidden_flight(struct model *model, struct input *input)
{
	model->flight_count = 1 + take(input) % (TLS_FLIGHT_MAX + 4);
	for (unsigned i = 0; i < model->flight_count; i++) {
		model->flight[i] = 17 + take_u16(input) % 2000;
		put_sealed(model, APPLICATION_DATA, model->flight[i]);
	}
}

// RFC 8446 D.4: each side may change a cipher for the middleboxes.
static void modern(struct model *model, struct input *input)
{
	uint8_t choice = take(input);
	bool compatible = choice & 1;
	uint16_t cipher = modern_suites[take(input) % 3];
	client_hello(model, input, true);
	if (choice & 2)
		retry(model, input, cipher, compatible);
	speaks(model, FROM_SERVER);
	server_hello(model, input, 0x0304, cipher, false);
	send_messages(model, input);
	if (compatible)
		change_cipher_spec(model);
	hidden_flight(model, input);
	speaks(model, FROM_CLIENT);
	if (compatible && !(choice & 2))
		change_cipher_spec(model);
	if (model->flight_count <= TLS_FLIGHT_MAX)
		expect(model, EVENT_FLIGHT, 0)->from = FROM_SERVER;
	put_sealed(model, APPLICATION_DATA, 53);
	const struct tls_server_hello *hello = &model->servers[model->server_count - 1];
	model->outcome.established = SEEN_YES;
	model->outcome.resumed = hello->psk_accepted ? SEEN_YES : SEEN_NO;
	put_data(model, input);
}

// The server will not have it.
static void refused(struct model *model, struct input *input)
{
	client_hello(model, input, false);
	speaks(model, FROM_SERVER);
	if (take(input) % 2 == 1)
		put_alert(model, 1, 112); // a name that it does not know
	put_alert(model, FATAL, take(input));
	model->outcome.established = SEEN_NO;
	model->outcome.server_certificate_hidden = false;
}

void model_make(struct model *model, struct input *input)
{
	memset(&model->turns, 0, sizeof *model - offsetof(struct model, turns));
	model->messages.length = model->records.length = 0;
	uint8_t choice = take(input);
	model->closed = choice & 0x80;
	model->outcome.server_certificate_hidden = true;
	switch (choice % 8) {
	case 0:
	case 1:
	case 2:
	case 3:
		classic(model, input, choice % 8);
		break;
	case 4:
		resumed(model, input);
		break;
	case 5:
		refused(model, input);
		break;
	default:
		modern(model, input);
		break;
	}
	MUST(model->unsent == model->messages.length);
}
