//! What the definition expects of columns: one finding for each `[[expect]]` table, kept or broken.

use stats::sketch::Profile;
use types::column::{Column, ColumnKind};
use types::definition::{Expectation, Holds, OnBreach};
use types::finding::{Threshold, Unmeasured};
use types::format::{self, counted, percent, value};
use types::nearest::listed;
use types::question::Measured;
use types::{Answers, Finding, Measure, Question, Schema, Verdict, Window};

use super::{column_subject, finding};
use crate::{Scope, is_measured};

/// Values that a sentence names before it counts.
const VALUES_NAMED: usize = 5;

/// What it takes to hold a window against an expectation.
pub(super) fn questions(expected: &Expectation, schema: &Schema, window: Window) -> Vec<Question> {
    let values =
        schema.column(&expected.column).and_then(|column| profile_question(expected, column, window));
    let ids = expected.unique.then(|| identity_question(expected, window));
    values.into_iter().chain(ids).collect()
}

fn profile_question(expected: &Expectation, column: &Column, window: Window) -> Option<Question> {
    let of = Measured::Column { name: column.name.clone() };
    let is_asked = expected.is_about_values() && is_measured(column.kind);
    is_asked.then_some(Question::Profile { of, kind: column.kind, window })
}

fn identity_question(expected: &Expectation, window: Window) -> Question {
    Question::Identity { column: expected.column.clone(), window }
}

pub(super) fn findings(scope: Scope<'_>, answers: &Answers) -> Vec<Finding> {
    scope.definition.expect.iter().map(|expected| held_against(scope, expected, answers)).collect()
}

/// One thing that is expected of a column: what came of it.
#[derive(Clone, Debug)]
pub(super) struct Part {
    /// The key of the definition.
    pub(super) key: &'static str,
    pub(super) state: State,
    measure: Option<Measure>,
    limit: Option<(Option<f64>, Option<f64>)>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// As a part of a sentence.
    Kept(String),
    Broken(String),
    Unknown(String),
}

impl Part {
    fn new(key: &'static str, state: State) -> Self {
        Self { key, state, measure: None, limit: None }
    }
}

/// Holds a window against everything that is expected of a column.
pub(super) fn parts(expected: &Expectation, schema: &Schema, window: Window, answers: &Answers) -> Vec<Part> {
    let Some(column) = schema.column(&expected.column) else { return Vec::new() };
    let profile = profile_question(expected, column, window).and_then(|question| answers.profile(&question));
    let mut parts = Vec::new();
    parts.extend(expected.holds.map(|holds| type_part(holds, column)));
    if expected.min.is_some() || expected.max.is_some() {
        parts.push(range_part(expected, profile));
    }
    parts.extend(expected.allowed.as_deref().map(|allowed| allowed_part(allowed, profile)));
    parts.extend(expected.max_missing.map(|most| missing_part(most, profile)));
    if expected.unique {
        parts.push(unique_part(answers, &identity_question(expected, window)));
    }
    parts
}

fn type_part(holds: Holds, column: &Column) -> Part {
    let is_kept = column.kind == holds.kind() || column.is_empty();
    let state = if is_kept {
        State::Kept(format!("{} as expected", if holds == Holds::Number { "numbers" } else { "text" }))
    } else {
        State::Broken(format!(
            "it holds {}, not {}",
            column.kind_words(),
            if holds == Holds::Number { "numbers" } else { "text" }
        ))
    };
    Part::new("type", state)
}

fn no_value(profile: Option<&Profile>) -> State {
    State::Unknown(match profile {
        Some(profile) if profile.rows() > 0 => "it has no value in this window".into(),
        Some(_) => "the window has no rows".into(),
        None => "the column was not measured".into(),
    })
}

fn range_part(expected: &Expectation, profile: Option<&Profile>) -> Part {
    const KEY: &str = "range";
    let (least, most) = (expected.min.unwrap_or(f64::NEG_INFINITY), expected.max.unwrap_or(f64::INFINITY));
    let profile = match profile {
        Some(Profile::Numeric(numbers)) if numbers.present() > 0 => numbers,
        Some(Profile::Categorical(text)) if text.values.n() > 0 => {
            return Part::new(KEY, State::Unknown("it holds text, which has no range".into()));
        }
        other => return Part::new(KEY, no_value(other)),
    };
    let ecdf = profile.ecdf();
    let (smallest, largest) = (ecdf.min().unwrap_or(f64::NAN), ecdf.max().unwrap_or(f64::NAN));
    let is_kept = smallest >= least && largest <= most;
    // The extremes are exact; how many rows lie beyond a limit may be off in a sketch.
    let outside = if is_kept { 0 } else { (ecdf.count_lt(least) + ecdf.n() - ecdf.count_le(most)).max(1) };
    let share = outside as f64 / ecdf.n() as f64;
    let range = match (expected.min, expected.max) {
        (Some(min), Some(max)) => format!("{} to {}", value(min), value(max)),
        (Some(min), None) => format!("at least {}", value(min)),
        (None, Some(max)) => format!("at most {}", value(max)),
        (None, None) => String::new(),
    };
    let seen = format!("{} to {}", value(smallest), value(largest));
    let state = if is_kept {
        State::Kept(format!("values from {seen} ({range} expected)"))
    } else {
        State::Broken(format!(
            "{} of {} lie outside of {range} (they run from {seen})",
            format::count(outside),
            counted(ecdf.n(), "value", "values")
        ))
    };
    let mut measure =
        Measure::new("outside_range_share", share, ecdf.n(), "share of values outside of the expected range");
    measure.error_bound = if is_kept { 0.0 } else { ecdf.rank_error_share() };
    Part { measure: Some(measure), limit: Some((expected.min, expected.max)), ..Part::new(KEY, state) }
}

fn allowed_part(allowed: &[String], profile: Option<&Profile>) -> Part {
    const KEY: &str = "allowed";
    let profile = match profile {
        Some(Profile::Categorical(text)) if text.values.n() > 0 => text,
        Some(Profile::Numeric(numbers)) if numbers.present() > 0 => {
            return Part::new(KEY, State::Unknown("it holds numbers, not text".into()));
        }
        other => return Part::new(KEY, no_value(other)),
    };
    let values = &profile.values;
    let n = values.n();
    let known: u64 = allowed.iter().map(|value| values.count(value)).sum();
    let most_known = (known + allowed.len() as u64 * values.count_error()).min(n);
    let (least_other, most_other) = (n - most_known, n - known.min(n));
    let share = most_other as f64 / n as f64;
    let others: Vec<&str> = values
        .most_frequent()
        .into_iter()
        .map(|(value, _)| value)
        .filter(|value| !allowed.iter().any(|allowed| allowed == value))
        .collect();
    let state = if most_other == 0 {
        State::Kept(format!("no value other than the {} allowed", format::count(allowed.len() as u64)))
    } else if least_other > 0 || !others.is_empty() {
        State::Broken(format!(
            "{} of {} hold a value that is not allowed ({})",
            format::count(most_other),
            counted(n, "row", "rows"),
            listed(others, VALUES_NAMED)
        ))
    } else {
        State::Unknown("it has more different values than are counted exactly".into())
    };
    let mut measure = Measure::new("not_allowed_share", share, n, "share of values that are not allowed");
    measure.error_bound = (most_other - least_other) as f64 / n as f64;
    Part { measure: Some(measure), limit: Some((None, Some(0.0))), ..Part::new(KEY, state) }
}

fn missing_part(most: f64, profile: Option<&Profile>) -> Part {
    const KEY: &str = "max_missing";
    let Some(profile) = profile.filter(|profile| profile.rows() > 0) else {
        return Part::new(KEY, no_value(profile));
    };
    let share = profile.missing() as f64 / profile.rows() as f64;
    let said = format!("{} missing ({} allowed)", percent(share), percent(most));
    let state = if share <= most { State::Kept(said) } else { State::Broken(said) };
    let measure = Measure::new("missing_share", share, profile.rows(), "share of rows, all counted");
    Part { measure: Some(measure), limit: Some((None, Some(most))), ..Part::new(KEY, state) }
}

fn unique_part(answers: &Answers, question: &Question) -> Part {
    const KEY: &str = "unique";
    let Some(identity) = answers.identity(question).filter(|identity| identity.rows > 0) else {
        return Part::new(KEY, State::Unknown("the window has no rows".into()));
    };
    let share = identity.surplus_rows as f64 / identity.rows as f64;
    let state = if identity.surplus_rows == 0 {
        State::Kept("every value on one row".into())
    } else {
        State::Broken(format!(
            "{} on more than one row ({} too many)",
            counted(identity.repeated_ids, "value stands", "values stand"),
            counted(identity.surplus_rows, "row", "rows")
        ))
    };
    let measure = Measure::new("repeated_share", share, identity.rows, "share of rows, all counted");
    Part { measure: Some(measure), limit: Some((None, Some(0.0))), ..Part::new(KEY, state) }
}

fn held_against(scope: Scope<'_>, expected: &Expectation, answers: &Answers) -> Finding {
    let name = &expected.column;
    let parts = parts(expected, scope.schema, scope.window, answers);
    let of = |wanted: fn(&State) -> Option<&String>| -> Vec<&str> {
        parts.iter().filter_map(|part| wanted(&part.state)).map(String::as_str).collect()
    };
    let kept = of(|state| if let State::Kept(said) = state { Some(said) } else { None });
    let broken = of(|state| if let State::Broken(said) = state { Some(said) } else { None });
    let unknown = of(|state| if let State::Unknown(said) = state { Some(said) } else { None });
    let (verdict, summary) = if !broken.is_empty() {
        let verdict = match expected.on_breach {
            OnBreach::Fail => Verdict::Fail,
            OnBreach::Warn => Verdict::Warn,
        };
        let rest = if kept.is_empty() { "" } else { " What else is expected of it holds." };
        (verdict, format!("`{name}` is not as expected: {}.{rest}", broken.join("; ")))
    } else if unknown.is_empty() {
        (Verdict::Pass, format!("`{name}` is as expected: {}.", kept.join(", ")))
    } else {
        (Verdict::Unknown, format!("Whether `{name}` is as expected is not known: {}.", unknown[0]))
    };
    let measures = parts.iter().filter_map(|part| part.measure.clone()).collect();
    let mut finding = finding(scope, column_subject(scope, name), verdict, summary, measures);
    for part in &parts {
        if let State::Unknown(reason) = &part.state {
            finding.unmeasured.push(Unmeasured { name: part.key.into(), reason: reason.clone() });
        }
        if let Some((at_least, at_most)) = part.limit {
            let measure = if part.key == "range" { name.clone() } else { measure_name(part) };
            let from = format!("expect.{name}.{}", if part.key == "range" { "min, max" } else { part.key });
            finding.thresholds.push(Threshold { measure, at_least, at_most, from });
        }
    }
    finding
}

fn measure_name(part: &Part) -> String {
    part.measure.as_ref().map(|measure| measure.name.clone()).unwrap_or_default()
}

/// What a column of this kind is expected to hold.
pub(super) fn holds(kind: ColumnKind) -> Option<Holds> {
    match kind {
        ColumnKind::Numeric => Some(Holds::Number),
        ColumnKind::Categorical | ColumnKind::Text => Some(Holds::Text),
        ColumnKind::Embedding | ColumnKind::Time | ColumnKind::Other => None,
    }
}
