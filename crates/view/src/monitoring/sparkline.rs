//! A line of small blocks for a terminal or a table in text: how a number moved over the windows.

const BLOCKS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
const GAP: char = '·';

/// One block a value, from 0 to the largest of them; a gap is a dot.
///
/// ```
/// assert_eq!(view::monitoring::sparkline(&[Some(0.0), Some(0.1), None, Some(0.4)]), "▁▃·█");
/// ```
pub fn sparkline(values: &[Option<f64>]) -> String {
    let finite = values.iter().flatten().copied().filter(|value| value.is_finite());
    sparkline_between(values, 0.0, finite.fold(0.0, f64::max))
}

/// One block a value, on the scale from `low` to `high`; values outside stick to the nearer end.
///
/// ```
/// assert_eq!(view::monitoring::sparkline_between(&[Some(0.65), Some(0.75), Some(0.9)], 0.65, 0.75), "▁██");
/// ```
pub fn sparkline_between(values: &[Option<f64>], low: f64, high: f64) -> String {
    values
        .iter()
        .map(|value| value.filter(|value| !value.is_nan()).map_or(GAP, |value| block(value, low, high)))
        .collect()
}

/// The lowest eighth is the lowest block, and so on.
fn block(value: f64, low: f64, high: f64) -> char {
    let share = (value - low) / (high - low);
    let share = if share.is_finite() { share.clamp(0.0, 1.0) } else { f64::from(u8::from(value > high)) };
    BLOCKS[((share * 8.0) as usize).min(7)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn eight_equal_steps_use_all_eight_blocks() {
        let values: Vec<_> = (0..8).map(|i| Some(f64::from(i) / 8.0)).collect();
        assert_eq!(sparkline_between(&values, 0.0, 1.0), "▁▂▃▄▅▆▇█");
    }

    #[test]
    fn what_cannot_be_drawn_is_a_gap_and_no_scale_is_no_panic() {
        assert_eq!(sparkline(&[]), "");
        assert_eq!(sparkline(&[None, Some(f64::NAN)]), "··");
        assert_eq!(sparkline(&[Some(0.0), Some(0.0)]), "▁▁");
        assert_eq!(sparkline(&[Some(f64::INFINITY), Some(1.0), Some(-3.0)]), "██▁");
        assert_eq!(sparkline_between(&[Some(0.5)], 0.5, 0.5), "▁");
        assert_eq!(sparkline_between(&[Some(0.5)], f64::NAN, 1.0), "▁");
    }
}
