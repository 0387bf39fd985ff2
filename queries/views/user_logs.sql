-- title: SeeMe's user_logs
-- about: One row per action of a session, in place of one array per session.
SELECT tenant, record_id AS id, user_ref AS user_id, session_ref AS session_id, event_name AS action, category, attributes AS details,
       CASE WHEN session_ref IS NULL THEN time ELSE min(time) OVER (PARTITION BY tenant, session_ref) END AS session_date, time AS created_at, sample_weight
FROM activity_events
WHERE echo_of IS NULL
