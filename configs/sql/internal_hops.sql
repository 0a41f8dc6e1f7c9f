-- Hops within senders' own networks, by whether they were protected: what servers wrote into the headers of messages that
-- crossed in the clear (--mail-headers), by the operator of the client that sent them (registered domain of the name it gave,
-- by the public suffix list; null: not known).
-- Counts hops: with TLS, without, neither written (not_seen), and those of which the names do not say whether they are
-- internal (unplaced). share: with TLS, of with and without (share_of).
-- Not seen: hops behind the tap, mail that TLS carries, and whether what is written is true: who sends can write any.
WITH told AS (
    SELECT client_operator,
           json_extract(hop.value, '$.internal') AS internal,
           json_extract(hop.value, '$.tls') AS tls
      FROM messages, json_each(hops) AS hop
), counted AS (
    SELECT client_operator,
           sum(internal IS 1 AND tls IS 1) AS tls,
           sum(internal IS 1 AND tls IS 0) AS cleartext,
           sum(internal IS 1 AND tls IS NULL) AS not_seen,
           sum(internal IS NULL) AS unplaced
      FROM told
     WHERE internal IS NOT 0
     GROUP BY client_operator
)
SELECT client_operator,
       tls,
       cleartext,
       not_seen,
       unplaced,
       1.0 * tls / nullif(tls + cleartext, 0) AS share,
       nullif(tls + cleartext, 0) AS share_of
  FROM counted
 ORDER BY tls + cleartext + not_seen + unplaced DESC, client_operator
