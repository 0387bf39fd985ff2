-- title: Old HTTP names
-- about: Spans on which a name of the HTTP conventions before 1.23 was left over, or a call whose host only those names give.
WITH seen AS (
    SELECT service_name, sdk_language, scope_name, kind, method, server_address, map_keys(attributes) AS left_over FROM requests WHERE received_time >= $since
    UNION ALL
    SELECT service_name, sdk_language, scope_name, kind, method, server_address, map_keys(attributes) AS left_over FROM provider_calls WHERE received_time >= $since
    UNION ALL
    SELECT service_name, sdk_language, scope_name, kind, method, server_address, map_keys(attributes) AS left_over FROM spans WHERE received_time >= $since
)
SELECT coalesce(service_name, 'unknown') AS service, coalesce(sdk_language, 'unknown') AS language,
       coalesce(scope_name, 'unknown') AS scope, count(*) AS total
FROM seen
WHERE method IS NOT NULL AND (service_name IS DISTINCT FROM 'marquetry-doctor')
      AND (array_has_any(left_over, ['http.method', 'http.target', 'http.url', 'http.host', 'http.server_name', 'http.scheme', 'http.flavor', 'http.status_code', 'http.user_agent', 'net.host.name', 'net.host.port', 'net.peer.name', 'net.peer.port', 'net.peer.ip'])
           OR (kind = 'client' AND server_address IS NULL))
GROUP BY coalesce(service_name, 'unknown'), coalesce(sdk_language, 'unknown'), coalesce(scope_name, 'unknown')
ORDER BY service, scope
