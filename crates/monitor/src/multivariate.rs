//! All columns together: is there a shift that no single column shows?
//!
//! A classifier tries to tell a sample of the window's rows from a sample of the reference's. What it
//! achieves on rows that it has not seen is the size of the shift, and the columns that it needs for that
//! give it away. Windows of the reference can be told apart too (a week has its own weather), so the window is
//! held against what the classifier achieves on some of those.

use rand_core::RngCore;
use stats::domain_classifier::{DomainOptions, DomainShift, domain_classifier};
use stats::interval::Level;
use stats::learn::{Loss, Options};
use types::answer::RowSample;
use types::column::ColumnKind;
use types::definition::features;
use types::finding::{FeatureWeight, Threshold, Unmeasured};
use types::format::{number, percent};
use types::nearest::listed;
use types::{
    Answers, CheckId, Definition, Detail, Finding, Measure, Question, Schema, Subject, Verdict, Window,
};

use crate::samples::Samples;

/// Windows of the reference that are looked at to learn what is usual; the last ones.
const USUAL_WINDOWS: usize = 4;
/// Features that are kept with the finding.
const FEATURES_KEPT: usize = 10;
/// Features that the sentence names.
const FEATURES_NAMED: usize = 3;
/// By as much a window must surely be easier to tell apart than one of the reference, for an alarm.
const NEWS_LEAST: f64 = 0.05;
/// A drop of the AUC below this is noise.
const DROP_LEAST: f64 = 0.005;

/// What is looked at.
#[derive(Clone, Copy, Debug)]
pub struct MultivariateScope<'a> {
    pub definition: &'a Definition,
    pub schema: &'a Schema,
    pub window: Window,
    /// What the window is compared against.
    pub against: &'a [Window],
}

/// What to measure; nothing where it is switched off or there are no features.
pub fn plan(scope: MultivariateScope<'_>) -> Vec<Question> {
    let mut questions = plan_usual(scope, &[]);
    if scope.definition.monitor.multivariate.enabled {
        questions.extend(sample_question(scope.definition, scope.schema, scope.window, false));
    }
    questions
}

/// What it takes to say how well windows of the reference can be told from all of it.
pub fn plan_usual(scope: MultivariateScope<'_>, usual: &[Window]) -> Vec<Question> {
    if !scope.definition.monitor.multivariate.enabled {
        return Vec::new();
    }
    let windows = scope.against.iter().chain(shown(usual));
    windows.filter_map(|&window| sample_question(scope.definition, scope.schema, window, false)).collect()
}

/// The largest AUC with which a window of the reference can be told from all of it; `usual` are its
/// windows, as [`crate::usual_windows`] says. `None` where there are none, or too few rows.
pub fn usual_auc(
    scope: MultivariateScope<'_>,
    usual: &[Window],
    answers: &Answers,
    rng: &mut impl RngCore,
) -> Option<f64> {
    if !scope.definition.monitor.multivariate.enabled {
        return None;
    }
    let sampled = |window: Window| {
        let question = sample_question(scope.definition, scope.schema, window, false)?;
        answers.sample(&question)
    };
    let reference = joined(scope.against.iter().filter_map(|&window| sampled(window)))?;
    let areas = shown(usual)
        .iter()
        .filter_map(|&window| Some(told_apart(&reference, sampled(window)?, rng).ok()?.0.area));
    areas.reduce(f64::max)
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
    let columns: Vec<(String, ColumnKind)> = features(definition, schema)
        .into_iter()
        .filter_map(|name| schema.column(name))
        .filter(|column| matches!(column.kind, ColumnKind::Numeric | ColumnKind::Categorical))
        .map(|column| (column.name.clone(), column.kind))
        .collect();
    let rows = definition.monitor.multivariate.rows;
    (!columns.is_empty()).then_some(Question::Sample { features: columns, rows, outcomes, window })
}

/// What the answers mean; `None` where it is switched off. `usual` is what [`usual_auc`] says.
pub fn judge(
    scope: MultivariateScope<'_>,
    usual: Option<f64>,
    answers: &Answers,
    rng: &mut impl RngCore,
) -> Option<Finding> {
    let settings = &scope.definition.monitor.multivariate;
    if !settings.enabled {
        return None;
    }
    let mut finding = Finding::blank(CheckId::Multivariate, Subject::Log, Verdict::Unknown, scope.window);
    let sampled = |window: Window| {
        let question = sample_question(scope.definition, scope.schema, window, false)?;
        answers.sample(&question)
    };
    let reference = joined(scope.against.iter().filter_map(|&window| sampled(window)));
    let (Some(reference), Some(current)) = (reference, sampled(scope.window)) else {
        return Some(unmeasured(finding, "rows were not sampled".into()));
    };
    let (shift, names) = match told_apart(&reference, current, rng) {
        Ok(shift) => shift,
        Err(reason) => return Some(unmeasured(finding, reason)),
    };
    let features: Vec<FeatureWeight> = shift
        .columns
        .iter()
        .filter(|column| column.area_drop > DROP_LEAST)
        .take(FEATURES_KEPT)
        .map(|column| FeatureWeight { name: names[column.column].clone(), auc_drop: column.area_drop })
        .collect();
    // A window that can be told apart no better than one of the reference shows nothing new.
    let lower = shift.interval.lower;
    let news = usual.map_or(f64::INFINITY, |usual| lower - usual);
    finding.verdict = if lower >= settings.auc_fail && news >= NEWS_LEAST {
        Verdict::Fail
    } else if lower >= settings.auc_warn && news > 0.0 {
        Verdict::Warn
    } else {
        Verdict::Pass
    };
    finding.summary = summary(finding.verdict, &shift, usual, &features);
    finding.measures = measures(&shift, usual);
    finding.thresholds = auc_thresholds(scope.definition).into();
    finding.detail = Some(Detail::Multivariate { features });
    Some(finding)
}

/// What an AUC is held against.
pub(crate) fn auc_thresholds(definition: &Definition) -> [Threshold; 2] {
    let settings = &definition.monitor.multivariate;
    [(settings.auc_fail, "auc_fail"), (settings.auc_warn, "auc_warn")].map(|(at_most, key)| Threshold {
        measure: "domain_classifier_auc".into(),
        at_least: None,
        at_most: Some(at_most),
        from: format!("monitor.multivariate.{key}"),
    })
}

fn unmeasured(finding: Finding, reason: String) -> Finding {
    Finding {
        summary: format!("Whether all columns together shifted is not known: {reason}."),
        unmeasured: vec![Unmeasured { name: "domain_classifier_auc".into(), reason }],
        ..finding
    }
}

/// One sample of several; `None` of none.
pub(crate) fn joined<'a>(mut samples: impl Iterator<Item = &'a RowSample>) -> Option<RowSample> {
    let mut whole = samples.next()?.clone();
    samples.for_each(|sample| whole.append(sample));
    Some(whole)
}

fn told_apart(
    reference: &RowSample,
    current: &RowSample,
    rng: &mut impl RngCore,
) -> Result<(DomainShift, Vec<String>), String> {
    let samples = Samples::of(reference, current);
    let rows = |range: std::ops::Range<usize>| samples.features(&range.collect::<Vec<usize>>());
    let before = rows(0..reference.rows()).map_err(|error| error.to_string())?;
    let now = rows(reference.rows()..samples.all().end).map_err(|error| error.to_string())?;
    let shift = domain_classifier(&before, &now, &classifier_options(), Level::P95, rng)
        .map_err(|error| error.to_string())?;
    Ok((shift, samples.names().to_vec()))
}

/// How rows are told apart.
pub(crate) fn classifier_options() -> DomainOptions {
    let learner = Options { trees: 25, leaves_max: 8, ..Options::new(Loss::Logistic) };
    DomainOptions { folds: 3, learner }
}

fn measures(shift: &DomainShift, usual: Option<f64>) -> Vec<Measure> {
    let auc = Measure {
        interval: Some(shift.interval),
        expected_by_chance: Some(0.5),
        p_value: Some(shift.p_value),
        ..Measure::new(
            "domain_classifier_auc",
            shift.area,
            shift.n_current,
            format!(
                "cross-validated AUC of boosted trees that tell the window from {} rows of the reference",
                shift.n_reference
            ),
        )
    };
    let usual = usual.map(|usual| {
        let method =
            format!("largest AUC of up to {USUAL_WINDOWS} windows of the reference against all of it");
        Measure::new("reference_domain_classifier_auc", usual, shift.n_reference, method)
    });
    std::iter::once(auc).chain(usual).collect()
}

fn summary(verdict: Verdict, shift: &DomainShift, usual: Option<f64>, features: &[FeatureWeight]) -> String {
    let told = format!(
        "A classifier tells rows of this window from those of the reference with an AUC of {} ({} interval {} to {}; 0.5 is chance)",
        number(shift.area),
        percent(shift.interval.level.get()),
        number(shift.interval.lower),
        number(shift.interval.upper)
    );
    let usual = usual.map_or_else(String::new, |usual| {
        format!(", a window of the reference with up to {}", number(usual))
    });
    let by = if features.is_empty() {
        String::new()
    } else {
        let names = listed(features.iter().map(|feature| feature.name.as_str()), FEATURES_NAMED);
        format!(" It does so by {names}.")
    };
    let advice = match verdict {
        Verdict::Fail => {
            " The inputs are not those that the model was approved for: look at these columns together."
        }
        Verdict::Warn => " Look at these columns together.",
        _ => "",
    };
    format!("{told}{usual}.{by}{advice}")
}
