-- Groups of TLS key exchanges (none: RSA, or a group without a name), and whether they withstand a quantum computer
-- (post_quantum: none, hybrid or pure).
-- Counts sessions in which TLS was established. share: of those whose group was seen.
-- Of: mail sessions with TLS established; group null: not seen, and in no share.
-- Not seen: resumed sessions hide theirs.
WITH chosen AS (
    SELECT ifnull(tls_group, CASE WHEN tls_post_quantum IS NOT NULL THEN 'none' END) AS "group",
           tls_post_quantum AS post_quantum
      FROM sessions
     WHERE tls_established AND (protocol IN ('smtp', 'imap', 'pop3') OR hop IS NOT NULL)
)
SELECT "group",
       post_quantum,
       count(*) AS sessions,
       CASE WHEN "group" IS NOT NULL THEN 1.0 * count(*) / sum(count("group")) OVER () END AS share
  FROM chosen
 GROUP BY "group", post_quantum
 ORDER BY "group" IS NULL, sessions DESC, "group", post_quantum
