-- Each network that receives mail, and what its hosts look up of its senders while a session lasts that it receives, or
-- within 60 s after it. spf, dkim, dmarc: sessions after which it was looked up; null: the network was not seen to ask
-- anything.
-- Counts sessions on port 25 that could carry mail. Shares: of its sessions while it was seen to ask anything (watched).
-- Not seen: what a resolver remembers and does not ask for again, resolvers in other networks or behind the tap, and whose
-- mail a look-up was for.
WITH networks AS (
    SELECT network,
           sum(sessions) AS sessions,
           sum(questions) AS questions,
           sum(CASE WHEN questions > 0 THEN sessions ELSE 0 END) AS watched,
           sum(spf) AS spf,
           sum(dkim) AS dkim,
           sum(dmarc) AS dmarc
      FROM lookups
     GROUP BY network
)
SELECT network,
       sessions,
       questions,
       CASE WHEN watched > 0 THEN spf END AS spf,
       1.0 * spf / nullif(watched, 0) AS spf_share,
       CASE WHEN watched > 0 THEN dkim END AS dkim,
       1.0 * dkim / nullif(watched, 0) AS dkim_share,
       CASE WHEN watched > 0 THEN dmarc END AS dmarc,
       1.0 * dmarc / nullif(watched, 0) AS dmarc_share,
       watched
  FROM networks
 ORDER BY sessions DESC, network
