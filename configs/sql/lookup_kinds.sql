-- What networks that receive mail look up of its senders (see lookup_list): SPF, DKIM, DMARC.
-- Counts networks that looked it up after a session or more, and the sessions after which they did. Shares: of the networks
-- that were seen to ask anything (network_share_of), of the sessions that these received meanwhile (session_share_of).
-- Not seen: sessions of networks that were not seen to ask anything (not_seen), which are in no share; what a resolver
-- remembers and does not ask for again, resolvers in other networks or behind the tap, and whose mail a look-up was for.
WITH networks AS MATERIALIZED (
    SELECT network, sessions, watched, spf, dkim, dmarc FROM lookup_list
), kinds AS (
    SELECT 1 AS number, 'spf' AS looks_up, sessions, watched, spf AS followed FROM networks
    UNION ALL
    SELECT 2, 'dkim', sessions, watched, dkim FROM networks
    UNION ALL
    SELECT 3, 'dmarc', sessions, watched, dmarc FROM networks
), counted AS (
    SELECT number,
           looks_up,
           sum(followed > 0) AS networks,
           nullif(sum(watched > 0), 0) AS network_share_of,
           sum(followed) AS sessions,
           nullif(sum(watched), 0) AS session_share_of,
           sum(sessions - watched) AS not_seen
      FROM kinds
     GROUP BY number
)
SELECT looks_up,
       ifnull(networks, 0) AS networks,
       1.0 * networks / network_share_of AS network_share,
       network_share_of,
       ifnull(sessions, 0) AS sessions,
       1.0 * sessions / session_share_of AS session_share,
       session_share_of,
       not_seen
  FROM counted
 ORDER BY number
