//! Rare cases of the week.

use stats::interval::IntervalMethod;
use types::CheckId;
use types::Verdict;
use types::detail::{CaseRow, OutsideRow, PoolRow, RarityRow, TailDetail};
use types::finding::{Detail, Finding, Measure};

use super::super::{interval, measure, threshold};
use super::with_measures;

const AVERAGE: f64 = 0.219;

pub(super) fn tail() -> Finding {
    let mut finding = with_measures(
        CheckId::Tail,
        Verdict::Fail,
        "Flights with unusual inputs are predicted wrongly 2.1 times as often as the average flight (46.4 % against 21.9 %). Do not rely on warnings in rare weather.",
        &[
            ("rare_lift", 2.12, Some((1.84, 2.4))),
            ("expected_shortfall", 0.871, Some((0.852, 0.89))),
            ("confident_wrong_share", 0.064, Some((0.051, 0.079))),
            ("rare_class_wrong_share", 0.413, Some((0.33, 0.5))),
        ],
    );
    finding.thresholds = vec![
        threshold("rare_lift", None, Some(2.0), "default of evaluate.tail.max_lift"),
        threshold(
            "rare_class_wrong_share",
            None,
            Some(0.5),
            "default of evaluate.tail.rare_class_wrong_at_most",
        ),
    ];
    let losses = [0.171, 0.178, 0.169, 0.188, 0.194, 0.207, 0.216, 0.242, 0.289, 0.402];
    let rows = [541, 548, 552, 530, 519, 533, 540, 561, 588, 547];
    finding.detail = Some(Detail::Tail(Box::new(TailDetail {
        overall: Some(share(AVERAGE, 5_459)),
        case_loss: "Brier loss".into(),
        deciles: (0..10)
            .map(|i| RarityRow {
                decile: i as u32 + 1,
                rows: rows[i],
                mean_loss: Some(share(losses[i], rows[i])),
            })
            .collect(),
        pools: vec![
            pool("rare inputs", 252, 0.464, Verdict::Fail),
            pool("rare categories", 168, 0.327, Verdict::Warn),
            pool("values outside the reference", 61, 0.311, Verdict::Pass),
            PoolRow {
                is_class: true,
                what: "rare classes".into(),
                rows: 12,
                mean_loss: None,
                lift: None,
                verdict: Verdict::Unknown,
            },
        ],
        worst: vec![
            case(
                "UA-1207-1205",
                "2013-12-05T21:40:00Z",
                "0.03",
                0.941,
                &[
                    ("origin", "LGA"),
                    ("carrier", "UA"),
                    ("dep_hour", "21"),
                    ("visib", "0.25"),
                    ("wind_speed", "31.1"),
                    ("humid", "(missing)"),
                ],
            ),
            case(
                "EV-4119-1205",
                "2013-12-05T20:05:00Z",
                "0.04",
                0.922,
                &[
                    ("origin", "EWR"),
                    ("carrier", "EV"),
                    ("dep_hour", "20"),
                    ("visib", "0.5"),
                    ("wind_speed", "27.6"),
                    ("humid", "98.1"),
                ],
            ),
            case(
                "B6-0915-1208",
                "2013-12-08T18:30:00Z",
                "0.05",
                0.903,
                &[
                    ("origin", "JFK"),
                    ("carrier", "B6"),
                    ("dep_hour", "18"),
                    ("visib", "1.0"),
                    ("wind_speed", "12.7"),
                    ("humid", "93.4"),
                ],
            ),
        ],
        outside: vec![
            OutsideRow { column: "wind_speed".into(), rows: 38, mean_loss: Some(share(0.395, 38)) },
            OutsideRow { column: "tailnum".into(), rows: 21, mean_loss: Some(share(0.238, 21)) },
            OutsideRow { column: "dest".into(), rows: 2, mean_loss: None },
        ],
    })));
    finding
}

fn share(value: f64, n: u64) -> Measure {
    let half = 1.96 * (value * (1.0 - value) / n as f64).sqrt();
    Measure {
        interval: Some(interval((value - half).max(0.0), value + half, IntervalMethod::Wilson)),
        ..measure("wrong_share", value, n, "wrong predictions ÷ rows")
    }
}

fn pool(what: &str, rows: u64, loss: f64, verdict: Verdict) -> PoolRow {
    let mean = share(loss, rows);
    let ends = mean
        .interval
        .map(|of| interval(of.lower / AVERAGE, of.upper / AVERAGE, IntervalMethod::NormalOfLogarithm));
    let lift = Measure {
        interval: ends,
        ..measure("rare_lift", loss / AVERAGE, rows, "mean loss ÷ that of all rows")
    };
    PoolRow { what: what.into(), is_class: false, rows, mean_loss: Some(mean), lift: Some(lift), verdict }
}

fn case(id: &str, at: &str, predicted: &str, loss: f64, inputs: &[(&str, &str)]) -> CaseRow {
    CaseRow {
        id: id.into(),
        at: at.into(),
        predicted: predicted.into(),
        outcome: "late".into(),
        loss,
        inputs: inputs.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect(),
    }
}
