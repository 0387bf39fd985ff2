-- title: Tripwire's event statistics
-- about: Events, errors and critical ones by user; errors are of severity error and critical, error_rate_pct their share.
WITH seen AS (
    SELECT tenant, user_ref, time, coalesce(nullif(severity_number, 0), 9) AS severity, coalesce(sample_weight, 1) AS weight
    FROM activity_events WHERE echo_of IS NULL
    UNION ALL
    SELECT tenant, user_ref, time, coalesce(nullif(severity_number, 0), 9) AS severity, coalesce(sample_weight, 1) AS weight
    FROM auth_events WHERE echo_of IS NULL
    UNION ALL
    SELECT tenant, user_ref, time, coalesce(nullif(severity_number, 0), 17) AS severity, coalesce(sample_weight, 1) AS weight
    FROM errors WHERE echo_of IS NULL
)
SELECT tenant, user_ref AS user_id,
       sum(weight) AS total,
       sum(CASE WHEN severity >= 17 THEN weight ELSE 0 END) AS errors,
       sum(CASE WHEN severity >= 21 THEN weight ELSE 0 END) AS critical,
       sum(CASE WHEN severity BETWEEN 13 AND 16 THEN weight ELSE 0 END) AS warnings,
       sum(CASE WHEN severity >= 17 THEN weight ELSE 0 END) / sum(weight) * 100 AS error_rate_pct,
       min(time) AS first_event, max(time) AS last_event
FROM seen
GROUP BY tenant, user_ref
