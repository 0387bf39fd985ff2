-- title: Rows that know no user
-- about: Share of rows without a user and without a session, by table and service; service_name is NULL on the row of the whole table.
WITH seen AS (
    SELECT tenant, 'requests' AS table_name, coalesce(service_name, 'unknown') AS service_name,
           user_ref, session_ref, coalesce(sample_weight, 1) AS weight
    FROM requests WHERE echo_of IS NULL
    UNION ALL
    SELECT tenant, 'auth_events' AS table_name, coalesce(service_name, 'unknown') AS service_name,
           user_ref, session_ref, coalesce(sample_weight, 1) AS weight
    FROM auth_events WHERE echo_of IS NULL
    UNION ALL
    SELECT tenant, 'provider_calls' AS table_name, coalesce(service_name, 'unknown') AS service_name,
           user_ref, session_ref, coalesce(sample_weight, 1) AS weight
    FROM provider_calls WHERE echo_of IS NULL
    UNION ALL
    SELECT tenant, 'errors' AS table_name, coalesce(service_name, 'unknown') AS service_name,
           user_ref, session_ref, coalesce(sample_weight, 1) AS weight
    FROM errors WHERE echo_of IS NULL
    UNION ALL
    SELECT tenant, 'activity_events' AS table_name, coalesce(service_name, 'unknown') AS service_name,
           user_ref, session_ref, coalesce(sample_weight, 1) AS weight
    FROM activity_events WHERE echo_of IS NULL
    UNION ALL
    SELECT tenant, 'audit_log' AS table_name, coalesce(service_name, 'unknown') AS service_name,
           coalesce(actor_ref, user_ref) AS user_ref, session_ref, coalesce(sample_weight, 1) AS weight
    FROM audit_log WHERE echo_of IS NULL
    UNION ALL
    SELECT tenant, 'rate_limits' AS table_name, coalesce(service_name, 'unknown') AS service_name,
           user_ref, session_ref, coalesce(sample_weight, 1) AS weight
    FROM rate_limits WHERE echo_of IS NULL
    UNION ALL
    SELECT tenant, 'key_events' AS table_name, coalesce(service_name, 'unknown') AS service_name,
           user_ref, session_ref, coalesce(sample_weight, 1) AS weight
    FROM key_events WHERE echo_of IS NULL
)
SELECT tenant, table_name, service_name,
       sum(weight) AS total,
       sum(CASE WHEN user_ref IS NULL THEN weight ELSE 0 END) AS without_user,
       sum(CASE WHEN session_ref IS NULL THEN weight ELSE 0 END) AS without_session,
       sum(CASE WHEN user_ref IS NULL THEN weight ELSE 0 END) / sum(weight) AS anonymous_rate,
       sum(CASE WHEN session_ref IS NULL THEN weight ELSE 0 END) / sum(weight) AS sessionless_rate
FROM seen
GROUP BY GROUPING SETS ((tenant, table_name), (tenant, table_name, service_name))
