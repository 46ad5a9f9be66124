//! How windows went, small enough for a line of a list: a bar a window; and a value over time as a line.

use maud::{Markup, html};
use types::Verdict;

use super::scale::Scale;
use super::time::{Plane, Slots};

const HEIGHT: u32 = 24;
/// Units across a window; the drawing is stretched to the width that there is.
const SLOT: usize = 10;
const TREND_HEIGHT: f64 = 24.0;

/// One window.
#[derive(Clone, Debug)]
pub(crate) struct Step {
    pub(crate) verdict: Option<Verdict>,
    /// The share of its findings that fail.
    pub(crate) failing: f64,
    /// Said on hover.
    pub(crate) title: String,
}

/// The bars: the worse, the higher, so that the colour only repeats it.
pub(crate) fn steps(label: &str, of: &[Step]) -> Markup {
    html! {
        svg.steps role="img" aria-label=(label) viewBox=(format!("0 0 {} {HEIGHT}", of.len() * SLOT)) preserveAspectRatio="none" {
            @for (slot, step) in of.iter().enumerate() {
                @let (class, height) = look(step);
                g.hit {
                    title { (step.title) }
                    rect.slot x=(slot * SLOT) width=(SLOT) height=(HEIGHT) {}
                    rect class=(class) x=(slot * SLOT + 1) width=(SLOT - 2) y=(HEIGHT - height) height=(height) {}
                }
            }
        }
    }
}

fn look(of: &Step) -> (&'static str, u32) {
    match of.verdict {
        None => ("nothing", 2),
        Some(Verdict::Pass) => ("pass", 6),
        Some(Verdict::Unknown) => ("unknown", 8),
        Some(Verdict::Warn) => ("warn", 10),
        // The share is between 0 and 1, so the height is at most that of the drawing.
        Some(Verdict::Fail) => ("fail", 13 + (of.failing.clamp(0.0, 1.0).sqrt() * 11.0) as u32),
    }
}

/// The line; nothing where there are less than two values.
pub(crate) fn trend(label: &str, values: &[Option<f64>]) -> Markup {
    let values: Vec<Option<f64>> =
        values.iter().map(|value| value.filter(|value| value.is_finite())).collect();
    if values.iter().flatten().count() < 2 {
        return html! {};
    }
    let scale = Scale::around(values.iter().flatten().copied());
    let plane = Plane { slots: Slots::of(values.len()), scale, height: TREND_HEIGHT };
    html! {
        svg.trend-line role="img" aria-label=(label) { (plane.draw(&html! { path.line d=(plane.line(&values)) {} })) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn height(verdict: Option<Verdict>, failing: f64) -> u32 {
        look(&Step { verdict, failing, title: String::new() }).1
    }

    #[test]
    fn a_worse_window_has_a_higher_bar() {
        let worse =
            [None, Some(Verdict::Pass), Some(Verdict::Unknown), Some(Verdict::Warn), Some(Verdict::Fail)];
        let heights = worse.map(|verdict| height(verdict, 0.01));
        assert!(heights.is_sorted_by(|a, b| a < b), "{heights:?}");
        assert!(height(Some(Verdict::Fail), 0.5) > height(Some(Verdict::Fail), 0.1));
        assert!([1.0, 7.0, f64::INFINITY].iter().all(|share| height(Some(Verdict::Fail), *share) <= HEIGHT));
    }

    #[test]
    fn a_line_needs_two_values() {
        assert!(trend("x", &[Some(1.0), None, Some(f64::NAN)]).into_string().is_empty());
        assert!(trend("x", &[Some(1.0), Some(2.0)]).into_string().contains("<path"));
    }
}
