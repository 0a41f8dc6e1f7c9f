-- Each operator that receives mail (registered domain of the server's name, by the public suffix list; null: not known), and
-- what the networks look up in which it receives (see lookup_list).
-- Counts networks in which it received sessions on port 25 that could carry mail, of runs with --dns; of these, those in which
-- other operators receive as well (shared), and those that were seen to ask anything (watched). spf, dkim, dmarc: networks that
-- looked it up after a session or more; shares are of the watched.
-- Not seen: what a resolver remembers and does not ask for again, resolvers in other networks or behind the tap, whose mail a
-- look-up was for, and for which of the operators that share a network.
WITH pairs AS MATERIALIZED (
    SELECT server_network AS network,
           server_operator,
           count(*) AS sessions
      FROM sessions JOIN session_networks ON session_networks.session = sessions.rowid
     WHERE dns_read AND server_port = 25 AND verdict IN ('encrypted', 'cleartext', 'stripped')
     GROUP BY server_network, server_operator
), sharing AS MATERIALIZED (
    SELECT network, count(*) AS operators FROM pairs GROUP BY network
), looking AS MATERIALIZED (
    SELECT network, watched, spf, dkim, dmarc FROM lookup_list
), counted AS (
    SELECT server_operator,
           sum(sessions) AS sessions,
           count(*) AS networks,
           sum(operators > 1) AS shared,
           sum(ifnull(watched, 0) > 0) AS watched,
           sum(ifnull(spf, 0) > 0) AS spf,
           sum(ifnull(dkim, 0) > 0) AS dkim,
           sum(ifnull(dmarc, 0) > 0) AS dmarc
      FROM pairs JOIN sharing USING (network) LEFT JOIN looking USING (network)
     GROUP BY server_operator
)
SELECT server_operator,
       sessions,
       networks,
       shared,
       watched,
       CASE WHEN watched > 0 THEN spf END AS spf,
       1.0 * spf / nullif(watched, 0) AS spf_share,
       CASE WHEN watched > 0 THEN dkim END AS dkim,
       1.0 * dkim / nullif(watched, 0) AS dkim_share,
       CASE WHEN watched > 0 THEN dmarc END AS dmarc,
       1.0 * dmarc / nullif(watched, 0) AS dmarc_share
  FROM counted
 ORDER BY sessions DESC, server_operator
