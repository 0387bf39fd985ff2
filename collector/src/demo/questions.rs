//! What one can ask of the five systems. Each has rows in every demo, and what goes wrong on purpose shows in one of them.

/// A question.
pub(super) struct Question {
    pub(super) title: &'static str,
    pub(super) sql: &'static str,
}

/// What the calls have cost so far.
pub(super) const SPENT: &str =
    "SELECT round(CAST(coalesce(sum(cost_usd), 0) AS DOUBLE), 2) AS usd FROM provider_calls WHERE echo_of IS NULL";

const fn ask(title: &'static str, sql: &'static str) -> Question {
    Question { title, sql }
}

/// Every question, the dearest first.
pub(super) const ALL: &[Question] = &[
    ask(
        "Which hours cost far more than usual?",
        "SELECT service_name, hour, calls, round(CAST(cost_usd AS DOUBLE), 2) AS usd, round(usual_usd, 2) AS usual_usd, round(robust_z) AS z FROM spend_per_hour WHERE is_spike ORDER BY hour DESC LIMIT 5",
    ),
    ask(
        "Who costs most?",
        "SELECT user_ref, round(CAST(sum(cost_usd) AS DOUBLE), 4) AS usd, sum(calls) AS calls, count(DISTINCT day) AS days FROM cost_per_user_day GROUP BY user_ref ORDER BY usd DESC LIMIT 5",
    ),
    ask(
        "What does one analysis cost?",
        "SELECT day, analyses, calls, round(cost_per_analysis_usd, 6) AS each_usd, unpriced_calls FROM cost_per_analysis WHERE route = '/api/analysis/analyze/' ORDER BY day DESC LIMIT 5",
    ),
    ask(
        "Which calls have no price?",
        "SELECT provider, response_model, calls, input_tokens, output_tokens, cost_status FROM unpriced_models ORDER BY response_model NULLS LAST, calls DESC LIMIT 5",
    ),
    ask(
        "Which keys run out?",
        "SELECT provider, key_ref, used, unit, limit_count, health, last_event, last_error FROM api_key_health WHERE health IN ('exhausted', 'critical') ORDER BY health DESC LIMIT 5",
    ),
    ask(
        "Which AI calls fail?",
        "SELECT provider, model, error_type, errors, users, last_seen FROM ai_error_frequency ORDER BY errors DESC LIMIT 5",
    ),
    ask(
        "When did streams break off?",
        "SELECT hour, model, streams, aborted, round(abort_rate, 2) AS abort_rate, round(p95_first_ms) AS p95_first_ms FROM ai_streaming_issues WHERE aborted > 0 ORDER BY aborted DESC LIMIT 5",
    ),
    ask(
        "Who guesses passwords?",
        "SELECT counted_per, client_prefix, account, failures, most_in_5_minutes, first_time FROM failed_login_bursts ORDER BY failures DESC LIMIT 5",
    ),
    ask(
        "Which addresses are suspicious?",
        "SELECT client_prefix, client_ref, failures, accounts, granted, is_banned, reasons FROM suspicious_addresses ORDER BY failures DESC LIMIT 5",
    ),
    ask(
        "Who became an administrator?",
        "SELECT time, service_name, actor_ref, old_role, new_role, is_self FROM permission_changes WHERE is_escalation ORDER BY time DESC LIMIT 5",
    ),
    ask(
        "Who took or changed very much at once?",
        "SELECT time, actor_ref, action, resource_type, affected_records, alert, file_name FROM exports_and_bulk_operations WHERE alert IS NOT NULL ORDER BY time DESC LIMIT 5",
    ),
    ask(
        "Do the limits hold?",
        "SELECT seen_in, limited, asked, refused, round(refused_share, 3) AS refused_share, round(asked_again_share, 2) AS asked_again_share FROM rate_limit_effectiveness WHERE refused > 0 ORDER BY refused DESC LIMIT 5",
    ),
    ask(
        "What personal data and which keys did apps send by mistake?",
        "SELECT redacted, table_name, sum(total) AS total FROM redaction_counts GROUP BY redacted, table_name ORDER BY total DESC LIMIT 12",
    ),
    ask(
        "What is left of a line that gave everything away?",
        "SELECT time, service_name, body FROM logs WHERE body LIKE '%[%' ORDER BY time DESC LIMIT 5",
    ),
    ask(
        "Which students may be lost?",
        "SELECT user_ref, round(risk, 2) AS risk, engagement_level, days_since_last, logins_30d, quests_completed_30d FROM dropout_risk WHERE is_at_risk ORDER BY risk DESC LIMIT 5",
    ),
    ask(
        "Was a child in trouble?",
        "SELECT time, user_ref, action, safety_reason, body FROM audit_log WHERE echo_of IS NULL AND action = 'TUTOR_SAFETY_FLAG' ORDER BY time DESC LIMIT 5",
    ),
    ask(
        "How far did students get?",
        "SELECT user_id, first_quest_date, total_quests_completed, current_streak, badges_earned, round(time_on_platform_hours, 1) AS hours, favorite_pillar FROM journey_summary WHERE total_quests_completed > 0 ORDER BY total_quests_completed DESC LIMIT 5",
    ),
    ask(
        "Which quests work?",
        "SELECT quest_id, views, starts, completions, score, round(completion_rate, 2) AS completion_rate FROM popular_quests ORDER BY score DESC LIMIT 5",
    ),
    ask(
        "How many people come?",
        "SELECT service_name, day, daily, weekly, monthly, round(stickiness, 2) AS stickiness FROM active_users WHERE service_name = 'seeme-ios' ORDER BY day DESC LIMIT 5",
    ),
    ask(
        "Who signs up?",
        "SELECT service_name, day, signups, accounts_created FROM signups_per_day ORDER BY day DESC, service_name LIMIT 5",
    ),
    ask(
        "Which features are used?",
        "SELECT week, service_name, feature_name, users, active_users, round(adoption, 2) AS adoption FROM feature_adoption ORDER BY week DESC, users DESC LIMIT 5",
    ),
    ask(
        "Who is there most?",
        "SELECT user_ref, events, sessions, round(avg_session_minutes, 1) AS minutes, active_days, current_streak FROM engagement_per_user ORDER BY events DESC LIMIT 5",
    ),
    ask(
        "Which ways do people go?",
        "SELECT service_name, journey, count(*) AS sessions FROM user_journeys WHERE steps > 1 GROUP BY service_name, journey ORDER BY sessions DESC LIMIT 5",
    ),
    ask(
        "What happens, by category?",
        "SELECT service_name, category, sum(events) AS events, max(users) AS users FROM event_counts GROUP BY service_name, category ORDER BY events DESC LIMIT 8",
    ),
    ask(
        "Which errors hit most people?",
        "SELECT service_name, error_type, errors, critical, users, last_place, last_seen FROM errors_per_type ORDER BY users DESC, errors DESC LIMIT 5",
    ),
    ask(
        "Whose app fails?",
        "SELECT user_id, total, errors, critical, round(error_rate_pct, 1) AS error_rate_pct FROM user_event_stats WHERE user_id IS NOT NULL ORDER BY errors DESC LIMIT 5",
    ),
    ask(
        "Which routes are slow?",
        "SELECT place, service_name, method, route, requests, round(p95_ms) AS p95_ms, slowest_trace_id FROM slowest_routes ORDER BY place LIMIT 5",
    ),
    ask(
        "What did people do last, over all tables?",
        "SELECT time, table_name, what, detail FROM user_timeline WHERE user_ref IS NOT NULL ORDER BY time DESC LIMIT 5",
    ),
    ask(
        "Which app forgets to say who its user is?",
        "SELECT table_name, service_name, total, without_user, round(anonymous_rate, 3) AS anonymous_rate FROM anonymous_rate WHERE service_name IS NOT NULL AND without_user > 0 ORDER BY anonymous_rate DESC LIMIT 5",
    ),
];
