-- title: Events by category
-- about: How often each event happened and to how many users, by service and category; sign-ins are category auth, errors category error.
WITH seen AS (
    SELECT tenant, service_name, coalesce(category, 'other') AS category, event_name, user_ref, session_ref, time, coalesce(sample_weight, 1) AS weight
    FROM activity_events WHERE echo_of IS NULL
    UNION ALL
    SELECT tenant, service_name, 'auth' AS category, coalesce(action, name) AS event_name, user_ref, session_ref, time, coalesce(sample_weight, 1) AS weight
    FROM auth_events WHERE echo_of IS NULL
    UNION ALL
    SELECT tenant, service_name, 'error' AS category, coalesce(CASE WHEN kind = 'log' THEN name END, error_type, 'error') AS event_name, user_ref, session_ref, time, coalesce(sample_weight, 1) AS weight
    FROM errors WHERE echo_of IS NULL
)
SELECT tenant, service_name, category, event_name,
       sum(weight) AS events, count(DISTINCT user_ref) AS users, count(DISTINCT session_ref) AS sessions,
       min(time) AS first_seen, max(time) AS last_seen
FROM seen
GROUP BY tenant, service_name, category, event_name
