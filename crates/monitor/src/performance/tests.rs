//! Harm and attribution on generated days and rows whose truth is known.

use stats::labelled_scores::LabelledScores;
use stats::multiclass::{ClassifiedRows, KeptRow};
use stats::regression::PredictionErrors;
use types::answer::{Coverage, DayLosses, SampledColumn, SampledValues, ScoredGroup};
use types::cases::{Cases, Outputs};
use types::column::{Column, ColumnKind, Schema};
use types::definition::{Output, Source, Task};
use types::finding::{Attribution, Sequential};
use types::outcomes::{TaskGroup, TaskOutcomes};
use types::question::Exactly;
use types::{Answer, Answers, Definition, Detail, Finding, Question, Verdict, Window, definition};

use super::{PerformanceScope, attribution, explain, judge, plan_explanation};
use crate::History;
use crate::generated::Seeded;

const DEFINITION: &str = r#"
[log]
path = "log.parquet"
time = "t"
score = "p"
features = ["rain", "wind", "seats", "price"]
outcome = { column = "y" }
[reference]
window = "2013-01-01/2013-05-01"
[[source]]
name = "weather"
features = ["rain", "wind"]
[[source]]
name = "planes"
features = ["seats"]
"#;
const REFERENCE_DAYS: i64 = 120;

fn defined(more: &str) -> Definition {
    definition::parse(&format!("{DEFINITION}{more}")).unwrap()
}

/// The same system with another task.
fn defined_as(task: Task, more: &str) -> Definition {
    let output = match task {
        Task::Binary => "score = \"p\"",
        Task::Multiclass => "scores = { low = \"p\", middle = \"q\", high = \"r\" }",
        Task::Regression => "predicted = \"p\"",
    };
    let text = DEFINITION.replace("score = \"p\"", output);
    definition::parse(&format!("{text}[model]\ntask = \"{}\"\n{more}", task.name())).unwrap()
}

fn schema() -> Schema {
    let column = |name: &str, kind| Column { name: name.into(), kind, type_name: "Float64".into() };
    let numeric = ["p", "y", "rain", "wind", "seats", "price"].map(|name| column(name, ColumnKind::Numeric));
    Schema { columns: [vec![column("t", ColumnKind::Time)], numeric.to_vec()].concat() }
}

fn month(text: &str) -> Window {
    text.parse().unwrap()
}

const MAY: &str = "2013-05-01/2013-06-01";
const JUNE: &str = "2013-06-01/2013-07-01";
const JULY: &str = "2013-07-01/2013-08-01";

/// Answers about a window: scores with outcomes of which a share is wrong, and days.
struct Told {
    wrong: u64,
    coverage: f64,
    days: Vec<DayLosses>,
}

/// Days of 100 rows each with that many wrong ones; a wrong row loses 0.64, another 0.04.
fn days(wrong: impl IntoIterator<Item = u64>) -> Vec<DayLosses> {
    let day = |(day, wrong): (usize, u64)| DayLosses {
        day: day as i64,
        rows: 100,
        graded: wrong as f64 * 0.64 + (100 - wrong) as f64 * 0.04,
        wrong,
    };
    wrong.into_iter().enumerate().map(day).collect()
}

/// From 18 to 22 wrong rows a day.
fn usual_days(count: i64) -> Vec<DayLosses> {
    days((0..count).map(|day| (18 + day * 7 % 5) as u64))
}

fn reference() -> Told {
    Told { wrong: 2400, coverage: 1.0, days: usual_days(REFERENCE_DAYS) }
}

fn tell(definition: &Definition, answers: &mut Answers, window: Window, told: &Told) {
    let (rows, wrong) = (12_000, told.wrong);
    let of_task = |outcomes| Answer::TaskOutcomes(vec![TaskGroup { value: None, outcomes, invalid: 0 }]);
    let scored = match definition.log.output() {
        // Scores of 0.2 and 0.8, of which the wrong share is the same.
        Output::Score(_) => {
            let half = |count: u64| count / 2;
            let points = vec![(0.2, half(wrong), half(rows - wrong)), (0.8, half(rows - wrong), half(wrong))];
            let scores = LabelledScores::from_counts(points, None).unwrap();
            Answer::ScoredOutcomes(vec![ScoredGroup { value: None, scores, invalid_scores: 0 }])
        }
        Output::Probabilities { .. } => {
            let mut classified = ClassifiedRows::new(3, None);
            classified.extend((0..rows).map(|row| {
                let predicted = (row % 3) as usize;
                let outcome = if row < wrong { (predicted + 1) % 3 } else { predicted };
                let mut probabilities = vec![0.1; 3];
                probabilities[predicted] = 0.8;
                KeptRow { hash: row, outcome, predicted, probabilities }
            }));
            of_task(TaskOutcomes::Multiclass(classified))
        }
        // Errors of 10, and of 40 where a row is wrong.
        Output::Number(_) => {
            let error = |row| if row < wrong { 40.0 } else { 10.0 };
            let errors = PredictionErrors::of((0..rows).map(|row| (100.0, 100.0 + error(row))));
            of_task(TaskOutcomes::Regression(errors))
        }
    };
    answers.insert(Question::ScoredOutcomes { by: None, window }, scored);
    let with_outcome = (rows as f64 * told.coverage) as u64;
    let coverage = Coverage { predictions: rows, with_outcome, ..Coverage::default() };
    answers.insert(Question::Coverage { orphans: false, window }, Answer::Coverage(coverage));
    let largest_error = definition.monitor.performance.largest_error.map(Exactly::from);
    answers.insert(Question::DailyLosses { largest_error, window }, Answer::DailyLosses(told.days.clone()));
    let profile = stats::sketch::NumericProfile::new(stats::sketch::Fidelity::Exact);
    let profile = Answer::Profile(stats::sketch::Profile::Numeric(profile));
    answers.insert(Question::Delays { window }, profile);
}

fn judged(definition: &Definition, window: &str, told: &Told, history: &History) -> Finding {
    let schema = schema();
    let window = month(window);
    let scope = PerformanceScope {
        definition,
        schema: &schema,
        window,
        as_of: "2014-01-01T00:00:00Z".parse().unwrap(),
        history,
    };
    let mut answers = Answers::default();
    tell(definition, &mut answers, definition.reference.window, &reference());
    tell(definition, &mut answers, window, told);
    judge(scope, &answers, &mut Seeded(1)).unwrap()
}

#[test]
fn outcomes_that_contradict_each_other_are_counted_and_it_is_said_which_one_counts() {
    let text = DEFINITION.replace("{ column = \"y\" }", "{ column = \"y\", time = \"known\" }");
    let definition: Definition = definition::parse(&text).unwrap();
    let (schema, window) = (schema(), month(MAY));
    let scope = PerformanceScope {
        definition: &definition,
        schema: &schema,
        window,
        as_of: "2014-01-01T00:00:00Z".parse().unwrap(),
        history: &History::default(),
    };
    let mut answers = Answers::default();
    tell(&definition, &mut answers, definition.reference.window, &reference());
    tell(&definition, &mut answers, window, &usual(31));
    let coverage = Coverage {
        predictions: 12_000,
        with_outcome: 12_000,
        contradictory_outcomes: 7,
        undecided_outcomes: 2,
        ..Coverage::default()
    };
    answers.insert(Question::Coverage { orphans: false, window }, Answer::Coverage(coverage));
    let finding = judge(scope, &answers, &mut Seeded(1)).unwrap();
    assert_eq!(finding.verdict, Verdict::Warn, "{}", finding.summary);
    assert_eq!(finding.measure("contradictory_outcomes").unwrap().value, 7.0);
    let said = "7 predictions have outcomes that contradict each other, 2 of them known at the same instant, so that none corrects the other; the latest known one counts, of those known at the same instant the positive one";
    assert!(finding.summary.contains(said), "{}", finding.summary);
}

/// Judges windows one after the other, each knowing those before it.
fn series(definition: &Definition, windows: &[(&str, Told)]) -> Vec<Finding> {
    let mut history = History::default();
    let mut findings = Vec::new();
    for (window, told) in windows {
        let finding = judged(definition, window, told, &history);
        history.add(definition.monitor.performance.every, &finding);
        findings.push(finding);
    }
    findings
}

fn bet(finding: &Finding) -> &Sequential {
    finding.sequential.as_ref().unwrap_or_else(|| panic!("{finding:#?}"))
}

fn tolerated(finding: &Finding) -> f64 {
    let limit = finding.thresholds.iter().find(|limit| limit.measure == "mean_daily_loss");
    limit.and_then(|limit| limit.at_most).unwrap_or_else(|| panic!("{finding:#?}"))
}

fn usual(days: i64) -> Told {
    Told { wrong: 2400, coverage: 1.0, days: usual_days(days) }
}

/// Days of twice as many wrong rows as usual.
fn bad(count: i64) -> Told {
    Told { wrong: 4800, coverage: 1.0, days: days((0..count).map(|day| (38 + day * 7 % 5) as u64)) }
}

#[test]
fn days_as_usual_lose_capital_and_raise_no_alarm() {
    let findings = series(&defined(""), &[(MAY, usual(31)), (JUNE, usual(30)), (JULY, usual(31))]);
    for (at, finding) in findings.iter().enumerate() {
        assert_eq!(finding.verdict, Verdict::Pass, "{}", finding.summary);
        assert_eq!(bet(finding).windows, at as u64 + 1);
        assert_eq!(bet(finding).adjusted, 1.0);
        assert!(!finding.summary.contains("harmful"), "{}", finding.summary);
    }
    let loss = findings[0].measure("mean_daily_loss").unwrap();
    // 20 wrong rows of 100: 0.2 · 0.64 + 0.8 · 0.04.
    assert!((loss.expected_by_chance.unwrap() - 0.16).abs() < 1e-9);
    // The tolerance, and a little for a mean of 120 days that swing by 0.012 at most.
    let bound = tolerated(&findings[0]);
    assert!(bound > 0.16 + 0.01 && bound < 0.16 + 0.01 + 0.003, "{bound}");
}

#[test]
fn a_loss_that_has_doubled_is_harm_and_evidence_carries_on_from_window_to_window() {
    // No metric is lost by the whole window, so that the bet alone decides.
    let calm = "[monitor.performance]\nmax_drop = 0.9\n";
    let told = || Told { wrong: 2400, ..bad(12) };
    let findings = series(&defined(calm), &[(MAY, told()), (JUNE, told()), (JULY, told())]);
    let capital: Vec<f64> = findings.iter().map(|finding| bet(finding).log_e_value).collect();
    assert!(capital[0] < capital[1] && capital[1] < capital[2], "{capital:?}");
    // The largest bet gains ln(1 + (0.28 / bound − 1) / 2) a day on average, and is nearly all that is left.
    let most = 12.0 * (1.0 + 0.5 * (0.28 / tolerated(&findings[0]) - 1.0_f64)).ln();
    for gain in [capital[1] - capital[0], capital[2] - capital[1]] {
        assert!(gain > 0.8 * most && gain < most + 0.01, "{capital:?}");
    }
    let last = &findings[2];
    assert_eq!(last.verdict, Verdict::Fail, "{}", last.summary);
    assert!(last.summary.contains("The model is harmfully worse"), "{}", last.summary);
    assert!(bet(last).adjusted <= 0.01);
    assert_eq!(
        findings[0].verdict,
        Verdict::Pass,
        "12 days alone are not sure enough: {}",
        findings[0].summary
    );
    assert!(findings[0].summary.contains("not yet so surely"), "{}", findings[0].summary);
}

#[test]
fn a_window_that_is_made_again_is_counted_once() {
    let definition = defined("");
    let mut history = History::default();
    let every = definition.monitor.performance.every;
    let may = judged(&definition, MAY, &usual(31), &history);
    history.add(every, &may);
    let june = judged(&definition, JUNE, &bad(30), &history);
    // June comes once more, from what evidence says of the windows before it.
    let again = judged(&definition, JUNE, &bad(30), &history);
    assert_eq!(bet(&june), bet(&again));
    history.add(every, &june);
    history.add(every, &again);
    let july = judged(&definition, JULY, &bad(31), &history);
    assert_eq!(bet(&july).windows, 3);
}

#[test]
fn a_window_that_is_still_arriving_is_no_part_of_the_bet() {
    let arriving = Told { coverage: 0.7, ..bad(30) };
    let findings = series(&defined(""), &[(MAY, usual(31)), (JUNE, arriving), (JULY, usual(31))]);
    assert!(findings[1].sequential.is_none());
    assert_eq!(bet(&findings[2]).windows, 2);
}

#[test]
fn an_alarm_stays_and_a_window_that_is_well_again_does_not_fail_by_it() {
    let findings = series(&defined(""), &[(MAY, bad(31)), (JUNE, usual(30))]);
    assert_eq!(findings[0].verdict, Verdict::Fail);
    assert!(bet(&findings[1]).adjusted <= 0.01);
    assert_eq!(findings[1].verdict, Verdict::Pass, "{}", findings[1].summary);
    assert!(findings[1].summary.contains("in an earlier window"), "{}", findings[1].summary);
}

#[test]
fn a_window_of_another_cadence_and_a_short_reference_are_not_bet_on() {
    let weekly = judged(&defined(""), "2013-05-06/2013-05-13", &usual(7), &History::default());
    assert!(weekly.sequential.is_none() && weekly.unmeasured.iter().all(|missing| missing.name != "harm"));

    let definition = defined("");
    let schema = schema();
    let history = History::default();
    let scope = PerformanceScope {
        definition: &definition,
        schema: &schema,
        window: month(MAY),
        as_of: "2014-01-01T00:00:00Z".parse().unwrap(),
        history: &history,
    };
    let mut answers = Answers::default();
    tell(
        &definition,
        &mut answers,
        definition.reference.window,
        &Told { days: usual_days(13), ..reference() },
    );
    tell(&definition, &mut answers, month(MAY), &usual(31));
    let finding = judge(scope, &answers, &mut Seeded(1)).unwrap();
    let missing = finding.unmeasured.iter().find(|missing| missing.name == "harm").unwrap();
    assert!(missing.reason.contains("13 days with outcomes"), "{}", missing.reason);
}

#[test]
fn several_classes_and_numbers_are_bet_on_in_their_own_units() {
    let of_classes = defined_as(Task::Multiclass, "[monitor.performance]\nmax_drop = 0.9\n");
    let of_numbers =
        defined_as(Task::Regression, "[monitor.performance]\nmax_drop = 9\nlargest_error = 50\n");
    // Half of the Brier score is what lies between 0 and 1; of an error its share of the largest.
    for (definition, largest, named) in
        [(&of_classes, 2.0, "a day's mean Brier loss"), (&of_numbers, 50.0, "a day's mean absolute error")]
    {
        let first = judged(definition, MAY, &usual(31), &History::default());
        let loss = first.measure("mean_daily_loss").unwrap();
        assert!((loss.expected_by_chance.unwrap() - largest * 0.16).abs() < 1e-9, "{loss:?}");
        let bound = tolerated(&first);
        assert!(bound > largest * (0.16 + 0.01) && bound < largest * (0.16 + 0.01 + 0.003), "{bound}");
        let last = series(definition, &[(MAY, bad(31)), (JUNE, bad(30))]).remove(1);
        assert_eq!(last.verdict, Verdict::Fail, "{}", last.summary);
        assert!(last.summary.contains(named), "{}", last.summary);
        // 40 wrong rows of 100: 0.4 · 0.64 + 0.6 · 0.04.
        let loss = last.measure("mean_daily_loss").unwrap().value;
        assert!((loss - largest * 0.28).abs() < 1e-9 * largest, "{loss}");
    }
}

#[test]
fn numbers_without_a_largest_error_are_told_what_to_write() {
    let finding = judged(&defined_as(Task::Regression, ""), MAY, &usual(31), &History::default());
    let missing = finding.unmeasured.iter().find(|missing| missing.name == "harm").unwrap();
    assert!(missing.reason.contains("monitor.performance.largest_error"), "{}", missing.reason);
    assert!(finding.sequential.is_none());
}

/// What the world does: how much rain falls, and by how much more delay follows from the same inputs.
#[derive(Clone, Copy)]
struct World {
    rain: f64,
    worse: f64,
}

const BEFORE: World = World { rain: 0.0, worse: 0.0 };

/// Rain makes outcomes uncertain: the model, which is right about the reference, loses more in it.
fn rows(rng: &mut Seeded, world: World, task: Task, count: usize) -> Cases {
    let names = ["rain", "wind", "seats", "price"];
    let mut columns = names.map(|_| Vec::new());
    let (mut scores, mut happened, mut spreads) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..count {
        let row = [world.rain + rng.normal(), rng.normal(), rng.normal(), rng.normal()];
        let uncertain = 1.0 / (1.0 + (-row[0]).exp());
        let score = 0.5 * uncertain;
        scores.push(score);
        happened.push(rng.uniform() < score + world.worse);
        spreads.push(20.0 * (uncertain + 2.0 * world.worse));
        columns.iter_mut().zip(row).for_each(|(column, value)| column.push(value));
    }
    let column = |(name, values): (&str, Vec<f64>)| SampledColumn {
        name: name.into(),
        values: SampledValues::Numbers(values),
    };
    let outputs = match task {
        Task::Binary => Outputs::Binary { scores, outcomes: happened },
        Task::Regression => {
            let outcomes = spreads.into_iter().map(|spread| 100.0 + spread * rng.normal()).collect();
            Outputs::Regression { predicted: vec![100.0; count], outcomes }
        }
        // Either of two classes instead of the usual one.
        Task::Multiclass => {
            let usual = scores.iter().map(|score| 1.0 - score).collect();
            let others: Vec<f64> = scores.iter().map(|score| score / 2.0).collect();
            let outcome = |(row, other): (usize, bool)| if other { 1 + row as u32 % 2 } else { 0 };
            Outputs::Multiclass {
                outcomes: happened.into_iter().enumerate().map(outcome).collect(),
                predicted: vec![0; count],
                probabilities: vec![usual, others.clone(), others],
            }
        }
    };
    Cases { features: names.into_iter().zip(columns).map(column).collect(), outputs, ..Cases::default() }
}

/// Explains a window that lost more than the reference.
fn explained(definition: &Definition, now: World, count: usize) -> Finding {
    let schema = schema();
    let window = month(MAY);
    let history = History::default();
    let scope = PerformanceScope {
        definition,
        schema: &schema,
        window,
        as_of: "2014-01-01T00:00:00Z".parse().unwrap(),
        history: &history,
    };
    let mut answers = Answers::default();
    tell(definition, &mut answers, definition.reference.window, &reference());
    tell(definition, &mut answers, window, &Told { wrong: 3000, ..usual(31) });
    let mut finding = judge(scope, &answers, &mut Seeded(1)).unwrap();
    let questions = plan_explanation(scope, &finding, &answers);
    let mut rng = Seeded(9);
    for (question, world) in questions.into_iter().zip([BEFORE, now]) {
        let cases = rows(&mut rng, world, definition.model.task, count);
        answers.insert(question, Answer::Cases(cases));
    }
    explain(scope, &mut finding, &answers, &mut Seeded(2));
    finding
}

fn attributed(finding: &Finding) -> Option<&Attribution> {
    match &finding.detail {
        Some(Detail::Performance(of)) => of.attribution.as_ref(),
        _ => None,
    }
}

/// The part of a name, and whether it can be told from nothing.
fn part(of: &Attribution, name: &str) -> (f64, bool) {
    let term = of.terms.iter().find(|term| term.name == name).unwrap_or_else(|| panic!("{name}: {of:#?}"));
    (term.change, term.change.abs() > 3.0 * term.standard_error)
}

#[test]
fn a_shift_of_inputs_alone_is_explained_by_its_source() {
    let finding = explained(&defined(""), World { rain: 0.7, worse: 0.0 }, 2000);
    let of = attributed(&finding).unwrap_or_else(|| panic!("{finding:#?}"));
    let (weather, sure) = part(of, "weather");
    assert!(sure && (weather - of.total).abs() < 0.35 * of.total, "{of:#?}");
    for other in ["planes", "price", "outcome given inputs"] {
        assert!(!part(of, other).1, "{other}: {of:#?}");
    }
    assert!((of.terms.iter().map(|term| term.change).sum::<f64>() - of.total).abs() < 1e-9);
    assert!(finding.summary.contains("comes from weather."), "{}", finding.summary);
}

#[test]
fn losses_of_several_classes_and_of_numbers_are_explained_likewise() {
    for task in [Task::Multiclass, Task::Regression] {
        let finding = explained(&defined_as(task, ""), World { rain: 0.7, worse: 0.0 }, 2000);
        let of = attributed(&finding).unwrap_or_else(|| panic!("{finding:#?}"));
        let (weather, sure) = part(of, "weather");
        assert!(sure && (weather - of.total).abs() < 0.35 * of.total, "{task:?} {of:#?}");
        let finding = explained(&defined_as(task, ""), World { rain: 0.0, worse: 0.15 }, 2000);
        let of = attributed(&finding).unwrap_or_else(|| panic!("{finding:#?}"));
        let (outcome, sure) = part(of, "outcome given inputs");
        assert!(sure && (outcome - of.total).abs() < 0.35 * of.total, "{task:?} {of:#?}");
    }
}

#[test]
fn outcomes_that_follow_differently_are_explained_by_that_alone() {
    let finding = explained(&defined(""), World { rain: 0.0, worse: 0.15 }, 2000);
    let of = attributed(&finding).unwrap_or_else(|| panic!("{finding:#?}"));
    let (outcome, sure) = part(of, "outcome given inputs");
    assert!(sure && (outcome - of.total).abs() < 0.35 * of.total, "{of:#?}");
    for other in ["weather", "planes", "price"] {
        assert!(!part(of, other).1, "{other}: {of:#?}");
    }
}

#[test]
fn inputs_that_hardly_overlap_are_divided_by_rows_or_not_at_all() {
    let finding = explained(&defined(""), World { rain: 2.0, worse: 0.0 }, 1500);
    let of = attributed(&finding).unwrap_or_else(|| panic!("{finding:#?}"));
    assert!(of.terms.iter().any(|term| term.name.contains("on rows that both have")), "{of:#?}");
    assert!(finding.unmeasured.iter().any(|missing| missing.name == "attribution_by_source"));

    let finding = explained(&defined(""), World { rain: 30.0, worse: 0.0 }, 1500);
    assert!(attributed(&finding).is_none());
    let missing = finding.unmeasured.iter().find(|missing| missing.name == "attribution").unwrap();
    assert!(
        missing.reason.contains("the sides differ so much")
            || missing.reason.contains("cannot be reweighted")
    );
}

#[test]
fn too_few_rows_and_no_loss_explain_nothing() {
    let finding = explained(&defined(""), World { rain: 0.7, worse: 0.2 }, 60);
    let missing = finding.unmeasured.iter().find(|missing| missing.name == "attribution").unwrap();
    assert!(missing.reason.contains("60 where at least 100 are needed"), "{}", missing.reason);

    let off = defined("[monitor.performance]\nattribution_rows = 0\n");
    let finding = explained(&off, World { rain: 0.7, worse: 0.0 }, 500);
    assert!(attributed(&finding).is_none());
    assert!(finding.unmeasured.iter().all(|missing| !missing.name.starts_with("attribution")));
}

#[test]
fn groups_stay_few() {
    let columns = |count: usize| (0..count).map(|at| format!("c{at}")).collect::<Vec<String>>();
    let source = |name: String, features: &[String]| Source { name, features: features.to_vec() };
    let names = |sources: usize, count: usize| {
        let mut definition = defined("");
        let columns = columns(count);
        definition.source = (0..sources).map(|at| source(format!("s{at}"), &columns[at..=at])).collect();
        let groups = attribution::groups(&definition, &columns);
        assert_eq!(groups.iter().map(|(_, columns)| columns.len()).sum::<usize>(), count);
        groups.into_iter().map(|(name, _)| name).collect::<Vec<String>>()
    };
    assert_eq!(names(2, 4), ["s0", "s1", "c2", "c3"]);
    assert_eq!(names(6, 6), ["s0", "s1", "s2", "s3", "s4", "s5"]);
    assert_eq!(names(3, 9), ["s0", "s1", "s2", "other columns"]);
    assert_eq!(names(8, 8), ["s0", "s1", "s2", "s3", "s4", "other columns"]);
    assert_eq!(names(6, 7), ["s0", "s1", "s2", "s3", "s4", "other columns"]);
}
