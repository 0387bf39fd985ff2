-- title: Optio's learning_journey_events
-- about: Milestones of learning: quests, tasks, badges and what the application says of risk and engagement.
SELECT tenant, record_id AS id, user_ref AS user_id, session_ref AS session_id, event_name AS event_type, category, object_type, object_id, pillar, xp,
       risk_score, engagement_level, attributes AS event_data, time AS created_at, sample_weight
FROM activity_events
WHERE echo_of IS NULL AND (category IN ('quest', 'badge', 'learning') OR risk_score IS NOT NULL OR engagement_level IS NOT NULL)
