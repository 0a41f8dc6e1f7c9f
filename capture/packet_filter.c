// SPDX-License-Identifier: Apache-2.0
// A filter expression: libpcap compiles it per link type and runs it per packet. Owns the programs.
#include "capture/packet_filter.h"

#include <pcap/pcap.h>
#include <stdlib.h>
#include <string.h>

enum { PROGRAMS_MAX = 64 }; // link types one expression is compiled for

struct link_program {
	uint16_t link_type;
	struct bpf_program code;
};

struct packet_filter {
	char *expression;
	size_t program_count;
	struct link_program programs[PROGRAMS_MAX];
};

// Link types whose number in files is not libpcap's own number on this system.
static const struct {
	uint16_t link_type;
	int pcap_number;
} pcap_numbers[] = {
    {LINK_RAW, DLT_RAW},
    {LINK_RAW_BSD, DLT_RAW},
    {LINK_RAW_OPENBSD, DLT_RAW},
    {100, DLT_ATM_RFC1483},
    {102, DLT_SLIP_BSDOS},
    {103, DLT_PPP_BSDOS},
};

static int pcap_number_of(uint16_t link_type)
{
	for (size_t i = 0; i < sizeof pcap_numbers / sizeof pcap_numbers[0]; i++)
		if (pcap_numbers[i].link_type == link_type)
			return pcap_numbers[i].pcap_number;
	return link_type;
}

struct packet_filter *packet_filter_create(const char *expression, struct error *error)
{
	struct packet_filter *filter = calloc(1, sizeof *filter);
	if (filter == NULL || (filter->expression = strdup(expression)) == NULL) {
		free(filter);
		error_set(error, "cannot use filter '%s': no memory", expression);
		return NULL;
	}
	return filter;
}

void packet_filter_destroy(struct packet_filter *filter)
{
	if (filter == NULL)
		return;
	for (size_t i = 0; i < filter->program_count; i++)
		pcap_freecode(&filter->programs[i].code);
	free(filter->expression);
	free(filter);
}

static struct link_program *find_program(struct packet_filter *filter, uint16_t link_type)
{
	for (size_t i = 0; i < filter->program_count; i++)
		if (filter->programs[i].link_type == link_type)
			return &filter->programs[i];
	return NULL;
}

static const char *link_name(uint16_t link_type)
{
	const char *name = pcap_datalink_val_to_name(pcap_number_of(link_type));
	return name != NULL ? name : "unknown";
}

bool packet_filter_prepare(struct packet_filter *filter, uint16_t link_type, struct error *error)
{
	if (find_program(filter, link_type) != NULL)
		return true;
	if (filter->program_count == PROGRAMS_MAX) {
		error_set(error, "cannot use filter '%.200s': the capture has over %d link types",
		    filter->expression, (int)PROGRAMS_MAX);
		return false;
	}
	pcap_t *pcap = pcap_open_dead(pcap_number_of(link_type), 262144);
	if (pcap == NULL) {
		error_set(error, "cannot use filter '%.200s': no memory", filter->expression);
		return false;
	}
	struct link_program *program = &filter->programs[filter->program_count];
	program->link_type = link_type;
	bool compiled =
	    pcap_compile(pcap, &program->code, filter->expression, 1, PCAP_NETMASK_UNKNOWN) == 0;
	if (compiled)
		filter->program_count++;
	else
		error_set(error, "cannot use filter '%.200s' on link type %u (%s): %s",
		    filter->expression, link_type, link_name(link_type), pcap_geterr(pcap));
	pcap_close(pcap);
	return compiled;
}

static bool in_vlan(const struct packet *packet)
{
	enum { TYPE_AT = 12, TYPE_END = 14, VLAN = 0x8100, QINQ = 0x88a8 };
	if (packet->link_type != LINK_ETHERNET || packet->captured < TYPE_END)
		return false;
	unsigned type = (unsigned)packet->data[TYPE_AT] << 8 | packet->data[TYPE_AT + 1];
	return type == VLAN || type == QINQ;
}

bool packet_filter_run(struct packet_filter *filter, struct packet_batch *batch,
    struct source_counters *counters, struct error *error)
{
	const struct link_program *program = NULL;
	size_t kept = 0, seen = 0;
	for (; seen < batch->count; seen++) {
		const struct packet *packet = &batch->packets[seen];
		if (program == NULL || program->link_type != packet->link_type) {
			if (!packet_filter_prepare(filter, packet->link_type, error))
				break;
			program = find_program(filter, packet->link_type);
		}
		struct pcap_pkthdr header = {.caplen = packet->captured, .len = packet->length};
		if (pcap_offline_filter(&program->code, &header, packet->data) != 0)
			batch->packets[kept++] = *packet;
		else
			counters->filtered_in_vlan += in_vlan(packet);
	}
	bool all = seen == batch->count;
	counters->filtered += seen - kept;
	batch->count = kept;
	return all;
}
