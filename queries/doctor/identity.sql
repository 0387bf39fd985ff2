-- title: Who asked
-- about: Requests by service and framework, and how many have neither a user nor a session on any record of their trace.
WITH named AS (
    SELECT tenant, trace_id, user_ref, session_ref FROM requests WHERE received_time >= $since AND trace_id IS NOT NULL
    UNION ALL
    SELECT tenant, trace_id, user_ref, session_ref FROM auth_events WHERE received_time >= $since AND trace_id IS NOT NULL
    UNION ALL
    SELECT tenant, trace_id, user_ref, session_ref FROM provider_calls WHERE received_time >= $since AND trace_id IS NOT NULL
    UNION ALL
    SELECT tenant, trace_id, user_ref, session_ref FROM errors WHERE received_time >= $since AND trace_id IS NOT NULL
    UNION ALL
    SELECT tenant, trace_id, user_ref, session_ref FROM activity_events WHERE received_time >= $since AND trace_id IS NOT NULL
    UNION ALL
    SELECT tenant, trace_id, user_ref, session_ref FROM audit_log WHERE received_time >= $since AND trace_id IS NOT NULL
    UNION ALL
    SELECT tenant, trace_id, user_ref, session_ref FROM rate_limits WHERE received_time >= $since AND trace_id IS NOT NULL
    UNION ALL
    SELECT tenant, trace_id, user_ref, session_ref FROM key_events WHERE received_time >= $since AND trace_id IS NOT NULL
    UNION ALL
    SELECT tenant, trace_id, user_ref, session_ref FROM spans WHERE received_time >= $since AND trace_id IS NOT NULL
    UNION ALL
    SELECT tenant, trace_id, user_ref, session_ref FROM logs WHERE received_time >= $since AND trace_id IS NOT NULL
),
traces AS (
    SELECT tenant, trace_id, count(user_ref) AS users, count(session_ref) AS sessions FROM named GROUP BY tenant, trace_id
)
SELECT coalesce(r.service_name, 'unknown') AS service, coalesce(r.sdk_language, 'unknown') AS language,
       coalesce(r.scope_name, 'unknown') AS scope, count(*) AS total,
       sum(CASE WHEN r.user_ref IS NULL AND coalesce(t.users, 0) = 0 THEN 1 ELSE 0 END) AS without_user,
       sum(CASE WHEN r.session_ref IS NULL AND coalesce(t.sessions, 0) = 0 THEN 1 ELSE 0 END) AS without_session,
       sum(CASE WHEN r.device_class IN ('desktop', 'mobile', 'tablet') THEN 1 ELSE 0 END) AS from_browsers
FROM requests AS r
LEFT JOIN traces AS t ON t.tenant = r.tenant AND t.trace_id = r.trace_id
WHERE r.received_time >= $since AND r.echo_of IS NULL AND (r.service_name IS DISTINCT FROM 'marquetry-doctor')
GROUP BY coalesce(r.service_name, 'unknown'), coalesce(r.sdk_language, 'unknown'), coalesce(r.scope_name, 'unknown')
ORDER BY service, scope
