//! How much windows differ from each other though nothing has changed.
//!
//! Rows of one window are often alike: all flights of an hour share its weather. A week is then a sample
//! of seven days and not of ten thousand flights, and every week differs from the reference by far more
//! than chance gives for that many rows. What is usual is measured where nothing is supposed to have
//! changed: each window of the reference is held against the whole of it.
//!
//! Two numbers come of it. The distance that nine in ten windows of the reference stay below is no news when a
//! later window shows it (not the largest one: a feed may have died in the reference too). And the *dispersion*, the
//! mean of χ² over its degrees of freedom (1 where rows are independent), divides the χ² of later windows before they
//! are called significant: the first-order correction of Rao & Scott (1981), "The analysis of categorical data from
//! complex sample surveys", J. Am. Stat. Assoc. 76, with the design effect estimated from the windows of the reference.
//!
//! A change late in the reference must not make what comes after it usual: its last windows, if they are few and all
//! far from every other one, count for neither number (`late_change`).

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use stats::peers::Peer;
use stats::sequential::conformal::window_p_value;
use stats::special::chi_square_sf;
use types::definition::{Against, Cadence, Definition, Distance, Drift};
use types::{Answers, Schema, Subject, Window};

use crate::drift::peer::Chunks;
use crate::drift::{Comparison, alarm, comparison, outcome};
use crate::parallel::in_parallel;
use crate::{Summarised, Watched, is_measured, watched};

/// With fewer windows in the reference nothing is said about what is usual.
pub(crate) const WINDOWS_LEAST: usize = 4;

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
    /// By effect: the distance that nine in ten windows stay at or below, without what chance gives, and how many
    /// windows that is of.
    most: BTreeMap<String, (f64, usize)>,
    /// By stream; at least 1.
    dispersion: BTreeMap<String, f64>,
    /// From when on the windows are unlike all before them, and are not taken for usual.
    pub(crate) changed: Option<Timestamp>,
}

/// What is usual, for keeping: of each watched column; `None` where there were too few windows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StoredUsual(Vec<Option<UsualColumn>>);

impl UsualColumn {
    pub(crate) fn most(&self, effect: &str) -> f64 {
        self.most.get(effect).map_or(0.0, |(most, _)| *most)
    }

    /// How many windows [`Self::most`] is of.
    pub(crate) fn windows(&self, effect: &str) -> usize {
        self.most.get(effect).map_or(0, |(_, windows)| *windows)
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
    /// By what is measured of a window, with what it takes for that to be worth a look.
    sizes: HashMap<&'static str, Sizes>,
    /// By stream: χ² and degrees of freedom of each window.
    chi_square: HashMap<&'static str, Vec<(Window, f64, f64)>>,
}

/// How far each window is from the whole, in one way.
#[derive(Clone, Debug)]
struct Sizes {
    /// The streams that tell of it.
    streams: &'static [&'static str],
    /// From this size on it is worth a look.
    limit: f64,
    /// Windows that are unlike all others are so many times as far as any of these.
    apart: f64,
    of: Vec<(Window, f64)>,
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
                sums.add(&definition.monitor.drift, window, comparison);
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
    fn add(&mut self, drift: &Drift, window: Window, comparison: &Comparison) {
        self.windows += usize::from(!comparison.effects.is_empty());
        for effect in &comparison.effects {
            let sizes = self.sizes.entry(effect.of).or_insert_with(|| Sizes {
                streams: effect.streams,
                limit: drift.limits(effect.distance).0,
                apart: if effect.distance == Distance::Psi { APART.powi(2) } else { APART },
                of: Vec::new(),
            });
            sizes.of.push((window, effect.excess));
        }
        if let Some(change) = comparison.missing_change() {
            let missing = self.sizes.entry(alarm::MISSING).or_insert_with(|| Sizes {
                streams: &[alarm::MISSING],
                limit: drift.share_fail / 2.0,
                apart: APART,
                of: Vec::new(),
            });
            missing.of.push((window, change));
        }
        for (stream, binned) in &comparison.streams {
            if let Ok(test) = window_p_value(&binned.rest(), &binned.current)
                && test.degrees_of_freedom > 0
            {
                let known = self.chi_square.entry(stream).or_default();
                known.push((window, test.statistic, test.degrees_of_freedom as f64));
            }
        }
    }

    fn usual(mut self) -> UsualColumn {
        let mut usual = UsualColumn::default();
        let mut changed: HashMap<&str, Timestamp> = HashMap::new();
        for (name, sizes) in &mut self.sizes {
            sizes.of.sort_unstable_by_key(|(window, _)| *window);
            let late = late_change(sizes);
            if let Some(at) = late {
                let since = sizes.of[at].0.from();
                usual.changed = Some(usual.changed.map_or(since, |known: Timestamp| known.min(since)));
                for stream in sizes.streams {
                    let known = changed.entry(stream).or_insert(since);
                    *known = since.min(*known);
                }
            }
            if *name != alarm::MISSING {
                let counted = &sizes.of[..late.unwrap_or(sizes.of.len())];
                usual.most.insert((*name).to_owned(), (nine_in_ten(counted), counted.len()));
            }
        }
        for (stream, windows) in self.chi_square {
            let (mut statistic, mut freedom) = (0.0, 0.0);
            let counts = |window: &Window| changed.get(stream).is_none_or(|since| window.from() < *since);
            for (_, of_window, degrees) in windows.iter().filter(|(window, ..)| counts(window)) {
                statistic += of_window;
                freedom += degrees;
            }
            if freedom > 0.0 {
                usual.dispersion.insert(stream.to_owned(), (statistic / freedom).max(1.0));
            }
        }
        usual
    }
}

fn nine_in_ten(windows: &[(Window, f64)]) -> f64 {
    let mut sizes: Vec<f64> = windows.iter().map(|(_, size)| *size).collect();
    sizes.sort_unstable_by(f64::total_cmp);
    sizes.get((sizes.len() * 9).div_ceil(10).saturating_sub(1)).copied().unwrap_or(0.0)
}

/// Windows that differ from the whole by so many times as much as any other are unlike all of these; the population
/// stability index grows with the square of a shift.
pub(crate) const APART: f64 = 2.0;
/// As many of the last windows as this share of all are what is usual, whatever the others are.
const KNOWN_SHARE: f64 = 0.25;

/// The position of the first of the last windows that are far from all before them, each by enough to be worth a look.
///
/// One odd window among others says how much windows differ, and stays. At the end it may be where a change begins
/// that lasts, which would then excuse itself for ever: with eight windows, nine in ten are all of them.
fn late_change(sizes: &Sizes) -> Option<usize> {
    let windows = &sizes.of;
    let late = (1..windows.len()).rev().filter(|late| (*late as f64) < KNOWN_SHARE * windows.len() as f64);
    late.map(|late| windows.len() - late).find(|&at| {
        let (before, after) = windows.split_at(at);
        let farthest = before.iter().map(|(_, size)| *size).fold(0.0, f64::max);
        after.iter().all(|(_, size)| *size >= sizes.limit && *size > sizes.apart * farthest)
    })
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

#[cfg(test)]
mod tests;
