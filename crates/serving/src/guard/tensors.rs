//! Tensors of the Open Inference Protocol as rows, and rows as tensors.

use serde_json::{Map, Value};

/// A tensor without its values.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Tensor {
    /// Everything but shape and data: name, datatype, parameters.
    head: Map<String, Value>,
    /// How many values a row has, along each further dimension.
    row_shape: Vec<u64>,
}

impl Tensor {
    pub(super) fn new(name: &str, datatype: &str, row_shape: Vec<u64>) -> Self {
        let head = [("name", name), ("datatype", datatype)];
        Self {
            head: head.map(|(key, value)| (key.to_owned(), value.into())).into_iter().collect(),
            row_shape,
        }
    }

    pub(super) fn name(&self) -> &str {
        self.head.get("name").and_then(Value::as_str).unwrap_or_default()
    }

    /// How many values a row has.
    pub(super) fn width(&self) -> usize {
        self.row_shape.iter().product::<u64>() as usize
    }

    pub(super) fn row_shape(&self) -> &[u64] {
        &self.row_shape
    }

    /// The tensor of a document, and its rows: a value each, or a list of several.
    pub(super) fn read(document: &Value) -> Result<(Self, Vec<Value>), String> {
        let head = document.as_object().ok_or("a tensor is no record")?;
        let mut head = head.clone();
        let name = head.get("name").and_then(Value::as_str).ok_or("a tensor has no name")?.to_owned();
        let wrong = |what: &str| format!("tensor `{name}` {what}");
        let data = head.remove("data").ok_or_else(|| wrong("has no data: binary tensors are not read"))?;
        let shape = head.remove("shape").ok_or_else(|| wrong("has no shape"))?;
        let sizes = shape.as_array().into_iter().flatten().map(Value::as_u64);
        let sizes: Vec<u64> =
            sizes.collect::<Option<_>>().ok_or_else(|| wrong("has a shape that is none"))?;
        let (rows, row_shape) = sizes.split_first().ok_or_else(|| wrong("has no rows"))?;
        let tensor = Self { head, row_shape: row_shape.to_vec() };
        let mut values = Vec::new();
        flatten(data, &mut values);
        let width = row_shape.iter().try_fold(1_u64, |product, size| product.checked_mul(*size));
        let expected = width.and_then(|width| width.checked_mul(*rows));
        if expected != Some(values.len() as u64) {
            return Err(wrong(&format!("has {} values, which do not fill the shape {shape}", values.len())));
        }
        let rows = match width {
            Some(1) => values,
            // However many rows it says that it has.
            Some(0) | None => return Err(wrong("has rows without a value")),
            Some(width) => values.chunks(width as usize).map(|row| Value::Array(row.to_vec())).collect(),
        };
        Ok((tensor, rows))
    }

    /// The tensor with these rows.
    pub(super) fn written(&self, rows: &[Value]) -> Value {
        let mut document = self.head.clone();
        let shape = std::iter::once(rows.len() as u64).chain(self.row_shape.iter().copied());
        document.insert("shape".into(), shape.map(Value::from).collect());
        let mut data = Vec::with_capacity(rows.len() * self.width());
        for row in rows {
            flatten(row.clone(), &mut data);
        }
        document.insert("data".into(), Value::Array(data));
        Value::Object(document)
    }
}

fn flatten(value: Value, to: &mut Vec<Value>) {
    match value {
        Value::Array(items) => {
            for item in items {
                flatten(item, to);
            }
        }
        one => to.push(one),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_tensor_is_read_by_rows_and_written_with_others() {
        let flat = json!({"name": "x", "datatype": "FP64", "shape": [2, 2], "data": [1, 2, 3, 4]});
        let nested = json!({"name": "x", "datatype": "FP64", "shape": [2, 2], "data": [[1, 2], [3, 4]]});
        let (tensor, rows) = Tensor::read(&flat).unwrap();
        assert_eq!(rows, [json!([1, 2]), json!([3, 4])]);
        assert_eq!(Tensor::read(&nested).unwrap(), (tensor.clone(), rows.clone()));
        assert_eq!(tensor.written(&rows), flat);
        let one = json!({"name": "x", "datatype": "FP64", "shape": [1, 2], "data": [3, 4]});
        assert_eq!(tensor.written(&rows[1..]), one);
    }

    #[test]
    fn what_is_no_tensor_is_said() {
        let check = |document: Value, part: &str| {
            let error = Tensor::read(&document).unwrap_err();
            assert!(error.contains(part), "{error}");
        };
        check(json!([1]), "no record");
        check(json!({"shape": [1], "data": [1]}), "no name");
        check(json!({"name": "x", "shape": [1]}), "binary tensors are not read");
        check(json!({"name": "x", "shape": [3], "data": [1]}), "1 values, which do not fill the shape [3]");
        check(json!({"name": "x", "shape": [], "data": [1]}), "no rows");
        check(json!({"name": "x", "shape": [u64::MAX, 0], "data": []}), "rows without a value");
        let huge = json!({"name": "x", "shape": [u64::MAX, 2, u64::MAX], "data": [1]});
        check(huge, "do not fill the shape");
    }
}
