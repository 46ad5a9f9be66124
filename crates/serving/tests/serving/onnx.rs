//! Models in ONNX: real ones, in every form that converters give them, and libraries that are none.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::Value;
use serving::onnx::{MisfitKind, OnnxError, Settings};
use serving::{FailureKind, Onnx, Outcome, Reading, Scores, Target, Wanted, by_row};
use types::batch::{Batch, BatchColumn, Values};

use crate::fixtures::{assert_close, batch, numbers, read, repository, scored, testdata};
use crate::parts;

/// ONNX Runtime as the Python package ships it.
fn library() -> Option<PathBuf> {
    let python = parts::python()?;
    let script = "import glob, importlib.util as u; p = u.find_spec('onnxruntime').submodule_search_locations[0]; \
                  print(glob.glob(p + '/capi/libonnxruntime.*')[0])";
    Some(PathBuf::from(parts::output(Command::new(python).args(["-c", script])).unwrap().trim()))
}

fn open(path: &Path, settings: Settings) -> Option<Onnx> {
    let settings = Settings { library: Some(library()?), ..settings };
    Some(Onnx::open(path, settings).unwrap_or_else(|error| panic!("{error}")))
}

fn model(name: &str, reading: Reading) -> Option<(Onnx, Value)> {
    let settings = Settings { reading, ..Settings::default() };
    let entry = read("models.json")["models"][name].clone();
    Some((open(&testdata(&format!("{name}.onnx")), settings)?, entry))
}

#[test]
fn the_scores_of_the_examples_are_those_of_their_logs() {
    // The log of credit has four decimals, so that is how far its scores are known.
    for (name, within) in [("flights", 1e-5), ("credit", 5.1e-5)] {
        let path = repository().join("examples").join(name).join("model.onnx");
        let Some(mut model) = open(&path, Settings::default()) else { return };
        let fixture = read(&format!("{name}.json"));
        let batch = batch(&fixture);
        assert_eq!(model.misfits(&batch), []);
        assert_close(&scored(model.outcome(&batch)), &numbers(&fixture["scores"]), within);
    }
}

#[test]
fn probabilities_come_out_as_scikit_learn_has_them() {
    for name in ["together", "zipmap_texts"] {
        let entry = &read("models.json")["models"][name];
        let classes =
            entry["classes"].as_array().unwrap().iter().map(|class| class.as_str().unwrap().to_owned());
        let wanted = Wanted::Probabilities { classes: classes.collect() };
        let Some((mut model, entry)) = model(name, Reading { wanted, field: None }) else { return };
        let Outcome::Accepted(accepted) = model.outcome(&batch(&entry)) else { panic!("{name}") };
        let Scores::Probabilities(rows) = accepted.scores else { panic!("{name}") };
        for (found, expected) in rows.iter().zip(entry["predictions"].as_array().unwrap()) {
            assert_close(found.as_ref().unwrap(), &numbers(expected), 1e-5);
        }
    }
}

#[test]
fn the_positive_class_is_found_in_every_form() {
    for name in ["zipmap_numbers", "booleans", "mixed"] {
        let Some((mut model, entry)) = model(name, Reading::default()) else { return };
        let expected: Vec<f64> =
            entry["predictions"].as_array().unwrap().iter().map(|row| row[1].as_f64().unwrap()).collect();
        assert_close(&scored(model.outcome(&batch(&entry))), &expected, 1e-5);
    }
    let reading = Reading { wanted: Wanted::Number { class: Some("virginica".into()) }, field: None };
    let Some((mut model, entry)) = model("zipmap_texts", reading) else { return };
    let expected: Vec<f64> =
        entry["predictions"].as_array().unwrap().iter().map(|row| row[2].as_f64().unwrap()).collect();
    assert_close(&scored(model.outcome(&batch(&entry))), &expected, 1e-5);
}

#[test]
fn predicted_numbers_come_out_of_doubles() {
    let Some((mut model, entry)) = model("regression", Reading::default()) else { return };
    assert_close(&scored(model.outcome(&batch(&entry))), &numbers(&entry["predictions"]), 1e-9);
}

/// Why parity comes first: the export of this forest is another model where values are missing.
#[test]
fn a_forest_that_learned_from_missing_values_is_not_what_was_exported() {
    let Some((mut model, entry)) = model("forest_nan", Reading::default()) else { return };
    let found = scored(model.outcome(&batch(&entry)));
    let expected = entry["predictions"].as_array().unwrap().iter().map(|row| row[1].as_f64().unwrap());
    let furthest =
        found.iter().zip(expected).map(|(found, expected)| (found - expected).abs()).fold(0.0, f64::max);
    assert!(furthest > 0.1, "{furthest}");
}

#[test]
fn columns_that_are_not_those_of_the_model_are_named_before_it_is_asked() {
    let Some((mut model, entry)) = model("mixed", Reading::default()) else { return };
    let right = batch(&entry);
    let mut columns = right.columns().to_vec();
    columns.retain(|column| column.name != "visits");
    columns.push(BatchColumn { name: "weekday".into(), values: Values::Integers(vec![None; right.rows()]) });
    let wrong = Batch::new(columns).unwrap();
    let wrong = wrong.replaced("region", Values::Integers(vec![Some(1); right.rows()])).unwrap();
    let found: Vec<String> = model.misfits(&wrong).iter().map(ToString::to_string).collect();
    let expected = [
        "`region` has whole numbers, and the model takes texts",
        "`visits` is missing: the model takes whole numbers",
        "`weekday` is nothing that the model takes",
    ];
    assert_eq!(found, expected);
    let Outcome::Failed(failure) = model.outcome(&wrong) else { panic!("it was asked") };
    assert_eq!((failure.kind, failure.message), (FailureKind::Misfit, expected[..2].join("; ")));

    // A column too many keeps nobody from asking.
    let extra = BatchColumn { name: "weekday".into(), values: Values::Integers(vec![None; right.rows()]) };
    let wider = Batch::new(right.columns().iter().cloned().chain([extra]).collect()).unwrap();
    assert!(model.misfits(&wider).iter().all(|misfit| misfit.kind == MisfitKind::Extra));
    assert_eq!(scored(model.outcome(&wider)), scored(model.outcome(&right)));
}

#[test]
fn a_whole_number_that_is_missing_is_found_by_halving() {
    let Some((mut model, entry)) = model("mixed", Reading::default()) else { return };
    let right = batch(&entry);
    let Some(Values::Integers(visits)) = right.column("visits") else { panic!("visits is there") };
    let mut visits = visits.clone();
    visits[7] = None;
    let batch = right.replaced("visits", Values::Integers(visits)).unwrap();
    let found = by_row(&mut model, &batch, 100);
    assert_eq!((found.failures.len(), &found.failures[0].rows, found.failures[0].alone), (1, &vec![7], true));
    let why = "column `visits`, row 0: is missing, and whole numbers have no missing value";
    assert_eq!(found.failures[0].failure.message, why);
}

#[test]
fn hostile_rows_are_outcomes_and_no_rows_are_no_call() {
    let Some((mut model, entry)) = model("mixed", Reading::default()) else { return };
    let right = batch(&entry);
    assert!(scored(model.outcome(&right.take(&[]))).is_empty());
    let with = |name: &str, values| right.take(&[0]).replaced(name, values).unwrap();
    let zero = model.outcome(&with("region", Values::Texts(vec![Some("a\0b".into())])));
    assert!(matches!(zero, Outcome::Failed(failure) if failure.kind == FailureKind::Rejected));
    // A text that was never seen, and none, are answered: the encoder ignores what it does not know.
    for region in [None, Some("\u{1F40C}".repeat(10_000)), Some(String::new())] {
        scored(model.outcome(&with("region", Values::Texts(vec![region]))));
    }
    for spent in [f64::NAN, f64::INFINITY, f64::MAX] {
        let outcome = model.outcome(&with("spent", Values::Numbers(vec![Some(spent)])));
        assert!(!matches!(outcome, Outcome::Failed(_)), "{spent}: {outcome:?}");
    }
    let nan = model.outcome(&with("spent", Values::Numbers(vec![None])));
    assert!(matches!(nan, Outcome::NonFinite(accepted) if accepted.scores.is_missing(0)));
}

#[test]
fn a_run_ends_when_its_time_is_over() {
    let path = repository().join("examples/flights/model.onnx");
    let within = Duration::from_nanos(1);
    let Some(mut model) = open(&path, Settings { within, ..Settings::default() }) else { return };
    let few = batch(&read("flights.json"));
    let many: Vec<usize> = (0..few.rows()).cycle().take(200_000).collect();
    let Outcome::Failed(failure) = model.outcome(&few.take(&many)) else { panic!("it was answered") };
    assert_eq!(failure.kind, FailureKind::TimedOut);
}

#[test]
fn a_file_that_is_no_model_is_said_to_be_none() {
    let Some(library) = library() else { return };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.onnx");
    let open = || Onnx::open(&path, Settings { library: Some(library.clone()), ..Settings::default() });
    assert!(matches!(open(), Err(OnnxError::Model { why, .. }) if why.contains("does not exist")));
    for content in [&b""[..], b"not a model", &[0xff; 1000]] {
        fs::write(&path, content).unwrap();
        let text = open().unwrap_err().to_string();
        assert!(text.contains("is no model that ONNX Runtime 1."), "{text}");
    }
    let whole = fs::read(testdata("together.onnx")).unwrap();
    fs::write(&path, &whole[..whole.len() / 2]).unwrap();
    assert!(open().is_err());
}

#[test]
fn the_order_of_columns_is_needed_where_they_come_together() {
    let Some(library) = library() else { return };
    let order = vec!["sepal_length".into(); 3];
    let settings = Settings { library: Some(library), order, ..Settings::default() };
    let text = Onnx::open(&testdata("together.onnx"), settings).unwrap_err().to_string();
    assert!(text.contains("its input takes 4 columns, and 3 are named"), "{text}");
}

/// Each of these ends in a process of its own, because a process keeps the library that it has.
#[test]
fn a_library_that_is_none_is_a_message() {
    let Some(library) = library() else { return };
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    fs::write(at("text.so"), "not a library").unwrap();
    check(&at("absent.so"), "there is no such file");
    check(&at("text.so"), "is not a usable ONNX Runtime");
    check(&at(""), "there is no such file");
    fs::copy(&library, at("libonnxruntime.so.1.16.3")).unwrap();
    check(&at("libonnxruntime.so.1.16.3"), "it is version 1.16, and the oldest that serves is 1.17");
    fs::write(at("half.so"), &fs::read(&library).unwrap()[..1 << 20]).unwrap();
    // The loader of Linux would end the process by a signal.
    check(&at("half.so"), "the file is cut off");
    check(&compiled(folder.path(), "other", "int unrelated;"), "it is a library of something else");
    let base = "struct B { const void *(*api)(unsigned); const char *(*version)(void); };\n\
                static const void *none(unsigned v) { return 0; }\n";
    let old = format!(
        "{base}static const char *version(void) {{ return \"1.10.2\"; }}\n\
         static struct B b = {{ none, version }}; struct B *OrtGetApiBase(void) {{ return &b; }}"
    );
    check(&compiled(folder.path(), "old", &old), "it is version 1.10.2");
    // It says that it is new enough and then has no interface: the binding panics.
    check(
        &compiled(folder.path(), "hollow", &old.replace("1.10.2", "1.40.0")),
        "Failed to initialize ORT API",
    );
    check(&compiled(folder.path(), "null", "void *OrtGetApiBase(void) { return 0; }"), "is not a usable");
}

fn compiled(folder: &Path, name: &str, code: &str) -> PathBuf {
    let (source, library) = (folder.join(name).with_extension("c"), folder.join(name).with_extension("so"));
    fs::write(&source, code).unwrap();
    parts::output(Command::new("cc").args(["-shared", "-fPIC", "-o"]).args([&library, &source])).unwrap();
    library
}

#[track_caller]
fn check(path: &Path, expected: &str) {
    let said = said_with(&[("ORT_DYLIB_PATH", path)]);
    assert!(said.contains(expected) && said.contains("ORT_DYLIB_PATH"), "{}: {said}", path.display());
}

/// What opening a model says in a process of its own.
fn said_with(variables: &[(&str, &Path)]) -> String {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "onnx::opens_in_a_process_of_its_own", "--nocapture"]).env(OPENS, "1");
    command.env_remove("ORT_DYLIB_PATH").envs(variables.iter().copied());
    let output = command.output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

const OPENS: &str = "SERVING_TEST_OPENS";

#[test]
fn opens_in_a_process_of_its_own() {
    if std::env::var_os(OPENS).is_some() {
        match Onnx::open(&testdata("together.onnx"), Settings::default()) {
            Ok(model) => println!("opened: {:?}", model.inputs()),
            Err(error) => println!("refused: {error}"),
        }
    }
}

#[test]
fn the_library_is_found_where_it_is_installed() {
    let Some(python) = parts::python() else { return };
    let (bin, library) = (python.parent().unwrap(), library().unwrap());
    assert!(said_with(&[("ORT_DYLIB_PATH", &library)]).contains("opened: [(\"sepal_length\", \"f32\")"));
    assert!(said_with(&[("PATH", bin)]).contains("opened"));
    let nowhere = said_with(&[("PATH", Path::new("/nonexistent"))]);
    if !nowhere.contains("opened") {
        assert!(
            nowhere.contains("pip install onnxruntime") && nowhere.contains("ORT_DYLIB_PATH"),
            "{nowhere}"
        );
    }
}
