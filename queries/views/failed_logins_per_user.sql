-- title: Failed sign-ins per account
-- about: Refused sign-ins by the account that was tried: from how many addresses and the most within five minutes.
WITH failures AS (
    SELECT tenant, coalesce(CASE WHEN coalesce(user_source, 'attribute') = 'attribute' THEN user_ref END, attempted_ref, email_ref, user_ref) AS account, client_ref, time, coalesce(sample_weight, 1) AS weight,
           sum(coalesce(sample_weight, 1)) OVER (
               PARTITION BY tenant, coalesce(CASE WHEN coalesce(user_source, 'attribute') = 'attribute' THEN user_ref END, attempted_ref, email_ref, user_ref) ORDER BY time
               RANGE BETWEEN INTERVAL '5 minutes' PRECEDING AND CURRENT ROW
           ) AS within_5_minutes
    FROM auth_events
    WHERE echo_of IS NULL AND (action = 'login_failed' OR (action = 'login' AND (success = false OR outcome = 'failure')))
)
SELECT tenant, account,
       sum(weight) AS failures,
       count(DISTINCT client_ref) AS addresses,
       max(within_5_minutes) AS most_in_5_minutes,
       max(within_5_minutes) > 5 AS suspicious,
       min(time) AS first_time,
       max(time) AS last_time
FROM failures
GROUP BY tenant, account
