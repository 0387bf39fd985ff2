-- title: Ways of users through a session
-- about: Routes (requests) and pages or screens (activity_events) of each session in their order, repeats as one, up to 50 steps; where rows are sampled, of those that were kept.
WITH steps AS (
    SELECT tenant, 'requests' AS seen_in, service_name, session_ref, user_ref, time, coalesce(route, path) AS step
    FROM requests
    WHERE echo_of IS NULL AND session_ref IS NOT NULL AND coalesce(route, path) IS NOT NULL
    UNION ALL
    SELECT tenant, 'activity_events' AS seen_in, service_name, session_ref, user_ref, time, coalesce(page_path, screen) AS step
    FROM activity_events
    WHERE echo_of IS NULL AND session_ref IS NOT NULL AND event_name IN ('page_view', 'route_change', 'screen_view') AND coalesce(page_path, screen) IS NOT NULL
), followed AS (
    SELECT *, lag(step) OVER (PARTITION BY tenant, seen_in, service_name, session_ref ORDER BY time, step) AS step_before
    FROM steps
), numbered AS (
    SELECT *, row_number() OVER (PARTITION BY tenant, seen_in, service_name, session_ref ORDER BY time, step) AS place
    FROM followed
    WHERE step IS DISTINCT FROM step_before
)
SELECT tenant, seen_in, service_name, session_ref, max(user_ref) AS user_ref,
       string_agg(step, ' > ' ORDER BY place) FILTER (WHERE place <= 50) AS journey,
       count(*) AS steps,
       first_value(step ORDER BY place) AS entry, last_value(step ORDER BY place) AS exit,
       min(time) AS started_at, max(time) AS ended_at
FROM numbered
GROUP BY tenant, seen_in, service_name, session_ref
