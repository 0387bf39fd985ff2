//! Views and the doctor's questions: one `.sql` file each, with a header of `-- title:` and `-- about:`.

/// A view or a question that ships with Marquetry.
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
    ($folder:literal: $($name:literal),* $(,)?) => {
        &[$(View { name: $name, sql: include_str!(concat!("../", $folder, "/", $name, ".sql")) }),*]
    };
}

/// Every view. A new one is one file and one line here.
pub const ALL: &[View] = views!["views":
    "active_users",
    "ai_error_frequency",
    "ai_errors_detailed",
    "ai_interactions",
    "ai_streaming_issues",
    "ai_success_rate",
    "anonymous_rate",
    "api_access_log",
    "api_key_health",
    "app_errors",
    "authentication_log",
    "cost_per_analysis",
    "cost_per_service_day",
    "cost_per_user_day",
    "cost_reconciliation",
    "dropout_risk",
    "elevenlabs_key_health",
    "elevenlabs_key_usage",
    "engagement_per_user",
    "error_events",
    "errors_per_type",
    "event_counts",
    "exports_and_bulk_operations",
    "external_api_call_log",
    "failed_login_bursts",
    "failed_logins_per_address",
    "failed_logins_per_user",
    "feature_adoption",
    "journey_summary",
    "learning_journey_events",
    "page_view_analytics",
    "permission_changes",
    "popular_quests",
    "rate_limit_effectiveness",
    "redaction_counts",
    "requests_per_route",
    "signups_per_day",
    "slowest_routes",
    "spend_per_hour",
    "suspicious_addresses",
    "table_freshness",
    "unmapped",
    "unpriced_models",
    "usage_limits",
    "user_activity_events",
    "user_activity_log",
    "user_activity_logs",
    "user_ai_stats",
    "user_errors_stats",
    "user_event_stats",
    "user_journeys",
    "user_logs",
    "user_logs_stats",
    "user_sessions",
    "user_timeline",
];

/// What `marquetry doctor` asks; `$since` is the moment from which on rows were received. A new one is one file and one
/// line here.
pub const DOCTOR: &[View] = views!["doctor":
    "aggregates",
    "arrived",
    "calls_without_genai",
    "clocks",
    "content",
    "events",
    "identity",
    "instrumentations",
    "leftovers",
    "old_names",
    "personal",
    "prices",
    "routes",
];
