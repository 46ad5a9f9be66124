//! Where values of a request become rows: checked one by one against the table's columns.
//!
//! JSON and Arrow both end here. A row that has a mistake is taken back as a whole, with its place and the
//! reason; the rows around it stay.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::{BuildHasher, Hasher};
use std::sync::Arc;

use foldhash::fast::RandomState;
use types::definition::TimeUnit;
use types::nearest::{listed, nearest};

use super::columns::{Column, Kind, Rows, Values};
use super::error::RowErrors;
use super::instant::{self, Instant};
use super::schema::{ColumnType, TableSchema, per_second};

/// Columns that a table may have, at most.
const COLUMNS_MAX: usize = 4_096;

/// What a table needs to know of its rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Roles {
    pub(super) id: String,
    pub(super) time: String,
    /// What a time of integers counts.
    pub(super) time_unit: Option<TimeUnit>,
    /// The columns that make a row the same as another one, the id first.
    pub(super) key: Vec<String>,
}

/// A value as it came, before it is held against a column.
#[derive(Clone, Copy, Debug)]
pub(super) enum Value<'a> {
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(&'a str),
    Vector(&'a [f64]),
    Instant(Instant),
    /// Days since 1970-01-01.
    Date(i64),
}

impl Value<'_> {
    /// How a column is held that it is the first value of. Other times than a role's have to come as text or as
    /// numbers: nothing would say later that a number is one.
    fn kind(self) -> Option<Kind> {
        match self {
            Self::Bool(_) => Some(Kind::Bool),
            Self::Int(_) => Some(Kind::Int),
            Self::Float(_) => Some(Kind::Float),
            Self::Text(_) => Some(Kind::Text),
            Self::Vector(_) => Some(Kind::Vector),
            Self::Instant(_) | Self::Date(_) => None,
        }
    }

    fn words(self) -> String {
        const SHOWN: usize = 40;
        match self {
            Self::Bool(value) => value.to_string(),
            Self::Int(value) => value.to_string(),
            Self::Float(value) => value.to_string(),
            Self::Text(text) if text.chars().nth(SHOWN).is_none() => format!("\"{text}\""),
            Self::Text(text) => format!("\"{}…\"", text.chars().take(SHOWN).collect::<String>()),
            Self::Vector(_) => "a list".into(),
            Self::Instant(_) => "an instant".into(),
            Self::Date(_) => "a date".into(),
        }
    }
}

/// How values are written into a column.
#[derive(Clone, Debug, PartialEq)]
enum Target {
    /// The first value decides.
    Open,
    /// Integers until a decimal comes.
    Widening,
    Typed(ColumnType),
    /// Instants as counts since 1970: how many to a second.
    Time {
        per_second: i64,
        numbers: bool,
    },
    /// Instants as text.
    TimeText,
}

/// The rows of one request, as far as they are read.
#[derive(Debug)]
pub(super) struct Intake {
    schema: Arc<TableSchema>,
    roles: Arc<Roles>,
    pub(super) rows: Rows,
    targets: Vec<Target>,
    positions: HashMap<String, usize, RandomState>,
    /// The columns in the order in which the last row named them.
    order: Vec<usize>,
    place_in_order: usize,
    /// How many columns there were before the row, and which of them had no type.
    columns_before: usize,
    typed_in_row: Vec<usize>,
    id: usize,
    time: usize,
    /// The columns that make a row the same as another one.
    key: Vec<usize>,
    ids: Ids,
    pub(super) seen: u64,
    pub(super) duplicates: u64,
    pub(super) errors: RowErrors,
    pub(super) errors_told: usize,
}

impl Intake {
    pub(super) fn new(schema: &Arc<TableSchema>, roles: &Arc<Roles>, errors_told: usize) -> Self {
        let mut intake = Self {
            rows: Rows::default(),
            targets: Vec::new(),
            positions: HashMap::default(),
            order: Vec::new(),
            place_in_order: 0,
            columns_before: 0,
            typed_in_row: Vec::new(),
            id: 0,
            time: 0,
            key: Vec::new(),
            ids: Ids::default(),
            seen: 0,
            duplicates: 0,
            errors: RowErrors::default(),
            errors_told,
            schema: Arc::clone(schema),
            roles: Arc::clone(roles),
        };
        for column in &schema.columns {
            let target = intake.target(&column.name, column.column_type.as_ref(), column.inferred);
            intake.add_column(&column.name, target, column.column_type.as_ref().and_then(ColumnType::kind));
        }
        // All of them are columns that the definition names.
        intake.key = roles.key.iter().filter_map(|name| intake.positions.get(name).copied()).collect();
        intake.id = intake.positions.get(&roles.id).copied().unwrap_or_default();
        intake.time = intake.positions.get(&roles.time).copied().unwrap_or_default();
        intake.begin_row();
        intake
    }

    fn target(&self, name: &str, column_type: Option<&ColumnType>, inferred: bool) -> Target {
        let is_time = name == self.roles.time;
        match column_type {
            None => Target::Open,
            Some(ColumnType::Timestamp { unit, .. }) => {
                Target::Time { per_second: per_second(*unit), numbers: false }
            }
            Some(ColumnType::Int { .. }) if is_time => Target::Time {
                per_second: per_second(self.roles.time_unit.unwrap_or(TimeUnit::Seconds)),
                numbers: true,
            },
            Some(ColumnType::Text) if is_time => Target::TimeText,
            Some(ColumnType::Int { .. }) if inferred => Target::Widening,
            Some(column_type) => Target::Typed(column_type.clone()),
        }
    }

    fn add_column(&mut self, name: &str, target: Target, kind: Option<Kind>) -> usize {
        let at = self.rows.columns.len();
        self.rows.columns.push(Column::new(name, kind, self.rows.count));
        self.targets.push(target);
        self.positions.insert(name.to_owned(), at);
        at
    }

    /// Call it before the first column of a row.
    #[inline]
    pub(super) fn begin_row(&mut self) {
        self.place_in_order = 0;
        self.columns_before = self.rows.columns.len();
        self.typed_in_row.clear();
    }

    /// The column of a name; rows mostly name them in the same order.
    #[inline]
    pub(super) fn column(&mut self, name: &str) -> Result<usize, String> {
        let place = self.place_in_order;
        self.place_in_order += 1;
        if let Some(&at) = self.order.get(place)
            && self.rows.columns[at].name == name
        {
            return Ok(at);
        }
        let at = match self.positions.get(name) {
            Some(at) => *at,
            None if self.schema.closed => return Err(self.unknown(name)),
            None if self.rows.columns.len() >= COLUMNS_MAX || name.len() > usize::from(u16::MAX) => {
                return Err(format!("a table has at most {COLUMNS_MAX} columns"));
            }
            None => self.add_column(name, Target::Open, None),
        };
        self.order.truncate(place);
        self.order.push(at);
        Ok(at)
    }

    fn unknown(&self, name: &str) -> String {
        let names = || self.schema.columns.iter().map(|column| column.name.as_str());
        match nearest(name, names()) {
            Some(near) => format!("the log has no such column; did you mean `{near}`?"),
            None => format!("the log has no such column (it has: {})", listed(names(), 12)),
        }
    }

    /// Whether the row has named the column before.
    #[inline]
    pub(super) fn is_set(&self, column: usize) -> bool {
        self.rows.columns[column].valid.len() > self.rows.count
    }

    #[inline]
    pub(super) fn put_null(&mut self, column: usize) {
        self.rows.columns[column].push_null();
    }

    /// Writes a value of the row into a column.
    #[inline]
    pub(super) fn put(&mut self, at: usize, value: Value<'_>) -> Result<(), String> {
        if matches!(value, Value::Float(number) if !number.is_finite()) {
            return Err(format!("{} is not a finite number; send null", value.words()));
        }
        let column = &mut self.rows.columns[at];
        match (&self.targets[at], value, &mut column.values) {
            (Target::Typed(ColumnType::Float { bits: 64 }), Value::Float(number), Values::Float(values)) => {
                values.push(number);
            }
            (Target::Typed(ColumnType::Float { bits: 64 }), Value::Int(number), Values::Float(values)) => {
                values.push(number as f64);
            }
            (Target::Widening, Value::Int(number), Values::Int(values)) => values.push(number),
            (Target::Typed(ColumnType::Text), Value::Text(text), Values::Text(lists)) => {
                lists.push(text.as_bytes());
            }
            _ => return self.put_checked(at, value),
        }
        column.valid.push(true);
        Ok(())
    }

    /// The cases that are rarer, or need more of a look.
    fn put_checked(&mut self, at: usize, value: Value<'_>) -> Result<(), String> {
        let column = &mut self.rows.columns[at];
        let wrong = |expected: &str| format!("{} is not {expected}", value.words());
        match (&self.targets[at], value) {
            (Target::Open, _) => {
                let kind =
                    value.kind().ok_or_else(|| wrong("a type that a new column can have; send text"))?;
                column.become_kind(kind);
                let column_type = ColumnType::inferred(kind);
                self.targets[at] = self.target(&self.rows.columns[at].name, Some(&column_type), true);
                self.typed_in_row.push(at);
                return self.put(at, value);
            }
            (Target::Widening, Value::Float(_)) => {
                column.become_kind(Kind::Float);
                self.targets[at] = Target::Typed(ColumnType::inferred(Kind::Float));
                return self.put(at, value);
            }
            (Target::Time { per_second, numbers }, value) => {
                let (per_second, numbers) = (*per_second, *numbers);
                let units = match value {
                    Value::Instant(instant) => instant.units(per_second),
                    Value::Text(text) => instant::parse(text).and_then(|instant| instant.units(per_second)),
                    Value::Int(units) if numbers => {
                        Instant::from_units(units, per_second).and_then(|instant| instant.units(per_second))
                    }
                    _ => None,
                };
                let expected = ColumnType::Timestamp { unit: TimeUnit::Microseconds, zone: None }.words();
                self.push_int(at, units.ok_or_else(|| wrong(&expected))?);
            }
            (Target::TimeText, Value::Text(text)) if instant::parse(text).is_some() => {
                self.push_text(at, text);
            }
            (Target::TimeText, _) => {
                let expected = ColumnType::Timestamp { unit: TimeUnit::Microseconds, zone: None }.words();
                return Err(wrong(&expected));
            }
            (Target::Widening, _) => return Err(wrong("a number")),
            (Target::Typed(column_type), _) => {
                match typed(column_type, value).ok_or_else(|| wrong(&column_type.words()))? {
                    Typed::Bool(value) => self.push_bool(at, value),
                    Typed::Int(value) => self.push_int(at, value),
                    Typed::Float(value) => self.push_float(at, value),
                    Typed::Text(value) => self.push_text(at, value),
                    Typed::Vector(value) => self.push_vector(at, value),
                }
            }
        }
        Ok(())
    }

    fn push_bool(&mut self, at: usize, value: bool) {
        if let Values::Bool(values) = &mut self.rows.columns[at].values {
            values.push(value);
            self.rows.columns[at].valid.push(true);
        }
    }

    fn push_int(&mut self, at: usize, value: i64) {
        if let Values::Int(values) = &mut self.rows.columns[at].values {
            values.push(value);
            self.rows.columns[at].valid.push(true);
        }
    }

    fn push_float(&mut self, at: usize, value: f64) {
        if let Values::Float(values) = &mut self.rows.columns[at].values {
            values.push(value);
            self.rows.columns[at].valid.push(true);
        }
    }

    fn push_text(&mut self, at: usize, value: &str) {
        if let Values::Text(lists) = &mut self.rows.columns[at].values {
            lists.push(value.as_bytes());
            self.rows.columns[at].valid.push(true);
        }
    }

    fn push_vector(&mut self, at: usize, value: &[f64]) {
        if let Values::Vector(lists) = &mut self.rows.columns[at].values {
            lists.push(value);
            self.rows.columns[at].valid.push(true);
        }
    }

    /// Ends a row that was read without a mistake: it needs an id and a time, and an id that is new.
    #[inline]
    pub(super) fn end_row(&mut self) {
        for (at, what) in [(self.id, "its id"), (self.time, "its time")] {
            let has_value = self.is_set(at) && self.rows.columns[at].valid[self.rows.count];
            if !has_value {
                let name = self.rows.columns[at].name.clone();
                return self.reject(Some(&name), format!("the row has no `{name}`, {what}"));
            }
        }
        self.seen += 1;
        if self.ids.is_known(&self.rows, &self.key) {
            self.duplicates += 1;
            self.take_back();
        } else {
            self.rows.end_row();
        }
        // What comes before the next row begins is not to take this one back.
        self.begin_row();
    }

    /// Ends a row that has a mistake.
    pub(super) fn reject(&mut self, column: Option<&str>, message: impl Into<String>) {
        self.errors.add(self.seen, column, message, self.errors_told);
        self.seen += 1;
        self.take_back();
    }

    /// Forgets what was read of the row.
    pub(super) fn take_back(&mut self) {
        for column in &self.rows.columns[self.columns_before..] {
            self.positions.remove(&column.name);
        }
        self.rows.undo_row(self.columns_before);
        self.targets.truncate(self.columns_before);
        if self.order.iter().any(|at| *at >= self.columns_before) {
            self.order.clear();
        }
        for at in std::mem::take(&mut self.typed_in_row) {
            if at < self.columns_before {
                self.targets[at] = Target::Open;
                self.rows.columns[at].values = Values::Open;
            }
        }
    }
}

/// A value that a column of a type takes.
enum Typed<'a> {
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(&'a str),
    Vector(&'a [f64]),
}

fn typed<'a>(column_type: &ColumnType, value: Value<'a>) -> Option<Typed<'a>> {
    match (column_type, value) {
        (ColumnType::Bool, Value::Bool(value)) => Some(Typed::Bool(value)),
        (ColumnType::Int { bits, signed }, _) => {
            let value = match value {
                Value::Int(value) => value,
                // Some writers know no integers: 3.0 is one.
                Value::Float(value) if value.fract() == 0.0 && value.abs() <= MOST_EXACT => value as i64,
                _ => return None,
            };
            let fits = match (bits, signed) {
                (64, true) => true,
                (64, false) => value >= 0,
                (bits, true) => (-(1 << (bits - 1))..(1 << (bits - 1))).contains(&value),
                (bits, false) => (0..1 << bits).contains(&value),
            };
            fits.then_some(Typed::Int(value))
        }
        (ColumnType::Float { bits }, Value::Int(_) | Value::Float(_)) => {
            let value = match value {
                Value::Int(value) => value as f64,
                Value::Float(value) => value,
                _ => return None,
            };
            (*bits == 64 || (value as f32).is_finite()).then_some(Typed::Float(value))
        }
        (ColumnType::Text, Value::Text(text)) => Some(Typed::Text(text)),
        (ColumnType::Date, Value::Date(day)) => Some(Typed::Int(day)),
        (ColumnType::Date, Value::Text(text)) => instant::parse_date(text).map(Typed::Int),
        (ColumnType::Vector { .. }, Value::Vector(values)) => {
            values.iter().all(|value| value.is_finite()).then_some(Typed::Vector(values))
        }
        _ => None,
    }
}

/// The largest integer below which all are floats: 2^53.
const MOST_EXACT: f64 = 9_007_199_254_740_992.0;

/// The keys of a request's rows; exact, whatever collides.
#[derive(Debug, Default)]
struct Ids {
    first_of: HashMap<u64, u32, RandomState>,
    /// Rows of another key than the first one with their hash.
    collided: HashMap<u64, Vec<u32>, RandomState>,
    hash: RandomState,
}

impl Ids {
    /// Whether a row before the one that is read now has its key; if not, it is known from here on.
    fn is_known(&mut self, rows: &Rows, key: &[usize]) -> bool {
        let now = rows.count;
        let mut hasher = self.hash.build_hasher();
        for at in key {
            hash_value(&rows.columns[*at], now, &mut hasher);
        }
        let hash = hasher.finish();
        let equals = |row: u32| key.iter().all(|at| is_equal(&rows.columns[*at], row as usize, now));
        match self.first_of.entry(hash) {
            Entry::Vacant(place) => {
                place.insert(now as u32);
                false
            }
            Entry::Occupied(first) if equals(*first.get()) => true,
            Entry::Occupied(_) => {
                let others = self.collided.entry(hash).or_default();
                let known = others.iter().any(|row| equals(*row));
                if !known {
                    others.push(now as u32);
                }
                known
            }
        }
    }
}

fn hash_value(column: &Column, row: usize, hasher: &mut impl Hasher) {
    match &column.values {
        _ if column.valid.get(row) != Some(&true) => hasher.write_u8(0),
        Values::Open => hasher.write_u8(0),
        Values::Bool(values) => hasher.write_u8(1 + u8::from(values[row])),
        Values::Int(values) => hasher.write_i64(values[row]),
        Values::Float(values) => hasher.write_u64(values[row].to_bits()),
        Values::Text(lists) => hasher.write(lists.get(row)),
        Values::Vector(lists) => lists.get(row).iter().for_each(|value| hasher.write_u64(value.to_bits())),
    }
}

fn is_equal(column: &Column, a: usize, b: usize) -> bool {
    let valid = |row: usize| column.valid.get(row) == Some(&true);
    if !valid(a) || !valid(b) {
        return valid(a) == valid(b);
    }
    match &column.values {
        Values::Open => true,
        Values::Bool(values) => values[a] == values[b],
        Values::Int(values) => values[a] == values[b],
        Values::Float(values) => values[a].to_bits() == values[b].to_bits(),
        Values::Text(lists) => lists.get(a) == lists.get(b),
        Values::Vector(lists) => lists.get(a) == lists.get(b),
    }
}
