//! The five systems that Marquetry serves: what each reports today, told by one script per system under `python/systems`,
//! must stand in its tables and in its own views, value by value, incidents included.

mod cvd; // vending machines: an audited act of every kind, polling, exports
mod optio; // a school: 28 kinds of event, sessions, pages, quests
mod postbro; // Django and Celery: requests, sign-ins, paid calls
mod seeme; // an iOS app: AI calls, keys, limits, the offline queue
mod tripwire; // an academy: activity, search by e-mail and phone, errors

use tests::answers::{Asker, Case};
use tests::{Setup, python};

#[derive(Debug, Clone, Copy)]
enum Protocol {
    Http,
    Grpc,
}

/// Runs the script with `arguments` against a collector with `settings`; asks everything of the journal, then of the lake.
fn check(script: &str, arguments: &[&str], protocol: Protocol, settings: &[&str], cases: &[Case]) {
    let folder = tempfile::tempdir().expect("a folder");
    let mut setup = Setup::new(&folder.path().join("data"));
    setup.settings = settings.iter().map(|s| (*s).to_owned()).collect();
    let marquetry = setup.start();
    let (name, port) = match protocol {
        Protocol::Http => ("http", marquetry.ports.http),
        Protocol::Grpc => ("grpc", marquetry.ports.grpc),
    };
    let mut command = python::script(&format!("systems/{script}"));
    command.args(arguments).env("PROTOCOL", name).env("ENDPOINT", format!("http://127.0.0.1:{port}"));
    python::output(&mut command);
    // The scripts end when everything was acknowledged, and what is acknowledged is seen.
    Asker::new(&marquetry.setup).check(cases);
    let stopped = marquetry.stop();
    Asker::new(&stopped).check(cases);
}
