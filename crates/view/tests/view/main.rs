//! What the output formats promise, on realistic reports and on hostile ones.

mod evaluation;
mod evaluation_hostile;
mod hostile;
mod over_time;
mod over_time_hostile;
mod page;
mod sample;
mod site;
mod text;
