-- Clients by whether they take STARTTLS where it is offered: always, sometimes, never; null: not seen.
-- Counts clients (addresses) and the offers that they got. Of: the clients whose answer to an offer was seen.
-- Not seen: several machines behind one address; offers removed in front of the tap.
WITH clients AS MATERIALIZED (
    SELECT sum(starttls_requested IS 1) AS taken,
           sum(starttls_requested IS 0) AS ignored,
           sum(starttls_requested IS NULL) AS not_seen
      FROM sessions
     WHERE starttls_offered AND (protocol IN ('smtp', 'imap', 'pop3') OR hop IS NOT NULL)
     GROUP BY client_ip
), habits AS (
    SELECT CASE WHEN taken + ignored = 0 THEN NULL
                WHEN ignored = 0 THEN 'always'
                WHEN taken = 0 THEN 'never'
                ELSE 'sometimes' END AS uses,
           taken, ignored, not_seen
      FROM clients
)
SELECT uses,
       count(*) AS clients,
       CASE WHEN uses IS NOT NULL THEN 1.0 * count(*) / sum(count(uses)) OVER () END AS share,
       sum(taken) AS offers_taken,
       sum(ignored) AS offers_ignored,
       sum(not_seen) AS offers_not_seen
  FROM habits
 GROUP BY uses
 ORDER BY uses IS NULL, clients DESC
