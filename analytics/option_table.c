// SPDX-License-Identifier: Apache-2.0
#include "analytics/option_table.h"

#include "analytics/option_values.h"
#include "analytics/store_kinds.h"

#include <stdio.h>

#define AT(name) offsetof(struct options, name)

// In the order of the help.
const struct option_row option_table[] = {
    {"read", 'r', "FILE...", &option_captures, AT(files), OPTION_GROUP_CAPTURE,
        .help = "captures to read, one after the other as one traffic: pcap or\n"
                "pcapng, also compressed; - is standard input",
        .source = true},
    {"interface", 'i', "NAME...", &option_list, AT(interfaces), OPTION_GROUP_CAPTURE,
        .help = "capture on this network interface until a signal comes; may be\n"
                "repeated or name several, as eth0,eth1: both directions of an\n"
                "optical tap; any: all there are",
        .source = true},
    {"list-interfaces", 'D', NULL, &option_interfaces, OPTION_VALUE_NONE, OPTION_GROUP_NONE,
        .help = "print which interfaces there are and exit"},
    {"buffer", 0, "SIZE", &option_size, AT(capture_buffer), OPTION_GROUP_PERFORMANCE,
        .help = "room for packets of an interface or a DPDK port that wait (64M)",
        .initial = 64 << 20, .least = 1 << 20},
    {"no-promiscuous", 0, NULL, &option_flag, AT(not_promiscuous), OPTION_GROUP_CAPTURE,
        .help = "only packets for this host, as far as its network card tells"},
    {"busy-poll", 0, NULL, &option_flag, AT(busy_poll), OPTION_GROUP_PERFORMANCE,
        .help = "never sleep while no packet comes: takes a whole core"},
    {"dpdk", 0, "ARGUMENTS", &option_text, AT(dpdk), OPTION_GROUP_CAPTURE,
        .help = "read ports of DPDK; the words are for its environment, as\n"
                "'-a 0000:3b:00.0', or '--no-huge -m 512 --vdev ...'",
        .source = true},
    {"dpdk-ports", 'p', "LIST", &option_text, AT(dpdk_ports), OPTION_GROUP_CAPTURE,
        .help = "which of them, by number, as 0,2-3 (all)", .source = true},
    {"no-offload", 0, NULL, &option_flag, AT(no_offload), OPTION_GROUP_CAPTURE,
        .help = "do not ask the card of a DPDK port to leave out what is no mail"},
    {"log-dir", 'w', "DIR", &option_text, AT(log_directory), OPTION_GROUP_LOGS,
        .help = "write the logs (sessions.jsonl, certificates.jsonl, alerts.jsonl,\n"
                "statistics.jsonl, with --dns domains.jsonl) to this directory"},
    {"output", 'o', "FILE", &option_text, AT(records_path), OPTION_GROUP_LOGS,
        .help = "write the session records to this file; - prints them"},
    {"filter", 'f', "EXPRESSION", &option_filter, AT(filter), OPTION_GROUP_CAPTURE,
        .help = "only packets that match, as in pcap-filter(7); also what follows\n"
                "the options, or --"},
    {"ports", 0, "LIST", &option_ports, AT(ports), OPTION_GROUP_CAPTURE,
        .help = "ports to follow, as 25,2526:smtp,10993:imaps; what they speak\n"
                "may be smtp, imap, pop3, or with s at the end for TLS from the\n"
                "first byte; a leading + adds to the usual ones"},
    {"any-port", 0, NULL, &option_flag, AT(any_port), OPTION_GROUP_CAPTURE,
        .help = "look for mail on all other ports, too; what is not certainly mail\n"
                "there is not recorded"},
    {"dns", 0, NULL, &option_flag, AT(names), OPTION_GROUP_CAPTURE,
        .help = "read the answers of DNS that mail asks for, too (port 53): what\n"
                "domains publish goes to domains.jsonl, who looks it up to\n"
                "lookups.jsonl"},
    {"trust-anchors", 0, "FILE", &option_text, AT(trust_anchors), OPTION_GROUP_CERTIFICATES,
        .help = "with --dns: what DNSSEC is trusted from, records DS or DNSKEY as\n"
                "in a zone (the root's keys, of the package dns-root-data)"},
    {"mail-headers", 0, NULL, &option_flag, AT(mail_headers), OPTION_GROUP_CAPTURE,
        .help = "read the headers of mail that crosses in the clear, too, while it\n"
                "passes: how it came, who signed it, what became of it go to\n"
                "messages.jsonl; no address, subject or other field is kept"},
    {"no-ndpi", 0, NULL, &option_flag, AT(without_ndpi), OPTION_GROUP_CAPTURE,
        .help = "do not ask the library nDPI what is spoken where it is no mail;\n"
                "protocol is \"unknown\" then, unless mailtap itself knows"},
    {"sensor", 0, "NAME", &option_text, AT(sensor), OPTION_GROUP_LOGS,
        .help = "name of this tap in the records"},
    {"memory", 0, "SIZE", &option_size, AT(memory), OPTION_GROUP_PERFORMANCE,
        .help = "most memory for connections, as 512M or 2G (1G)", .initial = 1 << 30,
        .least = 8 << 20},
    {"workers", 0, "N", &option_count, AT(workers), OPTION_GROUP_PERFORMANCE,
        .help = "threads that follow connections (as many as there are processors,\n"
                "less two, up to 8); 0: the one that reads the packets does",
        .initial = WORKERS_BY_PROCESSORS, .most = CREW_WORKERS_MAX},
    {"cpus", 0, "LIST", &option_cpus, AT(cpus), OPTION_GROUP_PERFORMANCE,
        .help = "processors to run on, as 2,4-7: the first for the thread that reads,\n"
                "one for each worker, the last for the one that judges and writes"},
    {"drop-bad-checksums", 0, NULL, &option_flag, AT(drop_wrong_checksums), OPTION_GROUP_CAPTURE,
        .help = "leave out segments with a wrong TCP checksum (they are counted\n"
                "and kept: a sender's network card may fill them in later)"},
    {"ca-file", 0, "FILE", &option_list, AT(ca_files), OPTION_GROUP_CERTIFICATES,
        .help = "certificates to trust, PEM; may be repeated, as may the next two"},
    {"ca-dir", 0, "DIR", &option_list, AT(ca_directories), OPTION_GROUP_CERTIFICATES,
        .help = "a directory of such files; without either, those that Debian's\n"
                "ca-certificates installs"},
    {"crl-dir", 0, "DIR", &option_list, AT(crl_directories), OPTION_GROUP_CERTIFICATES,
        .help = "a directory of revocation lists"},
    {"pem", 0, NULL, &option_flag, AT(pem), OPTION_GROUP_CERTIFICATES,
        .help = "certificates.jsonl holds the certificates themselves, too"},
    {"write-certs", 0, "DIR", &option_text, AT(certificate_directory), OPTION_GROUP_CERTIFICATES,
        .help = "write each certificate to this directory, as SHA256.pem"},
    {"tls-keylog", 0, "FILE", &option_list, AT(keylogs), OPTION_GROUP_CERTIFICATES,
        .help = "decrypt the TLS handshakes, and nothing behind them, of the sessions\n"
                "whose secrets are in this file (as SSLKEYLOGFILE names it for curl\n"
                "and others); it is read once, at the start; may be repeated"},
    {"patterns", 0, "FILE", &option_list, AT(patterns), OPTION_GROUP_EVIDENCE,
        .help = "more patterns to tell software, filler and refusals by, in front of\n"
                "those of the program; may be repeated"},
    {"pattern-cache", 0, "DIR", &option_text, AT(pattern_cache), OPTION_GROUP_EVIDENCE,
        .help = "where compiled patterns are kept from run to run\n"
                "($XDG_CACHE_HOME/mailtap or ~/.cache/mailtap)"},
    {"alert-interval", 0, "SECONDS", &option_seconds, AT(alert_interval), OPTION_GROUP_EVIDENCE,
        .help = "for how long alerts like one that was written are left out and\n"
                "counted (600): of the same kind, server and client network",
        .initial = 600},
    {"server-memory", 0, "FILE", &option_text, AT(server_memory), OPTION_GROUP_EVIDENCE,
        .help = "what servers did in earlier runs: read at the start if it is there,\n"
                "replaced at the end, and each five minutes by a run that adds to its\n"
                "logs; `mailtap servers` prints it"},
    {"server-baseline", 0, "FILE", &option_text, AT(server_baseline), OPTION_GROUP_EVIDENCE,
        .help = "servers known to be good, one a line: SERVER PORT starttls|tls\n"
                "[SHA256...]"},
    {"interval", 0, "SECONDS", &option_seconds, AT(interval), OPTION_GROUP_STATISTICS,
        .help = "how often statistics.jsonl gets a line, in packet time (60);\n"
                "0: only for the run",
        .initial = 60},
    {"csv", 0, "DIR", &option_text, AT(csv_directory), OPTION_GROUP_STATISTICS,
        .help = "write the tables of the statistics to this directory"},
    {"metrics", 0, "FILE", &option_text, AT(metrics_path), OPTION_GROUP_STATISTICS,
        .help = "write them as OpenMetrics, replaced at the end of each interval"},
    {"tls-rpt", 0, "DIR", &option_text, AT(tls_rpt_directory), OPTION_GROUP_STATISTICS,
        .help = "write a TLS report (RFC 8460) for each domain to this directory"},
    {"asn-db", 0, "FILE", &option_text, AT(asn_table), OPTION_GROUP_STATISTICS,
        .help = "a table of the networks of addresses, as GeoLite2-ASN.mmdb"},
    {"country-db", 0, "FILE", &option_text, AT(country_table), OPTION_GROUP_STATISTICS,
        .help = "a table of the countries of addresses, as GeoLite2-Country.mmdb"},
    {"append", 0, NULL, &option_flag, AT(append), OPTION_GROUP_LOGS,
        .help = "add to the logs that are there instead of replacing them, and stay\n"
                "up where they cannot be written; so do the next four"},
    {"rotate-size", 0, "SIZE", &option_size, AT(rotate_size), OPTION_GROUP_LOGS,
        .help = "put a log aside before it grows beyond this: as\n"
                "sessions-2026-11-27T03-00-00Z.jsonl, by when it was begun"},
    {"rotate-interval", 0, "SECONDS", &option_seconds, AT(rotate_interval), OPTION_GROUP_LOGS,
        .help = "put logs aside at the multiples of this in UTC: 86400 is midnight"},
    {"rotate-keep", 0, "COUNT", &option_count, AT(rotate_keep), OPTION_GROUP_LOGS,
        .help = "remove the oldest of a log when more than these were put aside"},
    {"rotate-zstd", 0, NULL, &option_flag, AT(rotate_zstd), OPTION_GROUP_LOGS,
        .help = "compress what was put aside"},
    {"store", 0, "none|sqlite|clickhouse", &option_word, AT(store), OPTION_GROUP_STORE,
        .help = "store the records that the logs get in a database as well (none);\n"
                "`mailtap query` asks that of sqlite",
        .words = store_kind_names},
    {"store-file", 0, "FILE", &option_text, AT(store_file), OPTION_GROUP_STORE,
        .help = "the database of sqlite; made if it is missing, added to if it is there"},
    {"store-keep", 0, "DAYS", &option_count, AT(store_keep), OPTION_GROUP_STORE,
        .help = "remove records from it that are older than this, by the clock",
        .most = 36500},
    {"store-size", 0, "SIZE", &option_size, AT(store_size), OPTION_GROUP_STORE,
        .help = "remove the oldest records from it where it is larger than this"},
    {"store-url", 0, "URL", &option_text, AT(store_url), OPTION_GROUP_STORE,
        .help = "the server of clickhouse: http[s]://HOST[:PORT][/DATABASE]; usually\n"
                "port 8123 (8443), database mailtap"},
    {"store-login", 0, "FILE", &option_text, AT(store_login), OPTION_GROUP_STORE,
        .help = "user and password for it: the first two lines of a file that nobody\n"
                "else may read"},
    {"store-ca-file", 0, "FILE", &option_text, AT(store_ca_file), OPTION_GROUP_STORE,
        .help = "the certificates that its own may rest on (those the system trusts)"},
    {"store-timeout", 0, "SECONDS", &option_count, AT(store_timeout), OPTION_GROUP_STORE,
        .help = "give it so long for a request (30)",
        .initial = 30,
        .least = 1,
        .most = 3600},
    {"store-flush", 0, "SECONDS", &option_count, AT(store_flush), OPTION_GROUP_STORE,
        .help = "send it what there is at least so often (10)",
        .initial = 10,
        .least = 1,
        .most = 3600},
    {"store-spool", 0, "DIR", &option_text, AT(store_spool), OPTION_GROUP_STORE,
        .help = "where records wait for it; each run its own"},
    {"store-spool-size", 0, "SIZE", &option_size, AT(store_spool_size), OPTION_GROUP_STORE,
        .help = "lose records, and count them, where they would take more than this\n"
                "(1G)",
        .initial = (uint64_t)1 << 30,
        .least = 1 << 16},
    {"listen", 0, "[ADDRESS:]PORT", &option_listen, AT(listen), OPTION_GROUP_SERVICE,
        .help = "while it runs, answer HTTP there: / (a page), /live.json, /metrics\n"
                "(OpenMetrics), /healthz, /readyz; usually 127.0.0.1:9479, which 9479\n"
                "alone means as well"},
    {"listen-name", 0, "NAME,...", &option_text, AT(listen_names), OPTION_GROUP_SERVICE,
        .help = "what browsers may call it there, besides its address and localhost:\n"
                "the page is not shown under another name"},
    {"user", 0, "NAME", &option_text, AT(user), OPTION_GROUP_PRIVILEGES,
        .help = "become this user as soon as the source is open (root only). A run\n"
                "from an interface that root starts becomes mailtap, if there is\n"
                "such a user"},
    {"no-sandbox", 0, NULL, &option_flag, AT(without_sandbox), OPTION_GROUP_PRIVILEGES,
        .help = "do not give up the system calls and files that are not needed, so\n"
                "that debuggers and profilers work"},
    {"anonymise", 0, "KEYFILE", &option_text, AT(anonymisation_key), OPTION_GROUP_PRIVACY,
        .help = "write other addresses in the place of the real ones, the same for\n"
                "each with the same key, networks kept together; the key is 32\n"
                "bytes or 64 hexadecimal digits, in a file of yours alone"},
    {"quiet", 'q', NULL, &option_flag, AT(quiet), OPTION_GROUP_LOGS,
        .help = "no summary, no progress"},
    {"config", 0, "FILE", &option_text, AT(config_path), OPTION_GROUP_NONE,
        .help = "read options from this file (YAML) as well: sections of keys that\n"
                "are the long names here; the command line goes before it"},
    {"check-config", 0, NULL, &option_flag, AT(check_config), OPTION_GROUP_NONE,
        .help = "only say whether the file is good, or what is wrong with it"},
    {"version", 'V', NULL, &option_version, OPTION_VALUE_NONE, OPTION_GROUP_NONE,
        .help = "print the version and exit"},
    {"help", 'h', NULL, &option_help, OPTION_VALUE_NONE, OPTION_GROUP_NONE,
        .help = "print this and exit"},
};

const size_t option_rows = sizeof option_table / sizeof option_table[0];
_Static_assert(sizeof option_table / sizeof option_table[0] <= OPTION_ROWS_MAX, "too many options");

const char *option_group_name(enum option_group group)
{
	static const char *const names[OPTION_GROUPS] = {
	    [OPTION_GROUP_CAPTURE] = "capture",
	    [OPTION_GROUP_PERFORMANCE] = "performance",
	    [OPTION_GROUP_LOGS] = "logs",
	    [OPTION_GROUP_STORE] = "store",
	    [OPTION_GROUP_CERTIFICATES] = "certificates",
	    [OPTION_GROUP_EVIDENCE] = "evidence",
	    [OPTION_GROUP_STATISTICS] = "statistics",
	    [OPTION_GROUP_SERVICE] = "service",
	    [OPTION_GROUP_PRIVILEGES] = "privileges",
	    [OPTION_GROUP_PRIVACY] = "privacy",
	};
	return names[group];
}

void option_shown_as(const struct option_row *row, char shown[OPTION_NAME_MAX])
{
	if (row->letter != 0)
		snprintf(shown, OPTION_NAME_MAX, "-%c", row->letter);
	else
		snprintf(shown, OPTION_NAME_MAX, "--%s", row->name);
}
