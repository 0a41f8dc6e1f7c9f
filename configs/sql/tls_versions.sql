-- Versions of TLS by hop.
-- Counts sessions in which TLS was established. share: of the hop's sessions whose version was seen.
-- Of: mail sessions with TLS established; version null: not seen, and in no share.
-- Not seen: versions that either side could do besides; those of other hops of a message.
SELECT hop,
       tls_version AS version,
       count(*) AS sessions,
       CASE WHEN tls_version IS NOT NULL
            THEN 1.0 * count(*) / sum(count(tls_version)) OVER (PARTITION BY hop) END AS share
  FROM sessions
 WHERE tls_established AND (protocol IN ('smtp', 'imap', 'pop3') OR hop IS NOT NULL)
 GROUP BY hop, tls_version
 ORDER BY hop IS NULL, hop, version IS NULL, sessions DESC, version
