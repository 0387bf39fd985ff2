//! What a demo prints before it goes on live.

use std::fmt::Write;
use std::time::Duration;

use ::demo::Traffic;

use super::progress::grouped;
use super::questions;
use super::stage::Stage;

/// The block as text. Writing to a String cannot fail.
pub(super) fn announcement(stage: &Stage, traffic: &Traffic) -> String {
    let mut out = String::new();
    let (items, users) = (grouped(traffic.items()), traffic.users());
    let _ = writeln!(out, "\nMarquetry {} with {items} records of {users} users of five systems.\n", crate::VERSION);
    line(&mut out, "send", &format!("OTLP/gRPC  {}", stage.endpoints.grpc));
    line(&mut out, "send", &format!("OTLP/HTTP  {}", stage.endpoints.http));
    let fate = if stage.temporary { "goes with the demo; --keep DIR keeps one" } else { "stays" };
    line(&mut out, "data", &format!("{}  ({fate})", stage.config.data.display()));
    line(&mut out, "tables", &format!("{}  (Delta)", stage.config.lake.location));
    for note in &stage.notes {
        line(&mut out, "note", note);
    }
    let _ = writeln!(out, "\nWhat went wrong on purpose:");
    for (ago, text) in traffic.incidents() {
        let _ = writeln!(out, "  {:<15} {text}", since(ago));
    }
    let _ = writeln!(out, "\nAsk, in another terminal:");
    for question in questions::ALL {
        let _ = writeln!(out, "\n  {}\n    {}", question.title, stage.command(question.sql));
    }
    let _ = writeln!(out, "\nPoint an app of your own at it:");
    let _ = writeln!(
        out,
        "    OTEL_EXPORTER_OTLP_ENDPOINT={} OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf opentelemetry-instrument python app.py",
        stage.endpoints.http
    );
    let _ = writeln!(out, "\nThe systems go on. Ctrl-C ends it.\n");
    out
}

fn line(out: &mut String, name: &str, text: &str) {
    let _ = writeln!(out, "  {name:<8} {text}");
}

fn since(ago: Duration) -> String {
    let minutes = ago.as_secs() / 60;
    if minutes < 60 { format!("{minutes} minutes ago") } else { format!("{} hours ago", minutes / 60) }
}
