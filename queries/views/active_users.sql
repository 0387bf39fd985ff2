-- title: Daily, weekly and monthly active users
-- about: Distinct users by service and UTC day, over the day, the 7 and the 28 days up to it; stickiness is daily over monthly. Users are those of requests, activity, sign-ins and provider calls.
WITH seen AS (
    SELECT tenant, service_name, user_ref, CAST(time AS DATE) AS day FROM requests WHERE echo_of IS NULL AND user_ref IS NOT NULL
    UNION
    SELECT tenant, service_name, user_ref, CAST(time AS DATE) AS day FROM activity_events WHERE echo_of IS NULL AND user_ref IS NOT NULL
    UNION
    SELECT tenant, service_name, user_ref, CAST(time AS DATE) AS day FROM auth_events WHERE echo_of IS NULL AND user_ref IS NOT NULL AND coalesce(success, true)
    UNION
    SELECT tenant, service_name, user_ref, CAST(time AS DATE) AS day FROM provider_calls WHERE echo_of IS NULL AND user_ref IS NOT NULL
), days AS (
    SELECT DISTINCT tenant, service_name, day
    FROM seen
)
SELECT d.tenant, d.service_name, d.day,
       count(DISTINCT CASE WHEN s.day = d.day THEN s.user_ref END) AS daily,
       count(DISTINCT CASE WHEN s.day > d.day - INTERVAL '7 days' THEN s.user_ref END) AS weekly,
       count(DISTINCT s.user_ref) AS monthly,
       CAST(count(DISTINCT CASE WHEN s.day = d.day THEN s.user_ref END) AS DOUBLE) / count(DISTINCT s.user_ref) AS stickiness
FROM days AS d
JOIN seen AS s ON s.tenant = d.tenant AND (s.service_name IS NOT DISTINCT FROM d.service_name) AND s.day <= d.day AND s.day > d.day - INTERVAL '28 days'
GROUP BY d.tenant, d.service_name, d.day
