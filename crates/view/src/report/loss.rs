//! What a row loses in this report: the unit of it, and the average that worst cases are read against.

use types::detail::TailDetail;
use types::finding::{Detail, Measure};
use types::report::CheckReport;

pub(super) struct Loss {
    /// The measure that a mean of it is written as.
    pub(super) unit: String,
    /// Of all rows.
    pub(super) average: Option<f64>,
    /// The range of the average, where it is known.
    pub(super) ends: Option<(f64, f64)>,
}

impl Loss {
    /// The loss that the findings of a report are about.
    pub(super) fn of(report: &CheckReport) -> Option<Self> {
        let details = || report.findings.iter().filter_map(|finding| finding.detail.as_ref());
        details().find_map(Self::of_subpopulation).or_else(|| {
            details().find_map(|detail| match detail {
                Detail::Slices(of) => {
                    Some(Self { unit: of.loss.clone(), average: Some(of.overall), ends: None })
                }
                Detail::Tail(of) if !(of.pools.is_empty() && of.deciles.is_empty()) => {
                    Some(Self::of_tail(of))
                }
                _ => None,
            })
        })
    }

    /// A group that holds all rows has the average.
    fn of_subpopulation(detail: &Detail) -> Option<Self> {
        let Detail::Subpopulation(of) = detail else { return None };
        let all = of.curve.iter().find(|point| (point.at - 1.0).abs() < 1e-9)?;
        Some(Self { unit: of.loss.clone(), average: Some(all.value), ends: Some((all.lower, all.upper)) })
    }

    /// Whether a measure is of this loss.
    pub(super) fn is_of(&self, measure: &Measure) -> bool {
        measure.name == self.unit
    }

    /// The average from a pool and its lift, else from the tenths and their rows.
    pub(super) fn of_tail(of: &TailDetail) -> Self {
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
        Self { unit: unit.to_owned(), average, ends: None }
    }
}
