//! What a row loses in this report: the unit of it, and the average that worst cases are read against.

use stats::interval::Interval;
use types::detail::TailDetail;
use types::finding::{Detail, Finding, Measure};
use types::report::CheckReport;

pub(super) struct Loss {
    /// The measure that a mean of it is written as.
    pub(super) unit: String,
    /// Of all rows.
    pub(super) average: Option<f64>,
    /// The range of the average, where it is known.
    pub(super) ends: Option<(f64, f64)>,
    /// The rows behind the average, where they are known.
    pub(super) n: Option<u64>,
}

impl Loss {
    /// The loss that the findings of a report are about.
    pub(super) fn of(report: &CheckReport) -> Option<Self> {
        let findings = || report.findings.iter();
        findings().find_map(Self::of_subpopulation).or_else(|| {
            findings().find_map(|finding| match finding.detail.as_ref()? {
                Detail::Slices(of) => Some(Self {
                    unit: of.loss.clone(),
                    average: Some(of.overall),
                    ends: ends(of.overall_interval),
                    n: Some(of.judged_rows),
                }),
                Detail::Tail(of) if !(of.pools.is_empty() && of.deciles.is_empty()) => {
                    Some(Self::of_tail(of))
                }
                _ => None,
            })
        })
    }

    /// A group that holds all rows has the average.
    fn of_subpopulation(finding: &Finding) -> Option<Self> {
        let Some(Detail::Subpopulation(of)) = &finding.detail else { return None };
        let all = of.curve.iter().find(|point| (point.at - 1.0).abs() < 1e-9)?;
        Some(Self {
            unit: of.loss.clone(),
            average: Some(all.value),
            ends: Some((all.lower, all.upper)),
            n: finding.measure("worst_subpopulation_loss").map(|measure| measure.n),
        })
    }

    /// Whether a measure is of this loss.
    pub(super) fn is_of(&self, measure: &Measure) -> bool {
        measure.name == self.unit
    }

    /// The average as it was recorded; of records of old from a pool and its lift, else from the tenths and their rows.
    pub(super) fn of_tail(of: &TailDetail) -> Self {
        if let Some(overall) = &of.overall {
            return Self {
                unit: overall.name.clone(),
                average: Some(overall.value),
                ends: ends(overall.interval),
                n: Some(overall.n),
            };
        }
        let pooled = of.pools.iter().find_map(|pool| {
            let (mean, lift) = (pool.mean_loss.as_ref()?.value, pool.lift.as_ref()?.value);
            Some(mean / lift).filter(|average| average.is_finite())
        });
        let measures = || {
            let deciles = of.deciles.iter().map(|row| (row.rows, row.mean_loss.as_ref()));
            deciles.filter_map(|(rows, measure)| Some((rows as f64, measure?)))
        };
        let rows: f64 = measures().map(|(rows, _)| rows).sum();
        let lost: f64 = measures().map(|(rows, measure)| rows * measure.value).sum();
        let average = pooled.or_else(|| Some(lost / rows).filter(|average| average.is_finite()));
        let pools = of.pools.iter().filter_map(|pool| pool.mean_loss.as_ref());
        let outside = of.outside.iter().filter_map(|row| row.mean_loss.as_ref());
        let named = measures().map(|(_, measure)| measure).chain(pools).chain(outside).next();
        let unit = named.map_or("mean_loss", |measure: &Measure| measure.name.as_str());
        Self { unit: unit.to_owned(), average, ends: None, n: None }
    }
}

fn ends(interval: Option<Interval>) -> Option<(f64, f64)> {
    interval.map(|of| (of.lower, of.upper))
}
