-- title: Optio's user_activity_events
-- about: All 28 kinds of event in one list, under the names that Optio knows; durations in milliseconds.
SELECT tenant, record_id AS id, user_ref AS user_id, session_ref AS session_id, event_name AS event_type, category AS event_category, attributes AS event_data,
       page_path AS page_path, duration_ns / 1e6 AS duration, load_time_ns / 1e6 AS load_time, user_agent, client_prefix AS ip_address, time AS created_at, sample_weight
FROM activity_events
WHERE echo_of IS NULL
UNION ALL
SELECT tenant, record_id AS id, user_ref AS user_id, session_ref AS session_id, coalesce(name, action) AS event_type, 'auth' AS event_category, attributes AS event_data,
       path AS page_path, duration_ns / 1e6 AS duration, CAST(NULL AS DOUBLE) AS load_time, user_agent, client_prefix AS ip_address, time AS created_at, sample_weight
FROM auth_events
WHERE echo_of IS NULL
UNION ALL
SELECT tenant, record_id AS id, user_ref AS user_id, session_ref AS session_id, coalesce(CASE WHEN kind = 'log' THEN name END, error_type, 'error') AS event_type, 'error' AS event_category, attributes AS event_data,
       page_path AS page_path, duration_ns / 1e6 AS duration, CAST(NULL AS DOUBLE) AS load_time, user_agent, client_prefix AS ip_address, time AS created_at, sample_weight
FROM errors
WHERE echo_of IS NULL
