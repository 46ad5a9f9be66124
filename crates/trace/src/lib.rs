//! Trace: where did this prediction come from, and what did this data touch?
//!
//! Events of OpenLineage ([`openlineage`]) add up ([`projection`]) to one [`graph`], whatever their order. [`query`]
//! walks it up and down the stream as it was, and as it was known, at a time; every hop says whether it is recorded,
//! inferred, declared to be the beginning, missing or contradicted. [`fingerprint`] tells whether two pipelines did the
//! same. [`form`] writes what was found. Nothing here reads a file or a clock.

pub mod change;
pub mod fingerprint;
pub mod form;
pub mod graph;
pub mod openlineage;
pub mod projection;
pub mod query;
#[cfg(test)]
mod random_events;
