-- Hops within one domain or network, by whether they were protected: what servers wrote into the headers of messages that
-- crossed in the clear (--mail-headers). By what the message did here (hop: submission, relay, or access to a mail store), and
-- by who handed it on (operator: registered domain of the name the client gave, of access of the server's, by the public
-- suffix list; null: not known).
-- Counts hops, as often as their message crosses: with TLS, without, neither written (not_seen), and those of which the names
-- do not say whether they are internal (unplaced). share: with TLS, of with and without (share_of).
-- Not seen: hops behind the tap, mail that TLS carries, and whether what is written is true: who sends can write any.
WITH told AS (
    SELECT hop AS crossing,
           CASE hop WHEN 'access' THEN server_operator ELSE client_operator END AS operator,
           json_extract(one.value, '$.internal') AS internal,
           json_extract(one.value, '$.tls') AS tls
      FROM messages, json_each(hops) AS one
), counted AS (
    SELECT crossing,
           operator,
           sum(internal IS 1 AND tls IS 1) AS tls,
           sum(internal IS 1 AND tls IS 0) AS cleartext,
           sum(internal IS 1 AND tls IS NULL) AS not_seen,
           sum(internal IS NULL) AS unplaced
      FROM told
     WHERE internal IS NOT 0
     GROUP BY crossing, operator
)
SELECT crossing AS hop,
       operator,
       tls,
       cleartext,
       not_seen,
       unplaced,
       1.0 * tls / nullif(tls + cleartext, 0) AS share,
       nullif(tls + cleartext, 0) AS share_of
  FROM counted
 ORDER BY tls + cleartext + not_seen + unplaced DESC, crossing, operator
