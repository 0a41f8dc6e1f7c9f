-- Server certificates by session and by server: as a whole (axis certificate: see server_sessions), and each fault of
-- them (axis fault). `recalled`: sessions that hide it, where the server always shows this one elsewhere.
-- Counts TLS sessions, and servers with such a session. Of: those in which it was judged; status null or not_judged is
-- in no share.
-- Not seen: certificates of TLS 1.3 and of resumed sessions; names that clients know by DNS or pinning.
WITH tls AS MATERIALIZED (
    SELECT server_ip, server_port, shown, status, recalled FROM server_sessions WHERE tls
), judged AS (
    SELECT count(*) AS sessions, count(DISTINCT server_ip || ' ' || server_port) AS servers
      FROM tls WHERE shown <> 'not_judged'
), counted AS (
    SELECT 'certificate' AS axis,
           shown AS status,
           count(*) AS sessions,
           count(DISTINCT server_ip || ' ' || server_port) AS servers,
           sum(recalled) AS recalled,
           ifnull(shown, 'not_judged') <> 'not_judged' AS is_judged
      FROM tls
     GROUP BY shown
    UNION ALL
    SELECT 'fault', fault.value, count(*), count(DISTINCT server_ip || ' ' || server_port), NULL, 1
      FROM tls, json_each(tls.status) AS fault
     GROUP BY fault.value
)
SELECT axis,
       status,
       counted.sessions,
       CASE WHEN is_judged THEN 1.0 * counted.sessions / judged.sessions END AS sessions_share,
       counted.servers,
       CASE WHEN is_judged THEN 1.0 * counted.servers / judged.servers END AS servers_share,
       recalled
  FROM counted, judged
 ORDER BY axis, status IS NULL, counted.sessions DESC, status
