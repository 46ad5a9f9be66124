//! How a server answers as more is asked of it: the curve of its latencies up to the knee, and every step.

use maud::{Markup, html};
use types::Verdict;
use types::detail::CurvePoint;
use types::format::{self, counted, percent, value as short};
use types::load::{Latency, LoadRamp, LoadStep, Unloaded};

use crate::chart::{Across, Chart, Curve, Drawn};
use crate::page::verdict;

const HEIGHT: f64 = 190.0;

pub(super) fn ramp(of: &LoadRamp) -> Markup {
    html! {
        p.sub {
            "Asked: " code { (of.model) } ", with " (counted(of.rows_per_request.into(), "row", "rows")) " a request, "
            (match of.arrivals {
                types::definition::Arrivals::Poisson => "at random times",
                types::definition::Arrivals::Constant => "at equal distances",
            })
            ". Latencies count from the instant at which a request was meant to be sent."
        }
        @if of.steps.iter().filter(|step| step.latency.is_some()).count() > 1 { (curve(of)) }
        @if !of.steps.is_empty() { (table(&of.steps)) }
        (steady(of))
        (failures(&of.steps))
    }
}

/// Offered rate against the median and the 99th percentile, the knee marked.
fn curve(of: &LoadRamp) -> Markup {
    let rates = of.steps.iter().map(|step| step.rate);
    // Rates of a ramp are as far apart as their orders of magnitude.
    let mut across = Across::over(rates.map(f64::log10), "requests a second", |_| String::new());
    across.ticks = of.steps.iter().map(|step| (step.rate.log10(), short(step.rate))).collect();
    let label = "Latency in milliseconds by requests a second: the median, and what 99 of 100 stay within";
    let mut chart = Chart::new(label.into(), across, HEIGHT);
    chart.curves = vec![
        Curve { class: "load-p99", points: points(&of.steps, p99), drawn: Drawn::Line },
        Curve { class: "load-p50", points: points(&of.steps, p50), drawn: Drawn::Line },
    ];
    chart.places = of.stood_rate.map(|rate| (rate.log10(), "knee")).into_iter().collect();
    chart.said = of.steps.iter().map(|step| (step.rate.log10(), said(step))).collect();
    html! {
        p.legend {
            span { span.key.level.load-p50 {} "median" }
            span { span.key.level.load-p99 {} "99 of 100 within" }
            @if let Some(rate) = of.stood_rate { span { span.key.level.knee {} "stood up to here (" (short(rate)) ")" } }
        }
        (chart.markup(|value| format!("{} ms", short(value))))
    }
}

fn points(steps: &[LoadStep], of: fn(&Latency) -> [Option<f64>; 3]) -> Vec<CurvePoint> {
    let point = |step: &LoadStep| {
        let [value, lower, upper] = of(step.latency.as_ref()?);
        let or_none = |end: Option<f64>| end.unwrap_or(f64::NAN);
        Some(CurvePoint {
            at: step.rate.log10(),
            value: value?,
            lower: or_none(lower),
            upper: or_none(upper),
        })
    };
    steps.iter().filter_map(point).collect()
}

fn p50(of: &Latency) -> [Option<f64>; 3] {
    [Some(of.p50_ms), of.p50_lower_ms, of.p50_upper_ms]
}

fn p99(of: &Latency) -> [Option<f64>; 3] {
    [Some(of.p99_ms), of.p99_lower_ms, of.p99_upper_ms]
}

fn failed(step: &LoadStep) -> String {
    let failed = step.requests.saturating_sub(step.answered);
    percent(failed as f64 / step.requests.max(1) as f64)
}

fn said(step: &LoadStep) -> String {
    let latency = step.latency.as_ref().map_or_else(String::new, |of| {
        format!("median {} ms, 99 of 100 within {} ms, ", short(of.p50_ms), short(of.p99_ms))
    });
    format!("{} requests a second: {latency}{} fail", short(step.rate), failed(step))
}

fn table(steps: &[LoadStep]) -> Markup {
    html! {
        div.scroll tabindex="0" role="region" aria-label="Steps of load" {
            table.compact.ramp {
                thead { tr {
                    th.num scope="col" { "Requests a second" }
                    th scope="col" { "Stood" }
                    th.num scope="col" { "Sent" }
                    th.num scope="col" { "Answers a second" }
                    th.num scope="col" { "p50" }
                    th.num scope="col" { "p90" }
                    th.num scope="col" { "p99" }
                    th.num scope="col" { "p99.9" }
                    th.num scope="col" { "Longest" }
                    th.num scope="col" { "Failed" }
                } }
                tbody { @for step in steps { (row(step)) } }
            }
        }
    }
}

fn row(step: &LoadStep) -> Markup {
    let ms = |of: fn(&Latency) -> f64| step.latency.as_ref().map_or_else(|| "–".into(), |it| ms(of(it)));
    html! {
        tr {
            th.num scope="row" { (short(step.rate)) }
            td.status {
                (verdict::icon(step.verdict)) " "
                (match step.verdict { Verdict::Pass => "yes", Verdict::Fail => "no", _ => "cannot be told" })
                @if let Some(reason) = &step.reason { span.sub.below { (reason) } }
            }
            td.num {
                (format::count(step.requests))
                @if step.dropped > 0 { span.sub.below { (format::count(step.dropped)) " dropped" } }
            }
            td.num { (short(step.achieved_rate)) }
            td.num { (ms(|of| of.p50_ms)) }
            td.num { (ms(|of| of.p90_ms)) }
            td.num {
                (ms(|of| of.p99_ms))
                @if let Some((lower, upper)) = step.latency.and_then(|of| of.p99_lower_ms.zip(of.p99_upper_ms)) {
                    span.sub.below { (short(lower)) " – " (short(upper)) }
                }
            }
            td.num { (ms(|of| of.p999_ms)) }
            td.num { (ms(|of| of.max_ms)) }
            td.num {
                (failed(step))
                @if step.compared > step.equal { span.sub.below { (format::count(step.compared.saturating_sub(step.equal))) " answers differ" } }
            }
        }
    }
}

fn ms(value: f64) -> String {
    format!("{} ms", short(value))
}

/// What the server was like before and afterwards.
fn steady(of: &LoadRamp) -> Markup {
    let words = |of: &Unloaded| {
        format!(
            "{} of {} answered, half of them within {}",
            format::count(of.answered),
            counted(of.requests, "request", "requests"),
            ms(of.p50_ms)
        )
    };
    html! {
        p.sub {
            @if let Some(before) = &of.before { "Before the load: " (words(before)) ". " }
            @if let Some(after) = &of.after {
                "After it: " (words(after)) ", " (format::count(after.equal)) " as before"
                @if let Some(seconds) = of.recovered_s { ", " (short(seconds)) " s later" }
                ". "
            }
            @let late = of.steps.iter().map(|step| step.sent_late_p99_ms).fold(0.0, f64::max);
            @if !of.steps.is_empty() { "This program sent 99 of 100 requests within " (ms(late)) " of their time." }
        }
    }
}

/// How requests failed, over all steps.
fn failures(steps: &[LoadStep]) -> Markup {
    let any = steps.iter().any(|step| !step.errors.is_empty());
    html! {
        @if any {
            details.fold {
                summary { "How requests failed" }
                ul.reasons {
                    @for step in steps {
                        @for error in &step.errors {
                            li { (short(step.rate)) " a second: " (format::count(error.requests)) " " (error.class) ", such as " code { (error.example) } }
                        }
                    }
                }
            }
        }
    }
}
