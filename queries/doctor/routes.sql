-- title: How often each route is asked, and how regularly
-- about: Requests by service and route, and the seconds between two of the same client: quartiles that lie close together are a timer's.
WITH calls AS (
    SELECT coalesce(service_name, 'unknown') AS service, coalesce(sdk_language, 'unknown') AS language,
           coalesce(route, 'unknown') AS route, CAST(time AS BIGINT) AS at,
           lag(CAST(time AS BIGINT)) OVER (
               PARTITION BY tenant, service_name, route, coalesce(session_ref, user_ref, device_ref, client_ref) ORDER BY time
           ) AS before
    FROM requests
    WHERE received_time >= $since AND echo_of IS NULL AND (service_name IS DISTINCT FROM 'marquetry-doctor')
)
SELECT service, language, route, count(*) AS total, count(before) AS gaps,
       approx_percentile_cont(0.25) WITHIN GROUP (ORDER BY (at - before) / 1e6) AS low,
       approx_percentile_cont(0.5) WITHIN GROUP (ORDER BY (at - before) / 1e6) AS middle,
       approx_percentile_cont(0.75) WITHIN GROUP (ORDER BY (at - before) / 1e6) AS high
FROM calls
GROUP BY service, language, route
ORDER BY total DESC, service, route
