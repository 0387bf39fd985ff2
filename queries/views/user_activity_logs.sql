-- title: Tripwire's user_activity_logs
-- about: Activity, sign-ins and errors in one list, under the names that Tripwire knows; `severity` is critical, error, warning, info or debug.
SELECT tenant, record_id AS id, user_ref AS user_id, upper(event_name) AS event_type, category AS event_category, body AS message, attributes AS metadata,
       CASE WHEN severity_number >= 21 THEN 'critical' WHEN severity_number >= 17 THEN 'error' WHEN severity_number >= 13 THEN 'warning'
            WHEN severity_number >= 9 THEN 'info' WHEN severity_number >= 1 THEN 'debug' ELSE 'info' END AS severity,
       time AS created_at, sample_weight
FROM activity_events
WHERE echo_of IS NULL
UNION ALL
SELECT tenant, record_id AS id, user_ref AS user_id, upper(action) AS event_type, 'auth' AS event_category, coalesce(body, failure_reason) AS message, attributes AS metadata,
       CASE WHEN severity_number >= 21 THEN 'critical' WHEN severity_number >= 17 THEN 'error' WHEN severity_number >= 13 THEN 'warning'
            WHEN severity_number >= 9 THEN 'info' WHEN severity_number >= 1 THEN 'debug' ELSE 'info' END AS severity,
       time AS created_at, sample_weight
FROM auth_events
WHERE echo_of IS NULL
UNION ALL
SELECT tenant, record_id AS id, user_ref AS user_id, upper(coalesce(CASE WHEN kind = 'log' THEN name END, error_type, 'error')) AS event_type, 'error' AS event_category, coalesce(message, body, status_message) AS message, attributes AS metadata,
       CASE WHEN severity_number >= 21 THEN 'critical' WHEN severity_number >= 17 THEN 'error' WHEN severity_number >= 13 THEN 'warning'
            WHEN severity_number >= 9 THEN 'info' WHEN severity_number >= 1 THEN 'debug' ELSE 'error' END AS severity,
       time AS created_at, sample_weight
FROM errors
WHERE echo_of IS NULL
