-- title: Requests per route
-- about: Requests, latency and errors by route; what the client did wrong (4xx) apart from what we did (5xx). Percentiles are of the weighted rows.
SELECT tenant, service_name, method, coalesce(route, 'unknown') AS route,
       sum(coalesce(sample_weight, 1)) AS requests,
       count(DISTINCT user_ref) AS users,
       sum(duration_ns / 1e6 * coalesce(sample_weight, 1)) / sum(CASE WHEN duration_ns IS NOT NULL THEN coalesce(sample_weight, 1) END) AS avg_ms,
       approx_percentile_cont_with_weight(coalesce(sample_weight, 1), 0.5) WITHIN GROUP (ORDER BY duration_ns / 1e6) AS p50_ms,
       approx_percentile_cont_with_weight(coalesce(sample_weight, 1), 0.95) WITHIN GROUP (ORDER BY duration_ns / 1e6) AS p95_ms,
       approx_percentile_cont_with_weight(coalesce(sample_weight, 1), 0.99) WITHIN GROUP (ORDER BY duration_ns / 1e6) AS p99_ms,
       sum(CASE WHEN status_code BETWEEN 400 AND 499 THEN coalesce(sample_weight, 1) ELSE 0 END) AS errors_4xx,
       sum(CASE WHEN status_code >= 500 OR (status_code IS NULL AND span_status = 'error') THEN coalesce(sample_weight, 1) ELSE 0 END) AS errors_5xx,
       sum(CASE WHEN status_code BETWEEN 400 AND 499 THEN coalesce(sample_weight, 1) ELSE 0 END) / sum(coalesce(sample_weight, 1)) AS error_rate_4xx,
       sum(CASE WHEN status_code >= 500 OR (status_code IS NULL AND span_status = 'error') THEN coalesce(sample_weight, 1) ELSE 0 END) / sum(coalesce(sample_weight, 1)) AS error_rate_5xx
FROM requests
WHERE echo_of IS NULL
GROUP BY tenant, service_name, method, coalesce(route, 'unknown')
