-- What the capture says of itself, summed over all runs: what was seen, what was left out, what was lost, so that every
-- other figure can be judged. A run counts by the line that it wrote at its end; one that goes on or was killed by its
-- intervals.
-- Counts packets, segments and so on, as the name says. Of: all that came to the taps.
-- Not seen: what a tap or a capture file does not say it lost.
SELECT counter.key AS counter,
       sum(counter.value) AS count
  FROM statistics, json_each(statistics.capture) AS counter
 WHERE kind = 'run'
    OR (kind = 'interval' AND run IS NOT NULL
        AND NOT EXISTS (SELECT 1 FROM statistics AS whole
                         WHERE whole.kind = 'run' AND whole.run = statistics.run
                           AND whole.sensor IS statistics.sensor))
 GROUP BY counter.key
 ORDER BY min(counter.id)
