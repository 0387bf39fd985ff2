-- title: Bursts of failed sign-ins
-- about: More than five refused sign-ins within five minutes: per address, per account, and per address and account. A burst ends with five quiet minutes.
WITH failures AS (
    SELECT tenant, service_name, client_ref, client_prefix, time, coalesce(sample_weight, 1) AS weight,
           coalesce(CASE WHEN coalesce(user_source, 'attribute') = 'attribute' THEN user_ref END, attempted_ref, email_ref, user_ref) AS account
    FROM auth_events
    WHERE echo_of IS NULL AND (action = 'login_failed' OR (action = 'login' AND (success = false OR outcome = 'failure')))
), subjects AS (
    SELECT tenant, 'address' AS counted_per, client_ref, client_prefix, CAST(NULL AS VARCHAR) AS account, account AS tried, time, weight, service_name
    FROM failures WHERE client_ref IS NOT NULL
    UNION ALL
    SELECT tenant, 'account' AS counted_per, CAST(NULL AS VARCHAR) AS client_ref, CAST(NULL AS VARCHAR) AS client_prefix, account, account AS tried, time, weight, service_name
    FROM failures WHERE account IS NOT NULL
    UNION ALL
    SELECT tenant, 'address and account' AS counted_per, client_ref, client_prefix, account, account AS tried, time, weight, service_name
    FROM failures WHERE client_ref IS NOT NULL AND account IS NOT NULL
), counted AS (
    SELECT *,
           sum(weight) OVER (PARTITION BY tenant, counted_per, client_ref, account ORDER BY time RANGE BETWEEN INTERVAL '5 minutes' PRECEDING AND CURRENT ROW) AS within,
           min(time) OVER (PARTITION BY tenant, counted_per, client_ref, account ORDER BY time RANGE BETWEEN INTERVAL '5 minutes' PRECEDING AND CURRENT ROW) AS since,
           sum(weight) OVER (PARTITION BY tenant, counted_per, client_ref, account ORDER BY time RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS so_far
    FROM subjects
), alarms AS (
    SELECT *, lag(time) OVER (PARTITION BY tenant, counted_per, client_ref, account ORDER BY time) AS alarm_before
    FROM counted
    WHERE within > 5
), bursts AS (
    SELECT *, sum(CASE WHEN alarm_before >= since THEN 0 ELSE 1 END) OVER (PARTITION BY tenant, counted_per, client_ref, account ORDER BY time ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS burst
    FROM alarms
)
SELECT tenant, counted_per, client_ref, max(client_prefix) AS client_prefix, account,
       -- All failures up to the last alarm without those before the first one's window.
       max(so_far) - min(so_far - within) AS failures,
       max(within) AS most_in_5_minutes,
       min(since) AS first_time, max(time) AS last_time, max(service_name) AS service_name
FROM bursts
GROUP BY tenant, counted_per, client_ref, account, burst
