-- title: Failed sign-ins per address
-- about: Refused sign-ins by client address: how many accounts were tried and the most within five minutes; suspicious above five of them, or five accounts.
WITH failures AS (
    SELECT tenant, client_ref, client_prefix, coalesce(attempted_ref, email_ref, user_ref) AS account, time, coalesce(sample_weight, 1) AS weight,
           sum(coalesce(sample_weight, 1)) OVER (
               PARTITION BY tenant, client_ref ORDER BY time
               RANGE BETWEEN INTERVAL '5 minutes' PRECEDING AND CURRENT ROW
           ) AS within_5_minutes
    FROM auth_events
    WHERE echo_of IS NULL AND (action = 'login_failed' OR (action = 'login' AND (success = false OR outcome = 'failure')))
)
SELECT tenant, client_ref, min(client_prefix) AS client_prefix,
       sum(weight) AS failures,
       count(DISTINCT account) AS accounts,
       max(within_5_minutes) AS most_in_5_minutes,
       max(within_5_minutes) > 5 OR count(DISTINCT account) >= 5 AS suspicious,
       min(time) AS first_time,
       max(time) AS last_time
FROM failures
GROUP BY tenant, client_ref
