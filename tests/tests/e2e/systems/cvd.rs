//! CVD: polling left out, requests and activity in one list, and an audit log that names every act.

use super::{Case, Protocol, check};

/// The page asks for its status every 30 seconds.
const POLLING: &str = "processors.filter.skip=[{name: polling, route: \"/api/status/*\"}]";

const CASES: &[Case] = &[
    Case {
        sql: "SELECT user_id, action_type, response_time_ms, error_code, data_volume, is_success FROM user_activity_log \
              WHERE timestamp < (SELECT min(time) FROM audit_log) ORDER BY timestamp",
        rows: &[
            "u1,api_call,20.0,,120,true",
            "u1,api_call,20.0,SLOT_TAKEN,64,false",
            "u1,api_call,20.0,,,false",
            "u1,page_view,,,,true",
            "u1,file_download,,,4096,true",
        ],
    },
    Case {
        sql: "SELECT page_path, file_name, file_bytes FROM activity_events WHERE event_name IN ('page_view', 'file_download') ORDER BY time",
        rows: &["/planograms/3,,", ",dex.csv,4096"],
    },
    // Each act under its own name, numbered without a gap.
    Case {
        sql: "SELECT count(*), min(log_seq), max(log_seq), count(DISTINCT leaf), count(DISTINCT log_id) FROM audit_log",
        rows: &["33,0,32,33,1"],
    },
    Case {
        sql: "SELECT action FROM audit_log ORDER BY time",
        rows: &[
            "LOGIN",
            "LOGOUT",
            "PASSWORD_CHANGE",
            "PASSWORD_RESET",
            "USER_CREATE",
            "USER_UPDATE",
            "VIEW_ACTIVITY_MONITOR",
            "VIEW_USER_ACTIVITY",
            "TERMINATE_SESSION",
            "ORDER_SYNC",
            "DEVICE_CREATE",
            "DEVICE_UPDATE",
            "DEVICE_DELETE",
            "PLANOGRAM_UPDATE",
            "PLANOGRAM_OPTIMIZE",
            "ORDER_CREATE",
            "ORDER_ASSIGN",
            "ORDER_COMPLETE",
            "ORDER_CANCEL",
            "PRODUCT_CREATE",
            "PRODUCT_UPDATE",
            "PRODUCT_PRICE_CHANGE",
            "INVENTORY_ADJUST",
            "STOCK_UPDATE",
            "LOGIN_FAILED",
            "DATA_EXPORT",
            "BULK_OPERATION",
            "PERMISSION_CHANGE",
            "CONFIG_CHANGE",
            "DEX_UPLOAD",
            "SALES_REPORT_VIEW",
            "REVENUE_EXPORT",
            "PRICE_CHANGE",
        ],
    },
    Case {
        sql: "SELECT action, actor_ref, actor_type, resource_type, resource_id, resource_ref, old_value, new_value, \
              affected_records, export_format, details FROM audit_log WHERE resource_type IS NOT NULL OR old_value IS NOT NULL ORDER BY time",
        rows: &[
            "USER_CREATE,u1,user,user,,u2,,,,,",
            "DEVICE_UPDATE,u1,user,device,dev-7,u3,offline,online,,,",
            "DATA_EXPORT,u1,user,report,,,,,12500,csv,asked by [EMAIL]",
            "BULK_OPERATION,u1,user,device,,,,,240,,",
            "PERMISSION_CHANGE,u1,user,user,,u2,viewer,admin,,,",
            "PRICE_CHANGE,u1,user,product,sku-9,u4,1.80,2.10,,,",
        ],
    },
    // Sign-ins are sign-ins too; what was typed as a name is often a password.
    Case {
        sql: "SELECT action, user_ref, success, attempted_ref, attempt, max_attempts, failure_reason, client_prefix \
              FROM auth_events WHERE echo_of IS NULL ORDER BY time",
        rows: &[
            "login,u1,true,,,,,",
            "logout,u1,true,,,,,",
            "password_change,u1,true,,,,,",
            "password_reset,,true,,,,,",
            "session_terminated,,,,,,,",
            "login_failed,,false,e1,3,5,bad password,198.51.100.0/24",
        ],
    },
    Case {
        sql: "SELECT action, ocsf_class_uid, ocsf_activity_id, ocsf_status_id FROM audit_log WHERE action IN ('USER_CREATE', 'PERMISSION_CHANGE', \
                 'DATA_EXPORT', 'DEX_UPLOAD', 'CONFIG_CHANGE', 'LOGIN_FAILED') ORDER BY action",
        rows: &[
            "CONFIG_CHANGE,3004,3,1",
            "DATA_EXPORT,6001,7,1",
            "DEX_UPLOAD,6001,6,1",
            "LOGIN_FAILED,3002,1,2",
            "PERMISSION_CHANGE,3005,1,1",
            "USER_CREATE,3001,1,1",
        ],
    },
    Case {
        sql: "SELECT table_name, total FROM table_freshness WHERE total > 0 ORDER BY table_name",
        rows: &["activity_events,3.0", "audit_log,33.0", "auth_events,6.0", "requests,3.0"],
    },
];

#[test]
fn activity_without_polling_and_an_audit_of_every_act() {
    check("cvd.py", &[], Protocol::Grpc, &[POLLING], CASES);
}
