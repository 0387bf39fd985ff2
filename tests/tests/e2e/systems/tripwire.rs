//! Tripwire: one list of what happened, found by e-mail or phone without storing either.

use super::{Case, Protocol, check};

const CASES: &[Case] = &[
    Case {
        sql: "SELECT user_id, event_type, event_category, severity, message FROM user_activity_logs ORDER BY created_at, event_type",
        rows: &[
            "u1,USER_CREATED,activity,info,student [EMAIL] was created",
            "u1,LOGIN,auth,info,signed in",
            ",LOGIN_FAILED,auth,warning,bad password",
            "u1,VIDEO_VIEW,activity,info,watched lesson 4",
            "u1,HOMEWORK_SUBMIT,activity,info,homework of lesson 4",
            "u1,LESSON_COMPLETE,activity,info,lesson 4 done",
            "u2,VIDEO_VIEW,activity,debug,watched lesson 4",
            "u2,CLIENT_ERROR,error,error,Cannot read properties of undefined",
            "u2,API_ERROR,error,critical,homework was not stored",
            "u1,LOGOUT,auth,info,signed out",
        ],
    },
    // The page's numbers.
    Case {
        sql: "SELECT count(*), count(*) FILTER (WHERE severity IN ('error', 'critical')), count(*) FILTER (WHERE severity = 'critical') \
              FROM user_activity_logs WHERE user_id IS NOT NULL",
        rows: &["9,2,1"],
    },
    // Found by a pseudonym that is one for every spelling: the account and the attempt on it.
    Case {
        sql: "SELECT a.action, a.email_ref, a.phone_ref, u.event_name, u.user_ref FROM auth_events AS a JOIN activity_events AS u \
              ON u.email_ref = a.email_ref AND u.phone_ref = a.phone_ref WHERE a.echo_of IS NULL",
        rows: &["login_failed,e1,p1,user_created,u1"],
    },
    Case {
        sql: "SELECT action, actor_ref, user_ref, email_ref, phone_ref, email_sent, duration_ns, body FROM audit_log",
        rows: &["USER_CREATE,u3,u1,e1,p1,true,,student [EMAIL] was created"],
    },
    Case {
        sql: "SELECT error_type, message, component, page_path, method, route, status_code, response_snippet, client_prefix, ua_family, email_ref \
              FROM errors WHERE echo_of IS NULL ORDER BY time",
        rows: &[
            "CLIENT_ERROR,Cannot read properties of undefined,LessonPlayer,/lessons/4,,,,,,Chrome,e2",
            "API_ERROR,homework was not stored,,/api/homework/17,POST,/api/homework/{id},502,\"{\"\"error\"\": \"\"no mail for [EMAIL]\"\"}\",203.0.113.0/24,Chrome,",
        ],
    },
    Case {
        sql: "SELECT event_name, object_type, object_id, duration_ns FROM activity_events ORDER BY time",
        rows: &[
            "user_created,user,,420000000",
            "video_view,video,lesson-4,90000000000",
            "homework_submit,homework,lesson-4,",
            "lesson_complete,lesson,lesson-4,",
            "video_view,video,lesson-4,",
        ],
    },
    Case {
        sql: "SELECT action, success, user_ref, failure_reason, client_prefix, ua_family FROM auth_events ORDER BY time",
        rows: &[
            "login,true,u1,,203.0.113.0/24,Chrome",
            "login_failed,false,,bad password,203.0.113.0/24,",
            "logout,true,u1,,,",
        ],
    },
    Case {
        sql: "SELECT count(*) FROM errors WHERE concat_ws(' ', url, url_query, page_path, body, array_to_string(map_values(attributes), ' ')) \
              LIKE '%abc123secret%'",
        rows: &["0"],
    },
    // Nobody told the collector of this one, and it says so.
    Case {
        sql: "SELECT table_name, service_name, name, total FROM unmapped",
        rows: &["logs,tripwire-api,SYSTEM_HEALTH,3.0"],
    },
    Case {
        sql: "SELECT table_name, total FROM redaction_counts WHERE redacted = 'email' ORDER BY table_name",
        rows: &["activity_events,1", "audit_log,1", "errors,1"],
    },
];

#[test]
fn activity_and_search_without_the_values() {
    check("tripwire.py", &[], Protocol::Grpc, &["processors.hash.default_region=KZ"], CASES);
}
