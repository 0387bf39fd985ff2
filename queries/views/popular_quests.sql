-- title: Popular quests
-- about: Score is views plus twice the starts plus five times the completions.
SELECT tenant, object_id AS quest_id,
       sum(CASE WHEN event_name = 'quest_viewed' THEN coalesce(sample_weight, 1) ELSE 0 END) AS views,
       sum(CASE WHEN event_name = 'quest_started' THEN coalesce(sample_weight, 1) ELSE 0 END) AS starts,
       sum(CASE WHEN event_name = 'quest_completed' THEN coalesce(sample_weight, 1) ELSE 0 END) AS completions,
       sum(CASE event_name WHEN 'quest_viewed' THEN 1 WHEN 'quest_started' THEN 2 WHEN 'quest_completed' THEN 5 ELSE 0 END * coalesce(sample_weight, 1)) AS score,
       sum(CASE WHEN event_name = 'quest_completed' THEN coalesce(sample_weight, 1) ELSE 0 END)
           / nullif(sum(CASE WHEN event_name = 'quest_started' THEN coalesce(sample_weight, 1) ELSE 0 END), 0) AS completion_rate
FROM activity_events
WHERE echo_of IS NULL AND event_name IN ('quest_viewed', 'quest_started', 'quest_completed')
GROUP BY tenant, object_id
