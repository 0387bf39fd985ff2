-- title: Slowest routes, last 7 days
-- about: Routes of 20 requests and more by their 95th percentile, 1 being the slowest, with the trace of the slowest request to look at. Percentiles are of the weighted rows.
WITH routes AS (
    SELECT tenant, service_name, method, coalesce(route, 'unknown') AS route,
           sum(coalesce(sample_weight, 1)) AS requests,
           approx_percentile_cont_with_weight(coalesce(sample_weight, 1), 0.5) WITHIN GROUP (ORDER BY duration_ns / 1e6) AS p50_ms,
           approx_percentile_cont_with_weight(coalesce(sample_weight, 1), 0.95) WITHIN GROUP (ORDER BY duration_ns / 1e6) AS p95_ms,
           max(duration_ns) / 1e6 AS max_ms,
           last_value(trace_id ORDER BY duration_ns, time) AS slowest_trace_id
    FROM requests
    WHERE echo_of IS NULL AND duration_ns IS NOT NULL AND time >= now() - INTERVAL '7 days'
    GROUP BY tenant, service_name, method, coalesce(route, 'unknown')
)
SELECT tenant, rank() OVER (PARTITION BY tenant ORDER BY p95_ms DESC) AS place, service_name, method, route, requests, p50_ms, p95_ms, max_ms, slowest_trace_id
FROM routes
WHERE requests >= 20
