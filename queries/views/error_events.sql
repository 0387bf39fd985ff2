-- title: Optio's error_events
-- about: One row per error under the names that Optio knows.
SELECT tenant, record_id AS id, user_ref AS user_id, session_ref AS session_id, coalesce(error_type, CAST(status_code AS VARCHAR)) AS error_type, coalesce(message, body, status_message) AS error_message,
       stack_trace, component, page_path AS page_url, user_agent, route AS api_endpoint, status_code, time AS created_at, sample_weight
FROM errors
WHERE echo_of IS NULL
