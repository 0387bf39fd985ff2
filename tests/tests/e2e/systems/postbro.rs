//! PostBro: Django's names, sign-ins and a guesser, paid calls with their cost.

use super::{Case, Protocol, check};

/// What PostBro pays BrightData, for requests that succeed.
const PRICES: &str =
    "processors.cost.overrides=[{provider: brightdata, bill_when: success, prices: {requests_kcount: 1.5}}]";

const CASES: &[Case] = &[
    Case {
        sql: "SELECT \"user\", endpoint, method, status_code, response_time_ms, ip_address, response_size_bytes, query_params, error_message \
              FROM api_access_log ORDER BY created_at",
        rows: &[
            "u1,/api/posts/,GET,200,12.0,203.0.113.0/24,2048,page=2&email=[EMAIL],",
            "u1,/api/analysis/analyze/,POST,201,850.0,203.0.113.0/24,4096,,",
            "u2,/api/analysis/analyze/,POST,502,900.0,203.0.113.0/24,0,,bad gateway",
            ",/api/posts/,GET,401,2.0,203.0.113.0/24,0,,",
            "u1,/api/posts/<int:pk>/,DELETE,404,5.0,203.0.113.0/24,0,,",
            "u2,/api/posts/,GET,429,1.0,203.0.113.0/24,0,,",
            ",/health/live/,GET,503,1.0,203.0.113.0/24,0,,no database",
        ],
    },
    Case {
        sql: "SELECT method, route, requests, users, avg_ms, errors_4xx, errors_5xx FROM requests_per_route ORDER BY route, method",
        rows: &[
            "POST,/api/analysis/analyze/,2.0,2,875.0,0.0,1.0",
            "GET,/api/posts/,3.0,2,5.0,2.0,0.0",
            "DELETE,/api/posts/<int:pk>/,1.0,1,5.0,1.0,0.0",
            "GET,/health/live/,1.0,0,1.0,0.0,1.0",
        ],
    },
    Case {
        sql: "SELECT \"user\", event_type, ip_address, success, error_message FROM authentication_log ORDER BY created_at",
        rows: &[
            "u3,signup,203.0.113.0/24,true,",
            "u3,login,203.0.113.0/24,true,",
            "u3,token_refresh,203.0.113.0/24,true,",
            "u3,password_reset,203.0.113.0/24,true,",
            "u3,logout,203.0.113.0/24,true,",
            ",login_failed,198.51.100.0/24,false,bad password",
            ",login_failed,198.51.100.0/24,false,bad password",
            ",login_failed,198.51.100.0/24,false,bad password",
            ",login_failed,198.51.100.0/24,false,bad password",
            ",login_failed,198.51.100.0/24,false,bad password",
            ",login_failed,198.51.100.0/24,false,bad password",
        ],
    },
    Case {
        sql: "SELECT account, failures, addresses, most_in_5_minutes, suspicious FROM failed_logins_per_user ORDER BY first_time",
        rows: &["e1,2.0,1,2.0,false", "e2,2.0,1,2.0,false", "e3,2.0,1,2.0,false"],
    },
    Case {
        sql: "SELECT client_ref, client_prefix, failures, accounts, most_in_5_minutes, suspicious FROM failed_logins_per_address",
        rows: &["i1,198.51.100.0/24,6.0,3,6.0,true"],
    },
    Case {
        sql: "SELECT \"user\", service, endpoint, method, status_code, response_time_ms, cost_estimate, error_message FROM external_api_call_log \
              ORDER BY created_at",
        rows: &[
            "u1,gemini,,,,700.0,0.00225,",
            "u1,brightdata,api.brightdata.com/dca/trigger,POST,200,40.0,0.0015,",
            "u1,supabase,abc.supabase.co/rest/v1/users,POST,200,25.0,,",
            "u2,gemini,,,,700.0,,quota of [EMAIL] is used up",
            "u2,brightdata,api.brightdata.com/dca/trigger,POST,500,40.0,0,bad gateway",
            "u1,gemini,,,,700.0,0.00045,",
        ],
    },
    Case {
        sql: "SELECT service_name, provider, model, calls, cost_usd, unpriced_calls FROM cost_per_service_day ORDER BY service_name, provider",
        rows: &[
            "postbro-web,brightdata,,2.0,0.0015,0.0",
            "postbro-web,gcp.gemini,gemini-2.5-pro,2.0,0.00225,1.0",
            "postbro-web,supabase,,1.0,,1.0",
            "postbro-worker,gcp.gemini,gemini-2.5-pro,1.0,0.00045,0.0",
        ],
    },
    Case {
        sql: "SELECT provider, request_model, cost_status, calls FROM unpriced_models ORDER BY provider",
        rows: &["gcp.gemini,gemini-2.5-pro,no_usage,1.0", "supabase,,unpriced,1.0"],
    },
    Case {
        sql: "SELECT user_id, error_type, error_message FROM error_events ORDER BY created_at",
        rows: &["u2,ResourceExhausted,quota of [EMAIL] is used up", "u2,500,bad gateway"],
    },
    Case {
        sql: "SELECT table_name, service_name, total, without_user FROM anonymous_rate WHERE service_name IS NOT NULL ORDER BY 1, 2",
        rows: &[
            "audit_log,postbro-web,1.0,0.0",
            "auth_events,postbro-web,11.0,6.0",
            "errors,postbro-web,2.0,0.0",
            "provider_calls,postbro-web,5.0,0.0",
            "provider_calls,postbro-worker,1.0,0.0",
            "requests,postbro-web,7.0,2.0",
        ],
    },
    Case {
        sql: "SELECT table_name, service_name, name, kind, total FROM unmapped ORDER BY 3",
        rows: &["spans,postbro-worker,run/analysis.tasks.refresh,consumer,1.0"],
    },
];

#[test]
fn requests_sign_ins_and_paid_calls() {
    check("postbro.py", &[], Protocol::Http, &[PRICES], CASES);
}
