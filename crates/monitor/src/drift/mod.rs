//! Drift: does a column's distribution differ from the reference, enough to matter and surely?
//!
//! A verdict needs both an effect and significance. The effect is the population stability index
//! above what chance gives, the change of the missing share, or the share of values never seen in
//! the reference. Significance is that of the module `alarm`: it holds over all columns and all weeks, so that
//! with probability 1 − `monitor.drift.false_alarms` there is never a false one. A million
//! rows alone raise no alarm (no effect), nor do a hundred columns or a hundred weeks (no significance).

mod alarm;
mod binned;
mod categorical;
mod numeric;
pub(crate) mod outcome;
mod words;

use stats::bins::QuantileBins;
use stats::chi_square::ChiSquare;
use stats::false_discovery::benjamini_hochberg;
use stats::interval::Level;
use stats::proportion::{Proportion, ProportionTest, two_proportion_z_test};
use stats::sketch::Profile;
use types::definition::{Against, Drift};
use types::finding::{Distribution, Sequential, Threshold, Unmeasured};
use types::{Answers, CheckId, Detail, Finding, Measure, Verdict, Window};

use self::alarm::Binned;
use crate::parallel::in_parallel;
use crate::usual::UsualColumn;
use crate::{Scope, Summarised, Watched, is_measured, watched};

/// Bins of a numeric column: deciles of the reference, with open ends.
const BINS: usize = 10;

/// What was measured of one column.
#[derive(Clone, Debug)]
pub(crate) struct Assessment {
    pub(crate) measures: Vec<Measure>,
    pub(crate) unmeasured: Vec<Unmeasured>,
    /// Of the test whether the values are distributed as in the reference.
    pub(crate) distribution_p: Option<f64>,
    pub(crate) sequential: Option<Sequential>,
    /// The population stability index less its expectation by chance, not below 0.
    pub(crate) psi_excess: f64,
    /// The most of it that a window of the reference shows.
    pub(crate) psi_usual: f64,
    /// The share of current rows with a value never seen in the reference, less what chance brings.
    pub(crate) unseen_excess: f64,
    pub(crate) missing: Option<ProportionTest>,
    pub(crate) distribution: Distribution,
    /// What changed, in words, without the verdict: "higher: median 78 against 39".
    pub(crate) change: String,
}

/// Why a column could not be assessed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Unassessed {
    pub(crate) reason: String,
}

/// Findings about every watched column, worst first.
pub fn judge(scope: Scope<'_>, answers: &Answers) -> Vec<Finding> {
    let watched = watched(scope.definition, scope.schema);
    let assessed = in_parallel(&watched, |watched| assess(scope, watched, answers));
    judged(scope, watched.into_iter().zip(assessed).collect())
}

/// A finding about the outcome, which is a family of its own because it is known later than the others.
pub fn judge_outcome(scope: Scope<'_>, answers: &Answers) -> Option<Finding> {
    let assessed = outcome::assessed(scope, answers)?;
    judged(scope, vec![assessed]).pop()
}

/// Verdicts on columns that are looked at together.
fn judged(scope: Scope<'_>, mut columns: Vec<(Watched, Result<Assessment, Unassessed>)>) -> Vec<Finding> {
    alarm::adjust(columns.iter_mut().filter_map(|(_, assessed)| assessed.as_mut().ok()?.sequential.as_mut()));
    let p_values = adjusted_p_values(columns.iter().map(|(_, assessed)| assessed.as_ref().ok()));
    let mut findings: Vec<(f64, Finding)> = columns
        .into_iter()
        .zip(p_values)
        .map(|((watched, assessed), p_values)| match assessed {
            Ok(assessment) => (assessment.psi_excess, finding(scope, &watched, assessment, p_values)),
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

fn assess(scope: Scope<'_>, watched: &Watched, answers: &Answers) -> Result<Assessment, Unassessed> {
    let unassessed = |reason: String| Unassessed { reason };
    if !is_measured(watched.kind) {
        return Err(unassessed(format!(
            "columns of type {} are not measured; list the features to leave it out",
            watched.type_name
        )));
    }
    let not_measured = || unassessed("the column was not measured".into());
    let reference = watched.profile(answers, scope.against).ok_or_else(not_measured)?;
    let current = watched.profile(answers, &[scope.window]).ok_or_else(not_measured)?;
    compared(scope, watched, &reference, &current)
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
    let mut assessment = match (before, &reference.ecdf, &current.ecdf, now) {
        (_, Some(before), Some(now), _) => numeric::assess(before, now),
        (Profile::Categorical(before), _, _, Profile::Categorical(now)) => categorical::assess(before, now),
        _ => return Err(unassessed("it is a number in one window and text in the other".into())),
    };
    add_missing(&mut assessment, before, now);
    let streams = streams(reference, current);
    let fixed = drift.against == Against::Reference;
    let known = scope.history.of(&watched.subject);
    let usual = scope.usual.of(&watched.subject);
    assessment.sequential = alarm::advanced(known, scope.every, fixed, &streams, usual);
    if let Some(usual) = usual {
        add_usual(&mut assessment, usual);
    }
    Ok(assessment)
}

/// Two profiles of a column, as far as it takes to see what is usual.
#[derive(Clone, Debug)]
pub(crate) struct Comparison {
    /// The population stability index less its expectation by chance, not below 0.
    pub(crate) psi_excess: Option<f64>,
    pub(crate) streams: Vec<(&'static str, Binned)>,
}

/// Compares a part of the reference with all of it; `None` where they are not of one kind.
pub(crate) fn comparison(whole: &Summarised<'_>, part: &Summarised<'_>) -> Option<Comparison> {
    let counts = match (&*whole.profile, &whole.ecdf, &part.ecdf, &*part.profile) {
        (_, Some(whole), Some(part), _) => {
            let bins = QuantileBins::from_reference(whole, BINS).ok();
            bins.map(|bins| (bins.counts(whole), bins.counts(part)))
        }
        (Profile::Categorical(whole), _, _, Profile::Categorical(part)) => {
            Some(categorical::pooled_counts(&whole.values, &part.values))
        }
        _ => return None,
    };
    let psi_excess = counts.and_then(|(whole, part)| binned::psi_excess(&whole, &part));
    Some(Comparison { psi_excess, streams: streams(whole, part) })
}

/// The tests of a column that are repeated from window to window.
fn streams(reference: &Summarised<'_>, current: &Summarised<'_>) -> Vec<(&'static str, Binned)> {
    let mut streams = vec![(alarm::MISSING, Binned::missing(&reference.profile, &current.profile))];
    let values = match (&*reference.profile, &reference.ecdf, &current.ecdf, &*current.profile) {
        (_, Some(before), Some(now), _) => {
            QuantileBins::from_reference(before, BINS).ok().map(|bins| Binned::numbers(&bins, before, now))
        }
        (Profile::Categorical(before), _, _, Profile::Categorical(now)) => {
            Some(Binned::categories(&before.values, &now.values))
        }
        _ => None,
    };
    streams.extend(values.map(|binned| (alarm::DISTRIBUTION, binned)));
    streams
}

/// Says what is usual, and takes it off the effect.
fn add_usual(assessment: &mut Assessment, usual: &UsualColumn) {
    assessment.psi_usual = usual.psi_most;
    assessment.measures.push(Measure::new(
        "psi_usual",
        usual.psi_most,
        usual.windows as u64,
        format!(
            "nine in ten of the {} windows of the reference have at most this PSI above chance",
            usual.windows
        ),
    ));
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
    let changes = Changes::of(drift, &assessment);
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
    let from = |key: &str| format!("monitor.drift.{key}");
    let at_most = |measure: &str, at_most: f64, key: &str| Threshold {
        measure: measure.into(),
        at_least: None,
        at_most: Some(at_most),
        from: from(key),
    };
    Finding {
        check: CheckId::Drift,
        subject: watched.subject.clone(),
        verdict: changes.verdict(),
        window: scope.window,
        reference: spanned(scope.against),
        summary: words::summary(&watched.subject, &assessment, &changes),
        measures: assessment.measures,
        unmeasured: assessment.unmeasured,
        thresholds: vec![
            at_most("psi above chance and what is usual (fail)", drift.psi_fail, "psi_fail"),
            at_most("psi above chance and what is usual (warn)", drift.psi_warn, "psi_warn"),
            at_most("missing_share_change, unseen_share", drift.share_fail, "share_fail"),
            at_most("probability of any false alarms, ever", drift.false_alarms, "false_alarms"),
        ],
        detail: Some(Detail::Distribution(assessment.distribution)),
        sequential: assessment.sequential,
    }
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
    fn of(drift: &Drift, assessment: &Assessment) -> Self {
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
        let distribution = significant(alarm::DISTRIBUTION);
        let missing_change = assessment.missing.as_ref().map_or(0.0, |test| test.difference.abs());
        let (share_warn, share_fail) = (drift.share_fail / 2.0, drift.share_fail);
        Self {
            distribution: sized(
                distribution,
                assessment.psi_excess - assessment.psi_usual,
                drift.psi_warn,
                drift.psi_fail,
            ),
            missing: sized(significant(alarm::MISSING), missing_change, share_warn, share_fail),
            unseen: sized(distribution, assessment.unseen_excess, share_warn, share_fail),
        }
    }

    pub(crate) fn verdict(&self) -> Verdict {
        self.distribution.max(self.missing).max(self.unseen)
    }
}

#[cfg(test)]
mod tests;
