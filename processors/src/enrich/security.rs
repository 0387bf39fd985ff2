//! `auth_events` and `audit_log`: whether it was granted, to whom it happened, and the OCSF numbers for a SIEM.

use component::{ProcessError, Rows};

use super::read::{Bools, Ints, Texts, bools, ints, set, texts};

/// OCSF classes.
const AUTHENTICATION: i64 = 3002;
const ACCOUNT_CHANGE: i64 = 3001;
const ENTITY_MANAGEMENT: i64 = 3004;
const USER_ACCESS: i64 = 3005;
const WEB_RESOURCES: i64 = 6001;

/// Sign-in acts: action, class, activity.
const AUTH: &[(&str, i64, i64)] = &[
    ("login", AUTHENTICATION, 1),
    ("login_failed", AUTHENTICATION, 1),
    ("logout", AUTHENTICATION, 2),
    ("session_expired", AUTHENTICATION, 2),
    ("session_terminated", AUTHENTICATION, 2),
    ("token_refresh", AUTHENTICATION, 5),
    ("mfa_challenge", AUTHENTICATION, 6),
    ("mfa_success", AUTHENTICATION, 6),
    ("mfa_failed", AUTHENTICATION, 6),
    ("signup", ACCOUNT_CHANGE, 1),
    ("password_change", ACCOUNT_CHANGE, 3),
    ("password_reset", ACCOUNT_CHANGE, 4),
    ("account_locked", ACCOUNT_CHANGE, 9),
    ("account_unlocked", ACCOUNT_CHANGE, 12),
    ("account_enabled", ACCOUNT_CHANGE, 2),
    ("account_disabled", ACCOUNT_CHANGE, 5),
    ("account_deleted", ACCOUNT_CHANGE, 6),
];

/// Audited acts that do not follow from their verb.
const AUDIT: &[(&str, i64, i64)] = &[
    ("LOGIN", AUTHENTICATION, 1),
    ("LOGIN_FAILED", AUTHENTICATION, 1),
    ("LOGOUT", AUTHENTICATION, 2),
    ("TERMINATE_SESSION", AUTHENTICATION, 2),
    ("PASSWORD_CHANGE", ACCOUNT_CHANGE, 3),
    ("PASSWORD_RESET", ACCOUNT_CHANGE, 4),
    ("USER_CREATE", ACCOUNT_CHANGE, 1),
    ("USER_UPDATE", ACCOUNT_CHANGE, 99),
    ("USER_DELETE", ACCOUNT_CHANGE, 6),
    ("PERMISSION_CHANGE", USER_ACCESS, 1),
    ("VIEW_ACTIVITY_MONITOR", WEB_RESOURCES, 2),
    ("VIEW_USER_ACTIVITY", WEB_RESOURCES, 2),
    ("SALES_REPORT_VIEW", WEB_RESOURCES, 2),
    ("DEX_UPLOAD", WEB_RESOURCES, 6),
    ("DATA_EXPORT", WEB_RESOURCES, 7),
    ("REVENUE_EXPORT", WEB_RESOURCES, 7),
];

/// Things that audited acts are done to; other acts may be about a person.
const THINGS: [&str; 12] = [
    "DEVICE",
    "PRODUCT",
    "ORDER",
    "PLANOGRAM",
    "INVENTORY",
    "STOCK",
    "DEX",
    "CONFIG",
    "PRICE",
    "SALES",
    "REVENUE",
    "BULK",
];

/// Resource types whose id leads to a person.
const PERSONS: [&str; 14] = [
    "user", "users", "account", "profile", "person", "customer", "student", "child", "parent", "teacher", "employee",
    "member", "session", "contact",
];

/// Fills `action`, `outcome`, `success` and the OCSF numbers.
pub(super) fn auth(rows: &mut Rows) -> Result<(), ProcessError> {
    let [action, outcome, reason] = ["action", "outcome", "failure_reason"].map(|c| Texts::of(rows, c));
    let given = Bools::of(rows, "success");
    let [class, activity, status] = ["ocsf_class_uid", "ocsf_activity_id", "ocsf_status_id"].map(|c| Ints::of(rows, c));
    let sent = |row| class.get(row).zip(activity.get(row));
    // A status counts beside its class alone: on its own the name may mean anything.
    let told = |row| match (class.get(row)?, status.get(row)?) {
        (AUTHENTICATION | ACCOUNT_CHANGE, 1) => Some(true),
        (AUTHENTICATION | ACCOUNT_CHANGE, 2) => Some(false),
        _ => None,
    };
    // The outcome may come from the event's name alone, so that what the record says in so many words goes first.
    let granted = |row| {
        given.get(row).or_else(|| told(row)).or_else(|| match outcome.get(row) {
            Some("failure") => Some(false),
            Some("success") => Some(reason.get(row).is_none()),
            _ if reason.get(row).is_some() => Some(false),
            _ => action.get(row).filter(|a| fails(a)).map(|_| false),
        })
    };
    let outcomes = texts(rows, |row| Some(word(granted(row)).into()));
    let successes = bools(rows, granted);
    let actions = texts(rows, |row| {
        let named = || match called(AUTH, sent(row)?)? {
            "login" if granted(row) == Some(false) => Some("login_failed"),
            name => Some(name),
        };
        action.get(row).or_else(named).map(Into::into)
    });
    let act = |row| action.get(row).and_then(|a| found(AUTH, a)).or_else(|| sent(row));
    ocsf(rows, act, granted)?.set(rows)?;
    set(rows, "action", actions)?;
    set(rows, "outcome", outcomes)?;
    set(rows, "success", successes)
}

/// Fills `actor_id`, `outcome`, `success`, `resource_id` and the OCSF numbers.
pub(super) fn audit(rows: &mut Rows) -> Result<(), ProcessError> {
    let [action, outcome, reason, span] =
        ["action", "outcome", "failure_reason", "span_status"].map(|c| Texts::of(rows, c));
    let (given, code) = (Bools::of(rows, "success"), Ints::of(rows, "status_code"));
    // Acts are audited once they are done: one that shows no sign of failure was.
    let done = |row| {
        let said = || match outcome.get(row)?.to_ascii_lowercase().as_str() {
            "success" => Some(true),
            "failure" => Some(false),
            _ => None,
        };
        let failed = || {
            reason.get(row).is_some()
                || span.get(row) == Some("error")
                || code.get(row).is_some_and(|c| c >= 400)
                || action.get(row).is_some_and(fails)
        };
        // An outcome in words that nobody knows is no sign of success.
        let guessed = || if failed() { Some(false) } else { outcome.get(row).is_none().then_some(true) };
        given.get(row).or_else(said).or_else(guessed)
    };
    let outcomes = texts(rows, |row| Some(word(done(row)).into()));
    let successes = bools(rows, done);
    let (actor, user) = (Texts::of(rows, "actor_id"), Texts::of(rows, "user_id"));
    let actors = texts(rows, |row| actor.get(row).or(user.get(row)).map(Into::into));
    let (kind, key) = (Texts::of(rows, "resource_type"), Texts::of(rows, "resource_key"));
    let resources = texts(rows, |row| {
        let thing = match (kind.get(row), action.get(row)) {
            (Some(kind), _) => !PERSONS.contains(&kind.to_ascii_lowercase().as_str()),
            (None, Some(action)) => action.split('_').next().is_some_and(|word| THINGS.contains(&word)),
            (None, None) => false,
        };
        key.get(row).filter(|key| thing && !key.contains('@')).map(Into::into)
    });
    let act = |row| action.get(row).and_then(|a| found(AUDIT, a).or_else(|| by_verb(a)));
    ocsf(rows, act, done)?.set(rows)?;
    for (column, values) in [("actor_id", actors), ("resource_id", resources), ("outcome", outcomes)] {
        set(rows, column, values)?;
    }
    set(rows, "success", successes)
}

fn fails(action: &str) -> bool {
    let action = action.to_ascii_lowercase();
    ["fail", "denied", "locked", "refused"].iter().any(|word| action.contains(word)) && !action.contains("unlocked")
}

fn word(granted: Option<bool>) -> &'static str {
    match granted {
        Some(true) => "success",
        Some(false) => "failure",
        None => "unknown",
    }
}

fn found(acts: &[(&str, i64, i64)], action: &str) -> Option<(i64, i64)> {
    acts.iter().find(|(name, ..)| *name == action).map(|(_, class, activity)| (*class, *activity))
}

/// The first act that has these numbers.
fn called(acts: &[(&'static str, i64, i64)], numbers: (i64, i64)) -> Option<&'static str> {
    acts.iter().find(|(_, class, activity)| (*class, *activity) == numbers).map(|(name, ..)| *name)
}

/// `DEVICE_UPDATE` and its like are changes of an entity.
fn by_verb(action: &str) -> Option<(i64, i64)> {
    let (thing, _) = action.split_once('_')?;
    if !THINGS.contains(&thing) {
        return None;
    }
    let activity = match action.rsplit('_').next()? {
        "CREATE" => 1,
        "VIEW" | "READ" => 2,
        "DELETE" => 4,
        _ => 3,
    };
    Some((ENTITY_MANAGEMENT, activity))
}

/// The three numbers, ready to be set once the columns they were read from are let go.
struct Ocsf([std::sync::Arc<arrow::array::Int64Array>; 3]);

fn ocsf(
    rows: &Rows,
    act: impl Fn(usize) -> Option<(i64, i64)>,
    granted: impl Fn(usize) -> Option<bool>,
) -> Result<Ocsf, ProcessError> {
    let status = |row| match granted(row) {
        Some(true) => 1,
        Some(false) => 2,
        None => 0,
    };
    Ok(Ocsf([
        ints(rows, |row| act(row).map(|(class, _)| class)),
        ints(rows, |row| act(row).map(|(_, activity)| activity)),
        ints(rows, |row| act(row).map(|_| status(row))),
    ]))
}

impl Ocsf {
    fn set(self, rows: &mut Rows) -> Result<(), ProcessError> {
        for (column, values) in ["ocsf_class_uid", "ocsf_activity_id", "ocsf_status_id"].into_iter().zip(self.0) {
            set(rows, column, values)?;
        }
        Ok(())
    }
}
