-- title: Optio's page_view_analytics
-- about: Views, load and stay by page and UTC day. Fewer than five users are not counted out: unique_users is then NULL. A bounce is a visit of one view; 30 minutes without a page end a visit.
WITH paused AS (
    SELECT tenant, CAST(time AS DATE) AS day, time, page_path, event_name, user_ref, session_ref, load_time_ns, duration_ns, coalesce(sample_weight, 1) AS weight,
           CASE WHEN time > lag(time) OVER (PARTITION BY tenant, session_ref ORDER BY time) + INTERVAL '30 minutes' THEN 1 ELSE 0 END AS pause
    FROM activity_events
    WHERE echo_of IS NULL AND page_path IS NOT NULL AND event_name IN ('page_view', 'route_change', 'page_exit', 'page_load')
), parts AS (
    SELECT *, sum(pause) OVER (PARTITION BY tenant, session_ref ORDER BY time) AS part
    FROM paused
), pages AS (
    SELECT *, sum(CASE WHEN event_name IN ('page_view', 'route_change') THEN 1 ELSE 0 END) OVER (PARTITION BY tenant, session_ref, part) AS session_views
    FROM parts
)
SELECT tenant, day, page_path,
       sum(CASE WHEN event_name IN ('page_view', 'route_change') THEN weight ELSE 0 END) AS total_views,
       CASE WHEN count(DISTINCT user_ref) >= 5 THEN count(DISTINCT user_ref) END AS unique_users,
       sum(CASE WHEN event_name IN ('page_view', 'route_change') AND session_ref IS NOT NULL AND session_views = 1 THEN weight ELSE 0 END)
           / nullif(sum(CASE WHEN event_name IN ('page_view', 'route_change') AND session_ref IS NOT NULL THEN weight ELSE 0 END), 0) AS bounce_rate,
       sum(load_time_ns / 1e6 * weight) / sum(CASE WHEN load_time_ns IS NOT NULL THEN weight END) AS avg_load_ms,
       sum(CASE WHEN event_name = 'page_exit' THEN duration_ns / 1e9 * weight END)
           / sum(CASE WHEN event_name = 'page_exit' AND duration_ns IS NOT NULL THEN weight END) AS avg_time_s
FROM pages
GROUP BY tenant, day, page_path
