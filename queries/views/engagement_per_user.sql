-- title: Engagement per user, last 30 days
-- about: Events, sessions, their average length, active days and the streak of days up to today or yesterday, by user.
WITH seen AS (
    SELECT tenant, user_ref, session_ref, time, coalesce(sample_weight, 1) AS weight
    FROM activity_events
    WHERE echo_of IS NULL AND user_ref IS NOT NULL AND time >= now() - INTERVAL '30 days'
), sessions AS (
    SELECT tenant, user_ref, session_ref, (date_part('epoch', max(time)) - date_part('epoch', min(time))) / 60 AS minutes
    FROM seen
    WHERE session_ref IS NOT NULL
    GROUP BY tenant, user_ref, session_ref
), stays AS (
    SELECT tenant, user_ref, count(*) AS sessions, avg(minutes) AS minutes
    FROM sessions
    GROUP BY tenant, user_ref
), days AS (
    SELECT DISTINCT tenant, user_ref, CAST(time AS DATE) AS day
    FROM seen
), islands AS (
    -- Days in a row differ from their number by the same.
    SELECT tenant, user_ref, day, date_part('epoch', day) / 86400 - row_number() OVER (PARTITION BY tenant, user_ref ORDER BY day) AS island
    FROM days
), runs AS (
    SELECT tenant, user_ref, count(*) AS days, max(day) AS last_day
    FROM islands
    GROUP BY tenant, user_ref, island
), streaks AS (
    SELECT tenant, user_ref, sum(days) AS active_days, max(days) AS longest_streak,
           coalesce(max(CASE WHEN last_day >= CAST(now() - INTERVAL '1 day' AS DATE) THEN days END), 0) AS current_streak
    FROM runs
    GROUP BY tenant, user_ref
), totals AS (
    SELECT tenant, user_ref, sum(weight) AS events, min(time) AS first_time, max(time) AS last_time
    FROM seen
    GROUP BY tenant, user_ref
)
SELECT t.tenant, t.user_ref, t.events, coalesce(s.sessions, 0) AS sessions, s.minutes AS avg_session_minutes,
       k.active_days, k.current_streak, k.longest_streak, t.first_time, t.last_time
FROM totals AS t
JOIN streaks AS k ON k.tenant = t.tenant AND k.user_ref = t.user_ref
LEFT JOIN stays AS s ON s.tenant = t.tenant AND s.user_ref = t.user_ref
