//! Which faults are handled, by what callers got.

use types::Window;
use types::definition;

use super::*;

const PATIENCE: Duration = Duration::from_secs(2);

fn over(got: &[CallerGot]) -> Over {
    let asked = |&got: &CallerGot| Asked { got, waited: Duration::from_millis(30), said: None };
    Over {
        fault: EndpointFault::Status { code: 503 },
        struck: got.len() as u64,
        asked: got.iter().map(asked).collect(),
        recovered: Some(Duration::from_millis(10)),
        is_cut_short: false,
    }
}

#[test]
fn every_kind_of_the_catalogue_is_planned_and_known_by_its_id() {
    let all = planned(&EndpointFaults::default(), PATIENCE);
    assert_eq!(all.len(), CATALOGUE.len() - 1 + STATUSES.len());
    for kind in CATALOGUE {
        let faults = EndpointFaults { kinds: Some(vec![kind.id.into()]), ..EndpointFaults::default() };
        let planned = planned(&faults, PATIENCE);
        assert!(!planned.is_empty() && planned.iter().all(|&fault| entry(fault) == kind), "{kind:?}");
    }
    assert_eq!(all[0], EndpointFault::Latency { delay_ms: 1000 });
    assert_eq!(title(EndpointFault::SlowBody { over_ms: 4000 }), "An answer bit by bit (over 4000 ms)");
}

#[test]
fn answers_flags_and_clean_errors_are_handled_and_nothing_else_is() {
    use CallerGot::{Answer, Broken, CleanError, Degraded, Nothing, WrongAnswer};
    let status = |got: &[CallerGot], refusal| tried(&over(got), refusal).status;
    assert_eq!(status(&[Answer, Degraded, CleanError], Refusal::Handled), FaultStatus::Handled);
    assert_eq!(status(&[Answer, Degraded, CleanError], Refusal::Failed), FaultStatus::Failed);
    for bad in [Broken, Nothing, WrongAnswer] {
        assert_eq!(status(&[Answer, Answer, bad], Refusal::Handled), FaultStatus::Failed, "{bad:?}");
    }
    assert_eq!(status(&[], Refusal::Handled), FaultStatus::Unknown);
}

#[test]
fn who_does_not_come_back_fails_and_who_was_not_waited_for_is_unknown() {
    let lost = Over { recovered: None, ..over(&[CallerGot::CleanError; 20]) };
    let found = tried(&lost, Refusal::Handled);
    assert_eq!(found.status, FaultStatus::Failed);
    assert_eq!(
        found.sentence,
        "Of 20 requests: 20 an error in time. Afterwards, answers do not come again in time."
    );
    let cut = Over { is_cut_short: true, ..lost };
    assert_eq!(tried(&cut, Refusal::Handled).status, FaultStatus::Unknown);
    let past = Over { struck: 0, ..over(&[CallerGot::Answer; 3]) };
    let found = tried(&past, Refusal::Handled);
    assert!(found.status == FaultStatus::Unknown && found.sentence.contains("happened to no request"));
}

fn finding(through: Option<&str>, got: &[CallerGot]) -> Finding {
    let text =
        "[log]\npath = \"x\"\ntime = \"t\"\nscore = \"s\"\n[reference]\nwindow = \"2024-01-01/2024-02-01\"\n";
    let definition = definition::parse(text).unwrap();
    let scope = Scope { definition: &definition, window: Window::everything() };
    let of = TriedEndpoint {
        model: "http://127.0.0.1:5000/invocations".into(),
        through: through.map(str::to_owned),
        patience_ms: 2000,
        rate: 1.0,
        faults: vec![tried(&over(got), Refusal::Handled)],
        not_tried: Vec::new(),
    };
    judge(scope, of, Refusal::Handled)
}

#[test]
fn without_anybody_between_it_is_a_drill_and_nothing_is_certified() {
    let drilled = finding(None, &[CallerGot::CleanError; 4]);
    assert_eq!(drilled.verdict, Verdict::Unknown);
    assert!(drilled.summary.starts_with("A drill:") && drilled.summary.contains("stress.endpoint.through"));
    let through = Some("http://127.0.0.1:8081/invocations");
    assert_eq!(finding(through, &[CallerGot::CleanError; 4]).verdict, Verdict::Pass);
    let hangs = finding(through, &[CallerGot::CleanError, CallerGot::Nothing]);
    assert_eq!(hangs.verdict, Verdict::Fail);
    assert!(
        hangs.summary.contains("Error (503): Of 2 requests: 1 an error in time, 1 nothing in time."),
        "{}",
        hangs.summary
    );
}
