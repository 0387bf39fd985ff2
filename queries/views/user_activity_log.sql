-- title: CVD's user_activity_log
-- about: Requests, activity and sign-ins in one list, under the names that CVD knows; a request is an api_call.
SELECT tenant, record_id AS id, user_ref AS user_id, 'api_call' AS action_type, duration_ns / 1e6 AS response_time_ms, coalesce(error_code, error_type) AS error_code, coalesce(response_bytes, rows_returned) AS data_volume,
       coalesce(is_success, status_code < 400) AS is_success, attributes AS details, client_prefix AS ip_address, user_agent, time AS timestamp, sample_weight
FROM requests
WHERE echo_of IS NULL
UNION ALL
SELECT tenant, record_id AS id, user_ref AS user_id, event_name AS action_type, duration_ns / 1e6 AS response_time_ms, error_type AS error_code, file_bytes AS data_volume,
       error_type IS NULL AS is_success, attributes AS details, client_prefix AS ip_address, user_agent, time AS timestamp, sample_weight
FROM activity_events
WHERE echo_of IS NULL
UNION ALL
SELECT tenant, record_id AS id, user_ref AS user_id, action AS action_type, duration_ns / 1e6 AS response_time_ms, failure_reason AS error_code, CAST(NULL AS BIGINT) AS data_volume,
       success AS is_success, attributes AS details, client_prefix AS ip_address, user_agent, time AS timestamp, sample_weight
FROM auth_events
WHERE echo_of IS NULL
