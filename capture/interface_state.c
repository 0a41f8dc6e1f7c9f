// SPDX-License-Identifier: Apache-2.0
#include "capture/interface_state.h"

#include <errno.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

enum {
	ANSWER_MAX = 32 * 1024,
	ANSWERS_MAX = 8, // late ones to other questions are passed over
	WAIT_MICROSECONDS = 200000, // the kernel answers at once, if it does
};

struct request {
	struct nlmsghdr header;
	struct ifinfomsg link;
	struct rtattr name;
	char text[IFNAMSIZ];
};

int interface_socket_open(void)
{
	int descriptor = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	if (descriptor < 0)
		return -1;
	const struct timeval wait = {.tv_usec = WAIT_MICROSECONDS};
	(void)setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
	return descriptor;
}

static bool ask(int descriptor, const char *name)
{
	struct request request = {
	    .header = {.nlmsg_len = sizeof request,
	        .nlmsg_type = RTM_GETLINK,
	        .nlmsg_flags = NLM_F_REQUEST},
	    .link = {.ifi_family = AF_UNSPEC},
	    .name = {.rta_len = RTA_LENGTH(IFNAMSIZ), .rta_type = IFLA_IFNAME},
	};
	if (strlen(name) >= IFNAMSIZ)
		return false;
	memcpy(request.text, name, strlen(name));
	return send(descriptor, &request, sizeof request, 0) == sizeof request;
}

static void take_statistics(struct interface_state *state, const void *data, size_t length)
{
	struct rtnl_link_stats64 counters = {0};
	memcpy(&counters, data, length < sizeof counters ? length : sizeof counters);
	state->packets = counters.rx_packets + counters.tx_packets;
	// Both are packets that came and were lost in the card or its driver; few count in both.
	state->missed = counters.rx_missed_errors + counters.rx_fifo_errors;
}

static void take_attributes(struct interface_state *state, const uint8_t *at, size_t left)
{
	struct rtattr attribute;
	while (left >= sizeof attribute) {
		memcpy(&attribute, at, sizeof attribute);
		if (attribute.rta_len < sizeof attribute || attribute.rta_len > left)
			return;
		const uint8_t *data = at + RTA_LENGTH(0);
		size_t size = attribute.rta_len - RTA_LENGTH(0);
		if (attribute.rta_type == IFLA_STATS64)
			take_statistics(state, data, size);
		if (attribute.rta_type == IFLA_CARRIER_DOWN_COUNT && size == sizeof(uint32_t))
			memcpy(&state->links_lost, data, sizeof(uint32_t));
		size_t step = RTA_ALIGN(attribute.rta_len);
		left -= step < left ? step : left;
		at += step;
	}
}

static enum interface_found take_answer(
    struct nlmsghdr *header, struct interface_state *state, bool *answered)
{
	*answered = header->nlmsg_type == RTM_NEWLINK || header->nlmsg_type == NLMSG_ERROR;
	if (header->nlmsg_type == NLMSG_ERROR) {
		const struct nlmsgerr *failure = NLMSG_DATA(header);
		bool gone =
		    header->nlmsg_len >= NLMSG_LENGTH(sizeof *failure) && failure->error == -ENODEV;
		return gone ? INTERFACE_GONE : INTERFACE_UNKNOWN;
	}
	if (header->nlmsg_type != RTM_NEWLINK ||
	    header->nlmsg_len < NLMSG_SPACE(sizeof(struct ifinfomsg)))
		return INTERFACE_UNKNOWN;
	const struct ifinfomsg *link = NLMSG_DATA(header);
	*state = (struct interface_state){
	    .index = link->ifi_index,
	    .up = link->ifi_flags & IFF_UP,
	    .linked = (link->ifi_flags & IFF_UP) && (link->ifi_flags & IFF_RUNNING),
	};
	take_attributes(state, (const uint8_t *)header + NLMSG_SPACE(sizeof *link),
	    header->nlmsg_len - NLMSG_SPACE(sizeof *link));
	if (link->ifi_flags & IFF_LOOPBACK)
		state->packets /= 2;
	return INTERFACE_FOUND;
}

enum interface_found interface_state_read(
    int descriptor, const char *name, struct interface_state *state)
{
	_Alignas(struct nlmsghdr) char answer[ANSWER_MAX];
	if (descriptor < 0 || !ask(descriptor, name))
		return INTERFACE_UNKNOWN;
	for (int count = 0; count < ANSWERS_MAX; count++) {
		ssize_t length = recv(descriptor, answer, sizeof answer, MSG_TRUNC);
		if (length < 0 && errno == EINTR)
			continue;
		struct nlmsghdr *header = (void *)answer;
		if (length < 0 || (size_t)length > sizeof answer ||
		    !NLMSG_OK(header, (size_t)length))
			return INTERFACE_UNKNOWN;
		bool answered = false;
		enum interface_found found = take_answer(header, state, &answered);
		if (answered)
			return found;
	}
	return INTERFACE_UNKNOWN;
}

void interface_names(char *text, size_t size)
{
	size_t length = 0;
	text[0] = '\0';
	struct if_nameindex *list = if_nameindex();
	for (const struct if_nameindex *one = list; one != NULL && one->if_index != 0; one++) {
		int added = snprintf(
		    text + length, size - length, "%s%s", length > 0 ? ", " : "", one->if_name);
		if (added < 0 || (size_t)added >= size - length)
			break;
		length += (size_t)added;
	}
	if_freenameindex(list);
}
