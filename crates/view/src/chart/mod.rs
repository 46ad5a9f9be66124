//! Charts as SVG: a histogram of two windows, intervals on a line, a reliability diagram.
//!
//! In most charts, horizontal positions are percentages of the chart's width and text keeps its size, so that a
//! chart fits a wide screen and a phone alike without shrinking its words. Colours are variables
//! of the style sheet. Values appear on hover (`<title>`), and in text beside the chart.

mod histogram;
mod interval_plot;
mod reliability;
mod scale;
mod share_bar;

pub(crate) use histogram::{histogram, sparkline};
pub(crate) use interval_plot::{Guide, GuideKind, axis, bullet, lane};
pub(crate) use reliability::reliability;
pub(crate) use scale::Scale;
pub(crate) use share_bar::{Part, share_bar};
