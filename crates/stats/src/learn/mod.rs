//! Gradient-boosted trees: a learner for the questions that need a model of their own.
//!
//! Ours, because the crates that train boosted trees (gbdt, perpetual, forust, smartcore, linfa)
//! bring thread pools, linear algebra and serialisation that a pure crate has no use for, or are no
//! longer kept, or know no categories and missing values; and nothing here needs to be faster or
//! better than the field's usual defaults.
//!
//! # What it measures
//!
//! The mean of a number, or the probability of an outcome, given a row's [`Features`]: columns of
//! numbers and categories, both with missing values, without any preparation. No scaling, no
//! encoding; a strictly increasing change of a column's unit changes nothing.
//!
//! # When it misleads
//!
//! * Predictions for training rows are too good; judge a [`Booster`] by rows that it has not seen.
//! * It does not extrapolate: beyond the training values, predictions stay constant.
//! * Rare categories (beyond the 254 most frequent, or fewer than ten rows in a node) share one
//!   prediction.
//! * Probabilities from few rows are over-confident; calibrate them where they are used as such.
//!
//! # Formula
//!
//! Predictions are a sum of trees. With gradients `gᵢ` and hessians `hᵢ` of the loss at the sum so
//! far, a leaf has the value `−η Σg / (Σh + λ)`, and a split into L and R gains
//! `½ (G_L²/(H_L + λ) + G_R²/(H_R + λ) − G²/(H + λ))`. Trees grow leaf by leaf, the largest gain
//! first. Values are put into at most 255 quantile bins before; missing ones have a bin of their
//! own and go to the side where they fit better. Categories are put in the order of
//! `Σg / (Σh + 10)` and split as if they were ordered.
//!
//! # Example
//!
//! ```
//! use stats::learn::{Booster, Column, Features, Loss, Options};
//! let size: Vec<f64> = (0..400).map(f64::from).collect();
//! let price: Vec<f64> = size.iter().map(|size| if *size < 200.0 { 1.0 } else { 5.0 }).collect();
//! let features = Features::new(vec![Column::Numeric(size)])?;
//! let booster = Booster::fit(&features, &price, None, &Options::new(Loss::Squared))?;
//! let asked = Features::new(vec![Column::Numeric(vec![10.0, 1e9])])?;
//! let predicted = booster.predict(&asked)?;
//! assert!((predicted[0] - 1.0).abs() < 0.01 && (predicted[1] - 5.0).abs() < 0.01);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # References
//!
//! * J. H. Friedman, "Greedy function approximation: a gradient boosting machine", Ann. Stat. 29,
//!   2001: boosting.
//! * T. Chen, C. Guestrin, "XGBoost: a scalable tree boosting system", KDD 2016, equations 5 to 7:
//!   leaf values and gains; section 3.4: missing values.
//! * G. Ke et al., "LightGBM: a highly efficient gradient boosting decision tree", NeurIPS 2017:
//!   histograms and growth by leaf.
//! * W. D. Fisher, "On grouping for maximum homogeneity", J. Am. Stat. Assoc. 53, 1958: why ordered
//!   categories suffice.
//! * L. Breiman, "Random forests", Mach. Learn. 45, 2001: permutation importance.

mod bins;
mod booster;
pub(crate) mod cross_fit;
mod features;
pub(crate) mod folds;
mod histogram;
mod importance;
mod split;
mod tree;

pub(crate) use bins::quantile_edges;
pub use booster::{Booster, LearnError, Loss, Options, RowSampling};
pub use features::{Column, ColumnKind, Features, FeaturesError, MISSING};
pub use importance::{Importance, ImportanceError, permutation_importance};
