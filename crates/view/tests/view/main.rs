//! What the three output formats promise, on a realistic report and on hostile ones.

mod hostile;
mod page;
mod sample;
mod text;
