//! The rows of the window that are looked at one by one, beside those of the reference.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Range;

use stats::interval::Level;
use stats::learn::Features;
use stats::mean_loss::mean_loss;
use types::answer::{SampledColumn, SampledValues};
use types::cases::{Cases, Outputs};
use types::definition::{Segment, compared_columns};
use types::detail::Driver;
use types::format::{counted, percent};
use types::loss::RowLoss;
use types::measure::value_text;
use types::nearest::listed;
use types::samples::Samples;
use types::{Answers, Measure, Question};

use crate::Scope;

/// Rows that a model of the errors is learnt from at most: rows come in random order, and the next ones would
/// only make its intervals shorter.
pub(crate) const LEARNER_ROWS: usize = 20_000;

/// The questions that [`Rows::of`] needs answered.
pub(crate) fn plan(scope: Scope<'_>) -> [Question; 2] {
    [window_cases(scope), reference_cases(scope)]
}

fn window_cases(scope: Scope<'_>) -> Question {
    Question::Cases {
        features: compared_columns(scope.definition, scope.schema),
        segments: scope.definition.log.segments.clone(),
        also: also(scope),
        rows: scope.definition.evaluate.rows,
        window: scope.window,
    }
}

fn reference_cases(scope: Scope<'_>) -> Question {
    Question::Cases {
        features: compared_columns(scope.definition, scope.schema),
        segments: Vec::new(),
        also: Vec::new(),
        rows: scope.definition.evaluate.rows.min(LEARNER_ROWS as u32),
        window: scope.reference,
    }
}

/// Columns of numbers beside the features: predicted quantiles, then the predictions of another version.
fn also(scope: Scope<'_>) -> Vec<String> {
    let quantiles = quantile_levels(scope).into_iter().map(|(_, column)| column.to_owned());
    let other = scope.definition.evaluate.comparison.iter().flat_map(|comparison| comparison.columns());
    quantiles.chain(other.map(str::to_owned)).collect()
}

/// The levels of the predicted quantiles, ascending, with their columns.
pub(crate) fn quantile_levels(scope: Scope<'_>) -> Vec<(f64, &str)> {
    let quantiles = &scope.definition.log.quantiles;
    let mut levels: Vec<(f64, &str)> =
        quantiles.iter().filter_map(|(level, column)| Some((level.parse().ok()?, column.as_str()))).collect();
    levels.sort_by(|a, b| a.0.total_cmp(&b.0));
    levels
}

/// The rows, what each lost, and their inputs.
pub(crate) struct Rows<'a> {
    pub(crate) scope: Scope<'a>,
    pub(crate) cases: &'a Cases,
    pub(crate) losses: Vec<f64>,
    pub(crate) reference_losses: Vec<f64>,
    samples: Samples,
}

impl<'a> Rows<'a> {
    /// `None` where they were not asked for.
    pub(crate) fn of(scope: Scope<'a>, answers: &'a Answers) -> Option<Self> {
        let cases = answers.cases(&window_cases(scope))?;
        let reference = answers.cases(&reference_cases(scope))?;
        Some(Self {
            scope,
            cases,
            losses: losses(scope, cases),
            reference_losses: losses(scope, reference),
            samples: Samples::of(&reference.features, &cases.features),
        })
    }

    pub(crate) fn loss(&self) -> RowLoss {
        self.scope.definition.evaluate.loss
    }

    pub(crate) fn n(&self) -> u64 {
        self.losses.len() as u64
    }

    pub(crate) fn mean_loss(&self) -> f64 {
        self.losses.iter().sum::<f64>() / self.losses.len().max(1) as f64
    }

    /// A mean loss in its unit.
    pub(crate) fn loss_text(&self, mean: f64) -> String {
        value_text(self.loss().mean_name(), mean)
    }

    pub(crate) fn feature_names(&self) -> &[String] {
        self.samples.names()
    }

    /// What a code of a column of categories stands for.
    pub(crate) fn category(&self, column: usize, code: u32) -> Option<&str> {
        self.samples.category(column, code)
    }

    /// Whether a feature holds whole numbers only.
    pub(crate) fn is_whole(&self, column: usize) -> bool {
        let name = self.samples.names().get(column);
        let values =
            self.columns().iter().find(|column| Some(&column.name) == name).map(|column| &column.values);
        match values {
            Some(SampledValues::Numbers(numbers)) => {
                numbers.iter().all(|number| number.is_nan() || number.fract() == 0.0)
            }
            Some(SampledValues::Categories(_) | SampledValues::Vectors(_)) | None => false,
        }
    }

    /// The inputs of the window's rows; those of the reference have the same codes.
    pub(crate) fn features(&self) -> Result<Features, String> {
        self.features_at(0..self.losses.len())
    }

    /// The inputs of some rows of the window.
    pub(crate) fn features_at(&self, rows: Range<usize>) -> Result<Features, String> {
        let first = self.samples.now().start;
        let rows: Vec<usize> = rows.map(|row| first + row).collect();
        self.samples.features(&rows).map_err(|error| error.to_string())
    }

    /// The inputs of some rows of the reference.
    pub(crate) fn reference_features_at(&self, rows: Range<usize>) -> Result<Features, String> {
        let rows: Vec<usize> = rows.collect();
        self.samples.features(&rows).map_err(|error| error.to_string())
    }

    /// The columns of the window's rows as they are.
    pub(crate) fn columns(&self) -> &[SampledColumn] {
        &self.cases.features
    }

    /// The values of a segment.
    pub(crate) fn segment(&self, segment: &Segment) -> &[Option<String>] {
        self.cases.segment(&self.scope.definition.log.segments, segment).unwrap_or_default()
    }

    /// The rows of each value of a segment, the value with the most rows first.
    pub(crate) fn groups(&self, segment: &Segment) -> Vec<(Option<String>, Vec<usize>)> {
        let mut by_value: BTreeMap<Option<&str>, Vec<usize>> = BTreeMap::new();
        for (row, value) in self.segment(segment).iter().enumerate() {
            by_value.entry(value.as_deref()).or_default().push(row);
        }
        let mut groups: Vec<(Option<String>, Vec<usize>)> =
            by_value.into_iter().map(|(value, rows)| (value.map(str::to_owned), rows)).collect();
        groups.sort_by_key(|(_, rows)| std::cmp::Reverse(rows.len()));
        groups
    }

    /// A column of numbers beside the features, by its position in [`also`].
    pub(crate) fn also(&self, at: usize) -> &[f64] {
        self.cases.also.get(at).map_or(&[], Vec::as_slice)
    }

    /// Probabilities with outcomes, where the task is binary.
    pub(crate) fn binary(&self) -> Option<(&[f64], &[bool])> {
        match &self.cases.outputs {
            Outputs::Binary { scores, outcomes } => Some((scores, outcomes)),
            Outputs::Multiclass { .. } | Outputs::Regression { .. } => None,
        }
    }

    /// Whether the predicted class was wrong; `None` where numbers are predicted.
    pub(crate) fn wrong(&self) -> Option<Cow<'_, [f64]>> {
        match self.loss() {
            RowLoss::Wrong => Some(Cow::Borrowed(&self.losses)),
            RowLoss::Brier | RowLoss::LogLoss => {
                Some(Cow::Owned(losses_as(self.scope, self.cases, RowLoss::Wrong)))
            }
            RowLoss::Absolute | RowLoss::Squared => None,
        }
    }

    /// Says that the rows are a sample, where they are one.
    pub(crate) fn sampled_words(&self) -> String {
        if self.cases.is_all() {
            return String::new();
        }
        format!(
            " These are {} drawn at random, {} of the window.",
            counted(self.n(), "row", "rows"),
            percent(self.cases.drawn_share)
        )
    }

    /// Says that a model of the errors was learnt from some of the rows, where it was.
    pub(crate) fn learnt_words(&self) -> String {
        let sampled = self.sampled_words();
        if self.losses.len() <= LEARNER_ROWS {
            return sampled;
        }
        format!("{sampled} Learnt from {} of them.", counted(LEARNER_ROWS as u64, "row", "rows"))
    }

    /// Why rows cannot be looked at one by one, where they cannot.
    pub(crate) fn too_few(&self) -> Option<String> {
        let needed = self.scope.definition.evaluate.min_rows;
        (self.n() < needed).then(|| {
            format!(
                "{} a usable prediction and an outcome, {needed} are needed (evaluate.min_rows)",
                counted(self.n(), "row has", "rows have")
            )
        })
    }

    /// Why nothing can be said by inputs, where it cannot.
    pub(crate) fn no_inputs(&self) -> Option<String> {
        self.samples.names().is_empty().then(|| {
            "the log has no feature that is a number or a category; name some in `log.features`, or skip the \
             check with `skip` under [evaluate]"
                .to_owned()
        })
    }
}

/// What a driver is called that is no feature but what the model said.
const PREDICTION: &str = "the prediction itself";

/// Whether a driver is a feature.
pub(crate) fn is_input(driver: &Driver) -> bool {
    driver.name != PREDICTION
}

/// The names of the strongest drivers in a sentence.
pub(crate) fn named(drivers: &[Driver], most: usize) -> String {
    let name = |driver: &Driver| match driver.name.as_str() {
        PREDICTION => PREDICTION.to_owned(),
        feature => format!("`{feature}`"),
    };
    let names: Vec<String> = drivers.iter().map(name).collect();
    listed(names.iter().map(String::as_str), most)
}

/// Columns by what they tell, as shares of what all of them tell; those that tell nothing are left out.
pub(crate) fn drivers(
    rows: &Rows<'_>,
    told: impl Iterator<Item = (usize, f64)> + Clone,
    kept: usize,
) -> Vec<Driver> {
    let total: f64 = told.clone().map(|(_, weight)| weight.max(0.0)).sum();
    let mut drivers: Vec<Driver> = told
        .filter(|(_, weight)| *weight > 0.0)
        .map(|(column, weight)| {
            // After the features comes the prediction itself.
            let name = rows.feature_names().get(column).map_or(PREDICTION, String::as_str).to_owned();
            Driver { name, weight: weight / total }
        })
        .collect();
    drivers.sort_by(|a, b| b.weight.total_cmp(&a.weight).then_with(|| a.name.cmp(&b.name)));
    drivers.truncate(kept);
    drivers
}

/// The mean loss of some rows; `None` where there are too few.
pub(crate) fn mean_of(loss: RowLoss, losses: impl IntoIterator<Item = f64>, level: Level) -> Option<Measure> {
    let at_most_one = matches!(loss, RowLoss::Wrong | RowLoss::Brier);
    let mean = mean_loss(losses, at_most_one, level)?;
    let method = format!("{} interval", mean.interval.method.name());
    let measure = Measure {
        interval: Some(mean.interval),
        ..Measure::new(loss.mean_name(), mean.value, mean.n, method)
    };
    Some(measure.without_empty_interval())
}

fn losses(scope: Scope<'_>, cases: &Cases) -> Vec<f64> {
    losses_as(scope, cases, scope.definition.evaluate.loss)
}

fn losses_as(scope: Scope<'_>, cases: &Cases, loss: RowLoss) -> Vec<f64> {
    cases.outputs.losses(loss, scope.definition.log.threshold)
}
