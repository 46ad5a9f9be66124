//! The catalogue of faults: what goes wrong with the inputs of a model in production, done to rows on purpose.
//!
//! Each fault is one file: parameters, and a pure transform of a [`Batch`]. What is random follows from a seed, so
//! that the [`Manifest`] of a faulted batch makes the same rows again. A fault that has no meaning for a column, or
//! would change nothing, says so in words ([`NotApplicable`]): a normal result. To add one, write its file and add
//! a line to the modules and to the catalogue below.
//!
//! ```
//! use stress::fault::{Fault, missing::Missing};
//! use types::batch::{Batch, BatchColumn, Values};
//! let temp = BatchColumn { name: "temp".into(), values: Values::Integers(vec![Some(39), None, Some(47)]) };
//! let clean = Batch::new(vec![temp]).unwrap();
//! let lost = Fault::from(Missing::of(["temp"], 1.0)).apply(&clean, &clean, 7).unwrap();
//! assert_eq!(lost.batch.column("temp"), Some(&Values::Integers(vec![None; 3])));
//! // The row that had no value before is as it was.
//! assert_eq!(lost.mask, [true, false, true]);
//! assert_eq!(lost.manifest.replay(&clean, &clean).unwrap(), lost);
//! ```

pub mod duplicated_rows;
pub mod frozen;
pub mod label_noise;
pub mod late;
pub mod missing;
pub mod noise;
pub mod out_of_order;
pub mod out_of_range;
pub mod poisoning;
pub mod re_encoding;
pub mod rounding;
pub mod sign;
pub mod silent_default;
pub mod stale;
pub mod swapped_columns;
pub mod truncated;
pub mod type_corruption;
pub mod unit;
pub mod unseen_category;
pub mod wrong_join;

mod touch;

use serde::{Deserialize, Serialize};
use stats::random::SplitMix64;
use types::batch::{Batch, ValueKind};

/// A batch after a fault.
#[derive(Clone, Debug, PartialEq)]
pub struct Faulted {
    pub batch: Batch,
    /// For each row of `batch`, whether the fault changed anything about it.
    pub mask: Vec<bool>,
    /// For each row of `batch`, the row of the clean batch that it was made of: outcomes belong to that row.
    pub origin: Vec<usize>,
    pub manifest: Manifest,
}

/// What was done to a batch; enough to do it again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    pub fault: Fault,
    pub seed: u64,
    /// The columns whose values were changed; all of them where rows were moved or repeated.
    pub columns: Vec<String>,
    pub rows: usize,
    pub rows_touched: usize,
}

impl Manifest {
    /// The fault once more, which gives the same rows where `clean` and `reference` are the same.
    pub fn replay(&self, clean: &Batch, reference: &Batch) -> Result<Faulted, NotApplicable> {
        self.fault.apply(clean, reference, self.seed)
    }
}

/// Why a fault cannot be tried here, in words that complete "not tried: …".
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{reason}")]
pub struct NotApplicable {
    /// The column that it is about, where it is about one.
    pub column: Option<String>,
    pub reason: String,
}

impl NotApplicable {
    fn at(column: &str, reason: impl Into<String>) -> Self {
        Self { column: Some(column.to_owned()), reason: reason.into() }
    }

    fn here(reason: impl Into<String>) -> Self {
        Self { column: None, reason: reason.into() }
    }
}

/// An entry of the catalogue as reports name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Entry {
    /// In definitions and manifests: `wrong-join`.
    pub id: &'static str,
    pub title: &'static str,
    /// One sentence of plain words.
    pub sentence: &'static str,
}

/// One kind of fault with its parameters.
trait Transform: Sized {
    const ENTRY: Entry;

    /// Columns that are named by the parameters; none where the fault is of whole rows.
    fn columns(&self) -> Vec<&str>;

    /// With which parameters it is tried on a feature of its own; none where it has no meaning for the kind.
    fn usual(feature: &str, kind: ValueKind, rate: f64) -> Vec<Self>;

    fn transform(&self, scene: Scene<'_>, rng: &mut SplitMix64) -> Result<Change, NotApplicable>;
}

/// The rows to change, and rows of ordinary times that say what is usual.
#[derive(Clone, Copy)]
struct Scene<'a> {
    batch: &'a Batch,
    reference: &'a Batch,
}

/// Rows as a fault leaves them.
struct Change {
    batch: Batch,
    /// Where rows were moved or repeated, the row that each was made of.
    origin: Option<Vec<usize>>,
}

macro_rules! catalogue {
    ($($module:ident :: $fault:ident,)+) => {
        /// A fault with its parameters.
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        #[serde(tag = "fault", rename_all = "kebab-case")]
        pub enum Fault {
            $($fault($module::$fault),)+
        }

        $(impl From<$module::$fault> for Fault {
            fn from(fault: $module::$fault) -> Self {
                Self::$fault(fault)
            }
        })+

        /// Every fault there is.
        pub const CATALOGUE: &[Entry] = &[$($module::$fault::ENTRY,)+];

        impl Fault {
            pub fn entry(&self) -> Entry {
                match self {
                    $(Self::$fault(_) => $module::$fault::ENTRY,)+
                }
            }

            /// Columns that the parameters name; none where the fault is of whole rows.
            pub fn columns(&self) -> Vec<&str> {
                match self {
                    $(Self::$fault(fault) => fault.columns(),)+
                }
            }

            /// Every fault that has a meaning for a feature of its own, with its usual parameters.
            pub fn usual(feature: &str, kind: ValueKind, rate: f64) -> Vec<Self> {
                let mut faults = Vec::new();
                $(faults.extend($module::$fault::usual(feature, kind, rate).into_iter().map(Self::$fault));)+
                faults
            }

            fn transform(&self, scene: Scene<'_>, rng: &mut SplitMix64) -> Result<Change, NotApplicable> {
                match self {
                    $(Self::$fault(fault) => fault.transform(scene, rng),)+
                }
            }
        }
    };
}

catalogue! {
    missing::Missing,
    silent_default::SilentDefault,
    frozen::Frozen,
    stale::Stale,
    late::Late,
    duplicated_rows::DuplicatedRows,
    out_of_order::OutOfOrder,
    wrong_join::WrongJoin,
    swapped_columns::SwappedColumns,
    unit::Unit,
    sign::Sign,
    out_of_range::OutOfRange,
    rounding::Rounding,
    noise::Noise,
    type_corruption::TypeCorruption,
    unseen_category::UnseenCategory,
    re_encoding::ReEncoding,
    truncated::Truncated,
    label_noise::LabelNoise,
    poisoning::Poisoning,
}

impl Fault {
    /// `clean` after this fault. `reference` says what values are usual (ranges, categories, medians); give
    /// `clean` itself where there is nothing else.
    ///
    /// # Errors
    /// The fault has no meaning for these columns, its parameters make none, or it would change nothing.
    pub fn apply(&self, clean: &Batch, reference: &Batch, seed: u64) -> Result<Faulted, NotApplicable> {
        if clean.rows() == 0 {
            return Err(NotApplicable::here("there are no rows to change"));
        }
        let Change { batch, origin } =
            self.transform(Scene { batch: clean, reference }, &mut SplitMix64::new(seed))?;
        let are_rows_moved = origin.is_some();
        let origin = origin.unwrap_or_else(|| (0..clean.rows()).collect());
        let mut mask: Vec<bool> = origin.iter().enumerate().map(|(row, of)| row != *of).collect();
        let mut columns = Vec::new();
        for (before, after) in clean.columns().iter().zip(batch.columns()) {
            let mut is_changed = are_rows_moved;
            for (row, of) in origin.iter().enumerate() {
                if touch::differs(&before.values, *of, &after.values, row) {
                    is_changed = true;
                    mask[row] = true;
                }
            }
            if is_changed {
                columns.push(before.name.clone());
            }
        }
        let rows_touched = mask.iter().filter(|is_touched| **is_touched).count();
        if rows_touched == 0 {
            return Err(NotApplicable::here("it would change nothing: every row stays as it is"));
        }
        let manifest = Manifest { fault: self.clone(), seed, columns, rows: batch.rows(), rows_touched };
        Ok(Faulted { batch, mask, origin, manifest })
    }
}

#[cfg(test)]
mod tests;
