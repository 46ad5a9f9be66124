//! A linear scale from values to percentages of a chart's width, with round ticks.

/// Maps `[from, to]` to 0–100 %. Never empty: a range without width is widened.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Scale {
    from: f64,
    to: f64,
}

impl Scale {
    /// The scale over `[from, to]`, or around `from` where that has no usable width.
    pub(crate) fn new(from: f64, to: f64) -> Self {
        let width = to - from;
        if width.is_finite() && width > from.abs().max(to.abs()) * 1e-9 {
            Self { from, to }
        } else if from.is_finite() {
            let half = (from.abs() * 0.05).clamp(1e-6, 1e300);
            Self { from: from - half, to: from + half }
        } else {
            Self { from: 0.0, to: 1.0 }
        }
    }

    /// The scale that shows all finite `values` with a margin on both sides.
    pub(crate) fn around(values: impl IntoIterator<Item = f64>) -> Self {
        let finite = values.into_iter().filter(|value| value.is_finite());
        let ends = finite.fold(None, |ends: Option<(f64, f64)>, value| {
            Some(ends.map_or((value, value), |(low, high)| (low.min(value), high.max(value))))
        });
        let Some((low, high)) = ends else {
            return Self { from: 0.0, to: 1.0 };
        };
        let margin = (high - low) * 0.08;
        Self::new(low - margin, high + margin)
    }

    /// The same scale, beginning at `from`.
    pub(crate) fn from(self, from: f64) -> Self {
        Self::new(from, self.to)
    }

    /// Where `value` stands, in percent; values outside stick to the nearer end.
    pub(crate) fn at(&self, value: f64) -> f64 {
        let share = (value - self.from) / (self.to - self.from);
        if share.is_nan() { 50.0 } else { share.clamp(0.0, 1.0) * 100.0 }
    }

    pub(crate) fn contains(&self, value: f64) -> bool {
        self.from <= value && value <= self.to
    }

    /// Up to `most` round values inside the scale, ascending.
    pub(crate) fn ticks(&self, most: u32) -> Vec<f64> {
        let most = most.max(2);
        let step = round_up_to_125((self.to - self.from) / f64::from(most));
        let first = (self.from / step).ceil();
        let ticks = (0..=most).map(|i| (first + f64::from(i)) * step);
        // 0.30000000000000004 would be printed as such.
        let digits = (1.0 - step.log10().floor()).clamp(0.0, 15.0);
        let unit = 10f64.powf(digits);
        ticks.filter(|tick| self.contains(*tick)).map(|tick| (tick * unit).round() / unit).collect()
    }
}

/// The smallest of 1, 2 and 5 times a power of ten that is at least `raw`.
fn round_up_to_125(raw: f64) -> f64 {
    let magnitude = 10f64.powf(raw.log10().floor());
    let factor = [1.0, 2.0, 5.0].into_iter().find(|factor| factor * magnitude >= raw * 0.999_999);
    factor.unwrap_or(10.0) * magnitude
}

/// A percentage as an SVG coordinate.
pub(crate) fn pct(value: f64) -> String {
    format!("{value:.2}%")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_inside() {
        assert_eq!(Scale::new(0.0, 1.0).ticks(5), [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]);
        assert_eq!(Scale::new(0.553, 0.741).ticks(4), [0.6, 0.65, 0.7]);
        assert_eq!(Scale::new(-3.0, 12.0).ticks(4), [0.0, 5.0, 10.0]);
    }

    #[test]
    fn a_scale_is_never_empty_whatever_it_is_made_from() {
        for values in
            [vec![], vec![0.0], vec![0.7, 0.7], vec![f64::NAN], vec![1e308, -1e308], vec![1e-300; 3]]
        {
            let scale = Scale::around(values.clone());
            let at = scale.at(values.first().copied().unwrap_or(0.5));
            assert!((0.0..=100.0).contains(&at), "{values:?} at {at}");
            assert!(scale.ticks(5).len() <= 6);
        }
    }

    #[test]
    fn values_outside_stick_to_the_nearer_end() {
        let scale = Scale::new(0.0, 1.0);
        assert_eq!([-1.0, 0.25, 7.0].map(|value| scale.at(value)), [0.0, 25.0, 100.0]);
    }
}
