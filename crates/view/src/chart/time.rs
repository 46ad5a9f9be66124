//! Time from left to right: one slot a window, all of equal width, with the months named below.

use std::ops::Range;

use maud::{Markup, html};
use types::Window;

use super::scale::{Scale, pct};

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// Equal slots across the width of a chart, in percent.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Slots {
    width: f64,
}

impl Slots {
    pub(crate) fn of(count: usize) -> Self {
        Self { width: 100.0 / count.max(1) as f64 }
    }

    pub(crate) fn left(self, slot: usize) -> f64 {
        slot as f64 * self.width
    }

    pub(crate) fn centre(self, slot: usize) -> f64 {
        (slot as f64 + 0.5) * self.width
    }

    pub(crate) fn width(self) -> f64 {
        self.width
    }
}

/// A label of the axis.
#[derive(Debug, PartialEq)]
struct Month {
    slot: usize,
    name: &'static str,
    /// Where it is another one than before; `’13` where there is little room.
    year: Option<String>,
}

/// The months in which windows begin, each over the first such window.
///
/// Labels that would stand closer than `gap` percent of the width are left out.
fn months(windows: &[Window], gap: f64) -> Vec<Month> {
    let slots = Slots::of(windows.len());
    let dates: Vec<_> = windows.iter().map(year_and_month).collect();
    let starts = (0..dates.len()).filter(|slot| *slot == 0 || dates[*slot] != dates[slot - 1]);
    let mut kept: Vec<usize> = Vec::new();
    for slot in starts {
        match kept.last() {
            Some(last) if slots.left(slot) - slots.left(*last) < gap => {
                // The first month may be only a few days long; then the next one says more.
                if kept.len() == 1 && *last == 0 && slots.left(slot) < gap / 2.0 {
                    kept[0] = slot;
                }
            }
            _ => kept.push(slot),
        }
    }
    let mut year = None;
    let ends = kept.iter().skip(1).map(|next| slots.left(*next)).chain([100.0]);
    let labels = kept.iter().zip(ends).map(|(slot, end)| {
        let (in_year, name) = &dates[*slot];
        let anew = year.replace(in_year).is_none_or(|before| before != in_year);
        let is_tight = end - slots.left(*slot) < gap * 1.4;
        Month {
            slot: *slot,
            name,
            year: anew.then(|| if is_tight { short(in_year) } else { in_year.clone() }),
        }
    });
    labels.collect()
}

/// `’13` of `2013`.
fn short(year: &str) -> String {
    format!("’{}", year.get(year.len().saturating_sub(2)..).unwrap_or(year))
}

/// `("2013", "Jun")` of the instant at which a window begins.
fn year_and_month(window: &Window) -> (String, &'static str) {
    let instant = window.from().to_string();
    let date = instant.split('T').next().unwrap_or_default();
    let mut parts = date.rsplitn(3, '-').skip(1);
    let month = parts.next().and_then(|month| month.parse::<usize>().ok()).unwrap_or(1);
    let year = parts.next().unwrap_or_default().to_owned();
    (year, MONTHS[(month.max(1) - 1) % 12])
}

/// The months under (or over) a chart of as many slots, as a row of text.
pub(crate) fn month_axis(windows: &[Window], gap: f64) -> Markup {
    let slots = Slots::of(windows.len());
    html! {
        svg.months aria-hidden="true" {
            @for month in months(windows, gap) {
                @let x = pct(slots.left(month.slot));
                line.base x1=(x) x2=(x) y1="0" y2="100%" {}
                text.tick x=(x) dx="4" y="13" { (month.name) @if let Some(year) = month.year { tspan.year { " " (year) } } }
            }
        }
    }
}

/// The stretches of neighbouring slots that hold something.
pub(crate) fn runs<T>(values: &[Option<T>]) -> Vec<Range<usize>> {
    let mut runs: Vec<Range<usize>> = Vec::new();
    for slot in (0..values.len()).filter(|slot| values[*slot].is_some()) {
        match runs.last_mut() {
            Some(run) if run.end == slot => run.end += 1,
            _ => runs.push(slot..slot + 1),
        }
    }
    runs
}

/// Where values stand in a drawing area of one hundred units' width, which stretches with the chart.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plane {
    pub(crate) slots: Slots,
    pub(crate) scale: Scale,
    pub(crate) height: f64,
}

impl Plane {
    /// The height of a value, in pixels from the top.
    pub(crate) fn y(&self, value: f64) -> f64 {
        self.height * (1.0 - self.scale.at(value) / 100.0)
    }

    /// Paths in this plane: they stretch, their strokes do not.
    pub(crate) fn draw(&self, paths: &Markup) -> Markup {
        let view = format!("0 0 100 {}", self.height);
        html! {
            svg.plane x="0" y="0" width="100%" height=(self.height) viewBox=(view) preserveAspectRatio="none" aria-hidden="true" { (paths) }
        }
    }

    /// From centre to centre over each run of values; a value alone is a dash as wide as its slot.
    pub(crate) fn line(&self, values: &[Option<f64>]) -> String {
        runs(values).into_iter().map(|run| format!("M{}", self.points(&run, values).join("L"))).collect()
    }

    /// The area between two lines, where there are both.
    pub(crate) fn band(&self, low: &[Option<f64>], high: &[Option<f64>]) -> String {
        let both: Vec<Option<()>> =
            low.iter().zip(high).map(|(low, high)| low.and(*high).map(|_| ())).collect();
        let area = |run: Range<usize>| {
            let mut points = self.points(&run, high);
            points.extend(self.points(&run, low).into_iter().rev());
            format!("M{}Z", points.join("L"))
        };
        runs(&both).into_iter().map(area).collect()
    }

    /// A run's points, led out to the edges of its first and last slot.
    fn points(&self, run: &Range<usize>, values: &[Option<f64>]) -> Vec<String> {
        let at = |x: f64, slot: usize| values[slot].map(|value| format!("{x:.2} {:.1}", self.y(value)));
        let centres = run.clone().map(|slot| at(self.slots.centre(slot), slot));
        let first = at(self.slots.left(run.start), run.start);
        let last = at(self.slots.left(run.end), run.end - 1);
        std::iter::once(first).chain(centres).chain([last]).flatten().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn windows(starts: &[&str]) -> Vec<Window> {
        starts.iter().map(|from| format!("{from}/2099-01-01").parse().unwrap()).collect()
    }

    #[test]
    fn a_month_is_named_once_and_the_year_where_it_changes() {
        let weeks = windows(&["2013-11-25", "2013-12-02", "2013-12-09", "2014-01-06", "2014-01-13"]);
        let labels = |gap: f64| -> Vec<String> {
            let text = |of: Month| format!("{} {} {}", of.slot, of.name, of.year.unwrap_or_default());
            months(&weeks, gap).into_iter().map(text).collect()
        };
        assert_eq!(labels(5.0), ["0 Nov 2013", "1 Dec ", "3 Jan 2014"]);
        assert_eq!(labels(45.0), ["1 Dec 2013"], "a short first month gives way");
        assert_eq!(labels(18.0), ["0 Nov ’13", "1 Dec ", "3 Jan 2014"], "little room for the year");
    }

    #[test]
    fn gaps_part_the_runs() {
        assert_eq!(runs(&[None, Some(1), Some(2), None, Some(3)]), [1..3, 4..5]);
        assert!(runs::<u8>(&[None, None]).is_empty());
        assert!(runs::<u8>(&[]).is_empty());
    }

    #[test]
    fn a_line_breaks_at_a_gap_and_a_value_alone_is_as_wide_as_its_slot() {
        let plane = Plane { slots: Slots::of(4), scale: Scale::new(0.0, 1.0), height: 10.0 };
        let line = plane.line(&[Some(0.0), Some(1.0), None, Some(0.5)]);
        assert_eq!(line, "M0.00 10.0L12.50 10.0L37.50 0.0L50.00 0.0M75.00 5.0L87.50 5.0L100.00 5.0");
        assert_eq!(plane.line(&[None, None]), "");
    }
}
