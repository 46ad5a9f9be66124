//! What the rows of a day lost, window by window, and whether that is surely more than is tolerated.

use maud::{Markup, html};
use types::finding::Finding;
use types::format;
use types::monitor_report::MonitorReport;

use super::windows_of;
use crate::chart::{Plot, Point, Series, plot};
use crate::page::measures::{guides, measure_label};
use crate::words;

const LOSS: &str = "mean_daily_loss";
const HEIGHT: f64 = 150.0;

/// Nothing where no window has been bet on.
pub(super) fn figure(report: &MonitorReport) -> Markup {
    let newest = report.performance.iter().rev().find_map(|finding| Some((finding, finding.measure(LOSS)?)));
    let Some((last, loss)) = newest else {
        return html! {};
    };
    let title = words::measure_title(LOSS);
    let windows = windows_of(&report.performance);
    let drawn = Plot {
        label: format!("{title} over {} windows", windows.len()),
        windows: &windows,
        series: vec![Series { class: "realised small", points: points(report), joined: false }],
        guides: guides(last, loss),
        slots: report.performance.iter().map(|finding| (None, slot(finding))).collect(),
        height: HEIGHT,
        month_gap: 9.0,
        divider: None,
        arrivals: Vec::new(),
    };
    html! {
        figure.series-of.wide-chart {
            figcaption {
                span.name { (words::sentence_case(&title)) }
                @if let Some(meaning) = words::measure_meaning(LOSS) { span.sub { (meaning) "." } }
            }
            div.plotted { (plot(&drawn, |tick| words::measure_value(LOSS, tick))) }
        }
        @if let Some(said) = evidence(last) { p.prose.delay { (said) } }
    }
}

fn points(report: &MonitorReport) -> Vec<Option<Point>> {
    let point = |finding: &Finding| {
        let measure = finding.measure(LOSS)?;
        let interval = measure.interval.as_ref().map(|interval| (interval.lower, interval.upper));
        Some(Point { value: measure.value, interval, hollow: false })
    };
    report.performance.iter().map(point).collect()
}

fn slot(finding: &Finding) -> String {
    let said = finding.measure(LOSS).map_or_else(|| "not settled".to_owned(), measure_label);
    format!("{}: {}\n{said}", words::window_text(finding.window), finding.verdict)
}

/// How sure it is by now that the model is harmfully worse.
fn evidence(last: &Finding) -> Option<String> {
    let sequential = last.sequential.as_ref()?;
    let ever = last.thresholds.iter().find(|threshold| threshold.measure.contains("false alarm of harm"));
    let limit = ever?.at_most?;
    let windows = format::counted(sequential.windows, "settled window", "settled windows");
    Some(if sequential.adjusted >= 1.0 {
        format!(
            "No evidence of harm: over {windows}, the bet that the model loses more than is tolerated has won nothing."
        )
    } else if sequential.adjusted <= limit {
        format!(
            "The model has been found harmfully worse than is tolerated: over {windows}, looked at as often as one likes, evidence like this comes about with a probability of at most {} where it is not.",
            format::number(sequential.adjusted)
        )
    } else {
        format!(
            "No harm that is sure so far: over {windows}, looked at as often as one likes, evidence like this may come about with a probability of {} where there is none; an alarm takes {}.",
            format::number(sequential.adjusted),
            format::number(limit)
        )
    })
}
