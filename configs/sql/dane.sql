-- Sessions by whether the server's certificates fit the TLSA records of its name (match, mismatch; null: not known), and by
-- what DNSSEC says of these (secure, insecure, bogus; null: cannot tell).
-- Counts sessions, and names whose records were seen. Of: sessions whose server's records were seen (--dns).
-- Not seen: records nobody asked for in front of the tap; certificates that TLS 1.3 hides, unless other sessions showed them.
SELECT dane,
       dane_dnssec,
       count(*) AS sessions,
       CASE WHEN dane IS NOT NULL
            THEN 1.0 * count(*) / sum(CASE WHEN dane IS NOT NULL THEN count(*) END) OVER () END AS share,
       count(DISTINCT dane_name) AS names
  FROM sessions
 WHERE dane_records > 0
 GROUP BY dane, dane_dnssec
 ORDER BY dane IS NULL, sessions DESC
