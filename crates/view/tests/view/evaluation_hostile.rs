//! Evaluations that nobody hopes for: hostile names, nothing in them, numbers of any kind, a thousand rows.

use stats::interval::IntervalMethod;
use types::CheckId;
use types::Verdict;
use types::definition::Arrivals;
use types::detail::{
    Averages, CalibrationDetail, CaseRow, ClassRow, ComparisonDetail, CriterionRow, CurvePoint, Driver,
    ErrorStructure, FairnessDetail, FoundSlices, GapRow, GroupMetrics, GroupRow, OutsideRow, PairRow,
    PairedSlice, PoolRow, QuantileRow, RarityRow, RateRow, RateWithInterval, ResidualRow, SliceRow, Stretch,
    Subpopulation, TailDetail, ThresholdRow,
};
use types::endpoint::{CallerGot, CallersShare, EndpointFault, TriedEndpoint, TriedEndpointFault};
use types::faults::{
    FaultStatus, ImpactCurve, ImpactPoint, NotTried, Noticed, PricedStrategy, ResponseClass, ResponseShare,
    TestedHypothesis, TriedFault, TriedFaults,
};
use types::finding::{Detail, Finding, Measure, Subject};
use types::load::{ErrorClass, Latency, LoadRamp, LoadStep, Unloaded};
use types::manipulation::{ChangedCase, ChangedInput, LeftOut, LeverRow, Manipulated};
use types::report::CheckReport;

use crate::hostile::{SCRIPT, outside_code, rendered};
use crate::sample::{self, finding, interval, measure};

/// Each kind of detail with `rows` rows, every name being `name` and every number `value`.
fn details(name: &str, value: f64, rows: usize) -> Vec<(CheckId, Detail)> {
    let of = Of { name, value, rows };
    vec![
        (CheckId::Performance, Detail::Averages(Box::new(of.averages()))),
        (CheckId::Calibration, Detail::Reliability { bins: vec![], more: Box::new(of.calibration()) }),
        (CheckId::Slices, Detail::Slices(of.slices())),
        (CheckId::WorstSubpopulation, Detail::Subpopulation(of.subpopulation())),
        (CheckId::Errors, Detail::Errors(Box::new(of.errors()))),
        (CheckId::Tail, Detail::Tail(Box::new(of.tail()))),
        (CheckId::Fairness, Detail::Fairness(Box::new(of.fairness()))),
        (CheckId::Comparison, Detail::Comparison(Box::new(of.comparison()))),
        (CheckId::Faults, Detail::Faults(Box::new(of.faults()))),
        (CheckId::Load, Detail::Load(Box::new(of.load()))),
        (CheckId::Endpoint, Detail::Endpoint(Box::new(of.endpoint()))),
        (CheckId::Manipulation, Detail::Manipulation(Box::new(of.manipulated()))),
    ]
}

struct Of<'a> {
    name: &'a str,
    value: f64,
    rows: usize,
}

impl Of<'_> {
    fn all<T>(&self, row: impl Fn(usize) -> T) -> Vec<T> {
        (0..self.rows).map(row).collect()
    }

    fn name(&self) -> String {
        self.name.to_owned()
    }

    fn measure(&self, name: &str) -> Measure {
        Measure {
            interval: Some(interval(self.value, -self.value, IntervalMethod::Wilson)),
            p_value: Some(self.value),
            p_adjusted: Some(self.value),
            ..measure(name, self.value, u64::MAX, self.name)
        }
    }

    fn named(&self) -> Measure {
        self.measure(self.name)
    }

    fn curve(&self) -> Vec<CurvePoint> {
        let value = self.value;
        self.all(|i| CurvePoint { at: i as f64 * value, value, lower: value, upper: -value })
    }

    fn drivers(&self) -> Vec<Driver> {
        self.all(|_| Driver { name: self.name(), weight: self.value })
    }

    fn rate(&self) -> RateWithInterval {
        let interval = Some(interval(self.value, self.value, IntervalMethod::Wilson));
        RateWithInterval { value: self.value, interval, n: 0 }
    }

    fn faults(&self) -> TriedFaults {
        let (value, interval) = (self.value, interval(self.value, -self.value, IntervalMethod::Wilson));
        let responses =
            ResponseClass::ALL.map(|class| ResponseShare { class, rows: 7, share: value, interval });
        let strategy = |surely_saves| PricedStrategy {
            strategy: self.name(),
            mean_cost: value,
            interval,
            surely_saves,
            is_doing_nothing: !surely_saves,
        };
        let fault = |at: usize| TriedFault {
            fault: self.name(),
            title: self.name(),
            of: self.name(),
            columns: vec![self.name()],
            touched_share: value,
            verdict: Verdict::Fail,
            status: [FaultStatus::Failed, FaultStatus::Unknown, FaultStatus::Handled][at % 3],
            sentence: self.name(),
            impact: Some(self.named()),
            loss_rise: Some(value),
            responses: responses.to_vec(),
            silently_wrong_before: Some(value),
            error: Some(self.name()),
            strategies: vec![strategy(at.is_multiple_of(2)), strategy(false)],
            noticed: Some(Noticed {
                by: vec![self.name(); at % 3],
                least_rate: Some(value),
                windows: Some(u32::MAX),
                windows_by_loss: Some(at as u32),
            }),
            experiment: Some(TestedHypothesis {
                name: self.name(),
                hypothesis: self.name(),
                rollback: Some(self.name()),
                who: Some(self.name()),
            }),
            is_uncertified: at.is_multiple_of(2),
        };
        let point = |at: usize| ImpactPoint {
            rate: at as f64 * value,
            drop: at.is_multiple_of(2).then(|| self.named()),
            unanswered: value,
        };
        let curve = |_| ImpactCurve {
            fault: self.name(),
            title: self.name(),
            of: self.name(),
            max_accuracy_drop: value,
            points: self.all(point),
        };
        TriedFaults {
            model: self.name(),
            rows: u64::MAX,
            clean: Some(self.named()),
            faults: self.all(fault),
            model_outage: vec![strategy(true), strategy(false)],
            curves: self.all(curve),
            not_tried: self.all(|_| NotTried { fault: self.name(), of: self.name(), reason: self.name() }),
        }
    }

    fn load(&self) -> LoadRamp {
        let value = self.value;
        let latency = Latency {
            p50_ms: value,
            p90_ms: value,
            p95_ms: value,
            p99_ms: value,
            p999_ms: value,
            max_ms: value,
            p50_lower_ms: Some(value),
            p50_upper_ms: None,
            p99_lower_ms: Some(value),
            p99_upper_ms: Some(-value),
        };
        let error = || ErrorClass { class: self.name(), requests: u64::MAX, example: self.name() };
        let step = |at: usize| LoadStep {
            rate: value,
            seconds: value,
            requests: u64::MAX,
            answered: 1,
            dropped: u64::MAX,
            achieved_rate: value,
            latency: (at % 3 < 2).then_some(latency),
            errors: vec![error()],
            compared: 1,
            equal: u64::MAX,
            degraded: 0,
            sent_late_p99_ms: value,
            stood: at.is_multiple_of(2),
            verdict: Verdict::Fail,
            reason: Some(self.name()),
        };
        let unloaded = Unloaded { requests: 0, answered: u64::MAX, p50_ms: value, max_ms: value, equal: 0 };
        LoadRamp {
            model: self.name(),
            rows_per_request: u32::MAX,
            arrivals: Arrivals::Poisson,
            steps: self.all(step),
            stood_rate: Some(value),
            failed_rate: Some(-value),
            ended: Some(self.name()),
            before: Some(unloaded),
            after: Some(unloaded),
            recovered_s: Some(value),
        }
    }

    fn endpoint(&self) -> TriedEndpoint {
        let (value, interval) = (self.value, interval(self.value, -self.value, IntervalMethod::Wilson));
        let got = CallerGot::ALL.map(|got| CallersShare { got, requests: 7, share: value, interval });
        let fault = |at: usize| TriedEndpointFault {
            fault: EndpointFault::Latency { delay_ms: u64::MAX },
            title: self.name(),
            struck: u64::MAX,
            status: [FaultStatus::Failed, FaultStatus::Unknown, FaultStatus::Handled][at % 3],
            sentence: self.name(),
            got: got.to_vec(),
            waited_ms_max: value,
            error: Some(self.name()),
            recovered_s: at.is_multiple_of(2).then_some(value),
        };
        TriedEndpoint {
            model: self.name(),
            through: Some(self.name()),
            patience_ms: u64::MAX,
            rate: value,
            faults: self.all(fault),
            not_tried: self.all(|_| NotTried { fault: self.name(), of: self.name(), reason: self.name() }),
        }
    }

    fn manipulated(&self) -> Manipulated {
        let value = self.value;
        let lever = || LeverRow {
            feature: self.name(),
            constraint: self.name(),
            cost: value,
            used: self.measure("lever_share"),
            alone: self.measure("alone_share"),
            sentence: self.name(),
        };
        let input = || ChangedInput { feature: self.name(), from: self.name(), to: self.name(), cost: value };
        let case = || ChangedCase {
            id: self.name(),
            cost: value,
            before: self.name(),
            after: self.name(),
            changes: vec![input()],
            sentence: self.name(),
        };
        Manipulated {
            model: self.name(),
            cases_are: self.name(),
            tried: self.rows as u64,
            flipped: u64::MAX,
            left_out: self.all(|_| LeftOut { cases: u64::MAX, reason: self.name() }),
            budget: value,
            curve: self.curve(),
            levers: self.all(|_| lever()),
            relations: self.all(|_| self.name()),
            examples: self.all(|_| case()),
            queries: u64::MAX,
            queries_most: 0,
            queries_median: Some(value),
            queries_reference: u64::MAX,
            is_decision_only: true,
            stopped: Some(self.name()),
        }
    }

    fn averages(&self) -> Averages {
        let value = self.value;
        let threshold = ThresholdRow {
            threshold: value,
            recall: value,
            recall_interval: self.named().interval,
            false_positive_rate: value,
            false_positive_rate_interval: None,
            precision: Some(value),
            precision_interval: self.named().interval,
            predicted_positive_share: value,
            predicted_positive_share_interval: None,
            cost: Some(value),
            cost_interval: self.named().interval,
        };
        let class = || ClassRow {
            name: self.name(),
            outcomes: 0,
            predictions: u64::MAX,
            precision: Some(self.named()),
            recall: None,
            f1: Some(self.named()),
            roc_auc: None,
            ece: None,
        };
        Averages {
            in_use: Some(f64::NAN),
            classes: self.all(|_| class()),
            thresholds: self.all(|_| threshold),
            cheapest: Some(threshold),
        }
    }

    fn calibration(&self) -> CalibrationDetail {
        let gap = || GapRow {
            column: self.name(),
            value: Some(self.name()),
            rows: 0,
            score_mean: self.value,
            outcome_share: self.value,
            gap: self.named(),
            verdict: Verdict::Fail,
        };
        let quantile = || QuantileRow {
            level: self.value,
            covered: self.named(),
            pinball: Some(self.named()),
            verdict: Verdict::Unknown,
        };
        CalibrationDetail {
            curve: self.curve(),
            gaps: self.all(|_| gap()),
            quantiles: self.all(|_| quantile()),
        }
    }

    fn slices(&self) -> FoundSlices {
        let slice = |i: usize| SliceRow {
            conditions: vec![self.name(); i % 4],
            rows: 0,
            share: self.value,
            mean_loss: self.named(),
            lift: self.named(),
            confirmed: i.is_multiple_of(2),
            verdict: Verdict::Warn,
        };
        FoundSlices {
            loss: self.name(),
            overall: self.value,
            overall_interval: self.named().interval,
            searched_rows: 0,
            judged_rows: u64::MAX,
            slices: self.all(slice),
        }
    }

    fn subpopulation(&self) -> Subpopulation {
        Subpopulation {
            loss: self.name(),
            share: Some(self.value),
            curve: self.curve(),
            reference: self.curve(),
            drivers: self.drivers(),
        }
    }

    fn errors(&self) -> ErrorStructure {
        let kinds = ["false_positive_rate", "false_negative_rate", self.name];
        let rate = |i: usize| RateRow {
            column: self.name(),
            value: (!i.is_multiple_of(5)).then(|| format!("{}{i}", self.name)),
            rate: self.measure(kinds[i % 3]),
            others: self.value,
            others_interval: self.named().interval,
            others_n: Some(u64::MAX),
            flagged: i.is_multiple_of(2),
        };
        let residual = |i: usize| ResidualRow {
            column: self.name(),
            value: None,
            residual: self.named(),
            flagged: i.is_multiple_of(2),
        };
        let stretch = Stretch {
            from: self.name(),
            to: self.name(),
            rows: 0,
            mean_loss: self.value,
            p_value: self.value,
        };
        ErrorStructure {
            drivers: self.drivers(),
            rates: self.all(rate),
            levels: self.curve(),
            residuals: self.all(residual),
            stretch: Some(stretch),
            over_time: self.curve(),
        }
    }

    fn tail(&self) -> TailDetail {
        let decile = |i: usize| RarityRow { decile: i as u32, rows: 0, mean_loss: Some(self.named()) };
        let pool = || PoolRow {
            is_class: false,
            what: self.name(),
            rows: 0,
            mean_loss: Some(self.named()),
            lift: Some(self.named()),
            verdict: Verdict::Fail,
        };
        let case = || CaseRow {
            id: self.name(),
            at: self.name(),
            predicted: self.name(),
            outcome: self.name(),
            loss: self.value,
            inputs: vec![(self.name(), self.name()); 5],
        };
        let outside = || OutsideRow { column: self.name(), rows: 0, mean_loss: Some(self.named()) };
        TailDetail {
            overall: Some(self.named()),
            case_loss: String::new(),
            deciles: self.all(decile),
            pools: self.all(|_| pool()),
            worst: self.all(|_| case()),
            outside: self.all(|_| outside()),
        }
    }

    fn fairness(&self) -> FairnessDetail {
        let group = |i: usize| GroupRow {
            column: format!("{}{}", self.name, i % 3),
            value: (!i.is_multiple_of(2)).then(|| self.name()),
            rows: 0,
            positives: 0,
            selection_rate: Some(self.rate()),
            true_positive_rate: None,
            false_positive_rate: Some(self.rate()),
            precision: Some(self.rate()),
            calibration_gap: Some(self.rate()),
            expected_over_observed: Some(self.rate()),
        };
        let criterion = |i: usize| CriterionRow {
            column: self.name(),
            criterion: self.name(),
            difference: (!i.is_multiple_of(2)).then(|| self.named()),
            ratio: None,
            lowest: Some(self.name()),
            highest: Some(self.name()),
            reason: Some(self.name()),
            verdict: Some(Verdict::Unknown),
        };
        let metrics = |i: usize| GroupMetrics {
            column: self.name(),
            value: (!i.is_multiple_of(2)).then(|| self.name()),
            rows: 0,
            measures: vec![self.named()],
            reason: Some(self.name()),
        };
        FairnessDetail { groups: self.all(group), criteria: self.all(criterion), metrics: self.all(metrics) }
    }

    fn comparison(&self) -> ComparisonDetail {
        let (this, other) = (self.value, -self.value);
        let ends = self.named().interval;
        let pair = || PairRow {
            name: self.name(),
            this,
            this_interval: ends,
            other,
            other_interval: ends,
            difference: self.named(),
            reason: Some(self.name()),
        };
        let slice = || PairedSlice {
            label: self.name(),
            found: true,
            rows: 0,
            this,
            this_interval: ends,
            other,
            other_interval: ends,
            wins: u64::MAX,
            ties: 0,
            losses: u64::MAX,
            difference: self.named(),
            verdict: Verdict::Fail,
        };
        ComparisonDetail {
            other: self.name(),
            loss: self.name(),
            metrics: self.all(|_| pair()),
            wins: u64::MAX,
            ties: 0,
            losses: u64::MAX,
            slices: self.all(|_| slice()),
        }
    }
}

fn report(name: &str, value: f64, rows: usize) -> CheckReport {
    let findings =
        details(name, value, rows).into_iter().map(|(check, detail)| of(check, detail, name, value));
    CheckReport { findings: findings.collect(), ..sample::report() }
}

fn of(check: CheckId, detail: Detail, name: &str, value: f64) -> Finding {
    let mut finding = finding(check, Subject::Model, Verdict::Fail, name);
    finding.measures = vec![measure(name, value, 0, name)];
    finding.owner = Some(name.into());
    finding.detail = Some(detail);
    finding
}

#[test]
fn no_name_of_an_evaluation_becomes_markup() {
    let report = report(SCRIPT, 0.3, 4);
    let page = rendered(&report);
    assert_eq!(page.matches("<script").count(), 1, "only our own script");
    assert!(!page.contains("alert(1)</script>"));
    assert!(!view::junit::junit(&report).contains("<script"));
    assert!(!outside_code(&view::markdown::markdown(&report)).contains("<script"));
}

#[test]
fn numbers_of_any_kind_are_drawn() {
    for value in [0.0, -1.0, f64::NAN, f64::INFINITY, f64::NEG_INFINITY, f64::MAX, f64::MIN, 1e-320] {
        for rows in [1, 3] {
            let page = rendered(&report("n", value, rows));
            for path in page.split(" d=\"").skip(1).filter_map(|rest| rest.split('"').next()) {
                assert!(!path.contains("NaN") && !path.contains("inf"), "{value} gives the path {path}");
            }
        }
    }
}

#[test]
fn nothing_in_a_detail_does_no_harm() {
    rendered(&report("n", 0.5, 0));
    for check in CheckId::ALL {
        for (_, detail) in details("n", 0.5, 0).into_iter().chain(details("n", 0.5, 2)) {
            rendered(&CheckReport { findings: vec![of(check, detail, "n", 0.5)], ..sample::report() });
        }
    }
}

#[test]
fn a_thousand_rows_are_folded() {
    let report = report("a name of some length", 0.25, 1000);
    let page = rendered(&report);
    for folded in ["975 more", "980 more classes", "990 more cases"] {
        assert!(page.contains(folded), "{folded}");
    }
    assert!(view::markdown::markdown(&report).chars().count() < 65_000);
}
