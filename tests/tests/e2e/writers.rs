//! Two writers on one lake: every acknowledged record is there, and it is there once.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use tests::gateway::Gateway;
use tests::random::Random;
use tests::sending::{Books, Senders};
use tests::{Setup, foreign};

/// Sends to both at once, kills one of them on the way, and counts.
fn race(folder: &Path, lake: &str, environment: &[(String, String)]) {
    let mut random = Random::new(lake);
    // Both write one tenant's data: they share the root key.
    let key = folder.join("root.key");
    std::fs::write(&key, "a root key for a test, not for keeps, 48 bytes....").expect("writing the key");
    set_owner_only(&key);
    let writer = |name: &str| Setup {
        flush: "100ms",
        lake: Some(lake.to_owned()),
        environment: environment.to_vec(),
        settings: vec![format!("keys.root_key_file={}", key.display())],
        ..Setup::new(&folder.join(name))
    };
    let (next, mut books) = (Arc::new(AtomicU64::new(1)), Books::default());
    let (one, mut two) = (writer("one").start(), writer("two").start());
    for round in 0..4 {
        let senders = [&one, &two].map(|writer| Senders::start(2, writer.ports.http, &next));
        std::thread::sleep(Duration::from_millis(800 + random.below(1500)));
        if round == 1 {
            let setup = two.kill();
            senders.into_iter().for_each(|s| books.add(s.stop()));
            two = setup.start();
        } else {
            senders.into_iter().for_each(|s| books.add(s.stop()));
        }
    }
    let setups = [one.stop(), two.stop()];

    let rows = foreign::read(lake, &["requests"], environment);
    let (found, distinct) = (&rows["requests"]["deltalake"], &rows["requests"]["identities"]);
    assert_eq!(found, distinct, "no record is there twice");
    let (found, acknowledged, uncertain) =
        (found.as_u64().expect("a count"), books.acknowledged.len() as u64, books.uncertain.len() as u64);
    assert!(
        (acknowledged..=acknowledged + uncertain).contains(&found),
        "{found} rows of {acknowledged} acknowledged and {uncertain} in flight"
    );
    for setup in &setups {
        assert_eq!(setup.count("SELECT count(*) AS n FROM requests"), found, "our own count");
        let missing = setup.query("SELECT DISTINCT span_id FROM requests").len() as u64;
        assert_eq!(missing, found, "distinct identities by our own count");
    }
    println!("writers on {lake}: {found} rows, version {}", rows["requests"]["version"]);
}

fn set_owner_only(path: &Path) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).expect("a key is its owner's");
}

#[test]
fn in_a_folder() {
    let folder = tempfile::tempdir().expect("a folder");
    let lake = folder.path().join("lake");
    race(folder.path(), &format!("file://{}", lake.display()), &[]);
}

#[test]
fn on_an_s3_server() {
    let folder = tempfile::tempdir().expect("a folder");
    let gateway = Gateway::start(&folder.path().join("s3"));
    race(folder.path(), "s3://lake/team", &gateway.environment());
}
