//! How much a column changed, in one way of several, and which alarms it takes for that to count.

use types::definition::Distance;

use super::alarm;

/// The size of one way in which values can be distributed differently.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Effect {
    /// The measure that it is shown as.
    pub(crate) of: &'static str,
    /// One of these must be an alarm for it to count.
    pub(crate) streams: &'static [&'static str],
    pub(crate) distance: Distance,
    /// The distance less what chance gives, not below 0.
    pub(crate) excess: f64,
    /// As much of it nine in ten windows of the reference show at most.
    pub(crate) usual: f64,
}

impl Effect {
    /// One that is a population stability index.
    pub(super) fn psi(of: &'static str, streams: &'static [&'static str], excess: f64) -> Self {
        Self { of, streams, distance: Distance::Psi, excess, usual: 0.0 }
    }

    /// What exceeds both chance and what is usual.
    pub(super) fn news(&self) -> f64 {
        self.excess - self.usual
    }
}

/// Streams that tell of the values.
const OF_VALUES: &[&str] = &[alarm::DISTRIBUTION, alarm::UNSEEN, alarm::VALUES];

/// How differently the values themselves are distributed.
pub(super) fn of_values(distance: Distance, excess: f64) -> Effect {
    Effect { of: distance.measure(), streams: OF_VALUES, distance, excess, usual: 0.0 }
}
