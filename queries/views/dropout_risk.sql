-- title: Students at risk of dropping out
-- about: Risk from 0 to 1 by student over 30 days and what it is made of: 40 % days since the last activity (of 30), 25 % missing sign-ins (of 12), 20 % quests not completed of those started, 10 % short sessions (of 20 minutes), 5 % a broken streak. At risk from 0.7 on.
WITH seen AS (
    SELECT tenant, user_ref, session_ref, time, event_name, coalesce(sample_weight, 1) AS weight,
           category IN ('quest', 'badge', 'tutor', 'learning', 'content') AS is_learning
    FROM activity_events
    WHERE echo_of IS NULL AND user_ref IS NOT NULL
    UNION ALL
    SELECT tenant, user_ref, session_ref, time, 'login' AS event_name, coalesce(sample_weight, 1) AS weight, false AS is_learning
    FROM auth_events
    WHERE echo_of IS NULL AND user_ref IS NOT NULL AND action = 'login' AND coalesce(success, true)
), students AS (
    SELECT tenant, user_ref, max(time) AS last_time,
           sum(CASE WHEN event_name = 'login' AND time >= now() - INTERVAL '30 days' THEN weight ELSE 0 END) AS logins,
           sum(CASE WHEN event_name = 'quest_started' AND time >= now() - INTERVAL '30 days' THEN weight ELSE 0 END) AS started,
           sum(CASE WHEN event_name = 'quest_completed' AND time >= now() - INTERVAL '30 days' THEN weight ELSE 0 END) AS completed
    FROM seen
    GROUP BY tenant, user_ref
    HAVING bool_or(is_learning)
), sessions AS (
    SELECT tenant, user_ref, session_ref, (date_part('epoch', max(time)) - date_part('epoch', min(time))) / 60 AS minutes
    FROM seen
    WHERE session_ref IS NOT NULL AND time >= now() - INTERVAL '30 days'
    GROUP BY tenant, user_ref, session_ref
), stays AS (
    SELECT tenant, user_ref, count(*) AS sessions, avg(minutes) AS minutes
    FROM sessions
    GROUP BY tenant, user_ref
), parts AS (
    SELECT s.tenant, s.user_ref, s.last_time, s.logins AS logins_30d, s.started AS quests_started_30d, s.completed AS quests_completed_30d,
           coalesce(t.sessions, 0) AS sessions_30d, t.minutes AS avg_session_minutes,
           greatest(0, floor((date_part('epoch', now()) - date_part('epoch', s.last_time)) / 86400)) AS days_since_last,
           least(1, greatest(0, floor((date_part('epoch', now()) - date_part('epoch', s.last_time)) / 86400) / 30)) AS inactive,
           1 - least(1, s.logins / 12) AS rare_logins,
           1 - CASE WHEN s.started > 0 THEN least(1, s.completed / s.started) ELSE 0 END AS unfinished,
           1 - least(1, coalesce(t.minutes, 0) / 20) AS short_sessions,
           CAST(s.last_time AS DATE) < CAST(now() - INTERVAL '1 day' AS DATE) AS streak_broken
    FROM students AS s LEFT JOIN stays AS t ON t.tenant = s.tenant AND t.user_ref = s.user_ref
), scored AS (
    SELECT *, round(0.40 * inactive + 0.25 * rare_logins + 0.20 * unfinished + 0.10 * short_sessions
                    + 0.05 * CASE WHEN streak_broken THEN 1 ELSE 0 END, 6) AS risk
    FROM parts
)
SELECT tenant, user_ref, risk,
       CASE WHEN risk < 0.3 THEN 'high' WHEN risk < 0.6 THEN 'medium' WHEN risk < 0.8 THEN 'low' ELSE 'at_risk' END AS engagement_level,
       risk >= 0.7 AS is_at_risk,
       inactive, rare_logins, unfinished, short_sessions, streak_broken,
       days_since_last, logins_30d, quests_started_30d, quests_completed_30d, sessions_30d, avg_session_minutes, last_time
FROM scored
