-- What became of the sessions: each verdict, with the reason why mail went in the clear.
-- Counts sessions. Of: all connections to mail ports, or found to be mail.
-- Not seen: connections whose packets did not pass the tap, and what TLS carried.
SELECT verdict,
       reason,
       count(*) AS sessions,
       1.0 * count(*) / (SELECT count(*) FROM sessions) AS share
  FROM sessions
 GROUP BY verdict, reason
 ORDER BY sessions DESC, verdict, reason
