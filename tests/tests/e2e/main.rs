//! The whole way of a record, driven from outside. One binary; the modules in the order of a newcomer's questions.
#![expect(clippy::expect_used, clippy::panic, reason = "a test that fails must panic")]

mod accuracy; // what redact finds, and how seldom it is wrong, on corpora from a fresh seed
mod apps; // Flask and FastAPI with the real SDK, to rows, money and views
mod browser; // a page in Chromium and its backend: sessions, clicks and errors from another origin
mod captures; // what real SDKs sent, replayed as protobuf and as JSON, value by value
mod day; // a simulated day: few files, flat commits, quick questions
mod demo; // `marquetry demo` answers its own questions, leaks nothing and leaves nothing behind
mod deployed; // every configuration under deploy/ is accepted
mod dialects; // one model call as every library tells it: the same columns, counted once
mod directory; // who is behind a pseudonym: found by three letters, encrypted on disk, every look-up put down
mod django; // Django with its own auth, names old and new, over HTTP and gRPC
mod doctor; // a finding for every fault that was planted, none where all is well, and the lines that mend it
mod durable; // kill -9 at random instants: what was acknowledged is there, once
mod encrypt; // values encrypted for erasure: tokens in the lake, opened by who may, on no disk in clear
mod express; // Express with OpenAI, as JSON and as protobuf
mod foreign; // Python's Delta readers agree with our SQL on every count
mod lookups; // files with plans, bans and places, and what happens when they change
mod prices; // what a call costs, from its span to its row, and `marquetry prices`
mod privacy; // planted secrets and personal values, looked for in everything that was written
mod pseudonym; // rotated keys: one command names a person in rows of every key id
mod questions; // every view and table answers, in every format
mod readme; // every command of the README runs
mod sampled; // a tenth of the traces: views say what all would have said, every error is there
mod senders; // what senders are told, and how soon a row is visible
mod sql; // rules in SQL drop and set, and the seal stands behind them
mod systems; // the five systems: tables and their own views, value by value
mod telemetry; // own metrics add up and agree with SQL, own spans and log lines reach another process
mod writers; // two writers on one lake, in a folder and on a real S3 server
