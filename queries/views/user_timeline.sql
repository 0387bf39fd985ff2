-- title: What users did, in one line of time
-- about: Rows of every table that name a user. Ask with WHERE user_ref = and ORDER BY time DESC.
SELECT tenant, time, user_ref AS user_ref, session_ref, 'requests' AS table_name, concat_ws(' ', method, coalesce(route, path)) AS what,
       concat_ws(' ', CAST(status_code AS VARCHAR), error_type) AS detail, record_id, service_name, sample_weight
FROM requests
WHERE echo_of IS NULL AND user_ref IS NOT NULL
UNION ALL
SELECT tenant, time, user_ref AS user_ref, session_ref, 'auth_events' AS table_name, action AS what,
       concat_ws(' ', outcome, failure_reason) AS detail, record_id, service_name, sample_weight
FROM auth_events
WHERE echo_of IS NULL AND user_ref IS NOT NULL
UNION ALL
SELECT tenant, time, user_ref AS user_ref, session_ref, 'provider_calls' AS table_name, concat_ws(' ', provider, operation, coalesce(response_model, request_model)) AS what,
       concat_ws(' ', coalesce(status, CASE WHEN span_status = 'error' OR error_type IS NOT NULL OR status_code >= 400 THEN 'error' ELSE 'success' END), error_type) AS detail, record_id, service_name, sample_weight
FROM provider_calls
WHERE echo_of IS NULL AND user_ref IS NOT NULL
UNION ALL
SELECT tenant, time, user_ref AS user_ref, session_ref, 'errors' AS table_name, coalesce(error_type, name, 'error') AS what,
       coalesce(message, status_message, body) AS detail, record_id, service_name, sample_weight
FROM errors
WHERE echo_of IS NULL AND user_ref IS NOT NULL
UNION ALL
SELECT tenant, time, user_ref AS user_ref, session_ref, 'activity_events' AS table_name, event_name AS what,
       concat_ws(' ', object_type, object_id, coalesce(page_path, screen), feature_name) AS detail, record_id, service_name, sample_weight
FROM activity_events
WHERE echo_of IS NULL AND user_ref IS NOT NULL
UNION ALL
SELECT tenant, time, coalesce(actor_ref, user_ref) AS user_ref, session_ref, 'audit_log' AS table_name, action AS what,
       concat_ws(' ', resource_type, coalesce(resource_id, resource_ref), outcome) AS detail, record_id, service_name, sample_weight
FROM audit_log
WHERE echo_of IS NULL AND coalesce(actor_ref, user_ref) IS NOT NULL
UNION ALL
SELECT tenant, time, user_ref AS user_ref, session_ref, 'rate_limits' AS table_name, concat_ws(' ', limit_kind, action) AS what,
       concat_ws(' ', CAST(used AS VARCHAR), 'of', CAST(limit_count AS VARCHAR)) AS detail, record_id, service_name, sample_weight
FROM rate_limits
WHERE echo_of IS NULL AND user_ref IS NOT NULL
UNION ALL
SELECT tenant, time, user_ref AS user_ref, session_ref, 'key_events' AS table_name, concat_ws(' ', provider, event) AS what,
       concat_ws(' ', reason, error_type) AS detail, record_id, service_name, sample_weight
FROM key_events
WHERE echo_of IS NULL AND user_ref IS NOT NULL
UNION ALL
SELECT tenant, time, user_ref AS user_ref, session_ref, 'spans' AS table_name, name AS what,
       concat_ws(' ', kind, span_status) AS detail, record_id, service_name, sample_weight
FROM spans
WHERE echo_of IS NULL AND user_ref IS NOT NULL
UNION ALL
SELECT tenant, time, user_ref AS user_ref, session_ref, 'logs' AS table_name, coalesce(name, severity_text) AS what,
       body AS detail, record_id, service_name, sample_weight
FROM logs
WHERE echo_of IS NULL AND user_ref IS NOT NULL
