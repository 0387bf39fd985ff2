-- title: How well rate limits work
-- about: Refused of all asked, by limit (rate_limits) and by route that answered 429 (requests), and how many refused ones asked again within a minute. The two tell of the same refusals from two sides.
WITH asked AS (
    SELECT tenant, 'rate_limits' AS seen_in, service_name, coalesce(limit_kind, rule_name, 'unknown') AS limited, time, coalesce(sample_weight, 1) AS weight,
           coalesce(user_ref, device_ref, key_ref, client_ref) AS subject, CASE WHEN allowed = false OR action IN ('block', 'ban') THEN 1 ELSE 0 END AS refusals
    FROM rate_limits
    WHERE echo_of IS NULL
    UNION ALL
    SELECT tenant, 'requests' AS seen_in, service_name, coalesce(route, 'unknown') AS limited, time, coalesce(sample_weight, 1) AS weight,
           coalesce(user_ref, device_ref, client_ref) AS subject, CASE WHEN status_code = 429 THEN 1 ELSE 0 END AS refusals
    FROM requests
    WHERE echo_of IS NULL
), followed AS (
    SELECT *, lead(time) OVER (PARTITION BY tenant, seen_in, service_name, limited, subject ORDER BY time) AS next_time
    FROM asked
)
SELECT tenant, seen_in, service_name, limited,
       sum(weight) AS asked,
       sum(CASE WHEN refusals = 1 THEN weight ELSE 0 END) AS refused,
       sum(CASE WHEN refusals = 1 THEN weight ELSE 0 END) / sum(weight) AS refused_share,
       count(DISTINCT CASE WHEN refusals = 1 THEN subject END) AS subjects_refused,
       sum(CASE WHEN refusals = 1 AND subject IS NOT NULL AND next_time <= time + INTERVAL '1 minute' THEN weight ELSE 0 END)
           / sum(CASE WHEN refusals = 1 AND subject IS NOT NULL THEN weight END) AS asked_again_share,
       min(CASE WHEN refusals = 1 THEN time END) AS first_refused,
       max(CASE WHEN refusals = 1 THEN time END) AS last_refused
FROM followed
GROUP BY tenant, seen_in, service_name, limited
HAVING seen_in = 'rate_limits' OR sum(CASE WHEN refusals = 1 THEN weight ELSE 0 END) > 0
