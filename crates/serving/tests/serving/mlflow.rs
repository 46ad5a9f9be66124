//! The real scoring server of MLflow, with a model that has a signature.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use serving::http::{Endpoint, Limits};
use serving::{FailureKind, Mlflow, Outcome, Reading, Scores, Target, by_row};
use tempfile::TempDir;
use types::batch::Values;
use ureq::Agent;

use crate::fixtures::{assert_close, bought, numbers, scored};
use crate::parts::{self, Server};

/// A folder with a pickled pipeline, and what scikit-learn says of the three rows of `bought`.
pub(crate) fn trained(python: &Path) -> (TempDir, Vec<f64>) {
    let folder = tempfile::tempdir().unwrap();
    let printed =
        parts::output(Command::new(python).arg(parts::script("train.py")).arg(folder.path())).unwrap();
    (folder, numbers(&serde_json::from_str(&printed).unwrap()))
}

pub(crate) fn endpoint(port: u16) -> Endpoint {
    let limits = Limits { call: Duration::from_secs(20), ..Limits::default() };
    Endpoint::new(Agent::new_with_defaults(), &format!("http://127.0.0.1:{port}"), &[])
        .unwrap()
        .with_limits(limits)
}

#[test]
fn the_scoring_server_of_mlflow_is_understood() {
    let Some(python) = parts::python() else { return };
    let (folder, expected) = trained(&python);
    let port = parts::free_port();
    let mut command = Command::new(&python);
    command.arg(parts::script("mlflow_server.py")).arg(folder.path()).arg(port.to_string());
    let _server = Server::start(&mut command, port);
    let mut target = Mlflow::new(endpoint(port), Reading::default());
    target.ready().unwrap();

    let two = bought().take(&[0, 1]);
    assert_close(&scored(target.outcome(&two)), &expected[..2], 1e-12);

    // NaN of the model is a bare word in the answer.
    let negative = two.replaced("spent", Values::Numbers(vec![Some(-1.0), Some(5.0)])).unwrap();
    let Outcome::NonFinite(accepted) = target.outcome(&negative) else { panic!("all finite") };
    let Scores::Numbers(found) = accepted.scores else { panic!("probabilities") };
    assert!(found[0].is_none() && found[1].is_some(), "{found:?}");

    // What the signature refuses never reached the model: a whole number that is missing, for the whole batch.
    let found = by_row(&mut target, &bought(), 10);
    assert_eq!(found.failures.len(), 1, "{found:?}");
    let failed = &found.failures[0];
    let expected_failure = (FailureKind::Rejected, &vec![2], true);
    assert_eq!((failed.failure.kind, &failed.rows, failed.alone), expected_failure, "{}", failed.failure);
    assert!(failed.failure.message.contains("visits"), "{}", failed.failure);
    check(
        &mut target,
        &two.replaced("visits", Values::Texts(vec![Some("a".into()), None])).unwrap(),
        "visits",
    );
    let without = types::batch::Batch::new(two.columns()[..2].to_vec()).unwrap();
    check(&mut target, &without, "missing inputs");

    // An exception of the model: nobody knows whether it refused the row or broke on it.
    let infinite = two.replaced("spent", Values::Numbers(vec![Some(f64::INFINITY); 2])).unwrap();
    let Outcome::Failed(failure) = target.outcome(&infinite) else { panic!("it was answered") };
    assert_eq!(failure.kind, FailureKind::RejectedOrCrashed, "{failure}");
    assert!(failure.message.starts_with("ValueError: Input X contains infinity"), "{failure}");
}

#[track_caller]
fn check(target: &mut Mlflow, batch: &types::batch::Batch, message: &str) {
    let Outcome::Failed(failure) = target.outcome(batch) else { panic!("it was answered") };
    assert!(failure.kind == FailureKind::Rejected && failure.message.contains(message), "{failure}");
}
