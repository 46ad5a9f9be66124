//! Calibration: whether scores mean what they say.
//!
//! A score of 0.3 is right when 30 % of the rows with it turn out positive. Each file holds one way
//! to look at that; all take [`LabelledScores`](crate::labelled_scores::LabelledScores).
//!
//! | question | file |
//! |---|---|
//! | what happens at each score? | [`bins`]: reliability bins; [`corp`]: the curve without bins |
//! | by how much are scores off on average? | [`expected_error`], [`binned_error`]; [`smooth_error`] without bins |
//! | are scores too high, too low, too extreme? | [`line`](mod@line): Cox's intercept and slope |
//! | can it be chance? | [`expected_error`], [`hosmer_lemeshow`], [`corp`], [`smooth_error`] |
//! | how much of the Brier score is calibration? | [`brier_parts`], [`corp`] |
//! | does it hold for every group? | [`multicalibration`] |
//! | how does one say it? | [`says_and_is`] |

pub mod binned_error;
pub mod bins;
pub mod brier_parts;
pub mod corp;
pub mod expected_error;
pub mod hosmer_lemeshow;
pub mod line;
pub mod multicalibration;
pub mod says_and_is;
pub mod smooth_error;

pub use bins::{Binning, ReliabilityBin, reliability, reliability_by};
pub use expected_error::{CalibrationError, calibration_in_the_large, expected_calibration_error};
