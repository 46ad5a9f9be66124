//! Which columns explain a change in performance, and whether outcomes themselves changed.
//!
//! Two decompositions of the same change in mean loss. [`shapley`] shares it out between groups of
//! columns and the outcome given the columns; [`shared_space`] says how much of it happened on rows
//! that both sides have, and how much came from rows that only one side has. Both are estimates
//! from rows that were not arranged for it: each file says what must hold for them to be read as
//! causes.
//!
//! Both learn what they need by cross-fitting: a row's weight and its expected loss come from
//! models that have not seen it. Where the sides have too little in common, the answer is an error
//! that says so, never a number.

mod cross_fit;
mod influence;
pub mod shapley;
pub mod shared_space;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::counts::Side;
use crate::interval::{Interval, Level};
use crate::learn::{Features, FeaturesError, LearnError, Loss, Options};

/// Rows of each side, at least.
pub const ROWS_MIN: usize = 100;
/// Losses beyond have squares that are no numbers.
const LOSS_MAX: f64 = 1e100;
/// Orders at most; more would not tell more.
const ORDERS_MAX: usize = 10_000;

/// How to learn what an attribution needs, and when to refuse.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AttributionOptions {
    /// In how many parts rows are held out, from 2.
    pub folds: usize,
    /// The learner; its loss is chosen where it is used.
    pub learner: Options,
    /// Reweighted rows must be worth this many equally weighted ones.
    pub effective_rows_min: f64,
    /// Mean weights must lie between this and its inverse. The mean is 1 where the other side has
    /// rows of every kind, and falls with the share of rows that it has none of.
    pub overlap_min: f64,
    /// Up to this many groups, and never beyond 12, all coalitions are looked at; each set of groups
    /// costs three models per fold.
    pub exact_groups_max: usize,
    /// Beyond, how many random orders of the groups, 2 to 10,000.
    pub orders: usize,
    /// Of the intervals.
    pub level: Level,
}

impl Default for AttributionOptions {
    /// Three folds, 60 trees of at most 8 leaves; 50 effective rows, a mean weight of 0.7; 6 groups,
    /// then 20 orders.
    fn default() -> AttributionOptions {
        AttributionOptions {
            folds: 3,
            learner: Options { trees: 60, leaves_max: 8, ..Options::new(Loss::Squared) },
            effective_rows_min: 50.0,
            overlap_min: 0.7,
            exact_groups_max: 6,
            orders: 20,
            level: Level::P95,
        }
    }
}

/// A part of a change, or the whole of it, in units of the loss; positive where the loss rose.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Contribution {
    /// The part.
    pub value: f64,
    /// Its standard error.
    pub standard_error: f64,
    /// Normal interval.
    pub interval: Interval,
}

/// How far the reweighting behind an attribution can be relied on.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Support {
    /// What the reweighted rows are worth in equally weighted ones, `(Σw)²/Σw²`: the least of all
    /// reweightings.
    pub effective_rows: f64,
    /// The mean weight that is farthest from 1.
    pub mean_weight: f64,
}

/// Why a change cannot be attributed.
#[derive(Clone, Copy, Debug, PartialEq, Error)]
pub enum AttributionError {
    /// Tables with different columns.
    #[error(transparent)]
    Columns(#[from] FeaturesError),
    /// Losses that do not belong to the rows.
    #[error("attribute {losses} losses to the {rows} rows of the {side} side: each row needs one")]
    LengthsDiffer {
        /// Which side.
        side: Side,
        /// Its rows.
        rows: usize,
        /// Its losses.
        losses: usize,
    },
    /// A loss that has no mean, or whose square is no number.
    #[error(
        "attribute the loss in row {row} of the {side} side: it is not a number between -1e100 and 1e100"
    )]
    LossOutOfRange {
        /// Which side.
        side: Side,
        /// Position of the row.
        row: usize,
    },
    /// Not enough to learn from.
    #[error("attribute a change: too few rows on the {side} side, {n} where at least {needed} are needed")]
    TooFewRows {
        /// Which side.
        side: Side,
        /// Its rows.
        n: usize,
        /// Rows needed.
        needed: usize,
    },
    /// A setting out of range.
    #[error("attribute with {option} = {value}: see the option's range")]
    Option {
        /// Its name.
        option: &'static str,
        /// What was asked for.
        value: f64,
    },
    /// No groups, or more than orders can be drawn of.
    #[error("share a change between {groups} groups: give from 1 to {most}")]
    GroupCount {
        /// What was given.
        groups: usize,
        /// The most there can be.
        most: usize,
    },
    /// A group without columns.
    #[error("attribute to group {group}: it has no columns")]
    EmptyGroup {
        /// Position of the group.
        group: usize,
    },
    /// Groups that do not share out the columns.
    #[error("share out the columns: column {column} is in {groups} groups, and must be in one")]
    NotInOneGroup {
        /// Position of the column.
        column: usize,
        /// How many groups have it.
        groups: usize,
    },
    /// A group with a column that the table does not have.
    #[error("attribute to column {column}: the table has {columns}")]
    UnknownColumn {
        /// Position that was given.
        column: usize,
        /// How many columns there are.
        columns: usize,
    },
    /// Few rows carry all the weight.
    #[error(
        "attribute the change: the sides differ so much that the {side} rows, reweighted, are worth {effective_rows:.0} rows, and it takes {needed:.0}"
    )]
    TooFewEffectiveRows {
        /// Whose rows were reweighted.
        side: Side,
        /// What they are worth.
        effective_rows: f64,
        /// What it takes.
        needed: f64,
    },
    /// One side has rows that the other has none of.
    #[error(
        "attribute the change: the {side} rows cannot be reweighted to look like the other side's, which has kinds of rows that they lack (mean weight {mean_weight:.2} instead of 1)"
    )]
    TooLittleOverlap {
        /// Which side lacks them.
        side: Side,
        /// The mean weight of its rows.
        mean_weight: f64,
    },
    /// The learner refused.
    #[error(transparent)]
    Learn(#[from] LearnError),
}

/// A side's rows and what each lost.
#[derive(Clone, Copy, Debug)]
pub struct Lost<'a> {
    /// The rows.
    pub features: &'a Features,
    /// One loss per row, such as squared error, log loss, or 1 for a wrong prediction.
    pub losses: &'a [f64],
}

/// The losses of both sides, the reference's first, once everything was found to be in order.
fn checked_losses(
    reference: Lost<'_>,
    current: Lost<'_>,
    options: &AttributionOptions,
) -> Result<Vec<f64>, AttributionError> {
    reference.features.check_same_columns(current.features)?;
    for (side, Lost { features, losses }) in [(Side::Reference, reference), (Side::Current, current)] {
        let rows = features.rows();
        if losses.len() != rows {
            return Err(AttributionError::LengthsDiffer { side, rows, losses: losses.len() });
        }
        if let Some(row) = losses.iter().position(|loss| !(-LOSS_MAX..=LOSS_MAX).contains(loss)) {
            return Err(AttributionError::LossOutOfRange { side, row });
        }
        // Every fold then leaves at least half of the rows to learn from.
        let needed = ROWS_MIN.max(options.folds.saturating_mul(2));
        if rows < needed {
            return Err(AttributionError::TooFewRows { side, n: rows, needed });
        }
    }
    let valid = [
        ("folds", options.folds as f64, options.folds >= 2),
        ("effective_rows_min", options.effective_rows_min, options.effective_rows_min >= 1.0),
        ("overlap_min", options.overlap_min, options.overlap_min > 0.0 && options.overlap_min <= 1.0),
        ("orders", options.orders as f64, (2..=ORDERS_MAX).contains(&options.orders)),
    ];
    match valid.iter().find(|(.., valid)| !valid) {
        Some(&(option, value, _)) => Err(AttributionError::Option { option, value }),
        None => Ok([reference.losses, current.losses].concat()),
    }
}
