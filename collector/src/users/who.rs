//! Who asks, by the operating system.

/// The account of a user id, with whoever became root by sudo.
pub(super) fn actor(uid: u32, sudo_user: Option<&str>) -> String {
    let account = account(uid).unwrap_or_else(|| format!("uid {uid}"));
    match sudo_user.filter(|name| uid == 0 && is_account(name)) {
        Some(name) => format!("{account}, by sudo of {name}"),
        None => account,
    }
}

/// Who runs this command, as sudo says.
pub(super) fn sudo_user() -> Option<String> {
    std::env::var("SUDO_USER").ok().filter(|name| is_account(name))
}

fn is_account(name: &str) -> bool {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-' | b'@');
    !name.is_empty() && name.len() <= 64 && name.bytes().all(allowed)
}

fn account(uid: u32) -> Option<String> {
    named(&std::fs::read_to_string("/etc/passwd").ok()?, uid)
}

fn named(passwd: &str, uid: u32) -> Option<String> {
    passwd.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)?.parse() == Ok(uid) && is_account(name)).then(|| name.to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accounts_are_named_and_sudo_is_believed_of_root() {
        let passwd =
            "root:x:0:0:root:/root:/bin/sh\nbroken\nann lee:x:7:7::/:\nann:x:1000:1000:,,,:/home/ann:/bin/sh\n";
        assert_eq!(named(passwd, 1000).as_deref(), Some("ann"));
        assert_eq!((named(passwd, 7), named(passwd, 8)), (None, None));
        assert!(actor(0, Some("ann")).ends_with(", by sudo of ann"));
        assert!(!actor(0, Some("a\nb")).contains("sudo"));
        assert_eq!(actor(4_000_000_000, Some("ann")), "uid 4000000000");
    }
}
