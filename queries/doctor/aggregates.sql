-- title: Agents and workflows that sum up their calls
-- about: Spans whose price is their children's, by service, and how many say what was used while their trace holds no call of its own.
WITH calls AS (
    SELECT DISTINCT tenant, trace_id
    FROM provider_calls
    WHERE received_time >= $since AND (cost_status IS DISTINCT FROM 'aggregate') AND trace_id IS NOT NULL
)
SELECT coalesce(p.service_name, 'unknown') AS service, coalesce(p.sdk_language, 'unknown') AS language, count(*) AS total,
       sum(CASE WHEN calls.trace_id IS NULL AND coalesce(p.input_tokens, p.output_tokens, p.total_tokens) > 0 THEN 1 ELSE 0 END) AS childless
FROM provider_calls AS p
LEFT JOIN calls ON calls.tenant = p.tenant AND calls.trace_id = p.trace_id
WHERE p.received_time >= $since AND p.echo_of IS NULL AND p.cost_status = 'aggregate' AND (p.service_name IS DISTINCT FROM 'marquetry-doctor')
GROUP BY coalesce(p.service_name, 'unknown'), coalesce(p.sdk_language, 'unknown')
ORDER BY service
