//! JSON as servers of models write it, and the values of a batch as JSON.
//!
//! Python writes NaN and infinite numbers as bare words, which JSON does not know; they are read as missing.

use serde_json::Value;
use types::batch::{Batch, Values};

/// What is said of numbers that JSON has no word for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NonFinite {
    /// `NaN`, `Infinity`, `-Infinity`: Python's `json` reads them.
    Bare,
    /// NaN is `null`; an infinite number cannot be said.
    Null,
}

/// Reads an answer.
pub(crate) fn parse(text: &[u8]) -> Result<Value, String> {
    serde_json::from_slice(text)
        .or_else(|error| serde_json::from_slice(&without_bare_words(text)).map_err(|_| error.to_string()))
}

/// The text with `null` for bare words that are numbers to Python.
fn without_bare_words(text: &[u8]) -> Vec<u8> {
    let mut strict = Vec::with_capacity(text.len());
    let (mut in_text, mut is_escaped) = (false, false);
    let mut at = 0;
    while at < text.len() {
        let rest = &text[at..];
        let word =
            ["-Infinity", "Infinity", "NaN"].into_iter().find(|word| rest.starts_with(word.as_bytes()));
        if let (false, Some(word)) = (in_text, word) {
            strict.extend_from_slice(b"null");
            at += word.len();
            continue;
        }
        match rest[0] {
            b'"' if !is_escaped => in_text = !in_text,
            _ => {}
        }
        is_escaped = in_text && rest[0] == b'\\' && !is_escaped;
        strict.push(rest[0]);
        at += 1;
    }
    strict
}

/// Writes the value of a row. The error names what cannot be said.
pub(crate) fn write_value(
    values: &Values,
    row: usize,
    non_finite: NonFinite,
    to: &mut Vec<u8>,
) -> Result<(), String> {
    let word = match values {
        Values::Integers(values) => values[row].map(|value| value.to_string()),
        Values::Booleans(values) => values[row].map(|value| value.to_string()),
        Values::Numbers(values) => match values[row] {
            Some(number) if !number.is_finite() => Some(word_of(number, non_finite)?),
            Some(number) => {
                write_json(&number, to);
                return Ok(());
            }
            None => None,
        },
        Values::Texts(values) => {
            write_json(&values[row], to);
            return Ok(());
        }
    };
    to.extend_from_slice(word.as_deref().unwrap_or("null").as_bytes());
    Ok(())
}

fn word_of(number: f64, non_finite: NonFinite) -> Result<String, String> {
    match non_finite {
        NonFinite::Bare if number.is_nan() => Ok("NaN".into()),
        NonFinite::Bare if number > 0.0 => Ok("Infinity".into()),
        NonFinite::Bare => Ok("-Infinity".into()),
        NonFinite::Null if number.is_nan() => Ok("null".into()),
        NonFinite::Null => Err("an infinite number cannot be said in JSON".into()),
    }
}

/// Writes anything that has a form in JSON.
pub(crate) fn write_json(value: &impl serde::Serialize, to: &mut Vec<u8>) {
    serde_json::to_writer(to, value).expect("texts, finite numbers and values go to memory");
}

/// Writes `[item, item, …]`.
pub(crate) fn write_list<T>(
    items: impl IntoIterator<Item = T>,
    to: &mut Vec<u8>,
    mut write: impl FnMut(T, &mut Vec<u8>) -> Result<(), String>,
) -> Result<(), String> {
    to.push(b'[');
    for (at, item) in items.into_iter().enumerate() {
        if at > 0 {
            to.push(b',');
        }
        write(item, to)?;
    }
    to.push(b']');
    Ok(())
}

/// Writes the names of the columns.
pub(crate) fn write_names(batch: &Batch, to: &mut Vec<u8>) {
    let names: Vec<&str> = batch.columns().iter().map(|column| column.name.as_str()).collect();
    write_json(&names, to);
}

/// Writes the rows as lists of values.
pub(crate) fn write_rows(batch: &Batch, non_finite: NonFinite, to: &mut Vec<u8>) -> Result<(), String> {
    write_list(0..batch.rows(), to, |row, to| {
        write_list(batch.columns(), to, |column, to| {
            let written = write_value(&column.values, row, non_finite, to);
            written.map_err(|why| format!("column `{}`, row {row}: {why}", column.name))
        })
    })
}

/// Writes a row as a record.
pub(crate) fn write_record(batch: &Batch, row: usize, to: &mut Vec<u8>) -> Result<(), String> {
    to.push(b'{');
    for (at, column) in batch.columns().iter().enumerate() {
        if at > 0 {
            to.push(b',');
        }
        write_json(&column.name, to);
        to.push(b':');
        let written = write_value(&column.values, row, NonFinite::Null, to);
        written.map_err(|why| format!("column `{}`, row {row}: {why}", column.name))?;
    }
    to.push(b'}');
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use types::batch::BatchColumn;

    use super::*;

    #[test]
    fn bare_words_of_python_are_missing_numbers() {
        // What `json.dumps([math.nan, math.inf, -math.inf, "NaN \" Infinity", 1.5])` writes.
        let text = br#"[NaN, Infinity, -Infinity, "NaN \" Infinity", 1.5]"#;
        assert_eq!(parse(text), Ok(json!([null, null, null, "NaN \" Infinity", 1.5])));
        assert_eq!(parse(br#"{"a\\": NaN}"#), Ok(json!({"a\\": null})));
        assert_eq!(parse(b"[1, nope]").unwrap_err(), "expected ident at line 1 column 6");
    }

    #[test]
    fn values_are_written_as_they_are() {
        let numbers = vec![Some(5.0), Some(f64::NAN), Some(f64::NEG_INFINITY), None];
        let texts = ["a\"b", "", "ü\n"].map(|text| Some(text.to_owned())).into_iter().chain([None]).collect();
        let columns = [
            ("n", Values::Numbers(numbers)),
            ("i", Values::Integers(vec![Some(i64::MAX), None, Some(-1), Some(0)])),
            ("b", Values::Booleans(vec![Some(true), None, Some(false), None])),
            ("t", Values::Texts(texts)),
        ];
        let columns = columns.map(|(name, values)| BatchColumn { name: name.into(), values });
        let batch = Batch::new(columns.to_vec()).unwrap();
        let mut text = Vec::new();
        write_rows(&batch, NonFinite::Bare, &mut text).unwrap();
        let expected = [
            r#"[5.0,9223372036854775807,true,"a\"b"]"#,
            r#"[NaN,null,null,""]"#,
            r#"[-Infinity,-1,false,"ü\n"]"#,
            r"[null,0,null,null]",
        ];
        assert_eq!(String::from_utf8(text).unwrap(), format!("[{}]", expected.join(",")));
        let mut record = Vec::new();
        write_record(&batch, 1, &mut record).unwrap();
        assert_eq!(String::from_utf8(record).unwrap(), r#"{"n":null,"i":null,"b":null,"t":""}"#);
        let refused = write_record(&batch, 2, &mut Vec::new());
        assert_eq!(refused, Err("column `n`, row 2: an infinite number cannot be said in JSON".into()));
    }
}
