//! Expected cost over several classes: what confusing each class with each other one costs per row.
//!
//! # What it measures
//!
//! The mean over rows of the cost of calling its outcome what it was called, from a table of costs by
//! outcome and predicted class, in any unit; negative costs are gains.
//!
//! # When it misleads
//!
//! * It is as good as the table. Costs that nobody has thought about are usually equal ones, and then
//!   this is the share of wrong rows under another name.
//! * Mistakes that are rare and dear decide it, and these rows may hold few of them or none.
//!
//! # Formula
//!
//! `Σ_ij c_ij n_ij / n`. Normal interval from the variance of the rows' costs, cut at the smallest and the
//! largest cost of the table; where all rows cost the same, Wilson's formula on that range.
//!
//! # Example
//!
//! ```
//! use stats::{interval::Level, multiclass::{ClassifiedRows, KeptRow}};
//! use stats::multiclass::expected_cost::{CostTable, expected_cost};
//! let mut rows = ClassifiedRows::new(2, None);
//! let row = |(outcome, predicted)| KeptRow { hash: 0, outcome, predicted, probabilities: vec![0.5, 0.5] };
//! rows.extend([(0, 0), (0, 1), (1, 1), (1, 0)].map(row));
//! let costs = CostTable::new(vec![vec![0.0, 1.0], vec![7.0, 0.0]])?;
//! assert_eq!(expected_cost(&rows, &costs, Level::P95)?.value, 2.0);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # References
//!
//! * C. Elkan, "The foundations of cost-sensitive learning", IJCAI 2001.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::ClassifiedRows;
use crate::classification::expected_cost::{CostError, check, of_cells};
use crate::classification::{Estimate, Undefined};
use crate::interval::Level;

/// Costs by outcome and then by predicted class.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Vec<Vec<f64>>", into = "Vec<Vec<f64>>")]
pub struct CostTable {
    classes: usize,
    costs: Vec<f64>,
}

/// Why there is no expected cost.
#[derive(Clone, Copy, Debug, PartialEq, Error)]
pub enum CostTableError {
    /// A row of the table with more or fewer costs than there are classes.
    #[error("read the table of costs: class {outcome} has {costs} costs, and there are {classes} classes")]
    NotSquare {
        /// Position of the class whose row it is.
        outcome: usize,
        /// Costs in the row.
        costs: usize,
        /// Rows of the table.
        classes: usize,
    },
    /// A cost that cannot be used.
    #[error(transparent)]
    Cost(#[from] CostError),
    /// A table for something else.
    #[error("apply the table of costs: it has {costs} classes, and the rows have {classes}")]
    OtherClasses {
        /// Classes of the table.
        costs: usize,
        /// Classes of the rows.
        classes: usize,
    },
    /// Too few rows.
    #[error(transparent)]
    Undefined(#[from] Undefined),
}

impl CostTable {
    /// Costs by outcome and then by predicted class.
    ///
    /// # Errors
    /// A table that is not square, or costs that are no numbers or beyond ±1e100.
    pub fn new(costs: Vec<Vec<f64>>) -> Result<CostTable, CostTableError> {
        let classes = costs.len();
        if let Some(outcome) = costs.iter().position(|row| row.len() != classes) {
            return Err(CostTableError::NotSquare { outcome, costs: costs[outcome].len(), classes });
        }
        let costs: Vec<f64> = costs.into_iter().flatten().collect();
        check(&costs)?;
        Ok(CostTable { classes, costs })
    }
}

impl TryFrom<Vec<Vec<f64>>> for CostTable {
    type Error = CostTableError;

    fn try_from(costs: Vec<Vec<f64>>) -> Result<CostTable, CostTableError> {
        CostTable::new(costs)
    }
}

impl From<CostTable> for Vec<Vec<f64>> {
    fn from(table: CostTable) -> Vec<Vec<f64>> {
        table.costs.chunks(table.classes.max(1)).map(<[f64]>::to_vec).collect()
    }
}

/// The mean cost of a row.
///
/// # Errors
/// A table for another number of classes, or fewer than two rows.
pub fn expected_cost(
    rows: &ClassifiedRows,
    costs: &CostTable,
    level: Level,
) -> Result<Estimate, CostTableError> {
    let classes = rows.classes();
    if costs.classes != classes {
        return Err(CostTableError::OtherClasses { costs: costs.classes, classes });
    }
    let cell = |at: usize| (costs.costs[at], rows.count(at / classes, at % classes));
    Ok(of_cells((0..costs.costs.len()).map(cell), &costs.costs, level)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_that_do_not_fit_are_refused() {
        let ragged = CostTable::new(vec![vec![0.0, 1.0], vec![1.0]]);
        assert_eq!(ragged, Err(CostTableError::NotSquare { outcome: 1, costs: 1, classes: 2 }));
        assert!(CostTable::new(vec![vec![f64::NAN]]).is_err());
        let table = CostTable::new(vec![vec![0.0, 1.0], vec![7.0, 0.0]]).unwrap();
        let text = serde_json::to_string(&table).unwrap();
        assert_eq!(serde_json::from_str::<CostTable>(&text).unwrap(), table);
        let other = Err(CostTableError::OtherClasses { costs: 2, classes: 3 });
        assert_eq!(expected_cost(&ClassifiedRows::new(3, None), &table, Level::P95), other);
        let none = Err(CostTableError::Undefined(Undefined::NoRows));
        assert_eq!(expected_cost(&ClassifiedRows::new(2, None), &table, Level::P95), none);
        let empty = CostTable::new(Vec::new()).unwrap();
        assert!(expected_cost(&ClassifiedRows::new(0, None), &empty, Level::P95).is_err());
    }
}
