//! Rows by column, as they come in: they can be taken back to the start of a row, and joined.
//!
//! Five kinds of values are enough for a log; what a column is in the files (32 bits, milliseconds) is said by
//! its [`ColumnType`](super::schema::ColumnType) and applied when files are written.

/// The values of a column. Where a row has none, a value that means nothing keeps the place.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Values {
    /// None so far, in any row.
    Open,
    Bool(Vec<bool>),
    Int(Vec<i64>),
    Float(Vec<f64>),
    Text(Lists<u8>),
    Vector(Lists<f64>),
}

/// Lists of different lengths, one after the other.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Lists<T> {
    /// Where each ends.
    pub(super) ends: Vec<u32>,
    pub(super) items: Vec<T>,
}

impl<T> Default for Lists<T> {
    fn default() -> Self {
        Self { ends: Vec::new(), items: Vec::new() }
    }
}

impl<T: Copy> Lists<T> {
    pub(super) fn push(&mut self, items: &[T]) {
        self.items.extend_from_slice(items);
        self.ends.push(self.items.len() as u32);
    }

    fn start(&self, at: usize) -> usize {
        if at == 0 { 0 } else { self.ends[at - 1] as usize }
    }

    pub(super) fn get(&self, at: usize) -> &[T] {
        &self.items[self.start(at)..self.ends[at] as usize]
    }

    fn truncate(&mut self, rows: usize) {
        if rows < self.ends.len() {
            self.items.truncate(self.start(rows));
            self.ends.truncate(rows);
        }
    }

    fn extend(&mut self, other: &Self) {
        let before = self.items.len() as u32;
        self.items.extend_from_slice(&other.items);
        self.ends.extend(other.ends.iter().map(|end| before + end));
    }
}

/// The kinds of values, as [`Values`] has them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Bool,
    Int,
    Float,
    Text,
    Vector,
}

impl Values {
    fn of(kind: Kind, rows: usize) -> Self {
        let mut values = match kind {
            Kind::Bool => Self::Bool(Vec::new()),
            Kind::Int => Self::Int(Vec::new()),
            Kind::Float => Self::Float(Vec::new()),
            Kind::Text => Self::Text(Lists::default()),
            Kind::Vector => Self::Vector(Lists::default()),
        };
        values.fill(rows);
        values
    }

    pub(super) fn kind(&self) -> Option<Kind> {
        match self {
            Self::Open => None,
            Self::Bool(_) => Some(Kind::Bool),
            Self::Int(_) => Some(Kind::Int),
            Self::Float(_) => Some(Kind::Float),
            Self::Text(_) => Some(Kind::Text),
            Self::Vector(_) => Some(Kind::Vector),
        }
    }

    fn fill(&mut self, rows: usize) {
        match self {
            Self::Open => {}
            Self::Bool(values) => values.resize(rows, false),
            Self::Int(values) => values.resize(rows, 0),
            Self::Float(values) => values.resize(rows, 0.0),
            Self::Text(lists) => lists.ends.resize(rows, lists.items.len() as u32),
            Self::Vector(lists) => lists.ends.resize(rows, lists.items.len() as u32),
        }
    }

    fn truncate(&mut self, rows: usize) {
        match self {
            Self::Open => {}
            Self::Bool(values) => values.truncate(rows),
            Self::Int(values) => values.truncate(rows),
            Self::Float(values) => values.truncate(rows),
            Self::Text(lists) => lists.truncate(rows),
            Self::Vector(lists) => lists.truncate(rows),
        }
    }
}

/// One column. It may be a row longer than the others while a row is read.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Column {
    pub(super) name: String,
    pub(super) valid: Vec<bool>,
    pub(super) values: Values,
}

impl Column {
    pub(super) fn new(name: impl Into<String>, kind: Option<Kind>, rows: usize) -> Self {
        let values = kind.map_or(Values::Open, |kind| Values::of(kind, rows));
        Self { name: name.into(), valid: vec![false; rows], values }
    }

    /// Gives a column without values a kind, or turns integers into floats. Nothing else changes.
    pub(super) fn become_kind(&mut self, kind: Kind) {
        match (&self.values, kind) {
            (Values::Open, _) => self.values = Values::of(kind, self.valid.len()),
            (Values::Int(values), Kind::Float) => {
                self.values = Values::Float(values.iter().map(|value| *value as f64).collect());
            }
            _ => {}
        }
    }

    #[inline]
    pub(super) fn push_null(&mut self) {
        self.valid.push(false);
        self.values.fill(self.valid.len());
    }

    fn truncate(&mut self, rows: usize) {
        self.valid.truncate(rows);
        self.values.truncate(rows);
    }

    /// Appends the rows of a column of the same kind, or of one that [`Self::become_kind`] turns into it.
    /// `false` where it is of another.
    fn extend(&mut self, mut other: Self) -> bool {
        if let Some(kind) = other.values.kind() {
            self.become_kind(kind);
        }
        if let Some(kind) = self.values.kind() {
            other.become_kind(kind);
        }
        match (&mut self.values, &other.values) {
            (Values::Open, Values::Open) => {}
            (Values::Bool(values), Values::Bool(more)) => values.extend_from_slice(more),
            (Values::Int(values), Values::Int(more)) => values.extend_from_slice(more),
            (Values::Float(values), Values::Float(more)) => values.extend_from_slice(more),
            (Values::Text(values), Values::Text(more)) => values.extend(more),
            (Values::Vector(values), Values::Vector(more)) => values.extend(more),
            _ => return false,
        }
        self.valid.extend_from_slice(&other.valid);
        true
    }
}

/// Rows of a table. All columns have as many rows as it says, but while one is read.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Rows {
    pub(super) columns: Vec<Column>,
    pub(super) count: usize,
}

impl Rows {
    /// Ends a row: columns that it did not name have no value in it.
    #[inline]
    pub(super) fn end_row(&mut self) {
        self.count += 1;
        for column in &mut self.columns {
            if column.valid.len() < self.count {
                column.push_null();
            }
        }
    }

    /// Takes back what was written of a row, and the columns that came with it.
    pub(super) fn undo_row(&mut self, columns: usize) {
        self.columns.truncate(columns);
        for column in &mut self.columns {
            if column.valid.len() > self.count {
                column.truncate(self.count);
            }
        }
    }

    /// Appends rows; columns are matched by name, and those that are new have no value before. Where a column is
    /// of another kind, its name is returned, and the rows are of no use any more.
    pub(super) fn extend(&mut self, other: Self) -> Result<(), String> {
        let before = self.count;
        self.count += other.count;
        for (at, more) in other.columns.into_iter().enumerate() {
            // Mostly the columns stand in the same order.
            let same = self.columns.get(at).is_some_and(|column| column.name == more.name);
            let known =
                if same { Some(at) } else { self.columns.iter().position(|column| column.name == more.name) };
            let known = known.unwrap_or_else(|| {
                self.columns.push(Column::new(more.name.clone(), more.values.kind(), before));
                self.columns.len() - 1
            });
            let name = more.name.clone();
            if !self.columns[known].extend(more) {
                return Err(name);
            }
        }
        for column in &mut self.columns {
            column.valid.resize(self.count, false);
            column.values.fill(self.count);
        }
        Ok(())
    }

    /// Bytes in memory, about.
    pub(super) fn bytes(&self) -> usize {
        let of_column = |column: &Column| {
            let values = match &column.values {
                Values::Open => 0,
                Values::Bool(values) => values.len(),
                Values::Int(values) => values.len() * 8,
                Values::Float(values) => values.len() * 8,
                Values::Text(lists) => lists.ends.len() * 4 + lists.items.len(),
                Values::Vector(lists) => lists.ends.len() * 4 + lists.items.len() * 8,
            };
            values + column.valid.len()
        };
        self.columns.iter().map(of_column).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ints(name: &str, values: &[Option<i64>]) -> Column {
        Column {
            name: name.into(),
            valid: values.iter().map(Option::is_some).collect(),
            values: Values::Int(values.iter().map(|value| value.unwrap_or(0)).collect()),
        }
    }

    fn texts(name: &str, values: &[&str]) -> Column {
        let mut column = Column::new(name, Some(Kind::Text), 0);
        for value in values {
            column.valid.push(true);
            if let Values::Text(lists) = &mut column.values {
                lists.push(value.as_bytes());
            }
        }
        column
    }

    #[test]
    fn a_row_taken_back_leaves_nothing() {
        let mut rows = Rows { columns: vec![ints("a", &[Some(1)]), texts("b", &["x"])], count: 1 };
        let before = rows.clone();
        let Values::Text(lists) = &mut rows.columns[1].values else { panic!("not text") };
        lists.push(b"torn");
        rows.columns[1].valid.push(true);
        rows.columns.push(Column::new("new", Some(Kind::Float), 1));
        rows.undo_row(2);
        assert_eq!(rows, before);
    }

    #[test]
    fn rows_are_joined_by_name_and_integers_become_floats_where_they_meet_them() {
        let mut rows = Rows { columns: vec![ints("a", &[Some(1), None])], count: 2 };
        let float = Column { name: "a".into(), valid: vec![true], values: Values::Float(vec![0.5]) };
        rows.extend(Rows { columns: vec![texts("b", &["x"]), float], count: 1 }).unwrap();
        assert_eq!(rows.count, 3);
        assert_eq!(rows.columns[0].values, Values::Float(vec![1.0, 0.0, 0.5]));
        assert_eq!(rows.columns[0].valid, [true, false, true]);
        assert_eq!(rows.columns[1].valid, [false, false, true]);
        let Values::Text(lists) = &rows.columns[1].values else { panic!("not text") };
        assert_eq!((lists.get(0), lists.get(2)), (&b""[..], &b"x"[..]));
        assert_eq!(rows.extend(Rows { columns: vec![texts("a", &["x"])], count: 1 }), Err("a".into()));
    }
}
