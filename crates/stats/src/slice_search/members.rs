//! The rows of a slice, and slices that are mostly the same rows.

use super::encoding::EncodedColumn;
use super::{Slice, SliceError};

/// The rows that meet all of `conditions` (column and code), ascending; all rows where there are none.
///
/// Rows are those that every column has a code for. A code that does not occur has no rows.
///
/// # Errors
/// No columns, more rows than 32 bits can number, or a condition on a column that is not there.
pub fn rows_of(conditions: &[(usize, u32)], columns: &[EncodedColumn]) -> Result<Vec<u32>, SliceError> {
    let rows = columns.iter().map(|column| column.codes.len()).min().ok_or(SliceError::NoColumns)?;
    if rows >= u32::MAX as usize {
        return Err(SliceError::TooManyRows { rows });
    }
    let mut members: Option<Vec<u32>> = None;
    for &(column, code) in conditions {
        let EncodedColumn { codes, .. } =
            columns.get(column).ok_or(SliceError::UnknownColumn { column, columns: columns.len() })?;
        members = Some(match members {
            None => (0..).zip(&codes[..rows]).filter(|(_, of)| **of == code).map(|(row, _)| row).collect(),
            Some(mut members) => {
                members.retain(|&row| codes[row as usize] == code);
                members
            }
        });
    }
    Ok(members.unwrap_or_else(|| (0..rows as u32).collect()))
}

/// The positions of the slices that are not mostly the rows of a better one.
///
/// `slices` are in descending order of score, as they are found. A slice is left out where its overlap with
/// one that was taken before, rows in both over rows in either (Jaccard), exceeds `overlap_max`. At 1 all
/// are taken, and below 0 the first alone.
///
/// ```
/// use stats::slice_search::{EncodedColumn, SliceOptions, distinct, find_slices};
/// // The second column tells the same as the first.
/// let hour = EncodedColumn { codes: (0..200).map(|row| row % 5).collect(), cardinality: 5 };
/// let late = EncodedColumn { codes: (0..200).map(|row| u32::from(row % 5 == 4)).collect(), cardinality: 2 };
/// let losses: Vec<f64> = (0..200).map(|row| f64::from(row % 5 == 4)).collect();
/// let columns = [hour, late];
/// let found = find_slices(&columns, &losses, &SliceOptions::new(200))?;
/// assert_eq!(found.slices.len(), 3);
/// assert_eq!(distinct(&found.slices, &columns, 0.5)?, [0]);
/// # Ok::<(), stats::slice_search::SliceError>(())
/// ```
///
/// # Errors
/// As [`rows_of`].
pub fn distinct(
    slices: &[Slice],
    columns: &[EncodedColumn],
    overlap_max: f64,
) -> Result<Vec<usize>, SliceError> {
    let mut taken: Vec<(usize, Vec<u32>)> = Vec::new();
    for (position, slice) in slices.iter().enumerate() {
        let rows = rows_of(&slice.conditions, columns)?;
        if taken.iter().all(|(_, better)| overlap(better, &rows) <= overlap_max) {
            taken.push((position, rows));
        }
    }
    Ok(taken.into_iter().map(|(position, _)| position).collect())
}

/// Elements in both over elements in either, of two ascending lists; 0 where both are empty.
fn overlap(a: &[u32], b: &[u32]) -> f64 {
    let (mut rest, mut both) = (b, 0_usize);
    for row in a {
        rest = &rest[rest.iter().take_while(|other| *other < row).count()..];
        both += usize::from(rest.first() == Some(row));
    }
    let either = a.len() + b.len() - both;
    if either == 0 { 0.0 } else { both as f64 / either as f64 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_meet_every_condition() {
        let column = |codes: &[u32]| EncodedColumn { codes: codes.to_vec(), cardinality: 3 };
        let columns = [column(&[0, 1, 1, 2, 1]), column(&[1, 1, 0, 1, 1])];
        assert_eq!(rows_of(&[(0, 1), (1, 1)], &columns), Ok(vec![1, 4]));
        assert_eq!(rows_of(&[], &columns), Ok(vec![0, 1, 2, 3, 4]));
        assert_eq!(rows_of(&[(0, 9)], &columns), Ok(vec![]));
        assert_eq!(rows_of(&[(0, 1), (0, 2)], &columns), Ok(vec![]));
        assert_eq!(rows_of(&[(2, 0)], &columns), Err(SliceError::UnknownColumn { column: 2, columns: 2 }));
        assert_eq!(rows_of(&[], &[]), Err(SliceError::NoColumns));
    }

    #[test]
    fn overlap_is_the_share_of_common_elements() {
        for (a, b, expected) in [
            (vec![], vec![], 0.0),
            (vec![1, 2, 3], vec![], 0.0),
            (vec![1, 2, 3], vec![2, 3, 4], 0.5),
            (vec![5], vec![1, 5, 9], 1.0 / 3.0),
            (vec![1, 2], vec![1, 2], 1.0),
        ] {
            assert_eq!((overlap(&a, &b), overlap(&b, &a)), (expected, expected));
        }
    }
}
