-- title: Optio's journey summary
-- about: By student: first quest, quests completed, current streak of days, badges, hours on the platform, and the pillar with the most points.
WITH seen AS (
    SELECT tenant, user_ref, session_ref, time, event_name, category, pillar, xp, coalesce(sample_weight, 1) AS weight
    FROM activity_events
    WHERE echo_of IS NULL AND user_ref IS NOT NULL
), totals AS (
    SELECT tenant, user_ref,
           min(CASE WHEN event_name IN ('quest_started', 'quest_completed') THEN CAST(time AS DATE) END) AS first_quest_date,
           sum(CASE WHEN event_name = 'quest_completed' THEN weight ELSE 0 END) AS total_quests_completed,
           -- A badge that is claimed was earned, whether or not the application says so.
           greatest(sum(CASE WHEN event_name = 'badge_earned' THEN weight ELSE 0 END),
                    sum(CASE WHEN event_name = 'badge_claimed' THEN weight ELSE 0 END)) AS badges_earned,
           sum(xp * weight) AS xp, max(time) AS last_time
    FROM seen
    GROUP BY tenant, user_ref
    HAVING bool_or(category IN ('quest', 'badge', 'tutor', 'learning'))
), sessions AS (
    SELECT tenant, user_ref, session_ref, (date_part('epoch', max(time)) - date_part('epoch', min(time))) / 3600 AS hours
    FROM seen
    WHERE session_ref IS NOT NULL
    GROUP BY tenant, user_ref, session_ref
), stays AS (
    SELECT tenant, user_ref, sum(hours) AS hours
    FROM sessions
    GROUP BY tenant, user_ref
), days AS (
    SELECT DISTINCT tenant, user_ref, CAST(time AS DATE) AS day
    FROM seen
), islands AS (
    -- Days in a row differ from their number by the same.
    SELECT tenant, user_ref, day, date_part('epoch', day) / 86400 - row_number() OVER (PARTITION BY tenant, user_ref ORDER BY day) AS island
    FROM days
), streaks AS (
    SELECT tenant, user_ref, count(*) AS days
    FROM islands
    GROUP BY tenant, user_ref, island
    HAVING max(day) >= CAST(now() - INTERVAL '1 day' AS DATE)
), pillars AS (
    SELECT tenant, user_ref, pillar, row_number() OVER (PARTITION BY tenant, user_ref ORDER BY sum(xp * weight) DESC, pillar) AS place
    FROM seen
    WHERE pillar IS NOT NULL AND xp IS NOT NULL
    GROUP BY tenant, user_ref, pillar
)
SELECT t.tenant, t.user_ref AS user_id, t.first_quest_date, t.total_quests_completed, coalesce(k.days, 0) AS current_streak, t.badges_earned,
       s.hours AS time_on_platform_hours, p.pillar AS favorite_pillar, t.xp AS total_xp, t.last_time AS last_activity
FROM totals AS t
LEFT JOIN stays AS s ON s.tenant = t.tenant AND s.user_ref = t.user_ref
LEFT JOIN streaks AS k ON k.tenant = t.tenant AND k.user_ref = t.user_ref
LEFT JOIN pillars AS p ON p.tenant = t.tenant AND p.user_ref = t.user_ref AND p.place = 1
