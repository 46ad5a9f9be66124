//! What the pictures of an evaluation show, as rows of text for Markdown and JUnit XML.

use stats::interval::Interval;
use types::CheckId;
use types::detail::{ComparisonDetail, CurvePoint, FairnessDetail, FoundSlices, Subpopulation, TailDetail};
use types::faults::{FaultStatus, PricedStrategy, ResponseClass, TriedFault, TriedFaults};
use types::finding::{Detail, Finding, Measure, segment_label};
use types::manipulation::Manipulated;
use types::{Verdict, format};

use crate::report::comparison::{FOUND, by_row};
use crate::report::fairness::criterion_title;
use crate::report::slices::all_rows;
use crate::words;

/// A short table: what a code host or a build server has room for.
pub(crate) struct Rows {
    pub(crate) title: String,
    pub(crate) head: Vec<&'static str>,
    /// The first cell is a name; an empty verdict is none.
    pub(crate) rows: Vec<(Option<Verdict>, Vec<String>)>,
    /// Rows that were left out.
    pub(crate) more: usize,
}

/// Rows of one table.
const MOST: usize = 5;

/// The table of a finding, where it has one.
pub(crate) fn rows(finding: &Finding) -> Option<Rows> {
    let mut of = match finding.detail.as_ref()? {
        Detail::Slices(of) => slices(of),
        Detail::Subpopulation(of) => subpopulation(of),
        Detail::Tail(of) => tail(of),
        Detail::Fairness(of) => fairness(of),
        Detail::Comparison(of) => comparison(of),
        Detail::Faults(of) => faults(of),
        Detail::Manipulation(of) => manipulation(of),
        Detail::Errors(of) if finding.check == CheckId::Errors => {
            let flagged = of.rates.iter().filter(|row| row.flagged);
            let rows = flagged.map(|row| {
                let kind = words::measure_title(&row.rate.name).into_owned();
                let others = with_ends(&row.rate.name, row.others, row.others_interval);
                let cells = vec![
                    segment_label(&row.column, row.value.as_deref()),
                    kind,
                    value(&row.rate.name, &row.rate),
                    others,
                    format::count(row.rate.n),
                ];
                (None, cells)
            });
            Rows {
                title: "Segments with other errors than the rest".into(),
                head: vec!["Segment", "Rate", "Value", "All others", "Rows"],
                rows: rows.collect(),
                more: 0,
            }
        }
        _ => return None,
    };
    of.more = of.rows.len().saturating_sub(MOST);
    of.rows.truncate(MOST);
    (!of.rows.is_empty()).then_some(of)
}

/// What the model does not stand, worst first.
fn faults(of: &TriedFaults) -> Rows {
    let hurting = of.faults.iter().filter(|fault| fault.status != FaultStatus::Handled);
    Rows {
        title: "Faults that the model does not stand".into(),
        head: vec!["Fault", "Status", "Accuracy lower by", "Silently wrong", "Best instead", "Noticed"],
        rows: hurting.map(|fault| (Some(fault.verdict), of_fault(fault))).collect(),
        more: 0,
    }
}

fn of_fault(fault: &TriedFault) -> Vec<String> {
    let silent = fault.responses.iter().find(|share| share.class == ResponseClass::SilentlyWrong);
    let saving = |strategies: &[PricedStrategy]| {
        strategies.iter().find(|of| of.surely_saves).map(|of| of.strategy.clone())
    };
    let noticed = fault.noticed.as_ref().map(|noticed| if noticed.by.is_empty() { "no" } else { "yes" });
    vec![
        format!("{}: {}", fault.of, fault.title),
        fault.status.word().to_owned(),
        or_dash(fault.impact.as_ref().map(|impact| value(&impact.name, impact))),
        or_dash(silent.map(|share| format::percent(share.share))),
        or_dash(saving(&fault.strategies)),
        or_dash(noticed.map(str::to_owned)),
    ]
}

/// `46.4 % (40.2 % – 52.6 %)` in the unit of a measure.
fn value(unit: &str, of: &Measure) -> String {
    with_ends(unit, of.value, of.interval)
}

fn with_ends(unit: &str, of: f64, interval: Option<Interval>) -> String {
    let ends = words::range_text(unit, interval).map(|range| format!(" ({range})"));
    format!("{}{}", words::measure_value(unit, of), ends.unwrap_or_default())
}

fn or_dash(text: Option<String>) -> String {
    text.unwrap_or_else(|| "–".to_owned())
}

fn slices(of: &FoundSlices) -> Rows {
    let unit = of.loss.as_str();
    let rows = of.slices.iter().map(|slice| {
        let confirmed = if slice.confirmed { "" } else { " (not confirmed)" };
        let cells = vec![
            format!("{}{confirmed}", slice.conditions.join(" and ")),
            value(unit, &slice.mean_loss),
            value("lift", &slice.lift),
            format::count(slice.rows),
        ];
        (Some(slice.verdict), cells)
    });
    Rows {
        title: format!(
            "Worst slices; all {} rows that judged: {}",
            format::count(of.judged_rows),
            all_rows(of)
        ),
        head: vec!["Slice", "Mean loss", "Times average", "Rows"],
        rows: rows.collect(),
        more: 0,
    }
}

/// Shares of the rows that are told of; the HTML report draws the others too.
const SHARES: [f64; 4] = [0.05, 0.1, 0.5, 1.0];

fn subpopulation(of: &Subpopulation) -> Rows {
    let unit = of.loss.as_str();
    let same = |a: f64, b: f64| (a - b).abs() < 1e-9;
    let is_told = |point: &&CurvePoint| SHARES.into_iter().chain(of.share).any(|share| same(share, point.at));
    let text = |point: &CurvePoint| {
        let [value, lower, upper] =
            [point.value, point.lower, point.upper].map(|of| words::measure_value(unit, of));
        if point.lower < point.upper { format!("{value} ({lower} – {upper})") } else { value }
    };
    let rows = of.curve.iter().filter(is_told).map(|point| {
        let before = of.reference.iter().find(|before| same(before.at, point.at)).map(text);
        let judged = if of.share.is_some_and(|share| same(share, point.at)) { " (judged)" } else { "" };
        (None, vec![format!("{}{judged}", format::percent(point.at)), text(point), or_dash(before)])
    });
    Rows {
        title: words::sentence_case(&format!(
            "{} of the worst rows that inputs can tell apart",
            words::measure_title(unit)
        )),
        head: vec!["Share of rows", "At most", "Reference"],
        rows: rows.collect(),
        more: 0,
    }
}

fn tail(of: &TailDetail) -> Rows {
    let rows = of.pools.iter().map(|pool| {
        let mean = pool.mean_loss.as_ref().map(|mean| value(mean.name.as_str(), mean));
        let lift = pool.lift.as_ref().map(|lift| value("lift", lift));
        (Some(pool.verdict), vec![pool.what.clone(), or_dash(mean), or_dash(lift), format::count(pool.rows)])
    });
    Rows {
        title: of.overall.as_ref().map_or_else(
            || "Rare cases".into(),
            |all| format!("Rare cases; all {} rows: {}", format::count(all.n), value(&all.name, all)),
        ),
        head: vec!["Kind", "Mean loss", "Times average", "Rows"],
        rows: rows.collect(),
        more: 0,
    }
}

fn fairness(of: &FairnessDetail) -> Rows {
    let rows = of.criteria.iter().map(|row| {
        let unit = if of.metrics.is_empty() { "share" } else { row.criterion.as_str() };
        let difference = row.difference.as_ref().map(|of| value(unit, of));
        let difference = difference.or_else(|| row.reason.clone());
        let ratio = row.ratio.as_ref().map(|of| value("ratio", of));
        let ratio = ratio.or_else(|| row.reason.clone().filter(|_| row.difference.is_some()));
        let between =
            row.lowest.as_ref().zip(row.highest.as_ref()).map(|(low, high)| format!("{low} and {high}"));
        let name = format!("{} over {}", criterion_title(&row.criterion), row.column);
        (row.verdict, vec![name, or_dash(difference), or_dash(ratio), or_dash(between)])
    });
    Rows {
        title: if of.metrics.is_empty() {
            "Criteria of fairness, which cannot all hold at once where base rates differ".into()
        } else {
            "How well groups are served; criteria of positive predictions are for a binary task".into()
        },
        head: vec!["Criterion", "Difference", "Ratio", "Between"],
        rows: rows.collect(),
        more: 0,
    }
}

fn manipulation(of: &Manipulated) -> Rows {
    let rows = of.levers.iter().map(|lever| {
        let [used, alone] = [&lever.used, &lever.alone].map(|share| value(&share.name, share));
        (None, vec![lever.feature.clone(), lever.constraint.clone(), alone, used])
    });
    Rows {
        title: format!("What flips {}", of.cases_are),
        head: vec!["Feature", "Can be changed", "Flips alone", "Part of cheapest changes"],
        rows: rows.collect(),
        more: 0,
    }
}

fn comparison(of: &ComparisonDetail) -> Rows {
    let unit = of.compared_loss().unwrap_or("mean_loss");
    let metrics = of.metrics.iter().map(|row| {
        let title = words::measure_title(&row.name);
        let cells = vec![
            row.reason.as_ref().map_or_else(|| title.to_string(), |reason| format!("{title} ({reason})")),
            with_ends(&row.name, row.this, row.this_interval),
            with_ends(&row.name, row.other, row.other_interval),
            value(&row.name, &row.difference),
            String::new(),
        ];
        (None, cells)
    });
    let worse = of.slices.iter().filter(|slice| slice.verdict != Verdict::Pass).map(|slice| {
        let found = if slice.found { format!(" ({FOUND})") } else { String::new() };
        let cells = vec![
            format!("mean loss where {}{found}", slice.label),
            with_ends(unit, slice.this, slice.this_interval),
            with_ends(unit, slice.other, slice.other_interval),
            value(unit, &slice.difference),
            by_row(slice),
        ];
        (Some(slice.verdict), cells)
    });
    let all = [of.wins, of.ties, of.losses].map(format::count).join(" / ");
    Rows {
        title: format!("Against version {}; this one loses less, the same, more on {all} rows", of.other),
        head: vec!["Measure", "This", "Other", "Difference", "Rows better / same / worse"],
        rows: worse.take(2).chain(metrics).collect(),
        more: 0,
    }
}
