//! What a request asks about, held against the reference: missing values, wrong types, and values unlike any before.

use std::collections::HashSet;

use serde_json::Value;
use types::batch::{Batch, BatchColumn, ValueKind, Values};
use types::definition::Oddity;

/// The largest whole number up to which every one is a float.
const EXACT_INTEGERS: f64 = 9_007_199_254_740_992.0;

/// An input of the model as the reference knows it.
#[derive(Clone, Debug, PartialEq)]
pub struct Expected {
    pub name: String,
    pub kind: ValueKind,
    /// Whether the reference lacks it so often that a missing value is nothing special.
    pub may_be_missing: bool,
    /// Numbers beyond these are far from any of the reference.
    pub range: Option<(f64, f64)>,
    /// All categories of the reference, where they are known.
    pub categories: Option<HashSet<String>>,
}

/// What is done about values that are of the right type and unlike the reference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Odd {
    pub unseen: Oddity,
    pub out_of_range: Oddity,
}

/// Rows that were looked at.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Checked {
    /// The inputs; what is not of its type is missing.
    pub(super) inputs: Batch,
    /// The positions of inputs that are out, for each row.
    pub(super) out: Vec<Vec<usize>>,
    /// What is odd about each row, as in `missing:temp;unseen:carrier`.
    pub(super) flags: Vec<String>,
    /// Values that are not of their column's type.
    pub(super) unusable: Vec<(usize, String)>,
}

impl Checked {
    /// Rows that nothing is known of.
    pub(super) fn unknown(rows: usize) -> Self {
        Self {
            inputs: Batch::default(),
            out: vec![Vec::new(); rows],
            flags: vec![String::new(); rows],
            unusable: Vec::new(),
        }
    }

    pub(super) fn is_any_out(&self) -> bool {
        self.out.iter().any(|out| !out.is_empty())
    }

    fn flag(&mut self, row: usize, what: &str, column: &str) {
        let flags = &mut self.flags[row];
        if !flags.is_empty() {
            flags.push(';');
        }
        flags.push_str(what);
        flags.push(':');
        flags.push_str(column);
    }
}

/// Looks at the rows of a request.
pub(super) fn check(
    columns: &[(String, Vec<Value>)],
    rows: usize,
    expected: &[Expected],
    odd: Odd,
) -> Checked {
    let mut checked = Checked::unknown(rows);
    let mut inputs = Vec::with_capacity(expected.len());
    for (at, of) in expected.iter().enumerate() {
        let values = columns.iter().find(|(name, _)| *name == of.name).map(|(_, values)| values.as_slice());
        let read = values.map_or_else(|| nothing(of.kind, rows), |values| read(of.kind, values));
        for row in 0..rows {
            let is_there = values.is_some_and(|values| !values[row].is_null());
            let what = what_of(of, &read, row, is_there, odd);
            let Some((what, is_out)) = what else { continue };
            checked.flag(row, what, &of.name);
            if is_out {
                checked.out[row].push(at);
            }
            if what == WRONG_TYPE {
                checked.unusable.push((row, of.name.clone()));
            }
        }
        inputs.push(BatchColumn { name: of.name.clone(), values: read });
    }
    if !inputs.is_empty() {
        checked.inputs = Batch::new(inputs).expect("a column of as many rows for each input, named once");
    }
    checked
}

const WRONG_TYPE: &str = "wrong-type";

/// What is odd about a value, and whether it is as good as missing.
fn what_of(
    expected: &Expected,
    values: &Values,
    row: usize,
    is_there: bool,
    odd: Odd,
) -> Option<(&'static str, bool)> {
    if values.is_missing(row) {
        let is_nothing = !is_there && expected.may_be_missing;
        return (!is_nothing).then_some((if is_there { WRONG_TYPE } else { "missing" }, true));
    }
    let (what, is) = match values {
        Values::Integers(_) | Values::Numbers(_) => {
            let (least, most) = expected.range?;
            let number = values.number(row)?;
            // What is no number at all is beyond every range.
            if (least..=most).contains(&number) {
                return None;
            }
            ("out-of-range", odd.out_of_range)
        }
        Values::Texts(texts) => {
            let categories = expected.categories.as_ref()?;
            if categories.contains(texts[row].as_ref()?) {
                return None;
            }
            ("unseen", odd.unseen)
        }
        Values::Booleans(_) => return None,
    };
    (is != Oddity::Ignore).then_some((what, is == Oddity::Outage))
}

fn nothing(kind: ValueKind, rows: usize) -> Values {
    read(kind, &vec![Value::Null; rows])
}

/// Values of a kind; `None` where one is missing or of another.
fn read(kind: ValueKind, values: &[Value]) -> Values {
    match kind {
        ValueKind::Integer => Values::Integers(values.iter().map(integer).collect()),
        ValueKind::Number => Values::Numbers(values.iter().map(Value::as_f64).collect()),
        ValueKind::Boolean => Values::Booleans(values.iter().map(Value::as_bool).collect()),
        ValueKind::Text => {
            Values::Texts(values.iter().map(|value| value.as_str().map(str::to_owned)).collect())
        }
    }
}

/// A whole number; some writers know only floats, and 3.0 is one.
fn integer(value: &Value) -> Option<i64> {
    let whole = |number: &f64| number.fract() == 0.0 && number.abs() <= EXACT_INTEGERS;
    value.as_i64().or_else(|| value.as_f64().filter(whole).map(|number| number as i64))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn expected() -> Vec<Expected> {
        let of = |name: &str, kind| Expected {
            name: name.into(),
            kind,
            may_be_missing: name == "gust",
            range: Some((-10.0, 50.0)),
            categories: Some(["AA", "UA"].map(str::to_owned).into()),
        };
        vec![
            of("temp", ValueKind::Number),
            of("hour", ValueKind::Integer),
            of("carrier", ValueKind::Text),
            of("gust", ValueKind::Number),
        ]
    }

    fn checked(columns: Value, odd: Odd) -> Checked {
        let Value::Object(columns) = columns else { panic!("not an object") };
        let columns: Vec<(String, Vec<Value>)> =
            columns.into_iter().map(|(name, values)| (name, values.as_array().unwrap().clone())).collect();
        let rows = columns[0].1.len();
        check(&columns, rows, &expected(), odd)
    }

    const FLAG: Odd = Odd { unseen: Oddity::Flag, out_of_range: Oddity::Flag };

    #[test]
    fn what_is_missing_or_of_another_type_is_out_and_what_is_odd_is_flagged() {
        let columns = json!({
            "carrier": ["AA", "ZZ", null, 7],
            "hour": [3, 3.0, 3.5, "3"],
            "temp": [1, 50.0, 50.1, -11],
            "other": [1, 1, 1, 1],
        });
        let found = checked(columns, FLAG);
        let flags = [
            "",
            "unseen:carrier",
            "out-of-range:temp;wrong-type:hour;missing:carrier",
            "out-of-range:temp;wrong-type:hour;wrong-type:carrier",
        ];
        assert_eq!(found.flags, flags);
        assert_eq!(found.out, [vec![], vec![], vec![1, 2], vec![1, 2]]);
        assert_eq!(found.inputs.column("hour"), Some(&Values::Integers(vec![Some(3), Some(3), None, None])));
        let unusable = [(2, "hour"), (3, "hour"), (3, "carrier")].map(|(row, name)| (row, name.to_owned()));
        assert_eq!(found.unusable, unusable);
    }

    #[test]
    fn what_is_odd_counts_as_missing_where_that_is_wanted() {
        let columns = json!({"carrier": ["ZZ"], "hour": [99], "temp": [1.5]});
        let odd = Odd { unseen: Oddity::Outage, out_of_range: Oddity::Ignore };
        let found = checked(columns, odd);
        assert_eq!((found.flags, found.out), (vec!["unseen:carrier".to_owned()], vec![vec![2]]));
        // Its value stays: it is of the right type.
        assert_eq!(found.inputs.column("carrier"), Some(&Values::Texts(vec![Some("ZZ".into())])));
    }

    #[test]
    fn a_column_that_is_not_there_is_missing_in_every_row() {
        let found = checked(json!({"hour": [1, 2], "carrier": ["AA", "UA"]}), FLAG);
        assert_eq!(found.flags, ["missing:temp"; 2]);
        assert_eq!(found.out, [vec![0], vec![0]]);
    }
}
