//! Time: the column that places a row, and the cells that windows are merged from.
//!
//! Windows may overlap (a week, its month, a reference that holds both). Rows are therefore grouped
//! by *cells*, the pieces between neighbouring ends of windows, and a window's answer is the merge
//! of its cells. One scan serves any number of windows.

use std::ops::Range;

use datafusion::arrow::datatypes::{DataType, TimeUnit as ArrowTimeUnit};
use datafusion::common::ScalarValue;
use datafusion::logical_expr::{Expr, cast, ident, lit, try_cast, when};
use datafusion::prelude::DataFrame;
use jiff::Timestamp;
use types::Window;
use types::definition::TimeUnit;
use types::window::Dataset;

use crate::error::EngineError;
use crate::files::is_text;
use crate::sql::CELL;

/// Non-overlapping pieces of time, ascending, that every given window is a run of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Cells {
    cells: Vec<Window>,
}

impl Cells {
    pub(crate) fn of(windows: impl IntoIterator<Item = Window>) -> Self {
        // All are about one dataset here, whichever that is.
        let windows: Vec<Window> = windows.into_iter().map(|window| window.of(Dataset::Log)).collect();
        let mut ends: Vec<Timestamp> = windows.iter().flat_map(|w| [w.from(), w.to()]).collect();
        ends.sort_unstable();
        ends.dedup();
        let cells = ends
            .windows(2)
            .filter_map(|pair| Window::new(pair[0], pair[1]).ok())
            .filter(|cell| windows.iter().any(|window| window.overlap(cell).is_some()))
            .collect();
        Self { cells }
    }

    /// The positions of the cells that make up a window.
    pub(crate) fn within(&self, window: Window) -> Range<usize> {
        let from = self.cells.partition_point(|cell| cell.from() < window.from());
        let to = self.cells.partition_point(|cell| cell.to() <= window.to());
        from..to.max(from)
    }

    pub(crate) fn len(&self) -> usize {
        self.cells.len()
    }
}

/// `2023-10-29 02:30:00 Europe/Berlin`, in SQL: a date, a time, and the name of a zone.
pub(crate) const WITH_ZONE: &str = "____-__-__%:__% _%/%";

/// Whether a text is written as a local time with the name of a zone, as [`WITH_ZONE`] says.
///
/// Such a time can be no instant, or two, through no fault of its form: when clocks are changed. Its row then counts as
/// one without a time, in place of keeping all others from being read.
pub(crate) fn names_a_zone(text: &str) -> bool {
    let date_like = |text: &[u8]| text.len() > 10 && text[4] == b'-' && text[7] == b'-';
    let Some((time, zone)) = text.split_once(':').and_then(|(_, rest)| rest.split_once(' ')) else {
        return false;
    };
    date_like(text.as_bytes()) && time.len() >= 2 && zone.find('/').is_some_and(|at| at > 0)
}

/// The column that places a row in time.
#[derive(Clone, Debug)]
pub(crate) struct TimeAxis {
    column: String,
    data_type: DataType,
    unit: Option<TimeUnit>,
}

impl TimeAxis {
    pub(crate) fn new(column: &str, data_type: &DataType, unit: Option<TimeUnit>) -> Self {
        Self { column: column.to_owned(), data_type: data_type.clone(), unit }
    }

    pub(crate) fn column(&self) -> &str {
        &self.column
    }

    /// The instant of a row, in the type that [`Self::literal`] has too; null where a local time in a zone that it
    /// names is none.
    pub(crate) fn instant(&self) -> Result<Expr, EngineError> {
        let column = ident(self.column.as_str());
        let instants = DataType::Timestamp(ArrowTimeUnit::Microsecond, None);
        Ok(match &self.data_type {
            DataType::Timestamp(..) => column,
            data_type if data_type.is_numeric() => cast(column, DataType::Int64),
            data_type if is_text(data_type) => {
                let is_none = self.names_a_zone().and(try_cast(column.clone(), instants.clone()).is_null());
                let nothing = cast(lit(ScalarValue::Null), data_type.clone());
                cast(when(is_none, nothing).otherwise(column)?, instants)
            }
            _ => cast(column, instants),
        })
    }

    /// Whether a row's time is text that [`names_a_zone`].
    fn names_a_zone(&self) -> Expr {
        ident(self.column.as_str()).like(lit(WITH_ZONE))
    }

    /// An instant to compare [`Self::instant`] with; rounded up to the column's unit, so that
    /// `instant < literal` and `instant >= literal` mean the same as for the exact instant.
    pub(crate) fn literal(&self, at: Timestamp) -> Expr {
        let nanoseconds = at.as_nanosecond();
        // An instant beyond the column's range compares like the end of that range.
        let clamped = |units: i128| units.clamp(i64::MIN.into(), i64::MAX.into()) as i64;
        let units = |per: i128| Some(clamped((nanoseconds + per - 1).div_euclid(per)));
        match &self.data_type {
            DataType::Timestamp(unit, zone) => {
                let zone = zone.clone();
                lit(match unit {
                    ArrowTimeUnit::Second => ScalarValue::TimestampSecond(units(1_000_000_000), zone),
                    ArrowTimeUnit::Millisecond => ScalarValue::TimestampMillisecond(units(1_000_000), zone),
                    ArrowTimeUnit::Microsecond => ScalarValue::TimestampMicrosecond(units(1_000), zone),
                    ArrowTimeUnit::Nanosecond => ScalarValue::TimestampNanosecond(units(1), zone),
                })
            }
            data_type if data_type.is_numeric() => lit(ScalarValue::Int64(match self.unit {
                Some(TimeUnit::Milliseconds) => units(1_000_000),
                Some(TimeUnit::Microseconds) => units(1_000),
                Some(TimeUnit::Nanoseconds) => units(1),
                Some(TimeUnit::Seconds) | None => units(1_000_000_000),
            })),
            _ => lit(ScalarValue::TimestampMicrosecond(units(1_000), None)),
        }
    }

    /// The jiff instant of a value of [`Self::instant`].
    pub(crate) fn timestamp(&self, value: &ScalarValue) -> Option<Timestamp> {
        let nanoseconds = match value {
            ScalarValue::TimestampSecond(Some(v), _) => i128::from(*v) * 1_000_000_000,
            ScalarValue::TimestampMillisecond(Some(v), _) => i128::from(*v) * 1_000_000,
            ScalarValue::TimestampMicrosecond(Some(v), _) => i128::from(*v) * 1_000,
            ScalarValue::TimestampNanosecond(Some(v), _) => i128::from(*v),
            ScalarValue::Int64(Some(v)) => {
                i128::from(*v)
                    * match self.unit {
                        Some(TimeUnit::Milliseconds) => 1_000_000,
                        Some(TimeUnit::Microseconds) => 1_000,
                        Some(TimeUnit::Nanoseconds) => 1,
                        Some(TimeUnit::Seconds) | None => 1_000_000_000,
                    }
            }
            _ => return None,
        };
        Timestamp::from_nanosecond(nanoseconds).ok()
    }

    /// All rows, with their instant and the day (UTC, counted from 1970-01-01) that it lies in.
    pub(crate) fn with_day(&self, table: DataFrame) -> Result<DataFrame, EngineError> {
        let per_day = self.units_of_a_day();
        let units = cast(self.instant()?, DataType::Int64);
        // Division rounds towards zero; days before 1970 must round down too.
        let into_day = ((units.clone() % lit(per_day)) + lit(per_day)) % lit(per_day);
        let day = (units - into_day) / lit(per_day);
        let rows = table.with_column("__instant", self.instant()?)?.with_column("__day", day)?;
        let written = ident(self.column.as_str()).is_not_null();
        let no_instant = when(written.and(ident("__instant").is_null()), lit(1_i64)).otherwise(lit(0_i64))?;
        Ok(rows.with_column("__local", self.is_local()?)?.with_column("__no_instant", no_instant)?)
    }

    /// 1 where a row's time is text without an offset from UTC or a zone, else 0.
    fn is_local(&self) -> Result<Expr, EngineError> {
        if !is_text(&self.data_type) {
            return Ok(lit(0_i64));
        }
        let text = || cast(ident(self.column.as_str()), DataType::Utf8);
        // An hour with two or four digits after a sign, at the end; a date has no colon before its dashes.
        let offsets = ["%Z", "%z", "%:%+__:__", "%:%-__:__", "%:%+____", "%:%-____", "%:%+__", "%:%-__"];
        let any = offsets.into_iter().map(|offset| text().like(lit(offset))).reduce(Expr::or);
        let any = any.unwrap_or_else(|| lit(false)).or(self.names_a_zone());
        Ok(when(any, lit(0_i64)).otherwise(lit(1_i64))?)
    }

    /// The units of [`Self::instant`] in a day.
    pub(crate) fn units_of_a_day(&self) -> i64 {
        let per_second = match (&self.data_type, self.unit) {
            (DataType::Timestamp(ArrowTimeUnit::Second, _), _) => 1,
            (DataType::Timestamp(ArrowTimeUnit::Millisecond, _), _) => 1_000,
            (DataType::Timestamp(ArrowTimeUnit::Microsecond, _), _) => 1_000_000,
            (DataType::Timestamp(ArrowTimeUnit::Nanosecond, _), _) => 1_000_000_000,
            (data_type, unit) if data_type.is_numeric() => match unit {
                Some(TimeUnit::Milliseconds) => 1_000,
                Some(TimeUnit::Microseconds) => 1_000_000,
                Some(TimeUnit::Nanoseconds) => 1_000_000_000,
                Some(TimeUnit::Seconds) | None => 1,
            },
            _ => 1_000_000,
        };
        86_400 * per_second
    }

    /// What places a row in time, as a part of the key of what is kept of days.
    pub(crate) fn key(&self) -> String {
        format!("{} {} {:?}", self.column, self.data_type, self.unit)
    }

    /// The rows of the cells, with the position of each row's cell.
    pub(crate) fn in_cells(&self, table: DataFrame, cells: &Cells) -> Result<DataFrame, EngineError> {
        let instant = self.instant()?;
        let within = |cell: &Window| {
            instant.clone().gt_eq(self.literal(cell.from())).and(instant.clone().lt(self.literal(cell.to())))
        };
        let Some(any) = cells.cells.iter().map(within).reduce(Expr::or) else {
            return Err(EngineError::Query("there is no window to look at".into()));
        };
        let rows = table.filter(any)?;
        let mut cell_of_row = when(within(&cells.cells[0]), lit(0_i32));
        for (at, cell) in cells.cells.iter().enumerate().skip(1) {
            cell_of_row = cell_of_row.when(within(cell), lit(at as i32));
        }
        let cell_of_row = cell_of_row.end()?;
        Ok(rows.with_column(CELL, cell_of_row)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window(text: &str) -> Window {
        text.parse().unwrap()
    }

    #[test]
    fn a_window_is_the_run_of_its_cells() {
        let reference = window("2013-01-01/2013-05-01");
        let week = window("2013-04-22/2013-04-29");
        let later = window("2013-06-03/2013-06-10");
        let cells = Cells::of([reference, week, later]);
        // Reference before, the week itself, reference after, the later week; no gap between.
        assert_eq!(cells.len(), 4);
        assert_eq!(cells.within(reference), 0..3);
        assert_eq!(cells.within(week), 1..2);
        assert_eq!(cells.within(later), 3..4);
    }

    #[test]
    fn a_local_time_with_the_name_of_a_zone_is_told_from_other_texts() {
        for text in ["2023-10-29 02:30:00 Europe/Berlin", "2023-10-29T02:30 America/Indiana/Knox"] {
            assert!(names_a_zone(text), "{text}");
        }
        for text in [
            "2023-10-29 02:30:00",
            "2023-10-29T02:30:00+01:00[Europe/Berlin]",
            "2023-10-29 02:30:00 +01:00",
            "29/10/2023 02:30:00",
            "yesterday, 2:30 in the Europe/Berlin zone",
            "",
        ] {
            assert!(!names_a_zone(text), "{text}");
        }
    }

    #[test]
    fn a_literal_is_rounded_up_to_the_columns_unit() {
        let axis = TimeAxis::new("t", &DataType::Int64, Some(TimeUnit::Seconds));
        let at: Timestamp = "1970-01-01T00:00:01.5Z".parse().unwrap();
        assert_eq!(axis.literal(at), lit(ScalarValue::Int64(Some(2))));
        let before: Timestamp = "1969-12-31T23:59:58.5Z".parse().unwrap();
        assert_eq!(axis.literal(before), lit(ScalarValue::Int64(Some(-1))));
    }
}
