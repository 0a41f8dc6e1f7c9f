-- Evidence of stripping and downgrade by kind and by the highest confidence that a session has of it.
-- Counts sessions; one may have several kinds. Of: the sessions with any evidence. `stripped`: those of them whose
-- verdict that is.
-- Not seen: what is done where no packet passes the tap; a tap sees bytes, not intentions.
WITH pieces AS MATERIALIZED (
    SELECT sessions.rowid AS session,
           verdict,
           json_extract(piece.value, '$.kind') AS kind,
           max(CASE json_extract(piece.value, '$.confidence')
               WHEN 'confirmed' THEN 3 WHEN 'probable' THEN 2 WHEN 'suspected' THEN 1 END) AS rank
      FROM sessions, json_each(evidence) AS piece
     WHERE evidence <> '[]'
     GROUP BY sessions.rowid, kind
)
SELECT kind,
       CASE rank WHEN 3 THEN 'confirmed' WHEN 2 THEN 'probable' WHEN 1 THEN 'suspected' END AS confidence,
       count(*) AS sessions,
       sum(verdict = 'stripped') AS stripped,
       1.0 * count(*) / (SELECT count(DISTINCT session) FROM pieces) AS share
  FROM pieces
 WHERE rank IS NOT NULL
 GROUP BY kind, rank
 ORDER BY sessions DESC, kind, rank DESC
