//! Optio: every kind of event that the school's client knows, and what is worked out of them.

use super::{Case, Protocol, check};

const CASES: &[Case] = &[
    // All 28, under their own names and categories.
    Case {
        sql: "SELECT count(DISTINCT event_type) FROM user_activity_events WHERE event_type <> 'learning.milestone'",
        rows: &["28"],
    },
    Case {
        sql: "SELECT event_category, string_agg(DISTINCT event_type, ' ' ORDER BY event_type) FROM user_activity_events GROUP BY 1 ORDER BY 1",
        rows: &[
            "auth,login_failed login_success logout session_expired",
            "badge,badge_claimed badge_earned badge_viewed",
            "community,connection_accepted connection_request_sent profile_viewed",
            "error,api_error javascript_error network_error",
            "learning,learning.milestone",
            "navigation,page_exit page_view route_change",
            "parent,parent_dashboard_opened parent_evidence_uploaded",
            "quest,evidence_uploaded quest_abandoned quest_completed quest_started quest_viewed task_completed task_viewed",
            "tutor,tutor_message_sent tutor_opened tutor_safety_flag",
        ],
    },
    Case {
        sql: "SELECT user_id, session_id, event_type, page_path, duration, load_time, ip_address FROM user_activity_events \
              WHERE page_path IS NOT NULL ORDER BY created_at",
        rows: &[
            "u1,s1,page_view,/quests,,640.0,203.0.113.0/24",
            "u1,s1,page_exit,/quests,239000.0,,203.0.113.0/24",
            "u1,s1,route_change,/tutor,,,203.0.113.0/24",
            "u1,s1,javascript_error,/tutor,,,203.0.113.0/24",
            "u2,s2,page_view,/quests,,200.0,",
            "u3,s3,page_view,/quests,,200.0,",
            "u4,s4,page_view,/quests,,200.0,",
            "u5,s5,page_view,/quests,,200.0,",
            "u3,s3,page_view,/badges,,200.0,",
            "u4,s4,page_view,/badges,,200.0,",
            "u5,s5,page_view,/badges,,200.0,",
            "u1,s1,page_view,/badges,,310.0,203.0.113.0/24",
        ],
    },
    Case {
        sql: "SELECT id = client_session_id, client_session_id, user_id, duration_s, device_class, os_family, ip_address, events, page_views, \
              errors, entry_path, exit_path, is_bounce, end_reason FROM user_sessions ORDER BY started_at",
        rows: &[
            "true,s1,u1,300.0,tablet,iOS,203.0.113.0/24,23.0,2.0,3.0,/quests,/tutor,false,logout",
            "true,s6,u6,20.0,,,,4.0,0.0,0.0,,,false,session_expired",
            "true,s7,u7,12.0,,,,4.0,0.0,0.0,,,false,",
            "true,s2,u2,0.0,,,,1.0,1.0,0.0,/quests,/quests,true,",
            "true,s3,u3,100.0,,,,2.0,2.0,0.0,/quests,/badges,false,",
            "true,s4,u4,100.0,,,,2.0,2.0,0.0,/quests,/badges,false,",
            "true,s5,u5,100.0,,,,2.0,2.0,0.0,/quests,/badges,false,",
            "false,s1,u1,60.0,tablet,iOS,203.0.113.0/24,2.0,1.0,0.0,/badges,/badges,true,",
        ],
    },
    Case {
        sql: "SELECT page_path, total_views, unique_users, bounce_rate, avg_load_ms, avg_time_s FROM page_view_analytics ORDER BY 1",
        rows: &["/badges,4.0,,0.25,227.5,", "/quests,5.0,5,0.2,288.0,239.0", "/tutor,1.0,,0.0,,"],
    },
    Case {
        sql: "SELECT quest_id, views, starts, completions, score, completion_rate FROM popular_quests ORDER BY 1",
        rows: &["quest-1,2.0,2.0,1.0,11.0,0.5"],
    },
    Case {
        sql: "SELECT user_id, event_type, category, object_type, object_id, pillar, xp, risk_score, engagement_level FROM learning_journey_events \
              ORDER BY created_at",
        rows: &[
            "u1,quest_viewed,quest,quest,quest-1,science,,,",
            "u1,quest_started,quest,quest,quest-1,science,,,",
            "u1,task_viewed,quest,task,task-1,,,,",
            "u1,task_completed,quest,task,task-1,,50,,",
            "u1,evidence_uploaded,quest,evidence,e-1,,,,",
            "u1,quest_completed,quest,quest,quest-1,science,200,,",
            "u1,badge_viewed,badge,badge,b-1,,,,",
            "u1,badge_earned,badge,badge,b-1,,,,",
            "u1,badge_claimed,badge,badge,b-1,,,,",
            "u1,quest_abandoned,quest,quest,quest-2,,,,",
            "u7,quest_viewed,quest,quest,quest-1,science,,,",
            "u7,quest_started,quest,quest,quest-1,science,,,",
            "u1,badge_viewed,badge,badge,b-1,,,,",
            "u1,learning.milestone,learning,,,,,0.25,high",
        ],
    },
    Case {
        sql: "SELECT user_id, session_id, error_type, error_message, component, page_url, api_endpoint, status_code FROM error_events ORDER BY created_at",
        rows: &[
            "u1,s1,TypeError,[EMAIL] is null,Quest,/tutor,,",
            "u1,s1,api_error,no answer,,,/api/quests/17,503",
            "u1,s1,network_error,offline,,,,",
        ],
    },
    // Other children and one's own child are pseudonyms of users, equal to theirs.
    Case {
        sql: "SELECT event_name, user_ref, other_user_ref, parent_of_ref FROM activity_events \
              WHERE other_user_ref IS NOT NULL OR parent_of_ref IS NOT NULL ORDER BY time",
        rows: &[
            "connection_request_sent,u1,u7,",
            "profile_viewed,u1,u7,",
            "parent_dashboard_opened,u6,,u1",
            "parent_evidence_uploaded,u6,,u1",
            "connection_accepted,u7,u1,",
        ],
    },
    // What a child wrote to the tutor is its length; what was flagged is audited as well.
    Case {
        sql: "SELECT event_name, message_chars, message_flagged, safety_reason, map_keys(attributes) FROM activity_events \
              WHERE category = 'tutor' ORDER BY time",
        rows: &["tutor_opened,,,,", "tutor_message_sent,31,,,", "tutor_safety_flag,,true,personal data,"],
    },
    Case {
        sql: "SELECT action, user_ref, safety_reason, log_seq FROM audit_log",
        rows: &["TUTOR_SAFETY_FLAG,u1,personal data,0"],
    },
    Case {
        sql: "SELECT table_name, total FROM table_freshness WHERE total > 0 ORDER BY table_name",
        rows: &["activity_events,33.0", "audit_log,1.0", "auth_events,5.0", "errors,3.0"],
    },
    Case { sql: "SELECT count(*) FROM unmapped", rows: &["0"] },
];

#[test]
fn every_kind_of_event_and_what_is_worked_out_of_them() {
    check("optio.py", &[], Protocol::Http, &[], CASES);
}
