-- title: AI calls that are HTTP and nothing more
-- about: CLIENT calls of a known provider in traces that hold no GenAI record, by service and host.
WITH told AS (
    SELECT DISTINCT tenant, trace_id
    FROM provider_calls
    WHERE received_time >= $since AND trace_id IS NOT NULL AND seen_as <> 'http'
)
SELECT coalesce(p.service_name, 'unknown') AS service, coalesce(p.sdk_language, 'unknown') AS language, p.provider,
       coalesce(p.server_address, split_part(p.endpoint, '/', 1)) AS host, count(*) AS total
FROM provider_calls AS p
LEFT JOIN told ON told.tenant = p.tenant AND told.trace_id = p.trace_id
WHERE p.received_time >= $since AND p.echo_of IS NULL AND p.seen_as = 'http' AND p.kind = 'client'
      AND told.trace_id IS NULL AND (p.service_name IS DISTINCT FROM 'marquetry-doctor')
GROUP BY coalesce(p.service_name, 'unknown'), coalesce(p.sdk_language, 'unknown'), p.provider,
         coalesce(p.server_address, split_part(p.endpoint, '/', 1))
ORDER BY service, host
