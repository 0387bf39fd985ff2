-- title: What lies in spans and logs
-- about: Records that no table took, by service and instrumentation.
WITH seen AS (
    SELECT 'spans' AS table_name, service_name, sdk_language, scope_name, kind, echo_of FROM spans WHERE received_time >= $since
    UNION ALL
    SELECT 'logs' AS table_name, service_name, sdk_language, scope_name, kind, echo_of FROM logs WHERE received_time >= $since
)
SELECT table_name, coalesce(service_name, 'unknown') AS service, coalesce(sdk_language, 'unknown') AS language,
       coalesce(scope_name, 'unknown') AS scope, coalesce(kind, 'unknown') AS kind, count(*) AS total
FROM seen
WHERE echo_of IS NULL AND (service_name IS DISTINCT FROM 'marquetry-doctor')
GROUP BY table_name, coalesce(service_name, 'unknown'), coalesce(sdk_language, 'unknown'), coalesce(scope_name, 'unknown'),
         coalesce(kind, 'unknown')
ORDER BY total DESC, service, scope
