//! Classes of responses by their definition, and statuses by their limits.

use proptest::prelude::*;

use super::*;

const HALF: Reading = Reading::Binary { threshold: 0.5, confident: 0.5 };

#[track_caller]
fn check(response: Response, truth: Option<f64>, expected: ResponseClass) {
    assert_eq!(class(HALF, response, truth), expected);
}

#[test]
fn each_response_has_its_class() {
    check(Response::of(0.5), Some(1.0), ResponseClass::Right);
    check(Response::of(0.49), Some(0.0), ResponseClass::Right);
    check(Response::of(0.74), Some(0.0), ResponseClass::WrongUnsure);
    check(Response::of(0.75), Some(0.0), ResponseClass::SilentlyWrong);
    check(Response::of(0.25), Some(1.0), ResponseClass::SilentlyWrong);
    check(Response::of(0.26), Some(1.0), ResponseClass::WrongUnsure);
    check(Response::of(0.9), None, ResponseClass::Unjudged);
    check(Response::of(0.9).degraded(), Some(0.0), ResponseClass::Degraded);
    assert_eq!(Response::Crashed.degraded(), Response::Crashed);
    for none in [f64::NAN, f64::INFINITY, 1.01, -0.01] {
        check(Response::of(none), Some(1.0), ResponseClass::Malformed);
    }
    check(Response::Rejected, Some(1.0), ResponseClass::Rejected);
    check(Response::Crashed, None, ResponseClass::Crashed);
    check(Response::Malformed, None, ResponseClass::Malformed);
    let of_class =
        |class, confidence| super::class(Reading::class(), Response::of_class(class, confidence), Some(2.0));
    assert_eq!(of_class(2, Some(0.4)), ResponseClass::Right);
    assert_eq!(of_class(1, Some(0.74)), ResponseClass::WrongUnsure);
    assert_eq!(of_class(1, Some(0.75)), ResponseClass::SilentlyWrong);
    assert_eq!(of_class(1, None), ResponseClass::SilentlyWrong);
    assert_eq!(of_class(1, Some(f64::NAN)), ResponseClass::Malformed);
    assert_eq!(class(Reading::class(), Response::of(1.5), Some(2.0)), ResponseClass::Malformed);
    let number = Reading::Number { tolerance: 2.0 };
    assert_eq!(class(number, Response::of(12.0), Some(10.0)), ResponseClass::Right);
    assert_eq!(class(number, Response::of(12.1), Some(10.0)), ResponseClass::SilentlyWrong);
    assert_eq!(class(number, Response::of(f64::NAN), Some(10.0)), ResponseClass::Malformed);
}

#[test]
fn a_margin_is_a_share_of_the_way_to_certainty() {
    for (score, threshold, expected) in
        [(0.5, 0.5, 0.0), (1.0, 0.5, 1.0), (0.0, 0.5, 1.0), (0.6, 0.2, 0.5), (0.1, 0.2, 0.5), (1.0, 1.0, 1.0)]
    {
        assert!((margin(score, threshold) - expected).abs() < 1e-12, "{score} {threshold}");
    }
}

/// `wrong_before` and `wrong_after` of `rows` answers, in the same rows as far as they go.
fn asked(
    rows: usize,
    wrong_before: usize,
    wrong_after: usize,
) -> (Vec<Response>, Vec<Response>, Vec<Option<f64>>) {
    let answers = |wrong| (0..rows).map(|row| Response::of(if row < wrong { 0.1 } else { 0.9 })).collect();
    (answers(wrong_before), answers(wrong_after), vec![Some(1.0); rows])
}

fn impact_of(
    clean: &[Response],
    faulted: &[Response],
    outcomes: &[Option<f64>],
    tolerance: Tolerance,
) -> Impact {
    let mask = vec![true; clean.len()];
    let asked = AskedTwice { clean, faulted, outcomes, mask: &mask, error: Some("no such value") };
    impact(asked, HALF, &tolerance).unwrap()
}

#[test]
fn a_status_needs_the_whole_interval_on_one_side() {
    for (wrong_after, expected) in [
        (100, FaultStatus::Handled),
        (130, FaultStatus::Handled),
        (150, FaultStatus::Unknown),
        (300, FaultStatus::Failed),
    ] {
        let (clean, faulted, outcomes) = asked(1000, 100, wrong_after);
        let found = impact_of(&clean, &faulted, &outcomes, Tolerance::default());
        assert_eq!(found.status, expected, "{}", found.reason);
        assert_eq!(found.accuracy.unwrap().difference.value, (100.0 - wrong_after as f64) / 1000.0);
        assert_eq!(found.accuracy_before.unwrap().value, 0.9);
        assert_eq!(found.changed.unwrap().value, (wrong_after as f64 - 100.0) / 1000.0);
        assert_eq!(found.silently_wrong_before.unwrap().value, 0.1);
        let silent = found.classes.iter().find(|of| of.class == ResponseClass::SilentlyWrong).unwrap();
        assert_eq!(silent.rows, wrong_after as u64);
    }
}

#[test]
fn rows_without_an_answer_fail_and_say_why() {
    let (clean, mut faulted, outcomes) = asked(200, 0, 0);
    faulted[3] = Response::Crashed;
    faulted[4] = Response::Crashed;
    let found = impact_of(&clean, &faulted, &outcomes, Tolerance::default());
    assert_eq!(found.status, FaultStatus::Failed);
    assert_eq!(found.reason, "The model gave no answer for 2 of 200 rows: no such value.");
    let lenient = Tolerance { max_unanswered: 0.01, ..Tolerance::default() };
    assert_eq!(impact_of(&clean, &faulted, &outcomes, lenient).status, FaultStatus::Handled);
    let refused = vec![Response::Rejected; 200];
    let found = impact_of(&clean, &refused, &outcomes, Tolerance::default());
    assert_eq!((found.status, found.accuracy), (FaultStatus::Failed, None));
    assert_eq!(found.reason, "The model refused 200 of 200 rows: no such value.");
    let rejecting = Tolerance { is_rejecting_handled: true, ..Tolerance::default() };
    assert_eq!(impact_of(&clean, &refused, &outcomes, rejecting).status, FaultStatus::Handled);
}

#[test]
fn too_few_rows_and_no_touched_row_are_unknown() {
    let (clean, faulted, outcomes) = asked(99, 0, 90);
    let found = impact_of(&clean, &faulted, &outcomes, Tolerance::default());
    assert_eq!(found.status, FaultStatus::Unknown);
    assert_eq!(found.reason, "99 rows were answered with and without the fault, 100 are needed.");
    let mask = [false; 99];
    let asked =
        AskedTwice { clean: &clean, faulted: &faulted, outcomes: &outcomes, mask: &mask, error: None };
    let found = impact(asked, HALF, &Tolerance::default()).unwrap();
    assert_eq!((found.status, found.rows_touched, found.classes.len()), (FaultStatus::Unknown, 0, 0));
    let short = AskedTwice { mask: &mask[..98], ..asked };
    let lengths = LengthsDiffer { clean: 99, faulted: 99, outcomes: 99, mask: 98 };
    assert_eq!(impact(short, HALF, &Tolerance::default()), Err(lengths));
}

#[test]
fn without_outcomes_the_clean_answers_are_the_truth() {
    let (clean, faulted, _) = asked(200, 50, 60);
    let found = impact_of(&clean, &faulted, &[None; 200], Tolerance::default());
    assert!(found.is_against_clean_answers);
    assert_eq!(found.accuracy_before.unwrap().value, 1.0);
    assert_eq!(found.accuracy.unwrap().difference.value, -0.05);
}

fn some_response() -> impl Strategy<Value = Response> {
    prop_oneof![
        8 => (0.0..=1.0, any::<bool>()).prop_map(|(value, is_degraded)| Response::Answer { value, confidence: None, is_degraded }),
        1 => Just(Response::of(f64::NAN)),
        1 => Just(Response::Rejected),
        1 => Just(Response::Crashed),
        1 => Just(Response::Malformed),
    ]
}

fn some_row() -> impl Strategy<Value = (Response, Response, Option<f64>, bool)> {
    let outcome = proptest::option::of(any::<bool>().prop_map(|happened| f64::from(u8::from(happened))));
    (some_response(), some_response(), outcome, any::<bool>())
}

proptest! {
    #[test]
    fn every_touched_row_has_one_class_and_no_reason_is_empty(rows in proptest::collection::vec(some_row(), 0..200)) {
        let clean: Vec<Response> = rows.iter().map(|row| row.0).collect();
        let faulted: Vec<Response> = rows.iter().map(|row| row.1).collect();
        let outcomes: Vec<Option<f64>> = rows.iter().map(|row| row.2).collect();
        let mask: Vec<bool> = rows.iter().map(|row| row.3).collect();
        let asked = AskedTwice { clean: &clean, faulted: &faulted, outcomes: &outcomes, mask: &mask, error: None };
        let found = impact(asked, HALF, &Tolerance::default()).unwrap();
        prop_assert_eq!(found.classes.iter().map(|of| of.rows).sum::<u64>(), found.rows_touched);
        prop_assert!(!found.reason.is_empty());
        let unharmed = AskedTwice { faulted: &clean, ..asked };
        let same = impact(unharmed, HALF, &Tolerance::default()).unwrap();
        prop_assert!(same.accuracy.is_none_or(|accuracy| accuracy.difference.value == 0.0));
        prop_assert!(same.changed.is_none_or(|changed| changed.value == 0.0));
    }
}

#[test]
fn shares_of_classes_have_the_intervals_of_statsmodels() {
    let values: serde_json::Value =
        serde_json::from_str(include_str!("../../../../testdata/reference/stress.json")).unwrap();
    for of in values["wilson"].as_array().unwrap() {
        let [wrong, rows] = [0, 1].map(|at| of[at].as_u64().unwrap() as usize);
        let (clean, faulted, outcomes) = asked(rows, 0, wrong);
        let found = impact_of(&clean, &faulted, &outcomes, Tolerance::default());
        let silent = found.classes.iter().find(|of| of.class == ResponseClass::SilentlyWrong).unwrap();
        let bounds = [silent.share.interval.lower, silent.share.interval.upper];
        for (found, expected) in bounds.into_iter().zip([2, 3].map(|at| of[at].as_f64().unwrap())) {
            assert!((found - expected).abs() < 1e-9, "{wrong} of {rows}: {found} {expected}");
        }
    }
}
