//! Stress: what does the model do when its inputs fail, when somebody manipulates them, and how should it fail?
//!
//! [`plan`] lists experiments; each is a [`fault`] that is done to rows on purpose. The model is asked elsewhere;
//! [`response`] reads its answers: the class of each, what the fault costs, and whether it is handled;
//! [`judge`] makes findings of them.
//! [`endpoint`] and [`load`] are of the server of a model: what its faults do to callers, and how much it stands.
//! [`manipulate`] searches the cheapest change that flips a decision. [`degrade`] weighs what to do while an input
//! is down. Nothing here asks a model, reads data or a clock; what is random follows from seeds.

pub mod degrade;
pub mod endpoint;
pub mod fault;
pub mod judge;
pub mod load;
pub mod manipulate;
pub mod plan;
pub mod response;
