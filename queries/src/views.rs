//! Views: one `.sql` file each, with a header of `-- title:` and `-- about:`.

/// A view that ships with Marquetry.
#[derive(Debug, Clone, Copy)]
pub struct View {
    /// Name in SQL and stem of its file.
    pub name: &'static str,
    /// Its text, header included.
    pub sql: &'static str,
}

impl View {
    /// What it shows, in one line.
    pub fn title(&self) -> &'static str {
        self.header("-- title:")
    }

    /// What it counts and what it leaves out.
    pub fn about(&self) -> &'static str {
        self.header("-- about:")
    }

    fn header(&self, key: &str) -> &'static str {
        self.sql.lines().find_map(|l| l.strip_prefix(key)).map(str::trim).unwrap_or_default()
    }
}

macro_rules! views {
    ($($name:literal),* $(,)?) => {
        &[$(View { name: $name, sql: include_str!(concat!("../views/", $name, ".sql")) }),*]
    };
}

/// Every view. A new one is one file and one line here.
pub const ALL: &[View] = views![
    "ai_error_frequency",
    "ai_errors_detailed",
    "ai_interactions",
    "ai_streaming_issues",
    "ai_success_rate",
    "anonymous_rate",
    "api_access_log",
    "app_errors",
    "authentication_log",
    "cost_per_service_day",
    "cost_per_user_day",
    "cost_reconciliation",
    "elevenlabs_key_health",
    "elevenlabs_key_usage",
    "error_events",
    "external_api_call_log",
    "failed_logins_per_address",
    "failed_logins_per_user",
    "learning_journey_events",
    "page_view_analytics",
    "popular_quests",
    "redaction_counts",
    "requests_per_route",
    "table_freshness",
    "unmapped",
    "unpriced_models",
    "usage_limits",
    "user_activity_events",
    "user_activity_log",
    "user_activity_logs",
    "user_ai_stats",
    "user_errors_stats",
    "user_logs",
    "user_logs_stats",
    "user_sessions",
    "user_timeline",
];
