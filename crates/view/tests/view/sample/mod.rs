//! A week of a flight-delay model, as the checks would report it: the example for every test.

mod drift;
pub(crate) mod evaluation;
pub(crate) mod over_time;
pub(crate) mod site;

use stats::interval::{Interval, IntervalMethod, Level};
use types::CheckId;
use types::answer::Coverage;
use types::definition::{System, Task, Tier};
use types::detail::AverageAndWorst;
use types::evidence::{DatasetVersion, Hashed};
use types::finding::{Detail, Finding, Measure, ReliabilityRow, SegmentRow, Subject, Threshold};
use types::gate::{GateDecision, NeedState, NeedStatus};
use types::report::{CheckReport, FORMAT};
use types::{Digest, Verdict, Window, window};

use drift::{CARRIERS, drift, drift_thresholds};

/// The report of the week from 2013-12-02 on.
pub(crate) fn report() -> CheckReport {
    let mut findings = drift();
    findings.extend(quality());
    findings.push(outcomes());
    findings.push(performance());
    findings.extend(over_time::in_a_check());
    findings.extend(worst_segments());
    findings.push(calibration());
    findings.extend(evaluation::findings());
    CheckReport {
        format: FORMAT,
        program: "forewarn 0.1.0".into(),
        at: window::parse_instant("2013-12-10T06:00:12Z").expect("a constant"),
        as_of: window::parse_instant("2013-12-10T00:00:00Z").expect("a constant"),
        system: System {
            id: "flight-delay".into(),
            name: Some("Flight delay predictor".into()),
            purpose: Some(
                "Warns passengers of New York departures that are likely to arrive 15 minutes late or more"
                    .into(),
            ),
            owner: Some("ops-analytics".into()),
            tier: Some(Tier::Limited),
            ..System::default()
        },
        model: "2013.04".into(),
        task: Task::Binary,
        window: current(),
        reference: reference(),
        definition: Digest::of(b"forewarn.toml"),
        datasets: vec![dataset("predictions", 14, 48_211_904), dataset("outcomes", 12, 9_120_334)],
        gates: gates(),
        findings,
        checkpoint: format!("1204:{}", Digest::of(b"chain")),
    }
}

fn current() -> Window {
    "2013-12-02/2013-12-09".parse().expect("a constant")
}

fn reference() -> Window {
    "2013-01-01/2013-05-01".parse().expect("a constant")
}

fn dataset(name: &str, files: u64, bytes: u64) -> DatasetVersion {
    let digest = Digest::of(name.as_bytes());
    DatasetVersion { name: name.into(), digest, files, bytes, hashed: Hashed::Content }
}

fn gates() -> Vec<GateDecision> {
    let need = |check: CheckId, state, reasons: &[&str]| NeedStatus {
        check: check.name().into(),
        state,
        reasons: reasons.iter().map(ToString::to_string).collect(),
    };
    vec![
        GateDecision {
            gate: "deploy".into(),
            open: false,
            needs: vec![
                need(CheckId::Performance, NeedState::Warned, &["model: warn"]),
                need(CheckId::WorstSegment, NeedState::Failed, &["origin = LGA: fail"]),
                need(CheckId::Calibration, NeedState::Failed, &["model: fail"]),
                need(CheckId::Outcomes, NeedState::Met, &[]),
                need(CheckId::Quality, NeedState::Stale, &["expired on 2013-12-08"]),
            ],
        },
        GateDecision {
            gate: "keep-running".into(),
            open: true,
            needs: vec![
                need(CheckId::Outcomes, NeedState::Met, &[]),
                need(CheckId::Performance, NeedState::Warned, &["model: warn"]),
            ],
        },
    ]
}

pub(crate) fn finding(check: CheckId, subject: Subject, verdict: Verdict, summary: &str) -> Finding {
    Finding {
        check,
        subject,
        verdict,
        window: current(),
        reference: Some(reference()),
        summary: summary.into(),
        measures: vec![],
        unmeasured: vec![],
        thresholds: vec![],
        detail: None,
        owner: None,
        sequential: None,
    }
}

pub(crate) fn measure(name: &str, value: f64, n: u64, method: &str) -> Measure {
    Measure {
        name: name.into(),
        value,
        interval: None,
        n,
        method: method.into(),
        error_bound: 0.0,
        expected_by_chance: None,
        p_value: None,
        p_adjusted: None,
    }
}

pub(crate) fn interval(lower: f64, upper: f64, method: IntervalMethod) -> Interval {
    Interval { lower, upper, level: Level::P95, method }
}

fn threshold(measure: &str, at_least: Option<f64>, at_most: Option<f64>, from: &str) -> Threshold {
    Threshold { measure: measure.into(), at_least, at_most, from: from.into() }
}

fn quality() -> Vec<Finding> {
    let mut ids = finding(
        CheckId::Quality,
        Subject::Log,
        Verdict::Pass,
        "Every prediction has an id, and no id repeats.",
    );
    ids.measures =
        vec![measure("repeated_id_share", 0.0, 5_871, "rows that repeat an id or have none ÷ rows")];
    let subject = Subject::Feature { name: "humid".into(), source: Some("weather".into()) };
    let mut missing = finding(
        CheckId::Quality,
        subject,
        Verdict::Warn,
        "Values of `humid` went missing: 11.8 % of rows have none, against 0.4 % before. All weather columns share this, so look at the feed first.",
    );
    missing.measures = vec![measure("missing_share", 0.118, 5_871, "counted")];
    missing.thresholds =
        vec![threshold("missing_share", None, Some(0.1), "default of monitor.drift.share_fail")];
    vec![ids, missing]
}

fn outcomes() -> Finding {
    let mut finding = finding(
        CheckId::Outcomes,
        Subject::Log,
        Verdict::Pass,
        "The outcome is known for 93.0 % of predictions. The rest are mostly flights of the last day, which have not been reported yet.",
    );
    let mut share = measure("outcome_coverage", 0.9298, 5_871, "with outcome ÷ predictions");
    share.interval = Some(interval(0.923, 0.936, IntervalMethod::Wilson));
    finding.measures = vec![share];
    finding.detail = Some(Detail::Coverage(Coverage {
        predictions: 5_871,
        with_outcome: 5_459,
        without_outcome: 371,
        unusable_outcomes: 41,
        repeated_outcomes: 18,
        contradictory_outcomes: 3,
        undecided_outcomes: 1,
        early_outcomes: 0,
        orphan_outcomes: 112,
    }));
    finding
}

fn performance() -> Finding {
    let mut finding = finding(
        CheckId::Performance,
        Subject::Model,
        Verdict::Warn,
        "The model ranks flights a little worse than in the reference window (ROC AUC 0.702 against 0.728). Whether the loss exceeds the 0.030 allowed cannot be told yet.",
    );
    let metrics = [
        ("roc_auc", 0.702, 0.686, 0.718, 0.728, IntervalMethod::DeLongLogit),
        ("average_precision", 0.418, 0.389, 0.447, 0.441, IntervalMethod::BoydLogit),
        ("accuracy", 0.781, 0.770, 0.792, 0.802, IntervalMethod::Wilson),
        ("precision", 0.512, 0.476, 0.548, 0.561, IntervalMethod::Wilson),
        ("recall", 0.314, 0.288, 0.341, 0.298, IntervalMethod::Wilson),
        ("f1", 0.389, 0.361, 0.418, 0.389, IntervalMethod::WilsonOfF1),
        ("brier", 0.158, 0.152, 0.164, 0.147, IntervalMethod::NormalOfMean),
        ("log_loss", 0.491, 0.474, 0.508, 0.463, IntervalMethod::NormalOfMean),
    ];
    for (name, value, lower, upper, before, method) in metrics {
        let mut now = measure(name, value, 5_459, "all rows with an outcome");
        now.interval = Some(interval(lower, upper, method));
        finding.measures.push(now);
        finding.measures.push(measure(
            &format!("reference_{name}"),
            before,
            104_211,
            "all rows with an outcome",
        ));
    }
    let mut loss = measure(
        "loss_against_reference",
        0.026,
        5_459,
        "ROC AUC of the reference (104,211 rows) less that of the window, so that worse is positive",
    );
    loss.interval = Some(interval(0.010, 0.042, IntervalMethod::Newcombe));
    loss.expected_by_chance = Some(0.0);
    finding.measures.insert(2, loss);
    finding.thresholds = vec![
        threshold("roc_auc", Some(0.65), None, "evaluate.performance"),
        threshold("loss_against_reference", None, Some(0.03), "evaluate.performance.max_drop"),
    ];
    let mut cost = measure("expected_cost", 0.498, 5_459, "costs of the definition, mean over the rows");
    cost.interval = Some(interval(0.474, 0.522, IntervalMethod::NormalOfMean));
    finding.measures.push(cost);
    finding.measures.push(measure("decision_threshold", 0.425, 5_459, "of the definition"));
    finding.detail = Some(evaluation::averages());
    finding
}

fn worst_segments() -> Vec<Finding> {
    let mut lga = finding(
        CheckId::WorstSegment,
        Subject::Segment { column: "origin".into(), value: Some("LGA".into()) },
        Verdict::Fail,
        "Flights from LGA are ranked clearly worse than allowed (ROC AUC 0.584, at least 0.620 is asked for). Passengers there get warnings that are little better than guessing.",
    );
    lga.measures = vec![segment_measure(0.584, 0.552, 0.615, 1_802)];
    lga.thresholds = vec![threshold("roc_auc", Some(0.62), None, "evaluate.worst_segment")];
    lga.detail = Some(Detail::Segments {
        metric: "roc_auc".into(),
        overall: Some(segment_measure(0.702, 0.686, 0.718, 5_459)),
        rows: segment_rows().into_iter().chain(evaluation::intersections()).collect(),
        others: vec![AverageAndWorst {
            overall: Measure { name: "accuracy".into(), ..segment_measure(0.781, 0.770, 0.792, 5_459) },
            column: "carrier".into(),
            value: Some("EV".into()),
            worst: Measure { name: "accuracy".into(), ..segment_measure(0.704, 0.668, 0.737, 702) },
        }],
    });
    let mut mq = finding(
        CheckId::WorstSegment,
        Subject::Segment { column: "carrier".into(), value: Some("MQ".into()) },
        Verdict::Warn,
        "For MQ it cannot be told yet whether the model is good enough: the interval reaches below 0.620.",
    );
    mq.measures = vec![segment_measure(0.668, 0.604, 0.727, 431)];
    mq.thresholds.clone_from(&lga.thresholds);
    vec![lga, mq]
}

fn segment_measure(value: f64, lower: f64, upper: f64, n: u64) -> Measure {
    let mut of = measure("roc_auc", value, n, "rows of the segment with an outcome");
    of.interval = Some(interval(lower, upper, IntervalMethod::DeLongLogit));
    of
}

fn segment_rows() -> Vec<SegmentRow> {
    let mut rows = vec![segment("origin", Some("LGA"), 1_802, 0.584)];
    let mut carriers: Vec<SegmentRow> =
        CARRIERS.iter().map(|(name, _, _, n, auc)| segment("carrier", Some(name), *n, *auc)).collect();
    carriers.sort_by(|a, b| value_of(a).total_cmp(&value_of(b)));
    rows.extend(carriers);
    rows.extend([
        segment("day_part", Some("later"), 3_120, 0.681),
        segment("origin", Some("JFK"), 1_871, 0.712),
        segment("day_part", Some("morning"), 2_339, 0.722),
        segment("origin", Some("EWR"), 1_786, 0.731),
        segment("origin", None, 4, 0.0),
    ]);
    rows
}

fn value_of(row: &SegmentRow) -> f64 {
    row.measure.as_ref().map_or(f64::INFINITY, |measure| measure.value)
}

fn segment(column: &str, value: Option<&str>, rows: u64, auc: f64) -> SegmentRow {
    let enough = rows >= 200;
    let half = 1.35 / (rows.max(1) as f64).sqrt();
    SegmentRow {
        column: column.into(),
        value: value.map(str::to_owned),
        verdict: Some(Verdict::Pass),
        rows,
        positives: Some(rows / 5),
        shrunken: None,
        measure: enough.then(|| segment_measure(auc, auc - half, auc + half * 0.9, rows)),
        reason: (!enough).then(|| format!("too few rows with an outcome: {rows}, 200 are needed")),
    }
}

fn calibration() -> Finding {
    let mut finding = finding(
        CheckId::Calibration,
        Subject::Model,
        Verdict::Fail,
        "Scores promise too little: where the model says about 30 %, 38 % of flights are late. Recalibrate before showing percentages to passengers.",
    );
    let mut ece = measure("ece", 0.0621, 5_459, "ten bins of equal mass, bias removed");
    ece.interval = Some(interval(0.0524, 0.0717, IntervalMethod::SimulatedBins));
    ece.expected_by_chance = Some(0.012);
    let slope = measure("calibration_slope", 0.912, 5_459, "logistic regression on the logit of the score");
    let fit = measure("hosmer_lemeshow", 61.4, 5_459, "ten groups of equal size");
    finding.measures = vec![
        ece,
        measure(
            "mean_score_less_outcome_share",
            -0.056,
            5_459,
            "mean score less share of positive outcomes; above 0 the scores promise too much",
        ),
        slope,
        Measure { p_value: Some(0.0), ..fit },
    ];
    finding.thresholds = vec![threshold("ece", None, Some(0.05), "evaluate.calibration.ece_at_most")];
    let means = [0.041, 0.072, 0.098, 0.124, 0.153, 0.187, 0.231, 0.294, 0.387, 0.571];
    let shares = [0.047, 0.086, 0.121, 0.159, 0.201, 0.249, 0.308, 0.381, 0.474, 0.662];
    let bins = (0..10).map(|i| {
        let (n, share): (u64, f64) = (546, shares[i]);
        let half = 1.96 * (share * (1.0 - share) / n as f64).sqrt();
        ReliabilityRow {
            score_min: if i == 0 { 0.008 } else { f64::midpoint(means[i - 1], means[i]) },
            score_max: if i == 9 { 0.914 } else { f64::midpoint(means[i], means[i + 1]) },
            score_mean: means[i],
            outcome_share: share,
            interval: interval((share - half).max(0.0), share + half, IntervalMethod::Wilson),
            n,
        }
    });
    finding.detail =
        Some(Detail::Reliability { bins: bins.collect(), more: Box::new(evaluation::calibration_detail()) });
    finding
}
