// SPDX-License-Identifier: Apache-2.0
#include "analytics/filter_names.h"

#include <ctype.h>
#include <netdb.h>
#include <stddef.h>
#include <string.h>

enum { WORD_MAX = 256 }; // a name of a host is shorter

// One that is missing here is taken for a name, which costs nothing but a wider sandbox.
static const char *const words[] = {"aarp", "action", "addr1", "addr2", "addr3", "addr4", "ah",
    "and", "arp", "atalk", "broadcast", "byte", "carp", "decnet", "dir", "dst", "esp", "ether",
    "gateway", "geneve", "greater", "host", "icmp", "icmp6", "igmp", "igrp", "inbound", "ip", "ip6",
    "ipx", "iso", "len", "less", "link", "mask", "mpls", "multicast", "net", "netbeui", "not", "on",
    "or", "outbound", "pim", "port", "portrange", "ppp", "pppoed", "pppoes", "proto", "protochain",
    "rarp", "reason", "rnr", "rulenum", "sctp", "src", "stp", "subtype", "tcp", "tcp-ack",
    "tcp-cwr", "tcp-ece", "tcp-fin", "tcp-push", "tcp-rst", "tcp-syn", "tcp-urg", "tcpflags",
    "type", "udp", "vlan", "vrrp", "wlan"};

static bool is_word_of_filters(const char *word)
{
	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
		if (strcmp(words[i], word) == 0)
			return true;
	return false;
}

// An IPv6 address or one of a network card, a number in hexadecimal, or what has no letter.
static bool is_number(const char *word)
{
	if (strchr(word, ':') != NULL || strncmp(word, "0x", 2) == 0)
		return true;
	for (const char *c = word; *c != '\0'; c++)
		if (isalpha((unsigned char)*c))
			return false;
	return true;
}

static bool is_known(const char *word)
{
	return is_number(word) || is_word_of_filters(word) || getservbyname(word, NULL) != NULL ||
	       getprotobyname(word) != NULL;
}

bool filter_has_names(const char *filter)
{
	static const char of_words[] =
	    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
	    "._-:";
	char word[WORD_MAX];
	const char *at = filter;
	while (at != NULL && *at != '\0') {
		size_t length = strspn(at, of_words);
		if (length >= sizeof word)
			return true;
		memcpy(word, at, length);
		word[length] = '\0';
		if (!is_known(word))
			return true;
		at += length + strcspn(at + length, of_words);
	}
	return false;
}
