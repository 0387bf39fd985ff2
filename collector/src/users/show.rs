//! An answer for people and for machines.

use std::io::Write;

use super::{Found, User};
use crate::error::Error;

/// Columns of the table.
const COLUMNS: [&str; 6] = ["user_ref", "email", "phone", "name", "roles", "created"];

/// Prints users in aligned columns.
pub(super) fn table(found: &Found, out: &mut impl Write) -> Result<(), Error> {
    let rows: Vec<[String; COLUMNS.len()]> = found.users.iter().map(cells).collect();
    let width = |column: usize| {
        let cells = rows.iter().map(|row| row[column].chars().count());
        cells.max().unwrap_or(0).max(COLUMNS[column].len())
    };
    let widths: [usize; COLUMNS.len()] = std::array::from_fn(width);
    let mut line = |cells: [&str; COLUMNS.len()]| -> std::io::Result<()> {
        let padded: Vec<String> = cells.iter().zip(widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        writeln!(out, "{}", padded.join("  ").trim_end())
    };
    line(COLUMNS)?;
    for row in &rows {
        line(row.each_ref().map(String::as_str))?;
    }
    Ok(out.flush()?)
}

/// Prints users as an array of objects.
pub(super) fn json(found: &Found, out: &mut impl Write) -> Result<(), Error> {
    let text = serde_json::to_string_pretty(&found.users).map_err(std::io::Error::from)?;
    writeln!(out, "{text}")?;
    Ok(out.flush()?)
}

fn cells(user: &User) -> [String; COLUMNS.len()] {
    // What a sender wrote must not move the cursor of who reads it.
    let clean = |text: &str| text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect::<String>();
    let cell = |text: &Option<String>| text.as_deref().map_or_else(|| "-".to_owned(), clean);
    [
        clean(&user.user_ref),
        cell(&user.email),
        cell(&user.phone),
        cell(&user.name),
        cell(&user.roles),
        cell(&user.created),
    ]
}

/// Microseconds since 1970 as a moment.
pub(super) fn moment(micros: i64) -> Option<String> {
    let moment = arrow::temporal_conversions::timestamp_us_to_datetime(micros)?;
    Some(moment.format("%Y-%m-%dT%H:%M:%SZ").to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_aligned_and_holds_no_control_character() {
        let user = |name: &str, email: Option<&str>| User {
            user_ref: "u1_a".to_owned(),
            email: email.map(str::to_owned),
            phone: None,
            name: Some(name.to_owned()),
            roles: None,
            created: moment(1_700_000_000_000_000),
        };
        let found = Found { users: vec![user("Ann\u{1b}[2J", Some("a***@example.com")), user("B", None)], total: 2 };
        let mut out = Vec::new();
        table(&found, &mut out).unwrap();
        let expected = "\
user_ref  email             phone  name     roles  created
u1_a      a***@example.com  -      Ann [2J  -      2023-11-14T22:13:20Z
u1_a      -                 -      B        -      2023-11-14T22:13:20Z
";
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }
}
