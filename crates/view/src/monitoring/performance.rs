//! How good the model was estimated to be, and how good it turned out to be once outcomes arrived.

use maud::{Markup, html};
use types::finding::{Finding, MaturityState, Measure, WindowPerformance};
use types::monitor_report::MonitorReport;
use types::{Window, window};

use super::harm;
use super::{last_estimated, last_realised, performance_of, windows_of};
use crate::chart::{Arrival, Divider, GuideKind, Plot, Point, Series, plot};
use crate::maturity;
use crate::page::measures::{measure_label, prose};
use crate::page::performance::guides;
use crate::page::{Section, verdict, verdicts};
use crate::words;

pub(super) const ID: &str = "performance";

const HEIGHT: f64 = 250.0;

pub(super) fn section(report: &MonitorReport) -> Option<Section> {
    if report.performance.is_empty() {
        return None;
    }
    let findings: Vec<&Finding> = report.performance.iter().collect();
    Some(Section {
        id: ID,
        title: "Performance over time",
        short: "Performance",
        question: "How good were the predictions, and how good are those whose outcomes are still to come?",
        verdicts: verdicts(&newest(report)),
        body: html! {
            @for finding in newest(report) {
                div.verdict-line { (verdict::chip(finding.verdict)) p.sentence { (prose(&finding.summary)) } }
            }
            (legend(report))
            (chart(report))
            (delay(report))
            (harm::figure(report))
            (table(&findings))
        },
    })
}

/// The newest window that outcomes speak about, and the newest of all.
fn newest(report: &MonitorReport) -> Vec<&Finding> {
    let realised = last_realised(report).map(|(finding, _)| finding);
    let last = report.performance.last();
    let mut newest: Vec<&Finding> = realised.into_iter().chain(last).collect();
    newest.dedup_by(|a, b| std::ptr::eq(*a, *b));
    newest
}

fn metric(report: &MonitorReport) -> &str {
    report.performance.iter().rev().find_map(performance_of).map_or("", |of| of.metric.as_str())
}

fn legend(report: &MonitorReport) -> Markup {
    let any =
        |of: fn(&WindowPerformance) -> bool| report.performance.iter().filter_map(performance_of).any(of);
    let limited = report
        .performance
        .iter()
        .filter_map(|finding| Some((finding, performance_of(finding)?)))
        .any(|(finding, of)| guides(finding, of).iter().any(|guide| guide.kind == GuideKind::Limit));
    html! {
        p.legend {
            @if any(|of| of.realised.is_some()) { span { span.key.dot {} "from outcomes, with interval" } }
            @if any(|of| of.maturity.state == MaturityState::Maturing) { span { span.key.dot.hollow {} "from the outcomes so far: these are a biased sample" } }
            @if any(|of| of.maturity.settled_by.is_some()) { span { span.key.arrival {} "a window’s outcomes had arrived" @if any(|of| of.maturity.state != MaturityState::Settled) { " (dashed: to be expected)" } } }
            @if any(|of| of.estimated.is_some()) { span { span.key.estimated {} "estimated without outcomes, with interval" } }
            @if any(|of| of.estimated_for_shift.is_some()) { span { span.key.level.shifted-level {} "estimated, for the inputs of the window" } }
            @if any(|of| of.reference.is_some()) { span { span.key.level.reference-level {} "reference" } }
            @if limited { span { span.key.level.limit-level {} "limit" } }
            @if any(|of| of.maturity.state == MaturityState::Maturing) { span { span.key.ground.maturing {} "maturing" } }
            @if any(|of| of.maturity.state == MaturityState::TooEarly) { span { span.key.ground.too-early {} "too early" } }
        }
    }
}

fn chart(report: &MonitorReport) -> Markup {
    let windows = windows_of(&report.performance);
    let name = metric(report);
    let series = |class, joined, of: fn(&WindowPerformance) -> Option<&Measure>| Series {
        class,
        joined,
        points: report
            .performance
            .iter()
            .map(|finding| {
                let performance = performance_of(finding)?;
                let hollow = performance.maturity.state != MaturityState::Settled;
                of(performance).map(|measure| point(measure, hollow))
            })
            .collect(),
    };
    let last = last_estimated(report).or_else(|| last_realised(report));
    let drawn = Plot {
        label: format!(
            "{} over {} windows: estimated, and realised where outcomes are known",
            words::measure_title(name),
            windows.len()
        ),
        windows: &windows,
        series: vec![
            series("estimated", true, |of| of.estimated.as_ref()),
            series("shifted", true, |of| of.estimated_for_shift.as_ref()),
            series("realised", false, |of| of.realised.as_ref()),
        ],
        guides: last.map(|(finding, of)| guides(finding, of)).unwrap_or_default(),
        slots: report.performance.iter().map(slot).collect(),
        height: HEIGHT,
        month_gap: 9.0,
        divider: divider(report),
        arrivals: arrivals(report, &windows),
    };
    html! {
        figure.series-of.wide-chart {
            figcaption { span.name { (words::measure_title(name)) } @if let Some(better) = words::better(name) { span.sub { (better) } } }
            div.plotted { (plot(&drawn, |tick| words::measure_value(name, tick))) }
        }
    }
}

fn point(measure: &Measure, hollow: bool) -> Point {
    let interval = measure.interval.as_ref().map(|interval| (interval.lower, interval.upper));
    Point { value: measure.value, interval, hollow }
}

/// Where the outcomes are settled up to.
fn divider(report: &MonitorReport) -> Option<Divider> {
    let settled = |finding: &Finding| {
        performance_of(finding).is_some_and(|of| of.maturity.state == MaturityState::Settled)
    };
    let last = report.performance.iter().rposition(settled)?;
    let ends = window::instant_text(report.performance[last].window.to());
    (last + 1 < report.performance.len())
        .then(|| Divider { after: last, text: format!("outcomes settled up to {ends}") })
}

/// When each window's outcomes had arrived, or may be expected, as far as that lies in the picture.
fn arrivals(report: &MonitorReport, windows: &[Window]) -> Vec<Arrival> {
    let arrival = |finding: &Finding| {
        let of = &performance_of(finding)?.maturity;
        let at = of.settled_by?;
        let slot = windows.iter().position(|window| window.from() <= at && at <= window.to())?;
        let window = windows[slot];
        let within = at.duration_since(window.from()).as_secs_f64();
        let length = window.to().duration_since(window.from()).as_secs_f64();
        Some(Arrival {
            at: slot as f64 + within / length,
            expected: of.state != MaturityState::Settled,
            title: format!("{}: outcomes {}", words::window_text(finding.window), maturity::settled(of)?),
        })
    };
    report.performance.iter().filter_map(arrival).collect()
}

fn slot(finding: &Finding) -> (Option<&'static str>, String) {
    let mut lines = vec![format!("{}: {}", words::window_text(finding.window), finding.verdict)];
    let Some(of) = performance_of(finding) else {
        return (None, lines.join("\n"));
    };
    lines.push(format!("{}: {}", maturity::word(of.maturity.state), maturity::coverage(&of.maturity)));
    lines.extend(maturity::settled(&of.maturity).map(|said| format!("outcomes {said}")));
    lines.extend(maturity::own_delay(&of.maturity));
    for (name, measure) in [
        ("realised", &of.realised),
        ("estimated", &of.estimated),
        ("estimated for its inputs", &of.estimated_for_shift),
    ] {
        lines.extend(measure.as_ref().map(|measure| format!("{name}: {}", measure_label(measure))));
    }
    let ground = match of.maturity.state {
        MaturityState::Settled => None,
        MaturityState::Maturing => Some("ground maturing"),
        MaturityState::TooEarly => Some("ground too-early"),
    };
    (ground, lines.join("\n"))
}

fn delay(report: &MonitorReport) -> Markup {
    let said = report
        .performance
        .iter()
        .rev()
        .filter_map(performance_of)
        .find_map(|of| maturity::delay(&of.maturity));
    html! {
        p.prose.delay {
            @if let Some(said) = said { (said) " " }
            "A window is settled when nearly all outcomes that will come have come; until then the early ones are a biased sample, and the estimate is the better guide."
        }
    }
}

fn table(findings: &[&Finding]) -> Markup {
    let shifted = findings
        .iter()
        .filter_map(|finding| performance_of(finding))
        .any(|of| of.estimated_for_shift.is_some());
    html! {
        div.scroll tabindex="0" role="region" aria-label="Performance by window" {
            table.by-window {
                thead { tr {
                    th scope="col" { "Window" } th scope="col" { "Outcomes" } th.num scope="col" { "From outcomes" }
                    th.num scope="col" { "Estimated" } @if shifted { th.num scope="col" { "For its inputs" } }
                    th.num scope="col" { "Rows" } th scope="col" { "Verdict" }
                } }
                tbody { @for finding in findings.iter().rev() { (row(finding, shifted)) } }
            }
        }
    }
}

fn row(finding: &Finding, shifted: bool) -> Markup {
    let of = performance_of(finding);
    html! {
        tr {
            th scope="row" { (words::window_text(finding.window)) }
            @if let Some(of) = of {
                td {
                    (verdict::maturity_chip(of.maturity.state)) span.sub { (types::format::percent(of.maturity.coverage)) " known" }
                    @if let Some(said) = maturity::settled(&of.maturity) { span.sub.arrived title=[maturity::own_delay(&of.maturity)] { (said) } }
                }
                (number(of.realised.as_ref()))
                (number(of.estimated.as_ref()))
                @if shifted { (number(of.estimated_for_shift.as_ref())) }
                td.num { (rows_behind(of)) }
            } @else {
                td.sub colspan=(if shifted { "5" } else { "4" }) { (prose(&finding.summary)) }
            }
            td { (verdict::chip(finding.verdict)) }
        }
    }
}

fn number(measure: Option<&Measure>) -> Markup {
    html! {
        td.num {
            @match measure {
                Some(measure) => {
                    strong { (words::measure_value(&measure.name, measure.value)) }
                    @if let Some(interval) = words::interval(measure) { span.sub { (interval) } }
                }
                None => span.sub { "–" },
            }
        }
    }
}

fn rows_behind(of: &WindowPerformance) -> String {
    let measure = of.realised.as_ref().or(of.estimated.as_ref());
    measure.map_or_else(|| "–".into(), |measure| types::format::count(measure.n))
}
