-- title: Optio's user_sessions
-- about: Sessions as the client names them, cut where nothing happened for 30 minutes: a cookie that lives a month is not one session. `id` is the client's with the number of the part from the second on.
WITH seen AS (
    SELECT tenant, session_ref, user_ref, time, event_name AS what, page_path, device_class, os_family, client_prefix, end_reason, coalesce(sample_weight, 1) AS weight
    FROM activity_events WHERE echo_of IS NULL AND session_ref IS NOT NULL
    UNION ALL
    SELECT tenant, session_ref, user_ref, time, action AS what, NULL AS page_path, device_class, os_family, client_prefix,
           CASE WHEN action IN ('logout', 'session_expired') THEN action END AS end_reason, coalesce(sample_weight, 1) AS weight
    FROM auth_events WHERE echo_of IS NULL AND session_ref IS NOT NULL
    UNION ALL
    SELECT tenant, session_ref, user_ref, time, 'error' AS what, page_path, device_class, os_family, client_prefix, NULL AS end_reason, coalesce(sample_weight, 1) AS weight
    FROM errors WHERE echo_of IS NULL AND session_ref IS NOT NULL
), paused AS (
    SELECT *, CASE WHEN time > lag(time) OVER (PARTITION BY tenant, session_ref ORDER BY time) + INTERVAL '30 minutes' THEN 1 ELSE 0 END AS pause
    FROM seen
), parts AS (
    SELECT *, 1 + sum(pause) OVER (PARTITION BY tenant, session_ref ORDER BY time) AS part
    FROM paused
)
SELECT tenant, CASE WHEN part = 1 THEN session_ref ELSE concat(session_ref, '.', CAST(part AS VARCHAR)) END AS id, session_ref AS client_session_id,
       max(user_ref) AS user_id, min(time) AS started_at, max(time) AS ended_at,
       date_part('epoch', max(time)) - date_part('epoch', min(time)) AS duration_s,
       max(device_class) AS device_class, max(os_family) AS os_family, max(client_prefix) AS ip_address,
       sum(weight) AS events,
       sum(CASE WHEN what IN ('page_view', 'screen_view', 'route_change') THEN weight ELSE 0 END) AS page_views,
       sum(CASE WHEN what = 'error' THEN weight ELSE 0 END) AS errors,
       first_value(page_path ORDER BY time) FILTER (WHERE page_path IS NOT NULL) AS entry_path,
       last_value(page_path ORDER BY time) FILTER (WHERE page_path IS NOT NULL) AS exit_path,
       sum(CASE WHEN what IN ('page_view', 'screen_view', 'route_change') THEN 1 ELSE 0 END) = 1 AS is_bounce,
       last_value(end_reason ORDER BY time) FILTER (WHERE end_reason IS NOT NULL) AS end_reason
FROM parts
GROUP BY tenant, session_ref, part
