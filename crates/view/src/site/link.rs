//! The paths of all pages, files and forms: the one place that the server's routes agree with.
//!
//! What is called a form is posted, and has the field `csrf` beside those that are named.

use types::CheckId;
use types::finding::Subject;
use types::{Verdict, Window};

use super::practice::Practice;

pub const OVERVIEW: &str = "/";
pub const SYSTEMS: &str = "/systems";
pub const ALERTS: &str = "/alerts";
pub const EVIDENCE: &str = "/evidence";
/// The whole chain as the lines that `forewarn verify` reads.
pub const EVIDENCE_EXPORT: &str = "/evidence/export.jsonl";
/// Form without fields.
pub const VERIFY: &str = "/evidence/verify";
pub const JOBS: &str = "/jobs";
/// Form: `job`.
pub const RUN_JOB: &str = "/jobs/run";
/// `?q=`.
pub const SEARCH: &str = "/search";
/// Server-sent events named `changed`, whose data are topics parted by spaces: `alerts jobs system:ID`.
pub const EVENTS: &str = "/events";
/// Form: `email`, `password`, `back`.
pub const LOGIN: &str = "/login";
/// Form without fields.
pub const LOGOUT: &str = "/logout";
/// Leads on to the provider: `?back=`.
pub const SINGLE_SIGN_ON: &str = "/login/oidc";
/// Where the provider leads back to.
pub const SIGNED_ON: &str = "/login/oidc/callback";
/// Where somebody whom a provider signed in has signed out.
pub const SIGNED_OUT: &str = "/login/signed-out";
/// Form: `token`, `name`, `email`, `password`.
pub const SETUP: &str = "/setup";
/// Form: `theme`, `back`.
pub const THEME: &str = "/theme";
pub const ACCOUNT: &str = "/settings";
/// Form: `current`, `new`.
pub const PASSWORD: &str = "/settings/password";
/// Form without fields: lets a person at the provider into the reader's account.
pub const LINK: &str = "/settings/link";
/// Form without fields.
pub const SESSIONS_END: &str = "/settings/sessions/end";
/// Page; and form: `name`, `scope` (several), `days`.
pub const TOKENS: &str = "/settings/tokens";
/// Page; and form: `name`, `email`, `role`.
pub const USERS: &str = "/settings/users";
/// Of one user, after [`user`]. Form: `subject`.
pub const USER_LINK: &str = "link";
/// Form: `issuer`, `subject`.
pub const USER_UNLINK: &str = "unlink";
/// Form: `issuer`, `subject`, `follows`.
pub const USER_FOLLOW: &str = "follow";
pub const CHANNELS: &str = "/settings/channels";
pub const AUDIT: &str = "/settings/audit";

pub fn system(id: &str) -> String {
    format!("{SYSTEMS}/{}", encoded(id))
}

/// A tab of a system; the first one is the system's own page.
pub fn tab(id: &str, practice: Practice) -> String {
    match practice {
        Practice::Monitor => system(id),
        _ => format!("{}/{}", system(id), practice.word()),
    }
}

/// The stakeholder view.
pub fn brief(id: &str) -> String {
    format!("{}/brief", system(id))
}

/// A check over time, of one subject where one is given.
pub fn series(id: &str, check: CheckId, subject: Option<&Subject>) -> String {
    let path = format!("{}/checks/{}", system(id), check.name());
    with_query(&path, &[("subject", subject.map(subject_key).unwrap_or_default())])
}

pub fn column(id: &str, name: &str) -> String {
    format!("{}/columns/{}", system(id), encoded(name))
}

pub fn compare(id: &str, a: Option<Window>, b: Option<Window>) -> String {
    let text = |window: Option<Window>| window.map(|window| window.to_string()).unwrap_or_default();
    with_query(&format!("{}/compare", system(id)), &[("a", text(a)), ("b", text(b))])
}

pub fn alert(id: &str) -> String {
    format!("{ALERTS}/{}", encoded(id))
}

/// Form: `note`.
pub fn acknowledge(id: &str) -> String {
    format!("{}/acknowledge", alert(id))
}

/// Form: `hours`, `reason`.
pub fn silence(id: &str) -> String {
    format!("{}/silence", alert(id))
}

/// Ends a silence before its time; form without fields.
pub fn unsilence(id: &str) -> String {
    format!("{}/unsilence", alert(id))
}

pub fn record(system: &str, seq: u64) -> String {
    format!("{EVIDENCE}/{}/{seq}", encoded(system))
}

/// The record's exact line, as it is hashed.
pub fn record_line(system: &str, seq: u64) -> String {
    format!("{}.jsonl", record(system, seq))
}

pub fn evidence_of(system: &str, check: Option<CheckId>, verdict: Option<Verdict>) -> String {
    let check = check.map_or("", CheckId::name).to_owned();
    let verdict = verdict.map_or("", Verdict::word).to_owned();
    with_query(EVIDENCE, &[("system", system.to_owned()), ("check", check), ("verdict", verdict)])
}

/// Form without fields.
pub fn revoke_token(id: &str) -> String {
    format!("{TOKENS}/{}/revoke", encoded(id))
}

/// Page; and form: `role`, `function` (several), `system` (several), `active`.
pub fn user(id: &str) -> String {
    format!("{USERS}/{}", encoded(id))
}

/// Form without fields.
pub fn test_channel(name: &str) -> String {
    format!("{CHANNELS}/{}/test", encoded(name))
}

/// What tells a subject from the others of a check, in a query.
pub fn subject_key(subject: &Subject) -> String {
    match subject {
        Subject::Model => "model".into(),
        Subject::Log => "log".into(),
        Subject::PredictedClass => "predicted-class".into(),
        Subject::Outcome => "outcome".into(),
        Subject::Feature { name, .. } => format!("feature:{name}"),
        Subject::Score { name } => format!("score:{name}"),
        Subject::Column { name } => format!("column:{name}"),
        Subject::Segment { column, value: Some(value) } => format!("segment:{column}={value}"),
        Subject::Segment { column, value: None } => format!("segment:{column}"),
    }
}

/// The page that shows what a finding is about: a column's own page, else the check over time.
pub(super) fn subject(id: &str, check: CheckId, subject: &Subject) -> String {
    match (check, column_of(subject)) {
        (CheckId::Drift, Some(name)) => column(id, name),
        _ => series(id, check, Some(subject)),
    }
}

/// The name under which a subject has a page of its own distribution.
pub fn column_of(subject: &Subject) -> Option<&str> {
    match subject {
        Subject::Feature { name, .. } | Subject::Score { name } | Subject::Column { name } => Some(name),
        Subject::PredictedClass => Some("predicted class"),
        Subject::Outcome => Some("outcome"),
        Subject::Model | Subject::Log | Subject::Segment { .. } => None,
    }
}

/// A path with the parts of its query that say something.
pub fn with_query(path: &str, query: &[(&str, String)]) -> String {
    let said: Vec<String> = query
        .iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| format!("{name}={}", encoded(value)))
        .collect();
    if said.is_empty() { path.to_owned() } else { format!("{path}?{}", said.join("&")) }
}

/// The same page in another format: the ending stands before the query.
pub(super) fn as_format(page: &str, ending: &str, table: Option<&str>) -> String {
    let (path, query) = page.split_once('?').unwrap_or((page, ""));
    let path = if path == OVERVIEW { SYSTEMS } else { path };
    let table = table.map(|name| format!("table={}", encoded(name)));
    let query: Vec<String> =
        [query.to_owned()].into_iter().chain(table).filter(|part| !part.is_empty()).collect();
    if query.is_empty() { format!("{path}.{ending}") } else { format!("{path}.{ending}?{}", query.join("&")) }
}

/// Percent-encoded, fit for a segment of a path and for a query.
fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_leave_their_part_of_a_path() {
        assert_eq!(system("../a b?c#d"), "/systems/..%2Fa%20b%3Fc%23d");
        assert_eq!(
            series(
                "s",
                CheckId::WorstSegment,
                Some(&Subject::Segment { column: "origin".into(), value: Some("J&K".into()) })
            ),
            "/systems/s/checks/evaluate.worst_segment?subject=segment%3Aorigin%3DJ%26K"
        );
    }

    #[test]
    fn a_page_in_another_format_keeps_its_filters() {
        for (page, table, expected) in [
            ("/", None, "/systems.csv"),
            ("/alerts?state=firing", None, "/alerts.csv?state=firing"),
            ("/systems/a", Some("gates"), "/systems/a.csv?table=gates"),
            ("/jobs?x=1", Some("next"), "/jobs.csv?x=1&table=next"),
        ] {
            assert_eq!(as_format(page, "csv", table), expected);
        }
    }
}
