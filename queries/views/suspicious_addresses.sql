-- title: Suspicious addresses, last 7 days
-- about: Client addresses with ten refused sign-ins, five accounts tried, or a ban. Granted are sign-ins from there after the first refusal: a guess that was right.
WITH sign_ins AS (
    SELECT tenant, client_ref, client_prefix, time, coalesce(sample_weight, 1) AS weight, coalesce(attempted_ref, email_ref, user_ref) AS account,
           action = 'login_failed' OR (action = 'login' AND (success = false OR outcome = 'failure')) AS is_refused
    FROM auth_events
    WHERE echo_of IS NULL AND client_ref IS NOT NULL AND action IN ('login', 'login_failed') AND time >= now() - INTERVAL '7 days'
), refused AS (
    SELECT tenant, client_ref, min(time) AS first_time, max(time) AS last_time, sum(weight) AS failures, count(DISTINCT account) AS accounts, max(client_prefix) AS client_prefix
    FROM sign_ins
    WHERE is_refused
    GROUP BY tenant, client_ref
), granted AS (
    SELECT s.tenant, s.client_ref, sum(s.weight) AS granted
    FROM sign_ins AS s JOIN refused AS r ON r.tenant = s.tenant AND r.client_ref = s.client_ref AND s.time > r.first_time
    WHERE s.is_refused IS NOT TRUE
    GROUP BY s.tenant, s.client_ref
), limits AS (
    SELECT tenant, client_ref, max(client_prefix) AS client_prefix, min(time) AS first_time, max(time) AS last_time,
           sum(CASE WHEN allowed = false OR action IN ('block', 'ban') THEN coalesce(sample_weight, 1) ELSE 0 END) AS blocked,
           bool_or(action = 'ban') AS is_banned
    FROM rate_limits
    WHERE echo_of IS NULL AND client_ref IS NOT NULL AND time >= now() - INTERVAL '7 days'
    GROUP BY tenant, client_ref
), joined AS (
    SELECT coalesce(r.tenant, l.tenant) AS tenant, coalesce(r.client_ref, l.client_ref) AS client_ref, coalesce(r.client_prefix, l.client_prefix) AS client_prefix,
           coalesce(r.failures, 0) AS failures, coalesce(r.accounts, 0) AS accounts, coalesce(l.blocked, 0) AS blocked, coalesce(l.is_banned, false) AS is_banned,
           least(r.first_time, l.first_time) AS first_time, greatest(r.last_time, l.last_time) AS last_time
    FROM refused AS r FULL JOIN limits AS l ON l.tenant = r.tenant AND l.client_ref = r.client_ref
)
SELECT j.tenant, j.client_ref, j.client_prefix, j.failures, j.accounts, coalesce(g.granted, 0) AS granted, j.blocked, j.is_banned,
       concat_ws(', ', CASE WHEN j.failures >= 10 THEN 'many failures' END, CASE WHEN j.accounts >= 5 THEN 'many accounts' END, CASE WHEN j.is_banned THEN 'banned' END) AS reasons,
       j.first_time, j.last_time
FROM joined AS j LEFT JOIN granted AS g ON g.tenant = j.tenant AND g.client_ref = j.client_ref
WHERE j.failures >= 10 OR j.accounts >= 5 OR j.is_banned
