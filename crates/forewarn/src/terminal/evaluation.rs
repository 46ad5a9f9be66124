//! How good the model is, and how it stands faults, check by check: the sentence, then the few rows behind it that
//! are worst.

use types::detail::{
    ComparisonDetail, CriterionRow, ErrorStructure, FairnessDetail, FoundSlices, PoolRow, Subpopulation,
    TailDetail,
};
use types::faults::{FaultStatus, ResponseClass, TriedFault, TriedFaults};
use types::finding::{SegmentRow, segment_label};
use types::format::{capitalised, count, counted, percent};
use types::manipulation::Manipulated;
use types::measure::{range_text, value_text};
use types::report::CheckReport;
use types::{CheckId, Detail, Finding, Measure, Verdict};

use super::page::Page;
use super::report::{headline, value_and_span};
use super::rows;
use super::style::{DIM, mark, of, styled};

/// Rows listed below a sentence.
const ROWS: usize = 4;

pub(super) fn evaluation(page: &mut Page, report: &CheckReport) {
    practice(page, report, "evaluate", "how good is the model, on average and where it is worst?");
    practice(page, report, "stress", "what does the model do when its inputs fail?");
}

fn practice(page: &mut Page, report: &CheckReport, practice: &str, question: &str) {
    let mut findings: Vec<&Finding> =
        report.findings.iter().filter(|finding| finding.check.practice() == practice).collect();
    if findings.is_empty() {
        return;
    }
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.verdict));
    page.section(&capitalised(practice), question);
    for finding in findings {
        page.finding(finding.verdict, name(finding.check), &numbers(finding));
        page.sentence(&finding.summary);
        let owner = finding.owner.as_deref().filter(|owner| report.system.owner.as_deref() != Some(owner));
        if let Some(owner) = owner {
            page.sentence(&format!("Owner: {owner}"));
        }
        if let Some(detail) = &finding.detail {
            rows_below(page, detail);
        }
    }
}

/// The headline of a finding, in as few words as its name leaves open.
fn numbers(finding: &Finding) -> String {
    let Some(measure) = finding.measures.first() else { return String::new() };
    let short = match measure.name.as_str() {
        "slice_lift" | "rare_lift" => "lift",
        "worst_subpopulation_loss" => "mean loss",
        "systematic_share" => "systematic",
        "loss_difference" => "difference",
        "expected_shortfall" => "worst losses",
        _ => return headline(finding, measure),
    };
    format!("{short} {}", value_and_span(finding, measure))
}

fn name(check: CheckId) -> &'static str {
    match check {
        CheckId::Performance => "average performance",
        CheckId::WorstSegment => "worst segment",
        CheckId::Calibration => "calibration",
        CheckId::Slices => "slices",
        CheckId::WorstSubpopulation => "worst subpopulation",
        CheckId::Errors => "errors",
        CheckId::Tail => "rare cases",
        CheckId::Fairness => "fairness",
        CheckId::Comparison => "comparison",
        CheckId::Outcomes => "outcomes",
        CheckId::Parity => "parity",
        CheckId::Missing => "missing inputs",
        CheckId::Faults => "faulty inputs",
        CheckId::Detection => "detection",
        CheckId::Load => "load",
        CheckId::Endpoint => "server faults",
        CheckId::Manipulation => "manipulation",
        CheckId::Drift | CheckId::Quality | CheckId::Multivariate | CheckId::PerformanceOverTime => {
            check.name()
        }
    }
}

/// Below a sentence; the verdict where the row has one.
pub(super) type Row = rows::Row<Verdict>;

pub(super) fn row(
    verdict: Option<Verdict>,
    label: impl Into<String>,
    numbers: impl Into<Vec<String>>,
) -> Row {
    Row { verdict, label: label.into(), numbers: numbers.into() }
}

fn rows_below(page: &mut Page, detail: &Detail) {
    let rows = match detail {
        Detail::Segments { rows, .. } => segments(rows),
        Detail::Slices(found) => slices(found),
        Detail::Subpopulation(of) => curve(of),
        Detail::Errors(of) => rates(of),
        Detail::Tail(of) => tail(of),
        Detail::Fairness(of) => fairness(of),
        Detail::Comparison(of) => paired(of),
        Detail::Faults(of) => faults(of),
        Detail::Load(of) => super::served::load(of),
        Detail::Endpoint(of) => super::served::endpoint(of),
        Detail::Manipulation(of) => levers(of),
        Detail::Distribution(_)
        | Detail::Reliability { .. }
        | Detail::Averages(_)
        | Detail::Coverage(_)
        | Detail::Multivariate { .. }
        | Detail::Performance(_) => return,
    };
    for (verdict, line) in rows::lines(rows, page.width()) {
        let sign =
            verdict.map_or_else(|| " ".to_owned(), |verdict| styled(of(verdict), &mark(verdict).to_string()));
        page.line(&format!("       {sign} {}", styled(DIM, &line)));
    }
}

/// Value and interval without a style, so that columns can be counted.
fn value(measure: &Measure) -> String {
    with_span(value_text(&measure.name, measure.value), range_text(&measure.name, measure.interval))
}

fn with_span(value: String, range: Option<String>) -> String {
    match range {
        Some(range) => format!("{value} [{range}]"),
        None => value,
    }
}

fn rows_counted(rows: u64) -> String {
    counted(rows, "row", "rows")
}

/// What does not stand its fault, worst first.
fn faults(of: &TriedFaults) -> Vec<Row> {
    let hurting: Vec<&TriedFault> =
        of.faults.iter().filter(|fault| fault.status != FaultStatus::Handled).collect();
    let mut rows: Vec<Row> = hurting
        .iter()
        .take(FAULTS)
        .map(|fault| {
            let silent = fault.responses.iter().find(|share| share.class == ResponseClass::SilentlyWrong);
            let mut parts: Vec<String> = Vec::new();
            parts.extend(fault.impact.as_ref().map(value));
            parts.extend(silent.map(|of| {
                let range = range_text("silently_wrong_share", Some(of.interval));
                with_span(format!("silent {}", percent(of.share)), range)
            }));
            if parts.is_empty() {
                parts.push("no answer".into());
            }
            row(Some(fault.verdict), format!("{}: {}", fault.of, fault.title), parts)
        })
        .collect();
    let more = hurting.len().saturating_sub(FAULTS);
    if more > 0 {
        rows.push(row(None, format!("and {} more", count(more as u64)), []));
    }
    rows
}

/// What flips decisions, the most used first.
fn levers(of: &Manipulated) -> Vec<Row> {
    let levers = of.levers.iter().filter(|lever| lever.used.value > 0.0 || lever.alone.value > 0.0);
    levers
        .take(ROWS)
        .map(|lever| {
            let used = format!("in {} of the cheapest changes", value(&lever.used));
            row(None, lever.feature.clone(), [used, format!("alone {}", value(&lever.alone))])
        })
        .collect()
}

/// Faults listed below a sentence.
const FAULTS: usize = 10;

/// The first row is the finding itself.
fn segments(rows: &[SegmentRow]) -> Vec<Row> {
    let measured = rows.iter().filter_map(|row| Some((row, row.measure.as_ref()?)));
    measured
        .skip(1)
        .take(ROWS)
        .map(|(of, measure)| {
            let verdict = of.verdict.filter(|verdict| *verdict != Verdict::Unknown);
            let label = segment_label(&of.column, of.value.as_deref());
            row(verdict, label, [value(measure), rows_counted(of.rows)])
        })
        .collect()
}

fn slices(found: &FoundSlices) -> Vec<Row> {
    let confirmed = found.slices.iter().filter(|slice| slice.confirmed).take(ROWS);
    let mut rows: Vec<Row> = confirmed
        .map(|slice| {
            let numbers = [value(&slice.mean_loss), value(&slice.lift), rows_counted(slice.rows)];
            row(Some(slice.verdict), slice.conditions.join(", "), numbers)
        })
        .collect();
    if !rows.is_empty() {
        let range = range_text(&found.loss, found.overall_interval);
        let average = with_span(value_text(&found.loss, found.overall), range);
        rows.push(row(None, "all rows that judged", [average, rows_counted(found.judged_rows)]));
    }
    rows
}

/// Shares of the rows that are told of, beside the one that is judged.
const SHARES: [f64; 3] = [0.05, 0.1, 1.0];

fn curve(of: &Subpopulation) -> Vec<Row> {
    let same = |a: f64, b: f64| (a - b).abs() < 1e-9;
    let told =
        of.curve.iter().filter(|point| SHARES.into_iter().chain(of.share).any(|share| same(share, point.at)));
    told.map(|point| {
        let label = if same(point.at, 1.0) {
            "all rows".to_owned()
        } else {
            format!("worst {} of rows", percent(point.at))
        };
        let [value, lower, upper] =
            [point.value, point.lower, point.upper].map(|of_loss| value_text(&of.loss, of_loss));
        let range = (point.lower < point.upper).then(|| format!("{lower} – {upper}"));
        row(None, label, [with_span(value, range)])
    })
    .collect()
}

fn rates(of: &ErrorStructure) -> Vec<Row> {
    let rates = of.rates.iter().filter(|rate| rate.flagged).take(ROWS).map(|rate| {
        let kind = rate.rate.name.replace('_', " ");
        let numbers = [
            format!("{kind} {}", value(&rate.rate)),
            rows_counted(rate.rate.n),
            with_span(
                format!("others {}", value_text(&rate.rate.name, rate.others)),
                range_text(&rate.rate.name, rate.others_interval),
            ),
        ];
        row(Some(Verdict::Warn), segment_label(&rate.column, rate.value.as_deref()), numbers)
    });
    let residuals = of.residuals.iter().filter(|row| row.flagged).take(ROWS).map(|residual| {
        let numbers =
            [format!("mean residual {}", value(&residual.residual)), rows_counted(residual.residual.n)];
        row(None, segment_label(&residual.column, residual.value.as_deref()), numbers)
    });
    rates.chain(residuals).collect()
}

fn tail(of: &TailDetail) -> Vec<Row> {
    let pools = of.pools.iter().map(|pool| row(Some(pool.verdict), pool.what.clone(), pool_numbers(pool)));
    let all = of.overall.iter().filter(|_| !of.pools.is_empty());
    pools.chain(all.map(|all| row(None, "all rows", [value(all), rows_counted(all.n)]))).collect()
}

fn pool_numbers(pool: &PoolRow) -> Vec<String> {
    if pool.rows == 0 {
        return vec!["none in this window".into()];
    }
    let rows = rows_counted(pool.rows);
    let Some(mean) = &pool.mean_loss else { return vec![format!("{rows}, too few")] };
    [value(mean)].into_iter().chain(pool.lift.as_ref().map(value)).chain([rows]).collect()
}

fn fairness(of: &FairnessDetail) -> Vec<Row> {
    let label = |of: &CriterionRow| format!("{}: {}", of.column, of.criterion.replace('_', " "));
    of.criteria.iter().map(|of| row(of.verdict, label(of), criterion_numbers(of))).collect()
}

fn criterion_numbers(of: &CriterionRow) -> Vec<String> {
    let difference = of.difference.as_ref().map(|of| format!("diff. {}", value(of)));
    let ratio = of.ratio.as_ref().map(|of| format!("ratio {}", value(of)));
    let reason = of.reason.clone().filter(|_| difference.is_none() || ratio.is_none());
    [difference, ratio, reason].into_iter().flatten().collect()
}

fn paired(of: &ComparisonDetail) -> Vec<Row> {
    let worse = of.slices.iter().filter(|slice| slice.verdict != Verdict::Pass).take(ROWS);
    let unit = of.compared_loss().unwrap_or("mean_loss");
    worse
        .map(|slice| {
            let text = |value| value_text(unit, value);
            let numbers = [
                with_span(text(slice.this), range_text(unit, slice.this_interval)),
                with_span(format!("other {}", text(slice.other)), range_text(unit, slice.other_interval)),
                with_span(
                    format!("diff. {}", text(slice.difference.value)),
                    range_text(unit, slice.difference.interval),
                ),
                rows_counted(slice.rows),
            ];
            row(Some(slice.verdict), slice.label.clone(), numbers)
        })
        .collect()
}
