//! All columns together: is there a shift that no single column shows?
//!
//! Two looks at a sample of the window's rows and one of the reference's. `classifier` tries to tell
//! them apart, and the columns that it needs for that give a shift away. `reconstruction` rebuilds rows
//! from what the reference's columns have in common. Windows of the reference differ from it too (a week
//! has its own weather), so a window is held against what some of those show.

mod classifier;
mod reconstruction;

use std::borrow::Cow;

use rand_core::RngCore;
use serde::{Deserialize, Serialize};
use types::answer::{RowSample, SampledValues};
use types::definition::compared_columns;
use types::finding::Unmeasured;
use types::nearest::listed;
use types::{Answers, CheckId, Definition, Detail, Finding, Question, Schema, Subject, Verdict, Window};

pub(crate) use classifier::{auc_thresholds, classifier_options};

use classifier::told_apart;
use reconstruction::rebuilt;

/// Windows of the reference that are looked at to learn what is usual; the last ones.
const USUAL_WINDOWS: usize = 4;
/// Columns that a sentence names before it counts.
const COLUMNS_NAMED: usize = 5;

/// What is looked at.
#[derive(Clone, Copy, Debug)]
pub struct MultivariateScope<'a> {
    pub definition: &'a Definition,
    pub schema: &'a Schema,
    pub window: Window,
    /// What the window is compared against.
    pub against: &'a [Window],
}

/// What windows of the reference show when they are held against all of it; `None` where there are none, or
/// too few rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct UsualTogether {
    /// The largest AUC with which one can be told from all of it.
    auc: Option<f64>,
    /// The largest change of the reconstruction error, up or down, as a share of the reference's.
    reconstruction_change: Option<f64>,
}

/// What to measure; nothing where it is switched off or there are no features.
pub fn plan(scope: MultivariateScope<'_>) -> Vec<Question> {
    let mut questions = plan_usual(scope, &[]);
    if scope.definition.monitor.multivariate.enabled {
        questions.extend(sample_question(scope.definition, scope.schema, scope.window, false));
    }
    questions
}

/// What it takes to say how much windows of the reference differ from all of it.
pub fn plan_usual(scope: MultivariateScope<'_>, usual: &[Window]) -> Vec<Question> {
    if !scope.definition.monitor.multivariate.enabled {
        return Vec::new();
    }
    let windows = scope.against.iter().chain(shown(usual));
    windows.filter_map(|&window| sample_question(scope.definition, scope.schema, window, false)).collect()
}

/// How much windows of the reference differ from all of it; `usual` are its windows, as
/// [`crate::usual_windows`] says.
pub fn usual(
    scope: MultivariateScope<'_>,
    usual: &[Window],
    answers: &Answers,
    rng: &mut impl RngCore,
) -> UsualTogether {
    let reference = joined(scope.against.iter().filter_map(|&window| sampled(scope, window, answers)));
    let (Some(reference), true) = (reference, scope.definition.monitor.multivariate.enabled) else {
        return UsualTogether::default();
    };
    let windows = || shown(usual).iter().filter_map(|&window| sampled(scope, window, answers));
    let areas = windows().filter_map(|window| Some(told_apart(&reference, window, rng).ok()?.area()));
    let auc = areas.reduce(f64::max);
    let changes = windows().filter_map(|window| Some(rebuilt(&reference, window).ok()?.change().abs()));
    UsualTogether { auc, reconstruction_change: changes.reduce(f64::max) }
}

fn shown(usual: &[Window]) -> &[Window] {
    &usual[usual.len().saturating_sub(USUAL_WINDOWS)..]
}

/// Some rows of a window with their features; `None` where the log has no feature that can be compared.
pub(crate) fn sample_question(
    definition: &Definition,
    schema: &Schema,
    window: Window,
    outcomes: bool,
) -> Option<Question> {
    let rows = definition.monitor.multivariate.rows;
    let columns = compared_columns(definition, schema);
    (!columns.is_empty()).then_some(Question::Sample { features: columns, rows, outcomes, window })
}

fn sampled<'a>(scope: MultivariateScope<'_>, window: Window, answers: &'a Answers) -> Option<&'a RowSample> {
    answers.sample(&sample_question(scope.definition, scope.schema, window, false)?)
}

/// What the answers mean; `None` where it is switched off. `usual` is what [`usual()`] says.
pub fn judge(
    scope: MultivariateScope<'_>,
    usual: UsualTogether,
    answers: &Answers,
    rng: &mut impl RngCore,
) -> Option<Finding> {
    let settings = &scope.definition.monitor.multivariate;
    if !settings.enabled {
        return None;
    }
    let mut finding = Finding::blank(CheckId::Multivariate, Subject::Log, Verdict::Unknown, scope.window);
    let reference = joined(scope.against.iter().filter_map(|&window| sampled(scope, window, answers)));
    let mut left_out = Vec::new();
    let (told, rebuilt) = match (reference, sampled(scope, scope.window, answers)) {
        (Some(reference), Some(current)) => {
            left_out = one_sided(&reference, current);
            let (reference, current) = (without(&reference, &left_out), without(current, &left_out));
            (told_apart(&reference, &current, rng), rebuilt(&reference, &current))
        }
        _ => (Err("rows were not sampled".to_owned()), Err("rows were not sampled".to_owned())),
    };
    let mut words = Vec::new();
    let mut verdicts = [None; 2];
    match &told {
        Ok(told) => {
            let features = told.features();
            verdicts[0] = Some(told.verdict(settings, usual.auc));
            words.push(told.words(usual.auc, &features));
            finding.measures.extend(told.measures(usual.auc));
            finding.thresholds.extend(auc_thresholds(settings));
            finding.detail = Some(Detail::Multivariate { features });
        }
        Err(reason) => finding.unmeasured.push(missing(classifier::NAME, reason)),
    }
    match &rebuilt {
        Ok(rebuilt) => {
            let verdict = rebuilt.verdict(settings, usual.reconstruction_change);
            verdicts[1] = Some(verdict);
            words.push(rebuilt.words(verdict, usual.reconstruction_change));
            finding.measures.extend(rebuilt.measures(usual.reconstruction_change));
            finding.thresholds.extend(rebuilt.thresholds(settings));
        }
        Err(reason) => finding.unmeasured.push(missing(reconstruction::NAME, reason)),
    }
    finding.verdict = together(verdicts);
    if let Err(reason) = told {
        words.insert(0, format!("Whether all columns together shifted is not known: {reason}."));
    }
    if !left_out.is_empty() {
        words.push(format!(
            "Left out, because only one side has values: {}.",
            listed(left_out.iter().map(String::as_str), COLUMNS_NAMED)
        ));
    }
    words.extend(advice(finding.verdict).map(str::to_owned));
    finding.summary = words.join(" ");
    Some(finding)
}

/// Columns with values on one side alone, new ones, dead ones or of another type. They are told by themselves, and
/// they would give every row away, so that nothing could be said of the others.
fn one_sided(reference: &RowSample, current: &RowSample) -> Vec<String> {
    let columns = reference.columns.iter().zip(&current.columns);
    let one_sided = columns.filter(|(before, now)| has_value(&before.values) != has_value(&now.values));
    one_sided.map(|(_, now)| now.name.clone()).collect()
}

fn has_value(values: &SampledValues) -> bool {
    match values {
        SampledValues::Numbers(values) => values.iter().any(|value| !value.is_nan()),
        SampledValues::Categories(values) => values.iter().any(Option::is_some),
        // Vectors are in neither look.
        SampledValues::Vectors(_) => true,
    }
}

fn without<'a>(sample: &'a RowSample, left_out: &[String]) -> Cow<'a, RowSample> {
    if left_out.is_empty() {
        return Cow::Borrowed(sample);
    }
    let mut sample = sample.clone();
    sample.columns.retain(|column| !left_out.contains(&column.name));
    Cow::Owned(sample)
}

/// The verdict of the classifier and of the reconstruction error. Without the classifier, which sees every
/// shift, the other cannot say that there is none.
fn together(verdicts: [Option<Verdict>; 2]) -> Verdict {
    match verdicts {
        [Some(told), rebuilt] => rebuilt.map_or(told, |rebuilt| told.max(rebuilt)),
        [None, Some(Verdict::Fail)] => Verdict::Fail,
        [None, _] => Verdict::Unknown,
    }
}

fn advice(verdict: Verdict) -> Option<&'static str> {
    match verdict {
        Verdict::Fail => {
            Some("The inputs are not those that the model was approved for: look at these columns together.")
        }
        Verdict::Warn => Some("Look at these columns together."),
        _ => None,
    }
}

fn missing(name: &str, reason: &str) -> Unmeasured {
    Unmeasured { name: name.into(), reason: reason.into() }
}

/// One sample of several; `None` of none.
pub(crate) fn joined<'a>(mut samples: impl Iterator<Item = &'a RowSample>) -> Option<RowSample> {
    let mut whole = samples.next()?.clone();
    samples.for_each(|sample| whole.append(sample));
    Some(whole)
}

#[cfg(test)]
mod tests;
