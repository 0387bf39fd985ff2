//! `activity_events` and `rate_limits`: one spelling for what the sender's names mean.

use component::{ProcessError, Rows};

use super::read::{Bools, Ints, Texts, bools, set, texts};
use super::web;

/// Fills `page_path`, `event_name`, `category` and `object_type`.
pub(super) fn activity(rows: &mut Rows) -> Result<(), ProcessError> {
    web::paths(rows, "page_path", "url_query")?;
    let (name, event, same) =
        (Texts::of(rows, "name"), Texts::of(rows, "event_name"), Bools::of(rows, "same_document"));
    let events = texts(rows, |row| match event.get(row)? {
        "page_view" if same.get(row) == Some(true) => Some("route_change".into()),
        event => Some(event.into()),
    });
    // These two fall back to the event's name; a name that no spelling is known for says neither.
    let (category, object) = (Texts::of(rows, "category"), Texts::of(rows, "object_type"));
    let categories = texts(rows, |row| match (category.get(row)?, name.get(row)) {
        (category, Some(name)) if category == name => {
            name.split_once('.').map(|(prefix, _)| prefix.to_lowercase().into())
        }
        (category, _) => Some(category.into()),
    });
    let objects = texts(rows, |row| object.get(row).filter(|o| name.get(row) != Some(*o)).map(Into::into));
    set(rows, "event_name", events)?;
    set(rows, "category", categories)?;
    set(rows, "object_type", objects)
}

/// Fills `action` and `allowed`.
pub(super) fn rate_limits(rows: &mut Rows) -> Result<(), ProcessError> {
    let (action, allowed) = (Texts::of(rows, "action"), Bools::of(rows, "allowed"));
    let (used, limit, status) = (Ints::of(rows, "used"), Ints::of(rows, "limit_count"), Ints::of(rows, "status_code"));
    let known = |row| action.get(row).filter(|a| matches!(*a, "allow" | "throttle" | "block" | "ban"));
    let decided = |row| {
        let by_action = known(row).map(|a| matches!(a, "allow" | "throttle"));
        let by_count = || Some(used.get(row)? <= limit.get(row)?);
        let by_status = || (status.get(row)? == 429).then_some(false);
        allowed.get(row).or(by_action).or_else(by_status).or_else(by_count)
    };
    let actions = texts(rows, |row| {
        let action = known(row).or_else(|| match action.get(row) {
            Some(sent) if sent.to_lowercase().contains("banned") => Some("ban"),
            _ => decided(row).map(|allowed| if allowed { "allow" } else { "block" }),
        });
        action.map(Into::into)
    });
    let decisions = bools(rows, decided);
    set(rows, "action", actions)?;
    set(rows, "allowed", decisions)
}
