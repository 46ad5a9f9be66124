//! A request to the model as rows, in every form that its protocol has for them, and the same request about fewer rows
//! or with other values.

use serde_json::{Map, Value};

use super::Questions;
use super::tensors::Tensor;
use crate::json;

/// The rows of a request.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Asked {
    /// The request without its rows.
    rest: Map<String, Value>,
    form: Form,
    /// The values by column, missing ones as null.
    pub(super) columns: Vec<(String, Vec<Value>)>,
    pub(super) rows: usize,
}

/// How a request has its rows.
#[derive(Clone, Debug, PartialEq)]
enum Form {
    /// `{"dataframe_split": {"columns": …, "data": …}}`, with names for its rows or without.
    Split { index: Option<Vec<Value>>, has_names: bool },
    /// `{KEY: [{…}, …]}`.
    Records(&'static str),
    /// `{KEY: [[…], …]}`.
    Lists(&'static str),
    /// `{KEY: {"column": […], …}}`.
    Columns(&'static str),
    /// A tensor for each column.
    Tensors(Vec<Tensor>),
    /// One tensor for all columns.
    Matrix(Tensor),
}

/// A value that goes in the place of another one.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Fill<'a> {
    pub(super) row: usize,
    pub(super) column: &'a str,
    pub(super) value: Value,
}

impl Asked {
    /// Reads a body of JSON. `order` has the names of columns that come without any.
    ///
    /// # Errors
    /// Why it cannot be read.
    pub(super) fn read(questions: &Questions, body: &[u8], order: &[String]) -> Result<Self, String> {
        let Value::Object(rest) = json::parse(body)? else { return Err("the body is no record".into()) };
        let asked = match questions {
            Questions::Mlflow { .. } => mlflow(rest, order),
            Questions::OpenInference { .. } => open_inference(rest, order),
        }?;
        if asked.rows == 0 {
            return Err("there is no row".into());
        }
        for (at, (name, values)) in asked.columns.iter().enumerate() {
            if asked.columns[..at].iter().any(|(before, _)| before == name) {
                return Err(format!("column `{name}` is there twice"));
            }
            if values.len() != asked.rows {
                return Err(format!("column `{name}` has {} rows of {}", values.len(), asked.rows));
            }
        }
        Ok(asked)
    }

    /// The name that the caller gave the request, in the Open Inference Protocol.
    pub(super) fn id(&self) -> Option<&Value> {
        self.rest.get("id")
    }

    /// The same request about these rows only, with values filled in; a column that it did not have is added.
    pub(super) fn rewritten(&self, rows: &[usize], fills: &[Fill<'_>]) -> Vec<u8> {
        let taken = |values: &Vec<Value>| rows.iter().map(|&row| values[row].clone()).collect::<Vec<Value>>();
        let mut columns: Vec<(&str, Vec<Value>)> =
            self.columns.iter().map(|(name, values)| (name.as_str(), taken(values))).collect();
        for fill in fills {
            let Some(at) = rows.iter().position(|row| *row == fill.row) else { continue };
            if let Some((_, values)) = columns.iter_mut().find(|(name, _)| *name == fill.column) {
                values[at] = fill.value.clone();
            } else {
                let mut values = vec![Value::Null; rows.len()];
                values[at] = fill.value.clone();
                columns.push((fill.column, values));
            }
        }
        let (key, data) = self.data(rows, &columns);
        let mut document = self.rest.clone();
        document.insert(key.to_owned(), data);
        serde_json::to_vec(&document).expect("values have a form in JSON")
    }

    fn data(&self, rows: &[usize], columns: &[(&str, Vec<Value>)]) -> (&'static str, Value) {
        let at = 0..rows.len();
        let list = |row: usize| columns.iter().map(|(_, values)| values[row].clone()).collect::<Value>();
        let record = |row: usize| {
            let values = columns.iter().map(|(name, values)| ((*name).to_owned(), values[row].clone()));
            Value::Object(values.collect())
        };
        match &self.form {
            Form::Split { index, has_names } => {
                let mut split = Map::new();
                // A column that was added has a name, so that all need one.
                if *has_names || columns.len() > self.columns.len() {
                    split.insert("columns".into(), columns.iter().map(|(name, _)| *name).collect());
                }
                if let Some(index) = index {
                    split.insert("index".into(), rows.iter().map(|&row| index[row].clone()).collect());
                }
                split.insert("data".into(), at.map(list).collect());
                ("dataframe_split", Value::Object(split))
            }
            Form::Records(key) => (*key, at.map(record).collect()),
            Form::Lists(key) => (*key, at.map(list).collect()),
            Form::Columns(key) => {
                let columns =
                    columns.iter().map(|(name, values)| ((*name).to_owned(), values.clone().into()));
                (*key, Value::Object(columns.collect()))
            }
            Form::Tensors(tensors) => {
                let shape = tensors.first().map_or(&[1][..], Tensor::row_shape);
                let written = columns.iter().enumerate().map(|(at, (name, values))| match tensors.get(at) {
                    Some(tensor) => tensor.written(values),
                    None => Tensor::new(name, datatype(values), shape.to_vec()).written(values),
                });
                ("inputs", written.collect())
            }
            Form::Matrix(tensor) => {
                let rows: Vec<Value> = at.map(list).collect();
                ("inputs", Value::Array(vec![tensor.written(&rows)]))
            }
        }
    }
}

/// The type of a tensor of these values.
fn datatype(values: &[Value]) -> &'static str {
    let all = |is: fn(&Value) -> bool| values.iter().all(is);
    if all(Value::is_i64) {
        "INT64"
    } else if all(Value::is_boolean) {
        "BOOL"
    } else if values.iter().any(Value::is_string) {
        "BYTES"
    } else {
        "FP64"
    }
}

/// The keys under which MLflow takes rows.
const KEYS: [&str; 4] = ["dataframe_split", "dataframe_records", "instances", "inputs"];

fn mlflow(mut rest: Map<String, Value>, order: &[String]) -> Result<Asked, String> {
    let keys: Vec<&'static str> = KEYS.into_iter().filter(|key| rest.contains_key(*key)).collect();
    let [key] = keys[..] else {
        return Err(format!("there are rows under {} keys of {}", keys.len(), KEYS.join(", ")));
    };
    let data = rest.remove(key).unwrap_or_default();
    match (key, data) {
        ("dataframe_split", Value::Object(split)) => of_split(rest, split, order),
        (_, Value::Object(columns)) if key == "inputs" => {
            let columns = columns.into_iter().map(|(name, values)| match values {
                Value::Array(values) => Ok((name, values)),
                _ => Err(format!("column `{name}` is no list")),
            });
            let columns: Vec<(String, Vec<Value>)> = columns.collect::<Result<_, _>>()?;
            let rows = columns.first().map_or(0, |(_, values)| values.len());
            Ok(Asked { rest, form: Form::Columns(key), columns, rows })
        }
        (_, Value::Array(rows)) if key != "dataframe_split" => of_rows(rest, key, rows, order),
        _ => Err(format!("`{key}` does not hold rows")),
    }
}

fn of_split(
    rest: Map<String, Value>,
    mut split: Map<String, Value>,
    order: &[String],
) -> Result<Asked, String> {
    let Some(Value::Array(data)) = split.remove("data") else { return Err("`data` is no list".into()) };
    let names = split.remove("columns");
    let has_names = names.is_some();
    let names = match names {
        Some(Value::Array(names)) => {
            let text = |name: Value| match name {
                Value::String(name) => Ok(name),
                other => Err(format!("the name {other} of a column is no text")),
            };
            names.into_iter().map(text).collect::<Result<Vec<String>, String>>()?
        }
        Some(_) => return Err("`columns` is no list".into()),
        None => order.to_vec(),
    };
    let index = match split.remove("index") {
        Some(Value::Array(index)) if index.len() == data.len() => Some(index),
        Some(_) => return Err("`index` does not name each row".into()),
        None => None,
    };
    let rows = data.len();
    let columns = by_column(data, &names)?;
    Ok(Asked { rest, form: Form::Split { index, has_names }, columns, rows })
}

/// Rows as records, or as lists whose columns have no names.
fn of_rows(
    rest: Map<String, Value>,
    key: &'static str,
    rows: Vec<Value>,
    order: &[String],
) -> Result<Asked, String> {
    let count = rows.len();
    if rows.iter().all(Value::is_array) {
        let columns = by_column(rows, order)?;
        return Ok(Asked { rest, form: Form::Lists(key), columns, rows: count });
    }
    let mut columns: Vec<(String, Vec<Value>)> = Vec::new();
    for (row, record) in rows.into_iter().enumerate() {
        let Value::Object(record) = record else { return Err(format!("row {row} is no record")) };
        for (name, value) in record {
            let known = columns.iter().position(|(of, _)| *of == name).unwrap_or_else(|| {
                columns.push((name, vec![Value::Null; count]));
                columns.len() - 1
            });
            columns[known].1[row] = value;
        }
    }
    Ok(Asked { rest, form: Form::Records(key), columns, rows: count })
}

/// Rows as lists, turned into columns.
fn by_column(rows: Vec<Value>, names: &[String]) -> Result<Vec<(String, Vec<Value>)>, String> {
    let mut columns: Vec<(String, Vec<Value>)> =
        names.iter().map(|name| (name.clone(), Vec::with_capacity(rows.len()))).collect();
    for (at, row) in rows.into_iter().enumerate() {
        let Value::Array(values) = row else { return Err(format!("row {at} is no list")) };
        if values.len() != names.len() {
            return Err(format!("row {at} has {} values for {} columns", values.len(), names.len()));
        }
        for ((_, column), value) in columns.iter_mut().zip(values) {
            column.push(value);
        }
    }
    Ok(columns)
}

fn open_inference(mut rest: Map<String, Value>, order: &[String]) -> Result<Asked, String> {
    let Some(Value::Array(inputs)) = rest.remove("inputs") else {
        return Err("there is no list of `inputs`".into());
    };
    let read: Vec<(Tensor, Vec<Value>)> = inputs.iter().map(Tensor::read).collect::<Result<_, _>>()?;
    let rows = read.first().map_or(0, |(_, rows)| rows.len());
    if let [(tensor, _)] = &read[..]
        && tensor.width() > 1
    {
        let (tensor, lists) = read.into_iter().next().expect("there is one");
        let columns = by_column(lists, order)?;
        return Ok(Asked { rest, form: Form::Matrix(tensor), columns, rows });
    }
    let mut tensors = Vec::with_capacity(read.len());
    let mut columns = Vec::with_capacity(read.len());
    for (tensor, values) in read {
        columns.push((tensor.name().to_owned(), values));
        tensors.push(tensor);
    }
    Ok(Asked { rest, form: Form::Tensors(tensors), columns, rows })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn mlflow() -> Questions {
        Questions::Mlflow { path: "/invocations".into() }
    }

    fn oip() -> Questions {
        Questions::OpenInference { base: String::new(), model: "m".into(), output: None }
    }

    fn read(questions: &Questions, document: &Value) -> Result<Asked, String> {
        let order = ["a", "b"].map(str::to_owned);
        Asked::read(questions, document.to_string().as_bytes(), &order)
    }

    /// Each form has the same two rows; the second, with `b` filled in, and a column that was not there, is `second`.
    #[track_caller]
    fn check(questions: &Questions, document: &Value, second: &Value) {
        let asked = read(questions, document).unwrap();
        let columns = [("a", vec![json!(1), json!(2)]), ("b", vec![json!("x"), json!(null)])];
        let columns = columns.map(|(name, values)| (name.to_owned(), values));
        assert_eq!((asked.columns.as_slice(), asked.rows), (columns.as_slice(), 2), "{document}");
        let same: Value = serde_json::from_slice(&asked.rewritten(&[0, 1], &[])).unwrap();
        assert_eq!(same, *document);
        let fill = |column, value| Fill { row: 1, column, value };
        let fills = [fill("b", json!("y")), Fill { row: 0, ..fill("b", json!("z")) }];
        let other: Value = serde_json::from_slice(&asked.rewritten(&[1], &fills)).unwrap();
        assert_eq!(other, *second);
    }

    #[test]
    fn every_form_of_mlflow_is_read_and_written_again() {
        let rest = json!({"temperature": 0.5});
        let split = |index: Value, data: Value| {
            let split = json!({"columns": ["a", "b"], "index": index, "data": data});
            json!({"dataframe_split": split, "params": rest})
        };
        let whole = split(json!([7, 8]), json!([[1, "x"], [2, null]]));
        check(&mlflow(), &whole, &split(json!([8]), json!([[2, "y"]])));
        check(
            &mlflow(),
            &json!({"dataframe_split": {"data": [[1, "x"], [2, null]]}}),
            &json!({"dataframe_split": {"data": [[2, "y"]]}}),
        );
        let (first, second, other) =
            (json!({"a": 1, "b": "x"}), json!({"a": 2, "b": null}), json!({"a": 2, "b": "y"}));
        for key in ["dataframe_records", "instances", "inputs"] {
            check(&mlflow(), &json!({key: [first, second]}), &json!({key: [other]}));
        }
        for key in ["instances", "inputs"] {
            check(&mlflow(), &json!({key: [[1, "x"], [2, null]]}), &json!({key: [[2, "y"]]}));
        }
        let columns = json!({"inputs": {"a": [1, 2], "b": ["x", null]}});
        check(&mlflow(), &columns, &json!({"inputs": {"a": [2], "b": ["y"]}}));
    }

    #[test]
    fn columns_and_one_tensor_of_the_open_inference_protocol_are_read_and_written_again() {
        let tensor = |name: &str, datatype: &str, data: Value| {
            let rows = data.as_array().unwrap().len();
            let parameters = json!({"content_type": "np"});
            json!({"name": name, "datatype": datatype, "shape": [rows, 1], "parameters": parameters, "data": data})
        };
        let both = |a: Value, b: Value| {
            let inputs = [tensor("a", "INT64", a), tensor("b", "BYTES", b)];
            json!({"id": "r", "inputs": inputs})
        };
        check(&oip(), &both(json!([1, 2]), json!(["x", null])), &both(json!([2]), json!(["y"])));
        let matrix = |rows: u64, data: Value| {
            let tensor = json!({"name": "m", "datatype": "FP64", "shape": [rows, 2], "data": data});
            json!({"inputs": [tensor]})
        };
        check(&oip(), &matrix(2, json!([1, "x", 2, null])), &matrix(1, json!([2, "y"])));
    }

    #[test]
    fn a_column_that_was_not_there_is_added() {
        let fill = [Fill { row: 1, column: "c", value: json!(0.5) }];
        let of = |questions: &Questions, document: &Value| {
            let asked = read(questions, document).unwrap();
            serde_json::from_slice::<Value>(&asked.rewritten(&[0, 1], &fill)).unwrap()
        };
        let split = of(&mlflow(), &json!({"dataframe_split": {"data": [[1, 2], [3, 4]]}}));
        let expected = json!({"columns": ["a", "b", "c"], "data": [[1, 2, null], [3, 4, 0.5]]});
        assert_eq!(split, json!({"dataframe_split": expected}));
        let a = json!({"name": "a", "datatype": "INT64", "shape": [2], "data": [1, 2]});
        let c = json!({"name": "c", "datatype": "FP64", "shape": [2], "data": [null, 0.5]});
        assert_eq!(of(&oip(), &json!({"inputs": [a]})), json!({"inputs": [a, c]}));
    }

    #[test]
    fn what_cannot_be_read_is_said() {
        let check = |questions: &Questions, document: Value, part: &str| {
            let error = read(questions, &document).unwrap_err();
            assert!(error.contains(part), "{document}: {error}");
        };
        check(&mlflow(), json!([1]), "no record");
        check(&mlflow(), json!({"instances": [], "inputs": []}), "2 keys");
        check(&mlflow(), json!({"data": []}), "0 keys");
        check(&mlflow(), json!({"instances": []}), "no row");
        check(&mlflow(), json!({"instances": [[1, 2, 3]]}), "row 0 has 3 values for 2 columns");
        check(&mlflow(), json!({"instances": [{"a": 1}, 2]}), "row 1 is no record");
        check(&mlflow(), json!({"inputs": {"a": 1}}), "column `a` is no list");
        check(&mlflow(), json!({"inputs": {"a": [1], "b": [1, 2]}}), "column `b` has 2 rows of 1");
        check(
            &mlflow(),
            json!({"dataframe_split": {"columns": ["a", "a"], "data": [[1, 2]]}}),
            "`a` is there twice",
        );
        check(&oip(), json!({"inputs": 3}), "no list of `inputs`");
        assert!(Asked::read(&oip(), b"a,b\n1,2\n", &[]).is_err());
    }
}
