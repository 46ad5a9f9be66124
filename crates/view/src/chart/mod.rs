//! Charts as SVG: a histogram of two windows, intervals on a line, a reliability diagram, curves over
//! a number; and over time a heat map, fans of quantiles, stacked shares and series with intervals.
//!
//! In most charts, horizontal positions are percentages of the chart's width and text keeps its size, so that a
//! chart fits a wide screen and a phone alike without shrinking its words. Colours are variables
//! of the style sheet. Values appear on hover (`<title>`), and in text beside the chart.

mod curve;
mod dumbbell;
mod fan;
pub(crate) mod heat_map;
mod histogram;
mod interval_plot;
mod reliability;
mod scale;
mod series;
mod share_bar;
mod signed_bars;
mod stack;
mod steps;
mod time;
mod weight_bars;

pub(crate) use curve::{Across, Chart, Curve, Drawn, overall};
pub(crate) use dumbbell::Dumbbell;
pub(crate) use fan::{FanWindow, Quantiles, fan};
pub(crate) use heat_map::{Cell, Tone, heat_row};
pub(crate) use histogram::{histogram, sparkline};
pub(crate) use interval_plot::{Guide, GuideKind, axis, bullet, lane, lane_with};
pub(crate) use reliability::{Reliability, reliability, small_reliability};
pub(crate) use scale::Scale;
pub(crate) use series::{Arrival, Divider, Plot, Point, Series, plot};
pub(crate) use share_bar::{Part, share_bar};
pub(crate) use signed_bars::{SignedBar, signed_bars};
pub(crate) use stack::{Shares, Stack, listed, stack};
pub(crate) use steps::{Step, steps, trend};
pub(crate) use time::month_axis;
pub(crate) use weight_bars::weight_bars;
