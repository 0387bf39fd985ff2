//! Every field that the systems record today has a column, and every alias of the conventions is read.

use crate::Source;

use super::built_in;

/// (system, its field, our table, our columns). A column that is never stored is where the field is taken out.
const FIELDS: &[(&str, &str, &str, &str)] = &[
    // SeeMe
    ("S0", "users.id, creation, login", "auth_events", "user_ref action time"),
    ("S0", "users auth tokens", "auth_events", "secret"),
    ("S0", "users profile data", "auth_events", "user_email user_phone full_name"),
    ("S0", "users account status", "activity_events", "account_status"),
    ("S0", "user_logs.user_id", "activity_events", "user_ref"),
    ("S0", "user_logs.logs", "activity_events", "event_name attributes"),
    ("S0", "user_logs.session_date, created_at", "activity_events", "time session_ref"),
    ("S0", "session start, end", "activity_events", "event_name end_reason previous_session_ref"),
    ("S0", "lifecycle", "activity_events", "object_state"),
    ("S0", "feature usage and duration", "activity_events", "feature_name duration_ns"),
    ("S0", "trackNavigation", "activity_events", "page_path screen"),
    ("S0", "coach session", "activity_events", "coach_id duration_ns"),
    ("S0", "usage_limits.device_id", "rate_limits", "device_ref"),
    ("S0", "usage_limits counts", "rate_limits", "limit_kind used limit_count remaining allowed reset_time"),
    ("S0", "usage_limits key ownership", "rate_limits", "key_ref"),
    ("S0", "banned address or device", "rate_limits", "rule_name action client_prefix client_ref"),
    ("S0", "elevenlabs_key_usage.key", "key_events", "key_ref"),
    ("S0", "elevenlabs_key_usage.characters", "key_events", "characters"),
    ("S0", "elevenlabs_key_usage.characters", "provider_calls", "billed_characters"),
    ("S0", "elevenlabs_key_usage.rotation, health", "key_events", "event from_key_ref to_key_ref limit_count health"),
    (
        "S0",
        "ai_interactions.user_id, provider, model",
        "provider_calls",
        "user_ref provider request_model response_model",
    ),
    ("S0", "ai_interactions.prompt_type, interaction_type", "provider_calls", "prompt_type operation output_type"),
    ("S0", "ai_interactions.status, request_id", "provider_calls", "status request_id response_id"),
    ("S0", "ai_interactions.session_id", "provider_calls", "session_ref conversation_ref"),
    ("S0", "ai_interactions.coach_id, feature_name", "provider_calls", "agent_id feature_name"),
    ("S0", "ai_interactions.message_length, response_length", "provider_calls", "input_chars output_chars"),
    (
        "S0",
        "ai_interactions.tokens_used",
        "provider_calls",
        "input_tokens output_tokens cache_read_tokens cache_write_tokens reasoning_tokens input_audio_tokens output_audio_tokens total_tokens",
    ),
    ("S0", "ai_interactions.response_time_ms", "provider_calls", "duration_ns ttfc_ns"),
    ("S0", "ai_interactions.error_*", "provider_calls", "error_message error_type error_category stack_trace"),
    ("S0", "ai_interactions.from_cache, stream_aborted", "provider_calls", "from_cache stream_aborted is_stream"),
    ("S0", "ai_interactions.timestamp", "provider_calls", "time"),
    ("S0", "address, device, signature", "provider_calls", "client_prefix client_ref device_ref signature_valid"),
    ("S0", "errors.user_id, session_id", "errors", "user_ref session_ref"),
    ("S0", "errors.error_type, error_category, error_message", "errors", "error_type error_category message"),
    ("S0", "errors.location, action", "errors", "location screen function file action"),
    ("S0", "errors.metadata", "errors", "attributes"),
    ("S0", "errors.network_status, timestamp", "errors", "network_status network_subtype time observed_time"),
    // PostBro
    ("S1", "APIAccessLog.id, user", "requests", "trace_id span_id user_ref"),
    ("S1", "APIAccessLog.endpoint, method, status_code", "requests", "route path method status_code"),
    ("S1", "APIAccessLog.response_time_ms", "requests", "duration_ns"),
    ("S1", "APIAccessLog.ip_address", "requests", "client_prefix client_ref"),
    ("S1", "APIAccessLog.user_agent", "requests", "user_agent ua_family ua_version os_family device_class is_bot"),
    ("S1", "APIAccessLog sizes", "requests", "request_bytes response_bytes"),
    ("S1", "APIAccessLog.query_params, error_message", "requests", "query error_message"),
    ("S1", "APIAccessLog.created_at, sampling", "requests", "time sample_weight"),
    (
        "S1",
        "AuthenticationLog.user, event_type",
        "auth_events",
        "user_ref action ocsf_class_uid ocsf_activity_id ocsf_status_id",
    ),
    ("S1", "AuthenticationLog.ip_address, user_agent", "auth_events", "client_prefix client_ref user_agent"),
    ("S1", "AuthenticationLog.success, error_message", "auth_events", "success outcome failure_reason error_message"),
    ("S1", "AuthenticationLog.metadata", "auth_events", "attributes"),
    ("S1", "attempted identifier", "auth_events", "user_name attempted_ref email_ref"),
    ("S1", "ExternalAPICallLog.service, endpoint", "provider_calls", "provider endpoint"),
    ("S1", "ExternalAPICallLog.method, status_code", "provider_calls", "method status_code"),
    (
        "S1",
        "ExternalAPICallLog.cost_estimate",
        "provider_calls",
        "cost_usd cost_status price_id price_effective_from cost_breakdown reported_cost",
    ),
    ("S1", "ExternalAPICallLog sizes", "provider_calls", "request_bytes response_bytes"),
    ("S1", "ExternalAPICallLog.metadata", "provider_calls", "attributes"),
    ("S1", "keys in headers and URLs", "provider_calls", "api_key url url_query key_ref"),
    // Tripwire
    ("S2", "user_activity_logs.id, user_id, event_type", "activity_events", "record_uid user_ref event_name"),
    ("S2", "user_activity_logs.event_category, message", "activity_events", "category body"),
    ("S2", "user_activity_logs.metadata, severity", "activity_events", "attributes severity_number severity_text"),
    ("S2", "user_activity_logs.created_at", "activity_events", "time"),
    ("S2", "USER_CREATED.full_name", "audit_log", "full_name"),
    ("S2", "tripwire_users.email", "audit_log", "user_email email_ref"),
    ("S2", "tripwire_users.phone", "audit_log", "user_phone phone_ref"),
    ("S2", "created_by, manager_name", "audit_log", "actor_id actor_ref actor_name"),
    ("S2", "duration_ms, email_sent", "audit_log", "attributes email_sent"),
    ("S2", "CLIENT_ERROR", "errors", "stack_trace page_path url attributes user_agent user_email email_ref"),
    ("S2", "API_ERROR", "errors", "method route status_code response_snippet user_agent client_ref"),
    // Optio
    ("S3", "user_activity_events.user_id, session_id", "activity_events", "user_ref session_ref"),
    ("S3", "event_type, event_category", "activity_events", "event_name category"),
    ("S3", "event_data", "activity_events", "object_type object_id other_user_ref attributes"),
    ("S3", "page_path, duration, load_time", "activity_events", "page_path duration_ns load_time_ns"),
    ("S3", "user_agent, ip_address", "activity_events", "user_agent client_prefix client_ref"),
    ("S3", "user_sessions", "activity_events", "session_ref previous_session_ref device_class os_family end_reason"),
    ("S3", "learning_journey_events", "activity_events", "risk_score engagement_level"),
    ("S3", "error_events", "errors", "error_type message stack_trace component page_path route status_code"),
    ("S3", "tutor_message_sent", "activity_events", "content message_chars message_flagged"),
    ("S3", "tutor_safety_flag", "activity_events", "severity_number safety_reason"),
    ("S3", "parent link", "activity_events", "parent_of parent_of_ref"),
    ("S3", "favorite pillar", "activity_events", "pillar xp"),
    // CVD
    ("S4", "user_activity_log.user_id, timestamp", "requests", "user_ref time"),
    ("S4", "file_download", "activity_events", "file_name file_bytes"),
    ("S4", "response_time_ms, error_code", "requests", "duration_ns error_type error_code"),
    ("S4", "data_volume, is_success", "requests", "response_bytes rows_returned is_success"),
    ("S4", "audit_log.user_id", "audit_log", "actor_ref actor_type"),
    ("S4", "audit_log.action", "audit_log", "action"),
    ("S4", "resource_type, resource_id", "audit_log", "resource_type resource_key resource_id resource_ref"),
    ("S4", "details, old_value, new_value", "audit_log", "details old_value new_value"),
    ("S4", "affected_records, created_at", "audit_log", "affected_records time"),
    ("S4", "LOGIN_FAILED", "auth_events", "client_ref attempted_ref attempt max_attempts"),
    ("S4", "DATA_EXPORT", "audit_log", "export_format affected_records attributes"),
    ("S4", "PERMISSION_CHANGE", "audit_log", "old_value new_value user_roles"),
    ("S4", "chain", "audit_log", "log_id log_seq canon_ver salt commitment leaf"),
];

/// (table, column, attribute keys that fill it). Order is precedence.
const ALIASES: &[(&str, &str, &str)] = &[
    ("requests", "method", "http.request.method http.method"),
    ("requests", "status_code", "http.response.status_code http.status_code"),
    ("requests", "scheme", "url.scheme http.scheme"),
    ("requests", "path", "url.path http.target"),
    ("requests", "url", "url.full http.url"),
    ("requests", "server_address", "server.address http.server_name http.host net.host.name"),
    ("requests", "server_port", "server.port net.host.port"),
    ("requests", "protocol_version", "network.protocol.version http.flavor"),
    (
        "requests",
        "request_bytes",
        "http.request.body.size http.request_content_length http.request_content_length_uncompressed",
    ),
    (
        "requests",
        "response_bytes",
        "http.response.body.size http.response_content_length http.response_content_length_uncompressed",
    ),
    ("requests", "client_address", "client.address http.client_ip net.sock.peer.addr network.peer.address net.peer.ip"),
    ("requests", "user_agent", "user_agent.original http.user_agent"),
    (
        "requests",
        "user_id",
        "user.id enduser.pseudo.id user.hash enduser.id usr.id user_id userId langfuse.user.id traceloop.association.properties.user_id ai.telemetry.metadata.userId gen_ai.user llm.user",
    ),
    (
        "requests",
        "session_id",
        "session.id langfuse.session.id traceloop.association.properties.session_id ai.telemetry.metadata.sessionId",
    ),
    ("requests", "device_id", "app.installation.id device.id deviceId"),
    (
        "provider_calls",
        "provider",
        "gen_ai.provider.name gen_ai.system llm.provider llm.system ai.model.provider peer.service service.peer.name",
    ),
    (
        "provider_calls",
        "request_model",
        "gen_ai.request.model llm.request.model_name llm.model_name ai.model.id embedding.model_name",
    ),
    ("provider_calls", "response_model", "gen_ai.response.model llm.response.model_name model"),
    ("provider_calls", "response_id", "gen_ai.response.id"),
    (
        "provider_calls",
        "input_tokens",
        "gen_ai.usage.input_tokens gen_ai.usage.prompt_tokens llm.usage.prompt_tokens llm.token_count.prompt ai.usage.inputTokens ai.usage.promptTokens",
    ),
    (
        "provider_calls",
        "output_tokens",
        "gen_ai.usage.output_tokens gen_ai.usage.completion_tokens llm.usage.completion_tokens llm.token_count.completion ai.usage.outputTokens ai.usage.completionTokens",
    ),
    (
        "provider_calls",
        "cache_read_tokens",
        "gen_ai.usage.cache_read.input_tokens gen_ai.usage.cache_read_input_tokens gen_ai.usage.cache_read_tokens gen_ai.usage.details.cache_read_tokens gen_ai.usage.details.cache_read_input_tokens llm.token_count.prompt_details.cache_read llm.token_count.prompt_details.cache_input ai.usage.cachedInputTokens gen_ai.usage.input_cached_tokens",
    ),
    (
        "provider_calls",
        "cache_write_tokens",
        "gen_ai.usage.cache_write.input_tokens gen_ai.usage.cache_creation.input_tokens gen_ai.usage.cache_creation_input_tokens gen_ai.usage.cache_write_tokens gen_ai.usage.details.cache_write_tokens gen_ai.usage.details.cache_creation_input_tokens llm.token_count.prompt_details.cache_write",
    ),
    (
        "provider_calls",
        "reasoning_tokens",
        "gen_ai.usage.reasoning.output_tokens gen_ai.usage.reasoning_tokens llm.usage.reasoning_tokens llm.token_count.completion_details.reasoning ai.usage.reasoningTokens",
    ),
    (
        "provider_calls",
        "input_audio_tokens",
        "gen_ai.usage.audio.input_tokens gen_ai.usage.input_audio_tokens llm.token_count.prompt_details.audio",
    ),
    (
        "provider_calls",
        "output_audio_tokens",
        "gen_ai.usage.audio.output_tokens llm.token_count.completion_details.audio",
    ),
    (
        "provider_calls",
        "total_tokens",
        "gen_ai.usage.total_tokens llm.usage.total_tokens llm.token_count.total ai.usage.tokens",
    ),
    ("provider_calls", "reported_cost", "gen_ai.usage.cost.amount gen_ai.usage.cost llm.cost.total operation.cost"),
    (
        "provider_calls",
        "service_tier",
        "openai.response.service_tier gen_ai.openai.response.service_tier openai.request.service_tier gen_ai.openai.request.service_tier gen_ai.request.service_tier",
    ),
    ("provider_calls", "is_stream", "gen_ai.request.stream gen_ai.is_streaming llm.is_streaming"),
    ("provider_calls", "ttfc_ns", "gen_ai.response.time_to_first_chunk ai.response.msToFirstChunk"),
    (
        "provider_calls",
        "finish_reasons",
        "gen_ai.response.finish_reasons gen_ai.response.finish_reason llm.finish_reason llm.response.stop_reason",
    ),
    ("provider_calls", "agent_name", "gen_ai.agent.name agent.name traceloop.entity.name"),
    ("provider_calls", "prompt_type", "gen_ai.prompt.name app.prompt_type traceloop.prompt.key prompt.id"),
    ("provider_calls", "conversation_id", "gen_ai.conversation.id"),
    ("activity_events", "flag_variant", "feature_flag.result.variant feature_flag.variant"),
    ("activity_events", "flag_provider", "feature_flag.provider.name feature_flag.provider_name"),
    ("auth_events", "outcome", "app.auth.outcome auth.outcome event.outcome"),
    ("auth_events", "action", "app.auth.action auth.action event.action"),
    ("audit_log", "action", "app.audit.action audit.action"),
];

#[test]
fn every_field_of_the_systems_has_a_column() {
    let catalog = built_in();
    for (system, field, table, columns) in FIELDS {
        let found = catalog.table(table).unwrap_or_else(|| panic!("{system} {field}: no table {table}"));
        for column in columns.split(' ') {
            assert!(found.column(column).is_some(), "{system} {field}: no column {table}.{column}");
        }
    }
}

#[test]
fn every_alias_is_read_in_its_order() {
    let catalog = built_in();
    for (table, column, aliases) in ALIASES {
        let from = &catalog.table(table).unwrap().column(column).unwrap().from;
        let place = |alias: &str| {
            let place = from.iter().position(|s| matches!(s, Source::Attribute { key, .. } if key == alias));
            place.unwrap_or_else(|| panic!("{table}.{column} does not read {alias}"))
        };
        let places: Vec<_> = aliases.split(' ').map(place).collect();
        assert!(places.is_sorted(), "{table}.{column}: {aliases}");
    }
}

#[test]
fn senders_units_become_ours() {
    let cases = [
        ("provider_calls", "ttfc_ns", "gen_ai.response.time_to_first_chunk", 1e9),
        ("provider_calls", "ttfc_ns", "ai.response.msToFirstChunk", 1e6),
        ("activity_events", "load_time_ns", "browser.navigation_timing.load_event_end", 1e6),
        ("activity_events", "duration_ns", "app.duration", 1e9),
        ("rate_limits", "window_ns", "app.rate_limit.window", 1e9),
    ];
    let catalog = built_in();
    for (table, column, key, scale) in cases {
        let wanted = Source::Attribute { key: key.to_owned(), scale: Some(scale) };
        assert!(catalog.table(table).unwrap().column(column).unwrap().from.contains(&wanted), "{table}.{column} {key}");
    }
}
