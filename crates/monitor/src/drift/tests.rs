//! Drift verdicts on generated columns, without any data file.

use rand_core::RngCore;
use stats::sketch::{CategoricalProfile, EmbeddingProfile, Fidelity, NumericProfile, Profile, TextProfile};
use types::column::{Column, ColumnKind, Schema};
use types::{Answer, Answers, Definition, Finding, Verdict, Window, definition};

use types::definition::{Cadence, Distance};
use types::log_state::{ColumnFile, ColumnFiles, LogState, day_of};
use types::window::parse_instant;

use crate::generated::Seeded;
use crate::{History, Scope, Usual, plan};

const DEFINITION: &str = r#"
[log]
path = "log.parquet"
time = "t"
score = "p"
[reference]
window = "2013-01-01/2013-05-01"
"#;

fn normals(seed: u64, n: usize) -> Vec<f64> {
    let mut rng = Seeded(seed);
    (0..n).map(|_| rng.normal()).collect()
}

fn numeric(values: &[f64], nulls: u64) -> Profile {
    let mut profile = NumericProfile::new(Fidelity::Exact);
    profile.extend(values);
    profile.nulls = nulls;
    Profile::Numeric(profile)
}

fn categorical(counts: &[(&str, u64)]) -> Profile {
    let mut profile = CategoricalProfile::new(1000);
    for (value, count) in counts {
        profile.values.add(value, *count);
    }
    Profile::Categorical(profile)
}

/// For what is not drawn at random here.
struct Fixed;

impl rand_core::SeedableRng for Fixed {
    type Seed = [u8; 8];

    fn from_seed(_: Self::Seed) -> Self {
        Self
    }
}

impl RngCore for Fixed {
    fn next_u32(&mut self) -> u32 {
        1
    }

    fn next_u64(&mut self) -> u64 {
        1
    }

    fn fill_bytes(&mut self, bytes: &mut [u8]) {
        bytes.fill(1);
    }
}

/// Judges columns `c0, c1, …` given as (reference, current) profiles; the score does not move.
fn judged(columns: &[(Profile, Profile)]) -> Vec<Finding> {
    judged_by("auto", columns)
}

fn judged_by(method: &str, columns: &[(Profile, Profile)]) -> Vec<Finding> {
    judged_in(&format!("method = \"{method}\""), columns)
}

fn judged_in(drift: &str, columns: &[(Profile, Profile)]) -> Vec<Finding> {
    judged_of(drift, &LogState::default(), columns)
}

fn judged_of(drift: &str, log: &LogState, columns: &[(Profile, Profile)]) -> Vec<Finding> {
    let text = format!("{DEFINITION}[monitor.drift]\n{drift}\n");
    let definition: Definition = definition::parse(&text).unwrap();
    let kind = |profile: &Profile| match profile {
        Profile::Numeric(_) => ColumnKind::Numeric,
        Profile::Categorical(_) => ColumnKind::Categorical,
        Profile::Text(_) => ColumnKind::Text,
        Profile::Embedding(_) => ColumnKind::Embedding,
    };
    let column = |name: &str, kind| Column { name: name.into(), kind, type_name: "test".into() };
    let mut schema =
        Schema { columns: vec![column("t", ColumnKind::Time), column("p", ColumnKind::Numeric)] };
    for (at, (reference, _)) in columns.iter().enumerate() {
        schema.columns.push(column(&format!("c{at}"), kind(reference)));
    }
    let window: Window = "2013-06-03/2013-06-10".parse().unwrap();
    let against = [definition.reference.window];
    let scope = Scope {
        definition: &definition,
        schema: &schema,
        window,
        every: Cadence::Week,
        against: &against,
        log,
        history: &History::default(),
        usual: &Usual::default(),
    };
    let mut answers = Answers::default();
    for question in plan(scope) {
        let types::Question::Profile { of, kind, window: asked } = &question else { continue };
        let profile = match of {
            types::question::Measured::Column { name } if name != "p" => {
                let at: usize = name[1..].parse().unwrap();
                let (reference, current) = &columns[at];
                if *asked == window { current } else { reference }.clone()
            }
            _ if *asked == window && log.columns.iter().any(|column| column.column == "p") => {
                without_values(*kind)
            }
            _ if *kind == ColumnKind::Numeric => numeric(&[0.1, 0.2, 0.3].repeat(200), 0),
            _ => categorical(&[("negative", 600)]),
        };
        answers.insert(question, Answer::Profile(profile));
    }
    super::judge(scope, &answers, &mut Fixed)
}

fn without_values(kind: ColumnKind) -> Profile {
    if kind == ColumnKind::Numeric {
        return numeric(&[], 600);
    }
    let mut profile = CategoricalProfile::new(2);
    profile.nulls = 600;
    Profile::Categorical(profile)
}

fn verdict_of(findings: &[Finding], column: &str) -> Verdict {
    findings.iter().find(|finding| finding.subject.label() == column).unwrap().verdict
}

fn verdict(reference: Profile, current: Profile) -> Verdict {
    verdict_of(&judged(&[(reference, current)]), "c0")
}

#[test]
fn an_unchanged_column_passes() {
    assert_eq!(verdict(numeric(&normals(1, 5000), 0), numeric(&normals(2, 1000), 0)), Verdict::Pass);
}

/// Pins the defect of equal-width bins over both windows, where one outlier puts everything else
/// into a single bin.
#[test]
fn one_outlier_does_not_hide_a_shift_of_three_sigma() {
    let mut shifted: Vec<f64> = normals(2, 1000).iter().map(|value| value + 3.0).collect();
    shifted[17] = 1e4;
    assert_eq!(verdict(numeric(&normals(1, 5000), 0), numeric(&shifted, 0)), Verdict::Fail);
}

#[test]
fn a_tiny_shift_of_a_million_rows_is_significant_and_still_passes() {
    let shifted: Vec<f64> = normals(2, 300_000).iter().map(|value| value + 0.05).collect();
    let findings = judged(&[(numeric(&normals(1, 300_000), 0), numeric(&shifted, 0))]);
    let finding = findings.iter().find(|finding| finding.subject.label() == "c0").unwrap();
    assert!(finding.measure("kolmogorov_smirnov").unwrap().p_adjusted.unwrap() < 1e-6);
    assert_eq!(finding.verdict, Verdict::Pass);
}

#[test]
fn a_hundred_unchanged_columns_raise_no_alarm() {
    let columns: Vec<(Profile, Profile)> = (0..100)
        .map(|at| (numeric(&normals(1000 + at, 400), 0), numeric(&normals(5000 + at, 120), 0)))
        .collect();
    let findings = judged(&columns);
    let alarms = findings.iter().filter(|finding| finding.verdict > Verdict::Pass).count();
    assert_eq!(alarms, 0);
}

#[test]
fn a_dead_feed_fails_and_says_so() {
    let findings = judged(&[(numeric(&normals(1, 1000), 3), numeric(&[], 500))]);
    let finding = findings.iter().find(|finding| finding.subject.label() == "c0").unwrap();
    assert_eq!(finding.verdict, Verdict::Fail);
    assert!(finding.summary.contains("Every value is missing"), "{}", finding.summary);
    assert!(finding.unmeasured.iter().any(|unmeasured| unmeasured.name == "psi"));
}

/// A column that files of the reference and, from June on, those of the window hold so.
fn held(before: Option<&str>, now: Option<&str>) -> LogState {
    let file = |name: &str, [first, last]: [&str; 2], holds: Option<&str>| ColumnFile {
        file: name.into(),
        first_day: day_of(parse_instant(first).unwrap()),
        last_day: day_of(parse_instant(last).unwrap()),
        holds: holds.map(str::to_owned),
    };
    let files = vec![
        file("a.csv", ["2013-01-01", "2013-05-31"], before),
        file("b.csv", ["2013-06-01", "2013-06-30"], now),
    ];
    LogState { columns: vec![ColumnFiles { column: "c0".into(), files }], ..LogState::default() }
}

#[test]
fn a_column_that_is_new_gone_or_of_another_type_is_called_that_and_no_dead_feed() {
    let (some, none) = (|| numeric(&normals(1, 1000), 0), || numeric(&[], 1000));
    for (files, columns, said) in [
        (
            held(None, Some("a number")),
            (none(), some()),
            "it is a new column, there from b.csv (2013-06-01) on",
        ),
        (held(Some("a number"), None), (some(), none()), "the column is gone, no longer there from b.csv"),
        (
            held(Some("a number"), Some("text")),
            (some(), none()),
            "it changed its type from a number to text in b.csv (2013-06-01)",
        ),
    ] {
        let findings = judged_of("", &files, &[columns]);
        let finding = findings.iter().find(|finding| finding.subject.label() == "c0").unwrap();
        assert_eq!(finding.verdict, Verdict::Unknown, "{}", finding.summary);
        assert!(finding.summary.contains(said), "{}", finding.summary);
        // The others are judged as ever.
        assert_eq!(verdict_of(&findings, "p"), Verdict::Pass);
    }
}

#[test]
fn the_predicted_class_of_a_score_that_changed_its_type_is_not_called_a_dead_feed() {
    let mut files = held(Some("a number"), Some("text"));
    files.columns[0].column = "p".into();
    let findings = judged_of("", &files, &[]);
    for (subject, said) in [
        ("p", "it changed its type from a number to text in b.csv (2013-06-01)"),
        ("predicted class", "`p` changed its type from a number to text in b.csv (2013-06-01), and no value"),
    ] {
        let finding = findings.iter().find(|finding| finding.subject.label() == subject).unwrap();
        assert_eq!(finding.verdict, Verdict::Unknown, "{}", finding.summary);
        assert!(finding.summary.contains(said), "{}", finding.summary);
    }
}

#[test]
fn numbers_that_are_written_as_text_are_compared_and_said_to_be_text() {
    let findings = judged_of(
        "",
        &held(Some("a number"), Some("text")),
        &[(numeric(&normals(1, 1000), 0), numeric(&normals(2, 600), 0))],
    );
    let finding = findings.iter().find(|finding| finding.subject.label() == "c0").unwrap();
    assert_eq!(finding.verdict, Verdict::Pass, "{}", finding.summary);
    assert!(finding.summary.contains("changed its type from a number to text"), "{}", finding.summary);
}

#[test]
fn a_column_of_later_days_is_no_column_of_this_window() {
    let files = held(None, None);
    let findings = judged_of("", &files, &[(numeric(&[], 1000), numeric(&[], 500))]);
    assert!(findings.iter().all(|finding| finding.subject.label() != "c0"), "{findings:#?}");
}

#[test]
fn a_constant_column_that_comes_alive_fails() {
    assert_eq!(verdict(numeric(&[5.0; 1000], 0), numeric(&normals(1, 500), 0)), Verdict::Fail);
    assert_eq!(verdict(numeric(&[5.0; 1000], 0), numeric(&[5.0; 500], 0)), Verdict::Pass);
}

#[test]
fn too_few_rows_are_unknown_and_never_pass() {
    assert_eq!(verdict(numeric(&normals(1, 5000), 0), numeric(&normals(2, 99), 0)), Verdict::Unknown);
}

#[test]
fn a_column_without_any_value_is_unknown() {
    assert_eq!(verdict(numeric(&[], 1000), numeric(&[], 1000)), Verdict::Unknown);
}

#[test]
fn unseen_categories_fail_by_their_share() {
    let reference = categorical(&[("UA", 600), ("DL", 400)]);
    assert_eq!(verdict(reference.clone(), categorical(&[("UA", 300), ("DL", 200)])), Verdict::Pass);
    let findings = judged(&[(reference, categorical(&[("UA", 250), ("DL", 170), ("ZZ", 80)]))]);
    assert_eq!(verdict_of(&findings, "c0"), Verdict::Fail);
    assert!(findings[0].summary.contains("`ZZ`"), "{}", findings[0].summary);
}

#[test]
fn ten_thousand_rare_categories_without_drift_pass() {
    // 50,000 rows over 10,000 values: a plain index over all values would cry wolf.
    let draw = |seed: u64, n: usize| {
        let mut counts = std::collections::HashMap::<u64, u64>::new();
        for value in normals(seed, n) {
            *counts.entry(((value * 1e6).abs() as u64) % 10_000).or_default() += 1;
        }
        let mut profile = CategoricalProfile::new(65_536);
        for (value, count) in counts {
            profile.values.add(&value.to_string(), count);
        }
        Profile::Categorical(profile)
    };
    assert_eq!(verdict(draw(1, 50_000), draw(2, 50_000)), Verdict::Pass);
}

/// So many rows of values below `values`, each as likely; of a window that differs every value becomes another.
fn uniform(seed: u64, rows: u64, values: u64, becomes: impl Fn(u64) -> u64) -> Profile {
    let mut rng = Seeded(seed);
    let mut profile = CategoricalProfile::new(100_000);
    for _ in 0..rows {
        let value = becomes((rng.uniform() * values as f64) as u64);
        profile.values.add(&format!("value {value}"), 1);
    }
    Profile::Categorical(profile)
}

#[test]
fn rare_values_that_vanish_are_seen_though_each_was_expected_a_few_times() {
    // A quarter of a thousand values remain, three rows of each expected; half of ten thousand.
    for (values, remain, rows) in [(1000, 250, 3000), (10_000, 5000, 3000)] {
        let window = uniform(2, rows, values, |value| value % remain);
        let findings = judged(&[(uniform(1, 36_000, values, |value| value), window)]);
        assert_eq!(findings[0].verdict, Verdict::Fail, "{}", findings[0].summary);
        let chi_square = findings[0].measure("chi_square").unwrap().p_value.unwrap();
        assert!(chi_square < 1e-6, "{chi_square}");
        assert!(findings[0].measure("psi").unwrap().interval.unwrap().lower > 0.25);
    }
}

#[test]
fn counts_that_were_capped_are_no_drift() {
    let capped = |seed: u64, rows: u64| {
        let Profile::Categorical(mut profile) = uniform(seed, rows, 5000, |value| value / (1 + value % 97))
        else {
            unreachable!("it is made so")
        };
        let mut few = CategoricalProfile::new(200);
        std::mem::swap(&mut profile, &mut few);
        few.values.values().for_each(|(value, count)| profile.values.add(value, count));
        assert!(profile.values.count_error() > 0);
        Profile::Categorical(profile)
    };
    let findings = judged(&[(capped(1, 36_000), capped(2, 3000))]);
    assert_eq!(findings[0].verdict, Verdict::Pass, "{}", findings[0].summary);
    assert!(findings[0].measure("chi_square").unwrap().p_value.unwrap() > 1e-3);
}

#[test]
fn new_values_of_which_each_is_seen_once_are_an_alarm() {
    let new = |value: u64| if value % 10 < 2 { value } else { 10_000 + value };
    let findings = judged(&[(uniform(1, 36_000, 10_000, |value| value), uniform(2, 2000, 10_000, new))]);
    assert_eq!(findings[0].verdict, Verdict::Fail, "{}", findings[0].summary);
    assert!(findings[0].summary.contains("never saw in the reference"), "{}", findings[0].summary);
}

#[test]
fn without_drift_rare_values_have_small_p_values_as_seldom_as_they_say() {
    let (mut small, mut tested) = ([0; 3], 0);
    for seed in 0..120 {
        let whole = uniform(seed, 12_000, 4000, |value| value);
        let part = uniform(1000 + seed, 3000, 4000, |value| value);
        let findings = judged(&[(whole, part)]);
        let finding = findings.iter().find(|finding| finding.subject.label() == "c0").unwrap();
        assert_eq!(finding.verdict, Verdict::Pass, "{}", finding.summary);
        let streams = &finding.sequential.as_ref().unwrap().streams;
        for (at, name) in ["distribution", "unseen", "values"].into_iter().enumerate() {
            let stream = streams.iter().find(|stream| stream.name == name).unwrap();
            small[at] += u32::from(stream.p_value < 0.05);
        }
        tested += 1;
    }
    // 6 of 120 are expected; 13 or more come with a probability below 1 %.
    assert!(small.iter().all(|small| *small < 13), "{small:?} of {tested}");
}

#[test]
fn a_bound_on_the_share_of_false_alarms_lets_more_through_where_hundreds_of_columns_move() {
    let shifted: Vec<f64> = normals(7, 150).iter().map(|value| value + 0.6).collect();
    let columns = || vec![(numeric(&normals(1, 2000), 0), numeric(&shifted, 0)); 1500];
    let adjusted = |bound: &str| {
        let findings = judged_in(&format!("bound = \"{bound}\""), &columns());
        let moved = findings.iter().find(|finding| finding.subject.label() == "c0").unwrap();
        moved.sequential.as_ref().unwrap().stream("distribution").unwrap().adjusted
    };
    assert!(adjusted("share") < adjusted("any"), "{} {}", adjusted("share"), adjusted("any"));
}

#[test]
fn infinities_move_a_column_without_breaking_it() {
    let mut current = normals(2, 1000);
    current.iter_mut().take(400).for_each(|value| *value = f64::INFINITY);
    assert_eq!(verdict(numeric(&normals(1, 1000), 0), numeric(&current, 0)), Verdict::Fail);
}

fn method_of(finding: &Finding) -> &types::finding::MethodChoice {
    let Some(types::Detail::Distribution(of)) = &finding.detail else { panic!("{finding:?}") };
    of.method.as_ref().unwrap()
}

#[test]
fn every_distance_fails_a_shift_of_most_of_a_deviation_and_passes_none() {
    let shifted: Vec<f64> = normals(2, 1000).iter().map(|value| value + 0.8).collect();
    for distance in Distance::ALL {
        for (current, expected) in [(shifted.clone(), Verdict::Fail), (normals(3, 1000), Verdict::Pass)] {
            let findings =
                judged_by(distance.name(), &[(numeric(&normals(1, 5000), 0), numeric(&current, 0))]);
            let finding = findings.iter().find(|finding| finding.subject.label() == "c0").unwrap();
            assert_eq!(finding.verdict, expected, "{distance:?}: {}", finding.summary);
            let decides = if distance.is_for(ColumnKind::Numeric) { distance } else { Distance::Psi };
            assert_eq!(method_of(finding).name, decides.name());
            assert_eq!(finding.measures[0].name, decides.measure());
        }
    }
}

#[test]
fn what_a_distance_cannot_measure_is_measured_by_another_and_said() {
    let categories = (categorical(&[("UA", 600), ("DL", 400)]), categorical(&[("UA", 100), ("DL", 400)]));
    let constant = (numeric(&[5.0; 1000], 0), numeric(&normals(1, 500), 0));
    let findings = judged_by("wasserstein", &[categories, constant]);
    for (column, reason) in [("c0", "is not for such a column"), ("c1", "has no value here")] {
        let finding = findings.iter().find(|finding| finding.subject.label() == column).unwrap();
        assert_eq!(finding.verdict, Verdict::Fail, "{}", finding.summary);
        assert_eq!(method_of(finding).name, "psi");
        assert!(method_of(finding).reason.contains(reason), "{}", method_of(finding).reason);
    }
}

#[test]
fn another_tool_decides_by_its_own_threshold_and_its_defect_is_named() {
    let categories = (categorical(&[("a", 500), ("b", 500)]), categorical(&[("a", 800), ("b", 200)]));
    let findings = judged_by("evidently-0.7:psi", &[categories]);
    let finding = findings.iter().find(|finding| finding.subject.label() == "c0").unwrap();
    assert_eq!(finding.verdict, Verdict::Fail);
    // 0.3 ln 1.6 + 0.3 ln 2.5, by hand.
    assert!((finding.measures[0].value - 0.415_888).abs() < 1e-6);
    assert!(finding.summary.contains("says `evidently-0.7:psi`"), "{}", finding.summary);
    assert!(finding.summary.contains("Beware"), "{}", finding.summary);
    assert_eq!(finding.thresholds[0].at_most, Some(0.1));
    let numbers = (numeric(&normals(1, 500), 0), numeric(&normals(2, 500), 0));
    let findings = judged_by("evidently-0.7:chisquare", &[numbers]);
    let finding = findings.iter().find(|finding| finding.subject.label() == "c0").unwrap();
    assert!(method_of(finding).reason.contains("is not for such a column"));
    assert_eq!(finding.verdict, Verdict::Pass);
}

#[test]
fn findings_come_worst_first() {
    let still = (numeric(&normals(1, 1000), 0), numeric(&normals(2, 1000), 0));
    let moved: Vec<f64> = normals(3, 1000).iter().map(|value| value + 2.0).collect();
    let findings = judged(&[still, (numeric(&normals(1, 1000), 0), numeric(&moved, 0))]);
    assert_eq!(findings[0].subject.label(), "c1");
    assert!(findings.windows(2).all(|pair| pair[0].verdict >= pair[1].verdict));
}

/// Comments of about so many words out of a vocabulary, the commoner ones more often; every third row has `extra` too.
fn comments(seed: u64, words: f64, extra: Option<&str>) -> Profile {
    let mut profile = TextProfile::new(Fidelity::Exact);
    let numbers = normals(seed, 40_000);
    let mut numbers = numbers.iter();
    for row in 0..1_000 {
        let count = (words * (1.0 + 0.3 * numbers.next().unwrap())).round().max(1.0) as usize;
        let word = |number: &f64| format!("word{}", (number * number * 20.0) as u32);
        let mut text: Vec<String> = numbers.by_ref().take(count).map(word).collect();
        text.extend(extra.filter(|_| row % 3 == 0).map(str::to_owned));
        profile.extend([text.join(" ").as_str()]);
    }
    Profile::Text(Box::new(profile))
}

#[test]
fn shorter_texts_are_told_as_shorter_and_equal_ones_are_quiet() {
    let same = judged(&[(comments(1, 12.0, None), comments(2, 12.0, None))]);
    assert!(same.iter().all(|finding| finding.verdict == Verdict::Pass), "{same:#?}");
    let shorter = judged(&[(comments(1, 12.0, None), comments(2, 6.0, None))]);
    assert_eq!(shorter[0].verdict, Verdict::Fail);
    assert!(shorter[0].summary.contains("`c0` changed a lot"), "{}", shorter[0].summary);
    assert!(shorter[0].summary.contains("shorter texts: the median is"), "{}", shorter[0].summary);
    for name in ["psi", "psi_of_characters", "psi_of_non_ascii", "unseen_token_share"] {
        assert!(shorter[0].measure(name).is_some(), "no {name}");
    }
}

#[test]
fn new_words_are_told_with_what_chance_brings_and_frequent_ones_are_named() {
    let findings = judged(&[(comments(1, 3.0, None), comments(2, 3.0, Some("refund ticket")))]);
    let summary = &findings[0].summary;
    assert!(findings[0].verdict > Verdict::Pass, "{summary}");
    assert!(
        summary.contains("tokens were never seen") && summary.contains("`refund` (334 rows)"),
        "{summary}"
    );
}

#[test]
fn a_token_of_few_rows_is_not_named() {
    let mut now = TextProfile::new(Fidelity::Exact);
    now.extend((0..900).map(|row| if row % 100 == 0 { "jane doe of elm street" } else { "all is well" }));
    let mut before = TextProfile::new(Fidelity::Exact);
    before.extend((0..900).map(|_| "all is well"));
    let findings = judged(&[(Profile::Text(Box::new(before)), Profile::Text(Box::new(now)))]);
    let told = format!("{findings:?}");
    assert!(!told.contains("jane") && !told.contains("elm"), "{told}");
}

/// Vectors of 16 numbers around `mean`.
fn vectors(seed: u64, mean: f64) -> EmbeddingProfile {
    let entries: Vec<f64> = normals(seed, 16 * 800).into_iter().map(|x| x + mean).collect();
    let mut profile = EmbeddingProfile::new(Fidelity::Exact);
    profile.extend(&entries.chunks_exact(16).collect::<Vec<_>>());
    profile
}

#[test]
fn vectors_that_move_are_told_and_others_are_quiet() {
    let same = judged(&[(Profile::Embedding(vectors(1, 1.0)), Profile::Embedding(vectors(2, 1.0)))]);
    assert!(same.iter().all(|finding| finding.verdict == Verdict::Pass), "{same:#?}");
    let moved = judged(&[(Profile::Embedding(vectors(1, 1.0)), Profile::Embedding(vectors(2, 3.0)))]);
    assert_eq!(moved[0].verdict, Verdict::Fail, "{}", moved[0].summary);
    assert_eq!(moved[0].measure("dimensions").unwrap().value, 16.0);
}

#[test]
fn vectors_of_another_length_are_an_alarm_and_no_panic() {
    let mut other = EmbeddingProfile::new(Fidelity::Exact);
    other.extend(&vec![[1.0, 2.0, 3.0].as_slice(); 500]);
    other.broken = 7;
    let findings = judged(&[(Profile::Embedding(vectors(1, 0.0)), Profile::Embedding(other))]);
    let summary = &findings[0].summary;
    assert_eq!(findings[0].verdict, Verdict::Fail, "{summary}");
    assert!(
        summary.contains("500 rows of the window have a vector of another length than the 16"),
        "{summary}"
    );
    assert!(summary.contains("7 rows of the window have a vector that is empty"), "{summary}");
}

#[test]
fn without_drift_the_p_values_of_texts_and_vectors_are_small_as_seldom_as_they_say() {
    let (repetitions, mut small, mut tests) = (30, 0, 0);
    let mut small_of_new_tokens = 0;
    for seed in 0..repetitions {
        let (before, now) = (2 * seed + 100, 2 * seed + 101);
        let findings = judged(&[
            (comments(before, 6.0, None), comments(now, 6.0, None)),
            (Profile::Embedding(vectors(before, 0.0)), Profile::Embedding(vectors(now, 0.0))),
        ]);
        let features = findings.iter().filter(|finding| finding.subject.label().starts_with('c'));
        for stream in features.flat_map(|finding| &finding.sequential.as_ref().unwrap().streams) {
            tests += 1;
            small += u32::from(stream.p_value < 0.05);
            small_of_new_tokens += u32::from(stream.name == "new_tokens" && stream.p_value < 0.05);
        }
    }
    // Streams of one column depend on each other, so the bounds are wide: 5 % and as much again.
    assert!(tests >= 30 * 15, "{tests}");
    assert!(f64::from(small) < 0.1 * f64::from(tests), "{small} of {tests}");
    // Of 30: one and a half are expected.
    assert!(small_of_new_tokens <= 6, "{small_of_new_tokens}");
}
