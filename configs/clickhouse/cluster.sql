-- For a cluster of several shards: on each of its servers, behind schema.sql and views.sql. Taps send to any one shard,
-- always the same one, and to its own tables: a batch is then there as a whole or not at all, and can be asked for.
-- (Sent to a Distributed table, a batch would be split over shards, and be there some time later.) These tables only
-- read: over all shards. `taps` is the cluster's name in the servers' configuration, `mailtap` the database.
--
-- With replicas, make the tables of schema.sql and views.sql by the engines Replicated… of the same names instead: they
-- also pass over a batch that they had already, whichever replica took it, since it comes again as the same bytes.

CREATE TABLE IF NOT EXISTS all_sessions AS sessions ENGINE = Distributed(taps, mailtap, sessions);
CREATE TABLE IF NOT EXISTS all_certificates AS certificates ENGINE = Distributed(taps, mailtap, certificates);
CREATE TABLE IF NOT EXISTS all_alerts AS alerts ENGINE = Distributed(taps, mailtap, alerts);
CREATE TABLE IF NOT EXISTS all_statistics AS statistics ENGINE = Distributed(taps, mailtap, statistics);
CREATE TABLE IF NOT EXISTS all_domains AS domains ENGINE = Distributed(taps, mailtap, domains);
CREATE TABLE IF NOT EXISTS all_lookups AS lookups ENGINE = Distributed(taps, mailtap, lookups);
CREATE TABLE IF NOT EXISTS all_messages AS messages ENGINE = Distributed(taps, mailtap, messages);
CREATE TABLE IF NOT EXISTS all_sessions_daily AS sessions_daily ENGINE = Distributed(taps, mailtap, sessions_daily);
CREATE TABLE IF NOT EXISTS all_funnel_daily AS funnel_daily ENGINE = Distributed(taps, mailtap, funnel_daily);
CREATE TABLE IF NOT EXISTS all_protection_daily AS protection_daily ENGINE = Distributed(taps, mailtap, protection_daily);
CREATE TABLE IF NOT EXISTS all_tls_daily AS tls_daily ENGINE = Distributed(taps, mailtap, tls_daily);
CREATE TABLE IF NOT EXISTS all_certificate_faults_daily AS certificate_faults_daily
    ENGINE = Distributed(taps, mailtap, certificate_faults_daily);
CREATE TABLE IF NOT EXISTS all_evidence_daily AS evidence_daily ENGINE = Distributed(taps, mailtap, evidence_daily);
CREATE TABLE IF NOT EXISTS all_distinct_daily AS distinct_daily ENGINE = Distributed(taps, mailtap, distinct_daily);
CREATE TABLE IF NOT EXISTS all_certificates_seen AS certificates_seen ENGINE = Distributed(taps, mailtap, certificates_seen);
