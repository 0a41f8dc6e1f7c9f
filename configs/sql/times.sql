-- Sessions over time, in spans of equal length: the shortest (from a minute to days) of which all fit into 240. For a
-- span of one's own choice: by_hour, by_day.
-- Counts sessions that began in the span (UTC). share: encrypted, of all encrypted, cleartext and stripped.
-- Of: all connections to mail ports, or found to be mail; a span without any has no row.
-- Not seen: spans without a capture, which look like those without sessions.
WITH RECURSIVE seen AS (
    SELECT strftime('%s', substr(min("start"), 1, 19)) / 60 AS first,
           strftime('%s', substr(max("start"), 1, 19)) / 60 AS last
      FROM sessions
), widths(minutes, wider) AS (
    VALUES (1, 5), (5, 15), (15, 60), (60, 180), (180, 360), (360, 1440)
    UNION ALL
    SELECT 1440, 2880
    UNION ALL
    SELECT wider, 2 * wider FROM widths WHERE minutes >= 1440 AND wider < 1440 * 65536
), span AS MATERIALIZED (
    SELECT min(minutes) * 60 AS seconds FROM widths, seen WHERE last / minutes - first / minutes < 240
), placed AS (
    SELECT strftime('%s', substr("start", 1, 19)) / seconds * seconds AS second, seconds, verdict FROM sessions, span
)
SELECT strftime('%Y-%m-%dT%H:%M:%SZ', second, 'unixepoch') AS "start",
       seconds,
       count(*) AS sessions,
       sum(verdict = 'encrypted') AS encrypted,
       sum(verdict = 'cleartext') AS cleartext,
       sum(verdict = 'stripped') AS stripped,
       sum(verdict = 'tls_failed') AS tls_failed,
       sum(verdict = 'no_mail') AS no_mail,
       sum(verdict = 'not_mail') AS not_mail,
       sum(verdict = 'partial') AS partial,
       1.0 * sum(verdict = 'encrypted') / nullif(sum(verdict IN ('encrypted', 'cleartext', 'stripped')), 0) AS share
  FROM placed
 GROUP BY second, seconds
 ORDER BY second
