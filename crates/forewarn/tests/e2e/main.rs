//! The program from outside: the real binary, in folders of its own, judged by its exit status and
//! by what it prints and writes.
//!
//! [`fixture`] has the folder and a small log that is the same on every machine. The other modules
//! hold one topic each; what a single function promises is tested beside that function instead.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod alert_alertmanager;
mod alert_mail;
mod alert_test;
mod alert_webhooks;
mod api;
mod bad_definition;
mod bad_input;
mod browser;
mod checks;
mod columns;
mod drift_method;
mod evaluate;
mod evidence;
mod expectations;
mod faults;
mod fixture;
mod flights;
mod formats;
mod guard;
mod init;
mod metrics;
mod monitoring;
mod object_store;
mod oidc;
mod outcomes;
mod parts;
#[expect(dead_code, reason = "what only the suite of the store needs")]
#[path = "../../../store/tests/suite/postgres.rs"]
mod postgres;
mod python_package;
mod refusals;
mod serve;
#[path = "../../../serving/tests/serving/parts.rs"]
mod serving_parts;
mod stress;
mod stress_load;
mod stress_manipulation;
mod tasks;
mod trace;
mod two_servers;
