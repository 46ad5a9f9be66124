//! Harm: has the model's loss become worse than is tolerated, surely, however often one looks?
//!
//! The unit of the bet is a *day*: the mean loss of its rows, as a share of the largest that a row can have (of
//! a predicted number that takes a largest error). Rows of a day are no
//! independent facts (all flights of an hour share its weather), and days are compared with a bound that
//! each of them must be expected to stay within: the mean of the reference's days, as high as it may
//! plausibly be, plus the tolerance. Neighbouring days are alike as well; by as
//! much as those of the reference were, a window's days count less. What is guaranteed is in docs/alarms.md.

use stats::ecdf::Ecdf;
use stats::interval::{Interval, Level};
use stats::sequential::mean_betting::HarmfulShift;
use stats::sequential::running_maximum::anytime_p_value;
use stats::serial_mean::{SerialMean, serial_mean};
use types::answer::DayLosses;
use types::definition::{Output, WatchedPerformance};
use types::digest::Digester;
use types::finding::{Sequential, Stream, StreamState, Threshold};
use types::format::{counted, number, percent};
use types::question::Exactly;
use types::{Answers, Digest, Measure, Question, Subject, Window};

use super::{PerformanceScope, regression};
use types::loss::RowLoss;

/// The stream of the model's loss.
const HARM: &str = "harm";
/// Fewer days in the reference say too little about what a day loses.
const REFERENCE_DAYS_LEAST: usize = 14;
/// Days up to this far apart are taken to depend on each other: those of a week.
const LAGS: usize = 6;
/// The share of the reference's errors below the one that is proposed as the largest.
const LARGE: f64 = 0.99;

/// Where the bet on the model's loss stands after a window.
#[derive(Clone, Debug)]
pub(super) struct Harm {
    pub(super) sequential: Sequential,
    loss: RowLoss,
    /// The largest loss that a row can have. All that follows are shares of it.
    largest: f64,
    reference: SerialMean,
    /// What a day's mean loss must be expected to exceed before the model is harmfully worse.
    bound: f64,
    window: f64,
    interval: Option<Interval>,
    rows: [u64; 2],
    days: usize,
    /// The alarm has been raised, now or before.
    raised: bool,
}

/// What to measure, where the window is one of the series that is bet on.
pub(super) fn plan(scope: PerformanceScope<'_>) -> Vec<Question> {
    if !is_of_series(scope) {
        return Vec::new();
    }
    [scope.definition.reference.window, scope.window].map(|window| daily_losses(scope, window)).into()
}

fn daily_losses(scope: PerformanceScope<'_>, window: Window) -> Question {
    let largest_error = scope.definition.monitor.performance.largest_error.map(Exactly::from);
    Question::DailyLosses { largest_error, window }
}

/// The largest loss that a row can have; `Err` where there is none, and how to give one.
fn largest(scope: PerformanceScope<'_>, loss: RowLoss, answers: &Answers) -> Result<f64, String> {
    match scope.definition.log.output() {
        Output::Score(_) => Ok(1.0),
        // All of the probability on one class, and the outcome another: two squares of 1.
        Output::Probabilities { .. } => Ok(if loss == RowLoss::Brier { 2.0 } else { 1.0 }),
        Output::Number(_) => scope.definition.monitor.performance.largest_error.ok_or_else(|| {
            let known = regression::errors_of_reference(scope, answers)
                .and_then(|mut errors| Ecdf::from_values(&mut errors).ok()?.quantile(LARGE));
            let known = known.map_or_else(String::new, |large| {
                format!(" ({} of the reference's errors are below {})", percent(LARGE), number(large))
            });
            format!(
                "it is asked of errors that have a largest value: name an error that is as bad as any larger one, \
                 as monitor.performance.largest_error{known}"
            )
        }),
    }
}

/// A window that somebody cut out by hand, or one of another cadence, is no part of the series.
fn is_of_series(scope: PerformanceScope<'_>) -> bool {
    scope.window.is_of(scope.definition.monitor.performance.every)
}

/// Bets on the days of a settled window; `None` where it is none of the series.
pub(super) fn of(scope: PerformanceScope<'_>, answers: &Answers) -> Option<Result<Harm, String>> {
    is_of_series(scope).then(|| advanced(scope, answers))
}

fn advanced(scope: PerformanceScope<'_>, answers: &Answers) -> Result<Harm, String> {
    let watched = &scope.definition.monitor.performance;
    let loss = RowLoss::of(watched.metric).bounded();
    let largest = largest(scope, loss, answers)?;
    let days = |window: Window| {
        answers.daily_losses(&daily_losses(scope, window)).ok_or("the losses of days were not measured")
    };
    let (before, now) = (days(scope.definition.reference.window)?, days(scope.window)?);
    let of_days = |days: &[DayLosses]| days.iter().map(|day| loss.of_day(day)).collect::<Vec<f64>>();
    let (reference, bound) = bound(watched, &of_days(before))?;
    let losses = of_days(now);
    if losses.is_empty() {
        return Err("no day of the window has an outcome".into());
    }
    let bins = held_against(loss, largest * bound);
    let known = scope.history.of(&Subject::Model).and_then(|known| known.stream(HARM));
    let known = known.and_then(|stream| match stream.state {
        StreamState::Harm { windows, shift } if stream.bins == bins => Some((windows, shift)),
        _ => None,
    });
    let fresh = HarmfulShift::above(bound).map_err(|error| error.to_string())?;
    let fresh = HarmfulShift { reference_alpha: watched.false_alarms / 2.0, ..fresh };
    let bet = |mut shift: HarmfulShift| {
        let losses: Vec<(f64, u64)> = losses.iter().map(|&loss| (loss, 1)).collect();
        let done = shift.update_dispersed(&losses, reference.dispersion);
        done.map(|()| shift).map_err(|error| error.to_string())
    };
    let (windows, shift) = known.unwrap_or((0, fresh));
    let (alone, shift) = (bet(fresh)?, bet(shift)?);
    let adjusted = shift.anytime_p_value();
    let stream = Stream {
        name: HARM.into(),
        bins,
        pool: Vec::new(),
        p_value: anytime_p_value(alone.log_e_value()),
        dispersion: reference.dispersion,
        state: StreamState::Harm { windows: windows + 1, shift },
        log_e_value: shift.log_e_max,
        adjusted,
    };
    let rows = |days: &[DayLosses]| days.iter().map(|day| day.rows).sum();
    Ok(Harm {
        sequential: Sequential {
            every: watched.every,
            windows: windows + 1,
            log_e_value: shift.log_e_max,
            adjusted,
            streams: vec![stream],
        },
        loss,
        largest,
        reference,
        bound,
        window: losses.iter().sum::<f64>() / losses.len() as f64,
        interval: serial_mean(&losses, LAGS, Level::P95).map(|mean| mean.interval),
        rows: [rows(before), rows(now)],
        days: losses.len(),
        raised: adjusted <= watched.false_alarms,
    })
}

/// After how many of these windows, one after the other, the loss would be an alarm; `None` where none of them is
/// enough, or nothing is bet on.
pub(super) fn windows_until_alarm(
    scope: PerformanceScope<'_>,
    answers: &Answers,
    windows: &[Vec<DayLosses>],
) -> Option<u32> {
    let watched = &scope.definition.monitor.performance;
    if matches!(scope.definition.log.output(), Output::Number(_)) && watched.largest_error.is_none() {
        return None;
    }
    let loss = RowLoss::of(watched.metric).bounded();
    let of_days = |days: &[DayLosses]| days.iter().map(|day| loss.of_day(day)).collect::<Vec<f64>>();
    let before = answers.daily_losses(&daily_losses(scope, scope.definition.reference.window))?;
    let (reference, bound) = bound(watched, &of_days(before)).ok()?;
    let shift = HarmfulShift::above(bound).ok()?;
    let mut shift = HarmfulShift { reference_alpha: watched.false_alarms / 2.0, ..shift };
    for (at, days) in windows.iter().enumerate() {
        let losses: Vec<(f64, u64)> = of_days(days).into_iter().map(|loss| (loss, 1)).collect();
        shift.update_dispersed(&losses, reference.dispersion).ok()?;
        if shift.anytime_p_value() <= watched.false_alarms {
            return Some(at as u32 + 1);
        }
    }
    None
}

/// The mean loss of the reference's days, and what no later day may be expected to exceed.
fn bound(watched: &WatchedPerformance, losses: &[f64]) -> Result<(SerialMean, f64), String> {
    if losses.len() < REFERENCE_DAYS_LEAST {
        return Err(format!(
            "the reference has {} with outcomes, and it takes {REFERENCE_DAYS_LEAST} to say what a day usually loses",
            counted(losses.len() as u64, "day", "days")
        ));
    }
    // Half of the budget is for the mean of the reference, one-sided; the other half is for the bet.
    let level = Level::new(1.0 - watched.false_alarms).map_err(|error| error.to_string())?;
    let mean = serial_mean(losses, LAGS, level).ok_or("the losses of the reference have no mean")?;
    Ok((mean, mean.interval.upper + watched.tolerance))
}

/// What a stream is about; one about something else is another.
fn held_against(loss: RowLoss, bound: f64) -> Digest {
    let mut digest = Digester::default();
    digest.update(loss.title().as_bytes());
    digest.update(&bound.to_le_bytes());
    digest.finish()
}

impl Harm {
    /// Whether the alarm is raised and this window is bad too.
    pub(super) fn is_harmful(&self) -> bool {
        self.raised && self.window > self.bound
    }

    pub(super) fn measures(&self) -> [Measure; 2] {
        let [before, now] = self.rows;
        let of = |days: u64| {
            let capped = match self.loss {
                RowLoss::Absolute => format!(", errors beyond {0} counted as {0}", number(self.largest)),
                _ => String::new(),
            };
            format!(
                "mean over {} of each day's {}{capped}",
                counted(days, "day", "days"),
                self.loss.mean_title()
            )
        };
        let in_units = |interval: Interval| Interval {
            lower: self.largest * interval.lower,
            upper: self.largest * interval.upper,
            ..interval
        };
        let loss = Measure {
            interval: self.interval.map(in_units),
            expected_by_chance: Some(self.largest * self.reference.mean),
            ..Measure::new("mean_daily_loss", self.largest * self.window, now, of(self.days as u64))
        };
        let method = format!(
            "{}; neighbouring days are alike as if there were {} times fewer",
            of(self.reference.n),
            number(self.reference.dispersion)
        );
        let reference = Measure {
            interval: Some(in_units(self.reference.interval)),
            ..Measure::new("reference_mean_daily_loss", self.largest * self.reference.mean, before, method)
        };
        [loss, reference]
    }

    pub(super) fn thresholds(&self, watched: &WatchedPerformance) -> [Threshold; 2] {
        let at_most = |measure: &str, at_most: f64, key: &str| Threshold {
            measure: measure.into(),
            at_least: None,
            at_most: Some(at_most),
            from: format!("monitor.performance.{key}"),
        };
        [
            at_most("mean_daily_loss", self.largest * self.bound, "tolerance"),
            at_most("probability of a false alarm of harm, ever", watched.false_alarms, "false_alarms"),
        ]
    }

    /// A sentence, where there is something to say.
    pub(super) fn words(&self, watched: &WatchedPerformance) -> Option<String> {
        let in_units = |share: f64| number(self.largest * share);
        let (name, window, bound) = (self.loss.mean_title(), in_units(self.window), in_units(self.bound));
        if self.is_harmful() {
            Some(format!(
                "The model is harmfully worse: a day's {name} was {window} on average, at most {bound} is tolerated ({} in the reference), and an alarm that is false is ever raised with a probability of at most {}.",
                in_units(self.reference.mean),
                number(watched.false_alarms)
            ))
        } else if self.raised {
            Some(format!(
                "It was found to be harmfully worse in an earlier window; in this one a day's {name} of {window} is within the tolerated {bound}."
            ))
        } else if self.window > self.bound {
            Some(format!(
                "A day's {name} of {window} on average is above the tolerated {bound}, but not yet so surely that it is called harm."
            ))
        } else {
            None
        }
    }
}
