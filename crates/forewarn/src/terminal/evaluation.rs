//! How good the model is, and how it stands faults, check by check: the sentence, then the few rows behind it that
//! are worst.

use types::detail::{
    CriterionRow, ErrorStructure, FairnessDetail, FoundSlices, PairedSlice, PoolRow, Subpopulation,
    TailDetail,
};
use types::faults::{FaultStatus, ResponseClass, TriedFault, TriedFaults};
use types::finding::{SegmentRow, segment_label};
use types::format::{capitalised, count, counted, number, percent, times};
use types::measure::value_text;
use types::report::CheckReport;
use types::{CheckId, Detail, Finding, Measure, Verdict};

use super::page::{Page, SUBJECT};
use super::report::{headline, span, value_and_span};
use super::style::{DIM, mark, of, styled};
use super::wrap::shortened;

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
            rows(page, detail);
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
        _ => return headline(measure),
    };
    format!("{short} {}", value_and_span(measure))
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
        CheckId::Drift | CheckId::Quality | CheckId::Multivariate | CheckId::PerformanceOverTime => {
            check.name()
        }
    }
}

/// The label of a row, its numbers, and the verdict where it has one.
type Row = (Option<Verdict>, String, String);

fn rows(page: &mut Page, detail: &Detail) {
    let rows = match detail {
        Detail::Segments { rows, .. } => segments(rows),
        Detail::Slices(found) => slices(found),
        Detail::Subpopulation(of) => return curve(page, of),
        Detail::Errors(of) => rates(of),
        Detail::Tail(of) => tail(of),
        Detail::Fairness(of) => fairness(of),
        Detail::Comparison(of) => paired(&of.slices),
        Detail::Faults(of) => faults(of),
        Detail::Distribution(_)
        | Detail::Reliability { .. }
        | Detail::Averages(_)
        | Detail::Coverage(_)
        | Detail::Multivariate { .. }
        | Detail::Performance(_) => return,
    };
    // Numbers are never cut off; labels are, where both do not fit.
    let longest = rows.iter().map(|(_, _, numbers)| numbers.chars().count()).max().unwrap_or_default();
    let width = page.width().saturating_sub(INDENT + 1 + longest).clamp(LABEL_LEAST, LABEL);
    for (verdict, label, numbers) in rows {
        let sign =
            verdict.map_or_else(|| " ".to_owned(), |verdict| styled(of(verdict), &mark(verdict).to_string()));
        let label = shortened(&label, width);
        let padding = " ".repeat(width - label.chars().count());
        page.line(&format!("       {sign} {}", styled(DIM, &format!("{label}{padding} {numbers}"))));
    }
}

/// Columns before the label of a row.
const INDENT: usize = 9;
/// Columns of the label of a row; conditions of slices take more than a subject.
const LABEL: usize = SUBJECT + 16;
const LABEL_LEAST: usize = 12;

/// Value and interval without a style, so that columns can be counted.
fn value(measure: &Measure) -> String {
    let value = value_text(&measure.name, measure.value);
    span(measure).map_or_else(|| value.clone(), |span| format!("{value} {span}"))
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
            parts.extend(fault.impact.as_ref().map(|impact| value_text(&impact.name, impact.value)));
            parts.extend(silent.map(|share| format!("silent {}", percent(share.share))));
            if parts.is_empty() {
                parts.push("no answer".into());
            }
            (Some(fault.verdict), format!("{}: {}", fault.of, fault.title), parts.join("  "))
        })
        .collect();
    let more = hurting.len().saturating_sub(FAULTS);
    if more > 0 {
        rows.push((None, format!("and {} more", count(more as u64)), String::new()));
    }
    rows
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
            let numbers = format!("{}  {} rows", value(measure), count(of.rows));
            (verdict, segment_label(&of.column, of.value.as_deref()), numbers)
        })
        .collect()
}

fn slices(found: &FoundSlices) -> Vec<Row> {
    let confirmed = found.slices.iter().filter(|slice| slice.confirmed).take(ROWS);
    confirmed
        .map(|slice| {
            let numbers = format!(
                "{}  {}  {} rows",
                value_text(&slice.mean_loss.name, slice.mean_loss.value),
                times(slice.lift.value),
                count(slice.rows)
            );
            (Some(slice.verdict), slice.conditions.join(", "), numbers)
        })
        .collect()
}

fn curve(page: &mut Page, of: &Subpopulation) {
    let said: Vec<String> = of
        .curve
        .iter()
        .filter(|point| [0.05, 0.1, 0.2, 1.0].iter().any(|share| (share - point.at).abs() < 1e-9))
        .map(|point| format!("{}: {}", percent(point.at), value_text(&of.loss, point.value)))
        .collect();
    if !said.is_empty() {
        page.line(&styled(DIM, &format!("         worst {}", said.join(", "))));
    }
}

fn rates(of: &ErrorStructure) -> Vec<Row> {
    let rates = of.rates.iter().filter(|rate| rate.flagged).take(ROWS).map(|rate| {
        let kind = rate.rate.name.replace('_', " ");
        let numbers = format!("{kind} {}, others {}", percent(rate.rate.value), percent(rate.others));
        (Some(Verdict::Warn), segment_label(&rate.column, rate.value.as_deref()), numbers)
    });
    let residuals = of.residuals.iter().filter(|row| row.flagged).take(ROWS).map(|residual| {
        let numbers = format!("mean residual {}", value(&residual.residual));
        (None, segment_label(&residual.column, residual.value.as_deref()), numbers)
    });
    rates.chain(residuals).collect()
}

fn tail(of: &TailDetail) -> Vec<Row> {
    of.pools.iter().map(|pool| (Some(pool.verdict), pool.what.clone(), pool_numbers(pool))).collect()
}

fn pool_numbers(pool: &PoolRow) -> String {
    let rows = counted(pool.rows, "row", "rows");
    match (&pool.mean_loss, &pool.lift) {
        (Some(mean), Some(lift)) => {
            format!("{}  {}  {rows}", value_text(&mean.name, mean.value), times(lift.value))
        }
        (Some(mean), None) => format!("{}  {rows}", value(mean)),
        (None, _) => format!("{rows}, too few"),
    }
}

fn fairness(of: &FairnessDetail) -> Vec<Row> {
    of.criteria
        .iter()
        .map(|of| {
            let label = format!("{}: {}", of.column, of.criterion.replace('_', " "));
            (of.verdict, label, criterion_numbers(of))
        })
        .collect()
}

fn criterion_numbers(of: &CriterionRow) -> String {
    match (&of.difference, &of.ratio) {
        (None, _) => of.reason.clone().unwrap_or_default(),
        (Some(difference), None) => format!("diff. {}", value(difference)),
        (Some(difference), Some(ratio)) => {
            format!("diff. {}  ratio {}", number(difference.value), value(ratio))
        }
    }
}

fn paired(slices: &[PairedSlice]) -> Vec<Row> {
    let worse = slices.iter().filter(|slice| slice.verdict != Verdict::Pass).take(ROWS);
    worse
        .map(|slice| {
            let numbers =
                format!("{} against {}  {} rows", number(slice.this), number(slice.other), count(slice.rows));
            (Some(slice.verdict), slice.label.clone(), numbers)
        })
        .collect()
}
