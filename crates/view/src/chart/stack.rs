//! How the mix of categories moves: stacked shares, window after window, beside the reference's.

use maud::{Markup, html};
use types::{Verdict, Window, format};

use super::fan::verdict_slots;
use super::scale::pct;
use super::time::{Slots, month_axis, runs};

const HEIGHT: f64 = 104.0;

/// The shares of the named categories in one window; what is left of 1 is drawn as the others.
pub(crate) type Shares = Vec<f64>;

/// The categories over time; each `Shares` has one number for each name.
#[derive(Clone, Debug)]
pub(crate) struct Stack {
    pub(crate) names: Vec<String>,
    pub(crate) reference: Option<Shares>,
    pub(crate) windows: Vec<Option<Shares>>,
    /// What the windows came to, and what is said on hover.
    pub(crate) verdicts: Vec<(Option<Verdict>, String)>,
}

/// The chart and its legend; `name` is what it is of.
pub(crate) fn stack(name: &str, windows: &[Window], of: &Stack) -> Markup {
    html! {
        div.stack {
            svg.mix.of-reference role="img" aria-label=(format!("{name} in the reference")) {
                @if let Some(shares) = &of.reference {
                    g.hit {
                        title { (format!("reference\n{}", listed(&of.names, shares))) }
                        @for (class, from, to) in layers(shares) { (layer(&class, 0.0, 100.0, from, to)) }
                    }
                }
            }
            div {
                svg.mix role="img" aria-label=(format!("Shares of {name} over {} windows", of.windows.len())) {
                    (areas(&of.windows))
                    (verdict_slots(Slots::of(of.windows.len()), HEIGHT, of.verdicts.iter().map(|(verdict, title)| (*verdict, title.as_str()))))
                }
                (month_axis(windows, 15.0))
            }
        }
        (legend(of))
    }
}

/// `EV 20.3 %`, one a line.
pub(crate) fn listed(names: &[String], shares: &[f64]) -> String {
    let lines = names.iter().zip(shares).map(|(name, share)| format!("{name} {}", format::percent(*share)));
    lines.collect::<Vec<_>>().join("\n")
}

/// Class, lower and upper end of each layer, bottom first; the others come last.
fn layers(shares: &[f64]) -> Vec<(String, f64, f64)> {
    let mut from = 0.0;
    let mut layers = Vec::with_capacity(shares.len() + 1);
    for (i, share) in shares.iter().enumerate() {
        let share = if share.is_finite() { share.max(0.0) } else { 0.0 };
        let to = f64::min(from + share, 1.0);
        layers.push((format!("kind-{i}"), from, to));
        from = to;
    }
    // Rounding alone is no category.
    if !shares.is_empty() && from < 0.999 {
        layers.push(("kind-others".to_owned(), from, 1.0));
    }
    layers
}

fn layer(class: &str, left: f64, width: f64, from: f64, to: f64) -> Markup {
    html! {
        rect class=(class) x=(pct(left)) width=(pct(width)) y=(format!("{:.1}", (1.0 - to) * HEIGHT)) height=(format!("{:.1}", (to - from) * HEIGHT)) {}
    }
}

/// One path for each category: steps, because a window has one mix from its beginning to its end.
fn areas(windows: &[Option<Shares>]) -> Markup {
    let slots = Slots::of(windows.len());
    let layered: Vec<Option<Vec<_>>> = windows.iter().map(|shares| shares.as_deref().map(layers)).collect();
    let mut classes: Vec<&str> = Vec::new();
    for (class, ..) in layered.iter().flatten().flatten() {
        if !classes.contains(&class.as_str()) {
            classes.push(class);
        }
    }
    html! {
        svg.plane x="0" y="0" width="100%" height=(HEIGHT) viewBox=(format!("0 0 100 {HEIGHT}")) preserveAspectRatio="none" aria-hidden="true" {
            @for class in classes {
                @let ends: Vec<Option<(f64, f64)>> = layered.iter().map(|of| end_of(of.as_deref(), class)).collect();
                path class=(class) d=(steps(slots, &ends)) {}
            }
        }
    }
}

fn end_of(layers: Option<&[(String, f64, f64)]>, class: &str) -> Option<(f64, f64)> {
    layers?.iter().find(|(of, ..)| of == class).map(|(_, from, to)| (*from, *to))
}

fn steps(slots: Slots, ends: &[Option<(f64, f64)>]) -> String {
    let mut path = String::new();
    for run in runs(ends) {
        let within = |slot: usize| ends[slot].unwrap_or_default();
        let mut points = Vec::new();
        let edge = |slot: usize, share: f64| {
            let y = (1.0 - share) * HEIGHT;
            [slot, slot + 1].map(|at| (slots.left(at), y))
        };
        points.extend(run.clone().flat_map(|slot| edge(slot, within(slot).1)));
        let mut lower: Vec<_> = run.clone().flat_map(|slot| edge(slot, within(slot).0)).collect();
        lower.reverse();
        points.extend(lower);
        let points: Vec<String> = points.into_iter().map(|(x, y)| format!("{x:.2} {y:.1}")).collect();
        path.push_str(&format!("M{}Z", points.join("L")));
    }
    path
}

/// The names, with their shares in the reference and in the last window that has any.
fn legend(of: &Stack) -> Markup {
    let last = of.windows.iter().flatten().last();
    html! {
        ul.kinds {
            @for (i, name) in of.names.iter().enumerate() {
                li {
                    span class=(format!("key kind-{i}")) {}
                    span.name title=(name) { (name) }
                    span.sub { (change(of.reference.as_ref().and_then(|shares| shares.get(i)), last.and_then(|shares| shares.get(i)))) }
                }
            }
            @if has_others(of) { li { span.key.kind-others {} span.name { "others" } } }
        }
    }
}

fn change(reference: Option<&f64>, last: Option<&f64>) -> String {
    let text = |share: Option<&f64>| share.map_or_else(|| "–".to_owned(), |share| format::percent(*share));
    format!("{} → {}", text(reference), text(last))
}

fn has_others(of: &Stack) -> bool {
    let all = of.windows.iter().flatten().chain(&of.reference);
    all.into_iter().any(|shares| layers(shares).iter().any(|(class, ..)| class == "kind-others"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layers_fill_the_whole_and_others_take_the_rest() {
        let class = |shares: &[f64]| {
            layers(shares)
                .into_iter()
                .map(|(class, from, to)| format!("{class} {from:.2} {to:.2}"))
                .collect::<Vec<_>>()
        };
        assert_eq!(class(&[0.5, 0.25]), ["kind-0 0.00 0.50", "kind-1 0.50 0.75", "kind-others 0.75 1.00"]);
        assert_eq!(class(&[1.0]), ["kind-0 0.00 1.00"]);
        assert_eq!(
            class(&[0.9, f64::NAN, 0.9]),
            ["kind-0 0.00 0.90", "kind-1 0.90 0.90", "kind-2 0.90 1.00"]
        );
        assert!(layers(&[]).is_empty());
    }
}
