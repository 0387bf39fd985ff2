-- title: Errors by type and whom they hit
-- about: How often each type of error occurs by service, critical ones apart, how many users and sessions met it, where, and when first and last.
SELECT tenant, service_name, coalesce(error_type, CAST(status_code AS VARCHAR), name, 'unknown') AS error_type, max(error_category) AS error_category,
       sum(coalesce(sample_weight, 1)) AS errors,
       sum(CASE WHEN severity_number >= 21 THEN coalesce(sample_weight, 1) ELSE 0 END) AS critical,
       count(DISTINCT user_ref) AS users,
       count(DISTINCT session_ref) AS sessions,
       last_value(coalesce(route, page_path, screen, location) ORDER BY time) FILTER (WHERE coalesce(route, page_path, screen, location) IS NOT NULL) AS last_place,
       min(time) AS first_seen,
       max(time) AS last_seen
FROM errors
WHERE echo_of IS NULL
GROUP BY tenant, service_name, coalesce(error_type, CAST(status_code AS VARCHAR), name, 'unknown')
