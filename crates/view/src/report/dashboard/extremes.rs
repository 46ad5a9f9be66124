//! The average and the worst case side by side, for each measure that has both.

use maud::{Markup, html};
use types::CheckId;
use types::detail::AverageAndWorst;
use types::finding::{Detail, Finding, Measure, SegmentRow, segment_label};
use types::loss::RowLoss;
use types::report::CheckReport;
use types::{Verdict, format};

use super::Panel;
use crate::chart::{Dumbbell, Guide, GuideKind, Scale};
use crate::page::measures::{breakable, limits};
use crate::report::findings_of;
use crate::report::lanes::{ends, range};
use crate::report::loss::Loss;
use crate::report::worst_case;
use crate::words;

/// Rows of one measure, on one scale.
struct Group {
    unit: String,
    average: Option<f64>,
    rows: Vec<Row>,
}

struct Row {
    what: String,
    /// Which one it is.
    which: Option<String>,
    anchor: &'static str,
    verdict: Option<Verdict>,
    value: f64,
    ends: Option<(f64, f64)>,
    n: Option<u64>,
    limits: Vec<f64>,
    is_average: bool,
}

pub(super) fn panel(report: &CheckReport, loss: Option<&Loss>) -> Option<Panel> {
    let judged = [of_metric(report), of_other_metric(report), of_loss(report, loss)];
    let judged = judged.into_iter().flatten().filter(|group| !group.rows.is_empty());
    let groups = judged.fold(Vec::new(), with_worst_cases);
    let others = of_all_others(report);
    // An average alone stands among the headlines already.
    groups.iter().flat_map(|group| &group.rows).find(|row| !row.is_average)?;
    let anchor = groups.first()?.rows.first()?.anchor;
    Some(Panel {
        title: "Average and worst case",
        anchor,
        verdict: None,
        wide: true,
        body: html! {
            p.legend {
                span { span.key.ring {} "average of all rows" }
                span { span.key.dot.worst {} "worst case, with interval" }
                @if groups.iter().flat_map(|group| &group.rows).any(|row| !row.limits.is_empty()) { span { span.key.limit {} "limit" } }
            }
            @for group in &groups { (group.markup()) }
            @if !others.is_empty() {
                details.fold {
                    summary { "Average and worst segment of " (format::counted(others.len() as u64, "more metric", "more metrics")) }
                    @for group in &others { (group.markup()) }
                }
            }
        },
    })
}

/// A metric that is the mean of the loss, as the mean absolute error is, has the worst cases of the loss beside it:
/// the average of all rows is there once.
fn with_worst_cases(mut groups: Vec<Group>, next: Group) -> Vec<Group> {
    let loss = RowLoss::with_mean(&next.unit);
    let same = groups.iter_mut().find(|group| loss.is_some() && RowLoss::with_mean(&group.unit) == loss);
    match same {
        Some(group) => group.rows.extend(next.rows.into_iter().filter(|row| !row.is_average)),
        None => groups.push(next),
    }
    groups
}

fn row(what: &str, finding: &Finding, anchor: &'static str, measure: &Measure) -> Row {
    Row {
        what: what.to_owned(),
        which: None,
        anchor,
        verdict: Some(finding.verdict),
        value: measure.value,
        ends: ends(measure),
        n: Some(measure.n),
        limits: limits(finding, &measure.name),
        is_average: false,
    }
}

/// The metric that the verdict on the average is about, with the worst segment where that is of the same metric.
fn of_metric(report: &CheckReport) -> Option<Group> {
    let finding = findings_of(report, CheckId::Performance).first().copied()?;
    let headline = finding.measures.first()?;
    let average = Row { is_average: true, ..row("All rows", finding, "performance", headline) };
    let mut rows = vec![average];
    rows.extend(
        worst_segment(report).filter(|(metric, ..)| *metric == headline.name).map(|(.., worst)| worst),
    );
    Some(Group { unit: headline.name.clone(), average: Some(headline.value), rows })
}

/// The metric of the segments, where the average is judged by another one.
fn of_other_metric(report: &CheckReport) -> Option<Group> {
    let (metric, overall, worst) = worst_segment(report)?;
    let performance = findings_of(report, CheckId::Performance);
    let headline = performance.first().and_then(|finding| finding.measures.first());
    if headline.is_some_and(|headline| headline.name == metric) {
        return None;
    }
    let all = overall.map(|overall| Row {
        what: "All rows".into(),
        which: None,
        anchor: "segments",
        verdict: None,
        value: overall.value,
        ends: ends(overall),
        n: Some(overall.n),
        limits: Vec::new(),
        is_average: true,
    });
    Some(Group {
        unit: metric.to_owned(),
        average: overall.map(|overall| overall.value),
        rows: all.into_iter().chain([worst]).collect(),
    })
}

/// All rows and the worst segment of the metrics that nothing is judged by.
fn of_all_others(report: &CheckReport) -> Vec<Group> {
    let of = |other: &AverageAndWorst| {
        let row = |what: &str, measure: &Measure| Row {
            what: what.to_owned(),
            which: None,
            anchor: "segments",
            verdict: None,
            value: measure.value,
            ends: ends(measure),
            n: Some(measure.n),
            limits: Vec::new(),
            is_average: false,
        };
        let which = Some(segment_label(&other.column, other.value.as_deref()));
        Group {
            unit: other.overall.name.clone(),
            average: Some(other.overall.value),
            rows: vec![
                Row { is_average: true, ..row("All rows", &other.overall) },
                Row { which, ..row("Worst segment", &other.worst) },
            ],
        }
    };
    let findings = findings_of(report, CheckId::WorstSegment);
    let others = findings.iter().find_map(|finding| match &finding.detail {
        Some(Detail::Segments { others, .. }) => Some(others),
        _ => None,
    });
    others.into_iter().flatten().map(of).collect()
}

/// Metric, value of all rows, and the worst segment.
fn worst_segment(report: &CheckReport) -> Option<(&str, Option<&Measure>, Row)> {
    findings_of(report, CheckId::WorstSegment).into_iter().find_map(|finding| {
        let Some(Detail::Segments { metric, overall, rows, .. }) = &finding.detail else { return None };
        let (segment, measure) =
            rows.iter().find_map(|row: &SegmentRow| Some((row, row.measure.as_ref()?)))?;
        let which = segment_label(&segment.column, segment.value.as_deref());
        let worst = Row { which: Some(which), ..row("Worst segment", finding, "segments", measure) };
        Some((metric.as_str(), overall.as_ref(), worst))
    })
}

/// What the checks of worst cases found, in the loss of rows.
fn of_loss(report: &CheckReport, loss: Option<&Loss>) -> Option<Group> {
    let loss = loss?;
    let average = loss.average.map(|value| Row {
        what: "All rows".into(),
        which: None,
        anchor: "performance",
        verdict: None,
        value,
        ends: loss.ends,
        n: loss.n,
        limits: Vec::new(),
        is_average: true,
    });
    let has_performance = report.findings.iter().any(|finding| finding.check == CheckId::Performance);
    let worst: Vec<Row> = [worst_slice(report), worst_subpopulation(report), rarest(report, loss)]
        .into_iter()
        .flatten()
        .collect();
    let anchor = worst.first()?.anchor;
    let average = average.map(|row| if has_performance { row } else { Row { anchor, ..row } });
    Some(Group {
        unit: loss.unit.clone(),
        average: loss.average,
        rows: average.into_iter().chain(worst).collect(),
    })
}

fn worst_slice(report: &CheckReport) -> Option<Row> {
    let finding = findings_of(report, CheckId::Slices).first().copied()?;
    let Some(Detail::Slices(found)) = &finding.detail else { return None };
    let slice = found.slices.iter().find(|slice| slice.confirmed).or(found.slices.first())?;
    let limits = limits(finding, "slice_lift").into_iter().map(|lift| lift * found.overall).collect();
    let what = if slice.confirmed { "Worst slice found" } else { "Worst slice, not confirmed" };
    Some(Row {
        which: Some(slice.conditions.join(" and ")),
        limits,
        ..row(what, finding, "slices", &slice.mean_loss)
    })
}

fn worst_subpopulation(report: &CheckReport) -> Option<Row> {
    let finding = findings_of(report, CheckId::WorstSubpopulation).first().copied()?;
    let Some(Detail::Subpopulation(of)) = &finding.detail else { return None };
    let measure = finding.measure("worst_subpopulation_loss")?;
    let share = of.share;
    let what = share.map_or_else(
        || "Worst subpopulation".into(),
        |share| format!("Worst {} of the rows", format::percent(share)),
    );
    let limits = worst_case::limits_in_loss(finding, of);
    Some(Row {
        which: Some("whatever describes them".into()),
        limits,
        ..row(&what, finding, "worst-case", measure)
    })
}

/// The kind of rare case that the check is about, of those that are measured by the same loss: of the worst verdict the
/// one that loses most.
fn rarest(report: &CheckReport, loss: &Loss) -> Option<Row> {
    let finding = findings_of(report, CheckId::Tail).first().copied()?;
    let Some(Detail::Tail(of)) = &finding.detail else { return None };
    let measured = of.pools.iter().filter_map(|pool| Some((pool, pool.mean_loss.as_ref()?)));
    let same = measured.filter(|(_, measure)| loss.is_of(measure));
    let (pool, measure) = same
        .max_by(|(pool, a), (other, b)| pool.verdict.cmp(&other.verdict).then(a.value.total_cmp(&b.value)))?;
    let limits = match (&pool.lift, loss.average) {
        (Some(_), Some(average)) => {
            limits(finding, "rare_lift").into_iter().map(|lift| lift * average).collect()
        }
        _ => limits(finding, "rare_class_wrong_share"),
    };
    let row = row("Rare cases", finding, "tail", measure);
    Some(Row { which: Some(pool.what.clone()), verdict: Some(pool.verdict), limits, ..row })
}

impl Group {
    fn markup(&self) -> Markup {
        let values = self.rows.iter().flat_map(|row| {
            let ends = row.ends.into_iter().flat_map(|(lower, upper)| [lower, upper]);
            ends.chain([row.value]).chain(row.limits.iter().copied())
        });
        let scale = Scale::around(values);
        html! {
            div.extremes {
                h4 { (words::sentence_case(&words::measure_title(&self.unit))) @if let Some(better) = words::better(&self.unit) { span.sub { " " (better) } } @else { span.sub { " lower is better" } } }
                ul { @for row in &self.rows { (self.row(&scale, row)) } }
            }
        }
    }

    fn row(&self, scale: &Scale, row: &Row) -> Markup {
        let guides: Vec<Guide> =
            row.limits.iter().map(|at| Guide { at: *at, kind: GuideKind::Limit }).collect();
        let class = if row.is_average { "average" } else { row.verdict.map_or("", Verdict::word) };
        let value = words::measure_value(&self.unit, row.value);
        let range = row.ends.map(|(lower, upper)| range(&self.unit, lower, upper));
        let label = format!(
            "{}{}: {} {value}{}",
            row.what,
            row.which.as_ref().map(|which| format!(" ({which})")).unwrap_or_default(),
            words::measure_title(&self.unit),
            range.as_ref().map(|range| format!(" ({range})")).unwrap_or_default(),
        );
        let against = self.average.filter(|_| !row.is_average);
        html! {
            li {
                a.what href=(format!("#{}", row.anchor)) {
                    span { (row.what) }
                    @if let Some(which) = &row.which { span.sub.which { (breakable(which)) } }
                }
                (Dumbbell { average: against, value: row.value, ends: row.ends, guides: &guides, class, label: &label }.markup(scale))
                span.value {
                    strong { (value) }
                    @if let Some(n) = row.n { span.sub.rows { "n " (format::count(n)) } }
                    @if let Some(range) = range { span.sub { (range) } }
                }
            }
        }
    }
}
