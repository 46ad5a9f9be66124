//! What is said of faults: hypotheses that do not hold, models that answer otherwise than they should, and what is
//! noticed later.

use types::batch::{Batch, BatchColumn, Values};
use types::definition::{Hypothesis, parse};

use super::*;
use crate::fault::{Fault, missing::Missing};
use crate::plan::Subject as Of;
use crate::response::{AskedTwice, Reading, Response, Tolerance, impact};

const ROWS: usize = 400;

fn definition() -> Definition {
    let text = "[log]\npath = \"log.csv\"\ntime = \"t\"\nscore = \"p\"\n[reference]\nwindow = \"2013-01-01/2013-02-01\"\n";
    parse(text).unwrap()
}

/// All rows are answered rightly without the fault, and `wrong` of them wrongly with it.
fn outcome(wrong: usize) -> Outcome {
    let x = BatchColumn { name: "x".into(), values: Values::Numbers(vec![Some(1.0); ROWS]) };
    let clean = Batch::new(vec![x]).unwrap();
    let faulted = Fault::from(Missing::of(["x"], 1.0)).apply(&clean, &clean, 1).unwrap();
    let answers = |wrong| (0..ROWS).map(|row| Response::of(if row < wrong { 0.1 } else { 0.9 })).collect();
    let [before, after]: [Vec<Response>; 2] = [answers(0), answers(wrong)];
    let asked = AskedTwice {
        clean: &before,
        faulted: &after,
        outcomes: &[Some(1.0); ROWS],
        mask: &faulted.mask,
        error: None,
    };
    Outcome {
        manifest: faulted.manifest,
        impact: impact(asked, Reading::binary(0.5), &Tolerance::default()).unwrap(),
        error: None,
        weighed: None,
        noticed: None,
        agreement: None,
    }
}

fn tried(outcome: Outcome, hypothesis: Option<Hypothesis>) -> Tried {
    let fault = outcome.manifest.fault.clone();
    let hypothesis = hypothesis.map(Box::new);
    Tried {
        experiment: Experiment { subject: Of::Feature("x".into()), fault, hypothesis },
        outcome: Ok(outcome),
    }
}

fn judged(tried: &[Tried]) -> Finding {
    let definition = definition();
    let scope = Scope { definition: &definition, window: definition.reference.window };
    let rehearsed = Rehearsed { tried, model_outage: None, curves: &[] };
    faults(scope, CheckId::Missing, Asked { model: "m", rows: ROWS as u64 }, rehearsed, Verdict::Pass)
}

#[test]
fn a_hypothesis_that_does_not_hold_is_named_with_what_to_do_and_who_does_it() {
    let hypothesis = Hypothesis {
        name: "no-x".into(),
        hypothesis: "x is not needed".into(),
        faults: vec!["missing".into()],
        features: vec!["x".into()],
        sources: Vec::new(),
        rate: 1.0,
        max_accuracy_drop: None,
        rollback: Some("ask a person.".into()),
        who: Some("the desk".into()),
    };
    let failed = judged(&[tried(outcome(200), Some(hypothesis.clone()))]);
    assert_eq!(failed.verdict, Verdict::Fail);
    let told = "The hypothesis of `no-x` does not hold (x is not needed). the desk: ask a person.";
    assert!(failed.summary.ends_with(told), "{}", failed.summary);
    let held = judged(&[tried(outcome(0), Some(hypothesis))]);
    assert!(held.verdict == Verdict::Pass && !held.summary.contains("no-x"), "{}", held.summary);
}

#[test]
fn what_another_model_does_under_a_fault_is_not_certified() {
    let differing = Agreement { rows: 400, differing: 12, largest: 0.75 };
    let of = |agreement| tried(Outcome { agreement: Some(agreement), ..outcome(0) }, None);
    let uncertified = judged(&[of(differing)]);
    assert_eq!(uncertified.verdict, Verdict::Warn);
    let Some(Detail::Faults(detail)) = &uncertified.detail else { panic!("no faults") };
    assert!(detail.faults[0].is_uncertified);
    assert!(detail.faults[0].sentence.starts_with("Not certified: 12 of 400 rows"));
    let definition = definition();
    let scope = Scope { definition: &definition, window: definition.reference.window };
    let blank = || blank(scope, CheckId::Parity, Verdict::Pass, "It is.".into());
    let mut finding = blank();
    under_faults(&mut finding, "native", &[of(differing)]);
    assert_eq!(finding.verdict, Verdict::Fail);
    assert!(
        finding.summary.contains("Under 1 of 1 fault it does not answer as native does (x: Missing values)")
    );
    let mut finding = blank();
    under_faults(&mut finding, "native", &[of(Agreement { differing: 0, largest: 0.0, ..differing })]);
    assert_eq!(
        (finding.verdict, finding.summary.as_str()),
        (Verdict::Pass, "It is. Under all of 1 fault it answers as native does.")
    );
}

#[test]
fn a_fault_that_is_noticed_later_is_still_missed_within_one_window() {
    let noticed = Noticed { windows: Some(3), windows_by_loss: Some(2), ..Noticed::default() };
    let tried = tried(Outcome { noticed: Some(noticed), ..outcome(200) }, None);
    let definition = definition();
    let scope = Scope { definition: &definition, window: definition.reference.window };
    let finding = detection(scope, &[tried], Verdict::Pass);
    assert_eq!(finding.verdict, Verdict::Fail);
    for part in ["notice 1 of them after 3 windows", "the loss is an alarm for 1 of them after 2 windows"] {
        assert!(finding.summary.contains(part), "{}", finding.summary);
    }
}

#[test]
fn a_curve_is_by_rate_with_the_interval_of_each_point() {
    let of = tried(outcome(100), None);
    let impacts = [(1.0, outcome(100).impact), (0.1, outcome(10).impact)];
    let found = curve(&of.experiment, 0.05, &impacts);
    let drops: Vec<(f64, f64)> =
        found.points.iter().map(|point| (point.rate, point.drop.as_ref().unwrap().value)).collect();
    assert_eq!(drops, [(0.1, 0.025), (1.0, 0.25)]);
    let interval = found.points[1].drop.as_ref().unwrap().interval.unwrap();
    assert!(interval.lower < 0.25 && 0.25 < interval.upper);
    assert_eq!((found.of.as_str(), found.title.as_str()), ("x", "Missing values"));
}
