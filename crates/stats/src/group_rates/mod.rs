//! Rates of many groups at once: which groups are wrong more often than the rest, and what small groups'
//! rates are worth.
//!
//! [`against_rest`] tests each group's mistakes against all other rows. [`shrinkage`] draws the rates of
//! small groups towards the others, so that a list sorted by rate is not headed by the groups with the
//! fewest rows.

pub mod against_rest;
mod beta_binomial;
pub mod shrinkage;
