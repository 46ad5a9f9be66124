//! Where scores stand among those of the reference.

use super::RarityError;

/// The decile of each of `scores` by the quantiles of `reference`, from 1 to 10 (the rarest tenth): one
/// more than the whole tenths of the reference that lie strictly below. Equal scores share a decile, the
/// lowest that any of them has; of all scores alike, that is 1.
///
/// ```
/// use stats::rarity::deciles;
/// let reference: Vec<f64> = (0..100).map(f64::from).collect();
/// assert_eq!(deciles(&reference, &[-5.0, 9.0, 10.0, 95.0, 1e9])?, [1, 1, 2, 10, 10]);
/// # Ok::<(), stats::rarity::RarityError>(())
/// ```
///
/// # Errors
/// No reference, a score that is not a number.
pub fn deciles(reference: &[f64], scores: &[f64]) -> Result<Vec<u8>, RarityError> {
    if reference.is_empty() {
        return Err(RarityError::TooFewRows { n: 0, needed: 1 });
    }
    if let Some(row) = reference.iter().position(|score| score.is_nan()) {
        return Err(RarityError::Score { row });
    }
    let mut sorted = reference.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let decile = |(row, &score): (usize, &f64)| {
        if score.is_nan() {
            return Err(RarityError::Score { row });
        }
        let below = sorted.partition_point(|&of_reference| of_reference < score);
        Ok((1 + below * 10 / sorted.len()).min(10) as u8)
    };
    scores.iter().enumerate().map(decile).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_scores_are_not_rare_and_what_is_no_number_is_refused() {
        assert_eq!(deciles(&[0.5; 20], &[0.5, 0.6, 0.4]), Ok(vec![1, 10, 1]));
        assert_eq!(deciles(&[-0.0], &[0.0]), Ok(vec![1]));
        assert_eq!(deciles(&[], &[0.1]), Err(RarityError::TooFewRows { n: 0, needed: 1 }));
        assert_eq!(deciles(&[0.1], &[0.2, f64::NAN]), Err(RarityError::Score { row: 1 }));
        assert_eq!(deciles(&[f64::NAN], &[]), Err(RarityError::Score { row: 0 }));
    }
}
