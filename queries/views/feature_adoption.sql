-- title: Feature adoption per week
-- about: Users of each feature out of all active users of its service, by week beginning on Monday (UTC).
WITH seen AS (
    SELECT tenant, service_name, user_ref, feature_name, CAST(date_trunc('week', time) AS DATE) AS week, coalesce(sample_weight, 1) AS weight
    FROM activity_events WHERE echo_of IS NULL
    UNION ALL
    SELECT tenant, service_name, user_ref, feature_name, CAST(date_trunc('week', time) AS DATE) AS week, coalesce(sample_weight, 1) AS weight
    FROM requests WHERE echo_of IS NULL
    UNION ALL
    SELECT tenant, service_name, user_ref, feature_name, CAST(date_trunc('week', time) AS DATE) AS week, coalesce(sample_weight, 1) AS weight
    FROM provider_calls WHERE echo_of IS NULL
), active AS (
    SELECT tenant, service_name, week, count(DISTINCT user_ref) AS users
    FROM seen
    GROUP BY tenant, service_name, week
), used AS (
    SELECT tenant, service_name, week, feature_name, count(DISTINCT user_ref) AS users, sum(weight) AS uses
    FROM seen
    WHERE feature_name IS NOT NULL
    GROUP BY tenant, service_name, week, feature_name
)
SELECT u.tenant, u.service_name, u.week, u.feature_name, u.users, a.users AS active_users,
       CAST(u.users AS DOUBLE) / nullif(a.users, 0) AS adoption, u.uses
FROM used AS u JOIN active AS a ON a.tenant = u.tenant AND (a.service_name IS NOT DISTINCT FROM u.service_name) AND a.week = u.week
