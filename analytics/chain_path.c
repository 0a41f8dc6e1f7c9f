// SPDX-License-Identifier: Apache-2.0
// OpenSSL goes through the anchors first and takes each of them as the end of a path; strength is judged
// elsewhere (security level 0); policies are not asked for. Its callback says go on to every fault.
#include "analytics/chain_path.h"

#include <openssl/err.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

enum { ATTEMPTS_MAX = 4 };

// Times that certificates can name: years 1 to 9999. OpenSSL fails on others.
static const int64_t earliest = -62135596800, latest = 253402300799;

struct attempt {
	struct chain_path *path;
	int64_t at;
};

static const struct {
	int error;
	unsigned fault;
} faults_of_errors[] = {
    {X509_V_ERR_CERT_HAS_EXPIRED, FAULT_EXPIRED},
    {X509_V_ERR_CERT_NOT_YET_VALID, FAULT_NOT_YET_VALID},
    {X509_V_ERR_ERROR_IN_CERT_NOT_BEFORE_FIELD, FAULT_MALFORMED},
    {X509_V_ERR_ERROR_IN_CERT_NOT_AFTER_FIELD, FAULT_MALFORMED},
    {X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT, FAULT_SELF_SIGNED},
};

/* ---- errors ---- */

static unsigned fault_of(int error)
{
	for (size_t i = 0; i < sizeof faults_of_errors / sizeof faults_of_errors[0]; i++)
		if (faults_of_errors[i].error == error)
			return faults_of_errors[i].fault;
	return FAULT_UNTRUSTED;
}

// What an error says of the path as a whole.
static void note_end(struct chain_path *path, int error, int depth)
{
	switch (error) {
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
	case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
		path->issuer_lacking = true;
		path->reached = false;
		break;
	case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
	case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
	case X509_V_ERR_CERT_UNTRUSTED:
	case X509_V_ERR_CERT_REJECTED:
		path->reached = false;
		break;
	case X509_V_ERR_CERT_SIGNATURE_FAILURE:
		path->wrong_signature = true;
		path->wrong_at = depth > 0 ? (size_t)depth : 0;
		break;
	default:
		break;
	}
}

// OpenSSL has a certificate expire with the second that notAfter names, RFC 5280 after it.
static bool is_last_second(X509 *certificate, int64_t at)
{
	time_t before = at - 1;
	return X509_cmp_time(X509_get0_notAfter(certificate), &before) > 0;
}

static int note_error(int good, X509_STORE_CTX *context)
{
	struct attempt *attempt = X509_STORE_CTX_get_app_data(context);
	struct chain_path *path = attempt->path;
	int error = X509_STORE_CTX_get_error(context),
	    depth = X509_STORE_CTX_get_error_depth(context);
	X509 *certificate = X509_STORE_CTX_get_current_cert(context);
	if (good ||
	    (error == X509_V_ERR_CERT_HAS_EXPIRED && is_last_second(certificate, attempt->at)))
		return 1;
	unsigned fault = fault_of(error);
	if (error == X509_V_ERR_INVALID_PURPOSE && depth == 0)
		fault = FAULT_NOT_A_SERVER_CERTIFICATE;
	if (fault == FAULT_SELF_SIGNED && X509_self_signed(certificate, 1) != 1) {
		fault = FAULT_UNTRUSTED; // it only says so
		error = X509_V_ERR_CERT_SIGNATURE_FAILURE;
	}
	if (fault == FAULT_UNTRUSTED && path->reason == NULL)
		path->reason = X509_verify_cert_error_string(error);
	path->faults |= fault;
	note_end(path, X509_STORE_CTX_get_error(context), depth);
	return 1;
}

/* ---- one attempt ---- */

static STACK_OF(X509) * stack_of(const struct chain_material *material, bool anchors)
{
	STACK_OF(X509) *stack = sk_X509_new_reserve(NULL, (int)material->count);
	for (size_t i = anchors ? 0 : 1; stack != NULL && i < material->count; i++) {
		const struct piece *piece = &material->pieces[i];
		if (!piece->left_out && (piece->origin == PIECE_ANCHOR) == anchors)
			sk_X509_push(stack, piece->parsed);
	}
	return stack;
}

static void take_path(
    struct chain_material *material, X509_STORE_CTX *context, struct chain_path *path)
{
	STACK_OF(X509) *built = X509_STORE_CTX_get0_chain(context);
	for (int i = 0; i < sk_X509_num(built) && path->length < PATH_MAX_LENGTH; i++) {
		struct piece *piece = chain_material_find(material, sk_X509_value(built, i));
		if (piece != NULL)
			path->pieces[path->length++] = piece;
	}
}

static void set_question(
    X509_STORE_CTX *context, enum certificate_role role, struct attempt *attempt)
{
	X509_VERIFY_PARAM *parameters = X509_STORE_CTX_get0_param(context);
	X509_VERIFY_PARAM_set_flags(
	    parameters, X509_V_FLAG_TRUSTED_FIRST | X509_V_FLAG_PARTIAL_CHAIN);
	X509_VERIFY_PARAM_set_auth_level(parameters, 0);
	X509_VERIFY_PARAM_set_time(parameters, attempt->at);
	if (role == CERTIFICATE_SERVER)
		X509_STORE_CTX_set_purpose(context, X509_PURPOSE_SSL_SERVER);
	X509_STORE_CTX_set_verify_cb(context, note_error);
	X509_STORE_CTX_set_app_data(context, attempt);
}

// False: no memory. What OpenSSL gives up on without asking the callback is a fault like others.
static bool verify(X509_STORE_CTX *context, struct chain_path *path)
{
	if (X509_verify_cert(context) == 1)
		return true;
	int error = X509_STORE_CTX_get_error(context);
	path->faults |= FAULT_UNTRUSTED;
	path->reached = false;
	if (path->reason == NULL)
		path->reason = X509_verify_cert_error_string(error);
	return error != X509_V_ERR_OUT_OF_MEM;
}

static bool try_path(struct chain_material *material, enum certificate_role role, int64_t at,
    struct chain_path *path)
{
	X509_STORE_CTX *context = X509_STORE_CTX_new();
	STACK_OF(X509) *others = stack_of(material, false), *anchors = stack_of(material, true);
	struct attempt attempt = {path, at};
	*path = (struct chain_path){.reached = true};
	bool good = context != NULL && others != NULL && anchors != NULL &&
	            X509_STORE_CTX_init(context, NULL, material->pieces[0].parsed, others) == 1;
	if (good) {
		X509_STORE_CTX_set0_trusted_stack(context, anchors);
		set_question(context, role, &attempt);
		good = verify(context, path);
		take_path(material, context, path);
	}
	X509_STORE_CTX_free(context);
	sk_X509_free(others);
	sk_X509_free(anchors);
	ERR_clear_error();
	return good;
}

/* ---- the best of several ---- */

// Leaves out the issuer whose key did not sign what it should have. False: there is no other of its
// name to try.
static bool leave_out(struct chain_material *material, const struct chain_path *path)
{
	if (path->wrong_at + 1 >= path->length)
		return false;
	struct piece *issuer = path->pieces[path->wrong_at + 1];
	for (size_t i = 1; i < material->count; i++) {
		const struct piece *other = &material->pieces[i];
		if (other == issuer || other->left_out ||
		    X509_NAME_cmp(X509_get_subject_name(other->parsed),
		        X509_get_subject_name(issuer->parsed)) != 0)
			continue;
		issuer->left_out = true;
		return true;
	}
	return false;
}

bool chain_path_build(struct chain_material *material, enum certificate_role role, int64_t at,
    struct chain_path *path)
{
	struct chain_path other;
	at = at < earliest ? earliest : at > latest ? latest : at;
	for (size_t i = 0; i < material->count; i++)
		material->pieces[i].left_out = false;
	if (!try_path(material, role, at, path))
		return false;
	other = *path;
	for (int i = 1; i < ATTEMPTS_MAX && other.wrong_signature; i++) {
		if (!leave_out(material, &other) || !try_path(material, role, at, &other))
			break;
		if (other.reached && !other.wrong_signature)
			*path = other;
	}
	return true;
}
