//! Questions to the graph: what lies up and down the stream, as it was and as it was known at a time.
//!
//! A [`View`] sees what had been said by a time. [`View::upstream`] and [`View::downstream`] are the hops of one node
//! (what it takes to infer one is in `writer`); [`upstream`] and [`downstream`] follow them, each node once.
//! [`prediction`] finds what answered, [`gaps`] asks everything, [`difference`] compares two traces.

mod describe;
mod difference;
mod downstream;
mod find;
mod gaps;
mod hop;
mod model;
mod prediction;
mod quality;
#[cfg(test)]
mod tests;
mod trace;
mod view;
mod writer;

pub use difference::{Change, difference};
pub use find::{FindError, find};
pub use gaps::{Coverage, Gap, gaps};
pub use hop::Hop;
pub use prediction::{Begin, prediction, versions_of};
pub use trace::{downstream, upstream};
pub use view::View;
