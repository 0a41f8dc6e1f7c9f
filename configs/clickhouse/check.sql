-- Days of which a view has another number of sessions than the table: a server was killed while it took a batch. Nothing:
-- all is well. (Days whose partition of `sessions` was dropped are left out.) Remedy: rebuild.sh.
SELECT day, sum(in_table) AS in_table, sum(in_sessions_daily) AS in_sessions_daily
FROM
(
    SELECT toDate(start, 'UTC') AS day, count() AS in_table, toUInt64(0) AS in_sessions_daily FROM sessions GROUP BY day
    UNION ALL
    SELECT day, toUInt64(0) AS in_table, sum(sessions_daily.sessions) AS in_sessions_daily FROM sessions_daily GROUP BY day
)
GROUP BY day
HAVING in_table > 0 AND in_table != in_sessions_daily
ORDER BY day;
