//! Rows as bytes in the write-ahead log. A record says everything about itself: no schema is needed to read it.
//!
//! ```text
//! version u8 · rows u32 · columns u16
//! per column: length of the name u16 · name · kind u8 · nulls u8 · [bit per row: has a value] · values
//! values: booleans a bit each; integers and floats 8 bytes each; lists: end of each u32, then all items
//! ```
//!
//! Numbers are little-endian. A column without a value in any row is left out.

use super::columns::{Column, Kind, Lists, Rows, Values};

const VERSION: u8 = 1;

/// Appends the bytes of rows.
pub(super) fn encode(rows: &Rows, bytes: &mut Vec<u8>) {
    bytes.reserve(rows.bytes() + rows.columns.len() * 32 + 16);
    let held: Vec<&Column> = rows
        .columns
        .iter()
        .filter(|column| column.values.kind().is_some() && column.valid.contains(&true))
        .collect();
    bytes.push(VERSION);
    bytes.extend_from_slice(&(rows.count as u32).to_le_bytes());
    bytes.extend_from_slice(&(held.len() as u16).to_le_bytes());
    for column in held {
        encode_column(column, bytes);
    }
}

fn encode_column(column: &Column, bytes: &mut Vec<u8>) {
    bytes.extend_from_slice(&(column.name.len() as u16).to_le_bytes());
    bytes.extend_from_slice(column.name.as_bytes());
    bytes.push(match column.values.kind() {
        Some(Kind::Bool) => 1,
        Some(Kind::Int) => 2,
        Some(Kind::Float) => 3,
        Some(Kind::Text) => 4,
        Some(Kind::Vector) => 5,
        None => 0,
    });
    let nulls = column.valid.contains(&false);
    bytes.push(u8::from(nulls));
    if nulls {
        encode_bits(&column.valid, bytes);
    }
    match &column.values {
        Values::Open => {}
        Values::Bool(values) => encode_bits(values, bytes),
        Values::Int(values) => encode_words(values, i64::to_le_bytes, bytes),
        Values::Float(values) => encode_words(values, f64::to_le_bytes, bytes),
        Values::Text(lists) => {
            encode_words(&lists.ends, u32::to_le_bytes, bytes);
            bytes.extend_from_slice(&lists.items);
        }
        Values::Vector(lists) => {
            encode_words(&lists.ends, u32::to_le_bytes, bytes);
            encode_words(&lists.items, f64::to_le_bytes, bytes);
        }
    }
}

fn encode_bits(bits: &[bool], bytes: &mut Vec<u8>) {
    bytes.extend(
        bits.chunks(8).map(|chunk| {
            chunk.iter().enumerate().fold(0_u8, |byte, (at, bit)| byte | (u8::from(*bit) << at))
        }),
    );
}

fn encode_words<T: Copy, const N: usize>(words: &[T], encode: impl Fn(T) -> [u8; N], bytes: &mut Vec<u8>) {
    let start = bytes.len();
    bytes.resize(start + words.len() * N, 0);
    for (place, word) in bytes[start..].chunks_exact_mut(N).zip(words) {
        place.copy_from_slice(&encode(*word));
    }
}

/// The rows of a record; `None` where the bytes are not one.
pub(super) fn decode(bytes: &[u8]) -> Option<Rows> {
    let mut reader = Reader { bytes };
    if reader.take(1)?[0] != VERSION {
        return None;
    }
    let count = u32::from_le_bytes(reader.array()?) as usize;
    let columns = u16::from_le_bytes(reader.array()?);
    let columns = (0..columns).map(|_| reader.column(count)).collect::<Option<Vec<_>>>()?;
    reader.bytes.is_empty().then_some(Rows { columns, count })
}

/// How many rows a record has.
pub(super) fn row_count(bytes: &[u8]) -> u64 {
    let count = bytes.get(1..5).and_then(|count| count.try_into().ok());
    count.map_or(0, |count| u32::from_le_bytes(count).into())
}

struct Reader<'a> {
    bytes: &'a [u8],
}

impl<'a> Reader<'a> {
    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.bytes.split_at_checked(length)?;
        self.bytes = rest;
        Some(taken)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.try_into().ok()
    }

    fn column(&mut self, rows: usize) -> Option<Column> {
        let length = u16::from_le_bytes(self.array()?);
        let name = std::str::from_utf8(self.take(length.into())?).ok()?.to_owned();
        let kind = self.take(1)?[0];
        let valid = if self.take(1)?[0] == 1 { self.bits(rows)? } else { vec![true; rows] };
        let values = match kind {
            1 => Values::Bool(self.bits(rows)?),
            2 => Values::Int(self.words(rows, i64::from_le_bytes)?),
            3 => Values::Float(self.words(rows, f64::from_le_bytes)?),
            4 => {
                let ends = self.ends(rows)?;
                let items = self.take(ends.last().map_or(0, |end| *end as usize))?.to_vec();
                Values::Text(Lists { ends, items })
            }
            5 => {
                let ends = self.ends(rows)?;
                let items = self.words(ends.last().map_or(0, |end| *end as usize), f64::from_le_bytes)?;
                Values::Vector(Lists { ends, items })
            }
            _ => return None,
        };
        Some(Column { name, valid, values })
    }

    fn bits(&mut self, rows: usize) -> Option<Vec<bool>> {
        let bytes = self.take(rows.div_ceil(8))?;
        Some((0..rows).map(|at| bytes[at / 8] >> (at % 8) & 1 == 1).collect())
    }

    fn words<T, const N: usize>(&mut self, count: usize, decode: impl Fn([u8; N]) -> T) -> Option<Vec<T>> {
        let bytes = self.take(count.checked_mul(N)?)?;
        let words = bytes.chunks_exact(N);
        words.map(|word| word.try_into().ok().map(&decode)).collect()
    }

    fn ends(&mut self, rows: usize) -> Option<Vec<u32>> {
        let ends = self.words(rows, u32::from_le_bytes)?;
        ends.is_sorted().then_some(ends)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn column(rows: usize) -> impl Strategy<Value = Column> {
        let valid = || prop::collection::vec(any::<bool>(), rows);
        let lists = |kind: u8| {
            prop::collection::vec(prop::collection::vec(any::<u8>(), 0..5), rows).prop_map(move |all| {
                let (mut texts, mut vectors) = (Lists::default(), Lists::default());
                for list in &all {
                    texts.push(list);
                    vectors.push(&list.iter().map(|item| f64::from(*item)).collect::<Vec<f64>>());
                }
                if kind == 0 { Values::Text(texts) } else { Values::Vector(vectors) }
            })
        };
        let values = prop_oneof![
            prop::collection::vec(any::<bool>(), rows).prop_map(Values::Bool),
            prop::collection::vec(any::<i64>(), rows).prop_map(Values::Int),
            prop::collection::vec(-1e300..1e300, rows).prop_map(Values::Float),
            lists(0),
            lists(1),
        ];
        ("[a-zé]{0,6}", valid(), values).prop_map(|(name, valid, values)| Column { name, valid, values })
    }

    proptest! {
        #[test]
        fn a_record_is_read_as_it_was_written_and_no_part_of_it_is_one(
            rows in (1_usize..20).prop_flat_map(|rows| {
                prop::collection::vec(column(rows), 0..4).prop_map(move |columns| Rows { columns, count: rows })
            })
        ) {
            let mut bytes = Vec::new();
            encode(&rows, &mut bytes);
            let mut expected = rows.clone();
            expected.columns.retain(|column| column.valid.contains(&true));
            prop_assert_eq!(row_count(&bytes), rows.count as u64);
            prop_assert_eq!(decode(&bytes), Some(expected));
            for length in 0..bytes.len() {
                prop_assert_eq!(decode(&bytes[..length]), None);
            }
        }

        #[test]
        fn no_bytes_make_the_decoder_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = decode(&bytes);
        }
    }
}
