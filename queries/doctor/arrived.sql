-- title: What arrived
-- about: Rows by table, service, language and kind of record; how many know a user, and how many say that something failed.
WITH seen AS (
    SELECT 'requests' AS table_name, service_name, sdk_language, kind, user_ref, span_status, echo_of, received_time FROM requests
    UNION ALL
    SELECT 'auth_events' AS table_name, service_name, sdk_language, kind, user_ref, span_status, echo_of, received_time FROM auth_events
    UNION ALL
    SELECT 'provider_calls' AS table_name, service_name, sdk_language, kind, user_ref, span_status, echo_of, received_time FROM provider_calls
    UNION ALL
    SELECT 'errors' AS table_name, service_name, sdk_language, kind, user_ref, span_status, echo_of, received_time FROM errors
    UNION ALL
    SELECT 'activity_events' AS table_name, service_name, sdk_language, kind, user_ref, span_status, echo_of, received_time FROM activity_events
    UNION ALL
    SELECT 'audit_log' AS table_name, service_name, sdk_language, kind, user_ref, span_status, echo_of, received_time FROM audit_log
    UNION ALL
    SELECT 'rate_limits' AS table_name, service_name, sdk_language, kind, user_ref, span_status, echo_of, received_time FROM rate_limits
    UNION ALL
    SELECT 'key_events' AS table_name, service_name, sdk_language, kind, user_ref, span_status, echo_of, received_time FROM key_events
    UNION ALL
    SELECT 'spans' AS table_name, service_name, sdk_language, kind, user_ref, span_status, echo_of, received_time FROM spans
    UNION ALL
    SELECT 'logs' AS table_name, service_name, sdk_language, kind, user_ref, span_status, echo_of, received_time FROM logs
)
SELECT table_name, coalesce(service_name, 'unknown') AS service, coalesce(sdk_language, 'unknown') AS language,
       coalesce(kind, 'unknown') AS kind, count(*) AS total, count(user_ref) AS with_user,
       sum(CASE WHEN span_status = 'error' THEN 1 ELSE 0 END) AS failed
FROM seen
WHERE received_time >= $since AND echo_of IS NULL AND (service_name IS DISTINCT FROM 'marquetry-doctor')
GROUP BY table_name, coalesce(service_name, 'unknown'), coalesce(sdk_language, 'unknown'), coalesce(kind, 'unknown')
ORDER BY table_name, service, language, kind
