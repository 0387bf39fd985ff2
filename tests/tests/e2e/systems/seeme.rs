//! SeeMe: AI calls, keys and limits, errors of the offline queue; and the incident that showed zeros for weeks.

use super::{Case, Protocol, check};

const CASES: &[Case] = &[
    Case {
        sql: "SELECT user_id, session_id, provider, model, interaction_type, prompt_type, coach_id, feature_name, status, request_id, \
              message_length, response_length, tokens_used, response_time_ms FROM ai_interactions ORDER BY timestamp",
        rows: &[
            "u1,s1,openai,gpt-5.1,chat,coach,zen,coach,success,req-1,40,900,2306,1500.0",
            "u1,s1,openai,gpt-5.1,chat,coach,zen,coach,success,,,,15,5.0",
            "u2,s2,openai,gpt-5.1,chat,coach,zen,coach,error,,,,,30000.0",
            "u2,s2,openai,gpt-5.1,chat,coach,zen,coach,aborted,,,,,2000.0",
            "u2,s2,openai,dall-e-3,image_generation,coach,zen,coach,success,,,,,9000.0",
            "u1,s1,elevenlabs,eleven_multilingual_v2,text_to_speech,,,,success,,,,,800.0",
            "u1,s1,gcp.gemini,gemini-2.5-flash,chat,journal,zen,,success,,,,321,640.0",
        ],
    },
    Case {
        sql: "SELECT status, error_code, error_category, error_message, from_cache, stream_aborted, cost_status, cost_usd \
              FROM ai_interactions ORDER BY timestamp",
        rows: &[
            "success,,,,,,priced,0.0033475",
            "success,,,,true,,cache_hit,0",
            "error,STREAM_TIMEOUT,timeout,[EMAIL] waited,,,no_usage,",
            "aborted,,,,,true,no_usage,",
            "success,,,,,,priced,0.08",
            "success,,,,,,priced,0.08",
            "success,,,,,,lower_bound,0.00000963",
        ],
    },
    Case {
        sql: "SELECT user_id, total_calls, success_rate, cost_usd FROM user_ai_stats ORDER BY total_calls",
        rows: &["u2,3.0,0.5,0.08", "u1,4.0,1.0,0.08335713"],
    },
    Case {
        sql: "SELECT user_ref, provider, calls, cost_usd, unpriced_calls FROM cost_per_user_day ORDER BY calls, cost_usd",
        rows: &[
            "u1,gcp.gemini,1.0,0.00000963,0.0",
            "u1,elevenlabs,1.0,0.08,0.0",
            "u1,openai,2.0,0.0033475,0.0",
            "u2,openai,3.0,0.08,2.0",
        ],
    },
    Case {
        sql: "SELECT user_ref, session_ref, error_type, error_category, error_message, response_time_ms FROM ai_errors_detailed",
        rows: &["u2,s2,STREAM_TIMEOUT,timeout,[EMAIL] waited,30000.0"],
    },
    Case {
        sql: "SELECT error_type, error_category, provider, errors, users FROM ai_error_frequency",
        rows: &["STREAM_TIMEOUT,timeout,openai,1.0,1"],
    },
    Case {
        sql: "SELECT provider, model, streams, aborted, abort_rate, p50_ms, p50_first_ms FROM ai_streaming_issues",
        rows: &["openai,gpt-5.1,1.0,1.0,1.0,2000.0,250.0"],
    },
    Case {
        sql: "SELECT provider, model, calls, successes, errors, success_rate, avg_response_ms FROM ai_success_rate ORDER BY model",
        rows: &[
            "openai,dall-e-3,1.0,1.0,0.0,1.0,9000.0",
            "elevenlabs,eleven_multilingual_v2,1.0,1.0,0.0,1.0,800.0",
            "gcp.gemini,gemini-2.5-flash,1.0,1.0,0.0,1.0,640.0",
            "openai,gpt-5.1,3.0,2.0,1.0,0.6666666666666666,752.5",
        ],
    },
    Case {
        sql: "SELECT user_id, session_id, action, category, date_part('second', session_date), date_part('minute', created_at) \
              FROM user_logs ORDER BY created_at",
        rows: &[
            "u1,s1,session_start,session,0,0",
            "u1,s1,screen_view,navigation,0,0",
            "u1,s1,coach_session_start,coach,0,0",
            "u1,s1,coach_session_end,coach,0,3",
            "u1,s1,feature_use,feature,0,3",
            "u1,s1,session_end,session,0,5",
        ],
    },
    Case {
        sql: "SELECT user_id, sessions, actions, date_part('minute', last_activity) FROM user_logs_stats",
        rows: &["u1,1,6.0,5"],
    },
    Case {
        sql: "SELECT coach_id, feature_name, screen, duration_ns, end_reason FROM activity_events ORDER BY time",
        rows: &[",,,,", ",,Home,,", "zen,,,,", "zen,,,190000000000,", ",journal,,4200000000,", ",,,,background"],
    },
    Case {
        sql: "SELECT device_id, limit_kind, used, limit_count, allowed, action, elevenlabs_key, checks, refused FROM usage_limits",
        rows: &["d1,voice,6,5,false,block,k1,2.0,1.0"],
    },
    Case {
        sql: "SELECT event, api_key, from_key, to_key, characters_used, character_limit, health, reason, error_type FROM elevenlabs_key_usage \
              ORDER BY created_at, event",
        rows: &[
            "exhausted,k2,,,10000,10000,,,",
            "rotated,,k2,k1,,10000,,exhausted,",
            "usage,k1,,,1000,10000,,,",
            "health,k1,,,9200,10000,critical,,",
            "rate_limited,k1,,,,10000,,,too_many_concurrent_requests",
        ],
    },
    Case {
        sql: "SELECT key_ref, characters_used, character_limit, percent_used, refused_24h, last_error, health FROM elevenlabs_key_health \
              ORDER BY characters_used",
        rows: &[
            "k1,9200.0,10000,92.0,1.0,too_many_concurrent_requests,critical",
            "k2,10000.0,10000,100.0,0.0,,exhausted",
        ],
    },
    Case {
        sql: "SELECT user_id, session_id, error_type, error_category, error_message, location, action, network_status, late_ms \
              FROM app_errors WHERE error_category = 'network' ORDER BY timestamp",
        rows: &[
            "u1,s1,NETWORK_TIMEOUT,network,no answer for [EMAIL] (0),Coach,send,offline,93600000.0",
            "u1,s1,NETWORK_TIMEOUT,network,no answer for [EMAIL] (1),Coach,send,offline,93600000.0",
        ],
    },
    Case {
        sql: "SELECT user_id, errors, kinds FROM user_errors_stats ORDER BY errors",
        rows: &["u2,1.0,1", "u1,2.0,1"],
    },
    Case {
        sql: "SELECT table_name, service_name, total, without_user, without_session FROM anonymous_rate WHERE service_name IS NOT NULL \
              ORDER BY table_name, service_name",
        rows: &[
            "activity_events,seeme-ios,6.0,0.0,0.0",
            "errors,seeme-api,1.0,0.0,0.0",
            "errors,seeme-ios,2.0,0.0,0.0",
            "key_events,seeme-api,5.0,5.0,5.0",
            "provider_calls,seeme-api,6.0,0.0,0.0",
            "provider_calls,seeme-ios,1.0,0.0,0.0",
            "rate_limits,seeme-ios,2.0,0.0,0.0",
            "requests,seeme-api,6.0,0.0,0.0",
        ],
    },
];

#[test]
fn calls_keys_limits_and_late_errors() {
    check("seeme.py", &["good"], Protocol::Http, &[], CASES);
}

/// What the product shows of it: nobody is named, the dashboard's view is empty of the backend's calls, and the name that
/// the backend wrote stands among what no table took.
const INCIDENT: &[Case] = &[
    Case {
        sql: "SELECT user_id, session_id, provider, tokens_used, status, cost_usd, cost_status FROM ai_interactions ORDER BY timestamp",
        rows: &[
            ",,openai,100,success,,unpriced",
            ",,openai,100,success,,unpriced",
            ",,openai,100,success,,unpriced",
            ",,openai,100,success,,unpriced",
        ],
    },
    Case {
        sql: "SELECT table_name, service_name, total, anonymous_rate, sessionless_rate FROM anonymous_rate WHERE service_name IS NOT NULL",
        rows: &["provider_calls,seeme-ios,4.0,1.0,1.0"],
    },
    Case { sql: "SELECT table_name, service_name, name, total FROM unmapped", rows: &["logs,seeme-api,ai_usage,3.0"] },
    Case {
        sql: "SELECT table_name, total, last_time IS NULL FROM table_freshness ORDER BY table_name",
        rows: &[
            "activity_events,0.0,true",
            "audit_log,0.0,true",
            "auth_events,0.0,true",
            "errors,0.0,true",
            "key_events,0.0,true",
            "logs,3.0,false",
            "provider_calls,4.0,false",
            "rate_limits,0.0,true",
            "requests,0.0,true",
            "spans,0.0,true",
        ],
    },
];

#[test]
fn the_incident_is_told() {
    check("seeme.py", &["incident"], Protocol::Http, &[], INCIDENT);
}
