//! Answers of a model by rows, and answers in the same form that are not the model's.
//!
//! What a caller gets for a row that the model did not answer looks as what the model says: the form of its last answer
//! is remembered. A row that a person decides has null where the model has a number.

use serde_json::{Map, Value};

use super::Questions;
use super::tensors::Tensor;
use crate::reading::DEGRADED;
use crate::{Reading, Scores, Wanted, inference, mlflow};

/// The answer to one row: a value for each output that a protocol has.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct RowAnswer(pub(super) Vec<Value>);

/// What is said of a row in the model's place.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Said {
    Number(f64),
    /// Of each class, in the order of the reading.
    Probabilities(Vec<f64>),
    Nothing,
}

/// How a model says its answers.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Form {
    /// `{"predictions": […]}`, or before MLflow 2 the list alone; with the answer to one row.
    Predictions { is_bare: bool, sample: Value },
    /// Tensors, with a row of each; `score` is the one that has the score.
    Tensors { tensors: Vec<Tensor>, samples: Vec<Value>, score: usize },
}

/// What a model has answered.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Answers {
    pub(super) form: Form,
    pub(super) rows: Vec<RowAnswer>,
    /// The document without its rows.
    pub(super) rest: Map<String, Value>,
}

impl Answers {
    /// The answers in a document.
    ///
    /// # Errors
    /// Why it is none to so many rows.
    pub(super) fn read(questions: &Questions, document: Value, rows_asked: usize) -> Result<Self, String> {
        let answers = match questions {
            Questions::Mlflow { .. } => of_mlflow(document)?,
            Questions::OpenInference { output, .. } => of_open_inference(document, output.as_deref())?,
        };
        if answers.rows.len() == rows_asked {
            Ok(answers)
        } else {
            Err(format!("{rows_asked} rows were asked about and {} answered", answers.rows.len()))
        }
    }
}

fn of_mlflow(mut document: Value) -> Result<Answers, String> {
    let rows = mlflow::predictions(&document)?.clone();
    let is_bare = document.is_array();
    let rest = document.as_object_mut().map(std::mem::take).unwrap_or_default();
    let sample = rows.first().cloned().unwrap_or_default();
    let rows = rows.into_iter().map(|row| RowAnswer(vec![row])).collect();
    Ok(Answers { form: Form::Predictions { is_bare, sample }, rows, rest })
}

fn of_open_inference(mut document: Value, output: Option<&str>) -> Result<Answers, String> {
    let read = inference::outputs(&document)?.iter().map(Tensor::read).collect::<Result<Vec<_>, _>>()?;
    let rows = read.first().map_or(0, |(_, rows)| rows.len());
    if let Some((tensor, of)) = read.iter().find(|(_, of)| of.len() != rows) {
        return Err(format!("output `{}` has {} rows of {rows}", tensor.name(), of.len()));
    }
    let is_score = |tensor: &Tensor| match output {
        Some(output) => tensor.name() == output,
        None => tensor.name() != DEGRADED,
    };
    let score = read.iter().position(|(tensor, _)| is_score(tensor)).unwrap_or(0);
    let by_row = |row: usize| RowAnswer(read.iter().map(|(_, rows)| rows[row].clone()).collect());
    let answers = (0..rows).map(by_row).collect();
    let mut rest = document.as_object_mut().map(std::mem::take).unwrap_or_default();
    rest.remove("outputs");
    let samples = read.iter().map(|(_, rows)| rows.first().cloned().unwrap_or_default()).collect();
    let tensors = read.into_iter().map(|(tensor, _)| tensor).collect();
    Ok(Answers { form: Form::Tensors { tensors, samples, score }, rows: answers, rest })
}

impl Form {
    /// The plainest form, for as long as the model has said nothing.
    pub(super) fn plain(questions: &Questions, reading: &Reading) -> Self {
        let sample = match &reading.wanted {
            Wanted::Number { .. } => Value::from(0.0),
            Wanted::Probabilities { classes } => vec![0.0; classes.len()].into(),
        };
        match questions {
            Questions::Mlflow { .. } => {
                let sample = match &reading.field {
                    Some(field) => Value::Object([(field.clone(), sample)].into_iter().collect()),
                    None => sample,
                };
                Self::Predictions { is_bare: false, sample }
            }
            Questions::OpenInference { output, .. } => {
                let width = sample.as_array().map_or(1, Vec::len) as u64;
                let tensor = Tensor::new(output.as_deref().unwrap_or("predict"), "FP64", vec![width]);
                Self::Tensors { tensors: vec![tensor], samples: vec![sample], score: 0 }
            }
        }
    }

    /// Whether an answer is of this form.
    pub(super) fn fits(&self, row: &RowAnswer) -> bool {
        match self {
            Self::Predictions { .. } => row.0.len() == 1,
            Self::Tensors { samples, .. } => row.0.len() == samples.len(),
        }
    }

    /// What is said of a row, in this form.
    pub(super) fn row(&self, said: &Said, reading: &Reading) -> RowAnswer {
        match self {
            Self::Predictions { sample, .. } => {
                RowAnswer(vec![like(sample, said, reading, reading.field.as_deref())])
            }
            Self::Tensors { samples, score, .. } => {
                let value = |(at, sample): (usize, &Value)| {
                    let said = if at == *score { said } else { &Said::Nothing };
                    like(sample, said, reading, None)
                };
                RowAnswer(samples.iter().enumerate().map(value).collect())
            }
        }
    }

    /// The scores of rows, as far as they are numbers.
    pub(super) fn scores(
        &self,
        questions: &Questions,
        reading: &Reading,
        rows: &[RowAnswer],
    ) -> Option<Scores> {
        match (self, questions) {
            (Self::Predictions { .. }, _) => {
                let values: Vec<Value> = rows.iter().map(|row| row.0[0].clone()).collect();
                reading.of_json(&values).ok()
            }
            (Self::Tensors { .. }, Questions::OpenInference { output, .. }) => {
                let outputs = self.outputs(rows);
                inference::scores(&outputs, output.as_deref(), reading, rows.len()).ok()
            }
            (Self::Tensors { .. }, Questions::Mlflow { .. }) => None,
        }
    }

    fn outputs(&self, rows: &[RowAnswer]) -> Vec<Value> {
        let Self::Tensors { tensors, .. } = self else { return Vec::new() };
        let column = |at: usize| rows.iter().map(|row| row.0[at].clone()).collect::<Vec<Value>>();
        tensors.iter().enumerate().map(|(at, tensor)| tensor.written(&column(at))).collect()
    }

    /// The document of these rows.
    pub(super) fn written(&self, rest: &Map<String, Value>, rows: &[RowAnswer]) -> Vec<u8> {
        let mut document = rest.clone();
        match self {
            Self::Predictions { is_bare, .. } => {
                let predictions: Value = rows.iter().map(|row| row.0[0].clone()).collect();
                if *is_bare {
                    return serde_json::to_vec(&predictions).expect("values have a form in JSON");
                }
                document.insert("predictions".into(), predictions);
            }
            Self::Tensors { .. } => {
                document.insert("outputs".into(), self.outputs(rows).into());
            }
        }
        serde_json::to_vec(&document).expect("values have a form in JSON")
    }
}

/// A value that looks like `sample` and says something else.
fn like(sample: &Value, said: &Said, reading: &Reading, field: Option<&str>) -> Value {
    match sample {
        Value::Array(items) => list(items.len(), said).into(),
        Value::Object(fields) => {
            let names: Vec<&String> = fields.keys().filter(|name| *name != DEGRADED).collect();
            if let Some(field) = field {
                let value = |name: &&String| match fields.get(*name) {
                    Some(sample) if name.as_str() == field => like(sample, said, reading, None),
                    _ => Value::Null,
                };
                return names.iter().map(|name| ((*name).clone(), value(name))).collect::<Map<_, _>>().into();
            }
            let numbers = by_name(&names, said, reading);
            names.into_iter().cloned().zip(numbers).collect::<Map<_, _>>().into()
        }
        _ => match said {
            Said::Number(number) => Value::from(*number),
            Said::Probabilities(_) | Said::Nothing => Value::Null,
        },
    }
}

/// As many numbers, with the positive class second as everywhere.
fn list(length: usize, said: &Said) -> Vec<Value> {
    match said {
        Said::Number(number) if length == 1 => vec![(*number).into()],
        Said::Number(number) if length == 2 => vec![(1.0 - number).into(), (*number).into()],
        Said::Probabilities(numbers) if length == numbers.len() => {
            numbers.iter().copied().map(Value::from).collect()
        }
        _ => vec![Value::Null; length],
    }
}

fn by_name(names: &[&String], said: &Said, reading: &Reading) -> Vec<Value> {
    match (&reading.wanted, said) {
        (Wanted::Probabilities { classes }, Said::Probabilities(numbers)) => {
            let number = |name: &&String| {
                let at = classes.iter().position(|class| class == *name);
                at.and_then(|at| numbers.get(at)).map_or(Value::Null, |number| Value::from(*number))
            };
            names.iter().map(number).collect()
        }
        (Wanted::Number { class: Some(class) }, Said::Number(number)) if names.len() == 2 => {
            let of = |name: &&String| if *name == class { *number } else { 1.0 - number };
            names.iter().map(|name| of(name).into()).collect()
        }
        _ => list(names.len(), said),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn mlflow() -> Questions {
        Questions::Mlflow { path: "/invocations".into() }
    }

    fn oip(output: Option<&str>) -> Questions {
        let (base, model) = (String::new(), "m".to_owned());
        Questions::OpenInference { base, model, output: output.map(str::to_owned) }
    }

    /// A document is written as it was; of its two rows one is the model's, and one says 0.25 in its place.
    #[track_caller]
    fn check(questions: &Questions, reading: &Reading, document: &Value, expected: &Value) {
        let answers = Answers::read(questions, document.clone(), 2).unwrap();
        let written: Value =
            serde_json::from_slice(&answers.form.written(&answers.rest, &answers.rows)).unwrap();
        assert_eq!(written, *document);
        let rows = [answers.form.row(&Said::Number(0.25), reading), answers.rows[1].clone()];
        let written: Value = serde_json::from_slice(&answers.form.written(&answers.rest, &rows)).unwrap();
        assert_eq!(written, *expected);
        let scores = answers.form.scores(questions, reading, &rows);
        assert_eq!(scores, Some(Scores::Numbers(vec![Some(0.25), Some(0.5)])), "{expected}");
        let none = [answers.form.row(&Said::Nothing, reading), rows[1].clone()];
        let scores = answers.form.scores(questions, reading, &none);
        assert_eq!(scores, Some(Scores::Numbers(vec![None, Some(0.5)])), "{expected}");
    }

    #[test]
    fn an_answer_in_the_place_of_the_model_s_looks_like_it() {
        let plain = Reading::default();
        let of = |rows: Value| json!({"predictions": rows});
        check(&mlflow(), &plain, &of(json!([0.75, 0.5])), &of(json!([0.25, 0.5])));
        check(&mlflow(), &plain, &json!([0.75, 0.5]), &json!([0.25, 0.5]));
        check(
            &mlflow(),
            &plain,
            &of(json!([[0.2, 0.8], [0.5, 0.5]])),
            &of(json!([[0.75, 0.25], [0.5, 0.5]])),
        );
        let field = Reading { field: Some("p".into()), ..Reading::default() };
        check(
            &mlflow(),
            &field,
            &of(json!([{"p": 0.75, "label": "late"}, {"p": 0.5, "label": "late"}])),
            &of(json!([{"p": 0.25, "label": null}, {"p": 0.5, "label": "late"}])),
        );
        let document = |data: Value| {
            let output = json!({"name": "predict", "datatype": "FP64", "shape": [2, 1], "data": data});
            json!({"model_name": "m", "id": "7", "outputs": [output]})
        };
        check(&oip(None), &plain, &document(json!([0.75, 0.5])), &document(json!([0.25, 0.5])));
        let both = |labels: Value, data: Value| {
            json!({"outputs": [
                {"name": "predict", "datatype": "INT64", "shape": [2], "data": labels},
                {"name": "predict_proba", "datatype": "FP64", "shape": [2, 2], "data": data},
            ]})
        };
        check(
            &oip(Some("predict_proba")),
            &plain,
            &both(json!([1, 1]), json!([0.2, 0.8, 0.5, 0.5])),
            &both(json!([null, 1]), json!([0.75, 0.25, 0.5, 0.5])),
        );
    }

    #[test]
    fn classes_go_by_their_names_and_a_person_s_row_is_null() {
        let classes = ["a", "b", "c"].map(str::to_owned).to_vec();
        let reading = Reading { wanted: Wanted::Probabilities { classes }, field: None };
        let said = Said::Probabilities(vec![0.5, 0.25, 0.25]);
        let row = |sample: Value, said: &Said| {
            Form::Predictions { is_bare: false, sample }.row(said, &reading).0.remove(0)
        };
        assert_eq!(row(json!({"c": 1, "a": 0, "b": 0}), &said), json!({"a": 0.5, "b": 0.25, "c": 0.25}));
        assert_eq!(row(json!([0, 0, 1]), &said), json!([0.5, 0.25, 0.25]));
        assert_eq!(row(json!([0, 0, 1]), &Said::Nothing), json!([null, null, null]));
        let plain = Form::plain(&oip(None), &reading).row(&Said::Nothing, &reading);
        assert_eq!(plain, RowAnswer(vec![json!([null, null, null])]));
    }

    #[test]
    fn answers_for_other_rows_than_were_asked_about_are_none() {
        let check = |questions: &Questions, document: Value, part: &str| {
            let error = Answers::read(questions, document, 2).unwrap_err();
            assert!(error.contains(part), "{error}");
        };
        check(&mlflow(), json!({"predictions": [1]}), "2 rows were asked about and 1 answered");
        check(&mlflow(), json!({"predictions": "late"}), "no list of `predictions`");
        check(&oip(None), json!({"outputs": []}), "2 rows were asked about and 0 answered");
        check(&oip(None), json!({}), "no list of `outputs`");
        let of = |name: &str, rows: usize| json!({"name": name, "shape": [rows], "data": vec![1; rows]});
        check(&oip(None), json!({"outputs": [of("a", 2), of("b", 1)]}), "output `b` has 1 rows of 2");
    }
}
