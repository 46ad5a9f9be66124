//! The bets on a column, as `forewarn monitor` makes them against a fixed reference
//! (`crates/monitor/src/drift/alarm.rs`): which streams a column has, in which bins, and how each goes on.
//!
//! A column has a stream of what is missing and one of its values. A category with more than 64 values
//! has two more: values that the reference does not have, and every value for itself. What windows of the
//! reference differ by is taken off (`crates/monitor/src/usual.rs`).

use std::cell::OnceCell;

use stats::interval::Level;
use stats::sampling_noise::{BinnedDistance, distance_with_noise};
use stats::sequential::change_mixture::ChangeMixture;
use stats::sequential::conformal::window_p_value;
use stats::sequential::mixture_martingale::PowerMartingale;
use stats::sequential::spending::Spending;
use stats::special::chi_square_sf;

use crate::random::mixed;

const OWN_BINS: usize = 64;
const HASHED_BINS: usize = 256;
/// With fewer windows in the reference nothing is said about what is usual.
const WINDOWS_LEAST: usize = 4;

/// The rows of a column in some time.
#[derive(Clone)]
pub(crate) struct Sample {
    pub(crate) missing: u64,
    /// Of the others, by deciles of the reference or by category.
    pub(crate) counts: Vec<u64>,
}

/// A question that is asked of each window.
#[derive(Clone, Copy, PartialEq)]
enum Question {
    Missing,
    /// Whether the values are distributed as before, in bins that the reference does not choose.
    Distribution,
    Unseen,
    Values,
}

/// What the bets on one stream have earned, as logarithms.
#[derive(Clone, Copy)]
pub(crate) struct Capital {
    /// Without a prior over the week of the change.
    pub(crate) log_power: f64,
    pub(crate) log_change: f64,
    pub(crate) log_change_max: f64,
}

struct Stream {
    question: Question,
    /// How much more than independent rows the windows of the reference differ; at least 1.
    dispersion: f64,
    /// The reference, and where bets go on all windows before.
    before: Vec<u64>,
    power: PowerMartingale,
    change: ChangeMixture,
    spending: Spending,
}

/// The streams of one column.
pub(crate) struct Streams {
    reference: Sample,
    windows: Vec<Sample>,
    /// By how much the PSI of nine in ten windows of the reference exceeds chance at most, once it is asked for.
    usual_psi: OnceCell<f64>,
    streams: Vec<Stream>,
}

impl Streams {
    /// `windows`: the whole windows of the reference.
    pub(crate) fn new(reference: Sample, mut windows: Vec<Sample>, is_category: bool) -> Streams {
        if windows.len() < WINDOWS_LEAST {
            windows.clear();
        }
        let has_rare_values = is_category && distinct(&reference.counts) > OWN_BINS;
        let mut questions = vec![Question::Missing, Question::Distribution];
        if has_rare_values {
            questions.extend([Question::Unseen, Question::Values]);
        }
        let streams = questions.into_iter().map(|question| Stream {
            question,
            dispersion: dispersion(question, &reference, &windows),
            before: question.counts(&reference, &reference).0,
            power: PowerMartingale::new(),
            change: ChangeMixture::new(),
            spending: Spending::new(),
        });
        let streams = streams.collect();
        Streams { reference, windows, usual_psi: OnceCell::new(), streams }
    }

    /// The PSI against the reference beyond chance and what is usual.
    pub(crate) fn psi_news(&self, window: &Sample) -> f64 {
        psi_excess(&self.reference, window) - self.usual_psi.get_or_init(|| self.nine_in_ten())
    }

    fn nine_in_ten(&self) -> f64 {
        let mut usual: Vec<f64> =
            self.windows.iter().map(|window| psi_excess(&self.reference, window)).collect();
        usual.sort_unstable_by(f64::total_cmp);
        (usual.len() * 9).div_ceil(10).checked_sub(1).map_or(0.0, |at| usual[at])
    }

    /// Bets on a window, and says what each stream has then.
    pub(crate) fn bet(&mut self, window: &Sample) -> Vec<Capital> {
        let reference = &self.reference;
        self.streams.iter_mut().map(|stream| stream.bet(reference, window)).collect()
    }
}

impl Stream {
    fn bet(&mut self, reference: &Sample, window: &Sample) -> Capital {
        let (_, window) = self.question.counts(reference, window);
        let p_value = dispersed_p_value(&self.before, &window, self.dispersion);
        if self.question == Question::Values {
            self.spending.update(p_value).unwrap();
            let log = self.spending.log_e_value();
            return Capital { log_power: log, log_change: log, log_change_max: log };
        }
        self.power.update(p_value).unwrap();
        self.change.update(p_value).unwrap();
        self.before.iter_mut().zip(&window).for_each(|(before, window)| *before += window);
        Capital {
            log_power: self.power.log_e_value(),
            log_change: self.change.log_e_value(),
            log_change_max: self.change.log_e_max,
        }
    }
}

impl Question {
    /// The reference's rows and the window's over the same bins.
    fn counts(self, reference: &Sample, window: &Sample) -> (Vec<u64>, Vec<u64>) {
        match self {
            Question::Missing => {
                let of = |sample: &Sample| vec![sample.counts.iter().sum(), sample.missing];
                (of(reference), of(window))
            }
            Question::Distribution if distinct(&reference.counts) > OWN_BINS => {
                (hashed(&reference.counts), hashed(&window.counts))
            }
            // A bin for what the reference does not have is one of the program's too; here all have all.
            Question::Distribution | Question::Values => (reference.counts.clone(), window.counts.clone()),
            Question::Unseen => unseen(&reference.counts, &window.counts),
        }
    }
}

fn distinct(counts: &[u64]) -> usize {
    counts.iter().filter(|&&count| count > 0).count()
}

fn hashed(counts: &[u64]) -> Vec<u64> {
    let mut bins = vec![0; HASHED_BINS];
    for (category, count) in counts.iter().enumerate() {
        bins[(mixed(category as u64) % HASHED_BINS as u64) as usize] += count;
    }
    bins
}

/// Rows with a value that the reference has, and others: of the reference as many as Good–Turing expects,
/// made fewer for how little sure that is.
fn unseen(reference: &[u64], window: &[u64]) -> (Vec<u64>, Vec<u64>) {
    let held = |times: u64| reference.iter().filter(|&&count| count == times).count() as f64;
    let (once, twice) = (held(1), held(2));
    let sure = if once > 0.0 { once / (once + 2.0 * twice) } else { 1.0 };
    let rows = reference.iter().sum::<u64>() as f64;
    let seen = reference.iter().zip(window).filter(|(known, _)| **known > 0).map(|(_, rows)| rows).sum();
    let all: u64 = window.iter().sum();
    ([rows - once, once].map(|rows| (rows * sure).round() as u64).into(), vec![seen, all - seen])
}

/// The mean of χ² over its degrees of freedom, of each window of the reference against the rest.
fn dispersion(question: Question, reference: &Sample, windows: &[Sample]) -> f64 {
    if question == Question::Unseen {
        return 1.0; // The whole has every value of its parts.
    }
    let (mut statistic, mut freedom) = (0.0, 0.0);
    for window in windows {
        let (whole, part) = question.counts(reference, window);
        let rest: Vec<u64> = whole.iter().zip(&part).map(|(whole, part)| whole - part).collect();
        let test = window_p_value(&rest, &part).unwrap();
        if test.degrees_of_freedom > 0 {
            statistic += test.statistic;
            freedom += test.degrees_of_freedom as f64;
        }
    }
    if freedom > 0.0 { (statistic / freedom).max(1.0) } else { 1.0 }
}

fn dispersed_p_value(before: &[u64], window: &[u64], dispersion: f64) -> f64 {
    let test = window_p_value(before, window).unwrap();
    if dispersion <= 1.0 || test.degrees_of_freedom == 0 {
        return test.p_value;
    }
    chi_square_sf(test.statistic / dispersion, test.degrees_of_freedom as f64).max(test.p_value)
}

fn psi_excess(reference: &Sample, window: &Sample) -> f64 {
    let occupied = reference.counts.iter().zip(&window.counts).filter(|(before, now)| **before + **now > 0);
    let (reference, window): (Vec<u64>, Vec<u64>) = occupied.unzip();
    distance_with_noise(BinnedDistance::Psi, &reference, &window, Level::P95).unwrap().excess
}
