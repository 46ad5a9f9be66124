//! `row_hash(column, …)`: a number that depends on a row's values alone, for drawing rows at random in a
//! way that is the same in every run, on every machine and in whatever order the rows are read.

use std::hash::{BuildHasher, Hash};
use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, UInt64Array};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::DataType;
use datafusion::common::Result;
use datafusion::logical_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};
use foldhash::quality::FixedState;

/// The function's name in SQL.
pub(crate) const NAME: &str = "row_hash";

pub(crate) fn row_hash() -> ScalarUDF {
    ScalarUDF::from(RowHash { signature: Signature::variadic_any(Volatility::Immutable) })
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct RowHash {
    signature: Signature,
}

impl ScalarUDFImpl for RowHash {
    fn name(&self) -> &str {
        NAME
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::UInt64)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let mut hashes = vec![0_u64; args.number_rows];
        for column in &args.args {
            let column = column.to_array(args.number_rows)?;
            add_column(&mut hashes, &column)?;
        }
        Ok(ColumnarValue::Array(Arc::new(UInt64Array::from(hashes))))
    }
}

fn add_column(hashes: &mut [u64], column: &ArrayRef) -> Result<()> {
    let texts = cast(column, &DataType::Utf8View)?;
    let texts = texts.as_string_view();
    for (row, hash) in hashes.iter_mut().enumerate() {
        let text = texts.is_valid(row).then(|| texts.value(row));
        *hash = mixed(&(*hash, text));
    }
    Ok(())
}

fn mixed(value: &impl Hash) -> u64 {
    FixedState::default().hash_one(value)
}
