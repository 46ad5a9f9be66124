//! A first definition for a log that nobody has described yet.
//!
//! Roles are guessed from types, values and names, and every guess is written with its reason, so
//! that a person can check it line by line. What is expected of single columns comes from the reference
//! (`expectations`), what is expected of rows from all days (`rows`). Where the reference holds a change, that is said
//! (`reference`).

mod expectations;
mod reference;
mod rows;

use std::path::{Path, PathBuf};

use engine::{Engine, EngineError, EngineOptions, Probe, ProbedColumn};
use jiff::Timestamp;
use stats::sketch::{NumericProfile, Profile};
use types::Window;
use types::column::ColumnKind;
use types::definition::Task;
use types::window::{end_of_day, start_of_day};

/// Different values up to which text is proposed as a segment.
const MOST_SEGMENT_VALUES: f64 = 20.0;
/// What columns of probabilities, of predictions and of outcomes are called.
const SCORE_WORDS: &[&str] = &["score", "prob", "pred", "p_", "yhat"];
const PREDICTED_WORDS: &[&str] = &["pred", "yhat", "forecast", "estimate"];
const OUTCOME_WORDS: &[&str] = &["label", "outcome", "target", "actual", "truth", "y"];
/// Segments that are proposed.
const MOST_SEGMENTS: usize = 3;
/// Free text is at least so long on average, in characters, and so rarely repeated.
const TEXT_CHARACTERS: f64 = 20.0;
const TEXT_DIFFERENT: f64 = 0.8;

/// A definition's text, and the keys for which nothing fitting was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proposal {
    pub text: String,
    pub unguessed: Vec<&'static str>,
    /// What is odd about what is proposed, in sentences.
    pub notes: Vec<String>,
}

/// Looks at the log and proposes a definition that lies in `folder`.
pub fn propose(path: &Path, folder: &Path, task: Task, now: Timestamp) -> Result<Proposal, EngineError> {
    let engine = Engine::new(EngineOptions::default())?;
    let probe = engine.probe(path)?;
    let mut proposal = proposal(&seen_from(folder, path).to_string_lossy(), &probe, task);
    if proposal.unguessed.is_empty() {
        let looked = expectations::proposed(&engine, &proposal.text, folder, now);
        if let Some(changed) = &looked.changed {
            proposal.text = reference::with_comment(&proposal.text, &changed.comment());
            proposal.notes.push(changed.note());
        }
        proposal.text.push_str(&looked.text);
    }
    Ok(proposal)
}

/// A relative path as it reads from another folder; an absolute one stays as it is.
fn seen_from(folder: &Path, path: &Path) -> PathBuf {
    let (Ok(from), Ok(to)) = (std::path::absolute(folder), std::path::absolute(path)) else {
        return path.to_owned();
    };
    let has_parents = |path: &Path| path.components().any(|part| part == std::path::Component::ParentDir);
    if path.is_absolute() || has_parents(&from) || has_parents(&to) {
        return if path.is_absolute() || folder.as_os_str().is_empty() { path.to_owned() } else { to };
    }
    let shared = from.components().zip(to.components()).take_while(|(a, b)| a == b).count();
    let up = from.components().skip(shared).map(|_| "..");
    up.map(PathBuf::from)
        .chain(to.components().skip(shared).map(|part| PathBuf::from(part.as_os_str())))
        .collect()
}

fn proposal(path: &str, probe: &Probe, task: Task) -> Proposal {
    let roles = Roles::guess(probe, task);
    let mut unguessed = Vec::new();
    let mut text = format!(
        "# Proposed by forewarn after a look at {} and {}.\n\
         # Check every line; `forewarn check` uses it as it stands.\n\n\
         [system]\nid = {}\n# name = \"…\"\n# purpose = \"…\"\n# owner = \"…\"\n\
         # tier = \"limited\"    # prohibited | high | limited | minimal (EU AI Act)\n\n\
         [model]\nversion = \"1\"\ntask = \"{}\"\n\n[log]\npath = {}\n",
        types::format::counted(probe.rows, "row", "rows"),
        types::format::counted(probe.columns.len() as u64, "column", "columns"),
        quoted(&system_id(path)),
        task.name(),
        quoted(path),
    );
    let mut role = |key: &'static str, guess: Option<(&str, String)>| {
        if let Some((column, why)) = guess {
            text.push_str(&format!("{key} = {}    # {why}\n", quoted(column)));
        } else {
            text.push_str(&format!("{key} = \"\"    # nothing fitting was found: name the column\n"));
            unguessed.push(key);
        }
    };
    if let Some(id) = roles.id {
        role("id", Some((id, "different on every row; every window is checked for ids that repeat".into())));
    }
    role("time", roles.time.clone());
    match task {
        Task::Binary => role("score", roles.score.clone()),
        Task::Regression => role("predicted", roles.predicted.clone()),
        Task::Multiclass if roles.scores.len() < 2 => {
            text.push_str("scores = { }    # nothing fitting was found: name a column for each class\n");
            unguessed.push("scores");
        }
        Task::Multiclass => {
            text.push_str(&format!("{}\n", scores_line(&roles.scores)));
            if let Some((column, why)) = &roles.predicted {
                text.push_str(&format!("predicted = {}    # {why}\n", quoted(column)));
            }
        }
    }
    match &roles.outcome {
        Some((column, why)) => text.push_str(&format!("outcome = {{ column = {} }}    # {why}\n", quoted(column))),
        None => text.push_str(
            "# outcome = { path = \"outcomes/*.parquet\", id = \"id\", column = \"label\", time = \"known_at\" }\n\
             # No column looks like the outcome. Without outcomes drift is measured, performance is not.\n",
        ),
    }
    text.push_str(&list_line("segments", &roles.segments, "few different values"));
    text.push_str(&list_line("text", &roles.text, "long values with spaces, nearly all different"));
    text.push_str(&list_line("ignore", &roles.ignored, "the same value on every row"));
    text.push_str(&reference_lines(&roles));
    if roles.range.is_none() {
        unguessed.push("reference.window");
    }
    text.push_str(&format!(
        "\n# [[source]]                # which upstream feed features come from\n# name = \"…\"\n# features = [\"…\"]\n\n\
         [evaluate]\n{}\n\
         [gate.deploy]\nneeds = [\"evaluate.*\", \"monitor.quality\"]\n",
        evaluate_lines(task)
    ));
    Proposal { text, unguessed, notes: Vec::new() }
}

/// `scores = { EWR = "p_EWR", JFK = "p_JFK" }`: the class is what follows the words that all names share.
fn scores_line(columns: &[&str]) -> String {
    let first = columns.first().copied().unwrap_or_default();
    let ends_of_words = first.char_indices().filter(|(_, letter)| !letter.is_alphanumeric());
    let shared = ends_of_words
        .map(|(at, letter)| at + letter.len_utf8())
        .rfind(|&end| columns.iter().all(|column| column.get(..end) == first.get(..end)))
        .unwrap_or(0);
    let class = |column: &str| match &column[shared..] {
        "" => quoted(column),
        class => quoted(class),
    };
    let pairs: Vec<String> =
        columns.iter().map(|column| format!("{} = {}", class(column), quoted(column))).collect();
    format!(
        "scores = {{ {} }}    # numbers between 0 and 1; check that the classes are named as in the outcome",
        pairs.join(", ")
    )
}

fn evaluate_lines(task: Task) -> &'static str {
    match task {
        Task::Binary => {
            "# performance = { metric = \"roc_auc\", at_least = 0.7, max_drop = 0.05 }\n\
             # worst_segment = { metric = \"roc_auc\", at_least = 0.65 }\ncalibration = { ece_at_most = 0.05 }\n"
        }
        Task::Multiclass => {
            "# performance = { metric = \"macro_f1\", at_least = 0.7, max_drop = 0.05 }\n\
             # worst_segment = { metric = \"macro_f1\", at_least = 0.6 }\ncalibration = { ece_at_most = 0.05 }\n"
        }
        Task::Regression => {
            "# performance = { metric = \"mae\", max_drop = 0.1 }    # a tenth worse than in the reference\n\
             # worst_segment = { metric = \"mae\", at_most = 10.0 }\n"
        }
    }
}

/// What each column seems to be for, with the reason.
#[derive(Debug, Default)]
struct Roles<'a> {
    id: Option<&'a str>,
    time: Option<(&'a str, String)>,
    /// First and last instant of the time column.
    range: Option<(Timestamp, Timestamp)>,
    score: Option<(&'a str, String)>,
    /// Of several classes.
    scores: Vec<&'a str>,
    /// A class or a number.
    predicted: Option<(&'a str, String)>,
    outcome: Option<(&'a str, String)>,
    segments: Vec<&'a str>,
    ignored: Vec<&'a str>,
    text: Vec<&'a str>,
}

impl<'a> Roles<'a> {
    fn guess(probe: &'a Probe, task: Task) -> Self {
        let best = |fits: &dyn Fn(&ProbedColumn) -> bool, words: &[&str]| -> Option<&'a ProbedColumn> {
            let fitting = || probe.columns.iter().filter(|column| fits(column));
            // The first with a telling name, else the last, where outputs usually stand.
            fitting().find(|column| named_like(column, words)).or_else(|| fitting().last())
        };
        let time = probe.columns.iter().find(|column| column.column.kind == ColumnKind::Time);
        let called_score = |column: &&ProbedColumn| is_unit(column) && named_like(column, SCORE_WORDS);
        // Few rows may hold few scores; then the name has to do.
        let score = best(&is_share, SCORE_WORDS)
            .or_else(|| probe.columns.iter().find(called_score))
            .filter(|_| task == Task::Binary);
        let scores: Vec<&str> = match task {
            Task::Multiclass => probe.columns.iter().filter(called_score).map(name).collect(),
            Task::Binary | Task::Regression => Vec::new(),
        };
        // What only a name can tell is not taken from the type alone.
        let called = |fits: &dyn Fn(&ProbedColumn) -> bool, words: &[&str]| {
            probe.columns.iter().find(|column| fits(column) && named_like(column, words))
        };
        let is_number = |column: &ProbedColumn| {
            column.column.kind == ColumnKind::Numeric && !is_constant(column, probe.rows)
        };
        let is_category = |column: &ProbedColumn| column.column.kind == ColumnKind::Categorical;
        let predicted = match task {
            Task::Binary => None,
            Task::Multiclass => called(&is_category, PREDICTED_WORDS),
            Task::Regression => called(&is_number, PREDICTED_WORDS),
        };
        let is_output = |column: &ProbedColumn| {
            let named = score.into_iter().chain(predicted).map(name);
            scores.iter().copied().chain(named).any(|output| output == name(column))
        };
        let outcome = match task {
            Task::Binary => best(&|column| is_binary(column) && !is_output(column), OUTCOME_WORDS)
                .or_else(|| called(&|column| is_unit(column) && !is_output(column), OUTCOME_WORDS)),
            Task::Multiclass => called(&|column| is_category(column) && !is_output(column), OUTCOME_WORDS),
            Task::Regression => called(&|column| is_number(column) && !is_output(column), OUTCOME_WORDS),
        };
        let outcome_why = if task == Task::Binary { "only 0 and 1" } else { "told from its name" };
        let id = probe
            .columns
            .iter()
            .find(|column| is_unique(column, probe.rows) && named_like(column, &["id", "key", "uuid"]));
        let taken = |column: &ProbedColumn| {
            is_output(column)
                || outcome.is_some_and(|outcome| name(outcome) == name(column))
                || id.is_some_and(|id| name(id) == name(column))
        };
        let free = || probe.columns.iter().filter(|column| !taken(column));
        Self {
            id: id.map(name),
            time: time.map(|column| (name(column), "the first column of instants".to_owned())),
            range: time.and_then(|column| column.range),
            score: score.map(|column| (name(column), "numbers between 0 and 1".to_owned())),
            predicted: predicted.map(|column| (name(column), "told from its name".to_owned())),
            outcome: outcome.map(|column| (name(column), outcome_why.to_owned())),
            segments: free().filter(|column| is_segment(column)).map(name).take(MOST_SEGMENTS).collect(),
            ignored: free().filter(|column| is_constant(column, probe.rows)).map(name).collect(),
            text: free().filter(|column| is_text(column)).map(name).collect(),
            scores,
        }
    }
}

fn name(column: &ProbedColumn) -> &str {
    &column.column.name
}

fn named_like(column: &ProbedColumn, words: &[&str]) -> bool {
    let name = column.column.name.to_lowercase();
    words.iter().any(|word| {
        if word.len() <= 2 {
            name.split('_').any(|part| part == word.trim_end_matches('_'))
        } else {
            name.contains(word)
        }
    })
}

fn numbers(column: &ProbedColumn) -> Option<&NumericProfile> {
    match &column.profile {
        Some(Profile::Numeric(profile)) if profile.present() > 0 => Some(profile),
        _ => None,
    }
}

fn is_share(column: &ProbedColumn) -> bool {
    is_unit(column) && numbers(column).is_some_and(|profile| profile.ecdf().distinct() > 2)
}

/// Whether all numbers lie in [0, 1].
fn is_unit(column: &ProbedColumn) -> bool {
    numbers(column).is_some_and(|profile| {
        let ecdf = profile.ecdf();
        ecdf.min().is_some_and(|min| min >= 0.0) && ecdf.max().is_some_and(|max| max <= 1.0)
    })
}

fn is_binary(column: &ProbedColumn) -> bool {
    if column.column.type_name == "Boolean" {
        return true;
    }
    numbers(column).is_some_and(|profile| profile.ecdf().points().map(|(value, _)| value).eq([0.0, 1.0]))
}

fn is_unique(column: &ProbedColumn, rows: u64) -> bool {
    let looked_at = column.profile.as_ref().map_or(0, Profile::rows).min(rows);
    let different = different_values(column);
    // Beyond the exact cap the count of different values is an estimate.
    looked_at > 1 && different >= 0.95 * looked_at as f64
}

fn different_values(column: &ProbedColumn) -> f64 {
    match &column.profile {
        Some(Profile::Numeric(profile)) => profile.ecdf().distinct() as f64,
        Some(Profile::Categorical(profile)) => profile.values.distinct(),
        Some(Profile::Text(_) | Profile::Embedding(_)) | None => 0.0,
    }
}

fn is_segment(column: &ProbedColumn) -> bool {
    column.column.kind == ColumnKind::Categorical
        && (2.0..=MOST_SEGMENT_VALUES).contains(&different_values(column))
}

/// Whether people seem to have written the values: long, of several words, nearly all different.
fn is_text(column: &ProbedColumn) -> bool {
    let Some(Profile::Categorical(profile)) = &column.profile else { return false };
    let (mut characters, mut with_spaces, mut rows) = (0.0, 0.0, 0.0);
    for (value, count) in profile.values.most_frequent() {
        let count = count as f64;
        rows += count;
        characters += value.chars().count() as f64 * count;
        with_spaces += if value.trim().contains(char::is_whitespace) { count } else { 0.0 };
    }
    rows > 0.0
        && characters >= TEXT_CHARACTERS * rows
        && 2.0 * with_spaces > rows
        && different_values(column) >= TEXT_DIFFERENT * profile.values.n() as f64
}

/// Of one row nothing can be told.
fn is_constant(column: &ProbedColumn, rows: u64) -> bool {
    rows > 1 && column.profile.is_some() && different_values(column) <= 1.0
}

fn system_id(path: &str) -> String {
    let stem =
        Path::new(path).file_stem().map(|stem| stem.to_string_lossy().to_lowercase()).unwrap_or_default();
    let id: String = stem.chars().map(|c| if c.is_alphanumeric() { c } else { '-' }).collect();
    let id = id.trim_matches('-').to_owned();
    if id.is_empty() { "system".into() } else { id }
}

fn list_line(key: &str, columns: &[&str], why: &str) -> String {
    if columns.is_empty() {
        return String::new();
    }
    let names: Vec<String> = columns.iter().map(|column| quoted(column)).collect();
    format!("{key} = [{}]    # {why}\n", names.join(", "))
}

/// The first 60 % of the log's days, which are taken for the time before the window; all of a log of one day.
fn reference_window((first, last): (Timestamp, Timestamp)) -> Option<(Window, &'static str)> {
    let (first, last) = (start_of_day(first), end_of_day(last));
    let seconds = (last.as_second() - first.as_second()) * 3 / 5;
    let to = start_of_day(Timestamp::from_second(first.as_second() + seconds).ok()?);
    let most =
        Window::new(first, to).map(|most| (most, "the first 60 % of the log; better: the training period"));
    let all = "all of the log so far; fill in the period that new data is compared against";
    most.or_else(|_| Window::new(first, last).map(|whole| (whole, all))).ok()
}

fn reference_lines(roles: &Roles<'_>) -> String {
    match roles.range.and_then(reference_window) {
        Some((window, why)) => format!("\n[reference]\nwindow = \"{window}\"    # {why}\n"),
        None => "\n[reference]\nwindow = \"2013-01-01/2013-05-01\"    # an example: fill in the period that new data is compared against\n".into(),
    }
}

/// A TOML string.
fn quoted(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len() + 2);
    for character in text.chars() {
        match character {
            '"' => escaped.push_str("\\\""),
            '\\' => escaped.push_str("\\\\"),
            control if control.is_control() => escaped.push_str(&format!("\\u{:04X}", u32::from(control))),
            other => escaped.push(other),
        }
    }
    format!("\"{escaped}\"")
}
