//! How much windows differ from each other though nothing has changed.
//!
//! Rows of one window are often alike: all flights of an hour share its weather. A week is then a sample
//! of seven days and not of ten thousand flights, and every week differs from the reference by far more
//! than chance gives for that many rows. What is usual is measured where nothing is supposed to have
//! changed: each window of the reference is held against the whole of it.
//!
//! Two numbers come of it. The distance that nine in ten windows of the reference stay below is no news when a
//! later window shows it (not the largest one: a feed may have died in the reference too). And the *dispersion*, the mean of χ² over its degrees of freedom (1 where rows are independent),
//! divides the χ² of later windows before they are called significant: the first-order correction of
//! Rao & Scott (1981), "The analysis of categorical data from complex sample surveys", J. Am. Stat.
//! Assoc. 76, with the design effect estimated from the windows of the reference.

use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Serialize};
use stats::peers::Peer;
use stats::sequential::conformal::window_p_value;
use stats::special::chi_square_sf;
use types::definition::{Against, Cadence, Definition};
use types::{Answers, Schema, Subject, Window};

use crate::drift::peer::Chunks;
use crate::drift::{Comparison, comparison, outcome};
use crate::parallel::in_parallel;
use crate::{Summarised, Watched, is_measured, watched};

/// With fewer windows in the reference nothing is said about what is usual.
const WINDOWS_LEAST: usize = 4;

/// The whole windows of a cadence in what a window is compared against.
pub fn usual_windows(definition: &Definition, every: Cadence, against: &[Window]) -> Vec<Window> {
    if definition.monitor.drift.against == Against::SameHours {
        return against.to_vec();
    }
    let of = |within: &Window| {
        let dataset = within.dataset();
        Window::of_cadence(every, within.from(), within.to())
            .into_iter()
            .map(move |window| window.of(dataset))
    };
    against.iter().flat_map(of).collect()
}

/// All parts of what a window is compared against that lie in one window of a cadence each, the cut ones at
/// its ends too; none unless the method takes its thresholds from them.
pub fn chunk_windows(definition: &Definition, every: Cadence, against: &[Window]) -> Vec<Window> {
    if !matches!(definition.monitor.drift.method.peer(), Some(Peer::NannyMl013(_))) {
        return Vec::new();
    }
    against.iter().flat_map(|within| within.parts(every)).collect()
}

/// What is usual for each column.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Usual {
    columns: HashMap<Subject, UsualColumn>,
    chunks: HashMap<Subject, Chunks>,
}

/// What is usual for one column.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct UsualColumn {
    /// By effect: the distance that nine in ten windows stay at or below, without what chance gives.
    most: BTreeMap<String, f64>,
    pub(crate) windows: usize,
    /// By stream; at least 1.
    dispersion: BTreeMap<String, f64>,
}

/// What is usual, for keeping: of each watched column; `None` where there were too few windows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StoredUsual(Vec<Option<UsualColumn>>);

impl UsualColumn {
    pub(crate) fn most(&self, effect: &str) -> f64 {
        self.most.get(effect).copied().unwrap_or(0.0)
    }

    pub(crate) fn dispersion(&self, stream: &str) -> f64 {
        self.dispersion.get(stream).copied().unwrap_or(1.0)
    }
}

impl Usual {
    pub(crate) fn of(&self, subject: &Subject) -> Option<&UsualColumn> {
        self.columns.get(subject)
    }

    /// The reference in parts; none where the method does not need them.
    pub(crate) fn chunks(&self, subject: &Subject) -> Option<&Chunks> {
        self.chunks.get(subject)
    }

    /// Adds a part of the reference that another tool takes its thresholds from; `answers` are about it.
    pub fn add_chunk(&mut self, definition: &Definition, schema: &Schema, window: Window, answers: &Answers) {
        let of_log = watched(definition, schema).into_iter().filter_map(|watched| {
            let part = watched.profile(answers, &[window])?;
            Some((watched.subject, part))
        });
        let outcome = outcome::summarised(definition, answers, &[window])
            .map(|(watched, part)| (watched.subject, part));
        for (subject, part) in of_log.chain(outcome) {
            self.chunks.entry(subject).or_default().add(&part);
        }
    }

    /// What is known of the columns of the log, for [`Self::restored`]; the outcome is left out, because it
    /// becomes known later.
    pub fn stored(&self, definition: &Definition, schema: &Schema) -> StoredUsual {
        let stored = |watched: Watched| self.of(&watched.subject).cloned();
        StoredUsual(watched(definition, schema).into_iter().map(stored).collect())
    }

    /// What [`Self::stored`] said under the same definition and schema.
    pub fn restored(definition: &Definition, schema: &Schema, stored: StoredUsual) -> Self {
        let columns = watched(definition, schema).into_iter().zip(stored.0);
        let restored = columns.filter_map(|(watched, stored)| Some((watched.subject, stored?)));
        Self { columns: restored.collect(), chunks: HashMap::new() }
    }

    /// Adds what is usual for other columns.
    #[must_use]
    pub fn with(mut self, other: Self) -> Self {
        self.columns.extend(other.columns);
        self
    }
}

/// Takes in one window of the reference after the other, so that not all have to be in memory.
#[derive(Debug)]
pub struct UsualBuilder<'a> {
    columns: Vec<(Watched, Summarised<'a>, Sums)>,
}

#[derive(Clone, Debug, Default)]
struct Sums {
    windows: usize,
    /// By effect.
    excess: HashMap<&'static str, Vec<f64>>,
    /// χ² and degrees of freedom, added up over the windows.
    chi_square: HashMap<&'static str, (f64, f64)>,
}

impl<'a> UsualBuilder<'a> {
    /// Of the columns of the log; `answers` are about the whole of what is compared against.
    pub fn of_log(
        definition: &Definition,
        schema: &Schema,
        against: &[Window],
        answers: &'a Answers,
    ) -> Self {
        let columns = watched(definition, schema)
            .into_iter()
            .filter(|watched| is_measured(watched.kind))
            .filter_map(|watched| {
                let summarised = watched.profile(answers, against)?;
                Some((watched, summarised, Sums::default()))
            });
        Self { columns: columns.collect() }
    }

    /// Of the outcome, where the definition names one; `answers` are about the whole of what is compared
    /// against.
    pub fn of_outcome(definition: &Definition, against: &[Window], answers: &Answers) -> Self {
        let outcome = outcome::summarised(definition, answers, against);
        let columns = outcome.map(|(watched, summarised)| (watched, summarised, Sums::default()));
        Self { columns: columns.into_iter().collect() }
    }

    /// Adds a window; `answers` are about it.
    pub fn add(&mut self, definition: &Definition, window: Window, answers: &Answers) {
        let least = definition.monitor.drift.min_rows;
        let comparisons = in_parallel(&self.columns, |(watched, whole, _)| {
            let part = if watched.subject == Subject::Outcome {
                outcome::summarised(definition, answers, &[window]).map(|(_, part)| part)
            } else {
                watched.profile(answers, &[window])
            };
            let part = part.filter(|part| part.profile.rows() >= least)?;
            Some(comparison(definition, whole, &part.alike(whole)))
        });
        for ((_, _, sums), comparison) in self.columns.iter_mut().zip(comparisons) {
            if let Some(comparison) = &comparison {
                sums.add(comparison);
            }
        }
    }

    pub fn finish(self) -> Usual {
        let columns = self
            .columns
            .into_iter()
            .filter(|(_, _, sums)| sums.windows >= WINDOWS_LEAST)
            .map(|(watched, _, sums)| (watched.subject, sums.usual()));
        Usual { columns: columns.collect(), chunks: HashMap::new() }
    }
}

impl Sums {
    fn add(&mut self, comparison: &Comparison) {
        self.windows += usize::from(!comparison.effects.is_empty());
        for effect in &comparison.effects {
            self.excess.entry(effect.of).or_default().push(effect.excess);
        }
        for (stream, binned) in &comparison.streams {
            // The window is a part of the whole, so it is held against the rest.
            let rest: Vec<u64> = binned
                .reference
                .iter()
                .zip(&binned.current)
                .map(|(whole, part)| whole.saturating_sub(*part))
                .collect();
            if let Ok(test) = window_p_value(&rest, &binned.current)
                && test.degrees_of_freedom > 0
            {
                let sum = self.chi_square.entry(stream).or_default();
                sum.0 += test.statistic;
                sum.1 += test.degrees_of_freedom as f64;
            }
        }
    }

    fn usual(self) -> UsualColumn {
        let nine_in_ten = |mut excess: Vec<f64>| {
            excess.sort_unstable_by(f64::total_cmp);
            excess.get((excess.len() * 9).div_ceil(10).saturating_sub(1)).copied().unwrap_or(0.0)
        };
        UsualColumn {
            most: self
                .excess
                .into_iter()
                .map(|(effect, excess)| (effect.to_owned(), nine_in_ten(excess)))
                .collect(),
            windows: self.windows,
            dispersion: self
                .chi_square
                .into_iter()
                .map(|(stream, (statistic, freedom))| (stream.to_owned(), (statistic / freedom).max(1.0)))
                .collect(),
        }
    }
}

/// The p-value of a window against the rows before it, where windows differ by `dispersion` times as much
/// as independent rows would; exact where that is 1.
pub(crate) fn dispersed_p_value(before: &[u64], window: &[u64], dispersion: f64) -> Option<f64> {
    let test = window_p_value(before, window).ok()?;
    if dispersion <= 1.0 || test.degrees_of_freedom == 0 {
        return Some(test.p_value);
    }
    let p_value = chi_square_sf(test.statistic / dispersion, test.degrees_of_freedom as f64);
    Some(p_value.max(test.p_value))
}
