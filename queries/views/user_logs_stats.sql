-- title: SeeMe's get_user_logs_stats
-- about: Sessions and last activity by user.
SELECT tenant, user_ref AS user_id, count(DISTINCT session_ref) AS sessions, sum(coalesce(sample_weight, 1)) AS actions, max(time) AS last_activity
FROM activity_events
WHERE echo_of IS NULL
GROUP BY tenant, user_ref
