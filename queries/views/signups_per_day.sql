-- title: Sign-ups per day
-- about: People who signed up by themselves and accounts that somebody made for them, by service and UTC day.
WITH seen AS (
    SELECT tenant, service_name, CAST(time AS DATE) AS day, 'signup' AS how, coalesce(sample_weight, 1) AS weight
    FROM auth_events
    WHERE echo_of IS NULL AND action = 'signup' AND coalesce(success, true)
    UNION ALL
    SELECT tenant, service_name, CAST(time AS DATE) AS day, 'created' AS how, coalesce(sample_weight, 1) AS weight
    FROM audit_log
    WHERE echo_of IS NULL AND action = 'USER_CREATE' AND coalesce(success, true)
)
SELECT tenant, service_name, day,
       sum(CASE WHEN how = 'signup' THEN weight ELSE 0 END) AS signups,
       sum(CASE WHEN how = 'created' THEN weight ELSE 0 END) AS accounts_created,
       sum(weight) AS new_users
FROM seen
GROUP BY tenant, service_name, day
