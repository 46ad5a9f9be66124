//! Drift: does a column's distribution differ from the reference, enough to matter and surely?
//!
//! A verdict needs both an effect and significance. The effect is the population stability index (or the
//! distance that the definition names) above what chance gives and what is usual, the change of the missing share, or the share of values never seen in
//! the reference. Significance is that of the module `alarm`: it holds over all columns and all weeks, so that
//! with probability 1 − `monitor.drift.false_alarms` there is never a false one. A million
//! rows alone raise no alarm (no effect), nor do a hundred columns or a hundred weeks (no significance).

pub(crate) mod alarm;
mod binned;
mod categorical;
mod distance;
mod effect;
pub(crate) mod embedding;
mod held_otherwise;
mod numeric;
pub(crate) mod outcome;
pub(crate) mod peer;
mod text;
mod words;

use rand_core::{RngCore, SeedableRng};
use stats::chi_square::ChiSquare;
use stats::false_discovery::benjamini_hochberg;
use stats::interval::Level;
use stats::peers::{Peer, PeerDrift};
use stats::proportion::{Proportion, ProportionTest, two_proportion_z_test};
use stats::sketch::Profile;
use types::definition::{Against, Definition, Distance, Drift, DriftMethod, Monitor};
use types::finding::{Distribution, MethodChoice, Sequential, Threshold, Unmeasured};
use types::window::instant_text;
use types::{Answers, CheckId, Detail, Finding, Measure, Verdict, Window};

use self::alarm::Binned;
use self::distance::Sides;
use self::effect::{Effect, of_values};
use crate::column_files::is_of_other_days;
use crate::multivariate::{auc_thresholds, joined};
use crate::parallel::in_parallel;
use crate::usual::UsualColumn;
use crate::{Scope, Summarised, Watched, is_measured, watched};

/// Bins of a numeric column: deciles of the reference, with open ends.
const BINS: usize = 10;

/// Changes of a text that its sentence names: so many, and those that are at least this share of the largest.
const EFFECTS_NAMED: usize = 2;
const NAMED_FROM: f64 = 0.5;

/// What was measured of one column.
#[derive(Clone, Debug)]
pub(crate) struct Assessment {
    pub(crate) measures: Vec<Measure>,
    pub(crate) unmeasured: Vec<Unmeasured>,
    /// Of the test whether the values are distributed as in the reference.
    pub(crate) distribution_p: Option<f64>,
    pub(crate) sequential: Option<Sequential>,
    /// The ways in which the values can be distributed differently.
    pub(crate) effects: Vec<Effect>,
    /// What another tool says, where the definition lets it decide.
    pub(crate) peer: Option<Result<PeerDrift, String>>,
    /// The share of current rows with a value never seen in the reference, less what chance brings.
    pub(crate) unseen_excess: f64,
    /// The stream that must be an alarm for it to count.
    pub(crate) unseen_stream: &'static str,
    /// The sentence about it.
    pub(crate) unseen: String,
    /// The lower end of the interval of the AUC with which a classifier tells the rows apart.
    pub(crate) told_apart: Option<f64>,
    pub(crate) missing: Option<ProportionTest>,
    pub(crate) distribution: Distribution,
    /// What changed, in words, without the verdict: "higher: median 78 against 39".
    pub(crate) change: String,
    /// What else must be said, in sentences.
    pub(crate) notes: Vec<String>,
}

impl Assessment {
    /// Nothing measured yet.
    fn blank(distribution: Distribution, change: String) -> Self {
        Self {
            measures: Vec::new(),
            unmeasured: Vec::new(),
            distribution_p: None,
            sequential: None,
            effects: Vec::new(),
            peer: None,
            unseen_excess: 0.0,
            unseen_stream: alarm::DISTRIBUTION,
            unseen: String::new(),
            told_apart: None,
            missing: None,
            distribution,
            change,
            notes: Vec::new(),
        }
    }

    /// The largest change of distribution beyond chance and what is usual.
    fn largest_effect(&self) -> Option<&Effect> {
        self.effects.iter().max_by(|a, b| a.news().total_cmp(&b.news()))
    }
}

/// Why a column could not be assessed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Unassessed {
    pub(crate) reason: String,
}

/// Findings about every watched column, worst first. `rng` serves embeddings alone.
pub fn judge<R: RngCore + SeedableRng>(scope: Scope<'_>, answers: &Answers, rng: &mut R) -> Vec<Finding> {
    // Each column has a source of its own, so that the order in which threads come to them is no matter.
    let watched: Vec<(Watched, u64)> = watched(scope.definition, scope.schema)
        .into_iter()
        .map(|watched| (watched, rng.next_u64()))
        .filter(|(watched, _)| !is_of_other_days(scope, &watched.subject))
        .collect();
    let assessed = in_parallel(&watched, |(watched, seed)| {
        assess(scope, watched, answers, &mut R::seed_from_u64(*seed))
    });
    judged(scope, watched.into_iter().map(|(watched, _)| watched).zip(assessed).collect())
}

/// A finding about the outcome, which is a family of its own because it is known later than the others.
pub fn judge_outcome(scope: Scope<'_>, answers: &Answers) -> Option<Finding> {
    let assessed = outcome::assessed(scope, answers)?;
    judged(scope, vec![assessed]).pop()
}

/// Verdicts on columns that are looked at together.
fn judged(scope: Scope<'_>, mut columns: Vec<(Watched, Result<Assessment, Unassessed>)>) -> Vec<Finding> {
    let sequential =
        columns.iter_mut().filter_map(|(_, assessed)| assessed.as_mut().ok()?.sequential.as_mut());
    alarm::adjust(scope.definition.monitor.drift.bound, sequential);
    let p_values = adjusted_p_values(columns.iter().map(|(_, assessed)| assessed.as_ref().ok()));
    let mut findings: Vec<(f64, Finding)> = columns
        .into_iter()
        .zip(p_values)
        .map(|((watched, assessed), p_values)| match assessed {
            Ok(assessment) => {
                let effect = assessment.largest_effect().map_or(0.0, |effect| effect.excess);
                (effect, finding(scope, &watched, assessment, p_values))
            }
            Err(unassessed) => (0.0, unknown(scope, &watched, &unassessed)),
        })
        .collect();
    findings
        .sort_by(|(effect_a, a), (effect_b, b)| b.verdict.cmp(&a.verdict).then(effect_b.total_cmp(effect_a)));
    findings.into_iter().map(|(_, finding)| finding).collect()
}

/// The p-values of a column's two tests, adjusted for this one report, where they were made.
#[derive(Clone, Copy, Debug, Default)]
struct Significance {
    distribution: Option<f64>,
    missing: Option<f64>,
}

/// Adjusts over both tests of all columns together.
fn adjusted_p_values<'a>(assessments: impl Iterator<Item = Option<&'a Assessment>>) -> Vec<Significance> {
    let tests: Vec<(Option<f64>, Option<f64>)> = assessments
        .map(|assessment| match assessment {
            Some(assessment) => {
                (assessment.distribution_p, assessment.missing.as_ref().map(|test| test.p_value))
            }
            None => (None, None),
        })
        .collect();
    let family: Vec<f64> =
        tests.iter().flat_map(|(distribution, missing)| [*distribution, *missing]).flatten().collect();
    let mut adjusted = benjamini_hochberg(&family).into_iter();
    tests
        .into_iter()
        .map(|(distribution, missing)| Significance {
            distribution: distribution.and_then(|_| adjusted.next()),
            missing: missing.and_then(|_| adjusted.next()),
        })
        .collect()
}

fn assess(
    scope: Scope<'_>,
    watched: &Watched,
    answers: &Answers,
    rng: &mut impl RngCore,
) -> Result<Assessment, Unassessed> {
    let unassessed = |reason: String| Unassessed { reason };
    if !is_measured(watched.kind) {
        return Err(unassessed(format!(
            "columns of type {} are not measured; list the features to leave it out",
            watched.type_name
        )));
    }
    let not_measured = || unassessed("the column was not measured".into());
    let reference = watched.profile(answers, scope.against).ok_or_else(not_measured)?;
    let current = watched.profile(answers, &[scope.window]).ok_or_else(not_measured)?.alike(&reference);
    let note = held_otherwise::told(scope, &watched.subject, &reference, &current).map_err(unassessed)?;
    let mut assessment = compared(scope, watched, &reference, &current)?;
    assessment.notes.extend(note);
    if let (Profile::Embedding(before), Profile::Embedding(now)) = (&*reference.profile, &*current.profile) {
        let (definition, schema) = (scope.definition, scope.schema);
        let sampled = |windows: &[Window]| {
            joined(windows.iter().filter_map(|&window| {
                answers.sample(&embedding::sample_question(definition, schema, window)?)
            }))
        };
        let samples = [sampled(scope.against), sampled(&[scope.window])];
        let classify = definition.monitor.multivariate.enabled;
        let name = watched.subject.label();
        embedding::add_sampled(&mut assessment, &name, (before, now), samples, classify, rng);
    }
    Ok(assessment)
}

/// Compares a column's profiles, and goes on with its alarms.
fn compared(
    scope: Scope<'_>,
    watched: &Watched,
    reference: &Summarised<'_>,
    current: &Summarised<'_>,
) -> Result<Assessment, Unassessed> {
    let drift = &scope.definition.monitor.drift;
    let unassessed = |reason: String| Unassessed { reason };
    let (before, now): (&Profile, &Profile) = (&reference.profile, &current.profile);
    for (rows, which) in [(before.rows(), "reference"), (now.rows(), "current window")] {
        if rows < drift.min_rows {
            return Err(unassessed(format!(
                "too few rows to say: {rows} in the {which}, {} are needed (monitor.drift.min_rows)",
                drift.min_rows
            )));
        }
    }
    if before.missing() == before.rows() && now.missing() == now.rows() {
        return Err(unassessed("it has no value in the reference and none in the current window".into()));
    }
    let sides = Sides::of(reference, current);
    let mut assessment = match (before, now, sides) {
        (.., Some(Sides::Numbers(before, now))) => numeric::assess(before, now),
        (.., Some(Sides::Categories(before, now))) => categorical::assess(before, now),
        (Profile::Text(before), Profile::Text(now), _) => {
            text::assess((before, &reference.ecdfs), (now, &current.ecdfs))
        }
        (Profile::Embedding(before), Profile::Embedding(now), _) => {
            embedding::assess((before, &reference.ecdfs), (now, &current.ecdfs))
        }
        _ => return Err(unassessed("it is of one kind in one window and of another in the other".into())),
    };
    add_missing(&mut assessment, before, now);
    match sides {
        Some(sides) => choose(&mut assessment, drift, sides),
        None => assessment.effects = effects(drift, reference, current),
    }
    let streams = streams(reference, current);
    let fixed = drift.against == Against::Reference;
    let known = scope.history.of(&watched.subject);
    let usual = scope.usual.of(&watched.subject);
    assessment.sequential = alarm::advanced(known, scope.every, fixed, &streams, usual);
    if let Some(usual) = usual {
        add_usual(&mut assessment, usual);
    }
    match (sides, drift.method.peer()) {
        (None, _) => name_largest(&mut assessment, drift, reference, current),
        (Some(sides), Some(peer)) => {
            peer::decide(&mut assessment, peer, sides, scope.usual.chunks(&watched.subject));
        }
        (Some(_), None) => {}
    }
    Ok(assessment)
}

/// Measures the size of the change by the distance that decides, and puts that first.
fn choose(assessment: &mut Assessment, drift: &Drift, sides: Sides<'_>) {
    let Some((distance, size, method)) = distance::chosen(drift, sides) else { return };
    assessment.distribution.method = Some(method);
    let known = assessment.measures.iter().position(|measure| measure.name == distance.measure());
    let headline = match known {
        Some(at) => assessment.measures.remove(at),
        None => size.measure,
    };
    assessment.measures.insert(0, headline);
    assessment.effects = vec![of_values(distance, size.excess)];
}

/// Two profiles of a column, as far as it takes to see what is usual.
#[derive(Clone, Debug)]
pub(crate) struct Comparison {
    pub(crate) effects: Vec<Effect>,
    pub(crate) streams: Vec<(&'static str, Binned)>,
}

impl Comparison {
    /// How much the share that is missing differs, in either direction.
    pub(crate) fn missing_change(&self) -> Option<f64> {
        let (_, binned) = self.streams.iter().find(|(name, _)| *name == alarm::MISSING)?;
        let share = |counts: &[u64]| {
            counts.last().map_or(0.0, |missing| *missing as f64 / counts.iter().sum::<u64>().max(1) as f64)
        };
        Some((share(&binned.current) - share(&binned.reference)).abs())
    }
}

/// Compares a part of the reference with all of it.
pub(crate) fn comparison(
    definition: &Definition,
    whole: &Summarised<'_>,
    part: &Summarised<'_>,
) -> Comparison {
    let mut streams = streams(whole, part);
    // The whole has every value of its parts.
    streams.retain(|(name, _)| *name != alarm::UNSEEN);
    Comparison { effects: effects(&definition.monitor.drift, whole, part), streams }
}

/// The ways in which two profiles differ; none where they are of different kinds.
fn effects(drift: &Drift, reference: &Summarised<'_>, current: &Summarised<'_>) -> Vec<Effect> {
    if let Some(sides) = Sides::of(reference, current) {
        let chosen = distance::chosen(drift, sides);
        return chosen.map(|(distance, size, _)| of_values(distance, size.excess)).into_iter().collect();
    }
    let (before, now) = (&reference.ecdfs, &current.ecdfs);
    match (&*reference.profile, &*current.profile) {
        (Profile::Text(a), Profile::Text(b)) => text::effects((a, before), (b, now)),
        (Profile::Embedding(_), Profile::Embedding(_)) => embedding::effects(before, now),
        _ => Vec::new(),
    }
}

/// The tests of a column that are repeated from window to window.
fn streams(reference: &Summarised<'_>, current: &Summarised<'_>) -> Vec<(&'static str, Binned)> {
    let mut streams = vec![(alarm::MISSING, Binned::missing(&reference.profile, &current.profile))];
    let (before, now) = (&reference.ecdfs, &current.ecdfs);
    match (&*reference.profile, &*current.profile) {
        (Profile::Numeric(_), Profile::Numeric(_)) => {
            let binned = numeric::bins(&before[0]).map(|bins| Binned::numbers(&bins, &before[0], &now[0]));
            streams.extend(binned.map(|binned| (alarm::DISTRIBUTION, binned)));
        }
        (Profile::Categorical(before), Profile::Categorical(now)) => {
            streams.push((alarm::DISTRIBUTION, Binned::categories(&before.values, &now.values)));
            if alarm::has_rare_values(&before.values, &now.values) {
                streams.push((alarm::UNSEEN, Binned::unseen(&before.values, &now.values)));
                streams.push((alarm::VALUES, Binned::values(&before.values, &now.values)));
            }
        }
        (Profile::Text(a), Profile::Text(b)) => streams.extend(text::streams((a, before), (b, now))),
        (Profile::Embedding(_), Profile::Embedding(_)) => streams.extend(embedding::streams(before, now)),
        _ => {}
    }
    streams
}

/// Says what is usual, and takes it off the effects.
fn add_usual(assessment: &mut Assessment, usual: &UsualColumn) {
    for effect in &mut assessment.effects {
        effect.usual = usual.most(effect.of);
    }
    if let Some(since) = usual.changed {
        assessment.notes.push(format!(
            "The reference itself changed on about {}: what is in it from then on is not taken for usual.",
            instant_text(since)
        ));
    }
    let Some(largest) = assessment.largest_effect().copied() else { return };
    assessment.measures.push(Measure::new(
        format!("{}_usual", largest.distance.measure()),
        largest.usual,
        usual.windows(largest.of) as u64,
        format!(
            "nine in ten of the {} windows of the reference have at most this much above chance",
            usual.windows(largest.of)
        ),
    ));
}

/// Of a column with several effects: puts the largest one first, as the column's own, and in words.
fn name_largest(
    assessment: &mut Assessment,
    drift: &Drift,
    reference: &Summarised<'_>,
    current: &Summarised<'_>,
) {
    let Some(largest) = assessment.largest_effect().copied() else { return };
    let Some(measure) = assessment.measures.iter().find(|measure| measure.name == largest.of) else { return };
    let named = Measure { name: "psi".into(), ..measure.clone() };
    assessment.measures.insert(0, named);
    let reason = "of all that is compared of such a column, the largest change";
    assessment.distribution.method = Some(MethodChoice {
        name: "psi".into(),
        reason: match drift.method {
            DriftMethod::Auto => reason.into(),
            other => format!("`{}` is not for such a column; {reason}", String::from(other)),
        },
    });
    if let Profile::Text(_) = &*reference.profile {
        let mut effects = assessment.effects.clone();
        effects.retain(|effect| effect.news() >= NAMED_FROM * largest.news());
        effects.sort_by(|a, b| b.news().total_cmp(&a.news()));
        let named = effects.iter().map(|effect| effect.of).take(EFFECTS_NAMED);
        assessment.change = text::change_in_words(named, &reference.ecdfs, &current.ecdfs);
    }
}

/// The chi-square statistic as a measure; `why` says why this test was chosen, where that is not plain.
fn chi_square_measure(test: &ChiSquare, why: &str) -> Measure {
    let freedom = test.degrees_of_freedom;
    let method = format!("two-sample test of homogeneity, {freedom} degrees of freedom{why}");
    Measure {
        expected_by_chance: Some(freedom as f64),
        p_value: Some(test.p_value),
        ..Measure::new("chi_square", test.statistic, test.n_current, method)
    }
}

/// Adds the change of the missing share, which every kind of column has.
fn add_missing(assessment: &mut Assessment, reference: &Profile, current: &Profile) {
    let share = |profile: &Profile| Proportion::new(profile.missing(), profile.rows());
    let (Ok(before), Ok(now)) = (share(reference), share(current)) else {
        return;
    };
    assessment.distribution.reference_missing = before.share();
    assessment.distribution.current_missing = now.share();
    let test = two_proportion_z_test(before, now, Level::P95);
    assessment.measures.push(Measure {
        interval: Some(test.interval),
        expected_by_chance: Some(0.0),
        p_value: Some(test.p_value),
        ..Measure::new(
            "missing_share_change",
            test.difference,
            current.rows(),
            "difference of shares; two-proportion z-test",
        )
    });
    assessment.missing = Some(test);
}

fn finding(
    scope: Scope<'_>,
    watched: &Watched,
    mut assessment: Assessment,
    p_values: Significance,
) -> Finding {
    let drift = &scope.definition.monitor.drift;
    let changes = Changes::of(&scope.definition.monitor, &assessment);
    for measure in &mut assessment.measures {
        if measure.p_value.is_some() {
            measure.p_adjusted = match measure.name.as_str() {
                "missing_share_change" => p_values.missing,
                "kolmogorov_smirnov" | "chi_square" => p_values.distribution,
                // Further tests of the same columns decide nothing, and are in no family.
                _ => None,
            };
        }
    }
    let told_apart =
        assessment.told_apart.iter().flat_map(|_| auc_thresholds(&scope.definition.monitor.multivariate));
    let thresholds = thresholds(drift, &assessment).into_iter().chain(told_apart).collect();
    Finding {
        check: CheckId::Drift,
        subject: watched.subject.clone(),
        verdict: changes.verdict(),
        window: scope.window,
        reference: spanned(scope.against),
        summary: words::summary(scope.definition.log.output(), &watched.subject, &assessment, &changes),
        measures: assessment.measures,
        unmeasured: assessment.unmeasured,
        thresholds,
        detail: Some(Detail::Distribution(assessment.distribution)),
        owner: None,
        sequential: assessment.sequential,
    }
}

/// What the sizes and the significance were held against.
fn thresholds(drift: &Drift, assessment: &Assessment) -> Vec<Threshold> {
    let at_most = |measure: String, at_most: f64, key: &str| Threshold {
        measure,
        at_least: None,
        at_most: Some(at_most),
        from: format!("monitor.drift.{key}"),
    };
    let mut thresholds = Vec::new();
    match &assessment.peer {
        Some(Ok(said)) => {
            let name = drift.method.peer().map(Peer::name).unwrap_or_default();
            thresholds.push(peer::threshold(&name, said));
        }
        Some(Err(_)) => {}
        None => {
            let distance = assessment.largest_effect().map_or(Distance::Psi, |effect| effect.distance);
            let (warn, fail) = drift.limits(distance);
            let size =
                |verdict: &str| format!("{} above chance and what is usual ({verdict})", distance.measure());
            thresholds.push(at_most(size("fail"), fail, "fail"));
            thresholds.push(at_most(size("warn"), warn, "warn"));
        }
    }
    let shares = "missing_share_change, unseen_share".to_owned();
    thresholds.push(at_most(shares, drift.share_fail, "share_fail"));
    let alarms = "probability of any false alarms, ever".to_owned();
    thresholds.push(at_most(alarms, drift.false_alarms, "false_alarms"));
    thresholds
}

fn unknown(scope: Scope<'_>, watched: &Watched, unassessed: &Unassessed) -> Finding {
    Finding {
        check: CheckId::Drift,
        subject: watched.subject.clone(),
        verdict: Verdict::Unknown,
        window: scope.window,
        reference: spanned(scope.against),
        summary: format!(
            "Whether `{}` drifted is not known: {}.",
            watched.subject.label(),
            unassessed.reason
        ),
        measures: vec![],
        unmeasured: vec![Unmeasured { name: "psi".into(), reason: unassessed.reason.clone() }],
        thresholds: vec![],
        detail: None,
        owner: None,
        sequential: None,
    }
}

/// From the beginning of the first window to the end of the last one.
fn spanned(windows: &[Window]) -> Option<Window> {
    let from = windows.iter().map(Window::from).min()?;
    let to = windows.iter().map(Window::to).max()?;
    Window::new(from, to).ok()
}

/// The verdict on each way in which a column can change.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Changes {
    pub(crate) distribution: Verdict,
    pub(crate) missing: Verdict,
    pub(crate) unseen: Verdict,
}

impl Changes {
    fn of(monitor: &Monitor, assessment: &Assessment) -> Self {
        let drift = &monitor.drift;
        let significant = |stream: &str| {
            let sequential = assessment.sequential.as_ref();
            let stream = sequential.and_then(|sequential| sequential.stream(stream));
            stream.is_some_and(|stream| stream.adjusted <= drift.false_alarms)
        };
        let sized = |surely: bool, effect: f64, warn: f64, fail: f64| {
            if !surely || effect < warn {
                Verdict::Pass
            } else if effect < fail {
                Verdict::Warn
            } else {
                Verdict::Fail
            }
        };
        let any = |streams: &[&str]| streams.iter().any(|stream| significant(stream));
        let missing_change = assessment.missing.as_ref().map_or(0.0, |test| test.difference.abs());
        let (share_warn, share_fail) = (drift.share_fail / 2.0, drift.share_fail);
        // That a window has no value at all is no swing of chance, however much windows of the reference swing: where
        // an outage lies within the reference, it must not excuse the next one.
        let is_gone = assessment.distribution.current_missing >= 1.0
            && missing_change >= share_fail
            && assessment.missing.as_ref().is_some_and(|test| test.p_value <= drift.false_alarms);
        let by_effect = assessment.effects.iter().map(|effect| {
            let (warn, fail) = drift.limits(effect.distance);
            sized(any(effect.streams), effect.news(), warn, fail)
        });
        // A classifier can find a change large that moves the projections little, but never surely.
        let together = &monitor.multivariate;
        let surely = assessment.effects.iter().any(|effect| any(effect.streams));
        let by_classifier =
            assessment.told_apart.map(|lower| sized(surely, lower, together.auc_warn, together.auc_fail));
        Self {
            distribution: match &assessment.peer {
                Some(Ok(said)) if said.drifted => Verdict::Fail,
                Some(Ok(_)) => Verdict::Pass,
                Some(Err(_)) => Verdict::Unknown,
                None => by_effect.chain(by_classifier).max().unwrap_or(Verdict::Pass),
            },
            missing: sized(is_gone || significant(alarm::MISSING), missing_change, share_warn, share_fail),
            unseen: sized(
                significant(assessment.unseen_stream),
                assessment.unseen_excess,
                share_warn,
                share_fail,
            ),
        }
    }

    pub(crate) fn verdict(&self) -> Verdict {
        self.distribution.max(self.missing).max(self.unseen)
    }
}

#[cfg(test)]
mod tests;
