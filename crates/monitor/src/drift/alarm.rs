//! Significance that survives looking every week: each column's tests as streams of bets.
//!
//! Against a fixed reference a window's rows are tested against the reference *and all windows before
//! it*, and the bets on the p-values multiply up ([`stats::sequential`]). Against a reference that moves
//! along, each window spends a share of the budget that falls over time. Rows of one window that are
//! alike are not taken for independent ones ([`crate::usual`]). Either way Holm's correction over
//! all streams of a report decides which ones count: the probability that any of them is ever an alarm
//! though nothing changed is at most `monitor.drift.false_alarms` (docs/alarms.md).

use std::collections::BTreeSet;

use stats::bins::QuantileBins;
use stats::ecdf::Ecdf;
use stats::false_discovery::holm;
use stats::sequential::change_mixture::ChangeMixture;
use stats::sequential::e_bh::e_bh_adjusted;
use stats::sequential::running_maximum::{adjusted_log_e_value, anytime_p_value};
use stats::sketch::{FrequentValues, Profile, TextProfile};
use types::Digest;
use types::definition::{AlarmBound, Cadence};
use types::digest::Digester;
use types::finding::{Sequential, Stream, StreamState};

use crate::usual::{UsualColumn, dispersed_p_value};

/// The stream of a column's values, and that of what is missing.
pub(crate) const DISTRIBUTION: &str = "distribution";
pub(crate) const MISSING: &str = "missing";
/// The stream of values that the reference does not have, of columns with many.
pub(crate) const UNSEEN: &str = "unseen";
/// The stream of the values of such a column, each for itself.
pub(crate) const VALUES: &str = "values";

/// Up to this many different values each has a bin of its own. Beyond, values are spread over bins by
/// their hash: bins that were chosen for being frequent in the reference would always look a little rarer afterwards.
const OWN_BINS: usize = 64;
/// As many as a byte of the hash has values. More would tell more of columns with thousands of values, and make
/// evidence larger.
const HASHED_BINS: usize = 256;
/// Bins of tokens of texts.
const TOKEN_BINS: usize = 64;

/// Rows in bins that do not depend on the current window.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Binned {
    bins: Digest,
    pub(crate) reference: Vec<u64>,
    pub(crate) current: Vec<u64>,
}

impl Binned {
    /// Numbers in bins at the reference's quantiles.
    pub(crate) fn numbers(bins: &QuantileBins, reference: &Ecdf, current: &Ecdf) -> Self {
        let mut digest = Digester::default();
        bins.edges().iter().for_each(|edge| digest.update(&edge.to_le_bytes()));
        Self { bins: digest.finish(), reference: bins.counts(reference), current: bins.counts(current) }
    }

    /// Categories in bins of their own, or by their hash.
    pub(crate) fn categories(reference: &FrequentValues, current: &FrequentValues) -> Self {
        let known = reference.most_frequent();
        if known.len() > OWN_BINS || reference.count_error() > 0 {
            return Self {
                bins: Digest::of(format!("{HASHED_BINS} hashed").as_bytes()),
                reference: hashed(reference),
                current: hashed(current),
            };
        }
        let mut digest = Digester::default();
        for (value, _) in &known {
            digest.update(format!("{}:{value}", value.len()).as_bytes());
        }
        let mut counts: Vec<u64> = known.iter().map(|(value, _)| current.count(value)).collect();
        counts.push(current.n() - counts.iter().sum::<u64>());
        let mut before: Vec<u64> = known.iter().map(|(_, count)| *count).collect();
        before.push(0);
        Self { bins: digest.finish(), reference: before, current: counts }
    }

    /// Rows with a value that the reference has, and rows with another, of columns that [`has_rare_values`] says.
    ///
    /// Of the reference's own rows as many would be new to the others as hold a value that none of these has (Good
    /// 1953, eq. 9). That share is less sure than one of as many independent rows, by the values that it has twice
    /// (Robbins 1968, "Estimating the total probability of the unobserved outcomes of an experiment"), and so it counts
    /// as one of fewer rows.
    pub(crate) fn unseen(reference: &FrequentValues, current: &FrequentValues) -> Self {
        let known = reference.most_frequent();
        let held = |times: u64| known.iter().filter(|(_, count)| *count == times).count() as f64;
        let (once, twice) = (held(1), held(2));
        let sure = if once > 0.0 { once / (once + 2.0 * twice) } else { 1.0 };
        let seen: u64 = known.iter().map(|(value, _)| current.count(value)).sum();
        Self {
            bins: Digest::of(UNSEEN.as_bytes()),
            reference: [reference.n() as f64 - once, once].map(|rows| (rows * sure).round() as u64).into(),
            current: vec![seen, current.n() - seen],
        }
    }

    /// Every value of such a column by itself. So many counts are not kept from window to window, and so each window
    /// is held against the reference alone.
    pub(crate) fn values(reference: &FrequentValues, current: &FrequentValues) -> Self {
        let (reference, current) = super::categorical::counts(reference, current);
        Self { bins: Digest::of(VALUES.as_bytes()), reference, current }
    }

    /// Texts by one of their tokens, in as many bins by its hash.
    pub(crate) fn tokens(reference: &TextProfile, current: &TextProfile) -> Self {
        let level = reference.drawn().level().max(current.drawn().level());
        let counts = |profile: &TextProfile| {
            let mut counts = vec![0; TOKEN_BINS];
            for (hash, count) in profile.drawn().at_level(level) {
                counts[(hash % TOKEN_BINS as u64) as usize] += count;
            }
            counts
        };
        Self {
            bins: Digest::of(format!("{TOKEN_BINS} tokens at level {level}").as_bytes()),
            reference: counts(reference),
            current: counts(current),
        }
    }

    /// Texts whose drawn token is in the vocabulary of the reference's other texts, and the others.
    pub(crate) fn new_tokens(reference: &TextProfile, current: &TextProfile) -> Self {
        let known = reference.learnt();
        let level = known.level().max(reference.drawn().level()).max(current.drawn().level());
        let mut digest = Digester::default();
        digest.update(format!("new tokens at level {level}").as_bytes());
        known.at_level(level).map(|(hash, _)| hash).collect::<BTreeSet<u64>>().iter().for_each(|hash| {
            digest.update(&hash.to_le_bytes());
        });
        let counts = |profile: &TextProfile| profile.drawn_in(known, level).to_vec();
        Self { bins: digest.finish(), reference: counts(reference), current: counts(current) }
    }

    /// The rows of the reference that are not those of a part of it, which is held against them.
    pub(crate) fn rest(&self) -> Vec<u64> {
        self.reference.iter().zip(&self.current).map(|(whole, part)| whole.saturating_sub(*part)).collect()
    }

    /// Rows with a value, and rows without.
    pub(crate) fn missing(reference: &Profile, current: &Profile) -> Self {
        let counts = |profile: &Profile| vec![profile.rows() - profile.missing(), profile.missing()];
        Self { bins: Digest::of(MISSING.as_bytes()), reference: counts(reference), current: counts(current) }
    }
}

/// Whether a column has more values than have bins of their own, all of them counted on both sides.
pub(super) fn has_rare_values(reference: &FrequentValues, current: &FrequentValues) -> bool {
    reference.count_error() + current.count_error() == 0 && reference.distinct() > OWN_BINS as f64
}

fn hashed(values: &FrequentValues) -> Vec<u64> {
    let mut counts = vec![0; HASHED_BINS];
    let mut counted = 0;
    for (value, count) in values.most_frequent() {
        // Stored with evidence, so the hash must be the same in every version of the program.
        counts[usize::from(Digest::of(value.as_bytes()).bytes()[0])] += count;
        counted += count;
    }
    // What a capped count has forgotten lies anywhere; it is spread evenly.
    let forgotten = values.n() - counted;
    for count in &mut counts {
        *count += forgotten / HASHED_BINS as u64;
    }
    counts
}

/// A column's streams after this window; there is none where nothing can be compared.
pub(crate) fn advanced(
    before: Option<&Sequential>,
    every: Cadence,
    fixed_reference: bool,
    tests: &[(&'static str, Binned)],
    usual: Option<&UsualColumn>,
) -> Option<Sequential> {
    let streams: Vec<Stream> = tests
        .iter()
        .filter_map(|(name, binned)| {
            let known = before.and_then(|before| before.stream(name));
            let dispersion = usual.map_or(1.0, |usual| usual.dispersion(name));
            if fixed_reference && *name != VALUES {
                changing(name, known, binned, dispersion)
            } else {
                spending(name, known, binned, dispersion)
            }
        })
        .collect();
    if streams.is_empty() {
        return None;
    }
    Some(Sequential {
        every,
        windows: streams.iter().map(|stream| stream.state.windows()).max().unwrap_or(0),
        log_e_value: streams.iter().map(|stream| stream.log_e_value).fold(f64::NEG_INFINITY, f64::max),
        adjusted: 1.0,
        streams,
    })
}

/// Bets against everything before the window, which then joins it.
fn changing(name: &str, known: Option<&Stream>, binned: &Binned, dispersion: f64) -> Option<Stream> {
    let known = known.and_then(|stream| match stream.state {
        StreamState::Change(state) if stream.bins == binned.bins => Some((state, &stream.pool)),
        _ => None,
    });
    let (mut state, pool) = known.unwrap_or((ChangeMixture::new(), &binned.reference));
    let p_value = dispersed_p_value(pool, &binned.current, dispersion)?;
    state.update(p_value).ok()?;
    Some(Stream {
        name: name.into(),
        bins: binned.bins,
        pool: pool.iter().zip(&binned.current).map(|(pool, current)| pool + current).collect(),
        p_value,
        dispersion,
        log_e_value: state.log_e_max,
        state: StreamState::Change(state),
        adjusted: 1.0,
    })
}

/// Spends this window's share of the budget on a comparison with what trails behind.
fn spending(name: &str, known: Option<&Stream>, binned: &Binned, dispersion: f64) -> Option<Stream> {
    let known = known.and_then(|stream| match stream.state {
        StreamState::Spending(state) => Some(state),
        StreamState::Change(_) | StreamState::Harm { .. } => None,
    });
    let mut state = known.unwrap_or_default();
    let p_value = dispersed_p_value(&binned.reference, &binned.current, dispersion)?;
    state.update(p_value).ok()?;
    Some(Stream {
        name: name.into(),
        bins: binned.bins,
        pool: Vec::new(),
        p_value,
        dispersion,
        log_e_value: state.log_e_value(),
        state: StreamState::Spending(state),
        adjusted: 1.0,
    })
}

/// Decides over all streams of a report together how surely each is an alarm, at all times: Holm's correction
/// where no alarm may be false, e-BH where a share of them may.
pub(crate) fn adjust<'a>(bound: AlarmBound, columns: impl Iterator<Item = &'a mut Sequential>) {
    let mut columns: Vec<&mut Sequential> = columns.collect();
    let capitals = || columns.iter().flat_map(|column| &column.streams).map(|stream| stream.log_e_value);
    let adjusted = match bound {
        AlarmBound::Any => holm(&capitals().map(anytime_p_value).collect::<Vec<f64>>()),
        AlarmBound::Share => e_bh_adjusted(&capitals().map(adjusted_log_e_value).collect::<Vec<f64>>()),
    };
    let mut adjusted = adjusted.into_iter();
    for column in &mut columns {
        for stream in &mut column.streams {
            stream.adjusted = adjusted.next().unwrap_or(1.0);
        }
        column.adjusted = column.streams.iter().map(|stream| stream.adjusted).fold(1.0, f64::min);
    }
}
