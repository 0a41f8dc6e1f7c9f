-- Sessions by protocol, hop, port and IP version, and what became of them. `share`: encrypted, of those that were
-- encrypted, cleartext or stripped.
-- Counts sessions. Of: all connections to mail ports, or found to be mail.
-- Not seen: what is spoken inside TLS on a port of one's own (protocol null); a hop that only the inside tells.
SELECT protocol,
       hop,
       server_port AS port,
       CASE WHEN server_ip LIKE '%:%' THEN 6 ELSE 4 END AS ip_version,
       count(*) AS count,
       sum(verdict = 'encrypted') AS encrypted,
       sum(verdict = 'cleartext') AS cleartext,
       sum(verdict = 'stripped') AS stripped,
       sum(verdict = 'tls_failed') AS tls_failed,
       sum(verdict = 'no_mail') AS no_mail,
       sum(verdict = 'not_mail') AS not_mail,
       sum(verdict = 'partial') AS partial,
       sum(ifnull(messages, 0)) AS messages,
       sum(ifnull(message_bytes, 0)) AS message_bytes,
       1.0 * sum(verdict = 'encrypted') / nullif(sum(verdict IN ('encrypted', 'cleartext', 'stripped')), 0) AS share
  FROM sessions
 GROUP BY 1, 2, 3, 4
 ORDER BY count DESC, 1, 2, 3, 4
