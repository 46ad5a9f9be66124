//! Govern: what evidence means for the organisation.
//!
//! So far this room holds the gates: [`gate::decide`] says from evidence alone whether something
//! may go ahead. Nothing here computes a number, reads a file or looks at a clock.

pub mod gate;
