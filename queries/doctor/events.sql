-- title: Named events that no table takes
-- about: Log records with an event name that lie in logs, by service and name.
SELECT coalesce(service_name, 'unknown') AS service, coalesce(sdk_language, 'unknown') AS language, name AS event, count(*) AS total
FROM logs
WHERE received_time >= $since AND echo_of IS NULL AND name IS NOT NULL AND name <> '' AND (service_name IS DISTINCT FROM 'marquetry-doctor')
GROUP BY coalesce(service_name, 'unknown'), coalesce(sdk_language, 'unknown'), name
ORDER BY total DESC, service, event
LIMIT 200
