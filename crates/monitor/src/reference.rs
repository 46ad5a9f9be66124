//! Whether a reference that nobody has chosen yet holds a change: what is compared with both of its ways at once can
//! be told from neither.
//!
//! The reference is cut in two at the end of each of its windows. Where the two parts of a column differ most, that is
//! a change if it is as large as what monitoring calls worth a look, if windows within each part are far more alike
//! than that, and if it is sure over all columns and cuts together.

use jiff::Timestamp;
use stats::sequential::conformal::window_p_value;
use stats::sketch::Profile;
use types::definition::{Cadence, Definition, Distance};
use types::{Answers, Question, Schema, Window};

use crate::drift::alarm::{self, Binned};
use crate::drift::{Comparison, comparison};
use crate::parallel::in_parallel;
use crate::usual::{APART, WINDOWS_LEAST, dispersed_p_value};
use crate::{Summarised, Watched, is_measured, profile_questions, watched};

/// A column that is not the same in all of a reference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReferenceChange {
    pub column: String,
    /// The window with which it begins.
    pub since: Timestamp,
}

/// The windows by which a reference is looked at: its whole weeks, or its days where it has few of these.
pub fn windows(reference: Window) -> Vec<Window> {
    let of = |every: Cadence| -> Vec<Window> {
        let windows = Window::of_cadence(every, reference.from(), reference.to()).into_iter();
        windows.map(|window| window.of(reference.dataset())).collect()
    };
    let weeks = of(Cadence::Week);
    if weeks.len() >= WINDOWS_LEAST { weeks } else { of(Cadence::Day) }
}

/// What to measure.
pub fn plan(definition: &Definition, schema: &Schema, windows: &[Window]) -> Vec<Question> {
    windows.iter().flat_map(|&window| profile_questions(definition, schema, window)).collect()
}

/// The columns that change from one of the windows on, in the order of time.
pub fn changes(
    definition: &Definition,
    schema: &Schema,
    windows: &[Window],
    answers: &Answers,
) -> Vec<ReferenceChange> {
    let columns: Vec<Watched> =
        watched(definition, schema).into_iter().filter(|watched| is_measured(watched.kind)).collect();
    let looks = (columns.len() * windows.len()).max(1) as f64;
    let surely = definition.monitor.drift.false_alarms / looks;
    let found = in_parallel(&columns, |watched| {
        let since = change(definition, watched, windows, answers, surely)?;
        Some(ReferenceChange { column: watched.subject.label(), since })
    });
    let mut found: Vec<ReferenceChange> = found.into_iter().flatten().collect();
    found.sort_by_key(|change| change.since);
    found
}

/// The part of the reference after the last change, or before the first one, that has enough windows to tell what is
/// usual.
pub fn without(windows: &[Window], changes: &[ReferenceChange]) -> Option<Window> {
    let (first, last) = (changes.first()?.since, changes.last()?.since);
    let spanned = |part: Vec<&Window>| {
        let window = Window::new(part.first()?.from(), part.last()?.to()).ok()?;
        (part.len() >= WINDOWS_LEAST).then(|| window.of(part[0].dataset()))
    };
    spanned(windows.iter().filter(|window| window.from() >= last).collect())
        .or_else(|| spanned(windows.iter().filter(|window| window.to() <= first).collect()))
}

fn change(
    definition: &Definition,
    watched: &Watched,
    windows: &[Window],
    answers: &Answers,
    surely: f64,
) -> Option<Timestamp> {
    let least = definition.monitor.drift.min_rows;
    let parts: Vec<(Window, Summarised<'_>)> = windows
        .iter()
        .filter_map(|&window| Some((window, watched.profile(answers, &[window])?)))
        .filter(|(_, part)| part.profile.rows() > 0)
        .collect();
    if parts.len() < WINDOWS_LEAST {
        return None;
    }
    let merged = |parts: &[(Window, Summarised<'_>)]| -> Option<Summarised<'static>> {
        let mut whole: Profile = parts.first()?.1.profile.clone().into_owned();
        for (_, part) in &parts[1..] {
            whole.merge(&part.profile)?;
        }
        Some(Summarised::of(whole))
    };
    let cut = |at: usize| -> Option<Cut> {
        let (before, after) = (merged(&parts[..at])?, merged(&parts[at..])?);
        if before.profile.rows().min(after.profile.rows()) < least {
            return None;
        }
        Some(Cut { at, sizes: sizes(definition, &comparison(definition, &before, &after)) })
    };
    let cuts: Vec<Cut> = (1..parts.len()).filter_map(cut).collect();
    let names = cuts.first()?.sizes.iter().map(|size| size.of);
    names
        .filter_map(|name| {
            let of =
                |cut: &Cut| cut.sizes.iter().find(|size| size.of == name).cloned().map(|size| (cut.at, size));
            let (at, size) = cuts.iter().filter_map(of).max_by(|a, b| a.1.value.total_cmp(&b.1.value))?;
            let (before, after) = parts.split_at(at);
            let mut within = Within::default();
            for side in [before, after] {
                let whole = merged(side)?;
                for (_, part) in side.iter().filter(|_| side.len() > 1) {
                    within.add(name, &sizes(definition, &comparison(definition, &whole, part)));
                }
            }
            let is_change = size.value >= size.limit
                && size.value > size.apart * within.farthest
                && size.streams.iter().any(|binned| {
                    let p_value = dispersed_p_value(&binned.reference, &binned.current, within.dispersion());
                    p_value.is_some_and(|p_value| p_value <= surely)
                });
            is_change.then(|| after[0].0.from())
        })
        .min()
}

/// A cut of the reference after some of its windows, and how the two sides differ.
#[derive(Clone, Debug)]
struct Cut {
    at: usize,
    sizes: Vec<Size>,
}

/// How far two parts are from each other, in one way.
#[derive(Clone, Debug)]
struct Size {
    of: &'static str,
    value: f64,
    /// From here on it is worth a look.
    limit: f64,
    /// It is a change where it is so many times as large as what parts of one side show.
    apart: f64,
    streams: Vec<Binned>,
}

fn sizes(definition: &Definition, compared: &Comparison) -> Vec<Size> {
    let drift = &definition.monitor.drift;
    let streams = |names: &[&str]| -> Vec<Binned> {
        compared.streams.iter().filter(|(name, _)| names.contains(name)).map(|(_, of)| of.clone()).collect()
    };
    let mut sizes: Vec<Size> = compared
        .effects
        .iter()
        .map(|effect| Size {
            of: effect.of,
            value: effect.excess,
            limit: drift.limits(effect.distance).0,
            apart: if effect.distance == Distance::Psi { APART.powi(2) } else { APART },
            streams: streams(effect.streams),
        })
        .collect();
    sizes.extend(compared.missing_change().map(|change| Size {
        of: alarm::MISSING,
        value: change,
        limit: drift.share_fail / 2.0,
        apart: APART,
        streams: streams(&[alarm::MISSING]),
    }));
    sizes
}

/// How much windows of one side differ from all of it.
#[derive(Clone, Copy, Debug, Default)]
struct Within {
    farthest: f64,
    statistic: f64,
    freedom: f64,
}

impl Within {
    fn add(&mut self, of: &str, sizes: &[Size]) {
        for size in sizes.iter().filter(|size| size.of == of) {
            self.farthest = self.farthest.max(size.value);
            for binned in &size.streams {
                if let Ok(test) = window_p_value(&binned.rest(), &binned.current) {
                    self.statistic += test.statistic;
                    self.freedom += test.degrees_of_freedom as f64;
                }
            }
        }
    }

    fn dispersion(self) -> f64 {
        if self.freedom > 0.0 { (self.statistic / self.freedom).max(1.0) } else { 1.0 }
    }
}

#[cfg(test)]
mod tests;
