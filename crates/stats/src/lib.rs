//! The statistics of Forewarn: drift between two windows, quality of a binary classifier, and the
//! intervals and corrections that keep either from being over-read.
//!
//! Plain values in, plain values out: no IO, no clock and no global random source. Comparisons of
//! numbers start from an [`ecdf::Ecdf`], comparisons of categories from counts, and the quality of
//! scores from [`labelled_scores::LabelledScores`]. What takes many columns at once starts from
//! [`learn::Features`]; what compares groups of rows is in [`fairness`] and [`group_rates`], what compares two
//! models in [`paired`]. Whether a value matters is judged elsewhere.

pub mod attribution;
mod binomial;
pub mod bins;
pub mod bootstrap;
pub mod chi_square;
pub mod classification;
pub mod confidently_wrong;
pub mod count_prediction;
pub mod counts;
pub mod cramer_von_mises;
pub mod domain_classifier;
pub mod ecdf;
pub mod embedding;
pub mod energy_distance;
pub mod estimated;
pub mod expected_shortfall;
pub mod fairness;
pub mod false_discovery;
pub mod g_test;
pub mod group_rates;
pub mod hellinger;
mod hypergeometric;
pub mod interval;
pub mod jensen_shannon;
pub mod kolmogorov_smirnov;
pub mod l_infinity;
pub mod labelled_scores;
pub mod learn;
mod losses;
pub mod mean_loss;
pub mod multiclass;
pub mod paired;
pub mod peers;
pub mod predictable_errors;
pub mod principal_directions;
pub mod proportion;
pub mod psi;
pub mod random;
pub mod rarity;
pub mod reconstruction;
pub mod regression;
pub mod residual_trend;
pub mod sampling_noise;
pub mod sequential;
pub mod serial_mean;
pub mod serial_quantile;
pub mod sketch;
pub mod slice_search;
pub mod special;
mod symmetric_eigen;
pub mod tail_bound;
pub mod time_clustering;
pub mod total_variation;
pub mod wasserstein;
pub mod worst_cases;
pub mod worst_subpopulation;
