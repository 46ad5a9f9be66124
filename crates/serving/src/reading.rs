//! How the score of a row is read from what a model answers for it: a number, a list of numbers, or numbers by name.

use serde_json::Value;

use crate::Scores;

/// What a row of an answer is read as.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Reading {
    pub wanted: Wanted,
    /// Where a row is a record, the name of its score.
    pub field: Option<String>,
}

/// What is wanted of a row.
#[derive(Clone, Debug, PartialEq)]
pub enum Wanted {
    /// One number: the predicted one, or the probability of a class. Without a name, the second of two classes,
    /// which is where libraries put the positive one.
    Number { class: Option<String> },
    /// The probability of each class; a list of numbers has them in this order.
    Probabilities { classes: Vec<String> },
}

impl Default for Wanted {
    fn default() -> Self {
        Self::Number { class: None }
    }
}

/// The numbers of one row; NaN where there is none.
pub(crate) struct Row<'a> {
    pub(crate) names: Option<&'a [String]>,
    pub(crate) numbers: &'a [f64],
}

impl Reading {
    /// Scores of rows that came as JSON. The error says what is wrong with which row.
    pub(crate) fn of_json(&self, rows: &[Value]) -> Result<Scores, String> {
        let mut scores = self.empty(rows.len());
        for (at, value) in rows.iter().enumerate() {
            let row = self.of_value(value).and_then(|(names, numbers)| {
                self.push(&mut scores, &Row { names: names.as_deref(), numbers: &numbers })
            });
            row.map_err(|why| format!("row {at}: {why}"))?;
        }
        Ok(scores)
    }

    pub(crate) fn empty(&self, rows: usize) -> Scores {
        match self.wanted {
            Wanted::Number { .. } => Scores::Numbers(Vec::with_capacity(rows)),
            Wanted::Probabilities { .. } => Scores::Probabilities(Vec::with_capacity(rows)),
        }
    }

    /// Reads one row into the scores, which are those of `empty`.
    pub(crate) fn push(&self, scores: &mut Scores, row: &Row<'_>) -> Result<(), String> {
        match scores {
            Scores::Numbers(scores) => scores.push(finite(self.number(row)?)),
            Scores::Probabilities(scores) => {
                let numbers = self.probabilities(row)?;
                scores.push(numbers.iter().all(|number| number.is_finite()).then_some(numbers));
            }
        }
        Ok(())
    }

    fn number(&self, row: &Row<'_>) -> Result<f64, String> {
        let class = match &self.wanted {
            Wanted::Number { class } => class.as_deref(),
            Wanted::Probabilities { .. } => None,
        };
        match (class, row.names, row.numbers) {
            (_, _, [number])
            | (None, _, [_, number])
            | (Some("1" | "true"), None, [_, number])
            | (Some("0" | "false"), None, [number, _]) => Ok(*number),
            (Some(class), Some(names), _) => row.named(names, class),
            (Some(class), None, numbers) => {
                Err(format!("{} numbers without names: which is that of `{class}`?", numbers.len()))
            }
            (None, Some(names), _) => Err(format!("has {}: which is the score?", names.join(", "))),
            (None, None, numbers) => Err(format!("{} numbers where one was expected", numbers.len())),
        }
    }

    fn probabilities(&self, row: &Row<'_>) -> Result<Vec<f64>, String> {
        let Wanted::Probabilities { classes } = &self.wanted else { return Ok(row.numbers.to_vec()) };
        match row.names {
            Some(names) if row.numbers.len() > 1 => {
                classes.iter().map(|class| row.named(names, class)).collect()
            }
            _ if row.numbers.len() == classes.len() => Ok(row.numbers.to_vec()),
            // A missing answer is one NaN, whatever was wanted.
            _ if row.numbers.len() == 1 && row.numbers[0].is_nan() => Ok(row.numbers.to_vec()),
            _ => Err(format!("{} numbers where {} classes were expected", row.numbers.len(), classes.len())),
        }
    }

    /// The numbers of a row, with their names where it is a record.
    fn of_value(&self, value: &Value) -> Result<(Option<Vec<String>>, Vec<f64>), String> {
        match value {
            Value::Array(numbers) => Ok((None, numbers.iter().map(number).collect::<Result<_, _>>()?)),
            Value::Object(fields) => {
                if let Some(field) = &self.field {
                    let has = || fields.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
                    let value =
                        fields.get(field).ok_or_else(|| format!("has no `{field}` (has: {})", has()))?;
                    return Self { field: None, ..self.clone() }.of_value(value);
                }
                let numbers = fields.iter().filter(|(name, _)| *name != DEGRADED);
                let named = numbers.map(|(name, value)| Ok((name.clone(), number(value)?)));
                let (names, numbers) = named.collect::<Result<Vec<_>, String>>()?.into_iter().unzip();
                Ok((Some(names), numbers))
            }
            _ => Ok((None, vec![number(value)?])),
        }
    }
}

/// The field by which a record says that it was not the model that answered it.
pub(crate) const DEGRADED: &str = "degraded";

impl Row<'_> {
    fn named(&self, names: &[String], name: &str) -> Result<f64, String> {
        let at = names.iter().position(|of| of == name);
        let has = || names.join(", ");
        at.map(|at| self.numbers[at]).ok_or_else(|| format!("has no `{name}` (has: {})", has()))
    }
}

fn finite(number: f64) -> Option<f64> {
    number.is_finite().then_some(number)
}

/// A number as servers write it: NaN for what is missing, and for the words that some of them have for it.
fn number(value: &Value) -> Result<f64, String> {
    match value {
        Value::Null => Ok(f64::NAN),
        Value::Bool(is) => Ok(f64::from(u8::from(*is))),
        Value::Number(number) => Ok(number.as_f64().unwrap_or(f64::NAN)),
        // A list of one, which is a row of a matrix with one column.
        Value::Array(one) if one.len() == 1 => number(&one[0]),
        Value::String(text) => {
            text.trim().parse().map_err(|_| format!("`{}` where a number was expected", short(text)))
        }
        Value::Array(_) | Value::Object(_) => Err("a list or a record where a number was expected".into()),
    }
}

fn short(text: &str) -> String {
    text.chars().take(40).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn numbers(field: Option<&str>, class: Option<&str>) -> Reading {
        Reading {
            wanted: Wanted::Number { class: class.map(str::to_owned) },
            field: field.map(str::to_owned),
        }
    }

    #[track_caller]
    fn check(reading: &Reading, rows: &Value, expected: Result<&[Option<f64>], &str>) {
        let found = reading.of_json(rows.as_array().unwrap());
        let expected = expected.map(|rows| Scores::Numbers(rows.to_vec())).map_err(str::to_owned);
        assert_eq!(found, expected, "{rows}");
    }

    #[test]
    fn one_number_is_found_in_every_usual_form() {
        let plain = numbers(None, None);
        check(&plain, &json!([0.25, 1, null, "0.5"]), Ok(&[Some(0.25), Some(1.0), None, Some(0.5)]));
        check(&plain, &json!([[0.75, 0.25], [0.5]]), Ok(&[Some(0.25), Some(0.5)]));
        check(&plain, &json!([{"no": 0.75, "yes": 0.25}]), Ok(&[Some(0.25)]));
        check(&plain, &json!([{"score": 0.25, "degraded": true}]), Ok(&[Some(0.25)]));
        check(&plain, &json!(["NaN", "inf"]), Ok(&[None, None]));
        check(&numbers(Some("p"), None), &json!([{"p": [0.9, 0.1], "q": {}}]), Ok(&[Some(0.1)]));
        check(&numbers(None, Some("no")), &json!([{"no": 0.75, "yes": 0.25}]), Ok(&[Some(0.75)]));
        check(&numbers(None, Some("0")), &json!([[0.75, 0.25]]), Ok(&[Some(0.75)]));
    }

    #[test]
    fn what_could_be_read_in_two_ways_is_refused() {
        let plain = numbers(None, None);
        check(&plain, &json!([[1, 2, 3]]), Err("row 0: 3 numbers where one was expected"));
        check(&plain, &json!([0.5, "late"]), Err("row 1: `late` where a number was expected"));
        let three = json!([{"a": 1, "b": 2, "c": 3}]);
        check(&plain, &three, Err("row 0: has a, b, c: which is the score?"));
        check(&numbers(None, Some("d")), &three, Err("row 0: has no `d` (has: a, b, c)"));
        check(&numbers(Some("p"), None), &three, Err("row 0: has no `p` (has: a, b, c)"));
    }

    #[test]
    fn probabilities_come_in_the_order_that_is_wanted() {
        let classes = ["a", "b"].map(str::to_owned).to_vec();
        let reading = Reading { wanted: Wanted::Probabilities { classes }, field: None };
        let rows = json!([{"b": 0.25, "a": 0.75}, [0.5, 0.5], null, [null, 1]]);
        let expected = Scores::Probabilities(vec![Some(vec![0.75, 0.25]), Some(vec![0.5, 0.5]), None, None]);
        assert_eq!(reading.of_json(rows.as_array().unwrap()), Ok(expected));
        let label = reading.of_json(&[json!(1)]);
        assert_eq!(label, Err("row 0: 1 numbers where 2 classes were expected".into()));
    }
}
