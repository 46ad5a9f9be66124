//! The real MLServer, with the pickled pipeline in its runtime for scikit-learn.

use std::fs;
use std::process::Command;

use serde_json::json;
use serving::{FailureKind, OpenInference, Outcome, Reading, Target, Wanted};
use types::batch::Values;

use crate::fixtures::{assert_close, bought, scored};
use crate::mlflow::{endpoint, trained};
use crate::parts::{self, Server};

#[test]
fn mlserver_is_understood() {
    let Some(python) = parts::python() else { return };
    let (folder, expected) = trained(&python);
    let ports = [(); 3].map(|()| parts::free_port());
    let settings = json!({
        "host": "127.0.0.1", "http_port": ports[0], "grpc_port": ports[1], "metrics_port": ports[2],
        "parallel_workers": 0,
    });
    fs::write(folder.path().join("settings.json"), settings.to_string()).unwrap();
    let model = json!({
        "name": "bought", "implementation": "mlserver_sklearn.SKLearnModel", "parameters": {"uri": "./model.pkl"},
    });
    fs::write(folder.path().join("model-settings.json"), model.to_string()).unwrap();
    let mut command = Command::new(&python);
    command.args(["-c", "from mlserver.cli import main; main()", "start"]).arg(folder.path());
    let _server = Server::start(&mut command, ports[0]);

    let target = |model: &str, output: &str, reading| {
        OpenInference::new(endpoint(ports[0]), model, Some(output.into()), reading)
    };
    let mut probability = target("bought", "predict_proba", Reading::default());
    wait_until_ready(&mut probability);

    // Missing numbers are null, in a column of whole ones too.
    let three = bought();
    assert_close(&scored(probability.outcome(&three)), &expected, 1e-12);
    assert_close(&scored(probability.outcome(&three.take(&[1]))), &expected[1..2], 1e-12);

    let classes = ["0", "1"].map(str::to_owned).to_vec();
    let both = Reading { wanted: Wanted::Probabilities { classes }, field: None };
    let Outcome::Accepted(accepted) = target("bought", "predict_proba", both).outcome(&three) else {
        panic!("no answer")
    };
    assert_eq!(accepted.scores.len(), 3);
    let labels = scored(target("bought", "predict", Reading::default()).outcome(&three));
    let expected: Vec<f64> = expected.iter().map(|&score| f64::from(u8::from(score > 0.5))).collect();
    assert_eq!(labels, expected);

    let infinite = three.replaced("spent", Values::Numbers(vec![Some(f64::INFINITY); 3])).unwrap();
    let text = three.replaced("visits", Values::Texts(vec![Some("many".into()); 3])).unwrap();
    let without = types::batch::Batch::new(three.columns()[..2].to_vec()).unwrap();
    check(&mut probability, &infinite, FailureKind::Rejected, "column `spent`: an infinite number");
    check(&mut probability, &text, FailureKind::Crashed, "many");
    check(&mut probability, &without, FailureKind::Crashed, "spent");
    let mut unknown = target("sold", "predict_proba", Reading::default());
    check(&mut unknown, &three, FailureKind::Unreachable, "sold");
    assert_eq!(unknown.ready().unwrap_err().kind, FailureKind::Unreachable);
    let mut refused = target("bought", "predict_everything", Reading::default());
    check(&mut refused, &three, FailureKind::Rejected, "predict_everything");
}

/// It listens before it has loaded its models.
fn wait_until_ready(target: &mut OpenInference) {
    let is_ready = |_: &u32| {
        let is_ready = target.ready().is_ok();
        if !is_ready {
            std::thread::sleep(std::time::Duration::from_millis(100));
        }
        is_ready
    };
    assert!((0..600).find(is_ready).is_some(), "it is not ready");
}

#[track_caller]
fn check(target: &mut OpenInference, batch: &types::batch::Batch, kind: FailureKind, message: &str) {
    let Outcome::Failed(failure) = target.outcome(batch) else { panic!("it was answered") };
    assert!(failure.kind == kind && failure.message.contains(message), "{failure}");
}
