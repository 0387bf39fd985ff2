-- title: Which instrumentations report calls
-- about: GenAI spans by service and instrumentation, and how many of them only repeat what another one told.
SELECT coalesce(service_name, 'unknown') AS service, coalesce(sdk_language, 'unknown') AS language,
       coalesce(scope_name, 'unknown') AS scope, count(*) AS total, count(echo_of) AS echoes
FROM provider_calls
WHERE received_time >= $since AND seen_as = 'genai' AND (cost_status IS DISTINCT FROM 'aggregate') AND (service_name IS DISTINCT FROM 'marquetry-doctor')
GROUP BY coalesce(service_name, 'unknown'), coalesce(sdk_language, 'unknown'), coalesce(scope_name, 'unknown')
ORDER BY service, scope
