//! One scan for everything that needs outcomes: scores by class, by segment, and how they met.

use std::collections::{BTreeMap, HashMap};

use datafusion::arrow::array::{Array, AsArray, RecordBatch};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Int32Type, Int64Type};
use datafusion::functions_aggregate::expr_fn::count;
use datafusion::logical_expr::Expr;
use datafusion::prelude::DataFrame;
use jiff::Timestamp;
use stats::sketch::{Fidelity, Profile};
use types::answer::{Coverage, ScoredGroup};
use types::definition::{Output, Segment};
use types::outcomes::{TaskGroup, TaskOutcomes};
use types::{Answer, Answers, Question, Window};

use crate::aggregate::{
    ClassifiedSummary, ErrorsSummary, NumbersSummary, ScoredSummary, Summary, decode, function_name,
};
use crate::cells::{Cells, TimeAxis, WITH_ZONE};
use crate::error::{EngineError, first_line};
use crate::files::is_text;
use crate::open::{LOG, Log, OUTCOMES, REFERENCE};
use crate::sql::{CELL, quoted, segment_column};
use crate::truth::{self, Truth};

/// Answers the questions about outcomes by one pass over predictions joined with outcomes.
pub(crate) fn answer(
    log: &Log<'_>,
    fidelity: Fidelity,
    questions: &[Question],
    as_of: Timestamp,
    answers: &mut Answers,
) -> Result<(), EngineError> {
    let mut segments: Vec<&Segment> = Vec::new();
    let mut wanted: Vec<&Question> = Vec::new();
    for question in questions {
        match question {
            Question::ScoredOutcomes { by, .. } => {
                segments.extend(by.as_ref().filter(|segment| !segments.contains(segment)));
                wanted.push(question);
            }
            Question::Coverage { .. } | Question::Delays { .. } | Question::Outcomes { .. } => {
                wanted.push(question);
            }
            Question::Profile { .. }
            | Question::Identity { .. }
            | Question::DailyLosses { .. }
            | Question::Sample { .. }
            | Question::Cases { .. } => {}
        }
    }
    if wanted.is_empty() {
        return Ok(());
    }
    let cells = Cells::of(wanted.iter().map(|question| question.window()));
    let batches = joined(log, fidelity, &cells, &segments, as_of)?;
    let groups = groups(&batches, segments.len(), log.roles.output())?;
    for question in wanted {
        let within = cells.within(question.window());
        let all_rows = |cell: &usize| groups.get(&(None, None)).and_then(|cells| cells.get(cell));
        let answer = match question {
            Question::ScoredOutcomes { by, .. } => {
                let at = by.as_ref().and_then(|by| segments.iter().position(|segment| *segment == by));
                grouped(log, &groups, within, at, fidelity)?
            }
            Question::Delays { .. } | Question::Outcomes { .. } => {
                let is_delay = matches!(question, Question::Delays { .. });
                let mut numbers = NumbersSummary::new(fidelity);
                for group in within.filter_map(|cell| all_rows(&cell)) {
                    let part = if is_delay { Some(&group.delays) } else { group.outcomes.as_ref() };
                    if let Some(part) = part {
                        numbers.merge(decode(part)?);
                    }
                }
                Answer::Profile(Profile::Numeric(numbers.0))
            }
            _ => {
                let mut coverage = Coverage::default();
                within
                    .filter_map(|cell| all_rows(&cell))
                    .for_each(|group| add(&mut coverage, &group.coverage));
                if matches!(question, Question::Coverage { orphans: true, .. }) {
                    coverage.orphan_outcomes = orphans(log, question.window(), as_of)?;
                }
                Answer::Coverage(coverage)
            }
        };
        answers.insert(question.clone(), answer);
    }
    Ok(())
}

/// The encoded scores, delays and numbers that came out, and the counts of one group of one cell.
struct Group {
    scores: Vec<u8>,
    delays: Vec<u8>,
    /// Only where the task is to predict a number.
    outcomes: Option<Vec<u8>>,
    coverage: Coverage,
}

/// By segment (its position; `None` for all rows) and value, then by cell.
type Groups = HashMap<(Option<usize>, Option<String>), BTreeMap<usize, Group>>;

/// The column of the query's result at which the counts begin: after cell, scores and delays.
const FIRST_COUNT: usize = 3;

/// The counts that the query returns for each group, in order.
const COUNTS: [(&str, &str); 8] = [
    ("predictions", "count(*)"),
    ("with_outcome", "count(*) FILTER (WHERE outcome IS NOT NULL)"),
    ("without_outcome", "count(*) FILTER (WHERE copies IS NULL)"),
    ("repeated", "count(*) FILTER (WHERE copies > 1)"),
    ("contradictory", "count(*) FILTER (WHERE contradictory)"),
    ("early", "count(*) FILTER (WHERE early)"),
    // Where two outcomes contradict each other and nothing says which is later, that is the reason.
    (
        "unusable",
        "count(*) FILTER (WHERE copies IS NOT NULL AND outcome IS NULL AND NOT coalesce(contradictory, false))",
    ),
    ("undecided", "count(*) FILTER (WHERE undecided)"),
];

fn joined(
    log: &Log<'_>,
    fidelity: Fidelity,
    cells: &Cells,
    segments: &[&Segment],
    as_of: Timestamp,
) -> Result<Vec<RecordBatch>, EngineError> {
    const ROWS: &str = "predictions_in_cells";
    let axis = log.time_axis();
    let table = log.engine.runtime.block_on(log.context.table(LOG))?;
    let mut rows = axis.in_cells(table, cells)?.with_column("__instant", axis.instant()?)?;
    for (at, segment) in segments.iter().enumerate() {
        let expression = segment_expression(&rows, segment)?;
        rows = rows.with_column(&segment_column(at), expression)?;
    }
    log.context.register_table(ROWS, rows.into_view())?;
    let passed_on: Vec<String> = (0..segments.len()).map(segment_column).collect();
    let rows = with_outcomes_sql(log, ROWS, &passed_on, as_of, None);
    let sql = grouped_sql(log, &rows, fidelity, segments.len());
    let query = log.engine.runtime.block_on(log.context.sql(&sql));
    let batches = query.map_err(EngineError::from).and_then(|query| log.collect(query));
    log.context.deregister_table(ROWS)?;
    batches.map_err(|error| failing_segment(log, segments).unwrap_or_else(|| log.explain_time(error)))
}

/// The segment whose expression fails on some row, where that is why a query failed.
pub(crate) fn failing_segment(log: &Log<'_>, segments: &[&Segment]) -> Option<EngineError> {
    segments.iter().find_map(|segment| {
        let table = log.engine.runtime.block_on(log.context.table(LOG)).ok()?;
        let expression = segment_expression(&table, segment).ok()?;
        let counted = table.aggregate(vec![], vec![count(expression)]).ok()?;
        match log.collect(counted) {
            Err(EngineError::Query(reason)) => {
                Some(EngineError::BadSegment { segment: segment.name.clone(), reason })
            }
            _ => None,
        }
    })
}

/// The value of a segment as text, over the columns of a table.
pub(crate) fn segment_expression(table: &DataFrame, segment: &Segment) -> Result<Expr, EngineError> {
    let sql = segment.sql.clone().unwrap_or_else(|| quoted(&segment.name));
    let bad = |reason: String| EngineError::BadSegment { segment: segment.name.clone(), reason };
    let parsed = table
        .parse_sql_expr(&format!("CAST(({sql}) AS VARCHAR)"))
        .map_err(|error| bad(first_line(&error.strip_backtrace())))?;
    // Planned on its own, so that a wrong type or function is found here and not in the big query.
    table.clone().select(vec![parsed.clone()]).map_err(|error| bad(first_line(&error.strip_backtrace())))?;
    Ok(parsed)
}

/// Predictions with `outcome`, `copies`, `contradictory`, `undecided`, `early` and `delay` (in days), and with the
/// columns that are `passed_on`. `only` restricts the outcomes before they are put together by id.
pub(crate) fn with_outcomes_sql(
    log: &Log<'_>,
    rows: &str,
    passed_on: &[String],
    as_of: Timestamp,
    only: Option<&str>,
) -> String {
    let segment_columns: String = passed_on.iter().map(|column| format!(", p.{column}")).collect();
    let Truth { label, ordered, agreed, type_name, predictions } = Truth::of(log, log.roles.outcome.as_ref());
    let Some(outcome) = &log.roles.outcome else {
        return format!(
            "SELECT p.{CELL}{segment_columns}, {predictions}, CAST(NULL AS {type_name}) AS outcome, \
             CAST(NULL AS BIGINT) AS copies, false AS contradictory, false AS undecided, false AS early, \
             CAST(NULL AS DOUBLE) AS delay \
             FROM {rows} p"
        );
    };
    let predicted_day =
        format!("CAST(p.__instant AS BIGINT) / {:e}", log.time_axis().units_of_a_day() as f64);
    let known = known_sql(log, as_of);
    if outcome.path.is_none() {
        let seen = known.clone().map_or("true".into(), |known| known.seen);
        let early = known.clone().map_or("false".into(), |known| format!("({} < __instant)", known.instant));
        let delay = known.map_or("CAST(NULL AS DOUBLE)".into(), |known| {
            format!("CASE WHEN {} THEN {} - {predicted_day} END", known.seen, known.day(&known.instant))
        });
        return format!(
            "SELECT p.{CELL}{segment_columns}, {predictions}, \
             CASE WHEN {seen} THEN {label} END AS outcome, \
             CASE WHEN {column} IS NOT NULL AND {seen} THEN 1 END AS copies, \
             false AS contradictory, false AS undecided, {early} AS early, {delay} AS delay FROM {rows} p",
            column = quoted(&outcome.column),
        );
    }
    let log_id = quoted(log.roles.id.as_deref().unwrap_or_default());
    let id = outcome.id.as_deref().map_or(log_id.clone(), quoted);
    let delay = known.as_ref().map_or("CAST(NULL AS DOUBLE)".to_owned(), |known| {
        format!("{} - {predicted_day}", known.day("o.first_known"))
    });
    let only = only.map(|only| format!(" AND {id} IN ({only})")).unwrap_or_default();
    let (latest, undecided, first_known, seen) = match known {
        Some(known) => (
            // Of two that became known at once the positive one (the last class, the larger number) counts,
            // whatever the order of the rows.
            format!(
                "last_value({label} ORDER BY {} ASC NULLS FIRST, {label} ASC NULLS FIRST)",
                known.instant
            ),
            // The other end of those that became known last.
            format!(
                "last_value({label} ORDER BY {0} ASC NULLS FIRST, {label} ASC NULLS FIRST) \
                 <> first_value({label} ORDER BY {0} DESC NULLS LAST, {label} ASC NULLS LAST)",
                known.instant
            ),
            format!("min({})", known.instant),
            known.seen,
        ),
        // Without a time nothing says which of two contradictory outcomes is the later one.
        None => (
            format!("CASE WHEN min({ordered}) = max({ordered}) THEN {agreed} END"),
            "false".to_owned(),
            "NULL".to_owned(),
            "true".to_owned(),
        ),
    };
    let early =
        if first_known == "NULL" { "false".to_owned() } else { "o.first_known < p.__instant".to_owned() };
    format!(
        "SELECT p.{CELL}{segment_columns}, {predictions}, o.outcome, o.copies, o.contradictory, o.undecided, \
         {early} AS early, {delay} AS delay \
         FROM {rows} p LEFT JOIN (\
           SELECT {id} AS id, count(*) AS copies, {latest} AS outcome, {first_known} AS first_known, \
             min({ordered}) <> max({ordered}) AS contradictory, {undecided} AS undecided \
           FROM {OUTCOMES} WHERE {id} IS NOT NULL AND {seen}{only} GROUP BY {id}\
         ) o ON p.{log_id} = o.id"
    )
}

#[derive(Clone)]
struct Known {
    /// When an outcome became known, comparable with the log's instants.
    instant: String,
    /// Whether that was in time.
    seen: String,
    /// Units of `instant` in a day.
    units_of_a_day: f64,
}

impl Known {
    /// An instant of this kind, counted in days since 1970-01-01.
    fn day(&self, instant: &str) -> String {
        format!("CAST({instant} AS BIGINT) / {:e}", self.units_of_a_day)
    }
}

fn known_sql(log: &Log<'_>, as_of: Timestamp) -> Option<Known> {
    let outcome = log.roles.outcome.as_ref()?;
    let column = outcome.time.as_deref()?;
    let schema = log.outcomes.as_ref().map_or(&log.log.schema, |outcomes| &outcomes.schema);
    let data_type = schema.field_with_name(column).ok()?.data_type();
    let quoted = quoted(column);
    if data_type.is_numeric() {
        let axis = log.time_axis_of(column, data_type);
        let Expr::Literal(value, _) = axis.literal(as_of) else { return None };
        let instant = format!("CAST({quoted} AS BIGINT)");
        let units_of_a_day = axis.units_of_a_day() as f64;
        return Some(Known { seen: format!("{instant} <= {value}"), instant, units_of_a_day });
    }
    // A date says that it was known some time that day: surely at its end.
    let instant = if matches!(data_type, DataType::Date32 | DataType::Date64) {
        format!("CAST({quoted} + INTERVAL '1 day' AS TIMESTAMP)")
    } else if is_text(data_type) {
        format!(
            "CAST(CASE WHEN {quoted} LIKE '{WITH_ZONE}' AND TRY_CAST({quoted} AS TIMESTAMP) IS NULL \
             THEN NULL ELSE {quoted} END AS TIMESTAMP)"
        )
    } else {
        format!("CAST({quoted} AS TIMESTAMP)")
    };
    let seen = format!("{instant} <= CAST('{as_of}' AS TIMESTAMP)");
    // SQL's TIMESTAMP counts nanoseconds.
    Some(Known { instant, seen, units_of_a_day: 86_400e9 })
}

fn grouped_sql(log: &Log<'_>, rows: &str, fidelity: Fidelity, segments: usize) -> String {
    let scored = truth::aggregate_sql(log, fidelity);
    let numbers = function_name::<NumbersSummary>(fidelity);
    let columns: Vec<String> = (0..segments).map(segment_column).collect();
    let sets: String = columns.iter().map(|column| format!(", ({CELL}, {column})")).collect();
    let values: String = columns.iter().map(|column| format!(", {column}, grouping({column})")).collect();
    let counts: String = COUNTS.iter().map(|(name, sql)| format!(", {sql} AS {name}")).collect();
    let outcomes = match log.roles.output() {
        Output::Number(_) => format!(", {numbers}(outcome) AS outcomes"),
        Output::Score(_) | Output::Probabilities { .. } => String::new(),
    };
    format!(
        "SELECT {CELL}, {scored} AS scores, {numbers}(delay) AS delays{counts}{values}{outcomes} FROM ({rows}) \
         GROUP BY GROUPING SETS (({CELL}){sets})"
    )
}

fn groups(batches: &[RecordBatch], segments: usize, output: Output<'_>) -> Result<Groups, EngineError> {
    let mut groups = Groups::new();
    for batch in batches {
        let cells = batch.column(0).as_primitive::<Int32Type>();
        let scores = batch.column(1).as_binary::<i64>();
        let delays = batch.column(2).as_binary::<i64>();
        let counts: Vec<_> = (0..COUNTS.len())
            .map(|at| cast(batch.column(FIRST_COUNT + at), &DataType::Int64))
            .collect::<Result<_, _>>()
            .map_err(|error| EngineError::Query(error.to_string()))?;
        let first_segment = FIRST_COUNT + COUNTS.len();
        let outcomes = match output {
            Output::Number(_) => Some(batch.column(first_segment + 2 * segments).as_binary::<i64>()),
            Output::Score(_) | Output::Probabilities { .. } => None,
        };
        for row in 0..batch.num_rows() {
            let count = |at: usize| counts[at].as_primitive::<Int64Type>().value(row) as u64;
            let coverage = Coverage {
                predictions: count(0),
                with_outcome: count(1),
                without_outcome: count(2),
                unusable_outcomes: count(6),
                repeated_outcomes: count(3),
                contradictory_outcomes: count(4),
                undecided_outcomes: count(7),
                early_outcomes: count(5),
                orphan_outcomes: 0,
            };
            let mut key = (None, None);
            for at in 0..segments {
                let grouped = cast(batch.column(first_segment + 2 * at + 1), &DataType::Int64)
                    .map_err(|error| EngineError::Query(error.to_string()))?;
                if grouped.as_primitive::<Int64Type>().value(row) == 0 {
                    let texts = cast(batch.column(first_segment + 2 * at), &DataType::Utf8)
                        .map_err(|error| EngineError::Query(error.to_string()))?;
                    let texts = texts.as_string::<i32>();
                    key = (Some(at), texts.is_valid(row).then(|| texts.value(row).to_owned()));
                }
            }
            let group = Group {
                scores: scores.value(row).to_vec(),
                delays: delays.value(row).to_vec(),
                outcomes: outcomes.map(|outcomes| outcomes.value(row).to_vec()),
                coverage,
            };
            groups.entry(key).or_default().insert(cells.value(row) as usize, group);
        }
    }
    Ok(groups)
}

/// Predictions with outcomes by the value of a segment, as the task has them.
fn grouped(
    log: &Log<'_>,
    groups: &Groups,
    within: std::ops::Range<usize>,
    segment: Option<usize>,
    fidelity: Fidelity,
) -> Result<Answer, EngineError> {
    Ok(match log.roles.output() {
        Output::Score(_) => {
            let group = |(value, scored): (Option<String>, ScoredSummary)| {
                let (scores, invalid_scores) = scored.into_scores()?;
                Ok(ScoredGroup { value, scores, invalid_scores })
            };
            let merged = merged_groups(groups, within, segment, fidelity)?;
            Answer::ScoredOutcomes(merged.into_iter().map(group).collect::<Result<_, EngineError>>()?)
        }
        Output::Probabilities { scores, .. } => {
            let group = |(value, classified): (Option<String>, ClassifiedSummary)| TaskGroup {
                value,
                invalid: classified.invalid,
                outcomes: TaskOutcomes::Multiclass(classified.into_rows(scores.len())),
            };
            let merged = merged_groups(groups, within, segment, fidelity)?;
            Answer::TaskOutcomes(merged.into_iter().map(group).collect())
        }
        Output::Number(_) => {
            let group = |(value, found): (Option<String>, ErrorsSummary)| TaskGroup {
                value,
                outcomes: TaskOutcomes::Regression(found.errors),
                invalid: found.invalid,
            };
            let merged = merged_groups(groups, within, segment, fidelity)?;
            Answer::TaskOutcomes(merged.into_iter().map(group).collect())
        }
    })
}

/// By the value of a segment, ascending; one empty group where there are no rows and no segment.
fn merged_groups<S: Summary>(
    groups: &Groups,
    within: std::ops::Range<usize>,
    segment: Option<usize>,
    fidelity: Fidelity,
) -> Result<Vec<(Option<String>, S)>, EngineError> {
    let mut merged: Vec<(Option<String>, S)> = Vec::new();
    for ((at, value), cells) in groups {
        if *at != segment {
            continue;
        }
        let mut whole: Option<S> = None;
        for group in cells.range(within.clone()).map(|(_, group)| group) {
            let part: S = decode(&group.scores)?;
            match &mut whole {
                None => whole = Some(part),
                Some(whole) => whole.merge(part),
            }
        }
        merged.extend(whole.map(|whole| (value.clone(), whole)));
    }
    if merged.is_empty() && segment.is_none() {
        merged.push((None, S::new(fidelity)));
    }
    merged.sort_by(|a, b| a.0.cmp(&b.0));
    Ok(merged)
}

fn add(sum: &mut Coverage, more: &Coverage) {
    sum.predictions += more.predictions;
    sum.with_outcome += more.with_outcome;
    sum.without_outcome += more.without_outcome;
    sum.unusable_outcomes += more.unusable_outcomes;
    sum.repeated_outcomes += more.repeated_outcomes;
    sum.contradictory_outcomes += more.contradictory_outcomes;
    sum.undecided_outcomes += more.undecided_outcomes;
    sum.early_outcomes += more.early_outcomes;
}

/// Outcomes that became known in the window but belong to no prediction of the whole log, nor of a reference
/// that has files of its own.
fn orphans(log: &Log<'_>, window: Window, as_of: Timestamp) -> Result<u64, EngineError> {
    const SEEN: &str = "outcomes_in_window";
    let (Some(outcome), Some(log_id)) = (&log.roles.outcome, &log.roles.id) else {
        return Ok(0);
    };
    let Some(outcomes) = &log.outcomes else {
        return Ok(0);
    };
    let table = log.engine.runtime.block_on(log.context.table(OUTCOMES))?;
    let table = match &outcome.time {
        None => table,
        Some(time) => {
            let data_type = outcomes
                .schema
                .field_with_name(time)
                .map_or(DataType::Null, |field| field.data_type().clone());
            let axis = log.time_axis_of(time, &data_type);
            let instant = axis.instant()?;
            let known = instant.clone().gt_eq(axis.literal(window.from()));
            let known = known.and(instant.clone().lt(axis.literal(window.to())));
            table.filter(known.and(instant.lt_eq(axis.literal(as_of))))?
        }
    };
    log.context.register_table(SEEN, table.into_view())?;
    let id = quoted(outcome.id.as_deref().unwrap_or(log_id));
    let predicted = std::iter::once(LOG).chain(log.reference().map(|_| REFERENCE));
    let unpredicted: String = predicted
        .map(|table| format!(" AND NOT EXISTS (SELECT 1 FROM {table} p WHERE p.{} = o.{id})", quoted(log_id)))
        .collect();
    let sql = format!("SELECT count(*) FROM {SEEN} o WHERE {id} IS NOT NULL{unpredicted}");
    let query = log.engine.runtime.block_on(log.context.sql(&sql));
    let batches = query.map_err(EngineError::from).and_then(|query| log.collect(query));
    log.context.deregister_table(SEEN)?;
    let batches = batches?;
    let count = batches.iter().find(|batch| batch.num_rows() > 0);
    Ok(count.map_or(0, |batch| batch.column(0).as_primitive::<Int64Type>().value(0) as u64))
}

impl Log<'_> {
    pub(crate) fn time_axis_of(&self, column: &str, data_type: &DataType) -> TimeAxis {
        TimeAxis::new(column, data_type, self.roles.time_unit)
    }
}
